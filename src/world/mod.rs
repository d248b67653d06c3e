//! The simulated data centre: one master, many agents, some frameworks, and the network between them.
//!
//! Every node is a machine of the core (or a framework) and knows only messages. The world carries them, wakes nodes up
//! when they ask for it, plays the executors, and tells an [`Observer`] what happened. It decides nothing.

mod agent_node;
mod framework_node;
mod network;

use std::sync::atomic::{AtomicBool, Ordering};

use mesos::{
    allocator::VisitOrder,
    call::{Call, FrameworkInfo},
    effects::{MasterEffects, Note},
    event::{Event, FromAgent, ToAgent},
    id::{AgentId, FrameworkId, Id},
    master::{AgentInfo, Master, MasterOptions},
    time::{Span, Time},
};

use crate::{
    cluster::{Cluster, MachineId},
    engine::{
        Delivery, Engine, NodeId,
        random::{Seed, Stream, below, shuffle},
    },
    framework::{AgentFacts, Framework},
    record::{Observer, Record},
    workload::JobSource,
};
use agent_node::AgentNode;
use framework_node::FrameworkNode;
use network::Network;
pub use network::NetworkOptions;

/// What travels between nodes, or falls due in one of them.
#[derive(Debug)]
enum Message {
    /// A framework wants to subscribe.
    Subscribe,
    /// A subscribed framework calls the master.
    Call(FrameworkId, Call),
    /// A machine's agent wants to register.
    Register,
    /// A registered agent reports to the master.
    FromAgent(AgentId, FromAgent),
    /// The master tells a framework.
    Event(Event),
    /// The master tells an agent.
    ToAgent(ToAgent),
}

/// A message and who sent it, as the master needs to know for those who have no id yet.
#[derive(Debug)]
struct Envelope {
    from: NodeId,
    message: Message,
}

/// One framework of the data centre.
pub struct FrameworkSetup {
    /// What it subscribes with.
    pub info: FrameworkInfo,
    /// The weight of its role.
    pub weight: f64,
    /// Its scheduler.
    pub scheduler: Box<dyn Framework>,
    /// Its jobs.
    pub jobs: Box<dyn JobSource + Send>,
}

/// All that a world is made from.
pub struct Setup<'a> {
    /// The machines.
    pub cluster: &'a Cluster,
    /// The master's flags.
    pub master: MasterOptions,
    /// Whether the allocator visits agents in a random order, as Mesos does, or in order of their ids.
    pub shuffled: bool,
    /// The network.
    pub network: NetworkOptions,
    /// The longest delay before an agent's first registration (`--registration_backoff_factor`).
    pub registration_backoff: Span,
    /// The frameworks, in the order of the experiment file.
    pub frameworks: Vec<FrameworkSetup>,
    /// When no job is to come and no task runs: after how long without a new task the run is over. Must be longer than
    /// filters and offer timeouts last.
    pub patience: Span,
    /// Where all randomness comes from.
    pub seed: Seed,
}

/// Why a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Nothing more can happen: no event is left.
    Quiet,
    /// No job is to come, no task runs, and for a long time none was started: offers come and go, and nobody uses them.
    Stalled,
    /// The given end of simulated time was reached.
    TimeIsUp,
    /// Somebody asked to stop.
    Interrupted,
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Simulated time.
    pub now: Time,
    /// Events so far.
    pub events: u64,
}

/// See the [module](self).
pub struct World<'a, O> {
    engine: Engine<Envelope>,
    network: Network,
    cluster: &'a Cluster,
    master: Master,
    agents: Vec<AgentNode>,
    frameworks: Vec<FrameworkNode>,
    /// Machine of each registered agent; node of each subscribed framework.
    machine_of: Vec<MachineId>,
    node_of: Vec<NodeId>,
    facts: AgentFacts,
    patience: Span,
    /// Tasks that run.
    living: usize,
    /// When a job last arrived, or a task started or ended.
    last_progress: Time,
    observer: O,
}

const MASTER: usize = 0;
/// After how many events somebody outside hears of progress and may interrupt.
const PROGRESS_EVERY: u64 = 1 << 14;

impl<'a, O: Observer> World<'a, O> {
    /// A world at time zero: agents are about to register, frameworks to subscribe.
    pub fn new(setup: Setup<'a>, observer: O) -> Self {
        let order: Box<dyn VisitOrder> = if setup.shuffled {
            Box::new(Shuffled::new(setup.seed))
        } else {
            Box::new(mesos::allocator::Ascending)
        };
        let machines = setup.cluster.machines().len();
        let mut world = Self {
            engine: Engine::new(),
            network: Network::new(setup.network, setup.seed),
            cluster: setup.cluster,
            master: Master::new(setup.master, order),
            agents: setup
                .cluster
                .machines()
                .iter()
                .map(|machine| AgentNode::new(machine.resources.clone()))
                .collect(),
            frameworks: Vec::new(),
            machine_of: Vec::with_capacity(machines),
            node_of: Vec::new(),
            facts: AgentFacts::default(),
            patience: setup.patience,
            living: 0,
            last_progress: Time::ZERO,
            observer,
        };
        world.begin(setup.frameworks, setup.registration_backoff, setup.seed);
        world
    }

    fn begin(&mut self, frameworks: Vec<FrameworkSetup>, backoff: Span, seed: Seed) {
        for machine in 0..self.agents.len() {
            let mut rng = seed.of(Stream::AgentRegistration, machine as u64);
            let delay = Span(below(&mut rng, backoff.0 + 1));
            self.engine.wake_at(self.agent_node(machine), Some(Time::ZERO + delay));
        }
        for (place, setup) in frameworks.into_iter().enumerate() {
            self.master.update_weight(&setup.info.roles[0], setup.weight);
            let node = self.framework_node(place);
            self.post(node, NodeId::new(MASTER), Message::Subscribe);
            let framework = FrameworkNode::new(setup);
            self.engine.wake_at(node, framework.next_submission());
            self.frameworks.push(framework);
        }
    }

    /// Runs until nothing more can happen, or `until`, or `stop` is set. `progress` hears of it now and then.
    pub fn run(
        &mut self,
        until: Option<Time>,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(Progress),
    ) -> Ending {
        loop {
            if self.engine.events().is_multiple_of(PROGRESS_EVERY) {
                progress(self.progress());
                if stop.load(Ordering::Relaxed) {
                    return Ending::Interrupted;
                }
                if self.is_stalled() {
                    return Ending::Stalled;
                }
            }
            if until.is_some_and(|until| self.engine.next_time().is_some_and(|next| next > until)) {
                return Ending::TimeIsUp;
            }
            let Some((now, delivery)) = self.engine.next() else {
                return Ending::Quiet;
            };
            match delivery {
                Delivery::Wake(node) => self.wake(now, node),
                Delivery::Message(to, envelope) => self.deliver(now, to, envelope),
            }
        }
    }

    fn is_stalled(&self) -> bool {
        let idle = self.engine.now().since(self.last_progress) > self.patience;
        idle && self.living == 0
            && self.frameworks.iter().all(|framework| framework.next_submission().is_none())
    }

    /// How far the run is.
    #[must_use]
    pub const fn progress(&self) -> Progress {
        Progress { now: self.engine.now(), events: self.engine.events() }
    }

    /// The master, whose books tell the state of the cluster.
    #[must_use]
    pub const fn master(&self) -> &Master {
        &self.master
    }

    /// Who watched.
    #[must_use]
    pub const fn observer(&self) -> &O {
        &self.observer
    }

    /// Ends the world and hands the observer back.
    #[must_use]
    pub fn into_observer(self) -> O {
        self.observer
    }

    /// How many tasks wait for a place, over all frameworks.
    #[must_use]
    pub fn waiting_tasks(&self) -> usize {
        self.frameworks.iter().map(FrameworkNode::waiting).sum()
    }

    /// Panics unless the master's books balance, agent by agent: what is free and what frameworks hold make up the total, and
    /// what the master thinks free, the agent has free (it learns of a launch later and of an end earlier).
    pub fn assert_books_balance(&self) {
        for (agent, machine) in self.machine_of.iter().enumerate() {
            let shares = self.master.allocator().agent_shares(AgentId::new(agent));
            let mut sum = shares.available.clone();
            shares.held.iter().for_each(|(_, _, held)| sum += held);
            assert_eq!(sum, shares.total, "free + held = total on agent {agent}: {shares:?}");
            let node = &self.agents[machine.index()];
            let free = node.core().free();
            assert!(
                free.contains(&shares.available),
                "agent {agent} has {free:?}, the master thinks {shares:?}"
            );
        }
    }

    fn agent_node(&self, machine: usize) -> NodeId {
        NodeId::new(MASTER + 1 + machine)
    }

    fn framework_node(&self, place: usize) -> NodeId {
        NodeId::new(MASTER + 1 + self.agents.len() + place)
    }

    fn post(&mut self, from: NodeId, to: NodeId, message: Message) {
        let at = self.network.arrival(self.engine.now(), from, to);
        self.engine.send(to, at, Envelope { from, message });
    }

    fn wake(&mut self, now: Time, node: NodeId) {
        match self.kind(node) {
            Kind::Master => self.with_master(now, |master, now, out| master.handle_timeout(now, out)),
            Kind::Agent(machine) => self.wake_agent(now, machine),
            Kind::Framework(place) => self.submit(now, place),
        }
    }

    fn deliver(&mut self, now: Time, to: NodeId, Envelope { from, message }: Envelope) {
        match message {
            Message::Register => self.register(now, from),
            Message::Subscribe => self.subscribe(now, from),
            Message::Call(framework, call) => {
                self.with_master(now, |master, now, out| master.handle_call(now, framework, call, out));
            }
            Message::FromAgent(agent, message) => {
                self.with_master(now, |master, now, out| master.handle_agent(now, agent, message, out));
            }
            Message::Event(event) => self.handle_event(now, to, event),
            Message::ToAgent(message) => self.tell_agent(now, to, message),
        }
    }

    fn kind(&self, node: NodeId) -> Kind {
        match node.index().checked_sub(1) {
            None => Kind::Master,
            Some(place) if place < self.agents.len() => Kind::Agent(place),
            Some(place) => Kind::Framework(place - self.agents.len()),
        }
    }

    /// Lets the master act, carries what it says, and sets its alarm.
    fn with_master(&mut self, now: Time, act: impl FnOnce(&mut Master, Time, &mut MasterOut<'_, O>)) {
        let mut out = MasterOut {
            now,
            engine: &mut self.engine,
            network: &mut self.network,
            observer: &mut self.observer,
            machine_of: &self.machine_of,
            node_of: &self.node_of,
        };
        act(&mut self.master, now, &mut out);
        self.engine.wake_at(NodeId::new(MASTER), self.master.next_timeout(now));
    }

    fn register(&mut self, now: Time, from: NodeId) {
        let Kind::Agent(place) = self.kind(from) else { panic!("{from:?} is no agent, yet it registers") };
        let machine = &self.cluster.machines()[place];
        let agent = self.facts.add(machine.model);
        let record =
            Record::AgentRegistered { agent, machine: MachineId::new(place), resources: &machine.resources };
        self.observer.observe(now, &record);
        self.machine_of.push(MachineId::new(place));
        let (hostname, resources) = (machine.hostname.clone(), machine.resources.clone());
        let info = AgentInfo { hostname, resources, attributes: self.cluster.attributes(machine) };
        self.with_master(now, |master, now, out| {
            let id = master.register_agent(now, info, out);
            assert_eq!(id, agent, "agents are numbered in order of registration");
        });
    }

    fn subscribe(&mut self, now: Time, from: NodeId) {
        let Kind::Framework(place) = self.kind(from) else {
            panic!("{from:?} is no framework, yet it subscribes")
        };
        let info = self.frameworks[place].info().clone();
        self.node_of.push(from);
        let framework = FrameworkId::new(self.node_of.len() - 1);
        let role =
            self.master.roles().get(&info.roles[0]).expect("the weight of each role was given at the start");
        self.observer.observe(now, &Record::FrameworkSubscribed { framework, place, role });
        self.with_master(now, |master, now, out| {
            let id =
                master.subscribe(now, info, out).expect("a framework that was checked with the experiment");
            assert_eq!(id, framework, "frameworks are numbered in order of subscription");
        });
    }
}

enum Kind {
    Master,
    Agent(usize),
    Framework(usize),
}

/// Carries what the master says.
struct MasterOut<'w, O> {
    now: Time,
    engine: &'w mut Engine<Envelope>,
    network: &'w mut Network,
    observer: &'w mut O,
    machine_of: &'w [MachineId],
    node_of: &'w [NodeId],
}

impl<O> MasterOut<'_, O> {
    fn post(&mut self, to: NodeId, message: Message) {
        let from = NodeId::new(MASTER);
        let at = self.network.arrival(self.now, from, to);
        self.engine.send(to, at, Envelope { from, message });
    }
}

impl<O: Observer> MasterEffects for MasterOut<'_, O> {
    fn send_event(&mut self, framework: FrameworkId, event: Event) {
        self.post(self.node_of[framework.index()], Message::Event(event));
    }

    fn send_to_agent(&mut self, agent: AgentId, message: ToAgent) {
        let machine = self.machine_of[agent.index()];
        self.post(NodeId::new(MASTER + 1 + machine.index()), Message::ToAgent(message));
    }

    fn note(&mut self, note: Note<'_>) {
        self.observer.observe(self.now, &Record::Master(note));
    }
}

/// Mesos' order of visit: a new random one for each stage of an allocation.
#[derive(Debug)]
pub struct Shuffled {
    seed: Seed,
    runs: u64,
}

impl Shuffled {
    /// The orders of this seed.
    #[must_use]
    pub const fn new(seed: Seed) -> Self {
        Self { seed, runs: 0 }
    }
}

impl VisitOrder for Shuffled {
    fn arrange(&mut self, agents: &mut [AgentId]) {
        shuffle(&mut self.seed.of(Stream::VisitOrder, self.runs), agents);
        self.runs += 1;
    }
}
