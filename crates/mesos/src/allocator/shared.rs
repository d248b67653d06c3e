//! Shared volumes in the books: one volume counts once per role and agent, however many copies are out.

use rustc_hash::FxHashMap;

use crate::{
    id::{AgentId, RoleId},
    resource::{Resource, ResourceQuantities, Resources, Scalar},
};

/// How many copies of which shared volume are out, by the role that they are allocated to and agent. For two roles they are
/// two resources, because `allocation_info` is part of what a resource is.
#[derive(Debug, Default)]
pub(super) struct SharedCopies(FxHashMap<(RoleId, AgentId), Vec<(Resource, u32)>>);

impl SharedCopies {
    /// Books the shared ones of `resources`; answers the quantities of those of which no copy was booked before.
    pub(super) fn book(&mut self, role: RoleId, agent: AgentId, resources: &Resources) -> ResourceQuantities {
        let booked = self.0.entry((role, agent)).or_default();
        let mut fresh = ResourceQuantities::EMPTY;
        for (volume, copies) in resources.shared().entries() {
            match booked.iter_mut().find(|(known, _)| *known == volume) {
                Some((_, count)) => *count += copies,
                None => {
                    fresh.add(&volume.name, volume.amount().unwrap_or(Scalar::ZERO));
                    booked.push((volume, copies));
                }
            }
        }
        fresh
    }

    /// Takes copies of the shared ones of `resources` off; answers the quantities of those of which none is left.
    pub(super) fn unbook(
        &mut self,
        role: RoleId,
        agent: AgentId,
        resources: &Resources,
    ) -> ResourceQuantities {
        let mut gone = ResourceQuantities::EMPTY;
        let Some(booked) = self.0.get_mut(&(role, agent)) else { return gone };
        for (volume, copies) in resources.shared().entries() {
            let Some(place) = booked.iter().position(|(known, _)| *known == volume) else { continue };
            booked[place].1 = booked[place].1.saturating_sub(copies);
            if booked[place].1 == 0 {
                gone.add(&volume.name, volume.amount().unwrap_or(Scalar::ZERO));
                booked.swap_remove(place);
            }
        }
        if booked.is_empty() {
            self.0.remove(&(role, agent));
        }
        gone
    }
}
