//! The simulated data centre: one master, many agents, some frameworks, and the network between them.
//!
//! Every node is a machine of the core (or a framework) and knows only messages. The world carries them, wakes nodes up
//! when they ask for it, plays machines and faults, and tells an [`Observer`] what happened. It decides nothing.

mod agent_node;
mod agreement;
mod deliver;
mod faults;
mod framework_node;
mod links;
mod master_node;
mod network;
mod oversubscription;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use mesos::{
    agent::AgentOptions,
    allocator::{HierarchicalAllocator, VisitOrder},
    call::{Call, FrameworkInfo, Subscribe},
    effects::Container,
    event::{Event, FromAgent, ToAgent},
    id::{AgentId, ConnectionId, FrameworkId, Id, IdVec, RoleId},
    master::{Master, MasterOptions},
    operator::OperatorCall,
    registration::AgentInfo,
    time::{Span, Time},
};

use crate::{
    cluster::{self, Cluster, MachineId},
    container::{HostOptions, Images, Profile},
    engine::{
        Delivery, Engine, NodeId,
        random::{Seed, Stream, shuffle},
    },
    fault::Schedule,
    framework::{AgentFacts, Figure, Framework},
    record::Observer,
    workload::JobSource,
};
use agent_node::AgentNode;
use faults::Damage;
use framework_node::FrameworkNode;
use links::Link;
use master_node::{Legacy, Missing};
pub use network::{Between, ConditionId, CutCount, Network, NetworkOptions, NodeSet};
pub use oversubscription::Oversubscription;
use oversubscription::Slack;

/// What travels between nodes, or falls due in one of them.
#[derive(Debug)]
enum Message {
    /// A framework subscribes over a new stream.
    Subscribe(ConnectionId, Box<Subscribe>),
    /// A subscribed framework calls the master.
    Call(FrameworkId, ConnectionId, Call),
    /// An agent speaks to the master.
    FromAgent(FromAgent),
    /// The master tells a framework over its stream.
    Event(ConnectionId, Event),
    /// The master ends a stream.
    Closed(ConnectionId),
    /// The master tells an agent.
    ToAgent(ToAgent),
    /// The connection to the sender broke.
    Broke,
    /// Somebody leads, or nobody does.
    LeaderKnown(bool),
    /// The operator asks something of whoever leads.
    Operate(Box<OperatorCall>),
    /// A master is elected, after so many others.
    Elected(u32),
    /// What this master, after so many others, gave to be stored is stored.
    Stored(u32),
    /// A process that was shut down starts again, unless something happened in between.
    StartProcess(u32),
    /// A framework tries to subscribe again, unless something happened in between.
    Resubscribe(u32),
    /// A framework asks again about its tasks, and again after twice this time.
    ReconcileAgain(u32, Span),
    /// In this cut a framework has missed too many heartbeats.
    HeartbeatsLost(u32),
    /// In this cut the master's side of a framework's stream gives up.
    StreamTimeout(u32),
}

/// A message on its way.
#[derive(Debug)]
struct Envelope {
    from: NodeId,
    /// The connection over which it travels, or [`Envelope::OWN`].
    epoch: u32,
    /// How often the network had been cut when it was sent.
    cuts: CutCount,
    message: Message,
}

impl Envelope {
    /// Of a message that does not travel over the network.
    const OWN: u32 = u32::MAX;
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
    /// The master's flags; the weights of the frameworks' roles are added to them.
    pub master: MasterOptions,
    /// The agents' flags.
    pub agent: AgentOptions,
    /// How machines run containers.
    pub host: HostOptions,
    /// Images that profiles name.
    pub images: Images,
    /// What tasks do beside running, by their number in the workload, from 1.
    pub profiles: Vec<Arc<Profile>>,
    /// How CPUs are offered once more; `None`: they are not.
    pub oversubscription: Option<Oversubscription>,
    /// Whether the allocator visits agents in a random order, as Mesos does, or in order of their ids.
    pub shuffled: bool,
    /// The network.
    pub network: NetworkOptions,
    /// How long it takes to store a change of the registry.
    pub registry_store_delay: Span,
    /// How long it takes until another master leads when one has died.
    pub election: Span,
    /// The frameworks, in the order of the experiment file.
    pub frameworks: Vec<FrameworkSetup>,
    /// What goes wrong.
    pub faults: Option<Schedule>,
    /// What the operator asks of the master, and when; if nobody leads then, the next master is asked.
    pub operator: Vec<(Time, OperatorCall)>,
    /// When no job is to come and no task runs: after how long without a new task the run is over. Must be longer than
    /// filters and offer timeouts last.
    pub patience: Span,
    /// Where all randomness comes from.
    pub seed: Seed,
}

impl<'a> Setup<'a> {
    /// A world of frameworks on a cluster in which nothing goes wrong, with Mesos' defaults.
    #[must_use]
    pub fn new(cluster: &'a Cluster, frameworks: Vec<FrameworkSetup>, seed: Seed) -> Self {
        Self {
            cluster,
            master: MasterOptions::default(),
            agent: AgentOptions::default(),
            host: HostOptions::default(),
            images: Images::default(),
            profiles: Vec::new(),
            oversubscription: None,
            shuffled: true,
            network: NetworkOptions { latency: Span(500_000), jitter: Span::ZERO },
            registry_store_delay: Span::ZERO,
            election: Span::from_secs(10),
            frameworks,
            faults: None,
            operator: Vec::new(),
            patience: Span::from_secs(3600),
            seed,
        }
    }
}

/// Why a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Nothing more can happen: no event is left, or nothing but faults.
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
    links: IdVec<NodeId, Link>,
    latency: Span,
    cluster: &'a Cluster,
    /// Who leads; `None` between the death of one and the election of the next.
    master: Option<Master>,
    master_options: MasterOptions,
    legacy: Legacy,
    missing: Option<Missing>,
    election: Span,
    store_delay: Span,
    /// Calls of the operator so far.
    requests: u64,
    is_shuffled: bool,
    seed: Seed,
    /// Says what the allocator would offer, whoever leads.
    probe: HierarchicalAllocator,
    agent_options: AgentOptions,
    startup_delay: Span,
    profiles: Vec<Arc<Profile>>,
    agents: Vec<AgentNode>,
    /// Of the agent that acts; empty otherwise, and kept for its memory.
    orders: Vec<Container>,
    frameworks: Vec<FrameworkNode>,
    /// The first role of each framework, and the role of the top level above it.
    framework_roles: Vec<(RoleId, RoleId)>,
    /// Machine of each agent that ever registered; place of each framework that ever subscribed.
    machine_of: IdVec<AgentId, MachineId>,
    place_of: IdVec<FrameworkId, usize>,
    facts: AgentFacts,
    faults: Option<Schedule>,
    damage: Damage,
    /// Whether something goes on for ever: faults, or estimates of what can be offered once more.
    never_rests: bool,
    /// When all work was over, in a run in which something goes on for ever.
    over_since: Option<Time>,
    patience: Span,
    /// Containers that are there.
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
        let Setup { cluster, seed, frameworks, .. } = setup;
        let options = master_options(setup.master, &frameworks);
        let (host, images) = (Arc::new(setup.host), Arc::new(setup.images));
        let agent = |(place, machine)| {
            let slack = setup.oversubscription.as_ref().map(Slack::new);
            AgentNode::new(agent_info(cluster, place, machine), place, seed, &host, &images, slack)
        };
        let master = Master::new(options.clone(), master_node::visit_order(setup.shuffled, seed));
        let role = |of: &FrameworkSetup| {
            let role = of.info.subscribed_roles()[0];
            let known = |role| master.roles().get(role).expect("the master was told the weight of each role");
            (known(role), known(role.split_once('/').map_or(role, |(top, _)| top)))
        };
        let ascending = Box::new(mesos::allocator::Ascending);
        let mut world = Self {
            engine: Engine::new(),
            network: Network::new(setup.network, seed),
            links: (0..=cluster.machines().len() + frameworks.len()).map(|_| Link::default()).collect(),
            latency: setup.network.latency,
            cluster,
            framework_roles: frameworks.iter().map(role).collect(),
            master: Some(master),
            probe: HierarchicalAllocator::new(options.allocator.clone(), ascending),
            master_options: options,
            legacy: Legacy::default(),
            missing: None,
            election: setup.election,
            store_delay: setup.registry_store_delay,
            requests: 0,
            is_shuffled: setup.shuffled,
            seed,
            agent_options: setup.agent,
            startup_delay: setup.host.startup_delay,
            profiles: setup.profiles,
            agents: cluster.machines().iter().enumerate().map(agent).collect(),
            orders: Vec::new(),
            frameworks: frameworks.into_iter().map(FrameworkNode::new).collect(),
            machine_of: IdVec::new(),
            place_of: IdVec::new(),
            facts: AgentFacts::new(cluster),
            never_rests: setup.faults.is_some() || setup.oversubscription.is_some(),
            faults: setup.faults,
            damage: Damage::default(),
            over_since: None,
            patience: setup.patience,
            living: 0,
            last_progress: Time::ZERO,
            observer,
        };
        world.begin(setup.operator);
        world
    }

    fn begin(&mut self, operator: Vec<(Time, OperatorCall)>) {
        for (at, call) in operator {
            self.engine.send(NodeId::new(MASTER), at, self.to_self(Message::Operate(Box::new(call))));
        }
        for machine in 0..self.agents.len() {
            self.start_process(Time::ZERO, machine);
        }
        for place in 0..self.frameworks.len() {
            self.try_subscribe(Time::ZERO, place);
            self.wake_framework_later(Time::ZERO, place);
        }
        self.await_faults();
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
            if self.never_rests && self.is_over() {
                return Ending::Quiet;
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
        idle && self.living == 0 && !self.frameworks.iter().any(FrameworkNode::has_plans)
    }

    /// Whether, in a run in which something goes on for ever, all work has been over for a while.
    fn is_over(&mut self) -> bool {
        let is_done = |of: &FrameworkNode| !of.has_plans() && of.waiting() == 0 && of.launched() == 0;
        if self.living > 0 || !self.frameworks.iter().all(is_done) {
            self.over_since = None;
            return false;
        }
        let since = *self.over_since.get_or_insert(self.engine.now());
        self.engine.next_time().is_none_or(|next| next > since + faults::SETTLE)
    }

    /// How far the run is.
    #[must_use]
    pub const fn progress(&self) -> Progress {
        Progress { now: self.engine.now(), events: self.engine.events() }
    }

    /// The master, whose books tell the state of the cluster; `None` between two masters.
    #[must_use]
    pub const fn master(&self) -> Option<&Master> {
        self.master.as_ref()
    }

    /// What a framework measured of itself, by its place in the experiment file.
    #[must_use]
    pub fn figures(&self, now: Time, place: usize) -> Vec<Figure> {
        self.frameworks[place].figures(now)
    }

    /// The first roles of the frameworks, by place.
    pub fn framework_roles(&self) -> impl Iterator<Item = RoleId> + '_ {
        self.framework_roles.iter().map(|(role, _)| *role)
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

    /// Panics unless the master's books balance, agent by agent: what is free and what frameworks hold make up the total (or
    /// they hold more than it, and nothing is free of that), and what the master thinks free, the agent has free (it learns of
    /// a launch later and of an end earlier).
    pub fn assert_books_balance(&self) {
        let Some(master) = &self.master else { return };
        for (machine, node) in self.agents.iter().enumerate() {
            let Some(process) = node.process() else { continue };
            let Some(agent) = process.id().filter(|&id| master.agent_info(id).is_some()) else { continue };
            let shares = master.allocator().agent_shares(agent);
            let mut sum = shares.available.clone();
            shares.held.iter().for_each(|(_, _, held)| sum += held);
            // It has had more, perhaps other devices of its GPUs.
            let is_overdrawn = sum.quantities().contains(shares.total.quantities());
            assert!(
                sum == shares.total || is_overdrawn,
                "free + held = total on machine {machine}: {shares:?}"
            );
            let free = process.free();
            assert!(
                free.contains(&shares.available),
                "machine {machine} has {free:?}, the master thinks {shares:?}"
            );
        }
    }

    fn agent_node(&self, machine: usize) -> NodeId {
        NodeId::new(MASTER + 1 + machine)
    }

    fn framework_node(&self, place: usize) -> NodeId {
        NodeId::new(MASTER + 1 + self.agents.len() + place)
    }

    fn fault_node(&self) -> NodeId {
        NodeId::new(MASTER + 1 + self.agents.len() + self.frameworks.len())
    }

    fn place_of(&self, framework: FrameworkId) -> Option<usize> {
        self.place_of.get(framework).copied()
    }

    fn kind(&self, node: NodeId) -> Kind {
        let agents = self.agents.len();
        match node.index().checked_sub(MASTER + 1) {
            None => Kind::Master,
            Some(place) if place < agents => Kind::Agent(place),
            Some(place) if place < agents + self.frameworks.len() => Kind::Framework(place - agents),
            Some(_) => Kind::Faults,
        }
    }
}

/// What a node is, by its number among its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Master,
    Agent(usize),
    Framework(usize),
    Faults,
}

/// The master's flags, with the weights of the frameworks' roles; the simulation vouches for pings.
fn master_options(mut options: MasterOptions, frameworks: &[FrameworkSetup]) -> MasterOptions {
    for framework in frameworks {
        let role = framework.info.subscribed_roles()[0];
        if !options.weights.iter().any(|(of, _)| of == role) {
            options.weights.push((role.into(), framework.weight));
        }
    }
    options.trust_agents = true;
    options
}

fn agent_info(cluster: &Cluster, place: usize, machine: &cluster::Machine) -> AgentInfo {
    AgentInfo {
        hostname: machine.hostname.clone(),
        ip: ip_of(place),
        resources: machine.resources.clone(),
        attributes: cluster.attributes(machine),
        ..AgentInfo::default()
    }
}

/// The address of the n-th machine.
fn ip_of(place: usize) -> String {
    format!("10.{}.{}.{}", (place >> 16) & 0xFF, (place >> 8) & 0xFF, place & 0xFF)
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
