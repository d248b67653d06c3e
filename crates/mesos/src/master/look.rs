//! What can be read off the master, for metrics, checkers and people.

use std::collections::{BTreeMap, BTreeSet};

use super::{Master, UnreachableCounts};
use crate::{
    allocator::HierarchicalAllocator,
    event::InverseOffer,
    id::{AgentId, FrameworkId, Interner, RoleId},
    maintenance::{InverseOfferStatus, Machine, Schedule},
    offer::Offer,
    quota::QuotaConfig,
    registration::{AgentInfo, OperationReport},
    registry::{DrainInfo, MachineInfo},
    time::Time,
};

impl Master {
    /// The books of the allocator.
    #[must_use]
    pub const fn allocator(&self) -> &HierarchicalAllocator {
        &self.allocator
    }

    /// All roles that anybody named.
    #[must_use]
    pub const fn roles(&self) -> &Interner<RoleId> {
        self.allocator.roles()
    }

    /// Quotas as operators asked for them, by role.
    #[must_use]
    pub const fn quotas(&self) -> &BTreeMap<String, QuotaConfig> {
        &self.quotas.configs
    }

    /// Weights that roles were given; all others weigh 1.
    #[must_use]
    pub const fn weights(&self) -> &BTreeMap<String, f64> {
        &self.weights
    }

    /// The plan for maintenance.
    #[must_use]
    pub const fn maintenance_schedule(&self) -> &Schedule {
        &self.maintenance.schedule
    }

    /// Machines that are in the schedule or down; all others are up.
    #[must_use]
    pub const fn machines(&self) -> &BTreeMap<Machine, MachineInfo> {
        &self.maintenance.machines
    }

    /// Registered agents on a machine, ascending.
    #[must_use]
    pub fn agents_on_machine(&self, machine: &Machine) -> Vec<AgentId> {
        self.agents_on(&BTreeSet::from([machine.normal()]))
    }

    /// What frameworks last answered to inverse offers of an agent, and when.
    pub fn inverse_offer_statuses(
        &self,
        agent: AgentId,
    ) -> impl Iterator<Item = (FrameworkId, InverseOfferStatus, Time)> + '_ {
        self.allocator.inverse_offer_statuses(agent).iter().map(move |&(framework, status)| {
            let answered = self.maintenance.answered.get(&(agent, framework));
            (framework, status, *answered.expect("an answer has a time"))
        })
    }

    /// Inverse offers that are out.
    pub fn inverse_offers(&self) -> impl Iterator<Item = &InverseOffer> {
        self.maintenance.inverse_offers.values()
    }

    /// How far the draining of an agent is, if it is to drain.
    #[must_use]
    pub fn drain_info(&self, agent: AgentId) -> Option<&DrainInfo> {
        self.draining.get(&agent)
    }

    /// Whether an operator, or draining, keeps an agent from being offered.
    #[must_use]
    pub fn is_deactivated(&self, agent: AgentId) -> bool {
        self.deactivated.contains(&agent)
    }

    /// What a registered agent said of itself.
    #[must_use]
    pub fn agent_info(&self, agent: AgentId) -> Option<&AgentInfo> {
        self.agents.get(agent)?.as_ref().map(|agent| &agent.info)
    }

    /// How often agents were to be marked unreachable.
    #[must_use]
    pub const fn unreachable_counts(&self) -> UnreachableCounts {
        self.removal_limit.counts
    }

    /// Why the master has given up, if it has: then it is not to be driven any further.
    #[must_use]
    pub fn fatal(&self) -> Option<&str> {
        self.fatal.as_deref()
    }

    /// Agents that the registry names and that are not back since this master took over.
    pub fn recovered_agents(&self) -> impl Iterator<Item = AgentId> + '_ {
        self.recovered.keys().copied()
    }

    /// Agents that do not answer, and since when.
    #[must_use]
    pub const fn unreachable_agents(&self) -> &BTreeMap<AgentId, Time> {
        &self.unreachable
    }

    /// Agents that are gone for good, and since when.
    #[must_use]
    pub const fn gone_agents(&self) -> &BTreeMap<AgentId, Time> {
        &self.gone
    }

    /// Whether a registered agent is connected; `None`: it is not registered.
    #[must_use]
    pub fn is_connected(&self, agent: AgentId) -> Option<bool> {
        self.agents.get(agent)?.as_ref().map(|on| on.is_connected)
    }

    /// The offers that are out, in no particular order.
    pub fn offers(&self) -> impl Iterator<Item = &Offer> {
        self.offers.iter()
    }

    /// How many offers are out.
    #[must_use]
    pub fn outstanding_offers(&self) -> usize {
        self.offers.len()
    }

    /// How many tasks of a framework are not over and acknowledged.
    #[must_use]
    pub fn task_count(&self, framework: FrameworkId) -> usize {
        self.frameworks.get(framework).and_then(Option::as_ref).map_or(0, |of| of.tasks.len())
    }

    /// Operations that are not over and acknowledged, by their numbers, each with its agent.
    pub fn operations(&self) -> impl Iterator<Item = (AgentId, OperationReport)> + '_ {
        self.operations.iter().map(|(&uuid, of)| {
            let (framework, operation, what, state) = (of.framework, of.id, of.what.clone(), of.state);
            (of.agent, OperationReport { framework, operation, uuid, what, state })
        })
    }
}
