//! Oversubscription: what of a machine can be offered once more, as revocable, and who must give it back.
//!
//! Only CPUs are: they can be shared. Memory cannot be taken back without killing.

pub mod fixed;
pub mod load;
pub mod none;
pub mod usage_slack;

use mesos::{resource::Scalar, task::TaskKey};

use crate::policy::{self, Entry};

/// What estimators and controllers see of a host.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HostView {
    /// CPUs that the machine has.
    pub cpus: Scalar,
    /// CPUs requested by containers that are not revocable.
    pub allocated: Scalar,
    /// CPUs that these use.
    pub used: Scalar,
    /// CPUs that all running containers would use within their limits, revocable or not.
    pub wanted: Scalar,
    /// The revocable containers in the order of their start.
    pub revocable: Vec<Revocable>,
}

/// A revocable container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Revocable {
    /// Its task.
    pub key: TaskKey,
    /// CPUs that it requests.
    pub allocated: Scalar,
    /// CPUs that it would use; none while it does not run yet.
    pub wanted: Scalar,
}

impl HostView {
    /// CPUs requested by revocable containers.
    #[must_use]
    pub fn allocated_revocable(&self) -> Scalar {
        self.revocable.iter().fold(Scalar::ZERO, |sum, container| sum + container.allocated)
    }
}

/// Numbers that estimators and controllers go by. Each says which it uses.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Settings {
    /// CPUs that are offered once more.
    pub revocable_cpus: Scalar,
    /// How many of a machine's CPUs may be wanted, as a multiple of those that it has.
    pub load_threshold: f64,
}

impl Default for Settings {
    /// Nothing is offered once more; a machine may be busy.
    fn default() -> Self {
        Self { revocable_cpus: Scalar::ZERO, load_threshold: 1.0 }
    }
}

/// Says how many more revocable CPUs an agent may offer (Mesos' `ResourceEstimator`).
pub trait ResourceEstimator: Send {
    /// Revocable CPUs beyond those that revocable containers request already; never negative. (Mesos' agent adds those
    /// again before it tells the master: `Slave::_forwardOversubscribed`.)
    fn oversubscribable(&mut self, host: &HostView) -> Scalar;
}

/// Says which containers must go (Mesos' `QoSController`).
pub trait QosController: Send {
    /// Revocable containers to evict, first to last. Each must be there, and each is named once.
    fn corrections(&mut self, host: &HostView) -> Vec<TaskKey>;
}

/// Makes one from its settings.
pub type Make<T> = fn(&Settings) -> Box<T>;

/// All resource estimators (`--resource_estimator`). Mesos' default is to have none: `fixed` with no CPUs.
pub const RESOURCE_ESTIMATORS: &[Entry<Make<dyn ResourceEstimator>>] = &[
    Entry {
        name: "fixed",
        about: "the same revocable CPUs always (revocable_cpus)",
        source: "Mesos FixedResourceEstimator",
        build: || fixed::make,
    },
    Entry {
        name: "usage-slack",
        about: "what containers that are not revocable request and do not use",
        source: "usage slack in Mesos' oversubscription documentation",
        build: || usage_slack::make,
    },
];

/// All QoS controllers (`--qos_controller`).
pub const QOS_CONTROLLERS: &[Entry<Make<dyn QosController>>] = &[
    Entry { name: "none", about: "never evicts", source: "Mesos NoopQoSController", build: || none::make },
    Entry {
        name: "load",
        about: "evicts the most recent revocable containers until what is wanted is within load_threshold times the CPUs",
        source: "after Mesos LoadQoSController, which evicts all revocable containers above a load average",
        build: || load::make,
    },
];

/// Names in [`RESOURCE_ESTIMATORS`].
pub const ESTIMATOR_NAMES: &[&str] = &policy::names::<{ RESOURCE_ESTIMATORS.len() }, _>(RESOURCE_ESTIMATORS);
/// Names in [`QOS_CONTROLLERS`].
pub const CONTROLLER_NAMES: &[&str] = &policy::names::<{ QOS_CONTROLLERS.len() }, _>(QOS_CONTROLLERS);

#[cfg(test)]
mod tests;
