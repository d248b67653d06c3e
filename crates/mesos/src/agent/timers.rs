//! What an agent waits for, beside the master's answer.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{id::StatusId, task::TaskKey, time::Time};

/// What is to be done when a wait is over. One whose cause is gone by then is skipped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Timer {
    /// The head of a task's updates is not acknowledged.
    Update(StatusId, TaskKey),
    /// News of an operation is not acknowledged.
    Operation(StatusId),
    /// The executor of this number has not registered.
    Registration(u32),
    /// The task of this number has run for as long as it may.
    Completion(u32),
}

impl Timer {
    /// Whether it sends something to the master again.
    const fn is_retry(self) -> bool {
        match self {
            Self::Update(..) | Self::Operation(_) => true,
            Self::Registration(_) | Self::Completion(_) => false,
        }
    }
}

/// All timers, the next one first.
#[derive(Debug, Default)]
pub(super) struct Timers(BinaryHeap<Reverse<(Time, Timer)>>);

impl Timers {
    pub(super) fn start(&mut self, at: Time, timer: Timer) {
        self.0.push(Reverse((at, timer)));
    }

    pub(super) fn next(&self) -> Option<(Time, Timer)> {
        self.0.peek().map(|&Reverse(next)| next)
    }

    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    /// Nothing is sent to a master that is not there.
    pub(super) fn stop_retries(&mut self) {
        self.0.retain(|Reverse((_, timer))| !timer.is_retry());
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The run times that tasks have left: their executors keep them, and they outlive the agent's process.
    pub(super) fn completions(&self) -> Vec<(Time, u32)> {
        let completion = |&Reverse((at, timer)): &Reverse<(Time, Timer)>| match timer {
            Timer::Completion(number) => Some((at, number)),
            Timer::Update(..) | Timer::Operation(_) | Timer::Registration(_) => None,
        };
        self.0.iter().filter_map(completion).collect()
    }
}
