//! What stands for a key that an experiment does not give.

use mesos::time::Span;

use super::{
    generator::Quantity,
    spec::{Framework, Master, Measure, Network, VisitOrder},
    units::{Duration, Size},
};

impl Default for Network {
    fn default() -> Self {
        Self { latency: Duration(Span(500_000)), jitter: Duration::default() }
    }
}

impl Default for Master {
    fn default() -> Self {
        Self {
            allocation_interval: Duration(Span::from_secs(1)),
            min_allocatable_resources: "cpus:0.01|mem:32".to_owned(),
            filter_gpu_resources: true,
            offer_timeout: None,
            agent_ping_timeout: Duration(Span::from_secs(15)),
            max_agent_ping_timeouts: 5,
            agent_reregister_timeout: Duration(Span::from_secs(600)),
            agent_removal_interval: None,
            registry_store_delay: Duration::default(),
            election: Duration(Span::from_secs(10)),
            visit_order: VisitOrder::Shuffled,
            fair_sharing_excluded_resource_names: Vec::new(),
        }
    }
}

impl Default for Measure {
    fn default() -> Self {
        Self { tau: Duration(Span::from_secs(10)), timeline_bins: 512 }
    }
}

pub(super) fn seeds() -> Vec<u64> {
    vec![1]
}
pub(super) const fn one() -> u32 {
    1
}
pub(super) const fn agents_per_rack() -> u32 {
    32
}
pub(super) const fn racks_per_zone() -> u32 {
    10
}
pub(super) const fn compress() -> f64 {
    1.0
}
pub(super) fn task_cpus() -> Vec<f64> {
    vec![1.0]
}
pub(super) fn task_mem() -> Vec<Size> {
    vec![Size(1 << 30)]
}
pub(super) fn task_gpus() -> Vec<f64> {
    vec![0.0]
}
pub(super) fn task_disk() -> Vec<Size> {
    vec![Size(0)]
}
pub(super) fn frameworks() -> Vec<Framework> {
    let name = "batch".to_owned();
    vec![Framework {
        name,
        role: role(),
        weight: weight(),
        select: None,
        capabilities: capabilities(),
        failover_timeout: failover_timeout(),
        checkpoint: checkpoint(),
        retries: retries(),
        kind: kind(),
        answer: None,
        gang: None,
        hoarder: None,
        mapreduce: None,
    }]
}
pub(super) fn kind() -> String {
    "batch".to_owned()
}
pub(super) fn role() -> String {
    mesos::role::DEFAULT.to_owned()
}
pub(super) const fn weight() -> f64 {
    1.0
}
pub(super) fn capabilities() -> Vec<String> {
    ["MULTI_ROLE", "GPU_RESOURCES", "PARTITION_AWARE"].map(str::to_owned).to_vec()
}
/// Marathon's (Mesos' own is none at all).
pub(super) const fn failover_timeout() -> Duration {
    Duration(Span::from_secs(7 * 86_400))
}
/// Marathon's (Mesos' own is no).
pub(super) const fn checkpoint() -> bool {
    true
}
/// Hadoop's and Spark's: four attempts in all.
pub(super) const fn retries() -> u32 {
    3
}
pub(super) fn sorter() -> String {
    "drf".to_owned()
}
pub(super) fn order() -> String {
    "fifo".to_owned()
}
pub(super) fn placement() -> String {
    "first-fit".to_owned()
}
pub(super) fn response() -> String {
    "decline".to_owned()
}
pub(super) const fn refuse_seconds() -> Duration {
    Duration(Span::from_secs(5))
}
pub(super) const fn backfill() -> bool {
    true
}
pub(super) const fn day() -> Duration {
    Duration(Span::from_secs(86_400))
}
pub(super) fn class_name() -> String {
    "batch".to_owned()
}
pub(super) const fn quantity_one() -> Quantity<f64> {
    Quantity::Constant(1.0)
}
pub(super) const fn quantity_zero() -> Quantity<f64> {
    Quantity::Constant(0.0)
}
pub(super) const fn quantity_mem() -> Quantity<Size> {
    Quantity::Constant(Size(1 << 30))
}
pub(super) const fn quantity_disk() -> Quantity<Size> {
    Quantity::Constant(Size(0))
}
