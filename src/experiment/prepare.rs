//! Reads what an experiment names, once for all its cells: the machines, and each framework's jobs.

use mesos::{
    capability::Capabilities,
    id::Id,
    resource::{ResourceQuantities, Scalar, parse_alternatives},
    time::{Span, Time},
};
use serde_json::json;

use super::{
    ExperimentError,
    config::{self, DurationDistribution, Experiment, Loaded, Size, TraceFile, Unscheduled},
    containers::Containers,
    faults,
};
use crate::{
    cluster::{Cluster, Topology},
    engine::random::{Seed, Stream, below},
    fault::Spec,
    trace::{
        self,
        openb::{NodeRow, PodRow},
    },
    workload::{
        Demand, GpuDemand, Job, JobId, JobName, JobSource, ModelSet, TaskSpec, gpu_demand,
        poisson::{Poisson, PoissonJobs, ProfileShare},
        whole_gpus,
    },
};

/// Simulated time lasts 584 years; what a trace or a factor makes of it must stay far below.
const LATEST: Time = Time::from_secs(36_525 * 86_400);
/// Most of one resource that a machine may have or a task may ask for: 2^30 MiB of memory, a million cpus. Sums over a
/// million machines stay exact.
const MOST_MIB: u64 = 1 << 30;
const MOST_MILLI_CPUS: u64 = 1_000_000_000;

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
    /// The jobs of each framework.
    Listed(Vec<Vec<Job>>),
    /// Jobs drawn from a seed and dealt to the frameworks, to each with equal probability.
    Poisson { spec: Poisson, compress: f64 },
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
        match &self.workload {
            Workload::Listed(jobs) => Box::new(jobs[framework].clone().into_iter()),
            Workload::Poisson { spec, compress } => {
                let mut spec = spec.clone();
                if !self.capabilities[framework].has(Capabilities::REVOCABLE_RESOURCES) {
                    spec.profiles.iter_mut().for_each(|profile| profile.revocable = false);
                }
                let jobs = Compressed(PoissonJobs::new(spec, seed), *compress);
                Box::new(Dealt { jobs, seed, framework, frameworks: self.experiment.framework.len() })
            }
        }
    }

    /// How many jobs there are, and when the last of them arrives (for a synthetic workload: on average).
    #[must_use]
    pub fn jobs_and_last_arrival(&self) -> (u64, Time) {
        match &self.workload {
            Workload::Listed(jobs) => {
                let all = jobs.iter().flatten();
                (all.clone().count() as u64, all.map(|job| job.submission).max().unwrap_or_default())
            }
            Workload::Poisson { spec, compress } => {
                let mean = spec.interarrival.as_secs_f64() * spec.jobs as f64 / compress;
                (spec.jobs, Time::ZERO + Span::from_secs_f64(mean).unwrap_or(Span::MAX))
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
        let wrong = |error: trace::TraceError| trace_error(loaded, "cluster.trace.path", &error);
        let nodes = trace::openb::read_nodes(&file.path).map_err(wrong)?;
        for node in nodes.iter().step_by(spec.every as usize) {
            add_node(&mut cluster, node, topology)
                .map_err(|m| loaded.error_at("cluster.trace.path", m, None))?;
        }
        facts.insert("machines".into(), file_facts(file, nodes.len(), cluster.machines().len()));
    }
    for (place, group) in spec.agents.iter().enumerate() {
        add_group(&mut cluster, group, place, topology)
            .map_err(|message| loaded.error_at(format!("cluster.agents[{place}]").as_str(), message, None))?;
    }
    Ok(cluster)
}

fn add_node(cluster: &mut Cluster, node: &NodeRow, topology: Topology) -> Result<(), String> {
    amounts_are_possible(&node.name, node.cpu_milli, node.memory_mib)?;
    let scalars = ResourceQuantities::new([
        Scalar(node.cpu_milli as i64),
        Scalar::whole(node.memory_mib as i64),
        Scalar::ZERO,
        Scalar::ZERO,
    ]);
    let gpus = node.gpus as usize;
    if gpus > mesos::resource::MAX_DEVICES {
        return Err(format!(
            "{} has {gpus} GPUs, at most {} are supported",
            node.name,
            mesos::resource::MAX_DEVICES
        ));
    }
    let added = cluster.add(node.name.clone(), scalars, gpus, node.model.as_deref(), Vec::new(), topology);
    added.map_err(|error| error.to_string())
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
    let spec = &loaded.experiment.workload;
    if let Some(poisson) = &spec.poisson {
        return synthetic(loaded, poisson);
    }
    let file = spec.trace.as_ref().expect("a workload is a trace or synthetic, as was checked");
    let wrong = |error: trace::TraceError| trace_error(loaded, "workload.trace.path", &error);
    let rows = trace::openb::read_pods(&file.path).map_err(wrong)?;
    let mut jobs = Vec::with_capacity(rows.len());
    for row in &rows {
        let job = job_of(row, spec, cluster).map_err(|m| loaded.error_at("workload.trace.path", m, None))?;
        jobs.extend(job.map(|job| (job, row.scheduled_s.is_none())));
    }
    jobs.sort_by_key(|(job, _)| job.submission);
    jobs.truncate(spec.first.map_or(usize::MAX, |first| first as usize));
    let unscheduled = jobs.iter().filter(|(_, unscheduled)| *unscheduled).count();
    let numbered = jobs.into_iter().enumerate();
    let jobs: Vec<Job> = numbered.map(|(place, (job, _))| Job { id: JobId::new(place), ..job }).collect();
    let mut of_file = file_facts(file, rows.len(), jobs.len());
    of_file["kept_but_never_scheduled_in_the_trace"] = unscheduled.into();
    facts.insert("jobs".into(), of_file);
    if unscheduled > 0 && spec.unscheduled == Unscheduled::Lifetime {
        warnings.push(format!(
            "{unscheduled} tasks were never started by the traced scheduler, so how long they would have run is not known; \
             they run for as long as they existed (workload.unscheduled = \"lifetime\")"
        ));
    }
    by_framework(loaded, jobs).map(Workload::Listed)
}

fn synthetic(loaded: &Loaded, poisson: &config::Poisson) -> Result<Workload, ExperimentError> {
    let frameworks = &loaded.experiment.framework;
    if let Some(place) = frameworks.iter().position(|framework| framework.select.is_some()) {
        let message = "jobs of a synthetic workload have no labels to select by: each goes to one of the frameworks at random";
        return Err(loaded.error_at(format!("framework[{place}].select").as_str(), message, None).into());
    }
    let amounts = |sizes: &[Size]| sizes.iter().map(|&size| mebibytes(size)).collect();
    let spec = Poisson {
        jobs: loaded.experiment.workload.first.map_or(poisson.jobs, |first| first.min(poisson.jobs)),
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
    Ok(Workload::Poisson { spec, compress: loaded.experiment.workload.compress })
}

const fn profile_share(profile: &config::Profile) -> ProfileShare {
    ProfileShare { share: profile.share, revocable: profile.revocable }
}

/// One pod as a job of one task; `None` if it is to be left out.
fn job_of(row: &PodRow, spec: &config::Workload, cluster: &mut Cluster) -> Result<Option<Job>, String> {
    let (Some(creation), Some(deletion)) = (row.creation_s, row.deletion_s) else {
        return Err(format!(
            "{} has no creation or deletion time, so it cannot be replayed in time",
            row.name
        ));
    };
    let start = match (row.scheduled_s, spec.unscheduled) {
        (Some(scheduled), _) => scheduled,
        (None, Unscheduled::Lifetime) => creation,
        (None, Unscheduled::Skip) => return Ok(None),
    };
    amounts_are_possible(&row.name, row.cpu_milli, row.memory_mib)?;
    let latest = LATEST.0 / 1_000_000_000;
    if creation.max(deletion) > latest {
        return Err(format!("{} is created or deleted after {latest} s, which is a hundred years", row.name));
    }
    let mut models = ModelSet::ANY;
    for model in &row.gpu_spec {
        models.0 |= cluster.intern_model(model).map_err(|error| error.to_string())?.0;
    }
    let gpus = match (row.num_gpu, row.gpu_milli) {
        (0, _) => GpuDemand::None,
        (1, share) if share < 1000 => GpuDemand::Share(share as u16),
        (count, _) => whole_gpus(count.into()),
    };
    let demand = Demand {
        cpus: Scalar(row.cpu_milli as i64),
        mem: Scalar::whole(row.memory_mib as i64),
        disk: Scalar::ZERO,
        gpus,
        revocable: false,
        models,
    };
    let runtime = Span::from_secs(deletion.saturating_sub(start));
    Ok(Some(Job {
        id: JobId::new(0),
        name: JobName::Named(row.name.as_str().into()),
        class: row.qos.as_deref().unwrap_or("").into(),
        submission: compressed(Time::from_secs(creation), spec.compress),
        tasks: smallvec::smallvec![TaskSpec { demand, runtime, profile: 0 }],
    }))
}

fn amounts_are_possible(name: &str, cpu_milli: u64, memory_mib: u64) -> Result<(), String> {
    if cpu_milli > MOST_MILLI_CPUS || memory_mib > MOST_MIB {
        let most = format!("at most {MOST_MILLI_CPUS} and {MOST_MIB} are supported");
        return Err(format!("{name} has cpu_milli {cpu_milli} and memory_mib {memory_mib}, {most}"));
    }
    Ok(())
}

fn compressed(at: Time, factor: f64) -> Time {
    if factor == 1.0 { at } else { Time((at.0 as f64 / factor).round() as u64) }
}

/// Gives each job to the framework that selects it.
fn by_framework(loaded: &Loaded, jobs: Vec<Job>) -> Result<Vec<Vec<Job>>, ExperimentError> {
    let frameworks = &loaded.experiment.framework;
    for (place, framework) in frameworks.iter().enumerate() {
        if let Some(label) =
            framework.select.iter().flat_map(|select| select.keys()).find(|label| *label != "qos")
        {
            let path = format!("framework[{place}].select.{label}");
            let message = format!("jobs of this workload have no label `{label}`");
            return Err(loaded.error_at(path.as_str(), message, Some("their label is `qos`".into())).into());
        }
    }
    let selects = |place: usize, job: &Job| {
        frameworks[place]
            .select
            .as_ref()
            .and_then(|select| select.get("qos"))
            .is_some_and(|qos| **qos == *job.class)
    };
    let default = frameworks.iter().position(|framework| framework.select.is_none());
    let mut of_framework = vec![Vec::new(); frameworks.len()];
    for job in jobs {
        let taker = (0..frameworks.len()).find(|&place| selects(place, &job)).or(default);
        let Some(taker) = taker else {
            let message = format!("job {} (qos `{}`) is selected by no framework", job.name, job.class);
            let help =
                "add a framework with `select = { qos = \"…\" }`, or one without `select` for all other jobs";
            return Err(loaded.error_at("framework", message, Some(help.into())).into());
        };
        of_framework[taker].push(job);
    }
    Ok(of_framework)
}

fn file_facts(file: &TraceFile, rows: usize, kept: usize) -> serde_json::Value {
    let name = file.path.file_name().map(|name| name.to_string_lossy().into_owned());
    let format = trace::sniff(&file.path).ok().flatten().map(|format| format.name);
    json!({ "file": name, "format": format, "rows": rows, "kept": kept })
}

pub(super) fn trace_error(loaded: &Loaded, path: &str, error: &trace::TraceError) -> ExperimentError {
    loaded.error_at(path, error.to_string(), None).into()
}
