//! Executors, of tasks and of groups (`validation::executor`).

use super::{Place, check_used, framework_text};
use crate::{
    id::Id,
    task::{ExecutorInfo, ExecutorKind},
};

/// Whether an executor is valid in itself, and the same as a running one with its id (`executor::validate`).
pub(super) fn check(executor: &ExecutorInfo, place: &Place<'_>) -> Result<(), String> {
    check_kind(executor)?;
    check_same(executor, place)?;
    if let Some(given) = executor.framework
        && given != place.id
    {
        let (given, expected) = (framework_text(given), framework_text(place.id));
        return Err(format!(
            "ExecutorInfo has an invalid FrameworkID (Actual: {given} vs Expected: {expected})"
        ));
    }
    if executor.shutdown_grace.is_some_and(|grace| grace < 0) {
        return Err("ExecutorInfo's 'shutdown_grace_period' must be non-negative".into());
    }
    if executor.resources.has_shared() {
        return Err(format!("The executor's resources {} contain shared resources", executor.resources));
    }
    check_used(&executor.resources, place.role_name, "Executor")
}

fn check_kind(executor: &ExecutorInfo) -> Result<(), String> {
    match executor.kind {
        ExecutorKind::Default if executor.command => {
            Err("'ExecutorInfo.command' must not be set for 'DEFAULT' executor".into())
        }
        ExecutorKind::Default if executor.container.as_ref().is_some_and(|container| container.is_docker) => {
            Err("'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor".into())
        }
        ExecutorKind::Custom if !executor.command => {
            Err("'ExecutorInfo.command' must be set for 'CUSTOM' executor".into())
        }
        ExecutorKind::Unset | ExecutorKind::Default | ExecutorKind::Custom => Ok(()),
    }
}

/// The resources of an executor are part of what it is, and so is the role that they are allocated to.
fn check_same(executor: &ExecutorInfo, place: &Place<'_>) -> Result<(), String> {
    let Some(running) = place.on.executor(place.id, executor.id) else { return Ok(()) };
    if running.info == *executor && (running.role == place.role || executor.resources.is_empty()) {
        return Ok(());
    }
    let id = executor.id.index();
    Err(format!("ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID: {id}"))
}
