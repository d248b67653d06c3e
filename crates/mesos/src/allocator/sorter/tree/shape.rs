//! How the tree grows and shrinks as clients come and go.

use std::collections::VecDeque;

use super::{Key, Kind, NOWHERE, Node, NodeId, ROOT, Tree, VIRTUAL};
use crate::{allocator::sorter::booking::Booking, id::Id, resource::ResourceQuantities};

impl<C: Id> Tree<C> {
    /// Adds a client, as `Sorter::add` does: a leaf on its way becomes an inner node whose client moves into a leaf named
    /// `.` below it; where the path ends at an inner node, so does the new client.
    pub(in super::super) fn add(&mut self, id: C, path: &str) {
        assert!(self.find(id).is_none(), "client {path} was added twice");
        let mut at = ROOT;
        let mut start = 0;
        let mut leaf = None;
        while start <= path.len() {
            let rest = &path[start..];
            let end = start + if self.flat { rest.len() } else { rest.find('/').unwrap_or(rest.len()) };
            at = if let Some(child) = self.child(at, &path[start..end]) {
                child
            } else {
                self.make_inner(at);
                let kind = if end == path.len() { Kind::Inactive } else { Kind::Inner };
                let child = self.join(at, kind, path[..end].into(), start);
                leaf = (kind == Kind::Inactive).then_some(child);
                child
            };
            start = end + 1;
        }
        let leaf = leaf.unwrap_or_else(|| {
            assert!(self.node(at).kind == Kind::Inner, "client {path} was added twice");
            assert!(self.child(at, VIRTUAL).is_none(), "client {path} was added twice");
            self.join_virtual(at, Kind::Inactive)
        });
        self.clients += 1;
        self.seat(id, leaf);
    }

    /// Removes a client: what it holds from all nodes above it, then nodes without children; a node with nothing but its
    /// own client below it is a leaf again (`Sorter::remove`).
    pub(in super::super) fn remove(&mut self, id: C) {
        let leaf = self.leaf(id);
        self.leaves[id.index()] = NOWHERE;
        self.clients -= 1;
        let all = self.shared.all_of(leaf, &self.node(leaf).held);
        let mut at = leaf;
        while at != ROOT {
            let parent = self.node(at).parent;
            self.book_each(parent, &all);
            match self.node(at).children[..] {
                [] => self.drop_node(at),
                [only] if self.node(only).name() == VIRTUAL => self.collapse(at, only),
                _ => {}
            }
            at = parent;
        }
    }

    fn book_each(&mut self, at: NodeId, bookings: &[Booking]) {
        for booking in bookings {
            self.book(at, booking);
        }
    }

    fn seat(&mut self, id: C, leaf: NodeId) {
        if self.leaves.len() <= id.index() {
            self.leaves.resize(id.index() + 1, NOWHERE);
        }
        self.leaves[id.index()] = leaf;
        self.node_mut(leaf).client = Some(id);
    }

    /// A leaf becomes an inner node: its client moves below it, with what it holds and its count.
    fn make_inner(&mut self, at: NodeId) {
        let node = &mut self.nodes[at as usize];
        if node.kind == Kind::Inner {
            return;
        }
        let was = std::mem::replace(&mut node.kind, Kind::Inner);
        let (held, count) = (node.held.clone(), node.count);
        let client = node.client.take().expect("a leaf's client");
        self.inner += 1;
        if was == Kind::Inactive {
            self.line_up(at);
        }
        let leaf = self.join_virtual(at, was);
        self.shared.copy(at, leaf);
        let node = self.node_mut(leaf);
        (node.held, node.count) = (held, count);
        self.seat(client, leaf);
    }

    /// An inner node whose last child is its own client becomes a leaf. It keeps its count, which may be larger.
    fn collapse(&mut self, at: NodeId, leaf: NodeId) {
        let kind = self.node(leaf).kind;
        let client = self.client(leaf);
        self.drop_node(leaf);
        if kind == Kind::Inactive {
            self.leave_line(at);
        }
        self.node_mut(at).kind = kind;
        self.inner -= 1;
        self.seat(client, at);
    }

    fn join_virtual(&mut self, parent: NodeId, kind: Kind) -> NodeId {
        let path = &self.node(parent).path;
        let name_at = path.len() + 1;
        let path = format!("{path}/{VIRTUAL}").into();
        self.join(parent, kind, path, name_at)
    }

    fn join(&mut self, parent: NodeId, kind: Kind, path: Box<str>, name_at: usize) -> NodeId {
        let at = self.new_node(parent, kind, path, name_at);
        let name = self.node(at).name();
        let place = self.node(parent).children.partition_point(|&child| self.node(child).name() < name);
        self.node_mut(parent).children.insert(place, at);
        self.ranks_stale = true;
        self.inner += usize::from(kind == Kind::Inner);
        if kind != Kind::Inactive {
            self.line_up(at);
        }
        at
    }

    pub(super) fn new_node(&mut self, parent: NodeId, kind: Kind, path: Box<str>, name_at: usize) -> NodeId {
        let at = self.free.pop().unwrap_or(self.nodes.len() as NodeId);
        let node = Node {
            parent,
            kind,
            client: None,
            touched: false,
            count: 0,
            held: ResourceQuantities::EMPTY,
            key: Key { share: 0, count: 0, rank: 0, node: at },
            weight: None,
            path,
            name_at,
            children: Vec::new(),
            line: VecDeque::new(),
        };
        match self.nodes.get_mut(at as usize) {
            Some(free) => *free = node,
            None => self.nodes.push(node),
        }
        at
    }

    fn drop_node(&mut self, at: NodeId) {
        if self.node(at).kind != Kind::Inactive {
            self.leave_line(at);
        }
        self.inner -= usize::from(self.node(at).kind == Kind::Inner);
        self.shared.forget(at);
        let parent = self.node(at).parent;
        self.node_mut(parent).children.retain(|&child| child != at);
        self.node_mut(at).kind = Kind::Free;
        self.free.push(at);
    }
}
