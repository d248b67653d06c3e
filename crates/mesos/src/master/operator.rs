//! What operators ask (`Master::Http`).

use super::Master;
use crate::{
    call::Refusal,
    effects::MasterEffects,
    id::{AgentId, FrameworkId, RequestId},
    operator::{Done, OperatorCall},
    time::Time,
};

/// How a call of an operator that was not refused goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// It is done; the answer goes out at once.
    Now(Done),
    /// The answer goes out when the registry has the change.
    Later,
}

impl Master {
    pub(super) fn dispatch_operator(
        &mut self,
        now: Time,
        request: RequestId,
        call: OperatorCall,
        out: &mut impl MasterEffects,
    ) {
        match self.operate(now, request, call, out) {
            Ok(Reply::Now(done)) => out.answer(request, Ok(done)),
            Ok(Reply::Later) => {}
            Err(refusal) => out.answer(request, Err(refusal)),
        }
    }

    fn operate(
        &mut self,
        now: Time,
        request: RequestId,
        call: OperatorCall,
        out: &mut impl MasterEffects,
    ) -> Result<Reply, Refusal> {
        match call {
            OperatorCall::UpdateQuota { force, configs } => {
                self.update_quota(now, request, force, configs, out)
            }
            OperatorCall::SetQuota { force, role, guarantee } => {
                self.set_quota_request(now, request, force, role, &guarantee, out)
            }
            OperatorCall::RemoveQuota { role } => self.remove_quota(now, request, role, out),
            OperatorCall::UpdateWeights(weights) => self.update_weights(now, request, weights, out),
            OperatorCall::Resources { agent, operation } => {
                self.operate_on_resources(now, agent, operation, out)
            }
            OperatorCall::Teardown(framework) => self.teardown(now, framework, out),
            OperatorCall::MarkAgentGone(agent) => {
                self.mark_gone(now, agent, Some(request), out);
                Ok(Reply::Later)
            }
            OperatorCall::DrainAgent { agent, max_grace_period, mark_gone } => {
                self.drain_agent(now, request, agent, max_grace_period, mark_gone, out)
            }
            OperatorCall::DeactivateAgent(agent) => self.deactivate_by_operator(now, request, agent, out),
            OperatorCall::ReactivateAgent(agent) => self.reactivate_agent(now, request, agent, out),
            OperatorCall::UpdateMaintenanceSchedule(schedule) => {
                self.update_schedule(now, request, &schedule, out)
            }
            OperatorCall::StartMaintenance(machines) => self.start_maintenance(now, request, &machines, out),
            OperatorCall::StopMaintenance(machines) => self.stop_maintenance(now, request, &machines, out),
        }
    }

    /// Answers whoever asked for a change that the registry has now; a change may be the master's own.
    pub(super) fn done(&self, request: Option<RequestId>, done: Done, out: &mut impl MasterEffects) {
        if let Some(request) = request {
            out.answer(request, Ok(done));
        }
    }

    /// TEARDOWN (`Master::Http::teardown`).
    fn teardown(
        &mut self,
        now: Time,
        framework: FrameworkId,
        out: &mut impl MasterEffects,
    ) -> Result<Reply, Refusal> {
        if self.frameworks.get(framework).is_none_or(Option::is_none) {
            return Err(Refusal::bad_request("No framework found with specified ID"));
        }
        self.remove_framework(now, framework, out);
        Ok(Reply::Now(Done::Ok))
    }

    /// Whether the agent is registered, expected back after a failover, or unreachable.
    pub(super) fn is_known_agent(&self, agent: AgentId) -> bool {
        self.agents.get(agent).is_some_and(Option::is_some)
            || self.recovered.contains_key(&agent)
            || self.unreachable.contains_key(&agent)
    }
}
