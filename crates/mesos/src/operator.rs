//! What an operator asks of the master (the writes of Mesos' `master::Call`), and what comes back.

use crate::{
    call::Refusal,
    id::{AgentId, FrameworkId},
    maintenance::{Machine, Schedule},
    quota::QuotaConfig,
    resource::{ResourceOperation, Resources},
};

/// A call of an operator.
#[derive(Clone, Debug, PartialEq)]
pub enum OperatorCall {
    /// Promise and limit (UPDATE_QUOTA): all configurations or none.
    UpdateQuota {
        /// Skips the checks against what is there and what is used.
        force: bool,
        /// One for each role.
        configs: Vec<QuotaConfig>,
    },
    /// Deprecated: a guarantee that is a limit too (SET_QUOTA).
    SetQuota {
        /// Skips the check against what is there.
        force: bool,
        /// Of which role.
        role: String,
        /// How much, unreserved scalars.
        guarantee: Resources,
    },
    /// Deprecated (REMOVE_QUOTA).
    RemoveQuota {
        /// Of which role.
        role: String,
    },
    /// UPDATE_WEIGHTS.
    UpdateWeights(Vec<(String, f64)>),
    /// RESERVE_RESOURCES and its kin, on what nobody uses of an agent.
    Resources {
        /// Where; only for volumes that are resized it may be missing from a message.
        agent: AgentId,
        /// What.
        operation: ResourceOperation,
    },
    /// TEARDOWN of a framework.
    Teardown(FrameworkId),
    /// MARK_AGENT_GONE.
    MarkAgentGone(AgentId),
    /// DRAIN_AGENT.
    DrainAgent {
        /// Which.
        agent: AgentId,
        /// The longest that a task may take to end, in nanoseconds.
        max_grace_period: Option<i64>,
        /// Mark it gone when it is empty.
        mark_gone: bool,
    },
    /// DEACTIVATE_AGENT.
    DeactivateAgent(AgentId),
    /// REACTIVATE_AGENT.
    ReactivateAgent(AgentId),
    /// UPDATE_MAINTENANCE_SCHEDULE.
    UpdateMaintenanceSchedule(Schedule),
    /// START_MAINTENANCE.
    StartMaintenance(Vec<Machine>),
    /// STOP_MAINTENANCE.
    StopMaintenance(Vec<Machine>),
}

/// What an operator hears.
pub type Answer = Result<Done, Refusal>;

/// A call was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// 200: it is done.
    Ok,
    /// 202: it is on its way to the agent.
    Accepted,
}
