//! What is to be run: jobs of tasks, what each task asks for, and when jobs arrive.

pub mod detail;
pub mod generator;
pub mod poisson;

use std::sync::Arc;

use mesos::{
    id,
    resource::{Devices, Resource, ResourceName, ResourceQuantities, Resources, Scalar, WHOLE_DEVICE},
    time::{Span, Time},
};
use smallvec::SmallVec;

pub use detail::JobDetail;

id!(/// A job, in the order of the workload.
    JobId);

/// What a task asks of an agent's GPUs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum GpuDemand {
    /// Nothing.
    #[default]
    None,
    /// This many whole devices.
    Whole(u8),
    /// A share of one device, in thousandths: 1..1000.
    Share(u16),
}

impl GpuDemand {
    /// The sum over devices.
    #[must_use]
    pub const fn amount(self) -> Scalar {
        match self {
            Self::None => Scalar::ZERO,
            Self::Whole(count) => Scalar::whole(count as i64),
            Self::Share(thousandths) => Scalar(thousandths as i64),
        }
    }

    /// Which of the free devices to take: the first whole ones, or the one with the least room that still has enough.
    #[must_use]
    pub fn choose(self, free: &Devices) -> Option<Devices> {
        match self {
            Self::None => Some(Devices::NONE),
            Self::Whole(count) => free.take_whole(usize::from(count)),
            Self::Share(thousandths) => free.take_share(thousandths),
        }
    }

    /// Whether [`choose`](Self::choose) would find something.
    #[inline]
    #[must_use]
    pub fn fits(self, free: &Devices) -> bool {
        match self {
            Self::None => true,
            Self::Whole(count) => free.have_whole(usize::from(count)),
            Self::Share(thousandths) => free.have_share(thousandths),
        }
    }

    /// Whether whatever serves `other` would serve this too.
    const fn is_no_harder_than(self, other: Self) -> bool {
        match (self, other) {
            (Self::None, _) => true,
            (Self::Share(mine), Self::Share(theirs)) => mine <= theirs,
            (Self::Share(_), Self::Whole(theirs)) => theirs > 0,
            (Self::Whole(mine), Self::Whole(theirs)) => mine <= theirs,
            (Self::Share(_) | Self::Whole(_), Self::None) => false,
            (Self::Whole(mine), Self::Share(_)) => mine == 0,
        }
    }
}

/// GPU models of a cluster as bits; at most 63 different ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ModelSet(pub u64);

impl ModelSet {
    /// Any model, or none at all.
    pub const ANY: Self = Self(0);

    /// A model that no machine has.
    pub const UNKNOWN: Self = Self(1 << 63);

    /// Whether an agent with this model will do.
    #[must_use]
    pub const fn admits(self, model: Self) -> bool {
        self.0 == 0 || self.0 & model.0 != 0
    }
}

/// What one task asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Demand {
    /// Processors.
    pub cpus: Scalar,
    /// Memory in MiB.
    pub mem: Scalar,
    /// Disk in MiB.
    pub disk: Scalar,
    /// GPUs.
    pub gpus: GpuDemand,
    /// Whether the processors shall be revocable ones: then they must be, otherwise they must not.
    pub revocable: bool,
    /// On agents with which GPU models it may run.
    pub models: ModelSet,
}

const _: () = assert!(size_of::<TaskSpec>() <= 56, "a million tasks wait or run at once");

impl Demand {
    /// The amounts per name.
    #[must_use]
    pub fn quantities(&self) -> ResourceQuantities {
        ResourceQuantities::new([self.cpus, self.mem, self.disk, self.gpus.amount()])
    }

    /// Whether it fits into what an agent of this GPU model has free.
    #[inline]
    #[must_use]
    pub fn fits(&self, free: &Resources, model: ModelSet) -> bool {
        self.fits_cpus(free)
            && free.get(ResourceName::Mem) >= self.mem
            && free.get(ResourceName::Disk) >= self.disk
            && self.gpus.fits(free.devices())
            && self.models.admits(model)
    }

    #[inline]
    fn fits_cpus(&self, free: &Resources) -> bool {
        if !self.revocable && !free.has_revocable() {
            return free.get(ResourceName::Cpus) >= self.cpus;
        }
        let part = if self.revocable { free.revocable() } else { free.non_revocable() };
        part.get(ResourceName::Cpus) >= self.cpus
    }

    /// What a task takes of the free resources, devices chosen; `None` if it does not fit.
    #[must_use]
    pub fn take(&self, free: &Resources) -> Option<Resources> {
        let devices = self.gpus.choose(free.devices())?;
        let mut quantities = self.quantities();
        if self.revocable {
            quantities.set(ResourceName::Cpus, Scalar::ZERO);
        }
        let mut taken = Resources::of(quantities).with_devices(devices);
        if self.revocable {
            taken += &revocable_cpus(self.cpus);
        }
        free.contains(&taken).then_some(taken)
    }

    /// Whether every agent on which `other` fits has room for this.
    #[must_use]
    pub fn is_no_harder_than(&self, other: &Self) -> bool {
        self.revocable == other.revocable
            && self.cpus <= other.cpus
            && self.mem <= other.mem
            && self.disk <= other.disk
            && self.gpus.is_no_harder_than(other.gpus)
            && (self.models == ModelSet::ANY || (other.models.0 != 0 && other.models.0 & !self.models.0 == 0))
    }
}

/// The run time of a task that runs until somebody ends it.
pub const UNTIL_KILLED: Span = Span::MAX;

/// One task of a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskSpec {
    /// What it asks for.
    pub demand: Demand,
    /// How long it runs; or [`UNTIL_KILLED`].
    pub runtime: Span,
    /// The number of its profile, from 1; 0: it just runs.
    pub profile: u16,
}

/// Processors that may be taken back.
#[must_use]
pub fn revocable_cpus(cpus: Scalar) -> Resources {
    let mut revocable = Resources::EMPTY;
    if cpus > Scalar::ZERO {
        let plain = Resource::plain(ResourceName::Cpus, cpus);
        revocable.add_resource(plain.with(|detail| detail.revocable = true));
    }
    revocable
}

/// What people call a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JobName {
    /// As the trace does.
    Named(Box<str>),
    /// A synthetic job has only a number.
    Numbered(u64),
}

impl std::fmt::Display for JobName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Numbered(number) => write!(f, "{number}"),
        }
    }
}

/// A job: tasks that arrive together and may run apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Its place in the workload.
    pub id: JobId,
    /// Its name.
    pub name: JobName,
    /// What kind of job it is, for tables and for choosing its framework (openb: the qos class); may be empty.
    pub class: Box<str>,
    /// When it arrives.
    pub submission: Time,
    /// Its tasks, as far as they are known when it arrives.
    pub tasks: SmallVec<[TaskSpec; 1]>,
    /// What else it is made of, for frameworks that decide themselves which tasks to run.
    pub detail: Option<Arc<JobDetail>>,
}

impl Job {
    /// What its tasks ask for, those that its framework will add included: each must fit some machine.
    pub fn demands(&self) -> impl Iterator<Item = &Demand> {
        let detail = self.detail.iter().flat_map(|detail| detail.demands());
        self.tasks.iter().map(|task| &task.demand).chain(detail)
    }
}

/// Jobs of one framework in the order in which they arrive.
pub trait JobSource {
    /// The next job; `None` when there are no more.
    fn next_job(&mut self) -> Option<Job>;
}

/// Jobs that are all known.
impl JobSource for std::vec::IntoIter<Job> {
    fn next_job(&mut self) -> Option<Job> {
        self.next()
    }
}

/// So many whole devices. More than 255 are as impossible as 255: no agent has more than 16.
#[must_use]
pub fn whole_gpus(count: u64) -> GpuDemand {
    GpuDemand::Whole(u8::try_from(count).unwrap_or(u8::MAX))
}

/// An amount of GPU as people write it: whole devices or a share below one. `None` if it is neither.
#[must_use]
pub fn gpu_demand(gpus: f64) -> Option<GpuDemand> {
    let thousandths = Scalar::from_f64(gpus)?.0;
    match thousandths {
        0 => Some(GpuDemand::None),
        share if (1..i64::from(WHOLE_DEVICE)).contains(&share) => Some(GpuDemand::Share(share as u16)),
        whole if whole > 0 && whole % 1000 == 0 => Some(whole_gpus((whole / 1000) as u64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn demand()(cpus in 0i64..4, mem in 0i64..4, gpus in 0u16..5, models in 0u64..4, revocable: bool) -> Demand {
            let gpus = match gpus {
                0 => GpuDemand::None,
                1 => GpuDemand::Share(300),
                2 => GpuDemand::Share(600),
                count => GpuDemand::Whole(count as u8 - 2),
            };
            Demand { cpus: Scalar(cpus), mem: Scalar(mem), disk: Scalar::ZERO, gpus, models: ModelSet(models), revocable }
        }
    }
    prop_compose! {
        fn free()(cpus in 0i64..4, revocable in 0i64..4, mem in 0i64..4, shares in prop::array::uniform3(0u16..4)) -> Resources {
            let mut devices = Devices::NONE;
            for (device, share) in shares.into_iter().enumerate() {
                devices += &Devices::share(device, [0, 400, 700, 1000][usize::from(share)]);
            }
            let mut free = Resources::of(ResourceQuantities::new([Scalar(cpus), Scalar(mem), Scalar::ZERO, Scalar::ZERO])).with_devices(devices);
            free += &revocable_cpus(Scalar(revocable));
            free
        }
    }

    proptest! {
        #[test]
        fn what_fits_can_be_taken(demand in demand(), free in free()) {
            prop_assert_eq!(demand.fits(&free, ModelSet(demand.models.0)), demand.take(&free).is_some());
        }

        #[test]
        fn what_is_no_harder_fits_wherever_the_other_fits(a in demand(), b in demand(), free in free(), model in 0u64..4) {
            let model = ModelSet(model);
            if a.is_no_harder_than(&b) && b.fits(&free, model) {
                prop_assert!(a.fits(&free, model));
            }
        }
    }

    #[test]
    fn gpus_are_whole_or_a_share_of_one() {
        assert_eq!(gpu_demand(0.46), Some(GpuDemand::Share(460)));
        assert_eq!(gpu_demand(8.0), Some(GpuDemand::Whole(8)));
        assert_eq!(gpu_demand(1.5), None);
        assert_eq!(gpu_demand(-1.0), None);
        assert_eq!(gpu_demand(f64::NAN), None);
    }
}
