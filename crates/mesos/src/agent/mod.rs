//! The agent-side machine: starts tasks, and sees to it that every status update is heard.
//!
//! Updates of a task wait in a queue; only the head is sent, and sent again (after 10 s, doubling up to 10 min) until the
//! framework's acknowledgement comes back. Executors, containers, checkpointing and draining are not there yet: the driver
//! plays the executor and says when a task changes.

use std::{cmp::Reverse, collections::BinaryHeap};

use smallvec::SmallVec;

use crate::{
    effects::AgentEffects,
    event::{FromAgent, ToAgent},
    id::{AgentId, StatusId},
    resource::Resources,
    task::{TaskInfo, TaskKey, TaskState},
    time::{Span, Time},
};

/// First and longest wait before an unacknowledged update is sent again (`STATUS_UPDATE_RETRY_INTERVAL_MIN`, `_MAX`).
const RETRY_MIN: Span = Span::from_secs(10);
const RETRY_MAX: Span = Span::from_secs(600);

#[derive(Debug)]
struct Task {
    key: TaskKey,
    resources: Resources,
    state: TaskState,
    /// Not yet acknowledged; the first one is with the master.
    updates: SmallVec<[(StatusId, TaskState); 2]>,
    backoff: Span,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Agent {
    id: Option<AgentId>,
    total: Resources,
    free: Resources,
    tasks: Vec<Task>,
    next_status: u64,
    /// When heads are to be sent again; entries of acknowledged ones are skipped.
    retries: BinaryHeap<Reverse<(Time, StatusId)>>,
}

impl Agent {
    /// An agent that has these resources and is not registered yet.
    #[must_use]
    pub fn new(total: Resources) -> Self {
        let free = total.clone();
        Self { id: None, total, free, tasks: Vec::new(), next_status: 0, retries: BinaryHeap::new() }
    }

    /// Its id, once it is registered.
    #[must_use]
    pub const fn id(&self) -> Option<AgentId> {
        self.id
    }

    /// What no task on it holds.
    #[must_use]
    pub const fn free(&self) -> &Resources {
        &self.free
    }

    /// All it has.
    #[must_use]
    pub const fn total(&self) -> &Resources {
        &self.total
    }

    /// A message of the master.
    pub fn handle_master(&mut self, now: Time, message: ToAgent, out: &mut impl AgentEffects) {
        match message {
            ToAgent::Registered(id) => self.id = Some(id),
            ToAgent::Run { framework, task } => self.run(TaskKey { framework, task: task.id }, task, out),
            ToAgent::Acknowledge { key, uuid } => self.acknowledged(now, key, uuid, out),
        }
    }

    /// The executor says that a task has a new state. Panics if the task is unknown or cannot change so.
    pub fn handle_executor(
        &mut self,
        now: Time,
        key: TaskKey,
        state: TaskState,
        out: &mut impl AgentEffects,
    ) {
        let place =
            self.place(key).unwrap_or_else(|| panic!("the executor reports {state:?} of unknown {key:?}"));
        let task = &mut self.tasks[place];
        assert!(task.state.may_become(state), "{key:?} cannot go from {:?} to {state:?}", task.state);
        task.state = state;
        if state.is_terminal() {
            self.free += &task.resources;
        }
        let uuid = StatusId(self.next_status);
        self.next_status += 1;
        task.updates.push((uuid, state));
        if task.updates.len() == 1 {
            self.send_head(now, place, RETRY_MIN, out);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) next has something to do.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Time> {
        self.retries.peek().map(|Reverse((at, _))| *at)
    }

    /// Sends again what was not acknowledged in time.
    pub fn handle_timeout(&mut self, now: Time, out: &mut impl AgentEffects) {
        while let Some(&Reverse((at, uuid))) = self.retries.peek() {
            if at > now {
                break;
            }
            self.retries.pop();
            if let Some(place) = self.place_of_head(uuid) {
                let backoff = Span((self.tasks[place].backoff.0 * 2).min(RETRY_MAX.0));
                self.send_head(now, place, backoff, out);
            }
        }
        self.forget_answered_retries();
    }

    fn run(&mut self, key: TaskKey, task: TaskInfo, out: &mut impl AgentEffects) {
        let (resources, state) = (task.resources.clone(), TaskState::Staging);
        assert!(
            self.free.contains(&resources),
            "{key:?} asks {resources:?} of {:?}, free are {:?} of {:?}",
            self.id,
            self.free,
            self.total
        );
        self.free -= &resources;
        self.tasks.push(Task { key, resources, state, updates: SmallVec::new(), backoff: RETRY_MIN });
        out.start(key, task);
    }

    fn acknowledged(&mut self, now: Time, key: TaskKey, uuid: StatusId, out: &mut impl AgentEffects) {
        let Some(place) = self.place(key) else { return };
        let task = &mut self.tasks[place];
        if task.updates.first().is_none_or(|&(head, _)| head != uuid) {
            return; // of an update that was acknowledged before
        }
        task.updates.remove(0);
        if !task.updates.is_empty() {
            self.send_head(now, place, RETRY_MIN, out);
        } else if task.state.is_terminal() {
            self.tasks.swap_remove(place);
        }
        self.forget_answered_retries();
    }

    fn send_head(&mut self, now: Time, place: usize, backoff: Span, out: &mut impl AgentEffects) {
        let task = &mut self.tasks[place];
        let (uuid, state) = task.updates[0];
        task.backoff = backoff;
        self.retries.push(Reverse((now + backoff, uuid)));
        out.send_to_master(FromAgent::Update { key: task.key, state, latest: task.state, uuid });
    }

    fn forget_answered_retries(&mut self) {
        while let Some(&Reverse((_, uuid))) = self.retries.peek()
            && self.place_of_head(uuid).is_none()
        {
            self.retries.pop();
        }
    }

    fn place(&self, key: TaskKey) -> Option<usize> {
        self.tasks.iter().position(|task| task.key == key)
    }

    fn place_of_head(&self, uuid: StatusId) -> Option<usize> {
        self.tasks.iter().position(|task| task.updates.first().is_some_and(|&(head, _)| head == uuid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{FrameworkId, Id, TaskId},
        resource::parse_quantities,
    };

    #[derive(Default)]
    struct Out {
        sent: Vec<(TaskState, StatusId)>,
        started: usize,
    }

    impl AgentEffects for Out {
        fn send_to_master(&mut self, FromAgent::Update { state, uuid, .. }: FromAgent) {
            self.sent.push((state, uuid));
        }
        fn start(&mut self, _: TaskKey, _: TaskInfo) {
            self.started += 1;
        }
    }

    const KEY: fn() -> TaskKey = || TaskKey { framework: FrameworkId::new(0), task: TaskId::new(0) };

    fn agent_with_a_task(out: &mut Out) -> Agent {
        let resources = Resources::of(parse_quantities("cpus:2;mem:64").unwrap());
        let mut agent = Agent::new(resources.clone());
        let task = TaskInfo { id: KEY().task, agent: AgentId::new(0), resources, data: 0 };
        agent.handle_master(Time::ZERO, ToAgent::Run { framework: KEY().framework, task }, out);
        agent
    }

    #[test]
    fn an_update_is_sent_again_with_growing_pauses_until_it_is_acknowledged() {
        let mut out = Out::default();
        let mut agent = agent_with_a_task(&mut out);
        agent.handle_executor(Time::ZERO, KEY(), TaskState::Running, &mut out);
        let mut at = Vec::new();
        for _ in 0..8 {
            let now = agent.next_timeout().unwrap();
            at.push(now.0 / 1_000_000_000);
            agent.handle_timeout(now, &mut out);
        }
        assert_eq!(at, [10, 30, 70, 150, 310, 630, 1230, 1830]);
        assert_eq!(out.sent, [(TaskState::Running, StatusId(0)); 9]);
        let uuid = StatusId(0);
        agent.handle_master(Time::from_secs(2000), ToAgent::Acknowledge { key: KEY(), uuid }, &mut out);
        assert_eq!(agent.next_timeout(), None);
    }

    #[test]
    fn updates_of_a_task_are_delivered_one_by_one_in_order() {
        let mut out = Out::default();
        let mut agent = agent_with_a_task(&mut out);
        agent.handle_executor(Time::ZERO, KEY(), TaskState::Running, &mut out);
        agent.handle_executor(Time::ZERO, KEY(), TaskState::Finished, &mut out);
        assert_eq!(out.sent.len(), 1);
        agent.handle_master(Time::ZERO, ToAgent::Acknowledge { key: KEY(), uuid: StatusId(0) }, &mut out);
        assert_eq!(out.sent, [(TaskState::Running, StatusId(0)), (TaskState::Finished, StatusId(1))]);
        agent.handle_master(Time::ZERO, ToAgent::Acknowledge { key: KEY(), uuid: StatusId(0) }, &mut out);
        agent.handle_master(Time::ZERO, ToAgent::Acknowledge { key: KEY(), uuid: StatusId(1) }, &mut out);
        assert_eq!((out.sent.len(), agent.next_timeout()), (2, None));
        assert_eq!(agent.free(), agent.total());
    }

    #[test]
    #[should_panic(expected = "free are {}")]
    fn an_agent_never_runs_more_than_it_has() {
        let mut out = Out::default();
        let mut agent = agent_with_a_task(&mut out);
        let resources = Resources::of(parse_quantities("cpus:0.001").unwrap());
        let task = TaskInfo { id: TaskId::new(1), agent: AgentId::new(0), resources, data: 0 };
        agent.handle_master(Time::ZERO, ToAgent::Run { framework: KEY().framework, task }, &mut out);
    }
}
