//! Reports on results that lie on disk: figures, one page of HTML and a table for the terminal.
//!
//! Reads `results/<experiment>/` and nothing else, never a live run: a report can be made again at any time, and the
//! same results give the same bytes. Figures hold nothing that differs between two runs of the same experiment;
//! the page quotes wall time and memory from the manifests.

mod error;
mod load;
mod page;
mod plot;
#[cfg(test)]
mod sample;
mod terminal;
#[cfg(test)]
mod tests;
pub mod units;

use std::fs;
use std::path::{Path, PathBuf};

pub use error::ReportError;
pub use load::{ApplicationFigure, JobCounts, OfferCounts, ResourceShares, Spread, SummaryRow, WorkFigures};
use mesosim_traces::Inspection;
pub use plot::chart::{Chart, Scale};
pub use terminal::summary_table;

/// What [`build`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The files: the page first, then the figures.
    pub files: Vec<PathBuf>,
}

/// Makes `report.html` and `plots/*.svg` from the results in `dir`.
///
/// Everything is read and drawn before anything is written, and every file is written under another name and then
/// renamed: an error leaves an earlier report as it was.
pub fn build(dir: &Path) -> Result<Built, ReportError> {
    let results = load::read(dir)?;
    let figures = plot::figures(&results)?;
    let page = page::render(&results, &figures)?;
    let plots = dir.join("plots");
    fs::create_dir_all(&plots).map_err(ReportError::write(&plots))?;
    let mut files = vec![(dir.join("report.html"), page)];
    files.extend(figures.into_iter().map(|figure| (plots.join(figure.file), figure.svg)));
    write_all(&files)?;
    remove_outdated(&plots, &files);
    Ok(Built { files: files.into_iter().map(|(path, _)| path).collect() })
}

/// Draws figures into a directory, which is made if it is not there, and says where they are.
///
/// # Errors
/// A figure cannot be drawn or written.
pub fn draw_charts(dir: &Path, charts: &[Chart]) -> Result<Vec<PathBuf>, ReportError> {
    let drawn = charts.iter().map(|chart| Ok((dir.join(&chart.file), chart.svg()?)));
    let files = drawn.collect::<Result<Vec<_>, ReportError>>()?;
    fs::create_dir_all(dir).map_err(ReportError::write(dir))?;
    write_all(&files)?;
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// Draws what a trace consists of, as `<stem>-*.svg` in `dir`, and says which files it wrote.
///
/// # Errors
/// A figure could not be drawn or written; then none is left half.
pub fn build_trace_plots(
    dir: &Path,
    stem: &str,
    name: &str,
    inspection: &Inspection,
) -> Result<Vec<PathBuf>, ReportError> {
    let figures = plot::trace::figures(name, inspection)?;
    fs::create_dir_all(dir).map_err(ReportError::write(dir))?;
    let path = |file: &str| dir.join(format!("{stem}-{file}"));
    let files: Vec<_> = figures.into_iter().map(|figure| (path(&figure.file), figure.svg)).collect();
    write_all(&files)?;
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// The summary of the results in `dir`, as a table for the terminal.
pub fn terminal_summary(dir: &Path) -> Result<String, ReportError> {
    Ok(summary_table(&load::read_rows(dir)?))
}

/// Removes figures of an earlier report that are not part of this one.
fn remove_outdated(plots: &Path, files: &[(PathBuf, String)]) {
    let entries = fs::read_dir(plots).into_iter().flatten().flatten().map(|entry| entry.path());
    let figures = entries.filter(|path| path.extension().is_some_and(|extension| extension == "svg"));
    for outdated in figures.filter(|path| !files.iter().any(|(written, _)| written == path)) {
        let _ = fs::remove_file(outdated); // the report does not show it, so it may stay if it must
    }
}

/// Writes all files under other names, then renames them.
fn write_all(files: &[(PathBuf, String)]) -> Result<(), ReportError> {
    let written = files
        .iter()
        .try_for_each(|(path, text)| fs::write(unfinished(path), text).map_err(ReportError::write(path)));
    let moved = written.and_then(|()| {
        files
            .iter()
            .try_for_each(|(path, _)| fs::rename(unfinished(path), path).map_err(ReportError::write(path)))
    });
    if moved.is_err() {
        for (path, _) in files {
            // What is already renamed or was never written is not there: nothing to do about it.
            let _gone = fs::remove_file(unfinished(path));
        }
    }
    moved
}

/// The name of a file that is not complete yet.
fn unfinished(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.unfinished"))
}
