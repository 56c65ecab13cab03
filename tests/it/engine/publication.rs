//! Views: they never change, never see half a commit, and never hold anybody up.

use super::face::{DynamicWorld, World};
use crate::generated::golden::arena::{Arena, Class, Player};
use dbgen_runtime::limits::{HISTORY_COMMITS_MAX, TABLE_VERSIONS_MAX_HIGHEST, TABLE_VERSIONS_MAX_LOWEST};
use dbgen_runtime::{Builder, Database, Dynamic, Error, PublicationStats, RecordId, SchemaEdit, Value, View};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

/// Accounts whose sum never changes, in two tables.
const SCHEMA: &str = r#"{ "name": "bank", "version": "1", "tables": {
    "left":  { "fields": [ {"name":"gold","type":"i64"}, {"name":"note","type":"text","default":""} ] },
    "right": { "fields": [ {"name":"gold","type":"i64","indexed":true} ] } } }"#;

fn bank(accounts: usize) -> (Database, Vec<RecordId>, Vec<RecordId>) {
    bank_of(Database::builder(), accounts)
}

fn bank_of(builder: Builder<Dynamic>, accounts: usize) -> (Database, Vec<RecordId>, Vec<RecordId>) {
    let db = builder.schema_json(SCHEMA).open().expect("the bank opens");
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
            let Value::Int(has) = tx.read_table(table)?.get(id)?.value(0) else { panic!("gold is an integer") };
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
fn how_many_versions_there_may_be_is_said_when_the_database_is_opened() {
    for (versions_max, commits) in [(4, 12), (7, 20), (40, 60)] {
        let (db, left, right) = bank_of(Database::builder().versions_max(versions_max), 5);
        let total = gold(&db.read());
        let versions = |db: &Database| publication(db, "left").versions;
        let mut held = Vec::new();
        for n in 0..commits {
            transfer(&db, ("left", left[n % 5]), ("right", right[n % 5]), 1, "");
            held.push(db.read());
            // The one that the writer has beside them is the last of those that there may be.
            assert!(versions(&db) < versions_max as u64, "{} of {versions_max}", versions(&db));
        }
        assert_eq!(versions(&db), versions_max as u64 - 1, "as many as may be are used");
        let seen = held.last().expect("views are held").commit();
        assert_eq!(seen, versions_max as u64 + 1, "the commit with which the last of them was published");
        assert!(db.stats().expect("no transaction runs").publications_skipped > 0);
        held.drain(..).for_each(|view| assert_eq!(gold(&view), total));
        assert_eq!(db.read().commit(), 2 + commits as u64);
        db.read().verify().expect("whole");
    }
}

#[test]
fn with_the_fewest_versions_one_reader_keeps_nothing_from_being_seen() {
    let (db, left, right) = bank_of(Database::builder().versions_max(TABLE_VERSIONS_MAX_LOWEST), 5);
    let held = db.read();
    for n in 0..100 {
        transfer(&db, ("left", left[n % 5]), ("right", right[n % 5]), 1, "");
        assert_eq!(db.read().commit(), 3 + n as u64);
    }
    assert_eq!(db.stats().expect("no transaction runs").publications_skipped, 0);
    assert_eq!(held.commit(), 2);
    held.verify().expect("what was held stays what it was");
    db.read().verify().expect("whole");
}

#[test]
fn as_many_versions_as_there_cannot_be_are_refused() {
    for wrong in [0, TABLE_VERSIONS_MAX_LOWEST - 1, TABLE_VERSIONS_MAX_HIGHEST + 1, usize::MAX] {
        let refused = Database::builder().versions_max(wrong).open();
        let Err(Error::Setting { setting: "versions_max", value, min, max }) = refused else { panic!("{refused:?}") };
        assert_eq!((value, min, max), (wrong, TABLE_VERSIONS_MAX_LOWEST, TABLE_VERSIONS_MAX_HIGHEST));
    }
}

/// The figures of a table.
fn publication<S: dbgen_runtime::typed::Facade>(db: &dbgen_runtime::Db<S>, table: &str) -> PublicationStats {
    let tables = db.publication_stats().expect("no transaction runs");
    tables.into_iter().find(|(name, _)| name == table).expect("the table is there").1
}

#[test]
fn what_is_remembered_of_publications_is_counted() {
    let (db, left, right) = bank(10);
    let before = publication(&db, "left");
    assert_eq!((before.dirty_sets, before.dirty_records, before.versions), (1, 10, 2), "{before:?}");
    transfer(&db, ("left", left[0]), ("right", right[0]), 1, "a note");
    let after = publication(&db, "left");
    // Two updates of one record.
    assert_eq!((after.dirty_sets, after.dirty_records, after.dirty_sets_forgotten), (2, 12, 0), "{after:?}");
    assert!(after.dirty_ranges > before.dirty_ranges && after.catch_up_bytes > before.catch_up_bytes, "{after:?}");
    db.transact(|_| Err::<(), _>(Error::abort("never mind"))).expect_err("as it was meant");
    assert_eq!(publication(&db, "left"), after, "a transaction that is undone leaves nothing");
    for n in 0..HISTORY_COMMITS_MAX {
        transfer(&db, ("left", left[n % 10]), ("right", right[n % 10]), 1, "");
    }
    let late = publication(&db, "left");
    assert_eq!((late.dirty_sets, late.dirty_sets_forgotten), (HISTORY_COMMITS_MAX as u64, 2), "{late:?}");
    assert_eq!((late.whole_copies, late.versions), (1, 2), "the first write alone had no version to turn to: {late:?}");
    let engine = db.stats().expect("no transaction runs");
    let written = 3 + HISTORY_COMMITS_MAX as u64;
    assert_eq!((engine.commits, engine.rollbacks, engine.publications), (written, 1, written), "{engine:?}");
    assert_eq!((engine.publications_skipped, engine.tables_dropped_later), (0, 0), "{engine:?}");
    let edit = SchemaEdit::add_field("left", json!({ "name": "since", "type": "u32", "default": 1 }));
    db.edit_schema(edit).expect("it is made");
    assert_eq!(db.stats().expect("no transaction runs").tables_dropped_later, 1, "one table was made anew");
    db.read().verify().expect("whole");
}

#[test]
fn groups_that_are_written_out_of_the_one_before_are_counted() {
    const ROWS: usize = 500;
    let db = Arena::builder().open().expect("it opens");
    let move_all = |tx: &mut crate::generated::golden::arena::Tx| {
        tx.player_mut().motion_next(|old, new| {
            for (old, new) in old.iter().zip(new) {
                (new.pos, new.vel) = (old.pos, old.vel);
            }
        });
        Ok(())
    };
    let name = |n: usize| Player { class: Class::Mage, ..Player::new(format!("player {n}")) };
    db.transact(|tx| tx.player_mut().insert_many((0..ROWS).map(name))).expect("they are new");
    db.transact(move_all).expect("they move");
    let first = publication(&db, "player");
    assert_eq!((first.groups_next, first.groups_next_copied), (1, 0), "{first:?}");
    for _ in 0..5 {
        db.transact(move_all).expect("they move");
    }
    let alone = publication(&db, "player");
    assert_eq!((alone.groups_next, alone.groups_next_copied, alone.whole_copies), (6, 0, 1), "{alone:?}");
    let caught_up = alone.catch_up_bytes - first.catch_up_bytes;
    assert!(caught_up < ROWS as u64 * 24, "nothing of the group is copied: {caught_up} bytes of other buffers");
    db.transact(|tx| {
        tx.player_mut().motion_mut()[0].pos.x.set(1.0);
        move_all(tx)
    })
    .expect("they move");
    let behind = publication(&db, "player");
    assert_eq!((behind.groups_next, behind.groups_next_copied), (6, 1), "{behind:?}");
    assert_eq!(db.read().player().motion()[0].pos.x.get(), 1.0, "what was written first is where the next one begins");
    db.read().check().expect("whole");
}

#[test]
fn large_versions_that_nobody_needs_go_on_another_thread_and_are_counted() {
    let (db, left, right) = bank(10_000);
    let mut held: Vec<View> = Vec::new();
    for n in 0..5 {
        held.push(db.read());
        transfer(&db, ("left", left[n]), ("right", right[n]), 1, "");
    }
    let pinned = publication(&db, "left");
    assert_eq!((pinned.versions, pinned.whole_copies, pinned.drops_deferred), (6, 5, 0), "{pinned:?}");
    held.clear();
    for n in 0..4 {
        transfer(&db, ("left", left[n]), ("right", right[n]), 1, "");
    }
    let free = publication(&db, "left");
    assert_eq!((free.whole_copies, free.drops_deferred), (5, 3), "{free:?}");
    assert_eq!(free.versions, 3, "{free:?}");
    db.read().verify().expect("whole");
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

/// Pages that the system had to give to this thread so far, each at its first touch.
#[cfg(target_os = "linux")]
fn pages_given() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("Linux tells it");
    // The name of the thread, in brackets, may hold anything; the eighth number behind it is that of minor faults.
    let (_, numbers) = stat.rsplit_once(')').expect("a name in brackets");
    numbers.split_whitespace().nth(7).and_then(|faults| faults.parse().ok()).expect("a number")
}

/// Room that was made ahead is memory, not addresses: who fills it waits for no page, neither in the version that was
/// written when it was made nor in the one that comes after it.
#[cfg(target_os = "linux")]
#[test]
fn room_that_is_made_ahead_is_memory_in_both_versions_that_take_turns() {
    const ROWS: usize = 20_000;
    const ROW_BYTES: usize = 510;
    const PAGE_BYTES: usize = 4096;
    let schema = r#"{ "name": "wide", "version": "1", "tables": { "t": { "fields": [ {"name":"n","type":"u64"},
        {"name":"a","type":"bytes<255>","nullable":true}, {"name":"b","type":"bytes<255>","nullable":true} ] } } }"#;
    let pages_of_filling = |is_reserved: bool| {
        let db = Database::builder().schema_json(schema).open().expect("it opens");
        let t = db.read().open_table("t").expect("a table").number();
        let add = |count: usize| {
            db.transact(|tx| (0..count as u64).try_for_each(|n| tx.insert_values(t, &[(0, n.into())]).map(drop)))
                .expect("room")
        };
        // Two versions take turns from here on, and what a transaction itself needs is there.
        (0..3).for_each(|_| add(100));
        if is_reserved {
            db.transact(|tx| tx.reserve(t, ROWS)).expect("room");
        }
        let before = pages_given();
        (0..ROWS / 100).for_each(|_| add(100));
        db.read().verify().expect("whole");
        pages_given() - before
    };
    let (reserved, bare) = (pages_of_filling(true), pages_of_filling(false));
    let of_a_version = (ROWS * ROW_BYTES / PAGE_BYTES) as u64;
    // What both need besides is little; a version that was forgotten would be met page by page.
    assert!(reserved < of_a_version / 2, "{reserved} pages, {bare} without room: a version has {of_a_version}");
}
