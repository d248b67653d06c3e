//! The readers: one file for each format, and its line in [`FORMATS`].

mod alibaba;
pub mod alibaba_2017;
pub mod alibaba_2018;
pub mod alibaba_gpu_2020;
pub mod atlas;
pub mod azure_llm;
pub mod azure_packing;
pub mod azure_vm;
pub mod batsim;
pub mod bitbrains;
mod borg;
mod borg_machines;
pub mod cook;
pub mod decima;
pub mod dlrm_2025;
pub mod gavel;
pub mod google_2011;
pub mod google_2019;
pub mod gwf;
pub mod helios;
pub mod machine_events;
pub mod muri;
pub mod native;
pub mod omega_sim;
pub mod openb;
pub mod opendc;
pub mod philly;
pub mod planetlab;
pub mod pollux;
pub mod sacct;
#[cfg(test)]
mod samples;
pub mod shockwave;
pub mod spot_2026;
pub mod swf;
pub mod swim;
pub mod tiresias;
pub mod wfcommons;
mod workflow;
pub mod wtf;

use crate::{
    Format, JobRow, MachineEventRow, MachineRow, Quality, Sink, TaskRow, TraceError, UsageRow,
    quality::KEPT_REJECTIONS,
};

/// All formats. Of two that recognise a file the earlier one is taken.
pub const FORMATS: &[Format] = &[
    openb::FORMAT,
    google_2011::FORMAT,
    machine_events::FORMAT,
    swf::FORMAT,
    swim::FORMAT,
    gavel::FORMAT,
    shockwave::FORMAT,
    muri::FORMAT,
    tiresias::FORMAT,
    pollux::FORMAT,
    dlrm_2025::FORMAT,
    spot_2026::FORMAT,
    omega_sim::FORMAT,
    decima::FORMAT,
    wfcommons::FORMAT,
    cook::FORMAT,
    alibaba_2017::FORMAT,
    alibaba_2018::FORMAT,
    alibaba_gpu_2020::FORMAT,
    azure_llm::FORMAT,
    azure_packing::FORMAT,
    azure_vm::FORMAT,
    google_2019::FORMAT,
    planetlab::FORMAT,
    planetlab::FORMAT_OF_FILES,
    native::FORMAT,
    gwf::FORMAT,
    opendc::FORMAT,
    sacct::FORMAT,
    batsim::FORMAT,
    philly::FORMAT,
    helios::FORMAT,
    atlas::FORMAT,
    bitbrains::FORMAT,
    wtf::FORMAT,
];

/// What readers are told.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Options {
    /// Cores of the machine that amounts are relative to, in traces that have relative ones.
    pub largest_cpus: f64,
    /// MiB of memory of that machine.
    pub largest_mem_mib: f64,
    /// MiB of disk of that machine.
    pub largest_disk_mib: f64,
    /// Whether rows of usage tables are wanted. (They are most of the bytes of some traces.)
    pub usage: bool,
    /// How many rejected rows of each file are kept with their lines; the others are counted.
    pub rejections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            largest_cpus: 64.0,
            largest_mem_mib: 262_144.0,
            largest_disk_mib: 4_194_304.0,
            usage: true,
            rejections: KEPT_REJECTIONS,
        }
    }
}

/// What a reader works with: options, where its rows go, and what it notices.
pub struct Context<'a> {
    /// What it was told.
    pub options: &'a Options,
    /// What it notices.
    pub quality: Quality,
    sink: &'a mut dyn Sink,
    progress: &'a mut dyn FnMut(u64) -> bool,
}

impl<'a> Context<'a> {
    /// For one trace.
    pub fn new(
        options: &'a Options,
        sink: &'a mut dyn Sink,
        progress: &'a mut dyn FnMut(u64) -> bool,
    ) -> Self {
        Self { options, quality: Quality::keeping(options.rejections), sink, progress }
    }

    /// Reads something whose rows and rejections nobody sees: to learn what later rows need.
    ///
    /// # Errors
    /// What `read` says.
    pub fn first_pass<T>(
        &mut self,
        read: impl FnOnce(&mut Context<'_>) -> Result<T, TraceError>,
    ) -> Result<T, TraceError> {
        let mut nowhere = Nowhere;
        read(&mut Context::new(self.options, &mut nowhere, &mut *self.progress))
    }

    /// A job.
    ///
    /// # Errors
    /// The sink failed.
    pub fn job(&mut self, row: &JobRow<'_>) -> Result<(), TraceError> {
        self.sink.job(row)
    }

    /// A task.
    ///
    /// # Errors
    /// The sink failed.
    pub fn task(&mut self, row: &TaskRow<'_>) -> Result<(), TraceError> {
        self.sink.task(row)
    }

    /// A machine.
    ///
    /// # Errors
    /// The sink failed.
    pub fn machine(&mut self, row: &MachineRow<'_>) -> Result<(), TraceError> {
        self.sink.machine(row)
    }

    /// A machine comes, goes or changes.
    ///
    /// # Errors
    /// The sink failed.
    pub fn machine_event(&mut self, row: &MachineEventRow<'_>) -> Result<(), TraceError> {
        self.sink.machine_event(row)
    }

    /// What somebody used.
    ///
    /// # Errors
    /// The sink failed.
    pub fn usage(&mut self, row: &UsageRow<'_>) -> Result<(), TraceError> {
        self.sink.usage(row)
    }

    /// Tells somebody outside how far reading is. Readers of lines need not call it.
    ///
    /// # Errors
    /// Somebody asked to stop.
    pub fn tick(&mut self) -> Result<(), TraceError> {
        let bytes = self.quality.files().iter().map(|file| file.bytes).sum();
        if (self.progress)(bytes) { Ok(()) } else { Err(TraceError::Interrupted) }
    }
}

/// Takes rows that nobody wants.
struct Nowhere;

impl Sink for Nowhere {}

#[cfg(test)]
pub(crate) mod testing {
    //! Reads small files in tests.

    use std::io::Write;

    use crate::{Options, Quality, Trace, sink::Collected};

    /// What files of this content, named so, are read as; all are one trace, whose format is recognised.
    pub(crate) fn read(files: &[(&str, &[u8])]) -> (&'static str, Collected, Quality) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for (name, bytes) in files {
            let mut file = std::fs::File::create(dir.path().join(name)).expect("a file");
            file.write_all(bytes).expect("room for a small file");
        }
        let trace = Trace::one(dir.path(), None).expect("one trace of a known format");
        let mut rows = Collected::default();
        let quality =
            trace.read(&Options::default(), &mut rows, &mut |_| true).expect("a trace that can be read");
        (trace.format.name, rows, quality)
    }

    /// The rejections of the first file, as text.
    pub(crate) fn rejections(quality: &Quality) -> Vec<String> {
        quality.files()[0].rejections.iter().map(ToString::to_string).collect()
    }
}
