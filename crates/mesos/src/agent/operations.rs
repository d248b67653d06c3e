//! Operations on resources: the agent's total changes, and those who gave the operation a name are told.

use super::{Agent, timers::Timer, updates::retry_wait};
use crate::{
    call::OperationState,
    effects::AgentEffects,
    event::FromAgent,
    id::{FrameworkId, OperationId, OperationUuid, StatusId},
    registration::OperationReport,
    resource::ResourceOperation,
    time::Time,
};

/// An operation whose end is not acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    framework: Option<FrameworkId>,
    operation: Option<OperationId>,
    uuid: OperationUuid,
    what: ResourceOperation,
    state: OperationState,
    message: Option<String>,
    status: StatusId,
    sends: u8,
}

impl Operation {
    pub(super) fn report(&self) -> OperationReport {
        OperationReport {
            framework: self.framework,
            operation: self.operation,
            uuid: self.uuid,
            what: self.what.clone(),
            state: self.state,
        }
    }
}

impl Agent {
    /// The master has applied it to its own books already (`Slave::applyOperation`).
    pub(super) fn apply_operation(
        &mut self,
        now: Time,
        framework: Option<FrameworkId>,
        operation: Option<OperationId>,
        uuid: OperationUuid,
        what: ResourceOperation,
        out: &mut impl AgentEffects,
    ) {
        if self.operations.iter().any(|known| known.uuid == uuid) {
            return;
        }
        let (state, message) = match self.total.apply(&what) {
            Ok(()) => (OperationState::Finished, None),
            Err(error) => (OperationState::Failed, Some(error.to_string())),
        };
        if operation.is_none() {
            let news = |agent| FromAgent::Operation { agent, uuid, state, message, status: None };
            return self.tell(news, out);
        }
        let status = self.next_status();
        let all = Operation { framework, operation, uuid, what, state, message, status, sends: 0 };
        self.operations.push(all);
        if self.is_registered() {
            self.send_operation(now, self.operations.len() - 1, out);
        }
    }

    pub(super) fn operation_acknowledged(&mut self, uuid: OperationUuid, status: StatusId) {
        self.operations.retain(|operation| operation.uuid != uuid || operation.status != status);
        self.end_drain_if_empty();
    }

    pub(super) fn send_all_operations(&mut self, now: Time, out: &mut impl AgentEffects) {
        for place in 0..self.operations.len() {
            self.operations[place].sends = 0;
            self.send_operation(now, place, out);
        }
    }

    pub(super) fn retry_operation(&mut self, now: Time, status: StatusId, out: &mut impl AgentEffects) {
        if let Some(place) = self.place_of_operation(status) {
            self.send_operation(now, place, out);
        }
    }

    pub(super) fn place_of_operation(&self, status: StatusId) -> Option<usize> {
        self.operations.iter().position(|operation| operation.status == status)
    }

    fn send_operation(&mut self, now: Time, place: usize, out: &mut impl AgentEffects) {
        let Some(agent) = self.id else { return };
        let operation = &mut self.operations[place];
        let at = now + retry_wait(operation.sends);
        operation.sends = operation.sends.saturating_add(1);
        self.timers.start(at, Timer::Operation(operation.status));
        let (uuid, state, message) = (operation.uuid, operation.state, operation.message.clone());
        let status = Some(operation.status);
        out.send_to_master(FromAgent::Operation { agent, uuid, state, message, status });
    }
}
