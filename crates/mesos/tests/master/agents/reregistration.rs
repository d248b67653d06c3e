//! Agents that come back.

use std::sync::Arc;

use mesos::{
    call::Call,
    event::{Event, ToAgent},
    id::{AgentId, ExecutorId, FrameworkId, Id, TaskId},
    master::MasterOptions,
    operator::OperatorCall,
    registration::{AgentInfo, Reregistration},
    resource::Resources,
    task::{ExecutorInfo, ExecutorKind, TaskKey, TaskState},
    time::Time,
};

use super::{SIZE, Scene, info, is_shut_down};
use crate::talk::{accept, task};

fn reconciled(told: &[ToAgent]) -> Option<Vec<TaskKey>> {
    let list = |message: &ToAgent| {
        if let ToAgent::Reregistered { reconcile, .. } = message { Some(reconcile.clone()) } else { None }
    };
    told.iter().find_map(list)
}

#[test]
fn an_agent_that_was_only_disconnected_goes_on_as_before() {
    let mut scene = Scene::plain();
    scene.disconnect();
    scene.talk.wait_until(5.0);
    scene.reregister(0, scene.back());
    assert_eq!(reconciled(&scene.talk.told(0)), Some(vec![]));
    assert_eq!(scene.talk.master.is_connected(scene.agent), Some(true));
    assert_eq!(scene.heard(), []);
    scene.talk.wait_until(7.0);
    let offer = &scene.talk.offers()[0];
    assert_eq!(offer.resources, Resources::parse("cpus:3;mem:192").unwrap());
}

#[test]
fn the_agent_is_asked_about_tasks_that_it_does_not_name() {
    let mut scene = Scene::plain();
    let back = Reregistration { tasks: vec![], frameworks: vec![], ..scene.back() };
    scene.reregister(0, back);
    assert_eq!(reconciled(&scene.talk.told(0)), Some(vec![scene.key]));
    assert_eq!(scene.talk.master.task_count(scene.framework.0), 1, "until it answers");
}

#[test]
fn executors_that_the_agent_does_not_name_are_gone() {
    let mut scene = Scene::plain();
    scene.talk.wait_until(6.0);
    let offer = scene.talk.offers().remove(0);
    let mut wanted = task(1, scene.agent, "cpus:1;mem:32");
    let executor = ExecutorInfo {
        id: ExecutorId::new(0),
        kind: ExecutorKind::Custom,
        framework: Some(scene.framework.0),
        command: true,
        container: None,
        resources: Resources::parse("cpus:1;mem:32").unwrap(),
        shutdown_grace: None,
    };
    let detail = mesos::task::TaskDetail { executor: Some(executor), ..Default::default() };
    wanted.detail = Some(Arc::new(detail));
    let launch = mesos::call::OperationKind::Launch(vec![wanted]).into();
    scene.talk.call(scene.framework, accept(&[&offer], vec![launch], 0.0)).unwrap();
    assert_eq!(scene.free(), "cpus:1;mem:128", "{:?}", scene.talk.updates());
    scene.reregister(0, scene.back());
    assert_eq!(scene.count("Executor"), 2);
    scene.talk.wait_until(8.0);
    assert_eq!(scene.talk.offers()[0].resources, Resources::parse("cpus:2;mem:160").unwrap());
}

#[test]
fn a_kill_that_may_not_have_arrived_is_repeated() {
    let mut scene = Scene::plain();
    let kill = Call::Kill { task: TaskId::new(0), agent: None, grace: Some(5) };
    scene.disconnect();
    scene.talk.call(scene.framework, kill).unwrap();
    scene.talk.told(0);
    scene.reregister(0, scene.back());
    let expected = ToAgent::Kill { key: scene.key, grace: None };
    assert!(scene.talk.told(0).contains(&expected));
}

#[test]
fn an_agent_may_come_back_from_another_address_but_not_from_another_machine() {
    let mut scene = Scene::plain();
    scene.reregister(5, scene.back());
    assert!(reconciled(&scene.talk.told(5)).is_some());
    let moved = AgentInfo { hostname: "elsewhere".into(), ..info(0, SIZE) };
    scene.reregister(6, Reregistration { info: moved, ..scene.back() });
    assert!(is_shut_down(&scene.talk.told(6)));
    scene.disconnect();
    assert_eq!(scene.talk.master.is_connected(scene.agent), Some(true), "nobody is at its old address");
}

#[test]
fn what_an_agent_says_of_itself_is_stored_when_it_changes() {
    let mut scene = Scene::plain();
    scene.talk.said.is_store_slow = true;
    let larger = Resources::parse("cpus:8;mem:256").unwrap();
    let grown = AgentInfo { resources: larger.clone(), ..info(0, SIZE) };
    scene.reregister(0, Reregistration { info: grown.clone(), total: larger, ..scene.back() });
    assert_eq!(reconciled(&scene.talk.told(0)), None);
    scene.talk.store();
    assert_eq!(reconciled(&scene.talk.told(0)), Some(vec![]));
    assert_eq!(scene.talk.said.registry.admitted[&scene.agent].info, grown);
    scene.talk.wait_until(6.0);
    assert_eq!(scene.free(), "", "all is offered");
    assert_eq!(scene.talk.master.allocator().total().to_string(), "cpus:8;mem:256");
}

#[test]
fn an_unreachable_agent_brings_its_tasks_back_and_their_real_states_are_told() {
    for is_partition_aware in [true, false] {
        let mut scene = Scene::new(MasterOptions::default(), is_partition_aware, true);
        scene.talk.wait_until(80.0);
        scene.talk.updates();
        scene.talk.said.notes.clear();
        scene.reregister(0, scene.back());
        assert_eq!(scene.heard(), [(TaskState::Running, "REASON_AGENT_REREGISTERED")]);
        let framework = scene.framework.0;
        let known = [(TaskId::new(0), scene.agent, TaskState::Running)];
        assert_eq!(scene.talk.master.tasks(framework), known);
        assert_eq!(scene.talk.master.unreachable_tasks(framework), []);
        assert_eq!((scene.count("Readmitted"), scene.count("AgentAdded")), (1, 1));
        assert!(scene.talk.said.registry.unreachable.is_empty());
        assert!(scene.talk.said.registry.admitted.contains_key(&scene.agent));
        scene.talk.report(0, scene.agent, scene.key, TaskState::Finished, 2);
        scene.talk.wait_until(82.0);
        assert_eq!(scene.talk.master.allocator().total().to_string(), "cpus:4;mem:256");
    }
}

#[test]
fn lost_tasks_that_come_back_are_no_longer_completed() {
    let mut scene = Scene::plain();
    scene.talk.agent_says(0, mesos::event::FromAgent::Unregister(scene.agent));
    assert_eq!(scene.talk.master.completed_tasks(scene.framework.0).count(), 1);
    scene.reregister(0, scene.back());
    assert_eq!(scene.talk.master.completed_tasks(scene.framework.0).count(), 0);
    assert_eq!(scene.talk.master.task_count(scene.framework.0), 1);
}

#[test]
fn a_task_whose_end_is_not_acknowledged_comes_back_without_resources() {
    let mut scene = Scene::plain();
    scene.talk.wait_until(80.0);
    scene.talk.offers();
    let mut back = scene.back();
    back.tasks[0].state = TaskState::Finished;
    scene.reregister(0, back);
    let shares = scene.talk.master.allocator().agent_shares(scene.agent);
    assert_eq!(scene.talk.offers()[0].resources, shares.total);
    assert_eq!(scene.talk.master.task_count(scene.framework.0), 1);
}

#[test]
fn tasks_of_completed_frameworks_are_shut_down() {
    let mut scene = Scene::plain();
    scene.talk.wait_until(80.0);
    scene.talk.call(scene.framework, Call::Teardown).unwrap();
    scene.talk.told(0);
    scene.reregister(0, scene.back());
    assert!(scene.talk.told(0).contains(&ToAgent::ShutdownFramework(scene.framework.0)));
    let shares = scene.talk.master.allocator().agent_shares(scene.agent);
    assert_eq!((shares.available, scene.count("Readmitted")), (shares.total, 0));
}

#[test]
fn an_agent_that_nobody_knows_is_taken_in_with_its_frameworks() {
    let mut scene = Scene::plain();
    let mut back = scene.back();
    let (agent, framework) = (AgentId::new(7), FrameworkId::new(9));
    back.id = agent;
    back.info = info(3, SIZE);
    back.frameworks[0].0 = framework;
    back.tasks[0].framework = framework;
    back.tasks[0].task.agent = agent;
    scene.reregister(3, back);
    assert!(scene.talk.said.registry.admitted.contains_key(&agent));
    assert_eq!(scene.talk.master.task_count(framework), 1);
    assert_eq!(scene.count("FrameworkRecovered"), 1);
    assert_ne!(scene.talk.agent(4, SIZE), agent, "its id is in use now");
}

#[test]
fn a_task_whose_id_is_in_use_on_another_agent_is_killed() {
    let mut scene = Scene::plain();
    let mut back = scene.back();
    back.id = AgentId::new(7);
    back.info = info(3, SIZE);
    scene.reregister(3, back);
    assert!(scene.talk.told(3).contains(&ToAgent::Kill { key: scene.key, grace: None }));
    let known = [(TaskId::new(0), scene.agent, TaskState::Running)];
    assert_eq!(scene.talk.master.tasks(scene.framework.0), known);
}

#[test]
fn an_agent_that_is_gone_is_shut_down() {
    let mut scene = Scene::plain();
    scene.talk.operator(OperatorCall::MarkAgentGone(scene.agent));
    scene.talk.told(0);
    scene.reregister(0, scene.back());
    let message = "Agent has been marked gone".into();
    assert_eq!(scene.talk.told(0), [ToAgent::Shutdown { message }]);
    assert!(!scene.is_registered());
}

#[test]
fn draining_outlives_silence_and_the_order_is_repeated() {
    let mut scene = Scene::plain();
    let drain = OperatorCall::DrainAgent { agent: scene.agent, max_grace_period: Some(3), mark_gone: false };
    assert!(matches!(scene.talk.operator(drain), Some(Ok(_))));
    scene.talk.wait_until(80.0);
    assert!(!scene.is_registered());
    scene.talk.told(0);
    scene.reregister(0, scene.back());
    let order = ToAgent::Drain { max_grace_period: Some(3), mark_gone: false };
    assert!(scene.talk.told(0).contains(&order));
    scene.talk.updates();
    scene.talk.now = scene.talk.now.max(Time::from_secs(81));
    scene.talk.wait_until(90.0);
    assert!(!scene.talk.said.events.iter().any(|(_, _, event)| matches!(event, Event::Offers(_))));
    assert!(scene.talk.master.is_deactivated(scene.agent));
}

#[test]
fn an_agent_that_comes_back_empty_is_drained() {
    let mut scene = Scene::plain();
    let drain = OperatorCall::DrainAgent { agent: scene.agent, max_grace_period: None, mark_gone: false };
    scene.talk.operator(drain);
    scene.talk.wait_until(80.0);
    scene.reregister(0, Reregistration { tasks: vec![], ..scene.back() });
    assert_eq!(scene.count("AgentDrained"), 1);
    assert!(scene.talk.said.registry.admitted[&scene.agent].drain.unwrap().drained);
}

#[test]
fn pings_begin_anew_when_an_agent_is_back() {
    let mut scene = Scene::plain();
    scene.talk.wait_until(80.0);
    scene.reregister(0, scene.back());
    scene.talk.wait_until(154.0);
    assert!(scene.is_registered());
    scene.talk.wait_until(155.0);
    assert!(!scene.is_registered());
}
