//! Operations on resources that are not over, and the news of them (`Master::updateOperationStatus`).
//!
//! All of them are speculative: master and allocator go by the result from the start, and what fails on the agent is put right
//! when the agent reports its total. Those that only a resource provider could carry out are refused.

use super::{
    Master,
    validation::{self, operation::Asker},
};
use crate::{
    call::{OperationState, OperationStatus},
    capability::AgentCapabilities,
    effects::{MasterEffects, Note},
    event::{Event, ToAgent},
    id::{AgentId, FrameworkId, OperationId, OperationUuid, StatusId},
    resource::{Resource, ResourceOperation},
    task::TaskState,
    time::{Span, Time},
};

/// For so long after its agent came back, an operation waits for a framework that this master has never seen
/// (`MIN_WAIT_BEFORE_ORPHAN_OPERATION_ADOPTION`).
const ADOPTION: Span = Span::from_secs(600);

/// An operation that its agent has not reported on, or whose news was not acknowledged.
#[derive(Debug)]
pub(super) struct PendingOperation {
    /// Whose it is; `None`: an operator's.
    pub(super) framework: Option<FrameworkId>,
    /// The framework's name for it, if it wants to hear of it.
    pub(super) id: Option<OperationId>,
    pub(super) agent: AgentId,
    pub(super) what: ResourceOperation,
    pub(super) state: OperationState,
    /// The updates that were passed on.
    pub(super) statuses: Vec<(StatusId, OperationState)>,
}

impl Master {
    /// What an operator does with free resources of an agent, after the allocator has done it (`Master::_operation`).
    pub(super) fn apply_operator_operation(
        &mut self,
        agent: AgentId,
        operation: ResourceOperation,
        out: &mut impl MasterEffects,
    ) {
        self.start_operation(None, None, agent, operation, out);
    }

    /// The agent's total changes at once, and the agent is told (`Master::_apply`). Only an agent with RESOURCE_PROVIDER reports
    /// on it.
    pub(super) fn start_operation(
        &mut self,
        framework: Option<FrameworkId>,
        id: Option<OperationId>,
        agent: AgentId,
        what: ResourceOperation,
        out: &mut impl MasterEffects,
    ) {
        let uuid = OperationUuid(self.next_operation);
        self.next_operation += 1;
        let on = self.agents[agent].as_mut().expect("an operation is on a registered agent");
        let applied = on.total.apply(&what);
        assert!(applied.is_ok(), "{agent:?} has {}, which cannot take {what:?}: {applied:?}", on.total);
        out.note(Note::AgentTotal { agent, total: &on.total });
        let message = ToAgent::ApplyOperation { framework, operation: id, uuid, what: what.clone() };
        out.send_to_agent(on.address, message);
        if on.info.capabilities.has(AgentCapabilities::RESOURCE_PROVIDER) {
            let (state, statuses) = (OperationState::Pending, Vec::new());
            self.add_operation(uuid, PendingOperation { framework, id, agent, what, state, statuses });
        }
    }

    /// Whether an operation is valid, in itself and on what the agent has and runs.
    pub(super) fn check_resource_operation(
        &self,
        agent: AgentId,
        what: &ResourceOperation,
        asker: Asker<'_>,
    ) -> Result<(), String> {
        let on = self.agents[agent].as_ref().expect("an operation is on a registered agent");
        validation::operation::check(what, on, asker)?;
        match what {
            ResourceOperation::Destroy { volumes } => {
                match volumes.entries().any(|(volume, _)| self.is_in_use(agent, &volume)) {
                    true => Err("Persistent volumes in use".into()),
                    false => Ok(()),
                }
            }
            ResourceOperation::Reserve { .. }
            | ResourceOperation::Unreserve { .. }
            | ResourceOperation::Create { .. }
            | ResourceOperation::GrowVolume { .. }
            | ResourceOperation::ShrinkVolume { .. } => Ok(()),
        }
    }

    /// Whether any task or executor of an agent holds this volume.
    fn is_in_use(&self, agent: AgentId, volume: &Resource) -> bool {
        let Some(on) = self.agents[agent].as_ref() else { return false };
        let by_task = on.tasks.iter().any(|key| {
            let framework = self.frameworks[key.framework].as_ref().expect("a task has a framework");
            let task = &framework.tasks[&key.task];
            let holds = !task.state.is_terminal() && task.state != TaskState::Unreachable;
            holds && task.resources.contains_resource(volume)
        });
        by_task || on.executors.iter().any(|executor| executor.info.resources.contains_resource(volume))
    }

    /// An operation that never came about: its framework hears of it if it gave it an id (`Master::drop`).
    pub(super) fn drop_operation(
        &self,
        framework: FrameworkId,
        operation: Option<OperationId>,
        message: String,
        out: &mut impl MasterEffects,
    ) {
        if operation.is_some() {
            let (state, message) = (OperationState::Error, Some(message));
            let status = OperationStatus { operation, uuid: None, state, message, status: None, agent: None };
            self.tell_of_operation(framework, status, out);
        }
    }

    /// News of an operation from its agent: passed on to a framework that is connected. What no framework will acknowledge the
    /// master does.
    #[expect(clippy::too_many_arguments, reason = "the fields of one message")]
    pub(super) fn operation_update(
        &mut self,
        now: Time,
        agent: AgentId,
        uuid: OperationUuid,
        state: OperationState,
        message: Option<String>,
        status: Option<StatusId>,
        out: &mut impl MasterEffects,
    ) {
        let Some(on) = self.agents.get(agent).and_then(Option::as_ref) else { return };
        let address = on.address;
        let Some(of) = self.operations.get_mut(&uuid).filter(|of| of.agent == agent) else {
            if let Some(status) = status {
                // Of a framework that is gone: it would be sent for ever.
                out.send_to_agent(address, ToAgent::AcknowledgeOperation { uuid, status });
            }
            return;
        };
        if !of.state.is_terminal() {
            of.state = state;
        }
        if let Some(status) = status
            && of.statuses.iter().all(|(known, _)| *known != status)
        {
            of.statuses.push((status, state));
        }
        let (framework, operation) = (of.framework, of.id);
        if let Some(framework) = framework
            && operation.is_some()
        {
            let (uuid, agent) = (Some(uuid), Some(agent));
            let news = OperationStatus { operation, uuid, state, message, status, agent };
            self.tell_of_operation(framework, news, out);
        }
        let is_awaited =
            operation.is_some() && framework.is_some_and(|id| self.may_acknowledge(now, id, agent));
        if let Some(status) = status
            && !is_awaited
        {
            out.send_to_agent(address, ToAgent::AcknowledgeOperation { uuid, status });
        }
        if state.is_terminal() && (status.is_none() || !is_awaited) {
            self.remove_operation(uuid);
            self.check_drained(now, agent, out);
        }
    }

    /// Whether a framework that wants to hear of an operation will answer: one that is known, or may still come back to a new
    /// master.
    fn may_acknowledge(&self, now: Time, framework: FrameworkId, agent: AgentId) -> bool {
        if self.frameworks.get(framework).is_some_and(Option::is_some) {
            return true;
        }
        let on = self.agents[agent].as_ref().expect("asked of a registered agent");
        let since = on.reregistered.unwrap_or(on.registered);
        !self.completed.contains(&framework) && now < since + ADOPTION
    }

    /// A framework has seen news of an operation (`Master::acknowledgeOperationStatus`); what is not known is passed over.
    pub(super) fn acknowledge_operation(
        &mut self,
        now: Time,
        framework: FrameworkId,
        agent: AgentId,
        operation: OperationId,
        status: StatusId,
        out: &mut impl MasterEffects,
    ) {
        let Some(on) = self.agents.get(agent).and_then(Option::as_ref).filter(|on| on.is_connected) else {
            return;
        };
        let address = on.address;
        let Some(uuid) = self.operation_called(framework, operation) else { return };
        let of = &self.operations[&uuid];
        let Some(&(_, seen)) = of.statuses.iter().find(|(known, _)| *known == status && of.agent == agent)
        else {
            return;
        };
        out.send_to_agent(address, ToAgent::AcknowledgeOperation { uuid, status });
        if seen.is_terminal() {
            self.remove_operation(uuid);
            self.check_drained(now, agent, out);
        }
    }

    pub(super) fn add_operation(&mut self, uuid: OperationUuid, operation: PendingOperation) {
        let on = self.agents[operation.agent].as_mut().expect("an operation is on a registered agent");
        on.operations.push(uuid);
        let framework =
            operation.framework.and_then(|id| self.frameworks.get_mut(id)).and_then(Option::as_mut);
        if let Some(framework) = framework {
            framework.operations.push(uuid);
        }
        let earlier = self.operations.insert(uuid, operation);
        assert!(earlier.is_none(), "{uuid:?} is known already: {earlier:?}");
    }

    pub(super) fn remove_operation(&mut self, uuid: OperationUuid) {
        let Some(of) = self.operations.remove(&uuid) else { return };
        if let Some(on) = self.agents[of.agent].as_mut() {
            on.operations.retain(|known| *known != uuid);
        }
        let framework = of.framework.and_then(|id| self.frameworks.get_mut(id)).and_then(Option::as_mut);
        if let Some(framework) = framework {
            framework.operations.retain(|known| *known != uuid);
        }
    }

    pub(super) fn tell_of_operation(
        &self,
        framework: FrameworkId,
        status: OperationStatus,
        out: &mut impl MasterEffects,
    ) {
        let of = self.frameworks.get(framework).and_then(Option::as_ref);
        if let Some(connection) = of.and_then(|of| of.connection) {
            out.send_event(framework, connection, Event::UpdateOperation(Box::new(status)));
        }
    }
}
