//! Whom a step is about.

use super::step::Step;

impl Step {
    /// The operation as the file names it.
    pub(super) fn op(&self) -> &'static str {
        match self {
            Self::AddAgent(_) => "add_agent",
            Self::UpdateAgent(_) => "update_agent",
            Self::AddResourceProvider(_) => "add_resource_provider",
            Self::RemoveAgent(_) => "remove_agent",
            Self::ActivateAgent(_) => "activate_agent",
            Self::DeactivateAgent(_) => "deactivate_agent",
            Self::AddFramework(_) => "add_framework",
            Self::UpdateFramework(_) => "update_framework",
            Self::RemoveFramework(_) => "remove_framework",
            Self::ActivateFramework(_) => "activate_framework",
            Self::DeactivateFramework(_) => "deactivate_framework",
            Self::RecoverResources(_) => "recover_resources",
            Self::TransitionOfferedToAllocated(_) => "transition_offered_to_allocated",
            Self::SuppressOffers(_) => "suppress_offers",
            Self::ReviveOffers(_) => "revive_offers",
            Self::UpdateWeights(_) => "update_weights",
            Self::UpdateQuota(_) => "update_quota",
            Self::UpdateAvailable(_) => "update_available",
            Self::UpdateAllocation(_) => "update_allocation",
            Self::UpdateUnavailability(_) => "update_unavailability",
            Self::UpdateInverseOffer(_) => "update_inverse_offer",
            Self::SetWhitelist(_) => "set_whitelist",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Advance(_) => "advance",
        }
    }

    /// The operation and whom it is about: `recover_resources framework=f1 agent=a3`.
    pub(super) fn headline(&self) -> String {
        let mut line = self.op().to_owned();
        for (key, name) in [("framework", self.framework()), ("agent", self.agent()), ("role", self.role())] {
            if let Some(name) = name {
                line.push_str(&format!(" {key}={name}"));
            }
        }
        if let Self::Advance(step) = self {
            line.push_str(&format!(" secs={}", step.secs.0));
        }
        line
    }

    /// The agent that the step is about.
    pub(super) fn agent(&self) -> Option<&str> {
        match self {
            Self::AddAgent(step) => Some(&step.agent),
            Self::UpdateAgent(step) => Some(&step.agent),
            Self::AddResourceProvider(step) => Some(&step.agent),
            Self::RemoveAgent(step) | Self::ActivateAgent(step) | Self::DeactivateAgent(step) => {
                Some(&step.agent)
            }
            Self::RecoverResources(step) => Some(&step.agent),
            Self::TransitionOfferedToAllocated(step) => Some(&step.agent),
            Self::UpdateAvailable(step) => Some(&step.agent),
            Self::UpdateAllocation(step) => Some(&step.agent),
            Self::UpdateUnavailability(step) => Some(&step.agent),
            Self::UpdateInverseOffer(step) => Some(&step.agent),
            Self::AddFramework(_)
            | Self::UpdateFramework(_)
            | Self::RemoveFramework(_)
            | Self::ActivateFramework(_)
            | Self::DeactivateFramework(_)
            | Self::SuppressOffers(_)
            | Self::ReviveOffers(_)
            | Self::UpdateWeights(_)
            | Self::UpdateQuota(_)
            | Self::SetWhitelist(_)
            | Self::Pause
            | Self::Resume
            | Self::Advance(_) => None,
        }
    }

    /// The framework that the step is about.
    pub(super) fn framework(&self) -> Option<&str> {
        match self {
            Self::AddFramework(step) => Some(&step.framework),
            Self::UpdateFramework(step) => Some(&step.framework),
            Self::RemoveFramework(step) | Self::ActivateFramework(step) | Self::DeactivateFramework(step) => {
                Some(&step.framework)
            }
            Self::RecoverResources(step) => Some(&step.framework),
            Self::SuppressOffers(step) | Self::ReviveOffers(step) => Some(&step.framework),
            Self::UpdateAllocation(step) => Some(&step.framework),
            Self::UpdateInverseOffer(step) => Some(&step.framework),
            Self::AddAgent(_)
            | Self::UpdateAgent(_)
            | Self::AddResourceProvider(_)
            | Self::RemoveAgent(_)
            | Self::ActivateAgent(_)
            | Self::DeactivateAgent(_)
            | Self::TransitionOfferedToAllocated(_)
            | Self::UpdateWeights(_)
            | Self::UpdateQuota(_)
            | Self::UpdateAvailable(_)
            | Self::UpdateUnavailability(_)
            | Self::SetWhitelist(_)
            | Self::Pause
            | Self::Resume
            | Self::Advance(_) => None,
        }
    }

    /// The role that the step is about, if it is about one.
    pub(super) fn role(&self) -> Option<&str> {
        if let Self::UpdateQuota(step) = self { Some(&step.role) } else { None }
    }

    /// What the step says is in use, and whether by frameworks on its agent or on agents by its framework.
    pub(super) fn used(&self) -> Option<&super::step::Used> {
        if let Self::AddAgent(step) = self {
            Some(&step.used)
        } else if let Self::AddResourceProvider(step) = self {
            Some(&step.used)
        } else if let Self::AddFramework(step) = self {
            Some(&step.used)
        } else {
            None
        }
    }
}
