//! mesosim: a discrete-event cluster simulator and scheduling-policy workbench around the logic of Apache Mesos.
//!
//! Rooms, from the bottom up (imports go down only; `tests/dependency_rule.rs` holds the table).

pub mod engine;
pub mod trace;
