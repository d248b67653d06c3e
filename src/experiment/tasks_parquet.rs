//! `tasks.parquet`: one row for each task, for tools that read columns.

use std::{fs::File, io, path::Path};

use mesos::{
    resource::ResourceName,
    task::TaskState,
    time::{Span, Time},
};
use polars::prelude::{Column, DataFrame, NamedFrom, ParquetWriter, Series};

use super::store::Run;
use crate::{
    metric::{JobRow, TaskRow},
    workload::UNTIL_KILLED,
};

/// Writes the tasks of all frameworks, each framework's in order of arrival. Times are seconds.
pub(super) fn write(run: &Run<'_>, path: &Path) -> io::Result<()> {
    let mut frame = DataFrame::new_infer_height(columns(run)).map_err(io::Error::other)?;
    let file = File::create(path)?;
    ParquetWriter::new(file).finish(&mut frame).map_err(io::Error::other)?;
    Ok(())
}

fn columns(run: &Run<'_>) -> Vec<Column> {
    let jobs = run.outcome.metrics.jobs();
    let frameworks = &run.prepared.experiment.framework;
    let places = 0..frameworks.len();
    let rows: Vec<(usize, usize, &TaskRow, &JobRow)> = places
        .flat_map(|place| {
            let tasks = jobs.tasks(place).iter().enumerate();
            tasks.map(move |(id, task)| (place, id, task, &jobs.all()[task.job as usize]))
        })
        .collect();
    let times = |of: &dyn Fn(&TaskRow, &JobRow) -> Option<Span>| -> Vec<Option<f64>> {
        rows.iter().map(|(_, _, task, job)| of(task, job).map(Span::as_secs_f64)).collect()
    };
    let texts = |of: &dyn Fn(usize, &TaskRow, &JobRow) -> String| -> Vec<String> {
        rows.iter().map(|(place, _, task, job)| of(*place, task, job)).collect()
    };
    let amounts = |name: ResourceName| -> Vec<f64> {
        rows.iter().map(|(_, _, task, _)| task.spec.demand.quantities().get(name).as_f64()).collect()
    };
    let since_start = |time: Option<Time>| time.map(|time| time.since(Time::ZERO));
    vec![
        column("task_id", rows.iter().map(|(_, id, ..)| *id as u32).collect::<Vec<_>>()),
        column("job_id", texts(&|_, _, job| job.name.to_string())),
        column("framework", texts(&|place, _, _| frameworks[place].name.clone())),
        column("role", texts(&|place, _, _| frameworks[place].role.clone())),
        column("agent", rows.iter().map(|(_, _, task, _)| hostname(run, task)).collect::<Vec<_>>()),
        column("submission_time", times(&|_, job| since_start(Some(job.submission)))),
        column("starting_time", times(&|task, _| since_start(task.starting_time()))),
        column("finish_time", times(&|task, _| since_start(task.finish_time()))),
        column(
            "waiting_time",
            times(&|task, job| task.starting_time().map(|start| start.since(job.submission))),
        ),
        column(
            "turnaround_time",
            times(&|task, job| task.finish_time().map(|end| end.since(job.submission))),
        ),
        column("execution_time", times(&execution)),
        column("stretch", rows.iter().map(|(_, _, task, job)| stretch(task, job)).collect::<Vec<_>>()),
        column("requested_runtime", times(&|task, _| requested(task))),
        column(
            "success",
            rows.iter().map(|(_, _, task, _)| task.state == TaskState::Finished).collect::<Vec<_>>(),
        ),
        column("final_state", rows.iter().map(|(_, _, task, _)| final_state(task)).collect::<Vec<_>>()),
        column("cpus", amounts(ResourceName::Cpus)),
        column("mem_mib", amounts(ResourceName::Mem)),
        column("disk_mib", amounts(ResourceName::Disk)),
        column("gpus", amounts(ResourceName::Gpus)),
        column("attempts", rows.iter().map(|(_, _, task, _)| task.attempts).collect::<Vec<_>>()),
    ]
}

fn column<T>(name: &str, values: Vec<T>) -> Column
where
    Series: NamedFrom<Vec<T>, [T]>,
{
    Series::new(name.into(), values).into()
}

fn execution(task: &TaskRow, _: &JobRow) -> Option<Span> {
    task.starting_time().zip(task.finish_time()).map(|(start, end)| end.since(start))
}

/// Nothing for a task that runs until it is killed.
fn requested(task: &TaskRow) -> Option<Span> {
    Some(task.spec.runtime).filter(|&runtime| runtime != UNTIL_KILLED)
}

fn stretch(task: &TaskRow, job: &JobRow) -> Option<f64> {
    let asked = requested(task)?.as_secs_f64();
    let turnaround = task.finish_time().map(|end| end.since(job.submission).as_secs_f64());
    turnaround.filter(|_| asked > 0.0).map(|turnaround| turnaround / asked)
}

/// Empty for a task that never started.
fn final_state(task: &TaskRow) -> Option<String> {
    task.starting_time().map(|_| task.state.as_str().to_owned())
}

fn hostname(run: &Run<'_>, task: &TaskRow) -> Option<String> {
    let machine = run.outcome.metrics.machine(task.agent?);
    Some(run.prepared.cluster.machine(machine).hostname.clone())
}
