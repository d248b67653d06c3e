//! Who gets what: wake-ups and messages, by kind of node.

use mesos::{
    id::{Address, Id},
    time::Time,
};

use super::{Envelope, Kind, MASTER, Message, NodeId, World, master_node::node_of};
use crate::record::Observer;

impl<O: Observer> World<'_, O> {
    pub(super) fn wake(&mut self, now: Time, node: NodeId) {
        match self.kind(node) {
            Kind::Master => self.with_master(now, |master, now, out| master.handle_timeout(now, out)),
            Kind::Agent(machine) => self.wake_agent(now, machine),
            Kind::Framework(place) => self.wake_framework(now, place),
            Kind::Faults => self.strike(now),
        }
    }

    pub(super) fn deliver(&mut self, now: Time, to: NodeId, envelope: Envelope) {
        if !self.arrives(now, to, &envelope) {
            return;
        }
        match self.kind(to) {
            Kind::Master => self.tell_master(now, envelope),
            Kind::Agent(machine) => self.deliver_to_agent(now, machine, envelope.message),
            Kind::Framework(place) => self.deliver_to_framework(now, place, envelope.message),
            Kind::Faults => panic!("faults get no messages: {envelope:?}"),
        }
    }

    fn tell_master(&mut self, now: Time, Envelope { from, message, .. }: Envelope) {
        match message {
            Message::Subscribe(connection, subscribe) => {
                self.with_master(now, |master, now, out| master.subscribe(now, connection, *subscribe, out));
            }
            Message::Call(framework, connection, call) => self.with_master(now, |master, now, out| {
                // A call that is refused has no effect: its framework's stream broke, and it will ask.
                let _refused = master.handle_call(now, framework, connection, call, out);
            }),
            Message::FromAgent(message) => {
                let address = Address::new(from.index() - MASTER - 1);
                self.with_master(now, |master, now, out| master.handle_agent(now, address, message, out));
            }
            Message::Broke => self.master_lost(now, from),
            Message::StreamTimeout(cut) if self.is_still_cut(from, cut) => self.master_lost(now, from),
            Message::StreamTimeout(_) => {}
            Message::Operate(call) => self.ask_as_operator(now, *call),
            Message::Elected(term) => self.elect_master(now, term),
            Message::Stored(term) => self.stored(now, term),
            Message::Event(..)
            | Message::Closed(_)
            | Message::ToAgent(_)
            | Message::LeaderKnown(_)
            | Message::StartProcess(_)
            | Message::Resubscribe(_)
            | Message::ReconcileAgain(..)
            | Message::HeartbeatsLost(_) => panic!("no message for a master: {message:?}"),
        }
    }

    /// The master's side of the connection to a node broke.
    fn master_lost(&mut self, now: Time, node: NodeId) {
        if let Kind::Agent(machine) = self.kind(node) {
            let address = Address::new(machine);
            self.with_master(now, |master, now, out| master.agent_disconnected(now, address, out));
            return self.update_trust(now, machine);
        }
        let Some(master) = &self.master else { return };
        let Some(connection) = master.connections().find(|&connection| node_of(connection) == node) else {
            return;
        };
        self.with_master(now, |master, now, out| master.framework_disconnected(now, connection, out));
    }

    fn deliver_to_agent(&mut self, now: Time, machine: usize, message: Message) {
        match message {
            Message::ToAgent(message) => self.tell_agent(now, machine, message),
            Message::Broke => self.agent_detects(now, machine, self.master.is_some()),
            Message::LeaderKnown(is_known) => self.agent_detects(now, machine, is_known),
            Message::StartProcess(starts) => {
                let agent = &self.agents[machine];
                if agent.starts == starts && agent.is_up() && agent.is_process_wanted {
                    self.start_process(now, machine);
                }
            }
            Message::Subscribe(..)
            | Message::Call(..)
            | Message::FromAgent(_)
            | Message::Event(..)
            | Message::Closed(_)
            | Message::Operate(_)
            | Message::Elected(_)
            | Message::Stored(_)
            | Message::Resubscribe(_)
            | Message::ReconcileAgain(..)
            | Message::HeartbeatsLost(_)
            | Message::StreamTimeout(_) => panic!("no message for an agent: {message:?}"),
        }
    }

    fn deliver_to_framework(&mut self, now: Time, place: usize, message: Message) {
        match message {
            Message::Event(connection, event) => self.handle_event(now, place, connection, event),
            Message::Closed(connection) => self.stream_ended(now, place, Some(connection)),
            Message::Broke => self.stream_ended(now, place, None),
            Message::LeaderKnown(is_known) => self.framework_detects(now, place, is_known),
            Message::Resubscribe(attempt) => self.resubscribe(now, place, attempt),
            Message::ReconcileAgain(attempt, wait) => self.reconcile_again(now, place, attempt, wait),
            Message::HeartbeatsLost(cut) => {
                if self.is_still_cut(self.framework_node(place), cut) {
                    self.stream_ended(now, place, None);
                }
            }
            Message::Subscribe(..)
            | Message::Call(..)
            | Message::FromAgent(_)
            | Message::ToAgent(_)
            | Message::Operate(_)
            | Message::Elected(_)
            | Message::Stored(_)
            | Message::StartProcess(_)
            | Message::StreamTimeout(_) => panic!("no message for a framework: {message:?}"),
        }
    }
}
