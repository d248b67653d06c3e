//! The master as a framework sees it: a hand-driven conversation, one step at a time.

use mesos::{
    allocator::{Allocator, Ascending},
    call::{Call, FrameworkInfo, Operation},
    capability::Capabilities,
    effects::{MasterEffects, Note},
    event::{Event, FromAgent, ToAgent},
    id::{AgentId, FrameworkId, Id, OfferId, StatusId, TaskId},
    master::{AgentInfo, Master, MasterOptions},
    offer::{Filters, Offer},
    resource::{ResourceName, Resources, parse_quantities},
    task::{Reason, TaskInfo, TaskKey, TaskState},
    time::{Span, Time},
};

/// Everything the master said since somebody last looked.
#[derive(Default)]
struct Said {
    events: Vec<(FrameworkId, Event)>,
    to_agents: Vec<(AgentId, ToAgent)>,
}

impl MasterEffects for Said {
    fn send_event(&mut self, framework: FrameworkId, event: Event) {
        self.events.push((framework, event));
    }
    fn send_to_agent(&mut self, agent: AgentId, message: ToAgent) {
        self.to_agents.push((agent, message));
    }
    fn note(&mut self, _: Note<'_>) {}
}

impl Said {
    fn offers(&mut self) -> Vec<Offer> {
        let events = std::mem::take(&mut self.events);
        events
            .into_iter()
            .flat_map(|(_, event)| if let Event::Offers(offers) = event { offers } else { vec![] })
            .collect()
    }

    fn updates(&mut self) -> Vec<(TaskState, Option<Reason>)> {
        let events = std::mem::take(&mut self.events);
        let status = |event| {
            if let Event::Update(status) = event { Some((status.state, status.reason)) } else { None }
        };
        events.into_iter().filter_map(|(_, event)| status(event)).collect()
    }
}

fn of(text: &str) -> Resources {
    Resources::of(parse_quantities(text).unwrap())
}

fn master(options: MasterOptions) -> Master {
    Master::new(options, Box::new(Ascending))
}

fn subscribe(master: &mut Master, role: &str, out: &mut Said) -> FrameworkId {
    let capabilities = Capabilities::MULTI_ROLE;
    let info = FrameworkInfo { name: role.into(), roles: vec![role.into()], capabilities };
    master.subscribe(Time::ZERO, info, out).unwrap()
}

fn register(master: &mut Master, resources: &str, out: &mut Said) -> AgentId {
    let info = AgentInfo { hostname: "host".into(), resources: of(resources), attributes: vec![] };
    master.register_agent(Time::ZERO, info, out)
}

fn launch(offer: &Offer, task: usize, resources: &str, filters: Filters) -> Call {
    let task = TaskInfo { id: TaskId::new(task), agent: offer.agent, resources: of(resources), data: 0 };
    Call::Accept {
        offers: vec![offer.id],
        operations: vec![Operation::Launch(vec![task])],
        filters: Some(filters),
    }
}

fn decline(offers: &[Offer], refuse_seconds: f64) -> Call {
    Call::Decline {
        offers: offers.iter().map(|offer| offer.id).collect(),
        filters: Some(Filters { refuse_seconds }),
    }
}

fn tick(master: &mut Master, second: u64, out: &mut Said) -> Vec<Offer> {
    master.handle_timeout(Time::from_secs(second), out);
    out.offers()
}

/// DRF, NSDI'11, running example: 9 CPUs and 18 GB; A's tasks take <1 CPU, 4 GB>, B's <3 CPU, 1 GB>; B first in a tie.
#[test]
fn the_running_example_of_the_drf_paper_step_by_step() {
    let mut out = Said::default();
    let mut master = master(MasterOptions::default());
    let b = subscribe(&mut master, "1-b", &mut out);
    let a = subscribe(&mut master, "2-a", &mut out);
    register(&mut master, "cpus:9;mem:18432", &mut out);
    let mut offers = out.offers();
    let mut steps = Vec::new();
    for step in 0..5 {
        let [offer] = &offers[..] else { panic!("{offers:?}") };
        let task = if offer.framework == a { "cpus:1;mem:4096" } else { "cpus:3;mem:1024" };
        master.handle_call(
            Time::from_secs(step),
            offer.framework,
            launch(offer, step as usize, task, Filters::NONE),
            &mut out,
        );
        let free = master.allocator().agent_shares(offer.agent).available;
        let used = |name, whole: f64| whole - free.get(name).as_f64();
        let share = master.allocator().dominant_share(offer.role).unwrap();
        let user = if offer.framework == b { "B" } else { "A" };
        steps.push((user, share, used(ResourceName::Cpus, 9.0), used(ResourceName::Mem, 18432.0) / 1024.0));
        offers = tick(&mut master, step + 1, &mut out);
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
    assert_eq!((master.task_count(a), master.task_count(b)), (3, 2));
}

#[test]
fn declined_resources_return_after_the_filter_expires() {
    for (refuse_seconds, comes_back_at) in
        [(0.0, 1), (1.0, 2), (0.3, 2), (2.0, 2), (1.5, 2), (3.0, 3), (-1.0, 5)]
    {
        let mut out = Said::default();
        let mut master = master(MasterOptions::default());
        let framework = subscribe(&mut master, "a", &mut out);
        register(&mut master, "cpus:4;mem:64", &mut out);
        master.handle_call(Time::ZERO, framework, decline(&out.offers(), refuse_seconds), &mut out);
        let first = (1..10).find(|&second| !tick(&mut master, second, &mut out).is_empty());
        assert_eq!(first, Some(comes_back_at), "refused for {refuse_seconds} s");
    }
}

#[test]
fn the_master_wakes_only_for_a_periodic_allocation_that_could_give_something() {
    let mut out = Said::default();
    let mut master = master(MasterOptions::default());
    let framework = subscribe(&mut master, "a", &mut out);
    assert_eq!(master.next_timeout(Time::ZERO), None);
    register(&mut master, "cpus:4;mem:64", &mut out);
    assert_eq!(master.next_timeout(Time::ZERO), None, "all is offered");
    master.handle_call(Time::from_secs(7), framework, decline(&out.offers(), 3600.0), &mut out);
    assert_eq!(tick(&mut master, 8, &mut out), []);
    assert_eq!(master.next_timeout(Time::from_secs(8)), Some(Time::from_secs(3607)));
    master.handle_call(Time::from_secs(9), framework, Call::Suppress, &mut out);
    assert_eq!(master.next_timeout(Time::from_secs(9)), None, "nobody wants anything");
    master.handle_call(Time::from_secs(10), framework, Call::Revive, &mut out);
    assert_eq!(out.offers().len(), 1);
    assert_eq!(master.allocator().allocation_runs(Time::from_secs(10)), 10 + 3);
}

#[test]
fn a_filter_hides_only_what_it_contains() {
    let mut out = Said::default();
    let mut master = master(MasterOptions::default());
    let framework = subscribe(&mut master, "a", &mut out);
    let agent = register(&mut master, "cpus:4;mem:64", &mut out);
    let offer = out.offers().remove(0);
    master.handle_call(
        Time::ZERO,
        framework,
        launch(&offer, 0, "cpus:1;mem:16", Filters { refuse_seconds: 1000.0 }),
        &mut out,
    );
    assert_eq!(tick(&mut master, 1, &mut out), []);
    let key = TaskKey { framework, task: TaskId::new(0) };
    let over =
        FromAgent::Update { key, state: TaskState::Finished, latest: TaskState::Finished, uuid: StatusId(0) };
    master.handle_agent(Time::from_secs(1), agent, over, &mut out);
    let again = tick(&mut master, 2, &mut out);
    assert_eq!(again[0].resources, of("cpus:4;mem:64"), "more is free than was refused");
}

#[test]
fn a_task_is_forgotten_when_its_end_is_acknowledged() {
    let mut out = Said::default();
    let mut master = master(MasterOptions::default());
    let framework = subscribe(&mut master, "a", &mut out);
    let agent = register(&mut master, "cpus:4;mem:64", &mut out);
    let offer = out.offers().remove(0);
    master.handle_call(Time::ZERO, framework, launch(&offer, 0, "cpus:4;mem:64", Filters::NONE), &mut out);
    let key = TaskKey { framework, task: TaskId::new(0) };
    let (state, latest) = (TaskState::Running, TaskState::Finished);
    master.handle_agent(
        Time::ZERO,
        agent,
        FromAgent::Update { key, state, latest, uuid: StatusId(0) },
        &mut out,
    );
    assert_eq!(
        tick(&mut master, 1, &mut out).len(),
        1,
        "resources are free once the task is known to be over"
    );
    let acknowledge = |uuid| Call::Acknowledge { agent, task: key.task, uuid: StatusId(uuid) };
    master.handle_call(Time::ZERO, framework, acknowledge(0), &mut out);
    assert_eq!(master.task_count(framework), 1);
    master.handle_agent(
        Time::ZERO,
        agent,
        FromAgent::Update { key, state: latest, latest, uuid: StatusId(1) },
        &mut out,
    );
    master.handle_call(Time::ZERO, framework, acknowledge(1), &mut out);
    assert_eq!(master.task_count(framework), 0);
}

#[test]
fn invalid_offers_cost_the_whole_accept_but_give_everything_back() {
    let mut out = Said::default();
    let mut master = master(MasterOptions::default());
    let framework = subscribe(&mut master, "a", &mut out);
    register(&mut master, "cpus:4;mem:64", &mut out);
    let offer = out.offers().remove(0);
    let mut call = launch(&offer, 0, "cpus:1", Filters::default());
    if let Call::Accept { offers, .. } = &mut call {
        offers.push(OfferId(99));
    }
    master.handle_call(Time::ZERO, framework, call, &mut out);
    assert_eq!(out.updates(), [(TaskState::Lost, Some(Reason::InvalidOffers))]);
    assert_eq!(tick(&mut master, 1, &mut out).len(), 1, "without a filter");
}

#[test]
fn a_task_that_does_not_fit_its_offer_is_an_error() {
    let mut out = Said::default();
    let mut master = master(MasterOptions::default());
    let framework = subscribe(&mut master, "a", &mut out);
    register(&mut master, "cpus:4;mem:64", &mut out);
    let offer = out.offers().remove(0);
    master.handle_call(Time::ZERO, framework, launch(&offer, 0, "cpus:5", Filters::NONE), &mut out);
    assert_eq!(out.updates(), [(TaskState::Error, Some(Reason::TaskInvalid))]);
    assert_eq!(tick(&mut master, 1, &mut out)[0].resources, of("cpus:4;mem:64"));
}

#[test]
fn an_unanswered_offer_is_rescinded_after_the_offer_timeout() {
    let mut out = Said::default();
    let mut master = master(MasterOptions { offer_timeout: Some(Span::from_secs(30)), ..Default::default() });
    let framework = subscribe(&mut master, "a", &mut out);
    register(&mut master, "cpus:4;mem:64", &mut out);
    let offer = out.offers().remove(0);
    assert_eq!(master.next_timeout(Time::ZERO), Some(Time::from_secs(30)));
    master.handle_timeout(Time::from_secs(30), &mut out);
    assert_eq!(out.events[0], (framework, Event::Rescind(offer.id)));
    assert_eq!(out.offers().len(), 1, "the same tick offers it again");
}

#[test]
fn agents_with_gpus_are_hidden_from_frameworks_that_do_not_know_them() {
    let mut out = Said::default();
    let mut master = master(MasterOptions::default());
    subscribe(&mut master, "a", &mut out);
    register(&mut master, "cpus:4;mem:64;gpus:1", &mut out);
    assert_eq!(out.offers(), []);
    let capabilities = Capabilities::MULTI_ROLE.and(Capabilities::GPU_RESOURCES);
    let info = FrameworkInfo { name: "g".into(), roles: vec!["g".into()], capabilities };
    let knows = master.subscribe(Time::ZERO, info, &mut out).unwrap();
    assert_eq!(out.offers()[0].framework, knows);
}

#[test]
fn a_weight_of_two_doubles_the_share() {
    let mut out = Said::default();
    let mut master = master(MasterOptions::default());
    let heavy = subscribe(&mut master, "heavy", &mut out);
    let light = subscribe(&mut master, "light", &mut out);
    master.update_weight("heavy", 2.0);
    (0..9).for_each(|_| {
        register(&mut master, "cpus:1;mem:64", &mut out);
    });
    let offers = out.offers();
    let count = |framework| offers.iter().filter(|offer| offer.framework == framework).count();
    assert_eq!((count(heavy), count(light)), (6, 3));
}

#[test]
fn a_subscription_with_a_bad_role_is_refused() {
    let mut out = Said::default();
    let capabilities = Capabilities::MULTI_ROLE;
    let info = FrameworkInfo { name: "x".into(), roles: vec!["a//b".into()], capabilities };
    assert!(master(MasterOptions::default()).subscribe(Time::ZERO, info, &mut out).is_err());
    assert!(out.events.is_empty());
}
