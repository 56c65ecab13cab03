//! What an operator does with a data folder: every command on whole, damaged, used and missing ones, with its exit code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use dbgen_runtime::{Database, Value};

const SCHEMA: &str = r#"{ "name": "kept", "version": "1", "tables": { "thing": { "fields": [
    {"name":"name","type":"str<32>","unique":true}, {"name":"n","type":"i32","indexed":true} ] } } }"#;

/// Bytes of a segment's header: the first record follows.
const SEGMENT_HEADER_BYTES: usize = 64;

/// A folder with the data folder `data`: things `a` and `b` in a snapshot, `c` and `d` in the log alone. Gives the commit of
/// the snapshot.
fn prepared() -> (tempfile::TempDir, u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = open(folder.path());
    ["a", "b"].iter().for_each(|name| add(&db, name));
    let commit = db.snapshot().expect("there is room");
    ["c", "d"].iter().for_each(|name| add(&db, name));
    (folder, commit)
}

fn open(folder: &Path) -> Database {
    let builder = Database::builder().schema_json(SCHEMA).data_dir(folder.join("data")).log_segment_bytes(64 << 10);
    builder.open().unwrap_or_else(|error| panic!("{error}"))
}

fn add(db: &Database, name: &str) {
    db.transact(|tx| tx.insert_named("thing", &[("name", Value::from(name)), ("n", Value::from(1))])).expect("it fits");
}

fn names(folder: &Path) -> String {
    let view = open(folder).read();
    let names = view.open_table("thing").expect("it is in the schema").iter().map(|record| match record.value(0) {
        Value::Text(name) => name,
        other => panic!("a name of {other:?}"),
    });
    names.collect::<Vec<_>>().join(" ")
}

/// Runs a command in a folder; gives its exit code and what it said.
fn dbgen(folder: &Path, arguments: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dbgen"));
    let output = command.args(arguments.split(' ')).current_dir(folder).output().expect("it runs");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().expect("no signal"), text)
}

/// Runs a command that must end with `code` and say `part`.
#[track_caller]
fn says(folder: &Path, arguments: &str, code: i32, part: &str) {
    let (found, said) = dbgen(folder, arguments);
    assert_eq!((found, said.contains(part)), (code, true), "dbgen {arguments}: {said}");
}

fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.join("data")]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).expect("it is there").flatten().map(|entry| entry.path()) {
            match path.is_dir() {
                true => folders.push(path),
                false => drop(found.insert(path.clone(), std::fs::read(&path).expect("readable"))),
            }
        }
    }
    found
}

/// Flips a bit of the first record behind the snapshot.
fn damage_log(folder: &Path) {
    let logs = content(folder).into_keys().filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    let last = logs.max().expect("there is a log");
    let mut bytes = std::fs::read(&last).expect("readable");
    bytes[SEGMENT_HEADER_BYTES + 50] ^= 1;
    std::fs::write(last, bytes).expect("writable");
}

#[test]
fn a_snapshot_is_gone_back_to() {
    let (folder, commit) = prepared();
    let at = folder.path();
    says(at, "snapshot list --data data", 0, &format!("{commit}  tick 0, 1 tables"));
    for command in ["snapshot restore --data data 999", "snapshot verify --data data 999"] {
        says(at, command, 2, "data: there is no snapshot of commit 999; there are those of 2, 0");
    }
    assert_eq!(names(at), "a b c d", "nothing happened");
    says(at, &format!("snapshot restore --data data {commit}"), 0, &format!("at commit {commit} again"));
    assert_eq!(names(at), "a b");
    assert!(at.join("data/quarantine").is_dir(), "what came after it is kept");
    add(&open(at), "e");
    assert_eq!(names(at), "a b e", "and it goes on from there");
    // A later snapshot may be all that there is of tables that are not logged.
    says(at, "snapshot restore --data data 0", 0, "at commit 0 again");
    assert_eq!(names(at), "");
    assert!(at.join(format!("data/quarantine/snap-{commit:016}/MANIFEST")).is_file(), "it is kept as well");
}

#[test]
fn damage_is_told_with_what_to_do_and_salvage_does_it() {
    let (folder, _) = prepared();
    let at = folder.path();
    says(at, "log verify --data data", 0, "whole: ");
    damage_log(at);
    let before = content(at);
    for command in ["log verify --data data", "recover data", "recover --data data", "snapshot create --data data"] {
        says(at, command, 1, "dbgen recover --salvage --data data");
    }
    assert!(content(at) == before, "nothing on the disk changed");
    says(at, "log dump --data data", 0, "byte 64: ");
    says(at, "recover --salvage --data data", 0, "in quarantine");
    says(at, "recover data", 0, "commit ");
    says(at, "log verify --data data", 0, "whole: ");
    assert!(names(at).starts_with("a b"), "what the snapshot holds is there");
}

#[test]
fn a_damaged_snapshot_is_told_and_the_older_one_serves() {
    let (folder, commit) = prepared();
    let at = folder.path();
    let table = at.join(format!("data/snap-{commit:016}/0000.table"));
    let mut bytes = std::fs::read(&table).expect("readable");
    bytes[70] ^= 1;
    std::fs::write(table, bytes).expect("writable");
    says(at, "snapshot verify --data data", 1, "0000.table");
    says(at, &format!("snapshot verify --data data {commit}"), 1, &format!("{commit}  damaged"));
    says(at, "snapshot verify --data data", 1, "begins with that of commit 0");
    says(at, &format!("snapshot restore --data data {commit}"), 1, "0000.table");
    says(at, "recover --data data", 0, "passed over: ");
    assert_eq!(names(at), "a b c d");
}

#[test]
fn a_folder_in_use_is_left_alone() {
    let (folder, commit) = prepared();
    let at = folder.path();
    let db = open(at);
    for command in ["recover --data data", "recover data", "snapshot create --data data"] {
        says(at, command, 2, "LOCK: another process has this data folder open\nhelp: end the server");
    }
    says(at, &format!("snapshot restore --data data {commit}"), 2, "LOCK");
    // What only reads does not mind.
    says(at, "snapshot verify --data data", 0, "whole");
    says(at, "snapshot list --data data", 0, "tables");
    says(at, "log verify --data data", 0, "whole: ");
    drop(db);
    says(at, "recover data", 0, "commit ");
}

/// A program that another thread starts has every open file for a moment, the lock's too: it used to keep the lock as long.
#[test]
fn a_lock_is_given_back_whatever_is_started_meanwhile() {
    use dbgen_runtime::storage::Disk;
    use std::sync::atomic::{AtomicBool, Ordering};
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("LOCK");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                dbgen(folder.path(), "--version");
            }
        });
        let taken = (0..2000).try_for_each(|_| Disk::real().lock(&path).map(drop));
        is_over.store(true, Ordering::Relaxed);
        taken.expect("nobody else wants it");
    });
}

#[test]
fn a_folder_that_is_not_there_is_a_wrong_argument() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let commands = [
        "snapshot list --data nowhere",
        "snapshot create --data nowhere",
        "snapshot verify --data nowhere",
        "snapshot restore --data nowhere 1",
        "log dump --data nowhere",
        "log verify --data nowhere",
        "recover --data nowhere",
        "recover nowhere",
        "backup --data nowhere copy",
    ];
    for command in commands {
        says(folder.path(), command, 2, "nowhere: no data folder");
    }
    says(folder.path(), "recover", 2, "--data <DIR>");
    assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 0, "and nothing was made");
}

#[test]
fn a_folder_without_a_database_is_a_wrong_argument_and_stays_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("letters")).expect("writable");
    std::fs::write(folder.path().join("letters/mum.txt"), "dear").expect("writable");
    let commands = [
        "snapshot list --data letters",
        "snapshot create --data letters",
        "snapshot verify --data letters",
        "log dump --data letters",
        "log verify --data letters",
        "recover letters",
        "recover --salvage --data letters",
        "backup --data letters copy",
    ];
    for command in commands {
        says(folder.path(), command, 2, "letters: there is no database in this folder");
    }
    let left = std::fs::read_dir(folder.path().join("letters")).expect("it is there").count();
    assert_eq!(left, 1, "and nothing was made");
}

#[test]
fn a_backup_goes_where_nothing_is() {
    let (folder, _) = prepared();
    let at = folder.path();
    says(at, "backup --data data data", 2, "not empty");
    says(at, "backup --data data copies/data", 0, "bytes copied");
    assert_eq!(names(&at.join("copies")), "a b c d");
}
