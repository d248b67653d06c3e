//! From resources to JSON, in the three formats of reservations.

use serde::{Serialize, Serializer, ser::SerializeSeq as _};

use super::{
    super::{
        DiskInfo, DiskSource, DiskSourceKind, Reservation, ReservationKind, Resource, Resources, Value,
        Volume,
    },
    Allocation, Interval, Intervals, Label, Labels, Mark, Number, Root, Text, WireDisk, WirePersistence,
    WireReservation, WireResource, WireSource, WireVolume, Words,
};
use crate::role;

/// A refined reservation, where only one reservation can be said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` has a refined reservation, which the format without refinement cannot say")]
pub struct RefinedReservation(pub String);

impl WireResource {
    /// As the master has it inside, and as those with RESERVATION_REFINEMENT see it: all reservations in `reservations`
    /// (the post-refinement format).
    #[must_use]
    pub fn post_refinement(resource: &Resource) -> Self {
        let mut wire = Self::without_reservations(resource);
        let stack = &resource.about().reservations;
        wire.reservations = (!stack.is_empty()).then(|| stack.iter().map(WireReservation::write).collect());
        wire
    }

    /// As those without RESERVATION_REFINEMENT see it: `role`, and `reservation` if it is dynamic (the pre-refinement
    /// format, `downgradeResources`).
    ///
    /// # Errors
    /// For a refined reservation, which it cannot say.
    pub fn pre_refinement(resource: &Resource) -> Result<Self, RefinedReservation> {
        if resource.is_refined() {
            return Err(RefinedReservation(resource.to_string()));
        }
        let mut wire = Self::without_reservations(resource);
        wire.set_legacy(resource.about().reservations.last());
        Ok(wire)
    }

    /// As the HTTP endpoints show it: both spellings where the old one can say it (the endpoint format).
    #[must_use]
    pub fn endpoint(resource: &Resource) -> Self {
        let mut wire = Self::post_refinement(resource);
        if !resource.is_refined() {
            wire.set_legacy(resource.about().reservations.last());
        }
        wire
    }

    fn set_legacy(&mut self, reservation: Option<&Reservation>) {
        self.role = Some(reservation.map_or(role::DEFAULT, |reservation| &reservation.role).to_owned());
        self.reservation = reservation
            .filter(|reservation| reservation.kind == ReservationKind::Dynamic)
            .map(|reservation| WireReservation {
                kind: None,
                role: None,
                ..WireReservation::write(reservation)
            });
    }

    fn without_reservations(resource: &Resource) -> Self {
        let about = resource.about();
        let mut wire = Self {
            provider_id: about.provider.as_ref().map(|id| Text { value: Some(id.to_string()) }),
            name: Some(resource.name.as_str().to_owned()),
            allocation_info: about
                .allocation_role
                .as_ref()
                .map(|role| Allocation { role: Some(role.to_string()) }),
            disk: about.disk.as_ref().map(WireDisk::write),
            revocable: about.revocable.then_some(Mark {}),
            shared: about.shared.then_some(Mark {}),
            ..Self::default()
        };
        let kind = match &resource.value {
            Value::Scalar(amount) => {
                wire.scalar = Some(Number { value: Some(amount.as_f64()) });
                "SCALAR"
            }
            Value::Ranges(ranges) => {
                let range = |(begin, end)| Interval { begin: Some(begin), end: Some(end) };
                wire.ranges = Some(Intervals { range: Some(ranges.iter().map(range).collect()) });
                "RANGES"
            }
            Value::Set(set) => {
                wire.set = Some(Words { item: Some(set.iter().map(ToString::to_string).collect()) });
                "SET"
            }
        };
        wire.kind = Some(kind.to_owned());
        wire
    }
}

impl WireReservation {
    fn write(reservation: &Reservation) -> Self {
        let kind = match reservation.kind {
            ReservationKind::Static => "STATIC",
            ReservationKind::Dynamic => "DYNAMIC",
        };
        Self {
            kind: Some(kind.to_owned()),
            role: Some(reservation.role.to_string()),
            principal: reservation.principal.clone(),
            labels: reservation.labels.as_deref().map(write_labels),
        }
    }
}

impl WireDisk {
    fn write(disk: &DiskInfo) -> Self {
        let volume = |volume: &Volume| WireVolume {
            container_path: Some(volume.container_path.clone()),
            mode: Some(if volume.writable { "RW" } else { "RO" }.to_owned()),
            host_path: volume.host_path.clone(),
        };
        Self {
            source: disk.source.as_ref().map(WireSource::write),
            persistence: disk
                .persistence
                .as_ref()
                .map(|of| WirePersistence { id: Some(of.id.clone()), principal: of.principal.clone() }),
            volume: disk.volume.as_ref().map(volume),
        }
    }
}

impl WireSource {
    fn write(source: &DiskSource) -> Self {
        let root =
            |of| (source.kind == of && source.root.is_some()).then(|| Root { root: source.root.clone() });
        Self {
            kind: Some(source.kind.as_str().to_owned()),
            path: root(DiskSourceKind::Path),
            mount: root(DiskSourceKind::Mount),
            vendor: source.vendor.clone(),
            id: source.id.clone(),
            metadata: source.metadata.as_deref().map(write_labels),
            profile: source.profile.clone(),
        }
    }
}

fn write_labels(labels: &[(String, Option<String>)]) -> Labels {
    let label =
        |(key, value): &(String, Option<String>)| Label { key: Some(key.clone()), value: value.clone() };
    Labels { labels: Some(labels.iter().map(label).collect()) }
}

impl Resources {
    /// All of them as those without RESERVATION_REFINEMENT see them, a shared volume as often as it is held
    /// (`downgradeResources`).
    ///
    /// # Errors
    /// When one of them has a refined reservation.
    pub fn downgrade(&self) -> Result<Vec<WireResource>, RefinedReservation> {
        self.as_often_as_held().map(|resource| WireResource::pre_refinement(&resource)).collect()
    }

    /// Each resource in order, a shared volume as often as it is held.
    pub fn as_often_as_held(&self) -> impl Iterator<Item = Resource> + '_ {
        self.entries().flat_map(|(resource, copies)| (0..copies).map(move |_| resource.clone()))
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        WireResource::post_refinement(self).serialize(to)
    }
}

/// As a list, a shared volume as often as it is held.
impl Serialize for Resources {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(None)?;
        self.as_often_as_held().try_for_each(|resource| list.serialize_element(&resource))?;
        list.end()
    }
}
