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

/// Its books.
pub struct Updates {
    slowest: Span,
    /// What the framework of each launched task heard last.
    told: BTreeMap<TaskKey, Option<TaskState>>,
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
            *told = Some(status.state);
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
            self.told.insert(*key, None);
        } else if let Note::Sent { framework, status } = note {
            self.sent(now, *framework, status);
        } else if let Note::Acknowledged { key, uuid } = note {
            let sent = self.updates.get_mut(&(*key, *uuid));
            let sent = sent.unwrap_or_else(|| panic!("{now} s: {uuid:?} of {key:?} was never sent"));
            sent.get_or_insert(now);
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
            let is_over = told.is_some_and(|state| {
                state.is_terminal() || matches!(state, TaskState::Unreachable | TaskState::Unknown)
            });
            assert!(is_over, "{now} s: the last news of {key:?} was {told:?}, and it is over");
        }
    }
}
