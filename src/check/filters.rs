//! Filters are kept: what a framework refused, or less of the same agent, it is not offered again while its filter holds.

use mesos::{
    effects::Note,
    id::{AgentId, FrameworkId, RoleId},
    offer::{Filters, Offer},
    resource::Resources,
    time::{Span, Time},
};
use rustc_hash::FxHashMap;

use super::{Checker, CheckerEntry, Facts};
use crate::record::Record;

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "filters",
    about: "what was refused is not offered again before its filter ends",
    build: |facts| Box::new(FiltersKept::new(facts)),
};

#[derive(Debug)]
struct Filter {
    refused: Resources,
    until: Time,
    /// Counted since then, filters of this framework, and of everybody on this agent, were dropped.
    dropped: (u64, u64),
}

/// Its books.
pub struct FiltersKept {
    interval: Span,
    filters: FxHashMap<(FrameworkId, RoleId, AgentId), Vec<Filter>>,
    /// How often all filters of a framework's role, and of an agent, were dropped.
    dropped_by: FxHashMap<(FrameworkId, RoleId), u64>,
    dropped_on: FxHashMap<AgentId, u64>,
    /// The roles that each framework ever had.
    roles: FxHashMap<FrameworkId, Vec<RoleId>>,
}

impl FiltersKept {
    fn new(facts: Facts) -> Self {
        Self {
            interval: facts.allocation_interval,
            filters: FxHashMap::default(),
            dropped_by: FxHashMap::default(),
            dropped_on: FxHashMap::default(),
            roles: FxHashMap::default(),
        }
    }

    fn dropped(&self, offer: &Offer) -> (u64, u64) {
        let by = self.dropped_by.get(&(offer.framework, offer.role)).copied().unwrap_or(0);
        (by, self.dropped_on.get(&offer.agent).copied().unwrap_or(0))
    }

    fn refused(&mut self, now: Time, filters: Filters, offer: &Offer) {
        let Some(lasts) = filters.timeout(self.interval) else { return };
        let dropped = self.dropped(offer);
        let filter = Filter { refused: offer.resources.clone(), until: now + lasts, dropped };
        let known = self.filters.entry((offer.framework, offer.role, offer.agent)).or_default();
        known.retain(|filter| filter.until > now && filter.dropped == dropped);
        known.push(filter);
    }

    fn offered(&self, now: Time, offer: &Offer) {
        let Some(known) = self.filters.get(&(offer.framework, offer.role, offer.agent)) else { return };
        let dropped = self.dropped(offer);
        for filter in known.iter().filter(|filter| filter.until > now && filter.dropped == dropped) {
            let is_new = !filter.refused.contains(&offer.resources);
            assert!(is_new, "{now} s: {offer:?}, against {filter:?}");
        }
    }

    fn drop_role(&mut self, framework: FrameworkId, role: RoleId) {
        *self.dropped_by.entry((framework, role)).or_default() += 1;
    }

    fn drop_all(&mut self, framework: FrameworkId) {
        for role in self.roles.get(&framework).cloned().unwrap_or_default() {
            self.drop_role(framework, role);
        }
    }

    fn note(&mut self, now: Time, note: &Note<'_>) {
        if let Note::Offered(offers) = note {
            offers.iter().for_each(|offer| self.offered(now, offer));
        } else if let Note::Refused(filters, offers) = note {
            offers.iter().for_each(|offer| self.refused(now, *filters, offer));
        } else if let Note::Revived { framework, roles } = note {
            roles.iter().for_each(|&role| self.drop_role(*framework, role));
        } else if let Note::Suppressed { framework, role, suppressed: false } = note {
            self.drop_role(*framework, *role);
        } else if let Note::FrameworkSubscribed { framework, roles, .. } = note {
            let known = self.roles.entry(*framework).or_default();
            known.extend(roles.iter().filter(|role| !known.contains(role)).copied().collect::<Vec<_>>());
        } else if let Note::FrameworkDisconnected { framework } | Note::FrameworkRemoved { framework } = note
        {
            self.drop_all(*framework);
        } else if let Note::AgentAdded { agent, .. } | Note::AgentEnded { agent, .. } = note {
            *self.dropped_on.entry(*agent).or_default() += 1;
        }
    }
}

impl Checker for FiltersKept {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn observe(&mut self, now: Time, record: &Record<'_>) {
        if let Record::Master(note) = record {
            self.note(now, note);
        } else if let Record::MasterFailed = record {
            self.filters.clear();
        }
    }

    fn settled(&self, _: Time) {}
}
