//! What is wrong with an experiment, and where: shown with the line, what was expected, and the nearest valid word.

use std::{fmt, io, path::PathBuf};

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// Why an experiment could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the experiment file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
        /// What to do about it, if that is known.
        help: Option<String>,
    },
    /// What the file or a `--set` says is wrong.
    #[error(transparent)]
    Invalid(Box<Invalid>),
}

/// A mistake in an experiment. It shows as the message; with miette, also the line and the help.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
pub struct Invalid {
    message: String,
    #[source_code]
    written: NamedSource<String>,
    #[label(collection)]
    labels: Vec<LabeledSpan>,
    #[help]
    help: Option<String>,
    /// Further mistakes in the same experiment.
    #[related]
    others: Vec<Invalid>,
}

impl Invalid {
    pub(super) fn new(
        message: String,
        written: NamedSource<String>,
        labels: Vec<LabeledSpan>,
        help: Option<String>,
    ) -> Self {
        Self { message, written, labels, help, others: Vec::new() }
    }

    /// The file, or `--set`.
    #[must_use]
    pub fn source_name(&self) -> &str {
        self.written.name()
    }

    /// The line that the first label is on, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        let offset = self.labels.first().map_or(0, LabeledSpan::offset);
        self.written.inner().bytes().take(offset).filter(|&b| b == b'\n').count() + 1
    }

    /// What to do about it.
    #[must_use]
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Further mistakes in the same experiment.
    #[must_use]
    pub fn others(&self) -> &[Self] {
        &self.others
    }
}

impl ConfigError {
    /// All mistakes as one error that shows the first and relates the others. None if there is none.
    pub(super) fn of(mistakes: Vec<Invalid>) -> Option<Self> {
        let mut mistakes = mistakes.into_iter();
        let mut first = mistakes.next()?;
        first.others = mistakes.collect();
        Some(first.into())
    }

    /// The first mistake, if the file could be read at all.
    #[must_use]
    pub fn invalid(&self) -> Option<&Invalid> {
        match self {
            Self::Read { .. } => None,
            Self::Invalid(invalid) => Some(invalid),
        }
    }
}

impl From<Invalid> for ConfigError {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(Box::new(invalid))
    }
}

impl From<Box<Invalid>> for ConfigError {
    fn from(invalid: Box<Invalid>) -> Self {
        Self::Invalid(invalid)
    }
}

/// Everything that miette shows is that of the mistake.
impl Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match self {
            Self::Read { help, .. } => help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>),
            Self::Invalid(invalid) => invalid.help(),
        }
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.invalid().and_then(Diagnostic::source_code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.invalid().and_then(Diagnostic::labels)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        self.invalid().and_then(Diagnostic::related)
    }
}
