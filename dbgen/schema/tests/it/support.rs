//! What the tests share.

use std::fs;
use std::path::{Path, PathBuf};

use dbgen_schema::{Format, Schema, Source};

/// Set to rewrite expected files instead of comparing with them.
const UPDATE: &str = "UPDATE_GOLDEN";

/// A folder of the workspace.
pub(crate) fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

#[track_caller]
pub(crate) fn load(path: &Path) -> Schema {
    Schema::from_file(path).unwrap_or_else(|problems| panic!("{problems}"))
}

#[track_caller]
pub(crate) fn parse(text: &str, format: Format) -> Schema {
    let source = Source { name: "test".to_string(), text: text.to_string(), format };
    Schema::parse(&source).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Every schema that must load: the examples of the workspace, and those of this crate.
#[track_caller]
pub(crate) fn fixtures() -> Vec<Schema> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let paths = [workspace("schemas"), own].into_iter().flat_map(|folder| files(&folder, &["json", "toml"]));
    paths.filter(|path| !path.ends_with("dbgen.schema.json")).map(|path| load(&path)).collect()
}

/// The files of a folder whose names end so, sorted.
#[track_caller]
pub(crate) fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|it| extensions.iter().any(|wanted| it == *wanted)));
    files.sort();
    files
}

/// Compares with an expected file, or rewrites it.
#[track_caller]
pub(crate) fn expect_file(path: &Path, actual: &str) {
    if std::env::var_os(UPDATE).is_some() {
        fs::write(path, actual).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} is not what it was; `{UPDATE}=1 cargo test -p dbgen-schema` accepts this:\n{}",
        path.display(),
        difference(&expected, actual)
    );
}

/// Lines that are only in one of them, around the first place where they differ.
fn difference(expected: &str, actual: &str) -> String {
    let same = expected.lines().zip(actual.lines()).take_while(|(a, b)| a == b).count();
    let shown = |text: &str, sign: char| -> String {
        text.lines().skip(same).take(12).map(|line| format!("{sign} {line}\n")).collect()
    };
    format!("  from line {}\n{}{}", same + 1, shown(expected, '-'), shown(actual, '+'))
}
