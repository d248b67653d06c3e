//! Tasks that fail by themselves: a bug, a bad input, too little memory.

use mesos::time::Span;

use super::{
    FaultEntry, Spec,
    fate::{Attempt, Mishap, TaskFault},
};
use crate::engine::{
    law::Law,
    random::{Seed, Stream, unit},
};

/// Attempts fail.
#[derive(Clone, PartialEq, Debug)]
pub struct TaskFailure {
    /// Places of the frameworks in the experiment file whose tasks fail.
    pub frameworks: Vec<usize>,
    /// How likely it is.
    pub chance: Chance,
}

/// How likely an attempt is to fail.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Chance {
    /// So likely, however long it is; at any share of its run time alike.
    PerAttempt(f64),
    /// The longer it runs, the likelier: the mean time to failure.
    PerTime(Span),
}

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "task-failure",
    about: "attempts to run a task fail, with a probability each or at a rate per hour of run time",
    stream: Stream::TaskFailure,
    build: |_| Spec::TaskFailure(TaskFailure { frameworks: vec![0], chance: Chance::PerAttempt(0.1) }),
};

struct Failing {
    spec: TaskFailure,
    seed: Seed,
}

impl TaskFailure {
    pub(super) fn build(self, seed: Seed) -> Box<dyn TaskFault> {
        Box::new(Failing { spec: self, seed })
    }
}

impl TaskFault for Failing {
    fn mishap(&self, attempt: Attempt) -> Option<Mishap> {
        if !self.spec.frameworks.contains(&attempt.framework) {
            return None;
        }
        let mut rng = attempt.seed(self.seed, ENTRY.stream).of(ENTRY.stream, 0);
        match self.spec.chance {
            Chance::PerAttempt(probability) => {
                (unit(&mut rng) < probability).then(|| Mishap::FailsAt(unit(&mut rng)))
            }
            Chance::PerTime(mean) => Some(Mishap::FailsAfter(Law::Exponential { mean }.draw(&mut rng))),
        }
    }
}

#[cfg(test)]
mod tests {
    use mesos::id::{Id, TaskId};

    use super::*;
    use crate::fault::{Part, TaskFate};

    /// The share of attempts that fail and the mean time of failure, of many tasks that run for 100 s.
    fn failures(chance: Chance) -> (f64, f64) {
        const N: usize = 50_000;
        let spec = Spec::TaskFailure(TaskFailure { frameworks: vec![0], chance });
        let Part::OfTasks(fault) = spec.build(Seed(1)) else { panic!("it is asked about tasks") };
        let ends = (0..N).filter_map(|task| {
            let mut fate = TaskFate::GOOD;
            let mishap = fault.mishap(Attempt { framework: 0, task: TaskId::new(task), number: 0 })?;
            fate.add(mishap, crate::fault::CauseId::new(0));
            let (after, cause) = fate.outcome(Span::from_secs(100));
            cause.map(|_| after.as_secs_f64())
        });
        let ends: Vec<f64> = ends.collect();
        (ends.len() as f64 / N as f64, ends.iter().sum::<f64>() / ends.len() as f64)
    }

    #[test]
    fn the_probability_is_that_of_an_attempt_and_the_share_is_uniform() {
        let (share, mean) = failures(Chance::PerAttempt(0.2));
        assert!((share - 0.2).abs() < 0.01, "{share} fail");
        assert!((mean - 50.0).abs() < 1.0, "after {mean} s");
    }

    /// With a mean of 100 s, 1 - 1/e of the tasks fail within 100 s.
    #[test]
    fn a_rate_makes_long_tasks_fail_more_often() {
        let (share, _) = failures(Chance::PerTime(Span::from_secs(100)));
        assert!((share - 0.632_12).abs() < 0.01, "{share} fail");
    }
}
