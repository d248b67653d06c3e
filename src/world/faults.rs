//! What faults do to the simulated data centre.

use std::collections::BTreeMap;

use mesos::{
    id::Id,
    maintenance::{Machine, Schedule as MaintenanceSchedule, Window},
    operator::OperatorCall,
    resource::{ResourceName, ResourceQuantities, Resources, Scalar},
    time::{Span, Time},
};

use super::{
    MASTER, NodeId, World,
    network::{Between, ConditionId, NodeSet},
};
use crate::{
    cluster::MachineId,
    fault::{Action, CauseId, Ends, Factors, MaintenanceWindow, Occurrence, Side},
    record::{Observer, Record},
};

/// What faults have done and not undone yet.
#[derive(Default)]
pub(super) struct Damage {
    /// Conditions that a cause has laid on the network.
    conditions: Vec<(CauseId, ConditionId)>,
    slowness: Factors,
    capacity: Factors,
    windows: BTreeMap<CauseId, Vec<MaintenanceWindow>>,
}

impl<O: Observer> World<'_, O> {
    /// The time of a fault has come.
    pub(super) fn strike(&mut self, now: Time) {
        while let Some(faults) = &mut self.faults
            && faults.peek_time().is_some_and(|at| at <= now)
        {
            let Some(Occurrence { cause, action, .. }) = faults.pop() else { break };
            self.observer.observe(now, &Record::Fault { cause, action: &action });
            self.act(now, cause, action);
        }
        self.await_faults();
    }

    /// Sets the alarm for what goes wrong next.
    pub(super) fn await_faults(&mut self) {
        let next = self.faults.as_ref().and_then(|faults| faults.peek_time());
        self.engine.wake_at(self.fault_node(), next);
    }

    fn act(&mut self, now: Time, cause: CauseId, action: Action) {
        match action {
            Action::AgentCrash { machine } => {
                self.agents[machine.index()].is_crashed = true;
                self.crash(now, cause, machine.index());
            }
            Action::AgentShutdown { machine } => {
                self.agents[machine.index()].is_crashed = true;
                self.agents[machine.index()].blame = Some(cause);
                self.shut_down_process(now, machine.index());
                self.power_off(now, cause, machine.index()); // what it said before is still under way
            }
            Action::AgentRepair { machine } => {
                self.agents[machine.index()].is_crashed = false;
                self.power_on(now, machine.index());
            }
            Action::AgentProcessStop { machine } => {
                self.agents[machine.index()].blame = Some(cause);
                self.stop_process(now, machine.index());
                self.agents[machine.index()].blame = None;
                self.agent_link_broke(now, machine.index());
                self.no_longer_missing(now, Some(machine.index()), None);
                self.update_trust(now, machine.index());
            }
            Action::AgentProcessStart { machine } => {
                let agent = &self.agents[machine.index()];
                if agent.is_up() && agent.is_process_wanted && agent.process().is_none() {
                    self.start_process(now, machine.index());
                }
            }
            Action::LinkCut { ends } => self.lay(now, cause, &ends, |network, ends| network.cut(ends)),
            Action::LinkLoss { ends, probability } => {
                self.lay(now, cause, &ends, |network, ends| network.lose(ends, probability));
            }
            Action::LinkDelay { ends, extra } => {
                self.lay(now, cause, &ends, |network, ends| network.delay(ends, extra));
            }
            Action::LinkHeal { .. } => self.heal_links(now, cause),
            Action::MasterFail => self.fail_master(now),
            Action::FrameworkCrash { framework } => {
                self.crash_framework(now, framework);
                self.no_longer_missing(now, None, Some(framework));
            }
            Action::FrameworkBack { framework } => self.start_framework(now, framework),
            Action::Straggle { machine, factor } => {
                let factor = self.damage.slowness.put(machine, cause, factor);
                self.set_machine_rate(now, machine.index(), 1.0 / factor);
            }
            Action::StraggleEnd { machine } => {
                let factor = self.damage.slowness.lift(machine, cause);
                self.set_machine_rate(now, machine.index(), 1.0 / factor);
            }
            Action::MaintenanceSchedule { windows } => {
                self.damage.windows.insert(cause, windows);
                self.send_schedule(now);
            }
            Action::MaintenanceStart { machines } => self.start_maintenance(now, cause, &machines),
            Action::MaintenanceStop { machines } => self.stop_maintenance(now, cause, &machines),
            Action::Capacity { machine, factor } => {
                let factor = self.damage.capacity.put(machine, cause, factor);
                self.change_capacity(now, cause, machine, factor);
            }
            Action::CapacityEnd { machine } => {
                let factor = self.damage.capacity.lift(machine, cause);
                self.change_capacity(now, cause, machine, factor);
            }
        }
    }

    fn crash(&mut self, now: Time, cause: CauseId, machine: usize) {
        self.silence_link(machine);
        self.power_off(now, cause, machine);
    }

    fn power_off(&mut self, now: Time, cause: CauseId, machine: usize) {
        self.agents[machine].blame = Some(cause);
        self.crash_machine(now, machine);
        self.agents[machine].blame = None;
        self.no_longer_missing(now, Some(machine), None);
        self.update_trust(now, machine);
    }

    /// A master that has not noticed that the machine was away learns it now: its old connection is refused.
    fn power_on(&mut self, now: Time, machine: usize) {
        if !self.agents[machine].is_up() || self.agents[machine].process().is_some() {
            return; // it is down for another reason, or was never
        }
        self.agent_link_broke(now, machine);
        if self.agents[machine].is_process_wanted {
            self.start_process(now, machine);
        }
    }

    fn lay(
        &mut self,
        now: Time,
        cause: CauseId,
        ends: &Ends,
        lay: impl FnOnce(&mut super::network::Network, Between) -> ConditionId,
    ) {
        let between = self.between(ends);
        let id = lay(&mut self.network, between);
        self.damage.conditions.push((cause, id));
        self.review_links(now);
    }

    /// Lifts all that a cause has laid on links.
    fn heal_links(&mut self, now: Time, cause: CauseId) {
        let conditions = std::mem::take(&mut self.damage.conditions);
        for (of, id) in conditions {
            if of == cause {
                self.network.lift(id);
            } else {
                self.damage.conditions.push((of, id));
            }
        }
        self.review_links(now);
    }

    fn between(&self, ends: &Ends) -> Between {
        let a = self.nodes_of(&ends.a);
        let all = (0..=self.agents.len() + self.frameworks.len()).map(NodeId::new);
        let b = match &ends.b {
            Some(side) => self.nodes_of(side),
            None => all.filter(|node| !a.contains(*node)).collect(),
        };
        Between { a, b, one_way: ends.one_way }
    }

    fn nodes_of(&self, side: &Side) -> NodeSet {
        let master = side.master.then_some(NodeId::new(MASTER));
        let machines = side.machines.iter().map(|machine| self.agent_node(machine.index()));
        let frameworks = side.frameworks.iter().map(|&place| self.framework_node(place));
        master.into_iter().chain(machines).chain(frameworks).collect()
    }

    /// The schedule is that of all causes together.
    fn send_schedule(&mut self, now: Time) {
        let windows = self.damage.windows.values().flatten();
        let windows = windows.filter(|window| !window.machines.is_empty()).map(|window| Window {
            machines: self.machine_ids(&window.machines),
            start: window.start,
            duration: Some(i64::try_from(window.lasts.0).unwrap_or(i64::MAX)),
        });
        let schedule = MaintenanceSchedule { windows: windows.collect() };
        self.ask_as_operator(now, OperatorCall::UpdateMaintenanceSchedule(schedule));
    }

    fn machine_ids(&self, machines: &[MachineId]) -> Vec<Machine> {
        let id = |machine: &MachineId| Machine {
            hostname: self.cluster.machine(*machine).hostname.clone(),
            ip: super::ip_of(machine.index()),
        };
        machines.iter().map(id).collect()
    }

    fn start_maintenance(&mut self, now: Time, cause: CauseId, machines: &[MachineId]) {
        for machine in machines {
            let agent = &mut self.agents[machine.index()];
            (agent.is_process_wanted, agent.blame) = (false, Some(cause));
        }
        self.ask_as_operator(now, OperatorCall::StartMaintenance(self.machine_ids(machines)));
    }

    fn stop_maintenance(&mut self, now: Time, cause: CauseId, machines: &[MachineId]) {
        self.ask_as_operator(now, OperatorCall::StopMaintenance(self.machine_ids(machines)));
        if let Some(windows) = self.damage.windows.get_mut(&cause) {
            for window in windows {
                window.machines.retain(|machine| !machines.contains(machine));
            }
        }
        for machine in machines {
            let agent = &mut self.agents[machine.index()];
            (agent.is_process_wanted, agent.blame) = (true, None);
            if agent.is_up() && agent.process().is_none() {
                self.start_process(now, machine.index());
            }
        }
    }

    fn change_capacity(&mut self, now: Time, cause: CauseId, machine: MachineId, factor: f64) {
        let was_away = std::mem::replace(&mut self.agents[machine.index()].has_no_capacity, factor == 0.0);
        match (was_away, factor == 0.0) {
            (false, true) => self.crash(now, cause, machine.index()),
            (true, false) => self.power_on(now, machine.index()),
            (true, true) | (false, false) => {}
        }
        if factor > 0.0 {
            let total = part_of(&self.cluster.machine(machine).resources, factor);
            self.set_machine_total(now, machine.index(), total);
        }
    }

    /// Ends all faults and undoes what they did: machines come up, links heal, frameworks are back. Maintenance that the master
    /// has not begun yet is ended when this is called again.
    pub fn heal(&mut self) {
        let now = self.engine.now();
        self.faults = None;
        (self.never_rests, self.over_since) = (false, None);
        self.last_progress = now;
        self.await_faults();
        self.damage.windows.clear();
        for machine in 0..self.agents.len() {
            let machine = self.machine_ids(&[MachineId::new(machine)]); // one by one: those that are up are refused
            self.ask_as_operator(now, OperatorCall::StopMaintenance(machine));
        }
        for (_, id) in std::mem::take(&mut self.damage.conditions) {
            self.network.lift(id);
        }
        self.review_links(now);
        for machine in 0..self.agents.len() {
            let agent = &mut self.agents[machine];
            (agent.is_crashed, agent.has_no_capacity) = (false, false);
            (agent.is_process_wanted, agent.blame) = (true, None);
            self.power_on(now, machine);
        }
        for place in 0..self.frameworks.len() {
            if !self.frameworks[place].is_up() {
                self.start_framework(now, place);
            }
        }
    }
}

/// So much of each resource, rounded down to whole MiB of memory and disk, thousandths of CPUs and whole GPUs.
fn part_of(whole: &Resources, factor: f64) -> Resources {
    let part = |name| (whole.get(name).as_f64() * factor).floor().max(0.0);
    let scalar = |value: f64| Scalar::from_f64(value).unwrap_or(Scalar::ZERO);
    let cpus = scalar((whole.get(ResourceName::Cpus).as_f64() * factor * 1000.0).floor() / 1000.0);
    let [mem, disk, gpus] = [ResourceName::Mem, ResourceName::Disk, ResourceName::Gpus].map(part);
    let amounts = ResourceQuantities::new([cpus, scalar(mem), scalar(disk), Scalar::ZERO]);
    Resources::of(amounts).with_devices(whole.devices().first((gpus * 1000.0) as i64))
}

/// So long is waited at the end of a run with faults for the dust to settle.
pub(super) const SETTLE: Span = Span::from_secs(900);
