use mesos::{
    capability::Capabilities,
    effects::Container,
    event::{FromAgent, ToAgent},
    id::{ExecutorId, Id},
    task::{
        Reason, Source, TaskDetail,
        TaskState::{Dropped, Failed, Finished, Gone, Killed, Killing, Running},
    },
    time::{Span, Time},
};

use crate::talk::{SECOND, Talk, detailed, framework, is_kill, json, key, kill, resources, run};

fn detail() -> TaskDetail {
    TaskDetail { command: true, ..TaskDetail::default() }
}

#[test]
fn a_kill_takes_three_seconds_unless_the_task_or_the_call_says_otherwise() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.tell(run(vec![detailed(1, TaskDetail { kill_grace: Some(7 * SECOND), ..detail() })]));
    talk.task_is(1, Running);
    talk.orders();
    talk.tell(kill(0));
    talk.tell(kill(1));
    talk.tell(ToAgent::Kill { key: key(1), grace: Some(SECOND) });
    let orders = talk.orders();
    let wanted = [(0, 3), (1, 7), (1, 1)];
    assert_eq!(orders.len(), wanted.len());
    for (order, (n, secs)) in orders.iter().zip(wanted) {
        assert!(is_kill(order, n, Span::from_secs(secs)), "{order:?}");
    }
}

#[test]
fn a_framework_that_knows_task_killing_hears_of_it_once() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.framework_changes(|info| info.capabilities = Capabilities::TASK_KILLING_STATE);
    talk.tell(kill(0));
    talk.tell(kill(0));
    let updates = talk.updates();
    assert_eq!(updates.len(), 1);
    assert_eq!((updates[0].state, updates[0].source, updates[0].reason), (Killing, Source::Executor, None));
    talk.task_is(0, Running);
    talk.task_is(0, Killed);
    assert_eq!(talk.agent.tasks(), [(key(0), Killed)]);
}

#[test]
fn a_command_task_whose_container_is_not_up_is_killed_at_once() {
    let mut talk = Talk::new();
    talk.run(0);
    talk.orders();
    talk.tell(kill(0));
    assert_eq!(talk.told(), [(0, Killed, Some(Reason::TaskKilledDuringLaunch))]);
    assert_eq!(talk.orders(), [Container::Destroy { key: key(0) }]);
}

#[test]
fn a_kill_of_a_task_that_is_over_does_nothing() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.task_is(0, Finished);
    talk.messages();
    talk.tell(kill(0));
    assert_eq!((talk.orders(), talk.messages()), (vec![], vec![]));
}

#[test]
fn a_kill_of_a_task_that_is_not_there_is_answered_until_that_is_acknowledged() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.tell(kill(1));
    assert_eq!(talk.told(), [(1, Dropped, Some(Reason::ExecutorTerminated))]);
    talk.wait_until(10);
    assert_eq!(talk.said.to_master.len(), 1);
    talk.acknowledge_all();
    assert_eq!(talk.agent.next_timeout(), None);
    assert_eq!(talk.agent.tasks(), [(key(0), Running)]);
}

#[test]
fn a_kill_for_a_framework_that_has_nothing_here_is_ignored() {
    let mut talk = Talk::new();
    talk.tell(kill(1));
    assert_eq!(talk.messages(), []);
}

#[test]
fn a_task_that_runs_for_too_long_is_killed_without_grace_and_has_failed() {
    let mut talk = Talk::new();
    talk.tell(run(vec![detailed(0, TaskDetail { max_completion_time: Some(20 * SECOND), ..detail() })]));
    talk.framework_changes(|info| info.capabilities = Capabilities::TASK_KILLING_STATE);
    talk.wait_until(100);
    talk.task_is(0, Running);
    talk.acknowledge_all();
    talk.orders();
    assert_eq!(talk.agent.next_timeout(), Some(Time::from_secs(120)));
    talk.wait_until(120);
    let orders = talk.orders();
    assert!(is_kill(&orders[0], 0, Span::ZERO), "{orders:?}");
    talk.task_is(0, Killed);
    let updates = talk.updates();
    let (state, reason) = (updates[0].state, updates[0].reason);
    assert_eq!((state, reason), (Failed, Some(Reason::MaxCompletionTimeReached)));
    assert_eq!((updates.len(), updates[0].source), (1, Source::Executor));
}

#[test]
fn a_task_that_is_being_killed_cannot_run_for_too_long() {
    let mut talk = Talk::new();
    talk.tell(run(vec![detailed(0, TaskDetail { max_completion_time: Some(20 * SECOND), ..detail() })]));
    talk.task_is(0, Running);
    talk.acknowledge_all();
    talk.tell(kill(0));
    talk.wait_until(21);
    talk.task_is(0, Killed);
    assert_eq!(talk.told(), [(0, Killed, None)]);
}

#[test]
fn a_preempted_command_task_is_gone_with_its_container() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.agent.preempt(talk.now, &[key(0), key(5)], &mut talk.said);
    assert_eq!(talk.told(), [(0, Gone, Some(Reason::ContainerPreempted))]);
    assert_eq!(talk.orders(), [Container::Destroy { key: key(0) }]);
    assert_eq!(talk.agent.free(), *talk.agent.total());
}

#[test]
fn a_preempted_task_takes_all_of_its_executor_with_it() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[0, 1], true);
    talk.executor_is_up();
    talk.orders();
    talk.agent.preempt(talk.now, &[key(1)], &mut talk.said);
    let reason = Some(Reason::ContainerPreempted);
    assert_eq!(talk.told(), [(0, Gone, reason), (1, Gone, reason)]);
    let executor = ExecutorId::new(0);
    assert_eq!(talk.orders(), [Container::Shutdown { framework: framework(), executor, grace: Span::ZERO }]);
}

#[test]
fn a_changed_estimate_of_revocable_resources_is_told_once() {
    let mut talk = Talk::new();
    let revocable = r#"[{"name":"cpus","type":"SCALAR","scalar":{"value":2},"revocable":{}}]"#;
    let revocable = json(revocable);
    for _ in 0..2 {
        talk.agent.set_revocable(talk.now, revocable.clone(), &mut talk.said);
    }
    let told = FromAgent::Oversubscribed { agent: mesos::id::Id::new(0), revocable: revocable.clone() };
    assert_eq!(talk.messages(), std::slice::from_ref(&told));
    talk.reregister(vec![]);
    assert_eq!(talk.messages(), [told]);
    talk.agent.set_total(talk.now, resources("cpus:8;mem:1"), &mut talk.said);
    let total = FromAgent::Total { agent: mesos::id::Id::new(0), total: resources("cpus:8;mem:1") };
    assert_eq!(talk.messages(), [total]);
    assert_eq!(talk.agent.total().revocable(), revocable);
}
