//! `[framework.mapreduce]`.

use mesos::{
    id::Id,
    time::{Span, Time},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arrivals, DemandTable, Scene, Table, speculation::Speculation};
use crate::{
    experiment::{
        config::{Check, Duration, Law, Size},
        faults::law,
    },
    framework::{
        self,
        locality::Delay,
        mapreduce::{MapReduces, Options, Order, Stragglers},
    },
    workload::{Job, JobDetail, JobId, JobName, detail::MapReduce as Inside},
};

/// A Hadoop MapReduce framework: each map and each reduce is a Mesos task of the size of a slot.
///
/// It takes the jobs of `[workload]` (those with MapReduce data, such as SWIM's, as such; others as maps without reduces),
/// unless it has `jobs` of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MapReduce {
    /// Its own jobs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<MapReduceJobs>,
    /// Which job goes first.
    pub order: JobOrder,
    /// What a map or a reduce asks for.
    pub slot: DemandTable,
    /// So many machines have each block (`dfs.replication`).
    #[schemars(range(min = 1))]
    pub replication: u32,
    /// Read and written in a second from and to local disks.
    pub disk_rate: Size,
    /// Copied in a second by a reduce.
    pub network_rate: Size,
    /// For how long a job waits for a place on a machine with the data of its next map (delay scheduling).
    pub node_wait: Duration,
    /// For how long it then waits for a place in a rack with them.
    pub rack_wait: Duration,
    /// The same as a number of offers passed up, instead of `node_wait` and `rack_wait`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_skips: Option<u32>,
    /// Then so many more for a place in a rack with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rack_skips: Option<u32>,
    /// How many times as long a map takes whose block is in its rack but not on its machine.
    #[schemars(range(min = 1))]
    pub rack_slowdown: f64,
    /// How many times as long a map takes whose block is elsewhere.
    #[schemars(range(min = 1))]
    pub remote_slowdown: f64,
    /// Reduces start when this share of the maps is done (`mapred.reduce.slowstart.completed.maps`).
    #[schemars(range(min = 0, max = 1))]
    pub slowstart: f64,
    /// How run times vary: a law with the mean `"1 s"`, by which all are multiplied. Default: not at all.
    pub variation: Law,
    /// The share of attempts that are slow for no reason of their own.
    #[schemars(range(min = 0, max = 1))]
    pub straggler_share: f64,
    /// How many times as long those take.
    #[schemars(range(min = 1))]
    pub straggler_slowdown: f64,
    /// When slow tasks get a second copy. Default: never.
    pub speculation: Speculation,
    /// So many attempts at a task may fail by themselves before its job does (`mapred.map.max.attempts`).
    #[schemars(range(min = 1))]
    pub max_attempts: u32,
    /// So many slots are in use at once, at most. Default: as many as are offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_slots: Option<u32>,
}

/// Which job goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobOrder {
    /// The one with the fewest running tasks.
    #[default]
    Fair,
    /// The oldest.
    Fifo,
}

/// Jobs of one shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MapReduceJobs {
    /// What they are called in tables. Default: nothing.
    #[serde(default)]
    pub class: String,
    /// When they arrive.
    pub arrivals: Arrivals,
    /// Maps of each.
    pub maps: u32,
    /// Reduces of each. Default: none.
    #[serde(default)]
    pub reduces: u32,
    /// How long a map computes next to its block. Default: as long as it takes to read `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map_time: Option<Duration>,
    /// How long a reduce computes when it has copied all. Default: as long as it takes to read `shuffle` and write `output`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduce_time: Option<Duration>,
    /// Read by all maps together.
    #[serde(default)]
    pub input: Size,
    /// Copied from all maps to all reduces.
    #[serde(default)]
    pub shuffle: Size,
    /// Written by all reduces together.
    #[serde(default)]
    pub output: Size,
}

impl Default for MapReduce {
    fn default() -> Self {
        Self {
            jobs: Vec::new(),
            order: JobOrder::Fair,
            slot: DemandTable::default(),
            replication: 3,
            disk_rate: Size(64 << 20),
            network_rate: Size(32 << 20),
            node_wait: Duration(Span::from_secs(5)),
            rack_wait: Duration(Span::from_secs(5)),
            node_skips: None,
            rack_skips: None,
            rack_slowdown: 1.2,
            remote_slowdown: 1.5,
            slowstart: 0.05,
            variation: Law::constant(Duration(Span::from_secs(1))),
            straggler_share: 0.0,
            straggler_slowdown: 5.0,
            speculation: Speculation::default(),
            max_attempts: 4,
            max_slots: None,
        }
    }
}

/// More tasks than a job has anywhere.
const MOST_TASKS: u64 = 1_000_000;

impl Table for MapReduce {
    fn check(&self, path: &str, check: &mut Check<'_>) {
        let key = |key: &str| format!("{path}.{key}");
        self.slot.check(&key("slot"), check);
        check.at_least_one(&key("replication"), self.replication.into());
        for (name, rate) in [("disk_rate", self.disk_rate), ("network_rate", self.network_rate)] {
            check.at_least_one(&key(name), rate.0);
        }
        for (name, factor) in [
            ("rack_slowdown", self.rack_slowdown),
            ("remote_slowdown", self.remote_slowdown),
            ("straggler_slowdown", self.straggler_slowdown),
        ] {
            check.within(&key(name), factor, (1.0, 1e6));
        }
        check.within(&key("slowstart"), self.slowstart, (0.0, 1.0));
        check.within(&key("straggler_share"), self.straggler_share, (0.0, 1.0));
        check.law(&key("variation"), &self.variation);
        if self.variation.mean.0 != Span::from_secs(1) {
            let message = "run times are multiplied by `variation`, so its mean must be one second";
            check.wrong(&key("variation"), message, "another mean", "write `mean = \"1 s\"`");
        }
        check.at_least_one(&key("max_attempts"), self.max_attempts.into());
        if let Some(most) = self.max_slots {
            check.at_least_one(&key("max_slots"), most.into());
        }
        for (index, jobs) in self.jobs.iter().enumerate() {
            jobs.check(&key(&format!("jobs[{index}]")), check);
        }
    }

    fn takes_workload(&self) -> bool {
        self.jobs.is_empty()
    }

    fn jobs(&self, scene: &Scene<'_>) -> Vec<Job> {
        self.jobs.iter().enumerate().flat_map(|(group, jobs)| jobs.list(group, scene)).collect()
    }

    fn scheduler(&self, scene: &Scene<'_>) -> Box<dyn framework::Framework> {
        let delay = match (self.node_skips, self.rack_skips) {
            (None, None) => Delay::Time { node: self.node_wait.0, rack: self.rack_wait.0 },
            (node, rack) => Delay::Skips { node: node.unwrap_or(0), rack: rack.unwrap_or(0) },
        };
        let stragglers = Stragglers { share: self.straggler_share, slowdown: self.straggler_slowdown };
        let options = Options {
            order: match self.order {
                JobOrder::Fair => Order::Fair,
                JobOrder::Fifo => Order::Fifo,
            },
            slot: self.slot.demand(scene.cluster),
            replication: self.replication,
            disk_rate: self.disk_rate.0 as f64,
            network_rate: self.network_rate.0 as f64,
            delay,
            rack_slowdown: self.rack_slowdown,
            remote_slowdown: self.remote_slowdown,
            slowstart: self.slowstart,
            variation: law(self.variation),
            stragglers: (self.straggler_share > 0.0).then_some(stragglers),
            speculation: self.speculation.rule(),
            speculation_interval: Span::from_secs(1),
            most_failures: self.max_attempts,
            most_slots: self.max_slots,
        };
        scene.drive(MapReduces::new(options, scene.seed, scene.place as u64))
    }
}

impl MapReduceJobs {
    fn check(&self, path: &str, check: &mut Check<'_>) {
        let key = |key: &str| format!("{path}.{key}");
        self.arrivals.check(&key("arrivals"), check);
        check.at_least_one(&key("maps"), self.maps.into());
        check.no_more_than(&key("maps"), self.maps.into(), MOST_TASKS, "maps");
        check.no_more_than(&key("reduces"), self.reduces.into(), MOST_TASKS, "reduces");
        for (name, time) in [("map_time", self.map_time), ("reduce_time", self.reduce_time)] {
            if let Some(time) = time {
                check.longer_than_zero(&key(name), time);
            }
        }
        if self.map_time.is_none() && self.input.0 == 0 {
            let message = "maps have neither `map_time` nor `input`, so how long they take is not known";
            check.wrong(&key("maps"), message, "of these jobs", "give one of them");
        }
    }

    fn list(&self, group: usize, scene: &Scene<'_>) -> Vec<Job> {
        let inside = JobDetail::MapReduce(Inside {
            maps: self.maps,
            reduces: self.reduces,
            input: self.input.0,
            shuffle: self.shuffle.0,
            output: self.output.0,
            map_runtime: self.map_time.map(|time| time.0),
            reduce_runtime: self.reduce_time.map(|time| time.0),
            demand: None,
        });
        let inside = std::sync::Arc::new(inside);
        let job = |(number, submission): (usize, Time)| Job {
            id: JobId::new(0),
            name: JobName::Named(format!("{group}-{number}").into()),
            class: self.class.as_str().into(),
            submission,
            tasks: smallvec::SmallVec::new(),
            detail: Some(inside.clone()),
        };
        self.arrivals.times(scene.seed_of(group)).into_iter().enumerate().map(job).collect()
    }
}
