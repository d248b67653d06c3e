//! The text of an experiment, and the way from a key to the place where somebody wrote it: a line of the file or a
//! `--set` of the command line.

use std::ops::Range;

use miette::{LabeledSpan, NamedSource};
use toml_edit::Document;

use super::{
    error::{ConfigError, Invalid},
    outline::{Outline, Part},
    path::KeyPath,
    set::Setting,
};

/// Something wrong at a key.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) path: KeyPath,
    pub(super) part: Part,
    pub(super) message: String,
    /// Beside the place in the text; short.
    pub(super) label: String,
    pub(super) help: Option<String>,
    /// Another place that has to do with it, and what it has to do with it.
    pub(super) also: Option<(KeyPath, String)>,
}

/// The file as it was written, and the settings that change it.
#[derive(Debug)]
pub(super) struct Source {
    name: String,
    text: String,
    outline: Outline,
    settings: Vec<Setting>,
}

/// A place that somebody wrote. `setting` is `None` for the file.
#[derive(PartialEq)]
struct Place {
    setting: Option<usize>,
    span: Range<usize>,
}

impl Problem {
    pub(super) fn new(
        path: impl Into<KeyPath>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        let (path, message, label) = (path.into(), message.into(), label.into());
        Self { path, part: Part::Value, message, label, help: None, also: None }
    }

    pub(super) fn at_key(self) -> Self {
        Self { part: Part::Key, ..self }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    pub(super) fn also(self, path: impl Into<KeyPath>, label: impl Into<String>) -> Self {
        Self { also: Some((path.into(), label.into())), ..self }
    }
}

impl Source {
    /// The document must be that of the text, without the settings.
    pub(super) fn new<S>(name: &str, text: &str, document: &Document<S>, settings: Vec<Setting>) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), outline: Outline::of(document), settings }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Points at what the problems are about. None if there are none.
    pub(super) fn error(&self, problems: Vec<Problem>) -> Option<ConfigError> {
        ConfigError::of(problems.into_iter().map(|problem| self.invalid(problem)).collect())
    }

    /// Points at what the problem is about.
    pub(super) fn invalid(&self, problem: Problem) -> Invalid {
        let place = self.locate(&problem.path, problem.part);
        let mut labels = vec![LabeledSpan::new_primary_with_span(Some(problem.label), place.span.clone())];
        let also = problem.also.map(|(path, label)| (self.locate(&path, problem.part), label));
        if let Some((other, label)) = also
            && other.setting == place.setting
            && other != place
        {
            labels.push(LabeledSpan::new_with_span(Some(label), other.span));
        }
        Invalid::new(problem.message, self.named(place.setting), labels, problem.help)
    }

    fn named(&self, setting: Option<usize>) -> NamedSource<String> {
        match setting {
            None => NamedSource::new(&self.name, self.text.clone()),
            Some(setting) => NamedSource::new("--set", self.settings[setting].text.clone()),
        }
    }

    /// Where somebody wrote what is at `path`: the last setting that gives it, else the file, else a setting of
    /// something inside it, else whatever of the file is around it.
    fn locate(&self, path: &KeyPath, part: Part) -> Place {
        let last = |of: &dyn Fn(&Setting) -> bool| self.settings.iter().rposition(of);
        if let Some(setting) = last(&|setting| setting.path.contains(path)) {
            let span = self.settings[setting].span(path, part);
            return Place { setting: Some(setting), span };
        }
        if let Some(span) = self.outline.find(path, part) {
            return Place { setting: None, span };
        }
        let Some(above) = path.parent() else {
            return Place { setting: None, span: 0..0 };
        };
        match last(&|setting| path.contains(&setting.path)) {
            Some(setting) => Place { setting: Some(setting), span: self.settings[setting].span(path, part) },
            None => self.locate(&above, Part::Value),
        }
    }
}
