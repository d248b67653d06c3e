//! Changes of the registry, one batch after the other (`Registrar`): registry first, memory second.
//!
//! While a change is on its way the master remembers what it is for, so that nothing is asked for twice, and finishes the
//! matter when the change is kept.

use std::collections::{BTreeMap, BTreeSet};

use super::{Master, observer::Silence};
use crate::{
    effects::MasterEffects,
    id::{Address, AgentId, RequestId},
    registration::Reregistration,
    registry::RegistryOperation,
    time::Time,
};

/// Changes in the order in which they were asked for, each with the question of the operator that it answers.
#[derive(Debug, Default)]
struct Batch {
    changes: Vec<RegistryOperation>,
    requests: Vec<Option<RequestId>>,
}

/// What waits to be stored, what is being stored, and which agents that concerns.
#[derive(Debug, Default)]
pub(super) struct Registrar {
    queued: Batch,
    in_flight: Batch,
    /// A batch is being stored, or what follows from one is being done.
    is_busy: bool,
    /// Addresses whose agent is about to be registered.
    pub(super) registering: BTreeSet<Address>,
    /// Where the agents are that are about to be registered.
    pub(super) admitting: BTreeMap<AgentId, Address>,
    /// What agents have said that are about to be back.
    pub(super) reregistering: BTreeMap<AgentId, (Address, Box<Reregistration>)>,
    /// Connections that broke while their agents were about to be registered, and over which nothing has come since.
    pub(super) broken: BTreeSet<Address>,
    /// Why agents are about to be removed.
    pub(super) removing: BTreeMap<AgentId, &'static str>,
    /// Why agents are about to be unreachable.
    pub(super) marking_unreachable: BTreeMap<AgentId, Silence>,
    /// Agents that are about to be gone.
    pub(super) marking_gone: BTreeSet<AgentId>,
}

impl Registrar {
    /// A change that a new master makes by itself: it is stored with the first that anything asks for.
    pub(super) fn apply_first(&mut self, change: RegistryOperation) {
        self.queued.changes.push(change);
        self.queued.requests.push(None);
    }

    /// Whether something is about to end the registration of this agent.
    /// Whether the agent at this address is about to be registered, for the first time or again.
    pub(super) fn is_coming_from(&self, address: Address) -> bool {
        self.registering.contains(&address) || self.reregistering.values().any(|(from, _)| *from == address)
    }

    pub(super) fn is_ending(&self, agent: AgentId) -> bool {
        self.removing.contains_key(&agent)
            || self.marking_unreachable.contains_key(&agent)
            || self.marking_gone.contains(&agent)
    }
}

impl Master {
    /// Stores a change; when it is stored, what follows from it is done.
    pub(super) fn apply(&mut self, now: Time, change: RegistryOperation, out: &mut impl MasterEffects) {
        self.enqueue(now, change, None, out);
    }

    /// Stores a change that an operator asked for; what follows from it includes the answer.
    pub(super) fn apply_for(
        &mut self,
        now: Time,
        request: RequestId,
        change: RegistryOperation,
        out: &mut impl MasterEffects,
    ) {
        self.enqueue(now, change, Some(request), out);
    }

    pub(super) fn enqueue(
        &mut self,
        now: Time,
        change: RegistryOperation,
        request: Option<RequestId>,
        out: &mut impl MasterEffects,
    ) {
        self.registrar.queued.changes.push(change);
        self.registrar.queued.requests.push(request);
        if !self.registrar.is_busy {
            self.store_queued(now, out);
        }
    }

    /// The batch in flight is stored.
    pub(super) fn stored(&mut self, now: Time, out: &mut impl MasterEffects) {
        let batch = std::mem::take(&mut self.registrar.in_flight);
        assert!(!batch.changes.is_empty(), "nothing was to be stored");
        self.finish_batch(now, batch, out);
        self.store_queued(now, out);
    }

    /// Stores batch after batch, until one takes its time or there is nothing left: what follows from a change may ask for
    /// another.
    fn store_queued(&mut self, now: Time, out: &mut impl MasterEffects) {
        self.registrar.is_busy = true;
        while !self.registrar.queued.changes.is_empty() {
            let batch = std::mem::take(&mut self.registrar.queued);
            if !out.store(&batch.changes) {
                self.registrar.in_flight = batch;
                return;
            }
            self.finish_batch(now, batch, out);
        }
        self.registrar.is_busy = false;
    }

    fn finish_batch(&mut self, now: Time, batch: Batch, out: &mut impl MasterEffects) {
        for (change, request) in batch.changes.into_iter().zip(batch.requests) {
            self.finish(now, change, request, out);
        }
    }

    fn finish(
        &mut self,
        now: Time,
        change: RegistryOperation,
        request: Option<RequestId>,
        out: &mut impl MasterEffects,
    ) {
        match change {
            RegistryOperation::Admit(agent, info) => self.admitted(now, agent, *info, out),
            RegistryOperation::Update(agent, _) => self.updated(now, agent, out),
            RegistryOperation::MarkReachable(agent, _) => self.marked_reachable(now, agent, out),
            RegistryOperation::Remove(agent) => self.removed(now, agent, out),
            RegistryOperation::MarkUnreachable(agent, since) => {
                self.marked_unreachable(now, agent, since, out);
            }
            RegistryOperation::MarkGone(agent, since) => self.marked_gone(now, agent, since, request, out),
            RegistryOperation::Drain(agent, info) => self.drain_stored(now, agent, info, request, out),
            RegistryOperation::Drained(agent) => self.drained_stored(now, agent, request, out),
            RegistryOperation::Deactivate(agent) => self.deactivated_stored(now, agent, request, out),
            RegistryOperation::Reactivate(agent) => self.reactivated_stored(now, agent, request, out),
            RegistryOperation::Prune { unreachable, gone } => self.pruned(&unreachable, &gone),
            RegistryOperation::UpdateQuota(configs) => self.quota_stored(now, &configs, request, out),
            RegistryOperation::UpdateWeights(weights) => self.weights_stored(now, &weights, request, out),
            RegistryOperation::UpdateSchedule(schedule) => self.schedule_stored(now, schedule, request, out),
            RegistryOperation::StartMaintenance(machines) => {
                self.maintenance_started(now, &machines, request, out);
            }
            RegistryOperation::StopMaintenance(machines) => {
                self.maintenance_stopped(&machines, request, out);
            }
        }
    }
}
