//! The resource model: what an agent has, what is offered, what a task holds.
//!
//! Built so far: scalars of Mesos' four names, unreserved, and GPU devices. Ranges, sets, reservations, volumes and
//! revocable resources are not there yet; they become further fields of [`Resources`] behind the same operations, with
//! the plain scalars kept as the fast path.

mod devices;
mod quantities;
mod scalar;
mod text;

use std::{fmt, ops};

pub use devices::{Devices, MAX_DEVICES, WHOLE_DEVICE};
pub use quantities::{ResourceName, ResourceQuantities};
pub use scalar::Scalar;
pub use text::{ResourceTextError, parse_alternatives, parse_quantities};

/// A set of resources (Mesos' `Resources`).
///
/// `-` never goes below nothing, as in Mesos: what is not there is not taken away. Ask [`contains`](Self::contains) first.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Resources {
    scalars: ResourceQuantities,
    devices: Devices,
}

impl Resources {
    /// Nothing.
    pub const EMPTY: Self = Self { scalars: ResourceQuantities::EMPTY, devices: Devices::NONE };

    /// Scalars only; `gpus`, if any, without saying which devices.
    #[must_use]
    pub const fn of(scalars: ResourceQuantities) -> Self {
        Self { scalars, devices: Devices::NONE }
    }

    /// The same with these devices; the amount of `gpus` becomes their sum.
    #[must_use]
    pub fn with_devices(mut self, devices: Devices) -> Self {
        self.scalars.set(ResourceName::Gpus, Scalar(devices.total()));
        self.devices = devices;
        self
    }

    /// How much of one name.
    #[inline]
    #[must_use]
    pub const fn get(&self, name: ResourceName) -> Scalar {
        self.scalars.get(name)
    }

    /// The amounts per name.
    #[inline]
    #[must_use]
    pub const fn quantities(&self) -> &ResourceQuantities {
        &self.scalars
    }

    /// How much of each GPU device.
    #[inline]
    #[must_use]
    pub const fn devices(&self) -> &Devices {
        &self.devices
    }

    /// Whether there is nothing.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scalars.is_empty()
    }

    /// Whether all of `other` is in here, device by device.
    #[inline]
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.scalars.contains(&other.scalars) && self.devices.contains(&other.devices)
    }
}

impl ops::AddAssign<&Self> for Resources {
    #[inline]
    fn add_assign(&mut self, other: &Self) {
        self.scalars += &other.scalars;
        self.devices += &other.devices;
    }
}

impl ops::SubAssign<&Self> for Resources {
    #[inline]
    fn sub_assign(&mut self, other: &Self) {
        self.scalars -= &other.scalars;
        self.devices -= &other.devices;
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.scalars, f)
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}", self.scalars)?;
        if !self.devices.is_empty() {
            write!(f, " on {:?}", self.devices)?;
        }
        write!(f, "}}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn resources()(scalars in prop::array::uniform3(0i64..100_000), shares in prop::array::uniform4(0u16..=1000)) -> Resources {
            let mut devices = Devices::NONE;
            for (device, share) in shares.into_iter().enumerate() {
                devices += &Devices::share(device, share);
            }
            let [cpus, mem, disk] = scalars.map(Scalar);
            Resources::of(ResourceQuantities::new([cpus, mem, disk, Scalar::ZERO])).with_devices(devices)
        }
    }

    proptest! {
        #[test]
        fn what_was_added_can_be_taken_away(a in resources(), b in resources()) {
            let mut sum = a.clone();
            sum += &b;
            prop_assert!(sum.contains(&a) && sum.contains(&b));
            sum -= &b;
            prop_assert_eq!(sum, a);
        }

        #[test]
        fn what_is_contained_leaves_an_exact_rest(a in resources(), b in resources()) {
            let mut rest = a.clone();
            rest -= &b;
            let mut back = rest;
            back += &b;
            prop_assert_eq!(a.contains(&b), back == a);
        }
    }
}
