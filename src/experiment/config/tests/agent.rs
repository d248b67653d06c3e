//! `[agent]`, `[[image]]` and `[[profile]]`: what is read, and what is wrong.

use super::*;

const BASE: &str = r#"name = "containers"
[cluster]
agents = [{ count = 1, cpus = 8.0, mem = "64 GiB" }]
[workload.poisson]
jobs = 1
interarrival = "1 s"
duration = "10 min"
[[policy]]
name = "only"
"#;

const EVERY_KEY: &str = r#"
[agent]
startup_delay = "2 s"
image_bandwidth = "100 MB"
image_cache = "10 GiB"
enable_cfs = true
executor_registration_timeout = "5 min"
registration_backoff_factor = "10 s"
resource_estimator = "usage-slack"
revocable_cpus = 4
qos_controller = "load"
load_threshold = 0.9
oversubscribed_resources_interval = "30 s"
[[image]]
name = "spark"
size = "1 GiB"
[[profile]]
name = "leaky"
share = 0.25
image = "spark"
cpus = 2.5
mem_peak = { factor = 1.5, at = 0.8 }
stop_delay = "3 s"
[[profile]]
name = "guest"
share = 0.75
mem_peak = { mem = "3 GiB", at = 0 }
revocable = true
[[framework]]
name = "batch"
capabilities = ["REVOCABLE_RESOURCES"]
"#;

fn wrong(tables: &str) -> String {
    show(&read(&format!("{BASE}{tables}"), &[]).map(|loaded| loaded.experiment).expect_err(tables))
}

fn says(tables: &str, words: &[&str]) {
    let shown = wrong(tables);
    for word in words {
        assert!(shown.contains(word), "{word:?} is not in\n{shown}");
    }
}

#[test]
fn every_key_of_agents_images_and_profiles_can_be_given() {
    let text = format!("{BASE}{EVERY_KEY}");
    let experiment = read(&text, &[]).map_err(|error| show(&error)).expect("good").experiment;
    assert_eq!(experiment.agent.image_bandwidth, Some(Size(100_000_000)));
    assert_eq!(experiment.profile[0].mem_peak.map(|peak| (peak.factor, peak.at)), Some((Some(1.5), 0.8)));
    let written = toml::to_string(&experiment).expect("TOML");
    assert_eq!(read(&written, &[]).map_err(|error| show(&error)).expect("good").experiment, experiment);
}

#[test]
fn without_them_nothing_takes_time_and_nothing_is_offered_twice() {
    let experiment = read(BASE, &[]).map_err(|error| show(&error)).expect("good").experiment;
    assert_eq!(experiment.agent, Agent::default());
    assert!(!experiment.agent.oversubscribes());
}

#[test]
fn unknown_words_are_told_with_the_nearest() {
    says("[agent]\nresource_estimator = \"usage-slak\"\n", &["usage-slak", "did you mean `usage-slack`?"]);
    says("[agent]\nqos_controller = \"lod\"\n", &["lod", "did you mean `load`?"]);
    says(
        "[agent]\nstartup_dellay = \"1 s\"\n",
        &["unknown key `startup_dellay`", "did you mean `startup_delay`?"],
    );
    says(
        "[[image]]\nname = \"redis\"\nsize = \"1 MiB\"\n[[profile]]\nname = \"a\"\nimage = \"rediss\"\n",
        &["unknown image `rediss`", "did you mean `redis`?"],
    );
}

#[test]
fn amounts_of_agents_and_images_are_possible() {
    says("[agent]\nimage_bandwidth = \"0 B\"\n", &["`agent.image_bandwidth` must be 1 or more"]);
    says("[agent]\nrevocable_cpus = -1\n", &["`agent.revocable_cpus` must be from"]);
    says("[agent]\nload_threshold = 0\n", &["`agent.load_threshold` must be a number above 0"]);
    says(
        "[agent]\noversubscribed_resources_interval = \"0 s\"\n",
        &["`agent.oversubscribed_resources_interval` must be longer"],
    );
    let slow = "[agent]\nimage_bandwidth = \"1 B\"\n[[image]]\nname = \"big\"\nsize = \"1 MB\"\n";
    says(slow, &["to pull the image `big` would take more than a day"]);
    let twice = "[[image]]\nname = \"a\"\nsize = \"1 MB\"\n".repeat(2);
    says(&twice, &["two `[[image]]` are named `a`"]);
}

#[test]
fn profiles_say_one_thing_and_can_be_had() {
    let profile = |keys: &str| format!("[[profile]]\nname = \"p\"\n{keys}\n");
    says(&profile("mem_peak = { at = 0.5 }"), &["needs one of `mem` and `factor`"]);
    says(&profile("mem_peak = { at = 0.5, factor = 2, mem = \"1 GiB\" }"), &["has both `mem` and `factor`"]);
    says(&profile("mem_peak = { at = 1.5, factor = 2 }"), &["`profile[0].mem_peak.at` must be from 0 to 1"]);
    says(&profile("cpus = -1"), &["`profile[0].cpus` must be from 0"]);
    says(&profile("share = 1.5"), &["`profile[0].share` must be from 0 to 1"]);
    let two = "[[profile]]\nname = \"a\"\nshare = 0.5\n[[profile]]\nname = \"b\"\nshare = 0.75\n";
    says(two, &["shares make up 1.25, which is more than all jobs"]);
    says(&profile("revocable = true"), &["no agent ever offers any", "no framework has the capability"]);
}

#[test]
fn a_trace_has_no_profiles() {
    let text = format!("{GOOD}[[profile]]\nname = \"p\"\n");
    let shown = show(&read(&text, &[]).map(|loaded| loaded.experiment).expect_err("a trace"));
    assert!(shown.contains("this workload is a trace"), "{shown}");
}
