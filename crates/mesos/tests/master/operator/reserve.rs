use mesos::{
    event::ToAgent,
    id::{AgentId, Id},
    master::MasterOptions,
    operator::{Answer, Done, OperatorCall},
    resource::{
        Detail, DiskInfo, Name, Persistence, Reservation, ReservationKind, Resource, ResourceName,
        ResourceOperation, Resources, Scalar, Value, Volume,
    },
};

use super::{assert_refused, noted, rescinded};
use crate::talk::Talk;

const ACCEPTED: Option<Answer> = Some(Ok(Done::Accepted));

fn reservation(role: &str) -> Reservation {
    Reservation { kind: ReservationKind::Dynamic, role: role.into(), principal: None, labels: None }
}

fn of(text: &str) -> Resources {
    Resources::parse(text).unwrap()
}

fn reserved(text: &str, role: &str) -> Resources {
    of(text).reserved_further(&reservation(role))
}

fn on(agent: AgentId, operation: ResourceOperation) -> OperatorCall {
    OperatorCall::Resources { agent, operation }
}

fn reserve(agent: AgentId, text: &str, role: &str) -> OperatorCall {
    on(agent, ResourceOperation::Reserve { source: None, resources: reserved(text, role) })
}

fn unreserve(agent: AgentId, text: &str, role: &str) -> OperatorCall {
    on(agent, ResourceOperation::Unreserve { resources: reserved(text, role) })
}

fn volume(megabytes: i64, role: &str) -> Resources {
    let volume = Volume { container_path: "data".into(), host_path: None, writable: true };
    let persistence = Some(Persistence { id: "v".into(), principal: None });
    let detail = Detail {
        reservations: vec![reservation(role)],
        disk: Some(DiskInfo { source: None, persistence, volume: Some(volume) }),
        ..Detail::default()
    };
    let disk = Name::Known(ResourceName::Disk);
    Resources::from_entries([Resource::new(disk, Value::Scalar(Scalar::whole(megabytes)), detail)]).unwrap()
}

fn master() -> Talk {
    Talk::new(MasterOptions::default())
}

#[test]
fn what_is_reserved_is_offered_to_its_role_only() {
    let mut talk = master();
    let agent = talk.agent(0, "cpus:4;mem:64");
    talk.told(0);
    assert_eq!(talk.operator(reserve(agent, "cpus:3;mem:32", "a")), ACCEPTED);
    assert!(noted(&talk, "AgentTotal"));
    assert!(matches!(&talk.told(0)[..], [ToAgent::ApplyOperation { framework: None, operation: None, .. }]));
    talk.framework("b");
    assert_eq!(talk.offers()[0].resources, of("cpus:1;mem:32"));
    talk.framework("a");
    assert_eq!(talk.offers()[0].resources, reserved("cpus:3;mem:32", "a"));
}

#[test]
fn what_is_unreserved_is_everybodys_again() {
    let mut talk = master();
    let agent = talk.agent(0, "cpus:4;mem:64");
    assert_eq!(talk.operator(reserve(agent, "cpus:3", "a")), ACCEPTED);
    assert_eq!(talk.operator(unreserve(agent, "cpus:3", "a")), ACCEPTED);
    talk.framework("b");
    assert_eq!(talk.offers()[0].resources, of("cpus:4;mem:64"));
}

#[test]
fn only_offers_that_are_in_the_way_are_rescinded() {
    let mut talk = master();
    let (a, _) = talk.framework("a");
    talk.framework("b");
    let agent = talk.agent(0, "cpus:2;mem:64;cpus(b):2");
    talk.agent(1, "cpus:4;mem:64");
    let offers = talk.offers();
    assert_eq!(offers.iter().filter(|offer| offer.agent == agent).count(), 2, "{offers:?}");
    let of_a = offers.iter().find(|offer| offer.agent == agent && offer.framework == a).unwrap();
    assert_eq!(talk.operator(reserve(agent, "cpus:1", "c")), ACCEPTED);
    assert_eq!(rescinded(&mut talk), [(a, of_a.id)]);
}

#[test]
fn what_was_rescinded_for_a_reservation_is_not_offered_for_five_seconds() {
    let mut talk = master();
    talk.framework("a");
    let agent = talk.agent(0, "cpus:4;mem:64");
    talk.offers();
    assert_eq!(talk.operator(reserve(agent, "cpus:1", "b")), ACCEPTED);
    talk.wait_until(4.5);
    assert_eq!(talk.offers(), []);
    talk.wait_until(5.0);
    assert_eq!(talk.offers()[0].resources, of("cpus:3;mem:64"));
}

#[test]
fn what_a_task_holds_cannot_be_reserved() {
    let mut talk = master();
    let framework = talk.framework("a");
    let agent = talk.agent(0, "cpus:4;mem:64");
    let offer = talk.offers().remove(0);
    talk.launch(framework, &offer, 0, "cpus:3;mem:32");
    assert_refused(&mut talk, reserve(agent, "cpus:2", "b"), 409, "does not contain");
    assert_eq!(talk.operator(reserve(agent, "cpus:1", "b")), ACCEPTED);
}

#[test]
fn an_operation_that_is_none_is_refused() {
    let mut talk = master();
    let agent = talk.agent(0, "cpus:4;mem:64");
    let plain = ResourceOperation::Reserve { source: None, resources: of("cpus:1") };
    let allocated =
        ResourceOperation::Reserve { source: None, resources: reserved("cpus:1", "a").allocate("a") };
    assert_refused(&mut talk, reserve(AgentId::new(9), "cpus:1", "a"), 400, "No agent found");
    assert_refused(&mut talk, on(agent, plain), 400, "not dynamically reserved");
    assert_refused(&mut talk, on(agent, allocated), 400, "allocated");
    assert_refused(&mut talk, unreserve(agent, "cpus:1", "a"), 409, "does not contain");
    let volumes = volume(10, "a");
    assert_refused(&mut talk, on(agent, ResourceOperation::Destroy { volumes }), 400, "not found");
}

#[test]
fn resources_can_be_reserved_for_another_role_in_one_step() {
    let mut talk = master();
    let agent = talk.agent(0, "cpus:4;mem:64");
    assert_eq!(talk.operator(reserve(agent, "cpus:2", "a")), ACCEPTED);
    let again = |from, to| ResourceOperation::Reserve { source: Some(from), resources: to };
    let fewer = again(reserved("cpus:2", "a"), reserved("cpus:1", "b"));
    assert_refused(&mut talk, on(agent, fewer), 400, "same quantities");
    let call = on(agent, again(reserved("cpus:2", "a"), reserved("cpus:2", "b")));
    assert_eq!(talk.operator(call), ACCEPTED);
    let total = talk.master.allocator().agent_shares(agent).total;
    assert!(total.contains(&reserved("cpus:2", "b")) && total.reserved_to("a").is_empty());
}

#[test]
fn a_volume_is_made_grown_shrunk_and_destroyed() {
    let mut talk = master();
    let agent = talk.agent(0, "cpus:4;disk:100");
    assert_eq!(talk.operator(reserve(agent, "disk:50", "a")), ACCEPTED);
    let total = |talk: &Talk| talk.master.allocator().agent_shares(agent).total;
    let steps = [
        (ResourceOperation::Create { volumes: volume(20, "a") }, 20),
        (ResourceOperation::GrowVolume { volume: volume(20, "a"), addition: reserved("disk:10", "a") }, 30),
        (ResourceOperation::ShrinkVolume { volume: volume(30, "a"), subtract: Scalar::whole(25) }, 5),
    ];
    for (operation, size) in steps {
        assert_eq!(talk.operator(on(agent, operation)), ACCEPTED);
        assert_eq!(total(&talk).persistent_volumes(), volume(size, "a"));
    }
    assert_eq!(talk.operator(on(agent, ResourceOperation::Destroy { volumes: volume(5, "a") })), ACCEPTED);
    assert_eq!(total(&talk).reserved(), reserved("disk:50", "a"));
}
