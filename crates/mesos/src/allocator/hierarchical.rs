//! The hierarchical allocator: events change its state and mark agents as candidates; a run makes offers from them.
//!
//! Mesos visits every agent, role and framework in every periodic cycle. This one gives the same offers and visits only
//! agents on which something may have changed since the last visit: resources came free, or a filter ended. An agent that
//! was visited keeps only what everybody who may have it has refused, so a later visit without such a change finds nothing.
//! For the same reason a periodic allocation is asked for only when a candidate is waiting or a filter ends. A framework
//! that subscribes or revives may be given anything: then all agents with something free are visited, as in Mesos.

use smallvec::SmallVec;

use super::{
    filter::{Cause, Deadlines, Expiry, RoleFilters},
    order::VisitOrder,
    sorter::DrfSorter,
};
use crate::{
    capability::Capabilities,
    id::{AgentId, FrameworkId, Id, IdVec, RoleId},
    offer::{Filters, Offer},
    resource::{ResourceName, ResourceQuantities, Resources},
    time::{Span, Time},
};

/// The master's flags that concern the allocator.
#[derive(Clone, Debug)]
pub struct AllocatorOptions {
    /// Time between periodic allocations (`--allocation_interval`, 1 s).
    pub allocation_interval: Span,
    /// An offer must hold at least one of these; none: any offer will do (`--min_allocatable_resources`).
    pub min_allocatable_resources: Vec<ResourceQuantities>,
    /// Hide agents with GPUs from frameworks without `GPU_RESOURCES` (`--filter_gpu_resources`, true).
    pub filter_gpu_resources: bool,
    /// Names that do not count in shares (`--fair_sharing_excluded_resource_names`, none).
    pub fair_sharing_excluded: Vec<ResourceName>,
}

impl Default for AllocatorOptions {
    fn default() -> Self {
        Self {
            allocation_interval: Span::from_secs(1),
            min_allocatable_resources: crate::resource::parse_alternatives("cpus:0.01|mem:32")
                .expect("a constant"),
            filter_gpu_resources: true,
            fair_sharing_excluded: Vec::new(),
        }
    }
}

/// What a run gives: the resources of one agent for one framework under one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// To whom.
    pub framework: FrameworkId,
    /// Under which of its roles.
    pub role: RoleId,
    /// Where.
    pub agent: AgentId,
    /// What.
    pub resources: Resources,
}

/// How an agent's resources are divided at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentShares {
    /// All it has.
    pub total: Resources,
    /// What nobody holds.
    pub available: Resources,
    /// What frameworks hold, offered or allocated, by framework and role.
    pub held: Vec<(FrameworkId, RoleId, Resources)>,
}

/// What every allocation looks at, and no more, so that many agents fit the cache.
#[derive(Debug)]
struct Agent {
    available: Resources,
    /// Offered or allocated.
    held: SmallVec<[(FrameworkId, RoleId, Resources); 1]>,
    has_gpus: bool,
    /// Waiting for the next periodic run.
    waiting: bool,
}

#[derive(Debug)]
struct Framework {
    capabilities: Capabilities,
    roles: SmallVec<[FrameworkRole; 1]>,
}

#[derive(Debug)]
struct FrameworkRole {
    role: RoleId,
    suppressed: bool,
    /// Index into `filters`.
    filters: u32,
}

#[derive(Debug)]
struct Role {
    frameworks: DrfSorter<FrameworkId>,
}

/// The hierarchical allocator, as far as it is built.
pub struct HierarchicalAllocator {
    options: AllocatorOptions,
    order: Box<dyn VisitOrder>,
    agents: IdVec<AgentId, Agent>,
    agent_totals: IdVec<AgentId, Resources>,
    frameworks: IdVec<FrameworkId, Framework>,
    roles: IdVec<RoleId, Option<Role>>,
    role_sorter: DrfSorter<RoleId>,
    /// Weights of roles, also of those without frameworks.
    weights: IdVec<RoleId, f64>,
    total: ResourceQuantities,
    filters: Vec<(FrameworkId, RoleId, RoleFilters)>,
    deadlines: Deadlines,
    /// Agents for the next periodic run, and when that is due: the first tick after the first of them came to wait.
    waiting: Vec<AgentId>,
    owed: Time,
    /// Agents for the run that was asked for; `trigger_all` stands for all of them.
    triggered: Vec<AgentId>,
    trigger_all: bool,
    /// (framework, role) pairs that take part in the order.
    active_pairs: usize,
    /// The last periodic allocation that is behind us.
    last_tick: Time,
    triggered_runs: u64,
    visits: Vec<AgentId>,
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
        assert!(options.allocation_interval > Span::ZERO, "the allocation interval is zero");
        Self {
            role_sorter: DrfSorter::new(&options.fair_sharing_excluded),
            options,
            order,
            agents: IdVec::new(),
            agent_totals: IdVec::new(),
            frameworks: IdVec::new(),
            roles: IdVec::new(),
            weights: IdVec::new(),
            total: ResourceQuantities::EMPTY,
            filters: Vec::new(),
            deadlines: Deadlines::default(),
            waiting: Vec::new(),
            owed: Time::ZERO,
            triggered: Vec::new(),
            trigger_all: false,
            active_pairs: 0,
            last_tick: Time::ZERO,
            triggered_runs: 0,
            visits: Vec::new(),
        }
    }

    /// A new agent with all its resources free. Sets off an allocation of this agent (`addSlave`).
    pub fn add_agent(&mut self, total: Resources) -> AgentId {
        self.total += total.quantities();
        self.role_sorter.add_total(total.quantities());
        for (_, role) in self.roles.iter_mut() {
            if let Some(role) = role {
                role.frameworks.add_total(total.quantities());
            }
        }
        let has_gpus = total.get(ResourceName::Gpus).0 > 0;
        let available = total.clone();
        let id = self.agents.push(Agent { available, held: SmallVec::new(), has_gpus, waiting: false });
        self.agent_totals.push(total);
        self.triggered.push(id);
        id
    }

    /// A new, active framework. Sets off an allocation of all agents (`addFramework`).
    pub fn add_framework(&mut self, roles: &[(RoleId, &str)], capabilities: Capabilities) -> FrameworkId {
        let id = FrameworkId::new(self.frameworks.len());
        let mut of_framework = SmallVec::new();
        for &(role, name) in roles {
            self.role_with_sorter(role, name).frameworks.add(id, &framework_path(id), 1.0);
            self.activate(id, role);
            of_framework.push(FrameworkRole { role, suppressed: false, filters: self.filters.len() as u32 });
            self.filters.push((id, role, RoleFilters::default()));
        }
        self.frameworks.push(Framework { capabilities, roles: of_framework });
        self.trigger_all = true;
        id
    }

    /// The weight of a role from now on; heeded at the next run, which it does not set off (`updateWeights`).
    pub fn update_weight(&mut self, role: RoleId, weight: f64) {
        *self.weights.grow_to(role, || 1.0) = weight;
        if self.role_sorter.contains(role) {
            self.role_sorter.update_weight(role, weight);
        }
    }

    /// Resources come back from a framework, offered or allocated; with `filters` they are refused. Sets off nothing:
    /// they wait for the next periodic allocation (`recoverResources`).
    pub fn recover_resources(
        &mut self,
        now: Time,
        framework: FrameworkId,
        role: RoleId,
        agent: AgentId,
        resources: &Resources,
        filters: Option<Filters>,
    ) {
        if resources.is_empty() {
            return;
        }
        let filter = filters.and_then(|filters| self.new_filter(now, framework, role, filters));
        self.recover_on(now, framework, role, agent, resources, filter);
        self.unbook(framework, role, resources.quantities());
    }

    /// Offers of one framework are refused (`recoverResources` of each).
    pub fn recover_declined(
        &mut self,
        now: Time,
        framework: FrameworkId,
        offers: &[Offer],
        filters: Filters,
    ) {
        for of_role in offers.chunk_by(|a, b| a.role == b.role) {
            let role = of_role[0].role;
            let filter = self.new_filter(now, framework, role, filters);
            let mut sum = ResourceQuantities::EMPTY;
            for offer in of_role {
                self.recover_on(now, framework, role, offer.agent, &offer.resources, filter);
                sum += offer.resources.quantities();
            }
            self.unbook(framework, role, &sum);
        }
    }

    /// The framework wants no offers for now, under any of its roles. Filters stay (`suppressOffers`).
    pub fn suppress_offers(&mut self, framework: FrameworkId) {
        for place in 0..self.frameworks[framework].roles.len() {
            let of_role = &mut self.frameworks[framework].roles[place];
            if !std::mem::replace(&mut of_role.suppressed, true) {
                let role = of_role.role;
                self.deactivate(framework, role);
            }
        }
    }

    /// The framework wants offers again: its filters and suppression are forgotten. Sets off an allocation of all agents
    /// (`reviveOffers`).
    pub fn revive_offers(&mut self, framework: FrameworkId) {
        for place in 0..self.frameworks[framework].roles.len() {
            let of_role = &mut self.frameworks[framework].roles[place];
            let (role, filters) = (of_role.role, of_role.filters as usize);
            if std::mem::replace(&mut of_role.suppressed, false) {
                self.activate(framework, role);
            }
            self.filters[filters].2.clear();
        }
        self.forget_stale_deadlines();
        self.trigger_all = true;
    }

    /// When [`handle_timeout`](Self::handle_timeout) next has something to do.
    #[must_use]
    pub fn next_timeout(&self, now: Time) -> Option<Time> {
        if self.active_pairs == 0 {
            return None;
        }
        let waiting = (!self.waiting.is_empty()).then_some(self.owed);
        let is_open = |at: Time| at >= now && at > self.last_tick;
        let next = |at| if is_open(at) { at } else { self.tick_after(now) };
        [waiting, self.deadlines.next()].into_iter().flatten().map(next).min()
    }

    /// Runs the periodic allocation if one is due now and could give something.
    pub fn handle_timeout(&mut self, now: Time, given: &mut Vec<Allocation>) {
        if now <= self.last_tick || !now.0.is_multiple_of(self.options.allocation_interval.0) {
            return;
        }
        self.last_tick = now;
        while let Some(due) = self.deadlines.pop_due(now) {
            for agent in self.filters[due.owner as usize].2.expire(&due) {
                let on = &mut self.agents[agent];
                if !on.waiting {
                    on.waiting = true;
                    self.waiting.push(agent);
                }
            }
        }
        self.forget_stale_deadlines();
        let mut visits = std::mem::take(&mut self.waiting);
        visits.sort_unstable();
        self.allocate(now, Cause::Tick, &mut visits, given);
        visits.clear();
        self.waiting = visits;
    }

    /// Runs the allocation that the calls since the last one have set off, if any did. Mesos, too, gathers them into one.
    pub fn run_triggered(&mut self, now: Time, given: &mut Vec<Allocation>) {
        let all = std::mem::take(&mut self.trigger_all);
        if !all && self.triggered.is_empty() {
            return;
        }
        self.triggered_runs += 1;
        let mut visits = std::mem::take(&mut self.visits);
        if all {
            self.triggered.clear();
            visits.extend(self.agents.ids());
        } else {
            visits.append(&mut self.triggered);
            visits.sort_unstable();
            visits.dedup();
        }
        self.allocate(now, Cause::Trigger, &mut visits, given);
        visits.clear();
        self.visits = visits;
    }

    /// Whether a framework with these capabilities would ever be offered an agent of this shape, if it were empty.
    #[must_use]
    pub fn would_offer(&self, total: &Resources, capabilities: Capabilities) -> bool {
        let has_gpus = total.get(ResourceName::Gpus).0 > 0;
        self.is_allocatable(total) && !self.is_hidden(has_gpus, capabilities)
    }

    /// How an agent's resources are divided now.
    #[must_use]
    pub fn agent_shares(&self, agent: AgentId) -> AgentShares {
        let on = &self.agents[agent];
        AgentShares {
            total: self.agent_totals[agent].clone(),
            available: on.available.clone(),
            held: on.held.to_vec(),
        }
    }

    /// What an agent has, used or not.
    #[must_use]
    pub fn agent_total(&self, agent: AgentId) -> &Resources {
        &self.agent_totals[agent]
    }

    /// All resources of all agents.
    #[must_use]
    pub fn total(&self) -> &ResourceQuantities {
        &self.total
    }

    /// What frameworks hold under a role, offered or allocated.
    #[must_use]
    pub fn offered_or_allocated(&self, role: RoleId) -> ResourceQuantities {
        if self.role_sorter.contains(role) {
            *self.role_sorter.allocation(role)
        } else {
            ResourceQuantities::EMPTY
        }
    }

    /// The role's dominant share, divided by its weight; `None` if it has no framework.
    #[must_use]
    pub fn dominant_share(&self, role: RoleId) -> Option<f64> {
        self.role_sorter.contains(role).then(|| self.role_sorter.dominant_share(role))
    }

    /// How many offer filters are in force under a role.
    #[must_use]
    pub fn filters_in_force(&self, role: RoleId, now: Time) -> usize {
        self.filters
            .iter()
            .filter(|(_, of, _)| *of == role)
            .map(|(_, _, filters)| filters.in_force(now))
            .sum()
    }

    /// How many allocations Mesos would have run by `now`: every periodic one, whether it could give something or not, and
    /// those that calls have set off.
    #[must_use]
    pub fn allocation_runs(&self, now: Time) -> u64 {
        now.0 / self.options.allocation_interval.0 + self.triggered_runs
    }

    fn role_mut(&mut self, role: RoleId) -> &mut Role {
        self.roles[role].as_mut().expect("a role with frameworks")
    }

    fn role_with_sorter(&mut self, role: RoleId, name: &str) -> &mut Role {
        let weight = *self.weights.grow_to(role, || 1.0);
        self.roles.grow_to(role, || None);
        if self.roles[role].is_none() {
            let mut frameworks = DrfSorter::new(&self.options.fair_sharing_excluded);
            frameworks.add_total(&self.total);
            self.roles[role] = Some(Role { frameworks });
            self.role_sorter.add(role, name, weight);
        }
        self.role_mut(role)
    }

    /// Roles without an active framework stay out of the order: in Mesos they have a place in it and take nothing.
    fn activate(&mut self, framework: FrameworkId, role: RoleId) {
        self.active_pairs += 1;
        self.role_mut(role).frameworks.activate(framework);
        self.role_sorter.activate(role);
    }

    fn deactivate(&mut self, framework: FrameworkId, role: RoleId) {
        self.active_pairs -= 1;
        let frameworks = &mut self.role_mut(role).frameworks;
        frameworks.deactivate(framework);
        if frameworks.active() == 0 {
            self.role_sorter.deactivate(role);
        }
    }

    /// The first periodic allocation after `now`. One at `now` was set up an interval ago and comes before whatever else
    /// happens now.
    fn tick_after(&self, now: Time) -> Time {
        let interval = self.options.allocation_interval.0;
        Time((now.0 / interval + 1) * interval)
    }

    /// Where filters of the framework under the role are kept, and when one made now ends; `None` for no filter.
    fn new_filter(
        &self,
        now: Time,
        framework: FrameworkId,
        role: RoleId,
        filters: Filters,
    ) -> Option<(u32, Expiry)> {
        let interval = self.options.allocation_interval;
        let timeout = filters.timeout(interval)?;
        let at = now + timeout;
        let outlasts_tick = timeout == interval;
        let mut visible_at = Time(at.0.next_multiple_of(interval.0));
        if outlasts_tick && visible_at == at {
            visible_at = visible_at + interval;
        }
        Some((self.filters_of(framework, role), Expiry { at, outlasts_tick, visible_at }))
    }

    fn recover_on(
        &mut self,
        now: Time,
        framework: FrameworkId,
        role: RoleId,
        agent: AgentId,
        resources: &Resources,
        filter: Option<(u32, Expiry)>,
    ) {
        let on = &mut self.agents[agent];
        let place = on.held.iter().position(|(f, r, _)| *f == framework && *r == role);
        let place = place
            .unwrap_or_else(|| panic!("{framework:?} gives back {resources:?} of {agent:?}, holds none"));
        let held = &mut on.held[place].2;
        if held == resources {
            on.held.swap_remove(place);
        } else {
            assert!(
                held.contains(resources),
                "{framework:?} gives back {resources:?} of {agent:?}, holds {held:?}"
            );
            *held -= resources;
        }
        on.available += resources;
        if !on.waiting {
            on.waiting = true;
            if self.waiting.is_empty() {
                self.owed = self.tick_after(now);
            }
            self.waiting.push(agent);
        }
        if let Some((owner, expiry)) = filter {
            self.filters[owner as usize].2.add(
                now,
                agent,
                resources.clone(),
                expiry,
                owner,
                &mut self.deadlines,
            );
        }
    }

    fn unbook(&mut self, framework: FrameworkId, role: RoleId, quantities: &ResourceQuantities) {
        self.role_sorter.unallocated(role, quantities);
        self.role_mut(role).frameworks.unallocated(framework, quantities);
    }

    fn filters_of(&self, framework: FrameworkId, role: RoleId) -> u32 {
        let roles = &self.frameworks[framework].roles;
        roles.iter().find(|of| of.role == role).expect("a role of the framework").filters
    }

    fn forget_stale_deadlines(&mut self) {
        let filters = &self.filters;
        self.deadlines.forget_stale(|due| filters[due.owner as usize].2.is_live(due));
    }

    /// Offers what the agents have to whoever is first in line and may have it (`__allocate`, second stage).
    fn allocate(&mut self, now: Time, cause: Cause, agents: &mut Vec<AgentId>, given: &mut Vec<Allocation>) {
        if cause == Cause::Tick {
            for &agent in &*agents {
                self.agents[agent].waiting = false;
            }
        }
        if self.active_pairs == 0 {
            return;
        }
        agents.retain(|&agent| self.is_allocatable(&self.agents[agent].available));
        self.order.arrange(agents);
        if self.active_pairs == 1 {
            return self.allocate_to_the_only_one(now, cause, agents, given);
        }
        for &agent in &*agents {
            self.allocate_agent(now, cause, agent, given);
        }
    }

    /// With one framework under one role there is nobody to be fair to: shares are booked once, at the end.
    fn allocate_to_the_only_one(
        &mut self,
        now: Time,
        cause: Cause,
        agents: &[AgentId],
        given: &mut Vec<Allocation>,
    ) {
        self.role_sorter.sort();
        let role = self.role_sorter.nth(0);
        self.role_mut(role).frameworks.sort();
        let framework = self.role_mut(role).frameworks.nth(0);
        let (mut sum, before) = (ResourceQuantities::EMPTY, given.len());
        for &agent in agents {
            if self.may_have(now, cause, framework, role, agent) {
                let allocation = self.give(framework, role, agent);
                sum += allocation.resources.quantities();
                given.push(allocation);
            }
        }
        self.book(framework, role, &sum, (given.len() - before) as u64);
    }

    fn allocate_agent(&mut self, now: Time, cause: Cause, agent: AgentId, given: &mut Vec<Allocation>) {
        for nth_role in 0..self.role_sorter.sort() {
            let role = self.role_sorter.nth(nth_role);
            for nth in 0..self.role_mut(role).frameworks.sort() {
                let framework = self.role_mut(role).frameworks.nth(nth);
                if self.may_have(now, cause, framework, role, agent) {
                    // Everything free goes to the first in line: nothing is left for the others on this agent.
                    let allocation = self.give(framework, role, agent);
                    self.book(framework, role, allocation.resources.quantities(), 1);
                    return given.push(allocation);
                }
            }
        }
    }

    fn may_have(
        &self,
        now: Time,
        cause: Cause,
        framework: FrameworkId,
        role: RoleId,
        agent: AgentId,
    ) -> bool {
        let on = &self.agents[agent];
        let filters = &self.filters[self.filters_of(framework, role) as usize].2;
        !self.is_hidden(on.has_gpus, self.frameworks[framework].capabilities)
            && !filters.refuse(agent, &on.available, now, cause)
    }

    /// The GPU filter: it hides the whole agent, cpus included.
    fn is_hidden(&self, has_gpus: bool, capabilities: Capabilities) -> bool {
        self.options.filter_gpu_resources && has_gpus && !capabilities.has(Capabilities::GPU_RESOURCES)
    }

    /// Whether an offer of these would be large enough for anybody (`allocatable`).
    fn is_allocatable(&self, resources: &Resources) -> bool {
        let minima = &self.options.min_allocatable_resources;
        !resources.is_empty()
            && (minima.is_empty() || minima.iter().any(|least| resources.quantities().contains(least)))
    }

    fn give(&mut self, framework: FrameworkId, role: RoleId, agent: AgentId) -> Allocation {
        let on = &mut self.agents[agent];
        let resources = std::mem::take(&mut on.available);
        match on.held.iter_mut().find(|(f, r, _)| *f == framework && *r == role) {
            Some((_, _, held)) => *held += &resources,
            None => on.held.push((framework, role, resources.clone())),
        }
        Allocation { framework, role, agent, resources }
    }

    fn book(
        &mut self,
        framework: FrameworkId,
        role: RoleId,
        quantities: &ResourceQuantities,
        allocations: u64,
    ) {
        if allocations > 0 {
            self.role_sorter.allocated(role, quantities, allocations);
            self.role_mut(role).frameworks.allocated(framework, quantities, allocations);
        }
    }
}

/// By what frameworks are ordered when all else is equal: their ids as text, as Mesos numbers them.
fn framework_path(id: FrameworkId) -> String {
    format!("{:04}", id.index())
}
