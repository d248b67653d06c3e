//! The order by lot.

use super::{Sorter, SorterKind, order, role, sorter_of};
use crate::id::RoleId;

const PATHS: [&str; 5] = ["a", "a/x", "a/y", "b", "c/z"];

/// `a` weighs 3 of 6, and shares it out among `a/.` (1), `a/x` (2) and `a/y` (1).
fn sorter(seed: u64) -> Sorter<RoleId> {
    let mut sorter = sorter_of(SorterKind::Random { seed }, &PATHS, "cpus:10");
    for (path, weight) in [("a", 3.0), ("a/x", 2.0), ("b", 2.0)] {
        sorter.update_weight(path, weight);
    }
    sorter
}

/// How often each client comes first in so many draws.
fn firsts(sorter: &mut Sorter<RoleId>, draws: u32) -> [u32; 5] {
    let mut firsts = [0; 5];
    for _ in 0..draws {
        sorter.sort();
        let first = sorter.nth(0).unwrap();
        firsts[crate::id::Id::index(first)] += 1;
    }
    firsts
}

fn assert_near(found: [u32; 5], parts: [f64; 5], draws: u32) {
    for (found, part) in found.into_iter().zip(parts) {
        let mean = part * f64::from(draws);
        let deviation = (mean * (1.0 - part)).sqrt();
        assert!((f64::from(found) - mean).abs() <= 4.5 * deviation, "{found} of {draws}, part {part}");
    }
}

#[test]
fn a_client_comes_first_as_often_as_its_part_of_all_weight() {
    let mut sorter = sorter(7);
    let twelfths = [1.5, 3.0, 1.5, 4.0, 2.0];
    assert_near(firsts(&mut sorter, 60_000), twelfths.map(|part| part / 12.0), 60_000);
}

#[test]
fn an_inactive_client_leaves_its_part_to_its_active_siblings() {
    let mut sorter = sorter(8);
    sorter.deactivate(role(0));
    sorter.deactivate(role(4));
    let fifths = [0.0, 2.0, 1.0, 2.0, 0.0];
    assert_near(firsts(&mut sorter, 40_000), fifths.map(|part| part / 5.0), 40_000);
}

#[test]
fn an_order_holds_each_active_client_once() {
    let paths: Vec<String> = (0..60).map(|n| format!("{}/{n}", n % 7)).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut sorter = sorter_of(SorterKind::Random { seed: 1 }, &paths, "cpus:1");
    sorter.deactivate(role(5));
    for _ in 0..20 {
        let mut clients = order(&mut sorter);
        clients.sort_unstable();
        assert_eq!(clients, (0..60).filter(|&n| n != 5).collect::<Vec<_>>());
    }
}

#[test]
fn the_first_few_are_those_of_the_whole_order() {
    let paths: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let [mut one, mut other] = [3, 3].map(|seed| sorter_of(SorterKind::Random { seed }, &paths, "cpus:1"));
    for _ in 0..20 {
        one.sort();
        let last_first = one.nth(59);
        let first = one.nth(0);
        let whole = order(&mut other);
        assert_eq!((first, last_first), (Some(role(whole[0])), Some(role(whole[59]))));
    }
}

#[test]
fn equal_seeds_give_equal_orders_and_every_sort_draws_anew() {
    let [mut one, mut other, mut third] = [5, 5, 6].map(sorter);
    let draw = |sorter: &mut Sorter<RoleId>| (0..10).map(|_| order(sorter)).collect::<Vec<_>>();
    let drawn = draw(&mut one);
    assert_eq!(drawn, draw(&mut other));
    assert_ne!(drawn, draw(&mut third));
    assert!(drawn.iter().any(|order| *order != drawn[0]));
}
