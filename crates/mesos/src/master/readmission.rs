//! Agents that come back and are not registered: recovered, unreachable, or never heard of
//! (`Master::__reregisterSlave`). What they say of their tasks is believed.

use super::{
    Master,
    state::{Agent, Executor, Task},
};
use crate::{
    allocator::Held,
    effects::{MasterEffects, Note},
    event::ToAgent,
    id::{AgentId, FrameworkId, RoleId},
    registration::{ExecutorReport, Reregistration, TaskReport},
    resource::Resources,
    task::{Reason, StatusMore, TaskKey},
    time::Time,
};

impl Master {
    /// The registry knows an agent again.
    pub(super) fn marked_reachable(&mut self, now: Time, agent: AgentId, out: &mut impl MasterEffects) {
        let (address, back) = self.registrar.reregistering.remove(&agent).expect("somebody asked for it");
        let was_recovered = self.recovered.remove(&agent).is_some();
        self.unreachable.remove(&agent);
        self.forget_unreachable_tasks(agent);
        self.recover_frameworks(&back, out);
        let (tasks, killed) = self.acceptable_tasks(&back);
        let executors: Vec<_> =
            back.executors.iter().filter(|of| self.is_known_framework(of.framework)).collect();
        let mut on = Agent::new(now, address, back.info.clone(), back.total.clone());
        on.reregistered = Some(now);
        self.add_agent(agent, on, &used_by(&tasks, &executors), out);
        executors.iter().for_each(|executor| self.readmit_executor(agent, executor, out));
        self.forget_completed(agent, &tasks);
        tasks.iter().for_each(|task| self.readmit_task(agent, task, out));
        self.operations_reported(now, agent, back.operations.clone(), out);
        let ping_timeout = self.total_ping_timeout();
        out.send_to_agent(address, ToAgent::Reregistered { ping_timeout, reconcile: Vec::new() });
        killed.into_iter().for_each(|key| out.send_to_agent(address, ToAgent::Kill { key, grace: None }));
        self.tell_of_frameworks(address, &back, out);
        if !was_recovered {
            tasks.iter().for_each(|task| self.report_readmitted(now, agent, task, out));
        }
        self.start_pings(now, agent, out);
        self.resume_draining(now, agent, out);
        self.notice_broken_connection(now, agent, address, out);
    }

    fn recover_frameworks(&mut self, back: &Reregistration, out: &mut impl MasterEffects) {
        for (id, info) in &back.frameworks {
            if !self.is_known_framework(*id) && !self.completed.contains(id) {
                self.recover_framework(*id, info.clone(), out);
            }
        }
    }

    /// The tasks that join the books, and those that the agent is to end because their id is in use elsewhere by now. Tasks of
    /// frameworks that are over are neither: they end with their framework.
    fn acceptable_tasks<'a>(&self, back: &'a Reregistration) -> (Vec<&'a TaskReport>, Vec<TaskKey>) {
        let (mut tasks, mut killed) = (Vec::with_capacity(back.tasks.len()), Vec::new());
        for task in &back.tasks {
            let Some(of) = self.frameworks.get(task.framework).and_then(Option::as_ref) else { continue };
            if of.tasks.contains_key(&task.task.id) {
                killed.push(task.key());
            } else {
                tasks.push(task);
            }
        }
        (tasks, killed)
    }

    fn readmit_executor(&mut self, agent: AgentId, of: &ExecutorReport, out: &mut impl MasterEffects) {
        let ExecutorReport { framework, ref executor, role } = *of;
        let on = self.agents[agent].as_mut().expect("it was just added");
        on.executors.push(Executor { framework, info: executor.clone(), role });
        let resources = &executor.resources;
        out.note(Note::Executor { framework, executor: executor.id, role, agent, resources, holds: true });
    }

    fn readmit_task(&mut self, agent: AgentId, report: &TaskReport, out: &mut impl MasterEffects) {
        let TaskReport { role, ref task, state, unacknowledged, .. } = *report;
        let executor = task.detail.as_ref().and_then(|detail| Some(detail.executor.as_ref()?.id));
        let resources = task.resources.clone();
        let known = Task { agent, role, resources, state, forwarded: unacknowledged, executor };
        self.add_task(report.key(), known);
        out.note(Note::Readmitted { key: report.key(), role, task, state });
    }

    /// Tasks that were thought to be over are not (they were lost for a framework that is not partition-aware).
    fn forget_completed(&mut self, agent: AgentId, tasks: &[&TaskReport]) {
        for tasks in tasks.chunk_by(|a, b| a.framework == b.framework) {
            let of = self.frameworks[tasks[0].framework].as_mut().expect("it is known");
            if of.completed.iter().any(|completed| completed.agent == agent) {
                let is_back = |id| tasks.iter().any(|task| task.task.id == id);
                of.completed.retain(|completed| completed.agent != agent || !is_back(completed.id));
            }
        }
    }

    fn report_readmitted(&self, now: Time, agent: AgentId, of: &TaskReport, out: &mut impl MasterEffects) {
        let more = StatusMore::message("Agent reregistered");
        let reason = Reason::AgentReregistered;
        self.report(now, of.framework, of.task.id, Some(agent), of.state, reason, more, out);
    }
}

/// What tasks that are not over, and executors, hold: once for each framework and role, frameworks in order.
fn used_by(tasks: &[&TaskReport], executors: &[&ExecutorReport]) -> Vec<Held> {
    let mut used = std::collections::BTreeMap::<(FrameworkId, RoleId), Resources>::new();
    for task in tasks.iter().filter(|task| !task.state.is_terminal()) {
        *used.entry((task.framework, task.role)).or_default() += &task.task.resources;
    }
    for of in executors {
        *used.entry((of.framework, of.role)).or_default() += &of.executor.resources;
    }
    used.into_iter().map(|((framework, role), resources)| (framework, role, resources)).collect()
}
