//! What no type can say of `[agent]`, `[[image]]` and `[[profile]]`.

use super::{
    super::agent::{Agent, Image, MemPeak, Profile},
    CENTURY, Check, DAY, Experiment, MOST, MOST_BYTES, Problem, written,
};

/// The capability without which no revocable resources are offered.
const REVOCABLE_RESOURCES: &str = "REVOCABLE_RESOURCES";
/// Tasks know their profiles by number.
const MOST_PROFILES: u64 = u16::MAX as u64;
/// Fractions of one that are written with few digits do not add up exactly.
const SLACK: f64 = 1e-9;

impl Check<'_> {
    pub(super) fn agent(&mut self, agent: &Agent) {
        let path = |key: &str| format!("agent.{key}");
        self.no_longer_than(&path("startup_delay"), agent.startup_delay, DAY);
        self.no_longer_than(&path("registration_backoff_factor"), agent.registration_backoff_factor, DAY);
        for (key, duration) in [
            ("executor_registration_timeout", agent.executor_registration_timeout),
            ("oversubscribed_resources_interval", agent.oversubscribed_resources_interval),
        ] {
            self.longer_than_zero(&path(key), duration);
            self.no_longer_than(&path(key), duration, CENTURY);
        }
        if let Some(bandwidth) = agent.image_bandwidth {
            self.at_least_one(&path("image_bandwidth"), bandwidth.0);
        }
        self.word(path("resource_estimator"), &agent.resource_estimator, self.vocabulary.estimators);
        self.word(path("qos_controller"), &agent.qos_controller, self.vocabulary.controllers);
        if agent.revocable_cpus != 0.0 {
            self.amount(&path("revocable_cpus"), agent.revocable_cpus);
        }
        self.positive(&path("load_threshold"), agent.load_threshold);
    }

    pub(super) fn images(&mut self, images: &[Image], agent: &Agent) {
        self.unique("image", images.iter().map(|image| image.name.as_str()));
        let bandwidth = agent.image_bandwidth.map_or(u64::MAX, |bytes| bytes.0.max(1));
        for (index, image) in images.iter().enumerate() {
            if image.name.trim().is_empty() {
                self.add(Problem::new(format!("image[{index}].name"), "an image needs a name", "is empty"));
            }
            let path = format!("image[{index}].size");
            self.no_more_than(&path, image.size.0, MOST_BYTES, "bytes (1 PiB)");
            if image.size.0 / bandwidth > DAY {
                let message = format!("to pull the image `{}` would take more than a day", image.name);
                let help = "give a higher `image_bandwidth` in `[agent]`: it is in bytes per second";
                self.add(Problem::new(path, message, "too large for the bandwidth").help(help));
            }
        }
    }

    pub(super) fn profiles(&mut self, experiment: &Experiment) {
        let profiles = &experiment.profile;
        self.unique("profile", profiles.iter().map(|profile| profile.name.as_str()));
        self.no_more_than("profile", profiles.len() as u64, MOST_PROFILES, "profiles");
        let images: Vec<&str> = experiment.image.iter().map(|image| image.name.as_str()).collect();
        for (index, profile) in profiles.iter().enumerate() {
            self.profile(&format!("profile[{index}]"), profile, &images);
            if profile.revocable {
                self.revocable(&format!("profile[{index}].revocable"), experiment);
            }
        }
        let synthetic = experiment.poisson().is_some() || experiment.generator().is_some();
        if !synthetic && !profiles.is_empty() {
            let message = "profiles are drawn for synthetic jobs, and this workload is a trace";
            self.add(Problem::new("profile", message, "for no job"));
        }
        self.shares(profiles);
    }

    fn profile(&mut self, path: &str, profile: &Profile, images: &[&str]) {
        let path = |key: &str| format!("{path}.{key}");
        if profile.name.trim().is_empty() {
            self.add(Problem::new(path("name"), "a profile needs a name", "is empty"));
        }
        self.within(&path("share"), profile.share, (0.0, 1.0));
        if let Some(image) = &profile.image {
            self.word(path("image"), image, images);
        }
        if let Some(cpus) = profile.cpus {
            self.within(&path("cpus"), cpus, (0.0, MOST));
        }
        if let Some(peak) = &profile.mem_peak {
            self.mem_peak(&path("mem_peak"), peak);
        }
        self.no_longer_than(&path("stop_delay"), profile.stop_delay, CENTURY);
    }

    fn mem_peak(&mut self, path: &str, peak: &MemPeak) {
        self.one_of(path, ("mem", peak.mem.is_some()), ("factor", peak.factor.is_some()));
        if let Some(mem) = peak.mem {
            self.no_more_than(&format!("{path}.mem"), mem.0, MOST_BYTES, "bytes (1 PiB)");
        }
        if let Some(factor) = peak.factor {
            self.positive(&format!("{path}.factor"), factor);
        }
        self.within(&format!("{path}.at"), peak.at, (0.0, 1.0));
    }

    /// Tasks that want revocable CPUs and are never offered any would wait for ever.
    fn revocable(&mut self, path: &str, experiment: &Experiment) {
        if !experiment.agent.oversubscribes() {
            let message = "tasks of this profile run on revocable CPUs, and no agent ever offers any";
            let help =
                "let agents offer some, such as\n[agent]\nresource_estimator = \"fixed\"\nrevocable_cpus = 4";
            self.add(Problem::new(path, message, "on CPUs that are not there").help(help));
        }
        let frameworks = &experiment.framework;
        if !frameworks
            .iter()
            .any(|framework| framework.capabilities.iter().any(|has| has == REVOCABLE_RESOURCES))
        {
            let message = format!(
                "no framework has the capability `{REVOCABLE_RESOURCES}`, so none is offered revocable CPUs"
            );
            let help = format!("add \"{REVOCABLE_RESOURCES}\" to `capabilities` of a `[[framework]]`");
            self.add(Problem::new(path, message, "on CPUs that nobody is offered").help(help));
        }
    }

    fn shares(&mut self, profiles: &[Profile]) {
        let mut sum = 0.0;
        for (index, profile) in profiles.iter().enumerate() {
            sum += profile.share;
            if sum > 1.0 + SLACK {
                let message = format!(
                    "with this profile, shares make up {}, which is more than all jobs",
                    written(sum)
                );
                let problem = Problem::new(format!("profile[{index}].share"), message, "too many");
                return self.add(problem.help("a share is a fraction of all jobs (the default is 1)"));
            }
        }
    }
}
