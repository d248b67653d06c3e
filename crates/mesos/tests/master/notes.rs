//! What whoever watches the master hears, step by step.

use mesos::{
    call::{Call, OperationKind},
    event::Event,
    id::{Address, Id, StatusId, TaskId},
    maintenance::{Machine, Schedule, Window},
    master::MasterOptions,
    offer::Filters,
    operator::OperatorCall,
    registration::{AgentInfo, Reregistration, TaskReport},
    resource::Resources,
    task::{TaskKey, TaskState},
    time::{Span, Time},
};

use crate::talk::{Talk, accept, subscription, task};

/// The names of all notes since somebody last looked.
fn noted(talk: &mut Talk) -> Vec<String> {
    let name = |note: String| note.chars().take_while(char::is_ascii_alphanumeric).collect();
    std::mem::take(&mut talk.said.notes).into_iter().map(name).collect()
}

#[test]
fn a_watcher_hears_of_all_that_happens_in_order() {
    let mut talk = Talk::new(MasterOptions::default());
    let mut wanted = subscription("a");
    (wanted.info.checkpoint, wanted.info.failover_timeout) = (true, 60.0);
    let framework = talk.subscribe(wanted.clone());
    assert_eq!(noted(&mut talk), ["FrameworkSubscribed"]);
    let agent = talk.agent(0, "cpus:4;mem:256");
    assert_eq!(noted(&mut talk), ["AgentAdded", "Offered"]);
    let offer = talk.offers().remove(0);
    let launch = OperationKind::Launch(vec![task(0, agent, "cpus:1;mem:64")]).into();
    talk.call(framework, accept(&[&offer], vec![launch], 1e6)).unwrap();
    assert_eq!(noted(&mut talk), ["OffersEnded", "Launched", "Refused"]);
    let key = TaskKey { framework: framework.0, task: TaskId::new(0) };
    talk.report(0, agent, key, TaskState::Running, 1);
    assert_eq!(noted(&mut talk), ["TaskState", "Sent"]);
    let seen = Call::Acknowledge { agent, task: key.task, uuid: StatusId(1) };
    talk.call(framework, seen).unwrap();
    assert_eq!(noted(&mut talk), ["Acknowledged"]);
    talk.master.agent_disconnected(talk.now, Address::new(0), &mut talk.said);
    assert_eq!(noted(&mut talk), ["AgentConnected"]);
    come_back(&mut talk, &wanted.info, key);
    assert_eq!(noted(&mut talk), ["AgentConnected"]);
    talk.operator(OperatorCall::DeactivateAgent(agent));
    talk.operator(OperatorCall::ReactivateAgent(agent));
    assert_eq!(noted(&mut talk), ["AgentActivated", "AgentActivated"]);
    plan(&mut talk);
    assert_eq!(noted(&mut talk), ["InverseOffered"]);
    answer_inverse_offers(&mut talk, framework);
    assert_eq!(noted(&mut talk)[0], "InverseOfferEnded");
    talk.report(0, agent, key, TaskState::Finished, 2);
    assert_eq!(noted(&mut talk)[..3], ["TaskState", "Recovered", "Sent"]);
    let seen = Call::Acknowledge { agent, task: key.task, uuid: StatusId(2) };
    talk.call(framework, seen).unwrap();
    assert_eq!(noted(&mut talk), ["TaskForgotten", "Acknowledged"]);
    talk.call(framework, Call::Teardown).unwrap();
    assert_eq!(noted(&mut talk), ["FrameworkRemoved"]);
}

#[test]
fn a_watcher_hears_what_is_refused_and_when_that_is_taken_back() {
    let mut talk = Talk::new(MasterOptions::default());
    let framework = talk.framework("a");
    let agent = talk.agent(0, "cpus:4;mem:256");
    let offer = talk.offers().remove(0);
    noted(&mut talk);
    let launch = OperationKind::Launch(vec![task(0, agent, "cpus:9")]).into();
    talk.call(framework, accept(&[&offer], vec![launch], 1e6)).unwrap();
    assert!(noted(&mut talk).contains(&"Refused".to_owned()));
    talk.call(framework, Call::Revive { roles: vec![] }).unwrap();
    assert!(noted(&mut talk).contains(&"Revived".to_owned()));
}

/// The agent comes back with its task.
fn come_back(talk: &mut Talk, info: &mesos::call::FrameworkInfo, key: TaskKey) {
    let (id, resources) = (mesos::id::AgentId::new(0), Resources::parse("cpus:4;mem:256").unwrap());
    let known = TaskReport {
        framework: key.framework,
        task: task(0, id, "cpus:1;mem:64"),
        role: talk.master.roles().get("a").unwrap(),
        state: TaskState::Running,
        unacknowledged: None,
    };
    let back = Reregistration {
        id,
        info: AgentInfo {
            hostname: "host0".into(),
            ip: "10.0.0.0".into(),
            resources: resources.clone(),
            ..AgentInfo::default()
        },
        total: resources,
        frameworks: vec![(key.framework, std::sync::Arc::new(info.clone()))],
        tasks: vec![known],
        executors: vec![],
        operations: vec![],
    };
    talk.agent_says(0, mesos::event::FromAgent::Reregister(Box::new(back)));
}

/// The machine of the first agent will be away.
fn plan(talk: &mut Talk) {
    let machines = vec![Machine { hostname: "host0".into(), ip: "10.0.0.0".into() }];
    let start = talk.now + Span::from_secs(3600);
    let windows = vec![Window { machines, start, duration: None }];
    talk.operator(OperatorCall::UpdateMaintenanceSchedule(Schedule { windows }));
    assert_eq!(talk.now, Time::ZERO);
}

fn answer_inverse_offers(talk: &mut Talk, framework: (mesos::id::FrameworkId, mesos::id::ConnectionId)) {
    let asked = |(_, _, event)| if let Event::InverseOffers(offers) = event { Some(offers) } else { None };
    let asked: Vec<_> =
        std::mem::take(&mut talk.said.events).into_iter().filter_map(asked).flatten().collect();
    let offers = asked.iter().map(|offer| offer.id).collect();
    let filters = Some(Filters { refuse_seconds: 1e6 });
    talk.call(framework, Call::AcceptInverseOffers { offers, filters }).unwrap();
}
