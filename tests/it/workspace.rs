//! Backlog `mi_1` and `mi_2`: the workspace and its crates.

use dbgen_tests::{files, read};
use std::collections::BTreeSet;

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
