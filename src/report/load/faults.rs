//! `work.csv` and `recovery.csv` of one run: what faults cost. Runs of older versions, and runs whose master never died,
//! lack them.

use std::path::Path;

use super::sheet::Sheet;
use crate::report::error::ReportError;

/// The row of `work.csv` that is no waste.
const GOODPUT: &str = "goodput";

/// What attempts at tasks took that ended alike.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Taken {
    /// Why they were in vain.
    pub(in crate::report) cause: String,
    /// How many.
    pub(in crate::report) attempts: u64,
    /// CPUs times seconds.
    pub(in crate::report) cpu_seconds: f64,
}

/// A run's work: what counted, and what was in vain.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct Work {
    /// What counted, in CPUs times seconds.
    pub(in crate::report) goodput: f64,
    /// What did not, by cause, in the order of the file.
    pub(in crate::report) wasted: Vec<Taken>,
}

impl Work {
    /// All that was in vain, in CPUs times seconds.
    pub(in crate::report) fn wasted_cpu_seconds(&self) -> f64 {
        self.wasted.iter().map(|taken| taken.cpu_seconds).fold(0.0, |sum, next| sum + next)
    }
}

/// How a new master got to know everybody again.
#[derive(Debug, Clone)]
pub(in crate::report) struct Failover {
    /// Its number in the run, from 1.
    number: u64,
    /// Agents that the old master knew.
    before: f64,
    /// Seconds since the old one died, and the agents that are known from then on.
    points: Vec<(f64, f64)>,
}

impl Failover {
    /// Seconds since the old master died, and the share of its agents that are known from then on (0 to 1).
    pub(in crate::report) fn shares(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let share = |agents: f64| if self.before > 0.0 { (agents / self.before).min(1.0) } else { 1.0 };
        self.points.iter().map(move |&(since, agents)| (since, share(agents)))
    }

    /// When the last change came, in seconds since the old master died.
    pub(in crate::report) fn last(&self) -> f64 {
        self.points.last().map_or(0.0, |&(since, _)| since)
    }
}

/// Reads `work.csv`, if there is one.
pub(super) fn read_work(path: &Path) -> Result<Work, ReportError> {
    let mut work = Work::default();
    if !path.exists() {
        return Ok(work);
    }
    let mut sheet = Sheet::open(path, "the work of a run by cause")?;
    let [cause, attempts, cpus] =
        [sheet.column("cause")?, sheet.column("attempts")?, sheet.column("cpu_seconds")?];
    while let Some(row) = sheet.next_row()? {
        let (cause, attempts) = (row.text(&cause).to_owned(), row.count(&attempts)?);
        let cpu_seconds = row.number(&cpus)?;
        if cause == GOODPUT {
            work.goodput = cpu_seconds;
        } else {
            work.wasted.push(Taken { cause, attempts, cpu_seconds });
        }
    }
    Ok(work)
}

/// Reads `recovery.csv`, if there is one.
pub(super) fn read_failovers(path: &Path) -> Result<Vec<Failover>, ReportError> {
    let mut failovers: Vec<Failover> = Vec::new();
    if !path.exists() {
        return Ok(failovers);
    }
    let mut sheet = Sheet::open(path, "the recoveries of a run's masters")?;
    let [number, since, known, before] =
        ["failover", "since_s", "agents_known", "agents_before"].map(|name| sheet.column(name));
    let (number, since, known, before) = (number?, since?, known?, before?);
    while let Some(row) = sheet.next_row()? {
        let (failover, point) = (row.count(&number)?, (row.number(&since)?, row.number(&known)?));
        match failovers.last_mut().filter(|last| last.number == failover) {
            Some(last) if last.last() > point.0 => {
                return Err(row.wrong(&since, "a time not before that of the line above"));
            }
            Some(last) => last.points.push(point),
            None => {
                let before = row.number(&before)?;
                failovers.push(Failover { number: failover, before, points: vec![point] });
            }
        }
    }
    Ok(failovers)
}
