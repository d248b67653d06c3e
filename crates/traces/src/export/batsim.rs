//! Writes Batsim's JSON: jobs that take what they took (`DelayProfile`).

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use serde_json::{Value as Json, json};

use super::{Jobs, Lost};

/// Writes jobs as they were submitted. Says what the format could not.
///
/// # Errors
/// `out` cannot be written.
pub fn write(jobs: &Jobs, out: &mut dyn Write) -> io::Result<Lost> {
    let mut lost = Lost::default();
    let all = jobs.in_order();
    let names: BTreeSet<&str> = all.iter().map(|job| &*job.name).collect();
    let are_unique = names.len() == all.len();
    let first = all.iter().filter_map(|job| job.submit).min().unwrap_or_default().0.min(0);
    let mut profiles = BTreeMap::new();
    let (mut rows, mut most) = (Vec::new(), 0);
    for job in all {
        let (Some(submit), Some(run), Some(processors)) = (job.submit, job.run(), job.processors()) else {
            lost.add("jobs whose submission, duration or size is not known", 1);
            continue;
        };
        lost.add(
            "jobs with tasks that wait for each other: all are taken to run at once",
            job.is_graph.into(),
        );
        lost.add("jobs whose tasks need not run at once", (!job.gang && job.instances > 1).into());
        lost.add("jobs with GPUs: only their cores are written", job.gpus.into());
        lost.add("jobs that wait for others", (!job.parents.is_empty()).into());
        let profile = format!("delay-{}", run.as_secs_f64());
        profiles.insert(profile.clone(), json!({ "type": "DelayProfile", "delay": seconds(run.0) }));
        most = most.max(processors);
        let id = if are_unique { job.name.to_string() } else { job.number.to_string() };
        let mut row = json!({ "id": id, "subtime": seconds(submit.0.saturating_sub(first)), "res": processors, "profile": profile });
        if let (Some(limit), Json::Object(row)) = (job.requested_time, &mut row) {
            row.insert("walltime".to_owned(), seconds(limit.0));
        }
        rows.push(row);
    }
    // A workload needs a platform on which each job fits.
    let resources = (jobs.cores.floor() as u64).max(most);
    let workload = json!({ "nb_res": resources, "jobs": rows, "profiles": profiles });
    writeln!(out, "{workload:#}")?;
    Ok(lost)
}

/// Seconds, without a fraction if there is none.
fn seconds(micros: i64) -> Json {
    if micros % 1_000_000 == 0 { json!(micros / 1_000_000) } else { json!(micros as f64 / 1e6) }
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros, Options, Trace,
        export::{Jobs, batsim},
        read::testing,
        sink::Collected,
    };

    /// What the format says of a job.
    type Said = (String, Option<Micros>, Option<Micros>, u32, Option<Micros>);

    fn said(rows: &Collected) -> Vec<Said> {
        let jobs = rows.jobs.iter().zip(&rows.tasks);
        jobs.map(|(job, task)| {
            (job.name.to_string(), job.submit, job.requested_time, task.instances, task.duration)
        })
        .collect()
    }

    #[test]
    fn a_workload_that_is_read_and_written_is_the_same() {
        let text = br#"{"nb_res": 8, "jobs": [
            {"id": "w0!1", "subtime": 0.5, "res": 4, "profile": "d", "walltime": 20},
            {"id": 7, "subtime": 3, "res": 8, "profile": "e"},
            {"id": 8, "subtime": 4, "res": 1, "profile": "f"}],
            "profiles": {"d": {"type": "DelayProfile", "delay": 10}, "e": {"type": "delay", "delay": 0.25},
                "f": {"type": "smpi", "trace": "x"}}}"#;
        let (_, before, _) = testing::read(&[("w.json", text)]);
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("w.json");
        std::fs::write(&path, text).expect("room for a small file");
        let mut jobs = Jobs::default();
        let trace = Trace::one(&path, None).expect("a workload");
        trace.read(&Options::default(), &mut jobs, &mut |_| true).expect("a workload");
        let mut out = Vec::new();
        let lost = batsim::write(&jobs, &mut out).expect("room in memory");
        let (format, after, _) = testing::read(&[("w.json", &out)]);
        assert_eq!((format, after.machines.len()), ("batsim", 8));
        assert_eq!(said(&after), said(&before)[..2]);
        assert_eq!(lost.all()["jobs whose submission, duration or size is not known"], 1);
    }
}
