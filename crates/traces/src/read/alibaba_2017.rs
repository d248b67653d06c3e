//! Alibaba cluster-trace-v2017: 1,313 machines over a day, containers that serve and batch tasks in one cluster. Six tables
//! without headers (copies with one exist); seconds, of which 0 and negative ones lie before the trace.
//!
//! Batch tasks ask for hundredths of cores, containers for whole ones; memory and disk are shares of a machine. There is no
//! graph of tasks in this trace.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    Context, Format, Grouping, JobRow, MachineEventRow, MachineRow, Micros, Source, Status, TaskRow,
    TraceError, UsageRow,
    format::{Part, Table},
    read::alibaba::{
        MachineCpus, OpenJob, OpenJobs, OpenTask, RowsToCome, STATUSES, TaskMarks, instances, machine_usage,
        percent, seconds, status,
    },
    row::{MachineEvent, Value, Whose},
    shape::{Kind, fits},
    table::{Header, Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "alibaba-2017",
    about: "Alibaba cluster-trace-v2017: batch tasks and instances, containers, machines, usage",
    source: "github.com/alibaba/clusterdata, cluster-trace-v2017; Alibaba Cluster Trace Program",
    grouping: Grouping::Together,
    detect,
    read,
};

const SERVER_EVENTS: Table = "server_event";
const SERVER_USAGE: Table = "server_usage";
const TASKS: Table = "batch_task";
const INSTANCES: Table = "batch_instance";
const CONTAINER_EVENTS: Table = "container_event";
const CONTAINER_USAGE: Table = "container_usage";

const SERVER_EVENT_COLUMNS: &[&str] =
    &["timestamp", "machine id", "event type", "event detail", "number of cpus", "memory", "disk space"];
const SERVER_USAGE_COLUMNS: &[&str] =
    &["timestamp", "machine id", "used cpus", "used memory", "used disk", "load1", "load5", "load15"];
const TASK_COLUMNS: &[&str] = &[
    "create timestamp",
    "modify timestamp",
    "job id",
    "task id",
    "number of instances",
    "status",
    "plan cpu",
    "plan mem",
];
const INSTANCE_COLUMNS: &[&str] = &[
    "start timestamp",
    "end timestamp",
    "job id",
    "task id",
    "machine id",
    "status",
    "sequence number",
    "total sequence number",
    "maximum real cpus",
    "average real cpus",
    "maximum real mem",
    "average real mem",
];
const CONTAINER_EVENT_COLUMNS: &[&str] = &[
    "timestamp",
    "event",
    "instance id",
    "machine id",
    "plan cpu",
    "plan mem",
    "plan disk",
    "assigned cpuset",
];
const CONTAINER_USAGE_COLUMNS: &[&str] = &[
    "start timestamp",
    "instance id",
    "cpu percentage",
    "memory percentage",
    "disk percentage",
    "load1",
    "load5",
    "load15",
    "average cpi",
    "average mpki",
    "maximum cpi",
    "maximum mpki",
];
const JOB_ID: usize = 2;
/// Usage of machines and containers is averaged over so long.
const INTERVAL: Micros = Micros(300_000_000);

fn layout(columns: &'static [&'static str]) -> Layout {
    Layout { header: Header::Skipped, ..Layout::headerless(columns) }
}

fn detect(source: &Source) -> Option<Table> {
    use Kind::{Any, Int, MaybeInt, MaybeNumber, Word};
    let (number, state) = (MaybeNumber, Word(STATUSES));
    let mut server_usage = [number; 8];
    server_usage[..2].copy_from_slice(&[Int, Int]);
    let mut container_usage = [number; 12];
    container_usage[..2].copy_from_slice(&[Int, Int]);
    let instance_start = [MaybeInt, MaybeInt, Int, MaybeInt, MaybeInt, state, MaybeInt, MaybeInt];
    let instance: Vec<Kind> = instance_start.into_iter().chain([number; 4]).collect();
    let tables: [(Table, &[Kind]); 6] = [
        (SERVER_EVENTS, &[Int, Int, Word(&["add", "softerror", "harderror"]), Any, number, number, number]),
        (SERVER_USAGE, &server_usage),
        (TASKS, &[Int, MaybeInt, Int, Int, number, state, number, number]),
        (INSTANCES, &instance),
        (CONTAINER_EVENTS, &[Int, Word(&["Create", "Remove"]), Int, MaybeInt, number, number, number, Any]),
        (CONTAINER_USAGE, &container_usage),
    ];
    tables.into_iter().find(|(_, kinds)| fits(source, kinds)).map(|(table, _)| table)
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    assume(context);
    let wants_usage = context.options.usage;
    let of = |table: Table| parts.iter().filter(move |part| part.table == table);
    let mut servers = Servers::default();
    for part in of(SERVER_EVENTS) {
        rows(part, &layout(SERVER_EVENT_COLUMNS), context, |row, context| servers.event(row, context))?;
    }
    let mut jobs = OpenJobs::default();
    let mut marks = wants_usage.then(TaskMarks::default).filter(|_| of(INSTANCES).next().is_some());
    batch(&of(TASKS).collect::<Vec<_>>(), &mut jobs, &mut marks, context)?;
    let mut containers = Containers { numbers: jobs.numbers(), ..Containers::default() };
    for part in of(CONTAINER_EVENTS) {
        rows(part, &layout(CONTAINER_EVENT_COLUMNS), context, |row, context| containers.event(row, context))?;
    }
    containers.finish(context)?;
    if !wants_usage {
        return Ok(());
    }
    for part in of(SERVER_USAGE) {
        rows(part, &layout(SERVER_USAGE_COLUMNS), context, |row, context| servers.usage(row, context))?;
    }
    for part in of(CONTAINER_USAGE) {
        rows(part, &layout(CONTAINER_USAGE_COLUMNS), context, |row, context| containers.usage(row, context))?;
    }
    let Some(marks) = marks else { return Ok(()) };
    for part in of(INSTANCES) {
        rows(part, &layout(INSTANCE_COLUMNS), context, |row, context| instance(row, &marks, context))?;
    }
    Ok(())
}

fn assume(context: &mut Context<'_>) {
    let (mem, disk) = (context.options.largest_mem_mib, context.options.largest_disk_mib);
    for said in [
        format!("memory and disk are shares of a machine of {mem} MiB and {disk} MiB"),
        "batch tasks ask for hundredths of cores, containers for cores".to_owned(),
        "a batch task's time from creation to end stands for the run time of each instance; it holds its wait".to_owned(),
        "times are kept as they are: 0 and negative ones lie before the trace".to_owned(),
    ] {
        context.quality.assume(said);
    }
    if !context.options.usage {
        context.quality.assume("usage and the table of instances are not wanted: their files were not read");
    }
}

/// Reads the batch tasks twice: to count the rows of each job, and to hand out jobs as they become complete.
fn batch(
    parts: &[&Part<'_>],
    jobs: &mut OpenJobs,
    marks: &mut Option<TaskMarks>,
    context: &mut Context<'_>,
) -> Result<(), TraceError> {
    let mut to_come = RowsToCome::default();
    for part in parts {
        to_come.count(part, &layout(TASK_COLUMNS), JOB_ID, context)?;
    }
    for part in parts {
        rows(part, &layout(TASK_COLUMNS), context, |row, context| {
            let taken = task(row, jobs, context);
            let is_last = to_come.is_last(row.raw(JOB_ID));
            let name = row.text(JOB_ID)?.unwrap_or_default();
            if let Some(job) = is_last.then(|| jobs.close(name)).flatten() {
                complete(name, &job, marks, context)?;
            }
            taken
        })?;
    }
    let rest = jobs.close_rest();
    rest.into_iter().try_for_each(|(name, job)| complete(&name, &job, marks, context))
}

fn complete(
    name: &str,
    job: &OpenJob,
    marks: &mut Option<TaskMarks>,
    context: &mut Context<'_>,
) -> Result<(), TraceError> {
    if let Some(marks) = marks {
        marks.learn(name, job);
    }
    job.emit(name, context)
}

fn task(row: Row<'_>, jobs: &mut OpenJobs, context: &mut Context<'_>) -> Result<(), RowError> {
    let create = seconds(row, 0)?.ok_or_else(|| row.wrong(0, "a time in seconds"))?;
    let (modified, status) = (seconds(row, 1)?, status(row, 5)?);
    // Of a task that is not over, the second time is that of its last change.
    let is_over = !status.is_some_and(Status::is_censored);
    let end = modified.filter(|end| is_over && *end >= create);
    let (cpus, mem) = (row.amount(6)?, row.amount(7)?);
    let task = OpenTask {
        name: row.name(3)?.into(),
        instances: instances(row, 4, TASK_COLUMNS[4], context)?,
        cpus: cpus.map(|hundredths| hundredths / 100.0),
        mem_mib: mem.map(|share| share * context.options.largest_mem_mib),
        submit: Some(create),
        end,
        status,
        ..OpenTask::default()
    };
    let job = jobs.open(row.name(JOB_ID)?);
    for (value, column) in [(cpus, 6), (mem, 7)] {
        if value.is_none() {
            context.quality.miss(TASK_COLUMNS[column]);
        }
    }
    context.quality.note(
        "tasks that are over and have no end, or one before their creation",
        u64::from(is_over && end.is_none()),
    );
    job.tasks.push(task);
    Ok(())
}

fn instance(row: Row<'_>, marks: &TaskMarks, context: &mut Context<'_>) -> Result<(), RowError> {
    let Some(whose) = marks.whose(row.raw(2), row.raw(3)) else {
        context.quality.note("instances of tasks that the trace does not have: left out", 1);
        return Ok(());
    };
    let state = status(row, 5)?;
    context.quality.note("attempts that were interrupted", u64::from(state == Some(Status::Evicted)));
    let (start, end) = (seconds(row, 0)?, seconds(row, 1)?.filter(|end| end.0 != 0));
    let Some((start, duration)) = start.zip(end).and_then(|(start, end)| Some((start, end.since(start)?)))
    else {
        context.quality.note("instances that had not started or ended: left out of usage", 1);
        return Ok(());
    };
    let (cpus_max, cpus) = (row.amount(8)?, row.amount(9)?);
    let mem_mib = row.amount(11)?.map(|share| share * context.options.largest_mem_mib);
    Ok(context.usage(&UsageRow { whose, start, duration, cpus, cpus_max, mem_mib, gpus: None })?)
}

#[derive(Default)]
struct Servers {
    known: FxHashSet<Box<str>>,
    cpus: MachineCpus,
}

impl Servers {
    fn event(&mut self, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
        let event = match row.text(2)? {
            Some("add") => MachineEvent::Add,
            Some("softerror") => MachineEvent::SoftError,
            Some("harderror") => MachineEvent::Remove,
            Some(_) | None => return Err(row.wrong(2, "add, softerror or harderror")),
        };
        let (name, at) = (row.name(1)?, seconds(row, 0)?.ok_or_else(|| row.wrong(0, "a time in seconds"))?);
        let cpus = row.amount(4)?;
        let mem_mib = row.amount(5)?.map(|share| share * context.options.largest_mem_mib);
        let disk_mib = row.amount(6)?.map(|share| share * context.options.largest_disk_mib);
        if event == MachineEvent::Add && self.known.insert(name.into()) {
            let machine = MachineRow { name: name.into(), cpus, mem_mib, disk_mib, ..MachineRow::default() };
            self.cpus.learn(&machine);
            context.machine(&machine)?;
        }
        let machine = name.into();
        Ok(context.machine_event(&MachineEventRow { at, machine, event, cpus, mem_mib, attribute: None })?)
    }

    fn usage(&self, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
        let (name, start) =
            (row.name(1)?, seconds(row, 0)?.ok_or_else(|| row.wrong(0, "a time in seconds"))?);
        let (cpu, mem) = (percent(row, 2, context)?, percent(row, 3, context)?);
        let cpus = cpu.map(|share| share * self.cpus.of(name, context));
        let mem_mib = mem.map(|share| share * context.options.largest_mem_mib);
        Ok(context.usage(&machine_usage(name, start, INTERVAL, cpus, mem_mib))?)
    }
}

/// A container that was created: a job of one task.
#[derive(Clone, Debug)]
struct Container {
    name: Box<str>,
    number: u64,
    start: Micros,
    machine: Option<Box<str>>,
    cpus: Option<f64>,
    mem_mib: Option<f64>,
    disk_mib: Option<f64>,
    cpuset: usize,
}

#[derive(Default)]
struct Containers {
    open: FxHashMap<Box<str>, Container>,
    /// The numbers and cores of all, for their usage.
    places: FxHashMap<Box<str>, (u64, Option<f64>)>,
    numbers: u64,
}

impl Containers {
    fn event(&mut self, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
        let name = row.name(2)?;
        let at = seconds(row, 0)?.ok_or_else(|| row.wrong(0, "a time in seconds"))?;
        match row.text(1)? {
            Some("Create") => self.create(name, at, row, context),
            Some("Remove") => {
                let Some(container) = self.open.remove(name) else {
                    context.quality.note("removals of containers that were not there: left out", 1);
                    return Ok(());
                };
                Ok(container.emit(Some(at), context)?)
            }
            Some(_) | None => Err(row.wrong(1, "Create or Remove")),
        }
    }

    fn create(
        &mut self,
        name: &str,
        start: Micros,
        row: Row<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), RowError> {
        if self.open.contains_key(name) {
            context.quality.note("containers that were created twice: the first counts", 1);
            return Ok(());
        }
        let container = Container {
            name: name.into(),
            number: self.numbers,
            start,
            machine: row.text(3)?.map(Into::into),
            cpus: row.amount(4)?,
            mem_mib: row.amount(5)?.map(|share| share * context.options.largest_mem_mib),
            disk_mib: row.amount(6)?.map(|share| share * context.options.largest_disk_mib),
            cpuset: row.raw(7).split(|byte| *byte == b'|').filter(|cpu| !cpu.is_empty()).count(),
        };
        self.numbers += 1;
        self.places.insert(name.into(), (container.number, container.cpus));
        self.open.insert(name.into(), container);
        Ok(())
    }

    /// Those that run when the trace ends.
    fn finish(&mut self, context: &mut Context<'_>) -> Result<(), TraceError> {
        // The order of the map reaches nobody: numbers are unique.
        let mut rest: Vec<Container> = std::mem::take(&mut self.open).into_values().collect();
        rest.sort_unstable_by_key(|container| container.number);
        rest.iter().try_for_each(|container| container.emit(None, context))
    }

    fn usage(&self, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
        let start = seconds(row, 0)?.ok_or_else(|| row.wrong(0, "a time in seconds"))?;
        let Some(&(number, cores)) = self.places.get(row.name(1)?) else {
            context.quality.note("usage of containers that the trace does not have: left out", 1);
            return Ok(());
        };
        let cpus = percent(row, 2, context)?.zip(cores).map(|(share, cores)| share * cores);
        let (whose, duration) = (Whose::Task(number, 0), INTERVAL);
        Ok(context.usage(&UsageRow {
            whose,
            start,
            duration,
            cpus,
            cpus_max: None,
            mem_mib: None,
            gpus: None,
        })?)
    }
}

impl Container {
    fn emit(&self, end: Option<Micros>, context: &mut Context<'_>) -> Result<(), TraceError> {
        let status = Some(if end.is_some() { Status::Killed } else { Status::Running });
        let extra = (self.cpuset > 0).then_some(("cpuset_cpus", Value::Number(self.cpuset as f64)));
        context.task(&TaskRow {
            job: self.number,
            instances: 1,
            cpus: self.cpus,
            mem_mib: self.mem_mib,
            disk_mib: self.disk_mib,
            submit: Some(self.start),
            start: Some(self.start),
            end,
            duration: end.and_then(|end| end.since(self.start)),
            status,
            attempts: 1,
            machine: self.machine.as_deref().map(Into::into),
            extra: extra.into_iter().collect(),
            ..TaskRow::default()
        })?;
        context.job(&JobRow {
            number: self.number,
            name: (&*self.name).into(),
            class: Some("service".into()),
            submit: Some(self.start),
            start: Some(self.start),
            end,
            status,
            ..JobRow::default()
        })
    }
}

#[cfg(test)]
mod tests;
