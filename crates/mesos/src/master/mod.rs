//! The master: takes calls and messages, keeps the books, decides, and says what follows.
//!
//! Four verbs: [`handle_call`](Master::handle_call), [`handle_agent`](Master::handle_agent),
//! [`next_timeout`](Master::next_timeout), [`handle_timeout`](Master::handle_timeout). Subscribing and registering have
//! verbs of their own, because they give out ids. Built so far: ACCEPT with LAUNCH, DECLINE, SUPPRESS, REVIVE,
//! ACKNOWLEDGE, status updates, offer timeout. Failover, kill, reconciliation and operator calls are not there yet.

mod accept;
mod offer_book;

use rustc_hash::FxHashMap;

use crate::{
    allocator::{
        Allocations, Allocator, AllocatorAgent, AllocatorFramework, AllocatorOptions, HierarchicalAllocator,
        VisitOrder,
    },
    attribute::{AttributeValue, Attributes},
    call::{Call, FrameworkInfo},
    capability::Capabilities,
    effects::{MasterEffects, Note, OfferEnd},
    event::{Event, FromAgent, ToAgent},
    id::{AgentId, FrameworkId, Id, IdVec, Interner, OfferId, RoleId, StatusId, TaskId},
    offer::{Filters, Offer},
    resource::Resources,
    role,
    task::{Source, TaskKey, TaskState, TaskStatus},
    time::{Span, Time},
};
use offer_book::OfferBook;

/// The master's flags.
#[derive(Clone, Debug, Default)]
pub struct MasterOptions {
    /// Those of the allocator.
    pub allocator: AllocatorOptions,
    /// After how long an unanswered offer is rescinded; `None`: never (`--offer_timeout`).
    pub offer_timeout: Option<Span>,
}

/// Who registers (Mesos' `AgentInfo`).
#[derive(Clone, Debug, PartialEq)]
pub struct AgentInfo {
    /// Its host name.
    pub hostname: String,
    /// All it has.
    pub resources: Resources,
    /// Name and text, in the order given.
    pub attributes: Vec<(String, String)>,
}

#[derive(Debug)]
struct Framework {
    info: FrameworkInfo,
    /// Tasks that are not over and acknowledged.
    tasks: FxHashMap<TaskId, Task>,
}

#[derive(Debug)]
struct Task {
    agent: AgentId,
    role: RoleId,
    resources: Resources,
    state: TaskState,
    /// The last update that was passed on to the framework.
    last_sent: Option<(StatusId, TaskState)>,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Master {
    allocator: HierarchicalAllocator,
    frameworks: IdVec<FrameworkId, Framework>,
    agents: IdVec<AgentId, AgentInfo>,
    offers: OfferBook,
    /// Kept for its memory.
    given: Allocations,
}

impl Master {
    /// A master that starts at time zero, without agents and frameworks.
    #[must_use]
    pub fn new(options: MasterOptions, order: Box<dyn VisitOrder>) -> Self {
        Self {
            allocator: HierarchicalAllocator::new(options.allocator, order),
            frameworks: IdVec::new(),
            agents: IdVec::new(),
            offers: OfferBook::new(options.offer_timeout),
            given: Allocations::default(),
        }
    }

    /// SUBSCRIBE of a new framework. Answers SUBSCRIBED and the id, or ERROR's message.
    pub fn subscribe(
        &mut self,
        now: Time,
        info: FrameworkInfo,
        out: &mut impl MasterEffects,
    ) -> Result<FrameworkId, String> {
        validate_roles(&info)?;
        let id = FrameworkId::new(self.frameworks.len());
        let subscription = AllocatorFramework {
            path: framework_path(id),
            roles: info.roles.iter().map(|name| self.allocator.role(name)).collect(),
            capabilities: info.capabilities,
            ..AllocatorFramework::default()
        };
        self.allocator.add_framework(id, subscription, &[], true);
        self.frameworks.push(Framework { info, tasks: FxHashMap::default() });
        out.send_event(id, Event::Subscribed { framework: id });
        self.send_offers(now, out);
        Ok(id)
    }

    /// Registration of a new agent. Answers `Registered` and the id.
    pub fn register_agent(&mut self, now: Time, info: AgentInfo, out: &mut impl MasterEffects) -> AgentId {
        let attributes = info.attributes.iter();
        let attributes =
            attributes.map(|(name, text)| (name.clone(), AttributeValue::Text(text.clone()))).collect();
        let registration = AllocatorAgent {
            total: info.resources.clone(),
            hostname: info.hostname.clone(),
            attributes: Attributes(attributes),
            ..AllocatorAgent::default()
        };
        let id = self.agents.push(info);
        self.allocator.add_agent(id, registration, &[], None);
        out.send_to_agent(id, ToAgent::Registered(id));
        self.send_offers(now, out);
        id
    }

    /// A call of a subscribed framework.
    pub fn handle_call(
        &mut self,
        now: Time,
        framework: FrameworkId,
        call: Call,
        out: &mut impl MasterEffects,
    ) {
        match call {
            Call::Accept { offers, operations, filters } => {
                self.accept(now, framework, &offers, operations, filters.unwrap_or_default(), out);
            }
            Call::Decline { offers, filters } => {
                self.decline(now, framework, &offers, filters.unwrap_or_default(), out);
            }
            Call::Revive => self.allocator.revive_offers(framework, &[]),
            Call::Suppress => self.allocator.suppress_offers(framework, &[]),
            Call::Acknowledge { agent, task, uuid } => self.acknowledge(framework, agent, task, uuid, out),
        }
        self.send_offers(now, out);
    }

    /// A message of a registered agent.
    pub fn handle_agent(
        &mut self,
        now: Time,
        agent: AgentId,
        message: FromAgent,
        out: &mut impl MasterEffects,
    ) {
        match message {
            FromAgent::Update { key, state, latest, uuid } => {
                self.status_update(now, agent, key, state, latest, uuid, out);
            }
        }
        self.send_offers(now, out);
    }

    /// When [`handle_timeout`](Self::handle_timeout) next has something to do.
    #[must_use]
    pub fn next_timeout(&self, now: Time) -> Option<Time> {
        [self.allocator.next_timeout(now), self.offers.next_timeout()].into_iter().flatten().min()
    }

    /// Does what is due: rescinds offers that were out too long, runs the periodic allocation.
    pub fn handle_timeout(&mut self, now: Time, out: &mut impl MasterEffects) {
        for offer in self.offers.take_overdue(now) {
            self.allocator.recover_resources(
                now,
                offer.framework,
                offer.agent,
                offer.role,
                &offer.resources,
                None,
                false,
            );
            out.note(Note::OffersEnded(OfferEnd::Rescinded, std::slice::from_ref(&offer)));
            out.send_event(offer.framework, Event::Rescind(offer.id));
        }
        let mut given = std::mem::take(&mut self.given);
        self.allocator.handle_timeout(now, &mut given);
        self.given = given;
        self.flush_offers(now, out);
    }

    /// The weight of a role from now on.
    pub fn update_weight(&mut self, role: &str, weight: f64) {
        let role = self.allocator.role(role);
        self.allocator.update_weights(&[(role, weight)]);
    }

    /// The books of the allocator, for metrics and checkers.
    #[must_use]
    pub const fn allocator(&self) -> &HierarchicalAllocator {
        &self.allocator
    }

    /// All roles that anybody named.
    #[must_use]
    pub const fn roles(&self) -> &Interner<RoleId> {
        self.allocator.roles()
    }

    /// What an agent said of itself.
    #[must_use]
    pub fn agent_info(&self, agent: AgentId) -> &AgentInfo {
        &self.agents[agent]
    }

    /// How many offers are out.
    #[must_use]
    pub fn outstanding_offers(&self) -> usize {
        self.offers.len()
    }

    /// How many tasks of a framework are not over and acknowledged.
    #[must_use]
    pub fn task_count(&self, framework: FrameworkId) -> usize {
        self.frameworks[framework].tasks.len()
    }

    fn decline(
        &mut self,
        now: Time,
        framework: FrameworkId,
        offers: &[OfferId],
        filters: Filters,
        out: &mut impl MasterEffects,
    ) {
        let ended: Vec<Offer> =
            offers.iter().filter_map(|&id| self.offers.take_if_of(id, framework)).collect();
        self.allocator.recover_declined(now, framework, &ended, filters);
        out.note(Note::OffersEnded(OfferEnd::Declined, &ended));
    }

    fn acknowledge(
        &mut self,
        framework: FrameworkId,
        agent: AgentId,
        id: TaskId,
        uuid: StatusId,
        out: &mut impl MasterEffects,
    ) {
        let key = TaskKey { framework, task: id };
        let tasks = &mut self.frameworks[framework].tasks;
        let Some(task) = tasks.get(&id) else { return };
        if task.agent != agent {
            return;
        }
        if task.last_sent.is_some_and(|(last, state)| last == uuid && state.is_terminal()) {
            tasks.remove(&id);
        }
        out.send_to_agent(agent, ToAgent::Acknowledge { key, uuid });
    }

    /// The stored state jumps to the newest one, while the framework gets the updates one by one (`Master::updateTask`,
    /// `Master::forward`). Resources come back when the task is first known to be over.
    #[expect(clippy::too_many_arguments, reason = "the fields of one message")]
    fn status_update(
        &mut self,
        now: Time,
        agent: AgentId,
        key: TaskKey,
        state: TaskState,
        latest: TaskState,
        uuid: StatusId,
        out: &mut impl MasterEffects,
    ) {
        if let Some(task) = self.frameworks[key.framework].tasks.get_mut(&key.task) {
            if task.state != latest && task.state.may_become(latest) {
                task.state = latest;
                out.note(Note::TaskState { key, state: latest });
                if latest.is_terminal() {
                    let (role, resources) = (task.role, &task.resources);
                    self.allocator.recover_resources(now, key.framework, agent, role, resources, None, true);
                    out.note(Note::Recovered { key, role, agent, resources });
                }
            }
            task.last_sent = Some((uuid, state));
        }
        let (agent, uuid) = (Some(agent), Some(uuid));
        let source = Source::Executor;
        let status = TaskStatus { task: key.task, agent, state, source, reason: None, uuid, timestamp: now };
        out.send_event(key.framework, Event::Update(status));
    }

    /// Runs what the calls have set off and sends its offers.
    fn send_offers(&mut self, now: Time, out: &mut impl MasterEffects) {
        let mut given = std::mem::take(&mut self.given);
        self.allocator.run_triggered(now, &mut given);
        self.given = given;
        self.flush_offers(now, out);
    }

    /// One OFFERS event for each framework that was given something, frameworks in order of their ids.
    fn flush_offers(&mut self, now: Time, out: &mut impl MasterEffects) {
        let Some(first) = self.given.offers.first().map(|allocation| allocation.framework) else { return };
        let mut given = std::mem::take(&mut self.given.offers);
        if given.iter().any(|allocation| allocation.framework != first) {
            given.sort_by_key(|allocation| allocation.framework); // stable: keeps the order of the visit
        }
        let mut rest = given.drain(..).peekable();
        while let Some(framework) = rest.peek().map(|allocation| allocation.framework) {
            let mut offers = Vec::with_capacity(rest.len());
            while let Some(allocation) = rest.next_if(|allocation| allocation.framework == framework) {
                offers.push(self.offers.open(allocation));
            }
            self.offers.start_timer(now, &offers);
            out.note(Note::Offered(&offers));
            out.send_event(framework, Event::Offers(offers));
        }
        drop(rest);
        self.given.offers = given;
    }
}

/// By what frameworks are ordered when all else is equal: their ids as text, as Mesos numbers them.
fn framework_path(id: FrameworkId) -> String {
    format!("{:04}", id.index())
}

fn validate_roles(info: &FrameworkInfo) -> Result<(), String> {
    if !info.capabilities.has(Capabilities::MULTI_ROLE) && info.roles.len() != 1 {
        return Err(format!(
            "Framework '{}' without MULTI_ROLE has {} roles, expected one",
            info.name,
            info.roles.len()
        ));
    }
    for (place, name) in info.roles.iter().enumerate() {
        role::validate(name).map_err(|error| format!("Invalid role '{name}': {error}"))?;
        if info.roles[..place].contains(name) {
            return Err(format!("Role '{name}' is given twice"));
        }
    }
    Ok(())
}
