//! A master, the registry that outlives it, and all that it said.

use std::collections::VecDeque;

use mesos::{
    allocator::Ascending,
    call::{Call, FrameworkInfo, Operation, OperationKind, Refusal, Subscribe},
    capability::Capabilities,
    effects::{MasterEffects, Note},
    event::{Event, FromAgent, StatusUpdate, ToAgent},
    id::{Address, AgentId, ConnectionId, FrameworkId, Id, RequestId, StatusId, TaskId},
    master::{Master, MasterOptions},
    offer::{Filters, Offer},
    operator::{Answer, OperatorCall},
    registration::AgentInfo,
    registry::{Registry, RegistryOperation},
    resource::Resources,
    task::{Source, TaskInfo, TaskKey, TaskState, TaskStatus},
    time::Time,
};

/// Everything the master said since somebody last looked.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) events: Vec<(FrameworkId, ConnectionId, Event)>,
    pub(crate) closed: Vec<ConnectionId>,
    pub(crate) to_agents: Vec<(Address, ToAgent)>,
    pub(crate) answers: Vec<(RequestId, Answer)>,
    pub(crate) notes: Vec<String>,
    /// Batches that wait to be stored, if storing takes time.
    pub(crate) unstored: VecDeque<Vec<RegistryOperation>>,
    pub(crate) is_store_slow: bool,
    pub(crate) registry: Registry,
}

impl MasterEffects for Said {
    fn send_event(&mut self, framework: FrameworkId, connection: ConnectionId, event: Event) {
        self.events.push((framework, connection, event));
    }
    fn close(&mut self, connection: ConnectionId) {
        self.closed.push(connection);
    }
    fn send_to_agent(&mut self, address: Address, message: ToAgent) {
        self.to_agents.push((address, message));
    }
    fn store(&mut self, changes: &[RegistryOperation]) -> bool {
        if self.is_store_slow {
            self.unstored.push_back(changes.to_vec());
            return false;
        }
        changes.iter().for_each(|change| self.registry.apply(change));
        true
    }
    fn answer(&mut self, request: RequestId, answer: Answer) {
        self.answers.push((request, answer));
    }
    fn note(&mut self, note: Note<'_>) {
        self.notes.push(format!("{note:?}"));
    }
}

/// A master in conversation.
pub(crate) struct Talk {
    pub(crate) master: Master,
    pub(crate) now: Time,
    pub(crate) said: Said,
    connections: u64,
    requests: u64,
}

impl Talk {
    pub(crate) fn new(options: MasterOptions) -> Self {
        let master = Master::new(options, Box::new(Ascending));
        Self { master, now: Time::ZERO, said: Said::default(), connections: 0, requests: 0 }
    }

    /// A new stream.
    pub(crate) fn connect(&mut self) -> ConnectionId {
        self.connections += 1;
        ConnectionId(self.connections)
    }

    /// Subscribes over a new stream, whatever the answer.
    pub(crate) fn try_subscribe(&mut self, subscribe: Subscribe) -> ConnectionId {
        let connection = self.connect();
        self.master.subscribe(self.now, connection, subscribe, &mut self.said);
        connection
    }

    /// Subscribes over a new stream, which must work out.
    pub(crate) fn subscribe(&mut self, subscribe: Subscribe) -> (FrameworkId, ConnectionId) {
        let connection = self.try_subscribe(subscribe);
        let taken = |(_, of, event): &(FrameworkId, ConnectionId, Event)| {
            let Event::Subscribed { framework } = event else { return None };
            (*of == connection).then_some(*framework)
        };
        let framework = self.said.events.iter().find_map(taken);
        (framework.unwrap_or_else(|| panic!("not subscribed: {:?}", self.said.events)), connection)
    }

    /// A partition-aware framework of one role.
    pub(crate) fn framework(&mut self, role: &str) -> (FrameworkId, ConnectionId) {
        self.subscribe(subscription(role))
    }

    /// Registers an agent at the n-th address.
    pub(crate) fn agent(&mut self, n: usize, resources: &str) -> AgentId {
        let info = AgentInfo {
            hostname: format!("host{n}"),
            ip: format!("10.0.0.{n}"),
            resources: Resources::parse(resources).unwrap(),
            ..AgentInfo::default()
        };
        self.agent_says(n, FromAgent::Register(Box::new(info)));
        let answer = |(address, message): &(Address, ToAgent)| {
            let ToAgent::Registered { id, .. } = message else { return None };
            (address.index() == n).then_some(*id)
        };
        self.said.to_agents.iter().rev().find_map(answer).expect("the agent is registered")
    }

    pub(crate) fn agent_says(&mut self, n: usize, message: FromAgent) {
        self.master.handle_agent(self.now, Address::new(n), message, &mut self.said);
    }

    pub(crate) fn call(
        &mut self,
        (framework, connection): (FrameworkId, ConnectionId),
        call: Call,
    ) -> Result<(), Refusal> {
        self.master.handle_call(self.now, framework, connection, call, &mut self.said)
    }

    /// Asks as an operator; the answer, if it came at once.
    pub(crate) fn operator(&mut self, call: OperatorCall) -> Option<Answer> {
        self.requests += 1;
        let request = RequestId(self.requests);
        self.master.handle_operator(self.now, request, call, &mut self.said);
        self.said.answers.iter().find(|(of, _)| *of == request).map(|(_, answer)| answer.clone())
    }

    /// Lets the next batch of changes be stored.
    pub(crate) fn store(&mut self) {
        let changes = self.said.unstored.pop_front().expect("something to store");
        changes.iter().for_each(|change| self.said.registry.apply(change));
        self.master.handle_stored(self.now, &mut self.said);
    }

    /// Lets time pass, and all timers fire on their way.
    pub(crate) fn wait_until(&mut self, seconds: f64) {
        let until = Time((seconds * 1e9) as u64);
        while let Some(at) = self.master.next_timeout(self.now).filter(|&at| at <= until) {
            self.now = self.now.max(at);
            self.master.handle_timeout(self.now, &mut self.said);
        }
        self.now = until;
    }

    /// All offers sent since somebody last looked.
    pub(crate) fn offers(&mut self) -> Vec<Offer> {
        let offers = |event| if let Event::Offers(offers) = event { offers } else { vec![] };
        std::mem::take(&mut self.said.events).into_iter().flat_map(|(_, _, event)| offers(event)).collect()
    }

    /// All status updates sent since somebody last looked.
    pub(crate) fn updates(&mut self) -> Vec<TaskStatus> {
        let status = |event| if let Event::Update(status) = event { Some(status) } else { None };
        std::mem::take(&mut self.said.events).into_iter().filter_map(|(_, _, event)| status(event)).collect()
    }

    /// All messages to the n-th address since somebody last looked.
    pub(crate) fn told(&mut self, n: usize) -> Vec<ToAgent> {
        let (to, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.said.to_agents)
            .into_iter()
            .partition(|(address, _)| address.index() == n);
        self.said.to_agents = others;
        to.into_iter().map(|(_, message)| message).collect()
    }

    /// Launches a task on an offer; the rest of the offer is declined.
    pub(crate) fn launch(
        &mut self,
        framework: (FrameworkId, ConnectionId),
        offer: &Offer,
        id: usize,
        resources: &str,
    ) {
        let task = task(id, offer.agent, resources);
        let call = accept(&[offer], vec![OperationKind::Launch(vec![task]).into()], 5.0);
        self.call(framework, call).unwrap();
    }

    /// The agent at the n-th address reports a state of a task, made by the executor.
    pub(crate) fn report(&mut self, n: usize, agent: AgentId, key: TaskKey, state: TaskState, uuid: u64) {
        let update = StatusUpdate {
            key,
            state,
            latest: state,
            source: Source::Executor,
            reason: None,
            uuid: Some(StatusId(uuid)),
            timestamp: self.now,
            more: None,
        };
        self.agent_says(n, FromAgent::Update(agent, update));
    }
}

/// What a partition-aware framework of one role subscribes with.
pub(crate) fn subscription(role: &str) -> Subscribe {
    let capabilities = Capabilities::MULTI_ROLE.and(Capabilities::PARTITION_AWARE);
    let info = FrameworkInfo {
        name: role.into(),
        user: "user".into(),
        roles: vec![role.into()],
        capabilities,
        ..FrameworkInfo::default()
    };
    Subscribe { info, ..Subscribe::default() }
}

pub(crate) fn task(id: usize, agent: AgentId, resources: &str) -> TaskInfo {
    let resources = Resources::parse(resources).unwrap();
    TaskInfo { id: TaskId::new(id), agent, resources, data: 0, detail: None }
}

pub(crate) fn accept(offers: &[&Offer], operations: Vec<Operation>, refuse_seconds: f64) -> Call {
    let offers = offers.iter().map(|offer| offer.id).collect();
    Call::Accept { offers, operations, filters: Some(Filters { refuse_seconds }) }
}
