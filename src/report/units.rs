//! Numbers for people: durations, sizes, shares and counts with about three digits and a unit.

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;

/// A length of time: `0 s`, `350 ms`, `12.3 s`, `4.5 min`, `3.25 h`, `149 d`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if seconds == 0.0 {
        "0 s".to_owned()
    } else if seconds < 1.0 {
        format!("{} ms", three_digits(seconds * 1e3))
    } else if seconds < 2.0 * MINUTE {
        format!("{} s", three_digits(seconds))
    } else if seconds < 2.0 * HOUR {
        format!("{} min", three_digits(seconds / MINUTE))
    } else if seconds < 2.0 * DAY {
        format!("{} h", three_digits(seconds / HOUR))
    } else {
        format!("{} d", three_digits(seconds / DAY))
    }
}

/// A share of 0 to 1 in per cent: `63.4 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", three_digits(share * 100.0))
}

/// A count with its thousands apart: `12,900,000`. Means of counts keep one decimal if they need it.
#[must_use]
pub fn count(number: f64) -> String {
    let tenths = (number * 10.0).round();
    let whole = grouped((tenths / 10.0).trunc());
    match tenths % 10.0 {
        0.0 => whole,
        rest => format!("{whole}.{rest}"),
    }
}

/// A number without a unit: `1.07`, `318`, `12,900`.
#[must_use]
pub fn plain(number: f64) -> String {
    if number >= 1_000.0 { grouped(number.round()) } else { three_digits(number) }
}

/// A size in memory: `1.25 GiB`.
#[must_use]
pub fn bytes(bytes: f64) -> String {
    let (divisor, unit) = binary_step(bytes, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"]);
    format!("{} {unit}", three_digits(bytes / divisor))
}

/// What a resource is called in titles.
pub(super) fn resource_name(resource: &str) -> &str {
    match resource {
        "cpus" => "CPUs",
        "mem" => "Memory",
        "disk" => "Disk",
        "gpus" => "GPUs",
        other => other,
    }
}

/// The unit in which amounts of a resource up to `largest` are best read, and how much of the file's unit it is.
pub(super) fn resource_unit(resource: &str, largest: f64) -> (&'static str, f64) {
    match resource {
        "cpus" => ("CPUs", 1.0),
        "gpus" => ("GPUs", 1.0),
        "mem" | "disk" => {
            let (divisor, unit) = binary_step(largest, &["MiB", "GiB", "TiB", "PiB"]);
            (unit, divisor)
        }
        _ => ("units", 1.0),
    }
}

/// The mean of values and, if they differ in what is said of them, the least and the most: `4.9 h`, `4.8 … 5.1`.
/// The range goes without its unit where that is the mean's. Nothing if there are no values.
pub(super) fn mean_and_range(values: &[f64], say: fn(f64) -> String) -> Option<(String, Option<String>)> {
    if values.is_empty() {
        return None;
    }
    let mean = say(values.iter().sum::<f64>() / values.len() as f64);
    let least = say(values.iter().copied().fold(f64::INFINITY, f64::min));
    let most = say(values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    let range = (least != most).then(|| match unit(&mean) {
        same if unit(&least) == same && unit(&most) == same => {
            format!("{} … {}", without_unit(&least), without_unit(&most))
        }
        _ => format!("{least} … {most}"),
    });
    Some((mean, range))
}

fn unit(said: &str) -> &str {
    said.split_once(' ').map_or("", |(_, unit)| unit)
}

fn without_unit(said: &str) -> &str {
    said.split_once(' ').map_or(said, |(number, _)| number)
}

fn binary_step<'a>(amount: f64, units: &[&'a str]) -> (f64, &'a str) {
    let last = units.len() - 1;
    let step = (0..last).find(|&step| amount < 1024f64.powi(step as i32 + 1)).unwrap_or(last);
    (1024f64.powi(step as i32), units[step])
}

/// Three digits that matter, without zeros at the end of the decimals.
pub(super) fn three_digits(number: f64) -> String {
    let decimals = match number.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 || size == 0.0 => 2,
        size if size >= 0.1 => 3,
        _ => 4,
    };
    let text = format!("{number:.decimals$}");
    let text = if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if number.abs() >= 1_000.0 { grouped(number.round()) } else { text.to_owned() }
}

fn grouped(whole: f64) -> String {
    let digits = format!("{whole:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_the_unit_that_fits() {
        let said = [0.0, 0.35, 12.34, 270.0, 11_700.0, 12_873_600.0].map(duration);
        assert_eq!(said, ["0 s", "350 ms", "12.3 s", "4.5 min", "3.25 h", "149 d"]);
    }

    #[test]
    fn counts_are_grouped_and_means_of_counts_keep_a_decimal() {
        assert_eq!(
            [0.0, 999.0, 1_000.0, 12_900_000.0, 2.5].map(count),
            ["0", "999", "1,000", "12,900,000", "2.5"]
        );
    }

    #[test]
    fn ranges_repeat_the_unit_only_if_it_is_another() {
        let range = |values: &[f64]| mean_and_range(values, duration).and_then(|(_, range)| range);
        assert_eq!(range(&[300.0, 360.0]).as_deref(), Some("5 … 6"));
        assert_eq!(range(&[30.0, 360.0]).as_deref(), Some("30 s … 6 min"));
        assert_eq!(range(&[300.0, 300.0]), None);
    }

    #[test]
    fn sizes_and_shares_have_about_three_digits() {
        assert_eq!(bytes(1_342_177_280.0), "1.25 GiB");
        assert_eq!(percent(0.63412), "63.4 %");
        assert_eq!(resource_unit("mem", 3.0 * 1024.0 * 1024.0), ("TiB", 1024.0 * 1024.0));
    }
}
