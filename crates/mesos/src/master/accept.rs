//! ACCEPT: from offers to operations (`Master::accept`, `Master::_accept`).
//!
//! Mesos waits for authorization between the two, and looks again whether framework and agent are still there. Here both are one
//! step: an agent that is lost takes its offers with it, so what is left to find out is whether the offers still stand.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{Master, validation};
use crate::{
    allocator::Allocator,
    call::{Operation, OperationKind},
    effects::{MasterEffects, Note, OfferEnd},
    id::{AgentId, FrameworkId, OfferId, RoleId},
    offer::{Filters, Offer},
    resource::{OperationError, ResourceConversion, ResourceOperation, Resources},
    task::{Reason, StatusMore, TaskState},
    time::Time,
};

/// What one ACCEPT works with. Resources do not say that they are allocated to the role of the offers, for all of them are.
#[derive(Debug)]
pub(super) struct Acceptance {
    pub(super) framework: FrameworkId,
    pub(super) agent: AgentId,
    pub(super) role: RoleId,
    /// What the operations so far have left.
    remaining: Resources,
    /// The shared volumes that may be used, whether a task of this ACCEPT has one already or not.
    shared: Resources,
    /// Volumes that grew or shrank, which no later operation of this ACCEPT may use.
    resized: Resources,
    /// For the allocator.
    conversions: Vec<ResourceConversion>,
}

impl Master {
    /// Runs the operations in the order given, each on what the previous left; the rest is declined with the filters.
    pub(super) fn accept(
        &mut self,
        now: Time,
        framework: FrameworkId,
        ids: &[OfferId],
        mut operations: Vec<Operation>,
        filters: Filters,
        out: &mut impl MasterEffects,
    ) {
        if let Err(error) = validation::offer::check(ids, framework, &self.offers, &self.agents) {
            return self.refuse_accept(now, framework, ids, operations, &error, out);
        }
        let offers: SmallVec<[Offer; 2]> =
            ids.iter().filter_map(|&id| self.offers.take_if_of(id, framework)).collect();
        out.note(Note::OffersEnded(OfferEnd::Accepted, &offers));
        operations.retain(|operation| self.may_run(now, framework, offers[0].agent, operation, out));
        let mut run = Acceptance::new(&offers);
        for operation in operations {
            self.run_operation(now, &mut run, operation, out);
        }
        self.give_back(now, run, &offers, filters, out);
    }

    /// Gives the offers that are still valid back without a filter, and tells the fate of every operation and task.
    fn refuse_accept(
        &mut self,
        now: Time,
        framework: FrameworkId,
        ids: &[OfferId],
        operations: Vec<Operation>,
        error: &str,
        out: &mut impl MasterEffects,
    ) {
        for &id in ids {
            if let Some(offer) = self.offers.take_if_of(id, framework) {
                self.end_offer(now, &offer, OfferEnd::Discarded, None, out);
            }
        }
        let message = format!("Task launched with invalid offers: {error}");
        for operation in operations {
            let (state, reason) = (TaskState::Dropped, Reason::InvalidOffers);
            match &operation.what {
                OperationKind::Launch(tasks) | OperationKind::LaunchGroup { tasks, .. } => {
                    for task in tasks {
                        let (agent, more) = (Some(task.agent), StatusMore::message(&*message));
                        self.report(now, framework, task.id, agent, state, reason, more, out);
                    }
                }
                OperationKind::Resources(_) | OperationKind::Disk { .. } => {
                    let error = format!("ACCEPT call used invalid offers: {error}");
                    self.drop_operation(framework, operation.id, error, out);
                }
            }
        }
    }

    /// Whether an operation may be run at all; its framework hears why not. Asked of all operations before the first is run.
    fn may_run(
        &self,
        now: Time,
        framework: FrameworkId,
        agent: AgentId,
        operation: &Operation,
        out: &mut impl MasterEffects,
    ) -> bool {
        let on = self.agents[agent].as_ref().expect("offers are of registered agents");
        let Err(error) = validation::operation::check_request(operation, agent, on.info.capabilities) else {
            return true;
        };
        let (tasks, reason) = match &operation.what {
            OperationKind::Launch(tasks) => (tasks, Reason::TaskInvalid),
            OperationKind::LaunchGroup { tasks, .. } => (tasks, Reason::TaskGroupInvalid),
            OperationKind::Resources(_) | OperationKind::Disk { .. } => {
                self.drop_operation(framework, operation.id, error, out);
                return false;
            }
        };
        for task in tasks {
            let (at, more) = (Some(task.agent), StatusMore::message(&*error));
            self.report(now, framework, task.id, at, TaskState::Error, reason, more, out);
        }
        false
    }

    fn run_operation(
        &mut self,
        now: Time,
        run: &mut Acceptance,
        operation: Operation,
        out: &mut impl MasterEffects,
    ) {
        match operation.what {
            OperationKind::Launch(tasks) => {
                for task in tasks {
                    self.launch(now, run, task, out);
                }
            }
            OperationKind::LaunchGroup { executor, tasks } => {
                self.launch_group(now, run, executor, tasks, out);
            }
            OperationKind::Resources(what) => {
                let what = self.without_allocation_of(run.role, what);
                if let Err(error) = self.convert(now, run, &what, out) {
                    return self.drop_operation(run.framework, operation.id, error, out);
                }
                self.start_operation(Some(run.framework), operation.id, run.agent, what, out);
            }
            OperationKind::Disk { source } => {
                let error = validation::operation::disk_error(&source);
                self.drop_operation(run.framework, operation.id, error, out);
            }
        }
    }

    /// RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME or SHRINK_VOLUME on what is left.
    fn convert(
        &mut self,
        now: Time,
        run: &mut Acceptance,
        what: &ResourceOperation,
        out: &mut impl MasterEffects,
    ) -> Result<(), String> {
        let info = &self.frameworks[run.framework].as_ref().expect("a caller is known").info;
        let asker =
            validation::operation::Asker::Framework { info, role: self.allocator.role_name(run.role) };
        self.check_resource_operation(run.agent, what, asker)?;
        if let ResourceOperation::Destroy { volumes } = what
            && volumes.has_shared()
        {
            let is_there = |offer: &Offer| {
                volumes.entries().any(|(volume, _)| offer.resources.contains_resource(&volume))
            };
            self.rescind_offers_of_agent(now, run.agent, is_there, out);
        }
        let total = &self.agents[run.agent].as_ref().expect("offers are of registered agents").total;
        total.clone().apply(what).map_err(|error| error.0)?; // it may be less than what was offered by now
        run.apply(what).map_err(|error| error.0)
    }

    /// The end of an ACCEPT: what became something else is free at once, what was not used is declined.
    fn give_back(
        &mut self,
        now: Time,
        run: Acceptance,
        offers: &[Offer],
        filters: Filters,
        out: &mut impl MasterEffects,
    ) {
        let Acceptance { framework, agent, role, mut remaining, resized, conversions, .. } = run;
        if !conversions.is_empty() {
            let offered = sum_of(offers);
            self.allocator.update_allocation(framework, agent, role, &offered, &conversions);
            remaining += &resized;
            let mut converted = remaining.clone();
            converted -= &offered;
            remaining -= &converted;
            self.allocator.recover_resources(now, framework, agent, role, &converted, None, false);
        }
        self.allocator.recover_resources(now, framework, agent, role, &remaining, Some(filters), false);
        if !remaining.is_empty() {
            let id = offers[0].id;
            let rest = Offer { id, framework, role, agent, resources: remaining, unavailability: None };
            out.note(Note::Refused(filters, std::slice::from_ref(&rest)));
        }
    }

    /// Resources that say that they are allocated to this role say nothing of it any more. What names another role stays as it
    /// is, and is not contained in any offer.
    pub(super) fn unallocate(&self, role: RoleId, resources: &mut Resources) {
        let allocations = resources.allocations();
        if allocations.is_empty() {
            return;
        }
        let name = self.allocator.role_name(role);
        if allocations.iter().all(|(of, _)| **of == *name) {
            *resources = resources.unallocate();
        }
    }

    fn without_allocation_of(&self, role: RoleId, mut what: ResourceOperation) -> ResourceOperation {
        match &mut what {
            ResourceOperation::Reserve { resources, source: _ }
            | ResourceOperation::Unreserve { resources }
            | ResourceOperation::Create { volumes: resources }
            | ResourceOperation::Destroy { volumes: resources }
            | ResourceOperation::ShrinkVolume { volume: resources, subtract: _ } => {
                self.unallocate(role, resources);
            }
            ResourceOperation::GrowVolume { volume, addition } => {
                self.unallocate(role, volume);
                self.unallocate(role, addition);
            }
        }
        what
    }
}

impl Acceptance {
    fn new(offers: &[Offer]) -> Self {
        let Offer { framework, agent, role, .. } = offers[0];
        let remaining = sum_of(offers);
        let (shared, resized, conversions) = (remaining.shared(), Resources::EMPTY, Vec::new());
        Self { framework, agent, role, remaining, shared, resized, conversions }
    }

    /// What a task may use: a shared volume even if another has it already.
    pub(super) fn available(&self) -> Cow<'_, Resources> {
        if self.shared.is_empty() {
            return Cow::Borrowed(&self.remaining);
        }
        let mut available = self.remaining.non_shared();
        available += &self.shared;
        Cow::Owned(available)
    }

    /// Takes what a task or an executor uses. Copies of a shared volume beyond those that were offered are new ones.
    pub(super) fn take(&mut self, used: &Resources) {
        if used.has_shared() {
            let mut additional = used.shared();
            additional -= &self.remaining.shared();
            if !additional.is_empty() {
                self.conversions.push(ResourceConversion::new(Resources::EMPTY, additional));
            }
        }
        self.remaining -= used;
    }

    fn apply(&mut self, what: &ResourceOperation) -> Result<(), OperationError> {
        let conversions = what.conversions()?;
        let mut remaining = self.remaining.clone();
        conversions.iter().try_for_each(|conversion| remaining.convert(conversion))?;
        match what {
            ResourceOperation::Reserve { .. } | ResourceOperation::Unreserve { .. } => {
                self.remaining = remaining;
            }
            ResourceOperation::Create { .. } | ResourceOperation::Destroy { .. } => {
                self.remaining = remaining;
                self.shared = self.remaining.shared();
            }
            ResourceOperation::GrowVolume { .. } | ResourceOperation::ShrinkVolume { .. } => {
                for conversion in &conversions {
                    self.remaining -= &conversion.consumed;
                    self.resized += &conversion.converted;
                }
            }
        }
        self.conversions.extend(conversions);
        Ok(())
    }
}

fn sum_of(offers: &[Offer]) -> Resources {
    let mut sum = Resources::EMPTY;
    offers.iter().for_each(|offer| sum += &offer.resources);
    sum
}
