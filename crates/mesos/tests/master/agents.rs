//! Agents: registration, pings, disconnection, unreachable, gone, removed, and coming back.

mod executors;
mod losses;
mod partition;
mod pings;
mod races;
mod reregistration;
mod strays;

use std::sync::Arc;

use mesos::{
    call::FrameworkInfo,
    capability::Capabilities,
    domain::FaultDomain,
    event::{Event, FromAgent, ToAgent},
    id::{Address, AgentId, ConnectionId, FrameworkId, Id, StatusId, TaskId},
    master::MasterOptions,
    registration::{AgentInfo, Reregistration, TaskReport},
    resource::Resources,
    task::{TaskKey, TaskState},
    time::Span,
};

use crate::talk::{Talk, subscription, task};

pub(crate) type Caller = (FrameworkId, ConnectionId);

/// One agent with one task of a framework that stays for a while and keeps its tasks.
pub(crate) struct Scene {
    pub(crate) talk: Talk,
    pub(crate) framework: Caller,
    pub(crate) info: FrameworkInfo,
    pub(crate) agent: AgentId,
    pub(crate) key: TaskKey,
}

pub(crate) const SIZE: &str = "cpus:4;mem:256";
pub(crate) const NEED: &str = "cpus:1;mem:64";

impl Scene {
    pub(crate) fn new(options: MasterOptions, is_partition_aware: bool, checkpoint: bool) -> Self {
        let mut talk = Talk::new(options);
        let mut wanted = subscription("a");
        wanted.info.failover_timeout = 100_000.0;
        wanted.info.checkpoint = checkpoint;
        if !is_partition_aware {
            wanted.info.capabilities = Capabilities::MULTI_ROLE;
        }
        let info = wanted.info.clone();
        let framework = talk.subscribe(wanted);
        let agent = talk.agent(0, SIZE);
        let offer = talk.offers().remove(0);
        talk.launch(framework, &offer, 0, NEED);
        let key = TaskKey { framework: framework.0, task: TaskId::new(0) };
        talk.report(0, agent, key, TaskState::Running, 1);
        talk.updates();
        talk.told(0);
        talk.said.notes.clear();
        Self { talk, framework, info, agent, key }
    }

    pub(crate) fn plain() -> Self {
        Self::new(MasterOptions::default(), true, true)
    }

    /// What the agent says when it comes back with its task.
    pub(crate) fn back(&self) -> Reregistration {
        let role = self.talk.master.roles().get("a").expect("somebody named it");
        let task = TaskReport {
            framework: self.framework.0,
            task: task(0, self.agent, NEED),
            role,
            state: TaskState::Running,
            unacknowledged: Some((StatusId(1), TaskState::Running)),
        };
        Reregistration {
            id: self.agent,
            info: info(0, SIZE),
            total: Resources::parse(SIZE).unwrap(),
            frameworks: vec![(self.framework.0, Arc::new(self.info.clone()))],
            tasks: vec![task],
            executors: vec![],
            operations: vec![],
        }
    }

    pub(crate) fn reregister(&mut self, n: usize, back: Reregistration) {
        self.talk.agent_says(n, FromAgent::Reregister(Box::new(back)));
    }

    pub(crate) fn disconnect(&mut self) {
        let Talk { master, now, said, .. } = &mut self.talk;
        master.agent_disconnected(*now, Address::new(0), said);
    }

    pub(crate) fn is_registered(&self) -> bool {
        self.talk.master.agent_info(self.agent).is_some()
    }

    /// State and reason of all updates since somebody last looked.
    pub(crate) fn heard(&mut self) -> Vec<(TaskState, &'static str)> {
        let updates = self.talk.updates();
        updates
            .iter()
            .map(|status| (status.state, status.reason.map_or("", |reason| reason.as_str())))
            .collect()
    }

    /// How much the task and offers hold of the agent.
    pub(crate) fn free(&self) -> String {
        self.talk.master.allocator().agent_shares(self.agent).available.to_string()
    }

    pub(crate) fn count(&self, note: &str) -> usize {
        self.talk.said.notes.iter().filter(|of| of.starts_with(note)).count()
    }
}

/// What the agent at the n-th address says of itself.
pub(crate) fn info(n: usize, resources: &str) -> AgentInfo {
    AgentInfo {
        hostname: format!("host{n}"),
        ip: format!("10.0.0.{n}"),
        resources: Resources::parse(resources).unwrap(),
        ..AgentInfo::default()
    }
}

fn is_shut_down(messages: &[ToAgent]) -> bool {
    messages.iter().any(|message| matches!(message, ToAgent::Shutdown { .. }))
}

#[test]
fn a_new_agent_is_stored_first_and_known_second() {
    let mut talk = Talk::new(MasterOptions::default());
    talk.framework("a");
    talk.said.is_store_slow = true;
    let register = || FromAgent::Register(Box::new(info(0, SIZE)));
    talk.agent_says(0, register());
    talk.agent_says(0, register());
    assert_eq!((talk.told(0), talk.offers()), (vec![], vec![]));
    assert_eq!(talk.said.unstored.len(), 1, "the second attempt is the same agent");
    talk.store();
    let id = AgentId::new(0);
    let registered = ToAgent::Registered { id, ping_timeout: Span::from_secs(75) };
    assert_eq!(talk.told(0), [registered, ToAgent::Ping { connected: true }]);
    assert_eq!(talk.offers().len(), 1);
    assert!(talk.said.registry.admitted.contains_key(&id));
}

#[test]
fn changes_that_come_while_the_registry_is_busy_are_stored_together() {
    let mut talk = Talk::new(MasterOptions::default());
    talk.said.is_store_slow = true;
    for n in 0..4 {
        talk.agent_says(n, FromAgent::Register(Box::new(info(n, SIZE))));
    }
    assert_eq!(talk.said.unstored.iter().map(Vec::len).collect::<Vec<_>>(), [1]);
    talk.store();
    assert_eq!(talk.said.unstored.iter().map(Vec::len).collect::<Vec<_>>(), [3]);
    talk.store();
    assert!(talk.said.unstored.is_empty());
    assert_eq!((0..4).filter(|&n| !talk.told(n).is_empty()).count(), 4);
}

#[test]
fn an_agent_that_is_registered_hears_its_id_again() {
    let mut talk = Talk::new(MasterOptions::default());
    let agent = talk.agent(0, SIZE);
    talk.told(0);
    assert_eq!(talk.agent(0, SIZE), agent);
    assert_eq!(talk.said.registry.admitted.len(), 1);
}

#[test]
fn a_new_agent_at_the_address_of_a_disconnected_one_takes_its_place() {
    let mut scene = Scene::plain();
    scene.disconnect();
    scene.talk.updates();
    let newcomer = scene.talk.agent(0, SIZE);
    assert_ne!(newcomer, scene.agent);
    assert!(!scene.is_registered());
    assert_eq!(scene.talk.said.registry.admitted.keys().copied().collect::<Vec<_>>(), [newcomer]);
    assert_eq!(scene.heard(), [(TaskState::Lost, "REASON_AGENT_REMOVED")]);
    assert_eq!(scene.talk.master.agent_info(newcomer), Some(&info(0, SIZE)));
}

#[test]
fn agents_of_old_versions_and_of_wrong_domains_are_passed_over_in_silence() {
    let domain = || Some(FaultDomain { region: "r".into(), zone: "z".into() });
    let old = AgentInfo { version: (0, 28, 2), ..info(0, SIZE) };
    let placed = AgentInfo { domain: domain(), ..info(0, SIZE) };
    let strict = || MasterOptions { require_agent_domain: true, ..MasterOptions::default() };
    let mut knows = MasterOptions::default();
    knows.allocator.domain = domain();
    for (options, info, joins) in [
        (MasterOptions::default(), old, false),
        (MasterOptions::default(), placed.clone(), false),
        (strict(), info(0, SIZE), false),
        (knows, placed, true),
        (MasterOptions::default(), info(0, SIZE), true),
    ] {
        let mut talk = Talk::new(options);
        talk.agent_says(0, FromAgent::Register(Box::new(info)));
        assert_eq!(!talk.told(0).is_empty(), joins);
        assert_eq!(talk.said.registry.admitted.len(), usize::from(joins));
    }
}

#[test]
fn new_revocable_resources_replace_the_old_ones_and_their_offers() {
    let mut talk = Talk::new(MasterOptions::default());
    let mut wanted = subscription("a");
    wanted.info.capabilities = wanted.info.capabilities.and(Capabilities::REVOCABLE_RESOURCES);
    talk.subscribe(wanted);
    let agent = talk.agent(0, SIZE);
    let revocable = |cpus: &str| {
        let json =
            format!(r#"[{{"name":"cpus","type":"SCALAR","scalar":{{"value":{cpus}}},"revocable":{{}}}}]"#);
        serde_json::from_str::<Resources>(&json).unwrap()
    };
    let say = |talk: &mut Talk, cpus| {
        talk.agent_says(0, FromAgent::Oversubscribed { agent, revocable: revocable(cpus) });
    };
    talk.offers();
    say(&mut talk, "2");
    let offer = talk.offers().remove(0);
    assert_eq!(offer.resources, revocable("2"), "the plain offer stays out");
    say(&mut talk, "2");
    assert!(talk.said.events.is_empty(), "nothing has changed");
    say(&mut talk, "1");
    let rescinds = talk.said.events.iter().filter(|(_, _, event)| matches!(event, Event::Rescind(_)));
    assert_eq!(rescinds.count(), 1);
    assert_eq!(talk.offers()[0].resources, revocable("1"));
}

#[test]
fn a_new_total_keeps_the_revocable_part() {
    let mut talk = Talk::new(MasterOptions::default());
    talk.framework("a");
    let agent = talk.agent(0, SIZE);
    talk.offers();
    let total = Resources::parse("cpus:6;mem:256").unwrap();
    talk.agent_says(0, FromAgent::Total { agent, total });
    assert_eq!(talk.offers()[0].resources, Resources::parse("cpus:2").unwrap());
}
