//! What can be wrong with result files, said so that the reader can go to the place.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a report could not be made. No variant leaves a half-written file behind.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A file or directory is not there or cannot be read.
    #[error("{}: cannot read {expected}: {source}", path.display())]
    Read {
        /// The file that was looked for.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// A table has no column of a name that it must have.
    #[error("{}:1: expected a column `{column}` in the header line{hint}", path.display())]
    MissingColumn {
        /// The table.
        path: PathBuf,
        /// The column that is missing.
        column: String,
        /// The nearest column that is there, as the end of the sentence, or nothing.
        hint: String,
    },
    /// One cell of a table does not say what its column means.
    #[error("{}:{line}: column {ordinal} `{column}`: expected {expected}, found `{found}`", path.display())]
    Cell {
        /// The table.
        path: PathBuf,
        /// The line, from 1 (the header).
        line: u64,
        /// The column, from 1.
        ordinal: usize,
        /// The column's name.
        column: String,
        /// What the cell should hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// A line of a table cannot be read as a row.
    #[error("{}:{line}: expected {expected}", path.display())]
    Row {
        /// The table.
        path: PathBuf,
        /// The line, from 1 (the header).
        line: u64,
        /// What the line should be.
        expected: String,
    },
    /// A manifest is not the JSON object that it should be.
    #[error("{}:{line}:{column}: expected a run's manifest: {message}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The character in the line, from 1.
        column: usize,
        /// What the reader of JSON said.
        message: String,
    },
    /// A result file could be read and holds nothing to report on.
    #[error("{}: expected {expected}, found none", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What it should hold at least one of.
        expected: &'static str,
    },
    /// A file of the report could not be written.
    #[error("{}: cannot write: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A figure could not be drawn: a fault of mesosim and not of the results.
    #[error("figure `{figure}` could not be drawn: {message}")]
    Plot {
        /// The figure.
        figure: String,
        /// What the drawing library said.
        message: String,
    },
    /// The page could not be made: a fault of mesosim and not of the results.
    #[error("the page could not be made: {message}")]
    Page {
        /// What the template engine said.
        message: String,
    },
}

impl ReportError {
    /// For `map_err` on a read of `path`, which should hold `expected`.
    pub(super) fn read(path: &Path, expected: &'static str) -> impl FnOnce(io::Error) -> ReportError {
        let path = path.to_path_buf();
        move |source| ReportError::Read { path, expected, source }
    }

    /// For `map_err` on a write of `path`.
    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> ReportError {
        let path = path.to_path_buf();
        move |source| ReportError::Write { path, source }
    }
}

/// The end of a sentence that names the valid word nearest to `found`, or all of them when none is near.
pub(super) fn nearest<'a>(found: &str, valid: impl Iterator<Item = &'a str>) -> String {
    let valid: Vec<&str> = valid.collect();
    let near = valid
        .iter()
        .map(|word| (strsim::jaro_winkler(found, word), word))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((_, word)) => format!(" (the nearest is `{word}`)"),
        None => format!(" (there are: {})", valid.join(", ")),
    }
}
