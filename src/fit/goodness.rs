//! How well a distribution fits: Kolmogorov-Smirnov and Anderson-Darling.
//!
//! The known critical values hold for a distribution that was chosen before the sample was seen. For one that was fitted to
//! it, they are too lenient by far; so the p-values here come from a parametric bootstrap (Stute, Manteiga and Quindimil,
//! Metrika 40, 1993): samples of the same size are drawn from the fitted distribution, fitted and measured likewise. In a large
//! sample every model is rejected; the bootstrap therefore looks at a part of the sample, and says how large it is.

use crate::{
    engine::random::{Seed, Stream, below},
    workload::generator::marginal::Marginal,
};

/// The bootstrap looks at so many numbers of the sample at most ...
pub const PART: usize = 500;
/// ... and compares with so many samples: p-values come in steps of 1 / (this + 1).
pub const REPLICATES: u64 = 199;

/// How far a sample is from a distribution.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Distances {
    /// Kolmogorov-Smirnov's D: the largest difference of the two distribution functions.
    pub ks: f64,
    /// Anderson-Darling's A²: squared differences, with more weight in the tails.
    pub ad: f64,
}

/// How likely such distances are if the sample came from the fitted family.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Probabilities {
    /// Of D.
    pub ks: f64,
    /// Of A².
    pub ad: f64,
    /// The size of the part of the sample that was looked at.
    pub of: usize,
}

/// Measures an ascending sample against a distribution function.
#[must_use]
pub fn distances(ascending: &[f64], cdf: impl Fn(f64) -> f64) -> Distances {
    let n = ascending.len() as f64;
    let probabilities: Vec<f64> =
        ascending.iter().map(|&x| cdf(x).clamp(1e-15, 1.0 - f64::EPSILON)).collect();
    let (mut ks, mut sum) = (0.0f64, 0.0);
    for (place, &p) in probabilities.iter().enumerate() {
        let (below, above) = (place as f64 / n, (place + 1) as f64 / n);
        ks = ks.max(p - below).max(above - p);
        let mirrored = probabilities[probabilities.len() - 1 - place];
        sum += (2 * place + 1) as f64 * (p.ln() + (-mirrored).ln_1p());
    }
    Distances { ks, ad: -n - sum / n }
}

/// The probability of a larger D in a sample of size `n` from a distribution that was known before (Stephens, J. Royal
/// Statistical Society B 32, 1970, with Kolmogorov's series).
#[must_use]
pub fn ks_probability(d: f64, n: usize) -> f64 {
    let root = (n as f64).sqrt();
    let x = (root + 0.12 + 0.11 / root) * d;
    if x < 0.2 {
        return 1.0;
    }
    let term = |k: i32| (if k % 2 == 1 { 2.0 } else { -2.0 }) * (-2.0 * (f64::from(k) * x).powi(2)).exp();
    (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

/// The probability of a larger A² in a large sample from a distribution that was known before (Marsaglia and Marsaglia, J.
/// Statistical Software 9(2), 2004: their fit to the limiting distribution, good to 2e-6).
#[must_use]
pub fn ad_probability(a2: f64) -> f64 {
    let polynomial = |coefficients: &[f64]| coefficients.iter().rev().fold(0.0, |sum, c| sum * a2 + c);
    let below = if a2 <= 0.0 {
        0.0
    } else if a2 < 2.0 {
        let series = [2.000_12, 0.247_105, -0.064_982_1, 0.034_796_2, -0.011_672_0, 0.001_686_91];
        (-1.233_714_1 / a2).exp() / a2.sqrt() * polynomial(&series)
    } else {
        let series = [1.077_6, -2.306_95, 0.434_24, -0.082_433, 0.008_056, -0.000_314_6];
        (-polynomial(&series).exp()).exp()
    };
    1.0 - below
}

/// The probabilities of a sample's distances from what `fit` makes of it. All draws are addressed by the seed.
#[must_use]
pub fn bootstrap(
    sample: &[f64],
    seed: Seed,
    fit: impl Fn(&[f64]) -> Option<Marginal>,
) -> Option<Probabilities> {
    let part = ascending(part_of(sample, &seed));
    let measure = |sample: &[f64]| fit(sample).map(|marginal| distances(sample, |x| marginal.cdf(x)));
    let fitted = fit(&part)?;
    let found = distances(&part, |x| fitted.cdf(x));
    let (mut ks, mut ad, mut of) = (1u64, 1u64, 1u64);
    for replicate in 1..=REPLICATES {
        let mut rng = seed.of(Stream::Goodness, replicate);
        let drawn = ascending(part.iter().map(|_| fitted.draw(&mut rng)).collect());
        let Some(other) = measure(&drawn) else { continue };
        of += 1;
        ks += u64::from(other.ks >= found.ks);
        ad += u64::from(other.ad >= found.ad);
    }
    Some(Probabilities { ks: ks as f64 / of as f64, ad: ad as f64 / of as f64, of: part.len() })
}

/// The sample, or numbers of it drawn with replacement if it is large.
fn part_of(sample: &[f64], seed: &Seed) -> Vec<f64> {
    if sample.len() <= PART {
        return sample.to_vec();
    }
    let mut rng = seed.of(Stream::Goodness, 0);
    // Floyd's draw without replacement would need a set; neighbours in a stride are as good, from a random start.
    let stride = sample.len() / PART;
    let start = below(&mut rng, stride as u64) as usize;
    (0..PART).map(|place| sample[start + place * stride]).collect()
}

fn ascending(mut sample: Vec<f64>) -> Vec<f64> {
    sample.sort_by(f64::total_cmp);
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stephens (1974), table 1: upper points of the modified D (1.224, 1.358, 1.628) and of A² (1.933, 2.492, 3.857).
    #[test]
    fn probabilities_at_the_published_critical_values_are_the_published_ones() {
        for (probability, ks, ad) in [(0.10, 1.224, 1.933), (0.05, 1.358, 2.492), (0.01, 1.628, 3.857)] {
            let d = ks / (10.0 + 0.12 + 0.011);
            let found = ks_probability(d, 100);
            assert!((found / probability - 1.0).abs() < 0.01, "D: {found}, not {probability}");
            // The table is from simulations: at 1 % it is 0.5 % off.
            let found = ad_probability(ad);
            assert!((found / probability - 1.0).abs() < 0.03, "A²: {found}, not {probability}");
        }
    }

    /// By hand: D of 0.1, 0.4, 0.8 against the uniform distribution is at 0.4, where 2/3 lie below or at it.
    #[test]
    fn distances_of_a_small_sample_are_those_computed_by_hand() {
        let found = distances(&[0.1, 0.4, 0.8], |x| x);
        assert!((found.ks - 4.0 / 15.0).abs() < 1e-12, "{found:?}");
        let by_hand = -3.0
            - ((0.1f64.ln() + 0.2f64.ln())
                + 3.0 * (0.4f64.ln() + 0.6f64.ln())
                + 5.0 * (0.8f64.ln() + 0.9f64.ln()))
                / 3.0;
        assert!((found.ad - by_hand).abs() < 1e-12, "{found:?} and {by_hand}");
    }

    /// Stephens (1974), table 1, exponential distribution with its mean estimated: of samples that are exponential, 5 % have
    /// a modified D above 1.094, where the p-value of the bootstrap should be 5 %.
    #[test]
    fn the_bootstrap_agrees_with_the_critical_values_for_an_estimated_mean() {
        let fit = |sample: &[f64]| {
            Some(Marginal::Exponential { mean: sample.iter().sum::<f64>() / sample.len() as f64 })
        };
        let exponential = Marginal::Exponential { mean: 3.0 };
        let (mut lenient, mut strict) = (0, 0);
        for round in 0..60 {
            let mut rng = Seed(round).of(Stream::Bench, 1);
            let sample = ascending((0..100).map(|_| exponential.draw(&mut rng)).collect());
            let fitted = fit(&sample).expect("a mean");
            let d = distances(&sample, |x| fitted.cdf(x)).ks;
            let modified = (d - 0.002) * (10.0 + 0.26 + 0.05);
            let p = bootstrap(&sample, Seed(round), fit).expect("fits").ks;
            lenient += u32::from(modified > 1.13 && p > 0.05);
            strict += u32::from(modified < 1.06 && p < 0.05);
        }
        assert!(lenient <= 1 && strict <= 1, "{lenient} and {strict} of 60 samples are judged otherwise");
    }
}
