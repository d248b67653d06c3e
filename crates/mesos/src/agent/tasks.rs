//! What an agent knows of its tasks and of the frameworks that they belong to.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Agent;
use crate::{
    call::FrameworkInfo,
    capability::Capabilities,
    id::{ExecutorId, FrameworkId, RoleId, StatusId},
    resource::Resources,
    task::{Reason, Source, StatusMore, TaskInfo, TaskKey, TaskState},
    time::{Span, Time},
};

/// What a task may take to end if nobody says how long (the executors' default).
const KILL_GRACE: Span = Span::from_secs(3);

/// A status update that waits for its acknowledgement.
#[derive(Clone, Debug)]
pub(super) struct Update {
    pub(super) uuid: StatusId,
    pub(super) timestamp: Time,
    pub(super) more: Option<Box<StatusMore>>,
    pub(super) state: TaskState,
    pub(super) source: Source,
    pub(super) reason: Option<Reason>,
}

/// How far a task has come on its way to its executor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// It waits for its executor to register.
    Queued,
    /// Its executor has it.
    Delivered,
    /// The agent was restarted, and its executor has not come back yet.
    Missing,
}

/// Why a task is about to end, if that decides what is reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// Nobody has asked it to end.
    None,
    /// Someone has.
    Killed,
    /// It ran for too long, which counts as its failure.
    Overdue,
}

#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) framework: FrameworkId,
    /// `None`: the agent never had this task, and only says so.
    pub(super) role: Option<RoleId>,
    /// `None`: a command, which is its own executor.
    pub(super) executor: Option<ExecutorId>,
    /// Its place in the order in which tasks came.
    pub(super) number: u32,
    /// The number of the first of those that came together.
    pub(super) group: u32,
    pub(super) info: TaskInfo,
    /// Not yet acknowledged; the first one is with the master.
    pub(super) updates: SmallVec<[Update; 2]>,
    pub(super) state: TaskState,
    pub(super) standing: Standing,
    pub(super) ending: Ending,
    /// How often the first of the updates was sent.
    pub(super) sends: u8,
}

const _: () = assert!(size_of::<Task>() <= 144);

impl Task {
    pub(super) const fn key(&self) -> TaskKey {
        TaskKey { framework: self.framework, task: self.info.id }
    }

    pub(super) const fn is_over(&self) -> bool {
        self.state.is_terminal()
    }

    pub(super) const fn is_command(&self) -> bool {
        self.executor.is_none()
    }

    /// Whether no executor has it yet: it is queued, or its own container is still being made.
    pub(super) fn is_undelivered(&self) -> bool {
        !self.is_over()
            && (self.standing == Standing::Queued || self.is_command() && self.state == TaskState::Staging)
    }

    pub(super) fn runs_in(&self, framework: FrameworkId, executor: ExecutorId) -> bool {
        self.framework == framework && self.executor == Some(executor)
    }

    /// How long it may take to end: as the call says, or the task, or 3 s.
    pub(super) fn grace(&self, of_call: Option<i64>) -> Span {
        let own = || self.info.detail.as_ref().and_then(|detail| detail.kill_grace);
        of_call.or_else(own).map_or(KILL_GRACE, span)
    }

    pub(super) fn max_completion_time(&self) -> Option<Span> {
        self.info.detail.as_ref()?.max_completion_time.map(span)
    }
}

/// A framework that has tasks or executors here.
#[derive(Clone, Debug)]
pub(super) struct Framework {
    pub(super) id: FrameworkId,
    pub(super) info: Arc<FrameworkInfo>,
    /// How many tasks and executors it has here.
    pub(super) held: u32,
}

impl Agent {
    pub(super) fn place(&self, key: TaskKey) -> Option<usize> {
        self.keys.iter().position(|of| *of == key)
    }

    /// The tasks of which this is true, in the order in which they came.
    pub(super) fn keys_of(&self, which: impl Fn(&Task) -> bool) -> Vec<TaskKey> {
        let mut keys: Vec<_> =
            self.tasks.iter().filter(|task| which(task)).map(|task| (task.number, task.key())).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, key)| key).collect()
    }

    pub(super) fn framework(&self, id: FrameworkId) -> Option<&Framework> {
        self.frameworks.iter().find(|framework| framework.id == id)
    }

    pub(super) fn framework_has(&self, id: FrameworkId, capability: Capabilities) -> bool {
        self.framework(id).is_some_and(|framework| framework.info.capabilities.has(capability))
    }

    /// Knows the framework from now on, or knows it better.
    pub(super) fn meet(&mut self, id: FrameworkId, info: &Arc<FrameworkInfo>) {
        match self.frameworks.iter_mut().find(|framework| framework.id == id) {
            Some(known) if Arc::ptr_eq(&known.info, info) => {}
            Some(known) => known.info = info.clone(),
            None => self.frameworks.push(Framework { id, info: info.clone(), held: 0 }),
        }
    }

    pub(super) fn update_framework(&mut self, id: FrameworkId, info: &Arc<FrameworkInfo>) {
        if self.framework(id).is_some() {
            self.meet(id, info);
        }
    }

    /// A task more on the books; its resources are held until it is over.
    pub(super) fn add_task(&mut self, task: Task) -> usize {
        self.count_one_more(task.framework);
        self.hold(&task.info.resources);
        self.keys.push(task.key());
        self.tasks.push(task);
        self.tasks.len() - 1
    }

    /// A task less on the books.
    pub(super) fn forget_task(&mut self, place: usize) {
        self.keys.swap_remove(place);
        let task = self.tasks.swap_remove(place);
        if !task.is_over() {
            self.release(&task.info.resources);
        }
        self.count_one_less(task.framework);
    }

    /// A task that the agent never had, of which something is to be told all the same.
    pub(super) fn add_foreign_task(&mut self, key: TaskKey) -> Option<usize> {
        let agent = self.id?;
        let info = TaskInfo { id: key.task, agent, resources: Resources::EMPTY, data: 0, detail: None };
        let number = self.next_number();
        Some(self.add_task(Task {
            framework: key.framework,
            role: None,
            executor: None,
            number,
            group: number,
            info,
            updates: SmallVec::new(),
            state: TaskState::Staging,
            standing: Standing::Queued,
            ending: Ending::None,
            sends: 0,
        }))
    }

    pub(super) const fn next_number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn count_one_more(&mut self, id: FrameworkId) {
        let framework = self.frameworks.iter_mut().find(|framework| framework.id == id);
        framework.expect("who has something here is known").held += 1;
    }

    /// A framework that has nothing here is forgotten, as in Mesos.
    pub(super) fn count_one_less(&mut self, id: FrameworkId) {
        let place = self.frameworks.iter().position(|framework| framework.id == id);
        let place = place.expect("who has something here is known");
        self.frameworks[place].held -= 1;
        if self.frameworks[place].held == 0 {
            self.frameworks.swap_remove(place);
        }
    }

    /// A shared volume stays for others to use, so only the rest is held.
    pub(super) fn hold(&mut self, resources: &Resources) {
        if resources.has_shared() {
            self.used += &resources.non_shared();
        } else {
            self.used += resources;
        }
    }

    pub(super) fn release(&mut self, resources: &Resources) {
        if resources.has_shared() {
            self.used -= &resources.non_shared();
        } else {
            self.used -= resources;
        }
    }

    pub(super) fn tasks_by_key(&self) -> Vec<(TaskKey, TaskState)> {
        let own = self.tasks.iter().filter(|task| task.role.is_some());
        let mut tasks: Vec<_> = own.map(|task| (task.key(), task.state)).collect();
        tasks.sort_unstable();
        tasks
    }
}

/// A length of time as messages carry it; a negative one is none.
pub(super) fn span(nanos: i64) -> Span {
    Span(u64::try_from(nanos).unwrap_or(0))
}
