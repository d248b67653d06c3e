//! Offers: the part of one agent that one framework may use, until it answers.

use crate::{
    id::{AgentId, FrameworkId, OfferId, RoleId},
    maintenance::Unavailability,
    resource::Resources,
    time::Span,
};

/// An outstanding offer (Mesos' `Offer`). Attributes and host name of the agent are those of its
/// [`AgentInfo`](crate::registration::AgentInfo).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its number.
    pub id: OfferId,
    /// To whom.
    pub framework: FrameworkId,
    /// On behalf of which of the framework's roles (`allocation_info.role`).
    pub role: RoleId,
    /// Where.
    pub agent: AgentId,
    /// What.
    pub resources: Resources,
    /// When the agent will be away, if that is planned.
    pub unavailability: Option<Box<Unavailability>>,
}

/// How long refused resources shall not be offered again (Mesos' `Filters`).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Filters {
    /// 0: no filter; negative: the default of 5; more than 365 days: 365 days. Never shorter in effect than the allocation
    /// interval.
    pub refuse_seconds: f64,
}

impl Default for Filters {
    /// What a call without filters means.
    fn default() -> Self {
        Self { refuse_seconds: 5.0 }
    }
}

impl Filters {
    /// No filter: the resources may come back with the next allocation.
    pub const NONE: Self = Self { refuse_seconds: 0.0 };

    /// How long a filter on offers holds, or `None` for no filter (`HierarchicalAllocatorProcess::recoverResources`).
    #[must_use]
    pub fn timeout(self, allocation_interval: Span) -> Option<Span> {
        self.length().map(|asked| asked.max(allocation_interval))
    }

    /// How long a filter on inverse offers holds, or `None` for no filter (`updateInverseOffer`).
    #[must_use]
    pub fn length(self) -> Option<Span> {
        const DEFAULT: Span = Span::from_secs(5);
        const LONGEST: Span = Span::from_secs(365 * 24 * 3600);
        match self.refuse_seconds {
            0.0 => None,
            secs if secs > LONGEST.as_secs_f64() => Some(LONGEST),
            secs => Some(Span::from_secs_f64(secs).unwrap_or(DEFAULT)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_lasts_as_mesos_says() {
        let lasts = |refuse_seconds| Filters { refuse_seconds }.timeout(Span::from_secs(1));
        assert_eq!(lasts(0.0), None);
        assert_eq!(lasts(0.25), Some(Span::from_secs(1)));
        assert_eq!(lasts(-3.0), Some(Span::from_secs(5)));
        assert_eq!(lasts(f64::NAN), Some(Span::from_secs(5)));
        assert_eq!(lasts(1.5), Some(Span::from_millis(1500)));
        assert_eq!(lasts(1e300), Some(Span::from_secs(31_536_000)));
    }
}
