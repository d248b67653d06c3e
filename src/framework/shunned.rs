//! Agents that had less than what was offered of them: their next offers are declined once.
//!
//! A task that an agent drops for lack of resources (`REASON_RESOURCES_UNKNOWN`: it runs tasks of which the master does not
//! know, or lost capacity) leaves no filter behind. Who launched it again at once on the same agent would do so as fast as
//! messages travel, for as long as the agent lacks them.

use std::collections::BTreeSet;

use mesos::{
    id::AgentId,
    offer::Filters,
    task::{Reason, TaskStatus},
};

/// For so long, in seconds, an agent is left alone at least (the default of Mesos' `refuse_seconds`).
const LEAST_REFUSAL: f64 = 5.0;

/// See the [module](self).
#[derive(Clone, Debug, Default)]
pub(super) struct Shunned(BTreeSet<AgentId>);

impl Shunned {
    /// A status update comes.
    pub(super) fn heed(&mut self, status: &TaskStatus) {
        if status.reason == Some(Reason::ResourcesUnknown) {
            self.0.extend(status.agent);
        }
    }

    /// Whether this offer of the agent is to be declined.
    pub(super) fn turns_down(&mut self, agent: AgentId) -> bool {
        !self.0.is_empty() && self.0.remove(&agent)
    }

    /// The filter of that decline.
    pub(super) const fn refusal(usual: Filters) -> Filters {
        Filters { refuse_seconds: usual.refuse_seconds.max(LEAST_REFUSAL) }
    }
}
