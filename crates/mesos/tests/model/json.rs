//! Steps as a scenario file writes them.

use mesos::{
    allocator::{AgentUpdate, Allocations, AllocatorAgent, AllocatorFramework, AllocatorOptions},
    attribute::{AttributeValue, Attributes},
    capability::{AgentCapabilities, Capabilities},
    domain::FaultDomain,
    id::{AgentId, FrameworkId, Id, RoleId},
    maintenance::{InverseOfferStatus, Unavailability},
    offer::Filters,
    resource::{
        Detail, Reservation, ReservationKind, Resource, ResourceConversion, ResourceQuantities, Resources,
    },
    time::Span,
};
use serde_json::{Map, Value, json};

use super::{
    ROLES,
    op::{Op, Part},
};

pub(crate) fn agent_name(agent: AgentId) -> String {
    format!("a{:02}", agent.index())
}

pub(crate) fn framework_name(framework: FrameworkId) -> String {
    format!("f{}", framework.index())
}

fn role_name(role: RoleId) -> &'static str {
    ROLES[role.index()]
}

/// Text where text can say it, otherwise a list.
pub(crate) fn resources(set: &Resources) -> Value {
    let texts: Option<Vec<String>> = set.entries().map(|(entry, _)| as_text(&entry)).collect();
    match texts {
        Some(texts) => texts.join(";").into(),
        None => serde_json::to_value(set).expect("resources are JSON"),
    }
}

fn as_text(entry: &Resource) -> Option<String> {
    let (name, value) = (entry.name.as_str(), &entry.value);
    let Some(detail) = &entry.detail else { return Some(format!("{name}:{value}")) };
    let is_static = |one: &&Reservation| one.kind == ReservationKind::Static && one.principal.is_none();
    let [reservation] = &detail.reservations[..] else { return None };
    let role = &Some(reservation).filter(is_static)?.role;
    let plain = Detail { reservations: detail.reservations.clone(), ..Detail::default() };
    (**detail == plain).then(|| format!("{name}({role}):{value}"))
}

fn conversion(conversion: &ResourceConversion) -> Value {
    json!({ "consumed": resources(&conversion.consumed), "converted": resources(&conversion.converted) })
}

fn roles(ids: &[RoleId]) -> Value {
    ids.iter().map(|role| role_name(*role)).collect()
}

fn domain(domain: &FaultDomain) -> Value {
    json!({ "region": domain.region, "zone": domain.zone })
}

fn attributes(attributes: &Attributes) -> String {
    let text = |(name, value): &(String, AttributeValue)| match value {
        AttributeValue::Scalar(amount) => format!("{name}:{amount}"),
        AttributeValue::Ranges(ranges) => format!("{name}:{ranges}"),
        AttributeValue::Text(text) => format!("{name}:{text}"),
    };
    attributes.0.iter().map(text).collect::<Vec<_>>().join(";")
}

fn agent_capabilities(capabilities: AgentCapabilities) -> Value {
    let held = |name: &&str| AgentCapabilities::parse(name).is_some_and(|one| capabilities.has(one));
    AgentCapabilities::names().into_iter().filter(held).collect()
}

fn framework_capabilities(capabilities: Capabilities) -> Value {
    let held = |name: &&str| Capabilities::parse(name).is_some_and(|one| capabilities.has(one));
    Capabilities::names().into_iter().filter(held).collect()
}

fn quantities(list: &[ResourceQuantities]) -> Value {
    list.iter().map(ToString::to_string).collect()
}

fn away(away: &Option<Unavailability>) -> Value {
    away.map_or(Value::Null, |away| {
        json!({
            "start_secs": away.start.as_secs_f64(),
            "duration_secs": away.duration.map(Span::as_secs_f64)
        })
    })
}

fn status(status: Option<InverseOfferStatus>) -> Value {
    match status {
        Some(InverseOfferStatus::Accept) => "ACCEPT".into(),
        Some(InverseOfferStatus::Decline) => "DECLINE".into(),
        None => Value::Null,
    }
}

/// `{outer: {role: resources}}`.
fn used<'a>(parts: impl Iterator<Item = (String, RoleId, &'a Resources)>) -> Value {
    let mut all = Map::new();
    for (outer, role, set) in parts {
        let inner = all.entry(outer).or_insert_with(|| json!({}));
        inner[role_name(role)] = resources(set);
    }
    Value::Object(all)
}

fn add(step: &mut Value, key: &str, value: Value) {
    step[key] = value;
}

fn add_agent(agent: AgentId, info: &AllocatorAgent) -> Value {
    let mut step = json!({
        "op": "add_agent", "agent": agent_name(agent), "resources": resources(&info.total),
        "hostname": info.hostname, "attributes": attributes(&info.attributes),
        "capabilities": agent_capabilities(info.capabilities)
    });
    if let Some(place) = &info.domain {
        add(&mut step, "domain", domain(place));
    }
    step
}

fn update_agent(agent: AgentId, update: &AgentUpdate) -> Value {
    let mut step = json!({ "op": "update_agent", "agent": agent_name(agent) });
    if let Some(total) = &update.total {
        add(&mut step, "resources", resources(total));
    }
    if let Some(capabilities) = update.capabilities {
        add(&mut step, "capabilities", agent_capabilities(capabilities));
    }
    if let Some(all) = &update.attributes {
        add(&mut step, "attributes", attributes(all).into());
    }
    if let Some(place) = &update.domain {
        add(&mut step, "domain", place.as_ref().map_or(Value::Null, domain));
    }
    if let Some(hostname) = &update.hostname {
        add(&mut step, "hostname", hostname.clone().into());
    }
    step
}

fn framework(op: &str, id: FrameworkId, info: &AllocatorFramework) -> Value {
    let minima: Map<String, Value> = info
        .min_allocatable
        .iter()
        .map(|(role, minima)| (role_name(*role).to_owned(), quantities(minima)))
        .collect();
    let mut step = json!({
        "op": op, "framework": framework_name(id), "roles": roles(&info.roles),
        "capabilities": framework_capabilities(info.capabilities),
        "suppressed_roles": roles(&info.suppressed_roles), "min_allocatable": minima
    });
    if !info.offer_constraints.is_empty() {
        // Scenarios cannot say these: to be read, not replayed.
        add(&mut step, "offer_constraints", format!("{:?}", info.offer_constraints).into());
    }
    step
}

fn part(op: &str, part: &Part, key: &str) -> Value {
    json!({
        "op": op, "framework": framework_name(part.framework), "agent": agent_name(part.agent),
        "role": role_name(part.role), key: resources(&part.resources)
    })
}

fn add_filters(step: &mut Value, filters: Option<Filters>) {
    if let Some(filters) = filters {
        add(step, "refuse_secs", filters.refuse_seconds.into());
    }
}

/// The options that are not the default.
pub(crate) fn options(options: &AllocatorOptions) -> Value {
    json!({
        "allocation_interval_secs": options.allocation_interval.as_secs_f64(),
        "fair_sharing_excluded_resources": options.fair_sharing_excluded,
        "filter_gpu_resources": options.filter_gpu_resources,
        "min_allocatable_resources": quantities(&options.min_allocatable_resources),
        "domain": options.domain.as_ref().map_or(Value::Null, domain)
    })
}

/// One row of `expect`.
pub(crate) fn expected(step: usize, made: &[Allocations]) -> Value {
    let mut offers: Vec<_> = made.iter().flat_map(|made| &made.offers).collect();
    offers.sort_by_key(|offer| (offer.framework, role_name(offer.role), offer.agent));
    let offers: Vec<Value> = offers
        .into_iter()
        .map(|offer| {
            json!({
                "framework": framework_name(offer.framework), "role": role_name(offer.role),
                "agent": agent_name(offer.agent), "resources": resources(&offer.resources)
            })
        })
        .collect();
    let mut inverse: Vec<_> = made.iter().flat_map(|made| &made.inverse_offers).collect();
    inverse.sort_by_key(|offer| (offer.framework, offer.agent));
    let mut row = json!({ "step": step, "offers": offers });
    if !inverse.is_empty() {
        let name = |offer: &&mesos::allocator::InverseOffer| json!({ "framework": framework_name(offer.framework), "agent": agent_name(offer.agent) });
        add(&mut row, "inverse_offers", inverse.iter().map(name).collect());
    }
    row
}

impl Op {
    /// As a step of a scenario.
    pub(crate) fn json(&self) -> Value {
        let of_agent = |op: &str, agent: &AgentId| json!({ "op": op, "agent": agent_name(*agent) });
        let of_framework = |op: &str, id: &FrameworkId| json!({ "op": op, "framework": framework_name(*id) });
        match self {
            Self::AddAgent { agent, info, used: held, away: when } => {
                let mut step = add_agent(*agent, info);
                let parts = held.iter().map(|(id, role, set)| (framework_name(*id), *role, set));
                add(&mut step, "used", used(parts));
                if when.is_some() {
                    add(&mut step, "unavailability", away(when));
                }
                step
            }
            Self::UpdateAgent { agent, update } => update_agent(*agent, update),
            Self::AddResourceProvider { agent, total, used: held } => {
                let mut step = of_agent("add_resource_provider", agent);
                add(&mut step, "resources", resources(total));
                let parts = held.iter().map(|(id, role, set)| (framework_name(*id), *role, set));
                add(&mut step, "used", used(parts));
                step
            }
            Self::RemoveAgent(agent) => of_agent("remove_agent", agent),
            Self::ActivateAgent(agent) => of_agent("activate_agent", agent),
            Self::DeactivateAgent(agent) => of_agent("deactivate_agent", agent),
            Self::AddFramework { framework: id, info, used: held, active } => {
                let mut step = framework("add_framework", *id, info);
                add(&mut step, "active", (*active).into());
                let parts = held.iter().map(|(id, role, set)| (agent_name(*id), *role, set));
                add(&mut step, "used", used(parts));
                step
            }
            Self::UpdateFramework { framework: id, info } => framework("update_framework", *id, info),
            Self::RemoveFramework(id) => of_framework("remove_framework", id),
            Self::ActivateFramework(id) => of_framework("activate_framework", id),
            Self::DeactivateFramework(id) => of_framework("deactivate_framework", id),
            Self::Recover { of, filters, allocated } => {
                let mut step = part("recover_resources", of, "resources");
                add_filters(&mut step, *filters);
                add(&mut step, "allocated", (*allocated).into());
                step
            }
            Self::RecoverTooLate { of, filters } => {
                let mut step = part("recover_resources", of, "resources");
                add_filters(&mut step, *filters);
                step
            }
            Self::Transition(of) => json!({
                "op": "transition_offered_to_allocated", "agent": agent_name(of.agent),
                "role": role_name(of.role), "resources": resources(&of.resources)
            }),
            Self::Suppress { framework: id, roles: some } => {
                let mut step = of_framework("suppress_offers", id);
                add(&mut step, "roles", roles(some));
                step
            }
            Self::Revive { framework: id, roles: some } => {
                let mut step = of_framework("revive_offers", id);
                add(&mut step, "roles", roles(some));
                step
            }
            Self::UpdateWeights(weights) => {
                let map: Map<String, Value> = weights
                    .iter()
                    .map(|(role, weight)| (role_name(*role).to_owned(), (*weight).into()))
                    .collect();
                json!({ "op": "update_weights", "weights": map })
            }
            Self::UpdateQuota { role, quota } => json!({
                "op": "update_quota", "role": role_name(*role),
                "guarantees": quota.guarantees.to_string(), "limits": quota.limits.to_string()
            }),
            Self::UpdateAvailable { agent, operations } => {
                let mut step = of_agent("update_available", agent);
                add(&mut step, "operations", serde_json::to_value(operations).expect("operations are JSON"));
                step
            }
            Self::UpdateAllocation { of, conversions } => {
                let mut step = part("update_allocation", of, "offered");
                add(&mut step, "conversions", conversions.iter().map(conversion).collect());
                step
            }
            Self::UpdateUnavailability { agent, away: when } => {
                let mut step = of_agent("update_unavailability", agent);
                add(&mut step, "unavailability", away(when));
                step
            }
            Self::UpdateInverseOffer { framework: id, agent, status: answer, filters } => {
                let mut step = json!({
                    "op": "update_inverse_offer", "framework": framework_name(*id),
                    "agent": agent_name(*agent), "status": status(*answer)
                });
                add_filters(&mut step, *filters);
                step
            }
            Self::SetWhitelist(hostnames) => json!({ "op": "set_whitelist", "hostnames": hostnames }),
            Self::Pause => json!({ "op": "pause" }),
            Self::Resume => json!({ "op": "resume" }),
            Self::Advance(span) => json!({ "op": "advance", "secs": span.as_secs_f64() }),
        }
    }
}
