//! Where rows go: each table of the native form in one call.

use crate::{JobRow, MachineEventRow, MachineRow, TaskRow, TraceError, UsageRow};

/// Takes the rows of a trace in the order in which its reader knows them. A task may come before its job.
///
/// All methods do nothing unless they are written: a sink names the tables that it wants.
pub trait Sink {
    /// A job.
    ///
    /// # Errors
    /// The row cannot be kept; reading ends.
    fn job(&mut self, _row: &JobRow<'_>) -> Result<(), TraceError> {
        Ok(())
    }

    /// A task.
    ///
    /// # Errors
    /// The row cannot be kept; reading ends.
    fn task(&mut self, _row: &TaskRow<'_>) -> Result<(), TraceError> {
        Ok(())
    }

    /// A machine.
    ///
    /// # Errors
    /// The row cannot be kept; reading ends.
    fn machine(&mut self, _row: &MachineRow<'_>) -> Result<(), TraceError> {
        Ok(())
    }

    /// A machine comes, goes or changes.
    ///
    /// # Errors
    /// The row cannot be kept; reading ends.
    fn machine_event(&mut self, _row: &MachineEventRow<'_>) -> Result<(), TraceError> {
        Ok(())
    }

    /// What somebody used.
    ///
    /// # Errors
    /// The row cannot be kept; reading ends.
    fn usage(&mut self, _row: &UsageRow<'_>) -> Result<(), TraceError> {
        Ok(())
    }
}

/// Keeps all rows: for traces that fit into memory, and for tests.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Collected {
    /// Jobs.
    pub jobs: Vec<JobRow<'static>>,
    /// Tasks.
    pub tasks: Vec<TaskRow<'static>>,
    /// Machines.
    pub machines: Vec<MachineRow<'static>>,
    /// What happened to them.
    pub machine_events: Vec<MachineEventRow<'static>>,
    /// What was used.
    pub usage: Vec<UsageRow<'static>>,
}

impl Sink for Collected {
    fn job(&mut self, row: &JobRow<'_>) -> Result<(), TraceError> {
        self.jobs.push(row.clone().into_owned());
        Ok(())
    }

    fn task(&mut self, row: &TaskRow<'_>) -> Result<(), TraceError> {
        self.tasks.push(row.clone().into_owned());
        Ok(())
    }

    fn machine(&mut self, row: &MachineRow<'_>) -> Result<(), TraceError> {
        self.machines.push(row.clone().into_owned());
        Ok(())
    }

    fn machine_event(&mut self, row: &MachineEventRow<'_>) -> Result<(), TraceError> {
        self.machine_events.push(row.clone().into_owned());
        Ok(())
    }

    fn usage(&mut self, row: &UsageRow<'_>) -> Result<(), TraceError> {
        self.usage.push(row.clone().into_owned());
        Ok(())
    }
}
