//! The native form: what all traces are brought into. Units are the same for all formats; what a trace does not say is `None`.
//!
//! | table | one row for each | key |
//! |---|---|---|
//! | jobs | job: tasks that were submitted together | `number` |
//! | tasks | task: `instances` equal processes, over all attempts at them | `job`, `index` |
//! | machines | machine that was there at the start or came later | `name` |
//! | machine events | coming, going and change of a machine | `at`, `machine` |
//! | usage | interval over which somebody's use was measured | `start`, whose |
//!
//! CPUs are cores, memory and disk MiB, GPUs devices (fractions are shares), times [`Micros`]. A trace with amounts relative
//! to its largest machine is multiplied by the sizes in [`Options`](crate::Options); the report says so.

use std::borrow::Cow;

/// Microseconds: as a point in time since the trace's own beginning (negative: before it), or as a duration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Micros(pub i64);

impl Micros {
    /// So many seconds, rounded to the microsecond; `None` if that is not a number or beyond 290,000 years.
    #[must_use]
    pub fn from_secs_f64(seconds: f64) -> Option<Self> {
        let micros = (seconds * 1e6).round();
        (micros.abs() < 9.2e18).then_some(Self(micros as i64))
    }

    /// So many seconds; `None` beyond 290,000 years.
    #[must_use]
    pub fn from_secs(seconds: i64) -> Option<Self> {
        seconds.checked_mul(1_000_000).map(Self)
    }

    /// So many milliseconds; `None` beyond 290,000 years.
    #[must_use]
    pub fn from_millis(millis: i64) -> Option<Self> {
        millis.checked_mul(1000).map(Self)
    }

    /// In seconds.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// From `start` to here, if that is not negative.
    #[must_use]
    pub fn since(self, start: Self) -> Option<Self> {
        self.0.checked_sub(start.0).filter(|span| *span >= 0).map(Self)
    }
}

/// How something ended, or stood when the trace did.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// It did its work.
    Finished,
    /// It failed by itself.
    Failed,
    /// Its user ended it.
    Killed,
    /// The scheduler ended it in favour of others, or its machine went away.
    Evicted,
    /// It ran into its time limit.
    TimedOut,
    /// Its end was not recorded.
    Lost,
    /// It ran when the trace ended: its end is censored.
    Running,
    /// It waited when the trace ended.
    Waiting,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Finished,
        Self::Failed,
        Self::Killed,
        Self::Evicted,
        Self::TimedOut,
        Self::Lost,
        Self::Running,
        Self::Waiting,
    ];

    /// As tables spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Killed => "killed",
            Self::Evicted => "evicted",
            Self::TimedOut => "timed-out",
            Self::Lost => "lost",
            Self::Running => "running",
            Self::Waiting => "waiting",
        }
    }

    /// The status that tables spell so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether it was not over when the trace ended.
    #[must_use]
    pub const fn is_censored(self) -> bool {
        match self {
            Self::Running | Self::Waiting => true,
            Self::Finished | Self::Failed | Self::Killed | Self::Evicted | Self::TimedOut | Self::Lost => {
                false
            }
        }
    }
}

/// A fact that only some formats have: `("input_bytes", Value::Number(..))`. Names are snake case with the unit last.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// A number.
    Number(f64),
    /// A text.
    Text(Cow<'a, str>),
}

impl Value<'_> {
    /// The same, with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => Value::Text(own(text)),
        }
    }
}

/// Facts that only some formats have, by name.
pub type Extra<'a> = Vec<(&'static str, Value<'a>)>;

/// A job.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct JobRow<'a> {
    /// Its number, which no other job of the trace has: 0, 1, … in the order in which jobs are first mentioned.
    pub number: u64,
    /// What the trace calls it.
    pub name: Cow<'a, str>,
    /// Who submitted it.
    pub user: Option<Cow<'a, str>>,
    /// The user's group, organisation or virtual cluster.
    pub group: Option<Cow<'a, str>>,
    /// Queue, class of service, scheduling class: what the trace tells jobs apart by.
    pub class: Option<Cow<'a, str>>,
    /// What kind of application: a model, a query, a workflow, an executable.
    pub application: Option<Cow<'a, str>>,
    /// Larger is more important.
    pub priority: Option<i64>,
    /// Weight in fair sharing.
    pub weight: Option<f64>,
    /// When it was submitted.
    pub submit: Option<Micros>,
    /// When its first task started.
    pub start: Option<Micros>,
    /// When its last task ended.
    pub end: Option<Micros>,
    /// The run time that its user asked for: a limit, or an estimate.
    pub requested_time: Option<Micros>,
    /// When it shall have ended.
    pub deadline: Option<Micros>,
    /// How it ended.
    pub status: Option<Status>,
    /// Whether all its tasks must run at once.
    pub gang: bool,
    /// Jobs (by number) that must have ended before.
    pub parents: Vec<u64>,
    /// Facts that only some formats have.
    pub extra: Extra<'a>,
}

/// A task.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TaskRow<'a> {
    /// The number of its job.
    pub job: u64,
    /// Its number in its job: 0, 1, …, not necessarily without gaps.
    pub index: u32,
    /// What the trace calls it.
    pub name: Option<Cow<'a, str>>,
    /// So many equal processes; amounts are those of one.
    pub instances: u32,
    /// Tasks of the same job (by index) of which all instances must have ended before.
    pub parents: Vec<u32>,
    /// Cores asked for.
    pub cpus: Option<f64>,
    /// MiB of memory asked for.
    pub mem_mib: Option<f64>,
    /// MiB of disk asked for.
    pub disk_mib: Option<f64>,
    /// GPUs asked for; below 1: a share of one.
    pub gpus: Option<f64>,
    /// Models of GPU that will do, joined by `|`; `None`: any.
    pub gpu_model: Option<Cow<'a, str>>,
    /// When it was (first) submitted.
    pub submit: Option<Micros>,
    /// When its last attempt started.
    pub start: Option<Micros>,
    /// When its last attempt ended.
    pub end: Option<Micros>,
    /// How long its last attempt ran, or, in traces that say nothing else, how long it would run.
    pub duration: Option<Micros>,
    /// How its last attempt ended.
    pub status: Option<Status>,
    /// Larger is more important.
    pub priority: Option<i64>,
    /// How often it was started.
    pub attempts: u32,
    /// How often it was evicted.
    pub evictions: u32,
    /// Where its last attempt ran.
    pub machine: Option<Cow<'a, str>>,
    /// Where it may run: terms of the form `attribute op value`, all of which must hold, joined by ` & `. Operators are
    /// `==`, `!=`, `<`, `>`, `<=`, `>=`, `present`, `absent`, and `distinct` (no two tasks of the job on agents with the same
    /// value; the attribute `machine` is the agent itself) and `max-per` (at most so many).
    pub constraints: Option<Cow<'a, str>>,
    /// Facts that only some formats have.
    pub extra: Extra<'a>,
}

/// A machine.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct MachineRow<'a> {
    /// What the trace calls it.
    pub name: Cow<'a, str>,
    /// Cores.
    pub cpus: Option<f64>,
    /// MiB of memory.
    pub mem_mib: Option<f64>,
    /// MiB of disk.
    pub disk_mib: Option<f64>,
    /// GPUs.
    pub gpus: Option<f64>,
    /// Their model.
    pub gpu_model: Option<Cow<'a, str>>,
    /// Rack, switch or smaller failure domain.
    pub rack: Option<Cow<'a, str>>,
    /// Zone, or larger failure domain.
    pub zone: Option<Cow<'a, str>>,
    /// Attributes and their values.
    pub attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// What happened to a machine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MachineEvent {
    /// It came.
    Add,
    /// It went.
    Remove,
    /// Its capacity or an attribute changed.
    Update,
    /// It had a fault that did not stop it.
    SoftError,
}

impl MachineEvent {
    /// As tables spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Update => "update",
            Self::SoftError => "soft-error",
        }
    }

    /// The event that tables spell so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Add, Self::Remove, Self::Update, Self::SoftError];
        all.into_iter().find(|event| event.as_str() == text)
    }
}

/// A machine comes, goes or changes.
#[derive(Clone, PartialEq, Debug)]
pub struct MachineEventRow<'a> {
    /// When.
    pub at: Micros,
    /// Which.
    pub machine: Cow<'a, str>,
    /// What happens.
    pub event: MachineEvent,
    /// Its cores from now on.
    pub cpus: Option<f64>,
    /// Its memory from now on, MiB.
    pub mem_mib: Option<f64>,
    /// An attribute that changes, and its value; `None`: it is taken away.
    pub attribute: Option<(Cow<'a, str>, Option<Cow<'a, str>>)>,
}

/// Whose use was measured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whose<'a> {
    /// A task's: job and index.
    Task(u64, u32),
    /// A machine's (or a virtual machine's), by name.
    Machine(Cow<'a, str>),
}

/// What somebody used over an interval.
#[derive(Clone, PartialEq, Debug)]
pub struct UsageRow<'a> {
    /// Whose use.
    pub whose: Whose<'a>,
    /// From when.
    pub start: Micros,
    /// For how long.
    pub duration: Micros,
    /// Cores used on average.
    pub cpus: Option<f64>,
    /// Cores used at most.
    pub cpus_max: Option<f64>,
    /// MiB used.
    pub mem_mib: Option<f64>,
    /// GPUs used on average.
    pub gpus: Option<f64>,
}

fn own(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

fn own_extra(extra: Extra<'_>) -> Extra<'static> {
    extra.into_iter().map(|(name, value)| (name, value.into_owned())).collect()
}

impl JobRow<'_> {
    /// The same, with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> JobRow<'static> {
        JobRow {
            number: self.number,
            name: own(self.name),
            user: self.user.map(own),
            group: self.group.map(own),
            class: self.class.map(own),
            application: self.application.map(own),
            priority: self.priority,
            weight: self.weight,
            submit: self.submit,
            start: self.start,
            end: self.end,
            requested_time: self.requested_time,
            deadline: self.deadline,
            status: self.status,
            gang: self.gang,
            parents: self.parents,
            extra: own_extra(self.extra),
        }
    }

    /// A fact that only some formats have.
    #[must_use]
    pub fn number_of(&self, name: &str) -> Option<f64> {
        number_of(&self.extra, name)
    }
}

impl TaskRow<'_> {
    /// The same, with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> TaskRow<'static> {
        TaskRow {
            job: self.job,
            index: self.index,
            name: self.name.map(own),
            instances: self.instances,
            parents: self.parents,
            cpus: self.cpus,
            mem_mib: self.mem_mib,
            disk_mib: self.disk_mib,
            gpus: self.gpus,
            gpu_model: self.gpu_model.map(own),
            submit: self.submit,
            start: self.start,
            end: self.end,
            duration: self.duration,
            status: self.status,
            priority: self.priority,
            attempts: self.attempts,
            evictions: self.evictions,
            machine: self.machine.map(own),
            constraints: self.constraints.map(own),
            extra: own_extra(self.extra),
        }
    }

    /// A fact that only some formats have.
    #[must_use]
    pub fn number_of(&self, name: &str) -> Option<f64> {
        number_of(&self.extra, name)
    }
}

fn number_of(extra: &Extra<'_>, name: &str) -> Option<f64> {
    extra.iter().find(|(known, _)| *known == name).and_then(|(_, value)| match value {
        Value::Number(number) => Some(*number),
        Value::Text(_) => None,
    })
}

impl MachineRow<'_> {
    /// The same, with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> MachineRow<'static> {
        MachineRow {
            name: own(self.name),
            cpus: self.cpus,
            mem_mib: self.mem_mib,
            disk_mib: self.disk_mib,
            gpus: self.gpus,
            gpu_model: self.gpu_model.map(own),
            rack: self.rack.map(own),
            zone: self.zone.map(own),
            attributes: self.attributes.into_iter().map(|(name, value)| (own(name), own(value))).collect(),
        }
    }
}

impl MachineEventRow<'_> {
    /// The same, with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> MachineEventRow<'static> {
        MachineEventRow {
            at: self.at,
            machine: own(self.machine),
            event: self.event,
            cpus: self.cpus,
            mem_mib: self.mem_mib,
            attribute: self.attribute.map(|(name, value)| (own(name), value.map(own))),
        }
    }
}

impl UsageRow<'_> {
    /// The same, with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> UsageRow<'static> {
        let whose = match self.whose {
            Whose::Task(job, index) => Whose::Task(job, index),
            Whose::Machine(name) => Whose::Machine(own(name)),
        };
        UsageRow {
            whose,
            start: self.start,
            duration: self.duration,
            cpus: self.cpus,
            cpus_max: self.cpus_max,
            mem_mib: self.mem_mib,
            gpus: self.gpus,
        }
    }
}
