//! `jobs.csv` of one run, as far as a report needs it: how jobs ended and how long they waited and took.

use std::path::Path;

use super::sheet::{Column, Row, Sheet};
use super::summary::JobCounts;
use crate::report::error::{ReportError, nearest};

/// The states in which a job can be when a run is over, as `jobs.csv` spells them.
const FINAL_STATES: [&str; 5] =
    ["COMPLETED_SUCCESSFULLY", "COMPLETED_FAILED", "UNFINISHED", "NEVER_PLACED", "REJECTED"];

/// The jobs of one run.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct Jobs {
    /// How they ended.
    pub(in crate::report) counts: JobCounts,
    /// Waiting times of the jobs that started, in seconds, in the order of the file.
    pub(in crate::report) waiting: Vec<f64>,
    /// Turnaround times of the jobs that are over, in seconds, in the order of the file.
    pub(in crate::report) turnaround: Vec<f64>,
}

/// Reads `jobs.csv`.
pub(in crate::report) fn read(path: &Path) -> Result<Jobs, ReportError> {
    let mut sheet = Sheet::open(path, "the jobs of a run")?;
    let state = sheet.column("final_state")?;
    let waiting = sheet.column("waiting_time")?;
    let turnaround = sheet.column("turnaround_time")?;
    let mut jobs = Jobs::default();
    while let Some(row) = sheet.next_row()? {
        jobs.counts.total += 1;
        *counter(&mut jobs.counts, &row, &state)? += 1;
        jobs.waiting.extend(row.maybe(&waiting)?);
        jobs.turnaround.extend(row.maybe(&turnaround)?);
    }
    Ok(jobs)
}

fn counter<'a>(counts: &'a mut JobCounts, row: &Row<'_>, state: &Column) -> Result<&'a mut u64, ReportError> {
    match row.text(state) {
        "COMPLETED_SUCCESSFULLY" => Ok(&mut counts.finished),
        "COMPLETED_FAILED" => Ok(&mut counts.failed),
        "UNFINISHED" => Ok(&mut counts.unfinished),
        "NEVER_PLACED" => Ok(&mut counts.never_placed),
        "REJECTED" => Ok(&mut counts.rejected),
        other => {
            let hint = nearest(other, FINAL_STATES.into_iter());
            Err(row.wrong(state, format!("a job's final state{hint}")))
        }
    }
}
