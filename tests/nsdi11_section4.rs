//! Mesos, NSDI'11, section 4: how fast a framework gets its share, when its job is done, and how well it uses what it holds.
//!
//! A framework's share is k slots. When it arrives, all are busy with tasks of others, whose rest of run time is exponential with
//! mean T (tasks of exponential length have no memory) or uniform between 0 and T (tasks of length T that began at any time).
//! Slots come to it as those end. Its job is beta k T slot-seconds of work. An elastic framework uses each slot as it comes; a
//! rigid one holds slots until it has all k and then computes for beta T.
//!
//! With H_k = 1 + 1/2 + ... + 1/k, the exact means are:
//!
//! | | elastic, constant | elastic, exponential | rigid, constant | rigid, exponential |
//! |---|---|---|---|---|
//! | last slot, over T | k/(k+1) | H_k | k/(k+1) | H_k |
//! | completion, over T | 1/2 + beta | 1 + beta | k/(k+1) + beta | H_k + beta |
//! | idle while held, over kT | 0 | 0 | k/(k+1) - 1/2 | H_k - 1 |
//!
//! The paper's table has T for k/(k+1), and ln k for H_k: large k, and the growth of H_k without Euler's constant.

mod worlds;

use mesos::{
    id::{AgentId, Id},
    resource::Scalar,
    time::{Span, Time},
};
use mesosim::{
    engine::random::{Seed, Stream, unit},
    framework::{Answer, Driver, gang},
    metric::{JobRow, RunMetrics},
    policy::Response,
    record::{Observer, Record},
    workload::{Demand, Job, JobId, JobName, TaskSpec},
    world::{Ending, FrameworkSetup},
};
use worlds::{Rules, Shape, Times, USUAL, batch, cluster, framework, run};

/// Slots.
const K: usize = 16;
/// Work per slot, over T: so much that hardly ever a slot comes after the job is done.
const BETA: u64 = 8;
/// Mean length of the tasks of others.
const T: Span = Span::from_secs(1000);
/// An elastic job consists of tasks of this length: the last ends up to so long after the work is shared out.
const PIECE: Span = Span(T.0 / 20);
/// When the framework arrives; the tasks of others run since the time that it takes to start them.
const ARRIVAL: Time = Time::from_secs(10);

#[derive(Clone, Copy, PartialEq, Debug)]
enum Lengths {
    Constant,
    Exponential,
}

/// What one run gives, over T.
#[derive(Clone, Copy, Debug)]
struct Measured {
    last_slot: f64,
    completion: f64,
    /// Idle time of slots that are held.
    idle: f64,
}

/// When the framework first ran something on each slot, and how long it ran there in all.
#[derive(Default)]
struct Slots {
    first: Vec<(AgentId, Time)>,
    ran: Span,
    last: Time,
}

impl Observer for Slots {
    fn observe(&mut self, now: Time, record: &Record<'_>) {
        if let Record::TaskStarted { key, agent } = record {
            let is_ours = key.framework.index() == 1 && self.first.iter().all(|(of, _)| of != agent);
            self.first.extend(is_ours.then_some((*agent, now)));
        } else if let Record::TaskEnded { key, ran, .. } = record
            && key.framework.index() == 1
        {
            (self.ran, self.last) = (self.ran + *ran, now);
        }
    }
}

fn job(number: usize, submission: Time, runtimes: impl IntoIterator<Item = Span>) -> Job {
    let demand = Demand { cpus: Scalar::whole(1), mem: Scalar::whole(64), ..Demand::default() };
    Job {
        id: JobId::new(number),
        name: JobName::Numbered(number as u64),
        class: "".into(),
        submission,
        tasks: runtimes.into_iter().map(|runtime| TaskSpec { demand, runtime, profile: 0 }).collect(),
        detail: None,
    }
}

/// Tasks of others on all slots: what is left of each when the framework arrives.
fn others(lengths: Lengths, seed: Seed) -> FrameworkSetup {
    let rest = |slot| {
        let share = unit(&mut seed.of(Stream::Runtime, slot));
        match lengths {
            Lengths::Constant => share,
            Lengths::Exponential => -(1.0 - share).ln(),
        }
    };
    let until_then = ARRIVAL.since(Time::ZERO);
    let runtimes = (0..K as u64).map(|slot| until_then + Span((rest(slot) * T.0 as f64) as u64));
    // They start some seconds after 0, when the agents have registered: what is left is measured from there.
    let tasks = job(0, Time::ZERO, runtimes);
    framework("others", batch(PLAIN, seed, 0), vec![tasks].into_iter())
}

const PLAIN: Rules = Rules {
    order: "fifo",
    placement: "first-fit",
    response: Response::Decline,
    refuse_seconds: 0.0,
    backfill: false,
};

fn play(lengths: Lengths, is_elastic: bool, seed: Seed) -> Measured {
    let ours = if is_elastic {
        let pieces = BETA * K as u64 * (T.0 / PIECE.0);
        let tasks = job(0, ARRIVAL, (0..pieces).map(|_| PIECE));
        framework("ours", batch(PLAIN, seed, 1), vec![tasks].into_iter())
    } else {
        let options = gang::Options { hold: true, hold_timeout: None, backfill: false, retries: 0 };
        let ranks = job(0, ARRIVAL, (0..K).map(|_| Span(BETA * T.0)));
        framework("ours", Driver::new(gang::Gangs::new(options), Answer::default()), vec![ranks].into_iter())
    };
    let times = Times {
        allocation_interval: Span::from_millis(10),
        latency: Span(1_000),
        registration_backoff: Span::ZERO,
        ..USUAL
    };
    let machines = cluster(&[Shape(K, 1, 64, 0)]);
    let observer = (Slots::default(), RunMetrics::new(2, 16, &[]));
    let frameworks = vec![others(lengths, seed), ours];
    let ((slots, metrics), ending, _) = run(&machines, times, frameworks, seed, observer);
    assert_eq!(ending, Ending::Quiet);
    let row: &JobRow = metrics.jobs().all().iter().find(|job| job.framework == 1).expect("a job of ours");
    assert!(row.final_state().is_over(), "{row:?}");
    measure(is_elastic, &slots, &metrics)
}

fn measure(is_elastic: bool, slots: &Slots, metrics: &RunMetrics) -> Measured {
    let over_t = |span: Span| span.as_secs_f64() / T.as_secs_f64();
    assert_eq!(slots.first.len(), K, "all slots are used in the end");
    let last_slot = slots.first.iter().map(|(_, at)| at.since(ARRIVAL)).max().expect("slots");
    let completion = slots.last.since(ARRIVAL);
    let idle = if is_elastic {
        // Between pieces: from a slot's first to the end of all, less what ran; the last pieces do not end together.
        let had = slots.first.iter().map(|(_, at)| slots.last.since(*at));
        had.fold(Span::ZERO, |sum, next| sum + next).as_secs_f64() - slots.ran.as_secs_f64()
    } else {
        // From the end of each task of others until all ranks start.
        let ends = metrics.jobs().tasks(0).iter().filter_map(|task| task.finish_time());
        let start = ARRIVAL + last_slot;
        ends.map(|end| start.since(end).as_secs_f64()).sum()
    };
    Measured {
        last_slot: over_t(last_slot),
        completion: over_t(completion),
        idle: idle / (K as f64 * T.as_secs_f64()),
    }
}

fn harmonic(k: usize) -> f64 {
    (1..=k).map(|n| 1.0 / n as f64).sum()
}

/// Quantile of the normal distribution that puts 99 % of the mean of many values between its ends.
const Z_99: f64 = 2.575_829;

/// What the formula says lies in the interval, give or take `bias`, and the interval is narrow enough to mean something.
fn agrees(what: &str, values: &[f64], formula: f64, bias: f64, widest: f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let half = Z_99 * (variance / count).sqrt();
    let reach = half + bias;
    assert!(
        (mean - formula).abs() <= reach,
        "{what}: {mean} ± {half} (99 %), but the formula says {formula}"
    );
    assert!(half <= widest * formula, "{what}: ± {half} around {mean} is too wide to tell anything");
}

/// Messages, and allocations that wait for the next interval: 20 ms in 1,000 s.
const DELAYS: f64 = 3e-5;

/// A debug build takes half as many runs: its intervals are wider by two fifths.
fn plays(lengths: Lengths, is_elastic: bool, runs: u64) -> Vec<Measured> {
    let runs = if cfg!(debug_assertions) && is_elastic { runs / 2 } else { runs };
    (1..=runs).map(|seed| play(lengths, is_elastic, Seed(seed))).collect()
}

fn column(measured: &[Measured], of: fn(&Measured) -> f64) -> Vec<f64> {
    measured.iter().map(of).collect()
}

/// Mean time until the last slot comes, over T.
fn last_slot(lengths: Lengths) -> f64 {
    match lengths {
        Lengths::Constant => K as f64 / (K + 1) as f64,
        Lengths::Exponential => harmonic(K),
    }
}

/// Mean rest of the tasks of others, over T.
fn mean_rest(lengths: Lengths) -> f64 {
    match lengths {
        Lengths::Constant => 0.5,
        Lengths::Exponential => 1.0,
    }
}

fn an_elastic_framework_is_as_fast_as_the_paper_says(lengths: Lengths, runs: u64) {
    let measured = plays(lengths, true, runs);
    let piece = PIECE.as_secs_f64() / T.as_secs_f64();
    let (beta, delays) = (BETA as f64, DELAYS * BETA as f64 / piece);
    agrees("ramp-up, elastic", &column(&measured, |m| m.last_slot), last_slot(lengths), DELAYS, 0.3);
    // Half a piece longer: the last pieces end one after the other.
    let completion = mean_rest(lengths) + beta + piece / 2.0;
    agrees(
        "completion, elastic",
        &column(&measured, |m| m.completion),
        completion,
        piece / 2.0 + delays,
        0.02,
    );
    for Measured { idle, .. } in &measured {
        let utilization = beta / (beta + idle);
        assert!(
            utilization > 1.0 - piece / beta - delays,
            "an elastic framework leaves slots idle: {utilization}"
        );
    }
}

fn a_rigid_framework_is_as_slow_as_the_paper_says(lengths: Lengths, runs: u64) {
    let measured = plays(lengths, false, runs);
    let (beta, last) = (BETA as f64, last_slot(lengths));
    agrees("ramp-up, rigid", &column(&measured, |m| m.last_slot), last, DELAYS, 0.06);
    agrees("completion, rigid", &column(&measured, |m| m.completion), last + beta, 2.0 * DELAYS, 0.02);
    let idle = last - mean_rest(lengths);
    agrees("idle, rigid", &column(&measured, |m| m.idle), idle, 2.0 * DELAYS, 0.1);
    let mean = measured.iter().map(|m| m.idle).sum::<f64>() / measured.len() as f64;
    let (found, formula) = (beta / (beta + mean), beta / (beta + idle));
    assert!((found - formula).abs() < 0.02 * formula, "utilization {found}, but the formula says {formula}");
}

#[test]
fn elastic_frameworks_among_tasks_of_constant_length() {
    an_elastic_framework_is_as_fast_as_the_paper_says(Lengths::Constant, 24);
}

#[test]
fn elastic_frameworks_among_tasks_of_exponential_length() {
    an_elastic_framework_is_as_fast_as_the_paper_says(Lengths::Exponential, 40);
}

#[test]
fn rigid_frameworks_among_tasks_of_constant_length() {
    a_rigid_framework_is_as_slow_as_the_paper_says(Lengths::Constant, 300);
}

#[test]
fn rigid_frameworks_among_tasks_of_exponential_length() {
    a_rigid_framework_is_as_slow_as_the_paper_says(Lengths::Exponential, 400);
}

/// The paper's own terms are the limits of the exact ones: T for T k/(k+1), T ln k for T H_k.
#[test]
fn the_papers_table_is_the_limit_for_many_slots() {
    for k in [16, 256, 4096] {
        let k = k as f64;
        assert!((k / (k + 1.0) - 1.0).abs() < 1.0 / k);
        let beyond = harmonic(k as usize) - k.ln();
        assert!((beyond - 0.577_215_664_9).abs() < 0.5 / k, "Euler's constant, not {beyond}");
    }
}
