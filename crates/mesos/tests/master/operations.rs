//! Operations on resources: their news, acknowledgements, and reconciliation.

use mesos::{
    allocator::Ascending,
    call::{Call, Operation, OperationState, OperationStatus, Subscribe},
    capability::AgentCapabilities,
    event::{Event, FromAgent, ToAgent},
    id::{Address, AgentId, Id, OperationId, OperationUuid, StatusId},
    master::{Master, MasterOptions},
    offer::Offer,
    operator::OperatorCall,
    registration::{AgentInfo, OperationReport, Reregistration},
    resource::ResourceOperation,
};

use super::{
    making::{Framework, books_balance, of, offered, reserve, reserved, run},
    talk::{Talk, accept, subscription},
};

const NAME: usize = 7;

/// Reserves one CPU under a name; which number the master gave the operation.
fn reserve_one(talk: &mut Talk, framework: Framework, offer: &Offer) -> OperationUuid {
    let operation = Operation { id: Some(OperationId::new(NAME)), what: reserve(reserved("a", "cpus:1")) };
    talk.call(framework, accept(&[offer], vec![operation], 5.0)).unwrap();
    books_balance(talk, offer.agent);
    let uuid = |message| if let ToAgent::ApplyOperation { uuid, .. } = message { Some(uuid) } else { None };
    talk.told(0).into_iter().find_map(uuid).expect("the agent is told")
}

fn said(talk: &mut Talk) -> Vec<OperationStatus> {
    let status = |event| if let Event::UpdateOperation(status) = event { Some(*status) } else { None };
    std::mem::take(&mut talk.said.events).into_iter().filter_map(|(_, _, event)| status(event)).collect()
}

fn update(talk: &mut Talk, agent: AgentId, uuid: OperationUuid, state: OperationState, status: Option<u64>) {
    let (message, status) = (None, status.map(StatusId));
    talk.agent_says(0, FromAgent::Operation { agent, uuid, state, message, status });
}

fn acknowledge(talk: &mut Talk, framework: Framework, agent: AgentId, status: u64) {
    let (operation, uuid) = (OperationId::new(NAME), StatusId(status));
    talk.call(framework, Call::AcknowledgeOperation { agent, operation, uuid }).unwrap();
}

/// What the master says of the operation when it is asked, naming this agent.
fn state(talk: &mut Talk, framework: Framework, agent: Option<AgentId>) -> OperationState {
    said(talk);
    let operations = vec![(OperationId::new(NAME), agent)];
    talk.call(framework, Call::ReconcileOperations { operations }).unwrap();
    let status = said(talk).remove(0);
    assert_eq!(status.status, None, "nobody acknowledges an answer");
    status.state
}

#[test]
fn news_of_an_operation_is_passed_on_until_it_is_acknowledged() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    let uuid = reserve_one(&mut talk, framework, &offer);
    assert_eq!(state(&mut talk, framework, None), OperationState::Pending);
    update(&mut talk, offer.agent, uuid, OperationState::Finished, Some(3));
    let news = said(&mut talk).remove(0);
    assert_eq!((news.operation, news.uuid), (Some(OperationId::new(NAME)), Some(uuid)));
    assert_eq!(
        (news.state, news.status, news.agent),
        (OperationState::Finished, Some(StatusId(3)), Some(offer.agent))
    );
    update(&mut talk, offer.agent, uuid, OperationState::Finished, Some(3));
    assert_eq!(said(&mut talk).len(), 1, "the agent says it again until it is acknowledged");
    assert_eq!(state(&mut talk, framework, None), OperationState::Finished);
    acknowledge(&mut talk, framework, offer.agent, 99);
    assert!(talk.told(0).is_empty(), "never sent, not passed on");
    acknowledge(&mut talk, framework, offer.agent, 3);
    assert_eq!(talk.told(0), [ToAgent::AcknowledgeOperation { uuid, status: StatusId(3) }]);
    assert_eq!(state(&mut talk, framework, Some(offer.agent)), OperationState::Unknown);
}

#[test]
fn an_operation_without_an_id_ends_with_the_news_of_its_end() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    run(&mut talk, framework, &[&offer], vec![reserve(reserved("a", "cpus:1"))]);
    let uuid = OperationUuid(0);
    update(&mut talk, offer.agent, uuid, OperationState::Finished, Some(3));
    assert_eq!(said(&mut talk), []);
    let acknowledged = ToAgent::AcknowledgeOperation { uuid, status: StatusId(3) };
    assert!(talk.told(0).contains(&acknowledged), "the master itself, for nobody else will");
    talk.call(framework, Call::ReconcileOperations { operations: vec![] }).unwrap();
    assert_eq!(said(&mut talk), []);
}

#[test]
fn a_failure_on_the_agent_is_told_and_nothing_is_rolled_back() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    let uuid = reserve_one(&mut talk, framework, &offer);
    update(&mut talk, offer.agent, uuid, OperationState::Failed, None);
    assert_eq!(said(&mut talk)[0].state, OperationState::Failed);
    let total = talk.master.allocator().agent_shares(offer.agent).total;
    assert_eq!(total.reserved(), reserved("a", "cpus:1"));
    assert_eq!(
        state(&mut talk, framework, Some(offer.agent)),
        OperationState::Unknown,
        "nothing to acknowledge"
    );
}

#[test]
fn implicit_reconciliation_names_every_operation_with_an_id() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    reserve_one(&mut talk, framework, &offer);
    said(&mut talk);
    talk.call(framework, Call::ReconcileOperations { operations: vec![] }).unwrap();
    let answers = said(&mut talk);
    assert_eq!((answers.len(), answers[0].state), (1, OperationState::Pending));
}

#[test]
fn an_operation_on_stale_offers_is_an_error() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    talk.call(framework, Call::Decline { offers: vec![offer.id], filters: None }).unwrap();
    let operation = Operation { id: Some(OperationId::new(NAME)), what: reserve(reserved("a", "cpus:1")) };
    talk.call(framework, accept(&[&offer], vec![operation], 5.0)).unwrap();
    let status = said(&mut talk).remove(0);
    assert_eq!((status.state, status.status, status.uuid), (OperationState::Error, None, None));
    let expected = "ACCEPT call used invalid offers: Offer O0 is no longer valid";
    assert_eq!(status.message.as_deref(), Some(expected));
}

#[test]
fn an_agent_that_does_not_report_takes_no_operation_with_an_id() {
    let mut talk = Talk::new(MasterOptions::default());
    let framework = talk.framework("a");
    let capabilities = AgentCapabilities::MULTI_ROLE.and(AgentCapabilities::RESOURCE_PROVIDER);
    let info = AgentInfo { resources: of("cpus:4;mem:1024"), capabilities, ..AgentInfo::default() };
    talk.agent_says(0, FromAgent::Register(Box::new(info)));
    let offer = talk.offers().remove(0);
    let operation = Operation { id: Some(OperationId::new(NAME)), what: reserve(reserved("a", "cpus:1")) };
    talk.call(framework, accept(&[&offer], vec![operation], 5.0)).unwrap();
    let status = said(&mut talk).remove(0);
    assert_eq!(status.state, OperationState::Error);
    assert!(status.message.unwrap().ends_with("the required AGENT_OPERATION_FEEDBACK capability"));
    assert!(!talk.master.allocator().agent_shares(offer.agent).total.has_reservations());
}

#[test]
fn operations_of_a_framework_that_is_gone_are_acknowledged_by_the_master() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    let uuid = reserve_one(&mut talk, framework, &offer);
    talk.call(framework, Call::Teardown).unwrap();
    talk.told(0);
    update(&mut talk, offer.agent, uuid, OperationState::Finished, Some(3));
    assert_eq!(talk.told(0), [ToAgent::AcknowledgeOperation { uuid, status: StatusId(3) }]);
    books_balance(&talk, offer.agent);
}

#[test]
fn an_agent_that_does_not_answer_takes_its_operations_along() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    reserve_one(&mut talk, framework, &offer);
    talk.wait_until(100.0);
    let news: Vec<_> = said(&mut talk).iter().map(|status| status.state).collect();
    assert_eq!(news, [OperationState::Unreachable]);
    assert_eq!(state(&mut talk, framework, Some(offer.agent)), OperationState::Unreachable);
    assert_eq!(state(&mut talk, framework, None), OperationState::Unknown);
}

#[test]
fn an_agent_that_is_gone_takes_its_operations_along() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    reserve_one(&mut talk, framework, &offer);
    talk.operator(OperatorCall::MarkAgentGone(offer.agent));
    let news: Vec<_> = said(&mut talk).iter().map(|status| status.state).collect();
    assert_eq!(news, [OperationState::GoneByOperator]);
    assert_eq!(state(&mut talk, framework, Some(offer.agent)), OperationState::GoneByOperator);
}

#[test]
fn an_operation_that_nobody_knows_is_where_its_agent_is() {
    let (mut talk, (framework, _), offer) = offered("cpus:4;mem:1024");
    let (identities, order) = (talk.master.identities(), Box::new(Ascending));
    let options = MasterOptions::default();
    talk.master = Master::recover(options, order, &talk.said.registry, &identities, talk.now).unwrap();
    let framework = talk.subscribe(Subscribe { id: Some(framework), ..subscription("a") });
    let [known, unknown] = [offer.agent, AgentId::new(9)].map(Some);
    assert_eq!(state(&mut talk, framework, known), OperationState::Recovering);
    assert_eq!(state(&mut talk, framework, None), OperationState::Recovering);
    assert_eq!(state(&mut talk, framework, unknown), OperationState::Unknown);
    comes_back(&mut talk, framework, offer.agent, None);
    assert_eq!(state(&mut talk, framework, known), OperationState::Unknown);
    assert_eq!(state(&mut talk, framework, None), OperationState::Unknown);
}

/// The agent comes back, with or without the operation that it was told.
fn comes_back(talk: &mut Talk, framework: Framework, agent: AgentId, known: Option<OperationUuid>) {
    let mut total = of("cpus:3;mem:1024");
    total += &reserved("a", "cpus:1");
    let report = |uuid| OperationReport {
        framework: Some(framework.0),
        operation: Some(OperationId::new(NAME)),
        uuid,
        what: ResourceOperation::Reserve { source: None, resources: reserved("a", "cpus:1") },
        state: OperationState::Finished,
    };
    let info = AgentInfo {
        hostname: "host0".into(),
        ip: "10.0.0.0".into(),
        resources: of("cpus:4;mem:1024"),
        ..AgentInfo::default()
    };
    let back = Reregistration {
        id: agent,
        info,
        total,
        frameworks: vec![],
        tasks: vec![],
        executors: vec![],
        operations: known.map(report).into_iter().collect(),
    };
    talk.agent_says(0, FromAgent::Reregister(Box::new(back)));
}

#[test]
fn an_operation_that_never_reached_its_agent_is_dropped_when_that_is_back() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    reserve_one(&mut talk, framework, &offer);
    comes_back(&mut talk, framework, offer.agent, None);
    assert_eq!(said(&mut talk), [], "it may be on its way");
    talk.master.agent_disconnected(talk.now, Address::new(0), &mut talk.said);
    comes_back(&mut talk, framework, offer.agent, None);
    let news: Vec<_> = said(&mut talk).iter().map(|status| status.state).collect();
    assert_eq!(news, [OperationState::Dropped]);
}

#[test]
fn an_operation_is_known_again_from_an_agent_that_comes_back() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    let uuid = reserve_one(&mut talk, framework, &offer);
    talk.wait_until(100.0);
    comes_back(&mut talk, framework, offer.agent, Some(uuid));
    assert_eq!(state(&mut talk, framework, Some(offer.agent)), OperationState::Finished);
    update(&mut talk, offer.agent, uuid, OperationState::Finished, Some(4));
    acknowledge(&mut talk, framework, offer.agent, 4);
    assert_eq!(state(&mut talk, framework, Some(offer.agent)), OperationState::Unknown);
}
