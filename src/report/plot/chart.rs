//! A figure of lines: what fits are shown with. Its values come from a live computation and not from results on disk, so
//! whoever draws one brings them.

use super::canvas::{Canvas, GRID, Pen, draw, line_colour};
use super::frame::{Axis, Entry, Frame, Mark, Tick};
use super::scale::span_axis;
use crate::report::error::ReportError;
use crate::report::units::{duration, three_digits};

/// A figure of lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The file's name.
    pub file: String,
    /// What it shows.
    pub title: String,
    /// From left to right.
    pub x: Scale,
    /// From bottom to top.
    pub y: Scale,
    /// Named lines, each through its points in their order.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
    /// Lines that help the eye, without a name.
    pub guides: Vec<Vec<(f64, f64)>>,
}

/// What an axis measures.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// Numbers, evenly.
    Linear(String),
    /// Numbers above 0, logarithmically.
    Log(String),
    /// Seconds above 0, logarithmically.
    LogDuration(String),
    /// Seconds since something, from 0.
    Since(String),
}

impl Scale {
    const fn is_log(&self) -> bool {
        match self {
            Self::Log(_) | Self::LogDuration(_) => true,
            Self::Linear(_) | Self::Since(_) => false,
        }
    }

    /// Where a value stands on the axis; `None` if nowhere.
    fn at(&self, value: f64) -> Option<f64> {
        let at = if self.is_log() { value.log10() } else { value };
        at.is_finite().then_some(at)
    }

    fn axis(&self, low: f64, high: f64) -> Axis {
        match self {
            Self::Linear(title) => linear(title, low, high),
            Self::Log(title) => logarithmic(title, low, high, three_digits),
            Self::LogDuration(title) => logarithmic(title, low, high, duration),
            Self::Since(title) => span_axis(title, high),
        }
    }
}

/// Round steps, about eight of them.
fn linear(title: &str, low: f64, high: f64) -> Axis {
    let high = if high > low { high } else { low + 1.0 };
    let rough = (high - low) / 8.0;
    let power = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(power * 10.0);
    let (first, last) = ((low / step).floor() as i64, (high / step).ceil() as i64);
    let label = |at: f64| if at < 0.0 { format!("-{}", three_digits(-at)) } else { three_digits(at) };
    let ticks = (first..=last).map(|n| n as f64 * step).map(|at| Tick { at, label: label(at) });
    Axis { title: title.to_owned(), ends: (first as f64 * step, last as f64 * step), ticks: ticks.collect() }
}

/// Powers of ten, at most ten of them; `low` and `high` are logarithms.
fn logarithmic(title: &str, low: f64, high: f64, label: fn(f64) -> String) -> Axis {
    let (first, last) = (low.floor() as i32, (high.ceil() as i32).max(low.floor() as i32 + 1));
    let every = (last - first) / 10 + 1;
    let powers = (first..=last).filter(|power| (power - first) % every == 0);
    let ticks = powers.map(|power| Tick { at: f64::from(power), label: label(10f64.powi(power)) });
    Axis {
        title: format!("{title} (logarithmic)"),
        ends: (f64::from(first), f64::from(last)),
        ticks: ticks.collect(),
    }
}

impl Chart {
    /// The figure as an SVG document.
    pub(in crate::report) fn svg(&self) -> Result<String, ReportError> {
        draw(&self.title, |canvas| self.paint(canvas))
    }

    fn paint(&self, canvas: &mut Canvas<'_>) {
        let entry = |(n, (label, _)): (usize, &(String, _))| Entry {
            label: label.clone(),
            mark: Mark::Line(line_colour(n), Pen::Series(n)),
        };
        let legend: Vec<Entry> = self.lines.iter().enumerate().map(entry).collect();
        let lines: Vec<Vec<(f64, f64)>> = self.lines.iter().map(|(_, points)| self.placed(points)).collect();
        let all = || lines.iter().flatten();
        let ends = |of: fn(&(f64, f64)) -> f64| {
            let values = all().map(of);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
        };
        let (x, y) = (ends(|point| point.0), ends(|point| point.1));
        if all().next().is_none() {
            return;
        }
        let frame = Frame::draw(canvas, &self.title, &legend, &self.x.axis(x.0, x.1), &self.y.axis(y.0, y.1));
        let place = |points: &[(f64, f64)]| points.iter().map(|&(x, y)| (frame.px(x), frame.py(y))).collect();
        for guide in &self.guides {
            canvas.line(place(&self.placed(guide)), GRID, 1.0, Pen::Limit);
        }
        for (n, points) in lines.iter().enumerate() {
            canvas.line(place(points), line_colour(n), 1.0, Pen::Series(n));
        }
    }

    /// The points that have a place.
    fn placed(&self, points: &[(f64, f64)]) -> Vec<(f64, f64)> {
        points.iter().filter_map(|&(x, y)| Some((self.x.at(x)?, self.y.at(y)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_draws_its_lines_and_leaves_out_what_has_no_place() {
        let chart = Chart {
            file: "a.svg".to_owned(),
            title: "A".to_owned(),
            x: Scale::LogDuration("Run time".to_owned()),
            y: Scale::Linear("Share".to_owned()),
            lines: vec![("measured".to_owned(), vec![(0.0, 0.0), (1.0, 0.25), (1000.0, 1.0)])],
            guides: vec![vec![(1.0, 0.5), (1000.0, 0.5)]],
        };
        let svg = chart.svg().expect("a figure");
        assert!(svg.contains("measured") && svg.contains("Run time (logarithmic)"), "{svg}");
        assert!(!svg.contains("inf") && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn axes_reach_below_zero_and_over_many_powers() {
        let axis = linear("r", -0.13, 0.4);
        assert!(axis.ends.0 <= -0.13 && axis.ends.1 >= 0.4 && axis.ticks.len() <= 10, "{axis:?}");
        let axis = logarithmic("x", -7.0, 18.0, three_digits);
        assert!(axis.ticks.len() <= 11 && axis.ends == (-7.0, 18.0), "{axis:?}");
    }
}
