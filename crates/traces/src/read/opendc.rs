//! OpenDC's Parquet files: tasks (virtual machines), the fragments of what each of them used, and models of failures.
//!
//! Mastenbroek et al., "OpenDC 2.0", CCGRID 2021. A task is a job of one task; its fragments follow each other from its
//! submission on. Small traces of OpenDC hold seconds where milliseconds are meant.

use rustc_hash::FxHashMap;

use crate::{
    Context, Format, Grouping, JobRow, MachineEventRow, Micros, Source, TaskRow, TraceError, UsageRow,
    columns::{Column, Kind, Line},
    date,
    format::{Part, Table},
    parquet,
    row::{MachineEvent, Whose},
    table::RowError,
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "opendc",
    about: "OpenDC's Parquet files: tasks with fragments of use, failures",
    source: "OpenDC's documentation of workloads; its bundled traces are under MIT",
    grouping: Grouping::Directory,
    detect,
    read,
};

const TASKS: &[Column] = &[
    Column::required("id", Kind::Text),
    Column::required("submission_time", Kind::Int),
    Column::required("duration", Kind::Int),
    Column::required("cpu_count", Kind::Int),
    Column::required("cpu_capacity", Kind::Float),
    Column::required("mem_capacity", Kind::Float),
    Column::optional("gpu_count", Kind::Int),
    Column::optional("gpu_capacity", Kind::Float),
    Column::optional("parents", Kind::Ints),
    Column::optional("name", Kind::Text),
    Column::optional("nature", Kind::Text),
    Column::optional("deadline", Kind::Int),
];

const ID: usize = 0;
const SUBMISSION: usize = 1;
const DURATION: usize = 2;
const CPUS: usize = 3;
const CAPACITY: usize = 4;
const MEMORY: usize = 5;
const GPUS: usize = 6;
const GPU_CAPACITY: usize = 7;
const PARENTS: usize = 8;
const NAME: usize = 9;
const NATURE: usize = 10;
const DEADLINE: usize = 11;

const FRAGMENTS: &[Column] = &[
    Column::required("id", Kind::Text),
    Column::required("duration", Kind::Int),
    Column::required("cpu_usage", Kind::Float),
    Column::optional("gpu_usage", Kind::Float),
];

const FRAGMENT_ID: usize = 0;
const FRAGMENT_DURATION: usize = 1;
const CPU_USAGE: usize = 2;
const GPU_USAGE: usize = 3;

const FAILURES: &[Column] = &[
    Column::required("failure_interval", Kind::Int),
    Column::required("failure_duration", Kind::Int),
    Column::required("failure_intensity", Kind::Float),
];

const INTERVAL: usize = 0;
const FAILURE_DURATION: usize = 1;
const INTENSITY: usize = 2;

/// A capacity that gives cores more than this is none.
const FASTEST_MHZ: f64 = 100_000.0;
/// The first submission of a trace of milliseconds is not between these (1990 and 2100, as seconds).
const SECONDS: std::ops::Range<i64> = 631_152_000..4_102_444_800;

fn detect(source: &Source) -> Option<Table> {
    let has = |columns: &[&str]| parquet::has_columns(source, columns);
    if has(&["id", "submission_time", "duration", "cpu_count"]) {
        Some("tasks")
    } else if has(&["id", "duration", "cpu_usage"]) {
        Some("fragments")
    } else if has(&["failure_interval", "failure_duration", "failure_intensity"]) {
        Some("failures")
    } else {
        None
    }
}

/// A task, as its fragments need it.
struct Known {
    number: u64,
    /// Whether its row was read: a second one is wrong.
    seen: bool,
    /// Until when fragments of it were read.
    until: Micros,
    mhz_per_core: Option<f64>,
    mhz_per_gpu: Option<f64>,
}

/// What is known of the trace.
struct Trace {
    origin: i64,
    /// Micros in the unit of its times.
    unit: i64,
    jobs: FxHashMap<Box<str>, Known>,
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    let of = |table| parts.iter().filter(move |part| part.table == table);
    let mut trace = first_pass(of("tasks"), context)?;
    for part in of("tasks") {
        parquet::rows(part, TASKS, context, |line, context| task(line, context, &mut trace))?;
    }
    if context.options.usage {
        for part in of("fragments") {
            parquet::rows(part, FRAGMENTS, context, |line, context| fragment(line, context, &mut trace))?;
        }
    }
    of("failures").try_for_each(|part| failures(part, context))
}

/// Learns when the trace begins, in which unit it counts, and the numbers of its tasks.
fn first_pass<'a>(
    parts: impl Iterator<Item = &'a Part<'a>>,
    context: &mut Context<'_>,
) -> Result<Trace, TraceError> {
    let mut trace = Trace { origin: 0, unit: 1000, jobs: FxHashMap::default() };
    let mut first: Option<i64> = None;
    for part in parts {
        context.first_pass(|context| {
            parquet::rows(part, TASKS, context, |line, _| {
                let submission = line.need_int(SUBMISSION)?;
                first = Some(first.map_or(submission, |first| first.min(submission)));
                let known = Known {
                    number: trace.jobs.len() as u64,
                    seen: false,
                    until: Micros(0),
                    mhz_per_core: None,
                    mhz_per_gpu: None,
                };
                trace.jobs.entry(line.name(ID)?.into()).or_insert(known);
                Ok(())
            })
        })?;
    }
    let Some(first) = first else { return Ok(trace) };
    if SECONDS.contains(&first) {
        trace.unit = 1_000_000;
        context.quality.assume("times are seconds: as milliseconds all would be in January 1970");
    }
    trace.origin = first.saturating_mul(trace.unit);
    context.quality.assume(format!("time 0 is the first submission, {}", date::show(Micros(trace.origin))));
    context.quality.assume("memory is MiB; a core or GPU is the task's capacity over its count");
    Ok(trace)
}

impl Trace {
    fn time(&self, line: Line<'_>, column: usize) -> Result<Option<Micros>, RowError> {
        let Some(value) = line.int(column) else { return Ok(None) };
        let micros = value.checked_mul(self.unit).and_then(|micros| micros.checked_sub(self.origin));
        micros.map(|micros| Some(Micros(micros))).ok_or_else(|| line.wrong(column, "a time"))
    }

    fn span(&self, line: Line<'_>, column: usize) -> Result<Micros, RowError> {
        let value = line.need_int(column)?;
        let micros = value.checked_mul(self.unit).filter(|micros| *micros >= 0);
        micros.map(Micros).ok_or_else(|| line.wrong(column, "a duration, 0 or more"))
    }
}

fn task(line: Line<'_>, context: &mut Context<'_>, trace: &mut Trace) -> Result<(), RowError> {
    let submit = trace.time(line, SUBMISSION)?.ok_or_else(|| line.wrong(SUBMISSION, "a time"))?;
    let duration = trace.span(line, DURATION)?;
    let cpus = line.count::<u32>(CPUS)?.ok_or_else(|| line.wrong(CPUS, "a number of cores"))?;
    let gpus = line.count::<u32>(GPUS)?.filter(|gpus| *gpus > 0);
    let (capacity, gpu_capacity) = (line.amount(CAPACITY)?, line.amount(GPU_CAPACITY)?);
    let parents = line.list(PARENTS).iter();
    let parents: Vec<_> =
        parents.map(|id| trace.jobs.get(id.to_string().as_str()).map(|job| job.number)).collect();
    let unknown = parents.iter().filter(|parent| parent.is_none()).count();
    context.quality.note("parents that the trace does not have: left out", unknown as u64);
    let deadline = trace.time(line, DEADLINE)?;
    let job = trace.jobs.get_mut(line.name(ID)?).ok_or_else(|| line.wrong(ID, "a task of the file"))?;
    if std::mem::replace(&mut job.seen, true) {
        return Err(line.wrong(ID, "a task that no row before has"));
    }
    let per = |capacity: Option<f64>, count: u32| {
        capacity.map(|capacity| capacity / f64::from(count)).filter(|each| each.is_finite() && *each > 0.0)
    };
    let mhz_per_core = per(capacity, cpus).filter(|mhz| *mhz <= FASTEST_MHZ);
    if mhz_per_core.is_none() && capacity.is_some_and(|capacity| capacity > 0.0) {
        context
            .quality
            .note("tasks whose cores would be faster than 100 GHz: what they used is not known", 1);
    }
    (job.until, job.mhz_per_core, job.mhz_per_gpu) =
        (submit, mhz_per_core, per(gpu_capacity, gpus.unwrap_or(0)));
    let number = job.number;
    let extra = |name, value: Option<f64>| value.map(|value| (name, crate::row::Value::Number(value)));
    context.job(&JobRow {
        number,
        name: line.name(ID)?.into(),
        application: line.text(NAME).map(Into::into),
        class: line.text(NATURE).map(Into::into),
        submit: Some(submit),
        deadline,
        parents: parents.into_iter().flatten().collect(),
        ..JobRow::default()
    })?;
    context.task(&TaskRow {
        job: number,
        instances: 1,
        cpus: Some(f64::from(cpus)),
        mem_mib: line.amount(MEMORY)?,
        gpus: gpus.map(f64::from),
        submit: Some(submit),
        duration: Some(duration),
        extra: [extra("cpu_capacity_mhz", capacity), extra("gpu_capacity_mhz", gpu_capacity)]
            .into_iter()
            .flatten()
            .collect(),
        ..TaskRow::default()
    })?;
    Ok(())
}

fn fragment(line: Line<'_>, context: &mut Context<'_>, trace: &mut Trace) -> Result<(), RowError> {
    let duration = trace.span(line, FRAGMENT_DURATION)?;
    let used = line.amount(CPU_USAGE)?.ok_or_else(|| line.wrong(CPU_USAGE, "a number of MHz"))?;
    let gpu_used = line.amount(GPU_USAGE)?;
    let Some(job) = trace.jobs.get_mut(line.name(FRAGMENT_ID)?) else {
        return Err(line.wrong(FRAGMENT_ID, "a task of the trace"));
    };
    let start = job.until;
    job.until = Micros(start.0.saturating_add(duration.0));
    if job.mhz_per_core.is_none() && used > 0.0 {
        context.quality.note("fragments of tasks without a capacity: their use is not known", 1);
    }
    context.usage(&UsageRow {
        whose: Whose::Task(job.number, 0),
        start,
        duration,
        cpus: job.mhz_per_core.map(|mhz| used / mhz),
        cpus_max: None,
        mem_mib: None,
        gpus: gpu_used.zip(job.mhz_per_gpu).map(|(used, mhz)| used / mhz),
    })?;
    Ok(())
}

/// Each failure takes a share of all machines away, and brings it back.
fn failures(part: &Part<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume(
        "a failure takes the machine `*` away: as many machines, drawn anew, as the attribute `share` says",
    );
    let mut at = 0_i64;
    parquet::rows(part, FAILURES, context, |line, context| {
        let span = |column| {
            let micros = line.need_int(column)?.checked_mul(1000).filter(|micros| *micros >= 0);
            micros.ok_or_else(|| line.wrong(column, "milliseconds, 0 or more"))
        };
        let share = line.number(INTENSITY).filter(|share| (0.0..=1.0).contains(share));
        let share =
            share.ok_or_else(|| line.wrong(INTENSITY, "a share of the machines, 0 to 1"))?.to_string();
        let (interval, duration) = (span(INTERVAL)?, span(FAILURE_DURATION)?);
        at = at.saturating_add(interval);
        for (at, event) in [(at, MachineEvent::Remove), (at.saturating_add(duration), MachineEvent::Add)] {
            context.machine_event(&MachineEventRow {
                at: Micros(at),
                machine: "*".into(),
                event,
                cpus: None,
                mem_mib: None,
                attribute: Some(("share".into(), Some(share.as_str().into()))),
            })?;
        }
        Ok(())
    })
}

#[cfg(all(test, feature = "parquet"))]
mod tests {
    use std::path::Path;

    use super::{Column, FAILURES, FRAGMENTS, TASKS};
    use crate::{
        Micros, Options, Trace, columns::Cell, parquet::TableWriter, row::MachineEvent, sink::Collected,
    };

    fn write<const N: usize>(
        path: &Path,
        columns: &'static [Column],
        rows: impl IntoIterator<Item = [Cell; N]>,
    ) {
        let mut writer = TableWriter::create(path, columns).expect("a new file");
        rows.into_iter().for_each(|row| writer.push(row).expect("a row"));
        writer.finish().expect("room for a small file");
    }

    fn task(id: &str, submission: i64, duration: i64, parents: &[i64]) -> [Cell; 12] {
        [
            id.into(),
            Cell::Int(submission),
            Cell::Int(duration),
            Cell::Int(4),
            Cell::Float(8000.0),
            Cell::Float(2048.0),
            Cell::Missing,
            Cell::Missing,
            Cell::Ints(parents.to_vec()),
            Cell::Missing,
            Cell::Missing,
            Cell::Missing,
        ]
    }

    fn read(dir: &Path) -> (Collected, crate::Quality) {
        let trace = Trace::one(dir, None).expect("one trace");
        assert_eq!(trace.format.name, "opendc");
        let mut rows = Collected::default();
        let quality = trace.read(&Options::default(), &mut rows, &mut |_| true).expect("a good trace");
        (rows, quality)
    }

    #[test]
    fn fragments_follow_each_other_from_the_submission_on() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let base = 1_700_000_000_000;
        write(
            &dir.path().join("tasks.parquet"),
            TASKS,
            [task("7", base + 500, 60_000, &[]), task("3", base, 90_000, &[7, 8])],
        );
        let fragment = |id: &str, ms, mhz| [id.into(), Cell::Int(ms), Cell::Float(mhz), Cell::Missing];
        let fragments = [
            fragment("3", 1000, 2000.0),
            fragment("7", 10, 8000.0),
            fragment("3", 500, 0.0),
            fragment("9", 1, 1.0),
        ];
        write(&dir.path().join("fragments.parquet"), FRAGMENTS, fragments);
        let (rows, quality) = read(dir.path());
        let usage: Vec<_> = rows.usage.iter().map(|row| (row.start.0, row.duration.0, row.cpus)).collect();
        assert_eq!(
            usage,
            [(0, 1_000_000, Some(1.0)), (500_000, 10_000, Some(4.0)), (1_000_000, 500_000, Some(0.0))]
        );
        assert_eq!((rows.jobs[1].submit, rows.jobs[1].parents.as_slice()), (Some(Micros(0)), [0].as_slice()));
        assert_eq!((quality.rejected(), quality.rows()), (1, 6));
        assert_eq!(quality.notes()["parents that the trace does not have: left out"], 1);
    }

    #[test]
    fn seconds_in_columns_of_milliseconds_are_noticed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let row = || task("0", 1_704_067_200, 1_209_600, &[]);
        write(&dir.path().join("tasks.parquet"), TASKS, [row(), row()]);
        let (rows, quality) = read(dir.path());
        assert_eq!((rows.tasks.len(), quality.rejected()), (1, 1), "a second row of a task is wrong");
        assert_eq!(rows.tasks[0].duration, Some(Micros(1_209_600_000_000)));
        assert!(quality.assumptions().iter().any(|said| said.starts_with("times are seconds")));
    }

    #[test]
    fn a_failure_takes_a_share_of_the_machines() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let failure =
            |interval, duration, share| [Cell::Int(interval), Cell::Int(duration), Cell::Float(share)];
        write(
            &dir.path().join("any"),
            FAILURES,
            [failure(5, 3, 0.25), failure(10, 1, 1.0), failure(1, 1, 1.5)],
        );
        let (rows, quality) = read(dir.path());
        let events: Vec<_> = rows.machine_events.iter().map(|row| (row.at.0, row.event)).collect();
        let expected = [
            (5000, MachineEvent::Remove),
            (8000, MachineEvent::Add),
            (15_000, MachineEvent::Remove),
            (16_000, MachineEvent::Add),
        ];
        assert_eq!((events.as_slice(), quality.rejected()), (expected.as_slice(), 1));
    }

    #[test]
    fn a_damaged_or_foreign_file_is_an_error_and_no_panic() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("tasks.parquet");
        write(&path, TASKS, (0..40).map(|id| task(&id.to_string(), id, 60_000, &[])));
        let whole = std::fs::read(&path).expect("a file");
        let mut read = 0;
        for at in (4..whole.len() - 8).step_by(11) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            std::fs::write(&path, damaged).expect("room for a small file");
            if let Ok(trace) = Trace::one(&path, None) {
                let done = trace.read(&Options::default(), &mut Collected::default(), &mut |_| true);
                read += usize::from(done.is_ok());
            }
        }
        assert!(read > 0, "damage in a value does not show");
        const OTHER: &[Column] = &[
            Column::required("id", super::Kind::Text),
            Column::required("submission_time", super::Kind::Text),
            Column::required("duration", super::Kind::Int),
            Column::required("cpu_count", super::Kind::Int),
        ];
        write(&path, OTHER, [["1".into(), "now".into(), Cell::Int(1), Cell::Int(1)]]);
        let trace = Trace::one(&path, None).expect("a trace of a known format");
        let error = trace
            .read(&Options::default(), &mut Collected::default(), &mut |_| true)
            .expect_err("a text for a time");
        assert!(
            error.to_string().contains("the column `submission_time` is of the type Utf8View"),
            "{error}"
        );
    }
}
