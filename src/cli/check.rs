//! `mesosim check`.

use std::{process::ExitCode, sync::atomic::Ordering};

use super::{CommandError, ExperimentArguments, stop_at_interrupt};
use crate::experiment::twice::Comparison;

#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    experiment: ExperimentArguments,
    /// Run each cell twice and compare them record by record
    #[arg(long)]
    twice: bool,
}

pub(super) fn check(arguments: &CheckArguments) -> Result<ExitCode, CommandError> {
    let prepared = arguments.experiment.prepare()?;
    let stop = stop_at_interrupt();
    let mut failed = false;
    for cell in prepared.cells() {
        let name = format!("{} seed {}", prepared.experiment.policy[cell.policy].name, cell.seed);
        if arguments.twice {
            failed |= !compare(&name, &prepared.twice(cell, &stop));
        } else {
            let outcome = prepared.simulate(cell, &stop, &mut |_| {});
            if !stop.load(Ordering::Relaxed) {
                println!(
                    "{name}: the books balance on every agent, record hash {:016x}",
                    outcome.hash.value()
                );
            }
        }
        if stop.load(Ordering::Relaxed) {
            println!("Interrupted.");
            return Ok(ExitCode::from(130));
        }
    }
    Ok(ExitCode::from(u8::from(failed)))
}

/// Prints how two runs compare, and says whether they are the same.
fn compare(name: &str, comparison: &Comparison) -> bool {
    match comparison {
        Comparison::Same { hash, records } => {
            println!("{name}: twice the same, {records} records, record hash {hash:016x}");
        }
        Comparison::Different { record, lines: [first, second] } => {
            println!("{name}: NOT the same; the first record that differs is number {record}");
            println!("  first run:  {first}\n  second run: {second}");
        }
        Comparison::Interrupted => {}
    }
    !matches!(comparison, Comparison::Different { .. })
}
