//! What a run measures: jobs and tasks, who held what and when, and what the master did. Seen through records alone.

mod incidents;
mod jobs;
mod recovery;
mod summary;
mod timeline;
mod work;

use mesos::{
    effects::{Note, OfferEnd},
    id::{AgentId, FrameworkId, IdVec, RoleId},
    resource::{ResourceName, ResourceQuantities},
    task::{Reason, TaskKey, TaskState},
    time::{Span, Time},
};

pub use incidents::{Event, Incident, Incidents, MOST_INCIDENTS};
pub use jobs::{FinalState, JobRow, Jobs, TaskRow};
pub use recovery::{Failover, Known, MOST_POINTS};
pub use summary::{Quantiles, Summary, quantile};
pub use timeline::{Bin, Gauge, Kind, Snapshot, Timeline};
pub use work::{Taken, Vain, Work};

use jobs::Worth;
use recovery::Recovery;

use crate::{
    cluster::MachineId,
    record::{Cause, Observer, Record},
};

/// What happened to the offers made to one framework.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfferCounts {
    /// Sent to it.
    pub sent: u64,
    /// Used by an ACCEPT.
    pub accepted: u64,
    /// Given back by a DECLINE.
    pub declined: u64,
    /// Taken back by the master.
    pub rescinded: u64,
    /// Named in an ACCEPT that was refused.
    pub discarded: u64,
}

/// What a framework is to the metrics.
#[derive(Clone, Debug)]
struct FrameworkMetrics {
    offers: OfferCounts,
    /// Roles of subscribed frameworks.
    role: Option<RoleId>,
}

/// All measures of one run.
#[derive(Clone, Debug)]
pub struct RunMetrics {
    frameworks: Vec<FrameworkMetrics>,
    /// Place in the experiment file of each framework that ever subscribed.
    place_of: IdVec<FrameworkId, usize>,
    jobs: Jobs,
    timeline: Timeline,
    /// How often a task entered each state, as the master saw it.
    task_states: [u64; TaskState::ALL.len()],
    /// How many tasks the master launched.
    launched: u64,
    /// When the first job arrived, when the last task ended, and at the end of the run.
    first_arrival: Option<Snapshot>,
    last_end: Snapshot,
    end: Snapshot,
    /// The machine of each agent, and what the master thinks that it has.
    machines: IdVec<AgentId, MachineId>,
    totals: IdVec<AgentId, ResourceQuantities>,
    work: Work,
    incidents: Incidents,
    recovery: Recovery,
}

impl RunMetrics {
    /// For a run of so many frameworks, with a timeline of at most so many bins; `excluded` do not count in shares.
    #[must_use]
    pub fn new(frameworks: usize, bins: usize, excluded: &[ResourceName]) -> Self {
        Self {
            frameworks: vec![FrameworkMetrics { offers: OfferCounts::default(), role: None }; frameworks],
            place_of: IdVec::new(),
            jobs: Jobs::new(frameworks),
            timeline: Timeline::new(bins, excluded),
            task_states: [0; TaskState::ALL.len()],
            launched: 0,
            first_arrival: None,
            last_end: Snapshot::default(),
            end: Snapshot::default(),
            machines: IdVec::new(),
            totals: IdVec::new(),
            work: Work::default(),
            incidents: Incidents::default(),
            recovery: Recovery::of(frameworks),
        }
    }

    /// Jobs and tasks.
    #[must_use]
    pub const fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Who held what.
    #[must_use]
    pub const fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// What was worth the while, and what was in vain.
    #[must_use]
    pub const fn work(&self) -> &Work {
        &self.work
    }

    /// What went wrong, in order.
    #[must_use]
    pub const fn incidents(&self) -> &Incidents {
        &self.incidents
    }

    /// How new masters got to know everybody again.
    #[must_use]
    pub fn failovers(&self) -> &[Failover] {
        self.recovery.failovers()
    }

    /// The offers made to a framework, by its place in the experiment file.
    #[must_use]
    pub fn offers(&self, place: usize) -> OfferCounts {
        self.frameworks[place].offers
    }

    /// The role of a framework, by its place; `None` until it is subscribed.
    #[must_use]
    pub fn role(&self, place: usize) -> Option<RoleId> {
        self.frameworks[place].role
    }

    /// How often the master saw a task enter this state.
    #[must_use]
    pub const fn entered(&self, state: TaskState) -> u64 {
        self.task_states[state as usize]
    }

    /// How many tasks were launched.
    #[must_use]
    pub const fn launched(&self) -> u64 {
        self.launched
    }

    /// The machine of an agent.
    #[must_use]
    pub fn machine(&self, agent: AgentId) -> MachineId {
        self.machines[agent]
    }

    /// Closes the books at the end of the run.
    pub fn finish(&mut self, now: Time) {
        self.timeline.finish(now);
        self.end = self.timeline.snapshot(now);
    }

    /// The figures of the whole run; bounded slowdown with this tau.
    #[must_use]
    pub fn summary(&self, tau: Span) -> Summary {
        Summary::of(self, tau)
    }

    fn note(&mut self, now: Time, note: &Note<'_>) {
        match *note {
            Note::Offered(offers) => {
                let framework = offers[0].framework;
                self.of(framework).offers.sent += offers.len() as u64;
                self.timeline.add(now, self.role_of(framework), Kind::Offered, &sum(offers));
            }
            Note::OffersEnded(end, offers) => self.offers_ended(now, end, offers),
            Note::Launched { role, task, .. } => {
                self.launched += 1;
                self.timeline.add(now, role, Kind::Allocated, task.resources.quantities());
            }
            Note::TaskState { state, .. } => self.task_states[state as usize] += 1,
            Note::Recovered { role, resources, .. } => {
                self.timeline.sub(now, role, Kind::Allocated, resources.quantities());
            }
            Note::Readmitted { role, task, state, .. } => {
                if !state.is_terminal() && state != TaskState::Unreachable {
                    self.timeline.add(now, role, Kind::Allocated, task.resources.quantities());
                }
            }
            Note::Executor { role, resources, holds, .. } => {
                if holds {
                    self.timeline.add(now, role, Kind::Allocated, resources.quantities());
                } else {
                    self.timeline.sub(now, role, Kind::Allocated, resources.quantities());
                }
            }
            Note::AgentAdded { agent, total, .. } | Note::AgentTotal { agent, total } => {
                self.set_total(now, agent, total.quantities().clone());
            }
            // A task that never was has no other trace.
            Note::Sent { status, .. } => {
                let never_was = matches!(
                    status.reason,
                    Some(Reason::TaskInvalid | Reason::TaskGroupInvalid | Reason::InvalidOffers)
                );
                if never_was {
                    self.task_states[status.state as usize] += 1;
                }
            }
            Note::AgentEnded { agent, .. } => self.set_total(now, agent, ResourceQuantities::EMPTY),
            Note::FrameworkDisconnected { framework } | Note::FrameworkRemoved { framework } => {
                self.recovery.framework(now, self.place_of[framework], false);
            }
            Note::Refused(..)
            | Note::Revived { .. }
            | Note::TaskForgotten { .. }
            | Note::Acknowledged { .. }
            | Note::FrameworkSubscribed { .. }
            | Note::FrameworkRecovered { .. }
            | Note::FrameworkUpdated { .. }
            | Note::Suppressed { .. }
            | Note::AgentConnected { .. }
            | Note::AgentActivated { .. }
            | Note::AgentDrained { .. }
            | Note::InverseOffered(_)
            | Note::InverseOfferEnded(..)
            | Note::Quota { .. }
            | Note::Fatal(_)
            | Note::Throttled { .. } => {}
        }
    }

    /// What the master thinks an agent has.
    fn set_total(&mut self, now: Time, agent: AgentId, total: ResourceQuantities) {
        let before = self.totals.grow_to(agent, || ResourceQuantities::EMPTY);
        let before = std::mem::replace(before, total);
        if !before.is_empty() {
            self.timeline.sub_total(now, &before);
        }
        if !self.totals[agent].is_empty() {
            self.timeline.add_total(now, &self.totals[agent]);
        }
        self.recovery.agent(now, agent, !self.totals[agent].is_empty());
    }

    /// All that the master knew is gone with it.
    fn master_failed(&mut self, now: Time) {
        self.work.failed();
        self.recovery.failed(now);
        self.incidents.push(now, Event::MasterFailed);
        let agents: Vec<AgentId> = self.totals.ids().collect();
        agents.into_iter().for_each(|agent| self.set_total(now, agent, ResourceQuantities::EMPTY));
        self.timeline.forget(now, Kind::Offered);
        self.timeline.forget(now, Kind::Allocated);
    }

    fn task_ended(&mut self, now: Time, key: TaskKey, state: TaskState, cause: Cause, ran: Span) {
        let (place, role) = self.task_role(key);
        let (held, worth) = self.jobs.ended(now, place, key.task, state);
        match worth {
            Worth::Counts => self.work.counted(&held, ran),
            Worth::Repeats => self.work.in_vain(Vain::Repeated, &held, ran),
            Worth::Nothing => self.work.in_vain(Vain::Ended(cause), &held, ran),
        }
        self.timeline.sub(now, role, Kind::Used, &held);
        self.last_end = self.timeline.snapshot(now);
    }

    fn offers_ended(&mut self, now: Time, end: OfferEnd, offers: &[mesos::offer::Offer]) {
        let Some(first) = offers.first() else { return };
        let counts = &mut self.of(first.framework).offers;
        let count = match end {
            OfferEnd::Accepted => &mut counts.accepted,
            OfferEnd::Declined => &mut counts.declined,
            OfferEnd::Rescinded => &mut counts.rescinded,
            OfferEnd::Discarded => &mut counts.discarded,
        };
        *count += offers.len() as u64;
        self.timeline.sub(now, self.role_of(first.framework), Kind::Offered, &sum(offers));
    }

    fn of(&mut self, framework: FrameworkId) -> &mut FrameworkMetrics {
        &mut self.frameworks[self.place_of[framework]]
    }

    /// Frameworks have one role each so far, so that all offers of one event are under one role.
    fn role_of(&self, framework: FrameworkId) -> RoleId {
        self.frameworks[self.place_of[framework]].role.expect("a subscribed framework has a role")
    }

    fn task_role(&self, key: TaskKey) -> (usize, RoleId) {
        let place = self.place_of[key.framework];
        (place, self.frameworks[place].role.expect("a subscribed framework has a role"))
    }
}

fn sum(offers: &[mesos::offer::Offer]) -> ResourceQuantities {
    let mut sum = ResourceQuantities::EMPTY;
    offers.iter().for_each(|offer| sum += offer.resources.quantities());
    sum
}

impl Observer for RunMetrics {
    fn observe(&mut self, now: Time, record: &Record<'_>) {
        match record {
            Record::FrameworkSubscribed { framework, place, role, .. } => {
                *self.place_of.grow_to(*framework, || *place) = *place;
                self.frameworks[*place].role = Some(*role);
                self.recovery.framework(now, *place, true);
            }
            Record::AgentRegistered { agent, machine, .. } => {
                *self.machines.grow_to(*agent, || *machine) = *machine;
            }
            Record::JobSubmitted { framework, job, fits, managed, .. } => {
                if self.first_arrival.is_none() {
                    self.first_arrival = Some(self.timeline.snapshot(now));
                }
                self.jobs.submitted(*framework, job, *fits, *managed);
            }
            Record::Master(note) => self.note(now, note),
            Record::TaskStarted { key, agent } => {
                let (place, role) = self.task_role(*key);
                let held = self.jobs.started(now, place, key.task, *agent);
                self.timeline.add(now, role, Kind::Used, &held);
            }
            Record::TaskEnded { key, state, cause, ran } => self.task_ended(now, *key, *state, *cause, *ran),
            Record::TaskRetried { framework, task, attempt } => {
                self.jobs.retried(*framework, *task, *attempt);
            }
            Record::TaskAdded { framework, job, task, spec } => {
                self.jobs.added(*framework, *job, *task, *spec);
            }
            Record::TaskStopped { framework, attempt } => self.jobs.stopped(*framework, *attempt),
            Record::JobEnded { framework, job, success } => {
                self.jobs.job_ended(now, *framework, *job, *success);
            }
            Record::MasterFailed => self.master_failed(now),
            Record::MasterRecovered { after } => {
                self.work.recovered(now, *after);
                self.recovery.recovered();
                self.incidents.push(now, Event::MasterRecovered { after: *after });
            }
            Record::Fault { cause, action } => self.incidents.fault(now, *cause, action),
            Record::MasterElected => self.incidents.push(now, Event::MasterElected),
        }
    }
}
