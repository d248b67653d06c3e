//! The core answers every scenario in `tests/scenarios` as Mesos does. See `docs/scenarios.md`.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use mesos::allocator::{Allocator, AllocatorOptions, Ascending, HierarchicalAllocator};
use mesos_conformance::{Outcome, ScenarioError};

/// How many differing files are printed whole.
const SHOWN: usize = 5;

fn allocator(options: AllocatorOptions) -> Box<dyn Allocator> {
    Box::new(HierarchicalAllocator::new(options, Box::new(Ascending)))
}

/// All scenarios, sorted.
fn files() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of scenarios") {
            let path = entry.expect("an entry of the folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn run(file: &Path) -> Result<Outcome, ScenarioError> {
    let text = fs::read_to_string(file).expect("a readable scenario");
    mesos_conformance::run(&text, &mut allocator)
}

fn report(file: &Path, result: &Result<Outcome, ScenarioError>) -> Option<String> {
    let lines: Vec<String> = match result {
        Ok(outcome) if outcome.passed() => return None,
        Ok(outcome) => outcome
            .mismatches
            .iter()
            .flat_map(|mismatch| std::iter::once(&mismatch.place).chain(&mismatch.diff).cloned())
            .collect(),
        Err(error) => vec![error.to_string()],
    };
    Some(format!("{}\n  {}", file.display(), lines.join("\n  ")))
}

#[test]
fn every_scenario_is_answered_as_mesos_answers_it() {
    let files = files();
    assert!(files.len() > 500, "only {} scenarios are there", files.len());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let wrong: Vec<String> = thread::scope(|scope| {
        let parts = files.chunks(files.len().div_ceil(threads));
        let running: Vec<_> = parts
            .map(|part| scope.spawn(|| part.iter().filter_map(|file| report(file, &run(file))).collect()))
            .collect();
        let found: Vec<Vec<String>> =
            running.into_iter().map(|part| part.join().expect("a scenario made the core panic")).collect();
        found.concat()
    });
    let (count, shown) = (wrong.len(), wrong[..wrong.len().min(SHOWN)].join("\n"));
    assert!(wrong.is_empty(), "{count} of {} scenarios fail, the first of them:\n{shown}", files.len());
}
