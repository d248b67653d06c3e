//! Planned maintenance: announced, begun and ended by the operator, one group of machines after the other.

use mesos::{
    id::Id,
    time::{Span, Time},
};

use super::{Action, Fault, FaultEntry, Scope, Spec};
use crate::{cluster::MachineId, engine::random::Stream};

/// Machines are taken down group by group.
#[derive(Clone, PartialEq, Debug)]
pub struct Maintenance {
    /// Which machines together, in this order.
    pub groups: Vec<Vec<MachineId>>,
    /// When the first group goes down.
    pub start: Time,
    /// How long each group is down.
    pub lasts: Span,
    /// Between the end of a group and the start of the next.
    pub pause: Span,
    /// How long before the start the whole schedule is announced; at the beginning, if that is later.
    pub notice: Span,
}

/// When some machines will be down (`mesos.maintenance.Window`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MaintenanceWindow {
    /// Which machines.
    pub machines: Vec<MachineId>,
    /// From when on.
    pub start: Time,
    /// For how long.
    pub lasts: Span,
}

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "maintenance",
    about: "machines are taken down as announced, all at once or rack by rack",
    stream: Stream::FaultWindow,
    build: |cluster| {
        let groups = Scope::Rack.domains(cluster).into_iter().map(|rack| rack.machines).collect();
        let (start, lasts) = (Time::from_secs(1000), Span::from_secs(100));
        let (pause, notice) = (Span::from_secs(10), Span::from_secs(600));
        Spec::Maintenance(Maintenance { groups, start, lasts, pause, notice })
    },
};

struct Plan(std::vec::IntoIter<(Time, Action)>);

impl Maintenance {
    /// When which machines will be down.
    #[must_use]
    pub fn windows(&self) -> Vec<MaintenanceWindow> {
        let mut start = self.start;
        let window = |machines: &Vec<MachineId>| {
            let window = MaintenanceWindow { machines: machines.clone(), start, lasts: self.lasts };
            start = start + self.lasts + self.pause;
            window
        };
        self.groups.iter().map(window).collect()
    }

    /// When the schedule is announced.
    #[must_use]
    pub const fn announced(&self) -> Time {
        Time(self.start.0.saturating_sub(self.notice.0))
    }

    pub(super) fn build(self) -> Box<dyn Fault> {
        let windows = self.windows();
        let mut plan = vec![(self.announced(), Action::MaintenanceSchedule { windows: windows.clone() })];
        for MaintenanceWindow { machines, start, lasts } in windows {
            plan.push((start, Action::MaintenanceStart { machines: machines.clone() }));
            plan.push((start + lasts, Action::MaintenanceStop { machines }));
        }
        Box::new(Plan(plan.into_iter()))
    }
}

impl MaintenanceWindow {
    /// A machine that is in both windows, if there is one.
    #[must_use]
    pub fn shared_machine(&self, other: &Self) -> Option<MachineId> {
        let both = self.machines.iter().filter(|machine| other.machines.contains(machine));
        both.min_by_key(|machine| machine.index()).copied()
    }
}

impl Fault for Plan {
    fn next(&mut self) -> Option<(Time, Action)> {
        self.0.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_is_announced_whole_and_groups_go_down_one_after_the_other() {
        let groups: Vec<Vec<MachineId>> = vec![vec![MachineId::new(0)], vec![MachineId::new(1)]];
        let (start, lasts) = (Time::from_secs(100), Span::from_secs(10));
        let (pause, notice) = (Span::from_secs(5), Span::from_secs(200));
        let mut fault = Maintenance { groups: groups.clone(), start, lasts, pause, notice }.build();
        let Some((Time::ZERO, Action::MaintenanceSchedule { windows })) = fault.next() else {
            panic!("first the schedule, and not before the beginning")
        };
        let starts: Vec<_> = windows.iter().map(|window| window.start).collect();
        assert_eq!(starts, [100, 115].map(Time::from_secs));
        let rest: Vec<_> = std::iter::from_fn(|| fault.next()).collect();
        let [start, stop] = [
            |machines: &Vec<MachineId>| Action::MaintenanceStart { machines: machines.clone() },
            |machines: &Vec<MachineId>| Action::MaintenanceStop { machines: machines.clone() },
        ];
        let expected = [
            (100, start(&groups[0])),
            (110, stop(&groups[0])),
            (115, start(&groups[1])),
            (125, stop(&groups[1])),
        ];
        assert_eq!(rest, expected.map(|(secs, action)| (Time::from_secs(secs), action)));
    }
}
