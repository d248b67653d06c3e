//! What a framework says to the master (Mesos' `scheduler::Call`).

use crate::{
    capability::Capabilities,
    id::{AgentId, OfferId, StatusId, TaskId},
    offer::Filters,
    task::TaskInfo,
};

/// Who subscribes (Mesos' `FrameworkInfo`).
#[derive(Clone, Debug, PartialEq)]
pub struct FrameworkInfo {
    /// Its name, for people and metrics.
    pub name: String,
    /// The roles it wants offers for.
    pub roles: Vec<String>,
    /// What it can deal with.
    pub capabilities: Capabilities,
}

/// One thing to be done with accepted offers, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Start tasks.
    Launch(Vec<TaskInfo>),
}

/// A call of a subscribed framework.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Use offers, all of one agent and one role; what the operations leave is declined with the filters.
    Accept {
        /// Which offers.
        offers: Vec<OfferId>,
        /// What to do with them.
        operations: Vec<Operation>,
        /// For what is left over; `None` means the default of 5 s.
        filters: Option<Filters>,
    },
    /// Give offers back.
    Decline {
        /// Which offers; unknown ones are ignored.
        offers: Vec<OfferId>,
        /// `None` means the default of 5 s.
        filters: Option<Filters>,
    },
    /// Want offers again, for all roles: forget filters and suppression.
    Revive,
    /// Want no offers for now, for any role.
    Suppress,
    /// A status update has arrived.
    Acknowledge {
        /// Where the task is.
        agent: AgentId,
        /// Which task.
        task: TaskId,
        /// Which update.
        uuid: StatusId,
    },
}
