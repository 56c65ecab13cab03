//! What the documents show is true. The README's Rust is compiled as documentation tests of this crate, its curl session is
//! played by the tests of the command line; here is the rest. `UPDATE_GOLDENFILES=1` writes what is derived from code.

use dbgen_schema::evolve::rules::RULES;
use dbgen_schema::{Format, Schema, Source};
use dbgen_tests::{files, read, root};
use serde_json::Value as Json;

#[test]
fn readme_schemas_are_schemas() {
    let blocks = blocks("json");
    assert!(!blocks.is_empty(), "the README shows a schema");
    for text in blocks {
        let source = Source { name: "README.md".to_owned(), text, format: Format::Json };
        Schema::parse(&source).unwrap_or_else(|wrong| panic!("{wrong}"));
    }
}

/// The README's program is compiled with the whole of `schemas/arena.json`; what the README shows of it must be enough.
#[test]
fn readme_schema_of_the_arena_is_what_its_program_needs() {
    let whole: Json = serde_json::from_str(&read("schemas/arena.json")).expect("a schema");
    let shown = blocks("json")
        .iter()
        .map(|text| serde_json::from_str(text).expect("JSON"))
        .find(|shown: &Json| shown["name"] == whole["name"]);
    let shown = shown.expect("the README shows the arena");
    let fields = |schema: &Json, table: &str| schema["tables"][table]["fields"].as_array().cloned().unwrap_or_default();
    for table in ["guild", "player"] {
        for field in fields(&shown, table) {
            assert!(fields(&whole, table).contains(&field), "the README says of {table}: {field}");
        }
    }
    // What the program says, and the field of the schema that it needs.
    let program = blocks("rust,no_run").into_iter().find(|block| block.contains("tick_loop")).expect("a program");
    for (said, needed) in
        [(".pos()", "\"pos\""), ("motion_mut()", "\"group\":\"motion\""), (".by_guild(", "\"indexed\":true")]
    {
        assert!(program.contains(said) && shown.to_string().contains(needed), "{said} needs {needed}");
    }
}

#[test]
fn readme_commands_name_what_exists() {
    let packages = ["dbgen-cli", "generated-example"];
    let commands = files("cli/src", "rs");
    for line in blocks("sh").iter().flat_map(|block| block.lines()).filter(|line| line.starts_with("cargo run")) {
        let mut words = line.split_whitespace().skip_while(|word| *word != "-p").skip(1);
        let package = words.next().unwrap_or_default();
        assert!(packages.contains(&package), "{line}");
        let mut arguments = words.skip_while(|word| *word != "--").skip(1);
        if let Some(command) = arguments.next() {
            assert!(commands.contains(&format!("cli/src/{command}.rs")), "{line}");
        }
        for file in arguments.filter(|word| word.starts_with("schemas/")) {
            assert!(files("schemas", "").contains(&file.to_owned()), "{line}");
        }
    }
}

#[test]
fn the_rules_of_evolution_are_those_of_the_code() {
    const FILE: &str = "docs/EVOLUTION.md";
    const TABLE: &str = "| rule | class | what becomes of stored data | in buf |\n";
    let before = read(FILE);
    let (prose, _) = before.split_once(TABLE).expect("the file ends with the table");
    let rows = RULES.iter().map(|rule| {
        let buf: Vec<_> = rule.buf.iter().map(|name| format!("`{name}`")).collect();
        format!("| `{}` | {} | {} | {} |\n", rule.code, rule.class.as_str(), rule.what, buf.join(", "))
    });
    let after = format!("{prose}{TABLE}|---|---|---|---|\n{}", rows.collect::<String>());
    if std::env::var_os("UPDATE_GOLDENFILES").is_some() {
        std::fs::write(root().join(FILE), &after).expect("the file is written");
    }
    assert!(read(FILE) == after, "{FILE} differs from the table of rules; UPDATE_GOLDENFILES=1 writes it");
}

/// The code blocks of the README in this language.
fn blocks(language: &str) -> Vec<String> {
    let readme = read("README.md");
    let opening = format!("```{language}\n");
    let blocks = readme.split(&opening).skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(str::to_owned).collect()
}
