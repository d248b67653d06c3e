//! The master-side logic of Apache Mesos as a pure core.
//!
//! State goes in, effects come out as data: no clock, no file, no socket, no thread and no random source that was not
//! handed in. The same sequence of inputs gives the same effects, byte for byte.

pub mod id;
pub mod role;
pub mod time;
