//! One cell of an experiment: one policy with one seed, from the first registration to the end.

use std::sync::atomic::AtomicBool;

use mesos::{
    allocator::{Allocator, AllocatorOptions, SorterKind},
    call::FrameworkInfo,
    capability::Capabilities,
    id::Id,
    master::{MasterOptions, RemovalRate},
    resource::ResourceName,
    task::TaskState,
    time::{Span, Time},
};

use super::{
    config::{self, VisitOrder, known},
    containers, kinds,
    prepare::Prepared,
};
use crate::{
    engine::random::Seed,
    fault::CauseId,
    framework::{
        self, Answer,
        batch::{BatchFramework, BatchPolicy},
    },
    metric::{Gauge, Kind, RunMetrics, Taken, Vain},
    policy::{self, order::ORDERS, placement::PLACEMENTS},
    record::{Cause, Observer, RecordHash},
    workload::Job,
    world::{Ending, FrameworkSetup, NetworkOptions, Progress, Setup, World},
};

/// One run of an experiment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    /// Place of the policy in the experiment file.
    pub policy: usize,
    /// The seed.
    pub seed: u64,
}

/// What came out of a run.
#[derive(Debug)]
pub struct Outcome {
    /// Its measures.
    pub metrics: RunMetrics,
    /// The hash of its records.
    pub hash: RecordHash,
    /// How it ended.
    pub ending: Ending,
    /// When it ended, in simulated time: at the last event, or at the end that the experiment sets.
    pub end: Time,
    /// How far it got.
    pub progress: Progress,
    /// The master's figures at the end, by Mesos' names.
    pub figures: Vec<Figure>,
    /// What each framework measured of itself.
    pub applications: Vec<Vec<framework::Figure>>,
}

/// One of Mesos' metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its name.
    pub metric: String,
    /// At the end of the run.
    pub last: f64,
    /// Time-weighted mean and maximum; a counter has none.
    pub mean_and_max: Option<(f64, f64)>,
}

impl Prepared {
    /// All cells: policies in the order of the file, each with every seed.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        let seeds = &self.experiment.seeds;
        let policies = 0..self.experiment.policy.len();
        policies.flat_map(|policy| seeds.iter().map(move |&seed| Cell { policy, seed })).collect()
    }

    /// Builds the world of a cell.
    pub fn world<O: Observer>(&self, cell: Cell, observer: O) -> World<'_, O> {
        let seed = Seed(cell.seed);
        let frameworks =
            (0..self.experiment.framework.len()).map(|place| self.framework(cell, place)).collect();
        let master = &self.experiment.master;
        let setup = Setup {
            master: self.master_options(cell),
            shuffled: master.visit_order == VisitOrder::Shuffled,
            network: NetworkOptions {
                latency: self.experiment.network.latency.0,
                jitter: self.experiment.network.jitter.0,
            },
            registry_store_delay: master.registry_store_delay.0,
            election: master.election.0,
            faults: (!self.experiment.fault.is_empty()).then(|| self.faults(cell)),
            patience: self.patience(cell),
            agent: containers::agent_options(&self.experiment.agent),
            host: containers::host_options(&self.experiment.agent),
            images: self.containers.images.clone(),
            profiles: self.containers.profiles.clone(),
            oversubscription: containers::oversubscription(&self.experiment.agent),
            ..Setup::new(&self.cluster, frameworks, seed)
        };
        World::new(setup, observer)
    }

    /// Runs a cell and measures it.
    pub fn simulate(&self, cell: Cell, stop: &AtomicBool, progress: &mut dyn FnMut(Progress)) -> Outcome {
        let bins = self.experiment.measure.timeline_bins as usize;
        let metrics = RunMetrics::new(self.experiment.framework.len(), bins, &self.excluded());
        let observer = (RecordHash::default(), metrics);
        let mut world = self.world(cell, observer);
        let until = self.experiment.until.map(|until| Time(until.0.0));
        let ending = world.run(until, stop, progress);
        world.assert_books_balance();
        let progress = world.progress();
        let end = until.filter(|_| ending == Ending::TimeIsUp).unwrap_or(progress.now);
        let mut figures = self.master_figures(&world, end);
        let applications =
            (0..self.experiment.framework.len()).map(|place| world.figures(end, place)).collect();
        let (hash, mut metrics) = world.into_observer();
        metrics.finish(end);
        figures.extend(self.measured_figures(&metrics, end));
        let mut outcome = Outcome { metrics, hash, ending, end, progress, figures, applications };
        outcome.figures.sort_by(|a, b| a.metric.cmp(&b.metric));
        outcome
    }

    /// Longer than anything that keeps resources from being offered again.
    fn patience(&self, cell: Cell) -> Span {
        let filter = self.experiment.policy[cell.policy].refuse_seconds.0.min(Span::from_secs(365 * 86_400));
        let timeout = self.experiment.master.offer_timeout.map_or(Span::ZERO, |timeout| timeout.0);
        let longest =
            filter.max(timeout).max(self.experiment.master.allocation_interval.0).max(Span::from_secs(60));
        Span(longest.0 * 3)
    }

    fn master_options(&self, cell: Cell) -> MasterOptions {
        let master = &self.experiment.master;
        let sorter = match (known(policy::SORTERS, &self.experiment.policy[cell.policy].sorter).build)() {
            policy::Sorter::Drf => SorterKind::Drf,
            policy::Sorter::Random => SorterKind::Random { seed: cell.seed },
        };
        MasterOptions {
            allocator: AllocatorOptions {
                allocation_interval: master.allocation_interval.0,
                min_allocatable_resources: self.min_allocatable.clone(),
                filter_gpu_resources: master.filter_gpu_resources,
                fair_sharing_excluded: self.excluded().iter().map(ToString::to_string).collect(),
                sorter,
                ..AllocatorOptions::default()
            },
            offer_timeout: master.offer_timeout.map(|timeout| timeout.0),
            agent_ping_timeout: master.agent_ping_timeout.0,
            max_agent_ping_timeouts: master.max_agent_ping_timeouts,
            agent_reregister_timeout: master.agent_reregister_timeout.0,
            agent_removal_rate_limit: master
                .agent_removal_interval
                .map(|per| RemovalRate { agents: 1, per: per.0 }),
            ..MasterOptions::default()
        }
    }

    fn excluded(&self) -> Vec<ResourceName> {
        let names = &self.experiment.master.fair_sharing_excluded_resource_names;
        names.iter().filter_map(|name| ResourceName::parse(name.as_str())).collect()
    }

    fn framework(&self, cell: Cell, place: usize) -> FrameworkSetup {
        let framework = &self.experiment.framework[place];
        let (seed, policy) = (Seed(cell.seed), &self.experiment.policy[cell.policy]);
        let scheduler = match kinds::table(framework) {
            Some(table) => table.scheduler(&self.scene(place, seed, policy)),
            None => {
                let answer = answer(framework, policy);
                let policy = batch_policy(policy, answer, framework.retries);
                let details = self.containers.details.clone();
                Box::new(BatchFramework::new(policy, seed, place as u64).with_details(details))
            }
        };
        FrameworkSetup {
            info: self.framework_info(place),
            weight: framework.weight,
            scheduler,
            jobs: self.jobs(place, seed),
        }
    }

    /// What there is when a framework is made.
    fn scene(&self, place: usize, seed: Seed, policy: &config::Policy) -> kinds::Scene<'_> {
        let framework = &self.experiment.framework[place];
        let (answer, retries) = (answer(framework, policy), framework.retries);
        let details = &self.containers.details;
        kinds::Scene { place, seed, cluster: &self.cluster, answer, retries, details }
    }

    /// The jobs that a framework brings, in order of arrival; `None` if it takes those of the workload.
    pub(super) fn own_jobs(&self, place: usize, seed: Seed) -> Option<Vec<Job>> {
        let framework = &self.experiment.framework[place];
        let table = kinds::table(framework).filter(|table| !table.takes_workload())?;
        let policy = self.experiment.policy.first()?; // jobs depend on no policy
        Some(kinds::in_order(table.jobs(&self.scene(place, seed, policy))))
    }

    /// What was worth the while, what was in vain, and how long the master took to recover.
    fn work_figures(&self, metrics: &RunMetrics) -> Vec<Figure> {
        let work = metrics.work();
        let mut figures = Vec::new();
        let mut taken = |prefix: &str, taken: &Taken| {
            for (name, value) in [
                ("attempts", taken.attempts as f64),
                ("cpu_seconds", taken.cpu_seconds),
                ("gpu_seconds", taken.gpu_seconds),
                ("mem_seconds", taken.mem_seconds),
            ] {
                figures.push(Figure { metric: format!("{prefix}/{name}"), last: value, mean_and_max: None });
            }
        };
        taken("mesosim/goodput", work.goodput());
        for (why, wasted) in work.wasted() {
            taken(&format!("mesosim/wasted_work/{}", self.cause_name(*why)), wasted);
        }
        if work.failovers() > 0 {
            figures.push(counter("mesosim/master_failovers", work.failovers()));
        }
        if let Some(seconds) = work.mean_time_to_recovery() {
            let metric = "mesosim/mean_time_to_recovery".into();
            figures.push(Figure { metric, last: seconds, mean_and_max: None });
        }
        figures
    }

    /// How result files name the reason why work was in vain: a builtin one, or the fault.
    pub(super) fn cause_name(&self, why: Vain) -> String {
        match why {
            Vain::Repeated => "repeated".into(),
            Vain::Ended(Cause::Done) => "done".into(),
            Vain::Ended(Cause::Failure) => "failure".into(),
            Vain::Ended(Cause::MemoryLimit) => "memory-limit".into(),
            Vain::Ended(Cause::Preemption) => "preemption".into(),
            Vain::Ended(Cause::Kill) => "kill".into(),
            Vain::Ended(Cause::Fault(cause)) => self.fault_name(cause),
        }
    }

    /// A fault's place in the file, from 0, and its kind.
    pub(super) fn fault_name(&self, cause: CauseId) -> String {
        format!("fault-{}-{}", cause.index(), self.faults[cause.index()].entry().name)
    }

    fn framework_info(&self, place: usize) -> FrameworkInfo {
        let framework = &self.experiment.framework[place];
        let capabilities = self.capabilities[place];
        let (role, roles) = if capabilities.has(Capabilities::MULTI_ROLE) {
            (None, vec![framework.role.clone()])
        } else {
            (Some(framework.role.clone()), Vec::new())
        };
        FrameworkInfo {
            name: framework.name.clone(),
            role,
            roles,
            capabilities,
            failover_timeout: framework.failover_timeout.0.as_secs_f64(),
            checkpoint: framework.checkpoint,
            ..FrameworkInfo::default()
        }
    }

    /// What only the master knows.
    fn master_figures<O: Observer>(&self, world: &World<'_, O>, now: Time) -> Vec<Figure> {
        let Some(master) = world.master() else { return Vec::new() };
        let allocator = master.allocator();
        let mut figures = vec![
            counter("allocator/mesos/allocation_runs", allocator.allocation_runs(now)),
            counter("master/outstanding_offers", master.outstanding_offers() as u64),
        ];
        let mut roles: Vec<&str> =
            self.experiment.framework.iter().map(|framework| framework.role.as_str()).collect();
        roles.sort_unstable();
        roles.dedup();
        for name in roles {
            let role = master.roles().get(name).expect("the weight of each role was given at the start");
            let filters = allocator.filters_in_force(role, now) as u64;
            figures.push(counter(&format!("allocator/mesos/offer_filters/roles/{name}/active"), filters));
        }
        figures
    }

    fn measured_figures(&self, metrics: &RunMetrics, now: Time) -> Vec<Figure> {
        let seconds = now.as_secs_f64();
        let timeline = metrics.timeline();
        let mut figures = Vec::new();
        for name in [ResourceName::Cpus, ResourceName::Mem, ResourceName::Disk, ResourceName::Gpus] {
            let total = timeline.total().get(name).as_f64();
            let resources = format!("allocator/mesos/resources/{name}");
            figures.push(Figure { metric: format!("{resources}/total"), last: total, mean_and_max: None });
            let held = timeline.offered_or_allocated(name);
            figures.push(gauge(format!("{resources}/offered_or_allocated"), held, seconds, 1.0));
            let used = timeline.cluster(Kind::Allocated, name);
            figures.push(gauge(format!("master/{name}_used"), used, seconds, 1.0));
        }
        for (place, framework) in self.experiment.framework.iter().enumerate() {
            let offers = metrics.offers(place);
            let prefix = format!("master/frameworks/{}/offers", framework.name);
            figures.push(counter(&format!("{prefix}/sent"), offers.sent));
            figures.push(counter(&format!("{prefix}/accepted"), offers.accepted));
            figures.push(counter(&format!("{prefix}/declined"), offers.declined));
            figures.push(counter(&format!("{prefix}/rescinded"), offers.rescinded));
            let metric = format!("allocator/mesos/roles/{}/shares/dominant", framework.role);
            if let Some(role) = metrics.role(place)
                && !figures.iter().any(|figure| figure.metric == metric)
            {
                figures.push(gauge(metric, timeline.dominant_share(role), seconds, framework.weight));
            }
        }
        for state in TaskState::ALL.into_iter().filter(|state| state.is_terminal()) {
            let name = state.as_str().trim_start_matches("TASK_").to_lowercase();
            figures.push(counter(&format!("master/tasks_{name}"), metrics.entered(state)));
        }
        figures.push(counter("mesosim/tasks_launched", metrics.launched()));
        figures.extend(self.work_figures(metrics));
        figures
    }
}

/// How a framework answers offers: as the policy says, unless its kind or its own table says otherwise.
fn answer(framework: &config::Framework, policy: &config::Policy) -> Answer {
    let of_policy = Answer {
        response: (known(policy::RESPONSES, &policy.response).build)(),
        refuse_seconds: policy.refuse_seconds.0.as_secs_f64(),
        ..Answer::default()
    };
    let usual = kinds::table(framework).map_or(of_policy, |table| table.usual_answer(of_policy));
    framework.answer.as_ref().map_or(usual, |own| own.over(usual))
}

fn batch_policy(policy: &config::Policy, answer: Answer, retries: u32) -> BatchPolicy {
    BatchPolicy {
        order: (known(ORDERS, &policy.order).build)(),
        placement: (known(PLACEMENTS, &policy.placement).build)(),
        response: answer.response,
        refuse_seconds: answer.refuse_seconds,
        backfill: policy.backfill,
        retries,
    }
}

fn counter(metric: &str, value: u64) -> Figure {
    Figure { metric: metric.into(), last: value as f64, mean_and_max: None }
}

/// Divides by `weight`, as Mesos' shares are.
fn gauge(metric: String, gauge: Gauge, seconds: f64, weight: f64) -> Figure {
    let mean = if seconds > 0.0 { gauge.integral / seconds } else { 0.0 };
    Figure { metric, last: gauge.last / weight, mean_and_max: Some((mean / weight, gauge.max / weight)) }
}

/// The cell as a path: `policy=<name>/seed=<n>`.
#[must_use]
pub fn cell_path(prepared: &Prepared, cell: Cell) -> std::path::PathBuf {
    let policy = &prepared.experiment.policy[cell.policy].name;
    std::path::PathBuf::from(format!("policy={policy}")).join(format!("seed={}", cell.seed))
}
