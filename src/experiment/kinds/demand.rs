//! What a task asks for, as tables of all kinds write it.

use mesos::resource::Scalar;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    cluster::Cluster,
    experiment::{
        config::{Check, Size},
        prepare::mebibytes,
    },
    workload::{Demand, ModelSet, gpu_demand},
};

/// What a task asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DemandTable {
    /// CPUs.
    #[schemars(range(min = 0))]
    pub cpus: f64,
    /// Memory.
    pub mem: Size,
    /// Disk.
    pub disk: Size,
    /// GPUs: whole devices, or a share below 1 of one device.
    #[schemars(range(min = 0))]
    pub gpus: f64,
    /// Models of GPUs that will do. Default: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gpu_models: Vec<String>,
}

impl Default for DemandTable {
    fn default() -> Self {
        Self { cpus: 1.0, mem: Size(1 << 30), disk: Size(0), gpus: 0.0, gpu_models: Vec::new() }
    }
}

impl DemandTable {
    pub(in crate::experiment) fn check(&self, path: &str, check: &mut Check<'_>) {
        check.amount(&format!("{path}.cpus"), self.cpus);
        check.size(&format!("{path}.mem"), self.mem);
        check.size(&format!("{path}.disk"), self.disk);
        check.gpus(&format!("{path}.gpus"), self.gpus);
    }

    /// On this cluster. Models that no machine has are a model that no machine has.
    pub(in crate::experiment) fn demand(&self, cluster: &Cluster) -> Demand {
        let checked = "amounts were checked with the file";
        let models = self.gpu_models.iter().map(|name| cluster.model(name).unwrap_or(ModelSet::UNKNOWN).0);
        Demand {
            cpus: Scalar::from_f64(self.cpus).expect(checked),
            mem: mebibytes(self.mem),
            disk: mebibytes(self.disk),
            gpus: gpu_demand(self.gpus).expect(checked),
            revocable: false,
            models: ModelSet(models.fold(0, |all, model| all | model)),
        }
    }
}
