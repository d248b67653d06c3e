//! From `[[fault]]` tables to faults: names of zones, racks, machines and frameworks become those of the cluster at hand.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mesos::{
    id::Id,
    time::{Span, Time},
};
use serde_json::json;

use super::{
    ExperimentError,
    config::{
        self, Distribution, Duration, Loaded, TraceFile,
        fault::{self as table, Fault, Machines, Nodes, Rolling},
    },
    prepare::Prepared,
    simulate::Cell,
    traced,
};
use crate::{
    cluster::{Cluster, MachineId},
    engine::{law::Law, random::Seed},
    fault::{
        AgentCrash, AgentRestart, AgentTrace, Capacity, Chance, Delay, Domain, Ends, FrameworkCrash, Loss,
        MachineStraggler, Maintenance, MasterFailover, Outage, Partition, Schedule, Scope, Side, Spec,
        TaskFailure, TaskStraggler,
        windows::{When, Windows},
    },
};

impl Prepared {
    /// What goes wrong in a cell.
    #[must_use]
    pub fn faults(&self, cell: Cell) -> Schedule {
        Schedule::new(self.faults.iter().cloned(), Seed(cell.seed))
    }
}

/// All faults of an experiment, in the order of the file.
pub(super) fn specs(
    loaded: &Loaded,
    cluster: &Cluster,
    facts: &mut serde_json::Map<String, serde_json::Value>,
) -> Result<Vec<Spec>, ExperimentError> {
    let faults = loaded.experiment.fault.iter().enumerate();
    let mut read = Vec::new();
    let specs = faults.map(|(place, fault)| {
        let path = format!("fault[{place}]");
        Reader { loaded, cluster, path, read: &mut read }.spec(fault)
    });
    let specs = specs.collect::<Result<Vec<_>, _>>()?;
    maintenance_is_once_at_a_time(loaded, cluster, &specs)?;
    if !read.is_empty() {
        facts.insert("faults".into(), read.into());
    }
    Ok(specs)
}

/// Reads one table.
struct Reader<'a> {
    loaded: &'a Loaded,
    cluster: &'a Cluster,
    path: String,
    /// Facts of the files that were read.
    read: &'a mut Vec<serde_json::Value>,
}

impl Reader<'_> {
    fn spec(mut self, fault: &Fault) -> Result<Spec, ExperimentError> {
        Ok(match fault {
            Fault::AgentCrash(table::AgentCrash { machines, at, every, lasts, graceful }) => {
                let (machines, graceful) = (self.machines(machines)?, *graceful);
                Spec::AgentCrash(AgentCrash { machines, windows: windows(at, *every, *lasts), graceful })
            }
            Fault::AgentTrace(table) => Spec::AgentTrace(self.agent_trace(table)?),
            Fault::AgentRestart(table::AgentRestart { machines, at, every, lasts }) => {
                let machines = self.machines(machines)?;
                Spec::AgentRestart(AgentRestart { machines, windows: windows(at, *every, *lasts) })
            }
            Fault::Outage(table) => Spec::Outage(self.outage(table)?),
            Fault::Partition(table::Partition { between, and, one_way, at, every, lasts }) => {
                let ends = self.ends(between, and.as_ref(), *one_way)?;
                Spec::Partition(Partition { ends, windows: windows(at, *every, *lasts) })
            }
            Fault::Loss(table::Loss { between, and, one_way, probability, at, every, lasts }) => {
                let ends = self.ends(between, and.as_ref(), *one_way)?;
                let (windows, probability) = (windows_or_always(at, *every, *lasts), *probability);
                Spec::Loss(Loss { ends, windows, probability })
            }
            Fault::Delay(table::Delay { between, and, one_way, extra, at, every, lasts }) => {
                let ends = self.ends(between, and.as_ref(), *one_way)?;
                Spec::Delay(Delay { ends, windows: windows_or_always(at, *every, *lasts), extra: extra.0 })
            }
            Fault::MasterFailover(table::MasterFailover { at, every }) => {
                Spec::MasterFailover(MasterFailover { when: when(at, *every) })
            }
            Fault::FrameworkCrash(table::FrameworkCrash { frameworks, at, every, lasts }) => {
                let frameworks = self.frameworks(frameworks);
                Spec::FrameworkCrash(FrameworkCrash { frameworks, windows: windows(at, *every, *lasts) })
            }
            Fault::TaskFailure(table) => Spec::TaskFailure(self.task_failure(table)),
            Fault::Straggler(table) => self.straggler(table)?,
            Fault::Maintenance(table) => Spec::Maintenance(self.maintenance(table)?),
            Fault::Capacity(table::Capacity { machines, factor, from, to, day }) => {
                let (machines, factor) = (self.machines(machines)?, *factor);
                Spec::Capacity(Capacity { machines, factor, from: from.0, to: to.0, day: day.0 })
            }
        })
    }

    fn agent_trace(&mut self, table: &table::AgentTrace) -> Result<AgentTrace, ExperimentError> {
        let file = TraceFile::at(table.path.clone());
        let places = self.hostnames();
        let (trace, rows) = traced::events::changes(self.loaded, &self.path, &file, &places)?;
        let name = table.path.file_name().map(|name| name.to_string_lossy().into_owned());
        self.read.push(json!({ "file": name, "rows": rows }));
        Ok(trace)
    }

    fn outage(&self, table: &table::Outage) -> Result<Outage, ExperimentError> {
        let scope = match table.scope {
            table::Scope::Rack => Scope::Rack,
            table::Scope::Zone => Scope::Zone,
            table::Scope::Power => {
                Scope::Power { racks: table.racks_per_unit.expect("a power unit has racks, as was checked") }
            }
        };
        let domains = self.domains(scope, "which", &table.which)?;
        Ok(Outage { domains, windows: windows(&table.at, table.every, table.lasts) })
    }

    fn task_failure(&self, table: &table::TaskFailure) -> TaskFailure {
        let chance = match (table.probability, table.rate_per_hour) {
            (Some(probability), _) => Chance::PerAttempt(probability),
            (None, rate) => {
                let rate = rate.expect("a probability or a rate, as was checked");
                Chance::PerTime(Span::from_secs_f64(3600.0 / rate).unwrap_or(Span::MAX))
            }
        };
        TaskFailure { frameworks: self.frameworks(&table.frameworks), chance }
    }

    fn straggler(&self, table: &table::Straggler) -> Result<Spec, ExperimentError> {
        let factor = table.factor;
        Ok(match (table.probability, table.lasts) {
            (Some(probability), _) => {
                let frameworks = self.frameworks(&table.frameworks);
                Spec::TaskStraggler(TaskStraggler { frameworks, probability, factor })
            }
            (None, lasts) => {
                let lasts = lasts.expect("machines are slow for a while, as was checked");
                let windows = windows(&table.at, table.every, lasts);
                let machines = self.machines(&table.machines)?;
                Spec::MachineStraggler(MachineStraggler { machines, windows, factor })
            }
        })
    }

    fn maintenance(&self, table: &table::Maintenance) -> Result<Maintenance, ExperimentError> {
        let mut groups: BTreeMap<u32, Vec<MachineId>> = BTreeMap::new();
        for id in self.machines(&table.machines)? {
            let machine = self.cluster.machine(id);
            let group = match table.rolling {
                Rolling::Off => 0,
                Rolling::Machine => id.index() as u32,
                Rolling::Rack => machine.rack,
                Rolling::Zone => machine.zone,
            };
            groups.entry(group).or_default().push(id);
        }
        Ok(Maintenance {
            groups: groups.into_values().collect(),
            start: Time(table.at.0.0),
            lasts: table.lasts.0,
            pause: table.pause.0,
            notice: table.notice.0,
        })
    }

    fn ends(
        &self,
        between: &Nodes,
        and: Option<&Nodes>,
        one_way: bool,
    ) -> Result<Arc<Ends>, ExperimentError> {
        let a = self.side("between.", between)?;
        let b = and.map(|and| self.side("and.", and)).transpose()?;
        Ok(Arc::new(Ends { a, b, one_way }))
    }

    /// Without a name, no agent and no framework is meant, unlike elsewhere.
    fn side(&self, key: &str, nodes: &Nodes) -> Result<Side, ExperimentError> {
        let machines = self.named_machines(key, &nodes.machines())?;
        let frameworks =
            if nodes.frameworks.is_empty() { Vec::new() } else { self.frameworks(&nodes.frameworks) };
        Ok(Side { master: nodes.master, machines, frameworks })
    }

    fn machines(&self, machines: &Machines) -> Result<Vec<MachineId>, ExperimentError> {
        if machines.is_all() {
            return Ok((0..self.cluster.machines().len()).map(MachineId::new).collect());
        }
        self.named_machines("machines.", machines)
    }

    /// In the order of the cluster, each once.
    fn named_machines(&self, key: &str, machines: &Machines) -> Result<Vec<MachineId>, ExperimentError> {
        let mut named: BTreeSet<MachineId> = BTreeSet::new();
        for (scope, list, names) in
            [(Scope::Zone, "zones", &machines.zones), (Scope::Rack, "racks", &machines.racks)]
        {
            if !names.is_empty() {
                let domains = self.domains(scope, &format!("{key}{list}"), names)?;
                named.extend(domains.into_iter().flat_map(|domain| domain.machines));
            }
        }
        let places = self.hostnames();
        for (index, name) in machines.hostnames.iter().enumerate() {
            let Some(&machine) = places.get(name.as_str()) else {
                let valid: Vec<&str> =
                    self.cluster.machines().iter().map(|machine| &*machine.hostname).collect();
                return Err(self.unknown(&format!("{key}hostnames[{index}]"), name, &valid));
            };
            named.insert(machine);
        }
        Ok(named.into_iter().collect())
    }

    /// The domains with these names; all, if there are none.
    fn domains(&self, scope: Scope, key: &str, names: &[String]) -> Result<Vec<Domain>, ExperimentError> {
        let domains = scope.domains(self.cluster);
        let valid: Vec<String> = domains.iter().map(|domain| scope.name(domain.number)).collect();
        let valid: Vec<&str> = valid.iter().map(String::as_str).collect();
        if let Some(index) = names.iter().position(|name| !valid.contains(&name.as_str())) {
            return Err(self.unknown(&format!("{key}[{index}]"), &names[index], &valid));
        }
        let wanted = domains.into_iter().zip(&valid);
        let wanted = wanted.filter(|(_, name)| names.is_empty() || names.iter().any(|other| other == *name));
        Ok(wanted.map(|(domain, _)| domain).collect())
    }

    fn hostnames(&self) -> BTreeMap<&str, MachineId> {
        let machines = self.cluster.machines().iter().enumerate();
        machines.map(|(place, machine)| (machine.hostname.as_str(), MachineId::new(place))).collect()
    }

    /// All, if no name is given. Names were checked with the file.
    fn frameworks(&self, names: &[String]) -> Vec<usize> {
        let frameworks = self.loaded.experiment.framework.iter().enumerate();
        let wanted = frameworks.filter(|(_, framework)| names.is_empty() || names.contains(&framework.name));
        wanted.map(|(place, _)| place).collect()
    }

    fn unknown(&self, key: &str, word: &str, valid: &[&str]) -> ExperimentError {
        self.loaded.unknown_word(format!("{}.{key}", self.path), word, valid).into()
    }
}

/// Mesos' schedule holds a machine at most once, from its announcement to the end of its maintenance.
fn maintenance_is_once_at_a_time(
    loaded: &Loaded,
    cluster: &Cluster,
    specs: &[Spec],
) -> Result<(), ExperimentError> {
    let mut busy: BTreeMap<MachineId, Vec<(Time, Time, usize)>> = BTreeMap::new();
    for (place, spec) in specs.iter().enumerate() {
        let Spec::Maintenance(maintenance) = spec else { continue };
        let announced = maintenance.announced();
        for window in maintenance.windows() {
            let end = window.start + window.lasts;
            for machine in window.machines {
                let others = busy.entry(machine).or_default();
                if let Some((.., other)) =
                    others.iter().find(|(from, to, _)| announced <= *to && *from <= end)
                {
                    let name = &cluster.machine(machine).hostname;
                    let message = format!(
                        "`{name}` would be twice in the schedule of maintenance: with `fault[{other}]` as well"
                    );
                    let help = "announce one maintenance of a machine after the end of the other";
                    return Err(loaded
                        .error_at(format!("fault[{place}]"), message, Some(help.into()))
                        .into());
                }
                others.push((announced, end, place));
            }
        }
    }
    Ok(())
}

fn windows(at: &[Duration], every: Option<config::Law>, lasts: config::Law) -> Windows {
    Windows { when: when(at, every), lasts: law(lasts) }
}

/// Without any time: from the start, for ever.
fn windows_or_always(at: &[Duration], every: Option<config::Law>, lasts: Option<config::Law>) -> Windows {
    match lasts {
        Some(lasts) => windows(at, every, lasts),
        None => Windows { when: When::At(vec![Time::ZERO]), lasts: Law::Constant(Span::MAX) },
    }
}

fn when(at: &[Duration], every: Option<config::Law>) -> When {
    match every {
        Some(every) => When::Every(law(every)),
        None => When::At(at.iter().map(|at| Time(at.0.0)).collect()),
    }
}

pub(super) fn law(law: config::Law) -> Law {
    let mean = law.mean.0;
    let given =
        |parameter: Option<f64>| parameter.expect("the distribution has its parameter, as was checked");
    match law.distribution {
        Distribution::Constant => Law::Constant(mean),
        Distribution::Exponential => Law::Exponential { mean },
        Distribution::Weibull => Law::weibull(mean, given(law.shape)),
        Distribution::Lognormal => Law::lognormal(mean, given(law.sigma)),
    }
}
