//! Columns of a piece of a table, between rows and files that keep columns.

use crate::{
    quality::shown,
    table::{RowError, parse_int},
};

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Whole numbers of 64 bits.
    Int,
    /// The same, which files keep in 32 bits.
    Int32,
    /// Numbers.
    Float,
    /// Texts. A file's whole numbers are taken as texts too: they are names.
    Text,
    /// Yes or no.
    Flag,
    /// Lists of whole numbers.
    Ints,
}

/// A column of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether a file without it is refused.
    pub required: bool,
}

impl Column {
    /// A column that must be there.
    #[must_use]
    pub const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: true }
    }

    /// A column that may be missing.
    #[must_use]
    pub const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false }
    }
}

/// The values of one column.
#[derive(Clone, PartialEq, Debug)]
pub enum Data {
    /// Whole numbers; flags are 0 and 1.
    Ints(Vec<Option<i64>>),
    /// Numbers.
    Floats(Vec<Option<f64>>),
    /// Texts.
    Texts(Vec<Option<Box<str>>>),
    /// Lists.
    Lists(Vec<Vec<i64>>),
    /// The file lacks the column.
    Absent,
}

impl Data {
    /// No values of this kind.
    #[must_use]
    pub const fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Int | Kind::Int32 | Kind::Flag => Self::Ints(Vec::new()),
            Kind::Float => Self::Floats(Vec::new()),
            Kind::Text => Self::Texts(Vec::new()),
            Kind::Ints => Self::Lists(Vec::new()),
        }
    }
}

/// One value.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// Nothing.
    Missing,
    /// A whole number or a flag.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Text(Box<str>),
    /// A list.
    Ints(Vec<i64>),
}

impl From<Option<i64>> for Cell {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::Missing, Self::Int)
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::Float)
    }
}

impl From<Option<&str>> for Cell {
    fn from(value: Option<&str>) -> Self {
        value.map_or(Self::Missing, |text| Self::Text(text.into()))
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

/// Some rows of a table, column by column.
#[derive(Clone, PartialEq, Debug)]
pub struct Batch {
    /// What its columns are.
    pub columns: &'static [Column],
    /// Their values, in the same order, all of the same length.
    pub data: Vec<Data>,
    /// How many rows there are.
    pub rows: usize,
}

impl Batch {
    /// No rows of a table.
    #[must_use]
    pub fn new(columns: &'static [Column]) -> Self {
        let data = columns.iter().map(|column| Data::empty(column.kind)).collect();
        Self { columns, data, rows: 0 }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// The cells are not those of the table: a mistake of the table's definition, not of any input.
    pub fn push<const N: usize>(&mut self, cells: [Cell; N]) {
        assert_eq!(N, self.columns.len(), "cells for {} columns", self.columns.len());
        for ((data, cell), column) in self.data.iter_mut().zip(cells).zip(self.columns) {
            match (data, cell) {
                (Data::Ints(values), Cell::Int(value)) => values.push(Some(value)),
                (Data::Ints(values), Cell::Missing) => values.push(None),
                (Data::Floats(values), Cell::Float(value)) => values.push(Some(value)),
                (Data::Floats(values), Cell::Missing) => values.push(None),
                (Data::Texts(values), Cell::Text(value)) => values.push(Some(value)),
                (Data::Texts(values), Cell::Missing) => values.push(None),
                (Data::Lists(values), Cell::Ints(value)) => values.push(value),
                (Data::Ints(_) | Data::Floats(_) | Data::Texts(_) | Data::Lists(_) | Data::Absent, cell) => {
                    panic!("column {} cannot hold {cell:?}", column.name)
                }
            }
        }
        self.rows += 1;
    }

    /// One row. `number` is its place in the file, from 1.
    #[must_use]
    pub const fn line(&self, row: usize, number: u64) -> Line<'_> {
        Line { batch: self, row, number }
    }
}

/// One row of a batch. Columns are named by their place in the table.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    batch: &'a Batch,
    row: usize,
    /// Its place in the file, from 1.
    pub number: u64,
}

impl<'a> Line<'a> {
    /// A whole number, if there is one.
    #[must_use]
    pub fn int(self, column: usize) -> Option<i64> {
        match self.batch.data.get(column)? {
            Data::Ints(values) => values.get(self.row).copied().flatten(),
            Data::Floats(_) | Data::Texts(_) | Data::Lists(_) | Data::Absent => None,
        }
    }

    /// A finite number, if there is one.
    #[must_use]
    pub fn number(self, column: usize) -> Option<f64> {
        let number = match self.batch.data.get(column)? {
            Data::Floats(values) => values.get(self.row).copied().flatten(),
            Data::Ints(_) | Data::Texts(_) | Data::Lists(_) | Data::Absent => None,
        };
        number.filter(|number| number.is_finite())
    }

    /// A finite number, 0 or more, if there is one.
    ///
    /// # Errors
    /// It is negative.
    pub fn amount(self, column: usize) -> Result<Option<f64>, RowError> {
        match self.number(column) {
            Some(number) if number < 0.0 => Err(self.wrong(column, "a number, 0 or more")),
            other => Ok(other),
        }
    }

    /// A text that is not empty, if there is one.
    #[must_use]
    pub fn text(self, column: usize) -> Option<&'a str> {
        let text = match self.batch.data.get(column)? {
            Data::Texts(values) => values.get(self.row)?.as_deref(),
            Data::Ints(_) | Data::Floats(_) | Data::Lists(_) | Data::Absent => None,
        };
        text.filter(|text| !text.is_empty())
    }

    /// A list; empty if there is none.
    #[must_use]
    pub fn list(self, column: usize) -> &'a [i64] {
        match self.batch.data.get(column) {
            Some(Data::Lists(values)) => values.get(self.row).map_or(&[], Vec::as_slice),
            Some(Data::Ints(_) | Data::Floats(_) | Data::Texts(_) | Data::Absent) | None => &[],
        }
    }

    /// A whole number that must be there.
    ///
    /// # Errors
    /// There is none.
    pub fn need_int(self, column: usize) -> Result<i64, RowError> {
        self.int(column).ok_or_else(|| self.wrong(column, "a whole number"))
    }

    /// A whole number, 0 or more, that fits the type; `None` if there is none.
    ///
    /// # Errors
    /// It does not fit.
    pub fn count<T: TryFrom<i64>>(self, column: usize) -> Result<Option<T>, RowError> {
        let Some(number) = self.int(column) else { return Ok(None) };
        let small = T::try_from(number).ok().filter(|_| number >= 0);
        small.map(Some).ok_or_else(|| self.wrong(column, "a whole number, 0 or more, and not huge"))
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// There is none.
    pub fn name(self, column: usize) -> Result<&'a str, RowError> {
        self.text(column).ok_or_else(|| self.wrong(column, "a name"))
    }

    /// A rejection of this row because of this column.
    #[must_use]
    pub fn wrong(self, column: usize, expected: &str) -> RowError {
        let found = self
            .int(column)
            .map(|number| number.to_string())
            .or_else(|| self.number(column).map(|number| number.to_string()))
            .or_else(|| self.text(column).map(|text| shown(text.as_bytes())));
        let found = found.unwrap_or_else(|| "nothing".to_owned());
        RowError::Rejected { column: Some(column), found, expected: expected.into() }
    }
}

/// The whole number that a name is, if it is one.
#[must_use]
pub fn number_of_name(name: &str) -> Option<i64> {
    parse_int(name.as_bytes())
}
