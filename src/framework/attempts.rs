//! Attempts at tasks: which are under way, which are away with their agents, and what is tried once more.
//!
//! A task that its job has is tried until one attempt finishes or too many have failed. An attempt on an agent that does not
//! answer is replaced at once; if it comes back while its replacement is not over, it is killed, and if it comes back finished,
//! the replacement is.
//!
//! An attempt that was given up for good may still be told to run: when the connection to an agent breaks, the master forgets
//! the tasks of frameworks that do not checkpoint, and the agent, back soon after, runs them on. Such a stray is killed every
//! time it is heard of, and asked about, until it is said to be over.

use std::collections::BTreeMap;

use mesos::{
    id::{AgentId, TaskId},
    task::{Reason, TaskState, TaskStatus},
};
use rustc_hash::FxHashMap;

use crate::workload::TaskSpec;

/// An attempt that was launched.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<K> {
    /// The task, as its job has it.
    pub task: TaskId,
    /// What it asks for.
    pub spec: TaskSpec,
    /// Its place in the queue, if it is to be tried again.
    pub place: K,
    /// Where it was launched.
    pub agent: AgentId,
}

/// What is to be done about an update.
#[derive(Clone, Debug)]
pub enum Verdict<K> {
    /// Nothing.
    Fine,
    /// Queue the task again; under the same id, if the attempt never was.
    Retry {
        /// What was tried.
        attempt: Attempt<K>,
        /// Whether the id can be used again.
        same_id: bool,
    },
    /// End another attempt at the same task, which is queued or runs.
    Drop(TaskId),
    /// End this attempt: another has taken its place.
    Kill,
}

/// How a task fares of which something went wrong.
#[derive(Clone, Debug, Default)]
struct Trouble {
    failures: u32,
    /// Attempts that are queued or launched, away ones left out.
    current: Option<TaskId>,
    is_over: bool,
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Attempts<K> {
    most_failures: u32,
    launched: FxHashMap<TaskId, Attempt<K>>,
    /// On agents that do not answer.
    away: BTreeMap<TaskId, Attempt<K>>,
    /// Only tasks of which something went wrong.
    troubles: FxHashMap<TaskId, Trouble>,
    /// Given up for good, and told to run since; where.
    strays: BTreeMap<TaskId, Option<AgentId>>,
    /// Launched before the stream broke, or strays then, and not heard of since.
    unconfirmed: BTreeMap<TaskId, Option<AgentId>>,
}

impl<K: Copy> Attempts<K> {
    /// A task is given up when it has failed more often than `retries`.
    #[must_use]
    pub fn new(retries: u32) -> Self {
        Self {
            most_failures: retries,
            launched: FxHashMap::default(),
            away: BTreeMap::new(),
            troubles: FxHashMap::default(),
            strays: BTreeMap::new(),
            unconfirmed: BTreeMap::new(),
        }
    }

    /// How many are under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.launched.len()
    }

    /// Whether none is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.launched.is_empty()
    }

    /// An attempt is on its way to the master.
    pub fn launch(&mut self, id: TaskId, attempt: Attempt<K>) {
        self.launched.insert(id, attempt);
    }

    /// The task is queued once more, under this id.
    pub fn retry(&mut self, task: TaskId, id: TaskId) {
        self.troubles.entry(task).or_default().current = Some(id);
    }

    /// The stream broke: nobody knows how the attempts fare.
    #[expect(clippy::disallowed_methods, reason = "they are put in order at once")]
    pub fn disconnected(&mut self) {
        self.unconfirmed = self.strays.clone();
        self.unconfirmed.extend(self.launched.iter().chain(&self.away).map(|(&id, of)| (id, Some(of.agent))));
    }

    /// Attempts to ask the master about.
    pub fn unconfirmed(&self) -> Vec<(TaskId, Option<AgentId>)> {
        self.unconfirmed.iter().map(|(&id, &agent)| (id, agent)).collect()
    }

    /// Whether the master is to be asked about any.
    #[must_use]
    pub fn is_any_unconfirmed(&self) -> bool {
        !self.unconfirmed.is_empty()
    }

    /// The master has forgotten everything: all attempts under way, to be tried again, in order of their ids.
    #[expect(clippy::disallowed_methods, reason = "they are put in order at once")]
    pub fn forget_all(&mut self) -> Vec<(TaskId, Attempt<K>)> {
        self.away.clear();
        self.strays.clear();
        self.unconfirmed.clear();
        let mut all: Vec<_> = self.launched.drain().collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all
    }

    /// What follows from the news of an attempt.
    pub fn update(&mut self, status: &TaskStatus) -> Verdict<K> {
        use TaskState::{
            Dropped, Error, Failed, Finished, Gone, GoneByOperator, Killed, Killing, Lost, Running, Staging,
            Starting, Unknown, Unreachable,
        };
        let id = status.task;
        if !self.unconfirmed.is_empty() {
            self.unconfirmed.remove(&id);
        }
        if !self.strays.is_empty() {
            self.strays.remove(&id);
        }
        match status.state {
            Staging | Starting | Running | Killing => self.alive(id, status.agent),
            Finished => self.finished(id),
            Failed | Error => self.failed(id),
            Unreachable => self.lost(id, false),
            // Without partition awareness this is what an unreachable agent looks like, too.
            Lost => self.lost(id, status.reason == Some(Reason::InvalidOffers)),
            Dropped if status.reason == Some(Reason::InvalidOffers) => self.lost(id, true),
            Killed | Dropped | Gone | GoneByOperator | Unknown => {
                let verdict = self.lost(id, false);
                self.away.remove(&id);
                verdict
            }
        }
    }

    fn alive(&mut self, id: TaskId, agent: Option<AgentId>) -> Verdict<K> {
        if let Some(attempt) = self.launched.get(&id) {
            let is_over = self.troubles.get(&attempt.task).is_some_and(|trouble| trouble.is_over);
            return if is_over { Verdict::Kill } else { Verdict::Fine }; // the first order to kill it was lost
        }
        let Some(&attempt) = self.away.get(&id) else {
            self.strays.insert(id, agent);
            return Verdict::Kill;
        };
        let trouble = self.troubles.entry(attempt.task).or_default();
        if trouble.is_over || trouble.current.is_some_and(|current| current != id) {
            return Verdict::Kill;
        }
        self.away.remove(&id);
        self.launched.insert(id, attempt);
        Verdict::Fine
    }

    fn finished(&mut self, id: TaskId) -> Verdict<K> {
        let Some(attempt) = self.launched.remove(&id).or_else(|| self.away.remove(&id)) else {
            return Verdict::Fine;
        };
        let Some(trouble) = self.troubles.get_mut(&attempt.task) else { return Verdict::Fine };
        trouble.is_over = true;
        match trouble.current.take() {
            Some(other) if other != id => Verdict::Drop(other),
            Some(_) | None => Verdict::Fine,
        }
    }

    fn failed(&mut self, id: TaskId) -> Verdict<K> {
        let Some(attempt) = self.launched.remove(&id).or_else(|| self.away.remove(&id)) else {
            return Verdict::Fine;
        };
        let trouble = self.troubles.entry(attempt.task).or_default();
        if trouble.is_over || trouble.current.is_some_and(|current| current != id) {
            return Verdict::Fine;
        }
        trouble.current = None;
        trouble.failures += 1;
        trouble.is_over = trouble.failures > self.most_failures;
        if trouble.is_over { Verdict::Fine } else { Verdict::Retry { attempt, same_id: false } }
    }

    fn lost(&mut self, id: TaskId, never_was: bool) -> Verdict<K> {
        let Some(attempt) = self.launched.remove(&id) else { return Verdict::Fine };
        if !never_was {
            self.away.insert(id, attempt);
        }
        let Some(trouble) = self.troubles.get(&attempt.task) else {
            return Verdict::Retry { attempt, same_id: never_was };
        };
        if trouble.is_over || trouble.current.is_some_and(|current| current != id) {
            return Verdict::Fine;
        }
        Verdict::Retry { attempt, same_id: never_was }
    }
}

#[cfg(test)]
mod tests {
    use mesos::{
        id::Id,
        resource::Scalar,
        task::Source,
        time::{Span, Time},
    };

    use super::*;
    use crate::workload::{Demand, GpuDemand, ModelSet};

    fn told(task: TaskId, state: TaskState) -> TaskStatus {
        let (agent, source) = (Some(AgentId::new(3)), Source::Master);
        TaskStatus { task, agent, state, source, reason: None, uuid: None, timestamp: Time::ZERO, more: None }
    }

    /// One attempt at one task.
    fn launched() -> (Attempts<u32>, TaskId) {
        let (gpus, models) = (GpuDemand::None, ModelSet::ANY);
        let (cpus, mem, disk) = (Scalar::whole(1), Scalar::ZERO, Scalar::ZERO);
        let demand = Demand { cpus, mem, disk, gpus, models, revocable: false };
        let spec = TaskSpec { demand, runtime: Span::from_secs(1), profile: 0 };
        let mut attempts = Attempts::new(0);
        let id = TaskId::new(0);
        attempts.launch(id, Attempt { task: id, spec, place: 0, agent: AgentId::new(3) });
        (attempts, id)
    }

    #[test]
    fn a_stray_is_killed_each_time_it_is_told_to_run() {
        let (mut attempts, id) = launched();
        assert!(matches!(attempts.update(&told(id, TaskState::Killed)), Verdict::Retry { .. }));
        for _ in 0..2 {
            assert!(matches!(attempts.update(&told(id, TaskState::Running)), Verdict::Kill));
        }
    }

    #[test]
    fn the_master_is_asked_about_strays_until_they_are_over() {
        let (mut attempts, id) = launched();
        attempts.update(&told(id, TaskState::Killed));
        attempts.disconnected();
        assert_eq!(attempts.unconfirmed(), [], "it is over");
        attempts.update(&told(id, TaskState::Running));
        attempts.disconnected();
        assert_eq!(attempts.unconfirmed(), [(id, Some(AgentId::new(3)))]);
        attempts.update(&told(id, TaskState::Unknown));
        attempts.disconnected();
        assert_eq!(attempts.unconfirmed(), []);
    }

    #[test]
    fn an_attempt_at_a_task_that_is_over_is_killed_again_if_the_first_order_was_lost() {
        let (mut attempts, id) = launched();
        let Verdict::Retry { attempt, .. } = attempts.update(&told(id, TaskState::Unreachable)) else {
            panic!("it is to be tried again");
        };
        let other = TaskId::new(7);
        attempts.retry(attempt.task, other);
        attempts.launch(other, attempt);
        assert!(matches!(attempts.update(&told(other, TaskState::Running)), Verdict::Fine));
        let verdict = attempts.update(&told(id, TaskState::Finished));
        assert!(matches!(verdict, Verdict::Drop(dropped) if dropped == other));
        assert!(matches!(attempts.update(&told(other, TaskState::Running)), Verdict::Kill));
    }
}
