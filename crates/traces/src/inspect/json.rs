//! An inspection as JSON, for programs.

use serde_json::{Map, Value, json};

use super::{Distribution, Inspection, Labels, StatusCounts};
use crate::{Micros, Quality, quality::FileQuality};

/// So many labels of each kind are told.
const LABELS: usize = 20;

impl Inspection {
    /// All of it but what goes into plots; times in seconds.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let counts = &self.counts;
        let measures = self.measures();
        let measures: Map<_, _> = measures
            .iter()
            .map(|measure| (measure.name.to_owned(), of_distribution(&measure.values)))
            .collect();
        json!({
            "jobs": counts.jobs, "tasks": counts.tasks, "instances": counts.instances, "machines": counts.machines,
            "machine_events": counts.machine_events, "usage": counts.usage,
            "span_s": of_span(self.span), "submissions_s": of_span(self.jobs.submissions),
            "submitted_out_of_order": self.jobs.out_of_order, "jobs_without_submission": self.jobs.without_submission,
            "gang_jobs": self.jobs.gangs, "jobs_with_parents": self.jobs.with_parents,
            "job_status": of_status(&self.jobs.status), "task_status": of_status(&self.tasks.status),
            "censored_tasks": self.tasks.censored, "tasks_never_started": self.tasks.never_started,
            "attempts": self.tasks.attempts, "evictions": self.tasks.evictions,
            "tasks_with_parents": self.tasks.with_parents, "constrained_tasks": self.tasks.constrained,
            "cpu_seconds": self.tasks.cpu_seconds, "measures": measures,
            "users": of_labels(&self.jobs.users), "groups": of_labels(&self.jobs.groups),
            "classes": of_labels(&self.jobs.classes), "applications": of_labels(&self.jobs.applications),
            "job_priorities": of_labels(&self.jobs.priorities), "task_priorities": of_labels(&self.tasks.priorities),
            "gpu_models_asked_for": of_labels(&self.tasks.gpu_models),
            "gpu_models_of_machines": of_labels(&self.machines.gpu_models),
        })
    }
}

impl std::fmt::Display for super::Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

fn of_span(span: Option<(Micros, Micros)>) -> Value {
    span.map_or(Value::Null, |(first, last)| json!([first.as_secs_f64(), last.as_secs_f64()]))
}

fn of_distribution(values: &Distribution) -> Value {
    json!({
        "count": values.count(), "mean": values.mean(), "min": values.least(), "p50": values.quantile(0.5),
        "p90": values.quantile(0.9), "p99": values.quantile(0.99), "max": values.most(),
    })
}

fn of_status(status: &StatusCounts) -> Value {
    let known = status.iter().map(|(status, count)| (status.as_str(), count));
    let unknown = Some(("unknown", status.unknown)).filter(|(_, count)| *count > 0);
    known.chain(unknown).map(|(name, count)| (name.to_owned(), json!(count))).collect::<Map<_, _>>().into()
}

fn of_labels<K: Ord + Clone + ToString>(labels: &Labels<K>) -> Value {
    let (distinct, complete) = labels.distinct();
    let top = labels.most_frequent(LABELS).into_iter().map(|(name, count)| (name.to_string(), json!(count)));
    json!({ "distinct": distinct, "complete": complete, "most_frequent": top.collect::<Map<_, _>>() })
}

impl Quality {
    /// The report, with the rejections that were kept.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "files": self.files().iter().map(of_file).collect::<Vec<_>>(),
            "missing": self.missing(), "notes": self.notes(), "assumptions": self.assumptions(),
        })
    }
}

fn of_file(file: &FileQuality) -> Value {
    json!({
        "path": file.path.display().to_string(), "table": file.table, "rows": file.rows, "bytes": file.bytes,
        "rejected": file.rejected, "rejections": file.rejections.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
