//! The tree of clients: nodes by path, leaves that are clients, and what each subtree holds.

mod shape;

use std::collections::{BTreeMap, VecDeque};

use super::booking::{Booking, SharedBook};
use crate::{id::Id, resource::ResourceQuantities};

/// The place of a node in [`Tree::nodes`].
pub(super) type NodeId = u32;

/// The node above all others; its path is empty.
pub(super) const ROOT: NodeId = 0;

const NOWHERE: NodeId = NodeId::MAX;

/// The name of the leaf of a client that is a parent, too.
const VIRTUAL: &str = ".";

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A client that takes part in the order.
    Active,
    /// A client that does not.
    Inactive,
    /// Has children. The root always is one.
    Inner,
    /// Waits to be used again.
    Free,
}

/// By what siblings are ordered, inline in their parent, so that comparing them follows no pointer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Key {
    /// The bits of a double that is not negative: they compare as it does.
    pub(super) share: u64,
    pub(super) count: u64,
    /// Stands for the path: the place among all siblings by name.
    pub(super) rank: u32,
    pub(super) node: NodeId,
}

#[derive(Debug)]
pub(super) struct Node<C> {
    pub(super) parent: NodeId,
    pub(super) kind: Kind,
    /// Of leaves.
    client: Option<C>,
    /// Whether it stands in the list of nodes that may have to move.
    pub(super) touched: bool,
    /// How many allocations were ever made to it or below it (never lowered).
    pub(super) count: u64,
    /// What it and all below it hold.
    pub(super) held: ResourceQuantities,
    /// By which it stands in its parent's `line`.
    pub(super) key: Key,
    /// As it was first looked up, or set since.
    weight: Option<f64>,
    path: Box<str>,
    /// Where in the path its own name starts.
    name_at: usize,
    /// All children by name.
    children: Vec<NodeId>,
    /// Keys of the children that take part in the order: active leaves and inner nodes.
    pub(super) line: VecDeque<Key>,
}

impl<C> Node<C> {
    fn name(&self) -> &str {
        &self.path[self.name_at..]
    }
}

#[derive(Debug)]
pub(super) struct Tree<C> {
    nodes: Vec<Node<C>>,
    free: Vec<NodeId>,
    /// The leaf of each client, by its index.
    leaves: Vec<NodeId>,
    clients: usize,
    /// Inner nodes besides the root.
    inner: usize,
    /// Whether a `/` is a character like any other.
    flat: bool,
    /// Every weight ever set, by path.
    weights: BTreeMap<Box<str>, f64>,
    shared: SharedBook,
    /// Whether all lines are sorted by keys that are right but for the touched nodes. Never so where lots are drawn.
    pub(super) in_order: bool,
    /// Whether nodes have joined since ranks were given.
    pub(super) ranks_stale: bool,
}

impl<C: Id> Tree<C> {
    pub(super) fn new(flat: bool) -> Self {
        let mut tree = Self {
            nodes: Vec::new(),
            free: Vec::new(),
            leaves: Vec::new(),
            clients: 0,
            inner: 0,
            flat,
            weights: BTreeMap::new(),
            shared: SharedBook::default(),
            in_order: false,
            ranks_stale: false,
        };
        tree.new_node(NOWHERE, Kind::Inner, "".into(), 0);
        tree
    }

    #[inline]
    pub(super) fn node(&self, at: NodeId) -> &Node<C> {
        &self.nodes[at as usize]
    }

    #[inline]
    pub(super) fn node_mut(&mut self, at: NodeId) -> &mut Node<C> {
        &mut self.nodes[at as usize]
    }

    /// How many nodes there ever were at once; some may be free.
    pub(super) fn places(&self) -> NodeId {
        self.nodes.len() as NodeId
    }

    pub(super) fn clients(&self) -> usize {
        self.clients
    }

    pub(super) fn has_inner_nodes(&self) -> bool {
        self.inner > 0
    }

    #[inline]
    pub(super) fn find(&self, id: C) -> Option<NodeId> {
        self.leaves.get(id.index()).copied().filter(|&leaf| leaf != NOWHERE)
    }

    #[inline]
    pub(super) fn leaf(&self, id: C) -> NodeId {
        self.find(id).unwrap_or_else(|| panic!("{id:?} is no client of this sorter"))
    }

    /// The client of a leaf.
    #[inline]
    pub(super) fn client(&self, leaf: NodeId) -> C {
        self.node(leaf).client.unwrap_or_else(|| panic!("{} has no client", self.node(leaf).path))
    }

    /// The n-th active client of a tree without inner nodes.
    #[inline]
    pub(super) fn nth_of_root(&self, n: usize) -> Option<C> {
        self.node(ROOT).line.get(n).map(|key| self.client(key.node))
    }

    /// All children, active or not, by name.
    pub(super) fn children(&self, at: NodeId) -> &[NodeId] {
        &self.node(at).children
    }

    pub(super) fn is_active(&self, leaf: NodeId) -> bool {
        self.node(leaf).kind == Kind::Active
    }

    pub(super) fn activate(&mut self, leaf: NodeId) {
        self.node_mut(leaf).kind = Kind::Active;
        self.line_up(leaf);
    }

    pub(super) fn deactivate(&mut self, leaf: NodeId) {
        self.leave_line(leaf);
        self.node_mut(leaf).kind = Kind::Inactive;
    }

    /// Books at one node, which need not be a leaf.
    pub(super) fn book(&mut self, at: NodeId, booking: &Booking) {
        let node = &mut self.nodes[at as usize];
        node.count += booking.times;
        self.shared.book(at, booking, &mut node.held);
    }

    /// Only a client's weight is heeded at once; other nodes look theirs up when they first need it.
    pub(super) fn update_weight(&mut self, path: &str, weight: f64) {
        self.weights.insert(path.into(), weight);
        if let Some(at) = self.find_path(path)
            && (self.node(at).kind != Kind::Inner || self.child(at, VIRTUAL).is_some())
        {
            self.node_mut(at).weight = Some(weight);
        }
    }

    /// The weight in force, which need not be the last that was set.
    pub(super) fn weight(&self, at: NodeId) -> f64 {
        let node = self.node(at);
        node.weight.unwrap_or_else(|| self.weights.get(&node.path).copied().unwrap_or(1.0))
    }

    /// The same, and it stays (`getWeight`).
    #[inline]
    pub(super) fn weight_from_now_on(&mut self, at: NodeId) -> f64 {
        if let Some(weight) = self.node(at).weight {
            return weight;
        }
        let weight = self.weight(at);
        self.node_mut(at).weight = Some(weight);
        weight
    }

    /// Ranks anew, in place of paths.
    pub(super) fn give_ranks(&mut self) {
        for parent in 0..self.places() {
            let children = std::mem::take(&mut self.node_mut(parent).children);
            for (rank, &child) in children.iter().enumerate() {
                self.node_mut(child).key.rank = rank as u32;
            }
            self.node_mut(parent).children = children;
        }
        self.ranks_stale = false;
    }

    fn find_path(&self, path: &str) -> Option<NodeId> {
        if self.flat {
            return self.child(ROOT, path);
        }
        path.split('/').try_fold(ROOT, |at, name| self.child(at, name))
    }

    fn child(&self, parent: NodeId, name: &str) -> Option<NodeId> {
        let children = &self.node(parent).children;
        children
            .binary_search_by(|&child| self.node(child).name().cmp(name))
            .ok()
            .map(|place| children[place])
    }

    /// Puts a node among its siblings, by its key if they are in order.
    fn line_up(&mut self, at: NodeId) {
        let (key, in_order) = (self.node(at).key, self.in_order);
        let parent = self.node(at).parent;
        let line = &mut self.node_mut(parent).line;
        let place = if in_order { line.partition_point(|other| *other < key) } else { line.len() };
        line.insert(place, key);
    }

    fn leave_line(&mut self, at: NodeId) {
        let (key, in_order) = (self.node(at).key, self.in_order);
        let parent = self.node(at).parent;
        let line = &mut self.node_mut(parent).line;
        let place = if in_order {
            line.binary_search(&key).ok()
        } else {
            line.iter().position(|other| other.node == at)
        };
        line.remove(place.expect("a node that takes part stands among its siblings"));
    }
}
