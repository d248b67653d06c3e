//! Frameworks: who takes offers and runs jobs on them. One file for each kind.

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
    /// The next agent that registers has GPUs of this model.
    pub fn add(&mut self, model: ModelSet) -> AgentId {
        self.models.push(model)
    }

    /// The model of an agent's GPUs.
    #[must_use]
    pub fn model(&self, agent: AgentId) -> ModelSet {
        self.models[agent]
    }
}

/// A framework's scheduler: hears of jobs and of events, answers with calls.
pub trait Framework: Send {
    /// A job arrives; its tasks have the ids from `first_task` on.
    fn submit(&mut self, now: Time, job: &Job, first_task: TaskId, calls: &mut Vec<Call>);

    /// An event of the master arrives.
    fn handle_event(&mut self, now: Time, event: Event, facts: &AgentFacts, calls: &mut Vec<Call>);

    /// How many tasks wait for a place.
    fn waiting(&self) -> usize;
}

/// The id of a job's n-th task.
#[must_use]
pub fn nth_task(first: TaskId, n: usize) -> TaskId {
    TaskId::new(first.index() + n)
}
