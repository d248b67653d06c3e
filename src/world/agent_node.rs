//! A machine: the agent's process on it, and the host that plays its containers.
//!
//! The machine can die and come back, and so can the process alone; then containers of checkpointing frameworks live on.

use std::sync::Arc;

use mesos::{
    agent::{Agent, Checkpoint, ContainerNews},
    effects::{AgentEffects, Container},
    event::{FromAgent, ToAgent},
    id::{AgentId, ExecutorId, FrameworkId, Id},
    registration::AgentInfo,
    resource::{ResourceName, Resources, Scalar},
    task::{Reason, TaskInfo, TaskKey, TaskState},
    time::{Span, Time},
};
use rustc_hash::FxHashMap;

use super::{
    MASTER, Message, NodeId, World,
    links::{Quality, Wires},
    oversubscription::Slack,
};
use crate::{
    container::{EndReason, Happening, Host, HostOptions, How, Images, Limits, Profile, Work},
    engine::random::{Seed, Stream, below},
    fault::{Attempt, CauseId, TaskFate},
    record::{Cause, Observer, Record},
};

/// After how long a process is started again that the master had shut down.
pub(super) const RESTART_DELAY: Span = Span::from_secs(30);

/// One machine of the cluster. What is seldom looked at lies apart.
pub(super) struct AgentNode {
    info: Box<AgentInfo>,
    /// The process; `None` while it is down.
    pub(super) process: Option<Agent>,
    /// The id that the last process had.
    id: Option<AgentId>,
    /// What the last process left on the disk.
    checkpoint: Option<Box<Checkpoint>>,
    pub(super) host: Host,
    /// Executors that are up or on their way, and their tasks; command tasks have none.
    executors: Vec<Executor>,
    /// Why tasks that are to fail do.
    doomed: FxHashMap<TaskKey, CauseId>,
    /// What is to blame if tasks end now.
    pub(super) blame: Option<CauseId>,
    /// Whether the machine has power, and whether the process shall run.
    pub(super) is_crashed: bool,
    pub(super) has_no_capacity: bool,
    /// It lost power since the process last started.
    was_down: bool,
    pub(super) is_process_wanted: bool,
    /// Counts processes and states, so that an old order to start one is told from a new one.
    pub(super) starts: u32,
    draws: Draws,
    /// What estimates and corrects, if CPUs are offered once more.
    pub(super) slack: Option<Box<Slack>>,
    happenings: Vec<Happening>,
}

struct Executor {
    framework: FrameworkId,
    id: ExecutorId,
    /// When it is up.
    up: Option<Time>,
    tasks: Vec<TaskKey>,
}

/// Random waits of one machine's agent, numbered.
#[derive(Clone, Copy)]
struct Draws {
    seed: Seed,
    machine: u64,
    drawn: u64,
}

impl Draws {
    fn next(&mut self, most: Span) -> Span {
        let mut rng = self.seed.of(Stream::AgentRegistration, self.drawn << 32 | self.machine);
        self.drawn += 1;
        Span(below(&mut rng, most.0 + 1))
    }
}

/// Carries what the agent says to the master; its orders wait until it is done.
pub(super) struct Said<'w> {
    node: NodeId,
    wires: Wires<'w>,
    orders: Vec<Container>,
    draws: Draws,
}

impl AgentEffects for Said<'_> {
    fn send_to_master(&mut self, message: FromAgent) {
        self.wires.post(self.node, NodeId::new(MASTER), Message::FromAgent(message));
    }

    fn contain(&mut self, order: Container) {
        self.orders.push(order);
    }

    fn backoff(&mut self, most: Span) -> Span {
        self.draws.next(most)
    }
}

impl AgentNode {
    pub(super) fn new(
        info: AgentInfo,
        machine: usize,
        seed: Seed,
        options: &Arc<HostOptions>,
        images: &Arc<Images>,
        slack: Option<Box<Slack>>,
    ) -> Self {
        let cpus = info.resources.get(ResourceName::Cpus);
        Self {
            info: Box::new(info),
            process: None,
            id: None,
            checkpoint: None,
            host: Host::new(cpus, options.clone(), images.clone()),
            executors: Vec::new(),
            doomed: FxHashMap::default(),
            blame: None,
            is_crashed: false,
            has_no_capacity: false,
            was_down: false,
            is_process_wanted: true,
            starts: 0,
            draws: Draws { seed, machine: machine as u64, drawn: 0 },
            slack,
            happenings: Vec::new(),
        }
    }

    /// Whether the machine has power and something to offer.
    pub(super) const fn is_up(&self) -> bool {
        !self.is_crashed && !self.has_no_capacity
    }

    /// The agent, while its process runs.
    pub(super) const fn process(&self) -> Option<&Agent> {
        self.process.as_ref()
    }

    fn next_wake(&self) -> Option<Time> {
        let executor = self.executors.iter().filter_map(|executor| executor.up).min();
        let process = self.process.as_ref().and_then(Agent::next_timeout);
        let estimate = self.process.as_ref().and_then(|_| self.slack.as_ref()?.next);
        Time::earliest([self.host.next_wake(), executor, process, estimate])
    }

    /// The executors that are up by now.
    fn registered(&mut self, now: Time) -> Vec<ContainerNews> {
        let mut news = Vec::new();
        for executor in &mut self.executors {
            if executor.up.is_some_and(|up| up <= now) {
                executor.up = None;
                let (framework, executor) = (executor.framework, executor.id);
                news.push(ContainerNews::ExecutorRegistered { framework, executor });
            }
        }
        news
    }
}

impl<O: Observer> World<'_, O> {
    /// Starts the agent's process: a new one, or one that recovers what the last left behind.
    pub(super) fn start_process(&mut self, now: Time, machine: usize) {
        let options = self.agent_options.clone();
        let is_master_known = self.master.is_some();
        self.agents[machine].starts += 1;
        self.agents[machine].is_process_wanted = true;
        let rebooted = std::mem::take(&mut self.agents[machine].was_down);
        self.with_agent(now, machine, |agent, now, said| {
            let mut process = match agent.checkpoint.take() {
                Some(checkpoint) => Agent::recover(*checkpoint, options, rebooted, now, said),
                None => Agent::new((*agent.info).clone(), options),
            };
            process.master_detected(now, is_master_known, said);
            agent.process = Some(process);
        });
        self.reconnect_containers(now, machine);
        self.estimate(now, machine);
        self.update_trust(now, machine);
        self.wake_agent_later(machine);
    }

    /// Executors that lived on find the new process.
    fn reconnect_containers(&mut self, now: Time, machine: usize) {
        let node = &self.agents[machine];
        let mut news: Vec<ContainerNews> = node
            .executors
            .iter()
            .filter(|executor| executor.up.is_none())
            .map(|of| ContainerNews::ExecutorRegistered { framework: of.framework, executor: of.id })
            .collect();
        news.extend(
            self.agents[machine].host.keys().into_iter().map(|key| ContainerNews::Reconnected { key }),
        );
        for news in news {
            self.tell_of_container(now, machine, news);
        }
    }

    /// The agent's process dies, and with it the containers of frameworks that do not checkpoint. Its connection breaks.
    pub(super) fn stop_process(&mut self, now: Time, machine: usize) {
        let Some(process) = self.agents[machine].process.take() else { return };
        let is_shut_down = process.is_shut_down(); // then it is another agent that starts next
        let (checkpoint, orphans) = process.crash();
        self.agents[machine].checkpoint = (!is_shut_down).then(|| Box::new(checkpoint));
        self.agents[machine].starts += 1;
        for key in orphans {
            self.with_host(now, machine, |host, now, out| {
                host.destroy(now, key, out);
            });
        }
        self.wake_agent_later(machine);
    }

    /// The machine dies: process, executors, tasks. Nobody is told.
    pub(super) fn crash_machine(&mut self, now: Time, machine: usize) {
        self.stop_process(now, machine);
        self.agents[machine].was_down = true;
        self.with_host(now, machine, Host::crash);
        self.agents[machine].executors.clear();
        self.wake_agent_later(machine);
    }

    /// The master had the agent shut down: everything on it ends, and the process, which forgets what it was.
    fn after_shutdown(&mut self, now: Time, machine: usize) {
        let node = &mut self.agents[machine];
        node.process = None;
        node.checkpoint = None;
        node.executors.clear();
        for key in self.agents[machine].host.keys() {
            self.with_host(now, machine, |host, now, out| {
                host.destroy(now, key, out);
            });
        }
        let node = &mut self.agents[machine];
        node.starts += 1;
        if node.is_process_wanted && node.is_up() {
            let restart = Message::StartProcess(node.starts);
            self.engine.send(self.agent_node(machine), now + RESTART_DELAY, self.to_self(restart));
        }
        self.agent_link_broke(now, machine);
    }

    /// The agent tells the master that it leaves (SIGUSR1).
    pub(super) fn shut_down_process(&mut self, now: Time, machine: usize) {
        self.with_agent(now, machine, |agent, now, said| {
            if let Some(process) = &mut agent.process {
                process.shut_down(now, said);
            }
        });
        self.agents[machine].checkpoint = None;
    }

    /// A machine runs slower or faster from now on.
    pub(super) fn set_machine_rate(&mut self, now: Time, machine: usize, rate: f64) {
        self.agents[machine].host.set_rate(now, rate);
        self.wake_agent_later(machine);
    }

    /// A machine has other resources from now on.
    pub(super) fn set_machine_total(&mut self, now: Time, machine: usize, total: Resources) {
        self.agents[machine].info.resources = total.clone();
        self.with_agent(now, machine, |agent, now, said| {
            if let Some(process) = &mut agent.process {
                process.set_total(now, total, said);
            }
        });
        self.wake_agent_later(machine);
    }

    /// The agent's own time has come: containers end, executors are up, its timers fire.
    pub(super) fn wake_agent(&mut self, now: Time, machine: usize) {
        self.with_host(now, machine, Host::wake);
        for news in self.agents[machine].registered(now) {
            self.tell_of_container(now, machine, news);
        }
        if self.agents[machine].process().and_then(Agent::next_timeout).is_some_and(|at| at <= now) {
            self.with_agent(now, machine, |agent, now, said| {
                if let Some(process) = &mut agent.process {
                    process.handle_timeout(now, said);
                }
            });
        }
        self.estimate_if_due(now, machine);
        self.wake_agent_later(machine);
    }

    /// A message of the master reaches the agent.
    pub(super) fn tell_agent(&mut self, now: Time, machine: usize, message: ToAgent) {
        let is_registration = matches!(message, ToAgent::Registered { .. } | ToAgent::Reregistered { .. });
        self.with_agent(now, machine, |agent, now, said| {
            if let Some(process) = &mut agent.process {
                process.handle_master(now, message, said);
            }
        });
        if is_registration {
            self.agents[machine].id = self.agents[machine].process.as_ref().and_then(Agent::id);
            self.update_trust(now, machine);
        }
        self.wake_agent_later(machine);
        if self.agents[machine].process.as_ref().is_some_and(Agent::is_shut_down) {
            self.after_shutdown(now, machine);
        }
    }

    /// The agent knows who leads, or that nobody does.
    pub(super) fn agent_detects(&mut self, now: Time, machine: usize, is_known: bool) {
        self.with_agent(now, machine, |agent, now, said| {
            if let Some(process) = &mut agent.process {
                process.master_detected(now, is_known, said);
            }
        });
        self.wake_agent_later(machine);
    }

    /// Lets the agent act, which posts what it says, and gives its host its orders, whose news go back to it.
    ///
    /// Whoever calls this last sets the node's alarm ([`wake_agent_later`](Self::wake_agent_later)).
    pub(super) fn with_agent(
        &mut self,
        now: Time,
        machine: usize,
        act: impl FnOnce(&mut AgentNode, Time, &mut Said<'_>),
    ) {
        let node = self.agent_node(machine);
        let agent = &mut self.agents[machine];
        let wires = Wires {
            engine: &mut self.engine,
            network: &mut self.network,
            links: &mut self.links,
            latency: self.latency,
        };
        let mut said = Said { node, wires, orders: std::mem::take(&mut self.orders), draws: agent.draws };
        act(agent, now, &mut said);
        let Said { draws, mut orders, .. } = said;
        agent.draws = draws;
        for order in orders.drain(..) {
            self.obey(now, machine, order);
        }
        self.orders = orders;
    }

    fn wake_agent_later(&mut self, machine: usize) {
        let (node, wake) = (self.agent_node(machine), self.agents[machine].next_wake());
        self.engine.wake_at(node, wake);
    }

    fn obey(&mut self, now: Time, machine: usize, order: Container) {
        match order {
            Container::Launch { framework, executor } => {
                let up = Some(now + self.startup_delay);
                let executor = Executor { framework, id: executor.id, up, tasks: Vec::new() };
                self.agents[machine].executors.push(executor);
            }
            Container::Run { key, task } => self.run_task(now, machine, key, &task),
            Container::Kill { key, grace } => self.with_host(now, machine, |host, now, out| {
                host.kill(now, key, grace, out);
            }),
            // No simulated executor listens.
            Container::Message { .. } => {}
            Container::Destroy { key } => self.with_host(now, machine, |host, now, out| {
                host.destroy(now, key, out);
            }),
            Container::Shutdown { framework, executor, grace } => {
                self.end_executor(now, machine, framework, executor, grace);
            }
        }
    }

    /// The executor is gone when its tasks are, and those have `grace`.
    fn end_executor(
        &mut self,
        now: Time,
        machine: usize,
        framework: FrameworkId,
        executor: ExecutorId,
        grace: Span,
    ) {
        let executors = &mut self.agents[machine].executors;
        let is_it = |of: &Executor| of.framework == framework && of.id == executor;
        let Some(place) = executors.iter().position(is_it) else { return };
        let tasks = executors[place].tasks.clone();
        if tasks.is_empty() {
            executors.remove(place);
            return self.executor_exited(now, machine, framework, executor);
        }
        for key in tasks {
            self.with_host(now, machine, |host, now, out| {
                host.kill(now, key, grace, out);
            });
        }
    }

    fn executor_exited(&mut self, now: Time, machine: usize, framework: FrameworkId, executor: ExecutorId) {
        let news = ContainerNews::ExecutorExited { framework, executor, status: 0, reason: None };
        self.tell_of_container(now, machine, news);
    }

    fn run_task(&mut self, now: Time, machine: usize, key: TaskKey, task: &TaskInfo) {
        if let Some(executor) = task.detail.as_ref().and_then(|detail| detail.executor.as_ref()) {
            let is_it = |of: &&mut Executor| of.framework == key.framework && of.id == executor.id;
            if let Some(executor) = self.agents[machine].executors.iter_mut().find(is_it) {
                executor.tasks.push(key);
            }
        }
        let fate = self.fate_of(key);
        let profile = self.profile_of(task, &fate, Span(task.data));
        if let (_, Some(cause)) = fate.outcome(Span(task.data)) {
            self.agents[machine].doomed.insert(key, cause);
        }
        let revocable = task.resources.has_revocable();
        let work = Work {
            key,
            runtime: Span(task.data),
            cpus: task.resources.get(ResourceName::Cpus),
            mem: task.resources.get(ResourceName::Mem),
            limits: limits_of(task),
            revocable,
            profile,
        };
        self.living += 1;
        self.with_host(now, machine, |host, now, out| host.start(now, work, out));
    }

    /// What becomes of an attempt, if faults have to do with tasks.
    fn fate_of(&self, key: TaskKey) -> TaskFate {
        let Some(faults) = &self.faults else { return TaskFate::GOOD };
        let Some(place) = self.place_of(key.framework) else { return TaskFate::GOOD };
        let (task, number) = self.frameworks[place].attempt(key.task);
        faults.fate(Attempt { framework: place, task, number })
    }

    /// The profile of a task, changed by its fate; `None` for a task that just runs.
    fn profile_of(&self, task: &TaskInfo, fate: &TaskFate, runtime: Span) -> Option<Arc<Profile>> {
        let number = task.detail.as_ref().map_or(0, |detail| detail.profile);
        let known = (number > 0).then(|| self.profiles[number as usize - 1].clone());
        if *fate == TaskFate::GOOD {
            return known;
        }
        let mut profile = known.as_deref().cloned().unwrap_or_default();
        profile.speed /= fate.slowdown;
        if let (after, Some(_)) = fate.outcome(runtime) {
            let whole = runtime.as_secs_f64() * fate.slowdown;
            let share = if whole > 0.0 { (after.as_secs_f64() / whole).min(1.0) } else { 0.0 };
            profile.fails_at = Some(profile.fails_at.map_or(share, |other| other.min(share)));
        }
        Some(Arc::new(profile))
    }

    /// Lets the host act, and tells agent and observer what happened on it.
    pub(super) fn with_host(
        &mut self,
        now: Time,
        machine: usize,
        act: impl FnOnce(&mut Host, Time, &mut Vec<Happening>),
    ) {
        let agent = &mut self.agents[machine];
        let mut happenings = std::mem::take(&mut agent.happenings);
        act(&mut agent.host, now, &mut happenings);
        for happening in happenings.drain(..) {
            match happening {
                Happening::Started { key } => self.task_started(now, machine, key),
                Happening::Ended { key, how, began, ran, .. } => {
                    self.task_ended(now, machine, key, how, began.then_some(ran));
                }
            }
        }
        self.agents[machine].happenings = happenings;
        self.correct_if_changed(now, machine);
    }

    fn task_started(&mut self, now: Time, machine: usize, key: TaskKey) {
        let agent = self.agents[machine].id.expect("only an agent that was registered starts tasks");
        self.observer.observe(now, &Record::TaskStarted { key, agent });
        self.last_progress = now;
        self.tell_of_task(now, machine, key, TaskState::Running, None);
    }

    /// A container is gone whose program `ran` so long, if it ever ran.
    fn task_ended(&mut self, now: Time, machine: usize, key: TaskKey, how: How, ran: Option<Span>) {
        let doomed = &mut self.agents[machine].doomed;
        let doom = if doomed.is_empty() { None } else { doomed.remove(&key) };
        let blame = self.agents[machine].blame.map_or(Cause::Kill, Cause::Fault);
        let (state, reason, cause) = match how {
            How::Finished => (TaskState::Finished, None, Cause::Done),
            How::Failed(EndReason::CommandFailed) => {
                let cause = doom.map_or(Cause::Failure, Cause::Fault);
                (TaskState::Failed, Some(Reason::CommandExecutorFailed), cause)
            }
            How::Failed(EndReason::MemoryLimit) => {
                (TaskState::Failed, Some(Reason::ContainerLimitationMemory), Cause::MemoryLimit)
            }
            How::Killed => (TaskState::Killed, None, blame),
            How::Evicted => (TaskState::Gone, Some(Reason::ContainerPreempted), Cause::Preemption),
            How::Lost => (TaskState::Lost, None, blame),
        };
        self.living -= 1;
        self.last_progress = now;
        if let Some(ran) = ran {
            self.observer.observe(now, &Record::TaskEnded { key, state, cause, ran });
        }
        self.leave_executor(now, machine, key);
        match how {
            How::Lost => {}
            How::Evicted => self.with_agent(now, machine, |agent, now, said| {
                if let Some(process) = &mut agent.process {
                    process.preempt(now, &[key], said);
                }
            }),
            How::Finished | How::Failed(_) | How::Killed => {
                self.tell_of_task(now, machine, key, state, reason);
            }
        }
    }

    fn tell_of_task(
        &mut self,
        now: Time,
        machine: usize,
        key: TaskKey,
        state: TaskState,
        reason: Option<Reason>,
    ) {
        self.tell_of_container(now, machine, ContainerNews::Task { key, state, reason, more: None });
    }

    /// The agent, if its process runs, has news of a container.
    fn tell_of_container(&mut self, now: Time, machine: usize, news: ContainerNews) {
        self.with_agent(now, machine, |agent, now, said| {
            if let Some(process) = &mut agent.process {
                process.handle_container(now, news, said);
            }
        });
    }

    /// An executor whose last task is over ends by itself.
    fn leave_executor(&mut self, now: Time, machine: usize, key: TaskKey) {
        let executors = &mut self.agents[machine].executors;
        let Some(place) = executors.iter().position(|executor| executor.tasks.contains(&key)) else { return };
        executors[place].tasks.retain(|&of| of != key);
        if executors[place].tasks.is_empty() {
            let gone = executors.remove(place);
            self.executor_exited(now, machine, gone.framework, gone.id);
        }
    }

    /// Vouches for pings between master and agent as long as nothing is wrong with either of them or the link. A master that
    /// does not know the agent (any more) does not ping it, and by that silence the agent learns that it has to come back.
    pub(super) fn update_trust(&mut self, now: Time, machine: usize) {
        let is_sound =
            self.link_quality(self.agent_node(machine)) == Quality::Sound && self.is_known_to_master(machine);
        let agent = &mut self.agents[machine];
        if let Some(process) = &mut agent.process {
            process.trust_pings(now, is_sound);
        }
        let Some(id) = agent.process.as_ref().map_or(agent.id, Agent::id) else { return };
        if let Some(master) = &mut self.master {
            if is_sound {
                master.trust(now, id);
            } else {
                master.doubt(now, id);
            }
            self.wake_master(now);
        }
        self.wake_agent_later(machine);
    }

    /// While nobody leads, agents know that nobody does.
    fn is_known_to_master(&self, machine: usize) -> bool {
        let id = self.agents[machine].process.as_ref().and_then(Agent::id);
        self.master.as_ref().is_none_or(|master| id.is_some_and(|id| master.agent_info(id).is_some()))
    }
}

/// The limits that a task gives itself; infinity is more than any machine has.
fn limits_of(task: &TaskInfo) -> Limits {
    let given = task.detail.as_ref().map_or(&[][..], |detail| &detail.limits);
    let limit = |name: ResourceName| {
        let (_, most) = given.iter().find(|(of, _)| of == name.as_str())?;
        Some(Scalar::from_f64(*most).unwrap_or(Scalar(i64::MAX)))
    };
    Limits { cpus: limit(ResourceName::Cpus), mem: limit(ResourceName::Mem) }
}
