//! Images: what containers are made from, how they get onto a machine, and which stay there.
//!
//! As Mesos' fetcher and its Docker store do it: an image is pulled once for all that wait for it, is there for whoever
//! comes later, and goes when room is needed and nobody uses it. Pulls that run at the same time share the machine's
//! bandwidth equally.

use std::collections::BTreeMap;

use mesos::{
    id,
    id::{IdVec, Interner},
    time::{Span, Time},
};
use smallvec::SmallVec;

use super::running::Slot;

id!(/// An image, in the order in which it was added to the catalogue.
    ImageId);

const NANOS: f64 = 1e9;

/// The catalogue: all images that there are, and their sizes.
#[derive(Clone, Debug, Default)]
pub struct Images {
    names: Interner<ImageId>,
    bytes: IdVec<ImageId, u64>,
}

impl Images {
    /// Adds an image. A name that is there already gets the new size.
    pub fn add(&mut self, name: &str, bytes: u64) -> ImageId {
        let image = self.names.intern(name);
        *self.bytes.grow_to(image, || 0) = bytes;
        image
    }

    /// The image with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ImageId> {
        self.names.get(name)
    }

    /// What the image is called.
    #[must_use]
    pub fn name(&self, image: ImageId) -> &str {
        self.names.name(image)
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self, image: ImageId) -> u64 {
        self.bytes[image]
    }
}

/// The containers for which an image is pulled, in the order in which they asked.
pub(super) type Waiting = SmallVec<[Slot; 2]>;

#[derive(Clone, Debug)]
struct Pull {
    image: ImageId,
    bytes: u64,
    /// Bytes to come.
    left: f64,
    waiting: Waiting,
}

#[derive(Clone, Copy, Debug)]
struct Cached {
    bytes: u64,
    /// How many containers are made from it now.
    users: u32,
    /// When it was last taken or left: a count, not a time.
    touched: u64,
}

/// The images of one machine.
#[derive(Clone, Debug)]
pub(super) struct Store {
    bandwidth: Option<u64>,
    capacity: u64,
    cached: BTreeMap<ImageId, Cached>,
    /// Bytes of all cached images.
    held: u64,
    touches: u64,
    pulls: Vec<Pull>,
    /// Up to when `Pull::left` counts.
    settled: Time,
}

impl Store {
    pub(super) fn new(bandwidth: Option<u64>, capacity: u64) -> Self {
        let (cached, pulls) = (BTreeMap::new(), Vec::new());
        Self { bandwidth, capacity, cached, held: 0, touches: 0, pulls, settled: Time::ZERO }
    }

    pub(super) fn has(&self, image: ImageId) -> bool {
        self.cached.contains_key(&image)
    }

    /// A container needs an image. Whether it is there; if not, the container waits for it.
    pub(super) fn take(&mut self, now: Time, image: ImageId, bytes: u64, slot: Slot) -> bool {
        self.touches += 1;
        if let Some(cached) = self.cached.get_mut(&image) {
            (cached.users, cached.touched) = (cached.users + 1, self.touches);
            return true;
        }
        if self.bandwidth.is_none() || bytes == 0 {
            self.keep(image, bytes, 1);
            return true;
        }
        self.settle(now);
        match self.pulls.iter_mut().find(|pull| pull.image == image) {
            Some(pull) => pull.waiting.push(slot),
            None => {
                let waiting = Waiting::from_slice(&[slot]);
                self.pulls.push(Pull { image, bytes, left: bytes as f64, waiting });
            }
        }
        false
    }

    /// A container waits no more. A pull that nobody waits for ends, and what it brought is lost.
    pub(super) fn stop_waiting(&mut self, now: Time, image: ImageId, slot: Slot) {
        self.settle(now);
        for pull in self.pulls.iter_mut().filter(|pull| pull.image == image) {
            pull.waiting.retain(|waiting| *waiting != slot);
        }
        self.pulls.retain(|pull| !pull.waiting.is_empty());
    }

    /// A container that was made from the image is gone.
    pub(super) fn leave(&mut self, image: ImageId) {
        self.touches += 1;
        let cached = self.cached.get_mut(&image).expect("an image stays while a container is made from it");
        (cached.users, cached.touched) = (cached.users - 1, self.touches);
        self.make_room();
    }

    /// When the next pull ends if no other begins.
    pub(super) fn next_arrival(&self) -> Option<Time> {
        self.pulls.iter().map(|pull| self.settled + self.wait(pull)).min()
    }

    /// An image that is there by `now`, and who waited for it.
    pub(super) fn arrive(&mut self, now: Time) -> Option<Waiting> {
        self.settle(now);
        let place = self.pulls.iter().position(|pull| self.wait(pull) == Span::ZERO)?;
        let pull = self.pulls.remove(place);
        self.keep(pull.image, pull.bytes, pull.waiting.len() as u32);
        Some(pull.waiting)
    }

    /// The machine dies: nobody waits for or uses anything; what is on its disk stays there.
    pub(super) fn crash(&mut self) {
        self.pulls.clear();
        self.cached.values_mut().for_each(|cached| cached.users = 0);
        self.make_room();
    }

    fn wait(&self, pull: &Pull) -> Span {
        let bandwidth = self.bandwidth.map_or(f64::INFINITY, |bytes| bytes as f64);
        let nanos = pull.left * self.pulls.len() as f64 / bandwidth * NANOS;
        Span(nanos.round() as u64)
    }

    /// Counts what came since the last change.
    fn settle(&mut self, now: Time) {
        let nanos = now.since(self.settled).0 as f64;
        self.settled = now;
        let bandwidth = self.bandwidth.map_or(0.0, |bytes| bytes as f64);
        let came = nanos / NANOS * bandwidth / self.pulls.len() as f64;
        for pull in &mut self.pulls {
            pull.left = (pull.left - came).max(0.0);
        }
    }

    fn keep(&mut self, image: ImageId, bytes: u64, users: u32) {
        self.cached.insert(image, Cached { bytes, users, touched: self.touches });
        self.held += bytes;
        self.make_room();
    }

    /// Drops images that nobody uses, the least recently used first, until the rest fits. What is in use stays, fit or not.
    fn make_room(&mut self) {
        while self.held > self.capacity {
            let unused = self.cached.iter().filter(|(_, cached)| cached.users == 0);
            let Some((&oldest, _)) = unused.min_by_key(|(_, cached)| cached.touched) else { return };
            self.held -= self.cached.remove(&oldest).map_or(0, |cached| cached.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use mesos::id::Id;

    use super::*;

    const GIB: u64 = 1 << 30;

    /// Takes images of a GiB each, one after the other, and leaves each before it takes the next.
    fn use_in_turn(store: &mut Store, images: &[usize]) {
        for &image in images {
            assert!(store.take(Time::ZERO, ImageId::new(image), GIB, Slot::new(0)));
            store.leave(ImageId::new(image));
        }
    }

    fn held(store: &Store) -> Vec<usize> {
        store.cached.keys().map(|image| image.index()).collect()
    }

    #[test]
    fn the_least_recently_used_image_goes_first() {
        let mut store = Store::new(None, 3 * GIB);
        use_in_turn(&mut store, &[0, 1, 2, 0, 3]);
        assert_eq!(held(&store), [0, 2, 3]);
    }

    #[test]
    fn an_image_in_use_stays_even_when_it_does_not_fit() {
        let mut store = Store::new(None, GIB);
        store.take(Time::ZERO, ImageId::new(0), 2 * GIB, Slot::new(0));
        use_in_turn(&mut store, &[1]);
        assert_eq!(held(&store), [0]);
        store.leave(ImageId::new(0));
        assert_eq!((held(&store), store.held), (vec![], 0));
    }

    #[test]
    fn after_a_crash_nobody_uses_an_image() {
        let mut store = Store::new(None, GIB);
        store.take(Time::ZERO, ImageId::new(0), GIB, Slot::new(0));
        store.crash();
        use_in_turn(&mut store, &[1]);
        assert_eq!(held(&store), [1]);
    }

    #[test]
    fn a_name_has_one_image() {
        let mut images = Images::default();
        let redis = images.add("redis", 5);
        assert_eq!(images.add("redis", 7), redis);
        assert_eq!(
            (images.find("redis"), images.bytes(redis), images.name(redis)),
            (Some(redis), 7, "redis")
        );
        assert_eq!(images.find("nginx"), None);
    }
}
