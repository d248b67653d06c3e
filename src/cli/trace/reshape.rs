//! `mesosim trace convert`, `sample`, `slice` and `scale`: a trace in the native form, made from any other.

use std::{num::NonZeroU64, path::PathBuf, process::ExitCode};

use mesosim_traces::{
    Micros, Options, Trace, TraceError,
    store::Writer,
    transform::{JobTimes, Plan, Reshaped, Sample, Tally, Window},
};

use super::{
    reading::{Reading, ReadingArguments, name},
    target,
};
use crate::{
    cli::CommandError,
    experiment::config::Duration,
    report::units::{count, duration},
};

/// More copies of a trace than this are a mistake.
const MOST_LOAD: f64 = 1000.0;

/// From where to where.
#[derive(Debug, clap::Args)]
struct Paths {
    /// The trace: a file, or a directory with the files of one trace
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The directory to write: it must not be there yet, or be empty
    #[arg(value_name = "OUT")]
    output: PathBuf,
    #[command(flatten)]
    reading: ReadingArguments,
}

#[derive(Debug, clap::Args)]
pub(super) struct ConvertArguments {
    #[command(flatten)]
    paths: Paths,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(super) struct SampleArguments {
    #[command(flatten)]
    paths: Paths,
    /// Take every n-th job, in the order in which the trace mentions them
    #[arg(long, value_name = "N", group = "which")]
    every: Option<NonZeroU64>,
    /// Take each job with this probability
    #[arg(long, value_name = "P", group = "which", value_parser = share)]
    share: Option<f64>,
    /// What is drawn is drawn from this number
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, clap::Args)]
pub(super) struct SliceArguments {
    #[command(flatten)]
    paths: Paths,
    /// From this time of the trace on, such as `"2 days"` or `-1h` [default: from its beginning]
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    from: Option<Micros>,
    /// Up to, and not including, this time [default: to its end]
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    to: Option<Micros>,
    /// Leave times as they are; otherwise the beginning of the interval becomes time 0
    #[arg(long)]
    keep_times: bool,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("how").required(true).multiple(true))]
pub(super) struct ScaleArguments {
    #[command(flatten)]
    paths: Paths,
    /// So many times the load: below 1 jobs are left out at random, above 1 shifted copies of the trace are laid over it
    #[arg(long, value_name = "K", group = "how", value_parser = load)]
    load: Option<f64>,
    /// So many times as long from one submission to the next; how long jobs run does not change
    #[arg(long, value_name = "F", group = "how", value_parser = load)]
    stretch: Option<f64>,
    /// What is drawn is drawn from this number
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "expected a probability, 0 to 1".to_owned())
}

fn load(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| *number > 0.0 && *number <= MOST_LOAD);
    number.ok_or_else(|| format!("expected a number above 0 and at most {MOST_LOAD}"))
}

/// A time of the trace: a duration since its beginning, perhaps negative.
fn time(text: &str) -> Result<Micros, String> {
    let (sign, magnitude) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let duration: Duration = magnitude.parse().map_err(|error| format!("{error}"))?;
    Ok(Micros(sign * (duration.0.0 / 1000) as i64))
}

pub(super) fn convert(arguments: &ConvertArguments) -> Result<ExitCode, CommandError> {
    run(&arguments.paths, |_, _| Ok(Plan::default()))
}

pub(super) fn sample(arguments: &SampleArguments) -> Result<ExitCode, CommandError> {
    let sample = match (arguments.every, arguments.share) {
        (Some(n), _) => Sample::Every(n),
        (None, Some(share)) => Sample::Share(share),
        (None, None) => Sample::All,
    };
    run(&arguments.paths, |_, _| Ok(Plan { sample, seed: arguments.seed, ..Plan::default() }))
}

pub(super) fn slice(arguments: &SliceArguments) -> Result<ExitCode, CommandError> {
    let shift = !arguments.keep_times;
    let window = |times: &JobTimes, trace: &Trace| {
        let (first, last) = times.span().unwrap_or_default();
        let from = arguments.from.unwrap_or(first);
        let to = arguments.to.unwrap_or(Micros(last.0.saturating_add(1)));
        if from >= to {
            let said = |at: Micros| duration_of(at);
            let problem = format!("the interval from {} to {} is empty", said(from), said(to));
            let jobs = format!("jobs are submitted from {} to {}", said(first), said(last));
            return Err(TraceError::Unusable(format!("{}: {problem}: {jobs}", name(trace))));
        }
        Ok(Plan { window: Some(Window { from, to, shift }), ..Plan::default() })
    };
    run(&arguments.paths, window)
}

fn duration_of(at: Micros) -> String {
    let sign = if at.0 < 0 { "-" } else { "" };
    format!("{sign}{}", duration(at.as_secs_f64().abs()))
}

pub(super) fn scale(arguments: &ScaleArguments) -> Result<ExitCode, CommandError> {
    let (load, stretch) = (arguments.load.unwrap_or(1.0), arguments.stretch.unwrap_or(1.0));
    run(&arguments.paths, |_, _| Ok(Plan { load, stretch, seed: arguments.seed, ..Plan::default() }))
}

/// Makes the native trace. The plan may depend on when jobs are submitted; then the trace is read twice.
fn run(
    paths: &Paths,
    plan: impl Fn(&JobTimes, &Trace) -> Result<Plan, TraceError>,
) -> Result<ExitCode, CommandError> {
    let trace = paths.reading.one(&paths.input)?;
    target::is_free(&paths.output)?;
    target::needs_parquet(&paths.output)?;
    let (options, mut reading) = (paths.reading.options(), Reading::new());
    let done = reshape(&trace, &options, &mut reading, paths, plan);
    reading.clear();
    let (tally, rejected, plan) = done?;
    reading.finish();
    say!("{}", told(&tally, &plan));
    if rejected > 0 {
        say!("{} rows were rejected: `mesosim trace inspect` names them", count(rejected as f64));
    }
    say!("Native trace: {}", paths.output.display());
    Ok(ExitCode::SUCCESS)
}

fn reshape(
    trace: &Trace,
    options: &Options,
    reading: &mut Reading,
    paths: &Paths,
    plan: impl Fn(&JobTimes, &Trace) -> Result<Plan, TraceError>,
) -> Result<(Tally, u64, Plan), TraceError> {
    let mut times = JobTimes::default();
    if plan(&times, trace).map_or(true, |plan| plan.needs_times()) {
        let without_usage = Options { usage: false, ..*options };
        reading.read(trace, &without_usage, &mut times, "Looking at")?;
    }
    let plan = plan(&times, trace)?;
    let mut store = Writer::create(&paths.output)?;
    let mut sink = Reshaped::new(plan, times, &mut store);
    let quality = reading.read(trace, options, &mut sink, "Converting")?;
    let tally = sink.tally;
    store.finish(trace.format.name, &quality)?;
    Ok((tally, quality.rejected(), plan))
}

fn told(tally: &Tally, plan: &Plan) -> String {
    let number = |number: u64| count(number as f64);
    let mut said = format!(
        "{} of {} jobs, {} tasks",
        number(tally.jobs_out),
        number(tally.jobs_in),
        number(tally.tasks_out)
    );
    if plan.load > 1.0 {
        said = format!(
            "{} jobs from {}, {} tasks",
            number(tally.jobs_out),
            number(tally.jobs_in),
            number(tally.tasks_out)
        );
    }
    if tally.without_time > 0 {
        said += &format!("; {} jobs have no time of submission", number(tally.without_time));
    }
    if tally.parents_lost > 0 {
        said += &format!("; {} waits for jobs that were left out were dropped", number(tally.parents_lost));
    }
    said
}
