//! Whole worlds whose machines do more than let tasks run: images, starting, memory, busy CPUs, CPUs that are offered twice.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use mesos::{
    call::FrameworkInfo,
    capability::Capabilities,
    effects::Note,
    event::Event,
    id::{Id, TaskId},
    resource::{ResourceQuantities, Scalar},
    task::{Reason, TaskDetail, TaskState},
    time::{Span, Time},
};
use mesosim::{
    cluster::{Cluster, Topology},
    container::{
        HostOptions, Images, MemPeak, Peak, Profile,
        oversubscription::{
            CONTROLLER_NAMES, ESTIMATOR_NAMES, QOS_CONTROLLERS, RESOURCE_ESTIMATORS, Settings,
        },
    },
    engine::random::Seed,
    experiment::{config, prepare::Prepared, simulate::Figure},
    framework::{
        AgentFacts, Framework, Reply,
        batch::{BatchFramework, BatchPolicy},
    },
    metric::{RunMetrics, Vain},
    policy::{
        self, ORDER_NAMES, PLACEMENT_NAMES, RESPONSE_NAMES, Response, SORTER_NAMES, order::ORDERS,
        placement::PLACEMENTS,
    },
    record::{Cause, Observer, Record},
    workload::{Demand, Job, JobId, JobName, TaskSpec},
    world::{Ending, FrameworkSetup, Oversubscription, Setup, World},
};

const LATENCY: Span = Span(500_000);
const GIB: u64 = 1 << 30;

/// What happened to tasks, in order.
#[derive(Default)]
struct Log {
    launched: Vec<Time>,
    started: Vec<(usize, Time)>,
    ended: Vec<End>,
}

struct End {
    framework: usize,
    at: Time,
    state: TaskState,
    cause: Cause,
    ran: Span,
}

impl Observer for Log {
    fn observe(&mut self, now: Time, record: &Record<'_>) {
        match record {
            Record::Master(Note::Launched { .. }) => self.launched.push(now),
            Record::TaskStarted { key, .. } => self.started.push((key.framework.index(), now)),
            Record::TaskEnded { key, state, cause, ran } => {
                let framework = key.framework.index();
                self.ended.push(End { framework, at: now, state: *state, cause: *cause, ran: *ran });
            }
            Record::FrameworkSubscribed { .. }
            | Record::AgentRegistered { .. }
            | Record::TaskRetried { .. }
            | Record::TaskAdded { .. }
            | Record::TaskStopped { .. }
            | Record::JobEnded { .. }
            | Record::Fault { .. }
            | Record::MasterFailed
            | Record::MasterElected
            | Record::MasterRecovered { .. }
            | Record::JobSubmitted { .. }
            | Record::Master(_) => {}
        }
    }
}

type Heard = Arc<Mutex<Vec<(TaskState, Option<Reason>)>>>;

/// A batch framework that writes down what it hears of its tasks.
struct Listening(BatchFramework, Heard);

impl Framework for Listening {
    fn submit(&mut self, now: Time, job: &Job, first_task: TaskId, facts: &AgentFacts, reply: &mut Reply) {
        self.0.submit(now, job, first_task, facts, reply);
    }
    fn handle_event(&mut self, now: Time, event: Event, facts: &AgentFacts, reply: &mut Reply) {
        if let Event::Update(status) = &event {
            self.1.lock().expect("one thread").push((status.state, status.reason));
        }
        self.0.handle_event(now, event, facts, reply);
    }
    fn disconnected(&mut self, now: Time) {
        self.0.disconnected(now);
    }
    fn removed(&mut self, now: Time, facts: &AgentFacts, reply: &mut Reply) {
        self.0.removed(now, facts, reply);
    }
    fn reconcile(&mut self, reply: &mut Reply) -> bool {
        self.0.reconcile(reply)
    }
    fn is_in_doubt(&self) -> bool {
        self.0.is_in_doubt()
    }
    fn waiting(&self) -> usize {
        self.0.waiting()
    }
    fn launched(&self) -> usize {
        self.0.launched()
    }
}

/// A job: when it comes, how many tasks, seconds that each runs, cpus, number of its profile, on revocable CPUs or not.
#[derive(Clone, Copy)]
struct Wish(u64, usize, u64, i64, u16, bool);

fn job(number: usize, Wish(at, tasks, runtime, cpus, profile, revocable): Wish) -> Job {
    let (cpus, mem) = (Scalar::whole(cpus), Scalar::whole(1024));
    let demand = Demand { cpus, mem, revocable, ..Demand::default() };
    let task = TaskSpec { demand, runtime: Span::from_secs(runtime), profile };
    Job {
        id: JobId::new(number),
        name: JobName::Numbered(number as u64),
        class: "".into(),
        submission: Time::from_secs(at),
        tasks: std::iter::repeat_n(task, tasks).collect(),
        detail: None,
    }
}

fn framework(name: &str, heard: &Heard, wishes: &[Wish], profiles: usize) -> FrameworkSetup {
    let policy = BatchPolicy {
        order: (policy::find(ORDERS, "fifo").expect("known").build)(),
        placement: (policy::find(PLACEMENTS, "first-fit").expect("known").build)(),
        response: Response::Decline,
        refuse_seconds: 0.0,
        backfill: true,
        retries: 0,
    };
    let detail =
        |number: u32| Arc::new(TaskDetail { command: true, profile: number, ..TaskDetail::default() });
    let details = (1..=profiles as u32).map(detail).collect();
    let scheduler = BatchFramework::new(policy, Seed(1), 0).with_details(details);
    let capabilities = [Capabilities::PARTITION_AWARE, Capabilities::REVOCABLE_RESOURCES];
    let info = FrameworkInfo {
        name: name.into(),
        roles: vec![name.into()],
        capabilities: capabilities.into_iter().fold(Capabilities::MULTI_ROLE, Capabilities::and),
        ..FrameworkInfo::default()
    };
    let jobs: Vec<Job> = wishes.iter().enumerate().map(|(number, wish)| job(number, *wish)).collect();
    let scheduler = Box::new(Listening(scheduler, heard.clone()));
    FrameworkSetup { info, weight: 1.0, scheduler, jobs: Box::new(jobs.into_iter()) }
}

fn machine(cpus: i64) -> Cluster {
    let topology = Topology { agents_per_rack: 1, racks_per_zone: 1 };
    let scalars =
        ResourceQuantities::new([Scalar::whole(cpus), Scalar::whole(65_536), Scalar::ZERO, Scalar::ZERO]);
    let mut cluster = Cluster::new();
    cluster.add("only".into(), scalars, 0, None, vec![], topology).expect("no model");
    cluster
}

/// Runs the jobs of each framework on one machine; `change` says what is special about it.
fn run(
    cpus: i64,
    profiles: &[Profile],
    frameworks: &[&[Wish]],
    change: impl FnOnce(&mut Setup<'_>),
) -> (Log, RunMetrics, Heard) {
    let cluster = machine(cpus);
    let heard = Heard::default();
    let frameworks: Vec<_> = frameworks
        .iter()
        .zip(["first", "second"])
        .map(|(wishes, name)| framework(name, &heard, wishes, profiles.len()))
        .collect();
    let metrics = RunMetrics::new(frameworks.len(), 16, &[]);
    let mut setup = Setup::new(&cluster, frameworks, Seed(1));
    setup.profiles = profiles.iter().cloned().map(Arc::new).collect();
    change(&mut setup);
    let mut world = World::new(setup, (Log::default(), metrics));
    let stop = AtomicBool::new(false);
    let ending = world.run(None, &stop, &mut |progress| {
        stop.store(progress.events > 1_000_000, Ordering::Relaxed);
    });
    assert_eq!(ending, Ending::Quiet);
    world.assert_books_balance();
    let end = world.progress().now;
    let (log, mut metrics) = world.into_observer();
    metrics.finish(end);
    let heard = Arc::new(Mutex::new(heard.lock().expect("one thread").clone()));
    (log, metrics, heard)
}

/// CPU seconds that were in vain for this reason.
fn wasted(metrics: &RunMetrics, cause: Cause) -> f64 {
    let of = metrics.work().wasted().iter().filter(|(why, _)| **why == Vain::Ended(cause));
    of.map(|(_, taken)| taken.cpu_seconds).sum()
}

#[test]
fn pulls_and_starting_delay_the_first_task_and_only_starting_the_second() {
    let mut images = Images::default();
    let image = Some(images.add("large", GIB));
    let profile = Profile { image, ..Profile::default() };
    let jobs = [Wish(10, 2, 50, 1, 1, false), Wish(100, 1, 50, 1, 1, false), Wish(200, 1, 50, 1, 0, false)];
    let (log, ..) = run(8, &[profile], &[&jobs], |setup| {
        let startup_delay = Span::from_secs(2);
        setup.host = HostOptions { startup_delay, image_bandwidth: Some(GIB / 10), ..HostOptions::default() };
        setup.images = images;
    });
    let waits: Vec<_> =
        log.started.iter().zip(&log.launched).map(|((_, at), launched)| at.since(*launched)).collect();
    // 2^30 bytes at a tenth of that, rounded down to whole bytes, in a second.
    let pull = Span((GIB as f64 / (GIB / 10) as f64 * 1e9).round() as u64);
    let start = Span::from_secs(2) + LATENCY;
    assert_eq!(waits, [pull + start, pull + start, start, start]);
}

#[test]
fn without_a_delay_a_task_whose_image_is_there_starts_at_once() {
    let mut images = Images::default();
    let image = Some(images.add("large", GIB));
    let profile = Profile { image, ..Profile::default() };
    let jobs = [Wish(10, 1, 50, 1, 1, false), Wish(100, 1, 50, 1, 1, false)];
    let (log, ..) = run(8, &[profile], &[&jobs], |setup| {
        setup.host.image_bandwidth = Some(GIB);
        setup.images = images;
    });
    let waits: Vec<_> =
        log.started.iter().zip(&log.launched).map(|((_, at), launched)| at.since(*launched)).collect();
    assert_eq!(waits, [Span::from_secs(1) + LATENCY, LATENCY]);
}

#[test]
fn a_task_that_grows_beyond_its_memory_fails_and_its_work_is_wasted() {
    let leaky =
        Profile { mem_peak: Some(MemPeak { mem: Peak::TimesRequest(2.0), at: 0.8 }), ..Profile::default() };
    let jobs = [Wish(10, 3, 100, 2, 1, false), Wish(10, 1, 100, 1, 0, false)];
    let (log, metrics, heard) = run(8, &[leaky], &[&jobs], |_| {});
    let failed: Vec<_> = log.ended.iter().filter(|end| end.cause == Cause::MemoryLimit).collect();
    assert_eq!(failed.len(), 3);
    for end in failed {
        assert_eq!((end.state, end.ran), (TaskState::Failed, Span::from_secs(40)), "half of 80 seconds");
    }
    let heard = heard.lock().expect("one thread");
    let failures: Vec<_> = heard.iter().filter(|(state, _)| *state == TaskState::Failed).collect();
    assert_eq!(failures, [&(TaskState::Failed, Some(Reason::ContainerLimitationMemory)); 3]);
    let seconds = wasted(&metrics, Cause::MemoryLimit);
    assert!((seconds - 3.0 * 2.0 * 40.0).abs() < 0.1, "{seconds} CPU seconds in vain");
    assert!((metrics.work().goodput().cpu_seconds - 100.0).abs() < 0.1);
}

/// Each task requests one CPU and keeps four busy. Alone on four CPUs it is as fast as can be; two get two CPUs each.
#[test]
fn tasks_that_use_more_than_they_request_slow_each_other_down() {
    let greedy = Profile { cpus: Some(Scalar::whole(4)), ..Profile::default() };
    let jobs = [Wish(10, 1, 100, 1, 1, false), Wish(40, 1, 100, 1, 1, false)];
    let (log, ..) = run(4, std::slice::from_ref(&greedy), &[&jobs], |_| {});
    let [(_, first), (_, second)] = log.started[..] else { panic!("two tasks") };
    let alone = second.since(first);
    let shared = 2 * (Span::from_secs(100).0 - alone.0);
    let ends: Vec<_> = log.ended.iter().map(|end| end.at).collect();
    // The second has done half as much as it ran when the first ends, and then is alone.
    let rest = Span::from_secs(100).0 - shared / 2;
    let expected = [second + Span(shared), second + Span(shared) + Span(rest)];
    for (end, expected) in ends.iter().zip(expected) {
        assert!(end.0.abs_diff(expected.0) <= 2, "ends at {end:?} and not at {expected:?}");
    }
    let together = [Wish(10, 4, 100, 1, 1, false)];
    let (log, ..) = run(4, std::slice::from_ref(&greedy), &[&together], |_| {});
    assert!(log.ended.iter().all(|end| end.ran == Span::from_secs(400)), "each had a CPU and wanted four");
    let (log, ..) =
        run(4, &[greedy], &[&[Wish(10, 1, 100, 1, 1, false)]], |setup| setup.host.enable_cfs = true);
    assert_eq!(log.ended[0].ran, Span::from_secs(400), "it is held to its request, though CPUs are idle");
}

fn oversubscription(estimator: &str, revocable_cpus: i64) -> Option<Oversubscription> {
    Some(Oversubscription {
        estimator: (policy::find(RESOURCE_ESTIMATORS, estimator).expect("known").build)(),
        controller: (policy::find(QOS_CONTROLLERS, "load").expect("known").build)(),
        settings: Settings { revocable_cpus: Scalar::whole(revocable_cpus), load_threshold: 1.0 },
        interval: Span::from_secs(15),
    })
}

#[test]
fn revocable_tasks_run_on_idle_cpus_and_go_when_the_owner_comes() {
    let owner = [Wish(100, 1, 50, 8, 0, false)];
    let guest = [Wish(10, 1, 200, 4, 0, true)];
    let (log, metrics, heard) = run(8, &[], &[&owner, &guest], |setup| {
        setup.oversubscription = oversubscription("fixed", 4);
    });
    let of = |framework: usize| log.ended.iter().filter(move |end| end.framework == framework);
    let guest = log.started[0].0;
    let (_, owner_began) = *log.started.iter().find(|(of, _)| *of != guest).expect("the owner ran");
    let owner = of(1 - guest).next().expect("the owner ended");
    assert_eq!((owner.cause, owner.ran), (Cause::Done, Span::from_secs(50)), "nobody slowed the owner down");
    let first = of(guest).next().expect("the guest ended");
    assert_eq!((first.state, first.cause, first.at), (TaskState::Gone, Cause::Preemption, owner_began));
    assert_eq!(first.ran, owner_began.since(log.started[0].1));
    let last = of(guest).next_back().expect("the guest ended");
    assert_eq!((last.cause, last.ran), (Cause::Done, Span::from_secs(200)), "in the end it ran in peace");
    for between in of(guest).skip(1).filter(|end| end.cause != Cause::Done) {
        assert_eq!(
            (between.cause, between.ran),
            (Cause::Preemption, Span::ZERO),
            "gone before it did anything"
        );
    }
    let heard = heard.lock().expect("one thread");
    assert!(heard.contains(&(TaskState::Gone, Some(Reason::ContainerPreempted))));
    let seconds = wasted(&metrics, Cause::Preemption);
    let expected = 4.0 * first.ran.as_secs_f64();
    assert!(
        (seconds - expected).abs() < 0.1 + expected * 1e-3,
        "{seconds} CPU seconds in vain, not {expected}"
    );
}

/// The owner requests eight CPUs and uses two. What it leaves is offered once more at the next estimate, and not before.
#[test]
fn revocable_tasks_run_on_what_others_request_and_do_not_use() {
    let idle = Profile { cpus: Some(Scalar::whole(2)), ..Profile::default() };
    let owner = [Wish(20, 1, 1000, 8, 1, false)];
    let guest = [Wish(10, 3, 100, 3, 0, true)];
    let (log, ..) = run(8, &[idle], &[&owner, &guest], |setup| {
        setup.oversubscription = oversubscription("usage-slack", 0);
    });
    let began: Vec<Time> = log.started.iter().map(|(_, at)| *at).collect();
    assert_eq!(log.started.len(), 4);
    assert!(began[1] >= Time::from_secs(30), "the estimate after the owner's start is the one after 30 s");
    assert!(began[1] < Time::from_secs(33) && began[1] == began[2], "two of the three fit into six CPUs");
    assert!(began[3] > began[2] + Span::from_secs(100), "the third has to wait for one of them");
    assert!(log.ended.iter().all(|end| end.cause == Cause::Done));
    assert!(log.ended[..3].iter().all(|end| end.ran == Span::from_secs(100)), "there is CPU for all");
}

/// All of it together, and machines, agents and masters that fail meanwhile.
const EVERYTHING: &str = r#"
name = "everything"
seeds = [1, 2]
[cluster]
agents = [{ count = 3, cpus = 8.0, mem = "64 GiB" }]
[agent]
startup_delay = "1 s"
image_bandwidth = "100 MB"
revocable_cpus = 4
qos_controller = "load"
load_threshold = 0.75
[workload.poisson]
jobs = 120
interarrival = "8 s"
duration = "2 min"
cpus = [1.0, 2.0]
[[image]]
name = "spark"
size = "1 GB"
[[profile]]
name = "leaky"
share = 0.1
image = "spark"
mem_peak = { factor = 2, at = 1 }
[[profile]]
name = "guest"
share = 0.3
revocable = true
[[profile]]
name = "idle"
share = 0.4
cpus = 0.25
stop_delay = "10 s"
[[profile]]
name = "busy"
share = 0.1
cpus = 4
[[framework]]
name = "a"
role = "a"
capabilities = ["MULTI_ROLE", "PARTITION_AWARE", "REVOCABLE_RESOURCES"]
[[framework]]
name = "b"
role = "b"
[[policy]]
name = "decline"
[[policy]]
name = "random"
sorter = "random"
placement = "best-fit"
"#;

const FAULTS: &str = r#"
[[fault]]
kind = "agent-crash"
every = { mean = "20 min" }
lasts = { mean = "2 min" }
[[fault]]
kind = "agent-restart"
every = { mean = "10 min" }
lasts = { mean = "1 min" }
[[fault]]
kind = "master-failover"
every = { mean = "10 min" }
"#;

fn load(text: &str) -> Prepared {
    let vocabulary = config::Vocabulary {
        sorters: SORTER_NAMES,
        orders: ORDER_NAMES,
        placements: PLACEMENT_NAMES,
        kinds: mesosim::framework::KIND_NAMES,
        responses: RESPONSE_NAMES,
        estimators: ESTIMATOR_NAMES,
        controllers: CONTROLLER_NAMES,
        trace_formats: &[],
        capabilities: &Capabilities::names(),
    };
    let loaded = config::load_text("everything.toml", text, std::path::Path::new(""), &[], &vocabulary);
    Prepared::new(&loaded.expect("it is right")).expect("it can be had")
}

fn figure(figures: &[Figure], metric: &str) -> f64 {
    figures.iter().find(|figure| figure.metric == metric).map_or(0.0, |figure| figure.last)
}

#[test]
fn an_experiment_can_have_all_of_it_at_once() {
    let prepared = load(EVERYTHING);
    for cell in prepared.cells() {
        let outcome = prepared.simulate(cell, &AtomicBool::new(false), &mut |_| {});
        assert_eq!(outcome.ending, Ending::Quiet);
        let figure = |metric| figure(&outcome.figures, metric);
        let (finished, failed) = (figure("master/tasks_finished"), figure("master/tasks_failed"));
        assert!(
            finished > 90.0 && failed % 4.0 == 0.0,
            "{finished} finished, {failed} failed in four attempts each"
        );
        assert_eq!(finished + failed / 4.0, 120.0, "each task has an end");
        assert_eq!(figure("mesosim/wasted_work/memory-limit/attempts"), failed);
        assert_eq!(figure("mesosim/wasted_work/preemption/attempts"), figure("master/tasks_gone"));
        assert!(figure("master/tasks_gone") > 0.0, "somebody was evicted");
    }
}

#[test]
fn the_books_balance_when_all_of_it_goes_wrong_at_once() {
    let prepared = load(&format!("{EVERYTHING}{FAULTS}"));
    for cell in prepared.cells() {
        let outcome = prepared.simulate(cell, &AtomicBool::new(false), &mut |_| {});
        assert_eq!(outcome.ending, Ending::Quiet, "all jobs end");
    }
}
