//! Evicts nobody (Mesos' `NoopQoSController`).

use mesos::task::TaskKey;

use super::{HostView, QosController, Settings};

/// Uses no setting.
#[derive(Clone, Copy, Debug)]
pub struct Noop;

pub(super) fn make(_: &Settings) -> Box<dyn QosController> {
    Box::new(Noop)
}

impl QosController for Noop {
    fn corrections(&mut self, _: &HostView) -> Vec<TaskKey> {
        Vec::new()
    }
}
