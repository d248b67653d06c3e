//! Planned maintenance: the schedule, and machines that go down and up. Inverse offers are in `inverse_offers.rs`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Master, operator::Reply};
use crate::{
    allocator::Allocator,
    call::Refusal,
    effects::MasterEffects,
    event::{InverseOffer, ToAgent},
    id::{AgentId, FrameworkId, InverseOfferId, RequestId},
    maintenance::{Machine, MachineMode, Schedule, Unavailability, validate_machines},
    operator::Done,
    registration::AgentInfo,
    registry::{MachineInfo, Registry, RegistryOperation, planned_machines},
    time::Time,
};

/// Machines of which something is planned, and the inverse offers that are out.
#[derive(Debug, Default)]
pub(super) struct Maintenance {
    /// Those in the schedule; host names are in lower case.
    pub(super) machines: BTreeMap<Machine, MachineInfo>,
    pub(super) schedule: Schedule,
    pub(super) inverse_offers: BTreeMap<InverseOfferId, InverseOffer>,
    /// When frameworks last answered for an agent.
    pub(super) answered: BTreeMap<(AgentId, FrameworkId), Time>,
}

/// Why an agent on a machine under maintenance is told to end.
const MACHINE_DOWN: &str = "Operator initiated 'Machine DOWN'";

impl Master {
    /// UPDATE_MAINTENANCE_SCHEDULE replaces the whole plan (`Master::Http::_updateMaintenanceSchedule`).
    pub(super) fn update_schedule(
        &mut self,
        now: Time,
        request: RequestId,
        schedule: &Schedule,
        out: &mut impl MasterEffects,
    ) -> Result<Reply, Refusal> {
        let machines = self.maintenance.machines.iter();
        let down = machines.filter(|(_, info)| info.mode == MachineMode::Down).map(|(machine, _)| machine);
        schedule.validate(down).map_err(|error| Refusal::bad_request(error.to_string()))?;
        self.apply_for(now, request, RegistryOperation::UpdateSchedule(schedule.normal()), out);
        Ok(Reply::Later)
    }

    /// START_MAINTENANCE: machines of the schedule go down (`Master::Http::_startMaintenance`).
    pub(super) fn start_maintenance(
        &mut self,
        now: Time,
        request: RequestId,
        machines: &[Machine],
        out: &mut impl MasterEffects,
    ) -> Result<Reply, Refusal> {
        let machines =
            self.check_mode(machines, MachineMode::Draining, "DRAINING mode and cannot be brought down")?;
        self.apply_for(now, request, RegistryOperation::StartMaintenance(machines), out);
        Ok(Reply::Later)
    }

    /// STOP_MAINTENANCE: machines are up again, and out of the schedule (`Master::Http::_stopMaintenance`).
    pub(super) fn stop_maintenance(
        &mut self,
        now: Time,
        request: RequestId,
        machines: &[Machine],
        out: &mut impl MasterEffects,
    ) -> Result<Reply, Refusal> {
        let machines = self.check_mode(machines, MachineMode::Down, "DOWN mode and cannot be brought up")?;
        self.apply_for(now, request, RegistryOperation::StopMaintenance(machines), out);
        Ok(Reply::Later)
    }

    fn check_mode(
        &self,
        machines: &[Machine],
        mode: MachineMode,
        words: &str,
    ) -> Result<Vec<Machine>, Refusal> {
        validate_machines(machines).map_err(|error| Refusal::bad_request(error.to_string()))?;
        for machine in machines {
            let Some(info) = self.maintenance.machines.get(&machine.normal()) else {
                return Err(Refusal::bad_request(format!(
                    "Machine '{machine}' is not part of a maintenance schedule"
                )));
            };
            if info.mode != mode {
                return Err(Refusal::bad_request(format!("Machine '{machine}' is not in {words}")));
            }
        }
        Ok(machines.iter().map(Machine::normal).collect())
    }

    /// The registry has the plan: frameworks on machines for which it has changed are to know soon, so all offers there come
    /// back (`Master::updateUnavailability`).
    pub(super) fn schedule_stored(
        &mut self,
        now: Time,
        schedule: Schedule,
        request: Option<RequestId>,
        out: &mut impl MasterEffects,
    ) {
        let after = planned_machines(&schedule, &self.maintenance.machines);
        let before = std::mem::replace(&mut self.maintenance.machines, after);
        self.maintenance.schedule = schedule;
        let changed = changed_machines(&before, &self.maintenance.machines);
        for agent in self.agents_on(&changed) {
            self.update_unavailability(now, agent, out);
        }
        self.done(request, Done::Ok, out);
    }

    fn update_unavailability(&mut self, now: Time, agent: AgentId, out: &mut impl MasterEffects) {
        self.rescind_offers_of_agent(now, agent, |_| true, out);
        self.rescind_inverse_offers_of_agent(now, agent, out);
        self.maintenance.answered.retain(|(of, _), _| *of != agent);
        let unavailability = self.unavailability_of(agent).map(|planned| *planned);
        self.allocator.update_unavailability(agent, unavailability);
    }

    /// The registry has it that machines are down: their agents are told to end, and are gone whether they hear it or not.
    pub(super) fn maintenance_started(
        &mut self,
        now: Time,
        machines: &[Machine],
        request: Option<RequestId>,
        out: &mut impl MasterEffects,
    ) {
        for agent in self.agents_on(&machines.iter().cloned().collect()) {
            let address = self.agents[agent].as_ref().expect("it is registered").address;
            out.send_to_agent(address, ToAgent::Shutdown { message: MACHINE_DOWN.to_owned() });
            self.remove_agent(now, agent, MACHINE_DOWN, out);
        }
        for machine in machines {
            if let Some(info) = self.maintenance.machines.get_mut(machine) {
                info.mode = MachineMode::Down;
            }
        }
        self.done(request, Done::Ok, out);
    }

    /// The registry has it that machines are up again.
    pub(super) fn maintenance_stopped(
        &mut self,
        machines: &[Machine],
        request: Option<RequestId>,
        out: &mut impl MasterEffects,
    ) {
        self.maintenance.machines.retain(|machine, _| !machines.contains(machine));
        self.maintenance.schedule.remove(machines);
        self.done(request, Done::Ok, out);
    }

    /// What the registry has of machines.
    pub(super) fn recover_maintenance(&mut self, registry: &Registry) {
        self.maintenance.machines.clone_from(&registry.machines);
        self.maintenance.schedule.clone_from(&registry.schedule);
    }

    /// Registered agents on these machines, ascending.
    pub(super) fn agents_on(&self, machines: &BTreeSet<Machine>) -> Vec<AgentId> {
        if machines.is_empty() {
            return Vec::new();
        }
        let registered = self.agents.iter().filter_map(|(id, agent)| Some((id, agent.as_ref()?)));
        let is_there = |info: &AgentInfo| machines.contains(&machine(&info.hostname, &info.ip));
        registered.filter(|(_, agent)| is_there(&agent.info)).map(|(id, _)| id).collect()
    }

    fn machine_info(&self, hostname: &str, ip: &str) -> Option<&MachineInfo> {
        if self.maintenance.machines.is_empty() {
            return None;
        }
        self.maintenance.machines.get(&machine(hostname, ip))
    }

    /// Whether a machine is under maintenance, so that its agents may not register.
    pub(super) fn is_machine_down(&self, hostname: &str, ip: &str) -> bool {
        self.machine_info(hostname, ip).is_some_and(|info| info.mode == MachineMode::Down)
    }

    /// Whether a machine is in the schedule.
    pub(super) fn is_machine_scheduled(&self, hostname: &str, ip: &str) -> bool {
        self.machine_info(hostname, ip).is_some()
    }

    /// When a machine will be away.
    pub(super) fn unavailability_of_machine(&self, hostname: &str, ip: &str) -> Option<Unavailability> {
        self.machine_info(hostname, ip).and_then(|info| info.unavailability)
    }

    /// When a registered agent will be away; boxed for its place in an offer.
    pub(super) fn unavailability_of(&self, agent: AgentId) -> Option<Box<Unavailability>> {
        if self.maintenance.machines.is_empty() {
            return None;
        }
        let info = self.agent_info(agent)?;
        self.unavailability_of_machine(&info.hostname, &info.ip).map(Box::new)
    }
}

/// Machines that will be away at other times than before.
fn changed_machines(
    before: &BTreeMap<Machine, MachineInfo>,
    after: &BTreeMap<Machine, MachineInfo>,
) -> BTreeSet<Machine> {
    let planned = |of: &BTreeMap<Machine, MachineInfo>, machine: &Machine| {
        of.get(machine).and_then(|info| info.unavailability)
    };
    let all = before.keys().chain(after.keys());
    all.filter(|machine| planned(before, machine) != planned(after, machine)).cloned().collect()
}

/// The machine with this host name and address, as machines are compared.
fn machine(hostname: &str, ip: &str) -> Machine {
    Machine { hostname: hostname.to_ascii_lowercase(), ip: ip.to_owned() }
}
