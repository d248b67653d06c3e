//! What fields of rows mean in many formats: times, counts of at least one, words of a list.

use crate::{
    Micros,
    error::nearest,
    table::{Row, RowError},
};

/// What `Micros` hold.
const IN_RANGE: &str = "a time within 290,000 years";

/// A field that may not be empty, as `value` has it.
///
/// # Errors
/// It is empty.
pub fn needed<T>(row: Row<'_>, column: usize, value: Option<T>, expected: &str) -> Result<T, RowError> {
    value.ok_or_else(|| row.wrong(column, expected))
}

/// A point in time in seconds, which may be negative; `None` if the field is empty.
///
/// # Errors
/// It is no number, or too large.
pub fn seconds(row: Row<'_>, column: usize) -> Result<Option<Micros>, RowError> {
    let value = row.number(column)?;
    value.map(|value| Micros::from_secs_f64(value).ok_or_else(|| row.wrong(column, IN_RANGE))).transpose()
}

/// A time in seconds that is there and not negative.
///
/// # Errors
/// It is empty, no number, negative, or too large.
pub fn needed_seconds(row: Row<'_>, column: usize) -> Result<Micros, RowError> {
    let time = seconds(row, column)?.filter(|time| time.0 >= 0);
    needed(row, column, time, "a number of seconds, 0 or more")
}

/// A time in milliseconds that is there and not negative.
///
/// # Errors
/// It is empty, no number, negative, or too large.
pub fn needed_millis(row: Row<'_>, column: usize) -> Result<Micros, RowError> {
    let value = row.number(column)?.and_then(|millis| Micros::from_secs_f64(millis / 1e3));
    let time = value.filter(|time| time.0 >= 0);
    needed(row, column, time, "a number of milliseconds, 0 or more")
}

/// A count of at least one.
///
/// # Errors
/// It is empty, no whole number, 0, negative, or beyond 32 bits.
pub fn at_least_one(row: Row<'_>, column: usize) -> Result<u32, RowError> {
    let count = row.int(column).ok().flatten().and_then(|count| u32::try_from(count).ok());
    needed(row, column, count.filter(|count| *count > 0), "a whole number, 1 or more")
}

/// A number that is there and not negative.
///
/// # Errors
/// It is empty, no number, or negative.
pub fn needed_amount(row: Row<'_>, column: usize) -> Result<f64, RowError> {
    let amount = row.amount(column)?;
    needed(row, column, amount, "a number, 0 or more")
}

/// One of a few words; `None` if the field is empty.
///
/// # Errors
/// It is another word; the message names the nearest.
pub fn word(
    row: Row<'_>,
    column: usize,
    words: &'static [&'static str],
) -> Result<Option<&'static str>, RowError> {
    let Some(text) = row.text(column)? else { return Ok(None) };
    if let Some(word) = words.iter().find(|word| **word == text) {
        return Ok(Some(word));
    }
    let close = nearest(text, words.iter().copied());
    Err(row.wrong(column, close.map_or_else(|| words.join(", "), |word| format!("`{word}`"))))
}
