//! Where in an experiment something stands: `policy[1].placement`.

use std::fmt;

/// The way from the top of the file to a key or to an element of a list.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KeyPath(Vec<Segment>);

/// One step of a [`KeyPath`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A key of a table.
    Key(String),
    /// An element of a list or of `[[...]]` tables, from 0.
    Index(usize),
}

impl KeyPath {
    /// The file itself.
    pub const ROOT: Self = Self(Vec::new());

    /// Reads `policy[1].placement`. A key with a dot or a bracket in it goes in double quotes: `a."b.c"`.
    /// Every text is a path; one that leads nowhere is reported at the nearest place that exists.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut path = Self::ROOT;
        let mut rest = text;
        while !rest.is_empty() {
            let (segment, after) = first_segment(rest);
            path.0.extend(segment);
            rest = after;
        }
        path
    }

    /// This path and one key more.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(key.to_owned()))
    }

    /// This path and one element more.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// The path without its last step; none above the file itself.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, above)| Self(above.to_vec()))
    }

    /// The last step.
    #[must_use]
    pub fn last(&self) -> Option<&Segment> {
        self.0.last()
    }

    /// Whether `other` is this path or lies below it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The path with each position in a list made the first.
    #[must_use]
    pub fn of_first(&self) -> Self {
        let first = |segment: &Segment| match segment {
            Segment::Index(_) => Segment::Index(0),
            Segment::Key(key) => Segment::Key(key.clone()),
        };
        Self(self.0.iter().map(first).collect())
    }

    /// The path as the header of a table in a list is written (`framework.gang` for `framework[1].gang`).
    #[must_use]
    pub fn without_places(&self) -> Self {
        Self(self.0.iter().filter(|segment| matches!(segment, Segment::Key(_))).cloned().collect())
    }

    /// How many steps it has.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a path without steps is the file, not empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn with(&self, segment: Segment) -> Self {
        Self(self.0.iter().cloned().chain([segment]).collect())
    }
}

/// The first step of a text that is not empty, and what follows it.
fn first_segment(text: &str) -> (Option<Segment>, &str) {
    if let Some(rest) = text.strip_prefix('.') {
        return (None, rest);
    }
    if let Some((inside, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let index = inside.parse().map_or_else(|_| Segment::Key(inside.to_owned()), Segment::Index);
        return (Some(index), rest);
    }
    if let Some((key, rest)) = text.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        return (Some(Segment::Key(key.to_owned())), rest);
    }
    let first = text.chars().next().map_or(0, char::len_utf8);
    let end = text[first..].find(['.', '[']).map_or(text.len(), |at| at + first);
    (Some(Segment::Key(text[..end].to_owned())), &text[end..])
}

impl From<&str> for KeyPath {
    fn from(text: &str) -> Self {
        Self::parse(text)
    }
}

impl From<String> for KeyPath {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (step, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => write_key(f, key, step > 0)?,
            }
        }
        Ok(())
    }
}

fn write_key(f: &mut fmt::Formatter<'_>, key: &str, dot: bool) -> fmt::Result {
    let dot = if dot { "." } else { "" };
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { write!(f, "{dot}{key}") } else { write!(f, "{dot}\"{key}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_reads_and_writes_the_same() {
        for text in ["name", "policy[1].placement", "framework[0].select.\"a.b\"", "cluster.agents[3]", ""] {
            assert_eq!(KeyPath::parse(text).to_string(), text);
        }
    }

    #[test]
    fn a_path_contains_itself_and_what_lies_below() {
        let policy = KeyPath::parse("policy[1]");
        assert!(policy.contains(&policy) && policy.contains(&policy.key("name")));
        assert!(
            !policy.contains(&KeyPath::parse("policy[0].name"))
                && !policy.contains(&KeyPath::parse("policy"))
        );
    }

    proptest! {
        #[test]
        fn every_text_is_a_path(text in "[a-c.\\[\\]\"0-9é]{0,20}") {
            let _ = KeyPath::parse(&text);
        }
    }
}
