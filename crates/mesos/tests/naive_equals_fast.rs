//! The fast allocator does what the plain one does, whatever is said to both.
//!
//! `PROPTEST_CASES` says how many cases are tried, `PROPTEST_RNG_SEED` which.

mod model;
mod naive;

use mesos::allocator::{Allocator, Ascending, HierarchicalAllocator};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestError, TestRunner},
};

use model::{Case, KINDS, Kind};

/// Few without optimisation, where the plain allocator takes its time.
const CASES: u32 = if cfg!(debug_assertions) { 400 } else { 5000 };
const SEED: u64 = 1;

fn kind() -> impl Strategy<Value = Kind> {
    let sum = KINDS.iter().map(|(weight, _)| weight).sum::<u32>();
    (0..sum).prop_map(|mut number| {
        for (weight, kind) in KINDS {
            if number < weight {
                return kind;
            }
            number -= weight;
        }
        Kind::Advance
    })
}

fn case() -> impl Strategy<Value = Case> {
    let numbers = || prop::array::uniform8(any::<u16>());
    let some = |kind| prop::collection::vec((Just(kind), numbers()), 1..5);
    let start = (some(Kind::AddAgent), some(Kind::AddFramework));
    let then = prop::collection::vec((kind(), numbers()), 1..50);
    (numbers(), start, then).prop_map(|(common, (agents, frameworks), then)| {
        let steps = agents.into_iter().chain(frameworks).chain(then).collect();
        Case { common, steps }
    })
}

#[test]
fn the_fast_allocator_does_what_the_naive_one_does() {
    let mut config = Config { failure_persistence: None, max_shrink_iters: 3_000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(SEED);
    }
    let make =
        |options| Box::new(HierarchicalAllocator::new(options, Box::new(Ascending))) as Box<dyn Allocator>;
    let result =
        TestRunner::new(config).run(&case(), |case| model::run(&case, make).map_err(TestCaseError::fail));
    match result {
        Ok(()) => {}
        Err(TestError::Fail(failure, _)) => panic!("{failure}"),
        Err(TestError::Abort(reason)) => panic!("gave up: {reason}"),
    }
}
