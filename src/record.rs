//! What happened, as small values that borrow what they tell of. Metrics, checkers and the record hash watch them.

use mesos::{
    effects::{Note, OfferEnd},
    id::{AgentId, FrameworkId, Id, RoleId, TaskId},
    offer::Offer,
    resource::{ResourceName, Resources},
    task::{TaskKey, TaskState},
    time::Time,
};

use crate::{cluster::MachineId, workload::Job};

/// One thing that happened in a simulated data centre.
#[derive(Clone, Copy, Debug)]
pub enum Record<'a> {
    /// A framework subscribed.
    FrameworkSubscribed {
        /// Its id from now on.
        framework: FrameworkId,
        /// Its place in the experiment file.
        place: usize,
        /// Its role.
        role: RoleId,
    },
    /// A machine's agent registered.
    AgentRegistered {
        /// Its id from now on.
        agent: AgentId,
        /// The machine.
        machine: MachineId,
        /// All it has.
        resources: &'a Resources,
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
    /// A task ended on its agent.
    TaskEnded {
        /// Which task.
        key: TaskKey,
        /// How.
        state: TaskState,
    },
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
        }
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
            Record::FrameworkSubscribed { framework, place, role } => {
                self.word(1);
                self.word(*place as u64);
                self.word(pair(*framework, *role));
            }
            Record::AgentRegistered { agent, machine, resources } => {
                self.word(2);
                self.word(pair(*agent, *machine));
                self.resources(resources);
            }
            Record::JobSubmitted { framework, job, first_task, fits } => {
                self.word(3 + u64::from(*fits));
                self.word(*framework as u64);
                self.word(pair(job.id, *first_task));
                for task in &job.tasks {
                    let asked = task.demand.quantities();
                    self.words(ResourceName::ALL.map(|name| asked.get(name).0 as u64));
                    self.words([task.runtime.0, task.demand.models.0]);
                }
            }
            Record::Master(note) => self.note(note),
            Record::TaskStarted { key, agent } => {
                self.word(5);
                self.key(*key);
                self.word(pair(*agent, *agent));
            }
            Record::TaskEnded { key, state } => {
                self.word(6 + ((*state as u64) << 8));
                self.key(*key);
            }
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
