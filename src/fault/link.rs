//! Networks that are split, lose messages or are slow.

use std::sync::Arc;

use mesos::time::Span;

use super::{
    Action, Fault, FaultEntry, Spec, scope,
    windows::{Edge, Windows},
};
use crate::{
    cluster::MachineId,
    engine::random::{Seed, Stream},
};

/// Some nodes of the data centre.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Side {
    /// Whether the master is one of them.
    pub master: bool,
    /// Agents, by their machines.
    pub machines: Vec<MachineId>,
    /// Frameworks, by their places in the experiment file.
    pub frameworks: Vec<usize>,
}

/// Two sets of nodes: the links between them are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ends {
    /// One side.
    pub a: Side,
    /// The other side; `None`: all nodes that are not on the first.
    pub b: Option<Side>,
    /// Whether only messages from `a` to `b` are meant, and not those back.
    pub one_way: bool,
}

/// No message passes.
#[derive(Clone, PartialEq, Debug)]
pub struct Partition {
    /// Between whom.
    pub ends: Arc<Ends>,
    /// When.
    pub windows: Windows,
}

/// Messages are lost.
#[derive(Clone, PartialEq, Debug)]
pub struct Loss {
    /// Between whom.
    pub ends: Arc<Ends>,
    /// When.
    pub windows: Windows,
    /// Of each message.
    pub probability: f64,
}

/// Messages take longer.
#[derive(Clone, PartialEq, Debug)]
pub struct Delay {
    /// Between whom.
    pub ends: Arc<Ends>,
    /// When.
    pub windows: Windows,
    /// How much, one way.
    pub extra: Span,
}

pub(super) const PARTITION: FaultEntry = FaultEntry {
    name: "partition",
    about: "no message passes between two sets of nodes; those under way are lost",
    stream: Stream::Partition,
    build: |cluster| Spec::Partition(Partition { ends: example(cluster), windows: Windows::example() }),
};

pub(super) const LOSS: FaultEntry = FaultEntry {
    name: "loss",
    about: "messages between two sets of nodes are lost, each by itself",
    stream: Stream::LossyNetwork,
    build: |cluster| {
        Spec::Loss(Loss { ends: example(cluster), windows: Windows::example(), probability: 0.1 })
    },
};

pub(super) const DELAY: FaultEntry = FaultEntry {
    name: "delay",
    about: "messages between two sets of nodes take longer",
    stream: Stream::SlowNetwork,
    build: |cluster| {
        let extra = Span::from_millis(100);
        Spec::Delay(Delay { ends: example(cluster), windows: Windows::example(), extra })
    },
};

impl Partition {
    pub(super) fn build(self, seed: Seed) -> Box<dyn Fault> {
        between(self.ends, self.windows, seed, |ends| Action::LinkCut { ends })
    }
}

impl Loss {
    pub(super) fn build(self, seed: Seed) -> Box<dyn Fault> {
        let probability = self.probability;
        between(self.ends, self.windows, seed, move |ends| Action::LinkLoss { ends, probability })
    }
}

impl Delay {
    pub(super) fn build(self, seed: Seed) -> Box<dyn Fault> {
        let extra = self.extra;
        between(self.ends, self.windows, seed, move |ends| Action::LinkDelay { ends, extra })
    }
}

fn between(
    ends: Arc<Ends>,
    windows: Windows,
    seed: Seed,
    begin: impl Fn(Arc<Ends>) -> Action + Send + 'static,
) -> Box<dyn Fault> {
    windows.acting_once(seed, [0], move |_, edge| match edge {
        Edge::Begin => begin(ends.clone()),
        Edge::End => Action::LinkHeal { ends: ends.clone() },
    })
}

/// Between the master and all agents.
fn example(cluster: &crate::cluster::Cluster) -> Arc<Ends> {
    let b = Side { machines: scope::all(cluster), ..Side::default() };
    Arc::new(Ends { a: Side { master: true, ..Side::default() }, b: Some(b), one_way: false })
}
