//! Registration of agents, and what they say of their resources (`Master::registerSlave`, `updateSlave`).

use super::{
    Master,
    state::{Agent, Ping},
};
use crate::{
    allocator::{AgentUpdate, Allocator, AllocatorAgent, Held},
    attribute::{AttributeValue, Attributes},
    effects::{MasterEffects, Note},
    event::ToAgent,
    id::{Address, AgentId},
    registration::AgentInfo,
    registry::RegistryOperation,
    resource::Resources,
    time::{Span, Time},
};

/// What an agent hears on a machine that is down for maintenance.
pub(super) const MACHINE_IS_DOWN: &str = "Machine is `DOWN`";

impl Master {
    /// A new agent (`Master::registerSlave`). What may not join is passed over in silence.
    pub(super) fn register(
        &mut self,
        now: Time,
        address: Address,
        info: Box<AgentInfo>,
        out: &mut impl MasterEffects,
    ) {
        if !self.may_join(&info) {
            return;
        }
        if self.is_machine_down(&info.hostname, &info.ip) {
            return out.send_to_agent(address, ToAgent::Shutdown { message: MACHINE_IS_DOWN.into() });
        }
        if let Some(&id) = self.agent_at.get(&address) {
            if self.agents[id].as_ref().expect("an agent with an address is registered").is_connected {
                let ping_timeout = self.total_ping_timeout();
                return out.send_to_agent(address, ToAgent::Registered { id, ping_timeout });
            }
            self.remove_agent(now, id, "a new agent registered at the same address", out);
        }
        if self.registrar.registering.insert(address) {
            let agent = self.agents.push(None);
            self.registrar.admitting.insert(agent, address);
            self.apply(now, RegistryOperation::Admit(agent, info), out);
        }
    }

    /// Whether Mesos takes such an agent at all.
    pub(super) fn may_join(&self, info: &AgentInfo) -> bool {
        let has_stray_domain = info.domain.is_some() && self.options.allocator.domain.is_none();
        let lacks_domain = info.domain.is_none() && self.options.require_agent_domain;
        info.version >= (1, 0, 0) && !has_stray_domain && !lacks_domain
    }

    /// If no ping comes for so long, an agent thinks that its master is lost.
    pub(super) fn total_ping_timeout(&self) -> Span {
        Span(self.options.agent_ping_timeout.0.saturating_mul(self.options.max_agent_ping_timeouts.into()))
    }

    /// A new agent is in the registry (`Master::__registerSlave`).
    pub(super) fn admitted(
        &mut self,
        now: Time,
        agent: AgentId,
        info: AgentInfo,
        out: &mut impl MasterEffects,
    ) {
        let address = self.registrar.admitting.remove(&agent).expect("somebody asked for it");
        self.registrar.registering.remove(&address);
        let total = info.resources.clone();
        self.add_agent(agent, Agent::new(now, address, info, total), &[], out);
        let ping_timeout = self.total_ping_timeout();
        out.send_to_agent(address, ToAgent::Registered { id: agent, ping_timeout });
        self.start_pings(now, agent, out);
        self.notice_broken_connection(now, agent, address, out);
    }

    /// Puts an agent among the registered ones; `used` is what its tasks and executors hold (`Master::addSlave`).
    pub(super) fn add_agent(
        &mut self,
        agent: AgentId,
        on: Agent,
        used: &[Held],
        out: &mut impl MasterEffects,
    ) {
        let slot = self.agents.grow_to(agent, || None);
        assert!(slot.is_none(), "{agent:?} is registered already");
        self.agent_at.insert(on.address, agent);
        let is_new = on.reregistered.is_none();
        out.note(Note::AgentAdded { agent, address: on.address, total: &on.total, is_new });
        let known = allocator_agent(&on.info, &on.total);
        *slot = Some(Box::new(on));
        let unavailability = self.unavailability_of(agent).map(|when| *when);
        self.allocator.add_agent(agent, known, used, unavailability);
        if self.deactivated.contains(&agent) {
            self.allocator.deactivate_agent(agent);
        }
    }

    /// The revocable resources of an agent have changed; offers of them are rescinded (`Master::updateSlave`).
    pub(super) fn update_revocable(
        &mut self,
        now: Time,
        agent: AgentId,
        revocable: &Resources,
        out: &mut impl MasterEffects,
    ) {
        let Some(on) = self.agents.get(agent).and_then(Option::as_ref) else { return };
        if on.total.revocable() == *revocable {
            return;
        }
        let mut total = on.total.non_revocable();
        total += revocable;
        self.rescind_offers_of_agent(now, agent, |offer| offer.resources.has_revocable(), out);
        self.set_total(agent, total, out);
    }

    /// The other resources of an agent have changed (`Master::updateSlave`).
    pub(super) fn update_total(
        &mut self,
        now: Time,
        agent: AgentId,
        total: &Resources,
        out: &mut impl MasterEffects,
    ) {
        let Some(on) = self.agents.get(agent).and_then(Option::as_ref) else { return };
        let mut total = total.clone();
        total += &on.total.revocable();
        if total != on.total {
            self.set_total(agent, total, out);
        }
        if self.draining.contains_key(&agent) {
            self.check_drained(now, agent, out);
        }
    }

    fn set_total(&mut self, agent: AgentId, total: Resources, out: &mut impl MasterEffects) {
        out.note(Note::AgentTotal { agent, total: &total });
        let update = AgentUpdate { total: Some(total.clone()), ..AgentUpdate::default() };
        self.allocator.update_agent(agent, update);
        self.agents[agent].as_mut().expect("the caller has looked").total = total;
    }
}

impl Agent {
    /// An agent that is connected and has nothing to do yet.
    pub(super) fn new(now: Time, address: Address, info: AgentInfo, total: Resources) -> Self {
        Self {
            info,
            address,
            total,
            is_connected: true,
            disconnections: 0,
            tasks: Vec::new(),
            executors: Vec::new(),
            killed: Vec::new(),
            operations: Vec::new(),
            ping: Ping::default(),
            registered: now,
            reregistered: None,
        }
    }
}

/// What the allocator is to know of an agent.
pub(super) fn allocator_agent(info: &AgentInfo, total: &Resources) -> AllocatorAgent {
    AllocatorAgent {
        total: total.clone(),
        capabilities: info.capabilities,
        hostname: info.hostname.clone(),
        attributes: attributes_of(info),
        domain: info.domain.clone(),
    }
}

pub(super) fn attributes_of(info: &AgentInfo) -> Attributes {
    let parse = |(name, text): &(String, String)| {
        let parsed = Attributes::parse(&format!("{name}:{text}")).ok();
        let parsed = parsed.filter(|list| list.0.len() == 1).and_then(|mut list| list.0.pop());
        parsed.unwrap_or_else(|| (name.clone(), AttributeValue::Text(text.clone())))
    };
    Attributes(info.attributes.iter().map(parse).collect())
}
