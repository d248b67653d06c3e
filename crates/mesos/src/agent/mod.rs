//! The agent-side machine: registers, starts tasks, and sees to it that every status update is heard.
//!
//! Whoever drives the agent plays the containerizer and the executors: it carries out what [`Container`] says and reports by
//! [`ContainerNews`]. Health checks are the executors' business and known here by their results only.

mod drain;
mod executors;
mod kill;
mod launch;
mod operations;
mod recovery;
mod registration;
mod tasks;
mod timers;
mod total;
mod updates;

pub use recovery::Checkpoint;

use crate::{
    effects::{AgentEffects, Container},
    event::{FromAgent, ToAgent},
    id::{AgentId, ExecutorId, FrameworkId},
    registration::AgentInfo,
    resource::Resources,
    task::{Reason, StatusMore, TaskKey, TaskState},
    time::{Span, Time},
};
use executors::{Executor, Phase};
use registration::Link;
use timers::{Timer, Timers};

/// The agent's flags.
#[derive(Clone, Debug)]
pub struct AgentOptions {
    /// Longest wait before the first attempt to register (`--registration_backoff_factor`, 1 s).
    pub registration_backoff_factor: Span,
    /// An executor that has not registered by then has failed (`--executor_registration_timeout`, 1 min).
    pub executor_registration_timeout: Span,
    /// An executor that is not back so long after a restart of the agent is gone
    /// (`--executor_reregistration_timeout`, 2 s).
    pub executor_reregistration_timeout: Span,
    /// How long an executor may take to shut down (`--executor_shutdown_grace_period`, 5 s).
    pub executor_shutdown_grace_period: Span,
}

impl Default for AgentOptions {
    fn default() -> Self {
        Self {
            registration_backoff_factor: Span::from_secs(1),
            executor_registration_timeout: Span::from_secs(60),
            executor_reregistration_timeout: Span::from_secs(2),
            executor_shutdown_grace_period: Span::from_secs(5),
        }
    }
}

/// What the containerizer and the executors say to their agent. What is said of tasks that are over, and of tasks and executors
/// that are forgotten, changes nothing: their containers were still on their way out.
#[derive(Clone, Debug, PartialEq)]
pub enum ContainerNews {
    /// An executor is up, or has come back after a restart of the agent.
    ExecutorRegistered {
        /// Whose.
        framework: FrameworkId,
        /// Which.
        executor: ExecutorId,
    },
    /// A task has a new state.
    Task {
        /// Which.
        key: TaskKey,
        /// Its state.
        state: TaskState,
        /// Why. What a container's end tells (`CONTAINER_*` and the like) is the agent's own news, all else the executor's.
        reason: Option<Reason>,
        /// What is seldom said.
        more: Option<Box<StatusMore>>,
    },
    /// The container of a command task is still there after a restart of the agent, and there is no other news of it.
    Reconnected {
        /// Which task.
        key: TaskKey,
    },
    /// An executor is gone, and with it all its tasks that were not over. Must follow each [`Container::Launch`] some day.
    ExecutorExited {
        /// Whose.
        framework: FrameworkId,
        /// Which.
        executor: ExecutorId,
        /// Its exit status.
        status: i32,
        /// Why, if the containerizer ended it.
        reason: Option<Reason>,
    },
    /// An executor speaks to its framework.
    Message {
        /// To whom.
        framework: FrameworkId,
        /// Which executor.
        executor: ExecutorId,
        /// What.
        data: Vec<u8>,
    },
}

/// See the [module](self).
#[derive(Debug)]
pub struct Agent {
    options: AgentOptions,
    id: Option<AgentId>,
    /// Apart: it is seldom looked at.
    info: Box<AgentInfo>,
    /// With reservations, volumes and revocable resources.
    total: Resources,
    /// The total was changed from outside since the master last heard it.
    is_total_unsaid: bool,
    /// What tasks that are not over hold, and executors.
    used: Resources,
    frameworks: Vec<tasks::Framework>,
    /// In no order: look through them.
    tasks: Vec<tasks::Task>,
    /// Their keys, in the same places: what is searched.
    keys: Vec<TaskKey>,
    executors: Vec<Executor>,
    operations: Vec<operations::Operation>,
    drain: Option<drain::Drain>,
    /// How many updates were made.
    statuses: u64,
    /// How many tasks and executors came.
    numbers: u32,
    timers: Timers,
    link: Link,
    /// Until then executors may come back after a restart.
    recovery_ends: Option<Time>,
    /// The machine has had more than now.
    has_shrunk: bool,
    /// The master may have forgotten tasks that run here.
    may_overcommit: bool,
    is_shut_down: bool,
}

impl Agent {
    /// An agent that was never registered.
    #[must_use]
    pub fn new(info: AgentInfo, options: AgentOptions) -> Self {
        Self {
            options,
            id: None,
            total: info.resources.clone(),
            info: Box::new(info),
            is_total_unsaid: false,
            used: Resources::EMPTY,
            frameworks: Vec::new(),
            tasks: Vec::new(),
            keys: Vec::new(),
            executors: Vec::new(),
            operations: Vec::new(),
            drain: None,
            statuses: 0,
            numbers: 0,
            timers: Timers::default(),
            link: Link::new(),
            recovery_ends: None,
            has_shrunk: false,
            may_overcommit: false,
            is_shut_down: false,
        }
    }

    /// The process starts anew with what is on the disk. The containers of checkpointing frameworks have lived on, unless
    /// the machine itself was away (`rebooted`): their executors register again, and command tasks are told of by
    /// [`ContainerNews::Task`] or [`ContainerNews::Reconnected`]. Then the agent waits for a master.
    #[must_use]
    pub fn recover(
        checkpoint: Checkpoint,
        options: AgentOptions,
        rebooted: bool,
        now: Time,
        out: &mut impl AgentEffects,
    ) -> Self {
        let mut agent = Self::of_checkpoint(checkpoint, options);
        agent.start_recovery(now, rebooted, out);
        agent
    }

    /// The process ends without a word. Containers of frameworks that do not checkpoint end with it, executors without tasks
    /// too: the tasks that were not over are named.
    #[must_use]
    pub fn crash(self) -> (Checkpoint, Vec<TaskKey>) {
        self.into_checkpoint()
    }

    /// The process ends in good order: everything on it is killed, and the master is told (SIGUSR1).
    pub fn shut_down(&mut self, _now: Time, out: &mut impl AgentEffects) {
        if !self.is_shut_down {
            self.tell(FromAgent::Unregister, out);
            self.end(out);
        }
    }

    /// A leading master is known, or none (`Slave::detected`); also called when the connection to the leader broke.
    pub fn master_detected(&mut self, now: Time, is_known: bool, out: &mut impl AgentEffects) {
        if !self.is_shut_down {
            self.look_for_master(now, is_known, out);
        }
    }

    /// A message of the master. While none is known, nobody is listened to.
    pub fn handle_master(&mut self, now: Time, message: ToAgent, out: &mut impl AgentEffects) {
        if self.is_shut_down || !self.link.is_leader_known() {
            return;
        }
        match message {
            ToAgent::Registered { id, ping_timeout } => self.registered(now, id, ping_timeout, out),
            ToAgent::Reregistered { ping_timeout, reconcile } => {
                self.reregistered(now, ping_timeout, &reconcile, out);
            }
            ToAgent::Ping { connected } => self.pinged(now, connected, out),
            ToAgent::Shutdown { message: _ } => self.end(out),
            ToAgent::Run(run) => self.run(now, *run, out),
            ToAgent::Kill { key, grace } => self.kill(now, key, grace, out),
            ToAgent::Acknowledge { key, uuid } => {
                self.acknowledged(now, key, uuid, out);
                self.skip_dead_timers();
            }
            ToAgent::Message { framework, executor, data } => self.pass_on(framework, executor, data, out),
            ToAgent::ShutdownExecutor { framework, executor } => {
                self.shut_down_executor(framework, executor, None, out);
            }
            ToAgent::ShutdownFramework(framework) => self.shut_down_framework(framework, out),
            ToAgent::UpdateFramework { framework, info } => self.update_framework(framework, &info),
            ToAgent::ApplyOperation { framework, operation, uuid, what } => {
                self.apply_operation(now, framework, operation, uuid, what, out);
            }
            ToAgent::AcknowledgeOperation { uuid, status } => {
                self.operation_acknowledged(uuid, status);
                self.skip_dead_timers();
            }
            ToAgent::Drain { max_grace_period, mark_gone } => {
                self.start_drain(now, max_grace_period, mark_gone, out);
            }
        }
    }

    /// News of a container. Panics if a task changes that no executor has, or changes in a way that no task can.
    pub fn handle_container(&mut self, now: Time, news: ContainerNews, out: &mut impl AgentEffects) {
        if !self.is_shut_down {
            self.news(now, news, out);
        }
    }

    /// The QoS controller wants these revocable tasks to go (TASK_GONE or LOST, `REASON_CONTAINER_PREEMPTED`).
    pub fn preempt(&mut self, now: Time, tasks: &[TaskKey], out: &mut impl AgentEffects) {
        tasks.iter().for_each(|&key| self.preempt_task(now, key, out));
    }

    /// The resource estimator has a new estimate of what its tasks leave unused.
    #[expect(clippy::needless_pass_by_value, reason = "it is kept")]
    pub fn set_revocable(&mut self, _now: Time, revocable: Resources, out: &mut impl AgentEffects) {
        self.change_revocable(&revocable, out);
    }

    /// The machine has more or less than before: all with reservations and volumes, revocable resources left out.
    pub fn set_total(&mut self, _now: Time, total: Resources, out: &mut impl AgentEffects) {
        self.change_total(total, out);
    }

    /// Whoever drives the agent vouches that pings come in time: their absence is not watched.
    pub fn trust_pings(&mut self, now: Time, trusted: bool) {
        self.set_pings_trusted(now, trusted);
    }

    /// When [`handle_timeout`](Self::handle_timeout) next has something to do.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Time> {
        let timer = self.timers.next().map(|(at, _)| at);
        Time::earliest([timer, self.recovery_ends, self.link.next()])
    }

    /// Registers again, sends updates again, gives up on executors, looks for another master.
    pub fn handle_timeout(&mut self, now: Time, out: &mut impl AgentEffects) {
        self.end_recovery_if_due(now, out);
        self.miss_pings_if_due(now, out);
        self.attempt_if_due(now, out);
        while let Some((_, timer)) = self.timers.next().filter(|&(at, _)| at <= now) {
            self.timers.pop();
            match timer {
                Timer::Update(uuid, key) => self.retry_update(now, uuid, key, out),
                Timer::Operation(status) => self.retry_operation(now, status, out),
                Timer::Registration(number) => self.registration_timeout(now, number, out),
                Timer::Completion(number) => self.completion_timeout(number, out),
            }
        }
        self.skip_dead_timers();
    }

    /// Its id, once it is registered.
    #[must_use]
    pub const fn id(&self) -> Option<AgentId> {
        self.id
    }

    /// Whether the master has taken its registration and neither side has lost the other since.
    #[must_use]
    pub const fn is_registered(&self) -> bool {
        self.link.is_registered()
    }

    /// Whether it has ended for good, by an order of the master or of its own. Another agent may start in its place.
    #[must_use]
    pub const fn is_shut_down(&self) -> bool {
        self.is_shut_down
    }

    /// All it has.
    #[must_use]
    pub const fn total(&self) -> &Resources {
        &self.total
    }

    /// What no task and no executor on it holds.
    #[must_use]
    pub fn free(&self) -> Resources {
        self.free_resources()
    }

    /// Its tasks that are not over and acknowledged, in order of their keys, with their newest states.
    #[must_use]
    pub fn tasks(&self) -> Vec<(TaskKey, TaskState)> {
        self.tasks_by_key()
    }

    /// Everything on it is killed, and it does nothing ever after.
    fn end(&mut self, out: &mut impl AgentEffects) {
        self.forget_all(|_| true, out);
        self.operations.clear();
        self.drain = None;
        self.timers.clear();
        self.recovery_ends = None;
        self.link = Link::new();
        self.is_shut_down = true;
    }

    /// An executor that is not up does not hear it.
    fn pass_on(
        &self,
        framework: FrameworkId,
        executor: ExecutorId,
        data: Vec<u8>,
        out: &mut impl AgentEffects,
    ) {
        if self.executor(framework, executor).is_some_and(|of| of.phase == Phase::Running) {
            out.contain(Container::Message { framework, executor, data });
        }
    }

    /// So that nobody wakes the agent up for what was answered in time.
    fn skip_dead_timers(&mut self) {
        while let Some((_, timer)) = self.timers.next()
            && !self.is_alive(timer)
        {
            self.timers.pop();
        }
    }

    fn is_alive(&self, timer: Timer) -> bool {
        match timer {
            Timer::Update(uuid, key) => self.place_of_head(uuid, key).is_some(),
            Timer::Operation(status) => self.place_of_operation(status).is_some(),
            Timer::Registration(number) => self.registering(number).is_some(),
            Timer::Completion(number) => self.completing(number).is_some(),
        }
    }
}
