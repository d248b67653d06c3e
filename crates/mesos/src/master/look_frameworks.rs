//! What can be read off the master of frameworks and their tasks.

use super::{
    Master,
    state::{CompletedTask, Framework, Task},
};
use crate::{
    call::FrameworkInfo,
    id::{AgentId, ConnectionId, ExecutorId, FrameworkId, RoleId, TaskId},
    resource::Resources,
    task::{TaskKey, TaskState},
    time::Time,
};

/// Whether a framework is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameworkState {
    /// It has a stream.
    Connected,
    /// Its stream broke; it may come back until its failover timeout is over.
    Disconnected,
    /// It is known from agents only, since a failover of the master; it may come back at any time.
    Recovered,
}

/// A task that is not over and acknowledged, as the master knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskView<'a> {
    /// Where it is.
    pub agent: AgentId,
    /// Under which role it holds its resources.
    pub role: RoleId,
    /// What it holds, or held.
    pub resources: &'a Resources,
    /// Its newest state.
    pub state: TaskState,
    /// The last state that was passed on to its framework with an update that wants an acknowledgement.
    pub forwarded: Option<TaskState>,
    /// Who runs it; `None`: a command.
    pub executor: Option<ExecutorId>,
}

impl Framework {
    const fn state(&self) -> FrameworkState {
        match (self.connection, self.is_recovered) {
            (Some(_), _) => FrameworkState::Connected,
            (None, false) => FrameworkState::Disconnected,
            (None, true) => FrameworkState::Recovered,
        }
    }
}

impl Master {
    /// The streams of frameworks that are connected, by ascending framework.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        self.frameworks.iter().filter_map(|(_, framework)| framework.as_ref()?.connection)
    }

    /// All frameworks that are subscribed, disconnected or recovered, by ascending id.
    pub fn frameworks(&self) -> impl Iterator<Item = (FrameworkId, FrameworkState)> {
        let state = |(id, of): (FrameworkId, &Option<Box<Framework>>)| Some((id, of.as_ref()?.state()));
        self.frameworks.iter().filter_map(state)
    }

    /// Whether a framework is there; `None`: it is not known, or is completed.
    #[must_use]
    pub fn framework_state(&self, framework: FrameworkId) -> Option<FrameworkState> {
        self.known_framework(framework).map(Framework::state)
    }

    /// What a framework says of itself.
    #[must_use]
    pub fn framework_info(&self, framework: FrameworkId) -> Option<&FrameworkInfo> {
        self.known_framework(framework).map(|of| &*of.info)
    }

    /// Frameworks that are over, oldest first; at most [`MasterOptions::max_completed_frameworks`](super::MasterOptions).
    pub fn completed_frameworks(&self) -> impl Iterator<Item = FrameworkId> {
        self.completed.iter().copied()
    }

    /// The tasks of a framework that are not over and acknowledged, by ascending id.
    #[must_use]
    pub fn tasks(&self, framework: FrameworkId) -> Vec<(TaskId, AgentId, TaskState)> {
        let Some(of) = self.known_framework(framework) else { return Vec::new() };
        of.task_ids().into_iter().map(|id| (id, of.tasks[&id].agent, of.tasks[&id].state)).collect()
    }

    /// All that is known of a task that is not over and acknowledged.
    #[must_use]
    pub fn task(&self, key: TaskKey) -> Option<TaskView<'_>> {
        let &Task { agent, role, ref resources, state, forwarded, executor } =
            self.known_framework(key.framework)?.tasks.get(&key.task)?;
        let forwarded = forwarded.map(|(_, state)| state);
        Some(TaskView { agent, role, resources, state, forwarded, executor })
    }

    /// The tasks of a framework on agents that do not answer, and since when, oldest first.
    #[must_use]
    pub fn unreachable_tasks(&self, framework: FrameworkId) -> Vec<(TaskId, AgentId, Time)> {
        let Some(of) = self.known_framework(framework) else { return Vec::new() };
        let found = |id| of.unreachable.get(id).map(|lost| (id, lost.task.agent, lost.since));
        of.unreachable.ids().filter_map(found).collect()
    }

    /// The tasks of a framework that are over, oldest first.
    pub fn completed_tasks(&self, framework: FrameworkId) -> impl Iterator<Item = &CompletedTask> {
        self.known_framework(framework).into_iter().flat_map(|of| &of.completed)
    }

    fn known_framework(&self, framework: FrameworkId) -> Option<&Framework> {
        self.frameworks.get(framework)?.as_deref()
    }
}
