//! Result files of one run and of an experiment. Every file is complete or not there.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::Path,
    time::Duration,
};

use mesos::resource::ResourceName;
use serde_json::json;

use super::{
    ExperimentError, faults_csv,
    prepare::Prepared,
    run::events_per_second,
    simulate::{Cell, Outcome, cell_path},
};
use crate::{
    framework::Figure,
    metric::{JobRow, Kind, Quantiles, Summary, Work},
    world::Ending,
};

/// What is to be written of one run.
pub(super) struct Run<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) cell: Cell,
    pub(super) outcome: &'a Outcome,
    pub(super) wall: Duration,
    pub(super) started: String,
}

/// One run's line in `summary.csv`.
#[derive(Debug)]
pub(super) struct RunFigures {
    policy: String,
    seed: u64,
    summary: Summary,
    work: Work,
    allocation_runs: u64,
    events: u64,
    hash: u64,
    /// What each framework measured of itself.
    applications: Vec<Vec<Figure>>,
}

/// Makes the results directory.
pub(super) fn create(directory: &Path) -> Result<(), ExperimentError> {
    fs::create_dir_all(directory).map_err(ExperimentError::writing(directory))?;
    let probe = directory.join(".writable");
    fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)).map_err(ExperimentError::writing(directory))
}

/// Takes the results directory away again, if nothing came to lie in it.
pub(super) fn remove_if_empty(directory: &Path) {
    let _ = fs::remove_dir(directory); // fails if it is not empty, and that is right
}

/// Writes all files of a run under a temporary name, then puts them in place of an earlier run of the same cell.
pub(super) fn write_run(run: &Run<'_>, directory: &Path) -> Result<RunFigures, ExperimentError> {
    let place = directory.join(cell_path(run.prepared, run.cell));
    let parent = place.parent().expect("a cell has two levels");
    let temporary = parent.join(format!(".seed={}.partial", run.cell.seed));
    let summary = run.outcome.metrics.summary(run.prepared.experiment.measure.tau.0);
    let written = remove_if_there(&temporary)
        .and_then(|()| fs::create_dir_all(&temporary))
        .and_then(|()| write_files(run, &summary, &temporary))
        .and_then(|()| remove_if_there(&place))
        .and_then(|()| fs::rename(&temporary, &place));
    if let Err(error) = written {
        let _ = fs::remove_dir_all(&temporary); // the first error is the one to tell
        return Err(ExperimentError::writing(place)(error));
    }
    let outcome = run.outcome;
    let runs = outcome.figures.iter().find(|figure| figure.metric == "allocator/mesos/allocation_runs");
    Ok(RunFigures {
        policy: run.prepared.experiment.policy[run.cell.policy].name.clone(),
        seed: run.cell.seed,
        summary,
        work: outcome.metrics.work().clone(),
        allocation_runs: runs.map_or(0, |figure| figure.last as u64),
        events: outcome.progress.events,
        hash: outcome.hash.value(),
        applications: outcome.applications.clone(),
    })
}

/// Writes `summary.csv`: one line for each complete run.
pub(super) fn write_summary(
    prepared: &Prepared,
    directory: &Path,
    runs: &[RunFigures],
) -> Result<(), ExperimentError> {
    let path = directory.join("summary.csv");
    replace(&path, |out| {
        let mut table = csv::Writer::from_writer(out);
        let resources: Vec<_> = prepared.cluster.total().known().map(|(name, _)| name).collect();
        table.write_record(summary_header(&resources))?;
        for run in runs {
            table.write_record(summary_line(run, &resources))?;
        }
        table.flush()
    })
    .map_err(ExperimentError::writing(path))
}

/// Writes `applications.csv`: what frameworks measured of themselves in each complete run; no file if they did not.
pub(super) fn write_applications(
    prepared: &Prepared,
    directory: &Path,
    runs: &[RunFigures],
) -> Result<(), ExperimentError> {
    let path = directory.join("applications.csv");
    if runs.iter().flat_map(|run| &run.applications).all(Vec::is_empty) {
        let removed = fs::remove_file(&path); // of an earlier version of the experiment
        return match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ExperimentError::writing(path)(error))
            }
            Ok(()) | Err(_) => Ok(()),
        };
    }
    replace(&path, |out| {
        let mut table = csv::Writer::from_writer(out);
        table.write_record(["policy", "seed", "framework", "kind", "metric", "value", "unit", "about"])?;
        for run in runs {
            for (framework, figures) in prepared.experiment.framework.iter().zip(&run.applications) {
                for Figure { metric, value, unit, about } in figures {
                    let (seed, value) = (run.seed.to_string(), value.to_string());
                    let whose = [&run.policy, &seed, &framework.name, &framework.kind].map(String::as_str);
                    table.write_record(whose.into_iter().chain([metric.as_str(), &value, unit, about]))?;
                }
            }
        }
        table.flush()
    })
    .map_err(ExperimentError::writing(path))
}

fn summary_header(resources: &[ResourceName]) -> Vec<String> {
    let mut header: Vec<String> = [
        "policy",
        "seed",
        "jobs",
        "finished",
        "failed",
        "unfinished",
        "never_placed",
        "rejected",
        "waiting_mean",
        "waiting_p50",
        "waiting_p90",
        "waiting_p99",
        "waiting_max",
        "turnaround_mean",
        "turnaround_p50",
        "turnaround_p90",
        "turnaround_p99",
        "bounded_slowdown_mean",
        "bounded_slowdown_p99",
        "tau",
        "makespan",
    ]
    .map(str::to_owned)
    .to_vec();
    for name in resources {
        header.extend(["allocated", "offered", "used"].map(|kind| format!("{kind}_{name}")));
    }
    let last = [
        "offers_sent",
        "offers_accepted",
        "offers_declined",
        "offers_rescinded",
        "allocation_runs",
        "events",
        "record_hash",
        "goodput_cpu_seconds",
        "wasted_cpu_seconds",
        "wasted_share",
        "attempts",
        "master_failovers",
        "mean_time_to_recovery_s",
    ];
    header.extend(last.map(str::to_owned));
    header
}

fn summary_line(run: &RunFigures, resources: &[ResourceName]) -> Vec<String> {
    let s = &run.summary;
    let Quantiles { mean, p50, p90, p99, max } = s.waiting;
    let mut line = vec![run.policy.clone(), run.seed.to_string()];
    line.extend(
        [s.jobs, s.finished, s.failed, s.unfinished, s.never_placed, s.rejected]
            .map(|count| count.to_string()),
    );
    let turnaround = [s.turnaround.mean, s.turnaround.p50, s.turnaround.p90, s.turnaround.p99];
    let slowdown = [s.bounded_slowdown.mean, s.bounded_slowdown.p99];
    line.extend([mean, p50, p90, p99, max].into_iter().chain(turnaround).chain(slowdown).map(maybe));
    line.extend([s.tau.to_string(), maybe(s.makespan)]);
    for name in resources {
        let share = s.shares.iter().find(|(of, _)| of == name);
        let [offered, allocated, used] = share.map_or([0.0; 3], |(_, shares)| *shares); // none has registered yet
        line.extend([allocated, offered, used].map(|share: f64| share.to_string()));
    }
    line.extend(
        [s.offers.sent, s.offers.accepted, s.offers.declined, s.offers.rescinded]
            .map(|count| count.to_string()),
    );
    line.extend([run.allocation_runs.to_string(), run.events.to_string(), format!("{:016x}", run.hash)]);
    line.extend(work_cells(&run.work));
    line
}

fn work_cells(work: &Work) -> [String; 6] {
    let (good, all) = (work.goodput(), || work.wasted().values());
    let wasted = all().map(|taken| taken.cpu_seconds).fold(0.0, |sum, next| sum + next); // a sum of nothing is -0
    let total = good.cpu_seconds + wasted;
    [
        good.cpu_seconds.to_string(),
        wasted.to_string(),
        maybe((total > 0.0).then(|| wasted / total)),
        (good.attempts + all().map(|taken| taken.attempts).sum::<u64>()).to_string(),
        work.failovers().to_string(),
        maybe(work.mean_time_to_recovery()),
    ]
}

pub(super) fn maybe(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn write_files(run: &Run<'_>, summary: &Summary, directory: &Path) -> io::Result<()> {
    let mut files = vec!["jobs.csv", "timeline.csv", "allocator.csv"];
    write_jobs(run, &directory.join("jobs.csv"))?;
    write_timeline(run, &directory.join("timeline.csv"))?;
    write_allocator(run, &directory.join("allocator.csv"))?;
    files.extend(faults_csv::write(run, directory)?);
    #[cfg(feature = "parquet")]
    {
        write_apart(|| super::tasks_parquet::write(run, &directory.join("tasks.parquet")))?;
        files.push("tasks.parquet");
    }
    files.push("manifest.json");
    let manifest = serde_json::to_string_pretty(&manifest(run, summary, &files)).map_err(io::Error::other)?;
    fs::write(directory.join("manifest.json"), manifest + "\n")
}

/// On a thread of its own: polars waits for a thread pool of its own, and a rayon worker that waits for another pool passes
/// the time with the next cell, inside this one.
#[cfg(feature = "parquet")]
fn write_apart(write: impl FnOnce() -> io::Result<()> + Send) -> io::Result<()> {
    std::thread::scope(|scope| scope.spawn(write).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn write_jobs(run: &Run<'_>, path: &Path) -> io::Result<()> {
    let mut table = csv::Writer::from_path(path)?;
    table.write_record([
        "job_id",
        "framework",
        "role",
        "job_class",
        "tasks",
        "submission_time",
        "starting_time",
        "finish_time",
        "waiting_time",
        "turnaround_time",
        "execution_time",
        "stretch",
        "bounded_slowdown",
        "success",
        "final_state",
        "requested_runtime",
        "cpus",
        "mem_mib",
        "gpus",
        "attempts",
    ])?;
    for job in run.outcome.metrics.jobs().all() {
        table.write_record(job_line(run, job))?;
    }
    table.flush()
}

fn job_line(run: &Run<'_>, job: &JobRow) -> [String; 20] {
    let framework = &run.prepared.experiment.framework[job.framework as usize];
    let tau = run.prepared.experiment.measure.tau.0;
    let state = job.final_state();
    let amount = |name| job.demand.get(name).to_string();
    [
        job.name.to_string(),
        framework.name.clone(),
        framework.role.clone(),
        job.class.to_string(),
        job.tasks.to_string(),
        job.submission.to_string(),
        maybe(job.starting_time()),
        maybe(job.finish_time()),
        maybe(job.waiting_time()),
        maybe(job.turnaround_time()),
        maybe(job.execution_time()),
        maybe(job.stretch()),
        maybe(job.bounded_slowdown(tau)),
        u8::from(state == crate::metric::FinalState::Completed).to_string(),
        state.as_str().to_owned(),
        job.requested_runtime.to_string(),
        amount(ResourceName::Cpus),
        amount(ResourceName::Mem),
        amount(ResourceName::Gpus),
        job.attempts.to_string(),
    ]
}

fn write_timeline(run: &Run<'_>, path: &Path) -> io::Result<()> {
    let timeline = run.outcome.metrics.timeline();
    let mut table = csv::Writer::from_path(path)?;
    table.write_record([
        "time",
        "resource",
        "role",
        "total",
        "offered",
        "allocated",
        "used",
        "tasks_running",
        "agents_registered",
    ])?;
    let mut roles = vec![("(all)", None)];
    for (place, framework) in run.prepared.experiment.framework.iter().enumerate() {
        let role = run.outcome.metrics.role(place);
        if role.is_some() && !roles.iter().any(|(_, known)| *known == role) {
            roles.push((framework.role.as_str(), role));
        }
    }
    for (name, _) in timeline.total().known() {
        for &(role_name, role) in &roles {
            let mut whole = timeline.capacity_bins(name).zip(timeline.agent_bins());
            for (start, bin) in timeline.bins(role) {
                let (total, agents) = whole.next().filter(|_| role.is_none()).unzip();
                let [offered, allocated, used] =
                    [Kind::Offered, Kind::Allocated, Kind::Used].map(|kind| bin.mean(kind, name).to_string());
                let (time, name, tasks) = (start.to_string(), name.as_str(), bin.tasks_running().to_string());
                let (total, agents) = (maybe(total), maybe(agents));
                table.write_record([
                    &time, name, role_name, &total, &offered, &allocated, &used, &tasks, &agents,
                ])?;
            }
        }
    }
    table.flush()
}

fn write_allocator(run: &Run<'_>, path: &Path) -> io::Result<()> {
    let mut table = csv::Writer::from_path(path)?;
    table.write_record(["metric", "final", "mean", "max"])?;
    for figure in &run.outcome.figures {
        let (mean, max) = figure.mean_and_max.unzip();
        table.write_record([&figure.metric, &figure.last.to_string(), &maybe(mean), &maybe(max)])?;
    }
    table.flush()
}

fn manifest(run: &Run<'_>, summary: &Summary, files: &[&str]) -> serde_json::Value {
    let (prepared, outcome) = (run.prepared, run.outcome);
    let experiment = &prepared.experiment;
    json!({
        "experiment": experiment.name,
        "about": experiment.about,
        "policy": experiment.policy[run.cell.policy].name,
        "seed": run.cell.seed,
        "config": experiment,
        "trace": prepared.facts,
        "cluster": { "machines": prepared.cluster.machines().len(), "total": prepared.cluster.total().to_string() },
        "warnings": warnings(run, summary),
        "jobs": {
            "total": summary.jobs, "finished": summary.finished, "failed": summary.failed,
            "unfinished": summary.unfinished, "never_placed": summary.never_placed, "rejected": summary.rejected,
        },
        "record_hash": format!("{:016x}", outcome.hash.value()),
        "records": outcome.hash.records(),
        "events": outcome.progress.events,
        "simulated_seconds": outcome.end.as_secs_f64(),
        "bin_seconds": outcome.metrics.timeline().width().as_secs_f64(),
        "tau_seconds": experiment.measure.tau.0.as_secs_f64(),
        "files": files,
        "mesosim_version": env!("CARGO_PKG_VERSION"),
        "git_commit": option_env!("MESOSIM_GIT_COMMIT"),
        "features": features(),
        "started": run.started,
        "wall_seconds": run.wall.as_secs_f64(),
        "events_per_second": events_per_second(outcome.progress, run.wall),
        "peak_memory_bytes": peak_memory(),
    })
}

fn features() -> Vec<&'static str> {
    if cfg!(feature = "parquet") { vec!["parquet"] } else { Vec::new() }
}

fn warnings(run: &Run<'_>, summary: &Summary) -> Vec<String> {
    let mut warnings = run.prepared.warnings.clone();
    let (planned, _) = run.prepared.jobs_and_last_arrival();
    let absent = (planned as usize).saturating_sub(summary.jobs);
    if absent > 0 {
        let arrived = summary.jobs;
        warnings.push(format!(
            "{absent} jobs had not arrived when the run ended; only the {arrived} others are counted"
        ));
    }
    let mut tell = |count: usize, what: &str| {
        if count > 0 {
            warnings.push(format!("{count} of {} jobs {what}", summary.jobs));
        }
    };
    tell(
        summary.rejected,
        "fit no machine that their framework may be offered, not even an empty one, and were rejected",
    );
    tell(summary.never_placed, "were never started, though an empty machine would have had room");
    tell(summary.unfinished, "were not over when the run ended; they are missing in turnaround times");
    if run.outcome.ending == Ending::Stalled && summary.never_placed > 0 {
        warnings.push(
            "the run was ended because no job was to come, no task ran and nothing was started any more"
                .into(),
        );
    }
    if run.outcome.ending == Ending::TimeIsUp {
        warnings.push(format!("the run was stopped at `until`, {} s, before all was over", run.outcome.end));
    }
    let left_out = run.outcome.metrics.incidents().left_out();
    if left_out > 0 {
        warnings.push(format!("faults.csv ends before the run: {left_out} later lines were left out"));
    }
    if !cfg!(feature = "parquet") {
        warnings.push(
            "this program was built without the feature `parquet`: tasks.parquet was not written".into(),
        );
    }
    warnings
}

/// The largest resident memory of this process so far, where the system tells (Linux).
#[must_use]
pub fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a file under a temporary name and renames it.
fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut unfinished = tempfile::Builder::new();
    #[cfg(unix)]
    unfinished.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less what the umask takes away
    let directory =
        path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut out = BufWriter::new(unfinished.prefix(".unfinished-").tempfile_in(directory)?);
    write(&mut out)?;
    out.into_inner()?.persist(path)?;
    Ok(())
}
