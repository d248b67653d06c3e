//! Agents whose process dies and comes back while executors live on: a new version, a crash of the program.

use mesos::id::Id;

use super::{
    Action, Fault, FaultEntry, Spec, scope,
    windows::{Edge, Windows},
};
use crate::{
    cluster::MachineId,
    engine::random::{Seed, Stream},
};

/// The agent process of each machine is away during windows of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct AgentRestart {
    /// Which machines.
    pub machines: Vec<MachineId>,
    /// When each is without its agent process.
    pub windows: Windows,
}

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "agent-restart",
    about: "agent processes die and come back; executors and tasks live on",
    stream: Stream::AgentRestart,
    build: |cluster| {
        Spec::AgentRestart(AgentRestart { machines: scope::all(cluster), windows: Windows::example() })
    },
};

impl AgentRestart {
    pub(super) fn build(self, seed: Seed) -> Box<dyn Fault> {
        let machines = self.machines.iter().map(|machine| machine.index() as u32);
        self.windows.acting_once(seed, machines, |entity, edge| {
            let machine = MachineId::new(entity as usize);
            match edge {
                Edge::Begin => Action::AgentProcessStop { machine },
                Edge::End => Action::AgentProcessStart { machine },
            }
        })
    }
}
