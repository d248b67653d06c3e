//! Whole files: what is read, and what errors show.

use std::path::Path;

use proptest::prelude::*;

use super::*;

mod agent;
mod bad_input;
mod fault;
mod framework;
mod generator;

const WORDS: Vocabulary<'static> = Vocabulary {
    sorters: &["drf", "random"],
    orders: &["fifo", "shortest-first"],
    placements: &["first-fit", "best-fit", "worst-fit"],
    kinds: crate::framework::KIND_NAMES,
    responses: &["decline", "hold"],
    estimators: &["fixed", "usage-slack"],
    controllers: &["none", "load"],
    trace_formats: &["openb"],
    capabilities: &["GPU_RESOURCES", "MULTI_ROLE", "PARTITION_AWARE", "REVOCABLE_RESOURCES"],
};

const GOOD: &str = r#"name = "quickstart"
seeds = [1, 2]
until = "200 days"

[cluster]
trace = { path = "../nodes.csv.gz", format = "openb" }

[workload]
trace = { path = "../pods.csv.gz" }
compress = 100

[[framework]]
name = "LS"
role = "latency-sensitive"
weight = 2.0
select = { qos = "LS" }

[[framework]]
name = "BE"
role = "best-effort"

[[policy]]
name = "drf-best-fit"
placement = "best-fit"
refuse_seconds = "1 h"

[[policy]]
name = "drf-first-fit"
placement = "first-fit"
"#;

fn read(text: &str, settings: &[&str]) -> Result<Loaded, ConfigError> {
    let settings: Vec<String> = settings.iter().map(|&text| text.to_owned()).collect();
    load_text("experiment.toml", text, Path::new("experiments"), &settings, &WORDS)
}

fn show(error: &ConfigError) -> String {
    let mut shown = String::new();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
    handler.render_report(&mut shown, error).expect("renders");
    shown
}

#[test]
fn defaults_are_filled_in_and_paths_resolved() {
    let experiment = read(GOOD, &[]).map_err(|error| show(&error)).expect("good").experiment;
    assert_eq!(experiment.cluster.trace.expect("trace").path, Path::new("experiments/../nodes.csv.gz"));
    assert_eq!(experiment.cluster.agents_per_rack, 32);
    assert_eq!(experiment.network.latency.to_string(), "500 us");
    assert_eq!(experiment.policy[0].refuse_seconds.to_string(), "1 h");
    assert_eq!(experiment.policy[1].refuse_seconds.to_string(), "5 s");
    assert_eq!(experiment.framework[1].capabilities, ["MULTI_ROLE", "GPU_RESOURCES", "PARTITION_AWARE"]);
}

#[test]
fn every_key_can_be_given() {
    let text = r#"
name = "everything"
about = "one line"
seeds = [1]
until = "200 days"
[cluster]
agents_per_rack = 32
racks_per_zone = 10
[[cluster.agents]]
count = 100
cpus = 16.0
mem = "64 GiB"
disk = "1 TiB"
gpus = 8
gpu_model = "V100"
attributes = { os = "linux" }
[network]
latency = "0.5 ms"
jitter = "0 s"
[master]
allocation_interval = "1 s"
min_allocatable_resources = "cpus:0.01|mem:32"
filter_gpu_resources = true
offer_timeout = "5 min"
visit_order = "ascending"
fair_sharing_excluded_resource_names = ["gpus"]
[workload]
compress = 1.0
first = 1000
unscheduled = "lifetime"
[workload.poisson]
jobs = 10000
interarrival = "1 s"
duration = "10 min"
duration_distribution = "constant"
tasks_per_job = 1
cpus = [1.0, 2.0, 4.0]
mem = ["1 GiB", "2 GiB"]
gpus = [0, 0.5, 2]
disk = ["0 B"]
[[framework]]
name = "LS"
role = "latency-sensitive"
weight = 1.0
select = { qos = "LS" }
capabilities = ["GPU_RESOURCES", "MULTI_ROLE"]
[[policy]]
name = "drf-best-fit"
sorter = "drf"
order = "fifo"
placement = "best-fit"
response = "hold"
refuse_seconds = "1 h"
backfill = false
[measure]
tau = "10 s"
timeline_bins = 512
"#;
    let experiment = read(text, &[]).map_err(|error| show(&error)).expect("good").experiment;
    assert_eq!(experiment.cluster.agents[0].mem, Size(64 << 30));
    assert_eq!(experiment.master.fair_sharing_excluded_resource_names, [ResourceName::Gpus]);
    assert_eq!(experiment.poisson().map(|poisson| poisson.gpus.clone()), Some(vec![0.0, 0.5, 2.0]));
}

const SYNTHETIC: &str = "name = 'mm1'
[[cluster.agents]]
count = 1
cpus = 1
mem = '1 GiB'
[workload.poisson]
jobs = 1000
interarrival = '1 s'
duration = '0.5 s'
[[policy]]
name = 'only'
";

#[test]
fn a_setting_can_put_a_bad_file_right_and_moves_no_line() {
    let bad = GOOD.replace("\"openb\"", "\"closedb\"").replace("\"1 h\"", "5");
    let error = read(&bad, &["cluster.trace.format=openb", "until=1 day"]).expect_err("the other one");
    assert_eq!(error.invalid().map(Invalid::line), Some(25));
    let right = ["cluster.trace.format=openb", "policy.0.refuse_seconds=1 h", "master.offer_timeout=5 min"];
    let experiment = read(&bad, &right).expect("put right").experiment;
    assert_eq!(experiment.master.offer_timeout.map(|timeout| timeout.to_string()).as_deref(), Some("5 min"));
}

#[test]
fn all_mistakes_in_the_values_are_told_at_once() {
    let bad =
        GOOD.replace("[1, 2]", "[1, 1]").replace("= 100", "= 0").replace("\"first-fit\"", "\"frist-fit\"");
    let error = read(&bad, &[]).expect_err("bad");
    let lines = |invalid: &Invalid| invalid.others().iter().map(Invalid::line).collect::<Vec<_>>();
    assert_eq!(error.invalid().map(lines), Some(vec![10, 29]));
    assert!(show(&error).contains("did you mean `first-fit`?"));
}

#[test]
fn an_error_found_later_points_at_its_line() {
    let loaded = read(GOOD, &["policy.1.order=fifo"]).expect("good");
    let at = |path: &str| {
        let error = loaded.error_at(path, "it is not there", Some("look again".to_owned()));
        assert!(show(&error).contains("look again"));
        error.invalid().map(|invalid| (invalid.source_name().to_owned(), invalid.line())).expect("a place")
    };
    let file = "experiment.toml".to_owned();
    assert_eq!(at("workload.trace.path"), (file.clone(), 9));
    assert_eq!(at("policy[1].placement"), (file.clone(), 29));
    assert_eq!(at("policy[0].order"), (file.clone(), 22));
    assert_eq!(at("policy[1].order"), ("--set".to_owned(), 1));
    assert_eq!(at("measure.tau"), (file.clone(), 1));
    assert_eq!(at("no such[9].place"), (file, 1));
}

#[test]
fn a_resolved_experiment_says_the_same_again() {
    for text in [GOOD, SYNTHETIC, &fault::every_fault()] {
        let first = read(text, &[]).expect("good").experiment;
        let toml = toml::to_string(&first).expect("an experiment is TOML");
        let again = load_text("again", &toml, Path::new(""), &[], &WORDS).map_err(|error| show(&error));
        assert_eq!(again.expect("good").experiment, first);
        let json = serde_json::to_string(&first).expect("an experiment is JSON");
        assert_eq!(serde_json::from_str::<Experiment>(&json).expect("reads"), first);
    }
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    let error = |name: &str| load(&path(name), &[], &WORDS).expect_err(name);
    fs::write(path("quickstart.toml"), GOOD).expect("written");
    fs::write(path("binary.toml"), b"name = 'a'\nabout = '\xff'").expect("written");
    assert!(load(&path("quickstart.toml"), &[], &WORDS).is_ok());
    assert!(show(&error("quikstart.toml")).contains("quickstart.toml?"));
    assert!(error("quikstart.toml").to_string().contains("cannot read the experiment file"));
    assert!(load(directory.path(), &[], &WORDS).is_err());
    assert_eq!(error("binary.toml").invalid().map(Invalid::line), Some(2));
    assert!(error("binary.toml").to_string().contains("not UTF-8"));
}

#[test]
fn text_that_nests_without_end_is_refused() {
    for text in [
        format!("x = {}", "[".repeat(100_000)),
        format!("x = {}", "{ a = ".repeat(100_000)),
        format!("{}a = 1", "a.".repeat(100_000)),
        format!("[{}a]", "a.".repeat(100_000)),
    ] {
        assert!(read(&text, &[]).is_err());
        assert!(read(GOOD, &[&format!("seeds={text}")]).is_err());
        assert!(read(GOOD, &[&text.replace(" ", "")]).is_err());
    }
}

/// Text that is nearly right: the good one with some lines cut, doubled or overwritten in part.
fn nearly_good() -> impl Strategy<Value = String> {
    let splice = (any::<prop::sample::Index>(), 0..12_usize, "[-a-z0-9.=\"'\\[\\]{}, \n\u{e9}]{0,6}");
    prop::collection::vec(splice, 0..4).prop_map(|splices| {
        let mut text: Vec<char> = GOOD.chars().collect();
        for (at, length, with) in splices {
            let at = at.index(text.len());
            text.splice(at..(at + length).min(text.len()), with.chars());
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_and_no_setting_panics(
        text in prop_oneof![4 => nearly_good(), 1 => "[-a-z0-9.=\"'\\[\\]{}, \n\u{e9}]{0,60}", 1 => ".{0,30}"],
        settings in prop::collection::vec(
            prop_oneof![
                "(policy|seeds|workload|cluster|framework|name)(\\.(0|1|trace|LS|poisson|x)){0,3}=[-a-z0-9.\"\\[\\]{}= ]{0,6}",
                ".{0,12}",
            ],
            0..3,
        ),
    ) {
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        match read(&text, &settings) {
            Ok(loaded) => drop(show(&loaded.error_at("policy[0].name", "m", None))),
            Err(error) => prop_assert!(!show(&error).is_empty()),
        }
    }
}
