//! Which quantities belong together: Spearman's correlation of ranks, and the Gaussian copula that has it.
//!
//! Where a quantity takes few values, ranks are tied, and the correlation of what a copula draws is weaker than the copula's
//! own. So the copula's correlation is searched for with which draws from the measured distributions are as correlated as the
//! measured numbers.

use rand_distr::{Distribution, StandardNormal};
use statrs::distribution::{ContinuousCDF, Normal};

use crate::engine::random::{Seed, Stream};

/// With so many draws it is seen how correlated a copula makes two quantities.
const DRAWS: u64 = 4000;
/// No correlation is said to be closer than this.
const CLOSEST: f64 = 0.98;

/// Ranks from 1, ties sharing their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    places.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < places.len() {
        let same = |&&place: &&usize| values[place].total_cmp(&values[places[from]]).is_eq();
        let to = from + places[from..].iter().take_while(same).count();
        places[from..to].iter().for_each(|&place| ranks[place] = (from + to + 1) as f64 / 2.0);
        from = to;
    }
    ranks
}

/// Spearman's correlation of two lists of the same length; 0 if one of them never changes.
#[must_use]
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let sum = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    let scale = (sum(&a, &a) * sum(&b, &b)).sqrt();
    if scale > 0.0 { sum(&a, &b) / scale } else { 0.0 }
}

/// The correlation of normals with which draws from the distributions of two samples (ascending) have this correlation of
/// ranks.
#[must_use]
pub fn copula_correlation(target: f64, a: &[f64], b: &[f64], seed: Seed) -> f64 {
    let normals: Vec<[f64; 2]> = (0..DRAWS)
        .map(|draw| {
            let mut rng = seed.of(Stream::Goodness, draw);
            [StandardNormal.sample(&mut rng), StandardNormal.sample(&mut rng)]
        })
        .collect();
    let value = |sample: &[f64], normal: f64| {
        let place = (Normal::standard().cdf(normal) * sample.len() as f64) as usize;
        sample[place.min(sample.len() - 1)]
    };
    let found = |r: f64| {
        let rest = (1.0 - r * r).sqrt();
        let drawn = normals.iter().map(|[x, y]| (value(a, *x), value(b, r * x + rest * y)));
        let (x, y): (Vec<f64>, Vec<f64>) = drawn.unzip();
        spearman(&x, &y)
    };
    let (mut low, mut high) = (-CLOSEST, CLOSEST);
    for _ in 0..12 {
        let middle = f64::midpoint(low, high);
        *if found(middle) < target { &mut low } else { &mut high } = middle;
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    }

    #[test]
    fn what_rises_together_is_correlated_whatever_its_scale() {
        let a: Vec<f64> = (0..50).map(f64::from).collect();
        let b: Vec<f64> = a.iter().map(|x| x.exp()).collect();
        assert!((spearman(&a, &b) - 1.0).abs() < 1e-12);
        let c: Vec<f64> = a.iter().map(|x| -x).collect();
        assert!((spearman(&a, &c) + 1.0).abs() < 1e-12);
        assert_eq!(spearman(&a, &[7.0; 50]), 0.0);
    }

    /// For continuous distributions it is 2 sin(pi/6 rho); for a list of two values it must be larger than that.
    #[test]
    fn tied_quantities_need_a_closer_copula() {
        let even: Vec<f64> = (0..1000).map(f64::from).collect();
        let two: Vec<f64> = (0..1000).map(|place| f64::from(place / 900)).collect();
        let expected = 2.0 * (std::f64::consts::PI / 6.0 * 0.4).sin();
        let found = copula_correlation(0.4, &even, &even, Seed(1));
        assert!((found - expected).abs() < 0.03, "{found}, not {expected}");
        let tied = copula_correlation(0.4, &even, &two, Seed(1));
        assert!(tied > 0.55, "{tied}");
    }
}
