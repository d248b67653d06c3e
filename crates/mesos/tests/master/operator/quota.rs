use mesos::{
    id::Id,
    master::MasterOptions,
    operator::OperatorCall,
    quota::QuotaConfig,
    resource::{ResourceName, Resources, Scalar},
};

use super::{OK, assert_refused, fail_over, noted, rescinded};
use crate::talk::Talk;

fn config(role: &str, guarantees: &[(&str, f64)], limits: &[(&str, f64)]) -> QuotaConfig {
    let owned =
        |amounts: &[(&str, f64)]| amounts.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    QuotaConfig { role: role.into(), guarantees: owned(guarantees), limits: owned(limits) }
}

fn update(configs: &[QuotaConfig]) -> OperatorCall {
    OperatorCall::UpdateQuota { force: false, configs: configs.to_vec() }
}

fn force(configs: &[QuotaConfig]) -> OperatorCall {
    OperatorCall::UpdateQuota { force: true, configs: configs.to_vec() }
}

fn set(role: &str, guarantee: &str) -> OperatorCall {
    OperatorCall::SetQuota {
        force: false,
        role: role.into(),
        guarantee: Resources::parse(guarantee).unwrap(),
    }
}

fn master() -> Talk {
    Talk::new(MasterOptions::default())
}

#[test]
fn a_limit_holds_from_the_next_allocation_on() {
    let mut talk = master();
    assert_eq!(talk.operator(update(&[config("a", &[], &[("cpus", 2.0)])])), OK);
    assert!(noted(&talk, "Quota"));
    talk.framework("a");
    talk.agent(0, "cpus:4;mem:64");
    assert_eq!(talk.offers()[0].resources.get(ResourceName::Cpus), Scalar::whole(2));
}

#[test]
fn a_configuration_that_is_none_is_refused() {
    let mut talk = Talk::new(MasterOptions {
        role_whitelist: Some(vec!["a".into(), "a/b".into(), "-x".into()]),
        ..Default::default()
    });
    talk.agent(0, "cpus:4;mem:64");
    for (config, words) in [
        (config("b", &[], &[]), "Unknown role 'b'"),
        (config("a/b", &[], &[]), "nested role 'a/b'"),
        (config("-x", &[], &[]), "Invalid 'QuotaConfig.role'"),
        (config("a", &[], &[("mem", 2e12)]), "greater than 1 exabyte"),
        (config("a", &[], &[("cpus", 2e12)]), "greater than 1 trillion"),
        (config("a", &[("cpus", -1.0)], &[]), "Negative"),
        (config("a", &[("cpus", f64::NAN)], &[]), "NaN"),
        (config("a", &[("cpus", 1e-310)], &[]), "Subnormal"),
        (config("a", &[("cpus", 2.0)], &[("cpus", 1.0)]), "not contained within"),
        (config("a", &[("cpus", 4.5)], &[]), "exceed cluster capacity"),
    ] {
        assert_refused(&mut talk, update(&[config]), 400, words);
    }
    assert!(talk.said.registry.quotas.is_empty());
}

#[test]
fn everybody_together_may_have_a_quota() {
    let mut talk = master();
    assert_eq!(talk.operator(update(&[config("*", &[], &[("cpus", 2.0)])])), OK);
}

#[test]
fn all_configurations_of_a_call_apply_or_none() {
    let mut talk = master();
    let (good, bad) = (config("a", &[], &[("cpus", 2.0)]), config("b/c", &[], &[]));
    assert_refused(&mut talk, update(&[good.clone(), bad]), 400, "nested");
    assert!(talk.master.quotas().is_empty());
    assert_eq!(talk.operator(update(&[good, config("b", &[], &[("mem", 1.0)])])), OK);
    assert_eq!(talk.master.quotas().len(), 2);
    assert_eq!(talk.said.registry.quotas, *talk.master.quotas());
}

#[test]
fn quota_that_promises_and_limits_nothing_ends_it() {
    let mut talk = master();
    talk.operator(update(&[config("a", &[], &[("cpus", 2.0)])]));
    assert_eq!(talk.operator(update(&[config("a", &[("cpus", 0.0)], &[])])), OK);
    assert!(talk.master.quotas().is_empty() && talk.said.registry.quotas.is_empty());
}

#[test]
fn limits_must_contain_what_the_role_and_those_below_it_use_unless_forced() {
    let mut talk = master();
    let nested = talk.framework("a/b");
    talk.agent(0, "cpus:4;mem:64");
    let offer = talk.offers().remove(0);
    talk.launch(nested, &offer, 0, "cpus:2;mem:16");
    talk.agent(1, "cpus(a):1;mem:64");
    let limit = |cpus| [config("a", &[], &[("cpus", cpus)])];
    assert_refused(&mut talk, update(&limit(2.5)), 400, "already consuming 'cpus:3;mem:16'");
    assert_eq!(talk.operator(update(&limit(3.0))), OK);
    assert_eq!(talk.operator(force(&limit(1.0))), OK);
}

#[test]
fn guarantees_must_fit_all_registered_agents_unless_forced() {
    let mut talk = master();
    talk.agent(0, "cpus:4");
    talk.agent(1, "cpus:4");
    talk.master.agent_disconnected(talk.now, mesos::id::Address::new(1), &mut talk.said);
    let promise = |role, cpus| config(role, &[("cpus", cpus)], &[]);
    assert_eq!(talk.operator(update(&[promise("a", 5.0)])), OK);
    assert_refused(&mut talk, update(&[promise("b", 4.0)]), 400, "'cpus:9' exceed cluster capacity 'cpus:8'");
    assert_eq!(talk.operator(update(&[promise("b", 4.0), promise("a", 4.0)])), OK);
    assert_eq!(talk.operator(force(&[promise("a", 40.0)])), OK);
}

#[test]
fn what_the_role_is_offered_beyond_a_new_limit_is_rescinded() {
    let mut talk = master();
    let (framework, _) = talk.framework("a");
    for n in 0..3 {
        talk.agent(n, "cpus:4;mem:64");
    }
    let offers = talk.offers();
    assert_eq!(talk.operator(update(&[config("a", &[], &[("cpus", 5.0)])])), OK);
    assert_eq!(rescinded(&mut talk), [(framework, offers[0].id), (framework, offers[1].id)]);
}

#[test]
fn what_others_are_offered_is_rescinded_until_a_guarantee_can_be_met() {
    let mut talk = master();
    let (other, _) = talk.framework("other");
    for n in 0..3 {
        talk.agent(n, "cpus:4;mem:64");
    }
    let offers = talk.offers();
    assert_eq!(talk.operator(update(&[config("a", &[("cpus", 5.0)], &[])])), OK);
    assert_eq!(rescinded(&mut talk), [(other, offers[0].id), (other, offers[1].id)]);
    talk.framework("a");
    talk.wait_until(1.0);
    let met: Scalar = talk.offers().iter().fold(Scalar::ZERO, |sum, offer| match offer.framework == other {
        true => sum,
        false => sum + offer.resources.get(ResourceName::Cpus),
    });
    assert!(met >= Scalar::whole(5), "{met}");
}

#[test]
fn an_operator_hears_of_quota_when_the_registry_has_it() {
    let mut talk = master();
    talk.said.is_store_slow = true;
    assert_eq!(talk.operator(update(&[config("a", &[], &[("cpus", 2.0)])])), None);
    assert!(talk.master.quotas().is_empty());
    talk.store();
    assert_eq!(talk.said.answers[0].1, OK.unwrap());
    assert_eq!(talk.master.quotas().len(), 1);
}

#[test]
fn set_quota_is_a_guarantee_that_is_a_limit_too() {
    let mut talk = master();
    talk.agent(0, "cpus:4;mem:64");
    assert_eq!(talk.operator(set("a", "cpus:2;mem:32")), OK);
    let amounts = &[("cpus", 2.0), ("mem", 32.0)];
    assert_eq!(talk.master.quotas()["a"], config("a", amounts, amounts));
}

#[test]
fn set_quota_is_refused_for_reasons_of_its_own() {
    let mut talk = master();
    talk.agent(0, "cpus:4;mem:64");
    assert_eq!(talk.operator(set("a", "cpus:2")), OK);
    assert_refused(&mut talk, set("a", "cpus:1"), 400, "already been set");
    assert_refused(&mut talk, set("b", "cpus:3"), 409, "Heuristic capacity check");
    assert_refused(&mut talk, set("b/c", "cpus:1"), 400, "nested role");
    assert_refused(&mut talk, set("b", "ports:[1-2]"), 400, "non-scalar");
    assert_refused(&mut talk, set("b", "cpus(b):1"), 400, "ReservationInfo");
    assert_refused(&mut talk, set("b", ""), 400, "empty");
}

#[test]
fn set_quota_rescinds_whole_agents_one_at_least_for_each_framework_of_the_role() {
    let mut talk = master();
    let (other, _) = talk.framework("other");
    for n in 0..4 {
        talk.agent(n, "cpus:4;mem:64");
    }
    let offers = talk.offers();
    for _ in 0..3 {
        talk.framework("a");
    }
    talk.said.events.clear();
    assert_eq!(talk.operator(set("a", "cpus:5")), OK);
    let expected: Vec<_> = offers[..3].iter().map(|offer| (other, offer.id)).collect();
    assert_eq!(rescinded(&mut talk), expected);
}

#[test]
fn remove_quota_needs_some() {
    let mut talk = master();
    talk.agent(0, "cpus:4;mem:64");
    let remove = || OperatorCall::RemoveQuota { role: "a".into() };
    assert_refused(&mut talk, remove(), 400, "No quota");
    talk.operator(set("a", "cpus:2"));
    assert_eq!(talk.operator(remove()), OK);
    assert!(talk.master.quotas().is_empty() && talk.said.registry.quotas.is_empty());
}

#[test]
fn quota_outlives_the_master() {
    let mut talk = master();
    talk.operator(update(&[config("a", &[], &[("cpus", 2.0)])]));
    fail_over(&mut talk);
    assert_eq!(talk.master.quotas().len(), 1);
    talk.framework("a");
    talk.agent(0, "cpus:4;mem:64");
    assert_eq!(talk.offers()[0].resources.get(ResourceName::Cpus), Scalar::whole(2));
}
