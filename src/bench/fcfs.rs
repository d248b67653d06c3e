//! The workloads W1, W1h and W2: an open queue of single tasks on equal machines, for first come, first served.
//!
//! Defined by a SplitMix64 generator, so that any program can make them: for each task four draws in this order, time to the
//! next arrival `-ln(1-u)/lambda`, duration `-ln(1-u) * 600 s`, cpus `[1, 2, 4][x mod 3]`, memory
//! `[1024, 2048, 4096, 8192][x mod 4]` MiB, where u is the upper 53 bits of x over 2^53. Times are rounded to microseconds.

use mesos::{
    id::Id,
    resource::Scalar,
    time::{Span, Time},
};
use smallvec::smallvec;

use crate::workload::{Demand, Job, JobId, JobName, JobSource, TaskSpec};

/// CPUs of each machine.
pub const MACHINE_CPUS: i64 = 16;
/// Memory of each machine, MiB.
pub const MACHINE_MEM: i64 = 65_536;

/// One of the workloads.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// What `mesosim bench` calls it.
    pub name: &'static str,
    /// How many machines.
    pub machines: u32,
    /// How many tasks.
    pub tasks: u64,
    /// Share of all CPUs that is busy on average, if none is ever idle for want of a fit.
    pub load: f64,
    /// Of the generator.
    pub seed: u64,
    /// Hash over the placements of a scheduler that decides at once, as the [reference loop](super::reference) computes it.
    pub placement_hash: u64,
}

/// All workloads.
pub const WORKLOADS: &[Workload] = &[
    Workload {
        name: "w1",
        machines: 1000,
        tasks: 100_000,
        load: 0.75,
        seed: 42,
        placement_hash: 0xa728_9247_c281_e932,
    },
    Workload {
        name: "w1h",
        machines: 1000,
        tasks: 100_000,
        load: 0.98,
        seed: 42,
        placement_hash: 0x988b_555f_1512_4bb4,
    },
    Workload {
        name: "w2",
        machines: 10_000,
        tasks: 1_000_000,
        load: 0.75,
        seed: 42,
        placement_hash: 0xf53d_ed0d_08f9_af7b,
    },
];

/// One task of a workload. Times are doubles in whole microseconds, as a file with six decimals holds them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Task {
    /// When it arrives, in seconds.
    pub arrival: f64,
    /// How long it runs, in seconds.
    pub duration: f64,
    /// CPUs.
    pub cpus: i64,
    /// Memory, MiB.
    pub mem: i64,
}

/// The tasks of a workload, drawn one by one.
#[derive(Clone, Debug)]
pub struct Tasks {
    state: u64,
    rate: f64,
    clock: f64,
    left: u64,
    drawn: u64,
}

impl Workload {
    /// Its tasks from the first on.
    #[must_use]
    pub fn tasks(&self) -> Tasks {
        let rate = self.load * MACHINE_CPUS as f64 * f64::from(self.machines) / ((7.0 / 3.0) * 600.0);
        Tasks { state: self.seed, rate, clock: 0.0, left: self.tasks, drawn: 0 }
    }
}

impl Tasks {
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    fn exponential(&mut self) -> f64 {
        let unit = (self.draw() >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
        -(1.0 - unit).ln()
    }
}

impl Iterator for Tasks {
    type Item = Task;

    fn next(&mut self) -> Option<Task> {
        self.left = self.left.checked_sub(1)?;
        self.clock += self.exponential() / self.rate;
        let duration = self.exponential() * 600.0;
        let cpus = [1, 2, 4][(self.draw() % 3) as usize];
        let mem = [1024, 2048, 4096, 8192][(self.draw() % 4) as usize];
        let micros = |secs: f64| (secs * 1e6).round() / 1e6;
        Some(Task { arrival: micros(self.clock), duration: micros(duration), cpus, mem })
    }
}

impl JobSource for Tasks {
    fn next_job(&mut self) -> Option<Job> {
        let task = self.next()?;
        let number = self.drawn;
        self.drawn += 1;
        let demand =
            Demand { cpus: Scalar::whole(task.cpus), mem: Scalar::whole(task.mem), ..Demand::default() };
        Some(Job {
            id: JobId::new(number as usize),
            name: JobName::Numbered(number),
            class: "".into(),
            submission: Time::ZERO + span(task.arrival),
            tasks: smallvec![TaskSpec { demand, runtime: span(task.duration), profile: 0 }],
            detail: None,
        })
    }
}

fn span(seconds: f64) -> Span {
    Span::from_secs_f64(seconds).expect("times of a workload are finite")
}
