//! The fields of a row, whether it is JSON or CSV, nested or flat, and by them which table a file holds.

use serde_json::{Map, Value};
use std::borrow::Cow;

use super::{ATTRIBUTES, COLLECTIONS, INSTANCES, JOINED, MACHINES, USAGE, source_lines};
use crate::{
    Source,
    format::Table,
    quality::shown,
    read::borg::term,
    table::{Row, RowError, parse_int},
};

const ATTRIBUTE_COLUMNS: &[&str] = &["time", "machine_id", "name", "value", "deleted"];
const MACHINE_COLUMNS: &[&str] =
    &["time", "machine_id", "type", "switch_id", "capacity_cpus", "capacity_memory", "platform_id"];
const COLLECTION_COLUMNS: &[&str] = &[
    "time",
    "type",
    "collection_id",
    "scheduling_class",
    "missing_type",
    "collection_type",
    "priority",
    "user",
    "collection_name",
    "collection_logical_name",
    "max_per_machine",
    "max_per_switch",
    "start_after_collection_ids",
];
const INSTANCE_COLUMNS: &[&str] = &[
    "time",
    "type",
    "collection_id",
    "scheduling_class",
    "missing_type",
    "collection_type",
    "priority",
    "alloc_collection_id",
    "instance_index",
    "machine_id",
    "resource_request_cpus",
    "resource_request_memory",
    "constraint",
];
const USAGE_COLUMNS: &[&str] = &[
    "start_time",
    "end_time",
    "collection_id",
    "instance_index",
    "machine_id",
    "average_usage_cpus",
    "average_usage_memory",
    "maximum_usage_cpus",
];
/// So many of the first rows are looked at to tell the table: NULL is left out of JSON.
const ROWS: usize = 16;

pub(super) fn columns(table: Table) -> &'static [&'static str] {
    match table {
        ATTRIBUTES => ATTRIBUTE_COLUMNS,
        MACHINES => MACHINE_COLUMNS,
        COLLECTIONS => COLLECTION_COLUMNS,
        INSTANCES => INSTANCE_COLUMNS,
        _ => USAGE_COLUMNS,
    }
}

/// So many of the columns must be in the header of a CSV file.
pub(super) fn required(table: Table) -> usize {
    match table {
        INSTANCES | COLLECTIONS | MACHINES | ATTRIBUTES => 3,
        _ => 4,
    }
}

pub(super) fn is_json(source: &Source) -> bool {
    source_lines(source).next().is_some_and(|line| line.starts_with('{'))
}

fn objects(source: &Source) -> impl Iterator<Item = Map<String, Value>> {
    source_lines(source).filter_map(|line| serde_json::from_str(line).ok())
}

pub(super) fn detect(source: &Source) -> Option<Table> {
    let names: Vec<String> = if is_json(source) {
        let rows: Vec<_> = objects(source).take(ROWS).collect();
        rows.iter().flat_map(Map::keys).cloned().collect()
    } else {
        let names = source_lines(source).next()?.split(',');
        names.map(|name| name.trim().trim_matches('"').to_owned()).collect()
    };
    let has = |name: &str| names.iter().any(|known| known == name);
    if has("instance_events_type") && has("collections_events_type") {
        return Some(JOINED);
    }
    match (has("collection_id"), has("instance_index"), has("machine_id")) {
        (true, true, _) if has("start_time") && has("end_time") => Some(USAGE),
        (true, true, _) if has("time") && has("type") => Some(INSTANCES),
        (true, false, false) if has("time") && has("type") => Some(COLLECTIONS),
        (false, false, true) if has("time") && has("name") => Some(ATTRIBUTES),
        (false, false, true) if has("time") && has("type") => Some(MACHINES),
        (true | false, true | false, true | false) => None,
    }
}

/// The times of the first rows, as far as they can be told.
pub(super) fn times(source: &Source, table: Table) -> Vec<i64> {
    let name = columns(table)[0];
    if is_json(source) {
        return objects(source).filter_map(|row| parse_int(text_of(row.get(name)?)?.as_bytes())).collect();
    }
    let mut lines = source_lines(source);
    let header = lines.next().unwrap_or_default().trim_start_matches('\u{feff}');
    let place = header.split(',').position(|found| found.trim().trim_matches('"') == name);
    let time = |line: &str| parse_int(line.split(',').nth(place?)?.trim().trim_matches('"').as_bytes());
    lines.filter_map(time).collect()
}

/// One row, by the columns of its table. What is empty or NULL is not there.
pub(super) struct Fields<'a> {
    texts: Vec<Option<Cow<'a, str>>>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(row: Row<'a>, is_json: bool, columns: &[&str]) -> Result<Self, RowError> {
        if !is_json {
            let texts = (0..columns.len()).map(|column| Ok(row.text(column)?.map(Cow::Borrowed)));
            return Ok(Self { texts: texts.collect::<Result<_, RowError>>()? });
        }
        let object: Map<String, Value> = serde_json::from_slice(row.raw(0))
            .map_err(|error| row.refuse(error.to_string(), "a JSON object"))?;
        let text = |column: &&str| text_of(find(&object, column)?).map(|text| Cow::Owned(text.into_owned()));
        Ok(Self { texts: columns.iter().map(text).collect() })
    }

    pub(super) fn text(&self, column: usize) -> Option<&str> {
        self.texts.get(column)?.as_deref().filter(|text| !text.is_empty())
    }

    pub(super) fn wrong(&self, column: usize, expected: &str) -> RowError {
        let found = shown(self.text(column).unwrap_or_default().as_bytes());
        RowError::Rejected { column: Some(column), found, expected: expected.into() }
    }

    pub(super) fn name(&self, column: usize) -> Result<&str, RowError> {
        self.text(column).ok_or_else(|| self.wrong(column, "a name"))
    }

    pub(super) fn int(&self, column: usize) -> Result<Option<i64>, RowError> {
        let Some(text) = self.text(column) else { return Ok(None) };
        parse_int(text.as_bytes()).map(Some).ok_or_else(|| self.wrong(column, "a whole number"))
    }

    pub(super) fn id(&self, column: usize) -> Result<i64, RowError> {
        let id = self.int(column)?.filter(|id| *id >= 0);
        id.ok_or_else(|| self.wrong(column, "a whole number, 0 or more"))
    }

    pub(super) fn index(&self, column: usize) -> Result<u32, RowError> {
        u32::try_from(self.id(column)?).map_err(|_| self.wrong(column, "a whole number that is not huge"))
    }

    pub(super) fn amount(&self, column: usize) -> Result<Option<f64>, RowError> {
        let Some(text) = self.text(column) else { return Ok(None) };
        let amount = text.parse().ok().filter(|amount: &f64| amount.is_finite() && *amount >= 0.0);
        amount.map(Some).ok_or_else(|| self.wrong(column, "a number, 0 or more"))
    }

    pub(super) fn flag(&self, column: usize) -> Result<bool, RowError> {
        match self.text(column).map(str::to_ascii_lowercase).as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(self.wrong(column, "true or false")),
        }
    }

    /// One of these words, or its place among them.
    pub(super) fn word(&self, column: usize, words: &[&str]) -> Result<Option<usize>, RowError> {
        let Some(text) = self.text(column) else { return Ok(None) };
        let place = place_of(text, words).map(Some);
        place.ok_or_else(|| self.wrong(column, &format!("0 to {} or {}", words.len() - 1, words.join(", "))))
    }

    /// A list of whole numbers, in JSON or between commas or blanks.
    pub(super) fn ids(&self, column: usize) -> Result<Vec<i64>, RowError> {
        let list = self.text(column).unwrap_or_default().trim_matches(['[', ']']);
        let ids = list.split([',', ' ']).map(|id| id.trim_matches('"')).filter(|id| !id.is_empty());
        let ids: Option<Vec<i64>> = ids.map(|id| parse_int(id.as_bytes())).collect();
        ids.ok_or_else(|| self.wrong(column, "a list of whole numbers"))
    }

    /// `[{"name": .., "value": .., "relation": ..}]`, as terms.
    pub(super) fn constraints(&self, column: usize) -> Result<Option<String>, RowError> {
        let Some(text) = self.text(column) else { return Ok(None) };
        let wrong = || self.wrong(column, "a JSON list of objects with name, value and relation");
        let list: Vec<Map<String, Value>> = serde_json::from_str(text).map_err(|_| wrong())?;
        let terms: Option<Vec<String>> = list.iter().map(constraint).collect();
        Ok(Some(terms.ok_or_else(wrong)?.join(" & ")).filter(|terms| !terms.is_empty()))
    }
}

const RELATIONS: &[&str] = &[
    "EQUAL",
    "NOT_EQUAL",
    "LESS_THAN",
    "GREATER_THAN",
    "LESS_THAN_EQUAL",
    "GREATER_THAN_EQUAL",
    "PRESENT",
    "NOT_PRESENT",
];
const OPERATORS: [&str; 8] = ["==", "!=", "<", ">", "<=", ">=", "present", "absent"];

fn constraint(object: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| object.get(name).and_then(text_of);
    let relation = text("relation").map_or(Some(0), |relation| place_of(&relation, RELATIONS))?;
    Some(term(&text("name")?, OPERATORS.get(relation)?, &text("value").unwrap_or_default()))
}

fn place_of(text: &str, words: &[&str]) -> Option<usize> {
    let number = text.parse().ok().filter(|place| *place < words.len());
    number.or_else(|| words.iter().position(|word| word.eq_ignore_ascii_case(text)))
}

/// A column of a nested row: `a_b` is the field `a_b`, `a.b`, or `b` of the record `a`.
fn find<'a>(object: &'a Map<String, Value>, column: &str) -> Option<&'a Value> {
    let nested = || {
        column.match_indices('_').find_map(|(at, _)| {
            let (record, field) = (&column[..at], &column[at + 1..]);
            let inside = object.get(record).and_then(Value::as_object).and_then(|record| record.get(field));
            inside.or_else(|| object.get(&format!("{record}.{field}")))
        })
    };
    object.get(column).or_else(nested)
}

fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(Cow::Owned(value.to_string()))
        }
    }
}
