//! What the log holds, and how much of it.

use super::snapshots::folder;
use dbgen_runtime::{Database, SyncLevel, Value};

fn open(dir: &std::path::Path, durability: &str) -> Database {
    let schema = format!(
        r#"{{ "name": "w", "version": "1", "tables": {{ "ship": {{ "durability": "{durability}", "fields": [
            {{"name":"hull","type":"bytes<184>"}}, {{"name":"x","type":"f32"}}, {{"name":"y","type":"f32"}},
            {{"name":"crew","type":"i32","default":3}}, {{"name":"hp","type":"i32","default":100}} ] }} }} }}"#
    );
    Database::builder().schema_json(&schema).data_dir(dir).sync(SyncLevel::Buffered).open().expect("it opens")
}

fn ships(db: &Database, count: usize) -> Vec<dbgen_runtime::RecordId> {
    let ship = db.read().open_table("ship").expect("it is there").number();
    let fields = [(0, Value::Bytes(vec![7; 184])), (1, Value::from(0.0_f32)), (2, Value::from(0.0_f32))];
    db.transact(|tx| (0..count).map(|_| tx.insert_values(ship, &fields)).collect()).expect("they fit")
}

fn logged(db: &Database) -> u64 {
    db.durability().expect("it has a folder").log_bytes
}

#[test]
fn one_field_of_a_wide_record_logs_less_than_64_bytes() {
    let dir = folder();
    let db = open(dir.path(), "log");
    let (ids, ship) = (ships(&db, 1000), db.read().open_table("ship").expect("it is there").number());
    let before = logged(&db);
    for (n, id) in ids.iter().enumerate() {
        db.transact(|tx| tx.update_values(ship, *id, &[(4, Value::from(n as i32))])).expect("it fits");
    }
    let each = (logged(&db) - before) / ids.len() as u64;
    assert!(each < 64, "{each} bytes for an update of four");
}

#[test]
fn ten_thousand_that_move_at_60_hz_and_are_not_logged_add_nothing_to_the_log() {
    let dir = folder();
    let db = open(dir.path(), "snapshot");
    let (ids, ship) = (ships(&db, 10_000), db.read().open_table("ship").expect("it is there").number());
    let before = logged(&db);
    let world = db.tick_loop(60.0).system("move", move |tick| {
        let x = Value::from(tick.number() as f32);
        ids.iter().try_for_each(|id| tick.update_values(ship, *id, &[(1, x.clone())]))
    });
    let mut world = world.stepped().expect("it starts");
    for _ in 0..5 {
        world.step().expect("it runs");
    }
    assert_eq!(logged(&db), before);
    assert!(db.read().commit() > 5, "they did move");
}

#[test]
fn an_acknowledgement_says_its_commit_and_whether_that_is_durable() {
    let schema = r#"{ "name": "w", "version": "1", "tables": {
        "kept": { "fields": [ {"name":"n","type":"i32"} ] },
        "drift": { "durability": "snapshot", "fields": [ {"name":"n","type":"i32"} ] } } }"#;
    let add = |db: &Database, tables: &[&str]| {
        db.transact_committed(|tx| {
            tables.iter().try_for_each(|table| tx.insert_named(table, &[("n", Value::from(1))]).map(drop))
        })
        .expect("it fits")
    };
    for (level, is_synced) in [
        (SyncLevel::Memory, false),
        (SyncLevel::Buffered, false),
        (SyncLevel::Group, true),
        (SyncLevel::Immediate, true),
    ] {
        let dir = folder();
        let db = Database::builder().schema_json(schema).data_dir(dir.path()).sync(level).open().expect("it opens");
        let kept = add(&db, &["kept"]);
        assert_eq!((kept.commit, db.read().commit()), (1, 1));
        // Before a sync nothing says that it is durable; one that happened to be done in the background may.
        assert!(!is_synced || kept.durable, "{level:?}");
        assert!(is_synced || !kept.durable || db.durability().expect("a folder").durable >= 1, "{level:?}");
        let drift = add(&db, &["drift"]);
        assert_eq!((drift.commit, drift.durable), (2, false), "{level:?}: the log has nothing of it");
        assert!(add(&db, &["drift", "kept"]).durable || !is_synced, "{level:?}");
        // Through the loop's queue it says the same.
        let mut world = db.tick_loop(60.0).stepped().expect("it starts");
        let pending = db.client().transact(|tx| tx.insert_named("kept", &[("n", Value::from(2))]));
        world.step().expect("it runs");
        let answer = pending.wait().expect("it fits");
        assert_eq!((answer.commit, answer.durable || !is_synced), (4, true), "{level:?}");
    }
    let db = Database::builder().schema_json(schema).open().expect("it opens");
    assert!(!add(&db, &["kept"]).durable, "without a folder nothing is");
}
