//! What no type can say of `[workload.generator]`.

use super::{
    super::{
        generator::*,
        units::{Duration, Size},
    },
    CENTURY, Check, LEAST, MOST, Problem, written,
};
use crate::workload::generator::copula::{Copula, QUANTITIES};

/// Shapes from which the gamma function can still be told, and at which hardly anything is left to chance.
const SHAPES: (f64, f64) = (0.05, 100.0);
/// A standard deviation of the logarithm at which the largest of a million draws is still a length of time.
const SIGMAS: (f64, f64) = (0.0, 10.0);
const MOST_JOBS: u64 = 1_000_000_000;
const MOST_STEPS: usize = 1_000_000;
const MOST_USERS: u64 = 1_000_000;

/// The keys that say which distribution it is.
struct Keys<T> {
    family: Family,
    mean: Option<T>,
    shape: Option<f64>,
    sigma: Option<f64>,
    min: Option<T>,
    max: Option<T>,
}

impl Check<'_> {
    pub(super) fn generator(&mut self, generator: &Generator) {
        let path = "workload.generator";
        if generator.jobs.is_none() && generator.until.is_none() {
            let problem =
                Problem::new(path, "`[workload.generator]` needs `jobs`, `until` or both", "neither of them");
            self.add(problem.help("say how many jobs, such as\njobs = 10000"));
        }
        if let Some(jobs) = generator.jobs {
            self.at_least_one(&format!("{path}.jobs"), jobs);
            self.no_more_than(&format!("{path}.jobs"), jobs, MOST_JOBS, "jobs");
        }
        if let Some(until) = generator.until {
            self.longer_than_zero(&format!("{path}.until"), until);
            self.no_longer_than(&format!("{path}.until"), until, CENTURY);
        }
        self.arrivals(&format!("{path}.arrivals"), &generator.arrivals);
        self.not_empty(
            &format!("{path}.class"),
            &generator.class,
            "[[workload.generator.class]]\nduration = \"10 min\"",
        );
        let names = generator.class.iter().map(|class| class.name.as_str());
        self.unique(&format!("{path}.class"), names);
        for (index, class) in generator.class.iter().enumerate() {
            self.class(&format!("{path}.class[{index}]"), class);
        }
    }

    fn arrivals(&mut self, path: &str, arrivals: &Arrivals) {
        self.longer_than_zero(&format!("{path}.interarrival"), arrivals.interarrival);
        self.no_longer_than(&format!("{path}.interarrival"), arrivals.interarrival, CENTURY);
        let shaped = matches!(arrivals.process, Process::Weibull | Process::Gamma);
        self.parameter(path, "shape", arrivals.shape, shaped, SHAPES);
        self.parameter(path, "sigma", arrivals.sigma, arrivals.process == Process::Lognormal, SIGMAS);
        self.states(path, arrivals);
        for (index, cycle) in arrivals.cycle.iter().enumerate() {
            self.cycle(&format!("{path}.cycle[{index}]"), cycle);
        }
        self.cycles_fit(path, &arrivals.cycle);
    }

    fn states(&mut self, path: &str, arrivals: &Arrivals) {
        let states = &arrivals.states;
        match (arrivals.process, states.len()) {
            (Process::Bursty, 0 | 1) => {
                let message =
                    format!("a bursty process has two states or more, and this one has {}", states.len());
                let help = "give them, such as\nstates = [{ rate = 10, lasts = \"5 min\" }, { rate = 1, lasts = \"1 h\" }]";
                return self.add(Problem::new(path, message, "too few `states`").help(help));
            }
            (Process::Bursty, _) => {}
            (_, 0) => return,
            (_, _) => return self.needless(path, "states", "only `process = \"bursty\"` has states"),
        }
        for (index, state) in states.iter().enumerate() {
            self.within(&format!("{path}.states[{index}].rate"), state.rate, (0.0, 1e9));
            self.longer_than_zero(&format!("{path}.states[{index}].lasts"), state.lasts);
            self.no_longer_than(&format!("{path}.states[{index}].lasts"), state.lasts, CENTURY);
        }
        if states.iter().all(|state| state.rate == 0.0) {
            let message = "in no state does anything arrive";
            self.add(Problem::new(format!("{path}.states"), message, "all rates are 0"));
        }
    }

    fn cycle(&mut self, path: &str, cycle: &Cycle) {
        self.no_longer_than(&format!("{path}.period"), cycle.period, CENTURY);
        if cycle.period.0.as_secs_f64() < 60.0 {
            let message = format!("`{path}.period` must be a minute or more, but is {}", cycle.period);
            self.add(Problem::new(format!("{path}.period"), message, "must be a minute or more"));
        }
        let given = [!cycle.weights.is_empty(), cycle.path.is_some(), cycle.amplitude.is_some()];
        if given.into_iter().filter(|given| *given).count() != 1 {
            let message = "a cycle needs exactly one of `weights`, `path` and `amplitude`";
            let help = "for a day with a busy afternoon, write\n{ period = \"1 day\", amplitude = 0.5, peak = \"15 h\" }";
            self.add(Problem::new(path, message, "not exactly one").help(help));
        }
        if let Some(amplitude) = cycle.amplitude {
            self.within(&format!("{path}.amplitude"), amplitude, (0.0, 1.0));
        } else if cycle.peak.is_some() {
            self.needless(path, "peak", "only a sinusoid with an `amplitude` has a peak");
        }
        if let Some(peak) = cycle.peak.filter(|peak| peak.0 >= cycle.period.0) {
            let message = format!("the peak after {peak} must lie within the period of {}", cycle.period);
            self.add(Problem::new(format!("{path}.peak"), message, "not within the period"));
        }
        if cycle.column.is_some() && cycle.path.is_none() {
            self.needless(path, "column", "it is a column of the file that `path` names");
        }
        self.weights(&format!("{path}.weights"), &cycle.weights);
        if cycle.weights.len() > MOST_STEPS || cycle.weights.len() as f64 > cycle.period.0.as_secs_f64() {
            let message =
                format!("{} steps of a cycle of {} are too many", cycle.weights.len(), cycle.period);
            let help = format!("a step takes a second or more, and a cycle has at most {MOST_STEPS}");
            self.add(Problem::new(format!("{path}.weights"), message, "too many").help(help));
        }
    }

    /// Several cycles with steps of no arrivals could leave no time for any.
    fn cycles_fit(&mut self, path: &str, cycles: &[Cycle]) {
        let still: Vec<usize> =
            (0..cycles.len()).filter(|&index| cycles[index].weights.contains(&0.0)).collect();
        if let [first, second, ..] = still[..] {
            let message = "two cycles have weights of 0, so that at no time might anything arrive";
            let problem = Problem::new(format!("{path}.cycle[{second}].weights"), message, "a 0 here");
            let problem = problem.also(format!("{path}.cycle[{first}].weights"), "and a 0 here");
            self.add(problem.help("write small numbers above 0 in one of them"));
        }
        let longest = cycles.iter().map(|cycle| cycle.period.0.as_secs_f64()).fold(0.0, f64::max);
        let step = |cycle: &Cycle| cycle.period.0.as_secs_f64() / cycle.weights.len().max(96) as f64;
        let shortest = cycles.iter().map(step).fold(f64::INFINITY, f64::min);
        if longest / shortest > 1e7 {
            let message =
                format!("the longest cycle takes {longest} s, the shortest step of one {shortest} s");
            self.add(Problem::new(format!("{path}.cycle"), message, "too different to be multiplied"));
        }
    }

    fn class(&mut self, path: &str, class: &JobClass) {
        let key = |key: &str| format!("{path}.{key}");
        if class.name.trim().is_empty() {
            self.add(Problem::new(key("name"), "a class of jobs needs a name", "is empty"));
        }
        self.positive(&key("share"), class.share);
        self.quantity(&key("tasks"), &class.tasks, (1.0, MOST));
        self.quantity(&key("duration"), &class.duration, (0.0, Duration::MOST));
        self.quantity(&key("cpus"), &class.cpus, (LEAST, MOST));
        self.quantity(&key("mem"), &class.mem, (0.0, Size::MOST));
        self.quantity(&key("disk"), &class.disk, (0.0, Size::MOST));
        self.quantity(&key("gpus"), &class.gpus, (0.0, MOST));
        self.listed_gpus(&key("gpus"), &class.gpus);
        self.together(path, class);
        if let Some(users) = class.users {
            self.at_least_one(&key("users.count"), users.count.into());
            self.no_more_than(&key("users.count"), users.count.into(), MOST_USERS, "users");
            self.within(&key("users.zipf"), users.zipf, (0.0, 10.0));
        }
    }

    /// Values that are written out are used as they are; what is drawn from other distributions is rounded.
    fn listed_gpus(&mut self, path: &str, gpus: &Quantity<f64>) {
        match gpus {
            Quantity::Constant(gpus) => self.gpus(path, *gpus),
            Quantity::List(list) => {
                (0..)
                    .zip(list)
                    .for_each(|(index, &gpus): (usize, _)| self.gpus(&format!("{path}[{index}]"), gpus));
            }
            Quantity::Drawn(drawn) if drawn.distribution == Family::List => {
                for (index, &gpus) in drawn.values.iter().enumerate() {
                    self.gpus(&format!("{path}.values[{index}]"), gpus);
                }
            }
            Quantity::Drawn(_) => {}
        }
    }

    fn together(&mut self, path: &str, class: &JobClass) {
        if let Some(rows) = &class.rows {
            if rows.path.as_os_str().is_empty() {
                self.add(Problem::new(
                    format!("{path}.rows.path"),
                    "the path of the rows is empty",
                    "is empty",
                ));
            }
            if !class.correlation.is_empty() {
                self.needless(
                    path,
                    "correlation",
                    "`rows` are drawn whole, with all that belongs together in them",
                );
            }
            if class.duration_of == DurationOf::Task {
                self.needless(path, "duration_of", "a row has one run time for all tasks of its job");
            }
        }
        let mut matrix = [[0.0; QUANTITIES]; QUANTITIES];
        (0..QUANTITIES).for_each(|place| matrix[place][place] = 1.0);
        for (index, Correlation { between: [a, b], r }) in class.correlation.iter().enumerate() {
            let path = format!("{path}.correlation[{index}]");
            if a == b {
                let message = format!("`{}` belongs together with itself in any case", a.as_str());
                return self.add(Problem::new(format!("{path}.between"), message, "the same twice"));
            }
            if !(r.is_finite() && r.abs() < 1.0) {
                let message = format!("`{path}.r` must lie between -1 and 1, but is {}", written(*r));
                return self.add(Problem::new(format!("{path}.r"), message, "must lie between -1 and 1"));
            }
            if matrix[*a as usize][*b as usize] != 0.0 {
                let message =
                    format!("how `{}` and `{}` belong together is said twice", a.as_str(), b.as_str());
                return self.add(Problem::new(path, message, "again"));
            }
            (matrix[*a as usize][*b as usize], matrix[*b as usize][*a as usize]) = (*r, *r);
        }
        if Copula::new(&matrix).is_none() {
            let message = "these correlations contradict each other: no numbers can have all of them (the matrix is not positive definite)";
            let problem = Problem::new(format!("{path}.correlation"), message, "not possible together");
            self.add(problem.help("make some of them weaker"));
        }
    }

    fn quantity<T: Unit>(&mut self, path: &str, quantity: &Quantity<T>, range: (f64, f64)) {
        match quantity {
            Quantity::Constant(value) => self.value(path, *value, range),
            Quantity::List(values) => {
                self.not_empty(path, values, &format!("[{}]", T::EXAMPLE));
                self.values(path, values, range);
            }
            Quantity::Drawn(drawn) => self.drawn(path, drawn, range),
        }
    }

    fn values<T: Unit>(&mut self, path: &str, values: &[T], range: (f64, f64)) {
        for (index, value) in values.iter().enumerate() {
            self.value(&format!("{path}[{index}]"), *value, range);
        }
    }

    fn value<T: Unit>(&mut self, path: &str, value: T, range: (f64, f64)) {
        let number = value.number();
        if !(range.0..=range.1).contains(&number) {
            let (least, most) = (shown(T::of(range.0)), shown(T::of(range.1)));
            let message = format!("`{path}` must be from {least} to {most}, but is {}", shown(value));
            self.add(Problem::new(path, message, format!("must be from {least} to {most}")));
        }
    }

    fn drawn<T: Unit>(&mut self, path: &str, drawn: &Drawn<T>, range: (f64, f64)) {
        let Drawn { distribution: family, mean, shape, sigma, min, max, .. } = *drawn;
        self.keys(path, &Keys { family, mean, shape, sigma, min, max }, range);
        let (list, empirical) = (family == Family::List, family == Family::Empirical);
        for (key, given, goes) in [
            ("values", !drawn.values.is_empty(), list || empirical),
            ("weights", !drawn.weights.is_empty(), list),
            ("path", drawn.path.is_some(), empirical),
            ("column", drawn.column.is_some(), empirical && drawn.path.is_some()),
            ("parts", !drawn.parts.is_empty(), family == Family::Mixture),
        ] {
            if given && !goes {
                self.needless(path, key, "this distribution has none");
            }
        }
        match family {
            Family::List => self.list(path, drawn),
            Family::Empirical => self.empirical(path, drawn),
            Family::Mixture => self.mixture(path, drawn, range),
            Family::Constant | Family::Uniform | Family::Exponential | Family::Lognormal => {}
            Family::Weibull | Family::Gamma | Family::Pareto => {}
        }
        self.values(&format!("{path}.values"), &drawn.values, range);
    }

    fn list<T: Unit>(&mut self, path: &str, drawn: &Drawn<T>) {
        self.not_empty(&format!("{path}.values"), &drawn.values, &format!("values = [{}]", T::EXAMPLE));
        let (values, weights) = (drawn.values.len(), drawn.weights.len());
        if weights > 0 && weights != values {
            let message = format!("{values} `values` have {weights} `weights`");
            self.add(Problem::new(format!("{path}.weights"), message, "must be as many as the values"));
        }
        self.weights(&format!("{path}.weights"), &drawn.weights);
    }

    fn empirical<T: Unit>(&mut self, path: &str, drawn: &Drawn<T>) {
        if drawn.path.is_some() != drawn.values.is_empty() {
            let message = format!("`{path}` needs exactly one of `values` and `path`");
            self.add(Problem::new(path, message, "what was measured?"));
        }
        if drawn.path.is_none() && drawn.values.len() == 1 {
            let message = "a share of draws lies between each two values, so there must be two or more";
            self.add(Problem::new(format!("{path}.values"), message, "only one"));
        }
        let falls = drawn.values.windows(2).position(|two| two[0].number() > two[1].number());
        if let Some(place) = falls {
            let message = format!(
                "the values of an empirical distribution ascend, but {} follows {}",
                shown(drawn.values[place + 1]),
                shown(drawn.values[place])
            );
            self.add(Problem::new(
                format!("{path}.values[{}]", place + 1),
                message,
                "less than the one before",
            ));
        }
    }

    fn mixture<T: Unit>(&mut self, path: &str, drawn: &Drawn<T>, range: (f64, f64)) {
        let example =
            format!("parts = [{{ weight = 1, distribution = \"exponential\", mean = {} }}]", T::EXAMPLE);
        self.not_empty(&format!("{path}.parts"), &drawn.parts, &example);
        for (index, part) in drawn.parts.iter().enumerate() {
            let path = format!("{path}.parts[{index}]");
            let Part { weight, distribution: family, mean, shape, sigma, min, max } = *part;
            self.positive(&format!("{path}.weight"), weight);
            match family {
                Family::List | Family::Empirical | Family::Mixture => {
                    let message = "a part of a mixture is one of constant, uniform, exponential, lognormal, weibull, gamma and pareto";
                    self.add(Problem::new(format!("{path}.distribution"), message, "not in a mixture"));
                }
                Family::Constant
                | Family::Uniform
                | Family::Exponential
                | Family::Lognormal
                | Family::Weibull
                | Family::Gamma
                | Family::Pareto => {
                    self.keys(&path, &Keys { family, mean, shape, sigma, min, max }, range);
                }
            }
        }
    }

    fn keys<T: Unit>(&mut self, path: &str, keys: &Keys<T>, range: (f64, f64)) {
        let family = keys.family;
        let (mean, shaped, bounded) = match family {
            Family::Constant | Family::Exponential | Family::Lognormal => (true, false, false),
            Family::Weibull | Family::Gamma => (true, true, false),
            Family::Uniform => (false, false, true),
            Family::Pareto => (false, true, true),
            Family::List | Family::Empirical | Family::Mixture => (false, false, false),
        };
        self.parameter(path, "shape", keys.shape, shaped, SHAPES);
        self.parameter(path, "sigma", keys.sigma, family == Family::Lognormal, SIGMAS);
        match (keys.mean, mean) {
            (Some(_), false) => self.needless(path, "mean", "it follows from the rest"),
            (None, true) => {
                let problem = Problem::new(
                    path,
                    format!("`{path}` needs the `mean` of its distribution"),
                    "no `mean` here",
                );
                self.add(problem.help(format!("add one, such as\nmean = {}", T::EXAMPLE)));
            }
            (Some(value), true) => self.mean(path, value, family),
            (None, false) => {}
        }
        for (key, bound) in [("min", keys.min), ("max", keys.max)] {
            match bound {
                Some(value) => self.value(&format!("{path}.{key}"), value, (0.0, range.1)),
                None if bounded => {
                    let message =
                        format!("`{path}` needs `min` and `max`, between which its distribution lies");
                    self.add(Problem::new(path, message, format!("no `{key}` here")));
                }
                None => {}
            }
        }
        self.bounds(path, keys);
    }

    fn mean<T: Unit>(&mut self, path: &str, mean: T, family: Family) {
        let path = format!("{path}.mean");
        let least = if family == Family::Constant { 0.0 } else { 1e-9 };
        if !(least..=T::MOST).contains(&mean.number()) {
            let message = format!(
                "`{path}` must be above 0 and at most {}, but is {}",
                shown(T::of(T::MOST)),
                shown(mean)
            );
            self.add(Problem::new(path, message, "not possible"));
        }
    }

    fn bounds<T: Unit>(&mut self, path: &str, keys: &Keys<T>) {
        let (Some(min), Some(max)) = (keys.min, keys.max) else { return };
        if min.number() >= max.number() {
            let message = format!("from {} to {} there is nothing to draw", shown(min), shown(max));
            let problem = Problem::new(format!("{path}.max"), message, "must be more than `min`");
            self.add(problem.also(format!("{path}.min"), "`min` is here"));
        } else if keys.family == Family::Pareto && min.number() <= 0.0 {
            let message = "a power law begins above 0";
            self.add(Problem::new(format!("{path}.min"), message, "must be above 0"));
        }
    }

    /// Numbers that are compared with each other.
    fn weights(&mut self, path: &str, weights: &[f64]) {
        for (index, &weight) in weights.iter().enumerate() {
            self.within(&format!("{path}[{index}]"), weight, (0.0, 1e12));
        }
        if !weights.is_empty() && weights.iter().all(|&weight| weight == 0.0) {
            self.add(Problem::new(path, format!("`{path}` has nothing above 0"), "all are 0"));
        }
    }
}

/// As a file would say it.
fn shown<T: Unit>(value: T) -> String {
    let text = format!("{value:?}").to_lowercase();
    text.strip_suffix(".0").map_or_else(|| format!("{value:?}"), str::to_owned)
}
