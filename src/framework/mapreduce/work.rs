//! The tasks of one phase of a job: which wait, which run (and how often at once), which are done.

use std::collections::VecDeque;

use mesos::id::{AgentId, TaskId};
use smallvec::SmallVec;

/// Maps or reduces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Map,
    Reduce,
}

#[derive(Clone, Debug, Default)]
struct Member {
    alive: SmallVec<[TaskId; 2]>,
    tried: u32,
    failures: u32,
    is_done: bool,
    /// Where the attempt that counted ran.
    output: Option<AgentId>,
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub(super) struct Work {
    tasks: Vec<TaskId>,
    members: Vec<Member>,
    /// Those that wait, and some that no longer do.
    queue: VecDeque<u32>,
    waiting: u32,
    running: u32,
    done: u32,
    took: Vec<f64>,
}

impl Work {
    pub(super) fn new(tasks: Vec<TaskId>) -> Self {
        let count = tasks.len() as u32;
        let members = vec![Member::default(); tasks.len()];
        Self {
            tasks,
            members,
            queue: (0..count).collect(),
            waiting: count,
            running: 0,
            done: 0,
            took: Vec::new(),
        }
    }

    pub(super) const fn len(&self) -> u32 {
        self.members.len() as u32
    }

    pub(super) const fn waiting(&self) -> u32 {
        self.waiting
    }

    /// Attempts that are launched.
    pub(super) const fn running(&self) -> u32 {
        self.running
    }

    pub(super) const fn done(&self) -> u32 {
        self.done
    }

    /// How long those took that are done, in seconds.
    pub(super) fn took(&self) -> &[f64] {
        &self.took
    }

    pub(super) fn task(&self, place: u32) -> TaskId {
        self.tasks[place as usize]
    }

    pub(super) fn tried(&self, place: u32) -> u32 {
        self.members[place as usize].tried
    }

    pub(super) fn failures(&self, place: u32) -> u32 {
        self.members[place as usize].failures
    }

    pub(super) fn attempts(&self, place: u32) -> &[TaskId] {
        &self.members[place as usize].alive
    }

    pub(super) fn waits(&self, place: u32) -> bool {
        let member = &self.members[place as usize];
        member.alive.is_empty() && !member.is_done
    }

    /// The one that has waited longest.
    pub(super) fn first_waiting(&mut self) -> Option<u32> {
        while let Some(&place) = self.queue.front() {
            if self.waits(place) {
                return Some(place);
            }
            self.queue.pop_front();
        }
        None
    }

    /// Those with an attempt that is launched.
    pub(super) fn in_progress(&self) -> impl Iterator<Item = u32> {
        let running = |(_, member): &(usize, &Member)| !member.alive.is_empty();
        self.members.iter().enumerate().filter(running).map(|(place, _)| place as u32)
    }

    pub(super) fn all_attempts(&self) -> impl Iterator<Item = TaskId> {
        self.members.iter().flat_map(|member| member.alive.iter().copied())
    }

    pub(super) fn launched(&mut self, place: u32, attempt: TaskId) {
        self.waiting -= u32::from(self.waits(place));
        let member = &mut self.members[place as usize];
        member.alive.push(attempt);
        member.tried += 1;
        self.running += 1;
    }

    /// An attempt did its work there; says which others at the same task are of no use any more. They are no longer its own.
    pub(super) fn finished(
        &mut self,
        place: u32,
        attempt: TaskId,
        agent: AgentId,
        took: f64,
    ) -> SmallVec<[TaskId; 2]> {
        let member = &mut self.members[place as usize];
        let mut others = std::mem::take(&mut member.alive);
        self.running -= others.len() as u32;
        others.retain(|other| *other != attempt);
        assert!(!member.is_done, "task {place} is done twice");
        (member.is_done, member.output) = (true, Some(agent));
        self.done += 1;
        self.took.push(took);
        others
    }

    /// An attempt is over without having done its work; whether its task waits again.
    pub(super) fn lost(&mut self, place: u32, attempt: TaskId, has_failed: bool) -> bool {
        let member = &mut self.members[place as usize];
        let before = member.alive.len();
        member.alive.retain(|alive| *alive != attempt);
        self.running -= (before - member.alive.len()) as u32;
        member.failures += u32::from(has_failed);
        self.wait_again(place, before)
    }

    fn wait_again(&mut self, place: u32, attempts_before: usize) -> bool {
        let waits = self.waits(place) && attempts_before > 0;
        if waits {
            self.waiting += 1;
            self.queue.push_back(place);
        }
        waits
    }

    /// What was written there is lost: those that wrote it wait again.
    pub(super) fn forget_outputs(&mut self, agent: AgentId) -> Vec<u32> {
        let lost: Vec<u32> =
            (0..self.len()).filter(|&place| self.members[place as usize].output == Some(agent)).collect();
        for &place in &lost {
            let member = &mut self.members[place as usize];
            (member.is_done, member.output) = (false, None);
            self.done -= 1;
            self.waiting += 1;
            self.queue.push_back(place);
        }
        lost
    }
}
