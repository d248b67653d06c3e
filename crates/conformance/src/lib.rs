//! Scenarios: what is done to the core, and what it must answer.
//!
//! A scenario is a JSON file: steps for an allocator ([`allocator`]), steps for one sorter ([`sorter`]), or cases of the
//! resource algebra ([`resources`]).

pub mod allocator;
pub mod resources;
pub mod sorter;

mod nearest;
mod reading;

use mesos::allocator::{Allocator, AllocatorOptions};
use serde_json::Value;

use self::allocator::AllocatorScenario;

/// One answer that is not the expected one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Where in the file: `step 12 (advance)`, `case 3 (subtract)`.
    pub place: String,
    /// Lines that tell expected and given apart, as in a diff: `- ` expected only, `+ ` given only.
    pub diff: Vec<String>,
}

/// Why a file is no scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScenarioError(pub String);

/// What a file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Steps for an allocator.
    Allocator,
    /// Steps for one sorter.
    Sorter,
    /// Cases of the resource algebra.
    Resources,
}

impl Kind {
    /// What kind of scenario a JSON value is: `cases` are those of the resource algebra; only the options of a sorter have
    /// the key `sorter`, and only a sorter has clients.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let option = value.get("options").is_some_and(|options| options.get("sorter").is_some());
        let mut steps = value.get("steps").and_then(Value::as_array).into_iter().flatten();
        if value.get("cases").is_some() {
            Self::Resources
        } else if option || steps.any(|step| step.get("client").is_some()) {
            Self::Sorter
        } else {
            Self::Allocator
        }
    }
}

/// Makes an allocator with these options, which must visit agents in ascending order.
pub type MakeAllocator<'a> = dyn FnMut(AllocatorOptions) -> Box<dyn Allocator> + 'a;

/// A scenario that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What it was about.
    pub kind: Kind,
    /// Where the answers differ from the file's; none: nowhere.
    pub mismatches: Vec<Mismatch>,
}

impl Outcome {
    /// Whether every answer is the expected one.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.mismatches.is_empty()
    }
}

/// Runs a scenario of any kind, given as the text of its file.
///
/// # Errors
/// A text that is no scenario, with the place where it goes wrong.
pub fn run(text: &str, make: &mut MakeAllocator<'_>) -> Result<Outcome, ScenarioError> {
    let value = reading::parse(text)?;
    let kind = Kind::of(&value);
    let mismatches = match kind {
        Kind::Allocator => allocator::run(&AllocatorScenario::read(&value)?, make),
        Kind::Sorter => sorter::run(&value)?,
        Kind::Resources => resources::run(&value)?,
    };
    Ok(Outcome { kind, mismatches })
}

/// What happens in a scenario of any kind, step by step, as a text to be read.
///
/// # Errors
/// As [`run`].
pub fn show(text: &str, make: &mut MakeAllocator<'_>) -> Result<String, ScenarioError> {
    let value = reading::parse(text)?;
    match Kind::of(&value) {
        Kind::Allocator => Ok(allocator::show(&AllocatorScenario::read(&value)?, make)),
        Kind::Sorter => sorter::show(&value),
        Kind::Resources => resources::show(&value),
    }
}
