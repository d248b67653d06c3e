//! Opening a trace file, plain or compressed, and what can be wrong with one.

use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Why a trace cannot be used. Lines count from 1, in the text as it is after decompression.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The first 64 KiB are one line.
    #[error("{}: is no trace: its first line is longer than 64 KiB", path.display())]
    NoLines {
        /// The file.
        path: PathBuf,
    },
    /// There is no such file, or it may not be read.
    #[error("{}: cannot be opened: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path names a directory.
    #[error("{}: is a directory, expected a trace file", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
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
    /// The gzip stream ends too early: an interrupted download or copy.
    #[error("{}: the gzip file is truncated: it ends within or after line {line}", path.display())]
    TruncatedGzip {
        /// The file.
        path: PathBuf,
        /// The last line that was read whole.
        line: u64,
    },
    /// The gzip stream is damaged.
    #[error("{}: the gzip file is damaged near or after line {line}: {source}", path.display())]
    DamagedGzip {
        /// The file.
        path: PathBuf,
        /// The last line that was read whole.
        line: u64,
        /// What the decompressor said.
        source: io::Error,
    },
    /// A field is not text.
    #[error("{}:{line}: column `{column}` is not UTF-8 text", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The name of the column, or `header`.
        column: String,
    },
    /// There is no row.
    #[error("{}: the trace is empty: expected {expected}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What should have been there.
        expected: String,
    },
    /// The header names a column that this format does not have.
    #[error("{}:1: unknown column `{found}`: expected {}", path.display(), or_nearest(nearest.as_deref(), expected))]
    UnknownColumn {
        /// The file.
        path: PathBuf,
        /// What the header says.
        found: String,
        /// The column that looks most like it.
        nearest: Option<String>,
        /// All columns of the format.
        expected: String,
    },
    /// The header lacks a column, or has it twice.
    #[error("{}:1: column `{column}` is {problem}: expected {expected}", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// Its name.
        column: String,
        /// `missing` or `named twice`.
        problem: &'static str,
        /// All columns of the format.
        expected: String,
    },
    /// A row has more or fewer fields than the header.
    #[error("{}:{line}: the row has {found} fields: expected {expected}, as in the header", path.display())]
    Fields {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// Fields of the row.
        found: u64,
        /// Fields of the header.
        expected: u64,
    },
    /// A field holds what it must not.
    #[error("{}:{line}: column `{column}` is `{found}`: expected {expected}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The name of the column.
        column: &'static str,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: String,
    },
}

fn or_nearest(nearest: Option<&str>, expected: &str) -> String {
    nearest.map_or_else(|| expected.to_owned(), |nearest| format!("`{nearest}`"))
}

/// Reads a file, through gzip if it begins as a gzip file does. Its name does not matter.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>, TraceError> {
    let fail = |source| TraceError::Open { path: path.to_owned(), source };
    let file = File::open(path).map_err(fail)?;
    if file.metadata().map_err(fail)?.is_dir() {
        return Err(TraceError::Directory { path: path.to_owned() });
    }
    let mut reader = BufReader::new(file);
    if reader.fill_buf().map_err(fail)?.starts_with(&GZIP) {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(reader))));
    }
    Ok(Box::new(reader))
}

/// The first line of a trace file, without its line end; empty if the file is.
pub fn first_line(path: &Path) -> Result<String, TraceError> {
    let mut line = String::new();
    let limit = 1 << 16;
    match io::Read::take(open(path)?, limit).read_line(&mut line) {
        Ok(read) if read as u64 == limit => Err(TraceError::NoLines { path: path.to_owned() }),
        Ok(_) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        Err(source) if source.kind() == io::ErrorKind::InvalidData && line.is_empty() => {
            Err(TraceError::NotUtf8 { path: path.to_owned(), line: 1, column: "header".to_owned() })
        }
        Err(source) => Err(read_error(path, 0, source)),
    }
}

/// Tells a broken gzip stream from a broken disk. `line` is the last that was read whole.
pub fn read_error(path: &Path, line: u64, source: io::Error) -> TraceError {
    let path = path.to_owned();
    let kind = source.kind();
    if kind == io::ErrorKind::UnexpectedEof {
        TraceError::TruncatedGzip { path, line }
    } else if [io::ErrorKind::InvalidInput, io::ErrorKind::InvalidData].contains(&kind) {
        TraceError::DamagedGzip { path, line, source }
    } else {
        TraceError::Read { path, line, source }
    }
}

/// How a gzip file begins (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];
