//! Rate limits: calls of one principal go on one by one.

use mesos::{
    call::{Call, Subscribe},
    event::Event,
    master::{FrameworkState, MasterOptions, RateLimit},
};

use super::{Caller, Talk, again, disconnect, events, noted, subscription};

fn limit(principal: Option<&str>, qps: Option<f64>, capacity: Option<u64>) -> RateLimit {
    RateLimit { principal: principal.map(str::to_owned), qps, capacity }
}

fn talk(rate_limits: Vec<RateLimit>) -> Talk {
    Talk::new(MasterOptions { rate_limits, ..MasterOptions::default() })
}

fn of_principal(principal: Option<&str>) -> Subscribe {
    let mut wanted = subscription("a");
    (wanted.info.principal, wanted.info.failover_timeout) = (principal.map(str::to_owned), 1000.0);
    wanted
}

/// A call whose effect can be seen.
fn suppress(talk: &mut Talk, framework: Caller, suppressed: bool) {
    let roles = vec!["a".into()];
    let call = if suppressed { Call::Suppress { roles } } else { Call::Revive { roles } };
    assert_eq!(talk.call(framework, call), Ok(()));
}

#[test]
fn calls_of_a_principal_go_on_in_order_one_each_interval() {
    let mut talk = talk(vec![limit(Some("p"), Some(0.5), None)]);
    let framework = talk.subscribe(of_principal(Some("p")));
    let other = talk.subscribe(of_principal(Some("p")));
    suppress(&mut talk, framework, true);
    suppress(&mut talk, framework, false);
    suppress(&mut talk, other, true);
    assert_eq!(
        (noted(&talk, "Suppressed"), noted(&talk, "Throttled")),
        (1, 2),
        "the first one does not wait"
    );
    talk.wait_until(1.9);
    assert_eq!(noted(&talk, "Suppressed"), 1);
    talk.wait_until(2.0);
    assert_eq!(noted(&talk, "Suppressed"), 2);
    talk.wait_until(4.0);
    assert_eq!(noted(&talk, "Suppressed"), 3);
    talk.wait_until(5.0);
    suppress(&mut talk, other, false);
    assert_eq!(noted(&talk, "Suppressed"), 3, "an interval after the last one");
    talk.wait_until(20.0);
    suppress(&mut talk, other, true);
    assert_eq!(noted(&talk, "Suppressed"), 5, "nothing is saved up, and nothing is owed");
}

#[test]
fn principals_without_a_limit_of_their_own_share_the_default_one() {
    let mut talk = talk(vec![
        limit(Some("free"), None, None),
        limit(Some("own"), Some(1.0), None),
        limit(None, Some(1.0), None),
    ]);
    for (principal, throttled) in
        [(Some("x"), 0), (None, 1), (Some("own"), 1), (Some("free"), 1), (Some("free"), 1), (Some("x"), 2)]
    {
        let framework = talk.subscribe(of_principal(principal));
        suppress(&mut talk, framework, true);
        assert_eq!(noted(&talk, "Throttled"), throttled, "{principal:?}");
    }
}

#[test]
fn a_framework_whose_calls_exceed_the_capacity_is_cut_off() {
    let mut talk = talk(vec![limit(Some("p"), Some(1.0), Some(1))]);
    let framework = talk.subscribe(of_principal(Some("p")));
    suppress(&mut talk, framework, true);
    suppress(&mut talk, framework, false);
    events(&mut talk);
    suppress(&mut talk, framework, true);
    let message = "Message mesos.scheduler.Call dropped: capacity(1) exceeded";
    assert_eq!(events(&mut talk), [(framework.0, framework.1, Event::Error(message.into()))]);
    assert_eq!(talk.said.closed, [framework.1]);
    assert_eq!(talk.master.framework_state(framework.0), Some(FrameworkState::Disconnected));
}

#[test]
fn a_call_that_waits_is_dropped_when_its_stream_ends() {
    let mut talk = talk(vec![limit(Some("p"), Some(1.0), None)]);
    let framework = talk.subscribe(of_principal(Some("p")));
    suppress(&mut talk, framework, true);
    suppress(&mut talk, framework, false);
    let notes = noted(&talk, "Suppressed");
    disconnect(&mut talk, framework);
    let mut wanted = of_principal(Some("p"));
    wanted.suppressed_roles = vec!["a".into()];
    again(&mut talk, framework.0, wanted);
    talk.wait_until(2.0);
    assert_eq!(noted(&talk, "Suppressed"), notes);
}

#[test]
fn refused_calls_count_for_nothing() {
    let mut talk = talk(vec![limit(Some("p"), Some(1.0), None)]);
    let framework = talk.subscribe(of_principal(Some("p")));
    let stale = (framework.0, talk.connect());
    assert!(talk.call(stale, Call::Revive { roles: vec![] }).is_err());
    suppress(&mut talk, framework, true);
    assert_eq!((noted(&talk, "Suppressed"), noted(&talk, "Throttled")), (1, 0));
}
