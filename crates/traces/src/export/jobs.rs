//! Whole jobs, for formats that know nothing smaller.

use rustc_hash::FxHashMap;

use crate::{JobRow, MachineRow, Micros, Sink, Status, TaskRow, TraceError, row::Value};

/// Takes a trace, and keeps of each job what formats of batch jobs can say.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    jobs: FxHashMap<u64, Job>,
    /// Cores of all machines, and how many machines there are.
    pub(super) cores: f64,
    pub(super) machines: u64,
}

/// One job.
#[derive(Clone, Debug, Default)]
pub(super) struct Job {
    pub(super) number: u64,
    /// Its row came. (Tasks may come before it.)
    is_known: bool,
    pub(super) name: Box<str>,
    pub(super) user: Option<Box<str>>,
    pub(super) group: Option<Box<str>>,
    pub(super) class: Option<Box<str>>,
    pub(super) application: Option<Box<str>>,
    pub(super) submit: Option<Micros>,
    pub(super) start: Option<Micros>,
    pub(super) end: Option<Micros>,
    pub(super) requested_time: Option<Micros>,
    pub(super) status: Option<Status>,
    pub(super) gang: bool,
    pub(super) parents: Vec<u64>,
    pub(super) facts: Vec<(&'static str, f64)>,
    pub(super) tasks: u32,
    /// Processes of all tasks.
    pub(super) instances: u64,
    /// Cores of all processes.
    cores: f64,
    /// MiB of the largest process, for each of its cores.
    pub(super) mem_mib_per_core: Option<f64>,
    /// The longest task's.
    longest: Option<Micros>,
    /// Tasks wait for each other.
    pub(super) is_graph: bool,
    pub(super) gpus: bool,
}

impl Sink for Jobs {
    fn job(&mut self, row: &JobRow<'_>) -> Result<(), TraceError> {
        let job = self.jobs.entry(row.number).or_default();
        let own = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(Into::into);
        (job.number, job.is_known, job.name) = (row.number, true, (&*row.name).into());
        (job.user, job.group) = (own(&row.user), own(&row.group));
        (job.class, job.application) = (own(&row.class), own(&row.application));
        (job.start, job.end, job.requested_time) = (row.start, row.end, row.requested_time);
        job.submit = row.submit.or(job.submit);
        (job.status, job.gang) = (row.status, row.gang);
        job.parents.clone_from(&row.parents);
        for (name, value) in &row.extra {
            match value {
                Value::Number(number) => job.facts.push((name, *number)),
                Value::Text(_) => {}
            }
        }
        Ok(())
    }

    fn task(&mut self, row: &TaskRow<'_>) -> Result<(), TraceError> {
        let job = self.jobs.entry(row.job).or_default();
        let cores = row.cpus.unwrap_or(1.0);
        job.tasks += 1;
        job.instances += u64::from(row.instances);
        job.cores += cores * f64::from(row.instances);
        let memory = row.mem_mib.map(|mebibytes| mebibytes / cores.ceil().max(1.0));
        job.mem_mib_per_core = job.mem_mib_per_core.into_iter().chain(memory).reduce(f64::max);
        job.longest = job.longest.max(row.duration);
        job.submit = job.submit.or(row.submit);
        job.is_graph |= !row.parents.is_empty();
        job.gpus |= row.gpus.is_some_and(|gpus| gpus > 0.0);
        Ok(())
    }

    fn machine(&mut self, row: &MachineRow<'_>) -> Result<(), TraceError> {
        self.machines += 1;
        self.cores += row.cpus.unwrap_or(0.0);
        Ok(())
    }
}

impl Jobs {
    /// All jobs, as they were submitted.
    pub(super) fn in_order(&self) -> Vec<&Job> {
        // Not every number is there: the map is asked, and the order comes from sorting.
        let mut jobs: Vec<&Job> = sorted(&self.jobs);
        jobs.retain(|job| job.is_known);
        jobs.sort_by_key(|job| (job.submit, job.number));
        jobs
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the values are sorted by their numbers before anybody sees them"
)]
fn sorted(jobs: &FxHashMap<u64, Job>) -> Vec<&Job> {
    let mut jobs: Vec<&Job> = jobs.values().collect();
    jobs.sort_unstable_by_key(|job| job.number);
    jobs
}

impl Job {
    /// Its cores, whole ones; none if it has no task.
    pub(super) fn processors(&self) -> Option<u64> {
        (self.tasks > 0).then(|| (self.cores - 1e-9).ceil().max(1.0) as u64)
    }

    /// How long it ran.
    pub(super) fn run(&self) -> Option<Micros> {
        self.start.zip(self.end).and_then(|(start, end)| end.since(start)).or(self.longest)
    }

    pub(super) fn fact(&self, name: &str) -> Option<f64> {
        self.facts.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    }
}
