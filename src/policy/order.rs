//! Queue order: which waiting job a framework tries to place first.

use super::Entry;
use crate::workload::Job;

/// Gives each job a key; smaller goes first, equal keys in order of submission.
pub trait QueueOrder: Send {
    /// The job's key. Must not be NaN.
    fn key(&self, job: &Job) -> f64;
}

/// All queue orders.
pub const ORDERS: &[Entry<Box<dyn QueueOrder>>] = &[
    Entry { name: "fifo", about: "first in, first out", source: "textbook", build: || Box::new(Fifo) },
    Entry {
        name: "sjf",
        about: "shortest job first: least requested run time of the longest task",
        source: "textbook",
        build: || Box::new(ShortestFirst),
    },
    Entry {
        name: "smallest-first",
        about: "least requested work first: cpus (a GPU counts as 16) times run time over all tasks",
        source: "textbook (smallest area first)",
        build: || Box::new(SmallestFirst),
    },
];

struct Fifo;

impl QueueOrder for Fifo {
    fn key(&self, _: &Job) -> f64 {
        0.0
    }
}

struct ShortestFirst;

impl QueueOrder for ShortestFirst {
    fn key(&self, job: &Job) -> f64 {
        job.tasks.iter().map(|task| task.runtime.as_secs_f64()).fold(0.0, f64::max)
    }
}

struct SmallestFirst;

impl QueueOrder for SmallestFirst {
    fn key(&self, job: &Job) -> f64 {
        let cpus = |task: &crate::workload::TaskSpec| {
            task.demand.cpus.as_f64() + 16.0 * task.demand.gpus.amount().as_f64()
        };
        job.tasks.iter().map(|task| cpus(task) * task.runtime.as_secs_f64()).sum()
    }
}
