//! What a framework may subscribe with, and what the allocator is told of it (`Master::validateFramework`,
//! `validation::framework`).

use super::Master;
use crate::{
    allocator::{Allocator, AllocatorFramework},
    call::{FrameworkInfo, Subscribe},
    capability::Capabilities,
    constraint::RoleConstraints,
    id::{FrameworkId, Id, RoleId},
    resource::{Name, ResourceQuantities, Scalar},
    role,
};

impl Master {
    /// What SUBSCRIBE and UPDATE_FRAMEWORK have to get right; the words are those of the ERROR event.
    pub(super) fn check_framework(&self, id: Option<FrameworkId>, wanted: &Subscribe) -> Result<(), String> {
        check_roles(&wanted.info)?;
        check_offer_filters(&wanted.info)?;
        check_failover_timeout(&wanted.info)?;
        self.check_flags(&wanted.info)?;
        if id.is_some_and(|id| self.completed.contains(&id)) {
            return Err("Framework has been removed".into());
        }
        let roles = wanted.info.subscribed_roles();
        if let Some(role) = wanted.suppressed_roles.iter().find(|role| !roles.contains(&role.as_str())) {
            return Err(format!("Suppressed role '{role}' is not contained in the list of roles"));
        }
        match wanted.offer_constraints.iter().find(|(role, _)| !roles.contains(&role.as_str())) {
            Some((role, _)) => Err(format!(
                "Offer constraints specify `role_constraints` for a role '{role}' not contained in the list of roles"
            )),
            None => Ok(()),
        }
    }

    fn check_flags(&self, info: &FrameworkInfo) -> Result<(), String> {
        let mut unknown: Vec<&str> =
            info.subscribed_roles().into_iter().filter(|role| !self.is_whitelisted_role(role)).collect();
        if !unknown.is_empty() {
            unknown.sort_unstable();
            let unknown = unknown.join(", ");
            return Err(format!("Roles {{ {unknown} }} are not present in the master's --roles"));
        }
        if info.user == "root" && !self.options.root_submissions {
            return Err("User 'root' is not allowed to run frameworks without --root_submissions set".into());
        }
        Ok(())
    }

    /// Whether the flag `--roles` lets anybody use this role.
    pub(super) fn is_whitelisted_role(&self, role: &str) -> bool {
        let whitelist = self.options.role_whitelist.as_ref();
        role == role::DEFAULT || whitelist.is_none_or(|whitelist| whitelist.iter().any(|of| of == role))
    }

    /// The ids of the roles that a framework is subscribed to.
    pub(super) fn role_ids(&mut self, info: &FrameworkInfo) -> Vec<RoleId> {
        info.subscribed_roles().into_iter().map(|name| self.allocator.role(name)).collect()
    }

    /// As the allocator wants it. Offer filters of roles that the framework is not subscribed to say nothing.
    pub(super) fn for_allocator(
        &mut self,
        framework: FrameworkId,
        info: &FrameworkInfo,
        suppressed_roles: Vec<RoleId>,
        constraints: &[(String, RoleConstraints)],
    ) -> AllocatorFramework {
        let roles = info.subscribed_roles();
        let own_minima = info.offer_filters.iter().filter(|(role, _)| roles.contains(&role.as_str()));
        let min_allocatable =
            own_minima.map(|(role, minima)| (self.allocator.role(role), quantities(minima))).collect();
        let constraints = constraints.iter();
        let offer_constraints =
            constraints.map(|(role, wanted)| (self.allocator.role(role), wanted.clone())).collect();
        AllocatorFramework {
            path: format!("{:04}", framework.index()),
            roles: self.role_ids(info),
            suppressed_roles,
            capabilities: info.capabilities,
            min_allocatable,
            offer_constraints,
        }
    }
}

fn check_roles(info: &FrameworkInfo) -> Result<(), String> {
    if info.capabilities.has(Capabilities::MULTI_ROLE) {
        if info.role.is_some() {
            return Err(
                "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable".into()
            );
        }
        if let Some(twice) = repeated(&info.roles) {
            return Err(format!("'FrameworkInfo.roles' contains duplicate items: {{ {twice} }}"));
        }
        return info.roles.iter().try_for_each(|name| {
            role::validate(name)
                .map_err(|error| format!("'FrameworkInfo.roles' contains invalid role: {error}"))
        });
    }
    if !info.roles.is_empty() {
        return Err(
            "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable".into()
        );
    }
    role::validate(info.role.as_deref().unwrap_or(role::DEFAULT))
        .map_err(|error| format!("'FrameworkInfo.role' is not a valid role: {error}"))
}

/// The names that stand there more than once, each once and in order.
fn repeated(names: &[String]) -> Option<String> {
    let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    let groups = sorted.chunk_by(|a, b| a == b).filter(|same| same.len() > 1);
    let twice: Vec<&str> = groups.map(|same| same[0]).collect();
    (!twice.is_empty()).then(|| twice.join(", "))
}

fn check_offer_filters(info: &FrameworkInfo) -> Result<(), String> {
    for alternative in info.offer_filters.iter().flat_map(|(_, alternatives)| alternatives) {
        if alternative.is_empty() {
            return Err("Resource quantities must contain at least one quantity".into());
        }
        for (name, amount) in alternative {
            check_amount(*amount)
                .map_err(|wrong| format!("Invalid resource quantity for '{name}': {wrong}"))?;
        }
    }
    Ok(())
}

/// A number in a message, where an amount is wanted (`common::validation::validateInputScalarValue`).
pub(super) fn check_amount(amount: f64) -> Result<(), &'static str> {
    match amount.classify() {
        std::num::FpCategory::Nan => Err("NaN not supported"),
        std::num::FpCategory::Infinite => Err("Infinite values not supported"),
        std::num::FpCategory::Subnormal => Err("Subnormal values not supported"),
        std::num::FpCategory::Zero => Ok(()),
        std::num::FpCategory::Normal if amount < 0.0 => Err("Negative values not supported"),
        std::num::FpCategory::Normal => Ok(()),
    }
}

/// Mesos counts time in signed nanoseconds of 64 bits: about 292 years each way.
fn check_failover_timeout(info: &FrameworkInfo) -> Result<(), String> {
    let nanos = info.failover_timeout * 1e9;
    if nanos.abs() < i64::MAX as f64 {
        return Ok(());
    }
    Err(format!(
        "The framework failover_timeout ({}) is invalid: Argument out of the range that a Duration can represent \
         due to int64_t's size limit",
        info.failover_timeout
    ))
}

fn quantities(minima: &[Vec<(String, f64)>]) -> Vec<ResourceQuantities> {
    let of_alternative = |alternative: &Vec<(String, f64)>| {
        let mut sum = ResourceQuantities::EMPTY;
        for (name, amount) in alternative {
            sum.add(&Name::new(name), Scalar::from_f64(*amount).unwrap_or(Scalar(i64::MAX)));
        }
        sum
    };
    minima.iter().map(of_alternative).collect()
}
