//! Smaller, larger, shorter and slower traces: a sink before a sink that lets some jobs through, moves them in time, or
//! doubles them.
//!
//! All is decided job by job, from a job's number, the seed and when the job was submitted, so the tasks and the usage of a
//! job follow it wherever they stand in the files. Whoever needs times of submission ([`Plan::needs_times`]) reads the
//! trace twice: once into [`JobTimes`], once into [`Reshaped`]. What is done comes in this order:
//!
//! 1. **sample**: every n-th job, or each with a probability;
//! 2. **window**: jobs submitted in it; time may begin with it;
//! 3. **load**: of a factor below 1 the rest is left out at random (thinning). With a factor above 1, copies of the trace are
//!    laid over it, each shifted by another part of its span and wound around at its end, so that every part of the trace
//!    keeps its own pattern but bursts do not fall on themselves (superposition); shifts are whole days where the span allows
//!    it, so that days and nights stay. A fraction of a copy is a thinned one;
//! 4. **stretch**: times of submission move apart; how long anything waited or ran stays.
//!
//! Machines stay all and once. Their events move with the window and the stretch; those from before the window happen at its
//! start, so that the state is right from there on.

use std::{collections::BTreeMap, num::NonZeroU64};

use smallvec::SmallVec;

use crate::{JobRow, MachineEventRow, MachineRow, Micros, Sink, TaskRow, TraceError, UsageRow, row::Whose};

/// A day: copies of long traces are shifted by whole ones.
const DAY: i64 = 86_400_000_000;

/// Which jobs are let through.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum Sample {
    /// All.
    #[default]
    All,
    /// Jobs 0, n, 2n, … in the order in which the trace mentions them.
    Every(NonZeroU64),
    /// Each with this probability (0 to 1), drawn from the seed and its number.
    Share(f64),
}

/// Jobs that are submitted in this interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// From here on.
    pub from: Micros,
    /// To before here.
    pub to: Micros,
    /// Whether `from` is time 0 of what comes out.
    pub shift: bool,
}

/// What is to be done with a trace.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Plan {
    /// Which jobs are let through.
    pub sample: Sample,
    /// When they were submitted.
    pub window: Option<Window>,
    /// How many times as many jobs there shall be.
    pub load: f64,
    /// How many times as long it shall be from one submission to the next.
    pub stretch: f64,
    /// From which all draws are made.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { sample: Sample::All, window: None, load: 1.0, stretch: 1.0, seed: 0 }
    }
}

impl Plan {
    /// Whether it must be known when each job was submitted before the first row goes through.
    #[must_use]
    pub fn needs_times(&self) -> bool {
        self.window.is_some() || self.load > 1.0 || self.stretch != 1.0
    }

    /// A number in 0 to 1 that depends on the seed, the purpose and the job, and on nothing else.
    fn draw(&self, purpose: u64, job: u64) -> f64 {
        let mixed = mix(mix(mix(self.seed) ^ purpose) ^ job);
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// When jobs were submitted: for the first of two readings. (Jobs without such a time: when they, or their first task,
/// started.)
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JobTimes {
    times: BTreeMap<u64, (Trust, Micros)>,
}

/// Where a time is from; better ones first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Trust {
    Submission,
    Start,
    Task,
}

impl JobTimes {
    /// When a job was submitted, as far as that is known.
    #[must_use]
    pub fn of(&self, job: u64) -> Option<Micros> {
        self.times.get(&job).map(|(_, at)| *at)
    }

    /// The first and the last submission.
    #[must_use]
    pub fn span(&self) -> Option<(Micros, Micros)> {
        let times = || self.times.values().map(|(_, at)| *at);
        times().min().zip(times().max())
    }

    fn learn(&mut self, job: u64, trust: Trust, at: Option<Micros>) {
        let Some(at) = at else { return };
        let known = self.times.entry(job).or_insert((trust, at));
        *known = (*known).min((trust, at));
    }
}

impl Sink for JobTimes {
    fn job(&mut self, row: &JobRow<'_>) -> Result<(), TraceError> {
        self.learn(row.number, Trust::Submission, row.submit);
        self.learn(row.number, Trust::Start, row.start);
        Ok(())
    }

    fn task(&mut self, row: &TaskRow<'_>) -> Result<(), TraceError> {
        self.learn(row.job, Trust::Task, row.submit.or(row.start));
        Ok(())
    }
}

/// What went through.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Jobs that came.
    pub jobs_in: u64,
    /// Jobs that went on, copies counted.
    pub jobs_out: u64,
    /// Tasks that went on.
    pub tasks_out: u64,
    /// Jobs of which nobody knows when they were submitted, though the plan asks: a window leaves them out.
    pub without_time: u64,
    /// Times that a job no longer waits for another one, because that one did not go on.
    pub parents_lost: u64,
}

/// The copies of a job: the number of each, and by how much its times move, in µs.
type Copies = SmallVec<[(u64, i64); 2]>;

/// Lets through to another sink what a plan says.
pub struct Reshaped<'a> {
    plan: Plan,
    times: JobTimes,
    /// The first submission, and how long they last.
    span: (i64, i64),
    into: &'a mut dyn Sink,
    /// What went through.
    pub tally: Tally,
}

impl<'a> Reshaped<'a> {
    /// Before a sink. `times` may be empty if the plan does not need them.
    pub fn new(plan: Plan, times: JobTimes, into: &'a mut dyn Sink) -> Self {
        let submissions = times.span().unwrap_or_default();
        let span = match plan.window {
            Some(window) => (window.from.0, window.to.0.saturating_sub(window.from.0)),
            None => (submissions.0.0, submissions.1.0.saturating_sub(submissions.0.0).saturating_add(1)),
        };
        Self { plan, times, span, into, tally: Tally::default() }
    }

    /// How many copies there are of every job, a thinned one included.
    fn most_copies(&self) -> u64 {
        (self.plan.load.ceil() as u64).max(1)
    }

    /// The copies of a job that go on.
    fn copies(&self, job: u64) -> Copies {
        let plan = &self.plan;
        let is_sampled = match plan.sample {
            Sample::All => true,
            Sample::Every(n) => job.is_multiple_of(n.get()),
            Sample::Share(share) => plan.draw(0, job) < share,
        };
        let submit = self.times.of(job).map(|at| at.0);
        let is_inside = plan
            .window
            .is_none_or(|window| submit.is_some_and(|submit| (window.from.0..window.to.0).contains(&submit)));
        if !is_sampled || !is_inside {
            return Copies::new();
        }
        let copies = 0..self.most_copies();
        let goes_on = |copy: &u64| {
            let (before, load) = (*copy as f64, plan.load);
            load >= before + 1.0 || plan.draw(1 + copy, job) < load - before
        };
        copies.filter(goes_on).map(|copy| (copy, self.move_of(copy, submit))).collect()
    }

    /// By how much the times of a copy move.
    fn move_of(&self, copy: u64, submit: Option<i64>) -> i64 {
        let Some(submit) = submit else { return self.shift(self.span.0) };
        let (first, length) = self.span;
        let place = match copy {
            0 => submit,
            _ => first.saturating_add(
                submit.saturating_sub(first).saturating_add(self.turn(copy)).rem_euclid(length.max(1)),
            ),
        };
        self.shift(place).saturating_add(place).saturating_sub(submit)
    }

    /// By how much a copy is turned around in the span.
    fn turn(&self, copy: u64) -> i64 {
        let length = self.span.1;
        let part = i128::from(length) * i128::from(copy) / i128::from(self.most_copies());
        let part = part as i64; // less than the span
        let is_long = length / self.most_copies() as i64 >= DAY;
        if is_long { part / DAY * DAY } else { part }
    }

    /// By how much a point in time moves for window and stretch.
    fn shift(&self, at: i64) -> i64 {
        let (first, _) = self.span;
        let since = at.saturating_sub(first);
        let stretched = match self.plan.stretch {
            1.0 => since,
            factor => (since as f64 * factor).round() as i64,
        };
        let origin = if self.plan.window.is_some_and(|window| window.shift) { 0 } else { first };
        origin.saturating_add(stretched).saturating_sub(at)
    }

    /// Where a point in time that belongs to no job goes; `None` after the window.
    fn place(&self, at: Micros) -> Option<Micros> {
        let at = match self.plan.window {
            Some(window) if at >= window.to => return None,
            Some(window) => at.max(window.from),
            None => at,
        };
        Some(moved(at, self.shift(at.0)))
    }

    fn number(&self, job: u64, copy: u64) -> Result<u64, TraceError> {
        let number = job.checked_mul(self.most_copies()).and_then(|number| number.checked_add(copy));
        number.ok_or_else(|| {
            TraceError::Unusable(format!("job number {job} is too large for copies of the job"))
        })
    }
}

fn moved(at: Micros, by: i64) -> Micros {
    Micros(at.0.saturating_add(by))
}

impl Sink for Reshaped<'_> {
    fn job(&mut self, row: &JobRow<'_>) -> Result<(), TraceError> {
        self.tally.jobs_in += 1;
        if self.plan.needs_times() && self.times.of(row.number).is_none() {
            self.tally.without_time += 1;
        }
        for (copy, by) in self.copies(row.number) {
            let mut job = row.clone();
            job.number = self.number(row.number, copy)?;
            if copy > 0 {
                job.name = format!("{}~{copy}", row.name).into();
            }
            for at in [&mut job.submit, &mut job.start, &mut job.end, &mut job.deadline] {
                *at = at.map(|at| moved(at, by));
            }
            let goes_on = |parent: &&u64| self.copies(**parent).iter().any(|(other, _)| *other == copy);
            let parents = row.parents.iter().filter(goes_on).map(|parent| self.number(*parent, copy));
            job.parents = parents.collect::<Result<_, _>>()?;
            self.tally.parents_lost += (row.parents.len() - job.parents.len()) as u64;
            self.tally.jobs_out += 1;
            self.into.job(&job)?;
        }
        Ok(())
    }

    fn task(&mut self, row: &TaskRow<'_>) -> Result<(), TraceError> {
        for (copy, by) in self.copies(row.job) {
            let mut task = row.clone();
            task.job = self.number(row.job, copy)?;
            for at in [&mut task.submit, &mut task.start, &mut task.end] {
                *at = at.map(|at| moved(at, by));
            }
            self.tally.tasks_out += 1;
            self.into.task(&task)?;
        }
        Ok(())
    }

    fn machine(&mut self, row: &MachineRow<'_>) -> Result<(), TraceError> {
        self.into.machine(row)
    }

    fn machine_event(&mut self, row: &MachineEventRow<'_>) -> Result<(), TraceError> {
        let Some(at) = self.place(row.at) else { return Ok(()) };
        self.into.machine_event(&MachineEventRow { at, ..row.clone() })
    }

    fn usage(&mut self, row: &UsageRow<'_>) -> Result<(), TraceError> {
        match row.whose {
            Whose::Task(job, index) => self.copies(job).into_iter().try_for_each(|(copy, by)| {
                let whose = Whose::Task(self.number(job, copy)?, index);
                self.into.usage(&UsageRow { whose, start: moved(row.start, by), ..row.clone() })
            }),
            Whose::Machine(_) => {
                let starts_inside = self.plan.window.is_none_or(|window| row.start >= window.from);
                let Some(start) = self.place(row.start).filter(|_| starts_inside) else { return Ok(()) };
                self.into.usage(&UsageRow { start, ..row.clone() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{row::MachineEvent, sink::Collected};

    const SECOND: i64 = 1_000_000;

    fn at(seconds: i64) -> Option<Micros> {
        Some(Micros(seconds * SECOND))
    }

    /// `count` jobs, one every 100 s, each waiting for the one before, with two tasks that come before their job.
    fn trace(count: u64, sink: &mut dyn Sink) {
        for number in 0..count {
            let submit = number as i64 * 100;
            for index in 0..2 {
                let task = TaskRow {
                    job: number,
                    index,
                    instances: 1,
                    submit: at(submit),
                    start: at(submit + 7),
                    ..TaskRow::default()
                };
                sink.task(&task).expect("kept");
            }
            let parents = number.checked_sub(1).into_iter().collect();
            let job = JobRow {
                number,
                name: format!("j{number}").into(),
                submit: at(submit),
                end: at(submit + 30),
                parents,
                ..JobRow::default()
            };
            sink.job(&job).expect("kept");
            let event = MachineEventRow {
                at: Micros(submit * SECOND),
                machine: "m".into(),
                event: MachineEvent::Update,
                cpus: None,
                mem_mib: None,
                attribute: None,
            };
            sink.machine_event(&event).expect("kept");
        }
    }

    fn reshaped(plan: Plan, count: u64) -> (Collected, Tally) {
        let mut times = JobTimes::default();
        if plan.needs_times() {
            trace(count, &mut times);
        }
        let mut rows = Collected::default();
        let mut sink = Reshaped::new(plan, times, &mut rows);
        trace(count, &mut sink);
        let tally = sink.tally;
        (rows, tally)
    }

    fn submissions(rows: &Collected) -> Vec<i64> {
        rows.jobs.iter().filter_map(|job| job.submit).map(|at| at.0 / SECOND).collect()
    }

    /// The tasks that went on are exactly two for each job that did.
    fn tasks_follow_their_jobs(rows: &Collected) -> bool {
        let mut numbers: Vec<u64> = rows.jobs.iter().flat_map(|job| [job.number; 2]).collect();
        let mut tasks: Vec<u64> = rows.tasks.iter().map(|task| task.job).collect();
        numbers.sort_unstable();
        tasks.sort_unstable();
        numbers == tasks
    }

    #[test]
    fn every_nth_job_goes_on_with_its_tasks_and_parents_that_do_not_are_lost() {
        let sample = Sample::Every(NonZeroU64::new(3).expect("3"));
        let (rows, tally) = reshaped(Plan { sample, ..Plan::default() }, 10);
        assert_eq!(submissions(&rows), [0, 300, 600, 900]);
        assert!(tasks_follow_their_jobs(&rows));
        assert_eq!((tally.jobs_in, tally.jobs_out, tally.tasks_out, tally.parents_lost), (10, 4, 8, 3));
    }

    #[test]
    fn a_share_is_drawn_by_seed_and_about_as_large_as_asked() {
        let sampled =
            |share, seed| reshaped(Plan { sample: Sample::Share(share), seed, ..Plan::default() }, 4_000).0;
        let (first, again, other) = (sampled(0.3, 1), sampled(0.3, 1), sampled(0.3, 2));
        assert_eq!(first, again);
        assert_ne!(submissions(&first), submissions(&other));
        assert!((1_080..1_320).contains(&first.jobs.len()), "{} of 4000", first.jobs.len());
        assert!(tasks_follow_their_jobs(&first));
        let more = submissions(&sampled(0.6, 1));
        assert!(
            submissions(&first).iter().all(|job| more.contains(job)),
            "a larger share holds the smaller one"
        );
    }

    #[test]
    fn a_window_is_by_submission_and_may_begin_time_anew() {
        let window = |shift| Some(Window { from: Micros(200 * SECOND), to: Micros(500 * SECOND), shift });
        let (rows, _) = reshaped(Plan { window: window(true), ..Plan::default() }, 10);
        assert_eq!(submissions(&rows), [0, 100, 200]);
        assert_eq!((rows.jobs[0].end, rows.tasks[0].start), (at(30), at(7)));
        assert_eq!(
            rows.machine_events.iter().map(|event| event.at.0 / SECOND).collect::<Vec<_>>(),
            [0, 0, 0, 100, 200]
        );
        let (rows, _) = reshaped(Plan { window: window(false), ..Plan::default() }, 10);
        assert_eq!(submissions(&rows), [200, 300, 400]);
        assert!(tasks_follow_their_jobs(&rows));
    }

    #[test]
    fn thinning_halves_and_superposition_triples_the_load() {
        let (rows, _) = reshaped(Plan { load: 0.5, ..Plan::default() }, 2_000);
        assert!((900..1_100).contains(&rows.jobs.len()), "{} of 2000", rows.jobs.len());
        let (rows, tally) = reshaped(Plan { load: 2.5, ..Plan::default() }, 2_000);
        assert!((4_900..5_100).contains(&rows.jobs.len()), "{} of 2000", rows.jobs.len());
        assert!(tasks_follow_their_jobs(&rows));
        assert!(tally.parents_lost < 1_000, "parents stay in their copy: {tally:?}");
        let mut numbers: Vec<u64> = rows.jobs.iter().map(|job| job.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), rows.jobs.len());
    }

    #[test]
    fn copies_are_turned_around_within_the_span_and_keep_their_inner_times() {
        let (rows, _) = reshaped(Plan { load: 2.0, ..Plan::default() }, 10);
        let mut all = submissions(&rows);
        all.sort_unstable();
        assert_eq!((all.len(), all[0], all[19]), (20, 0, 900));
        let copied = &rows.jobs[1];
        assert_eq!((&*copied.name, copied.number, copied.submit), ("j0~1", 1, Some(Micros(450 * SECOND))));
        let span = |job: &JobRow<'_>| job.end.zip(job.submit).map(|(end, submit)| end.0 - submit.0);
        assert!(rows.jobs.iter().all(|job| span(job) == Some(30 * SECOND)));
    }

    #[test]
    fn stretching_moves_submissions_apart_and_leaves_waiting_and_running_as_they_were() {
        let (rows, _) = reshaped(Plan { stretch: 2.5, ..Plan::default() }, 4);
        assert_eq!(submissions(&rows), [0, 250, 500, 750]);
        assert_eq!((rows.jobs[3].end, rows.tasks[6].start), (at(780), at(757)));
    }

    #[test]
    fn a_job_without_any_time_is_in_no_window_and_counted() {
        let window = Window { from: Micros(0), to: Micros(10), shift: true };
        let mut rows = Collected::default();
        let mut sink =
            Reshaped::new(Plan { window: Some(window), ..Plan::default() }, JobTimes::default(), &mut rows);
        sink.job(&JobRow::default()).expect("kept");
        assert_eq!((sink.tally.without_time, sink.tally.jobs_out), (1, 0));
    }

    #[test]
    fn the_time_of_a_job_is_its_submission_wherever_that_stands() {
        let mut times = JobTimes::default();
        times.task(&TaskRow { job: 1, submit: at(5), ..TaskRow::default() }).expect("kept");
        assert_eq!(times.of(1), at(5));
        times.job(&JobRow { number: 1, submit: at(9), start: at(7), ..JobRow::default() }).expect("kept");
        times.task(&TaskRow { job: 1, submit: at(2), ..TaskRow::default() }).expect("kept");
        assert_eq!((times.of(1), times.of(2)), (at(9), None));
    }
}
