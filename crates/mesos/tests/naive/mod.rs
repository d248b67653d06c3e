//! An allocator that is plain instead of fast: the other side of the property test.
//!
//! It keeps who holds what and the little history that Mesos' answers depend on (counts of allocations, cached weights,
//! filters, who is active); every sum and every order is made anew from that whenever it is asked for, every allocation
//! goes through all agents, roles and frameworks, and the periodic one runs at every multiple of the interval.

mod books;
mod calls;
mod run;
mod sorter;

use std::collections::{BTreeMap, BTreeSet};

use mesos::{
    allocator::AllocatorOptions,
    id::{AgentId, FrameworkId, Interner, RoleId},
    quota::Quota,
};

pub(crate) use books::Agent;
use books::{Framework, InverseFilter, OfferFilter};
use sorter::{FrameworkSorter, RoleSorter};

/// See the module.
pub(crate) struct NaiveAllocator {
    pub(crate) options: AllocatorOptions,
    pub(crate) roles: Interner<RoleId>,
    pub(crate) agents: BTreeMap<AgentId, Agent>,
    pub(crate) frameworks: BTreeMap<FrameworkId, Framework>,
    role_sorter: RoleSorter,
    framework_sorters: BTreeMap<RoleId, FrameworkSorter>,
    /// Only those that are not the default.
    pub(crate) quotas: BTreeMap<String, Quota>,
    pub(crate) filters: Vec<OfferFilter>,
    inverse_filters: Vec<InverseFilter>,
    whitelist: Option<Vec<String>>,
    pub(crate) paused: bool,
    candidates: BTreeSet<AgentId>,
    asked: bool,
    /// How many multiples of the interval are over.
    ticks: u64,
}

impl NaiveAllocator {
    /// An allocator without agents and frameworks.
    pub(crate) fn new(options: AllocatorOptions) -> Self {
        Self {
            options,
            roles: Interner::new(),
            agents: BTreeMap::new(),
            frameworks: BTreeMap::new(),
            role_sorter: RoleSorter::default(),
            framework_sorters: BTreeMap::new(),
            quotas: BTreeMap::new(),
            filters: Vec::new(),
            inverse_filters: Vec::new(),
            whitelist: None,
            paused: false,
            candidates: BTreeSet::new(),
            asked: false,
            ticks: 0,
        }
    }

    /// Asks for an allocation; while paused nobody listens (`generateOffers`).
    fn ask(&mut self, agents: impl IntoIterator<Item = AgentId>) {
        if !self.paused {
            self.candidates.extend(agents);
            self.asked = true;
        }
    }

    fn ask_for_all(&mut self) {
        let all: Vec<AgentId> = self.agents.keys().copied().collect();
        self.ask(all);
    }

    /// One allocation more in the counts that break ties.
    fn count_one(&mut self, framework: FrameworkId, role: RoleId) {
        self.track(framework, role);
        self.role_sorter.count_one(self.roles.name(role));
        self.framework_sorters.get_mut(&role).expect("tracked").count_one(framework);
    }

    /// Puts a framework, inactive, into the sorters of a role, if it is not there (`trackFrameworkUnderRole`).
    fn track(&mut self, framework: FrameworkId, role: RoleId) {
        if !self.framework_sorters.contains_key(&role) {
            self.role_sorter.add(self.roles.name(role));
        }
        let sorter = self.framework_sorters.entry(role).or_default();
        if !sorter.contains(framework) {
            sorter.add(framework, &self.frameworks[&framework].info.path);
        }
    }

    /// Takes a framework out of the sorters of a role that it left and has nothing under
    /// (`tryUntrackFrameworkUnderRole`).
    fn untrack_if_idle(&mut self, framework: FrameworkId, role: RoleId) {
        let subscribed =
            self.frameworks.get(&framework).is_some_and(|known| known.info.roles.contains(&role));
        let holds = self.agents.values().any(|agent| agent.held.contains_key(&(framework, role)));
        if subscribed || holds {
            return;
        }
        let Some(sorter) = self.framework_sorters.get_mut(&role) else { return };
        if !sorter.contains(framework) {
            return;
        }
        sorter.remove(framework);
        if sorter.is_empty() {
            self.framework_sorters.remove(&role);
            self.role_sorter.remove(self.roles.name(role));
        }
    }

    fn set_active(&mut self, framework: FrameworkId, role: RoleId, active: bool) {
        let sorter = self.framework_sorters.get_mut(&role);
        sorter.into_iter().for_each(|sorter| sorter.set_active(framework, active));
    }

    fn suppress(&mut self, framework: FrameworkId, roles: &[RoleId]) {
        for &role in roles {
            self.set_active(framework, role, false);
            if let Some(known) = self.frameworks.get_mut(&framework) {
                known.suppressed.insert(role);
            }
        }
    }

    fn revive(&mut self, framework: FrameworkId, roles: &[RoleId]) {
        self.inverse_filters.retain(|filter| filter.framework != framework);
        self.filters.retain(|filter| filter.framework != framework || !roles.contains(&filter.role));
        for &role in roles {
            self.set_active(framework, role, true);
            if let Some(known) = self.frameworks.get_mut(&framework) {
                known.suppressed.remove(&role);
            }
        }
    }

    /// These roles, or all of the framework's if none is named.
    fn roles_or_all(&self, framework: FrameworkId, roles: &[RoleId]) -> Vec<RoleId> {
        if roles.is_empty() { self.frameworks[&framework].info.roles.clone() } else { roles.to_vec() }
    }

    fn drop_filters_of_agent(&mut self, agent: AgentId) {
        self.filters.retain(|filter| filter.agent != agent);
        self.inverse_filters.retain(|filter| filter.agent != agent);
    }
}
