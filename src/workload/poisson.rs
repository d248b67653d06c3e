//! A synthetic open queue: jobs arrive at random, run for a random time, ask for amounts drawn from lists.

use mesos::{
    id::Id,
    resource::Scalar,
    time::{Span, Time},
};
use rand_distr::{Distribution, Exp1};

use super::{Demand, GpuDemand, Job, JobId, JobName, JobSource, ModelSet, TaskSpec};
use crate::engine::random::{Seed, Stream, below, unit};

/// What to draw. Times between arrivals are exponential, so arrivals are a Poisson process.
#[derive(Clone, Debug)]
pub struct Poisson {
    /// How many jobs.
    pub jobs: u64,
    /// Mean time between two arrivals.
    pub interarrival: Span,
    /// Mean time that a task runs.
    pub duration: Span,
    /// Whether run times are exponential; otherwise each is the mean.
    pub exponential_duration: bool,
    /// Tasks of each job, at least one.
    pub tasks_per_job: u32,
    /// Amounts of which one is drawn for each job; none of the lists is empty.
    pub cpus: Vec<Scalar>,
    /// Likewise, MiB.
    pub mem: Vec<Scalar>,
    /// Likewise, MiB.
    pub disk: Vec<Scalar>,
    /// Likewise.
    pub gpus: Vec<GpuDemand>,
    /// Profiles of which one is drawn for each job, or none.
    pub profiles: Vec<ProfileShare>,
}

/// Which jobs have a profile.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ProfileShare {
    /// The fraction of all jobs; all shares together are at most 1.
    pub share: f64,
    /// Whether tasks of these jobs want revocable CPUs.
    pub revocable: bool,
}

/// The jobs of a [`Poisson`] workload. Each draw is addressed by the number of its job.
#[derive(Clone, Debug)]
pub struct PoissonJobs {
    spec: Poisson,
    seed: Seed,
    next: u64,
    last: Time,
}

impl PoissonJobs {
    /// All jobs of the workload, from the first on.
    #[must_use]
    pub const fn new(spec: Poisson, seed: Seed) -> Self {
        Self { spec, seed, next: 0, last: Time::ZERO }
    }

    fn demand(&self, job: u64, profile: u16) -> Demand {
        let mut rng = self.seed.of(Stream::Demand, job);
        let mut of = |count: usize| below(&mut rng, count as u64) as usize;
        Demand {
            cpus: self.spec.cpus[of(self.spec.cpus.len())],
            mem: self.spec.mem[of(self.spec.mem.len())],
            disk: self.spec.disk[of(self.spec.disk.len())],
            gpus: self.spec.gpus[of(self.spec.gpus.len())],
            revocable: profile > 0 && self.spec.profiles[usize::from(profile) - 1].revocable,
            models: ModelSet::ANY,
        }
    }
}

impl JobSource for PoissonJobs {
    fn next_job(&mut self) -> Option<Job> {
        if self.next == self.spec.jobs {
            return None;
        }
        let job = self.next;
        self.next += 1;
        self.last = self.last + exponential(self.spec.interarrival, &mut self.seed.of(Stream::Arrival, job));
        let profile = profile_of(&self.spec.profiles, self.seed, job);
        let demand = self.demand(job, profile);
        let mut runtimes = self.seed.of(Stream::Runtime, job);
        let mut task = || TaskSpec {
            demand,
            runtime: if self.spec.exponential_duration {
                exponential(self.spec.duration, &mut runtimes)
            } else {
                self.spec.duration
            },
            profile,
        };
        Some(Job {
            id: JobId::new(job as usize),
            name: JobName::Numbered(job),
            class: "".into(),
            submission: self.last,
            tasks: (0..self.spec.tasks_per_job).map(|_| task()).collect(),
            detail: None,
        })
    }
}

/// The number of a job's profile, from 1; 0: none.
pub(super) fn profile_of(profiles: &[ProfileShare], seed: Seed, job: u64) -> u16 {
    if profiles.is_empty() {
        return 0;
    }
    let mut left = unit(&mut seed.of(Stream::Profile, job));
    let drawn = profiles.iter().position(|profile| {
        left -= profile.share;
        left < 0.0
    });
    drawn.map_or(0, |place| u16::try_from(place + 1).expect("no more profiles than u16 has numbers"))
}

fn exponential(mean: Span, rng: &mut rand_pcg::Pcg64Mcg) -> Span {
    let unit: f64 = Exp1.sample(rng);
    Span((unit * mean.0 as f64).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(seed: u64) -> Vec<Job> {
        jobs_with(seed, Vec::new())
    }

    fn jobs_with(seed: u64, profiles: Vec<ProfileShare>) -> Vec<Job> {
        let spec = Poisson {
            jobs: 20_000,
            interarrival: Span::from_secs(2),
            duration: Span::from_secs(30),
            exponential_duration: true,
            tasks_per_job: 2,
            cpus: vec![Scalar::whole(1), Scalar::whole(2)],
            mem: vec![Scalar::whole(1024)],
            disk: vec![Scalar::ZERO],
            gpus: vec![GpuDemand::None],
            profiles,
        };
        let mut source = PoissonJobs::new(spec, Seed(seed));
        std::iter::from_fn(|| source.next_job()).collect()
    }

    #[test]
    fn means_are_those_asked_for() {
        let jobs = jobs(1);
        let arrival = jobs.last().unwrap().submission.as_secs_f64() / jobs.len() as f64;
        let tasks = jobs.iter().flat_map(|job| &job.tasks);
        let runtime =
            tasks.clone().map(|task| task.runtime.as_secs_f64()).sum::<f64>() / tasks.count() as f64;
        assert!((arrival - 2.0).abs() < 0.06, "mean time between arrivals {arrival}");
        assert!((runtime - 30.0).abs() < 0.9, "mean run time {runtime}");
    }

    #[test]
    fn profiles_are_drawn_by_their_shares_and_change_nothing_else() {
        let share = |share, revocable| ProfileShare { share, revocable };
        let with = jobs_with(1, vec![share(0.5, false), share(0.2, true)]);
        for (number, expected) in [(0, 0.3), (1, 0.5), (2, 0.2)] {
            let count = with.iter().filter(|job| job.tasks[0].profile == number).count();
            let found = count as f64 / with.len() as f64;
            assert!((found - expected).abs() < 0.02, "{found} of the jobs have profile {number}");
        }
        for (with, without) in with.iter().zip(jobs(1)) {
            let TaskSpec { demand, runtime, profile } = with.tasks[0];
            assert_eq!(demand.revocable, profile == 2);
            let plain = TaskSpec { demand: Demand { revocable: false, ..demand }, runtime, profile: 0 };
            assert_eq!((plain, with.submission), (without.tasks[0], without.submission));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_jobs() {
        assert_eq!(jobs(1)[..50], jobs(1)[..50]);
        assert_ne!(jobs(1)[..50], jobs(2)[..50]);
    }
}
