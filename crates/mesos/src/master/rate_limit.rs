//! Rate limits of frameworks by principal (`--rate_limits`, `BoundedRateLimiter`): calls wait in line, one goes on each 1/qps.

use std::collections::{BTreeMap, VecDeque};

use super::{Master, timers::Timer};
use crate::{
    call::Call,
    effects::{MasterEffects, Note},
    event::Event,
    id::{ConnectionId, FrameworkId},
    time::{Span, Time},
};

/// How many calls per second the frameworks of a principal may make together (Mesos' `RateLimit`).
#[derive(Clone, Debug, PartialEq)]
pub struct RateLimit {
    /// Whose; `None`: of all frameworks whose principal has no limit of its own (`aggregate_default_qps`).
    pub principal: Option<String>,
    /// Calls per second; `None`: no limit.
    pub qps: Option<f64>,
    /// How many calls may wait; `None`: any number.
    pub capacity: Option<u64>,
}

/// The limiters and the calls that wait.
#[derive(Debug)]
pub(super) struct RateLimits {
    limiters: Vec<Limiter>,
    /// The limiter of each principal that was named; `None`: it is not limited at all.
    of_principal: BTreeMap<String, Option<usize>>,
    /// The limiter of everybody else.
    default: Option<usize>,
}

#[derive(Debug)]
struct Limiter {
    /// Between two calls.
    pause: Span,
    capacity: Option<u64>,
    waiting: VecDeque<(FrameworkId, ConnectionId, Call)>,
    /// When the next call may go on.
    next: Time,
}

/// What a limiter makes of a call.
enum Passage {
    Now(Call),
    Later { wait_until: Option<Time> },
    Never { capacity: u64 },
}

impl RateLimits {
    pub(super) fn new(limits: &[RateLimit]) -> Self {
        let mut all = Self { limiters: Vec::new(), of_principal: BTreeMap::new(), default: None };
        for limit in limits {
            let limiter = limit.qps.map(|qps| {
                all.limiters.push(Limiter::new(qps, limit.capacity));
                all.limiters.len() - 1
            });
            match &limit.principal {
                Some(principal) => {
                    let earlier = all.of_principal.insert(principal.clone(), limiter);
                    assert!(earlier.is_none(), "the principal {principal} has two rate limits");
                }
                None => all.default = limiter,
            }
        }
        all
    }

    fn of(&mut self, principal: Option<&String>) -> Option<&mut Limiter> {
        let own = principal.and_then(|principal| self.of_principal.get(principal));
        let place = own.copied().unwrap_or(self.default)?;
        Some(&mut self.limiters[place])
    }
}

impl Limiter {
    fn new(qps: f64, capacity: Option<u64>) -> Self {
        let pause = Span::from_secs_f64(1.0 / qps).filter(|&pause| pause > Span::ZERO);
        let pause = pause.unwrap_or_else(|| panic!("a rate limit of {qps} calls per second"));
        Self { pause, capacity, waiting: VecDeque::new(), next: Time::ZERO }
    }

    fn admit(&mut self, now: Time, from: (FrameworkId, ConnectionId), call: Call) -> Passage {
        if let Some(capacity) = self.capacity
            && self.waiting.len() as u64 >= capacity
        {
            return Passage::Never { capacity };
        }
        if self.waiting.is_empty() && self.next <= now {
            self.next = now + self.pause;
            return Passage::Now(call);
        }
        let wait_until = self.waiting.is_empty().then_some(self.next);
        self.waiting.push_back((from.0, from.1, call));
        Passage::Later { wait_until }
    }

    /// The call that may go on now, and when the one after it may.
    fn release(&mut self, now: Time) -> Option<((FrameworkId, ConnectionId, Call), Option<Time>)> {
        if self.next > now {
            return None;
        }
        let call = self.waiting.pop_front()?;
        self.next = now + self.pause;
        Some((call, (!self.waiting.is_empty()).then_some(self.next)))
    }
}

impl Master {
    /// Gives the call back if it may be handled now. Otherwise it waits behind those before it, or, if too many wait, its
    /// framework gets an ERROR and is disconnected (`Master::exceededCapacity`).
    pub(super) fn throttle(
        &mut self,
        now: Time,
        framework: FrameworkId,
        call: Call,
        out: &mut impl MasterEffects,
    ) -> Option<Call> {
        if self.rate_limits.limiters.is_empty() {
            return Some(call);
        }
        let of = self.frameworks[framework].as_ref().expect("a caller is known");
        let connection = of.connection.expect("a caller is connected");
        let Some(limiter) = self.rate_limits.of(of.info.principal.as_ref()) else { return Some(call) };
        match limiter.admit(now, (framework, connection), call) {
            Passage::Now(call) => return Some(call),
            Passage::Later { wait_until } => {
                if let Some(at) = wait_until {
                    self.timers.start(at, Timer::RateLimit);
                }
                out.note(Note::Throttled { framework, dropped: false });
            }
            Passage::Never { capacity } => {
                out.note(Note::Throttled { framework, dropped: true });
                let message = format!("Message mesos.scheduler.Call dropped: capacity({capacity}) exceeded");
                out.send_event(framework, connection, Event::Error(message));
                out.close(connection);
                self.disconnect_framework(now, framework, out);
            }
        }
        None
    }

    /// One call of each limiter that may let one go on. It was answered when it came, so a refusal reaches nobody; one of a
    /// stream that has ended since is dropped.
    pub(super) fn handle_throttled(&mut self, now: Time, out: &mut impl MasterEffects) {
        for place in 0..self.rate_limits.limiters.len() {
            let Some(((framework, connection, call), next)) = self.rate_limits.limiters[place].release(now)
            else {
                continue;
            };
            if let Some(at) = next {
                self.timers.start(at, Timer::RateLimit);
            }
            if self.check_caller(framework, connection).is_ok() {
                drop(self.dispatch_call(now, framework, call, out));
            }
        }
    }
}
