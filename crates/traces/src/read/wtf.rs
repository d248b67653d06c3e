//! Workflow Trace Format 1.0: Parquet files of tasks with their parents, -1 for what is not known.
//!
//! Versluis et al., "The Workflow Trace Archive", IEEE TPDS 2020. A job is a workflow; times are milliseconds.

use crate::{
    Context, Format, Grouping, Micros, Source, TaskRow, TraceError,
    columns::{Column, Kind, Line},
    format::{Part, Table},
    parquet,
    read::workflow::{Places, Workflows},
    row::Value,
    table::RowError,
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "wtf",
    about: "Workflow Trace Archive: Parquet files of the tasks of workflows",
    source: "Workflow Trace Archive; each trace names its licence",
    grouping: Grouping::Directory,
    detect,
    read,
};

const TASKS: &[Column] = &[
    Column::required("id", Kind::Int),
    Column::required("workflow_id", Kind::Int),
    Column::required("ts_submit", Kind::Int),
    Column::required("runtime", Kind::Int),
    Column::optional("parents", Kind::Ints),
    Column::optional("wait_time", Kind::Int),
    Column::optional("resource_amount_requested", Kind::Float),
    Column::optional("type", Kind::Text),
    Column::optional("user_id", Kind::Int),
    Column::optional("group_id", Kind::Int),
    Column::optional("memory_requested", Kind::Float),
    Column::optional("disk_space_requested", Kind::Float),
];

const ID: usize = 0;
const WORKFLOW: usize = 1;
const SUBMIT: usize = 2;
const RUN: usize = 3;
const PARENTS: usize = 4;
const WAIT: usize = 5;
const AMOUNT: usize = 6;
const TYPE: usize = 7;
const USER: usize = 8;
const GROUP: usize = 9;
const MEMORY: usize = 10;
const DISK: usize = 11;

fn detect(source: &Source) -> Option<Table> {
    parquet::has_columns(source, &["id", "workflow_id", "ts_submit", "runtime"]).then_some("tasks")
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume("a requested resource is a core; times are milliseconds");
    context
        .quality
        .assume("the unit of memory and disk differs between traces: they are kept as extra facts");
    let mut places = Places::default();
    let mut first: Option<i64> = None;
    for part in parts {
        context.first_pass(|context| {
            parquet::rows(part, TASKS, context, |line, _| {
                places.add(line.need_int(WORKFLOW)?, line.need_int(ID)?);
                first =
                    line.int(SUBMIT).map(|submit| first.map_or(submit, |first| first.min(submit))).or(first);
                Ok(())
            })
        })?;
    }
    // Some traces count from 1970, the others from their first task.
    let origin = first.filter(|first| *first > 0).and_then(Micros::from_millis).unwrap_or_default();
    let mut workflows = Workflows::default();
    for part in parts {
        parquet::rows(part, TASKS, context, |line, context| {
            task(line, context, &mut places, &mut workflows, origin)
        })?;
    }
    workflows.finish(context)
}

fn task(
    line: Line<'_>,
    context: &mut Context<'_>,
    places: &mut Places,
    workflows: &mut Workflows,
    origin: Micros,
) -> Result<(), RowError> {
    let (workflow, id) = (line.need_int(WORKFLOW)?, line.need_int(ID)?);
    let submit = Micros::from_millis(line.need_int(SUBMIT)?);
    let submit = submit.and_then(|submit| submit.0.checked_sub(origin.0)).map(Micros);
    let submit = submit.ok_or_else(|| line.wrong(SUBMIT, "a time"))?;
    let millis = |column| line.int(column).filter(|millis| *millis >= 0).and_then(Micros::from_millis);
    let (duration, wait) = (millis(RUN), millis(WAIT));
    let start = wait.map(|wait| Micros(submit.0.saturating_add(wait.0)));
    let end = start.zip(duration).map(|(start, run)| Micros(start.0.saturating_add(run.0)));
    let known = |column| line.number(column).filter(|number| *number >= 0.0);
    let label = |column| line.int(column).filter(|label| *label >= 0).map(|label| label.to_string().into());
    let index = places.take(workflow, id).ok_or_else(|| line.wrong(ID, "a task that no row before has"))?;
    let job = workflows.job(workflow, Some(submit), start, end);
    if let Some(row) = workflows.row(job) {
        row.user = row.user.take().or_else(|| label(USER));
        row.group = row.group.take().or_else(|| label(GROUP));
    }
    let parents = places.parents(workflow, id, line.list(PARENTS), context);
    let extra = [("memory_requested", known(MEMORY)), ("disk_space_requested", known(DISK))];
    context.task(&TaskRow {
        job,
        index,
        name: Some(
            line.text(TYPE)
                .filter(|name| *name != "-1")
                .map_or_else(|| id.to_string(), |name| format!("{name} {id}"))
                .into(),
        ),
        instances: 1,
        parents,
        cpus: known(AMOUNT),
        submit: Some(submit),
        start,
        end,
        duration,
        attempts: u32::from(start.is_some()),
        extra: extra.into_iter().filter_map(|(name, value)| Some((name, Value::Number(value?)))).collect(),
        ..TaskRow::default()
    })?;
    Ok(())
}

#[cfg(all(test, feature = "parquet"))]
mod tests {
    use super::TASKS;
    use crate::{Micros, Options, Trace, columns::Cell, parquet::TableWriter, sink::Collected};

    fn task(id: i64, workflow: i64, submit: i64, wait: i64, parents: &[i64]) -> [Cell; 12] {
        let unknown = || Cell::Int(-1);
        [
            Cell::Int(id),
            Cell::Int(workflow),
            Cell::Int(submit),
            Cell::Int(2000),
            Cell::Ints(parents.to_vec()),
            Cell::Int(wait),
            Cell::Float(2.0),
            Cell::Missing,
            Cell::Int(5),
            unknown(),
            Cell::Float(-1.0),
            Cell::Missing,
        ]
    }

    #[test]
    fn parents_may_come_later_and_minus_one_is_unknown() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("part.0.parquet");
        let mut writer = TableWriter::create(&path, TASKS).expect("a new file");
        let large = 9_007_199_254_740_993;
        for row in [
            task(large, 1, 900, -1, &[7, 8, 99]),
            task(7, 1, 1000, 500, &[]),
            task(8, 1, 800, 0, &[]),
            task(7, 2, 5000, 1, &[]),
        ] {
            writer.push(row).expect("a row");
        }
        writer.finish().expect("room for a small file");
        let mut rows = Collected::default();
        let trace = Trace::one(&path, None).expect("one trace");
        let quality = trace.read(&Options::default(), &mut rows, &mut |_| true).expect("a good trace");
        assert_eq!((trace.format.name, rows.jobs.len(), rows.tasks.len()), ("wtf", 2, 4));
        let first = &rows.tasks[0];
        assert_eq!(
            (first.name.as_deref(), first.parents.as_slice(), first.start),
            (Some("9007199254740993"), [1, 2].as_slice(), None)
        );
        assert_eq!(quality.notes()["parents that the job does not have: left out"], 1);
        assert_eq!((rows.jobs[0].submit, rows.jobs[0].end), (Some(Micros(0)), Some(Micros(2_700_000))));
        assert_eq!((rows.jobs[0].user.as_deref(), rows.jobs[0].group.as_deref()), (Some("5"), None));
    }
}
