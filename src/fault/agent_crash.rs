//! Machines that fail and are repaired, each by itself.

use mesos::id::Id;

use super::{
    Action, Fault, FaultEntry, Spec, scope,
    windows::{Edge, Windows},
};
use crate::{
    cluster::MachineId,
    engine::random::{Seed, Stream},
};

/// Each machine is down during windows of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct AgentCrash {
    /// Which machines.
    pub machines: Vec<MachineId>,
    /// When each is down.
    pub windows: Windows,
    /// Whether the agent says goodbye.
    pub graceful: bool,
}

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "agent-crash",
    about: "machines fail and are repaired, each by itself",
    stream: Stream::AgentFailure,
    build: |cluster| {
        Spec::AgentCrash(AgentCrash {
            machines: scope::all(cluster),
            windows: Windows::example(),
            graceful: false,
        })
    },
};

impl AgentCrash {
    pub(super) fn build(self, seed: Seed) -> Box<dyn Fault> {
        let machines = self.machines.iter().map(|machine| machine.index() as u32);
        let graceful = self.graceful;
        self.windows.acting_once(seed, machines, move |entity, edge| {
            let machine = MachineId::new(entity as usize);
            match edge {
                Edge::Begin if graceful => Action::AgentShutdown { machine },
                Edge::Begin => Action::AgentCrash { machine },
                Edge::End => Action::AgentRepair { machine },
            }
        })
    }
}
