//! What the master says to frameworks (Mesos' `scheduler::Event`) and to agents, and what agents say to it.

use crate::{
    id::{AgentId, FrameworkId, OfferId, StatusId},
    offer::Offer,
    task::{TaskInfo, TaskKey, TaskState, TaskStatus},
};

/// News for a framework.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The subscription was taken.
    Subscribed {
        /// The framework's id from now on.
        framework: FrameworkId,
    },
    /// Offers: all that one allocation made for this framework.
    Offers(Vec<Offer>),
    /// An offer is no longer valid.
    Rescind(OfferId),
    /// News of a task.
    Update(TaskStatus),
    /// The call cannot be served; the subscription is over.
    Error(String),
}

/// The master's messages to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToAgent {
    /// The agent is registered under this id.
    Registered(AgentId),
    /// Start this task.
    Run {
        /// Whose task.
        framework: FrameworkId,
        /// What to run.
        task: TaskInfo,
    },
    /// The framework has seen the update.
    Acknowledge {
        /// Of which task.
        key: TaskKey,
        /// Which update.
        uuid: StatusId,
    },
}

/// A registered agent's messages to the master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromAgent {
    /// A task has a new state.
    Update {
        /// Which task.
        key: TaskKey,
        /// The state delivered with this update.
        state: TaskState,
        /// The newest state of the task, which may be ahead of `state`.
        latest: TaskState,
        /// Which update this is.
        uuid: StatusId,
    },
}
