//! SUPPRESS and REVIVE.

use mesos::{call::Call, event::Event, offer::Offer};

use super::{Caller, Talk, again, agent, decline, disconnect, noted, of_roles, subscription, talk};

fn suppress(talk: &mut Talk, framework: Caller, roles: &[&str]) {
    let roles = roles.iter().map(|&role| role.to_owned()).collect();
    assert_eq!(talk.call(framework, Call::Suppress { roles }), Ok(()));
}

fn revive(talk: &mut Talk, framework: Caller, roles: &[&str]) -> Vec<Offer> {
    talk.offers();
    let roles = roles.iter().map(|&role| role.to_owned()).collect();
    assert_eq!(talk.call(framework, Call::Revive { roles }), Ok(()));
    talk.offers()
}

#[test]
fn a_suppressed_framework_gets_offers_again_when_it_revives() {
    let mut talk = talk();
    let framework = talk.framework("a");
    suppress(&mut talk, framework, &[]);
    agent(&mut talk, 0);
    talk.wait_until(3.0);
    assert_eq!(talk.offers(), []);
    assert_eq!(revive(&mut talk, framework, &[]).len(), 1);
    assert_eq!(noted(&talk, "Suppressed"), 2);
}

#[test]
fn suppression_is_by_role() {
    let mut talk = talk();
    let framework = talk.subscribe(of_roles(&["a", "b"]));
    suppress(&mut talk, framework, &["a", "a"]);
    agent(&mut talk, 0);
    let offers = talk.offers();
    let name = |talk: &Talk, offer: &Offer| talk.master.roles().name(offer.role).to_owned();
    assert_eq!(name(&talk, &offers[0]), "b");
    suppress(&mut talk, framework, &["b"]);
    talk.call(framework, decline(&offers, 0.0)).unwrap();
    let offers = revive(&mut talk, framework, &["a"]);
    assert_eq!(name(&talk, &offers[0]), "a");
}

#[test]
fn a_role_that_is_invalid_or_not_subscribed_to_voids_the_whole_call() {
    for wrong in ["b", "a//b"] {
        let mut talk = talk();
        let framework = talk.framework("a");
        suppress(&mut talk, framework, &["a", wrong]);
        agent(&mut talk, 0);
        let offers = talk.offers();
        assert_eq!(offers.len(), 1, "{wrong} voids SUPPRESS");
        talk.call(framework, decline(&offers, 1000.0)).unwrap();
        assert_eq!(revive(&mut talk, framework, &["a", wrong]), [], "{wrong} voids REVIVE");
        assert_eq!(revive(&mut talk, framework, &["a"]).len(), 1);
        assert_eq!(noted(&talk, "Suppressed"), 0);
    }
}

#[test]
fn a_framework_may_subscribe_suppressed() {
    let mut talk = talk();
    let mut wanted = subscription("a");
    wanted.suppressed_roles = vec!["a".into()];
    let framework = talk.subscribe(wanted);
    agent(&mut talk, 0);
    assert_eq!(talk.offers(), []);
    assert_eq!(noted(&talk, "Suppressed"), 1);
    assert_eq!(revive(&mut talk, framework, &[]).len(), 1);
}

#[test]
fn a_subscription_says_anew_which_roles_are_suppressed() {
    let mut talk = talk();
    let mut wanted = subscription("a");
    wanted.info.failover_timeout = 60.0;
    let framework = talk.subscribe(wanted.clone());
    suppress(&mut talk, framework, &[]);
    agent(&mut talk, 0);
    disconnect(&mut talk, framework);
    again(&mut talk, framework.0, wanted);
    assert!(matches!(talk.said.events.last(), Some((_, _, Event::Offers(_)))));
}

#[test]
fn a_suppressed_framework_keeps_its_offers() {
    let mut talk = talk();
    let framework = talk.framework("a");
    agent(&mut talk, 0);
    suppress(&mut talk, framework, &[]);
    assert_eq!(talk.master.outstanding_offers(), 1);
}
