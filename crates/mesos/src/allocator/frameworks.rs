//! The frameworks' books: roles, capabilities, and the filters they have set.

use smallvec::SmallVec;

use super::filter::RoleFilters;
use crate::{
    capability::Capabilities,
    constraint::RoleConstraints,
    id::{AgentId, FrameworkId, RoleId},
    resource::ResourceQuantities,
    time::Time,
};

#[derive(Debug)]
pub(super) struct Framework {
    pub(super) path: String,
    pub(super) capabilities: Capabilities,
    pub(super) is_active: bool,
    /// All that it was ever tracked under.
    pub(super) roles: SmallVec<[FrameworkRole; 1]>,
    pub(super) suppressed: SmallVec<[RoleId; 1]>,
    /// Agents, and until when no inverse offer of them is wanted.
    pub(super) inverse_filters: Vec<(AgentId, Time)>,
}

#[derive(Debug)]
pub(super) struct FrameworkRole {
    pub(super) role: RoleId,
    pub(super) is_subscribed: bool,
    /// It is subscribed or still holds something under the role: then the role's sorter knows it.
    pub(super) is_tracked: bool,
    /// Whether it takes part in the order of the role.
    pub(super) is_active: bool,
    /// On how many agents it holds something under the role.
    pub(super) held_on: u32,
    /// What replaces the smallest offers of everybody, if it said.
    pub(super) min_allocatable: Option<Vec<ResourceQuantities>>,
    /// Which agents it is offered, if it said.
    pub(super) constraints: Option<RoleConstraints>,
    /// Index into the allocator's filters.
    pub(super) filters: u32,
}

impl Framework {
    pub(super) fn role(&self, role: RoleId) -> Option<&FrameworkRole> {
        self.roles.iter().find(|of| of.role == role)
    }

    pub(super) fn role_mut(&mut self, role: RoleId) -> Option<&mut FrameworkRole> {
        self.roles.iter_mut().find(|of| of.role == role)
    }

    pub(super) fn subscribed(&self) -> SmallVec<[RoleId; 1]> {
        self.roles.iter().filter(|of| of.is_subscribed).map(|of| of.role).collect()
    }

    /// Whether it wants no inverse offer of the agent for now.
    pub(super) fn refuses_inverse(&self, agent: AgentId, now: Time) -> bool {
        self.inverse_filters.iter().any(|&(of, until)| of == agent && until > now)
    }
}

/// The offer filters of all frameworks, by (framework, role); places are used again.
#[derive(Debug, Default)]
pub(super) struct Filters {
    pub(super) of: Vec<OwnedFilters>,
    free: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct OwnedFilters {
    pub(super) owner: (FrameworkId, RoleId),
    pub(super) filters: RoleFilters,
}

impl Filters {
    /// A place for the filters of one framework under one role.
    pub(super) fn place(&mut self, framework: FrameworkId, role: RoleId) -> u32 {
        if let Some(place) = self.free.pop() {
            self.of[place as usize].owner = (framework, role);
            return place;
        }
        self.of.push(OwnedFilters { owner: (framework, role), filters: RoleFilters::default() });
        self.of.len() as u32 - 1
    }

    /// Drops the filters and gives the place to others.
    pub(super) fn give_up(&mut self, place: u32) {
        self.clear(place);
        self.free.push(place);
    }

    /// Drops the filters.
    pub(super) fn clear(&mut self, place: u32) {
        self.of[place as usize].filters.clear();
    }

    /// Drops the filters on an agent, of everybody.
    pub(super) fn drop_agent(&mut self, agent: AgentId) {
        self.of.iter_mut().for_each(|owned| owned.filters.drop_agent(agent));
    }
}
