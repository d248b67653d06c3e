//! One container: how far it is, how fast it goes, and when it will end.

use std::sync::Arc;

use mesos::{
    id,
    resource::Scalar,
    task::TaskKey,
    time::{Span, Time},
};

use super::{
    EndReason, HostOptions, How, Look, Profile, Work,
    cpu::{self, Claim},
};

id!(/// Where a host keeps a container; used again when it is gone.
    Slot);

/// A container's memory limit is never below this many MiB (Mesos' `MIN_MEMORY`).
const MIN_MEMORY: Scalar = Scalar::whole(32);
/// Nor its CPU limit below this (`MIN_CPU_CFS_QUOTA` in each `CPU_CFS_PERIOD`).
const MIN_CPU_LIMIT: Scalar = Scalar(10);

/// A container. While it starts and then does all its work at normal speed, this is all there is to know.
#[derive(Clone, Debug)]
pub(super) struct Container {
    pub(super) key: TaskKey,
    /// How much work it does until it ends, well or not.
    work: Span,
    /// When its program began; [`Time::MAX`] before.
    began: Time,
    /// CPUs that it requests.
    pub(super) cpus: Scalar,
    extra: Option<Box<Extra>>,
}

const _: () = assert!(size_of::<Option<Container>>() == 40, "a million tasks run at once");

/// What else there is to know of a container that has a profile, is revocable, or was ever slowed down.
#[derive(Clone, Debug)]
struct Extra {
    profile: Option<Arc<Profile>>,
    phase: Phase,
    revocable: bool,
    weight: u64,
    /// CPUs that it would keep busy if nothing held it back.
    usage: Scalar,
    /// The same within its limit.
    wanted: Scalar,
    granted: f64,
    /// How it ends when its work is done.
    ending: How,
    /// Nanoseconds of work that were done at `since`.
    done: f64,
    since: Time,
    /// Nanoseconds of work per nanosecond.
    rate: f64,
}

/// Where a container is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Its image is on the way.
    Pulling,
    /// Everything is there, its program does not run yet.
    Starting,
    /// Its program runs.
    Running,
    /// Its program was asked to exit.
    Stopping {
        /// When it was asked first.
        since: Time,
        /// How long after that it is forced.
        grace: Span,
    },
}

impl Container {
    pub(super) fn new(work: Work, options: &HostOptions) -> Self {
        let Work { key, runtime, cpus, .. } = work;
        if work.profile.is_none() && !work.revocable {
            return Self { key, work: runtime, began: Time::MAX, cpus, extra: None };
        }
        let (until, ending) = end_of(&work);
        let extra = Some(Box::new(Extra::new(work, ending, options)));
        Self { key, work: until, began: Time::MAX, cpus, extra }
    }

    pub(super) fn phase(&self) -> Phase {
        match &self.extra {
            Some(extra) => extra.phase,
            None if self.has_begun() => Phase::Running,
            None => Phase::Starting,
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.began != Time::MAX
    }

    pub(super) fn is_revocable(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.revocable)
    }

    pub(super) fn profile(&self) -> Option<&Profile> {
        self.extra.as_ref().and_then(|extra| extra.profile.as_deref())
    }

    /// How it ends when it does so by itself.
    pub(super) fn ending(&self) -> How {
        self.extra.as_ref().map_or(How::Finished, |extra| extra.ending)
    }

    /// The work that it does until then.
    pub(super) const fn work(&self) -> Span {
        self.work
    }

    /// CPUs that it keeps busy if it gets them.
    pub(super) fn wanted(&self) -> Scalar {
        self.extra.as_ref().map_or(self.cpus, |extra| extra.wanted)
    }

    pub(super) fn claim(&self, slot: Slot) -> Claim {
        let weight = self.extra.as_ref().map_or_else(|| cpu::weight(self.cpus, false), |extra| extra.weight);
        Claim::new(slot, weight, self.wanted())
    }

    pub(super) fn wait_for_image(&mut self) {
        self.extra.as_mut().expect("only a profile asks for an image").phase = Phase::Pulling;
    }

    /// Its image is there.
    pub(super) fn prepare(&mut self) {
        self.extra.iter_mut().for_each(|extra| extra.phase = Phase::Starting);
    }

    /// Its program runs, at no speed that was ever set.
    pub(super) fn begin(&mut self, now: Time) {
        self.began = now;
        self.extra.iter_mut().for_each(|extra| (extra.phase, extra.since) = (Phase::Running, now));
    }

    /// It gets so much CPU on a machine of this speed. Whether it ends at another time because of it.
    pub(super) fn grant(&mut self, now: Time, claim: &Claim, machine_speed: f64) -> bool {
        if self.extra.is_none() {
            if claim.met && machine_speed == 1.0 {
                return false;
            }
            self.extra = Some(Box::new(Extra::of_plain(self, claim.weight, now)));
        }
        let work = self.work;
        self.extra.as_mut().is_some_and(|extra| extra.grant(now, work, claim, machine_speed))
    }

    /// Its program is to exit; from now on it does no work.
    pub(super) fn stop(&mut self, now: Time, grace: Span) {
        let work = self.work;
        let extra = self.extra.as_mut().expect("only a profile makes a container slow to stop");
        extra.settle(now, work);
        (extra.rate, extra.phase) = (0.0, Phase::Stopping { since: now, grace });
    }

    /// A second request may only shorten the time that it has.
    pub(super) fn shorten_grace(&mut self, asked: Span) {
        if let Some(Phase::Stopping { grace, .. }) = self.extra.as_mut().map(|extra| &mut extra.phase) {
            *grace = asked.min(*grace);
        }
    }

    /// When it ends if nothing changes.
    pub(super) fn ends_at(&self) -> Time {
        match self.phase() {
            Phase::Pulling | Phase::Starting => Time::MAX,
            Phase::Running => {
                self.extra.as_ref().map_or(self.began + self.work, |extra| extra.done_at(self.work))
            }
            Phase::Stopping { since, grace } => {
                let delay = self.profile().map_or(Span::ZERO, |profile| profile.stop_delay);
                since + delay.min(grace)
            }
        }
    }

    /// How long its program has run.
    pub(super) fn ran(&self, now: Time) -> Span {
        now.since(self.began)
    }

    /// How much work it has done.
    pub(super) fn progress(&self, now: Time) -> Span {
        match &self.extra {
            Some(extra) => Span(extra.done_by(now, self.work) as u64).min(self.work),
            None => self.ran(now).min(self.work),
        }
    }

    pub(super) fn look(&self, now: Time) -> Look {
        let granted = self.extra.as_ref().map_or_else(|| self.cpus.as_f64(), |extra| extra.granted);
        Look {
            began: self.has_begun().then_some(self.began),
            progress: self.progress(now),
            granted: if self.has_begun() { granted } else { 0.0 },
            stopping: matches!(self.phase(), Phase::Stopping { .. }),
        }
    }
}

impl Extra {
    fn new(work: Work, ending: How, options: &HostOptions) -> Self {
        let usage = work.profile.as_ref().and_then(|profile| profile.cpus).unwrap_or(work.cpus);
        let quota = options.enable_cfs.then_some(work.cpus);
        let limit = work.limits.cpus.or(quota).map(|limit| limit.max(MIN_CPU_LIMIT));
        let low_priority = work.revocable && options.revocable_cpu_low_priority;
        Self {
            phase: Phase::Starting,
            revocable: work.revocable,
            weight: cpu::weight(work.cpus, low_priority),
            usage,
            wanted: limit.map_or(usage, |limit| usage.min(limit)),
            granted: 0.0,
            ending,
            done: 0.0,
            since: Time::ZERO,
            rate: 0.0,
            profile: work.profile,
        }
    }

    /// Of a container that ran so far with nothing to say of it.
    fn of_plain(container: &Container, weight: u64, now: Time) -> Self {
        Self {
            profile: None,
            phase: Phase::Running,
            revocable: false,
            weight,
            usage: container.cpus,
            wanted: container.cpus,
            granted: container.cpus.as_f64(),
            ending: How::Finished,
            done: container.ran(now).0 as f64,
            since: now,
            rate: 1.0,
        }
    }

    fn grant(&mut self, now: Time, work: Span, claim: &Claim, machine_speed: f64) -> bool {
        self.granted = claim.granted;
        let full = (claim.met && self.wanted == self.usage) || self.usage <= Scalar::ZERO;
        let share = if full { 1.0 } else { claim.granted / self.usage.as_f64() };
        let rate = share * machine_speed * self.profile.as_ref().map_or(1.0, |profile| profile.speed);
        // What goes on as before is not rounded once more.
        if self.phase != Phase::Running || rate == self.rate {
            return false;
        }
        self.settle(now, work);
        self.rate = rate;
        true
    }

    fn settle(&mut self, now: Time, work: Span) {
        (self.done, self.since) = (self.done_by(now, work), now);
    }

    fn done_by(&self, now: Time, work: Span) -> f64 {
        (self.done + self.rate * now.since(self.since).0 as f64).min(work.0 as f64)
    }

    /// When all of the work is done. Whole nanoseconds are counted exactly at normal speed, however long it runs.
    fn done_at(&self, work: Span) -> Time {
        let part = self.done.fract();
        let left = work.0.saturating_sub(self.done as u64);
        let wait = if self.rate == 1.0 && part == 0.0 {
            left
        } else if self.rate > 0.0 {
            ((left as f64 - part) / self.rate).round() as u64
        } else {
            return Time::MAX;
        };
        self.since + Span(wait)
    }
}

/// After how much work a container ends by itself, and how: at the earliest of its memory limit, its own failure, and
/// its end.
fn end_of(work: &Work) -> (Span, How) {
    let Some(profile) = &work.profile else { return (work.runtime, How::Finished) };
    let limit = work.limits.mem.unwrap_or(work.mem).max(MIN_MEMORY);
    let limit = limit.as_f64();
    let peak = profile.mem_peak.map(|peak| (peak.mem.of(work.mem), peak.at)).filter(|&(mem, _)| mem > limit);
    let over = peak.map(|(mem, at)| at * (limit / mem));
    let ends = [(over, EndReason::MemoryLimit), (profile.fails_at, EndReason::CommandFailed)];
    let ends = ends.into_iter().filter_map(|(at, why)| Some((at?, why)));
    let first = ends.min_by(|(a, _), (b, _)| a.total_cmp(b));
    first.map_or((work.runtime, How::Finished), |(at, why)| (part_of(work.runtime, at), How::Failed(why)))
}

/// A fraction of a length of time, to the nanosecond.
fn part_of(whole: Span, fraction: f64) -> Span {
    assert!((0.0..=1.0).contains(&fraction), "a container comes to {fraction} of its progress only in 0..=1");
    if fraction == 1.0 { whole } else { Span((whole.0 as f64 * fraction).round() as u64) }
}

#[cfg(test)]
mod tests {
    use mesos::id::{FrameworkId, Id, TaskId};

    use super::*;

    fn work(profile: Profile) -> Work {
        Work {
            key: TaskKey { framework: FrameworkId::new(0), task: TaskId::new(0) },
            runtime: Span::from_secs(100),
            cpus: Scalar::whole(1),
            mem: Scalar::whole(100),
            limits: super::super::Limits::default(),
            revocable: false,
            profile: Some(Arc::new(profile)),
        }
    }

    fn peak(mem: i64, at: f64) -> Option<super::super::MemPeak> {
        Some(super::super::MemPeak { mem: super::super::Peak::Mem(Scalar::whole(mem)), at })
    }

    fn end(profile: Profile) -> (u64, How) {
        let (until, how) = end_of(&work(profile));
        (until.0 / 1_000_000_000, how)
    }

    #[test]
    fn a_container_ends_at_the_first_of_its_ends() {
        let (memory, failure) = (How::Failed(EndReason::MemoryLimit), How::Failed(EndReason::CommandFailed));
        assert_eq!(end(Profile { mem_peak: peak(100, 0.5), ..Profile::default() }), (100, How::Finished));
        assert_eq!(end(Profile { mem_peak: peak(200, 0.5), ..Profile::default() }), (25, memory));
        let fails = |at| Profile { mem_peak: peak(200, 0.5), fails_at: Some(at), ..Profile::default() };
        assert_eq!(end(fails(0.2)), (20, failure));
        assert_eq!(end(fails(1.0)), (25, memory));
        assert_eq!(end(Profile { mem_peak: None, ..fails(1.0) }), (100, failure));
    }

    #[test]
    fn no_memory_limit_is_below_32_mib() {
        let small = Profile { mem_peak: peak(32, 1.0), ..Profile::default() };
        assert_eq!(end_of(&Work { mem: Scalar::whole(1), ..work(small) }).1, How::Finished);
    }

    #[test]
    fn what_runs_for_ever_never_ends() {
        let for_ever = Work { runtime: Span::MAX, ..work(Profile::default()) };
        let mut container = Container::new(for_ever, &HostOptions::default());
        let claim = Claim { granted: 1.0, met: true, ..container.claim(Slot::new(0)) };
        container.begin(Time::from_secs(1));
        container.grant(Time::from_secs(1), &claim, 1.0);
        assert_eq!(container.ends_at(), Time::MAX);
        container.grant(Time::from_secs(5), &claim, 0.5);
        assert_eq!(container.ends_at(), Time::MAX);
        assert_eq!(container.progress(Time::from_secs(7)), Span::from_secs(5));
    }
}
