//! What becomes of one attempt to run a task: asked when it starts, the same whenever it is asked.

use mesos::{
    id::{Id, TaskId},
    time::Span,
};

use super::CauseId;
use crate::engine::random::{Seed, Stream};

/// One attempt to run a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// Place of the framework in the experiment file.
    pub framework: usize,
    /// The task, as its framework numbered it.
    pub task: TaskId,
    /// How often it was tried before.
    pub number: u32,
}

/// What one fault does to an attempt.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Mishap {
    /// It fails when this share of its run time has passed.
    FailsAt(f64),
    /// It fails when it has run for so long, unless it is over by then.
    FailsAfter(Span),
    /// It takes so many times as long.
    Slower(f64),
}

/// Something that goes wrong with tasks.
pub trait TaskFault: Send {
    /// What it does to an attempt; `None`: nothing. Depends on the attempt alone.
    fn mishap(&self, attempt: Attempt) -> Option<Mishap>;
}

/// What becomes of an attempt, all faults together.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TaskFate {
    /// It takes so many times as long as its run time: 1 unless it straggles.
    pub slowdown: f64,
    /// At which share of its (longer) run time it fails, and why.
    pub fails_at: Option<(f64, CauseId)>,
    /// After which time it fails, and why.
    pub fails_after: Option<(Span, CauseId)>,
}

impl TaskFate {
    /// Nothing goes wrong.
    pub const GOOD: Self = Self { slowdown: 1.0, fails_at: None, fails_after: None };

    /// How long the attempt at a task of this run time lasts, and why it fails, if it does.
    #[must_use]
    pub fn outcome(&self, runtime: Span) -> (Span, Option<CauseId>) {
        let runtime = times(runtime, self.slowdown);
        let share = self.fails_at.map(|(share, cause)| (times(runtime, share), cause));
        let after = self.fails_after.filter(|(after, _)| *after < runtime);
        match share.into_iter().chain(after).min_by_key(|(after, _)| *after) {
            Some((after, cause)) => (after, Some(cause)),
            None => (runtime, None),
        }
    }

    pub(super) fn add(&mut self, mishap: Mishap, cause: CauseId) {
        match mishap {
            Mishap::Slower(factor) => self.slowdown *= factor,
            Mishap::FailsAt(share) if self.fails_at.is_none_or(|(other, _)| share < other) => {
                self.fails_at = Some((share, cause));
            }
            Mishap::FailsAfter(after) if self.fails_after.is_none_or(|(other, _)| after < other) => {
                self.fails_after = Some((after, cause));
            }
            Mishap::FailsAt(_) | Mishap::FailsAfter(_) => {}
        }
    }
}

impl Attempt {
    /// The seed of what a fault draws for this attempt.
    pub(super) fn seed(self, fault: Seed, stream: Stream) -> Seed {
        let of_task = fault.child(stream, (self.framework as u64) << 32 | self.task.index() as u64);
        of_task.child(stream, self.number.into())
    }
}

/// Whole runs stay exact.
fn times(span: Span, factor: f64) -> Span {
    if factor == 1.0 { span } else { Span((span.0 as f64 * factor).round() as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_mishaps_counts() {
        let [first, second] = [0, 1].map(CauseId::new);
        let mut fate = TaskFate::GOOD;
        assert_eq!(fate.outcome(Span::from_secs(10)), (Span::from_secs(10), None));
        fate.add(Mishap::Slower(2.0), first);
        assert_eq!(fate.outcome(Span::from_secs(10)), (Span::from_secs(20), None));
        fate.add(Mishap::FailsAt(0.5), first);
        fate.add(Mishap::FailsAt(0.75), second);
        assert_eq!(fate.outcome(Span::from_secs(10)), (Span::from_secs(10), Some(first)));
        fate.add(Mishap::FailsAfter(Span::from_secs(4)), second);
        assert_eq!(fate.outcome(Span::from_secs(10)), (Span::from_secs(4), Some(second)));
        assert_eq!(fate.outcome(Span::from_secs(1)), (Span::from_secs(1), Some(first)));
    }
}
