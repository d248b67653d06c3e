//! Planned maintenance: when an agent will be away, and what frameworks say to it.

use crate::time::{Span, Time};

/// When an agent will be unavailable (Mesos' `Unavailability`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unavailability {
    /// From when on.
    pub start: Time,
    /// For how long; `None`: for good.
    pub duration: Option<Span>,
}

/// A framework's answer to an inverse offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InverseOfferStatus {
    /// It will be gone from the agent by then.
    Accept,
    /// It will not.
    Decline,
}
