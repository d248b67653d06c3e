//! What goes wrong in a data centre, and when: sources of timed actions, one file each.
//!
//! A fault says what happens ([`Action`]) and never what follows from it: that is for the world to play and for Mesos to
//! handle. Faults of a run are merged into one [`Schedule`]. Each draws from a seed of its own, which depends on its kind
//! and on how many of the kind come before it in the experiment: a fault more, of another kind, changes no other.
//! Whether a task fails or is slow is not a matter of time but of the task, so that is asked ([`Schedule::fate`]).
//!
//! Processes go on for ever. What a schedule still holds must not keep a run from ending.

mod agent_crash;
mod agent_restart;
mod agent_trace;
mod capacity;
mod factors;
mod fate;
mod framework_crash;
mod link;
mod maintenance;
mod master_failover;
mod outage;
mod schedule;
mod scope;
mod straggler;
mod task_failure;
#[cfg(test)]
mod tests;
mod told;
pub mod windows;

use std::sync::Arc;

use mesos::time::{Span, Time};

pub use agent_crash::AgentCrash;
pub use agent_restart::AgentRestart;
pub use agent_trace::{AgentTrace, Change, MachineChange};
pub use capacity::Capacity;
pub use factors::Factors;
pub use fate::{Attempt, Mishap, TaskFate, TaskFault};
pub use framework_crash::FrameworkCrash;
pub use link::{Delay, Ends, Loss, Partition, Side};
pub use maintenance::{Maintenance, MaintenanceWindow};
pub use master_failover::MasterFailover;
pub use outage::Outage;
pub use schedule::{Occurrence, Schedule};
pub use scope::{Domain, Scope};
pub use straggler::{MachineStraggler, TaskStraggler};
pub use task_failure::{Chance, TaskFailure};

use crate::{
    cluster::{Cluster, MachineId},
    engine::random::{Seed, Stream},
};

mesos::id!(/// A fault of the experiment, in the order of the file: what lost work is charged to.
    CauseId);

/// What happens. Machines go down and come up by turns, whatever overlaps: see [`Schedule`].
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// The machine dies, and with it the agent, its executors and its tasks.
    AgentCrash {
        /// Which.
        machine: MachineId,
    },
    /// As a crash, but the agent says goodbye first (Mesos' agent on SIGUSR1: it unregisters).
    AgentShutdown {
        /// Which.
        machine: MachineId,
    },
    /// The machine is back, empty, and its agent registers anew.
    AgentRepair {
        /// Which.
        machine: MachineId,
    },
    /// Only the agent's process dies: executors live on.
    AgentProcessStop {
        /// On which machine.
        machine: MachineId,
    },
    /// The agent's process is back and recovers its executors (`--recover=reconnect`).
    AgentProcessStart {
        /// On which machine.
        machine: MachineId,
    },
    /// No message passes; those under way are lost.
    LinkCut {
        /// Between whom.
        ends: Arc<Ends>,
    },
    /// Messages are lost, each by itself.
    LinkLoss {
        /// Between whom.
        ends: Arc<Ends>,
        /// Each with this probability.
        probability: f64,
    },
    /// Messages take longer.
    LinkDelay {
        /// Between whom.
        ends: Arc<Ends>,
        /// So much, one way.
        extra: Span,
    },
    /// What this cause did to links is over.
    LinkHeal {
        /// Between whom.
        ends: Arc<Ends>,
    },
    /// The leading master dies. How long the election of another takes, the world decides.
    MasterFail,
    /// The scheduler of a framework dies.
    FrameworkCrash {
        /// Its place in the experiment file.
        framework: usize,
    },
    /// It is back, and subscribes with the id that it had.
    FrameworkBack {
        /// Its place in the experiment file.
        framework: usize,
    },
    /// Tasks on a machine run slower from now on.
    Straggle {
        /// Which.
        machine: MachineId,
        /// They take so many times as long: at least 1. Several causes multiply: [`Factors`].
        factor: f64,
    },
    /// They run as before this cause.
    StraggleEnd {
        /// Where.
        machine: MachineId,
    },
    /// The operator announces maintenance (`UPDATE_MAINTENANCE_SCHEDULE`): these windows, beside those of other causes.
    MaintenanceSchedule {
        /// All windows of this cause.
        windows: Vec<MaintenanceWindow>,
    },
    /// The operator takes machines down (`START_MAINTENANCE`).
    MaintenanceStart {
        /// Which.
        machines: Vec<MachineId>,
    },
    /// The operator brings them back (`STOP_MAINTENANCE`), which ends their windows in the schedule.
    MaintenanceStop {
        /// Which.
        machines: Vec<MachineId>,
    },
    /// A machine has only part of its resources from now on.
    Capacity {
        /// Which.
        machine: MachineId,
        /// So much of them: below 1; 0 means that it is away. Several causes multiply: [`Factors`].
        factor: f64,
    },
    /// It has what it had before this cause.
    CapacityEnd {
        /// Which.
        machine: MachineId,
    },
}

/// Something that goes wrong now and then.
pub trait Fault: Send {
    /// What happens next, and when: never before what came last. `None`: nothing more.
    fn next(&mut self) -> Option<(Time, Action)>;
}

/// A fault and its parameters: one kind each.
#[derive(Clone, PartialEq, Debug)]
pub enum Spec {
    /// See [`AgentCrash`].
    AgentCrash(AgentCrash),
    /// See [`AgentTrace`].
    AgentTrace(AgentTrace),
    /// See [`AgentRestart`].
    AgentRestart(AgentRestart),
    /// See [`Outage`].
    Outage(Outage),
    /// See [`Partition`].
    Partition(Partition),
    /// See [`Loss`].
    Loss(Loss),
    /// See [`Delay`].
    Delay(Delay),
    /// See [`MasterFailover`].
    MasterFailover(MasterFailover),
    /// See [`FrameworkCrash`].
    FrameworkCrash(FrameworkCrash),
    /// See [`TaskFailure`].
    TaskFailure(TaskFailure),
    /// See [`TaskStraggler`].
    TaskStraggler(TaskStraggler),
    /// See [`MachineStraggler`].
    MachineStraggler(MachineStraggler),
    /// See [`Maintenance`].
    Maintenance(Maintenance),
    /// See [`Capacity`].
    Capacity(Capacity),
}

/// A fault at work.
pub enum Part {
    /// Things happen at times.
    Timed(Box<dyn Fault>),
    /// Things happen to tasks.
    OfTasks(Box<dyn TaskFault>),
}

/// A kind of fault.
#[derive(Debug)]
pub struct FaultEntry {
    /// What experiment files call it.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// What its randomness is for.
    pub stream: Stream,
    /// One that shows what it can do, for a cluster; tests of all kinds run over these.
    pub build: fn(&Cluster) -> Spec,
}

/// All kinds of faults.
pub const FAULTS: &[FaultEntry] = &[
    agent_crash::ENTRY,
    agent_trace::ENTRY,
    agent_restart::ENTRY,
    outage::ENTRY,
    link::PARTITION,
    link::LOSS,
    link::DELAY,
    master_failover::ENTRY,
    framework_crash::ENTRY,
    task_failure::ENTRY,
    straggler::ENTRY,
    maintenance::ENTRY,
    capacity::ENTRY,
];

impl Spec {
    /// The kind of it.
    #[must_use]
    pub const fn entry(&self) -> &'static FaultEntry {
        match self {
            Self::AgentCrash(_) => &agent_crash::ENTRY,
            Self::AgentTrace(_) => &agent_trace::ENTRY,
            Self::AgentRestart(_) => &agent_restart::ENTRY,
            Self::Outage(_) => &outage::ENTRY,
            Self::Partition(_) => &link::PARTITION,
            Self::Loss(_) => &link::LOSS,
            Self::Delay(_) => &link::DELAY,
            Self::MasterFailover(_) => &master_failover::ENTRY,
            Self::FrameworkCrash(_) => &framework_crash::ENTRY,
            Self::TaskFailure(_) => &task_failure::ENTRY,
            Self::TaskStraggler(_) | Self::MachineStraggler(_) => &straggler::ENTRY,
            Self::Maintenance(_) => &maintenance::ENTRY,
            Self::Capacity(_) => &capacity::ENTRY,
        }
    }

    /// The fault at work. `seed` is its own.
    #[must_use]
    pub fn build(self, seed: Seed) -> Part {
        Part::Timed(match self {
            Self::AgentCrash(spec) => spec.build(seed),
            Self::AgentTrace(spec) => spec.build(),
            Self::AgentRestart(spec) => spec.build(seed),
            Self::Outage(spec) => spec.build(seed),
            Self::Partition(spec) => spec.build(seed),
            Self::Loss(spec) => spec.build(seed),
            Self::Delay(spec) => spec.build(seed),
            Self::MasterFailover(spec) => spec.build(seed),
            Self::FrameworkCrash(spec) => spec.build(seed),
            Self::MachineStraggler(spec) => spec.build(seed),
            Self::Maintenance(spec) => spec.build(),
            Self::Capacity(spec) => spec.build(),
            Self::TaskFailure(spec) => return Part::OfTasks(spec.build(seed)),
            Self::TaskStraggler(spec) => return Part::OfTasks(spec.build(seed)),
        })
    }
}
