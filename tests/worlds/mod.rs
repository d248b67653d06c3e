//! Worlds built by hand, without an experiment file: what tests of the whole path need to say, and nothing else.

use std::sync::atomic::{AtomicBool, Ordering};

use mesos::{
    agent::AgentOptions,
    allocator::AllocatorOptions,
    call::FrameworkInfo,
    capability::Capabilities,
    master::MasterOptions,
    resource::{ResourceQuantities, Scalar},
    time::{Span, Time},
};
use mesosim::{
    cluster::{Cluster, Topology},
    engine::random::Seed,
    framework::{
        Framework,
        batch::{BatchFramework, BatchPolicy},
    },
    policy::{self, Response, order::ORDERS, placement::PLACEMENTS},
    record::Observer,
    workload::JobSource,
    world::{Ending, FrameworkSetup, NetworkOptions, Setup, World},
};

/// Machines of one shape: how many, cpus, MiB, GPUs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape(pub(crate) usize, pub(crate) i64, pub(crate) i64, pub(crate) usize);

/// A cluster of these shapes.
pub(crate) fn cluster(shapes: &[Shape]) -> Cluster {
    let topology = Topology { agents_per_rack: 32, racks_per_zone: 10 };
    let mut cluster = Cluster::new();
    for &Shape(count, cpus, mem, gpus) in shapes {
        let scalars =
            ResourceQuantities::new([Scalar::whole(cpus), Scalar::whole(mem), Scalar::ZERO, Scalar::ZERO]);
        for _ in 0..count {
            let name = format!("m{}", cluster.machines().len());
            cluster
                .add(name, scalars.clone(), gpus, None, vec![], topology)
                .expect("machines without models");
        }
    }
    cluster
}

/// What a batch framework does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) order: &'static str,
    pub(crate) placement: &'static str,
    pub(crate) response: Response,
    pub(crate) refuse_seconds: f64,
    pub(crate) backfill: bool,
}

/// A batch framework. `place` tells its random choices from those of others.
pub(crate) fn batch(rules: Rules, seed: Seed, place: u64) -> BatchFramework {
    let known = "a name of the registry";
    let policy = BatchPolicy {
        order: (policy::find(ORDERS, rules.order).expect(known).build)(),
        placement: (policy::find(PLACEMENTS, rules.placement).expect(known).build)(),
        response: rules.response,
        refuse_seconds: rules.refuse_seconds,
        backfill: rules.backfill,
        retries: 0,
    };
    BatchFramework::new(policy, seed, place)
}

/// A framework with a role of its own and weight 1.
pub(crate) fn framework(
    role: &str,
    scheduler: impl Framework + 'static,
    jobs: impl JobSource + Send + 'static,
) -> FrameworkSetup {
    let capabilities = Capabilities::MULTI_ROLE.and(Capabilities::GPU_RESOURCES);
    let info = FrameworkInfo {
        name: role.into(),
        roles: vec![role.into()],
        capabilities,
        ..FrameworkInfo::default()
    };
    FrameworkSetup { info, weight: 1.0, scheduler: Box::new(scheduler), jobs: Box::new(jobs) }
}

/// Times of a world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) allocation_interval: Span,
    pub(crate) latency: Span,
    pub(crate) jitter: Span,
    pub(crate) registration_backoff: Span,
    pub(crate) offer_timeout: Option<Span>,
    pub(crate) until: Option<Time>,
}

/// Mesos' interval on a fast network.
pub(crate) const USUAL: Times = Times {
    allocation_interval: Span::from_secs(1),
    latency: Span(500_000),
    jitter: Span::ZERO,
    registration_backoff: Span::from_secs(1),
    offer_timeout: None,
    until: None,
};

/// Far more than any world here needs.
const MOST_EVENTS: u64 = 3_000_000;

/// Runs a world and hands the observer back, with how and when the run ended.
pub(crate) fn run<O: Observer>(
    cluster: &Cluster,
    times: Times,
    frameworks: Vec<FrameworkSetup>,
    seed: Seed,
    observer: O,
) -> (O, Ending, Time) {
    let allocator =
        AllocatorOptions { allocation_interval: times.allocation_interval, ..AllocatorOptions::default() };
    let agent =
        AgentOptions { registration_backoff_factor: times.registration_backoff, ..AgentOptions::default() };
    let setup = Setup {
        patience: Span::from_secs(86_400),
        master: MasterOptions { allocator, offer_timeout: times.offer_timeout, ..MasterOptions::default() },
        agent,
        network: NetworkOptions { latency: times.latency, jitter: times.jitter },
        ..Setup::new(cluster, frameworks, seed)
    };
    let mut world = World::new(setup, observer);
    let stop = AtomicBool::new(false);
    let ending = world.run(times.until, &stop, &mut |progress| {
        stop.store(progress.events > MOST_EVENTS, Ordering::Relaxed);
    });
    assert_ne!(ending, Ending::Interrupted, "{MOST_EVENTS} events, and no end in sight");
    if ending == Ending::Quiet {
        world.assert_books_balance();
    }
    let end = times.until.filter(|_| ending == Ending::TimeIsUp).unwrap_or(world.progress().now);
    (world.into_observer(), ending, end)
}
