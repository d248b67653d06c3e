//! From an experiment file to results.

pub mod config;
