//! Whole racks, zones or branches of the power supply that fail at once.

use super::{
    Action, Domain, Fault, FaultEntry, Scope, Spec,
    windows::{Edge, Windows},
};
use crate::engine::random::{Seed, Stream};

/// All machines of a domain are down during windows of the domain.
#[derive(Clone, PartialEq, Debug)]
pub struct Outage {
    /// What can fail, each by itself.
    pub domains: Vec<Domain>,
    /// When each is down.
    pub windows: Windows,
}

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "outage",
    about: "all machines of a rack, a zone or a power unit fail at once and come back at once",
    stream: Stream::Outage,
    build: |cluster| {
        Spec::Outage(Outage { domains: Scope::Zone.domains(cluster), windows: Windows::example() })
    },
};

impl Outage {
    pub(super) fn build(self, seed: Seed) -> Box<dyn Fault> {
        let mut domains = self.domains;
        domains.sort_by_key(|domain| domain.number);
        let numbers: Vec<u32> = domains.iter().map(|domain| domain.number).collect();
        self.windows.acting(seed, numbers, move |number, edge| {
            let place = domains.binary_search_by_key(&number, |domain| domain.number);
            let domain = &domains[place.expect("windows are those of the domains")];
            let act = |&machine| match edge {
                Edge::Begin => Action::AgentCrash { machine },
                Edge::End => Action::AgentRepair { machine },
            };
            domain.machines.iter().map(act).collect()
        })
    }
}
