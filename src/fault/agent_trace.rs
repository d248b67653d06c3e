//! Machines that fail and come back when a trace says so.

use mesos::{id::Id, time::Time};

use super::{Action, Fault, FaultEntry, Spec};
use crate::{cluster::MachineId, engine::random::Stream};

/// What a trace tells of machines.
#[derive(Clone, PartialEq, Debug)]
pub struct AgentTrace {
    /// In any order.
    pub changes: Vec<MachineChange>,
}

/// A machine goes down or comes up. One that is already so stays so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MachineChange {
    /// When.
    pub at: Time,
    /// Which.
    pub machine: MachineId,
    /// What becomes of it.
    pub change: Change,
}

/// See [`MachineChange`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Change {
    /// It comes up.
    Up,
    /// It goes down.
    Down,
}

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "agent-trace",
    about: "machines fail and come back as a file says (time_s, machine, event: down or up)",
    stream: Stream::AgentFailure,
    build: |_| {
        let machine = MachineId::new(0);
        let change = |secs, change| MachineChange { at: Time::from_secs(secs), machine, change };
        Spec::AgentTrace(AgentTrace { changes: vec![change(100, Change::Down), change(400, Change::Up)] })
    },
};

struct Replay(std::vec::IntoIter<MachineChange>);

impl AgentTrace {
    pub(super) fn build(mut self) -> Box<dyn Fault> {
        // Stable: what a file says of one moment keeps its order.
        self.changes.sort_by_key(|change| change.at);
        let most = self.changes.iter().map(|change| change.machine.index() + 1).max();
        let mut states = vec![Change::Up; most.unwrap_or(0)];
        self.changes.retain(|MachineChange { machine, change, .. }| {
            std::mem::replace(&mut states[machine.index()], *change) != *change
        });
        Box::new(Replay(self.changes.into_iter()))
    }
}

impl Fault for Replay {
    fn next(&mut self) -> Option<(Time, Action)> {
        let MachineChange { at, machine, change } = self.0.next()?;
        let action = match change {
            Change::Down => Action::AgentCrash { machine },
            Change::Up => Action::AgentRepair { machine },
        };
        Some((at, action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_already_so_is_not_done_again() {
        let change = |secs, machine, change| MachineChange {
            at: Time::from_secs(secs),
            machine: MachineId::new(machine),
            change,
        };
        let changes = vec![
            change(9, 1, Change::Up),
            change(5, 1, Change::Down),
            change(3, 0, Change::Up),
            change(7, 1, Change::Down),
        ];
        let mut fault = AgentTrace { changes }.build();
        let machine = MachineId::new(1);
        assert_eq!(fault.next(), Some((Time::from_secs(5), Action::AgentCrash { machine })));
        assert_eq!(fault.next(), Some((Time::from_secs(9), Action::AgentRepair { machine })));
        assert_eq!(fault.next(), None);
    }
}
