//! All faults of a run as one list of what happens when.

use std::{cmp::Reverse, collections::BinaryHeap};

use mesos::{id::Id, time::Time};

use super::{Action, Attempt, CauseId, Fault, Part, Spec, TaskFate, TaskFault};
use crate::engine::random::Seed;

/// What happens next, and why.
#[derive(Clone, PartialEq, Debug)]
pub struct Occurrence {
    /// When.
    pub at: Time,
    /// Which fault is to blame.
    pub cause: CauseId,
    /// What.
    pub action: Action,
}

/// The faults of a run, merged: in order of time, and at equal times in order of the faults.
///
/// What is down for two reasons goes down once, for the first of them, and comes up when both have ended. This holds for
/// machines, agent processes and frameworks, each for itself: the process of an agent may be told to stop on a machine that
/// is down.
#[derive(Default)]
pub struct Schedule {
    /// By cause; `None` if it is about tasks.
    faults: Vec<Option<Box<dyn Fault>>>,
    of_tasks: Vec<(CauseId, Box<dyn TaskFault>)>,
    names: Vec<&'static str>,
    /// When each fault acts next, with its place.
    heads: BinaryHeap<Reverse<(Time, usize)>>,
    /// What each fault in `heads` does then.
    actions: Vec<Option<Action>>,
    downs: Downs,
    next: Option<Occurrence>,
}

/// For how many reasons something is down, by place.
#[derive(Default)]
struct Downs {
    machines: Vec<u32>,
    processes: Vec<u32>,
    frameworks: Vec<u32>,
}

impl Schedule {
    /// The faults of an experiment, in the order of the file, in a run with this seed.
    #[must_use]
    pub fn new(specs: impl IntoIterator<Item = Spec>, seed: Seed) -> Self {
        let mut schedule = Self::default();
        for spec in specs {
            let entry = spec.entry();
            let of_its_kind = schedule.names.iter().filter(|name| **name == entry.name).count();
            let part = spec.build(seed.child(entry.stream, of_its_kind as u64));
            schedule.add(entry.name, part);
        }
        schedule.prepare_next();
        schedule
    }

    /// When something happens next.
    #[must_use]
    pub fn peek_time(&self) -> Option<Time> {
        self.next.as_ref().map(|next| next.at)
    }

    /// What happens next.
    pub fn pop(&mut self) -> Option<Occurrence> {
        let next = self.next.take();
        self.prepare_next();
        next
    }

    /// What becomes of an attempt to run a task. Depends on the attempt alone, not on when it is asked.
    #[must_use]
    pub fn fate(&self, attempt: Attempt) -> TaskFate {
        let mut fate = TaskFate::GOOD;
        for (cause, fault) in &self.of_tasks {
            if let Some(mishap) = fault.mishap(attempt) {
                fate.add(mishap, *cause);
            }
        }
        fate
    }

    /// The kinds of the causes, by [`CauseId`].
    #[must_use]
    pub fn causes(&self) -> &[&'static str] {
        &self.names
    }

    fn add(&mut self, name: &'static str, part: Part) {
        let place = self.names.len();
        self.names.push(name);
        self.actions.push(None);
        let timed = match part {
            Part::Timed(fault) => Some(fault),
            Part::OfTasks(fault) => {
                self.of_tasks.push((CauseId::new(place), fault));
                None
            }
        };
        self.faults.push(timed);
        self.draw(place, Time::ZERO);
    }

    fn prepare_next(&mut self) {
        while let Some(Reverse((at, place))) = self.heads.pop() {
            let action = self.actions[place].take().expect("a fault in line has something to do");
            self.draw(place, at);
            if self.downs.changes(&action) {
                self.next = Some(Occurrence { at, cause: CauseId::new(place), action });
                return;
            }
        }
    }

    /// Puts a fault back in line with what it does next.
    fn draw(&mut self, place: usize, after: Time) {
        if let Some((at, action)) = self.faults[place].as_mut().and_then(|fault| fault.next()) {
            assert!(at >= after, "{} acts at {at} s, after it did at {after} s", self.names[place]);
            self.actions[place] = Some(action);
            self.heads.push(Reverse((at, place)));
        }
    }
}

impl Downs {
    /// Whether the action makes a difference: the first to take something down, the last to let go of it.
    fn changes(&mut self, action: &Action) -> bool {
        match action {
            Action::AgentCrash { machine } | Action::AgentShutdown { machine } => {
                take(&mut self.machines, machine.index())
            }
            Action::AgentRepair { machine } => release(&mut self.machines, machine.index()),
            Action::AgentProcessStop { machine } => take(&mut self.processes, machine.index()),
            Action::AgentProcessStart { machine } => release(&mut self.processes, machine.index()),
            Action::FrameworkCrash { framework } => take(&mut self.frameworks, *framework),
            Action::FrameworkBack { framework } => release(&mut self.frameworks, *framework),
            Action::LinkCut { .. }
            | Action::LinkLoss { .. }
            | Action::LinkDelay { .. }
            | Action::LinkHeal { .. }
            | Action::MasterFail
            | Action::Straggle { .. }
            | Action::StraggleEnd { .. }
            | Action::MaintenanceSchedule { .. }
            | Action::MaintenanceStart { .. }
            | Action::MaintenanceStop { .. }
            | Action::Capacity { .. }
            | Action::CapacityEnd { .. } => true,
        }
    }
}

/// Whether it was up until now.
fn take(reasons: &mut Vec<u32>, place: usize) -> bool {
    reasons.resize(reasons.len().max(place + 1), 0);
    reasons[place] += 1;
    reasons[place] == 1
}

/// Whether nothing else keeps it down.
fn release(reasons: &mut [u32], place: usize) -> bool {
    reasons[place] -= 1;
    reasons[place] == 0
}
