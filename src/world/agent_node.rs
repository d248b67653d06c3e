//! An agent on its machine, with the executors that the simulation plays for it: a task runs for as long as its data says.

use std::cmp::Reverse;

use mesos::{
    agent::Agent,
    effects::AgentEffects,
    event::{FromAgent, ToAgent},
    id::Id,
    resource::Resources,
    task::{TaskInfo, TaskKey, TaskState},
    time::{Span, Time},
};
use priority_queue::PriorityQueue;
use rustc_hash::FxBuildHasher;

use super::{MASTER, Message, NodeId, World};
use crate::record::{Observer, Record};

pub(super) struct AgentNode {
    core: Agent,
    /// When each running task ends; equal times in order of their start.
    ends: PriorityQueue<TaskKey, Reverse<(Time, u64)>, FxBuildHasher>,
    started: u64,
    registering: bool,
}

/// What the agent said, kept until it is posted.
#[derive(Default)]
struct Said {
    to_master: smallvec::SmallVec<[FromAgent; 2]>,
    start: Option<(TaskKey, TaskInfo)>,
}

impl AgentEffects for Said {
    fn send_to_master(&mut self, message: FromAgent) {
        self.to_master.push(message);
    }

    fn start(&mut self, key: TaskKey, task: TaskInfo) {
        self.start = Some((key, task));
    }
}

impl AgentNode {
    pub(super) fn new(total: Resources) -> Self {
        let ends = PriorityQueue::with_default_hasher();
        Self { core: Agent::new(total), ends, started: 0, registering: false }
    }

    pub(super) const fn core(&self) -> &Agent {
        &self.core
    }

    fn next_wake(&self) -> Option<Time> {
        let end = self.ends.peek().map(|(_, Reverse((at, _)))| *at);
        [end, self.core.next_timeout()].into_iter().flatten().min()
    }

    fn run_until(&mut self, key: TaskKey, end: Time) {
        self.ends.push(key, Reverse((end, self.started)));
        self.started += 1;
    }

    /// A task whose time is over.
    fn pop_ended(&mut self, now: Time) -> Option<TaskKey> {
        let due = self.ends.peek().is_some_and(|(_, Reverse((at, _)))| *at <= now);
        due.then(|| self.ends.pop()).flatten().map(|(key, _)| key)
    }
}

impl<O: Observer> World<'_, O> {
    /// The agent's own time has come: to register, to see tasks end, to send updates again.
    pub(super) fn wake_agent(&mut self, now: Time, machine: usize) {
        let node = self.agent_node(machine);
        if !std::mem::replace(&mut self.agents[machine].registering, true) {
            return self.post(node, NodeId::new(MASTER), Message::Register);
        }
        let mut said = Said::default();
        while let Some(key) = self.agents[machine].pop_ended(now) {
            let state = TaskState::Finished;
            self.observer.observe(now, &Record::TaskEnded { key, state });
            (self.living, self.last_progress) = (self.living - 1, now);
            self.agents[machine].core.handle_executor(now, key, state, &mut said);
        }
        self.agents[machine].core.handle_timeout(now, &mut said);
        self.post_said(machine, said);
    }

    /// A message of the master reaches the agent. A task it is to run starts at once.
    pub(super) fn tell_agent(&mut self, now: Time, node: NodeId, message: ToAgent) {
        let machine = node.index() - MASTER - 1;
        let mut said = Said::default();
        let agent = &mut self.agents[machine];
        agent.core.handle_master(now, message, &mut said);
        if let Some((key, task)) = said.start.take() {
            agent.run_until(key, now + Span(task.data));
            self.observer.observe(now, &Record::TaskStarted { key, agent: task.agent });
            (self.living, self.last_progress) = (self.living + 1, now);
            agent.core.handle_executor(now, key, TaskState::Running, &mut said);
        }
        self.post_said(machine, said);
    }

    fn post_said(&mut self, machine: usize, said: Said) {
        let (node, agent) = (self.agent_node(machine), &self.agents[machine]);
        let wake = agent.next_wake();
        let id = agent.core.id();
        self.engine.wake_at(node, wake);
        for message in said.to_master {
            let id = id.expect("only a registered agent has something to report");
            self.post(node, NodeId::new(MASTER), Message::FromAgent(id, message));
        }
    }
}
