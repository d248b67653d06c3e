//! `mesosim conformance`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use indicatif::{ProgressBar, ProgressStyle};
use mesos::allocator::{Allocator, AllocatorOptions, Ascending, HierarchicalAllocator};
use mesos_conformance::{Outcome, ScenarioError};

use super::CommandError;

#[derive(Debug, clap::Args)]
pub(super) struct ConformanceArguments {
    /// Scenario files, and directories with scenario files (*.json) anywhere below
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print what happens at each step, who is offered what, and who holds what at the end
    #[arg(long)]
    show: bool,
}

/// How many files did what.
#[derive(Default)]
struct Count {
    passed: usize,
    failed: usize,
    not_read: usize,
}

pub(super) fn conformance(arguments: &ConformanceArguments) -> Result<ExitCode, CommandError> {
    let mut count = Count::default();
    let mut files = Vec::new();
    for path in &arguments.paths {
        match scenarios_below(path) {
            Ok(found) => files.extend(found),
            Err(error) => count.not_read(path, &error),
        }
    }
    let bar = ProgressBar::new(files.len() as u64).with_style(style()); // hidden without a terminal
    for file in &files {
        match read(file) {
            Ok(text) => bar.suspend(|| count.take(file, &text, arguments.show)),
            Err(error) => bar.suspend(|| count.not_read(file, &error)),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let Count { passed, failed, not_read } = count;
    let rest = if not_read > 0 { format!(", {not_read} not read") } else { String::new() };
    say!("{passed} passed, {failed} failed{rest}");
    Ok(ExitCode::from(if not_read > 0 { 2 } else { u8::from(failed > 0) }))
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:30} {pos} of {len} scenarios").expect("a constant template")
}

impl Count {
    /// Runs one scenario and prints what it came to.
    fn take(&mut self, file: &Path, text: &str, show: bool) {
        if show {
            match mesos_conformance::show(text, &mut allocator) {
                Ok(shown) => say!("{}\n{shown}", file.display()),
                Err(error) => return self.not_read(file, &error.to_string()),
            }
        }
        match mesos_conformance::run(text, &mut allocator) {
            Ok(outcome) if outcome.passed() => self.passed += 1,
            Ok(outcome) => {
                self.failed += 1;
                if !show {
                    differences(file, &outcome);
                }
            }
            Err(ScenarioError(error)) => self.not_read(file, &error),
        }
    }

    fn not_read(&mut self, path: &Path, error: &str) {
        self.not_read += 1;
        super::complain(format_args!("Error: {}: {error}", path.display()));
    }
}

fn differences(file: &Path, outcome: &Outcome) {
    say!("{} (- expected, + given)", file.display());
    for mismatch in &outcome.mismatches {
        say!("  {}", mismatch.place);
        mismatch.diff.iter().for_each(|line| say!("    {line}"));
    }
}

/// The recordings visit agents in ascending order.
fn allocator(options: AllocatorOptions) -> Box<dyn Allocator> {
    Box::new(HierarchicalAllocator::new(options, Box::new(Ascending)))
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))
}

/// A file itself, whatever its name; of a directory all `*.json` below it, sorted.
fn scenarios_below(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    collect(path, &mut found).map_err(|error| format!("cannot be read: {error}"))?;
    if found.is_empty() {
        return Err("no scenario below this directory: expected files *.json".to_owned());
    }
    found.sort();
    Ok(found)
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    Ok(())
}
