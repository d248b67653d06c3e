//! Which distribution a sample comes from: the likeliest member of each family, and the family with the best trade of
//! likelihood for parameters (Akaike's and Schwarz' criteria).

use statrs::function::gamma::{digamma, ln_gamma};

use crate::workload::generator::marginal::{Marginal, Weighted};

/// A family of distributions above 0, and how its likeliest member is found.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// How many numbers say which member it is.
    pub parameters: u32,
    /// The likeliest member for a sample of numbers above 0; `None` if there is none.
    pub fit: fn(&[f64]) -> Option<Marginal>,
}

/// All families that are tried.
pub const FAMILIES: [Family; 6] = [
    Family { name: "exponential", parameters: 1, fit: exponential },
    Family { name: "lognormal", parameters: 2, fit: lognormal },
    Family { name: "weibull", parameters: 2, fit: weibull },
    Family { name: "gamma", parameters: 2, fit: gamma },
    Family { name: "pareto", parameters: 3, fit: pareto },
    Family { name: "hyperexponential", parameters: 3, fit: hyperexponential },
];

/// The likeliest member of a family.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// The family's name.
    pub family: &'static str,
    /// The member.
    pub marginal: Marginal,
    /// The logarithm of the likelihood.
    pub ln_likelihood: f64,
    /// Akaike's criterion; smaller is better.
    pub aic: f64,
    /// Schwarz' criterion; smaller is better.
    pub bic: f64,
}

impl Family {
    /// The likeliest member for a sample, and how good it is.
    #[must_use]
    pub fn candidate(&self, sample: &[f64]) -> Option<Candidate> {
        let marginal = (self.fit)(sample).filter(|marginal| is_plausible(marginal, sample))?;
        let ln_likelihood = sample.iter().map(|&x| marginal.ln_density(x)).sum::<Option<f64>>()?;
        let (k, n) = (f64::from(self.parameters), sample.len() as f64);
        let (aic, bic) = (2.0 * (k - ln_likelihood), k * n.ln() - 2.0 * ln_likelihood);
        let candidate = Candidate { family: self.name, marginal, ln_likelihood, aic, bic };
        ln_likelihood.is_finite().then_some(candidate)
    }

    /// The family of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.name == name)
    }
}

/// The likeliest members of all families, the best by Schwarz' criterion first. The sample is above 0 and not all alike.
#[must_use]
pub fn candidates(sample: &[f64]) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = FAMILIES.iter().filter_map(|family| family.candidate(sample)).collect();
    found.sort_by(|a, b| a.bic.total_cmp(&b.bic));
    found
}

/// A mean above everything that was seen is no property of the sample, and may be longer than time.
fn is_plausible(marginal: &Marginal, sample: &[f64]) -> bool {
    let largest = sample.iter().copied().fold(0.0, f64::max);
    match marginal {
        Marginal::LogNormal { mu, sigma } => mu + sigma * sigma / 2.0 <= largest.ln(),
        Marginal::Weibull { scale, shape } => ln_gamma(1.0 + 1.0 / shape) + scale.ln() <= largest.ln(),
        Marginal::Exponential { .. }
        | Marginal::Gamma { .. }
        | Marginal::Pareto { .. }
        | Marginal::Mixture(_)
        | Marginal::Constant(_)
        | Marginal::Uniform { .. }
        | Marginal::Listed(_)
        | Marginal::Quantiles(_)
        | Marginal::Clamped { .. } => true,
    }
}

/// Shapes that experiment files can say.
const SHAPES: (f64, f64) = (0.05, 100.0);

fn mean(sample: &[f64]) -> f64 {
    sample.iter().sum::<f64>() / sample.len() as f64
}

fn mean_ln(sample: &[f64]) -> f64 {
    sample.iter().map(|x| x.ln()).sum::<f64>() / sample.len() as f64
}

fn exponential(sample: &[f64]) -> Option<Marginal> {
    (!sample.is_empty()).then(|| Marginal::Exponential { mean: mean(sample) })
}

fn lognormal(sample: &[f64]) -> Option<Marginal> {
    let mu = mean_ln(sample);
    let sigma = (sample.iter().map(|x| (x.ln() - mu).powi(2)).sum::<f64>() / sample.len() as f64).sqrt();
    (sigma > 1e-9 && sigma <= 10.0).then_some(Marginal::LogNormal { mu, sigma })
}

/// The shape solves `sum(x^k ln x) / sum(x^k) - 1 / k = mean(ln x)`, whose left side rises with k.
fn weibull(sample: &[f64]) -> Option<Marginal> {
    let largest = sample.iter().copied().fold(0.0, f64::max);
    let logs: Vec<f64> = sample.iter().map(|x| (x / largest).ln()).collect();
    let target = logs.iter().sum::<f64>() / logs.len() as f64;
    let left = |shape: f64| {
        let (mut weighted, mut sum) = (0.0, 0.0);
        for log in &logs {
            let power = (shape * log).exp();
            (weighted, sum) = (weighted + power * log, sum + power);
        }
        (weighted / sum - 1.0 / shape - target, sum)
    };
    let shape = root(SHAPES, |shape| left(shape).0)?;
    let mean_power = left(shape).1 / sample.len() as f64;
    Some(Marginal::Weibull { scale: largest * mean_power.powf(1.0 / shape), shape })
}

/// The shape solves `ln k - digamma(k) = ln(mean(x)) - mean(ln x)`, whose left side falls.
fn gamma(sample: &[f64]) -> Option<Marginal> {
    let target = mean(sample).ln() - mean_ln(sample);
    let shape = root(SHAPES, |shape| target - (shape.ln() - digamma(shape)))?;
    Some(Marginal::Gamma { scale: mean(sample) / shape, shape })
}

/// The bounds are those of the sample; the shape solves `1 / a + ln r r^a / (1 - r^a) = mean(ln(x / low))` with `r = low / high`
/// (Aban, Meerschaert and Panorska, J. American Statistical Association 101, 2006), whose left side falls.
fn pareto(sample: &[f64]) -> Option<Marginal> {
    let low = sample.iter().copied().fold(f64::INFINITY, f64::min);
    let high = sample.iter().copied().fold(0.0, f64::max);
    let target = mean_ln(sample) - low.ln();
    let ln_r = (low / high).ln();
    if ln_r > -1e-9 {
        return None;
    }
    let left = |shape: f64| 1.0 / shape + ln_r / ((-shape * ln_r).exp_m1());
    let shape = root(SHAPES, |shape| target - left(shape))?;
    Some(Marginal::Pareto { low, high, shape })
}

/// Two exponentials by expectation and maximisation (Dempster, Laird and Rubin, 1977).
fn hyperexponential(sample: &[f64]) -> Option<Marginal> {
    let mean = mean(sample);
    let (mut share, mut means) = (0.5, [mean / 3.0, mean * 2.0]);
    let mut before = f64::NEG_INFINITY;
    for _ in 0..500 {
        let (mut weight, mut sums, mut ln_likelihood) = (0.0, [0.0; 2], 0.0);
        for &x in sample {
            let of =
                [share / means[0] * (-x / means[0]).exp(), (1.0 - share) / means[1] * (-x / means[1]).exp()];
            let total = of[0] + of[1];
            let first = of[0] / total;
            weight += first;
            sums = [sums[0] + first * x, sums[1] + (1.0 - first) * x];
            ln_likelihood += total.ln();
        }
        let n = sample.len() as f64;
        if !(weight > 1e-6 * n && weight < (1.0 - 1e-6) * n && ln_likelihood.is_finite()) {
            return None;
        }
        (share, means) = (weight / n, [sums[0] / weight, sums[1] / (n - weight)]);
        if ln_likelihood - before < 1e-7 * n {
            break;
        }
        before = ln_likelihood;
    }
    let part = |share, mean| Weighted { share, of: Marginal::Exponential { mean } };
    let apart = means[1] / means[0] > 1.01 && means[0] > 0.0;
    apart.then(|| Marginal::Mixture(vec![part(share, means[0]), part(1.0 - share, means[1])]))
}

/// Where a rising function is zero, by bisection of the logarithm; `None` if not within these bounds.
fn root((low, high): (f64, f64), f: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut low, mut high) = (low, high);
    if !(f(low) <= 0.0 && f(high) >= 0.0) {
        return None;
    }
    for _ in 0..60 {
        let middle = (low * high).sqrt();
        *if f(middle) < 0.0 { &mut low } else { &mut high } = middle;
    }
    Some((low * high).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::random::{Seed, Stream},
        fit::goodness::{bootstrap, ks_probability},
    };

    fn sample(marginal: &Marginal, n: u64) -> Vec<f64> {
        let mut draws: Vec<f64> =
            (0..n).map(|job| marginal.draw(&mut Seed(11).of(Stream::Bench, job))).collect();
        draws.sort_by(f64::total_cmp);
        draws
    }

    fn assert_near(found: f64, asked: f64, what: &str) {
        assert!((found / asked - 1.0).abs() < 0.06, "{what} is {found}, not {asked}");
    }

    /// Generate, fit, compare: the right family is chosen, its parameters are found, and it is not rejected.
    #[test]
    fn each_family_is_found_again_in_what_was_drawn_from_it() {
        let part = |share, mean| Weighted { share, of: Marginal::Exponential { mean } };
        for (family, marginal) in [
            ("exponential", Marginal::Exponential { mean: 300.0 }),
            ("lognormal", Marginal::LogNormal { mu: 4.0, sigma: 1.3 }),
            ("weibull", Marginal::Weibull { scale: 50.0, shape: 0.6 }),
            ("weibull", Marginal::Weibull { scale: 50.0, shape: 2.5 }),
            ("gamma", Marginal::Gamma { scale: 10.0, shape: 3.0 }),
            ("pareto", Marginal::Pareto { low: 1.0, high: 1e4, shape: 0.8 }),
            ("hyperexponential", Marginal::Mixture(vec![part(0.7, 10.0), part(0.3, 400.0)])),
        ] {
            let sample = sample(&marginal, 10_000);
            let best = candidates(&sample).remove(0);
            assert_eq!(best.family, family, "{marginal:?} became {best:?}");
            for probability in [0.1, 0.5, 0.9] {
                let (found, asked) = (best.marginal.quantile(probability), marginal.quantile(probability));
                assert_near(found, asked, &format!("the {probability} quantile of {marginal:?}"));
            }
            let fit = Family::named(family).expect("a family").fit;
            let p = bootstrap(&sample, Seed(1), fit).expect("fits");
            assert!(p.ks > 0.01 && p.ad > 0.01, "{family} is rejected: {p:?}");
        }
    }

    #[test]
    fn parameters_are_found_again() {
        let Some(Marginal::Weibull { scale, shape }) =
            weibull(&sample(&Marginal::Weibull { scale: 50.0, shape: 0.6 }, 20_000))
        else {
            panic!("no Weibull distribution")
        };
        assert_near(scale, 50.0, "the scale");
        assert_near(shape, 0.6, "the shape");
        let Some(Marginal::Gamma { scale, shape }) =
            gamma(&sample(&Marginal::Gamma { scale: 10.0, shape: 3.0 }, 20_000))
        else {
            panic!("no gamma distribution")
        };
        assert_near(scale, 10.0, "the scale");
        assert_near(shape, 3.0, "the shape");
        let bounded = Marginal::Pareto { low: 1.0, high: 1e4, shape: 0.8 };
        let Some(Marginal::Pareto { shape, .. }) = pareto(&sample(&bounded, 20_000)) else {
            panic!("no power law")
        };
        assert_near(shape, 0.8, "the exponent");
    }

    #[test]
    fn a_wrong_family_is_rejected() {
        let sample = sample(&Marginal::LogNormal { mu: 0.0, sigma: 1.5 }, 2000);
        let p = bootstrap(&sample, Seed(1), exponential).expect("fits");
        assert!(p.ks < 0.01 && p.ad < 0.01, "{p:?}");
        assert!(ks_probability(0.1, 2000) < 1e-6);
    }

    #[test]
    fn samples_that_are_all_alike_fit_no_family_but_the_simplest() {
        let names: Vec<_> = candidates(&[5.0; 100]).iter().map(|candidate| candidate.family).collect();
        assert_eq!(names, ["exponential"]);
    }
}
