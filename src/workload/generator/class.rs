//! Jobs of one kind: how many tasks, what each asks for, how long it runs, and whose it is.

use std::sync::Arc;

use mesos::{
    resource::Scalar,
    time::{Span, Time},
};
use rand_distr::{Distribution, Zipf};
use smallvec::SmallVec;

use super::{
    LATEST,
    copula::{Copula, PerQuantity},
    marginal::Marginal,
};
use crate::{
    engine::random::{Seed, Stream, below},
    workload::{Demand, GpuDemand, ModelSet, TaskSpec, gpu_demand, whole_gpus},
};

/// Most of one resource that a task may ask for: a million cores, 2^30 MiB. Larger draws become these.
const MOST_CPUS: f64 = 1e6;
const MOST_MIB: f64 = (1u64 << 30) as f64;
/// Most tasks of a job. Larger draws become this.
const MOST_TASKS: f64 = 1e6;

/// What is drawn for a job, in the order of [`Copula`]. Run times come last, because each task may have its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quantity {
    /// Tasks.
    Tasks,
    /// Cores of a task.
    Cpus,
    /// MiB of memory of a task.
    Mem,
    /// MiB of disk of a task.
    Disk,
    /// GPU devices of a task; below 1: a share of one.
    Gpus,
    /// Seconds that a task runs.
    Duration,
}

impl Quantity {
    /// All of them, each at its own place.
    pub const ALL: PerQuantity<Self> =
        [Self::Tasks, Self::Cpus, Self::Mem, Self::Disk, Self::Gpus, Self::Duration];

    /// As experiment files and tables spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Cpus => "cpus",
            Self::Mem => "mem",
            Self::Disk => "disk",
            Self::Gpus => "gpus",
            Self::Duration => "duration",
        }
    }
}

/// A kind of job.
#[derive(Clone, PartialEq, Debug)]
pub struct Class {
    /// Its name.
    pub name: Box<str>,
    /// The fraction of all jobs; those of all classes add up to 1.
    pub share: f64,
    /// The distribution of each quantity.
    pub marginals: PerQuantity<Marginal>,
    /// What belongs together, if anything does.
    pub together: Together,
    /// Whether each task has a run time of its own.
    pub own_durations: bool,
    /// Larger is more important.
    pub priority: Option<i64>,
    /// Whose jobs they are.
    pub users: Option<Users>,
}

/// Which quantities are drawn together.
#[derive(Clone, PartialEq, Debug)]
pub enum Together {
    /// None.
    Nothing,
    /// All, through their ranks.
    Ranks(Copula),
    /// Those for which a table has columns: a row is drawn.
    Rows(Rows),
}

/// A table of jobs that were.
#[derive(Clone, PartialEq, Debug)]
pub struct Rows {
    /// Which column of a row each quantity is, if any.
    pub columns: PerQuantity<Option<usize>>,
    /// The rows, all equally long; there is at least one.
    pub rows: Arc<[Box<[f64]>]>,
}

/// So many users, of whom the n-th has a share of the jobs that falls with the power `exponent` of n.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Users {
    /// How many, at least 1.
    pub count: u32,
    /// 0: all alike.
    pub exponent: f64,
}

impl Class {
    /// The tasks of a job.
    #[must_use]
    pub fn tasks(&self, seed: Seed, job: u64, profile: u16, revocable: bool) -> SmallVec<[TaskSpec; 1]> {
        let draw = Draw::new(self, seed, job);
        let demand = Demand {
            cpus: cpus(draw.of(Quantity::Cpus)),
            mem: mebibytes(draw.of(Quantity::Mem)),
            disk: mebibytes(draw.of(Quantity::Disk)),
            gpus: gpus(draw.of(Quantity::Gpus)),
            revocable,
            models: ModelSet::ANY,
        };
        let tasks = draw.of(Quantity::Tasks).round().clamp(1.0, MOST_TASKS) as u32;
        let shared = runtime(draw.of(Quantity::Duration));
        let runtime =
            |task| if self.own_durations && task > 0 { runtime(draw.duration(task)) } else { shared };
        (0..tasks).map(|task| TaskSpec { demand, runtime: runtime(task), profile }).collect()
    }

    /// Whose a job is, from 0.
    #[must_use]
    pub fn user(&self, seed: Seed, job: u64) -> Option<u32> {
        let users = self.users?;
        let mut rng = seed.of(Stream::User, job);
        let zipf = Zipf::new(f64::from(users.count), users.exponent);
        let zipf = zipf.unwrap_or_else(|error| panic!("{users:?}: {error}"));
        Some(zipf.sample(&mut rng) as u32 - 1)
    }
}

/// What is drawn for one job.
struct Draw<'a> {
    class: &'a Class,
    seed: Seed,
    job: u64,
    normals: PerQuantity<f64>,
    row: &'a [f64],
}

impl<'a> Draw<'a> {
    fn new(class: &'a Class, seed: Seed, job: u64) -> Self {
        let (mut normals, mut row) = (PerQuantity::default(), &[] as &[f64]);
        match &class.together {
            Together::Nothing => {}
            Together::Ranks(_) => normals = Copula::normals(&mut seed.of(Stream::Copula, job)),
            Together::Rows(table) => {
                let place = below(&mut seed.of(Stream::RowChoice, job), table.rows.len() as u64);
                row = &table.rows[place as usize];
            }
        }
        Self { class, seed, job, normals, row }
    }

    /// The number of a quantity; of durations, the first task's.
    fn of(&self, quantity: Quantity) -> f64 {
        let place = quantity as usize;
        let marginal = &self.class.marginals[place];
        match &self.class.together {
            Together::Ranks(copula) => marginal.quantile(copula.probability(place, &self.normals)),
            Together::Rows(Rows { columns, .. }) if let Some(column) = columns[place] => self.row[column],
            Together::Nothing | Together::Rows(_) => marginal
                .draw(&mut self.seed.child(Stream::Quantity, self.job).of(Stream::Quantity, place as u64)),
        }
    }

    /// The duration of a task that has its own: as correlated with the job's other quantities as that of the first.
    fn duration(&self, task: u32) -> f64 {
        let place = Quantity::Duration as usize;
        let marginal = &self.class.marginals[place];
        let mut rng = self.seed.child(Stream::TaskDuration, self.job).of(Stream::TaskDuration, task.into());
        match &self.class.together {
            Together::Ranks(copula) => {
                let mut normals = self.normals;
                normals[place] = Copula::normals(&mut rng)[place];
                marginal.quantile(copula.probability(place, &normals))
            }
            Together::Nothing | Together::Rows(_) => marginal.draw(&mut rng),
        }
    }
}

/// Thousandths, and not nothing: Mesos knows no task without CPUs.
fn cpus(cores: f64) -> Scalar {
    Scalar(((cores.min(MOST_CPUS) * 1000.0).round() as i64).max(1))
}

fn mebibytes(mebibytes: f64) -> Scalar {
    Scalar((mebibytes.clamp(0.0, MOST_MIB) * 1000.0).round() as i64)
}

/// Below 1 a share of a device, otherwise whole devices.
fn gpus(devices: f64) -> GpuDemand {
    if devices < 0.9995 {
        return gpu_demand(devices).unwrap_or_default();
    }
    whole_gpus(devices.round() as u64)
}

fn runtime(seconds: f64) -> Span {
    let longest = Span(LATEST.0 - Time::ZERO.0);
    Span::from_secs_f64(seconds.max(0.0)).map_or(longest, |runtime| runtime.min(longest))
}
