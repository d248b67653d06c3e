//! The offers a framework has at hand, by agent: what placement policies choose from.

use std::collections::BTreeSet;

use mesos::{
    id::{AgentId, Id, OfferId},
    offer::Offer,
    resource::{ResourceName, Resources, Scalar},
};
use smallvec::SmallVec;

use crate::workload::{Demand, ModelSet};

/// Offers of one agent, which an ACCEPT may name together.
#[derive(Clone, Debug, Default)]
struct Candidate {
    offers: SmallVec<[OfferId; 2]>,
    free: Resources,
    model: ModelSet,
}

/// Offers at hand. Several offers of one agent count as one larger offer.
///
/// With an index the best-fitting agent is found without looking at all of them: worth it for offers that are kept, not
/// for those that are answered at once.
#[derive(Clone, Debug)]
pub struct Pool {
    by_agent: Vec<Candidate>,
    /// One bit for each agent of which something is at hand.
    present: Vec<u64>,
    len: usize,
    /// All that is free.
    cpus: Scalar,
    by_free_cpus: Option<BTreeSet<(i64, u32)>>,
}

impl Pool {
    /// Nothing at hand.
    #[must_use]
    pub fn new(indexed: bool) -> Self {
        Self {
            by_agent: Vec::new(),
            present: Vec::new(),
            len: 0,
            cpus: Scalar::ZERO,
            by_free_cpus: indexed.then(BTreeSet::new),
        }
    }

    /// Of how many agents something is at hand.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// CPUs at hand, over all agents.
    #[must_use]
    pub const fn cpus(&self) -> Scalar {
        self.cpus
    }

    /// Whether nothing is at hand.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether something of this agent is at hand.
    #[must_use]
    pub fn has(&self, agent: AgentId) -> bool {
        self.by_agent.get(agent.index()).is_some_and(|candidate| !candidate.offers.is_empty())
    }

    /// Adds an offer of an agent whose GPUs are of this model.
    pub fn add(&mut self, offer: Offer, model: ModelSet) {
        let place = offer.agent.index();
        if place >= self.by_agent.len() {
            self.by_agent.resize_with(place + 1, Candidate::default);
            self.present.resize(place / 64 + 1, 0);
        }
        if !self.by_agent[place].offers.is_empty() {
            self.unindex(place);
        }
        self.cpus = self.cpus + offer.resources.get(ResourceName::Cpus);
        let candidate = &mut self.by_agent[place];
        if candidate.offers.is_empty() {
            candidate.free = offer.resources;
            candidate.model = model;
            self.present[place / 64] |= 1 << (place % 64);
            self.len += 1;
        } else {
            candidate.free += &offer.resources;
        }
        candidate.offers.push(offer.id);
        self.index(place);
    }

    /// Takes all offers of an agent away.
    pub fn remove(&mut self, agent: AgentId) -> SmallVec<[OfferId; 2]> {
        let place = agent.index();
        self.unindex(place);
        let offers = std::mem::take(&mut self.by_agent[place].offers);
        if !offers.is_empty() {
            self.present[place / 64] &= !(1 << (place % 64));
            self.len -= 1;
            self.cpus = self.cpus - self.by_agent[place].free.get(ResourceName::Cpus);
        }
        offers
    }

    /// Takes all offers of all agents away, by ascending agent.
    pub fn drain(&mut self) -> Vec<OfferId> {
        let agents: Vec<AgentId> = self.iter().collect();
        agents.into_iter().flat_map(|agent| self.remove(agent)).collect()
    }

    /// Lessens what is free on an agent; its offers stay at hand.
    pub fn use_up(&mut self, agent: AgentId, used: &Resources) {
        let place = agent.index();
        self.unindex(place);
        assert!(self.by_agent[place].free.contains(used), "{used:?} of {:?}", self.by_agent[place].free);
        self.by_agent[place].free -= used;
        self.cpus = self.cpus - used.get(ResourceName::Cpus);
        self.index(place);
    }

    /// The agents of which something is at hand, ascending.
    pub fn iter(&self) -> impl Iterator<Item = AgentId> {
        self.present.iter().enumerate().flat_map(|(word, &bits)| {
            let mut left = bits;
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros() as usize;
                    left &= left - 1;
                    AgentId::new(word * 64 + bit)
                })
            })
        })
    }

    /// What is free on an agent.
    #[must_use]
    pub fn free(&self, agent: AgentId) -> &Resources {
        &self.by_agent[agent.index()].free
    }

    /// The offers of an agent.
    #[must_use]
    pub fn offers(&self, agent: AgentId) -> &[OfferId] {
        &self.by_agent[agent.index()].offers
    }

    /// Whether the demand fits on an agent.
    #[inline]
    #[must_use]
    pub fn fits(&self, demand: &Demand, agent: AgentId) -> bool {
        let candidate = &self.by_agent[agent.index()];
        demand.fits(&candidate.free, candidate.model)
    }

    /// The agents on which the demand fits, ascending.
    pub fn fitting<'a>(&'a self, demand: &'a Demand) -> impl Iterator<Item = AgentId> + 'a {
        self.iter().filter(|&agent| self.fits(demand, agent))
    }

    /// The agent with the fewest free cpus on which the demand fits; ties to the lowest agent.
    #[must_use]
    pub fn fewest_free_cpus(&self, demand: &Demand) -> Option<AgentId> {
        match &self.by_free_cpus {
            Some(index) => {
                let enough = index.range((demand.cpus.0, 0)..);
                enough.map(|&(_, agent)| AgentId::new(agent as usize)).find(|&agent| self.fits(demand, agent))
            }
            None => self.fitting(demand).min_by_key(|&agent| self.free(agent).get(ResourceName::Cpus)),
        }
    }

    fn key(&self, place: usize) -> (i64, u32) {
        (self.by_agent[place].free.get(ResourceName::Cpus).0, place as u32)
    }

    fn index(&mut self, place: usize) {
        let key = self.key(place);
        if let Some(index) = &mut self.by_free_cpus {
            index.insert(key);
        }
    }

    fn unindex(&mut self, place: usize) {
        let key = self.key(place);
        if let Some(index) = &mut self.by_free_cpus {
            index.remove(&key);
        }
    }
}
