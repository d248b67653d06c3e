//! WfCommons: one scientific workflow for each file (WfFormat 1.5), with the run times of its tasks.
//!
//! Coleman et al., "WfCommons: A framework for enabling scientific workflow research and development", FGCS 2022. The
//! workflow is a job, submitted at 0; its machines are those that it ran on.

use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use crate::{
    Context, Format, Grouping, JobRow, MachineRow, Micros, Source, TaskRow, TraceError,
    dag::in_a_cycle,
    document::{ElementError, Object, keys, rejected, take, whole},
    format::{Part, Table},
    row::{Extra, Value},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "wfcommons",
    about: "WfCommons workflow instances (WfFormat 1.5, JSON): tasks, files, dependencies, run times, machines",
    source: "wfcommons/WfInstances, LGPL-3.0",
    grouping: Grouping::File,
    detect,
    read,
};

/// The version that is read.
const VERSION: &str = "1.5";
const MIB: f64 = 1_048_576.0;
/// What an execution says of a task, as it is called here.
const EXTRA: [(&str, &str); 3] =
    [("avgCPU", "cpu_percent"), ("readBytes", "read_bytes"), ("writtenBytes", "written_bytes")];

fn detect(source: &Source) -> Option<Table> {
    let keys = keys(source);
    let has = |depth: usize, name: &str| keys.iter().any(|(at, key)| *at == depth && key == name);
    (has(1, "workflow") && (has(1, "schemaVersion") || has(2, "specification"))).then_some("workflow")
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context
        .quality
        .assume("run times include what the workflow system adds; memory is what a task used at most");
    for (number, part) in parts.iter().enumerate() {
        context.quality.begin(&part.source.path, part.table);
        let value = whole(part, context)?;
        match workflow(&value, number as u64, context) {
            Ok(()) => {}
            Err(ElementError::Fatal(error)) => return Err(error),
            Err(ElementError::Rejected(rejection)) => {
                let element = match rejection.line {
                    0 => String::new(),
                    number => format!("element {number}: "),
                };
                let problem = format!("{element}`{}` is `{}`", rejection.column, rejection.found);
                let (path, expected) = (part.source.path.clone(), rejection.expected.into());
                return Err(TraceError::Malformed { path, line: None, problem, expected });
            }
        }
    }
    Ok(())
}

fn workflow(value: &Json, number: u64, context: &mut Context<'_>) -> Result<(), ElementError> {
    let file = Object::new(value, 0)?;
    if file.text("schemaVersion")?.is_some_and(|version| version != VERSION) {
        return Err(file.wrong("schemaVersion", VERSION));
    }
    let missing = |object: Object<'_>, key| object.wrong(key, "an object");
    let workflow = file.object("workflow")?.ok_or_else(|| missing(file, "workflow"))?;
    let specification =
        workflow.object("specification")?.ok_or_else(|| missing(workflow, "specification"))?;
    let execution = workflow.object("execution")?;
    let tasks = Tasks::of(specification.list("tasks")?, context)?;
    let sizes = sizes(specification.list("files")?)?;
    let runs = execution.map_or(Ok(&[][..]), |execution| execution.list("tasks"))?;
    let runs = runs_by_task(runs, &tasks, context)?;
    let makespan = execution.map_or(Ok(None), |execution| execution.amount("makespanInSeconds"))?;
    let start = Some(Micros(0));
    context.job(&JobRow {
        number,
        name: file.text("name")?.unwrap_or("workflow").into(),
        application: file.text("name")?.map(Into::into),
        submit: start,
        start: start.filter(|_| makespan.is_some()),
        end: makespan.and_then(Micros::from_secs_f64),
        ..JobRow::default()
    })?;
    let parents = tasks.parents(context)?;
    for (index, parents) in parents.into_iter().enumerate() {
        let place = index as u32;
        let row = task(tasks.objects[index], place, parents, runs.get(&place).copied(), &sizes)?;
        if row.duration.is_none() {
            context.quality.miss("runtimeInSeconds");
        }
        context.task(&TaskRow { job: number, ..row })?;
    }
    let machines = execution.map_or(Ok(&[][..]), |execution| execution.list("machines"))?;
    machines.iter().enumerate().try_for_each(|(place, value)| {
        let machine = machine(value, place as u64 + 1, context);
        Ok(take(machine, context)?)
    })
}

/// The tasks of a specification that can be used, and where each is.
struct Tasks<'a> {
    objects: Vec<Object<'a>>,
    places: FxHashMap<&'a str, u32>,
}

impl<'a> Tasks<'a> {
    fn of(list: &'a [Json], context: &mut Context<'_>) -> Result<Self, ElementError> {
        let mut tasks = Self { objects: Vec::new(), places: FxHashMap::default() };
        for (place, value) in list.iter().enumerate() {
            context.quality.file().rows += 1;
            let added = Object::new(value, place as u64 + 1).and_then(|object| tasks.add(object));
            take(added, context)?;
        }
        Ok(tasks)
    }

    fn add(&mut self, object: Object<'a>) -> Result<(), ElementError> {
        let id = object.name("id")?;
        object.list("parents")?;
        object.list("children")?;
        if self.places.contains_key(id) {
            return Err(object.wrong("id", "another than that of an earlier task"));
        }
        self.places.insert(id, self.objects.len() as u32);
        self.objects.push(object);
        Ok(())
    }

    /// Of each task those that it waits for: its parents, and those whose child it is.
    fn parents(&self, context: &mut Context<'_>) -> Result<Vec<Vec<u32>>, ElementError> {
        let mut parents = vec![Vec::new(); self.objects.len()];
        let mut unknown = 0;
        for (place, object) in self.objects.iter().enumerate() {
            let place = place as u32;
            for (key, is_parent) in [("parents", true), ("children", false)] {
                for other in object.list(key)? {
                    match other.as_str().and_then(|id| self.places.get(id)).copied() {
                        Some(other) if is_parent => parents[place as usize].push(other),
                        Some(other) => parents[other as usize].push(place),
                        None => unknown += 1,
                    }
                }
            }
        }
        context.quality.note("parents or children that the workflow does not have", unknown);
        for parents in &mut parents {
            parents.sort_unstable();
            parents.dedup();
        }
        match in_a_cycle(&parents) {
            Some(task) => Err(rejected(0, "parents", format!("a cycle with task {}", task + 1), "no cycle")),
            None => Ok(parents),
        }
    }
}

/// Bytes of each file.
fn sizes(files: &[Json]) -> Result<FxHashMap<&str, f64>, ElementError> {
    let mut sizes = FxHashMap::default();
    for (place, value) in files.iter().enumerate() {
        let file = Object::new(value, place as u64 + 1)?;
        sizes.insert(file.name("id")?, file.amount("sizeInBytes")?.unwrap_or_default());
    }
    Ok(sizes)
}

/// What is known of each task's execution.
fn runs_by_task<'a>(
    list: &'a [Json],
    tasks: &Tasks<'_>,
    context: &mut Context<'_>,
) -> Result<FxHashMap<u32, Object<'a>>, ElementError> {
    let mut runs = FxHashMap::default();
    let mut unknown = 0;
    for (place, value) in list.iter().enumerate() {
        let run = Object::new(value, place as u64 + 1)?;
        match tasks.places.get(run.name("id")?) {
            Some(&task) => drop(runs.insert(task, run)),
            None => unknown += 1,
        }
    }
    context.quality.note("executions of tasks that the workflow does not have", unknown);
    Ok(runs)
}

fn task<'a>(
    object: Object<'a>,
    index: u32,
    parents: Vec<u32>,
    run: Option<Object<'a>>,
    sizes: &FxHashMap<&str, f64>,
) -> Result<TaskRow<'a>, ElementError> {
    let of_run = |key| run.map_or(Ok(None), |run| run.amount(key));
    let bytes = |key| -> Result<f64, ElementError> {
        let files = object.list(key)?.iter().filter_map(Json::as_str);
        Ok(files.filter_map(|file| sizes.get(file)).sum())
    };
    let mut extra: Extra<'a> = vec![
        ("input_bytes", Value::Number(bytes("inputFiles")?)),
        ("output_bytes", Value::Number(bytes("outputFiles")?)),
    ];
    for (key, name) in EXTRA {
        extra.extend(of_run(key)?.map(|value| (name, Value::Number(value))));
    }
    let duration = of_run("runtimeInSeconds")?.and_then(Micros::from_secs_f64);
    let machines = run.map_or(Ok(&[][..]), |run| run.list("machines"))?;
    Ok(TaskRow {
        index,
        name: Some(object.name("id")?.into()),
        instances: 1,
        parents,
        cpus: of_run("coreCount")?,
        mem_mib: of_run("memoryInBytes")?.map(|bytes| bytes / MIB),
        duration,
        attempts: u32::from(run.is_some()),
        machine: machines.first().and_then(Json::as_str).map(Into::into),
        extra,
        ..TaskRow::default()
    })
}

fn machine(value: &Json, number: u64, context: &mut Context<'_>) -> Result<(), ElementError> {
    let machine = Object::new(value, number)?;
    let cpu = machine.object("cpu")?;
    Ok(context.machine(&MachineRow {
        name: machine.name("nodeName")?.into(),
        cpus: cpu.map_or(Ok(None), |cpu| cpu.amount("coreCount"))?,
        mem_mib: machine.amount("memoryInBytes")?.map(|bytes| bytes / MIB),
        ..MachineRow::default()
    })?)
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros, Options, Trace,
        read::testing::{read, rejections},
        sink::Collected,
    };

    const FILE: &str = r#"{"name": "w", "schemaVersion": "1.5", "workflow": {"specification": {"tasks": [
        {"name": "a", "id": "a_1", "parents": [], "children": ["b_2"], "inputFiles": ["f", "none"], "outputFiles": ["g"]},
        {"name": "b", "id": "b_2", "parents": ["a_1"], "children": [], "inputFiles": ["g"], "outputFiles": []},
        {"name": "b", "id": "b_3", "parents": ["a_1", "gone"], "children": []}],
        "files": [{"id": "f", "sizeInBytes": 7}, {"id": "g", "sizeInBytes": 5}]},
        "execution": {"makespanInSeconds": 100.5, "tasks": [
        {"id": "b_2", "runtimeInSeconds": 2.5, "coreCount": 4, "memoryInBytes": 2097152, "machines": ["m"], "avgCPU": 90},
        {"id": "a_1", "runtimeInSeconds": 1}],
        "machines": [{"nodeName": "m", "cpu": {"coreCount": 48}, "memoryInBytes": 1048576}]}}}"#;

    fn error(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(&file, text).expect("room for a few lines");
        let trace = Trace::one(file.path(), None).expect("a trace of a known format");
        let read = trace.read(&Options::default(), &mut Collected::default(), &mut |_| true);
        read.expect_err("the file is malformed").to_string()
    }

    #[test]
    fn a_workflow_is_a_job_whose_tasks_wait_for_their_parents() {
        let (format, rows, quality) = read(&[("w.json", FILE.as_bytes())]);
        assert_eq!((format, rows.jobs.len(), quality.rows()), ("wfcommons", 1, 3));
        assert_eq!((rows.jobs[0].submit, rows.jobs[0].end), (Some(Micros(0)), Some(Micros(100_500_000))));
        let parents: Vec<_> = rows.tasks.iter().map(|task| task.parents.clone()).collect();
        assert_eq!(parents, [vec![], vec![0], vec![0]]);
        assert_eq!(quality.notes().get("parents or children that the workflow does not have"), Some(&1));
    }

    #[test]
    fn run_times_are_joined_by_id_and_may_be_missing_like_cores_and_memory() {
        let (_, rows, quality) = read(&[("w.json", FILE.as_bytes())]);
        let (a, b, c) = (&rows.tasks[0], &rows.tasks[1], &rows.tasks[2]);
        assert_eq!((b.duration, b.cpus, b.mem_mib), (Some(Micros(2_500_000)), Some(4.0), Some(2.0)));
        assert_eq!((b.machine.as_deref(), b.number_of("cpu_percent")), (Some("m"), Some(90.0)));
        assert_eq!((a.duration, a.cpus, a.mem_mib), (Some(Micros(1_000_000)), None, None));
        assert_eq!((c.duration, c.attempts), (None, 0));
        assert_eq!(quality.missing().get("runtimeInSeconds"), Some(&1));
    }

    #[test]
    fn bytes_of_a_task_are_those_of_its_files() {
        let (_, rows, _) = read(&[("w.json", FILE.as_bytes())]);
        let bytes =
            |task: usize| ["input_bytes", "output_bytes"].map(|name| rows.tasks[task].number_of(name));
        assert_eq!([bytes(0), bytes(1)], [[Some(7.0), Some(5.0)], [Some(5.0), Some(0.0)]]);
    }

    #[test]
    fn machines_have_cores_and_memory() {
        let machines = read(&[("w.json", FILE.as_bytes())]).1.machines;
        assert_eq!((machines.len(), machines[0].cpus, machines[0].mem_mib), (1, Some(48.0), Some(1.0)));
    }

    #[test]
    fn a_bad_task_is_rejected_by_number() {
        let text = FILE.replace("\"id\": \"b_3\"", "\"id\": \"a_1\"");
        let (_, rows, quality) = read(&[("w.json", text.as_bytes())]);
        assert_eq!(rows.tasks.len(), 2);
        assert_eq!(
            rejections(&quality),
            ["line 3: `id` is `a_1`: expected another than that of an earlier task"]
        );
    }

    #[test]
    fn a_cycle_an_old_version_and_half_a_file_are_errors() {
        let cycle =
            error(&FILE.replace("\"parents\": [], \"children\": [\"b_2\"]", "\"parents\": [\"b_2\"]"));
        assert!(cycle.ends_with("`parents` is `a cycle with task 1`: expected no cycle"), "{cycle}");
        let old = error(&FILE.replace("\"1.5\"", "\"1.3\""));
        assert!(old.ends_with("`schemaVersion` is `1.3`: expected 1.5"), "{old}");
        assert!(error(&FILE[..FILE.len() / 2]).contains("this is no JSON"));
        let negative = error(&FILE.replace("2.5", "-2.5"));
        assert!(
            negative.ends_with("`runtimeInSeconds` is `-2.5`: expected a number, 0 or more"),
            "{negative}"
        );
    }
}
