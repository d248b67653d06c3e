//! Cook, a batch framework on Mesos: the jobs and hosts of its simulator, and what the simulator writes.
//!
//! twosigma/Cook, `scheduler/simulator_files`. Jobs and hosts are JSON, the output is CSV with a row for each attempt at a
//! job. Times are milliseconds: in the jobs since the start (and before it), in the output since 1970.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use crate::{
    Context, Format, Grouping, JobRow, MachineRow, Micros, Source, Status, TaskRow, TraceError,
    document::{Element, ElementError, Object, elements, keys},
    fields::needed_millis,
    format::{Part, Table},
    row::{Extra, Value},
    table::{Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "cook",
    about: "Cook's simulator (a framework on Mesos): jobs and hosts (JSON), and its output (CSV)",
    source: "twosigma/Cook, Apache-2.0",
    grouping: Grouping::File,
    detect,
    read,
};

const OUTPUT: Layout = Layout::with_header(
    &[
        "job_id",
        "instance_id",
        "submit_time_ms",
        "start_time_ms",
        "end_time_ms",
        "hostname",
        "status",
        "user",
        "mem",
        "cpus",
        "reason",
        "job_name",
        "requested_run_time",
    ],
    10,
);
const JOB: usize = 0;
const SUBMIT: usize = 2;
const START: usize = 3;
const END: usize = 4;
const HOST: usize = 5;
const STATUS: usize = 6;
const USER: usize = 7;
const MEM: usize = 8;
const CPUS: usize = 9;
const REASON: usize = 10;
const NAME: usize = 11;
const REQUESTED: usize = 12;

fn detect(source: &Source) -> Option<Table> {
    if OUTPUT.begins(source) {
        return Some("output");
    }
    let keys = keys(source);
    let has = |name: &str| keys.iter().any(|(depth, key)| *depth == 2 && key == name);
    if has("job/uuid") && has("submit-time-ms") {
        Some("jobs")
    } else {
        (has("hostname") && has("resources") && has("slave-id")).then_some("hosts")
    }
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume("memory is MiB, as Mesos counts it");
    let mut number = 0;
    for part in parts {
        match part.table {
            "output" => output(part, context, &mut number)?,
            "hosts" => {
                context.quality.begin(&part.source.path, part.table);
                elements(part, context, host)?;
            }
            _ => {
                let mut known = FxHashMap::default();
                context.quality.begin(&part.source.path, part.table);
                elements(part, context, |element, context| job(element, context, &mut known, &mut number))?;
            }
        }
    }
    Ok(())
}

fn job(
    element: Element<'_>,
    context: &mut Context<'_>,
    known: &mut FxHashMap<String, u64>,
    number: &mut u64,
) -> Result<(), ElementError> {
    let job = element.object()?;
    let name = job.name("job/uuid")?;
    if let Some(earlier) = known.get(name) {
        return Err(job.wrong("job/uuid", format!("another than that of element {earlier}")));
    }
    let submit = job.int("submit-time-ms")?.and_then(Micros::from_millis);
    let submit = Some(submit.ok_or_else(|| job.wrong("submit-time-ms", "a number of milliseconds"))?);
    let duration = Some(span(job, "run-time-ms")?.ok_or_else(|| job.wrong("run-time-ms", "milliseconds"))?);
    let mut task = TaskRow { job: *number, instances: 1, submit, duration, ..TaskRow::default() };
    for value in job.list("job/resource")? {
        resource(Object::new(value, element.number)?, &mut task, context)?;
    }
    let mut extra: Extra<'_> = Vec::new();
    extra.extend(job.text("job/group")?.map(|group| ("job_group", Value::Text(group.into()))));
    extra.extend(job.amount("job/max-retries")?.map(|retries| ("max_retries", Value::Number(retries))));
    extra
        .extend(job.amount("job/expected-runtime")?.map(|time| ("expected_runtime_ms", Value::Number(time))));
    context.job(&JobRow {
        number: *number,
        name: name.into(),
        user: job.text("job/user")?.map(Into::into),
        application: job.text("job/name")?.map(Into::into),
        priority: job.int("job/priority")?,
        submit,
        requested_time: span(job, "job/max-runtime")?,
        extra,
        ..JobRow::default()
    })?;
    context.task(&task)?;
    known.insert(name.to_owned(), element.number);
    *number += 1;
    Ok(())
}

/// A duration in milliseconds.
fn span(job: Object<'_>, key: &'static str) -> Result<Option<Micros>, ElementError> {
    Ok(job.amount(key)?.and_then(|millis| Micros::from_secs_f64(millis / 1e3)))
}

fn resource(
    resource: Object<'_>,
    task: &mut TaskRow<'_>,
    context: &mut Context<'_>,
) -> Result<(), ElementError> {
    let amount = resource.amount("resource/amount")?;
    let place = match resource.name("resource/type")? {
        "resource.type/cpus" => &mut task.cpus,
        "resource.type/mem" => &mut task.mem_mib,
        "resource.type/gpus" => &mut task.gpus,
        "resource.type/disk" => &mut task.disk_mib,
        _ => {
            context.quality.note("resources other than cpus, mem, gpus and disk", 1);
            return Ok(());
        }
    };
    *place = Some(amount.ok_or_else(|| resource.wrong("resource/amount", "a number, 0 or more"))?);
    Ok(())
}

fn host(element: Element<'_>, context: &mut Context<'_>) -> Result<(), ElementError> {
    let host = element.object()?;
    let resources = host.object("resources")?.ok_or_else(|| host.wrong("resources", "an object"))?;
    let mut attributes = Vec::new();
    for (name, value) in host.get("attributes").and_then(Json::as_object).into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        attributes.push((name.as_str().into(), text.into()));
    }
    attributes.extend(ports(resources)?.map(|ports| ("ports".into(), ports.into())));
    Ok(context.machine(&MachineRow {
        name: host.name("hostname")?.into(),
        cpus: all_roles(resources, "cpus")?,
        mem_mib: all_roles(resources, "mem")?,
        disk_mib: all_roles(resources, "disk")?,
        gpus: all_roles(resources, "gpus")?,
        attributes,
        ..MachineRow::default()
    })?)
}

/// A scalar resource, summed over the roles that it is reserved for.
fn all_roles(resources: Object<'_>, name: &'static str) -> Result<Option<f64>, ElementError> {
    let Some(roles) = resources.get(name) else { return Ok(None) };
    let amount = |value: &Json| value.as_f64().filter(|amount| *amount >= 0.0);
    let sum = roles.as_object().and_then(|roles| roles.values().map(amount).sum::<Option<f64>>());
    sum.map(Some).ok_or_else(|| resources.wrong(name, "an amount for each role"))
}

/// Port ranges as Mesos writes them: `1-100,200-300`.
fn ports(resources: Object<'_>) -> Result<Option<String>, ElementError> {
    let wrong = || resources.wrong("ports", "ranges with `begin` and `end` for each role");
    let mut ranges: Vec<String> = Vec::new();
    let Some(roles) = resources.object("ports")?.and(resources.get("ports")).and_then(Json::as_object) else {
        return Ok(None);
    };
    for range in roles.values().map(|role| role.as_array().ok_or_else(wrong)) {
        for range in range? {
            let end = |key: &str| range.get(key).and_then(Json::as_u64);
            let (begin, end) = end("begin").zip(end("end")).filter(|(a, b)| a <= b).ok_or_else(wrong)?;
            ranges.push(format!("{begin}-{end}"));
        }
    }
    Ok(Some(ranges.join(",")).filter(|text| !text.is_empty()))
}

/// A job of the output, as far as its attempts have been read.
struct Run {
    job: JobRow<'static>,
    task: TaskRow<'static>,
}

fn output(part: &Part<'_>, context: &mut Context<'_>, number: &mut u64) -> Result<(), TraceError> {
    context.quality.assume("times of the output count from its first submission");
    let mut places: FxHashMap<String, u64> = FxHashMap::default();
    let mut runs: BTreeMap<u64, Run> = BTreeMap::new();
    rows(part, &OUTPUT, context, |row, _| {
        let id = row.name(JOB)?;
        let place = places.get(id).copied().unwrap_or(*number);
        let run = attempt(row, place)?;
        match runs.get_mut(&place) {
            Some(known) => known.add(run),
            None => {
                places.insert(id.to_owned(), place);
                runs.insert(place, run);
                *number += 1;
            }
        }
        Ok(())
    })?;
    let origin = runs.values().filter_map(|run| run.job.submit).min().unwrap_or_default();
    for run in runs.values_mut() {
        run.count_from(origin);
        context.job(&run.job)?;
        context.task(&run.task)?;
    }
    Ok(())
}

fn attempt(row: Row<'_>, number: u64) -> Result<Run, RowError> {
    let (submit, start) = (Some(needed_millis(row, SUBMIT)?), Some(needed_millis(row, START)?));
    let end = if row.raw(END).is_empty() { None } else { Some(needed_millis(row, END)?) };
    if start < submit || end.is_some() && end < start {
        return Err(
            row.refuse("an attempt that ends or starts too early", "submission, start, end in this order")
        );
    }
    let is_preempted =
        row.text(REASON)?.is_some_and(|reason| reason.to_ascii_lowercase().contains("preempt"));
    let status = match row.name(STATUS)? {
        ":instance.status/success" => Some(Status::Finished),
        ":instance.status/failed" if is_preempted => Some(Status::Evicted),
        ":instance.status/failed" => Some(Status::Failed),
        ":instance.status/running" => Some(Status::Running),
        ":instance.status/unknown" => None,
        _ => {
            return Err(row.wrong(STATUS, "`:instance.status/` and success, failed, running or unknown"));
        }
    };
    let requested = row.amount(REQUESTED)?.and_then(|millis| Micros::from_secs_f64(millis / 1e3));
    let job = JobRow {
        number,
        name: row.name(JOB)?.to_owned().into(),
        user: row.text(USER)?.map(|user| user.to_owned().into()),
        application: row.text(NAME)?.map(|name| name.to_owned().into()),
        submit,
        start,
        end,
        requested_time: requested,
        status,
        ..JobRow::default()
    };
    let task = TaskRow {
        job: number,
        instances: 1,
        cpus: row.amount(CPUS)?,
        mem_mib: row.amount(MEM)?,
        submit,
        start,
        end,
        status,
        attempts: 1,
        evictions: u32::from(status == Some(Status::Evicted)),
        machine: row.text(HOST)?.map(|host| host.to_owned().into()),
        ..TaskRow::default()
    };
    Ok(Run { job, task })
}

impl Run {
    /// Another attempt at the job; attempts come in any order.
    fn add(&mut self, other: Self) {
        let attempts = self.task.attempts + other.task.attempts;
        let evictions = self.task.evictions + other.task.evictions;
        let start = self.job.start.min(other.job.start);
        if other.task.start >= self.task.start {
            *self = other;
        }
        (self.task.attempts, self.task.evictions, self.job.start) = (attempts, evictions, start);
    }

    fn count_from(&mut self, origin: Micros) {
        let (job, task) = (&mut self.job, &mut self.task);
        let times = [&mut job.submit, &mut job.start, &mut job.end, &mut task.submit, &mut task.start];
        for time in times.into_iter().chain([&mut task.end]).flatten() {
            time.0 -= origin.0;
        }
        task.duration = task.start.zip(task.end).and_then(|(start, end)| end.since(start));
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros, Status,
        read::testing::{read, rejections},
        row::Value,
    };

    const JOB: &str = r#"{"run-time-ms": 1157730, "job/max-runtime": 432000000, "submit-time-ms": -855, "job/group": "g",
        "job/priority": 50, "job/resource": [{"resource/type": "resource.type/cpus", "resource/amount": 2.0},
        {"resource/type": "resource.type/mem", "resource/amount": 2817.0}], "job/max-retries": 5, "job/name": "dummy",
        "job/uuid": "u0", "job/user": "a"}"#;
    const HEADER: &str = "job_id,instance_id,submit_time_ms,mesos_start_time_ms,start_time_ms,end_time_ms,hostname,slave_id,status,reason,user,mem,cpus,job_name,requested_run_time,requested_status\n";

    #[test]
    fn jobs_count_milliseconds_from_the_start_and_from_before_it() {
        let (format, rows, _) = read(&[("trace.json", format!("[{JOB}]").as_bytes())]);
        let (job, task) = (&rows.jobs[0], &rows.tasks[0]);
        assert_eq!((format, job.submit), ("cook", Micros::from_millis(-855)));
        assert_eq!(
            (task.duration, job.requested_time),
            (Micros::from_millis(1_157_730), Micros::from_secs(432_000))
        );
        assert_eq!((task.cpus, task.mem_mib, job.priority), (Some(2.0), Some(2817.0), Some(50)));
        assert_eq!(
            (job.user.as_deref(), &*job.name, job.application.as_deref()),
            (Some("a"), "u0", Some("dummy"))
        );
        assert!(job.extra.contains(&("job_group", Value::Text("g".into()))));
        assert_eq!(job.number_of("max_retries"), Some(5.0));
    }

    #[test]
    fn hosts_have_resources_by_role_and_port_ranges() {
        let text = r#"[{"hostname": "h", "attributes": {"rack": "r1"}, "slave-id": "s", "resources": {"cpus": {"*": 8, "batch": 2},
            "mem": {"*": 10000}, "ports": {"*": [{"begin": 1, "end": 100}, {"begin": 200, "end": 300}]}}},
            {"hostname": "i", "slave-id": "t", "resources": {"cpus": {"*": -8}}}]"#;
        let (format, rows, quality) = read(&[("hosts.json", text.as_bytes())]);
        let host = &rows.machines[0];
        assert_eq!((format, host.cpus, host.mem_mib, host.gpus), ("cook", Some(10.0), Some(10_000.0), None));
        let attributes: Vec<_> = host.attributes.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(attributes, [("rack", "r1"), ("ports", "1-100,200-300")]);
        assert_eq!(
            rejections(&quality),
            ["line 2: `cpus` is `{\"*\":-8}`: expected an amount for each role"]
        );
    }

    #[test]
    fn attempts_of_the_output_are_one_task_and_times_count_from_the_first_submission() {
        let text = format!(
            "{HEADER}b,i2,1495145104000,0,1495145109000,1495145119500,h2,s,:instance.status/success,,c,2696.0,3.0,d,1100897,finished\n\
             b,i1,1495145104000,0,1495145105000,1495145106000,h1,s,:instance.status/failed,Preempted by rebalancer,c,2696.0,3.0,d,1,finished\n\
             a,i0,1495145103000,0,1495145104000,1495145105000,h1,s,:instance.status/running,,c,1,1,d,1,finished\n"
        );
        let (format, rows, _) = read(&[("out.csv", text.as_bytes())]);
        let (job, task) = (&rows.jobs[0], &rows.tasks[0]);
        assert_eq!((format, rows.jobs.len(), task.attempts, task.evictions), ("cook", 2, 2, 1));
        assert_eq!([job.submit, job.start, job.end], [1000, 2000, 16_500].map(Micros::from_millis));
        assert_eq!((task.status, task.machine.as_deref()), (Some(Status::Finished), Some("h2")));
        assert_eq!((task.start, task.duration), (Micros::from_millis(6000), Micros::from_millis(10_500)));
        assert_eq!((rows.jobs[1].submit, rows.tasks[1].status), (Some(Micros(0)), Some(Status::Running)));
    }

    #[test]
    fn bad_jobs_and_rows_are_rejected_by_number() {
        let negative = JOB.replace("1157730", "-1").replace("u0", "u1");
        let unsubmitted = JOB.replace("-855", "\"x\"").replace("u0", "u2");
        let text = format!("[{JOB}, {JOB}, {negative}, {unsubmitted}, []]");
        let (_, rows, quality) = read(&[("trace.json", text.as_bytes())]);
        assert_eq!((rows.jobs.len(), rows.tasks.len()), (1, 1));
        let expected = [
            "line 2: `job/uuid` is `u0`: expected another than that of element 1",
            "line 3: `run-time-ms` is `-1`: expected a number, 0 or more",
            "line 4: `submit-time-ms` is `x`: expected a whole number",
            "line 5: []: expected an object",
        ];
        assert_eq!(rejections(&quality), expected);
        let text = format!(
            "{HEADER}a,i,5,0,4,9,h,s,:instance.status/success,,c,1,1,d,1,f\na,i,5,0,6,9,h,s,success,,c,1,1,d,1,f\n"
        );
        let (_, rows, quality) = read(&[("out.csv", text.as_bytes())]);
        assert_eq!((rows.jobs.len(), quality.rejected()), (0, 2));
    }
}
