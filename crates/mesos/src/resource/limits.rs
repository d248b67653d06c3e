//! The most of each resource that somebody may have (Mesos' `ResourceLimits`).

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{Name, ResourceName, ResourceQuantities, ResourceTextError, Scalar, text};

/// Maxima by name. A missing name has no limit; a limit of zero means none at all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ResourceLimits {
    known: [Option<Scalar>; 4],
    others: BTreeMap<Arc<str>, Scalar>,
}

impl ResourceLimits {
    /// No limit for anything.
    pub const NONE: Self = Self { known: [None; 4], others: BTreeMap::new() };

    /// Parses `name:number;...`; zero is kept, a name given twice is an error (`ResourceLimits::fromString`).
    ///
    /// # Errors
    /// What is not of that form.
    pub fn parse(text: &str) -> Result<Self, ResourceTextError> {
        let mut limits = Self::NONE;
        for token in text::tokens(text) {
            let (name, amount) = text::amount_of(token)?;
            if limits.get(name).is_some() {
                return Err(ResourceTextError::Twice { name: name.to_owned(), token: token.to_owned() });
            }
            limits.set(&Name::new(name), amount);
        }
        Ok(limits)
    }

    /// Limits one name; an amount below zero is none at all.
    pub fn set(&mut self, name: &Name, most: Scalar) {
        let most = most.max(Scalar::ZERO);
        match name {
            Name::Known(known) => self.known[*known as usize] = Some(most),
            Name::Other(other) => drop(self.others.insert(Arc::clone(other), most)),
        }
    }

    /// Whether nothing is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known == [None; 4] && self.others.is_empty()
    }

    /// The limit of one name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Scalar> {
        match ResourceName::parse(name) {
            Some(known) => self.of(known),
            None => self.others.get(name).copied(),
        }
    }

    /// The limit of one well-known name.
    #[inline]
    #[must_use]
    pub const fn of(&self, name: ResourceName) -> Option<Scalar> {
        self.known[name as usize]
    }

    /// The limits: cpus, mem, disk, gpus, then other names in the order of their bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Scalar)> {
        let known = ResourceName::ALL.into_iter().filter_map(|name| Some((name.as_str(), self.of(name)?)));
        known.chain(self.others.iter().map(|(name, most)| (&**name, *most)))
    }

    /// Whether every limit of mine is in `other`, and not higher there.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.iter().all(|(name, most)| other.get(name).is_some_and(|theirs| theirs <= most))
    }

    /// Whether no quantity is above its limit.
    #[must_use]
    pub fn contains_quantities(&self, quantities: &ResourceQuantities) -> bool {
        self.iter().all(|(name, most)| quantities.of_name(name) <= most)
    }

    /// What is left of each limit; never below zero.
    #[must_use]
    pub fn minus(&self, quantities: &ResourceQuantities) -> Self {
        let mut left = self.clone();
        for (name, amount) in quantities.iter() {
            left.take(&Name::new(name), amount);
        }
        left
    }

    /// Lowers the limit of one name, if it has one, stopping at zero.
    pub(super) fn take(&mut self, name: &Name, amount: Scalar) {
        let mine = match name {
            Name::Known(known) => self.known[*known as usize].as_mut(),
            Name::Other(other) => self.others.get_mut(other),
        };
        if let Some(mine) = mine {
            *mine = (*mine - amount).max(Scalar::ZERO);
        }
    }
}

impl fmt::Display for ResourceLimits {
    /// Mesos' text form: `cpus:4;mem:0`, in the order of [`iter`](Self::iter).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, most)) in self.iter().enumerate() {
            write!(f, "{}{name}:{most}", if place > 0 { ";" } else { "" })?;
        }
        Ok(())
    }
}
