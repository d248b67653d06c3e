//! Quantities that go together: a Gaussian copula (Nelsen, An Introduction to Copulas, 2006).
//!
//! Each job draws correlated normals, and each quantity is the quantile of its own distribution at the probability of its
//! normal. So the distributions stay what they are, and what is correlated are the ranks.

use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;
use statrs::distribution::{ContinuousCDF, Normal};

/// How many quantities a job has.
pub const QUANTITIES: usize = 6;

/// A number for each quantity.
pub type PerQuantity<T> = [T; QUANTITIES];

/// The lower triangular root of a correlation matrix.
#[derive(Clone, PartialEq, Debug)]
pub struct Copula {
    root: PerQuantity<PerQuantity<f64>>,
}

impl Copula {
    /// Quantities with these correlations of their normals; `None` if no numbers can be so correlated (the matrix is not
    /// positive definite).
    #[must_use]
    pub fn new(correlations: &PerQuantity<PerQuantity<f64>>) -> Option<Self> {
        let mut root = [[0.0; QUANTITIES]; QUANTITIES];
        for row in 0..QUANTITIES {
            for column in 0..=row {
                let explained: f64 = (0..column).map(|k| root[row][k] * root[column][k]).sum();
                let left = correlations[row][column] - explained;
                root[row][column] = if row == column {
                    // Rounding must not turn a sum of squares of 1 into less than nothing.
                    if left < 1e-9 {
                        return None;
                    }
                    left.sqrt()
                } else {
                    left / root[column][column]
                };
            }
        }
        Some(Self { root })
    }

    /// Independent normals, one for each quantity.
    #[must_use]
    pub fn normals(rng: &mut Pcg64Mcg) -> PerQuantity<f64> {
        std::array::from_fn(|_| StandardNormal.sample(rng))
    }

    /// The probability at which a quantity's distribution is read. It depends on the normals of this quantity and of those
    /// before it, so that the last can be drawn anew without touching the others.
    #[must_use]
    pub fn probability(&self, quantity: usize, normals: &PerQuantity<f64>) -> f64 {
        let sum: f64 = self.root[quantity].iter().zip(normals).map(|(root, normal)| root * normal).sum();
        Normal::standard().cdf(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::{Seed, Stream};

    #[test]
    fn normals_are_as_correlated_as_was_asked_for() {
        let mut asked = [[0.0; QUANTITIES]; QUANTITIES];
        (0..QUANTITIES).for_each(|place| asked[place][place] = 1.0);
        for (a, b, r) in [(1, 0, 0.7), (5, 1, -0.4), (5, 0, 0.1)] {
            (asked[a][b], asked[b][a]) = (r, r);
        }
        let copula = Copula::new(&asked).expect("positive definite");
        let mut sums = [0.0; 3];
        const N: u64 = 40_000;
        for job in 0..N {
            let normals = Copula::normals(&mut Seed(1).of(Stream::Bench, job));
            let inverse = |quantity| Normal::standard().inverse_cdf(copula.probability(quantity, &normals));
            let z = [inverse(0), inverse(1), inverse(5)];
            sums = [sums[0] + z[0] * z[1], sums[1] + z[1] * z[2], sums[2] + z[0] * z[2]];
        }
        for (sum, expected) in sums.into_iter().zip([0.7, -0.4, 0.1]) {
            let found = sum / N as f64;
            assert!((found - expected).abs() < 0.025, "{found}, not {expected}");
        }
    }

    #[test]
    fn correlations_that_contradict_each_other_are_refused() {
        let mut asked = [[0.0; QUANTITIES]; QUANTITIES];
        (0..QUANTITIES).for_each(|place| asked[place][place] = 1.0);
        for (a, b, r) in [(0, 1, 0.9), (1, 2, 0.9), (0, 2, -0.9)] {
            (asked[a][b], asked[b][a]) = (r, r);
        }
        assert_eq!(Copula::new(&asked), None);
    }
}
