//! One resource: a name, a value, and what is said of it.

use std::sync::Arc;

use super::{Scalar, Value};
use crate::role;

/// One entry of a set of resources (Mesos' `Resource`). Cheap to clone: all that is rare is shared.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Such as `cpus`.
    pub name: Name,
    /// How much.
    pub value: Value,
    /// Whose and what kind; `None` for a plain resource: unreserved, permanent, of the agent itself.
    pub detail: Option<Arc<Detail>>,
}

static PLAIN: Detail = Detail {
    allocation_role: None,
    reservations: Vec::new(),
    disk: None,
    revocable: false,
    shared: false,
    provider: None,
};

impl Resource {
    /// A resource; details that say nothing are left out.
    #[must_use]
    pub fn new(name: Name, value: Value, detail: Detail) -> Self {
        let detail = (detail != PLAIN).then(|| Arc::new(detail));
        Self { name, value, detail }
    }

    /// A plain amount of one of the well-known names.
    #[must_use]
    pub const fn plain(name: super::ResourceName, amount: Scalar) -> Self {
        Self { name: Name::Known(name), value: Value::Scalar(amount), detail: None }
    }

    /// What is said of it; of a plain resource, nothing.
    #[inline]
    #[must_use]
    pub fn about(&self) -> &Detail {
        self.detail.as_deref().unwrap_or(&PLAIN)
    }

    /// The same, with something else said of it.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(&mut Detail)) -> Self {
        let mut detail = self.about().clone();
        change(&mut detail);
        Self::new(self.name.clone(), self.value.clone(), detail)
    }

    /// Whether it is an amount (not ranges, not a set).
    #[must_use]
    pub const fn is_scalar(&self) -> bool {
        matches!(self.value, Value::Scalar(_))
    }

    /// Its amount; `None` for ranges and sets.
    #[must_use]
    pub const fn amount(&self) -> Option<Scalar> {
        match self.value {
            Value::Scalar(amount) => Some(amount),
            Value::Ranges(_) | Value::Set(_) => None,
        }
    }

    /// Whether it is reserved for anybody.
    #[inline]
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| !detail.reservations.is_empty())
    }

    /// The role that it is reserved for: that of the last reservation (`reservationRole`).
    #[inline]
    #[must_use]
    pub fn reservation_role(&self) -> Option<&Arc<str>> {
        self.detail.as_ref()?.reservations.last().map(|reservation| &reservation.role)
    }

    /// Whether the last reservation came by an operation.
    #[must_use]
    pub fn is_dynamically_reserved(&self) -> bool {
        self.about().reservations.last().is_some_and(|last| last.kind == ReservationKind::Dynamic)
    }

    /// Whether there is a reservation upon a reservation (`hasRefinedReservations`).
    #[must_use]
    pub fn is_refined(&self) -> bool {
        self.about().reservations.len() > 1
    }

    /// Whether the agent may take it back at any time.
    #[inline]
    #[must_use]
    pub fn is_revocable(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.revocable)
    }

    /// Whether several tasks may hold it at once.
    #[inline]
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.shared)
    }

    /// Whether it is a persistent volume.
    #[must_use]
    pub fn is_persistent_volume(&self) -> bool {
        self.about().disk.as_ref().is_some_and(|disk| disk.persistence.is_some())
    }

    /// Whether it is unreserved or reserved for this role or one above it (`isAllocatableTo`).
    #[must_use]
    pub fn is_allocatable_to(&self, role: &str) -> bool {
        self.reservation_role().is_none_or(|mine| **mine == *role || role::is_strict_subrole(role, mine))
    }

    /// Whether it is reserved for this role or one below it (`isReservedToRoleSubtree`).
    #[must_use]
    pub fn is_reserved_to_subtree(&self, role: &str) -> bool {
        self.reservation_role().is_some_and(|mine| **mine == *role || role::is_strict_subrole(mine, role))
    }

    /// Whether it is offered or allocated to this role or one below it (`isAllocatedToRoleSubtree`).
    #[must_use]
    pub fn is_allocated_to_subtree(&self, role: &str) -> bool {
        let of = self.about().allocation_role.as_ref();
        of.is_some_and(|mine| **mine == *role || role::is_strict_subrole(mine, role))
    }

    /// One more reservation upon the others (`pushReservation`).
    #[must_use]
    pub fn reserved_further(&self, reservation: Reservation) -> Self {
        self.with(|detail| detail.reservations.push(reservation))
    }

    /// Without the last reservation (`popReservation`); `None` if there is none.
    #[must_use]
    pub fn without_last_reservation(&self) -> Option<Self> {
        self.is_reserved().then(|| self.with(|detail| drop(detail.reservations.pop())))
    }
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.value == other.value && same(&self.detail, &other.detail)
    }
}

/// Whether both say the same; details that are one and the same object need no look.
pub(super) fn same(a: &Option<Arc<Detail>>, b: &Option<Arc<Detail>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
        (None, None) => true,
        (Some(detail), None) | (None, Some(detail)) => **detail == PLAIN,
    }
}

/// What sets a resource apart from a plain one of the same name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detail {
    /// The role that it is offered or allocated to (`allocation_info.role`).
    pub allocation_role: Option<Arc<str>>,
    /// The stack of reservations; the last one counts. Empty: unreserved.
    pub reservations: Vec<Reservation>,
    /// What kind of disk.
    pub disk: Option<DiskInfo>,
    /// Whether the agent may take it back at any time.
    pub revocable: bool,
    /// Whether several tasks may hold it at once.
    pub shared: bool,
    /// The resource provider that it belongs to; `None`: the agent itself.
    pub provider: Option<Arc<str>>,
}

/// One element of the stack of reservations (`Resource.ReservationInfo`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// By the agent's flags, or by an operation.
    pub kind: ReservationKind,
    /// For whom.
    pub role: Arc<str>,
    /// Who reserved.
    pub principal: Option<String>,
    /// Marks of whoever reserved.
    pub labels: Option<Vec<(String, Option<String>)>>,
}

/// How a reservation came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationKind {
    /// By the agent's flags.
    Static,
    /// By an operation.
    Dynamic,
}

/// What kind of disk (`Resource.DiskInfo`). Equality, as Mesos has it, asks for the source and the id of the volume only.
#[derive(Clone, Debug, Default)]
pub struct DiskInfo {
    /// Where its space comes from; `None`: the agent's work directory.
    pub source: Option<DiskSource>,
    /// Set for a persistent volume.
    pub persistence: Option<Persistence>,
    /// How it is mounted.
    pub volume: Option<Volume>,
}

impl PartialEq for DiskInfo {
    fn eq(&self, other: &Self) -> bool {
        let id = |disk: &Self| disk.persistence.as_ref().map(|persistence| persistence.id.clone());
        self.source == other.source && id(self) == id(other)
    }
}

/// `DiskInfo.Persistence`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persistence {
    /// Unique per role and agent.
    pub id: String,
    /// Who made the volume.
    pub principal: Option<String>,
}

/// `Volume`, as far as disks use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Where the container sees it.
    pub container_path: String,
    /// Where the host has it; not allowed for persistent volumes.
    pub host_path: Option<String>,
    /// `RW` or `RO`; true for the former.
    pub writable: bool,
}

/// `DiskInfo.Source`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSource {
    /// What it is.
    pub kind: DiskSourceKind,
    /// The directory of a path or a mount.
    pub root: Option<String>,
    /// Of the storage plugin.
    pub vendor: Option<String>,
    /// Of the storage plugin; a raw disk with an id is not divided.
    pub id: Option<String>,
    /// Of the storage plugin.
    pub metadata: Option<Vec<(String, Option<String>)>>,
    /// Of the storage plugin.
    pub profile: Option<String>,
}

/// `DiskInfo.Source.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskSourceKind {
    /// A directory: can be divided.
    Path,
    /// A file system of its own: given whole.
    Mount,
    /// A block device: given whole.
    Block,
    /// Space of a storage plugin: divided only without id.
    Raw,
}

/// The name of a resource; the scalars that everybody has are numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    /// `cpus`, `mem`, `disk` or `gpus`.
    Known(super::ResourceName),
    /// Any other.
    Other(Arc<str>),
}

impl Name {
    /// The name spelled so.
    #[must_use]
    pub fn new(text: &str) -> Self {
        super::ResourceName::parse(text).map_or_else(|| Self::Other(text.into()), Self::Known)
    }

    /// As Mesos spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(name) => name.as_str(),
            Self::Other(name) => name,
        }
    }
}
