//! Promises about the source text that can be checked are checked here: who may import whom inside the runtime,
//! how long a file may be, that every file says what it is, and that the documents point at things that exist.

use dbgen_tests::{files, read, root};
use std::collections::{BTreeMap, BTreeSet};

/// The modules of the runtime by rank. A module uses lower ranks and its neighbours.
const RANKS: &[&[&str]] = &[
    &["limits", "error", "id", "clock", "caught", "storage", "checksum", "sync", "threads"],
    &["cell", "derived", "record", "value", "codec"],
    &["table"],
    &["catalog", "relation"],
    &["op", "engine", "apply", "edit", "recording", "redo"],
    &["log", "snapshot"],
    &["view", "txn", "typed", "join", "dynamic", "verify", "recover"],
    &["db", "durable", "tick", "procedure", "handler", "timer", "client", "editing", "server"],
    &["__private"],
];

/// No file of Rust that people wrote is longer. Goldens are not written by people.
const FILE_LINES_MAX: usize = 700;

fn rank(module: &str) -> Option<usize> {
    RANKS.iter().position(|rank| rank.contains(&module))
}

/// The Rust files of the repository that people wrote.
fn sources() -> Vec<String> {
    files("", "rs").into_iter().filter(|path| !path.contains("/expected/")).collect()
}

/// The part of a file before its unit tests, without comments: what the crate ships.
fn shipped(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The top-level modules that a text names as `crate::module` or in `use crate::{module…, module…}`.
fn imports(text: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for (at, path) in text.match_indices("crate::") {
        if text[..at].ends_with('$') {
            continue; // `$crate::` in a macro names what the macro's user may reach
        }
        let rest = &text[at + path.len()..];
        match rest.strip_prefix('{') {
            None => drop(found.insert(word(rest))),
            Some(list) => found.extend(top_level_items(list).into_iter().map(|item| word(item.trim()))),
        }
    }
    found
}

/// The items of `a, b::{c, d}, e}…`, split at the commas of the outermost braces.
fn top_level_items(list: &str) -> Vec<&str> {
    let (mut items, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                items.push(&list[start..at]);
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    items
}

/// Every top-level module of the runtime with the modules that it imports.
fn runtime_imports() -> BTreeMap<String, BTreeSet<String>> {
    let mut modules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files("runtime/src", "rs") {
        let below = path.strip_prefix("runtime/src/").unwrap_or(&path);
        let module = below.split('/').next().unwrap_or(below).trim_end_matches(".rs").to_owned();
        if module != "lib" {
            modules.entry(module).or_default().extend(imports(&shipped(&read(&path))));
        }
    }
    modules
}

#[test]
fn runtime_modules_import_only_lower_ranks() {
    let modules = runtime_imports();
    let unranked: Vec<_> = modules.keys().filter(|module| rank(module).is_none()).collect();
    assert!(unranked.is_empty(), "give these modules a rank in tests/it/tidy.rs: {unranked:?}");
    let upward: Vec<_> = modules
        .iter()
        .flat_map(|(module, imports)| imports.iter().map(move |import| (module, import)))
        .filter(|(module, import)| rank(import) > rank(module))
        .map(|(module, import)| format!("{module} uses {import}"))
        .collect();
    assert!(upward.is_empty(), "imports point upwards: {upward:?}");
}

#[test]
fn every_file_opens_with_what_it_is() {
    let silent: Vec<_> = sources().into_iter().filter(|path| !opens_with_doc(path)).collect();
    assert!(silent.is_empty(), "these files do not open with a `//!` doc: {silent:?}");
}

fn opens_with_doc(path: &str) -> bool {
    // A trybuild case is a user's mistake, shown in the compiler's output with its line numbers: a plain comment serves.
    let accepted: &[&str] = if path.starts_with("tests/ui/") { &["//", "#![", "use "] } else { &["//!"] };
    let text = read(path);
    accepted.iter().any(|start| text.starts_with(start))
}

#[test]
fn no_file_is_too_long_to_read() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|path| (read(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > FILE_LINES_MAX)
        .collect();
    assert!(long.is_empty(), "longer than {FILE_LINES_MAX} lines: {long:?}");
}

#[test]
fn links_in_documents_lead_somewhere() {
    let documents = ["README.md", "CHANGELOG.md"].map(str::to_owned).into_iter().chain(files("docs", "md"));
    let mut dead = Vec::new();
    for document in documents {
        let folder = root().join(&document).parent().expect("a file has a folder").to_path_buf();
        for link in links(&read(&document)) {
            let target = link.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
                dead.push(format!("{document}: {link}"));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:?}");
}

#[test]
fn architecture_names_every_file_with_unsafe() {
    let architecture = read("docs/ARCHITECTURE.md");
    let has_unsafe = |path: &String| read(path).lines().any(|line| line.starts_with("#![allow(unsafe_code)]"));
    for path in sources().into_iter().filter(has_unsafe) {
        let name = path.strip_prefix("runtime/src/").unwrap_or(&path);
        assert!(
            architecture.contains(&format!("`{name}`")),
            "docs/ARCHITECTURE.md does not say that {path} has unsafe"
        );
    }
}

#[test]
fn architecture_names_what_exists() {
    let code: String = files("", "rs").iter().filter(|path| !path.starts_with("tests/")).map(read).collect();
    let text = read("docs/ARCHITECTURE.md");
    let mut gone = Vec::new();
    for name in code_spans(&text) {
        let is_word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
        let exists = match name.rsplit_once("::") {
            Some((_, last)) if is_word(last) => {
                ["fn", "struct", "enum", "mod"].iter().any(|kind| defines(&code, &format!("{kind} {last}")))
            }
            _ if name.ends_with(".rs") => files("", "rs").iter().any(|path| path.ends_with(name)),
            _ => true,
        };
        if !exists {
            gone.push(name);
        }
    }
    assert!(gone.is_empty(), "docs/ARCHITECTURE.md names what is no more: {gone:?}");
}

/// Whether a definition stands in the code, not only one whose name begins so.
fn defines(code: &str, definition: &str) -> bool {
    code.match_indices(definition)
        .any(|(at, found)| !code[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// What stands between single backticks, code blocks aside.
fn code_spans(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

/// The targets of `[text](target)` in a Markdown text.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn readme_shows_both_commands() {
    let readme = read("README.md");
    for command in ["cargo run --release -p generated-example", "cargo test --workspace"] {
        assert!(
            readme.lines().any(|line| line.trim() == command),
            "README.md does not show `{command}` on a line of its own"
        );
    }
}
