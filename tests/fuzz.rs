//! Data centres drawn at random, under all checkers: a few of each build, and those in which something was found once.

use std::sync::atomic::AtomicBool;

use mesosim::fuzz::{self, CaseId, End};

/// Runs a case and says how it ended.
fn check(seed: u64, number: u64, without: &[&str]) -> End {
    let without: Vec<String> = without.iter().map(|&name| name.into()).collect();
    let case = CaseId { seed, number };
    match fuzz::run(case, &without, &AtomicBool::new(false)) {
        Ok((end, _)) => end,
        Err(panic) => {
            panic!("case {case} without {without:?} fails at {}:\n{}", panic.location, panic.message)
        }
    }
}

#[test]
fn random_data_centres_keep_every_rule() {
    let cases = if cfg!(debug_assertions) { 15 } else { 60 };
    let ends: Vec<End> = (0..cases).map(|number| check(1, number, &[])).collect();
    let settled = ends.iter().filter(|end| **end == End::Settled).count();
    assert!(settled * 2 > ends.len(), "only {settled} of {} cases came to rest: {ends:?}", ends.len());
}

/// Devices of an agent that had lost some of them were free although the amount was not: an offer held more of them than of GPUs.
#[test]
fn an_agent_that_loses_devices_that_are_held_offers_no_more_than_it_has() {
    let without =
        ["jobs>11", "agents>1", "framework-0", "framework-2", "fault-0", "fault-1", "fault-3", "fault-4"];
    check(1, 45, &without);
    check(1, 98, &[]);
}

/// Nobody pinged a machine that was down, so that its agent stayed registered for ever.
#[test]
fn an_agent_whose_machine_dies_becomes_unreachable() {
    check(1, 219, &["framework-1", "framework-4", "fault-0", "fault-3", "fault-4", "framework-3"]);
}

/// An agent that had said goodbye came back under its old id, and its goodbye was lost on the way.
#[test]
fn an_agent_that_was_shut_down_starts_as_another_one() {
    check(1, 29, &["fault-0", "fault-2", "fault-3", "fault-4"]);
}

/// A task that its master had forgotten ran on: its framework had given it up and took no more notice of it.
#[test]
fn a_task_that_was_given_up_is_killed_when_it_is_told_to_run() {
    check(1, 932, &["fault-1", "fault-2", "fault-4", "flags", "filters", "policies"]);
    check(1, 1824, &["jobs>9", "framework-1", "fault-2", "call-0"]);
    check(2, 1495, &[]); // the master waited for agents and did not answer an order to kill that named none
    check(2, 1338, &["framework-0", "framework-1", "framework-3", "framework-4", "fault-0", "jobs>2"]);
}

/// The master declared an agent unreachable just when the last fault was healed, and from then on its pings were vouched for.
#[test]
fn an_agent_that_its_master_does_not_know_any_more_registers_again() {
    check(1, 1449, &["jobs>0", "framework-1", "fault-0", "fault-1", "fault-4"]);
}

/// An agent that had asked twice to come back was taken back twice, the second time with a task whose end it had forgotten meanwhile.
#[test]
fn a_registration_that_is_repeated_late_leaves_only_tasks_that_are_over() {
    check(2, 333, &[]);
}
