//! What a reader noticed: rows it rejected, values that were missing, what it assumed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// How many rejected rows of each file are kept with their lines unless more are asked for; the others are counted.
pub const KEPT_REJECTIONS: usize = 100;

/// Why a row or a value was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejection {
    /// The line, from 1, after decompression (in formats without lines: the row).
    pub line: u64,
    /// The column or key; empty if the row as a whole is wrong.
    pub column: &'static str,
    /// What was found, cut to 40 characters.
    pub found: String,
    /// What would have done.
    pub expected: Box<str>,
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, column, found, expected } = self;
        match *column {
            "" => write!(f, "line {line}: {found}: expected {expected}"),
            column => write!(f, "line {line}: `{column}` is `{found}`: expected {expected}"),
        }
    }
}

/// One file that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileQuality {
    /// The file.
    pub path: PathBuf,
    /// Which table of its format it is.
    pub table: &'static str,
    /// Rows, the rejected ones included; comments, headers and blank lines are none.
    pub rows: u64,
    /// Bytes after decompression.
    pub bytes: u64,
    /// How many rows were rejected.
    pub rejected: u64,
    /// The first of them.
    pub rejections: Vec<Rejection>,
}

/// The report on a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quality {
    /// How many rejections of each file are kept.
    kept: usize,
    files: Vec<FileQuality>,
    /// Which of them is being read.
    present: usize,
    missing: BTreeMap<&'static str, u64>,
    notes: BTreeMap<&'static str, u64>,
    assumptions: Vec<String>,
}

impl Default for Quality {
    fn default() -> Self {
        Self::keeping(KEPT_REJECTIONS)
    }
}

impl Quality {
    /// An empty report that will keep so many rejections of each file.
    #[must_use]
    pub fn keeping(rejections: usize) -> Self {
        let (missing, notes) = (BTreeMap::new(), BTreeMap::new());
        Self { kept: rejections, present: 0, files: Vec::new(), missing, notes, assumptions: Vec::new() }
    }

    /// The files, in the order in which they were read.
    #[must_use]
    pub fn files(&self) -> &[FileQuality] {
        &self.files
    }

    /// How often a column of the format was empty.
    #[must_use]
    pub const fn missing(&self) -> &BTreeMap<&'static str, u64> {
        &self.missing
    }

    /// How often something odd was met and dealt with, in words (`"parents that the job does not have"`).
    #[must_use]
    pub const fn notes(&self) -> &BTreeMap<&'static str, u64> {
        &self.notes
    }

    /// What the reader took for granted, in sentences: units, sizes, rules by which values were derived.
    #[must_use]
    pub fn assumptions(&self) -> &[String] {
        &self.assumptions
    }

    /// Rows of all files.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Rejected rows of all files.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.files.iter().map(|file| file.rejected).sum()
    }

    /// Reading of a file begins. Returns its place among the files.
    pub fn begin(&mut self, path: &Path, table: &'static str) -> usize {
        self.files.push(FileQuality {
            path: path.to_owned(),
            table,
            rows: 0,
            bytes: 0,
            rejected: 0,
            rejections: Vec::new(),
        });
        self.present = self.files.len() - 1;
        self.present
    }

    /// Reading goes on in a file that was begun before: for readers that have several open.
    ///
    /// # Panics
    /// There is no such file.
    pub fn turn_to(&mut self, file: usize) {
        assert!(file < self.files.len(), "file {file} of {} that were begun", self.files.len());
        self.present = file;
    }

    /// The file that is being read.
    ///
    /// # Panics
    /// No file was begun.
    pub fn file(&mut self) -> &mut FileQuality {
        self.files.get_mut(self.present).expect("a file that was begun")
    }

    /// A row of the present file is rejected.
    pub fn reject(&mut self, rejection: Rejection) {
        let kept = self.kept;
        let file = self.file();
        file.rejected += 1;
        if file.rejections.len() < kept {
            file.rejections.push(rejection);
        }
    }

    /// A value that some rows have was not there.
    pub fn miss(&mut self, column: &'static str) {
        *self.missing.entry(column).or_default() += 1;
    }

    /// Something odd was met and dealt with.
    pub fn note(&mut self, what: &'static str, count: u64) {
        if count > 0 {
            *self.notes.entry(what).or_default() += count;
        }
    }

    /// The reader takes something for granted. Said once, however often it is called.
    pub fn assume(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.assumptions.contains(&what) {
            self.assumptions.push(what);
        }
    }
}

/// Text of a file for a message: at most 40 characters, nothing that a terminal would obey.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(160)]);
    let mut shown: String = text.chars().take(40).map(|c| if c.is_control() { '·' } else { c }).collect();
    if shown.len() < bytes.len() && (text.chars().count() > 40 || bytes.len() > 160) {
        shown.push('…');
    }
    shown
}
