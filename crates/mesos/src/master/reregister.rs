//! Agents that come back (`Master::reregisterSlave`).

use std::collections::BTreeSet;

use super::{Master, agent_loss::MARKED_GONE, agents::MACHINE_IS_DOWN, agents::attributes_of};
use crate::{
    allocator::{AgentUpdate, Allocator},
    effects::{MasterEffects, Note},
    event::ToAgent,
    id::{Address, AgentId, FrameworkId},
    registration::{ExecutorReport, Reregistration, TaskReport},
    registry::RegistryOperation,
    task::TaskKey,
    time::Time,
};

impl Master {
    /// An agent that was registered before is back. While anything else happens to it, it has to ask again.
    pub(super) fn reregister(
        &mut self,
        now: Time,
        address: Address,
        back: Box<Reregistration>,
        out: &mut impl MasterEffects,
    ) {
        let agent = back.id;
        if self.registrar.reregistering.contains_key(&agent) || self.registrar.is_ending(agent) {
            return;
        }
        let mut shut_down = |why: &str| out.send_to_agent(address, ToAgent::Shutdown { message: why.into() });
        if self.gone.contains_key(&agent) {
            return shut_down(MARKED_GONE);
        }
        if !self.may_join(&back.info) {
            return;
        }
        if self.is_machine_down(&back.info.hostname, &back.info.ip) {
            return shut_down(MACHINE_IS_DOWN);
        }
        let Some(on) = self.agents.get(agent).and_then(Option::as_ref) else {
            let change = RegistryOperation::MarkReachable(agent, Box::new(back.info.clone()));
            self.registrar.reregistering.insert(agent, (address, back));
            return self.apply(now, change, out);
        };
        if on.info.ip != back.info.ip || on.info.hostname != back.info.hostname {
            let (ip, hostname) = (&on.info.ip, &on.info.hostname);
            return shut_down(&format!(
                "Slave attempted to re-register with different IP / hostname; expected {ip} ({hostname})"
            ));
        }
        if on.info == back.info {
            self.refresh_agent(now, address, &back, out);
        } else {
            let change = RegistryOperation::Update(agent, Box::new(back.info.clone()));
            self.registrar.reregistering.insert(agent, (address, back));
            self.apply(now, change, out);
        }
    }

    /// The registry knows what an agent says of itself now; it may have been lost meanwhile.
    pub(super) fn updated(&mut self, now: Time, agent: AgentId, out: &mut impl MasterEffects) {
        let (address, back) = self.registrar.reregistering.remove(&agent).expect("somebody asked for it");
        if self.is_registered(agent) {
            self.refresh_agent(now, address, &back, out);
        }
        self.notice_broken_connection(now, agent, address, out);
    }

    /// An agent that is registered is back: master and agent compare what they know (`Master::___reregisterSlave`).
    fn refresh_agent(
        &mut self,
        now: Time,
        address: Address,
        back: &Reregistration,
        out: &mut impl MasterEffects,
    ) {
        let agent = back.id;
        self.update_agent(now, address, back, out);
        self.remove_missing_executors(now, back, out);
        self.operations_reported(now, agent, back.operations.clone(), out);
        self.tell_what_differs(back, out);
        self.reconnect(now, agent, out);
        self.tell_of_frameworks(address, back, out);
        self.resume_draining(now, agent, out);
    }

    fn update_agent(
        &mut self,
        now: Time,
        address: Address,
        back: &Reregistration,
        out: &mut impl MasterEffects,
    ) {
        let agent = back.id;
        let on = self.agents[agent].as_mut().expect("the caller has looked");
        if on.address != address {
            let earlier = std::mem::replace(&mut on.address, address);
            if self.agent_at.get(&earlier) == Some(&agent) {
                self.agent_at.remove(&earlier);
            }
            self.agent_at.insert(address, agent);
        }
        on.reregistered = Some(now);
        if on.total != back.total {
            on.total = back.total.clone();
            out.note(Note::AgentTotal { agent, total: &on.total });
        }
        on.info = back.info.clone();
        let update = AgentUpdate {
            total: Some(on.total.clone()),
            capabilities: Some(on.info.capabilities),
            hostname: Some(on.info.hostname.clone()),
            attributes: Some(attributes_of(&on.info)),
            domain: Some(on.info.domain.clone()),
        };
        self.allocator.update_agent(agent, update);
    }

    fn remove_missing_executors(&mut self, now: Time, back: &Reregistration, out: &mut impl MasterEffects) {
        for (framework, executor) in self.executors_of_agent(back.id) {
            let is_it = |of: &ExecutorReport| of.framework == framework && of.executor.id == executor;
            if !back.executors.iter().any(is_it) {
                self.remove_executor(now, back.id, framework, executor, out);
            }
        }
    }

    /// The agent is asked about tasks that it did not name, and told again to kill those that should be over
    /// (`Master::reconcileKnownSlave`).
    fn tell_what_differs(&self, back: &Reregistration, out: &mut impl MasterEffects) {
        let on = self.agents[back.id].as_ref().expect("the caller has looked");
        let named: BTreeSet<TaskKey> = back.tasks.iter().map(TaskReport::key).collect();
        let mut reconcile = self.tasks_of_agent(back.id);
        reconcile.retain(|key| !named.contains(key));
        let ping_timeout = self.total_ping_timeout();
        out.send_to_agent(on.address, ToAgent::Reregistered { ping_timeout, reconcile });
        for task in back.tasks.iter().filter(|task| !task.state.is_terminal()) {
            if on.killed.contains(&task.key()) {
                out.send_to_agent(on.address, ToAgent::Kill { key: task.key(), grace: None });
            }
        }
    }

    fn reconnect(&mut self, now: Time, agent: AgentId, out: &mut impl MasterEffects) {
        let on = self.agents[agent].as_mut().expect("the caller has looked");
        if !std::mem::replace(&mut on.is_connected, true) {
            out.note(Note::AgentConnected { agent, connected: true });
            if !self.deactivated.contains(&agent) {
                self.allocator.activate_agent(agent);
            }
            if self.options.trust_agents {
                self.trust(now, agent);
            }
        }
    }

    /// The agent hears the news of its frameworks; those that are over it shuts down.
    pub(super) fn tell_of_frameworks(
        &self,
        address: Address,
        back: &Reregistration,
        out: &mut impl MasterEffects,
    ) {
        for &(framework, _) in &back.frameworks {
            let message = match self.frameworks.get(framework).and_then(Option::as_ref) {
                Some(of) => ToAgent::UpdateFramework { framework, info: of.info.clone() },
                None => ToAgent::ShutdownFramework(framework),
            };
            out.send_to_agent(address, message);
        }
    }

    /// An agent that is drained hears so again; it may be done by now.
    pub(super) fn resume_draining(&mut self, now: Time, agent: AgentId, out: &mut impl MasterEffects) {
        self.order_drain(agent, out);
        self.check_drained(now, agent, out);
    }

    pub(super) fn is_known_framework(&self, framework: FrameworkId) -> bool {
        self.frameworks.get(framework).is_some_and(Option::is_some)
    }
}
