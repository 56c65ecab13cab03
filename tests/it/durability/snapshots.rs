//! Snapshots and starts, with the system's files: the plan's `ds_1`, `ds_2`, `re_1` and `re_2`.

use dbgen_runtime::{Database, Db, Dynamic, Error, TableNo, Value};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub(super) const SCHEMA: &str = r#"{
  "name": "shore", "version": "1",
  "tables": {
    "crab":  { "fields": [ {"name":"name","type":"str<16>","unique":true}, {"name":"legs","type":"i32","default":10},
                           {"name":"song","type":"text","nullable":true} ] },
    "tide":  { "durability": "snapshot", "fields": [ {"name":"level","type":"f32"} ] },
    "spray": { "durability": "none", "fields": [ {"name":"size","type":"f32"} ] }
  }
}"#;

/// A data folder that goes when it is dropped.
pub(super) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is room for a folder")
}

/// The shore in a folder, with small segments and no snapshot unless one is asked for.
pub(super) fn open(dir: &Path) -> dbgen_runtime::Result<Database> {
    builder(dir).open()
}

pub(super) fn builder(dir: &Path) -> dbgen_runtime::Builder<Dynamic> {
    Database::builder()
        .schema_json(SCHEMA)
        .data_dir(dir)
        .log_segment_bytes(64 << 10)
        .snapshot_every(Duration::from_secs(3600))
}

pub(super) fn table(db: &Database, name: &str) -> TableNo {
    db.read().open_table(name).expect("it is in the schema").number()
}

pub(super) fn add_crab(db: &Db<Dynamic>, name: &str) -> dbgen_runtime::Result<u64> {
    let crab = table(db, "crab");
    db.transact(|tx| tx.insert_values(crab, &[(0, Value::from(name)), (1, Value::from(8)), (2, Value::from("la la"))]))
        .map(|id| id.get())
}

pub(super) fn crabs(db: &Database) -> Vec<String> {
    let view = db.read();
    let crabs = view.open_table("crab").expect("it is in the schema");
    let mut names: Vec<String> = crabs.iter().map(|crab| format!("{:?}", crab.values())).collect();
    names.sort();
    names
}

pub(super) fn snapshot_dirs(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("it is there").flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = entries
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap-")))
        .collect();
    found.sort();
    found
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the snapshot is taken by a thread with a clock of its own")]
fn ds_1_a_snapshot_is_taken_every_so_often() {
    let dir = folder();
    let db = builder(dir.path()).snapshot_every(Duration::from_millis(1)).open().expect("it opens");
    add_crab(&db, "ada").expect("it fits");
    let commit = db.read().commit();
    let started = Instant::now();
    while db.durability().expect("it has a folder").snapshot < commit {
        assert!(started.elapsed() < Duration::from_secs(30), "no snapshot: {:?}", db.durability());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(snapshot_dirs(dir.path()).iter().any(|path| path.join("MANIFEST").exists()));
}

#[test]
fn ds_2_the_loop_runs_while_a_snapshot_is_written() {
    let dir = folder();
    let db = open(dir.path()).expect("it opens");
    let tide = table(&db, "tide");
    db.transact(|tx| (0..20_000).try_for_each(|n| tx.insert_values(tide, &[(0, Value::from(n as f32))]).map(drop)))
        .expect("they fit");
    let done = AtomicBool::new(false);
    let mut stepper = db.tick_loop(60.0).stepped().expect("it starts");
    std::thread::scope(|scope| {
        let snapshot = scope.spawn(|| {
            let commit = db.snapshot().expect("there is room");
            done.store(true, Ordering::SeqCst);
            commit
        });
        let mut ticks = 0;
        // At least one tick after it is done, however fast it was.
        while !done.load(Ordering::SeqCst) || ticks == 0 {
            stepper.step().expect("it runs");
            ticks += 1;
        }
        assert!(snapshot.join().expect("it does not panic") > 0);
    });
}

#[test]
fn re_1_what_was_committed_is_there_after_a_start() {
    let dir = folder();
    let db = open(dir.path()).expect("it opens");
    let ada = add_crab(&db, "ada").expect("it fits");
    db.snapshot().expect("there is room");
    add_crab(&db, "bob").expect("it fits");
    let before = crabs(&db);
    drop(db);
    let db = open(dir.path()).expect("it opens again");
    assert_eq!(crabs(&db), before);
    let recovered = db.durability().expect("it has a folder").recovered;
    assert!(!recovered.is_new && recovered.records == 1 && recovered.snapshot > 0, "{recovered:?}");
    // Ids go on where they were, and the unique name still is.
    assert!(add_crab(&db, "ada").is_err());
    assert_eq!(add_crab(&db, "cid").expect("it fits"), ada + 2);
}

#[test]
fn re_2_a_snapshot_is_believed_only_if_checksums_and_version_are_right() {
    let dir = folder();
    let db = open(dir.path()).expect("it opens");
    add_crab(&db, "ada").expect("it fits");
    db.snapshot().expect("there is room");
    let before = crabs(&db);
    drop(db);
    let newest = snapshot_dirs(dir.path()).pop().expect("there is one");
    let file = newest.join("0000.table");
    let mut bytes = std::fs::read(&file).expect("it is there");
    bytes[70] ^= 1;
    std::fs::write(&file, &bytes).expect("it can be written");
    // The older snapshot and the log give the same.
    let db = open(dir.path()).expect("it falls back");
    assert_eq!(crabs(&db), before);
    assert_eq!(db.durability().expect("it has a folder").recovered.bad_snapshots.len(), 1);
    drop(db);
    // A later format is refused, whatever else there is.
    let manifest = newest.join("MANIFEST");
    let text = std::fs::read_to_string(&manifest).expect("it is there");
    std::fs::write(&manifest, text.replacen("DBGMANIFEST 1 1", "DBGMANIFEST 9 9", 1)).expect("it can be written");
    let refused = open(dir.path()).expect_err("it is newer");
    assert!(matches!(&refused, Error::Damaged(damage) if damage.to_string().contains("newer")), "{refused}");
}

#[test]
fn tables_survive_as_their_durability_says() {
    let dir = folder();
    let db = open(dir.path()).expect("it opens");
    let (tide, spray) = (table(&db, "tide"), table(&db, "spray"));
    let add = |table, n: f32| db.transact(|tx| tx.insert_values(table, &[(0, Value::from(n))])).expect("it fits");
    add(tide, 1.0);
    add(spray, 1.0);
    db.snapshot().expect("there is room");
    add(tide, 2.0);
    add_crab(&db, "ada").expect("it fits");
    drop(db);
    let db = open(dir.path()).expect("it opens again");
    let rows = |name: &str| db.read().open_table(name).expect("it is there").len();
    assert_eq!((rows("crab"), rows("tide"), rows("spray")), (1, 1, 0));
}

/// The room that a segment of the log takes in advance is not read at every start.
#[cfg(target_os = "linux")]
#[test]
fn room_that_was_never_written_is_known_without_reading_it() {
    use dbgen_runtime::storage::{Disk, Open};
    let dir = folder();
    let file = Disk::real().open(&dir.path().join("segment"), Open::Create).expect("it is new");
    assert_eq!(file.written_bytes().expect("readable"), 0);
    file.write_all_at(0, &[1; 5000]).expect("there is room");
    assert_eq!(file.written_bytes().expect("readable"), 5000);
    file.reserve(1 << 20).expect("there is room");
    assert_eq!(file.bytes().expect("readable"), 1 << 20);
    // A system of files that knows nothing of holes would say all of it.
    let written = file.written_bytes().expect("readable");
    assert!((5000..=64 << 10).contains(&written) || written == 1 << 20, "{written}");
    file.write_all_at(900_000, &[1]).expect("there is room");
    assert!(file.written_bytes().expect("readable") > 900_000, "behind what was not written something may be");
}

#[test]
fn a_second_process_is_kept_out() {
    let dir = folder();
    let _db = open(dir.path()).expect("it opens");
    let refused = open(dir.path()).expect_err("it is in use");
    assert!(matches!(refused, Error::InUse { .. }), "{refused}");
}

/// The snapshot held the database for a moment now and then: who let go of it just then was not the last to, and the folder
/// was locked still when it was opened again.
#[test]
#[allow(clippy::disallowed_methods, reason = "the snapshot is taken by a thread with a clock of its own")]
fn a_database_closed_within_a_snapshot_opens_again_at_once() {
    let dir = folder();
    let begun = || snapshot_dirs(dir.path()).iter().any(|path| path.extension().is_some_and(|it| it == "tmp"));
    for round in 0..3 {
        let db = builder(dir.path()).snapshot_every(Duration::ZERO).open().expect("nobody else has it");
        let crab = table(&db, "crab");
        let (mut dice, mut name) = (super::world::Dice(round), 0..);
        let mut song = || (0..4000).map(|_| (b' ' + (dice.next() % 90) as u8) as char).collect::<String>();
        let added = db.transact(|tx| {
            name.by_ref().take(2000).try_for_each(|name| {
                let fields = [(0, Value::from(format!("{round}-{name}"))), (1, Value::from(8)), (2, song().into())];
                tx.insert_values(crab, &fields).map(drop)
            })
        });
        added.expect("they fit");
        let started = Instant::now();
        while !begun() && started.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let (before, commit) = (crabs(&db).len(), db.read().commit());
        drop(db);
        let db = open(dir.path()).expect("nobody else has it");
        assert_eq!((crabs(&db).len(), db.read().commit()), (before, commit));
        assert!(!begun(), "what was begun is removed");
    }
}

#[test]
fn two_snapshots_and_the_log_behind_them_are_kept() {
    let dir = folder();
    let db = open(dir.path()).expect("it opens");
    for round in 0..6 {
        for n in 0..300 {
            add_crab(&db, &format!("c{round}-{n}")).expect("it fits");
        }
        db.snapshot().expect("there is room");
    }
    assert_eq!(snapshot_dirs(dir.path()).len(), 2);
    let segments = std::fs::read_dir(dir.path().join("log")).expect("it is there").count();
    assert!(segments <= 4, "{segments} segments are left");
}

#[test]
fn the_tick_goes_on_counting_and_schema_edits_stay() {
    let dir = folder();
    let db = open(dir.path()).expect("it opens");
    let mut stepper = db.tick_loop(60.0).stepped().expect("it starts");
    for _ in 0..5 {
        stepper.step().expect("it runs");
    }
    db.edit_schema(dbgen_runtime::SchemaEdit::create_table("gull", json!({"fields":[{"name":"cry","type":"text"}]})))
        .expect("it is a table");
    let gull = table(&db, "gull");
    db.transact(|tx| tx.insert_values(gull, &[(0, Value::from("kree"))])).expect("it fits");
    let version = db.read().schema_version();
    drop((stepper, db));
    let db = open(dir.path()).expect("it opens again");
    assert_eq!(db.read().schema_version(), version);
    assert_eq!(db.read().open_table("gull").expect("it is there").len(), 1);
    assert_eq!(db.tick_loop(60.0).stepped().expect("it starts").step().expect("it runs"), 6);
}

/// Who takes a snapshot needs the writing side now and then. A system that asked how durable the world is waited for him, with
/// the writing side in its hands, and neither went on.
#[test]
fn ds_2_a_transaction_may_ask_how_durable_the_world_is_while_a_snapshot_is_taken() {
    let folder = folder();
    let db = open(folder.path()).expect("a new folder opens");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let tide = table(&db, "tide");
            while !is_over.load(Ordering::Relaxed) {
                let asked = db.transact(|tx| {
                    assert!(matches!(db.snapshot(), Err(Error::Reentrant)), "it would wait for this transaction");
                    tx.insert_values(tide, &[(0, Value::from(1.0))])?;
                    Ok(db.durability().is_some_and(|status| status.snapshot_error.is_none()))
                });
                assert!(asked.expect("it commits"));
            }
        });
        let mut last = 0;
        for _ in 0..5 {
            let commit = db.snapshot().expect("it is taken");
            assert!(commit >= last, "{commit} after {last}");
            last = commit;
        }
        is_over.store(true, Ordering::Relaxed);
        asking.join().expect("it was never held up for good");
    });
}
