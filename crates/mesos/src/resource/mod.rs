//! The resource model: what an agent has, what is offered, what a task holds.
//!
//! [`Resources`] is Mesos' algebra of sets of resources. Most sets that a simulation computes with are plain amounts of
//! the well-known names; those are kept as four numbers, and everything else as an ordered list of entries with exactly
//! the order that Mesos' own list has. Which form a set is in shows nowhere but in speed.

mod algebra;
mod devices;
mod entry;
mod invalid;
mod limits;
mod list;
mod operation;
mod print;
mod quantities;
mod scalar;
mod shrink;
mod text;
mod usage;
mod value;
mod views;
mod wire;

#[cfg(test)]
mod tests;

use std::{borrow::Cow, sync::Arc};

pub use devices::{Devices, MAX_DEVICES, WHOLE_DEVICE};
pub use entry::{
    Detail, DiskInfo, DiskSource, DiskSourceKind, Name, Persistence, Reservation, ReservationKind, Resource,
    Volume,
};
pub use invalid::InvalidResource;
pub use limits::ResourceLimits;
use list::{Entry, List};
pub use operation::{OperationError, ResourceConversion, ResourceOperation};
pub use quantities::{ResourceName, ResourceQuantities};
pub use scalar::Scalar;
pub(crate) use text::{Parsed, parse_value};
pub use text::{ResourceTextError, parse_alternatives, parse_quantities};
pub use usage::{IdError, UsageError, check_id, check_operation_resources, check_task_resources};
pub use value::{Ranges, Set, Value};
pub use wire::{RefinedReservation, WireResource};

/// A set of resources (Mesos' `Resources`).
///
/// `-` never goes below nothing, as in Mesos: what is not there is not taken away. Ask [`contains`](Self::contains) first.
///
/// Plain sets (see [`is_plain`](Self::is_plain)) may say which GPU devices their `gpus` are; Mesos knows no such thing. The
/// devices belong to the unreserved, permanent `gpus`: a part of a set that leaves those out has no devices, and fewer
/// `gpus` are the first devices that make up the amount.
///
/// Clones share their memory until one of them changes: one set goes from the agent to the books, the offer, the framework
/// and the filter.
#[derive(Clone, Default)]
pub struct Resources(Option<Arc<Body>>);

/// What a set that is not empty has.
#[derive(Clone, Default)]
struct Body {
    /// The sum of all amounts, a shared volume counted once; in the plain form that is all there is.
    scalars: ResourceQuantities,
    devices: Devices,
    /// `None`: the plain form, one plain entry for each positive amount of the four names.
    list: Option<List>,
}

static NOTHING: Body = Body { scalars: ResourceQuantities::EMPTY, devices: Devices::NONE, list: None };

impl Resources {
    /// Nothing.
    pub const EMPTY: Self = Self(None);

    /// Scalars only; `gpus`, if any, without saying which devices.
    #[must_use]
    pub fn of(scalars: ResourceQuantities) -> Self {
        if scalars.is_known() {
            return Self::of_body(Body { scalars, ..Body::default() });
        }
        let mut all = Self::EMPTY;
        for (name, amount) in scalars.iter() {
            let resource = Resource { name: Name::new(name), value: Value::Scalar(amount), detail: None };
            all.add_entry(&Entry::once(resource));
        }
        all
    }

    /// The same with these devices; the amount of plain `gpus` becomes their sum.
    #[must_use]
    pub fn with_devices(mut self, devices: Devices) -> Self {
        if self.is_gpu_free() && devices.is_empty() {
            return self;
        }
        let amount = Scalar(devices.total());
        if self.list().is_some() {
            let gpus =
                Entry::once(Resource::plain(ResourceName::Gpus, self.plain_amount(ResourceName::Gpus)));
            self.subtract_entry(&gpus);
            self.add_entry(&Entry::once(Resource::plain(ResourceName::Gpus, amount)));
        } else {
            self.body_mut().scalars.set(ResourceName::Gpus, amount);
        }
        self.body_mut().devices = devices;
        self
    }

    /// Whether it is plain and has neither `gpus` nor devices.
    fn is_gpu_free(&self) -> bool {
        let body = self.body();
        body.list.is_none() && body.scalars.get(ResourceName::Gpus) == Scalar::ZERO && body.devices.is_empty()
    }

    /// From entries, in order, added one by one; each is validated.
    ///
    /// # Errors
    /// What `Resources::validate` refuses.
    pub fn from_entries(entries: impl IntoIterator<Item = Resource>) -> Result<Self, ResourceTextError> {
        let mut all = Self::EMPTY;
        for resource in entries {
            resource.validate()?;
            all.add_entry(&Entry::once(resource));
        }
        Ok(all)
    }

    /// How much of one name, however it is reserved.
    #[inline]
    #[must_use]
    pub fn get(&self, name: ResourceName) -> Scalar {
        self.body().scalars.get(name)
    }

    /// The amounts per name; a shared volume counts once (`ResourceQuantities::fromScalarResources`).
    #[inline]
    #[must_use]
    pub fn quantities(&self) -> &ResourceQuantities {
        &self.body().scalars
    }

    /// Quantities with the members of ranges and sets counted (`ResourceQuantities::fromResources`).
    #[must_use]
    pub fn all_quantities(&self) -> ResourceQuantities {
        let mut all = self.quantities().clone();
        for entry in self.list().into_iter().flat_map(|list| &list.0) {
            if !entry.resource.is_scalar() {
                all.add(&entry.resource.name, entry.resource.value.quantity());
            }
        }
        all
    }

    /// How much of each GPU device.
    #[inline]
    #[must_use]
    pub fn devices(&self) -> &Devices {
        &self.body().devices
    }

    /// All ranges of one name together, such as `ports`; empty if there are none.
    #[must_use]
    pub fn ranges(&self, name: &str) -> Ranges {
        let mut all = Ranges::default();
        for entry in self.list().into_iter().flat_map(|list| &list.0) {
            if let Value::Ranges(ranges) = &entry.resource.value
                && entry.resource.name.as_str() == name
            {
                all = all.union(ranges);
            }
        }
        all
    }

    /// Whether there is nothing.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|body| match &body.list {
            None => body.scalars.is_empty(),
            Some(list) => list.0.is_empty(),
        })
    }

    /// The entries in order, each with its number of copies (1 unless shared).
    pub fn entries(&self) -> impl Iterator<Item = (Resource, u32)> + '_ {
        self.walk().map(|entry| match entry {
            Cow::Borrowed(entry) => (entry.resource.clone(), entry.copies),
            Cow::Owned(entry) => (entry.resource, entry.copies),
        })
    }

    /// The entries in order; those of the plain form are made up on the way, without the heap.
    fn walk(&self) -> impl Iterator<Item = Cow<'_, Entry>> + '_ {
        let plain = self.list().is_none().then(|| {
            self.quantities()
                .known()
                .map(|(name, amount)| Cow::Owned(Entry::once(Resource::plain(name, amount))))
        });
        let listed = self.list().into_iter().flat_map(|list| list.0.iter().map(Cow::Borrowed));
        plain.into_iter().flatten().chain(listed)
    }

    /// Whether all are plain: scalars of the well-known names, unreserved, no volumes, not revocable, of the agent itself.
    #[inline]
    #[must_use]
    pub fn is_plain(&self) -> bool {
        match self.list() {
            None => true,
            Some(list) => list.0.iter().all(|entry| list::plain_name(&entry.resource).is_some()),
        }
    }

    /// Whether any is reserved.
    #[inline]
    #[must_use]
    pub fn has_reservations(&self) -> bool {
        self.has(Resource::is_reserved)
    }

    /// Whether any is revocable.
    #[inline]
    #[must_use]
    pub fn has_revocable(&self) -> bool {
        self.has(Resource::is_revocable)
    }

    /// Whether any is shared.
    #[inline]
    #[must_use]
    pub fn has_shared(&self) -> bool {
        self.has(Resource::is_shared)
    }

    /// Whether any entry that is not plain is such.
    fn has(&self, what: impl Fn(&Resource) -> bool) -> bool {
        self.list().is_some_and(|list| list.0.iter().any(|entry| what(&entry.resource)))
    }

    /// How much there is of the plain entries of one name.
    fn plain_amount(&self, name: ResourceName) -> Scalar {
        match self.list() {
            None => self.get(name),
            Some(list) => {
                let of = |entry: &&Entry| list::plain_name(&entry.resource) == Some(name);
                let amounts = list.0.iter().filter(of).filter_map(|entry| entry.resource.amount());
                amounts.fold(Scalar::ZERO, |sum, amount| sum + amount)
            }
        }
    }

    /// The list, made from the plain amounts if there is none yet.
    fn make_list(&mut self) {
        if self.list().is_none() {
            let plain = self.walk().map(Cow::into_owned).collect();
            self.body_mut().list = Some(List(plain));
        }
    }

    /// Turns a list back into the plain form where nothing tells them apart.
    fn settle(&mut self) {
        if self.list().is_some_and(List::is_plain) {
            self.body_mut().list = None;
        }
    }

    fn of_body(body: Body) -> Self {
        Self(Some(Arc::new(body)))
    }

    #[inline]
    fn body(&self) -> &Body {
        self.0.as_deref().unwrap_or(&NOTHING)
    }

    /// The body for a change: its own from now on.
    #[inline]
    fn body_mut(&mut self) -> &mut Body {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    #[inline]
    fn list(&self) -> Option<&List> {
        self.body().list.as_ref()
    }
}
