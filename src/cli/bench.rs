//! `mesosim bench`.

use std::{process::ExitCode, time::Instant};

use mesos::offer::Filters;

use super::CommandError;
use crate::{
    bench::{
        allocator::{AllocatorBench, SIZES, Size},
        fcfs::{WORKLOADS, Workload},
        reference, two_level,
    },
    engine::hold,
    experiment::peak_memory,
};

#[derive(Debug, clap::Args)]
pub(super) struct BenchArguments {
    /// What to measure: `engine`, `allocator` (up to 50,000 agents: minutes), or workloads (`mesosim list benchmarks`)
    #[arg(required = true, value_parser = names())]
    what: Vec<String>,
    /// How often; the median and the best are shown
    #[arg(long, default_value = "5", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
}

fn names() -> clap::builder::PossibleValuesParser {
    ["engine", "allocator"]
        .into_iter()
        .chain(WORKLOADS.iter().map(|workload| workload.name))
        .collect::<Vec<_>>()
        .into()
}

pub(super) fn bench(arguments: &BenchArguments) -> Result<ExitCode, CommandError> {
    for what in &arguments.what {
        match WORKLOADS.iter().find(|workload| workload.name == what) {
            Some(workload) => bench_workload(workload, arguments.runs),
            None if what == "allocator" => {
                SIZES.iter().for_each(|&size| bench_allocator(size, arguments.runs));
            }
            None => bench_engine(arguments.runs),
        }
    }
    if cpu_seconds().is_none() {
        say!("This system does not tell the CPU time of a thread: the times above are wall-clock times.");
    }
    Ok(ExitCode::SUCCESS)
}

fn bench_engine(runs: u32) {
    const PENDING: usize = 100_000;
    const EVENTS: u64 = 1_000_000;
    say!("engine: hold model, {PENDING} pending, {EVENTS} events and the filling of the queue, {runs} runs");
    type Model = fn(usize, u64, u64) -> hold::HoldResult;
    let models: [(&str, Model); 3] = [
        ("queue alone", hold::hold_bare),
        ("wake-ups through the engine", hold::hold),
        ("messages through the engine", hold::hold_messages),
    ];
    for (name, model) in models {
        let times = timed(runs, || model(PENDING, EVENTS, 42));
        let rate = |seconds: f64| EVENTS as f64 / seconds / 1e6;
        say!("  {name:28} median {:5.2} M events/s, best {:5.2}", rate(times.median), rate(times.best));
    }
}

/// Times one cluster: adding its agents, cycles of taking everything back and offering it again, cycles that offer nothing.
fn bench_allocator(size: Size, runs: u32) {
    let Size { agents, frameworks, roles } = size;
    say!("allocator: {agents} agents, {frameworks} frameworks in {roles} roles, {runs} runs (wall-clock)");
    let added = |add: fn(&mut AllocatorBench)| {
        let once = |_| {
            let mut bench = AllocatorBench::new(size);
            wall_seconds(|| add(&mut bench))
        };
        Times::of((0..runs).map(once).collect())
    };
    let (one_by_one, at_once) =
        (added(AllocatorBench::add_agents), added(AllocatorBench::add_agents_at_once));
    say!("  adding all agents, one allocation each  {}", per(&one_by_one, agents, "agent"));
    say!("  adding all agents, one allocation       {}", per(&at_once, agents, "agent"));

    let mut bench = AllocatorBench::new(size);
    bench.add_agents_at_once();
    let (mut recover, mut allocate) = (Vec::new(), Vec::new());
    let mut offers = 0;
    for _ in 0..=runs.max(20) {
        recover.push(wall_seconds(|| bench.recover(None)));
        allocate.push(wall_seconds(|| offers = bench.allocate()));
    }
    recover.remove(0); // the first cycle has the memory to fetch
    allocate.remove(0);
    say!("  recovering all offers                   {}", per(&Times::of(recover), offers, "offer"));
    let allocate = Times::of(allocate);
    let rate = offers as f64 / allocate.median / 1e6;
    say!(
        "  one allocation of all agents            {}, {rate:.2} M offers/s",
        per(&allocate, offers, "offer")
    );

    let refuse = Filters { refuse_seconds: f64::from(i32::MAX) };
    let refused = wall_seconds(|| {
        while offers > 0 {
            bench.recover(Some(refuse));
            offers = bench.allocate();
        }
    });
    say!("  until every framework has refused all   {refused:9.3} s, {frameworks} cycles");
    const CYCLES: u32 = 10_000;
    let idle = wall_seconds(|| (0..CYCLES).for_each(|_| assert_eq!(bench.allocate(), 0, "all is refused")));
    say!("  an allocation that offers nothing       {:9.1} ns", idle / f64::from(CYCLES) * 1e9);
    if let Some(peak) = peak_memory() {
        say!("  peak memory of this process so far      {:9} MiB", peak >> 20);
    }
}

fn per(times: &Times, count: usize, what: &str) -> String {
    let each = times.median / count.max(1) as f64 * 1e6;
    format!("{:9.5} s (best {:.5}), {each:6.2} us each {what}", times.median, times.best)
}

fn bench_workload(workload: &Workload, runs: u32) {
    say!(
        "{}: {} machines, {} tasks, load {}, {runs} runs",
        workload.name,
        workload.machines,
        workload.tasks,
        workload.load
    );
    let mut answer = None;
    let loop_times = timed(runs, || answer = Some(reference::run(workload)));
    let answer = answer.expect("at least one run");
    assert_eq!(answer.placement_hash, workload.placement_hash, "the reference loop gives another answer");
    say!(
        "  bare reference loop          median {:7.3} s CPU, best {:7.3}",
        loop_times.median,
        loop_times.best
    );
    say!(
        "    {} waited, makespan {:.3} s, placement hash {:016x}",
        answer.waited,
        answer.makespan,
        answer.placement_hash
    );
    let mut answer = None;
    let times = timed(runs, || answer = Some(two_level::run(workload)));
    let answer = answer.expect("at least one run");
    say!("  two-level, every message     median {:7.3} s CPU, best {:7.3}", times.median, times.best);
    let rate = answer.events as f64 / times.median / 1e6;
    say!(
        "    {} events, {rate:.2} M events/s, {:.1} times the reference loop",
        answer.events,
        times.median / loop_times.median
    );
    let waiting = answer.summary.waiting;
    let (mean, max) = (waiting.mean.unwrap_or(0.0), waiting.max.unwrap_or(0.0));
    say!("    waiting time mean {mean:.4} s, longest {max:.4} s; record hash {:016x}", answer.hash);
    if let Some(peak) = peak_memory() {
        let per_task = peak as f64 / workload.tasks as f64;
        say!("    peak memory of this process so far {} MiB: {per_task:.0} bytes for each task", peak >> 20);
    }
}

struct Times {
    median: f64,
    best: f64,
}

impl Times {
    fn of(mut seconds: Vec<f64>) -> Self {
        seconds.sort_unstable_by(f64::total_cmp);
        Self { median: seconds[seconds.len() / 2], best: seconds[0] }
    }
}

/// CPU seconds of this thread, where the system tells them; wall-clock seconds elsewhere.
fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let (began, cpu) = (Instant::now(), cpu_seconds());
    std::hint::black_box(work());
    let wall = began.elapsed().as_secs_f64();
    cpu_seconds().zip(cpu).map_or(wall, |(after, before)| after - before)
}

fn timed<T>(runs: u32, mut work: impl FnMut() -> T) -> Times {
    Times::of((0..runs).map(|_| seconds(&mut work)).collect())
}

/// For what is too short for the clock of CPU time, which some systems move on only now and then.
fn wall_seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let began = Instant::now();
    std::hint::black_box(work());
    began.elapsed().as_secs_f64()
}

/// Nanoseconds that this thread has run, as Linux' scheduler counts them.
fn cpu_seconds() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(told.split(' ').next()?.parse::<u64>().ok()? as f64 / 1e9)
}
