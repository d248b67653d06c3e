//! Synthetic jobs in the likeness of real ones: [`arrivals`] that cluster and follow the clock, [`class`]es of jobs whose
//! quantities have any [`marginal`] distribution and belong together.
//!
//! All draws are addressed by the number of their job (and task), so that any job can be told without those before it,
//! except for when it arrives; nothing is kept from one job to the next but the time and the state of a burst.

pub mod arrivals;
pub mod class;
pub mod copula;
pub mod cycle;
pub mod marginal;
#[cfg(test)]
mod tests;

use mesos::{
    id::Id,
    time::{Span, Time},
};

use super::{
    Job, JobId, JobName, JobSource,
    poisson::{ProfileShare, profile_of},
};
use crate::engine::random::{Seed, Stream, unit};
use arrivals::{Arrivals, Clock};
use class::Class;

/// Simulated time lasts 584 years. No job arrives later than after a hundred, and none runs longer.
pub const LATEST: Time = Time::from_secs(36_525 * 86_400);

/// What to draw.
#[derive(Clone, PartialEq, Debug)]
pub struct Generator {
    /// How many jobs at most.
    pub jobs: u64,
    /// Until when jobs arrive.
    pub until: Time,
    /// When they arrive.
    pub arrivals: Arrivals,
    /// What they are; there is at least one class.
    pub classes: Vec<Class>,
    /// Profiles of which one is drawn for each job, or none.
    pub profiles: Vec<ProfileShare>,
}

/// The jobs of a [`Generator`].
#[derive(Clone, Debug)]
pub struct Generated {
    spec: Generator,
    seed: Seed,
    clock: Clock,
    next: u64,
}

/// A job with what only some users of it want to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GeneratedJob {
    /// The job.
    pub job: Job,
    /// The place of its class.
    pub class: usize,
    /// Whose it is, from 0.
    pub user: Option<u32>,
    /// Larger is more important.
    pub priority: Option<i64>,
}

impl Generator {
    /// How many jobs come, and when the last of them, on average.
    #[must_use]
    pub fn jobs_and_last_arrival(&self) -> (u64, Time) {
        let gap = self.arrivals.interarrival.as_secs_f64();
        let in_time = (self.until.as_secs_f64() / gap).round() as u64;
        let jobs = self.jobs.min(in_time);
        (jobs, Time::ZERO + Span::from_secs_f64(gap * jobs as f64).unwrap_or(Span::MAX))
    }

    /// The place of a job's class.
    #[must_use]
    pub fn class_of(&self, seed: Seed, job: u64) -> usize {
        let mut left = unit(&mut seed.of(Stream::Class, job));
        let drawn = self.classes.iter().position(|class| {
            left -= class.share;
            left < 0.0
        });
        drawn.unwrap_or(self.classes.len() - 1)
    }
}

impl Generated {
    /// All jobs, from the first on.
    #[must_use]
    pub fn new(spec: Generator, seed: Seed) -> Self {
        let clock = Clock::new(spec.arrivals.clone(), seed);
        Self { spec, seed, clock, next: 0 }
    }

    /// The next job; `None` when there are no more.
    pub fn next_generated(&mut self) -> Option<GeneratedJob> {
        let number = self.next;
        if number == self.spec.jobs {
            return None;
        }
        let submission = self.clock.next(number).filter(|at| *at <= self.spec.until)?;
        self.next += 1;
        let place = self.spec.class_of(self.seed, number);
        let class = &self.spec.classes[place];
        let profile = profile_of(&self.spec.profiles, self.seed, number);
        let revocable = profile > 0 && self.spec.profiles[usize::from(profile) - 1].revocable;
        let job = Job {
            id: JobId::new(number as usize),
            name: JobName::Numbered(number),
            class: class.name.clone(),
            submission,
            tasks: class.tasks(self.seed, number, profile, revocable),
            detail: None,
        };
        let user = class.user(self.seed, number);
        Some(GeneratedJob { job, class: place, user, priority: class.priority })
    }
}

impl JobSource for Generated {
    fn next_job(&mut self) -> Option<Job> {
        self.next_generated().map(|generated| generated.job)
    }
}
