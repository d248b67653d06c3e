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
    framework::{Framework, Reply},
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
    next_task: usize,
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
            next_task: 0,
            attempts: FxHashMap::default(),
            tried: FxHashMap::default(),
            reply: Reply::default(),
        }
    }

    pub(super) fn next_submission(&self) -> Option<Time> {
        self.next.as_ref().map(|job| job.submission)
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
    /// The next job of a framework arrives. One that can never run is rejected here and now.
    pub(super) fn submit(&mut self, now: Time, place: usize) {
        let framework = &mut self.frameworks[place];
        let next = framework.jobs.next_job();
        let job = std::mem::replace(&mut framework.next, next).expect("a framework wakes up for a job");
        let first_task = TaskId::new(framework.next_task);
        framework.next_task += job.tasks.len();
        let capabilities = framework.info.capabilities;
        let may_use = |shape: &Resources| self.probe.would_offer(shape, capabilities);
        let fits = job.tasks.iter().all(|task| self.cluster.could_run(&task.demand, may_use));
        self.observer.observe(now, &Record::JobSubmitted { framework: place, job: &job, first_task, fits });
        if fits {
            framework.scheduler.submit(now, &job, first_task, &mut framework.reply);
        }
        self.last_progress = now;
        let next = framework.next_submission();
        if let Some(next) = next {
            assert!(next >= now, "{:?} arrives at {next} s, after one at {now} s", framework.next);
        }
        self.engine.wake_at(self.framework_node(place), next);
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
            framework.scheduler.removed(&mut framework.reply);
        }
        framework.scheduler.handle_event(now, event, &self.facts, &mut framework.reply);
        self.post_calls(place);
        if is_subscription && self.frameworks[place].scheduler.launched() > 0 {
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
        self.forget_stream(place);
        if self.frameworks[place].is_up && self.frameworks[place].knows_leader {
            self.subscribe_later(now, place, CONNECTION_DELAY);
        }
    }

    fn forget_stream(&mut self, place: usize) {
        let framework = &mut self.frameworks[place];
        framework.connection = None;
        framework.is_subscribed = false;
        framework.attempt += 1;
        framework.reply.calls.clear();
        framework.scheduler.disconnected();
    }

    /// The framework knows who leads, or that nobody does.
    pub(super) fn framework_detects(&mut self, now: Time, place: usize, is_known: bool) {
        self.frameworks[place].knows_leader = is_known;
        if is_known {
            self.subscribe_later(now, place, CONNECTION_DELAY);
        } else {
            self.forget_stream(place);
        }
    }

    /// The scheduler dies; its stream breaks.
    pub(super) fn crash_framework(&mut self, now: Time, place: usize) {
        self.frameworks[place].is_up = false;
        self.forget_stream(place);
        self.break_link(now, self.framework_node(place));
    }

    /// The scheduler is back with what it had kept.
    pub(super) fn start_framework(&mut self, now: Time, place: usize) {
        let framework = &mut self.frameworks[place];
        (framework.is_up, framework.retries) = (true, 0);
        framework.knows_leader = self.master.is_some();
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
        self.tell_retries(place);
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

    fn tell_retries(&mut self, place: usize) {
        if self.frameworks[place].reply.retried.is_empty() {
            return;
        }
        let now = self.engine.now();
        for (task, attempt) in std::mem::take(&mut self.frameworks[place].reply.retried) {
            let framework = &mut self.frameworks[place];
            let tried = framework.tried.entry(task).or_default();
            *tried += 1;
            framework.attempts.insert(attempt, (task, *tried));
            self.observer.observe(now, &Record::TaskRetried { framework: place, task, attempt });
        }
    }
}
