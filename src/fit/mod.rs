//! What a trace is like, as a generator of jobs that are like it: how its jobs arrive, and how their quantities are distributed
//! and belong together, each with how well that fits.

pub mod arrivals;
pub mod block;
pub mod bursts;
pub mod family;
pub mod goodness;
pub mod ranks;
pub mod sample;
pub mod serial;
mod simplex;
#[cfg(test)]
mod tests;

use crate::{
    engine::random::{Seed, Stream},
    workload::generator::{
        class::Quantity,
        copula::{Copula, PerQuantity, QUANTITIES},
        marginal::{Listed, Marginal, Weighted},
    },
};
use arrivals::{ArrivalFit, Shape};
use family::{Candidate, Family, candidates};
use goodness::{Distances, Probabilities, bootstrap, distances};
use ranks::{copula_correlation, spearman};
use sample::{JobSample, Sample};

/// How to fit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Options {
    /// Of the bootstrap.
    pub seed: Seed,
    /// How the rate of arrivals is described.
    pub shape: Shape,
    /// Whether each class of the trace becomes one of the generator.
    pub by_class: bool,
}

/// What a trace is like.
#[derive(Clone, PartialEq, Debug)]
pub struct Fit {
    /// How jobs arrive; `None` if too few jobs say when they were submitted.
    pub arrivals: Option<ArrivalFit>,
    /// What jobs are, the largest class first.
    pub classes: Vec<ClassFit>,
    /// Jobs that were looked at.
    pub jobs: usize,
    /// Tasks that were not over when the trace ended; their run times were left out.
    pub censored: u64,
    /// The share of the variance of (the logarithm of) run times that lies between tasks of the same job.
    pub within: f64,
}

/// What jobs of one class are like.
#[derive(Clone, PartialEq, Debug)]
pub struct ClassFit {
    /// Its name.
    pub name: String,
    /// How many jobs are of it.
    pub jobs: usize,
    /// Quantities of which the trace says something, in the order of [`Quantity::ALL`].
    pub quantities: Vec<QuantityFit>,
    /// Whether run times are those of tasks, not of jobs.
    pub own_durations: bool,
    /// Correlations worth speaking of.
    pub correlations: Vec<CorrelationFit>,
    /// How many users there are, and the exponent of their shares.
    pub users: Option<(u32, f64)>,
}

/// How one quantity is distributed.
#[derive(Clone, PartialEq, Debug)]
pub struct QuantityFit {
    /// Which.
    pub quantity: Quantity,
    /// How many numbers there were.
    pub count: usize,
    /// The numbers (or every so many-th of them), ascending.
    pub sample: Vec<f64>,
    /// The share of zeros.
    pub zeros: f64,
    /// Families that were tried on what is above zero, the best first.
    pub candidates: Vec<Candidate>,
    /// What the generator shall draw from.
    pub chosen: Marginal,
    /// Its name.
    pub name: &'static str,
    /// How far the chosen distribution is from the sample.
    pub distances: Distances,
    /// How likely that is if the sample came from the family; only of families.
    pub probabilities: Option<Probabilities>,
}

/// Two quantities that belong together.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CorrelationFit {
    /// Which two.
    pub between: [Quantity; 2],
    /// Spearman's correlation of ranks.
    pub ranks: f64,
    /// The correlation of normals that gives it.
    pub normals: f64,
}

/// More numbers than this are thinned out before families are fitted.
const MOST_NUMBERS: usize = 50_000;
/// So many different numbers are written as a list.
const MOST_LISTED: usize = 40;
/// A family that is further from the sample than this is not good enough: then the sample itself is written.
const FARTHEST: f64 = 0.05;
/// Correlations below this are left out.
const WEAKEST: f64 = 0.05;
/// So many classes are kept apart at most; jobs of the others are put together.
const MOST_CLASSES: usize = 8;
/// Above this share of the variance within jobs, tasks have run times of their own.
const OWN: f64 = 0.1;

/// Fits a sample. Everything drawn on the way is addressed by the seed.
#[must_use]
pub fn fit(sample: &Sample, options: &Options) -> Fit {
    let mut times: Vec<f64> = sample.jobs.iter().filter_map(|job| job.submit).collect();
    times.sort_by(f64::total_cmp);
    let within = sample.within.share();
    let classes = groups(sample, options.by_class).into_iter().zip(0..);
    let classes = classes.map(|(group, number)| {
        let seed = options.seed.child(Stream::Goodness, number);
        group.fit(within > OWN, seed)
    });
    Fit {
        arrivals: arrivals::fit(&times, options.shape, options.seed),
        classes: classes.collect(),
        jobs: sample.jobs.len(),
        censored: sample.censored,
        within,
    }
}

/// Jobs of one class.
struct Group<'a> {
    name: String,
    jobs: Vec<&'a JobSample>,
    durations: Vec<f64>,
}

/// The jobs by class, the largest class first; jobs of small classes together.
fn groups(sample: &Sample, by_class: bool) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let empty = |name: &str| Group { name: name.to_owned(), jobs: Vec::new(), durations: Vec::new() };
    if !by_class || sample.classes.is_empty() {
        let mut all = empty("all");
        all.jobs = sample.jobs.iter().collect();
        all.durations = sample.durations.iter().map(|(_, duration)| *duration).collect();
        return vec![all];
    }
    groups.extend(sample.classes.iter().map(|name| empty(name)));
    groups.push(empty("unclassified"));
    let place = |class: Option<u32>| class.map_or(sample.classes.len(), |class| class as usize);
    sample.jobs.iter().for_each(|job| groups[place(job.class)].jobs.push(job));
    sample.durations.iter().for_each(|&(class, duration)| groups[place(class)].durations.push(duration));
    groups.retain(|group| !group.jobs.is_empty());
    groups.sort_by_key(|group| std::cmp::Reverse(group.jobs.len()));
    if groups.len() > MOST_CLASSES {
        let mut others = empty("others");
        for group in groups.drain(MOST_CLASSES - 1..) {
            others.jobs.extend(group.jobs);
            others.durations.extend(group.durations);
        }
        groups.push(others);
    }
    groups
}

impl Group<'_> {
    fn fit(self, own_durations: bool, seed: Seed) -> ClassFit {
        let quantities = Quantity::ALL.into_iter().filter_map(|quantity| {
            let of_jobs = || self.jobs.iter().filter_map(|job| job.quantities[quantity as usize]).collect();
            let numbers: Vec<f64> = if quantity == Quantity::Duration && own_durations {
                self.durations.clone()
            } else {
                of_jobs()
            };
            (!numbers.is_empty())
                .then(|| quantity_fit(quantity, numbers, seed.child(Stream::Goodness, quantity as u64)))
        });
        let quantities: Vec<QuantityFit> = quantities.collect();
        ClassFit {
            correlations: correlations(&self.jobs, &quantities, seed),
            users: users(&self.jobs),
            jobs: self.jobs.len(),
            name: self.name,
            quantities,
            own_durations,
        }
    }
}

fn quantity_fit(quantity: Quantity, mut numbers: Vec<f64>, seed: Seed) -> QuantityFit {
    let count = numbers.len();
    numbers.sort_by(f64::total_cmp);
    let sample = thinned(numbers);
    let positive = &sample[sample.partition_point(|&x| x <= 0.0)..];
    let zeros = 1.0 - positive.len() as f64 / sample.len() as f64;
    let varies = positive.len() > 10 && positive[0] < positive[positive.len() - 1];
    let candidates = if varies { candidates(positive) } else { Vec::new() };
    let good = |candidate: &&Candidate| distances(positive, |x| candidate.marginal.cdf(x)).ks <= FARTHEST;
    let best = candidates.iter().find(good).filter(|_| distinct(&sample) > MOST_LISTED);
    let (chosen, name, probabilities) = match best {
        Some(best) => {
            let fit = Family::named(best.family).map(|family| family.fit);
            let probabilities = fit.and_then(|fit| bootstrap(positive, seed, fit));
            (with_zeros(best.marginal.clone(), zeros), best.family, probabilities)
        }
        None if distinct(&sample) > MOST_LISTED => (Marginal::Listed(groups_of(&sample)), "empirical", None),
        None => {
            let pairs = sample.iter().map(|&x| (x, 1.0)).collect();
            (Marginal::Listed(Listed::new(pairs)), "list", None)
        }
    };
    let distances = match name {
        // Lists of what was measured jump where the sample does: only groups of numbers differ from it.
        "list" => Distances { ks: 0.0, ad: 0.0 },
        "empirical" => Distances { ks: step_distance(&sample, &chosen), ad: f64::NAN },
        _ => distances(positive, |x| (chosen.cdf(x) - zeros) / (1.0 - zeros)),
    };
    QuantityFit { quantity, count, sample, zeros, candidates, chosen, name, distances, probabilities }
}

/// The largest difference of the distribution functions where either of them jumps.
fn step_distance(ascending: &[f64], marginal: &Marginal) -> f64 {
    let n = ascending.len() as f64;
    let at = |(place, &x): (usize, &f64)| {
        let last_of_equals = ascending.get(place + 1) != Some(&x);
        if last_of_equals { ((place + 1) as f64 / n - marginal.cdf(x)).abs() } else { 0.0 }
    };
    ascending.iter().enumerate().map(at).fold(0.0, f64::max)
}

fn thinned(ascending: Vec<f64>) -> Vec<f64> {
    let n = ascending.len();
    if n <= MOST_NUMBERS {
        return ascending;
    }
    // The smallest and the largest are kept.
    (0..MOST_NUMBERS).map(|place| ascending[place * (n - 1) / (MOST_NUMBERS - 1)]).collect()
}

fn distinct(ascending: &[f64]) -> usize {
    1 + ascending.windows(2).filter(|two| two[0] < two[1]).count()
}

fn with_zeros(marginal: Marginal, zeros: f64) -> Marginal {
    if zeros == 0.0 {
        return marginal;
    }
    let rest = if let Marginal::Mixture(parts) = marginal {
        parts
    } else {
        vec![Weighted { share: 1.0, of: marginal }]
    };
    let zero = Weighted { share: zeros, of: Marginal::Constant(0.0) };
    let scaled = rest.into_iter().map(|part| Weighted { share: part.share * (1.0 - zeros), of: part.of });
    Marginal::Mixture(std::iter::once(zero).chain(scaled).collect())
}

/// A large sample as a list: the means of hundredths of it, of the largest hundredth those of thousandths. So the mean stays
/// what it is.
fn groups_of(ascending: &[f64]) -> Listed {
    let n = ascending.len();
    let edges = (0..99).map(|hundredth| hundredth * 10).chain(990..=1000);
    let edges: Vec<usize> = edges.map(|thousandth| thousandth * n / 1000).collect();
    let group = |two: &[usize]| {
        let part = &ascending[two[0]..two[1]];
        let mean = part.iter().sum::<f64>() / part.len().max(1) as f64;
        (!part.is_empty()).then_some((mean, part.len() as f64))
    };
    Listed::new(edges.windows(2).filter_map(group).collect())
}

/// Correlations of all pairs of quantities that vary, made weaker together if no numbers could have all of them.
fn correlations(jobs: &[&JobSample], quantities: &[QuantityFit], seed: Seed) -> Vec<CorrelationFit> {
    let varying: Vec<&QuantityFit> =
        quantities.iter().filter(|fit| fit.sample.first() < fit.sample.last()).collect();
    let mut found = Vec::new();
    for (place, a) in varying.iter().enumerate() {
        for b in &varying[place + 1..] {
            let both = |job: &&JobSample| {
                Some((job.quantities[a.quantity as usize]?, job.quantities[b.quantity as usize]?))
            };
            let stride = (jobs.len() / MOST_NUMBERS).max(1);
            let (x, y): (Vec<f64>, Vec<f64>) = jobs.iter().step_by(stride).filter_map(both).unzip();
            let ranks = spearman(&x, &y);
            if x.len() >= 50 && ranks.abs() >= WEAKEST {
                let normals = copula_correlation(ranks, &a.sample, &b.sample, seed);
                found.push(CorrelationFit {
                    between: [a.quantity, b.quantity],
                    ranks,
                    normals: rounded(normals),
                });
            }
        }
    }
    while Copula::new(&matrix(&found)).is_none() {
        found.iter_mut().for_each(|pair| pair.normals = rounded(pair.normals * 0.95));
    }
    found
}

fn rounded(r: f64) -> f64 {
    (r * 1000.0).round() / 1000.0
}

fn matrix(pairs: &[CorrelationFit]) -> PerQuantity<PerQuantity<f64>> {
    let mut matrix = [[0.0; QUANTITIES]; QUANTITIES];
    (0..QUANTITIES).for_each(|place| matrix[place][place] = 1.0);
    for CorrelationFit { between: [a, b], normals, .. } in pairs {
        (matrix[*a as usize][*b as usize], matrix[*b as usize][*a as usize]) = (*normals, *normals);
    }
    matrix
}

/// How many users there are, and the exponent of the power law that makes their numbers of jobs likeliest.
fn users(jobs: &[&JobSample]) -> Option<(u32, f64)> {
    let mut of_users: Vec<u32> = jobs.iter().filter_map(|job| job.user).collect();
    of_users.sort_unstable();
    let mut counts: Vec<f64> = of_users.chunk_by(|a, b| a == b).map(|same| same.len() as f64).collect();
    counts.sort_by(|a, b| b.total_cmp(a));
    let users = u32::try_from(counts.len()).ok().filter(|count| *count > 0)?;
    let total: f64 = counts.iter().sum();
    let ln_rank = |place: usize| ((place + 1) as f64).ln();
    let weighted: f64 = counts.iter().enumerate().map(|(place, count)| count * ln_rank(place)).sum();
    let ln_likelihood = |exponent: f64| {
        let norm: f64 = (0..counts.len()).map(|place| (-exponent * ln_rank(place)).exp()).sum();
        -exponent * weighted - total * norm.ln()
    };
    let exponents = (0..=400).map(|step| f64::from(step) / 100.0);
    let best = exponents.max_by(|a, b| ln_likelihood(*a).total_cmp(&ln_likelihood(*b)))?;
    Some((users, best))
}
