//! The life of a task.

use std::sync::Arc;

use crate::{
    id::{AgentId, ExecutorId, FrameworkId, StatusId, TaskId},
    resource::Resources,
    time::Time,
};

/// What a framework asks to have run (Mesos' `TaskInfo`).
#[derive(Clone, Debug, PartialEq)]
pub struct TaskInfo {
    /// Unique among the framework's tasks that are not over and acknowledged.
    pub id: TaskId,
    /// Where: the agent of the offers that are accepted.
    pub agent: AgentId,
    /// What it holds while it runs.
    pub resources: Resources,
    /// For the executor alone (Mesos' `TaskInfo.data`); the core never looks at it.
    pub data: u64,
    /// All else; `None`: a command, and nothing special about it.
    pub detail: Option<Arc<TaskDetail>>,
}

/// What few tasks say of themselves.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TaskDetail {
    /// Whether the task names a command. Exactly one of `command` and `executor` is wanted, except in a task group.
    pub command: bool,
    /// The executor that shall run the task.
    pub executor: Option<ExecutorInfo>,
    /// In what it runs.
    pub container: Option<ContainerInfo>,
    /// How long the task may take to end when it is killed, in nanoseconds (`kill_policy.grace_period`).
    pub kill_grace: Option<i64>,
    /// Longest run time, in nanoseconds; then the executor ends it as failed.
    pub max_completion_time: Option<i64>,
    /// Most of `cpus` and `mem` that it may use, if not what it asked for; infinity: no limit.
    pub limits: Vec<(String, f64)>,
    /// A check of its health; three failures in a row kill it.
    pub health_check: Option<CheckInfo>,
    /// A check whose results are only reported.
    pub check: Option<CheckInfo>,
    /// For the executor alone, beside [`TaskInfo::data`].
    pub profile: u32,
}

/// In what a task or an executor runs (Mesos' `ContainerInfo`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ContainerInfo {
    /// Docker's containerizer, not Mesos' own.
    pub is_docker: bool,
    /// The image to be there before anything starts.
    pub image: Option<Arc<str>>,
}

/// How a check or a health check is run; all in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckInfo {
    /// Before the first (15 s).
    pub delay: i64,
    /// Between two (10 s).
    pub interval: i64,
    /// For how long one may take (20 s).
    pub timeout: i64,
    /// For so long failures before the first success do not count (10 s).
    pub grace_period: i64,
    /// After so many in a row the task is killed (3).
    pub consecutive_failures: u32,
}

impl Default for CheckInfo {
    fn default() -> Self {
        const SECOND: i64 = 1_000_000_000;
        Self {
            delay: 15 * SECOND,
            interval: 10 * SECOND,
            timeout: 20 * SECOND,
            grace_period: 10 * SECOND,
            consecutive_failures: 3,
        }
    }
}

/// What kind of executor it is (Mesos' `ExecutorInfo.Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ExecutorKind {
    /// Not said.
    #[default]
    Unset,
    /// Mesos' own, for task groups.
    Default,
    /// The framework's.
    Custom,
}

/// Who runs tasks on an agent for a framework (Mesos' `ExecutorInfo`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutorInfo {
    /// Its number.
    pub id: ExecutorId,
    /// What kind it is.
    pub kind: ExecutorKind,
    /// Whose it is; may be left out.
    pub framework: Option<FrameworkId>,
    /// Whether it names a command.
    pub command: bool,
    /// In what it runs.
    pub container: Option<ContainerInfo>,
    /// What it holds beside its tasks.
    pub resources: Resources,
    /// How long it may take to shut down, in nanoseconds; the agent's flag otherwise.
    pub shutdown_grace: Option<i64>,
}

/// Mesos' task states.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum TaskState {
    /// Accepted by the master, not yet with the executor.
    Staging,
    /// The executor has it.
    Starting,
    /// It runs.
    Running,
    /// Asked to stop.
    Killing,
    /// Over, with success.
    Finished,
    /// Over, with a failure of its own.
    Failed,
    /// Over, because someone asked.
    Killed,
    /// Never existed: its description was invalid.
    Error,
    /// Gone for a framework that is not partition-aware.
    Lost,
    /// Never reached its executor.
    Dropped,
    /// Its agent does not answer; it may come back.
    Unreachable,
    /// Gone with its agent or container.
    Gone,
    /// Gone because an operator said so.
    GoneByOperator,
    /// Nobody knows it (an answer to reconciliation only).
    Unknown,
}

use TaskState::{
    Dropped, Error, Failed, Finished, Gone, GoneByOperator, Killed, Killing, Lost, Running, Staging,
    Starting, Unknown, Unreachable,
};

impl TaskState {
    /// All states, in the order of their declaration.
    pub const ALL: [Self; 14] = [
        Staging,
        Starting,
        Running,
        Killing,
        Finished,
        Failed,
        Killed,
        Error,
        Lost,
        Dropped,
        Unreachable,
        Gone,
        GoneByOperator,
        Unknown,
    ];

    /// Whether the task is over for good. An unreachable task may come back.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Finished | Failed | Killed | Error | Lost | Dropped | Gone | GoneByOperator => true,
            Staging | Starting | Running | Killing | Unreachable | Unknown => false,
        }
    }

    /// Whether an update may take a task from this state to `next`. A repeated state is legal (retried and health
    /// updates repeat it); a terminal state never changes; nothing goes back to staging.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match self {
            _ if self == next => true,
            Finished | Failed | Killed | Error | Lost | Dropped | Gone | GoneByOperator | Unknown => false,
            Staging => next != Unknown,
            Starting => !matches!(next, Staging | Error | Unknown),
            Running => !matches!(next, Staging | Starting | Error | Unknown),
            Killing => !matches!(next, Staging | Starting | Running | Error | Unknown),
            Unreachable => !matches!(next, Staging | Error | Unknown),
        }
    }

    /// What a framework that is not partition-aware hears instead (`TASK_LOST` for the states that came with
    /// partition awareness).
    #[must_use]
    pub const fn seen_by(self, is_partition_aware: bool) -> Self {
        match self {
            Dropped | Unreachable | Gone | GoneByOperator | Unknown if !is_partition_aware => Lost,
            Dropped | Unreachable | Gone | GoneByOperator | Unknown | Staging | Starting | Running
            | Killing | Finished | Failed | Killed | Error | Lost => self,
        }
    }

    /// As Mesos spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Staging => "TASK_STAGING",
            Starting => "TASK_STARTING",
            Running => "TASK_RUNNING",
            Killing => "TASK_KILLING",
            Finished => "TASK_FINISHED",
            Failed => "TASK_FAILED",
            Killed => "TASK_KILLED",
            Error => "TASK_ERROR",
            Lost => "TASK_LOST",
            Dropped => "TASK_DROPPED",
            Unreachable => "TASK_UNREACHABLE",
            Gone => "TASK_GONE",
            GoneByOperator => "TASK_GONE_BY_OPERATOR",
            Unknown => "TASK_UNKNOWN",
        }
    }
}

/// Who made a status update.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The master; never retried, not acknowledged.
    Master,
    /// The agent.
    Agent,
    /// The task's executor.
    Executor,
}

/// Why a status is as it is (Mesos' `TaskStatus.Reason`, v1 names, in the order of the protobuf numbers).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Reason {
    /// The command exited with an error.
    CommandExecutorFailed,
    /// The executor is gone.
    ExecutorTerminated,
    /// The executor never registered (unused).
    ExecutorUnregistered,
    /// The framework is removed.
    FrameworkRemoved,
    /// The agent could not keep the sandbox from being collected.
    GcError,
    /// The framework id is not valid.
    InvalidFrameworkid,
    /// The ACCEPT named offers that were gone.
    InvalidOffers,
    /// No master is known.
    MasterDisconnected,
    /// More memory was used than allowed.
    ContainerLimitationMemory,
    /// An answer to reconciliation.
    Reconciliation,
    /// The agent is disconnected.
    AgentDisconnected,
    /// The agent is removed or unreachable.
    AgentRemoved,
    /// The agent was restarted.
    AgentRestarted,
    /// The agent is not known.
    AgentUnknown,
    /// The task's description is invalid.
    TaskInvalid,
    /// The task is not allowed.
    TaskUnauthorized,
    /// The task is not known.
    TaskUnknown,
    /// A revocable task had to make room.
    ContainerPreempted,
    /// The agent lacks the reserved resources or volumes.
    ResourcesUnknown,
    /// More of something was used than allowed.
    ContainerLimitation,
    /// More disk was used than allowed.
    ContainerLimitationDisk,
    /// The container could not be started.
    ContainerLaunchFailed,
    /// The container could not be resized.
    ContainerUpdateFailed,
    /// The executor did not register in time.
    ExecutorRegistrationTimeout,
    /// The executor did not come back after a restart of the agent.
    ExecutorReregistrationTimeout,
    /// The task group's description is invalid.
    TaskGroupInvalid,
    /// The task group is not allowed.
    TaskGroupUnauthorized,
    /// The container's input and output broke.
    IoSwitchboardExited,
    /// A check has a new result.
    TaskCheckStatusUpdated,
    /// A health check has a new result.
    TaskHealthCheckStatusUpdated,
    /// Killed before it reached its executor.
    TaskKilledDuringLaunch,
    /// An operator marked the agent as gone.
    AgentRemovedByOperator,
    /// The agent is back.
    AgentReregistered,
    /// The longest run time is over.
    MaxCompletionTimeReached,
    /// The agent is drained.
    AgentDraining,
}

impl Reason {
    /// As Mesos spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CommandExecutorFailed => "REASON_COMMAND_EXECUTOR_FAILED",
            Self::ExecutorTerminated => "REASON_EXECUTOR_TERMINATED",
            Self::ExecutorUnregistered => "REASON_EXECUTOR_UNREGISTERED",
            Self::FrameworkRemoved => "REASON_FRAMEWORK_REMOVED",
            Self::GcError => "REASON_GC_ERROR",
            Self::InvalidFrameworkid => "REASON_INVALID_FRAMEWORKID",
            Self::InvalidOffers => "REASON_INVALID_OFFERS",
            Self::MasterDisconnected => "REASON_MASTER_DISCONNECTED",
            Self::ContainerLimitationMemory => "REASON_CONTAINER_LIMITATION_MEMORY",
            Self::Reconciliation => "REASON_RECONCILIATION",
            Self::AgentDisconnected => "REASON_AGENT_DISCONNECTED",
            Self::AgentRemoved => "REASON_AGENT_REMOVED",
            Self::AgentRestarted => "REASON_AGENT_RESTARTED",
            Self::AgentUnknown => "REASON_AGENT_UNKNOWN",
            Self::TaskInvalid => "REASON_TASK_INVALID",
            Self::TaskUnauthorized => "REASON_TASK_UNAUTHORIZED",
            Self::TaskUnknown => "REASON_TASK_UNKNOWN",
            Self::ContainerPreempted => "REASON_CONTAINER_PREEMPTED",
            Self::ResourcesUnknown => "REASON_RESOURCES_UNKNOWN",
            Self::ContainerLimitation => "REASON_CONTAINER_LIMITATION",
            Self::ContainerLimitationDisk => "REASON_CONTAINER_LIMITATION_DISK",
            Self::ContainerLaunchFailed => "REASON_CONTAINER_LAUNCH_FAILED",
            Self::ContainerUpdateFailed => "REASON_CONTAINER_UPDATE_FAILED",
            Self::ExecutorRegistrationTimeout => "REASON_EXECUTOR_REGISTRATION_TIMEOUT",
            Self::ExecutorReregistrationTimeout => "REASON_EXECUTOR_REREGISTRATION_TIMEOUT",
            Self::TaskGroupInvalid => "REASON_TASK_GROUP_INVALID",
            Self::TaskGroupUnauthorized => "REASON_TASK_GROUP_UNAUTHORIZED",
            Self::IoSwitchboardExited => "REASON_IO_SWITCHBOARD_EXITED",
            Self::TaskCheckStatusUpdated => "REASON_TASK_CHECK_STATUS_UPDATED",
            Self::TaskHealthCheckStatusUpdated => "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED",
            Self::TaskKilledDuringLaunch => "REASON_TASK_KILLED_DURING_LAUNCH",
            Self::AgentRemovedByOperator => "REASON_AGENT_REMOVED_BY_OPERATOR",
            Self::AgentReregistered => "REASON_AGENT_REREGISTERED",
            Self::MaxCompletionTimeReached => "REASON_MAX_COMPLETION_TIME_REACHED",
            Self::AgentDraining => "REASON_AGENT_DRAINING",
        }
    }
}

/// News of a task (Mesos' `TaskStatus`).
#[derive(Clone, PartialEq, Debug)]
pub struct TaskStatus {
    /// Which task.
    pub task: TaskId,
    /// Where it is; `None` when it never got anywhere.
    pub agent: Option<AgentId>,
    /// Its state.
    pub state: TaskState,
    /// Who says so.
    pub source: Source,
    /// Why, where there is a reason to give.
    pub reason: Option<Reason>,
    /// To be repeated in the acknowledgement; `None` when none is wanted.
    pub uuid: Option<StatusId>,
    /// When it was made.
    pub timestamp: Time,
    /// What is seldom said.
    pub more: Option<Box<StatusMore>>,
}

/// What few status updates say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StatusMore {
    /// For people.
    pub message: Option<String>,
    /// Since when the agent is unreachable.
    pub unreachable_time: Option<Time>,
    /// Result of the health check.
    pub healthy: Option<bool>,
    /// Exit status of the check.
    pub check_status: Option<i32>,
}

impl StatusMore {
    /// Only a message.
    #[must_use]
    pub fn message(text: impl Into<String>) -> Option<Box<Self>> {
        Some(Box::new(Self { message: Some(text.into()), ..Self::default() }))
    }
}

/// A task as its agent knows it by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TaskKey {
    /// Whose it is.
    pub framework: FrameworkId,
    /// Which of them.
    pub task: TaskId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_state_never_changes() {
        for from in TaskState::ALL.into_iter().filter(|state| state.is_terminal()) {
            for to in TaskState::ALL.into_iter().filter(|&to| to != from) {
                assert!(!from.may_become(to), "{} to {}", from.as_str(), to.as_str());
            }
        }
    }

    #[test]
    fn every_living_state_can_reach_an_end() {
        for from in [Staging, Starting, Running, Killing, Unreachable] {
            assert!(from.may_become(Finished) && from.may_become(Failed) && from.may_become(Killed));
        }
    }

    #[test]
    fn only_an_unreachable_task_comes_back_to_life() {
        let revives: Vec<_> =
            TaskState::ALL.into_iter().filter(|from| *from != Running && from.may_become(Running)).collect();
        assert_eq!(revives, [Staging, Starting, Unreachable]);
    }
}
