//! What a case consists of, and what can be left out of it.

use std::{collections::BTreeSet, fmt, str::FromStr};

use mesos::time::Span;

use super::dice::Dice;
use crate::engine::random::{Seed, Stream};

/// One case of the fuzzer: everything about it follows from these two numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CaseId {
    /// That of the whole hunt.
    pub seed: u64,
    /// Its place in it, from 0.
    pub number: u64,
}

impl CaseId {
    pub(super) fn seed(self) -> Seed {
        Seed(self.seed).child(Stream::Fuzz, self.number)
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seed, self.number)
    }
}

impl FromStr for CaseId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no case: wanted is <seed>:<number>, as in 1:42");
        let (seed, number) = text.split_once(':').ok_or_else(wrong)?;
        let number_of = |part: &str| part.parse::<u64>().map_err(|_| wrong());
        Ok(Self { seed: number_of(seed)?, number: number_of(number)? })
    }
}

/// How much there is of everything in a case. What is left out changes nothing about the rest.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Case {
    pub(super) seed: Seed,
    pub(super) agents: usize,
    /// Jobs of each framework.
    pub(super) jobs: Vec<usize>,
    pub(super) tasks_per_job: u64,
    /// Numbers of the faults and of the calls of the operator.
    pub(super) faults: Vec<u64>,
    pub(super) calls: Vec<u64>,
    /// Until then things go wrong.
    pub(super) horizon: Span,
    /// Makes it simple in these ways.
    pub(super) plain: BTreeSet<Plain>,
}

/// Ways to make a case simpler.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Plain {
    Jitter,
    Latency,
    Gpus,
    Policies,
    Filters,
    Roles,
    Flags,
    StoreDelay,
    StartupDelay,
    Capabilities,
    Shuffle,
}

pub(super) const PLAIN: [(&str, Plain); 11] = [
    ("jitter", Plain::Jitter),
    ("latency", Plain::Latency),
    ("gpus", Plain::Gpus),
    ("policies", Plain::Policies),
    ("filters", Plain::Filters),
    ("roles", Plain::Roles),
    ("flags", Plain::Flags),
    ("store-delay", Plain::StoreDelay),
    ("startup-delay", Plain::StartupDelay),
    ("capabilities", Plain::Capabilities),
    ("shuffle", Plain::Shuffle),
];

impl Case {
    pub(super) fn draw(id: CaseId) -> Self {
        let seed = id.seed();
        let mut dice = Dice::new(seed, 0);
        let agents = dice.one_of(&[1, 2, 3, 5, 8, 13, 25, 40]);
        let frameworks = dice.whole(1, 5) as usize;
        let most_jobs = dice.one_of(&[3, 10, 40, 100]);
        let jobs = (0..frameworks).map(|_| dice.whole(0, most_jobs) as usize).collect();
        let tasks_per_job = dice.one_of(&[1, 1, 4, 12]);
        let (faults, calls) = (dice.one_of(&[0, 1, 2, 3, 5, 8]), dice.one_of(&[0, 0, 1, 3, 10]));
        let horizon = dice.span(Span::from_secs(300), Span::from_secs(12 * 3600));
        let (faults, calls) = ((0..faults).collect(), (0..calls).collect());
        Self { seed, agents, jobs, tasks_per_job, faults, calls, horizon, plain: BTreeSet::new() }
    }

    /// The case without something. `None` if it has no such thing.
    pub(super) fn without(&self, name: &str) -> Option<Self> {
        let mut case = self.clone();
        if let Some((_, plain)) = PLAIN.iter().find(|(of, _)| *of == name) {
            case.plain.insert(*plain);
        } else if let Some(place) = numbered(name, "framework-") {
            *case.jobs.get_mut(place)? = 0;
        } else if let Some(number) = numbered(name, "fault-") {
            case.faults.retain(|&of| of != number as u64);
        } else if let Some(number) = numbered(name, "call-") {
            case.calls.retain(|&of| of != number as u64);
        } else if let Some(most) = numbered(name, "agents>") {
            case.agents = case.agents.min(most.max(1));
        } else if let Some(most) = numbered(name, "jobs>") {
            case.jobs.iter_mut().for_each(|jobs| *jobs = (*jobs).min(most));
        } else if let Some(most) = numbered(name, "tasks>") {
            case.tasks_per_job = case.tasks_per_job.min(most.max(1) as u64);
        } else {
            return None;
        }
        Some(case)
    }

    /// What can be left out, the largest things first.
    pub(super) fn reductions(&self) -> Vec<String> {
        let mut names = vec![];
        names.extend(halves(self.jobs.iter().copied().max().unwrap_or(0)).map(|most| format!("jobs>{most}")));
        names.extend(halves(self.agents).filter(|&most| most > 0).map(|most| format!("agents>{most}")));
        names.extend((0..self.jobs.len()).map(|place| format!("framework-{place}")));
        names.extend(self.faults.iter().map(|number| format!("fault-{number}")));
        names.extend(self.calls.iter().map(|number| format!("call-{number}")));
        names.push("tasks>1".into());
        names.extend(PLAIN.iter().map(|(name, _)| (*name).into()));
        names
    }

    pub(super) fn is_plain(&self, what: Plain) -> bool {
        self.plain.contains(&what)
    }
}

fn numbered(name: &str, prefix: &str) -> Option<usize> {
    name.strip_prefix(prefix)?.parse().ok()
}

/// From the smallest to half of it.
fn halves(count: usize) -> impl Iterator<Item = usize> {
    let steps = usize::BITS - count.leading_zeros();
    (1..=steps).rev().map(move |step| count >> step)
}
