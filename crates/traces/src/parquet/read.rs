//! Reads a Parquet file, one row group at a time.

use std::{
    fs::File,
    io::{Cursor, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use polars::prelude::{
    ArrowDataType, ChunkedArray, DataFrame, DataType, Int64Type, ParquetReader, PolarsResult, SerReader,
    Series,
};
use polars_io::mmap::MmapBytesReader;

use crate::{
    Source, TraceError,
    columns::{Batch, Column, Data, Kind},
    source::read_error,
};

/// Row groups are held whole; larger ones are damage, or would not fit.
const LARGEST_GROUP: usize = 1 << 26;

/// A file being read.
pub(super) struct Reader {
    path: PathBuf,
    columns: &'static [Column],
    /// Which of them the file has.
    present: Vec<bool>,
    /// Compressed Parquet files are held in memory, because reading jumps.
    whole: Option<Vec<u8>>,
    /// Rows of the row groups to come, last first.
    groups: Vec<usize>,
    next_row: usize,
    all_rows: usize,
    size: u64,
}

impl Reader {
    pub(super) fn open(source: &Source, columns: &'static [Column]) -> Result<Self, TraceError> {
        let path = source.path.clone();
        let mut reader = Self {
            path,
            columns,
            present: Vec::new(),
            whole: None,
            groups: Vec::new(),
            next_row: 0,
            all_rows: 0,
            size: 0,
        };
        reader.size = reader.file()?.metadata().map_err(|error| read_error(&reader.path, 0, error))?.len();
        let mut start = [0; 4];
        let plain = reader.file()?.read_exact(&mut start).is_ok() && start == super::MAGIC;
        if !plain {
            let mut whole = Vec::new();
            source.open()?.read_to_end(&mut whole).map_err(|error| read_error(&reader.path, 0, error))?;
            reader.size = whole.len() as u64;
            reader.whole = Some(whole);
        }
        reader.look()?;
        Ok(reader)
    }

    /// Bytes of the rows that were read so far: the file's size, shared out evenly.
    pub(super) fn bytes(&self) -> u64 {
        let share = self.next_row as f64 / self.all_rows.max(1) as f64;
        (self.size as f64 * share) as u64
    }

    fn file(&self) -> Result<File, TraceError> {
        File::open(&self.path).map_err(|source| TraceError::Open { path: self.path.clone(), source })
    }

    fn malformed(&self, problem: String, expected: &str) -> TraceError {
        TraceError::Malformed { path: self.path.clone(), line: None, problem, expected: expected.to_owned() }
    }

    /// Learns the row groups, and refuses columns that the library would not survive.
    fn look(&mut self) -> Result<(), TraceError> {
        let (groups, types) = match &self.whole {
            Some(whole) => self.guarded(|| look(Cursor::new(whole.as_slice())))?,
            None => {
                let file = self.file()?;
                self.guarded(|| look(file))?
            }
        };
        for column in self.columns {
            let found = types.iter().find(|(name, _)| name == column.name);
            let fits = found.is_none_or(|(_, is)| can_be(is, column.kind));
            if !fits || (found.is_none() && column.required) {
                let problem = match found {
                    Some((_, is)) => format!("the column `{}` is of the type {is:?}", column.name),
                    None => format!("the column `{}` is missing", column.name),
                };
                return Err(self.malformed(
                    problem,
                    &format!("a column `{}` of the kind {:?}", column.name, column.kind),
                ));
            }
            self.present.push(found.is_some());
        }
        if let Some(rows) = groups.iter().find(|rows| **rows > LARGEST_GROUP) {
            return Err(
                self.malformed(format!("a row group of {rows} rows"), "row groups of at most 2^26 rows")
            );
        }
        self.all_rows = groups.iter().sum();
        self.groups = groups;
        self.groups.reverse();
        Ok(())
    }

    /// The next row group, or nothing at the end.
    pub(super) fn next_group(&mut self) -> Result<Option<Batch>, TraceError> {
        let Some(rows) = self.groups.pop() else { return Ok(None) };
        let names = self.columns.iter().zip(&self.present).filter(|(_, present)| **present);
        let names: Vec<String> = names.map(|(column, _)| column.name.to_owned()).collect();
        let slice = (self.next_row, rows);
        let frame = match &self.whole {
            Some(whole) => self.guarded(|| frame(Cursor::new(whole.as_slice()), names, slice))?,
            None => {
                let file = self.file()?;
                self.guarded(|| frame(file, names, slice))?
            }
        };
        let batch = self.guarded(|| batch(&frame, self.columns, &self.present))?;
        self.next_row += rows;
        Ok(Some(batch))
    }

    /// The library panics on some damaged files. That must not end the program: a damaged file is an ordinary mistake.
    fn guarded<T>(&self, work: impl FnOnce() -> PolarsResult<T>) -> Result<T, TraceError> {
        let problem = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the file is damaged".to_owned(),
        };
        Err(self.malformed(problem, "a whole Parquet file"))
    }
}

type Types = Vec<(String, ArrowDataType)>;

fn look<R: MmapBytesReader>(file: R) -> PolarsResult<(Vec<usize>, Types)> {
    let mut reader = ParquetReader::new(file);
    let schema = reader.schema()?;
    let types = schema.iter().map(|(name, field)| (name.to_string(), field.dtype.clone())).collect();
    let groups = reader.get_metadata()?.row_groups.iter().map(|group| group.num_rows()).collect();
    Ok((groups, types))
}

fn frame<R: MmapBytesReader>(file: R, names: Vec<String>, slice: (usize, usize)) -> PolarsResult<DataFrame> {
    let reader = ParquetReader::new(file).with_slice(Some(slice)).with_columns(Some(names));
    reader.read_parallel(polars_io::parquet::read::ParallelStrategy::None).set_rechunk(true).finish()
}

const fn is_int(is: &ArrowDataType) -> bool {
    matches!(is, ArrowDataType::Int32 | ArrowDataType::Int64 | ArrowDataType::UInt32 | ArrowDataType::UInt64)
}

const fn is_number(is: &ArrowDataType) -> bool {
    is_int(is) || matches!(is, ArrowDataType::Float32 | ArrowDataType::Float64)
}

fn can_be(is: &ArrowDataType, kind: Kind) -> bool {
    let is_text = matches!(is, ArrowDataType::Utf8 | ArrowDataType::LargeUtf8 | ArrowDataType::Utf8View);
    match kind {
        Kind::Int | Kind::Int32 | Kind::Float => is_number(is),
        Kind::Text => is_text || is_int(is),
        Kind::Flag => matches!(is, ArrowDataType::Boolean),
        Kind::Ints => {
            if let ArrowDataType::List(inner) | ArrowDataType::LargeList(inner) = is {
                return is_number(&inner.dtype);
            }
            matches!(is, ArrowDataType::Null)
        }
    }
}

fn batch(frame: &DataFrame, columns: &'static [Column], present: &[bool]) -> PolarsResult<Batch> {
    let mut data = Vec::new();
    for (column, present) in columns.iter().zip(present) {
        if *present {
            let series = frame.column(column.name)?.as_materialized_series();
            data.push(values(series, column.kind)?);
        } else {
            data.push(Data::Absent);
        }
    }
    Ok(Batch { columns, data, rows: frame.height() })
}

fn values(series: &Series, kind: Kind) -> PolarsResult<Data> {
    Ok(match kind {
        Kind::Int | Kind::Int32 => Data::Ints(ints(series)?.iter().collect()),
        Kind::Float => Data::Floats(series.cast(&DataType::Float64)?.f64()?.iter().collect()),
        Kind::Text if series.dtype() == &DataType::String => {
            Data::Texts(series.str()?.iter().map(|text| text.map(Into::into)).collect())
        }
        Kind::Text => {
            let texts =
                ints(series)?.iter().map(|number| number.map(|number| number.to_string().into())).collect();
            Data::Texts(texts)
        }
        Kind::Flag => Data::Ints(series.bool()?.iter().map(|flag| flag.map(i64::from)).collect()),
        Kind::Ints => Data::Lists(lists(series)?),
    })
}

/// Numbers with a fraction, or too large, are missing.
fn ints(series: &Series) -> PolarsResult<ChunkedArray<Int64Type>> {
    Ok(series.cast(&DataType::Int64)?.i64()?.clone())
}

fn lists(series: &Series) -> PolarsResult<Vec<Vec<i64>>> {
    if series.dtype() == &DataType::Null {
        return Ok(vec![Vec::new(); series.len()]);
    }
    let lists = series.list()?;
    let list = |row| match lists.get_as_series(row) {
        Some(list) => Ok(ints(&list)?.iter().flatten().collect()),
        None => Ok(Vec::new()),
    };
    (0..lists.len()).map(list).collect()
}
