//! When machines fail and come back: a CSV file with the columns `time_s`, `machine` and `event` (`down` or `up`).
//!
//! The format is mesosim's own, for faults that were recorded elsewhere. Rows may come in any order of time.

use crate::{
    Context, Format, Grouping, MachineEventRow, Source, TraceError,
    fields::{needed, needed_seconds, word},
    format::{Part, Table},
    row::MachineEvent,
    table::{Layout, Row, RowError, rows},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "machine-events",
    about: "When machines fail and come back: CSV with time_s, machine, event (down, up)",
    source: "mesosim",
    grouping: Grouping::File,
    detect,
    read,
};

const COLUMNS: &[&str] = &["time_s", "machine", "event"];
const TIME: usize = 0;
const MACHINE: usize = 1;
const EVENT: usize = 2;

const LAYOUT: Layout = Layout::with_header(COLUMNS, COLUMNS.len());

fn detect(source: &Source) -> Option<Table> {
    LAYOUT.begins(source).then_some("events")
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    for part in parts {
        LAYOUT.has_no_other_columns(part)?;
        rows(part, &LAYOUT, context, event)?;
    }
    Ok(())
}

fn event(row: Row<'_>, context: &mut Context<'_>) -> Result<(), RowError> {
    let word = needed(row, EVENT, word(row, EVENT, &["down", "up"])?, "`down` or `up`")?;
    let event = if word == "down" { MachineEvent::Remove } else { MachineEvent::Add };
    let machine = row.name(MACHINE)?.into();
    let at = needed_seconds(row, TIME)?;
    Ok(context.machine_event(&MachineEventRow {
        at,
        machine,
        event,
        cpus: None,
        mem_mib: None,
        attribute: None,
    })?)
}

#[cfg(test)]
mod tests {
    use crate::{
        read::testing::{read, rejections},
        row::MachineEvent,
    };

    #[test]
    fn events_are_read_in_any_order_of_columns_and_of_time() {
        let (format, rows, quality) = read(&[("e.csv", b"machine,time_s,event\nm2,3,up\nm1,0.5,down\n")]);
        let plain: Vec<_> =
            rows.machine_events.iter().map(|row| (row.at.0, &*row.machine, row.event)).collect();
        let expected = [(3_000_000, "m2", MachineEvent::Add), (500_000, "m1", MachineEvent::Remove)];
        assert_eq!((format, plain.as_slice()), ("machine-events", &expected[..]));
        assert_eq!((quality.rows(), quality.rejected()), (2, 0));
    }

    #[test]
    fn a_bad_event_is_told_with_its_line() {
        let text = "time_s,machine,event\n0,m1,up\n-1,m1,down\n\n1,,down\n1,m1,dwon\n1,m1,\nx,m1,up\n1,m1\n";
        let (_, rows, quality) = read(&[("e.csv", text.as_bytes())]);
        assert_eq!(rows.machine_events.len(), 1);
        let expected = [
            "line 3: `time_s` is `-1`: expected a number of seconds, 0 or more",
            "line 5: `machine` is ``: expected a name",
            "line 6: `event` is `dwon`: expected `down`",
            "line 7: `event` is ``: expected `down` or `up`",
            "line 8: `time_s` is `x`: expected a number",
            "line 9: 2 fields: expected 3 fields",
        ];
        assert_eq!(rejections(&quality), expected);
    }
}
