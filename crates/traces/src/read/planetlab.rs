//! CPU utilization of PlanetLab's virtual machines, every five minutes over a day, as CloudSim ships it: whole per cents.
//!
//! Park and Pai, "CoMon", OSR 2006; Beloglazov and Buyya, CCPE 2012. There are two layouts: a line for each VM (its name, then
//! 288 numbers), and a file for each VM (a number on each of 288 lines), which is named by its file.

use std::borrow::Cow;

use crate::{
    Context, Format, Grouping, JobRow, Micros, Source, TaskRow, TraceError, UsageRow,
    format::{Part, Table},
    row::Whose,
    shape::{Kind, fits},
    table::{Header, Layout, Row, RowError, rows},
};

/// A line for each VM, a file for each day. See the [module](self).
pub const FORMAT: Format = Format {
    name: "planetlab",
    about: "PlanetLab's CPU utilization over a day: a line for each VM, with 288 per cents",
    source: "CoMon project, distributed with CloudSim (github.com/Cloudslab/cloudsim)",
    grouping: Grouping::File,
    detect: |source| fits(source, &KINDS).then_some("days"),
    read: read_days,
};

/// A file for each VM, a directory for each day. See the [module](self).
pub const FORMAT_OF_FILES: Format = Format {
    name: "planetlab-files",
    about: "PlanetLab's CPU utilization over a day: a file for each VM, with 288 lines of per cents",
    source: "CoMon project, distributed with CloudSim (github.com/Cloudslab/cloudsim)",
    grouping: Grouping::Directory,
    detect: detect_vm,
    read: read_vms,
};

const SAMPLES: usize = 288;
const INTERVAL: Micros = Micros(300_000_000);
const DAY: Micros = Micros(86_400_000_000);
const PERCENT: &str = "CPU utilization, per cent";

const COLUMNS: [&str; SAMPLES + 1] = {
    let mut columns = [PERCENT; SAMPLES + 1];
    columns[0] = "VM";
    columns
};
const KINDS: [Kind; SAMPLES + 1] = {
    let mut kinds = [Kind::UpTo(100); SAMPLES + 1];
    kinds[0] = Kind::Name;
    kinds
};

fn detect_vm(source: &Source) -> Option<Table> {
    let is_percent = |line: &str| line.trim().parse().is_ok_and(|percent: u8| percent <= 100);
    let lines = || source.lines().filter(|line| !line.trim().is_empty());
    (lines().count() == SAMPLES && lines().all(is_percent)).then_some("vm")
}

fn assume(context: &mut Context<'_>) {
    context.quality.assume("a VM has one core: the trace does not say how many");
    context.quality.assume("the day begins at 0, and all VMs are there for all of it");
}

fn read_days(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    assume(context);
    let layout = Layout { header: Header::None, ..Layout::headerless(&COLUMNS) };
    let mut number = 0;
    for part in parts {
        rows(part, &layout, context, |row, context| {
            let percents = (1..=SAMPLES).map(|column| percent(row, column)).collect::<Result<Vec<_>, _>>()?;
            let name = row.name(0)?;
            emit(number, name, &percents, context)?;
            number += 1;
            Ok(())
        })?;
    }
    Ok(())
}

fn read_vms(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    assume(context);
    let layout = Layout::headerless(&[PERCENT]);
    for (number, part) in (0u64..).zip(parts) {
        let mut percents = Vec::with_capacity(SAMPLES);
        rows(part, &layout, context, |row, _| {
            percents.push(percent(row, 0)?);
            Ok(())
        })?;
        let name = part.source.path.file_name().unwrap_or_default().to_string_lossy();
        emit(number, &name, &percents, context)?;
    }
    Ok(())
}

fn percent(row: Row<'_>, column: usize) -> Result<Option<f64>, RowError> {
    match row.count::<u8>(column)? {
        Some(percent) if percent > 100 => Err(row.wrong(column, "a whole number from 0 to 100")),
        percent => Ok(percent.map(f64::from)),
    }
}

fn emit(
    number: u64,
    name: &str,
    percents: &[Option<f64>],
    context: &mut Context<'_>,
) -> Result<(), TraceError> {
    let (begin, end) = (Some(Micros(0)), Some(DAY));
    context.task(&TaskRow {
        job: number,
        instances: 1,
        cpus: Some(1.0),
        submit: begin,
        start: begin,
        end,
        duration: Some(DAY),
        attempts: 1,
        ..TaskRow::default()
    })?;
    let name = Cow::Borrowed(name);
    context.job(&JobRow { number, name, submit: begin, start: begin, end, ..JobRow::default() })?;
    for (sample, percent) in (0i64..).zip(percents) {
        let Some(percent) = percent else {
            context.quality.miss(PERCENT);
            continue;
        };
        context.usage(&UsageRow {
            whose: Whose::Task(number, 0),
            start: Micros(sample * INTERVAL.0),
            duration: INTERVAL,
            cpus: Some(percent / 100.0),
            cpus_max: None,
            mem_mib: None,
            gpus: None,
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros,
        read::testing::{read, rejections},
        row::Whose,
    };

    #[test]
    fn a_line_is_a_vm_with_288_measurements() {
        let numbers = |percent: &str| vec![percent; 288].join(",");
        let text = format!("host_a,{}\nhost_b,{}\nhost_c,{}\n", numbers("25"), numbers("99"), numbers("0"));
        let bad = format!("host_d,{}\nhost_e,1,2\n", numbers("101"));
        let (format, rows, quality) = read(&[("20110303", format!("{text}{bad}").as_bytes())]);
        assert_eq!((format, rows.jobs.len(), rows.usage.len()), ("planetlab", 3, 3 * 288));
        assert_eq!((&*rows.jobs[1].name, rows.tasks[1].duration), ("host_b", Some(Micros(86_400_000_000))));
        let last = &rows.usage[287];
        assert_eq!(
            (&last.whose, last.start, last.cpus),
            (&Whose::Task(0, 0), Micros(86_100_000_000), Some(0.25))
        );
        let expected = [
            "line 4: `CPU utilization, per cent` is `101`: expected a whole number from 0 to 100",
            "line 5: 3 fields: expected 289 fields",
        ];
        assert_eq!(rejections(&quality), expected);
    }

    #[test]
    fn a_directory_of_files_of_288_lines_is_a_day() {
        let file = "7\n".repeat(288);
        let (format, rows, quality) =
            read(&[("vm_a", file.as_bytes()), ("vm_b", file.trim_end().as_bytes())]);
        assert_eq!((format, rows.jobs.len(), rows.usage.len()), ("planetlab-files", 2, 2 * 288));
        assert_eq!((&*rows.jobs[1].name, quality.rejected()), ("vm_b", 0));
    }
}
