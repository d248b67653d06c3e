//! Who holds what, and every sum over it, made anew each time it is asked for.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use mesos::{
    allocator::{AllocatorAgent, AllocatorFramework},
    id::{AgentId, FrameworkId, RoleId},
    maintenance::Unavailability,
    resource::{ResourceQuantities, Resources},
    role,
    time::Time,
};

use super::NaiveAllocator;

/// An agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) info: AllocatorAgent,
    pub(crate) activated: bool,
    /// What is offered or allocated, also to frameworks that are not known yet.
    pub(crate) held: BTreeMap<(FrameworkId, RoleId), Resources>,
    /// The rest; changes with every change of the others.
    pub(crate) available: Resources,
    pub(crate) maintenance: Option<Maintenance>,
}

/// An agent's planned absence.
#[derive(Debug)]
pub(crate) struct Maintenance {
    pub(crate) unavailability: Unavailability,
    /// Frameworks that have not answered their inverse offer.
    pub(crate) outstanding: BTreeSet<FrameworkId>,
}

impl Maintenance {
    pub(crate) fn new(unavailability: Unavailability) -> Self {
        Self { unavailability, outstanding: BTreeSet::new() }
    }
}

/// A framework.
#[derive(Debug)]
pub(crate) struct Framework {
    pub(crate) info: AllocatorFramework,
    pub(crate) active: bool,
    pub(crate) suppressed: BTreeSet<RoleId>,
}

/// Refused resources that are not to be offered again for a while.
#[derive(Debug)]
pub(crate) struct OfferFilter {
    pub(crate) framework: FrameworkId,
    pub(crate) role: RoleId,
    pub(crate) agent: AgentId,
    pub(crate) refused: Resources,
    pub(crate) ends: Time,
    /// It was made to last no longer than the interval: a periodic allocation at its very end still sees it.
    pub(crate) outlasts_tick: bool,
}

/// Inverse offers that are not to be made again for a while.
#[derive(Debug)]
pub(crate) struct InverseFilter {
    pub(crate) framework: FrameworkId,
    pub(crate) agent: AgentId,
    pub(crate) ends: Time,
}

impl Agent {
    pub(crate) fn new(info: AllocatorAgent) -> Self {
        let available = info.total.clone();
        Self { info, activated: true, held: BTreeMap::new(), available, maintenance: None }
    }

    /// Books what somebody gets.
    pub(crate) fn hand_out(&mut self, framework: FrameworkId, role: RoleId, resources: &Resources) {
        *self.held.entry((framework, role)).or_default() += resources;
        self.find_available();
    }

    /// Books what somebody gives back.
    pub(crate) fn take_back(&mut self, framework: FrameworkId, role: RoleId, resources: &Resources) {
        if let Some(held) = self.held.get_mut(&(framework, role)) {
            *held -= resources;
        }
        self.held.retain(|_, held| !held.is_empty());
        self.find_available();
    }

    /// All that is offered or allocated.
    pub(crate) fn all_held(&self) -> Resources {
        let mut sum = Resources::EMPTY;
        self.held.values().for_each(|held| sum += held);
        sum
    }

    /// What is left; shared volumes always are (`Slave::updateAvailable`).
    pub(crate) fn find_available(&mut self) {
        let (total, held) = (&self.info.total, self.all_held());
        self.available = if total.has_shared() {
            let mut rest = total.non_shared();
            rest -= &held.non_shared();
            rest += &total.shared();
            rest
        } else {
            let mut rest = total.clone();
            rest -= &held;
            rest
        };
    }
}

/// The scalars of parts that were handed out on one agent under one role: a shared volume counts once.
pub(crate) fn quantities<'a>(parts: impl Iterator<Item = &'a Resources>) -> ResourceQuantities {
    let (mut sum, mut shared) = (ResourceQuantities::EMPTY, Resources::EMPTY);
    for part in parts {
        if part.has_shared() {
            sum += part.non_shared().quantities();
            shared += &part.shared();
        } else {
            sum += part.quantities();
        }
    }
    for (volume, _) in shared.entries() {
        sum += Resources::from_entries([volume]).expect("it was valid before").quantities();
    }
    sum
}

/// Whether `role` is `top` or lies below it.
fn is_within(role: &str, top: &str) -> bool {
    role == top || role::is_strict_subrole(role, top)
}

impl NaiveAllocator {
    /// What known frameworks hold, summed per agent and role so that shared volumes count once there.
    fn held_by_role(
        &self,
        part: impl Fn(&Resources) -> Cow<'_, Resources>,
    ) -> BTreeMap<String, ResourceQuantities> {
        let mut sums: BTreeMap<RoleId, ResourceQuantities> = BTreeMap::new();
        for agent in self.agents.values() {
            let mut by_role: BTreeMap<RoleId, Vec<Cow<'_, Resources>>> = BTreeMap::new();
            for (&(framework, role), held) in &agent.held {
                if self.frameworks.contains_key(&framework) {
                    by_role.entry(role).or_default().push(part(held));
                }
            }
            for (role, parts) in by_role {
                *sums.entry(role).or_default() += &quantities(parts.iter().map(AsRef::as_ref));
            }
        }
        sums.into_iter().map(|(role, sum)| (self.roles.name(role).to_owned(), sum)).collect()
    }

    /// For the sorter of the roles.
    pub(crate) fn held_of_roles(&self) -> BTreeMap<String, ResourceQuantities> {
        self.held_by_role(|held| Cow::Borrowed(held))
    }

    /// For the sorter of the frameworks of one role.
    pub(crate) fn held_of_frameworks(&self, role: RoleId) -> BTreeMap<FrameworkId, ResourceQuantities> {
        let mut sums: BTreeMap<FrameworkId, ResourceQuantities> = BTreeMap::new();
        for agent in self.agents.values() {
            for (&(framework, _), held) in agent.held.iter().filter(|((_, of), _)| *of == role) {
                *sums.entry(framework).or_default() += &quantities([held].into_iter());
            }
        }
        sums
    }

    /// All reservations for a role or below it; those of all roles for `None`.
    pub(crate) fn reservations(&self, top: Option<&str>) -> ResourceQuantities {
        let mut sum = ResourceQuantities::EMPTY;
        for agent in self.agents.values() {
            for (role, reserved) in agent.info.total.reservations() {
                if top.is_none_or(|top| is_within(&role, top)) {
                    sum += reserved.quantities();
                }
            }
        }
        sum
    }

    /// Reservations, handed out or not, and what else is handed out for good (`quotaOfferedOrConsumed`).
    pub(crate) fn consumed(&self, top: &str) -> ResourceQuantities {
        let mut sum = self.reservations(Some(top));
        let unreserved = self.held_by_role(|held| Cow::Owned(held.unreserved().non_revocable()));
        for (_, held) in unreserved.iter().filter(|(role, _)| is_within(role, top)) {
            sum += held;
        }
        sum
    }

    /// What could be handed out to anybody, in the whole cluster.
    pub(crate) fn available_headroom(&self) -> ResourceQuantities {
        let mut headroom = ResourceQuantities::EMPTY;
        self.agents.values().for_each(|agent| headroom += agent.info.total.quantities());
        self.held_of_roles().values().for_each(|held| headroom -= held);
        let mut unused_reservations = self.reservations(None);
        self.held_by_role(|held| Cow::Owned(held.reserved()))
            .values()
            .for_each(|held| unused_reservations -= held);
        headroom -= &unused_reservations;
        for agent in self.agents.values() {
            headroom -= agent.available.revocable().quantities();
        }
        headroom
    }
}
