//! `applications.csv`: what frameworks measured of themselves. Results of frameworks that do not, and of older versions, lack it.

use std::path::Path;

use super::{sheet::Sheet, summary::SummaryRow};
use crate::report::{
    error::ReportError,
    units::{duration, percent, plain},
};

/// One measure that a framework took of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplicationFigure {
    /// The framework's name.
    pub framework: String,
    /// Its kind.
    pub kind: String,
    /// The name of the measure.
    pub metric: String,
    /// Its value.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// What it means.
    pub about: String,
}

impl ApplicationFigure {
    /// Whether it is the same measure, perhaps of another run.
    pub(in crate::report) fn is_like(&self, other: &Self) -> bool {
        self.framework == other.framework && self.metric == other.metric
    }

    /// What the measure is called in tables, and how its values are said there.
    pub(in crate::report) fn head(&self) -> (String, fn(f64) -> String) {
        let name = self.metric.replace(['_', '/'], " ");
        match self.unit.as_str() {
            "s" => (name, duration),
            "share" => (name, percent),
            unit => (format!("{name} ({unit})"), plain),
        }
    }
}

/// Gives each run its figures, in the order of the file.
pub(in crate::report) fn read(path: &Path, rows: &mut [SummaryRow]) -> Result<(), ReportError> {
    if !path.exists() {
        return Ok(());
    }
    let mut sheet = Sheet::open(path, "what frameworks measured of themselves")?;
    let [policy, framework, kind, metric, unit, about] =
        ["policy", "framework", "kind", "metric", "unit", "about"].map(|name| sheet.column(name));
    let (policy, framework, kind, metric) = (policy?, framework?, kind?, metric?);
    let (unit, about, seed, value) = (unit?, about?, sheet.column("seed")?, sheet.column("value")?);
    while let Some(row) = sheet.next_row()? {
        let (seed, value) = (row.count(&seed)?, row.number(&value)?);
        let of = rows.iter_mut().find(|of| of.policy == row.text(&policy) && of.seed == seed);
        let of = of.ok_or_else(|| row.row_wrong("a run that summary.csv names"))?;
        let text = |column| row.text(column).to_owned();
        of.applications.push(ApplicationFigure {
            framework: text(&framework),
            kind: text(&kind),
            metric: text(&metric),
            value,
            unit: text(&unit),
            about: text(&about),
        });
    }
    Ok(())
}
