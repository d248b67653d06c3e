//! What no type can say of the kinds of frameworks, and of who takes which jobs.

use super::{
    super::{super::kinds, reading::missing_key},
    Check, Experiment, Framework, KeyPath, Problem,
};

impl Check<'_> {
    /// There is a workload exactly if somebody takes it.
    pub(super) fn workload_is_taken(&mut self, experiment: &Experiment) {
        let is_taken = experiment.framework.iter().any(Framework::takes_workload);
        match &experiment.workload {
            Some(workload) => {
                self.workload(workload);
                if !is_taken && !experiment.framework.is_empty() {
                    let help =
                        "leave it out, or add a framework that takes jobs, such as one of the kind `batch`";
                    let message = "nobody takes the jobs of `[workload]`: all frameworks bring their own";
                    self.add(Problem::new("workload", message, "taken by nobody").help(help));
                }
            }
            None if is_taken => self.add(missing_key("workload", &KeyPath::ROOT)),
            None => {}
        }
    }

    /// Kinds, their tables, and how they answer offers.
    pub(super) fn kinds(&mut self, experiment: &Experiment) {
        for (index, framework) in experiment.framework.iter().enumerate() {
            let path = format!("framework[{index}]");
            self.word(format!("{path}.kind"), &framework.kind, self.vocabulary.kinds);
            self.tables(&path, framework);
            if let Some(answer) = &framework.answer {
                answer.check(&format!("{path}.answer"), &framework.kind, self);
            }
            let Some(table) = kinds::table(framework) else { continue };
            table.check(&format!("{path}.{}", framework.kind), self);
            if framework.select.is_some() && !table.takes_workload() {
                let message = format!("`{}` brings its own jobs and selects none", framework.name);
                self.add(Problem::new(format!("{path}.select"), message, "selects nothing"));
            }
            if table.is_endless() && experiment.until.is_none() {
                let message = format!("`{}` never comes to an end by itself", framework.name);
                let help = "say when the experiment is over, such as\nuntil = \"1 h\"";
                self.add(Problem::new(path, message, "goes on for ever").help(help));
            }
        }
    }

    /// A framework has no table of another kind.
    fn tables(&mut self, path: &str, framework: &Framework) {
        let kind = &framework.kind;
        for other in kinds::given(framework).into_iter().filter(|other| other != kind) {
            let message =
                format!("`{}` is of the kind `{kind}`, and has a table for `{other}`", framework.name);
            let problem =
                Problem::new(format!("{path}.{other}"), message, format!("not of the kind `{kind}`"));
            self.add(problem.help(format!("write kind = \"{other}\", or leave the table out")));
        }
    }
}
