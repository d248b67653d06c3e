//! Adding, subtracting, comparing and containing.

use std::{ops, sync::Arc};

use super::{Entry, List, Resource, ResourceQuantities, Resources, Scalar, Value, list};

impl Resources {
    /// Whether all of `other` is in here (`Resources::contains`), and, where devices are named, device by device.
    ///
    /// As in Mesos each entry of `other` is looked for on its own, and only persistent volumes are used up by what was
    /// found before: one mounted disk contains two of its kind.
    #[inline]
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        if self.is_same(other) {
            return true;
        }
        let (mine, theirs) = (self.body(), other.body());
        mine.devices.contains(&theirs.devices)
            && match (&mine.list, &theirs.list) {
                (None, None) => mine.scalars.contains(&theirs.scalars),
                _ => self.contains_listed(other),
            }
    }

    /// Whether one valid resource is in here (`Resources::contains(Resource)`).
    #[must_use]
    pub fn contains_resource(&self, resource: &Resource) -> bool {
        resource.validate().is_ok() && self.contains_entry(&Entry::once(resource.clone()))
    }

    /// How often this resource is held: 0, 1, or the copies of a shared one (`Resources::count`).
    #[must_use]
    pub fn count(&self, resource: &Resource) -> u32 {
        self.walk().find(|entry| entry.resource == *resource).map_or(0, |entry| entry.copies)
    }

    /// Whether all entries of a name together, ranges and sets counted, reach these quantities
    /// (`Resources::contains(ResourceQuantities)`).
    #[inline]
    #[must_use]
    pub fn contains_quantities(&self, quantities: &ResourceQuantities) -> bool {
        self.quantities().contains(quantities)
            || (self.list().is_some() && self.all_quantities().contains(quantities))
    }

    /// Adds one resource; one that is not valid is ignored (`Resources::operator+=`).
    pub fn add_resource(&mut self, resource: Resource) {
        if resource.validate().is_ok() {
            self.add_entry(&Entry::once(resource));
        }
    }

    /// Takes one resource away; one that is not valid is ignored (`Resources::operator-=`).
    pub fn subtract_resource(&mut self, resource: Resource) {
        if resource.validate().is_ok() {
            self.subtract_entry(&Entry::once(resource));
        }
    }

    /// Whether both are clones of one set: then they are equal, whatever is in it.
    #[inline]
    fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(mine), Some(theirs)) => Arc::ptr_eq(mine, theirs),
            (None, None) => true,
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    fn contains_listed(&self, other: &Self) -> bool {
        let mut rest = None;
        for entry in other.walk() {
            let left = rest.as_ref().unwrap_or(self);
            if !left.contains_entry(&entry) {
                return false;
            }
            if entry.resource.is_persistent_volume() {
                rest.get_or_insert_with(|| self.clone()).subtract_entry(&entry);
            }
        }
        true
    }

    fn equals_listed(&self, other: &Self) -> bool {
        self.contains(other) && other.contains(self)
    }

    fn add_listed(&mut self, other: &Self) {
        other.walk().for_each(|entry| self.add_entry(&entry));
    }

    fn subtract_listed(&mut self, other: &Self) {
        other.walk().for_each(|entry| self.subtract_entry(&entry));
    }

    pub(super) fn contains_entry(&self, entry: &Entry) -> bool {
        match (self.list(), list::plain_name(&entry.resource), entry.resource.amount()) {
            (Some(list), _, _) => list.0.iter().any(|mine| mine.contains(entry)),
            // An entry must exist to contain even nothing.
            (None, Some(name), Some(amount)) => self.get(name) > Scalar::ZERO && self.get(name) >= amount,
            (None, _, _) => false,
        }
    }

    pub(super) fn add_entry(&mut self, entry: &Entry) {
        match (self.list(), list::plain_name(&entry.resource), &entry.resource.value) {
            (None, Some(_), Value::Scalar(amount)) => {
                self.body_mut().scalars.add(&entry.resource.name, *amount);
            }
            _ => {
                self.make_list();
                self.with_list(|list, scalars| list.add(entry, scalars));
            }
        }
    }

    pub(super) fn subtract_entry(&mut self, entry: &Entry) {
        match (self.list(), list::plain_name(&entry.resource), &entry.resource.value) {
            (None, Some(_), Value::Scalar(amount)) => {
                self.body_mut().scalars.take(&entry.resource.name, *amount);
            }
            (None, _, _) => {}
            (Some(_), _, _) => {
                if self.with_list(|list, scalars| list.subtract(entry, scalars)) {
                    self.settle();
                }
            }
        }
    }

    fn with_list<A: Default>(&mut self, change: impl FnOnce(&mut List, &mut ResourceQuantities) -> A) -> A {
        let body = self.body_mut();
        match &mut body.list {
            Some(list) => change(list, &mut body.scalars),
            None => A::default(),
        }
    }
}

impl PartialEq for Resources {
    /// Each contains the other (`Resources::operator==`).
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        if self.is_same(other) {
            return true;
        }
        let (mine, theirs) = (self.body(), other.body());
        match (&mine.list, &theirs.list) {
            (None, None) => mine.scalars == theirs.scalars && mine.devices == theirs.devices,
            _ => self.equals_listed(other),
        }
    }
}

impl Eq for Resources {}

impl ops::AddAssign<&Self> for Resources {
    #[inline]
    fn add_assign(&mut self, other: &Self) {
        if self.is_empty() {
            *self = other.clone();
            return;
        }
        let Some(theirs) = &other.0 else { return };
        let mine = self.body_mut();
        mine.devices += &theirs.devices;
        match (&mine.list, &theirs.list) {
            (None, None) => mine.scalars += &theirs.scalars,
            _ => self.add_listed(other),
        }
    }
}

impl ops::SubAssign<&Self> for Resources {
    #[inline]
    fn sub_assign(&mut self, other: &Self) {
        if self.is_same(other) {
            *self = Self::EMPTY;
            return;
        }
        let (Some(_), Some(theirs)) = (&self.0, &other.0) else { return };
        let mine = self.body_mut();
        mine.devices -= &theirs.devices;
        match (&mine.list, &theirs.list) {
            (None, None) => mine.scalars -= &theirs.scalars,
            _ => self.subtract_listed(other),
        }
        if self.is_empty() {
            self.0 = None;
        }
    }
}
