//! Who holds what, by the allocator's offers and the scenario's steps: so that a step that gives back what nobody has is
//! noticed before it reaches the allocator.

use std::collections::{BTreeMap, BTreeSet};

use mesos::resource::Resources;

use super::{
    compare::text,
    step::{RecoverResources, Step, UpdateAllocation},
};

/// Framework, role, agent.
type Key = (String, String, String);

/// What frameworks hold of agents, offered or allocated.
#[derive(Default)]
pub(super) struct Ledger {
    held: BTreeMap<Key, Resources>,
    agents: BTreeSet<String>,
    frameworks: BTreeSet<String>,
}

impl Ledger {
    /// The framework is offered this.
    pub(super) fn give(&mut self, framework: &str, role: &str, agent: &str, resources: &Resources) {
        let key = (framework.to_owned(), role.to_owned(), agent.to_owned());
        *self.held.entry(key).or_default() += resources;
    }

    /// Enters a step; says why it cannot be, if it gives back or changes what is not held.
    pub(super) fn take(&mut self, step: &Step) -> Option<String> {
        if let Some(used) = step.used()
            && let (Some(agent), None) = (step.agent(), step.framework())
        {
            for (framework, roles) in used {
                roles.iter().for_each(|(role, set)| self.give(framework, role, agent, set));
            }
        }
        if let Step::AddAgent(step) = step {
            self.agents.insert(step.agent.clone());
        } else if let Step::AddFramework(step) = step {
            self.frameworks.insert(step.framework.clone());
        } else if let Step::RemoveAgent(step) = step {
            self.agents.remove(&step.agent);
            self.held.retain(|(_, _, agent), _| *agent != step.agent);
        } else if let Step::RemoveFramework(step) = step {
            self.frameworks.remove(&step.framework);
            self.held.retain(|(framework, _, _), _| *framework != step.framework);
        } else if let Step::RecoverResources(step) = step {
            return self.recover(step);
        } else if let Step::UpdateAllocation(step) = step {
            return self.lacks(&step.framework, &step.role, &step.agent, &step.offered);
        }
        None
    }

    fn recover(&mut self, step: &RecoverResources) -> Option<String> {
        if !self.knows(&step.framework, &step.agent) {
            return None;
        }
        let lacks = self.lacks(&step.framework, &step.role, &step.agent, &step.resources);
        if lacks.is_none() {
            let key = (step.framework.clone(), step.role.clone(), step.agent.clone());
            *self.held.entry(key).or_default() -= &step.resources;
        }
        lacks
    }

    /// Whether both are there.
    pub(super) fn knows(&self, framework: &str, agent: &str) -> bool {
        self.frameworks.contains(framework) && self.agents.contains(agent)
    }

    /// What was offered has become something else.
    pub(super) fn replace(&mut self, step: &UpdateAllocation, after: &Resources) {
        let key = (step.framework.clone(), step.role.clone(), step.agent.clone());
        let held = self.held.entry(key).or_default();
        *held -= &step.offered;
        *held += after;
    }

    fn lacks(&self, framework: &str, role: &str, agent: &str, wanted: &Resources) -> Option<String> {
        let key = (framework.to_owned(), role.to_owned(), agent.to_owned());
        let held = self.held.get(&key).unwrap_or(&Resources::EMPTY);
        (!held.contains(wanted)).then(|| {
            let (wanted, held) = (text(wanted), text(held));
            format!("{framework} holds {held} of {agent} under {role}, not {wanted}")
        })
    }

    /// What is held, by framework, role and agent.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&str, &str, &str, &Resources)> {
        let rows = self.held.iter().filter(|(_, resources)| !resources.is_empty());
        rows.map(|((framework, role, agent), resources)| (&**framework, &**role, &**agent, resources))
    }
}
