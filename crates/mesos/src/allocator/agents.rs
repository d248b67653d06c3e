//! The agents' books: what each has, what is free, who holds the rest.

use smallvec::SmallVec;

use super::{
    AllocatorAgent, Held,
    role_tree::{is_simple, unreserved_non_revocable},
};
use crate::{
    attribute::Attributes,
    capability::AgentCapabilities,
    domain::FaultDomain,
    id::{FrameworkId, RoleId},
    resource::{ResourceName, ResourceQuantities, Resources},
};

/// What every allocation looks at, and little more, so that many agents fit the cache.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) available: Resources,
    /// Offered or allocated, by framework and role.
    pub(super) held: SmallVec<[Held; 1]>,
    /// What tasks use by role, as far as it counts against quota.
    pub(super) allocated: SmallVec<[(RoleId, ResourceQuantities); 1]>,
    /// Its total has GPUs.
    pub(super) has_gpus: bool,
    /// It stands in another region than the master.
    pub(super) is_remote: bool,
    pub(super) is_active: bool,
    pub(super) is_whitelisted: bool,
    pub(super) capabilities: AgentCapabilities,
    /// Nothing of its total is reserved, revocable or shared.
    pub(super) is_simple: bool,
    pub(super) has_shared: bool,
    /// What is free must be told anew from the total after each change: more is out than there is, something is shared,
    /// or the order of the entries matters.
    is_recomputed: bool,
    pub(super) detail: Box<Detail>,
}

/// What few look at.
#[derive(Debug)]
pub(super) struct Detail {
    pub(super) total: Resources,
    pub(super) hostname: String,
    pub(super) attributes: Attributes,
    pub(super) domain: Option<FaultDomain>,
}

impl Agent {
    pub(super) fn new(info: AllocatorAgent, used: &[Held]) -> Self {
        let AllocatorAgent { total, capabilities, hostname, attributes, domain } = info;
        let detail = Box::new(Detail { total: Resources::EMPTY, hostname, attributes, domain });
        let mut agent = Self {
            available: Resources::EMPTY,
            held: SmallVec::new(),
            allocated: SmallVec::new(),
            has_gpus: false,
            is_remote: false,
            is_active: true,
            is_whitelisted: true,
            capabilities,
            is_simple: true,
            has_shared: false,
            is_recomputed: false,
            detail,
        };
        for (framework, role, resources) in used {
            agent.hold(*framework, *role, resources);
            agent.add_allocated(*role, &unreserved_non_revocable(resources));
        }
        agent.set_total(total);
        agent
    }

    /// Replaces the total; what is out stays out, even if it is more.
    pub(super) fn set_total(&mut self, total: Resources) {
        self.has_gpus = total.get(ResourceName::Gpus).0 > 0;
        self.is_simple = is_simple(&total);
        self.has_shared = total.has_shared();
        self.is_recomputed = self.has_shared || order_matters(&total) || self.has_more_out_than(&total);
        self.detail.total = total;
        self.recompute();
    }

    /// The framework gets these, which are free.
    pub(super) fn give(&mut self, framework: FrameworkId, role: RoleId, resources: &Resources) -> bool {
        let is_new = self.hold(framework, role, resources);
        if self.is_recomputed {
            self.recompute();
        } else {
            self.available -= resources;
        }
        is_new
    }

    /// The framework gets all that is free; `true` if it held nothing here before under that role. Only for agents of
    /// which nothing is shared.
    pub(super) fn give_all(&mut self, framework: FrameworkId, role: RoleId) -> (Resources, bool) {
        let resources = std::mem::take(&mut self.available);
        let is_new = self.hold(framework, role, &resources);
        (resources, is_new)
    }

    /// Resources come back; `true` if the framework holds nothing here any more under that role. Panics if it does not hold
    /// them.
    pub(super) fn take_back(&mut self, framework: FrameworkId, role: RoleId, resources: &Resources) -> bool {
        let place = self.held.iter().position(|(f, r, _)| *f == framework && *r == role);
        let place = place.unwrap_or_else(|| panic!("{framework:?} gives back {resources}, holds none"));
        let held = &mut self.held[place].2;
        let is_last = held == resources;
        if is_last {
            let returned = self.held.swap_remove(place).2;
            if !self.is_recomputed && self.available.is_empty() {
                self.available = returned;
                return true;
            }
        } else {
            assert!(held.contains(resources), "{framework:?} gives back {resources}, holds {held}");
            *held -= resources;
        }
        if self.is_recomputed {
            let total = std::mem::take(&mut self.detail.total);
            self.set_total(total);
        } else {
            self.available += resources;
        }
        is_last
    }

    /// What the framework holds here under the role becomes something else (`updateAllocation`).
    /// `true` if nothing of it is left.
    pub(super) fn replace_held(
        &mut self,
        framework: FrameworkId,
        role: RoleId,
        old: &Resources,
        new: &Resources,
    ) -> bool {
        let held = self.held.iter_mut().find(|(f, r, _)| *f == framework && *r == role);
        let (_, _, held) = held.unwrap_or_else(|| panic!("{framework:?} converts {old}, holds none"));
        assert!(held.contains(old), "{framework:?} converts {old}, holds {held}");
        *held -= old;
        *held += new;
        let is_gone = held.is_empty();
        self.held.retain(|(_, _, held)| !held.is_empty());
        is_gone
    }

    /// Whether the framework holds anything here under the role.
    pub(super) fn is_held_by(&self, framework: FrameworkId, role: RoleId) -> bool {
        self.held.iter().any(|(f, r, _)| *f == framework && *r == role)
    }

    pub(super) fn add_allocated(&mut self, role: RoleId, quantities: &ResourceQuantities) {
        match self.allocated.iter_mut().find(|(of, _)| *of == role) {
            Some((_, sum)) => *sum += quantities,
            None => self.allocated.push((role, quantities.clone())),
        }
    }

    pub(super) fn sub_allocated(&mut self, role: RoleId, quantities: &ResourceQuantities) {
        if let Some((_, sum)) = self.allocated.iter_mut().find(|(of, _)| *of == role) {
            *sum -= quantities;
        }
    }

    /// `true` if it held nothing here before.
    pub(super) fn hold(&mut self, framework: FrameworkId, role: RoleId, resources: &Resources) -> bool {
        match self.held.iter_mut().find(|(f, r, _)| *f == framework && *r == role) {
            Some((_, _, held)) => {
                *held += resources;
                false
            }
            None => {
                self.held.push((framework, role, resources.clone()));
                true
            }
        }
    }

    /// `total - out`, except that shared volumes are always free (`Slave::updateAvailable`).
    fn recompute(&mut self) {
        let total = &self.detail.total;
        let mut free = if self.has_shared { total.non_shared() } else { total.clone() };
        for (_, _, held) in &self.held {
            if held.has_shared() {
                free -= &held.non_shared();
            } else {
                free -= held;
            }
        }
        if self.has_shared {
            free += &total.shared();
        }
        if !free.devices().is_empty() {
            // Of an agent that has lost devices that are held, what the amounts leave and what the devices leave may differ.
            let devices = free.devices();
            let left = devices.first(free.get(ResourceName::Gpus).0.min(devices.total()));
            free = free.with_devices(left);
        }
        self.available = free;
    }

    fn has_more_out_than(&self, total: &Resources) -> bool {
        let mut out = Resources::EMPTY;
        self.held.iter().for_each(|(_, _, held)| out += held);
        if !total.devices().contains(out.devices()) {
            return true;
        }
        // Two entries that are the same and do not add up are each contained in one.
        out -= total;
        !out.is_empty()
    }
}

/// Whether two entries of one name might be cut down by quota: then the order they stand in decides which one is.
fn order_matters(total: &Resources) -> bool {
    if total.is_plain() {
        return false;
    }
    let mut names: Vec<_> = total
        .entries()
        .filter(|(entry, _)| entry.is_scalar() && !entry.is_reserved() && !entry.is_revocable())
        .map(|(entry, _)| entry.name)
        .collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}
