//! The tables of the native form as files keep them: their columns, and rows as cells.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use crate::{
    JobRow, MachineEventRow, MachineRow, Micros, TaskRow, TraceError, UsageRow,
    columns::{Cell, Column, Kind},
    row::{Extra, Value, Whose},
};

/// Columns of `jobs.parquet`.
pub const JOBS: &[Column] = &[
    Column::required("number", Kind::Int),
    Column::required("name", Kind::Text),
    Column::optional("user", Kind::Text),
    Column::optional("group", Kind::Text),
    Column::optional("class", Kind::Text),
    Column::optional("application", Kind::Text),
    Column::optional("priority", Kind::Int),
    Column::optional("weight", Kind::Float),
    Column::optional("submit_us", Kind::Int),
    Column::optional("start_us", Kind::Int),
    Column::optional("end_us", Kind::Int),
    Column::required("requested_time_us", Kind::Int),
    Column::optional("deadline_us", Kind::Int),
    Column::optional("status", Kind::Text),
    Column::required("gang", Kind::Flag),
    Column::optional("parents", Kind::Ints),
    Column::optional("extra", Kind::Text),
];

/// Columns of `tasks.parquet`.
pub const TASKS: &[Column] = &[
    Column::required("job", Kind::Int),
    Column::required("index", Kind::Int),
    Column::optional("name", Kind::Text),
    Column::required("instances", Kind::Int),
    Column::optional("parents", Kind::Ints),
    Column::optional("cpus", Kind::Float),
    Column::optional("mem_mib", Kind::Float),
    Column::optional("disk_mib", Kind::Float),
    Column::optional("gpus", Kind::Float),
    Column::optional("gpu_model", Kind::Text),
    Column::optional("submit_us", Kind::Int),
    Column::optional("start_us", Kind::Int),
    Column::optional("end_us", Kind::Int),
    Column::required("duration_us", Kind::Int),
    Column::optional("status", Kind::Text),
    Column::optional("priority", Kind::Int),
    Column::optional("attempts", Kind::Int),
    Column::optional("evictions", Kind::Int),
    Column::optional("machine", Kind::Text),
    Column::optional("constraints", Kind::Text),
    Column::optional("extra", Kind::Text),
];

/// Columns of `machines.parquet`.
pub const MACHINES: &[Column] = &[
    Column::required("name", Kind::Text),
    Column::optional("cpus", Kind::Float),
    Column::required("mem_mib", Kind::Float),
    Column::optional("disk_mib", Kind::Float),
    Column::optional("gpus", Kind::Float),
    Column::optional("gpu_model", Kind::Text),
    Column::required("rack", Kind::Text),
    Column::optional("zone", Kind::Text),
    Column::required("attributes", Kind::Text),
];

/// Columns of `machine_events.parquet`.
pub const MACHINE_EVENTS: &[Column] = &[
    Column::required("at_us", Kind::Int),
    Column::required("machine", Kind::Text),
    Column::required("event", Kind::Text),
    Column::optional("cpus", Kind::Float),
    Column::optional("mem_mib", Kind::Float),
    Column::optional("attribute", Kind::Text),
    Column::optional("value", Kind::Text),
];

/// Columns of `usage.parquet`.
pub const USAGE: &[Column] = &[
    Column::optional("job", Kind::Int),
    Column::optional("task", Kind::Int),
    Column::optional("machine", Kind::Text),
    Column::required("start_us", Kind::Int),
    Column::required("duration_us", Kind::Int),
    Column::optional("cpus", Kind::Float),
    Column::required("cpus_max", Kind::Float),
    Column::optional("mem_mib", Kind::Float),
    Column::optional("gpus", Kind::Float),
];

fn micros(time: Option<Micros>) -> Cell {
    time.map(|time| time.0).into()
}

fn text(text: Option<&Cow<'_, str>>) -> Cell {
    text.map(|text| &**text).into()
}

fn number(number: u64) -> Result<i64, TraceError> {
    i64::try_from(number).map_err(|_| {
        TraceError::Unusable(format!("a job has the number {number}: files hold less than 2^63"))
    })
}

/// Facts as a JSON object; nothing if there are none.
fn facts(extra: &Extra<'_>) -> Cell {
    if extra.is_empty() {
        return Cell::Missing;
    }
    let mut object = Map::new();
    for (name, value) in extra {
        let value = match value {
            Value::Number(number) => Json::from(*number),
            Value::Text(text) => Json::from(&**text),
        };
        object.insert((*name).to_owned(), value);
    }
    Cell::Text(Json::Object(object).to_string().into())
}

pub(super) fn job(row: &JobRow<'_>) -> Result<[Cell; 17], TraceError> {
    let parents = row.parents.iter().map(|parent| number(*parent)).collect::<Result<_, _>>()?;
    Ok([
        Cell::Int(number(row.number)?),
        Cell::from(&*row.name),
        text(row.user.as_ref()),
        text(row.group.as_ref()),
        text(row.class.as_ref()),
        text(row.application.as_ref()),
        row.priority.into(),
        row.weight.into(),
        micros(row.submit),
        micros(row.start),
        micros(row.end),
        micros(row.requested_time),
        micros(row.deadline),
        row.status.map(|status| status.as_str()).into(),
        row.gang.into(),
        Cell::Ints(parents),
        facts(&row.extra),
    ])
}

pub(super) fn task(row: &TaskRow<'_>) -> Result<[Cell; 21], TraceError> {
    Ok([
        Cell::Int(number(row.job)?),
        Cell::Int(row.index.into()),
        text(row.name.as_ref()),
        Cell::Int(row.instances.into()),
        Cell::Ints(row.parents.iter().map(|parent| i64::from(*parent)).collect()),
        row.cpus.into(),
        row.mem_mib.into(),
        row.disk_mib.into(),
        row.gpus.into(),
        text(row.gpu_model.as_ref()),
        micros(row.submit),
        micros(row.start),
        micros(row.end),
        micros(row.duration),
        row.status.map(|status| status.as_str()).into(),
        row.priority.into(),
        Cell::Int(row.attempts.into()),
        Cell::Int(row.evictions.into()),
        text(row.machine.as_ref()),
        text(row.constraints.as_ref()),
        facts(&row.extra),
    ])
}

pub(super) fn machine(row: &MachineRow<'_>) -> [Cell; 9] {
    let attributes = row.attributes.iter().map(|(name, value)| Json::from(vec![&**name, &**value]));
    let attributes = Json::Array(attributes.collect()).to_string();
    [
        Cell::from(&*row.name),
        row.cpus.into(),
        row.mem_mib.into(),
        row.disk_mib.into(),
        row.gpus.into(),
        text(row.gpu_model.as_ref()),
        text(row.rack.as_ref()),
        text(row.zone.as_ref()),
        if row.attributes.is_empty() { Cell::Missing } else { Cell::Text(attributes.into()) },
    ]
}

pub(super) fn machine_event(row: &MachineEventRow<'_>) -> [Cell; 7] {
    let (attribute, value) =
        row.attribute.as_ref().map_or((None, None), |(name, value)| (Some(name), value.as_ref()));
    [
        Cell::Int(row.at.0),
        Cell::from(&*row.machine),
        Cell::from(row.event.as_str()),
        row.cpus.into(),
        row.mem_mib.into(),
        text(attribute),
        text(value),
    ]
}

pub(super) fn usage(row: &UsageRow<'_>) -> Result<[Cell; 9], TraceError> {
    let [job, task, machine] = match &row.whose {
        Whose::Task(job, index) => [Cell::Int(number(*job)?), Cell::Int((*index).into()), Cell::Missing],
        Whose::Machine(name) => [Cell::Missing, Cell::Missing, Cell::from(&**name)],
    };
    Ok([
        job,
        task,
        machine,
        Cell::Int(row.start.0),
        Cell::Int(row.duration.0),
        row.cpus.into(),
        row.cpus_max.into(),
        row.mem_mib.into(),
        row.gpus.into(),
    ])
}
