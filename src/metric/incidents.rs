//! What went wrong, in order: faults that begin and end, and masters that die, are elected and know everybody again.
//! Machines to which the same happens at the same time are one incident.

use mesos::time::{Span, Time};

use crate::{
    cluster::MachineId,
    fault::{Action, CauseId},
};

/// Most incidents that are kept; later ones are only counted.
pub const MOST_INCIDENTS: usize = 20_000;

/// Something that went wrong, or is well again.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// When.
    pub at: Time,
    /// What.
    pub event: Event,
}

/// What went wrong, or is well again.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A fault of the experiment began or ended something.
    Fault {
        /// Which fault.
        cause: CauseId,
        /// [`Action::name`].
        name: &'static str,
        /// [`Action::detail`].
        detail: String,
        /// To how many machines, the first of them, and the last.
        machines: Option<(usize, MachineId, MachineId)>,
    },
    /// The leading master died.
    MasterFailed,
    /// A new master leads.
    MasterElected,
    /// It knows everybody again.
    MasterRecovered {
        /// Since the old one died.
        after: Span,
    },
}

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub struct Incidents {
    all: Vec<Incident>,
    left_out: u64,
}

impl Incidents {
    /// In order; the first [`MOST_INCIDENTS`].
    #[must_use]
    pub fn all(&self) -> &[Incident] {
        &self.all
    }

    /// How many came after those.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    pub(super) fn fault(&mut self, at: Time, cause: CauseId, action: &Action) {
        let (name, detail) = (action.name(), action.detail());
        let hit = action.machines();
        let machines = hit.first().zip(hit.last()).map(|(&first, &last)| (hit.len(), first, last));
        let event = Event::Fault { cause, name, detail, machines };
        if !self.all.last_mut().is_some_and(|before| before.take_in(at, &event)) {
            self.push(at, event);
        }
    }

    pub(super) fn push(&mut self, at: Time, event: Event) {
        if self.all.len() == MOST_INCIDENTS {
            self.left_out += 1;
        } else {
            self.all.push(Incident { at, event });
        }
    }
}

impl Incident {
    /// Makes one of two incidents, if the same happened to machines at the same time.
    fn take_in(&mut self, now: Time, next: &Event) -> bool {
        let Event::Fault { cause, name, detail, machines: Some((count, _, last)) } = &mut self.event else {
            return false;
        };
        let Event::Fault { cause: of, name: what, detail: how, machines: Some((more, _, end)) } = next else {
            return false;
        };
        let is_same = (self.at, *cause, *name, &*detail) == (now, *of, *what, how);
        if is_same {
            (*count, *last) = (*count + more, *end);
        }
        is_same
    }
}

#[cfg(test)]
mod tests {
    use mesos::id::Id;

    use super::*;

    #[test]
    fn machines_of_one_outage_are_one_incident() {
        let mut incidents = Incidents::default();
        let [first, other] = [0, 1].map(CauseId::new);
        for (at, cause, machine) in [(5, first, 3), (5, first, 4), (5, other, 5), (6, first, 6)] {
            let machine = MachineId::new(machine);
            incidents.fault(Time::from_secs(at), cause, &Action::AgentCrash { machine });
        }
        let machines = |incident: &Incident| match incident.event {
            Event::Fault { machines: Some((count, first, last)), .. } => (count, first.index(), last.index()),
            Event::Fault { machines: None, .. }
            | Event::MasterFailed
            | Event::MasterElected
            | Event::MasterRecovered { .. } => {
                panic!("{incident:?} has no machines")
            }
        };
        assert_eq!(
            incidents.all().iter().map(machines).collect::<Vec<_>>(),
            [(2, 3, 4), (1, 5, 5), (1, 6, 6)]
        );
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let mut incidents = Incidents::default();
        (0..MOST_INCIDENTS as u64 + 7).for_each(|at| incidents.push(Time(at), Event::MasterFailed));
        assert_eq!((incidents.all().len(), incidents.left_out()), (MOST_INCIDENTS, 7));
    }
}
