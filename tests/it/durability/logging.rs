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
fn a_moving_world_that_is_not_logged_adds_nothing_to_the_log() {
    let dir = folder();
    let db = open(dir.path(), "snapshot");
    let (ids, ship) = (ships(&db, 1000), db.read().open_table("ship").expect("it is there").number());
    let before = logged(&db);
    for tick in 0..10 {
        db.transact(|tx| ids.iter().try_for_each(|id| tx.update_values(ship, *id, &[(1, Value::from(tick as f32))])))
            .expect("they fit");
    }
    assert_eq!(logged(&db), before);
}
