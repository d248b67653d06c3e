//! How tasks end because someone wants it: KILL, preemption, the end of their framework or of the agent.

use super::{
    Agent,
    tasks::{Ending, Standing},
    updates::News,
};
use crate::{
    capability::Capabilities,
    effects::{AgentEffects, Container},
    id::FrameworkId,
    task::{Reason, Source, TaskKey, TaskState},
    time::{Span, Time},
};

impl Agent {
    /// KILL (`Slave::killTask`). A second one is passed on, for it may shorten what is left of the first one's time.
    pub(super) fn kill(&mut self, now: Time, key: TaskKey, grace: Option<i64>, out: &mut impl AgentEffects) {
        let Some(place) = self.place(key) else { return self.kill_unknown(now, key, out) };
        let grace = self.tasks[place].grace(grace);
        self.kill_at(now, place, grace, out);
    }

    pub(super) fn kill_at(&mut self, now: Time, place: usize, grace: Span, out: &mut impl AgentEffects) {
        let task = &mut self.tasks[place];
        let (key, group) = (task.key(), task.group);
        if task.is_over() {
            return;
        }
        if task.is_undelivered() {
            return self.kill_undelivered(now, group, out);
        }
        let is_first = task.ending == Ending::None;
        if is_first {
            task.ending = Ending::Killed;
            self.announce_kill(now, place, out);
        }
        out.contain(Container::Kill { key, grace });
    }

    /// The executor says that it is about to kill, if its framework knows that state.
    fn announce_kill(&mut self, now: Time, place: usize, out: &mut impl AgentEffects) {
        let task = &self.tasks[place];
        let knows = self.framework_has(task.framework, Capabilities::TASK_KILLING_STATE);
        if knows && task.state != TaskState::Killing {
            let (state, source) = (TaskState::Killing, Source::Executor);
            self.record(now, place, News { state, source, reason: None, more: None }, out);
        }
    }

    /// Tasks that no executor has yet end here and now, with all that came together with them.
    fn kill_undelivered(&mut self, now: Time, group: u32, out: &mut impl AgentEffects) {
        for key in self.keys_of(|task| task.group == group && task.is_undelivered()) {
            let place = self.place(key).expect("the key of a task");
            let message = "Killed before delivery to the executor";
            let news = News::of_agent(TaskState::Killed, Reason::TaskKilledDuringLaunch, message);
            self.record(now, place, news, out);
            match self.tasks[place].executor {
                Some(executor) => self.end_unused(key.framework, executor, out),
                None => out.contain(Container::Destroy { key }),
            }
        }
    }

    /// A task that is not here: its framework is told, if it is known; the master will ask when the agent registers again
    /// otherwise.
    fn kill_unknown(&mut self, now: Time, key: TaskKey, out: &mut impl AgentEffects) {
        if self.framework(key.framework).is_none() {
            return;
        }
        let Some(place) = self.add_foreign_task(key) else { return };
        let news = News::of_agent(TaskState::Dropped, Reason::ExecutorTerminated, "Cannot find executor");
        self.record(now, place, news, out);
    }

    /// The container of a task has to make room: it ends at once, and with it all that its executor runs
    /// (`Slave::_qosCorrections`).
    pub(super) fn preempt_task(&mut self, now: Time, key: TaskKey, out: &mut impl AgentEffects) {
        let Some(place) = self.place(key) else { return };
        let task = &self.tasks[place];
        if task.is_over() {
            return;
        }
        let news = || {
            let message = "Container preempted by QoS correction";
            News::of_agent(TaskState::Gone, Reason::ContainerPreempted, message)
        };
        let Some(executor) = task.executor else {
            self.record(now, place, news(), out);
            return out.contain(Container::Destroy { key });
        };
        self.end_tasks_of(now, key.framework, executor, out, news);
        self.shut_down_executor(key.framework, executor, Some(Span::ZERO), out);
    }

    /// A framework is gone: its containers end, and nobody wants to hear of them (`Slave::shutdownFramework`).
    pub(super) fn shut_down_framework(&mut self, framework: FrameworkId, out: &mut impl AgentEffects) {
        self.forget_all(|of| of == framework, out);
        self.end_drain_if_empty();
    }

    /// Ends the containers of such frameworks in good order, and forgets tasks and executors at once: the master has given
    /// away already what they held.
    pub(super) fn forget_all(&mut self, whose: impl Fn(FrameworkId) -> bool, out: &mut impl AgentEffects) {
        let of_flag = self.options.executor_shutdown_grace_period;
        for key in self.keys_of(|task| whose(task.framework)) {
            let place = self.place(key).expect("the key of a task");
            let task = &self.tasks[place];
            if task.is_command() && !task.is_over() && task.standing != Standing::Queued {
                out.contain(Container::Kill { key, grace: of_flag });
            }
            self.forget_task(place);
        }
        let executors: Vec<_> = self.executors.iter().map(|of| (of.framework, of.info.id)).collect();
        for (framework, executor) in executors.into_iter().filter(|&(framework, _)| whose(framework)) {
            self.shut_down_executor(framework, executor, None, out);
            self.forget_executor(framework, executor);
        }
    }
}
