//! Distributions of one quantity: what can be drawn, and what can be said of what is drawn.
//!
//! Units are those of whoever asks: seconds, cores, MiB, devices, tasks. Draws of their own come from `rand_distr`; where
//! quantities are drawn together, each is the quantile of a shared probability.

use std::sync::Arc;

use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_pcg::Pcg64Mcg;
use statrs::{
    distribution::{Continuous, ContinuousCDF, Normal},
    function::gamma,
};

use crate::engine::random::unit;

/// A distribution of numbers that are 0 or more.
#[derive(Clone, PartialEq, Debug)]
pub enum Marginal {
    /// Always the same.
    Constant(f64),
    /// Each number between two equally likely.
    Uniform {
        /// The smallest.
        low: f64,
        /// The largest.
        high: f64,
    },
    /// Without memory.
    Exponential {
        /// Mean.
        mean: f64,
    },
    /// The logarithm is normal.
    LogNormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// A stretched exponential.
    Weibull {
        /// What a share of 1 - 1/e does not exceed.
        scale: f64,
        /// Exponent.
        shape: f64,
    },
    /// A sum of exponentials, for whole shapes.
    Gamma {
        /// Mean divided by shape.
        scale: f64,
        /// How many exponentials.
        shape: f64,
    },
    /// A power law between two bounds: the density falls with `x^-(shape + 1)`.
    Pareto {
        /// The smallest number, above 0.
        low: f64,
        /// The largest.
        high: f64,
        /// Exponent of the tail.
        shape: f64,
    },
    /// One of several distributions, each as likely as its weight says.
    Mixture(Vec<Weighted>),
    /// One of several numbers.
    Listed(Listed),
    /// Numbers, ascending, which equal shares of all draws lie between; there are at least two.
    Quantiles(Arc<[f64]>),
    /// What lies outside of two bounds is drawn as the bound.
    Clamped {
        /// What is drawn.
        of: Box<Marginal>,
        /// The smallest number.
        low: f64,
        /// The largest.
        high: f64,
    },
}

/// A part of a mixture.
#[derive(Clone, PartialEq, Debug)]
pub struct Weighted {
    /// The share of all draws that come from it.
    pub share: f64,
    /// What is drawn.
    pub of: Marginal,
}

/// Numbers, ascending, with the share of draws that do not exceed each of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Listed {
    values: Arc<[f64]>,
    cumulative: Arc<[f64]>,
}

impl Listed {
    /// Numbers in any order with their weights; there is at least one, and the weights are above 0.
    #[must_use]
    pub fn new(mut pairs: Vec<(f64, f64)>) -> Self {
        assert!(!pairs.is_empty(), "a list of no numbers to draw from");
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        pairs.dedup_by(|next, kept| {
            let same = next.0.total_cmp(&kept.0).is_eq();
            if same {
                kept.1 += next.1;
            }
            same
        });
        let total: f64 = pairs.iter().map(|pair| pair.1).sum();
        let cumulative = pairs.iter().scan(0.0, |sum, pair| {
            *sum += pair.1;
            Some(*sum / total)
        });
        Self { cumulative: cumulative.collect(), values: pairs.iter().map(|pair| pair.0).collect() }
    }

    /// Each number and the share of draws that are it.
    pub fn shares(&self) -> impl Iterator<Item = (f64, f64)> {
        let before = std::iter::once(0.0).chain(self.cumulative.iter().copied());
        let shares = self.cumulative.iter().zip(before).map(|(now, before)| now - before);
        self.values.iter().copied().zip(shares)
    }

    fn quantile(&self, probability: f64) -> f64 {
        let place = self.cumulative.partition_point(|&below| below < probability);
        self.values[place.min(self.values.len() - 1)]
    }

    fn cdf(&self, x: f64) -> f64 {
        match self.values.partition_point(|&value| value <= x) {
            0 => 0.0,
            count => self.cumulative[count - 1],
        }
    }
}

impl Marginal {
    /// Lognormal with this mean, which is exp(mu + sigma^2 / 2).
    #[must_use]
    pub fn lognormal(mean: f64, sigma: f64) -> Self {
        Self::LogNormal { mu: mean.ln() - sigma * sigma / 2.0, sigma }
    }

    /// Weibull with this mean, which is scale gamma(1 + 1 / shape).
    #[must_use]
    pub fn weibull(mean: f64, shape: f64) -> Self {
        Self::Weibull { scale: mean / gamma::gamma(1.0 + 1.0 / shape), shape }
    }

    /// Gamma with this mean.
    #[must_use]
    pub fn gamma(mean: f64, shape: f64) -> Self {
        Self::Gamma { scale: mean / shape, shape }
    }

    /// A number, drawn for itself.
    #[must_use]
    pub fn draw(&self, rng: &mut Pcg64Mcg) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Exponential { mean } => {
                let unit: f64 = Exp1.sample(rng);
                mean * unit
            }
            Self::LogNormal { mu, sigma } => {
                let normal: f64 = StandardNormal.sample(rng);
                (mu + sigma * normal).exp()
            }
            Self::Weibull { scale, shape } => {
                let unit: f64 = Exp1.sample(rng);
                scale * unit.powf(1.0 / shape)
            }
            Self::Gamma { scale, shape } => {
                let gamma = rand_distr::Gamma::new(*shape, *scale);
                gamma.unwrap_or_else(|error| panic!("{self:?}: {error}")).sample(rng)
            }
            Self::Mixture(parts) => {
                let (part, _) = part(parts, unit(rng));
                part.draw(rng)
            }
            Self::Uniform { .. } | Self::Pareto { .. } | Self::Listed(_) | Self::Quantiles(_) => {
                self.quantile(unit(rng))
            }
            Self::Clamped { of, low, high } => of.draw(rng).clamp(*low, *high),
        }
    }

    /// The number that a draw does not exceed with this probability, which lies between 0 and 1.
    #[must_use]
    pub fn quantile(&self, probability: f64) -> f64 {
        let probability = probability.clamp(LEAST, 1.0 - f64::EPSILON);
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { low, high } => low + probability * (high - low),
            Self::Exponential { mean } => -mean * (-probability).ln_1p(),
            Self::LogNormal { mu, sigma } => (mu + sigma * Normal::standard().inverse_cdf(probability)).exp(),
            Self::Weibull { scale, shape } => scale * (-(-probability).ln_1p()).powf(1.0 / shape),
            Self::Pareto { low, high, shape } => {
                let cut = 1.0 - (low / high).powf(*shape);
                (low * (1.0 - probability * cut).powf(-1.0 / shape)).min(*high)
            }
            Self::Gamma { scale, shape } => inverse(self, probability, scale * shape),
            Self::Mixture(parts) => inverse(self, probability, part(parts, probability).0.quantile(0.5)),
            Self::Listed(listed) => listed.quantile(probability),
            Self::Quantiles(values) => between(values, probability),
            Self::Clamped { of, low, high } => of.quantile(probability).clamp(*low, *high),
        }
    }

    /// The probability that a draw does not exceed `x`.
    #[must_use]
    pub fn cdf(&self, x: f64) -> f64 {
        match self {
            Self::Constant(value) => f64::from(u8::from(x >= *value)),
            Self::Uniform { low, high } => ((x - low) / (high - low)).clamp(0.0, 1.0),
            Self::Clamped { low, .. } if x < *low => 0.0,
            Self::Clamped { high, .. } if x >= *high => 1.0,
            Self::Clamped { of, .. } => of.cdf(x),
            Self::Mixture(parts) => parts.iter().map(|part| part.share * part.of.cdf(x)).sum(),
            Self::Listed(listed) => listed.cdf(x),
            Self::Quantiles(values) => share_below(values, x),
            _ if x <= 0.0 => 0.0,
            Self::Exponential { mean } => -(-x / mean).exp_m1(),
            Self::LogNormal { mu, sigma } => Normal::standard().cdf((x.ln() - mu) / sigma),
            Self::Weibull { scale, shape } => -(-(x / scale).powf(*shape)).exp_m1(),
            Self::Gamma { scale, shape } => gamma::gamma_lr(*shape, x / scale),
            Self::Pareto { low, .. } if x <= *low => 0.0,
            Self::Pareto { high, .. } if x >= *high => 1.0,
            Self::Pareto { low, high, shape } => {
                (1.0 - (low / x).powf(*shape)) / (1.0 - (low / high).powf(*shape))
            }
        }
    }

    /// The logarithm of the density at `x` above 0; `None` for distributions that have none.
    #[must_use]
    pub fn ln_density(&self, x: f64) -> Option<f64> {
        match self {
            Self::Exponential { mean } => Some(-x / mean - mean.ln()),
            Self::LogNormal { mu, sigma } => {
                Some(Normal::standard().ln_pdf((x.ln() - mu) / sigma) - sigma.ln() - x.ln())
            }
            Self::Weibull { scale, shape } => {
                let ratio = x / scale;
                Some((shape / scale).ln() + (shape - 1.0) * ratio.ln() - ratio.powf(*shape))
            }
            Self::Gamma { scale, shape } => {
                let ratio = x / scale;
                Some((shape - 1.0) * ratio.ln() - ratio - gamma::ln_gamma(*shape) - scale.ln())
            }
            Self::Pareto { low, high, shape } if (*low..=*high).contains(&x) => {
                let cut = 1.0 - (low / high).powf(*shape);
                Some(shape.ln() + shape * low.ln() - (shape + 1.0) * x.ln() - cut.ln())
            }
            Self::Pareto { .. } => Some(f64::NEG_INFINITY),
            Self::Uniform { low, high } if (*low..=*high).contains(&x) => Some(-(high - low).ln()),
            Self::Uniform { .. } => Some(f64::NEG_INFINITY),
            Self::Mixture(parts) => {
                let density = |part: &Weighted| Some(part.share * part.of.ln_density(x)?.exp());
                parts.iter().map(density).sum::<Option<f64>>().map(f64::ln)
            }
            Self::Constant(_) | Self::Listed(_) | Self::Quantiles(_) | Self::Clamped { .. } => None,
        }
    }
}

/// Probabilities below this are as good as none.
const LEAST: f64 = 1e-18;

/// The part of a mixture in which this probability falls, and how much of the part lies below it.
fn part(parts: &[Weighted], probability: f64) -> (&Marginal, f64) {
    let mut left = probability;
    for part in parts {
        if left < part.share {
            return (&part.of, left / part.share);
        }
        left -= part.share;
    }
    (&parts.last().expect("a mixture of no parts").of, 1.0)
}

/// The quantile by bisection of the distribution function, from a first guess above 0, to a part in 10^12.
fn inverse(marginal: &Marginal, probability: f64, guess: f64) -> f64 {
    let (mut low, mut high) = (guess.max(1e-300), guess.max(1e-300));
    while low > 1e-300 && marginal.cdf(low) > probability {
        low /= 4.0;
    }
    while high < 1e300 && marginal.cdf(high) < probability {
        high *= 4.0;
    }
    while high / low > 1.0 + 1e-12 {
        let middle = (low * high).sqrt();
        if middle <= low || middle >= high {
            break;
        }
        *if marginal.cdf(middle) < probability { &mut low } else { &mut high } = middle;
    }
    if low <= 1e-299 { 0.0 } else { high }
}

fn between(values: &[f64], probability: f64) -> f64 {
    let place = probability * (values.len() - 1) as f64;
    let below = (place as usize).min(values.len() - 2);
    values[below] + (values[below + 1] - values[below]) * (place - below as f64)
}

fn share_below(values: &[f64], x: f64) -> f64 {
    let count = values.partition_point(|&value| value <= x);
    match count {
        0 => 0.0,
        all if all == values.len() => 1.0,
        some => {
            let (below, above) = (values[some - 1], values[some]);
            ((some - 1) as f64 + (x - below) / (above - below)) / (values.len() - 1) as f64
        }
    }
}
