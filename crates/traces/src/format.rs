//! Which format a file is of, by its content, and which files belong together.

use std::path::{Path, PathBuf};

use crate::{Context, FORMATS, Options, Quality, Sink, Source, TraceError, error::nearest};

/// The name of a table of a format: `task_events`, `pods`.
pub type Table = &'static str;

/// A trace format: one file in `read/`, and one line in [`FORMATS`].
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Its name on command lines and in experiment files.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Where it is defined and under which terms its data come.
    pub source: &'static str,
    /// Which of its files make one trace.
    pub grouping: Grouping,
    /// Which table of the format a file with this content holds; `None`: it is not of this format.
    pub detect: fn(&Source) -> Option<Table>,
    /// Hands all rows of a trace to the context.
    pub read: fn(&[Part<'_>], &mut Context<'_>) -> Result<(), TraceError>,
}

/// Which files make one trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grouping {
    /// Each file is a trace of its own.
    File,
    /// All files of one directory are one trace.
    Directory,
    /// All files that are named together are one trace.
    Together,
}

/// One file of a trace.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The file.
    pub source: &'a Source,
    /// Which table of its format it is.
    pub table: Table,
}

/// A trace: files of one format that belong together.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Its format.
    pub format: &'static Format,
    /// Its files with their tables, in the order in which they were named (in directories: by name).
    pub files: Vec<(Source, Table)>,
}

/// What was found under some paths.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The traces.
    pub traces: Vec<Trace>,
    /// Files in directories that are of no known format.
    pub unknown: Vec<PathBuf>,
}

impl Format {
    /// The format of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<&'static Self, TraceError> {
        FORMATS.iter().find(|format| format.name == name).ok_or_else(|| {
            let names = FORMATS.iter().map(|format| format.name);
            let expected = nearest(name, names.clone())
                .map_or_else(|| names.collect::<Vec<_>>().join(", "), |name| format!("`{name}`"));
            TraceError::NoSuchFormat { name: name.to_owned(), expected }
        })
    }
}

impl Trace {
    /// The traces under these paths. With a format, only that one is looked for.
    ///
    /// # Errors
    /// A path cannot be read, a named file is of no known format, or there is no trace at all.
    pub fn find(paths: &[PathBuf], format: Option<&'static Format>) -> Result<Found, TraceError> {
        let mut found = Found::default();
        for path in paths {
            let is_file = path.is_file();
            for source in Source::all(std::slice::from_ref(path))? {
                match recognise(&source, format) {
                    Some((format, table)) => found.add(format, source, table),
                    None if is_file => return Err(unknown(path, format)),
                    None => found.unknown.push(source.path),
                }
            }
        }
        match (found.traces.is_empty(), paths.first()) {
            (true, Some(path)) => Err(unknown(path, format)),
            _ => Ok(found),
        }
    }

    /// The one trace under a path.
    ///
    /// # Errors
    /// See [`Trace::find`]; or there are several.
    pub fn one(path: &Path, format: Option<&'static Format>) -> Result<Self, TraceError> {
        let mut found = Self::find(&[path.to_owned()], format)?;
        if found.traces.len() > 1 {
            let names = found.traces.iter().take(4).map(|trace| trace.files[0].0.path.display().to_string());
            let problem = format!(
                "{} traces are in it ({}, …)",
                found.traces.len(),
                names.collect::<Vec<_>>().join(", ")
            );
            return Err(TraceError::Unknown { path: path.to_owned(), problem, expected: "one".to_owned() });
        }
        Ok(found.traces.remove(0))
    }

    /// Reads it. `progress` hears of bytes read so far (of all files, decompressed) and says whether to go on.
    ///
    /// # Errors
    /// A file cannot be read to its end or is not of the format after all, the sink failed, or somebody interrupted.
    pub fn read(
        &self,
        options: &Options,
        sink: &mut dyn Sink,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Quality, TraceError> {
        let mut context = Context::new(options, sink, progress);
        let parts: Vec<_> = self.files.iter().map(|(source, table)| Part { source, table }).collect();
        (self.format.read)(&parts, &mut context)?;
        Ok(context.quality)
    }
}

fn recognise(source: &Source, format: Option<&'static Format>) -> Option<(&'static Format, Table)> {
    let formats = FORMATS.iter().filter(|known| format.is_none_or(|wanted| wanted.name == known.name));
    formats.into_iter().find_map(|format| (format.detect)(source).map(|table| (format, table)))
}

fn unknown(path: &Path, format: Option<&'static Format>) -> TraceError {
    let expected = format.map_or_else(
        || "a trace of a format that `mesosim list formats` names".to_owned(),
        |format| format!("{} ({})", format.name, format.about),
    );
    TraceError::Unknown {
        path: path.to_owned(),
        problem: "is no trace of a known format".to_owned(),
        expected,
    }
}

impl Found {
    fn add(&mut self, format: &'static Format, source: Source, table: Table) {
        let fits = |trace: &&mut Trace| {
            trace.format.name == format.name
                && match format.grouping {
                    Grouping::File => false,
                    Grouping::Directory => trace.files[0].0.path.parent() == source.path.parent(),
                    Grouping::Together => true,
                }
        };
        match self.traces.iter_mut().find(fits) {
            Some(trace) => trace.files.push((source, table)),
            None => self.traces.push(Trace { format, files: vec![(source, table)] }),
        }
    }
}
