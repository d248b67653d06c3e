//! From an experiment file to results: load and check ([`config`]), read what it names ([`prepare`]), simulate one cell
//! ([`simulate`]), run all cells and write what came out ([`run`], `store`).

pub mod config;
mod containers;
mod error;
mod faults;
mod faults_csv;
pub mod prepare;
pub mod run;
pub mod simulate;
mod store;
#[cfg(feature = "parquet")]
mod tasks_parquet;
pub mod twice;

pub use error::ExperimentError;
pub use store::peak_memory;
