//! The order of the active clients of a tree, read as far as it is asked for.

use super::tree::{Kind, NodeId, ROOT, Tree};
use crate::id::Id;

/// A walk through the tree, parents before children, that can go on where it stopped.
#[derive(Debug)]
pub(super) struct Walk<C> {
    /// The active clients met so far.
    met: Vec<C>,
    /// Inner nodes from the root down, each with the place in its line where to go on.
    stack: Vec<(NodeId, u32)>,
}

impl<C: Id> Walk<C> {
    pub(super) fn new() -> Self {
        Self { met: Vec::new(), stack: vec![(ROOT, 0)] }
    }

    /// Begins anew: the order has changed.
    pub(super) fn restart(&mut self) {
        self.met.clear();
        self.stack.clear();
        self.stack.push((ROOT, 0));
    }

    #[inline]
    pub(super) fn nth(&mut self, tree: &Tree<C>, n: usize) -> Option<C> {
        while self.met.len() <= n {
            let client = self.next(tree)?;
            self.met.push(client);
        }
        Some(self.met[n])
    }

    fn next(&mut self, tree: &Tree<C>) -> Option<C> {
        while let Some((parent, place)) = self.stack.last_mut() {
            let Some(key) = tree.node(*parent).line.get(*place as usize) else {
                self.stack.pop();
                continue;
            };
            *place += 1;
            if tree.node(key.node).kind == Kind::Inner {
                self.stack.push((key.node, 0));
            } else {
                return Some(tree.client(key.node));
            }
        }
        None
    }
}
