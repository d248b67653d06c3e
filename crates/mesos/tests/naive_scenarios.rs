//! The plain allocator that the fast one is compared with answers every recorded scenario as Mesos does: without this,
//! both might be wrong in the same way.

mod naive;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use mesos::allocator::{Allocator, AllocatorOptions};

fn allocator(options: AllocatorOptions) -> Box<dyn Allocator> {
    Box::new(naive::NaiveAllocator::new(options))
}

/// All scenarios of allocators.
fn files() -> Vec<PathBuf> {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut folders = vec![scenarios.join("allocator"), scenarios.join("mesos_tests")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of scenarios") {
            let path = entry.expect("an entry of the folder").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    if cfg!(debug_assertions) {
        // Without optimisation the plain allocator takes its time: a part of each family. With it, all of them.
        files = files.into_iter().step_by(5).collect();
    }
    files
}

/// What is wrong with the answers, if anything is.
fn wrong(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).expect("a readable scenario");
    let outcome = match mesos_conformance::run(&text, &mut allocator) {
        Ok(outcome) => outcome,
        Err(error) => return Some(format!("{}: {error}", file.display())),
    };
    let first = outcome.mismatches.first()?;
    Some(format!("{}\n  {}\n  {}", file.display(), first.place, first.diff.join("\n  ")))
}

#[test]
fn the_naive_allocator_answers_every_scenario_as_mesos_does() {
    let files = files();
    assert!(files.len() > 100, "only {} scenarios are there", files.len());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let wrong: Vec<String> = thread::scope(|scope| {
        let run =
            |chunk| scope.spawn(move || <[PathBuf]>::iter(chunk).filter_map(|file| wrong(file)).collect());
        let parts: Vec<thread::ScopedJoinHandle<'_, Vec<String>>> =
            files.chunks(files.len().div_ceil(threads)).map(run).collect();
        parts.into_iter().flat_map(|part| part.join().expect("a thread that does not panic")).collect()
    });
    assert!(wrong.is_empty(), "{} of {} scenarios differ:\n{}", wrong.len(), files.len(), wrong.join("\n"));
}
