//! Standard Workload Format 2.2: one line for each job, 18 fields between blanks, -1 for what is not known.
//!
//! Chapin et al., "Benchmarks and Standards for the Evaluation of Parallel Job Schedulers", JSSPP 1999; Parallel Workloads
//! Archive. A job is one task of as many instances as it has processors, all at once. Alea's files have more fields: hosts,
//! queue and node specification after the 18, or the name of a graph; their memory is that of the whole job.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::{
    Context, Format, Grouping, JobRow, MachineRow, Micros, Source, Status, TaskRow, TraceError, date,
    format::{Part, Table},
    row::{Extra, Value},
    table::{Delimiter, Header, Layout, Row, RowError, parse_int, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "swf",
    about: "Standard Workload Format of the Parallel Workloads Archive (also with Alea's extra fields)",
    source: "Parallel Workloads Archive; its logs ask for an acknowledgement of the archive and of their contributors",
    grouping: Grouping::File,
    detect,
    read,
};

const COLUMNS: &[&str] = &[
    "job number",
    "submit time",
    "wait time",
    "run time",
    "allocated processors",
    "average CPU time",
    "used memory",
    "requested processors",
    "requested time",
    "requested memory",
    "status",
    "user",
    "group",
    "executable",
    "queue",
    "partition",
    "preceding job",
    "think time",
    "hosts",
];

/// Fields of the standard itself.
const STANDARD: usize = 18;

const NUMBER: usize = 0;
const SUBMIT: usize = 1;
const WAIT: usize = 2;
const RUN: usize = 3;
const ALLOCATED: usize = 4;
const CPU_TIME: usize = 5;
const USED_MEMORY: usize = 6;
const REQUESTED: usize = 7;
const REQUESTED_TIME: usize = 8;
const REQUESTED_MEMORY: usize = 9;
const STATUS: usize = 10;
const USER: usize = 11;
const GROUP: usize = 12;
const EXECUTABLE: usize = 13;
const QUEUE: usize = 14;
const PARTITION: usize = 15;
const PRECEDING: usize = 16;
const THINK_TIME: usize = 17;
const HOSTS: usize = 18;
const HOST_QUEUE: usize = 19;

/// Submit times from here on (1990) are no seconds since the log's start but seconds since 1970.
const UNIX_TIMES: i64 = 631_152_000;
/// A header that says more nodes than this is wrong.
const MOST_NODES: u64 = 1 << 24;

fn layout() -> Layout {
    Layout {
        columns: COLUMNS,
        header: Header::Skipped,
        fields: STANDARD..=64,
        delimiter: Delimiter::Blanks,
        comment: Some(b';'),
    }
}

/// The lines of the file's beginning as they are: headers of the archive hold names in Latin-1.
fn lines(source: &Source) -> impl Iterator<Item = &[u8]> {
    let text = source.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&source.head);
    text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)
}

fn detect(source: &Source) -> Option<Table> {
    let mut rows = lines(source).filter(|line| !line.is_empty() && !line.starts_with(b";"));
    let is_row = |line: &[u8]| {
        let fields: Vec<&[u8]> =
            line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).collect();
        fields.len() >= STANDARD && fields[..5].iter().all(|field| parse_int(field).is_some())
    };
    (is_row(rows.next()?) || rows.next().is_some_and(is_row)).then_some("jobs")
}

/// What the log says of itself.
#[derive(Clone, Copy, Default)]
struct About {
    max_nodes: Option<u64>,
    max_procs: Option<u64>,
    max_jobs: Option<u64>,
    max_memory_kb: Option<u64>,
    unix_start: Option<i64>,
}

fn about(source: &Source) -> About {
    let mut about = About::default();
    for line in lines(source).take_while(|line| line.is_empty() || line.starts_with(b";")) {
        let text = String::from_utf8_lossy(line);
        let Some((key, value)) = text.trim_start_matches([';', ' ', '\t']).split_once(':') else { continue };
        let number = value.split_whitespace().next().and_then(|word| parse_int(word.as_bytes()));
        let count = number.and_then(|number| u64::try_from(number).ok()).filter(|count| *count > 0);
        match key.trim() {
            "MaxNodes" => about.max_nodes = count,
            "MaxProcs" => about.max_procs = count,
            "MaxJobs" => about.max_jobs = count,
            "MaxMemory" => about.max_memory_kb = count,
            "UnixStartTime" => about.unix_start = number,
            _ => {}
        }
    }
    about
}

/// What is known of the log so far.
#[derive(Default)]
struct Log {
    about: About,
    /// The number of the next job.
    next: u64,
    /// What is subtracted from submit times, µs.
    origin: i64,
    /// Jobs by their numbers in the log.
    jobs: FxHashMap<i64, u64>,
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume("one processor is one core");
    for part in parts {
        let mut log = Log { about: about(part.source), ..Log::default() };
        log.origin = origin(part.source, context);
        machines(log.about, context)?;
        rows(part, &layout(), context, |row, context| job(row, context, &mut log))?;
        if let Some(said) = log.about.max_jobs.filter(|said| *said > context.quality.file().rows) {
            let held = context.quality.file().rows;
            context
                .quality
                .assume(format!("the log is a piece: its header says {said} jobs, it holds {held}"));
        }
    }
    Ok(())
}

/// Seconds since 1970 are made relative to the first row's.
fn origin(source: &Source, context: &mut Context<'_>) -> i64 {
    let unix_start = about(source).unix_start.and_then(Micros::from_secs);
    if let Some(start) = unix_start {
        context.quality.assume(format!("time 0 is {} (UnixStartTime)", date::show(start)));
    }
    let rows = lines(source).filter(|line| !line.is_empty() && !line.starts_with(b";"));
    let submit = |line: &[u8]| {
        parse_int(line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).nth(SUBMIT)?)
    };
    let first = rows.take(2).find_map(submit).filter(|first| *first >= UNIX_TIMES);
    let Some(first) = first.and_then(Micros::from_secs) else { return 0 };
    context.quality.assume(format!(
        "submit times are seconds since 1970 and memory is bytes of the whole job; time 0 is {}",
        date::show(first)
    ));
    first.0
}

/// As many equal nodes as the header says.
fn machines(about: About, context: &mut Context<'_>) -> Result<(), TraceError> {
    let Some(procs) = about.max_procs.or(about.max_nodes) else { return Ok(()) };
    let nodes = about.max_nodes.unwrap_or(procs).min(procs);
    if procs > MOST_NODES {
        context.quality.note("headers with an impossible number of processors", 1);
        return Ok(());
    }
    context
        .quality
        .assume(format!("{procs} processors are spread evenly over {nodes} nodes (MaxProcs, MaxNodes)"));
    for node in 0..nodes {
        let more = u64::from(node < procs % nodes);
        context.machine(&MachineRow {
            name: format!("node-{node}").into(),
            cpus: Some((procs / nodes + more) as f64),
            mem_mib: about.max_memory_kb.map(|kb| kb as f64 / 1024.0),
            ..MachineRow::default()
        })?;
    }
    Ok(())
}

/// How many processors a job has, or none if it was cancelled before it said.
fn processors(row: Row<'_>, log: &Log) -> Result<Option<u32>, RowError> {
    let (allocated, requested) = (known(row, ALLOCATED)?, known(row, REQUESTED)?);
    let positive = |count: &i64| *count > 0;
    let Some(count) = allocated.filter(positive).or(requested.filter(positive)) else {
        let never_ran = row.int(STATUS)? == Some(5) && known(row, RUN)?.unwrap_or(0) == 0;
        return if never_ran {
            Ok(None)
        } else {
            Err(row.wrong(ALLOCATED, "a number of processors here or in field 8"))
        };
    };
    if let Some(most) = log.about.max_procs.filter(|most| count.unsigned_abs() > *most) {
        let column = if allocated == Some(count) { ALLOCATED } else { REQUESTED };
        return Err(row.wrong(column, format!("at most {most}: MaxProcs")));
    }
    u32::try_from(count).map(Some).map_err(|_| row.wrong(ALLOCATED, "fewer processors"))
}

fn job(row: Row<'_>, context: &mut Context<'_>, log: &mut Log) -> Result<(), RowError> {
    let submit = seconds(row, SUBMIT)?.ok_or_else(|| row.wrong(SUBMIT, "a time, 0 or later"))?;
    let submit = Micros(submit.0.saturating_sub(log.origin));
    let own = row.need_int(NUMBER)?;
    let status_code = row.need_int(STATUS)?;
    if (2..=4).contains(&status_code) && log.jobs.contains_key(&own) {
        context.quality.note("partial executions of jobs that have a line of their own: left out", 1);
        return Ok(());
    }
    let instances = processors(row, log)?;
    let (wait, run) = (seconds(row, WAIT)?, seconds(row, RUN)?);
    let never_ran = status_code == 5 && run.is_none_or(|run| run.0 == 0) && known(row, ALLOCATED)?.is_none();
    let waited = wait.map(|wait| Micros(submit.0.saturating_add(wait.0)));
    let start = waited.filter(|_| !never_ran);
    let run = run.filter(|_| !never_ran);
    let end = if never_ran {
        waited
    } else {
        start.zip(run).map(|(start, run)| Micros(start.0.saturating_add(run.0)))
    };
    let status = status(status_code);
    let requested_time = seconds(row, REQUESTED_TIME)?;
    if requested_time.zip(run).is_some_and(|(requested, run)| run > requested) {
        context.quality.note("jobs that ran longer than their requested time", 1);
    }
    if run.is_none() && !never_ran {
        context.quality.miss(COLUMNS[RUN]);
    }
    let parents = parents(row, context, log)?;
    context.job(&JobRow {
        number: log.next,
        name: row.name(NUMBER)?.into(),
        user: labelled(row, USER)?,
        group: labelled(row, GROUP)?,
        class: class(row)?,
        application: labelled(row, EXECUTABLE)?,
        submit: Some(submit),
        start,
        end,
        requested_time,
        status,
        gang: true,
        parents,
        extra: extra(row, status_code)?,
        ..JobRow::default()
    })?;
    match instances {
        None => {
            context.quality.note("jobs cancelled before they said how many processors: they have no task", 1);
        }
        Some(instances) => context.task(&TaskRow {
            job: log.next,
            instances,
            cpus: Some(1.0),
            mem_mib: memory(row, log, instances)?,
            submit: Some(submit),
            start,
            end,
            duration: run,
            status,
            attempts: u32::from(!never_ran && (run.is_some() || start.is_some())),
            machine: host(row),
            ..TaskRow::default()
        })?,
    }
    log.jobs.insert(own, log.next);
    log.next += 1;
    Ok(())
}

const fn status(code: i64) -> Option<Status> {
    match code {
        0 | 4 => Some(Status::Failed),
        1 | 3 => Some(Status::Finished),
        2 => Some(Status::Evicted),
        5 => Some(Status::Killed),
        _ => None,
    }
}

/// Jobs that must have ended before: one number, or in Alea's files several, joined by `&`. Where hosts follow, Alea fills
/// the field with 1.
fn parents(row: Row<'_>, context: &mut Context<'_>, log: &Log) -> Result<Vec<u64>, RowError> {
    let mut parents = Vec::new();
    if has_hosts(row) {
        return Ok(parents);
    }
    for word in row.text(PRECEDING)?.unwrap_or("-1").split('&') {
        let parent = parse_int(word.as_bytes()).ok_or_else(|| row.wrong(PRECEDING, "the number of a job"))?;
        match log.jobs.get(&parent) {
            Some(number) => parents.push(*number),
            None if parent <= 0 => {}
            None => context.quality.note("preceding jobs that no line before has", 1),
        }
    }
    Ok(parents)
}

/// Megabytes for each processor.
fn memory(row: Row<'_>, log: &Log, processors: u32) -> Result<Option<f64>, RowError> {
    let Some(amount) = known(row, REQUESTED_MEMORY)?.map(|amount| amount as f64) else { return Ok(None) };
    Ok(Some(if log.origin > 0 {
        amount / 1_048_576.0 / f64::from(processors)
    } else if row.len() > STANDARD {
        amount / 1024.0 / f64::from(processors)
    } else {
        amount / 1024.0
    }))
}

/// The host that a list such as `{1244,1244}` names, if it is only one.
fn host(row: Row<'_>) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(row.raw(HOSTS)).ok()?;
    let mut hosts = text.strip_prefix('{')?.strip_suffix('}')?.split(',');
    let first = hosts.next().filter(|first| !first.is_empty())?;
    hosts.all(|host| host == first).then_some(first.into())
}

fn has_hosts(row: Row<'_>) -> bool {
    row.raw(HOSTS).starts_with(b"{")
}

fn class(row: Row<'_>) -> Result<Option<Cow<'_, str>>, RowError> {
    if has_hosts(row) && row.len() > HOST_QUEUE {
        let queue = std::str::from_utf8(row.raw(HOST_QUEUE)).map_err(|_| row.wrong(QUEUE, "UTF-8 text"))?;
        return Ok(Some(queue.into()));
    }
    labelled(row, QUEUE)
}

/// What the native form has no column for.
fn extra(row: Row<'_>, status: i64) -> Result<Extra<'_>, RowError> {
    let mut extra = Extra::new();
    let mut add = |name, value: Option<f64>| extra.extend(value.map(|value| (name, Value::Number(value))));
    add("average_cpu_time_s", positive(row, CPU_TIME)?);
    add("used_memory_kb", positive(row, USED_MEMORY)?);
    if !has_hosts(row) {
        add("partition", positive(row, PARTITION)?);
        add("think_time_s", positive(row, THINK_TIME)?);
    }
    let (allocated, requested) = (known(row, ALLOCATED)?, known(row, REQUESTED)?);
    if allocated != requested {
        add("allocated_processors", allocated.map(|count| count as f64));
        add("requested_processors", requested.map(|count| count as f64));
    }
    if (2..=4).contains(&status) {
        add("swf_status", Some(status as f64));
    }
    if row.len() > STANDARD && !has_hosts(row) {
        extra.extend(row.text(HOSTS)?.map(|graph| ("graph", Value::Text(graph.into()))));
    }
    Ok(extra)
}

fn labelled(row: Row<'_>, column: usize) -> Result<Option<Cow<'_, str>>, RowError> {
    Ok(known(row, column)?.map(|label| label.to_string().into()))
}

/// A whole number that is not -1.
fn known(row: Row<'_>, column: usize) -> Result<Option<i64>, RowError> {
    Ok(positive(row, column)?.map(|value| value as i64))
}

/// A number that is not -1. Some logs write decimals everywhere.
fn positive(row: Row<'_>, column: usize) -> Result<Option<f64>, RowError> {
    Ok(row.number(column)?.filter(|value| *value >= 0.0))
}

fn seconds(row: Row<'_>, column: usize) -> Result<Option<Micros>, RowError> {
    Ok(positive(row, column)?.and_then(Micros::from_secs_f64))
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros, Status,
        read::testing::{read, rejections},
        sink::Collected,
    };

    fn rows(text: &str) -> Collected {
        let (format, rows, _) = read(&[("log", text.as_bytes())]);
        assert_eq!(format, "swf");
        rows
    }

    #[test]
    fn a_bad_row_is_rejected_by_line_and_the_others_are_read() {
        let text = b"; MaxProcs: 8\n 1 0 5 60 4 -1 -1 4 100 -1 1 7 1 -1 0 -1 -1 -1\n2 x 0 1 1 0 0 1 1 1 1 1 1 1 1 1 1 1\n3 10\n";
        let (format, rows, quality) = read(&[("log", text)]);
        assert_eq!((format, rows.jobs.len(), rows.tasks[0].instances), ("swf", 1, 4));
        let expected =
            ["line 3: `submit time` is `x`: expected a number", "line 4: 2 fields: expected 18 to 64 fields"];
        assert_eq!(rejections(&quality), expected);
    }

    #[test]
    fn requested_and_allocated_processors_stand_in_for_each_other() {
        let rows =
            rows("1 0 0 9 -1 -1 -1 4 -1 -1 1 1 1 1 1 1 -1 -1\n9 0 0 9 2 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1\n");
        assert_eq!(rows.tasks.iter().map(|task| task.instances).collect::<Vec<_>>(), [4, 2]);
    }

    #[test]
    fn more_processors_than_there_are_is_a_rejection() {
        let text = b"; MaxNodes: 3\n; MaxProcs: 8\n1 0 0 9 9 -1 -1 9 -1 -1 1 1 1 1 1 1 -1 -1\n2 0 0 9 8 -1 -1 8 -1 -1 1 1 1 1 1 1 -1 -1\n";
        let (_, rows, quality) = read(&[("log", text)]);
        assert_eq!(
            rejections(&quality),
            ["line 3: `allocated processors` is `9`: expected at most 8: MaxProcs"]
        );
        let cpus: Vec<_> = rows.machines.iter().filter_map(|machine| machine.cpus).collect();
        assert_eq!((rows.jobs.len(), cpus), (1, vec![3.0, 3.0, 2.0]));
    }

    #[test]
    fn unknown_run_times_decimals_and_overruns_are_kept() {
        let text = b"1 0 5 -1 8 240379.5 -1 8 345600 -1 -1 5 1 -1 -1 1 -1 -1\n7 0 5 20 8 552.21 -1 8 10 2048 1 5 1 -1 -1 1 -1 -1\n";
        let (_, rows, quality) = read(&[("log", text)]);
        let (first, second) = (&rows.tasks[0], &rows.tasks[1]);
        assert_eq!((first.start, first.duration, first.status), (Some(Micros(5_000_000)), None, None));
        assert_eq!((second.duration, second.mem_mib), (Some(Micros(20_000_000)), Some(2.0)));
        assert_eq!(rows.jobs[1].number_of("average_cpu_time_s"), Some(552.21));
        assert_eq!(quality.notes()["jobs that ran longer than their requested time"], 1);
        assert_eq!((quality.missing()["run time"], rows.jobs[1].name.as_ref()), (1, "7"));
    }

    #[test]
    fn jobs_cancelled_before_they_started_never_start() {
        let text =
            b"1 0 30 0 -1 -1 -1 4 60 -1 5 1 1 1 1 1 -1 -1\n2 0 30 -1 -1 -1 -1 -1 60 -1 5 1 1 1 1 1 -1 -1\n";
        let (_, rows, quality) = read(&[("log", text)]);
        let task = &rows.tasks[0];
        assert_eq!((task.start, task.end, task.attempts), (None, Some(Micros(30_000_000)), 0));
        assert_eq!((rows.jobs.len(), rows.tasks.len(), rows.jobs[1].status), (2, 1, Some(Status::Killed)));
        assert_eq!(quality.notes().values().sum::<u64>(), 1);
    }

    #[test]
    fn partial_executions_count_once() {
        let text = "1 0 0 30 4 -1 -1 4 -1 -1 1 1 1 1 1 1 -1 -1\n1 0 0 10 4 -1 -1 4 -1 -1 2 1 1 1 1 1 -1 -1\n1 20 0 20 4 -1 -1 4 -1 -1 3 1 1 1 1 1 -1 -1\n";
        assert_eq!(rows(text).jobs.len(), 1);
    }

    #[test]
    fn alea_counts_seconds_since_1970_and_bytes_of_the_job() {
        let text = "0 1356996147 0 56 4 1 1024 4 864 4294967296 1 62 1 1 -1 1 1 1 {12,12,12,12} q_2w 1:ppn=4\n1 1356996157 3 5 2 1 1024 2 9 -1 1 62 1 1 -1 1 1 1 {12,13} q_1d 2:ppn=1\n";
        let rows = rows(text);
        assert_eq!((rows.jobs[0].submit, rows.jobs[1].submit), (Some(Micros(0)), Some(Micros(10_000_000))));
        assert_eq!((rows.tasks[0].mem_mib, rows.tasks[0].machine.as_deref()), (Some(1024.0), Some("12")));
        assert_eq!((rows.tasks[1].machine.as_deref(), rows.jobs[1].class.as_deref()), (None, Some("q_1d")));
        assert!(
            rows.jobs[1].parents.is_empty() && rows.jobs[1].number_of("think_time_s").is_none(),
            "fillers"
        );
    }

    #[test]
    fn alea_graphs_have_a_header_and_several_parents() {
        let text = "id\tsubmit\twait\truntime\n1\t0\t0\t48\t5\t-1\t1\t5\t48\t5120\t1\t1\t1\t1\t1\t1\t-1\t0\tDAG-1\t1\n2\t0\t0\t48\t5\t-1\t1\t5\t48\t1\t1\t1\t1\t1\t1\t1\t-1\t0\tDAG-1\t2\n3\t0\t0\t24\t4\t-1\t1\t4\t24\t1\t1\t1\t1\t1\t1\t1\t1&2\t0\tDAG-1\t3\n";
        let rows = rows(text);
        assert_eq!((rows.jobs.len(), rows.jobs[2].parents.as_slice()), (3, [0, 1].as_slice()));
        assert_eq!(rows.tasks[0].mem_mib, Some(1.0));
    }

    #[test]
    fn headers_in_latin_1_do_not_hide_the_log() {
        let text = b"; Acknowledge: \xc5ke\n; MaxJobs: 5\n1 0 0 9 4 -1 -1 4 -1 -1 1 1 1 1 1 1 -1 -1\n";
        let (_, rows, quality) = read(&[("log", text)]);
        assert_eq!(rows.jobs.len(), 1);
        assert!(quality.assumptions().iter().any(|said| said.contains("says 5 jobs, it holds 1")));
    }
}
