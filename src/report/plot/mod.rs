//! Figures, as SVG texts: allocation over time by resource and by role, distribution functions of the times that
//! jobs waited and took, and, where something went wrong, recoveries of masters and work in vain. They hold nothing that differs between two runs of the same experiment.

mod by_role;
mod canvas;
pub(super) mod chart;
mod distribution;
mod frame;
mod grid;
mod lost_work;
mod over_time;
mod recovery;
mod scale;
pub(super) mod trace;

use super::error::ReportError;
use super::load::Results;

/// A drawn figure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    /// The file's name, for the directory of plots.
    pub(super) file: String,
    pub(super) title: String,
    /// What the reader has to know, in sentences.
    pub(super) caption: String,
    /// A whole SVG document.
    pub(super) svg: String,
}

/// Draws every figure, in the order in which a reader should meet them.
pub(super) fn figures(results: &Results) -> Result<Vec<Figure>, ReportError> {
    let mut figures = Vec::new();
    for measure in &distribution::MEASURES {
        figures.push(distribution::figure(results, measure)?);
    }
    for resource in results.resources() {
        figures.push(over_time::figure(results, &resource)?);
    }
    if let Some(resource) = by_role::most_contended(results) {
        let layers = by_role::Layers::of(results, &resource);
        for policy in &results.policies {
            figures.push(by_role::figure(results, &layers, policy)?);
        }
    }
    figures.extend(recovery::figure(results)?);
    figures.extend(lost_work::figure(results)?);
    part_names(&mut figures);
    Ok(figures)
}

/// Gives figures whose files would have the same name different ones.
fn part_names(figures: &mut [Figure]) {
    for n in 1..figures.len() {
        let (before, rest) = figures.split_at_mut(n);
        let stem = rest[0].file.trim_end_matches(".svg").to_owned();
        let taken = |name: &str| before.iter().any(|figure| figure.file == name);
        let mut next = 2;
        while taken(&rest[0].file) {
            rest[0].file = format!("{stem}-{next}.svg");
            next += 1;
        }
    }
}

/// `words` if some policy was run with more than one seed.
fn seeds_in_words<'a>(results: &Results, words: &'a str) -> &'a str {
    if results.runs.len() > results.policies.len() { words } else { "" }
}

/// A name with nothing in it that a file's name should not have.
fn file_word(name: &str) -> String {
    let fit = |letter: char| letter.is_ascii_alphanumeric() || "-_+".contains(letter);
    name.chars().map(|letter| if fit(letter) { letter } else { '-' }).collect()
}

/// Adds a level stretch to a line of steps, and joins it to the one before if both are level.
fn push_step(points: &mut Vec<(i32, i32)>, from: i32, to: i32, y: i32) {
    match points.last_mut() {
        Some(last) if *last == (from, y) => last.0 = to,
        Some(_) | None => points.extend([(from, y), (to, y)]),
    }
}
