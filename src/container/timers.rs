//! When something is next due for each container: a heap in which an entry can be moved and removed.

use mesos::{id::Id, time::Time};

use super::running::Slot;

/// Entries that have the same parent; four of them fill a cache line.
const CHILDREN: usize = 4;

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Time,
    /// Equal times are in order of the containers' start.
    order: u32,
    slot: Slot,
}

impl Entry {
    fn before(&self, other: &Self) -> bool {
        (self.at, self.order) < (other.at, other.order)
    }
}

/// One time for each container.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers {
    heap: Vec<Entry>,
    /// Where in the heap the entry of each slot lies; meaningless for a slot that has none.
    places: Vec<u32>,
}

impl Timers {
    /// Gives a container its first time. `order` tells containers apart that are due together.
    pub(super) fn insert(&mut self, slot: Slot, order: u32, at: Time) {
        if self.places.len() <= slot.index() {
            self.places.resize(slot.index() + 1, 0);
        }
        self.heap.push(Entry { at, order, slot });
        self.lift(self.heap.len() - 1, Entry { at, order, slot });
    }

    /// Gives a container another time; [`Time::MAX`] is never.
    pub(super) fn set(&mut self, slot: Slot, at: Time) {
        let place = self.places[slot.index()] as usize;
        self.put(place, Entry { at, ..self.heap[place] });
    }

    pub(super) fn remove(&mut self, slot: Slot) {
        let place = self.places[slot.index()] as usize;
        let last = self.heap.pop().expect("a container that is there has a time");
        if place < self.heap.len() {
            self.put(place, last);
        }
    }

    /// Who is due first, and when.
    pub(super) fn first(&self) -> Option<(Time, Slot)> {
        self.heap.first().map(|entry| (entry.at, entry.slot))
    }

    /// A container's place among all that were started.
    pub(super) fn order(&self, slot: Slot) -> u32 {
        self.heap[self.places[slot.index()] as usize].order
    }

    /// Puts an entry where it belongs, starting from a place that is free.
    fn put(&mut self, place: usize, entry: Entry) {
        if place > 0 && entry.before(&self.heap[(place - 1) / CHILDREN]) {
            self.lift(place, entry);
        } else {
            self.lower(place, entry);
        }
    }

    fn lift(&mut self, mut place: usize, entry: Entry) {
        while place > 0 {
            let parent = (place - 1) / CHILDREN;
            if !entry.before(&self.heap[parent]) {
                break;
            }
            self.fill(place, self.heap[parent]);
            place = parent;
        }
        self.fill(place, entry);
    }

    fn lower(&mut self, mut place: usize, entry: Entry) {
        loop {
            let first = place * CHILDREN + 1;
            let children = first..self.heap.len().min(first + CHILDREN);
            let earliest = children.min_by_key(|&child| (self.heap[child].at, self.heap[child].order));
            match earliest {
                Some(child) if self.heap[child].before(&entry) => {
                    self.fill(place, self.heap[child]);
                    place = child;
                }
                Some(_) | None => break,
            }
        }
        self.fill(place, entry);
    }

    fn fill(&mut self, place: usize, entry: Entry) {
        self.heap[place] = entry;
        self.places[entry.slot.index()] = u32::try_from(place).expect("fewer than 2^32 containers");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_earliest_is_first_whatever_was_moved_or_removed(
            steps in prop::collection::vec((0usize..12, 0u64..20, 0u8..3), 0..200)
        ) {
            let (mut timers, mut model) = (Timers::default(), [None; 12]);
            for (order, (slot, at, what)) in steps.into_iter().enumerate() {
                let (order, at) = (order as u32, Time(at));
                match (model[slot], what) {
                    (None, _) => {
                        timers.insert(Slot::new(slot), order, at);
                        model[slot] = Some((at, order));
                    }
                    (Some(_), 0) => {
                        timers.remove(Slot::new(slot));
                        model[slot] = None;
                    }
                    (Some((_, first)), _) => {
                        timers.set(Slot::new(slot), at);
                        model[slot] = Some((at, first));
                    }
                }
                let expected = (0..12).filter_map(|slot| Some((model[slot]?, slot))).min();
                prop_assert_eq!(timers.first(), expected.map(|((at, _), slot)| (at, Slot::new(slot))));
            }
        }
    }
}
