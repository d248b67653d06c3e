//! Where in a TOML text each key and value stands, looked up by key path and by position.

use std::ops::Range;

use toml_edit::{Array, Document, Item, TableLike, Value};

use super::path::{KeyPath, Segment};

/// Which end of an entry is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The name in front of the `=`, or in the header of a table.
    Key,
    /// What stands behind the `=`; of a table, its header.
    Value,
}

/// All entries of a text, each before those inside it.
#[derive(Debug)]
pub(super) struct Outline {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    path: KeyPath,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    is_list: bool,
}

impl Outline {
    pub(super) fn of<S>(document: &Document<S>) -> Self {
        let mut outline = Self { entries: Vec::new() };
        outline.add_table(&KeyPath::ROOT, document.as_table());
        outline
    }

    /// Where the entry stands. An entry that is written in no single place (`a` of `a.b = 1`) stands at its key.
    pub(super) fn find(&self, path: &KeyPath, part: Part) -> Option<Range<usize>> {
        let entry = self.entries.iter().find(|entry| entry.path == *path)?;
        let (first, second) = match part {
            Part::Key => (&entry.key, &entry.value),
            Part::Value => (&entry.value, &entry.key),
        };
        first.as_ref().or(second.as_ref()).cloned()
    }

    /// The entries that are lists.
    pub(super) fn lists(&self) -> impl Iterator<Item = &KeyPath> {
        self.entries.iter().filter(|entry| entry.is_list).map(|entry| &entry.path)
    }

    /// The entry at a position: the one with exactly this span, or else the innermost around it.
    pub(super) fn at(&self, span: &Range<usize>) -> (KeyPath, Part) {
        let exactly = |part: fn(&Entry) -> &Option<Range<usize>>| {
            self.entries.iter().rev().find(|entry| part(entry).as_ref() == Some(span))
        };
        if let Some(entry) = exactly(|entry| &entry.key) {
            return (entry.path.clone(), Part::Key);
        }
        if let Some(entry) = exactly(|entry| &entry.value) {
            return (entry.path.clone(), Part::Value);
        }
        let around = |outer: &Range<usize>| outer.start <= span.start && span.end <= outer.end;
        let inside = |entry: &&Entry| entry.value.as_ref().is_some_and(around);
        let innermost = self.entries.iter().rev().find(inside);
        (innermost.map_or(KeyPath::ROOT, |entry| entry.path.clone()), Part::Value)
    }

    fn add_table(&mut self, path: &KeyPath, table: &dyn TableLike) {
        for (name, _) in table.iter() {
            if let Some((key, item)) = table.get_key_value(name) {
                self.add(&path.key(name), key.span(), item);
            }
        }
    }

    fn add(&mut self, path: &KeyPath, key: Option<Range<usize>>, item: &Item) {
        let is_list = item.is_array() || item.is_array_of_tables();
        self.entries.push(Entry { path: path.clone(), key, value: item.span(), is_list });
        match item {
            Item::None => {}
            Item::Value(value) => self.add_inside(path, value),
            Item::Table(table) => self.add_table(path, table),
            Item::ArrayOfTables(tables) => {
                for (index, table) in tables.iter().enumerate() {
                    let path = path.index(index);
                    self.entries.push(Entry {
                        path: path.clone(),
                        key: None,
                        value: table.span(),
                        is_list: false,
                    });
                    self.add_table(&path, table);
                }
            }
        }
    }

    fn add_inside(&mut self, path: &KeyPath, value: &Value) {
        match value {
            Value::Array(array) => self.add_array(path, array),
            Value::InlineTable(table) => self.add_table(path, table),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => {}
        }
    }

    fn add_array(&mut self, path: &KeyPath, array: &Array) {
        for (index, value) in array.iter().enumerate() {
            let path = path.index(index);
            let is_list = value.is_array();
            self.entries.push(Entry { path: path.clone(), key: None, value: value.span(), is_list });
            self.add_inside(&path, value);
        }
    }
}

/// The name of the table that a path lies in, as a reader of the file knows it: `[workload]`, `[[policy]]`.
pub(super) fn table_name(path: &KeyPath) -> String {
    match path.last() {
        None => "the file".to_owned(),
        Some(Segment::Index(_)) => format!("`[[{}]]`", path.parent().unwrap_or_default().without_places()),
        Some(Segment::Key(_)) => format!("`[{}]`", path.without_places()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n[b]\nc = [2, { d = 3 }]\n[[e]]\nf = 4\n[[e]]\nf = 5\n[g.h]\ni.j = 6\n";

    fn outline() -> Outline {
        Outline::of(&Document::parse(TEXT).expect("valid"))
    }

    #[test]
    fn a_path_finds_its_text() {
        let found = |path: &str, part| &TEXT[outline().find(&path.into(), part).expect(path)];
        assert_eq!(found("a", Part::Key), "a");
        assert_eq!(found("a", Part::Value), "1");
        assert_eq!(found("b", Part::Value), "[b]");
        assert_eq!(found("b.c[1].d", Part::Value), "3");
        assert_eq!(found("e[1]", Part::Value), "[[e]]");
        assert_eq!(found("e[1].f", Part::Value), "5");
        assert_eq!(found("g.h.i.j", Part::Value), "6");
        assert!(outline().find(&"nothing".into(), Part::Key).is_none());
    }

    #[test]
    fn a_position_finds_its_path() {
        for path in ["a", "b", "b.c[1].d", "e[0].f", "e[1]", "e[1].f", "g.h.i.j"] {
            let span = outline().find(&path.into(), Part::Value).expect(path);
            assert_eq!(outline().at(&span), (path.into(), Part::Value), "{path}");
        }
        let key = outline().find(&"g.h".into(), Part::Key).expect("key");
        assert_eq!(outline().at(&key), ("g.h".into(), Part::Key));
    }
}
