//! The master's seat: who leads, what it stored, and what happens when it dies.

use mesos::{
    allocator::{Ascending, VisitOrder},
    effects::{MasterEffects, Note},
    event::{Event, ToAgent},
    id::{Address, ConnectionId, FrameworkId, Id, IdVec, RequestId, RoleId},
    master::{Identities, Master},
    operator::{Answer, OperatorCall},
    registry::{Registry, RegistryOperation},
    time::{Span, Time},
};

use super::{Envelope, MASTER, Message, NodeId, Shuffled, World, links::Link, network::Network};
use crate::{
    cluster::MachineId,
    engine::{
        Engine,
        random::{Seed, Stream},
    },
    framework::AgentFacts,
    record::{Observer, Record},
};

/// What outlives a master: what it stored, and how far its identities were counted.
#[derive(Debug, Default)]
pub(super) struct Legacy {
    pub(super) registry: Registry,
    /// Changes that are being stored.
    storing: Vec<RegistryOperation>,
    identities: Identities,
    /// How many masters have led before this one.
    pub(super) term: u32,
    /// Calls of the operator for which no master was there.
    waiting_calls: Vec<OperatorCall>,
}

/// Who is still missing since the last master died.
#[derive(Debug)]
pub(super) struct Missing {
    since: Time,
    /// Machines whose agents were registered, and frameworks that were subscribed, by place.
    machines: Vec<bool>,
    frameworks: Vec<bool>,
    count: usize,
}

impl Missing {
    fn machine(&mut self, machine: usize) {
        self.count -= usize::from(std::mem::replace(&mut self.machines[machine], false));
    }

    fn framework(&mut self, place: usize) {
        self.count -= usize::from(std::mem::replace(&mut self.frameworks[place], false));
    }
}

impl<O: Observer> World<'_, O> {
    /// Lets the master act, carries what it says, and sets its alarm. Without a master nothing happens.
    pub(super) fn with_master(
        &mut self,
        now: Time,
        act: impl FnOnce(&mut Master, Time, &mut MasterOut<'_, O>),
    ) {
        let Some(master) = &mut self.master else { return };
        let mut out = MasterOut {
            now,
            store_delay: self.store_delay,
            engine: &mut self.engine,
            network: &mut self.network,
            observer: &mut self.observer,
            links: &mut self.links,
            legacy: &mut self.legacy,
            missing: &mut self.missing,
            facts: &mut self.facts,
            machine_of: &mut self.machine_of,
            place_of: &mut self.place_of,
            roles: &self.framework_roles,
            agents: self.agents.len(),
            broken: Vec::new(),
            ended: Vec::new(),
            has_given_up: false,
        };
        act(master, now, &mut out);
        let (broken, ended) = (std::mem::take(&mut out.broken), std::mem::take(&mut out.ended));
        let has_given_up = out.has_given_up;
        for node in broken {
            self.lost(now, node);
        }
        for machine in ended {
            self.update_trust(now, machine.index());
        }
        if has_given_up {
            return self.fail_master(now);
        }
        self.wake_master(now);
        self.check_recovery(now);
    }

    /// Sets the master's alarm.
    pub(super) fn wake_master(&mut self, now: Time) {
        let wake = self.master.as_ref().and_then(|master| master.next_timeout(now));
        self.engine.wake_at(NodeId::new(MASTER), wake.map(|at| at.max(now)));
    }

    /// The leading master dies; all connections to it break. Another is elected later.
    pub(super) fn fail_master(&mut self, now: Time) {
        let Some(master) = self.master.take() else { return };
        self.observer.observe(now, &Record::MasterFailed);
        self.legacy.identities = master.identities();
        self.legacy.storing.clear();
        self.legacy.term += 1;
        self.missing = Some(self.who_is_there(now));
        self.engine.wake_at(NodeId::new(MASTER), None);
        for index in 1..=self.agents.len() + self.frameworks.len() {
            let node = NodeId::new(index);
            self.links[node].epoch += 1;
            self.engine.send(node, now + self.latency, self.to_self(Message::LeaderKnown(false)));
        }
        let elected = self.to_self(Message::Elected(self.legacy.term));
        self.engine.send(NodeId::new(MASTER), now + self.election, elected);
    }

    /// Another master leads: it reads the registry, and everybody learns of it.
    pub(super) fn elect_master(&mut self, now: Time, term: u32) {
        if term != self.legacy.term || self.master.is_some() {
            return;
        }
        let order = visit_order(self.is_shuffled, self.seed.child(Stream::VisitOrder, u64::from(term)));
        let (options, identities) = (self.master_options.clone(), &self.legacy.identities);
        let master = Master::recover(options, order, &self.legacy.registry, identities, now);
        self.master = Some(master.expect("each master of a run can do what the others can"));
        self.observer.observe(now, &Record::MasterElected);
        for index in 1..=self.agents.len() + self.frameworks.len() {
            let node = NodeId::new(index);
            self.engine.send(node, now + self.latency, self.to_self(Message::LeaderKnown(true)));
        }
        for call in std::mem::take(&mut self.legacy.waiting_calls) {
            self.ask_as_operator(now, call);
        }
        self.wake_master(now);
        self.check_recovery(now);
    }

    /// The operator asks the master; if there is none, the next one.
    pub(super) fn ask_as_operator(&mut self, now: Time, call: OperatorCall) {
        if self.master.is_none() {
            return self.legacy.waiting_calls.push(call);
        }
        self.requests += 1;
        let request = RequestId(self.requests);
        self.with_master(now, |master, now, out| master.handle_operator(now, request, call, out));
    }

    /// What the master wanted kept is kept.
    pub(super) fn stored(&mut self, now: Time, term: u32) {
        if term != self.legacy.term {
            return;
        }
        for change in std::mem::take(&mut self.legacy.storing) {
            self.legacy.registry.apply(&change);
        }
        self.with_master(now, |master, now, out| master.handle_stored(now, out));
    }

    fn who_is_there(&self, now: Time) -> Missing {
        let machines: Vec<bool> =
            self.agents.iter().map(|agent| agent.process().is_some_and(|of| of.id().is_some())).collect();
        let frameworks: Vec<bool> = self.frameworks.iter().map(|of| of.is_subscribed()).collect();
        let count = machines.iter().chain(&frameworks).filter(|there| **there).count();
        Missing { since: now, machines, frameworks, count }
    }

    /// A machine or a framework dies while a new master waits for it.
    pub(super) fn no_longer_missing(&mut self, now: Time, machine: Option<usize>, framework: Option<usize>) {
        if let Some(missing) = &mut self.missing {
            machine.into_iter().for_each(|machine| missing.machine(machine));
            framework.into_iter().for_each(|place| missing.framework(place));
        }
        self.check_recovery(now);
    }

    fn check_recovery(&mut self, now: Time) {
        if self.master.is_some()
            && let Some(missing) = &self.missing
            && missing.count == 0
        {
            let after = now.since(missing.since);
            self.missing = None;
            self.observer.observe(now, &Record::MasterRecovered { after });
        }
    }
}

/// In which order agents are visited.
pub(super) fn visit_order(is_shuffled: bool, seed: Seed) -> Box<dyn VisitOrder> {
    if is_shuffled { Box::new(Shuffled::new(seed)) } else { Box::new(Ascending) }
}

/// Carries what the master says.
pub(super) struct MasterOut<'w, O> {
    now: Time,
    store_delay: Span,
    engine: &'w mut Engine<Envelope>,
    network: &'w mut Network,
    observer: &'w mut O,
    links: &'w mut IdVec<NodeId, Link>,
    legacy: &'w mut Legacy,
    missing: &'w mut Option<Missing>,
    facts: &'w mut AgentFacts,
    machine_of: &'w mut IdVec<mesos::id::AgentId, MachineId>,
    place_of: &'w mut IdVec<FrameworkId, usize>,
    /// The first role of each framework, by place, and the role of the top level above it.
    roles: &'w [(RoleId, RoleId)],
    agents: usize,
    /// Nodes to which a message was lost.
    broken: Vec<NodeId>,
    /// Machines whose agents the master does not know any more.
    ended: Vec<MachineId>,
    /// The master ends by its own decision.
    has_given_up: bool,
}

impl<O> MasterOut<'_, O> {
    fn post(&mut self, to: NodeId, message: Message) {
        let from = NodeId::new(MASTER);
        match self.network.send(self.now, from, to) {
            Some(at) => {
                let (epoch, cuts) = (self.links[to].epoch, self.network.cut_count());
                self.engine.send(to, at, Envelope { from, epoch, cuts, message });
            }
            None => self.broken.push(to),
        }
    }
}

/// The node at the other end of a stream: frameworks number theirs by their nodes.
pub(super) fn node_of(connection: ConnectionId) -> NodeId {
    NodeId::new((connection.0 >> 32) as usize)
}

impl<O: Observer> MasterEffects for MasterOut<'_, O> {
    fn send_event(&mut self, framework: FrameworkId, connection: ConnectionId, event: Event) {
        let node = node_of(connection);
        if let Event::Subscribed { .. } = event {
            let place = node.index() - MASTER - 1 - self.agents;
            *self.place_of.grow_to(framework, || place) = place;
            let (role, top) = self.roles[place];
            self.observer.observe(self.now, &Record::FrameworkSubscribed { framework, place, role, top });
            if let Some(missing) = self.missing {
                missing.framework(place);
            }
        }
        self.post(node, Message::Event(connection, event));
    }

    fn close(&mut self, connection: ConnectionId) {
        self.post(node_of(connection), Message::Closed(connection));
    }

    fn send_to_agent(&mut self, address: Address, message: ToAgent) {
        self.post(NodeId::new(MASTER + 1 + address.index()), Message::ToAgent(message));
    }

    fn store(&mut self, changes: &[RegistryOperation]) -> bool {
        if self.store_delay == Span::ZERO {
            changes.iter().for_each(|change| self.legacy.registry.apply(change));
            return true;
        }
        self.legacy.storing.extend_from_slice(changes);
        let message = Message::Stored(self.legacy.term);
        let (from, cuts) = (NodeId::new(MASTER), self.network.cut_count());
        let stored = Envelope { from, epoch: Envelope::OWN, cuts, message };
        self.engine.send(from, self.now + self.store_delay, stored);
        false
    }

    fn answer(&mut self, _: RequestId, _: Answer) {
        // The operator of a simulation has nobody to complain to.
    }

    fn note(&mut self, note: Note<'_>) {
        self.has_given_up |= matches!(note, Note::Fatal(_));
        if let Note::AgentAdded { agent, address, total, .. } = note {
            let machine = MachineId::new(address.index());
            *self.machine_of.grow_to(agent, || machine) = machine;
            self.facts.set(agent, machine);
            let record = Record::AgentRegistered { agent, machine, resources: total };
            self.observer.observe(self.now, &record);
            if let Some(missing) = self.missing {
                missing.machine(address.index());
            }
        } else if let Note::AgentEnded { agent, .. } = note {
            self.ended.push(self.machine_of[agent]);
        }
        self.observer.observe(self.now, &Record::Master(note));
    }
}
