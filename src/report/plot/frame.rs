//! What all figures share: the title, the legend above the plot, the two axes with their ticks, and the way from
//! values to places on the sheet.

use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Canvas, GRID, HEIGHT, INK, Letters, Pen, TEXT, WIDTH, text_width};

const LEFT: i32 = 150;
const RIGHT: i32 = WIDTH - 50;
const BOTTOM: i32 = HEIGHT - 112;
const ROW: i32 = 42;
const SWATCH: i32 = 64;

/// A tick of an axis: where it stands, in the axis' own measure, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// An axis: its title, its two ends and its ticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) title: String,
    pub(super) ends: (f64, f64),
    pub(super) ticks: Vec<Tick>,
}

/// An entry of a legend.
pub(super) struct Entry {
    pub(super) label: String,
    pub(super) mark: Mark,
}

/// How a legend shows what it names.
pub(super) enum Mark {
    Line(RGBColor, Pen),
    Area(RGBColor),
}

/// The plot's rectangle and the values at its edges.
pub(super) struct Frame {
    top: i32,
    x: (f64, f64),
    y: (f64, f64),
}

impl Frame {
    /// Draws title, legend and axes.
    pub(super) fn draw(canvas: &mut Canvas<'_>, title: &str, legend: &[Entry], x: &Axis, y: &Axis) -> Frame {
        // A title that is too long for its line is set smaller; bold letters are a sixth wider.
        let fitting = (RIGHT - LEFT) * 6 / 7 * 32 / text_width(title, 32).max(1);
        let title_letters =
            Letters { size: fitting.min(32), bold: true, ..Letters::at(HPos::Left, VPos::Center) };
        canvas.text(title, (LEFT, 44), title_letters);
        let rows = draw_legend(canvas, legend);
        let frame = Frame { top: 86 + rows * ROW + 22, x: x.ends, y: y.ends };
        frame.draw_y(canvas, y);
        frame.draw_x(canvas, x);
        frame
    }

    /// The place of a value along the x axis.
    pub(super) fn px(&self, x: f64) -> i32 {
        place(x, self.x, LEFT, RIGHT)
    }

    /// The place of a value along the y axis.
    pub(super) fn py(&self, y: f64) -> i32 {
        place(y, self.y, BOTTOM, self.top)
    }

    fn draw_y(&self, canvas: &mut Canvas<'_>, axis: &Axis) {
        for tick in &axis.ticks {
            let y = self.py(tick.at);
            canvas.line(vec![(LEFT, y), (RIGHT, y)], GRID, 1.0, Pen::Hair);
            canvas.text(&tick.label, (LEFT - 14, y), Letters::at(HPos::Right, VPos::Center));
        }
        let middle = (self.top + BOTTOM) / 2;
        let letters = Letters { upright: true, ..Letters::at(HPos::Center, VPos::Center) };
        canvas.text(&axis.title, (34, middle), letters);
    }

    /// Draws the line at the bottom: again after areas that stand on it.
    pub(super) fn draw_ground(&self, canvas: &mut Canvas<'_>) {
        canvas.line(vec![(LEFT, BOTTOM), (RIGHT, BOTTOM)], INK, 1.0, Pen::Axis);
    }

    fn draw_x(&self, canvas: &mut Canvas<'_>, axis: &Axis) {
        self.draw_ground(canvas);
        for tick in &axis.ticks {
            let x = self.px(tick.at);
            canvas.line(vec![(x, BOTTOM), (x, BOTTOM + 10)], INK, 1.0, Pen::Axis);
            canvas.text(&tick.label, (x, BOTTOM + 18), Letters::at(HPos::Center, VPos::Top));
        }
        let middle = (LEFT + RIGHT) / 2;
        canvas.text(&axis.title, (middle, HEIGHT - 26), Letters::at(HPos::Center, VPos::Center));
    }
}

fn place(value: f64, (from, to): (f64, f64), at_from: i32, at_to: i32) -> i32 {
    let share = ((value - from) / (to - from)).clamp(0.0, 1.0);
    at_from + (share * f64::from(at_to - at_from)).round() as i32
}

/// Draws the legend's entries from left to right, in as many rows as they need, and says how many.
fn draw_legend(canvas: &mut Canvas<'_>, entries: &[Entry]) -> i32 {
    let (mut x, mut row) = (LEFT, 0);
    for entry in entries {
        let width = SWATCH + 14 + text_width(&entry.label, TEXT);
        if x > LEFT && x + width > RIGHT {
            (x, row) = (LEFT, row + 1);
        }
        let y = 98 + row * ROW;
        match entry.mark {
            Mark::Line(colour, pen) => canvas.line(vec![(x, y), (x + SWATCH, y)], colour, 1.0, pen),
            Mark::Area(colour) => canvas.rectangle([(x + 20, y - 13), (x + SWATCH, y + 13)], colour),
        }
        canvas.text(&entry.label, (x + SWATCH + 14, y), Letters::at(HPos::Left, VPos::Center));
        x += width + 44;
    }
    if entries.is_empty() { 0 } else { row + 1 }
}
