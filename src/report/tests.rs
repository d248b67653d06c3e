//! Facts about whole reports.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::sample::Sample;
use super::*;

fn made(sample: &Sample) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    sample.write(dir.path());
    dir
}

fn page(dir: &Path) -> String {
    build(dir).expect("a report");
    // The template engine writes every slash of a text as a character reference.
    fs::read_to_string(dir.join("report.html")).expect("a page").replace("&#x2f;", "/")
}

/// Replaces text in a result file, builds, and gives the error's words.
fn error_after(file: &str, from: &str, to: &str) -> String {
    let dir = made(&Sample::small());
    let path = dir.path().join(file);
    let text = fs::read_to_string(&path).expect("a file");
    assert!(text.contains(from), "{file} has no `{from}`");
    fs::write(&path, text.replacen(from, to, 1)).expect("a file");
    build(dir.path()).expect_err("an error").to_string()
}

const RUN: &str = "policy=drf+best-fit/seed=1";

#[test]
fn the_page_and_the_tables_have_every_policy() {
    let dir = made(&Sample::small());
    let (page, table) = (page(dir.path()), terminal_summary(dir.path()).expect("a table"));
    for policy in Sample::small().policies {
        assert!(
            page.contains(&format!("data-key=\"{policy}\"")) && table.contains(&policy),
            "{policy}\n{table}"
        );
    }
}

#[test]
fn the_page_needs_no_network() {
    let dir = made(&Sample::small());
    let page = page(dir.path());
    for tie in ["src=\"", "href=\"http", "href=\"//", "url(", "@import", "xmlns"] {
        assert!(!page.contains(tie), "found {tie}");
    }
}

#[test]
fn every_link_of_the_page_leads_to_a_file() {
    let dir = made(&Sample::small());
    let page = page(dir.path());
    let links: Vec<&str> =
        page.split("href=\"./").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(links.len(), 8 + 4 * 4 + 1);
    assert!(links.iter().all(|link| dir.path().join(link).is_file()), "{links:?}");
}

#[test]
fn policies_whose_names_differ_only_in_signs_have_figures_of_their_own() {
    let policies = vec!["a b".to_owned(), "a#b".to_owned()];
    let dir = made(&Sample { policies, seeds: 1, ..Sample::small() });
    let built = build(dir.path()).expect("a report");
    let all: std::collections::BTreeSet<_> = built.files.iter().collect();
    assert_eq!(all.len(), built.files.len());
}

#[test]
fn the_same_results_give_the_same_bytes() {
    let dir = made(&Sample::small());
    let read = |built: Built| -> Vec<Vec<u8>> {
        built.files.iter().map(|path| fs::read(path).expect("a file")).collect()
    };
    let first = read(build(dir.path()).expect("a report"));
    assert!(first == read(build(dir.path()).expect("a report")));
}

#[test]
fn figures_and_summary_do_not_tell_how_fast_the_machine_was() {
    let dir = made(&Sample::small());
    let before = build(dir.path()).expect("a report");
    let svg = |built: &Built| -> Vec<String> {
        built.files[1..].iter().map(|path| fs::read_to_string(path).expect("a figure")).collect()
    };
    let figures = svg(&before);
    let path = dir.path().join(RUN).join("manifest.json");
    let slower = fs::read_to_string(&path).expect("a manifest").replace("1.37", "99.5");
    fs::write(&path, slower).expect("a manifest");
    assert_eq!(figures, svg(&build(dir.path()).expect("a report")));
}

#[test]
fn a_report_has_a_figure_for_each_resource_policy_and_time_and_leaves_nothing_half_written() {
    let dir = made(&Sample::small());
    let built = build(dir.path()).expect("a report");
    let mut names: Vec<String> = fs::read_dir(dir.path().join("plots"))
        .expect("plots")
        .map(|entry| entry.expect("a file").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    let expected = [
        "allocation-cpus.svg",
        "allocation-disk.svg",
        "allocation-gpus.svg",
        "allocation-mem.svg",
        "roles-drf+best-fit.svg",
        "roles-drf+first-fit.svg",
        "turnaround-time.svg",
        "waiting-time.svg",
    ];
    assert_eq!(names, expected);
    assert_eq!(built.files.len(), 9);
}

/// Adds to one run of a sample what a run with faults leaves.
fn add_trouble(dir: &Path) {
    let run = dir.join(RUN);
    let work = "cause,attempts,seconds,cpu_seconds,gpu_seconds,mem_seconds\n\
        goodput,60,9,360000,0,0\nfault-0-outage,5,9,36000,0,0\nkill,1,9,4000,0,0\n";
    fs::write(run.join("work.csv"), work).expect("work");
    let recovery = "failover,failed_at_s,since_s,agents_known,frameworks_known,agents_before,frameworks_before\n\
        1,600,0,0,0,4,1\n1,600,10.2,2,1,4,1\n1,600,11,4,1,4,1\n2,900,0,0,0,4,1\n2,900,12,4,1,4,1\n";
    fs::write(run.join("recovery.csv"), recovery).expect("recovery");
    let text = fs::read_to_string(dir.join("summary.csv")).expect("summary");
    let head = "goodput_cpu_seconds,wasted_cpu_seconds,wasted_share,attempts,master_failovers,mean_time_to_recovery_s";
    let line = |(n, line): (usize, &str)| match n {
        0 => format!("{line},{head}\n"),
        1 => format!("{line},360000,40000,0.1,66,2,11.5\n"),
        _ => format!("{line},360000,0,0,60,0,\n"),
    };
    let text: String = text.lines().enumerate().map(line).collect();
    fs::write(dir.join("summary.csv"), text).expect("summary");
}

#[test]
fn recovery_and_lost_work_are_shown_if_there_are_any() {
    let dir = made(&Sample::small());
    let sound = page(dir.path());
    assert!(!sound.contains("Recovery of the master") && !sound.contains("by cause"));
    add_trouble(dir.path());
    let page = page(dir.path());
    for words in
        ["Recovery of the master", "Work lost, by cause", "fault-0-outage", ">11.5 s<", "in vain", "5.56"]
    {
        assert!(page.contains(words), "no {words}");
    }
    assert!(dir.path().join("plots/master-recovery.svg").is_file());
    let table = terminal_summary(dir.path()).expect("a table");
    assert!(table.contains("mean time to recovery") && table.contains("work in vain"), "{table}");
}

#[test]
fn a_recovery_that_goes_back_in_time_is_refused() {
    let dir = made(&Sample::small());
    add_trouble(dir.path());
    let error = {
        let path = dir.path().join(RUN).join("recovery.csv");
        let text = fs::read_to_string(&path).expect("recovery").replace("1,600,11,", "1,600,9,");
        fs::write(&path, text).expect("recovery");
        build(dir.path()).expect_err("an error").to_string()
    };
    assert!(error.contains("recovery.csv:4: column 3 `since_s`"), "{error}");
}

#[test]
fn the_roles_figure_says_which_resource_is_most_contended() {
    let dir = made(&Sample::small());
    assert!(page(dir.path()).contains("allocated GPUs by role (the most contended resource)"));
}

#[test]
fn jobs_that_means_leave_out_stand_beside_them() {
    let dir = made(&Sample { policies: vec!["only".into()], seeds: 1, jobs: 2_000, ..Sample::small() });
    let jobs = load::read(dir.path()).expect("results").runs[0].jobs.clone();
    assert!(jobs.counts.never_placed > 0 && jobs.counts.rejected > 0);
    let page = page(dir.path());
    let from = page.find(">Waiting time</h3>").expect("the table of waiting times");
    let table = &page[from..page[from..].find("</table>").expect("its end") + from];
    for label in ["Mean", "unfinished", "never placed", "rejected"] {
        assert!(table.contains(label), "{label} in {table}");
    }
    for number in [jobs.waiting.len() as u64, jobs.counts.never_placed, jobs.counts.rejected] {
        assert!(table.contains(&format!(">{}</td>", units::count(number as f64))), "{number} in {table}");
    }
}

#[test]
fn a_number_that_is_none_is_told_with_file_line_and_column() {
    let error = error_after(&format!("{RUN}/jobs.csv"), "\n2,", "\n2,\"a\nb\",");
    assert!(error.contains("jobs.csv:4: expected 19 cells as in the header line, found 20"), "{error}");
    let error = error_after(&format!("{RUN}/timeline.csv"), "0.000000000,cpus", "soon,cpus");
    assert!(error.contains("timeline.csv:2: column 1 `time`: expected"), "{error}");
    assert!(error.contains("found `soon`"), "{error}");
}

#[test]
fn negative_times_are_refused() {
    let error = error_after(&format!("{RUN}/timeline.csv"), "0.000000000,cpus", "-1,cpus");
    assert!(error.contains("timeline.csv:2: column 1 `time`") && error.contains("0 or more"), "{error}");
}

#[test]
fn a_state_that_is_none_is_told_with_the_nearest_one() {
    let error = error_after(&format!("{RUN}/jobs.csv"), ",COMPLETED_SUCCESSFULLY,", ",COMPLETED_SUCCESFULY,");
    assert!(error.contains("jobs.csv:") && error.contains("nearest is `COMPLETED_SUCCESSFULLY`"), "{error}");
}

#[test]
fn a_missing_column_is_told_with_the_nearest_one() {
    let error = error_after("summary.csv", "waiting_mean", "waiting_maen");
    assert!(error.contains("summary.csv:1: expected a column `waiting_mean`"), "{error}");
    assert!(error.contains("`waiting_maen`"), "{error}");
}

#[test]
fn a_broken_manifest_is_told_with_line_and_column() {
    let error = error_after(&format!("{RUN}/manifest.json"), "\"events\": 142113", "\"events\": \"many\"");
    assert!(error.contains("manifest.json:") && error.contains("many"), "{error}");
    let error = error_after(&format!("{RUN}/manifest.json"), "\"record_hash\"", "\"hash\"");
    assert!(error.contains("record_hash"), "{error}");
}

#[test]
fn a_missing_file_is_named_and_nothing_is_written() {
    let dir = made(&Sample::small());
    fs::remove_file(dir.path().join(RUN).join("timeline.csv")).expect("a file");
    let error = build(dir.path()).expect_err("an error").to_string();
    assert!(error.contains("seed=1/timeline.csv: cannot read a run's allocation over time"), "{error}");
    assert!(!dir.path().join("report.html").exists() && !dir.path().join("plots").exists());
}

#[test]
fn a_directory_without_results_is_an_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let error = build(dir.path()).expect_err("an error").to_string();
    assert!(error.contains("summary.csv: cannot read the summary over the runs"), "{error}");
}

#[test]
fn a_run_that_the_summary_does_not_name_is_left_out_and_said() {
    let dir = made(&Sample::small());
    fs::create_dir_all(dir.path().join("policy=old/seed=7")).expect("a directory");
    assert!(page(dir.path()).contains("policy=old/seed=7 is in the directory, not in summary.csv"));
}

#[test]
fn text_from_results_cannot_become_markup() {
    let dir = made(&Sample::small());
    let path = dir.path().join(RUN).join("manifest.json");
    let text = fs::read_to_string(&path).expect("a manifest").replace("Two ways", "<script>x</script>");
    fs::write(&path, text).expect("a manifest");
    assert!(!page(dir.path()).contains("<script>x"));
}

#[test]
fn the_terminal_table_fits_a_hundred_columns_however_many_policies_there_are() {
    let policies = (0..7).map(|n| format!("a-policy-with-a-long-name-{n}")).collect();
    let dir = made(&Sample { policies, ..Sample::small() });
    let table = terminal_summary(dir.path()).expect("a table");
    let widest = table.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}\n{table}");
    assert!(table.lines().count() > 80, "several tables below each other");
    assert!((0..7).all(|n| table.contains(&format!("long-name-{n}"))), "{table}");
}

#[test]
fn a_run_without_a_started_job_still_has_a_report() {
    let dir = made(&Sample { policies: vec!["only".into()], seeds: 1, ..Sample::small() });
    let path = dir.path().join("policy=only/seed=1/jobs.csv");
    let text = fs::read_to_string(&path).expect("jobs");
    let header = text.lines().next().expect("a header");
    fs::write(&path, format!("{header}\n0,a,a,,1,5,,,,,,,,0,NEVER_PLACED,1,1,1,0\n")).expect("jobs");
    assert!(page(dir.path()).contains("100 % of the jobs did not start"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn results_with_a_changed_byte_make_a_report_or_an_error_and_never_a_panic(
        file in 0..4usize, place in 0.0..1.0f64, byte in prop::sample::select(b"\n,\"-9e.x{\xff".to_vec()),
    ) {
        let dir = made(&Sample { seeds: 1, jobs: 5, bins: 3, ..Sample::default() });
        let run = dir.path().join("policy=drf+best-fit/seed=1");
        let path = match file {
            0 => dir.path().join("summary.csv"),
            1 => run.join("jobs.csv"),
            2 => run.join("timeline.csv"),
            _ => run.join("manifest.json"),
        };
        let mut bytes = fs::read(&path).expect("a file");
        let place = (place * bytes.len() as f64) as usize;
        bytes[place] = byte;
        fs::write(&path, bytes).expect("a file");
        match build(dir.path()) {
            Ok(built) => prop_assert!(!built.files.is_empty()),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
