//! What can be read off the allocator, for the master, metrics and checkers.

use super::{Held, HierarchicalAllocator, frameworks::FrameworkRole, run::is_excluded};
use crate::{
    capability::Capabilities,
    id::{AgentId, FrameworkId, RoleId},
    maintenance::InverseOfferStatus,
    quota::Quota,
    resource::{ResourceName, ResourceQuantities, Resources},
    time::Time,
};

/// How an agent's resources are divided at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentShares {
    /// All it has.
    pub total: Resources,
    /// What nobody holds.
    pub available: Resources,
    /// What frameworks hold, offered or allocated, by framework and role.
    pub held: Vec<Held>,
}

impl HierarchicalAllocator {
    /// Whether a framework with these capabilities would ever be offered an agent of this shape, if it were empty.
    #[must_use]
    pub fn would_offer(&self, total: &Resources, capabilities: Capabilities) -> bool {
        let has_gpus = total.get(ResourceName::Gpus).0 > 0;
        self.is_large_enough(total, None) && !self.hides_gpus(has_gpus, capabilities)
    }

    /// How an agent's resources are divided now. Panics if there is no such agent.
    #[must_use]
    pub fn agent_shares(&self, agent: AgentId) -> AgentShares {
        let on = self.agent(agent);
        AgentShares {
            total: on.detail.total.clone(),
            available: on.available.clone(),
            held: on.held.to_vec(),
        }
    }

    /// All resources of all agents.
    #[must_use]
    pub fn total(&self) -> &ResourceQuantities {
        &self.total
    }

    /// All roles that anybody named.
    #[must_use]
    pub const fn roles(&self) -> &crate::id::Interner<RoleId> {
        self.tree.names()
    }

    /// What frameworks hold under a role and those below it, offered or allocated.
    #[must_use]
    pub fn offered_or_allocated(&self, role: RoleId) -> ResourceQuantities {
        if self.role_sorter.contains(role) {
            self.role_sorter.allocation(role).clone()
        } else {
            ResourceQuantities::EMPTY
        }
    }

    /// Which agents each role of a framework is not offered because of its constraints
    /// (`/allocator/offer_constraints_debug`); roles without constraints are left out.
    #[must_use]
    pub fn excluded_by_constraints(&self, framework: FrameworkId) -> Vec<(RoleId, Vec<AgentId>)> {
        let excluded = |of: &FrameworkRole| {
            let known = self.agents.iter().filter_map(|(id, agent)| Some((id, agent.as_ref()?)));
            known.filter(|(_, agent)| is_excluded(agent, of)).map(|(id, _)| id).collect()
        };
        let roles = self.framework(framework).roles.iter();
        roles.filter(|of| of.constraints.is_some()).map(|of| (of.role, excluded(of))).collect()
    }

    /// What counts against the quota of a role (metric `quota/roles/<role>/resources/<name>/consumed`).
    #[must_use]
    pub fn quota_consumed(&self, role: RoleId) -> ResourceQuantities {
        self.tree.consumed(role)
    }

    /// The quota of a role.
    #[must_use]
    pub fn quota(&self, role: RoleId) -> &Quota {
        self.tree.quota(role)
    }

    /// Last answers of frameworks to inverse offers of an agent.
    #[must_use]
    pub fn inverse_offer_statuses(&self, agent: AgentId) -> &[(FrameworkId, InverseOfferStatus)] {
        self.maintenances.get(agent).map_or(&[], |maintenance| &maintenance.statuses)
    }

    /// How many allocations Mesos would have run by `now`: every periodic one, whether it could give something or not, and
    /// those that calls have asked for.
    #[must_use]
    pub fn allocation_runs(&self, now: Time) -> u64 {
        now.0 / self.options.allocation_interval.0 + self.triggered_runs
    }
}
