//! The machines of a trace, as agents.

use mesos::resource::{MAX_DEVICES, ResourceQuantities, Scalar};
use mesosim_traces::{MachineRow, Sink, TraceError};

use super::{MOST_CPUS, MOST_MIB, amount, facts, read};
use crate::{
    cluster::{Cluster, Topology},
    experiment::{
        ExperimentError,
        config::{Loaded, Missing, TraceFile},
        prepare::mebibytes,
    },
};

/// Where the experiment file names the trace.
const KEY: &str = "cluster.trace";

/// Adds every n-th machine of a trace to a cluster, and says what was read.
pub(in crate::experiment) fn add(
    loaded: &Loaded,
    file: &TraceFile,
    topology: Topology,
    cluster: &mut Cluster,
) -> Result<serde_json::Value, ExperimentError> {
    let every = u64::from(loaded.experiment.cluster.every);
    let mut machines = Machines { every, topology, missing: &file.missing, seen: 0, cluster };
    let read = read(loaded, KEY, file, &mut machines)?;
    if machines.seen == 0 {
        let message = format!("{}: there are no machines in it", file.path.display());
        let help = "a trace of jobs alone runs on `[[cluster.agents]]`";
        return Err(loaded.error_at("cluster.trace.path", message, Some(help.into())).into());
    }
    Ok(facts(file, &read, cluster.machines().len()))
}

struct Machines<'a> {
    every: u64,
    topology: Topology,
    missing: &'a Missing,
    seen: u64,
    cluster: &'a mut Cluster,
}

impl Sink for Machines<'_> {
    fn machine(&mut self, row: &MachineRow<'_>) -> Result<(), TraceError> {
        let is_kept = self.seen.is_multiple_of(self.every);
        self.seen += 1;
        if is_kept { self.add(row).map_err(TraceError::Unusable) } else { Ok(()) }
    }
}

impl Machines<'_> {
    fn add(&mut self, row: &MachineRow<'_>) -> Result<(), String> {
        let (name, missing) = (&*row.name, self.missing);
        let lacks = |what: &str| {
            format!(
                "the trace does not say how much {what} the machine {name} has: `{KEY}.missing.{what}` can"
            )
        };
        let cpus = row.cpus.or(missing.cpus).ok_or_else(|| lacks("cpus"))?;
        let mem = match row.mem_mib {
            Some(mib) => amount(name, "MiB of memory", mib, MOST_MIB)?,
            None => missing.mem.map(mebibytes).ok_or_else(|| lacks("mem"))?,
        };
        let disk = match row.disk_mib {
            Some(mib) => amount(name, "MiB of disk", mib, MOST_MIB)?,
            None => missing.disk.map_or(Scalar::ZERO, mebibytes),
        };
        let scalars =
            ResourceQuantities::new([amount(name, "cpus", cpus, MOST_CPUS)?, mem, disk, Scalar::ZERO]);
        let gpus = devices(name, row.gpus.or(missing.gpus).unwrap_or(0.0))?;
        let attributes = row.attributes.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let (name, model) = (name.to_owned(), row.gpu_model.as_deref());
        let added = self.cluster.add(name, scalars, gpus, model, attributes.collect(), self.topology);
        added.map_err(|error| error.to_string())
    }
}

fn devices(name: &str, gpus: f64) -> Result<usize, String> {
    let most = MAX_DEVICES as f64;
    let is_possible = gpus.fract() == 0.0 && (0.0..=most).contains(&gpus);
    is_possible
        .then_some(gpus as usize)
        .ok_or_else(|| format!("{name} has {gpus} GPUs: 0 to {most} are supported"))
}
