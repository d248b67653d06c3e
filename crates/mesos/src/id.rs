//! Small integer identities, and containers indexed by them.
//!
//! Inside the core everything is named by a dense number, given in order of arrival; text names live at the border
//! (`FrameworkInfo`, `AgentInfo`, [`Interner`]).

use std::{fmt, marker::PhantomData, num::NonZeroU32, ops};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A dense identity: the n-th of its kind.
pub trait Id: Copy + Eq + Ord + fmt::Debug {
    /// The identity of the `index`-th of its kind, from 0.
    fn new(index: usize) -> Self;
    /// Its place, from 0.
    fn index(self) -> usize;
}

/// Declares a four-byte identity whose `Option` is four bytes too.
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(std::num::NonZeroU32);

        impl $crate::id::Id for $name {
            #[inline]
            fn new(index: usize) -> Self {
                Self($crate::id::one_based(index))
            }
            #[inline]
            fn index(self) -> usize {
                self.0.get() as usize - 1
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), $crate::id::Id::index(*self))
            }
        }
    };
}

/// `index + 1` as stored inside an id. Panics beyond 2^32 - 2 entities, which no memory here holds.
#[inline]
#[must_use]
pub fn one_based(index: usize) -> NonZeroU32 {
    u32::try_from(index + 1).ok().and_then(NonZeroU32::new).expect("an id needs an index below 2^32 - 1")
}

id!(/// An agent, in the order in which it registered.
    AgentId);
id!(/// A framework, in the order in which it subscribed.
    FrameworkId);
id!(/// A role, in the order in which it was first named.
    RoleId);
id!(/// A task, as its framework numbered it: unique within that framework.
    TaskId);
id!(/// An executor, as its framework numbered it: unique within that framework and agent.
    ExecutorId);
id!(/// An operation to which its framework gave an id, because it wants to hear of it.
    OperationId);
id!(/// Where an agent's process can be reached, whatever id it has: one machine (Mesos' `UPID`).
    Address);
const _: () = assert!(size_of::<Option<AgentId>>() == 4);

/// One stream of events from the master to a framework, numbered by whoever drives the master. A framework that
/// subscribes anew has a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnectionId(pub u64);

/// One question of an operator, numbered by whoever drives the master; the answer repeats it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub u64);

/// One operation on resources, numbered by the master (Mesos' operation `uuid`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OperationUuid(pub u64);

/// An inverse offer; they share one counter with offers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InverseOfferId(pub u64);

/// An offer, numbered by the master from 0 on (Mesos writes `<master>-O<n>`). Never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OfferId(pub u64);

/// The identity of one status update, which its acknowledgement repeats (Mesos' `uuid`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StatusId(pub u64);

impl Serialize for AgentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.index() as u64)
    }
}

impl<'de> Deserialize<'de> for AgentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(|index| Self::new(index as usize))
    }
}

/// A vector indexed by an id instead of a number, so that an agent's index cannot be used for a framework.
#[derive(Clone, Debug)]
pub struct IdVec<I, T> {
    items: Vec<T>,
    of: PhantomData<fn(I)>,
}

impl<I: Id, T> IdVec<I, T> {
    /// An empty vector.
    #[must_use]
    pub const fn new() -> Self {
        Self { items: Vec::new(), of: PhantomData }
    }

    /// Appends and returns the id of the new item.
    pub fn push(&mut self, item: T) -> I {
        let id = I::new(self.items.len());
        self.items.push(item);
        id
    }

    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The item, if there is one with this id.
    #[must_use]
    pub fn get(&self, id: I) -> Option<&T> {
        self.items.get(id.index())
    }

    /// The item, if there is one with this id.
    #[must_use]
    pub fn get_mut(&mut self, id: I) -> Option<&mut T> {
        self.items.get_mut(id.index())
    }

    /// All ids, ascending.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + use<I, T> {
        (0..self.items.len()).map(I::new)
    }

    /// All items, by ascending id.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (I, &T)> {
        self.items.iter().enumerate().map(|(i, item)| (I::new(i), item))
    }

    /// All items, by ascending id.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (I, &mut T)> {
        self.items.iter_mut().enumerate().map(|(i, item)| (I::new(i), item))
    }

    /// The item with this id; makes it, and those before it that are missing, if need be.
    pub fn grow_to(&mut self, id: I, make: impl FnMut() -> T) -> &mut T {
        if self.items.len() <= id.index() {
            self.items.resize_with(id.index() + 1, make);
        }
        &mut self.items[id.index()]
    }
}

impl<I: Id, T> Default for IdVec<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I: Id, T> ops::Index<I> for IdVec<I, T> {
    type Output = T;
    #[inline]
    fn index(&self, id: I) -> &T {
        &self.items[id.index()]
    }
}

impl<I: Id, T> ops::IndexMut<I> for IdVec<I, T> {
    #[inline]
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.items[id.index()]
    }
}

impl<I: Id, T> FromIterator<T> for IdVec<I, T> {
    fn from_iter<It: IntoIterator<Item = T>>(items: It) -> Self {
        Self { items: items.into_iter().collect(), of: PhantomData }
    }
}

/// Gives each different text one id, in order of first sight.
#[derive(Clone, Debug)]
pub struct Interner<I> {
    names: IdVec<I, Box<str>>,
    ids: rustc_hash::FxHashMap<Box<str>, I>,
}

impl<I: Id> Interner<I> {
    /// Knows no name.
    #[must_use]
    pub fn new() -> Self {
        Self { names: IdVec::new(), ids: rustc_hash::FxHashMap::default() }
    }

    /// The id of `name`, new if it was never seen.
    pub fn intern(&mut self, name: &str) -> I {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = self.names.push(name.into());
        self.ids.insert(name.into(), id);
        id
    }

    /// The id of `name`, if it was seen.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<I> {
        self.ids.get(name).copied()
    }

    /// The text behind an id.
    #[must_use]
    pub fn name(&self, id: I) -> &str {
        &self.names[id]
    }

    /// How many different names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether no name was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// All names, in order of first sight.
    pub fn iter(&self) -> impl Iterator<Item = (I, &str)> {
        self.names.iter().map(|(id, name)| (id, &**name))
    }
}

impl<I: Id> Default for Interner<I> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_has_one_id() {
        let mut roles = Interner::<RoleId>::new();
        let web = roles.intern("web");
        assert_eq!(roles.intern("batch").index(), 1);
        assert_eq!(roles.intern("web"), web);
        assert_eq!(roles.name(web), "web");
        assert_eq!(roles.get("nobody"), None);
    }
}
