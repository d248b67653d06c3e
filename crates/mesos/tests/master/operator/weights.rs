use mesos::{
    allocator::Ascending,
    id::FrameworkId,
    master::{Master, MasterOptions},
    operator::OperatorCall,
};

use super::{OK, assert_refused, rescinded};
use crate::talk::Talk;

fn update(weights: &[(&str, f64)]) -> OperatorCall {
    OperatorCall::UpdateWeights(weights.iter().map(|(role, weight)| ((*role).to_owned(), *weight)).collect())
}

/// How many of nine new agents each of two roles is offered.
fn shares(talk: &mut Talk, heavy: FrameworkId) -> (usize, usize) {
    talk.said.events.clear();
    for n in 10..19 {
        talk.agent(n, "cpus:1;mem:64");
    }
    let offers = talk.offers();
    let of_heavy = offers.iter().filter(|offer| offer.framework == heavy).count();
    (of_heavy, offers.len() - of_heavy)
}

#[test]
fn a_weight_of_two_doubles_the_share() {
    let mut talk = Talk::new(MasterOptions::default());
    let (heavy, _) = talk.framework("heavy");
    talk.framework("light");
    assert_eq!(talk.operator(update(&[(" heavy ", 2.0)])), OK);
    assert_eq!(shares(&mut talk, heavy), (6, 3));
    assert_eq!(talk.said.registry.weights["heavy"], 2.0);
}

#[test]
fn the_flag_for_weights_holds_from_the_start_and_is_stored() {
    let weights = vec![("heavy".to_owned(), 2.0)];
    let mut talk = Talk::new(MasterOptions { weights, ..Default::default() });
    let (heavy, _) = talk.framework("heavy");
    talk.framework("light");
    assert_eq!(shares(&mut talk, heavy), (6, 3));
    assert_eq!(talk.said.registry.weights["heavy"], 2.0);
}

#[test]
fn a_weight_that_is_none_is_refused() {
    let role_whitelist = Some(vec!["a".into()]);
    let mut talk = Talk::new(MasterOptions { role_whitelist, ..Default::default() });
    assert_refused(&mut talk, update(&[("a", 1.0), ("b", 1.0)]), 400, "Unknown role 'b'");
    assert_refused(&mut talk, update(&[("a//b", 1.0)]), 400, "Invalid role");
    for weight in [0.0, -1.0, f64::NAN] {
        assert_refused(&mut talk, update(&[("a", weight)]), 400, "Weights must be positive");
    }
    assert!(talk.master.weights().is_empty());
}

#[test]
fn a_weight_of_one_is_stored_like_any_other() {
    let mut talk = Talk::new(MasterOptions::default());
    assert_eq!(talk.operator(update(&[("a", 1.0)])), OK);
    assert_eq!(talk.said.registry.weights.len(), 1);
}

#[test]
fn all_offers_are_rescinded_if_a_role_with_frameworks_has_a_new_weight() {
    let mut talk = Talk::new(MasterOptions::default());
    talk.framework("a");
    talk.framework("b");
    talk.agent(0, "cpus:4;mem:64");
    talk.agent(1, "cpus:4;mem:64");
    assert_eq!(talk.offers().len(), 2);
    talk.operator(update(&[("nobody", 2.0)]));
    assert_eq!(rescinded(&mut talk), []);
    talk.operator(update(&[("nobody", 3.0), ("b", 2.0)]));
    assert_eq!(rescinded(&mut talk).len(), 2);
}

#[test]
fn weights_of_the_registry_replace_the_flag() {
    let mut talk = Talk::new(MasterOptions::default());
    talk.operator(update(&[("heavy", 2.0)]));
    let options = MasterOptions { weights: vec![("light".into(), 9.0)], ..MasterOptions::default() };
    let identities = talk.master.identities();
    talk.master =
        Master::recover(options, Box::new(Ascending), &talk.said.registry, &identities, talk.now).unwrap();
    let (heavy, _) = talk.framework("heavy");
    talk.framework("light");
    assert_eq!(shares(&mut talk, heavy), (6, 3));
    assert_eq!(talk.said.registry.weights.len(), 1);
}
