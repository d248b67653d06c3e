//! A CSV file with a header, read row by row, with errors that name line and column.

use super::open::{TraceError, first_line, open, read_error};
use csv::{ErrorKind, StringRecord};
use std::io::BufRead;
use std::path::{Path, PathBuf};

/// The columns of a format. A header may have them in any order.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Those that each file has.
    pub required: &'static [&'static str],
    /// Those that some files lack. A missing one reads as empty.
    pub optional: &'static [&'static str],
}

impl Columns {
    /// Whether this is the header line of a file with these columns.
    #[must_use]
    pub fn are_in(&self, header: &str) -> bool {
        let found: Vec<_> = header.trim_start_matches('\u{feff}').split(',').map(str::trim).collect();
        self.required.iter().all(|name| found.contains(name))
            && found.iter().all(|name| self.all().any(|n| n == *name))
    }

    fn all(&self) -> impl Iterator<Item = &'static str> {
        self.required.iter().chain(self.optional).copied()
    }

    fn listed(&self) -> String {
        self.all().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }
}

/// A file that is being read.
pub struct Table {
    path: PathBuf,
    reader: csv::Reader<Box<dyn BufRead>>,
    header: Vec<&'static str>,
    record: StringRecord,
    line: u64,
}

/// One row.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    table: &'a Table,
}

impl Table {
    /// Opens a file and checks its header.
    pub fn open(path: &Path, columns: Columns) -> Result<Self, TraceError> {
        first_line(path)?; // a file without lines would be read whole
        let reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(open(path)?);
        let mut table =
            Self { path: path.to_owned(), reader, header: Vec::new(), record: StringRecord::new(), line: 0 };
        let header = table.reader.headers().cloned().map_err(|error| table.error(error))?;
        table.line = 1;
        if header.is_empty() {
            return Err(TraceError::Empty {
                path: table.path,
                expected: format!("a header with {}", columns.listed()),
            });
        }
        table.header = header.iter().map(|name| table.known(name, columns)).collect::<Result<_, _>>()?;
        table.check_header(columns)?;
        Ok(table)
    }

    /// All rows as `parse` makes them; at least one.
    pub fn read<T>(
        mut self,
        mut parse: impl FnMut(Row<'_>) -> Result<T, TraceError>,
    ) -> Result<Vec<T>, TraceError> {
        let mut rows = Vec::new();
        loop {
            let row = self.advance().and_then(|more| more.then(|| parse(Row { table: &self })).transpose());
            match row {
                Ok(Some(row)) => rows.push(row),
                Ok(None) => break,
                Err(error) => return Err(self.damage().unwrap_or(error)),
            }
        }
        if rows.is_empty() {
            return Err(TraceError::Empty { path: self.path, expected: "a row after the header".to_owned() });
        }
        Ok(rows)
    }

    /// What else is wrong with the rest of the file. A damaged gzip stream yields nonsense for a while before its
    /// checksum tells, and a complaint about the nonsense would mislead.
    fn damage(&mut self) -> Option<TraceError> {
        let rest = std::io::copy(self.reader.get_mut(), &mut std::io::sink());
        rest.err().map(|source| read_error(&self.path, self.line, source))
    }

    fn advance(&mut self) -> Result<bool, TraceError> {
        let mut record = std::mem::take(&mut self.record);
        let more = self.reader.read_record(&mut record).map_err(|error| self.error(error))?;
        self.line = record.position().map_or(self.line, csv::Position::line);
        self.record = record;
        Ok(more)
    }

    fn known(&self, found: &str, columns: Columns) -> Result<&'static str, TraceError> {
        columns.all().find(|name| *name == found).ok_or_else(|| TraceError::UnknownColumn {
            path: self.path.clone(),
            found: found.to_owned(),
            nearest: nearest(found, columns.all()).map(str::to_owned),
            expected: columns.listed(),
        })
    }

    fn check_header(&self, columns: Columns) -> Result<(), TraceError> {
        for column in columns.all() {
            let problem = match self.header.iter().filter(|name| **name == column).count() {
                0 if columns.required.contains(&column) => "missing",
                0 | 1 => continue,
                _ => "named twice",
            };
            let (path, column) = (self.path.clone(), column.to_owned());
            return Err(TraceError::Column { path, column, problem, expected: columns.listed() });
        }
        Ok(())
    }

    fn error(&self, error: csv::Error) -> TraceError {
        let path = self.path.clone();
        let line = error.position().map_or(self.line, csv::Position::line);
        match error.into_kind() {
            ErrorKind::Io(source) => read_error(&path, self.line, source),
            ErrorKind::Utf8 { err, .. } => {
                let column = self
                    .header
                    .get(err.field())
                    .map_or_else(|| "header".to_owned(), |name| (*name).to_owned());
                TraceError::NotUtf8 { path, line, column }
            }
            ErrorKind::UnequalLengths { expected_len: expected, len: found, .. } => {
                TraceError::Fields { path, line, found, expected }
            }
            other @ (ErrorKind::Seek | ErrorKind::Serialize(_) | ErrorKind::Deserialize { .. } | _) => {
                read_error(&path, line, std::io::Error::other(format!("{other:?}")))
            }
        }
    }
}

impl<'a> Row<'a> {
    /// The text of a field; empty if the file lacks the column.
    #[must_use]
    pub fn text(self, column: &'static str) -> &'a str {
        let at = self.table.header.iter().position(|name| *name == column);
        at.and_then(|at| self.table.record.get(at)).unwrap_or_default()
    }

    /// The text of a field, unless it is empty.
    #[must_use]
    pub fn some_text(self, column: &'static str) -> Option<&'a str> {
        Some(self.text(column)).filter(|text| !text.is_empty())
    }

    /// The text of a field, which may not be empty.
    pub fn name(self, column: &'static str) -> Result<&'a str, TraceError> {
        self.some_text(column).ok_or_else(|| self.wrong(column, "a name"))
    }

    /// A whole number.
    pub fn number(self, column: &'static str) -> Result<u64, TraceError> {
        let text = self.text(column);
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).ok_or_else(|| self.wrong(column, "a whole number, 0 or more"))
    }

    /// A whole number, unless the field is empty.
    pub fn some_number(self, column: &'static str) -> Result<Option<u64>, TraceError> {
        self.some_text(column).map(|_| self.number(column)).transpose()
    }

    /// One of a few words, unless the field is empty.
    pub fn some_word(
        self,
        column: &'static str,
        words: &[&'static str],
    ) -> Result<Option<&'static str>, TraceError> {
        let Some(text) = self.some_text(column) else { return Ok(None) };
        if let Some(word) = words.iter().find(|word| **word == text) {
            return Ok(Some(word));
        }
        let expected =
            nearest(text, words.iter().copied()).map_or_else(|| words.join(", "), |word| format!("`{word}`"));
        Err(self.wrong(column, &expected))
    }

    /// Where this row begins.
    #[must_use]
    pub fn line(self) -> u64 {
        self.table.line
    }

    /// The error that `column` does not hold what it should.
    #[must_use]
    pub fn wrong(self, column: &'static str, expected: &str) -> TraceError {
        let (path, found) = (self.table.path.clone(), self.text(column).to_owned());
        TraceError::Value { path, line: self.table.line, column, found, expected: expected.to_owned() }
    }
}

/// The word that looks most like `found`, if any looks like it at all.
fn nearest<'a>(found: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness =
        |word: &str| strsim::normalized_damerau_levenshtein(&found.to_lowercase(), &word.to_lowercase());
    let scored = words.map(|word| (likeness(word), word)).filter(|(score, _)| *score >= 0.5);
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, word)| word)
}
