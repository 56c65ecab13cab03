//! One file per mistake that a person makes, with what the compiler says about it beside it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dbgen_schema::{Color, Diagnostics, Format, Parsed, Source, diagnostic};

use crate::support::{expect_file, files};

fn invalid() -> Vec<PathBuf> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid"), &["json", "toml"])
}

fn diagnostics(path: &Path) -> Diagnostics {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let format = Format::of_path(path).unwrap_or_else(|| panic!("{name}: unknown format"));
    let parsed = Parsed::of(&Source { name, text, format });
    assert!(parsed.schema.is_none(), "{}: a mistake nobody noticed", path.display());
    parsed.diagnostics
}

#[test]
fn every_mistake_is_told_as_expected() {
    for path in invalid() {
        let mut expected = path.clone().into_os_string();
        expected.push(".expected");
        expect_file(Path::new(&expected), &diagnostics(&path).to_string());
    }
}

/// A code that no file provokes is either dead or untested.
#[test]
fn every_code_has_a_file() {
    let seen: BTreeSet<&str> =
        invalid().iter().flat_map(|path| diagnostics(path).iter().map(|it| it.code).collect::<Vec<_>>()).collect();
    // These are about other files, or a file as a whole, and have tests of their own.
    let others = ["file_unreadable", "file_too_large", "unknown_format", "not_utf8", "lock_version", "lock_entry"];
    let missing: Vec<&str> =
        diagnostic::codes().filter(|code| !seen.contains(code) && !others.contains(code)).collect();
    assert!(missing.is_empty(), "no file in tests/invalid for {missing:?}");
}

/// What tools read says the same as what people read.
#[test]
fn the_machine_form_agrees() {
    for path in invalid() {
        let diagnostics = diagnostics(&path);
        let json = diagnostics.to_json();
        assert_eq!(
            json["errors"].as_u64().zip(json["warnings"].as_u64()).map(|(a, b)| a + b),
            Some(diagnostics.len() as u64)
        );
        for (diagnostic, json) in diagnostics.iter().zip(json["diagnostics"].as_array().into_iter().flatten()) {
            assert_eq!(json["code"], diagnostic.code);
            assert_eq!(json["message"], diagnostic.message.as_str());
            assert!(diagnostic.line >= 1 && diagnostic.column >= 1);
            assert!(diagnostic::explain(diagnostic.code).is_some());
        }
    }
}

#[test]
fn colours_are_only_there_if_they_are_asked_for() {
    for path in invalid() {
        let diagnostics = diagnostics(&path);
        assert!(!diagnostics.render(Color::Never).contains('\u{1b}'), "{}", path.display());
        assert!(diagnostics.render(Color::Always).contains('\u{1b}'), "{}", path.display());
    }
}
