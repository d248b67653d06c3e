//! What no type can say of `[[fault]]`.

use super::{
    super::{
        fault::*,
        law::{Distribution, Law},
    },
    CENTURY, Check, Duration, Framework, HOUR, Problem, written,
};

/// A shape from which the gamma function can still be told, and one at which hardly anything is left to chance.
const SHAPES: (f64, f64) = (0.05, 100.0);
/// A standard deviation of the logarithm at which the largest of a million draws is still a length of time.
const MOST_SIGMA: f64 = 10.0;
const MOST_FACTOR: f64 = 1e6;
/// More than one failure in a microsecond would be one at the start.
const MOST_PER_HOUR: f64 = 3.6e9;

/// The keys that say when something is wrong.
struct Times<'a> {
    at: &'a [Duration],
    every: Option<&'a Law>,
    lasts: Option<&'a Law>,
}

impl Check<'_> {
    pub(super) fn faults(&mut self, faults: &[Fault], frameworks: &[Framework]) {
        let names: Vec<&str> = frameworks.iter().map(|framework| framework.name.as_str()).collect();
        for (index, fault) in faults.iter().enumerate() {
            self.fault(&format!("fault[{index}]"), fault, &names);
        }
    }

    fn fault(&mut self, path: &str, fault: &Fault, frameworks: &[&str]) {
        match fault {
            Fault::AgentCrash(AgentCrash { at, every, lasts, .. })
            | Fault::AgentRestart(AgentRestart { at, every, lasts, .. }) => {
                self.windows(path, at, every.as_ref(), Some(lasts));
            }
            Fault::AgentTrace(AgentTrace { path: file }) => {
                if file.as_os_str().is_empty() {
                    self.add(Problem::new(
                        format!("{path}.path"),
                        "the path of the trace is empty",
                        "is empty",
                    ));
                }
            }
            Fault::Outage(outage) => self.outage(path, outage),
            Fault::Partition(Partition { between, and, at, every, lasts, .. }) => {
                self.ends(path, between, and.as_ref(), frameworks);
                self.windows(path, at, every.as_ref(), Some(lasts));
            }
            Fault::Loss(Loss { between, and, probability, at, every, lasts, .. }) => {
                self.ends(path, between, and.as_ref(), frameworks);
                self.probability(path, *probability);
                self.windows_or_always(path, at, every.as_ref(), lasts.as_ref());
            }
            Fault::Delay(Delay { between, and, extra, at, every, lasts, .. }) => {
                self.ends(path, between, and.as_ref(), frameworks);
                self.longer_than_zero(&format!("{path}.extra"), *extra);
                self.no_longer_than(&format!("{path}.extra"), *extra, HOUR);
                self.windows_or_always(path, at, every.as_ref(), lasts.as_ref());
            }
            Fault::MasterFailover(MasterFailover { at, every }) => {
                self.windows(path, at, every.as_ref(), None);
            }
            Fault::FrameworkCrash(FrameworkCrash { frameworks: names, at, every, lasts }) => {
                self.framework_names(&format!("{path}.frameworks"), names, frameworks);
                self.windows(path, at, every.as_ref(), Some(lasts));
            }
            Fault::TaskFailure(failure) => self.task_failure(path, failure, frameworks),
            Fault::Straggler(straggler) => self.straggler(path, straggler, frameworks),
            Fault::Maintenance(maintenance) => self.maintenance(path, maintenance),
            Fault::Capacity(capacity) => self.capacity(path, capacity),
        }
    }

    fn outage(&mut self, path: &str, outage: &Outage) {
        self.windows(path, &outage.at, outage.every.as_ref(), Some(&outage.lasts));
        if !outage.at.is_empty() && outage.which.is_empty() {
            let message = "an outage at a given time needs `which`: all at once would be the whole cluster";
            let problem = Problem::new(path, message, "no `which` here");
            self.add(problem.help("name what fails, such as\nwhich = [\"z0\"]"));
        }
        match (outage.scope, outage.racks_per_unit) {
            (Scope::Power, None) => {
                let problem =
                    Problem::new(path, "the scope `power` needs `racks_per_unit`", "not given here");
                self.add(
                    problem.help("say how many racks hang on one power unit, such as\nracks_per_unit = 4"),
                );
            }
            (Scope::Power, Some(racks)) => self.at_least_one(&format!("{path}.racks_per_unit"), racks.into()),
            (Scope::Rack | Scope::Zone, Some(_)) => {
                let message = "`racks_per_unit` is about power units, and the scope is another";
                let path = format!("{path}.racks_per_unit");
                self.add(Problem::new(path, message, "not for this scope").help("write scope = \"power\""));
            }
            (Scope::Rack | Scope::Zone, None) => {}
        }
    }

    fn task_failure(&mut self, path: &str, failure: &TaskFailure, frameworks: &[&str]) {
        self.framework_names(&format!("{path}.frameworks"), &failure.frameworks, frameworks);
        self.exactly_one(
            path,
            ("probability", failure.probability.is_some()),
            ("rate_per_hour", failure.rate_per_hour.is_some()),
        );
        if let Some(probability) = failure.probability {
            self.probability(path, probability);
        }
        if let Some(rate) = failure.rate_per_hour {
            self.above_zero(&format!("{path}.rate_per_hour"), rate, MOST_PER_HOUR);
        }
    }

    fn straggler(&mut self, path: &str, straggler: &Straggler, frameworks: &[&str]) {
        self.framework_names(&format!("{path}.frameworks"), &straggler.frameworks, frameworks);
        self.within(&format!("{path}.factor"), straggler.factor, (1.0, MOST_FACTOR));
        let Straggler { probability, at, every, lasts, machines, .. } = straggler;
        let timed = !at.is_empty() || every.is_some();
        let Some(probability) = *probability else {
            if !straggler.frameworks.is_empty() {
                self.needless(path, "frameworks", "machines that are slow are slow for all frameworks");
            }
            if timed {
                return self.windows_or_always(path, at, every.as_ref(), lasts.as_ref());
            }
            let message = "`[[fault]]` of this kind needs `probability`, or one of `at` and `every`";
            return self.add(Problem::new(path, message, "none of them"));
        };
        self.probability(path, probability);
        for (key, given) in [
            ("at", !at.is_empty()),
            ("every", every.is_some()),
            ("lasts", lasts.is_some()),
            ("machines", !machines.is_all()),
        ] {
            if given {
                self.needless(path, key, "with `probability` tasks are slow, not machines");
            }
        }
    }

    fn maintenance(&mut self, path: &str, maintenance: &Maintenance) {
        let path = |key: &str| format!("{path}.{key}");
        self.longer_than_zero(&path("lasts"), maintenance.lasts);
        for (key, duration) in [
            ("at", maintenance.at),
            ("lasts", maintenance.lasts),
            ("notice", maintenance.notice),
            ("pause", maintenance.pause),
        ] {
            self.no_longer_than(&path(key), duration, CENTURY);
        }
    }

    fn capacity(&mut self, path: &str, capacity: &Capacity) {
        let path = |key: &str| format!("{path}.{key}");
        let Capacity { factor, from, to, day, .. } = capacity;
        if !(0.0..1.0).contains(factor) {
            let message =
                format!("`{}` must be from 0 to below 1, but is {}", path("factor"), written(*factor));
            self.add(Problem::new(path("factor"), message, "must be from 0 to below 1"));
        }
        self.longer_than_zero(&path("day"), *day);
        self.no_longer_than(&path("day"), *day, CENTURY);
        for (key, time) in [("from", from), ("to", to)] {
            if time >= day && day.0.0 > 0 {
                let message = format!("`{}` must be earlier than the end of the day after {day}", path(key));
                self.add(Problem::new(path(key), message, "not within a day"));
            }
        }
        if from == to {
            let message = format!("from {from} to {to} is no time at all");
            self.add(Problem::new(path("to"), message, "the same as `from`"));
        }
    }

    fn windows(&mut self, path: &str, at: &[Duration], every: Option<&Law>, lasts: Option<&Law>) {
        self.exactly_one(path, ("at", !at.is_empty()), ("every", every.is_some()));
        self.times(path, &Times { at, every, lasts });
    }

    fn windows_or_always(&mut self, path: &str, at: &[Duration], every: Option<&Law>, lasts: Option<&Law>) {
        match (!at.is_empty() || every.is_some(), lasts) {
            (true, None) => {
                let message = "`[[fault]]` lacks the key `lasts`, which goes with `at` and `every`";
                self.add(Problem::new(path, message, "no `lasts` here"));
            }
            (true, Some(_)) => self.windows(path, at, every, lasts),
            (false, Some(_)) => {
                self.needless(path, "lasts", "without `at` and `every` it is so all the time");
            }
            (false, None) => {}
        }
    }

    fn times(&mut self, path: &str, times: &Times<'_>) {
        for (index, at) in times.at.iter().enumerate() {
            self.no_longer_than(&format!("{path}.at[{index}]"), *at, CENTURY);
        }
        for (key, law) in [("every", times.every), ("lasts", times.lasts)] {
            if let Some(law) = law {
                self.law(&format!("{path}.{key}"), law);
            }
        }
    }

    pub(in crate::experiment) fn law(&mut self, path: &str, law: &Law) {
        // A constant is written as a text at `path` itself; then its mean is looked for there.
        let mean = format!("{path}.mean");
        self.longer_than_zero(&mean, law.mean);
        self.no_longer_than(&mean, law.mean, CENTURY);
        self.parameter(path, "shape", law.shape, law.distribution == Distribution::Weibull, SHAPES);
        let sigmas = (0.0, MOST_SIGMA);
        self.parameter(path, "sigma", law.sigma, law.distribution == Distribution::Lognormal, sigmas);
    }

    /// A number that a distribution needs and others must not have.
    pub(super) fn parameter(
        &mut self,
        path: &str,
        key: &str,
        given: Option<f64>,
        needed: bool,
        range: (f64, f64),
    ) {
        match (given, needed) {
            (Some(number), true) => self.within(&format!("{path}.{key}"), number, range),
            (None, true) => {
                let message = format!("`{path}` needs the `{key}` of its distribution");
                self.add(Problem::new(path, message, format!("no `{key}` here")));
            }
            (Some(_), false) => self.needless(path, key, "this distribution has none"),
            (None, false) => {}
        }
    }

    fn ends(&mut self, path: &str, between: &Nodes, and: Option<&Nodes>, frameworks: &[&str]) {
        for (key, nodes) in [("between", Some(between)), ("and", and)] {
            let Some(nodes) = nodes else { continue };
            if nodes.is_empty() {
                let problem =
                    Problem::new(format!("{path}.{key}"), format!("`{key}` names no node"), "is empty");
                self.add(problem.help("name some, such as { master = true } or { zones = [\"z0\"] }"));
            }
            self.framework_names(&format!("{path}.{key}.frameworks"), &nodes.frameworks, frameworks);
        }
    }

    fn framework_names(&mut self, path: &str, names: &[String], valid: &[&str]) {
        for (index, name) in names.iter().enumerate() {
            self.word(format!("{path}[{index}]"), name, valid);
        }
    }

    fn probability(&mut self, path: &str, probability: f64) {
        self.within(&format!("{path}.probability"), probability, (0.0, 1.0));
    }

    pub(in crate::experiment) fn within(&mut self, path: &str, number: f64, (least, most): (f64, f64)) {
        if !(least..=most).contains(&number) {
            let message = format!("`{path}` must be from {least} to {most}, but is {}", written(number));
            self.add(Problem::new(path, message, format!("must be from {least} to {most}")));
        }
    }

    fn above_zero(&mut self, path: &str, number: f64, most: f64) {
        if number > 0.0 {
            self.within(path, number, (0.0, most));
        } else {
            self.positive(path, number);
        }
    }

    fn exactly_one(&mut self, path: &str, (a, has_a): (&str, bool), (b, has_b): (&str, bool)) {
        if has_a && has_b {
            let message = format!("`[[fault]]` has both `{a}` and `{b}`, and can use only one of them");
            let problem = Problem::new(format!("{path}.{b}"), message, format!("`{b}` given here")).at_key();
            self.add(problem.also(format!("{path}.{a}"), format!("`{a}` given here")));
        } else if !has_a && !has_b {
            let message = format!("`[[fault]]` of this kind needs one of `{a}` and `{b}`");
            self.add(Problem::new(path, message, format!("neither `{a}` nor `{b}`")));
        }
    }

    pub(super) fn needless(&mut self, path: &str, key: &str, why: &str) {
        let message = format!("`{key}` does not go with the rest: {why}");
        self.add(Problem::new(format!("{path}.{key}"), message, "leave it out").at_key());
    }
}
