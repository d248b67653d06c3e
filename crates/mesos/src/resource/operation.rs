//! Operations that change what resources are, not how much there is: RESERVE and the like.

use super::{DiskInfo, Entry, Resource, Resources, Scalar, Value};

/// An offer operation on resources (Mesos' `Offer.Operation`, without those that launch tasks).
#[derive(Clone, Debug, PartialEq)]
pub enum ResourceOperation {
    /// Reserve, or refine a reservation.
    Reserve {
        /// What they were before; `None`: the same without the last reservation.
        source: Option<Resources>,
        /// What they shall be.
        resources: Resources,
    },
    /// Take the last reservation away.
    Unreserve {
        /// What they are before.
        resources: Resources,
    },
    /// Make persistent volumes.
    Create {
        /// What shall be there.
        volumes: Resources,
    },
    /// Delete persistent volumes.
    Destroy {
        /// What is there.
        volumes: Resources,
    },
    /// Make a volume larger.
    GrowVolume {
        /// What is there.
        volume: Resources,
        /// The disk that joins it.
        addition: Resources,
    },
    /// Make a volume smaller.
    ShrinkVolume {
        /// What is there.
        volume: Resources,
        /// By how much, in MB.
        subtract: Scalar,
    },
}

/// These become those (Mesos' `ResourceConversion`).
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceConversion {
    /// What vanishes.
    pub consumed: Resources,
    /// What comes instead.
    pub converted: Resources,
    /// What must not be there any more afterwards (DESTROY of a shared volume: no copies are left).
    pub gone: Option<Resources>,
}

/// Why an operation cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OperationError(pub String);

impl ResourceOperation {
    /// What it consumes and yields, step by step (`getResourceConversions`).
    ///
    /// # Errors
    /// When there is nothing to pop, or a volume is none.
    pub fn conversions(&self) -> Result<Vec<ResourceConversion>, OperationError> {
        match self {
            Self::Reserve { source, resources } => {
                let consumed = match source {
                    Some(source) => source.clone(),
                    None => popped(resources)?,
                };
                Ok(vec![ResourceConversion::new(consumed, resources.clone())])
            }
            Self::Unreserve { resources } => each(resources, |one| {
                let popped = popped(&one)?;
                Ok(ResourceConversion::new(one, popped))
            }),
            Self::Create { volumes } => {
                each(volumes, |volume| Ok(ResourceConversion::new(stripped(&volume), volume)))
            }
            Self::Destroy { volumes } => each(volumes, |volume| {
                let disk = stripped(&volume);
                Ok(ResourceConversion { gone: Some(volume.clone()), ..ResourceConversion::new(volume, disk) })
            }),
            Self::GrowVolume { volume, addition } => {
                let (one, more) = (single(volume, "volume")?, single(addition, "addition")?);
                let size = amount(&one)? + amount(&more)?;
                let mut consumed = volume.clone();
                consumed += addition;
                Ok(vec![ResourceConversion::new(consumed, of(resized(&one, size)))])
            }
            Self::ShrinkVolume { volume, subtract } => {
                let one = single(volume, "volume")?;
                let size = amount(&one)?;
                if subtract.0 <= 0 || *subtract > size {
                    return Err(OperationError(format!("{one} cannot shrink by {subtract}")));
                }
                let mut converted = of(resized(&one, size - *subtract));
                converted += &of(strip(&resized(&one, *subtract)));
                Ok(vec![ResourceConversion::new(volume.clone(), converted)])
            }
        }
    }
}

impl ResourceConversion {
    /// These become those, whatever is left.
    #[must_use]
    pub const fn new(consumed: Resources, converted: Resources) -> Self {
        Self { consumed, converted, gone: None }
    }
}

impl Resources {
    /// Applies a conversion: what it consumes must be there (`Resources::apply`). Nothing changes on an error.
    ///
    /// # Errors
    /// When it is not, or when something is left that should be gone.
    pub fn convert(&mut self, conversion: &ResourceConversion) -> Result<(), OperationError> {
        if !self.contains(&conversion.consumed) {
            return Err(OperationError(format!("{self} does not contain {}", conversion.consumed)));
        }
        let mut result = self.clone();
        result -= &conversion.consumed;
        result += &conversion.converted;
        if let Some(gone) = &conversion.gone
            && result.contains(gone)
        {
            return Err(OperationError(format!(
                "{gone} cannot be removed: there are more shared copies of it"
            )));
        }
        let devices = *result.devices();
        result.trim_devices(&devices);
        *self = result;
        Ok(())
    }

    /// Applies all steps of an operation, or none.
    ///
    /// # Errors
    /// As [`convert`](Self::convert).
    pub fn apply(&mut self, operation: &ResourceOperation) -> Result<(), OperationError> {
        let mut result = self.clone();
        operation.conversions()?.iter().try_for_each(|conversion| result.convert(conversion))?;
        *self = result;
        Ok(())
    }
}

/// One conversion for each resource, as often as it is held.
fn each(
    resources: &Resources,
    conversion: impl Fn(Resources) -> Result<ResourceConversion, OperationError>,
) -> Result<Vec<ResourceConversion>, OperationError> {
    let singles =
        resources.entries().flat_map(|(resource, copies)| (0..copies).map(move |_| of(resource.clone())));
    singles.map(conversion).collect()
}

fn popped(resources: &Resources) -> Result<Resources, OperationError> {
    resources.without_last_reservation().ok_or_else(|| {
        OperationError(format!("not all of {resources} is reserved: no reservation to take away"))
    })
}

/// Disks as they were before they became volumes.
fn stripped(volumes: &Resources) -> Resources {
    let mut disks = Resources::EMPTY;
    for (volume, copies) in volumes.entries() {
        (0..copies).for_each(|_| disks.add_entry(&Entry::once(strip(&volume))));
    }
    disks
}

fn strip(volume: &Resource) -> Resource {
    volume.with(|detail| {
        detail.shared = false;
        detail.disk = detail.disk.take().filter(|disk| disk.source.is_some()).map(|disk| DiskInfo {
            source: disk.source,
            persistence: None,
            volume: None,
        });
    })
}

fn single(resources: &Resources, what: &str) -> Result<Resource, OperationError> {
    let mut entries = resources.entries();
    match (entries.next(), entries.next()) {
        (Some((one, 1)), None) => Ok(one),
        _ => Err(OperationError(format!("expected one {what} instead of `{resources}`"))),
    }
}

fn amount(resource: &Resource) -> Result<Scalar, OperationError> {
    resource.amount().ok_or_else(|| OperationError(format!("{resource} is no amount of disk")))
}

fn resized(volume: &Resource, size: Scalar) -> Resource {
    Resource { value: Value::Scalar(size), ..volume.clone() }
}

fn of(resource: Resource) -> Resources {
    let mut one = Resources::EMPTY;
    one.add_entry(&Entry::once(resource));
    one
}
