//! What a case is drawn with.

use mesos::time::{Span, Time};
use rand_pcg::Pcg64Mcg;

use crate::engine::random::{Seed, Stream, below, unit};

/// Random choices, one after the other, of one part of a case.
pub(super) struct Dice(Pcg64Mcg);

impl Dice {
    /// Of one part: what is drawn for it depends on no other part.
    pub(super) fn new(seed: Seed, part: u64) -> Self {
        Self(seed.of(Stream::Fuzz, part))
    }

    /// From `least` to `most`, each equally likely.
    pub(super) fn whole(&mut self, least: u64, most: u64) -> u64 {
        least + below(&mut self.0, most - least + 1)
    }

    pub(super) fn share(&mut self) -> f64 {
        unit(&mut self.0)
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.whole(0, all.len() as u64 - 1) as usize]
    }

    /// Between two lengths of time, all magnitudes alike.
    pub(super) fn span(&mut self, least: Span, most: Span) -> Span {
        let (least, most) = ((least.0.max(1) as f64).ln(), (most.0.max(1) as f64).ln());
        Span((least + self.share() * (most - least)).exp() as u64)
    }

    pub(super) fn time(&mut self, before: Span) -> Time {
        Time(self.whole(0, before.0))
    }

    /// Some of so many, at least one if there are any.
    pub(super) fn some(&mut self, of: usize) -> Vec<usize> {
        let probability = self.one_of(&[0.1, 0.5, 1.0]);
        let mut some: Vec<usize> = (0..of).filter(|_| self.chance(probability)).collect();
        if some.is_empty() && of > 0 {
            some.push(self.whole(0, of as u64 - 1) as usize);
        }
        some
    }
}
