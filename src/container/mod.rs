//! The machine under an agent: it runs containers and says how they fare.
//!
//! A [`Host`] is a passive value that knows no agent and no event loop: its owner calls verbs, asks when it wants to be
//! woken, and reads what happened. It plays what a task's own program and the kernel under it would do: pull images
//! through a cache, take time to start, share the CPUs, run into the memory limit, fail, be slow to stop.
//!
//! Leaves out: disk and network of a running container, memory pressure of the machine as a whole (a container is only
//! held to its own limit), and several tasks in one executor's container (each task is a container of its own).

mod cpu;
mod host;
mod image;
pub mod oversubscription;
mod running;
mod timers;
mod work;

#[cfg(test)]
mod tests;

pub use host::Host;
pub use image::{ImageId, Images};
pub use work::{EndReason, Happening, HostOptions, How, Limits, Look, MemPeak, Peak, Profile, Work};
