//! What is going on around the allocators: who was offered what, and what could happen next. Only legal things happen:
//! nobody gives back what they do not have.

use std::collections::BTreeMap;

use mesos::{
    allocator::{Allocation, Held},
    id::{AgentId, FrameworkId, Id, RoleId},
    maintenance::InverseOfferStatus,
    offer::Filters,
    resource::{ResourceConversion, ResourceOperation, Resources},
    time::{Span, Time},
};

use super::{
    ROLES,
    cluster::{self, Common},
    convert, json,
    op::{Op, Part},
    pick::Pick,
};
use crate::naive::NaiveAllocator;

/// The most agents and frameworks at once.
const AGENTS: usize = 12;
const FRAMEWORKS: usize = 8;

/// What sort of thing happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Advance,
    AddAgent,
    AddFramework,
    Decline,
    Accept,
    Finish,
    UpdateAgent,
    RemoveAgent,
    SwitchAgent,
    UpdateFramework,
    RemoveFramework,
    SwitchFramework,
    Suppress,
    Revive,
    Weights,
    Quota,
    UpdateAvailable,
    UpdateAllocation,
    Unavailability,
    AnswerInverse,
    Whitelist,
    Pause,
    Provider,
    GiveBackTooLate,
}

/// How often each happens.
pub(crate) const KINDS: [(u32, Kind); 24] = [
    (16, Kind::Advance),
    (4, Kind::AddAgent),
    (4, Kind::AddFramework),
    (20, Kind::Decline),
    (10, Kind::Accept),
    (8, Kind::Finish),
    (3, Kind::UpdateAgent),
    (1, Kind::RemoveAgent),
    (2, Kind::SwitchAgent),
    (2, Kind::UpdateFramework),
    (1, Kind::RemoveFramework),
    (3, Kind::SwitchFramework),
    (1, Kind::Suppress),
    (3, Kind::Revive),
    (2, Kind::Weights),
    (4, Kind::Quota),
    (4, Kind::UpdateAvailable),
    (6, Kind::UpdateAllocation),
    (2, Kind::Unavailability),
    (2, Kind::AnswerInverse),
    (1, Kind::Whitelist),
    (1, Kind::Pause),
    (1, Kind::Provider),
    (1, Kind::GiveBackTooLate),
];

/// Resources that are out, and whether a task uses them.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    pub(crate) part: Part,
    pub(crate) allocated: bool,
}

/// See the module.
pub(crate) struct World {
    pub(crate) common: Common,
    pub(crate) now: Time,
    pub(crate) holdings: Vec<Holding>,
    /// The holding that the last chosen step is about.
    chosen: usize,
    volumes: u32,
}

fn role_name(role: RoleId) -> &'static str {
    ROLES[role.index()]
}

fn any_role(pick: &mut Pick) -> RoleId {
    RoleId::new(pick.below(ROLES.len()))
}

impl World {
    pub(crate) const fn new(common: Common) -> Self {
        Self { common, now: Time::ZERO, holdings: Vec::new(), chosen: 0, volumes: 0 }
    }

    /// Something of this sort that can happen now, if anything can.
    pub(crate) fn choose(&mut self, kind: Kind, pick: &mut Pick, naive: &NaiveAllocator) -> Option<Op> {
        let agents: Vec<AgentId> = naive.agents.keys().copied().collect();
        let frameworks: Vec<FrameworkId> = naive.frameworks.keys().copied().collect();
        if naive.paused && pick.below(2) == 0 {
            return Some(Op::Resume);
        }
        let place = KINDS.iter().position(|(_, of)| *of == kind).expect("every kind is in the list");
        if self.common.without >> place & 1 == 1
            && !matches!(kind, Kind::Advance | Kind::AddAgent | Kind::AddFramework)
        {
            return None;
        }
        Some(match kind {
            Kind::Advance => Op::Advance(self.span(pick)),
            Kind::AddAgent => return self.add_agent(pick, naive),
            Kind::UpdateAgent => {
                Op::UpdateAgent { agent: pick.any(&agents)?, update: cluster::update(pick, &self.common) }
            }
            Kind::RemoveAgent => Op::RemoveAgent(pick.any(&agents)?),
            Kind::SwitchAgent => {
                let away = agents.iter().copied().find(|agent| !naive.agents[agent].activated);
                away.map_or_else(
                    || pick.any(&agents).map(Op::DeactivateAgent),
                    |agent| Some(Op::ActivateAgent(agent)),
                )?
            }
            Kind::Provider => return self.add_provider(pick, &agents, &frameworks),
            Kind::AddFramework => return self.add_framework(pick, naive),
            Kind::UpdateFramework => {
                let framework = pick.any(&frameworks)?;
                let info = cluster::framework(pick, json::framework_name(framework));
                Op::UpdateFramework { framework, info }
            }
            Kind::RemoveFramework => Op::RemoveFramework(pick.any(&frameworks)?),
            Kind::SwitchFramework => {
                let away = frameworks.iter().copied().find(|framework| !naive.frameworks[framework].active);
                match away.filter(|_| pick.below(4) < 3) {
                    Some(framework) => Op::ActivateFramework(framework),
                    None => Op::DeactivateFramework(pick.any(&frameworks)?),
                }
            }
            Kind::Suppress => {
                let framework = pick.any(&frameworks)?;
                Op::Suppress { framework, roles: pick.some(&naive.frameworks[&framework].info.roles) }
            }
            Kind::Revive => {
                let framework = pick.any(&frameworks)?;
                Op::Revive { framework, roles: pick.some(&naive.frameworks[&framework].info.roles) }
            }
            Kind::Decline => {
                let of = self.part_of_holding(pick, naive, false)?;
                Op::Recover { of, filters: self.filters(pick), allocated: false }
            }
            Kind::Accept => Op::Transition(self.part_of_holding(pick, naive, false)?),
            Kind::Finish => {
                let of = self.part_of_holding(pick, naive, true)?;
                Op::Recover { of, filters: None, allocated: true }
            }
            Kind::Weights => {
                let weight = pick.of(&[2.0, 1.0, 0.5, 3.0, 5.0]);
                Op::UpdateWeights(vec![(any_role(pick), weight)])
            }
            Kind::Quota => {
                let top = ["a", "b", "c", "*"].map(|name| ROLES.iter().position(|role| *role == name));
                let role = RoleId::new(pick.of(&top)?);
                Op::UpdateQuota { role, quota: cluster::quota(pick, &self.common) }
            }
            Kind::UpdateAvailable => return self.update_available(pick, naive, &agents),
            Kind::UpdateAllocation => return self.update_allocation(pick, naive),
            Kind::Unavailability => {
                let agent = pick.any(&agents)?;
                let away = (!pick.once_in(3)).then(|| cluster::away(pick));
                Op::UpdateUnavailability { agent, away }
            }
            Kind::AnswerInverse => return answer_inverse(pick, naive, &frameworks),
            Kind::Whitelist => {
                let some = pick.some(&["h0", "h1", "h2"].map(str::to_owned));
                Op::SetWhitelist(pick.once_in(3).then_some(some))
            }
            Kind::Pause => Op::Pause,
            Kind::GiveBackTooLate => return give_back_too_late(pick, naive),
        })
    }

    /// Notes what a step did to who holds what.
    pub(crate) fn done(&mut self, op: &Op) {
        match op {
            Op::AddAgent { agent, used, .. } => self.use_of(*agent, used, true),
            Op::AddResourceProvider { agent, used, .. } => self.use_of(*agent, used, false),
            Op::RemoveAgent(agent) => self.holdings.retain(|held| held.part.agent != *agent),
            Op::RemoveFramework(id) => self.holdings.retain(|held| held.part.framework != *id),
            Op::Recover { of, .. } => self.take(of),
            Op::RecoverTooLate { .. } => {}
            Op::Transition(of) => {
                self.take(of);
                self.holdings.push(Holding { part: of.clone(), allocated: true });
            }
            Op::UpdateAllocation { conversions, .. } => {
                let resources = &mut self.holdings[self.chosen].part.resources;
                for conversion in conversions {
                    resources.convert(conversion).expect("tried before");
                }
            }
            Op::Advance(span) => self.now = self.now + *span,
            Op::UpdateAgent { .. }
            | Op::ActivateAgent(_)
            | Op::DeactivateAgent(_)
            | Op::AddFramework { .. }
            | Op::UpdateFramework { .. }
            | Op::ActivateFramework(_)
            | Op::DeactivateFramework(_)
            | Op::Suppress { .. }
            | Op::Revive { .. }
            | Op::UpdateWeights(_)
            | Op::UpdateQuota { .. }
            | Op::UpdateAvailable { .. }
            | Op::UpdateUnavailability { .. }
            | Op::UpdateInverseOffer { .. }
            | Op::SetWhitelist(_)
            | Op::Pause
            | Op::Resume => {}
        }
    }

    /// Notes what was offered.
    pub(crate) fn offered(&mut self, offers: &[Allocation]) {
        for Allocation { framework, role, agent, resources } in offers {
            let resources = resources.unallocate();
            let part = Part { framework: *framework, role: *role, agent: *agent, resources };
            self.holdings.push(Holding { part, allocated: false });
        }
    }

    fn use_of(&mut self, agent: AgentId, used: &[Held], allocated: bool) {
        for (framework, role, resources) in used {
            let part = Part { framework: *framework, role: *role, agent, resources: resources.clone() };
            self.holdings.push(Holding { part, allocated });
        }
    }

    fn take(&mut self, of: &Part) {
        let held = &mut self.holdings[self.chosen].part.resources;
        *held -= &of.resources;
        self.holdings.retain(|held| !held.part.resources.is_empty());
    }

    /// Some eighths of a second, seldom many intervals.
    fn span(&self, pick: &mut Pick) -> Span {
        let interval = self.common.options.allocation_interval;
        let eighths = [Span::from_millis(125), Span::from_millis(500), Span::from_millis(1125)];
        let seconds = [interval, Span::from_secs(1), Span::from_secs(2), Span::from_secs(5)];
        let span = if pick.below(3) == 2 { pick.of(&eighths) } else { pick.of(&seconds) };
        let to_multiple = Span(interval.0 - self.now.0 % interval.0);
        let span = if pick.once_in(3) { to_multiple } else { span };
        if pick.once_in(32) { span + Span::from_secs(60) } else { span }
    }

    /// Filters of all lengths, among them those that end together with a periodic allocation.
    fn filters(&self, pick: &mut Pick) -> Option<Filters> {
        let interval = self.common.options.allocation_interval;
        let to_multiple = Span(interval.0 - self.now.0 % interval.0).as_secs_f64();
        let interval = interval.as_secs_f64();
        let lengths =
            [1.0, 2.0, 0.0, 0.125, 1.5, 3.0, 5.0, -1.0, 1e9, interval, to_multiple, to_multiple + interval];
        let refuse_seconds = pick.of(&lengths);
        (!pick.once_in(4)).then_some(Filters { refuse_seconds })
    }

    fn add_agent(&self, pick: &mut Pick, naive: &NaiveAllocator) -> Option<Op> {
        let free: Vec<AgentId> =
            (0..AGENTS).map(AgentId::new).filter(|agent| !naive.agents.contains_key(agent)).collect();
        if naive.paused {
            return None;
        }
        let agent = pick.any(&free)?;
        let info = cluster::agent(pick, &self.common);
        let away = pick.once_in(6).then(|| cluster::away(pick));
        let used = if pick.once_in(4) { some_use(pick, &info.total) } else { Vec::new() };
        Some(Op::AddAgent { agent, info, used, away })
    }

    fn add_provider(&self, pick: &mut Pick, agents: &[AgentId], frameworks: &[FrameworkId]) -> Option<Op> {
        let agent = pick.any(agents)?;
        let total = cluster::provided(pick);
        let anybody = FrameworkId::new(pick.below(FRAMEWORKS));
        let framework = pick.any(frameworks).filter(|_| !pick.once_in(4)).or(Some(anybody));
        let used = cluster::provided(pick);
        let used = framework.filter(|_| !used.is_empty()).map(|framework| (framework, any_role(pick), used));
        Some(Op::AddResourceProvider { agent, total, used: used.into_iter().collect() })
    }

    fn add_framework(&self, pick: &mut Pick, naive: &NaiveAllocator) -> Option<Op> {
        let free: Vec<FrameworkId> =
            (0..FRAMEWORKS).map(FrameworkId::new).filter(|id| !naive.frameworks.contains_key(id)).collect();
        let framework = pick.any(&free)?;
        let info = cluster::framework(pick, json::framework_name(framework));
        let mut used: BTreeMap<(AgentId, RoleId), Resources> = BTreeMap::new();
        for Holding { part, .. } in self.holdings.iter().filter(|held| held.part.framework == framework) {
            *used.entry((part.agent, part.role)).or_default() += &part.resources;
        }
        let used = used.into_iter().map(|((agent, role), resources)| (agent, role, resources)).collect();
        Some(Op::AddFramework { framework, info, used, active: !pick.once_in(6) })
    }

    /// Something that somebody known holds.
    fn choose_holding(&mut self, pick: &mut Pick, naive: &NaiveAllocator, allocated: bool) -> Option<Part> {
        let fits = |held: &Holding| {
            held.allocated == allocated && naive.frameworks.contains_key(&held.part.framework)
        };
        let places: Vec<usize> =
            (0..self.holdings.len()).filter(|place| fits(&self.holdings[*place])).collect();
        self.chosen = pick.any(&places)?;
        Some(self.holdings[self.chosen].part.clone())
    }

    fn part_of_holding(&mut self, pick: &mut Pick, naive: &NaiveAllocator, allocated: bool) -> Option<Part> {
        let held = self.choose_holding(pick, naive, allocated)?;
        let resources = convert::part(pick, &held.resources);
        (!resources.is_empty()).then_some(Part { resources, ..held })
    }

    fn new_volume(&mut self) -> String {
        self.volumes += 1;
        format!("v{}", self.volumes)
    }

    fn update_available(
        &mut self,
        pick: &mut Pick,
        naive: &NaiveAllocator,
        agents: &[AgentId],
    ) -> Option<Op> {
        let agent = pick.any(agents)?;
        let known = &naive.agents[&agent];
        let mut of = if pick.once_in(4) { known.info.total.clone() } else { known.available.clone() };
        let mut operations = Vec::new();
        for _ in 0..=pick.below(2) {
            let role = role_name(any_role(pick));
            let operation = convert::operation(pick, &of, role, self.new_volume())?;
            if let ResourceOperation::Destroy { volumes } = &operation
                && known.all_held().contains(volumes)
            {
                return None;
            }
            of.apply(&operation).ok()?;
            operations.push(operation);
        }
        Some(Op::UpdateAvailable { agent, operations })
    }

    fn update_allocation(&mut self, pick: &mut Pick, naive: &NaiveAllocator) -> Option<Op> {
        let of = self.choose_holding(pick, naive, false)?;
        let conversions = convert::conversions(pick, &of.resources, role_name(of.role), self.new_volume())?;
        let mut total = naive.agents.get(&of.agent)?.info.total.clone();
        let mut rest = of.resources.clone();
        for conversion in &conversions {
            rest.convert(conversion).ok()?;
            if !conversion.consumed.is_empty() {
                total.convert(conversion).ok()?;
            }
        }
        let destroys_for_others = conversions.iter().any(|conversion| self.others_hold(&of, conversion));
        (!rest.is_empty() && !destroys_for_others).then_some(Op::UpdateAllocation { of, conversions })
    }

    /// Whether somebody else holds a shared volume that would be gone.
    fn others_hold(&self, of: &Part, conversion: &ResourceConversion) -> bool {
        let Some(gone) = &conversion.gone else { return false };
        let others = self.holdings.iter().enumerate().filter(|(place, _)| *place != self.chosen);
        others.into_iter().any(|(_, held)| held.part.agent == of.agent && held.part.resources.contains(gone))
    }
}

/// What one or two frameworks, known or not, use of an agent.
fn some_use(pick: &mut Pick, total: &Resources) -> Vec<Held> {
    let (mut rest, mut used) = (total.non_shared(), Vec::new());
    for _ in 0..=pick.below(2) {
        let (framework, role) = (FrameworkId::new(pick.below(FRAMEWORKS)), any_role(pick));
        let resources = convert::part(pick, &rest.allocatable_to(role_name(role)));
        rest -= &resources;
        let known = used.iter().any(|(other, of, _): &Held| (*other, *of) == (framework, role));
        if !resources.is_empty() && !known {
            used.push((framework, role, resources));
        }
    }
    used
}

/// Of a framework or an agent that is gone, or of both.
fn give_back_too_late(pick: &mut Pick, naive: &NaiveAllocator) -> Option<Op> {
    let (framework, agent) = (FrameworkId::new(pick.below(FRAMEWORKS)), AgentId::new(pick.below(AGENTS)));
    let are_there = naive.frameworks.contains_key(&framework) && naive.agents.contains_key(&agent);
    let of = Part { framework, role: any_role(pick), agent, resources: cluster::provided(pick) };
    let filters = pick.once_in(2).then_some(Filters { refuse_seconds: 3.0 });
    (!are_there).then_some(Op::RecoverTooLate { of, filters })
}

/// An answer, timely or not, of some framework for some agent with planned maintenance. Filters that last no longer than
/// an interval are left out: where they end with a periodic allocation, Mesos itself may do either.
fn answer_inverse(pick: &mut Pick, naive: &NaiveAllocator, frameworks: &[FrameworkId]) -> Option<Op> {
    let away: Vec<(AgentId, Vec<FrameworkId>)> = naive
        .agents
        .iter()
        .filter_map(|(id, agent)| Some((*id, agent.maintenance.as_ref()?)))
        .map(|(id, maintenance)| (id, maintenance.outstanding.iter().copied().collect()))
        .collect();
    let (agent, outstanding) = pick.any(&away)?;
    let outstanding: Vec<FrameworkId> =
        outstanding.into_iter().filter(|framework| frameworks.contains(framework)).collect();
    let framework = if pick.once_in(4) { pick.any(frameworks) } else { pick.any(&outstanding) }?;
    let status = pick.of(&[None, Some(InverseOfferStatus::Accept), Some(InverseOfferStatus::Decline)]);
    let filters = pick.of(&[None, Some(0.0), Some(5.0), Some(3.0), Some(2.125), Some(-1.0)]);
    let filters = filters.map(|refuse_seconds| Filters { refuse_seconds });
    Some(Op::UpdateInverseOffer { framework, agent, status, filters })
}
