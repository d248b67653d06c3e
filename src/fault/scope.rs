//! Machines that fail together: those of a rack, of a zone, of one branch of the power supply.

use mesos::id::Id;

use crate::cluster::{Cluster, Machine, MachineId};

/// What machines have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The rack.
    Rack,
    /// The zone.
    Zone,
    /// The power distribution unit, which feeds so many racks one after the other.
    Power {
        /// Racks that hang on one unit, at least one.
        racks: u32,
    },
}

/// Machines that fail together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Domain {
    /// Its number, from 0.
    pub number: u32,
    /// Its machines, in order.
    pub machines: Vec<MachineId>,
}

impl Scope {
    /// All domains of a cluster, in order of their numbers.
    #[must_use]
    pub fn domains(self, cluster: &Cluster) -> Vec<Domain> {
        let mut domains: Vec<Domain> = Vec::new();
        for (place, machine) in cluster.machines().iter().enumerate() {
            let number = self.number(machine);
            if domains.last().is_none_or(|last| last.number != number) {
                domains.push(Domain { number, machines: Vec::new() });
            }
            domains.last_mut().expect("was pushed").machines.push(MachineId::new(place));
        }
        assert!(domains.is_sorted_by_key(|domain| domain.number), "machines fill racks in order");
        domains
    }

    /// What experiment files and agents' attributes call a domain: `r12`, `z1`; a power unit `p3`.
    #[must_use]
    pub fn name(self, number: u32) -> String {
        match self {
            Self::Rack => format!("r{number}"),
            Self::Zone => format!("z{number}"),
            Self::Power { .. } => format!("p{number}"),
        }
    }

    const fn number(self, machine: &Machine) -> u32 {
        match self {
            Self::Rack => machine.rack,
            Self::Zone => machine.zone,
            Self::Power { racks } => machine.rack / racks,
        }
    }
}

/// All machines of a cluster.
pub(super) fn all(cluster: &Cluster) -> Vec<MachineId> {
    (0..cluster.machines().len()).map(MachineId::new).collect()
}
