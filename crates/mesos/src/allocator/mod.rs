//! The allocator: which framework is offered which agent.
//!
//! [`HierarchicalAllocator`] follows Mesos' `HierarchicalAllocatorProcess`: calls change its state and may ask for an
//! allocation; an allocation makes offers. Whoever drives it says what time it is and runs what was asked for. The trait
//! [`Allocator`] names all that can be said to it, so that others (a plain one in the tests, above all) can stand beside it.

mod agents;
mod candidates;
mod filter;
mod frameworks;
mod hierarchical;
mod look;
mod maintenance;
mod order;
mod role_tree;
mod run;
mod shared;
pub mod sorter;
mod tracking;

pub use hierarchical::HierarchicalAllocator;
pub use look::AgentShares;
pub use order::{Ascending, VisitOrder};

use crate::{
    attribute::Attributes,
    capability::{AgentCapabilities, Capabilities},
    constraint::RoleConstraints,
    domain::FaultDomain,
    id::{AgentId, FrameworkId, RoleId},
    maintenance::{InverseOfferStatus, Unavailability},
    offer::Filters,
    quota::Quota,
    resource::{OperationError, ResourceConversion, ResourceOperation, ResourceQuantities, Resources},
    time::{Span, Time},
};

/// The master's flags that concern the allocator.
#[derive(Clone, Debug)]
pub struct AllocatorOptions {
    /// Time between periodic allocations (`--allocation_interval`, 1 s).
    pub allocation_interval: Span,
    /// An offer must hold at least one of these; none: any offer will do (`--min_allocatable_resources`).
    pub min_allocatable_resources: Vec<ResourceQuantities>,
    /// Hide agents with GPUs from frameworks without `GPU_RESOURCES` (`--filter_gpu_resources`, true).
    pub filter_gpu_resources: bool,
    /// Names that do not count in shares (`--fair_sharing_excluded_resource_names`, none).
    pub fair_sharing_excluded: Vec<String>,
    /// Who comes first, among roles and among the frameworks of a role (`--role_sorter`, `--framework_sorter`: Mesos
    /// demands that they are the same).
    pub sorter: SorterKind,
    /// Where the master stands (`--domain`).
    pub domain: Option<FaultDomain>,
    /// After a failover with quota: which part of the agents must be back (`--allocator_agent_recovery_factor`, 0.8).
    pub agent_recovery_factor: f64,
    /// After a failover with quota: how long to wait for them (`--allocator_recovery_timeout`, 10 min).
    pub recovery_timeout: Span,
}

/// Which sorter decides who comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SorterKind {
    /// Dominant Resource Fairness.
    #[default]
    Drf,
    /// By lot, in proportion to the weights.
    Random {
        /// Of the lots.
        seed: u64,
    },
}

impl Default for AllocatorOptions {
    fn default() -> Self {
        Self {
            allocation_interval: Span::from_secs(1),
            min_allocatable_resources: crate::resource::parse_alternatives("cpus:0.01|mem:32")
                .expect("a constant"),
            filter_gpu_resources: true,
            fair_sharing_excluded: Vec::new(),
            sorter: SorterKind::Drf,
            domain: None,
            agent_recovery_factor: 0.8,
            recovery_timeout: Span::from_secs(600),
        }
    }
}

/// What the allocator knows of an agent.
#[derive(Clone, Debug, Default)]
pub struct AllocatorAgent {
    /// All it has.
    pub total: Resources,
    /// What it can deal with.
    pub capabilities: AgentCapabilities,
    /// What the whitelist and offer constraints go by.
    pub hostname: String,
    /// What offer constraints go by.
    pub attributes: Attributes,
    /// Where it stands.
    pub domain: Option<FaultDomain>,
}

/// What changes of an agent; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct AgentUpdate {
    /// All it has.
    pub total: Option<Resources>,
    /// What it can deal with.
    pub capabilities: Option<AgentCapabilities>,
    /// Its host name.
    pub hostname: Option<String>,
    /// Its attributes.
    pub attributes: Option<Attributes>,
    /// Where it stands.
    pub domain: Option<Option<FaultDomain>>,
}

/// What the allocator knows of a framework.
#[derive(Clone, Debug, Default)]
pub struct AllocatorFramework {
    /// Its id as text: by its bytes ties are broken.
    pub path: String,
    /// The roles it is subscribed to, without repetition.
    pub roles: Vec<RoleId>,
    /// Those of them for which it wants no offers.
    pub suppressed_roles: Vec<RoleId>,
    /// What it can deal with.
    pub capabilities: Capabilities,
    /// For a role, what replaces [`AllocatorOptions::min_allocatable_resources`]; an empty list: any offer.
    pub min_allocatable: Vec<(RoleId, Vec<ResourceQuantities>)>,
    /// For a role, which agents it is offered; a role that is missing: all.
    pub offer_constraints: Vec<(RoleId, RoleConstraints)>,
}

/// What an allocation gives: resources of one agent for one framework under one role.
#[derive(Clone, Debug, PartialEq)]
pub struct Allocation {
    /// To whom.
    pub framework: FrameworkId,
    /// Under which of its roles.
    pub role: RoleId,
    /// Where.
    pub agent: AgentId,
    /// What.
    pub resources: Resources,
}

/// A request to a framework to leave an agent that will be unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InverseOffer {
    /// To whom.
    pub framework: FrameworkId,
    /// Which agent.
    pub agent: AgentId,
    /// When it will be away.
    pub unavailability: Unavailability,
}

/// What one allocation makes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Allocations {
    /// In the order in which they were decided; one agent may stand there for one framework and role once only.
    pub offers: Vec<Allocation>,
    /// In order of agents, then frameworks.
    pub inverse_offers: Vec<InverseOffer>,
}

/// What somebody holds of an agent.
pub type Held = (FrameworkId, RoleId, Resources);

/// All that can be said to an allocator (Mesos' `mesos::allocator::Allocator`).
///
/// Identities of agents and frameworks come from the caller; one that was removed may come again. No call allocates by
/// itself: calls that Mesos answers with an allocation ask for one, which [`run_triggered`](Self::run_triggered) runs.
/// All times are those of one clock that starts at zero and never goes back.
pub trait Allocator {
    /// The identity of a role, new if it was never named. The name must be [valid](crate::role::validate).
    fn role(&mut self, name: &str) -> RoleId;
    /// The name of a role.
    fn role_name(&self, role: RoleId) -> &str;

    /// A new agent, and what frameworks use of it, allocated, not merely offered (`addSlave`). Asks for an allocation of it.
    fn add_agent(
        &mut self,
        agent: AgentId,
        info: AllocatorAgent,
        used: &[Held],
        unavailability: Option<Unavailability>,
    );
    /// Something about an agent has changed (`updateSlave`). Asks for an allocation of it, if indeed something has.
    fn update_agent(&mut self, agent: AgentId, update: AgentUpdate);
    /// Resources join an agent, some of them in use: counted as offered (`addResourceProvider`).
    fn add_resource_provider(&mut self, agent: AgentId, total: &Resources, used: &[Held]);
    /// The agent is gone, with all that is out of it (`removeSlave`).
    fn remove_agent(&mut self, agent: AgentId);
    /// The agent may be offered again (`activateSlave`).
    fn activate_agent(&mut self, agent: AgentId);
    /// The agent is not offered until it is activated (`deactivateSlave`).
    fn deactivate_agent(&mut self, agent: AgentId);

    /// A new framework (`addFramework`). `used` repeats what [`add_agent`](Self::add_agent) named for it before it was
    /// known. Asks for an allocation of all agents, if it is active.
    fn add_framework(
        &mut self,
        framework: FrameworkId,
        info: AllocatorFramework,
        used: &[(AgentId, RoleId, Resources)],
        active: bool,
    );
    /// The whole new state of a framework; its path stays (`updateFramework`).
    fn update_framework(&mut self, framework: FrameworkId, info: AllocatorFramework);
    /// The framework is gone; what it holds is free (`removeFramework`).
    fn remove_framework(&mut self, framework: FrameworkId);
    /// The framework is connected again; suppressed roles stay so (`activateFramework`). Asks for an allocation of all agents.
    fn activate_framework(&mut self, framework: FrameworkId);
    /// The framework is away: no offers, and its filters are dropped (`deactivateFramework`).
    fn deactivate_framework(&mut self, framework: FrameworkId);

    /// Resources come back, offered or allocated; with `filters` they are refused (`recoverResources`). For an agent or a
    /// framework that is gone nothing happens.
    #[expect(clippy::too_many_arguments, reason = "Mesos' own")]
    fn recover_resources(
        &mut self,
        now: Time,
        framework: FrameworkId,
        agent: AgentId,
        role: RoleId,
        resources: &Resources,
        filters: Option<Filters>,
        allocated: bool,
    );
    /// A task uses what was offered (`transitionOfferedToAllocated`).
    fn transition_offered_to_allocated(&mut self, agent: AgentId, role: RoleId, resources: &Resources);
    /// No offers for now under these roles, none meaning all of the framework's; filters stay (`suppressOffers`).
    fn suppress_offers(&mut self, framework: FrameworkId, roles: &[RoleId]);
    /// Offers again under these roles, none meaning all: filters and suppression are forgotten (`reviveOffers`). Asks for
    /// an allocation of all agents.
    fn revive_offers(&mut self, framework: FrameworkId, roles: &[RoleId]);

    /// Weights of roles, heeded from the next allocation on (`updateWeights`).
    fn update_weights(&mut self, weights: &[(RoleId, f64)]);
    /// The quota of a role of the top level, heeded from the next allocation on (`updateQuota`).
    fn update_quota(&mut self, role: RoleId, quota: Quota);

    /// Operations on what is free of an agent, in turn (`updateAvailable`).
    ///
    /// # Errors
    /// When its free resources cannot take them; then nothing is changed.
    fn update_available(
        &mut self,
        agent: AgentId,
        operations: &[ResourceOperation],
    ) -> Result<(), OperationError>;
    /// What was offered is converted, in the books of the framework and in the agent's total (`updateAllocation`).
    fn update_allocation(
        &mut self,
        framework: FrameworkId,
        agent: AgentId,
        role: RoleId,
        offered: &Resources,
        conversions: &[ResourceConversion],
    );

    /// The agent will be, or will not be, unavailable (`updateUnavailability`). Asks for an allocation of it.
    fn update_unavailability(&mut self, agent: AgentId, unavailability: Option<Unavailability>);
    /// A framework has answered an inverse offer, or it timed out (`updateInverseOffer`).
    fn update_inverse_offer(
        &mut self,
        now: Time,
        framework: FrameworkId,
        agent: AgentId,
        status: Option<InverseOfferStatus>,
        filters: Option<Filters>,
    );
    /// Only agents with these host names are offered; `None`: all (`updateWhitelist`).
    fn set_whitelist(&mut self, hostnames: Option<Vec<String>>);
    /// No allocation until [`resume`](Self::resume); what asks for one meanwhile is not remembered.
    fn pause(&mut self);
    /// See [`pause`](Self::pause).
    fn resume(&mut self);

    /// Runs the allocation that the calls since the last one asked for, if any did. Mesos, too, gathers them into one.
    fn run_triggered(&mut self, now: Time, out: &mut Allocations);
    /// When [`handle_timeout`](Self::handle_timeout) next has something to do: a periodic allocation that could give
    /// something. `now` itself counts if its periodic allocation was not run yet.
    fn next_timeout(&self, now: Time) -> Option<Time>;
    /// Ends filters and runs the periodic allocation, if one is due at `now`. Calling it for each multiple of the interval
    /// is always right.
    fn handle_timeout(&mut self, now: Time, out: &mut Allocations);

    /// The role's dominant share divided by its weight; `None` if no framework is tracked under it.
    fn dominant_share(&self, role: RoleId) -> Option<f64>;
    /// How many offer filters are in force under a role (gauge `offer_filters/roles/<role>/active`).
    fn filters_in_force(&self, role: RoleId, now: Time) -> usize;
    /// Scalar quantities over all agents: all there is, and what is offered or allocated.
    fn cluster_quantities(&self) -> (ResourceQuantities, ResourceQuantities);
}
