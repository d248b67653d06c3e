//! Reads the database.

use rusqlite::{Connection, OpenFlags, Row, types::ValueRef};
use std::collections::BTreeMap;

use crate::{
    Context, JobRow, Micros, Status, TaskRow, TraceError,
    format::Part,
    quality::{Rejection, shown},
    row::{Extra, Value},
};

const VMS: &str = "SELECT vmId, tenantId, vmTypeId, priority, starttime, endtime FROM vm ORDER BY rowid";
const TYPES: &str =
    "SELECT vmTypeId, machineId, core, memory, hdd, ssd, nic FROM vmType ORDER BY vmTypeId, machineId";
const EXPECTED: &str = "an SQLite database with the tables `vm` and `vmType` of Azure's trace for packing";
/// After so many rows somebody outside hears of progress.
const TICK: u64 = 1 << 14;

/// The shares of one type of machine that a VM takes.
#[derive(Clone, Copy, Debug)]
struct Shares {
    machine: i64,
    core: Option<f64>,
    memory: Option<f64>,
    hdd: Option<f64>,
    ssd: Option<f64>,
    nic: Option<f64>,
}

type Types = BTreeMap<i64, Vec<Shares>>;

pub(super) fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    for said in [
        format!(
            "a VM asks for shares of the first type of machine that it can run on, taken as one of {} cores and {} MiB",
            context.options.largest_cpus, context.options.largest_mem_mib
        ),
        "VMs that started before 0 were there before the trace; those without an end run on".to_owned(),
    ] {
        context.quality.assume(said);
    }
    for part in parts {
        context.quality.begin(&part.source.path, part.table);
        context.quality.file().bytes = std::fs::metadata(&part.source.path).map_or(0, |data| data.len());
        database(part, context)?;
    }
    Ok(())
}

fn database(part: &Part<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
    let wrong = |error: rusqlite::Error| malformed(part, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&part.source.path, flags).map_err(wrong)?;
    let types = types(&connection).map_err(wrong)?;
    let mut statement = connection.prepare(VMS).map_err(wrong)?;
    let mut rows = statement.query([]).map_err(wrong)?;
    let mut number = 0;
    while let Some(row) = rows.next().map_err(wrong)? {
        let file = context.quality.file();
        file.rows += 1;
        let line = file.rows;
        if line.is_multiple_of(TICK) {
            context.tick()?;
        }
        match Vm::of(row) {
            Ok(vm) => {
                vm.emit(number, types.get(&vm.kind).map_or(&[], Vec::as_slice), context)?;
                number += 1;
            }
            Err((column, found, expected)) => {
                context.quality.reject(Rejection { line, column, found, expected: expected.into() });
            }
        }
    }
    Ok(())
}

fn malformed(part: &Part<'_>, error: &rusqlite::Error) -> TraceError {
    let (path, problem, expected) = (part.source.path.clone(), error.to_string(), EXPECTED.to_owned());
    TraceError::Malformed { path, line: None, problem, expected }
}

fn types(connection: &Connection) -> Result<Types, rusqlite::Error> {
    let mut types = Types::new();
    let mut statement = connection.prepare(TYPES)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let share = |column: usize| row.get::<_, Option<f64>>(column);
        let shares = Shares {
            machine: row.get(1)?,
            core: share(2)?,
            memory: share(3)?,
            hdd: share(4)?,
            ssd: share(5)?,
            nic: share(6)?,
        };
        types.entry(row.get(0)?).or_default().push(shares);
    }
    Ok(types)
}

#[derive(Clone, Copy, Debug)]
struct Vm {
    id: i64,
    tenant: Option<i64>,
    kind: i64,
    priority: Option<i64>,
    start: Micros,
    end: Option<Micros>,
}

type Wrong = (&'static str, String, &'static str);

impl Vm {
    fn of(row: &Row<'_>) -> Result<Self, Wrong> {
        let int = |at: usize, name: &'static str| {
            row.get::<_, Option<i64>>(at).map_err(|_| (name, found(row, at), "a whole number"))
        };
        let need = |at: usize, name: &'static str| {
            int(at, name)?.ok_or_else(|| (name, found(row, at), "a whole number"))
        };
        let days = |at: usize, name: &'static str| -> Result<Option<Micros>, Wrong> {
            let wrong = || (name, found(row, at), "a number of days");
            let days = row.get::<_, Option<f64>>(at).map_err(|_| wrong())?;
            days.map(|days| Micros::from_secs_f64(days * 86_400.0).ok_or_else(wrong)).transpose()
        };
        let vm = Self {
            id: need(0, "vmId")?,
            tenant: int(1, "tenantId")?,
            kind: need(2, "vmTypeId")?,
            priority: int(3, "priority")?,
            start: days(4, "starttime")?.ok_or_else(|| ("starttime", found(row, 4), "a number of days"))?,
            end: days(5, "endtime")?,
        };
        if vm.end.is_some_and(|end| end < vm.start) {
            return Err(("endtime", found(row, 5), "a time after the start"));
        }
        Ok(vm)
    }

    fn emit(self, number: u64, types: &[Shares], context: &mut Context<'_>) -> Result<(), TraceError> {
        let (submit, end) = (Some(self.start), self.end);
        let status = Some(if end.is_some() { Status::Killed } else { Status::Running });
        // In the trace 0 is the high priority and 1 the low one, whose VMs may be evicted.
        let priority = self.priority.map(|priority| -priority);
        let first = types.first();
        context.quality.note("VMs of a type that no machine can run", u64::from(first.is_none()));
        let constraints = match types {
            [only] => Some(format!("machine_type == {}", only.machine).into()),
            [] | [_, ..] => None,
        };
        context.task(&TaskRow {
            job: number,
            instances: 1,
            cpus: first.and_then(|shares| Some(shares.core? * context.options.largest_cpus)),
            mem_mib: first.and_then(|shares| Some(shares.memory? * context.options.largest_mem_mib)),
            submit,
            start: submit,
            end,
            duration: end.and_then(|end| end.since(self.start)),
            status,
            priority,
            attempts: 1,
            constraints,
            extra: extra(types),
            ..TaskRow::default()
        })?;
        context.job(&JobRow {
            number,
            name: self.id.to_string().into(),
            user: self.tenant.map(|tenant| tenant.to_string().into()),
            application: Some(self.kind.to_string().into()),
            priority,
            submit,
            start: submit,
            end,
            status,
            ..JobRow::default()
        })
    }
}

/// The types of machines that a VM can run on, and its shares of the first one's other resources.
fn extra(types: &[Shares]) -> Extra<'static> {
    let Some(first) = types.first() else { return Vec::new() };
    let machines: Vec<String> = types.iter().map(|shares| shares.machine.to_string()).collect();
    let mut extra = vec![("machine_types", Value::Text(machines.join("|").into()))];
    for (name, share) in [("hdd_share", first.hdd), ("ssd_share", first.ssd), ("nic_share", first.nic)] {
        extra.extend(share.map(|share| (name, Value::Number(share))));
    }
    extra
}

fn found(row: &Row<'_>, at: usize) -> String {
    match row.get_ref(at) {
        Ok(ValueRef::Null) | Err(_) => String::new(),
        Ok(ValueRef::Integer(number)) => number.to_string(),
        Ok(ValueRef::Real(number)) => number.to_string(),
        Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => shown(bytes),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use crate::{Micros, Options, Quality, Status, Trace, TraceError, row::Value, sink::Collected};

    fn read(sql: &str) -> Result<(Collected, Quality), TraceError> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("packing");
        Connection::open(&path).and_then(|open| open.execute_batch(sql)).expect("a database");
        let mut rows = Collected::default();
        let trace = Trace::one(&path, None).expect("a known format");
        assert_eq!(trace.format.name, "azure-packing");
        let quality = trace.read(&Options::default(), &mut rows, &mut |_| true)?;
        Ok((rows, quality))
    }

    const TABLES: &str = "CREATE TABLE vmType (id INTEGER PRIMARY KEY, vmTypeId INTEGER, machineId INTEGER, core REAL, \
                          memory REAL, hdd REAL, ssd REAL, nic REAL);
                          CREATE TABLE vm (vmId INTEGER, tenantId INTEGER, vmTypeId INTEGER, priority INTEGER, \
                          starttime REAL, endtime REAL);
                          INSERT INTO vmType VALUES (1, 7, 3, 0.25, 0.125, NULL, 0.5, 0.1), (2, 7, 1, 0.5, 0.25, 0.1, NULL, 0.1), \
                          (3, 8, 2, 0.5, 0.25, NULL, NULL, NULL);";

    #[test]
    fn vms_ask_for_shares_of_the_first_type_of_machine_they_can_run_on() {
        let vms =
            "INSERT INTO vm VALUES (10, 4, 7, 0, -0.5, 1), (11, 4, 8, 1, 0.25, NULL), (12, 5, 9, 1, 1, 2);";
        let (rows, quality) = read(&format!("{TABLES}{vms}")).expect("rows");
        let task = &rows.tasks[0];
        assert_eq!((task.cpus, task.mem_mib, task.priority), (Some(32.0), Some(65_536.0), Some(0)));
        assert_eq!(
            (task.start, task.duration),
            (Some(Micros(-43_200_000_000)), Some(Micros(129_600_000_000)))
        );
        assert_eq!(task.extra[0], ("machine_types", Value::Text("1|3".into())));
        let task = &rows.tasks[1];
        assert_eq!((task.priority, task.end, task.status), (Some(-1), None, Some(Status::Running)));
        assert_eq!(task.constraints.as_deref(), Some("machine_type == 2"));
        assert_eq!((rows.tasks[2].cpus, &*rows.jobs[2].name), (None, "12"));
        assert_eq!(quality.notes()["VMs of a type that no machine can run"], 1);
    }

    #[test]
    fn bad_rows_are_rejected_and_another_database_is_refused() {
        let vms = "INSERT INTO vm VALUES (10, 4, 7, 0, NULL, 1), (11, 4, 8, 1, 5, 2), (12, 5, 'x', 1, 1, 2);";
        let (rows, quality) = read(&format!("{TABLES}{vms}")).expect("rows");
        assert_eq!((rows.jobs.len(), quality.rows()), (0, 3));
        let expected = [
            "line 1: `starttime` is ``: expected a number of days",
            "line 2: `endtime` is `2`: expected a time after the start",
            "line 3: `vmTypeId` is `x`: expected a whole number",
        ];
        assert_eq!(crate::read::testing::rejections(&quality), expected);
        let other = read("CREATE TABLE songs (name TEXT);");
        assert!(
            matches!(&other, Err(TraceError::Malformed { problem, .. }) if problem.contains("no such table"))
        );
    }
}
