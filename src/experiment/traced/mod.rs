//! Traces that an experiment names, of any format, as machines, jobs and changes of machines.
//!
//! What the rows of the native form mean to a simulation is said here and nowhere else.

pub(super) mod events;
pub(super) mod jobs;
mod labels;
pub(super) mod machines;
mod shape;

use mesos::resource::Scalar;
use mesosim_traces::{Format, Options, Quality, Sink, Trace, TraceError};
use serde_json::json;

use super::{
    ExperimentError,
    config::{Loaded, Rejected, TraceFile},
};

/// Most of one resource that a machine may have or a task may ask for: a million cpus, 2^30 MiB of memory or disk. Sums over a
/// million machines stay exact.
const MOST_CPUS: f64 = 1e6;
const MOST_MIB: f64 = (1u64 << 30) as f64;

/// What was read besides rows.
pub(super) struct Read {
    format: &'static Format,
    pub(super) quality: Quality,
}

/// Reads all of a trace into a sink. `key` is where the experiment file names it.
pub(super) fn read(
    loaded: &Loaded,
    key: &str,
    file: &TraceFile,
    sink: &mut dyn Sink,
) -> Result<Read, ExperimentError> {
    let wrong = |error: TraceError| {
        let is_about_rows = matches!(error, TraceError::Unusable(_));
        let of_file = if is_about_rows { format!("{}: ", file.path.display()) } else { String::new() };
        let message = format!("{of_file}{error}");
        loaded.error_at(format!("{key}.path").as_str(), message, None)
    };
    let format = file.format.as_deref().map(Format::named).transpose().map_err(wrong)?;
    let trace = Trace::one(&file.path, format).map_err(wrong)?;
    let quality = trace.read(&options(file), sink, &mut |_| true).map_err(wrong)?;
    match (quality.rejected(), file.rejected) {
        (0, _) | (_, Rejected::Skip) => Ok(Read { format: trace.format, quality }),
        (rejected, Rejected::Error) => {
            let help = format!("`{key}.rejected = \"skip\"` leaves such rows out");
            let message = first_rejection(&quality, rejected);
            Err(loaded.error_at(format!("{key}.path").as_str(), message, Some(help)).into())
        }
    }
}

fn options(file: &TraceFile) -> Options {
    let largest = &file.largest;
    let mib = |size: super::config::Size| size.0 as f64 / f64::from(1 << 20);
    Options {
        largest_cpus: largest.cpus,
        largest_mem_mib: mib(largest.mem),
        largest_disk_mib: mib(largest.disk),
        usage: false,
        ..Options::default()
    }
}

/// `pods.csv:3: column `cpu_milli` is `eight`: expected a whole number (and 2 more rows are wrong)`.
fn first_rejection(quality: &Quality, rejected: u64) -> String {
    let more =
        if rejected > 1 { format!(" (and {} more rows are wrong)", rejected - 1) } else { String::new() };
    let first = quality.files().iter().find_map(|file| Some((file, file.rejections.first()?)));
    let Some((file, row)) = first else { return format!("{rejected} rows are wrong") };
    let place = format!("{}:{}", file.path.display(), row.line);
    match row.column {
        "" => format!("{place}: {}: expected {}{more}", row.found, row.expected),
        column => format!("{place}: column `{column}` is `{}`: expected {}{more}", row.found, row.expected),
    }
}

/// What the manifest says of it.
pub(super) fn facts(file: &TraceFile, read: &Read, kept: usize) -> serde_json::Value {
    let name = file.path.file_name().map(|name| name.to_string_lossy().into_owned());
    let mut facts =
        json!({ "file": name, "format": read.format.name, "rows": read.quality.rows(), "kept": kept });
    if read.quality.rejected() > 0 {
        facts["rejected"] = read.quality.rejected().into();
    }
    facts
}

/// An amount of a resource in a trace, as Mesos counts.
fn amount(owner: &str, what: &str, amount: f64, most: f64) -> Result<Scalar, String> {
    let scalar = Scalar::from_f64(amount).filter(|_| (0.0..=most).contains(&amount));
    scalar.ok_or_else(|| format!("{owner} has {amount} {what}: 0 to {most} are supported"))
}
