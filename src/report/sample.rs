//! A made-up directory of results for tests: two policies, two seeds, openb's four qos classes as roles, four
//! resources. Nothing in it comes from a run; what counts is that its forms and sizes are those of one.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

const ROLES: [(&str, f64); 4] = [("LS", 0.45), ("BE", 0.3), ("Burstable", 0.17), ("Guaranteed", 0.08)];
const CAPACITY: [(&str, f64); 4] =
    [("cpus", 107_018.0), ("mem", 739_000_000.0), ("disk", 1_213_000_000.0), ("gpus", 6_212.0)];
const SPAN: f64 = 12_873_600.0;
const TAU: f64 = 10.0;

/// What to make.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) policies: Vec<String>,
    pub(super) seeds: u64,
    pub(super) jobs: u64,
    pub(super) bins: usize,
}

impl Default for Sample {
    fn default() -> Sample {
        let policies = ["drf+best-fit", "drf+first-fit"].map(str::to_owned).to_vec();
        Sample { policies, seeds: 2, jobs: 8_000, bins: 600 }
    }
}

impl Sample {
    /// A small one, for tests that look at forms and not at pictures.
    pub(super) fn small() -> Sample {
        Sample { jobs: 60, bins: 12, ..Sample::default() }
    }

    /// Writes the results into `dir`.
    pub(super) fn write(&self, dir: &Path) {
        let mut summary = String::from(SUMMARY_HEADER);
        for (place, policy) in self.policies.iter().enumerate() {
            for seed in 1..=self.seeds {
                let at = dir.join(format!("policy={policy}/seed={seed}"));
                fs::create_dir_all(&at).expect("a directory");
                let mut random = Pcg64Mcg::seed_from_u64(seed * 1_000 + place as u64);
                let (jobs, row) = self.jobs(place, &mut random);
                fs::write(at.join("jobs.csv"), jobs).expect("jobs.csv");
                let timeline = self.timeline(place, &mut random);
                fs::write(at.join("timeline.csv"), timeline).expect("timeline.csv");
                fs::write(at.join("allocator.csv"), "metric,final,mean,max\n").expect("allocator.csv");
                fs::write(at.join("manifest.json"), self.manifest(policy, seed, place)).expect("manifest");
                writeln!(summary, "{policy},{seed},{row}").expect("a row");
            }
        }
        fs::write(dir.join("summary.csv"), summary).expect("summary.csv");
    }

    fn jobs(&self, policy: usize, random: &mut Pcg64Mcg) -> (String, String) {
        let mut text = String::from(JOBS_HEADER);
        let mut ended = Ended::default();
        for job in 0..self.jobs {
            let (role, _) = ROLES[random.random_range(0..4)];
            let submitted = SPAN * 0.999 * f64::from(random.random::<u16>()) / 65_536.0;
            let chance: f64 = random.random();
            let wait = wait(policy, random);
            let runtime = 10f64.powf(1.0 + 4.2 * random.random::<f64>());
            let (start, finish) = (submitted + wait, submitted + wait + runtime);
            let head = format!("{job},{role},{role},,1,{submitted:.9}");
            let tail = format!("{runtime:.9},8,30517,1");
            let ending = if chance < 0.004 {
                "REJECTED"
            } else if chance < 0.019 {
                "NEVER_PLACED"
            } else if finish > SPAN {
                "UNFINISHED"
            } else if chance < 0.03 {
                "COMPLETED_FAILED"
            } else {
                "COMPLETED_SUCCESSFULLY"
            };
            let times = ended.count(ending, [wait, start, finish, runtime]);
            writeln!(text, "{head},{times},{ending},{tail}").expect("a row");
        }
        (text, ended.row())
    }

    fn timeline(&self, policy: usize, random: &mut Pcg64Mcg) -> String {
        let mut text = String::from("time,resource,role,total,offered,allocated,used\n");
        let bin = SPAN / self.bins as f64;
        let mut wobble = 0.0;
        for n in 0..self.bins {
            let time = n as f64 * bin;
            wobble = 0.9 * wobble + 0.05 * (random.random::<f64>() - 0.5);
            let at = time / SPAN;
            let shape = (at * 9.0).min((1.0 - at) * 12.0).clamp(0.0, 1.0);
            for (kind, (resource, total)) in CAPACITY.iter().enumerate() {
                let level = [0.55, 0.38, 0.05, 0.83][kind] - 0.04 * policy as f64;
                let share = (shape * (level + 0.1 * (at * 40.0).sin() + wobble)).clamp(0.0, 1.0);
                let offered = (1.0 - share) * 0.08 * random.random::<f64>();
                writeln!(
                    text,
                    "{time:.9},{resource},(all),{total},{:.3},{:.3},{:.3}",
                    total * offered,
                    total * share,
                    total * share * 0.7
                )
                .expect("a row");
                let weights = [0, 1, 2, 3]
                    .map(|place| ROLES[place].1 * (1.0 + 0.4 * (at * 17.0 + place as f64 * 1.57).sin()));
                for ((role, _), weight) in ROLES.iter().zip(weights) {
                    let held = total * share * weight / weights.iter().sum::<f64>();
                    writeln!(text, "{time:.9},{resource},{role},,{:.3},{held:.3},{:.3}", 0.0, held * 0.7)
                        .expect("a row");
                }
            }
        }
        text
    }

    fn manifest(&self, policy: &str, seed: u64, place: usize) -> String {
        let manifest = serde_json::json!({
            "experiment": "quickstart",
            "about": "Two ways of choosing an agent for a task, under the same allocator, on Alibaba's openb trace of 2023.",
            "policy": policy, "seed": seed,
            "config": {"cluster": {"from": "traces/openb-2023/nodes.csv"}, "policy": {"placement": policy}},
            "mesosim_version": "0.1.0", "git_commit": "a55984f0c0ffee", "features": ["parquet"],
            "record_hash": format!("{:016x}", 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(seed + place as u64)),
            "records": 65_216, "events": 142_113, "simulated_seconds": SPAN,
            "jobs": {"total": self.jobs, "finished": 0, "failed": 0, "unfinished": 0, "never_placed": 0, "rejected": 0},
            "bin_seconds": SPAN / self.bins as f64, "tau_seconds": TAU,
            "warnings": ["3 rows of the trace have no runtime and were left out."],
            "wall_seconds": 1.37, "events_per_second": 103_732.1, "peak_memory_bytes": 58_720_256u64,
            "started": "2025-01-01T12:00:00Z", "files": ["jobs.csv", "timeline.csv", "allocator.csv"],
            "trace": {"name": "openb-2023", "rows": self.jobs, "rejected_rows": {"no_runtime": 3},
                "origin": "https://github.com/alibaba/clusterdata"},
        });
        serde_json::to_string_pretty(&manifest).expect("JSON")
    }
}

/// A third of the jobs wait for nothing, others up to 1e5 seconds.
fn wait(policy: usize, random: &mut impl Rng) -> f64 {
    if random.random::<f64>() < 0.35 {
        0.0
    } else {
        let power: f64 = random.random();
        10f64.powf(
            (5.0 - 0.6 * policy as f64) * power.powf((1.6 - 0.3 * policy as f64).max(0.4))
                - policy as f64 / 2.0,
        )
    }
}

#[derive(Default)]
struct Ended {
    counts: [u64; 5],
    waiting: Vec<f64>,
    turnaround: Vec<f64>,
    slowdown: Vec<f64>,
}

const STATES: [&str; 5] =
    ["COMPLETED_SUCCESSFULLY", "COMPLETED_FAILED", "UNFINISHED", "NEVER_PLACED", "REJECTED"];

impl Ended {
    /// Counts a job and gives its cells from starting_time to success.
    fn count(&mut self, state: &str, [wait, start, finish, runtime]: [f64; 4]) -> String {
        let kind = STATES.iter().position(|name| *name == state).expect("a state");
        self.counts[kind] += 1;
        if kind >= 3 {
            return ",,,,,,,0".to_owned();
        }
        self.waiting.push(wait);
        if kind == 2 {
            return format!("{start:.9},,{wait:.9},,,,,0");
        }
        let turnaround = wait + runtime;
        let slowdown = (turnaround / runtime.max(TAU)).max(1.0);
        self.turnaround.push(turnaround);
        self.slowdown.push(slowdown);
        let stretch = turnaround / runtime;
        let success = u8::from(kind == 0);
        format!(
            "{start:.9},{finish:.9},{wait:.9},{turnaround:.9},{runtime:.9},{stretch:.9},{slowdown:.9},{success}"
        )
    }

    fn row(mut self) -> String {
        let jobs: u64 = self.counts.iter().sum();
        let [finished, failed, unfinished, never_placed, rejected] = self.counts;
        let waiting = spread(&mut self.waiting);
        let turnaround = spread(&mut self.turnaround);
        let slowdown = spread(&mut self.slowdown);
        format!(
            "{jobs},{finished},{failed},{unfinished},{never_placed},{rejected},{},{},{},{},{},{},{},{},{},{},{},\
             {TAU},{SPAN},0.512,0.031,0.36,0.344,0.04,0.24,0.796,0.02,0.55,0.047,0.04,0.03,\
             91234,8011,83223,12,40123,142113,9e3779b97f4a7c15",
            waiting[0],
            waiting[1],
            waiting[2],
            waiting[3],
            waiting[4],
            turnaround[0],
            turnaround[1],
            turnaround[2],
            turnaround[3],
            slowdown[0],
            slowdown[3]
        )
    }
}

fn spread(values: &mut [f64]) -> [f64; 5] {
    values.sort_by(f64::total_cmp);
    let rank = |q: f64| values[((q * values.len() as f64).ceil() as usize).max(1) - 1];
    [values.iter().sum::<f64>() / values.len() as f64, rank(0.5), rank(0.9), rank(0.99), rank(1.0)]
}

const JOBS_HEADER: &str = "job_id,framework,role,job_class,tasks,submission_time,starting_time,finish_time,\
    waiting_time,turnaround_time,execution_time,stretch,bounded_slowdown,success,final_state,requested_runtime,\
    cpus,mem_mib,gpus\n";
const SUMMARY_HEADER: &str = "policy,seed,jobs,finished,failed,unfinished,never_placed,rejected,waiting_mean,\
    waiting_p50,waiting_p90,waiting_p99,waiting_max,turnaround_mean,turnaround_p50,turnaround_p90,turnaround_p99,\
    bounded_slowdown_mean,bounded_slowdown_p99,tau,makespan,allocated_cpus,offered_cpus,used_cpus,allocated_mem,\
    offered_mem,used_mem,allocated_gpus,offered_gpus,used_gpus,allocated_disk,offered_disk,used_disk,offers_sent,\
    offers_accepted,offers_declined,offers_rescinded,allocation_runs,events,record_hash\n";
