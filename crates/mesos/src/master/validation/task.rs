//! Tasks of a LAUNCH, and what those of a LAUNCH_GROUP have in common with them (`validation::task`).

use super::{Place, agent_text, check_used, executor};
use crate::{
    capability::AgentCapabilities,
    id::Id,
    resource::Resources,
    task::{CheckInfo, ExecutorInfo, ExecutorKind, TaskDetail, TaskInfo},
};

/// Whether a task of a LAUNCH may run on what is available (`task::validate`).
pub(in crate::master) fn check(
    task: &TaskInfo,
    place: &Place<'_>,
    available: &Resources,
) -> Result<(), String> {
    check_alone(task, place)?;
    let total = match task.detail.as_deref() {
        None => return check_fits(&task.resources, place, available, "Task uses"),
        Some(detail) => with_executor(task, detail, place)?,
    };
    check_fits(&total, place, available, "Task uses")
}

/// Whether a task is valid in itself and may go to this agent (`task::internal::validateTask`).
pub(super) fn check_alone(task: &TaskInfo, place: &Place<'_>) -> Result<(), String> {
    check_id(task, place)?;
    if task.agent != place.agent {
        let (given, expected) = (agent_text(task.agent), agent_text(place.agent));
        return Err(format!("Task uses invalid agent {given} while agent {expected} is expected"));
    }
    if let Some(detail) = &task.detail {
        check_times(detail)?;
    }
    if task.resources.is_empty() {
        return Err("Task uses no resources".into());
    }
    check_used(&task.resources, place.role_name, "Task")?;
    match &task.detail {
        Some(detail) if !detail.limits.is_empty() => check_limits(task, &detail.limits, place),
        Some(_) | None => Ok(()),
    }
}

/// Whether what is used is available (`offered.contains(total)`).
pub(super) fn check_fits(
    used: &Resources,
    place: &Place<'_>,
    available: &Resources,
    user: &str,
) -> Result<(), String> {
    if available.contains(used) {
        return Ok(());
    }
    let shown = |resources: &Resources| resources.allocate(place.role_name).to_string();
    Err(format!("{user} more resources {} than available {}", shown(used), shown(available)))
}

/// A task's own and its executor's resources do not overlap: counted apart they are no more than counted together.
pub(super) fn check_together(
    all: &[&Resources],
    place: &Place<'_>,
    users: &str,
) -> Result<Resources, String> {
    let mut together = Resources::EMPTY;
    all.iter().for_each(|resources| together += resources);
    check_used(&together, place.role_name, users)
        .map_err(|error| error.replace("uses invalid", "use invalid"))?;
    if together.is_plain() {
        return Ok(together);
    }
    let apart = all.iter().map(|resources| resources.filter(|one| !one.is_scalar()).all_quantities());
    let apart = apart.fold(crate::resource::ResourceQuantities::EMPTY, |mut sum, one| {
        sum += &one;
        sum
    });
    if together.filter(|one| !one.is_scalar()).all_quantities() == apart {
        Ok(together)
    } else {
        Err(format!("{users} use overlapping resources"))
    }
}

fn check_id(task: &TaskInfo, place: &Place<'_>) -> Result<(), String> {
    if place.framework.tasks.contains_key(&task.id) {
        return Err(format!("Task has duplicate ID: {}", task.id.index()));
    }
    if place.framework.unreachable.contains(task.id) {
        return Err(format!("Task reuses the ID of an unreachable task: {}", task.id.index()));
    }
    Ok(())
}

fn check_times(detail: &TaskDetail) -> Result<(), String> {
    if detail.kill_grace.is_some_and(|grace| grace < 0) {
        return Err("Task's 'kill_policy.grace_period' must be non-negative".into());
    }
    if detail.max_completion_time.is_some_and(|time| time < 0) {
        return Err("Task's 'max_completion_time' must be non-negative".into());
    }
    if let Some(check) = &detail.check {
        check_check(check).map_err(|error| format!("Task uses invalid check: {error}"))?;
    }
    if let Some(check) = &detail.health_check {
        check_check(check).map_err(|error| format!("Task uses invalid health check: {error}"))?;
    }
    Ok(())
}

fn check_check(check: &CheckInfo) -> Result<(), String> {
    let CheckInfo { delay, interval, timeout, grace_period, consecutive_failures: _ } = *check;
    let spans =
        [("delay", delay), ("interval", interval), ("timeout", timeout), ("grace_period", grace_period)];
    match spans.iter().find(|(_, nanoseconds)| *nanoseconds < 0) {
        Some((name, _)) => Err(format!("Expecting '{name}_seconds' to be non-negative")),
        None => Ok(()),
    }
}

/// Limits are of `cpus` and `mem`, not below what is asked for, and on agents that keep them only.
fn check_limits(task: &TaskInfo, limits: &[(String, f64)], place: &Place<'_>) -> Result<(), String> {
    if !place.on.info.capabilities.has(AgentCapabilities::TASK_RESOURCE_LIMITS) {
        let agent = agent_text(place.agent);
        return Err(format!(
            "Agent {agent} does not have the TASK_RESOURCE_LIMITS capability, but the task has resource limits"
        ));
    }
    for (name, limit) in limits {
        if !matches!(name.as_str(), "cpus" | "mem") {
            return Err(format!("Limits are only allowed for 'cpus' and 'mem', not for '{name}'"));
        }
        let request = task.resources.quantities().of_name(name).as_f64();
        if limit.is_nan() || *limit < request {
            return Err(format!(
                "The task's '{name}' limit {limit} is less than its '{name}' request {request}"
            ));
        }
    }
    Ok(())
}

/// What a task takes with its executor, if that is new (`task::internal::validateExecutor`).
fn with_executor(task: &TaskInfo, detail: &TaskDetail, place: &Place<'_>) -> Result<Resources, String> {
    if detail.executor.is_some() == detail.command {
        return Err(
            "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present".into()
        );
    }
    let Some(executor) = &detail.executor else { return Ok(task.resources.clone()) };
    check_custom(executor)?;
    executor::check(executor, place)?;
    let both = check_together(&[&task.resources, &executor.resources], place, "Task and its executor")?;
    let is_new = place.on.executor(place.id, executor.id).is_none();
    Ok(if is_new { both } else { task.resources.clone() })
}

fn check_custom(executor: &ExecutorInfo) -> Result<(), String> {
    match executor.kind {
        ExecutorKind::Default => Err("'ExecutorInfo.type' must be 'CUSTOM'".into()),
        ExecutorKind::Unset | ExecutorKind::Custom if !executor.command => {
            Err("'ExecutorInfo.command' must be set for 'CUSTOM' executor".into())
        }
        ExecutorKind::Unset | ExecutorKind::Custom => Ok(()),
    }
}
