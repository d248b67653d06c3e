//! Which attempts are launched, which were given up and may come back, and which are to end: what a scheduler must remember so
//! that nothing runs that nobody wants, whatever is lost on the way.

use std::collections::{BTreeMap, BTreeSet};

use mesos::{
    id::{AgentId, Id, TaskId},
    task::{Reason, TaskState, TaskStatus},
    time::Time,
};

use super::{
    FIRST_RETRY,
    application::{Attempt, End},
};

/// What an update means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    /// Nothing new.
    Nothing,
    /// The attempt runs.
    Started(Attempt),
    /// The attempt is over.
    Over(Attempt, End),
    /// An attempt that was given up runs: it is to end.
    Ghost,
}

/// See the [module](self).
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    launched: BTreeMap<TaskId, Attempt>,
    /// One bit for each task that was ever launched.
    tried: Vec<u64>,
    /// Given up, and perhaps alive where nobody sees it.
    ghosts: BTreeMap<TaskId, AgentId>,
    /// Launched or alive again, and asked to end.
    ending: BTreeSet<TaskId>,
    /// Nothing was heard of it since the stream broke.
    unconfirmed: BTreeMap<TaskId, AgentId>,
}

impl Ledger {
    /// How many are launched; while something is to be asked about others, at least one.
    pub(super) fn len(&self) -> usize {
        self.launched.len().max(usize::from(!self.unconfirmed.is_empty()))
    }

    pub(super) fn get(&self, id: TaskId) -> Option<&Attempt> {
        self.launched.get(&id)
    }

    /// Whether the task was launched before; from now on it was.
    pub(super) fn try_again(&mut self, task: TaskId) -> bool {
        assert!(task.index() < FIRST_RETRY, "{task:?} is an attempt, not a task");
        let (word, bit) = (task.index() / 64, 1 << (task.index() % 64));
        if word >= self.tried.len() {
            self.tried.resize(word + 1, 0);
        }
        let was_tried = self.tried[word] & bit != 0;
        self.tried[word] |= bit;
        was_tried
    }

    pub(super) fn launch(&mut self, attempt: Attempt) {
        let earlier = self.launched.insert(attempt.id, attempt);
        assert!(earlier.is_none(), "{attempt:?} is launched already: {earlier:?}");
    }

    /// Asks an attempt to end. `None` if it is not launched or was asked before.
    pub(super) fn end(&mut self, id: TaskId) -> Option<AgentId> {
        let attempt = self.launched.get(&id)?;
        self.ending.insert(id).then_some(attempt.agent)
    }

    /// All that were asked to end and have not.
    pub(super) fn ending(&self) -> impl Iterator<Item = (TaskId, Option<AgentId>)> {
        self.ending.iter().map(|&id| {
            let launched = self.launched.get(&id).map(|attempt| attempt.agent);
            (id, launched.or_else(|| self.ghosts.get(&id).copied()))
        })
    }

    pub(super) fn has_ending(&self) -> bool {
        !self.ending.is_empty()
    }

    /// The stream broke: nobody knows how the attempts fare.
    pub(super) fn disconnected(&mut self) {
        let launched = self.launched.iter().map(|(&id, attempt)| (id, attempt.agent));
        self.unconfirmed = launched.chain(self.ghosts.iter().map(|(&id, &agent)| (id, agent))).collect();
    }

    /// Attempts to ask the master about.
    pub(super) fn unconfirmed(&self) -> Vec<(TaskId, Option<AgentId>)> {
        self.unconfirmed.iter().map(|(&id, &agent)| (id, Some(agent))).collect()
    }

    /// Whether the master is to be asked about any.
    pub(super) fn is_any_unconfirmed(&self) -> bool {
        !self.unconfirmed.is_empty()
    }

    /// The master has forgotten everything: all that was launched, by ascending id.
    pub(super) fn forget_all(&mut self) -> Vec<(Attempt, End)> {
        let ending = std::mem::take(&mut self.ending);
        self.ghosts.clear();
        self.unconfirmed.clear();
        let all = std::mem::take(&mut self.launched).into_values();
        all.map(|attempt| (attempt, if ending.contains(&attempt.id) { End::Asked } else { End::Lost }))
            .collect()
    }

    pub(super) fn update(&mut self, now: Time, status: &TaskStatus) -> Meaning {
        use TaskState::{
            Dropped, Error, Failed, Finished, Gone, GoneByOperator, Killed, Killing, Lost, Running, Staging,
            Starting, Unknown, Unreachable,
        };
        self.unconfirmed.remove(&status.task);
        match status.state {
            Staging | Starting | Running | Killing => self.alive(now, status),
            Finished => self.over(status.task, End::Finished, false),
            Failed | Error => self.over(status.task, End::Failed, false),
            Unreachable => self.over(status.task, End::Lost, true),
            // Without partition awareness this is what an unreachable agent looks like, too.
            Lost => self.over(status.task, End::Lost, status.reason != Some(Reason::InvalidOffers)),
            Killed | Dropped | Gone | GoneByOperator | Unknown => self.over(status.task, End::Lost, false),
        }
    }

    fn alive(&mut self, now: Time, status: &TaskStatus) -> Meaning {
        let Some(attempt) = self.launched.get_mut(&status.task) else {
            if let Some(agent) = status.agent {
                self.ghosts.insert(status.task, agent);
            }
            return if self.ending.insert(status.task) { Meaning::Ghost } else { Meaning::Nothing };
        };
        if status.state != TaskState::Running || attempt.started.is_some() {
            return Meaning::Nothing;
        }
        attempt.started = Some(now);
        Meaning::Started(*attempt)
    }

    fn over(&mut self, id: TaskId, end: End, may_come_back: bool) -> Meaning {
        let was_asked = self.ending.remove(&id);
        let launched = self.launched.remove(&id);
        match (may_come_back, &launched) {
            (true, Some(attempt)) => drop(self.ghosts.insert(id, attempt.agent)),
            (true, None) => {}
            (false, _) => drop(self.ghosts.remove(&id)),
        }
        let Some(attempt) = launched else { return Meaning::Nothing };
        Meaning::Over(attempt, if was_asked && end != End::Finished { End::Asked } else { end })
    }
}
