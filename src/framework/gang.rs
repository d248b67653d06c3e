//! Gangs: jobs of ranks that run all at once or not at all, as under MPI or Torque.
//!
//! The job at the head of the queue starts when there is room for all of its ranks; jobs behind it wait, or may start before
//! it ([`Options::backfill`]). Until there is room, what is offered is declined, or collected for the head of the queue
//! ([`Options::hold`]): then nobody else can have it, and two gangs that each hold half a cluster would wait for each other for
//! ever, so that after [`Options::hold_timeout`] all is given back. If one rank is lost the others end, and the job starts
//! over.

use std::collections::{BTreeMap, VecDeque};

use mesos::{
    id::{AgentId, TaskId},
    time::{Span, Time},
};

use super::{Application, Attempt, Context, End, Figure, KindEntry, nth_task};
use crate::workload::{Demand, Job, JobId, TaskSpec};

pub(super) const KIND: KindEntry = KindEntry {
    name: "gang",
    about: "rigid jobs: all ranks start at once, one that is lost ends its job, which is tried again",
    source: "Ousterhout, Scheduling techniques for concurrent systems, 1982; Torque on Mesos, NSDI'11",
};

/// How gangs are started.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Options {
    /// Whether offers are collected for the first job, rather than declined until one round of them has room for it.
    pub hold: bool,
    /// So long after it began to collect, a job gives everything back and begins again; `None`: never.
    pub hold_timeout: Option<Span>,
    /// Whether jobs behind one that finds no room may start before it.
    pub backfill: bool,
    /// How often a job of which a rank failed by itself is tried again. One of which a rank was lost always is.
    pub retries: u32,
}

/// A job that waits or runs.
#[derive(Clone, Debug)]
struct Gang {
    job: JobId,
    first_task: TaskId,
    ranks: Vec<TaskSpec>,
    submission: Time,
    failures: u32,
    /// Attempts that are launched and not over.
    alive: Vec<TaskId>,
    /// Whether it ends, to start over or for good.
    is_ending: bool,
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Gangs {
    options: Options,
    waiting: VecDeque<Gang>,
    running: BTreeMap<JobId, Gang>,
    /// The job of each attempt.
    job_of: BTreeMap<TaskId, JobId>,
    /// When the head of the queue began to collect.
    collects_since: Option<Time>,
    tally: Tally,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    starts: u64,
    restarts: u64,
    timeouts: u64,
    completed: u64,
    waits: f64,
}

impl Gangs {
    /// No jobs yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            waiting: VecDeque::new(),
            running: BTreeMap::new(),
            job_of: BTreeMap::new(),
            collects_since: None,
            tally: Tally::default(),
        }
    }

    /// Starts all jobs that find room, in order; those behind one that does not only with backfill.
    fn start_jobs(&mut self, context: &mut Context<'_>) {
        let mut blocked = VecDeque::new();
        while let Some(gang) = self.waiting.pop_front() {
            let may_start = blocked.is_empty() || self.options.backfill;
            match places(&gang.ranks, context).filter(|_| may_start) {
                Some(places) => self.start(gang, &places, context),
                None => blocked.push_back(gang),
            }
            if context.pool().is_empty() || (!blocked.is_empty() && !self.options.backfill) {
                break;
            }
        }
        blocked.append(&mut self.waiting);
        self.waiting = blocked;
    }

    fn start(&mut self, mut gang: Gang, places: &[AgentId], context: &mut Context<'_>) {
        gang.is_ending = false;
        for (rank, (spec, &agent)) in gang.ranks.iter().zip(places).enumerate() {
            let attempt = context.launch(nth_task(gang.first_task, rank), spec, agent);
            let attempt = attempt.expect("there is room for all ranks together, as was found");
            gang.alive.push(attempt);
            self.job_of.insert(attempt, gang.job);
        }
        self.tally.starts += 1;
        self.tally.waits += context.now.since(gang.submission).as_secs_f64();
        self.collects_since = None;
        self.running.insert(gang.job, gang);
    }

    /// Keeps what would serve the first job, as long as it may.
    fn collect(&mut self, context: &mut Context<'_>) {
        let Some(head) = self.waiting.front().filter(|_| self.options.hold) else { return };
        let agents = useful(&head.ranks, context);
        if !agents.is_empty() && self.collects_since.is_none() {
            self.collects_since = Some(context.now);
        }
        agents.into_iter().for_each(|agent| context.keep(agent));
    }

    /// A rank is over without success: the job ends, and starts over unless it has failed too often.
    fn fall_apart(&mut self, job: JobId, has_failed: bool, context: &mut Context<'_>) {
        let Some(gang) = self.running.get_mut(&job) else { return };
        gang.failures += u32::from(has_failed && !gang.is_ending);
        if !std::mem::replace(&mut gang.is_ending, true) {
            gang.alive.iter().for_each(|&attempt| context.kill(attempt));
        }
    }

    /// The last rank of a job is over.
    fn settle(&mut self, job: JobId, context: &mut Context<'_>) {
        let gang = self.running.remove(&job).expect("a job whose ranks ran");
        if !gang.is_ending || gang.failures > self.options.retries {
            self.tally.completed += u64::from(!gang.is_ending);
            context.job_ended(job, !gang.is_ending);
        } else {
            self.tally.restarts += 1;
            self.waiting.push_front(gang);
            context.want_offers();
        }
    }
}

/// Where each rank could go, all at once; first fit.
fn places(ranks: &[TaskSpec], context: &Context<'_>) -> Option<Vec<AgentId>> {
    let pool = context.pool();
    let mut agents = pool.iter();
    let mut here = agents.next().map(|agent| (agent, pool.free(agent).clone()));
    let mut on_agent = 0;
    let mut places = Vec::with_capacity(ranks.len());
    for rank in ranks {
        loop {
            let (agent, free) = here.as_mut()?;
            let fits =
                on_agent < context.most_per_agent() && rank.demand.fits(free, context.facts.model(*agent));
            if let Some(taken) = rank.demand.take(free).filter(|_| fits) {
                *free -= &taken;
                places.push(*agent);
                on_agent += 1;
                break;
            }
            on_agent = 0;
            here = agents.next().map(|agent| (agent, pool.free(agent).clone()));
        }
    }
    Some(places)
}

/// Agents at hand on which a rank fits.
fn useful(ranks: &[TaskSpec], context: &Context<'_>) -> Vec<AgentId> {
    let mut demands: Vec<Demand> = Vec::new();
    for rank in ranks.iter().filter(|rank| rank.demand != Demand::default()) {
        if !demands.contains(&rank.demand) {
            demands.push(rank.demand);
        }
    }
    let fits = |agent: &AgentId| demands.iter().any(|demand| context.pool().fits(demand, *agent));
    context.pool().iter().filter(fits).collect()
}

impl Application for Gangs {
    fn submit(&mut self, job: &Job, first_task: TaskId, context: &mut Context<'_>) {
        if job.tasks.is_empty() {
            return context.job_ended(job.id, true);
        }
        self.waiting.push_back(Gang {
            job: job.id,
            first_task,
            ranks: job.tasks.to_vec(),
            submission: context.now,
            failures: 0,
            alive: Vec::new(),
            is_ending: false,
        });
    }

    fn offers(&mut self, context: &mut Context<'_>) {
        self.start_jobs(context);
        self.collect(context);
    }

    fn ended(&mut self, attempt: &Attempt, end: End, context: &mut Context<'_>) {
        let job = self.job_of.remove(&attempt.id).expect("every attempt is one of a job");
        let gang = self.running.get_mut(&job).expect("a job runs as long as one of its ranks does");
        gang.alive.retain(|&id| id != attempt.id);
        match end {
            End::Failed => self.fall_apart(job, true, context),
            End::Lost => self.fall_apart(job, false, context),
            End::Finished | End::Asked => {}
        }
        if self.running[&job].alive.is_empty() {
            self.settle(job, context);
        }
    }

    fn next_wake(&self) -> Option<Time> {
        self.collects_since.zip(self.options.hold_timeout).map(|(since, timeout)| since + timeout)
    }

    fn wake(&mut self, context: &mut Context<'_>) {
        self.collects_since = None;
        self.tally.timeouts += 1;
        let agents: Vec<AgentId> = context.pool().iter().collect();
        agents.into_iter().for_each(|agent| context.give_back(agent));
    }

    fn waiting(&self) -> usize {
        self.waiting.iter().map(|gang| gang.ranks.len()).sum()
    }

    fn figures(&self, _: Time) -> Vec<Figure> {
        let count = |metric, value: u64, about| Figure::new(metric, value as f64, "jobs", about);
        let mean = if self.tally.starts > 0 { self.tally.waits / self.tally.starts as f64 } else { 0.0 };
        vec![
            count("completed", self.tally.completed, "jobs of which all ranks finished"),
            count("restarts", self.tally.restarts, "times that a job lost a rank and started over"),
            count("hold_timeouts", self.tally.timeouts, "times that a job gave back what it had collected"),
            Figure::new("wait_mean", mean, "s", "from submission to a start, mean over all starts"),
        ]
    }
}
