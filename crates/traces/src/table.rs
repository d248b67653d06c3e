//! Files of lines with fields: CSV with and without a header, tabs, blanks. Rows that are no rows are rejected and counted,
//! and reading goes on.

use std::{
    io::{BufRead, ErrorKind},
    ops::RangeInclusive,
};

use smallvec::SmallVec;

use crate::{
    Context, Source, TraceError,
    error::nearest,
    format::Part,
    quality::{Rejection, shown},
    source::read_error,
};

/// Longer lines are rejected unread.
pub const LONGEST_LINE: usize = 1 << 20;
/// So much of a file is held at first.
const BUFFER: usize = 1 << 17;
/// After so many lines somebody outside hears of progress.
const TICK: u64 = 1 << 14;

/// What stands between two fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delimiter {
    /// This byte. A field in double quotes may hold it (RFC 4180); it may not hold a line end.
    Byte(u8),
    /// This byte; quotes mean nothing.
    Bare(u8),
    /// Blanks and tabs, one or more.
    Blanks,
    /// Nothing: the whole line is one field, such as a JSON object.
    Whole,
}

/// What the first line says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Header {
    /// Nothing: it is a row, and fields come in the order of the columns.
    None,
    /// The names of the columns, in any order. The first so many columns of the layout must be among them.
    Required(usize),
    /// The same as [`Header::None`], but a first line whose first field is no number is skipped.
    Skipped,
}

/// How a table is laid out.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The names of its columns, by which messages call them.
    pub columns: &'static [&'static str],
    /// Whether there is a header.
    pub header: Header,
    /// How many fields a row may have. (With a header: as many as the header has.)
    pub fields: RangeInclusive<usize>,
    /// What stands between fields.
    pub delimiter: Delimiter,
    /// Lines that begin with this byte (after blanks) are comments.
    pub comment: Option<u8>,
}

impl Layout {
    /// Comma-separated, no header, exactly these columns.
    #[must_use]
    pub const fn headerless(columns: &'static [&'static str]) -> Self {
        let fields = columns.len()..=columns.len();
        Self { columns, header: Header::None, fields, delimiter: Delimiter::Byte(b','), comment: None }
    }

    /// Comma-separated with a header, in which the first so many columns must be.
    #[must_use]
    pub const fn with_header(columns: &'static [&'static str], required: usize) -> Self {
        let header = Header::Required(required);
        Self { columns, header, fields: 1..=usize::MAX, delimiter: Delimiter::Byte(b','), comment: None }
    }

    /// Whether the file begins with a header of such a table: all required columns are in it.
    #[must_use]
    pub fn begins(&self, source: &Source) -> bool {
        source.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| self.is_header(line))
    }

    /// Checks that the header has no columns but those of the layout, and none twice. For formats whose columns are all
    /// known: a misspelt optional column must not be taken for a missing one.
    ///
    /// # Errors
    /// It has.
    pub fn has_no_other_columns(&self, part: &Part<'_>) -> Result<(), TraceError> {
        let Some(line) = part.source.lines().find(|line| !line.trim().is_empty()) else { return Ok(()) };
        let mut ranges = Ranges::new();
        let unquoted = split(line.as_bytes(), self.delimiter, &mut ranges);
        let text = unquoted.as_deref().unwrap_or(line.as_bytes());
        let mut found: Vec<&[u8]> = Vec::new();
        for (from, to) in ranges {
            let column = text[from as usize..to as usize].trim_ascii();
            let name = shown(column);
            if found.contains(&column) {
                return Err(malformed(part, format!("the column `{name}` is named twice"), self.columns));
            }
            if self.columns.iter().all(|known| known.as_bytes() != column) {
                let close = nearest(&name, self.columns.iter().copied());
                let instead = close.map_or_else(String::new, |name| format!(" (did it mean `{name}`?)"));
                return Err(malformed(part, format!("unknown column `{name}`{instead}"), self.columns));
            }
            found.push(column);
        }
        Ok(())
    }

    /// Whether this is the header line of such a file: all required columns are in it.
    #[must_use]
    pub fn is_header(&self, line: &str) -> bool {
        let Header::Required(required) = self.header else { return false };
        let line = line.trim_start_matches('\u{feff}');
        let found: Vec<&str> = match self.delimiter {
            Delimiter::Byte(byte) | Delimiter::Bare(byte) => {
                line.split(byte as char).map(|name| name.trim().trim_matches('"')).collect()
            }
            Delimiter::Blanks => line.split_whitespace().collect(),
            Delimiter::Whole => vec![line.trim()],
        };
        let has = |column: &&str| found.iter().any(|name| is_named(name.as_bytes(), column));
        self.columns[..required].iter().all(has)
    }
}

/// Why a row is not taken.
#[derive(Debug)]
pub enum RowError {
    /// It is wrong: it is counted, and reading goes on.
    Rejected {
        /// Which column of the layout; `None`: the row as a whole.
        column: Option<usize>,
        /// What was found.
        found: String,
        /// What would have done.
        expected: Box<str>,
    },
    /// Reading ends.
    Fatal(TraceError),
}

impl From<TraceError> for RowError {
    fn from(error: TraceError) -> Self {
        Self::Fatal(error)
    }
}

type Ranges = SmallVec<[(u32, u32); 24]>;

/// One row. Columns are named by their place in the layout; fields come without blanks around them.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// The text that ranges point into.
    text: &'a [u8],
    ranges: &'a [(u32, u32)],
    /// Where each column of the layout is; empty: where the layout says.
    places: &'a [Option<usize>],
    /// Its line, from 1.
    pub line: u64,
}

impl<'a> Row<'a> {
    /// A field's bytes; empty if the row or the file lacks it.
    #[must_use]
    #[inline]
    pub fn raw(self, column: usize) -> &'a [u8] {
        let place =
            if self.places.is_empty() { Some(column) } else { self.places.get(column).copied().flatten() };
        let range = place.and_then(|place| self.ranges.get(place));
        range.map_or(&[], |&(from, to)| self.text[from as usize..to as usize].trim_ascii())
    }

    /// How many fields it has.
    #[must_use]
    pub const fn len(self) -> usize {
        self.ranges.len()
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.ranges.is_empty()
    }

    /// A field's text; `None` if it is empty.
    ///
    /// # Errors
    /// It is not UTF-8.
    #[inline]
    pub fn text(self, column: usize) -> Result<Option<&'a str>, RowError> {
        let raw = self.raw(column);
        let text = std::str::from_utf8(raw).map_err(|_| self.wrong(column, "UTF-8 text"))?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// A field's text, which must not be empty.
    ///
    /// # Errors
    /// It is empty or not UTF-8.
    pub fn name(self, column: usize) -> Result<&'a str, RowError> {
        self.text(column)?.ok_or_else(|| self.wrong(column, "a name"))
    }

    /// A whole number; `None` if the field is empty.
    ///
    /// # Errors
    /// It is no whole number of 64 bits.
    #[inline]
    pub fn int(self, column: usize) -> Result<Option<i64>, RowError> {
        let raw = self.raw(column);
        if raw.is_empty() {
            return Ok(None);
        }
        parse_int(raw).map(Some).ok_or_else(|| self.wrong(column, "a whole number"))
    }

    /// A whole number that must be there.
    ///
    /// # Errors
    /// The field is empty or no whole number of 64 bits.
    pub fn need_int(self, column: usize) -> Result<i64, RowError> {
        self.int(column)?.ok_or_else(|| self.wrong(column, "a whole number"))
    }

    /// A whole number, 0 or more, that fits the type; `None` if the field is empty.
    ///
    /// # Errors
    /// It is no such number.
    pub fn count<T: TryFrom<i64>>(self, column: usize) -> Result<Option<T>, RowError> {
        let Some(number) = self.int(column)? else { return Ok(None) };
        let small = T::try_from(number).ok().filter(|_| number >= 0);
        small.map(Some).ok_or_else(|| self.wrong(column, "a whole number, 0 or more, and not huge"))
    }

    /// A whole number, 0 or more, that fits the type and must be there.
    ///
    /// # Errors
    /// The field is empty or no such number.
    pub fn need_count<T: TryFrom<i64>>(self, column: usize) -> Result<T, RowError> {
        self.count(column)?.ok_or_else(|| self.wrong(column, "a whole number, 0 or more"))
    }

    /// A finite number; `None` if the field is empty.
    ///
    /// # Errors
    /// It is no such number.
    #[inline]
    pub fn number(self, column: usize) -> Result<Option<f64>, RowError> {
        let raw = self.raw(column);
        if raw.is_empty() {
            return Ok(None);
        }
        parse_number(raw).map(Some).ok_or_else(|| self.wrong(column, "a number"))
    }

    /// A finite number, 0 or more; `None` if the field is empty.
    ///
    /// # Errors
    /// It is no such number.
    pub fn amount(self, column: usize) -> Result<Option<f64>, RowError> {
        let number = self.number(column)?;
        match number {
            Some(number) if number < 0.0 => Err(self.wrong(column, "a number, 0 or more")),
            Some(_) | None => Ok(number),
        }
    }

    /// A rejection of this row because of this column.
    #[must_use]
    #[cold]
    pub fn wrong(self, column: usize, expected: impl Into<Box<str>>) -> RowError {
        RowError::Rejected { column: Some(column), found: shown(self.raw(column)), expected: expected.into() }
    }

    /// A rejection of this row as a whole.
    #[must_use]
    pub fn refuse(self, problem: impl Into<String>, expected: impl Into<Box<str>>) -> RowError {
        RowError::Rejected { column: None, found: problem.into(), expected: expected.into() }
    }
}

/// A whole number in decimal digits with an optional sign; `None` if it is not one, or beyond 64 bits.
#[must_use]
pub fn parse_int(raw: &[u8]) -> Option<i64> {
    let (negative, digits) = match raw {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    if digits.is_empty() {
        return None;
    }
    if digits.len() <= SAFE_DIGITS {
        let (number, rest) = leading_digits(digits);
        let number = Some(number as i64).filter(|_| rest.is_empty());
        return if negative { number.map(|number| -number) } else { number };
    }
    let magnitude = digits.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { sum.checked_mul(10)?.checked_add(u64::from(digit)) }
    })?;
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// So many digits fit into 64 bits, whatever they are.
const SAFE_DIGITS: usize = 18;
/// So many digits fit into the 53 bits of a float's mantissa.
const EXACT_DIGITS: usize = 15;
const POWERS: [f64; EXACT_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// The number that the first digits make, and what comes behind them. (Not more than [`SAFE_DIGITS`].)
#[inline]
fn leading_digits(text: &[u8]) -> (u64, &[u8]) {
    let (mut number, mut at) = (0u64, 0);
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9) {
        number = number * 10 + u64::from(digit);
        at += 1;
    }
    (number, &text[at..])
}

/// A finite number as Rust writes it, exponents included; `None` if it is not one.
#[must_use]
pub fn parse_number(raw: &[u8]) -> Option<f64> {
    // Short decimals are one division of two exact floats, which rounds correctly (Clinger 1990).
    if raw.len() <= EXACT_DIGITS {
        let (whole, rest) = leading_digits(raw);
        match rest {
            [] if !raw.is_empty() => return Some(whole as f64),
            [b'.', fraction @ ..] if !fraction.is_empty() && rest.len() < raw.len() => {
                let (low, rest) = leading_digits(fraction);
                if rest.is_empty() {
                    let power = POWERS[fraction.len()];
                    return Some((whole as f64 * power + low as f64) / power);
                }
            }
            _ => {}
        }
    }
    let number = std::str::from_utf8(raw).ok()?.parse::<f64>().ok()?;
    Some(number).filter(|number| number.is_finite())
}

/// Hands each row of a file to `each`, and counts and keeps what it rejects.
///
/// # Errors
/// The file cannot be opened or read, its header lacks a column, or `each` failed for good.
pub fn rows(
    part: &Part<'_>,
    layout: &Layout,
    context: &mut Context<'_>,
    mut each: impl FnMut(Row<'_>, &mut Context<'_>) -> Result<(), RowError>,
) -> Result<(), TraceError> {
    let mut reader = Reader::open(part, layout, context)?;
    while reader.advance(context)? {
        let taken = each(reader.row(), context);
        reader.settle(taken, context)?;
    }
    Ok(())
}

/// A file of rows, of which one is looked at. Several may be open, so that tables can be merged by time.
pub struct Reader<'a> {
    layout: &'a Layout,
    lines: Lines<'a>,
    /// Its place among the files of the quality report.
    file: usize,
    places: Vec<Option<usize>>,
    width: RangeInclusive<usize>,
    first: bool,
    unquoted: Option<Vec<u8>>,
    ranges: Ranges,
}

impl<'a> Reader<'a> {
    /// Begins to read a file: its header, if it must have one.
    ///
    /// # Errors
    /// It cannot be opened or read, or its header lacks a column.
    pub fn open(
        part: &'a Part<'a>,
        layout: &'a Layout,
        context: &mut Context<'_>,
    ) -> Result<Self, TraceError> {
        let file = context.quality.begin(&part.source.path, part.table);
        let (lines, width) = (Lines::new(part)?, layout.fields.clone());
        let (places, ranges) = (Vec::new(), Ranges::new());
        let mut reader = Self { layout, lines, file, places, width, first: true, unquoted: None, ranges };
        if let Header::Required(required) = layout.header {
            if !reader.lines.advance(layout, context)? {
                return Err(malformed(part, "the file is empty", &layout.columns[..required]));
            }
            reader.places = header(part, layout, required, reader.lines.line())?;
            reader.split();
            reader.width = reader.ranges.len()..=reader.ranges.len();
        }
        Ok(reader)
    }

    /// Goes to the next row that has as many fields as it should; the others are rejected. `false`: there is none.
    ///
    /// # Errors
    /// The file cannot be read, or somebody asked to stop.
    pub fn advance(&mut self, context: &mut Context<'_>) -> Result<bool, TraceError> {
        context.quality.turn_to(self.file);
        while self.lines.advance(self.layout, context)? {
            self.split();
            let is_first = std::mem::take(&mut self.first);
            if is_first && self.layout.header == Header::Skipped && self.row().number(0).is_err() {
                continue;
            }
            context.quality.file().rows += 1;
            if self.width.contains(&self.ranges.len()) {
                return Ok(true);
            }
            let fields = format!("{} fields", self.ranges.len());
            let refused = self.row().refuse(fields, expected_fields(&self.width));
            self.settle(Err(refused), context)?;
        }
        Ok(false)
    }

    /// The present row.
    #[must_use]
    pub fn row(&self) -> Row<'_> {
        let text = self.unquoted.as_deref().unwrap_or_else(|| self.lines.line());
        Row { text, ranges: &self.ranges, places: &self.places, line: self.lines.number }
    }

    /// What became of the present row: a rejection is counted.
    ///
    /// # Errors
    /// What was no rejection.
    pub fn settle(&self, taken: Result<(), RowError>, context: &mut Context<'_>) -> Result<(), TraceError> {
        match taken {
            Ok(()) => Ok(()),
            Err(RowError::Fatal(error)) => Err(error),
            Err(RowError::Rejected { column, found, expected }) => {
                let column = column.and_then(|column| self.layout.columns.get(column));
                let column = column.copied().unwrap_or_default();
                context.quality.turn_to(self.file);
                context.quality.reject(Rejection { line: self.lines.number, column, found, expected });
                Ok(())
            }
        }
    }

    fn split(&mut self) {
        self.unquoted = split(self.lines.line(), self.layout.delimiter, &mut self.ranges);
    }
}

fn expected_fields(width: &RangeInclusive<usize>) -> String {
    match (*width.start(), *width.end()) {
        (least, most) if least == most => format!("{least} fields"),
        (least, usize::MAX) => format!("{least} fields or more"),
        (least, most) => format!("{least} to {most} fields"),
    }
}

fn malformed(part: &Part<'_>, problem: impl Into<String>, columns: &[&str]) -> TraceError {
    let expected = format!("a header with {}", columns.join(", "));
    TraceError::Malformed { path: part.source.path.clone(), line: Some(1), problem: problem.into(), expected }
}

/// Whether a header calls a column so. Exports of nested tables write `a.b` for what others write as `a_b`.
fn is_named(found: &[u8], column: &str) -> bool {
    let same = |(a, b): (&u8, &u8)| a == b || (*a == b'.' && *b == b'_');
    found.len() == column.len() && found.iter().zip(column.as_bytes()).all(same)
}

/// Where each column of the layout is in a file with this header.
fn header(
    part: &Part<'_>,
    layout: &Layout,
    required: usize,
    line: &[u8],
) -> Result<Vec<Option<usize>>, TraceError> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let mut ranges = Ranges::new();
    let unquoted = split(line, layout.delimiter, &mut ranges);
    let text = unquoted.as_deref().unwrap_or(line);
    let found: Vec<&[u8]> =
        ranges.iter().map(|&(from, to)| text[from as usize..to as usize].trim_ascii()).collect();
    let place = |column: &&str| found.iter().position(|name| is_named(name, column));
    let places: Vec<_> = layout.columns.iter().map(place).collect();
    for (column, place) in layout.columns[..required].iter().zip(&places) {
        if place.is_none() {
            let names: Vec<_> = found.iter().map(|name| String::from_utf8_lossy(name)).collect();
            let close = nearest(column, names.iter().map(|name| &**name));
            let instead = close.map_or_else(String::new, |name| format!(" (did `{name}` mean it?)"));
            let problem = format!("the header lacks the column `{column}`{instead}");
            return Err(malformed(part, problem, &layout.columns[..required]));
        }
    }
    Ok(places)
}

/// The fields of a line: where each begins and ends, in the line, or in what it is without its quotes.
fn split(line: &[u8], delimiter: Delimiter, ranges: &mut Ranges) -> Option<Vec<u8>> {
    ranges.clear();
    match delimiter {
        Delimiter::Blanks => {
            let mut start = None;
            for (at, byte) in line.iter().enumerate() {
                match (byte.is_ascii_whitespace(), start) {
                    (true, Some(from)) => {
                        ranges.push((from, at as u32));
                        start = None;
                    }
                    (false, None) => start = Some(at as u32),
                    (true, None) | (false, Some(_)) => {}
                }
            }
            ranges.extend(start.map(|from| (from, line.len() as u32)));
            None
        }
        Delimiter::Whole => {
            ranges.push((0, line.len() as u32));
            None
        }
        Delimiter::Byte(byte) if memchr::memchr(b'"', line).is_some() => Some(unquote(line, byte, ranges)),
        Delimiter::Byte(byte) | Delimiter::Bare(byte) => {
            let mut from = 0;
            for at in memchr::memchr_iter(byte, line) {
                ranges.push((from, at as u32));
                from = at as u32 + 1;
            }
            ranges.push((from, line.len() as u32));
            None
        }
    }
}

fn unquote(line: &[u8], delimiter: u8, ranges: &mut Ranges) -> Vec<u8> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(line);
    let mut record = csv::ByteRecord::new();
    let read = reader.read_byte_record(&mut record).unwrap_or(false);
    if read {
        let mut from = 0;
        for field in &record {
            ranges.push((from, from + field.len() as u32));
            from += field.len() as u32;
        }
    }
    record.as_slice().to_vec()
}

/// The lines of a file that are neither blank nor comments.
struct Lines<'a> {
    part: &'a Part<'a>,
    reader: Box<dyn BufRead + Send>,
    /// What was read; the present line is `from..to`, and what is behind `filled` means nothing.
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    filled: usize,
    number: u64,
}

/// What is next in a file.
enum Next {
    Line,
    TooLong,
    End,
}

impl<'a> Lines<'a> {
    fn new(part: &'a Part<'a>) -> Result<Self, TraceError> {
        let (reader, buffer) = (part.source.open()?, vec![0; BUFFER]);
        Ok(Self { part, reader, buffer, from: 0, to: 0, filled: 0, number: 0 })
    }

    /// The present line, without its end.
    #[inline]
    fn line(&self) -> &[u8] {
        let line = &self.buffer[self.from..self.to];
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// Goes to the next line; `false` at the end of the file.
    fn advance(&mut self, layout: &Layout, context: &mut Context<'_>) -> Result<bool, TraceError> {
        loop {
            let next = self.next()?;
            if matches!(next, Next::End) {
                return Ok(false);
            }
            self.number += 1;
            context.quality.file().bytes += (self.to - self.from) as u64;
            if self.number == 1 && self.buffer[self.from..self.to].starts_with(b"\xef\xbb\xbf") {
                self.from += 3;
            }
            if self.number.is_multiple_of(TICK) {
                context.tick()?;
            }
            if matches!(next, Next::TooLong) {
                self.skip_line(context)?;
                continue;
            }
            let start = self.buffer[self.from..self.to].iter().find(|byte| !byte.is_ascii_whitespace());
            if start.is_some() && (layout.comment.is_none() || start != layout.comment.as_ref()) {
                return Ok(true);
            }
        }
    }

    /// Finds the end of the next line, and reads more of the file if it is not there yet.
    fn next(&mut self) -> Result<Next, TraceError> {
        self.from = self.to;
        let mut searched = self.from;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[searched..self.filled]) {
                self.to = searched + at + 1;
                return Ok(Next::Line);
            }
            let length = self.filled - self.from;
            self.to = self.filled;
            if length > LONGEST_LINE {
                return Ok(Next::TooLong);
            }
            if self.fill()? == 0 {
                return Ok(if length == 0 { Next::End } else { Next::Line });
            }
            searched = self.from + length;
        }
    }

    /// Reads more behind what there is of the present line, which moves to the front if there is no room behind it.
    fn fill(&mut self) -> Result<usize, TraceError> {
        if self.filled == self.buffer.len() {
            self.buffer.copy_within(self.from..self.filled, 0);
            (self.to, self.filled) = (self.to - self.from, self.filled - self.from);
            self.from = 0;
            if self.filled > self.buffer.len() / 2 {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        loop {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(read) => {
                    self.filled += read;
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(read_error(&self.part.source.path, self.number, error)),
            }
        }
    }

    /// Rejects a line that is too long to be one, and passes over the rest of it.
    fn skip_line(&mut self, context: &mut Context<'_>) -> Result<(), TraceError> {
        context.quality.file().rows += 1;
        context.quality.reject(Rejection {
            line: self.number,
            column: "",
            found: shown(&self.buffer[self.from..self.to]),
            expected: format!("a line of at most {LONGEST_LINE} bytes").into(),
        });
        loop {
            (self.from, self.to, self.filled) = (0, 0, 0);
            let read = self.fill()?;
            let end = memchr::memchr(b'\n', &self.buffer[..read]);
            self.to = end.map_or(read, |end| end + 1);
            context.quality.file().bytes += self.to as u64;
            if read == 0 || end.is_some() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_of_64_bits_are_read_and_others_are_not() {
        for good in [0, 7, -1, i64::MAX, i64::MIN, 9_007_199_254_740_993] {
            assert_eq!(parse_int(good.to_string().as_bytes()), Some(good));
        }
        for bad in ["", "-", "+", "1.0", "1e3", "0x1", "9223372036854775808", " 1", "99999999999999999999"] {
            assert_eq!(parse_int(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn numbers_are_read_to_the_last_bit() {
        let short = [
            "0",
            "1",
            "0.5",
            "0.02499",
            "9.537e-06",
            "123456789.12345",
            "00.10",
            "0.000000000001",
            ".5",
            "5.",
        ];
        let long = ["0.1234567890123456789", "9007199254740993", "-0.25", "-7", "+3", "1e308", "-1E-3"];
        for text in short.iter().chain(&long) {
            assert_eq!(parse_number(text.as_bytes()), text.parse().ok(), "{text}");
        }
        for bad in ["", ".", "-", "nan", "inf", "1e999", "0x1", "1 ", "1.2.3", "1,5"] {
            assert_eq!(parse_number(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn lines_are_found_across_the_ends_of_buffers_and_long_ones_are_passed_over() {
        let (row, comment) = (format!("{}|x\n", "y".repeat(BUFFER - 1)), "# a comment\n");
        let huge = format!("{}\n", "z".repeat(3 * LONGEST_LINE));
        let text = [&row, comment, &row, &huge, "\r\n", &row, "a|b"].concat();
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("x");
        std::fs::write(&path, &text).expect("a file");
        let source = crate::Source::of(&path).expect("a file");
        let layout = Layout {
            delimiter: Delimiter::Byte(b'|'),
            comment: Some(b'#'),
            ..Layout::headerless(&["first", "second"])
        };
        let (options, mut progress) = (crate::Options::default(), |_| true);
        let mut sink = crate::sink::Collected::default();
        let mut context = Context::new(&options, &mut sink, &mut progress);
        let mut seen = Vec::new();
        let part = Part { source: &source, table: "x" };
        let each = |row: Row<'_>, _: &mut Context<'_>| {
            seen.push((row.line, row.raw(0).len(), row.raw(1).to_vec()));
            Ok(())
        };
        rows(&part, &layout, &mut context, each).expect("rows");
        let long = |line| (line, BUFFER - 1, b"x".to_vec());
        assert_eq!(seen, [long(1), long(3), long(6), (7, 1, b"b".to_vec())]);
        let file = context.quality.file();
        assert_eq!((file.rows, file.rejected, file.bytes), (5, 1, text.len() as u64));
    }

    #[test]
    fn quoted_fields_may_hold_the_delimiter() {
        let texts = |line: &str| -> Vec<String> {
            let mut ranges = Ranges::new();
            let unquoted = split(line.as_bytes(), Delimiter::Byte(b','), &mut ranges);
            let text = unquoted.as_deref().unwrap_or(line.as_bytes());
            let field = |&(from, to): &(u32, u32)| {
                String::from_utf8(text[from as usize..to as usize].to_vec()).expect("text")
            };
            ranges.iter().map(field).collect()
        };
        assert_eq!(texts(r#"a,"b,c",,"d ""e""""#), ["a", "b,c", "", r#"d "e""#]);
        assert_eq!(texts("a,,b,"), ["a", "", "b", ""]);
    }
}
