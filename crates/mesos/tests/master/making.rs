//! What conversations about resources are made of.

use mesos::{
    call::OperationKind,
    event::{RunTasks, ToAgent},
    id::{AgentId, ConnectionId, FrameworkId},
    master::MasterOptions,
    offer::Offer,
    resource::{
        DiskInfo, Persistence, Reservation, ReservationKind, Resource, ResourceOperation, Resources, Volume,
    },
    task::{Reason, StatusMore, TaskInfo, TaskState, TaskStatus},
};

use super::talk::{Talk, accept, task};

pub(super) type Framework = (FrameworkId, ConnectionId);

pub(super) fn of(text: &str) -> Resources {
    Resources::parse(text).unwrap()
}

/// A dynamic reservation.
pub(super) fn dynamic(role: &str) -> Reservation {
    Reservation { kind: ReservationKind::Dynamic, role: role.into(), principal: None, labels: None }
}

/// These, dynamically reserved.
pub(super) fn reserved(role: &str, text: &str) -> Resources {
    of(text).reserved_further(&dynamic(role))
}

/// A persistent volume on reserved disk.
pub(super) fn volume(role: &str, id: &str, megabytes: u32) -> Resources {
    let disk = DiskInfo {
        source: None,
        persistence: Some(Persistence { id: id.into(), principal: None }),
        volume: Some(Volume { container_path: "data".into(), host_path: None, writable: true }),
    };
    changed(&reserved(role, &format!("disk:{megabytes}")), |resource| {
        resource.with(|detail| detail.disk = Some(disk.clone()))
    })
}

/// The same, for several tasks at once.
pub(super) fn shared(volume: &Resources) -> Resources {
    changed(volume, |resource| resource.with(|detail| detail.shared = true))
}

fn changed(resources: &Resources, change: impl Fn(&Resource) -> Resource) -> Resources {
    Resources::from_entries(resources.entries().map(|(resource, _)| change(&resource))).unwrap()
}

pub(super) fn sum(parts: &[Resources]) -> Resources {
    let mut all = Resources::EMPTY;
    parts.iter().for_each(|part| all += part);
    all
}

pub(super) fn reserve(resources: Resources) -> OperationKind {
    OperationKind::Resources(ResourceOperation::Reserve { source: None, resources })
}

pub(super) fn create(volumes: Resources) -> OperationKind {
    OperationKind::Resources(ResourceOperation::Create { volumes })
}

pub(super) fn destroy(volumes: Resources) -> OperationKind {
    OperationKind::Resources(ResourceOperation::Destroy { volumes })
}

pub(super) fn holding(id: usize, agent: AgentId, resources: Resources) -> TaskInfo {
    TaskInfo { resources, ..task(id, agent, "") }
}

/// One framework of the role `a`, and its offer of one agent.
pub(super) fn offered(resources: &str) -> (Talk, Framework, Offer) {
    let mut talk = Talk::new(MasterOptions::default());
    let framework = talk.framework("a");
    talk.agent(0, resources);
    let offer = talk.offers().remove(0);
    talk.told(0);
    (talk, framework, offer)
}

/// Accepts; what is left is declined for 5 s.
pub(super) fn run(talk: &mut Talk, framework: Framework, offers: &[&Offer], operations: Vec<OperationKind>) {
    let operations = operations.into_iter().map(Into::into).collect();
    talk.call(framework, accept(offers, operations, 5.0)).unwrap();
    books_balance(talk, offers[0].agent);
}

/// What is free and what is held make up what there is, copies of shared volumes aside.
pub(super) fn books_balance(talk: &Talk, agent: AgentId) {
    let shares = talk.master.allocator().agent_shares(agent);
    let mut sum = shares.available.non_shared();
    shares.held.iter().for_each(|(_, _, held)| sum += &held.non_shared());
    assert_eq!(sum, shares.total.non_shared());
}

pub(super) fn held(talk: &Talk, agent: AgentId) -> Resources {
    let shares = talk.master.allocator().agent_shares(agent);
    shares.held.iter().fold(Resources::EMPTY, |mut sum, (_, _, held)| {
        sum += held;
        sum
    })
}

/// What became of the tasks: state, reason, message.
pub(super) fn fates(talk: &mut Talk) -> Vec<(TaskState, Option<Reason>, String)> {
    let message = |more: Option<Box<StatusMore>>| more.and_then(|more| more.message).unwrap_or_default();
    let fate = |status: TaskStatus| (status.state, status.reason, message(status.more));
    talk.updates().into_iter().map(fate).collect()
}

pub(super) fn launched(talk: &mut Talk) -> Vec<RunTasks> {
    let run = |message| if let ToAgent::Run(run) = message { Some(*run) } else { None };
    talk.told(0).into_iter().filter_map(run).collect()
}
