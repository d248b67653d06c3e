//! What happened, as small values that borrow what they tell of. Metrics, checkers and the record hash watch them.

use mesos::{
    effects::{AgentEnd, Note, OfferEnd},
    id::{AgentId, FrameworkId, Id, RoleId, TaskId},
    offer::Offer,
    resource::{ResourceName, Resources},
    task::{TaskKey, TaskState},
    time::{Span, Time},
};

use crate::{
    cluster::MachineId,
    fault::{Action, CauseId},
    workload::{Job, JobId, TaskSpec},
};

/// One thing that happened in a simulated data centre.
#[derive(Clone, Copy, Debug)]
pub enum Record<'a> {
    /// A framework is subscribed, for the first time or again.
    FrameworkSubscribed {
        /// Its id from now on.
        framework: FrameworkId,
        /// Its place in the experiment file.
        place: usize,
        /// Its role, the first if it has several.
        role: RoleId,
        /// The role of the top level above that one, or that one itself: quota is counted there.
        top: RoleId,
    },
    /// A machine's agent is among those that are registered with the master: a new one, or one that is back.
    AgentRegistered {
        /// Its id.
        agent: AgentId,
        /// The machine.
        machine: MachineId,
        /// All it has.
        resources: &'a Resources,
    },
    /// A framework tries a task once more.
    TaskRetried {
        /// Whose task, by place in the experiment file.
        framework: usize,
        /// As the job has it.
        task: TaskId,
        /// Under which id it is tried now.
        attempt: TaskId,
    },
    /// A framework gives a job a task more than it arrived with.
    TaskAdded {
        /// Whose job, by place in the experiment file.
        framework: usize,
        /// Which job.
        job: JobId,
        /// The task.
        task: TaskId,
        /// What it asks for, and for how long.
        spec: TaskSpec,
    },
    /// A framework ends an attempt that has done what it was for: what it took was not in vain.
    TaskStopped {
        /// Whose task, by place in the experiment file.
        framework: usize,
        /// The attempt.
        attempt: TaskId,
    },
    /// A framework that manages its jobs itself says that one is over.
    JobEnded {
        /// Whose job, by place in the experiment file.
        framework: usize,
        /// Which job.
        job: JobId,
        /// Whether it did what it was for.
        success: bool,
    },
    /// A fault begins or ends something.
    Fault {
        /// Which fault.
        cause: CauseId,
        /// What it does.
        action: &'a Action,
    },
    /// The leading master died.
    MasterFailed,
    /// A new master leads.
    MasterElected,
    /// The new master knows all agents and frameworks again that are alive and within reach.
    MasterRecovered {
        /// Since the old one died.
        after: Span,
    },
    /// A job arrived at its framework.
    JobSubmitted {
        /// Whose job, by place in the experiment file (a job may come before its framework is subscribed).
        framework: usize,
        /// The job.
        job: &'a Job,
        /// The id of its first task; the others follow.
        first_task: TaskId,
        /// Whether each task fits some empty machine. If not, the job is rejected.
        fits: bool,
        /// Whether the job is over when its framework says so, and not when its tasks are.
        managed: bool,
    },
    /// The master did something.
    Master(Note<'a>),
    /// A task began to run on its agent.
    TaskStarted {
        /// Which task.
        key: TaskKey,
        /// Where.
        agent: AgentId,
    },
    /// A task that had begun to run ended on its agent.
    TaskEnded {
        /// Which task.
        key: TaskKey,
        /// How.
        state: TaskState,
        /// Why.
        cause: Cause,
        /// How long it ran.
        ran: Span,
    },
}

/// Why a task ended on its agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cause {
    /// It did its work.
    Done,
    /// Something went wrong that the experiment asked for.
    Fault(CauseId),
    /// It failed by itself, as its profile says.
    Failure,
    /// It used more memory than it may.
    MemoryLimit,
    /// It was revocable, and others needed its resources.
    Preemption,
    /// It was killed: by its framework, or because its agent was drained or shut down.
    Kill,
}

impl Cause {
    /// A number for hashes and for sorting.
    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Self::Done => 0,
            Self::Failure => 1,
            Self::MemoryLimit => 2,
            Self::Preemption => 3,
            Self::Kill => 4,
            Self::Fault(cause) => 5 + cause.index() as u64,
        }
    }
}

/// Watches a run. What it sees is all that metrics know.
pub trait Observer {
    /// Something happened.
    fn observe(&mut self, now: Time, record: &Record<'_>);
}

impl<A: Observer, B: Observer> Observer for (A, B) {
    fn observe(&mut self, now: Time, record: &Record<'_>) {
        self.0.observe(now, record);
        self.1.observe(now, record);
    }
}

impl<T: Observer + ?Sized> Observer for &mut T {
    fn observe(&mut self, now: Time, record: &Record<'_>) {
        (**self).observe(now, record);
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn observe(&mut self, _: Time, _: &Record<'_>) {}
}

/// How many records make one block of a [`RecordHash`].
pub const BLOCK: u64 = 4096;

/// A hash over all records, and over each prefix of whole blocks, by which two runs can be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordHash {
    hash: u64,
    records: u64,
    blocks: Vec<u64>,
}

impl RecordHash {
    /// The hash of all records so far.
    #[must_use]
    pub const fn value(&self) -> u64 {
        self.hash
    }

    /// How many records there were.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// The first block after which the hashes of two runs differ; `None` if the runs are the same.
    #[must_use]
    pub fn first_different_block(&self, other: &Self) -> Option<u64> {
        let same = self.blocks.iter().zip(&other.blocks).take_while(|(a, b)| a == b).count();
        (self != other).then_some(same as u64)
    }

    #[inline]
    fn word(&mut self, word: u64) {
        self.hash = (self.hash.rotate_left(5) ^ word).wrapping_mul(0x517C_C1B7_2722_0A95);
    }

    fn key(&mut self, key: TaskKey) {
        self.word(pair(key.framework, key.task));
    }

    /// Mixes many words at the price of about one: products with different odd factors, which do not wait for each other.
    #[inline]
    fn words<const N: usize>(&mut self, words: [u64; N]) {
        let factor = |place: usize| (place as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let product = |(place, word): (usize, u64)| {
            (word ^ (word >> 31)).wrapping_mul(factor(place)).rotate_left(place as u32)
        };
        self.word(words.into_iter().enumerate().map(product).fold(0, u64::wrapping_add));
    }

    fn resources(&mut self, resources: &Resources) {
        self.words(ResourceName::ALL.map(|name| resources.get(name).0 as u64));
        if !resources.devices().is_empty() {
            self.words(resources.devices().words());
        }
    }

    fn spec(&mut self, task: &TaskSpec) {
        let asked = task.demand.quantities();
        self.words(ResourceName::ALL.map(|name| asked.get(name).0 as u64));
        self.words([task.runtime.0, task.demand.models.0]);
    }

    fn offer(&mut self, offer: &Offer) {
        self.words([offer.id.0, pair(offer.framework, offer.role), offer.agent.index() as u64]);
        self.resources(&offer.resources);
    }

    fn note(&mut self, note: &Note<'_>) {
        match *note {
            Note::Offered(offers) => {
                self.word(0x10);
                offers.iter().for_each(|offer| self.offer(offer));
            }
            Note::OffersEnded(end, offers) => {
                self.word(0x20 + end_number(end));
                offers.iter().for_each(|offer| self.word(offer.id.0));
            }
            Note::Refused(filters, offers) => {
                self.words([0x86, filters.refuse_seconds.to_bits(), offers.len() as u64]);
            }
            Note::Revived { framework, roles } => {
                self.words([0x87, framework.index() as u64, roles.len() as u64]);
            }
            Note::Launched { key, role, task } => {
                self.word(0x30);
                self.key(key);
                self.word(pair(role, task.agent));
                self.resources(&task.resources);
            }
            Note::TaskState { key, state } => {
                self.word(0x40 + state as u64);
                self.key(key);
            }
            Note::Recovered { key, role, agent, resources } => {
                self.word(0x60);
                self.key(key);
                self.word(pair(role, agent));
                self.resources(resources);
            }
            Note::Executor { framework, executor, role, agent, resources, holds } => {
                self.words([0x70 + u64::from(holds), pair(framework, executor), pair(role, agent)]);
                self.resources(resources);
            }
            Note::Readmitted { key, role, task, state } => {
                self.words([
                    0x72 + ((state as u64) << 8),
                    pair(key.framework, key.task),
                    pair(role, task.agent),
                ]);
                self.resources(&task.resources);
            }
            Note::TaskForgotten { key } => self.words([0x73, pair(key.framework, key.task)]),
            Note::Sent { framework, status } => self.words([
                0x74 + ((status.state as u64) << 8) + ((status.source as u64) << 16),
                pair(framework, status.task),
                status.reason.map_or(u64::MAX, |reason| reason as u64),
                status.uuid.map_or(u64::MAX, |uuid| uuid.0),
            ]),
            Note::Acknowledged { key, uuid } => self.words([0x75, pair(key.framework, key.task), uuid.0]),
            Note::FrameworkSubscribed { framework, is_new, roles } => {
                self.words([0x76, framework.index() as u64, u64::from(is_new), roles.len() as u64]);
            }
            Note::FrameworkRecovered { framework } => self.words([0x77, framework.index() as u64]),
            Note::FrameworkDisconnected { framework } => self.words([0x78, framework.index() as u64]),
            Note::FrameworkUpdated { framework } => self.words([0x79, framework.index() as u64]),
            Note::FrameworkRemoved { framework } => self.words([0x7A, framework.index() as u64]),
            Note::Suppressed { framework, role, suppressed } => {
                self.words([0x7B, pair(framework, role), u64::from(suppressed)]);
            }
            Note::AgentAdded { agent, address, total, is_new } => {
                self.words([0x7C, pair(agent, address), u64::from(is_new)]);
                self.resources(total);
            }
            Note::AgentTotal { agent, total } => {
                self.words([0x7D, agent.index() as u64]);
                self.resources(total);
            }
            Note::AgentConnected { agent, connected } => {
                self.words([0x7E, agent.index() as u64, u64::from(connected)]);
            }
            Note::AgentActivated { agent, active } => {
                self.words([0x7F, agent.index() as u64, u64::from(active)]);
            }
            Note::AgentEnded { agent, end } => {
                self.words([0x80, agent.index() as u64, agent_end_number(end)]);
            }
            Note::AgentDrained { agent } => self.words([0x81, agent.index() as u64]),
            Note::InverseOffered(offers) => {
                for offer in offers {
                    self.words([0x82, offer.id.0, pair(offer.framework, offer.agent)]);
                }
            }
            Note::InverseOfferEnded(offer, status) => {
                self.words([0x83, offer.0, status.map_or(2, |status| status as u64)]);
            }
            Note::Fatal(_) => self.word(0x86),
            Note::Quota { role, .. } => self.words([0x84, role.index() as u64]),
            Note::Throttled { framework, dropped } => {
                self.words([0x85, framework.index() as u64, u64::from(dropped)]);
            }
        }
    }
}

const fn agent_end_number(end: AgentEnd) -> u64 {
    match end {
        AgentEnd::Unreachable => 0,
        AgentEnd::Gone => 1,
        AgentEnd::Removed => 2,
    }
}

const fn end_number(end: OfferEnd) -> u64 {
    match end {
        OfferEnd::Accepted => 0,
        OfferEnd::Declined => 1,
        OfferEnd::Rescinded => 2,
        OfferEnd::Discarded => 3,
    }
}

fn pair(a: impl Id, b: impl Id) -> u64 {
    ((a.index() as u64) << 32) | b.index() as u64
}

impl Observer for RecordHash {
    fn observe(&mut self, now: Time, record: &Record<'_>) {
        self.word(now.0);
        match record {
            Record::FrameworkSubscribed { framework, place, role, top: _ } => {
                self.word(1);
                self.word(*place as u64);
                self.word(pair(*framework, *role));
            }
            Record::AgentRegistered { agent, machine, resources } => {
                self.word(2);
                self.word(pair(*agent, *machine));
                self.resources(resources);
            }
            Record::JobSubmitted { framework, job, first_task, fits, managed } => {
                self.word(3 + u64::from(*fits) + (u64::from(*managed) << 8));
                self.word(*framework as u64);
                self.word(pair(job.id, *first_task));
                job.tasks.iter().for_each(|task| self.spec(task));
            }
            Record::Master(note) => self.note(note),
            Record::TaskStarted { key, agent } => {
                self.word(5);
                self.key(*key);
                self.word(pair(*agent, *agent));
            }
            Record::TaskEnded { key, state, cause, ran } => {
                self.words([6 + ((*state as u64) << 8), cause.number(), ran.0]);
                self.key(*key);
            }
            Record::TaskRetried { framework, task, attempt } => {
                self.words([7, *framework as u64, pair(*task, *attempt)]);
            }
            Record::TaskAdded { framework, job, task, spec } => {
                self.words([12, *framework as u64, pair(*job, *task)]);
                self.spec(spec);
            }
            Record::TaskStopped { framework, attempt } => {
                self.words([13, *framework as u64, attempt.index() as u64]);
            }
            Record::JobEnded { framework, job, success } => {
                self.words([14 + (u64::from(*success) << 8), *framework as u64, job.index() as u64]);
            }
            Record::Fault { cause, .. } => self.words([8, cause.index() as u64]),
            Record::MasterFailed => self.word(9),
            Record::MasterElected => self.word(10),
            Record::MasterRecovered { after } => self.words([11, after.0]),
        }
        self.records += 1;
        if self.records.is_multiple_of(BLOCK) {
            self.blocks.push(self.hash);
        }
    }
}

/// Writes down the records of one block as text, to name the first one in which two runs differ.
#[derive(Clone, Debug)]
pub struct Transcript {
    block: u64,
    seen: u64,
    lines: Vec<String>,
}

impl Transcript {
    /// Of the records of block `block`, counted from 0.
    #[must_use]
    pub const fn of_block(block: u64) -> Self {
        Self { block, seen: 0, lines: Vec::new() }
    }

    /// One line for each record of the block.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

impl Observer for Transcript {
    fn observe(&mut self, now: Time, record: &Record<'_>) {
        if self.seen / BLOCK == self.block {
            self.lines.push(format!("{now} s: {record:?}"));
        }
        self.seen += 1;
    }
}
