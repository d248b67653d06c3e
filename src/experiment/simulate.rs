//! One cell of an experiment: one policy with one seed, from the first registration to the end.

use std::sync::atomic::AtomicBool;

use mesos::{
    allocator::{Allocator, AllocatorOptions, SorterKind},
    call::FrameworkInfo,
    master::MasterOptions,
    resource::ResourceName,
    task::TaskState,
    time::{Span, Time},
};

use super::{
    config::{self, VisitOrder},
    prepare::Prepared,
};
use crate::{
    engine::random::Seed,
    framework::batch::{BatchFramework, BatchPolicy},
    metric::{Gauge, Kind, RunMetrics},
    policy::{self, order::ORDERS, placement::PLACEMENTS},
    record::{Observer, RecordHash},
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

/// The longest delay before an agent's first registration (`--registration_backoff_factor`).
const REGISTRATION_BACKOFF: Span = Span::from_secs(1);

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
        let setup = Setup {
            cluster: &self.cluster,
            master: self.master_options(cell),
            shuffled: self.experiment.master.visit_order == VisitOrder::Shuffled,
            network: NetworkOptions {
                latency: self.experiment.network.latency.0,
                jitter: self.experiment.network.jitter.0,
            },
            registration_backoff: REGISTRATION_BACKOFF,
            frameworks,
            patience: self.patience(cell),
            seed,
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
        let (hash, mut metrics) = world.into_observer();
        metrics.finish(end);
        figures.extend(self.measured_figures(&metrics, end));
        let mut outcome = Outcome { metrics, hash, ending, end, progress, figures };
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
        }
    }

    fn excluded(&self) -> Vec<ResourceName> {
        let names = &self.experiment.master.fair_sharing_excluded_resource_names;
        names.iter().filter_map(|name| ResourceName::parse(name.as_str())).collect()
    }

    fn framework(&self, cell: Cell, place: usize) -> FrameworkSetup {
        let framework = &self.experiment.framework[place];
        let seed = Seed(cell.seed);
        let scheduler =
            BatchFramework::new(batch_policy(&self.experiment.policy[cell.policy]), seed, place as u64);
        FrameworkSetup {
            info: FrameworkInfo {
                name: framework.name.clone(),
                roles: vec![framework.role.clone()],
                capabilities: self.capabilities[place],
            },
            weight: framework.weight,
            scheduler: Box::new(scheduler),
            jobs: self.jobs(place, seed),
        }
    }

    /// What only the master knows.
    fn master_figures<O: Observer>(&self, world: &World<'_, O>, now: Time) -> Vec<Figure> {
        let allocator = world.master().allocator();
        let mut figures = vec![
            counter("allocator/mesos/allocation_runs", allocator.allocation_runs(now)),
            counter("master/outstanding_offers", world.master().outstanding_offers() as u64),
        ];
        let mut roles: Vec<&str> =
            self.experiment.framework.iter().map(|framework| framework.role.as_str()).collect();
        roles.sort_unstable();
        roles.dedup();
        for name in roles {
            let role =
                world.master().roles().get(name).expect("the weight of each role was given at the start");
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
        figures
    }
}

fn batch_policy(policy: &config::Policy) -> BatchPolicy {
    BatchPolicy {
        order: (known(ORDERS, &policy.order).build)(),
        placement: (known(PLACEMENTS, &policy.placement).build)(),
        response: (known(policy::RESPONSES, &policy.response).build)(),
        refuse_seconds: policy.refuse_seconds.0.as_secs_f64(),
        backfill: policy.backfill,
    }
}

fn known<T>(registry: &'static [policy::Entry<T>], name: &str) -> &'static policy::Entry<T> {
    policy::find(registry, name)
        .unwrap_or_else(|| panic!("`{name}` was checked against the registry when it was loaded"))
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
