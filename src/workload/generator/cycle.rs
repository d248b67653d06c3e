//! Rates that rise and fall: days, weeks, and the shape of a trace.
//!
//! Arrivals are first drawn in operational time, in which the rate never changes, and then put where as much of the rate has
//! gone by: `t` such that the integral of the relative rate up to `t` is the operational time. So the n-th arrival depends
//! on the n-th draw alone, and any process can have a cycle (Cinlar, Introduction to Stochastic Processes, 1975, section 4.7).

use mesos::time::{Span, Time};

/// How many steps a sinusoid is followed in.
const SINUSOID_STEPS: u32 = 96;

/// A relative rate that comes again and again: equal steps that fill a period.
#[derive(Clone, PartialEq, Debug)]
pub struct Cycle {
    period: Span,
    /// The rate in each step; their mean is 1.
    rates: Vec<f64>,
}

/// The product of several cycles.
#[derive(Clone, PartialEq, Debug)]
pub struct Rate {
    cycles: Vec<Cycle>,
    /// Makes the mean over the longest period 1.
    factor: f64,
}

impl Cycle {
    /// Rates of equal steps, of which one is above 0.
    #[must_use]
    pub fn steps(period: Span, weights: &[f64]) -> Self {
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        assert!(mean > 0.0 && period.0 >= weights.len() as u64, "a cycle of {weights:?} over {period:?}");
        Self { period, rates: weights.iter().map(|weight| weight / mean).collect() }
    }

    /// The rate `1 + amplitude cos(2 pi (t - peak) / period)`, averaged over each of 96 steps.
    #[must_use]
    pub fn sinusoid(period: Span, amplitude: f64, peak: Span) -> Self {
        let tau = std::f64::consts::TAU;
        let shift = tau * peak.0 as f64 / period.0 as f64;
        let integral = |step: u32| (tau * f64::from(step) / f64::from(SINUSOID_STEPS) - shift).sin() / tau;
        let mean = |step: u32| integral(step + 1) - integral(step);
        let rates = (0..SINUSOID_STEPS).map(|step| 1.0 + amplitude * mean(step) * f64::from(SINUSOID_STEPS));
        Self { period, rates: rates.map(|rate| rate.max(0.0)).collect() }
    }

    /// The rate at a time, and when it next may change.
    fn at(&self, now: Time) -> (f64, Time) {
        let (steps, period) = (self.rates.len() as u128, u128::from(self.period.0));
        let phase = u128::from(now.0) % period;
        let step = phase * steps / period;
        let end = ((step + 1) * period).div_ceil(steps);
        (self.rates[step as usize], Time(now.0.saturating_add((end - phase) as u64)))
    }
}

impl Rate {
    /// The product of these cycles. At most one of them may have steps with the rate 0.
    #[must_use]
    pub fn new(cycles: Vec<Cycle>) -> Self {
        let mut rate = Self { cycles, factor: 1.0 };
        let longest = rate.cycles.iter().map(|cycle| cycle.period).max();
        if let Some(longest) = longest {
            let end = Time(longest.0);
            rate.factor = longest.as_secs_f64() / rate.integral(Time::ZERO, end);
        }
        rate
    }

    /// How much operational time, in seconds, lies between two times.
    #[must_use]
    pub fn integral(&self, from: Time, to: Time) -> f64 {
        let (mut now, mut sum) = (from, 0.0);
        while now < to {
            let (rate, end) = self.at(now);
            let end = end.min(to);
            sum += rate * Span(end.0 - now.0).as_secs_f64();
            now = end;
        }
        sum
    }

    /// When so many seconds of operational time have passed since `now`; `None` if not before `latest`.
    #[must_use]
    pub fn after(&self, now: Time, seconds: f64, latest: Time) -> Option<Time> {
        let (mut now, mut left) = (now, seconds);
        while now <= latest {
            let (rate, end) = self.at(now);
            let room = rate * Span(end.0 - now.0).as_secs_f64();
            if left <= room {
                let past = Span::from_secs_f64(if rate > 0.0 { left / rate } else { 0.0 })?;
                return Some(Time(now.0.checked_add(past.0)?)).filter(|then| *then <= latest);
            }
            (now, left) = (end, left - room);
        }
        None
    }

    /// The rate at a time, and when it next may change.
    #[must_use]
    pub fn at(&self, now: Time) -> (f64, Time) {
        let mut product = (self.factor, Time(u64::MAX));
        for (rate, end) in self.cycles.iter().map(|cycle| cycle.at(now)) {
            product = (product.0 * rate, product.1.min(end));
        }
        product
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;
    const LATEST: Time = Time::from_secs(1 << 32);

    #[test]
    fn without_cycles_operational_time_is_time() {
        let rate = Rate::new(Vec::new());
        assert_eq!(rate.after(Time::from_secs(5), 2.5, LATEST), Some(Time(7_500_000_000)));
        assert_eq!(rate.after(Time::from_secs(5), 1e12, LATEST), None);
    }

    #[test]
    fn nothing_arrives_while_the_rate_is_zero() {
        let rate = Rate::new(vec![Cycle::steps(Span::from_secs(24 * HOUR), &[0.0, 3.0, 1.0])]);
        assert_eq!(rate.after(Time::ZERO, 0.0, LATEST), Some(Time::ZERO));
        let first = rate.after(Time::ZERO, 9.0 / 4.0 * 3600.0, LATEST);
        assert_eq!(first, Some(Time::from_secs(9 * HOUR)), "one hour of the rate 9/4 after 8 h of none");
    }

    #[test]
    fn the_way_there_is_the_way_back() {
        let week = Cycle::steps(Span::from_secs(7 * 24 * HOUR), &[1.0, 2.0, 2.0, 2.0, 1.5, 0.5, 0.0]);
        let day = Cycle::sinusoid(Span::from_secs(24 * HOUR), 0.8, Span::from_secs(14 * HOUR));
        let rate = Rate::new(vec![day, week]);
        let total = rate.integral(Time::ZERO, Time::from_secs(7 * 24 * HOUR));
        assert!((total - 7.0 * 24.0 * 3600.0).abs() < 1e-3, "{total}");
        for (from, seconds) in [(0, 10.0), (100_000, 1e5), (500_000, 1e6)] {
            let from = Time::from_secs(from);
            let to = rate.after(from, seconds, LATEST).expect("within a hundred years");
            let back = rate.integral(from, to);
            assert!((back - seconds).abs() < 1e-3, "{seconds} s became {back} s");
        }
    }

    #[test]
    fn a_sinusoid_is_highest_at_its_peak() {
        let day = Cycle::sinusoid(Span::from_secs(24 * HOUR), 0.5, Span::from_secs(15 * HOUR));
        let rate = Rate::new(vec![day]);
        let (high, _) = rate.at(Time::from_secs(15 * HOUR));
        let (low, _) = rate.at(Time::from_secs(3 * HOUR));
        assert!((high - 1.5).abs() < 0.01 && (low - 0.5).abs() < 0.01, "{high} and {low}");
    }
}
