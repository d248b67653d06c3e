//! The core's resource algebra answers as Mesos' does, in every recorded case.

use std::{fs, path::Path};

use mesos_conformance::resources;
use serde_json::{Value, json};

#[test]
fn every_case_of_every_file_is_answered_as_mesos_answers_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/resources");
    let (mut cases, mut wrong) = (0, Vec::new());
    for file in fs::read_dir(&folder).expect("tests/scenarios/resources to be there") {
        let path = file.expect("a file in the folder").path();
        let text = fs::read_to_string(&path).expect("a readable scenario");
        let scenario: Value = serde_json::from_str(&text).expect("a scenario that is JSON");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        cases += resources::count(&scenario).unwrap_or_else(|error| panic!("{name}: {error}"));
        for mismatch in resources::run(&scenario).unwrap_or_else(|error| panic!("{name}: {error}")) {
            wrong.push(format!("{name}, {}\n  {}", mismatch.place, mismatch.diff.join("\n  ")));
        }
    }
    assert!(cases > 0, "no cases in {}", folder.display());
    assert!(wrong.is_empty(), "{} of {cases} cases are answered wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_wrong_answer_shows_what_was_expected_and_what_was_given() {
    let case = json!({"op": "add", "left": "cpus:1;mem:2", "right": "cpus:1", "result": "cpus:3;mem:2"});
    let mismatches = resources::run(&json!({"cases": [case]})).expect("a well-formed scenario");
    assert_eq!(mismatches.len(), 1);
    assert_eq!(mismatches[0].place, "case 0 (add)");
    assert_eq!(mismatches[0].diff, ["- cpus:3", "+ cpus:2"]);
}

#[test]
fn a_malformed_file_is_an_error_that_names_the_case_the_key_and_the_nearest_word() {
    let error =
        |case: Value| resources::run(&json!({"cases": [case]})).expect_err("a malformed case").to_string();
    assert_eq!(
        error(json!({"op": "substract", "left": "", "right": "", "result": ""})),
        "case 0 (substract): unknown op `substract`: did you mean `subtract`?"
    );
    assert!(error(json!({"op": "add", "left": "", "rigth": ""})).contains("did you mean `right`?"));
    assert!(error(json!({"op": "add", "left": "", "result": ""})).contains("`right` is missing"));
    assert!(error(json!({"op": "equal", "left": "", "right": "", "result": 3})).contains("true or false"));
    assert!(error(json!({"op": "parse", "left": ""})).contains("neither `result` nor `error`"));
    assert!(resources::run(&json!({})).expect_err("no cases").to_string().contains("`cases`"));
}
