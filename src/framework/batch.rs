//! The batch framework: a queue of independent tasks.
//!
//! On offers it places what it can of the queue, in queue order, and launches it. What happens to the rest is its
//! [`Response`]: *decline* gives it back with a filter, suppresses when the queue is empty and revives on new work;
//! *hold* keeps it for tasks to come.

use std::collections::BTreeMap;

use mesos::{
    call::{Call, Operation},
    event::Event,
    id::{AgentId, Id, OfferId, TaskId},
    offer::Filters,
    task::{TaskInfo, TaskState, TaskStatus},
    time::Time,
};
use rustc_hash::FxHashMap;

use super::{AgentFacts, Framework, nth_task};
use crate::{
    engine::random::{Seed, Stream},
    policy::{Response, order::QueueOrder, placement::Placement, pool::Pool},
    workload::{Demand, Job, TaskSpec},
};

/// How a batch framework decides.
pub struct BatchPolicy {
    /// Which job first.
    pub order: Box<dyn QueueOrder>,
    /// On which agent.
    pub placement: Box<dyn Placement>,
    /// What to do with offers that are not used.
    pub response: Response,
    /// For how long declined resources are refused, in seconds (the *hold* response refuses nothing: what an ACCEPT
    /// leaves over shall come back).
    pub refuse_seconds: f64,
    /// Whether tasks behind one that does not fit may be placed.
    pub backfill: bool,
}

/// Place in the queue: the order's key as sortable bits, then order of arrival.
type QueueKey = (u64, u64);

#[derive(Clone, Copy)]
struct Waiting {
    task: TaskId,
    spec: TaskSpec,
}

/// See the [module](self).
pub struct BatchFramework {
    policy: BatchPolicy,
    /// Names this framework's random streams.
    seed: Seed,
    stream: u64,
    queue: BTreeMap<QueueKey, Waiting>,
    arrivals: u64,
    /// Launched and not known to be over, to be queued again if they never started.
    launched: FxHashMap<TaskId, (QueueKey, TaskSpec)>,
    pool: Pool,
    suppressed: bool,
    subscribed: bool,
}

impl BatchFramework {
    /// A framework with an empty queue. `stream` tells its random choices from those of other frameworks.
    #[must_use]
    pub fn new(policy: BatchPolicy, seed: Seed, stream: u64) -> Self {
        let pool = Pool::new(policy.response == Response::Hold);
        Self {
            policy,
            seed,
            stream,
            queue: BTreeMap::new(),
            arrivals: 0,
            launched: FxHashMap::default(),
            pool,
            suppressed: false,
            subscribed: false,
        }
    }

    fn filters(&self) -> Filters {
        match self.policy.response {
            Response::Decline => Filters { refuse_seconds: self.policy.refuse_seconds },
            Response::Hold => Filters::NONE,
        }
    }

    fn handle_offers(&mut self, offers: Vec<mesos::offer::Offer>, facts: &AgentFacts, calls: &mut Vec<Call>) {
        for offer in offers {
            let model = facts.model(offer.agent);
            self.pool.add(offer, model);
        }
        let placed = self.place_queue(calls);
        if self.policy.response == Response::Hold {
            return;
        }
        let unused = self.pool.drain();
        if !unused.is_empty() {
            calls.push(Call::Decline { offers: unused, filters: Some(self.filters()) });
        }
        if self.queue.is_empty() && !self.suppressed {
            self.suppressed = true;
            calls.push(Call::Suppress);
        } else if placed && !self.policy.backfill && !self.queue.is_empty() {
            calls.push(Call::Revive); // what was declined while the old head blocked the queue may serve the new one
        }
    }

    /// Places what fits of the queue, and accepts the offers that it takes. Says whether anything was placed.
    fn place_queue(&mut self, calls: &mut Vec<Call>) -> bool {
        let mut placed: Vec<(AgentId, QueueKey, TaskInfo)> = Vec::new();
        let mut hopeless: Vec<Demand> = Vec::new();
        for (&key, waiting) in &self.queue {
            if self.pool.is_empty() {
                break;
            }
            let demand = waiting.spec.demand;
            if hopeless.iter().any(|failed| failed.is_no_harder_than(&demand)) {
                continue;
            }
            let mut rng =
                || self.seed.of(Stream::Placement, (self.stream << 40) ^ waiting.task.index() as u64);
            match self.policy.placement.place(&demand, &self.pool, &mut rng) {
                Some(agent) => placed.push((agent, key, put(waiting, agent, &mut self.pool))),
                None if self.policy.backfill => hopeless.push(demand),
                None => break,
            }
        }
        placed.sort_by_key(|(agent, ..)| *agent); // stable: the tasks of one agent stay in queue order
        for of_one in placed.chunk_by(|a, b| a.0 == b.0) {
            for (_, key, task) in of_one {
                let waiting = self.queue.remove(key).expect("a waiting task");
                self.launched.insert(task.id, (*key, waiting.spec));
            }
            let tasks = of_one.iter().map(|(.., task)| task.clone()).collect();
            let offers = self.pool.remove(of_one[0].0).into_vec();
            let operations = vec![Operation::Launch(tasks)];
            calls.push(Call::Accept { offers, operations, filters: Some(self.filters()) });
        }
        !placed.is_empty()
    }

    /// The master took an offer back. Others of the same agent are given back too: they return with the next allocation.
    fn forget(&mut self, rescinded: OfferId, calls: &mut Vec<Call>) {
        let Some(agent) = self.pool.iter().find(|&agent| self.pool.offers(agent).contains(&rescinded)) else {
            return;
        };
        let others: Vec<_> =
            self.pool.remove(agent).into_iter().filter(|&offer| offer != rescinded).collect();
        if !others.is_empty() {
            calls.push(Call::Decline { offers: others, filters: Some(Filters::NONE) });
        }
    }

    fn handle_update(&mut self, status: &TaskStatus, calls: &mut Vec<Call>) {
        if let (Some(agent), Some(uuid)) = (status.agent, status.uuid) {
            calls.push(Call::Acknowledge { agent, task: status.task, uuid });
        }
        if !status.state.is_terminal() {
            return;
        }
        let never_started =
            status.uuid.is_none() && matches!(status.state, TaskState::Lost | TaskState::Dropped);
        if let Some((key, spec)) = self.launched.remove(&status.task)
            && never_started
        {
            self.queue.insert(key, Waiting { task: status.task, spec });
            self.want_offers(calls);
        }
    }

    fn want_offers(&mut self, calls: &mut Vec<Call>) {
        match self.policy.response {
            Response::Decline if self.subscribed => {
                self.suppressed = false;
                calls.push(Call::Revive);
            }
            Response::Decline => {}
            Response::Hold => {
                self.place_queue(calls);
            }
        }
    }

    /// Whether offers that were declined for the sake of the queue may serve this newcomer. With backfill, not if something
    /// no harder to place is waiting already; without, only if it comes before everything else.
    fn asks_for_something_new(&self, key: QueueKey, demand: &Demand) -> bool {
        if self.policy.backfill {
            return !self.queue.values().any(|waiting| waiting.spec.demand.is_no_harder_than(demand));
        }
        self.queue.first_key_value().is_none_or(|(head, _)| key < *head)
    }
}

/// Takes the task's place out of the pool.
fn put(waiting: &Waiting, agent: AgentId, pool: &mut Pool) -> TaskInfo {
    let resources = waiting.spec.demand.take(pool.free(agent)).expect("a placement that fits");
    pool.use_up(agent, &resources);
    TaskInfo { id: waiting.task, agent, resources, data: waiting.spec.runtime.0 }
}

/// Orders floats as unsigned numbers: sign bit flipped for positive, all bits for negative ones.
fn sortable(key: f64) -> u64 {
    assert!(!key.is_nan(), "a queue order gave a key that is not a number");
    let bits = (key + 0.0).to_bits();
    if bits >> 63 == 0 { bits | (1 << 63) } else { !bits }
}

impl Framework for BatchFramework {
    fn submit(&mut self, _: Time, job: &Job, first_task: TaskId, calls: &mut Vec<Call>) {
        let key = sortable(self.policy.order.key(job));
        let mut new = false;
        for (n, &spec) in job.tasks.iter().enumerate() {
            self.arrivals += 1;
            let key = (key, self.arrivals);
            new |= self.asks_for_something_new(key, &spec.demand);
            self.queue.insert(key, Waiting { task: nth_task(first_task, n), spec });
        }
        if new {
            self.want_offers(calls);
        }
    }

    fn handle_event(&mut self, _: Time, event: Event, facts: &AgentFacts, calls: &mut Vec<Call>) {
        match event {
            Event::Subscribed { .. } => self.subscribed = true,
            Event::Offers(offers) => self.handle_offers(offers, facts, calls),
            Event::Rescind(offer) => self.forget(offer, calls),
            Event::Update(status) => self.handle_update(&status, calls),
            Event::Error(message) => panic!("the master ended the subscription: {message}"),
        }
    }

    fn waiting(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_the_numbers_they_stand_for() {
        let keys = [f64::NEG_INFINITY, -2.5, -0.0, 1e-300, 3.0, f64::INFINITY];
        assert!(keys.windows(2).all(|pair| sortable(pair[0]) < sortable(pair[1])));
        assert_eq!(sortable(-0.0), sortable(0.0));
    }
}
