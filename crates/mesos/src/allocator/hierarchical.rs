//! The hierarchical allocator: events change its state and ask for allocations; an allocation makes offers.
//!
//! Mesos visits every agent, role and framework in every periodic cycle. This one gives the same offers and visits only
//! agents on which something may have changed since the last visit (`candidates.rs`). The allocation itself is in
//! `run.rs`; this file has the state and what each event does to it.

use std::collections::BTreeSet;

use super::{
    AgentUpdate, Allocations, Allocator, AllocatorAgent, AllocatorFramework, AllocatorOptions, Held,
    agents::Agent,
    candidates::{Candidates, Visit},
    filter::{Cause, Deadlines, Expiry},
    frameworks::{self, Framework},
    maintenance::Maintenances,
    order::VisitOrder,
    role_tree::{RoleTree, is_simple, unreserved_non_revocable},
    sorter::Sorter,
    tracking::Role,
};
use crate::{
    capability::Capabilities,
    domain::FaultDomain,
    id::{AgentId, FrameworkId, IdVec, RoleId},
    maintenance::{InverseOfferStatus, Unavailability},
    offer::{Filters, Offer},
    quota::Quota,
    resource::{OperationError, ResourceConversion, ResourceOperation, ResourceQuantities, Resources},
    time::Time,
};

/// Mesos' allocator; see the [module](super).
pub struct HierarchicalAllocator {
    pub(super) options: AllocatorOptions,
    pub(super) order: Box<dyn VisitOrder>,
    pub(super) tree: RoleTree,
    pub(super) agents: IdVec<AgentId, Option<Agent>>,
    pub(super) frameworks: IdVec<FrameworkId, Option<Framework>>,
    pub(super) roles: IdVec<RoleId, Option<Role>>,
    pub(super) role_sorter: Sorter<RoleId>,
    pub(super) total: ResourceQuantities,
    /// Agents of which something is reserved, revocable or shared.
    pub(super) complex_agents: BTreeSet<AgentId>,
    /// Roles with a quota.
    pub(super) quota_roles: Vec<RoleId>,
    pub(super) filters: frameworks::Filters,
    pub(super) deadlines: Deadlines,
    pub(super) candidates: Candidates,
    pub(super) maintenances: Maintenances,
    whitelist: Option<BTreeSet<String>>,
    is_paused: bool,
    recovery: Option<Recovery>,
    /// (framework, role) pairs that take part in the order.
    pub(super) active_pairs: usize,
    /// (framework, role) pairs with smallest offers of their own.
    pub(super) own_minima: usize,
    /// Whether the role sorter has seen no sort since a role came; see `Sorter` on weights of inner nodes.
    pub(super) are_weights_unsettled: bool,
    /// The last periodic allocation that is behind us.
    last_tick: Time,
    /// Nobody needed a periodic allocation when last looked: none is made up for, not even one of this instant.
    was_idle: bool,
    pub(super) triggered_runs: u64,
    /// Kept for its memory.
    pub(super) visits: Vec<AgentId>,
}

/// Waiting for agents after a failover of the master.
#[derive(Clone, Copy, Debug)]
struct Recovery {
    expected_agents: usize,
    until: Time,
}

impl std::fmt::Debug for HierarchicalAllocator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HierarchicalAllocator").field("agents", &self.agents.len()).finish_non_exhaustive()
    }
}

impl HierarchicalAllocator {
    /// An allocator that starts at time zero and visits agents in the given order.
    #[must_use]
    pub fn new(options: AllocatorOptions, order: Box<dyn VisitOrder>) -> Self {
        assert!(options.allocation_interval > crate::time::Span::ZERO, "the allocation interval is zero");
        Self {
            role_sorter: Sorter::new(options.sorter, &options.fair_sharing_excluded, false),
            candidates: Candidates::new(options.allocation_interval),
            options,
            order,
            tree: RoleTree::default(),
            agents: IdVec::new(),
            frameworks: IdVec::new(),
            roles: IdVec::new(),
            total: ResourceQuantities::EMPTY,
            complex_agents: BTreeSet::new(),
            quota_roles: Vec::new(),
            filters: frameworks::Filters::default(),
            deadlines: Deadlines::default(),
            maintenances: Maintenances::default(),
            whitelist: None,
            is_paused: false,
            recovery: None,
            active_pairs: 0,
            own_minima: 0,
            are_weights_unsettled: false,
            last_tick: Time::ZERO,
            was_idle: true,
            triggered_runs: 0,
            visits: Vec::new(),
        }
    }

    /// After a failover of the master: the quotas of the registry hold at once, and if there are any, nothing is allocated
    /// until enough of the agents that the registry knows are back, or for ten minutes (`recover`).
    pub fn recover(&mut self, now: Time, expected_agents: usize, quotas: Vec<(RoleId, Quota)>) {
        if quotas.is_empty() {
            return;
        }
        for (role, quota) in quotas {
            self.update_quota(role, quota);
        }
        let expected_agents = (expected_agents as f64 * self.options.agent_recovery_factor) as usize;
        if expected_agents > 0 {
            self.is_paused = true;
            self.recovery = Some(Recovery { expected_agents, until: now + self.options.recovery_timeout });
        }
    }

    /// Offers of one framework are refused: [`recover_resources`](Allocator::recover_resources) of each.
    pub fn recover_declined(
        &mut self,
        now: Time,
        framework: FrameworkId,
        offers: &[Offer],
        filters: Filters,
    ) {
        for of_role in offers.chunk_by(|a, b| a.role == b.role) {
            let role = of_role[0].role;
            if !self.is_tracked(framework, role) {
                continue;
            }
            let filter = self.new_filter(now, framework, role, filters);
            let (mut sum, mut agents_fewer) = (ResourceQuantities::EMPTY, 0);
            for offer in of_role {
                let (agent, resources) = (offer.agent, &offer.resources);
                let Some(on) = self.agents.get_mut(agent).and_then(Option::as_mut) else { continue };
                agents_fewer += u32::from(on.take_back(framework, role, resources));
                self.wait(agent);
                if is_simple(resources) {
                    sum += resources.quantities();
                } else {
                    self.unbook(framework, role, agent, resources);
                }
                self.add_filter(now, agent, resources, filter);
            }
            self.holds_on_fewer(framework, role, agents_fewer);
            if !sum.is_empty() {
                self.unbook_simple(framework, role, &sum);
            }
            self.untrack_if_done(framework, role);
        }
    }

    pub(super) fn agent(&self, agent: AgentId) -> &Agent {
        self.agents[agent].as_ref().unwrap_or_else(|| panic!("{agent:?} is not known"))
    }

    pub(super) fn agent_mut(&mut self, agent: AgentId) -> &mut Agent {
        self.agents[agent].as_mut().unwrap_or_else(|| panic!("{agent:?} is not known"))
    }

    pub(super) fn framework(&self, framework: FrameworkId) -> &Framework {
        self.frameworks[framework].as_ref().unwrap_or_else(|| panic!("{framework:?} is not known"))
    }

    pub(super) fn framework_mut(&mut self, framework: FrameworkId) -> &mut Framework {
        self.frameworks[framework].as_mut().unwrap_or_else(|| panic!("{framework:?} is not known"))
    }

    pub(super) fn hides_gpus(&self, has_gpus: bool, capabilities: Capabilities) -> bool {
        self.options.filter_gpu_resources && has_gpus && !capabilities.has(Capabilities::GPU_RESOURCES)
    }

    pub(super) fn is_known(&self, agent: AgentId) -> bool {
        self.agents.get(agent).is_some_and(Option::is_some)
    }

    /// Whether an allocation of all agents would visit any.
    pub(super) fn has_eligible_agent(&self) -> bool {
        let is_eligible = |agent: &Agent| agent.is_active && agent.is_whitelisted;
        self.agents.iter().any(|(_, agent)| agent.as_ref().is_some_and(is_eligible))
    }

    /// The agent waits for a visit; where quota is in force, everybody does.
    fn wait(&mut self, agent: AgentId) {
        if self.quota_roles.is_empty() {
            self.candidates.wait(agent);
        } else {
            self.candidates.all_wait();
        }
    }

    /// What was out comes back to its agent; the sorters are not told.
    fn take_back(&mut self, framework: FrameworkId, role: RoleId, agent: AgentId, resources: &Resources) {
        if self.agent_mut(agent).take_back(framework, role, resources) {
            self.holds_on_fewer(framework, role, 1);
        }
        self.wait(agent);
    }

    /// When a filter made now by the framework under the role ends, and where it is kept; `None` for no filter.
    fn new_filter(
        &self,
        now: Time,
        framework: FrameworkId,
        role: RoleId,
        filters: Filters,
    ) -> Option<(u32, Expiry)> {
        let interval = self.options.allocation_interval;
        let timeout = filters.timeout(interval)?;
        let of_role = self.frameworks.get(framework).and_then(Option::as_ref)?.role(role)?;
        let at = now + timeout;
        let outlasts_tick = timeout == interval;
        let mut visible_at = Time(at.0.next_multiple_of(interval.0));
        if outlasts_tick && visible_at == at {
            visible_at = visible_at + interval;
        }
        Some((of_role.filters, Expiry { at, outlasts_tick, visible_at }))
    }

    fn add_filter(
        &mut self,
        now: Time,
        agent: AgentId,
        resources: &Resources,
        filter: Option<(u32, Expiry)>,
    ) {
        if let Some((owner, expiry)) = filter {
            let filters = &mut self.filters.of[owner as usize].filters;
            filters.add(now, agent, resources.clone(), expiry, owner, &mut self.deadlines);
        }
    }

    pub(super) fn forget_stale_deadlines(&mut self) {
        let filters = &self.filters;
        self.deadlines.forget_stale(|due| filters.of[due.owner as usize].filters.is_live(due));
    }

    /// The agent's total becomes another one (`updateSlaveTotal`); `false` if it was the same.
    fn set_total(&mut self, agent: AgentId, total: Resources) -> bool {
        let old = self.agent(agent).detail.total.clone();
        if old == total {
            return false;
        }
        self.leave_totals(agent, &old);
        self.join_totals(agent, &total);
        self.agent_mut(agent).set_total(total);
        true
    }

    fn join_totals(&mut self, agent: AgentId, total: &Resources) {
        self.total += total.quantities();
        self.role_sorter.add_total(total.quantities());
        for (_, role) in self.roles.iter_mut() {
            if let Some(role) = role {
                role.frameworks.add_total(total.quantities());
            }
        }
        if !is_simple(total) {
            self.complex_agents.insert(agent);
            self.tree.track_reservations(total);
        }
    }

    fn leave_totals(&mut self, agent: AgentId, total: &Resources) {
        self.total -= total.quantities();
        self.role_sorter.remove_total(total.quantities());
        for (_, role) in self.roles.iter_mut() {
            if let Some(role) = role {
                role.frameworks.remove_total(total.quantities());
            }
        }
        if !is_simple(total) {
            self.complex_agents.remove(&agent);
            self.tree.untrack_reservations(total);
        }
    }

    fn is_remote(&self, domain: Option<&FaultDomain>) -> bool {
        let master = self.options.domain.as_ref();
        domain.is_some_and(|agent| master.is_some_and(|master| master.region != agent.region))
    }

    fn is_whitelisted(&self, hostname: &str) -> bool {
        self.whitelist.as_ref().is_none_or(|hostnames| hostnames.contains(hostname))
    }

    fn drop_filters_on(&mut self, agent: AgentId) {
        self.filters.drop_agent(agent);
        for (_, framework) in self.frameworks.iter_mut() {
            if let Some(framework) = framework {
                framework.inverse_filters.retain(|&(of, _)| of != agent);
            }
        }
    }

    /// An allocation of all agents is asked for, in vain while paused.
    fn trigger_all(&mut self) {
        match self.is_paused {
            true => self.candidates.all_wait(),
            false => self.candidates.trigger_all(),
        }
    }

    fn trigger(&mut self, agent: AgentId) {
        match self.is_paused {
            true => self.candidates.wait(agent),
            false => self.candidates.trigger(agent),
        }
        // With quota, what has changed here may let others give more, at the next periodic allocation.
        if !self.quota_roles.is_empty() {
            self.candidates.all_wait();
        }
    }

    /// An agent's filters that have ended let it be visited again. With quota everybody is: what it gives may meet the last
    /// guarantee, and from there on nothing is held back of any other.
    fn expire_filters(&mut self, now: Time) {
        while let Some(due) = self.deadlines.pop_due(now) {
            for agent in self.filters.of[due.owner as usize].filters.expire(&due) {
                self.wait(agent);
            }
        }
        self.forget_stale_deadlines();
    }
}

impl Allocator for HierarchicalAllocator {
    fn role(&mut self, name: &str) -> RoleId {
        self.tree.intern(name)
    }

    fn role_name(&self, role: RoleId) -> &str {
        self.tree.names().name(role)
    }

    fn add_agent(
        &mut self,
        agent: AgentId,
        info: AllocatorAgent,
        used: &[Held],
        unavailability: Option<Unavailability>,
    ) {
        assert!(!self.is_known(agent), "{agent:?} is there already");
        self.agents.grow_to(agent, || None);
        self.join_totals(agent, &info.total);
        let mut on = Agent::new(info, used);
        on.is_remote = self.is_remote(on.detail.domain.as_ref());
        on.is_whitelisted = self.is_whitelisted(&on.detail.hostname);
        self.agents[agent] = Some(on);
        self.maintenances.set(agent, unavailability);
        for (framework, role, resources) in used {
            self.tree.track_allocated(*role, &unreserved_non_revocable(resources));
            if self.frameworks.get(*framework).is_some_and(Option::is_some) {
                self.book_used(*framework, *role, agent, resources);
            }
        }
        let known = |recovery: Recovery| {
            self.agents.iter().filter(|(_, agent)| agent.is_some()).count() >= recovery.expected_agents
        };
        if self.recovery.is_some_and(known) {
            self.resume();
        }
        if !self.maintenances.is_empty() {
            self.candidates.tick_is_owed();
        }
        self.trigger(agent);
    }

    fn update_agent(&mut self, agent: AgentId, update: AgentUpdate) {
        let AgentUpdate { total, capabilities, hostname, attributes, domain } = update;
        let mut has_changed = false;
        if let Some(attributes) = attributes
            && attributes != self.agent(agent).detail.attributes
        {
            has_changed = true;
            self.agent_mut(agent).detail.attributes = attributes;
            self.drop_filters_on(agent);
        }
        if let Some(hostname) = hostname {
            let is_whitelisted = self.is_whitelisted(&hostname);
            let on = self.agent_mut(agent);
            has_changed |= on.detail.hostname != hostname;
            on.detail.hostname = hostname;
            on.is_whitelisted = is_whitelisted;
        }
        if let Some(domain) = domain {
            let is_remote = self.is_remote(domain.as_ref());
            let on = self.agent_mut(agent);
            has_changed |= on.detail.domain != domain;
            on.detail.domain = domain;
            on.is_remote = is_remote;
        }
        if let Some(capabilities) = capabilities {
            let on = self.agent_mut(agent);
            has_changed |= on.capabilities != capabilities;
            on.capabilities = capabilities;
        }
        if let Some(total) = total {
            has_changed |= self.set_total(agent, total);
        }
        if has_changed {
            self.trigger(agent);
        }
    }

    fn add_resource_provider(&mut self, agent: AgentId, total: &Resources, used: &[Held]) {
        let mut sum = self.agent(agent).detail.total.clone();
        sum += total;
        for (framework, role, resources) in used {
            let is_new = self.agent_mut(agent).hold(*framework, *role, resources);
            if self.frameworks.get(*framework).is_some_and(Option::is_some) {
                if !self.is_tracked(*framework, *role) {
                    self.track(*framework, *role);
                }
                if is_new {
                    self.holds_on_more(*framework, *role, 1);
                }
                self.book(*framework, *role, agent, resources);
            }
        }
        if !self.set_total(agent, sum) {
            let total = self.agent(agent).detail.total.clone();
            self.agent_mut(agent).set_total(total);
        }
        self.wait(agent);
    }

    fn remove_agent(&mut self, agent: AgentId) {
        let held = std::mem::take(&mut self.agent_mut(agent).held);
        for (role, quantities) in std::mem::take(&mut self.agent_mut(agent).allocated) {
            self.tree.untrack_allocated(role, &quantities);
        }
        for (framework, role, resources) in held {
            if self.is_tracked(framework, role) {
                self.unbook(framework, role, agent, &resources);
                let of_role = self.framework_mut(framework).role_mut(role).expect("tracked");
                of_role.held_on -= 1;
                self.untrack_if_done(framework, role);
            }
        }
        let total = self.agent(agent).detail.total.clone();
        self.leave_totals(agent, &total);
        self.maintenances.set(agent, None);
        self.drop_filters_on(agent);
        self.agents[agent] = None;
        if !self.quota_roles.is_empty() {
            self.candidates.all_wait();
        }
    }

    fn activate_agent(&mut self, agent: AgentId) {
        self.agent_mut(agent).is_active = true;
        self.wait(agent);
    }

    fn deactivate_agent(&mut self, agent: AgentId) {
        self.agent_mut(agent).is_active = false;
    }

    fn add_framework(
        &mut self,
        framework: FrameworkId,
        info: AllocatorFramework,
        used: &[(AgentId, RoleId, Resources)],
        active: bool,
    ) {
        let is_known = self.frameworks.grow_to(framework, || None).is_some();
        assert!(!is_known, "{framework:?} is there already");
        let AllocatorFramework {
            path,
            roles,
            suppressed_roles,
            capabilities,
            min_allocatable,
            offer_constraints,
        } = info;
        self.frameworks[framework] = Some(Framework {
            path,
            capabilities,
            is_active: true,
            roles: smallvec::SmallVec::new(),
            suppressed: smallvec::SmallVec::new(),
            inverse_filters: Vec::new(),
        });
        roles.iter().for_each(|&role| self.subscribe_to(framework, role));
        suppressed_roles.iter().for_each(|&role| self.suppress(framework, role));
        self.set_conditions(framework, min_allocatable, offer_constraints);
        for (agent, role, resources) in used {
            if self.is_known(*agent) {
                self.book_used(framework, *role, *agent, resources);
            }
        }
        if active {
            self.trigger_all();
        } else {
            self.deactivate_framework(framework);
        }
    }

    fn update_framework(&mut self, framework: FrameworkId, info: AllocatorFramework) {
        let AllocatorFramework {
            path: _,
            roles,
            suppressed_roles,
            capabilities,
            min_allocatable,
            offer_constraints,
        } = info;
        let of = self.framework_mut(framework);
        let (subscribed, suppressed) = (of.subscribed(), of.suppressed.clone());
        of.capabilities = capabilities;
        for &role in roles.iter().filter(|role| !subscribed.contains(role)) {
            self.subscribe_to(framework, role);
        }
        for &role in subscribed.iter().filter(|role| !roles.contains(role)) {
            self.set_active(framework, role, false);
            let of_role = self.framework_mut(framework).role_mut(role).expect("a role it was subscribed to");
            of_role.is_subscribed = false;
            let filters = of_role.filters;
            self.filters.clear(filters);
            self.framework_mut(framework).suppressed.retain(|suppressed| *suppressed != role);
            self.untrack_if_done(framework, role);
        }
        self.set_conditions(framework, min_allocatable, offer_constraints);
        for &role in suppressed_roles.iter().filter(|role| !suppressed.contains(role)) {
            self.suppress(framework, role);
        }
        let is_revived = |role: &RoleId| !suppressed_roles.contains(role) && roles.contains(role);
        let revived: Vec<RoleId> = suppressed.into_iter().filter(is_revived).collect();
        self.unsuppress(framework, &revived);
        self.candidates.all_wait();
    }

    fn remove_framework(&mut self, framework: FrameworkId) {
        let holds = self.framework(framework).roles.iter().any(|of| of.held_on > 0);
        if holds {
            let agents: Vec<AgentId> = self.agents.ids().filter(|&agent| self.is_known(agent)).collect();
            for agent in agents {
                let held = &self.agent(agent).held;
                let of_framework: Vec<Held> =
                    held.iter().filter(|(of, _, _)| *of == framework).cloned().collect();
                for (_, role, resources) in of_framework {
                    self.take_back(framework, role, agent, &resources);
                    self.unbook(framework, role, agent, &resources);
                    self.untrack_if_done(framework, role);
                }
            }
        }
        for place in 0..self.framework(framework).roles.len() {
            let of_role = &mut self.framework_mut(framework).roles[place];
            of_role.is_subscribed = false;
            let role = of_role.role;
            self.untrack_if_done(framework, role);
        }
        for of_role in self.frameworks[framework].take().expect("looked up above").roles {
            self.own_minima -= usize::from(of_role.min_allocatable.is_some());
            self.filters.give_up(of_role.filters);
        }
        self.forget_stale_deadlines();
    }

    fn activate_framework(&mut self, framework: FrameworkId) {
        let of = self.framework_mut(framework);
        of.is_active = true;
        let suppressed = of.suppressed.clone();
        for role in of.subscribed() {
            if !suppressed.contains(&role) {
                self.set_active(framework, role, true);
            }
        }
        self.trigger_all();
    }

    fn deactivate_framework(&mut self, framework: FrameworkId) {
        let of = self.framework_mut(framework);
        of.is_active = false;
        of.inverse_filters.clear();
        for role in of.subscribed() {
            self.set_active(framework, role, false);
        }
        for place in 0..self.framework(framework).roles.len() {
            let filters = self.framework(framework).roles[place].filters;
            self.filters.clear(filters);
        }
        self.forget_stale_deadlines();
    }

    fn recover_resources(
        &mut self,
        now: Time,
        framework: FrameworkId,
        agent: AgentId,
        role: RoleId,
        resources: &Resources,
        filters: Option<Filters>,
        allocated: bool,
    ) {
        if resources.is_empty() || !self.is_known(agent) {
            return;
        }
        if allocated {
            let counted = unreserved_non_revocable(resources);
            self.agent_mut(agent).sub_allocated(role, &counted);
            self.tree.untrack_allocated(role, &counted);
        }
        if !self.is_tracked(framework, role) {
            return;
        }
        self.take_back(framework, role, agent, resources);
        self.unbook(framework, role, agent, resources);
        let filter = filters.and_then(|filters| self.new_filter(now, framework, role, filters));
        self.add_filter(now, agent, resources, filter);
        self.untrack_if_done(framework, role);
    }

    fn transition_offered_to_allocated(&mut self, agent: AgentId, role: RoleId, resources: &Resources) {
        let counted = unreserved_non_revocable(resources);
        self.agent_mut(agent).add_allocated(role, &counted);
        self.tree.track_allocated(role, &counted);
    }

    fn suppress_offers(&mut self, framework: FrameworkId, roles: &[RoleId]) {
        let all = self.framework(framework).subscribed();
        let roles = if roles.is_empty() { &all } else { roles };
        roles.iter().for_each(|&role| self.suppress(framework, role));
    }

    fn revive_offers(&mut self, framework: FrameworkId, roles: &[RoleId]) {
        let all = self.framework(framework).subscribed();
        self.unsuppress(framework, if roles.is_empty() { &all } else { roles });
        self.trigger_all();
    }

    fn update_weights(&mut self, weights: &[(RoleId, f64)]) {
        for &(role, weight) in weights {
            self.role_sorter.update_weight(self.tree.names().name(role), weight);
        }
    }

    fn update_quota(&mut self, role: RoleId, quota: Quota) {
        assert!(!self.tree.is_nested(role), "quota on the nested role {}", self.tree.names().name(role));
        self.quota_roles.retain(|&of| of != role);
        if !quota.is_default() {
            self.quota_roles.push(role);
        }
        self.tree.set_quota(role, quota);
        self.candidates.all_wait();
    }

    fn update_available(
        &mut self,
        agent: AgentId,
        operations: &[ResourceOperation],
    ) -> Result<(), OperationError> {
        let on = self.agent(agent);
        let (mut available, mut total) = (on.available.clone(), on.detail.total.clone());
        for operation in operations {
            available.apply(operation)?;
            total.apply(operation)?;
        }
        self.set_total(agent, total);
        self.wait(agent);
        Ok(())
    }

    fn update_allocation(
        &mut self,
        framework: FrameworkId,
        agent: AgentId,
        role: RoleId,
        offered: &Resources,
        conversions: &[ResourceConversion],
    ) {
        let (mut converted, mut total) = (offered.clone(), self.agent(agent).detail.total.clone());
        for conversion in conversions {
            let is_held = converted.convert(conversion);
            assert!(is_held.is_ok(), "{framework:?} cannot convert {offered}: {is_held:?}");
            if !conversion.consumed.is_empty() {
                let is_there = total.convert(conversion);
                assert!(is_there.is_ok(), "{agent:?} cannot convert {total}: {is_there:?}");
            }
        }
        let held_no_more = self.agent_mut(agent).replace_held(framework, role, offered, &converted);
        self.sorter_mut(role).update(framework, agent, offered, &converted);
        let (before, after) = (self.of_role(role, offered), self.of_role(role, &converted));
        self.role_sorter.update(role, agent, &before, &after);
        self.tree.untrack_out(role, agent, offered);
        self.tree.track_out(role, agent, &converted);
        if held_no_more {
            self.holds_on_fewer(framework, role, 1);
        }
        if !self.set_total(agent, total.clone()) {
            self.agent_mut(agent).set_total(total);
        }
        self.wait(agent);
    }

    fn update_unavailability(&mut self, agent: AgentId, unavailability: Option<Unavailability>) {
        for (_, framework) in self.frameworks.iter_mut() {
            if let Some(framework) = framework {
                framework.inverse_filters.retain(|&(of, _)| of != agent);
            }
        }
        self.maintenances.set(agent, unavailability);
        self.candidates.tick_is_owed();
        self.trigger(agent);
    }

    fn update_inverse_offer(
        &mut self,
        now: Time,
        framework: FrameworkId,
        agent: AgentId,
        status: Option<InverseOfferStatus>,
        filters: Option<Filters>,
    ) {
        let Some(of) = self.frameworks.get_mut(framework).and_then(Option::as_mut) else { return };
        if let Some(maintenance) = self.maintenances.get_mut(agent) {
            maintenance.answer(framework, status);
        }
        if let Some(length) = filters.and_then(Filters::length) {
            of.inverse_filters.retain(|&(_, until)| until > now);
            of.inverse_filters.push((agent, now + length));
        }
    }

    fn set_whitelist(&mut self, hostnames: Option<Vec<String>>) {
        self.whitelist = hostnames.map(|hostnames| hostnames.into_iter().collect());
        let whitelist = &self.whitelist;
        for (id, agent) in self.agents.iter_mut() {
            let Some(agent) = agent else { continue };
            let hostname = &agent.detail.hostname;
            let is_whitelisted = whitelist.as_ref().is_none_or(|hostnames| hostnames.contains(hostname));
            if is_whitelisted && !agent.is_whitelisted {
                match self.quota_roles.is_empty() {
                    true => self.candidates.wait(id),
                    false => self.candidates.all_wait(),
                }
            }
            agent.is_whitelisted = is_whitelisted;
        }
    }

    fn pause(&mut self) {
        self.is_paused = true;
    }

    fn resume(&mut self) {
        self.candidates.owe_anew();
        if self.are_weights_unsettled || !self.maintenances.is_empty() {
            self.candidates.tick_is_owed();
        }
        self.is_paused = false;
        self.recovery = None;
    }

    fn run_triggered(&mut self, now: Time, out: &mut Allocations) {
        self.candidates.settle(now);
        if self.was_idle {
            let interval = self.options.allocation_interval.0;
            self.last_tick = self.last_tick.max(Time(now.0 / interval * interval));
        }
        self.was_idle = self.is_idle();
        if self.is_paused {
            return self.candidates.drop_triggers();
        }
        match self.candidates.take_triggered() {
            Visit::Nobody => {}
            visit @ (Visit::Some(_) | Visit::All) => {
                self.triggered_runs += 1;
                self.allocate(now, Cause::Trigger, visit, out);
                self.was_idle = self.is_idle();
            }
        }
    }

    fn next_timeout(&self, now: Time) -> Option<Time> {
        if self.is_paused {
            return self.recovery.map(|recovery| recovery.until.max(now));
        }
        let gives = self.active_pairs > 0;
        let owed = self.candidates.owed(now).filter(|_| !self.is_idle());
        let filters = self.deadlines.next().filter(|_| gives);
        let is_open = |at: Time| at >= now && at > self.last_tick;
        let next = |at| if is_open(at) { at } else { self.candidates.tick_after(now) };
        Time::earliest([owed.map(next), filters.map(next)])
    }

    fn handle_timeout(&mut self, now: Time, out: &mut Allocations) {
        self.tick(now, out);
        self.was_idle = self.is_idle();
    }

    fn dominant_share(&self, role: RoleId) -> Option<f64> {
        self.role_sorter.contains(role).then(|| self.role_sorter.dominant_share(role))
    }

    fn filters_in_force(&self, role: RoleId, now: Time) -> usize {
        let of_role = self.filters.of.iter().filter(|owned| owned.owner.1 == role);
        of_role.map(|owned| owned.filters.in_force(now)).sum()
    }

    fn cluster_quantities(&self) -> (ResourceQuantities, ResourceQuantities) {
        let mut out = ResourceQuantities::EMPTY;
        for agent in self.agents.iter().filter_map(|(_, agent)| agent.as_ref()) {
            let mut of_agent = Resources::EMPTY; // a shared volume counts once for each role
            agent.held.iter().for_each(|(_, role, held)| of_agent += &*self.of_role(*role, held));
            out += of_agent.quantities();
        }
        (self.total.clone(), out)
    }
}

impl HierarchicalAllocator {
    /// Nothing can come of a periodic allocation: nobody takes offers, no weight is unsettled, nobody is asked to leave.
    fn is_idle(&self) -> bool {
        let is_stopped = self.is_paused && self.recovery.is_none();
        let is_needed = self.active_pairs > 0 || self.are_weights_unsettled || !self.maintenances.is_empty();
        is_stopped || !is_needed
    }

    fn tick(&mut self, now: Time, out: &mut Allocations) {
        if self.recovery.is_some_and(|recovery| recovery.until <= now) {
            self.resume();
        }
        if now <= self.last_tick || !now.0.is_multiple_of(self.options.allocation_interval.0) {
            return;
        }
        self.last_tick = now;
        self.expire_filters(now);
        if self.is_paused {
            return;
        }
        let visit = self.candidates.take_waiting();
        if self.are_weights_unsettled && self.has_eligible_agent() {
            self.settle_weights();
        }
        if !self.maintenances.is_empty() {
            self.candidates.tick_is_owed(); // an answer to an inverse offer asks for the next one
        } else if visit == Visit::Nobody {
            return;
        }
        self.allocate(now, Cause::Tick, visit, out);
    }
}
