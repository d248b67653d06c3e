//! What else is asked of resources that a task, an executor or an operation uses (`resource::validate` in the master).

use std::sync::Arc;

use super::{Name, Resource, ResourceName, Resources};

/// Why resources cannot be used, though each of them is valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// Part of a GPU.
    #[error("gpus must be a whole number, not {0}")]
    PartOfGpu(String),
    /// `disk` that says nothing.
    #[error("`{0}` has disk information with neither persistence nor volume nor source")]
    EmptyDisk(String),
    /// A volume that is no persistent one.
    #[error("`{0}` has a volume but no persistence: only persistent volumes are supported")]
    NotPersistent(String),
    /// A persistent volume of what anybody may take.
    #[error("persistent volume `{0}` is made of unreserved disk")]
    Unreserved(String),
    /// A persistent volume of what the agent may take back.
    #[error("persistent volume `{0}` is made of revocable disk")]
    RevocableVolume(String),
    /// A persistent volume without a place in the container.
    #[error("persistent volume `{0}` has no volume")]
    NoVolume(String),
    /// A persistent volume that tells the host where to put it.
    #[error("persistent volume `{0}` has a host path")]
    HostPath(String),
    /// A persistent volume that cannot be written.
    #[error("persistent volume `{0}` is read-only")]
    ReadOnly(String),
    /// An id that is none.
    #[error("persistence id: {0}")]
    Id(#[from] IdError),
    /// A dynamic reservation of what the agent may take back.
    #[error("`{0}` is revocable and dynamically reserved")]
    RevocableReservation(String),
    /// One id twice for a role.
    #[error("persistence id `{id}` is used twice in role `{role}`")]
    RepeatedId {
        /// The id.
        id: String,
        /// Whom the volumes are reserved for.
        role: String,
    },
    /// Something allocated to nobody.
    #[error("`{0}` is not allocated to a role")]
    NotAllocated(String),
    /// Two roles.
    #[error("resources are allocated to `{0}` and `{1}`, expected one role")]
    TwoRoles(String, String),
    /// Some of it may be taken back, and some not.
    #[error("`{0}` is both revocable and not")]
    MixedRevocable(String),
    /// A resource that is not valid in itself.
    #[error(transparent)]
    Invalid(#[from] super::InvalidResource),
}

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// No character.
    #[error("an id cannot be empty")]
    Empty,
    /// More than 255 bytes.
    #[error("an id has at most 255 bytes, not {0}")]
    Long(usize),
    /// `.` or `..`.
    #[error("`{0}` cannot be an id")]
    Dots(String),
    /// A character that cannot be in a file name.
    #[error("id {id:?} has {character:?}: control characters and slashes are not allowed")]
    Character {
        /// All of it.
        id: String,
        /// The first that is not allowed.
        character: char,
    },
}

/// Checks the id of a task, an executor, an agent, a framework or a persistent volume (`validateID`).
///
/// # Errors
/// The first rule that it breaks.
pub fn check_id(id: &str) -> Result<(), IdError> {
    if id.is_empty() {
        return Err(IdError::Empty);
    }
    if id.len() > 255 {
        return Err(IdError::Long(id.len()));
    }
    if matches!(id, "." | "..") {
        return Err(IdError::Dots(id.to_owned()));
    }
    match id.chars().find(|&c| c.is_ascii_control() || matches!(c, '/' | '\\')) {
        Some(character) => Err(IdError::Character { id: id.to_owned(), character }),
        None => Ok(()),
    }
}

/// Checks the resources of an operation (`resource::validate`): each valid, whole GPUs, disks that say what they are,
/// no dynamic reservation of what the agent may take back.
///
/// # Errors
/// The first rule that is broken.
pub fn check_operation_resources(resources: &Resources) -> Result<(), UsageError> {
    for (resource, _) in resources.entries() {
        resource.validate()?;
        check_gpus(&resource)?;
        check_disk(&resource)?;
        if resource.is_revocable() && resource.is_dynamically_reserved() {
            return Err(UsageError::RevocableReservation(resource.to_string()));
        }
    }
    Ok(())
}

/// Checks all resources of a task and its executor together: as [`check_operation_resources`], and besides unique
/// persistence ids, one allocation role, and no name both revocable and not.
///
/// # Errors
/// The first rule that is broken.
pub fn check_task_resources(resources: &Resources) -> Result<(), UsageError> {
    check_operation_resources(resources)?;
    check_unique_ids(resources)?;
    check_one_role(resources)?;
    let entries: Vec<_> = resources.entries().map(|(resource, _)| resource).collect();
    let mixed =
        |a: &&Resource| entries.iter().any(|b| a.name == b.name && a.is_revocable() != b.is_revocable());
    match entries.iter().find(mixed) {
        Some(resource) => Err(UsageError::MixedRevocable(resource.name.as_str().to_owned())),
        None => Ok(()),
    }
}

impl Resources {
    /// Checks that no two persistent volumes have one id in one role, as all volumes of an agent must
    /// (`validateUniquePersistenceID`).
    ///
    /// # Errors
    /// The first id that is used twice.
    pub fn check_persistence_ids(&self) -> Result<(), UsageError> {
        check_unique_ids(self)
    }
}

fn check_gpus(resource: &Resource) -> Result<(), UsageError> {
    match resource.amount() {
        Some(amount) if resource.name == Name::Known(ResourceName::Gpus) && amount.0 % 1000 != 0 => {
            Err(UsageError::PartOfGpu(amount.to_string()))
        }
        Some(_) | None => Ok(()),
    }
}

/// `validateDiskInfo`.
fn check_disk(resource: &Resource) -> Result<(), UsageError> {
    let Some(disk) = &resource.about().disk else { return Ok(()) };
    let named = || resource.to_string();
    let Some(persistence) = &disk.persistence else {
        return match (&disk.volume, &disk.source) {
            (Some(_), _) => Err(UsageError::NotPersistent(named())),
            (None, Some(_)) => Ok(()),
            (None, None) => Err(UsageError::EmptyDisk(named())),
        };
    };
    if resource.is_revocable() {
        return Err(UsageError::RevocableVolume(named()));
    }
    if !resource.is_reserved() {
        return Err(UsageError::Unreserved(named()));
    }
    let Some(volume) = &disk.volume else { return Err(UsageError::NoVolume(named())) };
    if volume.host_path.is_some() {
        return Err(UsageError::HostPath(named()));
    }
    check_id(&persistence.id)?;
    Ok(())
}

impl Resource {
    /// Checks what is asked of a volume when it is made: that it can be written.
    ///
    /// # Errors
    /// When it is read-only.
    pub fn check_new_volume(&self) -> Result<(), UsageError> {
        let volume = self.about().disk.as_ref().and_then(|disk| disk.volume.as_ref());
        match volume {
            Some(volume) if !volume.writable => Err(UsageError::ReadOnly(self.to_string())),
            Some(_) | None => Ok(()),
        }
    }
}

fn check_unique_ids(resources: &Resources) -> Result<(), UsageError> {
    let mut seen: Vec<(Option<Arc<str>>, String)> = Vec::new();
    for (resource, _) in resources.entries() {
        let disk = resource.about().disk.as_ref();
        let Some(persistence) = disk.and_then(|disk| disk.persistence.as_ref()) else { continue };
        let key = (resource.reservation_role().cloned(), persistence.id.clone());
        if seen.contains(&key) {
            let role = key.0.map_or_else(String::new, |role| role.to_string());
            return Err(UsageError::RepeatedId { id: key.1, role });
        }
        seen.push(key);
    }
    Ok(())
}

fn check_one_role(resources: &Resources) -> Result<(), UsageError> {
    let mut first: Option<Arc<str>> = None;
    for (resource, _) in resources.entries() {
        let Some(role) = resource.about().allocation_role.clone() else {
            return Err(UsageError::NotAllocated(resource.to_string()));
        };
        match &first {
            Some(first) if *first != role => {
                return Err(UsageError::TwoRoles(first.to_string(), role.to_string()));
            }
            Some(_) => {}
            None => first = Some(role),
        }
    }
    Ok(())
}
