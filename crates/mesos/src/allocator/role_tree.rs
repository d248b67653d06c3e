//! The roles: their names and ancestors, quotas, and what is reserved and out under them (`RoleTree`).
//!
//! Quantities of a role include those of all roles below it. What is offered or allocated is booked under the role that it
//! is allocated to, reservations under the role that they are for.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::shared::SharedCopies;
use crate::{
    id::{AgentId, IdVec, Interner, RoleId},
    quota::Quota,
    resource::{ResourceQuantities, Resources},
    role,
};

/// All roles that anybody named, and their ancestors.
#[derive(Debug, Default)]
pub(super) struct RoleTree {
    names: Interner<RoleId>,
    nodes: IdVec<RoleId, Node>,
    /// Over the whole cluster: reserved scalars, and those of them that are offered or allocated.
    reservations: ResourceQuantities,
    reserved_out: ResourceQuantities,
    copies: SharedCopies,
}

#[derive(Debug)]
struct Node {
    parent: Option<RoleId>,
    quota: Quota,
    reservations: ResourceQuantities,
    /// Offered or allocated, unreserved, non-revocable.
    unreserved_out: ResourceQuantities,
    /// Allocated, unreserved, non-revocable.
    unreserved_allocated: ResourceQuantities,
}

impl RoleTree {
    /// The role with this name, with its ancestors new if it was never named.
    pub(super) fn intern(&mut self, name: &str) -> RoleId {
        if let Some(known) = self.names.get(name) {
            return known;
        }
        let mut line: SmallVec<[&str; 4]> =
            role::ancestors(name).take_while(|above| self.names.get(above).is_none()).collect();
        let top = line.last().copied().unwrap_or(name);
        let mut parent = role::ancestors(top).next().and_then(|known| self.names.get(known));
        while let Some(above) = line.pop() {
            parent = Some(self.add(above, parent));
        }
        self.add(name, parent)
    }

    fn add(&mut self, name: &str, parent: Option<RoleId>) -> RoleId {
        self.nodes.push(Node {
            parent,
            quota: Quota::default(),
            reservations: ResourceQuantities::EMPTY,
            unreserved_out: ResourceQuantities::EMPTY,
            unreserved_allocated: ResourceQuantities::EMPTY,
        });
        self.names.intern(name)
    }

    /// All names.
    pub(super) const fn names(&self) -> &Interner<RoleId> {
        &self.names
    }

    /// Whether the role has a role above it.
    pub(super) fn is_nested(&self, role: RoleId) -> bool {
        self.nodes[role].parent.is_some()
    }

    /// The quota of exactly this role.
    pub(super) fn quota(&self, role: RoleId) -> &Quota {
        &self.nodes[role].quota
    }

    /// Replaces the quota.
    pub(super) fn set_quota(&mut self, role: RoleId, quota: Quota) {
        self.nodes[role].quota = quota;
    }

    /// What counts against the quota of a role: reservations, whether they are out or not, and what else is offered or
    /// allocated (`quotaOfferedOrConsumed`).
    pub(super) fn offered_or_consumed(&self, role: RoleId) -> ResourceQuantities {
        let node = &self.nodes[role];
        let mut sum = node.unreserved_out.clone();
        sum += &node.reservations;
        sum
    }

    /// The same without what is merely offered (`quotaConsumed`).
    pub(super) fn consumed(&self, role: RoleId) -> ResourceQuantities {
        let node = &self.nodes[role];
        let mut sum = node.unreserved_allocated.clone();
        sum += &node.reservations;
        sum
    }

    /// Reserved scalars that are neither offered nor allocated.
    pub(super) fn free_reservations(&self) -> ResourceQuantities {
        let mut free = self.reservations.clone();
        free -= &self.reserved_out;
        free
    }

    /// An agent's total joins: its reservations count from now on.
    pub(super) fn track_reservations(&mut self, total: &Resources) {
        for (role, quantities) in reservations(total) {
            self.reservations += &quantities;
            let role = self.intern(&role);
            self.for_line(role, |node| node.reservations += &quantities);
        }
    }

    /// An agent's total leaves.
    pub(super) fn untrack_reservations(&mut self, total: &Resources) {
        for (role, quantities) in reservations(total) {
            self.reservations -= &quantities;
            let role = self.intern(&role);
            self.for_line(role, |node| node.reservations -= &quantities);
        }
    }

    /// Resources are offered or allocated to the role.
    pub(super) fn track_out(&mut self, role: RoleId, agent: AgentId, resources: &Resources) {
        if is_simple(resources) {
            return self.track_simple_out(role, resources.quantities());
        }
        let unreserved = unreserved_non_revocable(resources);
        self.for_line(role, |node| node.unreserved_out += &unreserved);
        let reserved = resources.reserved();
        self.reserved_out += reserved.non_shared().quantities();
        if reserved.has_shared() {
            self.reserved_out += &self.copies.book(role, agent, &reserved);
        }
    }

    /// Resources of the role come back.
    pub(super) fn untrack_out(&mut self, role: RoleId, agent: AgentId, resources: &Resources) {
        if is_simple(resources) {
            return self.untrack_simple_out(role, resources.quantities());
        }
        let unreserved = unreserved_non_revocable(resources);
        self.for_line(role, |node| node.unreserved_out -= &unreserved);
        let reserved = resources.reserved();
        self.reserved_out -= reserved.non_shared().quantities();
        if reserved.has_shared() {
            self.reserved_out -= &self.copies.unbook(role, agent, &reserved);
        }
    }

    /// As [`track_out`](Self::track_out), of what is neither reserved nor revocable nor shared.
    pub(super) fn track_simple_out(&mut self, role: RoleId, quantities: &ResourceQuantities) {
        self.for_line(role, |node| node.unreserved_out += quantities);
    }

    /// As [`untrack_out`](Self::untrack_out), of what is neither reserved nor revocable nor shared.
    pub(super) fn untrack_simple_out(&mut self, role: RoleId, quantities: &ResourceQuantities) {
        self.for_line(role, |node| node.unreserved_out -= quantities);
    }

    /// A task of the role uses these, which count against quota, from now on.
    pub(super) fn track_allocated(&mut self, role: RoleId, quantities: &ResourceQuantities) {
        self.for_line(role, |node| node.unreserved_allocated += quantities);
    }

    /// No task uses these any more.
    pub(super) fn untrack_allocated(&mut self, role: RoleId, quantities: &ResourceQuantities) {
        self.for_line(role, |node| node.unreserved_allocated -= quantities);
    }

    /// The role and all above it.
    #[inline]
    fn for_line(&mut self, role: RoleId, mut change: impl FnMut(&mut Node)) {
        let mut at = Some(role);
        while let Some(role) = at {
            let node = &mut self.nodes[role];
            change(node);
            at = node.parent;
        }
    }
}

/// Whether nothing is reserved, revocable or shared, so that quantities say all that shares and quota need.
#[inline]
pub(super) fn is_simple(resources: &Resources) -> bool {
    resources.is_plain()
        || !(resources.has_reservations() || resources.has_revocable() || resources.has_shared())
}

/// The scalars that count against quota, reservations apart.
pub(super) fn unreserved_non_revocable(resources: &Resources) -> Cow<'_, ResourceQuantities> {
    if is_simple(resources) {
        return Cow::Borrowed(resources.quantities());
    }
    let counted = resources.filter(|entry| !entry.is_reserved() && !entry.is_revocable());
    Cow::Owned(counted.quantities().clone())
}

fn reservations(total: &Resources) -> SmallVec<[(std::sync::Arc<str>, ResourceQuantities); 2]> {
    if is_simple(total) {
        return SmallVec::new();
    }
    let of_roles = total.reservations().into_iter();
    of_roles.map(|(role, resources)| (role, resources.quantities().clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    #[test]
    fn a_role_brings_its_ancestors() {
        let mut tree = RoleTree::default();
        let leaf = tree.intern("a/b/c");
        assert_eq!(tree.names().len(), 3);
        assert!(tree.is_nested(leaf));
        let top = tree.intern("a");
        assert!(!tree.is_nested(top));
        assert_eq!(top.index(), 0);
    }
}
