use mesos::{
    agent::ContainerNews,
    effects::Container,
    event::{FromAgent, ToAgent},
    id::{AgentId, ExecutorId, Id},
    task::{
        Reason,
        TaskState::{Dropped, Failed, Finished, Killed, Running},
    },
    time::{Span, Time},
};

use crate::talk::{Talk, executor, framework, key, kill, resources};

fn shutdown(grace: Span) -> Container {
    Container::Shutdown { framework: framework(), executor: ExecutorId::new(0), grace }
}

fn exited(status: i32) -> FromAgent {
    let (agent, framework, executor) = (AgentId::new(0), framework(), ExecutorId::new(0));
    FromAgent::ExitedExecutor { agent, framework, executor, status }
}

fn started(talk: &mut Talk) -> Vec<usize> {
    let key = |order| if let Container::Run { key, .. } = order { Some(key.task.index()) } else { None };
    talk.orders().into_iter().filter_map(key).collect()
}

#[test]
fn tasks_wait_for_their_executor_to_register() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[3, 1], true);
    talk.run_in_executor(&[0], false);
    let launch = Container::Launch { framework: framework(), executor: Box::new(executor()) };
    assert_eq!(talk.orders(), [launch]);
    assert_eq!(talk.agent.free(), resources("cpus:0.9;mem:3968"));
    talk.executor_is_up();
    assert_eq!(started(&mut talk), [3, 1, 0]);
    talk.task_is(3, Finished);
    talk.run_in_executor(&[2], false);
    assert_eq!(started(&mut talk), [2]);
}

#[test]
fn an_executor_that_never_registers_fails_its_tasks_and_is_ended() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[0, 1], true);
    talk.orders();
    assert_eq!(talk.agent.next_timeout(), Some(Time::from_secs(60)));
    talk.wait_until(60);
    let reason = Some(Reason::ExecutorRegistrationTimeout);
    assert_eq!(talk.told(), [(0, Failed, reason), (1, Failed, reason)]);
    assert_eq!(talk.orders(), [shutdown(Span::ZERO)]);
    talk.executor_is_up();
    assert_eq!(talk.orders(), []);
    talk.executor_exits(None);
    assert_eq!(talk.messages(), [exited(9)]);
    assert_eq!(talk.agent.free(), *talk.agent.total());
}

#[test]
fn an_executor_in_time_is_not_waited_for_any_longer() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[0], true);
    talk.executor_is_up();
    talk.task_is(0, Running);
    talk.acknowledge_all();
    assert_eq!(talk.agent.next_timeout(), None);
}

#[test]
fn tasks_of_an_executor_that_exits_fail_and_the_master_is_told() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[0, 1], true);
    talk.executor_is_up();
    talk.task_is(0, Finished);
    talk.acknowledge_all();
    talk.executor_exits(None);
    assert_eq!(talk.said.to_master.last(), Some(&exited(9)));
    assert_eq!(talk.told(), [(1, Failed, Some(Reason::ExecutorTerminated))]);
    assert_eq!(talk.agent.free(), *talk.agent.total());
}

#[test]
fn the_containerizers_reason_for_an_executors_end_is_its_tasks_reason() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[0], true);
    talk.executor_exits(Some(Reason::ContainerLaunchFailed));
    assert_eq!(talk.told(), [(0, Failed, Some(Reason::ContainerLaunchFailed))]);
}

#[test]
fn a_task_for_an_executor_that_is_gone_is_dropped() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[0], false);
    assert_eq!(talk.orders(), []);
    assert_eq!(talk.said.to_master.len(), 1);
    assert_eq!(talk.told(), [(0, Dropped, Some(Reason::ExecutorTerminated))]);
    assert_eq!(talk.agent.free(), *talk.agent.total());
}

#[test]
fn a_task_for_a_new_executor_is_dropped_while_the_old_one_is_there() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[0], true);
    talk.executor_is_up();
    talk.run_in_executor(&[1], true);
    assert_eq!(talk.told(), [(1, Dropped, Some(Reason::ExecutorTerminated))]);
}

#[test]
fn a_task_for_an_executor_that_is_shutting_down_is_dropped() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[0], true);
    talk.executor_is_up();
    talk.orders();
    talk.tell(ToAgent::ShutdownExecutor { framework: framework(), executor: ExecutorId::new(0) });
    talk.tell(ToAgent::ShutdownExecutor { framework: framework(), executor: ExecutorId::new(0) });
    assert_eq!(talk.orders(), [shutdown(Span::from_secs(5))]);
    talk.run_in_executor(&[1], false);
    assert_eq!(talk.told(), [(1, Dropped, Some(Reason::ExecutorTerminated))]);
    talk.task_is(0, Killed);
    talk.executor_exits(None);
    assert_eq!(talk.said.to_master.last(), Some(&exited(9)));
    assert_eq!(talk.told(), [(0, Killed, None)]);
}

#[test]
fn an_executor_whose_tasks_were_all_killed_before_delivery_is_not_kept() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[0, 1], true);
    talk.orders();
    talk.tell(kill(1));
    let reason = Some(Reason::TaskKilledDuringLaunch);
    assert_eq!(talk.told(), [(0, Killed, reason), (1, Killed, reason)]);
    assert_eq!(talk.orders(), [shutdown(Span::from_secs(5))]);
}

#[test]
fn messages_pass_between_a_framework_and_an_executor_that_is_up() {
    let mut talk = Talk::new();
    let (framework, executor, data) = (framework(), ExecutorId::new(0), vec![1]);
    talk.run_in_executor(&[0], true);
    talk.tell(ToAgent::Message { framework, executor, data: vec![0] });
    talk.executor_is_up();
    talk.orders();
    talk.tell(ToAgent::Message { framework, executor, data: data.clone() });
    assert_eq!(talk.orders(), [Container::Message { framework, executor, data: data.clone() }]);
    talk.news(ContainerNews::Message { framework, executor, data: data.clone() });
    let agent = AgentId::new(0);
    assert_eq!(talk.messages(), [FromAgent::Message { agent, framework, executor, data }]);
}

#[test]
#[should_panic(expected = "which no executor has")]
fn a_task_whose_executor_is_not_up_has_no_news() {
    let mut talk = Talk::new();
    talk.run_in_executor(&[0], true);
    talk.news(ContainerNews::Task { key: key(0), state: Running, reason: None, more: None });
}
