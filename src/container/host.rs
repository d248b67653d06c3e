//! The host: verbs, and what follows from them.
//!
//! A container that behaves costs O(log n) to start and to end, whatever else runs. Only while more CPU is wanted than
//! there is, or when the machine's speed changes, are all containers gone through at each start and end.

use std::sync::Arc;

use mesos::{
    id::IdVec,
    resource::Scalar,
    task::TaskKey,
    time::{Span, Time},
};

use super::{
    Happening, HostOptions, How, ImageId, Images, Look, Work,
    cpu::{self, Claim},
    image::Store,
    oversubscription::{HostView, Revocable},
    running::{Container, Phase, Slot},
    timers::Timers,
};

/// One machine and the containers on it.
///
/// The owner asks [`next_wake`](Self::next_wake) after every verb and calls [`wake`](Self::wake) then, never later: time
/// goes forward from one call to the next.
#[derive(Clone, Debug)]
pub struct Host {
    cpus: Scalar,
    options: Arc<HostOptions>,
    images: Arc<Images>,
    slots: IdVec<Slot, Option<Container>>,
    free: Vec<Slot>,
    timers: Timers,
    /// Its images, once a container has needed one.
    store: Option<Box<Store>>,
    /// How many containers were ever started.
    started: u32,
    /// How fast the machine is; 1 is normal.
    speed: f64,
    /// Whether more CPU is wanted than there is.
    contended: bool,
    /// Requested by containers that are not revocable.
    allocated: Scalar,
    /// Wanted by containers whose program runs: by all, and by those that are not revocable.
    wanted: Scalar,
    wanted_firm: Scalar,
    /// What those that are not revocable get, as long as CPU is short.
    granted_firm: Scalar,
    /// Revocable containers in the order of their start.
    revocable: Vec<Slot>,
    /// Empty between calls.
    claims: Vec<Claim>,
}

impl Host {
    /// A machine with nothing on it.
    #[must_use]
    pub fn new(cpus: Scalar, options: Arc<HostOptions>, images: Arc<Images>) -> Self {
        Self {
            cpus,
            store: None,
            options,
            images,
            slots: IdVec::new(),
            free: Vec::new(),
            timers: Timers::default(),
            started: 0,
            speed: 1.0,
            contended: false,
            allocated: Scalar::ZERO,
            wanted: Scalar::ZERO,
            wanted_firm: Scalar::ZERO,
            granted_firm: Scalar::ZERO,
            revocable: Vec::new(),
            claims: Vec::new(),
        }
    }

    /// Makes a container and runs it. It may begin at once; it ends in a later [`wake`](Self::wake) at the earliest.
    ///
    /// There must be no container for this task.
    pub fn start(&mut self, now: Time, work: Work, out: &mut Vec<Happening>) {
        self.assert_awake(now);
        let (key, image) = (work.key, work.profile.as_ref().and_then(|profile| profile.image));
        debug_assert!(self.slot_of(key).is_none(), "{key:?} has a container");
        let slot = self.insert(Container::new(work, &self.options));
        let is_there = image.is_none_or(|image| {
            let bytes = self.images.bytes(image);
            self.store().take(now, image, bytes, slot)
        });
        if is_there {
            self.prepare(now, slot, out);
        } else {
            self.container(slot).wait_for_image();
        }
    }

    /// Asks a container to stop, and forces it to when `grace` is over. Asked again, the total grace, counted from the
    /// first time, can only become shorter. One whose program does not run yet is gone at once. `false` if it is not there.
    pub fn kill(&mut self, now: Time, key: TaskKey, grace: Span, out: &mut Vec<Happening>) -> bool {
        self.assert_awake(now);
        let Some(slot) = self.slot_of(key) else { return false };
        let container = self.container(slot);
        match container.phase() {
            Phase::Pulling | Phase::Starting => self.end(now, slot, How::Killed, out),
            Phase::Running => {
                let delay = container.profile().map_or(Span::ZERO, |profile| profile.stop_delay);
                if delay.min(grace) == Span::ZERO {
                    self.end(now, slot, How::Killed, out);
                } else {
                    container.stop(now, grace);
                    self.wait_for_end(slot);
                }
            }
            Phase::Stopping { .. } => {
                container.shorten_grace(grace);
                if container.ends_at() <= now {
                    self.end(now, slot, How::Killed, out);
                } else {
                    self.wait_for_end(slot);
                }
            }
        }
        true
    }

    /// Ends a container at once. `false` if it is not there.
    pub fn destroy(&mut self, now: Time, key: TaskKey, out: &mut Vec<Happening>) -> bool {
        self.force(now, key, How::Killed, out)
    }

    /// Ends a container at once because its resources are wanted by others (a QoS correction). `false` if it is not there.
    pub fn evict(&mut self, now: Time, key: TaskKey, out: &mut Vec<Happening>) -> bool {
        self.force(now, key, How::Evicted, out)
    }

    /// The machine dies, and all containers with it, in the order of their start. The images on its disk stay.
    pub fn crash(&mut self, now: Time, out: &mut Vec<Happening>) {
        self.assert_awake(now);
        let mut slots: Vec<_> = self.slots.ids().filter(|&slot| self.slots[slot].is_some()).collect();
        slots.sort_unstable_by_key(|&slot| self.timers.order(slot));
        for slot in slots {
            let container = self.slots[slot].take().expect("only those that are there were taken");
            let (ran, progress) = (container.ran(now), container.progress(now));
            out.push(Happening::Ended {
                key: container.key,
                how: How::Lost,
                began: container.has_begun(),
                ran,
                progress,
            });
        }
        self.store.iter_mut().for_each(|store| store.crash());
        let (cpus, options, images) = (self.cpus, self.options.clone(), self.images.clone());
        let (store, none) = (self.store.take(), Self::new(cpus, options, images));
        *self = Self { store, speed: self.speed, started: self.started, ..none };
    }

    /// The machine becomes slower or faster: 1 is normal, 0 stands still. Starting and pulling are not affected.
    pub fn set_rate(&mut self, now: Time, factor: f64) {
        self.assert_awake(now);
        assert!((0.0..f64::INFINITY).contains(&factor), "a machine cannot run at {factor} times its speed");
        self.speed = factor;
        self.share_out(now);
    }

    /// When something happens next; `None`: not before the next verb.
    #[must_use]
    pub fn next_wake(&self) -> Option<Time> {
        let due = self.timers.first().map(|(at, _)| at);
        Time::earliest([due, self.next_arrival()])
    }

    /// All that happens until `now`: containers that are due together in the order of their start.
    pub fn wake(&mut self, now: Time, out: &mut Vec<Happening>) {
        while let Some(at) = self.next_wake().filter(|&at| at <= now) {
            if self.next_arrival() == Some(at) {
                self.arrive(at, out);
            } else if let Some((_, slot)) = self.timers.first() {
                self.due(at, slot, out);
            }
        }
    }

    /// How many containers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tasks whose containers are here, by ascending key.
    #[must_use]
    pub fn keys(&self) -> Vec<TaskKey> {
        let mut keys: Vec<_> = self.slots.iter().filter_map(|(_, slot)| Some(slot.as_ref()?.key)).collect();
        keys.sort_unstable();
        keys
    }

    /// Whether an image is on this machine, complete.
    #[must_use]
    pub fn has_image(&self, image: ImageId) -> bool {
        self.store.as_ref().is_some_and(|store| store.has(image))
    }

    /// How a container fares, if it is there.
    #[must_use]
    pub fn look(&self, now: Time, key: TaskKey) -> Option<Look> {
        let slot = self.slot_of(key)?;
        self.slots[slot].as_ref().map(|container| container.look(now))
    }

    /// CPUs that all running containers would use within their limits.
    #[must_use]
    pub const fn wanted(&self) -> Scalar {
        self.wanted
    }

    /// Whether there is a container on revocable CPUs.
    #[must_use]
    pub const fn has_revocable(&self) -> bool {
        !self.revocable.is_empty()
    }

    /// What resource estimators and QoS controllers may see.
    #[must_use]
    pub fn view(&self) -> HostView {
        let containers = self.revocable.iter().filter_map(|&slot| self.slots[slot].as_ref());
        let revocable = containers.map(|container| Revocable {
            key: container.key,
            allocated: container.cpus,
            wanted: if container.has_begun() { container.wanted() } else { Scalar::ZERO },
        });
        HostView {
            cpus: self.cpus,
            allocated: self.allocated,
            used: if self.contended { self.granted_firm } else { self.wanted_firm },
            wanted: self.wanted,
            revocable: revocable.collect(),
        }
    }

    fn assert_awake(&self, now: Time) {
        let next = self.next_wake();
        assert!(next.is_none_or(|at| at >= now), "it is {now:?}, and the host was to be woken at {next:?}");
    }

    fn container(&mut self, slot: Slot) -> &mut Container {
        self.slots[slot].as_mut().unwrap_or_else(|| panic!("there is no container in {slot:?}"))
    }

    fn insert(&mut self, container: Container) -> Slot {
        let (cpus, revocable) = (container.cpus, container.is_revocable());
        let slot = self.free.pop().unwrap_or_else(|| self.slots.push(None));
        self.slots[slot] = Some(container);
        self.timers.insert(slot, self.started, Time::MAX);
        self.started = self.started.checked_add(1).expect("no machine starts 2^32 containers");
        if revocable {
            self.revocable.push(slot);
        } else {
            self.allocated = self.allocated + cpus;
        }
        slot
    }

    fn wait_for_end(&mut self, slot: Slot) {
        let at = self.container(slot).ends_at();
        self.timers.set(slot, at);
    }

    /// An image has arrived: whoever waited for it goes on.
    fn arrive(&mut self, now: Time, out: &mut Vec<Happening>) {
        for slot in self.store().arrive(now).into_iter().flatten() {
            self.container(slot).prepare();
            self.prepare(now, slot, out);
        }
    }

    /// The image is there; the program runs after the start-up delay.
    fn prepare(&mut self, now: Time, slot: Slot, out: &mut Vec<Happening>) {
        match self.options.startup_delay {
            Span::ZERO => self.begin(now, slot, out),
            delay => self.timers.set(slot, now + delay),
        }
    }

    fn due(&mut self, now: Time, slot: Slot, out: &mut Vec<Happening>) {
        let container = self.container(slot);
        match container.phase() {
            Phase::Pulling => unreachable!("{slot:?} waits for an image, not for a time"),
            Phase::Starting => self.begin(now, slot, out),
            Phase::Running => {
                let how = container.ending();
                self.end(now, slot, how, out);
            }
            Phase::Stopping { .. } => self.end(now, slot, How::Killed, out),
        }
    }

    fn begin(&mut self, now: Time, slot: Slot, out: &mut Vec<Happening>) {
        let speed = self.speed;
        let container = self.container(slot);
        container.begin(now);
        let wanted = container.wanted();
        let all = Claim { granted: wanted.as_f64(), met: true, ..container.claim(slot) };
        container.grant(now, &all, speed);
        let (key, revocable) = (container.key, container.is_revocable());
        out.push(Happening::Started { key });
        self.wait_for_end(slot);
        self.wanted = self.wanted + wanted;
        self.wanted_firm = self.wanted_firm + if revocable { Scalar::ZERO } else { wanted };
        self.wishes_changed(now);
    }

    /// Where a container is. It is looked for: most containers end by themselves, and nobody asks for them.
    fn slot_of(&self, key: TaskKey) -> Option<Slot> {
        let is_it = |container: &Option<Container>| container.as_ref().is_some_and(|of| of.key == key);
        self.slots.iter().find(|(_, container)| is_it(container)).map(|(slot, _)| slot)
    }

    fn force(&mut self, now: Time, key: TaskKey, how: How, out: &mut Vec<Happening>) -> bool {
        self.assert_awake(now);
        let slot = self.slot_of(key);
        slot.into_iter().for_each(|slot| self.end(now, slot, how, out));
        slot.is_some()
    }

    /// Takes a container away. Only here does one end, but for a crash.
    fn end(&mut self, now: Time, slot: Slot, how: How, out: &mut Vec<Happening>) {
        let container =
            self.slots[slot].take().unwrap_or_else(|| panic!("there is no container in {slot:?}"));
        self.timers.remove(slot);
        self.free.push(slot);
        self.leave_image(now, slot, &container);
        let progress = match how {
            // To the nanosecond, whatever was rounded on the way.
            How::Finished | How::Failed(_) => container.work(),
            How::Killed | How::Evicted | How::Lost => container.progress(now),
        };
        let (began, ran) = (container.has_begun(), container.ran(now));
        out.push(Happening::Ended { key: container.key, how, began, ran, progress });
        self.take_back(now, slot, &container);
    }

    fn leave_image(&mut self, now: Time, slot: Slot, container: &Container) {
        let Some(image) = container.profile().and_then(|profile| profile.image) else { return };
        match container.phase() {
            Phase::Pulling => self.store().stop_waiting(now, image, slot),
            Phase::Starting | Phase::Running | Phase::Stopping { .. } => self.store().leave(image),
        }
    }

    fn store(&mut self) -> &mut Store {
        let options = &self.options;
        self.store.get_or_insert_with(|| Box::new(Store::new(options.image_bandwidth, options.image_cache)))
    }

    fn next_arrival(&self) -> Option<Time> {
        self.store.as_ref()?.next_arrival()
    }

    fn take_back(&mut self, now: Time, slot: Slot, container: &Container) {
        let wanted = if container.has_begun() { container.wanted() } else { Scalar::ZERO };
        if container.is_revocable() {
            self.revocable.retain(|&revocable| revocable != slot);
        } else {
            self.allocated = self.allocated - container.cpus;
            self.wanted_firm = self.wanted_firm - wanted;
        }
        self.wanted = self.wanted - wanted;
        self.wishes_changed(now);
    }

    /// While there is enough for all, nobody's speed depends on the others.
    fn wishes_changed(&mut self, now: Time) {
        let was_contended = std::mem::replace(&mut self.contended, self.wanted > self.cpus);
        if was_contended || self.contended {
            self.share_out(now);
        }
    }

    /// Gives all running containers their CPUs, and with them their speed, anew.
    fn share_out(&mut self, now: Time) {
        let mut claims = std::mem::take(&mut self.claims);
        let there = self.slots.iter().filter_map(|(slot, container)| Some((slot, container.as_ref()?)));
        let running = there.filter(|(_, container)| container.has_begun());
        claims.extend(running.map(|(slot, container)| container.claim(slot)));
        cpu::share(self.cpus, &mut claims);
        let (mut granted_firm, speed) = (0.0, self.speed);
        for claim in &claims {
            let container = self.container(claim.slot);
            let ends_elsewhen = container.grant(now, claim, speed);
            granted_firm += if container.is_revocable() { 0.0 } else { claim.granted };
            if ends_elsewhen {
                self.wait_for_end(claim.slot);
            }
        }
        self.granted_firm = Scalar::from_f64(granted_firm).expect("no more is granted than the machine has");
        claims.clear();
        self.claims = claims;
    }
}
