//! `timeline.csv` of one run: what was allocated, offered and used in each bin of time.

use std::path::Path;

use super::sheet::{Column, Row, Sheet};
use crate::report::error::ReportError;

/// The role under which `timeline.csv` gives the whole cluster.
pub(in crate::report) const WHOLE_CLUSTER: &str = "(all)";

/// A run's timeline: one series per resource and role, in the order in which the file first names them.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct Timeline {
    /// The series.
    pub(in crate::report) series: Vec<Series>,
    /// How long a bin is, in seconds.
    pub(in crate::report) bin_seconds: f64,
    /// Where the last bin ends, in seconds.
    pub(in crate::report) end: f64,
}

/// One resource of one role (or of the whole cluster) over time.
#[derive(Debug, Clone)]
pub(in crate::report) struct Series {
    /// The resource: cpus, mem, disk, gpus.
    pub(in crate::report) resource: String,
    /// The role, or [`WHOLE_CLUSTER`].
    pub(in crate::report) role: String,
    /// The bins, in the order of time.
    pub(in crate::report) bins: Vec<Bin>,
}

/// Time-weighted means over one bin, in the resource's unit.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Bin {
    /// When the bin starts, in seconds.
    pub(in crate::report) time: f64,
    /// Capacity; 0 on a role's row.
    pub(in crate::report) total: f64,
    /// Out in offers.
    pub(in crate::report) offered: f64,
    /// Promised to tasks.
    pub(in crate::report) allocated: f64,
}

impl Timeline {
    /// The series of a resource and a role.
    pub(in crate::report) fn find(&self, resource: &str, role: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.resource == resource && series.role == role)
    }
}

/// Reads `timeline.csv` of a run that simulated `simulated_seconds` in bins of `bin_seconds`.
pub(in crate::report) fn read(
    path: &Path,
    bin_seconds: f64,
    simulated_seconds: f64,
) -> Result<Timeline, ReportError> {
    let mut sheet = Sheet::open(path, "a run's allocation over time")?;
    let columns = Columns::find(&sheet)?;
    let mut timeline = Timeline { bin_seconds, ..Timeline::default() };
    while let Some(row) = sheet.next_row()? {
        columns.push(&row, &mut timeline.series)?;
    }
    let last = timeline.series.iter().filter_map(|series| series.bins.last()).map(|bin| bin.time);
    let Some(last) = last.max_by(f64::total_cmp) else {
        return Err(ReportError::Empty { path: path.to_path_buf(), expected: "a row for each bin of time" });
    };
    let full = last + bin_seconds;
    timeline.end = if simulated_seconds > last { simulated_seconds.min(full) } else { full };
    Ok(timeline)
}

struct Columns {
    time: Column,
    resource: Column,
    role: Column,
    total: Column,
    offered: Column,
    allocated: Column,
}

impl Columns {
    fn find(sheet: &Sheet) -> Result<Columns, ReportError> {
        Ok(Columns {
            time: sheet.column("time")?,
            resource: sheet.column("resource")?,
            role: sheet.column("role")?,
            total: sheet.column("total")?,
            offered: sheet.column("offered")?,
            allocated: sheet.column("allocated")?,
        })
    }

    fn push(&self, row: &Row<'_>, all: &mut Vec<Series>) -> Result<(), ReportError> {
        let (resource, role) = (row.text(&self.resource), row.text(&self.role));
        if resource.is_empty() {
            return Err(row.wrong(&self.resource, "the name of a resource"));
        }
        if role.is_empty() {
            return Err(row.wrong(&self.role, "the name of a role, or `(all)`"));
        }
        let bin = self.bin(row, role)?;
        let place = all.iter().position(|series| series.resource == resource && series.role == role);
        match place.map(|place| &mut all[place].bins) {
            Some(bins) if bins.last().is_some_and(|before| before.time >= bin.time) => Err(
                row.wrong(&self.time, format!("a bin of `{resource}` of `{role}` later than the one before"))
            ),
            Some(bins) => {
                bins.push(bin);
                Ok(())
            }
            None => {
                all.push(Series { resource: resource.into(), role: role.into(), bins: vec![bin] });
                Ok(())
            }
        }
    }

    fn bin(&self, row: &Row<'_>, role: &str) -> Result<Bin, ReportError> {
        let whole = role == WHOLE_CLUSTER;
        Ok(Bin {
            time: row.number(&self.time)?,
            total: if whole { row.number(&self.total)? } else { row.maybe(&self.total)?.unwrap_or(0.0) },
            offered: row.number(&self.offered)?,
            allocated: row.number(&self.allocated)?,
        })
    }
}
