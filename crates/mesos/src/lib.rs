//! The master-side logic of Apache Mesos as a pure core.
//!
//! State goes in, effects come out as data: no clock, no file, no socket, no thread and no random source that was not
//! handed in. The same sequence of inputs gives the same effects, byte for byte.
//!
//! From the bottom up: [`mod@id`] and [`time`]; [`resource`] and [`role`]; [`task`], [`offer`], [`capability`]; [`call`] and
//! [`event`] (what is said) and [`effects`] (where it is said to); the [`allocator`]; the [`master`]; beside it the
//! [`agent`].

pub mod agent;
pub mod allocator;
pub mod attribute;
pub mod call;
pub mod capability;
pub mod constraint;
pub mod domain;
pub mod effects;
pub mod event;
pub mod id;
pub mod maintenance;
pub mod master;
pub mod offer;
pub mod operator;
pub mod quota;
pub mod registration;
pub mod registry;
pub mod resource;
pub mod role;
pub mod task;
pub mod time;
