//! The same revocable CPUs always (Mesos' `FixedResourceEstimatorProcess::_oversubscribable`).

use mesos::resource::Scalar;

use super::{HostView, ResourceEstimator, Settings};

/// Uses `revocable_cpus`.
#[derive(Clone, Copy, Debug)]
pub struct Fixed {
    cpus: Scalar,
}

pub(super) fn make(settings: &Settings) -> Box<dyn ResourceEstimator> {
    Box::new(Fixed { cpus: settings.revocable_cpus })
}

impl ResourceEstimator for Fixed {
    fn oversubscribable(&mut self, host: &HostView) -> Scalar {
        (self.cpus - host.allocated_revocable()).max(Scalar::ZERO)
    }
}
