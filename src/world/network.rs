//! How long messages travel.

use mesos::{
    id::IdVec,
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
    sent: u64,
    /// When the last message to (0) and from (1) each node arrives.
    last_arrival: [IdVec<NodeId, Time>; 2],
}

impl Network {
    pub(super) fn new(options: NetworkOptions, seed: Seed) -> Self {
        Self { options, seed, sent: 0, last_arrival: [IdVec::new(), IdVec::new()] }
    }

    /// When a message sent now arrives.
    pub(super) fn arrival(&mut self, now: Time, from: NodeId, to: NodeId) -> Time {
        let at = now + self.options.latency;
        if self.options.jitter == Span::ZERO {
            return at; // equal delays keep the order by themselves
        }
        let mut rng = self.seed.of(Stream::NetworkDelay, self.sent);
        self.sent += 1;
        let at = at + Span(below(&mut rng, self.options.jitter.0 + 1));
        let master = <NodeId as mesos::id::Id>::new(0);
        let (direction, other) = if from == master { (0, to) } else { (1, from) };
        let last = self.last_arrival[direction].grow_to(other, || Time::ZERO);
        *last = at.max(*last);
        *last
    }
}

#[cfg(test)]
mod tests {
    use mesos::id::Id;

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
