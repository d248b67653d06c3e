//! RESERVE, CREATE and their kin in an ACCEPT.

use mesos::{
    call::{Call, Operation, OperationKind, Subscribe},
    capability::{AgentCapabilities, Capabilities},
    event::{Event, FromAgent, ToAgent},
    id::{Id, OperationId, TaskId},
    master::MasterOptions,
    offer::Offer,
    registration::AgentInfo,
    resource::{Reservation, ResourceOperation, Resources, Scalar},
    task::{TaskKey, TaskState},
};

use super::{
    making::{
        Framework, books_balance, create, destroy, dynamic, fates, held, holding, launched, of, offered,
        reserve, reserved, run, shared, sum, volume,
    },
    talk::{Talk, accept, subscription, task},
};

/// A framework that knows shared volumes; the volume is made and comes back in an offer.
fn with_shared_volume() -> (Talk, Framework, Offer, Resources) {
    let mut talk = Talk::new(MasterOptions::default());
    let framework = talk.subscribe(sharing("a"));
    talk.agent(0, "cpus:4;mem:1024;disk:100");
    let offer = talk.offers().remove(0);
    let data = shared(&volume("a", "v1", 50));
    let operations = vec![reserve(reserved("a", "disk:50")), create(data.clone())];
    let operations = operations.into_iter().map(Into::into).collect();
    talk.call(framework, accept(&[&offer], operations, 0.0)).unwrap();
    talk.wait_until(1.0);
    let offer = talk.offers().remove(0);
    talk.told(0);
    assert!(offer.resources.contains(&data), "{}", offer.resources);
    (talk, framework, offer, data)
}

fn sharing(role: &str) -> Subscribe {
    let mut subscribe = subscription(role);
    let capabilities = subscribe.info.capabilities.and(Capabilities::SHARED_RESOURCES);
    subscribe.info.capabilities = capabilities;
    subscribe
}

#[test]
fn reserve_create_and_launch_work_in_one_accept() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024;disk:100");
    let data = volume("a", "v1", 40);
    let needs = sum(&[reserved("a", "cpus:1"), data.clone()]);
    let operations = vec![
        reserve(reserved("a", "cpus:2;disk:60")),
        create(data.clone()),
        OperationKind::Launch(vec![holding(0, offer.agent, needs.clone())]),
    ];
    run(&mut talk, framework, &[&offer], operations);
    let total = sum(&[of("cpus:2;mem:1024;disk:40"), reserved("a", "cpus:2;disk:20"), data]);
    assert_eq!(talk.master.allocator().agent_shares(offer.agent).total, total);
    assert_eq!(held(&talk, offer.agent), needs);
    let told = talk.told(0);
    let is_apply = |message: &&ToAgent| matches!(message, ToAgent::ApplyOperation { .. });
    assert_eq!(told.iter().filter(is_apply).count(), 2);
    assert!(matches!(told.last(), Some(ToAgent::Run(run)) if run.tasks[0].resources == needs));
}

#[test]
fn what_was_reserved_and_not_used_is_offered_again_at_once() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024");
    let use_it = OperationKind::Launch(vec![holding(0, offer.agent, reserved("a", "cpus:1"))]);
    run(&mut talk, framework, &[&offer], vec![reserve(reserved("a", "cpus:1")), use_it]);
    talk.wait_until(4.5);
    assert_eq!(talk.offers(), [], "all that is left was declined");
    talk.wait_until(5.0);
    let offer = talk.offers().remove(0);
    run(&mut talk, framework, &[&offer], vec![reserve(reserved("a", "cpus:1"))]);
    assert_eq!(talk.offers(), [], "an ACCEPT asks for no allocation");
    talk.wait_until(6.0);
    let left = sum(&[reserved("a", "cpus:1"), of("cpus:2;mem:1024")]);
    assert_eq!(talk.offers()[0].resources, left, "a filter hides no more than what was refused");
}

#[test]
fn an_operation_that_fails_does_not_stop_the_others() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024;disk:100");
    let operations = vec![
        reserve(reserved("a", "cpus:1")),
        reserve(reserved("a", "cpus:9")),
        create(volume("a", "v1", 10)),
        OperationKind::Launch(vec![holding(0, offer.agent, reserved("a", "cpus:1"))]),
    ];
    run(&mut talk, framework, &[&offer], operations);
    assert_eq!(held(&talk, offer.agent), reserved("a", "cpus:1"));
    assert_eq!(launched(&mut talk).len(), 1);
    let total = talk.master.allocator().agent_shares(offer.agent).total;
    assert_eq!(total, sum(&[of("cpus:3;mem:1024;disk:100"), reserved("a", "cpus:1")]));
}

#[test]
fn a_grown_volume_is_not_for_this_accept_and_comes_back_at_once() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024;disk:100");
    let small = volume("a", "v1", 40);
    let large = volume("a", "v1", 60);
    let grow = ResourceOperation::GrowVolume { volume: small.clone(), addition: reserved("a", "disk:20") };
    let operations = vec![
        reserve(reserved("a", "disk:60")),
        create(small),
        OperationKind::Resources(grow),
        OperationKind::Launch(vec![holding(0, offer.agent, sum(&[of("cpus:1"), large.clone()]))]),
    ];
    run(&mut talk, framework, &[&offer], operations);
    assert!(fates(&mut talk)[0].2.starts_with("Task uses more resources"));
    talk.wait_until(1.0);
    let total = sum(&[of("cpus:4;mem:1024;disk:40"), large]);
    assert_eq!(talk.offers()[0].resources, total);
}

#[test]
fn a_shrunk_volume_gives_disk_back() {
    let (mut talk, framework, offer) = offered("cpus:4;mem:1024;disk:100");
    let large = volume("a", "v1", 60);
    let shrink = |megabytes| {
        let subtract = Scalar::from_f64(megabytes).unwrap();
        OperationKind::Resources(ResourceOperation::ShrinkVolume { volume: large.clone(), subtract })
    };
    let operations =
        vec![reserve(reserved("a", "disk:60;cpus:1")), create(large.clone()), shrink(60.0), shrink(15.0)];
    run(&mut talk, framework, &[&offer], operations);
    talk.wait_until(1.0);
    let converted = sum(&[reserved("a", "cpus:1;disk:15"), volume("a", "v1", 45)]);
    assert_eq!(talk.offers()[0].resources.reserved(), converted);
}

#[test]
fn a_shared_volume_is_used_by_several_tasks_of_one_accept() {
    let (mut talk, framework, offer, data) = with_shared_volume();
    let tasks = [0, 1, 2].map(|id| holding(id, offer.agent, sum(&[of("cpus:1;mem:10"), data.clone()])));
    run(&mut talk, framework, &[&offer], vec![OperationKind::Launch(tasks.into())]);
    assert_eq!(talk.master.task_count(framework.0), 3);
    let held = held(&talk, offer.agent);
    assert_eq!(held.count(&data.entries().next().unwrap().0), 3);
    assert_eq!(held.non_shared(), of("cpus:3;mem:30"));
}

#[test]
fn a_volume_in_use_is_not_destroyed() {
    let (mut talk, framework, offer, data) = with_shared_volume();
    let needs = sum(&[of("cpus:1;mem:10"), data.clone()]);
    let launch = OperationKind::Launch(vec![holding(0, offer.agent, needs)]);
    run(&mut talk, framework, &[&offer], vec![launch, destroy(data.clone())]);
    assert!(talk.master.allocator().agent_shares(offer.agent).total.contains(&data));
}

#[test]
fn destroying_a_volume_rescinds_the_offers_of_it() {
    let (mut talk, framework, first, data) = with_shared_volume();
    let other = talk.subscribe(sharing("a"));
    run(
        &mut talk,
        framework,
        &[&first],
        vec![OperationKind::Launch(vec![task(0, first.agent, "cpus:1;mem:1")])],
    );
    talk.wait_until(2.0);
    let theirs = talk.offers().remove(0);
    assert_eq!(theirs.framework, other.0);
    assert!(theirs.resources.contains(&data), "{}", theirs.resources);
    talk.wait_until(3.0);
    let key = TaskKey { framework: framework.0, task: TaskId::new(0) };
    talk.report(0, first.agent, key, TaskState::Finished, 1);
    talk.call(framework, Call::Revive { roles: vec![] }).unwrap();
    let mine: Vec<Offer> = talk.offers().into_iter().filter(|offer| offer.framework == framework.0).collect();
    assert!(mine[0].resources.contains(&data), "a shared volume is always free: {}", mine[0].resources);
    run(&mut talk, framework, &[&mine[0]], vec![destroy(data)]);
    let rescinded = (theirs.framework, other.1, Event::Rescind(theirs.id));
    assert!(talk.said.events.contains(&rescinded), "{:?}", talk.said.events);
    assert!(!talk.master.allocator().agent_shares(first.agent).total.has_shared());
}

#[test]
fn operations_are_checked_with_the_words_of_mesos() {
    let says = |kinds: Vec<OperationKind>| {
        let (mut talk, framework, offer) = offered("cpus:4;mem:1024;disk:100;cpus(x):1");
        talk.said.events.clear();
        let named = |(n, what)| Operation { id: Some(OperationId::new(n)), what };
        let operations = kinds.into_iter().enumerate().map(named).collect();
        talk.call(framework, accept(&[&offer], operations, 5.0)).unwrap();
        books_balance(&talk, offer.agent);
        let status =
            |(_, _, event)| if let Event::UpdateOperation(status) = event { Some(status) } else { None };
        let all = std::mem::take(&mut talk.said.events).into_iter().filter_map(status);
        all.filter_map(|status| status.message).collect::<Vec<_>>().join("; ")
    };
    let unreserve = |resources| OperationKind::Resources(ResourceOperation::Unreserve { resources });
    assert!(says(vec![reserve(of("cpus:1"))]).ends_with("is not dynamically reserved"));
    assert!(
        says(vec![reserve(reserved("b", "cpus:1"))])
            .contains("can only reserve resources with roles '{ a }'")
    );
    assert!(says(vec![unreserve(of("cpus:1"))]).ends_with("is not dynamically reserved"));
    assert!(says(vec![unreserve(volume("a", "v1", 5))]).contains("cannot be unreserved directly"));
    assert!(says(vec![create(reserved("a", "disk:5"))]).ends_with("is not a persistent volume"));
    assert!(
        says(vec![create(shared(&volume("a", "v", 5)))]).ends_with("with no SHARED_RESOURCES capability")
    );
    assert_eq!(says(vec![destroy(volume("a", "v1", 5))]), "Persistent volumes not found");
    let twice =
        vec![reserve(reserved("a", "disk:20")), create(volume("a", "v1", 5)), create(volume("a", "v1", 6))];
    assert!(says(twice).contains("v1"));
    let zero = ResourceOperation::GrowVolume { volume: volume("a", "v", 5), addition: Resources::EMPTY };
    assert!(says(vec![OperationKind::Resources(zero)]).contains("'addition'"));
    let other = ResourceOperation::GrowVolume { volume: volume("a", "v", 5), addition: of("disk:5") };
    assert!(says(vec![OperationKind::Resources(other)]).starts_with("Incompatible resources"));
    let all = ResourceOperation::ShrinkVolume {
        volume: volume("a", "v", 5),
        subtract: Scalar::from_f64(5.0).unwrap(),
    };
    assert!(says(vec![OperationKind::Resources(all)]).contains("smaller than the size"));
    let source = Some(of("cpus:1"));
    let moved = ResourceOperation::Reserve { source, resources: reserved("a", "cpus:1") };
    assert!(says(vec![OperationKind::Resources(moved)]).contains("'source'"));
    assert!(says(vec![OperationKind::Disk { source: of("disk:5") }]).contains("resource provider"));
}

#[test]
fn a_principal_reserves_in_its_own_name_only() {
    let mut talk = Talk::new(MasterOptions::default());
    let mut subscribe = subscription("a");
    subscribe.info.principal = Some("p".into());
    let framework = talk.subscribe(subscribe);
    talk.agent(0, "cpus:4;mem:1024");
    let offer = talk.offers().remove(0);
    let mine = Reservation { principal: Some("p".into()), ..dynamic("a") };
    let good = of("cpus:1").reserved_further(&mine);
    run(&mut talk, framework, &[&offer], vec![reserve(reserved("a", "cpus:2")), reserve(good.clone())]);
    assert_eq!(talk.master.allocator().agent_shares(offer.agent).total.reserved(), good);
}

#[test]
fn an_agent_without_a_capability_takes_no_operation_that_needs_it() {
    let mut talk = Talk::new(MasterOptions::default());
    let framework = talk.framework("a");
    let info = AgentInfo {
        hostname: "old".into(),
        resources: of("cpus:4;mem:1024;disk:100"),
        capabilities: AgentCapabilities::MULTI_ROLE.and(AgentCapabilities::HIERARCHICAL_ROLE),
        ..AgentInfo::default()
    };
    talk.agent_says(0, FromAgent::Register(Box::new(info)));
    let offer = talk.offers().remove(0);
    let data = volume("a", "v1", 40);
    let subtract = Scalar::from_f64(5.0).unwrap();
    let shrink = OperationKind::Resources(ResourceOperation::ShrinkVolume { volume: data.clone(), subtract });
    let operations = vec![reserve(reserved("a", "disk:40")), create(data.clone()), shrink];
    run(&mut talk, framework, &[&offer], operations);
    assert!(talk.master.allocator().agent_shares(offer.agent).total.contains(&data), "neither shrunk");
}

/// A small generator: the same numbers in every run.
struct Lot(u64);

impl Lot {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn operation(&mut self, task_id: usize, offer: &Offer) -> OperationKind {
        let id = format!("v{}", self.below(3));
        let size = if self.below(4) == 0 { 10 } else { 5 };
        let own = volume("a", &id, size);
        let data = if id == "v0" { shared(&own) } else { own.clone() };
        let cpu = if self.below(2) == 0 { of("cpus:0.5;mem:1") } else { reserved("a", "cpus:0.5") };
        match self.below(8) {
            0 => reserve(reserved("a", "cpus:1;disk:15")),
            1 => OperationKind::Resources(ResourceOperation::Unreserve {
                resources: reserved("a", "cpus:0.5;disk:5"),
            }),
            2 | 3 => create(data),
            4 => destroy(data),
            5 => OperationKind::Resources(ResourceOperation::GrowVolume {
                volume: own,
                addition: reserved("a", "disk:5"),
            }),
            6 => OperationKind::Resources(ResourceOperation::ShrinkVolume {
                volume: own,
                subtract: Scalar::from_f64(5.0).unwrap(),
            }),
            _ => {
                let needs = if self.below(2) == 0 { cpu } else { sum(&[cpu, data]) };
                let other = of("cpus:0.1;mem:1");
                let tasks = [(task_id, needs.clone()), (task_id + 1, needs), (task_id + 2, other)];
                let tasks = tasks.map(|(id, needs)| holding(id, offer.agent, needs));
                OperationKind::Launch(tasks.into())
            }
        }
    }
}

#[test]
fn whatever_is_accepted_the_books_balance() {
    let mut lot = Lot(7);
    let mut talk = Talk::new(MasterOptions::default());
    let framework = talk.subscribe(sharing("a"));
    let agent = talk.agent(0, "cpus:8;mem:1024;disk:100");
    talk.master.trust(talk.now, agent);
    let mut running: Vec<(usize, Resources)> = Vec::new();
    let (mut applied, mut launches) = (0, 0);
    for round in 1..=400_u32 {
        talk.wait_until(f64::from(round));
        let offers: Vec<Offer> = talk.offers();
        talk.told(0);
        if !offers.is_empty() {
            let operations = (0..=lot.below(4) as usize)
                .map(|place| lot.operation(round as usize * 100 + place * 10, &offers[0]).into())
                .collect();
            talk.call(framework, accept(&offers.iter().collect::<Vec<_>>(), operations, 0.0)).unwrap();
        }
        for message in talk.told(0) {
            applied += usize::from(matches!(message, ToAgent::ApplyOperation { .. }));
            if let ToAgent::Run(run) = message {
                launches += 1;
                running.push((run.tasks[0].id.index(), run.tasks[0].resources.clone()));
            }
        }
        while running.len() > 4 || (!running.is_empty() && lot.below(2) == 0) {
            let (id, _) = running.swap_remove(lot.below(running.len() as u64) as usize);
            let key = TaskKey { framework: framework.0, task: TaskId::new(id) };
            talk.report(0, agent, key, TaskState::Finished, id as u64);
            let uuid = mesos::id::StatusId(id as u64);
            talk.call(framework, Call::Acknowledge { agent, task: key.task, uuid }).unwrap();
        }
        books_balance(&talk, agent);
        let parts: Vec<Resources> = running.iter().map(|(_, resources)| resources.clone()).collect();
        let offered: Vec<Resources> = vec![held(&talk, agent)];
        assert_eq!(sum(&offered).shared(), sum(&parts).shared(), "round {round}");
        assert_eq!(sum(&offered).non_shared(), sum(&parts).non_shared(), "round {round}");
        let total = talk.master.allocator().agent_shares(agent).total;
        assert_eq!(total.quantities(), of("cpus:8;mem:1024;disk:100").quantities(), "round {round}");
    }
    assert!(applied > 100 && launches > 100, "{applied} operations, {launches} tasks");
}
