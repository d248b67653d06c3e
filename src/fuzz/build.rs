//! From a case to a world: machines, frameworks with their jobs, flags.

use mesos::{
    allocator::{AllocatorOptions, SorterKind},
    call::FrameworkInfo,
    capability::Capabilities,
    id::Id,
    master::{MasterOptions, RemovalRate},
    resource::{ResourceQuantities, Scalar, parse_alternatives},
    time::{Span, Time},
};

use super::{
    case::{Case, Plain},
    dice::Dice,
    trouble,
};
use crate::{
    check::Facts,
    cluster::{Cluster, Topology},
    container::HostOptions,
    fault::Schedule,
    framework::batch::{BatchFramework, BatchPolicy},
    policy::{RESPONSES, Response, order::ORDERS, placement::PLACEMENTS},
    workload::{Demand, GpuDemand, Job, JobId, JobName, ModelSet, TaskSpec},
    world::{FrameworkSetup, NetworkOptions, Setup},
};

/// Which part of a case is drawn.
#[derive(Clone, Copy)]
enum Part {
    Cluster = 1,
    Network = 2,
    Master = 3,
    Host = 4,
    Framework = 1 << 8,
    Jobs = 2 << 8,
}

impl Case {
    fn dice(&self, part: Part, number: usize) -> Dice {
        Dice::new(self.seed, part as u64 + number as u64)
    }

    pub(super) fn cluster(&self) -> Cluster {
        let mut dice = self.dice(Part::Cluster, 0);
        let per_rack = dice.one_of(&[1, 2, 4, 16]);
        let topology = Topology { agents_per_rack: per_rack, racks_per_zone: dice.one_of(&[1, 2, 10]) };
        let shape = |dice: &mut Dice| {
            let (cpus, gib) = (dice.one_of(&[1, 4, 16, 64]), dice.one_of(&[1, 4, 16, 256]));
            (cpus, gib * 1024, dice.one_of(&[0, 0, 1, 4, 8]), dice.one_of(&[None, Some("V100"), Some("T4")]))
        };
        let shapes = [shape(&mut dice), shape(&mut dice), shape(&mut dice)];
        let mut cluster = Cluster::new();
        for number in 0..self.agents {
            let (cpus, mem, gpus, model) = dice.one_of(&shapes);
            let gpus = if self.is_plain(Plain::Gpus) { 0 } else { gpus };
            let disk = Scalar::whole(10 * mem);
            let scalars =
                ResourceQuantities::new([Scalar::whole(cpus), Scalar::whole(mem), disk, Scalar::ZERO]);
            let model = model.filter(|_| gpus > 0);
            let added = cluster.add(format!("m{number}"), scalars, gpus, model, vec![], topology);
            added.expect("there are two models");
        }
        cluster
    }

    pub(super) fn network(&self) -> NetworkOptions {
        let mut dice = self.dice(Part::Network, 0);
        let latency = dice.span(Span(10_000), Span::from_millis(200));
        let jitter =
            if dice.chance(0.5) { Span::ZERO } else { dice.span(Span(10_000), Span::from_millis(500)) };
        NetworkOptions {
            latency: if self.is_plain(Plain::Latency) { Span(500_000) } else { latency },
            jitter: if self.is_plain(Plain::Jitter) { Span::ZERO } else { jitter },
        }
    }

    pub(super) fn facts(&self) -> Facts {
        let NetworkOptions { latency, jitter } = self.network();
        let allocation_interval = self.master().allocator.allocation_interval;
        Facts { allocation_interval, slowest: Span(latency.0 + jitter.0) }
    }

    fn master(&self) -> MasterOptions {
        if self.is_plain(Plain::Flags) {
            return MasterOptions::default();
        }
        let mut dice = self.dice(Part::Master, 0);
        let secs = Span::from_secs;
        let alternatives = dice.one_of(&["cpus:0.01|mem:32", "cpus:1", "mem:512|cpus:0.5", "cpus:0.01"]);
        let sorter =
            if dice.chance(0.3) { SorterKind::Random { seed: self.seed.0 } } else { SorterKind::Drf };
        MasterOptions {
            allocator: AllocatorOptions {
                allocation_interval: dice.one_of(&[
                    secs(1),
                    Span::from_millis(100),
                    Span::from_millis(1500),
                    secs(10),
                ]),
                min_allocatable_resources: parse_alternatives(alternatives).expect("constants"),
                filter_gpu_resources: dice.chance(0.7),
                sorter,
                ..AllocatorOptions::default()
            },
            offer_timeout: dice.chance(0.4).then(|| dice.span(secs(1), secs(600))),
            agent_ping_timeout: dice.one_of(&[secs(15), secs(1), secs(30)]),
            max_agent_ping_timeouts: dice.one_of(&[5, 1, 2]),
            agent_reregister_timeout: dice.one_of(&[secs(600), secs(600), secs(900)]),
            agent_removal_rate_limit: dice
                .chance(0.3)
                .then(|| RemovalRate { agents: 1, per: dice.span(secs(1), secs(60)) }),
            ..MasterOptions::default()
        }
    }

    fn framework(&self, place: usize, cluster: &Cluster) -> FrameworkSetup {
        let mut dice = self.dice(Part::Framework, place);
        let role = dice.one_of(&["a", "b", "b/c", "b/d/e", "f", "own"]);
        let role =
            if role == "own" || self.is_plain(Plain::Roles) { format!("own-{place}") } else { role.into() };
        let mut capabilities = Capabilities::NONE;
        for (capability, probability) in [
            (Capabilities::MULTI_ROLE, 0.8),
            (Capabilities::PARTITION_AWARE, 0.6),
            (Capabilities::GPU_RESOURCES, 0.7),
            (Capabilities::TASK_KILLING_STATE, 0.5),
        ] {
            if dice.chance(probability) || self.is_plain(Plain::Capabilities) {
                capabilities = capabilities.and(capability);
            }
        }
        let multi = capabilities.has(Capabilities::MULTI_ROLE);
        let week = 7.0 * 86_400.0;
        let info = FrameworkInfo {
            name: format!("f{place}"),
            role: (!multi).then(|| role.clone()),
            roles: if multi { vec![role] } else { Vec::new() },
            capabilities,
            failover_timeout: dice.one_of(&[0.0, 1.0, 60.0, 600.0, week]),
            checkpoint: dice.chance(0.7),
            ..FrameworkInfo::default()
        };
        let policy = self.policy(&mut dice);
        let weight = dice.one_of(&[1.0, 1.0, 2.0, 0.5, 10.0]);
        let scheduler = Box::new(BatchFramework::new(policy, self.seed, place as u64));
        FrameworkSetup { info, weight, scheduler, jobs: Box::new(self.jobs(place, cluster).into_iter()) }
    }

    fn policy(&self, dice: &mut Dice) -> BatchPolicy {
        let order = dice.whole(0, ORDERS.len() as u64 - 1) as usize;
        let placement = dice.whole(0, PLACEMENTS.len() as u64 - 1) as usize;
        let response = (RESPONSES[dice.whole(0, RESPONSES.len() as u64 - 1) as usize].build)();
        let (refuse_seconds, backfill) = (dice.one_of(&[0.0, 1.0, 5.0, 60.0, 3600.0]), dice.chance(0.7));
        let retries = dice.one_of(&[0, 1, 3]);
        let plain = self.is_plain(Plain::Policies);
        BatchPolicy {
            order: (ORDERS[if plain { 0 } else { order }].build)(),
            placement: (PLACEMENTS[if plain { 0 } else { placement }].build)(),
            response: if plain { Response::Decline } else { response },
            refuse_seconds: if self.is_plain(Plain::Filters) { 5.0 } else { refuse_seconds },
            backfill: plain || backfill,
            retries,
        }
    }

    /// Arrive in the first two thirds of the time in which things go wrong.
    fn jobs(&self, place: usize, cluster: &Cluster) -> Vec<Job> {
        let mut cluster = cluster.clone();
        let models = ["V100", "T4"].map(|model| cluster.intern_model(model).expect("two models"));
        let mut dice = self.dice(Part::Jobs, place);
        let longest = dice.one_of(&[Span::from_secs(1), Span::from_secs(60), Span::from_secs(7200)]);
        let jobs = (0..self.jobs[place]).map(|number| {
            let submission = dice.time(Span(self.horizon.0 * 2 / 3));
            let tasks = dice.whole(1, self.tasks_per_job);
            let spec = TaskSpec {
                demand: self.demand(&mut dice, models),
                runtime: dice.span(Span::from_millis(1), longest),
                profile: 0,
            };
            let tasks = (0..tasks).map(|_| spec).collect();
            let name = JobName::Numbered(number as u64);
            Job { id: JobId::new(number), name, class: "".into(), submission, tasks, detail: None }
        });
        let mut jobs: Vec<Job> = jobs.collect();
        jobs.sort_by_key(|job| job.submission);
        jobs
    }

    fn demand(&self, dice: &mut Dice, models: [ModelSet; 2]) -> Demand {
        let cpus = dice.one_of(&[100, 500, 1000, 4000, 16_000]);
        let mem = Scalar::whole(dice.one_of(&[0, 32, 512, 4096, 60_000]));
        let disk = Scalar::whole(dice.one_of(&[0, 0, 0, 100]));
        let gpus = match dice.whole(0, 9) {
            0 => GpuDemand::Whole(dice.one_of(&[1, 2, 4])),
            1 => GpuDemand::Share(dice.one_of(&[100, 333, 500, 999])),
            _ => GpuDemand::None,
        };
        let gpus = if self.is_plain(Plain::Gpus) { GpuDemand::None } else { gpus };
        let wanted =
            if gpus != GpuDemand::None && dice.chance(0.2) { dice.one_of(&models) } else { ModelSet::ANY };
        Demand { cpus: Scalar(cpus), mem, disk, gpus, models: wanted, revocable: false }
    }

    pub(super) fn setup<'a>(&self, cluster: &'a Cluster) -> Setup<'a> {
        let mut dice = self.dice(Part::Host, 0);
        let frameworks = (0..self.jobs.len()).map(|place| self.framework(place, cluster)).collect();
        let startup_delay = dice.one_of(&[Span::ZERO, Span::from_millis(300), Span::from_secs(20)]);
        let store_delay = dice.one_of(&[Span::ZERO, Span::from_millis(5), Span::from_secs(2)]);
        let pick = |plain, drawn| if self.is_plain(plain) { Span::ZERO } else { drawn };
        let specs = self.faults.iter().map(|&number| trouble::fault(self, number, cluster));
        let faults = Schedule::new(specs, self.seed);
        let calls = self.calls.iter().map(|&number| trouble::call(self, number, cluster));
        Setup {
            master: self.master(),
            host: HostOptions {
                startup_delay: pick(Plain::StartupDelay, startup_delay),
                ..HostOptions::default()
            },
            shuffled: dice.chance(0.7) && !self.is_plain(Plain::Shuffle),
            network: self.network(),
            registry_store_delay: pick(Plain::StoreDelay, store_delay),
            election: dice.span(Span::from_millis(10), Span::from_secs(60)),
            faults: Some(faults),
            operator: calls.collect::<Vec<(Time, _)>>(),
            patience: Span::from_secs(3 * 3600),
            ..Setup::new(cluster, frameworks, self.seed)
        }
    }
}
