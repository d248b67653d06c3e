//! What no allocator may do, asked of the naive one after each allocation.

use std::collections::BTreeMap;

use mesos::{
    allocator::{Allocation, Allocations},
    id::{AgentId, FrameworkId, RoleId},
    resource::{ResourceQuantities, Resources},
    time::Time,
};

use super::{
    ROLES,
    world::{Holding, World},
};
use crate::naive::{Agent, NaiveAllocator};

/// How things were before an allocation.
pub(crate) struct Before {
    /// By what was offered and given back, not by the allocator's books.
    free: BTreeMap<AgentId, Resources>,
    /// Per role with a quota.
    consumed: BTreeMap<String, ResourceQuantities>,
    /// What unmet guarantees need, and what could be had by anybody; only with quotas.
    needs: Option<(ResourceQuantities, ResourceQuantities)>,
}

impl Before {
    pub(crate) fn of(naive: &NaiveAllocator, world: &World) -> Self {
        let mut free: BTreeMap<AgentId, Resources> =
            naive.agents.iter().map(|(id, agent)| (*id, agent.info.total.non_shared())).collect();
        for Holding { part, .. } in &world.holdings {
            *free.get_mut(&part.agent).expect("holdings go with their agent") -= &part.resources.non_shared();
        }
        let consumed = naive.quotas.keys().map(|role| (role.clone(), naive.consumed(role))).collect();
        let run = (!naive.quotas.is_empty()).then(|| naive.start(world.now, false));
        Self { free, consumed, needs: run.map(|run| (run.required, run.headroom)) }
    }

    /// # Errors
    /// The rule that was broken.
    pub(crate) fn check(
        mut self,
        naive: &NaiveAllocator,
        made: &Allocations,
        now: Time,
    ) -> Result<(), String> {
        for offer in &made.offers {
            self.check_free(offer)?;
            check_wanted(naive, offer, now)?;
        }
        self.check_limits(naive, made)?;
        self.check_headroom(naive)
    }

    /// Nothing is handed out twice.
    fn check_free(&mut self, offer: &Allocation) -> Result<(), String> {
        let free = self.free.get_mut(&offer.agent).ok_or("an offer of an agent that is gone")?;
        let wanted = offer.resources.non_shared();
        if !free.contains(&wanted) {
            return Err(format!("over-committed: {offer:?} of {free}"));
        }
        *free -= &wanted;
        Ok(())
    }

    /// Offers to a role do not take it over its own limits.
    fn check_limits(&self, naive: &NaiveAllocator, made: &Allocations) -> Result<(), String> {
        for (role, quota) in &naive.quotas {
            let before = &self.consumed[role];
            let mut after = ResourceQuantities::EMPTY;
            after += before;
            for offer in made.offers.iter().filter(|offer| naive.roles.name(offer.role) == role) {
                after += offer.resources.scalars().unreserved().non_revocable().quantities();
            }
            for (name, most) in quota.limits.iter() {
                if after.of_name(name) > most.max(before.of_name(name)) {
                    return Err(format!("{role} has {name} of {after}, the limit is {}", quota.limits));
                }
            }
        }
        Ok(())
    }

    /// Unmet guarantees do not lack more than they did. Shared volumes are counted once for each role that holds them, and
    /// where more is out than there is subtractions stop at zero: then the sums mean nothing.
    fn check_headroom(&self, naive: &NaiveAllocator) -> Result<(), String> {
        let odd =
            |agent: &Agent| agent.info.total.has_shared() || !agent.info.total.contains(&agent.all_held());
        let Some((required, headroom)) = self.needs.as_ref().filter(|_| !naive.agents.values().any(odd))
        else {
            return Ok(());
        };
        let run = naive.start(Time::ZERO, false);
        let lack = |required: &ResourceQuantities, headroom: &ResourceQuantities, name: &str| {
            (required.of_name(name).0 - headroom.of_name(name).0).max(0)
        };
        for (name, _) in run.required.iter() {
            let lacked = lack(required, headroom, name);
            let lacks = lack(&run.required, &run.headroom, name);
            if lacks > lacked {
                return Err(format!("guarantees lack {lacks} thousandths of {name}, {lacked} before"));
            }
        }
        Ok(())
    }
}

/// Nobody is offered what they refused, or too little.
fn check_wanted(naive: &NaiveAllocator, offer: &Allocation, now: Time) -> Result<(), String> {
    let key = (offer.framework, offer.role, offer.agent);
    let refused = naive.filters.iter().find(|filter| {
        let same = (filter.framework, filter.role, filter.agent) == key;
        same && filter.ends > now && filter.refused.contains(&offer.resources)
    });
    if let Some(filter) = refused {
        return Err(format!("{offer:?} in spite of {filter:?}"));
    }
    let framework = &naive.frameworks[&offer.framework].info;
    let own = framework.min_allocatable.iter().find(|(role, _)| *role == offer.role);
    let minima = own.map_or(&naive.options.min_allocatable_resources, |(_, minima)| minima);
    let enough = minima.is_empty() || minima.iter().any(|least| offer.resources.contains_quantities(least));
    if offer.resources.is_empty() || !enough {
        return Err(format!("too little: {offer:?}"));
    }
    Ok(())
}

/// The allocator and the world agree on who holds what.
pub(crate) fn check_books(naive: &NaiveAllocator, world: &World) -> Result<(), String> {
    let mut sums: BTreeMap<(AgentId, FrameworkId, RoleId), Resources> = BTreeMap::new();
    for Holding { part, .. } in &world.holdings {
        *sums.entry((part.agent, part.framework, part.role)).or_default() += &part.resources;
    }
    let booked = naive.agents.iter().flat_map(|(id, agent)| {
        agent.held.iter().map(|((framework, role), held)| ((*id, *framework, *role), held.clone()))
    });
    let booked: BTreeMap<_, _> = booked.collect();
    let named: Vec<&str> = ROLES.to_vec();
    if sums == booked { Ok(()) } else { Err(format!("roles {named:?}: held {sums:?}, booked {booked:?}")) }
}
