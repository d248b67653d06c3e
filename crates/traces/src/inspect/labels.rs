//! How often each of a few names comes.

use std::{borrow::Borrow, collections::BTreeMap};

/// So many different names are told apart.
const MOST: usize = 10_000;

/// Names and how often each comes; beyond 10,000 different ones the new ones are one heap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Labels<K: Ord = Box<str>> {
    counts: BTreeMap<K, u64>,
    others: u64,
}

impl<K: Ord> Default for Labels<K> {
    fn default() -> Self {
        Self { counts: BTreeMap::new(), others: 0 }
    }
}

impl<K: Ord> Labels<K> {
    /// One more of this name.
    pub fn add<Q>(&mut self, name: &Q)
    where
        K: Borrow<Q> + for<'a> From<&'a Q>,
        Q: Ord + ?Sized,
    {
        if let Some(count) = self.counts.get_mut(name) {
            *count += 1;
        } else if self.counts.len() < MOST {
            self.counts.insert(name.into(), 1);
        } else {
            self.others += 1;
        }
    }
}

impl<K: Ord + Clone> Labels<K> {
    /// How many different names there are, and whether that is all.
    #[must_use]
    pub fn distinct(&self) -> (usize, bool) {
        (self.counts.len(), self.others == 0)
    }

    /// The names that come most often, with their counts; equal ones in their own order.
    #[must_use]
    pub fn most_frequent(&self, at_most: usize) -> Vec<(&K, u64)> {
        let mut all: Vec<_> = self.counts.iter().map(|(name, count)| (name, *count)).collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        all.truncate(at_most);
        all
    }

    /// All names in their own order, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (&K, u64)> {
        self.counts.iter().map(|(name, count)| (name, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_names_come_first_and_equal_ones_in_order() {
        let mut labels = Labels::<Box<str>>::default();
        ["b", "a", "c", "b", "d", "d"].iter().for_each(|name| labels.add(*name));
        let first: Vec<_> =
            labels.most_frequent(3).into_iter().map(|(name, count)| (&**name, count)).collect();
        assert_eq!(first, [("b", 2), ("d", 2), ("a", 1)]);
        assert_eq!(labels.distinct(), (4, true));
    }

    #[test]
    fn names_beyond_ten_thousand_are_counted_but_not_kept() {
        let mut labels = Labels::<Box<str>>::default();
        (0..10_500).for_each(|n| labels.add(n.to_string().as_str()));
        assert_eq!((labels.distinct(), labels.others), ((10_000, false), 500));
    }
}
