//! One figure per resource: the allocated share of capacity over time, a line for each policy.

use plotters::style::RGBColor;

use super::canvas::{Canvas, INK, Pen, draw, line_colour};
use super::frame::{Entry, Frame, Mark};
use super::grid::{Band, Grid};
use super::scale::{share_axis, time_axis};
use super::{Figure, seeds_in_words};
use crate::report::error::ReportError;
use crate::report::load::{Bin, Results, Run, WHOLE_CLUSTER};
use crate::report::units::{percent, resource_name};

/// The lines of one policy.
struct Lines {
    allocated: Vec<Option<Band>>,
    offered: Vec<Option<Band>>,
}

/// Draws the figure of `resource`.
pub(super) fn figure(results: &Results, resource: &str) -> Result<Figure, ReportError> {
    let grid = Grid::over(results.runs.iter());
    let lines: Vec<Lines> =
        results.policies.iter().map(|policy| lines(&grid, &results.of(policy), resource)).collect();
    let title = format!("{}: allocated share of capacity", resource_name(resource));
    let svg = draw(&title, |canvas| paint(canvas, &title, results, &grid, &lines))?;
    Ok(Figure {
        file: format!("allocation-{}.svg", super::file_word(resource)),
        title,
        caption: caption(results, resource),
        svg,
    })
}

/// The time-weighted mean of the allocated share of capacity over a run, 0 to 1; 0 if it has no such resource.
pub(super) fn mean_share(run: &Run, resource: &str) -> f64 {
    let Some(series) = run.timeline.find(resource, WHOLE_CLUSTER) else { return 0.0 };
    let (mut allocated, mut total) = (0.0, 0.0);
    for bin in &series.bins {
        let seconds = (run.timeline.end - bin.time).min(run.timeline.bin_seconds);
        allocated += bin.allocated * seconds;
        total += bin.total * seconds;
    }
    if total > 0.0 { allocated / total } else { 0.0 }
}

fn lines(grid: &Grid, runs: &[&Run], resource: &str) -> Lines {
    let band = |value: fn(&Bin) -> f64| {
        let series = |run: &&Run| {
            let series = run.timeline.find(resource, WHOLE_CLUSTER)?;
            Some(grid.resample(&run.timeline, series, |bin| share(value(bin), bin.total)))
        };
        grid.band(&runs.iter().filter_map(series).collect::<Vec<_>>())
    };
    Lines { allocated: band(|bin| bin.allocated), offered: band(|bin| bin.offered) }
}

fn share(amount: f64, total: f64) -> f64 {
    if total > 0.0 { amount / total } else { 0.0 }
}

fn paint(canvas: &mut Canvas<'_>, title: &str, results: &Results, grid: &Grid, lines: &[Lines]) {
    let all = lines.iter().flat_map(|lines| lines.allocated.iter().chain(&lines.offered));
    let largest = all.flatten().map(|band| band.most).fold(0.0, f64::max);
    let frame = Frame::draw(
        canvas,
        title,
        &legend(&results.policies),
        &time_axis(grid.end),
        &share_axis("Share of capacity", largest),
    );
    for (n, lines) in lines.iter().enumerate() {
        paint_band(canvas, &frame, grid, &lines.allocated, line_colour(n));
    }
    for (n, lines) in lines.iter().enumerate() {
        paint_steps(canvas, &frame, grid, &lines.offered, line_colour(n), 0.8, Pen::Companion);
    }
    for (n, lines) in lines.iter().enumerate() {
        paint_steps(canvas, &frame, grid, &lines.allocated, line_colour(n), 1.0, Pen::Series(n));
    }
}

fn legend(policies: &[String]) -> Vec<Entry> {
    let entry = |(n, policy): (usize, &String)| Entry {
        label: policy.clone(),
        mark: Mark::Line(line_colour(n), Pen::Series(n)),
    };
    let mut entries: Vec<Entry> = policies.iter().enumerate().map(entry).collect();
    entries.push(Entry {
        label: "offered (in the policy's colour)".to_owned(),
        mark: Mark::Line(INK, Pen::Companion),
    });
    entries
}

/// The area between the least and the most over the seeds, if they differ anywhere.
fn paint_band(canvas: &mut Canvas<'_>, frame: &Frame, grid: &Grid, bands: &[Option<Band>], colour: RGBColor) {
    if bands.iter().flatten().all(|band| band.least == band.most) {
        return;
    }
    for run in unbroken(bands) {
        let mut outline = steps(frame, grid, &run, |band| band.most);
        let mut lower = steps(frame, grid, &run, |band| band.least);
        lower.reverse();
        outline.extend(lower);
        canvas.area(outline, colour, 0.2);
    }
}

fn paint_steps(
    canvas: &mut Canvas<'_>,
    frame: &Frame,
    grid: &Grid,
    bands: &[Option<Band>],
    colour: RGBColor,
    opacity: f64,
    pen: Pen,
) {
    for run in unbroken(bands) {
        canvas.line(steps(frame, grid, &run, |band| band.mean), colour, opacity, pen);
    }
}

/// The stretches of columns that have a value.
fn unbroken(bands: &[Option<Band>]) -> Vec<Vec<(usize, Band)>> {
    let mut stretches: Vec<Vec<(usize, Band)>> = Vec::new();
    let mut open = false;
    for (column, band) in bands.iter().enumerate() {
        match (band, open) {
            (Some(band), true) => stretches.last_mut().expect("an open stretch").push((column, *band)),
            (Some(band), false) => stretches.push(vec![(column, *band)]),
            (None, _) => {}
        }
        open = band.is_some();
    }
    stretches
}

fn steps(frame: &Frame, grid: &Grid, run: &[(usize, Band)], value: fn(&Band) -> f64) -> Vec<(i32, i32)> {
    let mut points = Vec::with_capacity(run.len() * 2);
    for (column, band) in run {
        let y = frame.py(value(band));
        super::push_step(&mut points, frame.px(grid.start(*column)), frame.px(grid.start(column + 1)), y);
    }
    points
}

fn caption(results: &Results, resource: &str) -> String {
    let mean = |policy: &String| {
        let runs = results.of(policy);
        let sum: f64 = runs.iter().map(|run| mean_share(run, resource)).sum();
        format!("{policy} {}", percent(sum / runs.len() as f64))
    };
    let means: Vec<String> = results.policies.iter().map(mean).collect();
    format!(
        "Heavy lines: promised to tasks (allocated). Dotted lines: out in offers at the time (offered). \
         Time-weighted means{}. Allocated over the whole run: {}.",
        seeds_in_words(results, ", the line is the mean over the seeds and the pale band spans them"),
        means.join(", ")
    )
}
