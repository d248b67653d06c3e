//! A heap of events by key, with four children per entry: the pending events that come next.
//!
//! The keys lie apart from the events, and the keys of four siblings share one cache line, so that one step down costs
//! one line of keys. Removing the first entry leaves its place vacant until the next call: an event mostly causes
//! another one soon after, and that one then takes the vacant place and stops near the top, instead of travelling
//! through the whole heap twice.

use super::queue::Key;

/// Entries that have the same parent.
const SIBLINGS: usize = 4;
/// Where the first entry lies. With 3, the children of `at` fill exactly the row `at - 2`.
const ROOT: usize = 3;

/// The keys of four siblings: one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Row([Key; SIBLINGS]);

/// Entries by ascending key.
#[derive(Clone, Debug)]
pub(super) struct Heap<E> {
    /// `keys[i][j]` and `events[i][j]` belong together. Slots behind the last entry hold [`Key::NONE`].
    keys: Vec<Row>,
    events: Vec<[E; SIBLINGS]>,
    /// The first slot behind the last entry.
    end: usize,
    /// Whether the entry at `ROOT` is gone and its place not yet filled.
    vacant: bool,
}

impl<E: Copy> Heap<E> {
    pub(super) const fn new() -> Self {
        Self { keys: Vec::new(), events: Vec::new(), end: ROOT, vacant: false }
    }

    #[inline]
    pub(super) fn push(&mut self, key: Key, event: E) {
        if std::mem::take(&mut self.vacant) {
            self.sift_down(key, event);
        } else {
            self.append(key, event);
        }
    }

    /// The first entry, left where it is.
    #[inline]
    pub(super) fn first(&mut self) -> Option<(Key, E)> {
        self.fill_vacancy();
        (self.end > ROOT).then(|| (self.keys[0].0[ROOT], self.events[0][ROOT]))
    }

    #[inline]
    pub(super) fn remove_first(&mut self) {
        self.fill_vacancy();
        self.vacant = self.end > ROOT;
    }

    /// Keeps the entries that `keep` wants.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(Key, E) -> bool) {
        self.fill_vacancy();
        let end = std::mem::replace(&mut self.end, ROOT);
        for at in ROOT..end {
            let (key, event) = (self.key(at), self.event(at));
            self.set_key(at, Key::NONE);
            if keep(key, event) {
                self.append(key, event);
            }
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.end - ROOT - usize::from(self.vacant)
    }

    /// Puts the last entry into the vacant first place, if it is vacant.
    #[inline]
    fn fill_vacancy(&mut self) {
        if !std::mem::take(&mut self.vacant) {
            return;
        }
        self.end -= 1;
        let (key, event) = (self.key(self.end), self.event(self.end));
        self.set_key(self.end, Key::NONE);
        if self.end > ROOT {
            self.sift_down(key, event);
        }
    }

    /// Adds an entry at the end and moves it up to where it belongs.
    #[inline]
    fn append(&mut self, key: Key, event: E) {
        if self.end / SIBLINGS == self.keys.len() {
            self.keys.push(Row([Key::NONE; SIBLINGS]));
            self.events.push([event; SIBLINGS]);
        }
        let mut at = self.end;
        self.end += 1;
        while at > ROOT {
            let parent = at / SIBLINGS + 2;
            let above = self.key(parent);
            if above < key {
                break;
            }
            self.set(at, above, self.event(parent));
            at = parent;
        }
        self.set(at, key, event);
    }

    /// Puts an entry into the free first place and moves it down to where it belongs.
    #[inline]
    fn sift_down(&mut self, key: Key, event: E) {
        let mut at = ROOT;
        while let Some(row) = self.keys.get(at - 2) {
            let child = first_of(&row.0);
            let below = row.0[child];
            if key < below {
                break;
            }
            let event_below = self.events[at - 2][child];
            self.set(at, below, event_below);
            at = (at - 2) * SIBLINGS + child;
        }
        self.set(at, key, event);
    }

    #[inline]
    fn key(&self, at: usize) -> Key {
        self.keys[at / SIBLINGS].0[at % SIBLINGS]
    }

    #[inline]
    fn event(&self, at: usize) -> E {
        self.events[at / SIBLINGS][at % SIBLINGS]
    }

    #[inline]
    fn set(&mut self, at: usize, key: Key, event: E) {
        self.set_key(at, key);
        self.events[at / SIBLINGS][at % SIBLINGS] = event;
    }

    #[inline]
    fn set_key(&mut self, at: usize, key: Key) {
        self.keys[at / SIBLINGS].0[at % SIBLINGS] = key;
    }
}

/// Which of four keys is the smallest. Two rounds of comparisons whose results are numbers, not jumps: which child is
/// the smallest is a coin toss, and a wrongly predicted jump costs more than the comparison.
#[inline]
fn first_of(keys: &[Key; SIBLINGS]) -> usize {
    let left = usize::from(keys[1] < keys[0]);
    let right = 2 + usize::from(keys[3] < keys[2]);
    std::hint::select_unpredictable(keys[right] < keys[left], right, left)
}
