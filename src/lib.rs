//! mesosim: a discrete-event cluster simulator and scheduling-policy workbench around the logic of Apache Mesos.
//!
//! Rooms, from the bottom up (imports go down only; `tests/dependency_rule.rs` holds the table).

pub mod bench;
pub mod check;
pub mod cli;
pub mod cluster;
pub mod container;
pub mod engine;
pub mod experiment;
pub mod fault;
pub mod fit;
pub mod framework;
pub mod fuzz;
pub mod metric;
pub mod policy;
pub mod record;
pub mod report;
pub mod workload;
pub mod world;
