//! Where the work went: what attempts that counted took (`goodput`), and what was done in vain, by cause (`wasted_work`).
//!
//! Work is resources held times seconds run. Of all attempts at a task the first that finishes counts; everything that others
//! did is wasted, and the reason why they ended is its cause. Time in a container before the program ran is not counted.

use std::collections::BTreeMap;

use mesos::{
    resource::{ResourceName, ResourceQuantities},
    time::{Span, Time},
};

use crate::record::Cause;

/// Attempts, and what they took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Taken {
    /// How many attempts.
    pub attempts: u64,
    /// Seconds run, whatever was held.
    pub seconds: f64,
    /// CPUs times seconds.
    pub cpu_seconds: f64,
    /// GPUs times seconds.
    pub gpu_seconds: f64,
    /// MiB times seconds.
    pub mem_seconds: f64,
}

impl Taken {
    fn add(&mut self, held: &ResourceQuantities, ran: Span) {
        let seconds = ran.as_secs_f64();
        self.attempts += 1;
        self.seconds += seconds;
        self.cpu_seconds += held.get(ResourceName::Cpus).as_f64() * seconds;
        self.gpu_seconds += held.get(ResourceName::Gpus).as_f64() * seconds;
        self.mem_seconds += held.get(ResourceName::Mem).as_f64() * seconds;
    }
}

/// Why work was in vain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Vain {
    /// The attempt ended without success, for this reason.
    Ended(Cause),
    /// The attempt finished after another one at the same task had.
    Repeated,
}

/// What was worth the while, and what was in vain.
#[derive(Clone, Debug, Default)]
pub struct Work {
    goodput: Taken,
    wasted: BTreeMap<Vain, Taken>,
    recoveries: Vec<(Time, Span)>,
    failovers: u64,
}

impl Work {
    /// What attempts that counted took.
    #[must_use]
    pub const fn goodput(&self) -> &Taken {
        &self.goodput
    }

    /// What was done in vain, by cause.
    #[must_use]
    pub const fn wasted(&self) -> &BTreeMap<Vain, Taken> {
        &self.wasted
    }

    /// When a new master knew everybody again, and how long after the death of the old one.
    #[must_use]
    pub fn recoveries(&self) -> &[(Time, Span)] {
        &self.recoveries
    }

    /// How many masters died.
    #[must_use]
    pub const fn failovers(&self) -> u64 {
        self.failovers
    }

    /// Mean time to recovery of the master, in seconds; `None` if it never recovered.
    #[must_use]
    pub fn mean_time_to_recovery(&self) -> Option<f64> {
        let total: f64 = self.recoveries.iter().map(|(_, after)| after.as_secs_f64()).sum();
        (!self.recoveries.is_empty()).then(|| total / self.recoveries.len() as f64)
    }

    pub(super) fn counted(&mut self, held: &ResourceQuantities, ran: Span) {
        self.goodput.add(held, ran);
    }

    pub(super) fn in_vain(&mut self, why: Vain, held: &ResourceQuantities, ran: Span) {
        self.wasted.entry(why).or_default().add(held, ran);
    }

    pub(super) fn failed(&mut self) {
        self.failovers += 1;
    }

    pub(super) fn recovered(&mut self, now: Time, after: Span) {
        self.recoveries.push((now, after));
    }
}
