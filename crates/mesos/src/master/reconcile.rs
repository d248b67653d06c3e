//! RECONCILE: what the master knows of tasks (`Master::reconcileTasks`).

use super::Master;
use crate::{
    effects::MasterEffects,
    id::{AgentId, FrameworkId, TaskId},
    task::{Reason, StatusMore, TaskState},
    time::Time,
};

/// What is answered of one task.
struct Answer {
    agent: Option<AgentId>,
    state: TaskState,
    message: &'static str,
    unreachable_time: Option<Time>,
}

impl Answer {
    const fn new(agent: Option<AgentId>, state: TaskState, message: &'static str) -> Self {
        Self { agent, state, message, unreachable_time: None }
    }
}

impl Master {
    /// No tasks named: all that are not over and acknowledged, by ascending id. Otherwise each one named, in the order
    /// named; of some nothing can be said yet.
    pub(super) fn reconcile(
        &self,
        now: Time,
        framework: FrameworkId,
        tasks: &[(TaskId, Option<AgentId>)],
        out: &mut impl MasterEffects,
    ) {
        if tasks.is_empty() {
            let all = self.frameworks[framework].as_ref().expect("a caller is known").task_ids();
            for task in all {
                let known = self.known_state(framework, task).expect("one of its tasks");
                self.answer_reconcile(now, framework, task, &known, out);
            }
        }
        for &(task, agent) in tasks {
            let known = self.known_state(framework, task);
            if let Some(answer) = known.or_else(|| self.state_of_unknown(agent)) {
                self.answer_reconcile(now, framework, task, &answer, out);
            }
        }
    }

    fn answer_reconcile(
        &self,
        now: Time,
        framework: FrameworkId,
        task: TaskId,
        answer: &Answer,
        out: &mut impl MasterEffects,
    ) {
        let &Answer { agent, state, message, unreachable_time } = answer;
        let message = Some(format!("Reconciliation: {message}"));
        let more = Some(Box::new(StatusMore { message, unreachable_time, ..StatusMore::default() }));
        self.report(now, framework, task, agent, state, Reason::Reconciliation, more, out);
    }

    /// The framework is told what it was told last, even if more is known: the update that says so is on its way.
    fn known_state(&self, framework: FrameworkId, task: TaskId) -> Option<Answer> {
        let task = self.frameworks[framework].as_ref().expect("a caller is known").tasks.get(&task)?;
        let state = task.forwarded.map_or(task.state, |(_, state)| state);
        Some(Answer::new(Some(task.agent), state, "Latest task state"))
    }

    /// What is known of the agent says what became of the task. `None`: an agent that is expected back after a failover of
    /// the master may have it.
    fn state_of_unknown(&self, agent: Option<AgentId>) -> Option<Answer> {
        let Some(on) = agent else {
            let unknown = Answer::new(None, TaskState::Unknown, "Task is unknown");
            return self.recovered.is_empty().then_some(unknown);
        };
        if self.recovered.contains_key(&on) {
            return None;
        }
        if self.agents.get(on).is_some_and(Option::is_some) {
            return Some(Answer::new(agent, TaskState::Gone, "Task is unknown to the agent"));
        }
        if let Some(&since) = self.unreachable.get(&on) {
            let unreachable = Answer::new(agent, TaskState::Unreachable, "Task is unreachable");
            return Some(Answer { unreachable_time: Some(since), ..unreachable });
        }
        Some(match self.gone.contains_key(&on) {
            true => Answer::new(agent, TaskState::GoneByOperator, "Task is gone"),
            false => Answer::new(agent, TaskState::Unknown, "Task is unknown"),
        })
    }
}
