//! Philly: jobs of deep learning at Microsoft in 2017, as the full release (JSON, machines, use) and as the table of one line
//! for each job that simulators pass on.
//!
//! Jeon et al., "Analysis of Large-Scale Multi-Tenant GPU Clusters for DNN Training Workloads", ATC 2019. Times are the wall
//! clock of the US Pacific coast.

use jiff::tz::TimeZone;
use serde_json::Value as Json;

use crate::{
    Context, Format, Grouping, JobRow, MachineRow, Micros, Source, Status, TaskRow, TraceError, UsageRow,
    date,
    format::{Part, Table},
    json::{Element, elements, wrong},
    row::{Value, Whose},
    table::{Delimiter, Header, Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "philly",
    about: "Microsoft's Philly: GPU jobs of 2017, the full release or one line for each job",
    source: "msr-fiddle/philly-traces, CC-BY 4.0; the short table comes with Pollux, Apache-2.0",
    grouping: Grouping::Directory,
    detect,
    read,
};

const SHORT: &[&str] = &["timestamp", "duration", "num_gpus", "gpu_time", "cluster"];
const MACHINES: &[&str] = &["machineId", "number of GPUs", "single GPU mem"];
const GPU_USE: &[&str] = &[
    "time",
    "machineId",
    "gpu0_util",
    "gpu1_util",
    "gpu2_util",
    "gpu3_util",
    "gpu4_util",
    "gpu5_util",
    "gpu6_util",
    "gpu7_util",
];
const CPU_USE: &[&str] = &["time", "machine_id", "cpu_util"];
const MEMORY_USE: &[&str] = &["time", "machine_id", "mem_total", "mem_free"];

/// Utilisation was sampled once a minute.
const MINUTE: Micros = Micros(60_000_000);

fn with_header(columns: &'static [&'static str]) -> Layout {
    Layout::with_header(columns, columns.len().min(4))
}

/// Rows of use end in a comma that the header may lack.
fn loose(columns: &'static [&'static str], most: usize) -> Layout {
    Layout {
        columns,
        header: Header::None,
        fields: 2..=most,
        delimiter: Delimiter::Byte(b','),
        comment: None,
    }
}

fn detect(source: &Source) -> Option<Table> {
    let text = source.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&source.head).trim_ascii_start();
    let has = |key: &[u8]| memchr::memmem::find(text, key).is_some();
    if text.starts_with(b"[") && has(b"\"jobid\"") && has(b"\"attempts\"") && has(b"\"vc\"") {
        return Some("jobs");
    }
    let line = source.first_line()?;
    let names: Vec<&str> = line.trim_start_matches('\u{feff}').split(',').map(str::trim).collect();
    let starts =
        |columns: &[&str], count: usize| names.get(..count).is_some_and(|names| names == &columns[..count]);
    if names.len() == SHORT.len() && with_header(SHORT).is_header(line) {
        Some("short")
    } else if starts(MACHINES, 2) {
        Some("machines")
    } else if starts(GPU_USE, 3) {
        Some("gpu_use")
    } else if starts(CPU_USE, 3) {
        Some("cpu_use")
    } else if starts(MEMORY_USE, 4) {
        Some("memory_use")
    } else {
        None
    }
}

/// What is known of the trace.
struct Trace {
    pacific: TimeZone,
    origin: Micros,
    next: u64,
}

impl Trace {
    /// A wall clock; `PDT` and `PST` after it are what the wall clock implies.
    fn time(&self, text: &str) -> Option<Micros> {
        let text = text.trim().trim_end_matches("PDT").trim_end_matches("PST").trim_end();
        let at = date::parse(text, &self.pacific)?;
        at.0.checked_sub(self.origin.0).map(Micros)
    }
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    let pacific = TimeZone::posix("PST8PDT,M3.2.0,M11.1.0").unwrap_or(TimeZone::UTC);
    let mut trace = Trace { pacific, origin: Micros(0), next: 0 };
    let (mut first, mut first_use) = (None, None);
    for part in parts {
        let seen = context.first_pass(|context| first_time(part, &trace, context))?;
        let is_jobs = part.table == "jobs" || part.table == "short";
        let known = if is_jobs { &mut first } else { &mut first_use };
        *known = earliest(*known, seen);
    }
    trace.origin = first.or(first_use).unwrap_or_default();
    context.quality.assume("times are the wall clock of the US Pacific coast");
    context
        .quality
        .assume(format!("time 0 is the first submission, else the first use, {}", date::show(trace.origin)));
    for part in parts {
        read_table(part, &mut trace, context)?;
    }
    Ok(())
}

fn read_table(part: &Part<'_>, trace: &mut Trace, context: &mut Context<'_>) -> Result<(), TraceError> {
    let usage = context.options.usage;
    match part.table {
        "jobs" => elements(part, &[], context, |element, context| job(element, trace, context)),
        "short" => {
            context
                .quality
                .assume("`timestamp` is when a job was submitted; `cluster` is its virtual cluster");
            rows(part, &with_header(SHORT), context, |row, context| short(row, trace, context))
        }
        "machines" => rows(part, &loose(MACHINES, 4), context, machine),
        "gpu_use" if usage => {
            rows(part, &loose(GPU_USE, 32), context, |row, context| gpu_use(row, trace, context))
        }
        "cpu_use" if usage => {
            let cores = context.options.largest_cpus;
            context.quality.assume(format!("a machine has {cores} cores: the release does not say"));
            rows(part, &loose(CPU_USE, 4), context, |row, context| cpu_use(row, trace, context))
        }
        "memory_use" if usage => {
            rows(part, &loose(MEMORY_USE, 5), context, |row, context| memory_use(row, trace, context))
        }
        _ => Ok(()),
    }
}

fn earliest(known: Option<Micros>, other: Option<Micros>) -> Option<Micros> {
    known.into_iter().chain(other).min()
}

/// The first submission; of tables of use, the first row.
fn first_time(
    part: &Part<'_>,
    trace: &Trace,
    context: &mut Context<'_>,
) -> Result<Option<Micros>, TraceError> {
    let mut first = None;
    match part.table {
        "jobs" => elements(part, &[], context, |element, _| {
            let submitted = element.text("submitted_time")?.and_then(|text| trace.time(&text));
            first = earliest(first, submitted);
            Ok(())
        })?,
        "short" => rows(part, &with_header(SHORT), context, |row, _| {
            first = earliest(first, row.text(0)?.and_then(|text| trace.time(text)));
            Ok(())
        })?,
        "machines" => {}
        _ => first = part.source.lines().skip(1).find_map(|line| trace.time(line.split(',').next()?)),
    }
    Ok(first)
}

fn short(row: Row<'_>, trace: &mut Trace, context: &mut Context<'_>) -> Result<(), RowError> {
    let submit = trace.time(row.name(0)?).ok_or_else(|| row.wrong(0, "a date and a time"))?;
    let duration = row.amount(1)?.and_then(Micros::from_secs_f64);
    let duration = duration.ok_or_else(|| row.wrong(1, "seconds, 0 or more"))?;
    let gpus = row
        .amount(2)?
        .filter(|gpus| *gpus > 0.0)
        .ok_or_else(|| row.wrong(2, "a number of GPUs, 1 or more"))?;
    let number = trace.next;
    trace.next += 1;
    context.job(&JobRow {
        number,
        name: format!("line-{}", row.line).into(),
        group: row.text(4)?.map(Into::into),
        submit: Some(submit),
        gang: true,
        ..JobRow::default()
    })?;
    context.task(&TaskRow {
        job: number,
        instances: 1,
        gpus: Some(gpus),
        submit: Some(submit),
        duration: Some(duration),
        ..TaskRow::default()
    })?;
    Ok(())
}

/// One attempt at a job.
struct Attempt<'a> {
    start: Option<Micros>,
    end: Option<Micros>,
    /// Machines, and how many GPUs of each.
    places: Vec<(&'a str, u32)>,
}

fn attempt<'a>(value: &'a Json, trace: &Trace) -> Result<Attempt<'a>, RowError> {
    let time = |key: &str| match value.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if text == "None" || text.is_empty() => Ok(None),
        Some(other) => {
            let at = other.as_str().and_then(|text| trace.time(text));
            at.map(Some).ok_or_else(|| wrong(key, other, "a date and a time, null or `None`"))
        }
    };
    let mut places = Vec::new();
    for place in value.get("detail").and_then(Json::as_array).into_iter().flatten() {
        let machine =
            place.get("ip").and_then(Json::as_str).ok_or_else(|| wrong("ip", place, "a machine"))?;
        let gpus = place
            .get("gpus")
            .and_then(Json::as_array)
            .ok_or_else(|| wrong("gpus", place, "a list of GPUs"))?;
        let gpus = u32::try_from(gpus.len()).map_err(|_| wrong("gpus", place, "fewer GPUs"))?;
        places.push((machine, gpus));
    }
    Ok(Attempt { start: time("start_time")?, end: time("end_time")?, places })
}

fn job(element: &Element, trace: &mut Trace, context: &mut Context<'_>) -> Result<(), RowError> {
    let name = element.text("jobid")?.ok_or_else(|| element.wrong("jobid", "a name"))?;
    let submit = element.text("submitted_time")?.filter(|text| text != "None");
    let submit = submit
        .map(|text| trace.time(&text).ok_or_else(|| element.wrong("submitted_time", "a date and a time")));
    let submit = submit.transpose()?;
    let status = match element.text("status")?.as_deref() {
        Some("Pass") => Some(Status::Finished),
        Some("Failed") => Some(Status::Failed),
        Some("Killed") => Some(Status::Killed),
        None => None,
        Some(_) => return Err(element.wrong("status", "Pass, Failed or Killed")),
    };
    let attempts = element.value.get("attempts").and_then(Json::as_array);
    let attempts = attempts.ok_or_else(|| element.wrong("attempts", "a list"))?;
    let attempts = attempts.iter().map(|value| attempt(value, trace)).collect::<Result<Vec<_>, _>>()?;
    let number = trace.next;
    trace.next += 1;
    context.job(&JobRow {
        number,
        name: name.as_str().into(),
        user: element.text("user")?.map(Into::into),
        group: element.text("vc")?.map(Into::into),
        submit,
        start: attempts.iter().find_map(|attempt| attempt.start),
        end: attempts.last().and_then(|attempt| attempt.end),
        status,
        gang: true,
        extra: vec![("attempts", Value::Number(attempts.len() as f64))],
        ..JobRow::default()
    })?;
    tasks(number, submit, status, &attempts, context)
}

/// A job's workers: as one task, if all machines give it as many GPUs, else as one for each machine.
fn tasks(
    job: u64,
    submit: Option<Micros>,
    status: Option<Status>,
    attempts: &[Attempt<'_>],
    context: &mut Context<'_>,
) -> Result<(), RowError> {
    let placed = attempts.iter().rev().find(|attempt| !attempt.places.is_empty());
    let places = placed.map_or(&[] as &[_], |attempt| attempt.places.as_slice());
    let last = attempts.last();
    let (start, end) = (last.and_then(|last| last.start), last.and_then(|last| last.end));
    let task = |index: usize, instances: u32, gpus: Option<u32>| TaskRow {
        job,
        index: index as u32,
        instances,
        gpus: gpus.map(f64::from),
        submit,
        start,
        end,
        duration: start.zip(end).and_then(|(start, end)| end.since(start)),
        status,
        attempts: attempts.iter().filter(|attempt| attempt.start.is_some()).count() as u32,
        ..TaskRow::default()
    };
    let Some((_, gpus)) = places.first() else {
        context.quality.note("jobs that were never placed: how many GPUs they asked for is not known", 1);
        return Ok(context.task(&task(0, 1, None))?);
    };
    if places.iter().all(|(_, other)| other == gpus) {
        let mut row = task(0, places.len() as u32, Some(*gpus));
        row.machine = (places.len() == 1).then(|| places[0].0.into());
        return Ok(context.task(&row)?);
    }
    for (index, (machine, gpus)) in places.iter().enumerate() {
        context.task(&TaskRow { machine: Some((*machine).into()), ..task(index, 1, Some(*gpus)) })?;
    }
    Ok(())
}

fn machine(row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
    if row.line == 1 {
        context.quality.file().rows -= 1;
        return Ok(());
    }
    let gpus = row.count::<u32>(1)?.ok_or_else(|| row.wrong(1, "a number of GPUs"))?;
    context.machine(&MachineRow {
        name: row.name(0)?.into(),
        gpus: Some(f64::from(gpus)),
        gpu_model: row.text(2)?.map(Into::into),
        ..MachineRow::default()
    })?;
    Ok(())
}

/// When and of which machine a row of use is; nothing if it is the header.
fn whose<'a>(
    row: Row<'a>,
    trace: &Trace,
    context: &mut Context<'_>,
) -> Result<Option<(Micros, Whose<'a>)>, RowError> {
    if row.line == 1 {
        context.quality.file().rows -= 1;
        return Ok(None);
    }
    let at = trace.time(row.name(0)?).ok_or_else(|| row.wrong(0, "a date and a time"))?;
    Ok(Some((at, Whose::Machine(row.name(1)?.into()))))
}

fn measured<'a>((start, whose): (Micros, Whose<'a>)) -> UsageRow<'a> {
    UsageRow { whose, start, duration: MINUTE, cpus: None, cpus_max: None, mem_mib: None, gpus: None }
}

fn gpu_use(row: Row<'_>, trace: &Trace, context: &mut Context<'_>) -> Result<(), RowError> {
    let Some(whose) = whose(row, trace, context)? else { return Ok(()) };
    let mut gpus = None;
    for column in 2..row.len().min(GPU_USE.len()) {
        if row.raw(column) != b"NA" {
            gpus = row.amount(column)?.map(|percent| gpus.unwrap_or(0.0) + percent / 100.0).or(gpus);
        }
    }
    if gpus.is_none() {
        context.quality.miss("gpu_util");
        return Ok(());
    }
    Ok(context.usage(&UsageRow { gpus, ..measured(whose) })?)
}

fn cpu_use(row: Row<'_>, trace: &Trace, context: &mut Context<'_>) -> Result<(), RowError> {
    let Some(whose) = whose(row, trace, context)? else { return Ok(()) };
    if row.raw(2).is_empty() || row.raw(2) == b"NA" {
        context.quality.miss("cpu_util");
        return Ok(());
    }
    let cpus = row.amount(2)?.map(|percent| percent / 100.0 * context.options.largest_cpus);
    Ok(context.usage(&UsageRow { cpus, ..measured(whose) })?)
}

fn memory_use(row: Row<'_>, trace: &Trace, context: &mut Context<'_>) -> Result<(), RowError> {
    let Some(whose) = whose(row, trace, context)? else { return Ok(()) };
    if [2, 3].iter().any(|column| row.raw(*column).is_empty() || row.raw(*column) == b"NA") {
        context.quality.miss("mem_total or mem_free");
        return Ok(());
    }
    let used = row.amount(2)?.zip(row.amount(3)?).map(|(total, free)| (total - free).max(0.0) / 1024.0);
    Ok(context.usage(&UsageRow { mem_mib: used, ..measured(whose) })?)
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros, Status,
        read::testing::{read, rejections},
    };

    #[test]
    fn the_short_table_is_not_sorted() {
        let text = b"timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09 07:01:55,66.0,1,66.0,11cb48\n2017-10-09 06:13:03,2951.0,4,1,6214e9\nx,1,1,1,a\n2017-10-09 06:13:03,1,0,0,a\n\n";
        let (format, rows, quality) = read(&[("philly.csv", text)]);
        assert_eq!(
            (format, rows.jobs[0].submit, rows.jobs[1].submit),
            ("philly", Some(Micros(2_932_000_000)), Some(Micros(0)))
        );
        assert_eq!((rows.tasks[1].gpus, rows.tasks[1].duration), (Some(4.0), Some(Micros(2_951_000_000))));
        let expected = [
            "line 4: `timestamp` is `x`: expected a date and a time",
            "line 5: `num_gpus` is `0`: expected a number of GPUs, 1 or more",
        ];
        assert_eq!(rejections(&quality), expected);
    }

    #[test]
    fn the_full_release_has_attempts_machines_and_use() {
        let jobs = br#"[
{"status": "Pass", "vc": "v", "jobid": "a", "user": "u", "submitted_time": "2017-11-05 00:30:00", "attempts": [
  {"start_time": "2017-11-05 00:31:00", "end_time": "2017-11-05 00:32:00", "detail": [{"ip": "m1", "gpus": ["gpu0"]}]},
  {"start_time": "2017-11-05 00:40:00", "end_time": "2017-11-05 03:40:00", "detail": [{"ip": "m1", "gpus": ["gpu0", "gpu1"]}, {"ip": "m2", "gpus": ["gpu6", "gpu7"]}]}]},
{"status": "Killed", "vc": "v", "jobid": "b", "user": "u", "submitted_time": "2017-11-05 00:30:10", "attempts": []},
{"status": "Failed", "vc": "v", "jobid": "c", "user": "u", "submitted_time": "2017-11-05 00:30:20", "attempts": [
  {"start_time": "None", "end_time": null, "detail": [{"ip": "m1", "gpus": ["gpu0"]}, {"ip": "m2", "gpus": ["gpu6", "gpu7"]}]}]},
{"status": "Lost", "vc": "v", "jobid": "d", "attempts": []}
]"#;
        let machines = b"machineId, number of GPUs, single GPU mem\nm1, 2, 24GB\nm2,8,12GB\n";
        let gpus = b"time,machineId,gpu0_util,gpu1_util\n2017-11-05 00:30:00 PDT,m1,50.0,25.0,\n2017-11-05 00:31:00 PDT,m1,NA,NA,\n";
        let memory = b"time,machine_id,mem_total,mem_free\n2017-11-05 00:29:00 PDT,m1,4096,1024,\n";
        let (format, rows, quality) = read(&[("a", jobs), ("b", machines), ("c", gpus), ("d", memory)]);
        assert_eq!((format, rows.jobs.len(), rows.machines.len(), rows.usage.len()), ("philly", 3, 2, 2));
        let tasks: Vec<_> =
            rows.tasks.iter().map(|task| (task.job, task.instances, task.gpus, task.attempts)).collect();
        assert_eq!(
            tasks,
            [(0, 2, Some(2.0), 2), (1, 1, None, 0), (2, 1, Some(1.0), 0), (2, 1, Some(2.0), 0)]
        );
        assert_eq!(rows.tasks[0].duration, Some(Micros(4 * 3_600_000_000)), "clocks went back at 02:00");
        assert_eq!(
            (rows.jobs[0].start, rows.jobs[1].status),
            (Some(Micros(60_000_000)), Some(Status::Killed))
        );
        assert_eq!((rows.machines[0].gpus, rows.machines[0].gpu_model.as_deref()), (Some(2.0), Some("24GB")));
        assert_eq!((rows.usage[0].gpus, rows.usage[1].mem_mib), (Some(0.75), Some(3.0)));
        assert_eq!(rows.usage[1].start, Micros(-60_000_000), "use was measured before the first submission");
        assert_eq!(rejections(&quality), ["line 4: `status` is `\"Lost\"`: expected Pass, Failed or Killed"]);
        assert_eq!(quality.files().iter().map(|file| file.rows).collect::<Vec<_>>(), [4, 2, 2, 1]);
    }
}
