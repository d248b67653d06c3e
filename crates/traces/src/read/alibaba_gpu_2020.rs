//! Alibaba cluster-trace-gpu-v2020 (PAI): two months of training and inference on about 6,500 GPUs. Seven tables without
//! headers; seconds, shifted by a constant; 100 of CPU are one core, 100 of GPU one device.
//!
//! Weng et al., "MLaaS in the Wild", NSDI 2022. All instances of a job start together. The tables of jobs, tags and sensors
//! are held in memory, some tens of bytes for each row; the others pass through.

use rustc_hash::FxHashMap;
use std::borrow::Cow;

use crate::{
    Context, Format, Grouping, JobRow, MachineRow, Micros, Source, Status, TaskRow, TraceError, UsageRow,
    format::{Part, Table},
    read::alibaba::{MachineCpus, RowsToCome, STATUSES, TaskMarks, instances, mark, seconds, status},
    row::{Value, Whose},
    shape::{Kind, fits},
    table::{Header, Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "alibaba-gpu-2020",
    about: "Alibaba cluster-trace-gpu-v2020 (PAI): jobs, roles, workers, machines, sensors",
    source: "github.com/alibaba/clusterdata, cluster-trace-gpu-v2020; CC-BY 4.0",
    grouping: Grouping::Together,
    detect,
    read,
};

const JOBS: Table = "pai_job_table";
const TASKS: Table = "pai_task_table";
const INSTANCES: Table = "pai_instance_table";
const SENSORS: Table = "pai_sensor_table";
const TAGS: Table = "pai_group_tag_table";
const MACHINES: Table = "pai_machine_spec";
const METRICS: Table = "pai_machine_metric";

const JOB_COLUMNS: &[&str] = &["job_name", "inst_id", "user", "status", "start_time", "end_time"];
const TASK_COLUMNS: &[&str] = &[
    "job_name",
    "task_name",
    "inst_num",
    "status",
    "start_time",
    "end_time",
    "plan_cpu",
    "plan_mem",
    "plan_gpu",
    "gpu_type",
];
const INSTANCE_COLUMNS: &[&str] = &[
    "job_name",
    "task_name",
    "inst_name",
    "worker_name",
    "inst_id",
    "status",
    "start_time",
    "end_time",
    "machine",
];
const SENSOR_COLUMNS: &[&str] = &[
    "job_name",
    "task_name",
    "worker_name",
    "inst_id",
    "machine",
    "gpu_name",
    "cpu_usage",
    "gpu_wrk_util",
    "avg_mem",
    "max_mem",
    "avg_gpu_wrk_mem",
    "max_gpu_wrk_mem",
    "read",
    "write",
    "read_count",
    "write_count",
];
const TAG_COLUMNS: &[&str] = &["inst_id", "user", "gpu_type_spec", "group", "workload"];
const MACHINE_COLUMNS: &[&str] = &["machine", "gpu_type", "cap_cpu", "cap_mem", "cap_gpu"];
const METRIC_COLUMNS: &[&str] = &[
    "worker_name",
    "machine",
    "start_time",
    "end_time",
    "machine_cpu_iowait",
    "machine_cpu_kernel",
    "machine_cpu_usr",
    "machine_gpu",
    "machine_load_1",
    "machine_net_receive",
    "machine_num_worker",
    "machine_cpu",
];

fn layout(columns: &'static [&'static str]) -> Layout {
    Layout { header: Header::None, ..Layout::headerless(columns) }
}

fn detect(source: &Source) -> Option<Table> {
    use Kind::{Any, Hex, MaybeName, MaybeNumber, Name, Word};
    let (number, state) = (MaybeNumber, Word(STATUSES));
    let mut sensor = [number; 16];
    sensor[..6].copy_from_slice(&[Any, Name, Any, Any, Any, MaybeName]);
    let mut metric = [number; 12];
    metric[..2].copy_from_slice(&[Hex(8), Hex(8)]);
    let tables: [(Table, &[Kind]); 7] = [
        (JOBS, &[Any, Any, Any, state, number, number]),
        (TASKS, &[Any, Name, number, state, number, number, number, number, number, MaybeName]),
        (INSTANCES, &[Any, Name, Any, Any, Any, state, number, number, Any]),
        (SENSORS, &sensor),
        (TAGS, &[Hex(8), Hex(6), MaybeName, Any, MaybeName]),
        (MACHINES, &[Hex(8), Name, number, number, number]),
        (METRICS, &metric),
    ];
    tables.into_iter().find(|(_, kinds)| fits(source, kinds)).map(|(table, _)| table)
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    assume(context);
    let of = |table: Table| parts.iter().filter(move |part| part.table == table);
    let has = |table: Table| of(table).next().is_some();
    let wants_usage = context.options.usage;
    let mut machines = Machines::default();
    for part in of(MACHINES) {
        rows(part, &layout(MACHINE_COLUMNS), context, |row, context| machines.row(row, context))?;
    }
    let mut jobs = Jobs {
        with_table: has(JOBS),
        marks: (wants_usage && has(INSTANCES) && has(SENSORS)).then(TaskMarks::default),
        ..Jobs::default()
    };
    for part in of(TAGS) {
        rows(part, &layout(TAG_COLUMNS), context, |row, _| jobs.tag(row))?;
    }
    for part in of(JOBS) {
        rows(part, &layout(JOB_COLUMNS), context, |row, context| jobs.job(row, context))?;
    }
    let mut to_come = RowsToCome::default();
    for part in of(TASKS) {
        to_come.count(part, &layout(TASK_COLUMNS), 0, context)?;
    }
    for part in of(TASKS) {
        rows(part, &layout(TASK_COLUMNS), context, |row, context| {
            let taken = jobs.task(row, context);
            if to_come.is_last(row.raw(0)) {
                jobs.close(row.text(0)?.unwrap_or_default(), context)?;
            }
            taken
        })?;
    }
    jobs.close_rest(context)?;
    if let Some(marks) = &jobs.marks {
        let mut sensors = Sensors::default();
        for part in of(SENSORS) {
            rows(part, &layout(SENSOR_COLUMNS), context, |row, _| sensors.row(row))?;
        }
        for part in of(INSTANCES) {
            rows(part, &layout(INSTANCE_COLUMNS), context, |row, context| {
                sensors.instance(row, marks, context)
            })?;
        }
    }
    for part in of(METRICS).filter(|_| wants_usage) {
        rows(part, &layout(METRIC_COLUMNS), context, |row, context| machines.metric(row, context))?;
    }
    Ok(())
}

fn assume(context: &mut Context<'_>) {
    for said in [
        "100 of CPU are one core, 100 of GPU one device, GB are GiB",
        "all instances of a job start together (gang)",
        "a job's start_time is its submission, a task's its launch; all times are shifted by one constant",
        "a model of GPU is asked for only by a tag (gpu_type_spec); the model that was given is the extra fact `gpu_type`",
    ] {
        context.quality.assume(said);
    }
    if !context.options.usage {
        context.quality.assume("usage is not wanted: sensors, workers and machine metrics were not read");
    }
}

/// What the table of tags says of a job, by the mark of its id.
#[derive(Clone, Debug, Default)]
struct Tag {
    gpu_type: Option<Box<str>>,
    group: Option<Box<str>>,
    workload: Option<Box<str>>,
}

#[derive(Clone, Debug, Default)]
struct Job {
    number: u64,
    name: Box<str>,
    id: u64,
    user: Option<Box<str>>,
    status: Option<Status>,
    submit: Option<Micros>,
    end: Option<Micros>,
    tasks: u32,
    start: Option<Micros>,
}

#[derive(Debug, Default)]
struct Jobs {
    with_table: bool,
    open: FxHashMap<Box<str>, Job>,
    tags: FxHashMap<u64, Tag>,
    marks: Option<TaskMarks>,
    numbers: u64,
}

impl Jobs {
    fn tag(&mut self, row: Row<'_>) -> Result<(), RowError> {
        let id = mark(&[row.name(0)?.as_bytes()]);
        let text =
            |column: usize| -> Result<Option<Box<str>>, RowError> { Ok(row.text(column)?.map(Into::into)) };
        let tag = Tag { gpu_type: text(2)?, group: text(3)?, workload: text(4)? };
        self.tags.insert(id, tag);
        Ok(())
    }

    fn job(&mut self, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
        let name = row.name(0)?;
        let job = Job {
            number: self.numbers,
            name: name.into(),
            id: mark(&[row.raw(1)]),
            user: row.text(2)?.map(Into::into),
            status: status(row, 3)?,
            submit: seconds(row, 4)?,
            end: seconds(row, 5)?,
            ..Job::default()
        };
        if self.open.contains_key(name) {
            context.quality.note("jobs with the name of another job: left out", 1);
            return Ok(());
        }
        if job.submit.is_none() {
            context.quality.miss("start_time");
        }
        self.numbers += 1;
        self.open.insert(name.into(), job);
        Ok(())
    }

    fn task(&mut self, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
        let (name, role) = (row.name(0)?, row.text(1)?);
        let (start, end, status) = (seconds(row, 4)?, seconds(row, 5)?, status(row, 3)?);
        let (cpus, mem, gpus) = (row.amount(6)?, row.amount(7)?, row.amount(8)?);
        let instances = instances(row, 2, TASK_COLUMNS[2], context)?;
        let gpu_type = row.text(9)?;
        if !self.open.contains_key(name) {
            context.quality.note("jobs that are in no table of jobs", u64::from(self.with_table));
            let job = Job { number: self.numbers, name: name.into(), ..Job::default() };
            self.numbers += 1;
            self.open.insert(name.into(), job);
        }
        let job = self.open.get_mut(name).expect("a job that was opened above");
        for (value, column) in [(cpus, 6), (mem, 7), (gpus, 8)] {
            if value.is_none() {
                context.quality.miss(TASK_COLUMNS[column]);
            }
        }
        let tag = self.tags.get(&job.id);
        let extra = gpu_type.map(|model| ("gpu_type", Value::Text(Cow::Borrowed(model))));
        let (index, number) = (job.tasks, job.number);
        job.tasks += 1;
        job.start = job.start.into_iter().chain(start).min();
        if let Some(marks) = &mut self.marks {
            marks.insert(name.as_bytes(), role.unwrap_or_default().as_bytes(), (number, index));
        }
        Ok(context.task(&TaskRow {
            job: number,
            index,
            name: role.map(Cow::Borrowed),
            instances,
            cpus: cpus.map(|hundredths| hundredths / 100.0),
            mem_mib: mem.map(|gib| gib * 1024.0),
            gpus: gpus.map(|hundredths| hundredths / 100.0),
            gpu_model: tag.and_then(|tag| tag.gpu_type.as_deref()).map(Cow::Borrowed),
            submit: job.submit.or(start),
            start,
            end,
            duration: start.zip(end).and_then(|(start, end)| end.since(start)),
            status,
            attempts: u32::from(start.is_some()),
            extra: extra.into_iter().collect(),
            ..TaskRow::default()
        })?)
    }

    fn close(&mut self, name: &str, context: &mut Context<'_>) -> Result<(), TraceError> {
        let Some(job) = self.open.remove(name) else { return Ok(()) };
        self.emit(&job, context)
    }

    /// Jobs of which the table of tasks has nothing.
    fn close_rest(&mut self, context: &mut Context<'_>) -> Result<(), TraceError> {
        // The order of the map reaches nobody: numbers are unique.
        let mut rest: Vec<Job> = std::mem::take(&mut self.open).into_values().collect();
        rest.sort_unstable_by_key(|job| job.number);
        context.quality.note("jobs without tasks", rest.iter().filter(|job| job.tasks == 0).count() as u64);
        rest.iter().try_for_each(|job| self.emit(job, context))
    }

    fn emit(&self, job: &Job, context: &mut Context<'_>) -> Result<(), TraceError> {
        let tag = self.tags.get(&job.id);
        let of_tag = |text: fn(&Tag) -> Option<&str>| tag.and_then(text).map(Cow::Borrowed);
        context.job(&JobRow {
            number: job.number,
            name: Cow::Borrowed(&job.name),
            user: job.user.as_deref().map(Cow::Borrowed),
            group: of_tag(|tag| tag.group.as_deref()),
            application: of_tag(|tag| tag.workload.as_deref()),
            submit: job.submit.or(job.start),
            start: job.start,
            end: job.end,
            status: job.status,
            gang: true,
            ..JobRow::default()
        })
    }
}

#[derive(Default)]
struct Machines {
    cpus: MachineCpus,
    gpus: FxHashMap<Box<str>, f64>,
}

impl Machines {
    fn row(&mut self, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
        let (name, gpus) = (row.name(0)?, row.amount(4)?);
        let machine = MachineRow {
            name: name.into(),
            cpus: row.amount(2)?,
            mem_mib: row.amount(3)?.map(|gib| gib * 1024.0),
            gpus,
            // Machines without GPUs are of the type `CPU`.
            gpu_model: row.text(1)?.filter(|_| gpus.is_some_and(|gpus| gpus > 0.0)).map(Cow::Borrowed),
            ..MachineRow::default()
        };
        self.cpus.learn(&machine);
        self.gpus.insert(name.into(), gpus.unwrap_or_default());
        Ok(context.machine(&machine)?)
    }

    fn metric(&self, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
        let name = row.name(1)?;
        let start = seconds(row, 2)?.ok_or_else(|| row.wrong(2, "a time in seconds"))?;
        let end = seconds(row, 3)?.ok_or_else(|| row.wrong(3, "a time in seconds"))?;
        let duration = end.since(start).ok_or_else(|| row.wrong(3, "a time after the start"))?;
        let cores = self.cpus.of(name, context);
        let share = |percent: Option<f64>, whole: f64| percent.map(|percent| percent / 100.0 * whole);
        Ok(context.usage(&UsageRow {
            whose: Whose::Machine(name.into()),
            start,
            duration,
            cpus: share(row.amount(11)?, cores),
            cpus_max: None,
            mem_mib: None,
            gpus: self.gpus.get(name).and_then(|gpus| share(row.amount(7).ok()?, *gpus)),
        })?)
    }
}

/// What a worker used on average.
#[derive(Clone, Copy, Debug, Default)]
struct Sensor {
    cpus: Option<f64>,
    mem_mib: Option<f64>,
    gpus: Option<f64>,
}

/// Sensors by the mark of their worker; when it ran is in the table of instances.
#[derive(Debug, Default)]
struct Sensors(FxHashMap<u64, Sensor>);

impl Sensors {
    fn row(&mut self, row: Row<'_>) -> Result<(), RowError> {
        let hundredths = |column: usize| -> Result<Option<f64>, RowError> {
            Ok(row.amount(column)?.map(|hundredths| hundredths / 100.0))
        };
        let (cpus, gpus) = (hundredths(6)?, hundredths(7)?);
        let sensor = Sensor { cpus, gpus, mem_mib: row.amount(8)?.map(|gib| gib * 1024.0) };
        self.0.insert(mark(&[row.name(2)?.as_bytes()]), sensor);
        Ok(())
    }

    fn instance(&self, row: Row<'_>, marks: &TaskMarks, context: &mut Context<'_>) -> Result<(), RowError> {
        let Some(whose) = marks.whose(row.raw(0), row.raw(1)) else {
            context.quality.note("workers of tasks that the trace does not have: left out", 1);
            return Ok(());
        };
        let Some(sensor) = self.0.get(&mark(&[row.name(3)?.as_bytes()])) else {
            context.quality.note("workers without a sensor: left out of usage", 1);
            return Ok(());
        };
        let (start, end) = (seconds(row, 6)?, seconds(row, 7)?);
        let Some((start, duration)) =
            start.zip(end).and_then(|(start, end)| Some((start, end.since(start)?)))
        else {
            context.quality.note("workers that had not started or ended: left out of usage", 1);
            return Ok(());
        };
        let Sensor { cpus, mem_mib, gpus } = *sensor;
        Ok(context.usage(&UsageRow { whose, start, duration, cpus, cpus_max: None, mem_mib, gpus })?)
    }
}

#[cfg(test)]
mod tests;
