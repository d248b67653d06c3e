//! How an agent comes to a master, and notices that it lost it.

use super::Agent;
use crate::{
    effects::AgentEffects,
    event::FromAgent,
    id::AgentId,
    registration::{ExecutorReport, Reregistration, TaskReport},
    task::TaskKey,
    time::{Span, Time},
};

/// Longest wait between two attempts (`REGISTER_RETRY_INTERVAL_MAX`), and the shortest upper bound of one: with a factor of
/// zero Mesos would ask without a pause.
const RETRY_MAX: Span = Span::from_secs(60);
const RETRY_MIN: Span = Span::from_secs(1);

/// Until a master says otherwise (`DEFAULT_MASTER_PING_TIMEOUT`).
const PING_TIMEOUT: Span = Span::from_secs(75);

/// How an agent stands with its master.
#[derive(Debug)]
pub(super) struct Link {
    is_leader_known: bool,
    is_registered: bool,
    next_attempt: Option<Time>,
    /// The wait before the attempt after the next is at most this.
    backoff: Span,
    ping_timeout: Span,
    pub(super) next_ping_by: Option<Time>,
    are_pings_trusted: bool,
}

impl Link {
    pub(super) const fn new() -> Self {
        Self {
            is_leader_known: false,
            is_registered: false,
            next_attempt: None,
            backoff: Span::ZERO,
            ping_timeout: PING_TIMEOUT,
            next_ping_by: None,
            are_pings_trusted: false,
        }
    }

    pub(super) const fn is_leader_known(&self) -> bool {
        self.is_leader_known
    }

    pub(super) const fn is_registered(&self) -> bool {
        self.is_registered
    }

    /// What it waits for next.
    pub(super) fn next(&self) -> Option<Time> {
        Time::earliest([self.next_attempt, self.next_ping_by])
    }

    fn watch(&mut self, now: Time) {
        let is_watched = self.is_registered && !self.are_pings_trusted;
        self.next_ping_by = is_watched.then(|| now + self.ping_timeout);
    }
}

impl Agent {
    /// From here on nothing is registered with anybody; a leader, if there is one, hears of the agent soon
    /// (`Slave::detected`).
    pub(super) fn look_for_master(&mut self, now: Time, is_known: bool, out: &mut impl AgentEffects) {
        self.may_overcommit |= self.link.is_registered;
        self.link.is_leader_known = is_known;
        self.link.is_registered = false;
        self.link.next_attempt = None;
        self.link.next_ping_by = None;
        self.timers.stop_retries();
        self.start_registration(now, out);
    }

    /// The first attempt comes after a random wait, lest all agents ask at once. While executors are waited for there is
    /// nothing to say yet.
    pub(super) fn start_registration(&mut self, now: Time, out: &mut impl AgentEffects) {
        if self.link.is_leader_known && self.recovery_ends.is_none() {
            let factor = self.options.registration_backoff_factor;
            self.link.backoff = factor + factor;
            self.link.next_attempt = Some(now + out.backoff(factor));
        }
    }

    /// Asks the master when it is time to, and goes on asking (`Slave::doReliableRegistration`).
    pub(super) fn attempt_if_due(&mut self, now: Time, out: &mut impl AgentEffects) {
        if self.link.next_attempt.is_none_or(|at| at > now) {
            return;
        }
        let most = self.link.backoff.clamp(RETRY_MIN, RETRY_MAX);
        self.link.backoff = most + most;
        self.link.next_attempt = Some(now + out.backoff(most));
        match self.id {
            None => out.send_to_master(FromAgent::Register(self.info.clone())),
            Some(id) => {
                let report = self.reregistration(id);
                self.is_total_unsaid = false;
                out.send_to_master(FromAgent::Reregister(Box::new(report)));
            }
        }
    }

    pub(super) fn registered(&mut self, now: Time, id: AgentId, timeout: Span, out: &mut impl AgentEffects) {
        if self.id.is_some_and(|known| known != id) {
            return self.end(out); // the master took this one for another: Mesos gives up as well
        }
        self.id = Some(id);
        self.be_registered(now, timeout, out);
    }

    pub(super) fn reregistered(
        &mut self,
        now: Time,
        timeout: Span,
        reconcile: &[TaskKey],
        out: &mut impl AgentEffects,
    ) {
        self.be_registered(now, timeout, out);
        self.reconcile(now, reconcile, out);
    }

    fn be_registered(&mut self, now: Time, timeout: Span, out: &mut impl AgentEffects) {
        let was_registered = std::mem::replace(&mut self.link.is_registered, true);
        self.link.next_attempt = None;
        self.link.ping_timeout = timeout;
        self.link.watch(now);
        if !was_registered {
            self.tell_resources(out);
            self.send_all_heads(now, out);
            self.send_all_operations(now, out);
        }
    }

    /// The master asks whether the agent is there. If it has lost the agent while the agent believes itself registered, that
    /// starts over (`Slave::ping`).
    pub(super) fn pinged(&mut self, now: Time, connected: bool, out: &mut impl AgentEffects) {
        self.tell_always(FromAgent::Pong, out);
        if !connected && self.link.is_registered {
            return self.look_for_master(now, true, out);
        }
        self.link.watch(now);
    }

    /// No ping came for too long: the master may be another one by now.
    pub(super) fn miss_pings_if_due(&mut self, now: Time, out: &mut impl AgentEffects) {
        if self.link.next_ping_by.is_some_and(|at| at <= now) {
            self.look_for_master(now, true, out);
        }
    }

    pub(super) fn set_pings_trusted(&mut self, now: Time, trusted: bool) {
        self.link.are_pings_trusted = trusted;
        self.link.watch(now);
    }

    /// To the master that has this agent registered; lost if there is none.
    pub(super) fn tell(&self, message: impl FnOnce(AgentId) -> FromAgent, out: &mut impl AgentEffects) {
        if self.link.is_registered {
            self.tell_always(message, out);
        }
    }

    pub(super) fn tell_always(
        &self,
        message: impl FnOnce(AgentId) -> FromAgent,
        out: &mut impl AgentEffects,
    ) {
        if let Some(id) = self.id {
            out.send_to_master(message(id));
        }
    }

    fn reregistration(&self, id: AgentId) -> Reregistration {
        let mut frameworks: Vec<_> = self.frameworks.iter().map(|of| (of.id, of.info.clone())).collect();
        frameworks.sort_unstable_by_key(|&(id, _)| id);
        Reregistration {
            id,
            info: (*self.info).clone(),
            total: self.total.clone(),
            frameworks,
            tasks: self.task_reports(),
            executors: self.executors.iter().map(executor_report).collect(),
            operations: self.operations.iter().map(super::operations::Operation::report).collect(),
        }
    }

    fn task_reports(&self) -> Vec<TaskReport> {
        let mut tasks: Vec<_> =
            self.tasks.iter().filter_map(|task| task.role.map(|role| (task, role))).collect();
        tasks.sort_unstable_by_key(|(task, _)| task.number);
        let report = |(task, role): (&super::tasks::Task, _)| TaskReport {
            framework: task.framework,
            task: task.info.clone(),
            role,
            state: task.state,
            unacknowledged: task.updates.first().map(|head| (head.uuid, head.state)),
        };
        tasks.into_iter().map(report).collect()
    }
}

fn executor_report(executor: &super::executors::Executor) -> ExecutorReport {
    ExecutorReport { framework: executor.framework, executor: executor.info.clone(), role: executor.role }
}
