//! From text to types, and from what serde says about a mismatch to what a reader of the file understands.

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};
use toml_edit::Document;

use super::{
    fault::Fault,
    nearest::{did_you_mean, quoted},
    outline::{Outline, Part, table_name},
    path::{KeyPath, Segment},
    schema::{tables, tables_with},
    source::Problem,
    spec::Experiment,
};

/// More words are not told one by one.
const MOST_CHOICES: usize = 50;

/// Reads the text that the file and the settings make together. The problem's place is a key path, because what
/// stands in this text may have been written elsewhere.
pub(super) fn read(text: &str) -> Result<Experiment, Box<Problem>> {
    let outline = Document::parse(text).map(|document| Outline::of(&document));
    if let Some(problem) = outline.as_ref().ok().and_then(list_for_a_table) {
        return Err(Box::new(problem));
    }
    toml::from_str(text).map_err(|error| {
        let problem = located(&error, outline.as_ref().ok());
        let faults = KeyPath::ROOT.key("fault");
        let of_fault = if faults.contains(&problem.path) { outline.ok() } else { None };
        Box::new(of_fault.and_then(|outline| misread_fault(text, &outline)).unwrap_or(problem))
    })
}

fn located(error: &toml::de::Error, outline: Option<&Outline>) -> Problem {
    let place = outline.zip(error.span()).map(|(outline, span)| outline.at(&span));
    let (path, part) = place.unwrap_or((KeyPath::ROOT, Part::Value));
    plain(error.message(), &path, part)
}

/// What exactly is wrong with the first bad `[[fault]]`. Serde reads a whole table before it looks at `kind`, and forgets
/// where its keys stood; so each is read once more, as the kind that it says it is.
fn misread_fault(text: &str, outline: &Outline) -> Option<Problem> {
    let faults = DeTable::parse(text).ok()?.into_inner().remove("fault")?.into_inner();
    let DeValue::Array(faults) = faults else { return None };
    let places = (0..).map(|index| KeyPath::ROOT.key("fault").index(index));
    faults.into_iter().zip(places).find_map(|(fault, path)| {
        let span = fault.span();
        let DeValue::Table(mut table) = fault.into_inner() else { return None };
        let Some(kind) = table.remove("kind") else {
            return Some(missing_key("kind", &path).help(choices("", Fault::KINDS)));
        };
        let kind = match String::deserialize(ValueDeserializer::from(kind)) {
            Ok(kind) => kind,
            Err(error) => return Some(located(&error, Some(outline))),
        };
        match Fault::read(&kind, ValueDeserializer::from(Spanned::new(span, DeValue::Table(table)))) {
            None => Some(unknown_word(&path.key("kind"), &kind, Fault::KINDS)),
            Some(read) => read.err().map(|error| located(&error, Some(outline))),
        }
    })
}

/// Serde would take the elements of a list for the keys of a table, one after the other.
fn list_for_a_table(outline: &Outline) -> Option<Problem> {
    let tables = tables();
    let is_table =
        |path: &&KeyPath| tables.iter().any(|table| table.path == path.of_first() && !table.or_list);
    let path = outline.lists().find(is_table)?;
    let problem =
        Problem::new(path.clone(), format!("`{path}` must be a table, but is a list"), "expected a table");
    Some(problem.help(format!("write {} once", table_name(path))))
}

/// Serde's message in the words of the file.
fn plain(message: &str, path: &KeyPath, part: Part) -> Problem {
    let (first, help) = message.split_once('\n').map_or((message, None), |(first, help)| (first, Some(help)));
    if let Some((word, valid)) = unknown(first, "unknown field `") {
        return unknown_key(&word, &valid, path);
    }
    let problem = if let Some((word, valid)) = unknown(first, "unknown variant `") {
        unknown_word(path, &word, &valid)
    } else if let Some(key) = first.strip_prefix("missing field `") {
        missing_key(key.trim_end_matches('`'), path)
    } else if let Some((found, expected)) = mismatch(first) {
        let message = format!("{} must be {expected}, but is {found}", subject(path));
        Problem::new(path.clone(), message, format!("expected {expected}"))
    } else {
        Problem::new(path.clone(), format!("{}: {first}", subject(path)), "cannot be read")
    };
    Problem { part, help: help.map(str::to_owned).or(problem.help), ..problem }
}

/// A word that is not among the valid ones, for the value at `path`.
pub(super) fn unknown_word(path: &KeyPath, word: &str, valid: &[&str]) -> Problem {
    let what = match path.last() {
        Some(Segment::Key(key)) => key.replace('_', " "),
        Some(Segment::Index(_)) => path.parent().map_or_else(String::new, |list| list.to_string()),
        None => "word".to_owned(),
    };
    Problem::new(path.clone(), format!("unknown {what} `{word}`"), format!("unknown {what}"))
        .help(choices(word, valid))
}

fn unknown_key(word: &str, valid: &[&str], path: &KeyPath) -> Problem {
    // The span of the error is the key itself, unless the text could not be laid out.
    let table = path.parent().unwrap_or_default();
    let message = format!("unknown key `{word}` in {}", table_name(&table));
    // Faults of other kinds have other keys, and are named alike.
    let elsewhere: Vec<_> =
        tables_with(word).into_iter().filter(|name| *name != table_name(&table)).collect();
    let help = match elsewhere.as_slice() {
        [] => choices(word, valid),
        tables => format!("`{word}` is a key of {}; {}", tables.join(" and "), choices(word, valid)),
    };
    Problem::new(path.clone(), message, "unknown key").at_key().help(help)
}

fn choices(word: &str, valid: &[&str]) -> String {
    let near = did_you_mean(word, valid);
    match valid {
        [first, .., last] if valid.len() > MOST_CHOICES => {
            format!("{near}valid here: {} words from `{first}` to `{last}`", valid.len())
        }
        _ => format!("{near}valid here: {}", quoted(valid)),
    }
}

pub(super) fn missing_key(key: &str, path: &KeyPath) -> Problem {
    let example = match key {
        "cluster" => "[cluster]\ntrace = { path = \"nodes.csv\" }",
        "workload" => "[workload]\ntrace = { path = \"jobs.csv\" }",
        "policy" => "[[policy]]\nname = \"drf-best-fit\"\nplacement = \"best-fit\"",
        _ => {
            let message = format!("{} lacks the key `{key}`", table_name(path));
            return Problem::new(path.clone(), message, format!("no `{key}` here"));
        }
    };
    let header = example.lines().next().unwrap_or_default();
    Problem::new(
        path.clone(),
        format!("{} lacks `{header}`", table_name(path)),
        format!("no `{header}` here"),
    )
    .help(format!("add it, such as\n{example}"))
}

fn subject(path: &KeyPath) -> String {
    if *path == KeyPath::ROOT { "the file".to_owned() } else { format!("`{path}`") }
}

/// The word and the valid ones of serde's ``unknown field `x`, expected one of `a`, `b` ``.
fn unknown<'a>(message: &'a str, prefix: &str) -> Option<(String, Vec<&'a str>)> {
    let rest = message.strip_prefix(prefix)?;
    // The unknown word may have any characters in it, the valid ones have no backquotes.
    let (word, valid) = rest.rsplit_once("`, expected ").or_else(|| rest.rsplit_once("`, there are no "))?;
    Some((word.to_owned(), valid.split('`').skip(1).step_by(2).collect()))
}

/// What was found and what was expected, of serde's `invalid type: integer `5`, expected a string`.
fn mismatch(message: &str) -> Option<(String, String)> {
    let rest = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.rsplit_once(", expected ")?;
    Some((plain_found(found), plain_expected(expected)))
}

fn plain_found(found: &str) -> String {
    let kinds = [
        ("string ", "the text "),
        ("integer ", "the whole number "),
        ("floating point ", "the number "),
        ("boolean ", "the word "),
        ("map", "a table"),
        ("sequence", "a list"),
    ];
    let plain = kinds.iter().find_map(|(kind, plain)| Some(format!("{plain}{}", found.strip_prefix(kind)?)));
    plain.unwrap_or_else(|| found.to_owned())
}

fn plain_expected(expected: &str) -> String {
    match expected {
        "f64" => "a number",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" => "a whole number, 0 or more",
        "a boolean" => "true or false",
        "a string" => "text in quotes",
        "path string" => "a path in quotes",
        "a sequence" => "a list",
        "a map" => "a table",
        _ if expected.starts_with("struct ") => "a table",
        _ if expected.starts_with("enum ") => "a word in quotes",
        _ => expected,
    }
    .to_owned()
}
