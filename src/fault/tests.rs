//! All kinds of faults, and several at once.

use std::collections::BTreeSet;

use mesos::{
    id::{Id, TaskId},
    resource::{ResourceQuantities, Scalar},
    time::{Span, Time},
};

use super::{windows::*, *};
use crate::{cluster::Topology, engine::law::Law};

/// Two machines to a rack, two racks to a zone, three zones.
fn cluster() -> Cluster {
    let topology = Topology { agents_per_rack: 2, racks_per_zone: 2 };
    let mut cluster = Cluster::new();
    for number in 0..12 {
        let scalars =
            ResourceQuantities::new([Scalar::whole(8), Scalar::whole(1024), Scalar::ZERO, Scalar::ZERO]);
        cluster.add(format!("m{number}"), scalars, 0, None, vec![], topology).unwrap();
    }
    cluster
}

fn machines(places: &[usize]) -> Vec<MachineId> {
    places.iter().copied().map(MachineId::new).collect()
}

fn at(starts: &[u64], lasts: u64) -> Windows {
    let starts = starts.iter().map(|&secs| Time::from_secs(secs)).collect();
    Windows { when: When::At(starts), lasts: Law::Constant(Span::from_secs(lasts)) }
}

fn crash(places: &[usize], windows: Windows) -> Spec {
    Spec::AgentCrash(AgentCrash { machines: machines(places), windows, graceful: false })
}

/// What happens, as seconds, place of the fault, and action.
fn all(schedule: &mut Schedule, most: usize) -> Vec<(u64, usize, Action)> {
    let occurrences = std::iter::from_fn(|| schedule.pop()).take(most);
    occurrences.map(|next| (next.at.0 / 1_000_000_000, next.cause.index(), next.action)).collect()
}

#[test]
fn names_are_unique_and_every_kind_builds_what_it_is_called() {
    let names: BTreeSet<_> = FAULTS.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), FAULTS.len());
    for entry in FAULTS {
        assert_eq!((entry.build)(&cluster()).entry().name, entry.name);
    }
}

#[test]
fn every_kind_acts_in_order_of_time_and_the_same_again() {
    for entry in FAULTS {
        let actions = || all(&mut Schedule::new([(entry.build)(&cluster())], Seed(7)), 500);
        let first = actions();
        assert!(first.is_sorted_by_key(|(at, _, _)| *at), "{}", entry.name);
        assert_eq!(first, actions(), "{}", entry.name);
        let of_tasks = matches!((entry.build)(&cluster()).build(Seed(7)), Part::OfTasks(_));
        assert_eq!(first.is_empty(), of_tasks, "{}", entry.name);
    }
}

#[test]
fn another_seed_gives_other_times() {
    let spec = || (FAULTS[0].build)(&cluster());
    let times = |seed| all(&mut Schedule::new([spec()], Seed(seed)), 50);
    assert_ne!(times(1), times(2));
}

#[test]
fn a_fault_of_another_kind_changes_none_of_the_others() {
    let crash = || (FAULTS[0].build)(&cluster());
    let outage = Spec::MasterFailover(MasterFailover { when: Windows::example().when });
    let of_crash = |schedule: &mut Schedule, place| {
        let all = all(schedule, 2_000).into_iter();
        all.filter(|(_, cause, _)| *cause == place).map(|(at, _, action)| (at, action)).take(500).collect()
    };
    let alone: Vec<_> = of_crash(&mut Schedule::new([crash()], Seed(7)), 0);
    let beside: Vec<_> = of_crash(&mut Schedule::new([outage, crash()], Seed(7)), 1);
    assert_eq!(alone, beside);
}

#[test]
fn two_faults_of_one_kind_draw_apart() {
    let mut schedule = Schedule::new([0, 1].map(|machine| crash(&[machine], Windows::example())), Seed(7));
    let all = all(&mut schedule, 200);
    let times = |place| all.iter().filter(|next| next.1 == place).map(|next| next.0).collect::<Vec<_>>();
    assert_ne!(times(0)[..20], times(1)[..20]);
}

#[test]
fn an_outage_takes_exactly_the_machines_of_its_domain() {
    for (scope, number, expected) in [
        (Scope::Zone, 1, vec![4, 5, 6, 7]),
        (Scope::Rack, 3, vec![6, 7]),
        (Scope::Power { racks: 3 }, 1, vec![6, 7, 8, 9, 10, 11]),
    ] {
        let domains = scope.domains(&cluster()).into_iter().filter(|domain| domain.number == number);
        let spec = Outage { domains: domains.collect(), windows: at(&[100], 50) };
        let all = all(&mut Schedule::new([Spec::Outage(spec)], Seed(1)), 100);
        let down =
            expected.iter().map(|&place| (100, 0, Action::AgentCrash { machine: MachineId::new(place) }));
        let up =
            expected.iter().map(|&place| (150, 0, Action::AgentRepair { machine: MachineId::new(place) }));
        assert_eq!(all, down.chain(up).collect::<Vec<_>>(), "{scope:?} {number}");
    }
}

#[test]
fn domains_fail_independently_of_each_other() {
    let times = |numbers: &[u32]| {
        let domains = Scope::Zone.domains(&cluster()).into_iter();
        let domains = domains.filter(|domain| numbers.contains(&domain.number)).collect();
        let spec = Spec::Outage(Outage { domains, windows: Windows::example() });
        let of_zone_1 = |next: &(u64, usize, Action)| {
            [4, 5, 6, 7].map(MachineId::new).iter().any(|&machine| {
                next.2 == Action::AgentCrash { machine } || next.2 == Action::AgentRepair { machine }
            })
        };
        let all = all(&mut Schedule::new([spec], Seed(1)), 1_000);
        all.into_iter().filter(of_zone_1).take(100).collect::<Vec<_>>()
    };
    assert_eq!(times(&[1]), times(&[0, 1, 2]));
}

#[test]
fn a_machine_that_is_down_for_two_reasons_is_repaired_when_both_have_ended() {
    let mut schedule = Schedule::new([crash(&[0, 1], at(&[100], 50)), crash(&[1], at(&[120], 100))], Seed(1));
    let [m0, m1] = [0, 1].map(MachineId::new);
    let expected = [
        (100, 0, Action::AgentCrash { machine: m0 }),
        (100, 0, Action::AgentCrash { machine: m1 }),
        (150, 0, Action::AgentRepair { machine: m0 }),
        (220, 1, Action::AgentRepair { machine: m1 }),
    ];
    assert_eq!(all(&mut schedule, 100), expected);
}

#[test]
fn at_equal_times_faults_act_in_the_order_of_the_file() {
    let mut schedule = Schedule::new([crash(&[1], at(&[100], 50)), crash(&[0], at(&[100], 50))], Seed(1));
    assert_eq!(schedule.peek_time(), Some(Time::from_secs(100)));
    let causes: Vec<_> = all(&mut schedule, 100).iter().map(|next| next.1).collect();
    assert_eq!(causes, [0, 1, 0, 1]);
    assert_eq!(schedule.peek_time(), None);
    assert_eq!(schedule.causes(), ["agent-crash", "agent-crash"]);
}

#[test]
fn partitions_say_whom_they_split_and_when_it_is_over() {
    let side = |places: &[usize]| Side { machines: machines(places), ..Side::default() };
    let ends = Arc::new(Ends { a: side(&[0]), b: None, one_way: true });
    let spec = Spec::Partition(Partition { ends: ends.clone(), windows: at(&[10], 5) });
    let expected = [(10, 0, Action::LinkCut { ends: ends.clone() }), (15, 0, Action::LinkHeal { ends })];
    assert_eq!(all(&mut Schedule::new([spec], Seed(1)), 100), expected);
}

#[test]
fn the_fate_of_a_task_is_the_same_whenever_and_in_whatever_order_it_is_asked() {
    let specs = || {
        [
            Spec::TaskFailure(TaskFailure { frameworks: vec![0], chance: Chance::PerAttempt(0.5) }),
            Spec::TaskStraggler(TaskStraggler { frameworks: vec![0, 1], probability: 0.5, factor: 2.0 }),
        ]
    };
    let schedule = Schedule::new(specs(), Seed(1));
    let fate =
        |framework, task, number| schedule.fate(Attempt { framework, task: TaskId::new(task), number });
    let forward: Vec<_> = (0..200).map(|task| fate(0, task, 0)).collect();
    let mut backward: Vec<_> = (0..200).rev().map(|task| fate(0, task, 0)).collect();
    backward.reverse();
    assert_eq!(forward, backward);
    assert_ne!(forward, (0..200).map(|task| fate(0, task, 1)).collect::<Vec<_>>(), "another attempt");
    assert!((0..200).all(|task| fate(1, task, 0).fails_at.is_none()), "framework 1 is spared");
    let slow = forward.iter().filter(|fate| fate.slowdown > 1.0).count();
    assert!((70..130).contains(&slow), "{slow} of 200 straggle");
}
