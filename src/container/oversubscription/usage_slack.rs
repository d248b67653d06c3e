//! What containers that are not revocable request and do not use.

use mesos::resource::Scalar;

use super::{HostView, ResourceEstimator, Settings};

/// Uses no setting.
#[derive(Clone, Copy, Debug)]
pub struct UsageSlack;

pub(super) fn make(_: &Settings) -> Box<dyn ResourceEstimator> {
    Box::new(UsageSlack)
}

impl ResourceEstimator for UsageSlack {
    /// A container that uses more than it requests takes from the slack of the others.
    fn oversubscribable(&mut self, host: &HostView) -> Scalar {
        (host.allocated - host.used - host.allocated_revocable()).max(Scalar::ZERO)
    }
}
