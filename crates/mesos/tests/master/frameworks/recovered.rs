//! Frameworks after a failover of the master: agents bring them, and they come back themselves.

use std::sync::Arc;

use mesos::{
    allocator::Ascending,
    call::{Call, FrameworkInfo, Subscribe},
    event::{FromAgent, ToAgent},
    id::{AgentId, ConnectionId, FrameworkId, Id, TaskId},
    master::{FrameworkState, Master, MasterOptions},
    operator::OperatorCall,
    registration::{AgentInfo, Reregistration, TaskReport},
    resource::Resources,
    task::{TaskKey, TaskState},
};

use super::super::talk::task;
use super::{Caller, Talk, again, events, noted, subscription, talk};

const ALL: &str = "cpus:4;mem:64";

/// Its tasks outlive a broken connection to their agent.
fn checkpointing() -> Subscribe {
    let mut wanted = subscription("a");
    wanted.info.checkpoint = true;
    wanted
}

/// A framework with a running task on all of one agent.
fn scene() -> (Talk, Caller, AgentId) {
    let mut talk = talk();
    let framework = talk.subscribe(checkpointing());
    let agent = talk.agent(0, ALL);
    let offer = talk.offers().remove(0);
    talk.launch(framework, &offer, 0, ALL);
    (talk, framework, agent)
}

/// Another master takes over.
fn fail_over(talk: &mut Talk) {
    let (registry, identities) = (talk.said.registry.clone(), talk.master.identities());
    let order = Box::new(Ascending);
    talk.master = Master::recover(MasterOptions::default(), order, &registry, &identities, talk.now).unwrap();
    talk.said.notes.clear();
    events(talk);
}

/// The agent comes back with its task.
fn reregister(talk: &mut Talk, framework: FrameworkId, id: AgentId) {
    let total = Resources::parse(ALL).unwrap();
    let info = AgentInfo {
        hostname: "host0".into(),
        ip: "10.0.0.0".into(),
        resources: total.clone(),
        ..AgentInfo::default()
    };
    let of: Arc<FrameworkInfo> = Arc::new(checkpointing().info);
    let role = talk.master.roles().get("a").expect("roles are kept");
    let report = TaskReport {
        framework,
        task: task(0, id, ALL),
        role,
        state: TaskState::Running,
        unacknowledged: None,
    };
    let (executors, operations) = (vec![], vec![]);
    let (frameworks, tasks) = (vec![(framework, of)], vec![report]);
    let back = Reregistration { id, info, total, frameworks, tasks, executors, operations };
    talk.agent_says(0, FromAgent::Reregister(Box::new(back)));
    talk.master.trust(talk.now, id);
}

#[test]
fn a_framework_that_an_agent_brings_is_recovered_until_it_subscribes() {
    let (mut talk, (framework, _), agent) = scene();
    fail_over(&mut talk);
    assert_eq!(talk.master.framework_state(framework), None);
    reregister(&mut talk, framework, agent);
    assert_eq!(talk.master.framework_state(framework), Some(FrameworkState::Recovered));
    let refusal = talk.call((framework, ConnectionId(999)), Call::Request).unwrap_err();
    assert_eq!((refusal.status, refusal.message.as_str()), (403, "Framework is not subscribed"));
    talk.wait_until(100_000.0);
    let waits = talk.master.framework_state(framework);
    assert_eq!(waits, Some(FrameworkState::Recovered), "no timer runs");
    let caller = again(&mut talk, framework, checkpointing());
    assert_eq!(talk.master.framework_state(framework), Some(FrameworkState::Connected));
    assert_eq!(talk.master.tasks(framework), [(TaskId::new(0), agent, TaskState::Running)]);
    assert_eq!((noted(&talk, "FrameworkRecovered"), noted(&talk, "FrameworkSubscribed")), (1, 1));
    let kill = Call::Kill { task: TaskId::new(0), agent: None, grace: None };
    talk.told(0);
    talk.call(caller, kill).unwrap();
    let key = TaskKey { framework, task: TaskId::new(0) };
    assert_eq!(talk.told(0), [ToAgent::Kill { key, grace: None }]);
}

#[test]
fn a_recovered_framework_gets_no_offers() {
    let (mut talk, (framework, _), agent) = scene();
    fail_over(&mut talk);
    reregister(&mut talk, framework, agent);
    let key = TaskKey { framework, task: TaskId::new(0) };
    talk.report(0, agent, key, TaskState::Finished, 1);
    talk.wait_until(3.0);
    assert_eq!(talk.offers(), []);
    again(&mut talk, framework, checkpointing());
    assert_eq!(talk.offers().len(), 1, "what its task held is free");
}

#[test]
fn an_operator_tears_down_a_recovered_framework() {
    let (mut talk, (framework, _), agent) = scene();
    fail_over(&mut talk);
    reregister(&mut talk, framework, agent);
    talk.operator(OperatorCall::Teardown(framework));
    assert_eq!(talk.told(0).pop(), Some(ToAgent::ShutdownFramework(framework)));
    assert_eq!((talk.master.framework_state(framework), noted(&talk, "Recovered {")), (None, 1));
}

#[test]
fn a_framework_that_comes_before_its_agents_keeps_its_id_and_gets_its_tasks() {
    let (mut talk, (framework, _), agent) = scene();
    fail_over(&mut talk);
    again(&mut talk, framework, checkpointing());
    reregister(&mut talk, framework, agent);
    assert_eq!(talk.master.tasks(framework), [(TaskId::new(0), agent, TaskState::Running)]);
    assert_eq!(noted(&talk, "FrameworkRecovered"), 0);
}

#[test]
fn tasks_on_unreachable_agents_are_killed_with_their_framework() {
    let (mut talk, framework, _) = scene();
    talk.master.agent_disconnected(talk.now, mesos::id::Address::new(0), &mut talk.said);
    talk.wait_until(700.0);
    assert_eq!(talk.master.unreachable_tasks(framework.0).len(), 1);
    talk.said.notes.clear();
    talk.call(framework, Call::Teardown).unwrap();
    let killed = format!(
        "TaskState {{ key: {:?}, state: Killed }}",
        TaskKey { framework: framework.0, task: TaskId::new(0) }
    );
    assert_eq!(noted(&talk, &killed), 1, "{:?}", talk.said.notes);
    assert_eq!(noted(&talk, "Recovered"), 0, "what it held is with the agent");
}
