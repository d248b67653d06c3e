//! Everything that can happen to agents, in any order, while the registry takes its time.

use std::{collections::BTreeMap, sync::Arc};

use mesos::{
    allocator::Ascending,
    call::FrameworkInfo,
    event::{FromAgent, ToAgent},
    id::{Address, AgentId, FrameworkId, Id, StatusId},
    master::{Master, MasterOptions},
    operator::OperatorCall,
    registration::{Reregistration, TaskReport},
    resource::Resources,
    task::{TaskInfo, TaskKey, TaskState},
    time::Span,
};
use proptest::prelude::*;

use super::{Caller, NEED, SIZE, info};
use crate::talk::{Talk, subscription};

/// Machines, each with what the agent on it knows.
const MACHINES: usize = 4;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// An agent starts from nothing.
    Start(usize),
    ComeBack(usize),
    Disconnect(usize),
    Unregister(usize),
    Finish(usize),
    MarkGone(usize),
    Drain(usize),
    Reactivate(usize),
    /// Time passes, and only these machines answer.
    Wait(u64, [bool; MACHINES]),
    Launch,
    Slow(bool),
    Store,
    FailOver,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let machine = 0..MACHINES;
    let step = prop_oneof![
        4 => machine.clone().prop_map(Step::Start),
        6 => machine.clone().prop_map(Step::ComeBack),
        2 => machine.clone().prop_map(Step::Disconnect),
        1 => machine.clone().prop_map(Step::Unregister),
        2 => machine.clone().prop_map(Step::Finish),
        1 => machine.clone().prop_map(Step::MarkGone),
        1 => machine.clone().prop_map(Step::Drain),
        1 => machine.prop_map(Step::Reactivate),
        4 => (1..200_u64, any::<[bool; MACHINES]>()).prop_map(|(secs, alive)| Step::Wait(secs, alive)),
        3 => Just(Step::Launch),
        2 => any::<bool>().prop_map(Step::Slow),
        4 => Just(Step::Store),
        1 => Just(Step::FailOver),
    ];
    prop::collection::vec(step, 1..120)
}

/// The agents' side: ids and tasks outlive masters.
struct World {
    talk: Talk,
    framework: Caller,
    info: FrameworkInfo,
    ids: [Option<AgentId>; MACHINES],
    tasks: BTreeMap<TaskKey, (TaskInfo, TaskState)>,
    launched: usize,
    options: MasterOptions,
}

impl World {
    fn new() -> Self {
        let options = MasterOptions { registry_max_agent_count: 3, ..MasterOptions::default() };
        let mut talk = Talk::new(options.clone());
        let mut wanted = subscription("a");
        wanted.info.failover_timeout = 1e6;
        wanted.info.checkpoint = true;
        let info = wanted.info.clone();
        let framework = talk.subscribe(wanted);
        Self { talk, framework, info, ids: [None; MACHINES], tasks: BTreeMap::new(), launched: 0, options }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Start(n) => {
                self.forget_tasks(n);
                self.ids[n] = None;
                self.talk.agent_says(n, FromAgent::Register(Box::new(info(n, SIZE))));
            }
            Step::ComeBack(n) => self.come_back(n),
            Step::Disconnect(n) => {
                let Talk { master, now, said, .. } = &mut self.talk;
                master.agent_disconnected(*now, Address::new(n), said);
            }
            Step::Unregister(n) => self.with_agent(n, |world, agent| {
                world.talk.agent_says(n, FromAgent::Unregister(agent));
            }),
            Step::Finish(n) => self.finish(n),
            Step::MarkGone(n) => self.ask(n, OperatorCall::MarkAgentGone),
            Step::Drain(n) => self.ask(n, |agent| OperatorCall::DrainAgent {
                agent,
                max_grace_period: None,
                mark_gone: agent.index() % 2 == 0,
            }),
            Step::Reactivate(n) => self.ask(n, OperatorCall::ReactivateAgent),
            Step::Wait(seconds, alive) => self.wait(seconds, alive),
            Step::Launch => self.launch(),
            Step::Slow(is_slow) => self.talk.said.is_store_slow = is_slow,
            Step::Store => {
                if !self.talk.said.unstored.is_empty() {
                    self.talk.store();
                }
            }
            Step::FailOver => self.fail_over(),
        }
        self.listen([false; MACHINES]);
    }

    fn with_agent(&mut self, n: usize, then: impl FnOnce(&mut Self, AgentId)) {
        if let Some(agent) = self.ids[n] {
            then(self, agent);
        }
    }

    fn ask(&mut self, n: usize, call: impl FnOnce(AgentId) -> OperatorCall) {
        self.with_agent(n, |world, agent| drop(world.talk.operator(call(agent))));
    }

    fn forget_tasks(&mut self, n: usize) {
        if let Some(agent) = self.ids[n] {
            self.tasks.retain(|_, (task, _)| task.agent != agent);
        }
    }

    fn come_back(&mut self, n: usize) {
        let Some(id) = self.ids[n] else { return };
        let Some(role) = self.talk.master.roles().get("a") else { return };
        let of_agent = self.tasks.iter().filter(|(_, (task, _))| task.agent == id);
        let report = |(key, (task, state)): (&TaskKey, &(TaskInfo, TaskState))| TaskReport {
            framework: key.framework,
            task: task.clone(),
            role,
            state: *state,
            unacknowledged: None,
        };
        let back = Reregistration {
            id,
            info: info(n, SIZE),
            total: Resources::parse(SIZE).unwrap(),
            frameworks: vec![(self.framework.0, Arc::new(self.info.clone()))],
            tasks: of_agent.map(report).collect(),
            executors: vec![],
            operations: vec![],
        };
        self.talk.agent_says(n, FromAgent::Reregister(Box::new(back)));
    }

    fn finish(&mut self, n: usize) {
        let Some(agent) = self.ids[n] else { return };
        let running = |of: &&mut (TaskInfo, TaskState)| of.0.agent == agent && !of.1.is_terminal();
        let Some((task, state)) = self.tasks.values_mut().find(running) else { return };
        *state = TaskState::Finished;
        let key = TaskKey { framework: self.framework.0, task: task.id };
        let uuid = key.task.index() as u64;
        self.talk.report(n, agent, key, TaskState::Finished, uuid);
        let acknowledge = mesos::call::Call::Acknowledge { agent, task: key.task, uuid: StatusId(uuid) };
        self.talk.call(self.framework, acknowledge).unwrap();
    }

    fn wait(&mut self, seconds: u64, alive: [bool; MACHINES]) {
        let until = self.talk.now + Span::from_secs(seconds);
        while let Some(at) = self.talk.master.next_timeout(self.talk.now).filter(|&at| at <= until) {
            self.talk.now = self.talk.now.max(at);
            self.talk.master.handle_timeout(self.talk.now, &mut self.talk.said);
            self.listen(alive);
        }
        self.talk.now = until;
    }

    /// Agents answer pings if they are alive, remember their ids, run their tasks and end when they are told to.
    fn listen(&mut self, alive: [bool; MACHINES]) {
        while !self.talk.said.to_agents.is_empty() {
            for (address, message) in std::mem::take(&mut self.talk.said.to_agents) {
                let n = address.index();
                if let ToAgent::Registered { id, .. } = message {
                    self.ids[n] = Some(id);
                } else if matches!(message, ToAgent::Ping { .. }) && alive[n] {
                    self.with_agent(n, |world, id| world.talk.agent_says(n, FromAgent::Pong(id)));
                } else if let ToAgent::Run(run) = message {
                    for task in run.tasks {
                        let key = TaskKey { framework: run.framework, task: task.id };
                        self.tasks.insert(key, (task, TaskState::Running));
                    }
                } else if matches!(message, ToAgent::Shutdown { .. }) {
                    self.forget_tasks(n);
                    self.ids[n] = None;
                }
            }
        }
    }

    fn launch(&mut self) {
        let offers = self.talk.offers();
        for offer in offers {
            self.launched += 1;
            self.talk.launch(self.framework, &offer, self.launched, NEED);
        }
    }

    /// What was not stored is lost with the master.
    fn fail_over(&mut self) {
        let identities = self.talk.master.identities();
        let registry = &self.talk.said.registry;
        let options = self.options.clone();
        self.talk.master =
            Master::recover(options, Box::new(Ascending), registry, &identities, self.talk.now).unwrap();
        self.talk.said.unstored.clear();
        self.talk.said.events.clear();
        let subscribe = mesos::call::Subscribe {
            info: self.info.clone(),
            id: Some(self.framework.0),
            ..Default::default()
        };
        self.framework.1 = self.talk.try_subscribe(subscribe);
    }

    /// Master and registry agree whenever nothing is on its way.
    fn check(&self) {
        let (master, registry) = (&self.talk.master, &self.talk.said.registry);
        if !self.talk.said.unstored.is_empty() {
            return;
        }
        let agents = (0..master.identities().agents).map(AgentId::new);
        let recovered: Vec<_> =
            master.recovered_agents().filter(|agent| !master.gone_agents().contains_key(agent)).collect();
        let registered = agents.filter(|&id| master.agent_info(id).is_some() || recovered.contains(&id));
        assert_eq!(registered.collect::<Vec<_>>(), registry.admitted.keys().copied().collect::<Vec<_>>());
        let unreachable: BTreeMap<_, _> =
            registry.unreachable.iter().map(|(&id, of)| (id, of.since)).collect();
        assert_eq!(*master.unreachable_agents(), unreachable);
        assert_eq!(*master.gone_agents(), registry.gone);
        for (&id, of) in &registry.admitted {
            assert_eq!(master.is_deactivated(id), of.deactivated, "{id:?}");
            assert_eq!(master.drain_info(id), of.drain.as_ref(), "{id:?}");
        }
        self.check_tasks(self.framework.0);
    }

    fn check_tasks(&self, framework: FrameworkId) {
        let master = &self.talk.master;
        let mut held = BTreeMap::<AgentId, usize>::new();
        for (_, agent, state) in master.tasks(framework) {
            assert!(master.agent_info(agent).is_some(), "an active task is on a registered agent");
            *held.entry(agent).or_default() += usize::from(!state.is_terminal());
        }
        for (agent, tasks) in held {
            let shares = master.allocator().agent_shares(agent);
            let mut out = Resources::EMPTY;
            shares.held.iter().for_each(|(_, _, resources)| out += resources);
            let cpus = out.get(mesos::resource::ResourceName::Cpus).0;
            assert!(cpus >= 1000 * tasks as i64, "{agent:?}: {tasks} tasks, {out}");
            assert!(shares.total.contains(&out), "{agent:?}: {out} of {}", shares.total);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn master_and_registry_agree_whatever_happens_to_agents(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            world.check();
        }
    }
}
