//! Amounts over time in bounded memory, when nobody knows beforehand how long the time is.

use std::collections::VecDeque;

use crate::Micros;

/// At most so many bins; when time outgrows them, two and two become one.
const BINS: usize = 1024;

/// A rate over time: cores in use, made of intervals in any order; or events, made of points.
///
/// Each bin keeps how much the rate changes in it, and where on average, so that an interval costs the same however long it
/// is, and merging two bins is adding. (A bin is a power of two microseconds wide, and begins at a multiple of that.)
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Series {
    /// A bin is 2^shift µs wide.
    shift: u32,
    /// The number of the first bin.
    first: i64,
    bins: VecDeque<Bin>,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Bin {
    /// The sum of what came at points.
    points: f64,
    /// By how much the rate is higher at the end of the bin than at its beginning.
    change: f64,
    /// What the changes add to the integral over this bin: each times the seconds from it to the end of the bin.
    integral: f64,
}

/// A bin as it can be read.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Step {
    /// When it begins.
    pub start: Micros,
    /// How long it lasts.
    pub width: Micros,
    /// The sum of what came in it at points.
    pub points: f64,
    /// The mean of the rate over it.
    pub rate: f64,
}

impl Series {
    /// An amount that comes at a point in time.
    pub fn point(&mut self, at: Micros, amount: f64) {
        if let Some(place) = self.reach(at) {
            self.bins[place].points += amount;
        }
    }

    /// A rate that holds over an interval.
    pub fn interval(&mut self, start: Micros, end: Micros, rate: f64) {
        if end <= start || !rate.is_finite() || !is_placed(start) || !is_placed(end) {
            return;
        }
        self.turn(start, rate);
        self.turn(end, -rate);
    }

    fn turn(&mut self, at: Micros, change: f64) {
        let Some(place) = self.reach(at) else { return };
        let end = (self.first + place as i64 + 1) << self.shift;
        let bin = &mut self.bins[place];
        bin.change += change;
        bin.integral += change * (end - at.0) as f64 / 1e6;
    }

    /// The place of the bin that a point lies in, made if need be.
    fn reach(&mut self, at: Micros) -> Option<usize> {
        if !is_placed(at) {
            return None;
        }
        if self.bins.is_empty() {
            self.first = at.0 >> self.shift;
            self.bins.push_back(Bin::default());
        }
        loop {
            let number = at.0 >> self.shift;
            let last = self.first + self.bins.len() as i64 - 1;
            if number.max(last) - number.min(self.first) < BINS as i64 {
                while number < self.first {
                    self.first -= 1;
                    self.bins.push_front(Bin::default());
                }
                let place = (number - self.first) as usize;
                self.bins.resize((place + 1).max(self.bins.len()), Bin::default());
                return Some(place);
            }
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        let width = (1i64 << self.shift) as f64 / 1e6;
        let first = self.first >> 1;
        let mut merged = VecDeque::with_capacity(BINS);
        for (place, bin) in self.bins.iter().enumerate() {
            let number = self.first + place as i64;
            if (number >> 1) - first == merged.len() as i64 {
                merged.push_back(Bin::default());
            }
            let into = merged.back_mut().expect("one was just made");
            into.points += bin.points;
            into.integral += bin.integral + if number & 1 == 0 { bin.change * width } else { 0.0 };
            into.change += bin.change;
        }
        (self.bins, self.first, self.shift) = (merged, first, self.shift + 1);
    }

    /// The bins from the first with something in it to the last.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let width = 1i64 << self.shift;
        let seconds = width as f64 / 1e6;
        let mut level = 0.0;
        let step = |(place, bin): (usize, &Bin)| {
            let rate = level + bin.integral / seconds;
            level += bin.change;
            let start = Micros((self.first + place as i64) << self.shift);
            // What is left of many changes that should cancel is rounding.
            Step { start, width: Micros(width), points: bin.points, rate: rate.max(0.0) }
        };
        self.bins.iter().enumerate().map(step).collect()
    }
}

/// Times beyond 70,000 years have no place.
const fn is_placed(at: Micros) -> bool {
    at.0.unsigned_abs() >> 61 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: i64) -> Micros {
        Micros(seconds * 1_000_000)
    }

    /// Intervals of many lengths over ten days, in no order.
    fn busy() -> (Series, f64) {
        let (mut series, mut total) = (Series::default(), 0.0);
        for n in 0..5_000i64 {
            let start = (n * 7_919) % 864_000 - 5_000;
            let (length, rate) = ((n * 104_729) % 40_000, (n % 7) as f64);
            series.interval(seconds(start), seconds(start + length), rate);
            series.point(seconds(start), 1.0);
            total += length as f64 * rate;
        }
        (series, total)
    }

    #[test]
    fn the_integral_is_kept_however_often_bins_are_merged() {
        let (series, total) = busy();
        let steps = series.steps();
        let integral: f64 = steps.iter().map(|step| step.rate * step.width.as_secs_f64()).sum();
        assert!((integral / total - 1.0).abs() < 1e-9, "{integral} for {total}");
        assert_eq!(steps.iter().map(|step| step.points).sum::<f64>(), 5_000.0);
        assert!(steps.len() <= BINS && steps.len() > BINS / 4, "{} bins", steps.len());
    }

    #[test]
    fn a_constant_rate_is_that_rate_in_every_whole_bin() {
        let mut series = Series::default();
        series.interval(seconds(0), seconds(100_000), 2.5);
        let steps = series.steps();
        let inner = &steps[1..steps.len() - 1];
        assert!(inner.len() > 300 && inner.iter().all(|step| (step.rate - 2.5).abs() < 1e-9), "{steps:?}");
    }

    #[test]
    fn times_that_no_calendar_has_are_left_out() {
        let mut series = Series::default();
        series.point(Micros(i64::MIN), 1.0);
        series.point(Micros(i64::MAX), 1.0);
        assert!(series.steps().is_empty());
        series.point(Micros(-(1 << 60)), 1.0);
        series.point(Micros(1 << 60), 1.0);
        assert_eq!(series.steps().iter().map(|step| step.points).sum::<f64>(), 2.0);
    }
}
