//! What is said of traces.

use super::{Check, MOST};
use crate::experiment::config::{Missing, TraceFile};

impl Check<'_> {
    pub(super) fn trace(&mut self, path: &str, trace: Option<&TraceFile>) {
        let Some(trace) = trace else { return };
        if trace.path.as_os_str().is_empty() {
            let path = format!("{path}.path");
            self.add(super::Problem::new(path, "the path of the trace is empty", "is empty"));
        }
        if let Some(format) = &trace.format {
            self.word(format!("{path}.format"), format, self.vocabulary.trace_formats);
        }
        self.missing(&format!("{path}.missing"), &trace.missing);
        if path == "cluster.trace" && trace.missing.runtime.is_some() {
            let help = "`workload.trace.missing.runtime` is about tasks";
            self.wrong(
                &format!("{path}.missing.runtime"),
                "machines have no run time",
                "not of machines",
                help,
            );
        }
        self.positive(&format!("{path}.largest.cpus"), trace.largest.cpus);
        for (key, size) in [("mem", trace.largest.mem), ("disk", trace.largest.disk)] {
            let path = format!("{path}.largest.{key}");
            self.at_least_one(&path, size.0);
            self.size(&path, size);
        }
    }

    fn missing(&mut self, path: &str, missing: &Missing) {
        if let Some(cpus) = missing.cpus.filter(|cpus| !(0.0..=MOST).contains(cpus)) {
            let message = format!("`{path}.cpus` must be from 0 to {MOST}, but is {cpus}");
            self.wrong(&format!("{path}.cpus"), message, "not an amount", "write a number such as 0.5");
        }
        for (key, size) in [("mem", missing.mem), ("disk", missing.disk)] {
            size.into_iter().for_each(|size| self.size(&format!("{path}.{key}"), size));
        }
        missing.gpus.into_iter().for_each(|gpus| self.gpus(&format!("{path}.gpus"), gpus));
        missing
            .runtime
            .into_iter()
            .for_each(|time| self.less_than_a_century(&format!("{path}.runtime"), time));
    }
}
