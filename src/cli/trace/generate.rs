//! `mesosim trace generate`: a trace of any length and load from a generator.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use mesos::{
    id::Id,
    time::{Span, Time},
};
use mesosim_traces::{JobRow, Micros, Quality, Sink, TaskRow, TraceError, store::Writer};

use crate::{
    cli::{CommandError, ExperimentArguments, stop_at_interrupt},
    engine::random::Seed,
    experiment::{
        ExperimentError,
        config::{ConfigError, Duration},
        generated,
    },
    report::units::{count, duration},
    workload::generator::{Generated, GeneratedJob, Generator, LATEST},
};

#[derive(Debug, clap::Args)]
pub(super) struct GenerateArguments {
    /// A file with a [workload.generator], as `mesosim trace fit` writes it, or an experiment that has one
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// Where the trace goes: a directory of the native form, `.swf` for the Standard Workload Format, `.csv` for one line per task
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// So many jobs [default: as the file says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    jobs: Option<u64>,
    /// Jobs that arrive within this time [default: as the file says]
    #[arg(long, value_name = "DURATION")]
    duration: Option<Duration>,
    /// Times as many arrivals as the file says; cycles and bursts take as long as they did
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    load: f64,
    /// Seed of all that is drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor: &f64| (1e-6..=1e6).contains(factor));
    factor.ok_or_else(|| "expected a number from 0.000001 to 1000000".to_owned())
}

/// How a trace is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Native,
    Swf,
    Csv,
}

pub(super) fn generate(arguments: &GenerateArguments) -> Result<ExitCode, CommandError> {
    let format = format_of(&arguments.output)?;
    let spec = changed(spec(&arguments.spec)?, arguments);
    let totals = match format {
        Format::Native => native(spec, arguments)?,
        Format::Swf | Format::Csv => file(spec, arguments, format)?,
    };
    let Totals { jobs, tasks, last } = totals;
    say!(
        "{} jobs with {} tasks, the last after {}: {}",
        count(jobs as f64),
        count(tasks as f64),
        duration(last.as_secs_f64()),
        arguments.output.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Writes a file under another name, and renames it when it is whole.
fn file(spec: Generator, arguments: &GenerateArguments, format: Format) -> Result<Totals, TraceError> {
    let write = |source| TraceError::Write { path: arguments.output.clone(), source };
    let mut partial = arguments.output.clone().into_os_string();
    partial.push(".unfinished");
    let partial = PathBuf::from(partial);
    let written = write_all(spec, arguments, format, &partial).map_err(|error| match error {
        Ended::Write(source) => write(source),
        Ended::Interrupted => TraceError::Interrupted,
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&partial); // what is left is of no use, and the error says more
        return written;
    }
    std::fs::rename(&partial, &arguments.output).map_err(write)?;
    written
}

/// Writes the native form, whole or not at all.
fn native(spec: Generator, arguments: &GenerateArguments) -> Result<Totals, TraceError> {
    let stop = stop_at_interrupt();
    let mut store = Writer::create(&arguments.output)?;
    let mut jobs = Generated::new(spec, Seed(arguments.seed));
    let mut totals = Totals::default();
    while let Some(generated) = jobs.next_generated() {
        if stop.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(TraceError::Interrupted);
        }
        rows(&mut store, &generated)?;
        totals.add(&generated);
    }
    store.finish("generated", &Quality::default())?;
    Ok(totals)
}

fn rows(sink: &mut dyn Sink, generated: &GeneratedJob) -> Result<(), TraceError> {
    let GeneratedJob { job, user, priority, .. } = generated;
    let number = job.id.index() as u64;
    let submit = Some(Micros((job.submission.0 / 1000) as i64));
    sink.job(&JobRow {
        number,
        name: job.name.to_string().into(),
        user: user.map(|user| format!("u{user}").into()),
        class: Some(job.class.as_ref().into()),
        priority: *priority,
        submit,
        ..JobRow::default()
    })?;
    for (index, task) in (0..).zip(&job.tasks) {
        let amount = |scalar: mesos::resource::Scalar| Some(scalar.0 as f64 / 1000.0);
        sink.task(&TaskRow {
            job: number,
            index,
            instances: 1,
            cpus: amount(task.demand.cpus),
            mem_mib: amount(task.demand.mem),
            disk_mib: amount(task.demand.disk),
            gpus: amount(task.demand.gpus.amount()),
            submit,
            duration: Some(Micros((task.runtime.0 / 1000) as i64)),
            priority: *priority,
            ..TaskRow::default()
        })?;
    }
    Ok(())
}

fn format_of(output: &Path) -> Result<Format, TraceError> {
    match output.extension().and_then(|extension| extension.to_str()) {
        Some("swf") => Ok(Format::Swf),
        Some("csv") => Ok(Format::Csv),
        None => Ok(Format::Native),
        Some(_) => Err(TraceError::Unusable(format!(
            "{}: how to write this trace is told by the end of its name: expected `.swf`, `.csv`, or nothing for a directory of the native form",
            output.display()
        ))),
    }
}

/// The generator of an experiment, or of a file that has nothing but one.
fn spec(path: &Path) -> Result<Generator, CommandError> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let is_experiment = text.parse::<toml::Table>().is_ok_and(|file| file.contains_key("policy"));
    let needed = if is_experiment { Vec::new() } else { NEEDED.map(str::to_owned).to_vec() };
    let arguments = ExperimentArguments { file: path.to_owned(), settings: needed, seed: None };
    let loaded = arguments.load().map_err(ExperimentError::from)?;
    if loaded.experiment.generator().is_none() {
        let message = "there is no `[workload.generator]` to draw jobs from";
        let error: ConfigError =
            loaded.error_at("workload", message, Some("`mesosim trace fit` writes one".into()));
        return Err(ExperimentError::from(error).into());
    }
    Ok(generated::generator(&loaded, Vec::new())?)
}

/// What an experiment needs beside a workload.
const NEEDED: [&str; 3] = [
    "name=generate",
    "cluster.agents=[{ count = 1, cpus = 1, mem = \"1 GiB\" }]",
    "policy=[{ name = \"none\" }]",
];

fn changed(mut spec: Generator, arguments: &GenerateArguments) -> Generator {
    if arguments.jobs.is_some() || arguments.duration.is_some() {
        spec.jobs = arguments.jobs.unwrap_or(u64::MAX);
        spec.until = arguments.duration.map_or(LATEST, |duration| (Time::ZERO + duration.0).min(LATEST));
    }
    let gap = spec.arrivals.interarrival.0 as f64 / arguments.load;
    spec.arrivals.interarrival = Span((gap.round() as u64).max(1));
    spec
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    jobs: u64,
    tasks: u64,
    last: Time,
}

impl Totals {
    fn add(&mut self, generated: &GeneratedJob) {
        self.jobs += 1;
        self.tasks += generated.job.tasks.len() as u64;
        self.last = generated.job.submission;
    }
}

enum Ended {
    Write(io::Error),
    Interrupted,
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

fn write_all(
    spec: Generator,
    arguments: &GenerateArguments,
    format: Format,
    path: &Path,
) -> Result<Totals, Ended> {
    let stop = stop_at_interrupt();
    let classes: Vec<Box<str>> = spec.classes.iter().map(|class| class.name.clone()).collect();
    let mut jobs = Generated::new(spec, Seed(arguments.seed));
    let mut file = BufWriter::new(File::create(path)?);
    let mut totals = Totals::default();
    header(&mut file, format, &classes, arguments.seed)?;
    while let Some(generated) = jobs.next_generated() {
        if stop.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Ended::Interrupted);
        }
        match format {
            Format::Swf => swf(&mut file, &generated)?,
            Format::Csv => csv(&mut file, &generated)?,
            Format::Native => {}
        }
        totals.add(&generated);
    }
    file.flush()?;
    Ok(totals)
}

fn header(file: &mut impl Write, format: Format, classes: &[Box<str>], seed: u64) -> io::Result<()> {
    match format {
        Format::Swf => {
            writeln!(file, "; Version: 2.2\n; Computer: generated by mesosim, seed {seed}")?;
            writeln!(
                file,
                "; Note: memory is in KiB per processor; a task of n CPUs is n processors, rounded up"
            )?;
            for (number, class) in classes.iter().enumerate() {
                writeln!(file, "; Queue: {} {class}", number + 1)?;
            }
            Ok(())
        }
        Format::Native => Ok(()),
        Format::Csv => {
            writeln!(file, "job,task,class,user,priority,submit_s,duration_s,cpus,mem_mib,disk_mib,gpus")
        }
    }
}

/// A job as one line: processors are those of all tasks, the run time is the longest of them. What is not known is -1
/// (Chapin et al., Benchmarks and Standards for the Evaluation of Parallel Job Schedulers, 1999).
fn swf(file: &mut impl Write, generated: &GeneratedJob) -> io::Result<()> {
    let GeneratedJob { job, class, user, .. } = generated;
    let Some(first) = job.tasks.first() else { return Ok(()) };
    let runtime = job.tasks.iter().map(|task| task.runtime).max().unwrap_or_default();
    let processors = (first.demand.cpus.0 as u64).div_ceil(1000) * job.tasks.len() as u64;
    let kib = (first.demand.mem.0 as u128 * 1024 * job.tasks.len() as u128 / 1000) as u64 / processors.max(1);
    let user = user.map_or(-1, |user| i64::from(user) + 1);
    writeln!(
        file,
        "{} {:.0} -1 {:.0} {processors} -1 -1 {processors} -1 {kib} 1 {user} -1 -1 {} -1 -1 -1",
        job.id.index() + 1,
        job.submission.as_secs_f64(),
        runtime.as_secs_f64(),
        class + 1
    )
}

fn csv(file: &mut impl Write, generated: &GeneratedJob) -> io::Result<()> {
    let GeneratedJob { job, user, priority, .. } = generated;
    let text = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
    let (user, priority) = (text(user.map(i64::from)), text(*priority));
    let class = quoted(&job.class);
    for (place, task) in job.tasks.iter().enumerate() {
        let demand = &task.demand;
        let gpus = demand.gpus.amount();
        writeln!(
            file,
            "{},{place},{class},{user},{priority},{},{},{},{},{},{gpus}",
            job.name,
            job.submission.as_secs_f64(),
            task.runtime.as_secs_f64(),
            demand.cpus,
            demand.mem,
            demand.disk
        )?;
    }
    Ok(())
}

/// A field of a CSV file, quoted if it must be.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
