//! What the plain allocator does when it is told something.

use std::collections::{BTreeMap, BTreeSet};

use mesos::{
    allocator::{AgentUpdate, Allocations, Allocator, AllocatorAgent, AllocatorFramework, Held},
    id::{AgentId, FrameworkId, RoleId},
    maintenance::{InverseOfferStatus, Unavailability},
    offer::Filters,
    quota::Quota,
    resource::{OperationError, ResourceConversion, ResourceOperation, ResourceQuantities, Resources},
    time::{Span, Time},
};

use super::{
    NaiveAllocator,
    books::{self, Agent, Framework, InverseFilter, Maintenance, OfferFilter},
};

/// One entry per framework and role.
fn gathered<K: Ord + Copy>(
    used: impl Iterator<Item = (K, RoleId, Resources)>,
) -> Vec<(K, RoleId, Resources)> {
    let mut sums: BTreeMap<(K, RoleId), Resources> = BTreeMap::new();
    for (key, role, resources) in used {
        *sums.entry((key, role)).or_default() += &resources.unallocate();
    }
    let entries = sums.into_iter().filter(|(_, resources)| !resources.is_empty());
    entries.map(|((key, role), resources)| (key, role, resources)).collect()
}

impl Allocator for NaiveAllocator {
    fn role(&mut self, name: &str) -> RoleId {
        self.roles.intern(name)
    }

    fn role_name(&self, role: RoleId) -> &str {
        self.roles.name(role)
    }

    fn add_agent(
        &mut self,
        agent: AgentId,
        info: AllocatorAgent,
        used: &[Held],
        unavailability: Option<Unavailability>,
    ) {
        let mut new = Agent::new(info);
        new.maintenance = unavailability.map(Maintenance::new);
        self.agents.insert(agent, new);
        self.use_resources(agent, used);
        self.ask([agent]);
    }

    fn update_agent(&mut self, agent: AgentId, update: AgentUpdate) {
        let Some(known) = self.agents.get_mut(&agent) else { return };
        let info = &mut known.info;
        let (mut changed, mut other_attributes) = (false, false);
        if let Some(attributes) = update.attributes {
            other_attributes = info.attributes != attributes;
            info.attributes = attributes;
        }
        if let Some(hostname) = update.hostname {
            changed |= info.hostname != hostname;
            info.hostname = hostname;
        }
        if let Some(domain) = update.domain {
            changed |= info.domain != domain;
            info.domain = domain;
        }
        if let Some(capabilities) = update.capabilities {
            changed |= info.capabilities != capabilities;
            info.capabilities = capabilities;
        }
        if let Some(total) = update.total.filter(|total| info.total != *total) {
            changed = true;
            info.total = total;
        }
        known.find_available();
        if other_attributes {
            self.drop_filters_of_agent(agent);
        }
        if changed || other_attributes {
            self.ask([agent]);
        }
    }

    fn add_resource_provider(&mut self, agent: AgentId, total: &Resources, used: &[Held]) {
        let Some(known) = self.agents.get_mut(&agent) else { return };
        known.info.total += total;
        known.find_available();
        self.use_resources(agent, used);
    }

    fn remove_agent(&mut self, agent: AgentId) {
        let Some(gone) = self.agents.remove(&agent) else { return };
        for (framework, role) in gone.held.into_keys() {
            self.untrack_if_idle(framework, role);
        }
        self.candidates.remove(&agent);
        self.drop_filters_of_agent(agent);
    }

    fn activate_agent(&mut self, agent: AgentId) {
        self.agents.get_mut(&agent).into_iter().for_each(|agent| agent.activated = true);
    }

    fn deactivate_agent(&mut self, agent: AgentId) {
        self.agents.get_mut(&agent).into_iter().for_each(|agent| agent.activated = false);
    }

    fn add_framework(
        &mut self,
        framework: FrameworkId,
        info: AllocatorFramework,
        used: &[(AgentId, RoleId, Resources)],
        active: bool,
    ) {
        let roles = info.roles.clone();
        let suppressed: BTreeSet<RoleId> = info.suppressed_roles.iter().copied().collect();
        self.frameworks.insert(framework, Framework { info, active: true, suppressed: suppressed.clone() });
        for role in roles {
            self.track(framework, role);
            self.set_active(framework, role, !suppressed.contains(&role));
        }
        for (agent, role, _) in gathered(used.iter().cloned()) {
            if self.agents.contains_key(&agent) {
                self.count_one(framework, role);
            }
        }
        if active {
            self.ask_for_all();
        } else {
            self.deactivate_framework(framework);
        }
    }

    fn update_framework(&mut self, framework: FrameworkId, info: AllocatorFramework) {
        let Some(known) = self.frameworks.get_mut(&framework) else { return };
        let old_suppressed = known.suppressed.clone();
        let path = known.info.path.clone();
        let old_roles = std::mem::replace(&mut known.info, AllocatorFramework { path, ..info }).roles;
        let (new_roles, suppressed) = (known.info.roles.clone(), known.info.suppressed_roles.clone());
        for &role in new_roles.iter().filter(|role| !old_roles.contains(role)) {
            self.track(framework, role);
            self.set_active(framework, role, true);
        }
        for &role in old_roles.iter().filter(|role| !new_roles.contains(role)) {
            self.set_active(framework, role, false);
            self.untrack_if_idle(framework, role);
            self.filters.retain(|filter| (filter.framework, filter.role) != (framework, role));
            let known = self.frameworks.get_mut(&framework).expect("just seen");
            known.suppressed.remove(&role);
        }
        let to_suppress: Vec<RoleId> =
            suppressed.iter().copied().filter(|role| !old_suppressed.contains(role)).collect();
        self.suppress(framework, &to_suppress);
        let to_revive: Vec<RoleId> = old_suppressed
            .into_iter()
            .filter(|role| !suppressed.contains(role) && new_roles.contains(role))
            .collect();
        self.revive(framework, &to_revive);
    }

    fn remove_framework(&mut self, framework: FrameworkId) {
        if self.frameworks.remove(&framework).is_none() {
            return;
        }
        for agent in self.agents.values_mut() {
            agent.held.retain(|(holder, _), _| *holder != framework);
            agent.find_available();
        }
        let roles: Vec<RoleId> = self.framework_sorters.keys().copied().collect();
        for role in roles {
            self.untrack_if_idle(framework, role);
        }
        self.filters.retain(|filter| filter.framework != framework);
        self.inverse_filters.retain(|filter| filter.framework != framework);
    }

    fn activate_framework(&mut self, framework: FrameworkId) {
        let Some(known) = self.frameworks.get_mut(&framework) else { return };
        known.active = true;
        let roles = known.info.roles.clone();
        let suppressed = known.suppressed.clone();
        for role in roles.into_iter().filter(|role| !suppressed.contains(role)) {
            self.set_active(framework, role, true);
        }
        self.ask_for_all();
    }

    fn deactivate_framework(&mut self, framework: FrameworkId) {
        let Some(known) = self.frameworks.get_mut(&framework) else { return };
        known.active = false;
        for role in known.info.roles.clone() {
            self.set_active(framework, role, false);
        }
        self.filters.retain(|filter| filter.framework != framework);
        self.inverse_filters.retain(|filter| filter.framework != framework);
    }

    fn recover_resources(
        &mut self,
        now: Time,
        framework: FrameworkId,
        agent: AgentId,
        role: RoleId,
        resources: &Resources,
        filters: Option<Filters>,
        _allocated: bool,
    ) {
        let known = self.agents.get_mut(&agent);
        let (Some(known), true) = (known, self.frameworks.contains_key(&framework)) else { return };
        if resources.is_empty() {
            return;
        }
        let refused = resources.unallocate();
        known.take_back(framework, role, &refused);
        self.untrack_if_idle(framework, role);
        let interval = self.options.allocation_interval;
        if let Some(lasts) = filters.and_then(|filters| filters.timeout(interval)) {
            let (ends, outlasts_tick) = (now + lasts, lasts == interval);
            self.filters.push(OfferFilter { framework, role, agent, refused, ends, outlasts_tick });
        }
    }

    fn transition_offered_to_allocated(&mut self, _: AgentId, _: RoleId, _: &Resources) {
        // What is offered and what is allocated is the same to allocations; only a metric tells them apart.
    }

    fn suppress_offers(&mut self, framework: FrameworkId, roles: &[RoleId]) {
        if self.frameworks.contains_key(&framework) {
            self.suppress(framework, &self.roles_or_all(framework, roles));
        }
    }

    fn revive_offers(&mut self, framework: FrameworkId, roles: &[RoleId]) {
        if self.frameworks.contains_key(&framework) {
            self.revive(framework, &self.roles_or_all(framework, roles));
            self.ask_for_all();
        }
    }

    fn update_weights(&mut self, weights: &[(RoleId, f64)]) {
        for &(role, weight) in weights {
            self.role_sorter.update_weight(self.roles.name(role), weight);
        }
    }

    fn update_quota(&mut self, role: RoleId, quota: Quota) {
        let name = self.roles.name(role).to_owned();
        if quota.is_default() {
            self.quotas.remove(&name);
        } else {
            self.quotas.insert(name, quota);
        }
    }

    fn update_available(
        &mut self,
        agent: AgentId,
        operations: &[ResourceOperation],
    ) -> Result<(), OperationError> {
        let known = self.agents.get_mut(&agent).ok_or_else(|| OperationError("no such agent".to_owned()))?;
        let (mut available, mut total) = (known.available.clone(), known.info.total.clone());
        for operation in operations {
            available.apply(operation)?;
            total.apply(operation)?;
        }
        known.info.total = total;
        known.find_available();
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
        let Some(known) = self.agents.get_mut(&agent) else { return };
        let offered = offered.unallocate();
        let (mut updated, mut total) = (offered.clone(), known.info.total.clone());
        for conversion in conversions {
            let plain = ResourceConversion {
                consumed: conversion.consumed.unallocate(),
                converted: conversion.converted.unallocate(),
                gone: conversion.gone.as_ref().map(Resources::unallocate),
            };
            updated.convert(&plain).expect("what is offered can be converted");
            if !plain.consumed.is_empty() {
                total.convert(&plain).expect("what is offered is there");
            }
        }
        known.info.total = total;
        known.take_back(framework, role, &offered);
        if !updated.is_empty() {
            known.hand_out(framework, role, &updated);
        }
        self.untrack_if_idle(framework, role);
    }

    fn update_unavailability(&mut self, agent: AgentId, unavailability: Option<Unavailability>) {
        let Some(known) = self.agents.get_mut(&agent) else { return };
        known.maintenance = unavailability.map(Maintenance::new);
        self.inverse_filters.retain(|filter| filter.agent != agent);
        self.ask([agent]);
    }

    fn update_inverse_offer(
        &mut self,
        now: Time,
        framework: FrameworkId,
        agent: AgentId,
        _status: Option<InverseOfferStatus>,
        filters: Option<Filters>,
    ) {
        let maintenance = self.agents.get_mut(&agent).and_then(|agent| agent.maintenance.as_mut());
        let (Some(maintenance), true) = (maintenance, self.frameworks.contains_key(&framework)) else {
            return;
        };
        maintenance.outstanding.remove(&framework);
        if let Some(lasts) = filters.and_then(|filters| filters.timeout(Span::ZERO)) {
            self.inverse_filters.push(InverseFilter { framework, agent, ends: now + lasts });
        }
    }

    fn set_whitelist(&mut self, hostnames: Option<Vec<String>>) {
        self.whitelist = hostnames;
    }

    fn pause(&mut self) {
        self.paused = true;
    }

    fn resume(&mut self) {
        self.paused = false;
    }

    fn run_triggered(&mut self, now: Time, out: &mut Allocations) {
        if std::mem::take(&mut self.asked) && !self.paused {
            let candidates = std::mem::take(&mut self.candidates);
            self.allocate(now, false, &candidates, out);
        }
    }

    fn next_timeout(&self, now: Time) -> Option<Time> {
        let interval = self.options.allocation_interval.0;
        let not_before = now.0.div_ceil(interval.max(1));
        (interval > 0).then(|| Time(interval * not_before.max(self.ticks + 1)))
    }

    fn handle_timeout(&mut self, now: Time, out: &mut Allocations) {
        if self.next_timeout(now) != Some(now) {
            return;
        }
        self.ticks = now.0 / self.options.allocation_interval.0;
        self.ask_for_all();
        if std::mem::take(&mut self.asked) && !self.paused {
            let candidates = std::mem::take(&mut self.candidates);
            self.allocate(now, true, &candidates, out);
        }
    }

    fn dominant_share(&self, role: RoleId) -> Option<f64> {
        self.framework_sorters.get(&role)?;
        self.role_sorter.share(self.roles.name(role), &self.pool(), &self.held_of_roles())
    }

    fn filters_in_force(&self, role: RoleId, now: Time) -> usize {
        self.filters.iter().filter(|filter| filter.role == role && filter.ends > now).count()
    }

    fn cluster_quantities(&self) -> (ResourceQuantities, ResourceQuantities) {
        let (mut total, mut held) = (ResourceQuantities::EMPTY, ResourceQuantities::EMPTY);
        for agent in self.agents.values() {
            total += agent.info.total.quantities();
            let mut by_role: BTreeMap<RoleId, Vec<&Resources>> = BTreeMap::new();
            for ((_, role), resources) in &agent.held {
                by_role.entry(*role).or_default().push(resources);
            }
            for parts in by_role.into_values() {
                held += &books::quantities(parts.into_iter());
            }
        }
        (total, held)
    }
}

impl NaiveAllocator {
    /// Books what is in use, for frameworks that are known in the sorters, too.
    fn use_resources(&mut self, agent: AgentId, used: &[Held]) {
        for (framework, role, resources) in gathered(used.iter().cloned()) {
            self.agents.get_mut(&agent).expect("just added").hand_out(framework, role, &resources);
            if self.frameworks.contains_key(&framework) {
                self.count_one(framework, role);
            }
        }
    }
}
