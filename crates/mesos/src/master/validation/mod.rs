//! Whether offers, tasks and operations are valid, in Mesos' order and with its words (`master/validation.cpp`).
//!
//! The ids of tasks and executors are numbers here; whether a framework's text can be an id is asked where texts become numbers
//! ([`check_id`](crate::resource::check_id)).

mod executor;
pub(super) mod group;
pub(super) mod offer;
pub(super) mod operation;
pub(super) mod task;

use super::state::{Agent, Framework};
use crate::{
    id::{AgentId, FrameworkId, Id, RoleId},
    resource::{ResourceName, Resources, check_task_resources},
};

/// Where a task is to run, and for whom.
pub(super) struct Place<'a> {
    pub(super) framework: &'a Framework,
    pub(super) id: FrameworkId,
    pub(super) on: &'a Agent,
    pub(super) agent: AgentId,
    pub(super) role: RoleId,
    /// The name of the role.
    pub(super) role_name: &'a str,
}

/// Whether resources are fit to be used by `user` (`Task`, `Executor`, ...): valid, with unique volumes, and not both revocable and
/// not.
fn check_used(resources: &Resources, role: &str, user: &str) -> Result<(), String> {
    if resources.is_plain() {
        // Amounts are valid wherever they come from; only parts of GPUs can be wrong, and only if nobody says of which device.
        let gpus = resources.get(ResourceName::Gpus);
        return if gpus.0 % 1000 == 0 || !resources.devices().is_empty() {
            Ok(())
        } else {
            Err(format!(
                "{user} uses invalid resources: The 'gpus' resource must be an unsigned integer, not {gpus}"
            ))
        };
    }
    check_task_resources(&resources.allocate(role))
        .map_err(|error| format!("{user} uses invalid resources: {error}"))
}

/// An agent's id as the master shows it.
pub(super) fn agent_text(agent: AgentId) -> String {
    format!("S{}", agent.index())
}

/// A framework's id as the master shows it.
pub(super) fn framework_text(framework: FrameworkId) -> String {
    format!("{:04}", framework.index())
}
