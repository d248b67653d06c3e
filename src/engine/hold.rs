//! The hold model: so many events are pending, and each event, when it happens, asks for the next one.
//!
//! The usual measure of an event queue (Jones, "An empirical comparison of priority-queue and event-set
//! implementations", 1986). Delays are exponential with a mean of one second. No clock in here: whoever calls it takes
//! the time, and that includes filling the queue.

use mesos::id::{Id, IdVec};
use mesos::time::{Span, Time};
use rand_distr::{Distribution, Exp1};
use rand_pcg::Pcg64Mcg;

use super::queue::EventQueue;
use super::random::{Seed, Stream};
use super::{Delivery, Engine, NodeId};

/// What came out, so that nothing of it can be left out and two runs can be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoldResult {
    /// How many events were delivered.
    pub events: u64,
    /// When the last of them happened.
    pub end: Time,
    /// Depends on which node each event reached, in order.
    pub hash: u64,
}

/// `pending` nodes that each wake up, act and ask for the next wake-up, through the whole engine.
#[must_use]
pub fn hold(pending: usize, events: u64, seed: u64) -> HoldResult {
    let mut model = Model::new(pending, seed);
    for node in (0..pending).map(NodeId::new) {
        let at = model.after_a_while(Time::ZERO);
        model.engine.wake_at(node, Some(at));
    }
    model.run(events)
}

/// The same with messages: `pending` messages of 96 bytes are under way, and who gets one sends one to itself.
#[must_use]
pub fn hold_messages(pending: usize, events: u64, seed: u64) -> HoldResult {
    let mut model = Model::new(pending, seed);
    for node in (0..pending).map(NodeId::new) {
        let at = model.after_a_while(Time::ZERO);
        model.engine.send(node, at, Letter([node.index() as u64; 12]));
    }
    model.run(events)
}

/// The queue alone: one entry comes out, another goes in.
#[must_use]
pub fn hold_bare(pending: usize, events: u64, seed: u64) -> HoldResult {
    let mut rng = Seed(seed).of(Stream::Bench, 0);
    let mut queue = EventQueue::new();
    for node in (0..pending).map(NodeId::new) {
        queue.push(Time::ZERO + delay(&mut rng), node);
    }
    let mut result = HoldResult { events: 0, end: Time::ZERO, hash: 0 };
    while result.events < events {
        let Some((now, node)) = queue.pop() else { break };
        result.note(now, node);
        queue.push(now + delay(&mut rng), node);
    }
    result
}

/// About the size of what nodes of a simulated data centre say to each other.
#[derive(Clone, Debug)]
struct Letter([u64; 12]);

/// Three kinds of nodes, as a simulated data centre has several: an event finds its way by a match.
#[derive(Clone, Copy, Debug)]
enum Node {
    Master(Component),
    Agent(Component),
    Framework(Component),
}

/// What a node keeps.
#[derive(Clone, Copy, Debug, Default)]
struct Component {
    woken: u32,
    received: u32,
}

struct Model {
    engine: Engine<Letter>,
    nodes: IdVec<NodeId, Node>,
    rng: Pcg64Mcg,
    result: HoldResult,
}

impl Model {
    fn new(nodes: usize, seed: u64) -> Self {
        Self {
            engine: Engine::new(),
            nodes: (0..nodes).map(Node::numbered).collect(),
            rng: Seed(seed).of(Stream::Bench, 0),
            result: HoldResult { events: 0, end: Time::ZERO, hash: 0 },
        }
    }

    fn run(mut self, events: u64) -> HoldResult {
        while self.engine.events() < events {
            let Some((now, delivery)) = self.engine.next() else { break };
            self.dispatch(now, delivery);
        }
        assert_eq!(self.result.events, self.engine.events(), "each delivery reaches one node");
        self.result
    }

    fn dispatch(&mut self, now: Time, delivery: Delivery<Letter>) {
        let at = self.after_a_while(now);
        match delivery {
            Delivery::Wake(node) => {
                self.result.note(now, node);
                self.nodes[node].component().woken += 1;
                self.engine.wake_at(node, Some(at));
            }
            Delivery::Message(node, mut letter) => {
                self.result.note(now, node);
                let component = self.nodes[node].component();
                component.received += 1;
                letter.0[11] = u64::from(component.received);
                self.engine.send(node, at, letter);
            }
        }
    }

    fn after_a_while(&mut self, now: Time) -> Time {
        now + delay(&mut self.rng)
    }
}

impl Node {
    fn numbered(index: usize) -> Self {
        match index % 3 {
            0 => Self::Master(Component::default()),
            1 => Self::Agent(Component::default()),
            _ => Self::Framework(Component::default()),
        }
    }

    fn component(&mut self) -> &mut Component {
        match self {
            Self::Master(component) | Self::Agent(component) | Self::Framework(component) => component,
        }
    }
}

impl HoldResult {
    fn note(&mut self, now: Time, node: NodeId) {
        self.events += 1;
        self.end = now;
        self.hash = (self.hash ^ node.index() as u64).wrapping_mul(0x100_0000_01b3);
    }
}

/// Exponential with a mean of one second.
fn delay(rng: &mut Pcg64Mcg) -> Span {
    let seconds: f64 = Exp1.sample(rng);
    Span((seconds * 1e9) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wake-ups, messages and bare entries are the same events in the same order.
    #[test]
    fn the_engine_delivers_in_the_order_of_the_bare_queue() {
        let bare = hold_bare(1000, 20_000, 7);
        assert_eq!(bare.events, 20_000);
        assert_eq!(hold(1000, 20_000, 7), bare);
        assert_eq!(hold_messages(1000, 20_000, 7), bare);
        assert_ne!(hold_bare(1000, 20_000, 8).hash, bare.hash);
    }

    #[test]
    fn a_thousand_events_of_rate_a_thousand_take_about_a_second() {
        let end = hold_bare(1000, 100_000, 1).end.as_secs_f64();
        assert!((end - 100.0).abs() < 2.0, "100,000 events at 1,000 per second ended at {end} s");
    }
}
