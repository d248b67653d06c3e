//! Limits are kept: no offer to a role of the top level takes what it and the roles below it are offered and hold beyond its
//! limits. What was there before a limit came may stay, and offers to the roles below are not bound by it, as in Mesos.

use mesos::{
    effects::Note,
    id::{AgentId, ExecutorId, FrameworkId, IdVec, RoleId},
    offer::Offer,
    resource::{ResourceLimits, ResourceQuantities, Resources},
    task::{TaskKey, TaskState},
    time::Time,
};
use rustc_hash::FxHashMap;

use super::{Checker, CheckerEntry};
use crate::record::Record;

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "quota",
    about: "no offer takes a role beyond its limits",
    build: |_| Box::new(QuotaKept::default()),
};

#[derive(Default)]
struct Top {
    limits: ResourceLimits,
    /// Unreserved, non-revocable: offered, or held by tasks and executors, by this role and those below it.
    out: ResourceQuantities,
    /// What of it was offered to roles below it, and when: the allocation that does so does not count it yet.
    below: (Time, ResourceQuantities),
}

/// Its books.
#[derive(Default)]
pub struct QuotaKept {
    /// The role of the top level above each role that a framework has.
    top_of: FxHashMap<RoleId, RoleId>,
    tops: IdVec<RoleId, Top>,
    tasks: FxHashMap<TaskKey, (RoleId, ResourceQuantities)>,
    executors: FxHashMap<(AgentId, FrameworkId, ExecutorId), (RoleId, ResourceQuantities)>,
}

/// What counts against limits beside reservations.
fn counted(resources: &Resources) -> ResourceQuantities {
    if resources.has_reservations() || resources.has_revocable() {
        resources.unreserved().non_revocable().quantities().clone()
    } else {
        resources.quantities().clone()
    }
}

impl QuotaKept {
    /// Roles that no framework names first are not followed.
    fn top(&mut self, role: RoleId) -> Option<&mut Top> {
        let top = *self.top_of.get(&role)?;
        Some(self.tops.grow_to(top, Top::default))
    }

    fn add(&mut self, role: RoleId, what: &ResourceQuantities) {
        if let Some(top) = self.top(role) {
            top.out += what;
        }
    }

    fn sub(&mut self, role: RoleId, what: &ResourceQuantities) {
        if let Some(top) = self.top(role) {
            top.out -= what;
        }
    }

    fn offered(&mut self, now: Time, offer: &Offer) {
        let what = counted(&offer.resources);
        self.add(offer.role, &what);
        let is_below = self.top_of.get(&offer.role).is_some_and(|top| *top != offer.role);
        let Some(top) = self.top(offer.role) else { return };
        if top.below.0 != now {
            top.below = (now, ResourceQuantities::EMPTY);
        }
        if is_below {
            top.below.1 += &what;
            return;
        }
        for (name, _) in what.iter() {
            let out = top.out.of_name(name) - top.below.1.of_name(name);
            let within = top.limits.get(name).is_none_or(|most| out <= most);
            assert!(
                within,
                "{now} s: with {offer:?}, {name}:{out} are out, beyond the limits {}",
                top.limits
            );
        }
    }

    fn hold(&mut self, key: TaskKey, role: RoleId, resources: &Resources) {
        let what = counted(resources);
        self.add(role, &what);
        self.tasks.insert(key, (role, what));
    }

    fn note(&mut self, now: Time, note: &Note<'_>) {
        if let Note::Offered(offers) = note {
            offers.iter().for_each(|offer| self.offered(now, offer));
        } else if let Note::OffersEnded(_, offers) = note {
            offers.iter().for_each(|offer| self.sub(offer.role, &counted(&offer.resources)));
        } else if let Note::Launched { key, role, task } = note {
            self.hold(*key, *role, &task.resources);
        } else if let Note::Readmitted { key, role, task, state } = note {
            if !state.is_terminal() && *state != TaskState::Unreachable {
                self.hold(*key, *role, &task.resources);
            }
        } else if let Note::Recovered { key, .. } = note {
            if let Some((role, what)) = self.tasks.remove(key) {
                self.sub(role, &what);
            }
        } else if let Note::Executor { framework, executor, role, agent, resources, holds } = *note {
            let (place, what) = ((agent, framework, executor), counted(resources));
            if holds {
                self.add(role, &what);
                self.executors.insert(place, (role, what));
            } else if let Some((role, what)) = self.executors.remove(&place) {
                self.sub(role, &what);
            }
        } else if let Note::Quota { role, quota } = note {
            self.tops.grow_to(*role, Top::default).limits = quota.limits.clone();
        }
    }
}

impl Checker for QuotaKept {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn observe(&mut self, now: Time, record: &Record<'_>) {
        if let Record::Master(note) = record {
            self.note(now, note);
        } else if let Record::FrameworkSubscribed { role, top, .. } = record {
            self.top_of.insert(*role, *top);
        } else if let Record::MasterFailed = record {
            (self.tasks, self.executors) = (FxHashMap::default(), FxHashMap::default());
            let tops: Vec<RoleId> = self.tops.ids().collect();
            tops.into_iter().for_each(|top| self.tops[top].out = ResourceQuantities::EMPTY);
        }
    }

    fn settled(&self, _: Time) {}
}
