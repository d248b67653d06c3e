//! Offer filters: which refused resources must not be offered again, and until when.
//!
//! A filter has no timer of its own. It knows when it ends, and a heap knows at which periodic allocation somebody must
//! look again at the agents of the filters that have ended by then. Reviving drops all filters of a role at once, by
//! going to a new generation.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use crate::{
    id::{AgentId, Id},
    resource::Resources,
    time::Time,
};

/// When a filter stops holding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Expiry {
    /// The instant.
    pub(crate) at: Time,
    /// Whether a periodic allocation in that very instant still sees the filter. So it is for filters that last exactly one
    /// interval: their timer is younger than that of the allocation.
    pub(crate) outlasts_tick: bool,
    /// The first periodic allocation that no longer sees it.
    pub(crate) visible_at: Time,
}

impl Expiry {
    /// Whether some allocation sees a filter that ends so, and no longer one that ends as `other`.
    fn outlives(self, other: Self) -> bool {
        (self.at, self.outlasts_tick) > (other.at, other.outlasts_tick)
    }
}

/// What sort of allocation asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// The periodic one.
    Tick,
    /// One that a call or a message set off.
    Trigger,
}

#[derive(Debug)]
struct Filter {
    refused: Resources,
    expiry: Expiry,
    /// The agent's next filter, or `NONE`.
    next: u32,
}

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Chain {
    generation: u32,
    head: u32,
}

/// Filters made by one call: one expiry, many agents.
#[derive(Debug)]
struct Group {
    expiry: Expiry,
    agents: Vec<AgentId>,
}

/// All filters of one framework under one role.
#[derive(Debug, Default)]
pub(crate) struct RoleFilters {
    generation: u32,
    chains: Vec<Chain>,
    filters: Vec<Filter>,
    free: Vec<u32>,
    /// In order of creation.
    groups: VecDeque<Group>,
    /// The number of the first of `groups`, counted from the first ever.
    first_group: u64,
}

/// Where an ended group of filters is found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Due {
    pub(crate) at: Time,
    /// Index of the (framework, role) that the filters belong to.
    pub(crate) owner: u32,
    generation: u32,
    group: u64,
}

/// When filters end, over all frameworks and roles.
#[derive(Debug, Default)]
pub(crate) struct Deadlines(BinaryHeap<Reverse<Due>>);

impl Deadlines {
    /// The next entry, if it is due by `now`.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<Due> {
        let due = self.0.peek().is_some_and(|Reverse(due)| due.at <= now);
        due.then(|| self.0.pop()).flatten().map(|Reverse(due)| due)
    }

    /// Drops entries whose filters are gone, so that the next one is real.
    pub(crate) fn forget_stale(&mut self, is_live: impl Fn(&Due) -> bool) {
        while self.0.peek().is_some_and(|Reverse(due)| !is_live(due)) {
            self.0.pop();
        }
    }

    /// When the next group ends.
    pub(crate) fn next(&self) -> Option<Time> {
        self.0.peek().map(|Reverse(due)| due.at)
    }
}

impl RoleFilters {
    /// Adds a filter. Those that have ended, and those that it implies (refusing no more, ending no later), are dropped, so
    /// chains stay short.
    pub(crate) fn add(
        &mut self,
        now: Time,
        agent: AgentId,
        refused: Resources,
        expiry: Expiry,
        owner: u32,
        deadlines: &mut Deadlines,
    ) {
        if self.chains.len() <= agent.index() {
            self.chains.resize(agent.index() + 1, Chain { generation: self.generation, head: NONE });
        }
        let old = self.chains[agent.index()];
        let mut head = if old.generation == self.generation { old.head } else { NONE };
        head = self.without_needless(now, head, &refused, expiry);
        let filter = Filter { refused, expiry, next: head };
        let place = match self.free.pop() {
            Some(place) => {
                self.filters[place as usize] = filter;
                place
            }
            None => {
                self.filters.push(filter);
                self.filters.len() as u32 - 1
            }
        };
        self.chains[agent.index()] = Chain { generation: self.generation, head: place };
        self.remember(agent, expiry, owner, deadlines);
    }

    /// Drops the filters on one agent.
    pub(crate) fn drop_agent(&mut self, agent: AgentId) {
        let Some(chain) = self.chains.get_mut(agent.index()) else { return };
        if chain.generation != self.generation || chain.head == NONE {
            return;
        }
        let mut at = std::mem::replace(&mut chain.head, NONE);
        while at != NONE {
            self.free.push(at);
            at = self.filters[at as usize].next;
        }
        // An emptied group stays until its deadline: the groups are numbered in order.
        self.groups.iter_mut().for_each(|group| group.agents.retain(|&of| of != agent));
    }

    /// Whether a filter in force refuses an offer of `resources` on `agent`.
    #[inline]
    pub(crate) fn refuse(&self, agent: AgentId, resources: &Resources, now: Time, cause: Cause) -> bool {
        let Some(chain) = self.chains.get(agent.index()) else { return false };
        if chain.generation != self.generation {
            return false;
        }
        let mut at = chain.head;
        while at != NONE {
            let filter = &self.filters[at as usize];
            let holds = filter.expiry.at > now
                || (filter.expiry.at == now && cause == Cause::Tick && filter.expiry.outlasts_tick);
            if holds && filter.refused.contains(resources) {
                return true;
            }
            at = filter.next;
        }
        false
    }

    /// Drops all filters.
    pub(crate) fn clear(&mut self) {
        self.generation += 1;
        self.first_group += self.groups.len() as u64;
        self.groups.clear();
        self.filters.clear();
        self.free.clear();
    }

    /// Whether the group behind a deadline still stands.
    pub(crate) fn is_live(&self, due: &Due) -> bool {
        due.generation == self.generation && due.group >= self.first_group
    }

    /// The agents whose filters have ended with this deadline; none if they were dropped before.
    pub(crate) fn expire(&mut self, due: &Due) -> Vec<AgentId> {
        if !self.is_live(due) {
            return Vec::new();
        }
        let group = &mut self.groups[(due.group - self.first_group) as usize];
        let agents = std::mem::take(&mut group.agents);
        while self.groups.front().is_some_and(|group| group.agents.is_empty()) {
            self.groups.pop_front();
            self.first_group += 1;
        }
        agents
    }

    /// How many filters are in force (the gauge `offer_filters/roles/<role>/active`).
    pub(crate) fn in_force(&self, now: Time) -> usize {
        self.groups.iter().filter(|group| group.expiry.at > now).map(|group| group.agents.len()).sum()
    }

    fn remember(&mut self, agent: AgentId, expiry: Expiry, owner: u32, deadlines: &mut Deadlines) {
        if let Some(group) = self.groups.back_mut()
            && group.expiry == expiry
        {
            group.agents.push(agent);
            return;
        }
        let group = self.first_group + self.groups.len() as u64;
        self.groups.push_back(Group { expiry, agents: vec![agent] });
        deadlines.0.push(Reverse(Due { at: expiry.visible_at, owner, generation: self.generation, group }));
    }

    fn without_needless(&mut self, now: Time, head: u32, refused: &Resources, expiry: Expiry) -> u32 {
        let (mut kept, mut at) = (NONE, head);
        while at != NONE {
            let next = self.filters[at as usize].next;
            let old = &self.filters[at as usize];
            let implied = !old.expiry.outlives(expiry) && refused.contains(&old.refused);
            if old.expiry.at < now || implied {
                self.free.push(at);
            } else {
                self.filters[at as usize].next = kept;
                kept = at;
            }
            at = next;
        }
        kept
    }
}
