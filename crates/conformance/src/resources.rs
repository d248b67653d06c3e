//! Cases of the resource algebra: sets and quantities go in, sets, quantities or yes and no come out.
//!
//! A file is `{"name", "about", "source", "cases": [...]}`, a case `{"op", "left", "right", "result"}`, with `error` in place
//! of `result` where the input must be refused.

mod compare;
mod show;

use mesos::resource::{Resource, ResourceLimits, ResourceOperation, Resources, parse_quantities};
use serde_json::Value;

pub use self::show::show;
use crate::{Mismatch, ScenarioError, nearest::nearest};

/// What a case may ask for.
const OPS: [&str; 30] = [
    "add",
    "all_quantities_of",
    "allocatable_to",
    "apply",
    "contains",
    "contains_quantities",
    "equal",
    "limits_contain_quantities",
    "limits_contains",
    "limits_parse",
    "limits_subtract",
    "non_revocable",
    "non_shared",
    "parse",
    "quantities_add",
    "quantities_contains",
    "quantities_equal",
    "quantities_of",
    "quantities_parse",
    "quantities_subtract",
    "reserved",
    "reserved_to",
    "revocable",
    "scalars",
    "shared",
    "shrink_to_limits",
    "shrink_to_quantities",
    "subtract",
    "to_unreserved",
    "unreserved",
];

/// What a case may hold.
const KEYS: [&str; 6] = ["op", "left", "right", "result", "error", "about"];

/// What the core answers.
enum Answer {
    Set(Resources),
    /// Quantities or limits: `name:amount`, in no order.
    Amounts(String),
    Truth(bool),
}

/// How many cases a file has.
///
/// # Errors
/// When it has no list of cases.
pub fn count(scenario: &Value) -> Result<usize, ScenarioError> {
    cases(scenario).map(Vec::len)
}

/// Runs all cases of a file against the core and says where it answers something else.
///
/// # Errors
/// When the file is not of the form described above: the case, the key and what was expected are named.
pub fn run(scenario: &Value) -> Result<Vec<Mismatch>, ScenarioError> {
    let mut mismatches = Vec::new();
    for (place, case) in cases(scenario)?.iter().enumerate() {
        let place = format!("case {place}");
        check_keys(&place, case)?;
        let op = text(&place, case, "op")?;
        let place = format!("{place} ({op})");
        let diff = run_case(&place, op, case)?;
        if !diff.is_empty() {
            mismatches.push(Mismatch { place, diff });
        }
    }
    Ok(mismatches)
}

fn cases(scenario: &Value) -> Result<&Vec<Value>, ScenarioError> {
    let cases = scenario.get("cases").and_then(Value::as_array);
    cases.ok_or_else(|| ScenarioError("`cases` is missing: expected a list of cases".to_owned()))
}

fn check_keys(place: &str, case: &Value) -> Result<(), ScenarioError> {
    let object = case.as_object();
    let object = object.ok_or_else(|| ScenarioError(format!("{place}: expected an object, not `{case}`")))?;
    match object.keys().find(|key| !KEYS.contains(&key.as_str())) {
        Some(key) => Err(unknown(place, "key", key, &KEYS)),
        None => Ok(()),
    }
}

fn unknown(place: &str, what: &str, word: &str, words: &[&str]) -> ScenarioError {
    let meant = nearest(word, words.iter().copied());
    let meant = meant.map_or_else(
        || format!("expected one of {}", words.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    ScenarioError(format!("{place}: unknown {what} `{word}`: {meant}"))
}

/// The lines that tell expected and given apart; none if the answer is right.
fn run_case(place: &str, op: &str, case: &Value) -> Result<Vec<String>, ScenarioError> {
    let answer = answer(place, op, case)?;
    match (case.get("result"), case.get("error"), answer) {
        (None, Some(_), Err(_)) => Ok(Vec::new()),
        (None, Some(error), Ok(answer)) => {
            Ok(vec![format!("- error {error}"), format!("+ {}", answer.print())])
        }
        (Some(result), None, Err(error)) => Ok(vec![format!("- {result}"), format!("+ error {error}")]),
        (Some(result), None, Ok(answer)) => answer.compare(place, result),
        (Some(_), Some(_), _) => {
            Err(ScenarioError(format!("{place}: has both `result` and `error`, expected one")))
        }
        (None, None, _) => {
            Err(ScenarioError(format!("{place}: has neither `result` nor `error`, expected one")))
        }
    }
}

/// What the core says; `Err` inside where it refuses the input.
fn answer(place: &str, op: &str, case: &Value) -> Result<Result<Answer, String>, ScenarioError> {
    let left = || operand(place, case, "left");
    let right = || operand(place, case, "right");
    let word = |key| text(place, case, key);
    let view = |part: fn(&Resources) -> Resources| Ok(set(left()?).map(|set| Answer::Set(part(&set))));
    match op {
        "parse" => view(Clone::clone),
        "reserved" => view(Resources::reserved),
        "unreserved" => view(Resources::unreserved),
        "revocable" => view(Resources::revocable),
        "non_revocable" => view(Resources::non_revocable),
        "shared" => view(Resources::shared),
        "non_shared" => view(Resources::non_shared),
        "scalars" => view(Resources::scalars),
        "to_unreserved" => view(Resources::to_unreserved),
        "add" | "subtract" | "contains" | "equal" => Ok(of_two_sets(op, left()?, right()?)),
        "allocatable_to" => {
            let role = word("right")?;
            Ok(set(left()?).map(|set| Answer::Set(set.allocatable_to(role))))
        }
        "reserved_to" => {
            let role = word("right")?;
            Ok(set(left()?).map(|set| Answer::Set(set.reserved_to(role))))
        }
        "apply" => Ok(applied(left()?, right()?)),
        "shrink_to_quantities" | "contains_quantities" => Ok(with_quantities(op, left()?, word("right")?)),
        "shrink_to_limits" => Ok(shrunk_to_limits(left()?, word("right")?)),
        "quantities_of" => Ok(set(left()?).map(|set| Answer::Amounts(set.quantities().to_string()))),
        "all_quantities_of" => Ok(set(left()?).map(|set| Answer::Amounts(set.all_quantities().to_string()))),
        "quantities_parse" => Ok(parse_quantities(word("left")?)
            .map(|quantities| Answer::Amounts(quantities.to_string()))
            .map_err(|error| error.to_string())),
        "quantities_add" | "quantities_subtract" | "quantities_contains" | "quantities_equal" => {
            Ok(of_two_quantities(op, word("left")?, word("right")?))
        }
        "limits_parse" => Ok(ResourceLimits::parse(word("left")?)
            .map(|limits| Answer::Amounts(limits.to_string()))
            .map_err(|error| error.to_string())),
        "limits_contains" | "limits_contain_quantities" | "limits_subtract" => {
            Ok(of_limits(op, word("left")?, word("right")?))
        }
        other => Err(unknown(place, "op", other, &OPS)),
    }
}

fn of_two_sets(op: &str, left: &Value, right: &Value) -> Result<Answer, String> {
    let (mut left, right) = (set(left)?, set(right)?);
    Ok(match op {
        "add" => {
            left += &right;
            Answer::Set(left)
        }
        "subtract" => {
            left -= &right;
            Answer::Set(left)
        }
        "contains" => Answer::Truth(left.contains(&right)),
        _ => Answer::Truth(left == right),
    })
}

fn of_two_quantities(op: &str, left: &str, right: &str) -> Result<Answer, String> {
    let quantities = |text| parse_quantities(text).map_err(|error| error.to_string());
    let (mut left, right) = (quantities(left)?, quantities(right)?);
    Ok(match op {
        "quantities_add" => {
            left += &right;
            Answer::Amounts(left.to_string())
        }
        "quantities_subtract" => {
            left -= &right;
            Answer::Amounts(left.to_string())
        }
        "quantities_contains" => Answer::Truth(left.contains(&right)),
        _ => Answer::Truth(left == right),
    })
}

fn of_limits(op: &str, left: &str, right: &str) -> Result<Answer, String> {
    let limits = |text| ResourceLimits::parse(text).map_err(|error| error.to_string());
    let quantities = |text| parse_quantities(text).map_err(|error| error.to_string());
    let left = limits(left)?;
    Ok(match op {
        "limits_contains" => Answer::Truth(left.contains(&limits(right)?)),
        "limits_contain_quantities" => Answer::Truth(left.contains_quantities(&quantities(right)?)),
        _ => Answer::Amounts(left.minus(&quantities(right)?).to_string()),
    })
}

fn with_quantities(op: &str, left: &Value, right: &str) -> Result<Answer, String> {
    let left = set(left)?;
    let quantities = parse_quantities(right).map_err(|error| error.to_string())?;
    Ok(match op {
        "contains_quantities" => Answer::Truth(left.contains_quantities(&quantities)),
        _ => Answer::Set(quantities.shrink(left)),
    })
}

fn shrunk_to_limits(left: &Value, right: &str) -> Result<Answer, String> {
    let left = set(left)?;
    let limits = ResourceLimits::parse(right).map_err(|error| error.to_string())?;
    Ok(Answer::Set(limits.shrink(left)))
}

fn applied(left: &Value, operations: &Value) -> Result<Answer, String> {
    let mut left = set(left)?;
    let operations: Vec<ResourceOperation> =
        serde_json::from_value(operations.clone()).map_err(|error| error.to_string())?;
    for operation in &operations {
        left.apply(operation).map_err(|error| error.to_string())?;
    }
    Ok(Answer::Set(left))
}

/// Resources from text or a list. Text that is a JSON list is read as an agent's `--resources` would be.
pub(crate) fn set(value: &Value) -> Result<Resources, String> {
    match value.as_str().map(serde_json::from_str::<Vec<Value>>) {
        Some(Ok(list)) => {
            let entries: Result<Vec<Resource>, _> = list.into_iter().map(serde_json::from_value).collect();
            Resources::from_flags(entries.map_err(|error| error.to_string())?)
                .map_err(|error| error.to_string())
        }
        Some(Err(_)) | None => serde_json::from_value(value.clone()).map_err(|error| error.to_string()),
    }
}

fn operand<'a>(place: &str, case: &'a Value, key: &str) -> Result<&'a Value, ScenarioError> {
    let value = case.get(key).filter(|value| value.is_string() || value.is_array());
    value.ok_or_else(|| ScenarioError(format!("{place}: `{key}` is missing: expected text or a list")))
}

fn text<'a>(place: &str, case: &'a Value, key: &str) -> Result<&'a str, ScenarioError> {
    let value = case.get(key).and_then(Value::as_str);
    value.ok_or_else(|| ScenarioError(format!("{place}: `{key}` is missing: expected text")))
}
