//! Grid Workload Format, as OpenDC has it: one line for each task of a workflow, with the tasks that it waits for.
//!
//! Iosup et al., "The Grid Workloads Archive", FGCS 2008. A job is a workflow; its tasks wait for each other.

use crate::{
    Context, Format, Grouping, Micros, Source, TaskRow, TraceError,
    format::{Part, Table},
    read::workflow::{Places, Workflows},
    table::{Layout, Row, RowError, parse_int, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "gwf",
    about: "Grid Workload Format: tasks of workflows with their dependencies",
    source: "Grid Workloads Archive; the files of OpenDC are under MIT",
    grouping: Grouping::File,
    detect,
    read,
};

const COLUMNS: &[&str] =
    &["WorkflowID", "JobID", "SubmitTime", "RunTime", "NProcs", "ReqNProcs", "Dependencies"];

const WORKFLOW: usize = 0;
const JOB: usize = 1;
const SUBMIT: usize = 2;
const RUN: usize = 3;
const PROCESSORS: usize = 4;
const REQUESTED: usize = 5;
const DEPENDENCIES: usize = 6;

const LAYOUT: Layout = Layout::with_header(COLUMNS, 4);

fn detect(source: &Source) -> Option<Table> {
    LAYOUT.is_header(source.first_line()?).then_some("tasks")
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume("one processor is one core; times are seconds");
    for part in parts {
        let mut places = Places::default();
        context.first_pass(|context| {
            rows(part, &LAYOUT, context, |row, _| {
                places.add(row.need_int(WORKFLOW)?, row.need_int(JOB)?);
                Ok(())
            })
        })?;
        let mut workflows = Workflows::default();
        rows(part, &LAYOUT, context, |row, context| task(row, context, &mut places, &mut workflows))?;
        workflows.finish(context)?;
    }
    Ok(())
}

fn task(
    row: Row<'_>,
    context: &mut Context<'_>,
    places: &mut Places,
    workflows: &mut Workflows,
) -> Result<(), RowError> {
    let (workflow, id) = (row.need_int(WORKFLOW)?, row.need_int(JOB)?);
    let seconds = |column| -> Result<Option<Micros>, RowError> {
        Ok(row.number(column)?.filter(|seconds| *seconds >= 0.0).and_then(Micros::from_secs_f64))
    };
    let submit = seconds(SUBMIT)?.ok_or_else(|| row.wrong(SUBMIT, "a time, 0 or later"))?;
    let duration = seconds(RUN)?;
    let count = |column| -> Result<Option<i64>, RowError> { Ok(row.int(column)?.filter(|count| *count > 0)) };
    let processors = count(PROCESSORS)?.or(count(REQUESTED)?).unwrap_or(1);
    let instances = u32::try_from(processors).map_err(|_| row.wrong(PROCESSORS, "fewer processors"))?;
    let mut wanted = Vec::new();
    for word in row.text(DEPENDENCIES)?.unwrap_or_default().split_whitespace() {
        let parent = parse_int(word.as_bytes());
        wanted.push(parent.ok_or_else(|| row.wrong(DEPENDENCIES, "numbers of tasks"))?);
    }
    let index = places.take(workflow, id).ok_or_else(|| row.wrong(JOB, "a task that no row before has"))?;
    let job = workflows.job(workflow, Some(submit), None, None);
    let parents = places.parents(workflow, id, &wanted, context);
    context.task(&TaskRow {
        job,
        index,
        name: Some(id.to_string().into()),
        instances,
        parents,
        cpus: Some(1.0),
        submit: Some(submit),
        duration,
        ..TaskRow::default()
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros,
        read::testing::{read, rejections},
    };

    const HEADER: &str =
        "WorkflowID, JobID , SubmitTime, RunTime   , NProcs    , ReqNProcs , Dependencies\r\n";

    #[test]
    fn tasks_of_a_workflow_wait_for_each_other() {
        let text = format!(
            "{HEADER}0 , 1 , 16 , 11 , 1 , 1 ,  \n0 , 3 , 40 , 11 , -1 , 2 , 4 1 9 3\n0, 4, 12, 11, 1, 1,\n7,1,5,1,1,1,"
        );
        let (format, rows, quality) = read(&[("trace.gwf", text.as_bytes())]);
        assert_eq!((format, rows.jobs.len(), rows.tasks.len()), ("gwf", 2, 3 + 1));
        assert_eq!((rows.tasks[1].parents.as_slice(), rows.tasks[1].instances), ([2, 0].as_slice(), 2));
        assert_eq!((rows.jobs[0].submit, rows.jobs[0].name.as_ref()), (Some(Micros(12_000_000)), "0"));
        assert_eq!(quality.notes()["parents that the job does not have: left out"], 1);
        assert_eq!(quality.notes()["tasks that wait for themselves: that is left out"], 1);
    }

    #[test]
    fn a_row_without_a_time_is_rejected() {
        let text = format!("{HEADER}0 , 1 , -1 , 11 , 1 , 1 ,\n0,2,3,4,5,6,x\n0,3,1,1,1,1,\n");
        let (_, rows, quality) = read(&[("trace.gwf", text.as_bytes())]);
        let expected = [
            "line 2: `SubmitTime` is `-1`: expected a time, 0 or later",
            "line 3: `Dependencies` is `x`: expected numbers of tasks",
        ];
        assert_eq!((rejections(&quality), rows.tasks.len()), (expected.map(str::to_owned).to_vec(), 1));
    }
}
