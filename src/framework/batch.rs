//! The batch framework: a queue of independent tasks.
//!
//! On offers it places what it can of the queue, in queue order, and launches it. What happens to the rest is its
//! [`Response`]: *decline* gives it back with a filter, suppresses when the queue is empty and revives on new work;
//! *hold* keeps it for tasks to come.

use std::sync::Arc;

use mesos::{
    call::{Call, OperationKind},
    event::Event,
    id::{AgentId, Id, OfferId, TaskId},
    offer::Filters,
    task::{TaskDetail, TaskInfo, TaskStatus},
    time::Time,
};

use super::{
    AgentFacts, Framework, KindEntry, Reply,
    attempts::{Attempt, Attempts, Verdict},
    nth_task,
    queue::{Queue, QueueKey, Waiting},
    shunned::Shunned,
};
use crate::{
    engine::random::{Seed, Stream},
    policy::{Response, order::QueueOrder, placement::Placement, pool::Pool},
    workload::{Demand, Job},
};

pub(super) const KIND: KindEntry = KindEntry {
    name: "batch",
    about: "a queue of independent tasks, placed one by one as [[policy]] says",
    source: "Mesos framework development guide",
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
    /// How often a task that failed by itself is tried again. One that was lost, killed or dropped always is.
    pub retries: u32,
}

/// See the [module](self).
pub struct BatchFramework {
    policy: BatchPolicy,
    /// Names this framework's random streams.
    seed: Seed,
    stream: u64,
    queue: Queue,
    arrivals: u64,
    attempts: Attempts<QueueKey>,
    pool: Pool,
    shunned: Shunned,
    /// What tasks of each profile say of themselves, by its number, from 1.
    details: Vec<Arc<TaskDetail>>,
    suppressed: bool,
    subscribed: bool,
}

impl BatchFramework {
    /// A framework with an empty queue. `stream` tells its random choices from those of other frameworks.
    #[must_use]
    pub fn new(policy: BatchPolicy, seed: Seed, stream: u64) -> Self {
        let pool = Pool::new(policy.response == Response::Hold);
        let attempts = Attempts::new(policy.retries);
        Self {
            policy,
            seed,
            stream,
            queue: Queue::default(),
            arrivals: 0,
            attempts,
            pool,
            shunned: Shunned::default(),
            details: Vec::new(),
            suppressed: false,
            subscribed: false,
        }
    }

    /// The same for tasks with profiles.
    #[must_use]
    pub fn with_details(self, details: Vec<Arc<TaskDetail>>) -> Self {
        Self { details, ..self }
    }

    fn filters(&self) -> Filters {
        match self.policy.response {
            Response::Decline => Filters { refuse_seconds: self.policy.refuse_seconds },
            Response::Hold => Filters::NONE,
        }
    }

    fn handle_offers(&mut self, offers: Vec<mesos::offer::Offer>, facts: &AgentFacts, reply: &mut Reply) {
        let mut shunned = Vec::new();
        for offer in offers {
            if self.shunned.turns_down(offer.agent) {
                shunned.push(offer.id);
                continue;
            }
            let model = facts.model(offer.agent);
            self.pool.add(offer, model);
        }
        if !shunned.is_empty() {
            let filters = Some(Shunned::refusal(self.filters()));
            reply.calls.push(Call::Decline { offers: shunned, filters });
        }
        let placed = self.place_queue(reply);
        if self.policy.response == Response::Hold {
            return;
        }
        let unused = self.pool.drain();
        if !unused.is_empty() {
            reply.calls.push(Call::Decline { offers: unused, filters: Some(self.filters()) });
        }
        if self.queue.is_empty() && !self.suppressed {
            self.suppressed = true;
            reply.calls.push(Call::Suppress { roles: vec![] });
        } else if placed && !self.policy.backfill && !self.queue.is_empty() {
            reply.calls.push(Call::Revive { roles: vec![] }); // what was declined while the old head blocked the queue may serve the new one
        }
    }

    /// Places what fits of the queue, and accepts the offers that it takes. Says whether anything was placed.
    fn place_queue(&mut self, reply: &mut Reply) -> bool {
        let mut placed: Vec<(AgentId, QueueKey, TaskInfo)> = Vec::new();
        let mut hopeless: Vec<Demand> = Vec::new();
        for (key, waiting) in self.queue.iter() {
            if self.pool.is_empty() {
                break;
            }
            let demand = waiting.spec.demand;
            if hopeless.iter().any(|failed| failed.is_no_harder_than(&demand)) {
                continue;
            }
            let mut rng = || self.seed.of(Stream::Placement, (self.stream << 40) ^ waiting.id.index() as u64);
            match self.policy.placement.place(&demand, &self.pool, &mut rng) {
                Some(agent) => placed.push((agent, key, put(waiting, agent, &mut self.pool, &self.details))),
                None if self.policy.backfill => hopeless.push(demand),
                None => break,
            }
        }
        placed.sort_by_key(|(agent, ..)| *agent); // stable: the tasks of one agent stay in queue order
        for of_one in placed.chunk_by(|a, b| a.0 == b.0) {
            for (_, key, task) in of_one {
                let waiting = self.queue.remove(*key).expect("a waiting task");
                let (spec, place, agent) = (waiting.spec, *key, task.agent);
                self.attempts.launch(task.id, Attempt { task: waiting.task, spec, place, agent });
            }
            let tasks = of_one.iter().map(|(.., task)| task.clone()).collect();
            let offers = self.pool.remove(of_one[0].0).into_vec();
            let operations = vec![OperationKind::Launch(tasks).into()];
            reply.calls.push(Call::Accept { offers, operations, filters: Some(self.filters()) });
        }
        !placed.is_empty()
    }

    /// The master took an offer back. Others of the same agent are given back too: they return with the next allocation.
    fn forget(&mut self, rescinded: OfferId, reply: &mut Reply) {
        let Some(agent) = self.pool.iter().find(|&agent| self.pool.offers(agent).contains(&rescinded)) else {
            return;
        };
        let others: Vec<_> =
            self.pool.remove(agent).into_iter().filter(|&offer| offer != rescinded).collect();
        if !others.is_empty() {
            reply.calls.push(Call::Decline { offers: others, filters: Some(Filters::NONE) });
        }
    }

    fn handle_update(&mut self, status: &TaskStatus, reply: &mut Reply) {
        if let (Some(agent), Some(uuid)) = (status.agent, status.uuid) {
            reply.calls.push(Call::Acknowledge { agent, task: status.task, uuid });
        }
        self.shunned.heed(status);
        match self.attempts.update(status) {
            Verdict::Fine => {}
            Verdict::Kill => reply.calls.push(kill(status.task, status.agent)),
            Verdict::Drop(other) => self.drop_attempt(other, reply),
            Verdict::Retry { attempt, same_id } => {
                self.queue_again(status.task, attempt, same_id, reply);
                self.want_offers(reply);
            }
        }
    }

    /// Ends an attempt that is not needed any more: takes it out of the queue, or has it killed.
    fn drop_attempt(&mut self, id: TaskId, reply: &mut Reply) {
        let queued = self.queue.iter().find(|(_, waiting)| waiting.id == id).map(|(key, _)| key);
        match queued {
            Some(key) => drop(self.queue.remove(key)),
            None => reply.calls.push(kill(id, None)),
        }
    }

    /// Queues the task of an attempt again, at its old place.
    fn queue_again(&mut self, old: TaskId, attempt: Attempt<QueueKey>, same_id: bool, reply: &mut Reply) {
        let Attempt { task, spec, place, .. } = attempt;
        let id = if same_id { old } else { reply.retry(task) };
        self.attempts.retry(task, id);
        self.queue.insert(place, Waiting { id, task, spec });
    }

    fn want_offers(&mut self, reply: &mut Reply) {
        match self.policy.response {
            Response::Decline if self.subscribed => {
                self.suppressed = false;
                reply.calls.push(Call::Revive { roles: vec![] });
            }
            Response::Decline => {}
            Response::Hold => {
                self.place_queue(reply);
            }
        }
    }

    /// Whether offers that were declined for the sake of the queue may serve this newcomer. With backfill, not if something
    /// no harder to place is waiting already; without, only if it comes before everything else.
    fn asks_for_something_new(&mut self, key: QueueKey, demand: &Demand) -> bool {
        if self.policy.backfill {
            return !self.queue.has_no_harder(demand);
        }
        self.queue.head().is_none_or(|head| key < head)
    }
}

/// Takes the task's place out of the pool.
fn put(waiting: &Waiting, agent: AgentId, pool: &mut Pool, details: &[Arc<TaskDetail>]) -> TaskInfo {
    let resources = waiting.spec.demand.take(pool.free(agent)).expect("a placement that fits");
    pool.use_up(agent, &resources);
    let profile = usize::from(waiting.spec.profile);
    let detail = (profile > 0).then(|| details[profile - 1].clone());
    TaskInfo { id: waiting.id, agent, resources, data: waiting.spec.runtime.0, detail }
}

/// Orders floats as unsigned numbers: sign bit flipped for positive, all bits for negative ones.
fn sortable(key: f64) -> u64 {
    assert!(!key.is_nan(), "a queue order gave a key that is not a number");
    let bits = (key + 0.0).to_bits();
    if bits >> 63 == 0 { bits | (1 << 63) } else { !bits }
}

/// A master that knows the agent answers even for a task of which it does not know, also while it waits for other agents.
fn kill(task: TaskId, agent: Option<AgentId>) -> Call {
    Call::Kill { task, agent, grace: None }
}

impl Framework for BatchFramework {
    fn submit(&mut self, _: Time, job: &Job, first_task: TaskId, _: &AgentFacts, reply: &mut Reply) {
        let key = sortable(self.policy.order.key(job));
        let mut new = false;
        for (n, &spec) in job.tasks.iter().enumerate() {
            self.arrivals += 1;
            let key = (key, self.arrivals);
            new |= self.asks_for_something_new(key, &spec.demand);
            let task = nth_task(first_task, n);
            self.queue.insert(key, Waiting { id: task, task, spec });
        }
        if new {
            self.want_offers(reply);
        }
    }

    fn handle_event(&mut self, _: Time, event: Event, facts: &AgentFacts, reply: &mut Reply) {
        match event {
            Event::Subscribed { .. } => {
                (self.subscribed, self.suppressed) = (true, false);
                self.reconcile(reply);
            }
            Event::Offers(offers) => self.handle_offers(offers, facts, reply),
            Event::Rescind(offer) => self.forget(offer, reply),
            Event::Update(status) => self.handle_update(&status, reply),
            Event::InverseOffers(offers) => {
                let offers = offers.iter().map(|offer| offer.id).collect();
                reply.calls.push(Call::AcceptInverseOffers { offers, filters: None });
            }
            // It has no executors and no operations of its own; of lost tasks it hears one by one.
            Event::RescindInverseOffer(_)
            | Event::UpdateOperation(_)
            | Event::Message { .. }
            | Event::Failure { .. }
            | Event::Error(_) => {}
        }
    }

    fn disconnected(&mut self, _: Time) {
        self.subscribed = false;
        self.pool = Pool::new(self.policy.response == Response::Hold);
        self.attempts.disconnected();
    }

    fn removed(&mut self, _: Time, _: &AgentFacts, reply: &mut Reply) {
        for (id, attempt) in self.attempts.forget_all() {
            self.queue_again(id, attempt, false, reply);
        }
    }

    fn reconcile(&mut self, reply: &mut Reply) -> bool {
        let tasks = self.attempts.unconfirmed();
        let some = !tasks.is_empty();
        if some {
            reply.calls.push(Call::Reconcile { tasks });
        }
        some
    }

    fn is_in_doubt(&self) -> bool {
        self.attempts.is_any_unconfirmed()
    }

    fn waiting(&self) -> usize {
        self.queue.len()
    }

    fn launched(&self) -> usize {
        self.attempts.len()
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
