//! Chains and rings of references, of a length at which recursion would need a stack of its own.

use dbgen_runtime::{__private, Database, Error, RecordId, TableNo, Value};

const LENGTH: usize = 20_000;

fn chain(on_delete: &str) -> (Database, TableNo, Vec<RecordId>) {
    let schema = format!(
        r#"{{ "name": "w", "version": "1", "tables": {{ "link": {{ "fields": [
            {{"name":"to","type":"ref<link>","nullable":true,"on_delete":"{on_delete}"}}, {{"name":"word","type":"text","default":"w"}} ] }} }} }}"#
    );
    let db = Database::builder().schema_json(&schema).open().expect("it opens");
    let link = db.read().open_table("link").expect("a table").number();
    let ids = db.transact(|tx| {
        let mut ids: Vec<RecordId> = Vec::with_capacity(LENGTH);
        for _ in 0..LENGTH {
            let to = ids.last().map_or(Value::Null, |id| Value::Ref(id.get()));
            ids.push(tx.insert_values(link, &[(0, to)])?);
        }
        Ok(ids)
    });
    (db, link, ids.expect("filled"))
}

/// Runs `body` on a thread whose stack a recursion over the chain would not fit in.
fn on_a_small_stack(body: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(128 << 10).spawn(body).expect("a thread");
    thread.join().expect("it ends well");
}

#[test]
fn rl_2_a_cascade_over_any_depth_needs_no_stack() {
    on_a_small_stack(|| {
        let (db, link, ids) = chain("cascade");
        // A ring: the first refers to the last.
        let close = Value::Ref(ids[LENGTH - 1].get());
        db.transact(|tx| tx.update_values(link, ids[0], &[(0, close)])).expect("closed");
        let before = __private::buffers(&db).expect("no transaction runs");
        let undone = db.transact(|tx| {
            assert_eq!(tx.delete_record(link, ids[LENGTH / 2])?, LENGTH, "all of the ring");
            Err::<(), _>(Error::abort("only tried"))
        });
        assert!(undone.is_err());
        assert!(__private::buffers(&db).expect("no transaction runs") == before);
        assert_eq!(db.transact(|tx| tx.delete_record(link, ids[3])).expect("deleted"), LENGTH);
        let view = db.read();
        view.verify().expect("whole");
        assert!(view.open_table("link").expect("a table").is_empty());
    });
}

#[test]
fn rl_2_what_restricts_within_what_goes_is_no_obstacle_at_any_depth() {
    const SCHEMA: &str = r#"{ "name": "w", "version": "1", "tables": { "link": { "fields": [
        {"name":"to","type":"ref<link>","nullable":true,"on_delete":"cascade"},
        {"name":"guard","type":"ref<link>","nullable":true,"on_delete":"restrict"},
        {"name":"friend","type":"ref<link>","nullable":true,"on_delete":"set_null"} ] } } }"#;
    on_a_small_stack(|| {
        let db = Database::builder().schema_json(SCHEMA).open().expect("it opens");
        let link = db.read().open_table("link").expect("a table").number();
        let (ids, outside) = db
            .transact(|tx| {
                let mut ids: Vec<RecordId> = Vec::new();
                for _ in 0..5_000 {
                    let last = ids.last().map_or(Value::Null, |id| Value::Ref(id.get()));
                    ids.push(tx.insert_values(link, &[(0, last.clone()), (1, last.clone()), (2, last)])?);
                }
                let last = ids.last().map_or(0, |id| id.get());
                let outside = tx.insert_values(link, &[(1, Value::Ref(last)), (2, Value::Ref(last))])?;
                Ok((ids, outside))
            })
            .expect("filled");
        let before = __private::buffers(&db).expect("no transaction runs");
        let refused = db.transact(|tx| tx.delete_record(link, ids[0]));
        let Err(Error::Restricted { blocking, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!((blocking.len(), blocking[0].count, &blocking[0].sample_ids[..]), (1, 1, &[outside][..]));
        assert!(__private::buffers(&db).expect("no transaction runs") == before, "a refusal changes nothing");
        db.transact(|tx| tx.update_values(link, outside, &[(1, Value::Null)])).expect("let go");
        assert_eq!(db.transact(|tx| tx.delete_record(link, ids[0])).expect("deleted"), 5_000);
        let view = db.read();
        view.verify().expect("whole");
        let left = view.open_table("link").expect("a table").get(outside).expect("it stays");
        assert_eq!(left.value(2), Value::Null, "its friend is gone");
    });
}
