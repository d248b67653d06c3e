//! Status updates and their way to the framework (Mesos' `TaskStatusUpdateManager`).
//!
//! The updates of a task wait in a queue. Only the head is sent, and sent again (after 10 s, doubling up to 10 min) until the
//! framework's acknowledgement comes back. Nothing is sent while no master has the agent registered; once one has, all heads
//! are sent at once.

use super::{
    Agent,
    tasks::{Task, Update},
    timers::Timer,
};
use crate::{
    capability::Capabilities,
    effects::AgentEffects,
    event::{FromAgent, StatusUpdate},
    id::{AgentId, FrameworkId, StatusId},
    task::{Reason, Source, StatusMore, TaskKey, TaskState},
    time::{Span, Time},
};

/// First and longest wait before an unacknowledged update is sent again (`STATUS_UPDATE_RETRY_INTERVAL_MIN`, `_MAX`).
const RETRY_MIN: Span = Span::from_secs(10);
const RETRY_MAX: Span = Span::from_secs(600);

/// What is to be told of a task.
#[derive(Debug)]
pub(super) struct News {
    pub(super) state: TaskState,
    pub(super) source: Source,
    pub(super) reason: Option<Reason>,
    pub(super) more: Option<Box<StatusMore>>,
}

impl News {
    /// The agent's own words.
    pub(super) fn of_agent(state: TaskState, reason: Reason, message: &str) -> Self {
        Self { state, source: Source::Agent, reason: Some(reason), more: StatusMore::message(message) }
    }
}

/// How long to wait for the answer to something that was sent so often before.
pub(super) fn retry_wait(sends: u8) -> Span {
    Span(RETRY_MIN.0 << sends.min(6)).min(RETRY_MAX)
}

impl Agent {
    /// A task has a new state: its books change, and the news go out when their turn comes (`Slave::statusUpdate`).
    pub(super) fn record(&mut self, now: Time, place: usize, news: News, out: &mut impl AgentEffects) {
        let (state, reason) = self.as_told(self.tasks[place].framework, news.state, news.reason);
        let uuid = self.next_status();
        let task = &mut self.tasks[place];
        assert!(!task.is_over(), "{:?} is {:?} and cannot become {state:?}", task.key(), task.state);
        task.state = state;
        task.updates.push(Update {
            uuid,
            timestamp: now,
            more: news.more,
            state,
            source: news.source,
            reason,
        });
        if state.is_terminal() {
            let resources = task.info.resources.clone();
            self.release(&resources);
        }
        if self.tasks[place].updates.len() == 1 && self.is_registered() {
            self.tasks[place].sends = 0;
            self.send_head(now, place, out);
        }
    }

    pub(super) const fn next_status(&mut self) -> StatusId {
        self.statuses += 1;
        StatusId(self.statuses - 1)
    }

    /// The framework has seen an update; one that was acknowledged before is not looked for.
    pub(super) fn acknowledged(
        &mut self,
        now: Time,
        key: TaskKey,
        uuid: StatusId,
        out: &mut impl AgentEffects,
    ) {
        let Some(place) = self.place(key) else { return };
        let task = &mut self.tasks[place];
        if task.updates.first().is_none_or(|head| head.uuid != uuid) {
            return;
        }
        task.updates.remove(0);
        task.sends = 0;
        if !task.updates.is_empty() {
            if self.is_registered() {
                self.send_head(now, place, out);
            }
        } else if task.is_over() {
            self.forget_task(place);
            self.end_drain_if_empty();
        }
    }

    /// All heads go out at once, and wait as if for the first time.
    pub(super) fn send_all_heads(&mut self, now: Time, out: &mut impl AgentEffects) {
        for key in self.keys_of(|task| !task.updates.is_empty()) {
            let place = self.place(key).expect("no task is forgotten by sending its updates");
            self.tasks[place].sends = 0;
            self.send_head(now, place, out);
        }
    }

    pub(super) fn retry_update(
        &mut self,
        now: Time,
        uuid: StatusId,
        key: TaskKey,
        out: &mut impl AgentEffects,
    ) {
        if let Some(place) = self.place_of_head(uuid, key) {
            self.send_head(now, place, out);
        }
    }

    /// The place of this task, if this is still the head of its updates.
    pub(super) fn place_of_head(&self, uuid: StatusId, key: TaskKey) -> Option<usize> {
        let place = self.place(key)?;
        self.tasks[place].updates.first().is_some_and(|head| head.uuid == uuid).then_some(place)
    }

    /// The master knows tasks that this agent did not name: those that it does not have are told to be lost, without asking
    /// for an acknowledgement. Of the others the heads are on their way (`Slave::reregistered`).
    pub(super) fn reconcile(&self, now: Time, keys: &[TaskKey], out: &mut impl AgentEffects) {
        let Some(agent) = self.id else { return };
        for &key in keys.iter().filter(|&&key| self.place(key).is_none()) {
            let (state, reason) =
                self.as_told(key.framework, TaskState::Dropped, Some(Reason::Reconciliation));
            let more = StatusMore::message("Reconciliation: task unknown to the agent");
            let (source, uuid) = (Source::Agent, None);
            let update =
                StatusUpdate { key, state, latest: state, source, reason, uuid, timestamp: now, more };
            out.send_to_master(FromAgent::Update(agent, update));
        }
    }

    fn send_head(&mut self, now: Time, place: usize, out: &mut impl AgentEffects) {
        let Some(agent) = self.id else { return };
        let task = &mut self.tasks[place];
        let at = now + retry_wait(task.sends);
        task.sends = task.sends.saturating_add(1);
        self.timers.start(at, Timer::Update(task.updates[0].uuid, task.key()));
        out.send_to_master(head_of(agent, task));
    }

    /// What is told instead: an agent that is drained says so, and frameworks hear only of states that they know. (Quirk: a
    /// task that is merely being killed is gone by an operator's word too, if its agent will be marked gone.)
    fn as_told(
        &self,
        framework: FrameworkId,
        state: TaskState,
        reason: Option<Reason>,
    ) -> (TaskState, Option<Reason>) {
        let is_kill = matches!(state, TaskState::Killing | TaskState::Killed);
        match self.drain {
            Some(drain) if is_kill => {
                let state = if drain.mark_gone && self.is_partition_aware(framework) {
                    TaskState::GoneByOperator
                } else {
                    state
                };
                (state, Some(Reason::AgentDraining))
            }
            Some(_) | None if state.seen_by(false) == state => (state, reason),
            Some(_) | None => (state.seen_by(self.is_partition_aware(framework)), reason),
        }
    }

    /// One of which nothing is known here is taken for one that is: the newer states say more.
    fn is_partition_aware(&self, framework: FrameworkId) -> bool {
        self.framework(framework).is_none_or(|of| of.info.capabilities.has(Capabilities::PARTITION_AWARE))
    }
}

fn head_of(agent: AgentId, task: &Task) -> FromAgent {
    let head = &task.updates[0];
    let update = StatusUpdate {
        key: task.key(),
        state: head.state,
        latest: task.state,
        source: head.source,
        reason: head.reason,
        uuid: Some(head.uuid),
        timestamp: head.timestamp,
        more: head.more.clone(),
    };
    FromAgent::Update(agent, update)
}
