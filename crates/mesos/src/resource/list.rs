//! One entry of a set that is not plain, and when two of them merge, part, or hold each other.

use super::{Detail, DiskSourceKind, Name, Resource, ResourceName, ResourceQuantities, Value, entry};

/// A resource and, if it is shared, how often it is held (`Resources::Resource_`).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) resource: Resource,
    /// 1 unless shared.
    pub(super) copies: u32,
}

impl Entry {
    pub(super) const fn once(resource: Resource) -> Self {
        Self { resource, copies: 1 }
    }

    /// Whether `other` is in here (`Resource_::contains`).
    pub(super) fn contains(&self, other: &Self) -> bool {
        if self.resource.is_shared() || other.resource.is_shared() {
            return self.resource == other.resource && self.copies >= other.copies;
        }
        is_subtractable(&self.resource, &other.resource)
            && self.resource.value.contains(&other.resource.value)
    }
}

/// The entries in the order in which Mesos would have them.
#[derive(Clone, Debug, Default)]
pub(super) struct List(pub(super) Vec<Entry>);

impl List {
    /// Adds to the first entry that takes it, or at the end; `sum` follows (`Resources::add`).
    pub(super) fn add(&mut self, entry: &Entry, sum: &mut ResourceQuantities) {
        let added = &entry.resource;
        if added.value.is_empty() || entry.copies == 0 {
            return;
        }
        match self.0.iter_mut().find(|mine| is_addable(&mine.resource, added)) {
            Some(mine) if added.is_shared() => {
                mine.copies = mine.copies.saturating_add(entry.copies);
                return;
            }
            Some(mine) => mine.resource.value.add(&added.value),
            None => self.0.push(entry.clone()),
        }
        if let Some(amount) = added.amount() {
            sum.add(&added.name, amount);
        }
    }

    /// Subtracts from the first entry that lets it, if any; an entry with nothing left gives its place to the last one
    /// (`Resources::subtract`). True if an entry went.
    pub(super) fn subtract(&mut self, entry: &Entry, sum: &mut ResourceQuantities) -> bool {
        let gone = &entry.resource;
        if gone.value.is_empty() || entry.copies == 0 {
            return false;
        }
        let Some(place) = self.0.iter().position(|mine| is_subtractable(&mine.resource, gone)) else {
            return false;
        };
        let mine = &mut self.0[place];
        let before = mine.resource.amount();
        let emptied = if gone.is_shared() {
            mine.copies = mine.copies.saturating_sub(entry.copies);
            mine.copies == 0
        } else {
            mine.resource.value.subtract(&gone.value);
            mine.resource.amount().map_or_else(|| mine.resource.value.is_empty(), |left| left.0 <= 0)
        };
        if let (Some(before), Some(amount)) = (before, gone.amount())
            && (emptied || !gone.is_shared())
        {
            sum.take(&gone.name, before.min(amount));
        }
        if emptied {
            self.0.swap_remove(place);
        }
        emptied
    }

    /// Whether every entry could stand in the plain form, and no name twice.
    pub(super) fn is_plain(&self) -> bool {
        let mut seen = [false; ResourceName::ALL.len()];
        self.0.iter().all(|entry| match plain_name(&entry.resource) {
            Some(name) => !std::mem::replace(&mut seen[name as usize], true),
            None => false,
        })
    }
}

/// The well-known name of a plain amount.
pub(super) fn plain_name(resource: &Resource) -> Option<ResourceName> {
    match (&resource.name, &resource.value) {
        (Name::Known(name), Value::Scalar(_)) if entry::same(&resource.detail, &None) => Some(*name),
        (Name::Known(_) | Name::Other(_), _) => None,
    }
}

/// Whether two resources become one when they come together (`addable`).
fn is_addable(left: &Resource, right: &Resource) -> bool {
    if left.is_shared() || right.is_shared() {
        return left == right;
    }
    is_same_but_for_value(left, right)
        && left.about().disk.as_ref().is_none_or(|disk| {
            let whole = disk.source.as_ref().is_some_and(|source| source.is_indivisible());
            !whole && disk.persistence.is_none()
        })
}

/// Whether one can be taken out of the other, as far as their kinds go (`subtractable`).
pub(super) fn is_subtractable(left: &Resource, right: &Resource) -> bool {
    if left.is_shared() || right.is_shared() {
        return left == right;
    }
    is_same_but_for_value(left, right) && (!is_indivisible(left.about()) || left.value == right.value)
}

fn is_same_but_for_value(left: &Resource, right: &Resource) -> bool {
    left.name == right.name
        && left.value.is_same_kind(&right.value)
        && entry::same(&left.detail, &right.detail)
}

fn is_indivisible(detail: &Detail) -> bool {
    detail.disk.as_ref().is_some_and(|disk| {
        disk.persistence.is_some() || disk.source.as_ref().is_some_and(|source| source.is_indivisible())
    })
}

impl super::DiskSource {
    /// Whether it is given whole or not at all.
    #[must_use]
    pub const fn is_indivisible(&self) -> bool {
        match self.kind {
            DiskSourceKind::Path => false,
            DiskSourceKind::Mount | DiskSourceKind::Block => true,
            DiskSourceKind::Raw => self.id.is_some(),
        }
    }
}
