//! `--set key=value`: changes one value of an experiment from the command line.
//!
//! The key is a dotted path. An element of a list is named by its `name` or by its position from 0
//! (`policy.drf-best-fit.placement`, `policy.0.placement`). The value is TOML; a bare word that is no TOML is text.

use std::ops::Range;

use miette::{LabeledSpan, NamedSource};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Key, Table, TableLike, Value};

use super::{
    error::Invalid,
    nearest::{did_you_mean, quoted},
    outline::Part,
    path::KeyPath,
};

/// More steps than any key of an experiment has, and few enough to nest.
const DEEPEST: usize = 16;

/// One `--set`.
#[derive(Debug)]
pub(super) struct Setting {
    /// As it was given.
    pub(super) text: String,
    /// What it sets, once it has been applied.
    pub(super) path: KeyPath,
    keys: Vec<(String, Range<usize>)>,
    value: (Value, Range<usize>),
}

/// What can be gone into on the way to the key.
enum Place<'a> {
    Table(&'a mut dyn TableLike),
    Tables(&'a mut ArrayOfTables),
    Array(&'a mut Array),
    Scalar,
}

/// Why a setting does not fit the document: at which of its keys, what, help.
struct Misfit(usize, String, Option<String>);

impl Setting {
    /// Reads `key=value`.
    pub(super) fn parse(text: &str) -> Result<Self, Box<Invalid>> {
        let wrong = |span: Range<usize>, message: &str, label: &str, help: &str| {
            invalid(text, span, message.to_owned(), label, Some(help.to_owned()))
        };
        let help = "write --set key=value, such as --set workload.compress=10";
        let Some(equals) = outside_quotes(text, '=').next() else {
            return Err(wrong(0..text.len(), "a setting needs a key and a value", "no `=` here", help));
        };
        let keys = keys(&text[..equals]).ok_or_else(|| {
            let help =
                "a key is words with dots between, such as policy.0.placement; other words go in quotes";
            wrong(0..equals, "this is not a key", "not a key", help)
        })?;
        if keys.len() > DEEPEST {
            return Err(wrong(0..equals, "no key lies so deep", "too many words", help));
        }
        let span = equals + 1..text.len();
        let value = value(&text[span.clone()]).ok_or_else(|| {
            let help = "write a number, true, false, \"text\", a list [1, 2] or a table { a = 1 }";
            wrong(span.clone(), "this is not a TOML value", "not a value", help)
        })?;
        Ok(Self { text: text.to_owned(), path: KeyPath::ROOT, keys, value: (value, span) })
    }

    /// Changes the document.
    pub(super) fn apply(&mut self, document: &mut DocumentMut) -> Result<(), Box<Invalid>> {
        match self.put(Place::Table(document.as_table_mut()), 0, &KeyPath::ROOT) {
            Ok(path) => self.path = path,
            Err(Misfit(step, message, help)) => {
                return Err(invalid(&self.text, self.keys[step].1.clone(), message, "leads nowhere", help));
            }
        }
        Ok(())
    }

    /// Where in the text of the setting stands what is at `path`, which lies on the way to the key or below it.
    pub(super) fn span(&self, path: &KeyPath, part: Part) -> Range<usize> {
        let key_of = |path: &KeyPath| path.len().checked_sub(1).and_then(|step| self.keys.get(step));
        match key_of(path) {
            Some((_, span)) if part == Part::Key || path.len() < self.keys.len() => span.clone(),
            Some(_) | None => self.value.1.clone(),
        }
    }

    /// Puts the value at the keys from `step` on, below `place`; returns the whole path.
    fn put(&self, place: Place<'_>, step: usize, path: &KeyPath) -> Result<KeyPath, Misfit> {
        let key = self.keys[step].0.as_str();
        let last = step + 1 == self.keys.len();
        match place {
            Place::Scalar => Err(Misfit(step, format!("`{path}` is neither a table nor a list"), None)),
            Place::Table(table) if last => {
                table.insert(key, Item::Value(self.value.0.clone()));
                Ok(path.key(key))
            }
            Place::Table(table) => {
                let item = table.entry(key).or_insert_with(|| Item::Value(InlineTable::new().into()));
                self.put(Place::of_item(item), step + 1, &path.key(key))
            }
            Place::Tables(tables) => {
                let names = tables.iter().map(|table| name_of(table)).collect();
                let index = find(key, names, path).map_err(|(message, help)| Misfit(step, message, help))?;
                let table = tables.get_mut(index).expect("`find` gives an element that exists");
                if last {
                    *table = self.value_as_table(step)?;
                    return Ok(path.index(index));
                }
                self.put(Place::Table(table), step + 1, &path.index(index))
            }
            Place::Array(array) => {
                let names =
                    array.iter().map(|value| value.as_inline_table().and_then(|table| name_of(table)));
                let index = find(key, names.collect(), path)
                    .map_err(|(message, help)| Misfit(step, message, help))?;
                let value = array.get_mut(index).expect("`find` gives an element that exists");
                if last {
                    *value = self.value.0.clone();
                    return Ok(path.index(index));
                }
                self.put(Place::of_value(value), step + 1, &path.index(index))
            }
        }
    }

    fn value_as_table(&self, step: usize) -> Result<Table, Misfit> {
        match &self.value.0 {
            Value::InlineTable(table) => Ok(table.clone().into_table()),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => {
                let key = &self.keys[step].0;
                let help = format!("name a key of it, such as {key}.name");
                Err(Misfit(step, format!("`{key}` is a table and cannot become a single value"), Some(help)))
            }
        }
    }
}

impl<'a> Place<'a> {
    fn of_item(item: &'a mut Item) -> Self {
        match item {
            Item::None => Self::Scalar,
            Item::Value(value) => Self::of_value(value),
            Item::Table(table) => Self::Table(table),
            Item::ArrayOfTables(tables) => Self::Tables(tables),
        }
    }

    fn of_value(value: &'a mut Value) -> Self {
        match value {
            Value::InlineTable(table) => Self::Table(table),
            Value::Array(array) => Self::Array(array),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => Self::Scalar,
        }
    }
}

fn name_of(table: &dyn TableLike) -> Option<&str> {
    table.get("name").and_then(Item::as_str)
}

/// Which element `key` means: the one with this name, else the one at this position.
fn find(key: &str, names: Vec<Option<&str>>, list: &KeyPath) -> Result<usize, (String, Option<String>)> {
    if let Some(index) = names.iter().position(|name| *name == Some(key)) {
        return Ok(index);
    }
    let count = names.len();
    match key.parse::<usize>() {
        Ok(index) if index < count => Ok(index),
        Ok(index) => Err((format!("`{list}` has no element {index}: it has {count}, counted from 0"), None)),
        Err(_) => {
            let names: Vec<&str> = names.into_iter().flatten().collect();
            let help = format!("{}the names are {}", did_you_mean(key, &names), quoted(&names));
            Err((format!("no element of `{list}` is named `{key}`"), (!names.is_empty()).then_some(help)))
        }
    }
}

/// The words of a dotted key, each with where it stands.
fn keys(text: &str) -> Option<Vec<(String, Range<usize>)>> {
    let words = outside_quotes(text, '.').chain([text.len()]).scan(0, |start, end| {
        let span = *start..end;
        *start = end + 1;
        Some(span)
    });
    words.map(|span| Some((word(&text[span.clone()])?, span))).collect()
}

/// One word of a key, without its quotes.
fn word(text: &str) -> Option<String> {
    let keys = Key::parse(text).ok()?;
    let [key] = keys.as_slice() else { return None };
    Some(key.get().to_owned())
}

/// Where in `text` the character stands outside of quotes.
fn outside_quotes(text: &str, wanted: char) -> impl Iterator<Item = usize> {
    let mut quote = None;
    text.char_indices().filter_map(move |(at, c)| {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None | Some(_), _) => {}
        }
        (quote.is_none() && c == wanted).then_some(at)
    })
}

/// TOML, or a bare word as text.
fn value(text: &str) -> Option<Value> {
    let trimmed = text.trim();
    let mut value = match trimmed.parse::<Value>() {
        Ok(value) => value,
        Err(_) if is_bare_word(trimmed) => Value::from(trimmed),
        Err(_) => return None,
    };
    value.decor_mut().set_prefix(" ");
    value.decor_mut().set_suffix("");
    Some(value)
}

fn is_bare_word(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['"', '\'', '[', '{'])
        && !text.contains(|c: char| c.is_control() || c == '#' || c == '=')
}

fn invalid(
    text: &str,
    span: Range<usize>,
    message: String,
    label: &str,
    help: Option<String>,
) -> Box<Invalid> {
    let label = LabeledSpan::new_primary_with_span(Some(label.to_owned()), span);
    Box::new(Invalid::new(message, NamedSource::new("--set", text.to_owned()), vec![label], help))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "seeds = [1, 2]\n[workload]\ncompress = 1.0 # as traced\n[workload.trace]\npath = 'x'\n\
        [[policy]]\nname = 'a'\n[[policy]]\nname = 'b'\nplacement = 'first-fit'\n";

    /// The document after the setting, and what was set.
    fn set(text: &str) -> Result<(String, String), Box<Invalid>> {
        let mut document: DocumentMut = TEXT.parse().expect("valid");
        let mut setting = Setting::parse(text)?;
        setting.apply(&mut document)?;
        let text = document.to_string();
        text.parse::<DocumentMut>().expect("still valid");
        Ok((text, setting.path.to_string()))
    }

    fn refused(text: &str) -> String {
        let invalid = set(text).expect_err(text);
        format!("{invalid} {}", invalid.help_text().unwrap_or_default())
    }

    #[test]
    fn a_setting_changes_one_value() {
        for (text, path, line) in [
            ("workload.compress=10", "workload.compress", "compress = 10"),
            ("policy.1.placement=best-fit", "policy[1].placement", "placement = \"best-fit\""),
            ("policy.b.placement=\"best-fit\"", "policy[1].placement", "placement = \"best-fit\""),
            ("policy.a.refuse_seconds=1 h", "policy[0].refuse_seconds", "refuse_seconds = \"1 h\""),
            ("seeds.1=7", "seeds[1]", "seeds = [1, 7]"),
            ("seeds=[3]", "seeds", "seeds = [3]"),
            ("until=../x", "until", "until = \"../x\""),
            ("master.visit_order=ascending", "master.visit_order", "master = { visit_order = \"ascending\"}"),
            ("workload.trace={ path = 'y' }", "workload.trace", "trace = { path = 'y' }"),
            ("policy.0={ name = 'c' }", "policy[0]", "name = 'c'"),
            ("policy=[]", "policy", "policy = []"),
        ] {
            let (document, set) = set(text).expect(text);
            assert_eq!(set, path);
            assert!(document.lines().any(|found| found.trim() == line), "{text}:\n{document}");
        }
    }

    #[test]
    fn a_setting_that_cannot_be_read_says_what_to_write() {
        assert!(refused("workload.compress").contains("--set key=value"));
        assert!(refused("=1").contains("not a key"));
        assert!(refused("a b=1").contains("not a key"));
        assert!(refused("seeds=").contains("not a TOML value"));
        assert!(refused("seeds=[1").contains("not a TOML value"));
    }

    #[test]
    fn a_setting_of_nothing_says_what_there_is() {
        assert!(refused("policy.c.order=fifo").contains("the names are `a` and `b`"));
        assert!(refused("policy.2.order=fifo").contains("it has 2"));
        assert!(refused("seeds.1.x=2").contains("neither a table nor a list"));
        assert!(refused("policy.0=5").contains("cannot become a single value"));
    }
}
