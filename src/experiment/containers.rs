//! From what an experiment says of agents, images and profiles to what a world is made from.

use std::sync::Arc;

use mesos::{
    agent::AgentOptions,
    resource::Scalar,
    task::{ContainerInfo, TaskDetail},
};

use super::{
    config::{self, Experiment},
    prepare::mebibytes,
};
use crate::{
    container::{
        HostOptions, Images, MemPeak, Peak, Profile,
        oversubscription::{QOS_CONTROLLERS, RESOURCE_ESTIMATORS, Settings},
    },
    policy,
    world::Oversubscription,
};

/// What tasks are made from and what they do, shared by all cells.
#[derive(Debug)]
pub(super) struct Containers {
    pub(super) images: Images,
    /// What tasks do beside running, by the number of their profile, from 1.
    pub(super) profiles: Vec<Arc<Profile>>,
    /// What tasks say of themselves, likewise.
    pub(super) details: Vec<Arc<TaskDetail>>,
}

impl Containers {
    pub(super) fn new(experiment: &Experiment) -> Self {
        let mut images = Images::default();
        for image in &experiment.image {
            images.add(&image.name, image.size.0);
        }
        let profiles = experiment.profile.iter().map(|of| Arc::new(profile(of, &images))).collect();
        let numbered = experiment.profile.iter().zip(1..);
        let details = numbered.map(|(of, number)| Arc::new(detail(of, number))).collect();
        Self { images, profiles, details }
    }
}

fn profile(of: &config::Profile, images: &Images) -> Profile {
    let known = "checked when it was loaded";
    Profile {
        image: of.image.as_ref().map(|name| images.find(name).expect(known)),
        cpus: of.cpus.map(|cpus| Scalar::from_f64(cpus).expect(known)),
        mem_peak: of.mem_peak.map(|peak| {
            let mem = match (peak.mem, peak.factor) {
                (Some(mem), _) => Peak::Mem(mebibytes(mem)),
                (None, factor) => Peak::TimesRequest(factor.expect(known)),
            };
            MemPeak { mem, at: peak.at }
        }),
        stop_delay: of.stop_delay.0,
        ..Profile::default()
    }
}

fn detail(of: &config::Profile, number: u32) -> TaskDetail {
    let image = of.image.as_deref().map(Arc::from);
    let container = image.map(|image| ContainerInfo { image: Some(image), ..ContainerInfo::default() });
    TaskDetail { command: true, container, profile: number, ..TaskDetail::default() }
}

/// The flags of all agents.
pub(super) fn agent_options(agent: &config::Agent) -> AgentOptions {
    AgentOptions {
        executor_registration_timeout: agent.executor_registration_timeout.0,
        registration_backoff_factor: agent.registration_backoff_factor.0,
        ..AgentOptions::default()
    }
}

/// How all machines run containers.
pub(super) fn host_options(agent: &config::Agent) -> HostOptions {
    HostOptions {
        startup_delay: agent.startup_delay.0,
        image_bandwidth: agent.image_bandwidth.map(|bytes| bytes.0),
        image_cache: agent.image_cache.0,
        enable_cfs: agent.enable_cfs,
        ..HostOptions::default()
    }
}

/// How CPUs are offered once more; `None`: they are not.
pub(super) fn oversubscription(agent: &config::Agent) -> Option<Oversubscription> {
    let known = "checked against the registry when it was loaded";
    agent.oversubscribes().then(|| Oversubscription {
        estimator: (policy::find(RESOURCE_ESTIMATORS, &agent.resource_estimator).expect(known).build)(),
        controller: (policy::find(QOS_CONTROLLERS, &agent.qos_controller).expect(known).build)(),
        settings: Settings {
            revocable_cpus: Scalar::from_f64(agent.revocable_cpus).expect(known),
            load_threshold: agent.load_threshold,
        },
        interval: agent.oversubscribed_resources_interval.0,
    })
}
