//! How agents are lost: disconnected, unreachable, gone, removed (`Master::exited`, `markUnreachable`, `markGone`,
//! `removeSlave`).

use super::{Master, observer::Silence};
use crate::{
    allocator::Allocator,
    call::Refusal,
    effects::{AgentEnd, MasterEffects, Note},
    event::{Event, ToAgent},
    id::{Address, AgentId, ExecutorId, FrameworkId, RequestId},
    operator::Done,
    registry::RegistryOperation,
    task::{Reason, StatusMore, TaskKey, TaskState},
    time::Time,
};

/// What an agent that is gone hears, and the frameworks of its tasks.
pub(super) const MARKED_GONE: &str = "Agent has been marked gone";

impl Master {
    /// The connection to an agent broke (`Master::exited`): it is not offered any more, what its agent would not
    /// remember is lost, and it has some time to come back.
    pub(super) fn disconnect_agent(&mut self, now: Time, agent: AgentId, out: &mut impl MasterEffects) {
        let ticket = self.next_ticket();
        let on = self.agents[agent].as_mut().expect("an agent with an address is registered");
        if !on.is_connected {
            return;
        }
        on.is_connected = false;
        on.disconnections = ticket;
        self.allocator.deactivate_agent(agent);
        self.rescind_offers_of_agent(now, agent, |_| true, out);
        self.rescind_inverse_offers_of_agent(now, agent, out);
        out.note(Note::AgentConnected { agent, connected: false });
        self.lose_what_is_not_checkpointed(now, agent, out);
        let deadline = now + self.options.agent_reregister_timeout;
        self.timers.start(deadline, super::Timer::AgentReregister(agent, ticket));
        self.doubt(now, agent);
    }

    /// The connection to an agent that was just registered may have broken while the registry was busy (Mesos links to the
    /// agent only now, and hears of it then).
    pub(super) fn notice_broken_connection(
        &mut self,
        now: Time,
        agent: AgentId,
        address: Address,
        out: &mut impl MasterEffects,
    ) {
        if self.registrar.broken.remove(&address) && self.is_registered(agent) {
            self.disconnect_agent(now, agent, out);
        }
    }

    fn lose_what_is_not_checkpointed(&mut self, now: Time, agent: AgentId, out: &mut impl MasterEffects) {
        let on = self.agents[agent].as_ref().expect("it is registered");
        let message = format!("Slave {} disconnected", on.info.hostname);
        for key in self.tasks_of_agent(agent) {
            if !self.is_checkpointing(key.framework) {
                let (state, reason) = (TaskState::Lost, Reason::AgentDisconnected);
                let loss = Loss { state, reason, is_unreachable: false, since: None, message: &message };
                self.lose_task(now, agent, key, &loss, out);
            }
        }
        for (framework, executor) in self.executors_of_agent(agent) {
            if !self.is_checkpointing(framework) {
                self.remove_executor(now, agent, framework, executor, out);
            }
        }
    }

    fn is_checkpointing(&self, framework: FrameworkId) -> bool {
        self.frameworks.get(framework).and_then(Option::as_ref).is_some_and(|of| of.info.checkpoint)
    }

    /// An agent has been away for too long since its connection broke (`Master::agentReregisterTimeout`).
    pub(super) fn agent_reregister_timeout(
        &mut self,
        now: Time,
        agent: AgentId,
        disconnection: u64,
        out: &mut impl MasterEffects,
    ) {
        let Some(on) = self.agents.get(agent).and_then(Option::as_ref) else { return };
        if !on.is_connected && on.disconnections == disconnection {
            self.schedule_unreachable(now, agent, Silence::Disconnected, out);
        }
    }

    /// An agent does not answer (`Master::markUnreachable`), unless something else happens to it just now.
    pub(super) fn mark_unreachable(
        &mut self,
        now: Time,
        agent: AgentId,
        silence: Silence,
        out: &mut impl MasterEffects,
    ) {
        let is_there = match silence {
            Silence::Pings | Silence::Disconnected => self.is_registered(agent),
            Silence::Failover => self.recovered.contains_key(&agent) && !self.gone.contains_key(&agent),
        };
        let is_coming = self.registrar.reregistering.contains_key(&agent);
        if is_there && !is_coming && !self.registrar.is_ending(agent) {
            self.registrar.marking_unreachable.insert(agent, silence);
            self.apply(now, RegistryOperation::MarkUnreachable(agent, now), out);
        }
    }

    /// The registry says that an agent is unreachable (`Master::_markUnreachable`).
    pub(super) fn marked_unreachable(
        &mut self,
        now: Time,
        agent: AgentId,
        since: Time,
        out: &mut impl MasterEffects,
    ) {
        let silence = self.registrar.marking_unreachable.remove(&agent).expect("somebody asked for it");
        self.unreachable.insert(agent, since);
        self.collect_later(now);
        match silence {
            Silence::Pings | Silence::Disconnected => {
                let message = self.silence_message(silence);
                self.lose_agent(now, agent, AgentEnd::Unreachable, Some(since), &message, out);
            }
            Silence::Failover => {
                self.recovered.remove(&agent);
                self.tell_of_failure(agent, out);
            }
        }
    }

    /// An operator says that an agent is gone for good, or it is drained and was to go then (`Master::markGone`). Refused
    /// while another transition of it is on its way.
    pub(super) fn mark_gone(
        &mut self,
        now: Time,
        agent: AgentId,
        request: Option<RequestId>,
        out: &mut impl MasterEffects,
    ) {
        let is_moving = self.registrar.is_ending(agent) || self.registrar.reregistering.contains_key(&agent);
        let is_known = self.is_registered(agent)
            || self.recovered.contains_key(&agent)
            || self.unreachable.contains_key(&agent);
        let answer = if self.gone.contains_key(&agent) {
            Ok(Done::Ok)
        } else if is_moving {
            let message = "Agent is currently in the process of another transition".into();
            Err(Refusal { status: 503, message })
        } else if !is_known {
            Err(not_found())
        } else {
            self.registrar.marking_gone.insert(agent);
            return self.enqueue(now, RegistryOperation::MarkGone(agent, now), request, out);
        };
        if let Some(request) = request {
            out.answer(request, answer);
        }
    }

    /// The registry says that an agent is gone. One that was only recovered stays among the recovered ones, as in Mesos.
    pub(super) fn marked_gone(
        &mut self,
        now: Time,
        agent: AgentId,
        since: Time,
        request: Option<RequestId>,
        out: &mut impl MasterEffects,
    ) {
        self.registrar.marking_gone.remove(&agent);
        if !self.is_known_agent(agent) {
            // It was unreachable, and the registry has forgotten it just before.
            if let Some(request) = request {
                out.answer(request, Err(not_found()));
            }
            return;
        }
        self.gone.insert(agent, since);
        self.collect_later(now);
        self.draining.remove(&agent);
        self.deactivated.remove(&agent);
        if let Some(on) = self.agents.get(agent).and_then(Option::as_ref) {
            if on.is_connected {
                out.send_to_agent(on.address, ToAgent::Shutdown { message: MARKED_GONE.into() });
            }
            self.lose_agent(now, agent, AgentEnd::Gone, None, MARKED_GONE, out);
        } else if self.unreachable.remove(&agent).is_some() {
            self.lose_unreachable_tasks(now, agent, out);
        }
        if let Some(request) = request {
            out.answer(request, Ok(Done::Ok));
        }
    }

    /// Tasks that were unreachable are over now; those of frameworks that are not partition-aware stay remembered as
    /// unreachable, as in Mesos.
    fn lose_unreachable_tasks(&mut self, now: Time, agent: AgentId, out: &mut impl MasterEffects) {
        for key in self.unreachable_tasks.remove(&agent).unwrap_or_default() {
            let Some(of) = self.frameworks.get_mut(key.framework).and_then(Option::as_mut) else { continue };
            if of.unreachable.get(key.task).is_none_or(|lost| lost.task.agent != agent) {
                continue;
            }
            let is_aware = of.is_partition_aware();
            let (state, reason) = gone_for(is_aware);
            if is_aware {
                of.unreachable.remove(key.task);
                let id = key.task;
                self.complete_task(key.framework, super::CompletedTask { id, agent, state });
                out.note(Note::TaskState { key, state });
            }
            let more = StatusMore::message(MARKED_GONE);
            self.report(now, key.framework, key.task, Some(agent), state, reason, more, out);
        }
    }

    /// The agent at this address ends in good order (`Master::unregisterSlave`).
    pub(super) fn unregister(
        &mut self,
        now: Time,
        address: Address,
        agent: AgentId,
        out: &mut impl MasterEffects,
    ) {
        if self.agents.get(agent).and_then(Option::as_ref).is_some_and(|on| on.address == address) {
            self.remove_agent(now, agent, "the agent unregistered", out);
        }
    }

    /// An agent is to be forgotten with all its tasks (`Master::removeSlave`), unless its end is near anyway.
    pub(super) fn remove_agent(
        &mut self,
        now: Time,
        agent: AgentId,
        why: &'static str,
        out: &mut impl MasterEffects,
    ) {
        if self.is_registered(agent) && !self.registrar.is_ending(agent) {
            self.registrar.removing.insert(agent, why);
            self.apply(now, RegistryOperation::Remove(agent), out);
        }
    }

    /// An agent is no longer in the registry (`Master::_removeSlave`).
    pub(super) fn removed(&mut self, now: Time, agent: AgentId, out: &mut impl MasterEffects) {
        let why = self.registrar.removing.remove(&agent).expect("somebody asked for it");
        let on = self.agents[agent].as_ref().expect("nothing else ends it meanwhile");
        let message = format!("Slave {} removed: {why}", on.info.hostname);
        self.lose_agent(now, agent, AgentEnd::Removed, None, &message, out);
        self.draining.remove(&agent);
        self.deactivated.remove(&agent);
    }

    /// Takes an agent and all that is on it off the books (`Master::__removeSlave`). The allocator forgets it first, so that
    /// nothing of it is offered again.
    fn lose_agent(
        &mut self,
        now: Time,
        agent: AgentId,
        end: AgentEnd,
        since: Option<Time>,
        message: &str,
        out: &mut impl MasterEffects,
    ) {
        self.allocator.remove_agent(agent);
        for key in self.tasks_of_agent(agent) {
            let of = self.frameworks[key.framework].as_ref().expect("a task has a framework");
            let loss = Loss::of(end, of.is_partition_aware(), since, message);
            self.lose_task(now, agent, key, &loss, out);
        }
        for (framework, executor) in self.executors_of_agent(agent) {
            self.remove_executor(now, agent, framework, executor, out);
        }
        self.rescind_offers_of_agent(now, agent, |_| true, out);
        self.rescind_inverse_offers_of_agent(now, agent, out);
        self.lose_operations(agent, end, out);
        let on = self.agents[agent].take().expect("it is registered");
        if self.agent_at.get(&on.address) == Some(&agent) {
            self.agent_at.remove(&on.address);
        }
        out.note(Note::AgentEnded { agent, end });
        self.tell_of_failure(agent, out);
    }

    fn lose_task(
        &mut self,
        now: Time,
        agent: AgentId,
        key: TaskKey,
        loss: &Loss<'_>,
        out: &mut impl MasterEffects,
    ) {
        self.update_task(now, key, loss.state, out);
        self.remove_task(now, key, loss.is_unreachable, out);
        if loss.is_unreachable {
            self.unreachable_tasks.entry(agent).or_default().push(key);
        }
        let message = Some(loss.message.to_owned());
        let more =
            Some(Box::new(StatusMore { message, unreachable_time: loss.since, ..StatusMore::default() }));
        self.report(now, key.framework, key.task, Some(agent), loss.state, loss.reason, more, out);
    }

    /// Every framework that is connected hears that an agent is lost (`Master::sendSlaveLost`).
    fn tell_of_failure(&self, agent: AgentId, out: &mut impl MasterEffects) {
        for (framework, of) in self.frameworks.iter() {
            if let Some(connection) = of.as_ref().and_then(|of| of.connection) {
                out.send_event(framework, connection, Event::Failure { agent, executor: None });
            }
        }
    }

    pub(super) fn is_registered(&self, agent: AgentId) -> bool {
        self.agents.get(agent).is_some_and(Option::is_some)
    }

    /// Frameworks in order, then tasks in order.
    pub(super) fn tasks_of_agent(&self, agent: AgentId) -> Vec<TaskKey> {
        let mut keys = self.agents[agent].as_ref().expect("it is registered").tasks.clone();
        keys.sort_unstable();
        keys
    }

    pub(super) fn executors_of_agent(&self, agent: AgentId) -> Vec<(FrameworkId, ExecutorId)> {
        let on = self.agents[agent].as_ref().expect("it is registered");
        on.executors.iter().map(|executor| (executor.framework, executor.info.id)).collect()
    }
}

/// What becomes of a task with its agent.
struct Loss<'a> {
    state: TaskState,
    reason: Reason,
    /// It is remembered among the unreachable tasks of its framework, not among the completed ones.
    is_unreachable: bool,
    since: Option<Time>,
    message: &'a str,
}

impl<'a> Loss<'a> {
    fn of(end: AgentEnd, is_partition_aware: bool, since: Option<Time>, message: &'a str) -> Self {
        let (state, reason, is_unreachable) = match end {
            AgentEnd::Unreachable if is_partition_aware => {
                (TaskState::Unreachable, Reason::AgentRemoved, true)
            }
            AgentEnd::Unreachable => (TaskState::Lost, Reason::AgentRemoved, true),
            AgentEnd::Gone => {
                let (state, reason) = gone_for(is_partition_aware);
                (state, reason, !is_partition_aware)
            }
            AgentEnd::Removed => (TaskState::Lost, Reason::AgentRemoved, false),
        };
        Self { state, reason, is_unreachable, since, message }
    }
}

fn not_found() -> Refusal {
    Refusal { status: 404, message: "Agent not found".into() }
}

const fn gone_for(is_partition_aware: bool) -> (TaskState, Reason) {
    if is_partition_aware {
        (TaskState::GoneByOperator, Reason::AgentRemovedByOperator)
    } else {
        (TaskState::Lost, Reason::AgentRemoved)
    }
}
