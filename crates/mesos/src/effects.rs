//! What comes out of the core.

use crate::{
    event::{Event, FromAgent, ToAgent},
    id::{AgentId, FrameworkId, RoleId},
    offer::Offer,
    resource::Resources,
    task::{TaskInfo, TaskKey, TaskState},
};

/// Takes what the master has to say, in order.
pub trait MasterEffects {
    /// To a framework.
    fn send_event(&mut self, framework: FrameworkId, event: Event);
    /// To an agent.
    fn send_to_agent(&mut self, agent: AgentId, message: ToAgent);
    /// To whoever watches the master; changes nothing.
    fn note(&mut self, note: Note<'_>);
}

/// Takes what an agent has to say, in order.
pub trait AgentEffects {
    /// To the master.
    fn send_to_master(&mut self, message: FromAgent);
    /// To the executor: start this task.
    fn start(&mut self, key: TaskKey, task: TaskInfo);
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
    /// It was named in an ACCEPT that was refused.
    Discarded,
}

/// What the master did, for metrics, checkers and explanations.
#[derive(Clone, Copy, Debug)]
pub enum Note<'a> {
    /// These offers are out now, all to one framework.
    Offered(&'a [Offer]),
    /// These offers are no longer out.
    OffersEnded(OfferEnd, &'a [Offer]),
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
}
