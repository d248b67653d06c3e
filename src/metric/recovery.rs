//! How a new master gets to know again whom the old one knew: agents and frameworks over the time since the failure.

use mesos::{
    id::{AgentId, IdVec},
    time::{Span, Time},
};

/// Most points of one failover.
pub const MOST_POINTS: usize = 500;

/// Whom the master knew at a moment after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Since the old master died.
    pub since: Span,
    /// Registered agents.
    pub agents: usize,
    /// Subscribed frameworks.
    pub frameworks: usize,
}

/// What followed the death of one master, until the next knew everybody again, or died.
#[derive(Clone, Debug)]
pub struct Failover {
    /// When the master died.
    pub at: Time,
    /// Whom it knew.
    pub before: Known,
    /// Every so many changes are one point.
    stride: usize,
    changes: usize,
    points: Vec<Known>,
    last: Known,
    is_over: bool,
}

impl Failover {
    fn new(at: Time, before: Known) -> Self {
        let nobody = Known { since: Span::ZERO, agents: 0, frameworks: 0 };
        Self { at, before, stride: 1, changes: 0, points: vec![nobody], last: nobody, is_over: false }
    }

    /// Whom the new master knew, at each change; if there were many, at every second, fourth, ... one and the last.
    pub fn points(&self) -> impl Iterator<Item = &Known> {
        let last = (self.points.last() != Some(&self.last)).then_some(&self.last);
        self.points.iter().chain(last)
    }

    fn change(&mut self, known: Known) {
        self.last = known;
        self.changes += 1;
        if !self.changes.is_multiple_of(self.stride) {
            return;
        }
        if self.points.len() + 1 == MOST_POINTS {
            let mut place = 0;
            self.points.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            self.stride *= 2;
        }
        if self.changes.is_multiple_of(self.stride) {
            self.points.push(known);
        }
    }
}

/// Who is known to the master, and how it came to know them again each time it failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Recovery {
    agents: IdVec<AgentId, bool>,
    known_agents: usize,
    /// By place in the experiment file.
    frameworks: Vec<bool>,
    failovers: Vec<Failover>,
}

impl Recovery {
    pub(super) fn of(frameworks: usize) -> Self {
        Self { frameworks: vec![false; frameworks], ..Self::default() }
    }

    pub(super) fn failovers(&self) -> &[Failover] {
        &self.failovers
    }

    pub(super) fn agent(&mut self, now: Time, agent: AgentId, is_known: bool) {
        let was_known = std::mem::replace(self.agents.grow_to(agent, || false), is_known);
        self.known_agents = self.known_agents + usize::from(is_known) - usize::from(was_known);
        if was_known != is_known {
            self.changed(now);
        }
    }

    pub(super) fn framework(&mut self, now: Time, place: usize, is_known: bool) {
        if std::mem::replace(&mut self.frameworks[place], is_known) != is_known {
            self.changed(now);
        }
    }

    pub(super) fn failed(&mut self, now: Time) {
        self.failovers.push(Failover::new(now, self.known(Span::ZERO)));
        self.agents.ids().for_each(|agent| self.agents[agent] = false);
        self.known_agents = 0;
        self.frameworks.fill(false);
    }

    pub(super) fn recovered(&mut self) {
        self.failovers.last_mut().expect("a master died before another recovers").is_over = true;
    }

    fn known(&self, since: Span) -> Known {
        let frameworks = self.frameworks.iter().filter(|known| **known).count();
        Known { since, agents: self.known_agents, frameworks }
    }

    fn changed(&mut self, now: Time) {
        let Some(failover) = self.failovers.last().filter(|failover| !failover.is_over) else { return };
        let known = self.known(now.since(failover.at));
        self.failovers.last_mut().expect("there is one").change(known);
    }
}

#[cfg(test)]
mod tests {
    use mesos::id::Id;

    use super::*;

    fn after(agents: usize) -> Recovery {
        let mut recovery = Recovery::of(1);
        let ids = || (0..agents).map(AgentId::new);
        ids().for_each(|agent| recovery.agent(Time::ZERO, agent, true));
        recovery.failed(Time::from_secs(10));
        for agent in ids() {
            recovery.agent(Time::from_secs(20 + agent.index() as u64), agent, true);
        }
        recovery.recovered();
        recovery.agent(Time::from_secs(1_000_000), AgentId::new(0), false);
        recovery
    }

    #[test]
    fn a_failover_has_a_point_for_each_change_until_everybody_is_back() {
        let recovery = after(3);
        let [failover] = recovery.failovers() else { panic!("one failover") };
        let points: Vec<_> = failover.points().map(|at| (at.since.as_secs_f64(), at.agents)).collect();
        assert_eq!(points, [(0.0, 0), (10.0, 1), (11.0, 2), (12.0, 3)]);
        assert_eq!(failover.before.agents, 3);
    }

    #[test]
    fn many_changes_are_thinned_evenly_and_the_last_is_kept() {
        for agents in [MOST_POINTS - 1, MOST_POINTS, 5_003] {
            let recovery = after(agents);
            let points: Vec<_> = recovery.failovers()[0].points().map(|at| at.agents).collect();
            assert!(points.len() <= MOST_POINTS, "{} points", points.len());
            assert_eq!((points[0], points[points.len() - 1]), (0, agents));
            let steps: Vec<_> = points.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let (even, last) = (&steps[..steps.len() - 1], steps[steps.len() - 1]);
            assert!(even.iter().all(|step| *step == even[0]) && last <= even[0], "{steps:?}");
        }
    }
}
