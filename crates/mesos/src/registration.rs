//! What an agent says of itself when it registers or comes back.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    call::FrameworkInfo,
    capability::AgentCapabilities,
    domain::FaultDomain,
    id::{AgentId, FrameworkId, OperationId, OperationUuid, RoleId, StatusId},
    resource::{ResourceOperation, Resources},
    task::{ExecutorInfo, TaskInfo, TaskKey, TaskState},
};

/// Who registers (Mesos' `SlaveInfo`, with the version and the capabilities that travel beside it).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// Its host name.
    pub hostname: String,
    /// The address of its machine.
    pub ip: String,
    /// What it has by its flags; operations change what it has later, not this.
    pub resources: Resources,
    /// Name and text, in the order given.
    pub attributes: Vec<(String, String)>,
    /// Where it stands.
    pub domain: Option<FaultDomain>,
    /// What it can deal with.
    pub capabilities: AgentCapabilities,
    /// Of the agent's program: major, minor, patch.
    pub version: (u32, u32, u32),
}

impl Default for AgentInfo {
    /// An agent of the current version with nothing on it.
    fn default() -> Self {
        Self {
            hostname: String::new(),
            ip: String::new(),
            resources: Resources::EMPTY,
            attributes: Vec::new(),
            domain: None,
            capabilities: AgentCapabilities::ALL,
            version: (1, 12, 0),
        }
    }
}

/// A task as its agent knows it (Mesos' `Task` in a re-registration).
#[derive(Clone, Debug, PartialEq)]
pub struct TaskReport {
    /// Whose it is.
    pub framework: FrameworkId,
    /// What it is.
    pub task: TaskInfo,
    /// Under which role it holds its resources.
    pub role: RoleId,
    /// Its newest state.
    pub state: TaskState,
    /// The update at the head of its queue, which waits for an acknowledgement (`status_update_uuid`, `_state`).
    pub unacknowledged: Option<(StatusId, TaskState)>,
}

impl TaskReport {
    /// Which task it is.
    #[must_use]
    pub const fn key(&self) -> TaskKey {
        TaskKey { framework: self.framework, task: self.task.id }
    }
}

/// An executor as its agent knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecutorReport {
    /// Whose it is.
    pub framework: FrameworkId,
    /// What it is.
    pub executor: ExecutorInfo,
    /// Under which role it holds its resources.
    pub role: RoleId,
}

/// An operation that the agent has not yet been told to forget.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationReport {
    /// Whose it is; `None`: an operator's.
    pub framework: Option<FrameworkId>,
    /// The framework's name for it.
    pub operation: Option<OperationId>,
    /// The master's.
    pub uuid: OperationUuid,
    /// What it is.
    pub what: ResourceOperation,
    /// Its newest state.
    pub state: crate::call::OperationState,
}

/// All that an agent tells a master when it comes back (Mesos' `ReregisterSlaveMessage`).
#[derive(Clone, Debug, PartialEq)]
pub struct Reregistration {
    /// The id it was given.
    pub id: AgentId,
    /// What it says of itself now.
    pub info: AgentInfo,
    /// All it has, with reservations and volumes, and revocable resources.
    pub total: Resources,
    /// Whose tasks and executors it has.
    pub frameworks: Vec<(FrameworkId, Arc<FrameworkInfo>)>,
    /// Its tasks that are not over and acknowledged.
    pub tasks: Vec<TaskReport>,
    /// Its executors.
    pub executors: Vec<ExecutorReport>,
    /// Its operations.
    pub operations: Vec<OperationReport>,
}
