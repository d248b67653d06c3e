//! The master: takes calls and messages, keeps the books, decides, and says what follows.
//!
//! Verbs: [`subscribe`](Master::subscribe), [`framework_disconnected`](Master::framework_disconnected) and
//! [`handle_call`](Master::handle_call) for frameworks; [`handle_agent`](Master::handle_agent) and
//! [`agent_disconnected`](Master::agent_disconnected) for agents; [`handle_operator`](Master::handle_operator) for operators;
//! [`handle_stored`](Master::handle_stored) for the registry; [`next_timeout`](Master::next_timeout) and
//! [`handle_timeout`](Master::handle_timeout) for time. What follows goes to a [`MasterEffects`].

mod accept;
mod agent_loss;
mod agents;
mod allocation;
mod departure;
mod drain;
mod frameworks;
mod inverse_offers;
mod launch;
mod look;
mod look_frameworks;
mod maintenance;
mod observer;
mod offer_book;
mod operation_ends;
mod operations;
mod operator;
mod operator_resources;
mod quota;
mod quota_request;
mod rate_limit;
mod readmission;
mod reconcile;
mod recovery;
mod registrar;
mod registry_gc;
mod reregister;
mod state;
mod subscription;
mod tasks;
mod timers;
mod validation;
mod weights;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rustc_hash::FxHashMap;

use crate::{
    allocator::{Allocations, Allocator, AllocatorOptions, HierarchicalAllocator, VisitOrder},
    call::{Call, Refusal, Subscribe},
    effects::MasterEffects,
    event::FromAgent,
    id::{Address, AgentId, ConnectionId, FrameworkId, IdVec, OperationUuid, RequestId},
    operator::OperatorCall,
    registration::AgentInfo,
    registry::DrainInfo,
    task::TaskKey,
    time::{Span, Time},
};
use maintenance::Maintenance;
use observer::RemovalLimit;
use offer_book::OfferBook;
use operations::PendingOperation;
use quota::Quotas;
use rate_limit::RateLimits;
use registrar::Registrar;
use registry_gc::RegistryGc;
use state::{Agent, Framework};
use timers::{Timer, Timers};

pub use look_frameworks::{FrameworkState, TaskView};
pub use observer::{RemovalRate, UnreachableCounts};
pub use rate_limit::RateLimit;
pub use state::CompletedTask;

/// The master's flags.
#[derive(Clone, Debug)]
pub struct MasterOptions {
    /// Those of the allocator.
    pub allocator: AllocatorOptions,
    /// After how long an unanswered offer is rescinded; `None`: never (`--offer_timeout`).
    pub offer_timeout: Option<Span>,
    /// Between two pings of an agent (`--agent_ping_timeout`, 15 s).
    pub agent_ping_timeout: Span,
    /// After so many unanswered pings in a row an agent is unreachable (`--max_agent_ping_timeouts`, 5).
    pub max_agent_ping_timeouts: u32,
    /// For how long an agent may be away whose connection broke, or that the registry names
    /// (`--agent_reregister_timeout`, 10 min).
    pub agent_reregister_timeout: Span,
    /// How fast agents may be marked unreachable; `None`: no limit (`--agent_removal_rate_limit`).
    pub agent_removal_rate_limit: Option<RemovalRate>,
    /// The part of the recovered agents that may be marked unreachable after a failover; if it would be more, the master
    /// gives up (`--recovery_agent_removal_limit`, 1.0).
    pub recovery_agent_removal_limit: f64,
    /// Whether agents without a domain are refused (`--require_agent_domain`).
    pub require_agent_domain: bool,
    /// Roles that may be used, beside `*`; `None`: any (`--roles`).
    pub role_whitelist: Option<Vec<String>>,
    /// Weights of roles, if the registry has none (`--weights`).
    pub weights: Vec<(String, f64)>,
    /// Whether frameworks of the user root are taken (`--root_submissions`).
    pub root_submissions: bool,
    /// By principal (`--rate_limits`).
    pub rate_limits: Vec<RateLimit>,
    /// How many frameworks that are over are remembered (`--max_completed_frameworks`, 50).
    pub max_completed_frameworks: usize,
    /// How many tasks of a framework that are over are remembered (`--max_completed_tasks_per_framework`, 1000).
    pub max_completed_tasks: usize,
    /// How many tasks of a framework on unreachable agents are remembered (`--max_unreachable_tasks_per_framework`, 1000).
    pub max_unreachable_tasks: usize,
    /// How often the registry is cleaned (`--registry_gc_interval`, 15 min).
    pub registry_gc_interval: Span,
    /// For how long unreachable and gone agents are remembered (`--registry_max_agent_age`, 2 weeks).
    pub registry_max_agent_age: Span,
    /// How many of each are remembered (`--registry_max_agent_count`, 102 400).
    pub registry_max_agent_count: usize,
    /// Whether agents that register or come back are [trusted](Master::trust) to answer pings. No flag of Mesos: for whoever
    /// drives a master and knows which agents are alive.
    pub trust_agents: bool,
}

impl Default for MasterOptions {
    fn default() -> Self {
        Self {
            allocator: AllocatorOptions::default(),
            offer_timeout: None,
            agent_ping_timeout: Span::from_secs(15),
            max_agent_ping_timeouts: 5,
            agent_reregister_timeout: Span::from_secs(600),
            agent_removal_rate_limit: None,
            recovery_agent_removal_limit: 1.0,
            require_agent_domain: false,
            role_whitelist: None,
            weights: Vec::new(),
            root_submissions: true,
            rate_limits: Vec::new(),
            max_completed_frameworks: 50,
            max_completed_tasks: 1000,
            max_unreachable_tasks: 1000,
            registry_gc_interval: Span::from_secs(15 * 60),
            registry_max_agent_age: Span::from_secs(14 * 24 * 3600),
            registry_max_agent_count: 102_400,
            trust_agents: false,
        }
    }
}

/// How many identities were given out, and all names of roles, for the next master: it goes on counting, where Mesos puts
/// a new prefix before its ids, so that ids of different leaders never collide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identities {
    /// Agents.
    pub agents: usize,
    /// Frameworks.
    pub frameworks: usize,
    /// Offers and inverse offers.
    pub offers: u64,
    /// Operations.
    pub operations: u64,
    /// Roles by their ids.
    pub roles: Vec<String>,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Master {
    options: MasterOptions,
    allocator: HierarchicalAllocator,
    /// Subscribed, disconnected and recovered ones; `None`: never known here, or completed.
    frameworks: IdVec<FrameworkId, Option<Box<Framework>>>,
    /// Removed ones, oldest first; these may not subscribe again.
    completed: VecDeque<FrameworkId>,
    framework_of: FxHashMap<ConnectionId, FrameworkId>,
    /// Registered ones.
    agents: IdVec<AgentId, Option<Box<Agent>>>,
    /// The registered agent of each address.
    agent_at: FxHashMap<Address, AgentId>,
    /// Agents that the registry names and that are not back yet.
    recovered: BTreeMap<AgentId, AgentInfo>,
    unreachable: BTreeMap<AgentId, Time>,
    gone: BTreeMap<AgentId, Time>,
    /// Tasks of agents that are unreachable or gone, as far as frameworks remember them as unreachable.
    unreachable_tasks: BTreeMap<AgentId, Vec<TaskKey>>,
    draining: BTreeMap<AgentId, DrainInfo>,
    deactivated: BTreeSet<AgentId>,
    maintenance: Maintenance,
    quotas: Quotas,
    weights: BTreeMap<String, f64>,
    operations: BTreeMap<OperationUuid, PendingOperation>,
    next_operation: u64,
    offers: OfferBook,
    registrar: Registrar,
    gc: RegistryGc,
    /// How many agents the registry named when this master took over.
    agents_to_recover: usize,
    /// Why this master has given up, if it has.
    fatal: Option<String>,
    /// See [`next_ticket`](Self::next_ticket).
    tickets: u64,
    removal_limit: RemovalLimit,
    rate_limits: RateLimits,
    timers: Timers,
    /// Kept for its memory.
    given: Allocations,
}

impl Master {
    /// A master that starts at time zero with an empty registry.
    #[must_use]
    pub fn new(options: MasterOptions, order: Box<dyn VisitOrder>) -> Self {
        let mut master = Self::without_weights(options, order);
        master.recover_weights(&BTreeMap::new());
        master
    }

    fn without_weights(options: MasterOptions, order: Box<dyn VisitOrder>) -> Self {
        Self {
            allocator: HierarchicalAllocator::new(options.allocator.clone(), order),
            frameworks: IdVec::new(),
            completed: VecDeque::new(),
            framework_of: FxHashMap::default(),
            agents: IdVec::new(),
            agent_at: FxHashMap::default(),
            recovered: BTreeMap::new(),
            unreachable: BTreeMap::new(),
            gone: BTreeMap::new(),
            unreachable_tasks: BTreeMap::new(),
            draining: BTreeMap::new(),
            deactivated: BTreeSet::new(),
            maintenance: Maintenance::default(),
            quotas: Quotas::default(),
            weights: BTreeMap::new(),
            operations: BTreeMap::new(),
            next_operation: 0,
            offers: OfferBook::new(options.offer_timeout),
            registrar: Registrar::default(),
            gc: RegistryGc::default(),
            agents_to_recover: 0,
            fatal: None,
            tickets: 0,
            removal_limit: RemovalLimit::new(options.agent_removal_rate_limit),
            rate_limits: RateLimits::new(&options.rate_limits),
            timers: Timers::default(),
            given: Allocations::default(),
            options,
        }
    }

    /// SUBSCRIBE over a new stream. Whether it is taken or refused, the answer comes over the stream: SUBSCRIBED, or ERROR
    /// and the end (`Master::subscribe`).
    pub fn subscribe(
        &mut self,
        now: Time,
        connection: ConnectionId,
        subscribe: Subscribe,
        out: &mut impl MasterEffects,
    ) {
        self.handle_subscribe(now, connection, subscribe, out);
        self.send_offers(now, out);
    }

    /// The stream to a framework broke. A stream that is not a framework's present one is passed over.
    pub fn framework_disconnected(
        &mut self,
        now: Time,
        connection: ConnectionId,
        out: &mut impl MasterEffects,
    ) {
        if let Some(&framework) = self.framework_of.get(&connection) {
            self.disconnect_framework(now, framework, out);
            self.send_offers(now, out);
        }
    }

    /// A call of a subscribed framework, over its stream.
    ///
    /// # Errors
    /// What the scheduler endpoint answers with a status other than 202 (200 for UPDATE_FRAMEWORK).
    pub fn handle_call(
        &mut self,
        now: Time,
        framework: FrameworkId,
        connection: ConnectionId,
        call: Call,
        out: &mut impl MasterEffects,
    ) -> Result<(), Refusal> {
        self.check_caller(framework, connection)?;
        if let Some(call) = self.throttle(now, framework, call, out) {
            self.dispatch_call(now, framework, call, out)?;
        }
        self.send_offers(now, out);
        Ok(())
    }

    fn dispatch_call(
        &mut self,
        now: Time,
        framework: FrameworkId,
        call: Call,
        out: &mut impl MasterEffects,
    ) -> Result<(), Refusal> {
        match call {
            Call::Teardown => self.remove_framework(now, framework, out),
            Call::Accept { offers, operations, filters } => {
                self.accept(now, framework, &offers, operations, filters.unwrap_or_default(), out);
            }
            Call::Decline { offers, filters } => {
                self.decline(now, framework, &offers, filters.unwrap_or_default(), out);
            }
            Call::AcceptInverseOffers { offers, filters } => {
                self.answer_inverse_offers(now, framework, &offers, true, filters.unwrap_or_default(), out);
            }
            Call::DeclineInverseOffers { offers, filters } => {
                self.answer_inverse_offers(now, framework, &offers, false, filters.unwrap_or_default(), out);
            }
            Call::Revive { roles } => self.revive(framework, &roles, out),
            Call::Suppress { roles } => self.suppress(framework, &roles, out),
            Call::Kill { task, agent, grace } => self.kill(now, framework, task, agent, grace, out),
            Call::Shutdown { executor, agent } => self.shutdown_executor(framework, executor, agent, out),
            Call::Acknowledge { agent, task, uuid } => {
                self.acknowledge(now, framework, agent, task, uuid, out);
            }
            Call::AcknowledgeOperation { agent, operation, uuid } => {
                self.acknowledge_operation(now, framework, agent, operation, uuid, out);
            }
            Call::Reconcile { tasks } => self.reconcile(now, framework, &tasks, out),
            Call::ReconcileOperations { operations } => {
                self.reconcile_operations(framework, &operations, out);
            }
            Call::Message { agent, executor, data } => {
                self.message_to_executor(framework, agent, executor, data, out);
            }
            Call::Request => {}
            Call::UpdateFramework(update) => return self.update_framework(now, framework, *update, out),
        }
        Ok(())
    }

    /// A message of the agent at this address.
    pub fn handle_agent(
        &mut self,
        now: Time,
        address: Address,
        message: FromAgent,
        out: &mut impl MasterEffects,
    ) {
        if !self.registrar.broken.is_empty() {
            self.registrar.broken.remove(&address);
        }
        match message {
            FromAgent::Register(info) => self.register(now, address, info, out),
            FromAgent::Reregister(back) => self.reregister(now, address, back, out),
            FromAgent::Unregister(agent) => self.unregister(now, address, agent, out),
            FromAgent::Pong(agent) => self.pong(agent),
            FromAgent::Update(agent, update) => self.status_update(now, agent, update, out),
            FromAgent::ExitedExecutor { agent, framework, executor, status } => {
                self.exited_executor(now, agent, framework, executor, status, out);
            }
            FromAgent::Message { agent, framework, executor, data } => {
                self.message_to_framework(agent, framework, executor, data, out);
            }
            FromAgent::Operation { agent, uuid, state, message, status } => {
                self.operation_update(now, agent, uuid, state, message, status, out);
            }
            FromAgent::Oversubscribed { agent, revocable } => {
                self.update_revocable(now, agent, &revocable, out);
            }
            FromAgent::Total { agent, total } => self.update_total(now, agent, &total, out),
        }
        self.send_offers(now, out);
    }

    /// The connection to the agent at this address broke (`Master::exited`).
    pub fn agent_disconnected(&mut self, now: Time, address: Address, out: &mut impl MasterEffects) {
        if self.registrar.is_coming_from(address) {
            self.registrar.broken.insert(address);
        }
        if let Some(&agent) = self.agent_at.get(&address) {
            self.disconnect_agent(now, agent, out);
            self.send_offers(now, out);
        }
    }

    /// A call of an operator. The answer comes through [`MasterEffects::answer`], at once or when the registry has it.
    pub fn handle_operator(
        &mut self,
        now: Time,
        request: RequestId,
        call: OperatorCall,
        out: &mut impl MasterEffects,
    ) {
        self.dispatch_operator(now, request, call, out);
        self.send_offers(now, out);
    }

    /// The changes last given to [`MasterEffects::store`] are kept for good.
    pub fn handle_stored(&mut self, now: Time, out: &mut impl MasterEffects) {
        self.stored(now, out);
        self.send_offers(now, out);
    }

    /// When [`handle_timeout`](Self::handle_timeout) next has something to do.
    #[must_use]
    pub fn next_timeout(&self, now: Time) -> Option<Time> {
        let allocation = self.allocator.next_timeout(now);
        Time::earliest([allocation, self.offers.next_timeout(), self.timers.next()])
    }

    /// Does what is due: timers in order, then offers that were out too long, then the periodic allocation.
    pub fn handle_timeout(&mut self, now: Time, out: &mut impl MasterEffects) {
        while let Some(timer) = self.timers.pop_due(now) {
            self.fire(now, timer, out);
        }
        self.rescind_overdue(now, out);
        self.send_offers(now, out);
        self.periodic_allocation(now, out);
    }

    fn fire(&mut self, now: Time, timer: Timer, out: &mut impl MasterEffects) {
        match timer {
            Timer::Failover(framework, subscription) => {
                self.failover_timeout(now, framework, subscription, out);
            }
            Timer::Ping(agent, number) => self.ping_timeout(now, agent, number, out),
            Timer::AgentReregister(agent, disconnection) => {
                self.agent_reregister_timeout(now, agent, disconnection, out);
            }
            Timer::RecoveredAgents => self.recovered_agents_timeout(now, out),
            Timer::RemovalSlot => self.removal_slot(now, out),
            Timer::RegistryGc => self.collect_registry(now, out),
            Timer::InverseOffer(offer) => self.inverse_offer_timeout(now, offer, out),
            Timer::RateLimit => self.handle_throttled(now, out),
        }
    }
}
