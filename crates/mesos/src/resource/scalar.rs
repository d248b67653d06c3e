//! Scalar amounts in fixed point.

use std::{fmt, ops};

/// An amount in thousandths, as Mesos computes with scalars: every operand is rounded to three decimals, half away from
/// zero. cpus and gpus count units; mem and disk count megabytes (Mesos' MB is 2^20 bytes).
///
/// Sums and differences stop at the largest and smallest amount instead of overflowing; Mesos would wrap around there,
/// near nine million billion units.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Scalar(pub i64);

impl Scalar {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// A whole number of units.
    #[must_use]
    pub const fn whole(units: i64) -> Self {
        Self(units.saturating_mul(1000))
    }

    /// Rounded to thousandths. `None` if it is not a number or too large for fixed point.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        let thousandths = (value * 1000.0).round();
        (thousandths.abs() < i64::MAX as f64).then_some(Self(thousandths as i64))
    }

    /// As Mesos turns fixed point back into a double: whole part plus rest/1000, which differs in the last bit from a
    /// plain division for about 0.3 % of values.
    #[inline]
    #[must_use]
    pub fn as_f64(self) -> f64 {
        (self.0 / 1000) as f64 + (self.0 % 1000) as f64 / 1000.0
    }
}

impl ops::Add for Scalar {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl ops::Sub for Scalar {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Scalar {
    /// Up to three decimals, no trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, size) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (units, rest) = (size / 1000, size % 1000);
        if rest == 0 {
            return write!(f, "{sign}{units}");
        }
        let digits = format!("{rest:03}");
        write!(f, "{sign}{units}.{}", digits.trim_end_matches('0'))
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operand_is_rounded_before_it_is_added() {
        let sum = Scalar::from_f64(1.0005).unwrap() + Scalar::from_f64(1.0004).unwrap();
        assert_eq!(sum.to_string(), "2.001");
    }

    #[test]
    fn a_tenth_and_two_tenths_are_three_tenths() {
        let tenths = |n: f64| Scalar::from_f64(n).unwrap();
        assert_eq!(tenths(0.1) + tenths(0.2), tenths(0.3));
    }

    #[test]
    fn doubles_are_made_as_mesos_makes_them() {
        assert_eq!(Scalar(1118).as_f64(), 1.0 + 118.0 / 1000.0);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        assert_eq!(Scalar::from_f64(f64::NAN), None);
        assert_eq!(Scalar::from_f64(f64::INFINITY), None);
        assert_eq!(Scalar::from_f64(1e17), None);
    }
}
