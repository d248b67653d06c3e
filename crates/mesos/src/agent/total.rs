//! What the agent has, and whether it is enough.

use super::Agent;
use crate::{effects::AgentEffects, event::FromAgent, resource::Resources};

impl Agent {
    pub(super) fn change_revocable(&mut self, revocable: &Resources, out: &mut impl AgentEffects) {
        if self.total.revocable() == *revocable {
            return;
        }
        self.total = self.total.non_revocable();
        self.total += revocable;
        self.may_overcommit = true;
        self.tell_revocable(out);
    }

    pub(super) fn change_total(&mut self, total: Resources, out: &mut impl AgentEffects) {
        let before = self.total.non_revocable();
        if before == total {
            return;
        }
        self.has_shrunk |= !total.contains(&before);
        let revocable = self.total.revocable();
        self.total = total;
        self.total += &revocable;
        self.is_total_unsaid = true;
        self.tell_total(out);
    }

    /// A master that has just taken the agent learns what its registration did not say.
    pub(super) fn tell_resources(&mut self, out: &mut impl AgentEffects) {
        self.tell_total(out);
        if self.total.has_revocable() {
            self.tell_revocable(out);
        }
    }

    /// What a task or executor wants is not here, so that it cannot be started. Reserved resources and volumes must exist; of
    /// plain ones the master must know better, unless they have just become fewer, or it has forgotten tasks while neither
    /// heard the other: those run on, and the agent has more to do than it should.
    pub(super) fn lacks(&mut self, wanted: &Resources) -> bool {
        if !wanted.is_plain() {
            let special = wanted.filter(|one| one.is_reserved() || one.is_persistent_volume());
            if !self.total.contains(&special) {
                return true;
            }
        }
        if self.is_free(wanted) {
            return false;
        }
        assert!(
            self.has_shrunk || self.may_overcommit,
            "{wanted} are to be used of {:?}, free are {} of {}",
            self.id,
            self.free_resources(),
            self.total
        );
        self.has_shrunk
    }

    fn is_free(&mut self, wanted: &Resources) -> bool {
        if !wanted.is_plain() {
            return self.free_resources().contains(wanted);
        }
        self.used += wanted;
        let fits = self.total.contains(&self.used);
        self.used -= wanted;
        fits
    }

    pub(super) fn free_resources(&self) -> Resources {
        let mut free = self.total.clone();
        free -= &self.used;
        free
    }

    fn tell_total(&mut self, out: &mut impl AgentEffects) {
        if self.is_total_unsaid && self.is_registered() {
            self.is_total_unsaid = false;
            let total = self.total.non_revocable();
            self.tell(|agent| FromAgent::Total { agent, total }, out);
        }
    }

    fn tell_revocable(&self, out: &mut impl AgentEffects) {
        let revocable = self.total.revocable();
        self.tell(|agent| FromAgent::Oversubscribed { agent, revocable }, out);
    }
}
