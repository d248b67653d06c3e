//! Damaged files: no reader panics on them, and every row that is rejected is counted and named.
//!
//! The samples under `tests/samples` (one directory for each format) are good; each case damages them at random. The test takes
//! a second; `MESOSIM_FUZZ_SECONDS=300 cargo test --release -p mesosim-traces --features parquet,sqlite --test malformed` takes
//! five minutes. A case is drawn from its number, and a failure says the number: `MESOSIM_FUZZ_FIRST` begins there.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use mesosim_traces::{FORMATS, Format, Options, Quality, Source, Table, Trace, TraceError, sink::Collected};

/// What to put into files: where numbers, texts and structure end.
const PIECES: &[&[u8]] = &[
    b"",
    b"\n",
    b"\r\n",
    b",",
    b"\t",
    b" ",
    b"|",
    b";",
    b"\"",
    b"\"\"",
    b"-",
    b"-1",
    b"0",
    b"0.5",
    b"1e308",
    b"-1e308",
    b"1e-320",
    b"NaN",
    b"inf",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"4294967295",
    b"99999999999999999999999",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"true",
    b":",
    b"\\",
    b"\\u0000",
    b"_",
    b"%",
    b"+",
    b"2024-13-45",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"PAR1",
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
];

/// The good files of a format: name, table, content.
type Files = Vec<(String, Table, Vec<u8>)>;

fn samples() -> Vec<(&'static Format, Files)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let of = |format: &'static Format| {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(root.join(format.name)).ok()?.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let file = |path: &PathBuf| {
            let table = (format.detect)(&Source::of(path).unwrap());
            let table = table.unwrap_or_else(|| panic!("{}: is not of the format", path.display()));
            (path.file_name().unwrap().to_string_lossy().into_owned(), table, fs::read(path).unwrap())
        };
        Some((format, paths.iter().map(file).collect()))
    };
    FORMATS.iter().filter_map(of).collect()
}

/// SplitMix64: a case is a number.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn damage(&mut self, content: &mut Vec<u8>) {
        let at = self.below(content.len() + 1);
        let end = (at + self.below(12)).min(content.len());
        match self.below(12) {
            0 => content.truncate(at),
            1 => content.clear(),
            2 => content[at..end].iter_mut().for_each(|byte| *byte ^= 1 << (at % 8)),
            3 => drop(content.splice(at..at, (0..24).map(|_| self.next() as u8).collect::<Vec<_>>())),
            4 => content.extend(content.clone()),
            5 => self.swap_lines(content),
            6 if self.below(40) == 0 => drop(content.splice(at..at, std::iter::repeat_n(b'7', 3 << 20))),
            7 => self.repeat_field(content, at),
            _ => {
                let piece = PIECES[self.below(PIECES.len())];
                drop(content.splice(at..end, piece.iter().copied()));
            }
        }
    }

    fn swap_lines(&mut self, content: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> =
            content.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        if !lines.is_empty() {
            let (a, b) = (self.below(lines.len()), self.below(lines.len()));
            lines.swap(a, b);
            lines.insert(a, lines[b].clone());
        }
        *content = lines.concat();
    }

    /// A row with a field too many.
    fn repeat_field(&mut self, content: &mut Vec<u8>, at: usize) {
        let is_end = |byte: &u8| b",\t|; \n".contains(byte);
        let end = content[at..].iter().position(is_end).map_or(content.len(), |length| at + length + 1);
        let field = content[at..end].to_vec();
        drop(content.splice(at..at, field));
    }
}

/// What a format's reader makes of these files, all of them of the tables that they were.
fn read(
    format: &'static Format,
    directory: &Path,
    files: &Files,
) -> Result<(Collected, Quality), TraceError> {
    let mut trace = Trace { format, files: Vec::new() };
    for (name, table, content) in files {
        let path = directory.join(name);
        fs::write(&path, content).unwrap();
        trace.files.push((Source::of(&path)?, *table));
    }
    let mut rows = Collected::default();
    let options = Options { rejections: usize::MAX, ..Options::default() };
    let quality = trace.read(&options, &mut rows, &mut |_| true)?;
    Ok((rows, quality))
}

/// Reads the damaged files of one case, and says what it found wrong with the reader.
fn case(number: u64, samples: &[(&'static Format, Files)], directory: &Path) -> Result<bool, String> {
    let mut dice = Dice(number);
    let (format, good) = &samples[dice.below(samples.len())];
    let mut files: Files =
        if dice.below(3) == 0 { good.clone() } else { vec![good[dice.below(good.len())].clone()] };
    for _ in 0..=dice.below(4) {
        let which = dice.below(files.len());
        dice.damage(&mut files[which].2);
    }
    let done = catch_unwind(AssertUnwindSafe(|| {
        for (name, _, content) in &files {
            fs::write(directory.join(name), content).unwrap();
            if let Ok(source) = Source::of(&directory.join(name)) {
                let _tables: Vec<_> = FORMATS.iter().map(|other| (other.detect)(&source)).collect();
            }
        }
        read(format, directory, &files)
    }));
    let outcome = done.map_err(|_| format!("{}: the reader panicked", format.name))?;
    let Ok((_, quality)) = outcome else { return Ok(false) };
    for file in quality.files() {
        let (rejected, named) = (file.rejected, file.rejections.len() as u64);
        if rejected != named || rejected > file.rows {
            return Err(format!(
                "{} {}: {rejected} of {} rows rejected, {named} named",
                format.name, file.table, file.rows
            ));
        }
        if let Some(row) = file.rejections.iter().find(|row| row.line == 0 || row.expected.is_empty()) {
            return Err(format!(
                "{} {}: a rejection without a line or a reason: {row}",
                format.name, file.table
            ));
        }
    }
    Ok(true)
}

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| {
        text.parse().unwrap_or_else(|_| panic!("{name} is `{text}`: expected a number"))
    })
}

#[test]
fn each_sample_is_read_whole_and_without_a_rejection() {
    let directory = tempfile::tempdir().unwrap();
    for (format, files) in samples() {
        for file in files.iter().filter(|(_, table, _)| *table != "joined") {
            // Fragments of use belong to tasks, which must be there.
            let with = if file.1 == "fragments" { files.clone() } else { vec![file.clone()] };
            match read(format, directory.path(), &with) {
                Ok((_, quality)) => {
                    assert_eq!(quality.rejected(), 0, "{} {}: {:?}", format.name, file.0, quality.files());
                }
                Err(TraceError::NotBuilt { .. } | TraceError::Unusable(_)) => {}
                Err(error) => panic!("{} {}: {error}", format.name, file.0),
            }
        }
    }
}

#[test]
fn every_format_has_samples() {
    let there: Vec<_> = samples().iter().map(|(format, _)| format.name).collect();
    let lacking: Vec<_> =
        FORMATS.iter().map(|format| format.name).filter(|name| !there.contains(name)).collect();
    // Parquet files of these two are made by tests of their readers.
    assert_eq!(lacking, ["native", "wtf"]);
}

#[test]
fn no_damage_makes_a_reader_panic_and_every_rejected_row_is_named() {
    let (samples, directory) = (samples(), tempfile::tempdir().unwrap());
    let (began, time) = (Instant::now(), Duration::from_secs(setting("MESOSIM_FUZZ_SECONDS", 1)));
    let first = setting("MESOSIM_FUZZ_FIRST", 0);
    let (mut read, mut wrong, mut number) = (0u64, Vec::new(), first);
    while began.elapsed() < time && wrong.len() < 20 {
        match case(number, &samples, directory.path()) {
            Ok(is_whole) => read += u64::from(is_whole),
            Err(problem) => wrong.push(format!("case {number}: {problem}")),
        }
        number += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let cases = number - first;
    assert!(read > cases / 4, "only {read} of {cases} damaged files were read to their end");
}
