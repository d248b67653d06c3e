//! Jobs and tasks: when they came, started and ended. Times are those on the agent, not those at which the news arrived.

use mesos::{
    id::{AgentId, Id, TaskId},
    resource::ResourceQuantities,
    task::TaskState,
    time::{Span, Time},
};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::workload::{Job, JobId, JobName, TaskSpec, UNTIL_KILLED};

/// How a job stands when the run is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FinalState {
    /// All its tasks finished; or its framework says that it did what it was for.
    Completed,
    /// All its tasks are over, at least one of them without success; or its framework gave it up.
    Failed,
    /// Some of its tasks started; not all are over.
    Unfinished,
    /// None of its tasks was started, though each would fit an empty machine.
    NeverPlaced,
    /// One of its tasks fits no machine of the cluster.
    Rejected,
}

impl FinalState {
    /// As result files spell it (the first two are Batsim's words).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED_SUCCESSFULLY",
            Self::Failed => "COMPLETED_FAILED",
            Self::Unfinished => "UNFINISHED",
            Self::NeverPlaced => "NEVER_PLACED",
            Self::Rejected => "REJECTED",
        }
    }

    /// Whether the job ran to its end, well or badly.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// One job.
#[derive(Clone, Debug)]
pub struct JobRow {
    /// Its place in the workload.
    pub id: JobId,
    /// Its name.
    pub name: JobName,
    /// Its class; may be empty.
    pub class: Box<str>,
    /// Whose it is, by place in the experiment file.
    pub framework: u32,
    /// How many tasks it has, those that its framework added included.
    pub tasks: u32,
    /// How many attempts at its tasks were started.
    pub attempts: u64,
    /// When it arrived.
    pub submission: Time,
    /// When its first task started.
    start: Time,
    /// When its last task so far ended.
    end: Time,
    /// How many of its tasks are over, and how many of those without success.
    over: u32,
    failed: u32,
    rejected: bool,
    /// Whether its framework says when it is over, and, when it did, whether that was a success.
    managed: bool,
    outcome: Option<bool>,
    /// The longest run time of its tasks, of those that end by themselves: how long it would take alone.
    pub requested_runtime: Span,
    /// The sum over its tasks.
    pub demand: ResourceQuantities,
}

impl JobRow {
    /// How it stands.
    #[must_use]
    pub fn final_state(&self) -> FinalState {
        match () {
            () if self.rejected => FinalState::Rejected,
            () if self.outcome == Some(true) => FinalState::Completed,
            () if self.outcome == Some(false) => FinalState::Failed,
            () if self.managed && self.start < Time::MAX => FinalState::Unfinished,
            () if self.managed => FinalState::NeverPlaced,
            () if self.over == self.tasks && self.failed > 0 => FinalState::Failed,
            () if self.over == self.tasks => FinalState::Completed,
            () if self.start < Time::MAX => FinalState::Unfinished,
            () => FinalState::NeverPlaced,
        }
    }

    /// When its first task started, if one did.
    #[must_use]
    pub fn starting_time(&self) -> Option<Time> {
        (self.start < Time::MAX).then_some(self.start)
    }

    /// When its last task ended, if all are over; or when its framework said that it is over.
    #[must_use]
    pub fn finish_time(&self) -> Option<Time> {
        self.final_state().is_over().then_some(self.end)
    }

    /// From arrival to the start of its first task.
    #[must_use]
    pub fn waiting_time(&self) -> Option<Span> {
        self.starting_time().map(|start| start.since(self.submission))
    }

    /// From arrival to the end of its last task.
    #[must_use]
    pub fn turnaround_time(&self) -> Option<Span> {
        self.finish_time().map(|end| end.since(self.submission))
    }

    /// From the start of its first to the end of its last task.
    #[must_use]
    pub fn execution_time(&self) -> Option<Span> {
        self.starting_time().zip(self.finish_time()).map(|(start, end)| end.since(start))
    }

    /// Turnaround over requested run time; `None` also for a job that asks for no time at all.
    #[must_use]
    pub fn stretch(&self) -> Option<f64> {
        let asked = self.requested_runtime.as_secs_f64();
        self.turnaround_time().filter(|_| asked > 0.0).map(|turnaround| turnaround.as_secs_f64() / asked)
    }

    /// `max(1, turnaround / max(run time, tau))`: short jobs do not blow it up (Feitelson et al.).
    #[must_use]
    pub fn bounded_slowdown(&self, tau: Span) -> Option<f64> {
        let asked = self.requested_runtime.max(tau).as_secs_f64();
        self.turnaround_time().map(|turnaround| (turnaround.as_secs_f64() / asked).max(1.0))
    }
}

/// One task.
#[derive(Clone, Debug)]
pub struct TaskRow {
    /// Place of its job in [`Jobs::all`].
    pub job: u32,
    /// What it asked for.
    pub spec: TaskSpec,
    /// Where it ran last.
    pub agent: Option<AgentId>,
    /// The state of its last attempt on its agent; staging if it never got there.
    pub state: TaskState,
    /// How many attempts at it were started.
    pub attempts: u32,
    start: Time,
    end: Time,
}

impl TaskRow {
    /// When its first attempt started, if one did.
    #[must_use]
    pub fn starting_time(&self) -> Option<Time> {
        (self.start < Time::MAX).then_some(self.start)
    }

    /// When the first attempt finished, or, if none did, the last one ended.
    #[must_use]
    pub fn finish_time(&self) -> Option<Time> {
        (self.end < Time::MAX).then_some(self.end)
    }
}

/// What the end of an attempt was worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Worth {
    /// It is the attempt that counts.
    Counts,
    /// It finished, but another had before.
    Repeats,
    /// It did not finish.
    Nothing,
}

/// All jobs, in order of arrival, and the tasks of each framework, by their ids.
#[derive(Clone, Debug)]
pub struct Jobs {
    all: Vec<JobRow>,
    tasks: Vec<Vec<TaskRow>>,
    /// The task of each attempt with an id of its own, by framework.
    retried: Vec<FxHashMap<TaskId, TaskId>>,
    /// Jobs whose framework manages them, by framework: their places in `all`.
    managed: Vec<FxHashMap<JobId, u32>>,
    /// Attempts that their framework ends because they have done what they were for.
    stopped: Vec<FxHashSet<TaskId>>,
}

impl Jobs {
    pub(super) fn new(frameworks: usize) -> Self {
        let retried = vec![FxHashMap::default(); frameworks];
        let managed = vec![FxHashMap::default(); frameworks];
        let stopped = vec![FxHashSet::default(); frameworks];
        Self { all: Vec::new(), tasks: vec![Vec::new(); frameworks], retried, managed, stopped }
    }

    /// All jobs, in order of arrival.
    #[must_use]
    pub fn all(&self) -> &[JobRow] {
        &self.all
    }

    /// The tasks of a framework, by its place in the experiment file.
    #[must_use]
    pub fn tasks(&self, framework: usize) -> &[TaskRow] {
        &self.tasks[framework]
    }

    pub(super) fn submitted(&mut self, framework: usize, job: &Job, fits: bool, managed: bool) {
        let place = self.all.len() as u32;
        if managed {
            let twin = self.managed[framework].insert(job.id, place);
            assert!(twin.is_none(), "framework {framework} has two jobs {:?}", job.id);
        }
        self.all.push(JobRow {
            id: job.id,
            name: job.name.clone(),
            class: job.class.clone(),
            framework: framework as u32,
            tasks: 0,
            attempts: 0,
            submission: job.submission,
            start: Time::MAX,
            end: Time::ZERO,
            over: 0,
            failed: 0,
            rejected: !fits,
            managed,
            outcome: None,
            requested_runtime: Span::ZERO,
            demand: ResourceQuantities::EMPTY,
        });
        job.tasks.iter().for_each(|&spec| self.add_task(framework, place, spec));
    }

    /// A framework gives its job one task more.
    pub(super) fn added(&mut self, framework: usize, job: JobId, task: TaskId, spec: TaskSpec) {
        let place = self.managed_job(framework, job);
        assert_eq!(task.index(), self.tasks[framework].len(), "tasks are numbered one by one");
        self.add_task(framework, place, spec);
    }

    fn add_task(&mut self, framework: usize, job: u32, spec: TaskSpec) {
        let (state, [start, end]) = (TaskState::Staging, [Time::MAX; 2]);
        self.tasks[framework].push(TaskRow { job, spec, agent: None, state, attempts: 0, start, end });
        let row = &mut self.all[job as usize];
        row.tasks += 1;
        row.demand += &spec.demand.quantities();
        if spec.runtime != UNTIL_KILLED {
            row.requested_runtime = row.requested_runtime.max(spec.runtime);
        }
    }

    /// A framework says that its job is over.
    pub(super) fn job_ended(&mut self, now: Time, framework: usize, job: JobId, success: bool) {
        let place = self.managed_job(framework, job);
        let row = &mut self.all[place as usize];
        assert!(row.outcome.is_none(), "{job:?} of framework {framework} is over twice");
        (row.outcome, row.end) = (Some(success), now);
    }

    fn managed_job(&self, framework: usize, job: JobId) -> u32 {
        let place = self.managed[framework].get(&job);
        *place.unwrap_or_else(|| panic!("framework {framework} speaks of {job:?}, which it was never given"))
    }

    /// A framework ends an attempt that has done what it was for.
    pub(super) fn stopped(&mut self, framework: usize, attempt: TaskId) {
        self.stopped[framework].insert(attempt);
    }

    /// Notes the start of a task and says what it holds.
    pub(super) fn started(
        &mut self,
        now: Time,
        framework: usize,
        task: TaskId,
        agent: AgentId,
    ) -> ResourceQuantities {
        let row = self.row(framework, task);
        (row.agent, row.attempts) = (Some(agent), row.attempts + 1);
        row.start = row.start.min(now);
        if row.state != TaskState::Finished {
            row.state = TaskState::Running;
        }
        let (job, held) = (row.job as usize, row.spec.demand.quantities());
        self.all[job].start = self.all[job].start.min(now);
        self.all[job].attempts += 1;
        held
    }

    /// Notes the end of an attempt and says what it held, and what it was worth.
    pub(super) fn ended(
        &mut self,
        now: Time,
        framework: usize,
        task: TaskId,
        state: TaskState,
    ) -> (ResourceQuantities, Worth) {
        let was_stopped = self.stopped[framework].remove(&task) && state == TaskState::Killed;
        let row = self.row(framework, task);
        let (job, held) = (row.job as usize, row.spec.demand.quantities());
        let (is_finished, was_finished) = (state == TaskState::Finished, row.state == TaskState::Finished);
        if was_finished {
            return (held, if is_finished { Worth::Repeats } else { Worth::Nothing });
        }
        let was_over = row.end < Time::MAX;
        (row.end, row.state) = (now, state);
        let job = &mut self.all[job];
        if job.outcome.is_none() {
            job.end = job.end.max(now);
        }
        job.over += u32::from(!was_over);
        job.failed = job.failed + u32::from(!is_finished) - u32::from(was_over);
        (held, if is_finished || was_stopped { Worth::Counts } else { Worth::Nothing })
    }

    /// A task is tried again under another id: it is not over, unless an attempt has finished.
    pub(super) fn retried(&mut self, framework: usize, task: TaskId, attempt: TaskId) {
        self.retried[framework].insert(attempt, task);
        let row = self.row(framework, task);
        if row.end < Time::MAX && row.state != TaskState::Finished {
            row.end = Time::MAX;
            let job = row.job as usize;
            self.all[job].over -= 1;
            self.all[job].failed -= 1;
        }
    }

    fn row(&mut self, framework: usize, id: TaskId) -> &mut TaskRow {
        let tasks = &mut self.tasks[framework];
        let place = if id.index() < tasks.len() { id } else { self.retried[framework][&id] };
        &mut tasks[place.index()]
    }
}
