//! Generated code as it stands in the repository. `UPDATE_GOLDEN=1 cargo test -p dbgen` writes it anew; what changed is
//! then seen in the diff of the commit. That it compiles and works is tested in `tests/it/generated`.

use dbgen::{Options, generate};
use dbgen_schema::Schema;
use std::path::{Path, PathBuf};

fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

#[track_caller]
fn expect_golden(schema: &str, golden: &str) {
    let path = workspace(schema);
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    let schema = Schema::from_file(&path).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let actual = generate(&schema, &Options::new().source_name(name)).unwrap_or_else(|error| panic!("{error}"));

    let path = workspace(golden);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == actual,
        "{golden} is not what it was; `UPDATE_GOLDEN=1 cargo test -p dbgen` accepts this:\n{}",
        difference(&expected, &actual)
    );
}

/// The lines between the common start and the common end of two texts.
fn difference(expected: &str, actual: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let same = |(a, b): &(&&str, &&str)| a == b;
    let start = before.iter().zip(&after).take_while(same).count();
    let end = before[start..].iter().rev().zip(after[start..].iter().rev()).take_while(same).count();
    let removed = before[start..before.len() - end].iter().map(|line| format!("-{line}\n"));
    let added = after[start..after.len() - end].iter().map(|line| format!("+{line}\n"));
    format!("@@ line {} @@\n{}", start + 1, removed.chain(added).collect::<String>())
}

#[test]
fn the_arena_is_as_expected() {
    expect_golden("schemas/arena.json", "tests/expected/arena.rs");
}

/// One of everything, under the most awkward names.
#[test]
fn the_zoo_is_as_expected() {
    expect_golden("tests/fixtures/zoo.json", "tests/expected/zoo.rs");
}
