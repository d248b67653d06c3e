//! What the sorter must do, by example and against a plain model of the rules.

mod by_lot;
mod model;
mod shared;

use super::{Sorter, SorterKind};
use crate::{
    id::{Id, RoleId},
    resource::{ResourceQuantities, parse_quantities},
};

fn of(text: &str) -> ResourceQuantities {
    parse_quantities(text).unwrap()
}

fn role(place: usize) -> RoleId {
    RoleId::new(place)
}

fn order(sorter: &mut Sorter<RoleId>) -> Vec<usize> {
    sorter.sort();
    seen(sorter)
}

/// The order as it is seen without sorting again.
fn seen(sorter: &mut Sorter<RoleId>) -> Vec<usize> {
    (0..).map_while(|n| sorter.nth(n)).map(RoleId::index).collect()
}

/// Active clients with these paths, numbered from 0.
fn sorter_of(kind: SorterKind, paths: &[&str], total: &str) -> Sorter<RoleId> {
    let mut sorter = Sorter::new(kind, &[], false);
    sorter.add_total(&of(total));
    for (place, path) in paths.iter().enumerate() {
        sorter.add(role(place), path);
        sorter.activate(role(place));
    }
    sorter
}

fn drf(paths: &[&str], total: &str) -> Sorter<RoleId> {
    sorter_of(SorterKind::Drf, paths, total)
}

#[test]
fn a_weight_divides_the_dominant_share() {
    let mut sorter = drf(&["x", "y"], "cpus:100;mem:1000");
    sorter.update_weight("x", 2.0);
    sorter.allocated_plain(role(0), &of("cpus:20;mem:100"), 1);
    sorter.allocated_plain(role(1), &of("cpus:5;mem:150"), 1);
    assert_eq!(sorter.dominant_share(role(0)), 0.1);
    assert_eq!(sorter.dominant_share(role(1)), 0.15);
    assert_eq!(order(&mut sorter), [0, 1]);
}

#[test]
fn ties_go_to_whom_was_given_less_often_then_to_the_smaller_path() {
    let mut sorter = drf(&["b", "a", "c"], "cpus:10");
    assert_eq!(order(&mut sorter), [1, 0, 2]);
    sorter.allocated_plain(role(1), &of("cpus:1"), 1);
    sorter.unallocated_plain(role(1), &of("cpus:1"));
    assert_eq!(order(&mut sorter), [0, 2, 1]);
}

#[test]
fn an_excluded_resource_does_not_count() {
    let mut sorter = Sorter::<RoleId>::new(SorterKind::Drf, &["gpus".into()], false);
    sorter.add_total(&of("cpus:100;gpus:1"));
    sorter.add(role(0), "a");
    sorter.allocated_plain(role(0), &of("cpus:10;gpus:1"), 1);
    assert_eq!(sorter.dominant_share(role(0)), 0.1);
}

#[test]
fn an_inactive_client_keeps_what_it_holds_but_has_no_place() {
    let mut sorter = drf(&["a", "b"], "cpus:10");
    sorter.allocated_plain(role(0), &of("cpus:4"), 1);
    sorter.deactivate(role(0));
    assert_eq!(order(&mut sorter), [1]);
    sorter.activate(role(0));
    assert_eq!(order(&mut sorter), [1, 0]);
    sorter.remove(role(0));
    assert_eq!(order(&mut sorter), [1]);
    assert!(!sorter.contains(role(0)));
    assert_eq!(sorter.total_allocation(), &of(""));
}

#[test]
fn what_a_subtree_holds_counts_for_its_parent() {
    let mut sorter = drf(&["a/x", "a/y", "b"], "cpus:100");
    sorter.allocated_plain(role(0), &of("cpus:4"), 1);
    sorter.allocated_plain(role(1), &of("cpus:3"), 1);
    sorter.allocated_plain(role(2), &of("cpus:6"), 1);
    assert_eq!(order(&mut sorter), [2, 1, 0]);
    sorter.allocated_plain(role(2), &of("cpus:2"), 1);
    assert_eq!(order(&mut sorter), [1, 0, 2]);
}

#[test]
fn a_client_that_is_a_parent_competes_with_its_children_at_weight_one() {
    let mut sorter = drf(&["a", "a/x", "b"], "cpus:100");
    sorter.update_weight("a", 10.0);
    sorter.allocated_plain(role(0), &of("cpus:2"), 1);
    sorter.allocated_plain(role(1), &of("cpus:1"), 1);
    sorter.allocated_plain(role(2), &of("cpus:1"), 1);
    assert_eq!(order(&mut sorter), [1, 0, 2]);
    assert_eq!(sorter.dominant_share(role(0)), 0.02);
}

#[test]
fn a_parent_that_lost_its_children_keeps_their_count() {
    let mut sorter = drf(&["a", "b"], "cpus:100");
    sorter.add(role(2), "a/x");
    sorter.allocated_plain(role(2), &of("cpus:1"), 1);
    sorter.remove(role(2));
    assert_eq!(order(&mut sorter), [1, 0]);
}

#[test]
fn the_weight_of_a_parent_that_is_no_client_stays_what_the_first_sort_found() {
    let mut sorter = drf(&["a/x", "b"], "cpus:100");
    sorter.allocated_plain(role(0), &of("cpus:6"), 1);
    sorter.allocated_plain(role(1), &of("cpus:5"), 1);
    assert_eq!(order(&mut sorter), [1, 0]);
    sorter.update_weight("a", 10.0);
    assert_eq!(order(&mut sorter), [1, 0]);
    sorter.remove(role(0));
    sorter.add(role(0), "a/x");
    sorter.activate(role(0));
    sorter.allocated_plain(role(0), &of("cpus:6"), 1);
    assert_eq!(order(&mut sorter), [0, 1]);
}

#[test]
fn in_a_flat_sorter_a_slash_makes_no_tree() {
    let mut sorter = Sorter::<RoleId>::new(SorterKind::Drf, &[], true);
    sorter.add_total(&of("cpus:10"));
    for (place, path) in ["a", "a/x", "b"].iter().enumerate() {
        sorter.add(role(place), path);
        sorter.activate(role(place));
    }
    sorter.allocated_plain(role(1), &of("cpus:1"), 1);
    assert_eq!(order(&mut sorter), [0, 2, 1]);
}

#[test]
fn bookings_are_seen_after_the_next_sort() {
    for paths in [["a", "b", "c"], ["a/a", "a/b", "b"]] {
        let mut sorter = drf(&paths, "cpus:10");
        assert_eq!(order(&mut sorter), [0, 1, 2]);
        sorter.allocated_plain(role(0), &of("cpus:1"), 1);
        assert_eq!(seen(&mut sorter), [0, 1, 2]);
        assert_ne!(order(&mut sorter), [0, 1, 2]);
    }
}

#[test]
fn a_name_that_mesos_does_not_know_counts_like_any_other() {
    let mut sorter = drf(&["a", "b"], "cpus:100;foo:10");
    sorter.allocated_plain(role(0), &of("cpus:10;foo:2"), 1);
    sorter.allocated_plain(role(1), &of("cpus:15"), 1);
    assert_eq!(sorter.dominant_share(role(0)), 0.2);
    assert_eq!(order(&mut sorter), [1, 0]);
    let mut sorter = Sorter::<RoleId>::new(SorterKind::Drf, &["foo".into()], false);
    sorter.add_total(&of("cpus:100;foo:10"));
    sorter.add(role(0), "a");
    sorter.allocated_plain(role(0), &of("cpus:10;foo:2"), 1);
    assert_eq!(sorter.dominant_share(role(0)), 0.1);
}
