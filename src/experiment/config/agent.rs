//! What an experiment file can say of the agents and of what runs on them: `[agent]`, `[[image]]` and `[[profile]]`.

use mesos::time::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{Duration, Size};

/// The Mesos agents: their flags, by Mesos' names, and how their machines run containers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Agent {
    /// From when its image is there until a task's program runs.
    pub startup_delay: Duration,
    /// Bytes per second at which a machine pulls images; pulls at the same time share it. Default: a pull takes no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_bandwidth: Option<Size>,
    /// How much of images stays on a machine when nobody uses them (Mesos' `fetcher_cache_size`).
    pub image_cache: Size,
    /// Whether a task is held to the CPUs that it requests (Mesos' `cgroups_enable_cfs`). Otherwise it uses idle ones, too.
    pub enable_cfs: bool,
    /// An executor that has not registered by then has failed.
    pub executor_registration_timeout: Duration,
    /// Longest wait before the first attempt to register.
    pub registration_backoff_factor: Duration,
    /// Says how many CPUs are offered once more, as revocable; `mesosim list` names them.
    pub resource_estimator: String,
    /// CPUs that the estimator `fixed` has each agent offer once more. 0 is no oversubscription.
    #[schemars(range(min = 0))]
    pub revocable_cpus: f64,
    /// Says which revocable tasks must go; `mesosim list` names them.
    pub qos_controller: String,
    /// How many of a machine's CPUs may be wanted, as a multiple of those that it has, before the controller `load` evicts.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub load_threshold: f64,
    /// Between two estimates.
    pub oversubscribed_resources_interval: Duration,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            startup_delay: Duration::default(),
            image_bandwidth: None,
            image_cache: Size(2 << 30),
            enable_cfs: false,
            executor_registration_timeout: Duration(Span::from_secs(60)),
            registration_backoff_factor: Duration(Span::from_secs(1)),
            resource_estimator: "fixed".to_owned(),
            revocable_cpus: 0.0,
            qos_controller: "none".to_owned(),
            load_threshold: 1.0,
            oversubscribed_resources_interval: Duration(Span::from_secs(15)),
        }
    }
}

impl Agent {
    /// Whether CPUs are ever offered once more.
    #[must_use]
    pub fn oversubscribes(&self) -> bool {
        self.resource_estimator != "fixed" || self.revocable_cpus > 0.0
    }
}

/// An image that tasks are made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Its name, which no other image has.
    pub name: String,
    /// How much is to be pulled.
    pub size: Size,
}

/// What some tasks of a synthetic workload do beside running for their time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name, which no other profile has.
    pub name: String,
    /// The fraction of all jobs that have this profile, drawn for each. Jobs for which none is drawn just run.
    #[serde(default = "all_jobs")]
    #[schemars(range(min = 0, max = 1))]
    pub share: f64,
    /// The name of the `[[image]]` that its tasks are made from. Default: what every machine has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// CPUs that a task keeps busy if it gets them; with 0 it waits for something else than CPUs. Default: as many as it
    /// requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub cpus: Option<f64>,
    /// The most memory that a task uses. Default: it stays within its request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mem_peak: Option<MemPeak>,
    /// How long a task takes to exit when it is asked to.
    #[serde(default)]
    pub stop_delay: Duration,
    /// Whether tasks run on revocable CPUs, in frameworks with the capability `REVOCABLE_RESOURCES`.
    #[serde(default)]
    pub revocable: bool,
}

const fn all_jobs() -> f64 {
    1.0
}

/// The most memory that a task uses: exactly one of `mem` and `factor`. It grows evenly up to that.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["mem"] }, { "required": ["factor"] }]))]
pub struct MemPeak {
    /// As an amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mem: Option<Size>,
    /// As a multiple of what the task requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub factor: Option<f64>,
    /// The fraction of the task's progress at which it is reached. With 0 it is from the start.
    #[schemars(range(min = 0, max = 1))]
    pub at: f64,
}
