//! The clusters of Los Alamos National Laboratory that the ATLAS project released: Mustang and Trinity, one line for each job.
//!
//! Amvrosiadis et al., "On the diversity of cluster workloads and its impact on research results", ATC 2018. A job is one task
//! of as many instances as it has nodes, all at once.

use jiff::tz::TimeZone;

use crate::{
    Context, Format, Grouping, JobRow, Micros, Source, Status, TaskRow, TraceError, date,
    format::{Part, Table},
    table::{Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "atlas",
    about: "LANL's Mustang and Trinity, of the ATLAS repository",
    source: "Carnegie Mellon's ATLAS repository, which names the terms",
    grouping: Grouping::File,
    detect,
    read,
};

const COLUMNS: &[&str] = &[
    "user_ID",
    "submit_time",
    "start_time",
    "end_time",
    "job_status",
    "node_count",
    "group_ID",
    "tasks_requested",
    "wallclock_limit",
];

const USER: usize = 0;
const SUBMIT: usize = 1;
const START: usize = 2;
const END: usize = 3;
const STATUS: usize = 4;
const NODES: usize = 5;
const GROUP: usize = 6;
const TASKS: usize = 7;
const LIMIT: usize = 8;

const LAYOUT: Layout = Layout::with_header(COLUMNS, 6);

fn detect(source: &Source) -> Option<Table> {
    LAYOUT.is_header(source.first_line()?).then_some("jobs")
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume(
        "a job's tasks are cores, shared out evenly over its nodes; a limit that is a number is seconds",
    );
    let mut number = 0;
    for part in parts {
        let mut origin: Option<Micros> = None;
        context.first_pass(|context| {
            rows(part, &LAYOUT, context, |row, _| {
                origin = origin.into_iter().chain(time(row, SUBMIT)?).min();
                Ok(())
            })
        })?;
        let origin = origin.unwrap_or_default();
        context.quality.assume(format!("time 0 is the first submission, {}", date::show(origin)));
        rows(part, &LAYOUT, context, |row, context| job(row, context, origin, &mut number))?;
    }
    Ok(())
}

fn time(row: Row<'_>, column: usize) -> Result<Option<Micros>, RowError> {
    let Some(text) = row.text(column)?.filter(|text| *text != "NaT" && *text != "None") else {
        return Ok(None);
    };
    let at = date::parse(text, &TimeZone::UTC);
    at.map(Some).ok_or_else(|| row.wrong(column, "a date and a time, with an offset"))
}

fn limit(row: Row<'_>) -> Result<Option<Micros>, RowError> {
    let Some(text) = row.text(LIMIT)? else { return Ok(None) };
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0).and_then(Micros::from_secs_f64);
    let limit = seconds.or_else(|| date::span(text));
    limit.map(Some).ok_or_else(|| row.wrong(LIMIT, "seconds, or a duration such as 16:00:00"))
}

fn job(row: Row<'_>, context: &mut Context<'_>, origin: Micros, number: &mut u64) -> Result<(), RowError> {
    let since = |column| -> Result<Option<Micros>, RowError> {
        Ok(time(row, column)?.map(|at| Micros(at.0.saturating_sub(origin.0))))
    };
    let submit = since(SUBMIT)?.ok_or_else(|| row.wrong(SUBMIT, "a date and a time, with an offset"))?;
    let (start, end) = (since(START)?, since(END)?);
    if start.zip(end).is_some_and(|(start, end)| end < start) {
        return Err(row.wrong(END, "an end that is not before the start"));
    }
    let nodes = row.amount(NODES)?.filter(|nodes| *nodes >= 1.0 && *nodes <= f64::from(u32::MAX));
    let nodes = nodes.ok_or_else(|| row.wrong(NODES, "a number of nodes, 1 or more"))?.trunc();
    let status = match row.text(STATUS)? {
        Some("COMPLETED" | "JOBEND") => Some(Status::Finished),
        Some("CANCELLED" | "JOBCANCEL" | "REMOVED") => Some(Status::Killed),
        Some("FAILED" | "JOBFAIL") => Some(Status::Failed),
        Some("TIMEOUT") => Some(Status::TimedOut),
        Some("NODE_FAIL" | "PREEMPTED" | "EVICTED") => Some(Status::Evicted),
        None => None,
        Some(_) => {
            context.quality.note("job_status of unknown words", 1);
            None
        }
    };
    let tasks = row.amount(TASKS)?.filter(|tasks| *tasks > 0.0);
    context.job(&JobRow {
        number: *number,
        name: format!("line-{}", row.line).into(),
        user: row.text(USER)?.map(Into::into),
        group: row.text(GROUP)?.map(Into::into),
        submit: Some(submit),
        start,
        end,
        requested_time: limit(row)?,
        status,
        gang: true,
        ..JobRow::default()
    })?;
    context.task(&TaskRow {
        job: *number,
        instances: nodes as u32,
        cpus: tasks.map(|tasks| tasks / nodes),
        submit: Some(submit),
        start,
        end,
        duration: start.zip(end).and_then(|(start, end)| end.since(start)),
        status,
        attempts: u32::from(start.is_some()),
        ..TaskRow::default()
    })?;
    *number += 1;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros, Status,
        read::testing::{read, rejections},
    };

    #[test]
    fn offsets_count_and_nodes_share_the_tasks() {
        let text = b"user_ID,group_ID,submit_time,start_time,end_time,wallclock_limit,job_status,node_count,tasks_requested\n\
            5,1,2011-10-24 17:02:25-06:00,2011-10-24 17:02:30-06:00,2011-10-24 18:02:30-06:00,16:00:00,COMPLETED,4,96\n\
            6,1,2011-10-24 22:02:25+00:00,,,3600,CANCELLED,1,\n\
            7,1,2011-11-06 01:30:00-06:00,2011-11-06 01:40:00-06:00,2011-11-06 01:10:00-07:00,,JOBEND?,1.0,24\n\
            8,1,2011-11-06 01:30:00-06:00,,,,FAILED,0,24\n\
            9,1,2011-11-06 01:30:00-06:00,,,soon,FAILED,1,24\n";
        let (format, rows, quality) = read(&[("mustang_release.csv", text)]);
        assert_eq!((format, rows.jobs.len(), rows.jobs[1].submit), ("atlas", 3, Some(Micros(0))));
        let task = &rows.tasks[0];
        assert_eq!((task.submit, task.instances, task.cpus), (Some(Micros(3_600_000_000)), 4, Some(24.0)));
        assert_eq!(rows.jobs[0].requested_time, Some(Micros(57_600_000_000)));
        assert_eq!(rows.tasks[2].duration, Some(Micros(1_800_000_000)), "the hour when clocks go back");
        assert_eq!((rows.jobs[1].status, rows.jobs[2].status), (Some(Status::Killed), None));
        let expected = [
            "line 5: `node_count` is `0`: expected a number of nodes, 1 or more",
            "line 6: `wallclock_limit` is `soon`: expected seconds, or a duration such as 16:00:00",
        ];
        assert_eq!(rejections(&quality), expected);
    }
}
