//! Numbers that somebody may have seen are never given to anything else: commits, and with them the `_version` of records.
//!
//! The story: a commit that is not synced yet is seen by readers, and one that only touched tables with `durability: snapshot`
//! is never logged. After a crash the database used to go on behind the last commit that it found, so the same numbers came
//! again: who had read a record as `_version` 57 could write over another one of that version, believing it unchanged.

use super::world::Dice;
use dbgen_runtime::storage::simulated::{Profile, Simulated};
use dbgen_runtime::{Database, SyncLevel, Value};
use std::collections::BTreeMap;

const SCHEMA: &str = r#"{ "name": "w", "version": "1", "tables": {
    "deed": { "fields": [ {"name":"n","type":"i32"} ] },
    "mood": { "durability": "snapshot", "fields": [ {"name":"n","type":"i32"} ] } } }"#;
const LEVELS: [SyncLevel; 3] = [SyncLevel::Memory, SyncLevel::Buffered, SyncLevel::Group];

fn open(disk: &Simulated, level: SyncLevel) -> Database {
    let db = Database::builder().schema_json(SCHEMA).data_dir("data").storage(disk.clone(), true).sync(level);
    db.log_segment_bytes(4096).open().expect("it opens")
}

fn add(db: &Database, table: &str, n: i32) -> u64 {
    db.transact_committed(|tx| tx.insert_named(table, &[("n", Value::from(n))])).expect("it fits").commit
}

/// All that a client sees of versions: that of the database, and those of records with what they hold.
fn seen(db: &Database, seen: &mut BTreeMap<u64, String>) {
    let view = db.read();
    let mut versions: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for table in view.tables() {
        for record in table.iter() {
            versions.entry(record.version()).or_default().push(format!(
                "{}: {:?}",
                table.schema().name,
                record.values()
            ));
        }
    }
    for (version, records) in versions {
        assert!(version <= view.commit(), "a record of version {version} at commit {}", view.commit());
        let records = records.join(", ");
        let before = seen.entry(version).or_insert_with(|| records.clone());
        assert_eq!(*before, records, "version {version} was seen before, and was something else");
    }
}

#[test]
fn no_version_that_was_seen_comes_back_for_something_else() {
    for (seed, level) in (0..12).flat_map(|seed| LEVELS.map(|level| (seed, level))) {
        let (mut disk, mut dice) = (Simulated::new(seed), Dice(seed));
        let (mut all, mut last, mut n) = (BTreeMap::new(), 0, 0);
        for life in 0..8 {
            let db = open(&disk, level);
            assert!(db.read().commit() >= last, "life {life}: {} after {last}", db.read().commit());
            seen(&db, &mut all);
            // Some lives log nothing, and some do nothing at all.
            for _ in 0..dice.below(4) {
                let table = if dice.below(3) == 0 { "deed" } else { "mood" };
                n += 1;
                let commit = add(&db, table, n);
                assert!(commit > last, "life {life}: commit {commit} after {last}");
                last = commit;
                seen(&db, &mut all);
            }
            match dice.below(5) {
                0 => drop(db.snapshot().expect("there is room")),
                1 => db.sync().expect("the disk is well"),
                _ => {}
            }
            last = db.read().commit();
            if dice.below(3) == 0 {
                drop(db);
            } else {
                let profile = Profile::ALL[dice.below(Profile::ALL.len())];
                disk = disk.crash(dice.next(), profile);
            }
        }
    }
}

#[test]
fn a_database_that_was_closed_goes_on_without_a_gap() {
    for level in LEVELS {
        let disk = Simulated::new(1);
        for life in 0..3 {
            let db = open(&disk, level);
            assert_eq!(db.read().commit(), 3 * life);
            assert_eq!(["deed", "mood", "mood"].map(|table| add(&db, table, 1)), [1, 2, 3].map(|n| 3 * life + n));
        }
        // One that only looked is closed, too.
        assert_eq!(open(&disk, level).read().commit(), 9);
        assert_eq!(open(&disk, level).read().commit(), 9);
    }
}

/// Whoever opens it next cannot know what was seen, even if nothing was.
#[test]
fn a_database_that_was_not_closed_goes_on_far_behind() {
    let disk = Simulated::new(1);
    let db = open(&disk, SyncLevel::Group);
    let (first, lost) = (add(&db, "deed", 1), add(&db, "mood", 2));
    let disk = disk.crash(1, Profile::Prefix);
    let db = open(&disk, SyncLevel::Group);
    let recovered = db.durability().expect("it has a folder").recovered;
    assert_eq!((recovered.commit, first), (1, 1), "what is there is what was logged");
    assert!(add(&db, "mood", 3) > lost + 1000);
    let before = db.read().commit();
    // Nothing but the segment's header says so.
    let db = open(&disk.crash(1, Profile::Prefix), SyncLevel::Group);
    assert!(db.read().commit() > before);
}
