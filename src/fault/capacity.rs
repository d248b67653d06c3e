//! Machines that have less to give at certain hours, because somebody else uses them then.

use mesos::time::{Span, Time};

use super::{Action, Fault, FaultEntry, Spec};
use crate::{cluster::MachineId, engine::random::Stream};

/// From one hour to another of each day, machines have only part of their resources. The simulation begins at midnight.
#[derive(Clone, PartialEq, Debug)]
pub struct Capacity {
    /// Which machines.
    pub machines: Vec<MachineId>,
    /// So much of their resources is left; 0 means that they are away.
    pub factor: f64,
    /// Since midnight, less than a day.
    pub from: Span,
    /// Since midnight; another time than `from`. If it is earlier, it is of the next day.
    pub to: Span,
    /// The length of a day.
    pub day: Span,
}

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "capacity",
    about: "from one hour to another of each day, machines have only part of their resources, or none",
    stream: Stream::FaultWindow,
    build: |cluster| {
        let hours = |hours: u64| Span::from_secs(hours * 3600);
        let machines = super::scope::all(cluster);
        Spec::Capacity(Capacity { machines, factor: 0.5, from: hours(8), to: hours(18), day: hours(24) })
    },
};

struct Clock {
    spec: Capacity,
    /// When the next window begins, if none is open, or the open one ends.
    next: Time,
    open: bool,
    /// The machine whose turn it is at that time.
    machine: usize,
}

impl Capacity {
    fn length(&self) -> Span {
        Span((self.to.0 + self.day.0 - self.from.0) % self.day.0)
    }

    pub(super) fn build(self) -> Box<dyn Fault> {
        assert!(self.from < self.day && self.to < self.day && self.from != self.to, "{self:?}");
        // At night, the first window is one that began the evening before.
        let over_midnight = Span::ZERO < self.to && self.to < self.from;
        let next = if over_midnight { Time::ZERO } else { Time(self.from.0) };
        Box::new(Clock { spec: self, next, open: false, machine: 0 })
    }
}

impl Clock {
    /// From the beginning of a window to its end, from there to the beginning of the next.
    fn advance(&mut self) {
        let length = self.spec.length();
        let since_midnight = Span(self.next.0 % self.spec.day.0);
        let step = if self.open {
            Span(self.spec.day.0 - length.0)
        } else if since_midnight == self.spec.from {
            length
        } else {
            self.spec.to
        };
        (self.next, self.open, self.machine) = (self.next + step, !self.open, 0);
    }
}

impl Fault for Clock {
    fn next(&mut self) -> Option<(Time, Action)> {
        if self.machine == self.spec.machines.len() {
            self.advance();
        }
        let machine = *self.spec.machines.get(self.machine)?;
        self.machine += 1;
        let factor = self.spec.factor;
        let begin = Action::Capacity { machine, factor };
        let action = if self.open { Action::CapacityEnd { machine } } else { begin };
        (self.next < Time::MAX).then_some((self.next, action))
    }
}

#[cfg(test)]
mod tests {
    use mesos::id::Id;

    use super::*;

    fn edges(from: u64, to: u64) -> Vec<(u64, bool)> {
        let hours = |hours: u64| Span::from_secs(hours * 3600);
        let machines = vec![MachineId::new(0)];
        let spec = Capacity { machines, factor: 0.5, from: hours(from), to: hours(to), day: hours(24) };
        let mut fault = spec.build();
        let next = || fault.next().expect("there is always another day");
        let edge =
            |(at, action): (Time, Action)| (at.0 / hours(1).0, matches!(action, Action::Capacity { .. }));
        std::iter::repeat_with(next).map(edge).take(4).collect()
    }

    #[test]
    fn the_hours_are_those_of_each_day() {
        assert_eq!(edges(8, 18), [(8, true), (18, false), (32, true), (42, false)]);
    }

    #[test]
    fn a_night_goes_over_midnight_and_the_first_has_begun_before_the_simulation() {
        assert_eq!(edges(22, 6), [(0, true), (6, false), (22, true), (30, false)]);
    }

    #[test]
    fn a_window_may_begin_or_end_at_midnight() {
        assert_eq!(edges(0, 6), [(0, true), (6, false), (24, true), (30, false)]);
        assert_eq!(edges(20, 0), [(20, true), (24, false), (44, true), (48, false)]);
    }
}
