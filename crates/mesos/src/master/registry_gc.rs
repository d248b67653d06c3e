//! Forgetting agents that were unreachable or gone for too long (`Master::doRegistryGc`).

use std::collections::BTreeMap;

use super::{Master, timers::Timer};
use crate::{
    effects::MasterEffects,
    id::AgentId,
    registry::RegistryOperation,
    time::{Span, Time},
};

/// When the registry is next looked through: at a multiple of the interval since the master started, and only when something
/// may be found.
#[derive(Debug, Default)]
pub(super) struct RegistryGc {
    pub(super) started: Time,
    next: Option<Time>,
}

impl Master {
    /// An agent has just become unreachable or gone: it is to be forgotten in time.
    pub(super) fn collect_later(&mut self, now: Time) {
        let most = self.options.registry_max_agent_count;
        let is_full = self.unreachable.len() > most || self.gone.len() > most;
        let due = if is_full { now } else { now + self.options.registry_max_agent_age };
        self.start_collection(now, due);
    }

    /// At the first multiple of the interval that is later than both times.
    fn start_collection(&mut self, now: Time, due: Time) {
        let interval = self.options.registry_gc_interval.0.max(1);
        let rounds = due.max(now).since(self.gc.started).0 / interval + 1;
        let at = self.gc.started + Span(rounds.saturating_mul(interval));
        if self.gc.next.is_none_or(|next| at < next) {
            self.gc.next = Some(at);
            self.timers.start(at, Timer::RegistryGc);
        }
    }

    /// Forgets what is too old or too much, the oldest first.
    pub(super) fn collect_registry(&mut self, now: Time, out: &mut impl MasterEffects) {
        if self.gc.next != Some(now) {
            return;
        }
        self.gc.next = None;
        let unreachable = self.prunable(now, &self.unreachable);
        let gone = self.prunable(now, &self.gone);
        if !unreachable.is_empty() || !gone.is_empty() {
            self.apply(now, RegistryOperation::Prune { unreachable, gone }, out);
        }
        self.collect_what_is_left(now);
    }

    /// Starts the timer for the oldest that is remembered.
    pub(super) fn collect_what_is_left(&mut self, now: Time) {
        if let Some(&oldest) = self.unreachable.values().chain(self.gone.values()).min() {
            self.start_collection(now, oldest + self.options.registry_max_agent_age);
        }
    }

    fn prunable(&self, now: Time, agents: &BTreeMap<AgentId, Time>) -> Vec<AgentId> {
        let mut by_age: Vec<(Time, AgentId)> = agents.iter().map(|(&agent, &since)| (since, agent)).collect();
        by_age.sort_unstable();
        let surplus = by_age.len().saturating_sub(self.options.registry_max_agent_count);
        let is_old = |since: Time| now.since(since) > self.options.registry_max_agent_age;
        let prunable =
            by_age.iter().enumerate().filter(|&(place, &(since, _))| place < surplus || is_old(since));
        prunable.map(|(_, &(_, agent))| agent).collect()
    }

    /// The registry has forgotten these agents; so do we, and the tasks that were on them. One may have come back meanwhile.
    pub(super) fn pruned(&mut self, unreachable: &[AgentId], gone: &[AgentId]) {
        for &agent in unreachable {
            if self.unreachable.remove(&agent).is_some() {
                self.draining.remove(&agent);
                self.deactivated.remove(&agent);
                self.forget_unreachable_tasks(agent);
            }
        }
        for agent in gone {
            self.gone.remove(agent);
            self.recovered.remove(agent); // one that was only recovered when it was marked gone
        }
    }

    /// Takes the tasks of an agent off the lists of unreachable ones.
    pub(super) fn forget_unreachable_tasks(&mut self, agent: AgentId) {
        for key in self.unreachable_tasks.remove(&agent).unwrap_or_default() {
            if let Some(of) = self.frameworks.get_mut(key.framework).and_then(Option::as_mut)
                && of.unreachable.get(key.task).is_some_and(|lost| lost.task.agent == agent)
            {
                of.unreachable.remove(key.task);
            }
        }
    }
}
