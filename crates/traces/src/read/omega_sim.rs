//! Omega's lightweight simulator: what ran in a cell at the start, and samples of its jobs.
//!
//! Schwarzkopf et al., "Omega: flexible, scalable schedulers for large compute clusters", EuroSys 2013;
//! google/cluster-scheduler-simulator. Fields stand between blanks, without a header.
//!
//! Cell state: code (11: the job was there at the beginning, 12: it ended at this time), time, job, production (0, 1),
//! scheduling class (0..3), and, with code 11, tasks, and cores and bytes of all of them. Samples: cluster, policy, scheduler
//! (0 batch, 1 service), value. Whether the values are gaps between arrivals, numbers of tasks or run times only the name of
//! the file tells.

use rustc_hash::FxHashMap;

use crate::{
    Context, Format, Grouping, JobRow, Micros, Source, TaskRow, TraceError,
    fields::{at_least_one, needed, needed_amount, seconds},
    format::{Part, Table},
    row::Value,
    table::{Delimiter, Header, Layout, Row, RowError, parse_int, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "omega-sim",
    about: "Omega's lightweight simulator: initial cell state, samples of gaps, sizes and run times of jobs",
    source: "google/cluster-scheduler-simulator, BSD 3-clause",
    grouping: Grouping::File,
    detect,
    read,
};

const STATE_COLUMNS: &[&str] =
    &["code", "time", "job", "production", "scheduling class", "tasks", "cores", "bytes"];
const CODE: usize = 0;
const TIME: usize = 1;
const JOB: usize = 2;
const PRODUCTION: usize = 3;
const CLASS: usize = 4;
const TASKS: usize = 5;
const CORES: usize = 6;
const BYTES: usize = 7;

const SAMPLE_COLUMNS: &[&str] = &["cluster", "policy", "scheduler", "value"];
const CLUSTER: usize = 0;
const SCHEDULER: usize = 2;
const VALUE: usize = 3;

fn layout(columns: &'static [&'static str], fewest: usize) -> Layout {
    Layout {
        columns,
        header: Header::None,
        fields: fewest..=columns.len(),
        delimiter: Delimiter::Blanks,
        comment: None,
    }
}

fn detect(source: &Source) -> Option<Table> {
    let line = source.lines().find(|line| !line.trim().is_empty())?;
    let fields: Vec<&str> = line.split_whitespace().collect();
    let is_number = |field: &str| field.parse::<f64>().is_ok();
    match fields.as_slice() {
        ["11" | "12", time, job, "0" | "1", "0" | "1" | "2" | "3", rest @ ..]
            if is_number(time) && parse_int(job.as_bytes()).is_some() && [1, 3].contains(&rest.len()) =>
        {
            Some("cell-state")
        }
        [cluster, policy, "0" | "1", value]
            if is_number(value) && !is_number(cluster) && !is_number(policy) && !line.contains(',') =>
        {
            Some("samples")
        }
        _ => None,
    }
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    let mut number = 0;
    for part in parts {
        if part.table == "cell-state" {
            cell_state(part, context, &mut number)?;
        } else {
            samples(part, context, &mut number)?;
        }
    }
    Ok(())
}

/// A job that was there at the beginning.
struct Running {
    job: JobRow<'static>,
    task: TaskRow<'static>,
}

fn cell_state(part: &Part<'_>, context: &mut Context<'_>, number: &mut u64) -> Result<(), TraceError> {
    context.quality.assume("cores and bytes are of all tasks of a job together, which share them equally");
    let mut jobs: Vec<Running> = Vec::new();
    let mut places: FxHashMap<i64, usize> = FxHashMap::default();
    let first = *number;
    rows(part, &layout(STATE_COLUMNS, 6), context, |row, _| {
        let (id, time) = (row.need_int(JOB)?, seconds(row, TIME)?);
        let time = needed(row, TIME, time, "a number of seconds")?;
        match (row.need_int(CODE)?, row.len()) {
            (11, 8) if places.contains_key(&id) => Err(row.wrong(JOB, "a job that was not there before")),
            (11, 8) => {
                let running = running(row, first + jobs.len() as u64, time)?;
                places.insert(id, jobs.len());
                jobs.push(running);
                Ok(())
            }
            (12, _) => {
                let known = places.get(&id).and_then(|place| jobs.get_mut(*place));
                let known = known.filter(|known| known.job.end.is_none() && known.job.start <= Some(time));
                let known = known.ok_or_else(|| row.wrong(JOB, "a job that was there and had not ended"))?;
                (known.job.end, known.task.end) = (Some(time), Some(time));
                known.task.duration = known.task.start.and_then(|start| time.since(start));
                Ok(())
            }
            (11, _) => Err(row.refuse("a job without its tasks", "8 fields with code 11")),
            _ => Err(row.wrong(CODE, "11 (was there at the beginning) or 12 (ended)")),
        }
    })?;
    *number += jobs.len() as u64;
    for Running { job, task } in &jobs {
        context.job(job)?;
        context.task(task)?;
    }
    Ok(())
}

fn running(row: Row<'_>, number: u64, start: Micros) -> Result<Running, RowError> {
    let production = row.need_int(PRODUCTION)?;
    if ![0, 1].contains(&production) {
        return Err(row.wrong(PRODUCTION, "0 or 1"));
    }
    let class = row.count::<u32>(CLASS)?.filter(|class| *class <= 3);
    let class = needed(row, CLASS, class, "0, 1, 2 or 3")?;
    let instances = at_least_one(row, TASKS)?;
    let each = |amount: f64| amount / f64::from(instances);
    let (start, submit) = (Some(start), Some(start));
    let job = JobRow {
        number,
        name: row.name(JOB)?.to_owned().into(),
        class: Some(class.to_string().into()),
        priority: Some(production),
        submit,
        start,
        extra: vec![("production", Value::Number(production as f64))],
        ..JobRow::default()
    };
    let task = TaskRow {
        job: number,
        instances,
        cpus: Some(each(needed_amount(row, CORES)?)),
        mem_mib: Some(each(needed_amount(row, BYTES)?) / 1_048_576.0),
        submit,
        start,
        priority: Some(production),
        attempts: 1,
        ..TaskRow::default()
    };
    Ok(Running { job, task })
}

/// What the values of a file of samples are.
#[derive(Clone, Copy)]
enum Sampled {
    Gaps,
    Sizes,
    RunTimes,
}

fn samples(part: &Part<'_>, context: &mut Context<'_>, number: &mut u64) -> Result<(), TraceError> {
    let name = part.source.path.file_name().unwrap_or_default().to_string_lossy();
    let sampled =
        [("interarrival", Sampled::Gaps), ("csizes", Sampled::Sizes), ("runtimes", Sampled::RunTimes)];
    let Some((_, sampled)) = sampled.into_iter().find(|(word, _)| name.contains(word)) else {
        return Err(TraceError::Malformed {
            path: part.source.path.clone(),
            line: None,
            problem: "the name of the file does not say what its samples are".to_owned(),
            expected: "`interarrival`, `csizes` or `runtimes` in it".to_owned(),
        });
    };
    context.quality.assume(
        "the samples of a file are jobs of which nothing else is known; gaps add up for each scheduler",
    );
    let mut clocks = [Micros(0); 2];
    rows(part, &layout(SAMPLE_COLUMNS, 4), context, |row, context| {
        sample(row, context, sampled, &mut clocks, *number)?;
        *number += 1;
        Ok(())
    })
}

fn sample(
    row: Row<'_>,
    context: &mut Context<'_>,
    sampled: Sampled,
    clocks: &mut [Micros; 2],
    number: u64,
) -> Result<(), RowError> {
    let scheduler = row.need_int(SCHEDULER)?;
    let clock = usize::try_from(scheduler).ok().and_then(|scheduler| clocks.get_mut(scheduler));
    let clock = clock.ok_or_else(|| row.wrong(SCHEDULER, "0 (batch) or 1 (service)"))?;
    let class = if scheduler == 0 { "batch" } else { "service" };
    let mut task = TaskRow { job: number, instances: 1, ..TaskRow::default() };
    let span = || Ok::<_, RowError>(seconds(row, VALUE)?.filter(|span| span.0 >= 0));
    match sampled {
        Sampled::Gaps => {
            let gap = needed(row, VALUE, span()?, "a number of seconds, 0 or more")?;
            let time = clock.0.checked_add(gap.0).ok_or_else(|| row.wrong(VALUE, "a smaller sum of gaps"))?;
            *clock = Micros(time);
            task.submit = Some(*clock);
        }
        Sampled::Sizes => task.instances = at_least_one(row, VALUE)?,
        Sampled::RunTimes => {
            task.duration = Some(needed(row, VALUE, span()?, "a number of seconds, 0 or more")?);
        }
    }
    context.job(&JobRow {
        number,
        name: format!("sample-{number}").into(),
        group: row.text(CLUSTER)?.map(Into::into),
        class: Some(class.into()),
        submit: task.submit,
        ..JobRow::default()
    })?;
    Ok(context.task(&task)?)
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros,
        read::testing::{read, rejections},
    };

    const STATE: &str = "11 0.000000 049475829738997701 1 3 2 0.5 1048576\n11 0.0  610339428128088085 0 0 1 0.001 0\n12 6.5 610339428128088085 0 0 5.0\n";

    #[test]
    fn jobs_of_a_cell_share_their_cores_and_bytes_among_their_tasks() {
        let (format, rows, quality) = read(&[("init-cluster-state.log", STATE.as_bytes())]);
        let (job, task) = (&rows.jobs[0], &rows.tasks[0]);
        assert_eq!((format, rows.jobs.len(), quality.rejected()), ("omega-sim", 2, 0));
        assert_eq!((task.instances, task.cpus, task.mem_mib), (2, Some(0.25), Some(0.5)));
        assert_eq!(
            (&*job.name, job.class.as_deref(), job.priority),
            ("049475829738997701", Some("3"), Some(1))
        );
    }

    #[test]
    fn code_12_ends_a_job_that_was_there() {
        let (_, rows, _) = read(&[("init-cluster-state.log", STATE.as_bytes())]);
        assert_eq!((rows.jobs[0].end, rows.tasks[0].duration), (None, None));
        assert_eq!(
            (rows.jobs[1].end, rows.tasks[1].duration),
            (Some(Micros(6_500_000)), Some(Micros(6_500_000)))
        );
    }

    #[test]
    fn what_samples_are_is_told_by_the_name_of_the_file() {
        let rows = |name: &str, text: &str| read(&[(name, text.as_bytes())]).1;
        let gaps = rows("a_interarrival_cmb.log", "c cmb-new 0 2.5\nc cmb-new 1 7\nc cmb-new 0 1\n");
        let submits: Vec<_> = gaps.jobs.iter().map(|job| job.submit.map(Micros::as_secs_f64)).collect();
        assert_eq!(submits, [Some(2.5), Some(7.0), Some(3.5)]);
        assert_eq!(gaps.jobs[1].class.as_deref(), Some("service"));
        let sizes = rows("a_csizes_cmb.log", "c cmb-new 0 1600\n");
        assert_eq!((sizes.tasks[0].instances, sizes.tasks[0].duration), (1600, None));
        let times = rows("a_runtimes_cmb.log", "c cmb-new 0 24.602128\n");
        assert_eq!(times.tasks[0].duration, Some(Micros(24_602_128)));
    }

    #[test]
    fn samples_of_a_file_with_another_name_are_an_error() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), "c cmb-new 0 1600\n").expect("room for a line");
        let trace = crate::Trace::one(file.path(), None).expect("a trace");
        let read =
            trace.read(&crate::Options::default(), &mut crate::sink::Collected::default(), &mut |_| true);
        assert!(read.expect_err("it is not told").to_string().contains("`csizes`"));
    }

    #[test]
    fn bad_rows_are_rejected_by_line() {
        let text = "11 0.0 7 0 0 1 1 1\n11 0.0 7 0 0 1 1 1\n12 1 8 0 0 9\n13 1 7 0 0 9\n11 1 9 0 0 9\n11 1 9 2 0 1 1 1\n11 0 9 0 0 0 1 1\n12 -1 7 0 0 1\n11 0\n";
        let (_, rows, quality) = read(&[("state.log", text.as_bytes())]);
        assert_eq!(rows.jobs.len(), 1);
        let expected = [
            "line 2: `job` is `7`: expected a job that was not there before",
            "line 3: `job` is `8`: expected a job that was there and had not ended",
            "line 4: `code` is `13`: expected 11 (was there at the beginning) or 12 (ended)",
            "line 5: a job without its tasks: expected 8 fields with code 11",
            "line 6: `production` is `2`: expected 0 or 1",
            "line 7: `tasks` is `0`: expected a whole number, 1 or more",
            "line 8: `job` is `7`: expected a job that was there and had not ended",
            "line 9: 2 fields: expected 6 to 8 fields",
        ];
        assert_eq!(rejections(&quality), expected);
    }
}
