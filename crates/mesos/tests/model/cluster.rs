//! Random agents, frameworks, quotas and options.

use mesos::{
    allocator::{AgentUpdate, AllocatorAgent, AllocatorFramework, AllocatorOptions},
    attribute::Attributes,
    capability::{AgentCapabilities, Capabilities},
    constraint::{AttributeConstraint, Predicate, RoleConstraints, Selector},
    domain::FaultDomain,
    id::{Id, RoleId},
    maintenance::Unavailability,
    quota::Quota,
    resource::{ResourceLimits, Resources, parse_alternatives, parse_quantities},
    role,
    time::{Span, Time},
};
use serde_json::{Value, json};

use super::{ROLES, pick::Pick};

/// What a whole case has in common.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    pub(crate) options: AllocatorOptions,
    /// Quotas on disk, and guarantees, which hold back of any name; then no agent has two free entries of disk, because it
    /// would depend on their order which is cut.
    pub(crate) disk_quotas: bool,
    /// The fast allocator is woken only when it says so, as the simulator does it.
    pub(crate) lazy: bool,
    /// Several things may be said in one go, before what they ask for is run.
    pub(crate) batches: bool,
    /// A bit for each kind of step that does not happen.
    pub(crate) without: u32,
}

pub(crate) fn common(pick: &mut Pick) -> Common {
    let interval = pick.of(&[1000, 1000, 1000, 500, 2000, 5000]);
    let minima = pick.of(&["cpus:0.01|mem:32", "cpus:0.01|mem:32", "", "cpus:1", "mem:64;cpus:0.5|disk:1"]);
    let domain = pick.once_in(3).then(|| place("here"));
    let excluded = pick.of(&["", "", "", "mem", "gpus"]);
    let options = AllocatorOptions {
        allocation_interval: Span::from_millis(interval),
        min_allocatable_resources: parse_alternatives(minima).expect("minima"),
        filter_gpu_resources: !pick.once_in(4),
        fair_sharing_excluded: if excluded.is_empty() { Vec::new() } else { vec![excluded.to_owned()] },
        domain,
        ..AllocatorOptions::default()
    };
    let (disk_quotas, lazy) = (pick.below(2) == 0, pick.below(2) == 1);
    let batches = pick.once_in(3);
    let some_kinds = pick.once_in(2);
    let without = if some_kinds { pick.below(1 << 12) << 12 | pick.below(1 << 12) } else { 0 };
    let without = u32::try_from(without).expect("24 bits");
    Common { options, disk_quotas, lazy, batches, without }
}

fn place(region: &str) -> FaultDomain {
    FaultDomain { region: region.to_owned(), zone: "z".to_owned() }
}

fn scalar(name: &str, amount: f64) -> Value {
    json!({ "name": name, "type": "SCALAR", "scalar": { "value": amount } })
}

/// The stack of a reservation for a role: by flags, by an operation, or one on top of the other.
fn stack(pick: &mut Pick, name: &str) -> Value {
    let top = role::ancestors(name).last();
    match (pick.below(3), top) {
        (0, _) => json!([{ "type": "STATIC", "role": name }]),
        (2, Some(top)) => json!([
            { "type": "STATIC", "role": top },
            { "type": "DYNAMIC", "role": name, "principal": "p" }
        ]),
        _ => json!([{ "type": "DYNAMIC", "role": name, "principal": "p" }]),
    }
}

fn parse(entries: Vec<Value>) -> Resources {
    serde_json::from_value(Value::Array(entries)).expect("resources")
}

fn add_disks(pick: &mut Pick, common: &Common, entries: &mut Vec<Value>) {
    let source = |kind: &str, key: &str| {
        let mut disk = scalar("disk", 500.0);
        disk["disk"] = json!({ "source": { "type": kind, key: { "root": "/mnt" } } });
        disk
    };
    match pick.below(6) {
        1 => entries.push(scalar("disk", 1000.0)),
        2 => entries.push(scalar("disk", 2048.0)),
        3 => entries.push(source("MOUNT", "mount")),
        4 => entries.push(source("PATH", "path")),
        5 if !common.disk_quotas => {
            entries.extend([scalar("disk", 300.0), source("MOUNT", "mount"), source("PATH", "path")]);
        }
        _ => {}
    }
}

fn add_reserved(pick: &mut Pick, entries: &mut Vec<Value>) {
    // All but `*`, which is last.
    let name = pick.of(&ROLES[..ROLES.len() - 1]);
    let reservations = stack(pick, name);
    for (resource, amount) in [("cpus", 1.5), ("mem", 256.0), ("disk", 64.0)] {
        let mut entry = scalar(resource, amount);
        entry["reservations"] = reservations.clone();
        entries.push(entry);
    }
    let kind = pick.below(3);
    if kind > 0 {
        let mut volume = scalar("disk", 128.0);
        volume["reservations"] = reservations;
        volume["disk"] = json!({
            "persistence": { "id": "v0", "principal": "p" },
            "volume": { "container_path": "data", "mode": "RW" }
        });
        if kind == 2 {
            volume["shared"] = json!({});
        }
        entries.push(volume);
    }
}

/// All that an agent has.
pub(crate) fn total(pick: &mut Pick, common: &Common) -> Resources {
    let mut entries = vec![
        scalar("cpus", pick.of(&[4.0, 2.0, 8.0, 1.0, 2.5, 0.125, 0.0])),
        scalar("mem", pick.of(&[1024.0, 4096.0, 512.0, 96.5, 0.0])),
    ];
    add_disks(pick, common, &mut entries);
    entries.push(scalar("gpus", pick.of(&[0.0, 0.0, 0.0, 0.0, 1.0, 2.0])));
    entries.push(scalar("net", pick.of(&[0.0, 0.0, 0.0, 10.5])));
    let ports = json!({ "name": "ports", "type": "RANGES", "ranges": { "range": [
        { "begin": 1, "end": 5 }, { "begin": 8, "end": 9 }
    ] } });
    entries.extend(pick.once_in(3).then_some(ports));
    entries.extend(
        pick.once_in(4).then(|| json!({ "name": "z", "type": "SET", "set": { "item": ["a", "b"] } })),
    );
    for _ in 0..pick.below(3) {
        add_reserved(pick, &mut entries);
    }
    if pick.once_in(3) {
        let mut revocable = scalar("cpus", 2.0);
        revocable["revocable"] = json!({});
        entries.push(revocable);
    }
    parse(entries)
}

/// What a resource provider brings.
pub(crate) fn provided(pick: &mut Pick) -> Resources {
    let text = pick.of(&["", "cpus:1", "mem:128;cpus:0.5", "cpus(a):1", "net:3"]);
    Resources::parse(text).expect("resources")
}

fn hostname(pick: &mut Pick) -> String {
    pick.of(&["h0", "h1", "h2"]).to_owned()
}

fn attributes(pick: &mut Pick) -> Attributes {
    Attributes::parse(pick.of(&["", "rack:a", "rack:b", "rack:b;cores:4"])).expect("attributes")
}

fn agent_capabilities(pick: &mut Pick) -> AgentCapabilities {
    use AgentCapabilities as Can;
    pick.of(&[Can::ALL, Can::ALL, Can::ALL, Can::ALL, Can::ALL, Can::MULTI_ROLE, Can::HIERARCHICAL_ROLE])
}

fn domain(pick: &mut Pick, common: &Common) -> Option<FaultDomain> {
    common.options.domain.as_ref()?;
    pick.of(&[None, Some("here"), Some("there")]).map(place)
}

pub(crate) fn agent(pick: &mut Pick, common: &Common) -> AllocatorAgent {
    AllocatorAgent {
        total: total(pick, common),
        capabilities: agent_capabilities(pick),
        hostname: hostname(pick),
        attributes: attributes(pick),
        domain: domain(pick, common),
    }
}

pub(crate) fn update(pick: &mut Pick, common: &Common) -> AgentUpdate {
    let mut update = AgentUpdate::default();
    match pick.below(6) {
        0 | 1 => update.total = Some(total(pick, common)),
        2 => update.capabilities = Some(agent_capabilities(pick)),
        3 => update.hostname = Some(hostname(pick)),
        4 => update.attributes = Some(attributes(pick)),
        _ => update.domain = Some(domain(pick, common)),
    }
    update
}

pub(crate) fn away(pick: &mut Pick) -> Unavailability {
    let duration = pick.of(&[None, Some(Span::from_secs(60))]);
    Unavailability { start: Time::from_secs(pick.of(&[1000, 2000])), duration }
}

/// One to three roles, or one without `MULTI_ROLE`.
pub(crate) fn framework(pick: &mut Pick, path: String) -> AllocatorFramework {
    let all: Vec<RoleId> = (0..ROLES.len()).map(RoleId::new).collect();
    let mut roles = vec![pick.of(&all)];
    let mut capabilities = framework_capabilities(pick);
    if pick.once_in(5) {
        capabilities = pick.of(&[Capabilities::NONE, Capabilities::REVOCABLE_RESOURCES]);
    } else {
        for _ in 0..pick.below(3) {
            let more = pick.of(&all);
            if !roles.contains(&more) {
                roles.push(more);
            }
        }
    }
    let suppressed_roles = if pick.once_in(5) { pick.some(&roles) } else { Vec::new() };
    let min_allocatable = match pick.below(4) {
        1 => vec![(roles[0], Vec::new())],
        2 => vec![(roles[0], parse_alternatives("cpus:2|mem:64;disk:1").expect("minima"))],
        _ => Vec::new(),
    };
    let offer_constraints = match pick.below(6) {
        5 => vec![(roles[0], constraints(pick))],
        _ => Vec::new(),
    };
    AllocatorFramework { path, roles, suppressed_roles, capabilities, min_allocatable, offer_constraints }
}

fn constraints(pick: &mut Pick) -> RoleConstraints {
    let rack =
        |predicate| AttributeConstraint { selector: Selector::Attribute("rack".to_owned()), predicate };
    let host = |name: &str| AttributeConstraint {
        selector: Selector::Hostname,
        predicate: Predicate::TextEquals(name.to_owned()),
    };
    let not_there = AttributeConstraint {
        selector: Selector::Region,
        predicate: Predicate::TextNotEquals("there".to_owned()),
    };
    let groups = match pick.below(4) {
        0 => vec![vec![host("h0")], vec![host("h1")]],
        1 => vec![vec![rack(Predicate::NotExists)]],
        2 => vec![vec![rack(Predicate::TextEquals("b".to_owned())), not_there]],
        _ => vec![vec![not_there]],
    };
    RoleConstraints::new(groups).expect("groups with constraints")
}

fn framework_capabilities(pick: &mut Pick) -> Capabilities {
    let some = [
        Capabilities::REVOCABLE_RESOURCES,
        Capabilities::GPU_RESOURCES,
        Capabilities::SHARED_RESOURCES,
        Capabilities::RESERVATION_REFINEMENT,
        Capabilities::REGION_AWARE,
    ];
    pick.some(&some).into_iter().fold(Capabilities::MULTI_ROLE, Capabilities::and)
}

/// Guarantees that are no more than the limits, or no quota at all.
pub(crate) fn quota(pick: &mut Pick, common: &Common) -> Quota {
    let (mut guarantees, mut limits) = (Vec::new(), Vec::new());
    let disk: &[f64] = if common.disk_quotas { &[500.0, 100.0] } else { &[] };
    let names: [(&str, &[f64]); 5] = [
        ("cpus", &[1.0, 3.0, 2.5]),
        ("mem", &[512.0, 100.0, 1500.0]),
        ("disk", disk),
        ("gpus", &[1.0]),
        ("net", &[4.0]),
    ];
    for (name, amounts) in names {
        let Some(amount) = pick.any(amounts) else { continue };
        let number = pick.below(9);
        match if common.disk_quotas { number } else { number & !1 } {
            1 => guarantees.push(format!("{name}:{amount}")),
            2 => limits.push(format!("{name}:{amount}")),
            3 => {
                guarantees.push(format!("{name}:{amount}"));
                limits.push(format!("{name}:{}", amount * 1.5));
            }
            4 => limits.push(format!("{name}:0")),
            _ => {}
        }
    }
    Quota {
        guarantees: parse_quantities(&guarantees.join(";")).expect("guarantees"),
        limits: ResourceLimits::parse(&limits.join(";")).expect("limits"),
    }
}
