//! `mesosim trace inspect`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use mesosim_traces::{Inspection, Options, Quality, Trace, TraceError, format::Found};
use serde_json::json;

use super::{
    quality,
    reading::{Reading, ReadingArguments, name},
    summary, target,
};
use crate::{
    cli::{CommandError, complain},
    report,
};

/// So many rejected rows of each file are written with `--rejects`.
const MOST_REJECTIONS: usize = 1_000_000;

#[derive(Debug, clap::Args)]
pub(super) struct InspectArguments {
    /// Files, or directories with files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    reading: ReadingArguments,
    /// Tell all about each trace even if there are several
    #[arg(long, conflicts_with = "json")]
    details: bool,
    /// Write all that is known as JSON
    #[arg(long)]
    json: bool,
    /// Write rejected rows to this file (CSV)
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Draw plots into this directory (SVG)
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

/// A trace that was read, or why it was not.
pub(super) struct Inspected {
    pub(super) trace: Trace,
    pub(super) inspection: Inspection,
    pub(super) quality: Result<Quality, TraceError>,
    pub(super) time: Duration,
}

pub(super) fn inspect(arguments: &InspectArguments) -> Result<ExitCode, CommandError> {
    let found = Trace::find(&arguments.paths, arguments.reading.format()?)?;
    let mut reading = Reading::new();
    let mut all = Vec::new();
    for trace in &found.traces {
        let inspected = read(arguments, trace, &mut reading);
        match inspected.quality {
            Err(error) if found.traces.len() == 1 || matches!(error, TraceError::Interrupted) => {
                reading.clear();
                return Err(error.into());
            }
            Ok(_) | Err(_) => all.push(inspected),
        }
    }
    reading.finish();
    tell(arguments, &all, &found);
    if let Some(path) = &arguments.rejects {
        write_rejections(path, &all)?;
    }
    if let Some(directory) = &arguments.plots {
        plot(directory, &all)?;
    }
    let has_failed = all.iter().any(|inspected| inspected.quality.is_err());
    Ok(if has_failed { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn read(arguments: &InspectArguments, trace: &Trace, reading: &mut Reading) -> Inspected {
    let mut options = arguments.reading.options();
    if arguments.rejects.is_some() {
        options = Options { rejections: MOST_REJECTIONS, ..options };
    }
    let mut inspection = Inspection::default();
    let began = Instant::now();
    let quality = reading.read(trace, &options, &mut inspection, "Reading");
    Inspected { trace: trace.clone(), inspection, quality, time: began.elapsed() }
}

fn tell(arguments: &InspectArguments, all: &[Inspected], found: &Found) {
    if arguments.json {
        let traces: Vec<_> = all.iter().map(as_json).collect();
        let unknown: Vec<_> = found.unknown.iter().map(|path| path.display().to_string()).collect();
        say!("{:#}", json!({ "traces": traces, "unknown_files": unknown }));
        return;
    }
    let is_one = all.len() == 1;
    if !is_one {
        say!("{}", summary::table(all));
    }
    if is_one || arguments.details {
        for inspected in all {
            say!("{}", summary::details(inspected));
            inspected
                .quality
                .iter()
                .for_each(|report| say!("{}", quality::report(report, &inspected.inspection)));
        }
    }
    for Inspected { trace, quality, .. } in all {
        if let Err(error) = quality {
            complain(format_args!("Error: {} ({}): {error}", name(trace), trace.format.name));
        }
    }
    say_unknown(&found.unknown);
}

fn say_unknown(unknown: &[PathBuf]) {
    const SHOWN: usize = 10;
    if unknown.is_empty() {
        return;
    }
    let names = unknown.iter().take(SHOWN).map(|path| format!("\n  {}", path.display())).collect::<String>();
    let more = unknown.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    say!("Files of no known format: {}{names}{more}", unknown.len());
}

fn as_json(inspected: &Inspected) -> serde_json::Value {
    let Inspected { trace, inspection, quality, time } = inspected;
    let quality = match quality {
        Ok(quality) => quality.to_json(),
        Err(error) => json!({ "error": error.to_string() }),
    };
    json!({
        "name": name(trace), "format": trace.format.name, "seconds": time.as_secs_f64(),
        "contents": inspection.to_json(), "quality": quality,
    })
}

fn write_rejections(path: &Path, all: &[Inspected]) -> Result<(), TraceError> {
    let files = all.iter().filter_map(|inspected| inspected.quality.as_ref().ok()).flat_map(Quality::files);
    target::file(path, |out| {
        let mut table = csv::Writer::from_writer(out);
        table.write_record(["file", "line", "column", "found", "expected"])?;
        for file in files {
            let name = file.path.display().to_string();
            for row in &file.rejections {
                let line = row.line.to_string();
                table.write_record([&*name, &line, row.column, &row.found, &row.expected])?;
            }
        }
        table.flush()
    })
}

fn plot(directory: &Path, all: &[Inspected]) -> Result<(), CommandError> {
    let mut stems: Vec<String> = Vec::new();
    for Inspected { trace, inspection, .. } in all.iter().filter(|inspected| inspected.quality.is_ok()) {
        let name = name(trace);
        let stem = unused_stem(&name, &stems);
        let files = report::build_trace_plots(directory, &stem, &name, inspection)
            .map_err(|error| CommandError::Plots(Box::new(error)))?;
        say!("Plots of {name}: {} under {}", files.len(), directory.join(format!("{stem}-*.svg")).display());
        stems.push(stem);
    }
    Ok(())
}

/// A word for file names that no other trace has.
fn unused_stem(name: &str, taken: &[String]) -> String {
    let last = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
    let fit =
        |letter: char| if letter.is_ascii_alphanumeric() || "-_+".contains(letter) { letter } else { '-' };
    let stem: String = last.chars().map(fit).collect();
    let mut numbered = (1..).map(|n| if n == 1 { stem.clone() } else { format!("{stem}-{n}") });
    numbered.find(|stem| !taken.contains(stem)).expect("numbers do not end")
}
