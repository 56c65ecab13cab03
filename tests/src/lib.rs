//! Helpers for the tests of the workspace. They live here, once; `it/` holds the tests, one binary with modules.

pub mod curl;
pub mod folder;
pub mod http;
pub mod machine;

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_path_buf()
}

/// The text of a file of the repository, given by its path below the root.
#[track_caller]
pub fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a folder of the repository whose names end in `.extension` (all files if it is empty), sorted, as paths
/// below the root with `/`. Build output and hidden folders are left out; a folder that does not exist has no files.
pub fn files(folder: &str, extension: &str) -> Vec<String> {
    let root = root();
    let (mut found, mut folders) = (Vec::new(), vec![root.join(folder)]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() {
                if name != "target" && !name.to_string_lossy().starts_with('.') {
                    folders.push(path);
                }
            } else if extension.is_empty() || path.extension().is_some_and(|e| e == extension) {
                let below = path.strip_prefix(&root).expect("it was found below the root");
                found.push(below.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// The Rust of the README, compiled as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// A table that a join writes stands in it once. What says so is known when the join is built, not when it is checked, so
/// it is shown here instead of beside the other mistakes of `dbgen-macros/tests/ui_borrow`.
///
/// ```compile_fail,E0080
/// dbgen_macros::schema!("fixtures/ecs.json");
/// use ecs::{Ecs, Velocity, velocity};
///
/// let db = Ecs::builder().open().unwrap();
/// db.transact(|tx| {
///     tx.join_mut::<(&mut Velocity, &velocity::Turn)>().for_each(|(velocity, turn)| velocity.linear.x.set(turn.spin.get()));
///     Ok(())
/// }).unwrap();
/// ```
///
/// Two tables, one written, are fine:
///
/// ```
/// dbgen_macros::schema!("fixtures/ecs.json");
/// use ecs::{Ecs, Position, velocity};
///
/// let db = Ecs::builder().open().unwrap();
/// db.transact(|tx| {
///     tx.join_mut::<(&mut Position, &velocity::Turn)>().for_each(|(position, turn)| position.at.x.set(turn.spin.get()));
///     Ok(())
/// }).unwrap();
/// ```
#[cfg(doctest)]
pub struct JoinWritesOnce;
