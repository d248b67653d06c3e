use mesos::{
    agent::ContainerNews,
    effects::Container,
    id::{ExecutorId, Id},
    task::{
        Reason, TaskDetail,
        TaskState::{Dropped, Failed, Finished, Gone, Killed, Running},
    },
    time::{Span, Time},
};

use crate::talk::{SECOND, Talk, detailed, framework, framework_info, key, run, run_of, task};

const LATE: Option<Reason> = Some(Reason::ExecutorReregistrationTimeout);

/// The agent is back, and the master has it.
fn recovered(talk: &mut Talk) {
    let at = talk.now.0 / 1_000_000_000 + 5;
    talk.detect(true);
    talk.wait_until(at);
    talk.reregistered(vec![]);
}

#[test]
fn tasks_of_frameworks_that_do_not_checkpoint_die_with_the_agents_process() {
    let mut talk = Talk::new();
    let mut info = framework_info();
    info.checkpoint = false;
    talk.tell(run_of(info, vec![task(0, "cpus:1")]));
    assert_eq!(talk.restart(false), [key(0)]);
    assert_eq!(talk.agent.tasks(), []);
    assert_eq!(talk.agent.free(), *talk.agent.total());
}

#[test]
fn a_command_task_that_is_back_in_time_lives_on() {
    let mut talk = Talk::new();
    talk.run_up(0);
    assert_eq!(talk.restart(false), []);
    talk.news(ContainerNews::Reconnected { key: key(0) });
    recovered(&mut talk);
    assert_eq!((talk.agent.tasks(), talk.orders()), (vec![(key(0), Running)], vec![]));
    talk.task_is(0, Finished);
    assert_eq!(talk.told(), [(0, Finished, None)]);
}

#[test]
fn what_happened_while_the_agent_was_away_is_told_when_it_is_back() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.restart(false);
    talk.task_is(0, Failed);
    recovered(&mut talk);
    assert_eq!(talk.told(), [(0, Failed, None)]);
}

#[test]
fn a_command_task_that_is_not_back_in_time_is_gone() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.restart(false);
    assert_eq!(talk.agent.next_timeout(), Some(Time::from_secs(2)));
    recovered(&mut talk);
    assert_eq!(talk.told(), [(0, Gone, LATE)]);
    assert_eq!(talk.orders(), [Container::Destroy { key: key(0) }]);
}

#[test]
fn an_executor_that_is_back_in_time_keeps_its_tasks() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[0], true);
    talk.executor_is_up();
    talk.task_is(0, Running);
    talk.acknowledge_all();
    talk.orders();
    talk.restart(false);
    talk.executor_is_up();
    recovered(&mut talk);
    assert_eq!((talk.agent.tasks(), talk.orders()), (vec![(key(0), Running)], vec![]));
}

#[test]
fn an_executor_that_is_not_back_in_time_is_ended_and_its_tasks_are_gone() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[0], true);
    talk.executor_is_up();
    talk.orders();
    talk.restart(false);
    recovered(&mut talk);
    assert_eq!(talk.told(), [(0, Gone, LATE)]);
    let (framework, executor, grace) = (framework(), ExecutorId::new(0), Span::ZERO);
    assert_eq!(talk.orders(), [Container::Shutdown { framework, executor, grace }]);
    talk.executor_exits(None);
    assert_eq!(talk.agent.free(), *talk.agent.total());
}

#[test]
fn tasks_that_no_executor_had_are_dropped_by_a_restart() {
    let mut talk = Talk::new();
    talk.run(0);
    talk.run_in_executor(&[1], true);
    talk.orders();
    talk.restart(false);
    assert_eq!(talk.orders(), [Container::Destroy { key: key(0) }]);
    talk.executor_is_up();
    recovered(&mut talk);
    let reason = Some(Reason::AgentRestarted);
    assert_eq!(talk.told(), [(0, Dropped, reason), (1, Dropped, reason)]);
    assert!(matches!(talk.orders()[..], [Container::Shutdown { .. }]));
}

#[test]
fn nothing_is_waited_for_after_a_restart_of_the_machine() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.run_in_executor(&[1], true);
    talk.executor_is_up();
    talk.task_is(1, Running);
    talk.acknowledge_all();
    talk.orders();
    talk.restart(true);
    assert_eq!(talk.agent.next_timeout(), None);
    assert_eq!(talk.agent.free(), *talk.agent.total());
    recovered(&mut talk);
    assert_eq!(talk.told(), [(0, Gone, LATE), (1, Gone, LATE)]);
    assert_eq!(talk.orders(), []);
}

#[test]
fn a_recovering_agent_does_not_register_before_its_executors_are_back() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.restart(false);
    talk.detect(true);
    talk.wait_until(2);
    assert_eq!(talk.messages(), []);
    talk.wait_until(3);
    talk.reregistration();
}

#[test]
fn updates_that_were_not_acknowledged_outlive_the_process_in_order() {
    let mut talk = Talk::new();
    talk.run(0);
    talk.task_is(0, Running);
    talk.task_is(0, Finished);
    talk.messages();
    talk.restart(false);
    recovered(&mut talk);
    assert_eq!(talk.told(), [(0, Running, None)]);
    talk.wait_until(100);
    talk.acknowledge_all();
    assert_eq!(talk.agent.tasks(), []);
    talk.run(1);
    talk.task_is(1, Running);
    assert_eq!(talk.updates()[0].uuid, Some(mesos::id::StatusId(2)));
}

#[test]
fn the_longest_run_time_does_not_start_anew_with_the_agent() {
    let mut talk = Talk::new();
    let detail =
        TaskDetail { command: true, max_completion_time: Some(20 * SECOND), ..TaskDetail::default() };
    talk.tell(run(vec![detailed(0, detail)]));
    talk.task_is(0, Running);
    talk.acknowledge_all();
    talk.wait_until(15);
    talk.orders();
    talk.restart(false);
    talk.news(ContainerNews::Reconnected { key: key(0) });
    talk.wait_until(20);
    assert!(matches!(talk.orders()[..], [Container::Kill { grace: Span::ZERO, .. }]));
    talk.task_is(0, Killed);
    recovered(&mut talk);
    assert_eq!(talk.told(), [(0, Failed, Some(Reason::MaxCompletionTimeReached))]);
}
