//! The samples of deep-learning, Hadoop and Mesos workloads that come with the repository have their published counts.

use std::path::{Path, PathBuf};

use mesosim_traces::{Options, Quality, Trace, sink::Collected};

fn sample(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../traces").join(file)
}

/// Reads a sample, of which no row is rejected.
fn read(file: &str) -> (&'static str, Collected, Quality) {
    let trace = Trace::one(&sample(file), None).expect("one trace of a known format");
    let mut rows = Collected::default();
    let quality = trace.read(&Options::default(), &mut rows, &mut |_| true).expect("a good trace");
    assert_eq!(quality.rejected(), 0, "{file}: {:?}", quality.files());
    (trace.format.name, rows, quality)
}

/// Format, jobs, instances of all tasks, machines.
fn counts(file: &str) -> (&'static str, usize, u32, usize) {
    let (format, rows, _) = read(file);
    (format, rows.jobs.len(), rows.tasks.iter().map(|task| task.instances).sum(), rows.machines.len())
}

#[test]
fn the_samples_have_their_published_counts() {
    let shockwave = "shockwave/120_0.2_5_100_40_25_0-0.5-0.5_0.6-0.3-0.09-0.01_multigpu_dynamic.trace.gz";
    assert_eq!(counts(shockwave), ("shockwave", 120, 164, 0));
    assert_eq!(counts("pollux/workload-1.csv"), ("pollux", 160, 1092, 0));
    assert_eq!(counts("pollux/workload-realistic-1.csv"), ("pollux", 160, 218, 0));
    assert_eq!(counts("tiresias/60_job.csv"), ("tiresias", 60, 170, 0));
    assert_eq!(counts("tiresias/n256g8.csv"), ("tiresias", 0, 0, 256));
    assert_eq!(counts("muri/trace1.csv.gz"), ("muri", 1494, 7398, 0));
    assert_eq!(counts("cook/example-trace.json.gz"), ("cook", 119, 119, 0));
    assert_eq!(counts("cook/example-hosts.json"), ("cook", 0, 0, 5));
    assert_eq!(counts("cook/example-out-trace.csv.gz"), ("cook", 115, 115, 0));
    assert_eq!(counts("openb-2023/openb_pod_list_default.csv.gz"), ("openb", 8152, 8152, 0));
    assert_eq!(counts("openb-2023/openb_pod_list_multigpu20.csv.gz"), ("openb", 8324, 8324, 0));
    assert_eq!(counts("openb-2023/openb_node_list_gpu_node.csv.gz"), ("openb", 0, 0, 1213));
}

#[test]
fn the_hadoop_day_has_its_published_counts() {
    let (format, rows, _) = read("facebook-swim/FB-2009_samples_24_times_1hr_0.tsv.gz");
    assert_eq!((format, rows.jobs.len()), ("swim", 5894));
    let submits = rows.jobs.iter().filter_map(|job| job.submit).map(|at| at.0 / 1_000_000);
    assert_eq!((submits.clone().min(), submits.max()), (Some(49), Some(86_404)));
    let map_only = rows.jobs.iter().filter(|job| job.number_of("shuffle_bytes") == Some(0.0)).count();
    assert_eq!((map_only, rows.tasks.len()), (4448, 5894 + 5894 - 4448));
}

#[test]
fn gavels_samples_have_their_counts_and_each_job_a_duration_from_the_simulators_table() {
    let files = [
        ("gavel/physical_cluster/max_min_fairness.trace.gz", 96, 169),
        ("gavel/reference/multi_s0.trace.gz", 250, 383),
    ];
    for (file, jobs, gpus) in files {
        let (format, rows, quality) = read(file);
        let instances: u32 = rows.tasks.iter().map(|task| task.instances).sum();
        assert_eq!((format, rows.jobs.len(), instances), ("gavel", jobs, gpus));
        assert!(rows.tasks.iter().all(|task| task.duration.is_some_and(|time| time.0 > 0)), "{file}");
        assert!(quality.assumptions()[0].contains("simulation_throughputs"), "{:?}", quality.assumptions());
    }
}

#[test]
fn the_pods_and_nodes_of_openb_have_their_published_sums() {
    let (_, rows, quality) = read("openb-2023/openb_pod_list_default.csv.gz");
    let gpus: Vec<f64> = rows.tasks.iter().filter_map(|task| task.gpus).collect();
    let count = |wanted: fn(f64) -> bool| gpus.iter().filter(|gpus| wanted(**gpus)).count();
    assert_eq!([count(|g| g == 0.0), count(|g| g > 0.0 && g < 1.0)], [1088, 3078]);
    assert_eq!([count(|g| g == 1.0), count(|g| g > 1.0)], [3911, 75]);
    assert_eq!(gpus.iter().map(|gpus| (gpus * 1e3).round() as u64).sum::<u64>(), 6_086_800);
    assert_eq!(rows.jobs.iter().filter_map(|job| job.submit).map(|at| at.0).max(), Some(12_901_761_000_000));
    assert_eq!(quality.missing().get("scheduled_time"), Some(&897));
    let (_, rows, _) = read("openb-2023/openb_node_list_gpu_node.csv.gz");
    let sum = |amounts: Vec<Option<f64>>| amounts.into_iter().flatten().sum::<f64>();
    assert_eq!(sum(rows.machines.iter().map(|node| node.gpus).collect()), 6212.0);
    assert_eq!(sum(rows.machines.iter().map(|node| node.cpus).collect()), 107_018.0);
    assert_eq!(sum(rows.machines.iter().map(|node| node.mem_mib).collect()), 503_828_480.0);
}
