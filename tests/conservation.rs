//! What is true of every run, whatever the policies: nothing is promised twice, every task lives one life, every job ends
//! in one way. Checked from the records alone, at every record, over one busy run and over many small random ones.

mod worlds;

use mesos::{
    call::Call,
    effects::{Note, OfferEnd},
    event::Event,
    id::{Id, TaskId},
    resource::Scalar,
    time::{Span, Time},
};
use mesosim::{
    check::{Checkers, Facts},
    cluster::Cluster,
    engine::random::{Seed, Stream, below},
    framework::{AgentFacts, Framework, Reply, batch::BatchFramework},
    metric::{FinalState, RunMetrics, Summary},
    policy::{ORDER_NAMES, PLACEMENT_NAMES, Response},
    record::{Observer, Record},
    workload::{Demand, GpuDemand, Job, JobId, JobName, TaskSpec},
    world::Ending,
};
use proptest::prelude::*;
use worlds::{Rules, Shape, Times, USUAL, batch, cluster, framework, run};

/// All checkers, and how often what they watch for could have happened.
struct Books {
    checkers: Checkers,
    rescinded: u64,
    refused: u64,
}

impl Books {
    fn new(times: Times) -> Self {
        let slowest = Span(times.latency.0 + times.jitter.0);
        let facts = Facts { allocation_interval: times.allocation_interval, slowest };
        Self { checkers: Checkers::new(facts), rescinded: 0, refused: 0 }
    }
}

impl Observer for Books {
    fn observe(&mut self, now: Time, record: &Record<'_>) {
        self.checkers.observe(now, record);
        if let Record::Master(Note::OffersEnded(end, offers)) = record {
            self.rescinded += if *end == OfferEnd::Rescinded { offers.len() as u64 } else { 0 };
            self.refused += if *end == OfferEnd::Discarded { offers.len() as u64 } else { 0 };
        }
    }
}

/// Watches what a framework says and hears: between its SUPPRESS and its REVIVE no offer reaches it, but for those that were
/// under way when the master heard of the SUPPRESS. (Calls are not among the records, so it is the framework that tells.)
struct Suppression {
    inner: BatchFramework,
    /// The longest that a SUPPRESS and an offer before it travel.
    round_trip: Span,
    since: Option<Time>,
}

impl Suppression {
    fn heed(&mut self, now: Time, calls: &[Call]) {
        for call in calls {
            if let Call::Suppress { .. } = call {
                self.since = self.since.or(Some(now));
            } else if let Call::Revive { .. } = call {
                self.since = None;
            }
        }
    }
}

impl Framework for Suppression {
    fn submit(&mut self, now: Time, job: &Job, first_task: TaskId, facts: &AgentFacts, reply: &mut Reply) {
        assert!(reply.calls.is_empty());
        self.inner.submit(now, job, first_task, facts, reply);
        self.heed(now, &reply.calls);
    }

    fn handle_event(&mut self, now: Time, event: Event, facts: &AgentFacts, reply: &mut Reply) {
        if let (Event::Offers(offers), Some(since)) = (&event, self.since) {
            assert!(now <= since + self.round_trip, "{now} s: {offers:?}, but suppressed since {since} s");
        }
        assert!(reply.calls.is_empty());
        self.inner.handle_event(now, event, facts, reply);
        self.heed(now, &reply.calls);
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
        self.inner.waiting()
    }

    fn launched(&self) -> usize {
        self.inner.launched()
    }
}

/// A small experiment.
#[derive(Clone, Debug)]
struct Small {
    shapes: Vec<Shape>,
    rules: Vec<Rules>,
    jobs: u64,
    /// Mean time between arrivals, and of service, in milliseconds.
    interarrival_ms: u64,
    runtime_ms: u64,
    times: Times,
    seed: Seed,
}

/// The jobs of one framework, drawn by hand so that each framework has some.
fn jobs(small: &Small, place: usize) -> Vec<Job> {
    let mut rng = small.seed.of(Stream::Demand, place as u64);
    let mut draw = |bound: u64| below(&mut rng, bound);
    let mut at = Time::ZERO;
    let job = |n: u64| {
        at = at + Span::from_millis(draw(2 * small.interarrival_ms + 1));
        let gpus = match draw(8) {
            0 => GpuDemand::Whole(1 + draw(4) as u8),
            1 => GpuDemand::Whole(1),
            2 => GpuDemand::Share(1 + draw(999) as u16),
            3 => GpuDemand::Share(500),
            _ => GpuDemand::None,
        };
        let demand = Demand {
            cpus: Scalar(100 * (1 + draw(90) as i64)),
            mem: Scalar::whole(draw(70) as i64 * 128),
            gpus,
            ..Demand::default()
        };
        let task =
            TaskSpec { demand, runtime: Span::from_millis(draw(2 * small.runtime_ms + 1)), profile: 0 };
        let tasks = (0..=draw(3)).map(|_| task).collect();
        let (id, name) = (JobId::new(n as usize), JobName::Numbered(n));
        Job { id, name, class: "".into(), submission: at, tasks, detail: None }
    };
    (0..small.jobs).map(job).collect()
}

/// Runs it under all the checks.
fn checked(small: &Small) -> (Cluster, Books, RunMetrics, Ending, Time) {
    let machines = cluster(&small.shapes);
    let round_trip = Span(2 * (small.times.latency.0 + small.times.jitter.0));
    let frameworks = small.rules.iter().enumerate().map(|(place, &rules)| {
        let inner = batch(rules, small.seed, place as u64);
        let scheduler = Suppression { inner, round_trip, since: None };
        framework(&format!("role-{place}"), scheduler, jobs(small, place).into_iter())
    });
    let frameworks: Vec<_> = frameworks.collect();
    let observer = (Books::new(small.times), RunMetrics::new(frameworks.len(), 64, &[]));
    let ((books, mut metrics), ending, end) = run(&machines, small.times, frameworks, small.seed, observer);
    metrics.finish(end);
    (machines, books, metrics, ending, end)
}

fn check_jobs(small: &Small, machines: &Cluster, metrics: &RunMetrics, end: Time) -> Summary {
    let jobs_of: Vec<_> = (0..small.rules.len()).map(|place| jobs(small, place)).collect();
    let arrived = jobs_of.iter().flatten().filter(|job| job.submission <= end).count();
    let summary = metrics.summary(Span::from_secs(10));
    assert_eq!(summary.jobs, arrived, "every job that arrives is counted");
    let ends = [summary.finished, summary.failed, summary.unfinished, summary.never_placed, summary.rejected];
    assert_eq!(ends.iter().sum::<usize>(), arrived, "{ends:?}: every job ends in one way");
    assert_eq!(summary.failed, 0, "nothing fails here");
    for row in metrics.jobs().all() {
        let job = &jobs_of[row.framework as usize][row.id.index()];
        let fits = job.tasks.iter().all(|task| machines.could_run(&task.demand, |_| true));
        assert_eq!(row.final_state() == FinalState::Rejected, !fits, "{job:?}");
        if let Some(ran) = row.execution_time() {
            assert!(ran >= row.requested_runtime, "{job:?} was over after {ran:?}");
        }
    }
    summary
}

/// Almost twice as much work as the machines can do, offers that time out, messages that come late. All jobs are over hours
/// before `until`, which only ends the endless exchange of offers between the master and whoever holds them.
#[test]
fn nothing_is_promised_twice_in_a_busy_cluster() {
    let rules = |placement, response| Rules {
        order: "fifo",
        placement,
        response,
        refuse_seconds: 3.0,
        backfill: true,
    };
    let times = Times {
        jitter: Span::from_millis(400),
        offer_timeout: Some(Span::from_millis(900)),
        until: Some(Time::from_secs(3 * 3600)),
        ..USUAL
    };
    let small = Small {
        shapes: vec![Shape(6, 16, 16 * 1024, 4), Shape(4, 8, 8 * 1024, 0), Shape(2, 12, 12 * 1024, 2)],
        rules: vec![
            rules("gpu-best-fit", Response::Decline),
            rules("random-fit", Response::Hold),
            rules("worst-fit", Response::Decline),
        ],
        jobs: 1500,
        interarrival_ms: 1500,
        runtime_ms: 12_000,
        times,
        seed: Seed(7),
    };
    let (machines, books, metrics, _, end) = checked(&small);
    let summary = check_jobs(&small, &machines, &metrics, end);
    assert_eq!(summary.finished + summary.rejected, 4500);
    assert!(books.rescinded > 100, "only {} offers timed out", books.rescinded);
    assert!(books.refused > 10, "only {} ACCEPTs came too late", books.refused);
    assert!(metrics.launched() > 5000, "only {} launches", metrics.launched());
    books.checkers.finish(end);
}

fn any_rules(responses: &'static [Response]) -> impl Strategy<Value = Rules> {
    (
        prop::sample::select(ORDER_NAMES),
        prop::sample::select(PLACEMENT_NAMES),
        prop::sample::select(responses),
        prop::sample::select(&[0.0, 0.5, 5.0, 60.0, 3600.0][..]),
        any::<bool>(),
    )
        .prop_map(|(order, placement, response, refuse_seconds, backfill)| Rules {
            order,
            placement,
            response,
            refuse_seconds,
            backfill,
        })
}

fn any_small(
    rules: impl Strategy<Value = Vec<Rules>>,
    offer_timeout: impl Strategy<Value = Option<u64>>,
    until: impl Strategy<Value = Option<u64>>,
) -> impl Strategy<Value = Small> {
    let shape = (1usize..4, 1i64..17, 1i64..17, 0usize..5)
        .prop_map(|(count, cpus, gib, gpus)| Shape(count, cpus, gib * 1024, gpus));
    let times = (prop::sample::select(&[10, 1000, 7000][..]), 0u64..20, 0u64..300, offer_timeout, until);
    let times = times.prop_map(|(interval, latency, jitter, timeout, until)| Times {
        allocation_interval: Span::from_millis(interval),
        latency: Span::from_millis(latency),
        jitter: Span::from_millis(jitter),
        registration_backoff: Span::from_secs(1),
        offer_timeout: timeout.map(Span::from_millis),
        until: until.map(Time::from_secs),
    });
    (prop::collection::vec(shape, 1..4), rules, 0u64..60, 0u64..3000, 0u64..20_000, times, any::<u64>())
        .prop_map(|(shapes, rules, jobs, interarrival_ms, runtime_ms, times, seed)| Small {
            shapes,
            rules,
            jobs,
            interarrival_ms,
            runtime_ms,
            times,
            seed: Seed(seed),
        })
}

/// With messages so fast that an offer is answered before the next allocation.
fn with_answers_in_time(times: Times) -> Times {
    let longest = Span(times.allocation_interval.0 / 8);
    Times { latency: times.latency.min(longest), jitter: times.jitter.min(longest), ..times }
}

const BOTH: &[Response] = &[Response::Decline, Response::Hold];
const DECLINE: &[Response] = &[Response::Decline];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Ends by `until`: with offers that time out for ever, such a run never falls quiet.
    #[test]
    fn every_job_ends_in_one_way_under_any_mix_of_policies(
        small in any_small(
            prop::collection::vec(any_rules(BOTH), 1..4),
            prop::option::of(1u64..20_000),
            (1u64..200).prop_map(Some),
        )
    ) {
        let (machines, _, metrics, _, end) = checked(&small);
        check_jobs(&small, &machines, &metrics, end);
    }

    /// Whoever declines gives others their turn, so every job that fits an empty machine is started in the end.
    ///
    /// As long as answers come before the next allocation, that is. If they take longer and no filter keeps what was
    /// declined at home, two parts of one machine can travel in turns for ever: never both at home, never offered together.
    #[test]
    fn every_job_that_fits_is_started_when_frameworks_decline(
        small in any_small(prop::collection::vec(any_rules(DECLINE), 1..4), Just(None), Just(None))
    ) {
        let small = Small { times: with_answers_in_time(small.times), ..small };
        let (machines, books, metrics, ending, end) = checked(&small);
        prop_assert_eq!(ending, Ending::Quiet);
        let summary = check_jobs(&small, &machines, &metrics, end);
        prop_assert_eq!((summary.never_placed, summary.unfinished), (0, 0));
        books.checkers.finish(end);
    }

    /// Nobody to wait for: whoever holds all offers can start everything.
    #[test]
    fn every_job_that_fits_is_started_when_the_only_framework_holds(
        small in any_small(prop::collection::vec(any_rules(&[Response::Hold]), 1..=1), Just(None), Just(None))
    ) {
        let (machines, books, metrics, ending, end) = checked(&small);
        prop_assert_eq!(ending, Ending::Quiet);
        let summary = check_jobs(&small, &machines, &metrics, end);
        prop_assert_eq!((summary.never_placed, summary.unfinished), (0, 0));
        books.checkers.finish(end);
    }
}
