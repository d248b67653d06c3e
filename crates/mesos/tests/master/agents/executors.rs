//! Executors on the master's books, and ids of tasks that are used again.

use std::sync::Arc;

use mesos::{
    call::{Call, OperationKind},
    event::{Event, FromAgent},
    id::{ExecutorId, Id, StatusId},
    resource::Resources,
    task::{ExecutorInfo, ExecutorKind, TaskDetail, TaskState},
};

use super::{NEED, SIZE, Scene};
use crate::talk::{accept, task};

/// One more task, which brings an executor of 1 CPU and 32 MB.
fn with_executor() -> Scene {
    let mut scene = Scene::plain();
    scene.talk.wait_until(6.0);
    let offer = scene.talk.offers().remove(0);
    let executor = ExecutorInfo {
        id: ExecutorId::new(0),
        kind: ExecutorKind::Custom,
        framework: None,
        command: true,
        container: None,
        resources: Resources::parse("cpus:1;mem:32").unwrap(),
        shutdown_grace: None,
    };
    let mut wanted = task(1, scene.agent, "cpus:1;mem:32");
    wanted.detail = Some(Arc::new(TaskDetail { executor: Some(executor), ..TaskDetail::default() }));
    let launch = OperationKind::Launch(vec![wanted]).into();
    scene.talk.call(scene.framework, accept(&[&offer], vec![launch], 0.0)).unwrap();
    assert_eq!(scene.free(), "cpus:1;mem:128");
    scene.talk.said.events.clear();
    scene
}

#[test]
fn an_executor_that_exits_frees_what_it_held_and_its_framework_is_told() {
    let mut scene = with_executor();
    let (agent, framework, executor) = (scene.agent, scene.framework.0, ExecutorId::new(0));
    for failures in [1, 0] {
        scene.talk.agent_says(0, FromAgent::ExitedExecutor { agent, framework, executor, status: 9 });
        let failure = Event::Failure { agent, executor: Some((executor, 9)) };
        let events = std::mem::take(&mut scene.talk.said.events);
        assert_eq!(events.iter().filter(|(_, _, event)| *event == failure).count(), failures);
        assert_eq!((scene.count("Executor"), scene.free()), (2, "cpus:2;mem:160".to_owned()));
    }
    assert_eq!(scene.talk.master.task_count(framework), 2, "of its tasks the agent tells by itself");
}

#[test]
fn executors_are_removed_with_their_framework() {
    let mut scene = with_executor();
    scene.talk.call(scene.framework, Call::Teardown).unwrap();
    assert_eq!((scene.count("Executor"), scene.free()), (2, SIZE.to_owned()));
}

#[test]
fn executors_are_removed_with_their_agent() {
    let mut scene = with_executor();
    scene.talk.wait_until(80.0);
    assert!(!scene.is_registered());
    assert_eq!(scene.count("Executor"), 2);
}

#[test]
fn the_id_of_a_task_that_is_over_and_acknowledged_may_be_used_again() {
    let mut scene = Scene::plain();
    scene.talk.report(0, scene.agent, scene.key, TaskState::Finished, 2);
    let launch = |scene: &mut Scene, at: f64| {
        scene.talk.updates();
        scene.talk.wait_until(at);
        let offer = scene.talk.offers().remove(0);
        scene.talk.launch(scene.framework, &offer, 0, NEED);
        scene.talk.master.task(scene.key).map(|task| task.state)
    };
    assert_eq!(launch(&mut scene, 1.0), Some(TaskState::Finished), "its end is not acknowledged");
    assert_eq!(scene.heard(), [(TaskState::Error, "REASON_TASK_INVALID")]);
    let (agent, task, uuid) = (scene.agent, scene.key.task, StatusId(2));
    scene.talk.call(scene.framework, Call::Acknowledge { agent, task, uuid }).unwrap();
    assert_eq!(launch(&mut scene, 20.0), Some(TaskState::Staging));
}
