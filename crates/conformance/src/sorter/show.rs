//! A sorter's scenario as a text to be read: the steps in plain words, and the order after each `sort`.

use std::fmt::Write;

use serde_json::Value;

use super::{format::Step, read, walk};
use crate::ScenarioError;

/// What happens at each step, and where it differs from what the file expects.
///
/// # Errors
/// What is wrong with the file, with the step and the key.
pub fn show(scenario: &Value) -> Result<String, ScenarioError> {
    let scenario = read(scenario)?;
    let mut out = String::new();
    let (mut number, mut differ) = (0, 0);
    walk(&scenario, &mut |_, step, diff, session| {
        line(&mut out, &format!("step {number:<3} {}", step.plain()));
        number += 1;
        if let Some(order) = &session.order {
            line(&mut out, &format!("    order: {}", order.join(", ")));
        }
        if !diff.is_empty() {
            differ += 1;
            line(&mut out, "    differs from the file (- expected, + given):");
            diff.iter().for_each(|words| line(&mut out, &format!("      {words}")));
        }
    })?;
    let verdict = match differ {
        0 if scenario.expect.is_empty() => "The file says nothing of what it expects.".to_owned(),
        0 => "All is as the file expects.".to_owned(),
        1 => "One step differs from the file.".to_owned(),
        differ => format!("{differ} steps differ from the file."),
    };
    line(&mut out, &verdict);
    Ok(out)
}

fn line(out: &mut String, words: &str) {
    _ = writeln!(out, "{words}"); // writing into a text does not fail
}

impl Step {
    /// What the step means, as one would say it.
    fn plain(&self) -> String {
        match self {
            Self::Add(step) => format!("client {} is added, inactive", step.client),
            Self::Remove(step) => format!("client {} is removed", step.client),
            Self::Activate(step) => format!("client {} is active", step.client),
            Self::Deactivate(step) => format!("client {} is inactive", step.client),
            Self::AddAgent(step) => format!("agent {} joins with {}", step.agent, step.resources),
            Self::RemoveAgent(step) => format!("agent {} is gone", step.agent),
            Self::Allocated(step) => {
                format!("client {} gets {} of {}", step.client, step.resources, step.agent)
            }
            Self::Unallocated(step) => {
                format!("client {} gives back {} of {}", step.client, step.resources, step.agent)
            }
            Self::Update(step) => {
                format!(
                    "what client {} holds of {}: {} becomes {}",
                    step.client, step.agent, step.old, step.new
                )
            }
            Self::UpdateWeight(step) => format!("{} weighs {}", step.path, step.weight),
            Self::Sort => "sort".to_owned(),
        }
    }
}
