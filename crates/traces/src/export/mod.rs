//! Traces in the formats of other simulators, so that results can be checked there. What a format cannot say is left out and
//! counted.

pub mod batsim;
mod jobs;
pub mod opendc;
pub mod swf;

use std::collections::BTreeMap;

pub use jobs::Jobs;

/// What a format could not say, in words, and how often.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lost(BTreeMap<&'static str, u64>);

impl Lost {
    /// All of it.
    #[must_use]
    pub const fn all(&self) -> &BTreeMap<&'static str, u64> {
        &self.0
    }

    fn add(&mut self, what: &'static str, count: u64) {
        if count > 0 {
            *self.0.entry(what).or_default() += count;
        }
    }
}
