//! When machines fail and come back: a CSV file with the columns `time_s`, `machine` and `event`.

use std::path::Path;

use mesos::time::{Span, Time};

use super::{
    TraceError,
    table::{Columns, Row, Table},
};

const COLUMNS: Columns = Columns { required: &["time_s", "machine", "event"], optional: &[] };

/// A machine fails or comes back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MachineEvent {
    /// When: seconds in the file, with or without decimals.
    pub at: Time,
    /// Host name of the machine.
    pub machine: String,
    /// Whether it fails.
    pub down: bool,
    /// The line of the file.
    pub line: u64,
}

/// Reads all events, in the order of the file.
///
/// # Errors
/// There is no such file, or it says something else.
pub fn read(path: &Path) -> Result<Vec<MachineEvent>, TraceError> {
    Table::open(path, COLUMNS)?.read(event)
}

fn event(row: Row<'_>) -> Result<MachineEvent, TraceError> {
    let seconds: Option<f64> = row.text("time_s").parse().ok();
    let since_start = seconds.and_then(Span::from_secs_f64);
    let at = since_start.ok_or_else(|| row.wrong("time_s", "a number of seconds, 0 or more"))?;
    let machine = row.name("machine")?.to_owned();
    let event = row.some_word("event", &["down", "up"])?;
    let event = event.ok_or_else(|| row.wrong("event", "`down` or `up`"))?;
    Ok(MachineEvent { at: Time::ZERO + at, machine, down: event == "down", line: row.line() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<MachineEvent>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, text).unwrap();
        read(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn events_are_read_in_any_order_of_columns() {
        let events = read_text("machine,time_s,event\nm1,0.5,down\nm2,3,up\n").unwrap();
        let plain: Vec<_> =
            events.iter().map(|event| (event.at.0, event.machine.as_str(), event.down, event.line)).collect();
        assert_eq!(plain, [(500_000_000, "m1", true, 2), (3_000_000_000, "m2", false, 3)]);
    }

    #[test]
    fn a_bad_event_is_told_with_its_line() {
        for (row, said) in [
            ("-1,m1,down", "column `time_s` is `-1`: expected a number of seconds, 0 or more"),
            ("1,,down", "column `machine`"),
            ("1,m1,dwon", "expected `down`"),
            ("1,m1,", "expected `down` or `up`"),
        ] {
            let error = read_text(&format!("time_s,machine,event\n0,m1,up\n{row}\n")).unwrap_err();
            assert!(error.contains(said) && error.contains(":3:"), "{row}: {error}");
        }
        assert!(read_text("time,machine,event\n1,m1,up\n").unwrap_err().contains("`time_s`"));
    }
}
