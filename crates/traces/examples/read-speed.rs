//! Reads a trace and says how fast: `cargo run --release -p mesosim-traces --example read-speed -- PATH...`

use std::{error::Error, fs, io::Write, path::PathBuf, time::Instant};

use mesosim_traces::{
    JobRow, MachineEventRow, MachineRow, Options, Sink, TaskRow, Trace, TraceError, UsageRow,
};

#[derive(Default)]
struct Counted {
    jobs: u64,
    tasks: u64,
    instances: u64,
    machines: u64,
    machine_events: u64,
    usage: u64,
}

impl Sink for Counted {
    fn job(&mut self, _: &JobRow<'_>) -> Result<(), TraceError> {
        self.jobs += 1;
        Ok(())
    }

    fn task(&mut self, row: &TaskRow<'_>) -> Result<(), TraceError> {
        self.tasks += 1;
        self.instances += u64::from(row.instances);
        Ok(())
    }

    fn machine(&mut self, _: &MachineRow<'_>) -> Result<(), TraceError> {
        self.machines += 1;
        Ok(())
    }

    fn machine_event(&mut self, _: &MachineEventRow<'_>) -> Result<(), TraceError> {
        self.machine_events += 1;
        Ok(())
    }

    fn usage(&mut self, _: &UsageRow<'_>) -> Result<(), TraceError> {
        self.usage += 1;
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let mut out = std::io::stdout().lock();
    for trace in Trace::find(&paths, None)?.traces {
        let (mut rows, begun) = (Counted::default(), Instant::now());
        let quality = trace.read(&Options::default(), &mut rows, &mut |_| true)?;
        let seconds = begun.elapsed().as_secs_f64();
        let megabytes = quality.files().iter().map(|file| file.bytes).sum::<u64>() as f64 / 1e6;
        let Counted { jobs, tasks, instances, machines, machine_events, usage } = rows;
        writeln!(
            out,
            "{}: {} files, {} rows ({} rejected), {megabytes:.1} MB in {seconds:.3} s: {:.0} MB/s; {jobs} jobs, \
             {tasks} tasks of {instances} instances, {machines} machines, {machine_events} machine events, {usage} of usage; \
             peak {}",
            trace.format.name,
            trace.files.len(),
            quality.rows(),
            quality.rejected(),
            megabytes / seconds,
            peak_memory(),
        )?;
        for (what, count) in quality.missing().iter().chain(quality.notes()) {
            writeln!(out, "  {count} {what}")?;
        }
    }
    Ok(())
}

/// As Linux says it; elsewhere unknown.
fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}
