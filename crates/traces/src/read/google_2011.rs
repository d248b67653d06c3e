//! Google ClusterData 2011-2: a cell of 12,583 machines over 29 days of May 2011. Six tables without headers, sorted by time,
//! in microseconds; the trace begins at 600 s, and what has the time 0 was so before.
//!
//! Reiss, Wilkes, Hellerstein, "Google cluster-usage traces: format + schema", 2011 (revised 2014). The tables are merged by
//! time, so that only what is open is in memory. A job that ended and is submitted again under its id is another job.

use crate::{
    Context, Format, Grouping, Source, Status, TraceError,
    format::{Part, Table},
    read::{
        borg::{BEGIN, JobEvent, Join, TaskEvent, Transition, Usage, term},
        borg_machines::{AttributeChange, MachineChange},
    },
    row::MachineEvent,
    shape::{Kind, fits},
    table::{Delimiter, Header, Layout, Reader, Row, RowError},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "google-2011",
    about: "Google ClusterData 2011-2: events of jobs, tasks and machines, constraints, usage",
    source: "github.com/google/cluster-data, ClusterData2011_2; CC-BY",
    grouping: Grouping::Together,
    detect,
    read,
};

const ATTRIBUTES: Table = "machine_attributes";
const MACHINES: Table = "machine_events";
const JOBS: Table = "job_events";
const TASKS: Table = "task_events";
const CONSTRAINTS: Table = "task_constraints";
const USAGE: Table = "task_usage";

/// The tables in the order in which rows of the same time are taken: what is referred to comes first.
const TABLES: [Table; 6] = [ATTRIBUTES, MACHINES, JOBS, TASKS, CONSTRAINTS, USAGE];

const ATTRIBUTE_COLUMNS: &[&str] =
    &["time", "machine ID", "attribute name", "attribute value", "attribute deleted"];
const MACHINE_COLUMNS: &[&str] =
    &["time", "machine ID", "event type", "platform ID", "CPU capacity", "memory capacity"];
const JOB_COLUMNS: &[&str] = &[
    "time",
    "missing info",
    "job ID",
    "event type",
    "user",
    "scheduling class",
    "job name",
    "logical job name",
];
const TASK_COLUMNS: &[&str] = &[
    "time",
    "missing info",
    "job ID",
    "task index",
    "machine ID",
    "event type",
    "user",
    "scheduling class",
    "priority",
    "CPU request",
    "memory request",
    "disk space request",
    "different machines restriction",
];
const CONSTRAINT_COLUMNS: &[&str] =
    &["time", "job ID", "task index", "comparison operator", "attribute name", "attribute value"];
/// The last one came with version 2.1.
const USAGE_COLUMNS: &[&str] = &[
    "start time",
    "end time",
    "job ID",
    "task index",
    "machine ID",
    "CPU rate",
    "canonical memory usage",
    "assigned memory usage",
    "unmapped page cache",
    "total page cache",
    "maximum memory usage",
    "disk I/O time",
    "local disk space usage",
    "maximum CPU rate",
    "maximum disk IO time",
    "cycles per instruction",
    "memory accesses per instruction",
    "sample portion",
    "aggregation type",
    "sampled CPU usage",
];

fn layout(table: Table) -> Layout {
    let (columns, least) = match table {
        ATTRIBUTES => (ATTRIBUTE_COLUMNS, 5),
        MACHINES => (MACHINE_COLUMNS, 6),
        JOBS => (JOB_COLUMNS, 8),
        TASKS => (TASK_COLUMNS, 13),
        CONSTRAINTS => (CONSTRAINT_COLUMNS, 6),
        _ => (USAGE_COLUMNS, 19),
    };
    let delimiter = Delimiter::Byte(b',');
    Layout { columns, header: Header::None, fields: least..=columns.len(), delimiter, comment: Some(b'#') }
}

fn detect(source: &Source) -> Option<Table> {
    use Kind::{Any, Int, MaybeInt, MaybeName, MaybeNumber, MaybeUpTo, Name, Number, UpTo};
    let mut usage = [MaybeNumber; 20];
    usage[..7].copy_from_slice(&[Int, Int, Int, Int, MaybeInt, Number, Number]);
    let missing = MaybeUpTo(2);
    let task_start = [Int, missing, Int, Int, MaybeInt, UpTo(8), MaybeName, MaybeUpTo(3), MaybeInt];
    let task_end = [MaybeNumber, MaybeNumber, MaybeNumber, MaybeUpTo(1)];
    let task: Vec<Kind> = task_start.into_iter().chain(task_end).collect();
    let tables: [(Table, &[Kind]); 7] = [
        (TASKS, &task),
        (JOBS, &[Int, missing, Int, UpTo(8), Name, MaybeUpTo(3), MaybeName, MaybeName]),
        (MACHINES, &[Int, Int, UpTo(2), MaybeName, MaybeNumber, MaybeNumber]),
        (ATTRIBUTES, &[Int, Int, Name, Any, UpTo(1)]),
        (CONSTRAINTS, &[Int, Int, Int, UpTo(3), Name, Any]),
        (USAGE, &usage),
        (USAGE, &usage[..19]),
    ];
    tables.into_iter().find(|(_, kinds)| fits(source, kinds)).map(|(table, _)| table)
}

/// The files of a table one after another, by the time of their first rows, and the row that comes next.
struct Stream<'a> {
    table: Table,
    layout: &'a Layout,
    parts: std::vec::IntoIter<&'a Part<'a>>,
    reader: Option<Reader<'a>>,
    time: i64,
    disorder: u64,
}

impl<'a> Stream<'a> {
    fn new(table: Table, layout: &'a Layout, parts: &'a [Part<'a>]) -> Self {
        let mut parts: Vec<&Part<'_>> = parts.iter().filter(|part| part.table == table).collect();
        parts.sort_by_key(|part| first_time(part.source));
        Self { table, layout, parts: parts.into_iter(), reader: None, time: 0, disorder: 0 }
    }

    /// Goes to the next row with a time; `false`: there is none.
    fn advance(&mut self, context: &mut Context<'_>) -> Result<bool, TraceError> {
        loop {
            let Some(reader) = &mut self.reader else {
                let Some(part) = self.parts.next() else { return Ok(false) };
                self.reader = Some(Reader::open(part, self.layout, context)?);
                continue;
            };
            if !reader.advance(context)? {
                self.reader = None;
                continue;
            }
            let row = reader.row();
            match row.int(0) {
                Ok(Some(time)) if time >= 0 => {
                    self.disorder += u64::from(time < self.time);
                    self.time = time;
                    return Ok(true);
                }
                Ok(_) | Err(_) => {
                    let wrong = row.wrong(0, "a time in microseconds, 0 or later");
                    reader.settle(Err(wrong), context)?;
                }
            }
        }
    }
}

fn first_time(source: &Source) -> i64 {
    let times = source.lines().filter_map(|line| line.split(',').next()?.trim().parse().ok());
    times.into_iter().next().unwrap_or(i64::MAX)
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    assume(parts, context);
    let has = |table: Table| parts.iter().any(|part| part.table == table);
    let mut join = Join::new(context.options, has(JOBS), has(MACHINES));
    let layouts = TABLES.map(layout);
    let mut streams = Vec::new();
    for (table, layout) in TABLES.into_iter().zip(&layouts) {
        let mut stream = Stream::new(table, layout, parts);
        let is_wanted = table != USAGE || context.options.usage;
        if is_wanted && stream.advance(context)? {
            streams.push(stream);
        }
    }
    while let Some(next) = (0..streams.len()).min_by_key(|&at| (streams[at].time, at)) {
        let stream = &mut streams[next];
        if let Some(reader) = &stream.reader {
            let taken = take(stream.table, stream.time, reader.row(), &mut join, context);
            reader.settle(taken, context)?;
        }
        if !stream.advance(context)? {
            let disorder = streams.remove(next).disorder;
            context
                .quality
                .note("rows with an earlier time than the row before: taken as they come", disorder);
        }
    }
    join.finish(context)
}

fn assume(parts: &[Part<'_>], context: &mut Context<'_>) {
    let options = context.options;
    context.quality.assume(format!(
        "amounts are shares of the largest machine: {} cores, {} MiB of memory, {} MiB of disk",
        options.largest_cpus, options.largest_mem_mib, options.largest_disk_mib
    ));
    context.quality.assume(format!(
        "times are kept as they are: the trace begins at {BEGIN}, and what has the time 0 was so before"
    ));
    if !options.usage && parts.iter().any(|part| part.table == USAGE) {
        context.quality.assume("the usage of tasks is not wanted: its files were not read");
    }
}

fn take(
    table: Table,
    time: i64,
    row: Row<'_>,
    join: &mut Join,
    context: &mut Context<'_>,
) -> Result<(), RowError> {
    match table {
        ATTRIBUTES => attribute(time, row, join, context),
        MACHINES => machine(time, row, join, context),
        JOBS => job(time, row, join, context),
        TASKS => task(time, row, join, context),
        CONSTRAINTS => constraint(time, row, join),
        _ => usage(time, row, join, context),
    }
}

fn id(row: Row<'_>, column: usize) -> Result<i64, RowError> {
    row.need_count(column)
}

fn transition(row: Row<'_>, column: usize) -> Result<Transition, RowError> {
    Ok(match row.int(column)? {
        Some(0) => Transition::Submit,
        Some(1) => Transition::Schedule,
        Some(2) => Transition::End(Status::Evicted),
        Some(3) => Transition::End(Status::Failed),
        Some(4) => Transition::End(Status::Finished),
        Some(5) => Transition::End(Status::Killed),
        Some(6) => Transition::End(Status::Lost),
        Some(7 | 8) => Transition::Update,
        Some(_) | None => return Err(row.wrong(column, "an event type, 0 to 8")),
    })
}

/// Some events were not recorded, and rows that stand for them say why.
fn missing_info(row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
    let what = match row.int(1)? {
        None => return Ok(()),
        Some(0) => "rows that stand for a transition that no snapshot shows (missing info 0)",
        Some(1) => "rows that stand for what neither snapshot nor transition shows (missing info 1)",
        Some(2) => "rows that stand for an unrecorded creation (missing info 2)",
        Some(_) => return Err(row.wrong(1, "nothing, 0, 1 or 2")),
    };
    context.quality.note(what, 1);
    Ok(())
}

fn job(time: i64, row: Row<'_>, join: &mut Join, context: &mut Context<'_>) -> Result<(), RowError> {
    let event = JobEvent {
        time,
        id: id(row, 2)?,
        what: transition(row, 3)?,
        user: row.text(4)?,
        class: row.int(5)?,
        priority: None,
        name: row.text(6)?,
        logical_name: row.text(7)?,
        after: &[],
        spread: None,
        is_alloc_set: false,
    };
    missing_info(row, context)?;
    Ok(join.job(&event, context)?)
}

fn task(time: i64, row: Row<'_>, join: &mut Join, context: &mut Context<'_>) -> Result<(), RowError> {
    let event = TaskEvent {
        time,
        job: id(row, 2)?,
        index: row.need_count(3)?,
        what: transition(row, 5)?,
        machine: row.count(4)?,
        user: row.text(6)?,
        class: row.int(7)?,
        priority: row.int(8)?,
        cpus: row.amount(9)?,
        mem: row.amount(10)?,
        disk: row.amount(11)?,
        distinct_machines: row.int(12)?.map(|flag| flag != 0),
        constraints: None,
        alloc: None,
        is_alloc: false,
    };
    missing_info(row, context)?;
    for (value, column) in [(event.cpus, 9), (event.mem, 10), (event.disk, 11)] {
        if value.is_none() {
            context.quality.miss(TASK_COLUMNS[column]);
        }
    }
    if event.what == Transition::Schedule && event.machine.is_none() {
        context.quality.miss("machine ID");
    }
    Ok(join.task(&event, context)?)
}

fn machine(time: i64, row: Row<'_>, join: &mut Join, context: &mut Context<'_>) -> Result<(), RowError> {
    let what = match row.int(2)? {
        Some(0) => MachineEvent::Add,
        Some(1) => MachineEvent::Remove,
        Some(2) => MachineEvent::Update,
        Some(_) | None => return Err(row.wrong(2, "0 (add), 1 (remove) or 2 (update)")),
    };
    let (cpus, mem) = (row.amount(4)?, row.amount(5)?);
    let change =
        MachineChange { time, id: id(row, 1)?, what, platform: row.text(3)?, switch: None, cpus, mem };
    for (value, column) in [(cpus, 4), (mem, 5)] {
        if value.is_none() {
            context.quality.miss(MACHINE_COLUMNS[column]);
        }
    }
    Ok(join.machines.change(&change, context)?)
}

fn attribute(time: i64, row: Row<'_>, join: &mut Join, context: &mut Context<'_>) -> Result<(), RowError> {
    let is_deleted = row.need_int(4)? != 0;
    let value = row.text(3)?.unwrap_or_default();
    let value = (!is_deleted).then_some(value);
    let change = AttributeChange { time, id: id(row, 1)?, name: row.name(2)?, value };
    Ok(join.machines.attribute(change, context)?)
}

fn constraint(time: i64, row: Row<'_>, join: &mut Join) -> Result<(), RowError> {
    let operator = match row.int(3)? {
        Some(0) => "==",
        Some(1) => "!=",
        Some(2) => "<",
        Some(3) => ">",
        Some(_) | None => return Err(row.wrong(3, "a comparison operator, 0 to 3")),
    };
    let term = term(row.name(4)?, operator, row.text(5)?.unwrap_or_default());
    join.constraint(time, id(row, 1)?, row.need_count(2)?, &term);
    Ok(())
}

fn usage(start: i64, row: Row<'_>, join: &mut Join, context: &mut Context<'_>) -> Result<(), RowError> {
    let (job, index, end) = (id(row, 2)?, row.need_count(3)?, id(row, 1)?);
    let (cpus, mem, cpus_max) = (row.amount(5)?, row.amount(6)?, row.amount(13)?);
    Ok(join.usage(Usage { start, end, job, index, cpus, cpus_max, mem }, context)?)
}

#[cfg(test)]
mod tests;
