//! The quality report on a trace, as text for the terminal.

use mesosim_traces::{Inspection, Quality};

use crate::report::units::count;

/// So many rejected rows of each file are shown.
const SHOWN: usize = 5;

pub(super) fn report(quality: &Quality, inspection: &Inspection) -> String {
    let mut text = String::from("\n  Quality\n");
    let mut line = |indent: usize, said: &str| text.push_str(&format!("{:indent$}{said}\n", ""));
    match (quality.rejected(), quality.rows()) {
        (0, rows) => line(4, &format!("all {} rows were taken", number(rows))),
        (rejected, rows) => {
            line(4, &format!("{} of {} rows were rejected", number(rejected), number(rows)));
            for file in quality.files().iter().filter(|file| file.rejected > 0) {
                line(6, &format!("{}: {}", file.path.display(), number(file.rejected)));
                file.rejections.iter().take(SHOWN).for_each(|rejection| line(8, &rejection.to_string()));
                let more = file.rejected.saturating_sub(SHOWN as u64);
                if more > 0 {
                    line(8, &format!("and {} more (--rejects FILE writes them)", number(more)));
                }
            }
        }
    }
    for (column, times) in quality.missing() {
        line(4, &format!("`{column}` is missing in {} rows", number(*times)));
    }
    for (what, times) in quality.notes() {
        line(4, &format!("{what}: {}", number(*times)));
    }
    for what in unknown(inspection) {
        line(4, &what);
    }
    for assumption in quality.assumptions() {
        line(4, &format!("assumed: {assumption}"));
    }
    text
}

/// What the native form has a place for, and some tasks or jobs do not have.
fn unknown(inspection: &Inspection) -> Vec<String> {
    let (counts, jobs, tasks) = (&inspection.counts, &inspection.jobs, &inspection.tasks);
    let of_tasks = [
        ("number of cpus", &tasks.cpus),
        ("memory", &tasks.mem_mib),
        ("duration", &tasks.duration_s),
        ("waiting time", &tasks.waiting_s),
    ];
    let mut said = Vec::new();
    if jobs.without_submission > 0 {
        said.push(format!(
            "{} of {} jobs have no time of submission",
            number(jobs.without_submission),
            number(counts.jobs)
        ));
    }
    for (what, known) in of_tasks {
        match counts.tasks - known.count().min(counts.tasks) {
            0 => {}
            all if all == counts.tasks => said.push(format!("the {what} of no task is known")),
            some => {
                said.push(format!(
                    "the {what} of {} of {} tasks is not known",
                    number(some),
                    number(counts.tasks)
                ));
            }
        }
    }
    if tasks.censored > 0 {
        said.push(format!(
            "{} tasks are censored: how long they would have run is not known",
            number(tasks.censored)
        ));
    }
    if inspection.has_forgotten_jobs() {
        said.push("sizes and inter-arrival times are those of the first eight million jobs".to_owned());
    }
    said
}

fn number(number: u64) -> String {
    count(number as f64)
}
