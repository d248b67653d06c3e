//! SET_QUOTA and REMOVE_QUOTA, which UPDATE_QUOTA has replaced (`QuotaHandler::set`, `remove`): a guarantee that is a limit
//! too, checks of their own, and whole agents rescinded.

use super::{Master, operator::Reply};
use crate::{
    call::Refusal,
    effects::{MasterEffects, OfferEnd},
    id::{AgentId, RequestId},
    offer::Offer,
    quota::QuotaConfig,
    registry::RegistryOperation,
    resource::{Name, Resources},
    role,
    time::Time,
};

impl Master {
    /// SET_QUOTA, for a role without quota.
    pub(super) fn set_quota_request(
        &mut self,
        now: Time,
        request: RequestId,
        force: bool,
        role: String,
        guarantee: &Resources,
        out: &mut impl MasterEffects,
    ) -> Result<Reply, Refusal> {
        let refused =
            |why: &str| Refusal::bad_request(format!("Failed to validate set quota request: {why}"));
        role::validate(&role).map_err(|error| refused(&format!("QuotaInfo with invalid role: {error}")))?;
        check_guarantee(guarantee).map_err(|why| refused(&why))?;
        if !self.is_whitelisted_role(&role) {
            return Err(refused(&format!("Unknown role '{role}'")));
        }
        if role.contains('/') {
            return Err(refused(&format!("Setting quota on nested role '{role}' is not supported yet")));
        }
        if self.quotas.configs.contains_key(&role) {
            return Err(refused(&format!("Quota has already been set for role '{role}'")));
        }
        let config = same_limits(role, guarantee);
        config.validate().map_err(|error| refused(&error.to_string()))?;
        if !force {
            self.check_capacity(std::slice::from_ref(&config)).map_err(|error| {
                Refusal::conflict(format!("Heuristic capacity check for set quota request failed: {error}"))
            })?;
        }
        self.quotas.deprecated.insert(request);
        self.apply_for(now, request, RegistryOperation::UpdateQuota(vec![config]), out);
        Ok(Reply::Later)
    }

    /// REMOVE_QUOTA, of a role that has some.
    pub(super) fn remove_quota(
        &mut self,
        now: Time,
        request: RequestId,
        role: String,
        out: &mut impl MasterEffects,
    ) -> Result<Reply, Refusal> {
        let refused = |why: String| Refusal::bad_request(format!("Failed to remove quota: {why}"));
        role::validate(&role).map_err(|error| refused(error.to_string()))?;
        if !self.is_whitelisted_role(&role) {
            return Err(refused(format!("Unknown role '{role}'")));
        }
        if !self.quotas.configs.contains_key(&role) {
            return Err(refused(format!("No quota is set for role '{role}'")));
        }
        let nothing = QuotaConfig { role, ..QuotaConfig::default() };
        self.apply_for(now, request, RegistryOperation::UpdateQuota(vec![nothing]), out);
        Ok(Reply::Later)
    }

    /// All offers of one agent after the other, until they make up the guarantee and every framework of the role may have an
    /// agent (`QuotaHandler::rescindOffers`).
    pub(super) fn rescind_whole_agents(
        &mut self,
        now: Time,
        config: &QuotaConfig,
        out: &mut impl MasterEffects,
    ) {
        let guarantee = Resources::of(config.quota().guarantees);
        let frameworks = self.active_frameworks_of(&config.role);
        let (mut rescinded, mut visited) = (Resources::EMPTY, 0);
        for agent in self.agents_with_offers() {
            if rescinded.contains(&guarantee) && visited >= frameworks {
                return;
            }
            for offer in self.offers.take_all(|offer: &Offer| offer.agent == agent) {
                rescinded += &offer.resources;
                self.end_offer(now, &offer, OfferEnd::Rescinded, None, out);
            }
            visited += 1;
        }
    }

    fn active_frameworks_of(&self, role: &str) -> usize {
        let Some(role) = self.roles().get(role) else { return 0 };
        let frameworks = self.frameworks.iter().filter_map(|(_, framework)| framework.as_ref());
        frameworks.filter(|of| of.is_connected() && of.roles.contains(&role)).count()
    }

    /// Ascending.
    fn agents_with_offers(&self) -> Vec<AgentId> {
        let mut agents: Vec<AgentId> = self.offers.iter().map(|offer| offer.agent).collect();
        agents.sort_unstable();
        agents.dedup();
        agents
    }
}

/// Only unreserved scalars, each name once (`quota::validation::quotaInfo`).
fn check_guarantee(guarantee: &Resources) -> Result<(), String> {
    if guarantee.is_empty() {
        return Err("QuotaInfo with empty 'guarantee'".to_owned());
    }
    let mut names: Vec<Name> = Vec::new();
    for (resource, _) in guarantee.entries() {
        if resource.is_reserved() {
            return Err("QuotaInfo must not contain any ReservationInfo".to_owned());
        }
        if resource.about().disk.is_some() {
            return Err("QuotaInfo must not contain DiskInfo".to_owned());
        }
        if resource.is_revocable() {
            return Err("QuotaInfo must not contain RevocableInfo".to_owned());
        }
        if !resource.is_scalar() {
            return Err(format!("QuotaInfo must not include non-scalar resources: '{resource}'"));
        }
        if names.contains(&resource.name) {
            return Err(format!("QuotaInfo contains duplicate resource name '{}'", resource.name.as_str()));
        }
        names.push(resource.name);
    }
    Ok(())
}

fn same_limits(role: String, guarantee: &Resources) -> QuotaConfig {
    let amounts: Vec<(String, f64)> =
        guarantee.quantities().iter().map(|(name, amount)| (name.to_owned(), amount.as_f64())).collect();
    QuotaConfig { role, guarantees: amounts.clone(), limits: amounts }
}
