//! The form of a sorter scenario's file: options, steps and what must hold after them.

use std::collections::BTreeMap;

use mesos::{
    allocator::SorterKind,
    resource::{ResourceQuantities, Resources},
};
use serde::Deserialize;

/// What is done to a sorter, and what it must answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "keys for people")]
pub(super) struct Scenario {
    #[serde(default)]
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    topic: String,
    pub(super) options: Options,
    pub(super) steps: Vec<Step>,
    #[serde(default)]
    pub(super) expect: Vec<Expected>,
    /// What a source says beside `expect`, in the same form.
    #[serde(default)]
    pub(super) asserted: Vec<Expected>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    sorter: Word,
    #[serde(default)]
    fair_sharing_excluded_resources: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Drf,
    Random,
}

impl Options {
    pub(super) fn kind(&self) -> SorterKind {
        match self.sorter {
            Word::Drf => SorterKind::Drf,
            Word::Random => SorterKind::Random { seed: 0 },
        }
    }

    pub(super) fn excluded(&self) -> &[String] {
        &self.fair_sharing_excluded_resources
    }
}

/// One step: the key `op` says which, the others are its fields.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    Add(ForClient),
    Remove(ForClient),
    Activate(ForClient),
    Deactivate(ForClient),
    AddAgent(AddAgent),
    RemoveAgent(RemoveAgent),
    Allocated(Booking),
    Unallocated(Booking),
    Update(Update),
    UpdateWeight(UpdateWeight),
    Sort,
}

impl Step {
    /// As files have it.
    pub(super) fn op(&self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::Remove(_) => "remove",
            Self::Activate(_) => "activate",
            Self::Deactivate(_) => "deactivate",
            Self::AddAgent(_) => "add_agent",
            Self::RemoveAgent(_) => "remove_agent",
            Self::Allocated(_) => "allocated",
            Self::Unallocated(_) => "unallocated",
            Self::Update(_) => "update",
            Self::UpdateWeight(_) => "update_weight",
            Self::Sort => "sort",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForClient {
    pub(super) client: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddAgent {
    pub(super) agent: String,
    pub(super) resources: Resources,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveAgent {
    pub(super) agent: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Booking {
    pub(super) client: String,
    pub(super) agent: String,
    pub(super) resources: Resources,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    pub(super) client: String,
    pub(super) agent: String,
    pub(super) old: Resources,
    pub(super) new: Resources,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateWeight {
    pub(super) path: String,
    pub(super) weight: f64,
}

/// What holds after a step.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    pub(super) step: usize,
    pub(super) order: Option<Vec<String>>,
    pub(super) clients: Option<Vec<String>>,
    pub(super) count: Option<usize>,
    #[serde(default)]
    pub(super) contains: Vec<String>,
    #[serde(default)]
    pub(super) absent: Vec<String>,
    #[serde(default)]
    pub(super) allocation: BTreeMap<String, BTreeMap<String, Resources>>,
    #[serde(default)]
    pub(super) quantities: BTreeMap<String, Quantities>,
    pub(super) total_quantities: Option<Quantities>,
}

/// Amounts as text.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Quantities(pub(super) ResourceQuantities);

impl TryFrom<String> for Quantities {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        mesos::resource::parse_quantities(&text).map(Self).map_err(|error| error.to_string())
    }
}
