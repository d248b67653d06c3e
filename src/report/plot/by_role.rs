//! One figure per policy: what each role holds of the most contended resource over time, stacked, below the capacity.

use super::canvas::{Canvas, INK, Letters, PAPER, Pen, TEXT, area_colour, draw, letters_on, text_width};
use super::frame::{Entry, Frame, Mark};
use super::grid::Grid;
use super::over_time::mean_share;
use super::scale::{amount_axis, time_axis};
use super::{Figure, file_word, push_step, seeds_in_words};
use crate::report::error::ReportError;
use crate::report::load::{Bin, Results, Run, WHOLE_CLUSTER};
use crate::report::units::{resource_name, resource_unit};
use plotters::style::text_anchor::{HPos, VPos};

/// So many roles have a colour of their own; the smallest others share the last.
const MOST_ROLES: usize = 7;

/// The resource of which the largest share is allocated, as a mean over all runs.
pub(super) fn most_contended(results: &Results) -> Option<String> {
    let share = |resource: &str| results.runs.iter().map(|run| mean_share(run, resource)).sum::<f64>();
    let named = results.resources().into_iter().map(|name| (share(&name), name));
    named.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, name)| name)
}

/// The layers that every policy's figure has, from the bottom up.
pub(super) struct Layers {
    resource: String,
    roles: Vec<String>,
    rest: Vec<String>,
}

impl Layers {
    /// The roles that hold something of `resource`, the largest at the bottom.
    pub(super) fn of(results: &Results, resource: &str) -> Layers {
        let mut held: Vec<(String, f64)> = Vec::new();
        for run in &results.runs {
            for series in run.timeline.series.iter().filter(|series| series.resource == resource) {
                let amount: f64 = series.bins.iter().map(|bin| bin.allocated).sum();
                match held.iter_mut().find(|(role, _)| *role == series.role) {
                    Some((_, sum)) => *sum += amount,
                    None => held.push((series.role.clone(), amount)),
                }
            }
        }
        held.retain(|(role, amount)| role != WHOLE_CLUSTER && *amount > 0.0);
        held.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut roles: Vec<String> = held.into_iter().map(|(role, _)| role).collect();
        let rest = if roles.len() > MOST_ROLES + 1 { roles.split_off(MOST_ROLES) } else { Vec::new() };
        Layers { resource: resource.to_owned(), roles, rest }
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.roles.clone();
        if !self.rest.is_empty() {
            names.push(format!("{} other roles", self.rest.len()));
        }
        names
    }

    /// For each layer, the amount in each column: means over the runs that had not ended.
    fn amounts(&self, grid: &Grid, runs: &[&Run]) -> Vec<Vec<f64>> {
        let mut layers: Vec<Vec<f64>> = self.roles.iter().map(|role| self.amount(grid, runs, role)).collect();
        let rest = self.rest.iter().map(|role| self.amount(grid, runs, role));
        layers.extend(rest.reduce(|sum, more| sum.iter().zip(more).map(|(a, b)| a + b).collect()));
        layers
    }

    fn amount(&self, grid: &Grid, runs: &[&Run], role: &str) -> Vec<f64> {
        self.mean(grid, runs, role, |bin| bin.allocated)
    }

    fn capacity(&self, grid: &Grid, runs: &[&Run]) -> Vec<f64> {
        self.mean(grid, runs, WHOLE_CLUSTER, |bin| bin.total)
    }

    /// A run that has no series of a role holds nothing of it: that counts as 0.
    fn mean(&self, grid: &Grid, runs: &[&Run], role: &str, value: fn(&Bin) -> f64) -> Vec<f64> {
        let of_run = |run: &&Run| {
            let whole = run.timeline.find(&self.resource, WHOLE_CLUSTER)?;
            Some(match run.timeline.find(&self.resource, role) {
                Some(series) => grid.resample(&run.timeline, series, value),
                None => grid.resample(&run.timeline, whole, |_| 0.0),
            })
        };
        let bands = grid.band(&runs.iter().filter_map(of_run).collect::<Vec<_>>());
        bands.into_iter().map(|band| band.map_or(0.0, |band| band.mean)).collect()
    }
}

/// Draws the figure of `policy`.
pub(super) fn figure(results: &Results, layers: &Layers, policy: &str) -> Result<Figure, ReportError> {
    let grid = Grid::over(results.runs.iter());
    let runs = results.of(policy);
    let name = resource_name(&layers.resource);
    let title = format!("{policy}: allocated {name} by role (the most contended resource)");
    let stack = Stack::of(layers, &grid, &runs);
    let svg = draw(&title, |canvas| stack.paint(canvas, &title, &grid))?;
    let caption = format!(
        "Allocated to each role under {policy}, stacked; the dashed line is the cluster's capacity. The most contended \
         resource is the one with the largest allocated share of capacity over all runs. Time-weighted means{}.",
        seeds_in_words(results, ", averaged over the seeds")
    );
    Ok(Figure { file: format!("roles-{}.svg", file_word(policy)), title, caption, svg })
}

/// What one figure shows, in the unit that it is shown in.
struct Stack {
    names: Vec<String>,
    unit: &'static str,
    capacity: Vec<f64>,
    /// The upper edge of each layer in each column.
    edges: Vec<Vec<f64>>,
}

impl Stack {
    fn of(layers: &Layers, grid: &Grid, runs: &[&Run]) -> Stack {
        let mut capacity = layers.capacity(grid, runs);
        let (unit, divisor) = resource_unit(&layers.resource, largest(&capacity));
        capacity.iter_mut().for_each(|amount| *amount /= divisor);
        let mut height = vec![0.0; capacity.len()];
        let mut edges = Vec::new();
        for layer in layers.amounts(grid, runs) {
            height.iter_mut().zip(layer).for_each(|(height, amount)| *height += amount / divisor);
            edges.push(height.clone());
        }
        Stack { names: layers.names(), unit, capacity, edges }
    }

    fn paint(&self, canvas: &mut Canvas<'_>, title: &str, grid: &Grid) {
        let most = self.edges.iter().map(|edge| largest(edge)).fold(largest(&self.capacity), f64::max);
        let y = amount_axis(format!("Allocated ({})", self.unit), most);
        let frame = Frame::draw(canvas, title, &self.legend(), &time_axis(grid.end), &y);
        let mut below = vec![(frame.px(0.0), frame.py(0.0)), (frame.px(grid.end), frame.py(0.0))];
        let mut labels = Vec::new();
        for (n, edge) in self.edges.iter().enumerate() {
            let upper = outline(&frame, grid, edge);
            let floor = n.checked_sub(1).map(|lower| self.edges[lower].as_slice());
            labels.extend(self.label_place(&frame, grid, n, floor));
            let mut area = upper.clone();
            area.extend(below.iter().rev());
            canvas.area(area, area_colour(n), 1.0);
            canvas.line(upper.clone(), PAPER, 1.0, Pen::Hair);
            below = upper;
        }
        frame.draw_ground(canvas);
        for (n, at) in labels {
            let letters = Letters { colour: letters_on(n), ..Letters::at(HPos::Center, VPos::Center) };
            canvas.text(&self.names[n], at, letters);
        }
        let ended = self.capacity.iter().rposition(|&amount| amount > 0.0).map_or(0, |last| last + 1);
        canvas.line(outline(&frame, grid, &self.capacity[..ended]), INK, 1.0, Pen::Limit);
    }

    fn legend(&self) -> Vec<Entry> {
        let mut entries = vec![Entry { label: "capacity".to_owned(), mark: Mark::Line(INK, Pen::Limit) }];
        for (n, name) in self.names.iter().enumerate() {
            entries.push(Entry { label: name.clone(), mark: Mark::Area(area_colour(n)) });
        }
        entries
    }

    /// The middle of the roomiest stretch of a layer in which its name fits, if there is one.
    fn label_place(
        &self,
        frame: &Frame,
        grid: &Grid,
        layer: usize,
        floor: Option<&[f64]>,
    ) -> Option<(usize, (i32, i32))> {
        let edge = &self.edges[layer];
        let column_width = (frame.px(grid.end) - frame.px(0.0)) as f64 / edge.len() as f64;
        let needed = (f64::from(text_width(&self.names[layer], TEXT) + 24) / column_width).ceil() as usize;
        let mut best: Option<(i32, (i32, i32))> = None;
        for first in 0..(edge.len() + 1).saturating_sub(needed) {
            let window = first..first + needed;
            let top = window.clone().map(|column| frame.py(edge[column])).max()?;
            let bottom = window.map(|column| frame.py(floor.map_or(0.0, |floor| floor[column]))).min()?;
            if bottom - top > best.map_or(TEXT, |(room, _)| room) {
                let x = frame.px(grid.start(first)) + (needed as f64 * column_width / 2.0) as i32;
                best = Some((bottom - top, (x, (top + bottom) / 2)));
            }
        }
        best.map(|(_, at)| (layer, at))
    }
}

fn largest(amounts: &[f64]) -> f64 {
    amounts.iter().copied().fold(0.0, f64::max)
}

fn outline(frame: &Frame, grid: &Grid, edge: &[f64]) -> Vec<(i32, i32)> {
    let mut points = Vec::with_capacity(edge.len() * 2);
    for (column, amount) in edge.iter().enumerate() {
        let (from, to) = (frame.px(grid.start(column)), frame.px(grid.start(column + 1)));
        push_step(&mut points, from, to, frame.py(*amount));
    }
    points
}
