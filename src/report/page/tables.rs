//! The tables of the page that compare policies: how jobs ended, their times, shares of capacity, and offers.
//! A cell is the mean over a policy's seeds, with the range below it if they differ.

use serde::Serialize;

use crate::report::load::{JobCounts, Results, Run, Spread};
use crate::report::units::{count, duration, plain, resource_name};

/// A table that readers can sort.
#[derive(Serialize)]
pub(super) struct Table {
    caption: &'static str,
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

/// A column: its heading, how a run's value is found and said, and what stands below it.
struct Column {
    head: Head,
    value: Box<dyn Fn(&Run) -> Option<f64>>,
    say: fn(f64) -> String,
    /// What a mean is over and what it leaves out.
    beside: Option<fn(&[&Run]) -> Vec<String>>,
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
        table(results, "Waiting time", format!("{seeds}{TIMES}"), waiting()),
        table(results, "Turnaround time", format!("{seeds}{TIMES}"), turnaround()),
        table(results, "Bounded slowdown and makespan", format!("{seeds}{TIMES}"), slowdown()),
        table(results, "Shares of capacity, in per cent", format!("{seeds}{SHARES}"), shares(results)),
        table(results, "Offers", seeds.to_owned(), offers()),
    ];
    tables.retain(|table| !table.columns.is_empty());
    tables
}

const TIMES: &str = "Below each mean: the jobs that it is over, and those that it leaves out.";
const SHARES: &str = "Time-weighted over the makespan. Allocated: promised to tasks. Offered: out in offers. \
    Used: consumed by tasks.";

fn table(results: &Results, caption: &'static str, note: String, columns: Vec<Column>) -> Table {
    let known = |column: &Column| results.runs.iter().any(|run| (column.value)(run).is_some());
    let columns: Vec<Column> = columns.into_iter().filter(known).collect();
    let row = |policy: &String| {
        let runs = results.of(policy);
        Row { policy: policy.clone(), cells: columns.iter().map(|column| cell(column, &runs)).collect() }
    };
    let rows = results.policies.iter().map(row).collect();
    Table { caption, note, rows, columns: columns.into_iter().map(|column| column.head).collect() }
}

fn cell(column: &Column, runs: &[&Run]) -> Cell {
    let values: Vec<f64> = runs.iter().filter_map(|run| (column.value)(run)).collect();
    let mut below = Vec::new();
    if values.is_empty() {
        return Cell::of(None, column.say);
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let least = (column.say)(values.iter().copied().fold(f64::INFINITY, f64::min));
    let most = (column.say)(values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    if least != most {
        below.push(format!("{least} … {most}"));
    }
    below.extend(column.beside.map(|beside| beside(runs)).unwrap_or_default());
    Cell { text: (column.say)(mean), below, key: Some(mean) }
}

fn column(
    group: &str,
    label: &str,
    say: fn(f64) -> String,
    value: impl Fn(&Run) -> Option<f64> + 'static,
) -> Column {
    let head = Head { label: label.to_owned(), group: group.to_owned() };
    Column { head, value: Box::new(value), say, beside: None }
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
    spread("Waiting", duration, over_started, |run| run.summary.waiting)
}

fn turnaround() -> Vec<Column> {
    spread("Turnaround", duration, over_finished, |run| run.summary.turnaround)
}

fn slowdown() -> Vec<Column> {
    let mut columns = spread("Slowdown", plain, over_finished, |run| run.summary.bounded_slowdown);
    columns.push(column("", "Makespan", duration, |run| run.summary.makespan));
    columns
}

fn spread(
    group: &str,
    say: fn(f64) -> String,
    beside: fn(&[&Run]) -> Vec<String>,
    spread: fn(&Run) -> Spread,
) -> Vec<Column> {
    let mut mean = column(group, "mean", say, move |run| spread(run).mean);
    mean.beside = Some(beside);
    vec![
        mean,
        column(group, "median", say, move |run| spread(run).p50),
        column(group, "90 %", say, move |run| spread(run).p90),
        column(group, "99 %", say, move |run| spread(run).p99),
        column(group, "largest", say, move |run| spread(run).max),
    ]
}

fn over_started(runs: &[&Run]) -> Vec<String> {
    let jobs = runs.iter().map(|run| run.jobs.waiting.len() as f64).sum();
    // Unfinished jobs did start: their waiting time is known and in the mean.
    left_out(jobs, runs, |_| 0)
}

fn over_finished(runs: &[&Run]) -> Vec<String> {
    let jobs = runs.iter().map(|run| run.jobs.turnaround.len() as f64).sum();
    left_out(jobs, runs, |counts| counts.unfinished)
}

fn left_out(jobs: f64, runs: &[&Run], unfinished: fn(&JobCounts) -> u64) -> Vec<String> {
    let sum = |of: fn(&JobCounts) -> u64| {
        let jobs: u64 = runs.iter().map(|run| of(&run.jobs.counts)).sum();
        count(jobs as f64)
    };
    let (never, rejected) = (sum(|counts| counts.never_placed), sum(|counts| counts.rejected));
    vec![
        format!("over {} jobs", count(jobs)),
        format!("without {} unfinished,", sum(unfinished)),
        format!("{never} never placed,"),
        format!("{rejected} rejected"),
    ]
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
        column("Offers", "sent", count, |run| run.summary.offers.sent),
        column("Offers", "accepted", count, |run| run.summary.offers.accepted),
        column("Offers", "declined", count, |run| run.summary.offers.declined),
        column("Offers", "rescinded", count, |run| run.summary.offers.rescinded),
        column("", "Allocation runs", count, |run| run.summary.allocation_runs),
    ]
}
