//! Executors that register: those of the framework, and Mesos' own for task groups.
//!
//! A command task is its own executor; it stands in no list here. What has to do with the time between a restart of the agent
//! and the return of its executors is in `recovery`.

use super::{
    Agent, ContainerNews,
    tasks::{Ending, Standing, span},
    timers::Timer,
    updates::News,
};
use crate::{
    effects::{AgentEffects, Container},
    event::FromAgent,
    id::{ExecutorId, FrameworkId, RoleId},
    task::{ExecutorInfo, Reason, Source, TaskKey, TaskState},
    time::{Span, Time},
};

/// How far an executor has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Started, and not heard of yet.
    Registering,
    /// Up.
    Running,
    /// The agent was restarted, and the executor has not come back yet.
    Missing,
    /// Asked to end.
    Terminating,
}

#[derive(Clone, Debug)]
pub(super) struct Executor {
    pub(super) framework: FrameworkId,
    pub(super) role: RoleId,
    pub(super) number: u32,
    pub(super) info: ExecutorInfo,
    pub(super) phase: Phase,
    /// Whether it was ever given a task.
    pub(super) is_used: bool,
}

impl Agent {
    pub(super) fn executor(&self, framework: FrameworkId, id: ExecutorId) -> Option<&Executor> {
        self.executors.iter().find(|executor| executor.framework == framework && executor.info.id == id)
    }

    pub(super) fn executor_mut(&mut self, framework: FrameworkId, id: ExecutorId) -> Option<&mut Executor> {
        self.executors.iter_mut().find(|executor| executor.framework == framework && executor.info.id == id)
    }

    /// It is up: it gets what waited for it. One that has nothing to do by now is sent away (`Slave::subscribe`).
    pub(super) fn executor_registered(
        &mut self,
        framework: FrameworkId,
        id: ExecutorId,
        out: &mut impl AgentEffects,
    ) {
        let Some(executor) = self.executor_mut(framework, id) else { return };
        match executor.phase {
            Phase::Running | Phase::Terminating => return,
            Phase::Registering | Phase::Missing => executor.phase = Phase::Running,
        }
        for key in self.keys_of(|task| task.runs_in(framework, id) && !task.is_over()) {
            let place = self.place(key).expect("the key of a task");
            let task = &mut self.tasks[place];
            if task.standing == Standing::Queued {
                out.contain(Container::Run { key, task: task.info.clone() });
            }
            task.standing = Standing::Delivered;
            self.executor_mut(framework, id).expect("it is there").is_used = true;
        }
        self.end_unused(framework, id, out);
    }

    /// An executor that never had a task and has none to wait for is of no use.
    pub(super) fn end_unused(&mut self, framework: FrameworkId, id: ExecutorId, out: &mut impl AgentEffects) {
        let is_idle = !self.tasks.iter().any(|task| task.runs_in(framework, id) && !task.is_over());
        if is_idle && self.executor(framework, id).is_some_and(|executor| !executor.is_used) {
            self.shut_down_executor(framework, id, None, out);
        }
    }

    /// Asks an executor to end: within its own time, the agent's, or `grace`.
    pub(super) fn shut_down_executor(
        &mut self,
        framework: FrameworkId,
        id: ExecutorId,
        grace: Option<Span>,
        out: &mut impl AgentEffects,
    ) {
        let of_flag = self.options.executor_shutdown_grace_period;
        let Some(executor) = self.executor_mut(framework, id) else { return };
        if executor.phase == Phase::Terminating {
            return;
        }
        executor.phase = Phase::Terminating;
        let grace = grace.unwrap_or_else(|| executor.info.shutdown_grace.map_or(of_flag, span));
        out.contain(Container::Shutdown { framework, executor: id, grace });
    }

    /// An executor has not registered in time (`Slave::registerExecutorTimeout`).
    pub(super) fn registration_timeout(&mut self, now: Time, number: u32, out: &mut impl AgentEffects) {
        let Some(executor) = self.registering(number) else { return };
        let (framework, id) = (executor.framework, executor.info.id);
        let timeout = self.options.executor_registration_timeout;
        let message = format!("Executor did not register within {timeout} secs");
        self.end_tasks_of(now, framework, id, out, || {
            News::of_agent(TaskState::Failed, Reason::ExecutorRegistrationTimeout, &message)
        });
        self.shut_down_executor(framework, id, Some(Span::ZERO), out);
    }

    pub(super) fn registering(&self, number: u32) -> Option<&Executor> {
        self.executors
            .iter()
            .find(|executor| executor.number == number && executor.phase == Phase::Registering)
    }

    /// An executor is gone, and with it its tasks (`Slave::executorTerminated`).
    pub(super) fn executor_exited(
        &mut self,
        now: Time,
        framework: FrameworkId,
        executor: ExecutorId,
        status: i32,
        reason: Option<Reason>,
        out: &mut impl AgentEffects,
    ) {
        if self.executor(framework, executor).is_none() {
            return; // of a framework that is gone
        }
        let reason = reason.unwrap_or(Reason::ExecutorTerminated);
        self.end_tasks_of(now, framework, executor, out, || {
            News::of_agent(TaskState::Failed, reason, "Executor terminated")
        });
        self.forget_executor(framework, executor);
        self.tell(|agent| FromAgent::ExitedExecutor { agent, framework, executor, status }, out);
        self.end_drain_if_empty();
    }

    pub(super) fn forget_executor(&mut self, framework: FrameworkId, id: ExecutorId) {
        let is_it = |executor: &Executor| executor.framework == framework && executor.info.id == id;
        let place = self.executors.iter().position(is_it).expect("the caller has seen it");
        let executor = self.executors.remove(place);
        self.release(&executor.info.resources);
        self.count_one_less(framework);
    }

    /// All tasks of an executor that are not over are from now on.
    pub(super) fn end_tasks_of(
        &mut self,
        now: Time,
        framework: FrameworkId,
        id: ExecutorId,
        out: &mut impl AgentEffects,
        news: impl Fn() -> News,
    ) {
        for key in self.keys_of(|task| task.runs_in(framework, id) && !task.is_over()) {
            let place = self.place(key).expect("the key of a task");
            self.record(now, place, news(), out);
        }
    }

    /// An executor, or the containerizer, has news of a task. Of one that is over or forgotten nothing more is to be known:
    /// its container was still on its way out.
    pub(super) fn task_news(&mut self, now: Time, key: TaskKey, mut news: News, out: &mut impl AgentEffects) {
        let Some(place) = self.place(key) else { return };
        let task = &mut self.tasks[place];
        if task.is_over() {
            return;
        }
        assert!(task.standing != Standing::Queued, "{:?} of {key:?}, which no executor has", news.state);
        task.standing = Standing::Delivered;
        if task.state == TaskState::Killing && !task.state.may_become(news.state) {
            return; // said before the executor was asked to kill it
        }
        assert!(
            task.state.may_become(news.state),
            "{key:?} cannot go from {:?} to {:?}",
            task.state,
            news.state
        );
        if news.state == TaskState::Running && task.state != TaskState::Running {
            self.start_completion_timer(now, place);
        }
        if news.state.is_terminal() && self.tasks[place].ending == Ending::Overdue {
            let message = "Task ran longer than its maximum completion time";
            news = News::of_agent(TaskState::Failed, Reason::MaxCompletionTimeReached, message);
            news.source = Source::Executor;
        }
        self.record(now, place, news, out);
    }

    fn start_completion_timer(&mut self, now: Time, place: usize) {
        let task = &self.tasks[place];
        if let Some(most) = task.max_completion_time() {
            self.timers.start(now + most, Timer::Completion(task.number));
        }
    }

    /// A task has run for too long: its executor ends it at once, and calls that a failure. One that is being killed is left
    /// alone (`CommandExecutor::taskCompletionTimeout`).
    pub(super) fn completion_timeout(&mut self, number: u32, out: &mut impl AgentEffects) {
        let Some(place) = self.completing(number) else { return };
        let task = &mut self.tasks[place];
        task.ending = Ending::Overdue;
        out.contain(Container::Kill { key: task.key(), grace: Span::ZERO });
    }

    pub(super) fn completing(&self, number: u32) -> Option<usize> {
        let is_it = |task: &super::tasks::Task| {
            task.number == number && !task.is_over() && task.ending == Ending::None
        };
        self.tasks.iter().position(is_it)
    }
}

/// Who says this: what becomes of a container is the agent's news, all else the executor's.
const fn source_of(reason: Option<Reason>) -> Source {
    match reason {
        Some(
            Reason::ExecutorTerminated
            | Reason::GcError
            | Reason::ContainerLimitation
            | Reason::ContainerLimitationMemory
            | Reason::ContainerLimitationDisk
            | Reason::ContainerLaunchFailed
            | Reason::ContainerUpdateFailed
            | Reason::ContainerPreempted
            | Reason::IoSwitchboardExited,
        ) => Source::Agent,
        Some(_) | None => Source::Executor,
    }
}

impl Agent {
    pub(super) fn news(&mut self, now: Time, news: ContainerNews, out: &mut impl AgentEffects) {
        match news {
            ContainerNews::ExecutorRegistered { framework, executor } => {
                self.executor_registered(framework, executor, out);
            }
            ContainerNews::Task { key, state, reason, more } => {
                self.task_news(now, key, News { state, source: source_of(reason), reason, more }, out);
            }
            ContainerNews::Reconnected { key } => self.task_reconnected(key),
            ContainerNews::ExecutorExited { framework, executor, status, reason } => {
                self.executor_exited(now, framework, executor, status, reason, out);
            }
            ContainerNews::Message { framework, executor, data } => {
                self.tell(|agent| FromAgent::Message { agent, framework, executor, data }, out);
            }
        }
    }
}
