//! What faults did to a run: `work.csv`, and, if there was anything of the kind, `faults.csv` and `recovery.csv`.

use std::{io, path::Path};

use super::{
    prepare::Prepared,
    store::{Run, maybe},
};
use crate::metric::{Event, Incident, Taken};

/// Writes the files and says which.
pub(super) fn write(run: &Run<'_>, directory: &Path) -> io::Result<Vec<&'static str>> {
    let metrics = &run.outcome.metrics;
    let mut files = vec!["work.csv"];
    write_work(run, &directory.join("work.csv"))?;
    if !metrics.incidents().all().is_empty() {
        write_faults(run, &directory.join("faults.csv"))?;
        files.push("faults.csv");
    }
    if !metrics.failovers().is_empty() {
        write_recovery(run, &directory.join("recovery.csv"))?;
        files.push("recovery.csv");
    }
    Ok(files)
}

fn write_work(run: &Run<'_>, path: &Path) -> io::Result<()> {
    let mut table = csv::Writer::from_path(path)?;
    table.write_record(["cause", "attempts", "seconds", "cpu_seconds", "gpu_seconds", "mem_seconds"])?;
    let work = run.outcome.metrics.work();
    table.write_record(work_line("goodput".to_owned(), work.goodput()))?;
    for (why, taken) in work.wasted() {
        table.write_record(work_line(run.prepared.cause_name(*why), taken))?;
    }
    table.flush()
}

fn work_line(cause: String, taken: &Taken) -> [String; 6] {
    let amounts = [taken.seconds, taken.cpu_seconds, taken.gpu_seconds, taken.mem_seconds];
    let [seconds, cpu, gpu, mem] = amounts.map(|amount| amount.to_string());
    [cause, taken.attempts.to_string(), seconds, cpu, gpu, mem]
}

fn write_faults(run: &Run<'_>, path: &Path) -> io::Result<()> {
    let mut table = csv::Writer::from_path(path)?;
    table.write_record(["time_s", "event", "fault", "machines", "what", "after_s"])?;
    for incident in run.outcome.metrics.incidents().all() {
        table.write_record(fault_line(run.prepared, incident))?;
    }
    table.flush()
}

fn fault_line(prepared: &Prepared, incident: &Incident) -> [String; 6] {
    let at = incident.at.to_string();
    let of_master = |event: &str, after: String| {
        [at.clone(), event.to_owned(), String::new(), String::new(), String::new(), after]
    };
    match &incident.event {
        Event::Fault { cause, name, detail, machines } => {
            let hostname = |machine| prepared.cluster.machine(machine).hostname.clone();
            let which = machines.map(|(count, first, last)| match count {
                1 => hostname(first),
                _ => format!("{} to {}", hostname(first), hostname(last)),
            });
            let what: Vec<String> =
                which.into_iter().chain((!detail.is_empty()).then(|| detail.clone())).collect();
            let count = maybe(machines.map(|(count, ..)| count));
            [at, (*name).to_owned(), prepared.fault_name(*cause), count, what.join(", "), String::new()]
        }
        Event::MasterFailed => of_master("master-failed", String::new()),
        Event::MasterElected => of_master("master-elected", String::new()),
        Event::MasterRecovered { after } => of_master("master-recovered", after.to_string()),
    }
}

fn write_recovery(run: &Run<'_>, path: &Path) -> io::Result<()> {
    let mut table = csv::Writer::from_path(path)?;
    table.write_record([
        "failover",
        "failed_at_s",
        "since_s",
        "agents_known",
        "frameworks_known",
        "agents_before",
        "frameworks_before",
    ])?;
    for (number, failover) in run.outcome.metrics.failovers().iter().enumerate() {
        for known in failover.points() {
            table.write_record([
                (number + 1).to_string(),
                failover.at.to_string(),
                known.since.to_string(),
                known.agents.to_string(),
                known.frameworks.to_string(),
                failover.before.agents.to_string(),
                failover.before.frameworks.to_string(),
            ])?;
        }
    }
    table.flush()
}
