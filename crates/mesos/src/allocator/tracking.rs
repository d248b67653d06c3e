//! Which framework is tracked under which role, whether it takes part in the order, and what it holds there.

use std::borrow::Cow;

use super::{
    HierarchicalAllocator, SorterKind, frameworks::FrameworkRole, role_tree::is_simple, sorter::Sorter,
};
use crate::{
    constraint::RoleConstraints,
    id::{AgentId, FrameworkId, RoleId},
    resource::{ResourceQuantities, Resources},
};

/// The frameworks of a role with at least one: those that subscribe to it, and those that still hold something under it.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) frameworks: Sorter<FrameworkId>,
    /// How many of them take part in the order.
    pub(super) active: usize,
}

impl HierarchicalAllocator {
    pub(super) fn sorter_mut(&mut self, role: RoleId) -> &mut Sorter<FrameworkId> {
        &mut self.roles[role].as_mut().expect("a role with frameworks").frameworks
    }

    /// How many frameworks take part in the order of the role.
    pub(super) fn active_frameworks(&self, role: RoleId) -> usize {
        self.roles.get(role).and_then(Option::as_ref).map_or(0, |role| role.active)
    }

    pub(super) fn holds_on_more(&mut self, framework: FrameworkId, role: RoleId, agents: u32) {
        let of_role = self.framework_mut(framework).role_mut(role).expect("a role it is tracked under");
        of_role.held_on += agents;
    }

    pub(super) fn holds_on_fewer(&mut self, framework: FrameworkId, role: RoleId, agents: u32) {
        let of_role = self.framework_mut(framework).role_mut(role).expect("a role it is tracked under");
        of_role.held_on -= agents;
    }

    /// Offered or allocated from now on, in the books of the role and of the framework (`trackAllocatedResources`).
    pub(super) fn book(
        &mut self,
        framework: FrameworkId,
        role: RoleId,
        agent: AgentId,
        resources: &Resources,
    ) {
        if is_simple(resources) {
            return self.book_simple(framework, role, resources.quantities(), 1);
        }
        self.role_sorter.allocated(role, agent, &self.of_role(role, resources));
        self.sorter_mut(role).allocated(framework, agent, resources);
        self.tree.track_out(role, agent, resources);
    }

    /// For the role sorter: a shared volume of two roles is two, because it tells whom it is allocated to.
    pub(super) fn of_role<'a>(&self, role: RoleId, resources: &'a Resources) -> Cow<'a, Resources> {
        if resources.has_shared() {
            Cow::Owned(resources.allocate(self.tree.names().name(role)))
        } else {
            Cow::Borrowed(resources)
        }
    }

    /// The weights of inner roles are what they are at the first sort after they came.
    pub(super) fn settle_weights(&mut self) {
        if !std::mem::take(&mut self.are_weights_unsettled) {
            return;
        }
        if self.maintenances.is_empty() {
            self.candidates.tick_is_not_owed();
        }
        // In Mesos roles without an active framework, too, have a place in the order.
        let is_idle = |role: &Option<Role>| role.as_ref().is_some_and(|role| role.active == 0);
        let idle: Vec<RoleId> =
            self.roles.iter().filter(|(_, role)| is_idle(role)).map(|(id, _)| id).collect();
        idle.iter().for_each(|&role| self.role_sorter.activate(role));
        self.role_sorter.sort();
        if self.options.sorter == SorterKind::Drf {
            idle.iter().for_each(|&role| self.role_sorter.deactivate(role));
        }
    }

    /// As [`book`](Self::book), so many times, of what is neither reserved nor revocable nor shared.
    pub(super) fn book_simple(
        &mut self,
        framework: FrameworkId,
        role: RoleId,
        quantities: &ResourceQuantities,
        times: u64,
    ) {
        self.role_sorter.allocated_plain(role, quantities, times);
        self.sorter_mut(role).allocated_plain(framework, quantities, times);
        self.tree.track_simple_out(role, quantities);
    }

    pub(super) fn unbook_simple(
        &mut self,
        framework: FrameworkId,
        role: RoleId,
        quantities: &ResourceQuantities,
    ) {
        self.role_sorter.unallocated_plain(role, quantities);
        self.sorter_mut(role).unallocated_plain(framework, quantities);
        self.tree.untrack_simple_out(role, quantities);
    }

    pub(super) fn unbook(
        &mut self,
        framework: FrameworkId,
        role: RoleId,
        agent: AgentId,
        resources: &Resources,
    ) {
        if is_simple(resources) {
            return self.unbook_simple(framework, role, resources.quantities());
        }
        self.role_sorter.unallocated(role, agent, &self.of_role(role, resources));
        self.sorter_mut(role).unallocated(framework, agent, resources);
        self.tree.untrack_out(role, agent, resources);
    }

    pub(super) fn is_tracked(&self, framework: FrameworkId, role: RoleId) -> bool {
        let known = self.frameworks.get(framework).and_then(Option::as_ref);
        known.is_some_and(|framework| framework.role(role).is_some_and(|of| of.is_tracked))
    }

    /// The framework is tracked under the role from now on, inactive (`trackFrameworkUnderRole`).
    pub(super) fn track(&mut self, framework: FrameworkId, role: RoleId) {
        self.roles.grow_to(role, || None);
        if self.roles[role].is_none() {
            let name = self.tree.names().name(role);
            let mut sorter = Sorter::new(self.options.sorter, &self.options.fair_sharing_excluded, true);
            sorter.add_total(&self.total);
            self.roles[role] = Some(Role { frameworks: sorter, active: 0 });
            self.role_sorter.add(role, name);
            if self.options.sorter != SorterKind::Drf {
                self.role_sorter.activate(role);
            }
            self.are_weights_unsettled = true;
            // Not only for nested roles: this one may become an inner one.
            if self.has_eligible_agent() {
                self.candidates.tick_is_owed();
            }
        }
        let of = self.frameworks[framework].as_mut().expect("a framework to track");
        let sorter = &mut self.roles[role].as_mut().expect("made above").frameworks;
        sorter.add(framework, &of.path);
        if let Some(again) = of.role_mut(role) {
            again.is_tracked = true;
            return;
        }
        let filters = self.filters.place(framework, role);
        of.roles.push(FrameworkRole {
            role,
            is_subscribed: false,
            is_tracked: true,
            is_active: false,
            held_on: 0,
            min_allocatable: None,
            constraints: None,
            filters,
        });
    }

    /// It is no longer tracked, if it neither subscribes to the role nor holds anything under it.
    pub(super) fn untrack_if_done(&mut self, framework: FrameworkId, role: RoleId) {
        let Some(of_role) = self.framework_mut(framework).role_mut(role) else { return };
        if of_role.is_subscribed || of_role.held_on > 0 || !std::mem::take(&mut of_role.is_tracked) {
            return;
        }
        self.set_active(framework, role, false);
        let sorter = self.sorter_mut(role);
        sorter.remove(framework);
        if sorter.is_empty() {
            self.roles[role] = None;
            self.role_sorter.remove(role);
        }
    }

    /// Whether the framework takes part in the order of the role. In the order of roles, one without such a framework has a
    /// place in Mesos and takes nothing; where places do not matter to others (DRF), it is left out.
    pub(super) fn set_active(&mut self, framework: FrameworkId, role: RoleId, active: bool) {
        let Some(of) = self.framework_mut(framework).role_mut(role) else { return };
        if std::mem::replace(&mut of.is_active, active) == active {
            return;
        }
        let of_role = self.roles[role].as_mut().expect("a role with frameworks");
        if active {
            if self.active_pairs == 0 {
                self.candidates.owe_anew(); // what was owed before could not be given
            }
            of_role.frameworks.activate(framework);
            (of_role.active, self.active_pairs) = (of_role.active + 1, self.active_pairs + 1);
        } else {
            of_role.frameworks.deactivate(framework);
            (of_role.active, self.active_pairs) = (of_role.active - 1, self.active_pairs - 1);
        }
        if self.options.sorter == SorterKind::Drf {
            match of_role.active {
                0 => self.role_sorter.deactivate(role),
                1 if active => self.role_sorter.activate(role),
                _ => {}
            }
        }
    }

    pub(super) fn set_conditions(
        &mut self,
        framework: FrameworkId,
        mut minima: Vec<(RoleId, Vec<ResourceQuantities>)>,
        mut constraints: Vec<(RoleId, RoleConstraints)>,
    ) {
        let of = self.frameworks[framework].as_mut().expect("a framework to update");
        for of_role in &mut of.roles {
            let own = constraints.iter().position(|(role, _)| *role == of_role.role);
            of_role.constraints = own.map(|place| constraints.swap_remove(place).1);
            let own = minima.iter().position(|(role, _)| *role == of_role.role);
            self.own_minima -= usize::from(of_role.min_allocatable.is_some());
            of_role.min_allocatable = own.map(|place| minima.swap_remove(place).1);
            self.own_minima += usize::from(of_role.min_allocatable.is_some());
        }
    }

    pub(super) fn subscribe_to(&mut self, framework: FrameworkId, role: RoleId) {
        if !self.is_tracked(framework, role) {
            self.track(framework, role);
        }
        self.framework_mut(framework).role_mut(role).expect("tracked above").is_subscribed = true;
        self.set_active(framework, role, true);
    }

    pub(super) fn suppress(&mut self, framework: FrameworkId, role: RoleId) {
        self.set_active(framework, role, false);
        let suppressed = &mut self.framework_mut(framework).suppressed;
        if !suppressed.contains(&role) {
            suppressed.push(role);
        }
    }

    /// The same as reviving, without the allocation (`reviveRoles`).
    pub(super) fn unsuppress(&mut self, framework: FrameworkId, roles: &[RoleId]) {
        for &role in roles {
            let of = self.framework_mut(framework);
            of.suppressed.retain(|suppressed| *suppressed != role);
            if let Some(of_role) = of.role(role) {
                let (filters, is_subscribed) = (of_role.filters, of_role.is_subscribed);
                self.filters.clear(filters);
                if is_subscribed {
                    self.set_active(framework, role, true);
                }
            }
        }
        self.framework_mut(framework).inverse_filters.clear();
        self.forget_stale_deadlines();
    }

    /// What a framework that is known uses of an agent, told when the later of the two comes.
    pub(super) fn book_used(
        &mut self,
        framework: FrameworkId,
        role: RoleId,
        agent: AgentId,
        resources: &Resources,
    ) {
        if !self.is_tracked(framework, role) {
            self.track(framework, role);
        }
        if self.agent(agent).is_held_by(framework, role) {
            self.holds_on_more(framework, role, 1);
        }
        self.book(framework, role, agent, resources);
    }
}
