//! Resources and operations on them as Mesos' v1 JSON has them.
//!
//! Reading is as strict as Mesos: whatever it would refuse, old spellings of reservations included, is an error. Fields that
//! are not known are passed over.

mod operation;
mod read;
mod write;

use serde::{Deserialize, Serialize};

pub use write::RefinedReservation;

/// A resource as it is spelled in JSON, in one of the three formats that Mesos uses for reservations.
///
/// A [`Resource`](super::Resource) serializes in the newest one by itself; make one of these to write another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WireResource {
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_id: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scalar: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ranges: Option<Intervals>,
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<Words>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allocation_info: Option<Allocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<WireReservation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservations: Option<Vec<WireReservation>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<WireDisk>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocable: Option<Mark>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shared: Option<Mark>,
}

/// `{}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Mark {}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Text {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Number {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Intervals {
    range: Option<Vec<Interval>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Interval {
    begin: Option<u64>,
    end: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Words {
    item: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Allocation {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct WireReservation {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Labels>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Labels {
    labels: Option<Vec<Label>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Label {
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct WireDisk {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<WireSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    persistence: Option<WirePersistence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<WireVolume>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct WirePersistence {
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct WireVolume {
    container_path: Option<String>,
    mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_path: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct WireSource {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Root>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mount: Option<Root>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Labels>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Root {
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<String>,
}
