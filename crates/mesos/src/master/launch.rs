//! LAUNCH and LAUNCH_GROUP: tasks and executors come into being.

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use super::{
    Master,
    accept::Acceptance,
    state::{Executor, Task},
    validation::{self, Place},
};
use crate::{
    allocator::Allocator,
    effects::{MasterEffects, Note},
    event::{RunTasks, ToAgent},
    id::ExecutorId,
    task::{ExecutorInfo, Reason, StatusMore, TaskInfo, TaskKey, TaskState},
    time::Time,
};

impl Master {
    /// One task of a LAUNCH; one that is not valid leaves its resources to the next.
    pub(super) fn launch(
        &mut self,
        now: Time,
        run: &mut Acceptance,
        mut task: TaskInfo,
        out: &mut impl MasterEffects,
    ) {
        self.complete_task_info(run, &mut task);
        if let Err(error) = validation::task::check(&task, &self.place_of(run), &run.available()) {
            return self.refuse_tasks(now, run, &[task], Reason::TaskInvalid, &error, out);
        }
        let executor = task.detail.as_ref().and_then(|detail| detail.executor.clone());
        let id = executor.as_ref().map(|executor| executor.id);
        let launch_executor = executor.map(|executor| self.ensure_executor(run, executor, out));
        self.start_task(run, &task, id, out);
        self.send_run(run, None, smallvec![task], launch_executor, out);
    }

    /// All tasks of a group, or none.
    pub(super) fn launch_group(
        &mut self,
        now: Time,
        run: &mut Acceptance,
        mut executor: ExecutorInfo,
        mut tasks: Vec<TaskInfo>,
        out: &mut impl MasterEffects,
    ) {
        self.complete_executor_info(run, &mut executor);
        tasks.iter_mut().for_each(|task| self.complete_task_info(run, task));
        let place = self.place_of(run);
        if let Err(error) = validation::group::check(&tasks, &executor, &place, &run.available()) {
            return self.refuse_tasks(now, run, &tasks, Reason::TaskGroupInvalid, &error, out);
        }
        let launch_executor = self.ensure_executor(run, executor.clone(), out);
        tasks.iter().for_each(|task| self.start_task(run, task, Some(executor.id), out));
        self.send_run(run, Some(executor), tasks.into(), Some(launch_executor), out);
    }

    fn place_of(&self, run: &Acceptance) -> Place<'_> {
        Place {
            framework: self.frameworks[run.framework].as_ref().expect("a caller is known"),
            id: run.framework,
            on: self.agents[run.agent].as_ref().expect("offers are of registered agents"),
            agent: run.agent,
            role: run.role,
            role_name: self.allocator.role_name(run.role),
        }
    }

    fn refuse_tasks(
        &self,
        now: Time,
        run: &Acceptance,
        tasks: &[TaskInfo],
        reason: Reason,
        error: &str,
        out: &mut impl MasterEffects,
    ) {
        for task in tasks {
            let (agent, more) = (Some(task.agent), StatusMore::message(error));
            self.report(now, run.framework, task.id, agent, TaskState::Error, reason, more, out);
        }
    }

    /// What the framework may leave out of a task, or say twice.
    fn complete_task_info(&self, run: &Acceptance, task: &mut TaskInfo) {
        self.unallocate(run.role, &mut task.resources);
        if let Some(detail) = &mut task.detail
            && detail.executor.is_some()
        {
            let executor = Arc::make_mut(detail).executor.as_mut().expect("there is one");
            self.complete_executor_info(run, executor);
        }
    }

    fn complete_executor_info(&self, run: &Acceptance, executor: &mut ExecutorInfo) {
        self.unallocate(run.role, &mut executor.resources);
        executor.framework.get_or_insert(run.framework);
    }

    /// The agent has the executor, or will have it from now on: then it takes its resources, and the answer is true.
    fn ensure_executor(
        &mut self,
        run: &mut Acceptance,
        info: ExecutorInfo,
        out: &mut impl MasterEffects,
    ) -> bool {
        let (framework, agent, role) = (run.framework, run.agent, run.role);
        let on = self.agents[agent].as_mut().expect("offers are of registered agents");
        if on.executor(framework, info.id).is_some() {
            return false;
        }
        let resources = &info.resources;
        run.take(resources);
        self.allocator.transition_offered_to_allocated(agent, role, resources);
        out.note(Note::Executor { framework, executor: info.id, role, agent, resources, holds: true });
        on.executors.push(Executor { framework, info, role });
        true
    }

    fn start_task(
        &mut self,
        run: &mut Acceptance,
        task: &TaskInfo,
        executor: Option<ExecutorId>,
        out: &mut impl MasterEffects,
    ) {
        let (agent, role) = (run.agent, run.role);
        let key = TaskKey { framework: run.framework, task: task.id };
        let (resources, state) = (task.resources.clone(), TaskState::Staging);
        self.add_task(key, Task { agent, role, resources, state, forwarded: None, executor });
        run.take(&task.resources);
        self.allocator.transition_offered_to_allocated(agent, role, &task.resources);
        out.note(Note::Launched { key, role, task });
    }

    fn send_run(
        &self,
        run: &Acceptance,
        group: Option<ExecutorInfo>,
        tasks: SmallVec<[TaskInfo; 1]>,
        launch_executor: Option<bool>,
        out: &mut impl MasterEffects,
    ) {
        let (framework, role) = (run.framework, run.role);
        let info = Arc::clone(&self.frameworks[framework].as_ref().expect("a caller is known").info);
        let on = self.agents[run.agent].as_ref().expect("offers are of registered agents");
        let tasks = RunTasks { framework, info, role, group, tasks, launch_executor };
        out.send_to_agent(on.address, ToAgent::Run(Box::new(tasks)));
    }
}
