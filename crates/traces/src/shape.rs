//! What the fields of a headerless table look like: how such a file is recognised.

use crate::Source;

/// So many of the first rows are looked at.
const ROWS: usize = 16;

/// What a field of a table may hold.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// A whole number.
    Int,
    /// A whole number from 0 to this.
    UpTo(i64),
    /// A whole number from 0 to this, or nothing.
    MaybeUpTo(i64),
    /// A whole number, or nothing.
    MaybeInt,
    /// A number.
    Number,
    /// A number, or nothing.
    MaybeNumber,
    /// One of these words, whatever its capitals.
    Word(&'static [&'static str]),
    /// Text that is no number.
    Name,
    /// Text that is no number, or nothing.
    MaybeName,
    /// At least so many digits of hexadecimal numbers, and nothing else.
    Hex(usize),
    /// At least so many characters of base64, and nothing else.
    Base64(usize),
    /// Text that begins so.
    Begins(&'static str),
    /// Anything, or nothing.
    Any,
}

impl Kind {
    fn holds(self, field: &str) -> bool {
        let is_int = || field.parse::<i64>().is_ok();
        let is_number = || field.parse::<f64>().is_ok_and(f64::is_finite);
        match self {
            Self::Int => is_int(),
            Self::UpTo(most) => field.parse().is_ok_and(|number: i64| (0..=most).contains(&number)),
            Self::MaybeUpTo(most) => field.is_empty() || Self::UpTo(most).holds(field),
            Self::MaybeInt => field.is_empty() || is_int(),
            Self::Number => is_number(),
            Self::MaybeNumber => field.is_empty() || is_number(),
            Self::Word(words) => words.iter().any(|word| word.eq_ignore_ascii_case(field)),
            Self::Name => !field.is_empty() && !is_number(),
            Self::MaybeName => !is_number(),
            Self::Hex(least) => field.len() >= least && field.bytes().all(|byte| byte.is_ascii_hexdigit()),
            Self::Base64(least) => {
                let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
                field.len() >= least && field.bytes().all(is_digit)
            }
            Self::Begins(start) => field.starts_with(start),
            Self::Any => true,
        }
    }
}

/// Whether most of the first rows are comma-separated fields of these kinds, exactly so many. Comments (`#`) and a first line
/// that may be a header do not count.
#[must_use]
pub fn fits(source: &Source, kinds: &[Kind]) -> bool {
    let (mut good, mut bad) = (0, 0);
    let lines = source.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    for (at, line) in lines.take(ROWS).enumerate() {
        match (is_row(line, kinds), at) {
            (true, _) => good += 1,
            (false, 0) => {}
            (false, _) => bad += 1,
        }
    }
    good > bad
}

fn is_row(line: &str, kinds: &[Kind]) -> bool {
    let mut kinds = kinds.iter();
    let holds =
        |field: &str| kinds.next().is_some_and(|kind| kind.holds(field.trim().trim_matches('"').trim()));
    line.split(',').all(holds) && kinds.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_recognised_by_most_of_its_rows() {
        let source = |text: &str| Source { path: "x".into(), head: text.as_bytes().to_vec() };
        let kinds = [Kind::Int, Kind::Word(&["Ready", "Failed"]), Kind::MaybeNumber, Kind::Name];
        for good in
            ["1,Ready,,a", "time,status,x,y\n1,failed,0.5,b\n", "1,Ready,,a\n2,Ready\n3,Failed,1e3,c\n"]
        {
            assert!(fits(&source(good), &kinds), "{good}");
        }
        for bad in ["", "1,Ready,,7", "1,Gone,,a", "1,Ready,,a,", "x,Ready,,a\n1,Ready\n", "1,Ready,nan,a"] {
            assert!(!fits(&source(bad), &kinds), "{bad}");
        }
    }
}
