//! Simulated clusters for which the answer is known: Erlang's queue with many servers, and the running example of DRF.

mod worlds;

use std::collections::VecDeque;

use mesos::{
    effects::Note,
    event::Event,
    id::{Id, TaskId},
    resource::{ResourceName, Scalar},
    time::{Span, Time},
};
use mesosim::{
    engine::random::Seed,
    framework::{AgentFacts, Framework, Reply, batch::BatchFramework},
    metric::RunMetrics,
    policy::Response,
    record::{Observer, Record},
    workload::{
        Demand, GpuDemand, Job, JobId, JobName, TaskSpec,
        poisson::{Poisson, PoissonJobs},
    },
    world::Ending,
};
use worlds::{Rules, Shape, Times, USUAL, batch, cluster, framework, run};

/// First come, first served, first fit, nothing refused for longer than until the next allocation.
const PLAIN: Rules = Rules {
    order: "fifo",
    placement: "first-fit",
    response: Response::Decline,
    refuse_seconds: 0.0,
    backfill: true,
};

/// Erlang's second formula: the probability that an arrival finds all servers of an M/M/c queue busy.
///
/// `servers` is c, `load` is the arrival rate over c times the service rate. Through Erlang's first formula and its
/// recursion, which needs no factorials (Kleinrock, Queueing Systems I, section 3.8).
fn erlang_c(servers: u32, load: f64) -> f64 {
    let offered = load * f64::from(servers);
    let blocked =
        (1..=servers).fold(1.0, |blocked, n| offered * blocked / (f64::from(n) + offered * blocked));
    blocked / (1.0 - load * (1.0 - blocked))
}

#[test]
fn erlangs_formula_gives_the_published_values() {
    assert!((erlang_c(1, 0.5) - 0.5).abs() < 1e-12, "one server: the load itself");
    assert!((erlang_c(2, 0.75) - 0.642_857_142_857).abs() < 1e-9, "two servers: 2 rho^2 / (1 + rho)");
}

/// Mean time of service.
const SERVICE: Span = Span::from_secs(100);
/// Independent replications of each queue, and the t quantile that puts 99 % of a mean of so many between its ends
/// (19 degrees of freedom).
const REPLICATIONS: u64 = 20;
const T_99: f64 = 2.860_935;
/// The first jobs of a replication are not measured, because the queue begins empty. It forgets that within a few
/// relaxation times, 1 / (c (1 - sqrt(rho))^2) mean services: at most 12 for the queues here, and during the warm-up each
/// of them works for 290 or more.
const WARM_UP: usize = 4_000;

/// Mean waiting time, and the fraction of jobs that wait, of one replication.
///
/// A job that finds a server free starts after two latencies (ACCEPT to the master, task to the agent), 2 us. A server
/// that becomes free is idle for the time that the news, the next allocation, the offer and the task take: at most 4 us
/// and 1 ms. Against a service of 100 s both are a hundredth of a thousandth: nothing is subtracted for them.
fn replicate(servers: u32, load: f64, measured: usize, seed: Seed) -> (f64, f64) {
    let latency = Span(1_000);
    let times = Times {
        allocation_interval: Span::from_millis(1),
        latency,
        registration_backoff: Span::ZERO,
        ..USUAL
    };
    let spec = Poisson {
        jobs: (WARM_UP + measured) as u64,
        interarrival: Span::from_secs_f64(SERVICE.as_secs_f64() / (load * f64::from(servers))).unwrap(),
        duration: SERVICE,
        exponential_duration: true,
        tasks_per_job: 1,
        cpus: vec![Scalar::whole(1)],
        mem: vec![Scalar::whole(1024)],
        disk: vec![Scalar::ZERO],
        gpus: vec![GpuDemand::None],
        profiles: vec![],
    };
    let rules = Rules { response: Response::Hold, backfill: false, ..PLAIN };
    let queue = framework("*", batch(rules, seed, 0), PoissonJobs::new(spec, seed));
    let machines = cluster(&[Shape(servers as usize, 1, 1024, 0)]);
    let (metrics, ending, _) = run(&machines, times, vec![queue], seed, RunMetrics::new(1, 16, &[]));
    assert_eq!(ending, Ending::Quiet);
    let waits = metrics.jobs().all()[WARM_UP..].iter().map(|job| job.waiting_time().expect("all jobs start"));
    let waits: Vec<Span> = waits.collect();
    assert_eq!(waits.len(), measured);
    let mean = waits.iter().map(|wait| wait.as_secs_f64()).sum::<f64>() / measured as f64;
    let waited = waits.iter().filter(|&&wait| wait > Span(2 * latency.0)).count();
    (mean, waited as f64 / measured as f64)
}

/// Mean and half the width of its 99 % confidence interval.
fn interval(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, T_99 * (variance / count).sqrt())
}

/// What the formula says lies in the interval, and the interval is narrow enough to mean something.
fn agrees(what: &str, values: &[f64], formula: f64, widest: f64) {
    let (mean, half) = interval(values);
    assert!((mean - formula).abs() <= half, "{what}: {mean} ± {half} (99 %), but the formula says {formula}");
    assert!(half <= widest * formula, "{what}: ± {half} around {mean} is too wide to tell anything");
}

fn queue_agrees_with_erlang(servers: u32, load: f64, measured: usize) {
    let runs: Vec<_> =
        (1..=REPLICATIONS).map(|seed| replicate(servers, load, measured, Seed(seed))).collect();
    let (means, waited): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
    let busy = erlang_c(servers, load);
    let mean = busy * SERVICE.as_secs_f64() / (f64::from(servers) * (1.0 - load));
    agrees(&format!("mean waiting time, c = {servers}, load {load}"), &means, mean, 0.08);
    agrees(&format!("fraction that waits, c = {servers}, load {load}"), &waited, busy, 0.03);
}

#[test]
fn one_server_half_busy_makes_jobs_wait_as_erlang_says() {
    queue_agrees_with_erlang(1, 0.5, 20_000);
}

#[test]
fn four_servers_make_jobs_wait_as_erlang_says() {
    queue_agrees_with_erlang(4, 0.7, 30_000);
}

#[test]
fn sixteen_busy_servers_make_jobs_wait_as_erlang_says() {
    queue_agrees_with_erlang(16, 0.85, 100_000);
}

/// A batch framework that has one job at a time in its queue, and the next when that one is placed. Of an offer it so takes
/// what one task needs, as the users of the DRF paper do, and leaves the rest to whoever is next.
struct OneAtATime {
    inner: BatchFramework,
    later: VecDeque<(Job, TaskId)>,
}

impl OneAtATime {
    fn next(&mut self, now: Time, facts: &AgentFacts, reply: &mut Reply) {
        if self.inner.waiting() == 0
            && let Some((job, task)) = self.later.pop_front()
        {
            self.inner.submit(now, &job, task, facts, reply);
        }
    }
}

impl Framework for OneAtATime {
    fn submit(&mut self, now: Time, job: &Job, first_task: TaskId, facts: &AgentFacts, reply: &mut Reply) {
        self.later.push_back((job.clone(), first_task));
        self.next(now, facts, reply);
    }

    fn handle_event(&mut self, now: Time, event: Event, facts: &AgentFacts, reply: &mut Reply) {
        self.inner.handle_event(now, event, facts, reply);
        self.next(now, facts, reply);
    }

    fn disconnected(&mut self, now: Time) {
        self.inner.disconnected(now);
    }

    fn removed(&mut self, now: Time, facts: &AgentFacts, reply: &mut Reply) {
        self.inner.removed(now, facts, reply);
    }

    fn reconcile(&mut self, reply: &mut Reply) -> bool {
        self.inner.reconcile(reply)
    }

    fn is_in_doubt(&self) -> bool {
        self.inner.is_in_doubt()
    }

    fn waiting(&self) -> usize {
        self.inner.waiting() + self.later.len()
    }

    fn launched(&self) -> usize {
        self.inner.launched()
    }
}

/// Which framework launched, in order.
#[derive(Default)]
struct Launches(String);

impl Observer for Launches {
    fn observe(&mut self, _: Time, record: &Record<'_>) {
        if let Record::Master(Note::Launched { task, .. }) = record {
            self.0.push(if task.resources.get(ResourceName::Cpus) == Scalar::whole(1) { 'A' } else { 'B' });
        }
    }
}

/// DRF, NSDI'11, running example: 9 CPUs and 18 GB; A's tasks take <1 CPU, 4 GB>, B's <3 CPU, 1 GB>. The allocation that
/// equalises the dominant shares has 3 tasks of A and 2 of B, reached in the paper's order (B is first in the tie).
#[test]
fn the_running_example_of_drf_ends_with_three_and_two_tasks() {
    let tasks = |cpus, gigabytes: i64| {
        let demand =
            Demand { cpus: Scalar::whole(cpus), mem: Scalar::whole(gigabytes * 1024), ..Demand::default() };
        let task = TaskSpec { demand, runtime: Span::from_secs(1000), profile: 0 };
        let job = move |n| Job {
            id: JobId::new(n),
            name: JobName::Numbered(n as u64),
            class: "".into(),
            submission: Time::from_secs(10),
            tasks: smallvec::smallvec![task],
            detail: None,
        };
        (0..9).map(job).collect::<Vec<_>>().into_iter()
    };
    let machines = cluster(&[Shape(1, 9, 18 * 1024, 0)]);
    let times = Times { until: Some(Time::from_secs(500)), ..USUAL };
    let user = |place| OneAtATime { inner: batch(PLAIN, Seed(1), place), later: VecDeque::new() };
    let users = vec![framework("b", user(0), tasks(3, 1)), framework("a", user(1), tasks(1, 4))];
    let observer = (Launches::default(), RunMetrics::new(2, 16, &[]));
    let ((launches, mut metrics), ending, end) = run(&machines, times, users, Seed(1), observer);
    assert_eq!(ending, Ending::TimeIsUp);
    metrics.finish(end);
    assert_eq!(launches.0, "BAABA", "the order of the paper's table");
    for place in 0..2 {
        let share = metrics.timeline().dominant_share(metrics.role(place).unwrap()).last;
        assert!((share - 2.0 / 3.0).abs() < 1e-9, "dominant share {share} of user {place}");
    }
}
