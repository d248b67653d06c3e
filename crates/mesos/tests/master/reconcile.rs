//! RECONCILE, KILL and ACKNOWLEDGE: what the master says of tasks, and what it passes on.

use mesos::{
    call::Call,
    capability::Capabilities,
    event::{FromAgent, StatusUpdate, ToAgent},
    id::{AgentId, ConnectionId, FrameworkId, Id, StatusId, TaskId},
    master::MasterOptions,
    operator::OperatorCall,
    task::{Reason, Source, TaskKey, TaskState, TaskStatus},
    time::Time,
};

use super::talk::{Talk, accept, subscription, task};

type Caller = (FrameworkId, ConnectionId);

/// A framework with two tasks on one agent.
struct Scene {
    talk: Talk,
    framework: Caller,
    agent: AgentId,
}

impl Scene {
    fn new(is_partition_aware: bool) -> Self {
        let mut talk = Talk::new(MasterOptions::default());
        let mut wanted = subscription("a");
        wanted.info.failover_timeout = 1000.0;
        wanted.info.checkpoint = true;
        if !is_partition_aware {
            wanted.info.capabilities = Capabilities::MULTI_ROLE;
        }
        let framework = talk.subscribe(wanted);
        let agent = talk.agent(0, "cpus:4;mem:256");
        talk.master.trust(talk.now, agent);
        let offer = talk.offers().remove(0);
        let tasks = [7, 3].map(|id| task(id, agent, "cpus:1;mem:64"));
        let launch = mesos::call::OperationKind::Launch(tasks.into()).into();
        talk.call(framework, accept(&[&offer], vec![launch], 1000.0)).unwrap();
        talk.updates();
        talk.told(0);
        Self { talk, framework, agent }
    }

    fn key(&self, id: usize) -> TaskKey {
        TaskKey { framework: self.framework.0, task: TaskId::new(id) }
    }

    fn reconcile(&mut self, tasks: &[(usize, Option<AgentId>)]) -> Vec<TaskStatus> {
        self.talk.updates();
        let tasks = tasks.iter().map(|&(id, agent)| (TaskId::new(id), agent)).collect();
        self.talk.call(self.framework, Call::Reconcile { tasks }).unwrap();
        self.talk.updates()
    }

    /// The one answer about a task that the master does not know.
    fn answer(&mut self, agent: Option<AgentId>) -> TaskStatus {
        let mut answers = self.reconcile(&[(99, agent)]);
        assert_eq!(answers.len(), 1, "{answers:?}");
        let answer = answers.remove(0);
        assert_eq!((answer.source, answer.reason), (Source::Master, Some(Reason::Reconciliation)));
        assert_eq!((answer.uuid, answer.agent), (None, agent));
        answer
    }

    fn acknowledge(&mut self, agent: AgentId, id: usize, uuid: u64) -> Vec<ToAgent> {
        self.talk.told(0);
        let (task, uuid) = (TaskId::new(id), StatusId(uuid));
        self.talk.call(self.framework, Call::Acknowledge { agent, task, uuid }).unwrap();
        self.talk.told(0)
    }

    fn update(&mut self, id: usize, state: TaskState, latest: TaskState, uuid: Option<u64>) {
        let (key, timestamp, uuid) = (self.key(id), self.talk.now, uuid.map(StatusId));
        let source = Source::Executor;
        let update = StatusUpdate { key, state, latest, source, reason: None, uuid, timestamp, more: None };
        self.talk.agent_says(0, FromAgent::Update(self.agent, update));
    }
}

fn ids(statuses: &[TaskStatus]) -> Vec<(usize, TaskState)> {
    statuses.iter().map(|status| (status.task.index(), status.state)).collect()
}

/// Both kinds of frameworks hear this of an unknown task on an agent that `lose` has dealt with.
fn both_hear(lose: impl Fn(&mut Scene) -> Option<AgentId>, aware: TaskState) {
    for (is_partition_aware, state) in [(true, aware), (false, TaskState::Lost)] {
        let mut scene = Scene::new(is_partition_aware);
        let agent = lose(&mut scene);
        assert_eq!(scene.answer(agent).state, state);
    }
}

#[test]
fn implicit_reconciliation_tells_all_active_tasks_in_order_of_their_ids() {
    let mut scene = Scene::new(true);
    scene.update(3, TaskState::Running, TaskState::Running, Some(1));
    assert_eq!(ids(&scene.reconcile(&[])), [(3, TaskState::Running), (7, TaskState::Staging)]);
}

#[test]
fn explicit_reconciliation_answers_in_the_order_of_the_request() {
    let mut scene = Scene::new(true);
    let answers = scene.reconcile(&[(7, None), (99, None), (3, Some(AgentId::new(50)))]);
    assert_eq!(ids(&answers), [(7, TaskState::Staging), (99, TaskState::Unknown), (3, TaskState::Staging)]);
    assert_eq!(answers[2].agent, Some(scene.agent), "where it is, not where it was thought to be");
    assert!(
        answers.iter().all(|status| status.uuid.is_none() && status.reason == Some(Reason::Reconciliation))
    );
}

#[test]
fn the_state_told_is_the_last_one_forwarded_not_the_newest_one() {
    let mut scene = Scene::new(true);
    scene.update(3, TaskState::Running, TaskState::Finished, Some(1));
    assert_eq!(scene.talk.master.tasks(scene.framework.0)[0].2, TaskState::Finished);
    assert_eq!(ids(&scene.reconcile(&[(3, None)])), [(3, TaskState::Running)]);
}

#[test]
fn an_update_that_came_while_the_framework_was_away_was_not_forwarded() {
    let mut scene = Scene::new(true);
    let (framework, connection) = scene.framework;
    scene.talk.master.framework_disconnected(Time::ZERO, connection, &mut scene.talk.said);
    scene.update(3, TaskState::Running, TaskState::Running, Some(1));
    assert_eq!(scene.talk.updates(), []);
    let mut wanted = subscription("a");
    wanted.id = Some(framework);
    scene.framework = scene.talk.subscribe(wanted);
    assert_eq!(ids(&scene.reconcile(&[(3, None)])), [(3, TaskState::Running)], "the stored state");
    assert_eq!(scene.acknowledge(scene.agent, 3, 1), [], "this master never sent it");
}

#[test]
fn a_task_unknown_to_a_registered_agent_is_gone() {
    both_hear(|scene| Some(scene.agent), TaskState::Gone);
}

#[test]
fn a_task_of_an_unknown_agent_or_of_no_named_one_is_unknown() {
    both_hear(|_| Some(AgentId::new(50)), TaskState::Unknown);
    both_hear(|_| None, TaskState::Unknown);
}

#[test]
fn a_task_of_an_unreachable_agent_is_unreachable_since_then() {
    let lose = |scene: &mut Scene| {
        scene.talk.master.agent_disconnected(
            scene.talk.now,
            mesos::id::Address::new(0),
            &mut scene.talk.said,
        );
        scene.talk.wait_until(700.0);
        Some(scene.agent)
    };
    both_hear(lose, TaskState::Unreachable);
    let mut scene = Scene::new(true);
    let agent = lose(&mut scene);
    let since = scene.talk.master.unreachable_tasks(scene.framework.0)[0].2;
    assert_eq!(scene.answer(agent).more.unwrap().unreachable_time, Some(since));
    assert_eq!(scene.reconcile(&[]), [], "unreachable tasks are not active");
}

#[test]
fn a_task_of_an_agent_that_is_gone_is_gone_by_operator() {
    let lose = |scene: &mut Scene| {
        assert!(matches!(scene.talk.operator(OperatorCall::MarkAgentGone(scene.agent)), Some(Ok(_))));
        Some(scene.agent)
    };
    both_hear(lose, TaskState::GoneByOperator);
}

#[test]
fn nothing_is_said_of_tasks_that_an_agent_may_bring_back() {
    let mut scene = Scene::new(true);
    let (registry, identities) = (scene.talk.said.registry.clone(), scene.talk.master.identities());
    let order = Box::new(mesos::allocator::Ascending);
    let options = MasterOptions::default();
    let now = scene.talk.now;
    scene.talk.master = mesos::master::Master::recover(options, order, &registry, &identities, now).unwrap();
    let mut wanted = subscription("a");
    wanted.id = Some(scene.framework.0);
    scene.framework = scene.talk.subscribe(wanted);
    let other = Some(AgentId::new(50));
    assert_eq!(scene.reconcile(&[(3, Some(scene.agent)), (3, None)]), []);
    assert_eq!(ids(&scene.reconcile(&[(3, other)])), [(3, TaskState::Unknown)], "that one is not expected");
}

#[test]
fn completed_tasks_are_unknown() {
    let mut scene = Scene::new(true);
    scene.update(3, TaskState::Finished, TaskState::Finished, Some(1));
    scene.acknowledge(scene.agent, 3, 1);
    assert_eq!(ids(&scene.reconcile(&[(3, None)])), [(3, TaskState::Unknown)]);
    assert_eq!(ids(&scene.reconcile(&[])), [(7, TaskState::Staging)]);
    let completed: Vec<_> = scene.talk.master.completed_tasks(scene.framework.0).collect();
    assert_eq!((completed.len(), completed[0].state), (1, TaskState::Finished));
}

#[test]
fn an_acknowledgement_is_passed_on_and_ends_a_task_only_if_its_last_update_is_terminal() {
    let mut scene = Scene::new(true);
    let acknowledged = |scene: &Scene, uuid| ToAgent::Acknowledge { key: scene.key(3), uuid: StatusId(uuid) };
    scene.update(3, TaskState::Running, TaskState::Finished, Some(1));
    let expected = acknowledged(&scene, 1);
    assert_eq!(scene.acknowledge(scene.agent, 3, 1), [expected]);
    assert_eq!(scene.talk.master.task_count(scene.framework.0), 2);
    scene.update(3, TaskState::Finished, TaskState::Finished, Some(2));
    let expected = acknowledged(&scene, 1);
    assert_eq!(scene.acknowledge(scene.agent, 3, 1), [expected], "of an older update: passed on, no more");
    assert_eq!(scene.talk.master.task_count(scene.framework.0), 2);
    let expected = acknowledged(&scene, 2);
    assert_eq!(scene.acknowledge(scene.agent, 3, 2), [expected]);
    assert_eq!(scene.talk.master.task_count(scene.framework.0), 1);
}

#[test]
fn an_acknowledgement_of_an_update_that_this_master_never_sent_is_dropped() {
    let mut scene = Scene::new(true);
    assert_eq!(scene.acknowledge(scene.agent, 3, 1), []);
}

#[test]
fn an_acknowledgement_for_an_agent_that_is_not_connected_or_not_known_is_dropped() {
    let mut scene = Scene::new(true);
    scene.update(3, TaskState::Finished, TaskState::Finished, Some(1));
    assert_eq!(scene.acknowledge(AgentId::new(50), 3, 1), []);
    scene.talk.master.agent_disconnected(Time::ZERO, mesos::id::Address::new(0), &mut scene.talk.said);
    assert_eq!(scene.acknowledge(scene.agent, 3, 1), []);
}

#[test]
fn an_acknowledgement_of_an_unknown_task_is_passed_on_to_its_agent() {
    let mut scene = Scene::new(true);
    let (key, uuid) = (scene.key(99), StatusId(1));
    assert_eq!(scene.acknowledge(scene.agent, 99, 1), [ToAgent::Acknowledge { key, uuid }]);
}

#[test]
fn a_terminal_update_without_uuid_ends_the_task_at_once() {
    let mut scene = Scene::new(true);
    scene.update(3, TaskState::Dropped, TaskState::Dropped, None);
    assert_eq!(ids(&scene.talk.updates()), [(3, TaskState::Dropped)]);
    assert_eq!(scene.talk.master.task_count(scene.framework.0), 1);
}

#[test]
fn a_terminal_state_is_never_overwritten() {
    let mut scene = Scene::new(true);
    scene.update(3, TaskState::Finished, TaskState::Finished, Some(1));
    scene.update(3, TaskState::Failed, TaskState::Failed, Some(2));
    assert_eq!(scene.talk.master.tasks(scene.framework.0)[0].2, TaskState::Finished);
    let recovered = scene.talk.said.notes.iter().filter(|note| note.starts_with("Recovered")).count();
    assert_eq!(recovered, 1);
}

#[test]
fn a_kill_is_passed_on_to_the_agent() {
    let mut scene = Scene::new(true);
    let kill = |agent, grace| Call::Kill { task: TaskId::new(3), agent, grace };
    scene.talk.call(scene.framework, kill(Some(AgentId::new(50)), None)).unwrap();
    assert_eq!(scene.talk.told(0), [], "the wrong agent");
    scene.talk.call(scene.framework, kill(None, Some(5))).unwrap();
    assert_eq!(scene.talk.told(0), [ToAgent::Kill { key: scene.key(3), grace: Some(5) }]);
}

#[test]
fn a_kill_of_an_unknown_task_is_a_question_for_its_state() {
    let mut scene = Scene::new(true);
    let agent = Some(scene.agent);
    scene.talk.call(scene.framework, Call::Kill { task: TaskId::new(99), agent, grace: None }).unwrap();
    assert_eq!(ids(&scene.talk.updates()), [(99, TaskState::Gone)]);
}

#[test]
fn an_update_from_an_agent_that_does_not_have_the_task_changes_nothing() {
    let mut scene = Scene::new(true);
    let other = scene.talk.agent(1, "cpus:4;mem:256");
    let (key, framework) = (scene.key(3), scene.framework.0);
    scene.talk.report(1, other, key, TaskState::Finished, 1);
    assert_eq!(scene.talk.master.tasks(framework)[0].2, TaskState::Staging);
    assert_eq!(scene.talk.master.task(key).unwrap().forwarded, None);
}
