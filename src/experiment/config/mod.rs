//! Experiment files: what they can say, and what is wrong with one.
//!
//! [`load`] reads a TOML file, applies `--set key=value`, and checks everything that can be checked without opening
//! another file. What is found wrong later (a trace that is not there) points at its line through
//! [`Loaded::error_at`]. Which policies and formats exist is not known here: the caller hands in the
//! [`Vocabulary`].

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use miette::{LabeledSpan, NamedSource};
use toml_edit::Document;

mod agent;
mod check;
mod default;
mod error;
pub mod fault;
pub mod generator;
mod law;
mod nearest;
mod outline;
mod path;
mod reading;
mod schema;
mod set;
mod source;
mod spec;
#[cfg(test)]
mod tests;
mod units;

pub use agent::{Agent, Image, MemPeak, Profile};
pub(super) use check::Check;
pub use error::{ConfigError, Invalid};
pub use law::{Distribution, Law};
pub use path::{KeyPath, Segment};
pub use schema::schema;
pub use spec::{
    AgentGroup, Cluster, DurationDistribution, Experiment, Framework, Largest, Master, Measure, Missing,
    Network, Poisson, Policy, Rejected, ResourceName, TraceFile, Unscheduled, VisitOrder, Workload,
};
pub use units::{Duration, Size, UnitError};

use crate::policy::{self, Entry};
use fault::Fault;
use set::Setting;
use source::{Problem, Source};

/// The words that an experiment can use, by what they name.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary<'a> {
    /// Of `policy.sorter`.
    pub sorters: &'a [&'a str],
    /// Of `policy.order`.
    pub orders: &'a [&'a str],
    /// Of `policy.placement`.
    pub placements: &'a [&'a str],
    /// Of `framework.kind`.
    pub kinds: &'a [&'a str],
    /// Of `policy.response`.
    pub responses: &'a [&'a str],
    /// Of `agent.resource_estimator`.
    pub estimators: &'a [&'a str],
    /// Of `agent.qos_controller`.
    pub controllers: &'a [&'a str],
    /// Of `format` of a trace.
    pub trace_formats: &'a [&'a str],
    /// Of `framework.capabilities`.
    pub capabilities: &'a [&'a str],
}

/// An experiment that is right as far as it goes, and the text that it came from.
#[derive(Debug)]
pub struct Loaded {
    /// The experiment. Paths of traces are relative to where the program runs, no longer to the file.
    pub experiment: Experiment,
    source: Source,
}

/// Reads the experiment file at `path` with the settings (`key=value`) applied to it.
///
/// # Errors
/// The file cannot be read, or it or a setting says something wrong.
pub fn load(path: &Path, settings: &[String], vocabulary: &Vocabulary<'_>) -> Result<Loaded, ConfigError> {
    let bytes = fs::read(path).map_err(|error| cannot_read(path, error))?;
    let name = path.display().to_string();
    let text = String::from_utf8(bytes).map_err(|error| not_text(&name, &error))?;
    let directory = path.parent().unwrap_or(Path::new(""));
    load_text(&name, &text, directory, settings, vocabulary)
}

/// As [`load`], of a text. `name` is shown in errors; paths of traces are relative to `directory`.
///
/// # Errors
/// The text or a setting says something wrong.
pub fn load_text(
    name: &str,
    text: &str,
    directory: &Path,
    settings: &[String],
    vocabulary: &Vocabulary<'_>,
) -> Result<Loaded, ConfigError> {
    let document = Document::parse(text).map_err(|error| not_toml(name, text, &error))?;
    let mut settings = settings.iter().map(|text| Setting::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let effective = if settings.is_empty() { text.to_owned() } else { apply(&document, &mut settings)? };
    let source = Source::new(name, text, &document, settings);
    let mut experiment = reading::read(&effective).map_err(|problem| source.invalid(*problem))?;
    if let Some(error) = source.error(check::check(&experiment, vocabulary)) {
        return Err(error);
    }
    resolve_paths(&mut experiment, directory);
    Ok(Loaded { experiment, source })
}

impl Loaded {
    /// The file as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        self.source.text()
    }

    /// As [`error_at`](Self::error_at), about a word that is not among the valid ones.
    #[must_use]
    pub fn unknown_word(&self, path: impl Into<KeyPath>, word: &str, valid: &[&str]) -> ConfigError {
        self.source.invalid(reading::unknown_word(&path.into(), word, valid)).into()
    }

    /// An error about the value at `path` (`policy[1].placement`), for what can only be found later. It points at
    /// the line or the `--set` that gives the value; if nothing does, at what is around it.
    #[must_use]
    pub fn error_at(
        &self,
        path: impl Into<KeyPath>,
        message: impl Into<String>,
        help: Option<String>,
    ) -> ConfigError {
        let problem = Problem { help, ..Problem::new(path, message, "given here") };
        self.source.invalid(problem).into()
    }
}

/// The text that the file and the settings make together.
fn apply<S: AsRef<str>>(document: &Document<S>, settings: &mut [Setting]) -> Result<String, ConfigError> {
    let mut changed = Document::parse(document.raw().to_owned()).expect("parsed before").into_mut();
    for setting in settings {
        setting.apply(&mut changed)?;
    }
    Ok(changed.to_string())
}

fn resolve_paths(experiment: &mut Experiment, directory: &Path) {
    let workload = experiment.workload.as_mut();
    let (of_workload, generator) =
        workload.map_or((None, None), |workload| (workload.trace.as_mut(), workload.generator.as_mut()));
    let traces = [experiment.cluster.trace.as_mut(), of_workload];
    let paths = traces.into_iter().flatten().map(|trace| &mut trace.path);
    let of_generator = generator.into_iter().flat_map(generator::Generator::paths);
    for path in paths.chain(of_generator).chain(experiment.fault.iter_mut().filter_map(Fault::path)) {
        *path = directory.join(&path);
    }
}

/// The entry of a registry against which the name was checked when the file was loaded.
pub(super) fn known<T>(registry: &'static [Entry<T>], name: &str) -> &'static Entry<T> {
    policy::find(registry, name)
        .unwrap_or_else(|| panic!("`{name}` was checked against the registry when it was loaded"))
}

fn cannot_read(path: &Path, source: io::Error) -> ConfigError {
    let missing = source.kind() == io::ErrorKind::NotFound;
    let help = if missing { similar_file(path) } else { None };
    ConfigError::Read { path: path.to_owned(), source, help }
}

/// A file with a similar name in the same directory.
fn similar_file(path: &Path) -> Option<String> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let entries = fs::read_dir(directory.unwrap_or(Path::new("."))).ok()?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names.retain(|name| name.ends_with(".toml"));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let name = nearest::nearest(path.file_name()?.to_str()?, &names)?;
    let near: PathBuf = directory.map_or_else(|| PathBuf::from(name), |directory| directory.join(name));
    Some(format!("did you mean {}?", near.display()))
}

fn not_text(name: &str, error: &std::string::FromUtf8Error) -> ConfigError {
    let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
    let end = good.len();
    at_text(name, good, end..end, "the file is not UTF-8 text".to_owned(), "from here on", None)
}

fn not_toml(name: &str, text: &str, error: &toml_edit::TomlError) -> ConfigError {
    let message = format!("not valid TOML: {}", error.message().replace('\n', ", "));
    at_text(name, text.to_owned(), error.span().unwrap_or(0..0), message, "here", None)
}

fn at_text(
    name: &str,
    text: String,
    span: std::ops::Range<usize>,
    message: String,
    label: &str,
    help: Option<String>,
) -> ConfigError {
    let label = LabeledSpan::new_primary_with_span(Some(label.to_owned()), span);
    Invalid::new(message, NamedSource::new(name, text), vec![label], help).into()
}
