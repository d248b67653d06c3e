//! `[workload.generator]`: jobs in the likeness of a trace.

use std::{fmt, marker::PhantomData, path::PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{
        self, IntoDeserializer,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use super::{
    default,
    units::{Duration, Size},
};

/// Jobs that are drawn: when they arrive, and what they are. At least one of `jobs` and `until` says how many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [{ "required": ["jobs"] }, { "required": ["until"] }]))]
pub struct Generator {
    /// How many, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub jobs: Option<u64>,
    /// Until when they arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Duration>,
    /// When they arrive.
    pub arrivals: Arrivals,
    /// What they are: jobs of one class or more.
    #[schemars(length(min = 1))]
    pub class: Vec<JobClass>,
}

/// When jobs arrive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// Mean time between two arrivals, over all hours of a cycle and all states of a bursty process.
    pub interarrival: Duration,
    /// How arrivals follow each other.
    #[serde(default)]
    pub process: Process,
    /// Of times between arrivals that are `weibull` or `gamma`: below 1 they vary more than those of a Poisson process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.05, max = 100))]
    pub shape: Option<f64>,
    /// Of times between arrivals that are `lognormal`: the standard deviation of the logarithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10))]
    pub sigma: Option<f64>,
    /// Of a `bursty` process: two or more, which follow each other at random.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<BurstState>,
    /// How the rate rises and falls. The rates of several cycles are multiplied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cycle: Vec<Cycle>,
}

/// How arrivals follow each other while their rate is constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Process {
    /// Independently of each other.
    #[default]
    Poisson,
    /// As regular as a clock.
    Constant,
    /// With independent times between them that are Weibull distributed, with a `shape`.
    Weibull,
    /// With independent times between them that are gamma distributed, with a `shape`.
    Gamma,
    /// With independent times between them that are lognormal, with a `sigma`.
    Lognormal,
    /// As a Poisson process whose rate jumps between `states`.
    Bursty,
}

/// A state of a bursty process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BurstState {
    /// The rate of arrivals in it, compared with that in the other states.
    #[schemars(range(min = 0))]
    pub rate: f64,
    /// Mean time in it, exponentially distributed.
    pub lasts: Duration,
}

/// A rate that comes again and again: `weights` of equal steps (in the file or, with `path`, in another), or a sinusoid with
/// an `amplitude`. Its first period begins with the simulation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["weights"] }, { "required": ["path"] }, { "required": ["amplitude"] }]))]
pub struct Cycle {
    /// How long it takes: `"1 day"`, `"7 days"`; for the shape of a trace, as long as the trace.
    pub period: Duration,
    /// Rates in equal steps that fill the period, compared with each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<f64>,
    /// A CSV file with the weights, relative to the experiment file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The column of that file; may be left out if it has only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Of a sinusoid: by which fraction of its mean the rate rises and falls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub amplitude: Option<f64>,
    /// When a sinusoid is highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<Duration>,
}

/// Jobs of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobClass {
    /// Its name, which frameworks can select by: `select = { class = "batch" }`.
    #[serde(default = "default::class_name")]
    pub name: String,
    /// How many jobs are of it, compared with other classes.
    #[serde(default = "default::weight")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub share: f64,
    /// Tasks of a job, rounded; at least one.
    #[serde(default = "default::quantity_one")]
    pub tasks: Quantity<f64>,
    /// How long a task runs.
    pub duration: Quantity<Duration>,
    /// Whether all tasks of a job run equally long.
    #[serde(default)]
    pub duration_of: DurationOf,
    /// CPUs of a task.
    #[serde(default = "default::quantity_one")]
    pub cpus: Quantity<f64>,
    /// Memory of a task.
    #[serde(default = "default::quantity_mem")]
    pub mem: Quantity<Size>,
    /// Disk of a task.
    #[serde(default = "default::quantity_disk")]
    pub disk: Quantity<Size>,
    /// GPUs of a task: whole devices (rounded), or a share below 1 of one device.
    #[serde(default = "default::quantity_zero")]
    pub gpus: Quantity<f64>,
    /// Which quantities belong together, through their ranks (a Gaussian copula).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub correlation: Vec<Correlation>,
    /// A table of jobs of which whole rows are drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowFile>,
    /// The priority of its jobs; larger is more important. Only in generated traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Whose jobs they are. Only in generated traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Users>,
}

/// Whether all tasks of a job run equally long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DurationOf {
    /// They do: one run time is drawn for all.
    #[default]
    Job,
    /// Each has a run time of its own.
    Task,
}

/// Two quantities that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Correlation {
    /// Which two.
    pub between: [QuantityName; 2],
    /// The correlation of the normals of the copula. That of ranks, 6/pi asin(r/2), is much the same.
    #[schemars(extend("exclusiveMinimum" = -1, "exclusiveMaximum" = 1))]
    pub r: f64,
}

/// What is drawn for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum QuantityName {
    /// Tasks.
    Tasks,
    /// CPUs.
    Cpus,
    /// Memory.
    Mem,
    /// Disk.
    Disk,
    /// GPUs.
    Gpus,
    /// Run time.
    Duration,
}

/// A CSV file with a row for each job: columns `tasks`, `cpus`, `mem_mib`, `disk_mib`, `gpus`, `duration_s`, or some of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowFile {
    /// Where it is, relative to the experiment file.
    pub path: PathBuf,
}

/// Whose jobs they are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Users {
    /// How many users.
    #[schemars(range(min = 1))]
    pub count: u32,
    /// The n-th user has a share of the jobs that falls with this power of n (Zipf). 0: all alike.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10))]
    pub zipf: f64,
}

/// What is drawn: always the same (`4`, `"10 min"`), one of a list (`[1, 2, 4]`), or from a distribution
/// (`{ distribution = "lognormal", mean = "10 min", sigma = 1.5 }`).
#[derive(Clone, Debug, PartialEq)]
pub enum Quantity<T> {
    /// Always the same.
    Constant(T),
    /// Each of these equally likely.
    List(Vec<T>),
    /// From a distribution.
    Drawn(Box<Drawn<T>>),
}

/// A distribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Drawn_{T}")]
pub struct Drawn<T> {
    /// Which one.
    pub distribution: Family,
    /// Mean, before `min` and `max` are applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<T>,
    /// Of `weibull`, `gamma` and `pareto`: the exponent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.05, max = 100))]
    pub shape: Option<f64>,
    /// Of `lognormal`: the standard deviation of the logarithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10))]
    pub sigma: Option<f64>,
    /// Smaller draws become this. `uniform` and `pareto` begin here and need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<T>,
    /// Larger draws become this. `uniform` and `pareto` end here and need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<T>,
    /// Of `list`: what is drawn from. Of `empirical`: ascending numbers, from the smallest to the largest, between each two of
    /// which lies an equal share of all draws.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<T>,
    /// Of `list`: how likely each of `values` is, compared with the others. Default: all equally.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<f64>,
    /// Of `empirical`, instead of `values`: a CSV file, each row of which is equally likely, relative to the experiment file.
    /// Numbers are seconds, MiB, or counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The column of that file; may be left out if it has only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Of `mixture`: of which distributions one is drawn from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part<T>>,
}

/// A part of a mixture. Several `exponential` parts make a hyper-exponential distribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Part_{T}")]
pub struct Part<T> {
    /// How likely it is, compared with the others.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub weight: f64,
    /// Which distribution; not `list`, `empirical` or `mixture`.
    pub distribution: Family,
    /// Mean, before `min` and `max` are applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<T>,
    /// Of `weibull`, `gamma` and `pareto`: the exponent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.05, max = 100))]
    pub shape: Option<f64>,
    /// Of `lognormal`: the standard deviation of the logarithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10))]
    pub sigma: Option<f64>,
    /// Smaller draws become this. `uniform` and `pareto` begin here and need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<T>,
    /// Larger draws become this. `uniform` and `pareto` end here and need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<T>,
}

/// How something is distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Always the mean.
    Constant,
    /// Evenly from `min` to `max`.
    Uniform,
    /// Without memory.
    Exponential,
    /// Most are small, some very large, the more so the larger `sigma` is.
    Lognormal,
    /// Below a `shape` of 1 with more very small and very large ones than `exponential`, above with fewer.
    Weibull,
    /// Likewise, with a tail that is exponential in the end.
    Gamma,
    /// A power law from `min` to `max`.
    Pareto,
    /// One of `values`.
    List,
    /// As measured: `values`, or a column of a file.
    Empirical,
    /// One of `parts`.
    Mixture,
}

/// What quantities are measured in.
pub trait Unit:
    Copy + Default + PartialEq + fmt::Debug + Serialize + de::DeserializeOwned + JsonSchema
{
    /// In schemas.
    const NAME: &'static str;
    /// For messages: `"4"`, `"10 min"` with its quotes.
    const EXAMPLE: &'static str;
    /// What the largest that is supported is, in [`number`](Self::number)s.
    const MOST: f64;
    /// As a number: seconds, MiB, or itself.
    fn number(self) -> f64;
    /// From a number that is 0 or more: rounded to what can be written.
    fn of(number: f64) -> Self;
}

impl Unit for f64 {
    const NAME: &'static str = "Number";
    const EXAMPLE: &'static str = "4";
    const MOST: Self = 1e6;
    fn number(self) -> f64 {
        self
    }
    fn of(number: f64) -> Self {
        number
    }
}

impl Unit for Duration {
    const NAME: &'static str = "Duration";
    const EXAMPLE: &'static str = "\"10 min\"";
    const MOST: f64 = 36_525.0 * 86_400.0;
    fn number(self) -> f64 {
        self.0.as_secs_f64()
    }
    fn of(number: f64) -> Self {
        // Four digits or more, and a text that can be read.
        let unit = match number {
            short if short < 1.0 => 1_000,
            middle if middle < 1_000.0 => 1_000_000,
            _ => 1_000_000_000,
        };
        Self(mesos::time::Span((number * 1e9 / unit as f64).round() as u64 * unit))
    }
}

impl Unit for Size {
    const NAME: &'static str = "Size";
    const EXAMPLE: &'static str = "\"4 GiB\"";
    const MOST: f64 = (1u64 << 30) as f64;
    fn number(self) -> f64 {
        self.0 as f64 / f64::from(1u32 << 20)
    }
    fn of(number: f64) -> Self {
        Self((number * 1024.0).round() as u64 * 1024)
    }
}

impl<T: Unit> Serialize for Quantity<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Constant(value) => value.serialize(serializer),
            Self::List(values) => values.serialize(serializer),
            Self::Drawn(drawn) => drawn.serialize(serializer),
        }
    }
}

impl<'de, T: Unit> Deserialize<'de> for Quantity<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityVisitor(PhantomData))
    }
}

impl<T: Unit> JsonSchema for Quantity<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Quantity_{}", T::NAME).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<Drawn<T>>();
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [table, one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

struct QuantityVisitor<T>(PhantomData<T>);

impl<T: Unit> QuantityVisitor<T> {
    fn constant<'de, E: de::Error>(value: impl IntoDeserializer<'de, E>) -> Result<Quantity<T>, E> {
        T::deserialize(value.into_deserializer()).map(Quantity::Constant)
    }
}

impl<'de, T: Unit> de::Visitor<'de> for QuantityVisitor<T> {
    type Value = Quantity<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value such as {}, a list of them, or a table with a `distribution`", T::EXAMPLE)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity<T>, E> {
        Self::constant(text)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Quantity<T>, E> {
        Self::constant(number)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Quantity<T>, E> {
        Self::constant(number)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Quantity<T>, E> {
        Self::constant(number)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<Quantity<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Quantity::List)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Quantity<T>, A::Error> {
        Drawn::deserialize(MapAccessDeserializer::new(map)).map(|drawn| Quantity::Drawn(Box::new(drawn)))
    }
}

impl Generator {
    /// The files that it names.
    pub(super) fn paths(&mut self) -> Vec<&mut PathBuf> {
        let mut paths: Vec<&mut PathBuf> =
            self.arrivals.cycle.iter_mut().filter_map(|cycle| cycle.path.as_mut()).collect();
        for class in &mut self.class {
            paths.extend(class.rows.as_mut().map(|rows| &mut rows.path));
            paths.extend(
                [path(&mut class.tasks), path(&mut class.cpus), path(&mut class.gpus)].into_iter().flatten(),
            );
            paths.extend([path(&mut class.mem), path(&mut class.disk)].into_iter().flatten());
            paths.extend(path(&mut class.duration));
        }
        paths
    }
}

fn path<T>(quantity: &mut Quantity<T>) -> Option<&mut PathBuf> {
    match quantity {
        Quantity::Drawn(drawn) => drawn.path.as_mut(),
        Quantity::Constant(_) | Quantity::List(_) => None,
    }
}

impl QuantityName {
    /// As files spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Cpus => "cpus",
            Self::Mem => "mem",
            Self::Disk => "disk",
            Self::Gpus => "gpus",
            Self::Duration => "duration",
        }
    }
}
