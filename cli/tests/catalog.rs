//! Game data of designers from a schema file to a crate that a game uses: `dbgen generate` writes the crate's `lib.rs`, the
//! program beside it (`catalog/src/main.rs`) puts the records of `catalog/data` in and finds every one again.
//!
//! `DBGEN_GAME_DATA=FOLDER` has the same done with the `schema.json` and the records of another folder that has these tables.

use std::path::{Path, PathBuf};

use crate::project::Project;

/// The schema, and the folder of its records.
fn inputs() -> (PathBuf, PathBuf) {
    match std::env::var_os("DBGEN_GAME_DATA").map(PathBuf::from) {
        Some(folder) => (folder.join("schema.json"), folder),
        None => (
            dbgen_tests::root().join("tests/fixtures/catalog.json"),
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalog/data"),
        ),
    }
}

/// The records in the files of a folder.
fn count(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let records = files.filter(|path| path.extension().is_some_and(|it| it == "ndjson"));
    records.map(|path| std::fs::read_to_string(path).expect("text").lines().count()).sum()
}

#[test]
fn a_schema_of_game_data_becomes_a_crate_that_holds_the_data() {
    let (schema, data) = inputs();
    let text = std::fs::read_to_string(&schema).expect("the schema is there");
    let name = dbgen_schema::Schema::from_file(&schema).expect("it is a schema").name;
    assert_eq!(text.matches("\"fields\"").count(), 12, "eight tables, three composites, one index");

    let project = Project::new("used");
    let generated = project.path("src/lib.rs");
    project.dbgen(&["generate", schema.to_str().expect("UTF-8"), "--out", generated.to_str().expect("UTF-8")]);
    let program = include_str!("catalog/src/main.rs");
    let facade = dbgen::names::pascal(&name);
    project.write("src/main.rs", &program.replace("catalog::", &format!("{name}::")).replace("Catalog", &facade));
    project.build();

    let said = project.run(&[data.to_str().expect("UTF-8")]);
    println!("{said}");
    assert!(said.contains(&format!("\n{} records equal\n", count(&data))), "{said}");
    assert_eq!(said.lines().count(), 10, "{said}");
}
