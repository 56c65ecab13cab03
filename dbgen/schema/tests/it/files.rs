//! Files that are no schema files at all.

use std::fs;
use std::path::{Path, PathBuf};

use dbgen_schema::limits::SOURCE_BYTES_MAX;
use dbgen_schema::{Parsed, Schema};

/// A file in a folder of this test binary's own.
fn file(name: &str, content: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schema_files");
    let path = folder.join(name);
    fs::create_dir_all(&folder).and_then(|()| fs::write(&path, content)).unwrap_or_else(|error| panic!("{error}"));
    path
}

/// The code, line and column of the one thing that is wrong.
fn only_problem(path: &Path) -> (&'static str, u32, u32) {
    let parsed = Parsed::from_file(path);
    assert!(parsed.schema.is_none());
    assert!(!parsed.diagnostics.to_string().is_empty());
    let found: Vec<_> = parsed.diagnostics.iter().map(|it| (it.code, it.line, it.column)).collect();
    assert_eq!(found.len(), 1, "{}", parsed.diagnostics);
    found[0]
}

#[test]
fn a_file_that_is_not_there() {
    assert_eq!(only_problem(Path::new("no/such/schema.json")), ("file_unreadable", 1, 1));
    assert_eq!(only_problem(Path::new(env!("CARGO_MANIFEST_DIR"))), ("unknown_format", 1, 1));
}

#[test]
fn an_unknown_extension() {
    assert_eq!(only_problem(&file("schema.yaml", b"name: arena")), ("unknown_format", 1, 1));
}

#[test]
fn bytes_that_are_not_utf8() {
    assert_eq!(only_problem(&file("latin1.json", b"{\n  \"name\": \"K\xf6ln\"\n}")), ("not_utf8", 2, 13));
}

#[test]
fn a_file_that_is_too_large() {
    assert_eq!(only_problem(&file("large.json", &vec![b' '; SOURCE_BYTES_MAX + 1])), ("file_too_large", 1, 1));
}

#[test]
fn a_byte_order_mark_is_no_mistake() {
    let json = file("bom.json", "\u{feff}{ \"name\": \"arena\", \"tables\": {} }".as_bytes());
    let toml = file("bom.toml", "\u{feff}name = \"arena\"\n".as_bytes());
    for path in [json, toml] {
        assert_eq!(Schema::from_file(path).map(|schema| schema.name), Ok("arena".to_string()));
    }
}
