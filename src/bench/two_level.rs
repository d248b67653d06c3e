//! A [workload](super::fcfs) through the whole two-level path: offers, accepts, launches, status updates and their
//! acknowledgements, one message at a time over a network, all watched by the record hash and the metrics.
//!
//! One framework runs all tasks, first come, first served, best fit. It keeps offers until a task comes that fits (the
//! *hold* response): with nobody to share the cluster with, declining would only ask for the same offers again.

use std::sync::atomic::AtomicBool;

use mesos::{
    call::FrameworkInfo,
    capability::Capabilities,
    resource::{ResourceQuantities, Scalar},
    time::Span,
};

use super::fcfs::{MACHINE_CPUS, MACHINE_MEM, Workload};
use crate::{
    cluster::{Cluster, Topology},
    engine::random::Seed,
    framework::batch::{BatchFramework, BatchPolicy},
    metric::{RunMetrics, Summary},
    policy::{Response, order::ORDERS, placement::PLACEMENTS},
    record::RecordHash,
    world::{Ending, FrameworkSetup, Setup, World},
};

/// What came out.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Waiting times and counts.
    pub summary: Summary,
    /// Events delivered.
    pub events: u64,
    /// Records seen.
    pub records: u64,
    /// Hash over all records.
    pub hash: u64,
}

/// Runs a workload to its end.
#[must_use]
pub fn run(workload: &Workload) -> Answer {
    let cluster = cluster(workload.machines);
    let observer = (RecordHash::default(), RunMetrics::new(1, 512, &[]));
    let mut world = World::new(setup(&cluster, workload), observer);
    let ending = world.run(None, &AtomicBool::new(false), &mut |_| {});
    assert_eq!((ending, world.waiting_tasks()), (Ending::Quiet, 0), "all tasks run to their end");
    world.assert_books_balance();
    let progress = world.progress();
    let (hash, mut metrics) = world.into_observer();
    metrics.finish(progress.now);
    let summary = metrics.summary(Span::from_secs(10));
    Answer { summary, events: progress.events, records: hash.records(), hash: hash.value() }
}

fn cluster(machines: u32) -> Cluster {
    let topology = Topology { agents_per_rack: 32, racks_per_zone: 10 };
    let amounts = [Scalar::whole(MACHINE_CPUS), Scalar::whole(MACHINE_MEM), Scalar::ZERO, Scalar::ZERO];
    let mut cluster = Cluster::new();
    for number in 0..machines {
        let added =
            cluster.add(format!("m{number}"), ResourceQuantities::new(amounts), 0, None, vec![], topology);
        added.expect("machines without GPUs");
    }
    cluster
}

fn setup<'a>(cluster: &'a Cluster, workload: &Workload) -> Setup<'a> {
    let policy = BatchPolicy {
        order: (ORDERS[0].build)(),
        placement: (PLACEMENTS.iter().find(|entry| entry.name == "best-fit").expect("best fit").build)(),
        response: Response::Hold,
        refuse_seconds: 0.0,
        backfill: false,
        retries: 0,
    };
    let seed = Seed(workload.seed);
    let info = FrameworkInfo {
        name: "batch".into(),
        roles: vec!["*".into()],
        capabilities: Capabilities::MULTI_ROLE.and(Capabilities::PARTITION_AWARE),
        ..FrameworkInfo::default()
    };
    let scheduler = Box::new(BatchFramework::new(policy, seed, 0));
    let frameworks = vec![FrameworkSetup { info, weight: 1.0, scheduler, jobs: Box::new(workload.tasks()) }];
    Setup::new(cluster, frameworks, seed)
}
