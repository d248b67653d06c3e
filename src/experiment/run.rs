//! Runs the cells of an experiment, side by side on as many threads as there are, and writes what each gives.
//!
//! One run is one thread, so results depend on the cell alone. A run appears in the results directory when it is
//! complete: it is written under a temporary name and renamed.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rayon::prelude::*;

use super::{
    ExperimentError,
    prepare::Prepared,
    simulate::{Cell, cell_path},
    store::{self, RunFigures},
};
use crate::world::{Ending, Progress};

/// Hears how the runs get on. Called from many threads.
pub trait Watcher: Sync {
    /// A run begins.
    fn started(&self, cell: Cell);
    /// A run is on its way.
    fn progress(&self, cell: Cell, progress: Progress);
    /// A run is over and written.
    fn finished(&self, cell: Cell, done: &Done);
}

/// A run that is over and written.
#[derive(Clone, Debug)]
pub struct Done {
    /// Where its files are.
    pub directory: PathBuf,
    /// How far it got: events, and the end of simulated time.
    pub progress: Progress,
    /// How long it took.
    pub wall: Duration,
    /// Its record hash.
    pub hash: u64,
}

/// What became of an experiment.
#[derive(Debug)]
pub struct Report {
    /// The results directory.
    pub directory: PathBuf,
    /// Runs that are complete, in the order of the cells.
    pub done: Vec<(Cell, Done)>,
    /// Whether somebody asked to stop before all were.
    pub interrupted: bool,
}

/// Runs all cells on `threads` threads (0: one for each processor) and writes their results under `directory`, then
/// `summary.csv` over those that are complete. When `stop` is set, runs under way are given up without a trace; those that
/// are complete stay.
///
/// # Errors
/// Something could not be written.
pub fn run(
    prepared: &Prepared,
    directory: &Path,
    threads: usize,
    stop: &AtomicBool,
    watcher: &dyn Watcher,
) -> Result<Report, ExperimentError> {
    store::create(directory)?;
    let cells = prepared.cells();
    let threads = threads.min(cells.len()); // 0 stays 0
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| ExperimentError::writing(directory)(std::io::Error::other(error)))?;
    let results = Mutex::new(Vec::new());
    let failed: Result<(), ExperimentError> = pool.install(|| {
        cells.par_iter().enumerate().try_for_each(|(place, &cell)| {
            if let Some(finished) = run_cell(prepared, directory, cell, stop, watcher)? {
                results.lock().expect("a run panicked").push((place, finished));
            }
            Ok(())
        })
    });
    let mut results = results.into_inner().expect("a run panicked");
    results.sort_by_key(|(place, _)| *place);
    if results.is_empty() {
        store::remove_if_empty(directory);
    }
    failed?;
    let (done, figures): (Vec<_>, Vec<_>) =
        results.into_iter().map(|(_, (cell, done, figures))| ((cell, done), figures)).unzip();
    if !figures.is_empty() {
        store::write_summary(prepared, directory, &figures)?;
        store::write_applications(prepared, directory, &figures)?;
    }
    let interrupted = stop.load(Ordering::Relaxed) && done.len() < cells.len();
    Ok(Report { directory: directory.into(), done, interrupted })
}

type Finished = (Cell, Done, RunFigures);

fn run_cell(
    prepared: &Prepared,
    directory: &Path,
    cell: Cell,
    stop: &AtomicBool,
    watcher: &dyn Watcher,
) -> Result<Option<Finished>, ExperimentError> {
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    watcher.started(cell);
    let (began, started) = (Instant::now(), now_as_text());
    let outcome = prepared.simulate(cell, stop, &mut |progress| watcher.progress(cell, progress));
    if outcome.ending == Ending::Interrupted {
        return Ok(None);
    }
    let wall = began.elapsed();
    let run = store::Run { prepared, cell, outcome: &outcome, wall, started };
    let figures = store::write_run(&run, directory)?;
    let hash = outcome.hash.value();
    let progress = Progress { now: outcome.end, ..outcome.progress };
    let done = Done { directory: directory.join(cell_path(prepared, cell)), progress, wall, hash };
    watcher.finished(cell, &done);
    Ok(Some((cell, done, figures)))
}

/// The time of day, for the manifest alone.
fn now_as_text() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Events of simulated time per second of real time.
#[must_use]
pub fn events_per_second(progress: Progress, wall: Duration) -> f64 {
    progress.events as f64 / wall.as_secs_f64().max(1e-9)
}
