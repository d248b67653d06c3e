//! Operations on resources, of frameworks and of operators (`validation::operation`).

use std::sync::Arc;

use super::{Agent, agent_text};
use crate::{
    call::{FrameworkInfo, Operation, OperationKind},
    capability::{AgentCapabilities, Capabilities},
    id::AgentId,
    resource::{
        DiskSourceKind, Resource, ResourceConversion, ResourceOperation, Resources, Scalar,
        check_operation_resources,
    },
};

/// On whose behalf an operation is.
#[derive(Clone, Copy, Debug)]
pub(in crate::master) enum Asker<'a> {
    /// A framework's, on offers of this role.
    Framework {
        /// Who it is.
        info: &'a FrameworkInfo,
        /// The role of the offers.
        role: &'a str,
    },
    /// An operator's, on what nobody uses.
    Operator,
}

/// Whether an operation of an ACCEPT may be run at all: what is asked before any of them is.
pub(in crate::master) fn check_request(
    operation: &Operation,
    agent: AgentId,
    capabilities: AgentCapabilities,
) -> Result<(), String> {
    match &operation.what {
        OperationKind::Launch(_) | OperationKind::LaunchGroup { .. } => match operation.id {
            Some(_) => Err("Operation 'id' must not be set for LAUNCH and LAUNCH_GROUP operations".into()),
            None => Ok(()),
        },
        OperationKind::Resources(ResourceOperation::Reserve { source: Some(_), .. }) => {
            Err("The 'source' field of RESERVE is not supported for frameworks".into())
        }
        OperationKind::Resources(_) | OperationKind::Disk { .. } if operation.id.is_some() => {
            let needs = |capability, name: &str| match capabilities.has(capability) {
                true => Ok(()),
                false => Err(format!(
                    "Operation requested feedback, but agent {} does not have the required {name} capability",
                    agent_text(agent)
                )),
            };
            needs(AgentCapabilities::RESOURCE_PROVIDER, "RESOURCE_PROVIDER")?;
            needs(AgentCapabilities::AGENT_OPERATION_FEEDBACK, "AGENT_OPERATION_FEEDBACK")
        }
        OperationKind::Resources(_) | OperationKind::Disk { .. } => Ok(()),
    }
}

/// Why CREATE_DISK and DESTROY_DISK cannot be done: agents have no resource providers.
pub(in crate::master) fn disk_error(source: &Resources) -> String {
    format!("'source' {source} is not managed by a resource provider")
}

/// Whether an operation is valid, its resources aside that are not there or in use.
pub(in crate::master) fn check(what: &ResourceOperation, on: &Agent, asker: Asker<'_>) -> Result<(), String> {
    match what {
        ResourceOperation::Reserve { source, resources } => {
            check_usable(resources, asker)?;
            if let Some(source) = source {
                check_source(source, resources, asker)?;
            }
            each(resources, |resource| check_reserved(resource, on.info.capabilities, asker))
        }
        ResourceOperation::Unreserve { resources } => {
            check_usable(resources, asker)?;
            each(resources, check_unreserved)
        }
        ResourceOperation::Create { volumes } => {
            check_usable(volumes, asker)?;
            each(volumes, |volume| check_created(volume, asker))?;
            check_new_ids(volumes, on)
        }
        ResourceOperation::Destroy { volumes } => {
            check_usable(volumes, asker)?;
            each(volumes, check_volume)?;
            match on.total.contains(&once(volumes)) {
                true => Ok(()),
                false => Err("Persistent volumes not found".into()),
            }
        }
        ResourceOperation::GrowVolume { volume, addition } => check_grown(volume, addition, on, asker),
        ResourceOperation::ShrinkVolume { volume, subtract } => check_shrunk(volume, *subtract, on, asker),
    }
}

/// Each valid, all of one provider, and none of them allocated, except that a framework's were to the role of the offers.
fn check_usable(resources: &Resources, asker: Asker<'_>) -> Result<(), String> {
    check_operation_resources(resources).map_err(|error| format!("Invalid resources: {error}"))?;
    let provider = |resource: &Resource| resource.about().provider.clone();
    let providers: Vec<Option<Arc<str>>> =
        resources.entries().map(|(resource, _)| provider(&resource)).collect();
    if providers.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err("Invalid resources: they have more than one resource provider".into());
    }
    let Some((allocated, _)) = resources.allocations().into_iter().next() else { return Ok(()) };
    Err(match asker {
        Asker::Framework { role, .. } => {
            format!(
                "The resources are allocated to role '{allocated}', but the offers are allocated to role '{role}'"
            )
        }
        Asker::Operator => "An operator's operation was attempted with an allocated resource".into(),
    })
}

fn check_reserved(resource: &Resource, agent: AgentCapabilities, asker: Asker<'_>) -> Result<(), String> {
    if !resource.is_dynamically_reserved() {
        return Err(format!("Resource {resource} is not dynamically reserved"));
    }
    let Some(reservation) = resource.about().reservations.last() else { return Ok(()) };
    if let Asker::Framework { info, role } = asker {
        let given = reservation.principal.as_deref();
        check_principal(info, given, "reserve", "a reserved resource in the request")?;
        let roles = info.subscribed_roles();
        if !roles.contains(&&*reservation.role) {
            let (of, roles) = (&reservation.role, roles.join(", "));
            return Err(format!(
                "A reserve operation was attempted for a resource with role '{of}', but the framework can only reserve resources with roles '{{ {roles} }}'"
            ));
        }
        if *reservation.role != *role {
            let of = &reservation.role;
            return Err(format!(
                "A reserve operation was attempted for a resource with role '{of}', but the resource was allocated to role '{role}'"
            ));
        }
    }
    let lacks = |capability, what: &str, name: &str| match agent.has(capability) {
        true => Ok(()),
        false => Err(format!(
            "Resource {resource} with {what} cannot be reserved on an agent without {name} capability"
        )),
    };
    if reservation.role.contains('/') {
        let what = "reservation for a hierarchical role";
        lacks(AgentCapabilities::HIERARCHICAL_ROLE, what, "HIERARCHICAL_ROLE")?;
    }
    if resource.is_refined() {
        lacks(AgentCapabilities::RESERVATION_REFINEMENT, "refined reservation", "RESERVATION_REFINEMENT")?;
    }
    if resource.is_persistent_volume() {
        return Err(format!("A persistent volume {resource} must already be reserved"));
    }
    Ok(())
}

/// A framework with a principal puts its own upon what it makes.
fn check_principal(info: &FrameworkInfo, given: Option<&str>, deed: &str, on: &str) -> Result<(), String> {
    match (&info.principal, given) {
        (None, _) => Ok(()),
        (Some(own), None) => Err(format!(
            "A {deed} operation was attempted by principal '{own}', but there is {on} with no principal set"
        )),
        (Some(own), Some(given)) if own == given => Ok(()),
        (Some(own), Some(given)) => Err(format!(
            "A {deed} operation was attempted by authenticated principal '{own}', which does not match {on} with principal '{given}'"
        )),
    }
}

/// RESERVE with `source`: the same quantities, each side with one stack of reservations.
fn check_source(source: &Resources, resources: &Resources, asker: Asker<'_>) -> Result<(), String> {
    check_usable(source, asker)?;
    if source.to_unreserved() != resources.to_unreserved() {
        return Err(format!("The source {source} and the target {resources} are not the same quantities"));
    }
    for side in [source, resources] {
        let stacks: Vec<_> =
            side.entries().map(|(resource, _)| resource.about().reservations.clone()).collect();
        if stacks.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(format!("The resources {side} have different reservations"));
        }
    }
    each(source, |resource| match resource.is_persistent_volume() {
        true => Err(format!("A persistent volume {resource} cannot be reserved anew")),
        false => Ok(()),
    })
}

fn check_unreserved(resource: &Resource) -> Result<(), String> {
    if !resource.is_dynamically_reserved() {
        return Err(format!("Resource {resource} is not dynamically reserved"));
    }
    if resource.is_persistent_volume() {
        return Err(format!(
            "A dynamically reserved persistent volume {resource} cannot be unreserved directly. Please destroy the persistent volume first then unreserve the resource"
        ));
    }
    Ok(())
}

fn check_created(volume: &Resource, asker: Asker<'_>) -> Result<(), String> {
    check_volume(volume)?;
    volume.check_new_volume().map_err(|error| error.to_string())?;
    let Asker::Framework { info, .. } = asker else { return Ok(()) };
    if volume.is_shared() && !info.capabilities.has(Capabilities::SHARED_RESOURCES) {
        let name = &info.name;
        return Err(format!(
            "Create volume operation has been attempted by framework '{name}' with no SHARED_RESOURCES capability"
        ));
    }
    let persistence = volume.about().disk.as_ref().and_then(|disk| disk.persistence.as_ref());
    let given = persistence.and_then(|persistence| persistence.principal.as_deref());
    check_principal(info, given, "create volume", "a volume in the operation")
}

/// No id is used twice in a role of an agent. Shared volumes that are the same would pass for copies of one.
fn check_new_ids(volumes: &Resources, on: &Agent) -> Result<(), String> {
    let is_known = |volume: &Resource| on.total.count(volume) > 0;
    if let Some((volume, _)) = volumes.entries().find(|(volume, copies)| *copies > 1 || is_known(volume)) {
        return Err(format!("Persistent volume {volume} is there already"));
    }
    let mut all = on.total.persistent_volumes();
    all += volumes;
    all.check_persistence_ids().map_err(|error| error.to_string())
}

fn check_volume(volume: &Resource) -> Result<(), String> {
    match volume.is_persistent_volume() {
        true => Ok(()),
        false => Err(format!("Resource {volume} is not a persistent volume")),
    }
}

fn check_grown(volume: &Resources, addition: &Resources, on: &Agent, asker: Asker<'_>) -> Result<(), String> {
    check_usable(volume, asker)?;
    check_usable(addition, asker)?;
    check_resizable(&single(volume, "volume")?, "grown", on)?;
    single(addition, "addition")?;
    // The addition must be what the volume was made of: it becomes one entry with it.
    let destroy = ResourceOperation::Destroy { volumes: volume.clone() };
    let stripped = destroy.conversions().map_err(|error| error.0)?;
    let mut joined: Resources =
        stripped.into_iter().map(|ResourceConversion { converted, .. }| converted).next().unwrap_or_default();
    joined += addition;
    match joined.entries().count() {
        1 => Ok(()),
        _ => Err("Incompatible resources in the 'volume' and 'addition' fields".into()),
    }
}

fn check_shrunk(volume: &Resources, subtract: Scalar, on: &Agent, asker: Asker<'_>) -> Result<(), String> {
    check_usable(volume, asker)?;
    let one = single(volume, "volume")?;
    check_resizable(&one, "shrunk", on)?;
    let source = one.about().disk.as_ref().and_then(|disk| disk.source.as_ref());
    if source.is_some_and(|source| source.kind == DiskSourceKind::Mount) {
        return Err("Shrinking a volume on a MOUNT disk is not supported".into());
    }
    if subtract <= Scalar::ZERO {
        return Err("Value of 'subtract' must be greater than zero".into());
    }
    match one.amount() {
        Some(size) if subtract < size => Ok(()),
        Some(_) | None => Err("Value of 'subtract' must be smaller than the size of 'volume'".into()),
    }
}

fn check_resizable(volume: &Resource, deed: &str, on: &Agent) -> Result<(), String> {
    check_volume(volume)?;
    if volume.is_shared() {
        return Err(format!("A shared persistent volume {volume} cannot be {deed}"));
    }
    if volume.about().provider.is_some() {
        return Err(format!("A volume {volume} of a resource provider cannot be {deed}"));
    }
    match on.info.capabilities.has(AgentCapabilities::RESIZE_VOLUME) {
        true => Ok(()),
        false => {
            Err(format!("Volume {volume} cannot be {deed} on an agent without RESIZE_VOLUME capability"))
        }
    }
}

fn single(resources: &Resources, field: &str) -> Result<Resource, String> {
    let mut entries = resources.entries();
    match (entries.next(), entries.next()) {
        (Some((one, _)), None) => Ok(one),
        (None | Some(_), _) => {
            Err(format!("The '{field}' field must be one resource with a size greater than zero"))
        }
    }
}

fn each(resources: &Resources, check: impl Fn(&Resource) -> Result<(), String>) -> Result<(), String> {
    resources.entries().try_for_each(|(resource, _)| check(&resource))
}

/// Shared volumes without their copies: the agent has one.
fn once(resources: &Resources) -> Resources {
    let mut all = Resources::EMPTY;
    resources.entries().for_each(|(resource, _)| all.add_resource(resource));
    all
}
