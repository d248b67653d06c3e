//! Quantities with a unit, written as text: `"10 min"`, `"64 GiB"`.
//!
//! Text is read with whole-number arithmetic, so that no quantity depends on how a float rounds, and written back
//! as the shortest exact text, so that a resolved experiment reads well and means the same.

use std::{borrow::Cow, fmt, marker::PhantomData};

use mesos::time::Span;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::nearest::did_you_mean;

/// A length of time, from text such as `"10 min"`. Nanoseconds inside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(pub Span);

/// A number of bytes, from text such as `"64 GiB"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Size(pub u64);

/// Why a text is no quantity: what is wrong with it and, after a line break, what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}\n{help}")]
pub struct UnitError {
    wrong: String,
    help: String,
}

/// A unit: its names (the first is the one written) and how many of the smallest unit it is.
type Unit = (&'static [&'static str], u64);

/// What `Duration` and `Size` differ in.
struct Kind {
    noun: &'static str,
    examples: [&'static str; 3],
    /// In which unit an example for a bare number is given.
    usual: &'static str,
    too_large: &'static str,
    /// From small to large; of two that write equally short, the first is written.
    units: &'static [Unit],
}

const DURATION: Kind = Kind {
    noun: "duration",
    examples: ["10 min", "0.5 ms", "200 days"],
    usual: "s",
    too_large: "longer than 584 years",
    units: &[
        (&["ns"], 1),
        (&["us"], 1_000),
        (&["ms"], 1_000_000),
        (&["s", "sec", "secs"], 1_000_000_000),
        (&["min", "mins"], 60_000_000_000),
        (&["h", "hr", "hrs", "hours"], 3_600_000_000_000),
        (&["days", "day", "d"], 86_400_000_000_000),
        (&["weeks", "w"], 604_800_000_000_000),
    ],
};

const SIZE: Kind = Kind {
    noun: "size",
    examples: ["64 GiB", "512 MiB", "1 TB"],
    usual: "GiB",
    too_large: "more than 16 million TiB",
    units: &[
        (&["B"], 1),
        (&["KiB"], 1 << 10),
        (&["MiB"], 1 << 20),
        (&["GiB"], 1 << 30),
        (&["TiB"], 1 << 40),
        (&["KB"], 1_000),
        (&["MB"], 1_000_000),
        (&["GB"], 1_000_000_000),
        (&["TB"], 1_000_000_000_000),
    ],
};

/// A number in text that is in units of `10^-decimals`.
struct Decimal {
    digits: u128,
    decimals: u32,
}

impl Kind {
    /// How many of the smallest unit `text` is, rounded to the nearest.
    fn parse(&self, text: &str) -> Result<u64, UnitError> {
        let trimmed = text.trim();
        if trimmed.starts_with('-') {
            return Err(self.wrong(format!("a {} cannot be negative, but this is `{trimmed}`", self.noun)));
        }
        let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
        let (number, unit) = (&trimmed[..end], trimmed[end..].trim_start());
        let number = decimal(number).ok_or_else(|| {
            self.wrong(format!("`{text}` is not a {}: it has no number in front", self.noun))
        })?;
        if unit.is_empty() {
            return Err(self.bare(trimmed));
        }
        let scale = self.scale(unit).ok_or_else(|| self.unknown(unit))?;
        scaled(&number, scale).ok_or_else(|| self.wrong(format!("`{text}` is {}", self.too_large)))
    }

    fn scale(&self, name: &str) -> Option<u64> {
        self.units.iter().find(|(names, _)| names.contains(&name)).map(|&(_, scale)| scale)
    }

    /// The shortest exact text.
    fn write(&self, count: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self.units.iter().filter(|&&(_, scale)| count != 0 && count.is_multiple_of(scale));
        // Weeks are read but not written: "200 days" says more than "4 weeks" beside "30 days".
        let best =
            exact.filter(|(names, _)| names[0] != "weeks").min_by_key(|&&(_, scale)| digits(count / scale));
        match best {
            None => write!(f, "0 {}", if self.noun == "size" { "B" } else { "s" }),
            Some((names, scale)) if names[0] == "days" && count == *scale => write!(f, "1 day"),
            Some((names, scale)) => write!(f, "{} {}", count / scale, names[0]),
        }
    }

    fn names(&self) -> Vec<&'static str> {
        self.units.iter().flat_map(|(names, _)| names.iter().copied()).collect()
    }

    fn wrong(&self, wrong: String) -> UnitError {
        let [first, second, third] = self.examples;
        UnitError {
            wrong,
            help: format!("write a number and a unit, such as \"{first}\", \"{second}\" or \"{third}\""),
        }
    }

    fn bare(&self, number: impl fmt::Display) -> UnitError {
        UnitError {
            wrong: format!("the {} `{number}` has no unit", self.noun),
            help: format!("write the unit in the text, such as \"{number} {}\"", self.usual),
        }
    }

    fn unknown(&self, unit: &str) -> UnitError {
        let names = self.names();
        let wrong = format!("unknown unit `{unit}` in a {}", self.noun);
        let help = format!("{}the units are {}", did_you_mean(unit, &names), names.join(", "));
        UnitError { wrong, help }
    }

    fn schema(&self) -> Schema {
        let pattern = format!("^\\s*[0-9]*\\.?[0-9]+\\s*({})\\s*$", self.names().join("|"));
        json_schema!({ "type": "string", "pattern": pattern, "examples": self.examples })
    }
}

/// Reads `12`, `0.5`, `.5`; nothing else. At most 18 digits after the point count.
fn decimal(text: &str) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let fraction = &fraction[..fraction.len().min(18)];
    // More than 20 digits in front of the point are too large for every unit; keep them so.
    let digits = format!("{whole}{fraction}").parse().unwrap_or(u128::MAX);
    Some(Decimal { digits, decimals: fraction.len() as u32 })
}

fn scaled(number: &Decimal, scale: u64) -> Option<u64> {
    let divisor = 10_u128.pow(number.decimals);
    let product = number.digits.checked_mul(u128::from(scale))?;
    u64::try_from(product.checked_add(divisor / 2)? / divisor).ok()
}

fn digits(number: u64) -> u32 {
    number.checked_ilog10().unwrap_or(0)
}

/// Implements what both quantities share: reading, writing, serde and the schema.
macro_rules! quantity {
    ($name:ident, $kind:expr, $into:expr, $out:expr) => {
        impl std::str::FromStr for $name {
            type Err = UnitError;
            fn from_str(text: &str) -> Result<Self, UnitError> {
                $kind.parse(text).map($into)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $kind.write($out(self), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(TextVisitor { kind: &$kind, of: PhantomData::<$name> })
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $kind.schema()
            }
        }
    };
}

quantity!(Duration, DURATION, |nanos| Duration(Span(nanos)), |duration: &Duration| duration.0.0);
quantity!(Size, SIZE, Size, |size: &Size| size.0);

struct TextVisitor<T> {
    kind: &'static Kind,
    of: PhantomData<T>,
}

impl<T: std::str::FromStr<Err = UnitError>> de::Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} in quotes such as \"{}\"", self.kind.noun, self.kind.examples[0])
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        Err(E::custom(self.kind.bare(number)))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        Err(E::custom(self.kind.bare(number)))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        Err(E::custom(self.kind.bare(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nanos(text: &str) -> u64 {
        text.parse::<Duration>().expect(text).0.0
    }

    #[test]
    fn every_unit_of_time_reads() {
        assert_eq!(nanos("0.5 ms"), 500_000);
        assert_eq!(nanos("10min"), nanos("600 s"));
        assert_eq!(nanos(" 1.5  hours "), nanos("90 mins"));
        assert_eq!(nanos("1 w"), nanos("7 d"));
        assert_eq!(nanos("2 hrs"), nanos("2 hr"));
        assert_eq!(nanos("0.1 s"), 100_000_000);
        assert_eq!(nanos(".5 us"), 500);
    }

    #[test]
    fn binary_and_decimal_sizes_differ() {
        assert_eq!("64 GiB".parse(), Ok(Size(64 << 30)));
        assert_eq!("64 GB".parse(), Ok(Size(64_000_000_000)));
        assert_eq!("0.5KiB".parse(), Ok(Size(512)));
    }

    #[test]
    fn quantities_are_written_short_and_exact() {
        let duration = |text: &str| text.parse::<Duration>().expect(text).to_string();
        assert_eq!(duration("90 s"), "90 s");
        assert_eq!(duration("3600 s"), "1 h");
        assert_eq!(duration("1 d"), "1 day");
        assert_eq!(duration("2 weeks"), "14 days");
        assert_eq!(duration("0.5 ms"), "500 us");
        assert_eq!(duration("0 h"), "0 s");
        let size = |text: &str| text.parse::<Size>().expect(text).to_string();
        assert_eq!(size("65536 MiB"), "64 GiB");
        assert_eq!(size("1 TB"), "1 TB");
        assert_eq!(size("0 TiB"), "0 B");
        assert_eq!(size("1500 B"), "1500 B");
    }

    #[test]
    fn what_is_wrong_and_what_would_be_right_is_said() {
        let duration = |text: &str| text.parse::<Duration>().expect_err(text).to_string();
        assert!(duration("5").contains("such as \"5 s\""));
        assert!(duration("10 minn").contains("did you mean `min`?"));
        assert!(duration("-5 s").contains("cannot be negative"));
        assert!(duration("soon").contains("no number in front"));
        assert!(duration("1.2.3 s").contains("no number in front"));
        assert!(duration("600 years").contains("unknown unit `years`"));
        assert!(duration("99999999999999999999999999999999999999999999 s").contains("584 years"));
        assert!("64 gib".parse::<Size>().expect_err("gib").to_string().contains("did you mean `GiB`?"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(count in any::<u64>(), power in 0_u32..19) {
            let count = count / 10_u64.pow(power) * 10_u64.pow(power);
            let (duration, size) = (Duration(Span(count)), Size(count));
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,20}", digits in "[0-9.]{0,60} ?[a-zA-Z]{0,4}") {
            let _ = text.parse::<Duration>();
            let _ = digits.parse::<Duration>();
            let _ = digits.parse::<Size>();
        }
    }
}
