//! What is said to an allocator, as a value: so that it can be said to two of them and written down.

use mesos::{
    allocator::{AgentUpdate, Allocator, AllocatorAgent, AllocatorFramework, Held},
    id::{AgentId, FrameworkId, RoleId},
    maintenance::{InverseOfferStatus, Unavailability},
    offer::Filters,
    quota::Quota,
    resource::{ResourceConversion, ResourceOperation, Resources},
    time::{Span, Time},
};

/// One call, or time that passes.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    AddAgent {
        agent: AgentId,
        info: AllocatorAgent,
        used: Vec<Held>,
        away: Option<Unavailability>,
    },
    UpdateAgent {
        agent: AgentId,
        update: AgentUpdate,
    },
    AddResourceProvider {
        agent: AgentId,
        total: Resources,
        used: Vec<Held>,
    },
    RemoveAgent(AgentId),
    ActivateAgent(AgentId),
    DeactivateAgent(AgentId),
    AddFramework {
        framework: FrameworkId,
        info: AllocatorFramework,
        used: Vec<(AgentId, RoleId, Resources)>,
        active: bool,
    },
    UpdateFramework {
        framework: FrameworkId,
        info: AllocatorFramework,
    },
    RemoveFramework(FrameworkId),
    ActivateFramework(FrameworkId),
    DeactivateFramework(FrameworkId),
    Recover {
        of: Part,
        filters: Option<Filters>,
        allocated: bool,
    },
    /// For a framework or an agent that is gone.
    RecoverTooLate {
        of: Part,
        filters: Option<Filters>,
    },
    Transition(Part),
    Suppress {
        framework: FrameworkId,
        roles: Vec<RoleId>,
    },
    Revive {
        framework: FrameworkId,
        roles: Vec<RoleId>,
    },
    UpdateWeights(Vec<(RoleId, f64)>),
    UpdateQuota {
        role: RoleId,
        quota: Quota,
    },
    UpdateAvailable {
        agent: AgentId,
        operations: Vec<ResourceOperation>,
    },
    UpdateAllocation {
        of: Part,
        conversions: Vec<ResourceConversion>,
    },
    UpdateUnavailability {
        agent: AgentId,
        away: Option<Unavailability>,
    },
    UpdateInverseOffer {
        framework: FrameworkId,
        agent: AgentId,
        status: Option<InverseOfferStatus>,
        filters: Option<Filters>,
    },
    SetWhitelist(Option<Vec<String>>),
    Pause,
    Resume,
    Advance(Span),
}

/// Resources that somebody holds.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) framework: FrameworkId,
    pub(crate) role: RoleId,
    pub(crate) agent: AgentId,
    pub(crate) resources: Resources,
}

impl Op {
    /// Says it; the answer is whether it was taken. Time passes elsewhere.
    pub(crate) fn say_to(&self, allocator: &mut dyn Allocator, now: Time) -> bool {
        match self.clone() {
            Self::AddAgent { agent, info, used, away } => allocator.add_agent(agent, info, &used, away),
            Self::UpdateAgent { agent, update } => allocator.update_agent(agent, update),
            Self::AddResourceProvider { agent, total, used } => {
                allocator.add_resource_provider(agent, &total, &used);
            }
            Self::RemoveAgent(agent) => allocator.remove_agent(agent),
            Self::ActivateAgent(agent) => allocator.activate_agent(agent),
            Self::DeactivateAgent(agent) => allocator.deactivate_agent(agent),
            Self::AddFramework { framework, info, used, active } => {
                allocator.add_framework(framework, info, &used, active);
            }
            Self::UpdateFramework { framework, info } => allocator.update_framework(framework, info),
            Self::RemoveFramework(framework) => allocator.remove_framework(framework),
            Self::ActivateFramework(framework) => allocator.activate_framework(framework),
            Self::DeactivateFramework(framework) => allocator.deactivate_framework(framework),
            Self::Recover { of, filters, allocated } => {
                let Part { framework, role, agent, resources } = of;
                allocator.recover_resources(now, framework, agent, role, &resources, filters, allocated);
            }
            Self::RecoverTooLate { of, filters } => {
                let Part { framework, role, agent, resources } = of;
                allocator.recover_resources(now, framework, agent, role, &resources, filters, false);
            }
            Self::Transition(part) => {
                allocator.transition_offered_to_allocated(part.agent, part.role, &part.resources);
            }
            Self::Suppress { framework, roles } => allocator.suppress_offers(framework, &roles),
            Self::Revive { framework, roles } => allocator.revive_offers(framework, &roles),
            Self::UpdateWeights(weights) => allocator.update_weights(&weights),
            Self::UpdateQuota { role, quota } => allocator.update_quota(role, quota),
            Self::UpdateAvailable { agent, operations } => {
                return allocator.update_available(agent, &operations).is_ok();
            }
            Self::UpdateAllocation { of, conversions } => {
                allocator.update_allocation(of.framework, of.agent, of.role, &of.resources, &conversions);
            }
            Self::UpdateUnavailability { agent, away } => allocator.update_unavailability(agent, away),
            Self::UpdateInverseOffer { framework, agent, status, filters } => {
                allocator.update_inverse_offer(now, framework, agent, status, filters);
            }
            Self::SetWhitelist(hostnames) => allocator.set_whitelist(hostnames),
            Self::Pause => allocator.pause(),
            Self::Resume => allocator.resume(),
            Self::Advance(_) => {}
        }
        true
    }
}
