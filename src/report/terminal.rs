//! The summary for the terminal: policies as columns, measures as rows, at most 100 columns wide.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, CellAlignment, LineStyle, Table};

use super::load::{ApplicationFigure, Spread, SummaryRow};
use super::units::{count, duration, mean_and_range, percent, plain, resource_name};

/// The widest that a table may be.
const WIDEST: usize = 100;

/// Finds a value of a run, if the summary has it.
type ValueOf = dyn Fn(&SummaryRow) -> Option<f64>;

/// A row of the table before it is set: a label and how one run's value is found and said.
struct Line {
    label: String,
    value: Box<ValueOf>,
    say: fn(f64) -> String,
}

/// The summary over the runs as a table. With several seeds a cell is the mean over them, and below it the range.
/// Policies that do not fit beside each other go into further tables below.
pub fn summary_table(rows: &[SummaryRow]) -> String {
    let lines = lines(rows);
    let labels: Vec<String> = lines.iter().map(|line| line.label.clone()).collect();
    let columns: Vec<Vec<String>> =
        policies(rows).into_iter().map(|name| column(name, rows, &lines)).collect();
    let label_width = labels.iter().map(|label| width_of(label)).max().unwrap_or(0) + 2;
    let mut tables = Vec::new();
    let mut left = columns.as_slice();
    while !left.is_empty() {
        let fitting = fitting(left, WIDEST - label_width);
        tables.push(set(&labels, &left[..fitting]));
        left = &left[fitting..];
    }
    tables.push(notes(rows));
    tables.join("\n\n")
}

/// What the reader of the table has to know, in lines that fit.
fn notes(rows: &[SummaryRow]) -> String {
    let tau = rows.first().and_then(|row| row.tau);
    let tau = tau.map_or(String::new(), |tau| format!(" (tau {})", duration(tau)));
    let mut notes = format!(
        " Waiting: over jobs that started. Turnaround, bounded slowdown{tau}: over jobs that ended.\n \
         Shares of capacity: time-weighted from the first arrival to the last end, or to the end of the run."
    );
    if rows.len() > policies(rows).len() {
        notes.push_str("\n With several seeds: mean [least … most].");
    }
    notes
}

/// The policies, in the order of the rows.
fn policies(rows: &[SummaryRow]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row.policy.as_str()) {
            names.push(&row.policy);
        }
    }
    names
}

/// How many of the columns fit into `width`: at least one.
fn fitting(columns: &[Vec<String>], width: usize) -> usize {
    let mut used = 0;
    let fits = columns.iter().take_while(|column| {
        used += column.iter().flat_map(|cell| cell.lines()).map(width_of).max().unwrap_or(0) + 3;
        used <= width
    });
    fits.count().max(1)
}

fn width_of(text: &str) -> usize {
    text.chars().count()
}

fn set(labels: &[String], columns: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    let right = |text: &String| Cell::new(text).set_alignment(CellAlignment::Right);
    let names = columns.iter().map(|column| right(&column[0]));
    table.set_header(std::iter::once(Cell::new("")).chain(names));
    for (n, label) in labels.iter().enumerate() {
        let cells = columns.iter().map(|column| right(&column[n + 1]));
        table.add_row(std::iter::once(Cell::new(label)).chain(cells));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// A policy's name and its cells.
fn column(policy: &str, rows: &[SummaryRow], lines: &[Line]) -> Vec<String> {
    let of_policy: Vec<&SummaryRow> = rows.iter().filter(|row| row.policy == policy).collect();
    let seeds = of_policy.len();
    let name = if seeds > 1 { format!("{policy} ({seeds} seeds)") } else { policy.to_owned() };
    let cell = |line: &Line| {
        let values: Vec<f64> = of_policy.iter().filter_map(|row| (line.value)(row)).collect();
        cell(&values, line.say)
    };
    std::iter::once(name).chain(lines.iter().map(cell)).collect()
}

/// The mean over the seeds and, if they differ in what is said of them, their range.
fn cell(values: &[f64], say: fn(f64) -> String) -> String {
    match mean_and_range(values, say) {
        None => "–".to_owned(),
        Some((mean, None)) => mean,
        Some((mean, Some(range))) => format!("{mean} [{range}]"),
    }
}

fn lines(rows: &[SummaryRow]) -> Vec<Line> {
    let mut lines = vec![
        line("jobs", count, |row| Some(row.jobs.total as f64)),
        line("  finished", count, |row| Some(row.jobs.finished as f64)),
        line("  failed", count, |row| Some(row.jobs.failed as f64)),
        line("  unfinished", count, |row| Some(row.jobs.unfinished as f64)),
        line("  never placed", count, |row| Some(row.jobs.never_placed as f64)),
        line("  rejected", count, |row| Some(row.jobs.rejected as f64)),
    ];
    lines.extend(spread("waiting", duration, |row| row.waiting));
    lines.extend(spread("turnaround", duration, |row| row.turnaround));
    lines.extend(spread("bounded slowdown", plain, |row| row.bounded_slowdown));
    lines.push(line("makespan", duration, |row| row.makespan));
    lines.extend(shares(rows));
    lines.extend([
        line("offers sent", count, |row| row.offers.sent),
        line("  accepted", count, |row| row.offers.accepted),
        line("  declined", count, |row| row.offers.declined),
        line("  rescinded", count, |row| row.offers.rescinded),
        line("allocation runs", count, |row| row.allocation_runs),
    ]);
    if rows.iter().any(|row| row.work.has_trouble()) {
        lines.extend(trouble());
    }
    lines.extend(applications(rows));
    let known = |line: &Line| rows.iter().any(|row| (line.value)(row).is_some());
    lines.retain(known);
    lines
}

fn line(label: &str, say: fn(f64) -> String, value: impl Fn(&SummaryRow) -> Option<f64> + 'static) -> Line {
    Line { label: label.to_owned(), value: Box::new(value), say }
}

fn spread(name: &str, say: fn(f64) -> String, spread: fn(&SummaryRow) -> Spread) -> Vec<Line> {
    vec![
        line(&format!("{name}, mean"), say, move |row| spread(row).mean),
        line("  median", say, move |row| spread(row).p50),
        line("  90th percentile", say, move |row| spread(row).p90),
        line("  99th percentile", say, move |row| spread(row).p99),
        line("  largest", say, move |row| spread(row).max),
    ]
}

/// What faults cost.
fn trouble() -> Vec<Line> {
    vec![
        line("attempts at tasks", count, |row| row.work.attempts),
        line("work in vain", percent, |row| row.work.wasted_share),
        line("master failovers", count, |row| row.work.master_failovers),
        line("  mean time to recovery", duration, |row| row.work.mean_time_to_recovery),
    ]
}

/// What frameworks measured of themselves, below a line with the name of each.
fn applications(rows: &[SummaryRow]) -> Vec<Line> {
    let mut known: Vec<&ApplicationFigure> = Vec::new();
    let mut lines = Vec::new();
    for figure in rows.iter().flat_map(|row| &row.applications) {
        if known.iter().any(|known| known.is_like(figure)) {
            continue;
        }
        let is_first = !known.iter().any(|known| known.framework == figure.framework);
        known.push(figure);
        let ((name, say), figure) = (figure.head(), figure.clone());
        let label = if is_first { format!("{}: {name}", figure.framework) } else { format!("  {name}") };
        lines.push(line(&label, say, move |row| {
            row.applications.iter().find(|of| of.is_like(&figure)).map(|of| of.value)
        }));
    }
    lines
}

/// Allocated, offered and used are different things: each has its line.
fn shares(rows: &[SummaryRow]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (n, share) in rows.first().map_or(&[][..], |row| &row.shares).iter().enumerate() {
        let name = resource_name(&share.resource);
        lines.push(line(&format!("{name} allocated"), percent, move |row| row.shares.get(n)?.allocated));
        lines.push(line("  offered", percent, move |row| row.shares.get(n)?.offered));
        lines.push(line("  used", percent, move |row| row.shares.get(n)?.used));
    }
    lines
}
