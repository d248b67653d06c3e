//! The command line. Here, and nowhere below, something is printed.
//!
//! Exit codes: 0 done, 1 a check failed, 2 wrong input, 130 interrupted.

/// `println!` for a reader who may have had enough (`mesosim list | head`).
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::say(format_args!($($text)*))
    };
}

mod bench;
mod check;
mod conformance;
mod fuzz;
mod list;
mod progress;
mod run;
mod trace;

use std::{
    io::Write,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clap::{Parser, Subcommand};
use mesosim_traces::{FORMATS, TraceError};

use crate::{
    container::oversubscription::{CONTROLLER_NAMES, ESTIMATOR_NAMES},
    experiment::{
        ExperimentError,
        config::{self, ConfigError, Loaded, Vocabulary},
        prepare::Prepared,
    },
    framework::KIND_NAMES,
    policy::{ORDER_NAMES, PLACEMENT_NAMES, RESPONSE_NAMES, SORTER_NAMES},
    report::{
        ReportError,
        units::{count, duration},
    },
};

/// Simulates clusters under Apache Mesos' allocator, and compares scheduling policies on them.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an experiment and write its results, plots and report
    Run(run::RunArguments),
    /// Say whether an experiment file, and every file that it names, is right; run nothing
    Validate(ExperimentArguments),
    /// Run each cell of an experiment and check that its books balance; with --twice, that it comes out the same again
    Check(check::CheckArguments),
    /// Run scenarios against the core and say where its answers differ from those in the files
    Conformance(conformance::ConformanceArguments),
    /// Draw data centres at random, let everything go wrong in them, and watch them under all checkers
    Fuzz(fuzz::FuzzArguments),
    /// Look into traces of any known format, make others from them, fit generators to them
    Trace(trace::TraceArguments),
    /// List what experiment files can name
    List(list::ListArguments),
    /// Measure the speed of this program on this machine
    Bench(bench::BenchArguments),
}

/// Which experiment, and what to change in it.
#[derive(Debug, clap::Args)]
struct ExperimentArguments {
    /// The experiment file (TOML)
    file: PathBuf,
    /// Change a key: `workload.compress=10`, `policy.best-fit.backfill=false`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Use this seed instead of those in the file
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
}

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    #[error("results are written, but not the report: {0}")]
    Report(#[from] ReportError),
    #[error(transparent)]
    Trace(#[from] TraceError),
    #[error("plots are not drawn: {0}")]
    Plots(Box<ReportError>),
}

/// A reader that has seen enough and closed the pipe changes nothing: the work goes on, and so does its exit code.
fn say(text: std::fmt::Arguments<'_>) {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            complain(format_args!("Error: cannot write to the standard output: {error}"));
            std::process::exit(2);
        }
        Ok(()) | Err(_) => {}
    }
}

/// To the standard error, if anybody listens.
fn complain(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Runs the program and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Validate(arguments) => validate(&arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Conformance(arguments) => conformance::conformance(&arguments),
        Command::Fuzz(arguments) => fuzz::fuzz(&arguments),
        Command::Trace(arguments) => trace::trace(&arguments),
        Command::List(arguments) => list::list(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
    };
    result.unwrap_or_else(|error| {
        if matches!(error, CommandError::Trace(TraceError::Interrupted)) {
            say!("Interrupted; nothing was written.");
            return ExitCode::from(130);
        }
        tell(error);
        ExitCode::from(2)
    })
}

fn tell(error: CommandError) {
    match error {
        CommandError::Experiment(ExperimentError::Config(error)) => {
            complain(format_args!("{:?}", miette::Report::new(error)));
        }
        CommandError::Experiment(ExperimentError::Write { .. })
        | CommandError::Report(_)
        | CommandError::Plots(_)
        | CommandError::Trace(_) => {
            complain(format_args!("Error: {error}"));
        }
    }
}

impl ExperimentArguments {
    fn load(&self) -> Result<Loaded, ConfigError> {
        let settings: Vec<String> =
            self.settings.iter().cloned().chain(self.seed.map(|seed| format!("seeds=[{seed}]"))).collect();
        let formats: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        let vocabulary = Vocabulary {
            sorters: SORTER_NAMES,
            orders: ORDER_NAMES,
            placements: PLACEMENT_NAMES,
            kinds: KIND_NAMES,
            responses: RESPONSE_NAMES,
            estimators: ESTIMATOR_NAMES,
            controllers: CONTROLLER_NAMES,
            trace_formats: &formats,
            capabilities: &mesos::capability::Capabilities::names(),
        };
        config::load(&self.file, &settings, &vocabulary)
    }

    fn prepare(&self) -> Result<Prepared, ExperimentError> {
        Prepared::new(&self.load()?)
    }
}

fn validate(arguments: &ExperimentArguments) -> Result<ExitCode, CommandError> {
    let prepared = arguments.prepare()?;
    let (jobs, last) = prepared.jobs_and_last_arrival();
    let machines = prepared.cluster.machines().len();
    say!("{} is right.", arguments.file.display());
    say!("  cluster    {machines} machines, {}", prepared.cluster.total());
    say!("  workload   {} jobs, the last arrives after {}", count(jobs as f64), duration(last.as_secs_f64()));
    say!("  frameworks {}", names(prepared.experiment.framework.iter().map(|framework| &framework.name)));
    say!("  policies   {}", names(prepared.experiment.policy.iter().map(|policy| &policy.name)));
    say!("  cells      {}", prepared.cells().len());
    for warning in &prepared.warnings {
        say!("  warning: {warning}");
    }
    Ok(ExitCode::SUCCESS)
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Is set at the first Ctrl-C (or SIGTERM); a second one ends the program at once.
fn stop_at_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let set = ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    if let Err(error) = set {
        complain(format_args!("Warning: Ctrl-C will end the program at once, because {error}"));
    }
    stop
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
