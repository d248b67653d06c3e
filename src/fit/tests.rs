//! Closing the circle: jobs are generated, fitted, generated from what was fitted, and compared.

use mesosim_traces::{JobRow, Micros, Sink, TaskRow};

use super::{
    arrivals::{ArrivalFit, Fitted},
    sample::Collector,
    *,
};
use crate::{
    experiment::{
        config::{Vocabulary, load_text},
        generated,
    },
    workload::generator::{Generated, Generator},
};

const WORDS: Vocabulary<'static> = Vocabulary {
    sorters: &["drf"],
    orders: &["fifo"],
    placements: &["first-fit"],
    responses: &["decline"],
    kinds: &["batch"],
    estimators: &["fixed"],
    controllers: &["none"],
    trace_formats: &[],
    capabilities: &["GPU_RESOURCES", "MULTI_ROLE", "PARTITION_AWARE"],
};

/// A generator from the text of a file with nothing else in it.
fn generator(text: &str) -> Generator {
    let settings = [
        "name=fit",
        "cluster.agents=[{ count = 1, cpus = 1, mem = \"1 GiB\" }]",
        "policy=[{ name = \"none\" }]",
    ];
    let settings = settings.map(str::to_owned);
    let loaded = load_text("generator.toml", text, std::path::Path::new(""), &settings, &WORDS);
    let loaded = loaded.unwrap_or_else(|error| panic!("{:?}\n{text}", miette::Report::new(error)));
    generated::generator(&loaded, Vec::new()).expect("no file is named")
}

/// The sample of a trace of the generator's jobs, as a reader would hand it over.
fn sample(generator: &Generator, seed: u64) -> Sample {
    let mut source = Generated::new(generator.clone(), Seed(seed));
    let mut collector = Collector::default();
    while let Some(generated) = source.next_generated() {
        let number = mesos::id::Id::index(generated.job.id) as u64;
        let submit = Some(Micros((generated.job.submission.0 / 1000) as i64));
        let class = Some(generated.job.class.as_ref().into());
        let user = generated.user.map(|user| format!("u{user}").into());
        collector.job(&JobRow { number, submit, class, user, ..JobRow::default() }).expect("can be kept");
        for (index, task) in (0..).zip(&generated.job.tasks) {
            let thousandths = |scalar: mesos::resource::Scalar| Some(scalar.0 as f64 / 1000.0);
            let row = TaskRow {
                job: number,
                index,
                instances: 1,
                cpus: thousandths(task.demand.cpus),
                mem_mib: thousandths(task.demand.mem),
                gpus: thousandths(task.demand.gpus.amount()),
                duration: Some(Micros((task.runtime.0 / 1000) as i64)),
                ..TaskRow::default()
            };
            collector.task(&row).expect("can be kept");
        }
    }
    collector.finish()
}

fn fitted(text: &str, seed: u64) -> Fit {
    let options = Options { seed: Seed(seed), shape: Shape::Cycles, by_class: true };
    fit(&sample(&generator(text), seed), &options)
}

fn file(arrivals: &str, class: &str) -> String {
    format!(
        "[workload.generator]\njobs = 6000\n[workload.generator.arrivals]\ninterarrival = \"2 min\"\n{arrivals}\n\
         [[workload.generator.class]]\nname = \"a\"\n{class}\n"
    )
}

const PLAIN: &str = "duration = { distribution = \"lognormal\", mean = \"10 min\", sigma = 1.2 }";

fn arrivals(text: &str) -> ArrivalFit {
    fitted(&file(text, PLAIN), 3).arrivals.expect("enough jobs")
}

#[track_caller]
fn assert_near(found: f64, asked: f64, tolerance: f64) {
    assert!((found / asked - 1.0).abs() < tolerance, "{found}, not {asked}");
}

#[test]
fn each_process_of_arrivals_is_found_again() {
    for (text, name) in [
        ("", "poisson"),
        ("process = \"weibull\"\nshape = 0.6", "weibull"),
        ("process = \"gamma\"\nshape = 3.0", "gamma"),
        ("process = \"lognormal\"\nsigma = 1.0", "lognormal"),
    ] {
        let fit = arrivals(text);
        assert_near(fit.interarrival, 120.0, 0.06);
        let best = &fit.processes[0];
        assert_eq!(best.name, name, "{:?}", fit.processes);
        let p = best.probabilities.expect("a renewal process");
        assert!(p.ks > 0.01 && p.ad > 0.01, "{name} is rejected: {p:?}");
        match &best.process {
            Fitted::Renewal(Marginal::Weibull { shape, .. }) => assert_near(*shape, 0.6, 0.05),
            Fitted::Renewal(Marginal::Gamma { shape, .. }) => assert_near(*shape, 3.0, 0.06),
            Fitted::Renewal(Marginal::LogNormal { sigma, .. }) => assert_near(*sigma, 1.0, 0.05),
            Fitted::Renewal(_) => assert_eq!(name, "poisson"),
            Fitted::Bursty(states) => panic!("{states:?}"),
        }
        assert!(fit.cycles.is_empty(), "{name} has no cycle, but {:?}", fit.cycles);
    }
}

#[test]
fn bursts_are_found_again() {
    let fit = arrivals(
        "process = \"bursty\"\nstates = [{ rate = 20, lasts = \"30 min\" }, { rate = 1, lasts = \"5 h\" }]",
    );
    let Fitted::Bursty(states) = fit.processes[0].process else { panic!("{:?}", fit.processes) };
    let (fast, slow) = if states.rates[0] > states.rates[1] { (0, 1) } else { (1, 0) };
    assert_near(states.rates[fast] / states.rates[slow], 20.0, 0.25);
    assert_near(fit.interarrival / states.leaving[fast], 1800.0, 0.25);
    assert_near(fit.interarrival / states.leaving[slow], 18_000.0, 0.3);
    assert!(fit.processes[0].distances.ks < 0.02, "{:?}", fit.processes[0].distances);
    assert!(fit.gap_correlation[0] > 0.1, "{:?}", fit.gap_correlation);
}

#[test]
fn a_day_is_found_again_and_taken_out() {
    let fit = arrivals("cycle = [{ period = \"1 day\", amplitude = 0.8, peak = \"15 h\" }]");
    let [(period, weights)] = &fit.cycles[..] else { panic!("{:?}", fit.cycles) };
    assert_eq!((*period, weights.len()), (86_400.0, 24));
    let highest = weights.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).expect("24 of them");
    assert!((13..=17).contains(&highest.0) && (1.6..2.1).contains(highest.1), "{weights:?}");
    assert_eq!(fit.processes[0].name, "poisson", "{:?}", fit.processes);
    assert!(fit.stretched_correlation[0].abs() < 0.04, "{:?}", fit.stretched_correlation);
}

#[test]
fn the_shape_of_a_trace_is_followed_in_steps() {
    let text = file("cycle = [{ period = \"10 days\", weights = [1, 5, 1, 1, 3] }]", PLAIN);
    let options = Options { seed: Seed(1), shape: Shape::Steps(86_400.0), by_class: false };
    let fit = fit(&sample(&generator(&text), 1), &options).arrivals.expect("enough jobs");
    let (_, weights) = &fit.cycles[0];
    assert!(weights.len() >= 8 && weights[2] > 3.0 * weights[0], "{weights:?}");
}

const RICH: &str = "tasks = { distribution = \"list\", values = [1, 4], weights = [9, 1] }
duration = { distribution = \"weibull\", mean = \"20 min\", shape = 0.7 }
cpus = { distribution = \"list\", values = [1, 2, 4, 8], weights = [5, 3, 1, 1] }
mem = { distribution = \"lognormal\", mean = \"4 GiB\", sigma = 0.8 }
gpus = { distribution = \"list\", values = [0, 0.5, 2], weights = [8, 1, 1] }
correlation = [{ between = [\"cpus\", \"duration\"], r = 0.6 }, { between = [\"mem\", \"duration\"], r = -0.3 }, { between = [\"cpus\", \"mem\"], r = 0.2 }]
users = { count = 30, zipf = 1.2 }";

#[test]
fn quantities_and_their_correlations_are_found_again() {
    let fit = fitted(&file("", RICH), 5);
    let class = &fit.classes[0];
    let of = |quantity| class.quantities.iter().find(|fit| fit.quantity == quantity).expect("measured");
    let duration = of(Quantity::Duration);
    let Marginal::Weibull { shape, .. } = duration.chosen else { panic!("{:?}", duration.chosen) };
    assert_near(shape, 0.7, 0.05);
    let p = duration.probabilities.expect("a family");
    assert!(p.ks > 0.01 && p.ad > 0.01, "{p:?}");
    assert_eq!(of(Quantity::Mem).name, "lognormal");
    let Marginal::Listed(cpus) = &of(Quantity::Cpus).chosen else { panic!("a list") };
    let shares: Vec<(f64, f64)> = cpus.shares().collect();
    assert_eq!(shares.iter().map(|pair| pair.0).collect::<Vec<_>>(), [1.0, 2.0, 4.0, 8.0]);
    assert!((shares[0].1 - 0.5).abs() < 0.03, "{shares:?}");
    for (a, b, r) in [
        (Quantity::Cpus, Quantity::Duration, 0.6),
        (Quantity::Mem, Quantity::Duration, -0.3),
        (Quantity::Cpus, Quantity::Mem, 0.2),
    ] {
        let pair = class.correlations.iter().find(|pair| pair.between == [a, b]);
        let found = pair.unwrap_or_else(|| panic!("{a:?} and {b:?}: {:?}", class.correlations)).normals;
        assert!((found - r).abs() < 0.06, "{a:?} and {b:?}: {found}, not {r}");
    }
    let (users, exponent) = class.users.expect("users");
    assert_eq!(users, 30);
    assert_near(exponent, 1.2, 0.08);
}

/// What is written for a trace makes jobs that are fitted the same again.
#[test]
fn the_block_that_is_written_makes_jobs_like_those_that_were_fitted() {
    let text = file("cycle = [{ period = \"1 day\", amplitude = 0.6 }]", RICH);
    let first = fitted(&text, 5);
    let written = block::text(block::generator(&first)).expect("can be written");
    assert!(written.contains("[workload.generator]") && written.contains("name = \"a\""), "{written}");
    let second = fitted(&written, 6);
    let (a, b) = (first.arrivals.expect("enough"), second.arrivals.expect("enough"));
    assert_near(b.interarrival, a.interarrival, 0.05);
    assert_eq!(a.cycles.len(), b.cycles.len());
    for (one, other) in first.classes[0].quantities.iter().zip(&second.classes[0].quantities) {
        let mean = |fit: &QuantityFit| fit.sample.iter().sum::<f64>() / fit.sample.len() as f64;
        assert_eq!((one.quantity, one.name), (other.quantity, other.name));
        if mean(one) > 0.0 {
            assert_near(mean(other), mean(one), 0.1);
        }
    }
    for (one, other) in first.classes[0].correlations.iter().zip(&second.classes[0].correlations) {
        assert!((one.ranks - other.ranks).abs() < 0.08, "{one:?} and {other:?}");
    }
}

#[test]
fn tasks_of_one_job_that_differ_get_run_times_of_their_own() {
    let class =
        "tasks = 5\nduration_of = \"task\"\nduration = { distribution = \"exponential\", mean = \"3 min\" }";
    let fit = fitted(&file("", class), 2);
    assert!(fit.within > 0.5 && fit.classes[0].own_durations, "{}", fit.within);
    assert_eq!(fit.classes[0].quantities.last().expect("durations").name, "exponential");
}

#[test]
fn numbers_that_no_family_fits_are_written_as_they_are_with_their_mean() {
    let class = "duration = { distribution = \"mixture\", parts = [
      { weight = 5, distribution = \"uniform\", min = \"10 s\", max = \"12 s\" },
      { weight = 4, distribution = \"uniform\", min = \"1000 s\", max = \"1300 s\" },
      { weight = 1, distribution = \"constant\", mean = \"0 s\" } ] }";
    let fit = fitted(&file("", class), 2);
    let duration = fit.classes[0].quantities.last().expect("durations");
    assert_eq!(duration.name, "empirical");
    assert!(duration.distances.ks < 0.02 && (duration.zeros - 0.1).abs() < 0.02, "{:?}", duration.distances);
    let Marginal::Listed(listed) = &duration.chosen else { panic!("a list") };
    let mean: f64 = listed.shares().map(|(value, share)| value * share).sum();
    assert_near(mean, duration.sample.iter().sum::<f64>() / duration.sample.len() as f64, 1e-6);
}

#[test]
fn a_fit_depends_on_the_trace_and_the_seed_alone() {
    let text = file("", PLAIN);
    let one = fitted(&text, 1);
    assert_eq!(one, fitted(&text, 1));
}

#[test]
fn a_trace_of_few_jobs_is_still_fitted() {
    let text = file("", PLAIN).replace("jobs = 6000", "jobs = 3");
    let fit = fitted(&text, 1);
    assert_eq!(fit.arrivals, None);
    let again = generator(&block::text(block::generator(&fit)).expect("can be written"));
    assert_eq!(again.jobs, 3);
}
