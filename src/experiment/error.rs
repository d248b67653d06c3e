//! What can go wrong between an experiment file and its results.

use std::{io, path::PathBuf};

use super::config::ConfigError;

/// Why an experiment could not be run. None of these leaves a half-written result.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The experiment file, or a file that it names, is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A result could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Which file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl ExperimentError {
    /// Makes an error of a failed write to `path`.
    pub(super) fn writing(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { path, source }
    }
}
