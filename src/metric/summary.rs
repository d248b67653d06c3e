//! One run in a few figures.

use mesos::{resource::ResourceName, time::Span};

use super::{FinalState, JobRow, OfferCounts, RunMetrics, timeline::KINDS};

/// Mean and quantiles of a sample; `None` throughout if it is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quantiles {
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Median and further quantiles by nearest rank.
    pub p50: Option<f64>,
    /// See `p50`.
    pub p90: Option<f64>,
    /// See `p50`.
    pub p99: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
}

impl Quantiles {
    /// Of these values, in any order.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        let [p50, p90, p99, max] = [0.5, 0.9, 0.99, 1.0].map(|q| quantile(&values, q));
        Self { mean, p50, p90, p99, max }
    }
}

/// The quantile by nearest rank: the ceil(q n)-th of the sorted values. `None` if there are none.
#[must_use]
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

/// One run in a few figures. Times in seconds.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Jobs that arrived.
    pub jobs: usize,
    /// Jobs of which all tasks finished.
    pub finished: usize,
    /// Jobs that ended without success.
    pub failed: usize,
    /// Jobs that started and are not over.
    pub unfinished: usize,
    /// Jobs that could have been started and were not.
    pub never_placed: usize,
    /// Jobs that fit no machine.
    pub rejected: usize,
    /// Over jobs that started.
    pub waiting: Quantiles,
    /// Over jobs that ended.
    pub turnaround: Quantiles,
    /// Over jobs that ended.
    pub bounded_slowdown: Quantiles,
    /// Of bounded slowdown.
    pub tau: Span,
    /// From the first arrival to the last end.
    pub makespan: Option<f64>,
    /// Share of capacity that was offered, allocated and used, per resource that the cluster has: from the first arrival to
    /// the last end, or to the end of the run if jobs are not over.
    pub shares: Vec<(ResourceName, [f64; 3])>,
    /// Over all frameworks.
    pub offers: OfferCounts,
}

impl Summary {
    pub(super) fn of(metrics: &RunMetrics, tau: Span) -> Self {
        let jobs = metrics.jobs().all();
        let count = |state| jobs.iter().filter(|job| job.final_state() == state).count();
        let over =
            |value: &dyn Fn(&JobRow) -> Option<f64>| Quantiles::of(jobs.iter().filter_map(value).collect());
        let seconds = |span: Span| span.as_secs_f64();
        let first = jobs.iter().map(|job| job.submission).min();
        let last = jobs.iter().filter_map(JobRow::finish_time).max();
        let all_over =
            jobs.iter().all(|job| job.final_state().is_over() || job.final_state() == FinalState::Rejected);
        Self {
            jobs: jobs.len(),
            finished: count(FinalState::Completed),
            failed: count(FinalState::Failed),
            unfinished: count(FinalState::Unfinished),
            never_placed: count(FinalState::NeverPlaced),
            rejected: count(FinalState::Rejected),
            waiting: over(&|job| job.waiting_time().map(seconds)),
            turnaround: over(&|job| job.turnaround_time().map(seconds)),
            bounded_slowdown: over(&|job| job.bounded_slowdown(tau)),
            tau,
            makespan: first.zip(last).map(|(first, last)| last.since(first).as_secs_f64()),
            shares: shares(metrics, all_over),
            offers: (0..metrics.frameworks.len())
                .map(|place| metrics.offers(place))
                .fold(OfferCounts::default(), add),
        }
    }
}

fn shares(metrics: &RunMetrics, all_over: bool) -> Vec<(ResourceName, [f64; 3])> {
    let from = metrics.first_arrival.unwrap_or_default();
    let until = if all_over { metrics.last_end } else { metrics.end };
    let share = |name| KINDS.map(|kind| until.share_since(&from, kind, name));
    metrics.timeline().total().known().map(|(name, _)| (name, share(name))).collect()
}

fn add(a: OfferCounts, b: OfferCounts) -> OfferCounts {
    OfferCounts {
        sent: a.sent + b.sent,
        accepted: a.accepted + b.accepted,
        declined: a.declined + b.declined,
        rescinded: a.rescinded + b.rescinded,
        discarded: a.discarded + b.discarded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_of_the_sample_by_nearest_rank() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.5), Some(5.0));
        assert_eq!(quantile(&values, 0.9), Some(9.0));
        assert_eq!(quantile(&values, 0.99), Some(10.0));
        assert_eq!(quantile(&values, 0.0), Some(1.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
