//! The native form on disk: a directory of five Parquet tables and `trace.json`, which says what they come from.
//!
//! | file | one row for each |
//! |---|---|
//! | `jobs.parquet` | job |
//! | `tasks.parquet` | task |
//! | `machines.parquet` | machine |
//! | `machine_events.parquet` | coming, going or change of a machine |
//! | `usage.parquet` | interval of measured use |
//! | `trace.json` | (one object) source format, units, assumptions, counts, what was odd |
//!
//! Columns are those of [`row`](crate::row), with units last: `_us` microseconds, `_mib` MiB. `extra` is a JSON object,
//! `attributes` a JSON array of pairs.

pub mod tables;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Value as Json, json};

use crate::{
    JobRow, MachineEventRow, MachineRow, Quality, Sink, TaskRow, TraceError, UsageRow, parquet::TableWriter,
};

/// The version of the form, as `trace.json` has it under `mesosim_trace`.
pub const VERSION: u64 = 1;

/// Writes the native form. The directory appears when it is whole: until then rows go to a hidden one beside it, which is
/// removed if writing ends early. One row group of each table is in memory.
pub struct Writer {
    /// Where the directory will be.
    target: PathBuf,
    /// Where rows go; nothing once that is in its place.
    hidden: Option<PathBuf>,
    tables: Option<Tables>,
}

struct Tables {
    jobs: TableWriter,
    tasks: TableWriter,
    machines: TableWriter,
    machine_events: TableWriter,
    usage: TableWriter,
}

impl Writer {
    /// A new directory; an empty one may be there already.
    ///
    /// # Errors
    /// There is something in its place, it cannot be made, or this build cannot write Parquet.
    pub fn create(target: &Path) -> Result<Self, TraceError> {
        let fail = |source| TraceError::Write { path: target.to_owned(), source };
        if fs::exists(target).map_err(fail)? {
            // Only an empty directory can be removed so.
            fs::remove_dir(target).map_err(fail)?;
        }
        let hidden = hidden(target).map_err(fail)?;
        let mut writer = Self { target: target.to_owned(), hidden: Some(hidden.clone()), tables: None };
        let table = |name: &str, columns| TableWriter::create(&hidden.join(name), columns);
        writer.tables = Some(Tables {
            jobs: table("jobs.parquet", tables::JOBS)?,
            tasks: table("tasks.parquet", tables::TASKS)?,
            machines: table("machines.parquet", tables::MACHINES)?,
            machine_events: table("machine_events.parquet", tables::MACHINE_EVENTS)?,
            usage: table("usage.parquet", tables::USAGE)?,
        });
        Ok(writer)
    }

    /// Writes what is left and puts the directory in its place. `format` is what the trace was read from.
    ///
    /// # Errors
    /// Something cannot be written.
    pub fn finish(mut self, format: &str, quality: &Quality) -> Result<(), TraceError> {
        let (Some(tables), Some(hidden)) = (self.tables.take(), self.hidden.clone()) else { return Ok(()) };
        let counts = json!({
            "jobs": tables.jobs.finish()?,
            "tasks": tables.tasks.finish()?,
            "machines": tables.machines.finish()?,
            "machine_events": tables.machine_events.finish()?,
            "usage": tables.usage.finish()?,
        });
        let text = format!("{:#}\n", about(format, quality, &counts));
        fs::write(hidden.join("trace.json"), text).map_err(|source| self.failed(source))?;
        fs::rename(&hidden, &self.target).map_err(|source| self.failed(source))?;
        self.hidden = None;
        Ok(())
    }

    fn failed(&self, source: io::Error) -> TraceError {
        TraceError::Write { path: self.target.clone(), source }
    }

    fn tables(&mut self) -> Result<&mut Tables, TraceError> {
        self.tables.as_mut().ok_or_else(|| TraceError::Unusable("the trace is written already".to_owned()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.tables = None;
        if let Some(hidden) = &self.hidden {
            // Nobody can be told that this failed, and nothing takes the directory for a trace.
            fs::remove_dir_all(hidden).ok();
        }
    }
}

/// A new hidden directory beside the target: renaming works within one file system only.
fn hidden(target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name().ok_or_else(|| io::Error::other("this is no name for a new directory"))?;
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let hidden = parent.join(format!(".{}.{}.partial", name.to_string_lossy(), std::process::id()));
    fs::create_dir(&hidden)?;
    Ok(hidden)
}

fn about(format: &str, quality: &Quality, counts: &Json) -> Json {
    let files = quality.files().iter().map(|file| {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        json!({ "name": name, "table": file.table, "rows": file.rows, "bytes": file.bytes, "rejected": file.rejected })
    });
    json!({
        "mesosim_trace": VERSION,
        "source_format": format,
        "units": {
            "_us": "microseconds since the trace's own beginning, or a duration",
            "_mib": "MiB",
            "cpus": "cores",
            "gpus": "devices",
        },
        "counts": counts,
        "assumptions": quality.assumptions(),
        "rejected": quality.rejected(),
        "notes": quality.notes(),
        "missing": quality.missing(),
        "files": files.collect::<Vec<_>>(),
    })
}

impl Sink for Writer {
    fn job(&mut self, row: &JobRow<'_>) -> Result<(), TraceError> {
        self.tables()?.jobs.push(tables::job(row)?)
    }

    fn task(&mut self, row: &TaskRow<'_>) -> Result<(), TraceError> {
        self.tables()?.tasks.push(tables::task(row)?)
    }

    fn machine(&mut self, row: &MachineRow<'_>) -> Result<(), TraceError> {
        self.tables()?.machines.push(tables::machine(row))
    }

    fn machine_event(&mut self, row: &MachineEventRow<'_>) -> Result<(), TraceError> {
        self.tables()?.machine_events.push(tables::machine_event(row))
    }

    fn usage(&mut self, row: &UsageRow<'_>) -> Result<(), TraceError> {
        self.tables()?.usage.push(tables::usage(row)?)
    }
}

#[cfg(all(test, feature = "parquet"))]
mod tests {
    use std::fs;

    use super::Writer;
    use crate::{
        JobRow, MachineEventRow, MachineRow, Micros, Options, Quality, Sink, Status, TaskRow, Trace,
        TraceError, UsageRow,
        row::{MachineEvent, Value, Whose},
        sink::Collected,
    };

    /// Rows in which every column is once something and once nothing.
    fn rows() -> Collected {
        let job = JobRow {
            number: 9_007_199_254_740_993,
            name: "jöb \"7\"".into(),
            user: Some("u".into()),
            group: Some("g".into()),
            class: Some("c".into()),
            application: Some("a".into()),
            priority: Some(-3),
            weight: Some(0.5),
            submit: Some(Micros(-5)),
            start: Some(Micros(1)),
            end: Some(Micros(i64::MAX)),
            requested_time: Some(Micros(2)),
            deadline: Some(Micros(3)),
            status: Some(Status::TimedOut),
            gang: true,
            parents: vec![1, 2],
            extra: vec![("b_number", Value::Number(0.1)), ("a_text", Value::Text("x\ny".into()))],
        };
        let task = TaskRow {
            job: 1,
            index: u32::MAX,
            name: Some("t".into()),
            instances: 7,
            parents: vec![0, u32::MAX],
            cpus: Some(0.25),
            mem_mib: Some(1.5),
            disk_mib: Some(0.0),
            gpus: Some(0.5),
            gpu_model: Some("V100|T4".into()),
            submit: Some(Micros(0)),
            start: Some(Micros(1)),
            end: Some(Micros(2)),
            duration: Some(Micros(1)),
            status: Some(Status::Evicted),
            priority: Some(11),
            attempts: 3,
            evictions: 2,
            machine: Some("m".into()),
            constraints: Some("rack == r1".into()),
            extra: vec![("c", Value::Number(-1.0))],
        };
        let machine = MachineRow {
            name: "m".into(),
            cpus: Some(64.0),
            mem_mib: Some(1.0),
            disk_mib: Some(2.0),
            gpus: Some(8.0),
            gpu_model: Some("T4".into()),
            rack: Some("r".into()),
            zone: Some("z".into()),
            attributes: vec![("os".into(), "a".into()), ("os".into(), "b".into())],
        };
        let event = |event, attribute| MachineEventRow {
            at: Micros(4),
            machine: "m".into(),
            event,
            cpus: None,
            mem_mib: Some(1.0),
            attribute,
        };
        let usage = |whose, cpus| UsageRow {
            whose,
            start: Micros(1),
            duration: Micros(300),
            cpus,
            cpus_max: None,
            mem_mib: Some(2.0),
            gpus: None,
        };
        Collected {
            jobs: vec![job, JobRow { name: "second".into(), ..JobRow::default() }],
            tasks: vec![task, TaskRow { instances: 1, ..TaskRow::default() }],
            machines: vec![machine, MachineRow { name: "bare".into(), ..MachineRow::default() }],
            machine_events: vec![
                event(MachineEvent::Add, None),
                event(MachineEvent::Update, Some(("k".into(), None))),
                event(MachineEvent::SoftError, Some(("k".into(), Some("v".into())))),
            ],
            usage: vec![usage(Whose::Task(1, 2), Some(1.0)), usage(Whose::Machine("m".into()), None)],
        }
    }

    fn write(rows: &Collected, sink: &mut dyn Sink) -> Result<(), TraceError> {
        rows.jobs.iter().try_for_each(|row| sink.job(row))?;
        rows.tasks.iter().try_for_each(|row| sink.task(row))?;
        rows.machines.iter().try_for_each(|row| sink.machine(row))?;
        rows.machine_events.iter().try_for_each(|row| sink.machine_event(row))?;
        rows.usage.iter().try_for_each(|row| sink.usage(row))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let target = dir.path().join("trace");
        let (rows, mut quality) = (rows(), Quality::default());
        quality.assume("the moon is made of cheese");
        let mut writer = Writer::create(&target).expect("a new directory");
        write(&rows, &mut writer).expect("room for a small trace");
        assert!(!target.exists(), "nothing half written is to be seen");
        writer.finish("swf", &quality).expect("room for a small trace");
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
        let trace = Trace::one(&target, None).expect("one trace");
        assert_eq!((trace.format.name, trace.files.len()), ("native", 6));
        let mut again = Collected::default();
        let report = trace.read(&Options::default(), &mut again, &mut |_| true).expect("a good trace");
        assert_eq!(again, rows);
        assert_eq!((report.rejected(), report.rows()), (0, 11));
        assert!(report.assumptions().contains(&"the moon is made of cheese".to_owned()));
        let about = fs::read_to_string(target.join("trace.json")).expect("a file");
        assert!(
            about.contains("\"machine_events\": 3") && about.contains("\"source_format\": \"swf\""),
            "{about}"
        );
    }

    #[test]
    fn many_rows_make_several_row_groups() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let target = dir.path().join("trace");
        let mut writer = Writer::create(&target).expect("a new directory");
        let row = |number| JobRow {
            number,
            name: number.to_string().into(),
            parents: vec![number],
            ..JobRow::default()
        };
        (0..70_000).for_each(|number| writer.job(&row(number)).expect("room for a row"));
        writer.finish("swf", &Quality::default()).expect("room for a trace");
        let mut again = Collected::default();
        let trace = Trace::one(&target.join("jobs.parquet"), None).expect("one trace");
        trace.read(&Options::default(), &mut again, &mut |_| true).expect("a good trace");
        assert_eq!(again.jobs.len(), 70_000);
        assert!(again.jobs.iter().enumerate().all(|(n, job)| *job == row(n as u64)));
    }

    #[test]
    fn a_writer_that_is_dropped_leaves_nothing_and_none_overwrites() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let target = dir.path().join("trace");
        drop(Writer::create(&target).expect("a new directory"));
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 0);
        fs::create_dir(&target).expect("a directory");
        fs::write(target.join("mine"), "precious").expect("a file");
        assert!(matches!(Writer::create(&target), Err(TraceError::Write { .. })));
        assert_eq!(fs::read_to_string(target.join("mine")).expect("a file"), "precious");
    }
}
