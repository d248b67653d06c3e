//! The same experiment gives the same bytes: again, with one thread or two, with or without features.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::AtomicBool,
};

use mesosim::{
    container::oversubscription::{CONTROLLER_NAMES, ESTIMATOR_NAMES},
    experiment::{
        config::{self, Vocabulary},
        prepare::Prepared,
    },
    framework::KIND_NAMES,
    policy::{ORDER_NAMES, PLACEMENT_NAMES, RESPONSE_NAMES, SORTER_NAMES},
};
use tempfile::TempDir;

/// What a manifest tells of the machine and the hour, not of the run.
const VOLATILE: [&str; 4] = ["started", "wall_seconds", "events_per_second", "peak_memory_bytes"];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Two policies, two seeds, a slice of the openb trace, and messages of which none takes the same time.
fn experiment() -> String {
    let trace = |file: &str| repository().join("traces/openb-2023").join(file);
    format!(
        r#"name = "slice"
seeds = [1, 2]
until = "3 days"
[cluster]
trace = {{ path = '{}' }}
every = 64
[network]
jitter = "20 ms"
[workload]
trace = {{ path = '{}' }}
compress = 300
first = 600
[[framework]]
name = "LS"
role = "latency-sensitive"
select = {{ qos = "LS" }}
[[framework]]
name = "others"
role = "others"
[[policy]]
name = "best-fit"
placement = "gpu-best-fit"
refuse_seconds = "10 min"
[[policy]]
name = "random-fit"
placement = "random-fit"
response = "decline"
backfill = false
"#,
        trace("openb_node_list_all_node.csv.gz").display(),
        trace("openb_pod_list_default.csv.gz").display()
    )
}

fn run(directory: &Path, out: &str, jobs: &str) -> PathBuf {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mesosim"));
    command.args(["run", "slice.toml", "--out", out, "--jobs", jobs]).current_dir(directory);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    directory.join(out)
}

/// All files below a directory, relative to it, sorted.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(directory).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Sets what is volatile to nothing in all manifests, and makes the report anew: it quotes them.
fn without_the_volatile(results: &Path) {
    for file in files(results).iter().filter(|file| file.ends_with("manifest.json")) {
        let path = results.join(file);
        let mut manifest: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for key in VOLATILE {
            let removed = manifest.as_object_mut().unwrap().remove(key);
            assert!(removed.is_some(), "{key} is not in {}", path.display());
        }
        fs::write(path, serde_json::to_string_pretty(&manifest).unwrap()).unwrap();
    }
    mesosim::report::build(results).unwrap();
}

#[test]
fn results_are_the_same_bytes_again_and_on_one_thread_or_two() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("slice.toml"), experiment()).unwrap();
    let results =
        [("one", "1"), ("two", "2"), ("again", "2")].map(|(out, jobs)| run(directory.path(), out, jobs));
    let names = files(&results[0]);
    for word in ["summary.csv", "report.html", "jobs.csv", "timeline.csv", "allocator.csv", "manifest.json"] {
        assert!(names.iter().any(|name| name.ends_with(word)), "no {word} among {names:?}");
    }
    for name in names.iter().filter(|name| !name.ends_with("manifest.json") && !name.ends_with("report.html"))
    {
        assert_same(&results, name);
    }
    results.iter().for_each(|results| without_the_volatile(results));
    for name in &names {
        assert_same(&results, name);
    }
    let hashes = hashes(&results[0]);
    assert_eq!(hashes.len(), 4);
    for (place, hash) in hashes.iter().enumerate() {
        assert!(!hashes[..place].contains(hash), "two cells have the record hash {hash}");
    }
}

fn assert_same(results: &[PathBuf; 3], name: &Path) {
    let [one, two, again] = results.each_ref().map(|results| fs::read(results.join(name)).unwrap());
    assert!(one == two, "{} differs between one thread and two", name.display());
    assert!(two == again, "{} differs between two runs", name.display());
    assert_eq!(files(&results[0]), files(&results[1]));
    assert_eq!(files(&results[0]), files(&results[2]));
}

fn hashes(results: &Path) -> Vec<String> {
    let mut reader = csv::Reader::from_path(results.join("summary.csv")).unwrap();
    let place = reader.headers().unwrap().iter().position(|column| column == "record_hash").unwrap();
    reader.records().map(|record| record.unwrap()[place].to_owned()).collect()
}

/// The record hashes of experiments/quickstart.toml: policy, seed, hash.
///
/// They hold for debug and release builds, with and without the feature `parquet` (which changes features of crates that
/// both use). They change only when a decision, its time or a record changes. If that was meant, put in the hashes that
/// the failing test prints, and say in the commit message what changed; if it was not meant, the change is wrong.
const QUICKSTART: &[(&str, u64, &str)] =
    &[("best-fit", 1, "b82e3eb17ed89be6"), ("worst-fit", 1, "c12ac9a84c9bd6de")];

#[test]
fn the_quickstart_makes_the_decisions_that_it_always_made() {
    let vocabulary = Vocabulary {
        sorters: SORTER_NAMES,
        orders: ORDER_NAMES,
        placements: PLACEMENT_NAMES,
        kinds: KIND_NAMES,
        responses: RESPONSE_NAMES,
        estimators: ESTIMATOR_NAMES,
        controllers: CONTROLLER_NAMES,
        trace_formats: &["openb"],
        capabilities: &mesos::capability::Capabilities::names(),
    };
    let file = repository().join("experiments/quickstart.toml");
    let loaded = config::load(&file, &[], &vocabulary).unwrap();
    let prepared = Prepared::new(&loaded).unwrap();
    let found = prepared.cells().into_iter().map(|cell| {
        let outcome = prepared.simulate(cell, &AtomicBool::new(false), &mut |_| {});
        let policy = prepared.experiment.policy[cell.policy].name.clone();
        (policy, cell.seed, format!("{:016x}", outcome.hash.value()))
    });
    let found: Vec<_> = found.collect();
    let pinned: Vec<_> = QUICKSTART
        .iter()
        .map(|(policy, seed, hash)| ((*policy).to_owned(), *seed, (*hash).to_owned()))
        .collect();
    assert_eq!(found, pinned, "left: now; right: pinned");
}
