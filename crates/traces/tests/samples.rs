//! The samples under `traces/` are read, and their counts are those that their READMEs give.

use std::path::{Path, PathBuf};

use mesosim_traces::{Options, Quality, Status, Trace, sink::Collected};

fn sample(name: &str) -> (&'static str, Collected, Quality) {
    let dir: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../traces").join(name);
    let trace = Trace::one(&dir, None).expect("one trace of a known format");
    let mut rows = Collected::default();
    let quality = trace.read(&Options::default(), &mut rows, &mut |_| true).expect("a sample that is whole");
    (trace.format.name, rows, quality)
}

#[test]
fn google_2011_has_53_jobs_and_1941_tasks() {
    let (format, rows, quality) = sample("google-2011");
    assert_eq!((format, quality.rows(), quality.rejected()), ("google-2011", 4712 + 132, 0));
    assert_eq!((rows.jobs.len(), rows.tasks.len()), (53, 1941));
    let sum = |of: fn(&mesosim_traces::TaskRow<'_>) -> u32| rows.tasks.iter().map(of).sum::<u32>();
    assert_eq!((sum(|task| task.attempts), sum(|task| task.evictions)), (1965, 21));
    let ended = |status| rows.jobs.iter().filter(|job| job.status == Some(status)).count();
    assert_eq!((ended(Status::Finished), ended(Status::Killed), ended(Status::Running)), (20, 6, 27));
    assert!(rows.tasks.iter().any(|task| task.constraints.as_deref() == Some("machine distinct")));
    assert_eq!(quality.notes()["events at time 0: what was so before the trace"], 2326 + 54);
}

#[test]
fn azure_llm_2023_has_8819_requests_over_57_minutes() {
    let (format, rows, quality) = sample("azure-llm-2023");
    assert_eq!((format, rows.jobs.len(), quality.rejected()), ("azure-llm", 8819, 0));
    let last = rows.jobs.last().and_then(|job| job.submit).expect("a time");
    assert_eq!(last.as_secs_f64() as i64 / 60, 57);
}
