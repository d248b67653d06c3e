//! Worked examples.

use super::{super::*, DiskSourceKind, disk, of, parse, source, volume};

fn minus(a: &str, b: &str) -> String {
    let mut rest = parse(a);
    rest -= &parse(b);
    rest.to_string()
}

fn quantities(text: &str) -> ResourceQuantities {
    parse_quantities(text).expect(text)
}

#[test]
fn amounts_are_rounded_before_they_are_added() {
    assert_eq!(parse("cpus:1.0005;cpus:1.0004").to_string(), "cpus:2.001");
    assert_eq!(parse("cpus:0.1;cpus:0.2"), parse("cpus:0.3"));
}

#[test]
fn ranges_are_subtracted_and_contained_by_number() {
    assert_eq!(minus("ports:[1-10]", "ports:[3-4]"), "ports:[1-2,5-10]");
    assert!(parse("ports:[1-10]").contains(&parse("ports:[2-3]")));
    assert!(!parse("ports:[1-10]").contains(&parse("ports:[9-11]")));
}

#[test]
fn reserved_and_unreserved_do_not_hold_something_together() {
    assert!(!parse("cpus(a):2;cpus:2").contains(&parse("cpus:3")));
}

#[test]
fn more_than_there_is_leaves_nothing() {
    assert_eq!(minus("cpus:2", "cpus:3"), "");
    let mut rest = quantities("cpus:4");
    rest -= &quantities("cpus:4;mem:1");
    assert!(rest.is_empty());
}

#[test]
fn limits_stay_when_used_up() {
    let left = ResourceLimits::parse("cpus:2").unwrap().minus(&quantities("cpus:5;mem:9"));
    assert_eq!(left.to_string(), "cpus:0");
}

#[test]
fn a_role_may_have_what_is_reserved_for_the_roles_above() {
    let all = parse("cpus:1;cpus(a):1;cpus(a/b):1;cpus(a/b/c):1;cpus(ab):1");
    assert_eq!(all.allocatable_to("a/b").to_string(), "cpus:1;cpus(a):1;cpus(a/b):1");
    assert_eq!(all.reserved_to_subtree("a").to_string(), "cpus(a):1;cpus(a/b):1;cpus(a/b/c):1");
}

#[test]
fn the_order_decides_which_disk_survives_a_cut() {
    let mount = disk(source(DiskSourceKind::Mount, Some("/m"), None), 50);
    let plain = Resource::plain(ResourceName::Disk, Scalar::whole(100));
    let most = quantities("disk:120");
    let cut = most.shrink(of(vec![plain.clone(), mount.clone()]));
    assert_eq!(cut, parse("disk:100"));
    let cut = most.shrink(of(vec![mount.clone(), plain]));
    assert_eq!(cut, of(vec![mount, Resource::plain(ResourceName::Disk, Scalar::whole(70))]));
}

#[test]
fn a_shared_volume_goes_when_its_last_copy_does() {
    let once = of(vec![volume("v", 10, true)]);
    let mut held = once.clone();
    held += &once;
    assert_eq!(held.count(&volume("v", 10, true)), 2);
    assert_eq!(held.quantities().to_string(), "disk:10");
    held -= &once;
    assert_eq!(held, once);
    held -= &once;
    assert!(held.is_empty());
}

#[test]
fn reserved_resources_count_for_a_minimum() {
    assert!(parse("cpus(role):0.02").contains_quantities(&quantities("cpus:0.01")));
    assert!(parse("ports:[1-5]").contains_quantities(&quantities("ports:5")));
}

#[test]
fn a_volume_is_made_and_destroyed_but_not_while_a_copy_is_left() {
    let mut all = parse("disk:30");
    let disk = parse("disk:10").reserved_further(&super::reservation(ReservationKind::Dynamic, "a"));
    let volumes = of(vec![volume("v", 10, true)]);
    all.apply(&ResourceOperation::Reserve { source: None, resources: disk }).unwrap();
    all.apply(&ResourceOperation::Create { volumes: volumes.clone() }).unwrap();
    assert_eq!(all.persistent_volumes(), volumes);
    let destroy = ResourceOperation::Destroy { volumes: volumes.clone() };
    let mut shared = all.clone();
    shared += &volumes;
    assert!(shared.apply(&destroy).expect_err("a copy is left").to_string().contains("shared copies"));
    all.apply(&destroy).unwrap();
    let unreserve = ResourceOperation::Unreserve { resources: all.reserved() };
    all.apply(&unreserve).unwrap();
    assert_eq!(all, parse("disk:30"));
}

#[test]
fn a_volume_grows_and_shrinks_by_the_disk_it_is_made_of() {
    let spare = volume("v", 4, false).with(|detail| detail.disk = None);
    let (small, large) = (of(vec![volume("v", 10, false)]), of(vec![volume("v", 14, false)]));
    let mut all = small.clone();
    all += &of(vec![spare.clone()]);
    let before = all.clone();
    let addition = of(vec![spare]);
    all.apply(&ResourceOperation::GrowVolume { volume: small, addition }).unwrap();
    assert_eq!(all, large);
    all.apply(&ResourceOperation::ShrinkVolume { volume: large, subtract: Scalar::whole(4) }).unwrap();
    assert_eq!(all, before);
}

#[test]
fn an_operation_that_fails_changes_nothing() {
    let mut all = parse("cpus:3");
    let reserve = |text| ResourceOperation::Reserve { source: None, resources: parse(text) };
    assert!(all.apply(&reserve("cpus(a):4")).is_err());
    assert!(all.apply(&reserve("cpus:1")).is_err(), "there is no reservation to take away");
    assert_eq!(all, parse("cpus:3"));
}

#[test]
fn tasks_are_asked_for_more_than_valid_resources() {
    let task = |resources: &Resources| check_task_resources(&resources.allocate("a"));
    assert_eq!(task(&parse("cpus:1;gpus:2")), Ok(()));
    assert!(matches!(task(&parse("gpus:0.5")), Err(UsageError::PartOfGpu(_))));
    assert!(matches!(check_task_resources(&parse("cpus:1")), Err(UsageError::NotAllocated(_))));
    let twice = of(vec![volume("v", 1, false), volume("v", 2, false)]);
    assert!(matches!(task(&twice), Err(UsageError::RepeatedId { .. })));
    let revocable =
        Resource::plain(ResourceName::Cpus, Scalar::whole(1)).with(|detail| detail.revocable = true);
    let mut mixed = parse("cpus:1");
    mixed += &of(vec![revocable.clone()]);
    assert!(matches!(task(&mixed), Err(UsageError::MixedRevocable(_))));
    let reserved = revocable.reserved_further(super::reservation(ReservationKind::Dynamic, "a"));
    assert!(matches!(task(&of(vec![reserved])), Err(UsageError::RevocableReservation(_))));
    let unreserved = volume("v", 1, false).with(|detail| detail.reservations.clear());
    assert!(matches!(task(&of(vec![unreserved])), Err(UsageError::Unreserved(_))));
}

#[test]
fn ids_are_what_a_file_can_be_called() {
    assert_eq!(check_id("volume-1"), Ok(()));
    for id in ["", ".", "..", "a/b", "a\\b", "a\nb", &"x".repeat(256)] {
        assert!(check_id(id).is_err(), "{id:?}");
    }
}

#[test]
fn what_text_cannot_say_is_printed_as_in_the_logs() {
    let mut all = parse("cpus:1;cpus(a):2;zones:{b,a}");
    assert!(all.is_text());
    assert_eq!(all.to_string(), "cpus:1;cpus(a):2;zones:{a,b}");
    all += &of(vec![volume("v", 10, true)]);
    assert!(!all.is_text());
    let log = "cpus:1;cpus(a):2;disk(reservations: [(DYNAMIC,a,p)])[v:data]<SHARED>:10<1>;zones:{a,b}";
    assert_eq!(all.to_string(), log);
}

#[test]
fn huge_amounts_stop_at_the_largest() {
    let mut all = parse("ports:[0-18446744073709551615];cpus:9000000000000000");
    assert_eq!(all.all_quantities().of_name("ports"), Scalar(i64::MAX));
    let same = all.clone();
    all += &same;
    assert_eq!(all.get(ResourceName::Cpus), Scalar(i64::MAX));
}

#[test]
fn devices_follow_the_plain_gpus() {
    let all = parse("cpus:2").with_devices(Devices::whole(2));
    let mut with_more = all;
    with_more += &parse("cpus(a):1;gpus(a):1");
    assert_eq!(*with_more.devices(), Devices::whole(2));
    assert_eq!(*with_more.reserved().devices(), Devices::NONE);
    assert_eq!(*with_more.unreserved().devices(), Devices::whole(2));
    assert_eq!(
        *quantities("gpus:1.5").shrink(with_more.unreserved()).devices(),
        Devices::whole(2).first(1500)
    );
    assert_eq!(with_more.allocate("a").unallocate(), with_more);
    assert_eq!(*with_more.clone().with_devices(Devices::whole(1)).devices(), Devices::whole(1));
    let reserve = ResourceOperation::Reserve { source: None, resources: parse("gpus(a):1") };
    with_more.apply(&reserve).unwrap();
    assert_eq!(*with_more.devices(), Devices::whole(1));
}
