//! Files of JSON: what a file has for keys, its elements one after another, and the members of an object.
//!
//! An element of the outermost array or object is what a row is in a table: it is rejected by its number, and reading goes
//! on. A file that is not JSON ends the reading.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufRead, Read},
};

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, error::Category};

use crate::{
    Context, Source, TraceError,
    format::Part,
    quality::{Rejection, shown},
    source::read_error,
};

/// So many keys are enough to tell a format.
const KEYS: usize = 512;
/// After so many elements somebody outside hears of progress.
const TICK: u64 = 1 << 8;
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why an element is not taken.
#[derive(Debug)]
pub enum ElementError {
    /// It is wrong: it is counted, and reading goes on.
    Rejected(Rejection),
    /// Reading ends.
    Fatal(TraceError),
}

impl From<TraceError> for ElementError {
    fn from(error: TraceError) -> Self {
        Self::Fatal(error)
    }
}

/// The keys of objects at the beginning of a file, each with the number of brackets that are open around it; empty if the
/// file does not look like JSON.
#[must_use]
pub fn keys(source: &Source) -> Vec<(usize, String)> {
    let text = source.head.strip_prefix(UTF8_MARK).unwrap_or(&source.head).trim_ascii_start();
    let mut found = Vec::new();
    if !text.starts_with(b"{") && !text.starts_with(b"[") {
        return found;
    }
    let (mut depth, mut at) = (0usize, 0);
    while let Some(&byte) = text.get(at).filter(|_| found.len() < KEYS) {
        at += 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let Some(length) = string_length(&text[at..]) else { break };
                let string = &text[at..at + length];
                at += length + 1;
                if text[at..].trim_ascii_start().first() == Some(&b':') {
                    found.push((depth, String::from_utf8_lossy(string).into_owned()));
                }
            }
            _ => {}
        }
    }
    found
}

/// Up to the quotation mark that ends a string.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', &text[at..])?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
        if at > text.len() {
            return None;
        }
    }
}

/// The whole file as one value.
///
/// # Errors
/// It cannot be read or is no JSON.
pub fn whole(part: &Part<'_>, context: &mut Context<'_>) -> Result<Value, TraceError> {
    let bytes = Cell::new(0);
    let value = serde_json::from_reader(Counted::open(part, &bytes)?);
    context.quality.file().bytes += bytes.get();
    context.tick()?;
    value.map_err(|error| failure(part, error))
}

/// Hands each element of the outermost array or object to `each`, and counts and keeps what it rejects.
///
/// # Errors
/// The file cannot be read or is no JSON, or `each` failed for good.
pub fn elements(
    part: &Part<'_>,
    context: &mut Context<'_>,
    mut each: impl FnMut(Element<'_>, &mut Context<'_>) -> Result<(), ElementError>,
) -> Result<(), TraceError> {
    let bytes = Cell::new(0);
    let mut reader = serde_json::Deserializer::from_reader(Counted::open(part, &bytes)?);
    let mut outermost = Outermost { context, each: &mut each, number: 0, bytes: &bytes, fatal: None };
    let read = reader.deserialize_any(&mut outermost).and_then(|()| reader.end());
    if let Some(fatal) = outermost.fatal.take() {
        return Err(fatal);
    }
    context.quality.file().bytes = bytes.get();
    read.map_err(|error| failure(part, error))
}

fn failure(part: &Part<'_>, error: serde_json::Error) -> TraceError {
    let (path, line) = (part.source.path.clone(), error.line() as u64);
    match error.classify() {
        Category::Io => read_error(&path, line.saturating_sub(1), error.into()),
        Category::Syntax | Category::Data | Category::Eof => {
            let problem = format!("this is no JSON ({error})");
            TraceError::Malformed { path, line: Some(line), problem, expected: "JSON".to_owned() }
        }
    }
}

/// One element of the outermost array or object.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// Which it is, from 1.
    pub number: u64,
    /// Its key, if it is in an object.
    pub key: &'a str,
    /// What it is.
    pub value: &'a Value,
}

impl<'a> Element<'a> {
    /// As an object.
    ///
    /// # Errors
    /// It is none.
    pub fn object(self) -> Result<Object<'a>, ElementError> {
        Object::new(self.value, self.number)
    }
}

/// An object among the elements.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    members: &'a Map<String, Value>,
    number: u64,
}

impl<'a> Object<'a> {
    /// A value as an object, which is, or is part of, the element of this number.
    ///
    /// # Errors
    /// It is none.
    pub fn new(value: &'a Value, number: u64) -> Result<Self, ElementError> {
        let members = value.as_object();
        members.map(|members| Self { members, number }).ok_or_else(|| {
            let found = shown(value.to_string().as_bytes());
            rejected(number, "", found, "an object")
        })
    }

    /// A member; `None` if it is missing or null.
    #[must_use]
    pub fn get(self, key: &'static str) -> Option<&'a Value> {
        self.members.get(key).filter(|value| !value.is_null())
    }

    /// A text; `None` if it is missing, null or empty.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(self, key: &'static str) -> Result<Option<&'a str>, ElementError> {
        let text = self.get(key).map(|value| value.as_str().ok_or_else(|| self.wrong(key, "a text")));
        Ok(text.transpose()?.filter(|text| !text.is_empty()))
    }

    /// A text that is there.
    ///
    /// # Errors
    /// It is not, or is something else.
    pub fn name(self, key: &'static str) -> Result<&'a str, ElementError> {
        self.text(key)?.ok_or_else(|| self.wrong(key, "a name"))
    }

    /// A finite number; `None` if it is missing or null.
    ///
    /// # Errors
    /// It is something else.
    pub fn number(self, key: &'static str) -> Result<Option<f64>, ElementError> {
        let number = |value: &Value| value.as_f64().filter(|number| number.is_finite());
        self.get(key).map(|value| number(value).ok_or_else(|| self.wrong(key, "a number"))).transpose()
    }

    /// A finite number, 0 or more; `None` if it is missing or null.
    ///
    /// # Errors
    /// It is something else.
    pub fn amount(self, key: &'static str) -> Result<Option<f64>, ElementError> {
        let number = self.number(key)?;
        match number {
            Some(number) if number < 0.0 => Err(self.wrong(key, "a number, 0 or more")),
            Some(_) | None => Ok(number),
        }
    }

    /// A whole number of 64 bits; `None` if it is missing or null.
    ///
    /// # Errors
    /// It is something else.
    pub fn int(self, key: &'static str) -> Result<Option<i64>, ElementError> {
        let int = |value: &Value| value.as_i64().ok_or_else(|| self.wrong(key, "a whole number"));
        self.get(key).map(int).transpose()
    }

    /// An array; empty if it is missing or null.
    ///
    /// # Errors
    /// It is something else.
    pub fn list(self, key: &'static str) -> Result<&'a [Value], ElementError> {
        let list = |value: &'a Value| value.as_array().ok_or_else(|| self.wrong(key, "an array"));
        Ok(self.get(key).map(list).transpose()?.map_or(&[], Vec::as_slice))
    }

    /// An object within; `None` if it is missing or null.
    ///
    /// # Errors
    /// It is something else.
    pub fn object(self, key: &'static str) -> Result<Option<Self>, ElementError> {
        let object = |value: &'a Value| value.as_object().ok_or_else(|| self.wrong(key, "an object"));
        let members = self.get(key).map(object).transpose()?;
        Ok(members.map(|members| Self { members, number: self.number }))
    }

    /// A rejection of the element because of this member.
    #[must_use]
    pub fn wrong(self, key: &'static str, expected: impl Into<Box<str>>) -> ElementError {
        let found = self.get(key).map_or_else(String::new, |value| {
            value.as_str().map_or_else(|| shown(value.to_string().as_bytes()), |text| shown(text.as_bytes()))
        });
        rejected(self.number, key, found, expected)
    }

    /// A rejection of the element as a whole.
    #[must_use]
    pub fn refuse(self, problem: impl Into<String>, expected: impl Into<Box<str>>) -> ElementError {
        rejected(self.number, "", problem.into(), expected)
    }
}

/// A rejection of the element of this number.
#[must_use]
pub fn rejected(
    number: u64,
    column: &'static str,
    found: impl Into<String>,
    expected: impl Into<Box<str>>,
) -> ElementError {
    ElementError::Rejected(Rejection { line: number, column, found: found.into(), expected: expected.into() })
}

/// Takes what `each` said of an element.
///
/// # Errors
/// It failed for good.
pub fn take(result: Result<(), ElementError>, context: &mut Context<'_>) -> Result<(), TraceError> {
    match result {
        Ok(()) => Ok(()),
        Err(ElementError::Fatal(error)) => Err(error),
        Err(ElementError::Rejected(rejection)) => {
            context.quality.reject(rejection);
            Ok(())
        }
    }
}

/// Visits the outermost value.
struct Outermost<'a, 'c, F> {
    context: &'a mut Context<'c>,
    each: &'a mut F,
    number: u64,
    bytes: &'a Cell<u64>,
    fatal: Option<TraceError>,
}

impl<F> Outermost<'_, '_, F>
where
    F: FnMut(Element<'_>, &mut Context<'_>) -> Result<(), ElementError>,
{
    fn hand<E: serde::de::Error>(&mut self, key: &str, value: &Value) -> Result<(), E> {
        self.number += 1;
        let file = self.context.quality.file();
        (file.rows, file.bytes) = (file.rows + 1, self.bytes.get());
        let taken = (self.each)(Element { number: self.number, key, value }, self.context);
        let mut result = take(taken, self.context);
        if result.is_ok() && self.number.is_multiple_of(TICK) {
            result = self.context.tick();
        }
        result.map_err(|fatal| {
            self.fatal = Some(fatal);
            E::custom("reading ended")
        })
    }
}

impl<'de, F> Visitor<'de> for &mut Outermost<'_, '_, F>
where
    F: FnMut(Element<'_>, &mut Context<'_>) -> Result<(), ElementError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element::<Value>()? {
            self.hand("", &value)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some((key, value)) = members.next_entry::<String, Value>()? {
            self.hand(&key, &value)?;
        }
        Ok(())
    }
}

/// Counts the bytes that are read.
struct Counted<'a> {
    inner: Box<dyn BufRead + Send>,
    bytes: &'a Cell<u64>,
}

impl<'a> Counted<'a> {
    /// Opens a file and passes over its byte order mark.
    fn open(part: &Part<'_>, bytes: &'a Cell<u64>) -> Result<Self, TraceError> {
        let mut inner = part.source.open()?;
        let start = inner.fill_buf().map_err(|error| read_error(&part.source.path, 0, error))?;
        if start.starts_with(UTF8_MARK) {
            inner.consume(UTF8_MARK.len());
        }
        Ok(Self { inner, bytes })
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, sink::Collected};

    fn source(text: &[u8]) -> (tempfile::NamedTempFile, Source) {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(&file, text).expect("room for a few bytes");
        let source = Source::of(file.path()).expect("a file that can be read");
        (file, source)
    }

    type Member = (String, Value);

    /// The elements' keys and values, and what is rejected, of a file.
    fn read(text: &[u8]) -> Result<(Vec<Member>, Vec<String>), String> {
        let (_file, source) = source(text);
        let part = Part { source: &source, table: "t" };
        let (options, mut sink, mut progress) = (Options::default(), Collected::default(), |_| true);
        let mut context = Context::new(&options, &mut sink, &mut progress);
        context.quality.begin(&source.path, "t");
        let mut seen = Vec::new();
        let read = elements(&part, &mut context, |element, _| {
            if element.value.is_object() {
                element.object()?.name("name")?;
            }
            seen.push((element.key.to_owned(), element.value.clone()));
            Ok(())
        });
        read.map_err(|error| error.to_string())?;
        let told = context.quality.files()[0].rejections.iter().map(ToString::to_string).collect();
        Ok((seen, told))
    }

    #[test]
    fn keys_are_told_by_their_depth_also_of_a_file_that_is_cut_off() {
        let (_file, source) = source(br#"{"a\"b": [{"c" : 1, "d": "e"}], "f": {"g":"#);
        let keys = keys(&source);
        let plain: Vec<_> = keys.iter().map(|(depth, key)| (*depth, key.as_str())).collect();
        assert_eq!(plain, [(1, "a\\\"b"), (3, "c"), (3, "d"), (1, "f"), (2, "g")]);
    }

    #[test]
    fn what_is_no_json_has_no_keys() {
        for text in
            [&b"\"a\": 1"[..], b"", b"\xff\xfe{\"a\":1}", b"a,b\n\"c\":1", b"[\"unfinished\\", b"[\"a\\\""]
        {
            assert_eq!(keys(&source(text).1), [], "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn elements_of_arrays_and_objects_come_one_after_another() {
        let (seen, _) = read(b"\xef\xbb\xbf[1, [2], \"x\"]").expect("good JSON");
        assert_eq!(seen.len(), 3);
        let (seen, _) = read(br#"{"b": 1, "a": 2}"#).expect("good JSON");
        assert_eq!(seen.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn a_bad_element_is_rejected_by_its_number_and_the_others_are_read() {
        let (seen, told) = read(br#"[{"name": "a"}, {"name": 7}, {}, {"name": "b"}]"#).expect("good JSON");
        assert_eq!(seen.len(), 2);
        assert_eq!(told, ["line 2: `name` is `7`: expected a text", "line 3: `name` is ``: expected a name"]);
    }

    #[test]
    fn a_file_that_is_no_json_is_an_error_with_its_line() {
        for text in ["[1,\n2", "[1,\n]", "{\"a\":\n}", "[1]\nx", "\n7", "[1,\n1e999]", "[\n\"\u{1}\"]"] {
            let error = read(text.as_bytes()).expect_err("the text is malformed");
            assert!(error.contains(":2: this is no JSON"), "{text}: {error}");
        }
        let deep = "[".repeat(100_000);
        assert!(read(deep.as_bytes()).expect_err("too deep").contains("recursion limit"));
    }
}
