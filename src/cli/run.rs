//! `mesosim run`.

use std::{path::PathBuf, process::ExitCode};

use super::{CommandError, ExperimentArguments, progress::Bars, stop_at_interrupt};
use crate::{experiment::run, report};

#[derive(Debug, clap::Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    experiment: ExperimentArguments,
    /// Where results go [default: results/<name of the experiment>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many runs go side by side [default: one for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
}

pub(super) fn run(arguments: &RunArguments) -> Result<ExitCode, CommandError> {
    let prepared = arguments.experiment.prepare()?;
    let default = || PathBuf::from("results").join(&prepared.experiment.name);
    let directory = arguments.out.clone().unwrap_or_else(default);
    let bars = Bars::new(&prepared);
    let jobs = arguments.jobs.map_or(0, std::num::NonZeroUsize::get);
    let report = run::run(&prepared, &directory, jobs, &stop_at_interrupt(), &bars);
    bars.clear();
    let report = report?;
    if report.done.is_empty() {
        say!("Interrupted before a run was complete; nothing was written.");
        return Ok(ExitCode::from(130));
    }
    let built = report::build(&directory)?;
    say!("\n{}", report::terminal_summary(&directory)?);
    for warning in &prepared.warnings {
        say!("Note: {warning}");
    }
    let complete = report.done.len();
    if report.interrupted {
        let all = prepared.cells().len();
        say!("Interrupted: {complete} of {all} runs are complete and kept under {}.", directory.display());
        say!("The policies above may have been run with different seeds: do not compare them.");
        return Ok(ExitCode::from(130));
    }
    say!("Results of {complete} {}: {}", if complete == 1 { "run" } else { "runs" }, directory.display());
    say!("Report: {}", built.files[0].display());
    Ok(ExitCode::SUCCESS)
}
