//! No news is lost: what becomes of every task its framework hears in the end. And what it has acknowledged it does not
//! hear again.

use std::collections::{BTreeMap, BTreeSet};

use mesos::{
    effects::Note,
    id::{FrameworkId, StatusId},
    task::{TaskKey, TaskState, TaskStatus},
    time::{Span, Time},
};
use rustc_hash::FxHashMap;

use super::{Checker, CheckerEntry, Facts};
use crate::{
    fault::{Action, CauseId},
    record::Record,
};

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "updates",
    about: "the end of every task is told, acknowledged updates are not repeated",
    build: |facts| Box::new(Updates::new(facts)),
};

/// What the framework of a launched task heard last.
#[derive(Debug, Default)]
struct Told {
    state: Option<TaskState>,
    /// An update of a task that is not over, on its way: it counts when it is acknowledged, unless there are newer ones then.
    /// A master passes on what an agent says of a task that is over in the books of master and framework (`Master::statusUpdate`
    /// looks the task up after that): lost on its way, it is no news, and the agent may die before it repeats it.
    in_flight: Option<(StatusId, TaskState)>,
}

impl Told {
    fn sent(&mut self, status: &TaskStatus) {
        self.in_flight = status.uuid.filter(|_| !status.state.is_terminal()).map(|uuid| (uuid, status.state));
        if self.in_flight.is_none() {
            self.state = Some(status.state);
        }
    }

    fn acknowledged(&mut self, uuid: StatusId) {
        if let Some((_, state)) = self.in_flight.take_if(|(of, _)| *of == uuid) {
            self.state = Some(state);
        }
    }
}

/// Its books.
pub struct Updates {
    slowest: Span,
    told: BTreeMap<TaskKey, Told>,
    /// Updates that were sent, and when the acknowledgement was passed on.
    updates: FxHashMap<(TaskKey, StatusId), Option<Time>>,
    removed: BTreeSet<FrameworkId>,
    /// What lies on the network.
    conditions: BTreeSet<CauseId>,
    /// The longest that each cause has ever delayed messages: they arrive in order, so they are late for a while after it.
    delays: BTreeMap<CauseId, Span>,
    /// When something last went wrong with somebody.
    disturbed: Time,
}

impl Updates {
    fn new(facts: Facts) -> Self {
        Self {
            slowest: facts.slowest,
            told: BTreeMap::new(),
            updates: FxHashMap::default(),
            removed: BTreeSet::new(),
            conditions: BTreeSet::new(),
            delays: BTreeMap::new(),
            disturbed: Time::ZERO,
        }
    }

    fn sent(&mut self, now: Time, framework: FrameworkId, status: &TaskStatus) {
        let key = TaskKey { framework, task: status.task };
        if let Some(told) = self.told.get_mut(&key) {
            told.sent(status);
        }
        let Some(uuid) = status.uuid else { return };
        let acknowledged = *self.updates.entry((key, uuid)).or_default();
        if let Some(at) = acknowledged {
            let in_flight = now.since(at) <= Span(4 * self.slowest.0);
            let aftermath: u64 =
                8 * self.slowest.0 + self.delays.values().map(|extra| 4 * extra.0).sum::<u64>();
            let is_calm = self.conditions.is_empty() && self.disturbed + Span(aftermath) < at;
            assert!(
                in_flight || !is_calm,
                "{now} s: {status:?} of {framework:?} was acknowledged at {at} s, and is sent again"
            );
        }
    }

    fn note(&mut self, now: Time, note: &Note<'_>) {
        if let Note::Launched { key, .. } = note {
            self.told.insert(*key, Told::default());
        } else if let Note::Sent { framework, status } = note {
            self.sent(now, *framework, status);
        } else if let Note::Acknowledged { key, uuid } = note {
            let sent = self.updates.get_mut(&(*key, *uuid));
            let sent = sent.unwrap_or_else(|| panic!("{now} s: {uuid:?} of {key:?} was never sent"));
            sent.get_or_insert(now);
            if let Some(told) = self.told.get_mut(key) {
                told.acknowledged(*uuid);
            }
        } else if let Note::FrameworkRemoved { framework } = note {
            self.removed.insert(*framework);
        } else if let Note::AgentConnected { .. } | Note::AgentEnded { .. } | Note::AgentAdded { .. } = note {
            self.disturbed = now;
        }
    }
}

impl Checker for Updates {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn observe(&mut self, now: Time, record: &Record<'_>) {
        if let Record::Master(note) = record {
            self.note(now, note);
        } else if let Record::Fault { cause, action } = record {
            self.disturbed = now;
            if let Action::LinkCut { .. } | Action::LinkLoss { .. } | Action::LinkDelay { .. } = action {
                self.conditions.insert(*cause);
            }
            if let Action::LinkDelay { extra, .. } = action {
                self.delays.insert(*cause, *extra);
            } else if let Action::LinkHeal { .. } = action {
                self.conditions.remove(cause);
            }
        } else if let Record::MasterFailed | Record::MasterElected = record {
            self.disturbed = now;
        }
    }

    fn settled(&self, now: Time) {
        for (key, told) in self.told.iter().filter(|(key, _)| !self.removed.contains(&key.framework)) {
            let is_over = told.state.is_some_and(|state| {
                state.is_terminal() || matches!(state, TaskState::Unreachable | TaskState::Unknown)
            });
            assert!(is_over, "{now} s: the last news of {key:?} was {told:?}, and it is over");
        }
    }
}
