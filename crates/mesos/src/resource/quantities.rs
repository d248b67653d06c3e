//! Amounts per resource name, without any metadata (Mesos' `ResourceQuantities`).

use std::{collections::BTreeMap, fmt, ops, sync::Arc};

use super::{Name, Scalar};

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

/// How much of each resource. Never negative; a missing name is zero. Sums stop at the largest amount.
///
/// The four names that every agent has are an array; others, which are rare, hang on a pointer that is empty without them.
#[derive(PartialEq, Eq, Hash, Default)]
pub struct ResourceQuantities {
    known: [i64; 4],
    /// Positive amounts only; `None` if there is none, so that equal quantities have one form.
    others: Option<Box<Others>>,
}

impl Clone for ResourceQuantities {
    #[inline]
    fn clone(&self) -> Self {
        Self { known: self.known, others: self.others.clone() }
    }
}

type Others = BTreeMap<Arc<str>, i64>;

impl ResourceQuantities {
    /// Nothing of anything.
    pub const EMPTY: Self = Self { known: [0; 4], others: None };

    /// From amounts in the order of [`ResourceName::ALL`]. Panics if one is negative.
    #[must_use]
    pub fn new(amounts: [Scalar; 4]) -> Self {
        assert!(amounts.iter().all(|amount| amount.0 >= 0), "negative quantity in {amounts:?}");
        Self { known: amounts.map(|amount| amount.0), others: None }
    }

    /// How much there is of one name.
    #[inline]
    #[must_use]
    pub const fn get(&self, name: ResourceName) -> Scalar {
        Scalar(self.known[name as usize])
    }

    /// How much of any name, well-known or not.
    #[must_use]
    pub fn of_name(&self, name: &str) -> Scalar {
        match ResourceName::parse(name) {
            Some(known) => self.get(known),
            None => Scalar(self.others.as_ref().and_then(|others| others.get(name)).copied().unwrap_or(0)),
        }
    }

    /// Replaces the amount of one name. Panics if it is negative.
    pub fn set(&mut self, name: ResourceName, amount: Scalar) {
        assert!(amount.0 >= 0, "negative quantity {name}:{amount}");
        self.known[name as usize] = amount.0;
    }

    /// More of one name; nothing happens for an amount that is not positive.
    pub fn add(&mut self, name: &Name, amount: Scalar) {
        if amount.0 <= 0 {
            return;
        }
        let mine = match name {
            Name::Known(known) => &mut self.known[*known as usize],
            Name::Other(other) => self.others.get_or_insert_default().entry(Arc::clone(other)).or_insert(0),
        };
        *mine = mine.saturating_add(amount.0);
    }

    /// Less of one name, stopping at zero.
    pub fn take(&mut self, name: &Name, amount: Scalar) {
        match name {
            Name::Known(known) => {
                let mine = &mut self.known[*known as usize];
                *mine = mine.saturating_sub(amount.0).max(0);
            }
            Name::Other(other) => {
                self.lower_other(other, amount.0);
                self.drop_empty_map();
            }
        }
    }

    /// How much of a name that is looked up already.
    pub(super) fn of(&self, name: &Name) -> Scalar {
        match name {
            Name::Known(known) => self.get(*known),
            Name::Other(other) => {
                Scalar(self.others.as_ref().and_then(|others| others.get(other)).copied().unwrap_or(0))
            }
        }
    }

    /// Whether there is nothing of anything.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        (self.known[0] | self.known[1] | self.known[2] | self.known[3]) == 0 && self.others.is_none()
    }

    /// Whether there is at least as much of every name.
    #[inline]
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        let [a, b] = [&self.known, &other.known];
        ((a[0] >= b[0]) & (a[1] >= b[1]) & (a[2] >= b[2]) & (a[3] >= b[3]))
            && (other.others.is_none() || self.contains_others(other))
    }

    /// What is more than nothing: cpus, mem, disk, gpus, then other names in the order of their bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Scalar)> {
        let others = self.others.iter().flat_map(|others| others.iter());
        self.known()
            .map(|(name, amount)| (name.as_str(), amount))
            .chain(others.map(|(name, amount)| (&**name, Scalar(*amount))))
    }

    /// What is more than nothing of the four well-known names.
    pub fn known(&self) -> impl Iterator<Item = (ResourceName, Scalar)> + use<> {
        let amounts = self.known;
        ResourceName::ALL
            .into_iter()
            .map(move |name| (name, Scalar(amounts[name as usize])))
            .filter(|(_, amount)| amount.0 > 0)
    }

    /// Whether there is nothing beside the four well-known names.
    pub(super) const fn is_known(&self) -> bool {
        self.others.is_none()
    }

    #[cold]
    fn stop_at_the_largest(&mut self) {
        self.known.iter_mut().filter(|sum| **sum < 0).for_each(|sum| *sum = i64::MAX);
    }

    #[cold]
    fn contains_others(&self, other: &Self) -> bool {
        let mut wanted = other.others.iter().flat_map(|others| others.iter());
        let Some(mine) = &self.others else { return false };
        wanted.all(|(name, amount)| mine.get(name).is_some_and(|have| have >= amount))
    }

    #[cold]
    fn add_others(&mut self, others: &Others) {
        let mine = self.others.get_or_insert_default();
        for (name, amount) in others {
            let sum = mine.entry(Arc::clone(name)).or_insert(0);
            *sum = sum.saturating_add(*amount);
        }
    }

    #[cold]
    fn take_others(&mut self, others: &Others) {
        others.iter().for_each(|(name, amount)| self.lower_other(name, *amount));
        self.drop_empty_map();
    }

    fn lower_other(&mut self, name: &str, amount: i64) {
        if let Some(others) = &mut self.others
            && let Some(mine) = others.get_mut(name)
        {
            *mine = mine.saturating_sub(amount);
            if *mine <= 0 {
                others.remove(name);
            }
        }
    }

    fn drop_empty_map(&mut self) {
        if self.others.as_ref().is_some_and(|others| others.is_empty()) {
            self.others = None;
        }
    }
}

impl ops::AddAssign<&Self> for ResourceQuantities {
    #[inline]
    fn add_assign(&mut self, other: &Self) {
        // Amounts are not negative, so a negative sum has wrapped around. Asked once for all four, to keep additions in step.
        for (mine, theirs) in self.known.iter_mut().zip(other.known) {
            *mine = mine.wrapping_add(theirs);
        }
        let [cpus, mem, disk, gpus] = self.known;
        if (cpus | mem | disk | gpus) < 0 {
            self.stop_at_the_largest();
        }
        if let Some(others) = &other.others {
            self.add_others(others);
        }
    }
}

impl ops::SubAssign<&Self> for ResourceQuantities {
    /// Stops at zero, as `ResourceQuantities::operator-=` does.
    #[inline]
    fn sub_assign(&mut self, other: &Self) {
        for (mine, theirs) in self.known.iter_mut().zip(other.known) {
            *mine = (*mine - theirs).max(0);
        }
        if let Some(others) = &other.others {
            self.take_others(others);
        }
    }
}

impl fmt::Display for ResourceQuantities {
    /// Mesos' text form: `cpus:4;mem:1024`; nothing for nothing. In the order of [`iter`](Self::iter).
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
