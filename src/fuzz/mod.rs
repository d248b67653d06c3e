//! The fuzzer: draws a whole data centre from a number (machines, frameworks, work, policies, flags, delays, faults, an
//! operator's whims), runs it under all checkers, and makes what fails smaller.

mod build;
mod case;
mod dice;
mod panics;
mod run;
mod shrink;
mod trouble;

use std::sync::atomic::AtomicBool;

use case::Case;
pub use case::CaseId;
pub use panics::Panic;
pub use run::{End, Tally};

/// One in so many cases is run twice, to see whether it comes out the same.
const TWICE: u64 = 10;

/// A case that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which.
    pub case: CaseId,
    /// What can be left out of it: it still fails in the same place.
    pub without: Vec<String>,
    /// How it fails then.
    pub panic: Panic,
}

impl Failure {
    /// The command that shows it again.
    #[must_use]
    pub fn command(&self) -> String {
        let without = self.without.join(",");
        let without = if without.is_empty() { String::new() } else { format!(" --without '{without}'") };
        format!("mesosim fuzz --case {}{without}", self.case)
    }
}

/// Runs a case, without some of it; one in ten twice.
///
/// # Errors
/// How it fails.
///
/// # Panics
/// If `without` names something that no case has.
pub fn run(id: CaseId, without: &[String], stop: &AtomicBool) -> Result<(End, Tally), Panic> {
    let case = reduced(id, without);
    let (end, tally) = run::run(&case, stop)?;
    if id.number.is_multiple_of(TWICE) && end != End::Interrupted {
        let (again, other) = run::run(&case, stop)?;
        if again != End::Interrupted && tally.hash() != other.hash() {
            let message = format!("twice not the same: {:016x} and {:016x}", tally.hash(), other.hash());
            return Err(Panic { location: "twice".into(), message });
        }
    }
    Ok((end, tally))
}

/// Makes a case that failed smaller.
#[must_use]
pub fn shrink(id: CaseId, panic: Panic, stop: &AtomicBool) -> Failure {
    let (without, panic) = shrink::shrink(&reduced(id, &[]), panic, stop);
    Failure { case: id, without, panic }
}

/// Names in a list that no case has.
#[must_use]
pub fn unknown_reduction(id: CaseId, without: &[String]) -> Option<String> {
    let case = Case::draw(id);
    without.iter().find(|name| case.without(name).is_none()).cloned()
}

/// What a case is made of, in a few words.
#[must_use]
pub fn describe(id: CaseId, without: &[String]) -> String {
    let case = reduced(id, without);
    let cluster = case.cluster();
    let mut text =
        format!("{} machines, jobs by framework {:?}, {:?}\n", case.agents, case.jobs, case.facts());
    for &number in &case.faults {
        text += &format!("  fault-{number}: {:?}\n", trouble::fault(&case, number, &cluster));
    }
    for &number in &case.calls {
        text += &format!("  call-{number}: {:?}\n", trouble::call(&case, number, &cluster));
    }
    text
}

fn reduced(id: CaseId, without: &[String]) -> Case {
    without.iter().fold(Case::draw(id), |case, name| {
        case.without(name).unwrap_or_else(|| panic!("no case has anything called `{name}`"))
    })
}
