//! What a trace says of its jobs, in numbers: one line for each, however many tasks it has.

use std::collections::BTreeMap;

use mesosim_traces::{JobRow, Micros, Sink, TaskRow, TraceError};

use crate::workload::generator::{class::Quantity, copula::PerQuantity};

/// A job: the mean over its tasks of each quantity, where the trace has it.
#[derive(Clone, PartialEq, Debug)]
pub struct JobSample {
    /// When it was submitted, in seconds.
    pub submit: Option<f64>,
    /// Its quantities: tasks, cores, MiB, MiB, devices, seconds.
    pub quantities: PerQuantity<Option<f64>>,
    /// The number of its class.
    pub class: Option<u32>,
    /// The number of its user.
    pub user: Option<u32>,
}

/// The jobs of a trace.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sample {
    /// Jobs, in the order of their numbers.
    pub jobs: Vec<JobSample>,
    /// Names of classes.
    pub classes: Vec<String>,
    /// Tasks that were not over when the trace ended: how long they run is not known.
    pub censored: u64,
    /// How much tasks of the same job differ.
    pub within: Within,
    /// Run times of tasks, with the class of their jobs: all of them, or every so many-th.
    pub durations: Vec<(Option<u32>, f64)>,
}

/// How much tasks of the same job differ.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Within {
    tasks: f64,
    sum: f64,
    squares: f64,
    inside: f64,
}

impl Within {
    /// The share of the variance of (the logarithm of) run times that lies between tasks of the same job.
    #[must_use]
    pub fn share(&self) -> f64 {
        let total = self.squares - self.sum * self.sum / self.tasks;
        if total > 0.0 { self.inside / total } else { 0.0 }
    }
}

/// Collects the jobs of a trace.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    jobs: Vec<Open>,
    classes: BTreeMap<String, u32>,
    users: BTreeMap<String, u32>,
    censored: u64,
    durations: Thinned,
}

/// Every so many-th run time, with the number of its job.
#[derive(Clone, Debug)]
struct Thinned {
    kept: Vec<(u64, f64)>,
    stride: u64,
    seen: u64,
}

/// So many run times are kept at most.
const MOST_DURATIONS: usize = 200_000;

impl Default for Thinned {
    fn default() -> Self {
        Self { kept: Vec::new(), stride: 1, seen: 0 }
    }
}

impl Thinned {
    fn push(&mut self, job: u64, duration: f64) {
        if self.seen.is_multiple_of(self.stride) {
            self.kept.push((job, duration));
        }
        self.seen += 1;
        if self.kept.len() == MOST_DURATIONS {
            let mut place = 0;
            self.kept.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            self.stride *= 2;
        }
    }
}

/// A job whose tasks are still to come.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    submit: Option<Micros>,
    class: Option<u32>,
    user: Option<u32>,
    tasks: u64,
    sums: PerQuantity<Sum>,
    ln_durations: [f64; 2],
}

/// A sum over the tasks that have a number.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    total: f64,
    weight: f64,
}

impl Collector {
    fn job_of(&mut self, number: u64) -> Result<&mut Open, TraceError> {
        // Numbers are dense; a reader that broke this must not make us ask for all memory.
        let place = usize::try_from(number).ok().filter(|place| *place <= self.jobs.len() + 100_000_000);
        let place = place.ok_or_else(|| {
            TraceError::Unusable(format!("job numbers jump from {} to {number}", self.jobs.len()))
        })?;
        if self.jobs.len() <= place {
            self.jobs.resize(place + 1, Open::default());
        }
        Ok(&mut self.jobs[place])
    }

    /// All jobs that have a task.
    #[must_use]
    pub fn finish(self) -> Sample {
        let mut within = Within::default();
        let class = |job: u64| self.jobs[job as usize].class;
        let durations = self.durations.kept.iter().map(|&(job, duration)| (class(job), duration)).collect();
        let with_tasks = self.jobs.iter().filter(|job| job.tasks > 0);
        let jobs = with_tasks.map(|job| {
            within.add(job);
            job.sample()
        });
        let jobs = jobs.collect();
        let mut classes = vec![String::new(); self.classes.len()];
        self.classes.into_iter().for_each(|(name, number)| classes[number as usize] = name);
        Sample { jobs, classes, censored: self.censored, within, durations }
    }
}

impl Within {
    fn add(&mut self, job: &Open) {
        let tasks = job.sums[Quantity::Duration as usize].weight;
        if tasks > 0.0 {
            let [sum, squares] = job.ln_durations;
            (self.tasks, self.sum, self.squares) =
                (self.tasks + tasks, self.sum + sum, self.squares + squares);
            self.inside += (squares - sum * sum / tasks).max(0.0);
        }
    }
}

impl Open {
    fn sample(&self) -> JobSample {
        let mean = |sum: Sum| (sum.weight > 0.0).then(|| sum.total / sum.weight);
        let mut quantities = self.sums.map(mean);
        quantities[Quantity::Tasks as usize] = Some(self.tasks as f64);
        JobSample {
            submit: self.submit.map(Micros::as_secs_f64),
            quantities,
            class: self.class,
            user: self.user,
        }
    }

    fn add(&mut self, quantity: Quantity, value: Option<f64>, weight: f64) {
        if let Some(value) = value.filter(|value| *value >= 0.0 && value.is_finite()) {
            let sum = &mut self.sums[quantity as usize];
            (sum.total, sum.weight) = (sum.total + value * weight, sum.weight + weight);
        }
    }
}

fn number(names: &mut BTreeMap<String, u32>, name: &str) -> u32 {
    if let Some(number) = names.get(name) {
        return *number;
    }
    let number = names.len() as u32;
    names.insert(name.to_owned(), number);
    number
}

impl Sink for Collector {
    fn job(&mut self, row: &JobRow<'_>) -> Result<(), TraceError> {
        let class = row.class.as_deref().map(|class| number(&mut self.classes, class));
        let user = row.user.as_deref().map(|user| number(&mut self.users, user));
        let job = self.job_of(row.number)?;
        job.submit = row.submit.or(job.submit);
        (job.class, job.user) = (class, user);
        Ok(())
    }

    fn task(&mut self, row: &TaskRow<'_>) -> Result<(), TraceError> {
        let censored = row.status.is_some_and(mesosim_traces::Status::is_censored);
        self.censored += u64::from(censored);
        let span = |start: Micros, end: Micros| end.since(start);
        let ran = row.duration.or_else(|| span(row.start?, row.end?));
        let duration = ran.filter(|_| !censored).map(Micros::as_secs_f64);
        let instances = f64::from(row.instances.max(1));
        let job = self.job_of(row.job)?;
        job.submit = job.submit.or(row.submit);
        job.tasks += u64::from(row.instances.max(1));
        job.add(Quantity::Cpus, row.cpus, instances);
        job.add(Quantity::Mem, row.mem_mib, instances);
        job.add(Quantity::Disk, row.disk_mib, instances);
        job.add(Quantity::Gpus, row.gpus, instances);
        job.add(Quantity::Duration, duration, instances);
        if let Some(duration) = duration.filter(|duration| *duration >= 0.0) {
            let ln = duration.max(1e-3).ln();
            let [sum, squares] = job.ln_durations;
            job.ln_durations = [sum + ln * instances, squares + ln * ln * instances];
            self.durations.push(row.job, duration);
        }
        Ok(())
    }
}
