//! `mesosim bench`.

use std::{process::ExitCode, time::Instant};

use super::CommandError;
use crate::{
    bench::{
        fcfs::{WORKLOADS, Workload},
        reference, two_level,
    },
    engine::hold,
    experiment::peak_memory,
};

#[derive(Debug, clap::Args)]
pub(super) struct BenchArguments {
    /// What to measure: `engine`, or workloads (`mesosim list benchmarks`)
    #[arg(required = true, value_parser = names())]
    what: Vec<String>,
    /// How often; the median and the best are shown
    #[arg(long, default_value = "5", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
}

fn names() -> clap::builder::PossibleValuesParser {
    std::iter::once("engine").chain(WORKLOADS.iter().map(|workload| workload.name)).collect::<Vec<_>>().into()
}

pub(super) fn bench(arguments: &BenchArguments) -> Result<ExitCode, CommandError> {
    for what in &arguments.what {
        match WORKLOADS.iter().find(|workload| workload.name == what) {
            Some(workload) => bench_workload(workload, arguments.runs),
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

/// CPU seconds of this thread, where the system tells them; wall-clock seconds elsewhere.
fn timed<T>(runs: u32, mut work: impl FnMut() -> T) -> Times {
    let mut seconds: Vec<f64> = (0..runs)
        .map(|_| {
            let (began, cpu) = (Instant::now(), cpu_seconds());
            std::hint::black_box(work());
            let wall = began.elapsed().as_secs_f64();
            cpu_seconds().zip(cpu).map_or(wall, |(after, before)| after - before)
        })
        .collect();
    seconds.sort_unstable_by(f64::total_cmp);
    Times { median: seconds[seconds.len() / 2], best: seconds[0] }
}

/// Nanoseconds that this thread has run, as Linux' scheduler counts them.
fn cpu_seconds() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(told.split(' ').next()?.parse::<u64>().ok()? as f64 / 1e9)
}
