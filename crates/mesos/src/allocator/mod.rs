//! The allocator: which framework is offered which agent.
//!
//! [`HierarchicalAllocator`] follows Mesos' `HierarchicalAllocatorProcess`. Built so far: flat roles, DRF with weights,
//! offer filters, suppression and revival, minimum allocatable resources, the GPU filter. Quota, reservations, nested
//! roles, maintenance and the rest of the second stage come on top of the same state.

mod filter;
mod hierarchical;
mod order;
pub mod sorter;

pub use hierarchical::{AgentShares, Allocation, AllocatorOptions, HierarchicalAllocator};
pub use order::{Ascending, VisitOrder};
