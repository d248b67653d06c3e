//! From an experiment file to results: load and check ([`config`]), read what it names ([`prepare`]), simulate one cell
//! ([`simulate`]), run all cells and write what came out ([`run`], `store`). [`kinds`] has a table for each kind of framework.

pub mod config;
mod containers;
mod error;
mod faults;
mod faults_csv;
pub mod generated;
pub mod kinds;
pub mod prepare;
pub mod run;
pub mod simulate;
mod store;
#[cfg(feature = "parquet")]
mod tasks_parquet;
mod traced;
pub mod twice;

pub use error::ExperimentError;
pub use store::peak_memory;
