//! The forms of single values in a scenario.

use std::fmt;

use mesos::{
    attribute::Attributes,
    capability::{AgentCapabilities, Capabilities},
    domain::FaultDomain,
    maintenance::{InverseOfferStatus, Unavailability},
    resource::{
        OperationError, ResourceConversion, ResourceLimits, ResourceOperation, ResourceQuantities, Resources,
    },
    time::{Span, Time},
};
use serde::{Deserialize, Deserializer, de::Error};

use super::compare::text;
use crate::nearest;

/// The quantities in a list of them.
pub(super) fn alternatives(list: &[Quantities]) -> Vec<ResourceQuantities> {
    list.iter().map(|quantities| quantities.0.clone()).collect()
}

/// `{consumed, converted}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Conversion {
    consumed: Resources,
    converted: Resources,
}

impl fmt::Display for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (consumed, converted) = (text(&self.consumed), text(&self.converted));
        write!(f, "{consumed} becomes {converted}")
    }
}

/// What is to be done with an allocation, as conversions.
pub(super) fn conversions(
    operations: Option<&[ResourceOperation]>,
    conversions: Option<&[Conversion]>,
) -> Result<Vec<ResourceConversion>, OperationError> {
    let mut all = Vec::new();
    for operation in operations.unwrap_or_default() {
        all.extend(operation.conversions()?);
    }
    let plain = conversions.unwrap_or_default().iter();
    all.extend(plain.map(|Conversion { consumed, converted }| ResourceConversion {
        consumed: consumed.clone(),
        converted: converted.clone(),
        gone: None,
    }));
    Ok(all)
}

/// A fault domain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Domain {
    region: String,
    zone: String,
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "region {} zone {}", self.region, self.zone)
    }
}

impl From<Domain> for FaultDomain {
    fn from(domain: Domain) -> Self {
        Self { region: domain.region, zone: domain.zone }
    }
}

/// Planned maintenance.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Away {
    pub(super) start_secs: Seconds,
    pub(super) duration_secs: Option<Seconds>,
}

impl From<Away> for Unavailability {
    fn from(away: Away) -> Self {
        Self { start: Time::ZERO + away.start_secs.0, duration: away.duration_secs.map(|secs| secs.0) }
    }
}

/// An answer to an inverse offer.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Answer {
    Accept,
    Decline,
}

impl From<Answer> for InverseOfferStatus {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Accept => Self::Accept,
            Answer::Decline => Self::Decline,
        }
    }
}

/// A length of time given in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct Seconds(pub(super) Span);

impl TryFrom<f64> for Seconds {
    type Error = String;
    fn try_from(secs: f64) -> Result<Self, String> {
        Span::from_secs_f64(secs).map(Self).ok_or_else(|| format!("expected seconds from 0 on, found {secs}"))
    }
}

/// Amounts as text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Quantities(pub(super) ResourceQuantities);

impl TryFrom<String> for Quantities {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        mesos::resource::parse_quantities(&text).map(Self).map_err(|error| error.to_string())
    }
}

/// Limits as text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Limits(pub(super) ResourceLimits);

impl TryFrom<String> for Limits {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        ResourceLimits::parse(&text).map(Self).map_err(|error| error.to_string())
    }
}

/// Attributes as text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct AttributeText(pub(super) Attributes);

impl TryFrom<String> for AttributeText {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Attributes::parse(&text).map(Self).map_err(|error| error.to_string())
    }
}

/// The default of what is true unless said otherwise.
pub(super) fn yes() -> bool {
    true
}

/// What an agent can do that says nothing.
pub(super) fn agent_capabilities() -> AgentCapabilities {
    let nested = AgentCapabilities::HIERARCHICAL_ROLE.and(AgentCapabilities::RESERVATION_REFINEMENT);
    AgentCapabilities::MULTI_ROLE.and(nested)
}

/// What a framework can do that says nothing.
pub(super) fn framework_capabilities() -> Capabilities {
    Capabilities::MULTI_ROLE
}

pub(super) fn agent_words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AgentCapabilities, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    words.iter().try_fold(AgentCapabilities::NONE, |all, word| {
        let known = AgentCapabilities::parse(word);
        known.map(|one| all.and(one)).ok_or_else(|| unknown(word, &AgentCapabilities::names()))
    })
}

pub(super) fn some_agent_words<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<AgentCapabilities>, D::Error> {
    agent_words(deserializer).map(Some)
}

pub(super) fn framework_words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Capabilities, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    words.iter().try_fold(Capabilities::NONE, |all, word| {
        let known = Capabilities::parse(word);
        known.map(|one| all.and(one)).ok_or_else(|| unknown(word, &Capabilities::names()))
    })
}

fn unknown<E: Error>(word: &str, words: &[&str]) -> E {
    let expected = nearest::expected(word, words.iter().copied());
    E::custom(format!("unknown capability `{word}`: {expected}"))
}

/// Tells a key that is null from one that is not there.
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
