//! Bad input: what is said, and where it points.

use std::path::Path;

use proptest::prelude::*;

use super::*;

const WORDS: Vocabulary<'static> = Vocabulary {
    sorters: &["drf"],
    orders: &["fifo", "shortest-first"],
    placements: &["first-fit", "best-fit", "worst-fit"],
    responses: &["decline", "hold"],
    trace_formats: &["openb"],
    capabilities: &["GPU_RESOURCES", "MULTI_ROLE"],
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
    assert_eq!(experiment.framework[1].weight, 1.0);
}

/// The message and the help of the first mistake, and where it points.
fn mistake(text: &str, settings: &[&str]) -> (String, String, usize) {
    let error = read(text, settings).expect_err(text);
    let invalid = error.invalid().expect("the text is bad, not the file");
    let said = format!("{invalid} | {}", invalid.help_text().unwrap_or_default());
    (said, invalid.source_name().to_owned(), invalid.line())
}

/// Replaces `from` by `to` in the good text; what must then be said, and on which line.
#[rustfmt::skip]
const BAD_FILES: &[(&str, &str, &[&str], usize)] = &[
    // TOML itself.
    ("[workload]", "[workload", &["not valid TOML", "expected `]`"], 8),
    ("\"quickstart\"", "\"quickstart", &["not valid TOML"], 1),
    ("compress = 100", "compress = 100\ncompress = 10", &["duplicate key"], 11),
    // Keys.
    ("compress", "compres", &["unknown key `compres` in `[workload]`", "did you mean `compress`?"], 10),
    ("[[policy]]", "[[polices]]", &["unknown key `polices` in the file", "did you mean `policy`?"], 22),
    ("compress = 100", "poisson.job = 1", &["unknown key `job` in `[workload.poisson]`", "`jobs`?"], 10),
    ("refuse_seconds", "refuse", &["unknown key `refuse` in `[[policy]]`", "`refuse_seconds`"], 25),
    ("weight = 2.0", "tau = '1 s'", &["unknown key `tau` in `[[framework]]`", "a key of `[measure]`"], 15),
    ("format =", "fromat =", &["unknown key `fromat` in `[cluster.trace]`", "did you mean `format`?"], 6),
    ("name = \"quickstart\"", "", &["the file lacks the key `name`"], 1),
    ("name = \"LS\"", "", &["`[[framework]]` lacks the key `name`"], 12),
    ("path = \"../pods.csv.gz\"", "", &["`[workload.trace]` lacks the key `path`"], 9),
    ("[cluster]\ntrace = {", "[network]\nlatency = {", &["`network.latency` must be a duration", "a table"], 6),
    ("[cluster]\ntrace =", "[cluster_]\ntrace =", &["unknown key `cluster_`", "did you mean `cluster`?"], 5),
    // Types.
    ("compress = 100", "compress = \"fast\"", &["`workload.compress` must be a number, but is the text \"fast\""], 10),
    ("[1, 2]", "1", &["`seeds` must be a list"], 2),
    ("[1, 2]", "[1, -2]", &["`seeds[1]` must be a whole number, 0 or more", "-2"], 2),
    ("[1, 2]", "[1.5]", &["`seeds[0]` must be a whole number, 0 or more", "1.5"], 2),
    ("compress = 100", "first = -1", &["`workload.first` must be a whole number", "-1"], 10),
    ("\"quickstart\"", "5", &["`name` must be text in quotes, but is the whole number `5`"], 1),
    ("select = { qos = \"LS\" }", "select = { qos = 1 }", &["`framework[0].select.qos` must be text"], 16),
    ("[workload]", "[[workload]]", &["`workload` must be a table"], 8),
    ("trace = { path = \"../pods.csv.gz\" }", "trace = [\"../pods.csv.gz\"]", &["`workload.trace` must be a table, but is a list"], 9),
    ("[workload]", "[master]\nvisit_order = 'random'\n[workload]", &["unknown visit order `random`", "`shuffled` and `ascending`"], 9),
    ("[workload]", "[master]\nfair_sharing_excluded_resource_names = ['gpu']\n[workload]", &["`gpu`", "did you mean `gpus`?"], 9),
    // Units.
    ("\"1 h\"", "3600", &["`policy[0].refuse_seconds`", "has no unit", "\"3600 s\""], 25),
    ("\"1 h\"", "\"1 hour\"", &["unknown unit `hour`", "did you mean `hours`?"], 25),
    ("\"1 h\"", "\"-1 h\"", &["cannot be negative"], 25),
    ("\"1 h\"", "true", &["must be a duration in quotes such as \"10 min\""], 25),
    ("\"200 days\"", "\"0 s\"", &["`until` must be longer than no time"], 3),
    ("\"200 days\"", "\"800 years\"", &["unknown unit `years`"], 3),
    // Numbers.
    ("compress = 100", "compress = 0", &["must be a number above 0, but is 0"], 10),
    ("compress = 100", "compress = nan", &["must be a number above 0, but is nan"], 10),
    ("compress = 100", "compress = inf", &["must be a number above 0, but is inf"], 10),
    ("compress = 100", "compress = -1.5", &["must be a number above 0, but is -1.5"], 10),
    ("weight = 2.0", "weight = 0", &["`framework[0].weight` must be a number above 0"], 15),
    ("[workload]", "every = 0\n[workload]", &["`cluster.every` must be 1 or more"], 8),
    ("compress = 100", "first = 0", &["`workload.first` must be 1 or more"], 10),
    ("[workload]", "[measure]\ntimeline_bins = 5\n[workload]", &["must be 16 to 65536, but is 5"], 9),
    // Lists, names, words.
    ("[1, 2]", "[]", &["`seeds` must not be empty"], 2),
    ("[1, 2]", "[\n  1,\n  2,\n  1,\n]", &["the seed 1 is given twice"], 5),
    ("\"quickstart\"", "\"Quick start\"", &["cannot be named", "a-z"], 1),
    ("drf-best-fit", "../x", &["a policy cannot be named \"../x\"", "letters"], 23),
    ("drf-first-fit", "drf-best-fit", &["two `[[policy]]` are named `drf-best-fit`"], 28),
    ("\"BE\"", "\"LS\"", &["two `[[framework]]` are named `LS`"], 19),
    ("placement = \"best-fit\"", "placement = \"bestfit\"", &["unknown placement `bestfit`", "did you mean `best-fit`?"], 24),
    ("placement = \"best-fit\"", "order = \"lifo\"", &["unknown order `lifo`", "did you mean `fifo`?"], 24),
    ("placement = \"best-fit\"", "sorter = \"random\"", &["unknown sorter `random`", "valid here: `drf`"], 24),
    ("placement = \"best-fit\"", "response = \"keep\"", &["unknown response `keep`", "`decline` and `hold`"], 24),
    ("\"openb\"", "\"openbb\"", &["unknown format `openbb`", "did you mean `openb`?"], 6),
    ("weight = 2.0", "capabilities = [\"GPU\"]", &["`GPU`", "`GPU_RESOURCES` and `MULTI_ROLE`"], 15),
    // Roles.
    ("best-effort", "best effort", &["blank or control character"], 20),
    ("best-effort", "a/b", &["nested roles are not supported yet", "`a-b`"], 20),
    ("best-effort", "/b", &["begins with a slash"], 20),
    ("best-effort", "latency-sensitive", &["has the weight 1 here and 2 before", "the default is 1"], 18),
    ("select = { qos = \"LS\" }", "", &["`LS` and `BE` both take the jobs that nobody selects"], 18),
    ("select = { qos = \"LS\" }", "select = {}", &["`select` names no label"], 16),
    // One of two.
    ("trace = { path = \"../pods.csv.gz\" }", "", &["`[workload]` needs one of `trace` and `poisson`"], 8),
    ("trace = { path = \"../nodes.csv.gz\", format = \"openb\" }", "", &["needs one of `trace` and `agents`"], 5),
    ("compress = 100", "poisson = { jobs = 1, interarrival = '1 s', duration = '1 s' }", &["has both `trace` and `poisson`"], 10),
    ("[workload]", "[[cluster.agents]]\ncount = 1\ncpus = 1\nmem = '1 GiB'\n[workload]", &["has both `trace` and `agents`"], 8),
];

#[test]
fn bad_files_are_refused_at_the_line() {
    for &(from, to, words, line) in BAD_FILES {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        let (said, source, at) = mistake(&text, &[]);
        for word in words {
            assert!(said.contains(word), "{to}\nexpected: {word}\nsaid: {said}");
        }
        assert_eq!((source.as_str(), at), ("experiment.toml", line), "{to}\n{said}");
    }
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
fn bad_synthetic_files_are_refused_at_the_line() {
    for &(from, to, words, line) in &[
        ("count = 1", "count = 0", "`cluster.agents[0].count` must be 1 or more", 3),
        ("cpus = 1", "cpus = -1", "must be from 0.001 to 1000000, but is -1", 4),
        ("cpus = 1", "cpus = 0.0001", "must be from 0.001", 4),
        ("cpus = 1", "cpus = nan", "but is nan", 4),
        ("'1 GiB'", "'0 B'", "an agent needs some memory", 5),
        ("'1 GiB'", "'1 GiBB'", "did you mean `GiB`?", 5),
        ("cpus = 1", "cpus = 1\ngpus = 17", "at most 16 GPU devices", 5),
        ("cpus = 1", "cpus = 1\ngpus = 1.5", "must be a whole number", 5),
        ("cpus = 1", "cpus = 1\ngpu_model = 'V100'", "but no GPUs", 5),
        ("jobs = 1000", "jobs = 0", "must be 1 or more", 7),
        ("'1 s'", "'0 s'", "`workload.poisson.interarrival` must be longer", 8),
        ("'0.5 s'", "'1 s'\ncpus = [1, 0]", "`workload.poisson.cpus[1]` must be from", 10),
        ("'0.5 s'", "'1 s'\ncpus = []", "`workload.poisson.cpus` must not be empty", 10),
        ("'0.5 s'", "'1 s'\ngpus = [0.5, 1.5]", "a task cannot use 1.5 GPUs", 10),
        ("'0.5 s'", "'1 s'\ngpus = [-1]", "a task cannot use -1 GPUs", 10),
        ("'0.5 s'", "'1 s'\nduration_distribution = 'normal'", "`exponential` and `constant`", 10),
        (
            "[workload.poisson]",
            "[workload]\nunscheduled = 'skip'\n[workload.poisson]",
            "is about tasks of a trace",
            7,
        ),
        ("[workload.poisson]", "[cluster]\nevery = 2\n[workload.poisson]", "thins out a trace", 7),
        ("jobs = 1000", "", "`[workload.poisson]` lacks the key `jobs`", 6),
        ("[[policy]]\nname = 'only'", "", "the file lacks `[[policy]]`", 1),
    ] {
        assert!(SYNTHETIC.contains(from), "{from}");
        let (said, _, at) = mistake(&SYNTHETIC.replacen(from, to, 1), &[]);
        assert!(said.contains(words), "{to}\nexpected: {words}\nsaid: {said}");
        assert_eq!(at, line, "{to}\n{said}");
    }
    read(SYNTHETIC, &[]).map_err(|error| show(&error)).expect("good as it stands");
}

#[test]
fn a_mistake_in_a_setting_points_at_the_setting() {
    for (setting, words) in [
        ("workload.compres=10", "unknown key `compres` in `[workload]` | did you mean `compress`?"),
        ("wrkload.compress=10", "unknown key `wrkload` in the file | did you mean `workload`?"),
        ("workload.compress=fast", "must be a number, but is the text \"fast\""),
        ("workload.compress=0", "must be a number above 0, but is 0"),
        ("policy.drf-best-fit.placement=bestfit", "did you mean `best-fit`?"),
        ("policy.drf-bestfit.placement=best-fit", "did you mean `drf-best-fit`?"),
        ("policy.1.name=drf-best-fit", "two `[[policy]]` are named"),
        ("seeds=[1, 1]", "given twice"),
        ("until=5", "has no unit"),
        ("workload.poisson.jobs=5", "`[workload.poisson]` lacks the key `interarrival`"),
        ("policy=[]", "must not be empty"),
        ("cluster.trace.format=csv", "unknown format `csv`"),
    ] {
        let (said, source, _) = mistake(GOOD, &[setting]);
        assert!(said.contains(words), "{setting}\nsaid: {said}");
        assert_eq!(source, "--set", "{setting}");
        show(&read(GOOD, &[setting]).expect_err(setting));
    }
}

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
    for text in [GOOD, SYNTHETIC] {
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
