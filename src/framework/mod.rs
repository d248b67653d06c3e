//! Frameworks: who takes offers and runs jobs on them. One file for each kind, and a registry.
//!
//! [`Framework`] is what the world knows. [`batch`] implements it by itself; all other kinds are [`Application`]s, which say what
//! they want to run and hear what becomes of it, inside a [`Driver`], which speaks Mesos' protocol for them.
//!
//! A new kind is a file here with an [`Application`] and a [`KindEntry`], one line in [`KINDS`], and a table in
//! `experiment::kinds`.

pub mod answer;
pub mod application;
pub mod attempts;
pub mod batch;
pub mod constraint;
pub mod driver;
mod facts;
pub mod gang;
pub mod hoarder;
mod ledger;
pub mod locality;
pub mod mapreduce;
mod queue;
mod shunned;
pub mod speculation;
pub mod wanted;

use mesos::{
    call::Call,
    event::Event,
    id::{Id, TaskId},
    time::Time,
};

use crate::workload::{Job, JobId, TaskSpec};

pub use answer::Answer;
pub use application::{Application, Attempt, Context, End};
pub use driver::Driver;
pub use facts::{AgentFacts, MachineFacts, WordId};

/// One kind of framework.
#[derive(Debug)]
pub struct KindEntry {
    /// What experiment files call it.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Where its behaviour comes from: a paper, a product, or "textbook".
    pub source: &'static str,
}

/// All kinds.
pub const KINDS: &[KindEntry] = &[batch::KIND, gang::KIND, hoarder::KIND, mapreduce::KIND];

/// Names in [`KINDS`].
pub const KIND_NAMES: &[&str] = &{
    let mut names = [""; KINDS.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = KINDS[place].name;
        place += 1;
    }
    names
};

/// One measure that a framework takes of itself, at the end of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
    /// Its name, unique within the framework: lower-case letters, digits, `_` and `/`.
    pub metric: String,
    /// Finite, 0 or more.
    pub value: f64,
    /// Its unit, such as `s`, `tasks` or `share`.
    pub unit: &'static str,
    /// What it means, in one line.
    pub about: &'static str,
}

impl Figure {
    /// A measure.
    #[must_use]
    pub fn new(metric: impl Into<String>, value: f64, unit: &'static str, about: &'static str) -> Self {
        let metric = metric.into();
        assert!(value.is_finite() && value >= 0.0, "{metric} is {value} {unit}");
        Self { metric, value, unit, about }
    }
}

/// What a framework makes known of its jobs and tasks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum News {
    /// A task is tried once more, under this id from now on.
    Retried {
        /// As its job has it.
        task: TaskId,
        /// Its new id.
        attempt: TaskId,
    },
    /// A job has one task more.
    Added {
        /// Which job.
        job: JobId,
        /// The task.
        task: TaskId,
        /// What it asks for.
        spec: TaskSpec,
    },
    /// An attempt is ended, because it has done what it was for.
    Stopped {
        /// Under which id it runs.
        attempt: TaskId,
    },
    /// A job is over ([`Framework::manages_jobs`]).
    JobEnded {
        /// Which job.
        job: JobId,
        /// Whether it did what it was for.
        success: bool,
    },
}

/// What a scheduler does: calls to the master, and news for whoever watches. One for its whole life.
#[derive(Debug, Default)]
pub struct Reply {
    /// In order.
    pub calls: Vec<Call>,
    /// In order.
    pub news: Vec<News>,
    /// How many ids of tasks, and of further attempts at tasks, were given out.
    tasks: usize,
    retries: usize,
}

/// Tasks of jobs have ids below this, further attempts at them have ids from here on.
pub const FIRST_RETRY: usize = 1 << 31;

impl Reply {
    /// The ids of so many tasks with which a job arrives: the first; the others follow.
    pub fn number_tasks(&mut self, count: usize) -> TaskId {
        let first = self.tasks;
        self.tasks += count;
        assert!(self.tasks <= FIRST_RETRY, "a framework has at most {FIRST_RETRY} tasks, not {}", self.tasks);
        TaskId::new(first)
    }

    /// A new id under which a task is tried once more.
    pub fn retry(&mut self, task: TaskId) -> TaskId {
        let attempt = TaskId::new(FIRST_RETRY + self.retries);
        self.retries += 1;
        self.news.push(News::Retried { task, attempt });
        attempt
    }

    /// Gives a job that is not over one task more.
    pub fn new_task(&mut self, job: JobId, spec: TaskSpec) -> TaskId {
        let task = self.number_tasks(1);
        self.news.push(News::Added { job, task, spec });
        task
    }

    /// A job is over. For frameworks that manage their jobs; once for each job.
    pub fn job_ended(&mut self, job: JobId, success: bool) {
        self.news.push(News::JobEnded { job, success });
    }
}

/// A framework's scheduler: hears of jobs and of events, answers with calls.
///
/// It outlives the loss of its stream, as a scheduler that keeps its state: [`Event::Subscribed`] may come again.
pub trait Framework: Send {
    /// A job arrives; its tasks have the ids from `first_task` on.
    fn submit(&mut self, now: Time, job: &Job, first_task: TaskId, facts: &AgentFacts, reply: &mut Reply);

    /// An event of the master arrives.
    fn handle_event(&mut self, now: Time, event: Event, facts: &AgentFacts, reply: &mut Reply);

    /// The stream to the master broke: offers are void, and news may be lost. Calls cannot be made until
    /// [`Event::Subscribed`] comes.
    fn disconnected(&mut self, now: Time);

    /// The master has forgotten the framework, with all its tasks. It will subscribe under a new id.
    fn removed(&mut self, now: Time, facts: &AgentFacts, reply: &mut Reply);

    /// Asks the master about tasks of which nothing was heard since the stream broke. Whether there are any; then it is
    /// to be asked again, because the master does not answer while it waits for agents itself.
    fn reconcile(&mut self, reply: &mut Reply) -> bool;

    /// Whether there are tasks to ask the master about.
    fn is_in_doubt(&self) -> bool;

    /// How many tasks wait for a place.
    fn waiting(&self) -> usize;

    /// How many attempts are launched and not known to be over.
    fn launched(&self) -> usize;

    /// When it wants to be [woken up](Self::wake). Asked after each call of it. A timer that falls due while the scheduler is
    /// down is late.
    fn next_wake(&self) -> Option<Time> {
        None
    }

    /// Its time has come; afterwards its next time lies in the future.
    fn wake(&mut self, now: Time, facts: &AgentFacts, reply: &mut Reply) {
        let _ = (now, facts, reply);
    }

    /// Whether a job is over when the framework says so ([`Reply::job_ended`]), and not when its tasks are.
    fn manages_jobs(&self) -> bool {
        false
    }

    /// Whether timers of it will bring new tasks, so that a run in which nothing else goes on is not over.
    fn has_plans(&self) -> bool {
        false
    }

    /// Its own measures, at the end of a run.
    fn figures(&self, now: Time) -> Vec<Figure> {
        let _ = now;
        Vec::new()
    }
}

/// The id of a job's n-th task.
#[must_use]
pub fn nth_task(first: TaskId, n: usize) -> TaskId {
    TaskId::new(first.index() + n)
}
