//! A hierarchical timing wheel: where events wait that do not come soon, sorted no further than need be.
//!
//! Time is read as a number with digits of [`DIGIT`] bits. An event lies at the level of the highest digit in which it
//! differs from the wheel's position, in the slot of its value there (Varghese and Lauck, "Hashed and hierarchical
//! timing wheels", SOSP 1987). So the first slot in use of the lowest level in use holds what comes first. When its
//! turn comes it is handed out whole if it is small, and else spread over the level below. Nothing needs tuning to
//! the delays of a model: nanoseconds and months use different levels.

use super::queue::Key;
use mesos::time::Time;

/// Bits of one digit: as many as make a level's slots fit one word of flags.
const DIGIT: u32 = 6;
const SLOTS: usize = 1 << DIGIT;
/// Digits of a time.
const LEVELS: usize = u64::BITS.div_ceil(DIGIT) as usize;

/// A key and its event, without the eight bytes that an aligned [`Key`] would leave empty.
#[derive(Clone, Copy, Debug)]
struct Entry<E> {
    time: Time,
    seq: u64,
    event: E,
}

impl<E> Entry<E> {
    #[inline]
    const fn key(&self) -> Key {
        Key::new(self.time, self.seq)
    }
}

/// Entries after a position in time.
#[derive(Clone, Debug)]
pub(super) struct Wheel<E> {
    /// All slots, the lowest level first.
    slots: Vec<Vec<Entry<E>>>,
    /// For each level, which slots hold entries.
    used: [u64; LEVELS],
    /// All entries differ from it first in a digit that is larger than its own (or in none, while a slot is spread).
    position: u64,
    /// The level of the slot that was handed out last.
    level: usize,
    len: usize,
    /// Empty slots' memory, for the next slot that needs some.
    spare: Vec<Vec<Entry<E>>>,
}

impl<E: Copy> Wheel<E> {
    /// At time zero: takes entries for all times after it.
    pub(super) fn new() -> Self {
        Self {
            slots: std::iter::repeat_with(Vec::new).take(LEVELS * SLOTS).collect(),
            used: [0; LEVELS],
            position: 0,
            level: 0,
            len: 0,
            spare: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn push(&mut self, key: Key, event: E) {
        let time = key.time().0;
        let level = ((time ^ self.position) | 1).ilog2() / DIGIT;
        let digit = (time >> (level * DIGIT)) as usize % SLOTS;
        let slot = &mut self.slots[level as usize * SLOTS + digit];
        if slot.capacity() == 0 {
            *slot = self.spare.pop().unwrap_or_default();
        }
        slot.push(Entry { time: key.time(), seq: key.seq(), event });
        self.used[level as usize] |= 1 << digit;
        self.len += 1;
    }

    /// Hands out what comes first, at most `most` entries unless more have the same time, in no particular order.
    /// Returns the new position: everything up to it was handed out.
    pub(super) fn take_first_slot(&mut self, most: usize, mut give: impl FnMut(Key, E)) -> Option<Time> {
        loop {
            let level = self.used.iter().position(|&used| used != 0)?;
            let digit = self.used[level].trailing_zeros() as usize;
            let mut slot = std::mem::take(&mut self.slots[level * SLOTS + digit]);
            self.used[level] &= self.used[level] - 1;
            self.len -= slot.len();
            let (start, last) = self.bounds(level, digit);
            if slot.len() <= most || level == 0 {
                (self.position, self.level) = (last, level);
                slot.drain(..).for_each(|entry| give(entry.key(), entry.event));
                self.recycle(slot, most);
                return Some(Time(last));
            }
            self.position = start;
            slot.drain(..).for_each(|entry| self.push(entry.key(), entry.event));
            self.recycle(slot, most);
        }
    }

    /// Moves the position back to the end of the next smaller slot around `now`, within the slot that was handed out
    /// last; what lies behind it may be pushed again. `None` if there is no smaller slot.
    pub(super) fn narrow(&mut self, now: Time) -> Option<Time> {
        self.level = self.level.checked_sub(1)?;
        let slot_start = self.position & !(ones(self.level + 1));
        self.position = now.0.max(slot_start) | ones(self.level);
        Some(Time(self.position))
    }

    /// Keeps the entries that `keep` wants.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(Key, E) -> bool) {
        self.len = 0;
        for (used, slots) in self.used.iter_mut().zip(self.slots.chunks_exact_mut(SLOTS)) {
            let before = *used;
            for digit in (0..SLOTS).filter(|digit| before >> digit & 1 == 1) {
                slots[digit].retain(|entry| keep(entry.key(), entry.event));
                self.len += slots[digit].len();
                *used &= !(u64::from(slots[digit].is_empty()) << digit);
            }
        }
    }

    /// The first and the last time that belong to a slot.
    fn bounds(&self, level: usize, digit: usize) -> (u64, u64) {
        let above = self.position & !ones(level + 1);
        let start = above | (digit as u64) << (level as u32 * DIGIT);
        (start, start | ones(level))
    }

    /// Keeps the memory of an emptied slot, unless it is much larger than a slot usually needs.
    fn recycle(&mut self, slot: Vec<Entry<E>>, usual: usize) {
        if slot.capacity() <= 4 * usual {
            self.spare.push(slot);
        }
    }
}

/// A number whose `digits` lowest digits are as large as can be, and the others zero.
fn ones(digits: usize) -> u64 {
    1u64.checked_shl(digits as u32 * DIGIT).map_or(u64::MAX, |next| next - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(wheel: &mut Wheel<()>, most: usize) -> (u64, Vec<u64>) {
        let mut times = Vec::new();
        let position =
            wheel.take_first_slot(most, |key, ()| times.push(key.time().0)).expect("an entry is left");
        (position.0, times)
    }

    #[test]
    fn a_slot_is_handed_out_whole_if_it_is_small() {
        let mut wheel = Wheel::new();
        [64, 100, 127, 128].into_iter().for_each(|time| wheel.push(Key::new(Time(time), 0), ()));
        assert_eq!(take(&mut wheel, 3), (127, vec![64, 100, 127]));
        assert_eq!(take(&mut wheel, 3), (191, vec![128]));
        assert_eq!(wheel.take_first_slot(3, |_, ()| {}), None);
    }

    #[test]
    fn a_slot_is_spread_if_it_is_large() {
        let mut wheel = Wheel::new();
        [64, 100, 127].into_iter().for_each(|time| wheel.push(Key::new(Time(time), 0), ()));
        assert_eq!(take(&mut wheel, 2), (64, vec![64]));
        assert_eq!(take(&mut wheel, 2), (100, vec![100]));
        assert_eq!(wheel.len(), 1);
    }

    #[test]
    fn the_last_instant_has_a_slot() {
        let mut wheel = Wheel::new();
        wheel.push(Key::new(Time::MAX, 1), ());
        wheel.push(Key::new(Time::MAX, 2), ());
        assert_eq!(take(&mut wheel, 1), (u64::MAX, vec![u64::MAX; 2]));
    }

    #[test]
    fn a_position_moves_back_within_the_slot_last_handed_out() {
        let mut wheel = Wheel::new();
        wheel.push(Key::new(Time(5000), 0), ());
        wheel.push(Key::new(Time(9000), 0), ());
        assert_eq!(take(&mut wheel, 1), (8191, vec![5000]));
        assert_eq!(wheel.narrow(Time(5000)), Some(Time(5055)));
        wheel.push(Key::new(Time(6000), 0), ());
        assert_eq!(wheel.narrow(Time(5000)), Some(Time(5000)));
        assert_eq!(wheel.narrow(Time(5000)), None);
        assert_eq!(take(&mut wheel, 1).1, [6000]);
        assert_eq!(take(&mut wheel, 1).1, [9000]);
    }
}
