use mesos::{
    event::{FromAgent, ToAgent},
    id::{AgentId, Id, StatusId},
    task::{
        Reason,
        TaskState::{Dropped, Finished, Running},
    },
    time::{Span, Time},
};

use crate::talk::{Talk, executor, framework, key, kill, resources};

const TIMEOUT: Span = Span::from_secs(75);

fn registered() -> ToAgent {
    ToAgent::Registered { id: AgentId::new(0), ping_timeout: TIMEOUT }
}

#[test]
fn an_agent_asks_after_growing_random_waits_until_it_is_registered() {
    let mut talk = Talk::unregistered();
    talk.detect(true);
    talk.wait_until(400);
    let waits: Vec<_> = talk.said.backoffs.iter().map(|wait| wait.0 / 1_000_000_000).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]);
    assert!(talk.messages().iter().all(|message| matches!(message, FromAgent::Register(_))));
    talk.tell(registered());
    assert!(talk.agent.is_registered());
    assert_eq!(talk.agent.id(), Some(AgentId::new(0)));
    talk.agent.trust_pings(talk.now, true);
    assert_eq!(talk.agent.next_timeout(), None);
}

#[test]
fn an_agent_without_a_master_says_nothing() {
    let mut talk = Talk::unregistered();
    assert_eq!(talk.agent.next_timeout(), None);
    talk.detect(true);
    talk.detect(false);
    assert_eq!(talk.agent.next_timeout(), None);
    talk.tell(registered());
    assert!(!talk.agent.is_registered());
}

#[test]
fn a_ping_is_answered() {
    let mut talk = Talk::new();
    talk.tell(ToAgent::Ping { connected: true });
    assert_eq!(talk.messages(), [FromAgent::Pong(AgentId::new(0))]);
    assert!(talk.agent.is_registered());
}

#[test]
fn an_agent_that_the_master_has_lost_registers_again() {
    let mut talk = Talk::new();
    talk.tell(ToAgent::Ping { connected: false });
    assert!(!talk.agent.is_registered());
    talk.wait_until(1);
    assert_eq!(talk.reregistration().id, AgentId::new(0));
}

#[test]
fn an_agent_that_hears_no_ping_for_75_seconds_registers_again() {
    let mut talk = Talk::new();
    talk.agent.trust_pings(talk.now, false);
    assert_eq!(talk.agent.next_timeout(), Some(Time::from_secs(75)));
    talk.wait_until(60);
    talk.tell(ToAgent::Ping { connected: true });
    talk.wait_until(134);
    assert!(talk.agent.is_registered());
    talk.wait_until(135);
    assert!(!talk.agent.is_registered());
    talk.wait_until(136);
    talk.reregistration();
}

#[test]
fn trusted_pings_are_not_watched() {
    let mut talk = Talk::new();
    assert_eq!(talk.agent.next_timeout(), None);
    talk.tell(ToAgent::Ping { connected: true });
    assert_eq!(talk.agent.next_timeout(), None);
}

#[test]
fn a_reregistration_names_all_that_the_agent_has() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[1], true);
    talk.run(0);
    talk.task_is(0, Running);
    talk.task_is(0, Finished);
    talk.detect(true);
    talk.wait_until(1);
    let report = talk.reregistration();
    assert_eq!(report.total, resources("cpus:4;mem:4096"));
    assert_eq!(report.frameworks.iter().map(|&(id, _)| id).collect::<Vec<_>>(), [framework()]);
    assert_eq!(report.executors.iter().map(|one| one.executor.clone()).collect::<Vec<_>>(), [executor()]);
    let tasks: Vec<_> =
        report.tasks.iter().map(|task| (task.task.id.index(), task.state, task.unacknowledged)).collect();
    let unacknowledged = Some((StatusId(0), Running));
    assert_eq!(tasks, [(1, mesos::task::TaskState::Staging, None), (0, Finished, unacknowledged)]);
}

#[test]
fn an_answer_to_a_task_that_is_not_there_is_not_reported_as_a_task() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.tell(kill(1));
    talk.detect(true);
    talk.wait_until(1);
    assert_eq!(talk.reregistration().tasks.len(), 1);
}

#[test]
fn tasks_that_the_master_knows_and_the_agent_does_not_are_dropped_without_acknowledgement() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.reregister(vec![key(0), key(1)]);
    let updates = talk.updates();
    assert_eq!(updates.len(), 1);
    let (of, state, reason) = (updates[0].key, updates[0].state, updates[0].reason);
    assert_eq!((of, state, reason), (key(1), Dropped, Some(Reason::Reconciliation)));
    assert_eq!((updates[0].uuid, talk.agent.next_timeout()), (None, None));
}

#[test]
fn a_total_that_changed_before_registration_is_told_after_it() {
    let mut talk = Talk::unregistered();
    let total = resources("cpus:8;mem:4096");
    talk.agent.set_total(talk.now, total.clone(), &mut talk.said);
    talk.detect(true);
    talk.tell(registered());
    assert_eq!(talk.messages(), [FromAgent::Total { agent: AgentId::new(0), total: total.clone() }]);
    talk.detect(true);
    talk.wait_until(1);
    assert_eq!(talk.reregistration().total, total);
    talk.reregistered(vec![]);
    assert_eq!(talk.messages(), []);
}

#[test]
fn a_master_that_does_not_want_the_agent_ends_it_for_good() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.tell(ToAgent::Shutdown { message: String::new() });
    assert!(talk.agent.is_shut_down());
    assert_eq!((talk.orders().len(), talk.agent.tasks(), talk.messages()), (1, vec![], vec![]));
    talk.detect(true);
    talk.run(1);
    assert_eq!((talk.agent.next_timeout(), talk.orders()), (None, vec![]));
}

#[test]
fn an_agent_that_ends_in_good_order_says_so() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.agent.shut_down(talk.now, &mut talk.said);
    assert_eq!(talk.messages(), [FromAgent::Unregister(AgentId::new(0))]);
    assert_eq!(talk.orders().len(), 1);
    assert!(talk.agent.is_shut_down());
}

#[test]
fn an_agent_that_is_given_a_second_id_gives_up() {
    let mut talk = Talk::new();
    talk.tell(registered());
    assert!(talk.agent.is_registered());
    talk.tell(ToAgent::Registered { id: AgentId::new(1), ping_timeout: TIMEOUT });
    assert!(talk.agent.is_shut_down());
}
