//! `docs/master.md` keeps its word: what it says is shown is shown by tests that exist, and nothing that the core can say or
//! hear is missing there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What a test's name begins with on the page, and where its file is.
const FOLDERS: [(&str, &str); 5] = [
    ("m/", "crates/mesos/tests/master"),
    ("a/", "crates/mesos/tests/agent"),
    ("s/", "crates/mesos/src"),
    ("c/", "src/container"),
    ("w/", "tests"),
];

/// The enums of which the page names every variant, and the files that declare them.
const ENUMS: [(&str, &str); 7] = [
    ("TaskState", "task"),
    ("Call", "call"),
    ("Event", "event"),
    ("ToAgent", "event"),
    ("FromAgent", "event"),
    ("OperatorCall", "operator"),
    ("Note", "effects"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn page() -> String {
    read(&root().join("docs/master.md"))
}

/// The cells of each row, without the heads of tables.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let lines = page.lines().filter(|line| line.starts_with('|') && !line.starts_with("| ---"));
    let rows = lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    rows.filter(|cells| cells.get(1) != Some(&"Shown")).collect()
}

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The functions in a file that are tests.
fn tests_in(source: &str) -> BTreeSet<&str> {
    let after_mark = source.split("#[test]").skip(1);
    after_mark
        .filter_map(|text| {
            let name = text.split("fn ").nth(1)?;
            name.split('(').next()
        })
        .collect()
}

/// Why a test that the page names is not one.
fn missing<'a>(test: &'a str, sources: &mut BTreeMap<&'a str, String>) -> Option<String> {
    let Some((file, name)) = test.split_once("::") else { return Some(format!("{test} names no test")) };
    let Some((short, folder)) = FOLDERS.iter().find(|(short, _)| file.starts_with(short)) else {
        return Some(format!("{test} is in no known folder"));
    };
    let path = root().join(folder).join(format!("{}.rs", &file[short.len()..]));
    if !path.exists() {
        return Some(format!("{test}: there is no {}", path.display()));
    }
    let source = sources.entry(file).or_insert_with(|| read(&path));
    (!tests_in(source).contains(name)).then(|| format!("{test} is no test of {}", path.display()))
}

/// The variants of an enum, as they are declared: names at four blanks.
fn variants(source: &str, name: &str) -> Vec<String> {
    let start = [format!("pub enum {name} {{\n"), format!("pub enum {name}<'a> {{\n")];
    let body = start.iter().find_map(|start| source.split_once(start.as_str())).expect("the enum is there").1;
    let body = body.split("\n}").next().unwrap_or_default();
    let declared = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names = declared.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    names.map(|line| line.chars().take_while(char::is_ascii_alphanumeric).collect()).collect()
}

#[test]
fn what_the_page_says_is_shown_is_shown_by_tests_that_exist() {
    let page = page();
    let (mut wrong, mut sources) = (Vec::new(), BTreeMap::new());
    for row in rows(&page) {
        match row[..] {
            [rule, "yes", by] => {
                let named = quoted(by);
                if named.is_empty() {
                    wrong.push(format!("no test shows: {rule}"));
                }
                wrong.extend(named.into_iter().filter_map(|test| missing(test, &mut sources)));
            }
            [_, "no", reason] if !reason.is_empty() => {}
            _ => wrong.push(format!("neither yes with tests nor no with a reason: {row:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_names_everything_that_the_core_can_say_or_hear() {
    let page = page();
    let named: BTreeSet<&str> = rows(&page).iter().flat_map(|row| quoted(row[0])).collect();
    let mut absent = Vec::new();
    for (name, file) in ENUMS {
        let source = read(&root().join(format!("crates/mesos/src/{file}.rs")));
        let variants = variants(&source, name);
        assert!(variants.len() >= 10, "{name} has more variants than {variants:?}");
        let all = variants.into_iter().map(|variant| format!("{name}::{variant}"));
        absent.extend(all.filter(|variant| !named.contains(variant.as_str())));
    }
    assert!(absent.is_empty(), "docs/master.md does not name {absent:?}");
}

#[test]
fn the_page_has_a_row_for_every_rule() {
    let page = page();
    let rows = rows(&page);
    let shown = rows.iter().filter(|row| row[1] == "yes").count();
    assert!(rows.len() > 300 && shown > 270, "{shown} of {} rows are shown", rows.len());
}
