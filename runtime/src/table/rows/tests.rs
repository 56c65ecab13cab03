//! What cannot be waited for: a slot that was used two million times.

use crate::id::{GENERATION_MAX, RecordId};
use crate::table::version::{HEAP, IDS, IN_USE};
use crate::{Database, Error, Value};

/// A slot's generations run out: the last record in it goes as any other, and its slot is never given out again, neither to
/// one record nor to many. Its id stays good for nothing else.
#[test]
fn a_slot_whose_generations_have_run_out_retires() {
    let schema = r#"{ "name": "w", "version": "1", "tables": { "t": { "fields": [ {"name":"n","type":"u8"} ] } } }"#;
    let db = Database::builder().schema_json(schema).open().expect("it opens");
    let add = |n: u8| db.transact(|tx| tx.insert_named("t", &[("n", n.into())])).expect("it fits");
    let (first, second) = (add(1), add(2));
    let last = RecordId::new(first.slot(), GENERATION_MAX);
    db.transact(|tx| {
        let (def, writer) = tx.engine.table_mut(0);
        let mut rows = writer.rows(def);
        rows.write_slot(first.slot(), 0, GENERATION_MAX | IN_USE);
        rows.buffer(IDS).write(0, &last.get().to_le_bytes());
        Ok(())
    })
    .expect("written");
    db.read().verify().expect("whole");
    let undone = db.transact(|tx| tx.delete_named("t", last).and(Err::<(), _>(Error::abort("only tried"))));
    assert!(undone.is_err());
    assert_eq!(db.read().open_table("t").expect("a table").get(last).expect("it is back").value(0), Value::from(1));
    db.transact(|tx| tx.delete_named("t", last)).expect("deleted");
    db.read().verify().expect("a retired slot is accounted for");
    let mut given = vec![add(3), add(4)];
    let many = db.transact(|tx| tx.insert_many(tx.open_table("t")?, [&[(0, 5_u8.into())][..], &[(0, 6_u8.into())]]));
    given.extend(many.expect("they fit"));
    assert!(given.iter().all(|id| id.slot() != last.slot()), "{given:?}");
    let view = db.read();
    view.verify().expect("whole");
    let table = view.open_table("t").expect("a table");
    assert!(matches!(table.get(last), Err(Error::NotFound { stale: true, .. })));
    assert!(matches!(table.get(first), Err(Error::NotFound { stale: true, .. })));
    // Another slot is used again as ever.
    db.transact(|tx| tx.delete_named("t", second)).expect("deleted");
    let next = add(7);
    assert_eq!((next.slot(), next.generation()), (second.slot(), second.generation() + 1));
}

/// What the texts of a batch take is told from its first records: the heap is given that much at once, and not moved again
/// and again, nor addresses for a GiB.
#[test]
fn the_heap_of_a_batch_takes_its_room_at_once() {
    let schema = r#"{ "name": "w", "version": "1", "tables": { "t": { "fields": [ {"name":"s","type":"text"} ] } } }"#;
    let db = Database::builder().schema_json(schema).open().expect("it opens");
    let texts: Vec<[(usize, Value); 1]> = (0..5000).map(|n| [(0, format!("{n:0100}").into())]).collect();
    db.transact(|tx| tx.insert_many(tx.open_table("t")?, texts.iter().map(|text| &text[..]))).expect("they fit");
    let view = db.read();
    view.verify().expect("whole");
    let heap = &view.version.tables[0].buffers[HEAP];
    assert!(heap.len() >= 5000 * 100, "{}", heap.len());
    assert!(heap.room() < heap.len() / 64 * 65, "{} for {}", heap.room(), heap.len());
}
