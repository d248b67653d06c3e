//! When jobs of a framework arrive, for all kinds that bring their own.

use mesos::time::{Span, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    engine::{
        law::Law,
        random::{Seed, Stream},
    },
    experiment::config::{Check, Duration},
};

/// More jobs than anybody wants to list by number.
const MOST_JOBS: u64 = 10_000_000;

/// When jobs arrive: at the times in `at`, or `count` of them, `every` so often or at random with a mean `interarrival`.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// At these times; instead of `count`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Duration>,
    /// So many, all at once unless `every` or `interarrival` is given; instead of `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub count: Option<u64>,
    /// Between two of them, always; the first comes at `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Duration>,
    /// Between two of them on average, exponentially distributed; also between `from` and the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interarrival: Option<Duration>,
    /// When they begin to come. Default: at once.
    #[serde(default)]
    pub from: Duration,
}

impl Arrivals {
    pub(in crate::experiment) fn check(&self, path: &str, check: &mut Check<'_>) {
        check.one_of(path, ("at", !self.at.is_empty()), ("count", self.count.is_some()));
        if let Some(count) = self.count {
            check.at_least_one(&format!("{path}.count"), count);
            check.no_more_than(&format!("{path}.count"), count, MOST_JOBS, "jobs");
        }
        if let (Some(_), Some(_)) = (self.every, self.interarrival) {
            let message =
                format!("`{path}` has both `every` and `interarrival`, and can use only one of them");
            check.wrong(
                &format!("{path}.interarrival"),
                message,
                "the second of two",
                "leave one of them out",
            );
        }
        for (key, is_given) in
            [("every", self.every.is_some()), ("interarrival", self.interarrival.is_some())]
        {
            if is_given && !self.at.is_empty() {
                let message =
                    format!("`{key}` is about jobs that are counted, and these come at given times");
                check.wrong(&format!("{path}.{key}"), message, "beside `at`", "give `count` instead of `at`");
            }
        }
        for (key, time) in
            [("every", self.every), ("interarrival", self.interarrival), ("from", Some(self.from))]
        {
            if let Some(time) = time {
                check.less_than_a_century(&format!("{path}.{key}"), time);
            }
        }
        for (index, &time) in self.at.iter().enumerate() {
            check.less_than_a_century(&format!("{path}.at[{index}]"), time);
        }
    }

    /// The times, ascending; each draw is addressed by the number of its job.
    pub(in crate::experiment) fn times(&self, seed: Seed) -> Vec<Time> {
        let from = Time(self.from.0.0);
        let Some(count) = self.count else {
            let mut times: Vec<Time> = self.at.iter().map(|at| from + at.0).collect();
            times.sort_unstable();
            return times;
        };
        let mut last = from;
        let next = |number: u64| {
            let wait = match (self.every, self.interarrival) {
                (_, Some(mean)) => {
                    Law::Exponential { mean: mean.0 }.draw(&mut seed.of(Stream::Arrival, number))
                }
                (Some(every), None) if number > 0 => every.0,
                (Some(_) | None, None) => Span::ZERO,
            };
            last = last + wait;
            last
        };
        (0..count).map(next).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration(Span::from_secs(seconds))
    }

    #[test]
    fn arrivals_are_listed_regular_or_drawn() {
        let times = |arrivals: &Arrivals| -> Vec<u64> {
            arrivals.times(Seed(1)).into_iter().map(|time| time.0 / 1_000_000_000).collect()
        };
        let listed = Arrivals { at: vec![secs(9), secs(3)], from: secs(1), ..Arrivals::default() };
        assert_eq!(times(&listed), [4, 10]);
        let regular = Arrivals { count: Some(3), every: Some(secs(7)), from: secs(5), ..Arrivals::default() };
        assert_eq!(times(&regular), [5, 12, 19]);
        let at_once = Arrivals { count: Some(2), ..Arrivals::default() };
        assert_eq!(times(&at_once), [0, 0]);
        let drawn = Arrivals { count: Some(20_000), interarrival: Some(secs(10)), ..Arrivals::default() };
        let mean = *times(&drawn).last().unwrap() as f64 / 20_000.0;
        assert!((mean - 10.0).abs() < 0.3, "mean time between arrivals {mean}");
        assert_ne!(drawn.times(Seed(1)), drawn.times(Seed(2)));
    }
}
