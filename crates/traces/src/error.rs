//! Why a trace cannot be read. A row that cannot be used is no error but a rejection ([`Quality`](crate::Quality)).

use std::{io, path::PathBuf};

/// Why reading ended. Lines count from 1, in the text as it is after decompression.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// There is no such file, or it may not be read.
    #[error("{}: cannot be opened: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Reading failed on the way.
    #[error("{}: cannot be read after line {line}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The last line that was read whole.
        line: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The compressed stream ends too early: an interrupted download or copy.
    #[error("{}: the compressed file is truncated: it ends within or after line {line}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The last line that was read whole.
        line: u64,
    },
    /// The compressed stream is damaged.
    #[error("{}: the compressed file is damaged near or after line {line}: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The last line that was read whole.
        line: u64,
        /// What the decompressor said.
        source: io::Error,
    },
    /// Nothing in the file or directory looks like a trace of a known format.
    #[error("{}: {problem}: expected {expected}", path.display())]
    Unknown {
        /// The file or directory.
        path: PathBuf,
        /// What was found.
        problem: String,
        /// What would have done.
        expected: String,
    },
    /// There is no format of this name.
    #[error("unknown trace format `{name}`: expected {expected}")]
    NoSuchFormat {
        /// The name.
        name: String,
        /// The nearest name, or all.
        expected: String,
    },
    /// The file as a whole is not what its format says: no JSON, no table of that name, a header without a column.
    #[error("{}{}: {problem}: expected {expected}", path.display(), at_line(*line))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where, if that is known.
        line: Option<u64>,
        /// What is wrong.
        problem: String,
        /// What should be there.
        expected: String,
    },
    /// This program was built without what the format needs.
    #[error("{}: {format} files can neither be read nor written by this build: it lacks the feature `{feature}`", path.display())]
    NotBuilt {
        /// The file.
        path: PathBuf,
        /// Parquet or SQLite.
        format: &'static str,
        /// The cargo feature.
        feature: &'static str,
    },
    /// What was read could not be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Rows are good but cannot be used for what was asked.
    #[error("{0}")]
    Unusable(String),
    /// Somebody asked to stop.
    #[error("interrupted")]
    Interrupted,
}

fn at_line(line: Option<u64>) -> String {
    line.map_or_else(String::new, |line| format!(":{line}"))
}

/// The word of a list that looks most like this one, if any does.
#[must_use]
pub fn nearest<'a>(found: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = words.map(|word| (strsim::damerau_levenshtein(found, word), word));
    scored
        .filter(|(distance, word)| *distance <= 1 + word.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
