//! What the master knows of frameworks, agents and tasks.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use rustc_hash::FxHashMap;

use crate::{
    call::FrameworkInfo,
    constraint::RoleConstraints,
    id::{Address, AgentId, ConnectionId, ExecutorId, FrameworkId, OperationUuid, RoleId, StatusId, TaskId},
    registration::AgentInfo,
    resource::Resources,
    task::{ExecutorInfo, TaskKey, TaskState},
    time::Time,
};

/// A framework that is subscribed, disconnected, or recovered from an agent.
#[derive(Debug)]
pub(super) struct Framework {
    pub(super) info: Arc<FrameworkInfo>,
    /// Its subscribed roles.
    pub(super) roles: Vec<RoleId>,
    /// Those of them for which it wants no offers, ascending.
    pub(super) suppressed: Vec<RoleId>,
    /// For a role, which agents it wants.
    pub(super) offer_constraints: Vec<(String, RoleConstraints)>,
    /// Its stream; `None`: disconnected, or recovered and not yet back.
    pub(super) connection: Option<ConnectionId>,
    /// It is known from agents only, since a failover of the master.
    pub(super) is_recovered: bool,
    /// How often it subscribed, by which a failover timer knows whether it has come back.
    pub(super) subscriptions: u64,
    /// Tasks that are not over and acknowledged.
    pub(super) tasks: FxHashMap<TaskId, Task>,
    /// Tasks of unreachable agents, oldest first; at most `max_unreachable_tasks_per_framework`.
    pub(super) unreachable: UnreachableTasks,
    /// Tasks that are over and forgotten, newest last; at most `max_completed_tasks_per_framework`.
    pub(super) completed: VecDeque<CompletedTask>,
    /// Operations that are not over and acknowledged.
    pub(super) operations: Vec<OperationUuid>,
}

impl Framework {
    pub(super) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    pub(super) fn is_partition_aware(&self) -> bool {
        self.info.capabilities.has(crate::capability::Capabilities::PARTITION_AWARE)
    }

    /// All its tasks that are not over and acknowledged, ascending.
    #[expect(clippy::disallowed_methods, reason = "sorted at once")]
    pub(super) fn task_ids(&self) -> Vec<TaskId> {
        let mut ids: Vec<TaskId> = self.tasks.keys().copied().collect();
        ids.sort_unstable();
        ids
    }
}

/// A task that holds resources of an agent, or whose last update was not acknowledged yet.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) agent: AgentId,
    pub(super) role: RoleId,
    pub(super) resources: Resources,
    pub(super) state: TaskState,
    /// The last update that was passed on to the framework.
    pub(super) forwarded: Option<(StatusId, TaskState)>,
    /// `None`: a command task.
    pub(super) executor: Option<ExecutorId>,
}

/// A task on an agent that does not answer.
#[derive(Debug)]
pub(super) struct UnreachableTask {
    pub(super) task: Task,
    pub(super) since: Time,
}

/// A task that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompletedTask {
    /// Its id, which may be used again.
    pub id: TaskId,
    /// Where it was.
    pub agent: AgentId,
    /// How it ended.
    pub state: TaskState,
}

/// Tasks of agents that do not answer: by id, and in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct UnreachableTasks {
    by_id: FxHashMap<TaskId, (u64, UnreachableTask)>,
    order: BTreeMap<u64, TaskId>,
    next: u64,
}

impl UnreachableTasks {
    /// Adds a task, and drops the oldest if there are more than `most`.
    pub(super) fn insert(&mut self, id: TaskId, task: UnreachableTask, most: usize) {
        self.remove(id);
        self.order.insert(self.next, id);
        self.by_id.insert(id, (self.next, task));
        self.next += 1;
        while self.order.len() > most {
            let (_, oldest) = self.order.pop_first().expect("there are some");
            self.by_id.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, id: TaskId) -> bool {
        self.by_id.contains_key(&id)
    }

    pub(super) fn get(&self, id: TaskId) -> Option<&UnreachableTask> {
        self.by_id.get(&id).map(|(_, task)| task)
    }

    pub(super) fn remove(&mut self, id: TaskId) -> Option<UnreachableTask> {
        let (place, task) = self.by_id.remove(&id)?;
        self.order.remove(&place);
        Some(task)
    }

    /// All ids, oldest first.
    pub(super) fn ids(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.order.values().copied()
    }
}

/// An agent that is registered, connected or not.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) info: AgentInfo,
    pub(super) address: Address,
    /// All it has: reservations, volumes, revocable resources.
    pub(super) total: Resources,
    pub(super) is_connected: bool,
    /// How often its connection broke, by which a timer knows whether it came back.
    pub(super) disconnections: u64,
    /// Its tasks, in no particular order.
    pub(super) tasks: Vec<TaskKey>,
    pub(super) executors: Vec<Executor>,
    /// Tasks that were to be killed, for when it comes back.
    pub(super) killed: Vec<TaskKey>,
    /// Operations that are not over and acknowledged.
    pub(super) operations: Vec<OperationUuid>,
    pub(super) ping: Ping,
    pub(super) registered: Time,
    pub(super) reregistered: Option<Time>,
}

impl Agent {
    pub(super) fn executor(&self, framework: FrameworkId, id: ExecutorId) -> Option<&Executor> {
        self.executors.iter().find(|executor| executor.framework == framework && executor.info.id == id)
    }
}

/// An executor on an agent.
#[derive(Debug)]
pub(super) struct Executor {
    pub(super) framework: FrameworkId,
    pub(super) info: ExecutorInfo,
    pub(super) role: RoleId,
}

/// The observer of an agent (Mesos' `SlaveObserver`).
#[derive(Debug, Default)]
pub(super) struct Ping {
    /// The first ping went out then; the others follow at multiples of the ping timeout.
    pub(super) started: Time,
    /// Tells the running timer from outdated ones.
    pub(super) timer: u64,
    /// Whoever drives the master vouches for the answers: no pings go out.
    pub(super) is_trusted: bool,
    /// Whether the last ping was answered.
    pub(super) answered: bool,
    /// How many in a row were not.
    pub(super) missed: u32,
    /// The agent waits for its turn to be marked unreachable (a pong cancels it).
    pub(super) is_marking: bool,
}
