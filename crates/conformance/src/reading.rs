//! JSON into Rust types, with errors that say where: the path of keys down to what is wrong, what was expected there,
//! and the valid word nearest to a mistyped one.
//!
//! An object read as an enumeration names its variant with the key `op`; the other keys are the variant's fields.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, EnumAccess, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
        VariantAccess, Visitor,
        value::{BorrowedStrDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};

use crate::{ScenarioError, nearest};

/// The key that says which variant an object is.
const TAG: &str = "op";

/// Reads a JSON value as a `T`.
///
/// # Errors
/// What is not of the form of a `T`, with the path of keys.
pub(crate) fn read<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, ScenarioError> {
    T::deserialize(At(value)).map_err(|error| ScenarioError(error.to_string()))
}

/// JSON text as a value.
///
/// # Errors
/// Text that is no JSON, with line and column.
pub(crate) fn parse(text: &str) -> Result<Value, ScenarioError> {
    serde_json::from_str(text).map_err(|error| ScenarioError(format!("not JSON: {error}")))
}

/// What is wrong, and the keys that lead there.
#[derive(Debug)]
struct PlacedError {
    path: String,
    message: String,
}

impl PlacedError {
    fn within(mut self, outer: impl fmt::Display) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{outer}{joint}{}", self.path);
        self
    }
}

impl fmt::Display for PlacedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "`{path}`: {}", self.message),
        }
    }
}

impl std::error::Error for PlacedError {}

impl de::Error for PlacedError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: String::new(), message: message.to_string() }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("expected {}, found {}", plain(&expected.to_string()), kind(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(word: &str, words: &'static [&'static str]) -> Self {
        Self::custom(format!("unknown word `{word}`: {}", nearest::expected(word, words.iter().copied())))
    }

    fn unknown_field(key: &str, keys: &'static [&'static str]) -> Self {
        Self::custom(format!("unknown key `{key}`: {}", nearest::expected(key, keys.iter().copied())))
    }

    fn missing_field(key: &'static str) -> Self {
        Self::custom(format!("the key `{key}` is missing"))
    }
}

/// Rust's names of types in the words of JSON.
fn plain(expected: &str) -> &str {
    match expected {
        "f64" => "a number",
        "usize" | "u64" | "u32" => "a whole number of at least 0",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        _ if expected.starts_with("struct ") || expected.starts_with("enum ") => "an object",
        other => other,
    }
}

fn kind(found: Unexpected<'_>) -> String {
    if let Unexpected::Str(text) = found {
        return format!("the text {text:?}");
    }
    let known = [
        (Unexpected::Unit, "null"),
        (Unexpected::Map, "an object"),
        (Unexpected::Seq, "a list"),
        (Unexpected::Bool(true), "true"),
        (Unexpected::Bool(false), "false"),
    ];
    let word = known.into_iter().find(|(kind, _)| *kind == found).map(|(_, word)| word);
    word.map_or_else(|| found.to_string(), str::to_owned)
}

fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(value) => Unexpected::Float(value.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    }
}

/// A value whose parts know where they are.
struct At<'de>(&'de Value);

impl<'de> Deserializer<'de> for At<'de> {
    type Error = PlacedError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PlacedError> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Value::Object(entries) => visitor.visit_map(Entries::all(entries)),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Null => visitor.visit_unit(),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), _, _) => visitor.visit_u64(number),
                (None, Some(number), _) => visitor.visit_i64(number),
                (None, None, number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PlacedError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, PlacedError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PlacedError> {
        match self.0.as_object() {
            Some(entries) => visitor.visit_map(Entries::all(entries)),
            None => Err(de::Error::invalid_type(unexpected(self.0), &visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PlacedError> {
        match self.0 {
            Value::String(word) => visitor.visit_enum(word.as_str().into_deserializer()),
            Value::Object(entries) => match entries.get(TAG) {
                Some(Value::String(word)) => visitor.visit_enum(Tagged { word, entries }),
                Some(other) => {
                    let error: PlacedError = de::Error::invalid_type(unexpected(other), &"a text");
                    Err(error.within(TAG))
                }
                None => Err(de::Error::missing_field(TAG)),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                Err(de::Error::invalid_type(unexpected(self.0), &visitor))
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct Items<'de> {
    items: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = PlacedError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, PlacedError> {
        let Some((place, item)) = self.items.next() else { return Ok(None) };
        seed.deserialize(At(item)).map(Some).map_err(|error| error.within(format_args!("[{place}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'de> {
    entries: serde_json::map::Iter<'de>,
    /// The key that named the variant, which is no field.
    without: Option<&'static str>,
    value: Option<(&'de str, &'de Value)>,
}

impl<'de> Entries<'de> {
    fn all(entries: &'de Map<String, Value>) -> Self {
        Self { entries: entries.iter(), without: None, value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = PlacedError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, PlacedError> {
        let without = self.without;
        let Some((key, value)) = self.entries.find(|(key, _)| without != Some(key.as_str())) else {
            return Ok(None);
        };
        self.value = Some((key, value));
        seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, PlacedError> {
        let (key, value) = self.value.take().ok_or_else(|| de::Error::custom("a value without its key"))?;
        seed.deserialize(At(value)).map_err(|error| error.within(key))
    }
}

/// An object that names its variant.
struct Tagged<'de> {
    word: &'de str,
    entries: &'de Map<String, Value>,
}

impl<'de> EnumAccess<'de> for Tagged<'de> {
    type Error = PlacedError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), PlacedError> {
        let word: StrDeserializer<'_, PlacedError> = self.word.into_deserializer();
        let variant = seed.deserialize(word).map_err(|error| error.within(TAG))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Tagged<'de> {
    type Error = PlacedError;

    fn unit_variant(self) -> Result<(), PlacedError> {
        match self.entries.keys().find(|key| *key != TAG) {
            Some(key) => {
                Err(de::Error::custom(format!("unknown key `{key}`: `{}` takes no other key", self.word)))
            }
            None => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, PlacedError> {
        seed.deserialize(Fields(self.entries))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, PlacedError> {
        Err(de::Error::custom("no form for an object"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PlacedError> {
        Fields(self.entries).deserialize_any(visitor)
    }
}

/// An object without the key that named the variant.
struct Fields<'de>(&'de Map<String, Value>);

impl<'de> Deserializer<'de> for Fields<'de> {
    type Error = PlacedError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PlacedError> {
        visitor.visit_map(Entries { entries: self.0.iter(), without: Some(TAG), value: None })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, PlacedError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any option struct enum
    }
}
