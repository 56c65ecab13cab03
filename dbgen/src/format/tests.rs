//! What is printed straight from tokens is what the formatter prints.

#[path = "../../tests/it/random.rs"]
mod random;

use super::*;
use dbgen_schema::{Format, Schema, Source};
use std::path::Path;

/// The lines in which two texts differ first, with what stands before them.
fn difference(expected: &str, found: &str) -> String {
    let at = expected.lines().zip(found.lines()).take_while(|(expected, found)| expected == found).count();
    let part = |text: &str| text.lines().skip(at.saturating_sub(4)).take(70).collect::<Vec<_>>().join("\n");
    format!("expected:\n{}\nfound:\n{}", part(expected), part(found))
}

#[track_caller]
fn assert_printed_as_by_the_formatter(schema: &Schema) {
    let options = Options::new();
    let plan = Plan::new(schema, &options, None);
    let runtime = options.runtime().expect("a path");
    for piece in emit::items(&plan, &runtime) {
        let expected = formatted(piece.clone()).expect("it is Rust");
        let found = items::formatted(piece).expect("it is Rust");
        assert!(expected == found, "{}", difference(&expected, &found));
    }
}

#[test]
fn every_example_is_printed_as_by_the_formatter() {
    for folder in ["../schemas", "../tests/fixtures"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let entries = std::fs::read_dir(&folder).expect("the folder is there");
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        for path in paths.filter(|path| path.extension().is_some_and(|it| it == "json")) {
            if let Ok(schema) = Schema::from_file(&path) {
                assert_printed_as_by_the_formatter(&schema);
            }
        }
    }
}

#[test]
fn every_random_schema_is_printed_as_by_the_formatter() {
    let size = random::Size { tables: 6, composites: 5, enums: 4, fields: 7 };
    let parsed = |seed| {
        let source = Source { name: "random.json".to_owned(), text: random::schema(seed, size), format: Format::Json };
        Schema::parse(&source).ok()
    };
    let schemas = (1..100).filter_map(parsed).take(12);
    let count = schemas.inspect(assert_printed_as_by_the_formatter).count();
    assert!(count >= 10, "{count} of the seeds are valid");
}

#[test]
fn items_stand_apart_and_fields_do_not() {
    let code = "use a::b;\nuse a::c;\n/// One.\nstruct A {\n    /// x\n    x: u8,\n    /// y;\n    y: u8,\n}\nimpl A {\n    const N: u8 = 1;\n    type T = u8;\n    fn f() {}\n    fn g() {}\n}\n";
    let expected = "use a::b;\nuse a::c;\n\n/// One.\nstruct A {\n    /// x\n    x: u8,\n    /// y;\n    y: u8,\n}\n\nimpl A {\n    const N: u8 = 1;\n    type T = u8;\n\n    fn f() {}\n\n    fn g() {}\n}\n";
    let mut out = String::new();
    push_items(&mut out, code);
    assert_eq!(out.replace("\n    ", "\n").trim_start(), expected);
}
