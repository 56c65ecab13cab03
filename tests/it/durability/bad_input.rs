//! Data folders that somebody broke: a typed error that names file and offset, no panic, nothing on the disk changed.

use super::snapshots::{SCHEMA, add_crab, builder, folder, open, snapshot_dirs};
use dbgen_runtime::{Database, Error};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A folder with a snapshot of some crabs and a log behind it.
fn prepared() -> tempfile::TempDir {
    let dir = folder();
    let db = open(dir.path()).expect("it opens");
    add_crab(&db, "ada").expect("it fits");
    db.snapshot().expect("there is room");
    add_crab(&db, "bob").expect("it fits");
    drop(db);
    dir
}

fn content(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("it is there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path)
            } else {
                drop(found.insert(path.clone(), std::fs::read(path).expect("read")))
            }
        }
    }
    found
}

/// Breaks a folder, opens it, and gives what is said; the folder must be as it was.
#[track_caller]
fn refused(break_it: impl FnOnce(&Path)) -> String {
    let dir = prepared();
    break_it(dir.path());
    let before = content(dir.path());
    let error = open(dir.path()).expect_err("it is broken");
    assert!(content(dir.path()) == before, "something on the disk changed: {error}");
    assert!(matches!(error, Error::Damaged(_) | Error::Migration { .. }), "{error:?}");
    error.to_string()
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).expect("it is there");
    change(&mut bytes);
    std::fs::write(path, bytes).expect("it can be written");
}

fn last_log(dir: &Path) -> PathBuf {
    content(&dir.join("log")).into_keys().next_back().expect("there is a log")
}

/// Does something to every snapshot, so that none is left to fall back on.
fn each_snapshot(dir: &Path, mut each: impl FnMut(&Path)) {
    snapshot_dirs(dir).iter().for_each(|path| each(path));
}

#[test]
fn a_newer_format_is_refused() {
    let said = refused(|dir| {
        each_snapshot(dir, |path| {
            change(&path.join("MANIFEST"), |bytes| bytes[12..15].copy_from_slice(b"9 9"));
        });
    });
    assert!(said.contains("MANIFEST") && said.contains("newer"), "{said}");
}

#[test]
fn a_folder_without_its_manifests_is_refused() {
    let said = refused(|dir| each_snapshot(dir, |path| std::fs::remove_file(path.join("MANIFEST")).expect("removed")));
    assert!(said.contains("MANIFEST") && said.contains("missing"), "{said}");
}

#[test]
fn a_folder_without_its_log_is_refused() {
    let said = refused(|dir| std::fs::remove_dir_all(dir.join("log")).expect("removed"));
    assert!(said.contains(".log") && said.contains("missing"), "{said}");
}

#[test]
fn tables_that_are_cut_or_swapped_are_refused() {
    let said = refused(|dir| each_snapshot(dir, |path| change(&path.join("0000.table"), |bytes| bytes.truncate(80))));
    assert!(said.contains("0000.table") && said.contains("bytes"), "{said}");
    let said = refused(|dir| {
        each_snapshot(dir, |path| {
            let (a, b) = (path.join("0000.table"), path.join("0001.table"));
            let (left, right) = (std::fs::read(&a).expect("read"), std::fs::read(&b).expect("read"));
            std::fs::write(a, right).expect("written");
            std::fs::write(b, left).expect("written");
        });
    });
    assert!(said.contains(".table"), "{said}");
}

#[test]
fn a_changed_byte_of_the_log_is_refused_with_what_to_do() {
    let said = refused(|dir| change(&last_log(dir), |bytes| bytes[64 + 50] ^= 1));
    assert!(said.contains(".log, byte 64") && said.contains("--salvage"), "{said}");
}

#[test]
fn what_is_salvaged_is_what_was_before_the_damage() {
    let dir = prepared();
    change(&last_log(dir.path()), |bytes| bytes[64 + 50] ^= 1);
    let db = builder(dir.path()).salvage().open().expect("it opens");
    assert_eq!(super::snapshots::crabs(&db).len(), 1);
    assert!(dir.path().join("quarantine").is_dir());
    drop(db);
    assert_eq!(super::snapshots::crabs(&open(dir.path()).expect("it is whole again")).len(), 1);
}

#[test]
fn a_folder_of_another_database_is_refused() {
    let dir = prepared();
    let other = SCHEMA.replacen("shore", "desert", 1);
    let error = Database::builder().schema_json(&other).data_dir(dir.path()).open().expect_err("it is another's");
    assert!(matches!(error, Error::Migration { .. }), "{error}");
    // A segment of another database between its own.
    let foreign = prepared();
    let said = refused(|dir| {
        std::fs::copy(last_log(foreign.path()), last_log(dir)).expect("copied");
    });
    assert!(said.contains("another database"), "{said}");
}

#[test]
fn a_manifest_that_lies_about_lengths_is_refused_without_the_memory() {
    // Made by hand: its own hash is right, and it promises 16 TB.
    let said = refused(|dir| {
        each_snapshot(dir, |path| {
            let manifest = path.join("MANIFEST");
            let text = std::fs::read_to_string(&manifest).expect("read");
            let (_, json) = text.split_once('\n').expect("two parts");
            let mut lie: serde_json::Value = serde_json::from_str(json).expect("it is JSON");
            for buffer in lie["tables"][0]["buffers"].as_array_mut().expect("a list") {
                buffer["raw_bytes"] = (1_u64 << 44).into();
            }
            let json = lie.to_string();
            let hash = dbgen_runtime::checksum::xxh3_128(json.as_bytes());
            std::fs::write(manifest, format!("DBGMANIFEST 1 1 {} {hash:032x}\n{json}", json.len())).expect("written");
        });
    });
    assert!(said.contains("0000.table"), "{said}");
}

#[test]
fn a_full_disk_turns_the_database_read_only_and_loses_nothing() {
    use super::world::{World, builder, transact};
    let disk = dbgen_runtime::storage::simulated::Simulated::new(1);
    let db = builder(World::Small, &disk).open().expect("it opens");
    (0..4).for_each(|step| transact(World::Small, &db, 9, step).expect("there is room"));
    let (commit, before) = (db.read().commit(), World::Small.told(&db.read()));
    disk.room(Some(0));
    let refused = (4..12).find_map(|step| transact(World::Small, &db, 9, step).err()).expect("there is no room");
    assert!(matches!(refused, Error::ReadOnly { .. }), "{refused}");
    let refused = transact(World::Small, &db, 9, 20).err().or_else(|| db.edit_schema([]).err()).expect("it stays so");
    assert!(refused.to_string().contains("read-only"), "{refused}");
    assert!(db.durability().expect("it has a folder").read_only.is_some());
    // Reads go on.
    assert!(db.read().open_table("player").is_ok());
    drop(db);
    disk.room(None);
    let db = builder(World::Small, &disk).open().expect("it opens again");
    let recovered = db.durability().expect("it has a folder").recovered.commit;
    assert!(recovered >= commit);
    if recovered == commit {
        assert_eq!(World::Small.told(&db.read()), before);
    }
}
