//! Cutting resources down to quantities or limits, as the allocator does (`shrinkResources`).

use super::{
    Entry, Resource, ResourceLimits, ResourceName, ResourceQuantities, Resources, Scalar, Value, list, views,
};

impl Resource {
    /// The same with at most this amount; `None` if it is more and cannot be divided (`Resources::shrink`). Ranges and sets
    /// are not divided.
    #[must_use]
    pub fn shrunk(&self, most: Scalar) -> Option<Self> {
        let amount = self.amount()?;
        if amount <= most {
            return Some(self.clone());
        }
        let smaller = Self { value: Value::Scalar(most), ..self.clone() };
        (self.about().disk.is_none() || list::is_subtractable(self, &smaller)).then_some(smaller)
    }
}

impl ResourceQuantities {
    /// Cuts scalar resources down to these quantities, in the order they stand in (`shrinkResources` in the allocator). A
    /// name that is not here is dropped; so is what is too much and cannot be divided. Ranges and sets, which Mesos lets
    /// nobody ask for, are dropped. Of a shared volume one copy is left.
    #[must_use]
    pub fn shrink(&self, resources: Resources) -> Resources {
        if resources.list().is_none() {
            return cut_plain(resources, |name| Some(self.get(name)));
        }
        let mut left = self.clone();
        let mut kept = Resources::EMPTY;
        for entry in resources.walk() {
            let most = left.of(&entry.resource.name);
            if most.0 > 0
                && let Some(part) = entry.resource.shrunk(most)
            {
                left.take(&part.name, part.amount().unwrap_or(Scalar::ZERO));
                keep(&mut kept, part, &resources);
            }
        }
        kept
    }
}

impl ResourceLimits {
    /// Cuts scalar resources down to these limits, in the order they stand in (`shrinkResources` in the allocator). A name
    /// without limit passes untouched; what is over the limit and cannot be divided is dropped, and so are ranges and sets
    /// with a limit. Of a shared volume one copy is left.
    #[must_use]
    pub fn shrink(&self, resources: Resources) -> Resources {
        if self.is_empty() {
            return resources;
        }
        if resources.list().is_none() {
            return cut_plain(resources, |name| self.of(name));
        }
        let mut left = self.clone();
        let mut kept = Resources::EMPTY;
        for entry in resources.walk() {
            let Some(most) = left.get(entry.resource.name.as_str()) else {
                keep(&mut kept, entry.resource.clone(), &resources);
                continue;
            };
            if let Some(part) = entry.resource.shrunk(most) {
                left.take(&part.name, part.amount().unwrap_or(Scalar::ZERO));
                keep(&mut kept, part, &resources);
            }
        }
        kept
    }
}

/// Plain amounts do not compete with each other: each is the lesser of what it is and what it may be.
fn cut_plain(mut resources: Resources, most: impl Fn(ResourceName) -> Option<Scalar>) -> Resources {
    for name in ResourceName::ALL {
        if let Some(most) = most(name)
            && most < resources.get(name)
        {
            resources.body_mut().scalars.set(name, most);
            if name == ResourceName::Gpus {
                resources.body_mut().devices = resources.devices().first(most.0);
            }
        }
    }
    resources
}

fn keep(kept: &mut Resources, part: Resource, whole: &Resources) {
    if views::has_devices(&part) {
        kept.body_mut().devices = whole.devices().first(part.amount().unwrap_or(Scalar::ZERO).0);
    }
    kept.add_entry(&Entry::once(part));
}
