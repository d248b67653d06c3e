//! Nothing is promised twice: what is offered of an agent, and what its tasks and executors hold, is never more than it has,
//! GPU device by GPU device.

use mesos::{
    effects::Note,
    id::{AgentId, ExecutorId, FrameworkId, IdVec, OfferId},
    offer::Offer,
    resource::Resources,
    task::{TaskKey, TaskState},
    time::Time,
};
use rustc_hash::FxHashMap;

use super::{Checker, CheckerEntry};
use crate::record::Record;

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "conservation",
    about: "on every agent, what is offered and held is never more than the total",
    build: |_| Box::new(Conservation::default()),
};

/// The books of one agent.
#[derive(Default)]
struct Book {
    is_registered: bool,
    total: Resources,
    /// Offered, or held by tasks and executors.
    promised: Resources,
    /// It has had more, or came back with more than it has: what was promised then may still be used.
    is_overdrawn: bool,
    last_change: Time,
}

/// Its books.
#[derive(Default)]
pub struct Conservation {
    agents: IdVec<AgentId, Book>,
    offers: FxHashMap<OfferId, Offer>,
    next_offer: u64,
    tasks: FxHashMap<TaskKey, (AgentId, Resources)>,
    executors: FxHashMap<(AgentId, FrameworkId, ExecutorId), Resources>,
}

impl Book {
    /// Whether there was room for the last promise.
    fn has_room_for(&self, what: &Resources) -> bool {
        if !self.is_overdrawn {
            return self.total.contains(&self.promised);
        }
        let (total, promised) = (self.total.quantities(), self.promised.quantities());
        what.quantities().iter().all(|(name, _)| promised.of_name(name) <= total.of_name(name))
    }

    /// An agent that is overdrawn is not so any more when it has what is promised, unless an ACCEPT is being worked on.
    fn review(&mut self, now: Time) {
        if self.is_overdrawn && now > self.last_change && self.total.contains(&self.promised) {
            self.is_overdrawn = false;
        }
        self.last_change = now;
    }
}

impl Conservation {
    fn book(&mut self, now: Time, agent: AgentId) -> &mut Book {
        let book = self.agents.grow_to(agent, Book::default);
        assert!(book.is_registered, "{now} s: {agent:?} is not registered");
        book.review(now);
        book
    }

    fn promise(&mut self, now: Time, agent: AgentId, what: &Resources) -> &mut Book {
        let book = self.book(now, agent);
        book.promised += what;
        book
    }

    fn release(&mut self, now: Time, agent: AgentId, what: &Resources) {
        let book = self.book(now, agent);
        let promised = &mut book.promised;
        assert!(
            promised.contains(what),
            "{now} s: {what:?} of {agent:?} come back, {promised:?} were promised"
        );
        *promised -= what;
    }

    fn offered(&mut self, now: Time, offer: &Offer) {
        assert!(!offer.resources.is_empty(), "{now} s: {offer:?} offers nothing");
        let next = self.next_offer;
        assert!(offer.id.0 >= next, "{now} s: {offer:?} comes after number {next}");
        self.next_offer = offer.id.0 + 1;
        let book = self.promise(now, offer.agent, &offer.resources);
        let (promised, total) = (&book.promised, &book.total);
        assert!(
            book.has_room_for(&offer.resources),
            "{now} s: with {offer:?}, {promised:?} are promised of {total:?}"
        );
        self.offers.insert(offer.id, offer.clone());
    }

    fn offer_ended(&mut self, now: Time, offer: &Offer) {
        let known = self.offers.remove(&offer.id);
        assert_eq!(known.as_ref(), Some(offer), "{now} s: an offer ends once, as it was made");
        self.release(now, offer.agent, &offer.resources);
    }

    /// What a task or an executor takes was offered to it.
    fn take(&mut self, now: Time, agent: AgentId, what: &Resources, whose: &str) {
        let book = self.promise(now, agent, what);
        let (promised, total) = (&book.promised, &book.total);
        assert!(
            book.is_overdrawn || total.contains(promised),
            "{now} s: with {what:?} of {whose}, {promised:?} of {agent:?} are promised, it has {total:?}"
        );
    }

    /// What an agent comes back with it has, whether there is room for it or not.
    fn readmit(&mut self, now: Time, agent: AgentId, what: &Resources) {
        let book = self.promise(now, agent, what);
        book.is_overdrawn |= !book.total.contains(&book.promised);
    }

    fn launched(&mut self, now: Time, key: TaskKey, agent: AgentId, resources: &Resources) {
        self.take(now, agent, resources, "a task");
        let earlier = self.tasks.insert(key, (agent, resources.clone()));
        assert!(earlier.is_none(), "{now} s: {key:?} holds {earlier:?} already");
    }

    fn recovered(&mut self, now: Time, key: TaskKey, agent: AgentId, resources: &Resources) {
        let held = self.tasks.remove(&key);
        assert_eq!(
            held,
            Some((agent, resources.clone())),
            "{now} s: {key:?} lets go of what it does not hold"
        );
        self.release(now, agent, resources);
    }

    fn added(&mut self, now: Time, agent: AgentId, total: &Resources) {
        let book = self.agents.grow_to(agent, Book::default);
        assert!(!book.is_registered, "{now} s: {agent:?} is registered already");
        let total = total.clone();
        *book = Book { is_registered: true, total, last_change: now, ..Book::default() };
    }

    fn total_changed(&mut self, now: Time, agent: AgentId, total: &Resources) {
        let book = self.book(now, agent);
        book.total = total.clone();
        book.is_overdrawn |= !total.contains(&book.promised);
    }

    fn agent_ended(&mut self, now: Time, agent: AgentId) {
        let book = self.book(now, agent);
        assert!(book.promised.is_empty(), "{now} s: {agent:?} ends, and {:?} are promised", book.promised);
        book.is_registered = false;
    }

    fn note(&mut self, now: Time, note: &Note<'_>) {
        if let Note::Offered(offers) = note {
            offers.iter().for_each(|offer| self.offered(now, offer));
        } else if let Note::OffersEnded(_, offers) = note {
            offers.iter().for_each(|offer| self.offer_ended(now, offer));
        } else if let Note::Launched { key, task, .. } = note {
            self.launched(now, *key, task.agent, &task.resources);
        } else if let Note::Recovered { key, agent, resources, .. } = note {
            self.recovered(now, *key, *agent, resources);
        } else if let Note::Readmitted { key, task, state, .. } = note {
            if !state.is_terminal() && *state != TaskState::Unreachable {
                self.readmit(now, task.agent, &task.resources);
                let earlier = self.tasks.insert(*key, (task.agent, task.resources.clone()));
                assert!(earlier.is_none(), "{now} s: {key:?} holds {earlier:?} already");
            }
        } else if let Note::Executor { framework, executor, agent, resources, holds, .. } = *note {
            let place = (agent, framework, executor);
            if holds {
                self.readmit(now, agent, resources);
                self.executors.insert(place, resources.clone());
            } else {
                let held = self.executors.remove(&place);
                assert_eq!(held.as_ref(), Some(resources), "{now} s: {executor:?} of {framework:?} lets go");
                self.release(now, agent, resources);
            }
        } else if let Note::AgentAdded { agent, total, .. } = note {
            self.added(now, *agent, total);
        } else if let Note::AgentTotal { agent, total } = note {
            self.total_changed(now, *agent, total);
        } else if let Note::AgentEnded { agent, .. } = note {
            self.agent_ended(now, *agent);
        }
    }
}

impl Checker for Conservation {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn observe(&mut self, now: Time, record: &Record<'_>) {
        if let Record::Master(note) = record {
            self.note(now, note);
        } else if let Record::MasterFailed = record {
            let next_offer = self.next_offer;
            *self = Self { next_offer, ..Self::default() };
        }
    }

    /// Only offers are out.
    fn settled(&self, now: Time) {
        assert!(self.tasks.is_empty(), "{now} s: tasks hold something at the end: {:?}", self.tasks);
        for (agent, book) in self.agents.iter().filter(|(_, book)| book.is_registered) {
            let executors = self.executors.len();
            assert!(
                book.promised.is_empty() || !self.offers.is_empty() || executors > 0,
                "{now} s: {agent:?}"
            );
        }
    }
}
