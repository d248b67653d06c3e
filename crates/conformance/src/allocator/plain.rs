//! A step in one line of plain words.

use std::collections::BTreeMap;

use mesos::{capability::Capabilities, resource::ResourceOperation};

use super::{
    compare::text,
    step::{
        AddAgent, AddFramework, AddResourceProvider, RecoverResources, Step, UpdateAgent, UpdateAllocation,
        UpdateFramework, UpdateInverseOffer, UpdateQuota, Used,
    },
    value::{Answer, Away, Quantities},
};

impl Step {
    /// What the step means, as one would say it.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::AddAgent(step) => add_agent(step),
            Self::UpdateAgent(step) => update_agent(step),
            Self::AddResourceProvider(step) => add_resource_provider(step),
            Self::RemoveAgent(step) => format!("agent {} is gone", step.agent),
            Self::ActivateAgent(step) => format!("agent {} may be offered again", step.agent),
            Self::DeactivateAgent(step) => format!("agent {} is not offered for now", step.agent),
            Self::AddFramework(step) => add_framework(step),
            Self::UpdateFramework(step) => update_framework(step),
            Self::RemoveFramework(step) => format!("framework {} is gone", step.framework),
            Self::ActivateFramework(step) => format!("framework {} is connected again", step.framework),
            Self::DeactivateFramework(step) => format!("framework {} is disconnected", step.framework),
            Self::RecoverResources(step) => recover(step),
            Self::TransitionOfferedToAllocated(step) => {
                format!("a task under {} uses {} of {}", step.role, text(&step.resources), step.agent)
            }
            Self::SuppressOffers(step) => {
                format!("framework {} wants no offers for now{}", step.framework, under(&step.roles))
            }
            Self::ReviveOffers(step) => {
                format!("framework {} wants offers again{}", step.framework, under(&step.roles))
            }
            Self::UpdateWeights(step) => {
                let weights = step.weights.iter().map(|(role, weight)| format!("{role} weighs {weight}"));
                weights.collect::<Vec<_>>().join(", ")
            }
            Self::UpdateQuota(step) => quota(step),
            Self::UpdateAvailable(step) => {
                let (agent, operations) = (&step.agent, changes(&step.operations));
                format!("the operator, on what is free of {agent}: {operations}")
            }
            Self::UpdateAllocation(step) => update_allocation(step),
            Self::UpdateUnavailability(step) => match &step.unavailability {
                Some(away) => format!("agent {} will be unavailable {}", step.agent, when(away)),
                None => format!("agent {} will stay available", step.agent),
            },
            Self::UpdateInverseOffer(step) => inverse(step),
            Self::SetWhitelist(step) => match &step.hostnames {
                Some(hosts) if hosts.is_empty() => "no agent may be offered any more".to_owned(),
                Some(hosts) => format!("only agents on {} may be offered", hosts.join(", ")),
                None => "all agents may be offered, whatever their host".to_owned(),
            },
            Self::Pause => "the allocator pauses".to_owned(),
            Self::Resume => "the allocator goes on".to_owned(),
            Self::Advance(step) => format!("{} s pass", step.secs.0),
        }
    }
}

fn add_agent(step: &AddAgent) -> String {
    let mut line = format!("agent {} joins with {}", step.agent, text(&step.resources));
    if let Some(hostname) = &step.hostname {
        line += &format!(", on host {hostname}");
    }
    if !step.attributes.0.0.is_empty() {
        line += &format!(", {}", attributes(&step.attributes.0));
    }
    if let Some(domain) = &step.domain {
        line += &format!(", in {domain}");
    }
    if let Some(away) = &step.unavailability {
        line += &format!(", unavailable {}", when(away));
    }
    line + &in_use(&step.used)
}

fn update_agent(step: &UpdateAgent) -> String {
    let mut changes = Vec::new();
    if let Some(resources) = &step.resources {
        changes.push(format!("has {} in all", text(resources)));
    }
    if step.capabilities.is_some() {
        changes.push("has other capabilities".to_owned());
    }
    if let Some(new) = &step.attributes {
        changes.push(format!("has the attributes {}", attributes(&new.0)));
    }
    match &step.domain {
        Some(Some(domain)) => changes.push(format!("is in {domain}")),
        Some(None) => changes.push("is in no domain".to_owned()),
        None => {}
    }
    if let Some(hostname) = &step.hostname {
        changes.push(format!("is on host {hostname}"));
    }
    if changes.is_empty() {
        changes.push("says the same as before".to_owned());
    }
    format!("agent {} now {}", step.agent, changes.join(", "))
}

fn add_resource_provider(step: &AddResourceProvider) -> String {
    let (agent, resources) = (&step.agent, text(&step.resources));
    format!("a resource provider brings {resources} to {agent}{}", in_use(&step.used))
}

fn add_framework(step: &AddFramework) -> String {
    let line = format!("framework {} subscribes to {}", step.framework, roles(&step.roles));
    let away = if step.active { "" } else { ", but is disconnected" };
    line + &particulars(step.capabilities, &step.suppressed_roles, &step.min_allocatable) + away
}

fn update_framework(step: &UpdateFramework) -> String {
    let line = format!("framework {} is now subscribed to {}", step.framework, roles(&step.roles));
    line + &particulars(step.capabilities, &step.suppressed_roles, &step.min_allocatable)
}

fn particulars(
    capabilities: Capabilities,
    suppressed: &[String],
    minima: &BTreeMap<String, Vec<Quantities>>,
) -> String {
    let mut line = String::new();
    let usual = |name: &&str| Capabilities::parse(name) == Some(Capabilities::MULTI_ROLE);
    let has = |name: &&str| Capabilities::parse(name).is_some_and(|one| capabilities.has(one));
    let names: Vec<&str> =
        Capabilities::names().into_iter().filter(has).filter(|name| !usual(name)).collect();
    if !names.is_empty() {
        line += &format!(", with {}", names.join(", "));
    }
    if !capabilities.has(Capabilities::MULTI_ROLE) {
        line += ", without MULTI_ROLE";
    }
    if !suppressed.is_empty() {
        line += &format!(", wants no offers{}", under(suppressed));
    }
    for (role, list) in minima {
        let list: Vec<String> = list.iter().map(|quantities| quantities.0.to_string()).collect();
        let least = if list.is_empty() { "anything".to_owned() } else { list.join(" or ") };
        line += &format!(", takes {least} under {role}");
    }
    line
}

fn recover(step: &RecoverResources) -> String {
    let RecoverResources { framework, agent, role, resources, .. } = step;
    let resources = text(resources);
    let line = match (step.refuse_secs, step.allocated) {
        (Some(_), false) => format!("framework {framework} declines {resources} of {agent} under {role}"),
        (_, true) => format!("framework {framework} no longer uses {resources} of {agent} under {role}"),
        (None, false) => format!("framework {framework} gives back {resources} of {agent} under {role}"),
    };
    match step.refuse_secs {
        Some(secs) => format!("{line}, for {secs} s"),
        None => line,
    }
}

fn quota(step: &UpdateQuota) -> String {
    let mut parts = Vec::new();
    if !step.guarantees.0.is_empty() {
        parts.push(format!("is guaranteed {}", step.guarantees.0));
    }
    if !step.limits.0.is_empty() {
        parts.push(format!("is limited to {}", step.limits.0));
    }
    if parts.is_empty() {
        parts.push("has no quota".to_owned());
    }
    format!("role {} {}", step.role, parts.join(" and "))
}

fn update_allocation(step: &UpdateAllocation) -> String {
    let UpdateAllocation { framework, agent, role, offered, .. } = step;
    let done = step.operations.as_deref().map_or_else(
        || step.conversions.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        changes,
    );
    format!("framework {framework}, on its {} of {agent} under {role}: {done}", text(offered))
}

fn inverse(step: &UpdateInverseOffer) -> String {
    let (framework, agent) = (&step.framework, &step.agent);
    let line = match step.status {
        Some(Answer::Accept) => format!("framework {framework} will leave {agent}"),
        Some(Answer::Decline) => format!("framework {framework} will not leave {agent}"),
        None => format!("the inverse offer of {agent} to framework {framework} has timed out"),
    };
    match step.refuse_secs {
        Some(secs) => format!("{line}, and is not to be asked for {secs} s"),
        None => line,
    }
}

/// Operations in words.
fn changes(operations: &[ResourceOperation]) -> String {
    let words = operations.iter().map(|operation| match operation {
        ResourceOperation::Reserve { resources, .. } => format!("reserve {}", text(resources)),
        ResourceOperation::Unreserve { resources } => format!("unreserve {}", text(resources)),
        ResourceOperation::Create { volumes } => format!("create {}", text(volumes)),
        ResourceOperation::Destroy { volumes } => format!("destroy {}", text(volumes)),
        ResourceOperation::GrowVolume { volume, addition } => {
            format!("grow {} by {}", text(volume), text(addition))
        }
        ResourceOperation::ShrinkVolume { volume, subtract } => {
            format!("shrink {} by {subtract}", text(volume))
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

fn roles(roles: &[String]) -> String {
    if roles.is_empty() { "no role".to_owned() } else { roles.join(", ") }
}

fn under(roles: &[String]) -> String {
    if roles.is_empty() { String::new() } else { format!(" under {}", roles.join(", ")) }
}

fn in_use(used: &Used) -> String {
    let mut line = String::new();
    for (framework, roles) in used {
        for (role, resources) in roles {
            line += &format!(", of which {framework} uses {} under {role}", text(resources));
        }
    }
    line
}

fn when(away: &Away) -> String {
    match away.duration_secs {
        Some(duration) => format!("from {} s on for {} s", away.start_secs.0, duration.0),
        None => format!("from {} s on for good", away.start_secs.0),
    }
}

fn attributes(attributes: &mesos::attribute::Attributes) -> String {
    use mesos::attribute::AttributeValue;
    let words = attributes.0.iter().map(|(name, value)| match value {
        AttributeValue::Scalar(scalar) => format!("{name}:{scalar}"),
        AttributeValue::Ranges(ranges) => format!("{name}:{ranges:?}"),
        AttributeValue::Text(text) => format!("{name}:{text}"),
    });
    words.collect::<Vec<_>>().join(";")
}
