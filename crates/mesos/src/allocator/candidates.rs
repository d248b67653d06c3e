//! Which agents the next allocation has to visit.
//!
//! Mesos visits all agents in every periodic allocation. An agent that was visited keeps only what everybody who may have
//! it has refused, or what quota holds back; without a change a further visit finds nothing. So agents wait for a visit
//! only after a change: resources came back, a filter ended, a framework now takes more. Where roles have quota, what one
//! agent may give depends on what is out of all others; then any change makes all agents wait.

use crate::{
    id::{AgentId, Id},
    time::{Span, Time},
};

/// Agents that wait for an allocation.
#[derive(Debug)]
pub(super) struct Candidates {
    interval: Span,
    /// For the periodic allocation: these, or all.
    waiting: Vec<AgentId>,
    is_waiting: Vec<bool>,
    all_wait: bool,
    /// When that allocation is due. Unknown for what came to wait since somebody last said what time it is.
    owed: Time,
    fresh: bool,
    /// For the allocation that was asked for: these, or all.
    triggered: Vec<AgentId>,
    trigger_all: bool,
}

/// Whom to visit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Visit {
    /// Nobody.
    Nobody,
    /// These, ascending.
    Some(Vec<AgentId>),
    /// Everybody.
    All,
}

impl Candidates {
    pub(super) fn new(interval: Span) -> Self {
        Self {
            interval,
            waiting: Vec::new(),
            is_waiting: Vec::new(),
            all_wait: false,
            owed: Time::MAX,
            fresh: false,
            triggered: Vec::new(),
            trigger_all: false,
        }
    }

    /// The next periodic allocation shall visit the agent.
    #[inline]
    pub(super) fn wait(&mut self, agent: AgentId) {
        self.fresh = true;
        if self.is_waiting.len() <= agent.index() {
            self.is_waiting.resize(agent.index() + 1, false);
        }
        if !std::mem::replace(&mut self.is_waiting[agent.index()], true) {
            self.waiting.push(agent);
        }
    }

    /// The next periodic allocation shall visit all agents.
    pub(super) fn all_wait(&mut self) {
        self.fresh = true;
        self.all_wait = true;
    }

    /// The next periodic allocation shall not be left out, whoever it visits.
    pub(super) fn tick_is_owed(&mut self) {
        self.fresh = true;
    }

    /// What [`tick_is_owed`](Self::tick_is_owed) asked for is done; a tick is owed only if somebody waits.
    pub(super) fn tick_is_not_owed(&mut self) {
        if !self.all_wait && self.waiting.is_empty() {
            (self.owed, self.fresh) = (Time::MAX, false);
        }
    }

    /// Nothing was given for a while, nobody could take or everything stood still: what waits is owed the next periodic
    /// allocation from now on, not one that has gone by.
    pub(super) fn owe_anew(&mut self) {
        if self.all_wait || !self.waiting.is_empty() {
            self.owed = Time::MAX;
            self.fresh = true;
        }
    }

    /// An allocation of this agent is asked for.
    pub(super) fn trigger(&mut self, agent: AgentId) {
        self.triggered.push(agent);
    }

    /// An allocation of all agents is asked for.
    pub(super) fn trigger_all(&mut self) {
        self.trigger_all = true;
    }

    /// What was asked for will not be run; what changed waits for the periodic allocation.
    pub(super) fn drop_triggers(&mut self) {
        if std::mem::take(&mut self.trigger_all) {
            self.all_wait();
        }
        for agent in std::mem::take(&mut self.triggered) {
            self.wait(agent);
        }
    }

    /// Whom to visit now because a call asked for it.
    pub(super) fn take_triggered(&mut self) -> Visit {
        if std::mem::take(&mut self.trigger_all) {
            self.triggered.clear();
            return Visit::All;
        }
        if self.triggered.is_empty() {
            return Visit::Nobody;
        }
        let mut agents = std::mem::take(&mut self.triggered);
        agents.sort_unstable();
        agents.dedup();
        Visit::Some(agents)
    }

    /// Whom to visit in a periodic allocation.
    pub(super) fn take_waiting(&mut self) -> Visit {
        (self.owed, self.fresh) = (Time::MAX, false);
        let mut agents = std::mem::take(&mut self.waiting);
        agents.iter().for_each(|agent| self.is_waiting[agent.index()] = false);
        if std::mem::take(&mut self.all_wait) {
            return Visit::All;
        }
        if agents.is_empty() {
            return Visit::Nobody;
        }
        agents.sort_unstable();
        Visit::Some(agents)
    }

    /// It is `now`: what came to wait is owed the next periodic allocation. One at `now` itself was set up an interval ago
    /// and came before whatever else happens now.
    #[inline]
    pub(super) fn settle(&mut self, now: Time) {
        if std::mem::take(&mut self.fresh) {
            self.owed = self.owed.min(self.tick_after(now));
        }
    }

    /// When the periodic allocation is due that those wait for.
    pub(super) fn owed(&self, now: Time) -> Option<Time> {
        let fresh = if self.fresh { self.tick_after(now) } else { Time::MAX };
        Some(self.owed.min(fresh)).filter(|&at| at < Time::MAX)
    }

    /// The first periodic allocation after `now`.
    pub(super) fn tick_after(&self, now: Time) -> Time {
        let interval = self.interval.0;
        Time((now.0 / interval + 1) * interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(number: usize) -> AgentId {
        AgentId::new(number)
    }

    #[test]
    fn what_changes_at_a_tick_waits_for_the_next() {
        let mut candidates = Candidates::new(Span::from_secs(1));
        candidates.wait(agent(1));
        candidates.wait(agent(0));
        candidates.wait(agent(1));
        candidates.settle(Time::from_secs(3));
        assert_eq!(candidates.owed(Time::from_secs(3)), Some(Time::from_secs(4)));
        assert_eq!(candidates.take_waiting(), Visit::Some(vec![agent(0), agent(1)]));
        assert_eq!(candidates.owed(Time::from_secs(4)), None);
        assert_eq!(candidates.take_waiting(), Visit::Nobody);
    }

    #[test]
    fn triggers_that_are_dropped_leave_agents_waiting() {
        let mut candidates = Candidates::new(Span::from_secs(1));
        candidates.trigger(agent(2));
        candidates.drop_triggers();
        assert_eq!(candidates.take_triggered(), Visit::Nobody);
        assert_eq!(candidates.take_waiting(), Visit::Some(vec![agent(2)]));
    }
}
