//! The life of a task.

use crate::{
    id::{AgentId, FrameworkId, StatusId, TaskId},
    resource::Resources,
    time::Time,
};

/// What a framework asks to have run (Mesos' `TaskInfo`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskInfo {
    /// Unique among the framework's tasks that are not over and acknowledged.
    pub id: TaskId,
    /// Where: the agent of the offers that are accepted.
    pub agent: AgentId,
    /// What it holds while it runs.
    pub resources: Resources,
    /// For the executor alone (Mesos' `TaskInfo.data`); the core never looks at it.
    pub data: u64,
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

/// Why a status is as it is (those of Mesos' `TaskStatus.Reason` that the core can give so far).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The ACCEPT named offers that were gone.
    InvalidOffers,
    /// The task's description is invalid.
    TaskInvalid,
}

/// News of a task (Mesos' `TaskStatus`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
}

/// A task as its agent knows it by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
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
