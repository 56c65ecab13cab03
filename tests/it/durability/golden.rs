//! Data folders that released formats wrote, kept and read for ever. Each `tests/fixtures/format-…` was written once; a change
//! that cannot read it breaks every database there is. Format 2 of the log has requests that came under a key, which this
//! script makes none of: but for the number, and what is random, it is format 1. Format 3 says which segments a start began, and
//! that the database was closed.
//!
//! `DBGEN_WRITE_GOLDEN=DIR` writes what this program would write into another folder: how the golden of a *new* format
//! begins its life.

use super::campaign::finished;
use super::world::{World, builder};
use dbgen_runtime::storage::simulated::Simulated;
use dbgen_tests::folder;
use std::path::Path;

const SEED: u64 = 3;

/// The files of a fixture on a simulated disk.
fn fixture(name: &str) -> Simulated {
    folder::disk(&folder::fixture(&format!("tests/fixtures/{name}")))
}

#[track_caller]
fn is_read(name: &str) {
    let expected = dbgen_tests::read(format!("tests/fixtures/{name}/content.txt"));
    let disk = fixture(name);
    for _ in 0..2 {
        let db = builder(World::Small, &disk).open().expect("it is read");
        assert_eq!(World::Small.told(&db.read()), expected.trim_end());
        db.read().verify().expect("it is whole");
    }
}

#[test]
fn format_1_is_read_for_ever() {
    is_read("format-1");
}

#[test]
fn format_2_is_read_for_ever() {
    is_read("format-2");
}

#[test]
fn format_3_is_read_for_ever() {
    is_read("format-3");
}

#[test]
fn what_is_written_now_is_format_3() {
    let (disk, model) = finished(SEED);
    if let Some(folder) = std::env::var_os("DBGEN_WRITE_GOLDEN") {
        let folder = Path::new(&folder);
        for (path, bytes) in disk.files() {
            let target = folder.join(path);
            std::fs::create_dir_all(target.parent().expect("it lies in a folder")).expect("there is room");
            std::fs::write(target, bytes).expect("there is room");
        }
        std::fs::write(folder.join("content.txt"), format!("{}\n", model.told_last())).expect("there is room");
    }
    // The same script with the same randomness is the same log, byte for byte: snapshots name the program's version.
    let (written, golden) = (disk.files(), fixture("format-3").files());
    for (path, bytes) in written.iter().filter(|(path, _)| path.to_string_lossy().contains("/log/")) {
        let same = golden.get(path).is_some_and(|golden| golden == bytes);
        assert!(same, "{} is not what format 3 writes: a new format needs a new number", path.display());
    }
}
