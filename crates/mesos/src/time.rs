//! Points in time and lengths of time, in whole nanoseconds. The core is handed the time; it never asks for it.

use std::{fmt, ops};

use serde::{Deserialize, Serialize};

/// A point in time: nanoseconds since the start of the simulation (or of the server).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

/// A length of time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

const NANOS: u64 = 1_000_000_000;

impl Time {
    /// The start.
    pub const ZERO: Self = Self(0);
    /// Later than anything that happens (584 years).
    pub const MAX: Self = Self(u64::MAX);

    /// Whole seconds after the start.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * NANOS)
    }

    /// Seconds since the start, for statistics and printing.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        Span(self.0).as_secs_f64()
    }

    /// The first of these times, if there is one; [`Time::MAX`] is never.
    #[inline]
    #[must_use]
    pub fn earliest<const N: usize>(times: [Option<Self>; N]) -> Option<Self> {
        let first = times.into_iter().fold(Self::MAX, |first, at| first.min(at.unwrap_or(Self::MAX)));
        (first < Self::MAX).then_some(first)
    }

    /// How long after `earlier` this is; zero if it is before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Longer than any run.
    pub const MAX: Self = Self(u64::MAX);

    /// Whole seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * NANOS)
    }

    /// Whole milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    /// Seconds, rounded to the nanosecond. `None` if negative, not a number, or beyond 584 years.
    #[must_use]
    pub fn from_secs_f64(secs: f64) -> Option<Self> {
        let nanos = (secs * 1e9).round();
        (nanos >= 0.0 && nanos < u64::MAX as f64).then_some(Self(nanos as u64))
    }

    /// As seconds, for statistics and printing.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        (self.0 / NANOS) as f64 + (self.0 % NANOS) as f64 / NANOS as f64
    }
}

impl ops::Add<Span> for Time {
    type Output = Self;
    /// Stops at [`Time::MAX`], so that "never" stays never.
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl ops::Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Decimal seconds with as many digits as it takes and no more: exact.
fn decimal_seconds(nanos: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (secs, rest) = (nanos / NANOS, nanos % NANOS);
    if rest == 0 {
        return write!(f, "{secs}");
    }
    let digits = format!("{rest:09}");
    write!(f, "{secs}.{}", digits.trim_end_matches('0'))
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal_seconds(self.0, f)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal_seconds(self.0, f)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} s")
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_print_exactly() {
        assert_eq!(Time(1_500_000_000).to_string(), "1.5");
        assert_eq!(Time(7).to_string(), "0.000000007");
        assert_eq!(Span::from_secs(60).to_string(), "60");
    }

    #[test]
    fn never_stays_never() {
        assert_eq!(Time::MAX + Span::from_secs(1), Time::MAX);
    }

    #[test]
    fn the_earliest_of_no_times_is_never() {
        let at = |secs| Some(Time::from_secs(secs));
        assert_eq!(Time::earliest([at(3), None, at(2)]), at(2));
        assert_eq!(Time::earliest([None, Some(Time::MAX)]), None);
    }

    #[test]
    fn only_representable_seconds_make_a_span() {
        assert_eq!(Span::from_secs_f64(0.1), Some(Span(100_000_000)));
        assert_eq!(Span::from_secs_f64(-1.0), None);
        assert_eq!(Span::from_secs_f64(f64::NAN), None);
        assert_eq!(Span::from_secs_f64(1e300), None);
    }
}
