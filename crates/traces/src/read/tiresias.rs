//! Tiresias: deep-learning jobs, clusters given by switches and nodes, and samples of jobs' GPU times.
//!
//! Gu et al., "Tiresias: A GPU Cluster Manager for Distributed Deep Learning", NSDI 2019. All times are seconds.

use rustc_hash::FxHashSet;

use crate::{
    Context, Format, Grouping, JobRow, MachineRow, Source, TaskRow, TraceError,
    fields::{at_least_one, needed_amount, needed_seconds, seconds},
    format::{Part, Table},
    read::gavel::workers,
    row::Value,
    table::{Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "tiresias",
    about: "Tiresias' simulator: deep-learning jobs, cluster specifications, samples of GPU times (CSV, seconds)",
    source: "SymbioticLab/Tiresias, Apache-2.0",
    grouping: Grouping::File,
    detect,
    read,
};

const JOBS: Layout = Layout::with_header(
    &["job_id", "num_gpu", "submit_time", "model_name", "duration", "iterations", "start_time", "model_size"],
    5,
);
const ID: usize = 0;
const GPUS: usize = 1;
const SUBMIT: usize = 2;
const MODEL: usize = 3;
const DURATION: usize = 4;
const ITERATIONS: usize = 5;
const START: usize = 6;
const MODEL_SIZE: usize = 7;

const CLUSTER: Layout = Layout::with_header(
    &["num_switch", "num_node_p_switch", "num_gpu_p_node", "num_cpu_p_node", "mem_p_node"],
    5,
);
const SWITCHES: usize = 0;
const NODES: usize = 1;
const NODE_GPUS: usize = 2;
const NODE_CPUS: usize = 3;
const NODE_MEMORY: usize = 4;
/// No cluster has more nodes.
const MOST_NODES: u64 = 1_000_000;

const SAMPLES: Layout = Layout::with_header(&["duration"], 1);
const GPU_TIME: usize = 0;

fn detect(source: &Source) -> Option<Table> {
    let line = source.lines().find(|line| !line.trim().is_empty())?;
    // Muri's files have these columns too, but in milliseconds.
    let in_seconds = !line.contains("iteration_time") && !line.contains("resource_time");
    let fields = line.split(',').count();
    if JOBS.is_header(line) && in_seconds {
        Some("jobs")
    } else if CLUSTER.is_header(line) {
        Some("cluster")
    } else {
        (fields == 1 && SAMPLES.is_header(line)).then_some("gpu-times")
    }
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    let mut number = 0;
    for part in parts {
        match part.table {
            "cluster" => cluster(part, context)?,
            "gpu-times" => {
                context.quality.assume("a sample of GPU time is a job with one GPU for that long");
                rows(part, &SAMPLES, context, |row, context| sample(row, context, &mut number))?;
            }
            _ => jobs(part, context, &mut number)?,
        }
    }
    Ok(())
}

fn jobs(part: &Part<'_>, context: &mut Context<'_>, number: &mut u64) -> Result<(), TraceError> {
    let mut known = FxHashSet::default();
    rows(part, &JOBS, context, |row, context| {
        job(row, context, *number)?;
        *number += 1;
        let is_new = known.insert(row.name(ID)?.to_owned());
        context.quality.note("jobs with the number of an earlier job", u64::from(!is_new));
        Ok(())
    })
}

fn job(row: Row<'_>, context: &mut Context<'_>, number: u64) -> Result<(), RowError> {
    let submit = Some(needed_seconds(row, SUBMIT)?);
    let duration = Some(needed_seconds(row, DURATION)?);
    let gpus = at_least_one(row, GPUS)?;
    let start = seconds(row, START)?;
    let mut extra = Vec::new();
    for (column, name) in [(ITERATIONS, "iterations"), (MODEL_SIZE, "model_size_mb")] {
        extra.extend(row.amount(column)?.map(|value| (name, Value::Number(value))));
    }
    context.job(&JobRow {
        number,
        name: row.name(ID)?.into(),
        application: Some(row.name(MODEL)?.into()),
        submit,
        start,
        gang: true,
        extra,
        ..JobRow::default()
    })?;
    context.task(&TaskRow { start, ..workers(number, gpus, submit, duration) })?;
    Ok(())
}

fn sample(row: Row<'_>, context: &mut Context<'_>, number: &mut u64) -> Result<(), RowError> {
    let duration = Some(needed_seconds(row, GPU_TIME)?);
    let name = format!("sample-{number}").into();
    context.job(&JobRow { number: *number, name, ..JobRow::default() })?;
    context.task(&workers(*number, 1, None, duration))?;
    *number += 1;
    Ok(())
}

fn cluster(part: &Part<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume("memory of nodes is GiB; the nodes of a switch are a rack");
    let mut first = 0;
    rows(part, &CLUSTER, context, |row, context| switches(row, context, &mut first))
}

/// The switches of one row, which count on from those of earlier rows.
fn switches(row: Row<'_>, context: &mut Context<'_>, first: &mut u64) -> Result<(), RowError> {
    let (switches, nodes) = (u64::from(at_least_one(row, SWITCHES)?), u64::from(at_least_one(row, NODES)?));
    if switches * nodes > MOST_NODES {
        return Err(row.wrong(NODES, format!("at most {MOST_NODES} nodes in all")));
    }
    let cpus = Some(needed_amount(row, NODE_CPUS)?);
    let mem_mib = Some(needed_amount(row, NODE_MEMORY)? * 1024.0);
    let gpus = Some(needed_amount(row, NODE_GPUS)?);
    for switch in *first..*first + switches {
        let rack = format!("switch-{switch}");
        for node in 0..nodes {
            context.machine(&MachineRow {
                name: format!("{rack}-node-{node}").into(),
                cpus,
                mem_mib,
                gpus,
                rack: Some(rack.as_str().into()),
                ..MachineRow::default()
            })?;
        }
    }
    *first += switches;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros,
        read::testing::{read, rejections},
    };

    #[test]
    fn times_of_jobs_are_seconds() {
        let text =
            "job_id,num_gpu,submit_time,iterations,model_name,duration,interval\n1,8,30,133,vgg11,147,23\n";
        let (format, rows, _) = read(&[("60_job.csv", text.as_bytes())]);
        let (job, task) = (&rows.jobs[0], &rows.tasks[0]);
        assert_eq!(
            (format, job.submit, task.duration),
            ("tiresias", Micros::from_secs(30), Micros::from_secs(147))
        );
        assert_eq!((task.instances, task.gpus, job.application.as_deref()), (8, Some(1.0), Some("vgg11")));
        assert_eq!(job.number_of("iterations"), Some(133.0));
    }

    #[test]
    fn the_other_layout_of_jobs_has_starts_and_may_use_a_number_twice() {
        let text = "job_id,num_gpu,submit_time,start_time,duration,model_size,aggr_interval,model_name,model_scale\n10,12,11,14,20,400,0,vgg19,1\n10,12,11,14,20,400,0,vgg19,1\n";
        let (_, rows, quality) = read(&[("tf_job.csv", text.as_bytes())]);
        assert_eq!((rows.jobs.len(), rows.jobs[1].number), (2, 1));
        assert_eq!(
            (rows.tasks[0].start, rows.jobs[0].number_of("model_size_mb")),
            (Micros::from_secs(14), Some(400.0))
        );
        assert_eq!(quality.notes().get("jobs with the number of an earlier job"), Some(&1));
    }

    #[test]
    fn a_cluster_is_switches_of_equal_nodes() {
        let text = "num_switch,num_node_p_switch,num_gpu_p_node,num_cpu_p_node,mem_p_node\n2,3,4,128,256\n";
        let (format, rows, _) = read(&[("cluster_spec.csv", text.as_bytes())]);
        let node = &rows.machines[5];
        assert_eq!((format, rows.machines.len()), ("tiresias", 6));
        assert_eq!((&*node.name, node.rack.as_deref()), ("switch-1-node-2", Some("switch-1")));
        assert_eq!((node.cpus, node.gpus, node.mem_mib), (Some(128.0), Some(4.0), Some(262_144.0)));
    }

    #[test]
    fn a_cluster_beyond_reason_is_rejected_and_not_built() {
        let text = "num_switch,num_node_p_switch,num_gpu_p_node,num_cpu_p_node,mem_p_node\n4000000000,4000000000,4,128,256\n0,1,1,1,1\n";
        let (_, rows, quality) = read(&[("cluster_spec.csv", text.as_bytes())]);
        let expected = [
            "line 2: `num_node_p_switch` is `4000000000`: expected at most 1000000 nodes in all",
            "line 3: `num_switch` is `0`: expected a whole number, 1 or more",
        ];
        assert_eq!((rows.machines.len(), rejections(&quality)), (0, expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn samples_of_gpu_time_are_jobs_without_arrival() {
        let (format, rows, quality) = read(&[("gput.csv", b"duration\n121\n-3\n2266920\n")]);
        assert_eq!((format, rows.jobs.len(), rows.jobs[0].submit), ("tiresias", 2, None));
        assert_eq!(rows.tasks[1].duration, Micros::from_secs(2_266_920));
        assert_eq!(
            rejections(&quality),
            ["line 3: `duration` is `-3`: expected a number of seconds, 0 or more"]
        );
    }
}
