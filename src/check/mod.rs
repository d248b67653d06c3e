//! Checkers: what is true of every run, whatever goes wrong in it. They keep books of their own from the records, and panic
//! with the facts (time, ids, amounts) where something does not add up.
//!
//! Each record costs each checker a constant. What can only be asked when all is quiet, [`Checkers::finish`] asks.

mod conservation;
mod filters;
mod lives;
mod offers;
mod quota;
mod updates;

use mesos::time::{Span, Time};

pub use conservation::Conservation;
pub use filters::FiltersKept;
pub use lives::Lives;
pub use offers::OffersWanted;
pub use quota::QuotaKept;
pub use updates::Updates;

use crate::record::{Observer, Record};

/// Watches over one thing that must hold.
pub trait Checker: Send {
    /// As [`CHECKERS`] calls it.
    fn name(&self) -> &'static str;

    /// Something happened.
    fn observe(&mut self, now: Time, record: &Record<'_>);

    /// The run is over, and nothing is on its way: no task runs, everything is healed, all news have been heard.
    fn settled(&self, now: Time);
}

/// What checkers must know of a run before it begins.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The master's (`--allocation_interval`): no filter is shorter.
    pub allocation_interval: Span,
    /// The longest that a message takes while no fault delays it.
    pub slowest: Span,
}

/// One checker of the registry.
#[derive(Debug)]
pub struct CheckerEntry {
    /// Its name.
    pub name: &'static str,
    /// What it watches over, in one line.
    pub about: &'static str,
    /// Makes one.
    pub build: fn(Facts) -> Box<dyn Checker>,
}

/// All checkers.
pub const CHECKERS: &[CheckerEntry] =
    &[conservation::ENTRY, lives::ENTRY, updates::ENTRY, offers::ENTRY, filters::ENTRY, quota::ENTRY];

/// All checkers of one run.
pub struct Checkers(Vec<Box<dyn Checker>>);

impl Checkers {
    /// All of them, at the beginning of a run.
    #[must_use]
    pub fn new(facts: Facts) -> Self {
        Self(CHECKERS.iter().map(|entry| (entry.build)(facts)).collect())
    }

    /// Asks what can only be asked when nothing is on its way any more. Panics if something was left undone.
    pub fn finish(&self, now: Time) {
        self.0.iter().for_each(|checker| checker.settled(now));
    }
}

impl Observer for Checkers {
    fn observe(&mut self, now: Time, record: &Record<'_>) {
        self.0.iter_mut().for_each(|checker| checker.observe(now, record));
    }
}
