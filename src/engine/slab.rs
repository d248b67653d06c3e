//! Where messages lie until they are delivered, so that the queue moves four bytes for each.

use super::MessageSlot;
use mesos::id::IdVec;

/// Messages under way. A slot that was emptied is filled again before a new one is made, the latest first: it is the
/// one most likely still in the cache.
#[derive(Clone, Debug)]
pub(super) struct Slab<M> {
    slots: IdVec<MessageSlot, Option<M>>,
    free: Vec<MessageSlot>,
}

impl<M> Slab<M> {
    pub(super) const fn new() -> Self {
        Self { slots: IdVec::new(), free: Vec::new() }
    }

    #[inline]
    pub(super) fn insert(&mut self, message: M) -> MessageSlot {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = Some(message);
                slot
            }
            None => self.slots.push(Some(message)),
        }
    }

    #[inline]
    pub(super) fn remove(&mut self, slot: MessageSlot) -> M {
        self.free.push(slot);
        let message = self.slots[slot].take();
        message.unwrap_or_else(|| panic!("{slot:?} is due for delivery, but is empty"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emptied_slot_is_filled_again_before_a_new_one_is_made() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert("a"), slab.insert("b"));
        assert_eq!(slab.remove(a), "a");
        assert_eq!(slab.insert("c"), a);
        assert_eq!((slab.remove(b), slab.remove(a)), ("b", "c"));
        assert_eq!(slab.slots.len(), 2);
    }

    #[test]
    #[should_panic(expected = "MessageSlot(0) is due for delivery, but is empty")]
    fn a_message_is_delivered_once() {
        let mut slab = Slab::new();
        let slot = slab.insert(());
        slab.remove(slot);
        slab.remove(slot);
    }
}
