//! Weights of roles (`WeightsHandler`).

use std::collections::BTreeMap;

use super::{Master, operator::Reply};
use crate::{
    allocator::Allocator,
    call::Refusal,
    effects::MasterEffects,
    id::{RequestId, RoleId},
    operator::Done,
    registry::RegistryOperation,
    role,
    time::Time,
};

impl Master {
    /// UPDATE_WEIGHTS (`WeightsHandler::update`).
    pub(super) fn update_weights(
        &mut self,
        now: Time,
        request: RequestId,
        weights: Vec<(String, f64)>,
        out: &mut impl MasterEffects,
    ) -> Result<Reply, Refusal> {
        let trimmed = |(role, weight): (String, f64)| (role.trim_ascii().to_owned(), weight);
        let weights: Vec<(String, f64)> = weights.into_iter().map(trimmed).collect();
        for (role, weight) in &weights {
            self.check_weight(role, *weight).map_err(|why| {
                Refusal::bad_request(format!("Failed to validate update weights request: {why}"))
            })?;
        }
        self.apply_for(now, request, RegistryOperation::UpdateWeights(weights), out);
        Ok(Reply::Later)
    }

    fn check_weight(&self, role: &str, weight: f64) -> Result<(), String> {
        role::validate(role).map_err(|error| format!("Invalid role '{role}': {error}"))?;
        if !self.is_whitelisted_role(role) {
            return Err(format!("Unknown role '{role}'"));
        }
        if weight > 0.0 && weight.is_finite() {
            return Ok(());
        }
        Err(format!("Invalid weight '{weight}' for role '{role}': Weights must be positive"))
    }

    /// The registry has the weights. If any of the roles has a framework, what is offered to anybody may be wrong now.
    pub(super) fn weights_stored(
        &mut self,
        now: Time,
        weights: &[(String, f64)],
        request: Option<RequestId>,
        out: &mut impl MasterEffects,
    ) {
        self.set_weights(weights);
        if weights.iter().any(|(role, _)| self.has_frameworks(role)) {
            self.rescind_all_offers(now, out);
        }
        self.done(request, Done::Ok, out);
    }

    fn set_weights(&mut self, weights: &[(String, f64)]) {
        let ids: Vec<(RoleId, f64)> =
            weights.iter().map(|(role, weight)| (self.allocator.role(role), *weight)).collect();
        self.weights.extend(weights.iter().cloned());
        self.allocator.update_weights(&ids);
    }

    /// Whether a framework is subscribed to the role or holds something under it.
    fn has_frameworks(&self, role: &str) -> bool {
        self.roles().get(role).is_some_and(|role| self.allocator.dominant_share(role).is_some())
    }

    /// At the start of a master: the weights of the registry, or, if it has none, those of the flag, which it is to have
    /// (`Master::_recover`).
    pub(super) fn recover_weights(&mut self, stored: &BTreeMap<String, f64>) {
        let flagged = self.options.weights.clone();
        if !stored.is_empty() {
            let stored: Vec<(String, f64)> =
                stored.iter().map(|(role, weight)| (role.clone(), *weight)).collect();
            return self.set_weights(&stored);
        }
        for (role, weight) in &flagged {
            let checked = self.check_weight(role, *weight);
            assert!(checked.is_ok(), "the flag for weights: {checked:?}");
        }
        self.set_weights(&flagged);
        if !flagged.is_empty() {
            self.registrar.apply_first(RegistryOperation::UpdateWeights(flagged));
        }
    }
}
