//! What a job is made of beside its list of tasks: for applications that decide themselves which tasks to run, and when.
//!
//! A framework reads the form that it understands and runs any other job as the tasks that it lists.

use mesos::{resource::Scalar, time::Span};

use super::Demand;

/// The inside of a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JobDetail {
    /// A graph of stages (Spark, Alibaba 2018, Decima, WfCommons).
    Stages(Box<[Stage]>),
    /// Maps, a shuffle, reduces (Hadoop, SWIM).
    MapReduce(MapReduce),
    /// The training of a model (Gavel, Philly, Helios, Pollux).
    Training(Training),
    /// Replicas that run until somebody ends them.
    Service(Service),
}

/// Tasks of one kind that may run when all parents are done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stage {
    /// Its name; may be empty.
    pub name: Box<str>,
    /// How many tasks.
    pub tasks: u32,
    /// What each asks for.
    pub demand: Demand,
    /// How long each runs, or the mean.
    pub runtime: Span,
    /// How long each task runs, if that differs; otherwise empty.
    pub runtimes: Box<[Span]>,
    /// Places of the stages before it.
    pub parents: Box<[u32]>,
    /// Bytes that all its tasks together read from storage.
    pub input: u64,
    /// Bytes that all its tasks together leave for later stages.
    pub output: u64,
}

/// A MapReduce job. Bytes are sums over all its tasks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MapReduce {
    /// How many maps.
    pub maps: u32,
    /// How many reduces.
    pub reduces: u32,
    /// Bytes that maps read.
    pub input: u64,
    /// Bytes that go from maps to reduces.
    pub shuffle: u64,
    /// Bytes that reduces write.
    pub output: u64,
    /// How long a map computes; `None`: as long as its bytes take.
    pub map_runtime: Option<Span>,
    /// Likewise a reduce, after the shuffle.
    pub reduce_runtime: Option<Span>,
    /// What a map or a reduce asks for; `None`: what its framework gives to a slot.
    pub demand: Option<Demand>,
}

/// The training of a model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Training {
    /// The model and what else decides its speed, as tables of throughputs name it (Gavel: `ResNet-18 (batch size 64)`).
    pub model: Box<str>,
    /// Steps (mini-batches) until it is done.
    pub steps: u64,
    /// How many workers it asks for (Gavel's scale factor).
    pub workers: u32,
    /// The fewest with which it can go on.
    pub min_workers: u32,
    /// The most of which it can make use.
    pub max_workers: u32,
    /// What each worker asks for.
    pub demand: Demand,
    /// Its weight among others, in thousandths.
    pub weight: Scalar,
    /// By when it is to be done, counted from its submission.
    pub deadline: Option<Span>,
}

/// Replicas that run until somebody ends them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    /// How many at the beginning.
    pub replicas: u32,
    /// What each asks for.
    pub demand: Demand,
    /// After which time all are ended; `None`: never.
    pub lifetime: Option<Span>,
}

impl JobDetail {
    /// What its tasks ask for: each must fit some machine, or the job can never run.
    pub fn demands(&self) -> impl Iterator<Item = &Demand> {
        let (stages, one) = match self {
            Self::Stages(stages) => (&stages[..], None),
            Self::MapReduce(job) => (&[][..], job.demand.as_ref()),
            Self::Training(job) => (&[][..], Some(&job.demand)),
            Self::Service(job) => (&[][..], Some(&job.demand)),
        };
        stages.iter().map(|stage| &stage.demand).chain(one)
    }
}
