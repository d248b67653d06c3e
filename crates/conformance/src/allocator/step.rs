//! The form of one step, key by key.

use std::collections::BTreeMap;

use mesos::{
    capability::{AgentCapabilities, Capabilities},
    resource::{ResourceOperation, Resources},
};
use serde::Deserialize;

use super::value::{
    Answer, AttributeText, Away, Conversion, Domain, Limits, Quantities, Seconds, agent_capabilities,
    agent_words, framework_capabilities, framework_words, given, some_agent_words, yes,
};

/// {framework or agent: {role: resources}}.
pub(super) type Used = BTreeMap<String, BTreeMap<String, Resources>>;

/// One step: the key `op` says which, the others are its fields.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    AddAgent(Box<AddAgent>),
    UpdateAgent(Box<UpdateAgent>),
    AddResourceProvider(AddResourceProvider),
    RemoveAgent(ForAgent),
    ActivateAgent(ForAgent),
    DeactivateAgent(ForAgent),
    AddFramework(Box<AddFramework>),
    UpdateFramework(Box<UpdateFramework>),
    RemoveFramework(ForFramework),
    ActivateFramework(ForFramework),
    DeactivateFramework(ForFramework),
    RecoverResources(Box<RecoverResources>),
    TransitionOfferedToAllocated(Transition),
    SuppressOffers(ForRoles),
    ReviveOffers(ForRoles),
    UpdateWeights(UpdateWeights),
    UpdateQuota(Box<UpdateQuota>),
    UpdateAvailable(UpdateAvailable),
    UpdateAllocation(Box<UpdateAllocation>),
    UpdateUnavailability(UpdateUnavailability),
    UpdateInverseOffer(UpdateInverseOffer),
    SetWhitelist(SetWhitelist),
    Pause,
    Resume,
    Advance(Advance),
}

/// The fields of a step about an agent as a whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForAgent {
    pub(super) agent: String,
}

/// The fields of a step about a framework as a whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForFramework {
    pub(super) framework: String,
}

/// The fields of a step about some roles of a framework; none: all.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForRoles {
    pub(super) framework: String,
    #[serde(default)]
    pub(super) roles: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddAgent {
    pub(super) agent: String,
    pub(super) resources: Resources,
    #[serde(default = "agent_capabilities", deserialize_with = "agent_words")]
    pub(super) capabilities: AgentCapabilities,
    #[serde(default)]
    pub(super) attributes: AttributeText,
    pub(super) domain: Option<Domain>,
    pub(super) hostname: Option<String>,
    #[serde(default)]
    pub(super) used: Used,
    pub(super) unavailability: Option<Away>,
}

/// What is left out stays.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateAgent {
    pub(super) agent: String,
    pub(super) resources: Option<Resources>,
    #[serde(default, deserialize_with = "some_agent_words")]
    pub(super) capabilities: Option<AgentCapabilities>,
    pub(super) attributes: Option<AttributeText>,
    #[serde(default, deserialize_with = "given")]
    pub(super) domain: Option<Option<Domain>>,
    pub(super) hostname: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddResourceProvider {
    pub(super) agent: String,
    pub(super) resources: Resources,
    #[serde(default)]
    pub(super) used: Used,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddFramework {
    pub(super) framework: String,
    pub(super) roles: Vec<String>,
    #[serde(default = "framework_capabilities", deserialize_with = "framework_words")]
    pub(super) capabilities: Capabilities,
    #[serde(default)]
    pub(super) suppressed_roles: Vec<String>,
    #[serde(default = "yes")]
    pub(super) active: bool,
    #[serde(default)]
    pub(super) used: Used,
    #[serde(default)]
    pub(super) min_allocatable: BTreeMap<String, Vec<Quantities>>,
}

/// The whole new state: what is left out takes its default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateFramework {
    pub(super) framework: String,
    pub(super) roles: Vec<String>,
    #[serde(default = "framework_capabilities", deserialize_with = "framework_words")]
    pub(super) capabilities: Capabilities,
    #[serde(default)]
    pub(super) suppressed_roles: Vec<String>,
    #[serde(default)]
    pub(super) min_allocatable: BTreeMap<String, Vec<Quantities>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecoverResources {
    pub(super) framework: String,
    pub(super) agent: String,
    pub(super) role: String,
    pub(super) resources: Resources,
    pub(super) refuse_secs: Option<f64>,
    #[serde(default)]
    pub(super) allocated: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transition {
    pub(super) agent: String,
    pub(super) role: String,
    pub(super) resources: Resources,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateWeights {
    pub(super) weights: BTreeMap<String, f64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateQuota {
    pub(super) role: String,
    #[serde(default)]
    pub(super) guarantees: Quantities,
    #[serde(default)]
    pub(super) limits: Limits,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateAvailable {
    pub(super) agent: String,
    pub(super) operations: Vec<ResourceOperation>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateAllocation {
    pub(super) framework: String,
    pub(super) agent: String,
    pub(super) role: String,
    pub(super) offered: Resources,
    pub(super) operations: Option<Vec<ResourceOperation>>,
    pub(super) conversions: Option<Vec<Conversion>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateUnavailability {
    pub(super) agent: String,
    pub(super) unavailability: Option<Away>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateInverseOffer {
    pub(super) framework: String,
    pub(super) agent: String,
    pub(super) status: Option<Answer>,
    pub(super) refuse_secs: Option<f64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetWhitelist {
    pub(super) hostnames: Option<Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    pub(super) secs: Seconds,
}
