//! Random conversations between a master, an agent and its containers: whatever is lost on the way, every task ends once,
//! and its framework hears all of it in order.

use std::collections::BTreeMap;

use mesos::{
    agent::ContainerNews,
    effects::Container,
    event::{FromAgent, StatusUpdate, ToAgent},
    id::{ExecutorId, Id, StatusId},
    resource::Resources,
    task::{
        Source, TaskKey,
        TaskState::{self, Finished, Running},
    },
    time::Time,
};
use proptest::prelude::*;

use crate::talk::{Talk, framework, key, kill, resources};

/// What a framework has heard of a task, each update once.
type Heard = BTreeMap<TaskKey, Vec<(StatusId, TaskState, Source)>>;

struct World {
    talk: Talk,
    launched: usize,
    /// Containers of tasks, and what they have said so far.
    containers: BTreeMap<TaskKey, Vec<TaskState>>,
    /// All that containers have said while the agent knew them alive.
    said: BTreeMap<TaskKey, Vec<TaskState>>,
    in_executor: Vec<TaskKey>,
    /// Whether the executor is up, if there is one.
    executor: Option<bool>,
    heard: Heard,
    unanswered: Vec<(TaskKey, StatusId)>,
}

impl World {
    fn new() -> Self {
        Self {
            talk: Talk::with("cpus:8;mem:4096"),
            launched: 0,
            containers: BTreeMap::new(),
            said: BTreeMap::new(),
            in_executor: Vec::new(),
            executor: None,
            heard: BTreeMap::new(),
            unanswered: Vec::new(),
        }
    }

    fn step(&mut self, what: u8, lot: usize) {
        match what {
            0..=2 => self.run(),
            3 => self.run_in_executor(),
            4..=6 => self.container_speaks(lot),
            7 => self.kill(lot),
            8..=10 => self.acknowledge(lot),
            11 => self.talk.wait_until(self.seconds() + lot as u64 % 100),
            12 => self.talk.detect(lot.is_multiple_of(2)),
            13 => self.register(),
            14 => self.restart(lot),
            15 if lot.is_multiple_of(4) => self.executor_exits(),
            15 => self.executor_is_up(),
            16 => self.preempt(lot),
            _ => self.drain(lot),
        }
        self.listen();
    }

    fn seconds(&self) -> u64 {
        self.talk.now.0 / 1_000_000_000
    }

    fn run(&mut self) {
        if self.talk.agent.is_registered() && self.talk.agent.free().contains(&resources("cpus:1;mem:32")) {
            self.talk.run(self.launched);
            self.launched += 1;
        }
    }

    fn run_in_executor(&mut self) {
        if !self.talk.agent.is_registered() || !self.talk.agent.free().contains(&resources("cpus:2.1;mem:96"))
        {
            return;
        }
        let tasks = [self.launched, self.launched + 1];
        self.in_executor.extend(tasks.map(key));
        self.launched += 2;
        self.talk.run_in_executor(&tasks, self.executor.is_none());
    }

    fn container_speaks(&mut self, lot: usize) {
        let place = lot % self.containers.len().max(1);
        let Some((&key, states)) = self.containers.iter_mut().nth(place) else { return };
        let state = if states.is_empty() || lot.is_multiple_of(5) { Running } else { Finished };
        states.push(state);
        if self.talk.agent.tasks().iter().any(|(of, state)| *of == key && !state.is_terminal()) {
            self.said.entry(key).or_default().push(state);
        }
        self.talk.news(ContainerNews::Task { key, state, reason: None, more: None });
        if state == Finished {
            self.containers.remove(&key);
        }
    }

    fn kill(&mut self, lot: usize) {
        let tasks = self.talk.agent.tasks();
        if let Some((key, _)) = tasks.get(lot % tasks.len().max(1)) {
            self.talk.tell(kill(key.task.index()));
        }
    }

    /// One acknowledgement in eight is lost.
    fn acknowledge(&mut self, lot: usize) {
        if !self.unanswered.is_empty() {
            let (key, uuid) = self.unanswered.swap_remove(lot % self.unanswered.len());
            if !lot.is_multiple_of(8) {
                self.talk.tell(ToAgent::Acknowledge { key, uuid });
            }
        }
    }

    fn register(&mut self) {
        self.talk.detect(true);
        self.talk.wait_until(self.seconds() + 3);
        match self.talk.agent.id() {
            None => self.talk.register(),
            Some(_) => self.talk.reregistered(vec![]),
        }
    }

    fn restart(&mut self, lot: usize) {
        let rebooted = lot.is_multiple_of(4);
        self.talk.restart(rebooted);
        if rebooted {
            self.containers.clear();
            self.executor = None;
        }
        self.listen();
        let is_executor_back = !lot.is_multiple_of(3);
        if is_executor_back && self.executor == Some(true) {
            self.executor_is_up();
        }
        for (n, &key) in self.containers.keys().enumerate() {
            if !self.in_executor.contains(&key) && !(lot + n).is_multiple_of(5) {
                self.talk.news(ContainerNews::Reconnected { key });
            }
        }
    }

    fn executor_is_up(&mut self) {
        if self.executor.is_some() {
            self.executor = Some(true);
            self.talk.executor_is_up();
        }
    }

    fn executor_exits(&mut self) {
        if self.executor.take().is_some() {
            let in_executor = &self.in_executor;
            self.containers.retain(|key, _| !in_executor.contains(key));
            self.talk.executor_exits(None);
        }
    }

    fn preempt(&mut self, lot: usize) {
        let tasks = self.talk.agent.tasks();
        if let Some(&(key, _)) = tasks.get(lot % tasks.len().max(1)) {
            self.talk.agent.preempt(self.talk.now, &[key], &mut self.talk.said);
        }
    }

    fn drain(&mut self, lot: usize) {
        if lot.is_multiple_of(3) {
            self.talk.tell(ToAgent::Drain { max_grace_period: None, mark_gone: false });
        }
    }

    /// Carries out orders and hears updates, then looks at the books.
    fn listen(&mut self) {
        self.talk.orders().iter().for_each(|order| self.carry_out(order));
        for message in self.talk.messages() {
            if let FromAgent::Update(_, update) = message {
                self.hear(&update);
            }
        }
        assert_eq!(self.talk.agent.free(), self.free(), "{:?}", self.talk.agent);
    }

    fn carry_out(&mut self, order: &Container) {
        match *order {
            Container::Launch { .. } => self.executor = Some(false),
            Container::Run { key, .. } => {
                assert!(self.containers.insert(key, vec![]).is_none(), "{key:?} twice");
            }
            Container::Destroy { key } => drop(self.containers.remove(&key)),
            Container::Shutdown { executor, .. } => assert_eq!(executor, ExecutorId::new(0)),
            Container::Kill { key, .. } => assert_eq!(key.framework, framework()),
            Container::Message { .. } => panic!("nobody said anything"),
        }
    }

    fn hear(&mut self, update: &StatusUpdate) {
        let uuid = update.uuid.expect("nothing is reconciled here");
        let heard = self.heard.entry(update.key).or_default();
        if !heard.iter().any(|&(of, ..)| of == uuid) {
            let is_newer = heard.last().is_none_or(|&(last, state, _)| last < uuid && !state.is_terminal());
            assert!(is_newer, "{update:?} after {heard:?}");
            heard.push((uuid, update.state, update.source));
        }
        self.unanswered.push((update.key, uuid));
    }

    /// What should be free.
    fn free(&self) -> Resources {
        let mut free = self.talk.agent.total().clone();
        let living = self.talk.agent.tasks().into_iter().filter(|(_, state)| !state.is_terminal());
        living.for_each(|_| free -= &resources("cpus:1;mem:32"));
        if self.executor.is_some() {
            free -= &resources("cpus:0.1;mem:32");
        }
        free
    }

    /// Nothing is lost any more, and all containers end.
    fn finish(&mut self) {
        self.register();
        self.executor_is_up();
        self.listen();
        while !self.containers.is_empty() {
            (0..2).for_each(|_| self.container_speaks(1));
        }
        self.executor_exits();
        self.listen();
        for _ in 0..20 * self.launched {
            self.talk.wait_until(self.seconds() + 700);
            self.listen();
            let unanswered = std::mem::take(&mut self.unanswered);
            unanswered.into_iter().for_each(|(key, uuid)| self.talk.tell(ToAgent::Acknowledge { key, uuid }));
        }
    }

    fn check(&self) {
        assert_eq!(
            (self.talk.agent.free(), self.talk.agent.next_timeout()),
            (self.talk.agent.total().clone(), None)
        );
        assert!(self.talk.now > Time::ZERO);
        for key in (0..self.launched).map(key) {
            let heard = &self.heard[&key];
            let ends = heard.iter().filter(|(_, state, _)| state.is_terminal()).count();
            assert_eq!(ends, 1, "{key:?} {heard:?}");
            let by_executor = heard.iter().filter(|(.., source)| *source == Source::Executor);
            let states: Vec<_> = by_executor.map(|&(_, state, _)| state).collect();
            assert_eq!(states, self.said.get(&key).cloned().unwrap_or_default(), "{key:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_task_ends_once_and_all_its_updates_arrive_in_order(
        steps in prop::collection::vec((0..18_u8, 0..1000_usize), 1..200)
    ) {
        let mut world = World::new();
        world.step(13, 0);
        steps.into_iter().for_each(|(what, lot)| world.step(what, lot));
        world.finish();
        world.check();
    }
}
