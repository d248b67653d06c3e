//! The page: one HTML file that needs nothing else, made from `src/report/template.html`.
//! This module says what is on it; the template says how it looks.

mod facts;
mod tables;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

use super::error::ReportError;
use super::load::{Results, Run};
use super::plot::Figure;
use super::units::{bytes, count, duration, plain};
use facts::{Fact, facts_of};
use tables::{Cell, Table};

const TEMPLATE: &str = include_str!("../template.html");

#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    about: &'a str,
    /// What was run, in short.
    facts: Vec<Fact>,
    trace: Vec<Fact>,
    tables: Vec<Table>,
    figures: Vec<PageFigure<'a>>,
    warnings: Vec<Warning>,
    runs: Vec<PageRun>,
    configs: Vec<PageConfig<'a>>,
    /// The bound of the bounded slowdown.
    tau: String,
    version: &'a str,
}

#[derive(Serialize)]
struct PageFigure<'a> {
    title: &'a str,
    file: &'a str,
    caption: &'a str,
    svg: String,
}

#[derive(Serialize)]
struct Warning {
    text: String,
    /// The runs that gave it; empty for what the report itself noticed.
    runs: Vec<String>,
}

#[derive(Serialize)]
struct PageRun {
    policy: String,
    seed: u64,
    started: String,
    version: String,
    record_hash: String,
    /// Events, simulated time, wall time, events per second, peak memory.
    figures: [Cell; 5],
    files: Vec<Link>,
}

#[derive(Serialize)]
struct Link {
    name: String,
    href: String,
}

#[derive(Serialize)]
struct PageConfig<'a> {
    policy: &'a str,
    json: String,
}

/// Makes the page.
pub(super) fn render(results: &Results, figures: &[Figure]) -> Result<String, ReportError> {
    // Reading results fails when there is no run, so that there is a first one.
    let first = &results.runs[0].manifest;
    let page = Page {
        title: &first.experiment,
        about: &first.about,
        facts: facts::of_experiment(results),
        trace: facts_of(&first.trace),
        tables: tables::all(results),
        figures: figures.iter().map(page_figure).collect(),
        warnings: warnings(results),
        runs: results.runs.iter().map(page_run).collect(),
        configs: configs(results)?,
        tau: duration(first.tau_seconds),
        version: &first.mesosim_version,
    };
    fill(&page).map_err(|error| ReportError::Page { message: format!("{error:#}") })
}

fn fill(page: &Page<'_>) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template("report.html", TEMPLATE)?;
    environment.get_template("report.html")?.render(Value::from(Serde(page)))
}

/// A figure as part of the page: without the name space and the title, which only a file of its own needs.
fn page_figure(figure: &Figure) -> PageFigure<'_> {
    let mut svg = figure.svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1);
    if let (Some(from), Some(to)) = (svg.find("<title>"), svg.find("</title>\n")) {
        svg.replace_range(from..to + "</title>\n".len(), "");
    }
    PageFigure { title: &figure.title, file: &figure.file, caption: &figure.caption, svg }
}

/// The warnings of all manifests, each once, and what the report itself noticed.
fn warnings(results: &Results) -> Vec<Warning> {
    let note = |text: &String| Warning { text: text.clone(), runs: Vec::new() };
    let mut all: Vec<Warning> = results.notes.iter().map(note).collect();
    for run in &results.runs {
        let name = format!("{}, seed {}", run.summary.policy, run.summary.seed);
        for text in &run.manifest.warnings {
            match all.iter_mut().find(|warning| warning.text == *text && !warning.runs.is_empty()) {
                Some(warning) => warning.runs.push(name.clone()),
                None => all.push(Warning { text: text.clone(), runs: vec![name.clone()] }),
            }
        }
    }
    all
}

fn page_run(run: &Run) -> PageRun {
    let manifest = &run.manifest;
    PageRun {
        policy: run.summary.policy.clone(),
        seed: run.summary.seed,
        started: manifest.started.clone().unwrap_or_else(|| "–".to_owned()),
        version: version(run),
        record_hash: manifest.record_hash.clone(),
        figures: [
            Cell::of(Some(manifest.events as f64), count),
            Cell::of(Some(manifest.simulated_seconds), duration),
            Cell::of(manifest.wall_seconds, duration),
            Cell::of(manifest.events_per_second, plain),
            Cell::of(manifest.peak_memory_bytes.map(|size| size as f64), bytes),
        ],
        files: run.files.iter().map(|name| link(&run.place, name)).collect(),
    }
}

fn version(run: &Run) -> String {
    let manifest = &run.manifest;
    let commit = manifest.git_commit.as_deref().map(|commit| commit.chars().take(10).collect::<String>());
    let commit = commit.map_or(String::new(), |commit| format!(" ({commit})"));
    let features = if manifest.features.is_empty() {
        String::new()
    } else {
        format!(", {}", manifest.features.join(", "))
    };
    format!("{}{commit}{features}", manifest.mesosim_version)
}

fn link(place: &str, name: &str) -> Link {
    Link { name: name.to_owned(), href: encoded(&format!("{place}/{name}")) }
}

/// A relative path as an address: what has a meaning in addresses is written as `%xx`.
fn encoded(path: &str) -> String {
    let mut address = String::from("./");
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/=+,@".contains(&byte) {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    address
}

/// The resolved configuration of each policy's first run.
fn configs(results: &Results) -> Result<Vec<PageConfig<'_>>, ReportError> {
    let mut configs = Vec::new();
    for policy in &results.policies {
        let Some(run) = results.of(policy).first().copied() else { continue };
        let json = serde_json::to_string_pretty(&run.manifest.config);
        let json = json.map_err(|error| ReportError::Page { message: error.to_string() })?;
        configs.push(PageConfig { policy, json });
    }
    Ok(configs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_hide_what_would_end_a_path() {
        assert_eq!(encoded("policy=a b#?/seed=1/jobs.csv"), "./policy=a%20b%23%3F/seed=1/jobs.csv");
    }
}
