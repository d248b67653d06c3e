//! Tasks of a LAUNCH_GROUP (`validation::task::group`).

use super::{Place, executor, task};
use crate::{
    id::Id,
    resource::{ResourceName, Resources, Scalar},
    task::{ExecutorInfo, ExecutorKind, TaskInfo},
};

/// The least an executor of a group needs: 0.01 CPUs (`MIN_CPUS`), and 32 MB of memory (`MIN_MEM`).
const MIN_CPUS: Scalar = Scalar(10);
const MIN_MEM: Scalar = Scalar(32_000);

/// Whether all tasks of a group and their executor may run on what is available (`group::validate`).
pub(in crate::master) fn check(
    tasks: &[TaskInfo],
    executor: &ExecutorInfo,
    place: &Place<'_>,
    available: &Resources,
) -> Result<(), String> {
    if tasks.is_empty() {
        return Err("Task group cannot be empty".into());
    }
    for (position, task) in tasks.iter().enumerate() {
        check_task(task, &tasks[..position], place)
            .map_err(|error| format!("Task '{}' is invalid: {error}", task.id.index()))?;
    }
    check_executor(tasks, executor, place)?;
    let mut all: Vec<&Resources> = tasks.iter().map(|task| &task.resources).collect();
    all.push(&executor.resources);
    let mut total = task::check_together(&all, place, "Task group and executor")?;
    if place.on.executor(place.id, executor.id).is_some() {
        all.pop();
        total = Resources::EMPTY;
        all.iter().for_each(|resources| total += resources);
    }
    task::check_fits(&total, place, available, "Task group uses")
}

fn check_task(task: &TaskInfo, earlier: &[TaskInfo], place: &Place<'_>) -> Result<(), String> {
    task::check_alone(task, place)?;
    if earlier.iter().any(|other| other.id == task.id) {
        return Err(format!("Task has duplicate ID: {}", task.id.index()));
    }
    let container = task.detail.as_ref().and_then(|detail| detail.container.as_ref());
    if container.is_some_and(|container| container.is_docker) {
        return Err("Docker ContainerInfo is not supported on the task".into());
    }
    Ok(())
}

fn check_executor(tasks: &[TaskInfo], executor: &ExecutorInfo, place: &Place<'_>) -> Result<(), String> {
    let id = executor.id.index();
    let is_other = |task: &&TaskInfo| {
        task.detail.as_ref().and_then(|detail| detail.executor.as_ref()).is_some_and(|own| own != executor)
    };
    if let Some(task) = tasks.iter().find(is_other) {
        let task = task.id.index();
        return Err(format!("The `ExecutorInfo` of task '{task}' is different from executor '{id}'"));
    }
    if executor.kind == ExecutorKind::Unset {
        return Err("'ExecutorInfo.type' must be set".into());
    }
    executor::check(executor, place)?;
    let has = |name| executor.resources.get(name);
    let (cpus, mem) = (has(ResourceName::Cpus), has(ResourceName::Mem));
    if cpus < MIN_CPUS {
        return Err(format!(
            "Executor '{id}' uses less CPUs ({cpus}) than the minimum required ({MIN_CPUS})"
        ));
    }
    if mem < MIN_MEM {
        return Err(format!("Executor '{id}' uses less memory ({mem} MB) than the minimum required (32MB)"));
    }
    if has(ResourceName::Disk) == Scalar::ZERO {
        return Err(format!("Executor '{id}' uses no disk"));
    }
    Ok(())
}
