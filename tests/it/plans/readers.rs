//! Readers and the writer: nobody waits, and nobody sees half of anything.

use crate::generated::golden::arena::{Arena, Guild, Player};
use dbgen_runtime::{Database, RecordId, Value, View};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

#[test]
fn ab_3_what_is_not_written_is_not_copied() {
    let db = Arena::builder().open().expect("the arena opens");
    let (guild, player) = db
        .transact(|tx| Ok((tx.guild_mut().insert(Guild::new("g"))?, tx.player_mut().insert(Player::new("p"))?)))
        .expect("filled");
    let before = db.read();
    db.transact(|tx| tx.player_mut().get_mut(player)?.set_hp(7)).expect("written");
    let after = db.read();
    // The table that nobody wrote is the same memory in both; the other one is another version of it.
    let name =
        |view: &crate::generated::golden::arena::View| view.guild().get(guild).map(|g| g.name().as_ptr() as usize);
    assert_eq!(name(&before).expect("it is there"), name(&after).expect("it is there"));
    let row =
        |view: &crate::generated::golden::arena::View| view.player().get(player).map(|p| p.name().as_ptr() as usize);
    assert_ne!(row(&before).expect("it is there"), row(&after).expect("it is there"));
    assert_eq!(before.player().get(player).expect("it is there").hp(), 100, "a view never changes");
    assert_eq!(after.player().get(player).expect("it is there").hp(), 7);
}

#[test]
fn lf_1_reading_is_a_load() {
    let db = Arena::builder().open().expect("the arena opens");
    let id = db.transact(|tx| tx.player_mut().insert(Player::new("p"))).expect("inserted");
    let mut reader = db.reader();
    let first = reader.view().as_ref().commit();
    assert_eq!(reader.view().as_ref().commit(), first, "nothing new: the same view");
    db.transact(|tx| tx.player_mut().get_mut(id)?.set_hp(3)).expect("written");
    assert_eq!(reader.view().player().get(id).expect("it is there").hp(), 3, "the next look sees it");
    assert_eq!(db.read().as_ref().commit(), first + 1);
}

#[test]
fn lf_2_a_reader_ends_while_a_writer_is_inside() {
    let db = Arena::builder().open().expect("the arena opens");
    let id = db.transact(|tx| tx.player_mut().insert(Player::new("p"))).expect("inserted");
    let (inside, is_inside) = mpsc::channel();
    let (done, is_done) = mpsc::channel();
    std::thread::scope(|scope| {
        let writer = db.clone();
        scope.spawn(move || {
            writer.transact(|tx| {
                tx.player_mut().get_mut(id)?.set_hp(1)?;
                inside.send(()).expect("the reader listens");
                // The transaction ends only after the reader has: it would wait for ever if the reader waited for it.
                is_done.recv().expect("the reader ends");
                Ok(())
            })
        });
        is_inside.recv().expect("the writer began");
        let view = db.read();
        assert_eq!(view.player().get(id).expect("it is there").hp(), 100, "half a transaction is not seen");
        let mut reader = db.reader();
        assert_eq!(reader.view().player().iter().count(), 1);
        done.send(()).expect("the writer waits");
    });
    assert_eq!(db.read().player().get(id).expect("it is there").hp(), 1);
}

/// Tables whose content a canary in one of them tells.
const NESTS: usize = 5;

fn aviary() -> Database {
    let table = |n: usize| {
        format!(
            r#""nest{n}": {{ "fields": [ {{"name":"a","type":"u64","indexed":true}}, {{"name":"b","type":"text"}},
                {{"name":"c","type":"list<u32>","group":"far"}} ] }}"#
        )
    };
    let tables: Vec<String> = (0..NESTS).map(table).collect();
    let schema = format!(
        r#"{{ "name": "aviary", "version": "1", "tables": {{
            "canary": {{ "fields": [ {{"name":"hash","type":"u64"}}, {{"name":"commit","type":"u64"}} ] }}, {} }} }}"#,
        tables.join(",")
    );
    Database::builder().schema_json(&schema).open().expect("the aviary opens")
}

/// What all tables but the canary's hold.
fn hash<'v>(tables: impl Iterator<Item = dbgen_runtime::DynTable<'v>>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for table in tables {
        for record in table.iter() {
            (record.id().get(), format!("{:?}", record.values())).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// That the canary lives: what it says of the tables is what they hold. Gives the commit that it says.
#[track_caller]
fn listen(view: &View) -> u64 {
    let canary = view.open_table("canary").expect("a table").iter().next().expect("a canary").values();
    assert_eq!(canary[0], Value::from(hash(view.tables().skip(1))), "all tables are of one commit");
    assert_eq!(canary[1], Value::from(view.commit()), "and it is the view's");
    view.commit()
}

#[test]
fn ab_2_every_version_is_of_one_commit_in_all_its_tables() {
    let db = aviary();
    let canary = db.transact(|tx| tx.insert_values(tx.open_table("canary")?, &[(0, 0_u64.into()), (1, 0_u64.into())]));
    let canary = canary.expect("inserted");
    tick(&db, canary, 0);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (mut last, mut held, mut reader) = (0, Vec::new(), db.reader());
                while !is_over.load(Ordering::Acquire) {
                    let view = db.read();
                    let commit = listen(&view);
                    assert!(commit >= last, "commits of one thread never go back");
                    last = listen(reader.view());
                    assert!(last >= commit, "not by the other way to read either");
                    held.push(view);
                    if held.len() > 8 {
                        // Held for a while, some of them past the end of what is remembered: still what they were.
                        for view in held.drain(..5) {
                            listen(&view);
                        }
                    }
                }
                for view in &held {
                    listen(view);
                }
            });
        }
        for n in 1..600 {
            tick(&db, canary, n);
            let view = db.read();
            assert!(view.commit() == n + 2 || db.stats().expect("it is free").publications_skipped > 0, "{n}");
        }
        is_over.store(true, Ordering::Release);
    });
    db.transact(|_| Ok(())).expect("what was put off is published");
    tick(&db, canary, 600);
    listen(&db.read());
    db.read().verify().expect("whole");
}

/// Writes into some of the tables, and has the canary say what all of them hold then.
fn tick(db: &Database, canary: RecordId, n: u64) {
    db.transact(|tx| {
        for nest in (0..NESTS as u64).filter(|nest| !(n + nest).is_multiple_of(3)) {
            let table = tx.open_table(&format!("nest{nest}"))?;
            let rows = tx.read_table(table)?.len() as u64;
            let values = [
                (0, n.into()),
                (1, "b".repeat((n * 7 % 60) as usize).into()),
                (2, Value::List((0..n % 9).map(Value::from).collect())),
            ];
            let row = (n * 13 % rows.max(1)) as usize;
            let picked = tx.read_table(table)?.iter().nth(row).map(|record| record.id());
            match ((n * 31 + nest) % 4, picked) {
                (2, Some(id)) => drop(tx.delete_record(table, id)?),
                (3, Some(id)) => tx.update_values(table, id, &values)?,
                (_, Some(id)) if rows >= 60 => tx.update_values(table, id, &values)?,
                _ => drop(tx.insert_values(table, &values)?),
            }
        }
        let nests: Vec<_> = (0..NESTS).map(|nest| tx.open_table(&format!("nest{nest}"))).collect::<Result<_, _>>()?;
        let nests: Vec<_> = nests.iter().map(|nest| tx.read_table(*nest)).collect::<Result<_, _>>()?;
        let told = hash(nests.into_iter());
        let says = [(0, told.into()), (1, tx.commit_number().into())];
        tx.update_values(tx.open_table("canary")?, canary, &says)
    })
    .expect("a tick");
}

#[test]
fn lf_1_reads_that_find_nothing_new_allocate_nothing() {
    let db = Arena::builder().open().expect("the arena opens");
    let ids: Vec<_> = db
        .transact(|tx| (0..100).map(|n| tx.player_mut().insert(Player::new(format!("p{n}")))).collect())
        .expect("filled");
    let mut reader = db.reader();
    let read = |view: &crate::generated::golden::arena::View| {
        let by_id: i64 = ids.iter().filter_map(|id| view.player().get(*id).ok()).map(|p| i64::from(p.hp())).sum();
        let by_name = view.player().by_name("p42").map_or(0, |p| p.name().len());
        let rows: f32 = view.player().motion().iter().map(|motion| motion.pos.x.get()).sum();
        (by_id, by_name, view.player().iter().count(), rows)
    };
    let expected = read(reader.view());
    let counted = allocation_counter::measure(|| {
        for _ in 0..100 {
            assert_eq!(read(reader.view()), expected);
        }
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
    // Another view of the same version is a count on it, no more.
    let counted = allocation_counter::measure(|| assert_eq!(read(&db.read()), expected));
    assert_eq!(counted.count_total, 0, "{counted:?}");
}
