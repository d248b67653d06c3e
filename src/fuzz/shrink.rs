//! Makes a failing case smaller, as long as it fails in the same place.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{case::Case, panics::Panic, run::run};

/// Leaves out what can be, one thing after the other, until nothing more can. Gives what was left out, and how it fails then.
pub(super) fn shrink(case: &Case, panic: Panic, stop: &AtomicBool) -> (Vec<String>, Panic) {
    let (mut case, mut panic, mut without) = (case.clone(), panic, Vec::new());
    loop {
        let before = without.len();
        for name in case.reductions() {
            if stop.load(Ordering::Relaxed) {
                return (without, panic);
            }
            let Some(smaller) = case.without(&name).filter(|smaller| *smaller != case) else { continue };
            if let Err(other) = run(&smaller, stop)
                && other.location == panic.location
            {
                (case, panic) = (smaller, other);
                without.push(name);
            }
        }
        if without.len() == before {
            return (tidied(without), panic);
        }
    }
}

/// Of several bounds for one thing only the last counts.
fn tidied(names: Vec<String>) -> Vec<String> {
    let bound = |name: &str| name.split_once('>').map(|(what, _)| what.to_owned());
    let mut kept: Vec<String> = Vec::new();
    for name in names {
        if let Some(what) = bound(&name) {
            kept.retain(|other| bound(other).as_ref() != Some(&what));
        }
        kept.push(name);
    }
    kept
}
