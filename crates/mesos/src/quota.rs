//! What a role is promised, and what it may not exceed.

use std::{collections::BTreeMap, num::FpCategory};

use serde::{Deserialize, Serialize};

use crate::{
    resource::{Name, ResourceLimits, ResourceName, ResourceQuantities, Scalar},
    role::{self, RoleError},
};

/// What an operator asks for a role, before it is checked (Mesos' `QuotaConfig`).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct QuotaConfig {
    /// Which role.
    pub role: String,
    /// Name and amount.
    pub guarantees: Vec<(String, f64)>,
    /// Name and amount; a name that is missing has no limit.
    pub limits: Vec<(String, f64)>,
}

/// The quota of a role of the top level (Mesos' `Quota`). The default, nothing promised and nothing limited, is no quota.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Quota {
    /// Unreserved, non-revocable resources and reservations that the role is promised together.
    pub guarantees: ResourceQuantities,
    /// The most of them that it may have; a name that is missing has no limit.
    pub limits: ResourceLimits,
}

impl Quota {
    /// Whether nothing is promised and nothing limited.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.guarantees.is_empty() && self.limits.is_empty()
    }
}

/// Why a configuration of quota is none (Mesos' `quota::validate`).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum QuotaError {
    /// A role that is none.
    #[error("Invalid 'QuotaConfig.role': {0}")]
    Role(#[from] RoleError),
    /// More than there can be.
    #[error("{{'{name}': {value}}} is invalid: values greater than {most} are not supported")]
    TooLarge {
        /// Of the resource.
        name: String,
        /// How much.
        value: f64,
        /// The most that is taken, in words.
        most: &'static str,
    },
    /// An amount that is none.
    #[error("Invalid {what} configuration {{'{name}': {value}}}: {why} not supported")]
    Value {
        /// `guarantee` or `limit`.
        what: &'static str,
        /// Of the resource.
        name: String,
        /// How much.
        value: f64,
        /// What kind of number it is.
        why: &'static str,
    },
    /// More promised than allowed.
    #[error(
        "'QuotaConfig.guarantees' {guarantees} is not contained within the 'QuotaConfig.limits' {limits}"
    )]
    BeyondLimits {
        /// What is promised.
        guarantees: String,
        /// What is allowed.
        limits: String,
    },
}

impl QuotaConfig {
    /// The quota that it asks for, if it is valid in itself: a valid role, amounts that are amounts, no promise beyond the
    /// limits (`quota::validate`).
    ///
    /// # Errors
    /// The first rule that it breaks, in Mesos' order.
    pub fn validate(&self) -> Result<Quota, QuotaError> {
        role::validate(&self.role)?;
        for (what, amounts) in [("guarantee", &self.guarantees), ("limit", &self.limits)] {
            for (name, value) in amounts {
                check_size(name, *value)?;
                check_kind(what, name, *value)?;
            }
        }
        let quota = self.quota();
        if quota.limits.contains_quantities(&quota.guarantees) {
            return Ok(quota);
        }
        let (guarantees, limits) = (quota.guarantees.to_string(), quota.limits.to_string());
        Err(QuotaError::BeyondLimits { guarantees, limits })
    }

    /// The quota that it asks for. Of a name given twice the last amount counts, as in Mesos' map; what is no amount is left
    /// out, see [`validate`](Self::validate).
    #[must_use]
    pub fn quota(&self) -> Quota {
        let mut quota = Quota::default();
        for (name, amount) in last_amounts(&self.guarantees) {
            quota.guarantees.add(&name, amount);
        }
        for (name, amount) in last_amounts(&self.limits) {
            quota.limits.set(&name, amount);
        }
        quota
    }
}

fn last_amounts(amounts: &[(String, f64)]) -> BTreeMap<Name, Scalar> {
    let amounts = amounts.iter().map(|(name, value)| (Name::new(name), Scalar::from_f64(*value)));
    amounts.filter_map(|(name, amount)| Some((name, amount?))).collect()
}

/// What fixed point holds with room for sums over roles.
fn check_size(name: &str, value: f64) -> Result<(), QuotaError> {
    const MOST_MEGABYTES: f64 = (1_u64 << 40) as f64;
    let (most, words) = match ResourceName::parse(name) {
        Some(ResourceName::Mem | ResourceName::Disk) => (MOST_MEGABYTES, "1 exabyte (1099511627776)"),
        Some(ResourceName::Cpus | ResourceName::Gpus) | None => (1e12, "1 trillion (1000000000000)"),
    };
    if value > most {
        return Err(QuotaError::TooLarge { name: name.to_owned(), value, most: words });
    }
    Ok(())
}

fn check_kind(what: &'static str, name: &str, value: f64) -> Result<(), QuotaError> {
    let why = match value.classify() {
        FpCategory::Nan => "NaN",
        FpCategory::Infinite => "Infinite values",
        FpCategory::Subnormal => "Subnormal values",
        FpCategory::Normal if value < 0.0 => "Negative values",
        FpCategory::Normal | FpCategory::Zero => return Ok(()),
    };
    Err(QuotaError::Value { what, name: name.to_owned(), value, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(guarantees: &[(&str, f64)], limits: &[(&str, f64)]) -> QuotaConfig {
        let owned = |amounts: &[(&str, f64)]| {
            amounts.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
        };
        QuotaConfig { role: "a".into(), guarantees: owned(guarantees), limits: owned(limits) }
    }

    #[test]
    fn a_guarantee_may_reach_its_limit_and_needs_none() {
        assert!(config(&[("cpus", 4.0)], &[("cpus", 4.0)]).validate().is_ok());
        assert!(config(&[("cpus", 4.0)], &[("mem", 4.0)]).validate().is_ok());
        let text = config(&[("cpus", 4.5)], &[("cpus", 4.0)]).validate().unwrap_err().to_string();
        assert!(text.contains("cpus:4.5 is not contained within"), "{text}");
    }

    #[test]
    fn amounts_must_be_amounts() {
        let text = |value| config(&[("cpus", value)], &[]).validate().unwrap_err().to_string();
        assert!(text(-1.0).contains("Negative values"));
        assert!(text(f64::NAN).contains("NaN"));
        assert!(text(f64::NEG_INFINITY).contains("Infinite values"));
        assert!(text(1e-310).contains("Subnormal values"));
        assert!(text(1.1e12).contains("greater than 1 trillion"));
        assert!(config(&[("cpus", 1e12), ("mem", 1.05e12)], &[]).validate().is_ok());
        let text = config(&[], &[("disk", 1.2e12)]).validate().unwrap_err().to_string();
        assert!(text.contains("greater than 1 exabyte"), "{text}");
    }

    #[test]
    fn a_limit_of_zero_is_a_quota_and_a_guarantee_of_zero_is_none() {
        assert!(config(&[("cpus", 0.0)], &[]).quota().is_default());
        assert!(!config(&[], &[("cpus", 0.0)]).quota().is_default());
    }
}
