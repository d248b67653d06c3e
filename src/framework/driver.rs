//! The scheduler driver: speaks Mesos' protocol for an [`Application`], as Mesos' own `SchedulerDriver` does for schedulers.
//!
//! It answers offers, acknowledges updates, gives further attempts ids of their own, asks the master about tasks when a stream
//! broke, kills what was given up and comes back, and repeats kills that nobody confirms. An application so needs no thought
//! of what can get lost.

use std::{collections::BTreeSet, sync::Arc};

use mesos::{
    call::{Call, OperationKind},
    event::Event,
    id::{AgentId, OfferId, TaskId},
    offer::{Filters, Offer},
    resource::Scalar,
    task::{TaskDetail, TaskInfo, TaskStatus},
    time::{Span, Time},
};
use smallvec::SmallVec;

use super::{
    AgentFacts, Answer, Figure, Framework, News, Reply,
    application::{Application, Attempt, Context, End},
    ledger::{Ledger, Meaning},
    shunned::Shunned,
};
use crate::{
    policy::{Response, pool::Pool},
    workload::{Job, TaskSpec},
};

/// A kill that nobody confirms is repeated after this time (Marathon's `kill_retry_timeout`), then after twice that, up to the
/// longest.
const KILL_AGAIN: Span = Span::from_secs(10);
const LONGEST_KILL_AGAIN: Span = Span::from_secs(640);

/// An application as a framework.
pub struct Driver<A> {
    application: A,
    desk: Desk,
}

/// What lies before the application: offers, attempts, and calls that are being made.
pub(super) struct Desk {
    answer: Answer,
    pool: Pool,
    ledger: Ledger,
    /// What tasks of each profile say of themselves, by its number, from 1.
    details: Vec<Arc<TaskDetail>>,
    /// Agents to keep or to give back after this call.
    kept: BTreeSet<AgentId>,
    unwanted: BTreeSet<AgentId>,
    /// Launched in this call, in order, and the offers of agents on which no more may be.
    launches: Vec<TaskInfo>,
    spent: Vec<(AgentId, SmallVec<[OfferId; 2]>)>,
    shunned: Shunned,
    /// Whether the application asked for more than it has seen, and how many tasks waited when it was last looked at.
    wants: bool,
    waited: usize,
    is_subscribed: bool,
    is_suppressed: bool,
    last_revive: Option<Time>,
    revive_at: Option<Time>,
    kill_again: Option<(Time, Span)>,
    /// CPUs that lie at hand between two calls: since when, the most so far, and times seconds before that.
    held: Scalar,
    held_since: Time,
    most_held: Scalar,
    held_cpu_seconds: f64,
}

impl Desk {
    fn new(answer: Answer) -> Self {
        Self {
            pool: Pool::new(answer.response == Response::Hold),
            answer,
            ledger: Ledger::default(),
            details: Vec::new(),
            kept: BTreeSet::new(),
            unwanted: BTreeSet::new(),
            launches: Vec::new(),
            spent: Vec::new(),
            shunned: Shunned::default(),
            wants: false,
            waited: 0,
            is_subscribed: false,
            is_suppressed: false,
            last_revive: None,
            revive_at: None,
            kill_again: None,
            held: Scalar::ZERO,
            held_since: Time::ZERO,
            most_held: Scalar::ZERO,
            held_cpu_seconds: 0.0,
        }
    }

    pub(super) const fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) fn most_per_agent(&self) -> usize {
        self.answer.tasks_per_offer.map_or(usize::MAX, |most| most as usize)
    }

    pub(super) fn attempt(&self, id: TaskId) -> Option<&Attempt> {
        self.ledger.get(id)
    }

    pub(super) fn keep(&mut self, agent: AgentId) {
        self.kept.insert(agent);
    }

    pub(super) fn give_back(&mut self, agent: AgentId) {
        self.unwanted.insert(agent);
    }

    pub(super) const fn want_offers(&mut self) {
        self.wants = true;
    }

    pub(super) fn launch(
        &mut self,
        now: Time,
        task: TaskId,
        spec: &TaskSpec,
        agent: AgentId,
        reply: &mut Reply,
    ) -> Option<TaskId> {
        if !self.pool.has(agent) || !self.pool.fits(&spec.demand, agent) {
            return None;
        }
        let resources = spec.demand.take(self.pool.free(agent))?;
        self.pool.use_up(agent, &resources);
        let id = if self.ledger.try_again(task) { reply.retry(task) } else { task };
        self.ledger.launch(Attempt { id, task, agent, launched: now, started: None });
        let profile = usize::from(spec.profile);
        let detail = (profile > 0).then(|| self.details[profile - 1].clone());
        self.launches.push(TaskInfo { id, agent, resources, data: spec.runtime.0, detail });
        let on_agent = self.launches.iter().filter(|launch| launch.agent == agent).count();
        if on_agent >= self.most_per_agent() {
            let offers = self.pool.remove(agent);
            self.spent.push((agent, offers));
        }
        Some(id)
    }

    pub(super) fn kill(&mut self, now: Time, attempt: TaskId, reply: &mut Reply) {
        if let Some(agent) = self.ledger.end(attempt) {
            reply.calls.push(kill(attempt, Some(agent)));
            self.kill_again = Some((now + KILL_AGAIN, KILL_AGAIN));
        }
    }

    pub(super) fn stop(&mut self, now: Time, attempt: TaskId, reply: &mut Reply) {
        if let Some(agent) = self.ledger.end(attempt) {
            reply.news.push(News::Stopped { attempt });
            reply.calls.push(kill(attempt, Some(agent)));
            self.kill_again = Some((now + KILL_AGAIN, KILL_AGAIN));
        }
    }

    /// Takes offers in; those that are not worth a look go back at once.
    fn add(&mut self, offers: Vec<Offer>, facts: &AgentFacts, reply: &mut Reply) {
        let (mut small, mut shunned) = (Vec::new(), Vec::new());
        for offer in offers {
            if self.shunned.turns_down(offer.agent) {
                shunned.push(offer.id);
            } else if self.answer.is_worth_a_look(&offer) {
                let model = facts.model(offer.agent);
                self.pool.add(offer, model);
            } else {
                small.push(offer.id);
            }
        }
        self.decline(small, self.answer.refusal(), reply);
        self.decline(shunned, Shunned::refusal(self.answer.refusal()), reply);
    }

    #[expect(clippy::unused_self, reason = "reads as what it is: something done at the desk")]
    fn decline(&self, offers: Vec<OfferId>, filters: Filters, reply: &mut Reply) {
        if !offers.is_empty() {
            reply.calls.push(Call::Decline { offers, filters: Some(filters) });
        }
    }

    /// Accepts the offers on which something was launched in this call.
    fn accept(&mut self, reply: &mut Reply) {
        let mut launches = std::mem::take(&mut self.launches);
        launches.sort_by_key(|task| task.agent); // stable: the tasks of one agent stay in order
        for tasks in launches.chunk_by(|a, b| a.agent == b.agent) {
            let agent = tasks[0].agent;
            let spent = self.spent.iter().position(|(of, _)| *of == agent);
            let offers = match spent {
                Some(place) => self.spent.swap_remove(place).1,
                None => self.pool.remove(agent),
            };
            let (offers, operations) =
                (offers.into_vec(), vec![OperationKind::Launch(tasks.to_vec()).into()]);
            reply.calls.push(Call::Accept { offers, operations, filters: Some(self.answer.leftover()) });
        }
        assert!(self.spent.is_empty(), "offers without launches: {:?}", self.spent);
    }

    /// Gives back what was asked to be, and, after a look at all that is at hand, what is not to be kept.
    fn tidy(&mut self, has_looked: bool, reply: &mut Reply) {
        let (kept, unwanted) = (std::mem::take(&mut self.kept), std::mem::take(&mut self.unwanted));
        if self.pool.is_empty() {
            return;
        }
        let declines = has_looked && self.answer.response == Response::Decline;
        let goes = |agent: &AgentId| unwanted.contains(agent) || (declines && !kept.contains(agent));
        let agents: Vec<AgentId> = self.pool.iter().filter(goes).collect();
        let offers = agents.into_iter().flat_map(|agent| self.pool.remove(agent)).collect();
        self.decline(offers, self.answer.refusal(), reply);
    }

    /// Asks for no offers while nothing waits, and for all of them when something does that was not there before.
    fn ask(&mut self, now: Time, wants_offers: bool, has_looked: bool, reply: &mut Reply) {
        let wants = std::mem::take(&mut self.wants) || (self.is_suppressed && wants_offers);
        if !self.is_subscribed {
            return;
        }
        if wants && wants_offers && (self.is_suppressed || self.answer.revive) {
            self.revive(now, reply);
        } else if has_looked && !wants_offers && self.answer.suppress && !self.is_suppressed {
            self.is_suppressed = true;
            reply.calls.push(Call::Suppress { roles: vec![] });
        }
    }

    fn revive(&mut self, now: Time, reply: &mut Reply) {
        let earliest = self.last_revive.map(|last| last + self.answer.revive_interval);
        match earliest.filter(|&earliest| earliest > now) {
            Some(earliest) => self.revive_at = Some(earliest),
            None => {
                (self.last_revive, self.revive_at, self.is_suppressed) = (Some(now), None, false);
                reply.calls.push(Call::Revive { roles: vec![] });
            }
        }
    }

    /// Keeps account of what lies at hand unused.
    fn count_held(&mut self, now: Time) {
        let cpus = self.pool.cpus();
        if cpus != self.held {
            self.held_cpu_seconds += self.held.as_f64() * now.since(self.held_since).as_secs_f64();
            (self.held, self.held_since, self.most_held) = (cpus, now, self.most_held.max(cpus));
        }
    }

    /// What was kept without being used, if anything ever was.
    fn figures(&self, now: Time) -> Vec<Figure> {
        if self.most_held == Scalar::ZERO {
            return Vec::new();
        }
        let last = self.held.as_f64() * now.since(self.held_since).as_secs_f64();
        let (seconds, most) = (self.held_cpu_seconds + last, self.most_held.as_f64());
        vec![
            Figure::new(
                "held_cpu_seconds",
                seconds,
                "cpu s",
                "CPUs in offers that it kept and did not use, times seconds",
            ),
            Figure::new("held_cpus_max", most, "cpus", "the most CPUs that it kept so at once"),
        ]
    }

    /// The master took an offer back. Others of the same agent are given back too: they return with the next allocation.
    fn rescind(&mut self, now: Time, rescinded: OfferId, reply: &mut Reply) {
        let Some(agent) = self.pool.iter().find(|&agent| self.pool.offers(agent).contains(&rescinded)) else {
            return;
        };
        let others = self.pool.remove(agent).into_iter().filter(|&offer| offer != rescinded).collect();
        self.decline(others, Filters::NONE, reply);
        self.count_held(now);
    }

    fn subscribed(&mut self, reply: &mut Reply) {
        (self.is_subscribed, self.is_suppressed) = (true, false);
        let ending = self.ledger.ending();
        reply.calls.extend(ending.map(|(attempt, agent)| kill(attempt, agent)));
        self.reconcile(reply);
    }

    fn reconcile(&mut self, reply: &mut Reply) -> bool {
        let tasks = self.ledger.unconfirmed();
        let some = !tasks.is_empty();
        if some {
            reply.calls.push(Call::Reconcile { tasks });
        }
        some
    }

    fn disconnected(&mut self, now: Time) {
        self.is_subscribed = false;
        self.pool = Pool::new(self.answer.response == Response::Hold);
        self.count_held(now);
        self.kept.clear();
        self.unwanted.clear();
        self.ledger.disconnected();
    }

    fn next_wake(&self) -> Option<Time> {
        [self.revive_at, self.kill_again.map(|(at, _)| at)].into_iter().flatten().min()
    }

    fn wake(&mut self, now: Time, wants_offers: bool, reply: &mut Reply) {
        if self.revive_at.is_some_and(|at| at <= now) {
            self.revive_at = None;
            if self.is_subscribed && wants_offers {
                self.revive(now, reply);
            }
        }
        if let Some((_, wait)) = self.kill_again.filter(|&(at, _)| at <= now) {
            let wait = Span((wait.0 * 2).min(LONGEST_KILL_AGAIN.0));
            self.kill_again = self.ledger.has_ending().then(|| (now + wait, wait));
            reply.calls.extend(self.ledger.ending().map(|(attempt, agent)| kill(attempt, agent)));
        }
    }
}

impl<A: Application> Driver<A> {
    /// An application that answers offers so.
    #[must_use]
    pub fn new(application: A, answer: Answer) -> Self {
        Self { application, desk: Desk::new(answer) }
    }

    /// The same for tasks with profiles.
    #[must_use]
    pub fn with_details(mut self, details: Vec<Arc<TaskDetail>>) -> Self {
        self.desk.details = details;
        self
    }

    /// Lets the application act, then says to the master what it wants.
    fn act(
        &mut self,
        now: Time,
        facts: &AgentFacts,
        reply: &mut Reply,
        act: impl FnOnce(&mut A, &mut Context<'_>),
    ) {
        act(&mut self.application, &mut Context { now, facts, desk: &mut self.desk, reply });
        let waits = self.application.waiting();
        self.desk.wants |= waits > self.desk.waited;
        if self.desk.wants && !self.desk.pool.is_empty() {
            self.look(now, facts, reply);
        } else {
            self.finish(now, false, reply);
        }
    }

    /// Lets the application look at what is at hand.
    fn look(&mut self, now: Time, facts: &AgentFacts, reply: &mut Reply) {
        self.application.offers(&mut Context { now, facts, desk: &mut self.desk, reply });
        self.finish(now, true, reply);
    }

    fn finish(&mut self, now: Time, has_looked: bool, reply: &mut Reply) {
        self.desk.accept(reply);
        self.desk.tidy(has_looked, reply);
        self.desk.count_held(now);
        self.desk.waited = self.application.waiting();
        self.desk.ask(now, self.application.wants_offers(), has_looked, reply);
    }

    fn update(&mut self, now: Time, status: &TaskStatus, facts: &AgentFacts, reply: &mut Reply) {
        if let (Some(agent), Some(uuid)) = (status.agent, status.uuid) {
            reply.calls.push(Call::Acknowledge { agent, task: status.task, uuid });
        }
        self.desk.shunned.heed(status);
        match self.desk.ledger.update(now, status) {
            Meaning::Nothing => {}
            Meaning::Started(attempt) => {
                self.act(now, facts, reply, |application, context| application.started(&attempt, context));
            }
            Meaning::Over(attempt, end) => self.over(now, &attempt, end, facts, reply),
            Meaning::Ghost => {
                reply.calls.push(kill(status.task, status.agent));
                self.desk.kill_again = Some((now + KILL_AGAIN, KILL_AGAIN));
            }
        }
    }

    fn over(&mut self, now: Time, attempt: &Attempt, end: End, facts: &AgentFacts, reply: &mut Reply) {
        self.act(now, facts, reply, |application, context| application.ended(attempt, end, context));
    }
}

impl<A: Application> Framework for Driver<A> {
    fn submit(&mut self, now: Time, job: &Job, first_task: TaskId, facts: &AgentFacts, reply: &mut Reply) {
        self.act(now, facts, reply, |application, context| application.submit(job, first_task, context));
    }

    fn handle_event(&mut self, now: Time, event: Event, facts: &AgentFacts, reply: &mut Reply) {
        match event {
            Event::Subscribed { .. } => self.desk.subscribed(reply),
            Event::Offers(offers) => {
                self.desk.add(offers, facts, reply);
                self.look(now, facts, reply);
            }
            Event::Rescind(offer) => self.desk.rescind(now, offer, reply),
            Event::Update(status) => self.update(now, &status, facts, reply),
            Event::InverseOffers(offers) => {
                let offers = offers.iter().map(|offer| offer.id).collect();
                reply.calls.push(Call::AcceptInverseOffers { offers, filters: None });
            }
            Event::Failure { agent, executor: None } => {
                self.act(now, facts, reply, |application, context| application.agent_lost(agent, context));
            }
            // Applications have neither operations nor executors of their own.
            Event::RescindInverseOffer(_)
            | Event::UpdateOperation(_)
            | Event::Message { .. }
            | Event::Failure { executor: Some(_), .. }
            | Event::Error(_) => {}
        }
    }

    fn disconnected(&mut self, now: Time) {
        self.desk.disconnected(now);
    }

    fn removed(&mut self, now: Time, facts: &AgentFacts, reply: &mut Reply) {
        for (attempt, end) in self.desk.ledger.forget_all() {
            self.over(now, &attempt, end, facts, reply);
        }
    }

    fn reconcile(&mut self, reply: &mut Reply) -> bool {
        self.desk.reconcile(reply)
    }

    fn is_in_doubt(&self) -> bool {
        self.desk.ledger.is_any_unconfirmed()
    }

    fn waiting(&self) -> usize {
        self.application.waiting()
    }

    fn launched(&self) -> usize {
        self.desk.ledger.len()
    }

    fn next_wake(&self) -> Option<Time> {
        [self.desk.next_wake(), self.application.next_wake()].into_iter().flatten().min()
    }

    fn wake(&mut self, now: Time, facts: &AgentFacts, reply: &mut Reply) {
        self.desk.wake(now, self.application.wants_offers(), reply);
        if self.application.next_wake().is_some_and(|at| at <= now) {
            self.act(now, facts, reply, |application, context| application.wake(context));
        }
    }

    fn manages_jobs(&self) -> bool {
        true
    }

    fn has_plans(&self) -> bool {
        self.application.has_plans()
    }

    fn figures(&self, now: Time) -> Vec<Figure> {
        let mut figures = self.application.figures(now);
        figures.extend(self.desk.figures(now));
        figures
    }
}

const fn kill(task: TaskId, agent: Option<AgentId>) -> Call {
    Call::Kill { task, agent, grace: None }
}
