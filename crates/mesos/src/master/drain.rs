//! Draining and deactivation of agents.

use super::{Master, operator::Reply};
use crate::{
    allocator::Allocator,
    call::Refusal,
    capability::AgentCapabilities,
    effects::{MasterEffects, Note},
    event::ToAgent,
    id::{AgentId, RequestId},
    operator::Done,
    registration::AgentInfo,
    registry::{DrainInfo, RegistryOperation},
    time::Time,
};

impl Master {
    /// DRAIN_AGENT, of an agent that is registered, expected back, or unreachable (`Master::Http::_drainAgent`).
    pub(super) fn drain_agent(
        &mut self,
        now: Time,
        request: RequestId,
        agent: AgentId,
        max_grace_period: Option<i64>,
        mark_gone: bool,
        out: &mut impl MasterEffects,
    ) -> Result<Reply, Refusal> {
        self.check_known(agent)?;
        if let Some(info) = self.known_info(agent) {
            if self.is_machine_scheduled(&info.hostname, &info.ip) {
                return Err(Refusal::bad_request("Agent is part of a maintenance schedule"));
            }
            if !info.capabilities.has(AgentCapabilities::AGENT_DRAINING) {
                return Err(Refusal::bad_request("Agent is not capable of draining"));
            }
        }
        if self.registrar.marking_gone.contains(&agent) {
            return Err(Refusal::conflict("Agent is currently being marked gone"));
        }
        let drain = DrainInfo { drained: false, max_grace_period, mark_gone };
        self.apply_for(now, request, RegistryOperation::Drain(agent, drain), out);
        Ok(Reply::Later)
    }

    /// DEACTIVATE_AGENT: it is not offered any more, and its tasks run on (`Master::Http::_deactivateAgent`).
    pub(super) fn deactivate_by_operator(
        &mut self,
        now: Time,
        request: RequestId,
        agent: AgentId,
        out: &mut impl MasterEffects,
    ) -> Result<Reply, Refusal> {
        self.check_known(agent)?;
        if self.registrar.marking_gone.contains(&agent) {
            return Err(Refusal::conflict("Agent is currently being marked gone"));
        }
        self.apply_for(now, request, RegistryOperation::Deactivate(agent), out);
        Ok(Reply::Later)
    }

    /// REACTIVATE_AGENT ends deactivation, and draining that is over (`Master::Http::_reactivateAgent`).
    pub(super) fn reactivate_agent(
        &mut self,
        now: Time,
        request: RequestId,
        agent: AgentId,
        out: &mut impl MasterEffects,
    ) -> Result<Reply, Refusal> {
        self.check_known(agent)?;
        if !self.deactivated.contains(&agent) {
            return Err(Refusal::bad_request("Agent is not deactivated"));
        }
        if self.draining.get(&agent).is_some_and(|drain| !drain.drained) {
            return Err(Refusal::bad_request("Agent is still in the DRAINING state"));
        }
        self.apply_for(now, request, RegistryOperation::Reactivate(agent), out);
        Ok(Reply::Later)
    }

    fn check_known(&self, agent: AgentId) -> Result<(), Refusal> {
        if self.is_known_agent(agent) { Ok(()) } else { Err(Refusal::bad_request("Unknown agent")) }
    }

    /// What is known of an agent that is registered or expected back; of an unreachable one, nothing is.
    fn known_info(&self, agent: AgentId) -> Option<&AgentInfo> {
        self.agent_info(agent).or_else(|| self.recovered.get(&agent))
    }

    /// The registry has it that an agent is drained: it is not offered any more, and told to end its tasks.
    pub(super) fn drain_stored(
        &mut self,
        now: Time,
        agent: AgentId,
        drain: DrainInfo,
        request: Option<RequestId>,
        out: &mut impl MasterEffects,
    ) {
        if self.is_known_agent(agent) {
            self.draining.insert(agent, drain);
            self.deactivate_agent(now, agent, out);
            self.order_drain(agent, out);
        }
        self.done(request, Done::Ok, out);
        self.check_drained(now, agent, out);
    }

    /// Tells an agent that is to drain so, now or when it is back.
    pub(super) fn order_drain(&self, agent: AgentId, out: &mut impl MasterEffects) {
        let Some(&DrainInfo { max_grace_period, mark_gone, .. }) = self.draining.get(&agent) else { return };
        if let Some(on) = self.agents.get(agent).and_then(Option::as_ref)
            && on.is_connected
        {
            out.send_to_agent(on.address, ToAgent::Drain { max_grace_period, mark_gone });
        }
    }

    /// The registry has it that an agent is not to be offered.
    pub(super) fn deactivated_stored(
        &mut self,
        now: Time,
        agent: AgentId,
        request: Option<RequestId>,
        out: &mut impl MasterEffects,
    ) {
        if self.is_known_agent(agent) {
            self.deactivate_agent(now, agent, out);
        }
        self.done(request, Done::Ok, out);
    }

    /// Takes all offers of the agent back, and makes no more (`Master::deactivate`).
    fn deactivate_agent(&mut self, now: Time, agent: AgentId, out: &mut impl MasterEffects) {
        if !self.deactivated.insert(agent) {
            return;
        }
        out.note(Note::AgentActivated { agent, active: false });
        if self.agents.get(agent).is_some_and(Option::is_some) {
            self.allocator.deactivate_agent(agent);
            self.rescind_offers_of_agent(now, agent, |_| true, out);
            self.rescind_inverse_offers_of_agent(now, agent, out);
        }
    }

    /// The registry has it that an agent may be offered again; no allocation comes of it before the next periodic one.
    pub(super) fn reactivated_stored(
        &mut self,
        _now: Time,
        agent: AgentId,
        request: Option<RequestId>,
        out: &mut impl MasterEffects,
    ) {
        if !self.deactivated.remove(&agent) {
            if let Some(request) = request {
                out.answer(request, Err(Refusal::conflict("Agent removed while processing the call")));
            }
            return;
        }
        self.draining.remove(&agent);
        out.note(Note::AgentActivated { agent, active: true });
        if self.agents.get(agent).and_then(Option::as_ref).is_some_and(|on| on.is_connected) {
            self.allocator.activate_agent(agent);
        }
        self.done(request, Done::Ok, out);
    }

    /// An agent that is to drain and has nothing left is done (`Master::checkAndTransitionDrainingAgent`): no task whose end
    /// is not acknowledged, and no operation. It is drained, or marked gone if the operator wanted so.
    pub(super) fn check_drained(&mut self, now: Time, agent: AgentId, out: &mut impl MasterEffects) {
        if self.draining.is_empty() {
            return;
        }
        let Some(&drain) = self.draining.get(&agent) else { return };
        let Some(on) = self.agents.get(agent).and_then(Option::as_ref) else { return };
        if drain.drained || !on.tasks.is_empty() || !on.operations.is_empty() {
            return;
        }
        if !drain.mark_gone {
            self.apply(now, RegistryOperation::Drained(agent), out);
        } else if !self.registrar.is_ending(agent) {
            self.mark_gone(now, agent, None, out);
        }
    }

    /// The registry has it that an agent is empty. It may have been asked for more than once.
    pub(super) fn drained_stored(
        &mut self,
        _now: Time,
        agent: AgentId,
        _request: Option<RequestId>,
        out: &mut impl MasterEffects,
    ) {
        if let Some(drain) = self.draining.get_mut(&agent)
            && !drain.drained
        {
            drain.drained = true;
            out.note(Note::AgentDrained { agent });
        }
    }
}
