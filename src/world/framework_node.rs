//! A framework's place in the world: it hears of its jobs when they arrive, its calls go to the master, and it subscribes again
//! when its stream breaks.

use mesos::{
    call::{FrameworkInfo, Subscribe},
    event::Event,
    id::{ConnectionId, FrameworkId, Id, TaskId},
    resource::Resources,
    time::{Span, Time},
};
use rustc_hash::FxHashMap;

use super::{FrameworkSetup, MASTER, Message, NodeId, World};
use crate::{
    engine::random::{Stream, below},
    framework::{Figure, Framework, News, Reply},
    record::{Observer, Record},
    workload::{Job, JobSource},
};

/// Longest random wait before a stream is opened again (the v1 scheduler library's), and between two attempts.
const CONNECTION_DELAY: Span = Span::from_millis(500);
const LONGEST_RETRY: Span = Span::from_secs(60);
/// Before a framework first asks again about tasks that the master did not answer for.
const RECONCILE_AGAIN: Span = Span::from_secs(1);

pub(super) struct FrameworkNode {
    info: FrameworkInfo,
    id: Option<FrameworkId>,
    /// Its present stream, and whether SUBSCRIBED has come over it.
    connection: Option<ConnectionId>,
    is_subscribed: bool,
    /// Whether its scheduler runs, and whether it knows of a leading master.
    is_up: bool,
    knows_leader: bool,
    connections: u32,
    /// Counts attempts to subscribe, and outdates older timers.
    attempt: u32,
    retries: u32,
    scheduler: Box<dyn Framework>,
    jobs: Box<dyn JobSource + Send>,
    /// The job that arrives next. Later ones are not drawn yet: the pending set stays small.
    next: Option<Job>,
    /// Tasks under another id than their job's, and how often they were tried before.
    attempts: FxHashMap<TaskId, (TaskId, u32)>,
    /// How often a task that was tried again was tried.
    tried: FxHashMap<TaskId, u32>,
    reply: Reply,
}

impl FrameworkNode {
    pub(super) fn new(setup: FrameworkSetup) -> Self {
        let FrameworkSetup { info, scheduler, mut jobs, .. } = setup;
        let next = jobs.next_job();
        Self {
            info,
            id: None,
            connection: None,
            is_subscribed: false,
            is_up: true,
            knows_leader: true,
            connections: 0,
            attempt: 0,
            retries: 0,
            scheduler,
            jobs,
            next,
            attempts: FxHashMap::default(),
            tried: FxHashMap::default(),
            reply: Reply::default(),
        }
    }

    fn next_submission(&self) -> Option<Time> {
        self.next.as_ref().map(|job| job.submission)
    }

    /// When something is to be done here: a job arrives, or, if the scheduler runs, one of its timers fires.
    fn next_wake(&self) -> Option<Time> {
        let timer = if self.is_up { self.scheduler.next_wake() } else { None };
        [self.next_submission(), timer].into_iter().flatten().min()
    }

    /// Whether jobs are to come, or timers that bring tasks.
    pub(super) fn has_plans(&self) -> bool {
        self.next.is_some() || self.scheduler.has_plans()
    }

    pub(super) fn figures(&self, now: Time) -> Vec<Figure> {
        self.scheduler.figures(now)
    }

    pub(super) fn waiting(&self) -> usize {
        self.scheduler.waiting()
    }

    pub(super) fn launched(&self) -> usize {
        self.scheduler.launched()
    }

    pub(super) const fn id(&self) -> Option<FrameworkId> {
        self.id
    }

    pub(super) const fn is_subscribed(&self) -> bool {
        self.is_subscribed
    }

    /// Whether its scheduler runs.
    pub(super) const fn is_up(&self) -> bool {
        self.is_up
    }

    /// The task of an attempt, and how often it was tried before.
    pub(super) fn attempt(&self, id: TaskId) -> (TaskId, u32) {
        self.attempts.get(&id).copied().unwrap_or((id, 0))
    }
}

impl<O: Observer> World<'_, O> {
    /// A job arrives, or a timer of the scheduler fires.
    pub(super) fn wake_framework(&mut self, now: Time, place: usize) {
        let framework = &mut self.frameworks[place];
        if framework.next_submission().is_some_and(|at| at <= now) {
            return self.submit(now, place);
        }
        if !framework.is_up {
            return;
        }
        framework.scheduler.wake(now, &self.facts, &mut framework.reply);
        let next = framework.scheduler.next_wake();
        assert!(
            next.is_none_or(|at| at > now),
            "framework {place} was woken at {now} s, and wants to be at {next:?}"
        );
        self.post_calls(place);
    }

    /// Sets the alarm of a framework. What is overdue is done now.
    pub(super) fn wake_framework_later(&mut self, now: Time, place: usize) {
        let next = self.frameworks[place].next_wake().map(|at| at.max(now));
        self.engine.wake_at(self.framework_node(place), next);
    }

    /// The next job of a framework arrives. One that can never run is rejected here and now.
    fn submit(&mut self, now: Time, place: usize) {
        let framework = &mut self.frameworks[place];
        let next = framework.jobs.next_job();
        let job = std::mem::replace(&mut framework.next, next).expect("a framework wakes up for a job");
        let first_task = framework.reply.number_tasks(job.tasks.len());
        let capabilities = framework.info.capabilities;
        let may_use = |shape: &Resources| self.probe.would_offer(shape, capabilities);
        let fits = job.demands().all(|demand| self.cluster.could_run(demand, may_use));
        let managed = framework.scheduler.manages_jobs();
        let record = Record::JobSubmitted { framework: place, job: &job, first_task, fits, managed };
        self.observer.observe(now, &record);
        if fits {
            framework.scheduler.submit(now, &job, first_task, &self.facts, &mut framework.reply);
        }
        self.last_progress = now;
        if let Some(next) = framework.next_submission() {
            assert!(next >= now, "{:?} arrives at {next} s, after one at {now} s", framework.next);
        }
        self.post_calls(place);
    }

    /// An event of the master reaches a framework over one of its streams.
    pub(super) fn handle_event(&mut self, now: Time, place: usize, connection: ConnectionId, event: Event) {
        let framework = &mut self.frameworks[place];
        if framework.connection != Some(connection) || !framework.is_up {
            return;
        }
        if let Event::Subscribed { framework: id } = &event {
            framework.id = Some(*id);
            framework.is_subscribed = true;
            framework.attempt += 1; // no need to try again
            framework.retries = 0;
        }
        let is_subscription = matches!(event, Event::Subscribed { .. });
        if let Event::Error(message) = &event {
            assert!(framework.id.is_some(), "the master refused framework {place}: {message}");
            framework.id = None;
            framework.scheduler.removed(now, &self.facts, &mut framework.reply);
        }
        framework.scheduler.handle_event(now, event, &self.facts, &mut framework.reply);
        self.post_calls(place);
        if is_subscription && self.frameworks[place].scheduler.is_in_doubt() {
            self.reconcile_later(now, place, RECONCILE_AGAIN);
        }
    }

    /// Opens a stream and subscribes, and tries again if no answer comes.
    pub(super) fn try_subscribe(&mut self, now: Time, place: usize) {
        let node = self.framework_node(place);
        let framework = &mut self.frameworks[place];
        if !framework.is_up || framework.is_subscribed || !framework.knows_leader {
            return;
        }
        let connection = ConnectionId((node.index() as u64) << 32 | u64::from(framework.connections));
        framework.connections += 1;
        framework.connection = Some(connection);
        let info = framework.info.clone();
        let subscribe = Box::new(Subscribe { info, id: framework.id, ..Subscribe::default() });
        self.post(node, NodeId::new(MASTER), Message::Subscribe(connection, subscribe));
        let retries = &mut self.frameworks[place].retries;
        *retries += 1;
        let most = Span((Span::from_secs(2).0 << (*retries).min(8)).min(LONGEST_RETRY.0));
        self.subscribe_later(now + Span::from_secs(1), place, most);
    }

    /// Tries to subscribe after a random wait, unless something else happens before.
    fn subscribe_later(&mut self, now: Time, place: usize, most: Span) {
        let node = self.framework_node(place);
        let framework = &mut self.frameworks[place];
        framework.attempt += 1;
        let attempt = framework.attempt;
        let mut rng = self.seed.of(Stream::FrameworkConnection, (place as u64) << 32 | u64::from(attempt));
        let wait = Span(below(&mut rng, most.0 + 1));
        self.engine.send(node, now + wait, self.to_self(Message::Resubscribe(attempt)));
    }

    /// The time for another attempt has come.
    pub(super) fn resubscribe(&mut self, now: Time, place: usize, attempt: u32) {
        if self.frameworks[place].attempt == attempt {
            self.try_subscribe(now, place);
        }
    }

    /// The stream broke, or was closed by the master (then it is named).
    pub(super) fn stream_ended(&mut self, now: Time, place: usize, closed: Option<ConnectionId>) {
        let framework = &mut self.frameworks[place];
        if closed.is_some() && framework.connection != closed {
            return;
        }
        self.forget_stream(now, place);
        if self.frameworks[place].is_up && self.frameworks[place].knows_leader {
            self.subscribe_later(now, place, CONNECTION_DELAY);
        }
    }

    fn forget_stream(&mut self, now: Time, place: usize) {
        let framework = &mut self.frameworks[place];
        framework.connection = None;
        framework.is_subscribed = false;
        framework.attempt += 1;
        framework.reply.calls.clear();
        framework.scheduler.disconnected(now);
    }

    /// The framework knows who leads, or that nobody does.
    pub(super) fn framework_detects(&mut self, now: Time, place: usize, is_known: bool) {
        self.frameworks[place].knows_leader = is_known;
        if is_known {
            self.subscribe_later(now, place, CONNECTION_DELAY);
        } else {
            self.forget_stream(now, place);
        }
    }

    /// The scheduler dies; its stream breaks.
    pub(super) fn crash_framework(&mut self, now: Time, place: usize) {
        self.frameworks[place].is_up = false;
        self.forget_stream(now, place);
        self.wake_framework_later(now, place);
        self.break_link(now, self.framework_node(place));
    }

    /// The scheduler is back with what it had kept.
    pub(super) fn start_framework(&mut self, now: Time, place: usize) {
        let framework = &mut self.frameworks[place];
        (framework.is_up, framework.retries) = (true, 0);
        framework.knows_leader = self.master.is_some();
        self.wake_framework_later(now, place);
        self.try_subscribe(now, place);
    }

    /// Asks again about tasks that the master has not answered for.
    pub(super) fn reconcile_again(&mut self, now: Time, place: usize, attempt: u32, wait: Span) {
        let framework = &mut self.frameworks[place];
        if framework.attempt != attempt || !framework.is_subscribed {
            return;
        }
        if framework.scheduler.reconcile(&mut framework.reply) {
            self.post_calls(place);
            self.reconcile_later(now, place, Span((wait.0 * 2).min(LONGEST_RETRY.0)));
        }
    }

    fn reconcile_later(&mut self, now: Time, place: usize, wait: Span) {
        let again = Message::ReconcileAgain(self.frameworks[place].attempt, wait);
        self.engine.send(self.framework_node(place), now + wait, self.to_self(again));
    }

    fn post_calls(&mut self, place: usize) {
        let node = self.framework_node(place);
        self.tell_news(place);
        self.wake_framework_later(self.engine.now(), place);
        let framework = &mut self.frameworks[place];
        if framework.reply.calls.is_empty() {
            return;
        }
        let mut calls = std::mem::take(&mut framework.reply.calls);
        if let (Some(id), Some(connection), true) =
            (framework.id, framework.connection, framework.is_subscribed)
        {
            for call in calls.drain(..) {
                self.post(node, NodeId::new(MASTER), Message::Call(id, connection, call));
            }
        }
        calls.clear(); // what a framework says without a stream nobody hears
        self.frameworks[place].reply.calls = calls;
    }

    fn tell_news(&mut self, place: usize) {
        if self.frameworks[place].reply.news.is_empty() {
            return;
        }
        let now = self.engine.now();
        for news in std::mem::take(&mut self.frameworks[place].reply.news) {
            let framework = &mut self.frameworks[place];
            let record = match news {
                News::Retried { task, attempt } => {
                    let tried = framework.tried.entry(task).or_default();
                    *tried += 1;
                    framework.attempts.insert(attempt, (task, *tried));
                    Record::TaskRetried { framework: place, task, attempt }
                }
                News::Added { job, task, spec } => Record::TaskAdded { framework: place, job, task, spec },
                News::Stopped { attempt } => Record::TaskStopped { framework: place, attempt },
                News::JobEnded { job, success } => Record::JobEnded { framework: place, job, success },
            };
            self.observer.observe(now, &record);
        }
    }
}
