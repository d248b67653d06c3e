//! Agents that will be unavailable, and what frameworks said to it.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::{Allocations, HierarchicalAllocator, InverseOffer, filter::Cause};
use crate::{
    id::{AgentId, FrameworkId},
    maintenance::{InverseOfferStatus, Unavailability},
    time::Time,
};

/// All agents with a planned unavailability (`Slave::Maintenance`).
#[derive(Debug, Default)]
pub(super) struct Maintenances(BTreeMap<AgentId, Maintenance>);

/// Of one agent.
#[derive(Debug)]
pub(super) struct Maintenance {
    pub(super) unavailability: Unavailability,
    /// Frameworks that have not answered yet.
    pub(super) outstanding: Vec<FrameworkId>,
    /// Last answers.
    pub(super) statuses: Vec<(FrameworkId, InverseOfferStatus)>,
}

impl Maintenances {
    /// Replaces what is planned; answers and what is out are forgotten.
    pub(super) fn set(&mut self, agent: AgentId, unavailability: Option<Unavailability>) {
        self.0.remove(&agent);
        if let Some(unavailability) = unavailability {
            let maintenance = Maintenance { unavailability, outstanding: Vec::new(), statuses: Vec::new() };
            self.0.insert(agent, maintenance);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, agent: AgentId) -> Option<&Maintenance> {
        self.0.get(&agent)
    }

    pub(super) fn get_mut(&mut self, agent: AgentId) -> Option<&mut Maintenance> {
        self.0.get_mut(&agent)
    }

    /// Ascending.
    pub(super) fn agents(&self) -> impl Iterator<Item = AgentId> + '_ {
        self.0.keys().copied()
    }
}

impl Maintenance {
    /// Notes an answer, if the inverse offer is out.
    pub(super) fn answer(&mut self, framework: FrameworkId, status: Option<InverseOfferStatus>) {
        let Some(place) = self.outstanding.iter().position(|&of| of == framework) else { return };
        self.outstanding.swap_remove(place);
        if let Some(status) = status {
            self.statuses.retain(|&(of, _)| of != framework);
            self.statuses.push((framework, status));
        }
    }
}

impl HierarchicalAllocator {
    /// The agents in maintenance among those that Mesos would visit.
    pub(super) fn inverse_candidates(&self, cause: Cause, agents: &[AgentId]) -> SmallVec<[AgentId; 4]> {
        if self.maintenances.is_empty() {
            return SmallVec::new();
        }
        match cause {
            Cause::Tick => self.maintenances.agents().collect(),
            Cause::Trigger => {
                agents.iter().copied().filter(|&agent| self.maintenances.get(agent).is_some()).collect()
            }
        }
    }

    /// Asks those who hold something on the agents to leave, unless they were asked or refuse to be.
    pub(super) fn offer_inversely(&mut self, now: Time, agents: &[AgentId], out: &mut Allocations) {
        for &agent in agents {
            let Some(on) = self.agents.get(agent).and_then(Option::as_ref) else { continue };
            let mut holders: SmallVec<[FrameworkId; 4]> =
                on.held.iter().map(|&(framework, _, _)| framework).collect();
            holders.sort_unstable();
            holders.dedup();
            for framework in holders {
                let knows = self.frameworks.get(framework).and_then(Option::as_ref);
                let wants = knows.is_some_and(|of| of.is_active && !of.refuses_inverse(agent, now));
                let Some(maintenance) = self.maintenances.get_mut(agent) else { continue };
                if wants && !maintenance.outstanding.contains(&framework) {
                    maintenance.outstanding.push(framework);
                    let unavailability = maintenance.unavailability;
                    out.inverse_offers.push(InverseOffer { framework, agent, unavailability });
                }
            }
        }
    }
}
