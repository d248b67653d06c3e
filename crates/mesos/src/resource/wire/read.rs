//! From JSON to resources, with the checks that only this form can fail (`Resources::validate`, `upgradeResource`).

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, de};

use super::{
    super::{
        Detail, DiskInfo, DiskSource, DiskSourceKind, InvalidResource, Name, Persistence, Reservation,
        ReservationKind, Resource, Resources, Set, Value, Volume,
    },
    Labels, Root, WireDisk, WireReservation, WireResource, WireSource, WireVolume,
};
use crate::role;

impl TryFrom<WireResource> for Resource {
    type Error = InvalidResource;

    fn try_from(wire: WireResource) -> Result<Self, InvalidResource> {
        let name = wire.name.clone().ok_or(InvalidResource::Missing("name"))?;
        let kind = wire.kind.clone().ok_or(InvalidResource::Missing("type"))?;
        if name.is_empty() {
            return Err(InvalidResource::EmptyName);
        }
        let value = wire.value(&name, &kind)?;
        let disk = wire.disk.as_ref().map(|disk| disk.read(&name)).transpose()?;
        let detail = Detail {
            allocation_role: wire
                .allocation_info
                .as_ref()
                .and_then(|info| info.role.as_deref())
                .map(Arc::from),
            reservations: wire.stack(&name)?,
            disk,
            revocable: wire.revocable.is_some(),
            shared: wire.shared.is_some(),
            provider: match &wire.provider_id {
                Some(id) => Some(required(id.value.as_deref(), "provider_id.value")?.into()),
                None => None,
            },
        };
        let resource = Self::new(Name::new(&name), value, detail);
        resource.validate()?;
        Ok(resource)
    }
}

impl WireResource {
    fn value(&self, name: &str, kind: &str) -> Result<Value, InvalidResource> {
        let (scalar, ranges, set) = (&self.scalar, &self.ranges, &self.set);
        let scalar = scalar.as_ref().map(|scalar| required(scalar.value, "scalar.value")).transpose()?;
        let intervals = ranges.as_ref().map(super::Intervals::read).transpose()?;
        let other = |kind| InvalidResource::ValueOfOtherType { name: name.to_owned(), kind };
        match kind {
            "SCALAR" => match (scalar, intervals, set) {
                (Some(value), None, None) => Ok(Value::Scalar(InvalidResource::check_amount(name, value)?)),
                _ => Err(other("SCALAR")),
            },
            "RANGES" => match (scalar, intervals, set) {
                (None, Some(intervals), None) => {
                    Ok(Value::Ranges(InvalidResource::check_ranges(name, &intervals)?))
                }
                _ => Err(other("RANGES")),
            },
            "SET" => match (scalar, intervals, set) {
                (None, None, Some(words)) => {
                    let words = words.item.clone().unwrap_or_default();
                    InvalidResource::check_set(name, &words)?;
                    Ok(Value::Set(Set::new(words)))
                }
                _ => Err(other("SET")),
            },
            "TEXT" => Err(InvalidResource::UnsupportedType { name: name.to_owned(), kind: kind.to_owned() }),
            _ => Err(word("type", kind, "SCALAR, RANGES, SET")),
        }
    }

    /// The stack of reservations, from either spelling; both at once must agree.
    fn stack(&self, name: &str) -> Result<Vec<Reservation>, InvalidResource> {
        let stack = self.reservations.as_deref().unwrap_or_default();
        let stack: Vec<_> = stack.iter().map(|one| one.read(name)).collect::<Result<_, _>>()?;
        if stack.is_empty() {
            return self.legacy_stack(name);
        }
        let legacy = |what| Err(InvalidResource::Legacy { name: name.to_owned(), what });
        let [only] = stack.as_slice() else {
            return if self.role.is_some() || self.reservation.is_some() {
                legacy("`role` and `reservation` cannot be set beside several `reservations`")
            } else {
                Ok(stack)
            };
        };
        if self.role.as_deref().is_some_and(|role| *role != *only.role) {
            return legacy("`role` is not the role of `reservations`");
        }
        match (only.kind, &self.reservation) {
            (ReservationKind::Static, Some(_)) => {
                legacy("`reservation` cannot be set beside a static reservation")
            }
            (ReservationKind::Dynamic, Some(old)) => {
                let same =
                    old.principal == only.principal && read_labels(old.labels.as_ref())? == only.labels;
                if self.role.is_none() {
                    legacy("`reservation` is set without `role`")
                } else if same {
                    Ok(stack)
                } else {
                    legacy("`reservation` and `reservations` do not say the same")
                }
            }
            (ReservationKind::Dynamic, None) if self.role.is_some() => {
                legacy("`role` is set without `reservation`")
            }
            (ReservationKind::Static | ReservationKind::Dynamic, None) => Ok(stack),
        }
    }

    /// The stack from the spelling of old: `role`, and `reservation` if it is dynamic.
    fn legacy_stack(&self, name: &str) -> Result<Vec<Reservation>, InvalidResource> {
        let role = self.role.as_deref().unwrap_or(role::DEFAULT);
        role::validate(role)?;
        let legacy = |what| Err(InvalidResource::Legacy { name: name.to_owned(), what });
        let (kind, principal, labels) = match &self.reservation {
            Some(old) if old.kind.is_some() || old.role.is_some() => {
                return legacy("`reservation` cannot have a type or a role");
            }
            Some(_) if role == role::DEFAULT => return legacy("role `*` cannot be dynamically reserved"),
            Some(old) => (ReservationKind::Dynamic, old.principal.clone(), read_labels(old.labels.as_ref())?),
            None if role == role::DEFAULT => return Ok(Vec::new()),
            None => (ReservationKind::Static, None, None),
        };
        Ok(vec![Reservation { kind, role: role.into(), principal, labels }])
    }
}

impl super::Intervals {
    fn read(&self) -> Result<Vec<(u64, u64)>, InvalidResource> {
        let ends = |one: &super::Interval| {
            Ok((required(one.begin, "ranges.range.begin")?, required(one.end, "ranges.range.end")?))
        };
        self.range.iter().flatten().map(ends).collect()
    }
}

impl WireReservation {
    fn read(&self, name: &str) -> Result<Reservation, InvalidResource> {
        let without = |field| InvalidResource::ReservationWithout { name: name.to_owned(), field };
        let kind = match self.kind.as_deref() {
            Some("STATIC") => ReservationKind::Static,
            Some("DYNAMIC") => ReservationKind::Dynamic,
            Some("UNKNOWN") | None => return Err(without("type")),
            Some(other) => return Err(word("reservations.type", other, "STATIC, DYNAMIC")),
        };
        let role = self.role.as_deref().ok_or_else(|| without("role"))?;
        let (principal, labels) = (self.principal.clone(), read_labels(self.labels.as_ref())?);
        Ok(Reservation { kind, role: role.into(), principal, labels })
    }
}

impl WireDisk {
    fn read(&self, name: &str) -> Result<DiskInfo, InvalidResource> {
        if name != "disk" {
            return Err(InvalidResource::NotADisk(name.to_owned()));
        }
        let source = self.source.as_ref().map(WireSource::read).transpose()?;
        let volume = self.volume.as_ref().map(WireVolume::read).transpose()?;
        let persistence = match &self.persistence {
            Some(wire) => Some(Persistence {
                id: required(wire.id.clone(), "disk.persistence.id")?,
                principal: wire.principal.clone(),
            }),
            None => None,
        };
        Ok(DiskInfo { source, persistence, volume })
    }
}

impl WireVolume {
    fn read(&self) -> Result<Volume, InvalidResource> {
        let container_path = required(self.container_path.clone(), "disk.volume.container_path")?;
        let writable = match required(self.mode.as_deref(), "disk.volume.mode")? {
            "RW" => true,
            "RO" => false,
            other => return Err(word("disk.volume.mode", other, "RW, RO")),
        };
        Ok(Volume { container_path, host_path: self.host_path.clone(), writable })
    }
}

impl WireSource {
    fn read(&self) -> Result<DiskSource, InvalidResource> {
        let kind = match required(self.kind.as_deref(), "disk.source.type")? {
            "PATH" => DiskSourceKind::Path,
            "MOUNT" => DiskSourceKind::Mount,
            "BLOCK" => DiskSourceKind::Block,
            "RAW" => DiskSourceKind::Raw,
            other => return Err(word("disk.source.type", other, "PATH, MOUNT, BLOCK, RAW")),
        };
        let root = match kind {
            DiskSourceKind::Path => self.path.as_ref(),
            DiskSourceKind::Mount => self.mount.as_ref(),
            DiskSourceKind::Block | DiskSourceKind::Raw => {
                let roots = [("path", &self.path), ("mount", &self.mount)];
                if let Some((field, _)) = roots.into_iter().find(|(_, root)| root.is_some()) {
                    return Err(InvalidResource::SourceRoot { field, kind: kind.as_str() });
                }
                None
            }
        };
        Ok(DiskSource {
            kind,
            root: root.and_then(|Root { root }| root.clone()),
            vendor: self.vendor.clone(),
            id: self.id.clone(),
            metadata: read_labels(self.metadata.as_ref())?,
            profile: self.profile.clone(),
        })
    }
}

type Pairs = Vec<(String, Option<String>)>;

fn read_labels(labels: Option<&Labels>) -> Result<Option<Pairs>, InvalidResource> {
    let Some(labels) = labels else { return Ok(None) };
    let pair = |label: &super::Label| Ok((required(label.key.clone(), "labels.key")?, label.value.clone()));
    labels.labels.iter().flatten().map(pair).collect::<Result<_, _>>().map(Some)
}

fn required<T>(field: Option<T>, name: &'static str) -> Result<T, InvalidResource> {
    field.ok_or(InvalidResource::Missing(name))
}

fn word(field: &'static str, value: &str, expected: &'static str) -> InvalidResource {
    InvalidResource::Word { field, value: value.to_owned(), expected }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        WireResource::deserialize(from)?.try_into().map_err(de::Error::custom)
    }
}

/// From text as [`Resources::parse`] takes it, or from a list of resources.
impl<'de> Deserialize<'de> for Resources {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextOrList)
    }
}

struct TextOrList;

impl<'de> de::Visitor<'de> for TextOrList {
    type Value = Resources;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("resources, as text of the form name:value;... or as a list of Mesos' Resource objects")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Resources, E> {
        Resources::parse(text).map_err(E::custom)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Resources, A::Error> {
        let mut all = Resources::EMPTY;
        while let Some(resource) = list.next_element::<Resource>()? {
            all.add_resource(resource);
        }
        Ok(all)
    }
}
