//! The program from outside: what it says about bad input, what it leaves behind, and how it stops.
//!
//! Bad input ends with exit code 2, names the file, the line or the key and what was expected, and leaves no result.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

const NODES: &str = "\
sn,cpu_milli,memory_mib,gpu,model
node-0,32000,131072,2,T4
node-1,16000,65536,0,
";

const PODS: &str = "\
name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time
pod-0,4000,8192,1,500,,LS,Succeeded,0,100,5
pod-1,8000,8192,2,1000,,BE,Succeeded,10,200,12
pod-2,1000,1024,0,0,,LS,Succeeded,20,30,20
";

const EXPERIMENT: &str = r#"name = "tiny"
seeds = [1]

[cluster]
trace = { path = "nodes.csv" }

[workload]
trace = { path = "pods.csv" }

[[policy]]
name = "first"
placement = "first-fit"
refuse_seconds = "1 min"
"#;

/// A directory with a good experiment in it, to be spoilt.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { directory: TempDir::new().unwrap() };
        place.write("nodes.csv", NODES);
        place.write("pods.csv", PODS);
        place.write("tiny.toml", EXPERIMENT);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(name), contents).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mesosim"));
        command.args(arguments).current_dir(self.directory.path()).env("NO_COLOR", "1");
        command
    }

    fn mesosim(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs an experiment that is wrong: it must say all of `words`, end with 2, and leave nothing behind.
    fn refuses(&self, arguments: &[&str], words: &[&str]) {
        let output = self.mesosim(&[&["run"], arguments].concat());
        let said = words_of(&output.stderr);
        for word in words {
            assert!(said.contains(&words_of(word.as_bytes())), "expected: {word}\nsaid: {said}");
        }
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        let left = files(&self.path("results"));
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

/// Text on one line, without the frame that miette draws, however it was wrapped.
fn words_of(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.split_whitespace().filter(|word| *word != "│" && *word != "·").collect::<Vec<_>>().join(" ")
}

/// All files below a directory, relative to it, sorted.
fn files(directory: &Path) -> Vec<String> {
    fn collect(directory: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                collect(&entry.path(), &format!("{name}/"), found);
            } else {
                found.push(name);
            }
        }
    }
    let mut found = Vec::new();
    collect(directory, "", &mut found);
    found.sort();
    found
}

/// What a run without `parquet` writes; with it, there is `tasks.parquet` too.
fn files_of_a_run() -> Vec<&'static str> {
    let mut files = vec!["allocator.csv", "jobs.csv", "manifest.json", "timeline.csv", "work.csv"];
    if cfg!(feature = "parquet") {
        files.insert(3, "tasks.parquet");
    }
    files
}

#[test]
fn a_good_experiment_leaves_all_its_results() {
    let place = Place::new();
    let output = place.mesosim(&["run", "tiny.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", words_of(&output.stderr));
    let left = files(&place.path("results/tiny"));
    for file in files_of_a_run() {
        assert!(left.contains(&format!("policy=first/seed=1/{file}")), "no {file} among {left:?}");
    }
    for file in ["summary.csv", "report.html", "plots/waiting-time.svg"] {
        assert!(left.contains(&file.to_owned()), "no {file} among {left:?}");
    }
    let jobs = fs::read_to_string(place.path("results/tiny/policy=first/seed=1/jobs.csv")).unwrap();
    assert_eq!(jobs.matches("COMPLETED_SUCCESSFULLY").count(), 3, "{jobs}");
}

#[test]
fn a_missing_experiment_file_is_named_and_a_similar_one_suggested() {
    Place::new()
        .refuses(&["tinny.toml"], &["cannot read the experiment file tinny.toml", "did you mean tiny.toml?"]);
}

#[test]
fn a_missing_trace_is_named_with_the_line_that_asks_for_it() {
    let place = Place::new();
    fs::remove_file(place.path("pods.csv")).unwrap();
    place.refuses(&["tiny.toml"], &["pods.csv: cannot be opened", "No such file", "tiny.toml:8:"]);
}

#[test]
fn a_truncated_gzip_file_is_called_truncated() {
    let place = Place::new();
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/openb-2023/openb_pod_list_default.csv.gz");
    let bytes = fs::read(whole).unwrap();
    for kept in [bytes.len() / 2, bytes.len() - 4, 15] {
        place.write("pods.csv", &bytes[..kept]);
        place.refuses(&["tiny.toml"], &["pods.csv: the compressed file is truncated", "tiny.toml:8:"]);
    }
}

#[test]
fn a_damaged_gzip_file_is_called_damaged() {
    let place = Place::new();
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/openb-2023/openb_pod_list_default.csv.gz");
    let mut bytes = fs::read(whole).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    place.write("pods.csv", &bytes);
    place.refuses(&["tiny.toml"], &["pods.csv: the compressed file is damaged", "tiny.toml:8:"]);
}

#[test]
fn a_bad_field_of_a_trace_is_named_by_file_line_and_column() {
    for (from, to, words) in [
        (
            "pod-1,8000",
            "pod-1,-8000",
            "pods.csv:3: column `cpu_milli` is `-8000`: expected a whole number, 0 or more",
        ),
        ("8192,2,1000", "8192,2,500", "pods.csv:3: column `gpu_milli` is `500`: expected 1000"),
        ("1024,0,0,,LS", "1024,0,0,,SL", "pods.csv:4: column `qos` is `SL`: expected `LS`"),
        (
            "pod-2,",
            "pod-0,",
            "pods.csv:4: column `name` is `pod-0`: expected another name than that of line 2",
        ),
        ("20,30,20", "20,10,20", "column `deletion_time` is `10`: expected 20"),
        (",200,12", "", "pods.csv:3: 9 fields: expected 11 fields"),
        ("qos", "qoss", "pods.csv:1: unknown column `qoss` (did it mean `qos`?)"),
        ("memory_mib", "memory_mb", "pods.csv: is no trace of a known format"),
    ] {
        let place = Place::new();
        assert!(PODS.contains(from), "{from}");
        place.write("pods.csv", PODS.replacen(from, to, 1));
        place.refuses(&["tiny.toml"], &[words, "tiny.toml:8:"]);
    }
    let place = Place::new();
    place.write("nodes.csv", NODES.replace("131072", "-131072"));
    place.refuses(&["tiny.toml"], &["nodes.csv:2: column `memory_mib` is `-131072`", "tiny.toml:5:"]);
}

#[test]
fn an_empty_trace_is_refused() {
    let place = Place::new();
    place.write("pods.csv", "");
    place.refuses(&["tiny.toml"], &["pods.csv: is no trace of a known format", "tiny.toml:8:"]);
    place.write("pods.csv", PODS.lines().next().unwrap());
    place.refuses(&["tiny.toml"], &["pods.csv: no job of it can run: there is none"]);
}

#[test]
fn a_bad_experiment_file_is_named_by_line_with_the_nearest_word() {
    for (from, to, words) in [
        (
            "placement =",
            "placment =",
            ["unknown key `placment`", "did you mean `placement`?", "tiny.toml:12:"],
        ),
        (
            "\"first-fit\"",
            "\"firstfit\"",
            ["unknown placement `firstfit`", "did you mean `first-fit`?", "tiny.toml:12:"],
        ),
        ("\"1 min\"", "\"1 mn\"", ["unknown unit `mn`", "did you mean", "tiny.toml:13:"]),
        ("\"1 min\"", "60", ["has no unit", "\"60 s\"", "tiny.toml:13:"]),
        (
            "seeds = [1]",
            "seeds = [-1]",
            ["`seeds[0]` must be a whole number, 0 or more", "-1", "tiny.toml:2:"],
        ),
        ("[[policy]]", "[[polcy]]", ["unknown key `polcy`", "did you mean `policy`?", "tiny.toml:10:"]),
        ("\"tiny\"", "tiny", ["not valid TOML", "tiny", "tiny.toml:1:"]),
    ] {
        let place = Place::new();
        assert!(EXPERIMENT.contains(from), "{from}");
        place.write("tiny.toml", EXPERIMENT.replacen(from, to, 1));
        place.refuses(&["tiny.toml"], &words);
    }
}

#[test]
fn a_bad_setting_is_named() {
    for (setting, words) in [
        ("nonsense", ["nonsense", "="]),
        ("workload.compres=2", ["unknown key `compres`", "did you mean `compress`?"]),
        ("workload.compress=-2", ["`workload.compress` must be a number above 0", "-2"]),
        ("policy.frist.placement=best-fit", ["frist", "did you mean `first`?"]),
        ("policy.first.order=lifo", ["unknown order `lifo`", "did you mean `fifo`?"]),
        ("", ["--set", "="]),
    ] {
        Place::new().refuses(&["tiny.toml", "--set", setting], &words);
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    // Below a file nobody can make a directory, not even root.
    let place = Place::new();
    place.refuses(&["tiny.toml", "--out", "nodes.csv/out"], &["cannot write nodes.csv/out"]);
    assert_eq!(fs::read_to_string(place.path("nodes.csv")).unwrap(), NODES);
}

#[test]
fn a_failure_to_write_leaves_no_half_written_run() {
    // In the way of a run's directory is a file.
    let place = Place::new();
    fs::create_dir_all(place.path("out")).unwrap();
    place.write("out/policy=first", "in the way");
    place.refuses(&["tiny.toml", "--out", "out"], &["cannot write out/policy=first"]);
    assert_eq!(files(&place.path("out")), ["policy=first"]);
}

#[test]
fn an_unknown_command_or_flag_is_an_error_of_the_user() {
    let place = Place::new();
    for arguments in
        [&["rn", "tiny.toml"][..], &["run", "tiny.toml", "--sede", "1"], &["list", "plicies"], &[]]
    {
        assert_eq!(place.mesosim(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_job_that_fits_no_machine_is_rejected_and_the_run_ends() {
    let place = Place::new();
    place.write("pods.csv", PODS.replace("pod-1,8000,8192,2,", "pod-1,8000,8192,3,"));
    let output = place.mesosim(&["run", "tiny.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", words_of(&output.stderr));
    let jobs = fs::read_to_string(place.path("results/tiny/policy=first/seed=1/jobs.csv")).unwrap();
    let job = jobs.lines().find(|line| line.starts_with("pod-1,")).unwrap();
    assert!(job.contains(",0,REJECTED,"), "{job}");
    assert_eq!(column(&place.path("results/tiny/summary.csv"), "rejected"), ["1"]);
    assert_eq!(column(&place.path("results/tiny/summary.csv"), "finished"), ["2"]);
    let manifest = fs::read_to_string(place.path("results/tiny/policy=first/seed=1/manifest.json")).unwrap();
    assert!(manifest.contains("1 of 3 jobs fit no machine"), "{manifest}");
}

fn column(table: &Path, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(table).unwrap();
    let place = reader.headers().unwrap().iter().position(|column| column == name).unwrap();
    reader.records().map(|record| record.unwrap()[place].to_owned()).collect()
}

#[test]
fn list_names_every_word_that_an_experiment_can_use() {
    let place = Place::new();
    let output = place.mesosim(&["list"]);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    let words =
        [mesosim::policy::ORDER_NAMES, mesosim::policy::PLACEMENT_NAMES, mesosim::policy::RESPONSE_NAMES];
    for word in words.into_iter().flatten().chain(&["drf", "openb", "GPU_RESOURCES", "w1"]) {
        assert!(said.contains(word), "no {word} in\n{said}");
    }
    for fault in mesosim::fault::FAULTS {
        assert!(said.contains(fault.name), "no {} in\n{said}", fault.name);
    }
    let only = String::from_utf8(place.mesosim(&["list", "formats"]).stdout).unwrap();
    assert!(only.contains("openb") && !only.contains("first-fit"), "{only}");
}

#[test]
fn validate_says_what_an_experiment_is_made_of_and_runs_nothing() {
    let place = Place::new();
    let output = place.mesosim(&["validate", "tiny.toml"]);
    let said = words_of(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for words in ["tiny.toml is right", "2 machines", "3 jobs", "policies first"] {
        assert!(said.contains(words), "no `{words}` in {said}");
    }
    assert!(!place.path("results").exists());
    place.write("pods.csv", PODS.replace("8000", "eight"));
    let output = place.mesosim(&["validate", "tiny.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(words_of(&output.stderr).contains("column `cpu_milli` is `eight`"));
}

#[test]
fn wrong_rows_of_a_trace_are_left_out_if_the_experiment_says_so() {
    let place = Place::new();
    place.write("pods.csv", PODS.replace("8000", "eight"));
    let skip = ["validate", "tiny.toml", "--set", "workload.trace.rejected=skip"];
    let output = place.mesosim(&skip);
    assert!(words_of(&output.stdout).contains("2 jobs"), "{}", words_of(&output.stderr));
}

#[test]
fn inspect_tells_what_a_trace_consists_of_and_names_each_rejected_row() {
    let place = Place::new();
    place.write("pods.csv", PODS.replace("8000", "eight"));
    let output =
        place.mesosim(&["trace", "inspect", "pods.csv", "--rejects", "rejected.csv", "--plots", "plots"]);
    let said = words_of(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for words in
        ["2 jobs, 2 tasks", "1 of 3 rows were rejected", "line 3: `cpu_milli` is `eight`", "classes 1: LS 2"]
    {
        assert!(said.contains(words), "no `{words}` in {said}");
    }
    assert!(words_of(&output.stderr).contains("MB/s, peak memory"));
    assert_eq!(column(&place.path("rejected.csv"), "line"), ["3"]);
    assert!(fs::read_to_string(place.path("plots/pods-csv-arrivals.svg")).unwrap().ends_with("</svg>\n"));
    let output = place.mesosim(&["trace", "inspect", "pods.csv", "nodes.csv", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let counts = ["jobs", "machines"].map(|what| {
        json["traces"]
            .as_array()
            .unwrap()
            .iter()
            .map(|of| of["contents"][what].as_u64().unwrap())
            .sum::<u64>()
    });
    assert_eq!(counts, [2, 2]);
}

#[test]
fn trace_commands_refuse_what_they_cannot_do_and_write_nothing() {
    let place = Place::new();
    for (arguments, words) in [
        (&["inspect", "none.csv"][..], "none.csv: cannot be opened"),
        (&["inspect", "tiny.toml"], "tiny.toml: is no trace of a known format"),
        (&["inspect", "pods.csv", "--format", "opnb"], "unknown trace format `opnb`: expected `openb`"),
        (&["sample", "pods.csv", "out"], "--every"),
        (&["sample", "pods.csv", "out", "--share", "2"], "expected a probability, 0 to 1"),
        (&["scale", "pods.csv", "out", "--load", "0"], "expected a number above 0"),
        (&["slice", "pods.csv", "out", "--from", "noon"], "is not a duration"),
        (&["convert", "pods.csv", "tiny.toml"], "there is a file of that name"),
        (&["export", "pods.csv", "out", "--to", "swv"], "a similar value exists: 'swf'"),
    ] {
        let output = place.mesosim(&[&["trace"], arguments].concat());
        let said = words_of(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: no `{words}` in {said}");
        assert!(!place.path("out").exists());
    }
}

#[test]
fn an_exported_trace_is_read_again_with_the_same_jobs() {
    let place = Place::new();
    for format in ["swf", "batsim"] {
        let output = place.mesosim(&["trace", "export", "pods.csv", format, "--to", format]);
        assert_eq!(output.status.code(), Some(0), "{}", words_of(&output.stderr));
        let said = words_of(&place.mesosim(&["trace", "inspect", format]).stdout);
        assert!(said.contains(&format!("format {format}: ")) && said.contains("3 jobs"), "{said}");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn a_converted_trace_holds_the_same_and_runs_the_same() {
    let place = Place::new();
    for (arguments, jobs) in [
        (&["convert", "pods.csv", "native"][..], "3 jobs"),
        (&["sample", "pods.csv", "sampled", "--every", "2"], "2 jobs"),
        (&["slice", "pods.csv", "sliced", "--from", "5 s", "--to", "15 s"], "1 jobs"),
        (&["scale", "pods.csv", "scaled", "--load", "3"], "9 jobs"),
    ] {
        let output = place.mesosim(&[&["trace"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", words_of(&output.stderr));
        let said = words_of(&place.mesosim(&["trace", "inspect", arguments[2]]).stdout);
        assert!(said.contains(jobs), "{arguments:?}: {said}");
    }
    place.mesosim(&["run", "tiny.toml", "--out", "first"]);
    place.mesosim(&["run", "tiny.toml", "--out", "second", "--set", "workload.trace.path=native"]);
    let hash = |out: &str| column(&place.path(out).join("summary.csv"), "record_hash");
    assert_eq!(hash("first"), hash("second"));
}

#[test]
fn the_experiments_that_come_along_are_valid() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    for file in files(&directory).iter().filter(|file| file.ends_with(".toml")) {
        let path = directory.join(file);
        let output = Place::new().mesosim(&["validate", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{file}: {}", words_of(&output.stderr));
    }
}

#[test]
fn check_twice_finds_the_same_run_again() {
    let place = Place::new();
    let output = place.mesosim(&["check", "tiny.toml", "--twice"]);
    let said = words_of(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("first seed 1: twice the same"), "{said}");
    assert!(!place.path("results").exists());
    let once = words_of(&place.mesosim(&["check", "tiny.toml"]).stdout);
    let hash = |said: &str| said.split_once("record hash ").unwrap().1.to_owned();
    assert_eq!(hash(&once), hash(&said));
}

const SCENARIO: &str = r#"{
  "name": "small",
  "steps": [
    {"op": "add_agent", "agent": "a1", "resources": "cpus:4;mem:1024"},
    {"op": "add_framework", "framework": "f1", "roles": ["web"]}
  ],
  "expect": [
    {"step": 1, "offers": [{"framework": "f1", "role": "web", "agent": "a1", "resources": "mem:1024;cpus:4"}]}
  ]
}
"#;

#[test]
fn conformance_passes_what_is_right_in_files_and_below_directories() {
    let place = Place::new();
    fs::create_dir_all(place.path("scenarios/deep")).unwrap();
    place.write("scenarios/deep/a.json", SCENARIO);
    place.write("scenarios/b.json", SCENARIO);
    place.write("scenarios/notes.txt", "not a scenario");
    let output = place.mesosim(&["conformance", "scenarios", "scenarios/b.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", words_of(&output.stderr));
    assert_eq!(words_of(&output.stdout), "3 passed, 0 failed");
    assert_eq!(words_of(&output.stderr), "");
}

#[test]
fn conformance_tells_file_step_and_both_sides_of_a_difference() {
    let place = Place::new();
    place.write("wrong.json", SCENARIO.replace("mem:1024;cpus:4", "cpus:3;mem:1024"));
    place.write("right.json", SCENARIO);
    let output = place.mesosim(&["conformance", "wrong.json", "right.json"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "\
wrong.json (- expected, + given)
  step 1 add_framework framework=f1
    - f1 web a1 cpus:3;mem:1024
    + f1 web a1 cpus:4;mem:1024
1 passed, 1 failed
";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[test]
fn conformance_names_files_that_are_no_scenarios_and_goes_on_with_the_others() {
    let place = Place::new();
    fs::create_dir_all(place.path("empty")).unwrap();
    place.write("typo.json", SCENARIO.replace("add_agent", "add_agnt"));
    place.write("broken.json", &SCENARIO[..40]);
    place.write("binary.json", [0xff, 0xfe]);
    place.write("wrong.json", SCENARIO.replace("mem:1024;cpus:4", "cpus:3"));
    let output = place.mesosim(&[
        "conformance",
        "empty",
        "missing.json",
        "typo.json",
        "broken.json",
        "binary.json",
        "wrong.json",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let said = words_of(&output.stderr);
    for words in [
        "Error: empty: no scenario below this directory: expected files *.json",
        "Error: missing.json: cannot be read: No such file",
        "Error: typo.json: `steps[0].op`: unknown word `add_agnt`: did you mean `add_agent`?",
        "Error: broken.json: not JSON: EOF",
        "at line 4 column",
        "Error: binary.json: cannot be read: stream did not contain valid UTF-8",
    ] {
        assert!(said.contains(words), "no `{words}` in {said}");
    }
    let said = words_of(&output.stdout);
    assert!(said.ends_with("0 passed, 1 failed, 5 not read"), "{said}");
}

#[test]
fn conformance_shows_what_happens_step_by_step() {
    let place = Place::new();
    place.write("small.json", SCENARIO);
    let output = place.mesosim(&["conformance", "--show", "small.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", words_of(&output.stderr));
    let said = words_of(&output.stdout);
    for words in [
        "step 0 at 0 s: agent a1 joins with cpus:4;mem:1024",
        "offer f1 under web: cpus:4;mem:1024 of a1",
        "dominant shares: web 1",
        "f1 holds under web: cpus:4;mem:1024 of a1",
        "1 passed, 0 failed",
    ] {
        assert!(said.contains(words), "no `{words}` in {said}");
    }
}

/// An experiment of many cells, each of which runs for a while.
fn long(jobs: u64) -> String {
    format!(
        r#"name = "long"
seeds = [{}]
[[cluster.agents]]
count = 50
cpus = 16
mem = "64 GiB"
[workload.poisson]
jobs = {jobs}
interarrival = "1 s"
duration = "10 min"
[[policy]]
name = "first"
refuse_seconds = "1 h"
"#,
        (1..=200).map(|seed| seed.to_string()).collect::<Vec<_>>().join(", ")
    )
}

/// Waits until the program got so far.
fn wait_until(child: &mut Child, what: &str, mut there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !there() {
        let over = child.try_wait().unwrap();
        assert!(over.is_none(), "ended ({over:?}) before {what}");
        assert!(began.elapsed() < Duration::from_secs(120), "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn interrupt(child: Child) -> (Option<i32>, String) {
    let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), words_of(&output.stdout))
}

#[test]
fn an_interrupted_experiment_keeps_the_runs_that_are_complete() {
    let place = Place::new();
    place.write("long.toml", long(20_000));
    let mut command = place.command(&["run", "long.toml", "--jobs", "1", "--out", "out"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    wait_until(&mut child, "two runs were complete", || place.path("out/policy=first/seed=2").exists());
    let (code, said) = interrupt(child);
    assert_eq!(code, Some(130), "{said}");
    let kept: Vec<_> =
        fs::read_dir(place.path("out/policy=first")).unwrap().map(|run| run.unwrap().path()).collect();
    assert!((2..200).contains(&kept.len()), "{} of 200 runs", kept.len());
    for run in &kept {
        assert_eq!(files(run), files_of_a_run(), "{}", run.display());
        let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!(manifest["jobs"]["total"], 20_000);
        assert_eq!(column(&run.join("jobs.csv"), "final_state").len(), 20_000);
    }
    assert_eq!(column(&place.path("out/summary.csv"), "seed").len(), kept.len());
    let words = format!("Interrupted: {} of 200 runs are complete and kept under out", kept.len());
    assert!(said.contains(&words), "no `{words}` in {said}");
    assert!(!files(&place.path("out")).iter().any(|file| file.contains("partial")));
}

#[test]
fn an_experiment_interrupted_in_its_first_run_writes_nothing() {
    let place = Place::new();
    place.write("long.toml", long(50_000_000));
    let mut command = place.command(&["run", "long.toml", "--jobs", "1", "--out", "out"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    wait_until(&mut child, "the run began", || place.path("out").exists());
    std::thread::sleep(Duration::from_millis(200));
    let (code, said) = interrupt(child);
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("nothing was written"), "{said}");
    assert_eq!(files(&place.path("out")), Vec::<String>::new());
}
