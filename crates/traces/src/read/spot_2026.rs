//! Alibaba 2026: nodes with GPUs of many kinds, and jobs of high priority and on spot instances.
//!
//! Published with GFS, ASPLOS 2026. The jobs' memory is not known. All workers of a job run at once.

use rustc_hash::FxHashMap;

use crate::{
    Context, Format, Grouping, JobRow, MachineRow, Source, TaskRow, TraceError,
    fields::{at_least_one, needed, needed_amount, needed_seconds, word},
    format::{Part, Table},
    table::{Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "spot-2026",
    about: "Alibaba 2026, GPU spot instances: node table and job table (CSV with a header)",
    source: "alibaba/clusterdata, Alibaba Cluster Trace Program (cite the paper)",
    grouping: Grouping::Directory,
    detect,
    read,
};

const NODES: Layout = Layout::with_header(&["node_name", "gpu_model", "gpu_capacity_num", "cpu_num"], 4);
const NODE: usize = 0;
const NODE_MODEL: usize = 1;
const NODE_GPUS: usize = 2;
const NODE_CPUS: usize = 3;

const JOBS: Layout = Layout::with_header(
    &[
        "job_name",
        "gpu_model",
        "cpu_request",
        "gpu_request",
        "worker_num",
        "submit_time",
        "duration",
        "job_type",
        "organization",
    ],
    8,
);
const JOB: usize = 0;
const MODEL: usize = 1;
const CPUS: usize = 2;
const GPUS: usize = 3;
const WORKERS: usize = 4;
const SUBMIT: usize = 5;
const DURATION: usize = 6;
const TYPE: usize = 7;
const ORGANIZATION: usize = 8;

fn detect(source: &Source) -> Option<Table> {
    let table = |layout: &Layout, table| layout.begins(source).then_some(table);
    table(&NODES, "nodes").or_else(|| table(&JOBS, "jobs"))
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    let mut number = 0;
    for part in parts {
        if part.table == "nodes" {
            let mut names = FxHashMap::default();
            rows(part, &NODES, context, |row, context| node(row, context, &mut names))?;
        } else {
            context.quality.assume("jobs of high priority (HP) have priority 1, those on spot instances 0");
            rows(part, &JOBS, context, |row, context| job(row, context, &mut number))?;
        }
    }
    Ok(())
}

fn node(row: Row<'_>, context: &mut Context<'_>, names: &mut FxHashMap<String, u64>) -> Result<(), RowError> {
    let name = row.name(NODE)?;
    if let Some(line) = names.get(name) {
        return Err(row.wrong(NODE, format!("another name than that of line {line}")));
    }
    let machine = MachineRow {
        name: name.into(),
        cpus: Some(needed_amount(row, NODE_CPUS)?),
        gpus: Some(needed_amount(row, NODE_GPUS)?),
        gpu_model: row.text(NODE_MODEL)?.map(Into::into),
        ..MachineRow::default()
    };
    names.insert(name.to_owned(), row.line);
    Ok(context.machine(&machine)?)
}

fn job(row: Row<'_>, context: &mut Context<'_>, number: &mut u64) -> Result<(), RowError> {
    let class = needed(row, TYPE, word(row, TYPE, &["HP", "Spot"])?, "HP or Spot")?;
    let priority = Some(i64::from(class == "HP"));
    let submit = Some(needed_seconds(row, SUBMIT)?);
    let task = TaskRow {
        job: *number,
        instances: at_least_one(row, WORKERS)?,
        cpus: Some(needed_amount(row, CPUS)?),
        gpus: Some(needed_amount(row, GPUS)?),
        gpu_model: row.text(MODEL)?.map(Into::into),
        submit,
        duration: Some(needed_seconds(row, DURATION)?),
        priority,
        ..TaskRow::default()
    };
    context.job(&JobRow {
        number: *number,
        name: row.name(JOB)?.into(),
        group: row.text(ORGANIZATION)?.map(Into::into),
        class: Some(class.into()),
        priority,
        submit,
        gang: true,
        ..JobRow::default()
    })?;
    context.task(&task)?;
    *number += 1;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros,
        read::testing::{read, rejections},
    };

    const NODES: &str = "gpu_model,gpu_capacity_num,cpu_num,node_name\nA10,1,128,0\nA100-SXM4-80GB,8,126,1\n";
    const JOBS: &str = "job_name,organization,gpu_model,cpu_request,gpu_request,worker_num,submit_time,duration,job_type\nj0,org,H800,12,0.5,4,0,60.5,HP\nj1,,A10,1,1,1,7,9,Spot\n";

    #[test]
    fn nodes_and_jobs_of_a_directory_are_one_trace() {
        let (format, rows, quality) =
            read(&[("job_info_df.csv", JOBS.as_bytes()), ("node_info_df.csv", NODES.as_bytes())]);
        assert_eq!(
            (format, rows.jobs.len(), rows.machines.len(), quality.rejected()),
            ("spot-2026", 2, 2, 0)
        );
        let node = &rows.machines[1];
        assert_eq!((&*node.name, node.gpu_model.as_deref()), ("1", Some("A100-SXM4-80GB")));
        assert_eq!((node.cpus, node.gpus, node.mem_mib), (Some(126.0), Some(8.0), None));
    }

    #[test]
    fn amounts_are_those_of_one_worker() {
        let (_, rows, _) = read(&[("job_info_df.csv", JOBS.as_bytes())]);
        let (job, task) = (&rows.jobs[0], &rows.tasks[0]);
        assert_eq!((task.instances, task.cpus, task.gpus), (4, Some(12.0), Some(0.5)));
        assert_eq!((task.gpu_model.as_deref(), task.duration), (Some("H800"), Micros::from_millis(60_500)));
        assert_eq!(
            (job.class.as_deref(), job.priority, job.group.as_deref()),
            (Some("HP"), Some(1), Some("org"))
        );
        assert_eq!((rows.jobs[1].priority, rows.jobs[1].group.as_deref(), job.gang), (Some(0), None, true));
    }

    #[test]
    fn bad_rows_are_rejected_by_line() {
        let (_, rows, quality) = read(&[("n.csv", format!("{NODES}A10,1,128,0\nA10,-1,128,3\n").as_bytes())]);
        let expected = [
            "line 4: `node_name` is `0`: expected another name than that of line 2",
            "line 5: `gpu_capacity_num` is `-1`: expected a number, 0 or more",
        ];
        assert_eq!((rows.machines.len(), rejections(&quality)), (2, expected.map(str::to_owned).to_vec()));
        let bad = "j2,o,A10,1,1,0,7,9,Spot\nj3,o,A10,1,1,1,7,9,spot\nj4,o,A10,1,1,1,,9,Spot\n";
        let (_, rows, quality) = read(&[("j.csv", format!("{JOBS}{bad}").as_bytes())]);
        let expected = [
            "line 4: `worker_num` is `0`: expected a whole number, 1 or more",
            "line 5: `job_type` is `spot`: expected `Spot`",
            "line 6: `submit_time` is ``: expected a number of seconds, 0 or more",
        ];
        assert_eq!((rows.jobs.len(), rejections(&quality)), (2, expected.map(str::to_owned).to_vec()));
    }
}
