//! Pollux: when deep-learning jobs come, and how many GPUs and what batch size their users ask for.
//!
//! Qiao et al., "Pollux: Co-adaptive Cluster Scheduling for Goodput-Optimized Deep Learning", OSDI 2021. How long a job runs
//! follows from a model of its goodput that is not part of the files: `duration` is `None`.

use crate::{
    Context, Format, Grouping, JobRow, Source, TraceError,
    fields::{at_least_one, needed_amount, needed_seconds},
    format::{Part, Table},
    read::gavel::workers,
    row::Value,
    table::{Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "pollux",
    about: "Pollux' workloads: arrivals of deep-learning jobs, CSV with name, time, application, num_replicas, batch_size",
    source: "petuum/adaptdl, branch osdi21-artifact, Apache-2.0",
    grouping: Grouping::File,
    detect,
    read,
};

const LAYOUT: Layout = Layout::with_header(&["name", "time", "application", "num_replicas", "batch_size"], 5);
const NAME: usize = 0;
const TIME: usize = 1;
const APPLICATION: usize = 2;
const REPLICAS: usize = 3;
const BATCH: usize = 4;

fn detect(source: &Source) -> Option<Table> {
    LAYOUT.begins(source).then_some("jobs")
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume("durations are not known: they follow from models of goodput");
    let mut number = 0;
    for part in parts {
        rows(part, &LAYOUT, context, |row, context| job(row, context, &mut number))?;
    }
    Ok(())
}

fn job(row: Row<'_>, context: &mut Context<'_>, number: &mut u64) -> Result<(), RowError> {
    let submit = Some(needed_seconds(row, TIME)?);
    let replicas = at_least_one(row, REPLICAS)?;
    context.job(&JobRow {
        number: *number,
        name: row.name(NAME)?.into(),
        application: Some(row.name(APPLICATION)?.into()),
        submit,
        gang: true,
        extra: vec![("batch_size", Value::Number(needed_amount(row, BATCH)?))],
        ..JobRow::default()
    })?;
    context.task(&workers(*number, replicas, submit, None))?;
    *number += 1;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros,
        read::testing::{read, rejections},
    };

    #[test]
    fn jobs_have_arrivals_and_sizes_but_no_durations() {
        let text = "name,time,application,num_replicas,batch_size\ncifar10-0,107,cifar10,6,2048\nncf-2,135,ncf,1,32768\n";
        let (format, rows, quality) = read(&[("w.csv", text.as_bytes())]);
        assert_eq!((format, rows.jobs.len(), quality.rejected()), ("pollux", 2, 0));
        let (job, task) = (&rows.jobs[0], &rows.tasks[0]);
        assert_eq!((&*job.name, job.application.as_deref()), ("cifar10-0", Some("cifar10")));
        assert_eq!((job.submit, job.number_of("batch_size")), (Micros::from_secs(107), Some(2048.0)));
        assert_eq!((task.instances, task.gpus, task.duration), (6, Some(1.0), None));
    }

    #[test]
    fn bad_rows_are_rejected_by_line() {
        let text =
            "name,time,application,num_replicas,batch_size\na,-5,ncf,1,2\nb,5,ncf,0,2\nc,5,,1,2\nd,5\n";
        let (_, rows, quality) = read(&[("w.csv", text.as_bytes())]);
        assert_eq!(rows.jobs.len(), 0);
        let expected = [
            "line 2: `time` is `-5`: expected a number of seconds, 0 or more",
            "line 3: `num_replicas` is `0`: expected a whole number, 1 or more",
            "line 4: `application` is ``: expected a name",
            "line 5: 2 fields: expected 5 fields",
        ];
        assert_eq!(rejections(&quality), expected);
    }
}
