//! Views: they never change, never see half a commit, and never hold anybody up.

use super::face::{DynamicWorld, World};
use dbgen_runtime::{Database, RecordId, Value, View};
use std::sync::atomic::{AtomicBool, Ordering};

/// Accounts whose sum never changes, in two tables.
const SCHEMA: &str = r#"{ "name": "bank", "version": "1", "tables": {
    "left":  { "fields": [ {"name":"gold","type":"i64"}, {"name":"note","type":"text","default":""} ] },
    "right": { "fields": [ {"name":"gold","type":"i64","indexed":true} ] } } }"#;

fn bank(accounts: usize) -> (Database, Vec<RecordId>, Vec<RecordId>) {
    let db = Database::builder().schema_json(SCHEMA).open().expect("the bank opens");
    let fill = |name: &str| {
        db.transact(|tx| {
            let table = tx.open_table(name)?;
            (0..accounts).map(|_| tx.insert_values(table, &[(0, 100_i64.into())])).collect()
        })
        .expect("filled")
    };
    let (left, right) = (fill("left"), fill("right"));
    (db, left, right)
}

fn gold(view: &View) -> i128 {
    let int = |value: Value| if let Value::Int(v) = value { v } else { panic!("gold is an integer") };
    view.tables().flat_map(|table| table.iter().map(|record| int(record.value(0))).collect::<Vec<_>>()).sum()
}

fn transfer(db: &Database, from: (&str, RecordId), to: (&str, RecordId), amount: i64, note: &str) {
    db.transact(|tx| {
        for ((name, id), by) in [(from, -amount), (to, amount)] {
            let table = tx.open_table(name)?;
            let Value::Int(has) = tx.read_table(table).get(id)?.value(0) else { panic!("gold is an integer") };
            tx.update_values(table, id, &[(0, Value::Int(has + i128::from(by)))])?;
            if name == "left" {
                tx.update_values(table, id, &[(1, note.into())])?;
            }
        }
        Ok(())
    })
    .expect("a transfer");
}

#[test]
fn ab_2_readers_see_whole_commits_while_a_writer_runs() {
    let (db, left, right) = bank(300);
    let total = gold(&db.read());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (mut last, mut held) = (0, Vec::new());
                while !done.load(Ordering::Relaxed) {
                    let view = db.read();
                    assert!(view.commit() >= last, "time does not go back");
                    last = view.commit();
                    assert_eq!(gold(&view), total, "half a commit is never seen");
                    held.push(view);
                    if held.len() > 20 {
                        held.drain(..10).for_each(|view| assert_eq!(gold(&view), total, "a view never changes"));
                    }
                }
            });
        }
        for n in 0..3000 {
            let (from, to) = (left[n * 7 % 300], right[n * 13 % 300]);
            transfer(&db, ("left", from), ("right", to), (n % 50) as i64, &"n".repeat(n % 40));
        }
        done.store(true, Ordering::Relaxed);
    });
    let view = db.read();
    view.verify().expect("whole");
    assert_eq!(gold(&view), total);
}

#[test]
fn lf_2_a_view_that_is_held_holds_nobody_up() {
    let (db, left, right) = bank(10);
    let before = db.read();
    let shown: Vec<Vec<Value>> = before.open_table("left").expect("a table").iter().map(|r| r.values()).collect();
    let mut held = vec![before.clone()];
    for n in 0..500 {
        transfer(&db, ("left", left[n % 10]), ("right", right[n % 10]), 1, "x");
        if n % 100 == 0 {
            held.push(db.read());
        }
    }
    let still: Vec<Vec<Value>> = before.open_table("left").expect("a table").iter().map(|r| r.values()).collect();
    assert_eq!(still, shown);
    assert_eq!(db.read().commit(), 502);
}

#[test]
fn readers_that_pin_everything_delay_publication_and_lose_nothing() {
    let (db, left, right) = bank(5);
    let total = gold(&db.read());
    let mut held = Vec::new();
    for n in 0..50 {
        transfer(&db, ("left", left[n % 5]), ("right", right[n % 5]), 1, "");
        held.push(db.read());
    }
    let skipped = db.stats().expect("no transaction runs").publications_skipped;
    assert!(skipped > 0, "fifty pinned versions are more than the bound");
    assert!(db.read().commit() < 52, "the last commits cannot be seen yet");
    held.drain(..).for_each(|view| assert_eq!(gold(&view), total));
    let view = db.read();
    assert_eq!((view.commit(), gold(&view)), (52, total), "what was put off is seen by the first who can");
    view.verify().expect("whole");
    transfer(&db, ("left", left[0]), ("right", right[0]), 1, "");
    assert_eq!(db.read().commit(), 53);
}

#[test]
fn a_transaction_that_changes_nothing_takes_no_number() {
    let (db, left, _) = bank(2);
    let before = db.read().commit();
    db.transact(|tx| {
        let table = tx.open_table("left")?;
        tx.update_values(table, left[0], &[(0, 100_i64.into())])
    })
    .expect("the same gold as before");
    db.transact(|_| Ok(())).expect("nothing at all");
    assert_eq!(db.read().commit(), before);
    transfer(&db, ("left", left[0]), ("left", left[1]), 1, "");
    assert_eq!(db.read().commit(), before + 1);
}

#[test]
fn ab_1_in_the_steady_state_nothing_is_copied_whole() {
    let (db, left, right) = bank(2000);
    for n in 0..1000 {
        transfer(&db, ("left", left[n]), ("right", right[n]), 1, "");
    }
    let stats = db.stats().expect("no transaction runs");
    assert!(stats.roots_made <= 2, "two roots circulate: {stats:?}");
}

#[test]
fn a_transaction_inside_another_is_told_so() {
    let world = DynamicWorld::open();
    let db = world.database();
    let inner = db.transact(|_| db.transact(|_| Ok(())));
    assert!(inner.expect_err("it would wait for itself").to_string().contains("running on this thread"));
    db.transact(|_| Ok(())).expect("and afterwards all is well");
}

/// A number that comes from outside ends no process.
#[test]
fn room_for_more_than_there_can_be_is_an_error() {
    let (db, _, _) = bank(10);
    for records in [usize::MAX, u32::MAX as usize] {
        let refused = db.transact(|tx| tx.open_table("left").and_then(|left| tx.reserve(left, records)));
        assert!(matches!(refused, Err(dbgen_runtime::Error::Full { limit, .. }) if limit < records), "{refused:?}");
    }
    db.read().verify().expect("whole");
}

#[test]
fn room_is_made_ahead_and_given_back_where_no_reader_looks() {
    let (db, left, right) = bank(10);
    let held = |db: &Database| db.read().open_table("left").expect("a table").bytes().1;
    let small = held(&db);
    db.transact(|tx| {
        let table = tx.open_table("left")?;
        tx.reserve(table, 100_000)?;
        Ok(())
    })
    .expect("room");
    transfer(&db, ("left", left[0]), ("right", right[0]), 1, "");
    assert!(held(&db) > small + 100_000 * 24, "the version that is seen now has the room");
    transfer(&db, ("left", left[0]), ("right", right[0]), 1, "");
    assert!(held(&db) > small + 100_000 * 24, "and so has the one after it");
    let before = db.read();
    db.shrink_to_fit().expect("no transaction runs");
    assert!(held(&db) > small + 100_000 * 24, "what readers see does not move");
    drop(before);
    for n in 0..3 {
        transfer(&db, ("left", left[n]), ("right", right[n]), 1, "");
    }
    assert!(held(&db) < small + 100_000, "the room is gone");
    db.read().verify().expect("whole");
}
