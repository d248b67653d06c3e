//! What an experiment file can say of what goes wrong: the tables `[[fault]]`, one type for each `kind`.
//!
//! Most kinds happen in windows of time and share three keys: `at` or `every` says when a window begins, `lasts` how long
//! it is.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{default, law::Law, units::Duration};

/// Makes the enum of all kinds, and the ways to it that the derived one lacks.
macro_rules! kinds {
    ($($(#[doc = $about:literal])+ $name:literal => $Kind:ident,)+) => {
        /// Something that goes wrong; `mesosim list faults` names the kinds.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        pub enum Fault {
            $($(#[doc = $about])+ #[serde(rename = $name)] $Kind($Kind),)+
        }

        impl Fault {
            /// All kinds.
            pub const KINDS: &[&str] = &[$($name),+];

            /// Its kind.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$Kind(_) => $name,)+
                }
            }

            /// Reads the other keys of a table of this kind. Serde's own way through the tag knows no longer where in the
            /// text a key stood. `None`: there is no such kind.
            pub(super) fn read<'de, D: Deserializer<'de>>(kind: &str, table: D) -> Option<Result<Self, D::Error>> {
                match kind {
                    $($name => Some($Kind::deserialize(table).map(Self::$Kind)),)+
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// Machines fail and are repaired, each by itself.
    "agent-crash" => AgentCrash,
    /// Machines fail and come back as a file says.
    "agent-trace" => AgentTrace,
    /// Agent processes die and come back; executors and tasks live on.
    "agent-restart" => AgentRestart,
    /// All machines of a rack, a zone or a power unit fail at once and come back at once.
    "outage" => Outage,
    /// No message passes between two sets of nodes; those under way are lost.
    "partition" => Partition,
    /// Messages between two sets of nodes are lost, each by itself.
    "loss" => Loss,
    /// Messages between two sets of nodes take longer.
    "delay" => Delay,
    /// The leading master dies and another one is elected.
    "master-failover" => MasterFailover,
    /// Schedulers of frameworks die and come back with the framework id that they had.
    "framework-crash" => FrameworkCrash,
    /// Attempts to run a task fail: exactly one of `probability` and `rate_per_hour`.
    "task-failure" => TaskFailure,
    /// Attempts to run a task are slow by lot (`probability`), or machines are slow for a while (`at` or `every`).
    "straggler" => Straggler,
    /// Machines are taken down as announced.
    "maintenance" => Maintenance,
    /// From one hour to another of each day, machines have only part of their resources, or none.
    "capacity" => Capacity,
}

/// Machines fail and are repaired, each by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentCrash {
    /// Which machines. Default: all.
    #[serde(default, skip_serializing_if = "Machines::is_all")]
    pub machines: Machines,
    /// They fail at these times; instead of `every`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Duration>,
    /// Time to failure: from the start, or from the repair before; instead of `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Law>,
    /// Time to repair.
    pub lasts: Law,
    /// Whether the agent says goodbye first, as Mesos' agent does on SIGUSR1.
    #[serde(default)]
    pub graceful: bool,
}

/// Machines fail and come back as a file says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentTrace {
    /// A CSV file with the columns `time_s` (seconds), `machine` (host name) and `event` (`down` or `up`), relative to the
    /// experiment file.
    pub path: PathBuf,
}

/// Agent processes die and come back; executors and tasks live on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentRestart {
    /// On which machines. Default: all.
    #[serde(default, skip_serializing_if = "Machines::is_all")]
    pub machines: Machines,
    /// The process dies at these times; instead of `every`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Duration>,
    /// From the start, or from the last return, to the next death; instead of `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Law>,
    /// How long the process is away.
    pub lasts: Law,
}

/// All machines of a rack, a zone or a power unit fail at once and come back at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// What fails as a whole.
    pub scope: Scope,
    /// Racks on one power unit, for the scope `power`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub racks_per_unit: Option<u32>,
    /// Which racks (`r0`), zones (`z0`) or power units (`p0`), each by itself. Default: all; with `at`, name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub which: Vec<String>,
    /// They fail at these times; instead of `every`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Duration>,
    /// From the start, or from the end of the last outage, to the next one of the same rack, zone or unit; instead of `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Law>,
    /// How long an outage is.
    pub lasts: Law,
}

/// What fails as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// A rack.
    Rack,
    /// A zone.
    Zone,
    /// The racks on one power distribution unit.
    Power,
}

/// No message passes between two sets of nodes; those under way are lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// One side.
    pub between: Nodes,
    /// The other side. Default: all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub and: Option<Nodes>,
    /// Whether only messages from `between` to `and` are lost, and not those back.
    #[serde(default)]
    pub one_way: bool,
    /// It begins at these times; instead of `every`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Duration>,
    /// From the start, or from the end of the last one, to the next; instead of `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Law>,
    /// How long the network is split.
    pub lasts: Law,
}

/// Messages between two sets of nodes are lost, each by itself. Without `at` and `every`: all the time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// One side.
    pub between: Nodes,
    /// The other side. Default: all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub and: Option<Nodes>,
    /// Whether only messages from `between` to `and` are lost, and not those back.
    #[serde(default)]
    pub one_way: bool,
    /// Of each message.
    #[schemars(range(min = 0, max = 1))]
    pub probability: f64,
    /// It begins at these times; instead of `every`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Duration>,
    /// From the start, or from the end of the last time, to the next; instead of `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Law>,
    /// How long messages are lost, with `at` or `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Law>,
}

/// Messages between two sets of nodes take longer. Without `at` and `every`: all the time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    /// One side.
    pub between: Nodes,
    /// The other side. Default: all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub and: Option<Nodes>,
    /// Whether only messages from `between` to `and` take longer, and not those back.
    #[serde(default)]
    pub one_way: bool,
    /// How much longer, one way.
    pub extra: Duration,
    /// It begins at these times; instead of `every`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Duration>,
    /// From the start, or from the end of the last time, to the next; instead of `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Law>,
    /// How long messages take longer, with `at` or `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Law>,
}

/// The leading master dies and another one is elected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MasterFailover {
    /// It dies at these times; instead of `every`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Duration>,
    /// From the start, or from the last death, to the next; instead of `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Law>,
}

/// Schedulers of frameworks die and come back with the framework id that they had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameworkCrash {
    /// Names of frameworks, each by itself. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frameworks: Vec<String>,
    /// They die at these times; instead of `every`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Duration>,
    /// From the start, or from the last return, to the next death; instead of `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Law>,
    /// How long the scheduler is away.
    pub lasts: Law,
}

/// Attempts to run a task fail: exactly one of `probability` and `rate_per_hour`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskFailure {
    /// Names of the frameworks whose tasks fail. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frameworks: Vec<String>,
    /// Of each attempt, however long; when in its life, is drawn evenly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub probability: Option<f64>,
    /// Failures per hour of run time, at any time alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub rate_per_hour: Option<f64>,
}

/// Attempts to run a task are slow by lot (`probability`), or machines are slow for a while (`at` or `every`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Straggler {
    /// What is slow takes so many times as long.
    #[schemars(range(min = 1))]
    pub factor: f64,
    /// Of each attempt to run a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub probability: Option<f64>,
    /// With `probability`: names of the frameworks whose tasks straggle. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frameworks: Vec<String>,
    /// With `at` or `every`: which machines are slow, each by itself. Default: all.
    #[serde(default, skip_serializing_if = "Machines::is_all")]
    pub machines: Machines,
    /// They become slow at these times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Duration>,
    /// From the start, or from the end of the last time, to the next; instead of `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Law>,
    /// How long they are slow, with `at` or `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Law>,
}

/// Machines are taken down as announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// Which machines. Default: all.
    #[serde(default, skip_serializing_if = "Machines::is_all")]
    pub machines: Machines,
    /// When the first of them go down.
    pub at: Duration,
    /// How long each is down.
    pub lasts: Duration,
    /// How long before `at` the schedule is announced.
    #[serde(default)]
    pub notice: Duration,
    /// Which machines go down together.
    #[serde(default)]
    pub rolling: Rolling,
    /// Between the end of one group and the start of the next.
    #[serde(default)]
    pub pause: Duration,
}

/// Which machines go down together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rolling {
    /// All at once.
    #[default]
    Off,
    /// One machine after the other.
    Machine,
    /// One rack after the other.
    Rack,
    /// One zone after the other.
    Zone,
}

/// From one hour to another of each day, machines have only part of their resources, or none. The simulation begins at
/// midnight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// Which machines. Default: all.
    #[serde(default, skip_serializing_if = "Machines::is_all")]
    pub machines: Machines,
    /// So much of their resources is left; 0 means that they are away.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub factor: f64,
    /// From when on, since midnight.
    pub from: Duration,
    /// Until when, since midnight; of the next day if it is earlier than `from`.
    pub to: Duration,
    /// How long a day is.
    #[serde(default = "default::day")]
    pub day: Duration,
}

/// Some machines: all that one of these keys names. With no key: all.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machines {
    /// Zones, as agents' attributes name them: `z0`, `z1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// Racks, as agents' attributes name them: `r0`, `r1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub racks: Vec<String>,
    /// Host names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,
}

/// Some nodes of the data centre: all that one of these keys names.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// The master.
    #[serde(default)]
    pub master: bool,
    /// Names of frameworks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frameworks: Vec<String>,
    /// The agents of zones: `z0`, `z1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// The agents of racks: `r0`, `r1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub racks: Vec<String>,
    /// Agents by the host names of their machines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,
}

impl Fault {
    /// The file that it names.
    pub(super) const fn path(&mut self) -> Option<&mut PathBuf> {
        if let Self::AgentTrace(AgentTrace { path }) = self { Some(path) } else { None }
    }
}

impl Machines {
    /// Whether no machine is named, so that all are meant.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        self.zones.is_empty() && self.racks.is_empty() && self.hostnames.is_empty()
    }
}

impl Nodes {
    /// The agents among them; none if no key names any.
    #[must_use]
    pub fn machines(&self) -> Machines {
        let (zones, racks, hostnames) = (self.zones.clone(), self.racks.clone(), self.hostnames.clone());
        Machines { zones, racks, hostnames }
    }

    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.master && self.frameworks.is_empty() && self.machines().is_all()
    }
}
