//! One run of a case under all checkers.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
};

use mesos::{
    effects::Note,
    time::{Span, Time},
};

use super::{
    case::Case,
    panics::{self, Panic},
};
use crate::{
    check::Checkers,
    record::{Observer, Record, RecordHash},
    world::{Ending, World},
};

/// After so many events a run is given up.
const MOST_EVENTS: u64 = 3_000_000;
/// After it is healed a world may go on for so long, step by step, until it is settled.
const STEP: Span = Span::from_secs(1800);
const MOST_STEPS: u32 = 400;

/// How a run ended that went well.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum End {
    /// Healed, and all is quiet: everything was asked.
    Settled,
    /// Tasks still came or ran when time was up.
    Busy,
    /// There were too many events.
    TooManyEvents,
    /// Somebody asked to stop.
    Interrupted,
}

impl End {
    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Busy => "still busy",
            Self::TooManyEvents => "too many events",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What there was in a run.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Events.
    pub events: u64,
    /// Simulated time.
    pub simulated: Span,
    /// Tasks that were launched.
    pub tasks: u64,
    /// How often something went wrong, by what.
    pub faults: BTreeMap<&'static str, u64>,
    hash: RecordHash,
}

impl Tally {
    /// Adds another run.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.simulated = Span(self.simulated.0.saturating_add(other.simulated.0));
        self.tasks += other.tasks;
        for (kind, count) in &other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
    }

    /// The hash of all records.
    #[must_use]
    pub const fn hash(&self) -> u64 {
        self.hash.value()
    }
}

impl Observer for Tally {
    fn observe(&mut self, now: Time, record: &Record<'_>) {
        self.hash.observe(now, record);
        if let Record::Master(Note::Launched { .. }) = record {
            self.tasks += 1;
        } else if let Record::Fault { action, .. } = record {
            *self.faults.entry(action.name()).or_default() += 1;
        }
    }
}

pub(super) fn run(case: &Case, stop: &AtomicBool) -> Result<(End, Tally), Panic> {
    panics::listen();
    catch_unwind(AssertUnwindSafe(|| play(case, stop))).map_err(|_| panics::last())
}

/// Longer than an operator's call takes, and a master's election.
const HEALING: Span = Span::from_secs(120);

fn play(case: &Case, stop: &AtomicBool) -> (End, Tally) {
    let cluster = case.cluster();
    let observer = (Tally::default(), Checkers::new(case.facts()));
    let mut world = World::new(case.setup(&cluster), observer);
    let mut until = Time(case.horizon.0);
    let mut end = go_on(&mut world, until, stop);
    world.heal();
    until = until.max(world.progress().now) + HEALING;
    let ending = go_on(&mut world, until, stop);
    world.heal(); // what the operator had under way at the first time is done by now
    end = end.filter(|end| *end != End::Settled).or(ending);
    if end == Some(End::Settled) {
        end = None; // that was before it was healed
    }
    for _ in 0..MOST_STEPS {
        if end.is_some() {
            break;
        }
        until = until.max(world.progress().now) + STEP;
        end = go_on(&mut world, until, stop).or_else(|| world.is_settled().then_some(End::Settled));
    }
    let end = end.unwrap_or(End::Busy);
    let (progress, is_settled) = (world.progress(), end == End::Settled);
    if is_settled {
        world.assert_agreement();
        world.assert_books_balance();
        world.observer().1.finish(progress.now);
    }
    let (mut tally, _) = world.into_observer();
    (tally.events, tally.simulated) = (progress.events, progress.now.since(Time::ZERO));
    (end, tally)
}

/// Goes on until then, unless nothing more can happen before.
fn go_on(world: &mut World<'_, (Tally, Checkers)>, until: Time, stop: &AtomicBool) -> Option<End> {
    let enough = AtomicBool::new(false);
    let ending = world.run(Some(until), &enough, &mut |progress| {
        enough.store(progress.events > MOST_EVENTS || stop.load(Ordering::Relaxed), Ordering::Relaxed);
    });
    match ending {
        Ending::TimeIsUp => None,
        Ending::Quiet | Ending::Stalled => Some(End::Settled),
        Ending::Interrupted if stop.load(Ordering::Relaxed) => Some(End::Interrupted),
        Ending::Interrupted => Some(End::TooManyEvents),
    }
}
