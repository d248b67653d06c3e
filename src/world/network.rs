//! How long messages travel.

use mesos::{
    id::{Id, IdVec},
    time::{Span, Time},
};

use crate::engine::{
    NodeId,
    random::{Seed, Stream, below},
};

/// One network for all links.
#[derive(Clone, Copy, Debug)]
pub struct NetworkOptions {
    /// One way, at least.
    pub latency: Span,
    /// On top: uniform between nothing and this. Messages of one link never overtake each other.
    pub jitter: Span,
}

/// Between the master and each other node there is one link in each direction; other nodes do not talk to each other.
#[derive(Debug)]
pub(super) struct Network {
    options: NetworkOptions,
    seed: Seed,
    /// To (0) and from (1) each node.
    links: [IdVec<NodeId, Link>; 2],
}

/// A delay is addressed by its link and its number there, not by what happens elsewhere.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    sent: u64,
    last_arrival: Time,
}

impl Network {
    pub(super) fn new(options: NetworkOptions, seed: Seed) -> Self {
        Self { options, seed, links: [IdVec::new(), IdVec::new()] }
    }

    /// When a message sent now arrives.
    pub(super) fn arrival(&mut self, now: Time, from: NodeId, to: NodeId) -> Time {
        let at = now + self.options.latency;
        if self.options.jitter == Span::ZERO {
            return at; // equal delays keep the order by themselves
        }
        let master = NodeId::new(0);
        let (direction, other) = if from == master { (0, to) } else { (1, from) };
        let link = self.links[direction].grow_to(other, Link::default);
        let message = (direction as u64) << 63 | (other.index() as u64) << 32 | (link.sent & 0xFFFF_FFFF);
        let mut rng = self.seed.of(Stream::NetworkDelay, message);
        link.sent += 1;
        link.last_arrival = (at + Span(below(&mut rng, self.options.jitter.0 + 1))).max(link.last_arrival);
        link.last_arrival
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_one_link_never_overtake_each_other() {
        let options = NetworkOptions { latency: Span::from_millis(1), jitter: Span::from_millis(50) };
        let mut network = Network::new(options, Seed(1));
        let [master, agent] = [0, 5].map(NodeId::new);
        let arrivals: Vec<_> =
            (0..500).map(|ms| network.arrival(Time(ms * 1_000_000), agent, master)).collect();
        assert!(arrivals.is_sorted());
        assert!(arrivals.iter().zip(0..).all(|(at, ms)| at.0 >= (ms + 1) * 1_000_000));
    }
}
