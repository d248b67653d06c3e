//! `mesosim fuzz`.

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::{CommandError, complain, stop_at_interrupt};
use crate::{
    fuzz::{self, CaseId, End, Panic, Tally},
    report::units::{count, duration},
};

#[derive(Debug, clap::Args)]
pub(super) struct FuzzArguments {
    /// The number from which all cases are drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many cases to run
    #[arg(long, value_name = "M", default_value_t = 200, conflicts_with_all = ["minutes", "case"])]
    runs: u64,
    /// Run cases for so long instead
    #[arg(long, value_name = "X", conflicts_with = "case")]
    minutes: Option<f64>,
    /// Run only this case, and say what it consists of
    #[arg(long, value_name = "SEED:NUMBER")]
    case: Option<CaseId>,
    /// What to leave out of it
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "case")]
    without: Vec<String>,
}

/// So many cases are given out at once; the time is looked at in between.
const BATCH: u64 = 16;
/// After so many failures the hunt is over.
const MOST_FAILURES: usize = 5;

/// What was found so far.
#[derive(Default)]
struct Found {
    runs: u64,
    tally: Tally,
    ends: BTreeMap<End, u64>,
    failures: usize,
}

pub(super) fn fuzz(arguments: &FuzzArguments) -> Result<ExitCode, CommandError> {
    let stop = stop_at_interrupt();
    if let Some(case) = arguments.case {
        return Ok(one(case, &arguments.without, &stop));
    }
    let (began, bar) = (Instant::now(), bar(arguments));
    let mut found = Found::default();
    let mut next = 0;
    while !is_enough(arguments, next, began)
        && found.failures < MOST_FAILURES
        && !stop.load(Ordering::Relaxed)
    {
        let most = if arguments.minutes.is_some() { u64::MAX } else { arguments.runs };
        let batch: Vec<CaseId> = (next..most.min(next.saturating_add(BATCH)))
            .map(|number| CaseId { seed: arguments.seed, number })
            .collect();
        next += batch.len() as u64;
        let results: Vec<_> = batch.into_par_iter().map(|case| (case, fuzz::run(case, &[], &stop))).collect();
        for (case, result) in results {
            found.take(case, result, &bar, &stop);
        }
        bar.set_position(next);
    }
    bar.finish_and_clear();
    found.say(began.elapsed());
    Ok(match (found.failures, stop.load(Ordering::Relaxed)) {
        (0, true) => ExitCode::from(130),
        (0, false) => ExitCode::SUCCESS,
        (_, _) => ExitCode::from(1),
    })
}

fn is_enough(arguments: &FuzzArguments, next: u64, began: Instant) -> bool {
    match arguments.minutes {
        Some(minutes) => began.elapsed().as_secs_f64() > minutes * 60.0,
        None => next >= arguments.runs,
    }
}

fn bar(arguments: &FuzzArguments) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos} cases, {elapsed}")
        .expect("a constant template");
    let bar = match arguments.minutes {
        Some(_) => ProgressBar::new_spinner(),
        None => ProgressBar::new(arguments.runs),
    };
    bar.with_style(style).with_prefix(format!("seed {}", arguments.seed))
}

/// Runs one case and tells all about it.
fn one(case: CaseId, without: &[String], stop: &AtomicBool) -> ExitCode {
    if let Some(name) = fuzz::unknown_reduction(case, without) {
        complain(format_args!("Error: no case has anything called `{name}`"));
        return ExitCode::from(2);
    }
    say!("{}", fuzz::describe(case, without));
    match fuzz::run(case, without, stop) {
        Ok((end, tally)) => {
            say!("case {case}: {}, {}, hash {:016x}", end.name(), figures(&tally), tally.hash());
            ExitCode::SUCCESS
        }
        Err(panic) => {
            say!("case {case} fails at {}:\n  {}", panic.location, panic.message);
            ExitCode::from(1)
        }
    }
}

impl Found {
    fn take(
        &mut self,
        case: CaseId,
        result: Result<(End, Tally), Panic>,
        bar: &ProgressBar,
        stop: &AtomicBool,
    ) {
        match result {
            Ok((end, tally)) => {
                self.runs += 1;
                self.tally.add(&tally);
                *self.ends.entry(end).or_default() += 1;
                match end {
                    End::Settled | End::Interrupted => {}
                    End::Busy | End::TooManyEvents => {
                        bar.suspend(|| say!("case {case}: {}, {}", end.name(), figures(&tally)));
                    }
                }
            }
            Err(panic) => {
                self.failures += 1;
                let failure = fuzz::shrink(case, panic, stop);
                let (location, message) = (&failure.panic.location, &failure.panic.message);
                bar.suspend(|| say!("{}\n  fails at {location}:\n  {message}", failure.command()));
            }
        }
    }

    fn say(&self, wall: Duration) {
        say!("{} cases passed in {:.0} s, {} failed", self.runs, wall.as_secs_f64(), self.failures);
        say!("  {}", figures(&self.tally));
        for (end, runs) in &self.ends {
            say!("  {:18} {runs}", end.name());
        }
        for (kind, times) in &self.tally.faults {
            say!("  {kind:22} {times}");
        }
    }
}

fn figures(tally: &Tally) -> String {
    let (events, tasks) = (count(tally.events as f64), count(tally.tasks as f64));
    format!("{events} events, {} simulated, {tasks} tasks launched", duration(tally.simulated.as_secs_f64()))
}
