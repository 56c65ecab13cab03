//! Generated code under the strictest lints that a crate may ask for, in both editions that a game may be written in: a
//! large schema, one of everything, and one whose names are as awkward as the language lets them be.

use crate::project::Project;

/// What is compiled: a module of one crate each.
const SCHEMAS: &[&str] = &[
    "schemas/arena.json",
    "schemas/economy.json",
    "schemas/mmo.json",
    "schemas/world.json",
    "tests/fixtures/zoo.json",
    "tests/fixtures/awkward.json",
];

#[track_caller]
fn compiles_in(edition: &str, name: &'static str) {
    let project = Project::new(name);
    project.edit("Cargo.toml", "edition = \"2021\"", &format!("edition = \"{edition}\""));
    let mut crate_root = String::from(
        "#![forbid(unsafe_code)]\n#![deny(warnings, missing_docs, unreachable_pub, rust_2018_idioms, clippy::all)]\n//! All of them.\n\n",
    );
    for schema in SCHEMAS {
        let file = schema.rsplit('/').next().unwrap_or_default().replace(".json", ".rs");
        let (from, to) = (dbgen_tests::root().join(schema), project.path(&format!("generated/{file}")));
        project.dbgen(&["generate", from.to_str().expect("UTF-8"), "--out", to.to_str().expect("UTF-8")]);
        crate_root.push_str(&format!("include!(\"../generated/{file}\");\n"));
    }
    project.write("src/lib.rs", &crate_root);
    project.check();
}

#[test]
fn generated_code_is_clean_in_edition_2021() {
    compiles_in("2021", "strict-2021");
}

#[test]
fn generated_code_is_clean_in_edition_2024() {
    compiles_in("2024", "strict-2024");
}
