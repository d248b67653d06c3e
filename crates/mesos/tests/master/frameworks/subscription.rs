//! SUBSCRIBE: who is refused, who is new, who comes back.

use mesos::{
    call::{Call, Subscribe},
    capability::Capabilities,
    constraint::{AttributeConstraint, Predicate, RoleConstraints, Selector},
    event::{Event, ToAgent},
    id::{FrameworkId, Id},
    master::{FrameworkState, MasterOptions},
    operator::OperatorCall,
};

use super::{Talk, again, agent, decline, disconnect, events, noted, of_roles, refused, subscription, talk};

fn refusal(change: impl Fn(&mut Subscribe)) -> String {
    let mut wanted = subscription("a");
    change(&mut wanted);
    refused(&mut talk(), wanted)
}

fn on_host(name: &str) -> RoleConstraints {
    let is =
        AttributeConstraint { selector: Selector::Hostname, predicate: Predicate::TextEquals(name.into()) };
    RoleConstraints::new(vec![vec![is]]).unwrap()
}

#[test]
fn a_framework_uses_the_field_for_roles_that_its_capabilities_name() {
    let message = refusal(|of| of.info.role = Some("a".into()));
    assert_eq!(message, "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable");
    let message = refusal(|of| of.info.capabilities = Capabilities::NONE);
    assert_eq!(message, "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable");
}

#[test]
fn roles_are_valid_and_named_once() {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let message = refusal(|of| of.info.roles = names(&["b", "a", "b", "a", "c"]));
    assert_eq!(message, "'FrameworkInfo.roles' contains duplicate items: { a, b }");
    let message = refusal(|of| of.info.roles = names(&["a", "b//c"]));
    assert!(message.starts_with("'FrameworkInfo.roles' contains invalid role: "), "{message}");
    let message = refusal(|of| {
        (of.info.capabilities, of.info.roles, of.info.role) = (Capabilities::NONE, vec![], Some("/a".into()));
    });
    assert!(message.starts_with("'FrameworkInfo.role' is not a valid role: "), "{message}");
}

#[test]
fn roles_are_on_the_whitelist_if_there_is_one() {
    let role_whitelist = Some(vec!["a".to_owned()]);
    let mut talk = Talk::new(MasterOptions { role_whitelist, ..MasterOptions::default() });
    let message = refused(&mut talk, of_roles(&["a", "c", "b", "*"]));
    assert_eq!(message, "Roles { b, c } are not present in the master's --roles");
    talk.subscribe(of_roles(&["a", "*"]));
}

#[test]
fn offer_filters_are_amounts_of_something() {
    let filter = |alternatives: Vec<Vec<(&str, f64)>>| {
        refusal(|of| {
            let alternatives = alternatives.iter();
            let alternatives = alternatives.map(|all| all.iter().map(|&(n, v)| (n.to_owned(), v)).collect());
            of.info.offer_filters = vec![("a".into(), alternatives.collect())];
        })
    };
    assert_eq!(filter(vec![vec![]]), "Resource quantities must contain at least one quantity");
    for (amount, wrong) in [
        (-1.0, "Negative"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinite"),
        (f64::MIN_POSITIVE / 2.0, "Subnormal"),
    ] {
        let message = filter(vec![vec![("mem", 1.0)], vec![("cpus", amount)]]);
        assert!(message.starts_with(&format!("Invalid resource quantity for 'cpus': {wrong}")), "{message}");
    }
}

#[test]
fn a_failover_timeout_fits_into_nanoseconds() {
    for seconds in [1e10, -1e10, f64::NAN, f64::INFINITY] {
        let message = refusal(|of| of.info.failover_timeout = seconds);
        assert!(
            message.starts_with(&format!("The framework failover_timeout ({seconds}) is invalid")),
            "{message}"
        );
    }
}

#[test]
fn root_is_refused_if_the_flag_says_so() {
    let root = || {
        let mut wanted = subscription("a");
        wanted.info.user = "root".into();
        wanted
    };
    talk().subscribe(root());
    let mut talk = Talk::new(MasterOptions { root_submissions: false, ..MasterOptions::default() });
    let message = refused(&mut talk, root());
    assert_eq!(message, "User 'root' is not allowed to run frameworks without --root_submissions set");
}

#[test]
fn suppressed_roles_and_constraints_are_of_subscribed_roles() {
    let message = refusal(|of| of.suppressed_roles = vec!["a".into(), "b".into()]);
    assert_eq!(message, "Suppressed role 'b' is not contained in the list of roles");
    let message = refusal(|of| of.offer_constraints = vec![("b".into(), on_host("host0"))]);
    assert!(message.starts_with("Offer constraints specify `role_constraints` for a role 'b'"), "{message}");
}

#[test]
fn a_removed_framework_may_not_come_back() {
    let mut talk = talk();
    let framework = talk.framework("a");
    talk.call(framework, Call::Teardown).unwrap();
    let id = Some(framework.0);
    assert_eq!(refused(&mut talk, Subscribe { id, ..subscription("a") }), "Framework has been removed");
    assert_ne!(talk.framework("a").0, framework.0);
}

#[test]
fn a_removed_framework_is_forgotten_when_enough_others_are_removed() {
    let mut talk = Talk::new(MasterOptions { max_completed_frameworks: 1, ..MasterOptions::default() });
    let (first, second) = (talk.framework("a"), talk.framework("a"));
    talk.call(first, Call::Teardown).unwrap();
    talk.call(second, Call::Teardown).unwrap();
    assert_eq!(talk.master.completed_frameworks().collect::<Vec<_>>(), [second.0]);
    again(&mut talk, first.0, subscription("a"));
}

#[test]
fn a_framework_keeps_its_principal() {
    let mut talk = talk();
    let framework = talk.framework("a");
    let mut other = subscription("a");
    (other.id, other.info.principal) = (Some(framework.0), Some("p".into()));
    assert_eq!(refused(&mut talk, other), "Changing framework's principal is not allowed.");
    assert_eq!(talk.call(framework, Call::Revive { roles: vec![] }), Ok(()), "the old stream lives on");
}

#[test]
fn frameworks_are_numbered_as_they_come() {
    let mut talk = talk();
    let ids = ["a", "b"].map(|role| talk.framework(role).0.index());
    assert_eq!(ids, [0, 1]);
    assert_eq!(noted(&talk, "FrameworkSubscribed { framework: FrameworkId(0), is_new: true"), 1);
}

#[test]
fn an_unknown_id_is_taken_as_it_is() {
    let mut talk = talk();
    let id = FrameworkId::new(7);
    assert_eq!(again(&mut talk, id, subscription("a")).0, id);
    assert_eq!(talk.framework("a").0, FrameworkId::new(8));
    agent(&mut talk, 0);
    assert_eq!(talk.offers()[0].framework, id);
}

#[test]
fn a_framework_without_roles_is_subscribed_and_gets_no_offers() {
    let mut talk = talk();
    talk.subscribe(of_roles(&[]));
    agent(&mut talk, 0);
    talk.wait_until(3.0);
    assert_eq!(talk.offers(), []);
}

#[test]
fn without_multi_role_the_role_is_the_default_one() {
    let mut talk = talk();
    let mut wanted = of_roles(&[]);
    wanted.info.capabilities = Capabilities::NONE;
    talk.subscribe(wanted);
    agent(&mut talk, 0);
    let role = talk.offers()[0].role;
    assert_eq!(talk.master.roles().name(role), "*");
}

#[test]
fn offer_constraints_and_own_minima_reach_the_allocator() {
    let mut talk = talk();
    let mut wanted = subscription("a");
    wanted.offer_constraints = vec![("a".into(), on_host("host1"))];
    let picky = talk.subscribe(wanted);
    let mut wanted = subscription("b");
    wanted.info.offer_filters = vec![
        ("b".into(), vec![vec![("cpus".into(), 5.0)], vec![("mem".into(), 1000.0)]]),
        ("not subscribed".into(), vec![]),
    ];
    talk.subscribe(wanted);
    agent(&mut talk, 0);
    agent(&mut talk, 1);
    let offers = talk.offers();
    assert_eq!(offers.iter().map(|offer| offer.framework).collect::<Vec<_>>(), [picky.0]);
    assert_eq!(talk.master.agent_info(offers[0].agent).unwrap().hostname, "host1");
}

#[test]
fn a_framework_that_comes_over_a_new_stream_ends_the_old_one() {
    let mut talk = talk();
    let old = talk.framework("a");
    agent(&mut talk, 0);
    assert_eq!(talk.offers().len(), 1);
    let new = again(&mut talk, old.0, subscription("a"));
    let failed_over = Event::Error("Framework failed over".into());
    let subscribed = Event::Subscribed { framework: old.0 };
    assert_eq!(events(&mut talk), [(old.0, old.1, failed_over), (old.0, new.1, subscribed)]);
    assert_eq!(talk.said.closed, [old.1]);
    assert_eq!(
        (talk.master.outstanding_offers(), noted(&talk, "OffersEnded(Discarded")),
        (0, 1),
        "no RESCIND"
    );
    disconnect(&mut talk, old);
    assert_eq!(
        talk.master.framework_state(old.0),
        Some(FrameworkState::Connected),
        "the old stream is nobody's"
    );
    talk.wait_until(1.0);
    assert_eq!(talk.offers().len(), 1, "it was active all the time: nothing asks for an allocation");
}

#[test]
fn a_framework_that_comes_back_says_all_anew_but_its_user_and_checkpoint() {
    let mut talk = talk();
    let framework = talk.subscribe(of_roles(&["a", "b"]));
    agent(&mut talk, 0);
    let offer = talk.offers().remove(0);
    let mut wanted = of_roles(&["b"]);
    (wanted.info.name, wanted.info.user, wanted.info.checkpoint) = ("new".into(), "other".into(), true);
    again(&mut talk, framework.0, wanted);
    let info = talk.master.framework_info(framework.0).unwrap();
    assert_eq!((info.name.as_str(), info.user.as_str(), info.checkpoint), ("new", "user", false));
    let rescinded = Event::Rescind(offer.id);
    assert_eq!(events(&mut talk)[0], (framework.0, framework.1, rescinded), "for the role that it left");
    let told = talk.told(0).pop();
    let Some(ToAgent::UpdateFramework { framework: of, info }) = told else { panic!("{told:?}") };
    assert_eq!((of, info.name.as_str()), (framework.0, "new"));
}

#[test]
fn a_framework_that_was_away_is_active_again_and_gets_offers_at_once() {
    let mut talk = talk();
    let mut wanted = subscription("a");
    wanted.info.failover_timeout = 60.0;
    let framework = talk.subscribe(wanted.clone());
    agent(&mut talk, 0);
    let offers = talk.offers();
    talk.call(framework, decline(&offers, 1000.0)).unwrap();
    disconnect(&mut talk, framework);
    talk.wait_until(10.0);
    assert_eq!(talk.offers(), []);
    again(&mut talk, framework.0, wanted);
    assert_eq!(talk.offers().len(), 1, "its filters are gone, too");
    assert_eq!(noted(&talk, "FrameworkSubscribed { framework: FrameworkId(0), is_new: false"), 1);
}

#[test]
fn an_operator_tears_down_a_framework_that_is_away() {
    let mut talk = talk();
    let mut wanted = subscription("a");
    wanted.info.failover_timeout = 60.0;
    let framework = talk.subscribe(wanted);
    disconnect(&mut talk, framework);
    assert!(matches!(talk.operator(OperatorCall::Teardown(framework.0)), Some(Ok(_))));
    assert_eq!(talk.master.framework_state(framework.0), None);
}
