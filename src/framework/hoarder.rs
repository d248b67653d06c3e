//! The hoarder: takes offers and neither uses nor declines them, as a framework does that waits for something better or has
//! lost its head. What it holds nobody else can use, until the master's `offer_timeout` takes it back.

use mesos::{
    id::TaskId,
    resource::{ResourceName, Scalar},
    time::{Span, Time},
};

use super::{Application, Attempt, Context, End, Figure, KindEntry};
use crate::workload::Job;

pub(super) const KIND: KindEntry = KindEntry {
    name: "hoarder",
    about: "takes offers and neither uses nor declines them, up to a limit or for a while",
    source: "Hindman et al., Mesos, NSDI'11, section 4 (why offers are rescinded)",
};

/// What it hoards.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Options {
    /// It declines what would give it more CPUs than this; `None`: it never has enough.
    pub most_cpus: Option<Scalar>,
    /// After this time of its first offer in hand it declines all it has, and begins again; `None`: it never lets go.
    pub hold_for: Option<Span>,
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Hoarder {
    options: Options,
    /// When it gives all back.
    until: Option<Time>,
}

impl Hoarder {
    /// It has nothing yet.
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self { options, until: None }
    }
}

impl Application for Hoarder {
    /// It does nothing with jobs.
    fn submit(&mut self, job: &Job, _: TaskId, context: &mut Context<'_>) {
        context.job_ended(job.id, false);
    }

    fn offers(&mut self, context: &mut Context<'_>) {
        let agents: Vec<_> = context.pool().iter().collect();
        let mut held = Scalar::ZERO;
        for agent in agents {
            let cpus = context.pool().free(agent).get(ResourceName::Cpus);
            if self.options.most_cpus.is_some_and(|most| held + cpus > most) {
                context.give_back(agent);
            } else {
                context.keep(agent);
                held = held + cpus;
            }
        }
        if self.until.is_none() && held > Scalar::ZERO {
            self.until = self.options.hold_for.map(|time| context.now + time);
        }
    }

    fn ended(&mut self, attempt: &Attempt, end: End, _: &mut Context<'_>) {
        panic!("a hoarder launches nothing, but {attempt:?} ended: {end:?}");
    }

    fn next_wake(&self) -> Option<Time> {
        self.until
    }

    fn wake(&mut self, context: &mut Context<'_>) {
        self.until = None;
        let agents: Vec<_> = context.pool().iter().collect();
        agents.into_iter().for_each(|agent| context.give_back(agent));
    }

    fn waiting(&self) -> usize {
        0
    }

    fn wants_offers(&self) -> bool {
        true
    }

    /// What it held its driver counts.
    fn figures(&self, _: Time) -> Vec<Figure> {
        Vec::new()
    }
}
