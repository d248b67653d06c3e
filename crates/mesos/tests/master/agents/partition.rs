//! A partition and its end: whatever frameworks were told meanwhile, in the end they know what is true.

use std::sync::Arc;

use mesos::{
    allocator::Ascending,
    call::{Call, Subscribe},
    event::{Event, FromAgent, StatusUpdate},
    id::{Id, StatusId, TaskId},
    master::{Master, MasterOptions},
    registration::{Reregistration, TaskReport},
    task::{Reason, Source, TaskState},
};

use super::{NEED, SIZE, Scene};
use crate::talk::task;

const BACK: &str = "REASON_AGENT_REREGISTERED";

/// The agent was silent for so long that its task is thought to be lost.
fn partitioned(is_partition_aware: bool) -> Scene {
    let mut scene = Scene::new(MasterOptions::default(), is_partition_aware, true);
    scene.talk.wait_until(80.0);
    let lost = if is_partition_aware { TaskState::Unreachable } else { TaskState::Lost };
    assert_eq!(scene.heard(), [(lost, "REASON_AGENT_REMOVED")]);
    scene.talk.said.notes.clear();
    scene
}

/// Comes back with its task in this state, and an update that says so and waits to be acknowledged.
fn heal(scene: &mut Scene, state: TaskState) {
    let mut back = scene.back();
    back.tasks[0].state = state;
    back.tasks[0].unacknowledged = Some((StatusId(2), state));
    scene.reregister(0, back);
}

/// What was offered of the agent since somebody last looked.
fn offered(scene: &Scene) -> Option<String> {
    let offer = |event: &Event| {
        if let Event::Offers(offers) = event { Some(offers[0].resources.to_string()) } else { None }
    };
    scene.talk.said.events.iter().find_map(|(_, _, event)| offer(event))
}

/// Another master takes over.
fn fail_over(scene: &mut Scene) {
    let talk = &mut scene.talk;
    let (identities, order) = (talk.master.identities(), Box::new(Ascending));
    let options = MasterOptions::default();
    talk.master = Master::recover(options, order, &talk.said.registry, &identities, talk.now).unwrap();
}

fn resubscribe(scene: &mut Scene) {
    let (id, info) = (Some(scene.framework.0), scene.info.clone());
    scene.framework = scene.talk.subscribe(Subscribe { id, info, ..Subscribe::default() });
}

fn state(scene: &Scene) -> Option<TaskState> {
    scene.talk.master.task(scene.key).map(|task| task.state)
}

#[test]
fn a_task_returns_to_the_state_that_its_agent_reports_whoever_owns_it() {
    for is_partition_aware in [true, false] {
        for real in [TaskState::Staging, TaskState::Starting, TaskState::Running, TaskState::Killing] {
            let mut scene = partitioned(is_partition_aware);
            heal(&mut scene, real);
            assert_eq!(offered(&scene).as_deref(), Some("cpus:3;mem:192"));
            assert_eq!(scene.heard(), [(real, BACK)]);
            assert_eq!(state(&scene), Some(real));
            assert_eq!((scene.count("Readmitted"), scene.count("Recovered")), (1, 0));
        }
    }
}

#[test]
fn a_task_that_finished_meanwhile_is_finished_and_ends_when_that_is_acknowledged() {
    for is_partition_aware in [true, false] {
        let mut scene = partitioned(is_partition_aware);
        heal(&mut scene, TaskState::Finished);
        assert_eq!(offered(&scene).as_deref(), Some(SIZE), "it holds nothing");
        assert_eq!(scene.heard(), [(TaskState::Finished, BACK)]);
        scene.talk.report(0, scene.agent, scene.key, TaskState::Finished, 2);
        let (agent, task, uuid) = (scene.agent, scene.key.task, StatusId(2));
        scene.talk.call(scene.framework, Call::Acknowledge { agent, task, uuid }).unwrap();
        let completed: Vec<_> = scene.talk.master.completed_tasks(scene.framework.0).collect();
        assert_eq!((completed.len(), completed[0].state, state(&scene)), (1, TaskState::Finished, None));
    }
}

#[test]
fn a_task_that_the_agent_lost_meanwhile_is_gone_when_its_framework_asks() {
    for (is_partition_aware, answer) in [(true, TaskState::Gone), (false, TaskState::Lost)] {
        let mut scene = partitioned(is_partition_aware);
        let back = Reregistration { tasks: vec![], frameworks: vec![], ..scene.back() };
        scene.reregister(0, back);
        assert_eq!(scene.heard(), [], "nobody tells of it by himself");
        assert_eq!(scene.talk.master.unreachable_tasks(scene.framework.0), []);
        let tasks = vec![(scene.key.task, Some(scene.agent))];
        scene.talk.call(scene.framework, Call::Reconcile { tasks }).unwrap();
        assert_eq!(scene.heard(), [(answer, "REASON_RECONCILIATION")]);
    }
}

#[test]
fn updates_that_waited_for_the_end_of_a_partition_arrive_one_by_one() {
    let mut scene = partitioned(true);
    let mut back = scene.back();
    back.tasks[0].state = TaskState::Failed;
    scene.reregister(0, back);
    assert_eq!(scene.heard(), [(TaskState::Failed, BACK)], "the newest state is told at once");
    for (n, told) in [(1, TaskState::Running), (2, TaskState::Failed)] {
        let update = StatusUpdate {
            key: scene.key,
            state: told,
            latest: TaskState::Failed,
            source: Source::Executor,
            reason: None,
            uuid: Some(StatusId(n)),
            timestamp: scene.talk.now,
            more: None,
        };
        scene.talk.agent_says(0, FromAgent::Update(scene.agent, update));
        assert_eq!(scene.heard(), [(told, "")]);
        assert_eq!(state(&scene), Some(TaskState::Failed));
        let (agent, task, uuid) = (scene.agent, scene.key.task, StatusId(n));
        scene.talk.call(scene.framework, Call::Acknowledge { agent, task, uuid }).unwrap();
    }
    assert_eq!(state(&scene), None, "it is over and acknowledged");
}

#[test]
fn a_partition_that_the_master_did_not_notice_changes_nothing() {
    for is_partition_aware in [true, false] {
        let mut scene = Scene::new(MasterOptions::default(), is_partition_aware, true);
        scene.disconnect();
        scene.talk.wait_until(40.0);
        heal(&mut scene, TaskState::Running);
        assert_eq!(scene.heard(), []);
        assert_eq!(state(&scene), Some(TaskState::Running));
    }
}

#[test]
fn a_partition_outlives_the_master_and_ends_under_the_next_one() {
    for is_partition_aware in [true, false] {
        let mut scene = partitioned(is_partition_aware);
        fail_over(&mut scene);
        resubscribe(&mut scene);
        scene.talk.updates();
        heal(&mut scene, TaskState::Running);
        assert_eq!(scene.heard(), [(TaskState::Running, BACK)]);
        assert_eq!(state(&scene), Some(TaskState::Running));
    }
}

#[test]
fn tasks_of_an_agent_that_was_only_waited_for_are_not_told() {
    let mut scene = Scene::plain();
    fail_over(&mut scene);
    heal(&mut scene, TaskState::Running);
    resubscribe(&mut scene);
    assert_eq!(scene.heard(), []);
    assert_eq!(state(&scene), Some(TaskState::Running));
}

#[test]
fn a_framework_that_is_away_when_a_partition_ends_asks_when_it_is_back() {
    let mut scene = partitioned(false);
    scene.talk.master.framework_disconnected(scene.talk.now, scene.framework.1, &mut scene.talk.said);
    heal(&mut scene, TaskState::Running);
    assert_eq!(scene.heard(), [], "an update of the master's own is never sent again");
    resubscribe(&mut scene);
    scene.talk.updates();
    scene.talk.call(scene.framework, Call::Reconcile { tasks: vec![] }).unwrap();
    assert_eq!(scene.heard(), [(TaskState::Running, "REASON_RECONCILIATION")]);
}

#[test]
fn several_tasks_come_back_each_as_it_is() {
    let mut scene = partitioned(true);
    let mut back = scene.back();
    let role = back.tasks[0].role;
    let another = |n: usize, state: TaskState| TaskReport {
        framework: scene.framework.0,
        task: task(n, scene.agent, NEED),
        role,
        state,
        unacknowledged: Some((StatusId(10 + n as u64), state)),
    };
    back.tasks.extend([another(1, TaskState::Failed), another(2, TaskState::Starting)]);
    back.frameworks = vec![(scene.framework.0, Arc::new(scene.info.clone()))];
    scene.reregister(0, back);
    let told: Vec<_> = scene.talk.updates().iter().map(|of| (of.task, of.state, of.reason)).collect();
    let reason = Some(Reason::AgentReregistered);
    let expected = [TaskState::Running, TaskState::Failed, TaskState::Starting];
    let expected = expected.iter().enumerate().map(|(n, &state)| (TaskId::new(n), state, reason));
    assert_eq!(told, expected.collect::<Vec<_>>());
}
