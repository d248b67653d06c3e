//! The sorter does what the scenarios say, and what is no scenario is refused with its place.

use std::{fs, path::Path};

use mesos_conformance::sorter::run;
use serde_json::{Value, json};

#[test]
fn the_sorter_does_what_the_scenarios_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/sorter");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no scenario in {}", folder.display());
    let mut report = String::new();
    for file in files {
        let scenario: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        match run(&scenario) {
            Ok(mismatches) => {
                for mismatch in mismatches {
                    let lines = mismatch.diff.join("\n  ");
                    report += &format!("{}: {}\n  {lines}\n", file.display(), mismatch.place);
                }
            }
            Err(error) => report += &format!("{}: {error}\n", file.display()),
        }
    }
    assert!(report.is_empty(), "{report}");
}

fn error_of(steps: &Value, expect: &Value) -> String {
    run(&json!({"options": {"sorter": "drf"}, "steps": steps, "expect": expect})).unwrap_err().0
}

#[test]
fn what_is_no_scenario_is_refused_with_its_place() {
    let add = |client: &str| json!({"op": "add", "client": client});
    let cases = [
        (json!([{"op": "sortt"}]), json!([]), "`steps[0].op`: unknown word `sortt`: did you mean `sort`?"),
        (json!([{"op": "add", "clinet": "a"}]), json!([]), "did you mean `client`?"),
        (json!([{"op": "add"}]), json!([]), "`steps[0]`: the key `client` is missing"),
        (json!([add("web"), {"op": "activate", "client": "wbe"}]), json!([]), "step 1 (activate): `client`"),
        (json!([add("a"), add("a")]), json!([]), "step 1 (add): `client`: `a` is there already"),
        (json!([add("a//b")]), json!([]), "step 0 (add): `client`"),
        (
            json!([{"op": "update_weight", "path": "a", "weight": 0}]),
            json!([]),
            "`weight`: expected a number",
        ),
        (json!([add("a")]), json!([{"step": 1}]), "there is no step 1"),
        (json!([add("a")]), json!([{"step": 0, "order": ["a"]}]), "expected at a step `sort` only"),
        (json!([add("a")]), json!([{"step": 0, "conut": 1}]), "did you mean `count`?"),
        (json!([add("a")]), json!([{"step": 0, "quantities": {"b": ""}}]), "there is no client `b`"),
    ];
    for (steps, expect, message) in cases {
        let error = error_of(&steps, &expect);
        assert!(error.contains(message), "{error}\nwithout {message}");
    }
}

#[test]
fn what_nobody_holds_cannot_be_given_back() {
    let steps = json!([
        {"op": "add_agent", "agent": "a1", "resources": "cpus:4"},
        {"op": "add", "client": "a"},
        {"op": "allocated", "client": "a", "agent": "a1", "resources": "cpus:1"},
        {"op": "unallocated", "client": "a", "agent": "a1", "resources": "cpus:2"},
    ]);
    let error = error_of(&steps, &json!([]));
    assert!(error.contains("step 3 (unallocated): `resources`: `a` holds"), "{error}");
}

#[test]
fn a_wrong_answer_is_told_with_both_sides() {
    let scenario = json!({
        "options": {"sorter": "drf"},
        "steps": [{"op": "add", "client": "a"}, {"op": "activate", "client": "a"}, {"op": "sort"}],
        "expect": [{"step": 2, "order": ["b"], "count": 1, "absent": ["a"]}],
    });
    let mismatches = run(&scenario).unwrap();
    assert_eq!(mismatches.len(), 1);
    assert_eq!(mismatches[0].place, "step 2 (sort)");
    let diff = ["- order: b", "+ order: a", "- a is a client: false", "+ a is a client: true"];
    assert_eq!(mismatches[0].diff, diff);
}
