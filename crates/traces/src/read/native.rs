//! The native form on disk ([`store`](crate::store)): what was converted once is a trace like any other.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    io::Read,
    sync::{Mutex, PoisonError},
};

use serde_json::Value as Json;

use crate::{
    Context, Format, Grouping, JobRow, MachineEventRow, MachineRow, Micros, Source, Status, TaskRow,
    TraceError, UsageRow,
    columns::{Column, Line},
    format::{Part, Table},
    parquet,
    row::{Extra, MachineEvent, Value, Whose},
    source::read_error,
    store::{VERSION, tables},
    table::RowError,
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "native",
    about: "the native form: Parquet tables of jobs, tasks, machines, machine events and usage",
    source: "`mesosim trace convert` writes it; the terms are those of the trace that it was made from",
    grouping: Grouping::Directory,
    detect,
    read,
};

/// Longer descriptions are none.
const LONGEST_ABOUT: u64 = 1 << 24;
/// So many names of extra facts are kept for good: the rows lend them for ever.
const MOST_NAMES: usize = 4096;

fn detect(source: &Source) -> Option<Table> {
    let is_about = unmarked(&source.head).trim_ascii_start().starts_with(b"{")
        && memchr::memmem::find(&source.head, b"\"mesosim_trace\"").is_some();
    if is_about {
        return Some("about");
    }
    let all: [(Table, &[Column]); 5] = [
        ("jobs", tables::JOBS),
        ("tasks", tables::TASKS),
        ("machines", tables::MACHINES),
        ("machine_events", tables::MACHINE_EVENTS),
        ("usage", tables::USAGE),
    ];
    all.into_iter().find(|(_, columns)| has(source, columns)).map(|(table, _)| table)
}

/// Without a byte order mark.
fn unmarked(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

fn has(source: &Source, columns: &[Column]) -> bool {
    let required = columns.iter().filter(|column| column.required).map(|column| column.name);
    parquet::has_columns(source, &required.collect::<Vec<_>>())
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    for part in parts {
        match part.table {
            "about" => about(part, context)?,
            "jobs" => parquet::rows(part, tables::JOBS, context, job)?,
            "tasks" => parquet::rows(part, tables::TASKS, context, task)?,
            "machines" => parquet::rows(part, tables::MACHINES, context, machine)?,
            "machine_events" => parquet::rows(part, tables::MACHINE_EVENTS, context, machine_event)?,
            "usage" if context.options.usage => parquet::rows(part, tables::USAGE, context, usage)?,
            _ => {}
        }
    }
    Ok(())
}

/// What was assumed when the trace was converted still is.
fn about(part: &Part<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
    let path = &part.source.path;
    let mut text = Vec::new();
    let read = part.source.open()?.take(LONGEST_ABOUT).read_to_end(&mut text);
    read.map_err(|error| read_error(path, 0, error))?;
    let malformed = |problem: String| TraceError::Malformed {
        path: path.clone(),
        line: None,
        problem,
        expected: format!("a JSON object with `mesosim_trace`: {VERSION}"),
    };
    let about: Json =
        serde_json::from_slice(unmarked(&text)).map_err(|error| malformed(error.to_string()))?;
    let version = about.get("mesosim_trace").unwrap_or(&Json::Null);
    if version.as_u64() != Some(VERSION) {
        return Err(malformed(format!("`mesosim_trace` is {version}")));
    }
    let assumptions = about.get("assumptions").and_then(Json::as_array).into_iter().flatten();
    assumptions.filter_map(Json::as_str).for_each(|said| context.quality.assume(said));
    Ok(())
}

fn micros(line: Line<'_>, column: usize) -> Option<Micros> {
    line.int(column).map(Micros)
}

fn text(line: Line<'_>, column: usize) -> Option<Cow<'_, str>> {
    line.text(column).map(Cow::Borrowed)
}

fn status(line: Line<'_>, column: usize) -> Result<Option<Status>, RowError> {
    let Some(word) = line.text(column) else { return Ok(None) };
    Status::parse(word).map(Some).ok_or_else(|| line.wrong(column, "a status such as `finished`"))
}

fn number(line: Line<'_>, column: usize) -> Result<u64, RowError> {
    line.count(column)?.ok_or_else(|| line.wrong(column, "the number of a job"))
}

fn numbers<T: TryFrom<i64>>(line: Line<'_>, column: usize) -> Result<Vec<T>, RowError> {
    let list = line.list(column).iter().map(|number| T::try_from(*number).map_err(|_| ()));
    list.collect::<Result<_, ()>>().map_err(|()| line.wrong(column, "numbers, 0 or more"))
}

/// The facts of a JSON object of numbers and texts.
fn facts(line: Line<'_>, column: usize) -> Result<Extra<'static>, RowError> {
    let Some(text) = line.text(column) else { return Ok(Extra::new()) };
    let wrong = || line.wrong(column, "a JSON object of numbers and texts");
    let Ok(Json::Object(object)) = serde_json::from_str(text) else { return Err(wrong()) };
    let mut extra = Extra::new();
    for (name, value) in object {
        let value = match value {
            Json::Number(number) => Value::Number(number.as_f64().ok_or_else(wrong)?),
            Json::String(text) => Value::Text(text.into()),
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => return Err(wrong()),
        };
        let name = lasting(&name).ok_or_else(|| line.wrong(column, "fewer names of facts in all"))?;
        extra.push((name, value));
    }
    Ok(extra)
}

/// The same text for as long as the program runs, once for each.
fn lasting(name: &str) -> Option<&'static str> {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return Some(known);
    }
    if names.len() == MOST_NAMES {
        return None;
    }
    let name: &'static str = Box::leak(name.into());
    names.insert(name);
    Some(name)
}

fn job(line: Line<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
    let row = JobRow {
        number: number(line, 0)?,
        name: text(line, 1).unwrap_or_default(),
        user: text(line, 2),
        group: text(line, 3),
        class: text(line, 4),
        application: text(line, 5),
        priority: line.int(6),
        weight: line.amount(7)?,
        submit: micros(line, 8),
        start: micros(line, 9),
        end: micros(line, 10),
        requested_time: micros(line, 11),
        deadline: micros(line, 12),
        status: status(line, 13)?,
        gang: line.int(14) == Some(1),
        parents: numbers(line, 15)?,
        extra: facts(line, 16)?,
    };
    Ok(context.job(&row)?)
}

fn task(line: Line<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
    let count = |column| line.count::<u32>(column)?.ok_or_else(|| line.wrong(column, "a number, 0 or more"));
    let row = TaskRow {
        job: number(line, 0)?,
        index: count(1)?,
        name: text(line, 2),
        instances: count(3)?,
        parents: numbers(line, 4)?,
        cpus: line.amount(5)?,
        mem_mib: line.amount(6)?,
        disk_mib: line.amount(7)?,
        gpus: line.amount(8)?,
        gpu_model: text(line, 9),
        submit: micros(line, 10),
        start: micros(line, 11),
        end: micros(line, 12),
        duration: micros(line, 13),
        status: status(line, 14)?,
        priority: line.int(15),
        attempts: line.count(16)?.unwrap_or(0),
        evictions: line.count(17)?.unwrap_or(0),
        machine: text(line, 18),
        constraints: text(line, 19),
        extra: facts(line, 20)?,
    };
    Ok(context.task(&row)?)
}

fn machine(line: Line<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
    let wrong = || line.wrong(8, "a JSON array of pairs of texts");
    let attributes: Vec<(String, String)> =
        line.text(8).map_or(Ok(Vec::new()), serde_json::from_str).map_err(|_| wrong())?;
    let row = MachineRow {
        name: line.name(0)?.into(),
        cpus: line.amount(1)?,
        mem_mib: line.amount(2)?,
        disk_mib: line.amount(3)?,
        gpus: line.amount(4)?,
        gpu_model: text(line, 5),
        rack: text(line, 6),
        zone: text(line, 7),
        attributes: attributes.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
    };
    Ok(context.machine(&row)?)
}

fn machine_event(line: Line<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
    let event = MachineEvent::parse(line.name(2)?);
    let row = MachineEventRow {
        at: Micros(line.need_int(0)?),
        machine: line.name(1)?.into(),
        event: event.ok_or_else(|| line.wrong(2, "add, remove, update or soft-error"))?,
        cpus: line.amount(3)?,
        mem_mib: line.amount(4)?,
        attribute: text(line, 5).map(|name| (name, text(line, 6))),
    };
    Ok(context.machine_event(&row)?)
}

fn usage(line: Line<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
    let whose = match text(line, 2) {
        Some(machine) => Whose::Machine(machine),
        None => {
            Whose::Task(number(line, 0)?, line.count(1)?.ok_or_else(|| line.wrong(1, "the index of a task"))?)
        }
    };
    let duration = line.need_int(4)?;
    if duration < 0 {
        return Err(line.wrong(4, "microseconds, 0 or more"));
    }
    let row = UsageRow {
        whose,
        start: Micros(line.need_int(3)?),
        duration: Micros(duration),
        cpus: line.amount(5)?,
        cpus_max: line.amount(6)?,
        mem_mib: line.amount(7)?,
        gpus: line.amount(8)?,
    };
    Ok(context.usage(&row)?)
}

#[cfg(test)]
mod tests {
    use crate::{Options, Trace, TraceError, sink::Collected};

    #[test]
    fn a_form_of_another_version_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(dir.path().join("trace.json"), r#"{"mesosim_trace": 2}"#)
            .expect("room for a small file");
        let trace = Trace::one(dir.path(), None).expect("one trace");
        let read = trace.read(&Options::default(), &mut Collected::default(), &mut |_| true);
        assert!(matches!(read, Err(TraceError::Malformed { .. })), "{read:?}");
        assert_eq!(trace.format.name, "native");
    }
}
