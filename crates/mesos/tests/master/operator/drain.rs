use mesos::{
    call::Call,
    capability::AgentCapabilities,
    event::{FromAgent, ToAgent},
    id::{Address, AgentId, ConnectionId, FrameworkId, Id, StatusId, TaskId},
    maintenance::{Machine, Schedule, Window},
    master::MasterOptions,
    operator::{Answer, Done, OperatorCall},
    registration::{AgentInfo, Reregistration},
    resource::Resources,
    task::{TaskKey, TaskState},
    time::Time,
};

use super::{OK, assert_refused, fail_over, noted, rescinded};
use crate::talk::Talk;

const DRAIN_ORDER: ToAgent = ToAgent::Drain { max_grace_period: Some(600), mark_gone: false };

fn drain(agent: AgentId) -> OperatorCall {
    OperatorCall::DrainAgent { agent, max_grace_period: Some(600), mark_gone: false }
}

fn drain_and_mark_gone(agent: AgentId) -> OperatorCall {
    OperatorCall::DrainAgent { agent, max_grace_period: None, mark_gone: true }
}

fn master() -> Talk {
    Talk::new(MasterOptions::default())
}

/// A task on an agent, which holds half of it.
fn one_task(talk: &mut Talk) -> ((FrameworkId, ConnectionId), AgentId, TaskKey) {
    let framework = talk.framework("a");
    let agent = talk.agent(0, "cpus:4;mem:64");
    let offer = talk.offers().remove(0);
    talk.launch(framework, &offer, 0, "cpus:2;mem:32");
    talk.told(0);
    (framework, agent, TaskKey { framework: framework.0, task: TaskId::new(0) })
}

fn acknowledge(talk: &mut Talk, framework: (FrameworkId, ConnectionId), agent: AgentId, task: TaskId) {
    talk.call(framework, Call::Acknowledge { agent, task, uuid: StatusId(7) }).unwrap();
}

fn is_drained(talk: &Talk, agent: AgentId) -> bool {
    talk.master.drain_info(agent).is_some_and(|drain| drain.drained)
}

fn info(n: usize) -> AgentInfo {
    AgentInfo {
        hostname: format!("host{n}"),
        ip: format!("10.0.0.{n}"),
        resources: Resources::parse("cpus:4;mem:64").unwrap(),
        ..AgentInfo::default()
    }
}

fn comes_back(talk: &mut Talk, n: usize, id: AgentId) {
    let info = info(n);
    let total = info.resources.clone();
    let (frameworks, tasks, executors, operations) = (vec![], vec![], vec![], vec![]);
    let back = Reregistration { id, info, total, frameworks, tasks, executors, operations };
    talk.agent_says(n, FromAgent::Reregister(Box::new(back)));
}

#[test]
fn an_agent_is_drained_when_the_end_of_its_last_task_is_acknowledged() {
    let mut talk = master();
    let (framework, agent, key) = one_task(&mut talk);
    assert_eq!(talk.operator(drain(agent)), OK);
    assert_eq!(talk.told(0), [DRAIN_ORDER]);
    talk.report(0, agent, key, TaskState::Killed, 7);
    assert!(!is_drained(&talk, agent), "nobody has acknowledged the end");
    acknowledge(&mut talk, framework, agent, key.task);
    assert!(is_drained(&talk, agent) && noted(&talk, "AgentDrained"));
    assert!(talk.said.registry.admitted[&agent].drain.unwrap().drained);
}

#[test]
fn an_empty_agent_is_drained_at_once_and_offered_no_more() {
    let mut talk = master();
    let (framework, _) = talk.framework("a");
    let agent = talk.agent(0, "cpus:4;mem:64");
    let offer = talk.offers().remove(0);
    assert_eq!(talk.operator(drain(agent)), OK);
    assert!(is_drained(&talk, agent) && talk.master.is_deactivated(agent));
    assert_eq!(rescinded(&mut talk), [(framework, offer.id)]);
    talk.wait_until(10.0);
    assert_eq!(talk.offers(), []);
}

#[test]
fn a_drained_agent_can_be_marked_gone_by_itself() {
    let mut talk = master();
    let (framework, agent, key) = one_task(&mut talk);
    assert_eq!(talk.operator(drain_and_mark_gone(agent)), OK);
    assert_eq!(talk.told(0), [ToAgent::Drain { max_grace_period: None, mark_gone: true }]);
    talk.report(0, agent, key, TaskState::GoneByOperator, 7);
    acknowledge(&mut talk, framework, agent, key.task);
    assert!(talk.said.registry.gone.contains_key(&agent));
    assert!(talk.master.drain_info(agent).is_none() && talk.master.agent_info(agent).is_none());
}

#[test]
fn what_cannot_be_drained_is_refused() {
    let mut talk = master();
    let old = AgentInfo { capabilities: AgentCapabilities::MULTI_ROLE, ..info(1) };
    talk.agent_says(1, FromAgent::Register(Box::new(old)));
    let incapable = AgentId::new(0);
    let planned = talk.agent(2, "cpus:4");
    let machine = Machine { hostname: "HOST2".into(), ip: "10.0.0.2".into() };
    let window = Window { machines: vec![machine], start: Time::from_secs(100), duration: None };
    let schedule = Schedule { windows: vec![window] };
    assert_eq!(talk.operator(OperatorCall::UpdateMaintenanceSchedule(schedule)), OK);
    assert_refused(&mut talk, drain(AgentId::new(9)), 400, "Unknown agent");
    assert_refused(&mut talk, drain(incapable), 400, "not capable");
    assert_refused(&mut talk, drain(planned), 400, "maintenance schedule");
}

#[test]
fn an_agent_that_is_being_marked_gone_is_not_drained() {
    let mut talk = master();
    let agent = talk.agent(0, "cpus:4");
    talk.said.is_store_slow = true;
    assert_eq!(talk.operator(OperatorCall::MarkAgentGone(agent)), None);
    assert_refused(&mut talk, drain(agent), 409, "being marked gone");
    assert_refused(&mut talk, OperatorCall::MarkAgentGone(agent), 503, "transition");
    talk.store();
    assert_refused(&mut talk, drain(agent), 400, "Unknown agent");
    assert_eq!(talk.operator(OperatorCall::MarkAgentGone(agent)), OK);
    assert_refused(&mut talk, OperatorCall::MarkAgentGone(AgentId::new(9)), 404, "not found");
}

#[test]
fn an_unreachable_agent_hears_of_its_draining_when_it_is_back() {
    let mut talk = master();
    let agent = talk.agent(0, "cpus:4;mem:64");
    talk.master.agent_disconnected(talk.now, Address::new(0), &mut talk.said);
    talk.wait_until(700.0);
    assert!(talk.said.registry.unreachable.contains_key(&agent));
    assert_eq!(talk.operator(drain(agent)), OK);
    talk.told(0);
    comes_back(&mut talk, 0, agent);
    assert!(talk.told(0).contains(&DRAIN_ORDER));
    assert!(is_drained(&talk, agent), "it came back without tasks");
    talk.framework("a");
    talk.wait_until(710.0);
    assert_eq!(talk.offers(), []);
}

#[test]
fn an_agent_that_leaves_forgets_its_draining() {
    let mut talk = master();
    let agent = talk.agent(0, "cpus:4;mem:64");
    talk.operator(drain(agent));
    talk.agent_says(0, FromAgent::Unregister(agent));
    assert!(talk.master.drain_info(agent).is_none() && !talk.master.is_deactivated(agent));
}

#[test]
fn a_deactivated_agent_is_not_offered_while_its_tasks_run_on() {
    let mut talk = master();
    let (framework, agent, _) = one_task(&mut talk);
    talk.wait_until(6.0);
    let offer = talk.offers().remove(0);
    assert_eq!(talk.operator(OperatorCall::DeactivateAgent(agent)), OK);
    assert_eq!(rescinded(&mut talk), [(framework.0, offer.id)]);
    assert_eq!((talk.told(0), talk.master.task_count(framework.0)), (vec![], 1));
    talk.wait_until(20.0);
    assert_eq!(talk.offers(), []);
    assert_refused(&mut talk, OperatorCall::DeactivateAgent(AgentId::new(9)), 400, "Unknown agent");
}

#[test]
fn a_reactivated_agent_is_offered_by_the_next_periodic_allocation() {
    let mut talk = master();
    talk.framework("a");
    let agent = talk.agent(0, "cpus:4;mem:64");
    assert_eq!(talk.operator(drain(agent)), OK);
    talk.wait_until(3.5);
    talk.offers();
    assert_eq!(talk.operator(OperatorCall::ReactivateAgent(agent)), OK);
    assert!(talk.master.drain_info(agent).is_none());
    assert!(talk.said.registry.admitted[&agent].drain.is_none());
    assert_eq!(talk.offers(), []);
    talk.wait_until(4.0);
    assert_eq!(talk.offers().len(), 1);
}

#[test]
fn only_what_is_deactivated_and_not_draining_is_reactivated() {
    let mut talk = master();
    let (_, agent, _) = one_task(&mut talk);
    let reactivate = || OperatorCall::ReactivateAgent(agent);
    assert_refused(&mut talk, reactivate(), 400, "not deactivated");
    talk.operator(drain(agent));
    assert_refused(&mut talk, reactivate(), 400, "still in the DRAINING state");
    assert_refused(&mut talk, OperatorCall::ReactivateAgent(AgentId::new(9)), 400, "Unknown agent");
}

#[test]
fn reactivation_of_an_agent_that_vanishes_meanwhile_conflicts() {
    let mut talk = master();
    let agent = talk.agent(0, "cpus:4;mem:64");
    talk.operator(OperatorCall::DeactivateAgent(agent));
    talk.said.is_store_slow = true;
    talk.agent_says(0, FromAgent::Unregister(agent));
    assert_eq!(talk.operator(OperatorCall::ReactivateAgent(agent)), None);
    talk.store();
    talk.store();
    let answers: Vec<Option<u16>> = talk.said.answers.iter().map(|(_, answer)| status(answer)).collect();
    assert_eq!(answers, [None, Some(409)]);
}

fn status(answer: &Answer) -> Option<u16> {
    match answer {
        Ok(Done::Ok | Done::Accepted) => None,
        Err(refusal) => Some(refusal.status),
    }
}

#[test]
fn drain_and_deactivation_outlive_the_master() {
    let mut talk = master();
    let (_, drained, _) = one_task(&mut talk);
    let deactivated = talk.agent(1, "cpus:4;mem:64");
    talk.operator(drain(drained));
    talk.operator(OperatorCall::DeactivateAgent(deactivated));
    fail_over(&mut talk);
    assert!(!is_drained(&talk, drained) && talk.master.is_deactivated(drained));
    assert!(talk.master.is_deactivated(deactivated));
    comes_back(&mut talk, 0, drained);
    assert!(is_drained(&talk, drained), "it came back without tasks");
}
