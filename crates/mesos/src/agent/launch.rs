//! How tasks come to an agent and to their executors (`Slave::run`).

use smallvec::SmallVec;

use super::{
    Agent,
    executors::{Executor, Phase},
    tasks::{Ending, Standing, Task},
    updates::News,
};
use crate::{
    effects::{AgentEffects, Container},
    event::{FromAgent, RunTasks},
    id::{ExecutorId, FrameworkId, RoleId},
    resource::Resources,
    task::{ExecutorInfo, Reason, TaskInfo, TaskKey, TaskState},
    time::Time,
};

/// Why tasks are not started.
#[derive(Clone, Copy, Debug)]
struct Drop {
    reason: Reason,
    message: &'static str,
}

const DRAINING: Drop =
    Drop { reason: Reason::AgentDraining, message: "Task dropped because the agent is draining" };
const RESOURCES_UNKNOWN: Drop =
    Drop { reason: Reason::ResourcesUnknown, message: "The resources of the task are unknown to the agent" };
const EXECUTOR_GONE: Drop =
    Drop { reason: Reason::ExecutorTerminated, message: "No executor with the expected id is running" };
const EXECUTOR_PRESENT: Drop =
    Drop { reason: Reason::ExecutorTerminated, message: "An executor with the id of a new executor exists" };
const EXECUTOR_TERMINATING: Drop =
    Drop { reason: Reason::ExecutorTerminated, message: "Executor is terminating" };

impl Agent {
    /// Starts tasks, or says that they are dropped: all of them or none.
    pub(super) fn run(&mut self, now: Time, mut run: RunTasks, out: &mut impl AgentEffects) {
        for task in &run.tasks {
            self.forget_namesake(TaskKey { framework: run.framework, task: task.id }, out);
        }
        self.meet(run.framework, &run.info);
        let drop = self.reason_to_drop(&run);
        let executor = executor_of(&run).map(|executor| executor.id);
        let group = self.numbers + 1;
        if let Some(drop) = drop {
            self.drop_tasks(now, group, &mut run, executor, drop, out);
            return;
        }
        if let Some(executor) = executor_of(&run)
            && self.executor(run.framework, executor.id).is_none()
        {
            self.launch_executor(now, run.framework, run.role, executor.clone(), out);
        }
        for task in std::mem::take(&mut run.tasks) {
            self.start(group, run.framework, run.role, executor, task, out);
        }
    }

    fn start(
        &mut self,
        group: u32,
        framework: FrameworkId,
        role: RoleId,
        executor: Option<ExecutorId>,
        info: TaskInfo,
        out: &mut impl AgentEffects,
    ) {
        let key = TaskKey { framework, task: info.id };
        let mut task = self.new_task(group, framework, role, executor, info);
        let Some(executor) = executor else {
            out.contain(Container::Run { key, task: task.info.clone() });
            self.add_task(task);
            return;
        };
        let on =
            self.executor_mut(framework, executor).expect("the executor was launched, if it was not there");
        if on.phase == Phase::Running {
            on.is_used = true;
            out.contain(Container::Run { key, task: task.info.clone() });
        } else {
            task.standing = Standing::Queued;
        }
        self.add_task(task);
    }

    fn new_task(
        &mut self,
        group: u32,
        framework: FrameworkId,
        role: RoleId,
        executor: Option<ExecutorId>,
        info: TaskInfo,
    ) -> Task {
        Task {
            framework,
            role: Some(role),
            executor,
            number: self.next_number(),
            group,
            info,
            updates: SmallVec::new(),
            state: TaskState::Staging,
            standing: Standing::Delivered,
            ending: Ending::None,
            sends: 0,
        }
    }

    /// A master that reuses a task's name has forgotten that task while neither heard the other: its end was acknowledged, or
    /// it was given up with the connection.
    fn forget_namesake(&mut self, key: TaskKey, out: &mut impl AgentEffects) {
        let Some(place) = self.place(key) else { return };
        let is_alone = self.tasks[place].is_command() && !self.tasks[place].is_over();
        assert!(
            self.tasks[place].is_over() || self.may_overcommit,
            "{key:?} is to be started, but is {:?}",
            self.tasks[place].state
        );
        if is_alone {
            out.contain(Container::Destroy { key });
        }
        self.forget_task(place);
    }

    fn reason_to_drop(&mut self, run: &RunTasks) -> Option<Drop> {
        if self.drain.is_some() {
            return Some(DRAINING);
        }
        let executor = executor_of(run);
        let known = executor.and_then(|executor| self.executor(run.framework, executor.id));
        match (known, run.launch_executor) {
            (Some(_), Some(true)) => return Some(EXECUTOR_PRESENT),
            (None, Some(false)) => return Some(EXECUTOR_GONE),
            (Some(known), _) if known.phase == Phase::Terminating => return Some(EXECUTOR_TERMINATING),
            (Some(_), Some(false) | None) | (None, Some(true) | None) => {}
        }
        let mut wanted = Resources::EMPTY;
        run.tasks.iter().for_each(|task| wanted += &task.resources);
        if let Some(executor) = executor
            && known.is_none()
        {
            wanted += &executor.resources;
        }
        self.lacks(&wanted).then_some(RESOURCES_UNKNOWN)
    }

    /// The master learns of an executor that it thinks new that there will be none.
    fn drop_tasks(
        &mut self,
        now: Time,
        group: u32,
        run: &mut RunTasks,
        executor: Option<ExecutorId>,
        drop: Drop,
        out: &mut impl AgentEffects,
    ) {
        let framework = run.framework;
        for info in std::mem::take(&mut run.tasks) {
            let mut task = self.new_task(group, framework, run.role, executor, info);
            task.standing = Standing::Queued;
            let place = self.add_task(task);
            let news = News::of_agent(TaskState::Dropped, drop.reason, drop.message);
            self.record(now, place, news, out);
        }
        let is_of_executor = drop.reason == Reason::ExecutorTerminated;
        if let (Some(executor), Some(true), false) = (executor, run.launch_executor, is_of_executor) {
            self.tell(|agent| FromAgent::ExitedExecutor { agent, framework, executor, status: -1 }, out);
        }
    }

    fn launch_executor(
        &mut self,
        now: Time,
        framework: FrameworkId,
        role: RoleId,
        info: ExecutorInfo,
        out: &mut impl AgentEffects,
    ) {
        let number = self.next_number();
        self.count_one_more(framework);
        self.hold(&info.resources);
        let deadline = now + self.options.executor_registration_timeout;
        self.timers.start(deadline, super::timers::Timer::Registration(number));
        out.contain(Container::Launch { framework, executor: Box::new(info.clone()) });
        self.executors.push(Executor {
            framework,
            role,
            number,
            info,
            phase: Phase::Registering,
            is_used: false,
        });
    }
}

/// Who runs these tasks: the group's executor, or the one that stands in the task, or nobody but the task itself.
fn executor_of(run: &RunTasks) -> Option<&ExecutorInfo> {
    let of_task = || run.tasks.first()?.detail.as_ref()?.executor.as_ref();
    run.group.as_ref().or_else(of_task)
}
