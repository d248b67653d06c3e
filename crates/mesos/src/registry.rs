//! What a master keeps for good: all that the next one knows when this one dies (Mesos' `Registry`).
//!
//! Frameworks, tasks, offers, executors, filters, suppression and completed lists are not in it: they come back with agents and
//! frameworks, or not at all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    id::AgentId,
    maintenance::{Machine, MachineMode, Schedule, Unavailability},
    quota::QuotaConfig,
    registration::AgentInfo,
    time::Time,
};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// Agents that are registered, or are expected back.
    pub admitted: BTreeMap<AgentId, AdmittedAgent>,
    /// Agents that did not answer, and since when.
    pub unreachable: BTreeMap<AgentId, UnreachableAgent>,
    /// Agents that are gone for good, and since when.
    pub gone: BTreeMap<AgentId, Time>,
    /// Machines that are in the schedule or down.
    #[serde(with = "machines")]
    pub machines: BTreeMap<Machine, MachineInfo>,
    /// The plan for maintenance.
    pub schedule: Schedule,
    /// Quota of each role that has some.
    pub quotas: BTreeMap<String, QuotaConfig>,
    /// Weight of each role that was given one.
    pub weights: BTreeMap<String, f64>,
    /// What a master must be able to do to read this (`AGENT_DRAINING`, `QUOTA_V2`).
    pub minimum_capabilities: Vec<String>,
}

/// An agent in the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmittedAgent {
    /// What it says of itself.
    pub info: AgentInfo,
    /// How far its draining is, if it is drained.
    pub drain: Option<DrainInfo>,
    /// Whether an operator (or draining) keeps it from being offered.
    pub deactivated: bool,
}

/// An agent that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnreachableAgent {
    /// Since when.
    pub since: Time,
    /// How far its draining is, if it is drained.
    pub drain: Option<DrainInfo>,
    /// Whether an operator (or draining) keeps it from being offered.
    pub deactivated: bool,
}

/// How far the draining of an agent is (Mesos' `DrainInfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrainInfo {
    /// Whether it is empty.
    pub drained: bool,
    /// The longest that a task may take to end, in nanoseconds.
    pub max_grace_period: Option<i64>,
    /// Whether it is marked gone when it is empty.
    pub mark_gone: bool,
}

/// A machine of which something is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineInfo {
    /// What it is doing.
    pub mode: MachineMode,
    /// When it will be away.
    pub unavailability: Option<Unavailability>,
}

/// One change of the registry (Mesos' `RegistryOperation`s).
#[derive(Clone, Debug, PartialEq)]
pub enum RegistryOperation {
    /// A new agent (`AdmitSlave`).
    Admit(AgentId, Box<AgentInfo>),
    /// What an agent says of itself has changed (`UpdateSlave`).
    Update(AgentId, Box<AgentInfo>),
    /// An agent has left (`RemoveSlave`).
    Remove(AgentId),
    /// An agent does not answer (`MarkSlaveUnreachable`).
    MarkUnreachable(AgentId, Time),
    /// An agent is back (`MarkSlaveReachable`).
    MarkReachable(AgentId, Box<AgentInfo>),
    /// An agent is gone for good (`MarkSlaveGone`).
    MarkGone(AgentId, Time),
    /// An agent is to be drained (`DrainAgent`).
    Drain(AgentId, DrainInfo),
    /// An agent is empty (`MarkAgentDrained`).
    Drained(AgentId),
    /// An agent is not to be offered (`DeactivateAgent`).
    Deactivate(AgentId),
    /// An agent may be offered again (`ReactivateAgent`).
    Reactivate(AgentId),
    /// Agents that were unreachable or gone for too long are forgotten (`Prune`).
    Prune {
        /// Of the unreachable.
        unreachable: Vec<AgentId>,
        /// Of the gone.
        gone: Vec<AgentId>,
    },
    /// Quota of these roles; one that promises and limits nothing ends it (`UpdateQuota`).
    UpdateQuota(Vec<QuotaConfig>),
    /// Weights of these roles (`UpdateWeights`).
    UpdateWeights(Vec<(String, f64)>),
    /// The whole plan for maintenance (`UpdateSchedule`).
    UpdateSchedule(Schedule),
    /// These machines go down (`StartMaintenance`).
    StartMaintenance(Vec<Machine>),
    /// These machines are up again (`StopMaintenance`).
    StopMaintenance(Vec<Machine>),
}

impl Registry {
    /// Applies a change, as the master's registrar does (`RegistryOperation::perform`). One that does not fit, such as the
    /// draining of an agent that is not there, changes nothing.
    pub fn apply(&mut self, change: &RegistryOperation) {
        match change {
            RegistryOperation::Admit(agent, info) => {
                self.admitted.entry(*agent).or_insert_with(|| AdmittedAgent::new((**info).clone()));
            }
            RegistryOperation::Update(agent, info) => {
                if let Some(admitted) = self.admitted.get_mut(agent) {
                    admitted.info = (**info).clone();
                }
            }
            RegistryOperation::Remove(agent) => {
                self.admitted.remove(agent);
            }
            RegistryOperation::MarkUnreachable(agent, since) => self.mark_unreachable(*agent, *since),
            RegistryOperation::MarkReachable(agent, info) => self.mark_reachable(*agent, info),
            RegistryOperation::MarkGone(agent, since) => {
                let was_admitted = self.admitted.remove(agent).is_some();
                if self.unreachable.remove(agent).is_some() || was_admitted {
                    self.gone.insert(*agent, *since);
                }
            }
            RegistryOperation::Drain(agent, info) => self.set_drain(*agent, Some(*info), true),
            RegistryOperation::Drained(agent) => {
                let info = self.drain_of(*agent);
                self.set_drain(*agent, info.map(|info| DrainInfo { drained: true, ..info }), true);
            }
            RegistryOperation::Deactivate(agent) => {
                let info = self.drain_of(*agent);
                self.set_drain(*agent, info, true);
            }
            RegistryOperation::Reactivate(agent) => self.set_drain(*agent, None, false),
            RegistryOperation::Prune { unreachable, gone } => {
                for agent in unreachable {
                    self.unreachable.remove(agent);
                }
                for agent in gone {
                    self.gone.remove(agent);
                }
            }
            RegistryOperation::UpdateQuota(configs) => {
                configs.iter().for_each(|config| self.set_quota(config));
            }
            RegistryOperation::UpdateWeights(weights) => self.weights.extend(weights.iter().cloned()),
            RegistryOperation::UpdateSchedule(schedule) => self.set_schedule(schedule),
            RegistryOperation::StartMaintenance(machines) => {
                for machine in machines {
                    if let Some(info) = self.machines.get_mut(machine) {
                        info.mode = MachineMode::Down;
                    }
                }
            }
            RegistryOperation::StopMaintenance(machines) => self.stop_maintenance(machines),
        }
        self.set_minimum_capabilities(change);
    }

    fn mark_unreachable(&mut self, agent: AgentId, since: Time) {
        if let Some(AdmittedAgent { drain, deactivated, .. }) = self.admitted.remove(&agent) {
            self.unreachable.insert(agent, UnreachableAgent { since, drain, deactivated });
        }
    }

    /// An agent that nobody knows is taken in too (`MarkSlaveReachable`).
    fn mark_reachable(&mut self, agent: AgentId, info: &AgentInfo) {
        let was = self.unreachable.remove(&agent);
        let (drain, deactivated) = was.map_or((None, false), |was| (was.drain, was.deactivated));
        let new = || AdmittedAgent { info: info.clone(), drain, deactivated };
        self.admitted.entry(agent).or_insert_with(new).info = info.clone();
    }

    fn drain_of(&self, agent: AgentId) -> Option<DrainInfo> {
        let admitted = self.admitted.get(&agent).and_then(|of| of.drain);
        admitted.or_else(|| self.unreachable.get(&agent).and_then(|of| of.drain))
    }

    fn set_drain(&mut self, agent: AgentId, info: Option<DrainInfo>, is_deactivated: bool) {
        if let Some(admitted) = self.admitted.get_mut(&agent) {
            (admitted.drain, admitted.deactivated) = (info, is_deactivated);
        }
        if let Some(unreachable) = self.unreachable.get_mut(&agent) {
            (unreachable.drain, unreachable.deactivated) = (info, is_deactivated);
        }
    }

    fn set_quota(&mut self, config: &QuotaConfig) {
        if config.quota().is_default() {
            self.quotas.remove(&config.role);
        } else {
            self.quotas.insert(config.role.clone(), config.clone());
        }
    }

    fn set_schedule(&mut self, schedule: &Schedule) {
        self.machines = planned_machines(schedule, &self.machines);
        self.schedule = schedule.clone();
    }

    fn stop_maintenance(&mut self, machines: &[Machine]) {
        self.machines.retain(|machine, _| !machines.contains(machine));
        self.schedule.remove(machines);
    }

    /// Looks at all agents only when the last one that is drained may have come or gone.
    fn set_minimum_capabilities(&mut self, change: &RegistryOperation) {
        match change {
            RegistryOperation::Drain(..) | RegistryOperation::Deactivate(_) => self.demand_draining(),
            RegistryOperation::Remove(_)
            | RegistryOperation::MarkGone(..)
            | RegistryOperation::Reactivate(_)
            | RegistryOperation::Prune { .. } => {
                if self.minimum_capabilities.iter().any(|of| of == "AGENT_DRAINING") {
                    self.demand_draining();
                }
            }
            RegistryOperation::UpdateQuota(_) => self.demand("QUOTA_V2", !self.quotas.is_empty()),
            RegistryOperation::Admit(..)
            | RegistryOperation::Update(..)
            | RegistryOperation::MarkUnreachable(..)
            | RegistryOperation::MarkReachable(..)
            | RegistryOperation::Drained(_)
            | RegistryOperation::UpdateWeights(_)
            | RegistryOperation::UpdateSchedule(_)
            | RegistryOperation::StartMaintenance(_)
            | RegistryOperation::StopMaintenance(_) => {}
        }
    }

    fn demand_draining(&mut self) {
        let admitted = self.admitted.values().any(|of| of.deactivated || of.drain.is_some());
        let drains = admitted || self.unreachable.values().any(|of| of.deactivated || of.drain.is_some());
        self.demand("AGENT_DRAINING", drains);
    }

    fn demand(&mut self, capability: &str, is_needed: bool) {
        self.minimum_capabilities.retain(|known| known != capability);
        if is_needed {
            self.minimum_capabilities.push(capability.into());
            self.minimum_capabilities.sort_unstable();
        }
    }
}

/// What the machines of a schedule do from now on: those that were down stay down, those that are no longer planned are up
/// (`UpdateSchedule`).
pub(crate) fn planned_machines(
    schedule: &Schedule,
    before: &BTreeMap<Machine, MachineInfo>,
) -> BTreeMap<Machine, MachineInfo> {
    let mut machines = BTreeMap::new();
    for window in &schedule.windows {
        let unavailability = Some(window.unavailability());
        for machine in &window.machines {
            let mode = before.get(machine).map_or(MachineMode::Draining, |info| info.mode);
            machines.insert(machine.clone(), MachineInfo { mode, unavailability });
        }
    }
    machines
}

impl AdmittedAgent {
    /// An agent that nobody drains.
    #[must_use]
    pub const fn new(info: AgentInfo) -> Self {
        Self { info, drain: None, deactivated: false }
    }
}

/// A map whose keys are no texts, written as a list of pairs.
mod machines {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Machine, MachineInfo};

    pub(super) fn serialize<S: Serializer>(
        machines: &BTreeMap<Machine, MachineInfo>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(machines)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Machine, MachineInfo>, D::Error> {
        Vec::<(Machine, MachineInfo)>::deserialize(deserializer).map(BTreeMap::from_iter)
    }
}
