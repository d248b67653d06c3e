//! Public cluster traces, each read by a file of its own, all brought into one form: jobs, tasks, machines, machine events
//! and usage ([`row`]).
//!
//! A reader streams: it hands each row to a [`Sink`] as soon as it is known, keeps no more than what is still open (a task
//! whose end has not come), counts what it rejects in a [`Quality`] report, and never panics on input. What the rows mean to
//! a simulation is said elsewhere; this crate knows neither Mesos nor simulated time.

pub mod columns;
pub mod dag;
pub mod date;
pub mod document;
pub mod error;
pub mod export;
pub mod fields;
pub mod format;
pub mod inspect;
pub mod json;
pub mod parquet;
pub mod quality;
pub mod read;
pub mod row;
pub mod shape;
pub mod sink;
pub mod source;
pub mod store;
pub mod table;
pub mod transform;

pub use error::TraceError;
pub use format::{Format, Grouping, Table, Trace};
pub use inspect::Inspection;
pub use quality::Quality;
pub use read::{Context, FORMATS, Options};
pub use row::{JobRow, MachineEventRow, MachineRow, Micros, Status, TaskRow, UsageRow};
pub use sink::Sink;
pub use source::Source;
