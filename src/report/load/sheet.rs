//! Reading a CSV table by column names, with errors that name the line and the column.
//! Columns that nobody asks for are passed over, so that a newer run can be read by an older report.

use std::fs::File;
use std::path::{Path, PathBuf};

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use crate::report::error::{ReportError, nearest};

/// A table that is being read, row by row.
pub(super) struct Sheet {
    path: PathBuf,
    reader: Reader<File>,
    header: Vec<String>,
    record: StringRecord,
}

/// Where a column is.
#[derive(Clone)]
pub(super) struct Column {
    index: usize,
    name: String,
}

/// One row, as long as the next is not read.
pub(super) struct Row<'a> {
    path: &'a Path,
    record: &'a StringRecord,
}

impl Sheet {
    /// Opens the table at `path` and reads its header line. `expected` says what the file holds.
    pub(super) fn open(path: &Path, expected: &'static str) -> Result<Sheet, ReportError> {
        let file = File::open(path).map_err(ReportError::read(path, expected))?;
        let mut reader = ReaderBuilder::new().from_reader(file);
        let header = match reader.headers() {
            Ok(names) => names.iter().map(str::to_owned).collect(),
            Err(error) => return Err(row_error(path, error, expected)),
        };
        Ok(Sheet { path: path.to_path_buf(), reader, header, record: StringRecord::new() })
    }

    /// The column of this name, which must be there.
    pub(super) fn column(&self, name: &str) -> Result<Column, ReportError> {
        self.optional(name).ok_or_else(|| ReportError::MissingColumn {
            path: self.path.clone(),
            column: name.to_owned(),
            hint: nearest(name, self.header.iter().map(String::as_str)),
        })
    }

    /// The column of this name, if it is there.
    pub(super) fn optional(&self, name: &str) -> Option<Column> {
        let index = self.header.iter().position(|have| have == name)?;
        Some(Column { index, name: name.to_owned() })
    }

    /// The names in the header line.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// The next row, or `None` after the last.
    pub(super) fn next_row(&mut self) -> Result<Option<Row<'_>>, ReportError> {
        match self.reader.read_record(&mut self.record) {
            Ok(false) => Ok(None),
            Ok(true) => Ok(Some(Row { path: &self.path, record: &self.record })),
            Err(error) => Err(row_error(&self.path, error, "a table")),
        }
    }
}

impl Row<'_> {
    /// What the cell says, as it stands.
    pub(super) fn text(&self, column: &Column) -> &str {
        self.record.get(column.index).unwrap_or("")
    }

    /// A number that is finite and not negative.
    pub(super) fn number(&self, column: &Column) -> Result<f64, ReportError> {
        self.maybe(column)?.ok_or_else(|| self.wrong(column, "a number, 0 or more"))
    }

    /// A number that is finite and not negative, or nothing where it does not exist.
    pub(super) fn maybe(&self, column: &Column) -> Result<Option<f64>, ReportError> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => Ok(Some(number)),
            Ok(_) | Err(_) => Err(self.wrong(column, "a decimal number, 0 or more, or nothing")),
        }
    }

    /// A whole number.
    pub(super) fn count(&self, column: &Column) -> Result<u64, ReportError> {
        self.text(column).parse().map_err(|_| self.wrong(column, "a whole number, 0 or more"))
    }

    /// The error that says that this cell is not what it should be.
    pub(super) fn wrong(&self, column: &Column, expected: impl Into<String>) -> ReportError {
        ReportError::Cell {
            path: self.path.to_path_buf(),
            line: self.line(),
            ordinal: column.index + 1,
            column: column.name.clone(),
            expected: expected.into(),
            found: self.text(column).to_owned(),
        }
    }

    /// The error that says that this row as a whole is not what it should be.
    pub(super) fn row_wrong(&self, expected: impl Into<String>) -> ReportError {
        ReportError::Row { path: self.path.to_path_buf(), line: self.line(), expected: expected.into() }
    }

    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }
}

fn row_error(path: &Path, error: csv::Error, expected: &'static str) -> ReportError {
    let line = error.position().map_or(1, csv::Position::line);
    let path = path.to_path_buf();
    let kind = error.into_kind();
    if let ErrorKind::Io(source) = kind {
        return ReportError::Read { path, expected, source };
    }
    let expected = if let ErrorKind::UnequalLengths { expected_len, len, .. } = kind {
        format!("{expected_len} cells as in the header line, found {len}")
    } else if let ErrorKind::Utf8 { .. } = kind {
        "text in UTF-8".to_owned()
    } else {
        format!("a row of a table ({kind:?})")
    };
    ReportError::Row { path, line, expected }
}
