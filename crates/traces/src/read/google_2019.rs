//! Google ClusterData 2019 (Borg, third version): eight cells over May 2019, as tables exported from BigQuery, as JSON lines or
//! as CSV with a header.
//!
//! Tirmazi et al., "Borg: the Next Generation", EuroSys 2020. Exports write whole numbers of 64 bits as texts, leave out what
//! is NULL, nest records or flatten them with dots or underscores, and are in no order unless they were asked for in one: a
//! file that begins in disorder is sorted in memory; others are merged by time, like the trace of 2011. The numbers of events
//! are not those of 2011.

mod fields;

use std::collections::VecDeque;

use self::fields::Fields;
use crate::{
    Context, Format, Grouping, Source, Status, TraceError,
    format::{Part, Table},
    read::{
        borg::{BEGIN, JobEvent, Join, TaskEvent, Transition, Usage},
        borg_machines::{AttributeChange, MachineChange},
    },
    row::MachineEvent,
    table::{Delimiter, Header, Layout, Reader, RowError},
};

/// See the [module](self).
pub const FORMAT: Format = Format {
    name: "google-2019",
    about: "Google Borg 2019 exports (JSON lines or CSV): events of collections, instances and machines, usage",
    source: "github.com/google/cluster-data, ClusterData2019; CC-BY",
    grouping: Grouping::Together,
    detect: fields::detect,
    read,
};

const ATTRIBUTES: Table = "machine_attributes";
const MACHINES: Table = "machine_events";
const COLLECTIONS: Table = "collection_events";
const INSTANCES: Table = "instance_events";
const USAGE: Table = "instance_usage";
/// A join of all tables that is spread under the name of the trace.
const JOINED: Table = "joined";

/// The tables in the order in which rows of the same time are taken: what is referred to comes first.
const TABLES: [Table; 5] = [ATTRIBUTES, MACHINES, COLLECTIONS, INSTANCES, USAGE];

/// A row of any table, with texts of its own.
#[derive(Clone, Debug)]
enum Event {
    Attribute { time: i64, id: i64, name: Box<str>, value: Option<Box<str>> },
    Machine(Box<Machine>),
    Collection(Box<Collection>),
    Instance(Box<TaskEvent<'static>>),
    Usage(Usage),
}

#[derive(Clone, Debug)]
struct Machine {
    time: i64,
    id: i64,
    what: MachineEvent,
    platform: Option<String>,
    switch: Option<String>,
    cpus: Option<f64>,
    mem: Option<f64>,
}

#[derive(Clone, Debug)]
struct Collection {
    time: i64,
    id: i64,
    what: Transition,
    user: Option<String>,
    class: Option<i64>,
    priority: Option<i64>,
    name: Option<String>,
    logical_name: Option<String>,
    after: Vec<i64>,
    spread: Option<String>,
    is_alloc_set: bool,
}

fn layout(table: Table, is_json: bool) -> Layout {
    let columns = fields::columns(table);
    if is_json {
        let (header, fields, delimiter) = (Header::None, 1..=1, Delimiter::Whole);
        return Layout { columns, header, fields, delimiter, comment: None };
    }
    Layout::with_header(columns, fields::required(table))
}

fn read(parts: &[Part<'_>], context: &mut Context<'_>) -> Result<(), TraceError> {
    if let Some(part) = parts.iter().find(|part| part.table == JOINED) {
        return Err(TraceError::Malformed {
            path: part.source.path.clone(),
            line: Some(1),
            problem: "this is the sample `borg_traces_data.csv`, a join of all tables with a part of their rows, from which \
                      tasks cannot be told"
                .to_owned(),
            expected: "tables as they are exported from BigQuery, such as instance_events and collection_events"
                .to_owned(),
        });
    }
    assume(context);
    let has = |table: Table| parts.iter().any(|part| part.table == table);
    let mut join = Join::new(context.options, has(COLLECTIONS), has(MACHINES));
    let layouts = TABLES.map(|table| (layout(table, true), layout(table, false)));
    let mut streams = Vec::new();
    for (table, layouts) in TABLES.into_iter().zip(&layouts) {
        let is_wanted = table != USAGE || context.options.usage;
        let mut stream = Stream::new(table, layouts, parts);
        if is_wanted && stream.advance(context)? {
            streams.push(stream);
        }
    }
    while let Some(next) = (0..streams.len()).min_by_key(|&at| (streams[at].time, at)) {
        let stream = &mut streams[next];
        if let Some(event) = stream.event.take() {
            take(event, &mut join, context)?;
        }
        if !stream.advance(context)? {
            let disorder = streams.remove(next).disorder;
            context
                .quality
                .note("rows with an earlier time than the row before: taken as they come", disorder);
        }
    }
    join.finish(context)
}

fn assume(context: &mut Context<'_>) {
    let options = context.options;
    for said in [
        format!(
            "amounts are shares of the largest machine: {} cores, {} MiB of memory",
            options.largest_cpus, options.largest_mem_mib
        ),
        format!("times are kept as they are: the trace begins at {BEGIN}, and what has the time 0 was so before"),
        "alloc sets are jobs of their own, marked `alloc_set`; tasks that run in one are marked `alloc_collection`"
            .to_owned(),
    ] {
        context.quality.assume(said);
    }
    if !options.usage {
        context.quality.assume("the usage of instances is not wanted: its files were not read");
    }
}

fn take(event: Event, join: &mut Join, context: &mut Context<'_>) -> Result<(), TraceError> {
    match event {
        Event::Attribute { time, id, name, value } => {
            let change = AttributeChange { time, id, name: &name, value: value.as_deref() };
            join.machines.attribute(change, context)
        }
        Event::Machine(machine) => {
            let Machine { time, id, what, platform, switch, cpus, mem } = *machine;
            let (platform, switch) = (platform.as_deref(), switch.as_deref());
            join.machines.change(&MachineChange { time, id, what, platform, switch, cpus, mem }, context)
        }
        Event::Collection(collection) => {
            let Collection { time, id, what, class, priority, is_alloc_set, .. } = *collection;
            let event = JobEvent {
                time,
                id,
                what,
                user: collection.user.as_deref(),
                class,
                priority,
                name: collection.name.as_deref(),
                logical_name: collection.logical_name.as_deref(),
                after: &collection.after,
                spread: collection.spread,
                is_alloc_set,
            };
            join.job(&event, context)
        }
        Event::Instance(event) => join.task(&event, context),
        Event::Usage(usage) => join.usage(usage, context),
    }
}

/// The rows of a table, by time, and the one that comes next.
struct Stream<'a> {
    table: Table,
    layouts: &'a (Layout, Layout),
    parts: VecDeque<&'a Part<'a>>,
    reader: Option<(Reader<'a>, bool)>,
    /// Whether all files begin in order. If not, they are read at once and sorted.
    is_sorted: bool,
    sorted: Option<std::vec::IntoIter<(i64, Event)>>,
    time: i64,
    event: Option<Event>,
    disorder: u64,
}

impl<'a> Stream<'a> {
    fn new(table: Table, layouts: &'a (Layout, Layout), parts: &'a [Part<'a>]) -> Self {
        let mut parts: Vec<_> = parts.iter().filter(|part| part.table == table).collect();
        let times: Vec<Vec<i64>> = parts.iter().map(|part| fields::times(part.source, table)).collect();
        let is_sorted = times.iter().all(|times| !times.is_empty() && times.is_sorted());
        if is_sorted {
            parts.sort_by_key(|part| fields::times(part.source, table).first().copied());
        }
        let parts = parts.into();
        let (reader, sorted, event) = (None, None, None);
        Self { table, layouts, parts, reader, is_sorted, sorted, time: 0, event, disorder: 0 }
    }

    fn advance(&mut self, context: &mut Context<'_>) -> Result<bool, TraceError> {
        let next = if self.is_sorted { self.read(context)? } else { self.next_sorted(context)? };
        let Some((time, event)) = next else { return Ok(false) };
        self.disorder += u64::from(time < self.time);
        (self.time, self.event) = (time, Some(event));
        Ok(true)
    }

    fn next_sorted(&mut self, context: &mut Context<'_>) -> Result<Option<(i64, Event)>, TraceError> {
        if self.sorted.is_none() {
            let mut events = Vec::new();
            while let Some(next) = self.read(context)? {
                events.push(next);
            }
            events.sort_by_key(|(time, event)| (*time, event.rank()));
            context.quality.note("rows in no order: sorted by time in memory", events.len() as u64);
            self.sorted = Some(events.into_iter());
        }
        Ok(self.sorted.as_mut().and_then(Iterator::next))
    }

    /// The next row that can be used, in the order of the files.
    fn read(&mut self, context: &mut Context<'_>) -> Result<Option<(i64, Event)>, TraceError> {
        loop {
            let Some((reader, is_json)) = &mut self.reader else {
                let Some(part) = self.parts.pop_front() else { return Ok(None) };
                let is_json = fields::is_json(part.source);
                let layout = if is_json { &self.layouts.0 } else { &self.layouts.1 };
                self.reader = Some((Reader::open(part, layout, context)?, is_json));
                continue;
            };
            if !reader.advance(context)? {
                self.reader = None;
                continue;
            }
            let fields = Fields::of(reader.row(), *is_json, fields::columns(self.table));
            match fields.and_then(|fields| event(self.table, &fields, context)) {
                Ok(event) => return Ok(Some(event)),
                Err(error) => reader.settle(Err(error), context)?,
            }
        }
    }
}

impl Event {
    /// Of events of one time, what begins something comes before what ends it.
    fn rank(&self) -> u8 {
        let rank = |what: &Transition| match what {
            Transition::Submit => 0,
            Transition::Queue => 1,
            Transition::Schedule => 2,
            Transition::Update => 3,
            Transition::End(_) => 4,
        };
        match self {
            Self::Collection(event) => rank(&event.what),
            Self::Instance(event) => rank(&event.what),
            Self::Attribute { .. } | Self::Machine(_) | Self::Usage(_) => 0,
        }
    }
}

fn event(table: Table, fields: &Fields<'_>, context: &mut Context<'_>) -> Result<(i64, Event), RowError> {
    let time = fields.int(0)?.filter(|time| *time >= 0);
    let time = time.ok_or_else(|| fields.wrong(0, "a time in microseconds, 0 or later"))?;
    let event = match table {
        ATTRIBUTES => {
            let is_deleted = fields.flag(4)?;
            let value = fields.text(3).unwrap_or_default();
            let value = (!is_deleted).then(|| value.into());
            Event::Attribute { time, id: fields.id(1)?, name: fields.name(2)?.into(), value }
        }
        MACHINES => Event::Machine(Box::new(machine(time, fields, context)?)),
        COLLECTIONS => Event::Collection(Box::new(collection(time, fields, context)?)),
        INSTANCES => Event::Instance(Box::new(instance(time, fields, context)?)),
        _ => Event::Usage(Usage {
            start: time,
            end: fields.id(1)?,
            job: fields.id(2)?,
            index: fields.index(3)?,
            cpus: fields.amount(5)?,
            cpus_max: fields.amount(7)?,
            mem: fields.amount(6)?,
        }),
    };
    Ok((time, event))
}

const EVENTS: &[&str] = &[
    "SUBMIT",
    "QUEUE",
    "ENABLE",
    "SCHEDULE",
    "EVICT",
    "FAIL",
    "FINISH",
    "KILL",
    "LOST",
    "UPDATE_PENDING",
    "UPDATE_RUNNING",
];
const MISSING: &[&str] = &[
    "NONE",
    "SNAPSHOT_BUT_NO_TRANSITION",
    "NO_SNAPSHOT_OR_TRANSITION",
    "EXISTS_BUT_NO_CREATION",
    "TRANSITION_MISSING_STEP",
    "TOO_MANY_EVENTS",
];

fn transition(fields: &Fields<'_>, column: usize) -> Result<Transition, RowError> {
    Ok(match fields.word(column, EVENTS)? {
        Some(0) => Transition::Submit,
        Some(1 | 2) => Transition::Queue,
        Some(3) => Transition::Schedule,
        Some(4) => Transition::End(Status::Evicted),
        Some(5) => Transition::End(Status::Failed),
        Some(6) => Transition::End(Status::Finished),
        Some(7) => Transition::End(Status::Killed),
        Some(8) => Transition::End(Status::Lost),
        Some(_) => Transition::Update,
        None => return Err(fields.wrong(column, "an event type, 0 to 10 or its name")),
    })
}

fn missing_info(fields: &Fields<'_>, column: usize, context: &mut Context<'_>) -> Result<(), RowError> {
    let is_missing = fields.word(column, MISSING)?.is_some_and(|kind| kind != 0);
    context.quality.note("rows that stand for events that were not recorded", u64::from(is_missing));
    Ok(())
}

fn machine(time: i64, fields: &Fields<'_>, context: &mut Context<'_>) -> Result<Machine, RowError> {
    let what = match fields.word(2, &["UNKNOWN", "ADD", "REMOVE", "UPDATE"])? {
        Some(1) => MachineEvent::Add,
        Some(2) => MachineEvent::Remove,
        Some(3) => MachineEvent::Update,
        Some(_) | None => return Err(fields.wrong(2, "1 (ADD), 2 (REMOVE) or 3 (UPDATE)")),
    };
    let (switch, platform) = (fields.text(3).map(Into::into), fields.text(6).map(Into::into));
    let (cpus, mem) = (fields.amount(4)?, fields.amount(5)?);
    for (value, column) in [(cpus, 4), (mem, 5)] {
        if value.is_none() {
            context.quality.miss(fields::columns(MACHINES)[column]);
        }
    }
    Ok(Machine { time, id: fields.id(1)?, what, platform, switch, cpus, mem })
}

fn collection(time: i64, fields: &Fields<'_>, context: &mut Context<'_>) -> Result<Collection, RowError> {
    missing_info(fields, 4, context)?;
    let most = |column: usize, attribute: &str| -> Result<Option<String>, RowError> {
        let most = fields.int(column)?.filter(|most| *most > 0);
        Ok(most.map(|most| format!("{attribute} max-per {most}")))
    };
    let spread: Vec<String> = [most(10, "machine")?, most(11, "rack")?].into_iter().flatten().collect();
    let text = |column: usize| fields.text(column).map(str::to_owned);
    Ok(Collection {
        time,
        id: fields.id(2)?,
        what: transition(fields, 1)?,
        user: text(7),
        class: fields.int(3)?,
        priority: fields.int(6)?,
        name: text(8),
        logical_name: text(9),
        after: fields.ids(12)?,
        spread: (!spread.is_empty()).then(|| spread.join(" & ")),
        is_alloc_set: is_alloc_set(fields, 5)?,
    })
}

fn is_alloc_set(fields: &Fields<'_>, column: usize) -> Result<bool, RowError> {
    Ok(fields.word(column, &["JOB", "ALLOC_SET"])? == Some(1))
}

fn instance(
    time: i64,
    fields: &Fields<'_>,
    context: &mut Context<'_>,
) -> Result<TaskEvent<'static>, RowError> {
    missing_info(fields, 4, context)?;
    let (cpus, mem) = (fields.amount(10)?, fields.amount(11)?);
    for (value, column) in [(cpus, 10), (mem, 11)] {
        if value.is_none() {
            context.quality.miss(fields::columns(INSTANCES)[column]);
        }
    }
    let machine = fields.int(9)?;
    context.quality.note("rows on a dedicated machine, which has no number", u64::from(machine == Some(-1)));
    Ok(TaskEvent {
        time,
        job: fields.id(2)?,
        index: fields.index(8)?,
        what: transition(fields, 1)?,
        machine: machine.filter(|machine| *machine > 0),
        user: None,
        class: fields.int(3)?,
        priority: fields.int(6)?,
        cpus,
        mem,
        disk: None,
        distinct_machines: None,
        constraints: fields.constraints(12)?,
        alloc: fields.int(7)?.filter(|alloc| *alloc > 0),
        is_alloc: is_alloc_set(fields, 5)?,
    })
}

fn source_lines(source: &Source) -> impl Iterator<Item = &str> {
    source.lines().map(str::trim).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests;
