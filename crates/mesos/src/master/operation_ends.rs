//! What becomes of operations when frameworks ask for them or go, and when agents go or come back
//! (`Master::reconcileOperations`, `sendBulkOperationFeedback`).

use super::{Master, operations::PendingOperation};
use crate::{
    call::{OperationState, OperationStatus},
    effects::{AgentEnd, MasterEffects},
    id::{AgentId, FrameworkId, OperationId, OperationUuid},
    registration::OperationReport,
    time::Time,
};

impl Master {
    /// The newest operation to which a framework gave this id.
    pub(super) fn operation_called(
        &self,
        framework: FrameworkId,
        operation: OperationId,
    ) -> Option<OperationUuid> {
        let of = self.frameworks[framework].as_ref().expect("a caller is known");
        of.operations.iter().rev().copied().find(|uuid| self.operations[uuid].id == Some(operation))
    }

    /// RECONCILE_OPERATIONS: the newest state of each, or of all that have an id. Nobody has to acknowledge the answers
    /// (`Master::reconcileOperations`).
    pub(super) fn reconcile_operations(
        &mut self,
        framework: FrameworkId,
        operations: &[(OperationId, Option<AgentId>)],
        out: &mut impl MasterEffects,
    ) {
        if operations.is_empty() {
            let of = self.frameworks[framework].as_ref().expect("a caller is known");
            for uuid in of.operations.iter().filter(|uuid| self.operations[uuid].id.is_some()) {
                self.tell_of_operation(framework, self.latest_of(*uuid), out);
            }
        }
        for &(operation, agent) in operations {
            let status = match self.operation_called(framework, operation) {
                Some(uuid) => self.latest_of(uuid),
                None => self.unknown_operation(operation, agent),
            };
            self.tell_of_operation(framework, status, out);
        }
    }

    fn latest_of(&self, uuid: OperationUuid) -> OperationStatus {
        let of = &self.operations[&uuid];
        let message = Some("Reconciliation: Latest operation state".into());
        let (operation, state, agent) = (of.id, of.state, Some(of.agent));
        OperationStatus { operation, uuid: Some(uuid), state, message, status: None, agent }
    }

    /// What can be said of an operation that is not known here: where its agent is.
    fn unknown_operation(&self, operation: OperationId, agent: Option<AgentId>) -> OperationStatus {
        let (state, message) = match agent {
            Some(agent) if self.agents.get(agent).is_some_and(Option::is_some) => {
                (OperationState::Unknown, "Operation is unknown")
            }
            Some(agent) if self.recovered.contains_key(&agent) => {
                (OperationState::Recovering, "Agent is recovered but has not re-registered")
            }
            Some(agent) if self.unreachable.contains_key(&agent) => {
                (OperationState::Unreachable, "Agent is unreachable")
            }
            Some(agent) if self.gone.contains_key(&agent) => {
                (OperationState::GoneByOperator, "Agent is marked gone by operator")
            }
            Some(_) => (OperationState::Unknown, "Both operation and agent are unknown"),
            None if !self.recovered.is_empty() => (
                OperationState::Recovering,
                "Operation is unknown and there are recovered agents that have not re-registered",
            ),
            None => (OperationState::Unknown, "Operation is unknown"),
        };
        let (operation, message) = (Some(operation), Some(format!("Reconciliation: {message}")));
        OperationStatus { operation, uuid: None, state, message, status: None, agent }
    }

    /// The agent is lost, and its operations with it; a framework whose agent was removed hears so only when it asks
    /// (`Master::sendBulkOperationFeedback`). The agent is still among the registered ones.
    pub(super) fn lose_operations(&mut self, agent: AgentId, end: AgentEnd, out: &mut impl MasterEffects) {
        let state = match end {
            AgentEnd::Unreachable => Some(OperationState::Unreachable),
            AgentEnd::Gone => Some(OperationState::GoneByOperator),
            AgentEnd::Removed => None,
        };
        let on = self.agents[agent].as_ref().expect("an agent that is lost was registered");
        for uuid in on.operations.clone() {
            let of = &self.operations[&uuid];
            if let (Some(framework), Some(_), Some(state)) = (of.framework, of.id, state)
                && !of.state.is_terminal()
            {
                let status = OperationStatus { state, message: None, ..self.latest_of(uuid) };
                self.tell_of_operation(framework, status, out);
            }
            self.remove_operation(uuid);
        }
    }

    /// The framework is removed, and its operations are dropped: all are speculative, so that nothing hangs on their outcome
    /// (`Master::removeFramework`).
    pub(super) fn drop_operations_of_framework(&mut self, framework: FrameworkId) {
        let of = self.frameworks[framework].as_ref().expect("a framework to remove");
        for uuid in of.operations.clone() {
            self.remove_operation(uuid);
        }
    }

    /// The operations of a framework that is known from now on: agents may have come back with them before.
    pub(super) fn operations_of(&self, framework: FrameworkId) -> Vec<OperationUuid> {
        let theirs = self.operations.iter().filter(|(_, of)| of.framework == Some(framework));
        theirs.map(|(uuid, _)| *uuid).collect()
    }

    /// The agent is back and names its operations: those not known here are from now on. If it was away, those that it does not
    /// know never reached it; if it was not, they may be on their way.
    pub(super) fn operations_reported(
        &mut self,
        now: Time,
        agent: AgentId,
        reports: Vec<OperationReport>,
        out: &mut impl MasterEffects,
    ) {
        let on = self.agents[agent].as_ref().expect("an agent that is back is registered");
        let is_missing = |uuid: &&OperationUuid| reports.iter().all(|report| report.uuid != **uuid);
        let missing: Vec<OperationUuid> =
            on.operations.iter().filter(|_| !on.is_connected).filter(is_missing).copied().collect();
        for uuid in missing {
            let message = "Operation is unknown to the agent".to_owned();
            self.operation_update(now, agent, uuid, OperationState::Dropped, Some(message), None, out);
        }
        for report in reports {
            let OperationReport { framework, operation: id, uuid, what, state } = report;
            if let Some(known) = self.operations.get_mut(&uuid) {
                if !known.state.is_terminal() {
                    known.state = state;
                }
                continue;
            }
            self.next_operation = self.next_operation.max(uuid.0 + 1);
            let statuses = Vec::new();
            self.add_operation(uuid, PendingOperation { framework, id, agent, what, state, statuses });
        }
    }
}
