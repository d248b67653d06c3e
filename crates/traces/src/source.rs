//! A file of a trace: what it begins with, and its bytes, through gzip or zstd if it begins as such files do. Names do not
//! matter.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;

use crate::TraceError;

/// How a gzip file (RFC 1952) and a zstd frame (RFC 8878) begin.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// So much of a file is looked at to tell its format.
const HEAD: u64 = 1 << 16;
/// Read at a time from the disk.
const BUFFER: usize = 1 << 18;

/// A file, and the first 64 KiB of it as they are after decompression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// How it begins; all of it if it is shorter than 64 KiB.
    pub head: Vec<u8>,
}

impl Source {
    /// Looks at a file.
    ///
    /// # Errors
    /// It cannot be opened, is a directory, or is compressed and damaged from the start.
    pub fn of(path: &Path) -> Result<Self, TraceError> {
        let mut head = Vec::new();
        let read = open(path)?.take(HEAD).read_to_end(&mut head);
        match read {
            Err(source) if head.is_empty() => Err(read_error(path, 0, source)),
            Ok(_) | Err(_) => Ok(Self { path: path.to_owned(), head }),
        }
    }

    /// All files named by these paths; of directories all that are in them, by name, hidden files left out.
    ///
    /// # Errors
    /// A path does not exist, or a directory or file cannot be read.
    pub fn all(paths: &[PathBuf]) -> Result<Vec<Self>, TraceError> {
        let mut files = Vec::new();
        for path in paths {
            collect(path, &mut files)?;
        }
        files.iter().map(|path| Self::of(path)).collect()
    }

    /// The first line, if it is UTF-8 text, without its end and without a byte order mark.
    #[must_use]
    pub fn first_line(&self) -> Option<&str> {
        self.lines().next()
    }

    /// The whole lines among the first 64 KiB, as far as they are UTF-8 text.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        let text = self.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.head);
        let whole = if (self.head.len() as u64) < HEAD {
            text.len()
        } else {
            memchr::memrchr(b'\n', text).unwrap_or(0)
        };
        let lines =
            text[..whole].split(|byte| *byte == b'\n').map_while(|line| std::str::from_utf8(line).ok());
        lines.map(|line| line.trim_end_matches('\r'))
    }

    /// Its bytes, decompressed.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(&self) -> Result<Box<dyn BufRead + Send>, TraceError> {
        open(&self.path)
    }
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), TraceError> {
    let fail = |source| TraceError::Open { path: path.to_owned(), source };
    if !fs::metadata(path).map_err(fail)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(fail)?.collect::<Result<Vec<_>, _>>().map_err(fail)?;
    let mut inside: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    inside.retain(|path| path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b".")));
    inside.sort();
    inside.iter().try_for_each(|path| collect(path, files))
}

fn open(path: &Path) -> Result<Box<dyn BufRead + Send>, TraceError> {
    let fail = |source| TraceError::Open { path: path.to_owned(), source };
    let mut reader = BufReader::with_capacity(BUFFER, File::open(path).map_err(fail)?);
    let start = reader.fill_buf().map_err(fail)?;
    if start.starts_with(&GZIP) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(reader))));
    }
    if start.starts_with(&ZSTD) {
        let decoder = zstd::stream::read::Decoder::with_buffer(reader).map_err(fail)?;
        return Ok(Box::new(BufReader::with_capacity(BUFFER, decoder)));
    }
    Ok(Box::new(reader))
}

/// Tells a broken compressed stream from a broken disk. `line` is the last that was read whole.
#[must_use]
pub fn read_error(path: &Path, line: u64, source: io::Error) -> TraceError {
    let (path, kind) = (path.to_owned(), source.kind());
    let is_damage =
        [io::ErrorKind::InvalidInput, io::ErrorKind::InvalidData, io::ErrorKind::Other].contains(&kind);
    if kind == io::ErrorKind::UnexpectedEof {
        TraceError::Truncated { path, line }
    } else if is_damage {
        TraceError::Damaged { path, line, source }
    } else {
        TraceError::Read { path, line, source }
    }
}
