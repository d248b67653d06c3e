//! The least that the work of a [workload](super::fcfs) takes: one loop, no master, no agents, no messages.
//!
//! First come, first served, best fit: the head of the queue blocks; the machine with the fewest free cpus on which the task
//! fits, ties to the lowest; a completion precedes an arrival at the same instant. Times are doubles and an end is the sum of
//! two of them: the published answers depend on its last bit, where an end and an arrival would meet in the same microsecond.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, VecDeque},
};

use super::fcfs::{MACHINE_CPUS, MACHINE_MEM, Task, Workload};

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// Hash over (task, machine) in the order of placement.
    pub placement_hash: u64,
    /// Tasks that did not start when they arrived.
    pub waited: u64,
    /// Mean waiting time over all tasks, in seconds.
    pub mean_wait: f64,
    /// When the last task ended, in seconds.
    pub makespan: f64,
}

/// Seconds that can be ordered.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Instant(f64);

impl Eq for Instant {}

#[expect(clippy::derive_ord_xor_partial_ord, reason = "no instant is NaN")]
impl Ord for Instant {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// When a task ends, its number (which decides between equal times), its machine, cpus and memory.
type End = (Instant, u64, u32, i64, i64);

struct Cluster {
    /// Free memory by machine, machines by free cpus.
    mem: Vec<i64>,
    cpus: Vec<i64>,
    by_cpus: Vec<BTreeSet<u32>>,
}

impl Cluster {
    fn new(machines: u32) -> Self {
        let mut by_cpus = vec![BTreeSet::new(); MACHINE_CPUS as usize + 1];
        by_cpus[MACHINE_CPUS as usize] = (0..machines).collect();
        Self {
            mem: vec![MACHINE_MEM; machines as usize],
            cpus: vec![MACHINE_CPUS; machines as usize],
            by_cpus,
        }
    }

    fn best_fit(&self, task: &Task) -> Option<u32> {
        let enough = self.by_cpus[task.cpus as usize..].iter();
        enough.flatten().copied().find(|&machine| self.mem[machine as usize] >= task.mem)
    }

    fn change(&mut self, machine: u32, cpus: i64, mem: i64) {
        let free = &mut self.cpus[machine as usize];
        self.by_cpus[*free as usize].remove(&machine);
        *free += cpus;
        self.mem[machine as usize] += mem;
        self.by_cpus[*free as usize].insert(machine);
    }
}

/// Runs a workload to its end.
#[must_use]
pub fn run(workload: &Workload) -> Answer {
    let mut cluster = Cluster::new(workload.machines);
    let mut ends: BinaryHeap<Reverse<End>> = BinaryHeap::new();
    let mut queue: VecDeque<(u64, Task)> = VecDeque::new();
    let mut arrivals = workload.tasks().enumerate().peekable();
    let (mut hash, mut waited, mut waited_s, mut last) = (0u64, 0u64, 0.0, 0.0);
    loop {
        let end = ends.peek().map(|Reverse(end)| end.0);
        let arrival = arrivals.peek().map(|(_, task)| Instant(task.arrival));
        let now = match (end, arrival) {
            (Some(end), Some(arrival)) if arrival < end => arrival,
            (Some(end), _) => end,
            (None, Some(arrival)) => arrival,
            (None, None) => break,
        };
        if end == Some(now) {
            let Some(Reverse((_, _, machine, cpus, mem))) = ends.pop() else { break };
            cluster.change(machine, cpus, mem);
            last = now.0;
        } else if let Some((number, task)) = arrivals.next() {
            queue.push_back((number as u64, task));
        }
        while let Some((number, task)) = queue.front().copied() {
            let Some(machine) = cluster.best_fit(&task) else { break };
            queue.pop_front();
            cluster.change(machine, -task.cpus, -task.mem);
            hash = (hash ^ (number << 32 | u64::from(machine))).wrapping_mul(0x0100_0000_01b3);
            ends.push(Reverse((Instant(now.0 + task.duration), number, machine, task.cpus, task.mem)));
            waited += u64::from(now.0 > task.arrival);
            waited_s += now.0 - task.arrival;
        }
    }
    Answer { placement_hash: hash, waited, mean_wait: waited_s / workload.tasks as f64, makespan: last }
}

#[cfg(test)]
mod tests {
    use super::{super::fcfs::WORKLOADS, *};

    /// The published answers, which another program computed.
    #[test]
    fn the_workloads_are_those_that_others_run() {
        let [w1, w1h] = [&WORKLOADS[0], &WORKLOADS[1]].map(|workload| (workload, run(workload)));
        assert_eq!(w1.1.placement_hash, w1.0.placement_hash);
        assert_eq!((w1.1.waited, format!("{:.3}", w1.1.makespan)), (0, "17435.900".into()));
        assert_eq!(w1h.1.placement_hash, w1h.0.placement_hash);
        assert_eq!((w1h.1.waited, format!("{:.3}", w1h.1.makespan)), (2675, "14851.062".into()));
        assert!((w1h.1.mean_wait - 0.0736).abs() < 5e-5, "{}", w1h.1.mean_wait);
    }
}
