use mesos::{
    event::{FromAgent, ToAgent},
    id::StatusId,
    task::{
        Source,
        TaskState::{Failed, Finished, Running, Starting},
    },
    time::Time,
};

use crate::talk::{Talk, key};

fn acknowledge(n: usize, uuid: u64) -> ToAgent {
    ToAgent::Acknowledge { key: key(n), uuid: StatusId(uuid) }
}

#[test]
fn an_update_is_sent_again_with_growing_pauses_until_it_is_acknowledged() {
    let mut talk = Talk::new();
    talk.run(0);
    talk.task_is(0, Running);
    let mut at = Vec::new();
    for _ in 0..8 {
        talk.now = talk.agent.next_timeout().unwrap();
        at.push(talk.now.0 / 1_000_000_000);
        talk.agent.handle_timeout(talk.now, &mut talk.said);
    }
    assert_eq!(at, [10, 30, 70, 150, 310, 630, 1230, 1830]);
    let uuids: Vec<_> = talk.updates().into_iter().map(|update| update.uuid).collect();
    assert_eq!(uuids, [Some(StatusId(0)); 9]);
    talk.tell(acknowledge(0, 0));
    assert_eq!(talk.agent.next_timeout(), None);
}

#[test]
fn updates_of_a_task_are_delivered_one_by_one_in_order() {
    let mut talk = Talk::new();
    talk.run(0);
    [Starting, Running, Finished].into_iter().for_each(|state| talk.task_is(0, state));
    let first = talk.updates();
    assert_eq!(first.len(), 1);
    assert_eq!((first[0].state, first[0].latest, first[0].source), (Starting, Starting, Source::Executor));
    talk.tell(acknowledge(0, 0));
    talk.tell(acknowledge(0, 0));
    let FromAgent::Update(_, second) = &talk.said.to_master[0] else { panic!("{:?}", talk.said.to_master) };
    assert_eq!((second.state, second.latest), (Running, Finished));
    talk.tell(acknowledge(0, 1));
    assert_eq!(talk.told(), [(0, Running, None), (0, Finished, None)]);
    assert_eq!(talk.agent.tasks(), [(key(0), Finished)]);
    talk.tell(acknowledge(0, 2));
    assert_eq!((talk.agent.tasks(), talk.agent.next_timeout()), (vec![], None));
}

#[test]
fn a_new_head_waits_ten_seconds_again() {
    let mut talk = Talk::new();
    talk.run(0);
    talk.task_is(0, Running);
    talk.task_is(0, Finished);
    talk.wait_until(100);
    talk.tell(acknowledge(0, 0));
    assert_eq!(talk.agent.next_timeout(), Some(Time::from_secs(110)));
}

#[test]
fn a_task_gives_its_resources_back_when_it_is_over_not_when_that_is_acknowledged() {
    let mut talk = Talk::new();
    talk.run(0);
    assert_ne!(talk.agent.free(), *talk.agent.total());
    talk.task_is(0, Failed);
    assert_eq!(talk.agent.free(), *talk.agent.total());
}

#[test]
fn nothing_is_sent_again_while_the_agent_is_disconnected_and_all_heads_at_once_when_it_is_back() {
    let mut talk = Talk::new();
    talk.run(0);
    talk.run(1);
    talk.task_is(0, Running);
    talk.detect(false);
    talk.task_is(1, Running);
    talk.messages();
    talk.wait_until(1000);
    assert_eq!((talk.messages(), talk.agent.next_timeout()), (vec![], None));
    talk.reregister(vec![]);
    assert_eq!(talk.told(), [(0, Running, None), (1, Running, None)]);
    assert_eq!(talk.agent.next_timeout(), Some(Time::from_secs(1010)));
}

#[test]
fn an_acknowledgement_while_disconnected_counts_but_sends_nothing() {
    let mut talk = Talk::new();
    talk.run(0);
    talk.task_is(0, Running);
    talk.task_is(0, Finished);
    talk.detect(true);
    talk.messages();
    talk.tell(acknowledge(0, 0));
    assert_eq!(talk.messages(), []);
    talk.reregistered(vec![]);
    assert_eq!(talk.told(), [(0, Finished, None)]);
}

#[test]
fn the_result_of_a_health_check_repeats_the_state() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.task_is(0, Running);
    assert_eq!(talk.told(), [(0, Running, None)]);
}

#[test]
fn what_ends_a_container_is_told_by_the_agent() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.task_is_for(0, Failed, Some(mesos::task::Reason::ContainerLimitationMemory));
    assert_eq!(talk.updates()[0].source, Source::Agent);
}

#[test]
fn news_of_a_task_that_is_over_change_nothing() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.task_is(0, Finished);
    talk.task_is(0, Failed);
    assert_eq!(talk.told(), [(0, Finished, None)]);
    talk.tell(acknowledge(0, 1));
    talk.task_is(0, Failed);
    assert_eq!(talk.messages(), []);
}

#[test]
#[should_panic(expected = "cannot go from Running to Starting")]
fn a_task_that_runs_does_not_start() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.task_is(0, Starting);
}
