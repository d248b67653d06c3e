//! Tasks that wait for a place, in order: for applications that place one task after the other.

use std::collections::BTreeMap;

use mesos::id::{AgentId, TaskId};

use super::application::Context;
use crate::workload::{Demand, TaskSpec};

/// A task that waits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Want<T> {
    /// The task, as its job has it.
    pub task: TaskId,
    /// What it asks for.
    pub spec: TaskSpec,
    /// What else its application has to know of it.
    pub about: T,
}

/// A task that was launched: under which id, and where.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Placed<T> {
    /// What waited.
    pub want: Want<T>,
    /// The id of the attempt.
    pub attempt: TaskId,
    /// Where it goes.
    pub agent: AgentId,
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Wanted<T> {
    queue: BTreeMap<(u64, u64), Want<T>>,
    pushed: u64,
    /// The different demands of those that wait, and how many have each.
    demands: Vec<(Demand, usize)>,
}

impl<T> Default for Wanted<T> {
    fn default() -> Self {
        Self { queue: BTreeMap::new(), pushed: 0, demands: Vec::new() }
    }
}

impl<T: Copy> Wanted<T> {
    /// Nothing waits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// All that wait, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Want<T>> {
        self.queue.values()
    }

    /// Waits behind all of the same or a smaller rank.
    pub fn push(&mut self, rank: u64, want: Want<T>) {
        self.pushed += 1;
        self.queue.insert((rank, self.pushed), want);
        match self.demands.iter_mut().find(|(demand, _)| *demand == want.spec.demand) {
            Some((_, count)) => *count += 1,
            None => self.demands.push((want.spec.demand, 1)),
        }
    }

    /// Keeps only those of which this is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Want<T>) -> bool) {
        let goes: Vec<_> = self.queue.iter().filter(|(_, want)| !keep(want)).map(|(&key, _)| key).collect();
        goes.into_iter().for_each(|key| self.forget(key));
    }

    /// Launches what it can, in order, each where `choose` says; that is only asked if the task fits somewhere at hand.
    ///
    /// Looks no further when nothing that waits fits anywhere.
    pub fn place(
        &mut self,
        context: &mut Context<'_>,
        mut choose: impl FnMut(&Want<T>, &Context<'_>) -> Option<AgentId>,
    ) -> Vec<Placed<T>> {
        let mut placed: Vec<((u64, u64), Placed<T>)> = Vec::new();
        let mut hopeless: Vec<Demand> = Vec::new();
        let is_hopeless = |hopeless: &[Demand], demand: &Demand| {
            hopeless.iter().any(|failed| failed.is_no_harder_than(demand))
        };
        for (&key, want) in &self.queue {
            let demand = want.spec.demand;
            if is_hopeless(&hopeless, &demand) {
                continue;
            }
            if context.fitting(&demand).next().is_none() {
                hopeless.push(demand);
                if self.demands.iter().all(|(demand, _)| is_hopeless(&hopeless, demand)) {
                    break;
                }
                continue;
            }
            let Some(agent) = choose(want, context) else { continue };
            let Some(attempt) = context.launch(want.task, &want.spec, agent) else { continue };
            placed.push((key, Placed { want: *want, attempt, agent }));
        }
        placed.iter().for_each(|(key, _)| self.forget(*key));
        placed.into_iter().map(|(_, placed)| placed).collect()
    }

    fn forget(&mut self, key: (u64, u64)) {
        let want = self.queue.remove(&key).expect("a task that waits");
        let of = |(demand, _): &(Demand, usize)| *demand == want.spec.demand;
        let place = self.demands.iter().position(of).expect("the demand of a task that waits");
        self.demands[place].1 -= 1;
        if self.demands[place].1 == 0 {
            self.demands.swap_remove(place);
        }
    }
}
