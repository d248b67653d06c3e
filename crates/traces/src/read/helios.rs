//! Helios: jobs of SenseTime's clusters of 2020, and how many GPUs each virtual cluster had on each day.
//!
//! Hu et al., "Characterization and Prediction of Deep Learning Workloads in Large-Scale GPU Datacenters", SC 2021.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::{
    Context, Format, Grouping, JobRow, MachineEventRow, MachineRow, Micros, Source, Status, TaskRow,
    TraceError, date,
    format::{Part, Table},
    row::MachineEvent,
    table::{Delimiter, Header, Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "helios",
    about: "SenseTime's Helios: GPU jobs of 2020 and the sizes of virtual clusters",
    source: "S-Lab-System-Group/HeliosData, CC-BY 4.0",
    grouping: Grouping::Directory,
    detect,
    read,
};

const COLUMNS: &[&str] = &[
    "job_id",
    "user",
    "vc",
    "gpu_num",
    "cpu_num",
    "node_num",
    "state",
    "submit_time",
    "start_time",
    "end_time",
    "duration",
    "jobname",
];

const JOB: usize = 0;
const USER: usize = 1;
const CLUSTER: usize = 2;
const GPUS: usize = 3;
const CPUS: usize = 4;
const NODES: usize = 5;
const STATE: usize = 6;
const SUBMIT: usize = 7;
const START: usize = 8;
const END: usize = 9;
const DURATION: usize = 10;
const JOB_NAME: usize = 11;

/// GPUs of a node.
const NODE: u32 = 8;
/// A number of GPUs beyond this is a mistake.
const MOST_GPUS: u32 = 1 << 20;

const JOBS: Layout = Layout::with_header(COLUMNS, 8);
const SIZES: Layout = Layout {
    columns: &["date"],
    header: Header::None,
    fields: 2..=usize::MAX,
    delimiter: Delimiter::Byte(b','),
    comment: None,
};

fn detect(source: &Source) -> Option<Table> {
    let line = source.first_line()?.trim_start_matches('\u{feff}');
    if JOBS.is_header(line) {
        return Some("jobs");
    }
    let names: Vec<&str> = line.split(',').map(str::trim).collect();
    let is_sizes = names.len() > 2 && names[0] == "date" && names[names.len() - 1] == "total";
    is_sizes.then_some("sizes")
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    let of = |table| parts.iter().filter(move |part| part.table == table);
    let mut origin: Option<Micros> = None;
    for part in of("jobs") {
        context.first_pass(|context| {
            rows(part, &JOBS, context, |row, _| {
                origin = origin.into_iter().chain(time(row, SUBMIT)?).min();
                Ok(())
            })
        })?;
    }
    if origin.is_none() {
        let days = of("sizes").flat_map(|part| part.source.lines().skip(1));
        origin = days.filter_map(|line| date::parse(line.split(',').next()?, &TimeZone::UTC)).min();
    }
    let origin = origin.unwrap_or_default();
    context.quality.assume("times are read as UTC; China has no summer time");
    context.quality.assume(format!("time 0 is the first submission, {}", date::show(origin)));
    let mut number = 0;
    for part in of("jobs") {
        rows(part, &JOBS, context, |row, context| job(row, context, origin, &mut number))?;
    }
    of("sizes").try_for_each(|part| sizes(part, origin, context))
}

fn time(row: Row<'_>, column: usize) -> Result<Option<Micros>, RowError> {
    let Some(text) = row.text(column)?.filter(|text| *text != "None" && *text != "NaT") else {
        return Ok(None);
    };
    let at = date::parse(text, &TimeZone::UTC);
    at.map(Some).ok_or_else(|| row.wrong(column, "a date and a time"))
}

fn job(row: Row<'_>, context: &mut Context<'_>, origin: Micros, number: &mut u64) -> Result<(), RowError> {
    let since = |column| -> Result<Option<Micros>, RowError> {
        Ok(time(row, column)?.map(|at| Micros(at.0.saturating_sub(origin.0))))
    };
    let submit = since(SUBMIT)?.ok_or_else(|| row.wrong(SUBMIT, "a date and a time"))?;
    let (start, end) = (since(START)?, since(END)?);
    let (gpus, cpus) = (row.amount(GPUS)?, row.amount(CPUS)?);
    let gpus = gpus.ok_or_else(|| row.wrong(GPUS, "a number of GPUs, 0 or more"))?;
    let nodes = row.count::<u32>(NODES)?.filter(|nodes| *nodes > 0).unwrap_or(1);
    let status = match row.name(STATE)? {
        "COMPLETED" => Status::Finished,
        "CANCELLED" => Status::Killed,
        "FAILED" | "OUT_OF_MEMORY" => Status::Failed,
        "TIMEOUT" => Status::TimedOut,
        "NODE_FAIL" | "PREEMPTED" => Status::Evicted,
        _ => return Err(row.wrong(STATE, "COMPLETED, CANCELLED, FAILED, TIMEOUT or NODE_FAIL")),
    };
    let duration = row.amount(DURATION)?.and_then(Micros::from_secs_f64).or_else(|| end?.since(start?));
    let duration = duration.filter(|_| start.is_some());
    context.job(&JobRow {
        number: *number,
        name: row.name(JOB)?.into(),
        user: row.text(USER)?.map(Into::into),
        group: row.text(CLUSTER)?.map(Into::into),
        application: row.text(JOB_NAME)?.map(Into::into),
        submit: Some(submit),
        start,
        end,
        status: Some(status),
        gang: true,
        ..JobRow::default()
    })?;
    context.task(&TaskRow {
        job: *number,
        instances: nodes,
        cpus: cpus.map(|cpus| cpus / f64::from(nodes)),
        gpus: Some(gpus / f64::from(nodes)),
        submit: Some(submit),
        start,
        end,
        duration,
        status: Some(status),
        attempts: u32::from(start.is_some()),
        evictions: u32::from(status == Status::Evicted),
        ..TaskRow::default()
    })?;
    *number += 1;
    Ok(())
}

/// Nodes of each virtual cluster, by how many GPUs it has on the first day, and what changes on later days.
fn sizes(part: &Part<'_>, origin: Micros, context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume("a node has 8 GPUs, the last of a virtual cluster what is left");
    let mut names: Vec<String> = Vec::new();
    let mut nodes: BTreeMap<usize, u32> = BTreeMap::new();
    let mut is_first = true;
    rows(part, &SIZES, context, |row, context| {
        let columns = 1..row.len() - 1;
        if row.line == 1 {
            names = columns.map(|column| row.name(column).map(str::to_owned)).collect::<Result<_, _>>()?;
            context.quality.file().rows -= 1; // it is no row unless something is wrong with it
            return Ok(());
        }
        if columns.len() != names.len() {
            return Err(row.refuse(format!("{} fields", row.len()), format!("{} fields", names.len() + 2)));
        }
        let day = time(row, 0)?.ok_or_else(|| row.wrong(0, "a date"))?;
        let mut gpus = Vec::new();
        for column in columns {
            let count = row.count::<u32>(column)?.unwrap_or(0);
            if count > MOST_GPUS {
                return Err(row.refuse(format!("{count} GPUs"), format!("at most {MOST_GPUS}")));
            }
            gpus.push(count);
        }
        for (cluster, gpus) in gpus.into_iter().enumerate() {
            let before = nodes.insert(cluster, gpus).filter(|_| !is_first);
            let at = Micros(day.0.saturating_sub(origin.0));
            change(&names[cluster], before, gpus, at, context)?;
        }
        is_first = false;
        Ok(())
    })
}

/// How many GPUs the node of this number has, if its cluster has so many.
fn of_node(gpus: u32, node: u32) -> u32 {
    gpus.saturating_sub(node * NODE).min(NODE)
}

fn change(
    cluster: &str,
    before: Option<u32>,
    now: u32,
    at: Micros,
    context: &mut Context<'_>,
) -> Result<(), TraceError> {
    for node in 0..before.unwrap_or(0).max(now).div_ceil(NODE) {
        let (was, is) = (of_node(before.unwrap_or(0), node), of_node(now, node));
        let name = format!("{cluster}-{node}");
        if was == 0 {
            context.machine(&MachineRow {
                name: name.as_str().into(),
                gpus: Some(f64::from(is)),
                zone: Some(cluster.into()),
                ..MachineRow::default()
            })?;
        }
        let event = match (was, is) {
            (0, _) if before.is_none() => continue,
            (0, _) => MachineEvent::Add,
            (_, 0) => MachineEvent::Remove,
            (was, is) if was == is => continue,
            _ => MachineEvent::Update,
        };
        let gpus = ("gpus".into(), Some(is.to_string().into()));
        let attribute = (event == MachineEvent::Update).then_some(gpus);
        context.machine_event(&MachineEventRow {
            at,
            machine: name.into(),
            event,
            cpus: None,
            mem_mib: None,
            attribute,
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros, Status,
        read::testing::{read, rejections},
        row::MachineEvent,
    };

    #[test]
    fn jobs_are_spread_over_nodes_and_may_never_run() {
        let jobs =
            b"job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n\
            1,u1,vcA,16,64,2,COMPLETED,2020-04-01 00:00:10,2020-04-01 00:00:20,2020-04-01 01:00:20,3600,10\n\
            2,u1,vcA,0,4,1,CANCELLED,2020-04-01 00:00:00,,2020-04-01 00:00:30,0,30\n\
            3,u1,vcA,0,4,1,EXPLODED,2020-04-01 00:00:00,,,0,30\n\
            4,u1,vcA,8,4,1,NODE_FAIL,2020-04-31 00:00:00,,,0,30\n";
        let (format, rows, quality) = read(&[("cluster_log.csv", jobs)]);
        assert_eq!((format, rows.jobs.len()), ("helios", 2));
        let task = &rows.tasks[0];
        assert_eq!((task.instances, task.gpus, task.cpus), (2, Some(8.0), Some(32.0)));
        assert_eq!((task.submit, task.duration), (Some(Micros(10_000_000)), Some(Micros(3_600_000_000))));
        let other = &rows.tasks[1];
        assert_eq!(
            (other.gpus, other.start, other.duration, other.status),
            (Some(0.0), None, None, Some(Status::Killed))
        );
        let expected = [
            "line 4: `state` is `EXPLODED`: expected COMPLETED, CANCELLED, FAILED, TIMEOUT or NODE_FAIL",
            "line 5: `submit_time` is `2020-04-31 00:00:00`: expected a date and a time",
        ];
        assert_eq!(rejections(&quality), expected);
    }

    #[test]
    fn virtual_clusters_grow_and_shrink() {
        let sizes = b"date,vcA,vcB,total\n2020-04-01,16,0,16\n2020-04-02,12,8,20\n2020-04-03,8,8,16\n2020-04-04,8,16\n";
        let (format, rows, quality) = read(&[("cluster_gpu_number.csv", sizes)]);
        let machines: Vec<_> = rows.machines.iter().map(|machine| machine.name.as_ref()).collect();
        assert_eq!((format, machines), ("helios", vec!["vcA-0", "vcA-1", "vcB-0"]));
        let day = 86_400_000_000;
        let events: Vec<_> =
            rows.machine_events.iter().map(|row| (row.at.0, row.machine.as_ref(), row.event)).collect();
        let expected = [
            (day, "vcA-1", MachineEvent::Update),
            (day, "vcB-0", MachineEvent::Add),
            (2 * day, "vcA-1", MachineEvent::Remove),
        ];
        assert_eq!((events, quality.rejected()), (expected.to_vec(), 1));
    }
}
