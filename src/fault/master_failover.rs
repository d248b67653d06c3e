//! The leading master dies, and another is elected.

use mesos::time::Span;

use super::{
    Action, Fault, FaultEntry, Spec,
    windows::{Edge, When, Windows},
};
use crate::engine::{
    law::Law,
    random::{Seed, Stream},
};

/// The master dies now and then.
#[derive(Clone, PartialEq, Debug)]
pub struct MasterFailover {
    /// When.
    pub when: When,
}

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "master-failover",
    about: "the leading master dies and another one is elected",
    stream: Stream::MasterFailure,
    build: |_| Spec::MasterFailover(MasterFailover { when: Windows::example().when }),
};

impl MasterFailover {
    pub(super) fn build(self, seed: Seed) -> Box<dyn Fault> {
        let windows = Windows { when: self.when, lasts: Law::Constant(Span::ZERO) };
        windows.acting(seed, [0], |_, edge| match edge {
            Edge::Begin => vec![Action::MasterFail],
            Edge::End => Vec::new(),
        })
    }
}
