//! What no type can say: one of two keys, unique names, positive numbers, words from the registries.
//!
//! All mistakes are collected, so that a file is put right in one go.

mod agent;
mod fault;
mod framework;
mod generator;
mod trace;

use std::collections::BTreeMap;

use super::{
    Vocabulary,
    path::KeyPath,
    reading::unknown_word,
    source::Problem,
    spec::{
        AgentGroup, Cluster, Experiment, Framework, Master, Measure, Poisson, Policy, Unscheduled, Workload,
    },
    units::{Duration, Size},
};

/// Mesos keeps scalars in thousandths, so anything smaller is nothing.
const LEAST: f64 = 0.001;
/// More CPUs or devices than any machine has, and few enough that sums over all machines stay exact.
const MOST: f64 = 1e6;

/// More memory or disk than any machine has: 1 PiB. With at most a million machines, sums stay exact.
const MOST_BYTES: u64 = 1 << 50;
/// More machines than any cluster has.
const MOST_MACHINES: u64 = 1_000_000;
/// More tasks than fit in memory.
const MOST_TASKS: u64 = 100_000_000;
const MOST_TASKS_OF_A_JOB: u64 = 1_000_000;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// Simulated time ends after 584 years; nothing that is added to it may come near.
const CENTURY: u64 = 36_525 * DAY;

/// Everything wrong with an experiment that has the right types.
pub(super) fn check(experiment: &Experiment, vocabulary: &Vocabulary<'_>) -> Vec<Problem> {
    let mut check = Check { problems: Vec::new(), vocabulary };
    check.experiment(experiment);
    check.problems
}

pub(in crate::experiment) struct Check<'a> {
    problems: Vec<Problem>,
    vocabulary: &'a Vocabulary<'a>,
}

impl Check<'_> {
    fn experiment(&mut self, experiment: &Experiment) {
        self.name(&experiment.name);
        self.seeds(&experiment.seeds);
        if let Some(until) = experiment.until {
            self.longer_than_zero("until", until);
            self.no_longer_than("until", until, CENTURY);
        }
        self.no_longer_than("network.latency", experiment.network.latency, HOUR);
        self.no_longer_than("network.jitter", experiment.network.jitter, HOUR);
        self.answers_arrive_in_time(experiment);
        self.cluster(&experiment.cluster);
        self.master(&experiment.master);
        self.agent(&experiment.agent);
        self.images(&experiment.image, &experiment.agent);
        self.profiles(experiment);
        self.workload_is_taken(experiment);
        self.frameworks(&experiment.framework);
        self.kinds(experiment);
        let by_class = experiment.framework.iter().any(|framework| framework.select.is_some());
        let dealt = experiment.generator().is_some() && !by_class;
        if experiment.poisson().is_none() && !dealt {
            self.selections_differ(&experiment.framework);
        }
        self.faults(&experiment.fault, &experiment.framework);
        self.policies(&experiment.policy);
        self.measure(&experiment.measure);
    }

    /// An offer and its answer travel one way each.
    fn answers_arrive_in_time(&mut self, experiment: &Experiment) {
        let (network, timeout) = (&experiment.network, experiment.master.offer_timeout);
        let trip = Duration(network.latency.0 + network.jitter.0 + network.latency.0 + network.jitter.0);
        if let Some(timeout) = timeout.filter(|timeout| timeout.0 <= trip.0) {
            let message = format!("no answer to an offer would arrive before its timeout of {timeout}");
            let help = format!("an offer and its answer may travel {trip} together: give a longer timeout");
            self.add(Problem::new("master.offer_timeout", message, "too short for this network").help(help));
        }
    }

    fn name(&mut self, name: &str) {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(allowed) {
            let message = format!("the experiment cannot be named {name:?}: the name is that of a directory");
            self.add(Problem::new("name", message, "not a name").help("use a-z, 0-9, `-` and `_`"));
        }
    }

    fn seeds(&mut self, seeds: &[u64]) {
        self.not_empty("seeds", seeds, "seeds = [1, 2, 3]");
        let mut first_of: BTreeMap<u64, usize> = BTreeMap::new();
        for (index, seed) in seeds.iter().enumerate() {
            let first = *first_of.entry(*seed).or_insert(index);
            if first != index {
                let message =
                    format!("the seed {seed} is given twice: the second run would be the first again");
                let problem = Problem::new(format!("seeds[{index}]"), message, "again");
                self.add(problem.also(format!("seeds[{first}]"), "first here"));
            }
        }
    }

    fn cluster(&mut self, cluster: &Cluster) {
        let (trace, agents) = (cluster.trace.is_some(), !cluster.agents.is_empty());
        self.one_of("cluster", ("trace", trace), ("agents", agents));
        self.trace("cluster.trace", cluster.trace.as_ref());
        for (index, group) in cluster.agents.iter().enumerate() {
            self.agents(&format!("cluster.agents[{index}]"), group);
        }
        let machines: u64 = cluster.agents.iter().map(|group| u64::from(group.count)).sum();
        self.no_more_than("cluster.agents", machines, MOST_MACHINES, "machines");
        self.at_least_one("cluster.every", cluster.every.into());
        self.at_least_one("cluster.agents_per_rack", cluster.agents_per_rack.into());
        self.at_least_one("cluster.racks_per_zone", cluster.racks_per_zone.into());
        if agents && !trace && cluster.every > 1 {
            let message = "`every` thins out a trace of machines, and this cluster has none";
            let help = "give a smaller `count` to each of `agents`";
            self.add(Problem::new("cluster.every", message, "no trace to thin out").help(help));
        }
    }

    fn agents(&mut self, path: &str, group: &AgentGroup) {
        self.at_least_one(&format!("{path}.count"), group.count.into());
        self.amount(&format!("{path}.cpus"), group.cpus);
        if group.mem.0 == 0 {
            self.add(Problem::new(format!("{path}.mem"), "an agent needs some memory", "must be above 0"));
        }
        self.no_more_than(&format!("{path}.mem"), group.mem.0, MOST_BYTES, "bytes (1 PiB)");
        self.no_more_than(&format!("{path}.disk"), group.disk.0, MOST_BYTES, "bytes (1 PiB)");
        if group.gpus > 16 {
            let message = format!("an agent has at most 16 GPU devices, but this one has {}", group.gpus);
            self.add(Problem::new(format!("{path}.gpus"), message, "must be 0 to 16"));
        }
        if let Some(model) = group.gpu_model.as_ref().filter(|_| group.gpus == 0) {
            let message = format!("these agents have the GPU model `{model}` but no GPUs");
            self.add(
                Problem::new(format!("{path}.gpu_model"), message, "of no GPU").help("add gpus = 1, or more"),
            );
        }
    }

    fn master(&mut self, master: &Master) {
        self.longer_than_zero("master.allocation_interval", master.allocation_interval);
        self.no_longer_than("master.allocation_interval", master.allocation_interval, DAY);
        for (key, duration) in [
            ("master.agent_ping_timeout", master.agent_ping_timeout),
            ("master.agent_reregister_timeout", master.agent_reregister_timeout),
        ] {
            self.longer_than_zero(key, duration);
            self.no_longer_than(key, duration, CENTURY);
        }
        if master.max_agent_ping_timeouts == 0 {
            let help = "an agent is unreachable after so many pings without an answer";
            let key = "master.max_agent_ping_timeouts";
            self.add(Problem::new(key, "it must be at least 1", "0").help(help));
        }
        if let Some(interval) = master.agent_removal_interval {
            self.longer_than_zero("master.agent_removal_interval", interval);
        }
        self.no_longer_than("master.registry_store_delay", master.registry_store_delay, DAY);
        self.no_longer_than("master.election", master.election, DAY);
        if let Some(timeout) = master.offer_timeout {
            self.longer_than_zero("master.offer_timeout", timeout);
            self.no_longer_than("master.offer_timeout", timeout, CENTURY);
        }
    }

    fn workload(&mut self, workload: &Workload) {
        let (trace, poisson) = (workload.trace.is_some(), workload.poisson.is_some());
        if let Some(generator) = &workload.generator {
            for (key, given) in [("trace", trace), ("poisson", poisson)] {
                if given {
                    self.one_of("workload", ("generator", true), (key, true));
                }
            }
            self.generator(generator);
        } else if !trace && !poisson {
            let message = "`[workload]` needs one of `trace`, `poisson` and `generator`";
            self.add(Problem::new("workload", message, "none of them"));
        } else {
            self.one_of("workload", ("trace", trace), ("poisson", poisson));
        }
        self.trace("workload.trace", workload.trace.as_ref());
        if let Some(poisson) = &workload.poisson {
            self.poisson(poisson);
        }
        self.positive("workload.compress", workload.compress);
        if let Some(first) = workload.first {
            self.at_least_one("workload.first", first);
        }
        if !trace
            && (poisson || workload.generator.is_some())
            && workload.unscheduled != Unscheduled::default()
        {
            let message = "`unscheduled` is about tasks of a trace, and this workload has none";
            self.add(Problem::new("workload.unscheduled", message, "no trace to take it from"));
        }
    }

    fn poisson(&mut self, poisson: &Poisson) {
        let path = |key: &str| format!("workload.poisson.{key}");
        self.at_least_one(&path("jobs"), poisson.jobs);
        self.at_least_one(&path("tasks_per_job"), poisson.tasks_per_job.into());
        self.no_more_than(
            &path("tasks_per_job"),
            poisson.tasks_per_job.into(),
            MOST_TASKS_OF_A_JOB,
            "tasks of one job",
        );
        let tasks = poisson.jobs.saturating_mul(poisson.tasks_per_job.into());
        self.no_more_than(&path("jobs"), tasks, MOST_TASKS, "tasks");
        self.longer_than_zero(&path("interarrival"), poisson.interarrival);
        self.longer_than_zero(&path("duration"), poisson.duration);
        self.no_longer_than(&path("interarrival"), poisson.interarrival, CENTURY);
        self.no_longer_than(&path("duration"), poisson.duration, CENTURY);
        self.not_empty(&path("cpus"), &poisson.cpus, "cpus = [1.0, 2.0]");
        self.not_empty(&path("mem"), &poisson.mem, "mem = [\"1 GiB\", \"2 GiB\"]");
        self.not_empty(&path("gpus"), &poisson.gpus, "gpus = [0, 1]");
        self.not_empty(&path("disk"), &poisson.disk, "disk = [\"0 B\"]");
        for (index, &cpus) in poisson.cpus.iter().enumerate() {
            self.amount(&format!("workload.poisson.cpus[{index}]"), cpus);
        }
        for (key, sizes) in [("mem", &poisson.mem), ("disk", &poisson.disk)] {
            for (index, size) in sizes.iter().enumerate() {
                self.no_more_than(&format!("{}[{index}]", path(key)), size.0, MOST_BYTES, "bytes (1 PiB)");
            }
        }
        for (index, &gpus) in poisson.gpus.iter().enumerate() {
            self.gpus(&format!("workload.poisson.gpus[{index}]"), gpus);
        }
    }

    fn frameworks(&mut self, frameworks: &[Framework]) {
        self.not_empty("framework", frameworks, "[[framework]]\nname = \"batch\"");
        self.unique("framework", frameworks.iter().map(|framework| framework.name.as_str()));
        for (index, framework) in frameworks.iter().enumerate() {
            let path = format!("framework[{index}]");
            if framework.name.trim().is_empty() {
                self.add(Problem::new(format!("{path}.name"), "a framework needs a name", "is empty"));
            }
            self.role(&format!("{path}.role"), &framework.role);
            self.positive(&format!("{path}.weight"), framework.weight);
            let capabilities = self.vocabulary.capabilities;
            for (index, capability) in framework.capabilities.iter().enumerate() {
                self.word(format!("{path}.capabilities[{index}]"), capability, capabilities);
            }
        }
        self.weights_agree(frameworks);
    }

    fn role(&mut self, path: &str, role: &str) {
        if let Err(error) = mesos::role::validate(role) {
            self.add(Problem::new(path, error.to_string(), "not a role"));
        } else if role == "(all)" {
            let message = "the role `(all)` would be taken for the whole cluster in results";
            self.add(Problem::new(path, message, "means all roles"));
        }
    }

    fn weights_agree(&mut self, frameworks: &[Framework]) {
        let mut first_of: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, Framework { role, weight, .. }) in frameworks.iter().enumerate() {
            let first = *first_of.entry(role).or_insert(index);
            let other = frameworks[first].weight;
            #[expect(clippy::float_cmp, reason = "both are as written in the file")]
            if *weight != other && weight.is_finite() && other.is_finite() {
                let message = format!("the role `{role}` has the weight {weight} here and {other} before");
                let problem =
                    Problem::new(format!("framework[{index}].weight"), message, format!("is {weight}")).help(
                        "a weight is the role's: give the same to each framework in it (the default is 1)",
                    );
                self.add(problem.also(format!("framework[{first}].weight"), format!("is {other}")));
            }
        }
    }

    fn selections_differ(&mut self, frameworks: &[Framework]) {
        let takes = |framework: &Framework| framework.takes_workload();
        for (index, framework) in frameworks.iter().enumerate().filter(|(_, framework)| takes(framework)) {
            let path = format!("framework[{index}].select");
            if framework.select.as_ref().is_some_and(BTreeMap::is_empty) {
                let help = "leave `select` out to take the jobs that nobody else takes";
                self.add(Problem::new(path, "`select` names no label", "is empty").help(help));
            } else if let Some(first) =
                frameworks[..index].iter().position(|other| takes(other) && other.select == framework.select)
            {
                let jobs =
                    if framework.select.is_some() { "the same jobs" } else { "the jobs that nobody selects" };
                let message =
                    format!("`{}` and `{}` both take {jobs}", frameworks[first].name, framework.name);
                let problem = Problem::new(path, message, "the same again");
                let problem = problem.also(format!("framework[{first}].select"), "first here");
                self.add(problem.help("give each framework its own label: select = { qos = \"LS\" }"));
            }
        }
    }

    fn policies(&mut self, policies: &[Policy]) {
        self.not_empty("policy", policies, "[[policy]]\nname = \"drf-best-fit\"\nplacement = \"best-fit\"");
        self.unique("policy", policies.iter().map(|policy| policy.name.as_str()));
        let words = self.vocabulary;
        for (index, policy) in policies.iter().enumerate() {
            let path = |key: &str| format!("policy[{index}].{key}");
            self.policy_name(&path("name"), &policy.name);
            self.word(path("sorter"), &policy.sorter, words.sorters);
            self.word(path("order"), &policy.order, words.orders);
            self.word(path("placement"), &policy.placement, words.placements);
            self.word(path("response"), &policy.response, words.responses);
        }
    }

    fn policy_name(&mut self, path: &str, name: &str) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(allowed) {
            let message =
                format!("a policy cannot be named {name:?}: the name is part of that of a directory");
            let help = "use letters, digits, `-`, `_` and, not at the beginning, `.`";
            self.add(Problem::new(path, message, "not a name").help(help));
        }
    }

    fn measure(&mut self, measure: &Measure) {
        self.longer_than_zero("measure.tau", measure.tau);
        let bins = measure.timeline_bins;
        if !(16..=65536).contains(&bins) {
            let message = format!("`measure.timeline_bins` must be 16 to 65536, but is {bins}");
            self.add(Problem::new("measure.timeline_bins", message, "must be 16 to 65536"));
        }
    }

    pub(in crate::experiment) fn one_of(&mut self, table: &str, first: (&str, bool), second: (&str, bool)) {
        let (a, b) = (first.0, second.0);
        if first.1 && second.1 {
            let message = format!("`[{table}]` has both `{a}` and `{b}`, and can use only one of them");
            let problem = Problem::new(format!("{table}.{b}"), message, format!("`{b}` given here")).at_key();
            self.add(problem.also(format!("{table}.{a}"), format!("`{a}` given here")));
        } else if !first.1 && !second.1 {
            let message = format!("`[{table}]` needs one of `{a}` and `{b}`");
            self.add(Problem::new(table, message, format!("neither `{a}` nor `{b}`")));
        }
    }

    fn unique<'n>(&mut self, list: &str, names: impl Iterator<Item = &'n str>) {
        let mut first_of: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, name) in names.enumerate() {
            let first = *first_of.entry(name).or_insert(index);
            if first != index {
                let message = format!("two `[[{list}]]` are named `{name}`");
                let problem = Problem::new(format!("{list}[{index}].name"), message, "again");
                self.add(problem.also(format!("{list}[{first}].name"), "first here"));
            }
        }
    }

    pub(in crate::experiment) fn word(&mut self, path: impl Into<KeyPath>, word: &str, valid: &[&str]) {
        if !valid.contains(&word) {
            self.add(unknown_word(&path.into(), word, valid));
        }
    }

    pub(in crate::experiment) fn not_empty<T>(&mut self, path: &str, list: &[T], example: &str) {
        if list.is_empty() {
            let problem = Problem::new(path, format!("`{path}` must not be empty"), "is empty");
            self.add(problem.help(format!("give one or more, such as\n{example}")));
        }
    }

    pub(in crate::experiment) fn at_least_one(&mut self, path: &str, number: u64) {
        if number == 0 {
            self.add(Problem::new(
                path,
                format!("`{path}` must be 1 or more, but is 0"),
                "must be 1 or more",
            ));
        }
    }

    pub(in crate::experiment) fn longer_than_zero(&mut self, path: &str, duration: Duration) {
        if duration.0.0 == 0 {
            let message = format!("`{path}` must be longer than no time at all");
            self.add(Problem::new(path, message, "must be above 0"));
        }
    }

    pub(in crate::experiment) fn no_longer_than(&mut self, path: &str, duration: Duration, seconds: u64) {
        let longest = Duration(mesos::time::Span::from_secs(seconds));
        if duration.0 > longest.0 {
            let message = format!("`{path}` must be at most {longest}, but is {duration}");
            self.add(Problem::new(path, message, format!("must be at most {longest}")));
        }
    }

    pub(in crate::experiment) fn no_more_than(&mut self, path: &str, number: u64, most: u64, what: &str) {
        if number > most {
            let message = format!("`{path}` gives {number}, at most {most} {what} are supported");
            self.add(Problem::new(path, message, "too many"));
        }
    }

    /// Finite and above 0.
    pub(in crate::experiment) fn positive(&mut self, path: &str, number: f64) {
        if !(number.is_finite() && number > 0.0) {
            let message = format!("`{path}` must be a number above 0, but is {}", written(number));
            self.add(Problem::new(path, message, "must be above 0"));
        }
    }

    /// An amount of a resource that is not nothing.
    pub(in crate::experiment) fn amount(&mut self, path: &str, number: f64) {
        if !(LEAST..=MOST).contains(&number) {
            let message = format!("`{path}` must be from {LEAST} to {MOST}, but is {}", written(number));
            self.add(Problem::new(path, message, format!("must be from {LEAST} to {MOST}")));
        }
    }

    /// Whole devices, or a share of one.
    pub(in crate::experiment) fn gpus(&mut self, path: &str, gpus: f64) {
        let share = gpus == 0.0 || (LEAST..1.0).contains(&gpus);
        let whole = (1.0..=MOST).contains(&gpus) && gpus.fract() == 0.0;
        if !share && !whole {
            let message =
                format!("a task cannot use {} GPUs: a device is used whole, or one is shared", written(gpus));
            let help = "write a whole number of devices, or a share below 1 such as 0.5";
            self.add(Problem::new(path, message, "neither whole nor a share below 1").help(help));
        }
    }

    /// A response of the registry.
    pub(in crate::experiment) fn response(&mut self, path: &str, word: &str) {
        self.word(path, word, self.vocabulary.responses);
    }

    /// Memory or disk.
    pub(in crate::experiment) fn size(&mut self, path: &str, size: Size) {
        self.no_more_than(path, size.0, MOST_BYTES, "bytes (1 PiB)");
    }

    pub(in crate::experiment) fn less_than_a_century(&mut self, path: &str, duration: Duration) {
        self.no_longer_than(path, duration, CENTURY);
    }

    /// Anything else: what is wrong, in short, and what to do about it.
    pub(in crate::experiment) fn wrong(
        &mut self,
        path: &str,
        message: impl Into<String>,
        label: &str,
        help: &str,
    ) {
        self.add(Problem::new(path, message, label).help(help));
    }

    fn add(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

/// A number as TOML writes it: `nan` and `inf` in lower case.
fn written(number: f64) -> String {
    number.to_string().to_lowercase()
}
