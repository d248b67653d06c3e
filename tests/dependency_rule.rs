//! Which module may import which: the table, and the test that the code keeps to it.
//!
//! A row lists all that a module imports from its own crate, and every import goes down: a row names only rows below it.
//! The scanner reads the source text (comments and literals left out), follows `use` groups, `super::super` and full
//! paths, and counts test modules like all other code. What is absent is checked too: nobody but the command line
//! prints, and the core knows no clock, file, socket, thread or random source.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

type Table = &'static [(&'static str, &'static [&'static str])];

/// The root package, `src/`. On top of these, every module may import the core.
const MESOSIM: Table = &[
    (
        "cli",
        &[
            "bench",
            "container",
            "engine",
            "experiment",
            "fault",
            "fit",
            "framework",
            "fuzz",
            "policy",
            "report",
            "workload",
            "world",
        ],
    ),
    (
        "fuzz",
        &[
            "check",
            "cluster",
            "container",
            "engine",
            "fault",
            "framework",
            "policy",
            "record",
            "workload",
            "world",
        ],
    ),
    ("fit", &["engine", "experiment", "workload"]),
    ("report", &[]),
    (
        "experiment",
        &[
            "cluster",
            "container",
            "engine",
            "fault",
            "framework",
            "metric",
            "policy",
            "record",
            "workload",
            "world",
        ],
    ),
    ("bench", &["cluster", "engine", "framework", "metric", "policy", "record", "workload", "world"]),
    ("metric", &["cluster", "fault", "record", "workload"]),
    ("check", &["fault", "record"]),
    ("world", &["cluster", "container", "engine", "fault", "framework", "record", "workload"]),
    ("record", &["cluster", "fault", "workload"]),
    ("fault", &["cluster", "engine"]),
    ("framework", &["cluster", "engine", "policy", "workload"]),
    ("container", &["policy"]),
    ("policy", &["engine", "workload"]),
    ("cluster", &["workload"]),
    ("workload", &["engine"]),
    ("engine", &[]),
];

/// The core, `crates/mesos/src/`.
const MESOS: Table = &[
    (
        "master",
        &[
            "allocator",
            "attribute",
            "call",
            "capability",
            "constraint",
            "effects",
            "event",
            "id",
            "maintenance",
            "offer",
            "operator",
            "quota",
            "registration",
            "registry",
            "resource",
            "role",
            "task",
            "time",
        ],
    ),
    (
        "allocator",
        &[
            "attribute",
            "capability",
            "constraint",
            "domain",
            "id",
            "maintenance",
            "offer",
            "quota",
            "resource",
            "role",
            "time",
        ],
    ),
    ("agent", &["call", "capability", "effects", "event", "id", "registration", "resource", "task", "time"]),
    (
        "effects",
        &["event", "id", "maintenance", "offer", "operator", "quota", "registry", "resource", "task", "time"],
    ),
    ("operator", &["call", "id", "maintenance", "quota", "resource"]),
    ("event", &["call", "id", "maintenance", "offer", "registration", "resource", "task", "time"]),
    ("registry", &["id", "maintenance", "quota", "registration", "time"]),
    ("registration", &["call", "capability", "domain", "id", "resource", "task"]),
    ("call", &["capability", "constraint", "id", "offer", "resource", "task"]),
    ("offer", &["id", "maintenance", "resource", "time"]),
    ("task", &["id", "resource", "time"]),
    ("constraint", &["attribute", "domain", "resource"]),
    ("attribute", &["resource"]),
    ("quota", &["resource", "role"]),
    ("maintenance", &["time"]),
    ("resource", &["role"]),
    ("role", &[]),
    ("capability", &[]),
    ("domain", &[]),
    ("time", &[]),
    ("id", &[]),
];

const CRATES: [(&str, &str, Table); 2] = [("mesosim", "src", MESOSIM), ("mesos", "crates/mesos/src", MESOS)];

/// The table as ARCHITECTURE.md quotes it.
fn printed() -> String {
    let mut text = String::from("```text\n");
    for (name, folder, table) in CRATES {
        writeln!(text, "{name} ({folder}/)").unwrap();
        let width = table.iter().map(|(module, _)| module.len()).max().unwrap_or(0);
        for (module, imports) in table {
            let imports = if imports.is_empty() { "nothing".to_owned() } else { imports.join(" ") };
            writeln!(text, "  {module:width$} -> {imports}").unwrap();
        }
    }
    text + "```\n"
}

#[test]
fn every_import_is_in_the_table() {
    for (name, folder, table) in CRATES {
        let rows: BTreeMap<_, _> = table.iter().copied().collect();
        let mut wrong = String::new();
        for Import { file, line, from, to } in imports(folder) {
            let allowed = from == to || rows.get(&*from).is_some_and(|row| row.contains(&&*to));
            if !allowed {
                let to = if to.is_empty() { "the whole crate" } else { &to };
                writeln!(wrong, "{}:{line}: `{from}` must not import `{to}`", file.display()).unwrap();
            }
        }
        assert!(wrong.is_empty(), "imports of {name} that its table does not list:\n{wrong}");
    }
}

#[test]
fn every_entry_of_the_table_is_needed() {
    for (name, folder, table) in CRATES {
        let listed: BTreeSet<_> = table.iter().map(|(module, _)| (*module).to_owned()).collect();
        assert_eq!(listed, modules(folder), "left: rows of {name}; right: its modules");
        assert_eq!(listed.len(), table.len(), "a row of {name} is there twice");
        let used: BTreeSet<_> = imports(folder).into_iter().map(|import| (import.from, import.to)).collect();
        for (module, row) in table {
            for import in *row {
                let needed = used.contains(&((*module).to_owned(), (*import).to_owned()));
                assert!(needed, "{name}: nothing in `{module}` imports `{import}`: take it out of the table");
            }
        }
    }
}

/// So that there is no cycle.
#[test]
fn imports_go_down_only() {
    for (name, _, table) in CRATES {
        for (place, (module, row)) in table.iter().enumerate() {
            for import in *row {
                let below = table[place + 1..].iter().any(|(lower, _)| lower == import);
                assert!(below, "{name}: `{module}` imports `{import}`, which is no row below it");
            }
        }
    }
}

#[test]
fn the_architecture_document_quotes_the_table() {
    let path = root().join("ARCHITECTURE.md");
    let Ok(document) = fs::read_to_string(&path) else { return };
    let (begin, end) = ("<!-- dependency table -->", "<!-- end -->");
    let quoted = document.split_once(begin).and_then(|(_, rest)| rest.split_once(end));
    let (quoted, _) = quoted.unwrap_or_else(|| panic!("ARCHITECTURE.md has no `{begin}` … `{end}`"));
    let table = printed();
    assert!(
        quoted.trim() == table.trim(),
        "ARCHITECTURE.md must have, between {begin} and {end}:\n\n{table}"
    );
}

#[test]
fn only_the_command_line_prints() {
    let mut wrong = String::new();
    let folders = CRATES.iter().map(|(_, folder, _)| *folder).chain(["crates/conformance/src"]);
    for file in folders.flat_map(files) {
        if file.starts_with("src/cli") {
            continue;
        }
        let tokens = tokens(&read(&file));
        for (at, Token { text, line }) in tokens.iter().enumerate() {
            let called = tokens.get(at + 1).is_some_and(|next| next.text == "!");
            let prints = called && ["print", "println", "eprint", "eprintln", "dbg"].contains(&&**text);
            if prints || ["stdout", "stderr"].contains(&&**text) {
                writeln!(wrong, "{}:{line}: `{text}`", file.display()).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "only src/cli may print:\n{wrong}");
}

/// Scenarios are judged beside the simulator, not in it.
#[test]
fn only_the_command_line_knows_the_runner_of_scenarios() {
    for file in files("src").into_iter().filter(|file| !file.starts_with("src/cli")) {
        let named = tokens(&read(&file)).into_iter().find(|token| token.text == "mesos_conformance");
        assert!(named.is_none(), "{}: {named:?}", file.display());
    }
}

#[test]
fn the_program_is_the_command_line_and_nothing_else() {
    let named = paths(&tokens(&read(Path::new("src/main.rs"))), &[]);
    let named = named.iter().filter(|(path, _)| path[0] == "mesosim");
    let named: BTreeSet<_> = named.map(|(path, _)| path[1].as_str()).collect();
    assert_eq!(named, BTreeSet::from(["cli"]));
}

/// What the core may use of the standard library. Everything here computes; nothing here looks outside.
const CORE_MAY_USE: &[&str] = &[
    "array",
    "borrow",
    "cmp",
    "collections",
    "convert",
    "error",
    "fmt",
    "hash",
    "iter",
    "marker",
    "mem",
    "num",
    "ops",
    "slice",
    "str",
    "string",
    "vec",
];
/// Of these, too, one word is enough: they need no path in front when somebody hands them in.
const CORE_NEVER_NAMES: &[&str] = &[
    "Instant",
    "SystemTime",
    "File",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "JoinHandle",
    "Mutex",
    "RwLock",
    "Condvar",
    "RandomState",
    "HashMap",
    "HashSet",
    "DefaultHasher",
    "rand",
    "rand_core",
    "rand_pcg",
    "rand_distr",
    "getrandom",
    "fastrand",
    "chrono",
    "jiff",
    "tokio",
    "rayon",
    "extern",
    "include_str",
    "include_bytes",
    "env",
    "option_env",
];
const CORE_DEPENDENCIES: &[&str] =
    &["indexmap", "regex-lite", "rustc-hash", "serde", "smallvec", "thiserror"];

#[test]
fn the_core_knows_no_clock_file_socket_thread_or_random_source() {
    let mut wrong = String::new();
    for file in files("crates/mesos/src") {
        let tokens = tokens(&read(&file));
        for (path, line) in paths(&tokens, &[]) {
            let of_std = ["std", "core", "alloc"].contains(&&*path[0]);
            let is_arc = path.get(1..3).is_some_and(|rest| rest == ["sync", "Arc"]);
            if of_std && !is_arc && !path.get(1).is_some_and(|module| CORE_MAY_USE.contains(&&**module)) {
                writeln!(wrong, "{}:{line}: `{}`", file.display(), path.join("::")).unwrap();
            }
        }
        for Token { text, line } in tokens.iter().filter(|token| CORE_NEVER_NAMES.contains(&&*token.text)) {
            writeln!(wrong, "{}:{line}: `{text}`", file.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "the core must be a pure function of what it is handed:\n{wrong}");
}

#[test]
fn the_core_depends_on_a_few_crates_that_compute() {
    let manifest: toml::Table = toml::from_str(&read(Path::new("crates/mesos/Cargo.toml"))).unwrap();
    let named: Vec<_> = manifest["dependencies"].as_table().unwrap().keys().collect();
    let strange: Vec<_> = named.iter().filter(|name| !CORE_DEPENDENCIES.contains(&name.as_str())).collect();
    assert!(strange.is_empty(), "{strange:?} are not among {CORE_DEPENDENCIES:?}");
    assert!(!manifest.contains_key("build-dependencies") && !manifest.contains_key("target"));
}

/// One module naming another of its crate. `to` is empty for the crate as a whole, which nobody may import.
struct Import {
    file: PathBuf,
    line: usize,
    from: String,
    to: String,
}

fn imports(folder: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    let modules = modules(folder);
    for file in files(folder) {
        let Some(module) = module_of(&file, folder) else { continue };
        for (path, line) in paths(&tokens(&read(&file)), &module) {
            if path[0] == "crate" {
                // A macro is exported at the root: `crate::id!` is `id`'s.
                let to = path.get(1).filter(|name| modules.contains(*name)).cloned().unwrap_or_default();
                imports.push(Import { file: file.clone(), line, from: module[0].clone(), to });
            }
        }
    }
    imports
}

/// Where a file is among the modules of its crate; `None` for the root.
fn module_of(file: &Path, folder: &str) -> Option<Vec<String>> {
    let path = file.strip_prefix(folder).unwrap().with_extension("");
    let mut path: Vec<_> = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if path == ["lib"] || path == ["main"] {
        return None;
    }
    if path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    Some(path)
}

fn modules(folder: &str) -> BTreeSet<String> {
    files(folder).iter().filter_map(|file| Some(module_of(file, folder)?.swap_remove(0))).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &Path) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// All Rust files below a folder, sorted.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[derive(Debug)]
struct Token {
    text: String,
    line: usize,
}

/// Words, `::` and single signs; comments and literals left out.
fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let raw = raw_string(rest);
        let length = match first {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => block_comment(rest),
            _ if raw.is_some() => raw.unwrap(),
            '"' => quoted(rest, '"'),
            '\'' if is_char(rest) => quoted(rest, '\''),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        let text = &rest[..length];
        let literal = text.starts_with("//") || text.starts_with("/*") || raw.is_some();
        let literal = literal || (length > 1 && (first == '"' || first == '\''));
        if !literal && !first.is_whitespace() {
            tokens.push(Token { text: text.to_owned(), line });
        }
        line += text.matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// The length of the nested comment at the start.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        match text.as_bytes().get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            Some(_) => at += 1,
            None => return text.len(),
        }
        if depth == 0 {
            return at;
        }
    }
}

/// The length of the raw string at the start, if there is one.
fn raw_string(text: &str) -> Option<usize> {
    let body = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let inside = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text.len() - inside.len() + inside.find(&end)? + end.len())
}

/// The length of the literal at the start.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if !escaped && c == quote {
            return at + 1;
        }
        escaped = !escaped && c == '\\';
    }
    text.len()
}

/// Whether a quote begins a character and not a lifetime.
fn is_char(text: &str) -> bool {
    let mut inside = text.chars().skip(1);
    inside.next() == Some('\\') || inside.next() == Some('\'')
}

/// All paths in the text of a module, those of the same crate from `crate` on, with their lines. Every path of two or more
/// words counts, and in `use` every path.
fn paths(tokens: &[Token], module: &[String]) -> Vec<(Vec<String>, usize)> {
    let mut found = Vec::new();
    let mut here = module.to_vec();
    let mut inline: Vec<bool> = Vec::new(); // for each open brace, whether it is that of a module
    let mut at = 0;
    while at < tokens.len() {
        let text = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.text.as_str());
        match text(0) {
            "mod" if text(2) == "{" => {
                here.push(text(1).to_owned());
                inline.push(true);
                at += 3;
            }
            "use" if text(1) != "<" => {
                let mut tree = Vec::new();
                at = use_tree(tokens, at + 1, &mut Vec::new(), &mut tree);
                found.extend(tree.into_iter().map(|(path, line)| (resolve(path, &here), line)));
            }
            "{" => {
                inline.push(false);
                at += 1;
            }
            "}" => {
                if inline.pop() == Some(true) {
                    here.pop();
                }
                at += 1;
            }
            _ if text(1) == "::" => {
                let line = tokens[at].line;
                let mut path = vec![text(0).to_owned()];
                at += 2;
                while at < tokens.len() && is_name(&tokens[at].text) {
                    path.push(tokens[at].text.clone());
                    at += 1;
                    if tokens.get(at).is_none_or(|token| token.text != "::") {
                        break;
                    }
                    at += 1;
                }
                found.push((resolve(path, &here), line));
            }
            _ => at += 1,
        }
    }
    found
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reads `a::b`, `a::{b, c::d}`, `a::*` and `a as b`, and says where it ends.
fn use_tree(
    tokens: &[Token],
    mut at: usize,
    prefix: &mut Vec<String>,
    found: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let (depth, line) = (prefix.len(), tokens[at].line);
    let mut grouped = false;
    loop {
        match tokens[at].text.as_str() {
            "::" => at += 1,
            "{" => {
                grouped = true;
                at += 1;
                while tokens[at].text != "}" {
                    at = use_tree(tokens, at, prefix, found);
                    at += usize::from(tokens[at].text == ",");
                }
                at += 1;
            }
            "as" => at += 2,
            "," | "}" | ";" => break,
            name => {
                prefix.push(name.to_owned());
                at += 1;
            }
        }
    }
    if !grouped {
        found.push((prefix.clone(), line));
    }
    prefix.truncate(depth);
    at
}

/// Writes `self` and `super` out, and leaves `self` at the end of a group's entry and `*` away.
fn resolve(path: Vec<String>, here: &[String]) -> Vec<String> {
    let mut place: Option<Vec<String>> = None;
    let mut rest = Vec::new();
    for (at, word) in path.into_iter().enumerate() {
        match word.as_str() {
            "crate" => place = Some(Vec::new()),
            "self" if at == 0 => place = Some(here.to_vec()),
            "super" => {
                place.get_or_insert_with(|| here.to_vec()).pop();
            }
            "self" | "*" => {}
            _ => rest.push(word),
        }
    }
    let crate_word = place.iter().map(|_| "crate".to_owned());
    crate_word.chain(place.iter().flatten().cloned()).chain(rest).collect()
}

#[test]
fn the_scanner_sees_every_way_to_name_a_module() {
    let source = r##"
        //! crate::comment
        /* use crate::comment; /* crate::nested */ */
        use crate::{a::{self, x}, b as other, c::*};
        use super::d;
        pub(in crate::e) const TEXT: &str = "crate::text"; const RAW: &str = r#"crate::"raw""#;
        const QUOTE: char = '"'; fn f<'l>(_: &'l crate::f::T) -> char { '\'' }
        fn g() -> impl Iterator + use<'_> { crate::j::k(); }
        mod tests { use super::super::{g, super::h}; mod deeper { const X: u8 = super::super::super::super::i::X; } }
        use super::super::*;
        use crate as everything;
    "##;
    let module = ["top".to_owned(), "inner".to_owned()];
    let found = paths(&tokens(source), &module);
    let found: Vec<_> = found.iter().map(|(path, line)| (path.join("::"), *line)).collect();
    let expected = [
        ("crate::a", 4),
        ("crate::a::x", 4),
        ("crate::b", 4),
        ("crate::c", 4),
        ("crate::top::d", 5),
        ("crate::e", 6),
        ("crate::f::T", 7),
        ("crate::j::k", 8),
        ("crate::top::g", 9),
        ("crate::h", 9),
        ("crate::i::X", 9),
        ("crate", 10),
        ("crate", 11),
    ];
    let found: Vec<_> = found.iter().map(|(path, line)| (path.as_str(), *line)).collect();
    assert_eq!(found, expected);
}
