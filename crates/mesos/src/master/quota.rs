//! Quota (`QuotaHandler`): what roles are promised and limited to.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{Master, operator::Reply};
use crate::{
    allocator::Allocator,
    call::Refusal,
    effects::{MasterEffects, Note, OfferEnd},
    id::{OfferId, RequestId, RoleId},
    offer::Offer,
    operator::Done,
    quota::{Quota, QuotaConfig},
    registry::RegistryOperation,
    resource::{ResourceQuantities, Resources},
    role,
    time::Time,
};

/// The quotas in force.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    /// Of each role that has some, as it was asked for.
    pub(super) configs: BTreeMap<String, QuotaConfig>,
    /// Calls of the deprecated kind that the registry has not taken yet; they rescind in another way.
    pub(super) deprecated: BTreeSet<RequestId>,
}

impl Master {
    /// UPDATE_QUOTA: all configurations or none (`QuotaHandler::update`).
    pub(super) fn update_quota(
        &mut self,
        now: Time,
        request: RequestId,
        force: bool,
        configs: Vec<QuotaConfig>,
        out: &mut impl MasterEffects,
    ) -> Result<Reply, Refusal> {
        for config in &configs {
            self.check_quota(config, force)?;
        }
        if !force {
            self.check_capacity(&configs).map_err(|error| invalid(&error))?;
        }
        self.apply_for(now, request, RegistryOperation::UpdateQuota(configs), out);
        Ok(Reply::Later)
    }

    /// What can be said against one configuration alone.
    fn check_quota(&self, config: &QuotaConfig, force: bool) -> Result<(), Refusal> {
        let role = &config.role;
        if !self.is_whitelisted_role(role) {
            return Err(invalid(&format!("Unknown role '{role}'")));
        }
        if role.contains('/') {
            return Err(invalid(&format!("Setting quota on nested role '{role}' is not supported yet")));
        }
        let quota = config.validate().map_err(|error| invalid(&error.to_string()))?;
        let consumed = self.consumed_quota(role);
        if !force && !quota.limits.contains_quantities(&consumed) {
            return Err(invalid(&format!(
                "Role '{role}' is already consuming '{consumed}'; this is more than the requested limits \
                 '{}' (use 'force' flag to bypass this check)",
                quota.limits
            )));
        }
        Ok(())
    }

    /// Whether all that would be promised can be there at all (`overcommitCheck`).
    pub(super) fn check_capacity(&self, configs: &[QuotaConfig]) -> Result<(), String> {
        let mut quotas: BTreeMap<&str, Quota> = BTreeMap::new();
        for config in self.quotas.configs.values().chain(configs) {
            quotas.insert(&config.role, config.quota());
        }
        let mut promised = ResourceQuantities::EMPTY;
        quotas.values().for_each(|quota| promised += &quota.guarantees);
        let capacity = self.quota_capacity();
        if capacity.contains(&promised) {
            return Ok(());
        }
        Err(format!(
            "Total quota guarantees '{promised}' exceed cluster capacity '{capacity}' \
             (use 'force' flag to bypass this check)"
        ))
    }

    /// The scalars of all registered agents, connected or not, that are not revocable.
    fn quota_capacity(&self) -> ResourceQuantities {
        let mut capacity = ResourceQuantities::EMPTY;
        for agent in self.agents.iter().filter_map(|(_, agent)| agent.as_ref()) {
            capacity += agent.total.non_revocable().quantities();
        }
        capacity
    }

    /// What counts against the quota of a role: what its tasks, executors and pending operations hold and what is reserved
    /// for it, with the roles below it (`RoleResourceBreakdown::consumedQuota`).
    fn consumed_quota(&self, role: &str) -> ResourceQuantities {
        let known = self.roles().get(role);
        known.map_or(ResourceQuantities::EMPTY, |role| self.allocator.quota_consumed(role))
    }

    /// The registry has the quotas: the allocator heeds them, and offers that stand in their way are rescinded.
    pub(super) fn quota_stored(
        &mut self,
        now: Time,
        configs: &[QuotaConfig],
        request: Option<RequestId>,
        out: &mut impl MasterEffects,
    ) {
        for config in configs {
            let quota = config.quota();
            let role = self.set_quota(config);
            out.note(Note::Quota { role, quota: &quota });
        }
        if request.is_some_and(|request| self.quotas.deprecated.remove(&request)) {
            configs.iter().for_each(|config| self.rescind_whole_agents(now, config, out));
        } else {
            configs.iter().for_each(|config| self.rescind_for_quota(now, config, out));
        }
        self.done(request, Done::Ok, out);
    }

    fn set_quota(&mut self, config: &QuotaConfig) -> RoleId {
        let role = self.allocator.role(&config.role);
        let quota = config.quota();
        if quota.is_default() {
            self.quotas.configs.remove(&config.role);
        } else {
            self.quotas.configs.insert(config.role.clone(), config.clone());
        }
        self.allocator.update_quota(role, quota);
        role
    }

    /// The quotas that the registry has. They are to be given to the allocator, which waits for agents if there are any.
    pub(super) fn recover_quotas(&mut self, stored: &BTreeMap<String, QuotaConfig>) -> Vec<(RoleId, Quota)> {
        self.quotas.configs.clone_from(stored);
        stored.values().map(|config| (self.allocator.role(&config.role), config.quota())).collect()
    }

    /// Takes back from the role what is offered beyond its limits, then from others what is offered while a guarantee is not
    /// met: as far as can be told without knowing what the allocator is about to do.
    fn rescind_for_quota(&mut self, now: Time, config: &QuotaConfig, out: &mut impl MasterEffects) {
        let quota = config.quota();
        let (mut own, mut others): (Vec<_>, Vec<_>) =
            self.offers.iter().partition(|offer| self.is_of_subtree(offer, &config.role));
        own.sort_unstable_by_key(|offer| (offer.framework, offer.id));
        others.sort_unstable_by_key(|offer| (offer.agent, offer.id));
        let mut taken = self.consumed_quota(&config.role);
        own.iter().for_each(|offer| taken += &unreserved_non_revocable(&offer.resources));
        let mut in_the_way = Vec::new();
        for offer in own {
            if quota.limits.contains_quantities(&taken) {
                break;
            }
            taken -= &unreserved_non_revocable(&offer.resources);
            in_the_way.push(offer.id);
        }
        for offer in others {
            if taken.contains(&quota.guarantees) {
                break;
            }
            taken += &unreserved_non_revocable(&offer.resources);
            in_the_way.push(offer.id);
        }
        in_the_way.iter().for_each(|&offer| self.rescind(now, offer, out));
    }

    fn is_of_subtree(&self, offer: &Offer, role: &str) -> bool {
        let of = self.allocator.role_name(offer.role);
        of == role || role::is_strict_subrole(of, role)
    }

    fn rescind(&mut self, now: Time, offer: OfferId, out: &mut impl MasterEffects) {
        let Some(framework) = self.offers.get(offer).map(|offer| offer.framework) else { return };
        let offer = self.offers.take_if_of(offer, framework).expect("looked up above");
        self.end_offer(now, &offer, OfferEnd::Rescinded, None, out);
    }
}

/// What counts against quota beside reservations, which count whether they are offered or not.
fn unreserved_non_revocable(resources: &Resources) -> Cow<'_, ResourceQuantities> {
    if resources.is_plain() {
        return Cow::Borrowed(resources.quantities());
    }
    let counted = resources.filter(|entry| !entry.is_reserved() && !entry.is_revocable());
    Cow::Owned(counted.quantities().clone())
}

fn invalid(error: &str) -> Refusal {
    Refusal::bad_request(format!("Invalid QuotaConfig: {error}"))
}
