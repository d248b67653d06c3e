//! Empirical distribution functions of waiting and turnaround time. The denominator is every submitted job, so that a
//! curve ends below 100 % by the share of jobs that have no such time: jobs cannot vanish by never starting.

use super::canvas::{Canvas, GRID, Pen, draw, line_colour};
use super::frame::{Entry, Frame, Mark};
use super::scale::{LogScale, share_axis};
use super::{Figure, seeds_in_words};
use crate::report::error::ReportError;
use crate::report::load::{Jobs, Results};
use crate::report::units::percent;

/// The distribution of one measure under one policy, seeds pooled.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Distribution {
    /// The durations that exist, in seconds, ascending.
    durations: Vec<f64>,
    /// All jobs that were submitted.
    jobs: u64,
}

impl Distribution {
    /// Pools a measure over several runs' jobs.
    pub(super) fn of<'a>(runs: impl Iterator<Item = &'a Jobs>, measure: fn(&Jobs) -> &[f64]) -> Distribution {
        let (mut durations, mut jobs) = (Vec::new(), 0);
        for run in runs {
            durations.extend_from_slice(measure(run));
            jobs += run.counts.total;
        }
        durations.sort_by(f64::total_cmp);
        Distribution { durations, jobs }
    }

    /// The share of all jobs whose duration exists and is at most `duration`.
    pub(super) fn at_most(&self, duration: f64) -> f64 {
        self.share(self.durations.partition_point(|&have| have <= duration))
    }

    /// The share of all jobs whose duration is less than `duration`.
    fn less_than(&self, duration: f64) -> f64 {
        self.share(self.durations.partition_point(|&have| have < duration))
    }

    /// Where the curve ends: the share of all jobs whose duration exists.
    pub(super) fn end(&self) -> f64 {
        self.share(self.durations.len())
    }

    fn share(&self, jobs: usize) -> f64 {
        if self.jobs == 0 { 0.0 } else { jobs as f64 / self.jobs as f64 }
    }
}

/// What a figure is of.
pub(super) struct Measure {
    pub(super) file: &'static str,
    pub(super) name: &'static str,
    /// What the share on the y axis is of, for the title.
    pub(super) jobs: &'static str,
    /// What jobs that have no such time did not do.
    pub(super) without: &'static str,
    pub(super) of: fn(&Jobs) -> &[f64],
}

/// The measures that have a figure.
pub(super) const MEASURES: [Measure; 2] = [
    Measure {
        file: "waiting-time.svg",
        name: "Waiting time",
        jobs: "share of jobs that waited at most so long",
        without: "start",
        of: |jobs| &jobs.waiting,
    },
    Measure {
        file: "turnaround-time.svg",
        name: "Turnaround time",
        jobs: "share of jobs that took at most so long",
        without: "finish",
        of: |jobs| &jobs.turnaround,
    },
];

/// Draws the figure of a measure.
pub(super) fn figure(results: &Results, measure: &Measure) -> Result<Figure, ReportError> {
    let pooled =
        |policy: &String| Distribution::of(results.of(policy).iter().map(|run| &run.jobs), measure.of);
    let curves: Vec<Distribution> = results.policies.iter().map(pooled).collect();
    let scale = LogScale::of(measure.name, curves.iter().flat_map(|curve| curve.durations.iter().copied()));
    let title = format!("{}: {}", measure.name, measure.jobs);
    let svg = draw(&title, |canvas| paint(canvas, &title, &results.policies, &curves, &scale))?;
    let caption = caption(results, measure, &curves, &scale);
    Ok(Figure { file: measure.file.to_owned(), title, caption, svg })
}

fn paint(
    canvas: &mut Canvas<'_>,
    title: &str,
    policies: &[String],
    curves: &[Distribution],
    scale: &LogScale,
) {
    let entry = |(n, policy): (usize, &String)| Entry {
        label: policy.clone(),
        mark: Mark::Line(line_colour(n), Pen::Series(n)),
    };
    let legend: Vec<Entry> = policies.iter().enumerate().map(entry).collect();
    let frame = Frame::draw(canvas, title, &legend, &scale.axis, &share_axis("Share of submitted jobs", 1.0));
    // The scale breaks between the place for zero and the smallest tick.
    let smallest = frame.px(scale.at(scale.smallest));
    canvas.line(vec![(smallest, frame.py(0.0)), (smallest, frame.py(1.0))], GRID, 1.0, Pen::Hair);
    for (n, curve) in curves.iter().enumerate() {
        canvas.line(curve_points(&frame, curve, scale), line_colour(n), 1.0, Pen::Series(n));
    }
}

/// The curve as steps, one for each place on the sheet: more could not be seen.
fn curve_points(frame: &Frame, curve: &Distribution, scale: &LogScale) -> Vec<(i32, i32)> {
    let (left, right) = (frame.px(scale.at(0.0)), frame.px(scale.axis.ends.1));
    let start = frame.px(scale.at(scale.smallest));
    let at_zero = if scale.lumped { curve.less_than(scale.smallest) } else { curve.at_most(0.0) };
    let mut points = vec![(left, frame.py(0.0)), (left, frame.py(at_zero)), (start, frame.py(at_zero))];
    let (from, to) = (scale.smallest.log10(), scale.axis.ends.1);
    for x in start..=right {
        let place = f64::from(x - start) / f64::from(right - start);
        let reach = 10f64.powf(from + (to - from) * place) * (1.0 + 1e-9);
        let y = frame.py(curve.at_most(reach));
        let before = points[points.len() - 1].1;
        if y != before {
            points.extend([(x, before), (x, y)]);
        }
    }
    points.push((right, points[points.len() - 1].1));
    points
}

fn caption(results: &Results, measure: &Measure, curves: &[Distribution], scale: &LogScale) -> String {
    let of_policy = |(policy, curve): (&String, &Distribution)| {
        let lumped = if scale.lumped {
            format!(
                ", {} less than the smallest tick",
                percent(curve.less_than(scale.smallest) - curve.at_most(0.0))
            )
        } else {
            String::new()
        };
        format!(
            "{policy}: {} exactly zero{lumped}; {} of the jobs did not {}",
            percent(curve.at_most(0.0)),
            percent(1.0 - curve.end()),
            measure.without
        )
    };
    let facts: Vec<String> = results.policies.iter().zip(curves).map(of_policy).collect();
    format!(
        "Empirical distribution function over all submitted jobs{}: a curve ends below 100 % by the share of jobs that \
         did not {}. {}.",
        seeds_in_words(results, ", seeds pooled"),
        measure.without,
        facts.join(". ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::load::JobCounts;

    #[test]
    fn a_curve_ends_at_one_minus_the_share_of_jobs_that_never_started() {
        let counts = JobCounts { total: 8, ..JobCounts::default() };
        let jobs = Jobs { counts, waiting: vec![3.0, 0.0, 0.0, 5.0, 9.0, 1.0], turnaround: vec![] };
        let curve = Distribution::of([&jobs].into_iter(), |jobs| &jobs.waiting);
        assert_eq!([curve.at_most(0.0), curve.at_most(3.0), curve.end()], [0.25, 0.5, 0.75]);
        assert_eq!(curve.less_than(3.0), 0.375);
    }

    #[test]
    fn no_jobs_make_a_flat_curve_and_no_fault() {
        let curve = Distribution::of([&Jobs::default()].into_iter(), |jobs| &jobs.waiting);
        assert_eq!(curve.end(), 0.0);
    }
}
