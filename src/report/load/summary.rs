//! `summary.csv`: one row per run, and the list of the runs that belong to the results.

use std::path::Path;

use super::{
    applications::ApplicationFigure,
    sheet::{Column, Row, Sheet},
};
use crate::report::error::ReportError;

/// What `summary.csv` says of one run. Times are in seconds; a quantity that does not exist is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryRow {
    /// The policy's name.
    pub policy: String,
    /// The seed.
    pub seed: u64,
    /// How the run's jobs ended.
    pub jobs: JobCounts,
    /// Waiting time over the jobs that started.
    pub waiting: Spread,
    /// Turnaround time over the jobs that finished.
    pub turnaround: Spread,
    /// Bounded slowdown over the jobs that finished (a ratio, no unit).
    pub bounded_slowdown: Spread,
    /// The bound of the bounded slowdown.
    pub tau: Option<f64>,
    /// From the first submission to the last finish.
    pub makespan: Option<f64>,
    /// Shares of capacity, in the order of the columns.
    pub shares: Vec<ResourceShares>,
    /// What became of offers.
    pub offers: OfferCounts,
    /// How often the allocator ran.
    pub allocation_runs: Option<f64>,
    /// What faults cost.
    pub work: WorkFigures,
    /// What frameworks measured of themselves (`applications.csv`).
    pub applications: Vec<ApplicationFigure>,
}

/// What faults cost a run. Files of older versions do not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WorkFigures {
    /// CPUs times seconds of the attempts that counted.
    pub goodput_cpu_seconds: Option<f64>,
    /// CPUs times seconds of those that did not.
    pub wasted_cpu_seconds: Option<f64>,
    /// The share of the latter in all, 0 to 1.
    pub wasted_share: Option<f64>,
    /// Attempts at tasks that ended.
    pub attempts: Option<f64>,
    /// Masters that died.
    pub master_failovers: Option<f64>,
    /// Mean time from the death of a master until the next knew everybody again, in seconds.
    pub mean_time_to_recovery: Option<f64>,
}

impl WorkFigures {
    /// Whether anything was in vain, or a master died.
    #[must_use]
    pub fn has_trouble(&self) -> bool {
        [self.wasted_cpu_seconds, self.master_failovers].into_iter().flatten().any(|value| value > 0.0)
    }
}

/// How jobs ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// All jobs that were submitted.
    pub total: u64,
    /// Ended well.
    pub finished: u64,
    /// Ended badly.
    pub failed: u64,
    /// Started, and not over when the run ended.
    pub unfinished: u64,
    /// Could have fitted and never started.
    pub never_placed: u64,
    /// Fit no agent of the cluster.
    pub rejected: u64,
}

/// Mean and quantiles (nearest rank). Columns that the file leaves out are `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spread {
    /// The arithmetic mean.
    pub mean: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// The 90th percentile.
    pub p90: Option<f64>,
    /// The 99th percentile.
    pub p99: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
}

/// Shares of one resource's capacity, time-weighted, 0 to 1: from the first arrival to the last end, or to the end of
/// the run if jobs are not over.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceShares {
    /// The resource.
    pub resource: String,
    /// Promised to tasks.
    pub allocated: Option<f64>,
    /// Out in offers.
    pub offered: Option<f64>,
    /// Consumed by tasks.
    pub used: Option<f64>,
}

/// What became of offers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OfferCounts {
    /// Sent to frameworks.
    pub sent: Option<f64>,
    /// Accepted by them.
    pub accepted: Option<f64>,
    /// Declined by them.
    pub declined: Option<f64>,
    /// Taken back by the master.
    pub rescinded: Option<f64>,
}

/// Reads `summary.csv`; it has at least one row.
pub(in crate::report) fn read(path: &Path) -> Result<Vec<SummaryRow>, ReportError> {
    let mut sheet = Sheet::open(path, "the summary over the runs")?;
    let columns = Columns::find(&sheet)?;
    let mut rows: Vec<SummaryRow> = Vec::new();
    while let Some(row) = sheet.next_row()? {
        let read = columns.read(&row)?;
        if rows.iter().any(|have| have.policy == read.policy && have.seed == read.seed) {
            let twice = format!("each run once, found policy `{}` seed {} again", read.policy, read.seed);
            return Err(row.row_wrong(twice));
        }
        rows.push(read);
    }
    if rows.is_empty() {
        return Err(ReportError::Empty { path: path.to_path_buf(), expected: "a row for each run" });
    }
    Ok(rows)
}

struct Columns {
    policy: Column,
    seed: Column,
    counts: [Column; 6],
    waiting: [Option<Column>; 5],
    turnaround: [Option<Column>; 5],
    bounded_slowdown: [Option<Column>; 5],
    tau: Option<Column>,
    makespan: Option<Column>,
    shares: Vec<(String, [Option<Column>; 3])>,
    offers: [Option<Column>; 4],
    allocation_runs: Option<Column>,
    work: [Option<Column>; 6],
}

impl Columns {
    fn find(sheet: &Sheet) -> Result<Columns, ReportError> {
        let spread = |of: &str| {
            ["mean", "p50", "p90", "p99", "max"].map(|which| sheet.optional(&format!("{of}_{which}")))
        };
        sheet.column("waiting_mean")?;
        sheet.column("turnaround_mean")?;
        let resources = sheet.header().iter().filter_map(|name| name.strip_prefix("allocated_"));
        let share = |resource: &str| {
            let columns =
                ["allocated", "offered", "used"].map(|what| sheet.optional(&format!("{what}_{resource}")));
            (resource.to_owned(), columns)
        };
        Ok(Columns {
            policy: sheet.column("policy")?,
            seed: sheet.column("seed")?,
            counts: [
                sheet.column("jobs")?,
                sheet.column("finished")?,
                sheet.column("failed")?,
                sheet.column("unfinished")?,
                sheet.column("never_placed")?,
                sheet.column("rejected")?,
            ],
            waiting: spread("waiting"),
            turnaround: spread("turnaround"),
            bounded_slowdown: spread("bounded_slowdown"),
            tau: sheet.optional("tau"),
            makespan: sheet.optional("makespan"),
            shares: resources.map(share).collect(),
            offers: ["sent", "accepted", "declined", "rescinded"]
                .map(|what| sheet.optional(&format!("offers_{what}"))),
            allocation_runs: sheet.optional("allocation_runs"),
            work: [
                "goodput_cpu_seconds",
                "wasted_cpu_seconds",
                "wasted_share",
                "attempts",
                "master_failovers",
                "mean_time_to_recovery_s",
            ]
            .map(|name| sheet.optional(name)),
        })
    }

    fn read(&self, row: &Row<'_>) -> Result<SummaryRow, ReportError> {
        let policy = row.text(&self.policy);
        if policy.is_empty() || policy.contains(['/', '\\']) {
            return Err(row.wrong(&self.policy, "the name of a policy, which is part of a directory's name"));
        }
        let [total, finished, failed, unfinished, never_placed, rejected] = &self.counts;
        let [sent, accepted, declined, rescinded] = &self.offers;
        Ok(SummaryRow {
            policy: policy.to_owned(),
            seed: row.count(&self.seed)?,
            jobs: JobCounts {
                total: row.count(total)?,
                finished: row.count(finished)?,
                failed: row.count(failed)?,
                unfinished: row.count(unfinished)?,
                never_placed: row.count(never_placed)?,
                rejected: row.count(rejected)?,
            },
            waiting: spread(row, &self.waiting)?,
            turnaround: spread(row, &self.turnaround)?,
            bounded_slowdown: spread(row, &self.bounded_slowdown)?,
            tau: cell(row, self.tau.as_ref())?,
            makespan: cell(row, self.makespan.as_ref())?,
            shares: self.shares.iter().map(|(name, of)| shares(row, name, of)).collect::<Result<_, _>>()?,
            offers: OfferCounts {
                sent: cell(row, sent.as_ref())?,
                accepted: cell(row, accepted.as_ref())?,
                declined: cell(row, declined.as_ref())?,
                rescinded: cell(row, rescinded.as_ref())?,
            },
            allocation_runs: cell(row, self.allocation_runs.as_ref())?,
            work: work(row, &self.work)?,
            applications: Vec::new(),
        })
    }
}

fn cell(row: &Row<'_>, column: Option<&Column>) -> Result<Option<f64>, ReportError> {
    column.map_or(Ok(None), |column| row.maybe(column))
}

fn spread(row: &Row<'_>, columns: &[Option<Column>; 5]) -> Result<Spread, ReportError> {
    let [mean, p50, p90, p99, max] = columns;
    Ok(Spread {
        mean: cell(row, mean.as_ref())?,
        p50: cell(row, p50.as_ref())?,
        p90: cell(row, p90.as_ref())?,
        p99: cell(row, p99.as_ref())?,
        max: cell(row, max.as_ref())?,
    })
}

fn work(row: &Row<'_>, columns: &[Option<Column>; 6]) -> Result<WorkFigures, ReportError> {
    let [goodput, wasted, share, attempts, failovers, recovery] = columns;
    Ok(WorkFigures {
        goodput_cpu_seconds: cell(row, goodput.as_ref())?,
        wasted_cpu_seconds: cell(row, wasted.as_ref())?,
        wasted_share: cell(row, share.as_ref())?,
        attempts: cell(row, attempts.as_ref())?,
        master_failovers: cell(row, failovers.as_ref())?,
        mean_time_to_recovery: cell(row, recovery.as_ref())?,
    })
}

fn shares(row: &Row<'_>, resource: &str, of: &[Option<Column>; 3]) -> Result<ResourceShares, ReportError> {
    let [allocated, offered, used] = of;
    Ok(ResourceShares {
        resource: resource.to_owned(),
        allocated: cell(row, allocated.as_ref())?,
        offered: cell(row, offered.as_ref())?,
        used: cell(row, used.as_ref())?,
    })
}
