//! Parquet files: what is in one (always), its rows and how they are written (with the feature `parquet`).
//!
//! Which columns a file has is looked up in its footer without the library that reads the rest, so that a build without it
//! still says what the file is.

#[cfg(feature = "parquet")]
mod read;
#[cfg(feature = "parquet")]
mod write;

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use crate::{
    Context, Source, TraceError,
    columns::{Column, Line},
    format::Part,
    table::RowError,
};

#[cfg(feature = "parquet")]
pub use write::TableWriter;

/// How a Parquet file begins and ends.
const MAGIC: &[u8] = b"PAR1";
/// Longer footers are not looked at, and no more than this is read of a compressed file.
const LONGEST_FOOTER: u64 = 1 << 26;

/// Whether a file is Parquet and has all of these columns.
#[must_use]
pub fn has_columns(source: &Source, names: &[&str]) -> bool {
    if !source.head.starts_with(MAGIC) {
        return false;
    }
    let footer = footer(source).unwrap_or_default();
    names.iter().all(|name| {
        // A name is a Thrift string: its length, then its bytes.
        let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
        let wanted: Vec<u8> = std::iter::once(length).chain(name.bytes()).collect();
        memchr::memmem::find(&footer, &wanted).is_some()
    })
}

/// The metadata at the end of a file.
fn footer(source: &Source) -> Option<Vec<u8>> {
    let mut file = File::open(&source.path).ok()?;
    let mut start = [0; 4];
    file.read_exact(&mut start).ok()?;
    if start != MAGIC {
        let mut whole = Vec::new();
        source.open().ok()?.take(LONGEST_FOOTER).read_to_end(&mut whole).ok()?;
        let length = footer_length(whole.last_chunk::<8>()?)?;
        let from = whole.len().checked_sub(usize::try_from(length).ok()? + 8)?;
        return Some(whole.split_off(from));
    }
    let mut end = [0; 8];
    file.seek(SeekFrom::End(-8)).ok()?;
    file.read_exact(&mut end).ok()?;
    let length = footer_length(&end)?;
    file.seek(SeekFrom::End(-8 - i64::from(length))).ok()?;
    let mut footer = Vec::new();
    file.take(u64::from(length)).read_to_end(&mut footer).ok()?;
    Some(footer)
}

fn footer_length(end: &[u8; 8]) -> Option<u32> {
    let [a, b, c, d, magic @ ..] = *end;
    let length = u32::from_le_bytes([a, b, c, d]);
    (magic == MAGIC && u64::from(length) <= LONGEST_FOOTER).then_some(length)
}

/// Hands each row of a Parquet file to `each`, and counts and keeps what it rejects. One row group is in memory at a time.
///
/// # Errors
/// This build cannot read Parquet; the file cannot be opened, is damaged, lacks a column or has one of another type; or `each`
/// failed for good.
#[cfg(feature = "parquet")]
pub fn rows(
    part: &Part<'_>,
    columns: &'static [Column],
    context: &mut Context<'_>,
    mut each: impl FnMut(Line<'_>, &mut Context<'_>) -> Result<(), RowError>,
) -> Result<(), TraceError> {
    context.quality.begin(&part.source.path, part.table);
    let mut reader = read::Reader::open(part.source, columns)?;
    let mut number = 0;
    while let Some(batch) = reader.next_group()? {
        for row in 0..batch.rows {
            number += 1;
            take(batch.line(row, number), columns, context, &mut each)?;
        }
        context.quality.file().bytes = reader.bytes();
        context.tick()?;
    }
    Ok(())
}

#[cfg(feature = "parquet")]
fn take(
    line: Line<'_>,
    columns: &[Column],
    context: &mut Context<'_>,
    each: &mut impl FnMut(Line<'_>, &mut Context<'_>) -> Result<(), RowError>,
) -> Result<(), TraceError> {
    context.quality.file().rows += 1;
    match each(line, context) {
        Ok(()) => Ok(()),
        Err(RowError::Fatal(error)) => Err(error),
        Err(RowError::Rejected { column, found, expected }) => {
            let column = column.and_then(|column| columns.get(column)).map_or("", |column| column.name);
            let line = line.number;
            context.quality.reject(crate::quality::Rejection { line, column, found, expected });
            Ok(())
        }
    }
}

/// As above.
///
/// # Errors
/// This build cannot read Parquet.
#[cfg(not(feature = "parquet"))]
pub fn rows(
    part: &Part<'_>,
    _columns: &'static [Column],
    _context: &mut Context<'_>,
    _each: impl FnMut(Line<'_>, &mut Context<'_>) -> Result<(), RowError>,
) -> Result<(), TraceError> {
    Err(not_built(&part.source.path))
}

#[cfg(not(feature = "parquet"))]
fn not_built(path: &std::path::Path) -> TraceError {
    TraceError::NotBuilt { path: path.to_owned(), format: "Parquet", feature: "parquet" }
}

/// Writes a table to a Parquet file: in builds without the feature `parquet` it cannot be made.
#[cfg(not(feature = "parquet"))]
#[derive(Debug)]
pub enum TableWriter {}

#[cfg(not(feature = "parquet"))]
impl TableWriter {
    /// Fails.
    ///
    /// # Errors
    /// This build cannot write Parquet.
    pub fn create(path: &std::path::Path, _columns: &'static [Column]) -> Result<Self, TraceError> {
        Err(not_built(path))
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Never: there is no such writer.
    pub fn push<const N: usize>(&mut self, _cells: [crate::columns::Cell; N]) -> Result<(), TraceError> {
        match *self {}
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// Never: there is no such writer.
    pub fn finish(self) -> Result<u64, TraceError> {
        match self {}
    }
}

#[cfg(test)]
mod tests {
    use crate::{Format, Options, Trace, TraceError, sink::Collected};

    #[test]
    fn the_footer_tells_the_columns_and_a_build_without_parquet_says_so() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("anything");
        let footer = b"..\x02id..\x0fsubmission_time..\x08duration..\x09cpu_count..";
        let mut bytes = b"PAR1......".to_vec();
        bytes.extend(footer);
        bytes.extend((footer.len() as u32).to_le_bytes());
        bytes.extend(b"PAR1");
        std::fs::write(&path, &bytes).expect("room for a small file");
        let trace = Trace::one(&path, None).expect("a trace of a known format");
        assert_eq!((trace.format.name, trace.files[0].1), ("opendc", "tasks"));
        let read = trace.read(&Options::default(), &mut Collected::default(), &mut |_| true);
        let expected = if cfg!(feature = "parquet") {
            "expected a whole Parquet file"
        } else {
            "it lacks the feature `parquet`"
        };
        let error = read.expect_err("a footer that is none").to_string();
        assert!(error.contains(expected), "{error}");
        std::fs::write(&path, b"PAR1 and nothing more").expect("room for a small file");
        let unknown = Trace::one(&path, Some(Format::named("opendc").expect("a format")));
        assert!(matches!(unknown, Err(TraceError::Unknown { .. })));
    }
}
