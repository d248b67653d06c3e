//! Which wake-up of a node counts: its latest request. Earlier ones stay in the queue and are skipped.

use super::queue::Key;
use super::{Event, NodeId};
use mesos::id::IdVec;

/// The one pending wake-up of each node, by the key of its event: an event with another key is outdated.
#[derive(Clone, Debug)]
pub(super) struct Wakes {
    /// [`Key::NONE`] where there is none: an `Option` would take twice the room, and a look at it is a cache miss.
    pending: IdVec<NodeId, Key>,
    /// How many outdated wake-ups are in the queue.
    outdated: usize,
}

/// So many outdated wake-ups are never worth a search for them.
const FEW: usize = 64;

impl Wakes {
    pub(super) const fn new() -> Self {
        Self { pending: IdVec::new(), outdated: 0 }
    }

    /// How many outdated wake-ups are in the queue.
    #[inline]
    pub(super) const fn outdated(&self) -> usize {
        self.outdated
    }

    /// The key of the pending wake-up, or [`Key::NONE`].
    #[inline]
    pub(super) fn get(&self, node: NodeId) -> Key {
        self.pending.get(node).copied().unwrap_or(Key::NONE)
    }

    /// Notes that `key` (which may be [`Key::NONE`]) is the one that counts from now on.
    #[inline]
    pub(super) fn replace(&mut self, node: NodeId, key: Key) {
        let earlier = std::mem::replace(self.pending.grow_to(node, || Key::NONE), key);
        self.outdated += usize::from(earlier != Key::NONE);
    }

    /// Notes that the pending wake-up has left the queue.
    #[inline]
    pub(super) fn surfaced(&mut self, node: NodeId) {
        self.pending[node] = Key::NONE;
    }

    /// Whether most of the wake-ups in a queue of `entries` may be outdated, and enough to be worth a search.
    #[inline]
    pub(super) fn are_mostly_outdated(&self, entries: usize) -> bool {
        self.outdated > FEW.max(entries / 2)
    }

    /// Whether an event still counts; if not, it is taken to leave the queue now.
    #[inline]
    pub(super) fn check_out(&mut self, key: Key, event: Event) -> bool {
        let current = match event {
            Event::Wake(node) => self.pending[node] == key,
            Event::Message { .. } => true,
        };
        self.outdated -= usize::from(!current);
        current
    }
}
