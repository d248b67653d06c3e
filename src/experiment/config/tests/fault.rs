//! `[[fault]]`: what is read, and what is wrong.

use super::{super::fault::Fault, *};

/// Every kind with every key.
const EVERY_FAULT: &str = r#"
[[fault]]
kind = "agent-crash"
machines = { zones = ["z0"], racks = ["r0"], hostnames = ["agent-0-00000"] }
every = { mean = "30 days", distribution = "weibull", shape = 0.7 }
lasts = { mean = "1 h", distribution = "lognormal", sigma = 1.5 }
graceful = true
[[fault]]
kind = "agent-trace"
path = "events.csv"
[[fault]]
kind = "agent-restart"
every = { mean = "7 days" }
lasts = "10 s"
[[fault]]
kind = "outage"
scope = "power"
racks_per_unit = 4
which = ["p0"]
at = ["2 h", "1 day"]
lasts = "30 min"
[[fault]]
kind = "partition"
between = { master = true }
and = { zones = ["z0"], racks = ["r0"], hostnames = ["agent-0-00000"], frameworks = ["batch"] }
one_way = true
at = ["1 h"]
lasts = "5 min"
[[fault]]
kind = "loss"
between = { master = true }
probability = 0.01
[[fault]]
kind = "delay"
between = { frameworks = ["batch"] }
extra = "100 ms"
every = { mean = "1 h", distribution = "constant" }
lasts = { mean = "1 min", distribution = "exponential" }
[[fault]]
kind = "master-failover"
at = ["3 h"]
[[fault]]
kind = "framework-crash"
frameworks = ["batch"]
every = { mean = "1 day" }
lasts = "1 min"
[[fault]]
kind = "task-failure"
frameworks = ["batch"]
rate_per_hour = 0.1
[[fault]]
kind = "straggler"
probability = 0.05
factor = 8
frameworks = ["batch"]
[[fault]]
kind = "straggler"
factor = 2.5
machines = { racks = ["r0"] }
every = { mean = "1 day" }
lasts = "1 h"
[[fault]]
kind = "maintenance"
machines = { zones = ["z0"] }
at = "1 day"
lasts = "1 h"
notice = "12 h"
rolling = "rack"
pause = "5 min"
[[fault]]
kind = "capacity"
machines = { zones = ["z0"] }
factor = 0.5
from = "8 h"
to = "18 h"
day = "24 h"
"#;

pub(super) fn every_fault() -> String {
    format!("{SYNTHETIC}{EVERY_FAULT}")
}

#[test]
fn every_kind_of_fault_can_be_given_with_every_key() {
    let experiment = read(&every_fault(), &[]).map_err(|error| show(&error)).expect("good").experiment;
    let kinds: std::collections::BTreeSet<_> = experiment.fault.iter().map(Fault::kind).collect();
    assert_eq!(kinds, Fault::KINDS.iter().copied().collect());
    let Fault::AgentCrash(crash) = &experiment.fault[0] else { panic!("{:?}", experiment.fault[0]) };
    assert_eq!(crash.every.map(|every| every.distribution), Some(Distribution::Weibull));
    let Fault::AgentTrace(trace) = &experiment.fault[1] else { panic!("{:?}", experiment.fault[1]) };
    assert_eq!(trace.path, Path::new("experiments/events.csv"));
    let Fault::AgentRestart(restart) = &experiment.fault[2] else { panic!("{:?}", experiment.fault[2]) };
    assert_eq!(restart.lasts.distribution, Distribution::Constant, "a text is always the same");
    assert_eq!(restart.every.map(|every| every.distribution), Some(Distribution::Exponential));
}

#[test]
fn every_key_of_a_fault_is_in_the_schema() {
    let schema = schema().to_string();
    for key in EVERY_FAULT.lines().filter_map(|line| line.split_once(" =")).map(|(key, _)| key) {
        assert!(schema.contains(&format!("\"{key}\"")), "{key}");
    }
    for kind in Fault::KINDS {
        assert!(schema.contains(&format!("\"const\":\"{kind}\"")), "{kind}");
    }
}

/// A fault (its first line is the 12th of the file), what must be said, and on which line.
#[rustfmt::skip]
const BAD_FAULTS: &[(&str, &[&str], usize)] = &[
    // The kind.
    ("kind = 'agent-crsh'", &["unknown kind `agent-crsh`", "did you mean `agent-crash`?", "`capacity`"], 13),
    ("kind = 5", &["`fault[0].kind` must be text in quotes, but is the whole number `5`"], 13),
    ("at = ['1 h']", &["`[[fault]]` lacks the key `kind`", "`agent-crash`"], 12),
    ("kind = 'master-failover'\nat = ['1 h']\n[fault.x]", &["unknown key `x` in `[[fault]]`"], 15),
    // Keys.
    ("kind = 'agent-crash'\nevry = '1 h'\nlasts = '1 s'", &["unknown key `evry` in `[[fault]]`", "did you mean `every`?"], 14),
    ("kind = 'agent-crash'\nevery = '1 h'\nlasts = '1 s'\nscope = 'zone'", &["unknown key `scope` in `[[fault]]`", "valid here: `machines`"], 16),
    ("kind = 'agent-crash'\nevery = '1 h'\nlasts = '1 s'\ncompress = 1", &["`compress` is a key of `[workload]`"], 16),
    ("kind = 'agent-crash'\nevery = '1 h'", &["`[[fault]]` lacks the key `lasts`"], 12),
    ("kind = 'agent-crash'\nevery = { meen = '1 h' }\nlasts = '1 s'", &["unknown key `meen`", "did you mean `mean`?"], 14),
    ("kind = 'agent-crash'\nevery = { shape = 1 }\nlasts = '1 s'", &["lacks the key `mean`"], 14),
    ("kind = 'agent-crash'\nmachines = { rack = ['r0'] }\nat = ['1 h']\nlasts = '1 s'", &["unknown key `rack`", "did you mean `racks`?"], 14),
    // Types and units.
    ("kind = 'agent-crash'\nevery = '-1 h'\nlasts = '1 s'", &["cannot be negative"], 14),
    ("kind = 'agent-crash'\nevery = '1 h'\nlasts = 5", &["has no unit", "\"5 s\""], 15),
    ("kind = 'agent-crash'\nevery = { mean = '1 hour' }\nlasts = '1 s'", &["unknown unit `hour`", "did you mean `hours`?"], 14),
    ("kind = 'agent-crash'\nat = ['1 h', '2']\nlasts = '1 s'", &["`fault[0].at[1]`", "has no unit"], 14),
    ("kind = 'agent-crash'\nevery = true\nlasts = '1 s'", &["`fault[0].every` must be a duration in quotes", "or a table"], 14),
    ("kind = 'agent-crash'\nmachines = [['z0'], [], []]\nevery = '1 s'\nlasts = '1 s'", &["`fault[0].machines` must be a table, but is a list"], 14),
    ("kind = 'outage'\nscope = 'room'\nevery = '1 s'\nlasts = '1 s'", &["unknown scope `room`", "`rack`, `zone` and `power`"], 14),
    ("kind = 'agent-crash'\nevery = { mean = '1 h', distribution = 'weibul' }\nlasts = '1 s'", &["unknown distribution `weibul`", "did you mean `weibull`?"], 14),
    // Times.
    ("kind = 'agent-crash'\nevery = '0 s'\nlasts = '1 s'", &["`fault[0].every.mean` must be longer than no time"], 14),
    ("kind = 'agent-crash'\nlasts = '1 s'", &["needs one of `at` and `every`"], 12),
    ("kind = 'agent-crash'\nat = ['1 s']\nevery = '1 h'\nlasts = '1 s'", &["has both `at` and `every`"], 15),
    ("kind = 'agent-crash'\nevery = { mean = '1 h', distribution = 'weibull' }\nlasts = '1 s'", &["needs the `shape`"], 14),
    ("kind = 'agent-crash'\nevery = { mean = '1 h', shape = 2 }\nlasts = '1 s'", &["`shape` does not go with the rest"], 14),
    ("kind = 'agent-crash'\nevery = { mean = '1 h', distribution = 'weibull', shape = 0 }\nlasts = '1 s'", &["must be from 0.05 to 100, but is 0"], 14),
    ("kind = 'loss'\nbetween = { master = true }\nprobability = 0.5\nat = ['1 s']", &["lacks the key `lasts`"], 12),
    ("kind = 'loss'\nbetween = { master = true }\nprobability = 0.5\nlasts = '1 s'", &["`lasts` does not go with the rest"], 16),
    ("kind = 'maintenance'\nat = '1 h'\nlasts = '0 s'", &["`fault[0].lasts` must be longer"], 15),
    ("kind = 'capacity'\nfactor = 0.5\nfrom = '8 h'\nto = '25 h'", &["must be earlier than the end of the day"], 16),
    ("kind = 'capacity'\nfactor = 0.5\nfrom = '8 h'\nto = '8 h'", &["is no time at all"], 16),
    // Numbers.
    ("kind = 'capacity'\nfactor = 1\nfrom = '8 h'\nto = '9 h'", &["must be from 0 to below 1, but is 1"], 14),
    ("kind = 'loss'\nbetween = { master = true }\nprobability = 1.5", &["`fault[0].probability` must be from 0 to 1, but is 1.5"], 15),
    ("kind = 'task-failure'\nprobability = nan", &["but is nan"], 14),
    ("kind = 'task-failure'\nrate_per_hour = 0", &["must be a number above 0, but is 0"], 14),
    ("kind = 'task-failure'", &["needs one of `probability` and `rate_per_hour`"], 12),
    ("kind = 'straggler'\nfactor = 0.5\nprobability = 0.1", &["must be from 1 to 1000000, but is 0.5"], 14),
    ("kind = 'straggler'\nfactor = 2", &["needs `probability`, or one of `at` and `every`"], 12),
    ("kind = 'straggler'\nfactor = 2\nprobability = 0.1\nmachines = { racks = ['r0'] }", &["tasks are slow, not machines"], 16),
    ("kind = 'outage'\nscope = 'power'\nevery = '1 h'\nlasts = '1 s'", &["needs `racks_per_unit`"], 12),
    ("kind = 'outage'\nscope = 'zone'\nracks_per_unit = 2\nevery = '1 h'\nlasts = '1 s'", &["the scope is another"], 15),
    ("kind = 'outage'\nscope = 'zone'\nat = ['1 h']\nlasts = '1 s'", &["needs `which`"], 12),
    // Names.
    ("kind = 'framework-crash'\nframeworks = ['bach']\nat = ['1 h']\nlasts = '1 s'", &["`bach`", "did you mean `batch`?"], 14),
    ("kind = 'partition'\nbetween = { frameworks = ['bach'] }\nat = ['1 h']\nlasts = '1 s'", &["`bach`", "did you mean `batch`?"], 14),
    ("kind = 'partition'\nbetween = {}\nat = ['1 h']\nlasts = '1 s'", &["`between` names no node"], 14),
];

#[test]
fn bad_faults_are_refused_at_the_line() {
    for &(fault, words, line) in BAD_FAULTS {
        let error = read(&format!("{SYNTHETIC}[[fault]]\n{fault}\n"), &[]).expect_err(fault);
        let invalid = error.invalid().expect("the text is bad, not the file");
        let said = format!("{invalid} | {}", invalid.help_text().unwrap_or_default());
        for word in words {
            assert!(said.contains(word), "{fault}\nexpected: {word}\nsaid: {said}");
        }
        assert_eq!(invalid.line(), line, "{fault}\n{said}");
    }
}

#[test]
fn a_bad_fault_behind_good_ones_is_found() {
    let text = every_fault().replace("scope = \"power\"", "scope = \"powr\"");
    let error = read(&text, &[]).expect_err("bad");
    let line = text.lines().position(|line| line == "scope = \"powr\"").expect("it is there") + 1;
    assert_eq!(error.invalid().map(Invalid::line), Some(line), "{}", show(&error));
    assert!(show(&error).contains("did you mean `power`?"));
}

#[test]
fn a_setting_can_change_a_fault_and_is_pointed_at() {
    let lasts = read(&every_fault(), &["fault.2.lasts=1 min"]).expect("good").experiment;
    let Fault::AgentRestart(restart) = &lasts.fault[2] else { panic!("{:?}", lasts.fault[2]) };
    assert_eq!(restart.lasts.mean.to_string(), "1 min");
    for (setting, said) in [
        ("fault.2.lasts=1 hour", "unknown unit `hour`"),
        ("fault.2.kind=agent-rstart", "did you mean `agent-restart`?"),
        ("fault.2.lasts=0 s", "must be longer"),
    ] {
        let error = read(&every_fault(), &[setting]).expect_err(setting);
        let invalid = error.invalid().expect("the setting is bad");
        assert_eq!(invalid.source_name(), "--set", "{setting}");
        assert!(show(&error).contains(said), "{}", show(&error));
    }
}

#[test]
fn the_documentation_shows_faults_that_can_be_read() {
    let document = include_str!("../../../../docs/faults.md");
    let (_, examples) = document.split_once("```toml").expect("it has examples");
    let (examples, _) = examples.split_once("```").expect("they end");
    let experiment =
        read(&format!("{SYNTHETIC}{examples}"), &[]).map_err(|error| show(&error)).expect("good");
    assert_eq!(experiment.experiment.fault.len(), examples.matches("[[fault]]").count());
}
