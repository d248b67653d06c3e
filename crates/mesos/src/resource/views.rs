//! Parts of a set, and sets that differ from it in one respect.

use std::sync::Arc;

use super::{
    Body, Detail, Devices, Entry, List, Name, Reservation, Resource, ResourceName, ResourceQuantities,
    Resources, Scalar,
};

impl Resources {
    /// Those entries for which `keep` is true, in order (`Resources::filter`).
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&Resource) -> bool) -> Self {
        let mut part = Self::EMPTY;
        let mut with_devices = false;
        match self.list() {
            None => {
                for (name, amount) in self.quantities().known() {
                    if keep(&Resource::plain(name, amount)) {
                        part.body_mut().scalars.set(name, amount);
                        with_devices |= name == ResourceName::Gpus;
                    }
                }
            }
            Some(list) => {
                let kept: Vec<_> = list.0.iter().filter(|entry| keep(&entry.resource)).cloned().collect();
                with_devices = kept.iter().any(|entry| has_devices(&entry.resource));
                part = Self::of_list(kept);
            }
        }
        if with_devices {
            part.body_mut().devices = *self.devices();
        }
        part
    }

    /// Those entries that are not plain for which `keep` is true: nothing, at once, of a plain set.
    fn special(&self, keep: impl Fn(&Resource) -> bool) -> Self {
        if self.list().is_none() { Self::EMPTY } else { self.filter(keep) }
    }

    /// Those entries that are plain or for which `keep` is true: all, at once, of a plain set.
    fn ordinary(&self, keep: impl Fn(&Resource) -> bool) -> Self {
        if self.list().is_none() { self.clone() } else { self.filter(keep) }
    }

    /// Those with a reservation.
    #[must_use]
    pub fn reserved(&self) -> Self {
        self.special(Resource::is_reserved)
    }

    /// Those whose last reservation is for exactly this role.
    #[must_use]
    pub fn reserved_to(&self, role: &str) -> Self {
        self.special(|resource| resource.reservation_role().is_some_and(|mine| **mine == *role))
    }

    /// Those whose last reservation is for this role or one below it (`reservedToRoleSubtree`).
    #[must_use]
    pub fn reserved_to_subtree(&self, role: &str) -> Self {
        self.special(|resource| resource.is_reserved_to_subtree(role))
    }

    /// Those without a reservation.
    #[must_use]
    pub fn unreserved(&self) -> Self {
        self.ordinary(|resource| !resource.is_reserved())
    }

    /// Those that the role may have: unreserved, or reserved for it or for a role above it.
    #[must_use]
    pub fn allocatable_to(&self, role: &str) -> Self {
        self.ordinary(|resource| resource.is_allocatable_to(role))
    }

    /// Those offered or allocated to this role or one below it (`allocatedToRoleSubtree`).
    #[must_use]
    pub fn allocated_to_subtree(&self, role: &str) -> Self {
        self.special(|resource| resource.is_allocated_to_subtree(role))
    }

    /// Those that the agent may take back.
    #[must_use]
    pub fn revocable(&self) -> Self {
        self.special(Resource::is_revocable)
    }

    /// Those that it may not.
    #[must_use]
    pub fn non_revocable(&self) -> Self {
        self.ordinary(|resource| !resource.is_revocable())
    }

    /// Those that several may hold.
    #[must_use]
    pub fn shared(&self) -> Self {
        self.special(Resource::is_shared)
    }

    /// Those that only one may hold.
    #[must_use]
    pub fn non_shared(&self) -> Self {
        self.ordinary(|resource| !resource.is_shared())
    }

    /// The amounts.
    #[must_use]
    pub fn scalars(&self) -> Self {
        self.ordinary(Resource::is_scalar)
    }

    /// The persistent volumes.
    #[must_use]
    pub fn persistent_volumes(&self) -> Self {
        self.special(Resource::is_persistent_volume)
    }

    /// All of them without reservations (`toUnreserved`).
    #[must_use]
    pub fn to_unreserved(&self) -> Self {
        if self.list().is_none() {
            return self.clone();
        }
        self.rebuilt(|resource| Some(resource.with(|detail| detail.reservations.clear()))).unwrap_or_default()
    }

    /// All of them with one more reservation (`pushReservation`).
    #[must_use]
    pub fn reserved_further(&self, reservation: &Reservation) -> Self {
        self.rebuilt(|resource| Some(resource.reserved_further(reservation.clone()))).unwrap_or_default()
    }

    /// All of them without their last reservation (`popReservation`); `None` if one of them has none.
    #[must_use]
    pub fn without_last_reservation(&self) -> Option<Self> {
        self.rebuilt(Resource::without_last_reservation)
    }

    /// The reserved ones by the role of their last reservation, roles in order of first appearance.
    #[must_use]
    pub fn reservations(&self) -> Vec<(Arc<str>, Self)> {
        self.grouped(|resource| resource.reservation_role().cloned())
    }

    /// Those offered or allocated to a role, by that role, in order of first appearance (`allocations`).
    #[must_use]
    pub fn allocations(&self) -> Vec<(Arc<str>, Self)> {
        self.grouped(|resource| resource.about().allocation_role.clone())
    }

    /// How much is reserved, by the role of the last reservation, roles in order of first appearance. A shared volume counts
    /// once.
    #[must_use]
    pub fn reservation_quantities(&self) -> Vec<(Arc<str>, ResourceQuantities)> {
        let mut sums: Vec<(Arc<str>, ResourceQuantities)> = Vec::new();
        for entry in self.list().into_iter().flat_map(|list| &list.0) {
            let Some(role) = entry.resource.reservation_role() else { continue };
            let place = sums.iter().position(|(known, _)| known == role).unwrap_or_else(|| {
                sums.push((Arc::clone(role), ResourceQuantities::EMPTY));
                sums.len() - 1
            });
            if let Some(amount) = entry.resource.amount() {
                sums[place].1.add(&entry.resource.name, amount);
            }
        }
        sums
    }

    /// All of them offered or allocated to this role (`Resources::allocate`).
    #[must_use]
    pub fn allocate(&self, role: &str) -> Self {
        let role: Arc<str> = role.into();
        let plain = Arc::new(Detail { allocation_role: Some(Arc::clone(&role)), ..Detail::default() });
        self.each(|resource| {
            if resource.detail.is_none() {
                Resource { detail: Some(Arc::clone(&plain)), ..resource.clone() }
            } else {
                resource.with(|detail| detail.allocation_role = Some(Arc::clone(&role)))
            }
        })
    }

    /// All of them offered or allocated to nobody (`Resources::unallocate`).
    #[must_use]
    pub fn unallocate(&self) -> Self {
        if self.list().is_none() {
            return self.clone();
        }
        self.each(|resource| match &resource.detail {
            Some(detail) if detail.allocation_role.is_some() => {
                resource.with(|detail| detail.allocation_role = None)
            }
            Some(_) | None => resource.clone(),
        })
    }

    /// Each entry changed, in order, none merged with another.
    fn each(&self, change: impl Fn(&Resource) -> Resource) -> Self {
        let changed = |entry: &Entry| Entry { resource: change(&entry.resource), copies: entry.copies };
        let mut all = Self::of_list(self.walk().map(|entry| changed(&entry)).collect());
        if !self.devices().is_empty() {
            all.body_mut().devices = *self.devices();
        }
        all
    }

    /// Each entry changed, in order, merged where they can be; `None` if one cannot be changed.
    fn rebuilt(&self, change: impl Fn(&Resource) -> Option<Resource>) -> Option<Self> {
        let mut all = Self::EMPTY;
        for entry in self.walk() {
            all.add_entry(&Entry { resource: change(&entry.resource)?, copies: entry.copies });
        }
        all.trim_devices(self.devices());
        Some(all)
    }

    fn grouped(&self, key: impl Fn(&Resource) -> Option<Arc<str>>) -> Vec<(Arc<str>, Self)> {
        let mut groups: Vec<(Arc<str>, Self)> = Vec::new();
        for entry in self.list().into_iter().flat_map(|list| &list.0) {
            let Some(role) = key(&entry.resource) else { continue };
            let place = groups.iter().position(|(known, _)| *known == role).unwrap_or_else(|| {
                groups.push((role, Self::EMPTY));
                groups.len() - 1
            });
            groups[place].1.add_entry(entry);
            if has_devices(&entry.resource) {
                groups[place].1.body_mut().devices = *self.devices();
            }
        }
        groups
    }

    /// The devices become the first of these that make up the amount of plain `gpus`.
    pub(super) fn trim_devices(&mut self, of: &Devices) {
        let devices = of.first(self.plain_amount(ResourceName::Gpus).0);
        if devices != *self.devices() {
            self.body_mut().devices = devices;
        }
    }

    /// From entries as they are, with their sum.
    pub(super) fn of_list(entries: Vec<Entry>) -> Self {
        let mut scalars = ResourceQuantities::EMPTY;
        for entry in &entries {
            scalars.add(&entry.resource.name, entry.resource.amount().unwrap_or(Scalar::ZERO));
        }
        let mut all = Self::of_body(Body { scalars, devices: Devices::NONE, list: Some(List(entries)) });
        all.settle();
        all
    }
}

/// Whether the devices of a set belong to this entry: the plain `gpus`, whoever they are offered to.
pub(super) fn has_devices(resource: &Resource) -> bool {
    let about = resource.about();
    resource.name == Name::Known(ResourceName::Gpus)
        && resource.is_scalar()
        && about.reservations.is_empty()
        && about.disk.is_none()
        && !(about.revocable || about.shared)
        && about.provider.is_none()
}
