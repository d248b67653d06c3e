//! The labels of traced jobs, by which frameworks select them.

use std::collections::BTreeMap;

use mesosim_traces::JobRow;

use crate::{
    experiment::{
        ExperimentError,
        config::{Framework, Loaded},
    },
    workload::Job,
};

/// The labels that jobs of all formats may have.
const NAMES: [&str; 5] = ["class", "user", "group", "application", "priority"];
/// What openb, and no other format, calls the class.
const QOS: &str = "qos";

/// What a job is told apart by; in the order of [`NAMES`].
#[derive(Default)]
pub(super) struct Labels([Option<Box<str>>; NAMES.len()]);

impl Labels {
    pub(super) fn of(row: &JobRow<'_>) -> Self {
        let texts = [&row.class, &row.user, &row.group, &row.application];
        let [class, user, group, application] = texts.map(|text| text.as_deref().map(Box::from));
        let priority = row.priority.map(|priority| priority.to_string().into());
        Self([class, user, group, application, priority])
    }

    /// The class, or nothing.
    pub(super) fn class(&self) -> Box<str> {
        self.0[0].clone().unwrap_or_default()
    }

    /// The kind of application, or nothing.
    pub(super) fn application(&self) -> &str {
        self.0[3].as_deref().unwrap_or_default()
    }

    fn of_name(&self, name: &str) -> Option<&str> {
        let name = if name == QOS { NAMES[0] } else { name };
        let place = NAMES.iter().position(|known| *known == name)?;
        self.0[place].as_deref()
    }

    fn have_all(&self, selected: &BTreeMap<String, String>) -> bool {
        selected.iter().all(|(name, value)| self.of_name(name) == Some(value))
    }

    fn in_words(&self, names: &[&str]) -> String {
        let known = names.iter().filter_map(|name| Some(format!("{name} `{}`", self.of_name(name)?)));
        let known: Vec<String> = known.collect();
        if known.is_empty() { "which has no labels".to_owned() } else { known.join(", ") }
    }
}

/// The names of the labels that jobs of a format may have.
pub(super) fn names(format: &str) -> Vec<&'static str> {
    if format == "openb" { vec![QOS] } else { NAMES.to_vec() }
}

/// Gives each job to the framework that selects it: the first of which it has all labels, or the one without `select`.
pub(super) fn by_framework(
    loaded: &Loaded,
    format: &str,
    jobs: Vec<(Job, Labels)>,
) -> Result<Vec<Vec<Job>>, ExperimentError> {
    let frameworks = &loaded.experiment.framework;
    let names = names(format);
    all_are_known(loaded, &names)?;
    let takes_rest = |framework: &Framework| framework.select.is_none() && framework.takes_workload();
    let default = frameworks.iter().position(takes_rest);
    let mut of_framework = vec![Vec::new(); frameworks.len()];
    for (job, labels) in jobs {
        let selects =
            |framework: &Framework| framework.select.as_ref().is_some_and(|select| labels.have_all(select));
        let Some(taker) = frameworks.iter().position(selects).or(default) else {
            let message =
                format!("job {} ({}) is selected by no framework", job.name, labels.in_words(&names));
            let example = format!("`select = {{ {} = \"…\" }}`", names[0]);
            let help = format!("add a framework with {example}, or one without `select` for all other jobs");
            return Err(loaded.error_at("framework", message, Some(help)).into());
        };
        of_framework[taker].push(job);
    }
    Ok(of_framework)
}

fn all_are_known(loaded: &Loaded, names: &[&str]) -> Result<(), ExperimentError> {
    for (place, framework) in loaded.experiment.framework.iter().enumerate() {
        let mut selected = framework.select.iter().flat_map(BTreeMap::keys);
        let is_known = |label: &str| names.contains(&label) || NAMES.contains(&label);
        if let Some(label) = selected.find(|label| !is_known(label)) {
            let path = format!("framework[{place}].select.{label}");
            let message = format!("jobs of this workload have no label `{label}`");
            let help = match names {
                [only] => format!("their label is `{only}`"),
                all => format!("their labels are {}", all.join(", ")),
            };
            return Err(loaded.error_at(path.as_str(), message, Some(help)).into());
        }
    }
    Ok(())
}
