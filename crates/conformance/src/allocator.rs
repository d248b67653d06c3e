//! Scenarios for an allocator: what is done to it step by step, and which offers it must make.

mod check;
mod compare;
mod drive;
mod format;
mod ledger;
mod plain;
mod show;
mod step;
mod value;
mod words;

use mesos::time::Time;
use serde_json::Value;

use self::{
    compare::{assertion_fails, inverse_offers_differ, offers_differ},
    drive::{Answer, Session},
    step::Step,
};
pub use self::{format::AllocatorScenario, show::show};
use crate::{MakeAllocator, Mismatch, ScenarioError, reading};

impl AllocatorScenario {
    /// Reads a scenario, and checks that its steps make sense one after the other.
    ///
    /// # Errors
    /// What is wrong, with the step and the key.
    pub fn read(value: &Value) -> Result<Self, ScenarioError> {
        let scenario: Self = reading::read(value)?;
        check::check(&scenario)?;
        Ok(scenario)
    }
}

/// Drives the allocator that `make` makes through the scenario, and says where its answers differ from the file's.
///
/// It must visit agents in [ascending](mesos::allocator::Ascending) order, as the recorded one does.
pub fn run(scenario: &AllocatorScenario, make: &mut MakeAllocator<'_>) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    walk(scenario, make, &mut |taken, _| {
        if !taken.diff.is_empty() {
            let place = format!("step {} {}", taken.number, taken.step.headline());
            mismatches.push(Mismatch { place, diff: taken.diff.clone() });
        }
    });
    mismatches
}

/// A step that was taken.
struct Taken<'a> {
    number: usize,
    step: &'a Step,
    /// When it began.
    start: Time,
    answer: &'a Answer,
    /// Where the answer differs from the file's; empty: nowhere.
    diff: Vec<String>,
}

/// Takes the steps one by one. One that cannot be done is the last.
fn walk<'a>(
    scenario: &'a AllocatorScenario,
    make: &mut MakeAllocator<'_>,
    visit: &mut dyn FnMut(&Taken<'_>, &mut Session<'a>),
) -> Session<'a> {
    let mut session = Session::new(scenario, make);
    let mut answers: Vec<Answer> = Vec::new();
    for (number, step) in scenario.steps.iter().enumerate() {
        let start = session.now;
        answers.push(session.step(step));
        let answer = &answers[number];
        let diff = match &answer.impossible {
            Some(why) => vec![format!("+ {why}"), "  the rest of the scenario was not run".to_owned()],
            None => {
                let mut diff = differs_from_expect(scenario, number, answer);
                diff.extend(differs_from_asserted(scenario, number, &answers, &mut session));
                diff
            }
        };
        visit(&Taken { number, step, start, answer, diff }, &mut session);
        if answer.impossible.is_some() {
            break;
        }
    }
    session
}

/// Against the row of `expect`; a step without row must bring nothing. A file without `expect` expects nothing at all.
fn differs_from_expect(scenario: &AllocatorScenario, number: usize, answer: &Answer) -> Vec<String> {
    let Some(rows) = &scenario.expect else { return Vec::new() };
    let row = rows.iter().find(|row| row.step == number);
    let (offers, inverse_offers) =
        row.map_or((&[][..], &[][..]), |row| (&row.offers[..], &row.inverse_offers[..]));
    let offers = offers_differ(offers, &answer.offers);
    offers.into_iter().chain(inverse_offers_differ(inverse_offers, answer)).flatten().collect()
}

/// Against the rows of `asserted` whose last step this is.
fn differs_from_asserted(
    scenario: &AllocatorScenario,
    number: usize,
    answers: &[Answer],
    session: &mut Session<'_>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for row in scenario.asserted.iter().flatten() {
        let steps = row.steps().unwrap_or_default();
        if steps.iter().max() == Some(&number) {
            let taken: Vec<&Answer> = steps.iter().map(|step| &answers[*step]).collect();
            lines.extend(assertion_fails(row, &taken, session));
        }
    }
    lines
}
