//! One allocation: every agent, every role, every framework, in two stages (`__generateOffers`).

use std::collections::{BTreeMap, BTreeSet};

use mesos::{
    allocator::{Allocation, Allocations, InverseOffer},
    capability::{AgentCapabilities, Capabilities},
    id::{AgentId, FrameworkId, RoleId},
    resource::{Resource, ResourceQuantities, Resources, Value},
    time::Time,
};

use super::{NaiveAllocator, sorter::Pool};

/// What an allocation counts while it goes on.
pub(crate) struct Run {
    pub(crate) now: Time,
    /// Whether it is the periodic one.
    pub(crate) periodic: bool,
    pool: Pool,
    /// Per role of the top level with a quota.
    consumed: BTreeMap<String, ResourceQuantities>,
    /// What unmet guarantees still need.
    pub(crate) required: ResourceQuantities,
    /// What could still be had by anybody.
    pub(crate) headroom: ResourceQuantities,
    offers: Vec<Allocation>,
}

/// One framework in line for an agent under a role.
#[derive(Clone, Copy)]
struct Turn<'a> {
    agent: AgentId,
    role: RoleId,
    name: &'a str,
    framework: FrameworkId,
}

fn plus(a: &ResourceQuantities, b: &ResourceQuantities) -> ResourceQuantities {
    let mut sum = ResourceQuantities::EMPTY;
    sum += a;
    sum += b;
    sum
}

fn minus(a: &ResourceQuantities, b: &ResourceQuantities) -> ResourceQuantities {
    let mut rest = plus(a, &ResourceQuantities::EMPTY);
    rest -= b;
    rest
}

fn is_scalar(entry: &Resource) -> bool {
    matches!(entry.value, Value::Scalar(_))
}

fn is_revocable(entry: &Resource) -> bool {
    entry.detail.as_ref().is_some_and(|detail| detail.revocable)
}

fn reservations(entry: &Resource) -> usize {
    entry.detail.as_ref().map_or(0, |detail| detail.reservations.len())
}

fn is_reserved_to(entry: &Resource, role: &str) -> bool {
    entry
        .detail
        .as_ref()
        .and_then(|detail| detail.reservations.last())
        .is_some_and(|last| &*last.role == role)
}

/// What quotas count: amounts that nobody reserved and nobody takes away.
fn is_quota_resource(entry: &Resource) -> bool {
    is_scalar(entry) && reservations(entry) == 0 && !is_revocable(entry)
}

impl NaiveAllocator {
    /// Runs the allocation of these agents (`_generateOffers`).
    pub(crate) fn allocate(
        &mut self,
        now: Time,
        periodic: bool,
        candidates: &BTreeSet<AgentId>,
        out: &mut Allocations,
    ) {
        let agents: Vec<AgentId> = candidates.iter().copied().filter(|id| self.is_eligible(*id)).collect();
        let mut run = self.start(now, periodic);
        for &agent in &agents {
            self.first_stage(&mut run, agent);
        }
        for &agent in &agents {
            self.second_stage(&mut run, agent);
        }
        out.offers.append(&mut run.offers);
        self.make_inverse_offers(now, candidates, out);
    }

    fn is_eligible(&self, agent: AgentId) -> bool {
        let Some(agent) = self.agents.get(&agent) else { return false };
        let listed = self.whitelist.as_ref().is_none_or(|listed| listed.contains(&agent.info.hostname));
        agent.activated && listed
    }

    pub(crate) fn start(&self, now: Time, periodic: bool) -> Run {
        let mut run = Run {
            now,
            periodic,
            pool: self.pool(),
            consumed: BTreeMap::new(),
            required: ResourceQuantities::EMPTY,
            headroom: self.available_headroom(),
            offers: Vec::new(),
        };
        for (role, quota) in &self.quotas {
            let consumed = self.consumed(role);
            run.required += &minus(&quota.guarantees, &consumed);
            run.consumed.insert(role.clone(), consumed);
        }
        run
    }

    pub(crate) fn pool(&self) -> Pool {
        let totals = self.agents.values().map(|agent| &agent.info.total);
        Pool::new(totals, &self.options.fair_sharing_excluded)
    }

    fn sorted_roles(&mut self, run: &Run) -> Vec<String> {
        let held = self.held_of_roles();
        self.role_sorter.sort(&run.pool, &held)
    }

    fn sorted_frameworks(&self, run: &Run, role: RoleId) -> Vec<FrameworkId> {
        let Some(sorter) = self.framework_sorters.get(&role) else { return Vec::new() };
        sorter.sort(&run.pool, &self.held_of_frameworks(role))
    }

    /// Guarantees.
    fn first_stage(&mut self, run: &mut Run, agent: AgentId) {
        for name in self.sorted_roles(run) {
            let Some(quota) = self.quotas.get(&name) else { continue };
            if quota.guarantees.is_empty() {
                continue;
            }
            if self.agents[&agent].available.is_empty() {
                break;
            }
            let mut unsatisfied = minus(&quota.guarantees, &run.consumed[&name]);
            if unsatisfied.is_empty() {
                continue;
            }
            let role = self.roles.intern(&name);
            for framework in self.sorted_frameworks(run, role) {
                if unsatisfied.is_empty() || self.allocatable_to(agent, &name).is_empty() {
                    break;
                }
                let turn = Turn { agent, role, name: &name, framework };
                if let Some((offer, guaranteed, rest)) = self.guaranteed_offer(run, turn, &unsatisfied) {
                    self.emit(run, turn, &offer);
                    let given = plus(guaranteed.quantities(), rest.quantities());
                    unsatisfied -= &given;
                    *run.consumed.get_mut(&name).expect("has a quota") += &given;
                    run.required -= guaranteed.quantities();
                    run.headroom -= &given;
                }
            }
        }
    }

    /// The offer, the part of it that helps a guarantee, and what quotas count of the rest.
    fn guaranteed_offer(
        &self,
        run: &Run,
        turn: Turn<'_>,
        unsatisfied: &ResourceQuantities,
    ) -> Option<(Resources, Resources, Resources)> {
        let all = self.offerable(turn)?;
        let countable = all.filter(is_quota_resource);
        let guaranteed = unsatisfied.shrink(countable.clone());
        if guaranteed.is_empty() {
            return None;
        }
        let mut offer = guaranteed.clone();
        offer +=
            &all.filter(|entry| is_reserved_to(entry, turn.name) || !is_scalar(entry) || is_revocable(entry));
        let mut rest = countable;
        rest -= &guaranteed;
        let limits = &self.quotas[turn.name].limits;
        if !limits.is_empty() {
            let left = limits.minus(&run.consumed[turn.name]).minus(guaranteed.quantities());
            rest = left.shrink(rest);
        }
        rest = keep_headroom(run, rest);
        offer += &rest;
        let fine = self.is_allocatable(turn, &offer) && !self.is_filtered(run, turn, &offer);
        fine.then_some((offer, guaranteed, rest))
    }

    /// All the rest.
    fn second_stage(&mut self, run: &mut Run, agent: AgentId) {
        for name in self.sorted_roles(run) {
            if self.agents[&agent].available.is_empty() {
                break;
            }
            let role = self.roles.intern(&name);
            for framework in self.sorted_frameworks(run, role) {
                if self.allocatable_to(agent, &name).is_empty() {
                    break;
                }
                let turn = Turn { agent, role, name: &name, framework };
                let Some((offer, counted)) = self.further_offer(run, turn) else { continue };
                self.emit(run, turn, &offer);
                if let Some(consumed) = run.consumed.get_mut(&name) {
                    *consumed += counted.quantities();
                }
                run.headroom -= counted.quantities();
            }
        }
    }

    /// The offer, and the part of it that quotas count.
    fn further_offer(&self, run: &Run, turn: Turn<'_>) -> Option<(Resources, Resources)> {
        let all = self.offerable(turn)?;
        let mut offer =
            all.filter(|entry| reservations(entry) > 0 || !is_scalar(entry) || is_revocable(entry));
        let mut counted = all.filter(is_quota_resource);
        if let Some(quota) = self.quotas.get(turn.name).filter(|quota| !quota.limits.is_empty()) {
            counted = quota.limits.minus(&run.consumed[turn.name]).shrink(counted);
        }
        counted = keep_headroom(run, counted);
        offer += &counted;
        let fine = self.is_allocatable(turn, &offer) && !self.is_filtered(run, turn, &offer);
        fine.then_some((offer, counted))
    }

    fn allocatable_to(&self, agent: AgentId, role: &str) -> Resources {
        self.agents[&agent].available.allocatable_to(role)
    }

    /// Whether the framework wants no agents like this one (`isAgentExcluded`).
    fn is_excluded(&self, turn: Turn<'_>) -> bool {
        let constraints = &self.frameworks[&turn.framework].info.offer_constraints;
        let agent = &self.agents[&turn.agent].info;
        let own = constraints.iter().find(|(role, _)| *role == turn.role).map(|(_, own)| own);
        own.is_some_and(|own| own.exclude(&agent.hostname, &agent.attributes, agent.domain.as_ref()))
    }

    /// What of the agent may be thought of for this framework and role.
    fn offerable(&self, turn: Turn<'_>) -> Option<Resources> {
        if self.is_excluded(turn) {
            return None;
        }
        let all = self.allocatable_to(turn.agent, turn.name);
        let fine = self.is_allocatable(turn, &all) && self.is_capable(turn);
        fine.then(|| self.strip(turn, &all))
    }

    /// Whether it is enough for an offer (`allocatable`).
    fn is_allocatable(&self, turn: Turn<'_>, resources: &Resources) -> bool {
        let own = &self.frameworks[&turn.framework].info.min_allocatable;
        let minima = own.iter().find(|(role, _)| *role == turn.role).map(|(_, minima)| minima);
        let minima = minima.unwrap_or(&self.options.min_allocatable_resources);
        let enough = minima.is_empty() || minima.iter().any(|minimum| resources.contains_quantities(minimum));
        !resources.is_empty() && enough
    }

    /// Whether the framework can deal with the agent (`isCapableOfReceivingAgent`).
    fn is_capable(&self, turn: Turn<'_>) -> bool {
        let can = self.frameworks[&turn.framework].info.capabilities;
        let agent = &self.agents[&turn.agent].info;
        let has_gpus = agent.total.quantities().of_name("gpus").0 > 0;
        let remote = match (&agent.domain, &self.options.domain) {
            (Some(there), Some(here)) => there.region != here.region,
            (None, _) | (_, None) => false,
        };
        let gpus_are_fine =
            !self.options.filter_gpu_resources || !has_gpus || can.has(Capabilities::GPU_RESOURCES);
        gpus_are_fine && (!remote || can.has(Capabilities::REGION_AWARE))
    }

    /// Without what the framework cannot deal with (`stripIncapableResources`).
    fn strip(&self, turn: Turn<'_>, resources: &Resources) -> Resources {
        let can = self.frameworks[&turn.framework].info.capabilities;
        resources.filter(|entry| {
            let shared = entry.detail.as_ref().is_some_and(|detail| detail.shared);
            (!shared || can.has(Capabilities::SHARED_RESOURCES))
                && (!is_revocable(entry) || can.has(Capabilities::REVOCABLE_RESOURCES))
                && (reservations(entry) < 2 || can.has(Capabilities::RESERVATION_REFINEMENT))
        })
    }

    /// Whether the framework must not or does not want to have it (`isFiltered`).
    fn is_filtered(&self, run: &Run, turn: Turn<'_>, offer: &Resources) -> bool {
        let can = self.frameworks[&turn.framework].info.capabilities;
        let agent = self.agents[&turn.agent].info.capabilities;
        if can.has(Capabilities::MULTI_ROLE) && !agent.has(AgentCapabilities::MULTI_ROLE) {
            return true;
        }
        if turn.name.contains('/') && !agent.has(AgentCapabilities::HIERARCHICAL_ROLE) {
            return true;
        }
        self.filters.iter().any(|filter| {
            let holds =
                filter.ends > run.now || (filter.ends == run.now && run.periodic && filter.outlasts_tick);
            let meant =
                (filter.framework, filter.role, filter.agent) == (turn.framework, turn.role, turn.agent);
            holds && meant && filter.refused.contains(offer)
        })
    }

    /// Books an offer; both stages together make one.
    fn emit(&mut self, run: &mut Run, turn: Turn<'_>, offer: &Resources) {
        let Turn { agent, role, framework, .. } = turn;
        self.agents.get_mut(&agent).expect("a candidate").hand_out(framework, role, offer);
        self.count_one(framework, role);
        let same =
            |made: &&mut Allocation| (made.framework, made.role, made.agent) == (framework, role, agent);
        match run.offers.iter_mut().find(same) {
            Some(made) => made.resources += offer,
            None => run.offers.push(Allocation { framework, role, agent, resources: offer.clone() }),
        }
    }

    /// Asks frameworks to leave agents that will be away (`generateInverseOffers`).
    fn make_inverse_offers(&mut self, now: Time, candidates: &BTreeSet<AgentId>, out: &mut Allocations) {
        for &id in candidates {
            let Some(agent) = self.agents.get_mut(&id) else { continue };
            let Some(maintenance) = &mut agent.maintenance else { continue };
            let holders: BTreeSet<FrameworkId> = agent.held.keys().map(|(framework, _)| *framework).collect();
            for framework in holders {
                let active = self.frameworks.get(&framework).is_some_and(|framework| framework.active);
                let filtered = self
                    .inverse_filters
                    .iter()
                    .any(|filter| (filter.framework, filter.agent) == (framework, id) && filter.ends > now);
                if active && !filtered && maintenance.outstanding.insert(framework) {
                    let unavailability = maintenance.unavailability;
                    out.inverse_offers.push(InverseOffer { framework, agent: id, unavailability });
                }
            }
        }
    }
}

/// Cuts down to what unmet guarantees do not need.
fn keep_headroom(run: &Run, resources: Resources) -> Resources {
    if run.required.is_empty() || resources.is_empty() {
        return resources;
    }
    minus(&run.headroom, &run.required).shrink(resources)
}
