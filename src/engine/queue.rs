//! The pending events, ordered by time and then by the order in which they were pushed.
//!
//! What comes soon lies in a small heap, everything later in the slots of a wheel, unsorted: an event that is a minute
//! away costs an append now and its share of a small heap when its time comes, so that the work per event hardly
//! depends on how many are pending. The heap compares whole keys; the wheel only decides when an event enters it.
//!
//! Leaves out: removing one event from the middle (the wake-ups of the parent module live without it).

use super::heap::Heap;
use super::wheel::Wheel;
use mesos::time::Time;

/// The place of an event in the order of all events: its time, and its number among all that were ever pushed.
/// Packed into one number, time first, so that one comparison decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u128);

impl Key {
    /// The key of no event, after all others. Its time is [`Time::MAX`].
    pub const NONE: Self = Self(u128::MAX);

    /// The key of the `seq`-th event that was pushed (from 0).
    #[inline]
    #[must_use]
    pub const fn new(time: Time, seq: u64) -> Self {
        Self((time.0 as u128) << 64 | seq as u128)
    }

    /// When the event happens.
    #[inline]
    #[must_use]
    pub const fn time(self) -> Time {
        Time((self.0 >> 64) as u64)
    }

    /// Its number among all that were ever pushed, from 0.
    #[inline]
    #[must_use]
    pub const fn seq(self) -> u64 {
        self.0 as u64
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}s#{}", self.time(), self.seq())
    }
}

/// How many events a slot of the wheel may bring into the heap: few enough to stay in the fastest cache with all that
/// an event touches. Anything from 128 to 1024 was measured to be about as good.
const SOON: usize = 256;

/// Events by time; those at equal times first in, first out.
///
/// `E` is moved about a lot: keep it at 16 bytes or less.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    /// All events at or before `limit`.
    soon: Heap<E>,
    /// All events after `limit`.
    later: Wheel<E>,
    limit: Time,
    pushed: u64,
    now: Time,
}

impl<E: Copy> EventQueue<E> {
    /// An empty queue at time zero.
    #[must_use]
    pub fn new() -> Self {
        Self { soon: Heap::new(), later: Wheel::new(), limit: Time::ZERO, pushed: 0, now: Time::ZERO }
    }

    /// Adds an event behind all that are pending for the same time, and tells its key.
    ///
    /// Panics if `time` is before the last event that was popped.
    #[inline]
    pub fn push(&mut self, time: Time, event: E) -> Key {
        assert!(
            time >= self.now,
            "event {} was pushed for {time} s, but the queue is at {} s already",
            self.pushed,
            self.now
        );
        let key = Key::new(time, self.pushed);
        self.pushed += 1;
        if time > self.limit {
            self.later.push(key, event);
        } else {
            self.soon.push(key, event);
            if self.soon.len() > 4 * SOON {
                self.narrow();
            }
        }
        key
    }

    /// Removes the first event; the queue's time becomes its time.
    #[inline]
    pub fn pop(&mut self) -> Option<(Time, E)> {
        let (key, event) = self.first()?;
        self.drop_first(key);
        Some((key.time(), event))
    }

    /// Removes the first event, just seen to be the one with this key; the queue's time becomes its time.
    #[inline]
    pub fn drop_first(&mut self, key: Key) {
        debug_assert_eq!(self.soon.first().map(|(first, _)| first), Some(key));
        self.soon.remove_first();
        self.now = key.time();
    }

    /// The first event, left where it is.
    #[inline]
    pub fn first(&mut self) -> Option<(Key, E)> {
        self.first_that(|_, _| true)
    }

    /// The first event that `counts`, left where it is. Those that do not are dropped: all before it, and others that
    /// are looked at on the way; the time does not move to theirs. An event that does not count must never count again.
    ///
    /// Asking early, for all events of a slot at once, is faster than asking when each comes first: what has to be
    /// fetched from memory for the answer is fetched for many at a time.
    #[inline]
    pub fn first_that(&mut self, mut counts: impl FnMut(Key, E) -> bool) -> Option<(Key, E)> {
        loop {
            while let Some((key, event)) = self.soon.first() {
                if counts(key, event) {
                    return Some((key, event));
                }
                self.soon.remove_first();
            }
            self.refill(&mut counts)?;
        }
    }

    /// When the first event happens.
    #[must_use]
    pub fn peek_time(&mut self) -> Option<Time> {
        self.first().map(|(key, _)| key.time())
    }

    /// Keeps the events that `keep` wants; their order stays.
    pub fn retain(&mut self, mut keep: impl FnMut(Key, E) -> bool) {
        self.soon.retain(&mut keep);
        self.later.retain(&mut keep);
    }

    /// How many events are pending.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.soon.len() + self.later.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events were ever pushed.
    #[must_use]
    pub const fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Brings the next slot of the wheel into the empty heap; `None` if there is none.
    #[inline(never)]
    fn refill(&mut self, mut counts: impl FnMut(Key, E) -> bool) -> Option<()> {
        self.limit = self.later.take_first_slot(SOON, |key, event| {
            if counts(key, event) {
                self.soon.push(key, event);
            }
        })?;
        Some(())
    }

    /// Gives the later events of a heap that has grown too large back to the wheel, if a smaller slot exists.
    #[cold]
    fn narrow(&mut self) {
        while self.soon.len() > 2 * SOON
            && let Some(limit) = self.later.narrow(self.now)
        {
            self.limit = limit;
            self.soon.retain(|key, event| {
                let stays = key.time() <= limit;
                if !stays {
                    self.later.push(key, event);
                }
                stays
            });
        }
    }
}

impl<E: Copy> Default for EventQueue<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::{Seed, Stream, below};
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn drain(queue: &mut EventQueue<u32>) -> Vec<(u64, u32)> {
        std::iter::from_fn(|| queue.pop()).map(|(time, event)| (time.0, event)).collect()
    }

    #[test]
    fn equal_times_are_first_in_first_out() {
        let mut queue = EventQueue::new();
        for event in 0..1000 {
            queue.push(Time(u64::from(event % 2)), event);
        }
        let expected: Vec<_> =
            (0..1000).step_by(2).map(|e| (0, e)).chain((1..1000).step_by(2).map(|e| (1, e))).collect();
        assert_eq!(drain(&mut queue), expected);
    }

    #[test]
    fn an_event_pushed_for_now_comes_after_those_already_pending_for_now() {
        let mut queue = EventQueue::new();
        queue.push(Time(5), 0);
        queue.push(Time(5), 1);
        assert_eq!(queue.pop(), Some((Time(5), 0)));
        queue.push(Time(5), 2);
        assert_eq!(drain(&mut queue), [(5, 1), (5, 2)]);
    }

    #[test]
    #[should_panic(
        expected = "event 1 was pushed for 0.000000003 s, but the queue is at 0.000000007 s already"
    )]
    fn nobody_pushes_into_the_past() {
        let mut queue = EventQueue::new();
        queue.push(Time(7), ());
        queue.pop();
        queue.push(Time(3), ());
    }

    #[test]
    fn events_that_do_not_count_are_dropped_and_do_not_move_the_time() {
        let mut queue = EventQueue::new();
        queue.push(Time(7), 'a');
        queue.push(Time(8), 'b');
        queue.push(Time(9_000_000_000), 'a');
        assert_eq!(queue.first_that(|_, event| event == 'b'), Some((Key::new(Time(8), 1), 'b')));
        queue.push(Time(3), 'c');
        assert_eq!(queue.pop(), Some((Time(3), 'c')));
        assert_eq!(queue.pop(), Some((Time(8), 'b')));
        assert_eq!(queue.first_that(|_, event| event == 'b'), None);
        assert!(queue.is_empty());
    }

    #[test]
    fn the_end_of_time_is_a_time_like_others() {
        let mut queue = EventQueue::new();
        queue.push(Time::MAX, 'b');
        queue.push(Time(1), 'a');
        assert_eq!(queue.pop(), Some((Time(1), 'a')));
        assert_eq!(queue.peek_time(), Some(Time::MAX));
        assert_eq!(queue.pop(), Some((Time::MAX, 'b')));
        assert_eq!(queue.pop(), None);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(u64),
        Pop,
        DropFirstOdd,
        KeepEven,
    }

    /// Delays of all sizes, with many ties: a few units of some power of two.
    fn delay() -> impl Strategy<Value = u64> {
        (0..8u64, 0..60u32).prop_map(|(units, power)| units << power)
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..20u64).prop_map(Step::Push),
            6 => delay().prop_map(Step::Push),
            8 => Just(Step::Pop),
            1 => Just(Step::DropFirstOdd),
            1 => Just(Step::KeepEven),
        ]
    }

    proptest! {
        /// Against a sorted map from (time, seq).
        #[test]
        fn events_come_by_time_and_then_by_order_of_pushing(steps in prop::collection::vec(step(), 0..300)) {
            let (mut queue, mut sorted) = (EventQueue::new(), BTreeMap::new());
            let (mut now, mut seq) = (0u64, 0u64);
            for step in steps {
                match step {
                    Step::Push(delay) => {
                        let at = now.saturating_add(delay);
                        queue.push(Time(at), seq);
                        sorted.insert((at, seq), seq);
                        seq += 1;
                    }
                    Step::Pop => {
                        let expected = sorted.pop_first().map(|((time, _), event)| (Time(time), event));
                        now = expected.map_or(now, |(time, _)| time.0);
                        prop_assert_eq!(queue.pop(), expected);
                    }
                    Step::DropFirstOdd => {
                        let first = sorted.keys().next().copied().filter(|(_, seq)| seq % 2 == 1);
                        first.map(|key| sorted.remove(&key));
                        queue.first_that(|key, _| Some((key.time().0, key.seq())) != first);
                    }
                    Step::KeepEven => {
                        sorted.retain(|&(_, seq), _| seq % 2 == 0);
                        queue.retain(|key, _| key.seq() % 2 == 0);
                    }
                }
                prop_assert_eq!(queue.len(), sorted.len());
                prop_assert_eq!(queue.clone().peek_time(), sorted.keys().next().map(|&(time, _)| Time(time)));
                prop_assert_eq!(queue.pushed(), seq);
            }
            let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
            let expected: Vec<_> = sorted.into_iter().map(|((time, _), event)| (Time(time), event)).collect();
            prop_assert_eq!(rest, expected);
        }
    }

    /// Thousands of events, so that slots are spread and the heap is narrowed: from a few events far apart, a crowd of
    /// near ones grows, and then everything is drained.
    #[test]
    fn a_crowd_of_events_comes_in_order_at_every_scale() {
        for power in [0, 5, 12, 30, 50] {
            let (mut queue, mut sorted) = (EventQueue::new(), BTreeMap::new());
            let mut rng = Seed(1).of(Stream::Bench, power);
            let mut now = 0;
            for seq in 0..20_000u64 {
                let at = now + (below(&mut rng, 1000) << below(&mut rng, power + 1));
                queue.push(Time(at), seq);
                sorted.insert((at, seq), seq);
                if seq % 3 == 0 {
                    let ((time, _), event) = sorted.pop_first().expect("more is pushed than popped");
                    assert_eq!(queue.pop(), Some((Time(time), event)), "scale 2^{power}");
                    now = time;
                }
            }
            let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
            assert_eq!(
                rest,
                sorted.into_iter().map(|((time, _), event)| (Time(time), event)).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn a_heap_that_grows_too_large_gives_its_later_events_back() {
        let mut queue = EventQueue::new();
        queue.push(Time(1 << 40), 0);
        queue.pop();
        (1..10_000).for_each(|event| _ = queue.push(Time((1 << 40) + u64::from(event)), event));
        assert!(queue.soon.len() <= 4 * SOON, "{} events are in the heap", queue.soon.len());
        assert_eq!(
            drain(&mut queue),
            (1..10_000).map(|event| ((1 << 40) + u64::from(event), event)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_crowd_at_one_instant_is_first_in_first_out() {
        let mut queue = EventQueue::new();
        (0..10_000).for_each(|event| _ = queue.push(Time(77_777_777), event));
        assert_eq!(drain(&mut queue), (0..10_000).map(|event| (77_777_777, event)).collect::<Vec<_>>());
    }
}
