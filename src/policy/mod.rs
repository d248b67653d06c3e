//! Policies: small decisions behind small traits, each in a registry.
//!
//! A policy sees a view of what it decides about, never the world. A new one is one file and one line in its registry.

pub mod order;
pub mod placement;
pub mod pool;

/// One policy of a registry.
#[derive(Debug)]
pub struct Entry<T> {
    /// What experiment files call it.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Where it is defined: a paper, a product, or "textbook".
    pub source: &'static str,
    /// Makes one.
    pub build: fn() -> T,
}

/// The entry with this name.
#[must_use]
pub fn find<T>(registry: &'static [Entry<T>], name: &str) -> Option<&'static Entry<T>> {
    registry.iter().find(|entry| entry.name == name)
}

/// How the roles and the frameworks of a role are put in line (`--role_sorter`, `--framework_sorter`).
pub const SORTERS: &[Entry<Sorter>] = &[
    Entry {
        name: "drf",
        about: "smallest weighted dominant share first",
        source: "Ghodsi et al., Dominant Resource Fairness, NSDI'11; Mesos DRFSorter",
        build: || Sorter::Drf,
    },
    Entry {
        name: "random",
        about: "by lot, drawn anew for each agent, in proportion to the weights",
        source: "Mesos RandomSorter",
        build: || Sorter::Random,
    },
];

/// See [`SORTERS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sorter {
    /// Dominant Resource Fairness.
    Drf,
    /// By lot.
    Random,
}

/// How a framework answers offers.
pub const RESPONSES: &[Entry<crate::policy::Response>] = &[
    Entry {
        name: "decline",
        about: "use what fits the queue, decline the rest with a filter, suppress when idle, revive on new work",
        source: "Mesos framework development guide",
        build: || Response::Decline,
    },
    Entry {
        name: "hold",
        about: "keep unused offers until a task comes that fits; never suppress",
        source: "Apache Aurora's offer manager",
        build: || Response::Hold,
    },
];

/// See [`RESPONSES`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Response {
    /// Give back at once what cannot be used.
    Decline,
    /// Keep what cannot be used yet.
    Hold,
}

/// The names of a registry's entries, for checking experiment files.
pub(crate) const fn names<const N: usize, T>(registry: &'static [Entry<T>]) -> [&'static str; N] {
    assert!(N == registry.len());
    let mut names = [""; N];
    let mut place = 0;
    while place < N {
        names[place] = registry[place].name;
        place += 1;
    }
    names
}

/// Names in [`SORTERS`].
pub const SORTER_NAMES: &[&str] = &names::<{ SORTERS.len() }, _>(SORTERS);
/// Names in [`order::ORDERS`].
pub const ORDER_NAMES: &[&str] = &names::<{ order::ORDERS.len() }, _>(order::ORDERS);
/// Names in [`placement::PLACEMENTS`].
pub const PLACEMENT_NAMES: &[&str] = &names::<{ placement::PLACEMENTS.len() }, _>(placement::PLACEMENTS);
/// Names in [`RESPONSES`].
pub const RESPONSE_NAMES: &[&str] = &names::<{ RESPONSES.len() }, _>(RESPONSES);
