//! Alibaba cluster-trace-v2018: about 4,000 machines over 8 days, services and batch jobs whose tasks are a graph. Six tables
//! without headers; seconds; 100 of CPU are one core; memory and disk are per cent of a machine.
//!
//! The graph is in the names of the tasks: `R3_1_2` is task 3, which waits for all instances of tasks 1 and 2. The letters
//! mean nothing here; a name without a number in front (`task_Nzg3`, `MergeTask`) is that of a task without parents, and
//! numbers after the first token that is none (`M2_Stg1`) are no parents.

use rustc_hash::FxHashMap;
use std::{borrow::Cow, collections::hash_map::Entry};

use crate::{
    Context, Format, Grouping, JobRow, MachineEventRow, MachineRow, Micros, Source, Status, TaskRow,
    TraceError, UsageRow,
    format::{Part, Table},
    read::alibaba::{
        MachineCpus, OpenJob, OpenJobs, OpenTask, RowsToCome, STATUSES, TaskMarks, instances, machine_usage,
        mark, percent, seconds, status,
    },
    row::{MachineEvent, Whose},
    shape::{Kind, fits},
    table::{Header, Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "alibaba-2018",
    about: "Alibaba cluster-trace-v2018: batch jobs with graphs of tasks, containers, machines, usage",
    source: "github.com/alibaba/clusterdata, cluster-trace-v2018; Alibaba Cluster Trace Program",
    grouping: Grouping::Together,
    detect,
    read,
};

const MACHINES: Table = "machine_meta";
const MACHINE_USAGE: Table = "machine_usage";
const CONTAINERS: Table = "container_meta";
const CONTAINER_USAGE: Table = "container_usage";
const TASKS: Table = "batch_task";
const INSTANCES: Table = "batch_instance";

const MACHINE_COLUMNS: &[&str] =
    &["machine_id", "time_stamp", "failure_domain_1", "failure_domain_2", "cpu_num", "mem_size", "status"];
const MACHINE_USAGE_COLUMNS: &[&str] = &[
    "machine_id",
    "time_stamp",
    "cpu_util_percent",
    "mem_util_percent",
    "mem_gps",
    "mkpi",
    "net_in",
    "net_out",
    "disk_io_percent",
];
const CONTAINER_COLUMNS: &[&str] =
    &["container_id", "machine_id", "time_stamp", "app_du", "status", "cpu_request", "cpu_limit", "mem_size"];
const CONTAINER_USAGE_COLUMNS: &[&str] = &[
    "container_id",
    "machine_id",
    "time_stamp",
    "cpu_util_percent",
    "mem_util_percent",
    "cpi",
    "mem_gps",
    "mpki",
    "net_in",
    "net_out",
    "disk_io_percent",
];
const TASK_COLUMNS: &[&str] = &[
    "task_name",
    "instance_num",
    "job_name",
    "task_type",
    "status",
    "start_time",
    "end_time",
    "plan_cpu",
    "plan_mem",
];
const INSTANCE_COLUMNS: &[&str] = &[
    "instance_name",
    "task_name",
    "job_name",
    "task_type",
    "status",
    "start_time",
    "end_time",
    "machine_id",
    "seq_no",
    "total_seq_no",
    "cpu_avg",
    "cpu_max",
    "mem_avg",
    "mem_max",
];
const JOB_NAME: usize = 2;
const SAME_NUMBER: &str = "tasks with the number of another task of their job: the first is the parent";
/// Usage is sampled; a sample stands for so long.
const SAMPLE: Micros = Micros(10_000_000);

fn layout(columns: &'static [&'static str]) -> Layout {
    Layout { header: Header::None, ..Layout::headerless(columns) }
}

fn detect(source: &Source) -> Option<Table> {
    use Kind::{Any, Begins, Int, MaybeInt, MaybeName, MaybeNumber, Name, Word};
    let number = MaybeNumber;
    let state = Word(STATUSES);
    let mut machine_usage = [number; 9];
    machine_usage[..2].copy_from_slice(&[Begins("m_"), Int]);
    let mut container_usage = [number; 11];
    container_usage[..3].copy_from_slice(&[Begins("c_"), Begins("m_"), Int]);
    let instance_start = [Any, Name, Name, Any, state, MaybeInt, MaybeInt, MaybeName, MaybeInt, MaybeInt];
    let instance: Vec<Kind> = instance_start.into_iter().chain([number; 4]).collect();
    let container = [Begins("c_"), Begins("m_"), Int, Name, Name, number, number, number];
    let tables: [(Table, &[Kind]); 6] = [
        (MACHINES, &[Begins("m_"), MaybeInt, Any, Any, number, number, MaybeName]),
        (MACHINE_USAGE, &machine_usage),
        (CONTAINERS, &container),
        (CONTAINER_USAGE, &container_usage),
        (TASKS, &[Name, number, Name, Any, state, MaybeInt, MaybeInt, number, number]),
        (INSTANCES, &instance),
    ];
    tables.into_iter().find(|(_, kinds)| fits(source, kinds)).map(|(table, _)| table)
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    assume(context);
    let wants_usage = context.options.usage;
    let of = |table: Table| parts.iter().filter(move |part| part.table == table);
    let mut machines = Machines::default();
    for part in of(MACHINES) {
        rows(part, &layout(MACHINE_COLUMNS), context, |row, context| machines.row(row, context))?;
    }
    let mut jobs = OpenJobs::default();
    let mut marks = wants_usage.then(TaskMarks::default).filter(|_| of(INSTANCES).next().is_some());
    batch(&of(TASKS).collect::<Vec<_>>(), &mut jobs, &mut marks, context)?;
    let mut containers = Containers::default();
    for part in of(CONTAINERS) {
        rows(part, &layout(CONTAINER_COLUMNS), context, |row, context| {
            containers.row(row, &mut jobs, context)
        })?;
    }
    for (name, job) in jobs.close_rest() {
        containers.emit(&name, &job, context)?;
    }
    if !wants_usage {
        return Ok(());
    }
    for part in of(MACHINE_USAGE) {
        rows(part, &layout(MACHINE_USAGE_COLUMNS), context, |row, context| machines.usage(row, context))?;
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
    let mem = context.options.largest_mem_mib;
    for said in [
        format!("100 of CPU are one core; 100 of memory are a machine of {mem} MiB"),
        "a job was submitted when its first task started: the trace has no other time".to_owned(),
        "a task's span, over all its instances, stands for the run time of each".to_owned(),
        "failure_domain_1 is the rack and failure_domain_2 the zone".to_owned(),
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
        to_come.count(part, &layout(TASK_COLUMNS), JOB_NAME, context)?;
    }
    for part in parts {
        rows(part, &layout(TASK_COLUMNS), context, |row, context| {
            let taken = task(row, jobs, context);
            let is_last = to_come.is_last(row.raw(JOB_NAME));
            let name = row.text(JOB_NAME)?.unwrap_or_default();
            if let Some(job) = is_last.then(|| jobs.close(name)).flatten() {
                complete(name, job, marks, context)?;
            }
            taken
        })?;
    }
    let rest = jobs.close_rest();
    rest.into_iter().try_for_each(|(name, job)| complete(&name, job, marks, context))
}

fn complete(
    name: &str,
    mut job: OpenJob,
    marks: &mut Option<TaskMarks>,
    context: &mut Context<'_>,
) -> Result<(), TraceError> {
    job.link(context);
    if let Some(marks) = marks {
        marks.learn(name, &job);
    }
    job.emit(name, context)
}

fn task(row: Row<'_>, jobs: &mut OpenJobs, context: &mut Context<'_>) -> Result<(), RowError> {
    let (name, status) = (row.name(0)?, status(row, 4)?);
    let is_waiting = status == Some(Status::Waiting);
    let start = seconds(row, 5)?.filter(|start| !(is_waiting && start.0 <= 0));
    let end = seconds(row, 6)?.filter(|end| end.0 != 0);
    let early = end.is_some_and(|end| start.is_some_and(|start| end < start));
    let (cpus, mem) = (row.amount(7)?, row.amount(8)?);
    let task = OpenTask {
        name: name.into(),
        kind: row.text(3)?.map(Into::into),
        instances: instances(row, 1, TASK_COLUMNS[1], context)?,
        cpus: cpus.map(|hundredths| hundredths / 100.0),
        mem_mib: mem.map(|percent| percent / 100.0 * context.options.largest_mem_mib),
        start,
        end: end.filter(|_| !early),
        status,
        ..OpenTask::default()
    };
    let job = jobs.open(row.name(JOB_NAME)?);
    if !job.names.insert(mark(&[name.as_bytes()])) {
        context.quality.note("tasks with the name of another task of their job: left out", 1);
        return Ok(());
    }
    for (value, column) in [(cpus, 7), (mem, 8)] {
        if value.is_none() {
            context.quality.miss(TASK_COLUMNS[column]);
        }
    }
    context
        .quality
        .note("ends before their starts, of tasks that were not over: taken as missing", early.into());
    job.tasks.push(task);
    Ok(())
}

/// What a task's name says: its number, and those of its parents. `None`: it has no number, and no parents.
fn parse_name(name: &str) -> Option<(u32, Vec<u32>)> {
    let mut tokens = name.split('_');
    let first = tokens.next()?;
    let digits = first.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let own = Some(digits).filter(|digits| digits.len() < first.len()).and_then(number)?;
    Some((own, tokens.map_while(number).collect()))
}

fn number(digits: &str) -> Option<u32> {
    Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

impl OpenJob {
    /// Finds the parents that the names of its tasks tell of.
    fn link(&mut self, context: &mut Context<'_>) {
        let names: Vec<_> = self.tasks.iter().map(|task| parse_name(&task.name)).collect();
        let mut places = FxHashMap::default();
        let numbered = (0u32..).zip(&names).filter_map(|(index, name)| Some((index, name.as_ref()?.0)));
        for (index, own) in numbered {
            match places.entry(own) {
                Entry::Vacant(place) => {
                    place.insert(index);
                }
                Entry::Occupied(_) => context.quality.note(SAME_NUMBER, 1),
            }
        }
        for (index, name) in (0u32..).zip(&names) {
            let Some((_, numbers)) = name else { continue };
            let mut parents: Vec<u32> = Vec::new();
            for number in numbers {
                match places.get(number) {
                    None => context.quality.note("parents that the job does not have: left out", 1),
                    Some(parent) if *parent == index => {
                        context.quality.note("tasks that are their own parents: that is left out", 1);
                    }
                    Some(parent) => parents.push(*parent),
                }
            }
            parents.sort_unstable();
            parents.dedup();
            self.tasks[index as usize].parents = parents;
        }
        self.cut_circles(&names, context);
    }

    /// If tasks wait for each other in a circle, those that wait for higher numbers do so no longer.
    fn cut_circles(&mut self, names: &[Option<(u32, Vec<u32>)>], context: &mut Context<'_>) {
        let own = |index: u32| names[index as usize].as_ref().map_or(0, |(own, _)| *own);
        let goes_up = |index: u32, parent: &u32| own(*parent) >= own(index);
        let tasks = (0u32..).zip(&self.tasks);
        let is_suspect =
            tasks.into_iter().any(|(index, task)| task.parents.iter().any(|parent| goes_up(index, parent)));
        if !is_suspect || !self.has_circle() {
            return;
        }
        for (index, task) in (0u32..).zip(&mut self.tasks) {
            let before = task.parents.len();
            task.parents.retain(|parent| !goes_up(index, parent));
            let cut = (before - task.parents.len()) as u64;
            context.quality.note("parents in a circle: those with higher numbers are left out", cut);
        }
    }

    /// Whether some tasks never become free when tasks end whose parents have ended (Kahn's algorithm).
    fn has_circle(&self) -> bool {
        let mut waits: Vec<usize> = self.tasks.iter().map(|task| task.parents.len()).collect();
        let mut children = vec![Vec::new(); self.tasks.len()];
        for (index, task) in self.tasks.iter().enumerate() {
            task.parents.iter().for_each(|parent| children[*parent as usize].push(index));
        }
        let mut free: Vec<usize> = (0..waits.len()).filter(|index| waits[*index] == 0).collect();
        let mut ended = 0;
        while let Some(index) = free.pop() {
            ended += 1;
            for &child in &children[index] {
                waits[child] -= 1;
                if waits[child] == 0 {
                    free.push(child);
                }
            }
        }
        ended < self.tasks.len()
    }
}

fn instance(row: Row<'_>, marks: &TaskMarks, context: &mut Context<'_>) -> Result<(), RowError> {
    let Some(whose) = marks.whose(row.raw(2), row.raw(1)) else {
        context.quality.note("instances of tasks that the trace does not have: left out", 1);
        return Ok(());
    };
    let state = status(row, 4)?;
    context.quality.note("attempts that were interrupted", u64::from(state == Some(Status::Evicted)));
    let (start, end) = (seconds(row, 5)?, seconds(row, 6)?);
    let Some((start, duration)) = start.zip(end).and_then(|(start, end)| Some((start, end.since(start)?)))
    else {
        context.quality.note("instances that had not ended: left out of usage", 1);
        return Ok(());
    };
    let cores = |hundredths: Option<f64>| hundredths.map(|hundredths| hundredths / 100.0);
    let (cpus, cpus_max) = (cores(row.amount(10)?), cores(row.amount(11)?));
    let mem_mib = percent(row, 12, context)?.map(|share| share * context.options.largest_mem_mib);
    Ok(context.usage(&UsageRow { whose, start, duration, cpus, cpus_max, mem_mib, gpus: None })?)
}

/// Machines have several rows: the first is the machine, the others are changes.
#[derive(Default)]
struct Machines {
    last: FxHashMap<Box<str>, (Option<f64>, Option<f64>)>,
    cpus: MachineCpus,
}

impl Machines {
    fn row(&mut self, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
        let (name, at, cpus) = (row.name(0)?, seconds(row, 1)?.unwrap_or_default(), row.amount(4)?);
        let mem_mib = percent(row, 5, context)?.map(|share| share * context.options.largest_mem_mib);
        let is_used = row.text(6)?.is_none_or(|status| status == "USING");
        context.quality.note("rows of machines with another status than USING", u64::from(!is_used));
        let last = self.last.insert(name.into(), (cpus, mem_mib));
        if last.is_none() {
            let (rack, zone) = (row.text(2)?.map(Into::into), row.text(3)?.map(Into::into));
            let machine =
                MachineRow { name: name.into(), cpus, mem_mib, rack, zone, ..MachineRow::default() };
            self.cpus.learn(&machine);
            return Ok(context.machine(&machine)?);
        }
        if last == Some((cpus, mem_mib)) {
            return Ok(());
        }
        let (machine, event) = (name.into(), MachineEvent::Update);
        Ok(context.machine_event(&MachineEventRow { at, machine, event, cpus, mem_mib, attribute: None })?)
    }

    fn usage(&self, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
        let (name, start) =
            (row.name(0)?, seconds(row, 1)?.ok_or_else(|| row.wrong(1, "a time in seconds"))?);
        let (cpu, mem) = (percent(row, 2, context)?, percent(row, 3, context)?);
        let cpus = cpu.map(|share| share * self.cpus.of(name, context));
        let mem_mib = mem.map(|share| share * context.options.largest_mem_mib);
        Ok(context.usage(&machine_usage(name, start, SAMPLE, cpus, mem_mib))?)
    }
}

/// Containers: the tasks of an application that serves. They have several rows; the last says what they ask for.
#[derive(Default)]
struct Containers {
    /// The number of its job, its index in it, and its cores.
    places: FxHashMap<Box<str>, (u64, u32, Option<f64>)>,
    machines: FxHashMap<(u64, u32), Box<str>>,
}

impl Containers {
    fn row(&mut self, row: Row<'_>, jobs: &mut OpenJobs, context: &mut Context<'_>) -> Result<(), RowError> {
        let (name, at) = (row.name(0)?, seconds(row, 2)?);
        let cpus = row.amount(5)?.map(|hundredths| hundredths / 100.0);
        let mem_mib = percent(row, 7, context)?.map(|share| share * context.options.largest_mem_mib);
        let job = jobs.open(row.name(3)?);
        let known = self.places.get(name).filter(|(number, ..)| *number == job.number).map(|place| place.1);
        let index = known.unwrap_or(job.tasks.len() as u32);
        if known.is_none() {
            job.tasks.push(OpenTask { name: name.into(), instances: 1, ..OpenTask::default() });
        }
        let task = &mut job.tasks[index as usize];
        task.start = task.start.into_iter().chain(at).min();
        (task.cpus, task.mem_mib) = (cpus.or(task.cpus), mem_mib.or(task.mem_mib));
        self.places.insert(name.into(), (job.number, index, task.cpus));
        if let Some(machine) = row.text(1)? {
            self.machines.insert((job.number, index), machine.into());
        }
        Ok(())
    }

    fn emit(&self, name: &str, job: &OpenJob, context: &mut Context<'_>) -> Result<(), TraceError> {
        let start = job.tasks.iter().filter_map(|task| task.start).min();
        for (index, task) in (0u32..).zip(&job.tasks) {
            let machine = self.machines.get(&(job.number, index)).map(|name| Cow::Borrowed(&**name));
            context.task(&TaskRow {
                job: job.number,
                index,
                name: Some(Cow::Borrowed(&task.name)),
                instances: 1,
                cpus: task.cpus,
                mem_mib: task.mem_mib,
                submit: task.start,
                start: task.start,
                status: Some(Status::Running),
                attempts: 1,
                machine,
                ..TaskRow::default()
            })?;
        }
        let (class, status) = (Some("service".into()), Some(Status::Running));
        let (number, name) = (job.number, name.into());
        context.job(&JobRow { number, name, class, submit: start, start, status, ..JobRow::default() })
    }

    fn usage(&self, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
        let start = seconds(row, 2)?.ok_or_else(|| row.wrong(2, "a time in seconds"))?;
        let Some(&(job, index, cores)) = self.places.get(row.name(0)?) else {
            context.quality.note("usage of containers that the trace does not have: left out", 1);
            return Ok(());
        };
        let cpus = percent(row, 3, context)?.zip(cores).map(|(share, cores)| share * cores);
        let mem_mib = None;
        let whose = Whose::Task(job, index);
        Ok(context.usage(&UsageRow {
            whose,
            start,
            duration: SAMPLE,
            cpus,
            cpus_max: None,
            mem_mib,
            gpus: None,
        })?)
    }
}

#[cfg(test)]
mod tests;
