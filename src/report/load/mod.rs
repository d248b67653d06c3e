//! Reading a directory of results. `summary.csv` says which runs belong to it; each run's files are then read.

mod applications;
mod faults;
mod jobs;
mod manifest;
mod sheet;
mod summary;
mod timeline;

use std::fs;
use std::path::Path;

pub use applications::ApplicationFigure;
pub(super) use faults::{Failover, Taken, Work};
pub(super) use jobs::Jobs;
pub(super) use manifest::Manifest;
pub use summary::{JobCounts, OfferCounts, ResourceShares, Spread, SummaryRow, WorkFigures};
pub(super) use timeline::{Bin, Series, Timeline, WHOLE_CLUSTER};

use super::error::ReportError;

/// All results of one experiment.
#[derive(Debug)]
pub(super) struct Results {
    /// The policies, in the order of `summary.csv`.
    pub(super) policies: Vec<String>,
    /// The runs, in the order of `summary.csv`.
    pub(super) runs: Vec<Run>,
    /// What does not fit together, in sentences.
    pub(super) notes: Vec<String>,
}

/// One run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) summary: SummaryRow,
    pub(super) manifest: Manifest,
    pub(super) jobs: Jobs,
    pub(super) timeline: Timeline,
    /// What was worth the while, and what was in vain.
    pub(super) work: Work,
    /// How new masters got to know everybody again.
    pub(super) failovers: Vec<Failover>,
    /// The run's directory below the results' directory, with `/`.
    pub(super) place: String,
    /// The names of the run's files.
    pub(super) files: Vec<String>,
}

impl Results {
    /// The runs of a policy, in the order of `summary.csv`.
    pub(super) fn of<'a>(&'a self, policy: &str) -> Vec<&'a Run> {
        self.runs.iter().filter(|run| run.summary.policy == policy).collect()
    }

    /// The resources of the timelines, in the order in which they are first named.
    pub(super) fn resources(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for series in self.runs.iter().flat_map(|run| &run.timeline.series) {
            if series.role == WHOLE_CLUSTER && !names.contains(&series.resource) {
                names.push(series.resource.clone());
            }
        }
        names
    }

    /// What frameworks measured of themselves, each once, in the order in which it is first named; of one run that has it.
    pub(super) fn applications(&self) -> Vec<&ApplicationFigure> {
        let mut figures: Vec<&ApplicationFigure> = Vec::new();
        for figure in self.runs.iter().flat_map(|run| &run.summary.applications) {
            if !figures.iter().any(|known| known.is_like(figure)) {
                figures.push(figure);
            }
        }
        figures
    }

    /// Why work was in vain, in the order in which reasons are first named.
    pub(super) fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        for Taken { cause, .. } in self.runs.iter().flat_map(|run| &run.work.wasted) {
            if !causes.contains(cause) {
                causes.push(cause.clone());
            }
        }
        causes
    }
}

/// Reads what is said of all runs in `dir` together.
pub(super) fn read_rows(dir: &Path) -> Result<Vec<SummaryRow>, ReportError> {
    let mut rows = summary::read(&dir.join("summary.csv"))?;
    applications::read(&dir.join("applications.csv"), &mut rows)?;
    Ok(rows)
}

/// Reads the results in `dir`.
pub(super) fn read(dir: &Path) -> Result<Results, ReportError> {
    let rows = read_rows(dir)?;
    let mut policies: Vec<String> = Vec::new();
    for row in &rows {
        if !policies.contains(&row.policy) {
            policies.push(row.policy.clone());
        }
    }
    let runs: Vec<Run> = rows.into_iter().map(|row| read_run(dir, row)).collect::<Result<_, _>>()?;
    let mut notes: Vec<String> = runs.iter().filter_map(disagreement).collect();
    notes.extend(strangers(dir, &runs)?);
    Ok(Results { policies, runs, notes })
}

fn read_run(dir: &Path, summary: SummaryRow) -> Result<Run, ReportError> {
    let place = format!("policy={}/seed={}", summary.policy, summary.seed);
    let at = dir.join(&place);
    let manifest = manifest::read(&at.join("manifest.json"))?;
    let jobs = jobs::read(&at.join("jobs.csv"))?;
    let timeline =
        timeline::read(&at.join("timeline.csv"), manifest.bin_seconds, manifest.simulated_seconds)?;
    let work = faults::read_work(&at.join("work.csv"))?;
    let failovers = faults::read_failovers(&at.join("recovery.csv"))?;
    let files = file_names(&at)?;
    Ok(Run { summary, manifest, jobs, timeline, work, failovers, place, files })
}

/// The files of a run's directory that are not hidden, in the order of their names.
fn file_names(at: &Path) -> Result<Vec<String>, ReportError> {
    let mut names = names_in(at)?;
    names.retain(|name| !name.starts_with('.') && at.join(name).is_file());
    Ok(names)
}

fn names_in(at: &Path) -> Result<Vec<String>, ReportError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(at).map_err(ReportError::read(at, "a directory of results"))? {
        let entry = entry.map_err(ReportError::read(at, "a directory of results"))?;
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// What a run's files say differently from each other.
fn disagreement(run: &Run) -> Option<String> {
    let (summary, manifest) = (&run.summary, &run.manifest);
    if manifest.policy != summary.policy || manifest.seed != summary.seed {
        return Some(format!(
            "{}: the manifest speaks of policy `{}`, seed {}.",
            run.place, manifest.policy, manifest.seed
        ));
    }
    (run.jobs.counts != summary.jobs).then(|| {
        format!(
            "{}: summary.csv counts {} jobs and jobs.csv {}, or they ended differently; the figures follow jobs.csv.",
            run.place, summary.jobs.total, run.jobs.counts.total
        )
    })
}

/// Directories that look like runs and that `summary.csv` does not name.
fn strangers(dir: &Path, runs: &[Run]) -> Result<Vec<String>, ReportError> {
    let mut notes = Vec::new();
    for policy in names_in(dir)?.iter().filter(|name| name.starts_with("policy=")) {
        for seed in names_in(&dir.join(policy)).unwrap_or_default() {
            let place = format!("{policy}/{seed}");
            if seed.starts_with("seed=") && runs.iter().all(|run| run.place != place) {
                notes.push(format!(
                    "{place} is in the directory, not in summary.csv, and so not in this report."
                ));
            }
        }
    }
    Ok(notes)
}
