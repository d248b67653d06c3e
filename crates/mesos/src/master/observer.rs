//! Pings (`SlaveObserver`), and the limit on how fast agents are marked unreachable.

use std::collections::VecDeque;

use super::{Master, state::Ping, timers::Timer};
use crate::{
    effects::MasterEffects,
    event::ToAgent,
    id::AgentId,
    time::{Span, Time},
};

/// So many agents in so long (`--agent_removal_rate_limit`, for example `1/10mins`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovalRate {
    /// How many.
    pub agents: u32,
    /// In how long.
    pub per: Span,
}

/// How often agents were to be marked unreachable (`master/slave_unreachable_{scheduled,completed,canceled}`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct UnreachableCounts {
    /// Some timer ran out.
    pub scheduled: u64,
    /// The limit has let it pass.
    pub completed: u64,
    /// The agent was heard of while it waited.
    pub canceled: u64,
}

/// Which timer ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// Too many pings in a row were not answered.
    Pings,
    /// The agent's connection broke and it did not come back.
    Disconnected,
    /// The registry names it, and it did not come back after a failover of the master.
    Failover,
}

/// Lets agents pass one by one, evenly spaced (libprocess' `RateLimiter`).
#[derive(Debug)]
pub(super) struct RemovalLimit {
    /// Between two agents; `None`: no limit.
    interval: Option<Span>,
    /// From when on the next may pass.
    free: Time,
    waiting: VecDeque<(AgentId, Silence)>,
    /// A timer runs for the first that waits.
    has_timer: bool,
    pub(super) counts: UnreachableCounts,
}

impl RemovalLimit {
    pub(super) fn new(rate: Option<RemovalRate>) -> Self {
        let interval = rate.map(|rate| Span(rate.per.0 / u64::from(rate.agents.max(1))));
        let counts = UnreachableCounts::default();
        Self { interval, free: Time::ZERO, waiting: VecDeque::new(), has_timer: false, counts }
    }
}

impl Master {
    /// Whoever drives the master vouches that every ping of this agent is answered in time, from the last one on: none goes
    /// out, and no timer runs. The rhythm goes on. Ends by itself when the agent's connection breaks, for it is by a ping that
    /// an agent learns that.
    pub fn trust(&mut self, now: Time, agent: AgentId) {
        self.heard_of(agent);
        let ticket = self.next_ticket();
        let Some(on) = self.agents.get_mut(agent).and_then(Option::as_mut) else { return };
        let started = on.ping.started;
        assert!(started <= now, "{agent:?} is pinged since {started}, after {now}");
        let timer = std::mem::replace(&mut on.ping.timer, ticket);
        if !std::mem::replace(&mut on.ping.is_trusted, true) {
            self.timers.cancel(Timer::Ping(agent, timer));
        }
    }

    /// From now on pings go out, at the times at which they would have; one that was due by now counts as answered.
    pub fn doubt(&mut self, now: Time, agent: AgentId) {
        let timer = self.next_ticket();
        let Some(on) = self.agents.get_mut(agent).and_then(Option::as_mut) else { return };
        if !on.ping.is_trusted {
            return;
        }
        let period = self.options.agent_ping_timeout.0.max(1);
        let periods = now.since(on.ping.started).0 / period + 1;
        let next = on.ping.started + Span(periods * period);
        on.ping = Ping { started: on.ping.started, timer, answered: true, ..Ping::default() };
        self.timers.start(next, Timer::Ping(agent, timer));
    }

    /// An agent is (again) among the registered ones: the first ping goes out at once.
    pub(super) fn start_pings(&mut self, now: Time, agent: AgentId, out: &mut impl MasterEffects) {
        let is_trusted = self.options.trust_agents;
        let on = self.agents[agent].as_mut().expect("it is registered");
        on.ping = Ping { started: now, is_trusted, answered: is_trusted, ..Ping::default() };
        if !is_trusted {
            self.send_ping(now, agent, out);
        }
    }

    fn send_ping(&mut self, now: Time, agent: AgentId, out: &mut impl MasterEffects) {
        let timer = self.next_ticket();
        let on = self.agents[agent].as_mut().expect("the caller has looked");
        on.ping.answered = false;
        on.ping.timer = timer;
        out.send_to_agent(on.address, ToAgent::Ping { connected: on.is_connected });
        self.timers.start(now + self.options.agent_ping_timeout, Timer::Ping(agent, timer));
    }

    /// A ping was answered (`SlaveObserver::pong`).
    pub(super) fn pong(&mut self, agent: AgentId) {
        self.heard_of(agent);
    }

    /// All is well again with an agent; if it waits to be marked unreachable, it does so no longer.
    fn heard_of(&mut self, agent: AgentId) {
        let Some(on) = self.agents.get_mut(agent).and_then(Option::as_mut) else { return };
        on.ping.missed = 0;
        on.ping.answered = true;
        if std::mem::take(&mut on.ping.is_marking) {
            self.removal_limit.waiting.retain(|&waits| waits != (agent, Silence::Pings));
            self.removal_limit.counts.canceled += 1;
        }
    }

    /// The time for an answer is over, and the next ping is due (`SlaveObserver::timeout`). Pings go on while the agent waits
    /// to be marked unreachable.
    pub(super) fn ping_timeout(
        &mut self,
        now: Time,
        agent: AgentId,
        number: u64,
        out: &mut impl MasterEffects,
    ) {
        let most = self.options.max_agent_ping_timeouts;
        let Some(on) = self.agents.get_mut(agent).and_then(Option::as_mut) else { return };
        if on.ping.timer != number {
            return;
        }
        on.ping.missed += u32::from(!on.ping.answered);
        let is_silent = !on.ping.answered && on.ping.missed >= most;
        let is_first = is_silent && !std::mem::replace(&mut on.ping.is_marking, is_silent);
        self.send_ping(now, agent, out);
        if is_first {
            self.schedule_unreachable(now, agent, Silence::Pings, out);
        }
    }

    /// An agent is to be marked unreachable as soon as the limit allows.
    pub(super) fn schedule_unreachable(
        &mut self,
        now: Time,
        agent: AgentId,
        silence: Silence,
        out: &mut impl MasterEffects,
    ) {
        let limit = &mut self.removal_limit;
        limit.counts.scheduled += 1;
        if limit.interval.is_some() {
            limit.waiting.push_back((agent, silence));
            self.removal_slot(now, out);
        } else {
            self.pass_limit(now, agent, silence, out);
        }
    }

    /// Lets the next agent pass, if it is time for it.
    pub(super) fn removal_slot(&mut self, now: Time, out: &mut impl MasterEffects) {
        let limit = &mut self.removal_limit;
        let interval = limit.interval.expect("there is a limit");
        limit.has_timer &= limit.free > now;
        if limit.free <= now
            && let Some((agent, silence)) = limit.waiting.pop_front()
        {
            limit.free = now + interval;
            self.pass_limit(now, agent, silence, out);
        }
        let limit = &mut self.removal_limit;
        if !limit.waiting.is_empty() && !limit.has_timer {
            limit.has_timer = true;
            self.timers.start(limit.free, Timer::RemovalSlot);
        }
    }

    /// Marks the agent unreachable, unless it was heard of meanwhile.
    fn pass_limit(&mut self, now: Time, agent: AgentId, silence: Silence, out: &mut impl MasterEffects) {
        let on = self.agents.get_mut(agent).and_then(Option::as_mut);
        let is_silent = match silence {
            Silence::Pings => on.is_some_and(|on| std::mem::take(&mut on.ping.is_marking)),
            Silence::Disconnected => on.is_some_and(|on| !on.is_connected),
            Silence::Failover => self.recovered.contains_key(&agent),
        };
        if is_silent {
            self.removal_limit.counts.completed += 1;
            self.mark_unreachable(now, agent, silence, out);
        } else {
            self.removal_limit.counts.canceled += 1;
        }
    }

    /// What frameworks are told of tasks on an agent that is unreachable.
    pub(super) fn silence_message(&self, silence: Silence) -> String {
        match silence {
            Silence::Pings => "health check timed out".into(),
            Silence::Disconnected => {
                format!(
                    "agent did not re-register within {} after disconnecting",
                    self.reregister_timeout_text()
                )
            }
            Silence::Failover => {
                format!(
                    "agent did not re-register within {} after master failover",
                    self.reregister_timeout_text()
                )
            }
        }
    }

    /// `--agent_reregister_timeout` as Mesos prints it.
    pub(super) fn reregister_timeout_text(&self) -> String {
        let timeout = self.options.agent_reregister_timeout;
        let minute = Span::from_secs(60).0;
        if timeout.0.is_multiple_of(minute) {
            format!("{}mins", timeout.0 / minute)
        } else {
            format!("{timeout}secs")
        }
    }

    /// A number that was never given before, to tell a timer that counts from outdated ones.
    pub(super) const fn next_ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }
}
