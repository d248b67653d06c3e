//! Draining: every task ends, no new one starts (`Slave::drain`).

use super::{Agent, tasks::span};
use crate::{effects::AgentEffects, time::Time};

/// An order to drain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drain {
    /// Whether the agent will be marked gone when it is empty.
    pub(super) mark_gone: bool,
}

impl Agent {
    /// The master repeats the order when the agent registers again, and everything is killed again. An empty agent has
    /// nothing to drain.
    pub(super) fn start_drain(
        &mut self,
        now: Time,
        max_grace_period: Option<i64>,
        mark_gone: bool,
        out: &mut impl AgentEffects,
    ) {
        if self.is_empty() {
            return;
        }
        self.drain = Some(Drain { mark_gone });
        for key in self.keys_of(|task| !task.is_over()) {
            let Some(place) = self.place(key) else { continue };
            let own = self.tasks[place].grace(None);
            let grace = max_grace_period.map_or(own, |most| own.min(span(most)));
            self.kill_at(now, place, grace, out);
        }
    }

    /// Once nothing is left and all ends are acknowledged the order is carried out: whoever wakes the agent up later gives it
    /// tasks again (`Slave::updateDrainStatus`).
    pub(super) fn end_drain_if_empty(&mut self) {
        if self.drain.is_some() && self.is_empty() {
            self.drain = None;
        }
    }

    const fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.executors.is_empty() && self.operations.is_empty()
    }
}
