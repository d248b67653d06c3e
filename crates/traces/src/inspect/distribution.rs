//! Quantiles in bounded memory: exact for a few values, and from logarithmic buckets beyond.

use std::collections::BTreeMap;

/// So many values are kept as they are.
const KEPT: usize = 4096;
/// Bits of a double's fraction that a bucket keeps: a bucket is 1/256 wide, so its mean is off by less than 0.4 %.
const FRACTION_BITS: u32 = 8;
/// The place of the sign bit and of the exponent above the fraction that is dropped.
const DROPPED: u32 = 52 - FRACTION_BITS;

/// How values are distributed. The order in which they come makes no difference to quantiles.
///
/// Up to 4,096 values quantiles are exact. With more, each is the mean of a bucket of relative width 1/256 (the buckets are
/// doubles without the last bits of their fraction, as in Masson, Rim and Lee's DDSketch of 2019, but without a logarithm).
/// There are at most a few thousand buckets for values of a dozen orders of magnitude. Count, mean, least and most are exact.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Distribution {
    count: u64,
    sum: f64,
    least: f64,
    most: f64,
    values: Values,
}

#[derive(Clone, PartialEq, Debug)]
enum Values {
    Exact(Vec<f64>),
    Buckets(BTreeMap<i64, Bucket>),
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Bucket {
    count: u64,
    sum: f64,
}

impl Default for Values {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Distribution {
    /// One more value. What is not a finite number is not counted.
    pub fn add(&mut self, value: f64) {
        self.add_times(value, 1);
    }

    /// A value that comes so many times.
    pub fn add_times(&mut self, value: f64, times: u64) {
        if !value.is_finite() || times == 0 {
            return;
        }
        (self.least, self.most) = match self.count {
            0 => (value, value),
            _ => (self.least.min(value), self.most.max(value)),
        };
        self.count = self.count.saturating_add(times);
        self.sum += value * times as f64;
        match &mut self.values {
            Values::Exact(values) if values.len() as u64 + times <= KEPT as u64 => {
                values.extend((0..times).map(|_| value));
            }
            Values::Exact(values) => {
                let mut buckets = BTreeMap::new();
                values.iter().for_each(|value| fill(&mut buckets, *value, 1));
                fill(&mut buckets, value, times);
                self.values = Values::Buckets(buckets);
            }
            Values::Buckets(buckets) => fill(buckets, value, times),
        }
    }

    /// How many values there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    #[must_use]
    pub const fn sum(&self) -> f64 {
        self.sum
    }

    /// Their mean, if there are any.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The least of them.
    #[must_use]
    pub fn least(&self) -> Option<f64> {
        (self.count > 0).then_some(self.least)
    }

    /// The largest of them.
    #[must_use]
    pub fn most(&self) -> Option<f64> {
        (self.count > 0).then_some(self.most)
    }

    /// The least value that is not smaller than this share (0 to 1) of all: the nearest-rank quantile.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let mut before = 0;
        let rank = ((share * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        if rank == self.count {
            return Some(self.most);
        }
        self.steps().into_iter().find_map(|(value, times)| {
            before += times;
            (before >= rank).then_some(value)
        })
    }

    /// The distinct values (or the means of the buckets), ascending, and how often each comes.
    #[must_use]
    pub fn steps(&self) -> Vec<(f64, u64)> {
        match &self.values {
            Values::Exact(values) => {
                let mut sorted = values.clone();
                sorted.sort_by(f64::total_cmp);
                sorted.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u64)).collect()
            }
            Values::Buckets(buckets) => {
                let step = |bucket: &Bucket| (bucket.sum / bucket.count as f64, bucket.count);
                buckets.values().map(step).collect()
            }
        }
    }
}

fn fill(buckets: &mut BTreeMap<i64, Bucket>, value: f64, times: u64) {
    let bucket = buckets.entry(bucket(value)).or_default();
    bucket.count = bucket.count.saturating_add(times);
    bucket.sum += value * times as f64;
}

/// The bits of positive doubles ascend with their values, so dropping the last ones makes buckets. Negative values are
/// mirrored; zero has a bucket of its own.
fn bucket(value: f64) -> i64 {
    let magnitude = (value.abs().to_bits() >> DROPPED) as i64 + 1;
    if value == 0.0 {
        0
    } else if value > 0.0 {
        magnitude
    } else {
        -magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl Iterator<Item = f64>) -> Distribution {
        let mut distribution = Distribution::default();
        values.for_each(|value| distribution.add(value));
        distribution
    }

    #[test]
    fn quantiles_of_a_few_values_are_exact() {
        let distribution = of((1..=100).rev().map(f64::from));
        let shares = [0.0, 0.5, 0.9, 0.99, 1.0];
        assert_eq!(
            shares.map(|share| distribution.quantile(share)),
            [1.0, 50.0, 90.0, 99.0, 100.0].map(Some)
        );
        assert_eq!((distribution.mean(), distribution.count()), (Some(50.5), 100));
    }

    #[test]
    fn quantiles_of_many_values_are_off_by_less_than_half_a_per_cent() {
        let value = |n: u64| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / 100.0;
        let mut sorted: Vec<f64> = (0..200_000).map(value).collect();
        let distribution = of(sorted.iter().copied());
        sorted.sort_by(f64::total_cmp);
        for share in [0.01, 0.25, 0.5, 0.9, 0.99, 0.9999] {
            let exact = sorted[((share * 200_000.0) as usize).max(1) - 1];
            let found = distribution.quantile(share).expect("values");
            assert!((found / exact - 1.0).abs() < 0.005, "{share}: {found} for {exact}");
        }
        assert_eq!(distribution.quantile(1.0), sorted.last().copied());
        assert!(distribution.steps().len() < 6_000, "{} buckets", distribution.steps().len());
    }

    #[test]
    fn a_value_that_comes_a_million_times_is_one_step() {
        let mut distribution = Distribution::default();
        distribution.add_times(3.0, 1_000_000);
        distribution.add(0.0);
        distribution.add(-2.0);
        assert_eq!(distribution.steps().iter().map(|step| step.1).collect::<Vec<_>>(), [1, 1, 1_000_000]);
        assert_eq!(
            [0.0, 0.000_001, 0.5].map(|q| distribution.quantile(q).expect("values").round()),
            [-2.0, 0.0, 3.0]
        );
    }

    #[test]
    fn nothing_has_no_quantiles_and_no_number_is_no_value() {
        let distribution = of([f64::NAN, f64::INFINITY].into_iter());
        assert_eq!((distribution.count(), distribution.quantile(0.5), distribution.mean()), (0, None, None));
    }
}
