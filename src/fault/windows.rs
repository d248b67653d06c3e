//! When something is wrong: windows of time, of many entities at once, each with draws of its own.

use std::{cmp::Reverse, collections::BinaryHeap};

use mesos::time::{Span, Time};

use super::{Action, Fault};
use crate::engine::{
    law::Law,
    random::{Seed, Stream},
};

/// When windows of time begin.
#[derive(Clone, PartialEq, Debug)]
pub enum When {
    /// At these times.
    At(Vec<Time>),
    /// So long after the end of the window before, the first so long after the start.
    Every(Law),
}

/// Windows of time.
#[derive(Clone, PartialEq, Debug)]
pub struct Windows {
    /// When they begin.
    pub when: When,
    /// How long each lasts.
    pub lasts: Law,
}

/// Which end of a window. At equal times one window ends before another begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Edge {
    /// Its end.
    End,
    /// Its beginning.
    Begin,
}

/// The edges of the windows of several entities, in order of time. The windows of one entity never touch: one that begins
/// before the last has ended prolongs it. Draws are addressed by entity and window.
#[derive(Clone, Debug)]
pub struct Edges {
    windows: Windows,
    seed: Seed,
    /// The next edge of each entity, with the number of its window.
    next: BinaryHeap<Reverse<(Time, Edge, u32, u32)>>,
}

/// What each edge of a window does, spelled out as actions.
pub struct Acting {
    edges: Edges,
    act: Act,
    /// What the last edge does and was not yet asked for, last first.
    pending: Vec<Action>,
    now: Time,
}

type Act = Box<dyn Fn(u32, Edge) -> Vec<Action> + Send>;

impl Windows {
    /// Every hour for a minute, at random.
    pub(super) const fn example() -> Self {
        let (hour, minute) = (Span::from_secs(3600), Span::from_secs(60));
        Self { when: When::Every(Law::Exponential { mean: hour }), lasts: Law::Exponential { mean: minute } }
    }

    /// The edges of the windows of these entities.
    #[must_use]
    pub fn edges(self, seed: Seed, entities: impl IntoIterator<Item = u32>) -> Edges {
        let mut edges = Edges { windows: self, seed, next: BinaryHeap::new() };
        if let When::At(times) = &mut edges.windows.when {
            times.sort_unstable();
        }
        for entity in entities {
            edges.push_begin(entity, 0, Time::ZERO);
        }
        edges
    }

    /// A fault in which each edge of a window of an entity makes these actions.
    pub fn acting(
        self,
        seed: Seed,
        entities: impl IntoIterator<Item = u32>,
        act: impl Fn(u32, Edge) -> Vec<Action> + Send + 'static,
    ) -> Box<dyn Fault> {
        let edges = self.edges(seed, entities);
        Box::new(Acting { edges, act: Box::new(act), pending: Vec::new(), now: Time::ZERO })
    }

    /// A fault in which each edge of a window of an entity makes one action.
    pub fn acting_once(
        self,
        seed: Seed,
        entities: impl IntoIterator<Item = u32>,
        act: impl Fn(u32, Edge) -> Action + Send + 'static,
    ) -> Box<dyn Fault> {
        self.acting(seed, entities, move |entity, edge| vec![act(entity, edge)])
    }
}

impl Iterator for Edges {
    type Item = (Time, u32, Edge);

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((at, edge, entity, number)) = self.next.pop()?;
        match edge {
            Edge::Begin => self.push_end(entity, number, at),
            Edge::End => self.push_begin(entity, number + 1, at),
        }
        Some((at, entity, edge))
    }
}

impl Edges {
    fn push_begin(&mut self, entity: u32, number: u32, after: Time) {
        let at = match &self.windows.when {
            When::At(times) => times.get(number as usize).copied().unwrap_or(Time::MAX),
            // No process may stand still, however short its times.
            When::Every(gap) => after + self.draw(*gap, entity, number, 0).max(Span(1)),
        };
        self.push(at, Edge::Begin, entity, number);
    }

    fn push_end(&mut self, entity: u32, number: u32, begin: Time) {
        let mut number = number;
        let mut end = begin + self.draw(self.windows.lasts, entity, number, 1);
        if let When::At(times) = &self.windows.when {
            while let Some(&at) = times.get(number as usize + 1).filter(|&&at| at <= end) {
                number += 1;
                end = end.max(at + self.draw(self.windows.lasts, entity, number, 1));
            }
        }
        self.push(end, Edge::End, entity, number);
    }

    /// What would happen at the end of time never happens.
    fn push(&mut self, at: Time, edge: Edge, entity: u32, number: u32) {
        if at < Time::MAX {
            self.next.push(Reverse((at, edge, entity, number)));
        }
    }

    /// `which` tells the time before a window from that within it.
    fn draw(&self, law: Law, entity: u32, number: u32, which: u64) -> Span {
        let of_entity = self.seed.child(Stream::FaultWindow, u64::from(entity));
        law.draw(&mut of_entity.of(Stream::FaultWindow, u64::from(number) << 1 | which))
    }
}

impl Fault for Acting {
    fn next(&mut self) -> Option<(Time, Action)> {
        while self.pending.is_empty() {
            let (at, entity, edge) = self.edges.next()?;
            self.now = at;
            self.pending = (self.act)(entity, edge);
            self.pending.reverse();
        }
        self.pending.pop().map(|action| (self.now, action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(law: u64) -> Law {
        Law::Constant(Span::from_secs(law))
    }

    fn at(times: &[u64], lasts: u64) -> Windows {
        let times = times.iter().map(|&at| Time::from_secs(at)).collect();
        Windows { when: When::At(times), lasts: secs(lasts) }
    }

    fn process() -> Windows {
        let mean = Span::from_secs(100);
        Windows {
            when: When::Every(Law::Exponential { mean }),
            lasts: Law::Exponential { mean: Span::from_secs(10) },
        }
    }

    fn edges(windows: Windows) -> Vec<(u64, Edge)> {
        windows.edges(Seed(1), [0]).map(|(at, _, edge)| (at.0 / 1_000_000_000, edge)).collect()
    }

    #[test]
    fn windows_that_touch_are_one() {
        use Edge::{Begin, End};
        assert_eq!(edges(at(&[30, 10], 5)), [(10, Begin), (15, End), (30, Begin), (35, End)]);
        assert_eq!(edges(at(&[10, 12, 17, 30], 5)), [(10, Begin), (22, End), (30, Begin), (35, End)]);
    }

    #[test]
    fn a_window_without_length_begins_and_ends_at_once() {
        assert_eq!(edges(at(&[10], 0)), [(10, Edge::Begin), (10, Edge::End)]);
    }

    #[test]
    fn what_lasts_for_ever_never_ends() {
        let windows = Windows { when: When::At(vec![Time::ZERO]), lasts: Law::Constant(Span::MAX) };
        assert_eq!(edges(windows), [(0, Edge::Begin)]);
    }

    #[test]
    fn edges_come_in_order_of_time_and_each_entity_alternates() {
        let edges: Vec<_> = process().edges(Seed(1), 0..50).take(10_000).collect();
        assert!(edges.is_sorted_by_key(|edge| edge.0));
        for entity in 0..50 {
            let of_it = edges.iter().filter(|edge| edge.1 == entity).map(|edge| edge.2);
            assert!(of_it.zip([Edge::Begin, Edge::End].into_iter().cycle()).all(|(found, due)| found == due));
        }
    }

    #[test]
    fn the_windows_of_an_entity_do_not_depend_on_the_others() {
        let of = |entities: &[u32]| {
            let edges = process().edges(Seed(1), entities.iter().copied()).take(2_000);
            edges.filter(|edge| edge.1 == 7).take(20).collect::<Vec<_>>()
        };
        assert_eq!(of(&[7]), of(&[9, 7, 3, 2, 12]));
    }

    /// Each entity is down 10 s of 110 s in the long run.
    #[test]
    fn the_share_of_time_in_windows_is_that_of_the_means() {
        let (mut down, mut open, mut last) = (0.0, 0, 0.0);
        for (at, _, edge) in process().edges(Seed(1), 0..200).take(100_000) {
            down += f64::from(open) * (at.as_secs_f64() - last);
            open += if edge == Edge::Begin { 1 } else { -1 };
            last = at.as_secs_f64();
        }
        let share = down / (200.0 * last);
        assert!((share * 11.0 - 1.0).abs() < 0.05, "{share} of the time is within windows");
    }
}
