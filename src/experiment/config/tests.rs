//! Bad input: what is said, and where it points.

use std::path::Path;

use super::*;

const WORDS: Vocabulary<'static> = Vocabulary {
    sorters: &["drf"],
    orders: &["fifo", "shortest-first"],
    placements: &["first-fit", "best-fit", "worst-fit"],
    responses: &["decline", "hold"],
    trace_formats: &["openb"],
    capabilities: &["GPU_RESOURCES", "MULTI_ROLE"],
};

const GOOD: &str = r#"name = "quickstart"
seeds = [1, 2]
until = "200 days"

[cluster]
trace = { path = "../nodes.csv.gz", format = "openb" }

[workload]
trace = { path = "../pods.csv.gz" }
compress = 100

[[framework]]
name = "LS"
role = "latency-sensitive"
weight = 2.0
select = { qos = "LS" }

[[framework]]
name = "BE"
role = "best-effort"

[[policy]]
name = "drf-best-fit"
placement = "best-fit"
refuse_seconds = "1 h"

[[policy]]
name = "drf-first-fit"
placement = "first-fit"
"#;

fn read(text: &str, settings: &[&str]) -> Result<Loaded, ConfigError> {
    let settings: Vec<String> = settings.iter().map(|&text| text.to_owned()).collect();
    load_text("experiment.toml", text, Path::new("experiments"), &settings, &WORDS)
}

fn show(error: &ConfigError) -> String {
    let mut shown = String::new();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
    handler.render_report(&mut shown, error).expect("renders");
    shown
}

#[test]
fn defaults_are_filled_in_and_paths_resolved() {
    let experiment = read(GOOD, &[]).map_err(|error| show(&error)).expect("good").experiment;
    assert_eq!(experiment.cluster.trace.expect("trace").path, Path::new("experiments/../nodes.csv.gz"));
    assert_eq!(experiment.cluster.agents_per_rack, 32);
    assert_eq!(experiment.network.latency.to_string(), "500 us");
    assert_eq!(experiment.policy[0].refuse_seconds.to_string(), "1 h");
    assert_eq!(experiment.policy[1].refuse_seconds.to_string(), "5 s");
    assert_eq!(experiment.framework[1].weight, 1.0);
}

#[test]
fn print_some() {
    for (text, sets) in [
        (GOOD.replace("compress", "compres"), vec![]),
        (GOOD.to_owned(), vec!["workload.compres=10"]),
        (GOOD.to_owned(), vec!["workload.compress=fast"]),
        (GOOD.replace("\"1 h\"", "\"1 hor\""), vec![]),
        (GOOD.replace("\"1 h\"", "5"), vec!["seeds=[1,1]"]),
        (GOOD.replace("best-fit\"", "best-fti\""), vec!["seeds=[1,1]"]),
        ("".to_owned(), vec![]),
        (GOOD[..GOOD.find("[[policy]]").unwrap()].to_owned(), vec![]),
        (
            GOOD.replace(
                "[workload]",
                "[workload]\npoisson = { jobs = 5, interarrival = \"1 s\", duration = \"1 s\" }",
            ),
            vec![],
        ),
        (GOOD.replace("[workload]", "[workload"), vec![]),
    ] {
        println!("{}", show(&read(&text, &sets).err().expect("bad")));
    }
}
