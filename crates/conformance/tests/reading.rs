//! Allocator scenarios are read whole or refused with the place, what was expected and the nearest word.

use std::{fs, path::Path};

use mesos_conformance::allocator::AllocatorScenario;
use serde_json::{Value, json};

#[test]
fn every_scenario_that_comes_along_can_be_read() {
    let mut wrong = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut folders = vec![folder.join("allocator"), folder.join("mesos_tests")];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of scenarios") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            count += 1;
            let text = fs::read_to_string(&path).expect("a readable file");
            let value: Value = serde_json::from_str(&text).expect("JSON");
            if let Err(error) = AllocatorScenario::read(&value) {
                wrong.push(format!("{}: {error}", path.display()));
            }
        }
    }
    assert!(count > 500, "only {count} scenarios");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn refused(steps: &Value, error: &str) {
    let value = json!({"steps": steps});
    let said = AllocatorScenario::read(&value).expect_err("a scenario that makes no sense").to_string();
    assert_eq!(said, error, "{value}");
}

#[test]
fn a_mistyped_word_is_told_with_the_nearest_one() {
    let agent = json!({"op": "add_agent", "agent": "a1", "resources": "cpus:1"});
    let framework = json!({"op": "add_framework", "framework": "f1", "roles": ["web"]});
    refused(
        &json!([{"op": "add_agnt"}]),
        "`steps[0].op`: unknown word `add_agnt`: did you mean `add_agent`?",
    );
    refused(
        &json!([agent, {"op": "remove_agent", "agnt": "a1"}]),
        "`steps[1]`: unknown key `agnt`: did you mean `agent`?",
    );
    refused(
        &json!([agent, {"op": "remove_agent", "agent": "a2"}]),
        "`steps[1].agent`: no agent `a2` is there at this step: did you mean `a1`?",
    );
    refused(
        &json!([framework, {"op": "revive_offers", "framework": "f1", "roles": ["wep"]}]),
        "`steps[1].roles`: `wep` is no role of the framework: did you mean `web`?",
    );
    refused(
        &json!([{"op": "add_framework", "framework": "f1", "roles": [], "capabilities": ["GPU_RESOURCE"]}]),
        "`steps[0].capabilities`: unknown capability `GPU_RESOURCE`: did you mean `GPU_RESOURCES`?",
    );
    refused(
        &json!([{"op": "pause", "secs": 1}]),
        "`steps[0]`: unknown key `secs`: `pause` takes no other key",
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_told_with_its_key() {
    refused(
        &json!([{"op": "advance", "secs": "1"}]),
        "`steps[0].secs`: expected a number, found the text \"1\"",
    );
    refused(&json!([{"op": "advance", "secs": -1}]), "`steps[0].secs`: expected seconds from 0 on, found -1");
    refused(&json!([{"op": "advance"}]), "`steps[0]`: the key `secs` is missing");
    refused(&json!([{"agent": "a1"}]), "`steps[0]`: the key `op` is missing");
    refused(&json!([3]), "`steps[0]`: expected an object, found floating point `3.0`");
    refused(&json!({}), "`steps`: expected a list, found an object");
    let used = json!({"f1": {"web": 3}});
    let agent = json!({"op": "add_agent", "agent": "a1", "resources": "", "used": used});
    let value = json!({"steps": [agent]});
    let said = AllocatorScenario::read(&value).expect_err("a number is no set").to_string();
    assert!(said.starts_with("`steps[0].used.f1.web`: expected resources"), "{said}");
}

#[test]
fn a_step_that_makes_no_sense_where_it_stands_is_refused() {
    let agent = json!({"op": "add_agent", "agent": "a1", "resources": "cpus:1"});
    refused(&json!([agent, agent]), "`steps[1].agent`: agent `a1` is there already");
    refused(
        &json!([{"op": "update_weights", "weights": {"web": 0}}]),
        "`steps[0].weights`: role `web`: expected more than 0, found 0",
    );
    refused(
        &json!([{"op": "update_quota", "role": "web/a"}]),
        "`steps[0].role`: `web/a`: expected a role of the top level: only these have a quota",
    );
    refused(
        &json!([{"op": "add_framework", "framework": "f1", "roles": ["a", "b"], "capabilities": []}]),
        "`steps[0].roles`: expected exactly one role without MULTI_ROLE, found 2",
    );
    let value = json!({"steps": [], "expect": [{"step": 0}]});
    let said = AllocatorScenario::read(&value).expect_err("no step 0").to_string();
    assert_eq!(said, "`expect[0].step`: there is no step 0, expected a number below 0");
}

/// Once gone, or never there, they are nobody's concern.
#[test]
fn resources_of_an_agent_that_is_gone_can_be_recovered() {
    let recover = json!({"op": "recover_resources", "framework": "f1", "agent": "a1", "role": "web", "resources": "cpus:1"});
    let value = json!({"steps": [recover]});
    assert!(AllocatorScenario::read(&value).is_ok());
}
