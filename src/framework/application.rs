//! What an application is to its [`Driver`](super::Driver): jobs and resources come in, tasks go out, and nothing is said of
//! calls, acknowledgements, streams or ids of attempts.

use mesos::{
    id::{AgentId, TaskId},
    time::Time,
};

use super::{AgentFacts, Figure, Reply, driver::Desk};
use crate::{
    policy::pool::Pool,
    workload::{Demand, Job, JobId, TaskSpec},
};

/// A kind of framework, told of what happens to its jobs and tasks.
///
/// Every method gets a [`Context`], through which it acts. What is lost on the way (an offer that was taken back, a launch that
/// never arrived, a stream that broke, an agent that died) comes back as [`ended`](Self::ended) with [`End::Lost`]; then it is up
/// to the application to launch the task again. All jobs are over when it says so ([`Context::job_ended`]).
pub trait Application: Send {
    /// A job arrives; the tasks that it lists have the ids from `first_task` on. It may launch those, add more
    /// ([`Context::new_task`]), or both.
    fn submit(&mut self, job: &Job, first_task: TaskId, context: &mut Context<'_>);

    /// Resources are at hand ([`Context::pool`]): launches what it wants to run on them.
    ///
    /// Asked when offers come, and whenever more tasks wait than before while something is at hand. What it neither uses nor
    /// [keeps](Context::keep) is then given back or kept as its [`Answer`](super::Answer) says.
    fn offers(&mut self, context: &mut Context<'_>);

    /// An attempt at a task runs.
    fn started(&mut self, attempt: &Attempt, context: &mut Context<'_>) {
        let _ = (attempt, context);
    }

    /// An attempt at a task is over, as far as the application is concerned: one that was lost and comes back is killed
    /// without its doing.
    fn ended(&mut self, attempt: &Attempt, end: End, context: &mut Context<'_>);

    /// An agent is gone, with all that was kept on it. Its attempts are heard of one by one.
    fn agent_lost(&mut self, agent: AgentId, context: &mut Context<'_>) {
        let _ = (agent, context);
    }

    /// When it wants to be [woken up](Self::wake), if it does. Nothing that goes on for ever without a job: that would keep a run
    /// from ending.
    fn next_wake(&self) -> Option<Time> {
        None
    }

    /// Its time has come, or is past if the scheduler was down. Afterwards its next time lies in the future.
    fn wake(&mut self, context: &mut Context<'_>) {
        let _ = context;
    }

    /// How many tasks wait for a place.
    fn waiting(&self) -> usize;

    /// Whether it wants to see offers.
    fn wants_offers(&self) -> bool {
        self.waiting() > 0
    }

    /// Whether its timers will bring new tasks, so that a run in which nothing else goes on is not over.
    fn has_plans(&self) -> bool {
        false
    }

    /// Its own measures, at the end of a run.
    fn figures(&self, now: Time) -> Vec<Figure>;
}

/// An attempt at a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// Its own id, as [`Context::launch`] gave it.
    pub id: TaskId,
    /// The task, as its job has it.
    pub task: TaskId,
    /// Where it was launched.
    pub agent: AgentId,
    /// When it was launched.
    pub launched: Time,
    /// When its framework heard that it runs.
    pub started: Option<Time>,
}

/// Why an attempt is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It did its work.
    Finished,
    /// It failed by itself.
    Failed,
    /// Its application asked for it.
    Asked,
    /// It never got to its agent, or it was taken away: its agent is gone or out of reach, was drained, or had others to serve.
    Lost,
}

/// What an application may do, and what it may see.
pub struct Context<'a> {
    /// The time.
    pub now: Time,
    /// What is known of machines.
    pub facts: &'a AgentFacts,
    pub(super) desk: &'a mut Desk,
    pub(super) reply: &'a mut Reply,
}

impl Context<'_> {
    /// The offers at hand.
    #[must_use]
    pub const fn pool(&self) -> &Pool {
        self.desk.pool()
    }

    /// The agents at hand on which this fits, ascending.
    pub fn fitting<'b>(&'b self, demand: &'b Demand) -> impl Iterator<Item = AgentId> + 'b {
        self.pool().fitting(demand)
    }

    /// Tries a task on an agent at hand and says under which id. `None`: it does not fit there.
    ///
    /// The same task may be launched again, after an attempt or beside it.
    pub fn launch(&mut self, task: TaskId, spec: &TaskSpec, agent: AgentId) -> Option<TaskId> {
        self.desk.launch(self.now, task, spec, agent, self.reply)
    }

    /// How many tasks may be launched on the offers of one agent in this call.
    #[must_use]
    pub fn most_per_agent(&self) -> usize {
        self.desk.most_per_agent()
    }

    /// Keeps the offers of an agent at hand this once, whatever the [`Answer`](super::Answer) says.
    pub fn keep(&mut self, agent: AgentId) {
        self.desk.keep(agent);
    }

    /// Gives the offers of an agent back after this call, whatever the [`Answer`](super::Answer) says.
    pub fn give_back(&mut self, agent: AgentId) {
        self.desk.give_back(agent);
    }

    /// Ends an attempt whose work is of no use (a copy that lost the race). Heard of as [`End::Asked`].
    pub fn kill(&mut self, attempt: TaskId) {
        self.desk.kill(self.now, attempt, self.reply);
    }

    /// Ends an attempt that has done what it was for: what it took counts as goodput. Heard of as [`End::Asked`], unless it ends
    /// before.
    pub fn stop(&mut self, attempt: TaskId) {
        self.desk.stop(self.now, attempt, self.reply);
    }

    /// An attempt that is launched and not over.
    #[must_use]
    pub fn attempt(&self, id: TaskId) -> Option<&Attempt> {
        self.desk.attempt(id)
    }

    /// Gives a job that is not over one task more.
    pub fn new_task(&mut self, job: JobId, spec: TaskSpec) -> TaskId {
        self.reply.new_task(job, spec)
    }

    /// A job is over; once for each job. Its attempts that still run are not ended by this.
    pub fn job_ended(&mut self, job: JobId, success: bool) {
        self.reply.job_ended(job, success);
    }

    /// Other tasks wait than before, or more of what is offered would do: looks again at what is at hand, and asks for what was
    /// declined. Goes without saying when more tasks wait than before.
    pub const fn want_offers(&mut self) {
        self.desk.want_offers();
    }
}
