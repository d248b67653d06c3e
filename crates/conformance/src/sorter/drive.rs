//! Drives a sorter step by step, and keeps a ledger of who holds what, which the sorter itself does not.

use std::collections::{BTreeMap, BTreeSet};

use mesos::{
    allocator::sorter::Sorter,
    id::{AgentId, Interner, RoleId},
    resource::{ResourceQuantities, Resources},
    role,
};

use super::format::{Booking, Scenario, Step, Update, UpdateWeight};
use crate::nearest;

/// A sorter, and what was said to it.
pub(super) struct Session {
    sorter: Sorter<RoleId>,
    ids: Interner<RoleId>,
    agent_ids: Interner<AgentId>,
    /// The agents that come at some time.
    named: BTreeSet<String>,
    /// What each agent there is brought into the total.
    agents: BTreeMap<String, ResourceQuantities>,
    /// What each client there is holds, by agent; never nothing.
    ledger: BTreeMap<String, BTreeMap<String, Resources>>,
    /// The answer of the last step, if it was `sort`.
    pub(super) order: Option<Vec<String>>,
}

impl Session {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let named = scenario
            .steps
            .iter()
            .filter_map(|step| if let Step::AddAgent(step) = step { Some(step.agent.clone()) } else { None });
        Self {
            sorter: Sorter::new(scenario.options.kind(), scenario.options.excluded(), false),
            named: named.collect(),
            ids: Interner::new(),
            agent_ids: Interner::new(),
            agents: BTreeMap::new(),
            ledger: BTreeMap::new(),
            order: None,
        }
    }

    /// Does one step; or says, with the key, why it makes no sense here.
    pub(super) fn step(&mut self, step: &Step) -> Result<(), String> {
        self.order = None;
        match step {
            Step::Add(step) => self.add(&step.client)?,
            Step::Remove(step) => {
                let id = self.client(&step.client)?;
                self.sorter.remove(id);
                self.ledger.remove(&step.client);
            }
            Step::Activate(step) => {
                let id = self.client(&step.client)?;
                self.sorter.activate(id);
            }
            Step::Deactivate(step) => {
                let id = self.client(&step.client)?;
                self.sorter.deactivate(id);
            }
            Step::AddAgent(step) => self.add_agent(&step.agent, step.resources.quantities())?,
            Step::RemoveAgent(step) => self.remove_agent(&step.agent)?,
            Step::Allocated(step) => self.allocated(step)?,
            Step::Unallocated(step) => self.unallocated(step)?,
            Step::Update(step) => self.update(step)?,
            Step::UpdateWeight(step) => self.update_weight(step)?,
            Step::Sort => self.sort(),
        }
        Ok(())
    }

    fn add(&mut self, client: &str) -> Result<(), String> {
        role::validate(client).map_err(|error| format!("`client`: {error}"))?;
        if self.ledger.contains_key(client) {
            return Err(format!("`client`: `{client}` is there already"));
        }
        let id = self.ids.intern(client);
        self.sorter.add(id, client);
        self.ledger.insert(client.to_owned(), BTreeMap::new());
        Ok(())
    }

    fn add_agent(&mut self, agent: &str, quantities: &ResourceQuantities) -> Result<(), String> {
        if self.agents.contains_key(agent) {
            return Err(format!("`agent`: `{agent}` is there already"));
        }
        self.sorter.add_total(quantities);
        self.agents.insert(agent.to_owned(), quantities.clone());
        Ok(())
    }

    /// What clients hold there stays: in Mesos, too, that is given back apart.
    fn remove_agent(&mut self, agent: &str) -> Result<(), String> {
        let quantities = self.agents.remove(agent).ok_or_else(|| {
            let nearest = nearest::expected(agent, self.agents.keys().map(String::as_str));
            format!("`agent`: there is no agent `{agent}`: {nearest}")
        })?;
        self.sorter.remove_total(&quantities);
        Ok(())
    }

    fn allocated(&mut self, step: &Booking) -> Result<(), String> {
        let (id, agent) = (self.client(&step.client)?, self.agent(&step.agent)?);
        self.sorter.allocated(id, agent, &step.resources);
        self.enter(&step.client, &step.agent, |held| *held += &step.resources);
        Ok(())
    }

    fn unallocated(&mut self, step: &Booking) -> Result<(), String> {
        let id = self.client(&step.client)?;
        self.must_hold(&step.client, &step.agent, "resources", &step.resources)?;
        let agent = self.agent_ids.intern(&step.agent);
        self.sorter.unallocated(id, agent, &step.resources);
        self.enter(&step.client, &step.agent, |held| *held -= &step.resources);
        Ok(())
    }

    fn update(&mut self, step: &Update) -> Result<(), String> {
        let id = self.client(&step.client)?;
        self.must_hold(&step.client, &step.agent, "old", &step.old)?;
        let agent = self.agent_ids.intern(&step.agent);
        self.sorter.update(id, agent, &step.old, &step.new);
        self.enter(&step.client, &step.agent, |held| {
            *held -= &step.old;
            *held += &step.new;
        });
        Ok(())
    }

    fn update_weight(&mut self, step: &UpdateWeight) -> Result<(), String> {
        role::validate(&step.path).map_err(|error| format!("`path`: {error}"))?;
        if !(step.weight > 0.0 && step.weight.is_finite()) {
            return Err(format!("`weight`: expected a number above 0, found {}", step.weight));
        }
        self.sorter.update_weight(&step.path, step.weight);
        Ok(())
    }

    fn sort(&mut self) {
        self.sorter.sort();
        let clients = (0..).map_while(|n| self.sorter.nth(n));
        self.order = Some(clients.map(|id| self.ids.name(id).to_owned()).collect());
    }

    fn enter(&mut self, client: &str, agent: &str, change: impl FnOnce(&mut Resources)) {
        let by_agent = self.ledger.entry(client.to_owned()).or_default();
        let held = by_agent.entry(agent.to_owned()).or_default();
        change(held);
        if held.is_empty() {
            by_agent.remove(agent);
        }
    }

    fn client(&self, client: &str) -> Result<RoleId, String> {
        let known = self.ids.get(client).filter(|&id| self.sorter.contains(id));
        known.ok_or_else(|| {
            let nearest = nearest::expected(client, self.ledger.keys().map(String::as_str));
            format!("`client`: there is no client `{client}`: {nearest}")
        })
    }

    /// An agent need not be there for something to be allocated on it; but its name must occur.
    fn agent(&mut self, agent: &str) -> Result<AgentId, String> {
        if self.named.contains(agent) || self.named.is_empty() {
            return Ok(self.agent_ids.intern(agent));
        }
        let nearest = nearest::expected(agent, self.named.iter().map(String::as_str));
        Err(format!("`agent`: no step adds an agent `{agent}`: {nearest}"))
    }

    fn must_hold(&self, client: &str, agent: &str, key: &str, resources: &Resources) -> Result<(), String> {
        let held = self.ledger.get(client).and_then(|by_agent| by_agent.get(agent));
        if held.unwrap_or(&Resources::EMPTY).contains(resources) {
            return Ok(());
        }
        let held = held.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        Err(format!("`{key}`: `{client}` holds {held} on `{agent}`, not {resources}"))
    }

    pub(super) fn len(&self) -> usize {
        self.sorter.len()
    }

    pub(super) fn contains(&self, client: &str) -> bool {
        self.ids.get(client).is_some_and(|id| self.sorter.contains(id))
    }

    /// What the client holds by agent, as the ledger has it.
    pub(super) fn holdings(&self, client: &str) -> Option<&BTreeMap<String, Resources>> {
        self.ledger.get(client)
    }

    pub(super) fn clients(&self) -> impl Iterator<Item = &str> {
        self.ledger.keys().map(String::as_str)
    }

    /// What the client holds, as the sorter has it.
    pub(super) fn allocation(&self, client: &str) -> Option<&ResourceQuantities> {
        self.client(client).ok().map(|id| self.sorter.allocation(id))
    }

    /// What all clients hold, as the sorter has it.
    pub(super) fn total_allocation(&self) -> &ResourceQuantities {
        self.sorter.total_allocation()
    }

    /// What these clients hold together, as the ledger has it: a shared volume counts once per agent.
    pub(super) fn sum_of<'a>(&self, clients: impl Iterator<Item = &'a str>) -> ResourceQuantities {
        let mut by_agent: BTreeMap<&str, Resources> = BTreeMap::new();
        for (agent, held) in clients.filter_map(|client| self.ledger.get(client)).flatten() {
            *by_agent.entry(agent).or_default() += held;
        }
        let mut sum = ResourceQuantities::EMPTY;
        by_agent.values().for_each(|held| sum += held.quantities());
        sum
    }
}
