//! The machines of Google's two traces: their events, and attributes that are said in a table of their own.

use rustc_hash::{FxHashMap, FxHashSet};
use std::{borrow::Cow, collections::BTreeMap};

use crate::{Context, MachineEventRow, MachineRow, Micros, Options, TraceError, row::MachineEvent};

/// An event of a machine. Capacities are relative to the largest one.
#[derive(Clone, Debug)]
pub(super) struct MachineChange<'a> {
    pub(super) time: i64,
    pub(super) id: i64,
    pub(super) what: MachineEvent,
    pub(super) platform: Option<&'a str>,
    /// Of 2019.
    pub(super) switch: Option<&'a str>,
    pub(super) cpus: Option<f64>,
    pub(super) mem: Option<f64>,
}

/// An attribute of a machine gets a value, or is taken away.
#[derive(Clone, Copy, Debug)]
pub(super) struct AttributeChange<'a> {
    pub(super) time: i64,
    pub(super) id: i64,
    pub(super) name: &'a str,
    pub(super) value: Option<&'a str>,
}

/// Texts that are said often, kept once.
#[derive(Debug, Default)]
struct Texts {
    numbers: FxHashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
}

impl Texts {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = self.texts.len() as u32;
        self.numbers.insert(text.into(), number);
        self.texts.push(text.into());
        number
    }

    fn text(&self, number: u32) -> Cow<'_, str> {
        Cow::Borrowed(&self.texts[number as usize])
    }
}

/// What is known of the machines so far.
pub(super) struct Machines {
    cpus: f64,
    mem_mib: f64,
    with_events: bool,
    /// Those that have their row, or, without a table of machine events, that were mentioned.
    known: FxHashSet<i64>,
    mentioned: Vec<i64>,
    texts: Texts,
    /// Attributes at time 0 of machines that have no row yet.
    attributes: BTreeMap<i64, Vec<(u32, u32)>>,
}

impl Machines {
    pub(super) fn new(options: &Options, with_events: bool) -> Self {
        Self {
            cpus: options.largest_cpus,
            mem_mib: options.largest_mem_mib,
            with_events,
            known: FxHashSet::default(),
            mentioned: Vec::new(),
            texts: Texts::default(),
            attributes: BTreeMap::new(),
        }
    }

    /// A task was on this machine.
    pub(super) fn mention(&mut self, id: i64) {
        if !self.with_events && self.known.insert(id) {
            self.mentioned.push(id);
        }
    }

    pub(super) fn change(
        &mut self,
        change: &MachineChange<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), TraceError> {
        let name = change.id.to_string();
        let cpus = change.cpus.map(|share| share * self.cpus);
        let mem_mib = change.mem.map(|share| share * self.mem_mib);
        if self.known.insert(change.id) {
            let said = self.attributes.remove(&change.id).unwrap_or_default();
            let mut attributes: Vec<_> = self.texts(&said).collect();
            attributes.extend(change.platform.map(|platform| ("platform".into(), platform.into())));
            let (name, rack) = (Cow::Borrowed(&*name), change.switch.map(Cow::Borrowed));
            context.machine(&MachineRow {
                name,
                cpus,
                mem_mib,
                rack,
                attributes,
                ..MachineRow::default()
            })?;
        }
        context.machine_event(&MachineEventRow {
            at: Micros(change.time),
            machine: name.into(),
            event: change.what,
            cpus,
            mem_mib,
            attribute: None,
        })
    }

    /// At time 0 it belongs to the machine's row, later it is an event.
    pub(super) fn attribute(
        &mut self,
        change: AttributeChange<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), TraceError> {
        let AttributeChange { time, id, name, value } = change;
        if time == 0 && (!self.with_events || !self.known.contains(&id)) {
            self.mention(id);
            if let Some(value) = value {
                let pair = (self.texts.number(name), self.texts.number(value));
                self.attributes.entry(id).or_default().push(pair);
            }
            return Ok(());
        }
        context.machine_event(&MachineEventRow {
            at: Micros(time),
            machine: id.to_string().into(),
            event: MachineEvent::Update,
            cpus: None,
            mem_mib: None,
            attribute: Some((name.into(), value.map(Into::into))),
        })
    }

    /// Without a table of machine events: a row without amounts for each machine that was mentioned.
    pub(super) fn finish(mut self, context: &mut Context<'_>) -> Result<(), TraceError> {
        if self.with_events {
            let left = self.attributes.len() as u64;
            context.quality.note("machines with attributes that never came: left out", left);
            return Ok(());
        }
        if !self.mentioned.is_empty() {
            context.quality.assume(
                "there is no table of machine events: machines are those that tasks ran on, of unknown size, there all the time",
            );
        }
        self.mentioned.sort_unstable();
        for id in &self.mentioned {
            let said = self.attributes.remove(id).unwrap_or_default();
            let attributes = self.texts(&said).collect();
            context.machine(&MachineRow {
                name: id.to_string().into(),
                attributes,
                ..MachineRow::default()
            })?;
        }
        Ok(())
    }

    fn texts<'a>(&'a self, said: &'a [(u32, u32)]) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        said.iter().map(|&(name, value)| (self.texts.text(name), self.texts.text(value)))
    }
}
