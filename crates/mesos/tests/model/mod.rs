//! Two allocators in one random world: what is said to both, and whether they answer the same.

mod cluster;
mod convert;
mod invariants;
mod json;
mod op;
mod pick;
mod report;
mod world;

use std::{
    collections::BTreeMap,
    panic::{self, AssertUnwindSafe},
};

use mesos::{
    allocator::{Allocation, Allocations, Allocator, AllocatorOptions, InverseOffer},
    id::{AgentId, FrameworkId, RoleId},
    resource::Resources,
    time::{Span, Time},
};

use crate::naive::NaiveAllocator;
use invariants::Before;
use op::Op;
use pick::Pick;
use report::Report;
use world::World;
pub(crate) use world::{KINDS, Kind};

/// The roles that there are, the simplest first.
pub(crate) const ROLES: [&str; 7] = ["a", "b", "a/x", "c", "a/y", "a/x/z", "*"];

/// A random case, as numbers: what is said depends on what the allocators did before.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) common: [u16; 8],
    pub(crate) steps: Vec<(Kind, [u16; 8])>,
}

/// How to make the allocator that is compared with the naive one.
pub(crate) type Make = fn(AllocatorOptions) -> Box<dyn Allocator>;

struct Pair {
    naive: NaiveAllocator,
    fast: Box<dyn Allocator>,
    world: World,
    report: Report,
}

/// Runs a case.
///
/// # Errors
/// The steps as a scenario, and what the allocators answered differently to the last one, or what the naive one did that
/// no allocator may do.
pub(crate) fn run(case: &Case, make: Make) -> Result<(), String> {
    let common = cluster::common(&mut Pick::new(case.common));
    let mut naive = NaiveAllocator::new(common.options.clone());
    let mut fast = make(common.options.clone());
    for role in ROLES {
        let same = naive.role(role) == fast.role(role);
        assert!(same, "both number roles in the order in which they are named");
    }
    let report = Report::new(&common);
    let mut pair = Pair { naive, fast, world: World::new(common), report };
    for (kind, numbers) in &case.steps {
        let Some(op) = pair.world.choose(*kind, &mut Pick::new(*numbers), &pair.naive) else { continue };
        pair.report.step(&op);
        let goes_on = pair.world.common.batches && numbers[7] % 2 == 1;
        let step = panic::catch_unwind(AssertUnwindSafe(|| pair.step(&op, goes_on)));
        let step = step.unwrap_or_else(|panic| Err(format!("panicked: {}", words_of(&*panic))));
        step.map_err(|difference| pair.report.failure(&difference))?;
    }
    Ok(())
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}

impl Pair {
    /// With `goes_on` what was asked for is run later, but before time passes or allocations are stopped.
    fn step(&mut self, op: &Op, goes_on: bool) -> Result<(), String> {
        if matches!(op, Op::Advance(_) | Op::Pause) {
            self.run_triggered()?;
        }
        if let Op::Advance(span) = op {
            self.advance(*span)?;
        } else {
            let now = self.world.now;
            let taken = [op.say_to(&mut self.naive, now), op.say_to(&mut *self.fast, now)];
            if taken[0] != taken[1] {
                return Err(format!("taken: naive {}, fast {}", taken[0], taken[1]));
            }
            self.world.done(op);
            if !goes_on {
                self.run_triggered()?;
            }
        }
        self.compare_state()
    }

    fn run_triggered(&mut self) -> Result<(), String> {
        let now = self.world.now;
        self.allocate(now, |allocator, out| allocator.run_triggered(now, out), true)
    }

    /// Time passes; at every multiple of the interval the naive allocator allocates, the fast one too unless it says that
    /// there is nothing to do.
    fn advance(&mut self, span: Span) -> Result<(), String> {
        let interval = self.world.common.options.allocation_interval.0;
        let (start, end) = (self.world.now, self.world.now + span);
        for multiple in start.0 / interval + 1..=end.0 / interval {
            let tick = Time(multiple * interval);
            self.report.tick(tick);
            let fast_too = !self.world.common.lazy || self.wakes_at(tick)?;
            self.world.now = tick;
            self.allocate(tick, |allocator, out| allocator.handle_timeout(tick, out), fast_too)?;
        }
        self.world.now = end;
        Ok(())
    }

    /// Whether the fast allocator wants to be woken then; times before that it wants give nothing.
    fn wakes_at(&mut self, tick: Time) -> Result<bool, String> {
        let mut now = self.world.now;
        while let Some(next) = self.fast.next_timeout(now) {
            if next >= tick {
                return Ok(next == tick);
            }
            if next <= now {
                return Err(format!("at {now:?} next_timeout is {next:?}"));
            }
            let mut out = Allocations::default();
            self.fast.handle_timeout(next, &mut out);
            if out != Allocations::default() {
                return Err(format!(
                    "fast allocates at {next:?}, between two multiples of the interval: {out:?}"
                ));
            }
            now = next;
        }
        Ok(false)
    }

    fn allocate(
        &mut self,
        now: Time,
        allocate: impl Fn(&mut dyn Allocator, &mut Allocations),
        fast_too: bool,
    ) -> Result<(), String> {
        let before = Before::of(&self.naive, &self.world);
        let (mut naive, mut fast) = (Allocations::default(), Allocations::default());
        allocate(&mut self.naive, &mut naive);
        if fast_too {
            allocate(&mut *self.fast, &mut fast);
        }
        self.report.made(&naive);
        same("offers", &offers(&naive), &offers(&fast))?;
        same("inverse offers", &inverse_offers(&naive), &inverse_offers(&fast))?;
        before.check(&self.naive, &naive, now)?;
        self.world.offered(&naive.offers);
        invariants::check_books(&self.naive, &self.world)
    }

    /// What can be asked of both.
    fn compare_state(&mut self) -> Result<(), String> {
        let now = self.world.now;
        for name in ROLES {
            let (role, fast_role) = (self.naive.role(name), self.fast.role(name));
            let shares = [self.naive.dominant_share(role), self.fast.dominant_share(fast_role)];
            same(&format!("dominant share of {name}"), &shares[0], &shares[1])?;
            let filters =
                [self.naive.filters_in_force(role, now), self.fast.filters_in_force(fast_role, now)];
            same(&format!("filters of {name}"), &filters[0], &filters[1])?;
        }
        same("cluster", &self.naive.cluster_quantities(), &self.fast.cluster_quantities())
    }
}

type Offers = BTreeMap<(FrameworkId, RoleId, AgentId), Vec<Resources>>;

fn offers(made: &Allocations) -> Offers {
    let mut offers = Offers::new();
    for Allocation { framework, role, agent, resources } in &made.offers {
        offers.entry((*framework, *role, *agent)).or_default().push(resources.unallocate());
    }
    offers
}

fn inverse_offers(made: &Allocations) -> Vec<InverseOffer> {
    let mut offers = made.inverse_offers.clone();
    offers.sort_by_key(|offer| (offer.framework, offer.agent));
    offers
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, naive: &T, fast: &T) -> Result<(), String> {
    if naive == fast { Ok(()) } else { Err(format!("{what}:\n  naive {naive:?}\n  fast  {fast:?}")) }
}
