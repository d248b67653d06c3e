//! Shockwave: deep-learning jobs whose batch sizes change while they run.
//!
//! Zheng et al., "Shockwave: Fair and Efficient Cluster Scheduling for Dynamic Adaptation in Machine Learning", NSDI 2023.
//! Gavel's layout with two fields more: `mode`, by which the batch size adapts, and the duration on as many GPUs as the job
//! asks for.

use crate::{
    Context, Format, Grouping, Source, TraceError,
    fields::{at_least_one, needed, needed_amount, needed_seconds, word},
    format::{Part, Table},
    read::gavel::{batch_size, tabs, training, workers},
    row::Value,
    table::{Row, RowError, parse_int, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "shockwave",
    about: "Shockwave's deep-learning jobs with dynamic batch sizes (Gavel's layout with 12 fields, tab-separated)",
    source: "uw-mad-dash/shockwave, MIT License",
    grouping: Grouping::File,
    detect,
    read,
};

const COLUMNS: &[&str] = &[
    "job type",
    "command",
    "working directory",
    "num steps argument",
    "needs data directory",
    "total steps",
    "scale factor",
    "mode",
    "priority weight",
    "SLO",
    "duration",
    "arrival time",
];
const JOB_TYPE: usize = 0;
const STEPS: usize = 5;
const SCALE: usize = 6;
const MODE: usize = 7;
const WEIGHT: usize = 8;
const OBJECTIVE: usize = 9;
const DURATION: usize = 10;
const ARRIVAL: usize = 11;

const MODES: &[&str] = &["static", "accordion", "gns"];

fn detect(source: &Source) -> Option<Table> {
    let line = source.lines().find(|line| !line.trim().is_empty())?;
    let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
    let whole = |place: &usize| parse_int(fields[*place].as_bytes()).is_some();
    (fields.len() == COLUMNS.len() && [4, STEPS, SCALE].iter().all(whole)).then_some("jobs")
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume("a duration is that on as many GPUs as the job asks for");
    let mut number = 0;
    for part in parts {
        rows(part, &tabs(COLUMNS), context, |row, context| job(row, context, &mut number))?;
    }
    Ok(())
}

fn job(row: Row<'_>, context: &mut Context<'_>, number: &mut u64) -> Result<(), RowError> {
    let model = row.name(JOB_TYPE)?;
    let (steps, scale) = (needed_amount(row, STEPS)?, at_least_one(row, SCALE)?);
    let mode = needed(row, MODE, word(row, MODE, MODES)?, "static, accordion or gns")?;
    let submit = Some(needed_seconds(row, ARRIVAL)?);
    let duration = Some(needed_seconds(row, DURATION)?);
    let mut extra = vec![
        ("total_steps", Value::Number(steps)),
        ("scale_factor", Value::Number(scale.into())),
        ("mode", Value::Text(mode.into())),
    ];
    extra.extend(batch_size(model).map(|size| ("batch_size", Value::Number(size))));
    let objective = row.number(OBJECTIVE)?.filter(|objective| *objective >= 0.0);
    extra.extend(objective.map(|slo| ("slo", Value::Number(slo))));
    let name = format!("job-{number}");
    context.job(&training(*number, name, model, submit, row.amount(WEIGHT)?, extra))?;
    context.task(&workers(*number, scale, submit, duration))?;
    *number += 1;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros,
        read::testing::{read, rejections},
        row::Value,
    };

    const ROW: &str = "ResNet-50 (batch size 64)\tpython3 main.py -j 4 %s\timagenet\t--num_minibatches\t1\t41840\t2\tgns\t1\t-1.000000\t13462\t64";

    #[test]
    fn twelve_fields_hold_mode_and_duration_before_the_arrival() {
        let (format, rows, quality) = read(&[("a.trace", ROW.as_bytes())]);
        let (job, task) = (&rows.jobs[0], &rows.tasks[0]);
        assert_eq!((format, quality.rejected()), ("shockwave", 0));
        assert_eq!((job.submit, task.duration), (Micros::from_secs(64), Micros::from_secs(13462)));
        assert_eq!((task.instances, task.gpus, job.gang), (2, Some(1.0), true));
        assert!(job.extra.contains(&("mode", Value::Text("gns".into()))), "{:?}", job.extra);
        assert_eq!((job.number_of("slo"), job.number_of("batch_size")), (None, Some(64.0)));
    }

    #[test]
    fn bad_rows_are_rejected_by_line() {
        let text = [ROW, &ROW.replace("gns", "gsn"), &ROW.replace("13462", ""), "x"].join("\n");
        let (_, rows, quality) = read(&[("a.trace", text.as_bytes())]);
        assert_eq!(rows.jobs.len(), 1);
        let expected = [
            "line 2: `mode` is `gsn`: expected `gns`",
            "line 3: `duration` is ``: expected a number of seconds, 0 or more",
            "line 4: 1 fields: expected 12 fields",
        ];
        assert_eq!(rejections(&quality), expected);
    }
}
