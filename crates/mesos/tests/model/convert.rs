//! Random operations on resources: RESERVE, UNRESERVE, CREATE, DESTROY, and conversions that are none of them.

use std::sync::Arc;

use mesos::resource::{
    Detail, DiskInfo, Persistence, Reservation, ReservationKind, Resource, ResourceConversion,
    ResourceOperation, Resources, Scalar, Value, Volume,
};
use mesos::role;

use super::pick::Pick;

/// The entry with another detail.
fn with(entry: &Resource, change: impl FnOnce(&mut Detail)) -> Resource {
    let mut detail = entry.detail.as_deref().cloned().unwrap_or_default();
    change(&mut detail);
    Resource { detail: Some(Arc::new(detail)), ..entry.clone() }
}

/// All of an amount, or half of it if it can be divided.
fn whole_or_half(pick: &mut Pick, entry: &Resource) -> Resource {
    let disk = entry.detail.as_ref().is_some_and(|detail| detail.disk.is_some());
    match &entry.value {
        Value::Scalar(amount) if !disk && amount.0 > 1 && pick.below(2) == 1 => {
            Resource { value: Value::Scalar(Scalar(amount.0 / 2)), ..entry.clone() }
        }
        Value::Scalar(_) | Value::Ranges(_) | Value::Set(_) => entry.clone(),
    }
}

fn one(entry: Resource) -> Option<Resources> {
    Resources::from_entries([entry]).ok()
}

fn entries(of: &Resources) -> Vec<Resource> {
    of.entries().map(|(entry, _)| entry).collect()
}

fn last_reservation(entry: &Resource) -> Option<&Reservation> {
    entry.detail.as_ref()?.reservations.last()
}

fn is_volume(entry: &Resource) -> bool {
    let disk = entry.detail.as_ref().and_then(|detail| detail.disk.as_ref());
    disk.is_some_and(|disk| disk.persistence.is_some())
}

fn is_revocable(entry: &Resource) -> bool {
    entry.detail.as_ref().is_some_and(|detail| detail.revocable)
}

fn reserve(pick: &mut Pick, of: &Resources, name: &str) -> Option<ResourceOperation> {
    let can = |entry: &&Resource| {
        let fits = last_reservation(entry).is_none_or(|last| role::is_strict_subrole(name, &last.role));
        fits && !is_volume(entry) && !is_revocable(entry)
    };
    let all = entries(of);
    let entry = pick.any(&all.iter().filter(can).collect::<Vec<_>>())?;
    let entry = whole_or_half(pick, entry);
    let reservation = Reservation {
        kind: ReservationKind::Dynamic,
        role: name.into(),
        principal: Some("p".to_owned()),
        labels: None,
    };
    let resources = one(with(&entry, |detail| detail.reservations.push(reservation)))?;
    (name != role::DEFAULT).then_some(ResourceOperation::Reserve { source: None, resources })
}

fn unreserve(pick: &mut Pick, of: &Resources) -> Option<ResourceOperation> {
    let can = |entry: &&Resource| {
        last_reservation(entry).is_some_and(|last| last.kind == ReservationKind::Dynamic) && !is_volume(entry)
    };
    let all = entries(of);
    let entry = pick.any(&all.iter().filter(can).collect::<Vec<_>>())?;
    let entry = whole_or_half(pick, entry);
    one(entry).map(|resources| ResourceOperation::Unreserve { resources })
}

fn create(pick: &mut Pick, of: &Resources, id: String) -> Option<ResourceOperation> {
    let can = |entry: &&Resource| {
        entry.name.as_str() == "disk" && last_reservation(entry).is_some() && !is_volume(entry)
    };
    let all = entries(of);
    let entry = pick.any(&all.iter().filter(can).collect::<Vec<_>>())?;
    let entry = whole_or_half(pick, entry);
    let shared = pick.below(2) == 1;
    let volume = with(&entry, |detail| {
        let source = detail.disk.take().and_then(|disk| disk.source);
        let persistence = Persistence { id, principal: Some("p".to_owned()) };
        let path = Volume { container_path: "data".to_owned(), host_path: None, writable: true };
        detail.disk = Some(DiskInfo { source, persistence: Some(persistence), volume: Some(path) });
        detail.shared = shared;
    });
    one(volume).map(|volumes| ResourceOperation::Create { volumes })
}

fn destroy(pick: &mut Pick, of: &Resources) -> Option<ResourceOperation> {
    let all = entries(of);
    let entry = pick.any(&all.iter().filter(|entry| is_volume(entry)).collect::<Vec<_>>())?;
    one(entry.clone()).map(|volumes| ResourceOperation::Destroy { volumes })
}

/// An operation that could be applied to resources, for a role.
pub(crate) fn operation(
    pick: &mut Pick,
    of: &Resources,
    name: &str,
    new_volume: String,
) -> Option<ResourceOperation> {
    match pick.below(4) {
        0 => reserve(pick, of, name),
        1 => unreserve(pick, of),
        2 => create(pick, of, new_volume),
        _ => destroy(pick, of),
    }
}

/// Conversions that could be applied to what somebody was offered.
pub(crate) fn conversions(
    pick: &mut Pick,
    of: &Resources,
    name: &str,
    new_volume: String,
) -> Option<Vec<ResourceConversion>> {
    match pick.below(4) {
        0 | 1 => operation(pick, of, name, new_volume)?.conversions().ok(),
        // Something vanishes.
        2 => {
            let all = entries(of);
            let plain: Vec<&Resource> = all.iter().filter(|entry| !is_volume(entry)).collect();
            let entry = pick.any(&plain)?;
            let consumed = one(whole_or_half(pick, entry))?;
            Some(vec![ResourceConversion { consumed, converted: Resources::EMPTY, gone: None }])
        }
        // One more copy of a shared volume.
        _ => {
            let converted = Resources::from_entries(entries(&of.shared()).into_iter().take(1)).ok()?;
            let more = ResourceConversion { consumed: Resources::EMPTY, converted, gone: None };
            (!more.converted.is_empty()).then(|| vec![more])
        }
    }
}

/// Whether all of it or a part: some entries, some of them halved.
pub(crate) fn part(pick: &mut Pick, of: &Resources) -> Resources {
    if pick.below(3) != 2 {
        return of.clone();
    }
    let all = entries(of);
    let chosen = pick.some(&all);
    let halved: Vec<Resource> = chosen.iter().map(|entry| whole_or_half(pick, entry)).collect();
    Resources::from_entries(halved).unwrap_or_default()
}
