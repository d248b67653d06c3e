//! In which order an allocation visits agents.

use crate::id::AgentId;

/// Mesos shuffles the agents before each allocation; the recordings of it visit ascending ids. Whoever drives the core
/// hands the order in, so that the core needs no random source.
pub trait VisitOrder: Send {
    /// Puts the agents, handed over in ascending order, into the order of the visit.
    fn arrange(&mut self, agents: &mut [AgentId]);
}

/// Ascending ids.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ascending;

impl VisitOrder for Ascending {
    fn arrange(&mut self, _: &mut [AgentId]) {}
}
