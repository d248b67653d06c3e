//! `mesosim trace`: what traces consist of, other traces made from them, and generators of jobs like theirs.

mod charts;
mod export;
mod fit;
mod generate;
mod inspect;
mod quality;
mod reading;
mod reshape;
mod summary;
mod target;

use std::process::ExitCode;

use super::CommandError;

#[derive(Debug, clap::Args)]
pub(super) struct TraceArguments {
    #[command(subcommand)]
    command: TraceCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TraceCommand {
    /// Say what traces consist of, and what is wrong with them
    Inspect(inspect::InspectArguments),
    /// Bring a trace into the native form: a directory of Parquet tables
    Convert(reshape::ConvertArguments),
    /// Take every n-th job, or a share of them
    Sample(reshape::SampleArguments),
    /// Take the jobs that were submitted in an interval
    Slice(reshape::SliceArguments),
    /// Make a trace with more or less load, or with arrivals further apart or closer together
    Scale(reshape::ScaleArguments),
    /// Write a trace for another simulator
    Export(export::ExportArguments),
    /// Find the generator that makes jobs like those of a trace, and say how like they are
    Fit(fit::FitArguments),
    /// Write the jobs of a generator as a trace
    Generate(generate::GenerateArguments),
}

pub(super) fn trace(arguments: &TraceArguments) -> Result<ExitCode, CommandError> {
    match &arguments.command {
        TraceCommand::Inspect(arguments) => inspect::inspect(arguments),
        TraceCommand::Convert(arguments) => reshape::convert(arguments),
        TraceCommand::Sample(arguments) => reshape::sample(arguments),
        TraceCommand::Slice(arguments) => reshape::slice(arguments),
        TraceCommand::Scale(arguments) => reshape::scale(arguments),
        TraceCommand::Export(arguments) => export::export(arguments),
        TraceCommand::Fit(arguments) => fit::fit(arguments),
        TraceCommand::Generate(arguments) => generate::generate(arguments),
    }
}
