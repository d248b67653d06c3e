//! The machines of a simulated cluster: what each has, and where it stands.

use mesos::{
    id::Id,
    resource::{Devices, ResourceQuantities, Resources},
};

use crate::workload::{Demand, ModelSet};

mesos::id!(/// A machine, in the order of the cluster's description. It becomes an agent when it registers.
    MachineId);

/// One machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Its host name.
    pub hostname: String,
    /// All it has.
    pub resources: Resources,
    /// The model of its GPUs, as a bit of the cluster's models; empty without GPUs or model.
    pub model: ModelSet,
    /// Further attributes, by name.
    pub attributes: Vec<(String, String)>,
    /// Number of its rack, from 0.
    pub rack: u32,
    /// Number of its zone, from 0.
    pub zone: u32,
}

/// All machines.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    machines: Vec<Machine>,
    models: Vec<String>,
    /// Different (resources, model), for the question whether a task could ever fit.
    shapes: Vec<(Resources, ModelSet)>,
}

/// How machines are spread over racks, and racks over zones.
#[derive(Clone, Copy, Debug)]
pub struct Topology {
    /// Machines in one rack, at least one.
    pub agents_per_rack: u32,
    /// Racks in one zone, at least one.
    pub racks_per_zone: u32,
}

/// More GPU models than bits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("more than 63 different GPU models; the 64th is `{0}`")]
pub struct TooManyModels(pub String);

impl Cluster {
    /// A cluster without machines.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a machine; rack and zone follow from its number.
    pub fn add(
        &mut self,
        hostname: String,
        scalars: ResourceQuantities,
        gpus: usize,
        model: Option<&str>,
        attributes: Vec<(String, String)>,
        topology: Topology,
    ) -> Result<(), TooManyModels> {
        let resources = Resources::of(scalars).with_devices(Devices::whole(gpus));
        let model = model.map_or(Ok(ModelSet::ANY), |model| self.intern_model(model))?;
        if !self.shapes.iter().any(|(has, of)| *has == resources && *of == model) {
            self.shapes.push((resources.clone(), model));
        }
        let rack = self.machines.len() as u32 / topology.agents_per_rack;
        let zone = rack / topology.racks_per_zone;
        self.machines.push(Machine { hostname, resources, model, attributes, rack, zone });
        Ok(())
    }

    /// The bit of a GPU model, new if it was never seen.
    pub fn intern_model(&mut self, model: &str) -> Result<ModelSet, TooManyModels> {
        let known = self.models.iter().position(|name| name == model);
        let place = known.unwrap_or(self.models.len());
        if place >= 63 {
            return Err(TooManyModels(model.into()));
        }
        if known.is_none() {
            self.models.push(model.into());
        }
        Ok(ModelSet(1 << place))
    }

    /// The bit of a GPU model, if it was ever seen.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<ModelSet> {
        self.models.iter().position(|known| known == name).map(|place| ModelSet(1 << place))
    }

    /// The name of a machine's GPU model.
    #[must_use]
    pub fn model_name(&self, model: ModelSet) -> Option<&str> {
        self.models.get(model.0.trailing_zeros() as usize).map(String::as_str)
    }

    /// All machines in order.
    #[must_use]
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// One machine.
    #[must_use]
    pub fn machine(&self, id: MachineId) -> &Machine {
        &self.machines[id.index()]
    }

    /// Whether a task could run on some machine if that were empty, among the machines of a shape that `may_use` admits. A
    /// task that asks for nothing cannot run anywhere: Mesos refuses it.
    /// Revocable processors may become as many as a machine has.
    #[must_use]
    pub fn could_run(&self, demand: &Demand, may_use: impl Fn(&Resources) -> bool) -> bool {
        let on_empty = Demand { revocable: false, ..*demand };
        let fits = |(resources, model): &(Resources, ModelSet)| {
            on_empty.fits(resources, *model) && may_use(resources)
        };
        !demand.quantities().is_empty() && self.shapes.iter().any(fits)
    }

    /// All resources of all machines.
    #[must_use]
    pub fn total(&self) -> ResourceQuantities {
        let mut total = ResourceQuantities::EMPTY;
        self.machines.iter().for_each(|machine| total += machine.resources.quantities());
        total
    }

    /// What a machine says of itself beside its resources: its own attributes, GPU model, rack and zone.
    #[must_use]
    pub fn attributes(&self, machine: &Machine) -> Vec<(String, String)> {
        let mut all = machine.attributes.clone();
        all.extend(self.model_name(machine.model).map(|name| ("gpu_model".into(), name.into())));
        all.push(("rack".into(), format!("r{}", machine.rack)));
        all.push(("zone".into(), format!("z{}", machine.zone)));
        all
    }
}

#[cfg(test)]
mod tests {
    use mesos::resource::{Scalar, parse_quantities};

    use crate::workload::GpuDemand;

    use super::*;

    const TOPOLOGY: Topology = Topology { agents_per_rack: 2, racks_per_zone: 2 };

    fn cluster() -> Cluster {
        let mut cluster = Cluster::new();
        for (number, model) in [Some("V100"), Some("T4"), None, None, Some("T4")].into_iter().enumerate() {
            let scalars = parse_quantities("cpus:8;mem:1024").unwrap();
            let gpus = if model.is_some() { 2 } else { 0 };
            cluster.add(format!("m{number}"), scalars, gpus, model, vec![], TOPOLOGY).unwrap();
        }
        cluster
    }

    #[test]
    fn racks_fill_one_after_the_other_and_zones_likewise() {
        let places: Vec<_> = cluster().machines().iter().map(|m| (m.rack, m.zone)).collect();
        assert_eq!(places, [(0, 0), (0, 0), (1, 0), (1, 0), (2, 1)]);
    }

    #[test]
    fn a_task_that_fits_no_empty_machine_is_known_from_the_start() {
        let mut cluster = cluster();
        let models = cluster.intern_model("V100").unwrap();
        let elsewhere = cluster.intern_model("A100").unwrap();
        let task = |gpus, models| Demand { cpus: Scalar::whole(8), gpus, models, ..Demand::default() };
        let could_run = |task: &Demand| cluster.could_run(task, |_| true);
        assert!(could_run(&task(GpuDemand::Whole(2), models)));
        assert!(!could_run(&task(GpuDemand::Whole(3), models)));
        assert!(!could_run(&task(GpuDemand::Whole(1), elsewhere)));
        assert!(!could_run(&Demand::default()), "a task that asks for nothing");
        let hidden = |shape: &Resources| shape.devices().is_empty();
        assert!(!cluster.could_run(&task(GpuDemand::Whole(2), models), hidden));
    }

    #[test]
    fn a_machine_says_where_it_stands() {
        let cluster = cluster();
        let said = cluster.attributes(&cluster.machines()[4]);
        let said: Vec<_> = said.iter().map(|(name, text)| format!("{name}:{text}")).collect();
        assert_eq!(said, ["gpu_model:T4", "rack:r2", "zone:z1"]);
    }
}
