//! What comes from agents that are not where, or what, the master thinks.

use mesos::{
    event::{Event, FromAgent, StatusUpdate, ToAgent},
    id::{Address, AgentId, ExecutorId, Id},
    master::MasterOptions,
    operator::OperatorCall,
    registration::{AgentInfo, Reregistration},
    resource::Resources,
    task::{Reason, Source, TaskState},
    time::Time,
};

use super::{SIZE, Scene, info, is_shut_down};
use crate::talk::Talk;

#[test]
fn a_task_that_never_reached_its_agent_is_dropped_or_lost_for_good() {
    for (is_partition_aware, told) in [(true, TaskState::Dropped), (false, TaskState::Lost)] {
        let mut scene = Scene::new(MasterOptions::default(), is_partition_aware, true);
        let (state, latest) = (TaskState::Dropped, TaskState::Dropped);
        let update = StatusUpdate {
            key: scene.key,
            state,
            latest,
            source: Source::Agent,
            reason: Some(Reason::Reconciliation),
            uuid: None,
            timestamp: scene.talk.now,
            more: None,
        };
        scene.talk.agent_says(0, FromAgent::Update(scene.agent, update));
        assert_eq!(scene.heard(), [(told, "REASON_RECONCILIATION")]);
        let completed: Vec<_> = scene.talk.master.completed_tasks(scene.framework.0).collect();
        assert_eq!((completed.len(), completed[0].state), (1, told));
        assert_eq!(scene.count("Recovered"), 1);
    }
}

#[test]
fn an_executor_speaks_to_its_framework_from_a_registered_agent_only() {
    let mut scene = Scene::plain();
    let (agent, framework, executor) = (scene.agent, scene.framework.0, ExecutorId::new(3));
    let said = |agent| FromAgent::Message { agent, framework, executor, data: vec![1, 2] };
    scene.talk.agent_says(0, said(agent));
    let heard = Event::Message { agent, executor, data: vec![1, 2] };
    assert_eq!(scene.talk.said.events.drain(..).map(|of| of.2).collect::<Vec<_>>(), [heard]);
    scene.talk.agent_says(0, said(AgentId::new(9)));
    scene.talk.wait_until(75.0);
    scene.talk.said.events.clear();
    scene.talk.agent_says(0, said(agent));
    assert_eq!(scene.talk.said.events, []);
}

#[test]
fn a_connection_that_breaks_while_the_registry_admits_its_agent_is_noticed() {
    let options = MasterOptions { trust_agents: true, ..MasterOptions::default() };
    let mut talk = Talk::new(options);
    talk.said.is_store_slow = true;
    talk.agent_says(0, FromAgent::Register(Box::new(info(0, SIZE))));
    talk.master.agent_disconnected(talk.now, Address::new(0), &mut talk.said);
    talk.store();
    assert_eq!(talk.master.is_connected(AgentId::new(0)), Some(false));
    talk.said.is_store_slow = false;
    talk.wait_until(100.0);
    assert_eq!(talk.master.is_connected(AgentId::new(0)), None, "it does not answer pings");
}

#[test]
fn an_agent_that_was_heard_of_since_its_connection_broke_is_there() {
    let mut talk = Talk::new(MasterOptions::default());
    talk.said.is_store_slow = true;
    let register = || FromAgent::Register(Box::new(info(0, SIZE)));
    talk.agent_says(0, register());
    talk.master.agent_disconnected(talk.now, Address::new(0), &mut talk.said);
    talk.agent_says(0, register());
    talk.store();
    assert_eq!(talk.master.is_connected(AgentId::new(0)), Some(true));
}

#[test]
fn a_connection_that_breaks_while_an_agent_comes_back_is_noticed() {
    let grown = AgentInfo { resources: Resources::parse("cpus:8").unwrap(), ..info(0, SIZE) };
    for is_unreachable in [true, false] {
        let mut scene = Scene::plain();
        scene.talk.wait_until(if is_unreachable { 80.0 } else { 10.0 });
        scene.talk.said.is_store_slow = true;
        scene.reregister(0, Reregistration { info: grown.clone(), ..scene.back() });
        scene.disconnect();
        scene.talk.store();
        assert_eq!(scene.talk.master.is_connected(scene.agent), Some(false));
        scene.reregister(0, Reregistration { info: grown.clone(), ..scene.back() });
        assert_eq!(scene.talk.master.is_connected(scene.agent), Some(true));
    }
}

#[test]
fn an_agent_that_comes_back_at_the_address_of_another_leaves_that_one_to_its_pings() {
    let mut scene = Scene::plain();
    let back = Reregistration {
        id: AgentId::new(5),
        info: info(5, SIZE),
        tasks: vec![],
        frameworks: vec![],
        ..scene.back()
    };
    scene.reregister(0, back);
    assert!(scene.is_registered(), "until it is missed");
    for seconds in 1..6 {
        scene.talk.wait_until(f64::from(seconds) * 15.0);
        scene.talk.agent_says(0, FromAgent::Pong(AgentId::new(5)));
    }
    assert!(!scene.is_registered());
    assert_eq!(scene.talk.master.is_connected(AgentId::new(5)), Some(true));
    scene.talk.master.agent_disconnected(scene.talk.now, Address::new(0), &mut scene.talk.said);
    assert_eq!(scene.talk.master.is_connected(AgentId::new(5)), Some(false));
}

#[test]
fn an_agent_that_is_not_connected_is_not_told_that_it_is_gone() {
    let mut scene = Scene::plain();
    scene.disconnect();
    scene.talk.operator(OperatorCall::MarkAgentGone(scene.agent));
    assert!(!is_shut_down(&scene.talk.told(0)));
    scene.reregister(0, scene.back());
    assert!(is_shut_down(&scene.talk.told(0)), "it hears when it asks");
}

#[test]
fn an_agent_on_a_machine_that_is_down_is_refused_whether_it_is_new_or_back() {
    let mut scene = Scene::plain();
    let machine = mesos::maintenance::Machine { hostname: "host0".into(), ip: "10.0.0.0".into() };
    let window =
        mesos::maintenance::Window { machines: vec![machine.clone()], start: Time::ZERO, duration: None };
    let schedule = mesos::maintenance::Schedule { windows: vec![window] };
    scene.talk.operator(OperatorCall::UpdateMaintenanceSchedule(schedule));
    scene.talk.operator(OperatorCall::StartMaintenance(vec![machine]));
    scene.talk.told(0);
    scene.reregister(0, scene.back());
    assert!(is_shut_down(&scene.talk.told(0)));
    scene.talk.agent_says(0, FromAgent::Register(Box::new(info(0, SIZE))));
    assert!(is_shut_down(&scene.talk.told(0)));
    assert!(!scene.is_registered() && scene.talk.said.registry.admitted.is_empty());
}

#[test]
fn revocable_resources_of_a_disconnected_agent_count_but_are_not_offered() {
    let mut scene = Scene::plain();
    scene.disconnect();
    scene.talk.offers();
    let revocable: Resources =
        serde_json::from_str(r#"[{"name":"cpus","type":"SCALAR","scalar":{"value":2},"revocable":{}}]"#)
            .unwrap();
    let agent = scene.agent;
    scene.talk.agent_says(0, FromAgent::Oversubscribed { agent, revocable: revocable.clone() });
    scene.talk.wait_until(10.0);
    assert_eq!(scene.talk.offers(), []);
    assert_eq!(scene.talk.master.allocator().agent_shares(agent).total.revocable(), revocable);
}

#[test]
fn messages_for_agents_that_are_not_connected_are_lost() {
    use mesos::call::Call;
    let mut scene = Scene::plain();
    let (agent, executor) = (scene.agent, ExecutorId::new(3));
    let framework = scene.framework.0;
    let calls = || [Call::Shutdown { executor, agent }, Call::Message { agent, executor, data: vec![7] }];
    for call in calls() {
        scene.talk.call(scene.framework, call).unwrap();
    }
    let passed_on = [
        ToAgent::ShutdownExecutor { framework, executor },
        ToAgent::Message { framework, executor, data: vec![7] },
    ];
    assert_eq!(scene.talk.told(0), passed_on);
    scene.disconnect();
    for call in calls() {
        scene.talk.call(scene.framework, call).unwrap();
    }
    assert_eq!(scene.talk.told(0), []);
}
