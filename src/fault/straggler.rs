//! Tasks that take longer than they should: by themselves, or because their machine is slow for a while.

use mesos::id::Id;

use super::{
    Action, Fault, FaultEntry, Spec,
    fate::{Attempt, Mishap, TaskFault},
    windows::{Edge, Windows},
};
use crate::{
    cluster::MachineId,
    engine::random::{Seed, Stream, unit},
};

/// Some attempts are slow.
#[derive(Clone, PartialEq, Debug)]
pub struct TaskStraggler {
    /// Places of the frameworks in the experiment file whose tasks straggle.
    pub frameworks: Vec<usize>,
    /// Of each attempt.
    pub probability: f64,
    /// It takes so many times as long.
    pub factor: f64,
}

/// Each machine is slow during windows of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct MachineStraggler {
    /// Which machines.
    pub machines: Vec<MachineId>,
    /// When each is slow.
    pub windows: Windows,
    /// Tasks on it take so many times as long.
    pub factor: f64,
}

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "straggler",
    about: "attempts to run a task are slow by lot, or all tasks on machines that are slow for a while",
    stream: Stream::Straggler,
    build: |cluster| {
        let machines = super::scope::all(cluster);
        Spec::MachineStraggler(MachineStraggler { machines, windows: Windows::example(), factor: 3.0 })
    },
};

struct Slow {
    spec: TaskStraggler,
    seed: Seed,
}

impl TaskStraggler {
    pub(super) fn build(self, seed: Seed) -> Box<dyn TaskFault> {
        Box::new(Slow { spec: self, seed })
    }
}

impl TaskFault for Slow {
    fn mishap(&self, attempt: Attempt) -> Option<Mishap> {
        let mut rng = attempt.seed(self.seed, ENTRY.stream).of(ENTRY.stream, 0);
        let straggles =
            self.spec.frameworks.contains(&attempt.framework) && unit(&mut rng) < self.spec.probability;
        straggles.then_some(Mishap::Slower(self.spec.factor))
    }
}

impl MachineStraggler {
    pub(super) fn build(self, seed: Seed) -> Box<dyn Fault> {
        let machines = self.machines.iter().map(|machine| machine.index() as u32);
        let factor = self.factor;
        self.windows.acting_once(seed, machines, move |entity, edge| {
            let machine = MachineId::new(entity as usize);
            match edge {
                Edge::Begin => Action::Straggle { machine, factor },
                Edge::End => Action::StraggleEnd { machine },
            }
        })
    }
}
