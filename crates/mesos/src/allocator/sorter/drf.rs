//! Dominant Resource Fairness (Ghodsi et al., NSDI'11), as Mesos' `DRFSorter` does it.
//!
//! Siblings are ordered by dominant share, then by the number of allocations ever made, then by path, byte by byte. That
//! is a total order, so moving the few nodes that were touched gives what sorting everything would.

use std::collections::VecDeque;

use super::tree::{Key, Kind, NodeId, ROOT, Tree};
use crate::{
    id::Id,
    resource::{ResourceName, ResourceQuantities},
};

/// Up to this distance a node is moved step by step.
const NEAR: usize = 8;

/// What shares are shares of, as doubles. A name that does not count, or of which there is nothing, has zero.
#[derive(Clone, Debug, Default)]
pub(super) struct Pools {
    known: [f64; 4],
    /// Names beyond the well-known that count.
    others: Vec<(Box<str>, f64)>,
}

impl Pools {
    pub(super) fn of(total: &ResourceQuantities, excluded: &[Box<str>]) -> Self {
        let mut pools = Self::default();
        for (name, amount) in total.iter().filter(|(name, _)| !excluded.iter().any(|other| **other == **name))
        {
            match ResourceName::parse(name) {
                Some(known) => pools.known[known as usize] = amount.as_f64(),
                None => pools.others.push((name.into(), amount.as_f64())),
            }
        }
        pools
    }

    /// The largest part that is held of any name. Nearly equal shares are not equal: they are the doubles that they are.
    #[inline]
    pub(super) fn share(&self, held: &ResourceQuantities) -> f64 {
        let mut largest = 0.0;
        for (name, pool) in ResourceName::ALL.into_iter().zip(self.known) {
            let held = held.get(name);
            if held.0 > 0 && pool > 0.0 {
                largest = larger(largest, held.as_f64() / pool);
            }
        }
        for (name, pool) in &self.others {
            largest = larger(largest, held.of_name(name).as_f64() / pool);
        }
        largest
    }
}

fn larger(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}

/// Keeps the lines of a tree in order of fairness.
#[derive(Debug)]
pub(super) struct Fairness {
    excluded: Box<[Box<str>]>,
    /// Right while the tree is in order.
    pools: Pools,
    /// Nodes of a tree in order whose keys may be wrong.
    touched: Vec<NodeId>,
}

impl Fairness {
    pub(super) fn new(excluded: &[String]) -> Self {
        let excluded = excluded.iter().map(|name| name.as_str().into()).collect();
        Self { excluded, pools: Pools::default(), touched: Vec::new() }
    }

    pub(super) fn excluded(&self) -> &[Box<str>] {
        &self.excluded
    }

    /// Remembers that what a node holds, or its count, has changed.
    #[inline]
    pub(super) fn touch<C: Id>(&mut self, tree: &mut Tree<C>, at: NodeId) {
        let node = tree.node_mut(at);
        if !node.touched {
            node.touched = true;
            self.touched.push(at);
        }
    }

    /// Makes the key of a node right that is about to join its siblings in a tree in order. Its weight is looked up for
    /// good at the next sort only.
    pub(super) fn welcome<C: Id>(&mut self, tree: &mut Tree<C>, at: NodeId) {
        tree.node_mut(at).key = self.key(tree, at, tree.weight(at));
        self.touch(tree, at);
    }

    /// Puts all lines in order, and says whether anything may have moved.
    #[inline]
    pub(super) fn settle<C: Id>(&mut self, tree: &mut Tree<C>, total: &ResourceQuantities) -> bool {
        if tree.in_order && self.touched.is_empty() {
            return false;
        }
        if !tree.in_order || self.touched.len() > 4 + tree.clients() / 8 {
            self.forget_touched(tree);
            self.pools = Pools::of(total, &self.excluded);
            self.sort_all(tree);
            tree.in_order = true;
        } else {
            while let Some(at) = self.touched.pop() {
                tree.node_mut(at).touched = false;
                if tree.node(at).kind != Kind::Inactive {
                    self.reposition(tree, at);
                }
            }
        }
        true
    }

    fn forget_touched<C: Id>(&mut self, tree: &mut Tree<C>) {
        for at in self.touched.drain(..) {
            tree.node_mut(at).touched = false;
        }
    }

    fn sort_all<C: Id>(&self, tree: &mut Tree<C>) {
        if tree.ranks_stale {
            tree.give_ranks();
        }
        for at in ROOT + 1..tree.places() {
            if matches!(tree.node(at).kind, Kind::Active | Kind::Inner) {
                let weight = tree.weight_from_now_on(at);
                tree.node_mut(at).key = self.key(tree, at, weight);
            }
        }
        for parent in 0..tree.places() {
            if tree.node(parent).kind == Kind::Inner {
                let mut line = std::mem::take(&mut tree.node_mut(parent).line);
                for key in &mut line {
                    *key = tree.node(key.node).key;
                }
                line.make_contiguous().sort_unstable();
                tree.node_mut(parent).line = line;
            }
        }
    }

    #[inline]
    fn key<C: Id>(&self, tree: &Tree<C>, at: NodeId, weight: f64) -> Key {
        let node = tree.node(at);
        let share = self.pools.share(&node.held) / weight;
        Key { share: share.to_bits(), count: node.count, rank: node.key.rank, node: at }
    }

    /// Moves one node of a tree in order to where its new key belongs.
    #[inline]
    fn reposition<C: Id>(&self, tree: &mut Tree<C>, at: NodeId) {
        let old = tree.node(at).key;
        let weight = tree.weight_from_now_on(at);
        let new = self.key(tree, at, weight);
        if new != old {
            tree.node_mut(at).key = new;
            let parent = tree.node(at).parent;
            shift(&mut tree.node_mut(parent).line, old, new);
        }
    }
}

/// Replaces a key of a sorted line by another one, at its place.
fn shift(line: &mut VecDeque<Key>, old: Key, new: Key) {
    // Mostly the first in line was given something, and goes to the end.
    let from = if line.front() == Some(&old) { 0 } else { line.partition_point(|key| *key < old) };
    debug_assert_eq!(line.get(from), Some(&old), "a node that takes part stands among its siblings");
    let smaller = if line.back().is_some_and(|last| *last < new) {
        line.len()
    } else {
        line.partition_point(|key| *key < new)
    };
    let to = if new > old { smaller - 1 } else { smaller };
    if from.abs_diff(to) > NEAR {
        line.remove(from);
        line.insert(to, new);
        return;
    }
    let mut place = from;
    while place != to {
        let next = if place < to { place + 1 } else { place - 1 };
        line[place] = line[next];
        place = next;
    }
    line[to] = new;
}
