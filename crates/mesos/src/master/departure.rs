//! How frameworks go: disconnected, given up, removed (`Master::disconnect`, `frameworkFailoverTimeout`, `removeFramework`).

use super::{Master, state::CompletedTask, timers::Timer};
use crate::{
    allocator::Allocator,
    effects::{MasterEffects, Note, OfferEnd},
    event::ToAgent,
    id::{AgentId, ExecutorId, FrameworkId},
    task::{TaskKey, TaskState},
    time::{Span, Time},
};

impl Master {
    /// Its offers are rescinded, though nobody hears it. If it does not come back in time it is removed.
    pub(super) fn disconnect_framework(
        &mut self,
        now: Time,
        framework: FrameworkId,
        out: &mut impl MasterEffects,
    ) {
        let of = self.frameworks[framework].as_mut().expect("a framework with a stream");
        let connection = of.connection.take().expect("a framework with a stream");
        let (subscription, seconds) = (of.subscriptions, of.info.failover_timeout);
        self.framework_of.remove(&connection);
        out.note(Note::FrameworkDisconnected { framework });
        self.deactivate_framework(now, framework, OfferEnd::Rescinded, out);
        let away = Span::from_secs_f64(seconds).unwrap_or(Span::ZERO); // a negative timeout is over at once
        self.timers.start(now + away, Timer::Failover(framework, subscription));
    }

    fn deactivate_framework(
        &mut self,
        now: Time,
        framework: FrameworkId,
        end: OfferEnd,
        out: &mut impl MasterEffects,
    ) {
        self.allocator.deactivate_framework(framework);
        self.end_offers_of_framework(now, framework, end, |_| true, out);
        self.end_inverse_offers_of_framework(now, framework, end == OfferEnd::Rescinded, out);
    }

    /// Nothing happens if the framework has come back since, even if it is away again.
    pub(super) fn failover_timeout(
        &mut self,
        now: Time,
        framework: FrameworkId,
        subscription: u64,
        out: &mut impl MasterEffects,
    ) {
        let of = self.frameworks.get(framework).and_then(Option::as_ref);
        if of.is_some_and(|of| !of.is_connected() && of.subscriptions == subscription) {
            self.remove_framework(now, framework, out);
        }
    }

    /// The framework is gone for good, with its tasks, executors and offers; its stream just ends.
    pub(super) fn remove_framework(
        &mut self,
        now: Time,
        framework: FrameworkId,
        out: &mut impl MasterEffects,
    ) {
        let of = self.frameworks[framework].as_mut().expect("a framework to remove");
        let connection = of.connection.take();
        if let Some(connection) = connection {
            self.framework_of.remove(&connection);
            self.deactivate_framework(now, framework, OfferEnd::Discarded, out);
        }
        for agent in self.agents.iter().filter_map(|(_, agent)| agent.as_ref()) {
            out.send_to_agent(agent.address, ToAgent::ShutdownFramework(framework));
        }
        self.kill_all_tasks(now, framework, out);
        self.remove_all_executors(now, framework, out);
        self.drop_operations_of_framework(framework);
        self.allocator.remove_framework(framework);
        self.frameworks[framework] = None;
        self.completed.push_back(framework);
        while self.completed.len() > self.options.max_completed_frameworks {
            self.completed.pop_front();
        }
        out.note(Note::FrameworkRemoved { framework });
        if let Some(connection) = connection {
            out.close(connection);
        }
    }

    /// Those that are not over are killed, those on unreachable agents included; nobody is left to hear of it.
    fn kill_all_tasks(&mut self, now: Time, framework: FrameworkId, out: &mut impl MasterEffects) {
        let of = self.frameworks[framework].as_ref().expect("a framework to remove");
        let unreachable: Vec<_> = of.unreachable.ids().collect();
        for task in of.task_ids() {
            let key = TaskKey { framework, task };
            self.update_task(now, key, TaskState::Killed, out);
            self.remove_task(now, key, false, out);
        }
        for task in unreachable {
            let of = self.frameworks[framework].as_mut().expect("a framework to remove");
            let Some(lost) = of.unreachable.remove(task) else { continue };
            let state = match lost.task.state.is_terminal() {
                true => lost.task.state,
                false => TaskState::Killed,
            };
            if state != lost.task.state {
                out.note(Note::TaskState { key: TaskKey { framework, task }, state });
            }
            self.complete_task(framework, CompletedTask { id: task, agent: lost.task.agent, state });
        }
    }

    fn remove_all_executors(&mut self, now: Time, framework: FrameworkId, out: &mut impl MasterEffects) {
        let agents = self.agents.iter().filter_map(|(id, agent)| Some((id, agent.as_ref()?)));
        let executors: Vec<(AgentId, ExecutorId)> = agents
            .flat_map(|(id, agent)| agent.executors.iter().map(move |executor| (id, executor)))
            .filter(|(_, executor)| executor.framework == framework)
            .map(|(id, executor)| (id, executor.info.id))
            .collect();
        for (agent, executor) in executors {
            self.remove_executor(now, agent, framework, executor, out);
        }
    }
}
