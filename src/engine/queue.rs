//! The pending events, ordered by time and then by the order in which they were pushed.
//!
//! A heap with four children per entry. The keys lie apart from the events, and the keys of four siblings share one
//! cache line, so that one step down costs one line of keys. Removing the first entry leaves its place vacant until
//! the next call: an event mostly causes another one soon after, and that one then takes the vacant place and stops
//! near the top instead of travelling through the whole heap twice.
//!
//! Leaves out: removing an entry from the middle (see [`EventQueue::retain`] and the wake-ups of the parent module).

use mesos::time::Time;

/// The place of an event in the order of all events: its time, and its number among all that were ever pushed.
/// Packed into one number, time first, so that one comparison decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u128);

impl Key {
    /// Stands in slots that hold nothing: after every key that is handed out.
    const NONE: Self = Self(u128::MAX);

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

/// Entries that have the same parent.
const SIBLINGS: usize = 4;
/// Where the first entry lies. With 3, the children of `at` fill exactly the row `at - 2`.
const ROOT: usize = 3;

/// The keys of four siblings: one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Row([Key; SIBLINGS]);

/// Events by time; those at equal times first in, first out.
///
/// `E` is moved about a lot: keep it at 16 bytes or less.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    /// `keys[i][j]` and `events[i][j]` belong together. Slots behind the last entry hold [`Key::NONE`].
    keys: Vec<Row>,
    events: Vec<[E; SIBLINGS]>,
    /// The first slot behind the last entry.
    end: usize,
    /// Whether the entry at `ROOT` is gone and its place not yet filled.
    vacant: bool,
    pushed: u64,
    now: Time,
}

impl<E: Copy> EventQueue<E> {
    /// An empty queue at time zero.
    #[must_use]
    pub const fn new() -> Self {
        Self { keys: Vec::new(), events: Vec::new(), end: ROOT, vacant: false, pushed: 0, now: Time::ZERO }
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
        if self.vacant {
            self.vacant = false;
            self.sift_down(key, event);
        } else {
            self.append(key, event);
        }
        key
    }

    /// Removes the first event; the queue's time becomes its time.
    #[inline]
    pub fn pop(&mut self) -> Option<(Time, E)> {
        let (key, event) = self.first()?;
        self.vacant = true;
        self.now = key.time();
        Some((key.time(), event))
    }

    /// The first event, left where it is.
    #[inline]
    pub fn first(&mut self) -> Option<(Key, E)> {
        self.fill_vacancy();
        (self.end > ROOT).then(|| (self.keys[0].0[ROOT], self.events[0][ROOT]))
    }

    /// Removes the first event without moving on to its time: it never happened.
    pub fn discard_first(&mut self) {
        self.fill_vacancy();
        self.vacant = self.end > ROOT;
    }

    /// Keeps the events that `keep` wants; their order stays.
    pub fn retain(&mut self, mut keep: impl FnMut(Key, E) -> bool) {
        self.fill_vacancy();
        let end = std::mem::replace(&mut self.end, ROOT);
        for at in ROOT..end {
            let (key, event) = (self.key(at), self.event(at));
            self.set_key(at, Key::NONE);
            if keep(key, event) {
                self.append(key, event);
            }
        }
    }

    /// When the first event happens.
    #[must_use]
    pub fn peek_time(&self) -> Option<Time> {
        match (self.len(), self.vacant) {
            (0, _) => None,
            (_, false) => Some(self.keys[0].0[ROOT].time()),
            (_, true) => self.keys[1].0.iter().min().map(|key| key.time()),
        }
    }

    /// How many events are pending.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.end - ROOT - usize::from(self.vacant)
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

    /// Puts the last entry into the vacant first place, if it is vacant.
    #[inline]
    fn fill_vacancy(&mut self) {
        if !std::mem::take(&mut self.vacant) {
            return;
        }
        self.end -= 1;
        let (key, event) = (self.key(self.end), self.event(self.end));
        self.set_key(self.end, Key::NONE);
        if self.end > ROOT {
            self.sift_down(key, event);
        }
    }

    /// Adds an entry at the end and moves it up to where it belongs.
    #[inline]
    fn append(&mut self, key: Key, event: E) {
        if self.end / SIBLINGS == self.keys.len() {
            self.keys.push(Row([Key::NONE; SIBLINGS]));
            self.events.push([event; SIBLINGS]);
        }
        let mut at = self.end;
        self.end += 1;
        while at > ROOT {
            let parent = at / SIBLINGS + 2;
            let above = self.key(parent);
            if above < key {
                break;
            }
            self.set(at, above, self.event(parent));
            at = parent;
        }
        self.set(at, key, event);
    }

    /// Puts an entry into the free first place and moves it down to where it belongs.
    #[inline]
    fn sift_down(&mut self, key: Key, event: E) {
        let mut at = ROOT;
        while let Some(row) = self.keys.get(at - 2) {
            let child = first_of(&row.0);
            let below = row.0[child];
            if key < below {
                break;
            }
            let event_below = self.events[at - 2][child];
            self.set(at, below, event_below);
            at = (at - 2) * SIBLINGS + child;
        }
        self.set(at, key, event);
    }

    #[inline]
    fn key(&self, at: usize) -> Key {
        self.keys[at / SIBLINGS].0[at % SIBLINGS]
    }

    #[inline]
    fn event(&self, at: usize) -> E {
        self.events[at / SIBLINGS][at % SIBLINGS]
    }

    #[inline]
    fn set(&mut self, at: usize, key: Key, event: E) {
        self.set_key(at, key);
        self.events[at / SIBLINGS][at % SIBLINGS] = event;
    }

    #[inline]
    fn set_key(&mut self, at: usize, key: Key) {
        self.keys[at / SIBLINGS].0[at % SIBLINGS] = key;
    }
}

impl<E: Copy> Default for EventQueue<E> {
    fn default() -> Self {
        Self::new()
    }
}

/// Which of four keys is the smallest. Two rounds of comparisons whose results are numbers, not jumps: which child is
/// the smallest is a coin toss, and a wrongly predicted jump costs more than the comparison.
#[inline]
fn first_of(keys: &[Key; SIBLINGS]) -> usize {
    let left = usize::from(keys[1] < keys[0]);
    let right = 2 + usize::from(keys[3] < keys[2]);
    std::hint::select_unpredictable(keys[right] < keys[left], right, left)
}

#[cfg(test)]
mod tests {
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
    fn a_discarded_event_does_not_move_the_time() {
        let mut queue = EventQueue::new();
        queue.push(Time(7), 'a');
        queue.discard_first();
        queue.push(Time(3), 'b');
        assert_eq!(queue.pop(), Some((Time(3), 'b')));
        queue.discard_first();
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
        Discard,
        KeepEven,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0u64..20).prop_map(Step::Push),
            5 => Just(Step::Pop),
            1 => Just(Step::Discard),
            1 => Just(Step::KeepEven),
        ]
    }

    proptest! {
        /// Against a sorted map from (time, seq).
        #[test]
        fn events_come_by_time_and_then_by_order_of_pushing(steps in prop::collection::vec(step(), 0..300)) {
            let (mut queue, mut sorted) = (EventQueue::new(), BTreeMap::new());
            let (mut now, mut seq) = (0, 0u64);
            for step in steps {
                match step {
                    Step::Push(delay) => {
                        queue.push(Time(now + delay), seq);
                        sorted.insert((now + delay, seq), seq);
                        seq += 1;
                    }
                    Step::Pop => {
                        let expected = sorted.pop_first().map(|((time, _), event)| (Time(time), event));
                        now = expected.map_or(now, |(time, _)| time.0);
                        prop_assert_eq!(queue.pop(), expected);
                    }
                    Step::Discard => {
                        sorted.pop_first();
                        queue.discard_first();
                    }
                    Step::KeepEven => {
                        sorted.retain(|&(_, seq), _| seq % 2 == 0);
                        queue.retain(|key, _| key.seq() % 2 == 0);
                    }
                }
                prop_assert_eq!(queue.len(), sorted.len());
                prop_assert_eq!(queue.peek_time(), sorted.keys().next().map(|&(time, _)| Time(time)));
                prop_assert_eq!(queue.pushed(), seq);
            }
            let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
            let expected: Vec<_> = sorted.into_iter().map(|((time, _), event)| (Time(time), event)).collect();
            prop_assert_eq!(rest, expected);
        }
    }
}
