//! Frameworks: how they subscribe, come back, change, go, and what they may say.

mod departure;
mod rate_limit;
mod recovered;
mod subscription;
mod suppression;

use mesos::{
    call::{Call, Refusal, Subscribe},
    event::{Event, ToAgent},
    id::{ConnectionId, FrameworkId, Id},
    master::FrameworkState,
    offer::{Filters, Offer},
    time::Time,
};

use super::talk::{Talk, subscription};

type Caller = (FrameworkId, ConnectionId);

fn talk() -> Talk {
    Talk::new(mesos::master::MasterOptions::default())
}

/// What a framework of these roles subscribes with.
fn of_roles(roles: &[&str]) -> Subscribe {
    let mut wanted = subscription(roles.first().copied().unwrap_or("none"));
    wanted.info.roles = roles.iter().map(|&role| role.to_owned()).collect();
    wanted
}

/// An agent whose pings are answered elsewhere.
fn agent(talk: &mut Talk, n: usize) -> mesos::id::AgentId {
    let agent = talk.agent(n, "cpus:4;mem:64");
    talk.master.trust(talk.now, agent);
    agent
}

/// The refusal of a subscription, which ends its stream.
fn refused(talk: &mut Talk, wanted: Subscribe) -> String {
    let connection = talk.try_subscribe(wanted);
    let Some((_, of, Event::Error(message))) = talk.said.events.pop() else {
        panic!("{:?}", talk.said.events)
    };
    assert_eq!((of, talk.said.closed.pop()), (connection, Some(connection)));
    message
}

/// Subscribes again with an id.
fn again(talk: &mut Talk, framework: FrameworkId, mut wanted: Subscribe) -> Caller {
    wanted.id = Some(framework);
    talk.subscribe(wanted)
}

fn disconnect(talk: &mut Talk, (_, connection): Caller) {
    talk.master.framework_disconnected(talk.now, connection, &mut talk.said);
}

fn decline(offers: &[Offer], refuse_seconds: f64) -> Call {
    let offers = offers.iter().map(|offer| offer.id).collect();
    Call::Decline { offers, filters: Some(Filters { refuse_seconds }) }
}

fn noted(talk: &Talk, start: &str) -> usize {
    talk.said.notes.iter().filter(|note| note.starts_with(start)).count()
}

fn events(talk: &mut Talk) -> Vec<(FrameworkId, ConnectionId, Event)> {
    std::mem::take(&mut talk.said.events)
}

#[test]
fn only_the_present_stream_of_a_subscribed_framework_may_call() {
    let mut talk = talk();
    let mut wanted = subscription("a");
    wanted.info.failover_timeout = 60.0;
    let framework = talk.subscribe(wanted.clone());
    let stranger = (FrameworkId::new(9), framework.1);
    let refusal = |status, message: &str| Err(Refusal { status, message: message.into() });
    let call = Call::Revive { roles: vec![] };
    assert_eq!(talk.call(framework, call.clone()), Ok(()));
    assert_eq!(talk.call(stranger, call.clone()), refusal(400, "Framework cannot be found"));
    let stale = framework.1;
    let framework = again(&mut talk, framework.0, wanted);
    let message = talk.call((framework.0, stale), call.clone()).unwrap_err();
    assert!(message.status == 400 && message.message.contains("didn't match the stream ID"), "{message}");
    disconnect(&mut talk, framework);
    assert_eq!(talk.call(framework, call), refusal(403, "Framework is not subscribed"));
}

#[test]
fn update_framework_refuses_what_subscribe_refuses_and_what_cannot_change() {
    let mut talk = talk();
    let framework = talk.framework("a");
    let mut same = subscription("a");
    same.id = Some(framework.0);
    let mut refusal = |change: &dyn Fn(&mut Subscribe)| {
        let mut wanted = same.clone();
        change(&mut wanted);
        let refusal = talk.call(framework, Call::UpdateFramework(Box::new(wanted))).unwrap_err();
        assert_eq!(refusal.status, 400, "{refusal}");
        refusal.message
    };
    assert!(refusal(&|of| of.id = None).contains("'framework_id' differs"));
    assert!(refusal(&|of| of.info.roles = vec!["b".into(), "b".into()]).contains("duplicate items: { b }"));
    assert!(refusal(&|of| of.info.principal = Some("p".into())).contains("Changing framework's principal"));
    assert!(refusal(&|of| of.info.user = "other".into()).contains("from 'user' to 'other'"));
    assert!(refusal(&|of| of.info.checkpoint = true).contains("'FrameworkInfo.checkpoint' is unsupported"));
    assert_eq!(noted(&talk, "FrameworkUpdated"), 0);
}

#[test]
fn update_framework_rescinds_offers_of_roles_that_are_left_and_asks_for_no_allocation() {
    let mut talk = talk();
    let framework = talk.subscribe(of_roles(&["a", "b"]));
    agent(&mut talk, 0);
    let offer = talk.offers().remove(0);
    let mut wanted = of_roles(&["b", "c"]);
    wanted.id = Some(framework.0);
    talk.call(framework, Call::UpdateFramework(Box::new(wanted))).unwrap();
    assert_eq!(events(&mut talk), [(framework.0, framework.1, Event::Rescind(offer.id))]);
    assert!(matches!(&talk.told(0)[..], [.., ToAgent::UpdateFramework { .. }]));
    assert_eq!(noted(&talk, "FrameworkUpdated"), 1);
    talk.wait_until(1.0);
    assert_eq!(talk.offers().len(), 1, "by the next periodic allocation");
}

#[test]
fn an_update_that_changes_nothing_is_not_told() {
    let mut talk = talk();
    let framework = talk.framework("a");
    agent(&mut talk, 0);
    let mut same = subscription("a");
    same.id = Some(framework.0);
    talk.call(framework, Call::UpdateFramework(Box::new(same))).unwrap();
    assert!(!talk.told(0).iter().any(|message| matches!(message, ToAgent::UpdateFramework { .. })));
    assert_eq!(noted(&talk, "FrameworkUpdated"), 0);
}

#[test]
fn a_call_that_means_nothing_to_the_master_is_taken() {
    let mut talk = talk();
    let framework = talk.framework("a");
    assert_eq!(talk.call(framework, Call::Request), Ok(()));
    assert_eq!(talk.master.framework_state(framework.0), Some(FrameworkState::Connected));
    assert_eq!(talk.now, Time::ZERO);
}
