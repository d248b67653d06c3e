//! What comes out of the core.

use crate::{
    event::{Event, FromAgent, InverseOffer, ToAgent},
    id::{
        Address, AgentId, ConnectionId, ExecutorId, FrameworkId, InverseOfferId, RequestId, RoleId, StatusId,
    },
    maintenance::InverseOfferStatus,
    offer::{Filters, Offer},
    operator::Answer,
    quota::Quota,
    registry::RegistryOperation,
    resource::Resources,
    task::{ExecutorInfo, TaskInfo, TaskKey, TaskState, TaskStatus},
    time::Span,
};

/// Takes what the master has to say, in order.
pub trait MasterEffects {
    /// To a framework, over its stream.
    fn send_event(&mut self, framework: FrameworkId, connection: ConnectionId, event: Event);
    /// The stream to a framework ends.
    fn close(&mut self, connection: ConnectionId);
    /// To the agent at this address, which may be another one by now.
    fn send_to_agent(&mut self, address: Address, message: ToAgent);
    /// Keep these changes of the registry for good. `true`: it is done. `false`: it will be, and then
    /// [`handle_stored`](crate::master::Master::handle_stored) says so; nothing else is to be stored before that.
    fn store(&mut self, changes: &[RegistryOperation]) -> bool;
    /// To an operator.
    fn answer(&mut self, request: RequestId, answer: Answer);
    /// To whoever watches the master; changes nothing.
    fn note(&mut self, note: Note<'_>);
}

/// Takes what an agent has to say, in order, and draws for it.
pub trait AgentEffects {
    /// To the master.
    fn send_to_master(&mut self, message: FromAgent);
    /// To the containerizer and its executors.
    fn contain(&mut self, order: Container);
    /// A random wait between nothing and `most`.
    fn backoff(&mut self, most: Span) -> Span;
}

/// What an agent has its containerizer and executors do.
#[derive(Clone, Debug, PartialEq)]
pub enum Container {
    /// Start an executor of this task or group. `executor` is `None` for a command task, which is its own executor.
    Launch {
        /// Whose.
        framework: FrameworkId,
        /// What; the executor registers when it is up.
        executor: Box<ExecutorInfo>,
    },
    /// Start a task: in its executor, or, for a command task, in a container of its own.
    Run {
        /// Which.
        key: TaskKey,
        /// What.
        task: TaskInfo,
    },
    /// Ask a task to end, and force it after so long.
    Kill {
        /// Which.
        key: TaskKey,
        /// How long it may take.
        grace: Span,
    },
    /// Ask an executor to end with all its tasks, and force it after so long.
    Shutdown {
        /// Whose.
        framework: FrameworkId,
        /// Which.
        executor: ExecutorId,
        /// How long it may take.
        grace: Span,
    },
    /// End a command task's container at once.
    Destroy {
        /// Which.
        key: TaskKey,
    },
    /// A framework speaks to its executor.
    Message {
        /// Whose.
        framework: FrameworkId,
        /// Which.
        executor: ExecutorId,
        /// What it says.
        data: Vec<u8>,
    },
}

/// Why an offer ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OfferEnd {
    /// An ACCEPT used it.
    Accepted,
    /// A DECLINE gave it back.
    Declined,
    /// The master took it back.
    Rescinded,
    /// It was named in an ACCEPT that was refused, or its framework is gone.
    Discarded,
}

/// Why an agent left the registered ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AgentEnd {
    /// It does not answer.
    Unreachable,
    /// An operator said so.
    Gone,
    /// It ended, its machine went down for maintenance, or another came at its address.
    Removed,
}

/// What the master did, for metrics, checkers and explanations.
#[derive(Clone, Copy, Debug)]
pub enum Note<'a> {
    /// These offers are out now, all to one framework.
    Offered(&'a [Offer]),
    /// These offers are no longer out.
    OffersEnded(OfferEnd, &'a [Offer]),
    /// A framework refused what these offers hold, all of one ACCEPT or DECLINE: what it declined, or what it left of those
    /// that it accepted, as one offer. Comes after [`OffersEnded`](Self::OffersEnded).
    Refused(Filters, &'a [Offer]),
    /// A framework has taken its filters back under these roles.
    Revived {
        /// Which.
        framework: FrameworkId,
        /// Under which roles.
        roles: &'a [RoleId],
    },
    /// A task holds resources of an agent from now on.
    Launched {
        /// Which task.
        key: TaskKey,
        /// Under which role.
        role: RoleId,
        /// Where, and what it holds.
        task: &'a TaskInfo,
    },
    /// The master's view of a task has changed.
    TaskState {
        /// Which task.
        key: TaskKey,
        /// Its state now.
        state: TaskState,
    },
    /// A task's resources are free again.
    Recovered {
        /// Which task.
        key: TaskKey,
        /// Under which role it held them.
        role: RoleId,
        /// Where.
        agent: AgentId,
        /// What.
        resources: &'a Resources,
    },
    /// An executor holds these from now on, or no longer. (Tasks: [`Launched`](Self::Launched), [`Recovered`](Self::Recovered).)
    Executor {
        /// Whose.
        framework: FrameworkId,
        /// Which.
        executor: ExecutorId,
        /// Under which role.
        role: RoleId,
        /// Where.
        agent: AgentId,
        /// What.
        resources: &'a Resources,
        /// From now on, not no longer.
        holds: bool,
    },
    /// A task is known again because its agent came back with it; if `held` it holds its resources.
    Readmitted {
        /// Which task.
        key: TaskKey,
        /// Under which role.
        role: RoleId,
        /// Where, and what it holds.
        task: &'a TaskInfo,
        /// Its state.
        state: TaskState,
    },
    /// A task is over and forgotten, or its framework is gone.
    TaskForgotten {
        /// Which task.
        key: TaskKey,
    },
    /// A status update was sent to a framework that is connected.
    Sent {
        /// Whose task.
        framework: FrameworkId,
        /// What was said.
        status: &'a TaskStatus,
    },
    /// A framework has acknowledged an update, and the agent is told.
    Acknowledged {
        /// Which task.
        key: TaskKey,
        /// Which update.
        uuid: StatusId,
    },
    /// A framework is subscribed: for the first time, or again over a new stream.
    FrameworkSubscribed {
        /// Which.
        framework: FrameworkId,
        /// Whether it was not known before.
        is_new: bool,
        /// Its roles.
        roles: &'a [RoleId],
    },
    /// A framework that was not there is known from an agent that came back.
    FrameworkRecovered {
        /// Which.
        framework: FrameworkId,
    },
    /// The stream to a framework broke.
    FrameworkDisconnected {
        /// Which.
        framework: FrameworkId,
    },
    /// A framework has other properties.
    FrameworkUpdated {
        /// Which.
        framework: FrameworkId,
    },
    /// A framework is gone for good.
    FrameworkRemoved {
        /// Which.
        framework: FrameworkId,
    },
    /// A framework wants no offers, or wants them again, under a role.
    Suppressed {
        /// Which.
        framework: FrameworkId,
        /// Under which role.
        role: RoleId,
        /// Wants none.
        suppressed: bool,
    },
    /// An agent is among the registered ones from now on: a new one, or one that was unreachable, recovered or unknown.
    AgentAdded {
        /// Which.
        agent: AgentId,
        /// Where it runs.
        address: Address,
        /// All it has.
        total: &'a Resources,
        /// It was given its id just now.
        is_new: bool,
    },
    /// An agent has other resources than before.
    AgentTotal {
        /// Which.
        agent: AgentId,
        /// All it has now.
        total: &'a Resources,
    },
    /// A registered agent's connection broke (`false`) or is back (`true`).
    AgentConnected {
        /// Which.
        agent: AgentId,
        /// Is back.
        connected: bool,
    },
    /// An agent may be offered (`true`) or may not (`false`), by an operator's word.
    AgentActivated {
        /// Which.
        agent: AgentId,
        /// May be offered.
        active: bool,
    },
    /// An agent is no longer among the registered ones.
    AgentEnded {
        /// Which.
        agent: AgentId,
        /// Why.
        end: AgentEnd,
    },
    /// A draining agent is empty.
    AgentDrained {
        /// Which.
        agent: AgentId,
    },
    /// Inverse offers are out.
    InverseOffered(&'a [InverseOffer]),
    /// An inverse offer is no longer out; with the framework's answer, if it gave one.
    InverseOfferEnded(InverseOfferId, Option<InverseOfferStatus>),
    /// What a role is promised and limited to from now on.
    Quota {
        /// Which role.
        role: RoleId,
        /// What.
        quota: &'a Quota,
    },
    /// A call of a framework was thrown away for the sake of a rate limit, or waits.
    Throttled {
        /// Which framework.
        framework: FrameworkId,
        /// Thrown away, not delayed.
        dropped: bool,
    },
    /// The master gives up: it says why, and is not to be driven any further.
    Fatal(&'a str),
}
