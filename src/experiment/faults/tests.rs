//! Faults of whole experiments: what names mean on a cluster.

use std::path::Path;

use super::*;
use crate::{
    container::oversubscription::{CONTROLLER_NAMES, ESTIMATOR_NAMES},
    experiment::config::{self, Vocabulary},
    fault::{Action, FAULTS},
    policy::{ORDER_NAMES, PLACEMENT_NAMES, RESPONSE_NAMES, SORTER_NAMES},
};

/// Two machines to a rack, two racks to a zone: `agent-0-00000` to `agent-0-00007`.
const CLUSTER: &str = "name = 'faulty'
cluster.agents = [{ count = 8, cpus = 4, mem = '8 GiB' }]
cluster.agents_per_rack = 2
cluster.racks_per_zone = 2
workload.poisson = { jobs = 10, interarrival = '1 s', duration = '1 s' }
framework = [{ name = 'a', role = 'a' }, { name = 'b', role = 'b' }]
policy = [{ name = 'only' }]
";

fn prepare_in(directory: &Path, fault: &str) -> Result<Prepared, String> {
    let vocabulary = Vocabulary {
        sorters: SORTER_NAMES,
        orders: ORDER_NAMES,
        placements: PLACEMENT_NAMES,
        kinds: crate::framework::KIND_NAMES,
        responses: RESPONSE_NAMES,
        estimators: ESTIMATOR_NAMES,
        controllers: CONTROLLER_NAMES,
        trace_formats: &[],
        capabilities: &mesos::capability::Capabilities::names(),
    };
    let text = format!("{CLUSTER}{fault}");
    let loaded = config::load_text("faulty.toml", &text, directory, &[], &vocabulary);
    match Prepared::new(&loaded.expect("what only the cluster can tell is wrong")) {
        Ok(prepared) => Ok(prepared),
        Err(ExperimentError::Config(error)) => {
            let invalid = error.invalid().expect("it has a place");
            Err(format!("{}: {invalid} | {}", invalid.line(), invalid.help_text().unwrap_or_default()))
        }
        Err(error @ ExperimentError::Write { .. }) => panic!("{error}"),
    }
}

fn prepare(fault: &str) -> Result<Prepared, String> {
    prepare_in(Path::new(""), fault)
}

fn spec(fault: &str) -> Spec {
    prepare(fault).expect(fault).faults.swap_remove(0)
}

fn places(machines: &[MachineId]) -> Vec<usize> {
    machines.iter().map(|machine| machine.index()).collect()
}

#[test]
fn experiment_files_and_the_registry_know_the_same_kinds_in_the_same_words() {
    let names: Vec<_> = FAULTS.iter().map(|entry| entry.name).collect();
    assert_eq!(names, Fault::KINDS);
}

#[test]
fn machines_are_all_that_any_key_names() {
    let of = |machines: &str| {
        let fault = format!("[[fault]]\nkind = 'agent-crash'\nevery = '1 h'\nlasts = '1 s'\n{machines}");
        let Spec::AgentCrash(spec) = spec(&fault) else { panic!("{fault}") };
        places(&spec.machines)
    };
    assert_eq!(of(""), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(of("machines = { zones = ['z1'] }"), [4, 5, 6, 7]);
    assert_eq!(of("machines = { racks = ['r3', 'r0'] }"), [0, 1, 6, 7]);
    assert_eq!(
        of("machines = { racks = ['r0'], hostnames = ['agent-0-00005', 'agent-0-00001'] }"),
        [0, 1, 5]
    );
}

#[test]
fn an_outage_is_of_the_domains_that_are_named() {
    let of = |which: &str| {
        let fault = format!("[[fault]]\nkind = 'outage'\nlasts = '1 s'\n{which}");
        let Spec::Outage(spec) = spec(&fault) else { panic!("{fault}") };
        spec.domains.iter().map(|domain| places(&domain.machines)).collect::<Vec<_>>()
    };
    assert_eq!(of("scope = 'zone'\nwhich = ['z1']\nat = ['1 h']"), [[4, 5, 6, 7]]);
    assert_eq!(of("scope = 'rack'\nevery = '1 h'").len(), 4);
    assert_eq!(
        of("scope = 'power'\nracks_per_unit = 3\nevery = '1 h'"),
        [vec![0, 1, 2, 3, 4, 5], vec![6, 7]]
    );
}

#[test]
fn the_other_side_of_a_partition_is_as_said_or_all_others() {
    let ends = |more: &str| {
        let fault = format!("[[fault]]\nkind = 'partition'\nat = ['1 h']\nlasts = '1 s'\n{more}");
        let Spec::Partition(spec) = spec(&fault) else { panic!("{fault}") };
        Arc::unwrap_or_clone(spec.ends)
    };
    let master = Side { master: true, ..Side::default() };
    assert_eq!(ends("between = { master = true }"), Ends { a: master.clone(), b: None, one_way: false });
    let machines = vec![MachineId::new(6), MachineId::new(7)];
    let side = Side { machines, frameworks: vec![1], master: false };
    assert_eq!(
        ends("between = { racks = ['r3'], frameworks = ['b'] }\nand = { master = true }\none_way = true"),
        Ends { a: side, b: Some(master), one_way: true }
    );
}

#[test]
fn a_rolling_maintenance_goes_rack_by_rack() {
    let fault = "[[fault]]\nkind = 'maintenance'\nat = '1 h'\nlasts = '1 h'\nrolling = 'rack'";
    let Spec::Maintenance(spec) = spec(fault) else { panic!("no maintenance") };
    let groups: Vec<_> = spec.groups.iter().map(|group| places(group)).collect();
    assert_eq!(groups, [[0, 1], [2, 3], [4, 5], [6, 7]]);
}

#[test]
fn the_faults_of_a_cell_depend_on_its_seed_and_on_nothing_else() {
    let fault = "seeds = [1, 2]\n[[fault]]\nkind = 'agent-crash'\nevery = { mean = '1 h' }\nlasts = '1 min'";
    let prepared = prepare(fault).expect("good");
    let first = |seed| {
        let mut schedule = prepared.faults(Cell { policy: 0, seed });
        std::iter::from_fn(|| schedule.pop()).take(50).collect::<Vec<_>>()
    };
    assert_eq!(first(1), first(1));
    assert_ne!(first(1), first(2));
}

#[test]
fn a_loss_without_times_is_there_from_the_start_and_for_ever() {
    let fault = "[[fault]]\nkind = 'loss'\nbetween = { master = true }\nprobability = 0.1";
    let mut schedule = prepare(fault).expect("good").faults(Cell { policy: 0, seed: 1 });
    let begins = schedule.pop().expect("it begins");
    assert!(begins.at == Time::ZERO && matches!(begins.action, Action::LinkLoss { .. }), "{begins:?}");
    assert_eq!(schedule.pop(), None);
}

#[test]
fn what_the_cluster_does_not_have_is_told_with_its_line_and_the_nearest_name() {
    let crash = "[[fault]]\nkind = 'agent-crash'\nevery = '1 h'\nlasts = '1 s'\n";
    let outage = "[[fault]]\nkind = 'outage'\nscope = 'zone'\nat = ['1 h']\nlasts = '1 s'\n";
    let cut = "[[fault]]\nkind = 'partition'\nat = ['1 h']\nlasts = '1 s'\n";
    for (fault, said) in [
        (format!("{crash}machines = {{ zones = ['z0', 'z9'] }}"), "12: unknown fault[0].machines.zones `z9`"),
        (format!("{crash}machines = {{ racks = ['4'] }}"), "12: unknown fault[0].machines.racks `4`"),
        (format!("{crash}machines = {{ hostnames = ['agent-0-0005'] }}"), "did you mean `agent-0-00005`?"),
        (format!("{outage}which = ['zone1']"), "valid here: `z0` and `z1`"),
        (format!("{cut}between = {{ master = true }}\nand = {{ racks = ['r7'] }}"), "13: unknown"),
    ] {
        let error = prepare(&fault).expect_err(&fault);
        assert!(error.contains(said), "{fault}\nexpected: {said}\nsaid: {error}");
    }
}

#[test]
fn one_machine_has_one_maintenance_at_a_time() {
    let maintenance = |at: &str, notice: &str| {
        format!("[[fault]]\nkind = 'maintenance'\nat = '{at}'\nlasts = '1 h'\nnotice = '{notice}'\n")
    };
    let early = maintenance("10 h", "1 h");
    assert!(prepare(&(early.clone() + &maintenance("20 h", "1 h"))).is_ok());
    let error = prepare(&(early + &maintenance("20 h", "15 h"))).expect_err("announced too early");
    assert!(error.contains("`agent-0-00000` would be twice in the schedule"), "{error}");
}

#[test]
fn a_trace_of_machines_is_read_and_checked_against_the_cluster() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |text: &str| std::fs::write(directory.path().join("events.csv"), text).expect("written");
    let fault = "[[fault]]\nkind = 'agent-trace'\npath = 'events.csv'";
    write("time_s,machine,event\n5,agent-0-00003,down\n7.5,agent-0-00003,up\n");
    let prepared = prepare_in(directory.path(), fault).expect("good");
    let Spec::AgentTrace(trace) = &prepared.faults[0] else { panic!("{:?}", prepared.faults) };
    assert_eq!((trace.changes.len(), trace.changes[1].at), (2, Time(7_500_000_000)));
    assert_eq!(prepared.facts["faults"][0]["rows"], 2);
    write("time_s,machine,event\n5,nobody,down\n");
    let error = prepare_in(directory.path(), fault).expect_err("no such machine");
    assert!(
        error.contains("10: ") && error.contains("events.csv: no machine of this cluster is named `nobody`"),
        "{error}"
    );
    assert!(prepare(fault).expect_err("no such file").contains("events.csv"));
}
