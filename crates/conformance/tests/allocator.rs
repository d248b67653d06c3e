//! Allocator scenarios: what is right passes, what is wrong is told line by line, and a scenario can be shown.

use mesos::allocator::{Allocator, AllocatorOptions, Ascending, HierarchicalAllocator};
use mesos_conformance::{Kind, Mismatch, run, show};
use serde_json::{Value, json};

fn allocator(options: AllocatorOptions) -> Box<dyn Allocator> {
    Box::new(HierarchicalAllocator::new(options, Box::new(Ascending)))
}

fn mismatches(scenario: &Value) -> Vec<Mismatch> {
    let outcome = run(&scenario.to_string(), &mut allocator).expect("a scenario that makes sense");
    assert_eq!(outcome.kind, Kind::Allocator);
    outcome.mismatches
}

/// Two agents go to one framework; one comes back and is refused for two seconds.
fn steps() -> Value {
    json!([
        {"op": "add_agent", "agent": "a1", "resources": "cpus:4;mem:1024"},
        {"op": "add_agent", "agent": "a2", "resources": "cpus:2;mem:512;ports:[1-9]"},
        {"op": "add_framework", "framework": "f1", "roles": ["web"]},
        {"op": "recover_resources", "framework": "f1", "agent": "a1", "role": "web", "resources": "cpus:4;mem:1024",
         "refuse_secs": 2},
        {"op": "advance", "secs": 3}
    ])
}

fn offer(agent: &str, resources: &str) -> Value {
    json!({"framework": "f1", "role": "web", "agent": agent, "resources": resources})
}

/// What comes of these steps.
fn expect() -> Value {
    let [a1, a2] = [offer("a1", "mem:1024;cpus:4"), offer("a2", "cpus:2;mem:512;ports:[1-9]")];
    json!([{"step": 2, "offers": [a2, a1]}, {"step": 4, "offers": [a1]}])
}

#[test]
fn the_right_answers_pass_in_any_order() {
    assert_eq!(mismatches(&json!({"steps": steps(), "expect": expect()})), []);
}

#[test]
fn a_wrong_answer_is_told_among_the_right_ones() {
    let mut expect = expect();
    expect[0]["offers"][1]["resources"] = json!("cpus:3;mem:1024");
    expect[1] = json!({"step": 3, "offers": [offer("a1", "cpus:4;mem:1024")]});
    let found = mismatches(&json!({"steps": steps(), "expect": expect}));
    let places: Vec<&str> = found.iter().map(|mismatch| mismatch.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "step 2 add_framework framework=f1",
            "step 3 recover_resources framework=f1 agent=a1",
            "step 4 advance secs=3"
        ]
    );
    assert_eq!(
        found[0].diff,
        [
            "- f1 web a1 cpus:3;mem:1024",
            "+ f1 web a1 cpus:4;mem:1024",
            "  f1 web a2 cpus:2;mem:512;ports:[1-9]"
        ]
    );
    assert_eq!(found[1].diff, ["- f1 web a1 cpus:4;mem:1024"]);
    assert_eq!(found[2].diff, ["+ f1 web a1 cpus:4;mem:1024"]);
}

#[test]
fn offers_that_nobody_expects_are_told() {
    let found = mismatches(&json!({"steps": steps(), "expect": []}));
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(mismatches(&json!({"steps": steps()})), [], "without `expect` nothing is compared");
}

/// A shared volume is free however often it is offered, so each periodic allocation offers it again.
#[test]
fn two_offers_of_one_agent_in_one_advance_are_two() {
    let volume = json!([{"name": "disk", "type": "SCALAR", "scalar": {"value": 64}, "shared": {},
        "reservations": [{"type": "DYNAMIC", "role": "web", "principal": "p"}],
        "disk": {"persistence": {"id": "v1", "principal": "p"}, "volume": {"container_path": "data", "mode": "RW"}}}]);
    let steps = json!([
        {"op": "add_agent", "agent": "a1", "resources": volume},
        {"op": "add_framework", "framework": "f1", "roles": ["web"], "capabilities": ["MULTI_ROLE", "SHARED_RESOURCES"]},
        {"op": "advance", "secs": 2}
    ]);
    let offer = json!({"framework": "f1", "role": "web", "agent": "a1", "resources": volume});
    let scenario = |offers: &[&Value]| {
        let expect = json!([{"step": 1, "offers": [offer]}, {"step": 2, "offers": offers}]);
        json!({"options": {"min_allocatable_resources": []}, "steps": steps, "expect": expect})
    };
    assert_eq!(mismatches(&scenario(&[&offer, &offer])), []);
    let found = mismatches(&scenario(&[&offer]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].diff[0].starts_with("  f1 web a1 disk"), "{found:?}");
    assert!(found[0].diff[1].starts_with("+ f1 web a1 disk"), "{found:?}");
}

#[test]
fn each_kind_of_assertion_can_hold_and_fail() {
    let a2 = offer("a2", "cpus:2;mem:512;ports:[1-9]");
    let a1 = offer("a1", "cpus:4;mem:1024");
    let all = "cpus:6;mem:1536;ports:[1-9]";
    let cluster = |out: &str| json!({"total": "cpus:6;mem:1536", "offered_or_allocated": out});
    for (row, holds) in [
        (json!({"step": 2, "offers": [a1, a2]}), true),
        (json!({"step": 2, "offers": [a1]}), false),
        (json!({"step": 2, "any_of": [[a2], [a1, a2]]}), true),
        (json!({"step": 2, "any_of": [[a2], [a1]]}), false),
        (json!({"step": 2, "total": {"f1": all}}), true),
        (json!({"step": 2, "total": {}}), false),
        (json!({"steps": [2, 4], "count": 3}), true),
        (json!({"steps": [2, 4], "count": {"f1": 3}}), true),
        (json!({"steps": [2, 4], "count": {"f1": 3, "f2": 1}}), false),
        (json!({"step": 2, "failed": false}), true),
        (json!({"step": 2, "failed": true}), false),
        (json!({"step": 2, "shares": {"web": 1, "other": null}}), true),
        (json!({"step": 2, "shares": {"web": 0.5}}), false),
        (json!({"step": 3, "filters": {"web": 1, "other": 0}}), true),
        (json!({"step": 4, "filters": {"web": 1}}), false),
        (json!({"step": 3, "cluster": cluster("cpus:2;mem:512")}), true),
        (json!({"step": 3, "cluster": cluster("")}), false),
    ] {
        let found = mismatches(&json!({"steps": steps(), "expect": expect(), "asserted": [row]}));
        assert_eq!(found.is_empty(), holds, "{row}: {found:?}");
    }
}

#[test]
fn giving_back_what_is_not_held_ends_the_run_there() {
    let mut steps = steps();
    steps[3]["resources"] = json!("cpus:5;mem:1024");
    let found = mismatches(&json!({"steps": steps, "expect": expect()}));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].place, "step 3 recover_resources framework=f1 agent=a1");
    assert_eq!(found[0].diff[0], "+ f1 holds cpus:4;mem:1024 of a1 under web, not cpus:5;mem:1024");
}

#[test]
fn an_operation_that_free_resources_cannot_take_fails_and_changes_nothing() {
    let reserve = json!({"type": "RESERVE", "reserve": {"resources": [{"name": "cpus", "type": "SCALAR",
        "scalar": {"value": 1}, "reservations": [{"type": "DYNAMIC", "role": "web", "principal": "p"}]}]}});
    let mut steps = steps();
    steps[4] = json!({"op": "update_available", "agent": "a2", "operations": [reserve]});
    let asserted = json!([{"step": 4, "failed": true}]);
    assert_eq!(mismatches(&json!({"steps": steps, "asserted": asserted})), []);
}

#[test]
fn a_scenario_is_shown_in_plain_words_with_what_it_brings() {
    let shown = show(&json!({"name": "small", "steps": steps()}).to_string(), &mut allocator).expect("shown");
    for words in [
        "step 0   at 0 s: agent a1 joins with cpus:4;mem:1024",
        "step 2   at 0 s: framework f1 subscribes to web",
        "    offer f1 under web: cpus:4;mem:1024 of a1",
        "    dominant shares: web 1",
        "step 3   at 0 s: framework f1 declines cpus:4;mem:1024 of a1 under web, for 2 s",
        "step 4   at 0 s: 3 s pass",
        "    offer at 2 s f1 under web: cpus:4;mem:1024 of a1",
        "At the end, after 3 s:",
        "    f1 holds under web: cpus:2;mem:512;ports:[1-9] of a2",
        "The file says nothing of what it expects.",
    ] {
        assert!(shown.contains(words), "no `{words}` in\n{shown}");
    }
    let shown = show(&json!({"steps": steps(), "expect": []}).to_string(), &mut allocator).expect("shown");
    assert!(shown.contains("differs from the file"), "{shown}");
    assert!(shown.contains("      + f1 web a1 cpus:4;mem:1024"), "{shown}");
}

#[test]
fn sorters_and_the_resource_algebra_are_run_and_shown_too() {
    let sorter = json!({"options": {"sorter": "drf"}, "steps": [
        {"op": "add", "client": "a"}, {"op": "activate", "client": "a"}, {"op": "sort"}
    ], "expect": [{"step": 2, "order": ["b"]}]});
    let outcome = run(&sorter.to_string(), &mut allocator).expect("a sorter's scenario");
    assert_eq!((outcome.kind, outcome.passed()), (Kind::Sorter, false));
    let shown = show(&sorter.to_string(), &mut allocator).expect("shown");
    for words in ["step 2   sort\n    order: a\n", "      - order: b\n", "One step differs from the file."] {
        assert!(shown.contains(words), "no `{words}` in\n{shown}");
    }
    let cases = json!({"cases": [
        {"op": "add", "left": "cpus:1", "right": "cpus:2"}, {"op": "parse", "left": "cpus:x", "error": ""}
    ]});
    let shown = show(&cases.to_string(), &mut allocator).expect("shown");
    for words in ["case 0   add `cpus:1` | `cpus:2`\n    cpus:3\n", "    refused: ", "No case differs"] {
        assert!(shown.contains(words), "no `{words}` in\n{shown}");
    }
}
