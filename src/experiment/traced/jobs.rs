//! The jobs of a trace, as jobs of the simulation.
//!
//! **How long a task runs**: its duration; else from its start to its end. One that ran when the trace ended runs until then,
//! which is too short, unless `missing.runtime` says otherwise. One that was never started is a matter of
//! `workload.unscheduled`; if nothing tells how long it would run, `missing.runtime` does, or it is left out.
//! **What it asks for**: what the trace says; what it does not say is in `missing`, or nothing.
//! **When a job arrives**: when it was submitted, else when it (or its first task) started. Time 0 is the beginning of the
//! trace; jobs from before it arrive at once. A task with several instances becomes that many tasks. Where tasks wait for
//! others, the job also says so as stages, for frameworks that heed it.

use std::sync::Arc;

use mesos::{
    id::Id,
    resource::Scalar,
    time::{Span, Time},
};
use mesosim_traces::{JobRow, Micros, Sink, TaskRow, TraceError};
use rustc_hash::FxHashMap;

use super::{
    MOST_CPUS, MOST_MIB, amount,
    events::time,
    facts,
    labels::{Labels, by_framework},
    read,
    shape::Shape,
};
use crate::{
    cluster::Cluster,
    experiment::{
        ExperimentError,
        config::{self, Loaded, Missing, TraceFile, Unscheduled},
        prepare::{LATEST, compressed, mebibytes},
    },
    workload::{Demand, Job, JobId, JobName, ModelSet, TaskSpec, detail::Stage, gpu_demand},
};

/// Where the experiment file names the trace.
const KEY: &str = "workload.trace";
/// More tasks than this do not fit into the memory of any machine that runs this program.
const MOST_TASKS: u64 = 1 << 26;

/// The jobs of each framework, and what the manifest says of them.
pub(in crate::experiment) fn jobs(
    loaded: &Loaded,
    spec: &config::Workload,
    file: &TraceFile,
    cluster: &mut Cluster,
    warnings: &mut Vec<String>,
) -> Result<(Vec<Vec<Job>>, serde_json::Value), ExperimentError> {
    let mut rows = Rows::new(&file.missing, cluster);
    let read = read(loaded, KEY, file, &mut rows)?;
    let wrong = |message: String| {
        let message = format!("{}: {message}", file.path.display());
        loaded.error_at("workload.trace.path", message, None)
    };
    let mut jobs = rows.jobs(spec).map_err(wrong)?;
    jobs.sort_by_key(|(job, ..)| job.submission);
    jobs.truncate(spec.first.map_or(usize::MAX, |first| first as usize));
    if jobs.is_empty() {
        let message = "no job of it can run: there is none, or none has a task whose run time is known";
        return Err(wrong(message.to_owned()).into());
    }
    let mut tally = Tally::default();
    jobs.iter().for_each(|(.., of_job)| tally.add(of_job));
    tally.warn(spec, warnings);
    let mut facts = facts(file, &read, jobs.len());
    facts["kept_but_never_scheduled_in_the_trace"] = tally.never_started.into();
    let numbered = jobs.into_iter().enumerate();
    let jobs = numbered.map(|(place, (job, labels, _))| (Job { id: JobId::new(place), ..job }, labels));
    let jobs = by_framework(loaded, read.format.name, jobs.collect())?;
    Ok((jobs, facts))
}

/// What had to be done to the tasks of a job.
#[derive(Clone, Copy, Default)]
struct Tally {
    /// Never started; they run for as long as they existed.
    never_started: u64,
    /// Never started, or of unknown run time; left out.
    left_out: u64,
    /// Not over at the end of the trace; they run until then.
    censored: u64,
    /// Asked for more than one GPU, but not for whole ones; the next whole number was taken.
    rounded_gpus: u64,
    /// May not run everywhere in the trace, but here they may.
    constrained: u64,
}

impl Tally {
    const fn add(&mut self, other: &Self) {
        self.never_started += other.never_started;
        self.left_out += other.left_out;
        self.censored += other.censored;
        self.rounded_gpus += other.rounded_gpus;
        self.constrained += other.constrained;
    }

    fn warn(&self, spec: &config::Workload, warnings: &mut Vec<String>) {
        if self.never_started > 0 && spec.unscheduled == Unscheduled::Lifetime {
            warnings.push(format!(
                "{} tasks were never started by the traced scheduler, so how long they would have run is not known; \
                 they run for as long as they existed (workload.unscheduled = \"lifetime\")",
                self.never_started
            ));
        }
        for (count, what) in [
            (
                self.left_out,
                "tasks of jobs that were kept are left out: they were never started, or how long they ran is not known",
            ),
            (
                self.censored,
                "tasks were not over when the trace ended; they run as long as they had until then",
            ),
            (self.rounded_gpus, "tasks ask for a GPU and a part of another; they get the next whole number"),
            (self.constrained, "tasks have constraints in the trace, which are not heeded"),
        ] {
            if count > 0 {
                warnings.push(format!("{count} {what}"));
            }
        }
    }
}

/// What a trace says of how long a task runs.
#[derive(Clone, Copy)]
enum Runtime {
    Known(Span),
    /// It started and did not end.
    Since(Micros),
    /// It never started; how long it existed, if that is known.
    Never(Option<Span>),
}

struct HalfTask {
    index: u32,
    name: Box<str>,
    instances: u32,
    parents: Box<[u32]>,
    demand: Demand,
    runtime: Runtime,
}

/// A job of which not all rows are known yet.
#[derive(Default)]
struct HalfJob {
    name: Box<str>,
    labels: Labels,
    submit: Option<Micros>,
    start: Option<Micros>,
    tasks: Vec<HalfTask>,
    shape: Shape,
    tally: Tally,
}

/// Gathers the rows of a trace by job.
struct Rows<'a> {
    missing: &'a Missing,
    cluster: &'a mut Cluster,
    /// In the order in which they are first mentioned.
    jobs: Vec<HalfJob>,
    places: FxHashMap<u64, usize>,
    /// The last time that is mentioned.
    last: Micros,
    tasks: u64,
}

impl Sink for Rows<'_> {
    fn job(&mut self, row: &JobRow<'_>) -> Result<(), TraceError> {
        self.mention([row.submit, row.start, row.end]);
        let job = self.half(row.number);
        job.name = (&*row.name).into();
        job.labels = Labels::of(row);
        job.submit = row.submit;
        job.start = earliest(row.start, job.start);
        job.shape = Shape::of(row);
        Ok(())
    }

    fn task(&mut self, row: &TaskRow<'_>) -> Result<(), TraceError> {
        self.mention([row.submit, row.start, row.end]);
        self.tasks += u64::from(row.instances);
        if self.tasks > MOST_TASKS {
            let message =
                format!("more than {MOST_TASKS} tasks: `mesosim trace slice` or `sample` makes it smaller");
            return Err(TraceError::Unusable(message));
        }
        let mut tally = Tally { constrained: row.constraints.is_some().into(), ..Tally::default() };
        let demand = self.demand(row, &mut tally).map_err(TraceError::Unusable)?;
        let task = HalfTask {
            index: row.index,
            name: row.name.as_deref().unwrap_or_default().into(),
            instances: row.instances,
            parents: row.parents.as_slice().into(),
            demand,
            runtime: runtime(row),
        };
        let job = self.half(row.job);
        job.start = earliest(job.start, row.submit.or(row.start));
        job.tally.add(&tally);
        job.tasks.push(task);
        Ok(())
    }
}

fn earliest(a: Option<Micros>, b: Option<Micros>) -> Option<Micros> {
    a.into_iter().chain(b).min()
}

fn runtime(row: &TaskRow<'_>) -> Runtime {
    let since = |start: Option<Micros>| Some(span(row.end?.since(start?)?));
    match (row.duration.map(span).or_else(|| since(row.start)), row.start) {
        (Some(known), _) => Runtime::Known(known),
        (None, Some(start)) => Runtime::Since(start),
        (None, None) => Runtime::Never(since(row.submit)),
    }
}

/// A length of time; below nothing is nothing.
fn span(length: Micros) -> Span {
    time(length).since(Time::ZERO)
}

impl<'a> Rows<'a> {
    fn new(missing: &'a Missing, cluster: &'a mut Cluster) -> Self {
        Self { missing, cluster, jobs: Vec::new(), places: FxHashMap::default(), last: Micros(0), tasks: 0 }
    }

    fn mention(&mut self, times: [Option<Micros>; 3]) {
        self.last = times.into_iter().flatten().fold(self.last, Micros::max);
    }

    fn half(&mut self, number: u64) -> &mut HalfJob {
        let place = *self.places.entry(number).or_insert(self.jobs.len());
        if place == self.jobs.len() {
            self.jobs.push(HalfJob { name: number.to_string().into(), ..HalfJob::default() });
        }
        &mut self.jobs[place]
    }

    fn demand(&mut self, row: &TaskRow<'_>, tally: &mut Tally) -> Result<Demand, String> {
        let unnamed = || format!("a task of job {}", row.job);
        let owner = row.name.as_deref().map_or_else(unnamed, |name| format!("task {name}"));
        let missing = self.missing;
        let known = |value: Option<f64>, missing: Option<config::Size>, what| match value {
            Some(mib) => amount(&owner, what, mib, MOST_MIB),
            None => Ok(missing.map_or(Scalar::ZERO, mebibytes)),
        };
        let mut models = ModelSet::ANY;
        for model in row.gpu_model.iter().flat_map(|models| models.split('|')) {
            models.0 |= self.cluster.intern_model(model).map_err(|error| error.to_string())?.0;
        }
        let gpus = row.gpus.or(missing.gpus).unwrap_or(0.0);
        let gpus = gpu_demand(gpus).or_else(|| {
            tally.rounded_gpus += u64::from(row.instances);
            gpu_demand(gpus.ceil())
        });
        let demand = Demand {
            cpus: amount(&owner, "cpus", row.cpus.or(missing.cpus).unwrap_or(0.0), MOST_CPUS)?,
            mem: known(row.mem_mib, missing.mem, "MiB of memory")?,
            disk: known(row.disk_mib, missing.disk, "MiB of disk")?,
            gpus: gpus.ok_or_else(|| format!("{owner} asks for {} GPUs", row.gpus.unwrap_or_default()))?,
            revocable: false,
            models,
        };
        let is_said = [row.cpus, row.mem_mib, row.disk_mib, row.gpus].iter().any(Option::is_some);
        if !is_said && demand.quantities().is_empty() {
            let help = format!("`{KEY}.missing = {{ cpus = 1, mem = \"1 GiB\" }}` would");
            return Err(format!("{owner} does not say what it asks for: {help}"));
        }
        Ok(demand)
    }

    /// All jobs that have a task, in the order in which they were first mentioned.
    fn jobs(self, spec: &config::Workload) -> Result<Vec<(Job, Labels, Tally)>, String> {
        let (missing, last) = (self.missing, self.last);
        let mut jobs = Vec::with_capacity(self.jobs.len());
        for mut half in self.jobs {
            let tasks = std::mem::take(&mut half.tasks);
            let runs = |task: HalfTask, tally: &mut Tally| {
                let runtime = half_runtime(&task, spec, missing, last, tally)?;
                Some(Timed { task, runtime })
            };
            let tasks: Vec<Timed> =
                tasks.into_iter().filter_map(|task| runs(task, &mut half.tally)).collect();
            if !tasks.is_empty() {
                jobs.push(whole(half, &tasks, spec)?);
            }
        }
        Ok(jobs)
    }
}

/// A task and how long it runs.
struct Timed {
    task: HalfTask,
    runtime: Span,
}

/// How long a task runs; `None`: it is left out.
fn half_runtime(
    task: &HalfTask,
    spec: &config::Workload,
    missing: &Missing,
    last: Micros,
    tally: &mut Tally,
) -> Option<Span> {
    let instances = u64::from(task.instances);
    let otherwise = missing.runtime.map(|runtime| runtime.0);
    let runtime = match (task.runtime, spec.unscheduled) {
        (Runtime::Known(known), _) => return Some(known),
        (Runtime::Since(start), _) => {
            tally.censored += if otherwise.is_some() { 0 } else { instances };
            otherwise.or_else(|| last.since(start).map(span))
        }
        (Runtime::Never(Some(lifetime)), Unscheduled::Lifetime) => {
            tally.never_started += instances;
            Some(lifetime)
        }
        (Runtime::Never(None), Unscheduled::Lifetime) => otherwise,
        (Runtime::Never(_), Unscheduled::Skip) => None,
    };
    tally.left_out += if runtime.is_none() { instances } else { 0 };
    runtime
}

fn whole(half: HalfJob, tasks: &[Timed], spec: &config::Workload) -> Result<(Job, Labels, Tally), String> {
    let HalfJob { name, labels, submit, start, shape, tally, .. } = half;
    let submission = submit.or(start).map(time);
    let submission = submission
        .ok_or_else(|| format!("job {name} has no time of submission, so it cannot be replayed in time"))?;
    let is_too_long = tasks.iter().any(|task| Time::ZERO + task.runtime > LATEST);
    if submission > LATEST || is_too_long {
        return Err(format!("job {name} arrives after more than a hundred years, or runs for so long"));
    }
    let stages = tasks.iter().map(|timed| stage(timed, tasks)).collect();
    let detail = shape.detail(labels.application(), stages);
    let specs = tasks.iter().flat_map(|Timed { task, runtime }| {
        let spec = TaskSpec { demand: task.demand, runtime: *runtime, profile: 0 };
        std::iter::repeat_n(spec, task.instances as usize)
    });
    let job = Job {
        id: JobId::new(0),
        name: JobName::Named(name),
        class: labels.class(),
        submission: compressed(submission, spec.compress),
        tasks: specs.collect(),
        detail: detail.map(Arc::new),
    };
    Ok((job, labels, tally))
}

/// A task as a stage. Parents that the job does not have, or that were left out, are none.
fn stage(timed: &Timed, all: &[Timed]) -> Stage {
    let Timed { task, runtime } = timed;
    let place = |parent: &u32| all.iter().position(|other| other.task.index == *parent);
    Stage {
        name: task.name.clone(),
        tasks: task.instances,
        demand: task.demand,
        runtime: *runtime,
        runtimes: Box::default(),
        parents: task.parents.iter().filter_map(place).map(|place| place as u32).collect(),
        input: 0,
        output: 0,
    }
}
