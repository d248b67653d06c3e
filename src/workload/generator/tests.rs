//! What is drawn is what was asked for, and stays what it was.

use std::sync::Arc;

use mesos::time::{Span, Time};
use proptest::prelude::*;

use super::{
    arrivals::{Arrivals, Process},
    class::{Class, Quantity, Rows, Together, Users},
    copula::{Copula, QUANTITIES},
    cycle::Rate,
    marginal::{Listed, Marginal, Weighted},
    *,
};

fn every_marginal() -> Vec<Marginal> {
    let exponential = |mean| Marginal::Exponential { mean };
    let parts = vec![
        Weighted { share: 0.3, of: exponential(2.0) },
        Weighted { share: 0.7, of: Marginal::lognormal(40.0, 0.5) },
    ];
    vec![
        Marginal::Uniform { low: 2.0, high: 5.0 },
        exponential(7.0),
        Marginal::lognormal(7.0, 1.5),
        Marginal::weibull(7.0, 0.4),
        Marginal::weibull(7.0, 3.0),
        Marginal::gamma(7.0, 0.3),
        Marginal::gamma(7.0, 9.0),
        Marginal::Pareto { low: 1.0, high: 1e4, shape: 0.9 },
        Marginal::Mixture(parts),
        Marginal::Quantiles(Arc::from([1.0, 2.0, 8.0, 9.0])),
    ]
}

/// Kolmogorov's distance between 10,000 draws and the distribution; the 0.1 % point is 1.95 / 100.
#[test]
fn draws_follow_the_distribution_function() {
    for marginal in every_marginal() {
        let mut draws: Vec<f64> =
            (0..10_000).map(|job| marginal.draw(&mut Seed(3).of(Stream::Bench, job))).collect();
        draws.sort_by(f64::total_cmp);
        let distance = draws.iter().enumerate().map(|(place, &draw)| {
            let expected = marginal.cdf(draw);
            (expected - place as f64 / 1e4).abs().max((expected - (place + 1) as f64 / 1e4).abs())
        });
        let distance = distance.fold(0.0, f64::max);
        assert!(distance < 0.0195, "{marginal:?}: {distance}");
    }
}

#[test]
fn quantiles_undo_the_distribution_function() {
    for marginal in every_marginal() {
        for probability in [1e-6, 0.01, 0.3, 0.5, 0.9, 0.999, 1.0 - 1e-6] {
            let back = marginal.cdf(marginal.quantile(probability));
            assert!((back - probability).abs() < 1e-8, "{marginal:?}: {probability} became {back}");
        }
    }
}

/// The density is the slope of the distribution function.
#[test]
fn densities_are_slopes() {
    for marginal in every_marginal() {
        let x = marginal.quantile(0.37);
        let step = x * 1e-5;
        let slope = (marginal.cdf(x + step) - marginal.cdf(x - step)) / (2.0 * step);
        if let Some(density) = marginal.ln_density(x) {
            assert!(
                (density.exp() / slope - 1.0).abs() < 1e-5,
                "{marginal:?}: {} and {slope}",
                density.exp()
            );
        }
    }
}

#[test]
fn bounds_are_never_exceeded_and_lists_are_drawn_by_weight() {
    let clamped = Marginal::Clamped { of: Box::new(Marginal::lognormal(7.0, 2.0)), low: 2.0, high: 9.0 };
    let listed = Marginal::Listed(Listed::new(vec![(4.0, 1.0), (1.0, 2.0), (4.0, 1.0)]));
    let mut ones = 0;
    for job in 0..10_000 {
        let mut rng = Seed(5).of(Stream::Bench, job);
        assert!((2.0..=9.0).contains(&clamped.draw(&mut rng)));
        ones += u32::from(listed.draw(&mut rng) < 2.0);
    }
    assert!((4_850..5_150).contains(&ones), "{ones} of 10,000 draws with the weight 1/2");
    assert_eq!(
        (listed.cdf(0.9), listed.cdf(1.0), listed.quantile(0.5), listed.quantile(0.51)),
        (0.0, 0.5, 1.0, 4.0)
    );
}

fn class(together: Together) -> Class {
    let list =
        |values: &[f64]| Marginal::Listed(Listed::new(values.iter().map(|&value| (value, 1.0)).collect()));
    Class {
        name: "batch".into(),
        share: 1.0,
        marginals: [
            list(&[1.0, 2.0, 8.0]),
            Marginal::lognormal(2.0, 0.5),
            Marginal::lognormal(2048.0, 1.0),
            Marginal::Constant(0.0),
            list(&[0.0, 0.5, 2.0]),
            Marginal::weibull(60.0, 0.7),
        ],
        together,
        own_durations: true,
        priority: Some(3),
        users: Some(Users { count: 5, exponent: 1.0 }),
    }
}

fn ranks(r: f64) -> Together {
    let mut matrix = [[0.0; QUANTITIES]; QUANTITIES];
    (0..QUANTITIES).for_each(|place| matrix[place][place] = 1.0);
    let (a, b) = (Quantity::Cpus as usize, Quantity::Duration as usize);
    (matrix[a][b], matrix[b][a]) = (r, r);
    Together::Ranks(Copula::new(&matrix).expect("positive definite"))
}

fn generator(classes: Vec<Class>) -> Generator {
    let arrivals = Arrivals {
        interarrival: Span::from_secs(2),
        process: Process::Renewal(Marginal::Exponential { mean: 1.0 }),
        rate: Rate::new(Vec::new()),
    };
    Generator { jobs: 3000, until: LATEST, arrivals, classes, profiles: Vec::new() }
}

fn jobs(spec: &Generator, seed: u64) -> Vec<GeneratedJob> {
    let mut source = Generated::new(spec.clone(), Seed(seed));
    std::iter::from_fn(|| source.next_generated()).collect()
}

#[test]
fn the_same_seed_gives_the_same_jobs_and_another_gives_others() {
    for together in [Together::Nothing, ranks(0.5)] {
        let spec = generator(vec![class(together)]);
        assert_eq!(jobs(&spec, 1), jobs(&spec, 1));
        assert_ne!(jobs(&spec, 1)[0], jobs(&spec, 2)[0]);
    }
}

#[test]
fn one_more_class_of_no_weight_changes_nothing_and_other_arrivals_change_no_job() {
    let spec = generator(vec![class(Together::Nothing)]);
    let mut faster = spec.clone();
    faster.arrivals.interarrival = Span::from_secs(1);
    for (slow, fast) in jobs(&spec, 1).into_iter().zip(jobs(&faster, 1)) {
        assert_eq!(slow.job.tasks, fast.job.tasks);
        assert_eq!(slow.job.submission.0.div_ceil(2).abs_diff(fast.job.submission.0) / 1000, 0);
    }
}

/// The rank correlation of a Gaussian copula is 6/pi asin(r/2): 0.683 for 0.7. All tasks of a job share its cores.
#[test]
fn tasks_with_run_times_of_their_own_are_as_correlated_as_the_first() {
    let spec = Generator { jobs: 20_000, ..generator(vec![class(ranks(0.7))]) };
    for task in [0, 1] {
        let pairs = jobs(&spec, 4).into_iter().filter_map(|generated| {
            let tasks = generated.job.tasks;
            Some((tasks[0].demand.cpus.0, tasks.get(task)?.runtime))
        });
        let found = spearman(pairs.collect());
        assert!((found - 0.683).abs() < 0.02, "task {task}: {found}");
    }
}

fn spearman(pairs: Vec<(i64, Span)>) -> f64 {
    fn ranks<T: Ord>(values: &[T]) -> Vec<f64> {
        let mut places: Vec<usize> = (0..values.len()).collect();
        places.sort_by(|&a, &b| values[a].cmp(&values[b]));
        let mut ranks = vec![0.0; values.len()];
        places.into_iter().enumerate().for_each(|(rank, place)| ranks[place] = rank as f64);
        ranks
    }
    let (a, b): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let (a, b) = (ranks(&a), ranks(&b));
    let n = a.len() as f64;
    let squares: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum();
    1.0 - 6.0 * squares / (n * (n * n - 1.0))
}

#[test]
fn rows_are_drawn_whole() {
    let mut columns = [None; QUANTITIES];
    (columns[Quantity::Cpus as usize], columns[Quantity::Duration as usize]) = (Some(1), Some(0));
    let rows: Vec<Box<[f64]>> = vec![Box::new([10.0, 1.0]), Box::new([90.0, 4.0])];
    let mut class = class(Together::Rows(Rows { columns, rows: rows.into() }));
    class.own_durations = false;
    let jobs = jobs(&generator(vec![class]), 1);
    let long = jobs.iter().filter(|generated| {
        let task = generated.job.tasks[0];
        let pair = (task.demand.cpus.0, task.runtime);
        assert!([(1000, Span::from_secs(10)), (4000, Span::from_secs(90))].contains(&pair), "{pair:?}");
        pair.0 == 4000
    });
    assert!((1350..1650).contains(&long.count()), "each of two rows half of 3,000 times");
}

#[test]
fn classes_and_users_come_by_their_shares() {
    let small = Class { share: 0.2, name: "small".into(), ..class(Together::Nothing) };
    let large = Class { share: 0.8, users: None, ..class(Together::Nothing) };
    let jobs = jobs(&generator(vec![small, large]), 9);
    let of_small: Vec<_> = jobs.iter().filter(|generated| generated.class == 0).collect();
    assert!((520..680).contains(&of_small.len()), "{} of 3,000", of_small.len());
    let mut counts = [0; 5];
    of_small.iter().for_each(|generated| counts[generated.user.expect("a user") as usize] += 1);
    assert!(counts[0] > counts[1] && counts[1] > counts[4] && counts[4] > 0, "{counts:?}");
}

#[test]
fn nothing_arrives_after_the_end() {
    let spec = Generator {
        jobs: u64::MAX,
        until: Time::from_secs(1000),
        ..generator(vec![class(Together::Nothing)])
    };
    let count = jobs(&spec, 1).len();
    assert!((400..600).contains(&count), "{count} jobs in 1000 s, one in 2 s");
    assert_eq!(spec.jobs_and_last_arrival(), (500, Time::from_secs(1000)));
}

proptest! {
    #[test]
    fn whatever_is_drawn_can_be_asked_for(scale in 1e-9..1e12f64, sigma in 0.1..10f64, seed: u64) {
        let heavy = Marginal::lognormal(scale, sigma);
        let marginals = std::array::from_fn(|place| if place == 0 { Marginal::Constant(2.0) } else { heavy.clone() });
        let class = Class { marginals, ..class(ranks(0.3)) };
        for generated in jobs(&Generator { jobs: 10, ..generator(vec![class]) }, seed) {
            for task in &generated.job.tasks {
                prop_assert!(task.demand.cpus.0 >= 1 && task.demand.mem.0 >= 0);
                prop_assert!(task.runtime.0 <= LATEST.0);
            }
        }
    }
}
