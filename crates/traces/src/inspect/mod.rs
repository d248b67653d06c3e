//! What a trace consists of, gathered in one pass and bounded memory: counts, spans, distributions, labels, load over time.

pub mod distribution;
mod json;
pub mod labels;
pub mod series;

use crate::{JobRow, MachineEventRow, MachineRow, Micros, Sink, Status, TaskRow, TraceError, UsageRow};
pub use distribution::Distribution;
pub use labels::Labels;
pub use series::{Series, Step};

/// Of so many jobs it is remembered when they were submitted and how many tasks they have (16 bytes each).
pub const REMEMBERED_JOBS: usize = 1 << 23;

/// A sink that keeps no rows but what they amount to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Inspection {
    /// Rows of each table.
    pub counts: Counts,
    /// Over jobs.
    pub jobs: JobFigures,
    /// Over tasks. Amounts are those of one instance.
    pub tasks: TaskFigures,
    /// Over machines.
    pub machines: MachineFigures,
    /// Over time.
    pub load: Load,
    /// The first and the last time that is mentioned.
    pub span: Option<(Micros, Micros)>,
    remembered: Vec<Remembered>,
}

/// How many there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Jobs.
    pub jobs: u64,
    /// Tasks.
    pub tasks: u64,
    /// Instances of all tasks.
    pub instances: u64,
    /// Machines.
    pub machines: u64,
    /// Their coming, going and changing.
    pub machine_events: u64,
    /// Measurements of use.
    pub usage: u64,
}

/// How often each status comes, in the order of [`Status::ALL`], and how often there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StatusCounts {
    of: [u64; Status::ALL.len()],
    /// So many have none.
    pub unknown: u64,
}

/// A value that some rows have: how it is distributed over those that have it, in the unit of its name.
#[derive(Clone, PartialEq, Debug)]
pub struct Measure {
    /// Its name, with the unit last.
    pub name: &'static str,
    /// Over the rows that have it.
    pub values: Distribution,
}

/// What jobs are like.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct JobFigures {
    /// The first and the last submission.
    pub submissions: Option<(Micros, Micros)>,
    /// So many were submitted before the one above them in the trace.
    pub out_of_order: u64,
    previous: Option<Micros>,
    /// How many have no time of submission.
    pub without_submission: u64,
    /// From submission to the first start, s.
    pub waiting_s: Distribution,
    /// From the first start to the last end, s.
    pub runtime_s: Distribution,
    /// What users asked for, s.
    pub requested_s: Distribution,
    /// Statuses.
    pub status: StatusCounts,
    /// How many must have all tasks at once.
    pub gangs: u64,
    /// How many wait for other jobs.
    pub with_parents: u64,
    /// Who submitted them.
    pub users: Labels,
    /// Groups of users.
    pub groups: Labels,
    /// Classes.
    pub classes: Labels,
    /// Kinds of applications.
    pub applications: Labels,
    /// Priorities.
    pub priorities: Labels<Number>,
}

/// What tasks are like.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TaskFigures {
    /// How long they ran, s.
    pub duration_s: Distribution,
    /// From submission to the last start, s.
    pub waiting_s: Distribution,
    /// Instances.
    pub instances: Distribution,
    /// Cores.
    pub cpus: Distribution,
    /// MiB of memory.
    pub mem_mib: Distribution,
    /// MiB of disk.
    pub disk_mib: Distribution,
    /// GPUs.
    pub gpus: Distribution,
    /// Statuses.
    pub status: StatusCounts,
    /// How many were not over when the trace ended.
    pub censored: u64,
    /// How many were never started, as far as the trace says.
    pub never_started: u64,
    /// Attempts at all of them.
    pub attempts: u64,
    /// Evictions of all of them.
    pub evictions: u64,
    /// How many wait for other tasks of their job.
    pub with_parents: u64,
    /// How many may not run everywhere.
    pub constrained: u64,
    /// Priorities.
    pub priorities: Labels<Number>,
    /// Models of GPU asked for.
    pub gpu_models: Labels,
    /// Cores × seconds × instances of tasks of which all of these are known.
    pub cpu_seconds: f64,
}

/// What machines are like.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct MachineFigures {
    /// Cores.
    pub cpus: Distribution,
    /// MiB of memory.
    pub mem_mib: Distribution,
    /// GPUs.
    pub gpus: Distribution,
    /// Models of GPUs, by machines.
    pub gpu_models: Labels,
}

/// What comes and what runs, over time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Load {
    /// Jobs as they are submitted.
    pub submissions: Series,
    /// Core-seconds as they are submitted: cores × duration × instances of each task, at its (or its job's) submission.
    pub submitted_work: Series,
    /// Cores of tasks that run, from start to end.
    pub running_cpus: Series,
    /// GPUs of tasks that run, from start to end.
    pub running_gpus: Series,
}

/// A number by which rows are told apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Number(pub i64);

impl From<&Self> for Number {
    fn from(number: &Self) -> Self {
        *number
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Remembered {
    submit: Option<std::num::NonZeroI64>,
    tasks: u32,
    instances: u32,
}

const _: () = assert!(size_of::<Remembered>() == 16, "millions of these are kept");

impl StatusCounts {
    fn add(&mut self, status: Option<Status>) {
        let place = Status::ALL.iter().position(|known| Some(*known) == status);
        *place.map_or(&mut self.unknown, |place| &mut self.of[place]) += 1;
    }

    /// Those that come, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Status, u64)> {
        Status::ALL.into_iter().zip(self.of).filter(|(_, count)| *count > 0)
    }
}

impl Remembered {
    const NOTHING: Self = Self { submit: None, tasks: 0, instances: 0 };

    /// Zero is kept as the smallest number, which is no time that anything happens at.
    fn set_submit(&mut self, at: Micros) {
        self.submit = std::num::NonZeroI64::new(if at.0 == 0 { i64::MIN } else { at.0 });
    }

    fn submit(&self) -> Option<Micros> {
        self.submit.map(|at| Micros(if at.get() == i64::MIN { 0 } else { at.get() }))
    }
}

impl Inspection {
    /// What is remembered of a job; `None` if its number is beyond what is.
    fn remember(&mut self, job: u64) -> Option<&mut Remembered> {
        let place = usize::try_from(job).ok().filter(|place| *place < REMEMBERED_JOBS)?;
        if place >= self.remembered.len() {
            self.remembered.resize(place + 1, Remembered::NOTHING);
        }
        self.remembered.get_mut(place)
    }

    fn mention(&mut self, times: impl IntoIterator<Item = Option<Micros>>) {
        for at in times.into_iter().flatten() {
            widen(&mut self.span, at);
        }
    }

    /// The time between one submission and the next, s, of the jobs that are remembered.
    #[must_use]
    pub fn interarrival_s(&self) -> Distribution {
        let mut submissions: Vec<Micros> = self.remembered.iter().filter_map(Remembered::submit).collect();
        submissions.sort_unstable();
        let mut gaps = Distribution::default();
        for pair in submissions.windows(2) {
            gaps.add((pair[1].0 as f64 - pair[0].0 as f64) / 1e6);
        }
        gaps
    }

    /// Tasks of each job, and instances of all its tasks, of the jobs that are remembered and have any.
    #[must_use]
    pub fn job_sizes(&self) -> [Distribution; 2] {
        let mut sizes = [Distribution::default(), Distribution::default()];
        for job in self.remembered.iter().filter(|job| job.tasks > 0) {
            sizes[0].add(f64::from(job.tasks));
            sizes[1].add(f64::from(job.instances));
        }
        sizes
    }

    /// Whether there are more jobs than are remembered.
    #[must_use]
    pub const fn has_forgotten_jobs(&self) -> bool {
        self.counts.jobs > REMEMBERED_JOBS as u64
    }

    /// All that is measured, by name, without what no row has.
    #[must_use]
    pub fn measures(&self) -> Vec<Measure> {
        let [tasks_per_job, instances_per_job] = self.job_sizes();
        let (jobs, tasks, machines) = (&self.jobs, &self.tasks, &self.machines);
        let all = [
            ("job inter-arrival s", self.interarrival_s()),
            ("job waiting s", jobs.waiting_s.clone()),
            ("job runtime s", jobs.runtime_s.clone()),
            ("job requested time s", jobs.requested_s.clone()),
            ("tasks per job", tasks_per_job),
            ("instances per job", instances_per_job),
            ("task duration s", tasks.duration_s.clone()),
            ("task waiting s", tasks.waiting_s.clone()),
            ("task instances", tasks.instances.clone()),
            ("task cpus", tasks.cpus.clone()),
            ("task mem MiB", tasks.mem_mib.clone()),
            ("task disk MiB", tasks.disk_mib.clone()),
            ("task gpus", tasks.gpus.clone()),
            ("machine cpus", machines.cpus.clone()),
            ("machine mem MiB", machines.mem_mib.clone()),
            ("machine gpus", machines.gpus.clone()),
        ];
        let measures = all.into_iter().map(|(name, values)| Measure { name, values });
        measures.filter(|measure| measure.values.count() > 0).collect()
    }

    fn measure_task(&mut self, row: &TaskRow<'_>) {
        let tasks = &mut self.tasks;
        for (into, value) in [
            (&mut tasks.cpus, row.cpus),
            (&mut tasks.mem_mib, row.mem_mib),
            (&mut tasks.disk_mib, row.disk_mib),
            (&mut tasks.gpus, row.gpus),
            (&mut tasks.duration_s, row.duration.map(Micros::as_secs_f64)),
            (&mut tasks.waiting_s, span(row.submit, row.start)),
        ] {
            into.add(value.unwrap_or(f64::NAN));
        }
        tasks.instances.add(f64::from(row.instances));
        tasks.status.add(row.status);
        tasks.censored += u64::from(row.status.is_some_and(Status::is_censored));
        let has_run = row.attempts > 0 || row.start.is_some() || row.duration.is_some();
        tasks.never_started += u64::from(!has_run);
        tasks.attempts += u64::from(row.attempts);
        tasks.evictions += u64::from(row.evictions);
        tasks.with_parents += u64::from(!row.parents.is_empty());
        tasks.constrained += u64::from(row.constraints.is_some());
        row.priority.iter().for_each(|priority| tasks.priorities.add(&Number(*priority)));
        row.gpu_model.iter().for_each(|model| tasks.gpu_models.add(&**model));
    }

    fn load_of_task(&mut self, row: &TaskRow<'_>) {
        let instances = f64::from(row.instances);
        if let (Some(start), Some(end)) = (row.start, row.end) {
            self.load.running_cpus.interval(start, end, row.cpus.unwrap_or(0.0) * instances);
            self.load.running_gpus.interval(start, end, row.gpus.unwrap_or(0.0) * instances);
        }
        let (Some(cpus), Some(duration)) = (row.cpus, row.duration) else { return };
        let work = cpus * duration.as_secs_f64() * instances;
        if !work.is_finite() {
            return;
        }
        self.tasks.cpu_seconds += work;
        let submit = row.submit.or_else(|| self.remember(row.job)?.submit());
        submit.into_iter().for_each(|submit| self.load.submitted_work.point(submit, work));
    }
}

impl Sink for Inspection {
    fn job(&mut self, row: &JobRow<'_>) -> Result<(), TraceError> {
        self.counts.jobs += 1;
        self.mention([row.submit, row.start, row.end]);
        let jobs = &mut self.jobs;
        match row.submit {
            Some(submit) => {
                jobs.out_of_order += u64::from(jobs.previous.is_some_and(|previous| submit < previous));
                jobs.previous = Some(submit);
                widen(&mut jobs.submissions, submit);
                self.load.submissions.point(submit, 1.0);
            }
            None => jobs.without_submission += 1,
        }
        jobs.waiting_s.add(span(row.submit, row.start).unwrap_or(f64::NAN));
        jobs.runtime_s.add(span(row.start, row.end).unwrap_or(f64::NAN));
        jobs.requested_s.add(row.requested_time.map_or(f64::NAN, Micros::as_secs_f64));
        jobs.status.add(row.status);
        jobs.gangs += u64::from(row.gang);
        jobs.with_parents += u64::from(!row.parents.is_empty());
        row.priority.iter().for_each(|priority| jobs.priorities.add(&Number(*priority)));
        for (labels, label) in [
            (&mut jobs.users, &row.user),
            (&mut jobs.groups, &row.group),
            (&mut jobs.classes, &row.class),
            (&mut jobs.applications, &row.application),
        ] {
            label.iter().for_each(|label| labels.add(&**label));
        }
        if let (Some(submit), Some(job)) = (row.submit, self.remember(row.number)) {
            job.set_submit(submit);
        }
        Ok(())
    }

    fn task(&mut self, row: &TaskRow<'_>) -> Result<(), TraceError> {
        self.counts.tasks += 1;
        self.counts.instances += u64::from(row.instances);
        self.mention([row.submit, row.start, row.end]);
        self.measure_task(row);
        self.load_of_task(row);
        if let Some(job) = self.remember(row.job) {
            job.tasks = job.tasks.saturating_add(1);
            job.instances = job.instances.saturating_add(row.instances);
        }
        Ok(())
    }

    fn machine(&mut self, row: &MachineRow<'_>) -> Result<(), TraceError> {
        self.counts.machines += 1;
        let machines = &mut self.machines;
        machines.cpus.add(row.cpus.unwrap_or(f64::NAN));
        machines.mem_mib.add(row.mem_mib.unwrap_or(f64::NAN));
        machines.gpus.add(row.gpus.unwrap_or(f64::NAN));
        row.gpu_model.iter().for_each(|model| machines.gpu_models.add(&**model));
        Ok(())
    }

    fn machine_event(&mut self, row: &MachineEventRow<'_>) -> Result<(), TraceError> {
        self.counts.machine_events += 1;
        self.mention([Some(row.at)]);
        Ok(())
    }

    fn usage(&mut self, row: &UsageRow<'_>) -> Result<(), TraceError> {
        self.counts.usage += 1;
        self.mention([Some(row.start), row.start.0.checked_add(row.duration.0).map(Micros)]);
        Ok(())
    }
}

fn widen(span: &mut Option<(Micros, Micros)>, at: Micros) {
    *span = Some(span.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
}

/// From one time to a later one, s.
fn span(from: Option<Micros>, to: Option<Micros>) -> Option<f64> {
    to?.since(from?).map(Micros::as_secs_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: i64) -> Option<Micros> {
        Some(Micros(seconds * 1_000_000))
    }

    fn job(number: u64, submit: i64) -> JobRow<'static> {
        let user = Some(if number.is_multiple_of(3) { "ada" } else { "bob" }.into());
        let status = Some(Status::Finished);
        JobRow {
            number,
            submit: seconds(submit),
            start: seconds(submit + 5),
            user,
            status,
            ..JobRow::default()
        }
    }

    fn task(job: u64, instances: u32, status: Status) -> TaskRow<'static> {
        let (start, end, duration) = (seconds(100), seconds(110), seconds(10));
        let cpus = Some(2.0);
        TaskRow {
            job,
            instances,
            cpus,
            start,
            end,
            duration,
            status: Some(status),
            attempts: 1,
            ..TaskRow::default()
        }
    }

    #[test]
    fn tasks_that_come_before_their_job_count_for_it() {
        let mut inspection = Inspection::default();
        for instances in [1, 4] {
            inspection.task(&task(1, instances, Status::Finished)).expect("kept");
        }
        inspection.job(&job(0, 0)).expect("kept");
        inspection.job(&job(1, 20)).expect("kept");
        let [tasks, instances] = inspection.job_sizes();
        assert_eq!((tasks.count(), tasks.most(), instances.most()), (1, Some(2.0), Some(5.0)));
        assert_eq!(inspection.tasks.cpu_seconds, 100.0);
    }

    #[test]
    fn inter_arrival_times_are_those_of_the_sorted_submissions() {
        let mut inspection = Inspection::default();
        for (number, submit) in [0, 30, 10, 60].into_iter().enumerate() {
            inspection.job(&job(number as u64, submit)).expect("kept");
        }
        let gaps = inspection.interarrival_s();
        assert_eq!(gaps.steps(), [(10.0, 1), (20.0, 1), (30.0, 1)]);
        assert_eq!(inspection.jobs.out_of_order, 1);
        assert_eq!(inspection.jobs.users.most_frequent(1), [(&"ada".into(), 2)]);
        assert_eq!(inspection.jobs.waiting_s.quantile(0.9), Some(5.0));
    }

    #[test]
    fn what_was_not_over_is_censored() {
        let mut inspection = Inspection::default();
        for status in Status::ALL {
            inspection.task(&task(0, 1, status)).expect("kept");
        }
        assert_eq!((inspection.tasks.censored, inspection.tasks.status.iter().count()), (2, 8));
        assert_eq!(inspection.span, Some((Micros(100_000_000), Micros(110_000_000))));
    }

    #[test]
    fn a_job_number_beyond_all_bounds_costs_no_memory() {
        let mut inspection = Inspection::default();
        inspection.job(&job(u64::MAX, 3)).expect("kept");
        inspection.task(&task(u64::MAX, 1, Status::Lost)).expect("kept");
        assert_eq!((inspection.counts.jobs, inspection.remembered.len()), (1, 0));
    }
}
