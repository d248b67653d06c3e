//! How agents are lost, and what becomes of their tasks.

use mesos::{
    event::{Event, FromAgent, ToAgent},
    id::Id,
    master::MasterOptions,
    operator::{Done, OperatorCall},
    task::TaskState,
    time::{Span, Time},
};

use super::{NEED, Scene, is_shut_down};

fn scene(is_partition_aware: bool) -> Scene {
    Scene::new(MasterOptions::default(), is_partition_aware, true)
}

impl Scene {
    fn mark_gone(&mut self) -> Option<mesos::operator::Answer> {
        self.talk.operator(OperatorCall::MarkAgentGone(self.agent))
    }

    fn unreachable_tasks(&self) -> usize {
        self.talk.master.unreachable_tasks(self.framework.0).len()
    }

    fn completed(&self) -> Vec<TaskState> {
        self.talk.master.completed_tasks(self.framework.0).map(|task| task.state).collect()
    }
}

#[test]
fn a_disconnected_agent_loses_its_offers_and_keeps_checkpointed_tasks() {
    let mut scene = Scene::plain();
    scene.talk.wait_until(6.0);
    assert_eq!(scene.talk.offers().len(), 1);
    scene.disconnect();
    let events: Vec<_> = scene.talk.said.events.drain(..).map(|(_, _, event)| event).collect();
    assert!(matches!(events[..], [Event::Rescind(_)]), "{events:?}");
    assert_eq!(scene.talk.master.is_connected(scene.agent), Some(false));
    assert_eq!(scene.talk.master.tasks(scene.framework.0).len(), 1);
    scene.talk.wait_until(9.0);
    assert_eq!(scene.talk.offers(), []);
}

#[test]
fn tasks_that_are_not_checkpointed_are_lost_with_the_connection() {
    for is_partition_aware in [true, false] {
        let mut scene = Scene::new(MasterOptions::default(), is_partition_aware, false);
        scene.disconnect();
        assert_eq!(scene.heard(), [(TaskState::Lost, "REASON_AGENT_DISCONNECTED")]);
        assert_eq!((scene.unreachable_tasks(), scene.completed()), (0, vec![TaskState::Lost]));
        assert_eq!(scene.free(), "cpus:4;mem:256");
        assert_eq!(scene.count("Recovered"), 1);
    }
}

#[test]
fn an_agent_whose_connection_broke_is_unreachable_after_the_timeout_whatever_it_answers() {
    let options = MasterOptions { agent_reregister_timeout: Span::from_secs(40), ..MasterOptions::default() };
    let mut scene = Scene::new(options, true, true);
    scene.talk.now = Time::from_secs(2);
    scene.disconnect();
    scene.talk.wait_until(41.0);
    scene.talk.agent_says(0, FromAgent::Pong(scene.agent));
    assert!(scene.is_registered());
    scene.talk.wait_until(42.0);
    assert!(!scene.is_registered());
    let updates = scene.talk.updates();
    let message = updates[0].more.as_ref().unwrap().message.clone();
    assert_eq!(message.unwrap(), "agent did not re-register within 40secs after disconnecting");
}

#[test]
fn an_outdated_timer_of_an_earlier_disconnection_does_nothing() {
    let options = MasterOptions { agent_reregister_timeout: Span::from_secs(40), ..MasterOptions::default() };
    let mut scene = Scene::new(options, true, true);
    scene.disconnect();
    scene.talk.wait_until(30.0);
    scene.reregister(0, scene.back());
    scene.disconnect();
    scene.talk.wait_until(69.0);
    assert!(scene.is_registered());
    scene.talk.wait_until(70.0);
    assert!(!scene.is_registered());
}

#[test]
fn tasks_of_an_unreachable_agent_are_unreachable_or_lost_and_remembered_as_unreachable() {
    let cases = [(true, TaskState::Unreachable), (false, TaskState::Lost)];
    for (is_partition_aware, state) in cases {
        let mut scene = scene(is_partition_aware);
        scene.talk.wait_until(75.0);
        let (framework, agent) = (scene.framework.0, scene.agent);
        let failure = Event::Failure { agent, executor: None };
        assert!(scene.talk.said.events.iter().any(|(to, _, event)| *to == framework && *event == failure));
        let updates = scene.talk.updates();
        let [ref update] = updates[..] else { panic!("{updates:?}") };
        assert_eq!((update.state, update.uuid), (state, None));
        let more = update.more.as_ref().unwrap();
        assert_eq!(more.unreachable_time, Some(Time::from_secs(75)));
        assert_eq!(more.message.as_deref(), Some("health check timed out"));
        assert_eq!((scene.unreachable_tasks(), scene.completed()), (1, vec![]));
        assert_eq!((scene.count("Recovered"), scene.count("AgentEnded")), (1, 1));
        assert_eq!(scene.talk.master.outstanding_offers(), 0);
    }
}

#[test]
fn a_task_whose_end_was_not_acknowledged_frees_its_resources_once() {
    let mut scene = Scene::plain();
    scene.talk.report(0, scene.agent, scene.key, TaskState::Finished, 2);
    assert_eq!(scene.count("Recovered"), 1);
    scene.talk.wait_until(75.0);
    assert_eq!(scene.count("Recovered"), 1);
    assert_eq!(scene.talk.master.task_count(scene.framework.0), 0);
}

#[test]
fn an_agent_becomes_unreachable_in_the_registry_first() {
    let mut scene = Scene::plain();
    scene.talk.said.is_store_slow = true;
    scene.talk.wait_until(100.0);
    assert_eq!((scene.is_registered(), scene.heard()), (true, vec![]));
    assert_eq!(scene.talk.said.unstored.len(), 1, "pings that go on ask for nothing more");
    scene.reregister(0, scene.back());
    assert!(!scene.talk.told(0).iter().any(|told| matches!(told, ToAgent::Reregistered { .. })));
    scene.talk.store();
    assert!(!scene.is_registered());
    assert_eq!(scene.heard(), [(TaskState::Unreachable, "REASON_AGENT_REMOVED")]);
    assert_eq!(scene.talk.said.unstored.len(), 0);
}

#[test]
fn tasks_of_an_agent_that_is_gone_are_gone_by_operator_or_lost_and_those_lost_stay_unreachable() {
    let mut aware = scene(true);
    assert_eq!(aware.mark_gone(), Some(Ok(Done::Ok)));
    assert_eq!(aware.heard(), [(TaskState::GoneByOperator, "REASON_AGENT_REMOVED_BY_OPERATOR")]);
    assert_eq!((aware.unreachable_tasks(), aware.completed()), (0, vec![TaskState::GoneByOperator]));
    let mut unaware = scene(false);
    assert_eq!(unaware.mark_gone(), Some(Ok(Done::Ok)));
    assert_eq!(unaware.heard(), [(TaskState::Lost, "REASON_AGENT_REMOVED")]);
    assert_eq!((unaware.unreachable_tasks(), unaware.completed()), (1, vec![]));
    for mut scene in [aware, unaware] {
        assert!(is_shut_down(&scene.talk.told(0)));
        assert!(scene.talk.said.registry.gone.contains_key(&scene.agent));
    }
}

#[test]
fn an_agent_is_marked_gone_once_and_not_while_it_is_on_its_way_elsewhere() {
    let mut scene = Scene::plain();
    scene.talk.said.is_store_slow = true;
    assert_eq!(scene.mark_gone(), None);
    let busy = scene.mark_gone().unwrap().unwrap_err();
    assert_eq!(busy.status, 503);
    scene.talk.store();
    assert_eq!(scene.talk.said.answers.iter().filter(|(_, answer)| answer.is_ok()).count(), 1);
    assert_eq!(scene.mark_gone(), Some(Ok(Done::Ok)), "it is gone already");
    let unknown = OperatorCall::MarkAgentGone(mesos::id::AgentId::new(9));
    assert_eq!(scene.talk.operator(unknown).unwrap().unwrap_err().status, 404);
}

#[test]
fn an_agent_that_the_registry_forgets_cannot_be_marked_gone() {
    let options = MasterOptions { registry_max_agent_count: 0, ..MasterOptions::default() };
    let mut scene = Scene::new(options, true, true);
    scene.talk.wait_until(899.0);
    scene.talk.said.is_store_slow = true;
    scene.talk.wait_until(900.0);
    assert_eq!(scene.talk.said.unstored.len(), 1, "it is being forgotten");
    assert_eq!(scene.mark_gone(), None);
    scene.talk.store();
    scene.talk.store();
    let answer = scene.talk.said.answers.pop().expect("an answer").1;
    assert_eq!(answer.unwrap_err().status, 404);
    assert_eq!(*scene.talk.master.gone_agents(), scene.talk.said.registry.gone);
}

#[test]
fn tasks_of_an_unreachable_agent_that_is_marked_gone_are_gone_too() {
    let cases = [
        (true, (TaskState::GoneByOperator, "REASON_AGENT_REMOVED_BY_OPERATOR"), 0),
        (false, (TaskState::Lost, "REASON_AGENT_REMOVED"), 1),
    ];
    for (is_partition_aware, heard, remembered) in cases {
        let mut scene = scene(is_partition_aware);
        scene.talk.wait_until(80.0);
        scene.talk.updates();
        assert_eq!(scene.mark_gone(), Some(Ok(Done::Ok)));
        assert_eq!(scene.heard(), [heard]);
        assert_eq!(scene.unreachable_tasks(), remembered);
        assert!(scene.talk.master.unreachable_agents().is_empty());
        assert!(scene.talk.said.registry.unreachable.is_empty());
    }
}

#[test]
fn an_agent_that_unregisters_is_removed_and_its_tasks_are_lost_for_everybody() {
    for is_partition_aware in [true, false] {
        let mut scene = scene(is_partition_aware);
        scene.talk.agent_says(7, FromAgent::Unregister(scene.agent));
        assert!(scene.is_registered(), "somebody else said so");
        scene.talk.agent_says(0, FromAgent::Unregister(scene.agent));
        assert_eq!(scene.heard(), [(TaskState::Lost, "REASON_AGENT_REMOVED")]);
        assert_eq!((scene.unreachable_tasks(), scene.completed()), (0, vec![TaskState::Lost]));
        assert!(scene.talk.said.registry.admitted.is_empty());
        assert_eq!(scene.count("AgentEnded"), 1);
    }
}

#[test]
fn nothing_of_a_lost_agent_is_offered_and_its_offers_are_rescinded() {
    let mut scene = Scene::plain();
    scene.talk.wait_until(6.0);
    let offer = scene.talk.offers().remove(0);
    scene.talk.agent_says(0, FromAgent::Unregister(scene.agent));
    let rescinded = |(_, _, event): &(_, _, Event)| *event == Event::Rescind(offer.id);
    assert_eq!(scene.talk.said.events.iter().filter(|event| rescinded(event)).count(), 1);
    scene.talk.wait_until(30.0);
    assert_eq!(scene.talk.offers(), []);
    assert_eq!(scene.talk.master.allocator().total().iter().count(), 0);
}

#[test]
fn an_update_of_a_lost_agent_is_dropped() {
    let mut scene = Scene::plain();
    scene.talk.wait_until(75.0);
    scene.talk.updates();
    scene.talk.report(0, scene.agent, scene.key, TaskState::Finished, 9);
    assert_eq!(scene.heard(), []);
    assert_eq!(scene.unreachable_tasks(), 1);
}

#[test]
fn agents_are_forgotten_two_weeks_after_they_were_lost_and_their_tasks_with_them() {
    let mut scene = Scene::plain();
    scene.talk.wait_until(75.0);
    let two_weeks = 14.0 * 24.0 * 3600.0;
    scene.talk.wait_until(two_weeks + 75.0);
    assert_eq!(scene.unreachable_tasks(), 1);
    scene.talk.wait_until(two_weeks + 900.0);
    assert_eq!((scene.unreachable_tasks(), scene.talk.master.unreachable_agents().len()), (0, 0));
    assert!(scene.talk.said.registry.unreachable.is_empty());
    assert_eq!(scene.talk.master.next_timeout(scene.talk.now), None);
}

#[test]
fn of_too_many_lost_agents_the_oldest_are_forgotten() {
    let options = MasterOptions { registry_max_agent_count: 2, ..MasterOptions::default() };
    let mut scene = Scene::new(options, true, true);
    let others: Vec<_> = (1..4).map(|n| scene.talk.agent(n, NEED)).collect();
    scene.mark_gone();
    for &agent in &others {
        scene.talk.now = scene.talk.now + Span::from_secs(1);
        scene.talk.operator(OperatorCall::MarkAgentGone(agent));
    }
    scene.talk.wait_until(899.0);
    assert_eq!(scene.talk.master.gone_agents().len(), 4);
    scene.talk.wait_until(900.0);
    let left: Vec<_> = scene.talk.master.gone_agents().keys().copied().collect();
    assert_eq!(left, others[1..]);
    assert_eq!(scene.talk.said.registry.gone.keys().copied().collect::<Vec<_>>(), left);
}
