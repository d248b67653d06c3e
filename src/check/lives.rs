//! Every attempt lives one life: its state changes as it may, it runs once, ends once, and lets go of what it held once.

use std::collections::BTreeMap;

use mesos::{
    effects::Note,
    id::{AgentId, FrameworkId, StatusId},
    task::{TaskKey, TaskState},
    time::Time,
};

use super::{Checker, CheckerEntry};
use crate::record::Record;

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "lives",
    about: "states change as they may, every attempt starts and ends at most once",
    build: |_| Box::new(Lives::default()),
};

#[derive(Debug, Default)]
struct Life {
    agent: Option<AgentId>,
    /// In the books of the present master, or the last that it knew.
    state: Option<TaskState>,
    /// Among the master's active tasks.
    is_known: bool,
    has_started: bool,
    has_ended: bool,
    /// The update that tells its end, and whether its agent was told that the framework has acknowledged it.
    end: Option<StatusId>,
    is_acknowledged: bool,
}

/// Its books.
#[derive(Default)]
pub struct Lives {
    lives: BTreeMap<TaskKey, Life>,
    removed: Vec<FrameworkId>,
}

impl Lives {
    fn known(&mut self, now: Time, key: TaskKey, what: &str) -> &mut Life {
        let life = self.lives.get_mut(&key);
        life.unwrap_or_else(|| panic!("{now} s: {key:?} {what}, and was never launched"))
    }

    fn launched(&mut self, now: Time, key: TaskKey, agent: AgentId) {
        let life =
            Life { agent: Some(agent), state: Some(TaskState::Staging), is_known: true, ..Life::default() };
        let earlier = self.lives.insert(key, life);
        assert!(earlier.is_none(), "{now} s: {key:?} is launched on {agent:?}, and was before: {earlier:?}");
    }

    fn changed(&mut self, now: Time, key: TaskKey, next: TaskState) {
        let life = self.known(now, key, "changes");
        let Some(state) = life.state else {
            panic!("{now} s: {key:?} becomes {next:?}, unknown to this master")
        };
        // Lost is what an unreachable task is called in front of a framework that is not partition-aware.
        let legal = state != next && state.may_become(next);
        assert!(legal, "{now} s: {key:?} becomes {next:?} after {state:?}: {life:?}");
        life.state = Some(next);
    }

    /// What an agent says of a task that was thought lost is believed; what it had said before it cannot take back.
    fn readmitted(&mut self, now: Time, key: TaskKey, agent: AgentId, next: TaskState) {
        let life = self.known(now, key, "comes back");
        assert!(!life.is_known, "{now} s: {key:?} comes back on {agent:?}, and was not away: {life:?}");
        assert_eq!(life.agent, Some(agent), "{now} s: {key:?} comes back elsewhere");
        let may_come_back = match life.state {
            None | Some(TaskState::Unreachable | TaskState::Lost) => true,
            Some(state) => state == next || !state.is_terminal(),
        };
        assert!(may_come_back, "{now} s: {key:?} comes back {next:?}: {life:?}");
        (life.state, life.is_known) = (Some(next), true);
    }

    fn note(&mut self, now: Time, note: &Note<'_>) {
        if let Note::Launched { key, task, .. } = note {
            self.launched(now, *key, task.agent);
        } else if let Note::TaskState { key, state } = note {
            self.changed(now, *key, *state);
        } else if let Note::Recovered { key, .. } = note {
            let life = self.known(now, *key, "lets go");
            let may = life.state.is_some_and(|state| state.is_terminal() || state == TaskState::Unreachable);
            assert!(may, "{now} s: {key:?} lets go of what it holds: {life:?}");
        } else if let Note::Readmitted { key, task, state, .. } = note {
            self.readmitted(now, *key, task.agent, *state);
        } else if let Note::TaskForgotten { key } = note {
            let life = self.known(now, *key, "is forgotten");
            assert!(std::mem::take(&mut life.is_known), "{now} s: {key:?} is forgotten twice: {life:?}");
        } else if let Note::Sent { framework, status } = note {
            let life = self.lives.get_mut(&TaskKey { framework: *framework, task: status.task });
            if let (Some(life), Some(uuid), true) = (life, status.uuid, status.state.is_terminal()) {
                life.end = Some(uuid);
            }
        } else if let Note::Acknowledged { key, uuid } = note {
            if let Some(life) = self.lives.get_mut(key) {
                life.is_acknowledged |= life.end == Some(*uuid);
            }
        } else if let Note::FrameworkRemoved { framework } = note {
            self.removed.push(*framework);
        }
    }

    fn started(&mut self, now: Time, key: TaskKey, agent: AgentId) {
        let life = self.known(now, key, "starts");
        assert_eq!(life.agent, Some(agent), "{now} s: {key:?} starts elsewhere");
        assert!(!life.has_started && !life.has_ended, "{now} s: {key:?} starts again: {life:?}");
        life.has_started = true;
    }

    fn ended(&mut self, now: Time, key: TaskKey) {
        let life = self.known(now, key, "ends");
        assert!(!life.has_ended, "{now} s: {key:?} ends again: {life:?}");
        life.has_ended = true;
    }
}

impl Checker for Lives {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn observe(&mut self, now: Time, record: &Record<'_>) {
        if let Record::Master(note) = record {
            self.note(now, note);
        } else if let Record::TaskStarted { key, agent } = record {
            self.started(now, *key, *agent);
        } else if let Record::TaskEnded { key, .. } = record {
            self.ended(now, *key);
        } else if let Record::MasterFailed = record {
            for life in self.lives.values_mut() {
                (life.state, life.is_known) = (None, false);
            }
        }
    }

    /// A framework that was over may be known again from an agent after a failover; nobody will acknowledge its updates.
    ///
    /// A task that is over may be left with the master if its framework has acknowledged its end: an agent that is registering
    /// again names it, and repeats that until it is heard; the acknowledgement comes, and the agent forgets the task; the
    /// master declares the agent unreachable, hears the repetition, takes the agent back, and with it all tasks named
    /// (`Master::__reregisterSlave`). Of what the agent does not have in that case nobody tells the master (only
    /// `reconcileKnownSlave` asks, when the agent registers once more). Nothing is held by such a task.
    fn settled(&self, now: Time) {
        for (key, life) in self.lives.iter().filter(|(key, _)| !self.removed.contains(&key.framework)) {
            assert!(life.has_ended || !life.has_started, "{now} s: {key:?} never ended: {life:?}");
            let is_ghost = life.is_acknowledged && life.state.is_some_and(TaskState::is_terminal);
            assert!(!life.is_known || is_ghost, "{now} s: {key:?} is left with the master: {life:?}");
        }
    }
}
