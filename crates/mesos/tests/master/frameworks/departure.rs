//! Disconnection, failover timeout, teardown.

use mesos::{
    call::{Call, Subscribe},
    event::{Event, ToAgent},
    id::{Id, TaskId},
    master::FrameworkState,
    task::TaskState,
    time::Time,
};

use super::{Caller, Talk, again, agent, disconnect, events, noted, subscription, talk};

fn patient(seconds: f64) -> Subscribe {
    let mut wanted = subscription("a");
    wanted.info.failover_timeout = seconds;
    wanted
}

fn state(talk: &Talk, framework: Caller) -> Option<FrameworkState> {
    talk.master.framework_state(framework.0)
}

#[test]
fn offers_of_a_framework_that_goes_away_are_rescinded_without_a_word() {
    let mut talk = talk();
    let framework = talk.subscribe(patient(60.0));
    agent(&mut talk, 0);
    events(&mut talk);
    disconnect(&mut talk, framework);
    assert_eq!((talk.master.outstanding_offers(), noted(&talk, "OffersEnded(Rescinded")), (0, 1));
    assert_eq!((events(&mut talk), noted(&talk, "FrameworkDisconnected")), (vec![], 1));
    let other = talk.framework("b");
    assert_eq!(talk.offers()[0].framework, other.0);
}

#[test]
fn a_framework_that_stays_away_is_removed() {
    let mut talk = talk();
    let framework = talk.subscribe(patient(60.0));
    disconnect(&mut talk, framework);
    talk.wait_until(59.9);
    assert_eq!(state(&talk, framework), Some(FrameworkState::Disconnected));
    talk.wait_until(60.0);
    assert_eq!((state(&talk, framework), noted(&talk, "FrameworkRemoved")), (None, 1));
    assert_eq!(talk.master.completed_frameworks().collect::<Vec<_>>(), [framework.0]);
}

#[test]
fn without_a_failover_timeout_a_framework_is_removed_with_the_next_event() {
    for seconds in [0.0, -5.0] {
        let mut talk = talk();
        let framework = talk.subscribe(patient(seconds));
        disconnect(&mut talk, framework);
        assert_eq!(state(&talk, framework), Some(FrameworkState::Disconnected));
        assert_eq!(talk.master.next_timeout(talk.now), Some(Time::ZERO));
        talk.wait_until(0.0);
        assert_eq!(state(&talk, framework), None);
    }
}

#[test]
fn a_framework_that_came_back_in_time_stays_even_if_it_is_away_again() {
    let mut talk = talk();
    let first = talk.subscribe(patient(60.0));
    disconnect(&mut talk, first);
    talk.wait_until(50.0);
    let second = again(&mut talk, first.0, patient(60.0));
    disconnect(&mut talk, second);
    talk.wait_until(109.0);
    assert_eq!(state(&talk, first), Some(FrameworkState::Disconnected));
    talk.wait_until(110.0);
    assert_eq!(state(&talk, first), None);
}

#[test]
fn teardown_ends_the_stream_and_discards_offers() {
    let mut talk = talk();
    let framework = talk.framework("a");
    agent(&mut talk, 0);
    events(&mut talk);
    assert_eq!(talk.call(framework, Call::Teardown), Ok(()));
    assert_eq!((events(&mut talk), &talk.said.closed[..]), (vec![], &[framework.1][..]));
    assert_eq!((talk.master.outstanding_offers(), noted(&talk, "OffersEnded(Discarded")), (0, 1));
    assert_eq!(talk.call(framework, Call::Request).unwrap_err().message, "Framework cannot be found");
}

#[test]
fn every_agent_hears_that_a_framework_is_gone() {
    let mut talk = talk();
    let framework = talk.framework("a");
    agent(&mut talk, 0);
    agent(&mut talk, 1);
    talk.call(framework, Call::Teardown).unwrap();
    for n in 0..2 {
        assert_eq!(talk.told(n).pop(), Some(ToAgent::ShutdownFramework(framework.0)));
    }
}

#[test]
fn tasks_of_a_removed_framework_are_killed_and_their_resources_are_free() {
    let mut talk = talk();
    let framework = talk.framework("a");
    let on = agent(&mut talk, 0);
    let offer = talk.offers().remove(0);
    talk.launch(framework, &offer, 0, "cpus:4;mem:64");
    assert_eq!(talk.master.tasks(framework.0), [(TaskId::new(0), on, TaskState::Staging)]);
    talk.call(framework, Call::Teardown).unwrap();
    assert!(
        events(&mut talk).iter().all(|(_, _, event)| !matches!(event, Event::Update(_))),
        "nobody hears it"
    );
    let killed =
        talk.said.notes.iter().any(|note| note.starts_with("TaskState") && note.ends_with("state: Killed }"));
    assert!(killed, "{:?}", talk.said.notes);
    assert_eq!((noted(&talk, "Recovered"), noted(&talk, "TaskForgotten")), (1, 1));
    talk.framework("b");
    assert_eq!(talk.offers().len(), 1);
}
