//! Dates and spans of time as traces write them.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::Micros;

/// A date and time (`2017-10-09 07:01:55`, with `T`, a fraction, `Z` or an offset; or a date alone: its midnight) as
/// microseconds since 1970 in UTC. Without an offset it is the wall clock of the zone; of the two hours that it shows in
/// autumn the first is meant.
#[must_use]
pub fn parse(text: &str, zone: &TimeZone) -> Option<Micros> {
    let has_offset = text.get(11..).is_some_and(|clock| clock.contains(['Z', 'z', '+', '-']));
    let timestamp = if has_offset {
        text.parse::<Timestamp>().ok()?
    } else {
        zone.to_timestamp(text.parse::<DateTime>().ok()?).ok()?
    };
    Some(Micros(timestamp.as_microsecond()))
}

/// This point in time as text: `2017-10-09T07:01:55Z`.
#[must_use]
pub fn show(since_1970: Micros) -> String {
    Timestamp::from_microsecond(since_1970.0)
        .map_or_else(|_| format!("{} µs after 1970", since_1970.0), |at| at.to_string())
}

/// A span of time as batch systems write it: `MM:SS`, `HH:MM:SS`, `D-HH:MM:SS`, `D days, HH:MM:SS`, the seconds possibly
/// with a fraction.
#[must_use]
pub fn span(text: &str) -> Option<Micros> {
    let (days, clock) = match text.split_once('-').or_else(|| split_days(text)) {
        Some((days, clock)) => (days.trim().parse::<u32>().ok()?, clock.trim()),
        None => (0, text),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [minutes, seconds] => (0, minutes.parse::<u32>().ok()?, *seconds),
        [hours, minutes, seconds] => (hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?, *seconds),
        _ => return None,
    };
    if !seconds.starts_with(|digit: char| digit.is_ascii_digit()) {
        return None;
    }
    let whole = f64::from(days) * 86_400.0 + f64::from(hours) * 3_600.0 + f64::from(minutes) * 60.0;
    Micros::from_secs_f64(whole + seconds.parse::<f64>().ok()?)
}

fn split_days(text: &str) -> Option<(&str, &str)> {
    let (days, rest) = text.split_once(" day")?;
    Some((days, rest.trim_start_matches('s').trim_start_matches(',')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_with_and_without_an_offset() {
        let utc = |text| parse(text, &TimeZone::UTC).map(|at| at.0 / 1_000_000);
        assert_eq!(utc("1970-01-02 00:00:01"), Some(86_401));
        assert_eq!(utc("1970-01-02T00:00:01Z"), Some(86_401));
        assert_eq!(utc("1970-01-02 00:00:01-06:00"), Some(86_401 + 6 * 3600));
        assert_eq!(utc("1970-01-02"), Some(86_400));
        assert_eq!(utc("1970-01-02 24:00:01"), None);
        assert_eq!(utc("None"), None);
    }

    #[test]
    fn wall_clocks_follow_summer_time() {
        let pacific = TimeZone::posix("PST8PDT,M3.2.0,M11.1.0").expect("a zone");
        let hours = |text| parse(text, &pacific).expect("a date").0 / 3_600_000_000;
        assert_eq!(hours("2017-11-05 03:00:00") - hours("2017-11-04 23:00:00"), 5);
    }

    #[test]
    fn spans_have_days_or_not() {
        let seconds = |text| span(text).map(|span| span.0 as f64 / 1e6);
        assert_eq!(seconds("01:30"), Some(90.0));
        assert_eq!(seconds("00:01:30.5"), Some(90.5));
        assert_eq!(seconds("2-00:00:01"), Some(172_801.0));
        assert_eq!(seconds("1 day, 00:00:01"), Some(86_401.0));
        assert_eq!(seconds("3 days 01:00:00.000"), Some(262_800.0));
        for bad in ["", "90", "UNLIMITED", "1:2:3:4", "a:b", "1-", "00:-1", "1:inf", "1:NaN"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
