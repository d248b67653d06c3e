//! Telling an answer from the expected one.

use std::collections::BTreeMap;

use mesos::resource::{Resource, Resources};
use serde_json::Value;

use super::{Answer, set};
use crate::ScenarioError;

impl Answer {
    pub(super) fn print(&self) -> String {
        match self {
            Self::Set(set) => set.to_string(),
            Self::Amounts(text) => text.clone(),
            Self::Truth(truth) => truth.to_string(),
        }
    }

    /// The lines that tell this answer from the expected one. Sets are compared resource by resource, in any order, with all
    /// that is said of each.
    pub(super) fn compare(&self, place: &str, expected: &Value) -> Result<Vec<String>, ScenarioError> {
        let wrong = |what: &str| ScenarioError(format!("{place}: `result` is `{expected}`: expected {what}"));
        let (expected, given) = match self {
            Self::Truth(truth) => {
                let expected = expected.as_bool().ok_or_else(|| wrong("true or false"))?;
                (vec![expected.to_string()], vec![truth.to_string()])
            }
            Self::Amounts(text) => {
                let expected = expected.as_str().ok_or_else(|| wrong("text of the form name:number;..."))?;
                (tokens(expected), tokens(text))
            }
            Self::Set(set) => {
                // Numbers beyond what doubles tell apart print to something that reads as a neighbour: first as it stands.
                if diff(written(expected), as_written(set, expected)).is_empty() {
                    return Ok(Vec::new());
                }
                let expected = lines(expected).map_err(|error| wrong(&format!("resources ({error})")))?;
                (expected, entry_lines(set.as_often_as_held()))
            }
        };
        Ok(diff(expected, given))
    }
}

/// The resources of an expected set, as they are written there.
fn written(expected: &Value) -> Vec<String> {
    match expected.as_array() {
        Some(list) => list.iter().map(canonical).collect(),
        None => tokens(expected.as_str().unwrap_or_default()),
    }
}

/// The resources of a set in the form in which the expected ones are written.
fn as_written(set: &Resources, expected: &Value) -> Vec<String> {
    if expected.is_array() {
        let json = |entry: Resource| {
            serde_json::to_value(entry).map_or_else(|error| error.to_string(), |json| canonical(&json))
        };
        set.as_often_as_held().map(json).collect()
    } else {
        entry_lines(set.as_often_as_held())
    }
}

/// JSON with sorted keys, and all numbers as doubles.
fn canonical(json: &Value) -> String {
    match json {
        Value::Object(object) => {
            let sorted: BTreeMap<_, _> = object.iter().collect();
            let fields: Vec<_> =
                sorted.iter().map(|(key, value)| format!("{key:?}:{}", canonical(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Number(number) => {
            number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string())
        }
        Value::Null | Value::Bool(_) | Value::String(_) => json.to_string(),
    }
}

fn tokens(text: &str) -> Vec<String> {
    text.split(';').filter(|token| !token.is_empty()).map(str::to_owned).collect()
}

/// One line for each resource of an expected set, with nothing merged.
fn lines(expected: &Value) -> Result<Vec<String>, String> {
    if expected.is_array() {
        let list: Vec<Resource> =
            serde_json::from_value(expected.clone()).map_err(|error| error.to_string())?;
        Ok(entry_lines(list.into_iter()))
    } else {
        set(expected).map(|set| entry_lines(set.as_often_as_held()))
    }
}

/// As text where text says all of it, else as JSON.
fn entry_lines(entries: impl Iterator<Item = Resource>) -> Vec<String> {
    let line = |entry: Resource| {
        if entry.is_text() {
            entry.to_string()
        } else {
            serde_json::to_string(&entry).unwrap_or_else(|error| error.to_string())
        }
    };
    entries.map(line).collect()
}

fn diff(mut expected: Vec<String>, mut given: Vec<String>) -> Vec<String> {
    expected.retain(|line| match given.iter().position(|other| other == line) {
        Some(place) => {
            given.swap_remove(place);
            false
        }
        None => true,
    });
    expected.sort_unstable();
    given.sort_unstable();
    let marked =
        |mark: &'static str, lines: Vec<String>| lines.into_iter().map(move |line| format!("{mark} {line}"));
    marked("-", expected).chain(marked("+", given)).collect()
}
