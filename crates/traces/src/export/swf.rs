//! Writes the Standard Workload Format 2.2. What the format has fields for comes back as it was when it is read again.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use rustc_hash::FxHashMap;

use super::{Jobs, Lost, jobs::Job};
use crate::{Micros, Status};

/// Writes jobs as lines, as they were submitted, under a header. Says what the format could not.
///
/// # Errors
/// `out` cannot be written.
pub fn write(jobs: &Jobs, out: &mut dyn Write) -> io::Result<Lost> {
    let all = jobs.in_order();
    let mut lost = Lost::default();
    let first = all.iter().filter_map(|job| job.submit).min().unwrap_or_default();
    // Fields of time are not negative.
    let names = Names::of(&all, first.min(Micros(0)));
    header(jobs, &all, out)?;
    for job in &all {
        line(job, &names, out, &mut lost)?;
    }
    Ok(lost)
}

fn header(jobs: &Jobs, all: &[&Job], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "; Version: 2.2")?;
    writeln!(out, "; Conversion: mesosim")?;
    writeln!(out, "; MaxJobs: {}", all.len())?;
    writeln!(out, "; MaxRecords: {}", all.len())?;
    if jobs.machines > 0 && jobs.cores >= 1.0 {
        writeln!(out, "; MaxNodes: {}", jobs.machines)?;
        writeln!(out, "; MaxProcs: {}", jobs.cores.floor())?;
    }
    writeln!(out, ";")
}

/// The numbers by which the file calls jobs, users and so on.
struct Names {
    origin: Micros,
    jobs: FxHashMap<u64, i64>,
    users: Labels,
    groups: Labels,
    classes: Labels,
    applications: Labels,
}

impl Names {
    fn of(all: &[&Job], origin: Micros) -> Self {
        let own: Option<Vec<i64>> = all.iter().map(|job| whole(&job.name)).collect();
        let own = own.filter(|own| {
            let mut sorted = own.clone();
            sorted.sort_unstable();
            sorted.windows(2).all(|pair| pair[0] != pair[1])
        });
        let number = |place: usize| own.as_ref().map_or(place as i64 + 1, |own| own[place]);
        Self {
            origin,
            jobs: all.iter().enumerate().map(|(place, job)| (job.number, number(place))).collect(),
            users: Labels::of(all.iter().map(|job| job.user.as_deref())),
            groups: Labels::of(all.iter().map(|job| job.group.as_deref())),
            classes: Labels::of(all.iter().map(|job| job.class.as_deref())),
            applications: Labels::of(all.iter().map(|job| job.application.as_deref())),
        }
    }

    fn job(&self, number: u64) -> Option<i64> {
        self.jobs.get(&number).copied()
    }
}

fn whole(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| *number >= 0)
}

/// Numbers for texts: their own, if all are numbers, else 1, 2, … in order of appearance.
enum Labels {
    Own,
    Given(BTreeMap<Box<str>, i64>),
}

impl Labels {
    fn of<'a>(texts: impl Iterator<Item = Option<&'a str>> + Clone) -> Self {
        if texts.clone().flatten().all(|text| whole(text).is_some()) {
            return Self::Own;
        }
        let mut given = BTreeMap::new();
        for text in texts.flatten() {
            let next = given.len() as i64 + 1;
            given.entry(text.into()).or_insert(next);
        }
        Self::Given(given)
    }

    fn number(&self, text: Option<&str>, lost: &mut Lost) -> Option<i64> {
        let text = text?;
        match self {
            Self::Own => whole(text),
            Self::Given(numbers) => {
                lost.add("names of users, groups, queues or applications: they are numbered", 1);
                numbers.get(text).copied()
            }
        }
    }
}

fn line(job: &Job, names: &Names, out: &mut dyn Write, lost: &mut Lost) -> io::Result<()> {
    let Some(submit) = job.submit else {
        lost.add("jobs whose submission is not known", 1);
        return Ok(());
    };
    let never_ran = job.status == Some(Status::Killed) && job.start.is_none() && job.run().is_none();
    let until = if never_ran { job.end } else { job.start };
    let wait = until.and_then(|until| until.since(submit));
    let run = if never_ran { Some(Micros(0)) } else { job.run() };
    let (allocated, requested) = processors(job, never_ran);
    lost.add("jobs with tasks that wait for each other: all are taken to run at once", job.is_graph.into());
    lost.add("jobs whose tasks need not run at once", (!job.gang && job.instances > 1).into());
    lost.add("jobs with GPUs: only their cores are written", job.gpus.into());
    let mut parents = job.parents.iter().filter_map(|parent| names.job(*parent));
    let parent = parents.next();
    lost.add("jobs that wait for several: only the first is written", u64::from(parents.next().is_some()));
    let since_origin = Micros(submit.0.saturating_sub(names.origin.0));
    let fields = [
        names.job(job.number).unwrap_or(-1).to_string(),
        seconds(Some(since_origin), lost),
        seconds(wait, lost),
        seconds(run, lost),
        count(allocated),
        decimal(job.fact("average_cpu_time_s")),
        decimal(job.fact("used_memory_kb")),
        count(requested),
        seconds(job.requested_time, lost),
        decimal(job.mem_mib_per_core.map(|mebibytes| (mebibytes * 1024.0).round())),
        job.fact("swf_status").map_or_else(|| status(job.status), |code| code as i64).to_string(),
        count(names.users.number(job.user.as_deref(), lost)),
        count(names.groups.number(job.group.as_deref(), lost)),
        count(names.applications.number(job.application.as_deref(), lost)),
        count(names.classes.number(job.class.as_deref(), lost)),
        decimal(job.fact("partition")),
        count(parent),
        decimal(job.fact("think_time_s")),
    ];
    writeln!(out, "{}", fields.join(" "))
}

/// Allocated and requested processors: what the trace says of both, else the same.
fn processors(job: &Job, never_ran: bool) -> (Option<i64>, Option<i64>) {
    let said = [job.fact("allocated_processors"), job.fact("requested_processors")];
    let [allocated, requested] = said.map(|count| count.map(|count| count as i64));
    if allocated.or(requested).is_some() {
        return (allocated, requested);
    }
    let both = job.processors().and_then(|count| i64::try_from(count).ok());
    (both.filter(|_| !never_ran), both)
}

const fn status(status: Option<Status>) -> i64 {
    match status {
        Some(Status::Failed | Status::Evicted | Status::TimedOut) => 0,
        Some(Status::Finished) => 1,
        Some(Status::Killed) => 5,
        Some(Status::Lost | Status::Running | Status::Waiting) | None => -1,
    }
}

fn count(count: Option<i64>) -> String {
    count.unwrap_or(-1).to_string()
}

fn decimal(number: Option<f64>) -> String {
    number.unwrap_or(-1.0).to_string()
}

fn seconds(time: Option<Micros>, lost: &mut Lost) -> String {
    let Some(time) = time else { return "-1".to_owned() };
    lost.add("fractions of seconds: times are rounded", u64::from(time.0 % 1_000_000 != 0));
    time.as_secs_f64().round().to_string()
}

#[cfg(test)]
mod tests {
    use crate::{
        JobRow, Micros, Options, Sink, TaskRow, Trace,
        export::{Jobs, swf},
        sink::Collected,
    };

    fn read(text: &[u8], sink: &mut dyn Sink) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("log");
        std::fs::write(&path, text).expect("room for a small file");
        let trace = Trace::one(&path, None).expect("a log");
        trace.read(&Options::default(), sink, &mut |_| true).expect("a log");
    }

    const LOG: &[u8] = b"; Version: 2.2\n; Conversion: mesosim\n; MaxJobs: 6\n; MaxRecords: 6\n; MaxNodes: 4\n; MaxProcs: 10\n;\n\
        3 0 308434 31405 3 31405 1024 3 37980 2048 1 1 1 7 0 1 -1 -1\n\
        5 10 5 -1 8 240379 -1 8 345600 -1 -1 5 1 -1 -1 1 3 60\n\
        4 10 -1 20 8 552.21 -1 -1 -1 -1 0 5 1 -1 -1 2 -1 -1\n\
        9 11 30 0 -1 -1 -1 4 60 -1 5 1 1 -1 -1 -1 -1 -1\n\
        8 12 0 10 4 -1 -1 6 -1 -1 2 1 1 1 1 1 -1 -1\n\
        2 13 0 10 4 -1 -1 4 -1 -1 4 1 1 1 1 1 4 -1\n";

    #[test]
    fn a_log_that_is_read_and_written_is_the_same() {
        let mut jobs = Jobs::default();
        read(LOG, &mut jobs);
        let mut out = Vec::new();
        let lost = swf::write(&jobs, &mut out).expect("room in memory");
        assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(LOG));
        assert!(lost.all().is_empty(), "{lost:?}");
        let (mut before, mut after) = (Collected::default(), Collected::default());
        read(LOG, &mut before);
        read(&out, &mut after);
        assert_eq!(before, after);
    }

    #[test]
    fn what_the_format_cannot_say_is_counted() {
        let mut jobs = Jobs::default();
        let job = JobRow {
            name: "a".into(),
            user: Some("ann".into()),
            submit: Some(Micros(-1_500_000)),
            ..JobRow::default()
        };
        let task = |index, cpus| TaskRow {
            index,
            instances: 2,
            cpus: Some(cpus),
            gpus: Some(1.0),
            duration: Some(Micros(9_000_000)),
            ..TaskRow::default()
        };
        jobs.task(&task(0, 0.25)).expect("a row");
        jobs.job(&job).expect("a row");
        jobs.task(&TaskRow { parents: vec![0], ..task(1, 1.5) }).expect("a row");
        jobs.job(&JobRow { number: 1, ..JobRow::default() }).expect("a row");
        let mut out = Vec::new();
        let lost = swf::write(&jobs, &mut out).expect("room in memory");
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text.lines().last(), Some("2 0 -1 9 4 -1 -1 4 -1 -1 -1 1 -1 -1 -1 -1 -1 -1"));
        assert_eq!(lost.all().len(), 5, "{lost:?}");
    }
}
