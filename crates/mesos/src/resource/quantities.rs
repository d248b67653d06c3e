//! Amounts per resource name, without any metadata (Mesos' `ResourceQuantities`).

use std::{fmt, ops};

use super::Scalar;

/// The scalar resources that Mesos knows by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum ResourceName {
    /// Processors.
    Cpus,
    /// Memory in MB (2^20 bytes).
    Mem,
    /// Disk in MB (2^20 bytes).
    Disk,
    /// Graphics processors.
    Gpus,
}

impl ResourceName {
    /// All names, in the order in which tables show them.
    pub const ALL: [Self; 4] = [Self::Cpus, Self::Mem, Self::Disk, Self::Gpus];

    /// As Mesos spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpus => "cpus",
            Self::Mem => "mem",
            Self::Disk => "disk",
            Self::Gpus => "gpus",
        }
    }

    /// The name spelled so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much of each resource. Never negative; a missing name is zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ResourceQuantities([i64; 4]);

impl ResourceQuantities {
    /// Nothing of anything.
    pub const EMPTY: Self = Self([0; 4]);

    /// From amounts in the order of [`ResourceName::ALL`]. Panics if one is negative.
    #[must_use]
    pub fn new(amounts: [Scalar; 4]) -> Self {
        assert!(amounts.iter().all(|amount| amount.0 >= 0), "negative quantity in {amounts:?}");
        Self(amounts.map(|amount| amount.0))
    }

    /// How much there is of one name.
    #[inline]
    #[must_use]
    pub const fn get(&self, name: ResourceName) -> Scalar {
        Scalar(self.0[name as usize])
    }

    /// Replaces the amount of one name. Panics if it is negative.
    pub fn set(&mut self, name: ResourceName, amount: Scalar) {
        assert!(amount.0 >= 0, "negative quantity {name}:{amount}");
        self.0[name as usize] = amount.0;
    }

    /// Whether there is nothing of anything.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        (self.0[0] | self.0[1] | self.0[2] | self.0[3]) == 0
    }

    /// Whether there is at least as much of every name.
    #[inline]
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        let [a, b] = [&self.0, &other.0];
        (a[0] >= b[0]) & (a[1] >= b[1]) & (a[2] >= b[2]) & (a[3] >= b[3])
    }

    /// What is more than nothing, by name.
    pub fn iter(&self) -> impl Iterator<Item = (ResourceName, Scalar)> + use<> {
        let amounts = *self;
        ResourceName::ALL
            .into_iter()
            .map(move |name| (name, amounts.get(name)))
            .filter(|(_, amount)| amount.0 > 0)
    }
}

impl ops::AddAssign<&Self> for ResourceQuantities {
    #[inline]
    fn add_assign(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

impl ops::SubAssign<&Self> for ResourceQuantities {
    /// Stops at zero, as `ResourceQuantities::operator-=` does.
    #[inline]
    fn sub_assign(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = (*mine - theirs).max(0);
        }
    }
}

impl fmt::Display for ResourceQuantities {
    /// Mesos' text form: `cpus:4;mem:1024`; nothing for nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, amount)) in self.iter().enumerate() {
            write!(f, "{}{name}:{amount}", if place > 0 { ";" } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for ResourceQuantities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}
