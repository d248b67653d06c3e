//! Alibaba 2025: instances of services that recommend (DLRM), split into those on CPU nodes and those on GPU nodes.
//!
//! Yang et al., "GPU-Disaggregated Serving for Deep Learning Recommendation Models at Scale", NSDI 2025. A service is a job,
//! an instance a task of it. How many instances of a service a machine may hold is the constraint `machine max-per n`.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::{
    Context, Format, Grouping, JobRow, Micros, Source, Status, TaskRow, TraceError,
    fields::{needed, needed_amount, seconds, word},
    format::{Part, Table},
    row::{Extra, Value},
    table::{Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "dlrm-2025",
    about: "Alibaba 2025, disaggregated DLRM serving: instances with CPU, GPU, memory, disk and RDMA (CSV with a header)",
    source: "alibaba/clusterdata, Alibaba Cluster Trace Program (cite the paper)",
    grouping: Grouping::File,
    detect,
    read,
};

const LAYOUT: Layout = Layout::with_header(
    &[
        "instance_sn",
        "role",
        "app_name",
        "cpu_request",
        "cpu_limit",
        "gpu_request",
        "gpu_limit",
        "rdma_request",
        "rdma_limit",
        "memory_request",
        "memory_limit",
        "disk_request",
        "disk_limit",
        "max_instance_per_node",
        "creation_time",
        "scheduled_time",
        "deletion_time",
    ],
    17,
);
const INSTANCE: usize = 0;
const ROLE: usize = 1;
const APP: usize = 2;
const CPU: usize = 3;
const GPU: usize = 5;
const MEMORY: usize = 9;
const DISK: usize = 11;
const MOST_PER_NODE: usize = 13;
const CREATION: usize = 14;
const SCHEDULED: usize = 15;
const DELETION: usize = 16;

/// Instances on CPU nodes, and those on (heterogeneous) GPU nodes.
const ROLES: &[&str] = &["CN", "HN"];
/// What the native form has no column for.
const EXTRA: [(usize, &str); 6] = [
    (4, "cpu_limit"),
    (6, "gpu_limit"),
    (7, "rdma_percent"),
    (8, "rdma_limit_percent"),
    (10, "mem_limit_gib"),
    (12, "disk_limit_gib"),
];

fn detect(source: &Source) -> Option<Table> {
    LAYOUT.begins(source).then_some("instances")
}

/// A service, as far as its instances have been read.
#[derive(Default)]
struct Service {
    name: String,
    instances: u32,
    submit: Option<Micros>,
    start: Option<Micros>,
    /// Whether an instance was there before the trace, or after it.
    before: bool,
    after: bool,
    end: Option<Micros>,
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume("memory and disk are GiB; rdma is percent of one network card");
    context
        .quality
        .assume("an instance without creation was there before the trace, one without deletion after it");
    let mut numbers: FxHashMap<String, u64> = FxHashMap::default();
    let mut services: BTreeMap<u64, Service> = BTreeMap::new();
    for part in parts {
        rows(part, &LAYOUT, context, |row, context| {
            let app = row.name(APP)?;
            let number = numbers.get(app).copied().unwrap_or(numbers.len() as u64);
            let index = services.get(&number).map_or(0, |service| service.instances);
            let task = instance(row, number, index, context)?;
            let service = services.entry(number).or_insert_with(|| {
                numbers.insert(app.to_owned(), number);
                Service { name: app.to_owned(), ..Service::default() }
            });
            service.add(&task);
            Ok(context.task(&task)?)
        })?;
    }
    services.iter().try_for_each(|(&number, service)| context.job(&service.job(number)))
}

impl Service {
    fn add(&mut self, task: &TaskRow<'_>) {
        let earlier = |a: Option<Micros>, b: Option<Micros>| a.into_iter().chain(b).min();
        self.instances += 1;
        self.submit = earlier(self.submit, task.submit);
        self.start = earlier(self.start, task.start);
        self.end = self.end.max(task.end);
        self.before |= task.submit.is_none();
        self.after |= task.end.is_none();
    }

    fn job(&self, number: u64) -> JobRow<'_> {
        JobRow {
            number,
            name: self.name.as_str().into(),
            submit: self.submit.filter(|_| !self.before),
            start: self.start.filter(|_| !self.before),
            end: self.end.filter(|_| !self.after),
            ..JobRow::default()
        }
    }
}

fn instance<'a>(
    row: Row<'a>,
    job: u64,
    index: u32,
    context: &mut Context<'_>,
) -> Result<TaskRow<'a>, RowError> {
    let role = needed(row, ROLE, word(row, ROLE, ROLES)?, "CN or HN")?;
    let mut extra: Extra<'a> = vec![("role", Value::Text(role.into()))];
    for (column, name) in EXTRA {
        extra.push((name, Value::Number(needed_amount(row, column)?)));
    }
    let constraints = match row.need_int(MOST_PER_NODE)? {
        -1 => None,
        most if most > 0 => Some(format!("machine max-per {most}").into()),
        _ => return Err(row.wrong(MOST_PER_NODE, "a number of instances, or -1")),
    };
    let submit = seconds(row, CREATION)?;
    let start = not_before(row, SCHEDULED, submit)?;
    let end = not_before(row, DELETION, start.or(submit))?;
    let times = [("creation_time", submit), ("scheduled_time", start), ("deletion_time", end)];
    let task = TaskRow {
        job,
        index,
        name: Some(row.name(INSTANCE)?.into()),
        instances: 1,
        cpus: Some(needed_amount(row, CPU)?),
        mem_mib: Some(needed_amount(row, MEMORY)? * 1024.0),
        disk_mib: Some(needed_amount(row, DISK)? * 1024.0),
        gpus: Some(needed_amount(row, GPU)?),
        submit,
        start,
        end,
        duration: start.zip(end).and_then(|(start, end)| end.since(start)),
        status: end.is_none().then_some(Status::Running),
        attempts: start.is_some().into(),
        constraints,
        extra,
        ..TaskRow::default()
    };
    for (column, _) in times.into_iter().filter(|(_, time)| time.is_none()) {
        context.quality.miss(column);
    }
    Ok(task)
}

fn not_before(row: Row<'_>, column: usize, earliest: Option<Micros>) -> Result<Option<Micros>, RowError> {
    let time = seconds(row, column)?;
    match time.zip(earliest) {
        Some((time, earliest)) if time < earliest => {
            Err(row.wrong(column, format!("{} or later", earliest.as_secs_f64())))
        }
        Some(_) | None => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros, Status,
        read::testing::{read, rejections},
        row::Value,
    };

    const HEADER: &str = "instance_sn,role,app_name,cpu_request,cpu_limit,gpu_request,gpu_limit,rdma_request,rdma_limit,memory_request,memory_limit,disk_request,disk_limit,max_instance_per_node,creation_time,scheduled_time,deletion_time\n";
    const ROWS: &str = "i0,HN,app_0,12,14,1,1,25,30,120.0,121.0,640.0,800.0,8,475.0,476.0,900.0\ni1,CN,app_1,64,64,0,0,5,5,320,320,1,1,-1,,,\ni2,CN,app_0,64,64,0,0,5,5,320,320,1,1,2,500.0,500.0,800\ni3,CN,app_1,64,64,0,0,5,5,320,320,1,1,-1,,,77.0\n";

    #[test]
    fn instances_of_a_service_are_tasks_of_one_job() {
        let (format, rows, quality) = read(&[("t.csv", format!("{HEADER}{ROWS}").as_bytes())]);
        assert_eq!((format, quality.rejected()), ("dlrm-2025", 0));
        let tasks: Vec<_> = rows.tasks.iter().map(|task| (task.job, task.index)).collect();
        assert_eq!(tasks, [(0, 0), (1, 0), (0, 1), (1, 1)]);
        let (job, times) = (&rows.jobs[0], [475, 475 + 1, 900].map(Micros::from_secs));
        assert_eq!((&*job.name, [job.submit, job.start, job.end]), ("app_0", times));
    }

    #[test]
    fn amounts_and_limits_are_kept_with_their_units() {
        let (_, rows, _) = read(&[("t.csv", format!("{HEADER}{ROWS}").as_bytes())]);
        let task = &rows.tasks[0];
        assert_eq!((task.cpus, task.gpus), (Some(12.0), Some(1.0)));
        assert_eq!((task.mem_mib, task.disk_mib), (Some(122_880.0), Some(655_360.0)));
        let names = [
            "cpu_limit",
            "gpu_limit",
            "rdma_percent",
            "rdma_limit_percent",
            "mem_limit_gib",
            "disk_limit_gib",
        ];
        assert_eq!(names.map(|name| task.number_of(name)), [14.0, 1.0, 25.0, 30.0, 121.0, 800.0].map(Some));
        assert!(task.extra.contains(&("role", Value::Text("HN".into()))));
    }

    #[test]
    fn at_most_so_many_instances_on_a_node_are_a_constraint_and_minus_one_is_none() {
        let (_, rows, _) = read(&[("t.csv", format!("{HEADER}{ROWS}").as_bytes())]);
        let of = |task: usize| rows.tasks[task].constraints.as_deref();
        assert_eq!([of(0), of(1), of(2)], [Some("machine max-per 8"), None, Some("machine max-per 2")]);
    }

    #[test]
    fn a_missing_creation_is_before_the_trace_even_with_a_deletion() {
        let (_, rows, quality) = read(&[("t.csv", format!("{HEADER}{ROWS}").as_bytes())]);
        let (job, task) = (&rows.jobs[1], &rows.tasks[3]);
        assert_eq!((job.submit, job.end), (None, None));
        assert_eq!((task.submit, task.start, task.end), (None, None, Micros::from_secs(77)));
        assert_eq!((rows.tasks[1].status, task.status), (Some(Status::Running), None));
        assert_eq!((quality.missing().get("creation_time"), task.duration), (Some(&2), None));
    }

    #[test]
    fn bad_rows_are_rejected_by_line() {
        let good = ROWS.lines().next().expect("a line");
        let text = [
            HEADER.trim(),
            good,
            &good.replace(",HN,", ",GN,"),
            &good.replace(",8,475", ",0,475"),
            &good.replace("900.0", "470"),
            &good.replace("120.0", ""),
            "i9,HN",
        ];
        let (_, rows, quality) = read(&[("t.csv", text.join("\n").as_bytes())]);
        assert_eq!((rows.jobs.len(), rows.tasks.len()), (1, 1));
        let expected = [
            "line 3: `role` is `GN`: expected `CN`",
            "line 4: `max_instance_per_node` is `0`: expected a number of instances, or -1",
            "line 5: `deletion_time` is `470`: expected 476 or later",
            "line 6: `memory_request` is ``: expected a number, 0 or more",
            "line 7: 2 fields: expected 17 fields",
        ];
        assert_eq!(rejections(&quality), expected);
    }
}
