//! Lengths of time that are drawn: a text or a table.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, IntoDeserializer, value::MapAccessDeserializer},
};

use super::units::Duration;

/// How long something takes: always the same (`"10 min"`), or drawn (`{ mean = "10 min", distribution = "weibull" }`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// Mean.
    pub mean: Duration,
    /// How it is distributed.
    pub distribution: Distribution,
    /// Of a Weibull distribution.
    pub shape: Option<f64>,
    /// Of a lognormal distribution.
    pub sigma: Option<f64>,
}

/// How lengths of time are distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    /// Without memory.
    #[default]
    Exponential,
    /// Always the mean.
    Constant,
    /// With a `shape` below 1 the young fail more often, above 1 the old.
    Weibull,
    /// Most are short, some very long, the more so the larger `sigma` is.
    Lognormal,
}

/// A length of time that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Law")]
struct Table {
    /// Mean.
    mean: Duration,
    /// How it is distributed.
    #[serde(default)]
    distribution: Distribution,
    /// Of a Weibull distribution, which needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.05, max = 100))]
    shape: Option<f64>,
    /// Of a lognormal distribution, which needs it: the standard deviation of the logarithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10))]
    sigma: Option<f64>,
}

impl Law {
    pub(in crate::experiment) const fn constant(mean: Duration) -> Self {
        Self { mean, distribution: Distribution::Constant, shape: None, sigma: None }
    }
}

impl Serialize for Law {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == Self::constant(self.mean) {
            return self.mean.serialize(serializer);
        }
        let Self { mean, distribution, shape, sigma } = *self;
        Table { mean, distribution, shape, sigma }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Law {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LawVisitor)
    }
}

impl JsonSchema for Law {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Law".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (table, text) = (generator.subschema_for::<Table>(), generator.subschema_for::<Duration>());
        json_schema!({ "anyOf": [table, text] })
    }
}

struct LawVisitor;

impl<'de> de::Visitor<'de> for LawVisitor {
    type Value = Law;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration in quotes such as \"10 min\" or a table such as { mean = \"10 min\" }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Law, E> {
        Duration::deserialize(text.into_deserializer()).map(Law::constant)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Law, E> {
        Duration::deserialize(number.into_deserializer()).map(Law::constant)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Law, E> {
        Duration::deserialize(number.into_deserializer()).map(Law::constant)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Law, E> {
        Duration::deserialize(number.into_deserializer()).map(Law::constant)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Law, A::Error> {
        let Table { mean, distribution, shape, sigma } = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Law { mean, distribution, shape, sigma })
    }
}
