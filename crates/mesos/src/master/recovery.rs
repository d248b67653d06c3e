//! A new master takes over (`Master::recover`): what the registry says, and waiting for agents and frameworks.

use super::{Identities, Master, MasterOptions, observer::Silence, timers::Timer};
use crate::{
    allocator::{Allocator, VisitOrder},
    effects::{MasterEffects, Note},
    id::AgentId,
    registry::{DrainInfo, Registry},
    time::Time,
};

/// What this master can do of what a registry may demand.
const CAPABILITIES: [&str; 3] = ["AGENT_UPDATE", "AGENT_DRAINING", "QUOTA_V2"];

impl Master {
    /// A master that takes over with what the last one stored. Agents have `agent_reregister_timeout` to come back; frameworks
    /// may come back when they like.
    ///
    /// # Errors
    /// When this master lacks what the registry demands.
    pub fn recover(
        options: MasterOptions,
        order: Box<dyn VisitOrder>,
        registry: &Registry,
        identities: &Identities,
        now: Time,
    ) -> Result<Self, String> {
        let lacks = |demanded: &&String| !CAPABILITIES.contains(&demanded.as_str());
        let missing: Vec<&str> =
            registry.minimum_capabilities.iter().filter(lacks).map(String::as_str).collect();
        if !missing.is_empty() {
            return Err(format!(
                "Master is missing the following required capabilities: {}",
                missing.join(", ")
            ));
        }
        let mut master = Self::without_weights(options, order);
        master.count_on(identities);
        master.recover_agents(now, registry);
        master.recover_weights(&registry.weights);
        let quotas = master.recover_quotas(&registry.quotas);
        master.allocator.recover(now, registry.admitted.len(), quotas);
        master.recover_maintenance(registry);
        Ok(master)
    }

    /// What the next master is to know of the identities given out.
    #[must_use]
    pub fn identities(&self) -> Identities {
        Identities {
            agents: self.agents.len(),
            frameworks: self.frameworks.len(),
            offers: self.offers.next_id(),
            operations: self.next_operation,
            roles: self.allocator.roles().iter().map(|(_, name)| name.to_owned()).collect(),
        }
    }

    /// Goes on counting where the last master ended.
    fn count_on(&mut self, identities: &Identities) {
        for role in &identities.roles {
            self.allocator.role(role);
        }
        self.agents = (0..identities.agents).map(|_| None).collect();
        self.frameworks = (0..identities.frameworks).map(|_| None).collect();
        self.offers.start_at(identities.offers);
        self.next_operation = identities.operations;
    }

    fn recover_agents(&mut self, now: Time, registry: &Registry) {
        for (&agent, admitted) in &registry.admitted {
            self.know_agent(agent, admitted.drain, admitted.deactivated);
            self.recovered.insert(agent, admitted.info.clone());
        }
        for (&agent, unreachable) in &registry.unreachable {
            self.know_agent(agent, unreachable.drain, unreachable.deactivated);
            self.unreachable.insert(agent, unreachable.since);
        }
        for (&agent, &since) in &registry.gone {
            self.know_agent(agent, None, false);
            self.gone.insert(agent, since);
        }
        self.agents_to_recover = self.recovered.len();
        if !self.recovered.is_empty() {
            self.timers.start(now + self.options.agent_reregister_timeout, Timer::RecoveredAgents);
        }
        self.gc.started = now;
        self.collect_what_is_left(now);
    }

    fn know_agent(&mut self, agent: AgentId, drain: Option<DrainInfo>, is_deactivated: bool) {
        self.agents.grow_to(agent, || None);
        if let Some(drain) = drain {
            self.draining.insert(agent, drain);
        }
        if is_deactivated {
            self.deactivated.insert(agent);
        }
    }

    /// Agents that the registry names had time enough to come back (`Master::recoveredSlavesTimeout`). If too large a part of
    /// them is missing, the master gives up instead: it would rather be restarted by somebody who knows why.
    pub(super) fn recovered_agents_timeout(&mut self, now: Time, out: &mut impl MasterEffects) {
        let (missing, of) = (self.recovered.len(), self.agents_to_recover);
        let part = missing as f64 / of as f64;
        if part > self.options.recovery_agent_removal_limit {
            let message = format!(
                "Post-recovery agent removal limit exceeded! After {} there were {missing} ({}%) agents recovered \
                 from the registry that did not re-register, with a limit of {}%",
                self.reregister_timeout_text(),
                part * 100.0,
                self.options.recovery_agent_removal_limit * 100.0
            );
            out.note(Note::Fatal(&message));
            self.fatal = Some(message);
            return;
        }
        let missing: Vec<AgentId> = self.recovered.keys().copied().collect();
        for agent in missing {
            if !self.gone.contains_key(&agent) {
                self.schedule_unreachable(now, agent, Silence::Failover, out);
            }
        }
    }
}
