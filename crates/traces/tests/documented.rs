//! The table of formats in `docs/traces.md` is that of the registry.

use std::{fmt::Write, fs, path::Path};

use mesosim_traces::{FORMATS, Grouping};

const MARKS: (&str, &str) = ("<!-- formats -->\n", "<!-- end -->");

fn table() -> String {
    let mut text =
        String::from("| name | what it is | files of one trace | origin and terms |\n|---|---|---|---|\n");
    for format in FORMATS {
        let files = match format.grouping {
            Grouping::File => "one",
            Grouping::Directory => "those of a directory",
            Grouping::Together => "all that are named",
        };
        let (about, source) = (format.about.replace('|', "\\|"), format.source.replace('|', "\\|"));
        writeln!(text, "| `{}` | {about} | {files} | {source} |", format.name).unwrap();
    }
    text
}

#[test]
fn the_documented_formats_are_those_of_the_registry() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/traces.md");
    let document = fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(MARKS.0).expect("a mark before the table");
    let (written, after) = rest.split_once(MARKS.1).expect("a mark after the table");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{before}{}{}{}{after}", MARKS.0, table(), MARKS.1)).unwrap();
        return;
    }
    assert!(
        written == table(),
        "docs/traces.md is stale: UPDATE_DOCS=1 cargo test -p mesosim-traces --test documented"
    );
}

#[test]
fn no_two_formats_have_the_same_name() {
    let mut names: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}
