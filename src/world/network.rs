//! How long messages travel, and which never arrive.
//!
//! A link may be cut, lose messages and delay them: conditions lie between two sets of nodes until they are lifted. While
//! none lies and there is no jitter, sending costs one branch.
//!
//! Mesos talks over TCP, where a broken connection loses what is under way and a working one repeats what a wire drops. A
//! cut is such a break: what is sent while it lies is lost, and so is what was under way when it came. A loss here is one
//! of whole messages, each by itself (a connection that broke and came back at once), so that the retries of the
//! protocol are what has to cope, not those of TCP.

use mesos::{
    id::{Id, IdVec},
    time::{Span, Time},
};

use crate::engine::{
    NodeId,
    random::{Seed, Stream, below, unit},
};

/// One network for all links.
#[derive(Clone, Copy, Debug)]
pub struct NetworkOptions {
    /// One way, at least.
    pub latency: Span,
    /// On top: uniform between nothing and this. Messages of one link never overtake each other.
    pub jitter: Span,
}

/// Some nodes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeSet(Vec<u64>);

/// Two sets of nodes, and the links between them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Between {
    /// One side.
    pub a: NodeSet,
    /// The other side. A node may be on both.
    pub b: NodeSet,
    /// Whether only messages from `a` to `b` are meant, and not those back.
    pub one_way: bool,
}

/// A condition that lies on some links, for lifting it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ConditionId(u32);

/// How many cuts there had been when a message was sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct CutCount(u32);

#[derive(Clone, Copy, PartialEq, Debug)]
enum Effect {
    Cut,
    Loss(f64),
    Delay(Span),
}

#[derive(Debug)]
struct Condition {
    id: ConditionId,
    between: Between,
    effect: Effect,
}

/// Between the master and each other node there is one link in each direction; other nodes do not talk to each other.
#[derive(Debug)]
pub struct Network {
    options: NetworkOptions,
    seed: Seed,
    /// Whether all messages take the same time, as those under way did: then they keep their order by themselves.
    plain: bool,
    /// When the last message arrives of those whose arrival was not plain.
    latest_arrival: Time,
    conditions: Vec<Condition>,
    next_condition: u32,
    cuts: CutCount,
    /// To (0) and from (1) each node.
    links: [IdVec<NodeId, Link>; 2],
}

/// A delay or a loss is addressed by its link and its number there, not by what happens elsewhere.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    /// Messages whose jitter was drawn.
    sent: u64,
    /// Messages whose loss was drawn.
    risked: u64,
    last_arrival: Time,
    /// The last cut of this link; zero if it never was.
    last_cut: CutCount,
}

impl NodeSet {
    /// Whether the node is one of them.
    #[must_use]
    pub fn contains(&self, node: NodeId) -> bool {
        self.0.get(node.index() / 64).is_some_and(|word| word >> (node.index() % 64) & 1 == 1)
    }

    fn nodes(&self) -> impl Iterator<Item = NodeId> {
        let all = (0..self.0.len() * 64).map(NodeId::new);
        all.filter(|&node| self.contains(node))
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> Self {
        let mut words = Vec::new();
        for node in nodes {
            let (word, bit) = (node.index() / 64, node.index() % 64);
            words.resize(words.len().max(word + 1), 0);
            words[word] |= 1 << bit;
        }
        Self(words)
    }
}

impl Between {
    fn concerns(&self, from: NodeId, to: NodeId) -> bool {
        let there = |from, to| self.a.contains(from) && self.b.contains(to);
        there(from, to) || (!self.one_way && there(to, from))
    }
}

impl Network {
    /// A network on which no condition lies.
    #[must_use]
    pub const fn new(options: NetworkOptions, seed: Seed) -> Self {
        Self {
            options,
            seed,
            plain: options.jitter.0 == 0,
            latest_arrival: Time::ZERO,
            conditions: Vec::new(),
            next_condition: 0,
            cuts: CutCount(0),
            links: [IdVec::new(), IdVec::new()],
        }
    }

    /// When a message sent now arrives; `None` if it is lost.
    #[inline]
    pub fn send(&mut self, now: Time, from: NodeId, to: NodeId) -> Option<Time> {
        if self.plain {
            return Some(now + self.options.latency);
        }
        let extra = self.extra_delay(from, to)?;
        let at = now + self.options.latency + extra;
        self.plain =
            self.conditions.is_empty() && self.options.jitter == Span::ZERO && at >= self.latest_arrival;
        Some(if self.plain { at } else { self.in_order(at, from, to) })
    }

    /// What to keep with a message under way, for [`is_lost`](Self::is_lost).
    #[inline]
    #[must_use]
    pub const fn cut_count(&self) -> CutCount {
        self.cuts
    }

    /// Whether a message that was sent when there had been so many cuts, and would arrive now, was caught by one.
    #[inline]
    #[must_use]
    pub fn is_lost(&self, sent: CutCount, from: NodeId, to: NodeId) -> bool {
        sent < self.cuts && {
            let (direction, other) = address(from, to);
            self.links[direction].get(other).is_some_and(|link| link.last_cut > sent)
        }
    }

    /// Cuts all links between two sets of nodes. What is under way on them is lost, and so is what is sent until the cut is
    /// lifted.
    pub fn cut(&mut self, between: Between) -> ConditionId {
        self.cuts.0 += 1;
        for node in between.a.nodes().chain(between.b.nodes()) {
            self.mark_cut(&between, master(), node);
            self.mark_cut(&between, node, master());
        }
        self.lay(between, Effect::Cut)
    }

    /// Loses each message between two sets of nodes with this probability.
    pub fn lose(&mut self, between: Between, probability: f64) -> ConditionId {
        assert!((0.0..=1.0).contains(&probability), "{probability} is no probability");
        self.lay(between, Effect::Loss(probability))
    }

    /// Lets each message between two sets of nodes take longer.
    pub fn delay(&mut self, between: Between, extra: Span) -> ConditionId {
        self.lay(between, Effect::Delay(extra))
    }

    /// Ends a condition. Messages that it delayed are still under way, and later ones do not overtake them.
    pub fn lift(&mut self, id: ConditionId) {
        let place = self.conditions.iter().position(|condition| condition.id == id);
        self.conditions.remove(place.unwrap_or_else(|| panic!("{id:?} is lifted, and does not lie")));
    }

    /// Whether no condition lies on the link between two nodes, in either direction.
    #[must_use]
    pub fn is_healthy(&self, a: NodeId, b: NodeId) -> bool {
        let concerns =
            |condition: &Condition| condition.between.concerns(a, b) || condition.between.concerns(b, a);
        !self.conditions.iter().any(concerns)
    }

    /// Whether the link between two nodes is cut, in one direction at least.
    #[must_use]
    pub fn is_cut(&self, a: NodeId, b: NodeId) -> bool {
        let cuts = |condition: &Condition| {
            condition.effect == Effect::Cut
                && (condition.between.concerns(a, b) || condition.between.concerns(b, a))
        };
        self.conditions.iter().any(cuts)
    }

    /// While a condition lies, each arrival is written down: a message must not overtake one that was delayed.
    fn lay(&mut self, between: Between, effect: Effect) -> ConditionId {
        let id = ConditionId(self.next_condition);
        self.next_condition += 1;
        self.plain = false;
        self.conditions.push(Condition { id, between, effect });
        id
    }

    fn mark_cut(&mut self, between: &Between, from: NodeId, to: NodeId) {
        if from != to && between.concerns(from, to) {
            let cuts = self.cuts;
            self.link(from, to).last_cut = cuts;
        }
    }

    /// How much longer the conditions make a message travel; `None` if one of them swallows it.
    fn extra_delay(&mut self, from: NodeId, to: NodeId) -> Option<Span> {
        let mut extra = Span::ZERO;
        let mut survival = 1.0;
        for condition in self.conditions.iter().filter(|condition| condition.between.concerns(from, to)) {
            match condition.effect {
                Effect::Cut => return None,
                Effect::Loss(probability) => survival *= 1.0 - probability,
                Effect::Delay(more) => extra = extra + more,
            }
        }
        (survival == 1.0 || self.survives(survival, from, to)).then_some(extra)
    }

    fn survives(&mut self, survival: f64, from: NodeId, to: NodeId) -> bool {
        let link = self.link(from, to);
        let message = numbered(from, to, link.risked);
        link.risked += 1;
        unit(&mut self.seed.of(Stream::MessageLoss, message)) < survival
    }

    /// Adds jitter, and lets no message of a link overtake another.
    fn in_order(&mut self, at: Time, from: NodeId, to: NodeId) -> Time {
        let (seed, jitter) = (self.seed, self.options.jitter);
        let link = self.link(from, to);
        let jitter = if jitter == Span::ZERO {
            Span::ZERO
        } else {
            let mut rng = seed.of(Stream::NetworkDelay, numbered(from, to, link.sent));
            Span(below(&mut rng, jitter.0 + 1))
        };
        link.sent += 1;
        link.last_arrival = (at + jitter).max(link.last_arrival);
        let arrival = link.last_arrival;
        self.latest_arrival = self.latest_arrival.max(arrival);
        arrival
    }

    fn link(&mut self, from: NodeId, to: NodeId) -> &mut Link {
        let (direction, other) = address(from, to);
        self.links[direction].grow_to(other, Link::default)
    }
}

fn master() -> NodeId {
    NodeId::new(super::MASTER)
}

/// The direction of a link, seen from the master, and the node at its other end.
fn address(from: NodeId, to: NodeId) -> (usize, NodeId) {
    if from == master() { (0, to) } else { (1, from) }
}

fn numbered(from: NodeId, to: NodeId, number: u64) -> u64 {
    let (direction, other) = address(from, to);
    (direction as u64) << 63 | (other.index() as u64) << 32 | (number & 0xFFFF_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATENCY: Span = Span::from_millis(1);

    fn network(jitter_ms: u64) -> Network {
        Network::new(NetworkOptions { latency: LATENCY, jitter: Span::from_millis(jitter_ms) }, Seed(1))
    }

    fn set(nodes: &[usize]) -> NodeSet {
        nodes.iter().copied().map(NodeId::new).collect()
    }

    fn between(a: &[usize], b: &[usize]) -> Between {
        Between { a: set(a), b: set(b), one_way: false }
    }

    fn at(ms: u64) -> Time {
        Time(ms * 1_000_000)
    }

    fn master_and_agent() -> [NodeId; 2] {
        [0, 5].map(NodeId::new)
    }

    #[test]
    fn messages_of_one_link_never_overtake_each_other() {
        let mut network = network(50);
        let [master, agent] = master_and_agent();
        let arrivals: Vec<_> =
            (0..500).map(|ms| network.send(at(ms), agent, master).expect("no condition lies")).collect();
        assert!(arrivals.is_sorted());
        assert!(arrivals.iter().zip(0..).all(|(at, ms)| at.0 >= (ms + 1) * 1_000_000));
    }

    #[test]
    fn a_cut_is_symmetric_unless_it_is_one_way() {
        let mut network = network(0);
        let [master, agent] = master_and_agent();
        let both = network.cut(between(&[5, 6], &[0]));
        assert_eq!(network.send(at(0), master, agent), None);
        assert_eq!(network.send(at(0), agent, master), None);
        assert_eq!(network.send(at(0), master, NodeId::new(7)), Some(at(1)));
        network.lift(both);
        assert_eq!(network.send(at(0), master, agent), Some(at(1)));
        network.cut(Between { one_way: true, ..between(&[5], &[0]) });
        assert_eq!(network.send(at(2), agent, master), None);
        assert_eq!(network.send(at(2), master, agent), Some(at(3)));
    }

    #[test]
    fn a_cut_loses_what_is_under_way_and_nothing_later() {
        let mut network = network(0);
        let [master, agent] = master_and_agent();
        let before = network.cut_count();
        let cut = network.cut(Between { one_way: true, ..between(&[0], &[5]) });
        network.lift(cut);
        let after = network.cut_count();
        assert!(network.is_lost(before, master, agent));
        assert!(!network.is_lost(before, agent, master), "the other direction was not cut");
        assert!(!network.is_lost(before, master, NodeId::new(6)));
        assert!(!network.is_lost(after, master, agent));
    }

    #[test]
    fn messages_are_lost_as_often_as_asked_for_and_the_same_ones_again() {
        let [master, agent] = master_and_agent();
        let lost = |others: bool| {
            let mut network = network(0);
            network.lose(between(&[5], &[0]), 0.3);
            let send = |ms| {
                if others {
                    network.send(at(ms), agent, master);
                }
                network.send(at(ms), master, agent).is_none()
            };
            (0..10_000).map(send).collect::<Vec<_>>()
        };
        let alone = lost(false);
        assert_eq!(alone, lost(true), "the other direction draws for itself");
        let share = alone.iter().filter(|lost| **lost).count() as f64 / 1e4;
        assert!((share - 0.3).abs() < 0.02, "{share} are lost");
    }

    #[test]
    fn losses_of_two_conditions_are_independent() {
        let mut network = network(0);
        let [master, agent] = master_and_agent();
        network.lose(between(&[5], &[0]), 0.5);
        network.lose(between(&[5], &[0]), 0.5);
        let lost = (0..10_000).filter(|&ms| network.send(at(ms), master, agent).is_none()).count();
        assert!((lost as f64 / 1e4 - 0.75).abs() < 0.02, "{lost} of 10000 are lost");
    }

    #[test]
    fn what_comes_after_a_delay_does_not_overtake_what_it_delayed() {
        let mut network = network(0);
        let [master, agent] = master_and_agent();
        let delay = network.delay(between(&[5], &[0]), Span::from_millis(40));
        assert_eq!(network.send(at(0), master, agent), Some(at(41)));
        network.lift(delay);
        assert_eq!(network.send(at(10), master, agent), Some(at(41)));
        assert!(!network.plain, "a message is still under way that could be overtaken");
        assert_eq!(network.send(at(50), master, agent), Some(at(51)));
        assert!(network.plain, "no condition lies, and none has left a trace");
    }

    #[test]
    fn a_link_is_healthy_while_no_condition_lies_on_it() {
        let mut network = network(0);
        let [master, agent] = master_and_agent();
        assert!(network.is_healthy(master, agent));
        let delay = network.delay(Between { one_way: true, ..between(&[5], &[0]) }, LATENCY);
        assert!(!network.is_healthy(master, agent) && !network.is_healthy(agent, master));
        assert!(network.is_healthy(master, NodeId::new(6)));
        network.lift(delay);
        assert!(network.is_healthy(master, agent));
    }
}
