//! Drives an allocator through a scenario, step by step.

use std::collections::{BTreeMap, BTreeSet};

use mesos::{
    allocator::{AgentUpdate, Allocations, Allocator, AllocatorAgent, AllocatorFramework, Held},
    id::{AgentId, FrameworkId, Id, RoleId},
    offer::Filters,
    quota::Quota,
    resource::{ResourceQuantities, Resources},
    time::Time,
};

use super::{
    format::AllocatorScenario,
    ledger::Ledger,
    step::{
        AddAgent, AddFramework, RecoverResources, Step, UpdateAgent, UpdateAllocation, UpdateFramework,
        UpdateInverseOffer, UpdateQuota, Used,
    },
    value::{Quantities, alternatives, conversions},
};
use crate::MakeAllocator;

/// An offer that the allocator made, in the names of the file.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) at: Time,
    pub(super) framework: String,
    pub(super) role: String,
    pub(super) agent: String,
    pub(super) resources: Resources,
}

/// An inverse offer that the allocator made, in the names of the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GivenInverse {
    pub(super) framework: String,
    pub(super) agent: String,
    pub(super) at: Time,
}

/// What one step brought.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// By framework, role, agent; of the same, in time order.
    pub(super) offers: Vec<Given>,
    /// By framework, agent and time.
    pub(super) inverse_offers: Vec<GivenInverse>,
    /// Why the allocator refused the step, and changed nothing.
    pub(super) refused: Option<String>,
    /// Why the step cannot be done at all.
    pub(super) impossible: Option<String>,
}

/// An allocator in the middle of a scenario.
pub(super) struct Session<'a> {
    pub(super) allocator: Box<dyn Allocator>,
    pub(super) now: Time,
    pub(super) held: Ledger,
    names: Names<'a>,
}

impl<'a> Session<'a> {
    pub(super) fn new(scenario: &'a AllocatorScenario, make: &mut MakeAllocator<'_>) -> Self {
        Self {
            allocator: make(scenario.options.complete()),
            now: Time::ZERO,
            held: Ledger::default(),
            names: Names::of(&scenario.steps),
        }
    }

    /// Does one step, and all that it triggers.
    pub(super) fn step(&mut self, step: &Step) -> Answer {
        let mut answer = Answer { impossible: self.held.take(step), ..Answer::default() };
        if answer.impossible.is_some() {
            return answer;
        }
        self.apply(step, &mut answer);
        let mut made = Allocations::default();
        self.allocator.run_triggered(self.now, &mut made);
        self.take(made, &mut answer);
        answer.offers.sort_by(|a, b| {
            (&a.framework, &a.role, &a.agent).cmp(&(&b.framework, &b.role, &b.agent)) // stable: in time order
        });
        answer.inverse_offers.sort();
        answer
    }

    fn apply(&mut self, step: &Step, answer: &mut Answer) {
        let Self { allocator, names, now, .. } = self;
        match step {
            Step::AddAgent(step) => self.add_agent(step),
            Step::UpdateAgent(step) => self.update_agent(step),
            Step::AddResourceProvider(step) => {
                let used = self.used(&step.used);
                let agent = self.names.agent(&step.agent);
                self.allocator.add_resource_provider(agent, &step.resources, &used);
            }
            Step::RemoveAgent(step) => allocator.remove_agent(names.agent(&step.agent)),
            Step::ActivateAgent(step) => allocator.activate_agent(names.agent(&step.agent)),
            Step::DeactivateAgent(step) => allocator.deactivate_agent(names.agent(&step.agent)),
            Step::AddFramework(step) => self.add_framework(step),
            Step::UpdateFramework(step) => self.update_framework(step),
            Step::RemoveFramework(step) => allocator.remove_framework(names.framework(&step.framework)),
            Step::ActivateFramework(step) => allocator.activate_framework(names.framework(&step.framework)),
            Step::DeactivateFramework(step) => {
                allocator.deactivate_framework(names.framework(&step.framework));
            }
            Step::RecoverResources(step) => self.recover_resources(step),
            Step::TransitionOfferedToAllocated(step) => {
                let role = allocator.role(&step.role);
                allocator.transition_offered_to_allocated(names.agent(&step.agent), role, &step.resources);
            }
            Step::SuppressOffers(step) => {
                let roles = roles(&mut **allocator, &step.roles);
                allocator.suppress_offers(names.framework(&step.framework), &roles);
            }
            Step::ReviveOffers(step) => {
                let roles = roles(&mut **allocator, &step.roles);
                allocator.revive_offers(names.framework(&step.framework), &roles);
            }
            Step::UpdateWeights(step) => {
                let weights = step.weights.iter().map(|(role, weight)| (allocator.role(role), *weight));
                let weights: Vec<_> = weights.collect();
                allocator.update_weights(&weights);
            }
            Step::UpdateQuota(step) => self.update_quota(step),
            Step::UpdateAvailable(step) => {
                let done = allocator.update_available(names.agent(&step.agent), &step.operations);
                answer.refused = done.err().map(|error| error.to_string());
            }
            Step::UpdateAllocation(step) => answer.impossible = self.update_allocation(step).err(),
            Step::UpdateUnavailability(step) => {
                let unavailability = step.unavailability.map(Into::into);
                allocator.update_unavailability(names.agent(&step.agent), unavailability);
            }
            Step::UpdateInverseOffer(step) => self.update_inverse_offer(step),
            Step::SetWhitelist(step) => allocator.set_whitelist(step.hostnames.clone()),
            Step::Pause => allocator.pause(),
            Step::Resume => allocator.resume(),
            Step::Advance(step) => {
                let end = *now + step.secs.0;
                self.advance(end, answer);
            }
        }
    }

    /// Lets the clock run up to and including `end`.
    fn advance(&mut self, end: Time, answer: &mut Answer) {
        let mut done = None;
        while let Some(due) = self.allocator.next_timeout(self.now) {
            // One that was handled and is due still would hold the clock for ever.
            if due > end || done == Some(due) {
                break;
            }
            self.now = due.max(self.now);
            done = Some(due);
            let mut made = Allocations::default();
            self.allocator.handle_timeout(self.now, &mut made);
            self.take(made, answer);
        }
        self.now = end;
    }

    fn take(&mut self, made: Allocations, answer: &mut Answer) {
        for offer in made.offers {
            let given = Given {
                at: self.now,
                framework: self.names.frameworks[offer.framework.index()].to_owned(),
                role: self.allocator.role_name(offer.role).to_owned(),
                agent: self.names.agents[offer.agent.index()].to_owned(),
                resources: offer.resources.unallocate(),
            };
            self.held.give(&given.framework, &given.role, &given.agent, &given.resources);
            answer.offers.push(given);
        }
        answer.inverse_offers.extend(made.inverse_offers.into_iter().map(|offer| GivenInverse {
            framework: self.names.frameworks[offer.framework.index()].to_owned(),
            agent: self.names.agents[offer.agent.index()].to_owned(),
            at: self.now,
        }));
    }

    fn add_agent(&mut self, step: &AddAgent) {
        let info = AllocatorAgent {
            total: step.resources.clone(),
            capabilities: step.capabilities,
            hostname: step.hostname.clone().unwrap_or_else(|| step.agent.clone()),
            attributes: step.attributes.0.clone(),
            domain: step.domain.clone().map(Into::into),
        };
        let used = self.used(&step.used);
        let unavailability = step.unavailability.map(Into::into);
        self.allocator.add_agent(self.names.agent(&step.agent), info, &used, unavailability);
    }

    fn update_agent(&mut self, step: &UpdateAgent) {
        let update = AgentUpdate {
            total: step.resources.clone(),
            capabilities: step.capabilities,
            hostname: step.hostname.clone(),
            attributes: step.attributes.as_ref().map(|attributes| attributes.0.clone()),
            domain: step.domain.clone().map(|domain| domain.map(Into::into)),
        };
        self.allocator.update_agent(self.names.agent(&step.agent), update);
    }

    fn add_framework(&mut self, step: &AddFramework) {
        let info = AllocatorFramework {
            path: step.framework.clone(),
            roles: roles(&mut *self.allocator, &step.roles),
            suppressed_roles: roles(&mut *self.allocator, &step.suppressed_roles),
            capabilities: step.capabilities,
            min_allocatable: minima(&mut *self.allocator, &step.min_allocatable),
            ..AllocatorFramework::default()
        };
        let mut used = Vec::new();
        for (agent, roles) in &step.used {
            for (role, resources) in roles {
                used.push((self.names.agent(agent), self.allocator.role(role), resources.clone()));
            }
        }
        self.allocator.add_framework(self.names.framework(&step.framework), info, &used, step.active);
    }

    fn update_framework(&mut self, step: &UpdateFramework) {
        let info = AllocatorFramework {
            path: step.framework.clone(),
            roles: roles(&mut *self.allocator, &step.roles),
            suppressed_roles: roles(&mut *self.allocator, &step.suppressed_roles),
            capabilities: step.capabilities,
            min_allocatable: minima(&mut *self.allocator, &step.min_allocatable),
            ..AllocatorFramework::default()
        };
        self.allocator.update_framework(self.names.framework(&step.framework), info);
    }

    fn recover_resources(&mut self, step: &RecoverResources) {
        let role = self.allocator.role(&step.role);
        self.allocator.recover_resources(
            self.now,
            self.names.framework(&step.framework),
            self.names.agent(&step.agent),
            role,
            &step.resources,
            step.refuse_secs.map(|refuse_seconds| Filters { refuse_seconds }),
            step.allocated,
        );
    }

    fn update_quota(&mut self, step: &UpdateQuota) {
        let role = self.allocator.role(&step.role);
        let quota = Quota { guarantees: step.guarantees.0.clone(), limits: step.limits.0.clone() };
        self.allocator.update_quota(role, quota);
    }

    /// # Errors
    /// When what was offered cannot be converted.
    fn update_allocation(&mut self, step: &UpdateAllocation) -> Result<(), String> {
        let changes = conversions(step.operations.as_deref(), step.conversions.as_deref())
            .map_err(|error| error.to_string())?;
        let mut after = step.offered.clone();
        changes.iter().try_for_each(|change| after.convert(change)).map_err(|error| error.to_string())?;
        self.held.replace(step, &after);
        let role = self.allocator.role(&step.role);
        let (framework, agent) = (self.names.framework(&step.framework), self.names.agent(&step.agent));
        self.allocator.update_allocation(framework, agent, role, &step.offered, &changes);
        Ok(())
    }

    fn update_inverse_offer(&mut self, step: &UpdateInverseOffer) {
        let filters = step.refuse_secs.map(|refuse_seconds| Filters { refuse_seconds });
        let (framework, agent) = (self.names.framework(&step.framework), self.names.agent(&step.agent));
        let status = step.status.map(Into::into);
        self.allocator.update_inverse_offer(self.now, framework, agent, status, filters);
    }

    /// What frameworks use of an agent.
    fn used(&mut self, used: &Used) -> Vec<Held> {
        let mut all = Vec::new();
        for (framework, roles) in used {
            for (role, resources) in roles {
                let framework = self.names.framework(framework);
                all.push((framework, self.allocator.role(role), resources.clone()));
            }
        }
        all
    }
}

fn roles(allocator: &mut dyn Allocator, names: &[String]) -> Vec<RoleId> {
    names.iter().map(|name| allocator.role(name)).collect()
}

fn minima(
    allocator: &mut dyn Allocator,
    minima: &BTreeMap<String, Vec<Quantities>>,
) -> Vec<(RoleId, Vec<ResourceQuantities>)> {
    minima.iter().map(|(role, list)| (allocator.role(role), alternatives(list))).collect()
}

/// All names of a scenario, sorted by bytes. Their ranks are the ids that the core sees, so that ascending ids are
/// ascending names, and who comes back is the same as before.
struct Names<'a> {
    agents: Vec<&'a str>,
    frameworks: Vec<&'a str>,
}

impl<'a> Names<'a> {
    fn of(steps: &'a [Step]) -> Self {
        let (mut agents, mut frameworks) = (BTreeSet::new(), BTreeSet::new());
        for step in steps {
            agents.extend(step.agent());
            frameworks.extend(step.framework());
            let users = step.used().into_iter().flatten().map(|(name, _)| name.as_str());
            // A framework says on which agents, an agent by which frameworks.
            if step.framework().is_some() { agents.extend(users) } else { frameworks.extend(users) }
        }
        Self { agents: agents.into_iter().collect(), frameworks: frameworks.into_iter().collect() }
    }

    fn agent(&self, name: &str) -> AgentId {
        AgentId::new(rank(&self.agents, name))
    }

    fn framework(&self, name: &str) -> FrameworkId {
        FrameworkId::new(rank(&self.frameworks, name))
    }
}

fn rank(names: &[&str], name: &str) -> usize {
    names.binary_search(&name).expect("all names of the scenario were gathered before its first step")
}
