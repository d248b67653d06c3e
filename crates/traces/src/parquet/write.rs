//! Writes a Parquet file, one row group at a time.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use polars::prelude::{
    Column as PolarsColumn, DataFrame, DataType, Field, IntoColumn, NamedFrom, ParquetWriter, PolarsError,
    PolarsResult, Schema, Series,
};
use polars_io::parquet::write::BatchedWriter;

use crate::{
    TraceError,
    columns::{Batch, Cell, Column, Data, Kind},
};

/// So many rows make a row group: they are all that is kept in memory.
const GROUP: usize = 1 << 16;

/// Writes a table to a Parquet file.
pub struct TableWriter {
    path: PathBuf,
    columns: &'static [Column],
    batch: Batch,
    rows: u64,
    writer: BatchedWriter<File>,
}

impl TableWriter {
    /// A file with no rows yet.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path, columns: &'static [Column]) -> Result<Self, TraceError> {
        let file = File::create(path).map_err(|source| failed(path, source))?;
        let schema: Schema =
            columns.iter().map(|column| Field::new(column.name.into(), data_type(column.kind))).collect();
        let writer = ParquetWriter::new(file).set_parallel(false).batched(&schema);
        let writer = writer.map_err(|error| polars_failed(path, &error))?;
        Ok(Self { path: path.to_owned(), columns, batch: Batch::new(columns), rows: 0, writer })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn push<const N: usize>(&mut self, cells: [Cell; N]) -> Result<(), TraceError> {
        self.batch.push(cells);
        if self.batch.rows == GROUP { self.flush() } else { Ok(()) }
    }

    /// Writes what is left, and says how many rows there are.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> Result<u64, TraceError> {
        self.flush()?;
        self.writer.finish().map_err(|error| polars_failed(&self.path, &error))?;
        Ok(self.rows)
    }

    fn flush(&mut self) -> Result<(), TraceError> {
        if self.batch.rows == 0 {
            return Ok(());
        }
        let batch = std::mem::replace(&mut self.batch, Batch::new(self.columns));
        self.rows += batch.rows as u64;
        let written = frame(batch).and_then(|frame| self.writer.write_batch(&frame));
        written.map_err(|error| polars_failed(&self.path, &error))
    }
}

fn failed(path: &Path, source: io::Error) -> TraceError {
    TraceError::Write { path: path.to_owned(), source }
}

fn polars_failed(path: &Path, error: &PolarsError) -> TraceError {
    failed(path, io::Error::other(error.to_string()))
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Int => DataType::Int64,
        Kind::Int32 => DataType::Int32,
        Kind::Float => DataType::Float64,
        Kind::Text => DataType::String,
        Kind::Flag => DataType::Boolean,
        Kind::Ints => DataType::List(Box::new(DataType::Int64)),
    }
}

fn frame(batch: Batch) -> PolarsResult<DataFrame> {
    let columns = batch.data.into_iter().zip(batch.columns);
    let columns =
        columns.map(|(data, column)| series(data, column)).collect::<PolarsResult<Vec<PolarsColumn>>>()?;
    DataFrame::new(batch.rows, columns)
}

fn series(data: Data, column: &Column) -> PolarsResult<PolarsColumn> {
    let name = column.name.into();
    let series = match data {
        Data::Ints(values) if column.kind == Kind::Flag => Series::new(
            name,
            values.into_iter().map(|value| value.map(|value| value != 0)).collect::<Vec<_>>(),
        ),
        Data::Ints(values) => Series::new(name, values).strict_cast(&data_type(column.kind))?,
        Data::Floats(values) => Series::new(name, values),
        Data::Texts(values) => Series::new(name, values.iter().map(Option::as_deref).collect::<Vec<_>>()),
        Data::Lists(values) => {
            let lists: Vec<Series> = values.into_iter().map(|list| Series::new("".into(), list)).collect();
            Series::new(name, lists).cast(&data_type(Kind::Ints))?
        }
        Data::Absent => Series::new_null(name, 0),
    };
    Ok(series.into_column())
}
