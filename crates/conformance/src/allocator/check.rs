//! Whether the steps of a scenario make sense one after the other: what they name is there, roles are roles, numbers are
//! in range. A scenario that passes can be run without further questions.

use std::collections::{BTreeMap, BTreeSet};

use mesos::{capability::Capabilities, role, time::Span};

use super::{
    format::{AllocatorScenario, Expected},
    step::{AddAgent, AddFramework, Step, UpdateAgent, UpdateFramework, UpdateWeights},
};
use crate::{ScenarioError, nearest};

/// # Errors
/// The first thing that makes no sense, with the step and the key.
pub(super) fn check(scenario: &AllocatorScenario) -> Result<(), ScenarioError> {
    let sorters = [scenario.options.role_sorter, scenario.options.framework_sorter];
    if sorters[0].unwrap_or_default() != sorters[1].unwrap_or_default() {
        return Err(ScenarioError("`options`: role_sorter and framework_sorter must be the same".to_owned()));
    }
    if scenario.options.complete().allocation_interval == Span::ZERO {
        let wrong = "expected more than 0".to_owned();
        return Err(ScenarioError(format!("`options.allocation_interval_secs`: {wrong}")));
    }
    let mut there = There { master_has_domain: scenario.options.domain.is_some(), ..There::default() };
    for (place, step) in scenario.steps.iter().enumerate() {
        there.take(step).map_err(|(key, wrong)| ScenarioError(format!("`steps[{place}].{key}`: {wrong}")))?;
    }
    check_expect(scenario)?;
    check_asserted(scenario)
}

fn check_expect(scenario: &AllocatorScenario) -> Result<(), ScenarioError> {
    let mut seen = BTreeSet::new();
    for (row, Expected { step, .. }) in scenario.expect.iter().flatten().enumerate() {
        if *step >= scenario.steps.len() {
            return Err(beyond(&format!("expect[{row}].step"), *step, scenario));
        }
        if !seen.insert(*step) {
            return Err(ScenarioError(format!("`expect[{row}].step`: step {step} has a row already")));
        }
    }
    Ok(())
}

fn check_asserted(scenario: &AllocatorScenario) -> Result<(), ScenarioError> {
    for (row, asserted) in scenario.asserted.iter().flatten().enumerate() {
        let wrong = |what: &str| ScenarioError(format!("`asserted[{row}]`: {what}"));
        let steps = asserted.steps().ok_or_else(|| wrong("expected either `step` or a list `steps`"))?;
        if let Some(step) = steps.iter().find(|step| **step >= scenario.steps.len()) {
            return Err(beyond(&format!("asserted[{row}]"), *step, scenario));
        }
        if !asserted.asserts_something() {
            let one_of = "`offers`, `total`, `any_of`, `count`, `failed`, `shares`, `filters`, `cluster`";
            return Err(wrong(&format!("expected one of {one_of}")));
        }
    }
    Ok(())
}

fn beyond(key: &str, step: usize, scenario: &AllocatorScenario) -> ScenarioError {
    let steps = scenario.steps.len();
    ScenarioError(format!("`{key}`: there is no step {step}, expected a number below {steps}"))
}

/// The key, and what is wrong there.
type Wrong = (&'static str, String);

/// Who is there at some point of the scenario.
#[derive(Default)]
struct There<'a> {
    agents: BTreeSet<&'a str>,
    frameworks: BTreeMap<&'a str, &'a [String]>,
    master_has_domain: bool,
}

impl<'a> There<'a> {
    fn take(&mut self, step: &'a Step) -> Result<(), Wrong> {
        for role in step.used().into_iter().flatten().flat_map(|(_, roles)| roles.keys()) {
            valid("used", role)?;
        }
        match step {
            Step::AddAgent(step) => self.add_agent(step),
            Step::UpdateAgent(step) => self.update_agent(step),
            Step::AddResourceProvider(step) => self.agent(&step.agent),
            Step::RemoveAgent(step) => {
                self.agent(&step.agent)?;
                self.agents.remove(step.agent.as_str());
                Ok(())
            }
            Step::ActivateAgent(step) | Step::DeactivateAgent(step) => self.agent(&step.agent),
            Step::UpdateAvailable(step) => self.agent(&step.agent),
            Step::UpdateUnavailability(step) => self.agent(&step.agent),
            Step::TransitionOfferedToAllocated(step) => {
                self.agent(&step.agent)?;
                valid("role", &step.role)
            }
            Step::AddFramework(step) => self.add_framework(step),
            Step::UpdateFramework(step) => self.update_framework(step),
            Step::RemoveFramework(step) => {
                self.framework(&step.framework)?;
                self.frameworks.remove(step.framework.as_str());
                Ok(())
            }
            Step::ActivateFramework(step) | Step::DeactivateFramework(step) => {
                self.framework(&step.framework).map(|_| ())
            }
            Step::SuppressOffers(step) | Step::ReviveOffers(step) => {
                among("roles", &step.roles, self.framework(&step.framework)?)
            }
            // Both may be gone: then nothing happens.
            Step::RecoverResources(step) => valid("role", &step.role),
            Step::UpdateAllocation(step) => {
                self.framework(&step.framework)?;
                self.agent(&step.agent)?;
                valid("role", &step.role)?;
                if step.operations.is_some() == step.conversions.is_some() {
                    return Err(("operations", "expected either `operations` or `conversions`".to_owned()));
                }
                Ok(())
            }
            Step::UpdateInverseOffer(step) => {
                self.framework(&step.framework)?;
                self.agent(&step.agent)
            }
            Step::UpdateWeights(step) => check_weights(step),
            Step::UpdateQuota(step) => check_quota_role(&step.role),
            Step::SetWhitelist(_) | Step::Pause | Step::Resume | Step::Advance(_) => Ok(()),
        }
    }

    fn add_agent(&mut self, step: &'a AddAgent) -> Result<(), Wrong> {
        self.check_domain(step.domain.is_some())?;
        if self.agents.insert(&step.agent) { Ok(()) } else { Err(twice("agent", &step.agent)) }
    }

    fn update_agent(&self, step: &UpdateAgent) -> Result<(), Wrong> {
        self.check_domain(matches!(step.domain, Some(Some(_))))?;
        self.agent(&step.agent)
    }

    fn check_domain(&self, given: bool) -> Result<(), Wrong> {
        if given && !self.master_has_domain {
            let wrong = "an agent may have a domain only if `options.domain` gives the master one";
            return Err(("domain", wrong.to_owned()));
        }
        Ok(())
    }

    fn add_framework(&mut self, step: &'a AddFramework) -> Result<(), Wrong> {
        check_roles(&step.roles, step.capabilities)?;
        among("suppressed_roles", &step.suppressed_roles, &step.roles)?;
        // Of roles to come, perhaps.
        step.min_allocatable.keys().try_for_each(|role| valid("min_allocatable", role))?;
        let new = self.frameworks.insert(&step.framework, &step.roles).is_none();
        if new { Ok(()) } else { Err(twice("framework", &step.framework)) }
    }

    fn update_framework(&mut self, step: &'a UpdateFramework) -> Result<(), Wrong> {
        check_roles(&step.roles, step.capabilities)?;
        among("suppressed_roles", &step.suppressed_roles, &step.roles)?;
        // Of roles to come, perhaps.
        step.min_allocatable.keys().try_for_each(|role| valid("min_allocatable", role))?;
        self.framework(&step.framework)?;
        self.frameworks.insert(&step.framework, &step.roles);
        Ok(())
    }

    fn agent(&self, name: &str) -> Result<(), Wrong> {
        if self.agents.contains(name) {
            return Ok(());
        }
        let hint = nearest::expected(name, self.agents.iter().copied());
        Err(("agent", format!("no agent `{name}` is there at this step: {hint}")))
    }

    fn framework(&self, name: &str) -> Result<&'a [String], Wrong> {
        self.frameworks.get(name).copied().ok_or_else(|| {
            let hint = nearest::expected(name, self.frameworks.keys().copied());
            ("framework", format!("no framework `{name}` is there at this step: {hint}"))
        })
    }
}

fn twice(key: &'static str, name: &str) -> Wrong {
    (key, format!("{key} `{name}` is there already"))
}

fn valid(key: &'static str, role: &str) -> Result<(), Wrong> {
    role::validate(role).map_err(|error| (key, error.to_string()))
}

fn check_weights(step: &UpdateWeights) -> Result<(), Wrong> {
    step.weights.iter().try_for_each(|(role, weight)| {
        valid("weights", role)?;
        let right = weight.is_finite() && *weight > 0.0;
        let wrong = || ("weights", format!("role `{role}`: expected more than 0, found {weight}"));
        if right { Ok(()) } else { Err(wrong()) }
    })
}

fn check_quota_role(role: &str) -> Result<(), Wrong> {
    valid("role", role)?;
    if role.contains('/') {
        return Err(("role", format!("`{role}`: expected a role of the top level: only these have a quota")));
    }
    Ok(())
}

fn check_roles(roles: &[String], capabilities: Capabilities) -> Result<(), Wrong> {
    roles.iter().try_for_each(|role| valid("roles", role))?;
    if let Some(role) = roles.iter().enumerate().find(|(place, role)| roles[..*place].contains(role)) {
        return Err(("roles", format!("`{}` stands there twice", role.1)));
    }
    if !capabilities.has(Capabilities::MULTI_ROLE) && roles.len() != 1 {
        let count = roles.len();
        return Err(("roles", format!("expected exactly one role without MULTI_ROLE, found {count}")));
    }
    Ok(())
}

fn among<'a>(
    key: &'static str,
    some: impl IntoIterator<Item = &'a String>,
    roles: &[String],
) -> Result<(), Wrong> {
    let stranger = some.into_iter().find(|role| !roles.contains(role));
    stranger.map_or(Ok(()), |role| {
        let hint = nearest::expected(role, roles.iter().map(String::as_str));
        Err((key, format!("`{role}` is no role of the framework: {hint}")))
    })
}
