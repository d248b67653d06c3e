//! What was run, as pairs of a name and a value.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::report::load::{Results, WHOLE_CLUSTER};
use crate::report::units::{count, duration, resource_name, resource_unit, three_digits};

/// A name and a value.
#[derive(Debug, Serialize, PartialEq)]
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
}

fn fact(name: impl Into<String>, value: impl Into<String>) -> Fact {
    Fact { name: name.into(), value: value.into() }
}

/// Policies, seeds, jobs, cluster and length of the runs.
pub(super) fn of_experiment(results: &Results) -> Vec<Fact> {
    let mut facts = vec![fact("Policies", results.policies.join(", ")), fact("Seeds", seeds(results))];
    facts.push(fact("Jobs in each run", range(results, count, |run| run.jobs.counts.total as f64)));
    facts.push(fact("Cluster", capacity(results)));
    facts.push(fact("Simulated time", range(results, duration, |run| run.manifest.simulated_seconds)));
    facts.push(fact("Events", range(results, count, |run| run.manifest.events as f64)));
    if results.runs.iter().all(|run| run.manifest.records.is_some()) {
        facts.push(fact("Records", range(results, count, |run| run.manifest.records.unwrap_or(0) as f64)));
    }
    facts.push(fact("Bin of the timelines", range(results, duration, |run| run.manifest.bin_seconds)));
    facts
}

fn seeds(results: &Results) -> String {
    let mut seeds: Vec<u64> = results.runs.iter().map(|run| run.summary.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// One value if all runs say the same, else from the least to the most.
fn range(
    results: &Results,
    say: fn(f64) -> String,
    value: impl Fn(&crate::report::load::Run) -> f64,
) -> String {
    let values = || results.runs.iter().map(&value);
    let least = say(values().fold(f64::INFINITY, f64::min));
    let most = say(values().fold(f64::NEG_INFINITY, f64::max));
    if least == most { least } else { format!("{least} to {most}") }
}

/// The largest capacity of each resource that the first run saw.
fn capacity(results: &Results) -> String {
    let run = &results.runs[0];
    let of_resource = |resource: &String| {
        let series = run.timeline.find(resource, WHOLE_CLUSTER)?;
        let most = series.bins.iter().map(|bin| bin.total).fold(0.0, f64::max);
        let (unit, divisor) = resource_unit(resource, most);
        let (amount, name) = (three_digits(most / divisor), resource_name(resource));
        Some(if unit == name {
            format!("{amount} {name}")
        } else {
            format!("{amount} {unit} {}", name.to_lowercase())
        })
    };
    results.resources().iter().filter_map(of_resource).collect::<Vec<_>>().join(", ")
}

/// The facts of a JSON object whose form is not known: inner objects are named with a dot.
pub(super) fn facts_of(object: &Map<String, Value>) -> Vec<Fact> {
    let mut facts = Vec::new();
    collect(object, "", &mut facts);
    facts
}

fn collect(object: &Map<String, Value>, prefix: &str, facts: &mut Vec<Fact>) {
    for (key, value) in object {
        let name = format!("{prefix}{}", key.replace('_', " "));
        if let Value::Object(inner) = value {
            collect(inner, &format!("{name}, "), facts);
        } else {
            facts.push(fact(name, in_words(value)));
        }
    }
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_u64() {
            Some(whole) => count(whole as f64),
            None => number.to_string(),
        },
        Value::Array(values) => values.iter().map(in_words).collect::<Vec<_>>().join(", "),
        Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_an_unknown_form_are_flattened_in_their_order() {
        let value =
            serde_json::json!({"rows": 8152, "rejected_rows": {"no_runtime": 3}, "files": ["a", "b"]});
        let facts = facts_of(value.as_object().expect("an object"));
        let said: Vec<String> = facts.iter().map(|fact| format!("{}: {}", fact.name, fact.value)).collect();
        assert_eq!(said, ["rows: 8,152", "rejected rows, no runtime: 3", "files: a, b"]);
    }
}
