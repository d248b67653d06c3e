//! Readers of cluster traces: one file per format, rows as plain as the files have them.
//!
//! What the rows mean as jobs and machines is said elsewhere (`workload`, `cluster`); readers only make sure that a
//! row says what it may say.

pub mod machine_events;
pub mod open;
pub mod openb;
pub mod table;

pub use open::TraceError;
use std::path::Path;

/// A trace format.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Its name in experiment files.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Whether a file that begins with this line is of this format.
    pub recognises: fn(first_line: &str) -> bool,
}

/// All formats.
pub const FORMATS: &[Format] = &[Format {
    name: "openb",
    about: "Alibaba openb 2023 (GPU sharing): a node list and a pod list, CSV",
    recognises: openb::recognises,
}];

/// The format of a file, by its first line.
pub fn sniff(path: &Path) -> Result<Option<&'static Format>, TraceError> {
    let line = open::first_line(path)?;
    Ok(FORMATS.iter().find(|format| (format.recognises)(&line)))
}
