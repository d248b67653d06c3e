//! The master as frameworks, agents and operators see it: hand-driven conversations, one step at a time.

mod accept;
mod agents;
mod conversions;
mod frameworks;
mod making;
mod notes;
mod offers;
mod operations;
mod operator;
mod reconcile;
mod recovery;
mod talk;
