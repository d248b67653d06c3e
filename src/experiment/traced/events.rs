//! What a trace tells of machines that go and come back.

use std::collections::{BTreeMap, BTreeSet};

use mesos::time::Time;
use mesosim_traces::{MachineEventRow, Micros, Sink, TraceError, row::MachineEvent};

use super::read;
use crate::{
    cluster::MachineId,
    experiment::{
        ExperimentError,
        config::{Loaded, TraceFile},
    },
    fault::{AgentTrace, Change, MachineChange},
};

/// Reads the changes of all machines. A machine that first comes after the beginning is down until then. What happens before
/// the beginning happens at it.
pub(in crate::experiment) fn changes(
    loaded: &Loaded,
    key: &str,
    file: &TraceFile,
    machines: &BTreeMap<&str, MachineId>,
) -> Result<(AgentTrace, u64), ExperimentError> {
    let mut events = Events { machines, seen: BTreeSet::new(), changes: Vec::new() };
    let read = read(loaded, key, file, &mut events)?;
    Ok((AgentTrace { changes: events.changes }, read.quality.rows()))
}

struct Events<'a> {
    machines: &'a BTreeMap<&'a str, MachineId>,
    /// Machines of which something was said.
    seen: BTreeSet<MachineId>,
    changes: Vec<MachineChange>,
}

impl Sink for Events<'_> {
    fn machine_event(&mut self, row: &MachineEventRow<'_>) -> Result<(), TraceError> {
        let change = match row.event {
            MachineEvent::Add => Change::Up,
            MachineEvent::Remove => Change::Down,
            MachineEvent::Update | MachineEvent::SoftError => return Ok(()),
        };
        let Some(&machine) = self.machines.get(&*row.machine) else {
            let (at, name) = (row.at.as_secs_f64(), &row.machine);
            let message =
                format!("no machine of this cluster is named `{name}`, to which something happens at {at} s");
            return Err(TraceError::Unusable(message));
        };
        let at = time(row.at);
        if self.seen.insert(machine) && change == Change::Up && at > Time::ZERO {
            self.changes.push(MachineChange { at: Time::ZERO, machine, change: Change::Down });
        }
        self.changes.push(MachineChange { at, machine, change });
        Ok(())
    }
}

/// A time of a trace; from before its beginning: the beginning.
pub(super) fn time(at: Micros) -> Time {
    Time(u64::try_from(at.0).unwrap_or(0).saturating_mul(1000))
}
