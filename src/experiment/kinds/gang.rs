//! `[framework.gang]`.

use mesos::id::Id;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arrivals, DemandTable, Scene, Table};
use crate::{
    engine::random::Stream,
    experiment::{
        config::{Check, Duration, Law},
        faults::law,
    },
    framework::{self, gang},
    workload::{Job, JobId, JobName, TaskSpec},
};

/// A framework of rigid jobs (MPI, Torque): all ranks of a job start at once, and one that is lost ends it.
///
/// It takes the jobs of `[workload]`, each task a rank, unless it has `jobs` of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gang {
    /// Its own jobs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<GangJobs>,
    /// Whether offers are collected for the first job; otherwise they are declined until there is room for all at once.
    pub hold: bool,
    /// So long after it began to collect offers, a job gives all back: two that wait for each other would do so for ever.
    pub hold_timeout: Duration,
    /// Whether jobs behind one that finds no room may start before it.
    pub backfill: bool,
}

/// Jobs of one shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GangJobs {
    /// When they arrive.
    pub arrivals: Arrivals,
    /// Ranks of each.
    #[schemars(range(min = 1))]
    pub ranks: u32,
    /// What a rank asks for. Default: one CPU and 1 GiB.
    #[serde(default)]
    pub rank: DemandTable,
    /// How long a job runs: all of its ranks equally long.
    pub duration: Law,
}

impl Default for Gang {
    fn default() -> Self {
        let hold_timeout = Duration(mesos::time::Span::from_secs(300));
        Self { jobs: Vec::new(), hold: true, hold_timeout, backfill: false }
    }
}

/// More ranks than any machine room has cores.
const MOST_RANKS: u64 = 1_000_000;

impl Table for Gang {
    fn check(&self, path: &str, check: &mut Check<'_>) {
        check.longer_than_zero(&format!("{path}.hold_timeout"), self.hold_timeout);
        for (index, jobs) in self.jobs.iter().enumerate() {
            let path = |key: &str| format!("{path}.jobs[{index}].{key}");
            jobs.arrivals.check(&path("arrivals"), check);
            check.at_least_one(&path("ranks"), jobs.ranks.into());
            check.no_more_than(&path("ranks"), jobs.ranks.into(), MOST_RANKS, "ranks");
            jobs.rank.check(&path("rank"), check);
            check.law(&path("duration"), &jobs.duration);
        }
    }

    fn takes_workload(&self) -> bool {
        self.jobs.is_empty()
    }

    fn jobs(&self, scene: &Scene<'_>) -> Vec<Job> {
        self.jobs.iter().enumerate().flat_map(|(group, jobs)| jobs.list(group, scene)).collect()
    }

    fn scheduler(&self, scene: &Scene<'_>) -> Box<dyn framework::Framework> {
        let (hold, backfill, retries) = (self.hold, self.backfill, scene.retries);
        let hold_timeout = Some(self.hold_timeout.0);
        scene.drive(gang::Gangs::new(gang::Options { hold, hold_timeout, backfill, retries }))
    }
}

impl GangJobs {
    fn list(&self, group: usize, scene: &Scene<'_>) -> Vec<Job> {
        let (seed, demand) = (scene.seed_of(group), self.rank.demand(scene.cluster));
        let job = |(number, submission)| {
            let runtime = law(self.duration).draw(&mut seed.of(Stream::Runtime, number));
            let rank = TaskSpec { demand, runtime, profile: 0 };
            Job {
                id: JobId::new(0),
                name: JobName::Named(format!("{group}-{number}").into()),
                class: "".into(),
                submission,
                tasks: std::iter::repeat_n(rank, self.ranks as usize).collect(),
                detail: None,
            }
        };
        (0..).zip(self.arrivals.times(seed)).map(job).collect()
    }
}
