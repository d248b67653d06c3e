//! What a trace consists of, as text for the terminal.

use comfy_table::{Cell, CellAlignment, LineStyle, Table, presets::UTF8_HORIZONTAL_ONLY};
use mesosim_traces::{
    Inspection, Micros, Quality,
    inspect::{Distribution, Labels, Measure, StatusCounts},
};

use super::{inspect::Inspected, reading::name};
use crate::report::units::{bytes, count, duration, plain};

/// So many labels of a kind are named.
const LABELS: usize = 6;

/// One line for each trace.
pub(super) fn table(all: &[Inspected]) -> String {
    let names: Vec<String> = all.iter().map(|inspected| name(&inspected.trace)).collect();
    let shared = shared_directory(&names);
    let mut table = plain_table(&[
        "trace",
        "format",
        "files",
        "rows",
        "rejected",
        "jobs",
        "tasks",
        "instances",
        "machines",
        "span",
        "read in",
    ]);
    for (Inspected { trace, inspection, quality, time }, name) in all.iter().zip(&names) {
        let counts = &inspection.counts;
        let of_quality =
            |of: fn(&Quality) -> u64| quality.as_ref().map_or("failed".into(), |q| number(of(q)));
        let span = inspection.span.map_or_else(String::new, |(first, last)| length(first, last));
        let figures = [
            trace.files.len().to_string(),
            of_quality(Quality::rows),
            of_quality(Quality::rejected),
            number(counts.jobs),
            number(counts.tasks),
            number(counts.instances),
            number(counts.machines),
            span,
            duration(time.as_secs_f64()),
        ];
        let words = [&name[shared..], trace.format.name].map(Cell::new);
        table.add_row(words.into_iter().chain(figures.into_iter().map(right)));
    }
    match shared {
        0 => lines(&table),
        _ => format!("Under {}\n{}", &names[0][..shared], lines(&table)),
    }
}

/// How many bytes of all names are the same directories.
fn shared_directory(names: &[String]) -> usize {
    let first = names.first().map_or("", String::as_str);
    let ends = first.match_indices('/').map(|(at, _)| at + 1).rev();
    ends.into_iter()
        .find(|end| names.iter().all(|name| name.len() > *end && name.starts_with(&first[..*end])))
        .unwrap_or(0)
}

/// All about one trace but its quality.
pub(super) fn details(inspected: &Inspected) -> String {
    let Inspected { trace, inspection, quality, .. } = inspected;
    let mut text = format!("{}\n", name(trace));
    let mut line = |label: &str, said: String| {
        if !said.is_empty() {
            text.push_str(&format!("  {label:13} {said}\n"));
        }
    };
    line("format", format!("{}: {}", trace.format.name, trace.format.about));
    line("files", files(quality.as_ref().ok(), trace.files.len()));
    line("rows", rows(inspection));
    line("time", times(inspection));
    line("submissions", submissions(inspection));
    line("jobs", kinds(inspection));
    line("job status", statuses(&inspection.jobs.status));
    line("tasks", task_kinds(inspection));
    line("task status", statuses(&inspection.tasks.status));
    line("work", work(inspection));
    let (jobs, tasks) = (&inspection.jobs, &inspection.tasks);
    line("users", labels(&jobs.users));
    line("groups", labels(&jobs.groups));
    line("classes", labels(&jobs.classes));
    line("applications", labels(&jobs.applications));
    line(
        "priorities",
        labels(if tasks.priorities.distinct().0 > 0 { &tasks.priorities } else { &jobs.priorities }),
    );
    line("GPUs wanted", labels(&tasks.gpu_models));
    line("GPUs there", labels(&inspection.machines.gpu_models));
    text + "\n" + &measures(&inspection.measures())
}

fn files(quality: Option<&Quality>, count: usize) -> String {
    let Some(quality) = quality else { return count.to_string() };
    let mut tables: Vec<(&str, u64)> = Vec::new();
    for file in quality.files() {
        match tables.iter_mut().find(|(table, _)| *table == file.table) {
            Some((_, rows)) => *rows += file.rows,
            None => tables.push((file.table, file.rows)),
        }
    }
    let tables: Vec<String> =
        tables.into_iter().map(|(table, rows)| format!("{table} {}", number(rows))).collect();
    let size: u64 = quality.files().iter().map(|file| file.bytes).sum();
    format!("{count}, {} uncompressed, rows: {}", bytes(size as f64), tables.join(", "))
}

fn rows(inspection: &Inspection) -> String {
    let counts = &inspection.counts;
    let all = [
        ("jobs", counts.jobs),
        ("tasks", counts.tasks),
        ("instances", counts.instances),
        ("machines", counts.machines),
        ("machine events", counts.machine_events),
        ("measurements of use", counts.usage),
    ];
    let there = all.into_iter().filter(|(_, count)| *count > 0);
    there.map(|(what, count)| format!("{} {what}", number(count))).collect::<Vec<_>>().join(", ")
}

fn times(inspection: &Inspection) -> String {
    inspection.span.map_or_else(String::new, |(first, last)| {
        format!("{} to {} s ({})", seconds(first), seconds(last), length(first, last))
    })
}

fn submissions(inspection: &Inspection) -> String {
    let jobs = &inspection.jobs;
    let Some((first, last)) = jobs.submissions else { return String::new() };
    let order = match jobs.out_of_order {
        0 => "in order of time".to_owned(),
        count => format!("{} earlier than the one above", number(count)),
    };
    let without = match jobs.without_submission {
        0 => String::new(),
        count => format!(", {} jobs without", number(count)),
    };
    format!("{} to {} s ({}), {order}{without}", seconds(first), seconds(last), length(first, last))
}

fn kinds(inspection: &Inspection) -> String {
    let jobs = &inspection.jobs;
    some(&[(jobs.gangs, "must have all tasks at once"), (jobs.with_parents, "wait for other jobs")])
}

fn task_kinds(inspection: &Inspection) -> String {
    let tasks = &inspection.tasks;
    some(&[
        (tasks.with_parents, "wait for other tasks"),
        (tasks.constrained, "have constraints"),
        (tasks.never_started, "never started"),
        (tasks.censored, "not over at the end of the trace (censored)"),
        (tasks.attempts, "attempts"),
        (tasks.evictions, "evictions"),
    ])
}

fn some(all: &[(u64, &str)]) -> String {
    let there = all.iter().filter(|(count, _)| *count > 0);
    there.map(|(count, what)| format!("{} {what}", number(*count))).collect::<Vec<_>>().join(", ")
}

fn work(inspection: &Inspection) -> String {
    let core_seconds = inspection.tasks.cpu_seconds;
    if core_seconds == 0.0 {
        return String::new();
    }
    let mean = inspection.jobs.submissions.map(|(first, last)| (last.0 as f64 - first.0 as f64) / 1e6);
    let mean = mean.filter(|span| *span > 0.0).map_or_else(String::new, |span| {
        format!(", {} cores on average while jobs are submitted", plain(core_seconds / span))
    });
    format!("{} core-hours{mean}", plain(core_seconds / 3600.0))
}

fn statuses(status: &StatusCounts) -> String {
    let known = status.iter().map(|(status, count)| format!("{} {}", status.as_str(), number(count)));
    let unknown = Some(format!("unknown {}", number(status.unknown))).filter(|_| status.unknown > 0);
    known.chain(unknown).collect::<Vec<_>>().join(", ")
}

fn labels<K: Ord + Clone + ToString>(labels: &Labels<K>) -> String {
    let (distinct, is_complete) = labels.distinct();
    if distinct == 0 {
        return String::new();
    }
    let first = labels.most_frequent(LABELS);
    let rest = if distinct > first.len() { ", …" } else { "" };
    let first: Vec<String> = first
        .into_iter()
        .map(|(name, count)| format!("{} {}", cut(&name.to_string()), number(count)))
        .collect();
    let more = if is_complete { "" } else { " or more" };
    format!("{}{more}: {}{rest}", number(distinct as u64), first.join(", "))
}

/// Names in traces are often hashes.
fn cut(name: &str) -> String {
    let short: String =
        name.chars().take(20).map(|letter| if letter.is_control() { '·' } else { letter }).collect();
    if name.chars().nth(20).is_some() { short + "…" } else { short }
}

fn measures(measures: &[Measure]) -> String {
    let mut table = plain_table(&["", "known of", "mean", "p50", "p90", "p99", "max"]);
    for Measure { name, values } in measures {
        let say: fn(f64) -> String = if name.ends_with(" s") { duration } else { amount };
        let mem: fn(f64) -> String = |mib| bytes(mib * f64::from(1 << 20));
        let say = if name.ends_with(" MiB") { mem } else { say };
        let quantile = |values: &Distribution, share| values.quantile(share).map_or_else(String::new, say);
        let figures = [
            number(values.count()),
            values.mean().map_or_else(String::new, say),
            quantile(values, 0.5),
            quantile(values, 0.9),
            quantile(values, 0.99),
            values.most().map_or_else(String::new, say),
        ];
        let label = name.trim_end_matches(" s").trim_end_matches(" MiB");
        table.add_row(std::iter::once(Cell::new(label)).chain(figures.into_iter().map(right)));
    }
    lines(&table)
}

fn amount(amount: f64) -> String {
    if amount == 0.0 { "0".to_owned() } else { plain(amount) }
}

fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    table.set_header(header.iter().map(Cell::new));
    table
}

fn lines(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn number(number: u64) -> String {
    count(number as f64)
}

fn seconds(at: Micros) -> String {
    let seconds = at.as_secs_f64();
    if seconds.fract() == 0.0 { format!("{seconds:.0}") } else { format!("{seconds:.1}") }
}

fn length(first: Micros, last: Micros) -> String {
    duration((last.0 as f64 - first.0 as f64) / 1e6)
}
