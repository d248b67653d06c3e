//! What the master says to frameworks (Mesos' `scheduler::Event`) and to agents, and what agents say to it.

use std::sync::Arc;

use crate::{
    call::{FrameworkInfo, OperationState, OperationStatus},
    id::{
        AgentId, ExecutorId, FrameworkId, InverseOfferId, OfferId, OperationId, OperationUuid, RoleId,
        StatusId,
    },
    maintenance::Unavailability,
    offer::Offer,
    registration::{AgentInfo, Reregistration},
    resource::{ResourceOperation, Resources},
    task::{ExecutorInfo, Reason, Source, StatusMore, TaskInfo, TaskKey, TaskState, TaskStatus},
    time::{Span, Time},
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
    /// Requests to leave agents.
    InverseOffers(Vec<InverseOffer>),
    /// An offer is no longer valid.
    Rescind(OfferId),
    /// An inverse offer is no longer valid.
    RescindInverseOffer(InverseOfferId),
    /// News of a task.
    Update(TaskStatus),
    /// News of an operation.
    UpdateOperation(Box<OperationStatus>),
    /// An executor speaks.
    Message {
        /// Where it is.
        agent: AgentId,
        /// Which.
        executor: ExecutorId,
        /// What it says.
        data: Vec<u8>,
    },
    /// An agent is lost, or, with an executor, that executor has exited with this status.
    Failure {
        /// Which agent.
        agent: AgentId,
        /// Executor and exit status.
        executor: Option<(ExecutorId, i32)>,
    },
    /// The call cannot be served; the stream ends.
    Error(String),
}

/// A request to leave an agent that will be unavailable (Mesos' `InverseOffer`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InverseOffer {
    /// Its number.
    pub id: InverseOfferId,
    /// To whom.
    pub framework: FrameworkId,
    /// Which agent.
    pub agent: AgentId,
    /// When it will be away.
    pub unavailability: Unavailability,
}

/// The master's messages to an agent.
#[derive(Clone, Debug, PartialEq)]
pub enum ToAgent {
    /// The agent is registered under this id.
    Registered {
        /// Its id from now on.
        id: AgentId,
        /// If no ping comes for so long, the master is thought lost.
        ping_timeout: Span,
    },
    /// The agent is known again.
    Reregistered {
        /// As in [`Registered`](Self::Registered).
        ping_timeout: Span,
        /// Tasks that the master knows and the agent did not name: it answers with their states, or that they are dropped.
        reconcile: Vec<TaskKey>,
    },
    /// Are you there?
    Ping {
        /// Whether the master thinks the agent connected; if not, a registered agent registers anew.
        connected: bool,
    },
    /// The agent may not be part of the cluster: it kills everything and ends.
    Shutdown {
        /// Why.
        message: String,
    },
    /// Start this task.
    Run(Box<RunTasks>),
    /// End this task.
    Kill {
        /// Which.
        key: TaskKey,
        /// How long it may take, in nanoseconds; replaces the task's own.
        grace: Option<i64>,
    },
    /// The framework has seen the update.
    Acknowledge {
        /// Of which task.
        key: TaskKey,
        /// Which update.
        uuid: StatusId,
    },
    /// Tell an executor.
    Message {
        /// Whose executor.
        framework: FrameworkId,
        /// Which.
        executor: ExecutorId,
        /// What.
        data: Vec<u8>,
    },
    /// End an executor.
    ShutdownExecutor {
        /// Whose executor.
        framework: FrameworkId,
        /// Which.
        executor: ExecutorId,
    },
    /// The framework is gone: its tasks are to end and to be forgotten.
    ShutdownFramework(FrameworkId),
    /// The framework has new properties.
    UpdateFramework {
        /// Which.
        framework: FrameworkId,
        /// What it says of itself now.
        info: Arc<FrameworkInfo>,
    },
    /// Carry out an operation.
    ApplyOperation {
        /// Whose it is; `None`: an operator's.
        framework: Option<FrameworkId>,
        /// The framework's name for it.
        operation: Option<OperationId>,
        /// The master's.
        uuid: OperationUuid,
        /// What.
        what: ResourceOperation,
    },
    /// The framework has seen the news of an operation.
    AcknowledgeOperation {
        /// Which operation.
        uuid: OperationUuid,
        /// Which update.
        status: StatusId,
    },
    /// Let every task end and take no new ones.
    Drain {
        /// The longest that a task may take to end, in nanoseconds.
        max_grace_period: Option<i64>,
        /// Whether the agent will be marked gone when it is empty.
        mark_gone: bool,
    },
}

/// Tasks for one executor: one, or a group.
#[derive(Clone, Debug, PartialEq)]
pub struct RunTasks {
    /// Whose tasks.
    pub framework: FrameworkId,
    /// Who that is.
    pub info: Arc<FrameworkInfo>,
    /// Under which role they hold their resources.
    pub role: RoleId,
    /// For a group: who runs it. For a task it stands in the task.
    pub group: Option<ExecutorInfo>,
    /// What to run.
    pub tasks: smallvec::SmallVec<[TaskInfo; 1]>,
    /// Whether the master expects the executor to be new; `None` for command tasks, which bring their own.
    pub launch_executor: Option<bool>,
}

/// A status update on its way from an agent (Mesos' `StatusUpdate`).
#[derive(Clone, Debug, PartialEq)]
pub struct StatusUpdate {
    /// Which task.
    pub key: TaskKey,
    /// The state delivered with this update.
    pub state: TaskState,
    /// The newest state of the task, which may be ahead of `state`.
    pub latest: TaskState,
    /// Who made it.
    pub source: Source,
    /// Why.
    pub reason: Option<Reason>,
    /// Which update this is; `None`: no acknowledgement is wanted (an answer to reconciliation).
    pub uuid: Option<StatusId>,
    /// When it was made.
    pub timestamp: Time,
    /// What is seldom said.
    pub more: Option<Box<StatusMore>>,
}

/// An agent's messages to the master.
#[derive(Clone, Debug, PartialEq)]
pub enum FromAgent {
    /// A new agent.
    Register(Box<AgentInfo>),
    /// An agent that was registered before.
    Reregister(Box<Reregistration>),
    /// The agent ends in good order.
    Unregister(AgentId),
    /// The answer to a ping.
    Pong(AgentId),
    /// A task has a new state.
    Update(AgentId, StatusUpdate),
    /// An executor is gone.
    ExitedExecutor {
        /// Where.
        agent: AgentId,
        /// Whose executor.
        framework: FrameworkId,
        /// Which.
        executor: ExecutorId,
        /// Its exit status.
        status: i32,
    },
    /// An executor speaks to its framework.
    Message {
        /// Where.
        agent: AgentId,
        /// To whom.
        framework: FrameworkId,
        /// Which executor.
        executor: ExecutorId,
        /// What.
        data: Vec<u8>,
    },
    /// An operation has a new state.
    Operation {
        /// Where.
        agent: AgentId,
        /// Which.
        uuid: OperationUuid,
        /// Its state.
        state: OperationState,
        /// For people.
        message: Option<String>,
        /// Which update this is; `None`: no acknowledgement is wanted.
        status: Option<StatusId>,
    },
    /// The agent has other revocable resources than before, estimated from what its tasks leave unused
    /// (`UpdateSlaveMessage` with oversubscribed resources).
    Oversubscribed {
        /// Where.
        agent: AgentId,
        /// All of them, in use or not.
        revocable: Resources,
    },
    /// The agent has other resources than before (`UpdateSlaveMessage` with the total).
    Total {
        /// Where.
        agent: AgentId,
        /// All it has, revocable ones left out.
        total: Resources,
    },
}
