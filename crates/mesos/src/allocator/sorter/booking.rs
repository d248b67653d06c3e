//! Bookings that shared resources take part in.
//!
//! A node counts a shared volume once per agent, however many copies are out. Only such volumes are therefore remembered
//! by agent; of everything else a node knows the sum.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::tree::NodeId;
use crate::{
    id::{AgentId, Id},
    resource::{Resource, ResourceQuantities, Resources, Scalar},
};

/// What a call does at each node from the leaf up.
#[derive(Debug)]
pub(super) struct Booking {
    agent: AgentId,
    /// What the node's sum loses and gains in any case.
    minus: ResourceQuantities,
    plus: ResourceQuantities,
    /// Copies given back, and given.
    taken: Vec<Copies>,
    given: Vec<Copies>,
    /// Whether a copy's size is in `minus` and `plus` already.
    sized: bool,
    /// How many allocations it is.
    pub(super) times: u64,
}

/// A shared resource, so many times.
#[derive(Clone, Debug)]
struct Copies {
    resource: Resource,
    number: u32,
    size: ResourceQuantities,
}

impl Booking {
    fn new(agent: AgentId) -> Self {
        let none = ResourceQuantities::EMPTY;
        Self { agent, minus: none.clone(), plus: none, taken: vec![], given: vec![], sized: false, times: 0 }
    }

    /// `Node::Allocation::add`.
    pub(super) fn allocated(agent: AgentId, resources: &Resources) -> Self {
        let (plus, given) = divide(resources);
        Self { plus, given, times: 1, ..Self::new(agent) }
    }

    /// `Node::Allocation::subtract`.
    pub(super) fn unallocated(agent: AgentId, resources: &Resources) -> Self {
        let (minus, taken) = divide(resources);
        Self { minus, taken, ..Self::new(agent) }
    }

    /// `Node::Allocation::update`, which does not ask how many copies are left: a volume on both sides changes nothing, one
    /// that comes or goes counts in full.
    pub(super) fn update(agent: AgentId, old: &Resources, new: &Resources) -> Self {
        let ((_, taken), (_, given)) = (divide(old), divide(new));
        let (minus, plus) = (old.quantities().clone(), new.quantities().clone());
        Self { minus, plus, taken, given, sized: true, ..Self::new(agent) }
    }
}

/// Scalars that are not shared, and what is.
fn divide(resources: &Resources) -> (ResourceQuantities, Vec<Copies>) {
    let shared = resources.shared();
    let copies = shared.entries().map(|(resource, number)| {
        let mut size = ResourceQuantities::EMPTY;
        size.add(&resource.name, resource.amount().unwrap_or(Scalar::ZERO));
        Copies { resource, number, size }
    });
    (resources.non_shared().quantities().clone(), copies.collect())
}

/// The copies of shared resources that each node holds on each agent.
#[derive(Debug, Default)]
pub(super) struct SharedBook {
    held: BTreeMap<(NodeId, AgentId), SmallVec<[Copies; 1]>>,
}

impl SharedBook {
    /// Books at one node, whose sum is `sum`.
    pub(super) fn book(&mut self, at: NodeId, booking: &Booking, sum: &mut ResourceQuantities) {
        *sum -= &booking.minus;
        for copies in &booking.taken {
            if self.take(at, booking.agent, copies) && !booking.sized {
                *sum -= &copies.size;
            }
        }
        *sum += &booking.plus;
        for copies in &booking.given {
            if self.give(at, booking.agent, copies) && !booking.sized {
                *sum += &copies.size;
            }
        }
    }

    /// What takes everything off again that a node holds, given its sum: one booking per agent with shared resources, and
    /// one for all the rest.
    pub(super) fn all_of(&self, at: NodeId, sum: &ResourceQuantities) -> Vec<Booking> {
        let nowhere = AgentId::new(0); // where the rest lies makes no difference
        let mut rest = Booking { minus: sum.clone(), ..Booking::new(nowhere) };
        let mut bookings = Vec::new();
        for (&(_, agent), copies) in self.of(at) {
            copies.iter().for_each(|copies| rest.minus -= &copies.size);
            bookings.push(Booking { taken: copies.to_vec(), ..Booking::new(agent) });
        }
        bookings.push(rest);
        bookings
    }

    /// `to` holds what `from` holds.
    pub(super) fn copy(&mut self, from: NodeId, to: NodeId) {
        let copied: Vec<_> =
            self.of(from).map(|(&(_, agent), copies)| ((to, agent), copies.clone())).collect();
        self.held.extend(copied);
    }

    /// The node is gone.
    pub(super) fn forget(&mut self, at: NodeId) {
        let keys: Vec<_> = self.of(at).map(|(&key, _)| key).collect();
        for key in keys {
            self.held.remove(&key);
        }
    }

    fn of(&self, at: NodeId) -> impl Iterator<Item = (&(NodeId, AgentId), &SmallVec<[Copies; 1]>)> {
        let first = (at, AgentId::new(0));
        self.held.range(first..).take_while(move |((node, _), _)| *node == at)
    }

    /// Whether these are the first copies there.
    fn give(&mut self, at: NodeId, agent: AgentId, copies: &Copies) -> bool {
        let there = self.held.entry((at, agent)).or_default();
        if let Some(same) = there.iter_mut().find(|other| other.resource == copies.resource) {
            same.number += copies.number;
            return false;
        }
        there.push(copies.clone());
        true
    }

    /// Whether these were the last copies there.
    fn take(&mut self, at: NodeId, agent: AgentId, copies: &Copies) -> bool {
        let Some(there) = self.held.get_mut(&(at, agent)) else { return false };
        let Some(place) = there.iter().position(|other| other.resource == copies.resource) else {
            return false;
        };
        there[place].number = there[place].number.saturating_sub(copies.number);
        if there[place].number > 0 {
            return false;
        }
        there.swap_remove(place);
        if there.is_empty() {
            self.held.remove(&(at, agent));
        }
        true
    }
}
