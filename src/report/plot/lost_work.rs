//! Work that was in vain, by cause: a stacked bar for each policy.

use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Canvas, INK, Letters, Pen, area_colour, draw};
use super::frame::{Axis, Entry, Frame, Mark, Tick};
use super::scale::amount_axis;
use super::{Figure, seeds_in_words};
use crate::report::error::ReportError;
use crate::report::load::{Results, Run};
use crate::report::units::{percent, plain};

/// Draws the figure, if anything was in vain in some run.
pub(super) fn figure(results: &Results) -> Result<Option<Figure>, ReportError> {
    let causes = results.causes();
    let bars: Vec<Bar> =
        results.policies.iter().map(|policy| Bar::of(&results.of(policy), &causes)).collect();
    if bars.iter().all(|bar| bar.most <= 0.0) {
        return Ok(None);
    }
    let title = "Work lost, by cause";
    let svg = draw(title, |canvas| paint(canvas, title, &results.policies, &causes, &bars))?;
    let caption = caption(results, &bars);
    Ok(Some(Figure { file: "lost-work.svg".to_owned(), title: title.to_owned(), caption, svg }))
}

/// One policy: means over its seeds, in CPU hours.
struct Bar {
    /// For each cause.
    lost: Vec<f64>,
    /// The least and the most of all causes together, over the seeds.
    least: f64,
    most: f64,
    /// Of all work that was done, 0 to 1.
    share: f64,
}

impl Bar {
    fn of(runs: &[&Run], causes: &[String]) -> Bar {
        let mean = |value: &dyn Fn(&Run) -> f64| {
            runs.iter().map(|run| value(run)).sum::<f64>() / runs.len() as f64 / 3600.0
        };
        let of_cause = |run: &Run, cause: &str| {
            run.work.wasted.iter().filter(|taken| taken.cause == cause).map(|taken| taken.cpu_seconds).sum()
        };
        let all = || runs.iter().map(|run| run.work.wasted_cpu_seconds() / 3600.0);
        let (lost, good) = (mean(&|run| run.work.wasted_cpu_seconds()), mean(&|run| run.work.goodput));
        Bar {
            lost: causes.iter().map(|cause| mean(&|run| of_cause(run, cause))).collect(),
            least: all().fold(f64::INFINITY, f64::min),
            most: all().fold(0.0, f64::max),
            share: if lost > 0.0 { lost / (lost + good) } else { 0.0 },
        }
    }

    fn height(&self) -> f64 {
        self.lost.iter().sum()
    }
}

fn paint(canvas: &mut Canvas<'_>, title: &str, policies: &[String], causes: &[String], bars: &[Bar]) {
    let most = bars.iter().map(|bar| bar.most).fold(0.0, f64::max);
    let tick = |(n, policy): (usize, &String)| Tick { at: n as f64 + 0.5, label: policy.clone() };
    let x = Axis {
        title: String::new(),
        ends: (0.0, policies.len() as f64),
        ticks: policies.iter().enumerate().map(tick).collect(),
    };
    // Room for the words above the bars.
    let y = amount_axis("CPU hours in vain".to_owned(), most * 1.1);
    let legend = causes.iter().enumerate();
    let legend = legend.map(|(n, cause)| Entry { label: cause.clone(), mark: Mark::Area(area_colour(n)) });
    let frame = Frame::draw(canvas, title, &legend.collect::<Vec<_>>(), &x, &y);
    let half = (0.3f64).min(0.06 * policies.len() as f64);
    for (n, bar) in bars.iter().enumerate() {
        paint_bar(canvas, &frame, bar, n as f64 + 0.5, half);
    }
    frame.draw_ground(canvas);
}

fn paint_bar(canvas: &mut Canvas<'_>, frame: &Frame, bar: &Bar, middle: f64, half: f64) {
    let (left, right, x) = (frame.px(middle - half), frame.px(middle + half), frame.px(middle));
    let mut below = 0.0;
    for (cause, &lost) in bar.lost.iter().enumerate().filter(|(_, lost)| **lost > 0.0) {
        canvas.rectangle([(left, frame.py(below + lost)), (right, frame.py(below))], area_colour(cause));
        below += lost;
    }
    if bar.least < bar.most {
        let (low, high) = (frame.py(bar.least), frame.py(bar.most));
        canvas.line(vec![(x, low), (x, high)], INK, 1.0, Pen::Axis);
        for y in [low, high] {
            canvas.line(vec![(x - 12, y), (x + 12, y)], INK, 1.0, Pen::Axis);
        }
    }
    let words = format!("{} ({} of all work)", plain(bar.height()), percent(bar.share));
    let above = (x, frame.py(bar.most.max(below)) - 10);
    canvas.text(&words, above, Letters::at(HPos::Center, VPos::Bottom));
}

fn caption(results: &Results, bars: &[Bar]) -> String {
    let of_policy = |(policy, bar): (&String, &Bar)| {
        format!(
            "{policy} {} of {} CPU hours",
            plain(bar.height()),
            plain(bar.height() / bar.share.max(1e-300))
        )
    };
    let facts: Vec<String> =
        results.policies.iter().zip(bars).filter(|(_, bar)| bar.share > 0.0).map(of_policy).collect();
    format!(
        "CPUs held times the time that they were, of attempts at tasks that did not count, by the reason why they ended; the \
         faults of the experiment are numbered in the order of its file{}. In vain: {}.",
        seeds_in_words(results, ". Means over the seeds; the thin line is their range"),
        facts.join(", ")
    )
}
