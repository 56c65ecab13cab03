//! A project of `dbgen new` as its author meets it: built, run, asked over HTTP, its schema changed, built again.

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::served::Served;

/// Runs cargo on a project. It builds into this workspace's own target folder, with the same versions and the same
/// settings, so that what the tests were built from need not be built again.
#[track_caller]
fn build(project: &Path) {
    let target = Path::new(env!("CARGO_BIN_EXE_dbgen")).ancestors().nth(2).expect("target/debug/dbgen");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--config", "profile.dev.debug='line-tables-only'"])
        .args(["--config", "profile.dev.package.'*'.debug=false"])
        .current_dir(project)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    assert_eq!(String::from_utf8_lossy(&built.stderr), "", "a new project builds without warnings");
}

/// Starts what was built.
#[track_caller]
fn run(name: &str) -> Served {
    let program =
        Path::new(env!("CARGO_BIN_EXE_dbgen")).with_file_name(name).with_extension(std::env::consts::EXE_EXTENSION);
    let mut command = Command::new(program);
    command.arg("127.0.0.1:0");
    Served::start(command)
}

fn names_of_tables(served: &Served) -> Vec<String> {
    let list: Json = serde_json::from_slice(&served.client().get("/table").body).expect("JSON");
    let items = list["items"].as_array().expect("items");
    items.iter().filter_map(|table| table["name"].as_str()).map(str::to_owned).collect()
}

/// Makes a project of this name.
#[track_caller]
fn new(folder: &Path, arguments: &[&str]) {
    let made = Command::new(env!("CARGO_BIN_EXE_dbgen")).arg("new").arg(folder).args(arguments).output();
    let made = made.expect("it runs");
    assert!(made.status.success(), "{made:?}");
    std::fs::copy(dbgen_tests::root().join("Cargo.lock"), folder.join("Cargo.lock")).expect("a copy");
}

/// Changes a file of the project, as its author would.
#[track_caller]
fn edit(file: &Path, before: &str, after: &str) {
    let text = std::fs::read_to_string(file).expect("the file is there");
    assert!(text.contains(before), "{text}");
    std::fs::write(file, text.replacen(before, after, 1)).expect("the file is written");
}

#[test]
fn a_new_project_builds_runs_and_takes_a_table_of_its_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = folder.path().join("new-realm");
    new(&project, &[]);

    build(&project);
    let served = run("new-realm");
    assert_eq!(names_of_tables(&served), ["player", "item"]);
    assert_eq!(served.client().post("/table/player/record", &json!({"name": "Cora"})).status, 201);
    drop(served);

    let own = r#""tables": { "pet": { "fields": [{ "name": "name", "type": "str<16>" }] },"#;
    edit(&project.join("schemas/world.json"), r#""tables": {"#, own);
    build(&project);
    let served = run("new-realm");
    assert_eq!(names_of_tables(&served), ["pet", "player", "item"]);
    assert_eq!(served.client().post("/table/pet/record", &json!({"name": "Rex"})).status, 201);
}

#[test]
fn a_new_project_of_structs_takes_a_table_of_its_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = folder.path().join("struct-realm");
    new(&project, &["--front-end", "derive"]);

    let schema = project.join("src/schema.rs");
    edit(&schema, "tables: [Player", "tables: [Pet, Player");
    edit(
        &schema,
        "database! {",
        "#[derive(Table, Debug, Clone)]\npub struct Pet {\n    pub name: Str<16>,\n}\n\ndatabase! {",
    );
    build(&project);
    let served = run("struct-realm");
    assert_eq!(names_of_tables(&served), ["pet", "player", "item"]);
    assert_eq!(served.client().post("/table/pet/record", &json!({"name": "Rex"})).status, 201);
    assert_eq!(served.client().post("/table/player/record", &json!({"name": "Cora"})).status, 201);
}
