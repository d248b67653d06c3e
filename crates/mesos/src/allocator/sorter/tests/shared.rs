//! Shared volumes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Sorter, drf, of, role};
use crate::{
    id::{AgentId, Id, RoleId},
    resource::{
        Detail, DiskInfo, Name, Persistence, Reservation, ReservationKind, Resource, ResourceName,
        ResourceQuantities, Resources, Scalar, Value, Volume,
    },
};

const PATHS: [&str; 5] = ["a", "a/x", "a/x/y", "a/z", "b"];

/// So many copies of a volume of 100 MB, and a cpu.
fn copies(number: usize, volume: &str) -> Resources {
    let persistence = Persistence { id: volume.into(), principal: None };
    let mount = Volume { container_path: "p".into(), host_path: None, writable: true };
    let detail = Detail {
        disk: Some(DiskInfo { source: None, persistence: Some(persistence), volume: Some(mount) }),
        shared: true,
        reservations: vec![Reservation {
            kind: ReservationKind::Static,
            role: "a".into(),
            principal: None,
            labels: None,
        }],
        ..Detail::default()
    };
    let volume = Resource::new(Name::new("disk"), Value::Scalar(Scalar::whole(100)), detail);
    let cpu = Resource::plain(ResourceName::Cpus, Scalar::whole(1));
    Resources::from_entries(std::iter::once(cpu).chain(std::iter::repeat_n(volume, number))).unwrap()
}

fn agent(place: usize) -> AgentId {
    AgentId::new(place)
}

#[test]
fn a_volume_counts_once_per_agent_at_each_node() {
    let mut sorter = drf(&PATHS, "cpus:100;disk:1000");
    sorter.allocated(role(1), agent(0), &copies(3, "v"));
    sorter.allocated(role(1), agent(0), &copies(1, "v"));
    sorter.allocated(role(3), agent(0), &copies(1, "v"));
    sorter.allocated(role(3), agent(1), &copies(1, "v"));
    assert_eq!(sorter.allocation(role(1)), &of("cpus:2;disk:100"));
    assert_eq!(sorter.allocation(role(3)), &of("cpus:2;disk:200"));
    assert_eq!(sorter.total_allocation(), &of("cpus:4;disk:200"));
}

#[test]
fn a_volume_is_taken_off_with_its_last_copy() {
    let mut sorter = drf(&PATHS, "cpus:100;disk:1000");
    sorter.allocated(role(1), agent(0), &copies(2, "v"));
    sorter.allocated(role(4), agent(0), &copies(1, "v"));
    sorter.unallocated(role(1), agent(0), &copies(1, "v"));
    assert_eq!(sorter.allocation(role(1)), &of("disk:100"));
    sorter.unallocated(role(4), agent(0), &copies(1, "v"));
    assert_eq!(sorter.total_allocation(), &of("disk:100"));
    sorter.remove(role(1));
    assert_eq!(sorter.total_allocation(), &of(""));
}

#[test]
fn more_copies_by_an_update_change_nothing() {
    let mut sorter = drf(&PATHS, "cpus:100;disk:1000");
    sorter.allocated(role(0), agent(0), &copies(1, "v"));
    sorter.update(role(0), agent(0), &copies(1, "v"), &copies(3, "v"));
    sorter.unallocated(role(0), agent(0), &copies(2, "v"));
    assert_eq!(sorter.allocation(role(0)), &of("disk:100"));
}

/// What these clients hold together: a volume once per agent.
fn sum<'a>(held: impl Iterator<Item = (&'a (usize, usize), &'a Resources)>) -> ResourceQuantities {
    let mut by_agent = BTreeMap::<usize, Resources>::new();
    held.for_each(|((_, agent), resources)| *by_agent.entry(*agent).or_default() += resources);
    let mut sum = of("");
    by_agent.values().for_each(|resources| sum += resources.quantities());
    sum
}

proptest! {
    /// However clients come and go, turn into parents and back.
    #[test]
    fn sums_are_those_of_a_ledger(
        steps in prop::collection::vec((0..PATHS.len(), 0usize..2, 0usize..3, 0usize..2, 0u8..5), 1..80),
    ) {
        let mut sorter = Sorter::<RoleId>::new(super::SorterKind::Drf, &[], false);
        let mut ledger = BTreeMap::<(usize, usize), Resources>::new();
        for (client, on, number, volume, action) in steps {
            let (id, resources) = (role(client), copies(number, ["v", "w"][volume]));
            let held = ledger.get(&(client, on)).cloned().unwrap_or_default();
            if !sorter.contains(id) {
                sorter.add(id, PATHS[client]);
            } else if action == 0 {
                sorter.remove(id);
                ledger.retain(|(of, _), _| *of != client);
            } else if action == 1 && held.contains(&resources) {
                sorter.unallocated(id, agent(on), &resources);
                *ledger.entry((client, on)).or_default() -= &resources;
            } else if action > 1 {
                sorter.allocated(id, agent(on), &resources);
                *ledger.entry((client, on)).or_default() += &resources;
            }
            for of in (0..PATHS.len()).filter(|&of| sorter.contains(role(of))) {
                let its = sum(ledger.iter().filter(|((client, _), _)| *client == of));
                prop_assert_eq!(sorter.allocation(role(of)), &its);
            }
            prop_assert_eq!(sorter.total_allocation(), &sum(ledger.iter()));
        }
    }
}
