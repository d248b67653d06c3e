//! Operations on resources as `Offer.Operation` of Mesos' v1 JSON has them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::super::{InvalidResource, Resource, ResourceOperation, Resources};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct WireOperation {
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reserve: Option<Reserve>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreserve: Option<Unreserve>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create: Option<Volumes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroy: Option<Volumes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grow_volume: Option<Grow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shrink_volume: Option<Shrink>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Reserve {
    #[serde(skip_serializing_if = "Resources::is_empty")]
    source: Resources,
    resources: Resources,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Unreserve {
    resources: Resources,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Volumes {
    volumes: Resources,
}

#[derive(Serialize, Deserialize)]
struct Grow {
    volume: Resource,
    addition: Resource,
}

#[derive(Serialize, Deserialize)]
struct Shrink {
    volume: Resource,
    subtract: super::Number,
}

/// Operations that launch tasks or make other disks are not conversions of resources, and so an error.
impl<'de> Deserialize<'de> for ResourceOperation {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wire = WireOperation::deserialize(from)?;
        let without = |field: &str| de::Error::custom(format!("operation {} without `{field}`", wire.kind));
        match wire.kind.as_str() {
            "RESERVE" => {
                let Reserve { source, resources } = wire.reserve.ok_or_else(|| without("reserve"))?;
                Ok(Self::Reserve { source: (!source.is_empty()).then_some(source), resources })
            }
            "UNRESERVE" => {
                let Unreserve { resources } = wire.unreserve.ok_or_else(|| without("unreserve"))?;
                Ok(Self::Unreserve { resources })
            }
            "CREATE" => Ok(Self::Create { volumes: wire.create.ok_or_else(|| without("create"))?.volumes }),
            "DESTROY" => {
                Ok(Self::Destroy { volumes: wire.destroy.ok_or_else(|| without("destroy"))?.volumes })
            }
            "GROW_VOLUME" => {
                let Grow { volume, addition } = wire.grow_volume.ok_or_else(|| without("grow_volume"))?;
                Ok(Self::GrowVolume { volume: one(volume), addition: one(addition) })
            }
            "SHRINK_VOLUME" => {
                let Shrink { volume, subtract } =
                    wire.shrink_volume.ok_or_else(|| without("shrink_volume"))?;
                let size = subtract.value.ok_or_else(|| without("shrink_volume.subtract.value"))?;
                let subtract = InvalidResource::check_amount("subtract", size).map_err(de::Error::custom)?;
                Ok(Self::ShrinkVolume { volume: one(volume), subtract })
            }
            other => Err(de::Error::unknown_variant(
                other,
                &["RESERVE", "UNRESERVE", "CREATE", "DESTROY", "GROW_VOLUME", "SHRINK_VOLUME"],
            )),
        }
    }
}

impl Serialize for ResourceOperation {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let wire = match self.clone() {
            Self::Reserve { source, resources } => WireOperation {
                kind: "RESERVE".to_owned(),
                reserve: Some(Reserve { source: source.unwrap_or_default(), resources }),
                ..WireOperation::default()
            },
            Self::Unreserve { resources } => WireOperation {
                kind: "UNRESERVE".to_owned(),
                unreserve: Some(Unreserve { resources }),
                ..WireOperation::default()
            },
            Self::Create { volumes } => WireOperation {
                kind: "CREATE".to_owned(),
                create: Some(Volumes { volumes }),
                ..WireOperation::default()
            },
            Self::Destroy { volumes } => WireOperation {
                kind: "DESTROY".to_owned(),
                destroy: Some(Volumes { volumes }),
                ..WireOperation::default()
            },
            Self::GrowVolume { volume, addition } => WireOperation {
                kind: "GROW_VOLUME".to_owned(),
                grow_volume: Some(Grow { volume: first::<S>(&volume)?, addition: first::<S>(&addition)? }),
                ..WireOperation::default()
            },
            Self::ShrinkVolume { volume, subtract } => WireOperation {
                kind: "SHRINK_VOLUME".to_owned(),
                shrink_volume: Some(Shrink {
                    volume: first::<S>(&volume)?,
                    subtract: super::Number { value: Some(subtract.as_f64()) },
                }),
                ..WireOperation::default()
            },
        };
        wire.serialize(to)
    }
}

fn one(resource: Resource) -> Resources {
    let mut one = Resources::EMPTY;
    one.add_resource(resource);
    one
}

fn first<S: Serializer>(volume: &Resources) -> Result<Resource, S::Error> {
    let first = volume.entries().next().map(|(resource, _)| resource);
    first.ok_or_else(|| ser::Error::custom("an operation on a volume without the volume"))
}
