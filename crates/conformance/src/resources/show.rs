//! The cases of a file as a text to be read: each with the core's answer.

use std::fmt::Write;

use serde_json::Value;

use super::{answer, cases, check_keys, run_case, text};
use crate::ScenarioError;

/// Each case with its answer, and where that differs from what the file expects. A case without `result` and `error` is fine.
///
/// # Errors
/// When the file is not of the form of such a file.
pub fn show(scenario: &Value) -> Result<String, ScenarioError> {
    let mut out = String::new();
    let mut differ = 0;
    for (number, case) in cases(scenario)?.iter().enumerate() {
        let place = format!("case {number}");
        check_keys(&place, case)?;
        let op = text(&place, case, "op")?;
        let operands = ["left", "right"].into_iter().filter_map(|key| case.get(key)).map(said);
        let operands: Vec<String> = operands.collect();
        line(&mut out, &format!("{place:<8} {op} {}", operands.join(" | ")));
        let given = match answer(&place, op, case)? {
            Ok(answer) => answer.print(),
            Err(why) => format!("refused: {why}"),
        };
        let given = if given.is_empty() { "nothing".to_owned() } else { given };
        line(&mut out, &format!("    {given}"));
        if case.get("result").is_none() && case.get("error").is_none() {
            continue;
        }
        let diff = run_case(&place, op, case)?;
        if !diff.is_empty() {
            differ += 1;
            line(&mut out, "    differs from the file (- expected, + given):");
            diff.iter().for_each(|words| line(&mut out, &format!("      {words}")));
        }
    }
    let verdict = match differ {
        0 => "No case differs from the file.".to_owned(),
        1 => "One case differs from the file.".to_owned(),
        differ => format!("{differ} cases differ from the file."),
    };
    line(&mut out, &verdict);
    Ok(out)
}

fn said(operand: &Value) -> String {
    operand.as_str().map_or_else(|| operand.to_string(), |text| format!("`{text}`"))
}

fn line(out: &mut String, words: &str) {
    _ = writeln!(out, "{words}"); // writing into a text does not fail
}
