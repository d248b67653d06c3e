//! What a framework says it can deal with.

/// A framework's capabilities (Mesos' `FrameworkInfo.Capability`). All may be set; so far the allocator heeds
/// `GPU_RESOURCES` and the master `MULTI_ROLE` and `PARTITION_AWARE`.
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
    /// Is offered agents with GPUs.
    pub const GPU_RESOURCES: Self = Self(4);
    /// Knows the task states that replace `TASK_LOST`.
    pub const PARTITION_AWARE: Self = Self(16);
    /// May subscribe to several roles.
    pub const MULTI_ROLE: Self = Self(32);

    /// The capability with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|&(_, bit)| Self(bit))
    }

    /// All names that [`parse`](Self::parse) knows.
    #[must_use]
    pub fn names() -> [&'static str; 8] {
        NAMES.map(|(name, _)| name)
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
