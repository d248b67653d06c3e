//! Ticks that people read easily: round steps on linear axes, and seconds, minutes, hours and days on the log axis.

use super::frame::{Axis, Tick};
use crate::report::units::three_digits;

/// An axis of simulated time from 0 to `end` seconds; its values are seconds.
pub(super) fn time_axis(end: f64) -> Axis {
    span_axis("Time since the start of the simulation", end)
}

/// An axis of the time since something happened, from 0 to `end` seconds; its values are seconds.
pub(super) fn span_axis(since: &str, end: f64) -> Axis {
    let sixty: &[f64] = &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0];
    let (unit, seconds, clock) = match end {
        end if end <= 180.0 => ("seconds", 1.0, sixty),
        end if end <= 3.0 * 3_600.0 => ("minutes", 60.0, sixty),
        end if end <= 3.0 * 86_400.0 => ("hours", 3_600.0, &[1.0, 2.0, 3.0, 6.0, 12.0][..]),
        _ => ("days", 86_400.0, &[][..]),
    };
    let end = if end > 0.0 { end } else { 1.0 };
    let ticks =
        steps(end / seconds, clock).map(|at| Tick { at: at * seconds, label: three_digits(at) }).collect();
    Axis { title: format!("{since} ({unit})"), ends: (0.0, end), ticks }
}

/// An axis from 0 to a round number not below `largest`, for amounts.
pub(super) fn amount_axis(title: String, largest: f64) -> Axis {
    let largest = if largest > 0.0 { largest * 1.04 } else { 1.0 };
    let ticks = steps(largest, &[]).map(|at| Tick { at, label: three_digits(at) }).collect();
    Axis { title, ends: (0.0, largest), ticks }
}

/// An axis for shares of 0 to 1 that need no more than `largest`: up to 100 %, or less if all are small.
pub(super) fn share_axis(title: &str, largest: f64) -> Axis {
    let tops = [0.01, 0.02, 0.05, 0.1, 0.25, 0.5];
    let top = tops.into_iter().find(|&top| largest <= top).unwrap_or(1.0);
    let ticks = (0..=5).map(|fifth| top * f64::from(fifth) / 5.0);
    let ticks = ticks.map(|at| Tick { at, label: format!("{} %", three_digits(at * 100.0)) }).collect();
    Axis { title: title.to_owned(), ends: (0.0, top.max(largest)), ticks }
}

/// Multiples of a step from 0 to `end`, about eight of them. The step is one of `round` times a power of ten, or the
/// first large enough of `clock`.
fn steps(end: f64, clock: &[f64]) -> impl Iterator<Item = f64> {
    let rough = end / 8.0;
    let power = 10f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power);
    let clock = clock.iter().copied().filter(|_| rough > 0.5).find(|&step| step >= rough * 0.999);
    let round = round.into_iter().find(|&step| step >= rough * 0.999);
    let step = clock.or(round).unwrap_or(power * 10.0);
    (0..=((end / step * (1.0 + 1e-9)) as u32)).map(move |n| f64::from(n) * step)
}

/// Where ticks may stand on the log axis of durations.
const LOG_TICKS: [(f64, &str); 13] = [
    (0.001, "1 ms"),
    (0.01, "10 ms"),
    (0.1, "0.1 s"),
    (1.0, "1 s"),
    (10.0, "10 s"),
    (60.0, "1 min"),
    (600.0, "10 min"),
    (3_600.0, "1 h"),
    (36_000.0, "10 h"),
    (86_400.0 * 3.0, "3 d"),
    (86_400.0 * 30.0, "30 d"),
    (86_400.0 * 300.0, "300 d"),
    (86_400.0 * 3_000.0, "3000 d"),
];

/// How far left of the smallest tick the place for zero lies, in powers of ten.
const ZERO_GAP: f64 = 0.55;

/// A log scale of durations with a place of its own for zero at the left edge.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LogScale {
    /// The smallest duration that has a place of its own, in seconds.
    pub(super) smallest: f64,
    /// The axis; its values are powers of ten of seconds.
    pub(super) axis: Axis,
    /// Whether durations above zero are shown in zero's place, being below `smallest`.
    pub(super) lumped: bool,
}

impl LogScale {
    /// A scale on which all of `durations` (seconds, 0 or more) have a place. `what` is what they measure.
    pub(super) fn of(what: &str, durations: impl Iterator<Item = f64>) -> LogScale {
        let (mut least, mut most) = (f64::INFINITY, 0.0f64);
        for duration in durations.filter(|&duration| duration > 0.0) {
            (least, most) = (least.min(duration), most.max(duration));
        }
        let first = LOG_TICKS.iter().rposition(|(at, _)| *at <= least.min(10.0)).unwrap_or(0);
        let last = LOG_TICKS.iter().position(|(at, _)| *at >= most).unwrap_or(LOG_TICKS.len() - 1);
        let ticks = &LOG_TICKS[first..=last.max(first + 1)];
        let (smallest, lumped) = (ticks[0].0, least < ticks[0].0);
        let left = smallest.log10() - ZERO_GAP;
        let zero = if lumped { format!("< {}", ticks[0].1) } else { "0".to_owned() };
        let mut all = vec![Tick { at: left, label: zero }];
        all.extend(ticks.iter().map(|(at, label)| Tick { at: at.log10(), label: (*label).to_owned() }));
        let title = if lumped {
            format!("{what} (logarithmic; zero and less than {} at the left edge)", ticks[0].1)
        } else {
            format!("{what} (logarithmic; zero at the left edge)")
        };
        let right = ticks[ticks.len() - 1].0.log10().max(most.max(smallest).log10());
        LogScale { smallest, axis: Axis { title, ends: (left, right), ticks: all }, lumped }
    }

    /// The place of a duration on the axis.
    pub(super) fn at(&self, duration: f64) -> f64 {
        if duration < self.smallest { self.axis.ends.0 } else { duration.log10() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn time_is_told_in_the_unit_that_fits() {
        assert_eq!(labels(&time_axis(12_873_600.0)), ["0", "20", "40", "60", "80", "100", "120", "140"]);
        assert!(time_axis(12_873_600.0).title.ends_with("(days)"));
        assert_eq!(labels(&time_axis(86_400.0)), ["0", "3", "6", "9", "12", "15", "18", "21", "24"]);
        assert_eq!(labels(&time_axis(60.0)), ["0", "10", "20", "30", "40", "50", "60"]);
    }

    #[test]
    fn zero_has_a_place_left_of_the_smallest_tick() {
        let scale = LogScale::of("Waiting time", [0.0, 2.0, 5_000.0].into_iter());
        assert_eq!(labels(&scale.axis), ["0", "1 s", "10 s", "1 min", "10 min", "1 h", "10 h"]);
        assert_eq!(scale.at(0.0), scale.axis.ends.0);
        assert!(scale.at(2.0) > scale.axis.ticks[1].at);
    }

    #[test]
    fn a_scale_without_any_duration_above_zero_is_still_a_scale() {
        let scale = LogScale::of("Waiting time", [0.0].into_iter());
        assert!(scale.axis.ends.0 < scale.axis.ends.1 && !scale.lumped);
    }

    #[test]
    fn shares_go_up_to_the_whole_unless_all_are_small() {
        assert_eq!(share_axis("s", 0.7).ends, (0.0, 1.0));
        assert_eq!(share_axis("s", 0.03).ends, (0.0, 0.05));
    }
}
