//! SWIM's samples of Facebook's Hadoop logs: a line for each MapReduce job with the bytes that it read, shuffled and wrote.
//!
//! Chen et al., "The Case for Evaluating MapReduce Performance Using Workload Suites", MASCOTS 2011. The files name neither
//! tasks nor durations. Both are derived here, by the constants below, and the report says so; the bytes themselves are in
//! `extra`, for those who would derive otherwise.

use crate::{
    Context, Format, Grouping, JobRow, Micros, Source, TaskRow, TraceError,
    fields::needed_seconds,
    format::{Part, Table},
    row::Value,
    table::{Delimiter, Header, Layout, Row, RowError, parse_int, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "swim",
    about: "SWIM: Facebook's Hadoop jobs of 2009 and 2010 by bytes read, shuffled and written (tab-separated)",
    source: "SWIMProjectUCB/SWIM, New BSD License",
    grouping: Grouping::File,
    detect,
    read,
};

/// A map reads one block: the default size of Hadoop at that time.
const BLOCK_BYTES: u64 = 64 << 20;
/// A reduce takes so much of the shuffle.
const REDUCE_BYTES: u64 = 1 << 30;
/// At this rate a task reads, and likewise writes.
const BYTES_PER_SECOND: f64 = 20e6;
/// Until a task's JVM is up.
const START_SECONDS: f64 = 1.0;

/// The lists with input paths have the seventh, and tabs after it.
const COLUMNS: &[&str] = &[
    "job id",
    "submit time",
    "gap",
    "input bytes",
    "shuffle bytes",
    "output bytes",
    "input path",
    "nothing",
    "nothing",
];
const REQUIRED: usize = 6;
const ID: usize = 0;
const SUBMIT: usize = 1;
const INPUT: usize = 3;
const SHUFFLE: usize = 4;
const OUTPUT: usize = 5;
const PATH: usize = 6;

fn layout() -> Layout {
    Layout {
        columns: COLUMNS,
        header: Header::None,
        fields: REQUIRED..=COLUMNS.len(),
        delimiter: Delimiter::Byte(b'\t'),
        comment: None,
    }
}

fn detect(source: &Source) -> Option<Table> {
    let line = source.lines().find(|line| !line.trim().is_empty())?;
    let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
    let whole = |field: &&str| parse_int(field.as_bytes()).is_some();
    let width = (REQUIRED..=COLUMNS.len()).contains(&fields.len());
    (width && fields[0].starts_with("job") && fields[1..REQUIRED].iter().all(whole)).then_some("jobs")
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume(format!(
        "a map reads {} MiB of the input, a reduce takes {} MiB of the shuffle; a job without shuffle has no reduces",
        BLOCK_BYTES >> 20,
        REDUCE_BYTES >> 20
    ));
    context.quality.assume(format!(
        "a task runs for {START_SECONDS} s and for what it reads and writes at {} MB/s each; jobs without reduces write their output in their maps",
        BYTES_PER_SECOND / 1e6
    ));
    let mut number = 0;
    for part in parts {
        rows(part, &layout(), context, |row, context| job(row, context, &mut number))?;
    }
    Ok(())
}

fn job(row: Row<'_>, context: &mut Context<'_>, number: &mut u64) -> Result<(), RowError> {
    let submit = Some(needed_seconds(row, SUBMIT)?);
    let (input, shuffle, output) = (bytes(row, INPUT)?, bytes(row, SHUFFLE)?, bytes(row, OUTPUT)?);
    let maps = count(row, INPUT, input.div_ceil(BLOCK_BYTES).max(1))?;
    let reduces = count(row, SHUFFLE, shuffle.div_ceil(REDUCE_BYTES))?;
    let map_output = if reduces == 0 { output } else { shuffle };
    let extra = |name, bytes| (name, Value::Number(bytes as f64));
    let mut of_job =
        vec![extra("input_bytes", input), extra("shuffle_bytes", shuffle), extra("output_bytes", output)];
    of_job.extend(row.text(PATH)?.map(|path| ("input_path", Value::Text(path.into()))));
    let job = JobRow {
        number: *number,
        name: row.name(ID)?.into(),
        application: Some("mapreduce".into()),
        submit,
        extra: of_job,
        ..JobRow::default()
    };
    let map = TaskRow {
        job: *number,
        name: Some("map".into()),
        instances: maps,
        submit,
        duration: duration(maps, input, map_output),
        extra: vec![extra("input_bytes", input), extra("output_bytes", map_output)],
        ..TaskRow::default()
    };
    context.job(&job)?;
    context.task(&map)?;
    if reduces > 0 {
        context.task(&TaskRow {
            index: 1,
            name: Some("reduce".into()),
            instances: reduces,
            parents: vec![0],
            duration: duration(reduces, shuffle, output),
            extra: vec![extra("input_bytes", shuffle), extra("output_bytes", output)],
            ..map
        })?;
    }
    *number += 1;
    Ok(())
}

fn bytes(row: Row<'_>, column: usize) -> Result<u64, RowError> {
    row.count(column)?.ok_or_else(|| row.wrong(column, "a number of bytes"))
}

fn count(row: Row<'_>, column: usize, tasks: u64) -> Result<u32, RowError> {
    u32::try_from(tasks).map_err(|_| row.wrong(column, "bytes of at most 4294967295 tasks"))
}

/// Of each of so many equal tasks that together read and write so much.
fn duration(tasks: u32, read: u64, written: u64) -> Option<Micros> {
    let each = (read as f64 + written as f64) / f64::from(tasks);
    Micros::from_secs_f64(START_SECONDS + each / BYTES_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros,
        read::testing::{read, rejections},
        row::Value,
    };

    fn seconds(task: &crate::TaskRow<'_>) -> f64 {
        task.duration.map_or(f64::NAN, Micros::as_secs_f64)
    }

    #[test]
    fn maps_and_reduces_follow_from_the_bytes() {
        let text = format!("job0\t49\t49\t{}\t{}\t40000000\n", (128u64 << 20) + 1, 3u64 << 30);
        let (format, rows, quality) = read(&[("fb.tsv", text.as_bytes())]);
        let (map, reduce) = (&rows.tasks[0], &rows.tasks[1]);
        assert_eq!((format, map.instances, reduce.instances), ("swim", 3, 3));
        assert_eq!((reduce.parents.as_slice(), reduce.index), (&[0][..], 1));
        let (third, shuffled) = (f64::from((128 << 20) + 1) / 3.0, f64::from(1 << 30));
        assert!((seconds(map) - (1.0 + (third + shuffled) / 20e6)).abs() < 1e-6);
        assert!((seconds(reduce) - (1.0 + (shuffled + 40e6 / 3.0) / 20e6)).abs() < 1e-6);
        assert_eq!(quality.assumptions().len(), 2);
    }

    #[test]
    fn the_bytes_themselves_are_kept() {
        let (_, rows, _) = read(&[("fb.tsv", b"job0\t49\t49\t740773\t2339561\t627471\n")]);
        let job = &rows.jobs[0];
        let bytes = ["input_bytes", "shuffle_bytes", "output_bytes"].map(|name| job.number_of(name));
        assert_eq!(bytes, [Some(740_773.0), Some(2_339_561.0), Some(627_471.0)]);
        assert_eq!((&*job.name, job.submit), ("job0", Micros::from_secs(49)));
    }

    #[test]
    fn a_job_without_shuffle_has_no_reduces_and_writes_in_its_maps() {
        let (_, rows, _) = read(&[("fb.tsv", b"job4\t208\t11\t0\t0\t20000000\n")]);
        assert_eq!((rows.tasks.len(), rows.tasks[0].instances), (1, 1));
        assert!((seconds(&rows.tasks[0]) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_layout_with_input_paths_tells_which_jobs_read_the_same() {
        let text = b"job0\t1\t1\t9\t0\t7\tinputPath1\t\t\njob1\t2\t1\t9\t0\t7\tinputPath1\t\t\n";
        let (format, rows, _) = read(&[("fb", text)]);
        let path = ("input_path", Value::Text("inputPath1".into()));
        assert_eq!((format, rows.jobs.len()), ("swim", 2));
        assert!(rows.jobs.iter().all(|job| job.extra.contains(&path)), "{:?}", rows.jobs);
    }

    #[test]
    fn bad_rows_are_rejected_by_line() {
        let text = "job0\t1\t1\t1\t1\t1\njob1\t1\t1\t-1\t1\t1\njob2\t\t1\t1\t1\t1\njob3\t1\t1\t1\t1\njob4\t1\t1\t9223372036854775807\t1\t1\n";
        let (_, rows, quality) = read(&[("fb.tsv", text.as_bytes())]);
        assert_eq!(rows.jobs.len(), 1);
        let expected = [
            "line 2: `input bytes` is `-1`: expected a whole number, 0 or more, and not huge",
            "line 3: `submit time` is ``: expected a number of seconds, 0 or more",
            "line 4: 5 fields: expected 6 to 9 fields",
            "line 5: `input bytes` is `9223372036854775807`: expected bytes of at most 4294967295 tasks",
        ];
        assert_eq!(rejections(&quality), expected);
    }
}
