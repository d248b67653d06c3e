//! Mesos' text form of resources and of amounts: `cpus:4;mem(role):1024;ports:[1-2]`.

use super::{
    Detail, InvalidResource, Name, Reservation, ReservationKind, Resource, ResourceQuantities, Resources,
    Scalar, Set, Value, value,
};
use crate::role;

/// Why a text, or a list of resources given by whoever starts an agent, is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResourceTextError {
    /// A token without exactly one colon between a name and a value.
    #[error("`{0}` is not of the form name:value (missing or extra `:`)")]
    Form(String),
    /// A role that does not stand in a pair of parentheses.
    #[error("mismatched parentheses in `{0}`")]
    Parentheses(String),
    /// A value that cannot be read.
    #[error("`{value}` is no value for `{name}`: {cause}")]
    Value {
        /// Of the resource.
        name: String,
        /// As it stands there.
        value: String,
        /// What is wrong with it.
        cause: ValueError,
    },
    /// A value that is neither a number of at least zero, nor ranges, nor a set.
    #[error(
        "`{value}` is no value for `{name}`: expected a number that is not negative, [1-2,5-9] or {{a,b}}"
    )]
    Type {
        /// Of the resource.
        name: String,
        /// As it stands there.
        value: String,
    },
    /// An amount that is not a number, or negative.
    #[error("`{value}` is no amount of `{name}`: expected a number of at least 0")]
    Amount {
        /// Of the resource.
        name: String,
        /// As it stands there.
        value: String,
    },
    /// A name that was limited before.
    #[error("`{token}` limits `{name}` a second time")]
    Twice {
        /// Of the resource.
        name: String,
        /// As it stands there.
        token: String,
    },
    /// One name with values of two kinds.
    #[error("`{0}` has values of different kinds (an amount, ranges, a set)")]
    TwoTypes(String),
    /// A JSON list where only the text form can be read.
    #[error("this is a JSON list, not text of the form name:value;...: read it as JSON")]
    JsonList,
    /// What an agent may not be started with.
    #[error("an agent cannot be started with {what} (`{name}`)")]
    NotForFlags {
        /// Such as "revocable resources".
        what: &'static str,
        /// Of the resource.
        name: String,
    },
    /// A resource that Mesos refuses.
    #[error(transparent)]
    Invalid(#[from] InvalidResource),
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Nothing but blanks.
    #[error("it is empty")]
    Empty,
    /// A bracket without its counterpart.
    #[error("mismatched brackets")]
    Brackets,
    /// A bracket in the middle.
    #[error("unexpected `{0}`")]
    Unexpected(char),
    /// Ranges with an end missing.
    #[error("expected pairs of whole numbers, as in [1-2,5-9]")]
    Ranges,
    /// An end of a range that is not a whole number.
    #[error("expected a whole number instead of `{0}`")]
    Integer(String),
    /// A number so small that a double loses digits.
    #[error("the number is too small")]
    Subnormal,
}

/// A value as text says it (`values::parse`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parsed {
    /// A finite number of at least zero.
    Number(f64),
    /// Intervals, joined; one may still end before it begins.
    Ranges(Vec<(u64, u64)>),
    /// Words, perhaps repeated.
    Set(Vec<String>),
    /// Anything else, without blanks.
    Text(String),
}

impl Resources {
    /// Parses Mesos' text form (`name(role):value;...`), as an agent's `--resources` has it (`Resources::parse`).
    ///
    /// Mesos also takes a JSON list here. This crate reads no JSON by itself: for such a text, deserialize a `Vec` of
    /// [`Resource`] and hand it to [`from_flags`](Self::from_flags), or deserialize a `Resources`, which takes both forms.
    ///
    /// # Errors
    /// What Mesos refuses, and a JSON list ([`ResourceTextError::JsonList`]).
    pub fn parse(text: &str) -> Result<Self, ResourceTextError> {
        if is_json_list(text) {
            return Err(ResourceTextError::JsonList);
        }
        let entries: Result<Vec<_>, _> = tokens(text).map(parse_resource).collect();
        Self::from_flags(entries?)
    }

    /// From a list, as an agent may be started with it: no persistent volumes, no revocable resources, no dynamic
    /// reservations, and each name with values of one kind only (`validateCommandLineResources`).
    ///
    /// # Errors
    /// What Mesos refuses.
    pub fn from_flags(entries: Vec<Resource>) -> Result<Self, ResourceTextError> {
        for (place, entry) in entries.iter().enumerate() {
            let refused = if entry.is_persistent_volume() {
                Some("persistent volumes")
            } else if entry.is_revocable() {
                Some("revocable resources")
            } else if entry.is_dynamically_reserved() {
                Some("dynamic reservations")
            } else {
                None
            };
            if let Some(what) = refused {
                return Err(ResourceTextError::NotForFlags { what, name: entry.name.as_str().to_owned() });
            }
            let differs =
                |other: &&Resource| other.name == entry.name && !other.value.is_same_kind(&entry.value);
            if entries[..place].iter().any(|other| differs(&other)) {
                return Err(ResourceTextError::TwoTypes(entry.name.as_str().to_owned()));
            }
        }
        Self::from_entries(entries)
    }
}

/// Parses `name:number;...`. Empty tokens are dropped; a name given twice adds up, zero (also by rounding) is no quantity
/// (`ResourceQuantities::fromString`).
///
/// # Errors
/// What is not of that form; numbers below zero.
pub fn parse_quantities(text: &str) -> Result<ResourceQuantities, ResourceTextError> {
    let mut quantities = ResourceQuantities::EMPTY;
    for token in tokens(text) {
        let (name, amount) = amount_of(token)?;
        quantities.add(&Name::new(name), amount);
    }
    Ok(quantities)
}

/// Parses Mesos' `--min_allocatable_resources`: quantities joined by `|`, of which an offer must hold at least one.
/// An empty text asks for nothing.
///
/// # Errors
/// As [`parse_quantities`].
pub fn parse_alternatives(text: &str) -> Result<Vec<ResourceQuantities>, ResourceTextError> {
    text.split('|').filter(|part| !part.trim().is_empty()).map(parse_quantities).collect()
}

/// The tokens between semicolons that are not empty.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').filter(|token| !token.is_empty())
}

/// The name and the amount of one token.
pub(super) fn amount_of(token: &str) -> Result<(&str, Scalar), ResourceTextError> {
    let (name, value) = pair(token)?;
    let name = name.trim();
    if name.is_empty() {
        return Err(InvalidResource::EmptyName.into());
    }
    let wrong = || ResourceTextError::Amount { name: name.to_owned(), value: value.trim().to_owned() };
    match parse_value(value) {
        Ok(Parsed::Number(number)) => Scalar::from_f64(number).map(|amount| (name, amount)).ok_or_else(wrong),
        Ok(Parsed::Ranges(_) | Parsed::Set(_) | Parsed::Text(_)) => Err(wrong()),
        Err(cause) => {
            Err(ResourceTextError::Value { name: name.to_owned(), value: value.trim().to_owned(), cause })
        }
    }
}

/// Parses a value (`values::parse`). All spaces are left out first.
pub(crate) fn parse_value(text: &str) -> Result<Parsed, ValueError> {
    let text: String = text.chars().filter(|&c| c != ' ').collect();
    if text.is_empty() {
        return Err(ValueError::Empty);
    }
    if ["{}", "[]", "()"].iter().any(|pair| !has_matching(&text, pair)) {
        return Err(ValueError::Brackets);
    }
    match (text.find('['), text.find('{')) {
        (Some(0), _) => parse_ranges(&text).map(Parsed::Ranges),
        (Some(_), _) => Err(ValueError::Unexpected('[')),
        (None, Some(0)) => {
            Ok(Parsed::Set(pieces(&text, &['{', '}', ',', '\n']).map(str::to_owned).collect()))
        }
        (None, Some(_)) => Err(ValueError::Unexpected('{')),
        (None, None) => match text.parse::<f64>() {
            Ok(number) if number.is_subnormal() => Err(ValueError::Subnormal),
            Ok(number) if number.is_finite() && number >= 0.0 => Ok(Parsed::Number(number)),
            Ok(_) | Err(_) => Ok(Parsed::Text(text)),
        },
    }
}

fn parse_resource(token: &str) -> Result<Resource, ResourceTextError> {
    let (name, value) = pair(token)?;
    let (name, role) = name_and_role(name, token)?;
    let named = || (name.to_owned(), value.trim().to_owned());
    let parsed = parse_value(value).map_err(|cause| {
        let (name, value) = named();
        ResourceTextError::Value { name, value, cause }
    })?;
    let value = match parsed {
        Parsed::Number(number) => Value::Scalar(InvalidResource::check_amount(name, number)?),
        Parsed::Ranges(intervals) => Value::Ranges(InvalidResource::check_ranges(name, &intervals)?),
        Parsed::Set(words) => {
            InvalidResource::check_set(name, &words)?;
            Value::Set(Set::new(words))
        }
        Parsed::Text(_) => {
            let (name, value) = named();
            return Err(ResourceTextError::Type { name, value });
        }
    };
    let reservations = match role {
        None | Some(role::DEFAULT) => Vec::new(),
        Some(role) => {
            vec![Reservation {
                kind: ReservationKind::Static,
                role: role.into(),
                principal: None,
                labels: None,
            }]
        }
    };
    let resource = Resource::new(Name::new(name), value, Detail { reservations, ..Detail::default() });
    resource.validate()?;
    Ok(resource)
}

/// The two parts around the only colon; parts that are empty do not count.
fn pair(token: &str) -> Result<(&str, &str), ResourceTextError> {
    let mut parts = pieces(token, &[':']);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(value), None) => Ok((name, value)),
        _ => Err(ResourceTextError::Form(token.to_owned())),
    }
}

fn name_and_role<'a>(text: &'a str, token: &str) -> Result<(&'a str, Option<&'a str>), ResourceTextError> {
    let Some(open) = text.find('(') else { return Ok((text.trim(), None)) };
    match text.find(')') {
        Some(close) if close > open => Ok((text[..open].trim(), Some(text[open + 1..close].trim()))),
        Some(_) | None => Err(ResourceTextError::Parentheses(token.to_owned())),
    }
}

fn parse_ranges(text: &str) -> Result<Vec<(u64, u64)>, ValueError> {
    let ends: Result<Vec<u64>, ValueError> = pieces(text, &['[', ']', '-', ',', '\n']).map(whole).collect();
    let ends = ends?;
    if !ends.len().is_multiple_of(2) {
        return Err(ValueError::Ranges);
    }
    let mut intervals: Vec<_> = ends.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    value::coalesce(&mut intervals);
    Ok(intervals)
}

/// A whole number, as Mesos' `numify` reads one: decimal, or hexadecimal after `0x`.
fn whole(text: &str) -> Result<u64, ValueError> {
    let read = text.strip_prefix("0x").map_or_else(|| text.parse(), |digits| u64::from_str_radix(digits, 16));
    read.map_err(|_| ValueError::Integer(text.to_owned()))
}

/// What stands between any of these characters, without what is empty (`strings::tokenize`).
fn pieces<'a>(text: &'a str, between: &'a [char]) -> impl Iterator<Item = &'a str> {
    text.split(between).filter(|piece| !piece.is_empty())
}

fn has_matching(text: &str, pair: &str) -> bool {
    let (open, close) = pair.split_at(1);
    let mut depth = 0_i64;
    for c in text.chars() {
        depth += i64::from(open.starts_with(c)) - i64::from(close.starts_with(c));
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

fn is_json_list(text: &str) -> bool {
    let inner = text.trim().strip_prefix('[').map(str::trim_start);
    inner.is_some_and(|inner| inner == "]" || (inner.starts_with('{') && inner.ends_with(']')))
}
