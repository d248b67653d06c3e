//! Whole-run benchmarks on workloads that are defined to the last bit, so that other simulators can run the same.

pub mod allocator;
pub mod fcfs;
pub mod reference;
pub mod two_level;
