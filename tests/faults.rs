//! What the experiments about faults show, on smaller clusters: the death of the master loses no task, and a zone takes with
//! it what ran in it and nothing else.

use std::{collections::BTreeMap, path::Path, sync::atomic::AtomicBool};

use mesos::{
    effects::Note,
    id::{AgentId, FrameworkId, Id, TaskId},
    resource::ResourceName,
    task::TaskKey,
    time::{Span, Time},
};
use mesosim::{
    container::oversubscription::{CONTROLLER_NAMES, ESTIMATOR_NAMES},
    experiment::{
        config::{self, Vocabulary},
        prepare::Prepared,
        simulate::{Cell, Outcome},
    },
    fault::{Action, CauseId},
    metric::{Event, Vain},
    policy::{ORDER_NAMES, PLACEMENT_NAMES, RESPONSE_NAMES, SORTER_NAMES},
    record::{Cause, Observer, Record},
};

fn prepared(file: &str, settings: &[&str]) -> Prepared {
    let vocabulary = Vocabulary {
        sorters: SORTER_NAMES,
        orders: ORDER_NAMES,
        placements: PLACEMENT_NAMES,
        kinds: mesosim::framework::KIND_NAMES,
        responses: RESPONSE_NAMES,
        estimators: ESTIMATOR_NAMES,
        controllers: CONTROLLER_NAMES,
        trace_formats: &["openb"],
        capabilities: &mesos::capability::Capabilities::names(),
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments").join(file);
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    Prepared::new(&config::load(&path, &settings, &vocabulary).unwrap()).unwrap()
}

fn simulate(prepared: &Prepared, cell: Cell) -> Outcome {
    prepared.simulate(cell, &AtomicBool::new(false), &mut |_| {})
}

/// A tenth of the experiment: 100 agents, about 1,000 tasks when the master dies.
#[test]
fn the_death_of_the_master_loses_no_task_and_the_next_knows_everybody_within_a_second_of_its_election() {
    let tenth = [
        "cluster.agents.0.count=100",
        "workload.poisson.jobs=400",
        "workload.poisson.interarrival=3300 ms",
        "seeds=[1]",
    ];
    let prepared = prepared("master-failover.toml", &tenth);
    for cell in prepared.cells() {
        let outcome = simulate(&prepared, cell);
        let (metrics, work) = (&outcome.metrics, outcome.metrics.work());
        let width = metrics.timeline().width().as_secs_f64();
        let bin = (20.0 * 60.0 / width) as usize;
        let running = metrics.timeline().bins(None).nth(bin).unwrap().1.tasks_running();
        assert!(running > 800.0, "{running} tasks run when the master dies");
        assert_eq!((work.wasted().len(), work.goodput().attempts), (0, 4000), "{work:?}");
        assert!(metrics.jobs().all().iter().all(|job| job.attempts == 10));
        assert_eq!(metrics.summary(Span::from_secs(10)).finished, 400);

        let [(_, after)] = work.recoveries() else { panic!("{:?}", work.recoveries()) };
        let [election, backoff] = [10, 1].map(Span::from_secs); // and then four messages
        assert!(*after > election && *after < election + backoff + Span::from_millis(50), "{after:?}");
        let [failover] = metrics.failovers() else { panic!("{:?}", metrics.failovers()) };
        let known: Vec<_> = failover.points().copied().collect();
        assert_eq!((failover.before.agents, failover.before.frameworks), (100, 2));
        assert_eq!((known[0].agents, known[known.len() - 1].agents), (0, 100));
        assert!(known[1].since > election && known[known.len() - 1].since <= *after, "{known:?}");
        let events: Vec<_> = metrics.incidents().all().iter().map(|incident| &incident.event).collect();
        let [Event::Fault { .. }, Event::MasterFailed, Event::MasterElected, Event::MasterRecovered { .. }] =
            events[..]
        else {
            panic!("{events:?}")
        };
    }
}

/// Keeps a book of its own of what runs where, and adds up what is under way on machines when they die.
#[derive(Default)]
struct Toll {
    cpus: BTreeMap<(FrameworkId, TaskId), f64>,
    machine_of: BTreeMap<AgentId, usize>,
    running: BTreeMap<(FrameworkId, TaskId), (usize, Time)>,
    attempts: u64,
    cpu_seconds: f64,
    died: Vec<usize>,
}

const fn parts(key: TaskKey) -> (FrameworkId, TaskId) {
    (key.framework, key.task)
}

impl Toll {
    fn died(&mut self, now: Time, machine: usize) {
        self.died.push(machine);
        for (key, (at, since)) in &self.running {
            if *at == machine {
                self.attempts += 1;
                self.cpu_seconds += self.cpus[key] * now.since(*since).as_secs_f64();
            }
        }
    }
}

impl Observer for Toll {
    fn observe(&mut self, now: Time, record: &Record<'_>) {
        match record {
            Record::AgentRegistered { agent, machine, .. } => {
                self.machine_of.insert(*agent, machine.index());
            }
            Record::Master(Note::Launched { key, task, .. }) => {
                self.cpus.insert(parts(*key), task.resources.get(ResourceName::Cpus).as_f64());
            }
            Record::TaskStarted { key, agent } => {
                self.running.insert(parts(*key), (self.machine_of[agent], now));
            }
            Record::TaskEnded { key, .. } => {
                self.running.remove(&parts(*key));
            }
            Record::Fault { action: Action::AgentCrash { machine }, .. } => self.died(now, machine.index()),
            Record::Fault { .. }
            | Record::Master(_)
            | Record::FrameworkSubscribed { .. }
            | Record::TaskRetried { .. }
            | Record::TaskAdded { .. }
            | Record::TaskStopped { .. }
            | Record::JobEnded { .. }
            | Record::MasterFailed
            | Record::MasterElected
            | Record::MasterRecovered { .. }
            | Record::JobSubmitted { .. } => {}
        }
    }
}

/// A fifth of the experiment: three zones of 20 machines.
#[test]
fn a_zone_outage_wastes_the_work_of_the_tasks_that_ran_in_that_zone_and_no_other() {
    let fifth = [
        "cluster.agents.0.count=60",
        "cluster.agents_per_rack=4",
        "workload.poisson.jobs=1800",
        "workload.poisson.interarrival=4 s",
        "seeds=[1]",
    ];
    let prepared = prepared("zone-outage.toml", &fifth);
    let outage = Vain::Ended(Cause::Fault(CauseId::new(0)));
    for cell in prepared.cells() {
        let outcome = simulate(&prepared, cell);
        let mut world = prepared.world(cell, Toll::default());
        world.run(None, &AtomicBool::new(false), &mut |_| {});
        let toll = world.into_observer();
        assert_eq!(toll.died, (20..40).collect::<Vec<_>>(), "the machines of zone z1");
        assert!(toll.attempts > 20, "{} attempts were under way in the zone", toll.attempts);

        let work = outcome.metrics.work();
        assert_eq!(work.wasted().keys().collect::<Vec<_>>(), [&outage], "nothing else is in vain");
        let wasted = work.wasted()[&outage];
        assert_eq!(wasted.attempts, toll.attempts);
        assert!(
            (wasted.cpu_seconds - toll.cpu_seconds).abs() < 1e-6 * toll.cpu_seconds,
            "{wasted:?} {}",
            toll.cpu_seconds
        );
        assert_eq!(
            (work.goodput().attempts, outcome.metrics.summary(Span::from_secs(10)).finished),
            (1800, 1800)
        );
    }
}
