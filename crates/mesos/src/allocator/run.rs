//! One allocation: guarantees first, then everything else, then inverse offers (`__generateOffers`).

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::{
    Allocation, Allocations, HierarchicalAllocator, agents::Agent, candidates::Visit, filter::Cause,
    frameworks::FrameworkRole,
};
use crate::{
    capability::{AgentCapabilities, Capabilities},
    id::{AgentId, FrameworkId, RoleId},
    resource::{Resource, ResourceQuantities, Resources},
    time::Time,
};

/// What is known of the allocation that runs.
struct Run {
    now: Time,
    cause: Cause,
    /// What counts against quota, for roles that have one.
    consumed: SmallVec<[(RoleId, ResourceQuantities); 4]>,
    /// What must stay free for guarantees that are not met yet, over the whole cluster.
    required: ResourceQuantities,
    /// What is free of unreserved, non-revocable resources, over the whole cluster.
    headroom: ResourceQuantities,
    /// What the first stage gave, and where it stands in the answer.
    guaranteed: FxHashMap<(FrameworkId, RoleId, AgentId), usize>,
}

impl Run {
    fn consumed(&self, role: RoleId) -> Option<&ResourceQuantities> {
        self.consumed.iter().find(|(of, _)| *of == role).map(|(_, quantities)| quantities)
    }

    fn consume(&mut self, role: RoleId, quantities: &ResourceQuantities) {
        if let Some((_, consumed)) = self.consumed.iter_mut().find(|(of, _)| *of == role) {
            *consumed += quantities;
        }
    }

    /// What may still be given without eating what guarantees need.
    fn surplus(&self) -> ResourceQuantities {
        let mut surplus = self.headroom.clone();
        surplus -= &self.required;
        surplus
    }
}

/// What the first stage would give.
struct Guaranteed {
    offer: Resources,
    /// The part of it that meets guarantees.
    met: ResourceQuantities,
    /// That part and what else counts against quota.
    counted: ResourceQuantities,
}

impl HierarchicalAllocator {
    /// Visits agents and answers what they give.
    pub(super) fn allocate(&mut self, now: Time, cause: Cause, visit: Visit, out: &mut Allocations) {
        let before = out.offers.len();
        let mut agents = match visit {
            Visit::Nobody => std::mem::take(&mut self.visits),
            Visit::Some(agents) => agents,
            Visit::All => {
                let mut agents = std::mem::take(&mut self.visits);
                agents.extend(self.agents.iter().filter(|(_, agent)| agent.is_some()).map(|(id, _)| id));
                agents
            }
        };
        let inverse_candidates: SmallVec<[AgentId; 4]> = self.inverse_candidates(cause, &agents);
        self.keep_eligible(&mut agents);
        if !agents.is_empty() && self.active_pairs > 0 {
            self.offer(now, cause, &mut agents, out);
        }
        self.offer_inversely(now, &inverse_candidates, out);
        self.note_what_remains(&out.offers[before..]);
        agents.clear();
        self.visits = agents;
        self.candidates.settle(now);
    }

    /// Known, active, on the whitelist, and with something free that is large enough for anybody.
    fn keep_eligible(&mut self, agents: &mut Vec<AgentId>) {
        let mut any = false;
        agents.retain(|&id| {
            let Some(agent) = self.agents.get(id).and_then(Option::as_ref) else { return false };
            let is_eligible = agent.is_active && agent.is_whitelisted;
            any |= is_eligible;
            is_eligible
                && !agent.available.is_empty()
                && (self.own_minima > 0 || self.is_large_enough(&agent.available, None))
        });
        if any {
            self.settle_weights();
        }
    }

    fn offer(&mut self, now: Time, cause: Cause, agents: &mut [AgentId], out: &mut Allocations) {
        let mut run = Run {
            now,
            cause,
            consumed: SmallVec::new(),
            required: ResourceQuantities::EMPTY,
            headroom: ResourceQuantities::EMPTY,
            guaranteed: FxHashMap::default(),
        };
        if !self.quota_roles.is_empty() {
            self.weigh_quota(&mut run);
            if !run.required.is_empty() {
                self.order.arrange(agents);
                for &agent in &*agents {
                    self.meet_guarantees(&mut run, agent, out);
                }
            }
        }
        self.order.arrange(agents);
        if self.active_pairs == 1 && self.quota_roles.is_empty() {
            return self.offer_to_the_only_one(&mut run, agents, out);
        }
        for &agent in &*agents {
            self.offer_agent(&mut run, agent, out);
        }
    }

    /// Consumed quota, and the headroom that guarantees need and that there is.
    fn weigh_quota(&self, run: &mut Run) {
        for &role in &self.quota_roles {
            let consumed = self.tree.offered_or_consumed(role);
            let mut missing = self.tree.quota(role).guarantees.clone();
            missing -= &consumed;
            run.required += &missing;
            run.consumed.push((role, consumed));
        }
        if run.required.is_empty() {
            return;
        }
        run.headroom = self.total.clone();
        run.headroom -= self.role_sorter.total_allocation();
        run.headroom -= &self.tree.free_reservations();
        for &agent in &self.complex_agents {
            run.headroom -= self.agent(agent).available.revocable().quantities();
        }
    }

    /// First stage, one agent: roles below their guarantee get what they lack.
    fn meet_guarantees(&mut self, run: &mut Run, agent: AgentId, out: &mut Allocations) {
        if self.agent(agent).available.is_empty() {
            return;
        }
        self.role_sorter.sort();
        let mut place = 0;
        while let Some(role) = self.role_sorter.nth(place) {
            place += 1;
            if self.agent(agent).available.is_empty() {
                return;
            }
            let Some(consumed) = run.consumed(role) else { continue };
            let mut missing = self.tree.quota(role).guarantees.clone();
            missing -= consumed;
            if !missing.is_empty() && self.active_frameworks(role) > 0 {
                self.meet_guarantee(run, agent, role, missing, out);
            }
        }
    }

    fn meet_guarantee(
        &mut self,
        run: &mut Run,
        agent: AgentId,
        role: RoleId,
        mut missing: ResourceQuantities,
        out: &mut Allocations,
    ) {
        self.sorter_mut(role).sort();
        let mut place = 0;
        while let Some(framework) = self.sorter_mut(role).nth(place) {
            place += 1;
            if missing.is_empty() {
                return;
            }
            let Some(given) = self.guaranteed_offer(run, agent, role, framework, &missing) else { continue };
            missing -= &given.counted;
            run.consume(role, &given.counted);
            run.required -= &given.met;
            run.headroom -= &given.counted;
            run.guaranteed.insert((framework, role, agent), out.offers.len());
            let allocation = self.give(framework, role, agent, given.offer);
            out.offers.push(allocation);
        }
    }

    fn guaranteed_offer(
        &self,
        run: &Run,
        agent: AgentId,
        role: RoleId,
        framework: FrameworkId,
        missing: &ResourceQuantities,
    ) -> Option<Guaranteed> {
        let free = self.free_for(agent, role, framework)?;
        let name = self.tree.names().name(role);
        let divisible = free.filter(is_divisible);
        let met = missing.shrink(divisible.clone());
        if met.is_empty() {
            return None;
        }
        let mut offer = free.filter(|entry| {
            !entry.is_scalar()
                || entry.is_revocable()
                || entry.reservation_role().is_some_and(|reserved| **reserved == *name)
        });
        let mut more = divisible;
        more -= &met;
        let limits = &self.tree.quota(role).limits;
        if !limits.is_empty() {
            let mut consumed = run.consumed(role).cloned().unwrap_or_default();
            consumed += met.quantities();
            more = limits.minus(&consumed).shrink(more);
        }
        if !run.required.is_empty() && !more.is_empty() {
            more = run.surplus().shrink(more);
        }
        let mut counted = met.quantities().clone();
        counted += more.quantities();
        let met_quantities = met.quantities().clone();
        offer += &met;
        offer += &more;
        let is_fit = self.is_offerable(run, agent, role, framework, &offer);
        is_fit.then_some(Guaranteed { offer, met: met_quantities, counted })
    }

    /// Second stage, one agent: whoever is first in line gets all it may have.
    fn offer_agent(&mut self, run: &mut Run, agent: AgentId, out: &mut Allocations) {
        self.role_sorter.sort();
        let mut place = 0;
        while let Some(role) = self.role_sorter.nth(place) {
            place += 1;
            if self.agent(agent).available.is_empty() {
                return;
            }
            if self.active_frameworks(role) == 0 {
                continue;
            }
            let is_free = run.required.is_empty() && self.tree.quota(role).is_default();
            if is_free && self.agent(agent).is_simple {
                self.offer_all_to_one_of(run, agent, role, out);
            } else {
                self.offer_to_role(run, agent, role, out);
            }
        }
    }

    /// Nothing here is reserved, nothing held back: everything free goes to the first that may have it.
    fn offer_all_to_one_of(&mut self, run: &mut Run, agent: AgentId, role: RoleId, out: &mut Allocations) {
        let may_be_a_rest = !run.consumed.is_empty(); // of what roles with quota took in this allocation
        if may_be_a_rest && self.own_minima == 0 && !self.is_large_enough(&self.agent(agent).available, None)
        {
            return;
        }
        self.sorter_mut(role).sort();
        let mut place = 0;
        while let Some(framework) = self.sorter_mut(role).nth(place) {
            place += 1;
            if self.may_have_all(run, agent, role, framework) {
                let resources = self.give_all(framework, role, agent);
                self.book_simple(framework, role, resources.quantities(), 1);
                return self.answer(run, Allocation { framework, role, agent, resources }, out);
            }
        }
    }

    fn offer_to_role(&mut self, run: &mut Run, agent: AgentId, role: RoleId, out: &mut Allocations) {
        self.sorter_mut(role).sort();
        let mut place = 0;
        while let Some(framework) = self.sorter_mut(role).nth(place) {
            place += 1;
            let Some((offer, counted)) = self.second_offer(run, agent, role, framework) else { continue };
            run.consume(role, &counted);
            run.headroom -= &counted;
            let allocation = self.give(framework, role, agent, offer);
            self.answer(run, allocation, out);
        }
    }

    /// What the framework may have in the second stage, and how much of it counts against quota.
    fn second_offer(
        &self,
        run: &Run,
        agent: AgentId,
        role: RoleId,
        framework: FrameworkId,
    ) -> Option<(Resources, ResourceQuantities)> {
        let free = self.free_for(agent, role, framework)?;
        let mut offer = free.filter(|entry| !is_divisible(entry));
        let mut divisible = free.filter(is_divisible);
        let limits = &self.tree.quota(role).limits;
        if !limits.is_empty() {
            let left = match run.consumed(role) {
                Some(consumed) => limits.minus(consumed),
                None => limits.clone(),
            };
            divisible = left.shrink(divisible);
        }
        if !run.required.is_empty() && !divisible.is_empty() {
            divisible = run.surplus().shrink(divisible);
        }
        offer += &divisible;
        let is_fit = self.is_offerable(run, agent, role, framework, &offer);
        is_fit.then(|| (offer, divisible.quantities().clone()))
    }

    /// With one framework under one role there is nobody to be fair to: what is given is booked at the end, once.
    fn offer_to_the_only_one(&mut self, run: &mut Run, agents: &[AgentId], out: &mut Allocations) {
        let Some((role, framework)) = self.the_only_one() else { return };
        let (mut sum, mut times, mut agents_more) = (ResourceQuantities::EMPTY, 0, 0);
        for &agent in agents {
            if !self.agent(agent).is_simple {
                self.offer_to_role(run, agent, role, out);
            } else if self.may_have_all(run, agent, role, framework) {
                let (resources, is_new) = self.agent_mut(agent).give_all(framework, role);
                sum += resources.quantities();
                times += 1;
                agents_more += u32::from(is_new);
                out.offers.push(Allocation { framework, role, agent, resources });
            }
        }
        if times > 0 {
            self.holds_on_more(framework, role, agents_more);
            self.book_simple(framework, role, &sum, times);
        }
    }

    fn the_only_one(&mut self) -> Option<(RoleId, FrameworkId)> {
        self.role_sorter.sort();
        let mut place = 0;
        while let Some(role) = self.role_sorter.nth(place) {
            place += 1;
            if self.active_frameworks(role) > 0 {
                self.sorter_mut(role).sort();
                let framework = self.sorter_mut(role).nth(0);
                return framework.map(|framework| (role, framework));
            }
        }
        None
    }

    /// What is free on the agent for the framework under the role, without what it cannot deal with (`allocatableTo`,
    /// `stripIncapableResources`); `None` if that cannot be offered.
    fn free_for(&self, agent: AgentId, role: RoleId, framework: FrameworkId) -> Option<Resources> {
        let (on, of) = (self.agent(agent), self.framework(framework));
        let (capabilities, of_role) = (of.capabilities, of.role(role)?);
        if is_excluded(on, of_role) {
            return None;
        }
        let free = if on.is_simple {
            on.available.clone()
        } else {
            on.available.allocatable_to(self.tree.names().name(role))
        };
        let is_enough = self.is_large_enough(&free, of_role.min_allocatable.as_deref());
        if !is_enough || !self.may_see(on, capabilities) {
            return None;
        }
        if on.is_simple {
            return Some(free);
        }
        let has = |capability| capabilities.has(capability);
        Some(free.filter(|entry| {
            (!entry.is_shared() || has(Capabilities::SHARED_RESOURCES))
                && (!entry.is_revocable() || has(Capabilities::REVOCABLE_RESOURCES))
                && (!entry.is_refined() || has(Capabilities::RESERVATION_REFINEMENT))
        }))
    }

    /// Whether everything free on the agent may go to the framework. That it is enough for those who did not say what they
    /// want was asked before the visit.
    #[inline]
    fn may_have_all(&self, run: &Run, agent: AgentId, role: RoleId, framework: FrameworkId) -> bool {
        let on = self.agent(agent);
        let of = self.framework(framework);
        self.may_see(on, of.capabilities)
            && of.role(role).is_some_and(|of_role| {
                !is_excluded(on, of_role)
                    && (self.own_minima == 0
                        || self.is_large_enough(&on.available, of_role.min_allocatable.as_deref()))
                    && !self.is_filtered(run, (agent, on), of.capabilities, of_role, &on.available)
            })
    }

    fn is_offerable(
        &self,
        run: &Run,
        agent: AgentId,
        role: RoleId,
        framework: FrameworkId,
        offer: &Resources,
    ) -> bool {
        let (on, of) = (self.agent(agent), self.framework(framework));
        of.role(role).is_some_and(|of_role| {
            self.is_large_enough(offer, of_role.min_allocatable.as_deref())
                && !self.is_filtered(run, (agent, on), of.capabilities, of_role, offer)
        })
    }

    /// Large enough an offer, for everybody or for a role of a framework that said what it wants (`allocatable`).
    #[inline]
    pub(super) fn is_large_enough(&self, resources: &Resources, own: Option<&[ResourceQuantities]>) -> bool {
        let minima = own.unwrap_or(&self.options.min_allocatable_resources);
        !resources.is_empty()
            && (minima.is_empty() || minima.iter().any(|least| resources.contains_quantities(least)))
    }

    /// GPUs and regions (`isCapableOfReceivingAgent`). The GPU filter hides the whole agent, cpus included.
    #[inline]
    fn may_see(&self, on: &Agent, capabilities: Capabilities) -> bool {
        !self.hides_gpus(on.has_gpus, capabilities)
            && (!on.is_remote || capabilities.has(Capabilities::REGION_AWARE))
    }

    /// What the agent's capabilities and the framework's filters refuse (`isFiltered`).
    #[inline]
    fn is_filtered(
        &self,
        run: &Run,
        (agent, on): (AgentId, &Agent),
        capabilities: Capabilities,
        of_role: &FrameworkRole,
        offer: &Resources,
    ) -> bool {
        if !on.capabilities.has(AgentCapabilities::MULTI_ROLE.and(AgentCapabilities::HIERARCHICAL_ROLE)) {
            let lacks = |capability| !on.capabilities.has(capability);
            if (capabilities.has(Capabilities::MULTI_ROLE) && lacks(AgentCapabilities::MULTI_ROLE))
                || (self.tree.is_nested(of_role.role) && lacks(AgentCapabilities::HIERARCHICAL_ROLE))
            {
                return true;
            }
        }
        self.filters.of[of_role.filters as usize].filters.refuse(agent, offer, run.now, run.cause)
    }

    /// Hands resources out and books them.
    fn give(
        &mut self,
        framework: FrameworkId,
        role: RoleId,
        agent: AgentId,
        resources: Resources,
    ) -> Allocation {
        let is_new = self.agent_mut(agent).give(framework, role, &resources);
        if is_new {
            self.holds_on_more(framework, role, 1);
        }
        self.book(framework, role, agent, &resources);
        Allocation { framework, role, agent, resources }
    }

    fn give_all(&mut self, framework: FrameworkId, role: RoleId, agent: AgentId) -> Resources {
        let (resources, is_new) = self.agent_mut(agent).give_all(framework, role);
        if is_new {
            self.holds_on_more(framework, role, 1);
        }
        resources
    }

    /// What both stages give to one framework under one role from one agent is one offer.
    fn answer(&mut self, run: &Run, allocation: Allocation, out: &mut Allocations) {
        let key = (allocation.framework, allocation.role, allocation.agent);
        match run.guaranteed.get(&key) {
            Some(&place) => out.offers[place].resources += &allocation.resources,
            None => out.offers.push(allocation),
        }
    }

    /// After an allocation: shared volumes may be offered again, and with quota what was given may have changed what others
    /// may have.
    fn note_what_remains(&mut self, given: &[Allocation]) {
        if given.is_empty() {
            return;
        }
        if !self.quota_roles.is_empty() {
            self.candidates.all_wait();
        }
        if !self.complex_agents.is_empty() {
            for allocation in given {
                if self.agent(allocation.agent).has_shared {
                    self.candidates.wait(allocation.agent);
                }
            }
        }
    }
}

/// Whether the framework has said that it does not want the agent under the role.
#[inline]
pub(super) fn is_excluded(on: &Agent, of_role: &FrameworkRole) -> bool {
    of_role.constraints.as_ref().is_some_and(|constraints| {
        constraints.exclude(&on.detail.hostname, &on.detail.attributes, on.detail.domain.as_ref())
    })
}

/// What counts against quota limits and headroom, and may be cut down to them.
fn is_divisible(entry: &Resource) -> bool {
    entry.is_scalar() && !entry.is_reserved() && !entry.is_revocable()
}
