//! What applications are promised: whatever goes wrong, they hear the end of every task, and nothing runs that they do not want.

use std::{collections::BTreeMap, path::Path, sync::atomic::AtomicBool};

use mesos::{
    agent::AgentOptions,
    call::FrameworkInfo,
    id::{Id, TaskId},
    resource::{ResourceQuantities, Scalar},
    time::{Span, Time},
};
use mesosim::{
    check::{Checkers, Facts},
    cluster::{Cluster, Topology},
    container::oversubscription::{CONTROLLER_NAMES, ESTIMATOR_NAMES},
    engine::{law::Law, random::Seed},
    experiment::{
        config::{self, Vocabulary},
        prepare::Prepared,
        simulate::{Cell, Outcome},
    },
    fault::{
        FrameworkCrash, Schedule, Spec,
        windows::{When, Windows},
    },
    framework::{Answer, Application, Attempt, Context, Driver, End, Figure, KIND_NAMES},
    metric::{FinalState, RunMetrics, Vain},
    policy::{ORDER_NAMES, PLACEMENT_NAMES, RESPONSE_NAMES, SORTER_NAMES},
    record::Cause,
    workload::{Demand, Job, JobId, JobName, TaskSpec, UNTIL_KILLED},
    world::{Ending, FrameworkSetup, Setup, World},
};
use smallvec::SmallVec;

fn prepared(text: &str) -> Prepared {
    let vocabulary = Vocabulary {
        sorters: SORTER_NAMES,
        orders: ORDER_NAMES,
        placements: PLACEMENT_NAMES,
        kinds: KIND_NAMES,
        responses: RESPONSE_NAMES,
        estimators: ESTIMATOR_NAMES,
        controllers: CONTROLLER_NAMES,
        trace_formats: &["openb"],
        capabilities: &mesos::capability::Capabilities::names(),
    };
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    Prepared::new(&config::load_text("test", text, &directory, &[], &vocabulary).unwrap()).unwrap()
}

fn experiment(file: &str) -> Prepared {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments").join(file);
    prepared(&std::fs::read_to_string(path).unwrap())
}

fn simulate(prepared: &Prepared, cell: Cell) -> Outcome {
    prepared.simulate(cell, &AtomicBool::new(false), &mut |_| {})
}

/// The measures of the framework at this place, by name.
fn figures(outcome: &Outcome, place: usize) -> BTreeMap<&str, f64> {
    outcome.applications[place].iter().map(|figure| (figure.metric.as_str(), figure.value)).collect()
}

/// What every server here asks for.
fn server() -> TaskSpec {
    let demand = Demand { cpus: Scalar::whole(1), mem: Scalar::whole(64), ..Demand::default() };
    TaskSpec { demand, runtime: UNTIL_KILLED, profile: 0 }
}

/// A job without tasks: its framework adds them.
fn job(number: usize, at: u64) -> Job {
    Job {
        id: JobId::new(number),
        name: JobName::Numbered(number as u64),
        class: "".into(),
        submission: Time::from_secs(at),
        tasks: SmallVec::new(),
        detail: None,
    }
}

/// Runs a server of its own for each job, and ends it after a while; its work is worth it, unless it is told otherwise.
struct Servers {
    lives_for: Span,
    is_of_use: bool,
    waiting: Vec<(JobId, TaskId)>,
    running: BTreeMap<TaskId, (JobId, Time)>,
    /// When timers fired.
    woken: Vec<Time>,
}

impl Servers {
    fn new(lives_for: Span, is_of_use: bool) -> Self {
        Self { lives_for, is_of_use, waiting: Vec::new(), running: BTreeMap::new(), woken: Vec::new() }
    }
}

impl Application for Servers {
    fn submit(&mut self, job: &Job, _: TaskId, context: &mut Context<'_>) {
        self.waiting.push((job.id, context.new_task(job.id, server())));
    }

    fn offers(&mut self, context: &mut Context<'_>) {
        let spec = server();
        while let Some((job, server)) = self.waiting.pop() {
            let agent = context.fitting(&spec.demand).next();
            match agent.and_then(|agent| context.launch(server, &spec, agent)) {
                Some(attempt) => drop(self.running.insert(attempt, (job, Time::MAX))),
                None => return self.waiting.push((job, server)),
            }
        }
    }

    fn started(&mut self, attempt: &Attempt, context: &mut Context<'_>) {
        let (_, until) = self.running.get_mut(&attempt.id).expect("it was launched");
        *until = context.now + self.lives_for;
    }

    fn ended(&mut self, attempt: &Attempt, end: End, context: &mut Context<'_>) {
        let (job, _) = self.running.remove(&attempt.id).expect("it was launched, and did not end before");
        match end {
            End::Asked => context.job_ended(job, true),
            End::Lost | End::Failed => self.waiting.push((job, attempt.task)),
            End::Finished => panic!("{attempt:?} runs until it is killed"),
        }
    }

    fn next_wake(&self) -> Option<Time> {
        self.running.values().map(|(_, until)| *until).min().filter(|&until| until < Time::MAX)
    }

    fn wake(&mut self, context: &mut Context<'_>) {
        self.woken.push(context.now);
        for (&attempt, (_, until)) in &mut self.running {
            if *until <= context.now {
                *until = Time::MAX;
                if self.is_of_use { context.stop(attempt) } else { context.kill(attempt) }
            }
        }
    }

    fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn figures(&self, _: Time) -> Vec<Figure> {
        let woken = self.woken.iter().map(|at| at.as_secs_f64());
        woken.map(|at| Figure::new(format!("woken/{at}"), at, "s", "when a timer fired")).collect()
    }
}

/// Two servers on one machine with room for one of them, for 100 s each; the scheduler is down at times.
fn run_servers(is_of_use: bool, down: Option<(Time, Span)>) -> (RunMetrics, Vec<Figure>) {
    let scalars = ResourceQuantities::new([Scalar::whole(1), Scalar::whole(64), Scalar::ZERO, Scalar::ZERO]);
    let mut cluster = Cluster::new();
    let topology = Topology { agents_per_rack: 1, racks_per_zone: 1 };
    cluster.add("m0".into(), scalars, 0, None, vec![], topology).expect("a machine without GPUs");
    let servers = Servers::new(Span::from_secs(100), is_of_use);
    let week = 7.0 * 86_400.0;
    let setup = FrameworkSetup {
        info: FrameworkInfo { name: "servers".into(), failover_timeout: week, ..FrameworkInfo::default() },
        weight: 1.0,
        scheduler: Box::new(Driver::new(servers, Answer::default())),
        jobs: Box::new(vec![job(0, 10), job(1, 20)].into_iter()),
    };
    let crash = |(at, lasts)| {
        let windows = Windows { when: When::At(vec![at]), lasts: Law::Constant(lasts) };
        Schedule::new([Spec::FrameworkCrash(FrameworkCrash { frameworks: vec![0], windows })], Seed(1))
    };
    let agent = AgentOptions { registration_backoff_factor: Span::ZERO, ..AgentOptions::default() };
    let setup = Setup { agent, faults: down.map(crash), ..Setup::new(&cluster, vec![setup], Seed(1)) };
    let mut world = World::new(setup, RunMetrics::new(1, 16, &[]));
    assert_eq!(world.run(None, &AtomicBool::new(false), &mut |_| {}), Ending::Quiet);
    let (end, figures) = (world.progress().now, world.figures(world.progress().now, 0));
    let mut metrics = world.into_observer();
    metrics.finish(end);
    (metrics, figures)
}

#[test]
fn a_task_that_its_framework_stops_has_done_its_work() {
    let (metrics, _) = run_servers(true, None);
    assert!(metrics.work().wasted().is_empty(), "{:?}", metrics.work());
    assert_eq!(metrics.work().goodput().attempts, 2);
    let seconds = metrics.work().goodput().seconds;
    assert!((200.0..200.1).contains(&seconds), "two servers for 100 s each, not {seconds} s in all");
}

#[test]
fn a_task_that_its_framework_kills_was_in_vain() {
    let (metrics, _) = run_servers(false, None);
    assert_eq!(metrics.work().goodput().attempts, 0);
    assert_eq!(metrics.work().wasted()[&Vain::Ended(Cause::Kill)].attempts, 2);
}

#[test]
fn jobs_get_tasks_while_they_run_and_end_when_their_framework_says_so() {
    let (metrics, _) = run_servers(true, None);
    for (row, (start, end)) in metrics.jobs().all().iter().zip([(10.0, 110.0), (110.0, 210.0)]) {
        assert_eq!((row.final_state(), row.tasks, row.attempts), (FinalState::Completed, 1, 1));
        assert_eq!(row.requested_runtime, Span::ZERO, "nobody knows how long a server runs");
        let times = [row.starting_time(), row.finish_time()].map(|time| time.unwrap().as_secs_f64());
        assert!(times[0] - start < 2.1 && times[0] >= start, "{row:?}");
        assert!(times[1] - end < 2.2 && times[1] >= end, "{row:?}");
    }
}

/// Everything at once: schedulers, agents and masters die, messages are lost, tasks fail.
const TROUBLE: &str = r#"
name = "trouble"
seeds = [1, 2, 3]
[cluster]
agents_per_rack = 10
[[cluster.agents]]
count = 30
cpus = 4
mem = "8 GiB"
[[framework]]
name = "mpi"
kind = "gang"
role = "mpi"
retries = 1000
[[framework.gang.jobs]]
arrivals = { count = 60, interarrival = "1 min" }
ranks = 8
duration = { mean = "2 min" }
[[framework]]
name = "hoarder"
kind = "hoarder"
role = "hoarder"
[framework.hoarder]
most_cpus = 40
hold_for = "1 min"
[[policy]]
name = "drf"
[[fault]]
kind = "framework-crash"
every = { mean = "5 min" }
lasts = { mean = "30 s" }
[[fault]]
kind = "agent-crash"
every = { mean = "2 h" }
lasts = { mean = "3 min" }
[[fault]]
kind = "master-failover"
every = { mean = "20 min" }
[[fault]]
kind = "loss"
between = { master = true }
probability = 0.05
every = { mean = "10 min" }
lasts = "2 min"
[[fault]]
kind = "partition"
between = { racks = ["r0"] }
at = ["20 min"]
lasts = "15 min"
[[fault]]
kind = "task-failure"
probability = 0.02
"#;

#[test]
fn applications_survive_everything_that_can_go_wrong() {
    let prepared = prepared(TROUBLE);
    for cell in prepared.cells() {
        let facts = Facts { allocation_interval: Span::from_secs(1), slowest: Span(500_000) };
        let observer = (RunMetrics::new(2, 16, &[]), Checkers::new(facts));
        let mut world = prepared.world(cell, observer);
        let ending = world.run(Some(Time::from_secs(48 * 3600)), &AtomicBool::new(false), &mut |_| {});
        assert_eq!(ending, Ending::Quiet, "seed {}: at {:?}", cell.seed, world.progress());
        let (metrics, _) = world.into_observer();
        let states = metrics.jobs().all().iter().map(|row| (row.id, row.final_state()));
        let unhappy: Vec<_> = states.filter(|(_, state)| *state != FinalState::Completed).collect();
        assert!(unhappy.is_empty(), "seed {}: {unhappy:?}", cell.seed);
        assert!(metrics.work().wasted().len() >= 3, "too little goes wrong: {:?}", metrics.work());
    }
}

#[test]
fn a_scheduler_that_was_down_when_its_timer_was_due_hears_it_late() {
    let woken = |down| -> Vec<f64> { run_servers(true, down).1.iter().map(|figure| figure.value).collect() };
    let on_time = woken(None);
    assert!((110.0..112.0).contains(&on_time[0]), "{on_time:?}");
    let late = woken(Some((Time::from_secs(50), Span::from_secs(300))));
    assert_eq!((late[0], late.len()), (350.0, 2), "{late:?}");
}

#[test]
fn the_experiment_about_gangs_completes_all_of_its_jobs() {
    let prepared = experiment("apps-gang.toml");
    let outcome = simulate(&prepared, prepared.cells()[0]);
    let all = outcome.metrics.jobs().all();
    assert!(all.iter().all(|row| row.final_state() == FinalState::Completed));
    let figures = figures(&outcome, 1);
    assert_eq!(figures["completed"], 12.0);
    assert!(figures["held_cpu_seconds"] > 1000.0, "gangs collect offers: {figures:?}");
}

#[test]
fn a_hoarder_keeps_others_waiting_until_the_master_takes_its_offers_back() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/apps-hoarder.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let fewer = text.replace("jobs = 1000", "jobs = 300");
    let timeout = format!("{fewer}\n[master]\noffer_timeout = \"30 s\"\n");
    let [without, with] = [fewer, timeout].map(|text| {
        let prepared = prepared(&text);
        let outcome = simulate(&prepared, prepared.cells()[0]);
        let waiting = outcome.metrics.summary(Span::from_secs(10)).waiting.mean.unwrap();
        (waiting, figures(&outcome, 1)["held_cpu_seconds"])
    });
    assert!(
        with.0 < without.0 / 2.0,
        "mean waiting time {} s with a timeout, {} s without",
        with.0,
        without.0
    );
}

/// All ranks of a job at once, or none: never more than fit, never a part.
#[test]
fn ranks_of_a_gang_start_together() {
    let prepared = experiment("apps-gang.toml");
    let outcome = simulate(&prepared, prepared.cells()[0]);
    let jobs = outcome.metrics.jobs();
    for row in jobs.all().iter().filter(|row| row.framework == 1) {
        let first = jobs.tasks(1).iter().filter(|task| std::ptr::eq(&jobs.all()[task.job as usize], row));
        let starts: Vec<Time> = first.filter_map(|task| task.starting_time()).collect();
        assert_eq!(starts.len(), row.tasks as usize);
        let spread = starts.iter().max().unwrap().since(*starts.iter().min().unwrap());
        assert!(spread < Span::from_millis(10), "ranks of {row:?} start {spread:?} apart");
    }
}
