//! The sheet that figures are drawn on: plotters' SVG backend with what it lacks.
//!
//! Figures are laid out on a grid that is twice as fine as the pixels that they are shown at, because plotters places
//! things on whole units. Plotters knows no dashed lines: the number of a [`Pen`] travels as the stroke's width through
//! plotters and is put right in the finished text. Colours are a small fixed set, so that a page can set
//! them anew for a dark theme by the attribute that holds them.

use std::fmt::Display;

use plotters::coord::Shift;
use plotters::element::{PathElement, Polygon, Rectangle, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea, RGBColor, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontFamily, FontStyle, FontTransform, ShapeStyle, TextStyle};

use crate::report::error::ReportError;

/// Width of every figure in drawing units, two to a pixel.
pub(super) const WIDTH: i32 = 1_760;
/// Height of every figure in drawing units.
pub(super) const HEIGHT: i32 = 860;
/// Size of most letters in drawing units: 13 pixels.
pub(super) const TEXT: i32 = 26;

/// Text and axes.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x26, 0x2B);
/// Lines that help the eye and should not draw it.
pub(super) const GRID: RGBColor = RGBColor(0xDD, 0xE1, 0xE6);
/// The ground.
pub(super) const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);

/// Okabe and Ito's palette (2008), safe for the common colour-blindnesses; its black and yellow come last.
const PALETTE: [RGBColor; 8] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0x00, 0x00, 0x00),
    RGBColor(0xF0, 0xE4, 0x42),
];

/// The colour of the n-th area.
pub(super) fn area_colour(n: usize) -> RGBColor {
    PALETTE[n % PALETTE.len()]
}

/// The colour of the n-th line: yellow is left out, it is too pale for a thin line on white.
pub(super) fn line_colour(n: usize) -> RGBColor {
    PALETTE[n % (PALETTE.len() - 1)]
}

/// The colour for letters on the n-th area.
pub(super) fn letters_on(n: usize) -> RGBColor {
    if matches!(n % PALETTE.len(), 0 | 6) { RGBColor(0xFE, 0xFE, 0xFE) } else { RGBColor(0x11, 0x11, 0x11) }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pen {
    /// Grid lines and the edges of areas.
    Hair,
    /// Axes and ticks.
    Axis,
    /// The n-th line of a figure: each has its own dashes, five kinds in turn.
    Series(usize),
    /// A thinner, dotted companion of a line.
    Companion,
    /// A limit, such as the capacity.
    Limit,
}

/// For each pen the width in drawing units and the dashes. The place in the list is the pen's number.
const PENS: [(&str, &str); 9] = [
    ("1.6", ""),
    ("2", ""),
    ("4", ""),
    ("4", "18 9"),
    ("4", "18 7 4 7"),
    ("4", "8 6"),
    ("4", "26 7 4 7 4 7"),
    ("2.6", "3 6"),
    ("3.4", "12 8"),
];

/// Widths from here on are numbers of pens.
const FIRST_PEN: u32 = 9_000;

impl Pen {
    fn number(self) -> u32 {
        FIRST_PEN
            + match self {
                Pen::Hair => 0,
                Pen::Axis => 1,
                // The second round of dashes is shifted, so that like colours do not get like dashes.
                Pen::Series(n) => 2 + ((n + n / 5) % 5) as u32,
                Pen::Companion => 7,
                Pen::Limit => 8,
            }
    }
}

/// How a text is set.
#[derive(Clone, Copy)]
pub(super) struct Letters {
    /// Where the text lies from the point that it is put at.
    pub(super) anchor: (HPos, VPos),
    /// In drawing units.
    pub(super) size: i32,
    pub(super) bold: bool,
    /// Reads from bottom to top.
    pub(super) upright: bool,
    pub(super) colour: RGBColor,
}

impl Letters {
    /// Ordinary letters with this anchor.
    pub(super) fn at(h: HPos, v: VPos) -> Letters {
        Letters { anchor: (h, v), size: TEXT, bold: false, upright: false, colour: INK }
    }
}

/// A figure that is being drawn. The first error is kept and told at the end.
pub(super) struct Canvas<'a> {
    root: DrawingArea<SVGBackend<'a>, Shift>,
    trouble: Option<String>,
}

impl Canvas<'_> {
    /// A line through points.
    pub(super) fn line(&mut self, points: Vec<(i32, i32)>, colour: RGBColor, opacity: f64, pen: Pen) {
        let style = ShapeStyle { color: colour.mix(opacity), filled: false, stroke_width: pen.number() };
        let outcome = self.root.draw(&PathElement::new(points, style));
        self.keep(outcome);
    }

    /// A filled area with this outline.
    pub(super) fn area(&mut self, outline: Vec<(i32, i32)>, colour: RGBColor, opacity: f64) {
        let outcome = self.root.draw(&Polygon::new(outline, colour.mix(opacity).filled()));
        self.keep(outcome);
    }

    /// A filled rectangle.
    pub(super) fn rectangle(&mut self, corners: [(i32, i32); 2], colour: RGBColor) {
        let outcome = self.root.draw(&Rectangle::new(corners, colour.filled()));
        self.keep(outcome);
    }

    /// A text.
    pub(super) fn text(&mut self, text: &str, at: (i32, i32), letters: Letters) {
        // The backend divides sizes by 1.24 before it writes them.
        let size = f64::from(letters.size) * 1.24;
        let font = (FontFamily::Name("Helvetica, Arial, sans-serif"), size);
        let mut style = TextStyle::from(font).pos(Pos::new(letters.anchor.0, letters.anchor.1));
        style.color = plotters::style::Color::to_backend_color(&letters.colour);
        if letters.bold {
            style.font = style.font.style(FontStyle::Bold);
        }
        if letters.upright {
            style = style.transform(FontTransform::Rotate270);
        }
        let outcome = self.root.draw(&Text::new(text.to_owned(), at, style));
        self.keep(outcome);
    }

    fn keep<E: Display>(&mut self, outcome: Result<(), E>) {
        if let (Err(error), None) = (outcome, &self.trouble) {
            self.trouble = Some(error.to_string());
        }
    }
}

/// How wide a text of ordinary letters is, roughly, in drawing units.
pub(super) fn text_width(text: &str, size: i32) -> i32 {
    (text.chars().count() as f64 * f64::from(size) * 0.54).ceil() as i32
}

/// Draws a figure and gives its SVG text. `title` is what a screen reader says.
pub(super) fn draw(title: &str, paint: impl FnOnce(&mut Canvas<'_>)) -> Result<String, ReportError> {
    let mut text = String::new();
    let trouble = {
        let root = SVGBackend::with_string(&mut text, (WIDTH as u32, HEIGHT as u32)).into_drawing_area();
        let mut canvas = Canvas { root, trouble: None };
        canvas.rectangle([(0, 0), (WIDTH, HEIGHT)], PAPER);
        paint(&mut canvas);
        let outcome = canvas.root.present();
        canvas.keep(outcome);
        canvas.trouble.take()
    };
    match trouble {
        Some(message) => Err(ReportError::Plot { figure: title.to_owned(), message }),
        None => Ok(finish(&text, title)),
    }
}

/// Sets the size in pixels, names the figure and puts the pens in.
fn finish(text: &str, title: &str) -> String {
    let drawn = format!("width=\"{WIDTH}\" height=\"{HEIGHT}\"");
    let shown = format!("width=\"{}\" height=\"{}\" stroke-linejoin=\"round\"", WIDTH / 2, HEIGHT / 2);
    let mut text = text.replacen(&drawn, &shown, 1);
    if let Some(end) = text.find(">\n") {
        text.insert_str(end + 2, &format!("<title>{}</title>\n", escaped(title)));
    }
    for (number, (width, dashes)) in PENS.iter().enumerate() {
        let sent = format!("stroke-width=\"{}\"", FIRST_PEN as usize + number);
        let dashes =
            if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
        text = text.replace(&sent, &format!("stroke-width=\"{width}\"{dashes}"));
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pens_become_widths_and_dashes() {
        let svg = draw("a & b", |canvas| {
            canvas.line(vec![(0, 0), (9, 9)], INK, 1.0, Pen::Series(1));
            canvas.line(vec![(0, 0), (9, 9)], INK, 1.0, Pen::Hair);
        });
        let svg = svg.expect("a figure");
        assert!(svg.contains("stroke-width=\"4\" stroke-dasharray=\"18 9\""), "{svg}");
        assert!(svg.contains("stroke-width=\"1.6\" points"), "{svg}");
        assert!(svg.contains("<title>a &amp; b</title>") && !svg.contains("\"90"), "{svg}");
    }
}
