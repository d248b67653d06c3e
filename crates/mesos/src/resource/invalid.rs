//! What makes a resource invalid (`Resources::validate`).

use std::collections::BTreeSet;

use super::{Detail, Name, Ranges, Reservation, ReservationKind, Resource, ResourceName, Scalar, Value};
use crate::role::{self, RoleError};

/// Why Mesos refuses a resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidResource {
    /// Without a name.
    #[error("a resource has an empty name")]
    EmptyName,
    /// A field that must be there.
    #[error("`{0}` is missing from a resource")]
    Missing(&'static str),
    /// A word that is none of those allowed in a field.
    #[error("`{value}` is no `{field}` of a resource: expected one of {expected}")]
    Word {
        /// Which field.
        field: &'static str,
        /// What stands there.
        value: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// TEXT, which only attributes may be.
    #[error("resource `{name}` is of the type {kind}, which resources cannot be")]
    UnsupportedType {
        /// Of the resource.
        name: String,
        /// The type.
        kind: String,
    },
    /// A value that is not the one its type asks for.
    #[error("resource `{name}` is of the type {kind} but has no such value, or another beside it")]
    ValueOfOtherType {
        /// Of the resource.
        name: String,
        /// The type.
        kind: &'static str,
    },
    /// Negative, or so small that it rounds to nothing.
    #[error("resource `{name}` has the amount {value}, expected 0 or at least 0.001")]
    NotPositive {
        /// Of the resource.
        name: String,
        /// The amount.
        value: String,
    },
    /// A range that ends before it begins.
    #[error("resource `{name}` has the range {begin}-{end}, which ends before it begins")]
    EndBeforeBegin {
        /// Of the resource.
        name: String,
        /// Of the range.
        begin: u64,
        /// Of the range.
        end: u64,
    },
    /// Two ranges that overlap.
    #[error("resource `{name}` has overlapping ranges: {begin}-... begins within another")]
    Overlap {
        /// Of the resource.
        name: String,
        /// Of the later range.
        begin: u64,
    },
    /// A word twice in a set.
    #[error("resource `{name}` has `{item}` twice")]
    Repeated {
        /// Of the resource.
        name: String,
        /// The word.
        item: String,
    },
    /// Information on a disk where there is none.
    #[error("resource `{0}` cannot have `disk`, which only the resource named disk can")]
    NotADisk(String),
    /// A source with a directory of another kind.
    #[error("`{field}` cannot be set for a disk with a source of the type {kind}")]
    SourceRoot {
        /// `path` or `mount`.
        field: &'static str,
        /// Of the source.
        kind: &'static str,
    },
    /// A role that is none.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// A reservation for everybody.
    #[error("`{0}` is reserved for role `*`, which nothing can be reserved for")]
    ReservedForAll(String),
    /// A reservation without a field that it must have.
    #[error("a reservation of `{name}` has no `{field}`")]
    ReservationWithout {
        /// Of the resource.
        name: String,
        /// `type` or `role`.
        field: &'static str,
    },
    /// A static reservation upon another.
    #[error("`{name}` has a static reservation for `{role}` upon another: only the first can be static")]
    StaticRefinement {
        /// Of the resource.
        name: String,
        /// Of the reservation.
        role: String,
    },
    /// A reservation upon one for a role that is not above.
    #[error("`{name}` is reserved for `{role}` upon `{above}`, which is not above it")]
    NotARefinement {
        /// Of the resource.
        name: String,
        /// Of the reservation.
        role: String,
        /// Of the one before.
        above: String,
    },
    /// Old and new spelling of a reservation that do not say the same.
    #[error("`{name}`: {what}")]
    Legacy {
        /// Of the resource.
        name: String,
        /// What does not go together.
        what: &'static str,
    },
    /// Something shared that cannot be.
    #[error("`{0}` cannot be shared: only persistent volumes can")]
    NotShareable(String),
}

impl Resource {
    /// Whether Mesos takes this resource (`Resources::validate`). Roundings, ranges and types that cannot be said in this
    /// form are asked for where a resource is read.
    ///
    /// # Errors
    /// The first rule that it breaks, in Mesos' order.
    pub fn validate(&self) -> Result<(), InvalidResource> {
        let name = self.name.as_str();
        if name.is_empty() {
            return Err(InvalidResource::EmptyName);
        }
        if let Value::Scalar(amount) = self.value
            && amount < Scalar::ZERO
        {
            return Err(InvalidResource::NotPositive { name: name.to_owned(), value: amount.to_string() });
        }
        let Some(detail) = &self.detail else { return Ok(()) };
        let is_disk = self.name == Name::Known(ResourceName::Disk);
        if detail.disk.is_some() && !is_disk {
            return Err(InvalidResource::NotADisk(name.to_owned()));
        }
        check_stack(name, &detail.reservations)?;
        if detail.shared && !(is_disk && is_volume(detail)) {
            return Err(InvalidResource::NotShareable(name.to_owned()));
        }
        Ok(())
    }
}

fn is_volume(detail: &Detail) -> bool {
    detail.disk.as_ref().is_some_and(|disk| disk.persistence.is_some())
}

fn check_stack(name: &str, stack: &[Reservation]) -> Result<(), InvalidResource> {
    let mut above: Option<&Reservation> = None;
    for reservation in stack {
        role::validate(&reservation.role)?;
        if *reservation.role == *role::DEFAULT {
            return Err(InvalidResource::ReservedForAll(name.to_owned()));
        }
        if let Some(above) = above {
            let (name, role) = (name.to_owned(), reservation.role.to_string());
            if reservation.kind == ReservationKind::Static {
                return Err(InvalidResource::StaticRefinement { name, role });
            }
            if !role::is_strict_subrole(&role, &above.role) {
                return Err(InvalidResource::NotARefinement { name, role, above: above.role.to_string() });
            }
        }
        above = Some(reservation);
    }
    Ok(())
}

impl InvalidResource {
    /// An amount as fixed point; zero is fine, what rounds to zero is not.
    pub(super) fn check_amount(name: &str, value: f64) -> Result<Scalar, Self> {
        let wrong = || Self::NotPositive { name: name.to_owned(), value: value.to_string() };
        let amount = Scalar::from_f64(value).ok_or_else(wrong)?;
        if value != 0.0 && amount <= Scalar::ZERO { Err(wrong()) } else { Ok(amount) }
    }

    /// Ranges that end after they begin and do not overlap, as far as Mesos looks: only whether a later interval begins
    /// within an earlier one.
    pub(super) fn check_ranges(name: &str, intervals: &[(u64, u64)]) -> Result<Ranges, Self> {
        for (place, &(begin, end)) in intervals.iter().enumerate() {
            if begin > end {
                return Err(Self::EndBeforeBegin { name: name.to_owned(), begin, end });
            }
            let mut later = intervals[place + 1..].iter().map(|later| later.0);
            if let Some(begin) = later.find(|later| (begin..=end).contains(later)) {
                return Err(Self::Overlap { name: name.to_owned(), begin });
            }
        }
        Ok(Ranges::new(intervals.iter().copied()))
    }

    /// Words that are all different.
    pub(super) fn check_set(name: &str, words: &[String]) -> Result<(), Self> {
        let mut seen = BTreeSet::new();
        match words.iter().find(|word| !seen.insert(word.as_str())) {
            Some(item) => Err(Self::Repeated { name: name.to_owned(), item: item.clone() }),
            None => Ok(()),
        }
    }
}
