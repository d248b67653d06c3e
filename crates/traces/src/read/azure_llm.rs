//! Azure's traces of requests to large language models (2023, 2024): when a request came, and how many tokens went in and out.
//!
//! Patel et al., "Splitwise", ISCA 2024. A request is a job of one task that asks for nothing and whose run time depends on
//! who serves it: its tokens are extra facts. Time 0 is the first request of the file.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::{
    Context, Format, Grouping, JobRow, Micros, Source, TaskRow, TraceError,
    format::{Part, Table},
    row::Value,
    table::{Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "azure-llm",
    about: "Azure's LLM inference requests: time, tokens of context, tokens generated",
    source: "github.com/Azure/AzurePublicDataset, AzureLLMInferenceTrace; CC-BY 4.0",
    grouping: Grouping::File,
    detect,
    read,
};

const COLUMNS: &[&str] = &["TIMESTAMP", "ContextTokens", "GeneratedTokens"];

fn detect(source: &Source) -> Option<Table> {
    Layout::with_header(COLUMNS, COLUMNS.len()).is_header(source.first_line()?).then_some("requests")
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    let (mut number, mut origin) = (0, None);
    for part in parts {
        rows(part, &Layout::with_header(COLUMNS, COLUMNS.len()), context, |row, context| {
            let at = timestamp(row)?;
            let origin = *origin.get_or_insert_with(|| {
                context.quality.assume(format!("time 0 is the first request, at {at}"));
                at
            });
            request(number, Micros(at.as_microsecond() - origin.as_microsecond()), row, context)?;
            number += 1;
            Ok(())
        })?;
    }
    Ok(())
}

fn request(number: u64, at: Micros, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
    let tokens = |column: usize| -> Result<Value<'static>, RowError> {
        Ok(Value::Number(row.need_count::<u32>(column)?.into()))
    };
    let extra = vec![("context_tokens", tokens(1)?), ("generated_tokens", tokens(2)?)];
    let (name, submit) = (number.to_string().into(), Some(at));
    context.task(&TaskRow { job: number, instances: 1, submit, ..TaskRow::default() })?;
    Ok(context.job(&JobRow { number, name, submit, extra, ..JobRow::default() })?)
}

/// With an offset from UTC, or without one in UTC.
fn timestamp(row: Row<'_>) -> Result<Timestamp, RowError> {
    let text = row.name(0)?;
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let time = text.parse().ok().or_else(civil);
    time.ok_or_else(|| row.wrong(0, "a time like 2023-11-16 18:17:03.9799600"))
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros,
        read::testing::{read, rejections},
    };

    #[test]
    fn requests_are_jobs_at_times_since_the_first_with_their_tokens() {
        let text = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\r\n2023-11-16 18:17:04.0319601,3180,8\r\n2023-11-16 18:17:03+00:00,1,0";
        let (format, rows, quality) = read(&[("x", text.as_bytes())]);
        let jobs: Vec<_> = rows
            .jobs
            .iter()
            .map(|job| (job.submit, job.number_of("context_tokens"), job.number_of("generated_tokens")))
            .collect();
        let expected = [
            (Some(Micros(0)), Some(4808.0), Some(10.0)),
            (Some(Micros(52_000)), Some(3180.0), Some(8.0)),
            (Some(Micros(-979_960)), Some(1.0), Some(0.0)),
        ];
        assert_eq!((format, &jobs[..]), ("azure-llm", &expected[..]));
        assert!(
            quality.assumptions()[0].contains("2023-11-16T18:17:03.97996Z"),
            "{:?}",
            quality.assumptions()
        );
    }

    #[test]
    fn bad_rows_are_rejected_by_line() {
        let text = "TIMESTAMP,ContextTokens,GeneratedTokens\nnoon,1,1\n2023-11-16 18:17:03,,1\n2023-11-16 18:17:03,1,-1\n2023-11-16 18:17:03,1\n";
        let (_, rows, quality) = read(&[("x", text.as_bytes())]);
        assert!(rows.jobs.is_empty() && rows.tasks.is_empty());
        let expected = [
            "line 2: `TIMESTAMP` is `noon`: expected a time like 2023-11-16 18:17:03.9799600",
            "line 3: `ContextTokens` is ``: expected a whole number, 0 or more",
            "line 4: `GeneratedTokens` is `-1`: expected a whole number, 0 or more, and not huge",
            "line 5: 2 fields: expected 3 fields",
        ];
        assert_eq!(rejections(&quality), expected);
    }
}
