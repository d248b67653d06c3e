//! The event loop: what happens next, and when.
//!
//! Nodes are numbers here; what they are and what they say to each other (`M`) is the business of whoever owns the
//! [`Engine`] and calls [`Engine::next`] in a loop. Two things can happen to a node: a message reaches it, or it wakes
//! up because it had asked to. A node has at most one pending wake-up: asking again replaces the earlier request, so a
//! node says when it next has something to do, never "and then also".
//!
//! Leaves out: Mesos, networks, clocks, and ends of runs.

mod heap;
pub mod hold;
pub mod law;
pub mod queue;
pub mod random;
mod slab;
mod wakes;
mod wheel;

use mesos::time::Time;
use queue::{EventQueue, Key};
use slab::Slab;
use wakes::Wakes;

mesos::id!(/// Something in the simulated world to which events happen.
    NodeId);
mesos::id!(/// Where a message waits for its delivery.
    MessageSlot);

/// What the queue holds: eight bytes, whatever the messages are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The node asked to be woken up; it may have changed its mind since.
    Wake(NodeId),
    /// A message arrives.
    Message {
        /// Whom it reaches.
        to: NodeId,
        /// Where it lies until then.
        message: MessageSlot,
    },
}
const _: () = assert!(size_of::<Event>() == 8);

/// What happens to a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delivery<M> {
    /// It wakes up, as it last asked. It has no pending wake-up now.
    Wake(NodeId),
    /// A message reaches it.
    Message(NodeId, M),
}

/// The simulated time, and everything that is still to happen.
#[derive(Clone, Debug)]
pub struct Engine<M> {
    now: Time,
    queue: EventQueue<Event>,
    wakes: Wakes,
    messages: Slab<M>,
    delivered: u64,
}

impl<M> Engine<M> {
    /// At time zero, with nothing to happen.
    #[must_use]
    pub fn new() -> Self {
        Self {
            now: Time::ZERO,
            queue: EventQueue::new(),
            wakes: Wakes::new(),
            messages: Slab::new(),
            delivered: 0,
        }
    }

    /// The time of the last delivery.
    #[inline]
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Lets `message` reach `to` at `at`, behind everything that already happens then.
    ///
    /// Panics if `at` is past, or is [`Time::MAX`], which stands for "never".
    #[inline]
    pub fn send(&mut self, to: NodeId, at: Time, message: M) {
        self.assert_future(to, at);
        assert!(at < Time::MAX, "a message to {to:?} at {} s would never arrive", self.now);
        let message = self.messages.insert(message);
        self.queue.push(at, Event::Message { to, message });
    }

    /// Wakes `node` up at `at` instead of whenever it had asked before; `None` and [`Time::MAX`] mean never.
    ///
    /// Asking for the same time again changes nothing, not even the place among equal times. Panics if `at` is past.
    #[inline]
    pub fn wake_at(&mut self, node: NodeId, at: Option<Time>) {
        let at = at.unwrap_or(Time::MAX);
        if self.wakes.get(node).time() == at {
            return;
        }
        let mut key = Key::NONE;
        if at < Time::MAX {
            self.assert_future(node, at);
            key = self.queue.push(at, Event::Wake(node));
        }
        self.wakes.replace(node, key);
        if self.wakes.are_mostly_outdated(self.queue.len()) {
            self.forget_outdated();
        }
    }

    /// When `node` will be woken up, if it will.
    #[must_use]
    pub fn wakes_at(&self, node: NodeId) -> Option<Time> {
        Some(self.wakes.get(node).time()).filter(|&at| at < Time::MAX)
    }

    /// Delivers what happens next and moves to its time; `None` if nothing ever happens again.
    #[inline]
    #[expect(
        clippy::should_implement_trait,
        reason = "more events come after a None, once something is sent"
    )]
    pub fn next(&mut self) -> Option<(Time, Delivery<M>)> {
        let (key, event) = self.first_current()?;
        let delivery = match event {
            Event::Wake(node) => {
                self.wakes.surfaced(node);
                Delivery::Wake(node)
            }
            Event::Message { to, message } => Delivery::Message(to, self.messages.remove(message)),
        };
        self.queue.drop_first(key);
        self.now = key.time();
        self.delivered += 1;
        Some((self.now, delivery))
    }

    /// When the next delivery is due. The time does not move.
    #[must_use]
    pub fn next_time(&mut self) -> Option<Time> {
        self.first_current().map(|(key, _)| key.time())
    }

    /// How many deliveries there were.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.delivered
    }

    /// How many deliveries are still to come, as things stand.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.queue.len() - self.wakes.outdated()
    }

    /// The first event that still counts. Drops the outdated wake-ups before it.
    #[inline]
    fn first_current(&mut self) -> Option<(Key, Event)> {
        self.queue.first_that(|key, event| self.wakes.check_out(key, event))
    }

    /// Takes the outdated wake-ups out of the queue. Done when they outnumber the others, so that a node which
    /// changes its mind at every event costs memory for what is pending and not for what it once wanted.
    #[cold]
    fn forget_outdated(&mut self) {
        self.queue.retain(|key, event| self.wakes.check_out(key, event));
        assert_eq!(self.wakes.outdated(), 0, "outdated wake-ups are left among {} events", self.queue.len());
    }

    #[inline]
    fn assert_future(&self, node: NodeId, at: Time) {
        assert!(
            at >= self.now,
            "an event of {node:?} was asked for at {at} s, but it is {} s already",
            self.now
        );
    }
}

impl<M> Default for Engine<M> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::random::{Seed, Stream, unit};
    use super::*;
    use mesos::id::Id;
    use mesos::time::Span;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, VecDeque};

    fn node(index: usize) -> NodeId {
        NodeId::new(index)
    }

    fn drain<M>(engine: &mut Engine<M>) -> Vec<(u64, Delivery<M>)> {
        std::iter::from_fn(|| engine.next()).map(|(time, delivery)| (time.0, delivery)).collect()
    }

    #[test]
    fn a_later_request_replaces_the_earlier_one() {
        let mut engine = Engine::<()>::new();
        engine.wake_at(node(0), Some(Time(5)));
        engine.wake_at(node(0), Some(Time(9)));
        engine.wake_at(node(1), Some(Time(9)));
        engine.wake_at(node(1), Some(Time(5)));
        assert_eq!(engine.wakes_at(node(0)), Some(Time(9)));
        assert_eq!(drain(&mut engine), [(5, Delivery::Wake(node(1))), (9, Delivery::Wake(node(0)))]);
        assert_eq!(engine.wakes_at(node(0)), None);
    }

    #[test]
    fn a_cancelled_wake_up_neither_happens_nor_moves_the_time() {
        let mut engine = Engine::new();
        engine.wake_at(node(0), Some(Time(9)));
        engine.send(node(1), Time(1), ());
        engine.next();
        engine.wake_at(node(0), None);
        assert_eq!((engine.pending(), engine.next(), engine.now()), (0, None, Time(1)));
        engine.send(node(1), Time(3), ());
        assert_eq!(engine.next_time(), Some(Time(3)));
        assert_eq!(engine.events(), 1);
    }

    #[test]
    fn asking_for_the_same_time_again_costs_nothing() {
        let mut engine = Engine::<()>::new();
        engine.wake_at(node(0), Some(Time(5)));
        engine.wake_at(node(1), Some(Time(5)));
        engine.wake_at(node(0), Some(Time(5)));
        assert_eq!(engine.queue.pushed(), 2);
        assert_eq!(drain(&mut engine), [(5, Delivery::Wake(node(0))), (5, Delivery::Wake(node(1)))]);
    }

    #[test]
    fn a_wake_up_that_was_cancelled_and_asked_for_again_happens_once() {
        let mut engine = Engine::<()>::new();
        engine.wake_at(node(0), Some(Time(5)));
        engine.wake_at(node(0), None);
        engine.wake_at(node(0), Some(Time(5)));
        assert_eq!(drain(&mut engine), [(5, Delivery::Wake(node(0)))]);
    }

    #[test]
    fn never_is_not_an_event() {
        let mut engine = Engine::<()>::new();
        engine.wake_at(node(0), Some(Time::MAX));
        assert_eq!((engine.pending(), engine.next()), (0, None));
    }

    #[test]
    fn changing_ones_mind_for_ever_takes_no_more_room() {
        let mut engine = Engine::<()>::new();
        engine.wake_at(node(1), Some(Time(1_000_000)));
        for at in 0..100_000 {
            engine.wake_at(node(0), Some(Time(at)));
            assert!(engine.queue.len() <= 70, "{} entries for 2 pending wake-ups", engine.queue.len());
        }
        assert_eq!(engine.pending(), 2);
    }

    #[test]
    #[should_panic(
        expected = "an event of NodeId(3) was asked for at 0.000000001 s, but it is 0.000000002 s already"
    )]
    fn nobody_wakes_up_in_the_past() {
        let mut engine = Engine::new();
        engine.send(node(0), Time(2), ());
        engine.next();
        engine.wake_at(node(3), Some(Time(1)));
    }

    proptest! {
        /// Against a sorted map from which replaced wake-ups are removed. Steps: (kind, node, delay).
        #[test]
        fn deliveries_are_those_of_a_sorted_map(steps in prop::collection::vec((0..4u8, 0..5usize, 0..9u64), 0..200)) {
            let (mut engine, mut sorted) = (Engine::new(), BTreeMap::new());
            let mut wakes = [None; 5];
            for (seq, (kind, to, delay)) in steps.into_iter().enumerate() {
                let at = engine.now().0 + delay;
                match kind {
                    0 => {
                        engine.send(node(to), Time(at), seq);
                        sorted.insert((at, seq), Delivery::Message(node(to), seq));
                    }
                    1 => {
                        let at = (delay > 0).then_some(at);
                        engine.wake_at(node(to), at.map(Time));
                        let same = |key: (u64, usize)| Some(key.0) == at;
                        if !wakes[to].is_some_and(same) {
                            wakes[to].map(|key| sorted.remove(&key));
                            wakes[to] = at.map(|at| (at, seq));
                            wakes[to].map(|key| sorted.insert(key, Delivery::Wake(node(to))));
                        }
                    }
                    _ => {
                        let first = sorted.pop_first();
                        wakes.iter_mut().for_each(|wake| *wake = wake.filter(|key| sorted.contains_key(key)));
                        prop_assert_eq!(engine.next(), first.map(|((at, _), delivery)| (Time(at), delivery)));
                    }
                }
                prop_assert_eq!(engine.pending(), sorted.len());
            }
            let rest: Vec<_> = sorted.into_iter().map(|((at, _), delivery)| (at, delivery)).collect();
            prop_assert_eq!(drain(&mut engine), rest);
        }
    }

    /// The mean wait of `customers` in a queue with one server. Node 0 serves; its messages are customers, who carry
    /// the time of their arrival; it wakes up when a service ends.
    fn mean_wait(lambda: f64, mu: f64, customers: u64, replication: u64) -> f64 {
        let mut engine = Engine::new();
        let mut arrivals = Seed(1).of(Stream::Arrival, replication);
        let mut services = Seed(1).of(Stream::Runtime, replication);
        let exponential = |rng: &mut rand_pcg::Pcg64Mcg, rate: f64| {
            Span::from_secs_f64(-(1.0 - unit(rng)).ln() / rate).expect("a delay is a number")
        };
        let (mut waiting, mut served, mut waited) = (VecDeque::new(), 0, 0.0);
        engine.send(node(0), Time::ZERO + exponential(&mut arrivals, lambda), ());
        while served < customers {
            let (now, delivery) = engine.next().expect("arrivals never end");
            let busy = engine.wakes_at(node(0)).is_some();
            if delivery == Delivery::Message(node(0), ()) {
                waiting.push_back(now);
                engine.send(node(0), now + exponential(&mut arrivals, lambda), ());
            }
            if !busy && let Some(arrived) = waiting.pop_front() {
                waited += now.since(arrived).as_secs_f64();
                served += 1;
                engine.wake_at(node(0), Some(now + exponential(&mut services, mu)));
            }
        }
        waited / customers as f64
    }

    /// Mean wait of M/M/1: rho / (mu - lambda). 30 independent replications; 3.66 is the 99.9 % point (two-sided) of
    /// Student's t for 29 degrees of freedom. Starting empty biases a replication by far less than its half width.
    #[test]
    fn one_server_with_random_arrivals_waits_as_theory_says() {
        const N: usize = 30;
        let (lambda, mu) = (0.5, 1.0);
        let waits: Vec<f64> = (0..N as u64).map(|i| mean_wait(lambda, mu, 10_000, i)).collect();
        let mean = waits.iter().sum::<f64>() / N as f64;
        let variance = waits.iter().map(|wait| (wait - mean).powi(2)).sum::<f64>() / (N - 1) as f64;
        let half_width = 3.66 * (variance / N as f64).sqrt();
        let expected = lambda / mu / (mu - lambda);
        assert!((mean - expected).abs() < half_width, "mean {mean} +- {half_width}, expected {expected}");
        assert!(half_width < 0.05 * expected, "an interval of +- {half_width} says nothing");
    }
}
