//! Bitbrains: what virtual machines of a hosting company used, one file for each, fields between semicolons and tabs.
//!
//! Shen et al., "Statistical Characterization of Business-Critical Workloads Hosted in Cloud Datacenters", CCGRID 2015 (Grid
//! Workloads Archive, GWA-T-12). The column that is called `Timestamp [ms]` holds seconds. A machine is a job of one task.

use crate::{
    Context, Format, Grouping, JobRow, Micros, Source, Status, TaskRow, TraceError, UsageRow, date,
    format::{Part, Table},
    row::Whose,
    table::{Delimiter, Header, Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "bitbrains",
    about: "Bitbrains: use of virtual machines, one file for each, between semicolons",
    source: "Grid Workloads Archive GWA-T-12; asks for a citation",
    grouping: Grouping::Directory,
    detect,
    read,
};

const COLUMNS: &[&str] = &[
    "Timestamp [ms]",
    "CPU cores",
    "CPU usage [MHZ]",
    "CPU capacity provisioned [MHZ]",
    "Memory capacity provisioned [KB]",
    "Memory usage [KB]",
];

const TIMESTAMP: usize = 0;
const CORES: usize = 1;
const CPU_USAGE: usize = 2;
const CAPACITY: usize = 3;
const MEMORY: usize = 4;
const MEMORY_USAGE: usize = 5;

/// Timestamps from here on are milliseconds: as seconds they would be in the year 5138.
const MILLISECONDS: i64 = 100_000_000_000;
/// The interval of the last row, and of the only one.
const USUAL: Micros = Micros(300_000_000);

fn layout() -> Layout {
    let header = Header::Required(3);
    Layout {
        columns: COLUMNS,
        header,
        fields: 1..=usize::MAX,
        delimiter: Delimiter::Byte(b';'),
        comment: None,
    }
}

fn detect(source: &Source) -> Option<Table> {
    layout().is_header(source.first_line()?).then_some("machine")
}

/// The machine of the file that is being read.
#[derive(Default)]
struct Machine {
    first: Option<Micros>,
    /// The row before, whose interval ends with the next.
    before: Option<(Micros, Option<f64>, Option<f64>)>,
    cores: f64,
    memory: Option<f64>,
    resized: bool,
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    context.quality.assume("`Timestamp [ms]` holds seconds, unless they would be beyond the year 5138");
    context.quality.assume("a row tells of the time until the next one, the last row of 300 s");
    let mut origin: Option<Micros> = None;
    for part in parts {
        context.first_pass(|context| {
            rows(part, &layout(), context, |row, _| {
                origin = origin.into_iter().chain(time(row)).min();
                Ok(())
            })
        })?;
    }
    let origin = origin.unwrap_or_default();
    context.quality.assume(format!("time 0 is the first row, {}", date::show(origin)));
    for (number, part) in parts.iter().enumerate() {
        let mut machine = Machine::default();
        rows(part, &layout(), context, |row, context| {
            sample(row, number as u64, origin, &mut machine, context)
        })?;
        machine.finish(part, number as u64, context)?;
    }
    Ok(())
}

fn time(row: Row<'_>) -> Option<Micros> {
    let stamp = row.int(TIMESTAMP).ok()?.filter(|stamp| *stamp >= 0)?;
    if stamp < MILLISECONDS { Micros::from_secs(stamp) } else { Micros::from_millis(stamp) }
}

fn sample(
    row: Row<'_>,
    job: u64,
    origin: Micros,
    machine: &mut Machine,
    context: &mut Context<'_>,
) -> Result<(), RowError> {
    let at = time(row).ok_or_else(|| row.wrong(TIMESTAMP, "seconds since 1970"))?;
    let at = Micros(at.0.saturating_sub(origin.0));
    if machine.before.is_some_and(|(before, ..)| at <= before) {
        return Err(row.wrong(TIMESTAMP, "a time after that of the row before"));
    }
    let cores = row.amount(CORES)?.ok_or_else(|| row.wrong(CORES, "a number of cores"))?;
    let memory = row.amount(MEMORY)?.map(|kb| kb / 1024.0);
    let (used, capacity) = (row.amount(CPU_USAGE)?, row.amount(CAPACITY)?);
    let cpus =
        used.zip(capacity.filter(|capacity| *capacity > 0.0)).map(|(used, capacity)| used / capacity * cores);
    let used_memory = row.amount(MEMORY_USAGE)?.map(|kb| kb / 1024.0);
    machine.resized |= machine.first.is_some() && (machine.cores, machine.memory) != (cores, memory);
    machine.cores = machine.cores.max(cores);
    machine.memory = machine.memory.into_iter().chain(memory).reduce(f64::max);
    machine.first = machine.first.or(Some(at));
    let before = machine.before.replace((at, cpus, used_memory));
    emit(job, before, at, context)?;
    Ok(())
}

fn emit(
    job: u64,
    row: Option<(Micros, Option<f64>, Option<f64>)>,
    until: Micros,
    context: &mut Context<'_>,
) -> Result<(), TraceError> {
    let Some((start, cpus, mem_mib)) = row.filter(|_| context.options.usage) else { return Ok(()) };
    let duration = until.since(start).unwrap_or(USUAL);
    let whose = Whose::Task(job, 0);
    context.usage(&UsageRow { whose, start, duration, cpus, cpus_max: None, mem_mib, gpus: None })
}

impl Machine {
    fn finish(self, part: &Part<'_>, number: u64, context: &mut Context<'_>) -> Result<(), TraceError> {
        let (Some(start), Some((last, ..))) = (self.first, self.before) else { return Ok(()) };
        let end = Micros(last.0.saturating_add(USUAL.0));
        emit(number, self.before, end, context)?;
        context.quality.note("machines whose size changes: their largest is taken", self.resized.into());
        let name = part.source.path.file_stem().unwrap_or_default().to_string_lossy();
        context.job(&JobRow {
            number,
            name: name.clone(),
            submit: Some(start),
            start: Some(start),
            end: Some(end),
            status: Some(Status::Running),
            ..JobRow::default()
        })?;
        context.task(&TaskRow {
            job: number,
            name: Some(name),
            instances: 1,
            cpus: Some(self.cores),
            mem_mib: self.memory,
            submit: Some(start),
            start: Some(start),
            duration: end.since(start),
            status: Some(Status::Running),
            attempts: 1,
            ..TaskRow::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros,
        read::testing::{read, rejections},
    };

    const HEADER: &str = "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\tMemory capacity provisioned [KB];\tMemory usage [KB]\n";

    #[test]
    fn seconds_are_seconds_whatever_the_header_says() {
        let one = format!(
            "{HEADER}1376314846;\t4;\t8000.0;\t2000.0;\t25.0;\t1048576.0;\t524288.0\n1376315146;\t4;\t8000.0;\t0.0;\t0.0;\t2097152.0;\t0.0\n1376315146;\t4;\t1;\t1;\t1;\t1;\t1\n"
        );
        let two = format!("{HEADER}1376314816000;\t2;\t0;\t0;\t0;\t1024;\t0\n");
        let (format, rows, quality) = read(&[("1.csv", one.as_bytes()), ("2.csv", two.as_bytes())]);
        assert_eq!((format, rows.jobs.len(), rows.usage.len()), ("bitbrains", 2, 3));
        let usage: Vec<_> = rows
            .usage
            .iter()
            .map(|row| (row.start.0 / 1_000_000, row.duration.0 / 1_000_000, row.cpus))
            .collect();
        assert_eq!(usage, [(30, 300, Some(1.0)), (330, 300, Some(0.0)), (0, 300, None)]);
        assert_eq!(
            (rows.tasks[0].mem_mib, rows.tasks[0].duration),
            (Some(2048.0), Some(Micros(600_000_000)))
        );
        assert_eq!((rows.jobs[0].name.as_ref(), quality.notes().len()), ("1", 1));
        assert_eq!(
            rejections(&quality),
            ["line 4: `Timestamp [ms]` is `1376315146`: expected a time after that of the row before"]
        );
    }
}
