//! Offers: how they are made, taken, refused, and taken back.

use mesos::{
    allocator::Allocator,
    call::{Call, FrameworkInfo, OperationKind, Subscribe},
    capability::Capabilities,
    event::{Event, FromAgent, StatusUpdate},
    id::{AgentId, ConnectionId, FrameworkId, Id, OfferId, StatusId, TaskId},
    master::MasterOptions,
    offer::{Filters, Offer},
    operator::{Done, OperatorCall},
    resource::{ResourceName, Resources},
    task::{Reason, Source, TaskKey, TaskState},
    time::{Span, Time},
};

use super::talk::{Talk, accept, task};

type Caller = (FrameworkId, ConnectionId);

fn of(text: &str) -> Resources {
    Resources::parse(text).unwrap()
}

fn talk() -> Talk {
    Talk::new(MasterOptions::default())
}

fn info(role: &str, capabilities: Capabilities) -> FrameworkInfo {
    FrameworkInfo {
        name: role.into(),
        roles: vec![role.into()],
        capabilities: capabilities.and(Capabilities::MULTI_ROLE),
        ..FrameworkInfo::default()
    }
}

/// A framework that does not know of partitions.
fn subscribe(talk: &mut Talk, role: &str) -> Caller {
    talk.subscribe(Subscribe { info: info(role, Capabilities::NONE), ..Subscribe::default() })
}

/// An agent whose pings are answered elsewhere.
fn register(talk: &mut Talk, n: usize, resources: &str) -> AgentId {
    let agent = talk.agent(n, resources);
    talk.master.trust(talk.now, agent);
    agent
}

fn launch(offer: &Offer, id: usize, resources: &str, refuse_seconds: f64) -> Call {
    let task = task(id, offer.agent, resources);
    accept(&[offer], vec![OperationKind::Launch(vec![task]).into()], refuse_seconds)
}

fn decline(offers: &[Offer], refuse_seconds: f64) -> Call {
    let offers = offers.iter().map(|offer| offer.id).collect();
    Call::Decline { offers, filters: Some(Filters { refuse_seconds }) }
}

/// An update of a task of the agent at address 0.
fn update(talk: &mut Talk, agent: AgentId, key: TaskKey, state: TaskState, latest: TaskState, uuid: u64) {
    let (source, timestamp, uuid) = (Source::Executor, talk.now, Some(StatusId(uuid)));
    let update = StatusUpdate { key, state, latest, source, reason: None, uuid, timestamp, more: None };
    talk.agent_says(0, FromAgent::Update(agent, update));
}

fn tick(talk: &mut Talk, second: u64) -> Vec<Offer> {
    talk.now = Time::from_secs(second);
    talk.master.handle_timeout(talk.now, &mut talk.said);
    talk.offers()
}

fn states(talk: &mut Talk) -> Vec<(TaskState, Option<Reason>)> {
    talk.updates().into_iter().map(|status| (status.state, status.reason)).collect()
}

/// DRF, NSDI'11, running example: 9 CPUs and 18 GB; A's tasks take <1 CPU, 4 GB>, B's <3 CPU, 1 GB>; B first in a tie.
#[test]
fn the_running_example_of_the_drf_paper_step_by_step() {
    let mut talk = talk();
    let b = subscribe(&mut talk, "1-b");
    let a = subscribe(&mut talk, "2-a");
    register(&mut talk, 0, "cpus:9;mem:18432");
    let mut offers = talk.offers();
    let mut steps = Vec::new();
    for step in 0..5 {
        let [offer] = &offers[..] else { panic!("{offers:?}") };
        let (user, caller, task) = match offer.framework == a.0 {
            true => ("A", a, "cpus:1;mem:4096"),
            false => ("B", b, "cpus:3;mem:1024"),
        };
        talk.call(caller, launch(offer, step as usize, task, 0.0)).unwrap();
        let free = talk.master.allocator().agent_shares(offer.agent).available;
        let used = |name, whole: f64| whole - free.get(name).as_f64();
        let share = talk.master.allocator().dominant_share(offer.role).unwrap();
        steps.push((user, share, used(ResourceName::Cpus, 9.0), used(ResourceName::Mem, 18432.0) / 1024.0));
        offers = tick(&mut talk, step + 1);
    }
    let third = 1.0 / 3.0;
    assert_eq!(
        steps,
        [
            ("B", third, 3.0, 1.0),
            ("A", 2.0 / 9.0, 4.0, 5.0),
            ("A", 4.0 / 9.0, 5.0, 9.0),
            ("B", 2.0 * third, 8.0, 10.0),
            ("A", 2.0 * third, 9.0, 14.0),
        ]
    );
    assert_eq!((talk.master.task_count(a.0), talk.master.task_count(b.0)), (3, 2));
}

#[test]
fn declined_resources_return_after_the_filter_expires() {
    for (refuse_seconds, comes_back_at) in
        [(0.0, 1), (1.0, 2), (0.3, 2), (2.0, 2), (1.5, 2), (3.0, 3), (-1.0, 5)]
    {
        let mut talk = talk();
        let framework = subscribe(&mut talk, "a");
        register(&mut talk, 0, "cpus:4;mem:64");
        let offers = talk.offers();
        talk.call(framework, decline(&offers, refuse_seconds)).unwrap();
        let first = (1..10).find(|&second| !tick(&mut talk, second).is_empty());
        assert_eq!(first, Some(comes_back_at), "refused for {refuse_seconds} s");
    }
}

#[test]
fn unknown_offers_in_a_decline_are_passed_over() {
    let mut talk = talk();
    let framework = subscribe(&mut talk, "a");
    register(&mut talk, 0, "cpus:4;mem:64");
    let offer = talk.offers().remove(0);
    let offers = vec![OfferId(99), offer.id, offer.id];
    talk.call(framework, Call::Decline { offers, filters: Some(Filters::NONE) }).unwrap();
    assert_eq!(talk.said.events, []);
    assert_eq!(tick(&mut talk, 1).len(), 1);
}

#[test]
fn nobody_declines_the_offers_of_others() {
    let mut talk = talk();
    let (a, b) = (subscribe(&mut talk, "a"), subscribe(&mut talk, "b"));
    register(&mut talk, 0, "cpus:4;mem:64");
    let offers = talk.offers();
    assert_eq!(offers[0].framework, a.0);
    talk.call(b, decline(&offers, 0.0)).unwrap();
    assert_eq!(talk.master.outstanding_offers(), 1);
}

#[test]
fn the_master_wakes_only_for_a_periodic_allocation_that_could_give_something() {
    let mut talk = talk();
    let framework = subscribe(&mut talk, "a");
    assert_eq!(talk.master.next_timeout(talk.now), None);
    register(&mut talk, 0, "cpus:4;mem:64");
    assert_eq!(talk.master.next_timeout(talk.now), None, "all is offered");
    let offers = talk.offers();
    talk.now = Time::from_secs(7);
    talk.call(framework, decline(&offers, 3600.0)).unwrap();
    assert_eq!(tick(&mut talk, 8), []);
    assert_eq!(talk.master.next_timeout(talk.now), Some(Time::from_secs(3607)));
    talk.now = Time::from_secs(9);
    talk.call(framework, Call::Suppress { roles: vec![] }).unwrap();
    assert_eq!(talk.master.next_timeout(talk.now), None, "nobody wants anything");
    talk.now = Time::from_secs(10);
    talk.call(framework, Call::Revive { roles: vec![] }).unwrap();
    assert_eq!(talk.offers().len(), 1);
    assert_eq!(talk.master.allocator().allocation_runs(talk.now), 10 + 3);
}

#[test]
fn a_filter_hides_only_what_it_contains() {
    let mut talk = talk();
    let framework = subscribe(&mut talk, "a");
    let agent = register(&mut talk, 0, "cpus:4;mem:64");
    let offer = talk.offers().remove(0);
    talk.call(framework, launch(&offer, 0, "cpus:1;mem:16", 1000.0)).unwrap();
    assert_eq!(tick(&mut talk, 1), []);
    let key = TaskKey { framework: framework.0, task: TaskId::new(0) };
    update(&mut talk, agent, key, TaskState::Finished, TaskState::Finished, 0);
    let again = tick(&mut talk, 2);
    assert_eq!(again[0].resources, of("cpus:4;mem:64"), "more is free than was refused");
}

#[test]
fn a_task_is_forgotten_when_its_end_is_acknowledged() {
    let mut talk = talk();
    let framework = subscribe(&mut talk, "a");
    let agent = register(&mut talk, 0, "cpus:4;mem:64");
    let offer = talk.offers().remove(0);
    talk.call(framework, launch(&offer, 0, "cpus:4;mem:64", 0.0)).unwrap();
    let key = TaskKey { framework: framework.0, task: TaskId::new(0) };
    update(&mut talk, agent, key, TaskState::Running, TaskState::Finished, 0);
    assert_eq!(tick(&mut talk, 1).len(), 1, "resources are free once the task is known to be over");
    let acknowledge = |uuid| Call::Acknowledge { agent, task: key.task, uuid: StatusId(uuid) };
    talk.call(framework, acknowledge(0)).unwrap();
    assert_eq!(talk.master.task_count(framework.0), 1);
    update(&mut talk, agent, key, TaskState::Finished, TaskState::Finished, 1);
    talk.call(framework, acknowledge(1)).unwrap();
    assert_eq!(talk.master.task_count(framework.0), 0);
}

#[test]
fn invalid_offers_cost_the_whole_accept_but_give_everything_back() {
    let mut talk = talk();
    let framework = subscribe(&mut talk, "a");
    register(&mut talk, 0, "cpus:4;mem:64");
    let offer = talk.offers().remove(0);
    let mut call = launch(&offer, 0, "cpus:1", 5.0);
    if let Call::Accept { offers, .. } = &mut call {
        offers.push(OfferId(99));
    }
    talk.call(framework, call).unwrap();
    assert_eq!(states(&mut talk), [(TaskState::Lost, Some(Reason::InvalidOffers))]);
    assert_eq!(tick(&mut talk, 1).len(), 1, "without a filter");
}

#[test]
fn a_task_that_does_not_fit_its_offer_is_an_error() {
    let mut talk = talk();
    let framework = subscribe(&mut talk, "a");
    register(&mut talk, 0, "cpus:4;mem:64");
    let offer = talk.offers().remove(0);
    talk.call(framework, launch(&offer, 0, "cpus:5", 0.0)).unwrap();
    assert_eq!(states(&mut talk), [(TaskState::Error, Some(Reason::TaskInvalid))]);
    assert_eq!(tick(&mut talk, 1)[0].resources, of("cpus:4;mem:64"));
}

#[test]
fn an_unanswered_offer_is_rescinded_after_the_offer_timeout() {
    let offer_timeout = Some(Span::from_secs(30));
    let mut talk = Talk::new(MasterOptions { offer_timeout, ..MasterOptions::default() });
    let framework = subscribe(&mut talk, "a");
    register(&mut talk, 0, "cpus:4;mem:64");
    let offer = talk.offers().remove(0);
    assert_eq!(talk.master.next_timeout(talk.now), Some(Time::from_secs(30)));
    talk.now = Time::from_secs(30);
    talk.master.handle_timeout(talk.now, &mut talk.said);
    assert_eq!(talk.said.events[0], (framework.0, framework.1, Event::Rescind(offer.id)));
    assert_eq!(talk.offers().len(), 1, "the same tick offers it again");
}

#[test]
fn agents_with_gpus_are_hidden_from_frameworks_that_do_not_know_them() {
    let mut talk = talk();
    subscribe(&mut talk, "a");
    register(&mut talk, 0, "cpus:4;mem:64;gpus:1");
    assert_eq!(talk.offers(), []);
    let info = info("g", Capabilities::GPU_RESOURCES);
    let knows = talk.subscribe(Subscribe { info, ..Subscribe::default() });
    assert_eq!(talk.offers()[0].framework, knows.0);
}

#[test]
fn a_weight_of_two_doubles_the_share() {
    let mut talk = talk();
    let heavy = subscribe(&mut talk, "heavy").0;
    let light = subscribe(&mut talk, "light").0;
    assert_eq!(talk.operator(OperatorCall::UpdateWeights(vec![("heavy".into(), 2.0)])), Some(Ok(Done::Ok)));
    (0..9).for_each(|n| {
        register(&mut talk, n, "cpus:1;mem:64");
    });
    let offers = talk.offers();
    let count = |framework| offers.iter().filter(|offer| offer.framework == framework).count();
    assert_eq!((count(heavy), count(light)), (6, 3));
}

#[test]
fn a_subscription_with_a_bad_role_is_refused() {
    let mut talk = talk();
    let info = info("a//b", Capabilities::NONE);
    let connection = talk.try_subscribe(Subscribe { info, ..Subscribe::default() });
    let [(_, of, Event::Error(_))] = &talk.said.events[..] else { panic!("{:?}", talk.said.events) };
    assert_eq!((*of, &talk.said.closed[..]), (connection, &[connection][..]));
    assert_eq!(talk.master.frameworks().count(), 0);
}
