//! The books of tasks: how one comes, changes, and goes (`Master::addTask`, `updateTask`, `removeTask`, `forward`).

use super::{
    Master,
    state::{CompletedTask, Framework, Task},
};
use crate::{
    allocator::Allocator,
    effects::{MasterEffects, Note},
    event::{Event, StatusUpdate, ToAgent},
    id::{AgentId, ExecutorId, FrameworkId, StatusId, TaskId},
    task::{Reason, Source, StatusMore, TaskKey, TaskState, TaskStatus},
    time::Time,
};

impl Master {
    /// A task that its agent has, or will have. The allocator's books are the caller's business.
    pub(super) fn add_task(&mut self, key: TaskKey, task: Task) {
        let agent = self.agents[task.agent].as_mut().expect("a task goes to a registered agent");
        agent.tasks.push(key);
        let framework = self.frameworks[key.framework].as_mut().expect("a task has a framework");
        let earlier = framework.tasks.insert(key.task, task);
        assert!(earlier.is_none(), "{key:?} is known already: {earlier:?}");
    }

    /// The newest state of a task (`Master::updateTask`). Resources come back when it is first known to be over or
    /// unreachable; a state that is terminal never changes.
    pub(super) fn update_task(
        &mut self,
        now: Time,
        key: TaskKey,
        latest: TaskState,
        out: &mut impl MasterEffects,
    ) {
        let framework = self.frameworks[key.framework].as_mut().expect("a task has a framework");
        let Some(task) = framework.tasks.get_mut(&key.task) else { return };
        if task.state == latest || task.state.is_terminal() {
            return;
        }
        let was_unreachable = task.state == TaskState::Unreachable;
        task.state = latest;
        out.note(Note::TaskState { key, state: latest });
        if (latest.is_terminal() || latest == TaskState::Unreachable) && !was_unreachable {
            let (agent, role, resources) = (task.agent, task.role, &task.resources);
            self.allocator.recover_resources(now, key.framework, agent, role, resources, None, true);
            out.note(Note::Recovered { key, role, agent, resources });
        }
    }

    /// Takes a task that is over (or unreachable) off the books of framework and agent (`Master::removeTask`). One whose
    /// agent does not answer is remembered as such if `unreachable`, all others as completed.
    pub(super) fn remove_task(
        &mut self,
        now: Time,
        key: TaskKey,
        unreachable: bool,
        out: &mut impl MasterEffects,
    ) {
        let framework = self.frameworks[key.framework].as_mut().expect("a task has a framework");
        let Some(task) = framework.tasks.remove(&key.task) else { return };
        let is_over = task.state.is_terminal() || task.state == TaskState::Unreachable;
        assert!(is_over, "{key:?} is {:?} and holds resources, yet it is to be forgotten", task.state);
        if let Some(agent) = self.agents[task.agent].as_mut() {
            if let Some(place) = agent.tasks.iter().position(|&of| of == key) {
                agent.tasks.swap_remove(place);
            }
            agent.killed.retain(|&of| of != key);
        }
        out.note(Note::TaskForgotten { key });
        if unreachable {
            let lost = super::state::UnreachableTask { task, since: now };
            framework.unreachable.insert(key.task, lost, self.options.max_unreachable_tasks);
        } else {
            let completed = CompletedTask { id: key.task, agent: task.agent, state: task.state };
            self.complete_task(key.framework, completed);
        }
    }

    pub(super) fn complete_task(&mut self, framework: FrameworkId, task: CompletedTask) {
        let most = self.options.max_completed_tasks;
        let completed = &mut self.frameworks[framework].as_mut().expect("a task has a framework").completed;
        completed.push_back(task);
        while completed.len() > most {
            completed.pop_front();
        }
    }

    /// News from an agent: the stored state jumps to the newest one, while the framework gets the updates one by one
    /// (`Master::statusUpdate`).
    pub(super) fn status_update(
        &mut self,
        now: Time,
        agent: AgentId,
        mut update: StatusUpdate,
        out: &mut impl MasterEffects,
    ) {
        if self.agents.get(agent).is_none_or(Option::is_none) {
            return; // from an agent that is unreachable, gone, removed, or not back yet
        }
        let key = update.key;
        let Some(framework) = self.frameworks.get_mut(key.framework).and_then(Option::as_mut) else { return };
        if update.uuid.is_none() {
            tell_as_framework_knows(framework, &mut update);
        }
        let is_connected = framework.is_connected();
        let mut is_over = false;
        // A task of the same name may be on another agent by now: it is none of this one's business.
        if let Some(task) = framework.tasks.get_mut(&key.task).filter(|task| task.agent == agent) {
            if is_connected && let Some(uuid) = update.uuid {
                task.forwarded = Some((uuid, update.state));
            }
            if task.state != update.latest {
                self.update_task(now, key, update.latest, out);
            }
            is_over = update.latest.is_terminal();
        }
        let status = TaskStatus {
            task: key.task,
            agent: Some(agent),
            state: update.state,
            source: update.source,
            reason: update.reason,
            uuid: update.uuid,
            timestamp: update.timestamp,
            more: update.more,
        };
        self.forward(key.framework, status, out);
        if update.uuid.is_none() && is_over {
            self.remove_task(now, key, false, out); // nobody will acknowledge it
            self.check_drained(now, agent, out);
        }
    }

    /// To the framework, if it is connected; an update of the master's own is lost otherwise.
    pub(super) fn forward(&self, framework: FrameworkId, status: TaskStatus, out: &mut impl MasterEffects) {
        let Some(of) = self.frameworks.get(framework).and_then(Option::as_ref) else { return };
        if let Some(connection) = of.connection {
            out.note(Note::Sent { framework, status: &status });
            out.send_event(framework, connection, Event::Update(status));
        }
    }

    /// An update of the master's own: without uuid, so nobody acknowledges it and nobody sends it again. The state is told as
    /// a framework that is not partition-aware knows it.
    #[expect(clippy::too_many_arguments, reason = "the fields of one message")]
    pub(super) fn report(
        &self,
        now: Time,
        framework: FrameworkId,
        task: TaskId,
        agent: Option<AgentId>,
        state: TaskState,
        reason: Reason,
        more: Option<Box<StatusMore>>,
        out: &mut impl MasterEffects,
    ) {
        let Some(of) = self.frameworks.get(framework).and_then(Option::as_ref) else { return };
        let state = state.seen_by(of.is_partition_aware());
        let (source, reason) = (Source::Master, Some(reason));
        let status = TaskStatus { task, agent, state, source, reason, uuid: None, timestamp: now, more };
        self.forward(framework, status, out);
    }

    /// A framework has seen an update (`Master::acknowledge`).
    pub(super) fn acknowledge(
        &mut self,
        now: Time,
        framework: FrameworkId,
        agent: AgentId,
        id: TaskId,
        uuid: StatusId,
        out: &mut impl MasterEffects,
    ) {
        let Some(on) = self.agents.get(agent).and_then(Option::as_ref) else { return };
        if !on.is_connected {
            return;
        }
        let address = on.address;
        let key = TaskKey { framework, task: id };
        let tasks = &self.frameworks[framework].as_ref().expect("a caller is known").tasks;
        if let Some(task) = tasks.get(&id).filter(|task| task.agent == agent) {
            // An update that this master never sent comes again, and then it may be acknowledged.
            let Some((last, state)) = task.forwarded else { return };
            if last == uuid && state.is_terminal() {
                self.remove_task(now, key, false, out);
            }
        }
        out.note(Note::Acknowledged { key, uuid });
        out.send_to_agent(address, ToAgent::Acknowledge { key, uuid });
        self.check_drained(now, agent, out);
    }

    /// KILL of a known task is passed on, now or when its agent is back; of an unknown one the state is told
    /// (`Master::kill`).
    pub(super) fn kill(
        &mut self,
        now: Time,
        framework: FrameworkId,
        id: TaskId,
        agent: Option<AgentId>,
        grace: Option<i64>,
        out: &mut impl MasterEffects,
    ) {
        let tasks = &self.frameworks[framework].as_ref().expect("a caller is known").tasks;
        let Some(task) = tasks.get(&id) else {
            return self.reconcile(now, framework, &[(id, agent)], out);
        };
        if agent.is_some_and(|agent| agent != task.agent) {
            return;
        }
        let key = TaskKey { framework, task: id };
        let on = self.agents[task.agent].as_mut().expect("a task is on a registered agent");
        if !on.killed.contains(&key) {
            on.killed.push(key);
        }
        if on.is_connected {
            out.send_to_agent(on.address, ToAgent::Kill { key, grace });
        }
    }

    /// SHUTDOWN of an executor, if its agent is connected (`Master::shutdown`).
    pub(super) fn shutdown_executor(
        &self,
        framework: FrameworkId,
        executor: ExecutorId,
        agent: AgentId,
        out: &mut impl MasterEffects,
    ) {
        if let Some(on) = self.agents.get(agent).and_then(Option::as_ref)
            && on.is_connected
        {
            out.send_to_agent(on.address, ToAgent::ShutdownExecutor { framework, executor });
        }
    }

    /// MESSAGE to an executor; lost if its agent is not connected.
    pub(super) fn message_to_executor(
        &self,
        framework: FrameworkId,
        agent: AgentId,
        executor: ExecutorId,
        data: Vec<u8>,
        out: &mut impl MasterEffects,
    ) {
        if let Some(on) = self.agents.get(agent).and_then(Option::as_ref)
            && on.is_connected
        {
            out.send_to_agent(on.address, ToAgent::Message { framework, executor, data });
        }
    }

    /// What an executor says to its framework; lost if that is not connected, or if the agent is not registered
    /// (`Master::executorMessage`).
    pub(super) fn message_to_framework(
        &self,
        agent: AgentId,
        framework: FrameworkId,
        executor: ExecutorId,
        data: Vec<u8>,
        out: &mut impl MasterEffects,
    ) {
        if !self.is_registered(agent) {
            return;
        }
        let Some(of) = self.frameworks.get(framework).and_then(Option::as_ref) else { return };
        if let Some(connection) = of.connection {
            out.send_event(framework, connection, Event::Message { agent, executor, data });
        }
    }

    /// An executor is gone: what it held is free, and its framework is told (`Master::exitedExecutor`).
    pub(super) fn exited_executor(
        &mut self,
        now: Time,
        agent: AgentId,
        framework: FrameworkId,
        executor: ExecutorId,
        status: i32,
        out: &mut impl MasterEffects,
    ) {
        let on = self.agents.get(agent).and_then(Option::as_ref);
        if on.is_none_or(|on| on.executor(framework, executor).is_none()) {
            return; // the master has ended it before
        }
        self.remove_executor(now, agent, framework, executor, out);
        let Some(of) = self.frameworks.get(framework).and_then(Option::as_ref) else { return };
        if let Some(connection) = of.connection {
            let failure = Event::Failure { agent, executor: Some((executor, status)) };
            out.send_event(framework, connection, failure);
        }
    }

    /// Takes an executor off the books of its agent; what it held is free (`Master::removeExecutor`).
    pub(super) fn remove_executor(
        &mut self,
        now: Time,
        agent: AgentId,
        framework: FrameworkId,
        executor: ExecutorId,
        out: &mut impl MasterEffects,
    ) {
        let Some(on) = self.agents.get_mut(agent).and_then(Option::as_mut) else { return };
        let is_it = |of: &super::state::Executor| of.framework == framework && of.info.id == executor;
        let Some(place) = on.executors.iter().position(is_it) else { return };
        let gone = on.executors.remove(place);
        let (role, resources) = (gone.role, &gone.info.resources);
        self.allocator.recover_resources(now, framework, agent, role, resources, None, true);
        out.note(Note::Executor { framework, executor, role, agent, resources, holds: false });
    }
}

/// What an agent says of a task that it never had it says without knowing what the framework of that task can deal with.
fn tell_as_framework_knows(framework: &Framework, update: &mut StatusUpdate) {
    let is_partition_aware = framework.is_partition_aware();
    update.state = update.state.seen_by(is_partition_aware);
    update.latest = update.latest.seen_by(is_partition_aware);
}
