//! What a framework says to the master (Mesos' `scheduler::Call`).

use crate::{
    capability::Capabilities,
    constraint::RoleConstraints,
    id::{
        AgentId, ExecutorId, FrameworkId, InverseOfferId, OfferId, OperationId, OperationUuid, StatusId,
        TaskId,
    },
    offer::Filters,
    resource::{ResourceOperation, Resources},
    task::{ExecutorInfo, TaskInfo},
};

/// Who subscribes (Mesos' `FrameworkInfo`).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FrameworkInfo {
    /// Its name, for people and metrics.
    pub name: String,
    /// The user its tasks run as.
    pub user: String,
    /// The one role of a framework without `MULTI_ROLE`; `None` means `*`.
    pub role: Option<String>,
    /// The roles that a framework with `MULTI_ROLE` wants offers for.
    pub roles: Vec<String>,
    /// What it can deal with.
    pub capabilities: Capabilities,
    /// For how many seconds its tasks run on while it is away.
    pub failover_timeout: f64,
    /// Whether its tasks outlive a restart of the agent.
    pub checkpoint: bool,
    /// Who it is, for authorization and rate limits.
    pub principal: Option<String>,
    /// For a role, the least that is worth an offer: alternatives of (name, amount), replacing the master's flag.
    pub offer_filters: Vec<(String, Vec<RawQuantities>)>,
}

/// Names and amounts as they were written, before anybody has looked whether they are valid.
pub type RawQuantities = Vec<(String, f64)>;

impl FrameworkInfo {
    /// The roles it is subscribed to (Mesos' `protobuf::framework::getRoles`).
    #[must_use]
    pub fn subscribed_roles(&self) -> Vec<&str> {
        if self.capabilities.has(Capabilities::MULTI_ROLE) {
            self.roles.iter().map(String::as_str).collect()
        } else {
            vec![self.role.as_deref().unwrap_or("*")]
        }
    }
}

/// A request to be told of offers: SUBSCRIBE, or UPDATE_FRAMEWORK, which says the same of a framework that is subscribed.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Subscribe {
    /// Who.
    pub info: FrameworkInfo,
    /// Its id, if it was subscribed before.
    pub id: Option<FrameworkId>,
    /// Roles for which it wants no offers yet.
    pub suppressed_roles: Vec<String>,
    /// For a role, which agents it wants.
    pub offer_constraints: Vec<(String, RoleConstraints)>,
}

/// One thing to be done with accepted offers, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Given by a framework that wants to hear of it.
    pub id: Option<OperationId>,
    /// What.
    pub what: OperationKind,
}

/// See [`Operation`].
#[derive(Clone, Debug, PartialEq)]
pub enum OperationKind {
    /// Start tasks.
    Launch(Vec<TaskInfo>),
    /// Start tasks that live and die together, in one executor.
    LaunchGroup {
        /// Who runs them.
        executor: ExecutorInfo,
        /// What.
        tasks: Vec<TaskInfo>,
    },
    /// RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME, SHRINK_VOLUME.
    Resources(ResourceOperation),
    /// CREATE_DISK or DESTROY_DISK, which only a resource provider could carry out.
    Disk {
        /// What is to be changed.
        source: Resources,
    },
}

impl From<OperationKind> for Operation {
    fn from(what: OperationKind) -> Self {
        Self { id: None, what }
    }
}

/// A call of a subscribed framework.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Leave for good.
    Teardown,
    /// Use offers, all of one agent and one role; what the operations leave is declined with the filters.
    Accept {
        /// Which offers.
        offers: Vec<OfferId>,
        /// What to do with them.
        operations: Vec<Operation>,
        /// For what is left over; `None` means the default of 5 s.
        filters: Option<Filters>,
    },
    /// Give offers back.
    Decline {
        /// Which offers; unknown ones are ignored.
        offers: Vec<OfferId>,
        /// `None` means the default of 5 s.
        filters: Option<Filters>,
    },
    /// Agree to leave an agent.
    AcceptInverseOffers {
        /// Which inverse offers; unknown ones are ignored.
        offers: Vec<InverseOfferId>,
        /// `None` means the default of 5 s.
        filters: Option<Filters>,
    },
    /// Refuse to leave an agent.
    DeclineInverseOffers {
        /// Which inverse offers; unknown ones are ignored.
        offers: Vec<InverseOfferId>,
        /// `None` means the default of 5 s.
        filters: Option<Filters>,
    },
    /// Want offers again, for these roles, none meaning all: forget filters and suppression.
    Revive {
        /// Which roles.
        roles: Vec<String>,
    },
    /// Want no offers for now, for these roles, none meaning all.
    Suppress {
        /// Which roles.
        roles: Vec<String>,
    },
    /// End a task.
    Kill {
        /// Which.
        task: TaskId,
        /// Where it is thought to be.
        agent: Option<AgentId>,
        /// How long it may take, in nanoseconds; replaces the task's own.
        grace: Option<i64>,
    },
    /// End an executor.
    Shutdown {
        /// Which.
        executor: ExecutorId,
        /// Where.
        agent: AgentId,
    },
    /// A status update has arrived.
    Acknowledge {
        /// Where the task is.
        agent: AgentId,
        /// Which task.
        task: TaskId,
        /// Which update.
        uuid: StatusId,
    },
    /// News of an operation has arrived.
    AcknowledgeOperation {
        /// Where.
        agent: AgentId,
        /// Which operation.
        operation: OperationId,
        /// Which update.
        uuid: StatusId,
    },
    /// Tell me the state of these tasks, none meaning all.
    Reconcile {
        /// Which, and where they are thought to be.
        tasks: Vec<(TaskId, Option<AgentId>)>,
    },
    /// Tell me the state of these operations, none meaning all.
    ReconcileOperations {
        /// Which, and where they are thought to be.
        operations: Vec<(OperationId, Option<AgentId>)>,
    },
    /// Tell an executor.
    Message {
        /// Where.
        agent: AgentId,
        /// Whom.
        executor: ExecutorId,
        /// What.
        data: Vec<u8>,
    },
    /// Ask for resources. Mesos does nothing with it.
    Request,
    /// Change roles, capabilities, suppression, constraints without a new stream.
    UpdateFramework(Box<Subscribe>),
}

/// The master refuses a call or a question (an HTTP error).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {message}")]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Mesos' words.
    pub message: String,
}

impl Refusal {
    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }

    /// 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self { status: 403, message: message.into() }
    }

    /// 409.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self { status: 409, message: message.into() }
    }
}

/// State of an operation (Mesos' `OperationState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationState {
    /// On its way.
    Pending,
    /// Done.
    Finished,
    /// Could not be done.
    Failed,
    /// Was not valid.
    Error,
    /// Never reached the agent.
    Dropped,
    /// Its agent does not answer.
    Unreachable,
    /// Its agent is gone.
    GoneByOperator,
    /// Its agent is expected back after a failover.
    Recovering,
    /// Nobody knows it.
    Unknown,
    /// A state that this version does not know.
    Unsupported,
}

impl OperationState {
    /// Whether the operation is over for good.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Finished | Self::Failed | Self::Error | Self::Dropped | Self::GoneByOperator => true,
            Self::Pending | Self::Unreachable | Self::Recovering | Self::Unknown | Self::Unsupported => false,
        }
    }
}

/// News of an operation (Mesos' `OperationStatus`).
#[derive(Clone, Debug, PartialEq)]
pub struct OperationStatus {
    /// The framework's name for it.
    pub operation: Option<OperationId>,
    /// The master's.
    pub uuid: Option<OperationUuid>,
    /// Its state.
    pub state: OperationState,
    /// For people.
    pub message: Option<String>,
    /// To be repeated in the acknowledgement; `None` when none is wanted.
    pub status: Option<StatusId>,
    /// Where.
    pub agent: Option<AgentId>,
}
