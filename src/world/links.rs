//! Connections between the master and the other nodes: when they break, and who learns of it when.
//!
//! A connection is TCP's: it loses nothing without breaking. When a message on it is lost, everything else under way on it is
//! lost too, and both ends learn of it, at once or when the network lets them. A connection on which nothing was sent while
//! the network was cut does not notice the cut.

use mesos::{
    id::{Id, IdVec},
    time::{Span, Time},
};

use super::{Envelope, Kind, MASTER, Message, Network, NodeId, World};
use crate::{engine::Engine, record::Observer};

/// A framework gives its stream up when five heartbeats did not come; they come every 15 s.
const HEARTBEATS_LOST: Span = Span::from_secs(75);
/// After so long without an answer the master's side of a stream gives up (Linux: `tcp_retries2` = 15).
const TCP_TIMEOUT: Span = Span::from_secs(924);

/// One connection, by the node at its other end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Link {
    /// Counts connections. What was sent on an older one never arrives.
    pub(super) epoch: u32,
    /// Something was lost while the network was cut.
    is_hurt: bool,
    /// Counts cuts, so that a timer knows whether it is still the same.
    cuts: u32,
    is_cut: bool,
}

/// How good a link is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quality {
    /// Every message arrives, soon.
    Sound,
    /// Something is wrong with the network or with one of the ends.
    Doubtful,
}

/// The network, the connections over it, and what happens at their ends.
pub(super) struct Wires<'w> {
    pub(super) engine: &'w mut Engine<Envelope>,
    pub(super) network: &'w mut Network,
    pub(super) links: &'w mut IdVec<NodeId, Link>,
    pub(super) latency: Span,
}

impl Wires<'_> {
    /// Sends a message over the network. What is lost breaks the connection.
    pub(super) fn post(&mut self, from: NodeId, to: NodeId, message: Message) {
        let now = self.engine.now();
        let other = if from.index() == MASTER { to } else { from };
        match self.network.send(now, from, to) {
            Some(at) => {
                let (epoch, cuts) = (self.links[other].epoch, self.network.cut_count());
                self.engine.send(to, at, Envelope { from, epoch, cuts, message });
            }
            None => self.lost(now, other),
        }
    }

    /// A message between the master and this node was lost.
    #[cold]
    pub(super) fn lost(&mut self, now: Time, node: NodeId) {
        if self.links[node].is_cut {
            self.links[node].is_hurt = true;
        } else {
            self.break_link(now, node);
        }
    }

    /// The connection ends; both ends learn of it.
    fn break_link(&mut self, now: Time, node: NodeId) {
        self.links[node].epoch += 1;
        self.links[node].is_hurt = false;
        let at = now + self.latency;
        for (to, from) in [(NodeId::new(MASTER), node), (node, NodeId::new(MASTER))] {
            let (epoch, cuts) = (Envelope::OWN, self.network.cut_count());
            self.engine.send(to, at, Envelope { from, epoch, cuts, message: Message::Broke });
        }
    }
}

impl<O: Observer> World<'_, O> {
    pub(super) const fn wires(&mut self) -> Wires<'_> {
        Wires {
            engine: &mut self.engine,
            network: &mut self.network,
            links: &mut self.links,
            latency: self.latency,
        }
    }

    /// Sends a message over the network. What is lost breaks the connection.
    pub(super) fn post(&mut self, from: NodeId, to: NodeId, message: Message) {
        self.wires().post(from, to, message);
    }

    /// A timer of a node's own.
    pub(super) fn to_self(&self, message: Message) -> Envelope {
        Envelope { from: NodeId::new(MASTER), epoch: Envelope::OWN, cuts: self.network.cut_count(), message }
    }

    /// Whether a message that has come over the network is to be heard.
    pub(super) fn arrives(&mut self, now: Time, to: NodeId, envelope: &Envelope) -> bool {
        if envelope.epoch == Envelope::OWN {
            return true;
        }
        let from = envelope.from;
        let other = if from.index() == MASTER { to } else { from };
        if self.links[other].epoch != envelope.epoch {
            return false;
        }
        if self.network.is_lost(envelope.cuts, from, to) {
            self.lost(now, other);
            return false;
        }
        true
    }

    /// A message between the master and this node was lost.
    pub(super) fn lost(&mut self, now: Time, node: NodeId) {
        self.wires().lost(now, node);
    }

    /// The connection ends; both ends learn of it.
    pub(super) fn break_link(&mut self, now: Time, node: NodeId) {
        self.wires().break_link(now, node);
    }

    /// The process at the other end is gone: only the master learns that the connection broke.
    pub(super) fn agent_link_broke(&mut self, now: Time, machine: usize) {
        let node = self.agent_node(machine);
        self.links[node].epoch += 1;
        let broke = Envelope { from: node, ..self.to_self(Message::Broke) };
        if self.links[node].is_cut {
            self.links[node].is_hurt = true;
        } else {
            self.engine.send(NodeId::new(MASTER), now + self.latency, broke);
        }
    }

    /// The machine is gone without a word: what is under way on the connection is lost, and nobody learns of it.
    pub(super) fn silence_link(&mut self, machine: usize) {
        let node = self.agent_node(machine);
        self.links[node].epoch += 1;
    }

    /// The network's condition has changed: looks at every link.
    pub(super) fn review_links(&mut self, now: Time) {
        for index in 1..=self.agents.len() + self.frameworks.len() {
            let node = NodeId::new(index);
            let is_cut = self.network.is_cut(NodeId::new(MASTER), node);
            let was_cut = std::mem::replace(&mut self.links[node].is_cut, is_cut);
            if is_cut && !was_cut {
                self.link_cut(now, node);
            } else if was_cut && !is_cut && self.links[node].is_hurt {
                self.break_link(now, node);
            }
            if let Kind::Agent(machine) = self.kind(node) {
                self.update_trust(now, machine);
            }
        }
    }

    /// Heartbeats go to frameworks all the time, so that both ends notice in the end.
    fn link_cut(&mut self, now: Time, node: NodeId) {
        self.links[node].cuts += 1;
        let cut = self.links[node].cuts;
        if let Kind::Framework(_) = self.kind(node) {
            self.links[node].is_hurt = true;
            self.engine.send(node, now + HEARTBEATS_LOST, self.to_self(Message::HeartbeatsLost(cut)));
            let given_up = Envelope { from: node, ..self.to_self(Message::StreamTimeout(cut)) };
            self.engine.send(NodeId::new(MASTER), now + TCP_TIMEOUT, given_up);
        }
    }

    /// Whether the link is still in the cut that a timer was started for.
    pub(super) fn is_still_cut(&self, node: NodeId, cut: u32) -> bool {
        self.links[node].is_cut && self.links[node].cuts == cut
    }

    pub(super) fn link_quality(&self, node: NodeId) -> Quality {
        let is_alive = match self.kind(node) {
            Kind::Agent(machine) => self.agents[machine].process().is_some(),
            Kind::Master | Kind::Framework(_) | Kind::Faults => true,
        };
        if is_alive && self.network.is_healthy(NodeId::new(MASTER), node) {
            Quality::Sound
        } else {
            Quality::Doubtful
        }
    }
}
