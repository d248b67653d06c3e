//! Gavel: deep-learning jobs as numbers of training steps, and measured steps per second on each kind of GPU.
//!
//! Narayanan et al., "Heterogeneity-Aware Cluster Scheduling Policies for Deep Learning Workloads", OSDI 2020. A job has no
//! duration of its own: on a kind of worker it is its steps over the throughput there. Throughput tables are looked for
//! beside the trace, then in up to three directories above. With one, `duration` is that on the first kind that has a throughput for
//! the job (V100 in the published tables), and `extra` holds the throughputs on all kinds; without one, `duration` is `None`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use crate::{
    Context, Format, Grouping, JobRow, Micros, Source, TaskRow, TraceError,
    document::{self, Object, rejected},
    fields::{at_least_one, needed_amount, needed_seconds},
    format::{Part, Table},
    row::{Extra, Value},
    table::{Delimiter, Header, Layout, Row, RowError, parse_int, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "gavel",
    about: "Gavel's deep-learning jobs (tab-separated, 10 fields, or 7 of the older layout) and throughput tables (JSON)",
    source: "stanford-futuredata/gavel, MIT License",
    grouping: Grouping::File,
    detect,
    read,
};

/// The layout that Gavel reads.
pub(super) const COLUMNS: &[&str] = &[
    "job type",
    "command",
    "working directory",
    "num steps argument",
    "needs data directory",
    "total steps",
    "scale factor",
    "priority weight",
    "SLO",
    "arrival time",
];
/// The layout of the traces that follow Microsoft's.
const OLD_COLUMNS: &[&str] = &[
    "job type",
    "command",
    "num steps argument",
    "needs data directory",
    "total steps",
    "arrival time",
    "scale factor",
];

/// Where the fields of a layout are.
struct Places {
    steps: usize,
    scale: usize,
    arrival: usize,
    weight: Option<usize>,
    objective: Option<usize>,
}

const PLACES: Places = Places { steps: 5, scale: 6, arrival: 9, weight: Some(7), objective: Some(8) };
const OLD_PLACES: Places = Places { steps: 4, scale: 6, arrival: 5, weight: None, objective: None };
const JOB_TYPE: usize = 0;

/// Kinds of workers in throughput tables, and what their throughput is called in `extra`.
const WORKERS: &[(&str, &str)] = &[
    ("v100", "steps_per_s_v100"),
    ("p100", "steps_per_s_p100"),
    ("k80", "steps_per_s_k80"),
    ("v100_unconsolidated", "steps_per_s_v100_unconsolidated"),
    ("p100_unconsolidated", "steps_per_s_p100_unconsolidated"),
    ("k80_unconsolidated", "steps_per_s_k80_unconsolidated"),
];
/// Files of throughputs have this in their names.
const THROUGHPUTS: &str = "throughputs.json";
/// They are looked for in so many directories: in Gavel's repository they are three above some of its traces.
const DIRECTORIES: usize = 4;
/// Of several the one that Gavel's simulator takes.
const PREFERRED: &str = "simulation_throughputs";

/// A table of tab-separated fields without a header.
pub(super) fn tabs(columns: &'static [&'static str]) -> Layout {
    Layout { header: Header::None, delimiter: Delimiter::Byte(b'\t'), ..Layout::headerless(columns) }
}

fn detect(source: &Source) -> Option<Table> {
    let line = source.lines().find(|line| !line.trim().is_empty())?;
    let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
    let at = |place: usize| parse_int(fields[place].as_bytes()).is_some();
    match fields.len() {
        10 if [4, 5, 6].into_iter().all(at) => Some("jobs"),
        7 if [3, 4, 6].into_iter().all(at) => Some("old-jobs"),
        _ => is_throughputs(source).then_some("throughputs"),
    }
}

fn is_throughputs(source: &Source) -> bool {
    let keys = document::keys(source);
    let is_worker =
        |(depth, key): &(usize, String)| *depth == 1 && WORKERS.iter().any(|(worker, _)| worker == key);
    keys.first().is_some_and(is_worker)
        && keys.get(1).is_some_and(|(depth, key)| *depth == 2 && key.starts_with("('"))
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    let mut number = 0;
    for part in parts {
        let (columns, places) = match part.table {
            "throughputs" => {
                Throughputs::default().add(part, context)?;
                continue;
            }
            "old-jobs" => (OLD_COLUMNS, &OLD_PLACES),
            _ => (COLUMNS, &PLACES),
        };
        let throughputs = Throughputs::beside(&part.source.path, context)?;
        rows(part, &tabs(columns), context, |row, context| {
            job(row, context, places, &throughputs, &mut number)
        })?;
    }
    Ok(())
}

fn job(
    row: Row<'_>,
    context: &mut Context<'_>,
    places: &Places,
    throughputs: &Throughputs,
    number: &mut u64,
) -> Result<(), RowError> {
    let model = row.name(JOB_TYPE)?;
    let steps = needed_amount(row, places.steps)?;
    let scale = at_least_one(row, places.scale)?;
    let submit = Some(needed_seconds(row, places.arrival)?);
    let rates = throughputs.of(model, scale);
    let fastest = rates.iter().find(|(_, rate)| *rate > 0.0);
    let duration = fastest.and_then(|(_, rate)| Micros::from_secs_f64(steps / rate));
    if duration.is_none() {
        context.quality.miss("throughput");
    }
    let mut extra: Extra<'_> =
        vec![("total_steps", Value::Number(steps)), ("scale_factor", Value::Number(scale.into()))];
    extra.extend(batch_size(model).map(|size| ("batch_size", Value::Number(size))));
    let objective = places.objective.map(|place| row.number(place)).transpose()?.flatten();
    extra.extend(objective.filter(|slo| *slo >= 0.0).map(|slo| ("slo", Value::Number(slo))));
    extra.extend(rates.iter().map(|&(worker, rate)| (worker, Value::Number(rate))));
    let weight = places.weight.map(|place| row.amount(place)).transpose()?.flatten();
    let name = format!("job-{number}");
    context.job(&training(*number, name, model, submit, weight, extra))?;
    context.task(&workers(*number, scale, submit, duration))?;
    *number += 1;
    Ok(())
}

/// A job that trains a model on all its GPUs at once.
pub(super) fn training<'a>(
    number: u64,
    name: String,
    model: &'a str,
    submit: Option<Micros>,
    weight: Option<f64>,
    extra: Extra<'a>,
) -> JobRow<'a> {
    JobRow {
        number,
        name: name.into(),
        application: Some(model.into()),
        weight,
        submit,
        gang: true,
        extra,
        ..JobRow::default()
    }
}

/// Its workers, of one GPU each.
pub(super) fn workers(
    job: u64,
    instances: u32,
    submit: Option<Micros>,
    duration: Option<Micros>,
) -> TaskRow<'static> {
    TaskRow { job, instances, gpus: Some(1.0), submit, duration, ..TaskRow::default() }
}

/// What a job type says of its batches: `ResNet-18 (batch size 128)`.
pub(super) fn batch_size(model: &str) -> Option<f64> {
    let (_, rest) = model.split_once("(batch size ")?;
    rest.strip_suffix(')')?.trim().parse().ok()
}

/// Steps per second of a job alone on its workers, by job type and number of workers.
#[derive(Default)]
struct Throughputs(FxHashMap<(String, u32), Vec<(&'static str, f64)>>);

impl Throughputs {
    /// The table in the directory of a trace, or in the nearest of those above.
    fn beside(trace: &Path, context: &mut Context<'_>) -> Result<Self, TraceError> {
        let mut throughputs = Self::default();
        let trace = fs::canonicalize(trace).unwrap_or_else(|_| trace.to_owned());
        let path = trace.ancestors().skip(1).take(DIRECTORIES).find_map(table_in);
        let source = path.as_deref().map(Source::of).transpose()?.filter(is_throughputs);
        let Some(source) = source else {
            context.quality.assume("no throughput table is beside the trace: durations are not known");
            return Ok(throughputs);
        };
        let name = source.path.file_name().unwrap_or_default().to_string_lossy();
        context.quality.assume(format!(
            "a job's duration is its steps over its throughput in `{name}`, on the first of v100, p100 and k80 that has one"
        ));
        throughputs.add(&Part { source: &source, table: "throughputs" }, context)?;
        Ok(throughputs)
    }

    fn add(&mut self, part: &Part<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        context.quality.begin(&part.source.path, part.table);
        document::elements(part, context, |element, context| {
            let known = WORKERS.iter().find(|(worker, _)| *worker == element.key);
            let Some((_, name)) = known else {
                let expected = WORKERS.iter().map(|(worker, _)| *worker).collect::<Vec<_>>().join(", ");
                return Err(rejected(element.number, "worker", element.key, expected));
            };
            let jobs = element.value.as_object();
            for (key, value) in jobs.ok_or_else(|| rejected(element.number, "", "no object", "an object"))? {
                let entry = job_type(key).and_then(|job| Some((job, alone(value, element.number)?)));
                match entry {
                    Some((job, rate)) => self.0.entry(job).or_default().push((name, rate)),
                    None => context.quality.note("entries of throughput tables that are none", 1),
                }
            }
            Ok(())
        })
    }

    /// In the order of [`WORKERS`], so that the first is the reference.
    fn of(&self, model: &str, scale: u32) -> Vec<(&'static str, f64)> {
        let mut rates = self.0.get(&(model.to_owned(), scale)).cloned().unwrap_or_default();
        rates.sort_by_key(|(name, _)| WORKERS.iter().position(|(_, known)| known == name));
        rates
    }
}

/// The throughput of a job that shares its workers with no other.
fn alone(value: &Json, number: u64) -> Option<f64> {
    Object::new(value, number).ok()?.amount("null").ok()?
}

/// A key of a throughput table, which is a Python tuple: `('ResNet-18 (batch size 16)', 1)`.
fn job_type(key: &str) -> Option<(String, u32)> {
    let (model, scale) = key.strip_prefix("('")?.strip_suffix(')')?.rsplit_once("', ")?;
    Some((model.to_owned(), scale.trim().parse().ok()?))
}

fn table_in(directory: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(directory).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut tables: Vec<_> =
        entries.filter(|path| name(path).contains(THROUGHPUTS) && path.is_file()).collect();
    tables.sort_by_key(|path| (!name(path).starts_with(PREFERRED), name(path)));
    tables.into_iter().next()
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros, Options, Trace,
        read::testing::{read, rejections},
        sink::Collected,
    };

    const TEN: &str = "ResNet-18 (batch size 128)\tpython3 main.py --data_dir=%s/cifar10\timage_classification\t--num_steps\t1\t1000\t4\t2\t-1.000000\t46317.5\nA3C\tpython3 main.py\trl\t--max-steps\t0\t500\t1\t1\t1.2\t548\n";
    const SEVEN: &str =
        "Transformer (batch size 256)\tcd %s && python3 train.py\t-step\t1\t19178\t182095.000000\t8\n";
    const RATES: &str = r#"{"k80": {"('A3C', 1)": {"null": 5.0}, "('ResNet-18 (batch size 128)', 4)": {"null": 0.0}},
        "v100": {"('ResNet-18 (batch size 128)', 4)": {"null": 20.0, "('A3C', 1)": [1.0, 2.0]},
                 "('ResNet-18 (batch size 128)', 1)": {"null": 7.0}}}"#;

    /// The trace `a.trace` of a directory with these files.
    fn beside(files: &[(&str, &str)]) -> (Collected, crate::Quality) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).expect("room for a small file");
        }
        let trace = Trace::one(&dir.path().join("a.trace"), None).expect("one trace of a known format");
        let mut rows = Collected::default();
        let quality = trace.read(&Options::default(), &mut rows, &mut |_| true).expect("a good trace");
        (rows, quality)
    }

    #[test]
    fn ten_fields_are_the_present_layout() {
        let (format, rows, quality) = read(&[("a.trace", TEN.as_bytes())]);
        let (job, task) = (&rows.jobs[0], &rows.tasks[0]);
        assert_eq!((format, rows.jobs.len(), quality.rejected()), ("gavel", 2, 0));
        assert_eq!(job.application.as_deref(), Some("ResNet-18 (batch size 128)"));
        assert_eq!((job.submit, job.weight, job.gang), (Micros::from_secs_f64(46317.5), Some(2.0), true));
        let extra = ["total_steps", "scale_factor", "batch_size", "slo"].map(|name| job.number_of(name));
        assert_eq!(extra, [Some(1000.0), Some(4.0), Some(128.0), None]);
        assert_eq!((task.instances, task.gpus, task.duration), (4, Some(1.0), None));
        assert_eq!(rows.jobs[1].number_of("slo"), Some(1.2));
    }

    #[test]
    fn seven_fields_are_the_older_layout_with_arrival_before_scale() {
        let (format, rows, _) = read(&[("vc.trace", SEVEN.as_bytes())]);
        assert_eq!((format, rows.jobs[0].submit), ("gavel", Micros::from_secs(182_095)));
        assert_eq!((rows.tasks[0].instances, rows.jobs[0].number_of("total_steps")), (8, Some(19178.0)));
        assert_eq!(rows.jobs[0].weight, None);
    }

    #[test]
    fn durations_come_from_the_throughput_table_beside_the_trace() {
        let (rows, quality) = beside(&[("a.trace", TEN), ("my_throughputs.json", RATES)]);
        assert_eq!(
            rows.tasks.iter().map(|task| task.duration).collect::<Vec<_>>(),
            [50, 100].map(Micros::from_secs)
        );
        assert_eq!(rows.jobs[0].number_of("steps_per_s_v100"), Some(20.0));
        assert_eq!(rows.jobs[0].number_of("steps_per_s_k80"), Some(0.0));
        assert_eq!(rows.jobs[1].number_of("steps_per_s_v100"), None);
        assert!(quality.assumptions()[0].contains("`my_throughputs.json`"), "{:?}", quality.assumptions());
        assert_eq!(quality.missing().get("throughput"), None);
    }

    #[test]
    fn the_table_may_be_three_directories_above() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let inside = dir.path().join("traces/msr/seed=0");
        std::fs::create_dir_all(&inside).expect("room for directories");
        std::fs::write(dir.path().join("simulation_throughputs.json"), RATES).expect("room for a small file");
        std::fs::write(inside.join("a.trace"), TEN).expect("room for a small file");
        let trace = Trace::one(&inside.join("a.trace"), None).expect("one trace of a known format");
        let mut rows = Collected::default();
        trace.read(&Options::default(), &mut rows, &mut |_| true).expect("a good trace");
        assert_eq!(rows.tasks[0].duration, Micros::from_secs(50));
    }

    #[test]
    fn without_a_throughput_there_is_no_duration() {
        let (rows, quality) = beside(&[("a.trace", SEVEN), ("my_throughputs.json", RATES)]);
        assert_eq!((rows.tasks[0].duration, quality.missing().get("throughput")), (None, Some(&1)));
    }

    #[test]
    fn of_several_tables_the_simulators_is_taken() {
        let other = RATES.replace("20.0", "40.0");
        let files = [
            ("a.trace", TEN),
            ("physical_cluster_throughputs.json", &*other),
            ("simulation_throughputs.json", RATES),
        ];
        assert_eq!(beside(&files).0.tasks[0].duration, Micros::from_secs(50));
    }

    #[test]
    fn a_throughput_table_is_recognised_and_its_strange_entries_are_told() {
        let text = r#"{"v100": {"('A3C', 1)": {"null": 5.0}, "A3C": {"null": 1}, "('A3C', 2)": {"null": -1}}, "tpu": {}, "k80": 3}"#;
        let (format, rows, quality) = read(&[("t.json", text.as_bytes())]);
        assert_eq!((format, rows.jobs.len(), quality.rows()), ("gavel", 0, 3));
        assert_eq!(quality.notes().get("entries of throughput tables that are none"), Some(&2));
        assert_eq!(quality.rejected(), 2);
        assert!(rejections(&quality)[0].starts_with("line 2: `worker` is `tpu`: expected v100"));
    }

    #[test]
    fn bad_rows_are_rejected_by_line() {
        let good = TEN.lines().next().expect("a line");
        let text = [
            good,
            &good.replace("\t4\t", "\t0\t"),
            &good.replace("1000", "x"),
            "a\tb",
            &good.replace("46317.5", "-1"),
        ]
        .join("\n");
        let (_, rows, quality) = read(&[("a.trace", text.as_bytes())]);
        assert_eq!(rows.jobs.len(), 1);
        let expected = [
            "line 2: `scale factor` is `0`: expected a whole number, 1 or more",
            "line 3: `total steps` is `x`: expected a number",
            "line 4: 2 fields: expected 10 fields",
            "line 5: `arrival time` is `-1`: expected a number of seconds, 0 or more",
        ];
        assert_eq!(rejections(&quality), expected);
    }
}
