//! Reads what an experiment names, once for all its cells: the machines, and each framework's jobs.

use std::sync::Arc;

use mesos::{
    capability::Capabilities,
    id::Id,
    resource::{ResourceQuantities, Scalar, parse_alternatives},
    time::{Span, Time},
};

use super::{
    ExperimentError,
    config::{self, DurationDistribution, Experiment, Loaded, Size},
    containers::Containers,
    faults,
    generated::{self, OfClasses},
    traced,
};
use crate::{
    cluster::{Cluster, Topology},
    engine::random::{Seed, Stream, below},
    fault::Spec,
    workload::{
        Job, JobSource,
        generator::{Generated, Generator},
        gpu_demand,
        poisson::{Poisson, PoissonJobs, ProfileShare},
    },
};

/// Simulated time lasts 584 years; what a trace or a factor makes of it must stay far below.
pub(super) const LATEST: Time = Time::from_secs(36_525 * 86_400);
/// An experiment with everything that its cells share.
#[derive(Debug)]
pub struct Prepared {
    /// The experiment as it was resolved.
    pub experiment: Experiment,
    /// Its machines.
    pub cluster: Cluster,
    /// What an offer must hold at least.
    pub min_allocatable: Vec<ResourceQuantities>,
    /// Capabilities of each framework.
    pub capabilities: Vec<Capabilities>,
    /// What was read, for the manifest.
    pub facts: serde_json::Value,
    /// What a user should know before trusting the results.
    pub warnings: Vec<String>,
    /// What goes wrong, in the order of the file.
    pub faults: Vec<Spec>,
    /// Images and profiles of tasks.
    pub(super) containers: Containers,
    workload: Workload,
}

#[derive(Debug)]
enum Workload {
    /// All frameworks bring their own jobs.
    None,
    /// The jobs of each framework.
    Listed(Vec<Vec<Job>>),
    /// Jobs drawn from a seed and dealt to the frameworks, to each with equal probability.
    Poisson { spec: Poisson, compress: f64 },
    /// Likewise, or given to the frameworks by their classes.
    Generated { spec: Box<Generator>, takers: Option<Arc<[usize]>>, compress: f64 },
}

/// The jobs of one of several frameworks: each job belongs to one of them, drawn by its number.
struct Dealt<S> {
    jobs: S,
    seed: Seed,
    framework: usize,
    frameworks: usize,
}

impl<S: JobSource> JobSource for Dealt<S> {
    fn next_job(&mut self) -> Option<Job> {
        loop {
            let job = self.jobs.next_job()?;
            let mut rng = self.seed.of(Stream::FrameworkChoice, job.id.index() as u64);
            if below(&mut rng, self.frameworks as u64) as usize == self.framework {
                return Some(job);
            }
        }
    }
}

/// Arrivals brought closer together.
struct Compressed<S>(S, f64);

impl<S: JobSource> JobSource for Compressed<S> {
    fn next_job(&mut self) -> Option<Job> {
        let job = self.0.next_job()?;
        Some(Job { submission: compressed(job.submission, self.1), ..job })
    }
}

impl Prepared {
    /// Reads the files that the experiment names.
    ///
    /// # Errors
    /// A file is missing or wrong, or what it holds does not suit the experiment; points at the key that is to blame.
    pub fn new(loaded: &Loaded) -> Result<Self, ExperimentError> {
        let experiment = loaded.experiment.clone();
        let mut warnings = Vec::new();
        let mut facts = serde_json::Map::new();
        let mut cluster = machines(loaded, &mut facts)?;
        let workload = workload(loaded, &mut cluster, &mut facts, &mut warnings)?;
        let min_allocatable = parse_alternatives(&experiment.master.min_allocatable_resources)
            .map_err(|error| loaded.error_at("master.min_allocatable_resources", error.to_string(), None))?;
        let capabilities = experiment.framework.iter().map(|framework| {
            let known = framework.capabilities.iter().filter_map(|name| Capabilities::parse(name));
            known.fold(Capabilities::NONE, Capabilities::and)
        });
        let capabilities = capabilities.collect();
        let faults = faults::specs(loaded, &cluster, &mut facts)?;
        let facts = facts.into();
        let containers = Containers::new(&experiment);
        let prepared = Self {
            containers,
            capabilities,
            experiment,
            cluster,
            min_allocatable,
            facts,
            warnings,
            faults,
            workload,
        };
        let (_, last) = prepared.jobs_and_last_arrival();
        if last > LATEST {
            let message = "the last job would arrive after more than a hundred years";
            return Err(loaded.error_at("workload", message, None).into());
        }
        Ok(prepared)
    }

    /// The jobs of a framework under a seed.
    #[must_use]
    pub fn jobs(&self, framework: usize, seed: Seed) -> Box<dyn JobSource + Send> {
        if let Some(jobs) = self.own_jobs(framework, seed) {
            return Box::new(jobs.into_iter());
        }
        match &self.workload {
            Workload::None => Box::new(Vec::new().into_iter()),
            Workload::Listed(jobs) => Box::new(jobs[framework].clone().into_iter()),
            Workload::Poisson { spec, compress } => {
                let mut spec = spec.clone();
                if !self.capabilities[framework].has(Capabilities::REVOCABLE_RESOURCES) {
                    spec.profiles.iter_mut().for_each(|profile| profile.revocable = false);
                }
                let jobs = Compressed(PoissonJobs::new(spec, seed), *compress);
                let (framework, frameworks) = self.place_among_takers(framework);
                Box::new(Dealt { jobs, seed, framework, frameworks })
            }
            Workload::Generated { spec, takers, compress } => {
                let mut spec = spec.as_ref().clone();
                if !self.capabilities[framework].has(Capabilities::REVOCABLE_RESOURCES) {
                    spec.profiles.iter_mut().for_each(|profile| profile.revocable = false);
                }
                let jobs = Generated::new(spec, seed);
                if let Some(takers) = takers.clone() {
                    return Box::new(Compressed(OfClasses { jobs, takers, framework }, *compress));
                }
                let (framework, frameworks) = self.place_among_takers(framework);
                Box::new(Dealt { jobs: Compressed(jobs, *compress), seed, framework, frameworks })
            }
        }
    }

    /// Which of the frameworks that take jobs of the workload this one is, and how many there are.
    fn place_among_takers(&self, framework: usize) -> (usize, usize) {
        let takes = config::Framework::takes_workload;
        let before = self.experiment.framework[..framework].iter().filter(|of| takes(of)).count();
        (before, self.experiment.framework.iter().filter(|of| takes(of)).count())
    }

    /// How many jobs there are, and when the last of them arrives (for a synthetic workload: on average).
    #[must_use]
    pub fn jobs_and_last_arrival(&self) -> (u64, Time) {
        let seed = Seed(self.experiment.seeds.first().copied().unwrap_or_default());
        let own = (0..self.experiment.framework.len()).filter_map(|place| self.own_jobs(place, seed));
        let (mut count, mut last) = self.jobs_of_workload();
        for jobs in own {
            count += jobs.len() as u64;
            last = jobs.last().map_or(last, |job| job.submission.max(last));
        }
        (count, last)
    }

    fn jobs_of_workload(&self) -> (u64, Time) {
        match &self.workload {
            Workload::None => (0, Time::ZERO),
            Workload::Listed(jobs) => {
                let all = jobs.iter().flatten();
                (all.clone().count() as u64, all.map(|job| job.submission).max().unwrap_or_default())
            }
            Workload::Poisson { spec, compress } => {
                let mean = spec.interarrival.as_secs_f64() * spec.jobs as f64 / compress;
                (spec.jobs, Time::ZERO + Span::from_secs_f64(mean).unwrap_or(Span::MAX))
            }
            Workload::Generated { spec, compress, .. } => {
                let (jobs, last) = spec.jobs_and_last_arrival();
                (jobs, compressed(last, *compress))
            }
        }
    }
}

fn machines(
    loaded: &Loaded,
    facts: &mut serde_json::Map<String, serde_json::Value>,
) -> Result<Cluster, ExperimentError> {
    let spec = &loaded.experiment.cluster;
    let topology = Topology { agents_per_rack: spec.agents_per_rack, racks_per_zone: spec.racks_per_zone };
    let mut cluster = Cluster::new();
    if let Some(file) = &spec.trace {
        facts.insert("machines".into(), traced::machines::add(loaded, file, topology, &mut cluster)?);
    }
    for (place, group) in spec.agents.iter().enumerate() {
        add_group(&mut cluster, group, place, topology)
            .map_err(|message| loaded.error_at(format!("cluster.agents[{place}]").as_str(), message, None))?;
    }
    Ok(cluster)
}

fn add_group(
    cluster: &mut Cluster,
    group: &config::AgentGroup,
    place: usize,
    topology: Topology,
) -> Result<(), String> {
    let cpus = Scalar::from_f64(group.cpus).ok_or_else(|| format!("{} cpus are too many", group.cpus))?;
    let scalars = ResourceQuantities::new([cpus, mebibytes(group.mem), mebibytes(group.disk), Scalar::ZERO]);
    let attributes: Vec<_> =
        group.attributes.iter().map(|(name, text)| (name.clone(), text.clone())).collect();
    for number in 0..group.count {
        let hostname = format!("agent-{place}-{number:05}");
        let (gpus, model) = (group.gpus as usize, group.gpu_model.as_deref());
        cluster
            .add(hostname, scalars.clone(), gpus, model, attributes.clone(), topology)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Bytes as Mesos counts memory: thousandths of 2^20 bytes, rounded down.
pub(super) fn mebibytes(size: Size) -> Scalar {
    Scalar((u128::from(size.0) * 1000 / (1 << 20)) as i64)
}

fn workload(
    loaded: &Loaded,
    cluster: &mut Cluster,
    facts: &mut serde_json::Map<String, serde_json::Value>,
    warnings: &mut Vec<String>,
) -> Result<Workload, ExperimentError> {
    let Some(spec) = &loaded.experiment.workload else { return Ok(Workload::None) };
    if let Some(poisson) = &spec.poisson {
        return synthetic(loaded, spec, poisson);
    }
    if spec.generator.is_some() {
        let profiles = loaded.experiment.profile.iter().map(profile_share).collect();
        let generator = Box::new(generated::generator(loaded, profiles)?);
        let takers = generated::takers(loaded)?;
        return Ok(Workload::Generated { spec: generator, takers, compress: spec.compress });
    }
    let file = spec.trace.as_ref().expect("a workload is a trace or synthetic, as was checked");
    let (jobs, of_file) = traced::jobs::jobs(loaded, spec, file, cluster, warnings)?;
    facts.insert("jobs".into(), of_file);
    Ok(Workload::Listed(jobs))
}

fn synthetic(
    loaded: &Loaded,
    workload: &config::Workload,
    poisson: &config::Poisson,
) -> Result<Workload, ExperimentError> {
    let frameworks = &loaded.experiment.framework;
    if let Some(place) = frameworks.iter().position(|framework| framework.select.is_some()) {
        let message = "jobs of a synthetic workload have no labels to select by: each goes to one of the frameworks at random";
        return Err(loaded.error_at(format!("framework[{place}].select").as_str(), message, None).into());
    }
    let amounts = |sizes: &[Size]| sizes.iter().map(|&size| mebibytes(size)).collect();
    let spec = Poisson {
        jobs: workload.first.map_or(poisson.jobs, |first| first.min(poisson.jobs)),
        interarrival: poisson.interarrival.0,
        duration: poisson.duration.0,
        exponential_duration: poisson.duration_distribution == DurationDistribution::Exponential,
        tasks_per_job: poisson.tasks_per_job,
        cpus: poisson.cpus.iter().filter_map(|&cpus| Scalar::from_f64(cpus)).collect(),
        mem: amounts(&poisson.mem),
        disk: amounts(&poisson.disk),
        gpus: poisson.gpus.iter().filter_map(|&gpus| gpu_demand(gpus)).collect(),
        profiles: loaded.experiment.profile.iter().map(profile_share).collect(),
    };
    let all_read = spec.cpus.len() == poisson.cpus.len() && spec.gpus.len() == poisson.gpus.len();
    assert!(all_read, "amounts that were checked with the file: {poisson:?}");
    Ok(Workload::Poisson { spec, compress: workload.compress })
}

const fn profile_share(profile: &config::Profile) -> ProfileShare {
    ProfileShare { share: profile.share, revocable: profile.revocable }
}

pub(super) fn compressed(at: Time, factor: f64) -> Time {
    if factor == 1.0 { at } else { Time((at.0 as f64 / factor).round() as u64) }
}
