//! Scenarios for one sorter: what is done to it step by step, and in which order its clients must come.

mod drive;
mod format;
mod show;

use std::{collections::BTreeMap, fmt::Display};

use mesos::resource::Resources;
use serde_json::Value;

pub use self::show::show;
use self::{
    drive::Session,
    format::{Expected, Scenario, Step},
};
use crate::{Mismatch, ScenarioError, nearest, reading};

/// Drives a sorter through the scenario, and says where its answers differ from the file's. After each step its sums are
/// also compared with what the steps so far add up to.
///
/// # Errors
/// What is wrong with the file, with the step and the key.
pub fn run(scenario: &Value) -> Result<Vec<Mismatch>, ScenarioError> {
    let scenario = read(scenario)?;
    let mut mismatches = Vec::new();
    walk(&scenario, &mut |place, _, diff, _| {
        if !diff.is_empty() {
            mismatches.push(Mismatch { place: place.to_owned(), diff });
        }
    })?;
    Ok(mismatches)
}

fn read(scenario: &Value) -> Result<Scenario, ScenarioError> {
    let scenario: Scenario = reading::read(scenario)?;
    check_rows(&scenario)?;
    Ok(scenario)
}

/// Is handed the place, the step and where its answer differs from the file's.
type Visit<'a> = dyn FnMut(&str, &Step, Vec<String>, &Session) + 'a;

/// Takes the steps one by one.
fn walk(scenario: &Scenario, visit: &mut Visit<'_>) -> Result<(), ScenarioError> {
    let mut session = Session::new(scenario);
    for (number, step) in scenario.steps.iter().enumerate() {
        let place = format!("step {number} ({})", step.op());
        session.step(step).map_err(|why| ScenarioError(format!("{place}: {why}")))?;
        let mut diff = sums_differ(&session);
        for row in rows_of(scenario).filter(|row| row.step == number) {
            check_names(row, &session, &place)?;
            diff.extend(differs(row, &session));
        }
        visit(&place, step, diff, &session);
    }
    Ok(())
}

fn rows_of(scenario: &Scenario) -> impl Iterator<Item = &Expected> {
    scenario.expect.iter().chain(&scenario.asserted)
}

fn check_rows(scenario: &Scenario) -> Result<(), ScenarioError> {
    for row in rows_of(scenario) {
        let number = row.step;
        let step = scenario.steps.get(number).ok_or_else(|| {
            let steps = scenario.steps.len();
            ScenarioError(format!("`expect`: `step`: there is no step {number}: expected less than {steps}"))
        })?;
        if step.op() != "sort" && (row.order.is_some() || row.clients.is_some()) {
            let key = if row.order.is_some() { "order" } else { "clients" };
            let op = step.op();
            return Err(ScenarioError(format!(
                "`expect`: `{key}` of step {number} ({op}): expected at a step `sort` only"
            )));
        }
    }
    Ok(())
}

/// What is said of clients must be of clients that are there.
fn check_names(row: &Expected, session: &Session, place: &str) -> Result<(), ScenarioError> {
    let keys = row.allocation.keys().map(|client| ("allocation", client));
    for (key, client) in keys.chain(row.quantities.keys().map(|client| ("quantities", client))) {
        if !session.contains(client) {
            let nearest = nearest::expected(client, session.clients());
            let message = format!("`expect` of {place}: `{key}`: there is no client `{client}`: {nearest}");
            return Err(ScenarioError(message));
        }
    }
    Ok(())
}

/// Lines that tell the sorter from the ledger.
fn sums_differ(session: &Session) -> Vec<String> {
    let mut diff = Vec::new();
    for client in session.clients() {
        let sum = session.sum_of(std::iter::once(client));
        diff.extend(pair(&format!("sum of {client}"), Some(&sum), session.allocation(client)));
    }
    let sum = session.sum_of(session.clients());
    diff.extend(pair("sum of all", Some(&sum), Some(session.total_allocation())));
    diff
}

/// Lines that tell the sorter from a row of the file.
fn differs(row: &Expected, session: &Session) -> Vec<String> {
    let mut diff = Vec::new();
    let given = session.order.as_ref().map(|order| list(order));
    diff.extend(row.order.as_ref().map(|order| pair("order", Some(&list(order)), given.as_ref())));
    let given = session.order.as_ref().map(|order| sorted(order));
    diff.extend(row.clients.as_ref().map(|clients| pair("clients", Some(&sorted(clients)), given.as_ref())));
    diff.extend(row.count.map(|count| pair("count", Some(&count), Some(&session.len()))));
    for (client, expected) in present(&row.contains, true).chain(present(&row.absent, false)) {
        let what = format!("{client} is a client");
        diff.push(pair(&what, Some(&expected), Some(&session.contains(client))));
    }
    for (client, expected) in &row.allocation {
        diff.push(holdings_differ(client, expected, session.holdings(client)));
    }
    for (client, expected) in &row.quantities {
        diff.push(pair(&format!("quantities of {client}"), Some(&expected.0), session.allocation(client)));
    }
    diff.extend(
        row.total_quantities
            .as_ref()
            .map(|expected| pair("total quantities", Some(&expected.0), Some(session.total_allocation()))),
    );
    diff.concat()
}

fn present(clients: &[String], expected: bool) -> impl Iterator<Item = (&String, bool)> {
    clients.iter().map(move |client| (client, expected))
}

fn holdings_differ(
    client: &str,
    expected: &BTreeMap<String, Resources>,
    given: Option<&BTreeMap<String, Resources>>,
) -> Vec<String> {
    let nothing = BTreeMap::new();
    let given = given.unwrap_or(&nothing);
    let of_file = |agent: &String| expected.get(agent).unwrap_or(&Resources::EMPTY);
    let mut agents: Vec<&String> = expected.keys().chain(given.keys()).collect();
    agents.sort_unstable();
    agents.dedup();
    agents
        .into_iter()
        .flat_map(|agent| {
            let what = format!("allocation of {client} on {agent}");
            pair(&what, Some(of_file(agent)), Some(given.get(agent).unwrap_or(&Resources::EMPTY)))
        })
        .collect()
}

/// Both sides of a value, if they differ.
fn pair<T: PartialEq + Display>(what: &str, expected: Option<&T>, given: Option<&T>) -> Vec<String> {
    if expected == given {
        return Vec::new();
    }
    let text = |value: Option<&T>| value.map_or_else(|| "none".to_owned(), ToString::to_string);
    vec![format!("- {what}: {}", text(expected)), format!("+ {what}: {}", text(given))]
}

fn list(names: &[String]) -> String {
    names.join(" ")
}

fn sorted(names: &[String]) -> String {
    let mut names = names.to_vec();
    names.sort_unstable();
    list(&names)
}
