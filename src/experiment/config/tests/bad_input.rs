//! Bad input: what is said, and where it points.

use super::*;

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
    ("placement = \"best-fit\"", "sorter = \"lottery\"", &["unknown sorter `lottery`", "`drf` and `random`"], 24),
    ("placement = \"best-fit\"", "response = \"keep\"", &["unknown response `keep`", "`decline` and `hold`"], 24),
    ("\"openb\"", "\"openbb\"", &["unknown format `openbb`", "did you mean `openb`?"], 6),
    ("weight = 2.0", "capabilities = [\"GPU\"]", &["`GPU`", "`PARTITION_AWARE` and `REVOCABLE_RESOURCES`"], 15),
    // Roles.
    ("best-effort", "best effort", &["blank or control character"], 20),
    ("best-effort", "a/../b", &["cannot have `..` as a component"], 20),
    ("best-effort", "/b", &["begins with a slash"], 20),
    ("best-effort", "latency-sensitive", &["has the weight 1 here and 2 before", "the default is 1"], 18),
    ("select = { qos = \"LS\" }", "", &["`LS` and `BE` both take the jobs that nobody selects"], 18),
    ("select = { qos = \"LS\" }", "select = {}", &["`select` names no label"], 16),
    // One of two.
    ("trace = { path = \"../pods.csv.gz\" }", "", &["`[workload]` needs one of `trace`, `poisson` and `generator`"], 8),
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
