//! `[workload.generator]`: what can be written, what comes back, and what errors show.

use super::*;
use crate::experiment::config::generator::{Family, Process, Quantity};

const FULL: &str = r#"name = "generated"
[[cluster.agents]]
count = 10
cpus = 8
mem = "32 GiB"
[[policy]]
name = "drf"
[workload.generator]
jobs = 1000
until = "2 days"
[workload.generator.arrivals]
interarrival = "20 s"
process = "bursty"
states = [{ rate = 10, lasts = "5 min" }, { rate = 1, lasts = "1 h" }]
cycle = [
  { period = "1 day", amplitude = 0.5, peak = "15 h" },
  { period = "7 days", weights = [2, 2, 2, 2, 2, 1, 0] },
]
[[workload.generator.class]]
name = "batch"
share = 3
tasks = { distribution = "list", values = [1, 10], weights = [9, 1] }
duration = { distribution = "lognormal", mean = "10 min", sigma = 1.5, max = "1 day" }
duration_of = "task"
cpus = [1, 2, 4]
mem = { distribution = "empirical", values = ["1 GiB", "2 GiB", "16 GiB"] }
gpus = { distribution = "mixture", parts = [
  { weight = 9, distribution = "constant", mean = 0 },
  { weight = 1, distribution = "uniform", min = 0.1, max = 0.9 },
] }
correlation = [{ between = ["cpus", "duration"], r = 0.4 }]
users = { count = 20, zipf = 1.1 }
[[workload.generator.class]]
name = "service"
duration = "1 h"
priority = 200
"#;

#[test]
fn every_key_of_a_generator_can_be_given_and_is_written_back() {
    let experiment = read(FULL, &[]).map_err(|error| show(&error)).expect("good").experiment;
    let generator = experiment.generator().expect("a generator");
    assert_eq!(generator.arrivals.process, Process::Bursty);
    assert_eq!(generator.class[0].cpus, Quantity::List(vec![1.0, 2.0, 4.0]));
    let Quantity::Drawn(duration) = &generator.class[0].duration else { panic!("a distribution") };
    assert_eq!((duration.distribution, duration.sigma), (Family::Lognormal, Some(1.5)));
    assert_eq!(generator.class[1].mem, Quantity::Constant(Size(1 << 30)));
    let written = toml::to_string(&experiment).expect("can be written");
    let again = read(&written, &[]).map_err(|error| show(&error)).expect("good");
    assert_eq!(again.experiment, experiment);
}

#[test]
fn what_is_wrong_with_a_generator_is_said_where_it_is() {
    for (from, to, says, line) in [
        ("jobs = 1000\nuntil = \"2 days\"", "", "needs `jobs`, `until` or both", 8),
        ("interarrival = \"20 s\"", "interarrival = 20", "has no unit", 12),
        ("rate = 10,", "rate = -1,", "`workload.generator.arrivals.states[0].rate` must be from 0", 14),
        ("process = \"bursty\"", "process = \"weibull\"", "needs the `shape` of its distribution", 11),
        ("process = \"bursty\"", "process = \"burst\"", "did you mean `bursty`?", 13),
        (", { rate = 1, lasts = \"1 h\" }", "", "a bursty process has two states or more", 11),
        ("amplitude = 0.5, ", "", "needs exactly one of `weights`, `path` and `amplitude`", 16),
        ("peak = \"15 h\"", "peak = \"25 h\"", "must lie within the period of 1 day", 16),
        ("[2, 2, 2, 2, 2, 1, 0]", "[0, 0]", "has nothing above 0", 17),
        ("share = 3", "share = 0", "must be a number above 0", 21),
        ("values = [1, 10]", "values = [0, 10]", "must be from 1 to 1000000", 22),
        ("weights = [9, 1]", "weights = [9]", "2 `values` have 1 `weights`", 22),
        ("sigma = 1.5, ", "", "needs the `sigma` of its distribution", 23),
        ("mean = \"10 min\", ", "", "needs the `mean` of its distribution", 23),
        ("\"lognormal\"", "\"log-normal\"", "did you mean `lognormal`?", 23),
        ("[1, 2, 4]", "[]", "must not be empty", 25),
        ("[1, 2, 4]", "\"2 GiB\"", "the text \"2 GiB\"", 25),
        ("\"2 GiB\", \"16 GiB\"", "\"16 GiB\", \"2 GiB\"", "2 GiB follows 16 GiB", 26),
        ("\"uniform\", min = 0.1", "\"uniform\"", "needs `min` and `max`", 29),
        ("\"uniform\", min = 0.1", "\"uniform\", min = 0.95", "from 0.95 to 0.9 there is nothing", 29),
        ("\"uniform\"", "\"list\"", "a part of a mixture is one of", 29),
        ("r = 0.4", "r = 1.5", "must lie between -1 and 1", 31),
        ("\"cpus\", \"duration\"", "\"cpus\", \"cpus\"", "with itself in any case", 31),
        ("\"cpus\", \"duration\"", "\"cpu\", \"duration\"", "did you mean `cpus`?", 31),
        ("count = 20", "count = 0", "must be 1 or more", 32),
        (
            "name = \"service\"",
            "name = \"batch\"",
            "two `[[workload.generator.class]]` are named `batch`",
            34,
        ),
        ("duration = \"1 h\"\n", "", "lacks the key `duration`", 33),
        ("priority = 200", "rows = { path = \"\" }", "the path of the rows is empty", 36),
        ("priority = 200", "prority = 200", "did you mean `priority`?", 36),
    ] {
        assert!(FULL.contains(from), "{from}");
        let shown = show(&read(&FULL.replacen(from, to, 1), &[]).expect_err(to));
        assert!(shown.contains(says), "{to:?} should say {says:?}:\n{shown}");
        assert!(
            shown.contains(&format!("experiment.toml:{line}:")),
            "{to:?} should be at line {line}:\n{shown}"
        );
    }
}

#[test]
fn correlations_that_contradict_each_other_are_an_error() {
    let three = "correlation = [{ between = [\"cpus\", \"duration\"], r = 0.9 }, { between = [\"cpus\", \"mem\"], r = 0.9 }, \
                 { between = [\"mem\", \"duration\"], r = -0.9 }]";
    let text = FULL.replace("correlation = [{ between = [\"cpus\", \"duration\"], r = 0.4 }]", three);
    assert!(show(&read(&text, &[]).expect_err("impossible")).contains("contradict each other"));
}

#[test]
fn a_generator_beside_another_workload_is_an_error() {
    let text = FULL
        .replace("[workload.generator]", "[workload]\ntrace = { path = \"a.csv\" }\n[workload.generator]");
    assert!(show(&read(&text, &[]).expect_err("both")).contains("can use only one of them"));
    let text = FULL.split("[workload.generator]").next().expect("before").to_owned() + "[workload]\n";
    assert!(show(&read(&text, &[]).expect_err("none")).contains("one of `trace`, `poisson` and `generator`"));
}

proptest! {
    /// Whatever passes the checks can be drawn from, and whatever does not is an error with words.
    #[test]
    fn numbers_are_refused_or_can_be_drawn_from(
        mean in prop_oneof![Just(0.0), 1e-12..1e12f64, Just(f64::NAN), Just(-1.0)],
        shape in prop_oneof![Just(0.0), 0.01..200f64, Just(f64::INFINITY)],
        bounds in (0.0..10f64, 0.0..10f64),
        family in prop::sample::select(vec!["constant", "uniform", "exponential", "lognormal", "weibull", "gamma", "pareto", "list", "empirical", "mixture"]),
        keys in prop::sample::subsequence(vec![0, 1, 2, 3, 4], 0..=5),
    ) {
        let number = |number: f64| if number.is_nan() { "nan".to_owned() } else { format!("{number:?}") };
        let all = [
            format!("mean = {}", number(mean)),
            format!("shape = {}", number(shape)),
            format!("sigma = {}", number(shape)),
            format!("min = {}", number(bounds.0)),
            format!("max = {}", number(bounds.1)),
        ];
        let keys: Vec<&str> = keys.iter().map(|&key: &usize| all[key].as_str()).collect();
        let table = format!("cpus = {{ distribution = \"{family}\"{}{} }}", if keys.is_empty() { "" } else { ", " }, keys.join(", "));
        let text = FULL.replace("cpus = [1, 2, 4]", &table);
        match read(&text, &[]) {
            Ok(loaded) => {
                let generator = crate::experiment::generated::generator(&loaded, Vec::new()).expect("no file is read");
                let mut source = crate::workload::generator::Generated::new(generator, crate::engine::random::Seed(1));
                for _ in 0..20 {
                    prop_assert!(source.next_generated().is_some());
                }
            }
            Err(error) => prop_assert!(show(&error).contains("cpus"), "{}", show(&error)),
        }
    }
}
