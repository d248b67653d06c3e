//! What a framework says it can deal with.

use serde::{Deserialize, Serialize};

/// A framework's capabilities (Mesos' `FrameworkInfo.Capability`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Capabilities(u16);

/// Names and bits, in the order of the protobuf enumeration.
const NAMES: [(&str, u16); 8] = [
    ("REVOCABLE_RESOURCES", 1),
    ("TASK_KILLING_STATE", 2),
    ("GPU_RESOURCES", 4),
    ("SHARED_RESOURCES", 8),
    ("PARTITION_AWARE", 16),
    ("MULTI_ROLE", 32),
    ("RESERVATION_REFINEMENT", 64),
    ("REGION_AWARE", 128),
];

impl Capabilities {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// Is offered revocable resources.
    pub const REVOCABLE_RESOURCES: Self = Self(1);
    /// Knows `TASK_KILLING`.
    pub const TASK_KILLING_STATE: Self = Self(2);
    /// Is offered agents with GPUs.
    pub const GPU_RESOURCES: Self = Self(4);
    /// Is offered shared volumes.
    pub const SHARED_RESOURCES: Self = Self(8);
    /// Knows the task states that replace `TASK_LOST`.
    pub const PARTITION_AWARE: Self = Self(16);
    /// May subscribe to several roles.
    pub const MULTI_ROLE: Self = Self(32);
    /// Is offered resources with more than one reservation.
    pub const RESERVATION_REFINEMENT: Self = Self(64);
    /// Is offered agents of other regions than the master's.
    pub const REGION_AWARE: Self = Self(128);
}

/// An agent's capabilities (Mesos' `SlaveInfo.Capability`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentCapabilities(u16);

const AGENT_NAMES: [(&str, u16); 8] = [
    ("MULTI_ROLE", 1),
    ("HIERARCHICAL_ROLE", 2),
    ("RESERVATION_REFINEMENT", 4),
    ("RESOURCE_PROVIDER", 8),
    ("RESIZE_VOLUME", 16),
    ("AGENT_OPERATION_FEEDBACK", 32),
    ("AGENT_DRAINING", 64),
    ("TASK_RESOURCE_LIMITS", 128),
];

impl AgentCapabilities {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// All of them, as an agent of today has.
    pub const ALL: Self = Self(255);
    /// Can run frameworks with several roles.
    pub const MULTI_ROLE: Self = Self(1);
    /// Can run tasks of nested roles.
    pub const HIERARCHICAL_ROLE: Self = Self(2);
    /// Understands reservations of reservations.
    pub const RESERVATION_REFINEMENT: Self = Self(4);
    /// Has resources of providers, and operations on them.
    pub const RESOURCE_PROVIDER: Self = Self(8);
    /// Can grow and shrink volumes.
    pub const RESIZE_VOLUME: Self = Self(16);
    /// Reports on operations.
    pub const AGENT_OPERATION_FEEDBACK: Self = Self(32);
    /// Can be drained.
    pub const AGENT_DRAINING: Self = Self(64);
    /// Keeps limits of tasks that differ from their requests.
    pub const TASK_RESOURCE_LIMITS: Self = Self(128);
}

impl Default for AgentCapabilities {
    fn default() -> Self {
        Self::ALL
    }
}

/// What both kinds of sets can do.
macro_rules! set_of_capabilities {
    ($name:ident, $names:ident) => {
        impl $name {
            /// The capability with this name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                $names.iter().find(|(known, _)| *known == name).map(|&(_, bit)| Self(bit))
            }

            /// All names that [`parse`](Self::parse) knows.
            #[must_use]
            pub fn names() -> [&'static str; 8] {
                $names.map(|(name, _)| name)
            }

            /// Both sets together.
            #[must_use]
            pub const fn and(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Whether all of `other` are in here.
            #[must_use]
            pub const fn has(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }
        }
    };
}

set_of_capabilities!(Capabilities, NAMES);
set_of_capabilities!(AgentCapabilities, AGENT_NAMES);
