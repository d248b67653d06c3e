//! The registry, and a master that takes over.

use std::{collections::BTreeMap, sync::Arc};

use mesos::{
    allocator::Ascending,
    call::FrameworkInfo,
    event::{FromAgent, ToAgent},
    id::{Address, AgentId, FrameworkId, Id, StatusId, TaskId},
    maintenance::{Machine, MachineMode, Schedule, Window},
    master::{Master, MasterOptions, RemovalRate},
    operator::{Done, OperatorCall},
    quota::QuotaConfig,
    registration::{Reregistration, TaskReport},
    registry::{DrainInfo, Registry, RegistryOperation},
    resource::Resources,
    task::{TaskKey, TaskState},
    time::{Span, Time},
};

use crate::{
    agents::{NEED, SIZE, Scene, info},
    talk::{Talk, subscription, task},
};

/// Another master takes over; all connections are gone.
fn fail_over(talk: &mut Talk, options: MasterOptions) {
    let identities = talk.master.identities();
    let registry = &talk.said.registry;
    talk.master = Master::recover(options, Box::new(Ascending), registry, &identities, talk.now).unwrap();
    talk.said.events.clear();
    talk.said.to_agents.clear();
    talk.said.notes.clear();
}

/// What the agents of a cluster know while masters come and go.
struct Cluster {
    talk: Talk,
    framework: FrameworkId,
    info: FrameworkInfo,
    agents: Vec<AgentId>,
}

impl Cluster {
    /// Three agents with one task each, the last of which is over without the framework having said so.
    fn new() -> Self {
        let mut talk = Talk::new(MasterOptions::default());
        let mut wanted = subscription("a/b");
        wanted.info.failover_timeout = 100_000.0;
        wanted.info.checkpoint = true;
        let info = wanted.info.clone();
        let caller = talk.subscribe(wanted);
        let agents: Vec<_> = (0..3).map(|n| talk.agent(n, SIZE)).collect();
        for (n, offer) in talk.offers().into_iter().enumerate() {
            talk.launch(caller, &offer, n, NEED);
            let state = if n == 2 { TaskState::Finished } else { TaskState::Running };
            talk.report(n, agents[n], key(caller.0, n), state, n as u64);
        }
        Self { talk, framework: caller.0, info, agents }
    }

    fn come_back(&mut self, n: usize) {
        let role = self.talk.master.roles().get("a/b").unwrap();
        let state = if n == 2 { TaskState::Finished } else { TaskState::Running };
        let report = TaskReport {
            framework: self.framework,
            task: task(n, self.agents[n], NEED),
            role,
            state,
            unacknowledged: Some((StatusId(n as u64), state)),
        };
        let back = Reregistration {
            id: self.agents[n],
            info: info(n, SIZE),
            total: Resources::parse(SIZE).unwrap(),
            frameworks: vec![(self.framework, Arc::new(self.info.clone()))],
            tasks: vec![report],
            executors: vec![],
            operations: vec![],
        };
        self.talk.agent_says(n, FromAgent::Reregister(Box::new(back)));
    }

    fn resubscribe(&mut self) {
        let info = self.info.clone();
        let id = Some(self.framework);
        self.talk.try_subscribe(mesos::call::Subscribe { info, id, ..Default::default() });
    }

    /// All that can be seen of the cluster, offers aside.
    fn view(&self) -> String {
        let master = &self.talk.master;
        let tasks = master.tasks(self.framework);
        let agents: Vec<_> = self.agents.iter().map(|&agent| master.agent_info(agent)).collect();
        let totals: Vec<_> =
            self.agents.iter().map(|&agent| master.allocator().agent_shares(agent).total).collect();
        let role = master.roles().get("a/b").unwrap();
        let consumed = master.allocator().quota_consumed(role);
        let roles: Vec<_> = master.roles().iter().collect();
        let info = master.framework_info(self.framework);
        format!("{tasks:?} {agents:?} {totals:?} {consumed} {roles:?} {info:?}")
    }
}

fn key(framework: FrameworkId, task: usize) -> TaskKey {
    TaskKey { framework, task: TaskId::new(task) }
}

#[test]
fn a_new_master_reaches_the_same_view_whoever_comes_back_first() {
    for framework_at in 0..4 {
        let mut cluster = Cluster::new();
        let before = cluster.view();
        cluster.talk.now = Time::from_secs(50);
        fail_over(&mut cluster.talk, MasterOptions::default());
        for n in 0..4 {
            if n == framework_at {
                cluster.resubscribe();
            }
            if n < 3 {
                cluster.come_back(n);
            }
        }
        assert_eq!(cluster.view(), before, "the framework comes back after {framework_at} agents");
        let updates = cluster.talk.updates();
        assert_eq!(updates, [], "agents that were expected cause none");
        cluster.talk.wait_until(52.0);
        let shares = |n: usize| cluster.talk.master.allocator().agent_shares(cluster.agents[n]).available;
        assert!((0..3).all(|n| shares(n).is_empty()), "all is in use or offered");
    }
}

#[test]
fn identities_are_never_given_twice() {
    let mut cluster = Cluster::new();
    let last_offer = cluster.talk.master.identities().offers;
    fail_over(&mut cluster.talk, MasterOptions::default());
    cluster.resubscribe();
    let agent = cluster.talk.agent(9, SIZE);
    assert_eq!(agent, AgentId::new(3));
    assert!(cluster.talk.offers()[0].id.0 >= last_offer);
    assert_eq!(cluster.talk.framework("new").0, FrameworkId::new(1));
}

#[test]
fn agents_that_do_not_come_back_are_unreachable_ten_minutes_later() {
    let mut cluster = Cluster::new();
    cluster.talk.now = Time::from_secs(50);
    fail_over(&mut cluster.talk, MasterOptions::default());
    cluster.resubscribe();
    cluster.come_back(1);
    assert_eq!(cluster.talk.master.recovered_agents().count(), 2);
    cluster.talk.master.trust(cluster.talk.now, cluster.agents[1]);
    cluster.talk.wait_until(649.0);
    assert_eq!(cluster.talk.master.recovered_agents().count(), 2);
    cluster.talk.wait_until(650.0);
    assert_eq!(cluster.talk.master.recovered_agents().count(), 0);
    assert_eq!(cluster.talk.master.unreachable_agents()[&cluster.agents[0]], Time::from_secs(650));
    assert!(cluster.talk.said.registry.unreachable.contains_key(&cluster.agents[2]));
    cluster.come_back(0);
    assert_eq!(cluster.talk.updates().len(), 1, "it was unreachable");
}

#[test]
fn a_master_that_misses_too_many_agents_gives_up() {
    let mut cluster = Cluster::new();
    let options = MasterOptions { recovery_agent_removal_limit: 0.5, ..MasterOptions::default() };
    fail_over(&mut cluster.talk, options.clone());
    cluster.come_back(1);
    cluster.talk.wait_until(601.0);
    let fatal = cluster.talk.master.fatal().unwrap();
    assert!(fatal.starts_with("Post-recovery agent removal limit exceeded!"), "{fatal}");
    assert!(cluster.talk.said.notes.iter().any(|note| note.starts_with("Fatal")));
    assert!(cluster.talk.said.registry.unreachable.len() <= 1, "only the one that fell silent");

    let mut cluster = Cluster::new();
    fail_over(&mut cluster.talk, options);
    (0..2).for_each(|n| cluster.come_back(n));
    cluster.talk.wait_until(601.0);
    assert_eq!(cluster.talk.master.fatal(), None);
}

#[test]
fn the_removal_limit_holds_for_agents_that_do_not_come_back() {
    let mut cluster = Cluster::new();
    let rate = RemovalRate { agents: 1, per: Span::from_secs(60) };
    let options = MasterOptions { agent_removal_rate_limit: Some(rate), ..MasterOptions::default() };
    fail_over(&mut cluster.talk, options);
    cluster.talk.wait_until(659.0);
    assert_eq!(cluster.talk.master.unreachable_agents().len(), 1);
    cluster.come_back(1);
    cluster.talk.wait_until(719.0);
    let counts = cluster.talk.master.unreachable_counts();
    assert_eq!((counts.scheduled, counts.completed, counts.canceled), (3, 1, 1));
    cluster.talk.wait_until(720.0);
    assert!(
        cluster.talk.master.unreachable_agents().contains_key(&cluster.agents[2]),
        "one took a turn in vain"
    );
}

#[test]
fn marks_of_agents_survive_and_gone_agents_stay_out() {
    let mut cluster = Cluster::new();
    let [first, second, third] = [0, 1, 2].map(|n| cluster.agents[n]);
    let drain = OperatorCall::DrainAgent { agent: first, max_grace_period: None, mark_gone: false };
    for call in [drain, OperatorCall::DeactivateAgent(second), OperatorCall::MarkAgentGone(third)] {
        assert_eq!(cluster.talk.operator(call), Some(Ok(Done::Ok)));
    }
    assert_eq!(cluster.talk.said.registry.minimum_capabilities, ["AGENT_DRAINING"]);
    fail_over(&mut cluster.talk, MasterOptions::default());
    (0..3).for_each(|n| cluster.come_back(n));
    let order = ToAgent::Drain { max_grace_period: None, mark_gone: false };
    assert!(cluster.talk.told(0).contains(&order));
    assert!(matches!(cluster.talk.told(2)[..], [ToAgent::Shutdown { .. }]));
    let master = &cluster.talk.master;
    assert!(master.is_deactivated(first) && master.is_deactivated(second));
    assert!(master.gone_agents().contains_key(&third));
    cluster.resubscribe();
    cluster.talk.wait_until(5.0);
    assert_eq!(cluster.talk.offers(), []);
}

#[test]
fn an_agent_that_was_only_recovered_stays_so_when_it_is_marked_gone() {
    let mut cluster = Cluster::new();
    fail_over(&mut cluster.talk, MasterOptions::default());
    let gone = cluster.agents[0];
    assert_eq!(cluster.talk.operator(OperatorCall::MarkAgentGone(gone)), Some(Ok(Done::Ok)));
    cluster.talk.wait_until(700.0);
    assert_eq!(cluster.talk.master.recovered_agents().collect::<Vec<_>>(), [gone]);
    assert_eq!(cluster.talk.master.unreachable_agents().len(), 2);
    assert!(cluster.talk.said.registry.gone.contains_key(&gone));
}

#[test]
fn weights_of_the_registry_override_the_flag() {
    let options = || MasterOptions { weights: vec![("a".into(), 7.0)], ..MasterOptions::default() };
    let mut talk = Talk::new(MasterOptions::default());
    fail_over(&mut talk, options());
    assert_eq!(talk.master.weights().get("a"), Some(&7.0));
    talk.operator(OperatorCall::UpdateWeights(vec![("b".into(), 2.0)]));
    assert_eq!(talk.said.registry.weights.len(), 2, "the flag's were stored too");
    let other = MasterOptions { weights: vec![("a".into(), 9.0)], ..MasterOptions::default() };
    fail_over(&mut talk, other);
    assert_eq!(talk.master.weights(), &BTreeMap::from([("a".into(), 7.0), ("b".into(), 2.0)]));
}

#[test]
fn with_quota_nothing_is_offered_before_most_agents_are_back() {
    let mut cluster = Cluster::new();
    let config = QuotaConfig { role: "q".into(), guarantees: vec![("cpus".into(), 1.0)], limits: vec![] };
    let update = OperatorCall::UpdateQuota { force: false, configs: vec![config] };
    assert_eq!(cluster.talk.operator(update), Some(Ok(Done::Ok)));
    fail_over(&mut cluster.talk, MasterOptions::default());
    cluster.resubscribe();
    cluster.come_back(0);
    assert_eq!(cluster.talk.offers(), []);
    cluster.come_back(1);
    cluster.talk.wait_until(cluster.talk.now.as_secs_f64() + 1.0);
    assert!(!cluster.talk.offers().is_empty(), "two of three are enough: 0.8 of them, cut down");
    let role = cluster.talk.master.roles().get("q").unwrap();
    assert!(!cluster.talk.master.allocator().quota(role).is_default());
}

#[test]
fn a_master_that_lacks_what_the_registry_demands_does_not_start() {
    let registry = Registry { minimum_capabilities: vec!["MIND_READING".into()], ..Registry::default() };
    let options = MasterOptions::default();
    let identities = Default::default();
    let error = Master::recover(options, Box::new(Ascending), &registry, &identities, Time::ZERO);
    assert!(error.unwrap_err().contains("MIND_READING"));
}

#[test]
fn a_master_that_takes_over_an_empty_registry_has_no_timers() {
    let mut talk = Talk::new(MasterOptions::default());
    fail_over(&mut talk, MasterOptions::default());
    assert_eq!(talk.master.next_timeout(talk.now), None);
}

#[test]
fn agents_lost_under_the_last_master_are_forgotten_in_time() {
    let mut scene = Scene::plain();
    scene.talk.wait_until(75.0);
    scene.talk.now = Time::from_secs(100);
    fail_over(&mut scene.talk, MasterOptions::default());
    let two_weeks = 14 * 24 * 3600;
    let expected = Time::from_secs(100 + two_weeks);
    assert_eq!(scene.talk.master.next_timeout(scene.talk.now), Some(expected));
    scene.talk.wait_until(expected.as_secs_f64());
    assert!(scene.talk.said.registry.unreachable.is_empty());
}

#[test]
fn an_agent_that_was_not_trusted_by_the_last_master_may_disconnect_under_the_next() {
    let mut cluster = Cluster::new();
    fail_over(&mut cluster.talk, MasterOptions::default());
    cluster.come_back(0);
    let Talk { master, now, said, .. } = &mut cluster.talk;
    master.agent_disconnected(*now, Address::new(0), said);
    master.agent_disconnected(*now, Address::new(1), said);
    assert_eq!(master.is_connected(cluster.agents[0]), Some(false));
    cluster.come_back(0);
    assert_eq!(cluster.talk.master.is_connected(cluster.agents[0]), Some(true));
}

/// One change after the other, of all kinds.
fn changes() -> Vec<RegistryOperation> {
    let [a, b, c, d] = [0, 1, 2, 3].map(AgentId::new);
    let drain = DrainInfo { drained: false, max_grace_period: Some(9), mark_gone: true };
    let machine = |n: usize| Machine { hostname: format!("host{n}"), ip: String::new() };
    let window = Window { machines: vec![machine(0), machine(1)], start: Time(5), duration: Some(7) };
    let quota = QuotaConfig { role: "q".into(), guarantees: vec![], limits: vec![("cpus".into(), 2.5)] };
    let mut changes: Vec<_> =
        [a, b, c, d].map(|agent| RegistryOperation::Admit(agent, Box::new(info(0, SIZE)))).into();
    changes.extend([
        RegistryOperation::Update(a, Box::new(info(1, NEED))),
        RegistryOperation::Drain(b, drain),
        RegistryOperation::MarkUnreachable(b, Time(3)),
        RegistryOperation::Drained(b),
        RegistryOperation::MarkGone(c, Time(4)),
        RegistryOperation::Remove(d),
        RegistryOperation::UpdateQuota(vec![quota]),
        RegistryOperation::UpdateWeights(vec![("w".into(), 1.5)]),
        RegistryOperation::UpdateSchedule(Schedule { windows: vec![window] }),
        RegistryOperation::StartMaintenance(vec![machine(0)]),
    ]);
    changes
}

#[test]
fn the_registry_survives_json() {
    let mut registry = Registry::default();
    for change in changes() {
        registry.apply(&change);
        let text = serde_json::to_string(&registry).unwrap();
        assert_eq!(serde_json::from_str::<Registry>(&text).unwrap(), registry, "{text}");
    }
    assert_eq!(registry.minimum_capabilities, ["AGENT_DRAINING", "QUOTA_V2"]);
    let modes: Vec<_> = registry.machines.values().map(|of| of.mode).collect();
    assert_eq!(modes, [MachineMode::Down, MachineMode::Draining]);
}

#[test]
fn the_registry_keeps_drain_marks_of_unreachable_agents() {
    let mut registry = Registry::default();
    changes().iter().for_each(|change| registry.apply(change));
    let agent = AgentId::new(1);
    let drain = registry.unreachable[&agent].drain.unwrap();
    assert!(drain.drained && registry.unreachable[&agent].deactivated);
    registry.apply(&RegistryOperation::MarkReachable(agent, Box::default()));
    assert_eq!(registry.admitted[&agent].drain, Some(drain));
    registry.apply(&RegistryOperation::Reactivate(agent));
    assert_eq!(registry.minimum_capabilities, ["QUOTA_V2"]);
    let end = QuotaConfig { role: "q".into(), guarantees: vec![("cpus".into(), 0.0)], limits: vec![] };
    registry.apply(&RegistryOperation::UpdateQuota(vec![end]));
    assert_eq!(registry.minimum_capabilities, [""; 0]);
}

#[test]
fn a_change_that_does_not_fit_changes_nothing() {
    let mut registry = Registry::default();
    let stranger = AgentId::new(5);
    let drain = DrainInfo { drained: false, max_grace_period: None, mark_gone: false };
    for change in [
        RegistryOperation::Update(stranger, Box::default()),
        RegistryOperation::Remove(stranger),
        RegistryOperation::MarkUnreachable(stranger, Time(1)),
        RegistryOperation::MarkGone(stranger, Time(1)),
        RegistryOperation::Drain(stranger, drain),
        RegistryOperation::Reactivate(stranger),
        RegistryOperation::StartMaintenance(vec![Machine::default()]),
    ] {
        registry.apply(&change);
        assert_eq!(registry, Registry::default(), "{change:?}");
    }
}
