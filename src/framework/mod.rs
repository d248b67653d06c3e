//! Frameworks: who takes offers and runs jobs on them. One file for each kind.

pub mod attempts;
pub mod batch;

use mesos::{
    call::Call,
    event::Event,
    id::{AgentId, Id, IdVec, TaskId},
    time::Time,
};

use crate::workload::{Job, ModelSet};

/// What an offer tells of its agent beside its resources: the attributes that frameworks heed.
#[derive(Clone, Debug, Default)]
pub struct AgentFacts {
    models: IdVec<AgentId, ModelSet>,
}

impl AgentFacts {
    /// This agent has GPUs of this model.
    pub fn set(&mut self, agent: AgentId, model: ModelSet) {
        *self.models.grow_to(agent, ModelSet::default) = model;
    }

    /// The model of an agent's GPUs.
    #[must_use]
    pub fn model(&self, agent: AgentId) -> ModelSet {
        self.models[agent]
    }
}

/// What a scheduler does: calls to the master, and tasks that are tried once more under a new id.
#[derive(Debug, Default)]
pub struct Reply {
    /// In order.
    pub calls: Vec<Call>,
    /// Tasks as their jobs have them, and the ids under which they are tried from now on.
    pub retried: Vec<(TaskId, TaskId)>,
    /// How many such ids were given out.
    retries: usize,
}

/// Tasks of jobs have ids below this, further attempts at them have ids from here on.
pub const FIRST_RETRY: usize = 1 << 31;

impl Reply {
    /// A new id under which a task is tried once more.
    pub fn retry(&mut self, task: TaskId) -> TaskId {
        let attempt = TaskId::new(FIRST_RETRY + self.retries);
        self.retries += 1;
        self.retried.push((task, attempt));
        attempt
    }
}

/// A framework's scheduler: hears of jobs and of events, answers with calls.
///
/// It outlives the loss of its stream, as a scheduler that keeps its state: [`Event::Subscribed`] may come again.
pub trait Framework: Send {
    /// A job arrives; its tasks have the ids from `first_task` on.
    fn submit(&mut self, now: Time, job: &Job, first_task: TaskId, reply: &mut Reply);

    /// An event of the master arrives.
    fn handle_event(&mut self, now: Time, event: Event, facts: &AgentFacts, reply: &mut Reply);

    /// The stream to the master broke: offers are void, and news may be lost. Calls cannot be made until
    /// [`Event::Subscribed`] comes.
    fn disconnected(&mut self);

    /// The master has forgotten the framework, with all its tasks. It will subscribe under a new id.
    fn removed(&mut self, reply: &mut Reply);

    /// Asks the master about tasks of which nothing was heard since the stream broke. Whether there are any; then it is
    /// to be asked again, because the master does not answer while it waits for agents itself.
    fn reconcile(&mut self, reply: &mut Reply) -> bool;

    /// How many tasks wait for a place.
    fn waiting(&self) -> usize;

    /// How many attempts are launched and not known to be over.
    fn launched(&self) -> usize;
}

/// The id of a job's n-th task.
#[must_use]
pub fn nth_task(first: TaskId, n: usize) -> TaskId {
    TaskId::new(first.index() + n)
}
