//! What a role is promised, and what it may not exceed.

use crate::resource::{ResourceLimits, ResourceQuantities};

/// The quota of a role of the top level (Mesos' `Quota`). The default, nothing promised and nothing limited, is no quota.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Quota {
    /// Unreserved, non-revocable resources and reservations that the role is promised together.
    pub guarantees: ResourceQuantities,
    /// The most of them that it may have; a name that is missing has no limit.
    pub limits: ResourceLimits,
}

impl Quota {
    /// Whether nothing is promised and nothing limited.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.guarantees.is_empty() && self.limits.is_empty()
    }
}
