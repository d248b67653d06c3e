//! The agent's process ends, and comes back to what is on its disk (`Slave::recover`).

use std::mem;

use super::{
    Agent, AgentOptions,
    drain::Drain,
    executors::{Executor, Phase},
    operations::Operation,
    registration::Link,
    tasks::{Framework, Standing, Task},
    timers::{Timer, Timers},
    updates::News,
};
use crate::{
    effects::{AgentEffects, Container},
    id::{AgentId, FrameworkId},
    registration::AgentInfo,
    resource::Resources,
    task::{Reason, TaskKey, TaskState},
    time::{Span, Time},
};

/// What is on an agent's disk when its process ends (its `meta` directory).
#[derive(Clone, Debug)]
pub struct Checkpoint {
    id: Option<AgentId>,
    info: Box<AgentInfo>,
    total: Resources,
    is_total_unsaid: bool,
    frameworks: Vec<Framework>,
    tasks: Vec<Task>,
    executors: Vec<Executor>,
    operations: Vec<Operation>,
    drain: Option<Drain>,
    statuses: u64,
    numbers: u32,
    /// When executors will end tasks that run for too long.
    completions: Vec<(Time, u32)>,
    has_shrunk: bool,
}

impl Agent {
    /// Only frameworks that want it are on the disk; the living tasks of the others are named.
    pub(super) fn into_checkpoint(mut self) -> (Checkpoint, Vec<TaskKey>) {
        let kept: Vec<FrameworkId> =
            self.frameworks.iter().filter(|of| of.info.checkpoint).map(|of| of.id).collect();
        let lost = self.keys_of(|task| !kept.contains(&task.framework) && !task.is_over());
        self.tasks.retain(|task| kept.contains(&task.framework));
        self.executors.retain(|executor| kept.contains(&executor.framework));
        self.frameworks.retain(|framework| kept.contains(&framework.id));
        let checkpoint = Checkpoint {
            id: self.id,
            total: self.total.non_revocable(),
            is_total_unsaid: self.is_total_unsaid,
            frameworks: self.frameworks,
            tasks: self.tasks,
            executors: self.executors,
            operations: self.operations,
            drain: self.drain,
            statuses: self.statuses,
            numbers: self.numbers,
            completions: self.timers.completions(),
            has_shrunk: self.has_shrunk,
            info: self.info,
        };
        (checkpoint, lost)
    }

    /// As the process left it, before anything is concluded from that.
    pub(super) fn of_checkpoint(checkpoint: Checkpoint, options: AgentOptions) -> Self {
        let mut agent = Self {
            options,
            id: checkpoint.id,
            info: checkpoint.info,
            total: checkpoint.total,
            is_total_unsaid: checkpoint.is_total_unsaid,
            used: Resources::EMPTY,
            frameworks: checkpoint.frameworks,
            keys: checkpoint.tasks.iter().map(Task::key).collect(),
            tasks: checkpoint.tasks,
            executors: checkpoint.executors,
            operations: checkpoint.operations,
            drain: checkpoint.drain,
            statuses: checkpoint.statuses,
            numbers: checkpoint.numbers,
            timers: Timers::default(),
            link: Link::new(),
            recovery_ends: None,
            has_shrunk: checkpoint.has_shrunk,
            may_overcommit: true,
            is_shut_down: false,
        };
        for (at, number) in checkpoint.completions {
            agent.timers.start(at, Timer::Completion(number));
        }
        agent.count_used();
        agent.end_drain_if_empty();
        agent
    }

    fn count_used(&mut self) {
        let of_tasks =
            self.tasks.iter().filter(|task| !task.is_over()).map(|task| task.info.resources.clone());
        let of_executors = self.executors.iter().map(|executor| executor.info.resources.clone());
        let all: Vec<_> = of_tasks.chain(of_executors).collect();
        all.iter().for_each(|resources| self.hold(resources));
    }

    /// Tasks that no executor had are lost; all others wait for their executors. After a restart of the machine there is
    /// nothing to wait for.
    pub(super) fn start_recovery(&mut self, now: Time, rebooted: bool, out: &mut impl AgentEffects) {
        self.drop_undelivered(now, rebooted, out);
        for executor in &mut self.executors {
            executor.phase = Phase::Missing;
        }
        for task in self.tasks.iter_mut().filter(|task| !task.is_over()) {
            task.standing = Standing::Missing;
        }
        if rebooted {
            self.lose_missing_tasks(now, out);
            mem::take(&mut self.executors).iter().for_each(|executor| {
                self.release(&executor.info.resources);
                self.count_one_less(executor.framework);
            });
            self.end_drain_if_empty();
        } else if self.is_anything_missing() {
            self.recovery_ends = Some(now + self.options.executor_reregistration_timeout);
        }
    }

    fn drop_undelivered(&mut self, now: Time, rebooted: bool, out: &mut impl AgentEffects) {
        for key in self.keys_of(Task::is_undelivered) {
            let place = self.place(key).expect("the key of a task");
            let message = "Task launched during agent restart";
            let news = News::of_agent(TaskState::Dropped, Reason::AgentRestarted, message);
            self.record(now, place, news, out);
            if self.tasks[place].is_command() && !rebooted {
                out.contain(Container::Destroy { key });
            }
        }
    }

    /// The container of a command task has come back.
    pub(super) fn task_reconnected(&mut self, key: TaskKey) {
        if let Some(place) = self.place(key)
            && self.tasks[place].standing == Standing::Missing
        {
            self.tasks[place].standing = Standing::Delivered;
        }
    }

    /// Who is not back by now is given up, and the agent looks for its master (`Slave::reregisterExecutorTimeout`).
    pub(super) fn end_recovery_if_due(&mut self, now: Time, out: &mut impl AgentEffects) {
        if self.recovery_ends.is_none_or(|at| at > now) {
            return;
        }
        self.recovery_ends = None;
        let commands = self.keys_of(|task| task.standing == Standing::Missing && task.is_command());
        self.lose_missing_tasks(now, out);
        commands.into_iter().for_each(|key| out.contain(Container::Destroy { key }));
        let missing = self.executors.iter().filter(|executor| executor.phase == Phase::Missing);
        let missing: Vec<_> = missing.map(|executor| (executor.framework, executor.info.id)).collect();
        for (framework, executor) in missing {
            self.shut_down_executor(framework, executor, Some(Span::ZERO), out);
        }
        self.start_registration(now, out);
    }

    fn lose_missing_tasks(&mut self, now: Time, out: &mut impl AgentEffects) {
        let timeout = self.options.executor_reregistration_timeout;
        let message = format!("Executor did not reregister within {timeout} secs");
        for key in self.keys_of(|task| task.standing == Standing::Missing && !task.is_over()) {
            let place = self.place(key).expect("the key of a task");
            let news = News::of_agent(TaskState::Gone, Reason::ExecutorReregistrationTimeout, &message);
            self.record(now, place, news, out);
        }
    }

    fn is_anything_missing(&self) -> bool {
        let is_missing = |task: &Task| task.standing == Standing::Missing && !task.is_over();
        self.tasks.iter().any(is_missing) || !self.executors.is_empty()
    }
}
