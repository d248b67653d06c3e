//! Kinds of frameworks and their tables: what is read, and what is wrong.

use super::*;

/// What stands for `role = "best-effort"`, line 20 of the good file; what must then be said, and on which line.
#[rustfmt::skip]
const BAD_FRAMEWORKS: &[(&str, &[&str], usize)] = &[
    ("kind = 'gnag'", &["unknown kind `gnag`", "did you mean `gang`?"], 20),
    ("kind = 'gang'\n[framework.hoarder]", &["`BE` is of the kind `gang`, and has a table for `hoarder`", "kind = \"hoarder\""], 21),
    ("kind = 'hoarder'\nselect = { qos = 'BE' }", &["`BE` brings its own jobs and selects none"], 21),
    ("[framework.answer]\nsuppress = true", &["`suppress` says nothing to a framework of the kind `batch`"], 21),
    ("[framework.answer]\nrefuse_second = '1 s'", &["unknown key `refuse_second` in `[framework.answer]`", "did you mean `refuse_seconds`?"], 21),
    ("[framework.answer]\nresponse = 'holds'", &["unknown response `holds`", "did you mean `hold`?"], 21),
    ("kind = 'gang'\n[framework.answer]\ntasks_per_offer = 0", &["must be 1 or more"], 22),
    ("kind = 'gang'\n[framework.answer]\nleast_cpus = -1", &["must be from 0.001"], 22),
    ("kind = 'gang'\n[framework.gang]\nhold_timeout = '0 s'", &["`framework[1].gang.hold_timeout` must be longer"], 22),
    ("kind = 'gang'\n[framework.gang]\nhold = 1", &["must be true or false"], 22),
    ("kind = 'hoarder'\n[framework.hoarder]\nmost_cpus = 0", &["must be from 0.001"], 22),
    ("kind = 'hoarder'\n[framework.hoarder]\nhold_for = '0 s'", &["must be longer"], 22),
    ("kind = 'gang'\n[[framework.gang.jobs]]\nranks = 0\nduration = '1 s'\narrivals = { count = 1 }", &["ranks` must be 1 or more"], 22),
    ("kind = 'gang'\n[[framework.gang.jobs]]\nranks = 1\nduration = '0 s'\narrivals = { count = 1 }", &["must be longer"], 23),
    ("kind = 'gang'\n[[framework.gang.jobs]]\nranks = 1\nduration = '1 s'\narrivals = { }", &["needs one of `at` and `count`"], 24),
    ("kind = 'gang'\n[[framework.gang.jobs]]\nranks = 1\nduration = '1 s'\narrivals = { at = ['1 s'], count = 2 }", &["has both `at` and `count`"], 24),
    ("kind = 'gang'\n[[framework.gang.jobs]]\nranks = 1\nduration = '1 s'\narrivals = { at = ['1 s'], every = '2 s' }", &["`every` is about jobs that are counted"], 24),
    ("kind = 'gang'\n[[framework.gang.jobs]]\nranks = 1\nduration = '1 s'\narrivals = { count = 2, every = '1 s', interarrival = '1 s' }", &["both `every` and `interarrival`"], 24),
    ("kind = 'gang'\n[[framework.gang.jobs]]\nranks = 1\nduration = '1 s'\narrivals = { at = ['80000 days'] }", &["must be at most"], 24),
    ("kind = 'gang'\n[[framework.gang.jobs]]\nranks = 1\nduration = '1 s'\narrivals = { count = 1 }\nrank = { cpus = 0 }", &["must be from 0.001"], 25),
    ("kind = 'gang'\n[[framework.gang.jobs]]\nranks = 1\nduration = '1 s'\narrivals = { count = 1 }\nrank = { gpus = 1.5 }", &["a task cannot use 1.5 GPUs"], 25),
    ("kind = 'gang'\n[[framework.gang.jobs]]\nranks = 1\nduration = '1 s'\narrivals = { count = 1 }\nrank = { cpu = 1 }", &["unknown key `cpu`", "did you mean `cpus`?"], 25),
    ("kind = 'gang'\n[[framework.gang.jobs]]\nduration = '1 s'\narrivals = { count = 1 }", &["`[[framework.gang.jobs]]` lacks the key `ranks`"], 21),
];

#[test]
fn bad_frameworks_are_refused_at_the_line() {
    for &(to, words, line) in BAD_FRAMEWORKS {
        let text = GOOD.replacen("role = \"best-effort\"", to, 1);
        let error = read(&text, &[]).expect_err(to);
        let invalid = error.invalid().expect("the text is bad, not the file");
        let said = format!("{invalid} | {}", invalid.help_text().unwrap_or_default());
        for word in words {
            assert!(said.contains(word), "{to}\nexpected: {word}\nsaid: {said}");
        }
        assert_eq!(invalid.line(), line, "{to}\n{said}");
    }
}

const OWN_JOBS: &str = r#"name = "own"
[[cluster.agents]]
count = 1
cpus = 1
mem = "1 GiB"
[[framework]]
name = "hoarder"
kind = "hoarder"
[[policy]]
name = "drf"
"#;

#[test]
fn a_workload_is_there_exactly_if_somebody_takes_it() {
    assert!(read(OWN_JOBS, &[]).expect("nobody needs a workload").experiment.workload.is_none());
    let said = |text: &str| read(text, &[]).expect_err(text).to_string();
    let batch = OWN_JOBS.replace("kind = \"hoarder\"", "kind = \"batch\"");
    assert_eq!(said(&batch), "the file lacks `[workload]`");
    let unused = format!("{OWN_JOBS}[workload.poisson]\njobs = 1\ninterarrival = '1 s'\nduration = '1 s'\n");
    assert!(said(&unused).contains("nobody takes the jobs of `[workload]`"), "{}", said(&unused));
}

#[test]
fn frameworks_with_jobs_of_their_own_may_stand_beside_one_that_takes_the_rest() {
    let own = "kind = 'gang'\n[[framework.gang.jobs]]\nranks = 2\nduration = '1 s'\narrivals = { count = 1 }";
    let text = GOOD.replacen("role = \"best-effort\"", own, 1);
    let text = text.replace(
        "[[policy]]\nname = \"drf-best-fit\"",
        "[[framework]]\nname = \"rest\"\n[[policy]]\nname = \"drf-best-fit\"",
    );
    let read = read(&text, &[]).expect("`BE` takes nothing, so `rest` may take the rest").experiment;
    assert_eq!(read.framework.iter().map(Framework::takes_workload).collect::<Vec<_>>(), [true, false, true]);
}
