//! What an experiment file can say, as types: the tables, their keys and their defaults.
//!
//! The comments here are the descriptions in the JSON schema. What no type can express (one of two keys, unique
//! names, positive numbers) is in [`super::check`].

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::kinds,
    agent::{Agent, Image, Profile},
    default,
    fault::Fault,
    generator::Generator,
    units::{Duration, Size},
};

/// An experiment: a cluster, a workload and frameworks, simulated under each policy with each seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Names the directory of results. Lower-case letters, digits, `-` and `_`.
    #[schemars(regex(pattern = "^[a-z0-9_-]+$"))]
    pub name: String,
    /// What it shows, in one line.
    #[serde(default)]
    pub about: String,
    /// One run of each policy per seed: whole numbers, each once.
    #[serde(default = "default::seeds")]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub seeds: Vec<u64>,
    /// Stops each run at this simulated time. Jobs that are not over by then are counted as such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Duration>,
    /// The machines.
    pub cluster: Cluster,
    /// How long messages take.
    #[serde(default)]
    pub network: Network,
    /// The Mesos master.
    #[serde(default)]
    pub master: Master,
    /// The Mesos agents.
    #[serde(default)]
    pub agent: Agent,
    /// The jobs. Needed unless all frameworks bring their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
    /// What tasks are made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image: Vec<Image>,
    /// What synthetic tasks do beside running.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profile: Vec<Profile>,
    /// Who runs the jobs. Default: one framework `batch` in the role `*`.
    #[serde(default = "default::frameworks")]
    #[schemars(length(min = 1))]
    pub framework: Vec<Framework>,
    /// What goes wrong, in every run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<Fault>,
    /// What is compared: the runs are policies times seeds.
    #[schemars(length(min = 1))]
    pub policy: Vec<Policy>,
    /// How results are measured.
    #[serde(default)]
    pub measure: Measure,
}

/// The machines: exactly one of `trace` and `agents`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["trace"] }, { "required": ["agents"] }]))]
pub struct Cluster {
    /// A list of machines in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceFile>,
    /// Keeps every n-th machine of the trace.
    #[serde(default = "default::one")]
    #[schemars(range(min = 1))]
    pub every: u32,
    /// Groups of equal machines, instead of a trace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub agents: Vec<AgentGroup>,
    /// Machines fill racks in order.
    #[serde(default = "default::agents_per_rack")]
    #[schemars(range(min = 1))]
    pub agents_per_rack: u32,
    /// Racks fill zones in order.
    #[serde(default = "default::racks_per_zone")]
    #[schemars(range(min = 1))]
    pub racks_per_zone: u32,
}

/// A real trace, of any format that `mesosim list formats` names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceFile {
    /// The file, or the directory with the files, relative to the experiment file.
    pub path: PathBuf,
    /// Its format. Default: recognised from its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// What becomes of rows that are wrong.
    #[serde(default, skip_serializing_if = "Rejected::is_error")]
    pub rejected: Rejected,
    /// What machines have, or tasks ask for, where the trace does not say.
    #[serde(default, skip_serializing_if = "Missing::is_empty")]
    pub missing: Missing,
    /// The machine that amounts are relative to, in traces that have relative ones.
    #[serde(default, skip_serializing_if = "Largest::is_default")]
    pub largest: Largest,
}

/// What becomes of rows of a trace that are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rejected {
    /// The experiment is not run.
    #[default]
    Error,
    /// They are left out.
    Skip,
}

/// What machines have, or tasks ask for, where the trace does not say.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Missing {
    /// CPUs. Default: tasks ask for none; machines must have some.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub cpus: Option<f64>,
    /// Memory. Default: tasks ask for none; machines must have some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mem: Option<Size>,
    /// Disk. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<Size>,
    /// GPUs. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub gpus: Option<f64>,
    /// How long a task runs. Default: one that was not over when the trace ended runs until then, and one of which nothing is
    /// known is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Duration>,
}

/// The machine that amounts of a trace are relative to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Largest {
    /// CPUs.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub cpus: f64,
    /// Memory.
    pub mem: Size,
    /// Disk.
    pub disk: Size,
}

impl Default for Largest {
    fn default() -> Self {
        Self { cpus: 64.0, mem: Size(256 << 30), disk: Size(4 << 40) }
    }
}

impl Largest {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Missing {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Rejected {
    const fn is_error(&self) -> bool {
        matches!(self, Self::Error)
    }
}

impl TraceFile {
    /// A trace about which there is nothing to say but where it is.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        let (rejected, missing, largest) = (Rejected::default(), Missing::default(), Largest::default());
        Self { path, format: None, rejected, missing, largest }
    }
}

/// Machines of one shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentGroup {
    /// How many.
    #[schemars(range(min = 1))]
    pub count: u32,
    /// CPUs of each; Mesos counts in thousandths.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub cpus: f64,
    /// Memory of each.
    pub mem: Size,
    /// Disk of each.
    #[serde(default)]
    pub disk: Size,
    /// GPU devices of each.
    #[serde(default)]
    #[schemars(range(max = 16))]
    pub gpus: u32,
    /// Model of the GPUs, which jobs may ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_model: Option<String>,
    /// Mesos' agent attributes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// How long messages take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// One way.
    pub latency: Duration,
    /// Added to each message, drawn evenly from 0 to this. Messages on one link keep their order.
    pub jitter: Duration,
}

/// The Mesos master: its flags, by Mesos' names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Master {
    /// Between two rounds of the allocator.
    pub allocation_interval: Duration,
    /// The least that is worth an offer, in the text of Mesos' flag: `|` is or, `;` is and; memory in MiB.
    pub min_allocatable_resources: String,
    /// Keeps agents with GPUs from frameworks that lack the capability `GPU_RESOURCES`.
    pub filter_gpu_resources: bool,
    /// Takes offers back that lie unanswered for so long. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer_timeout: Option<Duration>,
    /// Between two pings of an agent.
    pub agent_ping_timeout: Duration,
    /// After so many pings without an answer an agent is unreachable.
    #[schemars(range(min = 1))]
    pub max_agent_ping_timeouts: u32,
    /// For how long agents may be away after a failover of the master, or when their connection broke.
    pub agent_reregister_timeout: Duration,
    /// At least so long lies between two agents that are marked unreachable (Mesos' `agent_removal_rate_limit` of one agent
    /// in this time). Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_removal_interval: Option<Duration>,
    /// How long it takes to store a change of the registry.
    pub registry_store_delay: Duration,
    /// How long it takes until another master leads when one has died.
    pub election: Duration,
    /// In which order the allocator visits the agents.
    pub visit_order: VisitOrder,
    /// Resources that do not count for dominant shares.
    #[schemars(extend("uniqueItems" = true))]
    pub fair_sharing_excluded_resource_names: Vec<ResourceName>,
}

/// In which order the allocator visits the agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VisitOrder {
    /// A new order in each round, drawn from the seed, as Mesos does.
    #[default]
    Shuffled,
    /// In the order in which they registered.
    Ascending,
}

/// A resource that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResourceName {
    /// Processors.
    Cpus,
    /// Memory.
    Mem,
    /// Disk.
    Disk,
    /// GPU devices.
    Gpus,
}

/// The jobs: exactly one of `trace`, `poisson` and `generator`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["trace"] }, { "required": ["poisson"] }, { "required": ["generator"] }]))]
pub struct Workload {
    /// Jobs from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceFile>,
    /// A synthetic open queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poisson: Option<Poisson>,
    /// Synthetic jobs in the likeness of a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<Generator>,
    /// Submission times are divided by this; run times stay. Above 1 the load grows.
    #[serde(default = "default::compress")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub compress: f64,
    /// Keeps only the first jobs by submission, so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub first: Option<u64>,
    /// What becomes of tasks that the traced scheduler never started.
    #[serde(default)]
    pub unscheduled: Unscheduled,
}

/// What becomes of tasks that the traced scheduler never started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unscheduled {
    /// They run for as long as they lay in the traced queue: deletion minus creation.
    #[default]
    Lifetime,
    /// They are left out.
    Skip,
}

/// Jobs that arrive one by one, independent of each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poisson {
    /// How many.
    #[schemars(range(min = 1))]
    pub jobs: u64,
    /// Mean time between two arrivals, exponentially distributed.
    pub interarrival: Duration,
    /// Mean run time of a task.
    pub duration: Duration,
    /// How run times are distributed.
    #[serde(default)]
    pub duration_distribution: DurationDistribution,
    /// Tasks of each job.
    #[serde(default = "default::one")]
    #[schemars(range(min = 1))]
    pub tasks_per_job: u32,
    /// CPUs of a task, drawn evenly from this list.
    #[serde(default = "default::task_cpus")]
    #[schemars(length(min = 1))]
    pub cpus: Vec<f64>,
    /// Memory of a task, drawn evenly from this list.
    #[serde(default = "default::task_mem")]
    #[schemars(length(min = 1))]
    pub mem: Vec<Size>,
    /// GPUs of a task, drawn evenly from this list: whole devices, or a share below 1 of one device.
    #[serde(default = "default::task_gpus")]
    #[schemars(length(min = 1))]
    pub gpus: Vec<f64>,
    /// Disk of a task, drawn evenly from this list.
    #[serde(default = "default::task_disk")]
    #[schemars(length(min = 1))]
    pub disk: Vec<Size>,
}

/// How run times are distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DurationDistribution {
    /// Many short, few long.
    #[default]
    Exponential,
    /// All the same.
    Constant,
}

/// A framework: it is offered resources and runs jobs on them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// Its name, which no other framework has.
    pub name: String,
    /// What it does with offers and jobs; `mesosim list` names the kinds.
    #[serde(default = "default::kind")]
    pub kind: String,
    /// Its role, which may be nested (`a/b`). Roles of one level share what the role above them gets.
    #[serde(default = "default::role")]
    pub role: String,
    /// Weight of the role among those of its level; frameworks of one role give the same.
    #[serde(default = "default::weight")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub weight: f64,
    /// Takes the jobs of a trace that have all these labels: `class`, `user`, `group`, `application`, `priority` (openb jobs have
    /// one, `class`, also called `qos`). Without it: the jobs that nobody else takes. Generated jobs have the label `class`;
    /// those of `poisson` have none, and where no framework has a `select`, synthetic jobs go each to one of the frameworks
    /// at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<BTreeMap<String, String>>,
    /// Mesos' framework capabilities.
    #[serde(default = "default::capabilities")]
    pub capabilities: Vec<String>,
    /// For how long its tasks run on while it is away.
    #[serde(default = "default::failover_timeout")]
    pub failover_timeout: Duration,
    /// Whether its tasks outlive a restart of the agent's process.
    #[serde(default = "default::checkpoint")]
    pub checkpoint: bool,
    /// How often a task that failed by itself is tried again. One that was lost, killed or dropped always is.
    #[serde(default = "default::retries")]
    pub retries: u32,
    /// How it answers offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<kinds::AnswerTable>,
    /// Parameters of the kind `gang`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gang: Option<kinds::gang::Gang>,
    /// Parameters of the kind `hoarder`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hoarder: Option<kinds::hoarder::Hoarder>,
    /// Parameters of the kind `mapreduce`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapreduce: Option<kinds::mapreduce::MapReduce>,
}

impl Experiment {
    /// The synthetic workload, if that is what there is.
    #[must_use]
    pub fn poisson(&self) -> Option<&Poisson> {
        self.workload.as_ref().and_then(|workload| workload.poisson.as_ref())
    }

    /// The generator of jobs, if that is what there is.
    #[must_use]
    pub fn generator(&self) -> Option<&Generator> {
        self.workload.as_ref().and_then(|workload| workload.generator.as_ref())
    }
}

impl Framework {
    /// Whether it takes jobs of `[workload]`; otherwise it brings its own.
    #[must_use]
    pub fn takes_workload(&self) -> bool {
        kinds::table(self).is_none_or(|table| table.takes_workload())
    }
}

/// A policy: what decides in one column of the comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name, which no other policy has. Part of the name of a directory: letters, digits, `-`, `_`, `.`.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]*$"))]
    pub name: String,
    /// How the allocator sorts roles and frameworks; `mesosim list` names them.
    #[serde(default = "default::sorter")]
    pub sorter: String,
    /// In which order a framework's queue is served; `mesosim list` names them.
    #[serde(default = "default::order")]
    pub order: String,
    /// On which offered agent a task goes; `mesosim list` names them.
    #[serde(default = "default::placement")]
    pub placement: String,
    /// What a framework does with offers that it does not use; `mesosim list` names them.
    #[serde(default = "default::response")]
    pub response: String,
    /// The filter that is asked for with each decline: the agent is not offered again for so long.
    #[serde(default = "default::refuse_seconds")]
    pub refuse_seconds: Duration,
    /// Whether jobs behind one that does not fit may start.
    #[serde(default = "default::backfill")]
    pub backfill: bool,
}

/// How results are measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Measure {
    /// Of bounded slowdown: jobs shorter than this count as if they took so long.
    pub tau: Duration,
    /// Rows of the timeline, at most.
    #[schemars(range(min = 16, max = 65536))]
    pub timeline_bins: u32,
}

impl ResourceName {
    /// Mesos' name of it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpus => "cpus",
            Self::Mem => "mem",
            Self::Disk => "disk",
            Self::Gpus => "gpus",
        }
    }
}
