//! Alibaba openb 2023: the nodes and pods of a cluster whose GPUs are shared.
//!
//! Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC
//! 2023. A pod is a job of one task: `submit` is its creation, `start` when it was placed, `end` its deletion, `class` its
//! quality of service. The pods that were never placed have no `start`.

use rustc_hash::FxHashMap;

use crate::{
    Context, Format, Grouping, JobRow, MachineRow, Micros, Source, Status, TaskRow, TraceError,
    fields::word,
    format::{Part, Table},
    table::{Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "openb",
    about: "Alibaba openb 2023 (GPU sharing): node lists and pod lists, CSV with a header",
    source: "hkust-adsl/kubernetes-scheduler-simulator (Apache-2.0); its publishers ask to cite the FGD paper",
    grouping: Grouping::File,
    detect,
    read,
};

const NODES: Layout = Layout::with_header(&["sn", "cpu_milli", "memory_mib", "gpu", "model"], 5);
/// The sampled `multigpu` lists end after the first five columns.
const PODS: Layout = Layout::with_header(
    &[
        "name",
        "cpu_milli",
        "memory_mib",
        "num_gpu",
        "gpu_milli",
        "gpu_spec",
        "qos",
        "pod_phase",
        "creation_time",
        "deletion_time",
        "scheduled_time",
    ],
    5,
);

/// In both tables.
const NAME: usize = 0;
const CPU: usize = 1;
const MEMORY: usize = 2;
const GPUS: usize = 3;
/// Of nodes.
const MODEL: usize = 4;
/// Of pods.
const GPU_MILLI: usize = 4;
const GPU_SPEC: usize = 5;
const QOS: usize = 6;
const PHASE: usize = 7;
const CREATION: usize = 8;
const DELETION: usize = 9;
const SCHEDULED: usize = 10;

/// Latency-sensitive, best effort, and the two classes of Kubernetes that the trace kept.
const CLASSES: &[&str] = &["LS", "BE", "Burstable", "Guaranteed"];
const PHASES: &[&str] = &["Running", "Failed", "Pending", "Succeeded"];
/// No machine has more GPUs, and no pod asks for more.
const MOST_GPUS: u64 = 1_000_000;

fn detect(source: &Source) -> Option<Table> {
    let table = |layout: &Layout, table| layout.begins(source).then_some(table);
    table(&NODES, "nodes").or_else(|| table(&PODS, "pods"))
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    let mut number = 0;
    for part in parts {
        let mut names = Names::default();
        if part.table == "nodes" {
            NODES.has_no_other_columns(part)?;
            rows(part, &NODES, context, |row, context| node(row, context, &mut names))?;
        } else {
            PODS.has_no_other_columns(part)?;
            rows(part, &PODS, context, |row, context| pod(row, context, &mut names, &mut number))?;
        }
    }
    Ok(())
}

fn node(row: Row<'_>, context: &mut Context<'_>, names: &mut Names) -> Result<(), RowError> {
    let (gpus, model) = (gpus(row)?, row.text(MODEL)?);
    match (gpus, model) {
        (0, Some(_)) => return Err(row.wrong(MODEL, "nothing, for the node has no GPU")),
        (1.., None) => return Err(row.wrong(MODEL, format!("the model of the node's {gpus} GPUs"))),
        (0, None) | (1.., Some(_)) => {}
    }
    let machine = MachineRow {
        name: row.name(NAME)?.into(),
        cpus: Some(whole(row, CPU)? as f64 / 1e3),
        mem_mib: Some(whole(row, MEMORY)? as f64),
        gpus: Some(gpus as f64),
        gpu_model: model.map(Into::into),
        ..MachineRow::default()
    };
    names.note(row)?;
    Ok(context.machine(&machine)?)
}

fn pod(row: Row<'_>, context: &mut Context<'_>, names: &mut Names, number: &mut u64) -> Result<(), RowError> {
    let submit = time(row, CREATION)?;
    let (start, end) = (not_before(row, submit, SCHEDULED)?, not_before(row, submit, DELETION)?);
    let status = word(row, PHASE, PHASES)?.and_then(status);
    let class = word(row, QOS, CLASSES)?;
    let name = row.name(NAME)?;
    let task = TaskRow {
        job: *number,
        name: Some(name.into()),
        instances: 1,
        cpus: Some(whole(row, CPU)? as f64 / 1e3),
        mem_mib: Some(whole(row, MEMORY)? as f64),
        gpus: Some(gpu_demand(row)?),
        gpu_model: alternatives(row)?.map(Into::into),
        submit,
        start,
        end,
        duration: start.zip(end).and_then(|(start, end)| end.since(start)),
        status,
        attempts: start.is_some().into(),
        ..TaskRow::default()
    };
    names.note(row)?;
    let times = [("creation_time", submit), ("scheduled_time", start), ("deletion_time", end)];
    for (column, _) in times.into_iter().filter(|(_, time)| time.is_none()) {
        context.quality.miss(column);
    }
    let (name, class) = (name.into(), class.map(Into::into));
    let job = JobRow { number: *number, name, class, submit, start, end, status, ..JobRow::default() };
    context.job(&job)?;
    context.task(&task)?;
    *number += 1;
    Ok(())
}

fn status(phase: &str) -> Option<Status> {
    match phase {
        "Running" => Some(Status::Running),
        "Failed" => Some(Status::Failed),
        "Pending" => Some(Status::Waiting),
        "Succeeded" => Some(Status::Finished),
        _ => None,
    }
}

/// GPUs, or the share of one.
fn gpu_demand(row: Row<'_>) -> Result<f64, RowError> {
    let (count, milli) = (gpus(row)?, whole(row, GPU_MILLI)?);
    let expected = match (count, milli) {
        (0, 0) => return Ok(0.0),
        (1, 1..=1000) => return Ok(milli as f64 / 1e3),
        (2.., 1000) => return Ok(count as f64),
        (0, _) => "0, for the pod asks for no GPU",
        (1, _) => "1 to 1000 thousandths of one GPU",
        (2.., _) => "1000, for only a pod with one GPU may take a share of it",
    };
    Err(row.wrong(GPU_MILLI, expected))
}

/// The models that will do, each once, joined by `|`.
fn alternatives(row: Row<'_>) -> Result<Option<String>, RowError> {
    let Some(text) = row.text(GPU_SPEC)? else { return Ok(None) };
    let mut models: Vec<&str> = Vec::new();
    for model in text.split('|') {
        if model.is_empty() {
            return Err(row.wrong(GPU_SPEC, "models joined by `|`"));
        }
        if !models.contains(&model) {
            models.push(model);
        }
    }
    Ok(Some(models.join("|")))
}

fn not_before(row: Row<'_>, creation: Option<Micros>, column: usize) -> Result<Option<Micros>, RowError> {
    let time = time(row, column)?;
    match (creation, time) {
        (Some(creation), Some(time)) if time < creation => {
            let seconds = creation.0 / 1_000_000;
            Err(row.wrong(column, format!("{seconds} (the `creation_time`) or later")))
        }
        (None, Some(_)) => {
            Err(row.wrong(CREATION, format!("a time, for there is a `{}`", PODS.columns[column])))
        }
        (_, time) => Ok(time),
    }
}

fn time(row: Row<'_>, column: usize) -> Result<Option<Micros>, RowError> {
    if row.raw(column).is_empty() {
        return Ok(None);
    }
    let seconds = i64::try_from(whole(row, column)?).ok().and_then(Micros::from_secs);
    seconds.map(Some).ok_or_else(|| row.wrong(column, "a time within 290,000 years"))
}

fn gpus(row: Row<'_>) -> Result<u64, RowError> {
    let count = whole(row, GPUS)?;
    if count > MOST_GPUS { Err(row.wrong(GPUS, format!("at most {MOST_GPUS}"))) } else { Ok(count) }
}

/// A whole number that is there, without a sign.
fn whole(row: Row<'_>, column: usize) -> Result<u64, RowError> {
    let raw = row.raw(column);
    let digits = !raw.is_empty() && raw.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(raw).ok().filter(|_| digits).and_then(|text| text.parse().ok());
    number.ok_or_else(|| row.wrong(column, "a whole number, 0 or more"))
}

/// The names seen so far, and where.
#[derive(Default)]
struct Names(FxHashMap<String, u64>);

impl Names {
    fn note(&mut self, row: Row<'_>) -> Result<(), RowError> {
        let name = row.name(NAME)?;
        if let Some(line) = self.0.get(name) {
            return Err(row.wrong(NAME, format!("another name than that of line {line}")));
        }
        self.0.insert(name.to_owned(), row.line);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros, Options, Quality, Status, Trace, TraceError,
        read::testing::{read, rejections},
        sink::Collected,
    };

    const HEADER: &str = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n";
    const GOOD: &str = "p0,1500,2048,1,333,T4|P100|T4,LS,Running,5,9,6\n";

    fn pods(rest: &str) -> (Collected, Quality) {
        let (format, rows, quality) = read(&[("pods.csv", format!("{HEADER}{rest}").as_bytes())]);
        assert_eq!(format, "openb");
        (rows, quality)
    }

    /// Why this row is rejected as line 3 of a list, whose line 2 is taken.
    fn rejected(row: &str) -> String {
        let (rows, quality) = pods(&format!("{GOOD}{row}\n"));
        assert_eq!((rows.jobs.len(), rows.tasks.len(), quality.rejected()), (1, 1, 1), "{row}");
        rejections(&quality).remove(0)
    }

    fn error(text: &str) -> TraceError {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(&file, text).expect("room for a few lines");
        let trace = Trace::one(file.path(), None).expect("a trace of a known format");
        let read = trace.read(&Options::default(), &mut Collected::default(), &mut |_| true);
        read.expect_err("the file is malformed")
    }

    #[test]
    fn a_pod_is_a_job_of_one_task() {
        let (rows, quality) = pods(GOOD);
        let (job, task) = (&rows.jobs[0], &rows.tasks[0]);
        assert_eq!((&*job.name, job.class.as_deref(), job.number), ("p0", Some("LS"), 0));
        let times = [Some(5), Some(6), Some(9)].map(|time| time.and_then(Micros::from_secs));
        assert_eq!([task.submit, task.start, task.end], times);
        assert_eq!([job.submit, job.start, job.end], times);
        assert_eq!((task.cpus, task.mem_mib, task.gpus), (Some(1.5), Some(2048.0), Some(0.333)));
        assert_eq!((task.duration, task.instances), (Micros::from_secs(3), 1));
        assert_eq!((task.status, job.status), (Some(Status::Running), Some(Status::Running)));
        assert_eq!((quality.rows(), quality.missing().len()), (1, 0));
    }

    #[test]
    fn a_model_that_is_named_twice_is_one_alternative() {
        assert_eq!(pods(GOOD).0.tasks[0].gpu_model.as_deref(), Some("T4|P100"));
    }

    #[test]
    fn thousandths_of_cpus_and_gpus_survive_as_fractions() {
        let all: String = (1..=1000).map(|n| format!("p{n},{n},0,1,{n},,,,,,\n")).collect();
        for (place, task) in pods(&all).0.tasks.iter().enumerate() {
            let milli = |amount: Option<f64>| amount.map(|amount| (amount * 1e3).round() as usize);
            assert_eq!((milli(task.cpus), milli(task.gpus)), (Some(place + 1), Some(place + 1)));
        }
    }

    #[test]
    fn a_pod_list_may_lack_its_last_six_columns() {
        let text = b"name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,4000,3,2,1000\nb,1,0,0,0\n";
        let (_, rows, quality) = read(&[("multigpu.csv", text)]);
        assert_eq!((rows.tasks[0].gpus, rows.tasks[1].gpus), (Some(2.0), Some(0.0)));
        assert!(rows.jobs.iter().all(|job| job.submit.is_none() && job.class.is_none()));
        assert!(rows.tasks.iter().all(|task| task.gpu_model.is_none() && task.status.is_none()));
        assert_eq!((quality.missing().get("creation_time"), quality.rejected()), (Some(&2), 0));
    }

    #[test]
    fn a_pod_that_was_never_scheduled_has_no_start_and_no_attempt() {
        let (rows, quality) = pods("a,1,1,0,0,,BE,Pending,3,8,\n");
        let task = &rows.tasks[0];
        assert_eq!((task.start, task.duration, task.attempts), (None, None, 0));
        assert_eq!((task.end, task.status), (Micros::from_secs(8), Some(Status::Waiting)));
        assert_eq!(quality.missing().get("scheduled_time"), Some(&1));
    }

    #[test]
    fn no_memory_no_gpu_and_no_lifetime_are_taken_as_they_are() {
        let task = pods("a,1,0,0,0,,BE,Succeeded,3,3,3\n").0.tasks.remove(0);
        assert_eq!((task.mem_mib, task.gpus, task.duration), (Some(0.0), Some(0.0), Some(Micros(0))));
        assert_eq!(task.status, Some(Status::Finished));
    }

    #[test]
    fn a_node_has_a_model_if_and_only_if_it_has_gpus() {
        let text =
            "sn,cpu_milli,memory_mib,gpu,model\nn0,96000,786432,8,G2\nn1,500,1,0,\nn2,1,1,2,\nn3,1,1,0,T4\n";
        let (format, rows, quality) = read(&[("nodes.csv", text.as_bytes())]);
        let plain = rows.machines.iter();
        let plain = plain.map(|node| (&*node.name, node.cpus, node.gpus, node.gpu_model.as_deref()));
        let plain: Vec<_> = plain.collect();
        let expected = [("n0", Some(96.0), Some(8.0), Some("G2")), ("n1", Some(0.5), Some(0.0), None)];
        assert_eq!((format, plain.as_slice()), ("openb", &expected[..]));
        let told = [
            "line 4: `model` is ``: expected the model of the node's 2 GPUs",
            "line 5: `model` is `T4`: expected nothing, for the node has no GPU",
        ];
        assert_eq!(rejections(&quality), told);
    }

    #[test]
    fn lists_of_one_directory_are_traces_of_their_own() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for (name, text) in [("a", format!("{HEADER}{GOOD}")), ("b", format!("{HEADER}{GOOD}"))] {
            std::fs::write(dir.path().join(name), text).expect("room for a few lines");
        }
        let found = Trace::find(&[dir.path().to_owned()], None).expect("two traces");
        assert_eq!(found.traces.len(), 2);
    }

    #[test]
    fn columns_may_come_in_any_order_and_lines_may_end_as_on_windows() {
        let text = b"\xef\xbb\xbfgpu_milli,name,num_gpu,memory_mib,cpu_milli\r\n0,a,0,3,4000\r\n";
        let (_, rows, _) = read(&[("pods.csv", text)]);
        assert_eq!((rows.tasks[0].mem_mib, rows.tasks[0].cpus), (Some(3.0), Some(4.0)));
    }

    #[test]
    fn a_wrong_header_is_an_error_that_names_the_nearest_column() {
        let misspelt = error(&(HEADER.replace("creation_time", "creation_tme") + GOOD)).to_string();
        assert!(
            misspelt.contains(":1: unknown column `creation_tme` (did it mean `creation_time`?)"),
            "{misspelt}"
        );
        let twice = error(&(HEADER.replace("deletion_time", "creation_time") + GOOD)).to_string();
        assert!(twice.contains("the column `creation_time` is named twice"), "{twice}");
    }

    #[test]
    fn a_number_is_whole_and_has_no_sign() {
        for text in ["-1", "1.5", "", "+5", "99999999999999999999", "x"] {
            let expected = format!("line 3: `cpu_milli` is `{text}`: expected a whole number, 0 or more");
            assert_eq!(rejected(&format!("p1,{text},1,0,0,,,,,,")), expected);
        }
        assert!(rejected("p1,1,1,4294967297,0,,,,,,").ends_with("expected at most 1000000"));
        assert!(rejected("p1,1,1,0,0,,,,99999999999999,,").ends_with("within 290,000 years"));
        assert_eq!(rejected("p1,1,1"), "line 3: 3 fields: expected 11 fields");
    }

    #[test]
    fn only_one_gpu_can_be_shared() {
        let several = rejected("p1,1,1,2,500,,,,,,");
        assert!(several.starts_with("line 3: `gpu_milli` is `500`: expected 1000, for only"), "{several}");
        assert!(rejected("p1,1,1,1,0,,,,,,").ends_with("expected 1 to 1000 thousandths of one GPU"));
        assert!(rejected("p1,1,1,1,1001,,,,,,").ends_with("expected 1 to 1000 thousandths of one GPU"));
        assert!(rejected("p1,1,1,0,500,,,,,,").ends_with("expected 0, for the pod asks for no GPU"));
    }

    #[test]
    fn nothing_happens_to_a_pod_before_it_is_created() {
        let deleted = rejected("p1,1,1,0,0,,LS,Running,9,5,");
        assert_eq!(deleted, "line 3: `deletion_time` is `5`: expected 9 (the `creation_time`) or later");
        assert!(rejected("p1,1,1,0,0,,LS,Running,9,,5").starts_with("line 3: `scheduled_time` is `5`"));
        let never = rejected("p1,1,1,0,0,,LS,Running,,9,");
        assert_eq!(never, "line 3: `creation_time` is ``: expected a time, for there is a `deletion_time`");
    }

    #[test]
    fn an_unknown_word_names_the_nearest() {
        let class = rejected("p1,1,1,0,0,,Burstible,Running,1,2,1");
        assert_eq!(class, "line 3: `qos` is `Burstible`: expected `Burstable`");
        assert!(rejected("p1,1,1,0,0,,LS,Runing,1,2,1").ends_with("expected `Running`"));
        assert!(rejected("p1,1,1,0,0,,what?,,1,2,1").ends_with("LS, BE, Burstable, Guaranteed"));
        assert!(rejected("p1,1,1,0,0,T4||G2,LS,Running,1,2,1").contains("`gpu_spec`"));
    }

    #[test]
    fn a_name_is_there_and_is_unique() {
        let again = rejected(GOOD.trim());
        assert_eq!(again, "line 3: `name` is `p0`: expected another name than that of line 2");
        assert_eq!(rejected(",1,1,0,0,,,,,,"), "line 3: `name` is ``: expected a name");
    }
}
