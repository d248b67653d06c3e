//! What Google's two traces of Borg have in common: events of jobs, tasks and machines, joined into one row for each.
//!
//! A job is open until its end was met, and its tasks are: a task that ended may be submitted again as long as its job is
//! open. Memory grows with what is open, and by some bytes for the number of each job. Without events of jobs nothing says
//! that a job is over, and all tasks are open to the end.

use rustc_hash::FxHashMap;
use std::{borrow::Cow, rc::Rc};

use super::borg_machines::Machines;
use crate::{
    Context, JobRow, Micros, Options, Status, TaskRow, TraceError, UsageRow,
    row::{Value, Whose},
};

/// Events with this time came after the end of the trace.
pub(super) const AFTER: i64 = i64::MAX;
/// The trace begins at this time, in microseconds; what has the time 0 was so before.
pub(super) const BEGIN: &str = "600 s";

/// What happens to a job or a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Transition {
    Submit,
    /// Held back, or let go (2019 only).
    Queue,
    Schedule,
    End(Status),
    Update,
}

/// An event of a job.
#[derive(Clone, Debug)]
pub(super) struct JobEvent<'a> {
    pub(super) time: i64,
    pub(super) id: i64,
    pub(super) what: Transition,
    pub(super) user: Option<&'a str>,
    pub(super) class: Option<i64>,
    pub(super) priority: Option<i64>,
    pub(super) name: Option<&'a str>,
    pub(super) logical_name: Option<&'a str>,
    /// The rest is of 2019: jobs that must have ended before, by id.
    pub(super) after: &'a [i64],
    /// Terms that hold for all its tasks.
    pub(super) spread: Option<String>,
    /// Whether it is a reservation that other jobs run in.
    pub(super) is_alloc_set: bool,
}

/// An event of a task. Amounts are relative to the largest machine.
#[derive(Clone, Debug)]
pub(super) struct TaskEvent<'a> {
    pub(super) time: i64,
    pub(super) job: i64,
    pub(super) index: u32,
    pub(super) what: Transition,
    pub(super) machine: Option<i64>,
    pub(super) user: Option<&'a str>,
    pub(super) class: Option<i64>,
    pub(super) priority: Option<i64>,
    pub(super) cpus: Option<f64>,
    pub(super) mem: Option<f64>,
    pub(super) disk: Option<f64>,
    pub(super) distinct_machines: Option<bool>,
    /// The rest is of 2019: terms of the constraints, joined.
    pub(super) constraints: Option<String>,
    /// The alloc set that it runs in.
    pub(super) alloc: Option<i64>,
    pub(super) is_alloc: bool,
}

/// What a task used. Amounts are relative to the largest machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) job: i64,
    pub(super) index: u32,
    pub(super) cpus: Option<f64>,
    pub(super) cpus_max: Option<f64>,
    pub(super) mem: Option<f64>,
}

/// A job that was mentioned: its number, and where it is while it is open.
#[derive(Clone, Copy, Debug)]
struct Known {
    number: u64,
    open: Option<u32>,
}

#[derive(Debug, Default)]
struct Job {
    number: u64,
    id: i64,
    user: Option<Box<str>>,
    class: Option<i64>,
    priority: Option<i64>,
    name: Option<Box<str>>,
    logical_name: Option<Box<str>>,
    submit: Option<Micros>,
    start: Option<Micros>,
    /// When it ended by its own events, and how.
    end: Option<(Micros, Status)>,
    parents: Vec<u64>,
    spread: Option<Rc<str>>,
    is_alloc_set: bool,
    tasks: Vec<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Phase {
    #[default]
    Waiting,
    Running,
    Over(Status),
}

#[derive(Debug, Default)]
struct Task {
    job: u64,
    index: u32,
    phase: Phase,
    submit: Option<Micros>,
    start: Option<Micros>,
    end: Option<Micros>,
    machine: Option<i64>,
    priority: Option<i64>,
    cpus: Option<f64>,
    mem: Option<f64>,
    disk: Option<f64>,
    attempts: u32,
    evictions: u32,
    distinct_machines: bool,
    is_alloc: bool,
    /// What few tasks have, elsewhere: millions of tasks may be open.
    rare: Option<Box<Rare>>,
}

#[derive(Debug, Default)]
struct Rare {
    constraints: Option<Box<str>>,
    /// When the constraints were said; later ones replace them.
    constrained: i64,
    spread: Option<Rc<str>>,
    alloc: Option<i64>,
}

/// Things in numbered places; a place that is left is taken again.
#[derive(Debug)]
struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    fn insert(&mut self, thing: T) -> u32 {
        if let Some(place) = self.free.pop() {
            self.places[place as usize] = Some(thing);
            return place;
        }
        self.places.push(Some(thing));
        self.places.len() as u32 - 1
    }

    fn get_mut(&mut self, place: u32) -> &mut T {
        self.places[place as usize].as_mut().expect("a place that is taken")
    }

    fn remove(&mut self, place: u32) -> T {
        self.free.push(place);
        self.places[place as usize].take().expect("a place that is taken")
    }

    fn into_things(self) -> impl Iterator<Item = T> {
        self.places.into_iter().flatten()
    }
}

/// A job's number and a task's index in one word: there are many, and they are looked up for every row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct TaskKey(u64);

impl TaskKey {
    fn new(job: u64, index: u32) -> Self {
        assert!(job >> 32 == 0, "{job} jobs in one trace: more than 32 bits count");
        Self(job << 32 | u64::from(index))
    }
}

/// How often something odd was met.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    before: u64,
    after: u64,
    updates: u64,
    reused: u64,
    late: u64,
    stray_ends: u64,
    orphan_constraints: u64,
    no_parents: u64,
}

/// Joins events, which should come in the order of their times.
pub(super) struct Join {
    options: Options,
    known: FxHashMap<i64, Known>,
    /// The one that was asked for last: events of one job often follow each other.
    last: Option<(i64, Known)>,
    jobs: Slab<Job>,
    tasks: Slab<Task>,
    places: FxHashMap<TaskKey, u32>,
    numbers: u64,
    with_jobs: bool,
    counts: Counts,
    pub(super) machines: Machines,
}

impl Join {
    /// Whether there are tables of events of jobs and of machines.
    pub(super) fn new(options: &Options, with_jobs: bool, with_machines: bool) -> Self {
        Self {
            options: *options,
            known: FxHashMap::default(),
            last: None,
            jobs: Slab::default(),
            tasks: Slab::default(),
            places: FxHashMap::default(),
            numbers: 0,
            with_jobs,
            counts: Counts::default(),
            machines: Machines::new(options, with_machines),
        }
    }

    pub(super) fn job(&mut self, event: &JobEvent<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        let Some(time) = self.clock(event.time) else { return Ok(()) };
        let place = match (self.known.get(&event.id).copied(), event.what) {
            (Some(Known { open: Some(place), .. }), _) => place,
            (None, _) => self.open_job(event.id),
            (Some(_), Transition::Submit) => {
                self.counts.reused += 1;
                self.open_job(event.id)
            }
            (Some(_), _) => {
                self.counts.stray_ends += 1;
                return Ok(());
            }
        };
        let parents = self.parents(event.after);
        let job = self.jobs.get_mut(place);
        job.describe(event);
        job.parents.extend(parents);
        match event.what {
            Transition::Submit => job.submit = Some(job.submit.map_or(time, |submit| submit.min(time))),
            Transition::Schedule => job.start = Some(job.start.map_or(time, |start| start.min(time))),
            Transition::Queue => {}
            Transition::Update => self.counts.updates += 1,
            Transition::End(status) => {
                job.end = Some((time, status));
                self.close(event.id, place, context)?;
            }
        }
        Ok(())
    }

    pub(super) fn task(
        &mut self,
        event: &TaskEvent<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), TraceError> {
        let Some(time) = self.clock(event.time) else { return Ok(()) };
        if let Some(machine) = event.machine {
            self.machines.mention(machine);
        }
        let known = self.know(event.job);
        let key = TaskKey::new(known.number, event.index);
        let place = self.places.get(&key).copied();
        let is_new = place.is_none();
        let place = place.unwrap_or_else(|| self.open_task(event.index, known));
        let task = self.tasks.get_mut(place);
        task.describe(event);
        match event.what {
            Transition::Submit => task.submit(time),
            Transition::Schedule => task.run(time, event.machine),
            Transition::Queue => {}
            Transition::Update => self.counts.updates += 1,
            Transition::End(status) => task.ended(time, status),
        }
        let is_over = matches!(task.phase, Phase::Over(_));
        let is_first = task.attempts == 1 && event.what == Transition::Schedule;
        if let Some(job) = known.open {
            if is_new || is_first {
                self.jobs.get_mut(job).hear(event, time);
            }
        } else if is_over {
            let task = self.take_task(place);
            self.emit_task(&task, context)?;
        }
        Ok(())
    }

    /// A term of a task's constraints, said at this time.
    pub(super) fn constraint(&mut self, time: i64, job: i64, index: u32, term: &str) {
        let number = self.known.get(&job).map(|known| known.number);
        let place = number.and_then(|number| self.places.get(&TaskKey::new(number, index)));
        let Some(&place) = place else {
            self.counts.orphan_constraints += 1;
            return;
        };
        let rare = self.tasks.get_mut(place).rare();
        let terms = match rare.constraints.take() {
            Some(terms) if rare.constrained == time => format!("{terms} & {term}"),
            Some(_) | None => term.to_owned(),
        };
        (rare.constraints, rare.constrained) = (Some(terms.into()), time);
    }

    pub(super) fn usage(&mut self, usage: Usage, context: &mut Context<'_>) -> Result<(), TraceError> {
        let number = self.know(usage.job).number;
        let Some(duration) = Micros(usage.end).since(Micros(usage.start)) else {
            context.quality.note("intervals of usage that end before they start: left out", 1);
            return Ok(());
        };
        let (cpus, mem) = (self.options.largest_cpus, self.options.largest_mem_mib);
        context.usage(&UsageRow {
            whose: Whose::Task(number, usage.index),
            start: Micros(usage.start),
            duration,
            cpus: usage.cpus.map(|share| share * cpus),
            cpus_max: usage.cpus_max.map(|share| share * cpus),
            mem_mib: usage.mem.map(|share| share * mem),
            gpus: None,
        })
    }

    /// Hands out what is still open, as censored.
    pub(super) fn finish(mut self, context: &mut Context<'_>) -> Result<(), TraceError> {
        if !self.with_jobs {
            self.end_jobs();
        }
        let mut tasks: Vec<Task> = std::mem::take(&mut self.tasks).into_things().collect();
        tasks.sort_unstable_by_key(|task| (task.job, task.index));
        for task in &tasks {
            self.emit_task(task, context)?;
        }
        let mut jobs: Vec<Job> = std::mem::take(&mut self.jobs).into_things().collect();
        jobs.sort_unstable_by_key(|job| job.number);
        for job in &jobs {
            emit_job(job, context)?;
        }
        self.counts.report(context);
        self.machines.finish(context)
    }

    /// The time of an event; `None` if it came after the end of the trace.
    fn clock(&mut self, time: i64) -> Option<Micros> {
        self.counts.before += u64::from(time == 0);
        self.counts.after += u64::from(time == AFTER);
        (time != AFTER).then_some(Micros(time))
    }

    /// Without events of jobs: a job whose tasks are all over ended with the last of them, as that one did.
    fn end_jobs(&mut self) {
        let end = |task: &Task| match task.phase {
            Phase::Over(status) => task.end.map(|end| (end, status)),
            Phase::Waiting | Phase::Running => None,
        };
        for job in self.jobs.places.iter_mut().flatten() {
            let tasks = job.tasks.iter().filter_map(|place| self.tasks.places[*place as usize].as_ref());
            let ends: Option<Vec<_>> = tasks.map(end).collect();
            job.end = ends.into_iter().flatten().max_by_key(|(end, _)| *end);
        }
    }

    fn know(&mut self, id: i64) -> Known {
        if let Some((last, known)) = self.last
            && last == id
        {
            return known;
        }
        let known = self.known.get(&id).copied().unwrap_or_else(|| {
            let open = Some(self.open_job(id));
            Known { number: self.numbers - 1, open }
        });
        self.last = Some((id, known));
        known
    }

    fn open_job(&mut self, id: i64) -> u32 {
        let number = self.numbers;
        self.numbers += 1;
        let place = self.jobs.insert(Job { number, id, ..Job::default() });
        self.known.insert(id, Known { number, open: Some(place) });
        self.last = None;
        place
    }

    fn open_task(&mut self, index: u32, known: Known) -> u32 {
        let job = known.number;
        let spread = known.open.and_then(|job| self.jobs.get_mut(job).spread.clone());
        let rare = spread.map(|spread| Box::new(Rare { spread: Some(spread), ..Rare::default() }));
        let place = self.tasks.insert(Task { job, index, rare, ..Task::default() });
        self.places.insert(TaskKey::new(job, index), place);
        match known.open {
            Some(job) => self.jobs.get_mut(job).tasks.push(place),
            None => self.counts.late += 1,
        }
        place
    }

    fn parents(&mut self, after: &[i64]) -> Vec<u64> {
        let numbers: Vec<u64> =
            after.iter().filter_map(|id| self.known.get(id).map(|known| known.number)).collect();
        self.counts.no_parents += (after.len() - numbers.len()) as u64;
        numbers
    }

    /// A job is over, and so are those of its tasks that had ended; the others follow when they end.
    fn close(&mut self, id: i64, place: u32, context: &mut Context<'_>) -> Result<(), TraceError> {
        let job = self.jobs.remove(place);
        self.known.insert(id, Known { number: job.number, open: None });
        self.last = None;
        for &task in &job.tasks {
            if matches!(self.tasks.get_mut(task).phase, Phase::Over(_)) {
                let task = self.take_task(task);
                self.emit_task(&task, context)?;
            }
        }
        emit_job(&job, context)
    }

    fn take_task(&mut self, place: u32) -> Task {
        let task = self.tasks.remove(place);
        self.places.remove(&TaskKey::new(task.job, task.index));
        task
    }

    fn emit_task(&self, task: &Task, context: &mut Context<'_>) -> Result<(), TraceError> {
        let mut extra = Vec::new();
        if task.start == Some(Micros(0)) {
            extra.push(("started_before_trace", Value::Number(1.0)));
        }
        if task.is_alloc {
            extra.push(("alloc_set", Value::Number(1.0)));
        }
        if let Some(alloc) = task.rare.as_ref().and_then(|rare| rare.alloc) {
            extra.push(("alloc_collection", Value::Text(alloc.to_string().into())));
        }
        let ended = task.end.filter(|_| task.phase != Phase::Running);
        context.task(&TaskRow {
            job: task.job,
            index: task.index,
            instances: 1,
            cpus: task.cpus.map(|share| share * self.options.largest_cpus),
            mem_mib: task.mem.map(|share| share * self.options.largest_mem_mib),
            disk_mib: task.disk.map(|share| share * self.options.largest_disk_mib),
            submit: task.submit,
            start: task.start,
            end: ended,
            duration: task.start.zip(ended).and_then(|(start, end)| end.since(start)),
            status: Some(task.phase.status()),
            priority: task.priority,
            attempts: task.attempts,
            evictions: task.evictions,
            machine: task.machine.map(|machine| machine.to_string().into()),
            constraints: task.terms(),
            extra,
            ..TaskRow::default()
        })
    }
}

impl Job {
    /// Later events may correct what earlier ones said of it.
    fn describe(&mut self, event: &JobEvent<'_>) {
        let keep = |kept: &mut Option<Box<str>>, said: Option<&str>| {
            if let Some(said) = said.filter(|said| kept.as_deref() != Some(*said)) {
                *kept = Some(said.into());
            }
        };
        keep(&mut self.user, event.user);
        keep(&mut self.name, event.name);
        keep(&mut self.logical_name, event.logical_name);
        self.class = event.class.or(self.class);
        self.priority = event.priority.or(self.priority);
        self.is_alloc_set |= event.is_alloc_set;
        if let Some(spread) = &event.spread {
            self.spread = Some(spread.as_str().into());
        }
    }

    /// Learns from an event of one of its tasks what no event of its own has said.
    fn hear(&mut self, event: &TaskEvent<'_>, time: Micros) {
        if self.user.is_none() {
            self.user = event.user.map(Into::into);
        }
        self.class = self.class.or(event.class);
        self.priority = self.priority.or(event.priority);
        match event.what {
            Transition::Submit => self.submit = self.submit.or(Some(time)),
            Transition::Schedule => self.start = self.start.or(Some(time)),
            Transition::End(_) | Transition::Queue | Transition::Update => {}
        }
    }
}

impl Task {
    fn describe(&mut self, event: &TaskEvent<'_>) {
        self.priority = event.priority.or(self.priority);
        self.cpus = event.cpus.or(self.cpus);
        self.mem = event.mem.or(self.mem);
        self.disk = event.disk.or(self.disk);
        self.distinct_machines = event.distinct_machines.unwrap_or(self.distinct_machines);
        self.is_alloc |= event.is_alloc;
        if event.alloc.is_some() {
            self.rare().alloc = event.alloc;
        }
        if let Some(terms) = &event.constraints {
            self.rare().constraints = Some(terms.as_str().into());
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    fn submit(&mut self, time: Micros) {
        self.submit = self.submit.or(Some(time));
        self.phase = Phase::Waiting;
    }

    fn run(&mut self, time: Micros, machine: Option<i64>) {
        (self.phase, self.start, self.end) = (Phase::Running, Some(time), None);
        self.machine = machine.or(self.machine);
        self.attempts = self.attempts.saturating_add(1);
    }

    fn ended(&mut self, time: Micros, status: Status) {
        // What ends a task that waits does not move the end of its last attempt.
        if self.phase == Phase::Running || self.attempts == 0 {
            self.end = Some(time);
        }
        self.evictions = self.evictions.saturating_add(u32::from(status == Status::Evicted));
        self.phase = Phase::Over(status);
    }

    fn terms(&self) -> Option<Cow<'_, str>> {
        let distinct = self.distinct_machines.then_some("machine distinct");
        let rare = self.rare.as_ref();
        let spread = rare.and_then(|rare| rare.spread.as_deref());
        let own = rare.and_then(|rare| rare.constraints.as_deref());
        let mut terms = [distinct, spread, own].into_iter().flatten();
        let first = Cow::Borrowed(terms.next()?);
        Some(terms.fold(first, |joined, term| format!("{joined} & {term}").into()))
    }
}

impl Phase {
    const fn status(self) -> Status {
        match self {
            Self::Waiting => Status::Waiting,
            Self::Running => Status::Running,
            Self::Over(status) => status,
        }
    }
}

fn emit_job(job: &Job, context: &mut Context<'_>) -> Result<(), TraceError> {
    let mut extra = Vec::new();
    if let Some(name) = &job.name {
        extra.push(("job_name", Value::Text(Cow::Borrowed(&**name))));
    }
    if job.is_alloc_set {
        extra.push(("alloc_set", Value::Number(1.0)));
    }
    let open = if job.start.is_some() { Status::Running } else { Status::Waiting };
    context.job(&JobRow {
        number: job.number,
        name: job.id.to_string().into(),
        user: job.user.as_deref().map(Cow::Borrowed),
        class: job.class.map(|class| class.to_string().into()),
        application: job.logical_name.as_deref().map(Cow::Borrowed),
        priority: job.priority,
        submit: job.submit,
        start: job.start,
        end: job.end.map(|(end, _)| end),
        status: Some(job.end.map_or(open, |(_, status)| status)),
        parents: job.parents.clone(),
        extra,
        ..JobRow::default()
    })
}

impl Counts {
    fn report(self, context: &mut Context<'_>) {
        let Self { before, after, updates, reused, late, stray_ends, orphan_constraints, no_parents } = self;
        let notes = [
            ("events at time 0: what was so before the trace", before),
            ("events after the end of the trace: left out", after),
            ("updates of requests: the last one is kept", updates),
            ("job ids that were used again: jobs of their own", reused),
            ("tasks first met after the end of their job", late),
            ("events of jobs that were over: left out", stray_ends),
            ("constraints of tasks that are not open: left out", orphan_constraints),
            ("jobs to come after jobs that are not in the trace", no_parents),
        ];
        for (what, count) in notes {
            context.quality.note(what, count);
        }
    }
}

/// A constraint as tables of the native form write it. An attribute that is missing counts as empty text.
pub(super) fn term(attribute: &str, operator: &str, value: &str) -> String {
    match (operator, value) {
        ("==", "") => format!("{attribute} absent"),
        ("!=", "") => format!("{attribute} present"),
        ("present" | "absent", _) => format!("{attribute} {operator}"),
        (operator, value) => format!("{attribute} {operator} {value}"),
    }
}
