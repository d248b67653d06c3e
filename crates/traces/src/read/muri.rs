//! Muri: deep-learning jobs after Microsoft's, with the time that an iteration spends on each resource.
//!
//! Zhao et al., "Multi-Resource Interleaving for Deep Learning Training", SIGCOMM 2022. All times are milliseconds, although
//! the columns are named as in Tiresias' files, where they are seconds.

use crate::{
    Context, Format, Grouping, JobRow, Source, TraceError,
    fields::{at_least_one, needed_amount, needed_millis},
    format::{Part, Table},
    read::gavel::workers,
    row::Value,
    table::{Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "muri",
    about: "Muri's deep-learning jobs with stages of an iteration: CSV, times in milliseconds",
    source: "Rivendile/Muri, Apache-2.0; after Microsoft's Philly traces, CC-BY 4.0",
    grouping: Grouping::File,
    detect,
    read,
};

const LAYOUT: Layout = Layout::with_header(
    &[
        "job_id",
        "num_gpu",
        "submit_time",
        "iterations",
        "model_name",
        "duration",
        "iteration_time",
        "resource_time_0",
        "resource_time_1",
        "resource_time_2",
        "batch_size",
        "interval",
        "priority",
    ],
    10,
);
const ID: usize = 0;
const GPUS: usize = 1;
const SUBMIT: usize = 2;
const ITERATIONS: usize = 3;
const MODEL: usize = 4;
const DURATION: usize = 5;
const BATCH: usize = 10;
const PRIORITY: usize = 12;

/// What an iteration spends: in all, and on the GPU, on CPUs (preprocessing) and on the network.
const STAGES: [(usize, &str); 4] =
    [(6, "iteration_ms"), (7, "iteration_gpu_ms"), (8, "iteration_cpu_ms"), (9, "iteration_network_ms")];

fn detect(source: &Source) -> Option<Table> {
    LAYOUT.begins(source).then_some("jobs")
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume("times are milliseconds; resources 0, 1 and 2 are GPU, CPU and network");
    let mut number = 0;
    for part in parts {
        rows(part, &LAYOUT, context, |row, context| job(row, context, &mut number))?;
    }
    Ok(())
}

fn job(row: Row<'_>, context: &mut Context<'_>, number: &mut u64) -> Result<(), RowError> {
    let submit = Some(needed_millis(row, SUBMIT)?);
    let duration = Some(needed_millis(row, DURATION)?);
    let gpus = at_least_one(row, GPUS)?;
    let mut extra = vec![("iterations", Value::Number(needed_amount(row, ITERATIONS)?))];
    for (column, name) in STAGES {
        extra.push((name, Value::Number(needed_amount(row, column)?)));
    }
    for (column, name) in [(BATCH, "batch_size"), (PRIORITY, "priority")] {
        extra.extend(row.number(column)?.map(|value| (name, Value::Number(value))));
    }
    context.job(&JobRow {
        number: *number,
        name: row.name(ID)?.into(),
        application: Some(row.name(MODEL)?.into()),
        submit,
        gang: true,
        extra,
        ..JobRow::default()
    })?;
    context.task(&workers(*number, gpus, submit, duration))?;
    *number += 1;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros,
        read::testing::{read, rejections},
    };

    const HEADER: &str = "job_id,num_gpu,submit_time,iterations,model_name,batch_size,duration,interval,iteration_time,resource_time_0,resource_time_1,resource_time_2,priority\n";

    #[test]
    fn times_are_milliseconds() {
        let text = format!("{HEADER}1,8,1534000,1463,vgg16,16,281500,28000,214,82,75,0.5,1\n");
        let (format, rows, _) = read(&[("trace.csv", text.as_bytes())]);
        assert_eq!((format, rows.jobs[0].submit), ("muri", Micros::from_secs(1534)));
        assert_eq!((rows.tasks[0].duration, rows.tasks[0].instances), (Micros::from_millis(281_500), 8));
    }

    #[test]
    fn the_stages_of_an_iteration_are_kept() {
        let text = format!("{HEADER}1,8,1534000,1463,vgg16,16,281500,28000,214,82,75,0.5,1\n");
        let (_, rows, _) = read(&[("trace.csv", text.as_bytes())]);
        let names = [
            "iterations",
            "batch_size",
            "iteration_ms",
            "iteration_gpu_ms",
            "iteration_cpu_ms",
            "iteration_network_ms",
            "priority",
        ];
        let expected = [1463.0, 16.0, 214.0, 82.0, 75.0, 0.5, 1.0].map(Some);
        assert_eq!(names.map(|name| rows.jobs[0].number_of(name)), expected);
    }

    #[test]
    fn bad_rows_are_rejected_by_line() {
        let text = format!(
            "{HEADER}1,8,x,1,m,1,1,1,1,1,1,1,1\n2,8,0,1,m,1,,1,1,1,1,1,1\n3,8,0,1,m,1,5,1,1,-1,1,1,1\n"
        );
        let (_, rows, quality) = read(&[("trace.csv", text.as_bytes())]);
        assert_eq!(rows.jobs.len(), 0);
        let expected = [
            "line 2: `submit_time` is `x`: expected a number",
            "line 3: `duration` is ``: expected a number of milliseconds, 0 or more",
            "line 4: `resource_time_0` is `-1`: expected a number, 0 or more",
        ];
        assert_eq!(rejections(&quality), expected);
    }
}
