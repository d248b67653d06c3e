//! Delay scheduling, EuroSys 2010: how many maps run where their data are, by how many offers a job passes up.
//!
//! M machines of one slot each, all busy with tasks of exponential length; as one ends, its slot is offered to the MapReduce
//! framework first, whose share is smaller. Of a job with K waiting maps, each with R replicas, a machine drawn at random has
//! data with probability p(K) = 1 - (1 - R/M)^K. A job that passes up D offers launches without locality if D + 1 offers in a row
//! have none of its data; from then on it takes whatever comes until a local launch. The paper's rule, D >= -(M/R) ln((1 - L) N /
//! (1 + (1 - L) N)), promises a locality of at least L for jobs of N maps.

#[expect(
    dead_code,
    reason = "figures of frameworks are asked of the world itself, so that `run` is not used here"
)]
mod worlds;

use std::sync::{Arc, atomic::AtomicBool};

use mesos::{
    allocator::AllocatorOptions,
    id::Id,
    master::MasterOptions,
    resource::Scalar,
    time::{Span, Time},
};
use mesosim::{
    engine::{
        law::Law,
        random::{Seed, Stream, unit},
    },
    framework::{
        Answer, Driver,
        locality::Delay,
        mapreduce::{MapReduces, Options, Order},
        speculation::Rule,
    },
    policy::Response,
    record::Unobserved,
    workload::{Demand, Job, JobDetail, JobId, JobName, TaskSpec, detail::MapReduce},
    world::{FrameworkSetup, NetworkOptions, Setup, World},
};
use worlds::{Rules, Shape, batch, cluster, framework};

const MACHINES: usize = 100;
const REPLICAS: u32 = 3;
const MAPS: u32 = 20;
const JOBS: usize = 12;
/// Between two jobs: long enough for one to be over.
const GAP: Span = Span::from_secs(150);
/// Between two allocations: so short that hardly ever two slots are offered at once.
const ALLOCATIONS: Span = Span::from_millis(20);
/// Mean length of the tasks of others.
const OTHERS: f64 = 10.0;

fn slot() -> Demand {
    Demand { cpus: Scalar::whole(1), mem: Scalar::whole(64), ..Demand::default() }
}

/// More tasks than the slots can run until the last job is done.
fn others(seed: Seed) -> FrameworkSetup {
    let length =
        |n| Span::from_secs_f64(-OTHERS * (1.0 - unit(&mut seed.of(Stream::Runtime, n))).ln()).unwrap();
    let enough = (JOBS as f64 * GAP.as_secs_f64() / OTHERS) as u64 * MACHINES as u64;
    let tasks = (0..enough).map(|n| TaskSpec { demand: slot(), runtime: length(n), profile: 0 }).collect();
    let rules = Rules {
        order: "fifo",
        placement: "first-fit",
        response: Response::Decline,
        refuse_seconds: 0.0,
        backfill: false,
    };
    let job = Job {
        id: JobId::new(0),
        name: JobName::Numbered(0),
        class: "".into(),
        submission: Time::ZERO,
        tasks,
        detail: None,
    };
    framework("others", batch(rules, seed, 0), vec![job].into_iter())
}

fn ours(skips: u32, seed: Seed) -> FrameworkSetup {
    let options = Options {
        order: Order::Fifo,
        slot: slot(),
        replication: REPLICAS,
        disk_rate: 1e9,
        network_rate: 1e9,
        delay: Delay::Skips { node: skips, rack: 0 },
        rack_slowdown: 1.0,
        remote_slowdown: 1.0,
        slowstart: 1.0,
        variation: Law::Constant(Span::from_secs(1)),
        stragglers: None,
        speculation: Rule::Never,
        speculation_interval: Span::from_secs(1),
        most_failures: 4,
        most_slots: None,
    };
    let inside = JobDetail::MapReduce(MapReduce {
        maps: MAPS,
        reduces: 0,
        input: 0,
        shuffle: 0,
        output: 0,
        map_runtime: Some(Span::from_secs(5)),
        reduce_runtime: None,
        demand: None,
    });
    let inside = Arc::new(inside);
    let job = |n: usize| Job {
        id: JobId::new(n),
        name: JobName::Numbered(n as u64),
        class: "".into(),
        submission: Time::from_secs(30) + Span(GAP.0 * n as u64),
        tasks: smallvec::SmallVec::new(),
        detail: Some(inside.clone()),
    };
    let jobs: Vec<Job> = (0..JOBS).map(job).collect();
    // Whoever declines a slot gives it to others. The filter ends with the next allocation: a longer one would keep machines
    // away that had no data, and so make those that are offered better than machines drawn at random.
    let answer = Answer { refuse_seconds: ALLOCATIONS.as_secs_f64(), ..Answer::default() };
    framework("ours", Driver::new(MapReduces::new(options, seed, 1), answer), jobs.into_iter())
}

/// The share of maps that ran on a machine with their data.
fn locality(skips: u32, seed: Seed) -> f64 {
    let machines = cluster(&[Shape(MACHINES, 1, 64, 0)]);
    let network = NetworkOptions { latency: Span(500_000), jitter: Span::ZERO };
    let allocator = AllocatorOptions { allocation_interval: ALLOCATIONS, ..AllocatorOptions::default() };
    let master = MasterOptions { allocator, ..MasterOptions::default() };
    let setup =
        Setup { master, network, ..Setup::new(&machines, vec![others(seed), ours(skips, seed)], seed) };
    let mut world = World::new(setup, Unobserved);
    let end = Time::from_secs(30) + Span(GAP.0 * JOBS as u64);
    world.run(Some(end), &AtomicBool::new(false), &mut |_| {});
    let figures = world.figures(end, 1);
    let value = |metric: &str| figures.iter().find(|figure| figure.metric == metric).expect(metric).value;
    assert_eq!(value("jobs_completed") as usize, JOBS, "a job is not done when the next arrives");
    value("maps_node_local")
}

/// The exact mean for this rule: jobs with K maps left, patient or not.
fn expected(skips: u32) -> f64 {
    let mut patient = 1.0; // the probability that the job is patient now
    let mut local = 0.0;
    for left in (1..=MAPS).rev() {
        let here = 1.0 - (1.0 - f64::from(REPLICAS) / MACHINES as f64).powi(left as i32);
        let after_waiting = 1.0 - (1.0 - here).powi(skips as i32 + 1);
        let is_local = patient * after_waiting + (1.0 - patient) * here;
        local += is_local;
        patient = is_local;
    }
    local / f64::from(MAPS)
}

/// Quantile of the normal distribution that puts 99 % of the mean of many values between its ends.
const Z_99: f64 = 2.575_829;

fn measured(skips: u32) -> (f64, f64) {
    let seeds = if cfg!(debug_assertions) { 4 } else { 10 };
    let values: Vec<f64> = (1..=seeds).map(|seed| locality(skips, Seed(seed))).collect();
    let (count, mean) = (values.len() as f64, values.iter().sum::<f64>() / values.len() as f64);
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, Z_99 * (variance / count).sqrt())
}

/// The paper's rule.
fn skips_for(locality: f64) -> u32 {
    let rest = (1.0 - locality) * f64::from(MAPS);
    (-(MACHINES as f64 / f64::from(REPLICAS)) * (rest / (1.0 + rest)).ln()).ceil() as u32
}

#[test]
fn locality_is_that_of_the_formula() {
    for skips in [0, 5, 15] {
        let ((mean, half), formula) = (measured(skips), expected(skips));
        assert!(
            (mean - formula).abs() <= half + 0.02,
            "after {skips} skips {mean:.3} ± {half:.3} of the maps are local, but the formula says {formula:.3}"
        );
    }
}

#[test]
fn the_papers_number_of_skips_gives_the_locality_that_it_promises() {
    assert_eq!(skips_for(0.95), 24, "0.231 M, as in the paper");
    let (mean, half) = measured(skips_for(0.95));
    assert!(mean + half >= 0.95, "{mean:.3} ± {half:.3} of the maps are local");
}
