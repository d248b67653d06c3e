//! Actions in words, for lists of what happened.

use std::slice;

use super::{Action, Ends, Side};
use crate::cluster::MachineId;

impl Action {
    /// What happens, as result files spell it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AgentCrash { .. } => "agent-crash",
            Self::AgentShutdown { .. } => "agent-shutdown",
            Self::AgentRepair { .. } => "agent-repair",
            Self::AgentProcessStop { .. } => "agent-process-stop",
            Self::AgentProcessStart { .. } => "agent-process-start",
            Self::LinkCut { .. } => "link-cut",
            Self::LinkLoss { .. } => "link-loss",
            Self::LinkDelay { .. } => "link-delay",
            Self::LinkHeal { .. } => "link-heal",
            Self::MasterFail => "master-fail",
            Self::FrameworkCrash { .. } => "framework-crash",
            Self::FrameworkBack { .. } => "framework-back",
            Self::Straggle { .. } => "straggle",
            Self::StraggleEnd { .. } => "straggle-end",
            Self::MaintenanceSchedule { .. } => "maintenance-schedule",
            Self::MaintenanceStart { .. } => "maintenance-start",
            Self::MaintenanceStop { .. } => "maintenance-stop",
            Self::Capacity { .. } => "capacity",
            Self::CapacityEnd { .. } => "capacity-end",
        }
    }

    /// The machines that it happens to; none if it happens to links, masters, frameworks or schedules.
    #[must_use]
    pub fn machines(&self) -> &[MachineId] {
        match self {
            Self::AgentCrash { machine }
            | Self::AgentShutdown { machine }
            | Self::AgentRepair { machine }
            | Self::AgentProcessStop { machine }
            | Self::AgentProcessStart { machine }
            | Self::Straggle { machine, .. }
            | Self::StraggleEnd { machine }
            | Self::Capacity { machine, .. }
            | Self::CapacityEnd { machine } => slice::from_ref(machine),
            Self::MaintenanceStart { machines } | Self::MaintenanceStop { machines } => machines,
            Self::LinkCut { .. }
            | Self::LinkLoss { .. }
            | Self::LinkDelay { .. }
            | Self::LinkHeal { .. }
            | Self::MasterFail
            | Self::FrameworkCrash { .. }
            | Self::FrameworkBack { .. }
            | Self::MaintenanceSchedule { .. } => &[],
        }
    }

    /// What else there is to say of it, beside its machines; may be empty.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::LinkCut { ends } | Self::LinkHeal { ends } => between(ends),
            Self::LinkLoss { ends, probability } => format!("probability {probability} {}", between(ends)),
            Self::LinkDelay { ends, extra } => format!("{extra} s more {}", between(ends)),
            Self::FrameworkCrash { framework } | Self::FrameworkBack { framework } => {
                format!("framework {}", framework + 1)
            }
            Self::Straggle { factor, .. } | Self::Capacity { factor, .. } => format!("factor {factor}"),
            Self::MaintenanceSchedule { windows } => {
                format!("{} windows", windows.iter().filter(|window| !window.machines.is_empty()).count())
            }
            Self::AgentCrash { .. }
            | Self::AgentShutdown { .. }
            | Self::AgentRepair { .. }
            | Self::AgentProcessStop { .. }
            | Self::AgentProcessStart { .. }
            | Self::MasterFail
            | Self::StraggleEnd { .. }
            | Self::MaintenanceStart { .. }
            | Self::MaintenanceStop { .. }
            | Self::CapacityEnd { .. } => String::new(),
        }
    }
}

fn between(ends: &Ends) -> String {
    let others = ends.b.as_ref().map_or_else(|| "all others".to_owned(), side);
    let way = if ends.one_way { "from" } else { "between" };
    let joined = if ends.one_way { "to" } else { "and" };
    format!("{way} {} {joined} {others}", side(&ends.a))
}

fn side(side: &Side) -> String {
    let mut parts: Vec<String> = side.master.then(|| "the master".to_owned()).into_iter().collect();
    let mut count = |count: usize, of: &str| {
        if count > 0 {
            parts.push(format!("{count} {of}"));
        }
    };
    count(side.machines.len(), "machines");
    count(side.frameworks.len(), "frameworks");
    parts.join(" with ")
}
