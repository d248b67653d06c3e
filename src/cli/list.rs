//! `mesosim list`.

use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, presets};
use mesosim_traces::FORMATS;

use super::CommandError;
use crate::{
    bench::fcfs::WORKLOADS,
    container::oversubscription::{QOS_CONTROLLERS, RESOURCE_ESTIMATORS},
    fault::FAULTS,
    framework::KINDS,
    policy::{self, Entry},
};

#[derive(Debug, clap::Args)]
pub(super) struct ListArguments {
    /// What to list [default: everything]
    kind: Option<Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// What experiment files may name under [[policy]]
    Policies,
    /// Kinds of frameworks, for [[framework]]
    Frameworks,
    /// Resource estimators and QoS controllers, for [agent]
    Oversubscription,
    /// Kinds of faults, for [[fault]]
    Faults,
    /// Formats of traces
    Formats,
    /// Framework capabilities
    Capabilities,
    /// Workloads of `mesosim bench`
    Benchmarks,
}

pub(super) fn list(arguments: &ListArguments) -> Result<ExitCode, CommandError> {
    let wanted = |kind| arguments.kind.is_none_or(|only| only == kind);
    if wanted(Kind::Policies) {
        policies("policy.sorter", policy::SORTERS);
        policies("policy.order", policy::order::ORDERS);
        policies("policy.placement", policy::placement::PLACEMENTS);
        policies("policy.response", policy::RESPONSES);
    }
    if wanted(Kind::Frameworks) {
        let rows = KINDS.iter().map(|kind| [kind.name, kind.about, kind.source].map(str::to_owned).to_vec());
        print("Frameworks (framework.kind)", &["name", "what it does", "source"], rows);
    }
    if wanted(Kind::Oversubscription) {
        policies("agent.resource_estimator", RESOURCE_ESTIMATORS);
        policies("agent.qos_controller", QOS_CONTROLLERS);
    }
    if wanted(Kind::Faults) {
        let rows = FAULTS.iter().map(|fault| vec![fault.name.to_owned(), fault.about.to_owned()]);
        print("Faults (fault.kind)", &["name", "what it does"], rows);
    }
    if wanted(Kind::Formats) {
        let rows = FORMATS
            .iter()
            .map(|format| [format.name, format.about, format.source].map(str::to_owned).to_vec());
        print(
            "Trace formats (trace.format, mesosim trace --format)",
            &["name", "what it is", "source"],
            rows,
        );
    }
    if wanted(Kind::Capabilities) {
        let rows = mesos::capability::Capabilities::names().into_iter().map(|name| vec![name.to_owned()]);
        print("Framework capabilities (framework.capabilities)", &["name"], rows);
    }
    if wanted(Kind::Benchmarks) {
        let rows = WORKLOADS.iter().map(|workload| {
            let about =
                format!("{} machines, {} tasks, load {}", workload.machines, workload.tasks, workload.load);
            vec![workload.name.to_owned(), about]
        });
        print("Benchmarks (mesosim bench), beside `engine`", &["name", "what it is"], rows);
    }
    Ok(ExitCode::SUCCESS)
}

fn policies<T>(key: &str, registry: &'static [Entry<T>]) {
    let rows =
        registry.iter().map(|entry| [entry.name, entry.about, entry.source].map(str::to_owned).to_vec());
    print(key, &["name", "what it does", "source"], rows);
}

fn print(title: &str, header: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec());
    if table.width().is_none() {
        table.set_width(100); // not a terminal
    }
    rows.for_each(|row| {
        table.add_row(row);
    });
    say!("{title}\n{table}\n");
}
