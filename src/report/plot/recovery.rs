//! How fast a new master knows the agents again: their share over the time since the old one died, a line for each failover.

use super::Figure;
use super::canvas::{Canvas, Pen, draw, line_colour};
use super::frame::{Entry, Frame, Mark};
use super::scale::{share_axis, span_axis};
use crate::report::error::ReportError;
use crate::report::load::{Failover, Results, Run};
use crate::report::units::duration;

/// Draws the figure, if a master died in some run.
pub(super) fn figure(results: &Results) -> Result<Option<Figure>, ReportError> {
    if results.runs.iter().all(|run| run.failovers.is_empty()) {
        return Ok(None);
    }
    let title = "Recovery of the master: agents it knows again";
    let svg = draw(title, |canvas| paint(canvas, title, results))?;
    let caption = caption(results);
    Ok(Some(Figure { file: "master-recovery.svg".to_owned(), title: title.to_owned(), caption, svg }))
}

fn paint(canvas: &mut Canvas<'_>, title: &str, results: &Results) {
    let failovers = || results.runs.iter().flat_map(|run| &run.failovers);
    // A little room on the right shows that a line has come to its end.
    let end = failovers().map(Failover::last).fold(0.0, f64::max) * 1.05;
    let x = span_axis("Time since the old master died", end);
    let frame =
        Frame::draw(canvas, title, &legend(&results.policies), &x, &share_axis("Share of the agents", 1.0));
    for (n, policy) in results.policies.iter().enumerate() {
        for failover in results.of(policy).into_iter().flat_map(|run| &run.failovers) {
            canvas.line(steps(&frame, failover, x.ends.1), line_colour(n), 1.0, Pen::Series(n));
        }
    }
    frame.draw_ground(canvas);
}

fn legend(policies: &[String]) -> Vec<Entry> {
    let entry = |(n, policy): (usize, &String)| Entry {
        label: policy.clone(),
        mark: Mark::Line(line_colour(n), Pen::Series(n)),
    };
    policies.iter().enumerate().map(entry).collect()
}

/// The line of one failover, level between two changes, and to the right edge from the last on.
fn steps(frame: &Frame, failover: &Failover, end: f64) -> Vec<(i32, i32)> {
    let changes: Vec<(f64, f64)> = failover.shares().collect();
    let mut points = Vec::with_capacity(changes.len() * 2);
    for (n, &(since, share)) in changes.iter().enumerate() {
        let until = changes.get(n + 1).map_or(end, |next| next.0);
        super::push_step(&mut points, frame.px(since), frame.px(until), frame.py(share));
    }
    points
}

fn caption(results: &Results) -> String {
    let recovery = |policy: &String| {
        let seconds = |run: &&Run| run.summary.work.mean_time_to_recovery;
        let times: Vec<f64> = results.of(policy).iter().filter_map(seconds).collect();
        if times.is_empty() {
            return format!("{policy} never");
        }
        format!("{policy} {}", duration(times.iter().sum::<f64>() / times.len() as f64))
    };
    let recoveries: Vec<String> = results.policies.iter().map(recovery).collect();
    format!(
        "Agents registered with the new master, as a share of those that the old one knew; one line for each failover. Until \
         another master is elected nobody is known. Tasks run on meanwhile. Mean time until all agents and frameworks that \
         live were known again: {}.",
        recoveries.join(", ")
    )
}
