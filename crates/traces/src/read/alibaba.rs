//! What Alibaba's traces have in common: files in no order, in which the rows of one job may lie far apart.
//!
//! A first pass counts the rows of each job, so that in the second one a job can be handed out with its last row. Memory
//! grows with the jobs that are open, and by 12 bytes for each job.

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::{
    borrow::Cow,
    hash::{Hash, Hasher},
};

use crate::{
    Context, JobRow, MachineRow, Micros, Status, TaskRow, TraceError, UsageRow,
    format::Part,
    row::Whose,
    table::{Layout, Row, RowError, rows},
};

/// A text of 64 bits that stands for others: names of which only equality matters.
pub(super) fn mark(texts: &[&[u8]]) -> u64 {
    let mut hasher = FxHasher::default();
    texts.hash(&mut hasher);
    hasher.finish()
}

/// How many rows of each job are still to come. Two jobs with one mark are handed out later than they could be.
#[derive(Debug, Default)]
pub(super) struct RowsToCome(FxHashMap<u64, u32>);

impl RowsToCome {
    /// Reads a file for the column that names the job, and forgets what there is to report: it is read again.
    pub(super) fn count(
        &mut self,
        part: &Part<'_>,
        layout: &Layout,
        column: usize,
        context: &mut Context<'_>,
    ) -> Result<(), TraceError> {
        let quality = std::mem::take(&mut context.quality);
        let counted = rows(part, layout, context, |row, _| {
            *self.0.entry(mark(&[row.raw(column)])).or_default() += 1;
            Ok(())
        });
        context.quality = quality;
        counted
    }

    /// A row of this job was read; whether it was the last.
    pub(super) fn is_last(&mut self, job: &[u8]) -> bool {
        let key = mark(&[job]);
        let Some(left) = self.0.get_mut(&key) else { return true };
        *left = left.saturating_sub(1);
        let is_last = *left == 0;
        if is_last {
            self.0.remove(&key);
        }
        is_last
    }
}

/// A job of which rows are still to come.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenJob {
    pub(super) number: u64,
    pub(super) tasks: Vec<OpenTask>,
    /// The marks of their names, for tables in which a name may come twice.
    pub(super) names: FxHashSet<u64>,
}

/// What its row says of a task.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenTask {
    pub(super) name: Box<str>,
    pub(super) kind: Option<Box<str>>,
    pub(super) instances: u32,
    pub(super) cpus: Option<f64>,
    pub(super) mem_mib: Option<f64>,
    pub(super) submit: Option<Micros>,
    pub(super) start: Option<Micros>,
    pub(super) end: Option<Micros>,
    pub(super) status: Option<Status>,
    pub(super) parents: Vec<u32>,
}

/// The jobs that are open, by name.
#[derive(Debug, Default)]
pub(super) struct OpenJobs {
    open: FxHashMap<Box<str>, OpenJob>,
    numbers: u64,
}

impl OpenJobs {
    /// The open job of this name; a new one if there is none.
    pub(super) fn open(&mut self, name: &str) -> &mut OpenJob {
        if !self.open.contains_key(name) {
            let job = OpenJob { number: self.numbers, ..OpenJob::default() };
            self.numbers += 1;
            self.open.insert(name.into(), job);
        }
        self.open.get_mut(name).expect("a job that was opened above")
    }

    /// So many jobs were opened.
    pub(super) const fn numbers(&self) -> u64 {
        self.numbers
    }

    pub(super) fn close(&mut self, name: &str) -> Option<OpenJob> {
        self.open.remove(name)
    }

    /// Closes those that are left, in the order in which they were first mentioned.
    pub(super) fn close_rest(&mut self) -> Vec<(Box<str>, OpenJob)> {
        // The order of the map reaches nobody: numbers are unique.
        let mut rest: Vec<_> = std::mem::take(&mut self.open).into_iter().collect();
        rest.sort_unstable_by_key(|(_, job)| job.number);
        rest
    }
}

impl OpenJob {
    /// Hands out its tasks, then itself. Whoever has no time of submission was submitted with the first start of the job.
    pub(super) fn emit(&self, name: &str, context: &mut Context<'_>) -> Result<(), TraceError> {
        let first = |time: fn(&OpenTask) -> Option<Micros>| self.tasks.iter().filter_map(time).min();
        let start = first(|task| task.start);
        let submit = first(|task| task.submit).or(start);
        for (index, task) in (0u32..).zip(&self.tasks) {
            let from = task.start.or(task.submit);
            context.task(&TaskRow {
                job: self.number,
                index,
                name: Some(Cow::Borrowed(&task.name)),
                instances: task.instances,
                parents: task.parents.clone(),
                cpus: task.cpus,
                mem_mib: task.mem_mib,
                submit: task.submit.or(submit),
                start: task.start,
                end: task.end,
                duration: from.zip(task.end).and_then(|(from, end)| end.since(from)),
                status: task.status,
                attempts: u32::from(task.start.is_some() || task.end.is_some()),
                ..TaskRow::default()
            })?;
        }
        let ends: Option<Vec<Micros>> = self.tasks.iter().map(|task| task.end).collect();
        context.job(&JobRow {
            number: self.number,
            name: name.into(),
            class: Some("batch".into()),
            application: self.tasks.first().and_then(|task| task.kind.as_deref()).map(Cow::Borrowed),
            submit,
            start,
            end: ends.and_then(|ends| ends.into_iter().max()),
            status: self.status(),
            ..JobRow::default()
        })
    }

    /// As its worst task: one that failed, then one that was killed, that runs, that waits.
    fn status(&self) -> Option<Status> {
        let worst = [Status::Failed, Status::Killed, Status::Lost, Status::Running, Status::Waiting];
        let has = |status: &Status| self.tasks.iter().any(|task| task.status == Some(*status));
        worst.into_iter().find(has).or_else(|| self.tasks.first()?.status)
    }
}

/// The words for states that all of Alibaba's tables of batch jobs use.
pub(super) const STATUSES: &[&str] =
    &["Ready", "Waiting", "Running", "Terminated", "Failed", "Cancelled", "Interrupted"];

pub(super) fn status(row: Row<'_>, column: usize) -> Result<Option<Status>, RowError> {
    let Some(word) = row.text(column)? else { return Ok(None) };
    let found = STATUSES.iter().find(|known| known.eq_ignore_ascii_case(word));
    match found.copied().unwrap_or_default() {
        "Ready" | "Waiting" => Ok(Some(Status::Waiting)),
        "Running" => Ok(Some(Status::Running)),
        "Terminated" => Ok(Some(Status::Finished)),
        "Failed" => Ok(Some(Status::Failed)),
        "Cancelled" => Ok(Some(Status::Killed)),
        "Interrupted" => Ok(Some(Status::Evicted)),
        _ => Err(row.wrong(column, STATUSES.join(", "))),
    }
}

/// A time in seconds, whole or not; `None` if the field is empty.
pub(super) fn seconds(row: Row<'_>, column: usize) -> Result<Option<Micros>, RowError> {
    let Some(seconds) = row.number(column)? else { return Ok(None) };
    Micros::from_secs_f64(seconds).map(Some).ok_or_else(|| row.wrong(column, "a time in seconds"))
}

/// A number of instances. Some files write it as `3.0`.
pub(super) fn instances(
    row: Row<'_>,
    column: usize,
    name: &'static str,
    context: &mut Context<'_>,
) -> Result<u32, RowError> {
    let Some(number) = row.number(column)? else {
        context.quality.miss(name);
        return Ok(1);
    };
    let is_count = (1.0..=f64::from(u32::MAX)).contains(&number) && number.fract() == 0.0;
    if is_count { Ok(number as u32) } else { Err(row.wrong(column, "a whole number, 1 or more")) }
}

/// Per cent of a machine. What is outside of 0 to 100 marks an invalid measurement.
pub(super) fn percent(
    row: Row<'_>,
    column: usize,
    context: &mut Context<'_>,
) -> Result<Option<f64>, RowError> {
    let Some(percent) = row.number(column)? else { return Ok(None) };
    if (0.0..=100.0).contains(&percent) {
        return Ok(Some(percent / 100.0));
    }
    context
        .quality
        .note("per cents outside of 0 to 100, which mark invalid measurements: taken as missing", 1);
    Ok(None)
}

/// Which task a job's name and a task's name stand for: for usage, which lies in files of its own.
#[derive(Debug, Default)]
pub(super) struct TaskMarks(FxHashMap<u64, (u64, u32)>);

impl TaskMarks {
    pub(super) fn learn(&mut self, job_name: &str, job: &OpenJob) {
        for (index, task) in (0u32..).zip(&job.tasks) {
            self.insert(job_name.as_bytes(), task.name.as_bytes(), (job.number, index));
        }
    }

    pub(super) fn insert(&mut self, job: &[u8], task: &[u8], place: (u64, u32)) {
        self.0.insert(mark(&[job, task]), place);
    }

    pub(super) fn whose(&self, job: &[u8], task: &[u8]) -> Option<Whose<'static>> {
        self.0.get(&mark(&[job, task])).map(|&(job, index)| Whose::Task(job, index))
    }
}

/// Machines by name, with the cores that per cents of their use are of.
#[derive(Debug, Default)]
pub(super) struct MachineCpus(FxHashMap<Box<str>, f64>);

impl MachineCpus {
    pub(super) fn learn(&mut self, row: &MachineRow<'_>) {
        if let Some(cpus) = row.cpus {
            self.0.insert(row.name.as_ref().into(), cpus);
        }
    }

    pub(super) fn of(&self, machine: &str, context: &mut Context<'_>) -> f64 {
        self.0.get(machine).copied().unwrap_or_else(|| {
            context.quality.note("measurements of machines of unknown size: taken as the largest machine", 1);
            context.options.largest_cpus
        })
    }
}

/// What a machine used over an interval.
pub(super) fn machine_usage<'a>(
    name: &'a str,
    start: Micros,
    duration: Micros,
    cpus: Option<f64>,
    mem_mib: Option<f64>,
) -> UsageRow<'a> {
    let whose = Whose::Machine(name.into());
    UsageRow { whose, start, duration, cpus, cpus_max: None, mem_mib, gpus: None }
}
