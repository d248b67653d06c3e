//! Where the data of tasks are, and how long a job waits for a place near them: delay scheduling.
//!
//! Zaharia et al., "Delay Scheduling", EuroSys 2010: a job that could start a task, but not near its data, lets others go first
//! for a while. Skipping D opportunities of which each is local with probability p leaves a task without locality with
//! probability (1 - p)^D.

use mesos::{
    id::{AgentId, Id},
    time::{Span, Time},
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::AgentFacts;
use crate::{
    cluster::MachineId,
    engine::random::{Seed, Stream, below},
};

/// How near a task is to its data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// On a machine that has them.
    Node,
    /// In a rack of which a machine has them.
    Rack,
    /// Elsewhere.
    Any,
}

/// How long a job lets others go first.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Delay {
    /// So long for a place on a node with the data, then so long for one in its rack. Zero: not at all.
    Time {
        /// W1 of the paper.
        node: Span,
        /// W2 of the paper.
        rack: Span,
    },
    /// So many opportunities, likewise.
    Skips {
        /// D1 of the paper.
        node: u32,
        /// D2 of the paper.
        rack: u32,
    },
}

/// Where the blocks of a job's tasks are: some machines for each task.
#[derive(Clone, Debug, Default)]
pub struct Blocks {
    replicas: Vec<SmallVec<[MachineId; 3]>>,
    of_machine: FxHashMap<MachineId, Vec<u32>>,
    of_rack: FxHashMap<u32, Vec<u32>>,
}

impl Blocks {
    /// One block for each of so many tasks, on so many different machines drawn at random, addressed by job and task.
    #[must_use]
    pub fn scattered(tasks: u32, replication: u32, job: u64, seed: Seed, facts: &AgentFacts) -> Self {
        let machines = facts.machines();
        let mut blocks = Self::default();
        for task in 0..tasks {
            let mut rng = seed.of(Stream::BlockPlacement, (job << 32) | u64::from(task));
            let mut chosen = SmallVec::new();
            while chosen.len() < machines.min(replication as usize) {
                let machine = MachineId::new(below(&mut rng, machines as u64) as usize);
                if !chosen.contains(&machine) {
                    chosen.push(machine);
                }
            }
            blocks.replicas.push(chosen);
            blocks.offer(task, facts);
        }
        blocks
    }

    /// The task waits (again): it can be found where its replicas are.
    pub fn offer(&mut self, task: u32, facts: &AgentFacts) {
        for &machine in &self.replicas[task as usize] {
            self.of_machine.entry(machine).or_default().push(task);
            self.of_rack.entry(facts.machine(machine).rack).or_default().push(task);
        }
    }

    /// A waiting task with a replica so near to this agent, if there is one. What no longer waits is forgotten on the way.
    pub fn near(
        &mut self,
        agent: AgentId,
        level: Level,
        facts: &AgentFacts,
        waits: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let machine = facts.machine_of(agent);
        let tasks = match level {
            Level::Node => self.of_machine.get_mut(&machine)?,
            Level::Rack => self.of_rack.get_mut(&facts.machine(machine).rack)?,
            Level::Any => return None,
        };
        while let Some(&task) = tasks.last() {
            if waits(task) {
                return Some(task);
            }
            tasks.pop();
        }
        None
    }

    /// How near this agent is to the data of a task.
    #[must_use]
    pub fn level(&self, task: u32, agent: AgentId, facts: &AgentFacts) -> Level {
        let (machine, replicas) = (facts.machine_of(agent), &self.replicas[task as usize]);
        let rack = |machine: MachineId| facts.machine(machine).rack;
        match () {
            () if replicas.contains(&machine) => Level::Node,
            () if replicas.iter().any(|&replica| rack(replica) == rack(machine)) => Level::Rack,
            () => Level::Any,
        }
    }
}

/// How patient a job is at the moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Patience {
    delay: Delay,
    level: Level,
    /// Since when, and how often, it has been passed over without a launch.
    since: Option<Time>,
    skips: u32,
}

impl Patience {
    /// A job that has not been passed over yet.
    #[must_use]
    pub const fn new(delay: Delay) -> Self {
        Self { delay, level: Level::Node, since: None, skips: 0 }
    }

    /// How far from its data the next task may go.
    #[must_use]
    pub fn allowed(&self, now: Time) -> Level {
        let (node, both, rack) = match self.delay {
            Delay::Time { node, rack } => {
                let waited = self.since.map_or(Span::ZERO, |since| now.since(since));
                (waited >= node, waited >= node + rack, waited >= rack)
            }
            Delay::Skips { node, rack } => {
                (self.skips >= node, self.skips >= node + rack, self.skips >= rack)
            }
        };
        match self.level {
            Level::Any => Level::Any,
            Level::Rack if rack => Level::Any,
            Level::Node if both => Level::Any,
            Level::Rack => Level::Rack,
            Level::Node if node => Level::Rack,
            Level::Node => Level::Node,
        }
    }

    /// It could have started a task, but not near enough to the data.
    pub fn skipped(&mut self, now: Time) {
        self.since = self.since.or(Some(now));
        self.skips = self.skips.saturating_add(1);
    }

    /// It started a task that near to its data.
    pub const fn launched(&mut self, level: Level) {
        (self.level, self.since) = (level, None);
        if !matches!((level, self.delay), (Level::Any, Delay::Skips { .. })) {
            self.skips = 0; // the paper's simple algorithm keeps the count after a launch without locality
        }
    }

    /// When it next becomes less particular, after this time, if nothing else happens.
    #[must_use]
    pub fn next(&self, after: Time) -> Option<Time> {
        let Delay::Time { node, rack } = self.delay else { return None };
        let since = self.since?;
        [since + node, since + rack, since + node + rack].into_iter().filter(|&at| at > after).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Time {
        Time::from_secs(seconds)
    }

    #[test]
    fn a_job_becomes_less_particular_the_longer_it_is_passed_over() {
        let mut patience = Patience::new(Delay::Time { node: Span::from_secs(5), rack: Span::from_secs(3) });
        assert_eq!(patience.allowed(at(100)), Level::Node, "nothing was skipped");
        patience.skipped(at(100));
        patience.skipped(at(104));
        let allowed = [104, 105, 107, 108].map(|time| patience.allowed(at(time)));
        assert_eq!(allowed, [Level::Node, Level::Rack, Level::Rack, Level::Any]);
        assert_eq!(patience.next(at(104)), Some(at(105)));
        patience.launched(Level::Rack);
        patience.skipped(at(110));
        assert_eq!([112, 113].map(|time| patience.allowed(at(time))), [Level::Rack, Level::Any]);
        patience.launched(Level::Node);
        assert_eq!(patience.allowed(at(200)), Level::Node);
    }

    #[test]
    fn without_a_delay_any_place_will_do() {
        let none = Patience::new(Delay::Time { node: Span::ZERO, rack: Span::ZERO });
        assert_eq!(none.allowed(at(0)), Level::Any);
        assert_eq!(Patience::new(Delay::Skips { node: 0, rack: 0 }).allowed(at(0)), Level::Any);
    }
}
