//! Who held how much of what, over time: exact integrals, and means over bins of equal width.
//!
//! The length of a run is not known beforehand. So bins start narrow, and whenever the run outgrows them each two are
//! made one. Means over bins lose no time: the bins of an amount sum up to its integral.

use mesos::{
    id::{Id, RoleId},
    resource::{ResourceName, ResourceQuantities, Scalar},
    time::{Span, Time},
};

/// What a resource is for a role at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// In an offer that is out.
    Offered,
    /// Held by a task that the master launched and does not know to be over.
    Allocated,
    /// Held by a task that runs on its agent. Traces that say how much a task really used are not there yet, so a running
    /// task counts with all that it asked for.
    Used,
}

/// The kinds, in the order in which bins hold them.
pub(super) const KINDS: [Kind; 3] = [Kind::Offered, Kind::Allocated, Kind::Used];
/// Four resources of each kind, and a count.
const PLACES: usize = 13;
/// The place of a count, in thousandths as all amounts: of tasks that run, and in the track of the capacity, of agents.
const COUNT: usize = 12;

/// Amount-seconds of each kind and resource, in thousandths of a unit times seconds.
type Sums = [f64; PLACES];

/// One amount over a whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gauge {
    /// At the end.
    pub last: f64,
    /// Its integral over time, in units times seconds.
    pub integral: f64,
    /// The largest value.
    pub max: f64,
}

/// Means over one bin, by kind and resource.
#[derive(Clone, Copy, Debug)]
pub struct Bin {
    sums: Sums,
    seconds: f64,
}

impl Bin {
    /// The mean amount, in units.
    #[must_use]
    pub fn mean(&self, kind: Kind, name: ResourceName) -> f64 {
        self.mean_at(place(kind, name))
    }

    /// The mean number of tasks that ran on their agents.
    #[must_use]
    pub fn tasks_running(&self) -> f64 {
        self.mean_at(COUNT)
    }

    fn mean_at(&self, place: usize) -> f64 {
        if self.seconds > 0.0 { self.sums[place] / self.seconds / 1000.0 } else { 0.0 }
    }
}

/// Integrals at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Snapshot {
    held: Sums,
    capacity: Sums,
}

impl Snapshot {
    /// The share of capacity that was of this kind between `earlier` and this moment; 0 if there was no capacity.
    #[must_use]
    pub fn share_since(&self, earlier: &Self, kind: Kind, name: ResourceName) -> f64 {
        let at = place(Kind::Allocated, name);
        let capacity = self.capacity[at] - earlier.capacity[at];
        let held = self.held[place(kind, name)] - earlier.held[place(kind, name)];
        if capacity > 0.0 { held / capacity } else { 0.0 }
    }
}

#[derive(Clone, Debug)]
struct Track {
    now: [i64; PLACES],
    /// The same, as integrals need it.
    rates: Sums,
    max: [i64; PLACES],
    /// Integrals so far, in thousandths times seconds.
    integrals: Sums,
    /// Largest of offered and allocated together, by resource.
    held_max: [i64; 4],
    since: Time,
    bins: Vec<Sums>,
    /// The bin in which `since` lies, and its end; [`Time::ZERO`] if that is to be found out.
    bin: usize,
    bin_end: Time,
    share: Gauge,
}

/// Who held how much of what, over time.
#[derive(Clone, Debug)]
pub struct Timeline {
    most: usize,
    excluded: Vec<ResourceName>,
    width: Span,
    total: ResourceQuantities,
    /// Capacity over time, in the places of `Allocated`.
    capacity: Track,
    roles: Vec<Track>,
    cluster: Track,
    end: Time,
}

const fn place(kind: Kind, name: ResourceName) -> usize {
    kind as usize * 4 + name as usize
}

impl Track {
    fn new() -> Self {
        let ([now, max], [rates, integrals]) = ([[0; PLACES]; 2], [[0.0; PLACES]; 2]);
        let (since, bins, share) = (Time::ZERO, Vec::new(), Gauge::default());
        let (held_max, bin, bin_end) = ([0; 4], 0, Time::ZERO);
        Self { now, rates, max, integrals, held_max, since, bins, bin, bin_end, share }
    }

    /// Books the amounts as they stand from the last change until `now`.
    fn advance(&mut self, now: Time, width: Span) {
        if now <= self.since {
            return;
        }
        let passed = now.since(self.since).as_secs_f64();
        self.share.integral += self.share.last * passed;
        match self.bins.get_mut(self.bin) {
            // Mostly all of it lies in one bin.
            Some(bin) if now <= self.bin_end => {
                for ((integral, sum), rate) in self.integrals.iter_mut().zip(bin).zip(self.rates) {
                    *integral += rate * passed;
                    *sum += rate * passed;
                }
            }
            Some(_) | None => self.advance_over_bins(now, passed, width),
        }
        self.since = now;
    }

    #[inline(never)]
    fn advance_over_bins(&mut self, now: Time, passed: f64, width: Span) {
        for (integral, rate) in self.integrals.iter_mut().zip(self.rates) {
            *integral += rate * passed;
        }
        let (first, last) = (self.since.0 / width.0, (now.0 - 1) / width.0);
        if self.bins.len() <= last as usize {
            self.bins.resize(last as usize + 1, [0.0; PLACES]);
        }
        if self.now != [0; PLACES] {
            for bin in first..=last {
                let from = self.since.max(Time(bin * width.0));
                let until = now.min(Time((bin + 1) * width.0));
                let seconds = until.since(from).as_secs_f64();
                for (sum, rate) in self.bins[bin as usize].iter_mut().zip(self.rates) {
                    *sum += rate * seconds;
                }
            }
        }
        (self.bin, self.bin_end) = (last as usize, Time((last + 1) * width.0));
    }

    fn change(&mut self, kind: Kind, quantities: &ResourceQuantities, sign: i64) {
        if kind == Kind::Used {
            self.change_one(COUNT, sign * 1000); // what is used is used by one task
        }
        for name in ResourceName::ALL {
            let (at, amount) = (place(kind, name), quantities.get(name).0);
            if amount == 0 {
                continue;
            }
            self.change_one(at, sign * amount);
            assert!(self.now[at] >= 0, "{kind:?} {name} fell to {}", Scalar(self.now[at]));
            self.max[at] = self.max[at].max(self.now[at]);
            let held = &mut self.held_max[name as usize];
            *held =
                (*held).max(self.now[place(Kind::Offered, name)] + self.now[place(Kind::Allocated, name)]);
        }
    }

    #[inline]
    fn change_one(&mut self, at: usize, by: i64) {
        self.now[at] += by;
        self.rates[at] = self.now[at] as f64;
    }

    fn note_share(&mut self, total: &ResourceQuantities, excluded: &[ResourceName]) {
        let counts = |name: &ResourceName| total.get(*name).0 > 0 && !excluded.contains(name);
        let share = ResourceName::ALL.into_iter().filter(counts).map(|name| {
            let held = self.now[place(Kind::Offered, name)] + self.now[place(Kind::Allocated, name)];
            held as f64 / total.get(name).0 as f64
        });
        self.share.last = share.fold(0.0, f64::max);
        self.share.max = self.share.max.max(self.share.last);
    }

    fn merge_pairs(&mut self) {
        self.bins = self
            .bins
            .chunks(2)
            .map(|pair| std::array::from_fn(|at| pair.iter().map(|sums| sums[at]).sum()))
            .collect();
        self.bin_end = Time::ZERO;
    }

    fn gauge(&self, at: usize) -> Gauge {
        let integral = self.integrals[at] / 1000.0;
        Gauge { last: Scalar(self.now[at]).as_f64(), integral, max: Scalar(self.max[at]).as_f64() }
    }
}

impl Timeline {
    /// An empty timeline of at most `most` bins; resources in `excluded` do not count in dominant shares.
    #[must_use]
    pub fn new(most: usize, excluded: &[ResourceName]) -> Self {
        assert!(most >= 2, "a timeline needs at least two bins");
        let (width, total) = (Span::from_secs(1), ResourceQuantities::EMPTY);
        let (capacity, cluster) = (Track::new(), Track::new());
        Self {
            most,
            excluded: excluded.to_vec(),
            width,
            total,
            capacity,
            roles: Vec::new(),
            cluster,
            end: Time::ZERO,
        }
    }

    /// The cluster, as the master knows it, grows by one agent.
    pub fn add_total(&mut self, now: Time, quantities: &ResourceQuantities) {
        self.change_total(now, quantities, 1);
        self.total += quantities;
        self.note_shares(now);
    }

    /// The cluster, as the master knows it, shrinks by one agent.
    pub fn sub_total(&mut self, now: Time, quantities: &ResourceQuantities) {
        self.change_total(now, quantities, -1);
        self.total -= quantities;
        self.note_shares(now);
    }

    fn change_total(&mut self, now: Time, quantities: &ResourceQuantities, sign: i64) {
        self.make_room(now);
        self.capacity.advance(now, self.width);
        self.capacity.change(Kind::Allocated, quantities, sign);
        self.capacity.change_one(COUNT, sign * 1000);
    }

    /// Nobody holds anything of this kind any more: whoever kept the books is gone.
    pub fn forget(&mut self, now: Time, kind: Kind) {
        self.make_room(now);
        for track in self.roles.iter_mut().chain([&mut self.cluster]) {
            track.advance(now, self.width);
            for at in ResourceName::ALL.map(|name| place(kind, name)) {
                (track.now[at], track.rates[at]) = (0, 0.0);
            }
            track.note_share(&self.total, &self.excluded);
        }
    }

    fn note_shares(&mut self, now: Time) {
        for track in self.roles.iter_mut().chain([&mut self.cluster]) {
            track.advance(now, self.width);
            track.note_share(&self.total, &self.excluded);
        }
    }

    /// The integrals of the whole cluster until now, for taking differences.
    pub fn snapshot(&mut self, now: Time) -> Snapshot {
        self.make_room(now);
        self.capacity.advance(now, self.width);
        self.cluster.advance(now, self.width);
        Snapshot { held: self.cluster.integrals, capacity: self.capacity.integrals }
    }

    /// A role holds more from now on.
    pub fn add(&mut self, now: Time, role: RoleId, kind: Kind, quantities: &ResourceQuantities) {
        self.change(now, role, kind, quantities, 1);
    }

    /// A role holds less from now on.
    pub fn sub(&mut self, now: Time, role: RoleId, kind: Kind, quantities: &ResourceQuantities) {
        self.change(now, role, kind, quantities, -1);
    }

    /// Books everything until the end of the run.
    pub fn finish(&mut self, now: Time) {
        self.make_room(now);
        self.end = now;
        let width = self.width;
        let tracks = self.roles.iter_mut().chain([&mut self.cluster, &mut self.capacity]);
        tracks.for_each(|track| track.advance(now, width));
    }

    /// The width of all bins.
    #[must_use]
    pub const fn width(&self) -> Span {
        self.width
    }

    /// All resources of the cluster at the end.
    #[must_use]
    pub const fn total(&self) -> &ResourceQuantities {
        &self.total
    }

    /// Start and means of each bin of a role, or of the whole cluster.
    pub fn bins(&self, role: Option<RoleId>) -> impl Iterator<Item = (Time, Bin)> {
        let track = self.track(role);
        (0..self.bin_count()).map(move |bin| self.bin(track, bin))
    }

    /// Start of each bin and the mean capacity in it, in units.
    pub fn capacity_bins(&self, name: ResourceName) -> impl Iterator<Item = f64> {
        (0..self.bin_count())
            .map(move |bin| self.bin(Some(&self.capacity), bin).1.mean(Kind::Allocated, name))
    }

    /// The mean number of agents that were registered with the master, in each bin.
    pub fn agent_bins(&self) -> impl Iterator<Item = f64> {
        (0..self.bin_count()).map(move |bin| self.bin(Some(&self.capacity), bin).1.mean_at(COUNT))
    }

    /// How one amount of the whole cluster went.
    #[must_use]
    pub fn cluster(&self, kind: Kind, name: ResourceName) -> Gauge {
        self.cluster.gauge(place(kind, name))
    }

    /// How offered and allocated together went (Mesos' `offered_or_allocated`).
    #[must_use]
    pub fn offered_or_allocated(&self, name: ResourceName) -> Gauge {
        let [offered, allocated] = [Kind::Offered, Kind::Allocated].map(|kind| self.cluster(kind, name));
        let max = Scalar(self.cluster.held_max[name as usize]).as_f64();
        Gauge { last: offered.last + allocated.last, integral: offered.integral + allocated.integral, max }
    }

    /// How the dominant share of a role went, before its weight divides it.
    #[must_use]
    pub fn dominant_share(&self, role: RoleId) -> Gauge {
        self.track(Some(role)).map_or_else(Gauge::default, |track| track.share)
    }

    fn track(&self, role: Option<RoleId>) -> Option<&Track> {
        role.map_or(Some(&self.cluster), |role| self.roles.get(role.index()))
    }

    fn bin_count(&self) -> usize {
        (self.end.0.div_ceil(self.width.0)) as usize
    }

    fn bin(&self, track: Option<&Track>, bin: usize) -> (Time, Bin) {
        let start = Time(bin as u64 * self.width.0);
        let seconds = self.end.min(start + self.width).since(start).as_secs_f64();
        let sums = track.and_then(|track| track.bins.get(bin)).copied().unwrap_or([0.0; PLACES]);
        (start, Bin { sums, seconds })
    }

    fn change(&mut self, now: Time, role: RoleId, kind: Kind, quantities: &ResourceQuantities, sign: i64) {
        self.make_room(now);
        if self.roles.len() <= role.index() {
            self.roles.resize_with(role.index() + 1, Track::new);
        }
        for track in [&mut self.roles[role.index()], &mut self.cluster] {
            track.advance(now, self.width);
            track.change(kind, quantities, sign);
            if kind != Kind::Used {
                track.note_share(&self.total, &self.excluded);
            }
        }
    }

    /// Widens the bins until `now` lies in one of them.
    fn make_room(&mut self, now: Time) {
        while now.0 >= self.width.0.saturating_mul(self.most as u64) {
            let tracks = self.roles.iter_mut().chain([&mut self.cluster, &mut self.capacity]);
            tracks.for_each(Track::merge_pairs);
            self.width = self.width + self.width;
        }
    }
}

#[cfg(test)]
mod tests {
    use mesos::resource::parse_quantities;
    use proptest::prelude::*;

    use super::*;

    const ROLE: fn() -> RoleId = || RoleId::new(0);

    fn cpus(n: i64) -> ResourceQuantities {
        parse_quantities(&format!("cpus:{n}")).unwrap()
    }

    #[test]
    fn a_bin_holds_the_time_weighted_mean() {
        let mut timeline = Timeline::new(4, &[]);
        timeline.add(Time(500_000_000), ROLE(), Kind::Allocated, &cpus(4));
        timeline.sub(Time(1_250_000_000), ROLE(), Kind::Allocated, &cpus(4));
        timeline.finish(Time::from_secs(2));
        let means: Vec<_> = timeline
            .bins(Some(ROLE()))
            .map(|(_, bin)| bin.mean(Kind::Allocated, ResourceName::Cpus))
            .collect();
        assert_eq!(means, [2.0, 1.0]);
    }

    #[test]
    fn a_bin_holds_the_mean_numbers_of_agents_and_of_running_tasks() {
        let mut timeline = Timeline::new(4, &[]);
        (0..3).for_each(|_| timeline.add_total(Time::ZERO, &cpus(8)));
        timeline.add(Time::ZERO, ROLE(), Kind::Used, &cpus(2));
        timeline.add(Time(500_000_000), ROLE(), Kind::Used, &cpus(4));
        timeline.sub_total(Time::from_secs(1), &cpus(8));
        timeline.sub(Time::from_secs(1), ROLE(), Kind::Used, &cpus(2));
        timeline.finish(Time::from_secs(2));
        assert_eq!(timeline.agent_bins().collect::<Vec<_>>(), [3.0, 2.0]);
        assert_eq!(timeline.bins(None).map(|(_, bin)| bin.tasks_running()).collect::<Vec<_>>(), [1.5, 1.0]);
    }

    proptest! {
        /// However the bins had to be widened, they sum up to the integral of what was held.
        #[test]
        fn bins_sum_up_to_the_integral(spans in prop::collection::vec((0u64..100_000, 0i64..50), 1..40)) {
            let mut timeline = Timeline::new(8, &[]);
            let (mut now, mut integral) = (Time::ZERO, 0.0);
            for (seconds, amount) in spans {
                timeline.add(now, ROLE(), Kind::Used, &cpus(amount));
                now = now + Span::from_secs(seconds);
                timeline.sub(now, ROLE(), Kind::Used, &cpus(amount));
                integral += amount as f64 * seconds as f64;
            }
            timeline.finish(now);
            let gauge = timeline.cluster(Kind::Used, ResourceName::Cpus);
            prop_assert!((gauge.integral - integral).abs() <= integral * 1e-9, "{} {integral}", gauge.integral);
            prop_assert!(timeline.bins(None).count() <= 8);
        }
    }
}
