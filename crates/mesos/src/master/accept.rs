//! ACCEPT: from offers to tasks (`Master::accept`, `Master::_accept`).

use super::{Master, Task};
use crate::{
    allocator::Allocator,
    call::Operation,
    capability::Capabilities,
    effects::{MasterEffects, Note, OfferEnd},
    event::{Event, ToAgent},
    id::{FrameworkId, OfferId, TaskId},
    offer::{Filters, Offer},
    resource::Resources,
    task::{Reason, Source, TaskInfo, TaskKey, TaskState, TaskStatus},
    time::Time,
};

impl Master {
    /// Runs the operations in the order given, each on what the previous left; the rest is declined with the filters.
    pub(super) fn accept(
        &mut self,
        now: Time,
        framework: FrameworkId,
        ids: &[OfferId],
        operations: Vec<Operation>,
        filters: Filters,
        out: &mut impl MasterEffects,
    ) {
        if !self.accepts_together(framework, ids) {
            return self.refuse(now, framework, ids, &operations, out);
        }
        let offers: Vec<Offer> = ids.iter().filter_map(|&id| self.offers.take_if_of(id, framework)).collect();
        out.note(Note::OffersEnded(OfferEnd::Accepted, &offers));
        let (agent, role) = (offers[0].agent, offers[0].role);
        let mut remaining = Resources::EMPTY;
        offers.iter().for_each(|offer| remaining += &offer.resources);
        for operation in operations {
            match operation {
                Operation::Launch(tasks) => {
                    for task in tasks {
                        self.launch(now, framework, &offers[0], task, &mut remaining, out);
                    }
                }
            }
        }
        self.allocator.recover_resources(now, framework, agent, role, &remaining, Some(filters), false);
    }

    /// At least one offer, each outstanding, none twice, all of this framework, one role and one agent.
    fn accepts_together(&self, framework: FrameworkId, ids: &[OfferId]) -> bool {
        let Some(first) = ids.first().and_then(|&id| self.offers.get(id)) else { return false };
        ids.iter().enumerate().all(|(place, id)| {
            !ids[..place].contains(id)
                && self.offers.get(*id).is_some_and(|offer| {
                    offer.framework == framework && offer.role == first.role && offer.agent == first.agent
                })
        })
    }

    /// Gives the offers that are still valid back without a filter, and tells the fate of every task.
    fn refuse(
        &mut self,
        now: Time,
        framework: FrameworkId,
        ids: &[OfferId],
        operations: &[Operation],
        out: &mut impl MasterEffects,
    ) {
        for &id in ids {
            if let Some(offer) = self.offers.take_if_of(id, framework) {
                self.allocator.recover_resources(
                    now,
                    framework,
                    offer.agent,
                    offer.role,
                    &offer.resources,
                    None,
                    false,
                );
                out.note(Note::OffersEnded(OfferEnd::Discarded, std::slice::from_ref(&offer)));
            }
        }
        let aware = self.frameworks[framework].info.capabilities.has(Capabilities::PARTITION_AWARE);
        let state = if aware { TaskState::Dropped } else { TaskState::Lost };
        for Operation::Launch(tasks) in operations {
            for task in tasks {
                report(now, framework, task.id, state, Reason::InvalidOffers, out);
            }
        }
    }

    fn launch(
        &mut self,
        now: Time,
        framework: FrameworkId,
        offer: &Offer,
        task: TaskInfo,
        remaining: &mut Resources,
        out: &mut impl MasterEffects,
    ) {
        let known = self.frameworks[framework].tasks.contains_key(&task.id);
        let valid = !known
            && task.agent == offer.agent
            && !task.resources.is_empty()
            && remaining.contains(&task.resources);
        if !valid {
            return report(now, framework, task.id, TaskState::Error, Reason::TaskInvalid, out);
        }
        *remaining -= &task.resources;
        let key = TaskKey { framework, task: task.id };
        let (agent, role, resources) = (offer.agent, offer.role, task.resources.clone());
        let state = TaskState::Staging;
        self.frameworks[framework]
            .tasks
            .insert(task.id, Task { agent, role, resources, state, last_sent: None });
        self.allocator.transition_offered_to_allocated(agent, role, &task.resources);
        out.note(Note::Launched { key, role, task: &task });
        out.send_to_agent(agent, ToAgent::Run { framework, task });
    }
}

/// An update of the master's own: without uuid, so nobody acknowledges it and nobody sends it again.
fn report(
    now: Time,
    framework: FrameworkId,
    task: TaskId,
    state: TaskState,
    reason: Reason,
    out: &mut impl MasterEffects,
) {
    out.note(Note::TaskState { key: TaskKey { framework, task }, state });
    let (source, reason) = (Source::Master, Some(reason));
    let status = TaskStatus { task, agent: None, state, source, reason, uuid: None, timestamp: now };
    out.send_event(framework, Event::Update(status));
}
