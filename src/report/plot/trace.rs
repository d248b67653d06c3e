//! What a trace consists of: arrivals and load over time, and how its times and sizes are distributed.

use mesosim_traces::inspect::{Distribution, Inspection, Step};

use super::Figure;
use super::canvas::{Canvas, GRID, Pen, draw, line_colour};
use super::frame::{Axis, Entry, Frame, Mark, Tick};
use super::scale::{LogScale, amount_axis, share_axis, span_axis};
use crate::report::error::ReportError;
use crate::report::units::three_digits;

/// A line over time: its name, and its value in each bin.
type Line = (&'static str, Vec<(Step, f64)>);

/// Draws every figure for which the trace has something. `name` is what the trace is called in titles.
pub(in crate::report) fn figures(name: &str, inspection: &Inspection) -> Result<Vec<Figure>, ReportError> {
    let mut figures = Vec::new();
    figures.extend(arrivals(name, inspection)?);
    for (file, what, lines) in [
        ("running-cpus.svg", "cores", running_cpus(inspection)),
        (
            "running-gpus.svg",
            "GPUs",
            vec![rates("in use: start to end", &inspection.load.running_gpus.steps())],
        ),
    ] {
        figures.extend(load(name, file, what, &lines)?);
    }
    figures.extend(times(name, inspection)?);
    figures.extend(sizes(name, inspection)?);
    Ok(figures)
}

fn seconds(step: &Step) -> f64 {
    step.width.as_secs_f64()
}

fn arrivals(name: &str, inspection: &Inspection) -> Result<Option<Figure>, ReportError> {
    let steps = inspection.load.submissions.steps();
    let per_hour = steps.iter().map(|step| (*step, step.points * 3600.0 / seconds(step))).collect();
    let title = format!("{name}: jobs submitted per hour");
    over_time("arrivals.svg", &title, "Jobs per hour", &[("jobs", per_hour)])
}

fn rates(name: &'static str, steps: &[Step]) -> Line {
    (name, steps.iter().map(|step| (*step, step.rate)).collect())
}

fn running_cpus(inspection: &Inspection) -> Vec<Line> {
    let submitted = inspection.load.submitted_work.steps();
    let submitted = submitted.iter().map(|step| (*step, step.points / seconds(step))).collect();
    vec![
        rates("in use: start to end", &inspection.load.running_cpus.steps()),
        ("submitted: core-seconds per second", submitted),
    ]
}

fn load(name: &str, file: &str, what: &str, lines: &[Line]) -> Result<Option<Figure>, ReportError> {
    let is_there = |line: &&Line| line.1.iter().any(|(_, value)| *value > 0.0);
    let lines: Vec<Line> = lines.iter().filter(is_there).cloned().collect();
    let mut axis = what.to_owned();
    axis.replace_range(..1, &what[..1].to_uppercase());
    over_time(file, &format!("{name}: {what} asked for by tasks"), &axis, &lines)
}

fn over_time(file: &str, title: &str, what: &str, lines: &[Line]) -> Result<Option<Figure>, ReportError> {
    let all = || lines.iter().flat_map(|(_, line)| line);
    let Some(first) = all().map(|(step, _)| step.start.as_secs_f64()).reduce(f64::min) else {
        return Ok(None);
    };
    let last = all().map(|(step, _)| step.start.as_secs_f64() + seconds(step)).fold(first, f64::max);
    let largest = all().map(|(_, value)| *value).fold(0.0, f64::max);
    let since = if first == 0.0 { "Time in the trace" } else { "Time since the first bin" };
    let x = span_axis(since, last - first);
    let svg = draw(title, |canvas| {
        let legend = if lines.len() > 1 { legend(lines.iter().map(|(name, _)| *name)) } else { Vec::new() };
        let frame = Frame::draw(canvas, title, &legend, &x, &amount_axis(what.to_owned(), largest));
        for (n, (_, line)) in lines.iter().enumerate() {
            let mut points = Vec::new();
            for (step, value) in line {
                let start = step.start.as_secs_f64() - first;
                super::push_step(
                    &mut points,
                    frame.px(start),
                    frame.px(start + seconds(step)),
                    frame.py(*value),
                );
            }
            canvas.line(points, line_colour(n), 1.0, Pen::Series(n));
        }
    })?;
    let caption = "Means over bins of equal width.".to_owned();
    Ok(Some(Figure { file: file.to_owned(), title: title.to_owned(), caption, svg }))
}

fn legend<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Entry> {
    let mark = |n| Mark::Line(line_colour(n), Pen::Series(n));
    names.enumerate().map(|(n, name)| Entry { label: name.to_owned(), mark: mark(n) }).collect()
}

fn times(name: &str, inspection: &Inspection) -> Result<Option<Figure>, ReportError> {
    let (jobs, tasks) = (&inspection.jobs, &inspection.tasks);
    let gaps = inspection.interarrival_s();
    let curves: Vec<(&str, &Distribution)> = [
        ("task duration", &tasks.duration_s),
        ("job runtime", &jobs.runtime_s),
        ("job waiting", &jobs.waiting_s),
        ("between submissions", &gaps),
    ]
    .into_iter()
    .filter(|(_, values)| values.count() > 0)
    .collect();
    if curves.is_empty() {
        return Ok(None);
    }
    let all = curves
        .iter()
        .flat_map(|(_, values)| [values.least(), values.quantile(0.01), values.most()])
        .flatten();
    let scale = LogScale::of("Time", all);
    let title = format!("{name}: times");
    let place = |value: f64| scale.at(value);
    let svg = draw(&title, |canvas| paint_curves(canvas, &title, &scale.axis, &curves, &place))?;
    let caption = "Share of those that have such a time at all.".to_owned();
    Ok(Some(Figure { file: "times.svg".to_owned(), title, caption, svg }))
}

fn sizes(name: &str, inspection: &Inspection) -> Result<Option<Figure>, ReportError> {
    let [tasks_per_job, instances_per_job] = inspection.job_sizes();
    let tasks = &inspection.tasks;
    let curves: Vec<(&str, &Distribution)> = [
        ("tasks of a job", &tasks_per_job),
        ("instances of a job", &instances_per_job),
        ("cores of an instance", &tasks.cpus),
        ("GPUs of an instance", &tasks.gpus),
    ]
    .into_iter()
    .filter(|(_, values)| values.most() > Some(0.0))
    .collect();
    let Some(axis) = decades(curves.iter().map(|(_, values)| *values)) else { return Ok(None) };
    let title = format!("{name}: sizes");
    let place = |value: f64| if value > 0.0 { value.log10() } else { axis.ends.0 };
    let svg = draw(&title, |canvas| paint_curves(canvas, &title, &axis, &curves, &place))?;
    let caption = "Share of those of which the size is known.".to_owned();
    Ok(Some(Figure { file: "sizes.svg".to_owned(), title, caption, svg }))
}

/// A log axis of amounts from the decade below the smallest of them to the one above the largest.
fn decades<'a>(all: impl Iterator<Item = &'a Distribution> + Clone) -> Option<Axis> {
    let smallest = |values: &Distribution| values.quantile(0.01).filter(|least| *least > 0.0);
    let first = all.clone().filter_map(smallest).fold(1.0, f64::min).log10().floor().max(-3.0);
    let last = all.filter_map(Distribution::most).reduce(f64::max)?.log10().ceil().max(first + 1.0);
    let ticks = (first as i32..=last as i32).map(f64::from);
    let ticks = ticks.map(|at| Tick { at, label: three_digits(10f64.powf(at)) }).collect();
    Some(Axis { title: "Amount (logarithmic)".to_owned(), ends: (first, last), ticks })
}

fn paint_curves(
    canvas: &mut Canvas<'_>,
    title: &str,
    x: &Axis,
    curves: &[(&str, &Distribution)],
    place: &dyn Fn(f64) -> f64,
) {
    let legend = legend(curves.iter().map(|(name, _)| *name));
    let frame = Frame::draw(canvas, title, &legend, x, &share_axis("Share that is at most so large", 1.0));
    canvas.line(
        vec![(frame.px(x.ends.0), frame.py(0.0)), (frame.px(x.ends.0), frame.py(1.0))],
        GRID,
        1.0,
        Pen::Hair,
    );
    for (n, (_, values)) in curves.iter().enumerate() {
        canvas.line(curve(&frame, x, values, place), line_colour(n), 1.0, Pen::Series(n));
    }
}

/// Steps, no two of them on the same place of the sheet.
fn curve(frame: &Frame, x: &Axis, values: &Distribution, place: &dyn Fn(f64) -> f64) -> Vec<(i32, i32)> {
    let (mut before, all) = (0u64, values.count() as f64);
    let mut points = vec![(frame.px(x.ends.0), frame.py(0.0))];
    for (value, times) in values.steps() {
        before += times;
        let at = (frame.px(place(value)), frame.py(before as f64 / all));
        let last = points[points.len() - 1];
        if at.0 != last.0 {
            points.push((at.0, last.1));
        }
        if at.1 != last.1 {
            points.push(at);
        }
    }
    points.push((frame.px(x.ends.1), points[points.len() - 1].1));
    points
}

#[cfg(test)]
mod tests {
    use mesosim_traces::{JobRow, Micros, Sink, TaskRow};

    use super::*;

    #[test]
    fn a_trace_without_rows_has_no_figures_and_one_with_tasks_has_all() {
        let mut inspection = Inspection::default();
        assert_eq!(figures("nothing", &inspection).expect("drawn"), []);
        for number in 0..50u64 {
            let submit = Some(Micros(number as i64 * 60_000_000));
            let (start, end) = (submit, submit.map(|at| Micros(at.0 + 5_000_000)));
            let duration = Some(Micros(5_000_000));
            inspection.job(&JobRow { number, submit, start, end, ..JobRow::default() }).expect("kept");
            let (cpus, gpus) = (Some(2.0), Some(0.5));
            let task = TaskRow {
                job: number,
                instances: 3,
                cpus,
                gpus,
                submit,
                start,
                end,
                duration,
                ..TaskRow::default()
            };
            inspection.task(&task).expect("kept");
        }
        let drawn = figures("a trace", &inspection).expect("drawn");
        let files: Vec<_> = drawn.iter().map(|figure| figure.file.as_str()).collect();
        assert_eq!(files, ["arrivals.svg", "running-cpus.svg", "running-gpus.svg", "times.svg", "sizes.svg"]);
        assert!(
            drawn.iter().all(|figure| figure.svg.contains("a trace") && figure.svg.ends_with("</svg>\n"))
        );
    }
}
