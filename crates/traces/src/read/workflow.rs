//! Workflows whose tasks stand anywhere in a file: where each task is in its workflow, and what is known of each workflow.

use rustc_hash::FxHashMap;

use crate::{Context, JobRow, Micros, TraceError};

/// Where a task is in its workflow, and whether its row was read.
struct Place {
    index: u32,
    is_read: bool,
}

/// The place of each task in its workflow, learned before any row is handed on: parents may come after their children.
#[derive(Default)]
pub(crate) struct Places {
    tasks: FxHashMap<(i64, i64), Place>,
    next: FxHashMap<i64, u32>,
}

impl Places {
    /// Learns of a task.
    pub(crate) fn add(&mut self, workflow: i64, task: i64) {
        let next = self.next.entry(workflow).or_default();
        if let std::collections::hash_map::Entry::Vacant(place) = self.tasks.entry((workflow, task)) {
            place.insert(Place { index: *next, is_read: false });
            *next = next.saturating_add(1);
        }
    }

    /// The place of a task whose row is read now; nothing if it was read before.
    pub(crate) fn take(&mut self, workflow: i64, task: i64) -> Option<u32> {
        let place = self.tasks.get_mut(&(workflow, task))?;
        (!std::mem::replace(&mut place.is_read, true)).then_some(place.index)
    }

    /// The places of a task's parents; those that are not there, and the task itself, are left out and counted.
    pub(crate) fn parents(
        &self,
        workflow: i64,
        task: i64,
        wanted: &[i64],
        context: &mut Context<'_>,
    ) -> Vec<u32> {
        let mut parents = Vec::new();
        for parent in wanted {
            match self.tasks.get(&(workflow, *parent)) {
                _ if *parent == task => {
                    context.quality.note("tasks that wait for themselves: that is left out", 1);
                }
                Some(place) => parents.push(place.index),
                None => context.quality.note("parents that the job does not have: left out", 1),
            }
        }
        parents
    }
}

/// What is known of the workflows so far. Their rows come last: only then it is known when each began.
#[derive(Default)]
pub(crate) struct Workflows {
    numbers: FxHashMap<i64, u64>,
    rows: Vec<JobRow<'static>>,
}

impl Workflows {
    /// The number of a workflow, one of whose tasks was submitted, started and ended so.
    pub(crate) fn job(
        &mut self,
        workflow: i64,
        submit: Option<Micros>,
        start: Option<Micros>,
        end: Option<Micros>,
    ) -> u64 {
        let number = *self.numbers.entry(workflow).or_insert(self.rows.len() as u64);
        if number == self.rows.len() as u64 {
            self.rows.push(JobRow { number, name: workflow.to_string().into(), ..JobRow::default() });
        }
        let row = &mut self.rows[number as usize];
        row.submit = earliest(row.submit, submit);
        row.start = earliest(row.start, start);
        row.end = row.end.max(end);
        number
    }

    /// The row of a workflow, for what else is known of it.
    pub(crate) fn row(&mut self, number: u64) -> Option<&mut JobRow<'static>> {
        self.rows.get_mut(usize::try_from(number).ok()?)
    }

    /// Hands on the workflows.
    pub(crate) fn finish(self, context: &mut Context<'_>) -> Result<(), TraceError> {
        self.rows.iter().try_for_each(|row| context.job(row))
    }
}

fn earliest(known: Option<Micros>, other: Option<Micros>) -> Option<Micros> {
    match (known, other) {
        (Some(known), Some(other)) => Some(known.min(other)),
        (known, other) => known.or(other),
    }
}
