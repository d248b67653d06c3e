//! The form of an allocator scenario's file: options, steps and what they must bring.

use std::collections::BTreeMap;

use mesos::{
    allocator::{AllocatorOptions, SorterKind},
    resource::Resources,
};
use serde::Deserialize;

use super::{
    step::Step,
    value::{Domain, Quantities, Seconds, alternatives},
};

/// What is done to an allocator, and what it must answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllocatorScenario {
    /// Short, for people.
    #[serde(default)]
    pub name: String,
    /// One line: what it shows.
    #[serde(default)]
    pub about: String,
    /// Where the answers come from.
    #[serde(default)]
    pub source: String,
    /// Groups files.
    #[serde(default)]
    pub topic: String,
    #[serde(default)]
    pub(super) options: Options,
    pub(super) steps: Vec<Step>,
    pub(super) expect: Option<Vec<Expected>>,
    pub(super) asserted: Option<Vec<Asserted>>,
}

/// The allocator's options; each may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    pub(super) role_sorter: Option<SorterWord>,
    pub(super) framework_sorter: Option<SorterWord>,
    allocation_interval_secs: Option<Seconds>,
    fair_sharing_excluded_resources: Option<Vec<String>>,
    filter_gpu_resources: Option<bool>,
    min_allocatable_resources: Option<Vec<Quantities>>,
    pub(super) domain: Option<Domain>,
}

impl Options {
    /// With the defaults for what is left out.
    pub(super) fn complete(&self) -> AllocatorOptions {
        let defaults = AllocatorOptions::default();
        AllocatorOptions {
            allocation_interval: self
                .allocation_interval_secs
                .map_or(defaults.allocation_interval, |secs| secs.0),
            min_allocatable_resources: self
                .min_allocatable_resources
                .as_deref()
                .map_or(defaults.min_allocatable_resources, alternatives),
            filter_gpu_resources: self.filter_gpu_resources.unwrap_or(defaults.filter_gpu_resources),
            fair_sharing_excluded: self.fair_sharing_excluded_resources.clone().unwrap_or_default(),
            sorter: match self.role_sorter.unwrap_or_default() {
                SorterWord::Drf => SorterKind::Drf,
                SorterWord::Random => SorterKind::Random { seed: 0 },
            },
            domain: self.domain.clone().map(Into::into),
            ..defaults
        }
    }
}

/// Which sorter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SorterWord {
    #[default]
    Drf,
    Random,
}

/// What a step must bring.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    pub(super) step: usize,
    #[serde(default)]
    pub(super) offers: Vec<ExpectedOffer>,
    #[serde(default)]
    pub(super) inverse_offers: Vec<ExpectedInverse>,
}

/// An offer that must be made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedOffer {
    pub(super) framework: String,
    pub(super) role: String,
    pub(super) agent: String,
    pub(super) resources: Resources,
}

/// An inverse offer that must be made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedInverse {
    pub(super) framework: String,
    pub(super) agent: String,
}

/// What a source itself asserts: less than all offers, or something else than offers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asserted {
    step: Option<usize>,
    steps: Option<Vec<usize>>,
    pub(super) offers: Option<Vec<ExpectedOffer>>,
    pub(super) total: Option<BTreeMap<String, Resources>>,
    pub(super) any_of: Option<Vec<Vec<ExpectedOffer>>>,
    pub(super) count: Option<Count>,
    pub(super) failed: Option<bool>,
    pub(super) shares: Option<BTreeMap<String, Option<f64>>>,
    pub(super) filters: Option<BTreeMap<String, usize>>,
    pub(super) cluster: Option<Cluster>,
}

impl Asserted {
    /// The steps that it is about, taken together. `None` unless just one of `step` and `steps` is there.
    pub(super) fn steps(&self) -> Option<Vec<usize>> {
        match (self.step, &self.steps) {
            (Some(step), None) => Some(vec![step]),
            (None, Some(steps)) if !steps.is_empty() => Some(steps.clone()),
            _ => None,
        }
    }

    pub(super) fn asserts_something(&self) -> bool {
        self.offers.is_some()
            || self.total.is_some()
            || self.any_of.is_some()
            || self.count.is_some()
            || self.failed.is_some()
            || self.shares.is_some()
            || self.filters.is_some()
            || self.cluster.is_some()
    }
}

/// How many offers.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a number of offers, or an object {framework: number}")]
pub(super) enum Count {
    All(usize),
    PerFramework(BTreeMap<String, usize>),
}

/// Scalar quantities over all agents.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cluster {
    pub(super) total: Quantities,
    pub(super) offered_or_allocated: Quantities,
}
