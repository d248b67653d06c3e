//! Schedulers of frameworks that die and come back.

use super::{
    Action, Fault, FaultEntry, Spec,
    windows::{Edge, Windows},
};
use crate::engine::random::{Seed, Stream};

/// The scheduler of each framework is away during windows of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct FrameworkCrash {
    /// Places of frameworks in the experiment file.
    pub frameworks: Vec<usize>,
    /// When each is away.
    pub windows: Windows,
}

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "framework-crash",
    about: "schedulers of frameworks die and come back with the framework id that they had",
    stream: Stream::FrameworkFailure,
    build: |_| Spec::FrameworkCrash(FrameworkCrash { frameworks: vec![0], windows: Windows::example() }),
};

impl FrameworkCrash {
    pub(super) fn build(self, seed: Seed) -> Box<dyn Fault> {
        let frameworks = self.frameworks.into_iter().map(|place| place as u32);
        self.windows.acting_once(seed, frameworks, |place, edge| {
            let framework = place as usize;
            match edge {
                Edge::Begin => Action::FrameworkCrash { framework },
                Edge::End => Action::FrameworkBack { framework },
            }
        })
    }
}
