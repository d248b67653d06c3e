//! Slurm's accounting as `sacct -P` prints it: a header, fields between `|`, any selection of columns.
//!
//! A job is one task of as many instances as it has nodes, all at once; the components of a heterogeneous job are the tasks of
//! one job. Each task of an array is a job of its own, as it is to Slurm's scheduler.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use rustc_hash::FxHashMap;

use crate::{
    Context, Format, Grouping, JobRow, Micros, Source, Status, TaskRow, TraceError, date,
    error::nearest,
    format::{Part, Table},
    row::{Extra, Value},
    table::{Delimiter, Header, Layout, Row, RowError, parse_int, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "sacct",
    about: "Slurm accounting: the output of `sacct -P`, with any columns",
    source: "Slurm's manual page sacct(1); the data are your own",
    grouping: Grouping::File,
    detect,
    read,
};

const COLUMNS: &[&str] = &[
    "JobID",
    "JobIDRaw",
    "JobName",
    "User",
    "Account",
    "Partition",
    "QOS",
    "Priority",
    "Submit",
    "Start",
    "End",
    "Elapsed",
    "ElapsedRaw",
    "Timelimit",
    "TimelimitRaw",
    "NCPUS",
    "AllocCPUS",
    "ReqCPUS",
    "NNodes",
    "AllocNodes",
    "ReqNodes",
    "ReqMem",
    "ReqTRES",
    "AllocTRES",
    "State",
    "NodeList",
];

const JOB_ID: usize = 0;
const RAW_ID: usize = 1;
const JOB_NAME: usize = 2;
const USER: usize = 3;
const ACCOUNT: usize = 4;
const PARTITION: usize = 5;
const QOS: usize = 6;
const PRIORITY: usize = 7;
const SUBMIT: usize = 8;
const START: usize = 9;
const END: usize = 10;
const ELAPSED: usize = 11;
const ELAPSED_RAW: usize = 12;
const LIMIT: usize = 13;
const LIMIT_RAW: usize = 14;
const NCPUS: usize = 15;
const ALLOCATED_CPUS: usize = 16;
const REQUESTED_CPUS: usize = 17;
const NODES: usize = 18;
const ALLOCATED_NODES: usize = 19;
const REQUESTED_NODES: usize = 20;
const REQUESTED_MEMORY: usize = 21;
const REQUESTED_TRES: usize = 22;
const ALLOCATED_TRES: usize = 23;
const STATE: usize = 24;
const NODE_LIST: usize = 25;

fn layout() -> Layout {
    Layout {
        columns: COLUMNS,
        header: Header::Required(0),
        fields: 1..=usize::MAX,
        delimiter: Delimiter::Bare(b'|'),
        comment: None,
    }
}

fn detect(source: &Source) -> Option<Table> {
    let names: Vec<&str> = source.first_line()?.split('|').map(str::trim).collect();
    let has = |column: usize| names.contains(&COLUMNS[column]);
    let is_header = names.len() > 1
        && (has(JOB_ID) || has(RAW_ID))
        && names.iter().filter(|name| COLUMNS.contains(name)).count() > 1;
    is_header.then_some("jobs")
}

/// What is known of the file so far.
#[derive(Default)]
struct Log {
    next: u64,
    origin: Micros,
    /// The jobs of heterogeneous jobs.
    heterogeneous: FxHashMap<i64, u64>,
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume(
        "a job is as many instances as it has nodes, with equal shares of what was allocated, else of what was asked for",
    );
    context.quality.assume("times are read as UTC: an hour of summer time more or less does not show");
    for part in parts {
        let mut first: Option<Micros> = None;
        context.first_pass(|context| {
            rows(part, &layout(), context, |row, _| {
                let known = time(row, SUBMIT)?.or(time(row, START)?).or(time(row, END)?);
                first = first.into_iter().chain(known).min();
                Ok(())
            })
        })?;
        let mut log = Log { origin: first.unwrap_or_default(), ..Log::default() };
        context.quality.assume(format!("time 0 is the first submission, {}", date::show(log.origin)));
        rows(part, &layout(), context, |row, context| line(row, context, &mut log))?;
    }
    Ok(())
}

/// What a job's id says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Id<'a> {
    /// A job.
    Plain,
    /// A part of a job: its batch script, a step.
    Step,
    /// A task of an array: `12_3`.
    Array { task: i64 },
    /// Tasks of an array that still wait: `12_[3-5,7%2]`.
    Pending { tasks: &'a str },
    /// A component of a heterogeneous job: `12+1`.
    Component { job: i64, index: u32 },
}

fn id(text: &str) -> Option<Id<'_>> {
    let number = |text: &str| parse_int(text.as_bytes()).filter(|number| *number >= 0);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (job, rest) = text.split_at(digits);
    let job = number(job)?;
    if rest.is_empty() {
        return Some(Id::Plain);
    }
    if let Some(list) = rest.strip_prefix("_[").and_then(|list| list.strip_suffix(']')) {
        return Some(Id::Pending { tasks: list });
    }
    let (own, step) = rest.split_once('.').map_or((rest, None), |(own, step)| (own, Some(step)));
    if let Some(step) = step {
        return (!step.is_empty()).then_some(Id::Step);
    }
    if let Some(task) = own.strip_prefix('_') {
        return number(task).map(|task| Id::Array { task });
    }
    let index = own.strip_prefix('+').and_then(number)?;
    Some(Id::Component { job, index: u32::try_from(index).ok()? })
}

/// How many tasks a list such as `3-5,7,10-20:5%2` names.
fn pending(list: &str) -> Option<u32> {
    let list = list.split_once('%').map_or(list, |(list, _)| list);
    let count = |range: &str| {
        let (range, step) = range.split_once(':').unwrap_or((range, "1"));
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let (from, to, step) =
            (from.parse::<u32>().ok()?, to.parse::<u32>().ok()?, step.parse::<u32>().ok()?);
        to.checked_sub(from)?.checked_div(step)?.checked_add(1)
    };
    list.split(',').try_fold(0_u32, |sum, range| sum.checked_add(count(range)?))
}

fn line(row: Row<'_>, context: &mut Context<'_>, log: &mut Log) -> Result<(), RowError> {
    let column = if row.text(JOB_ID)?.is_some() { JOB_ID } else { RAW_ID };
    let name = row.name(column)?;
    let id = id(name).ok_or_else(|| row.wrong(column, "the id of a job: 12, 12_3, 12+1 or 12.batch"))?;
    let instances = match id {
        Id::Step => {
            context.quality.note("job steps: left out, their jobs have lines of their own", 1);
            return Ok(());
        }
        Id::Pending { tasks } => pending(tasks).ok_or_else(|| row.wrong(column, "a list of array tasks"))?,
        Id::Plain | Id::Array { .. } | Id::Component { .. } => 1,
    };
    let (status, word) = state(row)?;
    if status.is_none() {
        context.quality.miss(COLUMNS[STATE]);
    }
    let attempt = Attempt::of(row, log.origin, status)?;
    let demand = demand(row, context)?;
    let job = match id {
        Id::Component { job, .. } => *log.heterogeneous.entry(job).or_insert(log.next),
        Id::Plain | Id::Array { .. } | Id::Pending { .. } | Id::Step => log.next,
    };
    let index = if let Id::Component { index, .. } = id { index } else { 0 };
    if job == log.next {
        log.next += 1;
        context.job(&JobRow {
            number: job,
            name: name.into(),
            user: row.text(USER)?.map(Into::into),
            group: row.text(ACCOUNT)?.map(Into::into),
            class: class(row)?,
            application: row.text(JOB_NAME)?.map(Into::into),
            priority: row.int(PRIORITY)?,
            submit: attempt.submit,
            start: attempt.start,
            end: attempt.end,
            requested_time: limit(row)?,
            status,
            gang: !matches!(id, Id::Pending { .. }),
            extra: extra(id, name, word),
            ..JobRow::default()
        })?;
    }
    context.task(&TaskRow {
        job,
        index,
        name: Some(name.into()),
        instances: demand.nodes.checked_mul(instances).ok_or_else(|| row.wrong(column, "fewer tasks"))?,
        cpus: demand.cpus,
        mem_mib: demand.mem_mib,
        gpus: demand.gpus,
        gpu_model: demand.gpu_model.map(Into::into),
        submit: attempt.submit,
        start: attempt.start,
        end: attempt.end,
        duration: attempt.duration,
        status,
        attempts: u32::from(attempt.start.is_some() || attempt.duration.is_some_and(|ran| ran.0 > 0)),
        evictions: u32::from(status == Some(Status::Evicted)),
        machine: host(row)?,
        ..TaskRow::default()
    })?;
    Ok(())
}

fn class(row: Row<'_>) -> Result<Option<Cow<'_, str>>, RowError> {
    Ok(match (row.text(PARTITION)?, row.text(QOS)?) {
        (Some(partition), Some(qos)) => Some(format!("{partition}/{qos}").into()),
        (one, other) => one.or(other).map(Into::into),
    })
}

fn extra<'a>(id: Id<'a>, name: &'a str, word: Option<&'a str>) -> Extra<'a> {
    let mut extra = Extra::new();
    if let Id::Array { task } = id {
        let array = name.split_once('_').map_or(name, |(array, _)| array);
        extra.push(("array_job", Value::Text(array.into())));
        extra.push(("array_task", Value::Number(task as f64)));
    }
    extra.extend(word.map(|word| ("slurm_state", Value::Text(word.into()))));
    extra
}

/// When an attempt was made.
struct Attempt {
    submit: Option<Micros>,
    start: Option<Micros>,
    end: Option<Micros>,
    duration: Option<Micros>,
}

impl Attempt {
    fn of(row: Row<'_>, origin: Micros, status: Option<Status>) -> Result<Self, RowError> {
        let since = |column| -> Result<Option<Micros>, RowError> {
            Ok(time(row, column)?.map(|at| Micros(at.0.saturating_sub(origin.0))))
        };
        let (submit, start, end) = (since(SUBMIT)?, since(START)?, since(END)?);
        let is_censored = status.is_some_and(Status::is_censored);
        // A job that waits is given a start that the scheduler expects, and one that runs an end at its limit.
        let start = start.filter(|_| status != Some(Status::Waiting));
        let end = end.filter(|_| !is_censored);
        let elapsed = elapsed(row)?;
        let duration = elapsed.or_else(|| end?.since(start?)).filter(|_| !is_censored);
        let end = end.or_else(|| Some(Micros(start?.0.saturating_add(duration?.0))));
        if start.zip(end).is_some_and(|(start, end)| end < start) {
            return Err(row.wrong(END, "an end that is not before the start"));
        }
        // Cancelled before it started: Slurm writes the end as start too.
        let never_ran =
            status == Some(Status::Killed) && duration.is_none_or(|ran| ran.0 == 0) && start == end;
        let (start, duration) = if never_ran { (None, None) } else { (start, duration) };
        Ok(Self { submit, start, end, duration })
    }
}

/// Words for a time or a limit that is not there.
const NO_TIME: [&str; 7] = ["Unknown", "None", "N/A", "NONE", "INVALID", "Partition_Limit", "UNLIMITED"];

fn present(row: Row<'_>, column: usize) -> Result<Option<&str>, RowError> {
    Ok(row.text(column)?.filter(|text| !NO_TIME.contains(text)))
}

/// A point in time; seconds since 1970 are what SLURM_TIME_FORMAT="%s" gives.
fn time(row: Row<'_>, column: usize) -> Result<Option<Micros>, RowError> {
    let Some(text) = present(row, column)? else { return Ok(None) };
    let seconds = parse_int(text.as_bytes()).and_then(Micros::from_secs);
    let time = seconds.or_else(|| date::parse(text, &TimeZone::UTC));
    time.map(Some).ok_or_else(|| row.wrong(column, "a time such as 2024-05-01T12:00:00"))
}

fn elapsed(row: Row<'_>) -> Result<Option<Micros>, RowError> {
    if let Some(seconds) = row.int(ELAPSED_RAW)? {
        return Ok(Micros::from_secs(seconds).filter(|ran| ran.0 >= 0));
    }
    let Some(text) = present(row, ELAPSED)? else { return Ok(None) };
    date::span(text).map(Some).ok_or_else(|| row.wrong(ELAPSED, "a duration such as 1-02:03:04"))
}

fn limit(row: Row<'_>) -> Result<Option<Micros>, RowError> {
    if let Some(minutes) = present(row, LIMIT_RAW)?.and_then(|text| parse_int(text.as_bytes())) {
        return Ok(minutes.checked_mul(60).and_then(Micros::from_secs).filter(|limit| limit.0 >= 0));
    }
    let Some(text) = present(row, LIMIT)? else { return Ok(None) };
    date::span(text).map(Some).ok_or_else(|| row.wrong(LIMIT, "a limit such as 1-02:03:04 or UNLIMITED"))
}

const STATES: &[(&str, &str, Status)] = &[
    ("COMPLETED", "CD", Status::Finished),
    ("FAILED", "F", Status::Failed),
    ("OUT_OF_MEMORY", "OOM", Status::Failed),
    ("BOOT_FAIL", "BF", Status::Failed),
    ("LAUNCH_FAILED", "LF", Status::Failed),
    ("CANCELLED", "CA", Status::Killed),
    ("TIMEOUT", "TO", Status::TimedOut),
    ("DEADLINE", "DL", Status::TimedOut),
    ("NODE_FAIL", "NF", Status::Evicted),
    ("PREEMPTED", "PR", Status::Evicted),
    ("REQUEUED", "RQ", Status::Evicted),
    ("REVOKED", "RV", Status::Evicted),
    ("RUNNING", "R", Status::Running),
    ("COMPLETING", "CG", Status::Running),
    ("CONFIGURING", "CF", Status::Running),
    ("RESIZING", "RS", Status::Running),
    ("SUSPENDED", "S", Status::Running),
    ("STOPPED", "ST", Status::Running),
    ("PENDING", "PD", Status::Waiting),
];

/// `CANCELLED by 1000` and, cut by a narrow column, `CANCELLED+` are CANCELLED.
fn state(row: Row<'_>) -> Result<(Option<Status>, Option<&'static str>), RowError> {
    let Some(text) = row.text(STATE)? else { return Ok((None, None)) };
    let word = text.split_whitespace().next().unwrap_or(text).trim_end_matches('+');
    let known = STATES.iter().find(|(long, short, _)| word == *long || word == *short);
    known.map(|(long, _, status)| (Some(*status), Some(*long))).ok_or_else(|| {
        let close = nearest(word, STATES.iter().map(|(long, ..)| *long)).unwrap_or("COMPLETED");
        row.wrong(STATE, format!("a state such as {close}"))
    })
}

/// What one node of a job has.
struct Demand<'a> {
    nodes: u32,
    cpus: Option<f64>,
    mem_mib: Option<f64>,
    gpus: Option<f64>,
    gpu_model: Option<&'a str>,
}

fn demand<'a>(row: Row<'a>, context: &mut Context<'_>) -> Result<Demand<'a>, RowError> {
    let (allocated, requested) = (Tres::of(row, ALLOCATED_TRES)?, Tres::of(row, REQUESTED_TRES)?);
    let count =
        |column| -> Result<Option<f64>, RowError> { Ok(row.amount(column)?.filter(|count| *count > 0.0)) };
    let cpus = allocated
        .cpus
        .or(count(ALLOCATED_CPUS)?)
        .or(count(NCPUS)?)
        .or(requested.cpus)
        .or(count(REQUESTED_CPUS)?);
    let nodes = allocated.nodes.or(count(ALLOCATED_NODES)?).or(count(NODES)?);
    let nodes = nodes.or(requested.nodes).or(count(REQUESTED_NODES)?);
    if nodes.is_none() {
        context.quality.assume("jobs whose number of nodes is not said are on one");
    }
    if cpus.is_none() {
        context.quality.miss(COLUMNS[NCPUS]);
    }
    let nodes = nodes.unwrap_or(1.0);
    if nodes > f64::from(u32::MAX) || nodes.fract() != 0.0 {
        return Err(row.wrong(NODES, "a number of nodes"));
    }
    let memory = match allocated.mem_mib.or(requested.mem_mib) {
        Some(total) => Some(total / nodes),
        None => requested_memory(row, nodes, cpus)?,
    };
    Ok(Demand {
        nodes: nodes as u32,
        cpus: cpus.map(|cpus| cpus / nodes),
        mem_mib: memory,
        gpus: allocated.gpus.or(requested.gpus).map(|gpus| gpus / nodes),
        gpu_model: allocated.gpu_model.or(requested.gpu_model),
    })
}

/// Trackable resources: `billing=8,cpu=8,gres/gpu:a100=2,gres/gpu=2,mem=16G,node=2`; amounts are the whole job's.
#[derive(Default)]
struct Tres<'a> {
    cpus: Option<f64>,
    mem_mib: Option<f64>,
    nodes: Option<f64>,
    gpus: Option<f64>,
    gpu_model: Option<&'a str>,
}

impl<'a> Tres<'a> {
    fn of(row: Row<'a>, column: usize) -> Result<Self, RowError> {
        let (mut tres, mut models) = (Self::default(), 0.0);
        for term in row.text(column)?.unwrap_or_default().split(',').filter(|term| !term.is_empty()) {
            let wrong = || row.wrong(column, "terms such as cpu=8,mem=16G,node=2,gres/gpu=2");
            let (name, value) = term.split_once('=').ok_or_else(wrong)?;
            let count = || {
                value.parse::<f64>().ok().filter(|count| count.is_finite() && *count >= 0.0).ok_or_else(wrong)
            };
            match name.trim() {
                "cpu" => tres.cpus = Some(count()?),
                "node" => tres.nodes = Some(count()?),
                "mem" => tres.mem_mib = Some(mebibytes(value).ok_or_else(wrong)?),
                "gres/gpu" => tres.gpus = Some(count()?),
                other => {
                    if let Some(model) = other.strip_prefix("gres/gpu:") {
                        (tres.gpu_model, models) = (Some(model), models + count()?);
                    }
                }
            }
        }
        tres.gpus = tres.gpus.or((models > 0.0).then_some(models));
        tres.nodes = tres.nodes.filter(|nodes| *nodes > 0.0);
        tres.cpus = tres.cpus.filter(|cpus| *cpus > 0.0);
        Ok(tres)
    }
}

/// `ReqMem`: with `n` for each node, with `c` for each core, without either the whole job's (Slurm 21.08 and later); 0 is all
/// that a node has, and says nothing of how much that is.
fn requested_memory(row: Row<'_>, nodes: f64, cpus: Option<f64>) -> Result<Option<f64>, RowError> {
    let Some(text) = row.text(REQUESTED_MEMORY)? else { return Ok(None) };
    let wrong = || row.wrong(REQUESTED_MEMORY, "an amount such as 16G, 4000Mn or 2Gc");
    let amount = |text: &str| mebibytes(text).ok_or_else(wrong);
    let per_node = if let Some(each) = text.strip_suffix('n') {
        amount(each)?
    } else if let Some(each) = text.strip_suffix('c') {
        amount(each)? * cpus.unwrap_or(1.0) / nodes
    } else {
        amount(text.trim_end_matches('?'))? / nodes
    };
    Ok(Some(per_node).filter(|mebibytes| *mebibytes > 0.0))
}

/// An amount of memory; without a unit it is megabytes.
fn mebibytes(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "" | "M" | "MB" => 1.0,
        "K" | "KB" => 1.0 / 1024.0,
        "G" | "GB" => 1024.0,
        "T" | "TB" => 1_048_576.0,
        "P" | "PB" => 1_073_741_824.0,
        _ => return None,
    };
    digits
        .parse::<f64>()
        .ok()
        .filter(|amount| amount.is_finite() && *amount >= 0.0)
        .map(|amount| amount * unit)
}

/// The node of a job that ran on one.
fn host(row: Row<'_>) -> Result<Option<Cow<'_, str>>, RowError> {
    let one = |list: &&str| *list != "None assigned" && !list.contains([',', '[']);
    Ok(row.text(NODE_LIST)?.filter(one).map(Into::into))
}

#[cfg(test)]
mod tests {
    use super::{Id, id, mebibytes, pending};
    use crate::{
        Micros, Status,
        read::testing::{read, rejections},
    };

    #[test]
    fn ids_tell_jobs_steps_arrays_and_components() {
        assert_eq!(id("12"), Some(Id::Plain));
        assert_eq!(id("12_3"), Some(Id::Array { task: 3 }));
        assert_eq!(id("12+1"), Some(Id::Component { job: 12, index: 1 }));
        for step in ["12.batch", "12.0", "12_3.extern", "12+1.0"] {
            assert_eq!(id(step), Some(Id::Step), "{step}");
        }
        assert_eq!(id("12_[1-3%2]"), Some(Id::Pending { tasks: "1-3%2" }));
        for bad in ["", "x", "12_", "12+", "12.", "12_x", "-1", "12+9999999999"] {
            assert_eq!(id(bad), None, "{bad}");
        }
        assert_eq!(
            (pending("3-5,7%2"), pending("10-20:5"), pending("5-3"), pending("1-9:0")),
            (Some(4), Some(3), None, None)
        );
    }

    #[test]
    fn memory_has_units() {
        assert_eq!(
            (mebibytes("2048K"), mebibytes("1.5G"), mebibytes("7"), mebibytes("1X")),
            (Some(2.0), Some(1536.0), Some(7.0), None)
        );
    }

    #[test]
    fn a_job_is_spread_over_its_nodes() {
        let text = b"JobID|JobName|User|Account|Partition|QOS|Submit|Start|End|Elapsed|Timelimit|AllocTRES|State\n\
            7|a|b|u|g|p|q|2024-05-01T00:01:00|x|y|1|2|3|4\n\
            8|train \"big|u|g|gpu|high|2024-05-01T00:01:00|2024-05-01T00:02:00|2024-05-02T01:02:03|1-01:00:03|2-00:00:00|billing=16,cpu=16,gres/gpu:a100=8,gres/gpu=8,mem=64G,node=4|COMPLETED\n\
            8.batch|batch||g||||2024-05-01T00:02:00|2024-05-02T01:02:03|1-01:00:03||cpu=4,mem=16G,node=1|COMPLETED\n";
        let (format, rows, quality) = read(&[("jobs.txt", text)]);
        assert_eq!((format, rows.jobs.len(), rows.tasks.len()), ("sacct", 1, 1));
        let (job, task) = (&rows.jobs[0], &rows.tasks[0]);
        assert_eq!((job.submit, job.start), (Some(Micros(0)), Some(Micros(60_000_000))));
        assert_eq!(
            (job.class.as_deref(), job.requested_time),
            (Some("gpu/high"), Some(Micros(172_800_000_000)))
        );
        assert_eq!(
            (task.instances, task.cpus, task.mem_mib, task.gpus),
            (4, Some(4.0), Some(16_384.0), Some(2.0))
        );
        assert_eq!((task.gpu_model.as_deref(), task.duration), (Some("a100"), Some(Micros(90_003_000_000))));
        assert_eq!(rejections(&quality), ["line 2: 14 fields: expected 13 fields"]);
        assert_eq!(quality.notes().len(), 1, "the step is counted");
    }

    #[test]
    fn states_and_times_that_are_not_there_yet() {
        let text = b"JobIDRaw|Submit|Start|End|ElapsedRaw|State|NCPUS|ReqMem|NNodes|\n\
            1|2024-05-01T00:00:10|2024-05-01T00:00:20|Unknown|500|RUNNING|8|2Gc|2|\n\
            2|2024-05-01T00:00:00|Unknown|Unknown|0|PENDING|8|4000Mn|2|\n\
            3|2024-05-01T00:00:00|None|2024-05-01T00:00:30|0|CANCELLED by 1000|8|16G|2|\n\
            4|2024-05-01T00:00:00|2024-05-01T00:00:30|2024-05-01T00:00:30|0|CANCELLED+|8|0n|0|\n\
            5|2024-05-01T00:00:00|2024-05-01T00:00:30|2024-05-01T00:00:40|10|NODE_FAIL|8|0|1|\n\
            6|2024-05-01T00:00:00|2024-05-01T00:00:30|2024-05-01T00:00:40|10|COMPLETE|8|0|1|\n";
        let (_, rows, quality) = read(&[("jobs.txt", text)]);
        let statuses: Vec<_> = rows.jobs.iter().filter_map(|job| job.status).collect();
        assert_eq!(
            statuses,
            [Status::Running, Status::Waiting, Status::Killed, Status::Killed, Status::Evicted]
        );
        let memory: Vec<_> = rows.tasks.iter().map(|task| task.mem_mib).collect();
        assert_eq!(memory, [Some(8192.0), Some(4000.0), Some(8192.0), None, None]);
        assert_eq!((rows.tasks[0].end, rows.tasks[0].duration, rows.tasks[0].attempts), (None, None, 1));
        assert!(rows.tasks[1..4].iter().all(|task| task.start.is_none() && task.attempts == 0));
        assert_eq!(rows.tasks[3].end, Some(Micros(30_000_000)));
        assert_eq!(
            rejections(&quality),
            ["line 7: `State` is `COMPLETE`: expected a state such as COMPLETED"]
        );
    }

    #[test]
    fn arrays_are_jobs_and_components_are_tasks() {
        let text = b"JobID|Submit|NCPUS|State\n12_3|1714500000|1|COMPLETED\n12_[4-6%2]|1714500000|1|PENDING\n20+0|1714500000|1|COMPLETED\n20+1|1714500000|64|COMPLETED\n21|1714500000|2|COMPLETED\n";
        let (_, rows, _) = read(&[("jobs.txt", text)]);
        let names: Vec<_> = rows.jobs.iter().map(|job| job.name.as_ref()).collect();
        assert_eq!(names, ["12_3", "12_[4-6%2]", "20+0", "21"]);
        let tasks: Vec<_> = rows.tasks.iter().map(|task| (task.job, task.index, task.instances)).collect();
        assert_eq!(tasks, [(0, 0, 1), (1, 0, 3), (2, 0, 1), (2, 1, 1), (3, 0, 1)]);
        assert_eq!(rows.jobs[0].number_of("array_task"), Some(3.0));
    }
}
