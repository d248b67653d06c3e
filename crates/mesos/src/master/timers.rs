//! What is to happen later in the master. Timers are seldom cancelled: when one fires, it is looked at whether it still
//! counts.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{
    id::{AgentId, FrameworkId, OfferId},
    time::Time,
};

/// What falls due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Timer {
    /// A framework that was away since this, its n-th, subscription is removed.
    Failover(FrameworkId, u64),
    /// The next ping of an agent; the number tells outdated timers apart.
    Ping(AgentId, u64),
    /// An agent whose connection broke for the n-th time is unreachable.
    AgentReregister(AgentId, u64),
    /// Agents that the registry names and that did not come back are unreachable.
    RecoveredAgents,
    /// The limit on removals lets the next agent pass.
    RemovalSlot,
    /// Agents that were away for too long are forgotten.
    RegistryGc,
    /// An inverse offer was out for too long (offers have a book of their own).
    InverseOffer(OfferId),
    /// A framework that was throttled may have its next call handled.
    RateLimit,
}

/// Ordered by time, then by when they were started.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Time, u64, Timer)>>,
    started: u64,
}

impl Timers {
    pub(super) fn start(&mut self, at: Time, timer: Timer) {
        self.heap.push(Reverse((at, self.started, timer)));
        self.started += 1;
    }

    /// Takes a timer back, so that nobody wakes up for it. Looks at all of them.
    pub(super) fn cancel(&mut self, timer: Timer) {
        self.heap.retain(|Reverse((.., running))| *running != timer);
    }

    pub(super) fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    pub(super) fn pop_due(&mut self, now: Time) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((.., timer))| timer)
    }
}
