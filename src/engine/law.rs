//! How long something lasts, as a distribution with a given mean.

use mesos::time::Span;
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_pcg::Pcg64Mcg;

use super::random::unit;

/// A distribution of lengths of time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Law {
    /// Always the same.
    Constant(Span),
    /// Without memory: whatever has passed, as much is still to be expected.
    Exponential {
        /// Mean.
        mean: Span,
    },
    /// The time to failure of machines: with a shape below 1 the young fail more often, above 1 the old.
    Weibull {
        /// Nanoseconds that a share of 1 - 1/e does not exceed.
        scale: f64,
        /// Exponent.
        shape: f64,
    },
    /// Repair times: most are short, some very long.
    Lognormal {
        /// Mean of the logarithm of nanoseconds.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
}

impl Law {
    /// Weibull with this mean; the mean of scale 1 is gamma(1 + 1 / shape).
    #[must_use]
    pub fn weibull(mean: Span, shape: f64) -> Self {
        Self::Weibull { scale: mean.0 as f64 / gamma(1.0 + 1.0 / shape), shape }
    }

    /// Lognormal with this mean, which is exp(mu + sigma^2 / 2).
    #[must_use]
    pub fn lognormal(mean: Span, sigma: f64) -> Self {
        Self::Lognormal { mu: (mean.0 as f64).ln() - sigma * sigma / 2.0, sigma }
    }

    /// One length of time. [`Span::MAX`] if it is longer than anything.
    #[must_use]
    pub fn draw(self, rng: &mut Pcg64Mcg) -> Span {
        match self {
            Self::Constant(span) => span,
            Self::Exponential { mean } => {
                let unit: f64 = Exp1.sample(rng);
                rounded(unit * mean.0 as f64)
            }
            Self::Weibull { scale, shape } => rounded(scale * (-(1.0 - unit(rng)).ln()).powf(1.0 / shape)),
            Self::Lognormal { mu, sigma } => {
                let normal: f64 = StandardNormal.sample(rng);
                rounded((mu + sigma * normal).exp())
            }
        }
    }
}

/// Floats beyond the range of a span become the longest span.
fn rounded(nanos: f64) -> Span {
    Span(nanos.round() as u64)
}

/// The gamma function above 1, to 15 digits (Lanczos' series with g = 7 and nine terms, as in Numerical Recipes).
fn gamma(x: f64) -> f64 {
    const FIRST: f64 = 0.999_999_999_999_809_9;
    const SERIES: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    assert!(x > 1.0, "gamma({x}): the series holds above 1");
    let x = x - 1.0;
    let sum = SERIES.iter().zip(1..).fold(FIRST, |sum, (term, place)| sum + term / (x + f64::from(place)));
    let t = x + 7.5;
    (std::f64::consts::TAU).sqrt() * t.powf(x + 0.5) * (-t).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Seed, Stream};

    /// Mean and standard deviation of many draws, in seconds.
    fn moments(law: Law) -> (f64, f64) {
        const N: u64 = 200_000;
        let draws = (0..N).map(|entity| law.draw(&mut Seed(1).of(Stream::Bench, entity)).as_secs_f64());
        let (sum, squares) =
            draws.fold((0.0, 0.0), |(sum, squares), draw| (sum + draw, squares + draw * draw));
        let mean = sum / N as f64;
        (mean, (squares / N as f64 - mean * mean).sqrt())
    }

    fn assert_near(found: f64, expected: f64, what: &str) {
        assert!((found / expected - 1.0).abs() < 0.02, "{what} is {found}, not {expected}");
    }

    /// The deviations come from tables: a Weibull of shape 2 deviates by 0.522723 of its mean, of shape 0.5 by the square
    /// root of 5; a lognormal by the root of exp(sigma^2) - 1.
    #[test]
    fn means_and_deviations_are_those_of_the_closed_forms() {
        let mean = Span::from_secs(100);
        for (law, deviation) in [
            (Law::Exponential { mean }, 100.0),
            (Law::weibull(mean, 1.0), 100.0),
            (Law::weibull(mean, 2.0), 52.2723),
            (Law::weibull(mean, 0.5), 223.607),
            (Law::lognormal(mean, 0.5), 53.2940),
        ] {
            let (found, spread) = moments(law);
            assert_near(found, 100.0, &format!("the mean of {law:?}"));
            assert_near(spread, deviation, &format!("the deviation of {law:?}"));
        }
        assert_eq!(Law::Constant(mean).draw(&mut Seed(1).of(Stream::Bench, 0)), mean);
    }

    #[test]
    fn gamma_takes_its_known_values() {
        let pi = std::f64::consts::PI;
        for (x, value) in [(1.5, pi.sqrt() / 2.0), (2.0, 1.0), (3.0, 2.0), (5.0, 24.0), (11.0, 3_628_800.0)] {
            assert!((gamma(x) / value - 1.0).abs() < 1e-12, "gamma({x}) is {}, not {value}", gamma(x));
        }
    }

    #[test]
    fn what_lasts_longer_than_time_lasts_for_ever() {
        assert_eq!(rounded(1e30), Span::MAX);
    }
}
