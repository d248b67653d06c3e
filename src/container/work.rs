//! What a host is asked to run, how it is set up, and what it reports.

use std::sync::Arc;

use mesos::{
    resource::Scalar,
    task::TaskKey,
    time::{Span, Time},
};

use super::ImageId;

/// How a machine runs containers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostOptions {
    /// From when its image is there until a container's program runs.
    pub startup_delay: Span,
    /// Bytes per second that all pulls of images share; `None`: a pull takes no time.
    pub image_bandwidth: Option<u64>,
    /// How many bytes of images stay when nobody uses them (`--fetcher_cache_size`, 2 GB).
    pub image_cache: u64,
    /// Whether a container without a CPU limit is held to its request (`--cgroups_enable_cfs`, off).
    pub enable_cfs: bool,
    /// Whether a revocable container weighs 10 shares per CPU and not 1024 (`--revocable_cpu_low_priority`, on).
    pub revocable_cpu_low_priority: bool,
}

impl Default for HostOptions {
    /// Mesos' defaults; starting and pulling take no time.
    fn default() -> Self {
        Self {
            startup_delay: Span::ZERO,
            image_bandwidth: None,
            image_cache: 2 << 30,
            enable_cfs: false,
            revocable_cpu_low_priority: true,
        }
    }
}

/// A container to run.
#[derive(Clone, PartialEq, Debug)]
pub struct Work {
    /// The task that it is for, by which it is known from now on.
    pub key: TaskKey,
    /// How long it runs if it gets all the CPU that it wants.
    pub runtime: Span,
    /// CPUs that it requests: its weight when CPUs are short.
    pub cpus: Scalar,
    /// Memory that it requests, in MiB.
    pub mem: Scalar,
    /// What it may use beyond its request, or is held to below.
    pub limits: Limits,
    /// Whether its CPUs are revocable.
    pub revocable: bool,
    /// What it does beside running; `None`: it uses the CPUs that it requests, stays within its memory and ends well.
    pub profile: Option<Arc<Profile>>,
}

/// Resource limits of a task (Mesos' `TaskInfo.limits`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// CPUs that it never exceeds; `None`: as [`HostOptions::enable_cfs`] says.
    pub cpus: Option<Scalar>,
    /// MiB above which it is killed; `None`: its request.
    pub mem: Option<Scalar>,
}

/// What a container does beside running for its time.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    /// What it is made from; `None`: from what every machine has.
    pub image: Option<ImageId>,
    /// CPUs that it keeps busy when it gets them; `None`: as many as it requests. With zero it progresses without CPU.
    pub cpus: Option<Scalar>,
    /// Its memory grows evenly with its progress up to this; `None`: it stays within its limit.
    pub mem_peak: Option<MemPeak>,
    /// How long it takes to exit when it is asked to (SIGTERM). It makes no progress then, but still keeps its CPUs busy.
    pub stop_delay: Span,
    /// The fraction of its progress, 0..=1, at which it fails by itself.
    pub fails_at: Option<f64>,
    /// How fast it progresses with all the CPU that it wants: 1 is normal, 0.5 is a straggler that takes twice as long.
    pub speed: f64,
}

impl Default for Profile {
    /// Behaves as work without a profile.
    fn default() -> Self {
        let (image, cpus, mem_peak, fails_at) = (None, None, None, None);
        Self { image, cpus, mem_peak, stop_delay: Span::ZERO, fails_at, speed: 1.0 }
    }
}

/// The most memory that a container ever uses.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MemPeak {
    /// How much.
    pub mem: Peak,
    /// The fraction of its progress, 0..=1, at which it gets there. With 0 it is there from the start.
    pub at: f64,
}

/// An amount of memory.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Peak {
    /// In MiB.
    Mem(Scalar),
    /// A multiple of what the container requests.
    TimesRequest(f64),
}

impl Peak {
    /// In MiB, of a container that requests so many.
    pub(super) fn of(self, request: Scalar) -> f64 {
        match self {
            Self::Mem(mem) => mem.as_f64(),
            Self::TimesRequest(factor) => request.as_f64() * factor,
        }
    }
}

/// What happened on a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happening {
    /// The container's program runs.
    Started {
        /// Which container.
        key: TaskKey,
    },
    /// The container is gone. One that never started can end, too.
    Ended {
        /// Which container.
        key: TaskKey,
        /// Why.
        how: How,
        /// Whether its program ever ran.
        began: bool,
        /// How long its program ran, asked to stop or not.
        ran: Span,
        /// How much of its run time that was worth: less than `ran` if it was slowed down.
        progress: Span,
    },
}

/// Why a container ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// It did its work.
    Finished,
    /// It failed.
    Failed(EndReason),
    /// Someone asked: it exited by itself within the grace period, or was forced to.
    Killed,
    /// Its revocable resources were taken away ([`Host::evict`](super::Host::evict)).
    Evicted,
    /// Its machine died.
    Lost,
}

/// Why a container failed, in Mesos' reasons.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndReason {
    /// Its program exited with an error (`REASON_COMMAND_EXECUTOR_FAILED`).
    CommandFailed,
    /// It used more memory than its limit (`REASON_CONTAINER_LIMITATION_MEMORY`).
    MemoryLimit,
}

/// A container that is there.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Look {
    /// When its program began; `None` while it waits for its image or starts.
    pub began: Option<Time>,
    /// How much of its run time it has done.
    pub progress: Span,
    /// CPUs that it has.
    pub granted: f64,
    /// Whether it was asked to stop.
    pub stopping: bool,
}
