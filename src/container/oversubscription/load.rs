//! Evicts when more CPU is wanted than a machine should give.
//!
//! Mesos' `LoadQoSController` looks at the load average of five or fifteen minutes, and above its threshold evicts every
//! revocable container. Here the load is what is wanted now, and only as many go as must.

use mesos::{resource::Scalar, task::TaskKey};

use super::{HostView, QosController, Settings};

/// Uses `load_threshold`.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    threshold: f64,
}

pub(super) fn make(settings: &Settings) -> Box<dyn QosController> {
    Box::new(Load { threshold: settings.load_threshold })
}

impl QosController for Load {
    /// The most recent first: it has the least work to lose. Those that want nothing stay.
    fn corrections(&mut self, host: &HostView) -> Vec<TaskKey> {
        let limit = host.cpus.as_f64() * self.threshold;
        let mut wanted = host.wanted;
        let busy = host.revocable.iter().rev().filter(|container| container.wanted > Scalar::ZERO);
        let needed = busy.take_while(|container| {
            let too_much = wanted.as_f64() > limit;
            wanted = wanted - container.wanted;
            too_much
        });
        needed.map(|container| container.key).collect()
    }
}
