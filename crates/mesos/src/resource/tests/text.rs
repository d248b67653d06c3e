//! The text form.

use super::super::{ResourceTextError, Resources, parse_alternatives, parse_quantities};

#[test]
fn a_name_given_twice_adds_up() {
    assert_eq!(parse_quantities("cpus:1;cpus:2;").unwrap().to_string(), "cpus:3");
}

#[test]
fn the_default_minimum_is_two_alternatives() {
    let minima = parse_alternatives("cpus:0.01|mem:32").unwrap();
    assert_eq!(minima.iter().map(ToString::to_string).collect::<Vec<_>>(), ["cpus:0.01", "mem:32"]);
}

#[test]
fn quantities_may_be_of_any_name_and_stand_well_known_ones_first() {
    let text = parse_quantities("ports:3;zoo:1;cpus:0.0004;mem:0;gpus:1;cpus:2").unwrap().to_string();
    assert_eq!(text, "cpus:2;gpus:1;ports:3;zoo:1");
}

#[test]
fn what_is_no_amount_is_refused() {
    for text in
        ["cpus", "cpus:-1", "cpus:nan", "cpus:inf", "cpus:one", ":1", "cpus:1:2", " :1", "a:{1}", "a:1e300"]
    {
        assert!(parse_quantities(text).is_err(), "{text}");
    }
}

#[test]
fn errors_name_the_token() {
    let error = |text| Resources::parse(text).expect_err(text).to_string();
    assert!(error("cpus:1;mem=2").contains("`mem=2`"));
    assert!(error("cpus:1;cpus(a:2").contains("`cpus(a:2`"));
    assert!(error("ports:[1-b]").contains("instead of `b`"));
    assert!(error("cpus:one").contains("`one`"));
    assert!(error("cpus(a b):1").contains("U+0020"));
    assert!(error("a:1;a:{b}").contains("`a` has values of different kinds"));
}

#[test]
fn a_json_list_is_left_to_whoever_reads_json() {
    assert_eq!(Resources::parse(" [ {\"name\":\"cpus\"}]"), Err(ResourceTextError::JsonList));
    assert_eq!(Resources::parse("[]"), Err(ResourceTextError::JsonList));
}
