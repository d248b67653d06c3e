//! Reading a trace on the command line: what may be said about it, how far it is, how fast it went.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use mesosim_traces::{Format, Options, Quality, Sink, Trace, TraceError};

use crate::{
    cli::{complain, stop_at_interrupt},
    experiment::{config::Size, peak_memory},
    report::units::{bytes, duration, plain},
};

/// What readers are told.
#[derive(Debug, clap::Args)]
pub(super) struct ReadingArguments {
    /// The format of the trace [default: recognised from its content]
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// Leave out measurements of use
    #[arg(long)]
    no_usage: bool,
    /// Cores of the machine that amounts are relative to, in traces that have relative ones
    #[arg(long, value_name = "N", default_value_t = Options::default().largest_cpus, value_parser = amount)]
    largest_cpus: f64,
    /// Memory of that machine
    #[arg(long, value_name = "SIZE", default_value = "256 GiB")]
    largest_mem: Size,
    /// Disk of that machine
    #[arg(long, value_name = "SIZE", default_value = "4 TiB")]
    largest_disk: Size,
}

fn amount(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "expected a number above 0".to_owned())
}

impl ReadingArguments {
    pub(super) fn format(&self) -> Result<Option<&'static Format>, TraceError> {
        self.format.as_deref().map(Format::named).transpose()
    }

    pub(super) fn options(&self) -> Options {
        let mib = |size: Size| size.0 as f64 / f64::from(1 << 20);
        Options {
            largest_cpus: self.largest_cpus,
            largest_mem_mib: mib(self.largest_mem),
            largest_disk_mib: mib(self.largest_disk),
            usage: !self.no_usage,
            ..Options::default()
        }
    }

    /// The one trace under a path.
    pub(super) fn one(&self, path: &Path) -> Result<Trace, TraceError> {
        Trace::one(path, self.format()?)
    }
}

/// Reads traces under a progress line, until somebody interrupts.
pub(super) struct Reading {
    stop: Arc<AtomicBool>,
    bar: ProgressBar,
    /// Bytes of the traces that were read before.
    before: u64,
    time: Duration,
}

impl Reading {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("{spinner} {prefix}  {msg}").expect("a constant template");
        let bar = ProgressBar::new_spinner().with_style(style);
        Self { stop: stop_at_interrupt(), bar, before: 0, time: Duration::ZERO }
    }

    /// Reads one trace; `doing` says for what.
    pub(super) fn read(
        &mut self,
        trace: &Trace,
        options: &Options,
        sink: &mut dyn Sink,
        doing: &str,
    ) -> Result<Quality, TraceError> {
        let began = Instant::now();
        self.bar.set_prefix(format!("{doing} {} ({})", name(trace), trace.format.name));
        let mut progress = |read: u64| {
            self.bar.tick();
            self.bar.set_message(format!("{}, {}", bytes(read as f64), speed(read, began.elapsed())));
            !self.stop.load(Ordering::Relaxed)
        };
        let quality = trace.read(options, sink, &mut progress);
        self.bar.set_message("");
        self.time += began.elapsed();
        let quality = quality?;
        if self.stop.load(Ordering::Relaxed) {
            return Err(TraceError::Interrupted);
        }
        self.before += quality.files().iter().map(|file| file.bytes).sum::<u64>();
        Ok(quality)
    }

    /// Takes the progress line away and says how fast it went.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
        let memory =
            peak_memory().map_or_else(String::new, |peak| format!(", peak memory {}", bytes(peak as f64)));
        let (read, time) = (bytes(self.before as f64), duration(self.time.as_secs_f64()));
        complain(format_args!("Read {read} in {time}: {}{memory}", speed(self.before, self.time)));
    }

    /// Takes the progress line away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn speed(read: u64, time: Duration) -> String {
    format!("{} MB/s", plain(read as f64 / 1e6 / time.as_secs_f64().max(1e-9)))
}

/// What a trace is called: its file, or the directory that its files are in.
pub(super) fn name(trace: &Trace) -> String {
    let (first, _) = &trace.files[0];
    match (trace.files.len(), first.path.parent()) {
        (2.., Some(directory)) if directory != Path::new("") => directory.display().to_string(),
        (_, _) => first.path.display().to_string(),
    }
}
