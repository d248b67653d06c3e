//! Files of JSON: their elements one by one, without holding the file.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufRead, Read},
    rc::Rc,
};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::{
    Context, TraceError,
    format::Part,
    quality::{Rejection, shown},
    source::read_error,
    table::RowError,
};

/// After so many elements somebody outside hears of progress.
const TICK: u64 = 1 << 10;

/// An element of an array, a member of an object, or a value that is neither.
#[derive(Clone, Debug)]
pub struct Element {
    /// The key of the file's object under which it was found; empty if the file is an array.
    pub under: &'static str,
    /// Its own key, if it is a member of an object.
    pub key: Option<String>,
    /// Its number among the elements that were handed out, from 1.
    pub number: u64,
    /// What it is.
    pub value: Value,
}

impl Element {
    /// A text that may be missing, null, or (for names) a whole number.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(&self, key: &str) -> Result<Option<String>, RowError> {
        match self.value.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other @ (Value::Bool(_) | Value::Array(_) | Value::Object(_))) => {
                Err(wrong(key, other, "a text"))
            }
        }
    }

    /// A finite number that may be missing or null.
    ///
    /// # Errors
    /// It is something else.
    pub fn number(&self, key: &str) -> Result<Option<f64>, RowError> {
        number(self.value.get(key)).map_err(|other| wrong(key, other, "a number"))
    }

    /// A rejection because of a key.
    #[must_use]
    pub fn wrong(&self, key: &str, expected: &str) -> RowError {
        wrong(key, self.value.get(key).unwrap_or(&Value::Null), expected)
    }
}

/// A finite number; `None` if there is nothing.
///
/// # Errors
/// It is something else.
pub fn number(value: Option<&Value>) -> Result<Option<f64>, &Value> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(other) => other.as_f64().filter(|number| number.is_finite()).map(Some).ok_or(other),
    }
}

/// A rejection of an element because of a key.
#[must_use]
pub fn wrong(key: &str, found: &Value, expected: &str) -> RowError {
    let found = format!("`{}` is `{}`", shown(key.as_bytes()), shown(found.to_string().as_bytes()));
    RowError::Rejected { column: None, found, expected: expected.into() }
}

/// Hands to `each` what a file holds: with no keys, the elements of the array that it is; with keys, what its object has under
/// them (arrays and objects element by element). What is rejected is counted by its number.
///
/// # Errors
/// The file cannot be opened or read, is no JSON of this kind, or `each` failed for good.
pub fn elements(
    part: &Part<'_>,
    keys: &[&'static str],
    context: &mut Context<'_>,
    each: impl FnMut(&Element, &mut Context<'_>) -> Result<(), RowError>,
) -> Result<(), TraceError> {
    context.quality.begin(&part.source.path, part.table);
    let bytes = Rc::new(Cell::new(0));
    let mut reader = part.source.open()?;
    let start = reader.fill_buf().map_err(|error| read_error(&part.source.path, 0, error))?;
    let mark = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    reader.consume(mark);
    let mut deserializer =
        serde_json::Deserializer::from_reader(Counted { reader, bytes: Rc::clone(&bytes) });
    let mut feed = Feed { context, each, bytes, number: 0, fatal: None };
    let read = Whole { keys, feed: &mut feed }.deserialize(&mut deserializer);
    let end = read.and_then(|()| deserializer.end());
    feed.context.quality.file().bytes = feed.bytes.get();
    match (feed.fatal.take(), end) {
        (Some(fatal), _) => Err(fatal),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => Err(failure(part, keys, error)),
    }
}

fn failure(part: &Part<'_>, keys: &[&str], error: serde_json::Error) -> TraceError {
    let line = error.line() as u64;
    if error.is_io() {
        return read_error(&part.source.path, line, io::Error::from(error));
    }
    let expected = if keys.is_empty() {
        "a JSON array".to_owned()
    } else {
        format!("a JSON object with {}", keys.join(", "))
    };
    TraceError::Malformed {
        path: part.source.path.clone(),
        line: Some(line).filter(|line| *line > 0),
        problem: error.to_string(),
        expected,
    }
}

/// Counts what is read.
struct Counted<R> {
    reader: R,
    bytes: Rc<Cell<u64>>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}

/// Takes elements as they come.
struct Feed<'f, 'c, F> {
    context: &'f mut Context<'c>,
    each: F,
    bytes: Rc<Cell<u64>>,
    number: u64,
    /// Why reading ends; what the deserializer then says is of no interest.
    fatal: Option<TraceError>,
}

impl<F: FnMut(&Element, &mut Context<'_>) -> Result<(), RowError>> Feed<'_, '_, F> {
    fn take<E: serde::de::Error>(
        &mut self,
        under: &'static str,
        key: Option<String>,
        value: Value,
    ) -> Result<(), E> {
        self.number += 1;
        let file = self.context.quality.file();
        (file.rows, file.bytes) = (file.rows + 1, self.bytes.get());
        let element = Element { under, key, number: self.number, value };
        let taken = (self.each)(&element, self.context);
        let ticked = if self.number.is_multiple_of(TICK) { self.context.tick() } else { Ok(()) };
        let fatal = match taken {
            Ok(()) => ticked.err(),
            Err(RowError::Fatal(error)) => Some(error),
            Err(RowError::Rejected { found, expected, .. }) => {
                let line = self.number;
                self.context.quality.reject(Rejection { line, column: "", found, expected });
                ticked.err()
            }
        };
        match fatal {
            None => Ok(()),
            Some(error) => {
                self.fatal = Some(error);
                Err(E::custom("reading ends"))
            }
        }
    }
}

/// The whole file.
struct Whole<'a, T> {
    keys: &'a [&'static str],
    feed: &'a mut T,
}

/// What stands under one key.
struct Under<'a, T> {
    key: &'static str,
    feed: &'a mut T,
}

impl<'de, F> DeserializeSeed<'de> for Whole<'_, Feed<'_, '_, F>>
where
    F: FnMut(&Element, &mut Context<'_>) -> Result<(), RowError>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.keys.is_empty() {
            deserializer.deserialize_seq(self)
        } else {
            deserializer.deserialize_map(self)
        }
    }
}

impl<'de, F> Visitor<'de> for Whole<'_, Feed<'_, '_, F>>
where
    F: FnMut(&Element, &mut Context<'_>) -> Result<(), RowError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.keys.is_empty() { "an array" } else { "an object" })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(value) = array.next_element()? {
            self.feed.take("", None, value)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(key) = object.next_key::<String>()? {
            match self.keys.iter().find(|known| **known == key) {
                Some(key) => object.next_value_seed(Under { key, feed: &mut *self.feed })?,
                None => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'de, F> DeserializeSeed<'de> for Under<'_, Feed<'_, '_, F>>
where
    F: FnMut(&Element, &mut Context<'_>) -> Result<(), RowError>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F> Visitor<'de> for Under<'_, Feed<'_, '_, F>>
where
    F: FnMut(&Element, &mut Context<'_>) -> Result<(), RowError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(value) = array.next_element()? {
            self.feed.take(self.key, None, value)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some((key, value)) = object.next_entry()? {
            self.feed.take(self.key, Some(key), value)?;
        }
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.feed.take(self.key, None, value.into())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.feed.take(self.key, None, value.into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.feed.take(self.key, None, value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.feed.take(self.key, None, value.into())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.feed.take(self.key, None, value.into())
    }
}
