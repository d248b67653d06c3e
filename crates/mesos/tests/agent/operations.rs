use mesos::{
    call::OperationState,
    event::{FromAgent, ToAgent},
    id::{AgentId, Id, OperationId, OperationUuid, StatusId},
    resource::{Reservation, ReservationKind, ResourceOperation, Resources},
    time::Time,
};

use crate::talk::{Talk, framework, resources};

fn reserved(text: &str) -> Resources {
    let (kind, role) = (ReservationKind::Dynamic, "r".into());
    let reservation = Reservation { kind, role, principal: None, labels: None };
    resources(text).reserved_further(&reservation)
}

fn reserve(operation: Option<usize>, text: &str) -> ToAgent {
    ToAgent::ApplyOperation {
        framework: Some(framework()),
        operation: operation.map(OperationId::new),
        uuid: OperationUuid(7),
        what: ResourceOperation::Reserve { source: None, resources: reserved(text) },
    }
}

fn news(state: OperationState, status: Option<u64>) -> FromAgent {
    let (agent, uuid, status) = (AgentId::new(0), OperationUuid(7), status.map(StatusId));
    FromAgent::Operation { agent, uuid, state, message: None, status }
}

#[test]
fn an_operation_changes_what_the_agent_has() {
    let mut talk = Talk::new();
    talk.tell(reserve(None, "cpus:1"));
    assert_eq!(talk.agent.total().reserved(), reserved("cpus:1"));
    assert_eq!(talk.agent.total().get(mesos::resource::ResourceName::Cpus).0, 4000);
    assert_eq!(talk.messages(), [news(OperationState::Finished, None)]);
    assert_eq!(talk.agent.next_timeout(), None);
}

#[test]
fn news_of_an_operation_with_an_id_is_repeated_until_it_is_acknowledged() {
    let mut talk = Talk::new();
    talk.tell(reserve(Some(0), "cpus:1"));
    talk.tell(reserve(Some(0), "cpus:1"));
    assert_eq!(talk.agent.next_timeout(), Some(Time::from_secs(10)));
    talk.wait_until(30);
    assert_eq!(talk.messages(), vec![news(OperationState::Finished, Some(0)); 3]);
    talk.tell(ToAgent::AcknowledgeOperation { uuid: OperationUuid(7), status: StatusId(0) });
    assert_eq!(talk.agent.next_timeout(), None);
}

#[test]
fn an_operation_whose_news_is_not_acknowledged_survives_a_new_registration_and_a_restart() {
    let mut talk = Talk::new();
    talk.tell(reserve(Some(0), "cpus:1"));
    talk.restart(false);
    assert_eq!(talk.agent.total().reserved(), reserved("cpus:1"));
    talk.detect(true);
    talk.wait_until(1);
    let report = talk.reregistration();
    assert_eq!((report.operations.len(), report.operations[0].state), (1, OperationState::Finished));
    talk.reregistered(vec![]);
    assert_eq!(talk.messages(), [news(OperationState::Finished, Some(0))]);
}

#[test]
fn an_operation_on_what_is_not_there_fails() {
    let mut talk = Talk::new();
    talk.tell(reserve(None, "cpus:5"));
    let messages = talk.messages();
    let [FromAgent::Operation { state, message, .. }] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((*state, message.is_some()), (OperationState::Failed, true));
    assert_eq!(*talk.agent.total(), resources("cpus:4;mem:4096"));
}
