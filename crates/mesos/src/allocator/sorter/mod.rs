//! Who comes first when resources are to be shared (Mesos' `Sorter`, `DRFSorter` and `RandomSorter`).
//!
//! Clients are roles, which form a tree by their paths, or the frameworks of one role, which do not. [`Sorter`] keeps what
//! each of them holds and answers in which order they come: siblings by dominant share ([`SorterKind::Drf`]), or all of
//! them by lot ([`SorterKind::Random`]).
//!
//! An allocation sorts once per agent and mostly asks for the first client only, so everything here is lazy: bookings
//! note which nodes they touched, [`Sorter::sort`] moves just those, and the order is walked as far as it is read.

mod booking;
mod drf;
mod random;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

use booking::Booking;
use drf::{Fairness, Pools};
use random::Lots;
use tree::{NodeId, ROOT, Tree};
use walk::Walk;

use super::SorterKind;
use crate::{
    id::{AgentId, Id},
    resource::{ResourceQuantities, Resources},
};

/// Orders clients for an allocation.
///
/// A client that is also the parent of others (`a` beside `a/b`) competes with its children as a leaf of its own, named `.`
/// and of weight 1. What a node holds, and how often it was given something, counts for all nodes above it.
#[derive(Debug)]
pub struct Sorter<C> {
    tree: Tree<C>,
    fairness: Fairness,
    /// What shares are shares of: all agents' scalars.
    total: ResourceQuantities,
    walk: Walk<C>,
    /// Set if clients are drawn by lot.
    lots: Option<Lots<C>>,
}

impl<C: Id> Sorter<C> {
    /// A sorter without clients over an empty cluster. Names in `excluded` do not count in shares. With `flat`, a `/` in a
    /// path is a character like any other.
    #[must_use]
    pub fn new(kind: SorterKind, excluded: &[String], flat: bool) -> Self {
        let lots = match kind {
            SorterKind::Drf => None,
            SorterKind::Random { seed } => Some(Lots::new(seed)),
        };
        Self {
            tree: Tree::new(flat),
            fairness: Fairness::new(excluded),
            total: ResourceQuantities::EMPTY,
            walk: Walk::new(),
            lots,
        }
    }

    /// Adds a client, inactive and with nothing. Panics if it is there already.
    pub fn add(&mut self, id: C, path: &str) {
        self.forget_order();
        self.tree.add(id, path);
    }

    /// Takes a client out; what it holds no longer counts. How often it was given something still does, for the nodes
    /// above it.
    pub fn remove(&mut self, id: C) {
        self.forget_order();
        self.tree.remove(id);
    }

    /// Whether this client was added.
    #[must_use]
    pub fn contains(&self, id: C) -> bool {
        self.tree.find(id).is_some()
    }

    /// How many clients there are, active or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tree.clients()
    }

    /// Whether there is no client.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets the client take part in the order from the next [`sort`](Self::sort) on.
    pub fn activate(&mut self, id: C) {
        let leaf = self.tree.leaf(id);
        if self.tree.is_active(leaf) {
            return;
        }
        if self.tree.in_order {
            self.fairness.welcome(&mut self.tree, leaf);
        }
        self.tree.activate(leaf);
        self.forget_walk();
    }

    /// Takes the client out of the order at once; what it holds still counts for the nodes above it.
    pub fn deactivate(&mut self, id: C) {
        let leaf = self.tree.leaf(id);
        if self.tree.is_active(leaf) {
            self.tree.deactivate(leaf);
            self.forget_walk();
        }
    }

    /// The weight of a path from now on, whether or not anything is there yet (`updateWeight`).
    ///
    /// As in Mesos, a node that is no client keeps the weight that it had when its share was first computed.
    pub fn update_weight(&mut self, path: &str, weight: f64) {
        assert!(weight > 0.0, "weight {weight} of {path}");
        self.forget_order();
        self.tree.update_weight(path, weight);
    }

    /// Resources join the cluster.
    #[inline]
    pub fn add_total(&mut self, q: &ResourceQuantities) {
        self.total += q;
        self.tree.in_order = false;
    }

    /// Resources leave the cluster.
    #[inline]
    pub fn remove_total(&mut self, q: &ResourceQuantities) {
        self.total -= q;
        self.tree.in_order = false;
    }

    /// The client was given something on an agent: one allocation more, for it and for all nodes above it.
    pub fn allocated(&mut self, id: C, agent: AgentId, resources: &Resources) {
        if resources.has_shared() {
            self.book_shared(id, &Booking::allocated(agent, resources));
        } else {
            self.allocated_plain(id, resources.quantities(), 1);
        }
    }

    /// The client gave something back. The number of its allocations stays.
    pub fn unallocated(&mut self, id: C, agent: AgentId, resources: &Resources) {
        if resources.has_shared() {
            self.book_shared(id, &Booking::unallocated(agent, resources));
        } else {
            self.unallocated_plain(id, resources.quantities());
        }
    }

    /// What the client holds on an agent has changed from `old` to `new`; that is no allocation.
    pub fn update(&mut self, id: C, agent: AgentId, old: &Resources, new: &Resources) {
        if old.has_shared() || new.has_shared() {
            self.book_shared(id, &Booking::update(agent, old, new));
        } else {
            self.each_node_of(id, |node| {
                node.held -= old.quantities();
                node.held += new.quantities();
            });
        }
    }

    /// The client was given these quantities, in so many allocations. Nothing of it may be shared.
    #[inline]
    pub fn allocated_plain(&mut self, id: C, q: &ResourceQuantities, times: u64) {
        self.each_node_of(id, |node| {
            node.held += q;
            node.count += times;
        });
    }

    /// The client gave these quantities back. Nothing of it may be shared.
    #[inline]
    pub fn unallocated_plain(&mut self, id: C, q: &ResourceQuantities) {
        self.each_node_of(id, |node| node.held -= q);
    }

    /// What the client holds: scalars, a shared volume once per agent.
    #[must_use]
    pub fn allocation(&self, id: C) -> &ResourceQuantities {
        &self.tree.node(self.tree.leaf(id)).held
    }

    /// What all clients hold: scalars, a shared volume once per agent.
    #[must_use]
    pub fn total_allocation(&self) -> &ResourceQuantities {
        &self.tree.node(ROOT).held
    }

    /// The client's dominant share divided by its weight, as of now; zero where lots are drawn.
    #[must_use]
    pub fn dominant_share(&self, id: C) -> f64 {
        if self.lots.is_some() {
            return 0.0;
        }
        let leaf = self.tree.leaf(id);
        let pools = Pools::of(&self.total, self.fairness.excluded());
        pools.share(&self.tree.node(leaf).held) / self.tree.weight(leaf)
    }

    /// Settles the order that [`nth`](Self::nth) shows; with lots, draws anew.
    #[inline]
    pub fn sort(&mut self) {
        if let Some(lots) = &mut self.lots {
            lots.draw(&mut self.tree);
        } else if self.fairness.settle(&mut self.tree, &self.total) {
            self.walk.restart();
        }
    }

    /// The n-th active client of the order of the last [`sort`](Self::sort). Bookings do not change what is seen here
    /// before the next one; activating or deactivating a client may. Adding and removing clients, weights and totals ask
    /// for a `sort` before the next look.
    #[inline]
    pub fn nth(&mut self, n: usize) -> Option<C> {
        if let Some(lots) = &mut self.lots {
            lots.nth(n)
        } else if self.tree.has_inner_nodes() {
            self.walk.nth(&self.tree, n)
        } else {
            self.tree.nth_of_root(n)
        }
    }

    /// Changes the client's leaf and all nodes above it.
    #[inline]
    fn each_node_of(&mut self, id: C, change: impl Fn(&mut tree::Node<C>)) {
        let mut at = self.tree.leaf(id);
        while at != ROOT {
            change(self.tree.node_mut(at));
            at = self.note(at);
        }
        change(self.tree.node_mut(ROOT));
    }

    fn book_shared(&mut self, id: C, booking: &Booking) {
        let mut at = self.tree.leaf(id);
        while at != ROOT {
            self.tree.book(at, booking);
            at = self.note(at);
        }
        self.tree.book(ROOT, booking);
    }

    /// Remembers that a node may have to move, and gives its parent.
    #[inline]
    fn note(&mut self, at: NodeId) -> NodeId {
        if self.tree.in_order {
            self.fairness.touch(&mut self.tree, at);
        }
        self.tree.node(at).parent
    }

    fn forget_order(&mut self) {
        self.tree.in_order = false;
        self.forget_walk();
    }

    fn forget_walk(&mut self) {
        self.walk.restart();
        if let Some(lots) = &mut self.lots {
            lots.forget();
        }
    }
}
