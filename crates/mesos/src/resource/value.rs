//! The three kinds of values: amounts, ranges of whole numbers, sets of words.

use std::{fmt, sync::Arc};

use super::Scalar;

/// How much, or which (`Value`).
///
/// Sets are equal if they have the same words at the same places, as in Mesos; sets of resources that hold them do not
/// ask for the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An amount.
    Scalar(Scalar),
    /// Whole numbers.
    Ranges(Ranges),
    /// Words.
    Set(Set),
}

impl Value {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Scalar(amount) => amount.0 == 0,
            Self::Ranges(ranges) => ranges.is_empty(),
            Self::Set(set) => set.is_empty(),
        }
    }

    /// The amount, or the number of members; the largest amount if there are more.
    #[must_use]
    pub fn quantity(&self) -> Scalar {
        match self {
            Self::Scalar(amount) => *amount,
            Self::Ranges(ranges) => Scalar::whole(i64::try_from(ranges.count()).unwrap_or(i64::MAX)),
            Self::Set(set) => Scalar::whole(set.len() as i64),
        }
    }

    pub(super) const fn is_same_kind(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::Scalar(_), Self::Scalar(_))
                | (Self::Ranges(_), Self::Ranges(_))
                | (Self::Set(_), Self::Set(_))
        )
    }

    /// Whether `other` is of the same kind and all in here (`operator<=` of the values).
    pub(super) fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scalar(mine), Self::Scalar(theirs)) => mine >= theirs,
            (Self::Ranges(mine), Self::Ranges(theirs)) => mine.contains(theirs),
            (Self::Set(mine), Self::Set(theirs)) => mine.contains(theirs),
            (Self::Scalar(_) | Self::Ranges(_) | Self::Set(_), _) => false,
        }
    }

    /// Adds a value of the same kind; one of another kind changes nothing.
    pub(super) fn add(&mut self, other: &Self) {
        match (self, other) {
            (Self::Scalar(mine), Self::Scalar(theirs)) => *mine = *mine + *theirs,
            (Self::Ranges(mine), Self::Ranges(theirs)) => *mine = mine.union(theirs),
            (Self::Set(mine), Self::Set(theirs)) => *mine = mine.union(theirs),
            (Self::Scalar(_) | Self::Ranges(_) | Self::Set(_), _) => {}
        }
    }

    /// Takes a value of the same kind away; what is not there is not missed, but an amount may get negative.
    pub(super) fn subtract(&mut self, other: &Self) {
        match (self, other) {
            (Self::Scalar(mine), Self::Scalar(theirs)) => *mine = *mine - *theirs,
            (Self::Ranges(mine), Self::Ranges(theirs)) => *mine = mine.difference(theirs),
            (Self::Set(mine), Self::Set(theirs)) => *mine = mine.difference(theirs),
            (Self::Scalar(_) | Self::Ranges(_) | Self::Set(_), _) => {}
        }
    }
}

/// Mesos' text form: `0.5`, `[1-2,5-5]`, `{a,b}` (words in the order of their bytes).
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(amount) => fmt::Display::fmt(amount, f),
            Self::Ranges(ranges) => fmt::Display::fmt(ranges, f),
            Self::Set(set) => fmt::Display::fmt(set, f),
        }
    }
}

/// Whole numbers as inclusive intervals: in order, apart from each other, none empty. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ranges(Arc<[(u64, u64)]>);

impl Ranges {
    /// From inclusive intervals in any order; those that overlap or touch become one, and those that end before they begin
    /// are left out.
    #[must_use]
    pub fn new(intervals: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut intervals: Vec<_> = intervals.into_iter().filter(|(begin, end)| begin <= end).collect();
        coalesce(&mut intervals);
        Self(intervals.into())
    }

    /// The intervals in order, both ends included.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.iter().copied()
    }

    /// How many intervals.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers; the largest `u64` if all of them.
    #[must_use]
    pub fn count(&self) -> u64 {
        let size = |(begin, end): &(u64, u64)| (end - begin).saturating_add(1);
        self.0.iter().map(size).fold(0, u64::saturating_add)
    }

    /// Whether one number is in here.
    #[must_use]
    pub fn has(&self, number: u64) -> bool {
        self.contains_interval(number, number)
    }

    /// Whether all numbers of `other` are in here.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|&(begin, end)| self.contains_interval(begin, end))
    }

    /// The numbers of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        Self::new(self.iter().chain(other.iter()))
    }

    /// The numbers in here that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut rest = Vec::with_capacity(self.len() + 1);
        let mut from = 0;
        for (mut begin, end) in self.iter() {
            while other.0.get(from).is_some_and(|cut| cut.1 < begin) {
                from += 1;
            }
            let mut whole = true;
            for &(cut, last) in other.0[from..].iter().take_while(|cut| cut.0 <= end) {
                if begin < cut {
                    rest.push((begin, cut - 1));
                }
                if last >= end {
                    whole = false;
                    break;
                }
                begin = last + 1;
            }
            if whole {
                rest.push((begin, end));
            }
        }
        Self(rest.into())
    }

    fn contains_interval(&self, begin: u64, end: u64) -> bool {
        let place = self.0.partition_point(|&(_, last)| last < begin);
        self.0.get(place).is_some_and(|&(first, last)| first <= begin && end <= last)
    }
}

impl FromIterator<(u64, u64)> for Ranges {
    fn from_iter<I: IntoIterator<Item = (u64, u64)>>(intervals: I) -> Self {
        Self::new(intervals)
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (place, (begin, end)) in self.iter().enumerate() {
            write!(f, "{}{begin}-{end}", if place > 0 { "," } else { "" })?;
        }
        f.write_str("]")
    }
}

/// Sorts intervals and joins those that overlap or touch (`coalesce`).
pub(super) fn coalesce(intervals: &mut Vec<(u64, u64)>) {
    intervals.sort_unstable();
    intervals.dedup_by(|next, current| {
        let joins = next.0 <= current.1.saturating_add(1);
        if joins {
            current.1 = current.1.max(next.1);
        }
        joins
    });
}

/// Different words, in the order in which they came. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Set(Arc<[Arc<str>]>);

impl Set {
    /// From words; one that came before is left out.
    #[must_use]
    pub fn new<W: Into<Arc<str>>>(words: impl IntoIterator<Item = W>) -> Self {
        let mut kept: Vec<Arc<str>> = Vec::new();
        for word in words {
            let word = word.into();
            if !kept.contains(&word) {
                kept.push(word);
            }
        }
        Self(kept.into())
    }

    /// The words in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter()
    }

    /// How many words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no word.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one word is in here.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        self.0.iter().any(|mine| **mine == *word)
    }

    /// Whether all words of `other` are in here.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.len() >= other.len() && other.0.iter().all(|word| self.0.contains(word))
    }

    /// These words, then those of `other` that are new.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::new(self.0.iter().chain(other.0.iter()).cloned())
    }

    /// These words without those of `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|word| !other.0.contains(word)).cloned().collect())
    }

    pub(super) fn sorted(&self) -> Vec<&Arc<str>> {
        let mut words: Vec<_> = self.0.iter().collect();
        words.sort_unstable();
        words
    }
}

impl<W: Into<Arc<str>>> FromIterator<W> for Set {
    fn from_iter<I: IntoIterator<Item = W>>(words: I) -> Self {
        Self::new(words)
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (place, word) in self.sorted().into_iter().enumerate() {
            write!(f, "{}{word}", if place > 0 { "," } else { "" })?;
        }
        f.write_str("}")
    }
}
