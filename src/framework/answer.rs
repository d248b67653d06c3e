//! How an application answers offers, whatever it runs: one set of parameters for all kinds.

use mesos::{
    offer::{Filters, Offer},
    resource::{ResourceName, Scalar},
    time::Span,
};

use crate::policy::Response;

/// What happens to an offer beside what is launched on it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Answer {
    /// Whether what is not used is given back or kept.
    pub response: Response,
    /// For how long declined resources are refused, in seconds.
    pub refuse_seconds: f64,
    /// Whether to ask for no offers (SUPPRESS) while no task waits.
    pub suppress: bool,
    /// Whether to ask for all offers again (REVIVE) when new tasks wait. A framework that is suppressed always does.
    pub revive: bool,
    /// At least so long lies between two times that it asks.
    pub revive_interval: Span,
    /// Offers with fewer CPUs are given back unseen.
    pub least_cpus: Scalar,
    /// Likewise with less memory, in MiB.
    pub least_mem: Scalar,
    /// So many tasks are launched on the offers of one agent at a time, at most; `None`: as many as fit.
    pub tasks_per_offer: Option<u32>,
}

impl Default for Answer {
    /// Declines with Mesos' filter of 5 s, suppresses when idle, revives at once.
    fn default() -> Self {
        Self {
            response: Response::Decline,
            refuse_seconds: 5.0,
            suppress: true,
            revive: true,
            revive_interval: Span::ZERO,
            least_cpus: Scalar::ZERO,
            least_mem: Scalar::ZERO,
            tasks_per_offer: None,
        }
    }
}

impl Answer {
    /// The filters of a DECLINE.
    #[must_use]
    pub const fn refusal(&self) -> Filters {
        Filters { refuse_seconds: self.refuse_seconds }
    }

    /// The filters of an ACCEPT: who keeps offers wants back what a task leaves of one.
    #[must_use]
    pub const fn leftover(&self) -> Filters {
        match self.response {
            Response::Decline => self.refusal(),
            Response::Hold => Filters::NONE,
        }
    }

    /// Whether the application wants to see this offer at all.
    #[must_use]
    pub fn is_worth_a_look(&self, offer: &Offer) -> bool {
        offer.resources.get(ResourceName::Cpus) >= self.least_cpus
            && offer.resources.get(ResourceName::Mem) >= self.least_mem
    }
}
