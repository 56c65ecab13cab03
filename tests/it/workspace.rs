//! Backlog `mi_1` to `mi_3`: the workspace, its crates, and tests for every module.

use dbgen_tests::{files, read, root};
use std::collections::BTreeSet;
use std::process::Command;

/// Every crate of the workspace: its folder, its name, and the crates of ours that it may link, tests aside.
const CRATES: &[(&str, &str, &[&str])] = &[
    ("dbgen/schema", "dbgen-schema", &[]),
    ("dbgen", "dbgen", &["dbgen-schema"]),
    ("dbgen-macros", "dbgen-macros", &["dbgen", "dbgen-schema"]),
    ("runtime", "dbgen-runtime", &["dbgen-schema"]),
    ("cli", "dbgen-cli", &["dbgen", "dbgen-runtime", "dbgen-schema"]),
    ("generated-example", "generated-example", &["dbgen-runtime"]),
    ("tests", "dbgen-tests", &["dbgen", "dbgen-macros", "dbgen-runtime", "dbgen-schema"]),
];

/// Modules of libraries whose tests are not in their own files, and where they are: those that show at all only through
/// others.
const TESTED_FROM_OUTSIDE: &[(&str, &[&str], &str)] = &[
    ("runtime", &["editing"], "tests/it/engine/beside.rs"),
    ("dbgen/schema", &["field_type", "language", "object", "parse", "raw", "tree"], "dbgen/schema/tests/it/goldens.rs"),
    ("dbgen/schema", &["layout", "model"], "dbgen/schema/tests/it/model.rs"),
    ("dbgen/schema", &["json_schema"], "dbgen/schema/tests/it/json_schema.rs"),
    ("dbgen/schema", &["lock"], "dbgen/schema/tests/it/lock.rs"),
    ("dbgen/schema", &["source"], "dbgen/schema/tests/it/files.rs"),
    ("dbgen/schema", &["value"], "dbgen/schema/tests/it/json.rs"),
    ("dbgen/schema", &["write"], "dbgen/schema/tests/it/examples.rs"),
    ("dbgen", &["error", "options", "plan"], "dbgen/tests/it/golden.rs"),
    ("runtime", &["__private"], "tests/it/generated/arena.rs"),
    ("runtime", &["catalog", "error"], "tests/it/engine/model.rs"),
    ("runtime", &["engine", "txn"], "tests/it/engine/undo.rs"),
    ("runtime", &["op"], "tests/it/engine/many.rs"),
    ("runtime", &["db", "view"], "tests/it/engine/publication.rs"),
    ("runtime", &["procedure"], "tests/it/server/rpc.rs"),
    ("runtime", &["edit"], "tests/it/server/edits.rs"),
    ("runtime", &["join"], "tests/it/engine/join.rs"),
    ("runtime", &["durable", "recover", "storage"], "tests/it/durability/simulate.rs"),
    ("runtime", &["handler"], "tests/it/tick/handlers.rs"),
    ("runtime", &["recording"], "tests/it/tick/recording.rs"),
];

/// Crates that are procedural macros or programs, or this one: no modules that other crates see.
const NO_LIBRARY: &[&str] = &["cli", "dbgen-macros", "generated-example", "tests"];

fn manifest(folder: &str) -> toml::Table {
    let path = if folder.is_empty() { "Cargo.toml".into() } else { format!("{folder}/Cargo.toml") };
    read(&path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn members() -> BTreeSet<String> {
    let root = manifest("");
    let members = root["workspace"]["members"].as_array().expect("members is a list");
    members.iter().map(|member| member.as_str().expect("a member is a string").to_owned()).collect()
}

#[test]
fn mi_1_workspace_has_exactly_the_known_members() {
    let known: BTreeSet<_> = CRATES.iter().map(|(folder, ..)| folder.to_string()).collect();
    let members = members();
    let unknown: Vec<_> = members.difference(&known).collect();
    assert!(unknown.is_empty(), "say in workspace.rs what these may depend on: {unknown:?}");
    let on_disk: BTreeSet<_> =
        files("", "toml").iter().filter_map(|file| file.strip_suffix("/Cargo.toml").map(str::to_owned)).collect();
    for (folder, ..) in CRATES {
        assert_eq!(
            on_disk.contains(*folder),
            members.contains(*folder),
            "{folder}: a crate that is no member, or the reverse"
        );
    }
}

#[test]
fn mi_1_workspace_members_share_version_edition_licence_and_lints() {
    for folder in members() {
        let manifest = manifest(&folder);
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            let inherited = manifest["package"].get(key).and_then(|value| value.get("workspace")?.as_bool());
            assert_eq!(inherited, Some(true), "{folder}/Cargo.toml: `{key}.workspace = true` is missing");
        }
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
        assert_eq!(lints, Some(true), "{folder}/Cargo.toml: `[lints] workspace = true` is missing");
    }
}

#[test]
fn mi_2_crates_have_their_names_and_descriptions() {
    let members = members();
    for (folder, name, _) in CRATES.iter().filter(|(folder, ..)| members.contains(*folder)) {
        let package = &manifest(folder)["package"];
        assert_eq!(package["name"].as_str(), Some(*name), "{folder}/Cargo.toml");
        assert!(package.get("description").is_some(), "{folder}/Cargo.toml: no description");
    }
}

#[test]
fn mi_2_crates_depend_only_on_crates_below_them() {
    let members = members();
    let ours: BTreeSet<_> = CRATES.iter().map(|(_, name, _)| *name).collect();
    for (folder, name, allowed) in CRATES.iter().filter(|(folder, ..)| members.contains(*folder)) {
        let manifest = manifest(folder);
        let Some(dependencies) = manifest.get("dependencies").and_then(|d| d.as_table()) else { continue };
        for dependency in dependencies.keys().filter(|dependency| ours.contains(dependency.as_str())) {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not know {dependency}");
        }
    }
}

#[test]
fn mi_3_tests_for_all_modules() {
    let mut untested = Vec::new();
    for folder in members().iter().filter(|folder| !NO_LIBRARY.contains(&folder.as_str())) {
        for module in modules(&read(format!("{folder}/src/lib.rs"))) {
            let text = module_text(folder, &module);
            let is_listed =
                TESTED_FROM_OUTSIDE.iter().any(|(of, names, _)| of == folder && names.contains(&module.as_str()));
            let only_declares = !text.contains("fn ");
            if !only_declares && !has_tests(&text) && !is_listed {
                untested.push(format!("{folder}: {module}"));
            }
        }
    }
    assert!(untested.is_empty(), "no tests in these modules, nor in TESTED_FROM_OUTSIDE: {untested:?}");
}

#[test]
fn mi_3_tests_from_outside_are_where_they_are_said_to_be() {
    for (folder, names, file) in TESTED_FROM_OUTSIDE {
        assert!(has_tests(&read(file)), "{file} has no tests");
        for name in *names {
            let text = module_text(folder, name);
            assert!(!text.is_empty(), "{folder} has no module `{name}`");
            assert!(!has_tests(&text), "{folder}: `{name}` has tests of its own now, take it off the list");
        }
    }
}

/// What a game downloads and compiles for the engine, the engine itself included.
#[test]
fn the_runtime_without_the_server_is_at_most_40_crates() {
    let tree = ["tree", "--locked", "--offline", "-p", "dbgen-runtime", "-e", "normal", "--prefix", "none"];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(tree).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let crates: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    let crates: Vec<&str> = crates.into_iter().filter(|name| !name.is_empty()).collect();
    assert!(crates.contains(&"dbgen-schema") && !crates.contains(&"axum"), "{crates:?}");
    assert!(crates.len() <= 40, "{}: {crates:?}", crates.len());
}

/// The modules that a module root declares.
fn modules(text: &str) -> Vec<String> {
    let declared = |line: &str| {
        line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    };
    text.lines().filter_map(declared).collect()
}

/// All files of a top-level module.
fn module_text(folder: &str, module: &str) -> String {
    let (file, inside) = (format!("{folder}/src/{module}.rs"), format!("{folder}/src/{module}/"));
    let files = files(&format!("{folder}/src"), "rs");
    files.iter().filter(|path| **path == file || path.starts_with(&inside)).map(read).collect()
}

fn has_tests(text: &str) -> bool {
    text.contains("#[test]") || text.contains("proptest!")
}
