//! The tables of the page that compare policies: how jobs ended, their times, shares of capacity, and offers.
//! A cell is the mean over a policy's seeds, with the range below it if they differ.

use serde::Serialize;

use crate::report::load::{ApplicationFigure, JobCounts, Results, Run, Spread, Taken};
use crate::report::units::{count, duration, mean_and_range, plain, resource_name};

/// A table that readers can sort.
#[derive(Serialize)]
pub(super) struct Table {
    caption: String,
    /// What the reader has to know.
    note: String,
    columns: Vec<Head>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Head {
    label: String,
    /// The columns that share this word above their labels.
    group: String,
}

#[derive(Serialize)]
struct Row {
    policy: String,
    cells: Vec<Cell>,
}

/// A cell that can be sorted by.
#[derive(Serialize)]
pub(super) struct Cell {
    text: String,
    /// Smaller words below.
    below: Vec<String>,
    /// What to sort by; nothing sorts last.
    key: Option<f64>,
}

impl Cell {
    /// A value and how it is said.
    pub(super) fn of(value: Option<f64>, say: fn(f64) -> String) -> Cell {
        let text = value.map_or_else(|| "–".to_owned(), say);
        Cell { text, below: Vec::new(), key: value }
    }
}

/// Finds a value of a run, if it has it.
type ValueOf = dyn Fn(&Run) -> Option<f64>;

/// A column: its heading, how a run's value is found and said, and what stands below it.
struct Column {
    head: Head,
    value: Box<ValueOf>,
    say: fn(f64) -> String,
}

/// All tables, in the order in which a reader should meet them.
pub(super) fn all(results: &Results) -> Vec<Table> {
    let seeds = if results.runs.len() > results.policies.len() {
        "Means over the seeds, with their range. "
    } else {
        ""
    };
    let mut tables = vec![
        table(results, "How jobs ended", seeds.to_owned(), endings()),
        table(results, "Waiting time", format!("{seeds}{STARTED}"), waiting()),
        table(results, "Turnaround time", format!("{seeds}{ENDED}"), turnaround()),
        table(results, "Bounded slowdown and makespan", format!("{seeds}{ENDED}"), slowdown()),
        table(results, "Shares of capacity, in per cent", format!("{seeds}{SHARES}"), shares(results)),
        table(results, "Offers", seeds.to_owned(), offers()),
    ];
    if results.runs.iter().any(|run| run.summary.work.has_trouble()) {
        tables.push(table(results, "Goodput and faults", format!("{seeds}{GOODPUT}"), goodput()));
        tables.push(table(results, "Work in vain, by cause", format!("{seeds}{CAUSES}"), causes(results)));
    }
    tables.extend(applications(results, seeds));
    tables.retain(|table| !table.columns.is_empty());
    tables
}

const STARTED: &str =
    "The mean and the quantiles are over the jobs that started, unfinished ones among them.";
const ENDED: &str = "The mean and the quantiles are over the jobs that ended, well or badly.";
const SHARES: &str = "Time-weighted, from the first arrival to the last end, or to the end of the run if jobs are not over. \
    Allocated: promised to tasks. Offered: out in offers. Used: held by running tasks; what they make of it, the trace \
    does not say.";

const GOODPUT: &str = "Work is CPUs held times hours run. Of all attempts at a task the first that finishes counts, the others are in vain. \
    Recovery: from the death of a master until the next knew all agents and frameworks again that live.";
const CAUSES: &str =
    "Why attempts that did not count ended; faults are numbered in the order of the experiment file, from 0.";

fn table(results: &Results, caption: &str, note: String, columns: Vec<Column>) -> Table {
    let known = |column: &Column| results.runs.iter().any(|run| (column.value)(run).is_some());
    let columns: Vec<Column> = columns.into_iter().filter(known).collect();
    let row = |policy: &String| {
        let runs = results.of(policy);
        Row { policy: policy.clone(), cells: columns.iter().map(|column| cell(column, &runs)).collect() }
    };
    let rows = results.policies.iter().map(row).collect();
    Table {
        caption: caption.to_owned(),
        note,
        rows,
        columns: columns.into_iter().map(|column| column.head).collect(),
    }
}

fn cell(column: &Column, runs: &[&Run]) -> Cell {
    let values: Vec<f64> = runs.iter().filter_map(|run| (column.value)(run)).collect();
    match mean_and_range(&values, column.say) {
        None => Cell::of(None, column.say),
        Some((text, range)) => {
            let key = Some(values.iter().sum::<f64>() / values.len() as f64);
            Cell { text, below: range.into_iter().collect(), key }
        }
    }
}

fn column(
    group: &str,
    label: &str,
    say: fn(f64) -> String,
    value: impl Fn(&Run) -> Option<f64> + 'static,
) -> Column {
    let head = Head { label: label.to_owned(), group: group.to_owned() };
    Column { head, value: Box::new(value), say }
}

fn endings() -> Vec<Column> {
    let counted = |label, of: fn(&JobCounts) -> u64| {
        column("", label, count, move |run| Some(of(&run.jobs.counts) as f64))
    };
    vec![
        counted("Jobs", |jobs| jobs.total),
        counted("Finished", |jobs| jobs.finished),
        counted("Failed", |jobs| jobs.failed),
        counted("Unfinished", |jobs| jobs.unfinished),
        counted("Never placed", |jobs| jobs.never_placed),
        counted("Rejected", |jobs| jobs.rejected),
    ]
}

fn waiting() -> Vec<Column> {
    spread(duration, |run| run.summary.waiting, started())
}

fn turnaround() -> Vec<Column> {
    spread(duration, |run| run.summary.turnaround, ended())
}

fn slowdown() -> Vec<Column> {
    let mut columns = spread(plain, |run| run.summary.bounded_slowdown, ended());
    columns.push(column("", "Makespan", duration, |run| run.summary.makespan));
    columns
}

/// The mean, beside it the jobs that it is over and those that it leaves out, then the quantiles.
fn spread(say: fn(f64) -> String, spread: fn(&Run) -> Spread, beside: Vec<Column>) -> Vec<Column> {
    let mut columns = vec![column("", "Mean", say, move |run| spread(run).mean)];
    columns.extend(beside);
    columns.extend([
        column("", "Median", say, move |run| spread(run).p50),
        column("", "90 %", say, move |run| spread(run).p90),
        column("", "99 %", say, move |run| spread(run).p99),
        column("", "Largest", say, move |run| spread(run).max),
    ]);
    columns
}

/// Means over jobs that started. Unfinished jobs did start: their waiting time is known and in the mean.
fn started() -> Vec<Column> {
    vec![
        column("in the mean", "jobs", count, |run| Some(run.jobs.waiting.len() as f64)),
        column("in the mean", "unfinished", count, |run| Some(run.jobs.counts.unfinished as f64)),
        left_out("never placed", |jobs| jobs.never_placed),
        left_out("rejected", |jobs| jobs.rejected),
    ]
}

/// Means over jobs that ended.
fn ended() -> Vec<Column> {
    vec![
        column("in the mean", "jobs", count, |run| Some(run.jobs.turnaround.len() as f64)),
        left_out("unfinished", |jobs| jobs.unfinished),
        left_out("never placed", |jobs| jobs.never_placed),
        left_out("rejected", |jobs| jobs.rejected),
    ]
}

fn left_out(label: &str, of: fn(&JobCounts) -> u64) -> Column {
    column("left out", label, count, move |run| Some(of(&run.jobs.counts) as f64))
}

fn shares(results: &Results) -> Vec<Column> {
    let mut columns = Vec::new();
    for (n, share) in results.runs[0].summary.shares.iter().enumerate() {
        let name = resource_name(&share.resource);
        columns.push(column(name, "allocated", per_cent, move |run| run.summary.shares.get(n)?.allocated));
        columns.push(column(name, "offered", per_cent, move |run| run.summary.shares.get(n)?.offered));
        columns.push(column(name, "used", per_cent, move |run| run.summary.shares.get(n)?.used));
    }
    columns
}

/// A share in per cent, for a table that says so above.
fn per_cent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

fn offers() -> Vec<Column> {
    vec![
        column("", "Sent", count, |run| run.summary.offers.sent),
        column("", "Accepted", count, |run| run.summary.offers.accepted),
        column("", "Declined", count, |run| run.summary.offers.declined),
        column("", "Rescinded", count, |run| run.summary.offers.rescinded),
        column("", "Allocation runs", count, |run| run.summary.allocation_runs),
    ]
}

fn goodput() -> Vec<Column> {
    vec![
        column("CPU hours", "counted", plain, |run| run.summary.work.goodput_cpu_seconds.map(hours)),
        column("CPU hours", "in vain", plain, |run| run.summary.work.wasted_cpu_seconds.map(hours)),
        column("", "In vain, %", per_cent, |run| run.summary.work.wasted_share),
        column("", "Attempts", count, |run| run.summary.work.attempts),
        column("master", "failovers", count, |run| run.summary.work.master_failovers),
        column("master", "time to recovery", duration, |run| run.summary.work.mean_time_to_recovery),
    ]
}

/// A table for each framework that measured something of itself.
fn applications(results: &Results, seeds: &str) -> Vec<Table> {
    let figures = results.applications();
    let mut frameworks: Vec<&ApplicationFigure> = Vec::new();
    for figure in &figures {
        if !frameworks.iter().any(|known| known.framework == figure.framework) {
            frameworks.push(figure);
        }
    }
    let of = |framework: &&ApplicationFigure| {
        let own = figures.iter().filter(|figure| figure.framework == framework.framework);
        let about = own.clone().map(|figure| format!("{}: {}.", figure.head().0, figure.about));
        let note = format!("{seeds}{}", about.collect::<Vec<_>>().join(" "));
        let caption = format!("Framework {}, of the kind {}", framework.framework, framework.kind);
        table(results, &caption, note, own.map(|figure| measured(figure)).collect())
    };
    frameworks.iter().map(of).collect()
}

fn measured(figure: &ApplicationFigure) -> Column {
    let ((label, say), figure) = (figure.head(), figure.clone());
    column("", &label, say, move |run| {
        run.summary.applications.iter().find(|of| of.is_like(&figure)).map(|of| of.value)
    })
}

fn hours(seconds: f64) -> f64 {
    seconds / 3600.0
}

fn causes(results: &Results) -> Vec<Column> {
    let mut columns = Vec::new();
    for cause in results.causes() {
        let group = cause.clone();
        let sum = move |run: &Run, of: fn(&Taken) -> f64| {
            let taken = run.work.wasted.iter().filter(|taken| taken.cause == cause);
            Some(taken.map(of).sum())
        };
        let again = sum.clone();
        columns.push(column(&group, "attempts", count, move |run| sum(run, |taken| taken.attempts as f64)));
        columns.push(column(&group, "CPU hours", plain, move |run| {
            again(run, |taken| hours(taken.cpu_seconds))
        }));
    }
    columns
}
