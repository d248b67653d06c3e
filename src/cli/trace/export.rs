//! `mesosim trace export`.

use std::{path::PathBuf, process::ExitCode};

use mesosim_traces::{
    Options, Sink, Trace, TraceError,
    export::{
        Jobs, Lost, batsim,
        opendc::{Assumed, Exporter},
        swf,
    },
};

use super::{
    reading::{Reading, ReadingArguments},
    target,
};
use crate::{cli::CommandError, report::units::count};

#[derive(Debug, clap::Args)]
pub(super) struct ExportArguments {
    /// The trace: a file, or a directory with the files of one trace
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// What to write: a file (OpenDC: a directory), which must not be there yet
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// For which simulator
    #[arg(long, value_name = "FORMAT")]
    to: Target,
    #[command(flatten)]
    reading: ReadingArguments,
    /// OpenDC: MHz of a core
    #[arg(long, value_name = "MHZ", default_value_t = Assumed::default().core_mhz)]
    core_mhz: f64,
    /// OpenDC: MHz of a GPU
    #[arg(long, value_name = "MHZ", default_value_t = Assumed::default().gpu_mhz)]
    gpu_mhz: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Target {
    /// Standard Workload Format 2.2, which most batch simulators read (Alea, CloudSim Plus)
    Swf,
    /// Batsim's JSON, with delay profiles
    Batsim,
    /// OpenDC's Parquet files: tasks and fragments
    Opendc,
}

pub(super) fn export(arguments: &ExportArguments) -> Result<ExitCode, CommandError> {
    let trace = arguments.reading.one(&arguments.input)?;
    target::is_free(&arguments.output)?;
    if arguments.to == Target::Opendc {
        target::needs_parquet(&arguments.output)?;
    }
    let mut reading = Reading::new();
    let lost = write(arguments, &trace, &mut reading);
    reading.clear();
    let lost = lost?;
    reading.finish();
    for (what, times) in lost.all() {
        say!("{what}: {}", count(*times as f64));
    }
    say!("Written: {}", arguments.output.display());
    Ok(ExitCode::SUCCESS)
}

fn write(arguments: &ExportArguments, trace: &Trace, reading: &mut Reading) -> Result<Lost, TraceError> {
    let without_usage = Options { usage: false, ..arguments.reading.options() };
    let mut read = |sink: &mut dyn Sink, options: &Options| reading.read(trace, options, sink, "Exporting");
    let output = &arguments.output;
    match arguments.to {
        Target::Swf | Target::Batsim => {
            let mut jobs = Jobs::default();
            read(&mut jobs, &without_usage)?;
            let write = if arguments.to == Target::Swf { swf::write } else { batsim::write };
            target::file(output, |out| write(&jobs, out))
        }
        Target::Opendc => {
            let mut exporter = Exporter::default();
            read(&mut exporter, &arguments.reading.options())?;
            let (core_mhz, gpu_mhz) = (arguments.core_mhz, arguments.gpu_mhz);
            let assumed = Assumed { core_mhz, gpu_mhz, ..Assumed::default() };
            target::directory(output, |directory| exporter.write(directory, assumed))
        }
    }
}
