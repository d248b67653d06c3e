//! A framework's place in the world: it hears of its jobs when they arrive, and its calls go to the master.

use mesos::{
    call::{Call, FrameworkInfo},
    event::Event,
    id::{FrameworkId, Id, TaskId},
    resource::Resources,
    time::Time,
};

use super::{FrameworkSetup, MASTER, Message, NodeId, World};
use crate::{
    framework::Framework,
    record::{Observer, Record},
    workload::{Job, JobSource},
};

pub(super) struct FrameworkNode {
    info: FrameworkInfo,
    id: Option<FrameworkId>,
    scheduler: Box<dyn Framework>,
    jobs: Box<dyn JobSource + Send>,
    /// The job that arrives next. Later ones are not drawn yet: the pending set stays small.
    next: Option<Job>,
    next_task: usize,
    calls: Vec<Call>,
}

impl FrameworkNode {
    pub(super) fn new(setup: FrameworkSetup) -> Self {
        let FrameworkSetup { info, scheduler, mut jobs, .. } = setup;
        let next = jobs.next_job();
        Self { info, id: None, scheduler, jobs, next, next_task: 0, calls: Vec::new() }
    }

    pub(super) const fn info(&self) -> &FrameworkInfo {
        &self.info
    }

    pub(super) fn next_submission(&self) -> Option<Time> {
        self.next.as_ref().map(|job| job.submission)
    }

    pub(super) fn waiting(&self) -> usize {
        self.scheduler.waiting()
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
        let may_use = |shape: &Resources| self.master.allocator().would_offer(shape, capabilities);
        let fits = job.tasks.iter().all(|task| self.cluster.could_run(&task.demand, may_use));
        self.observer.observe(now, &Record::JobSubmitted { framework: place, job: &job, first_task, fits });
        if fits {
            framework.scheduler.submit(now, &job, first_task, &mut framework.calls);
        }
        self.last_progress = now;
        let next = framework.next_submission();
        if let Some(next) = next {
            assert!(next >= now, "{:?} arrives at {next} s, after one at {now} s", framework.next);
        }
        self.engine.wake_at(self.framework_node(place), next);
        self.post_calls(place);
    }

    /// An event of the master reaches a framework.
    pub(super) fn handle_event(&mut self, now: Time, node: NodeId, event: Event) {
        let place = node.index() - MASTER - 1 - self.agents.len();
        let framework = &mut self.frameworks[place];
        if let Event::Subscribed { framework: id } = &event {
            framework.id = Some(*id);
        }
        framework.scheduler.handle_event(now, event, &self.facts, &mut framework.calls);
        self.post_calls(place);
    }

    fn post_calls(&mut self, place: usize) {
        let node = self.framework_node(place);
        let framework = &mut self.frameworks[place];
        if framework.calls.is_empty() {
            return;
        }
        let id = framework.id.expect("only a subscribed framework calls");
        let mut calls = std::mem::take(&mut framework.calls);
        for call in calls.drain(..) {
            self.post(node, NodeId::new(MASTER), Message::Call(id, call));
        }
        self.frameworks[place].calls = calls;
    }
}
