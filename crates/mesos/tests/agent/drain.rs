use mesos::{
    capability::Capabilities,
    event::{FromAgent, ToAgent},
    task::{
        Reason, TaskDetail,
        TaskState::{Dropped, GoneByOperator, Killed, Killing, Lost, Running},
    },
    time::Span,
};

use crate::talk::{SECOND, Talk, detailed, framework_info, is_kill, key, run, run_of, task};

const DRAINING: Option<Reason> = Some(Reason::AgentDraining);

fn drain(max_grace_period: Option<i64>, mark_gone: bool) -> ToAgent {
    ToAgent::Drain { max_grace_period, mark_gone }
}

fn capable(talk: &mut Talk, capabilities: Capabilities) {
    talk.framework_changes(|info| info.capabilities = capabilities);
}

#[test]
fn a_draining_agent_kills_what_runs_within_the_shorter_grace() {
    let mut talk = Talk::new();
    talk.run_up(0);
    let detail = TaskDetail { command: true, kill_grace: Some(30 * SECOND), ..TaskDetail::default() };
    talk.tell(run(vec![detailed(1, detail)]));
    talk.task_is(1, Running);
    talk.orders();
    talk.tell(drain(Some(10 * SECOND), false));
    let orders = talk.orders();
    assert!(is_kill(&orders[0], 0, Span::from_secs(3)), "{orders:?}");
    assert!(is_kill(&orders[1], 1, Span::from_secs(10)), "{orders:?}");
    talk.acknowledge_all();
    talk.task_is(0, Killed);
    assert_eq!(talk.told(), [(0, Killed, DRAINING)]);
}

#[test]
fn a_draining_agent_says_why_tasks_are_being_killed() {
    let mut talk = Talk::new();
    talk.run_up(0);
    capable(&mut talk, Capabilities::TASK_KILLING_STATE);
    talk.tell(drain(None, false));
    talk.task_is(0, Killed);
    talk.wait_until(10);
    assert_eq!(talk.told()[0], (0, Killing, DRAINING));
    talk.acknowledge_all();
}

#[test]
fn what_is_not_started_yet_is_killed_at_once_by_draining() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[0, 1], true);
    talk.tell(drain(None, false));
    assert_eq!(talk.told(), [(0, Killed, DRAINING), (1, Killed, DRAINING)]);
}

#[test]
fn a_draining_agent_drops_new_tasks() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.tell(drain(None, false));
    talk.run(1);
    assert_eq!(talk.told(), [(1, Dropped, DRAINING)]);
    let mut info = framework_info();
    info.capabilities = Capabilities::NONE;
    talk.tell(run_of(info, vec![task(2, "cpus:1")]));
    assert_eq!(talk.told(), [(2, Lost, DRAINING)]);
}

#[test]
fn the_master_is_told_that_there_will_be_no_executor_on_a_draining_agent() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.tell(drain(None, false));
    talk.run_in_executor(&[1], true);
    let last = talk.said.to_master.pop();
    assert!(matches!(last, Some(FromAgent::ExitedExecutor { status: -1, .. })), "{last:?}");
}

#[test]
fn tasks_on_an_agent_that_will_be_gone_are_gone_by_operator_as_soon_as_they_are_being_killed() {
    let mut talk = Talk::new();
    talk.run_up(0);
    capable(&mut talk, Capabilities::TASK_KILLING_STATE.and(Capabilities::PARTITION_AWARE));
    talk.tell(drain(None, true));
    assert_eq!(talk.told(), [(0, GoneByOperator, DRAINING)]);
    assert_eq!(talk.orders().len(), 1);
    talk.task_is(0, Killed);
    assert_eq!(talk.agent.tasks(), [(key(0), GoneByOperator)]);
}

#[test]
fn a_framework_that_is_not_partition_aware_hears_of_killed_tasks_on_an_agent_that_will_be_gone() {
    let mut talk = Talk::new();
    talk.run_up(0);
    capable(&mut talk, Capabilities::NONE);
    talk.tell(drain(None, true));
    talk.task_is(0, Killed);
    assert_eq!(talk.told(), [(0, Killed, DRAINING)]);
}

#[test]
fn an_agent_takes_tasks_again_once_it_was_empty() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.tell(drain(None, false));
    talk.task_is(0, Killed);
    talk.acknowledge_all();
    talk.orders();
    talk.run(1);
    assert_eq!(talk.orders().len(), 1);
}

#[test]
fn an_empty_agent_has_nothing_to_drain() {
    let mut talk = Talk::new();
    talk.tell(drain(None, false));
    talk.run(0);
    assert_eq!((talk.orders().len(), talk.messages()), (1, vec![]));
}
