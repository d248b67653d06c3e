//! Azure's VM traces of 2017 (V1) and 2019 (V2): the virtual machines of a region over 30 days, without headers, in seconds.
//!
//! Cortez et al., "Resource Central", SOSP 2017. A VM is a job of one task. V2 says cores and memory in buckets. What was
//! created at 0 was there before the trace, and what is said to be deleted with its last reading runs on.

use rustc_hash::FxHashMap;
use std::borrow::Cow;

use crate::{
    Context, Format, Grouping, JobRow, Micros, Source, Status, TaskRow, TraceError, UsageRow,
    format::{Part, Table},
    read::alibaba::mark,
    row::{Extra, Value, Whose},
    shape::{Kind, fits},
    table::{Header, Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "azure-vm",
    about: "Azure's VM traces V1 (2017) and V2 (2019): VMs, subscriptions, deployments, CPU readings",
    source: "github.com/Azure/AzurePublicDataset; CC-BY 4.0",
    grouping: Grouping::Together,
    detect,
    read,
};

const VMS: Table = "vmtable";
const SUBSCRIPTIONS: Table = "subscriptions";
const DEPLOYMENTS: Table = "deployments";
const READINGS: Table = "vm_cpu_readings";

const VM_COLUMNS: &[&str] = &[
    "vm id",
    "subscription id",
    "deployment id",
    "timestamp vm created",
    "timestamp vm deleted",
    "max cpu",
    "avg cpu",
    "p95 max cpu",
    "vm category",
    "vm virtual core count",
    "vm memory (gb)",
];
const SUBSCRIPTION_COLUMNS: &[&str] = &["subscription id", "timestamp first vm created", "count vms created"];
const DEPLOYMENT_COLUMNS: &[&str] = &["deployment id", "deployment size"];
const READING_COLUMNS: &[&str] = &["timestamp", "vm id", "min cpu", "max cpu", "avg cpu"];

/// From the last reading on, a deletion is the end of the trace.
const LAST_READING: Micros = Micros(2_591_700_000_000);
const INTERVAL: Micros = Micros(300_000_000);
/// What stands for the open buckets of V2, `>24` cores and `>64` GB.
const MOST_CORES: f64 = 30.0;
const MOST_MEMORY_GIB: f64 = 70.0;

fn layout(columns: &'static [&'static str]) -> Layout {
    Layout { header: Header::None, ..Layout::headerless(columns) }
}

fn detect(source: &Source) -> Option<Table> {
    use Kind::{Any, Base64, Int, Name, Number, Word};
    let category = Word(&["Delay-insensitive", "Interactive", "Unknown"]);
    let (id, number) = (Base64(32), Number);
    let tables: [(Table, &[Kind]); 4] = [
        (VMS, &[Name, Name, Name, number, number, number, number, number, category, Any, Any]),
        (SUBSCRIPTIONS, &[id, Int, Int]),
        (DEPLOYMENTS, &[id, Int]),
        (READINGS, &[Int, id, number, number, number]),
    ];
    tables.into_iter().find(|(_, kinds)| fits(source, kinds)).map(|(table, _)| table)
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    for said in [
        "GB of memory are GiB".to_owned(),
        format!(
            "V2 says cores and memory in buckets: `>24` stands for {MOST_CORES} cores, `>64` for {MOST_MEMORY_GIB} GB, others for their bounds"
        ),
        "a VM created at 0 was there before the trace; one deleted at 2,591,700 s or later runs on"
            .to_owned(),
    ] {
        context.quality.assume(said);
    }
    let of = |table: Table| parts.iter().filter(move |part| part.table == table);
    let with_readings = context.options.usage && of(READINGS).next().is_some();
    let mut vms = Vms { sizes: with_readings.then(FxHashMap::default), numbers: 0 };
    for part in of(VMS) {
        rows(part, &layout(VM_COLUMNS), context, |row, context| vms.row(row, context))?;
    }
    for part in of(SUBSCRIPTIONS) {
        rows(part, &layout(SUBSCRIPTION_COLUMNS), context, |row, _| {
            row.name(0)?;
            row.number(1)?;
            row.count::<u64>(2)?;
            Ok(())
        })?;
    }
    for part in of(DEPLOYMENTS) {
        rows(part, &layout(DEPLOYMENT_COLUMNS), context, |row, _| {
            row.name(0)?;
            row.count::<u64>(1)?;
            Ok(())
        })?;
    }
    if !context.options.usage {
        return Ok(());
    }
    for part in of(READINGS) {
        rows(part, &layout(READING_COLUMNS), context, |row, context| vms.reading(row, context))?;
    }
    Ok(())
}

struct Vms {
    /// Number and cores of each VM by the mark of its name, if readings are to come.
    sizes: Option<FxHashMap<u64, (u64, Option<f64>)>>,
    numbers: u64,
}

impl Vms {
    fn row(&mut self, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
        let name = row.name(0)?;
        let created = time(row, 3)?.ok_or_else(|| row.wrong(3, "a time in seconds"))?;
        let deleted = time(row, 4)?;
        let (cpus, memory) =
            (bucket(row, 9, MOST_CORES, context)?, bucket(row, 10, MOST_MEMORY_GIB, context)?);
        let end = deleted.filter(|deleted| *deleted < LAST_READING);
        let duration = end.and_then(|end| end.since(created));
        if end.is_some() && duration.is_none() {
            return Err(row.wrong(4, "a time after the creation"));
        }
        let status = Some(if end.is_some() { Status::Killed } else { Status::Running });
        let (number, submit) = (self.numbers, Some(created));
        context.task(&TaskRow {
            job: number,
            instances: 1,
            cpus,
            mem_mib: memory.map(|gib| gib * 1024.0),
            submit,
            start: submit,
            end,
            duration,
            status,
            attempts: 1,
            extra: extra(row, created)?,
            ..TaskRow::default()
        })?;
        context.job(&JobRow {
            number,
            name: name.into(),
            user: row.text(1)?.map(Cow::Borrowed),
            group: row.text(2)?.map(Cow::Borrowed),
            class: row.text(8)?.map(Cow::Borrowed),
            submit,
            start: submit,
            end,
            status,
            ..JobRow::default()
        })?;
        self.numbers += 1;
        if let Some(sizes) = &mut self.sizes {
            sizes.insert(mark(&[name.as_bytes()]), (number, cpus));
        }
        Ok(())
    }

    fn reading(&self, row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
        let start = time(row, 0)?.ok_or_else(|| row.wrong(0, "a time in seconds"))?;
        let name = row.name(1)?;
        let known = self.sizes.as_ref().and_then(|sizes| sizes.get(&mark(&[name.as_bytes()])));
        let (whose, cores) = match known {
            Some(&(number, cores)) => (Whose::Task(number, 0), cores),
            None => (Whose::Machine(name.into()), None),
        };
        let cores = cores.unwrap_or_else(|| {
            context.quality.note("readings of VMs of unknown size: per cent of one core", 1);
            1.0
        });
        let of = |percent: Option<f64>| percent.map(|percent| percent / 100.0 * cores);
        let (cpus, cpus_max) = (of(row.amount(4)?), of(row.amount(3)?));
        let (duration, mem_mib, gpus) = (INTERVAL, None, None);
        Ok(context.usage(&UsageRow { whose, start, duration, cpus, cpus_max, mem_mib, gpus })?)
    }
}

fn time(row: Row<'_>, column: usize) -> Result<Option<Micros>, RowError> {
    let Some(seconds) = row.amount(column)? else { return Ok(None) };
    Micros::from_secs_f64(seconds).map(Some).ok_or_else(|| row.wrong(column, "a time in seconds"))
}

/// A number, or the open bucket (`>24`).
fn bucket(
    row: Row<'_>,
    column: usize,
    most: f64,
    context: &mut Context<'_>,
) -> Result<Option<f64>, RowError> {
    if row.raw(column).first() == Some(&b'>') {
        context.quality.note("sizes in the open bucket of V2", 1);
        return Ok(Some(most));
    }
    let size = row.amount(column)?;
    if size.is_none() {
        context.quality.miss(VM_COLUMNS[column]);
    }
    Ok(size)
}

fn extra(row: Row<'_>, created: Micros) -> Result<Extra<'static>, RowError> {
    let before = (created.0 == 0).then_some(("started_before_trace", Value::Number(1.0)));
    let mut extra: Extra<'static> = before.into_iter().collect();
    for (name, column) in [("cpu_max_percent", 5), ("cpu_avg_percent", 6), ("cpu_p95_max_percent", 7)] {
        extra.extend(row.amount(column)?.map(|percent| (name, Value::Number(percent))));
    }
    Ok(extra)
}

#[cfg(test)]
mod tests {
    use crate::{
        Micros, Quality, Status,
        read::testing::{read, rejections},
        row::Whose,
        sink::Collected,
    };

    const A: &str = "x/XsOfHO4ocsV99i4NluqKDuxctW2MMVmwqOPAlg4wp8mqbBOe3wxBlQo0+Qx+uf";
    const B: &str = "H5CxmMoVcZSpjgGbohnVA3R+7uCTe/hM2ht2uIYi3t7KwXB64s+KcmIFOR2dkn6x";

    fn trace(files: &[(&str, &str)]) -> (Collected, Quality) {
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        let (format, rows, quality) = read(&files);
        assert_eq!(format, "azure-vm");
        (rows, quality)
    }

    #[test]
    fn a_vm_is_a_job_of_one_task_censored_at_both_ends_of_the_trace() {
        let text = format!(
            "{A},sub,dep,0,2591700,99.3,3.4,91.7,Delay-insensitive,1,1.75\n{B},sub,dep,600,900,9,3,8,Interactive,2,0.75\n"
        );
        let (rows, _) = trace(&[("v", &text)]);
        let (old, new) = (&rows.tasks[0], &rows.tasks[1]);
        assert_eq!((old.status, old.end, old.mem_mib), (Some(Status::Running), None, Some(1792.0)));
        assert_eq!(old.number_of("started_before_trace"), Some(1.0));
        assert_eq!(
            (new.duration, new.status, new.cpus),
            (Some(Micros(300_000_000)), Some(Status::Killed), Some(2.0))
        );
        assert_eq!(
            (new.number_of("started_before_trace"), new.number_of("cpu_avg_percent")),
            (None, Some(3.0))
        );
        let job = &rows.jobs[0];
        assert_eq!((job.user.as_deref(), job.group.as_deref()), (Some("sub"), Some("dep")));
        assert_eq!(job.class.as_deref(), Some("Delay-insensitive"));
    }

    #[test]
    fn the_open_buckets_of_v2_are_taken_and_counted() {
        let text = format!("{A},s,d,0,2592000,1,1,1,Unknown,>24,>64\n{B},s,d,0,2592000,1,1,1,Unknown,8,32\n");
        let (rows, quality) = trace(&[("v", &text)]);
        let sizes: Vec<_> = rows.tasks.iter().map(|task| (task.cpus, task.mem_mib)).collect();
        assert_eq!(sizes, [(Some(30.0), Some(71_680.0)), (Some(8.0), Some(32_768.0))]);
        assert_eq!(quality.notes()["sizes in the open bucket of V2"], 2);
    }

    #[test]
    fn readings_are_per_cent_of_the_cores_of_their_vm() {
        let vms = format!("{A},s,d,0,2592000,1,1,1,Unknown,4,32\n");
        let readings = format!("300,{A},1,50,25\n300,{B},1,50,25\n");
        let (subscriptions, deployments) = (format!("{A},0,7\n"), format!("{B},3\n"));
        let files = [("d", deployments), ("r", readings), ("s", subscriptions), ("v", vms)];
        let (rows, quality) = trace(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
        let used: Vec<_> =
            rows.usage.iter().map(|usage| (&usage.whose, usage.cpus, usage.cpus_max)).collect();
        let other = Whose::Machine(B.into());
        assert_eq!(used, [(&Whose::Task(0, 0), Some(1.0), Some(2.0)), (&other, Some(0.25), Some(0.5))]);
        assert_eq!(quality.notes()["readings of VMs of unknown size: per cent of one core"], 1);
        assert_eq!((quality.files().len(), quality.rows()), (4, 5));
    }

    #[test]
    fn bad_rows_are_rejected_by_line() {
        let good = format!("{A},s,d,0,2592000,1,1,1,Unknown,4,32\n");
        let bad = format!(
            "{A},s,d,900,600,1,1,1,Unknown,4,32\n{A},s,d,,600,1,1,1,Unknown,4,32\n{A},s,d,0,1,1,1,1,Unknown,-4,32\n"
        );
        let (rows, quality) = trace(&[("v", &format!("{good}{good}{good}{bad}"))]);
        assert_eq!((rows.jobs.len(), rows.tasks.len()), (3, 3));
        let expected = [
            "line 4: `timestamp vm deleted` is `600`: expected a time after the creation",
            "line 5: `timestamp vm created` is ``: expected a time in seconds",
            "line 6: `vm virtual core count` is `-4`: expected a number, 0 or more",
        ];
        assert_eq!(rejections(&quality), expected);
    }
}
