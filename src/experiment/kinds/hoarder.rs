//! `[framework.hoarder]`.

use mesos::resource::Scalar;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Scene, Table};
use crate::{
    experiment::config::{Check, Duration},
    framework::{self, hoarder},
    workload::Job,
};

/// A framework that takes offers and neither uses nor declines them. It brings no jobs and takes none.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hoarder {
    /// It declines what would give it more CPUs than this. Default: it never has enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub most_cpus: Option<f64>,
    /// So long after its first offer in hand it declines all it has, and begins again. Default: it never lets go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_for: Option<Duration>,
}

impl Table for Hoarder {
    fn check(&self, path: &str, check: &mut Check<'_>) {
        if let Some(cpus) = self.most_cpus {
            check.amount(&format!("{path}.most_cpus"), cpus);
        }
        if let Some(time) = self.hold_for {
            check.longer_than_zero(&format!("{path}.hold_for"), time);
        }
    }

    fn jobs(&self, _: &Scene<'_>) -> Vec<Job> {
        Vec::new()
    }

    fn scheduler(&self, scene: &Scene<'_>) -> Box<dyn framework::Framework> {
        let most_cpus = self.most_cpus.and_then(Scalar::from_f64);
        let options = hoarder::Options { most_cpus, hold_for: self.hold_for.map(|time| time.0) };
        scene.drive(hoarder::Hoarder::new(options))
    }
}
